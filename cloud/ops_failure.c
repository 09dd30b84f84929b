/* cloud/ops_failure.c - what happens when a zone, a NAT gateway or an instance fails: `fail`, `restore`, `failures`;
 * and `status`, how the lab is.  Failures are the lab's own state, not AWS's: describe-* shows everything as it was. */
#include "cloud/ops_failure.h"

#include <stdio.h>
#include <string.h>

#include "netsim/model/failure.h"
#include "netsim/model/instance.h"

/* A name or the beginning of an id becomes the id; zones are names. */
static bool
resolve_target(const struct cloud *cloud, const char *type, const char *name, char id[static ID_SIZE], struct err *err)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = { { "nat", "natgateway" }, { "instance", "instance" }, { "vif", "virtual-interface" } };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            return cloud_resolve(cloud, kinds[i].kind, name, id, err);
        }
    }
    if (strlen(name) >= 24) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no zone", name);
    }
    snprintf(id, ID_SIZE, "%s", name);
    return true;
}

void
cloud_add_failures(const struct cloud *cloud, json_t *out)
{
    const struct store *store = network_store(cloud->net);
    json_t *list = json_array();
    for (const struct failure *f = store_first(store, &failure_kind); f; f = store_next(store, f)) {
        json_array_append_new(list, object_describe(store, f));
    }
    json_object_set_new(out, "Failures", list);
}

static bool
fail_run(struct op_call *call, struct err *err)
{
    char id[ID_SIZE];
    const char *type = arg_str(call->in, "Type");
    if (!resolve_target(call->cloud, type, arg_str(call->in, "Name"), id, err) ||
        !failure_add(call->cloud->net, type, id, err)) {
        return false;
    }
    cloud_add_failures(call->cloud, call->out);
    return true;
}

static bool
restore_run(struct op_call *call, struct err *err)
{
    char id[ID_SIZE];
    const char *type = arg_str(call->in, "Type"), *name = arg_str(call->in, "Name");
    if (strcmp(type, "all") == 0) {
        if (name) {
            return err_set(err, ERR_USAGE, "", "`restore all` takes no name, not `%s`", name);
        }
        failures_remove_all(call->cloud->net);
    } else if (!name) {
        err_set(err, ERR_USAGE, "", "which %s is to be restored?", type);
        return err_hint(err, "`failures` lists what has failed; `restore all` restores everything");
    } else if (!resolve_target(call->cloud, type, name, id, err) || !failure_remove(call->cloud->net, type, id, err)) {
        return false;
    }
    cloud_add_failures(call->cloud, call->out);
    return true;
}

static bool
failures_run(struct op_call *call, struct err *err)
{
    (void)err;
    cloud_add_failures(call->cloud, call->out);
    return true;
}

void
failures_text(const json_t *out, struct buf *text)
{
    size_t i;
    const json_t *f;
    json_array_foreach(json_object_get(out, "Failures"), i, f)
    {
        buf_printf(text, "failed: %s %s since %s\n", json_str(f, "Type"), json_str(f, "Target"), json_str(f, "Since"));
    }
    if (!i) {
        buf_str_add(text, "nothing has failed\n");
    }
}

static bool
status_run(struct op_call *call, struct err *err)
{
    (void)err;
    struct cloud *cloud = call->cloud;
    const struct store *store = network_store(cloud->net);
    json_int_t n = 0, running = 0;
    for (const struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        n += i->state_code != INSTANCE_TERMINATED;
        running += instance_is_running(i);
    }
    char now[40];
    clock_format_ms(clock_now_ms(&cloud->clock), now);
    json_object_set_new(call->out, "Lab", json_string(cloud_lab_name(cloud)));
    json_object_set_new(call->out, "Live", json_boolean(cloud_is_live(cloud)));
    json_object_set_new(call->out, "Time", json_string(now));
    json_object_set_new(call->out, "Vpcs", json_integer((json_int_t)store_count(store, &vpc_kind)));
    json_object_set_new(call->out, "Instances", json_integer(n));
    json_object_set_new(call->out, "Running", json_integer(running));
    cloud_add_failures(cloud, call->out);
    return true;
}

static void
status_text(const json_t *out, struct buf *text)
{
    long long vpcs = json_int(out, "Vpcs", 0), n = json_int(out, "Instances", 0);
    buf_printf(text, "lab `%s` is %s: %lld VPC%s, %lld instance%s, %lld running; %s\n", json_str(out, "Lab"),
               json_flag(out, "Live", false) ? "live" : "not live", vpcs, plural(vpcs), n, plural(n),
               (long long)json_int(out, "Running", 0), json_str(out, "Time"));
    failures_text(out, text);
}

static const struct op_param fail_params[] = {
    { "Type", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "what fails", NULL, "az nat instance vif", NULL },
    { "Name", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "the zone, NAT gateway, instance or virtual interface", NULL,
      NULL, "failing" },
    { 0 },
};
static const struct op_param restore_params[] = {
    { "Type", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "what is put in order", NULL, "az nat instance vif all", NULL },
    { "Name", OP_STRING, OP_OPTIONAL | OP_POSITIONAL, "the zone, NAT gateway, instance or virtual interface", NULL,
      NULL, "failing" },
    { 0 },
};
static const struct op_param none[] = { { 0 } };

const struct op ops_failure[] = {
    { .name = "fail",
      .mode = OP_WRITE,
      .run = fail_run,
      .text = failures_text,
      .params = fail_params,
      .group = "lab",
      .help = "Let an Availability Zone, a NAT gateway, an instance or a virtual interface of Direct Connect fail, in "
              "the model "
              "and in the live lab.",
      .examples = "fail az us-east-1a   every interface in that zone is dead\n"
                  "fail nat nat-gw\n"
                  "fail vif dxvif-0a1b     that line to the customer carries nothing\n"
                  "fail instance web    its programs go on, its network does not\n" },
    { .name = "restore",
      .mode = OP_WRITE,
      .run = restore_run,
      .text = failures_text,
      .params = restore_params,
      .group = "lab",
      .help = "Put in order what failed.",
      .examples = "restore az us-east-1a\nrestore all\n" },
    { .name = "failures",
      .mode = OP_READ,
      .run = failures_run,
      .text = failures_text,
      .params = none,
      .group = "lab",
      .help = "List what has failed in this lab." },
    { .name = "status",
      .mode = OP_READ,
      .run = status_run,
      .text = status_text,
      .params = none,
      .group = "lab",
      .help = "Show whether the lab is live, what is in it and what has failed." },
    { 0 },
};
