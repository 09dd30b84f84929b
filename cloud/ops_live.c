/* cloud/ops_live.c - verbs of the live lab: up, down, exec, shell, ping, doctor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/live_link.h"
#include "cloud/live_remarks.h"
#include "cloud/live_names.h"
#include "cloud/state.h"
#include "netsim/live/doctor.h"
#include "netsim/live/keeper.h"
#include "netsim/model/certificate.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/private_service.h"

static double
now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- up, down -----------------------------------------------------------------------------------------------------
 */
static size_t
count_running(const struct network *net)
{
    size_t n = 0;
    for (const struct instance *i = store_first(network_store(net), &instance_kind); i;
         i = store_next(network_store(net), i)) {
        n += instance_is_running(i);
    }
    return n;
}

static size_t
count_nats(const struct network *net)
{
    size_t n = 0;
    for (const struct nat_gateway *g = store_first(network_store(net), &nat_gateway_kind); g;
         g = store_next(network_store(net), g)) {
        n += g->state && strcmp(g->state, "available") == 0;
    }
    return n;
}

/* What the model has and the kernel gets nothing of. */
static json_t *
not_built(const struct network *net)
{
    const struct store *store = network_store(net);
    json_t *list = json_array();
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        if (endpoint_is_gateway_lb(e) && !network_private_service(net, e->service_name)) { /* another account's */
            json_array_append_new(list, json_pack("{s:s, s:s}", "What",
                                                  "endpoint of a gateway load balancer that is not in the lab", "Id",
                                                  e->obj.id));
        }
    }
    return list;
}

static bool
up_run(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    if (cloud_is_live(cloud)) {
        err_set(err, ERR_INPUT, "IncorrectState", "lab `%s` is live already", cloud_lab_name(cloud));
        return err_hint(err, "`vpclab down` ends it; changes reach it as they are made");
    }
    double begin = now_ms();
    cloud->exact = arg_flag(call->in, "Exact", false);
    if ((cloud->dir && !lab_dir_lock(cloud->dir, err)) || !live_link_up(cloud, call->progress, err)) {
        return false;
    }
    const struct store *store = network_store(cloud->net);
    json_t *out = call->out;
    json_object_set_new(out, "Lab", json_string(cloud_lab_name(cloud)));
    json_object_set_new(out, "Vpcs", json_integer((json_int_t)store_count(store, &vpc_kind)));
    json_object_set_new(out, "Subnets", json_integer((json_int_t)store_count(store, &subnet_kind)));
    json_object_set_new(out, "Instances", json_integer((json_int_t)count_running(cloud->net)));
    json_object_set_new(out, "NatGateways", json_integer((json_int_t)count_nats(cloud->net)));
    json_object_set_new(out, "NotBuilt", not_built(cloud->net));
    json_object_set_new(out, "NotCarried", live_remarks(cloud->net));
    json_object_set_new(out, "Milliseconds", json_real((double)(long)((now_ms() - begin) * 10) / 10));
    return true;
}

static void
print_count(struct buf *text, const json_t *out, const char *member, const char *one, const char *many,
            const char *before)
{
    long long n = json_int(out, member, 0);
    buf_printf(text, "%s%lld %s", before, n, n == 1 ? one : many);
}

static void
up_text(const json_t *out, struct buf *text)
{
    buf_printf(text, "lab `%s` is live: ", json_str(out, "Lab"));
    print_count(text, out, "Vpcs", "VPC", "VPCs", "");
    print_count(text, out, "Subnets", "subnet", "subnets", ", ");
    print_count(text, out, "Instances", "instance", "instances", ", ");
    print_count(text, out, "NatGateways", "NAT gateway", "NAT gateways", ", ");
    buf_printf(text, " in %.0f ms\n", json_real_value(json_object_get(out, "Milliseconds")));
    const json_t *item;
    size_t i;
    json_array_foreach(json_object_get(out, "NotCarried"), i, item)
    {
        buf_printf(text, "not carried: %s: %s\n", json_str(item, "Id"), json_str(item, "What"));
    }
    json_array_foreach(json_object_get(out, "NotBuilt"), i, item)
    {
        buf_printf(text, "not built: %s %s; what is sent to it is lost\n", json_str(item, "What"),
                   json_str(item, "Id"));
    }
}

static bool
down_run(struct op_call *call, struct err *err)
{
    double begin = now_ms();
    if (!live_link_down(call->cloud, err)) {
        return false;
    }
    json_object_set_new(call->out, "Lab", json_string(cloud_lab_name(call->cloud)));
    json_object_set_new(call->out, "Milliseconds", json_real((double)(long)((now_ms() - begin) * 10) / 10));
    return true;
}

static void
down_text(const json_t *out, struct buf *text)
{
    buf_printf(text, "lab `%s` is down, nothing is left, in %.0f ms\n", json_str(out, "Lab"),
               json_real_value(json_object_get(out, "Milliseconds")));
}

/* ---- exec, shell --------------------------------------------------------------------------------------------------
 */
/* A TAP host has no programs. */
static bool
can_run(const struct cloud *cloud, const struct live_node *node, struct err *err)
{
    const struct instance *instance = store_get(network_store(cloud->net), &instance_kind, node->id);
    if (!instance || !instance_is_tap(cloud->net, instance)) {
        return true;
    }
    err_set(err, ERR_INPUT, "IncorrectState", "`%s` is a TAP host: no program runs in it", node->name);
    return err_hint(err, "ec2 create-tags --resources %s --tags Key=%s,Value=namespace   gives it a namespace",
                    node->id, INSTANCE_HOST_TAG);
}

static bool
run_in_node(struct op_call *call, const char *node, char *const *argv, bool detach, struct err *err)
{
    struct live_node where;
    int fds[KEEPER_NAMESPACES];
    if (!live_link_require(call->cloud, err) || !live_node_find(call->cloud, node, &where, err) ||
        !can_run(call->cloud, &where, err) || !live_link_enter(call->cloud, where.id, fds, err)) {
        return false;
    }
    struct buf hosts = { 0 }, resolv = { 0 };
    live_hosts_text(call->cloud, &where, &hosts);
    live_resolv_text(call->cloud, &where, &resolv);
    const struct authority *authority = network_authority(call->cloud->net);
    const struct keeper_exec_options options = { .name = where.name,
                                                 .hostname = where.hostname,
                                                 .hosts = buf_str(&hosts),
                                                 .resolv = buf_str(&resolv),
                                                 .authority = authority ? authority->pem : NULL,
                                                 .lab = call->cloud->dir->path,
                                                 .detach = detach };
    int status = keeper_exec(fds, argv, &options, err);
    for (int i = 0; i < KEEPER_NAMESPACES; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
    buf_done(&hosts);
    buf_done(&resolv);
    json_object_set_new(call->out, "Node", json_string(where.id));
    json_object_set_new(call->out, "ExitStatus", json_integer(status));
    call->status = status;
    return status >= 0 && (!err || err->kind == ERR_NONE);
}

static bool
exec_run(struct op_call *call, struct err *err)
{
    const json_t *words = json_object_get(call->in, "Command");
    size_t n = json_array_size(words);
    char **argv = xcalloc(n + 1, sizeof *argv);
    for (size_t i = 0; i < n; i++) {
        argv[i] = xstrdup(json_string_value(json_array_get(words, i)));
    }
    bool ok = n ? run_in_node(call, arg_str(call->in, "Node"), argv, arg_flag(call->in, "Detach", false), err)
                : err_set(err, ERR_USAGE, "", "`exec` needs a command after the node") ||
                      err_hint(err, "exec web -- ip addr; `shell web` opens a shell");
    for (size_t i = 0; i < n; i++) {
        free(argv[i]);
    }
    free(argv);
    return ok;
}

static bool
shell_run_op(struct op_call *call, struct err *err)
{
    const char *shell = getenv("SHELL");
    char *program = xstrdup(shell && access(shell, X_OK) == 0 ? shell : "/bin/sh");
    char *argv[] = { program, NULL };
    char *prompt = xasprintf("%s$ ", arg_str(call->in, "Node"));
    setenv("PS1", prompt, 1);
    bool ok = run_in_node(call, arg_str(call->in, "Node"), argv, false, err);
    free(prompt);
    free(program);
    return ok;
}

/* What a program prints it prints itself. */
static void
silent_text(const json_t *out, struct buf *text)
{
    (void)out;
    (void)text;
}

/* ---- ping ---------------------------------------------------------------------------------------------------------
 */
static bool
ping_run(struct op_call *call, struct err *err)
{
    struct live_node from, to;
    int count = (int)arg_int(call->in, "Count", 4);
    bool six = arg_flag(call->in, "Ipv6", false);
    if (!live_link_require(call->cloud, err) || !live_node_find(call->cloud, arg_str(call->in, "Source"), &from, err) ||
        !live_destination_find(call->cloud, &from, arg_str(call->in, "Destination"), six ? IP_V6 : IP_V4, &to, err)) {
        return false;
    }
    if (count < 1 || count > 1000) {
        return err_set(err, ERR_USAGE, "", "--count is 1 to 1000, not %d", count);
    }
    struct live_probe probe = { 0 };
    int family = six || to.ip.family == IP_V6 ? IP_V6 : IP_V4;
    snprintf(probe.from, sizeof probe.from, "%s", from.end);
    snprintf(probe.to, sizeof probe.to, "%s", to.end);
    probe.protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
    probe.dst_port = family == IP_V6 ? 128 : 8;
    if (!live_node_address(call->cloud, &from, &to, family, &probe.dst, err)) {
        return false;
    }
    json_t *replies = json_array();
    json_object_set_new(call->out, "Replies", replies);
    size_t n_replied = 0;
    for (int i = 0; i < count; i++) {
        struct live_probe p = probe;
        if (!live_link_probe(call->cloud, &p, 1, 1000, err)) {
            return false;
        }
        n_replied += p.replied;
        json_array_append_new(replies, json_pack("{s:i, s:b, s:b, s:f}", "Sequence", i + 1, "Arrived", p.arrived,
                                                 "Replied", p.replied, "Milliseconds", (double)p.rtt_us / 1000));
    }
    json_object_set_new(call->out, "Source", json_string(from.name));
    json_object_set_new(call->out, "Destination", json_string(to.name));
    json_object_set_new(call->out, "Address", json_string(ip_str(&probe.dst)));
    json_object_set_new(call->out, "Sent", json_integer(count));
    json_object_set_new(call->out, "Received", json_integer((json_int_t)n_replied));
    call->no = n_replied == 0;
    return true;
}

static void
ping_text(const json_t *out, struct buf *text)
{
    const json_t *replies = json_object_get(out, "Replies"), *reply;
    size_t i;
    buf_printf(text, "%s -> %s (%s)\n", json_str(out, "Source"), json_str(out, "Destination"),
               json_str(out, "Address"));
    json_array_foreach(replies, i, reply)
    {
        if (json_flag(reply, "Replied", false)) {
            buf_printf(text, "reply %lld  %.3f ms\n", json_int(reply, "Sequence", 0),
                       json_real_value(json_object_get(reply, "Milliseconds")));
        } else {
            buf_printf(text, "no reply %lld  (the request %s)\n", json_int(reply, "Sequence", 0),
                       json_flag(reply, "Arrived", false) ? "arrived, the answer was lost" : "did not arrive");
        }
    }
    buf_printf(text, "%lld sent, %lld received\n", json_int(out, "Sent", 0), json_int(out, "Received", 0));
}

/* ---- doctor -------------------------------------------------------------------------------------------------------
 */
static bool
doctor_op(struct op_call *call, struct err *err)
{
    (void)err;
    struct doctor_finding findings[DOCTOR_FINDINGS_MAX];
    size_t n = doctor_run(findings);
    bool able = n > 0;
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct doctor_finding *f = &findings[i];
        able = able && (f->ok || !f->required);
        json_array_append_new(list, json_pack("{s:s, s:b, s:b, s:b, s:s, s:s, s:s}", "Feature", f->name, "Works", f->ok,
                                              "Tried", !f->untried, "Required", f->required, "Purpose", f->purpose,
                                              "Detail", f->detail, "Remedy", f->remedy));
    }
    json_object_set_new(call->out, "Findings", list);
    json_object_set_new(call->out, "LiveLabs", json_boolean(able));
    call->no = !able;
    return true;
}

static void
doctor_text(const json_t *out, struct buf *text)
{
    size_t i;
    const json_t *f;
    json_array_foreach(json_object_get(out, "Findings"), i, f)
    {
        bool ok = json_flag(f, "Works", false);
        bool tried = json_flag(f, "Tried", true);
        buf_printf(text, "%-4s %-13s %s",
                   ok                                ? "ok"
                   : !tried                          ? "?"
                   : json_flag(f, "Required", false) ? "NO"
                                                     : "-",
                   json_str(f, "Feature"), json_str(f, "Purpose"));
        buf_printf(text, "%s%s\n", ok ? ": " : tried ? ": missing, " : ": not tried, ", json_str(f, "Detail"));
        if (*json_str(f, "Remedy")) {
            buf_printf(text, "     %-13s %s\n", "", json_str(f, "Remedy"));
        }
    }
    buf_str_add(text, json_flag(out, "LiveLabs", false) ? "this machine can run live labs\n"
                                                        : "this machine cannot run live labs\n");
}

/* ---- the rows -----------------------------------------------------------------------------------------------------
 */
#define NODE_HELP "instance, NAT gateway, `internet`, `scanner`, `onprem`, or a VPC or gateway (its router)"
static const struct op_param exec_params[] = {
    { "Node", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, NODE_HELP, NULL, NULL },
    { "Command", OP_REST, OP_REQUIRED | OP_POSITIONAL, "program and its arguments", NULL, NULL },
    { "Detach", OP_BOOL, OP_OPTIONAL, "let it run in the background until the lab goes down", NULL, NULL },
    { 0 },
};
static const struct op_param shell_params[] = {
    { "Node", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, NODE_HELP, NULL, NULL },
    { 0 },
};
static const struct op_param ping_params[] = {
    { "Source", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL, "instance, interface, `onprem` or `internet` that pings",
      NULL, NULL },
    { "Destination", OP_ENDPOINT, OP_REQUIRED | OP_POSITIONAL,
      "instance, interface, balancer, `onprem`, `internet`, address or domain name", NULL, NULL },
    { "Count", OP_INT, OP_OPTIONAL, "how many (4)", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "by IPv6", NULL, NULL },
    { 0 },
};
static const struct op_param no_params[] = { { 0 } };
static const struct op_param up_params[] = {
    { "Exact", OP_BOOL, OP_OPTIONAL, "every packet by itself, so that flow logs count as AWS does; slower", NULL,
      NULL },
    { 0 },
};

const struct op ops_live[] = {
    { .name = "up",
      .mode = OP_LOCAL,
      .run = up_run,
      .text = up_text,
      .params = up_params,
      .group = "lab",
      .help = "Build the lab in the kernel: a namespace for each instance, routers, rules.",
      .examples = "up      then `exec`, `ping`, `verify`; changes reach the kernel at once\n" },
    { .name = "down",
      .mode = OP_LOCAL,
      .run = down_run,
      .text = down_text,
      .params = no_params,
      .group = "lab",
      .help = "Take the lab out of the kernel; the model stays.",
      .examples = "down    every program in the lab ends\n" },
    { .name = "exec",
      .mode = OP_LOCAL,
      .run = exec_run,
      .text = silent_text,
      .params = exec_params,
      .group = "lab",
      .help = "Run a program in an instance of the live lab.",
      .examples = "exec web -- ip addr\n"
                  "exec --detach db -- python3 -m http.server 8080\n"
                  "exec web -- curl http://db:8080/\n"
                  "exec web -- dig web.example\n"
                  "exec scanner -- nc -z 203.0.113.10 22\n" },
    { .name = "shell",
      .mode = OP_LOCAL,
      .run = shell_run_op,
      .text = silent_text,
      .params = shell_params,
      .group = "lab",
      .help = "Open a shell in an instance of the live lab.",
      .examples = "shell web\n" },
    { .name = "ping",
      .mode = OP_LOCAL,
      .run = ping_run,
      .text = ping_text,
      .params = ping_params,
      .group = "ask",
      .help = "Send real ICMP echo requests through the live lab.",
      .examples = "ping web db\nping web 8.8.8.8 --count 1\nping internet web\n" },
    { .name = "doctor",
      .mode = OP_LOCAL,
      .no_lab = true,
      .run = doctor_op,
      .text = doctor_text,
      .params = no_params,
      .group = "lab",
      .help = "Try what live labs need of this machine and say how to mend what is missing." },
    { 0 },
};
