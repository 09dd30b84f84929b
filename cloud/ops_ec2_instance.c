/* cloud/ops_ec2_instance.c - instances: start, stop, reboot, terminate, attributes, status.  run-instances is in
 * ops_ec2_run.c. */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2_eni.h"
#include "netsim/model/instance.h"

/* ---- changing state
 * -------------------------------------------------------------------------------------------------- */

static json_t *
state_json(int code)
{
    return json_pack("{s:i, s:s}", "Code", code, "Name", instance_state_name(code));
}

typedef bool state_change(struct network *net, struct instance *instance, struct err *err);

/* All named instances, each once and in the order named; AWS refuses the whole request when one is wrong.  'passing' is
 * the state AWS answers with while the change goes on. */
static bool
change_states(struct op_call *call, state_change *change, int passing, const char *member, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "InstanceIds");
    json_t *list = json_array();
    struct map seen = { 0 };
    size_t n = json_array_size(ids);
    bool ok =
        n > 0 || err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `InstanceIds`");
    for (size_t i = 0; i < n && ok; i++) {
        ok = network_require(ec2_net(call), &instance_kind, json_string_value(json_array_get(ids, i)), err) != NULL;
    }
    for (size_t i = 0; i < n && ok; i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct instance *instance = store_get(network_store(ec2_net(call)), &instance_kind, id);
        if (map_get(&seen, id)) {
            continue;
        }
        map_put(&seen, id, instance);
        int before = instance->state_code & 255;
        ok = change(ec2_net(call), instance, err);
        int after = instance->state_code & 255;
        if (ok && member) {
            json_t *item = json_pack("{s:s}", "InstanceId", id);
            json_object_set_new(item, "CurrentState", state_json(after == before ? after : passing));
            json_object_set_new(item, "PreviousState", state_json(before));
            json_array_append_new(list, item);
        }
    }
    map_done(&seen);
    if (ok && member) {
        json_object_set(call->out, member, list);
    }
    json_decref(list);
    return ok;
}

static bool
start_instances(struct op_call *call, struct err *err)
{
    return change_states(call, instance_start, INSTANCE_PENDING, "StartingInstances", err);
}

static bool
stop_instances(struct op_call *call, struct err *err)
{
    if (arg_flag(call->in, "Hibernate", false)) {
        return err_set(err, ERR_INPUT, "UnsupportedHibernationConfiguration",
                       "the instances are not enabled for hibernation");
    }
    /* Force and SkipOsShutdown are about an operating system that takes its time; here every stop is immediate. */
    return change_states(call, instance_stop, INSTANCE_STOPPING, "StoppingInstances", err);
}

static bool
terminate_instances(struct op_call *call, struct err *err)
{
    return change_states(call, instance_terminate, INSTANCE_SHUTTING_DOWN, "TerminatingInstances", err);
}

static bool
reboot(struct network *net, struct instance *instance, struct err *err)
{
    (void)net;
    return instance_is_running(instance) ||
           err_set(err, ERR_INPUT, "IncorrectState", "the instance `%s` is %s and cannot be rebooted", instance->obj.id,
                   instance->state_name);
}

static bool
reboot_instances(struct op_call *call, struct err *err)
{
    return change_states(call, reboot, INSTANCE_RUNNING, NULL, err); /* addresses stay as they are */
}

/* ---- attributes
 * --------------------------------------------------------------------------------------------------------- */

static struct instance *
require_instance(const struct op_call *call, struct err *err)
{
    return ec2_require(call, &instance_kind, "InstanceId", err);
}

/* What belongs to the interface can be said of an instance that has one. */
static struct eni *
only_interface(const struct op_call *call, const struct instance *instance, struct err *err)
{
    struct eni *const *enis;
    size_t n = instance_enis(ec2_net(call), instance, &enis);
    if (n == 1) {
        return enis[0];
    }
    err_set(err, ERR_INPUT, "InvalidInstanceID",
            n ? "there are multiple interfaces attached to instance `%s`" : "the instance `%s` has no interface",
            instance->obj.id);
    err_hint(err, "use modify-network-interface-attribute");
    return NULL;
}

static bool
stopped(const struct instance *instance, const char *attribute, struct err *err)
{
    if (instance->state_code == INSTANCE_STOPPED) {
        return true;
    }
    err_set(err, ERR_INPUT, "IncorrectInstanceState",
            "the instance `%s` is not in the 'stopped' state, which changing its %s needs", instance->obj.id,
            attribute);
    return err_hint(err, "stop it first");
}

static bool
modify_source_dest_check(struct op_call *call, struct instance *instance, const json_t *value, struct err *err)
{
    struct eni *eni = only_interface(call, instance, err);
    if (eni) {
        eni->source_dest_check = json_is_true(value);
    }
    return eni != NULL;
}

static bool
modify_groups(struct op_call *call, struct instance *instance, const json_t *value, struct err *err)
{
    struct eni *eni = only_interface(call, instance, err);
    size_t n = json_array_size(value);
    const char **groups = xcalloc(n, sizeof *groups);
    for (size_t i = 0; i < n; i++) {
        groups[i] = json_string_value(json_array_get(value, i));
    }
    bool ok = eni && eni_set_groups(ec2_net(call), eni, groups, n, err);
    free(groups);
    return ok;
}

static bool
modify_type(struct op_call *call, struct instance *instance, const json_t *value, struct err *err)
{
    const char *type = json_string_value(value);
    (void)call;
    if (!stopped(instance, "type", err) || !instance_type_check(type ? type : "", err)) {
        return false;
    }
    free(instance->type);
    instance->type = xstrdup(type);
    return true;
}

static bool
modify_user_data(struct op_call *call, struct instance *instance, const json_t *value, struct err *err)
{
    const char *text = json_string_value(value);
    (void)call;
    if (!stopped(instance, "user data", err)) {
        return false;
    }
    free(instance->user_data);
    instance->user_data = text && text[0] ? xstrdup(text) : NULL;
    return true;
}

static bool
modify_termination(struct op_call *call, struct instance *instance, const json_t *value, struct err *err)
{
    (void)call;
    (void)err;
    instance->disable_api_termination = json_is_true(value);
    return true;
}

/* The attributes the lab models: as the request names them, as --attribute names them, and how each is read and
 * changed. */
static const struct attribute {
    const char *member, *attribute;
    bool is_flag;
    bool (*modify)(struct op_call *call, struct instance *instance, const json_t *value, struct err *err);
} attributes[] = {
    { "SourceDestCheck", "sourceDestCheck", true, modify_source_dest_check },
    { "Groups", "groupSet", false, modify_groups },
    { "InstanceType", "instanceType", false, modify_type },
    { "UserData", "userData", false, modify_user_data },
    { "DisableApiTermination", "disableApiTermination", true, modify_termination },
};

static const struct attribute *
attribute_by_name(const char *name, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        if (strcmp(attributes[i].attribute, name) == 0) {
            return &attributes[i];
        }
    }
    err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model the instance attribute `%s`", name);
    err_hint(err, "it models sourceDestCheck, groupSet, instanceType, userData and disableApiTermination");
    return NULL;
}

/* --attribute NAME --value TEXT, the older way to say the same. */
static bool
modify_by_name(struct op_call *call, struct instance *instance, const char *name, struct err *err)
{
    const struct attribute *row = attribute_by_name(name, err);
    const char *text = arg_str(call->in, "Value");
    if (!row) {
        return false;
    }
    if (!text || strcmp(row->attribute, "groupSet") == 0) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `%s`",
                text ? "Groups" : "Value");
        return false;
    }
    if (row->is_flag && strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%s`) for %s is not true or false", text, name);
    }
    json_t *value = row->is_flag ? json_boolean(strcmp(text, "true") == 0) : json_string(text);
    bool ok = row->modify(call, instance, value, err);
    json_decref(value);
    return ok;
}

/* Which name the instance shows, and which of its names are answered with an address. */
static bool
modify_private_dns_name_options(struct op_call *call, struct err *err)
{
    struct instance *instance = require_instance(call, err);
    const char *type = arg_str(call->in, "PrivateDnsHostnameType");
    if (!instance) {
        return false;
    }
    if (type && instance->state_code != INSTANCE_STOPPED) {
        err_set(err, ERR_INPUT, "IncorrectInstanceState", "the host name of `%s` changes only while it is stopped",
                instance->obj.id);
        return err_hint(err, "ec2 stop-instances --instance-ids %s", instance->obj.id);
    }
    if (type) {
        free(instance->hostname_type);
        instance->hostname_type = xstrdup(type);
    }
    instance->dns_a_record = arg_flag(call->in, "EnableResourceNameDnsARecord", instance->dns_a_record);
    instance->dns_aaaa_record = arg_flag(call->in, "EnableResourceNameDnsAAAARecord", instance->dns_aaaa_record);
    store_touch(network_store(ec2_net(call)));
    json_object_set_new(call->out, "Return", json_true());
    return true;
}

static bool
modify_instance_attribute(struct op_call *call, struct err *err)
{
    struct instance *instance = require_instance(call, err);
    const struct attribute *found = NULL;
    if (!instance) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        if (!json_object_get(call->in, attributes[i].member)) {
            continue;
        }
        if (found || arg_str(call->in, "Attribute")) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "fields for multiple attribute types specified: %s, %s",
                    found ? found->attribute : arg_str(call->in, "Attribute"), attributes[i].attribute);
            return err_hint(err, "modify one attribute at a time");
        }
        found = &attributes[i];
    }
    if (!found || found->modify != modify_groups) { /* which notes by itself what it changes (netsim/model/changes.h) */
        store_touch(network_store(ec2_net(call)));
    }
    if (!found && arg_str(call->in, "Attribute")) {
        return modify_by_name(call, instance, arg_str(call->in, "Attribute"), err);
    }
    if (!found) {
        return err_set(err, ERR_INPUT, "MissingParameter", "no attributes specified");
    }
    const json_t *value = json_object_get(call->in, found->member);
    return found->modify(call, instance, json_is_object(value) ? json_object_get(value, "Value") : value, err);
}

static bool
describe_instance_attribute(struct op_call *call, struct err *err)
{
    const struct instance *instance = require_instance(call, err);
    const struct attribute *row = instance ? attribute_by_name(arg_str(call->in, "Attribute"), err) : NULL;
    if (!row) {
        return false;
    }
    json_t *described = object_describe(network_store(ec2_net(call)), instance), *value = NULL;
    if (row->modify == modify_groups) {
        value = json_incref(json_object_get(described, "SecurityGroups"));
    } else if (row->modify == modify_user_data) {
        value = instance->user_data ? json_pack("{s:s}", "Value", instance->user_data) : json_object();
    } else if (row->modify == modify_termination) {
        value = json_pack("{s:b}", "Value", instance->disable_api_termination);
    } else if (json_object_get(described, row->member)) {
        value = json_pack("{s:O}", "Value", json_object_get(described, row->member));
    }
    json_object_set_new(call->out, "InstanceId", json_string(instance->obj.id));
    if (value) {
        json_object_set_new(call->out, row->member, value);
    }
    json_decref(described);
    return true;
}

/* ---- describe-instance-status
 * ----------------------------------------------------------------------------------------------- */

static const struct filter_row status_filters[] = {
    { "availability-zone", "AvailabilityZone" },
    { "instance-state-code", "InstanceState.Code" },
    { "instance-state-name", "InstanceState.Name" },
    { "instance-status.reachability", "InstanceStatus.Details.Status" },
    { "instance-status.status", "InstanceStatus.Status" },
    { "system-status.reachability", "SystemStatus.Details.Status" },
    { "system-status.status", "SystemStatus.Status" },
    { NULL, NULL },
};
static const struct kind status_view = { .name = "instance status",
                                         .list = "InstanceStatuses",
                                         .filters = status_filters };

/* A running instance of the lab is well; of others AWS says that the question does not apply. */
static json_t *
status_json(const struct instance *instance)
{
    json_t *out = json_object();
    static const char *const members[] = { "InstanceStatus", "SystemStatus" };
    json_object_set_new(out, "AvailabilityZone", json_string(instance->zone ? instance->zone : ""));
    json_object_set_new(out, "InstanceId", json_string(instance->obj.id));
    json_object_set_new(out, "InstanceState", state_json(instance->state_code));
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        json_t *status = instance_is_running(instance) ? json_pack("{s:[{s:s, s:s}], s:s}", "Details", "Name",
                                                                   "reachability", "Status", "passed", "Status", "ok")
                                                       : json_pack("{s:s}", "Status", "not-applicable");
        json_object_set_new(out, members[i], status);
    }
    return out;
}

static bool
named(const json_t *ids, const char *id)
{
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (strcmp(json_string_value(json_array_get(ids, i)), id) == 0) {
            return true;
        }
    }
    return json_array_size(ids) == 0;
}

static bool
describe_instance_status(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters"), *ids = json_object_get(call->in, "InstanceIds");
    const struct store *store = network_store(ec2_net(call));
    bool all = arg_flag(call->in, "IncludeAllInstances", false);
    if (!filters_check(&status_view, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    for (size_t i = 0; i < json_array_size(ids); i++) {
        if (!network_require(ec2_net(call), &instance_kind, json_string_value(json_array_get(ids, i)), err)) {
            return false;
        }
    }
    json_t *list = json_array();
    for (const struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        if ((!all && !instance_is_running(i)) || strcmp(i->obj.region, call->cloud->region) != 0 ||
            !named(ids, i->obj.id) || !ec2_shows(call, &i->obj)) {
            continue;
        }
        json_t *status = status_json(i);
        if (filters_match(&status_view, filters, status)) {
            json_array_append(list, status);
        }
        json_decref(status);
    }
    return ec2_answer_page(call, "InstanceStatuses", list, "InstanceId", err);
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
#define INSTANCE "instance/${InstanceId}"
const struct op ops_ec2_instance[] = {
    ROW("RunInstances", OP_WRITE, ec2_run_instances, "instance/* volume/* subnet/${SubnetId}",
        "Run instances in a subnet; without one, in the default VPC."),
    ROW("StartInstances", OP_WRITE, start_instances, "instance/${InstanceIds}",
        "Start stopped instances; an auto-assigned public address is a new one."),
    ROW("StopInstances", OP_WRITE, stop_instances, "instance/${InstanceIds}",
        "Stop instances; private addresses and Elastic IPs stay."),
    ROW("RebootInstances", OP_WRITE, reboot_instances, "instance/${InstanceIds}",
        "Reboot instances; every address stays."),
    ROW("TerminateInstances", OP_WRITE, terminate_instances, "instance/${InstanceIds}",
        "End instances for good, with the interfaces made for them."),
    ROW("ModifyInstanceAttribute", OP_WRITE, modify_instance_attribute, INSTANCE,
        "Change an instance's groups, source/destination check, type or user data."),
    ROW("ModifyPrivateDnsNameOptions", OP_WRITE, modify_private_dns_name_options, INSTANCE,
        "Choose an instance's private name: by its address or its id, and what is answered."),
    ROW("DescribeInstanceAttribute", OP_READ, describe_instance_attribute, INSTANCE,
        "Show one attribute of an instance."),
    ROW("DescribeInstanceStatus", OP_READ, describe_instance_status, NULL,
        "Show whether instances are running and well."),
    { 0 },
};
