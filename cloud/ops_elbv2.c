/* cloud/ops_elbv2.c - application and network load balancers: balancers, target groups, listeners, rules.
 *
 * AWS names these by ARN; here the part after "loadbalancer/" or "targetgroup/", and a balancer's or group's own name,
 * are understood as well. Source:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"
#include "netsim/model/load_balancer.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

static struct load_balancer *
find_balancer(const struct op_call *call, const char *text, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    struct load_balancer *lb = network_load_balancer(ec2_net(call), text ? text : "");
    for (struct load_balancer *l = lb ? NULL : store_first(store, &load_balancer_kind); l && !lb;
         l = store_next(store, l)) {
        lb =
            text && l->name && strcmp(l->name, text) == 0 && strcmp(l->obj.region, call->cloud->region) == 0 ? l : NULL;
    }
    if (!lb) {
        err_set(err, ERR_INPUT, "LoadBalancerNotFound", "the load balancer `%s` does not exist", text ? text : "");
    }
    return lb;
}

static struct target_group *
find_group(const struct op_call *call, const char *text, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    struct target_group *group = network_target_group(ec2_net(call), text ? text : "");
    for (struct target_group *g = group ? NULL : store_first(store, &target_group_kind); g && !group;
         g = store_next(store, g)) {
        group =
            text && g->name && strcmp(g->name, text) == 0 && strcmp(g->obj.region, call->cloud->region) == 0 ? g : NULL;
    }
    if (!group) {
        err_set(err, ERR_INPUT, "TargetGroupNotFound", "the target group `%s` does not exist", text ? text : "");
    }
    return group;
}

static struct load_balancer *
require_balancer(const struct op_call *call, struct err *err)
{
    return find_balancer(call, arg_str(call->in, "LoadBalancerArn"), err);
}

static struct lb_listener *
require_listener(const struct op_call *call, struct load_balancer **lb, struct err *err)
{
    const char *arn = arg_str(call->in, "ListenerArn");
    struct lb_listener *listener = network_listener(ec2_net(call), arn, lb);
    if (!listener) {
        err_set(err, ERR_INPUT, "ListenerNotFound", "the listener `%s` does not exist", arn ? arn : "");
    }
    return listener;
}

/* Pages by number, as Marker does. */
static bool
answer_page(struct op_call *call, const char *member, json_t *list, struct err *err)
{
    const char *marker = arg_str(call->in, "Marker");
    size_t n = json_array_size(list), start = marker && marker[0] ? strtoul(marker, NULL, 10) : 0;
    size_t size = (size_t)arg_int(call->in, "PageSize", (long long)n + 1);
    if (start > n || (marker && strspn(marker, "0123456789") != strlen(marker))) {
        json_decref(list);
        return err_set(err, ERR_INPUT, "ValidationError", "`%.60s` is no `NextMarker` of this list", marker);
    }
    json_t *page = json_array();
    for (size_t i = start; i < n && i - start < size; i++) {
        json_array_append(page, json_array_get(list, i));
    }
    if (start + json_array_size(page) < n) {
        json_object_set_new(call->out, "NextMarker", json_sprintf("%zu", start + json_array_size(page)));
    }
    json_decref(list);
    json_object_set_new(call->out, member, page);
    return true;
}

static void
answer_one(struct op_call *call, const char *member, json_t *one)
{
    json_t *list = json_array();
    json_array_append_new(list, one);
    json_object_set_new(call->out, member, list);
}

static json_t *
rows_json(const struct field *fields, const void *object)
{
    json_t *out = json_object();
    fields_print(fields, object, false, out);
    return out;
}

static const char *const *
text_list(const struct op_call *call, const char *name, size_t *n)
{
    const json_t *list = json_object_get(call->in, name);
    *n = json_array_size(list);
    const char **texts = xcalloc(*n + 1, sizeof *texts);
    for (size_t i = 0; i < *n; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}

static void
tag_new(const struct op_call *call, struct object *object)
{
    const json_t *tags = json_object_get(call->in, "Tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        object_set_tag(object, json_str(tag, "Key"), json_str(tag, "Value"));
    }
}

/* ---- balancers --------------------------------------------------------------------------------------------------- */

/* Subnets or SubnetMappings; the array is the caller's. */
static bool
read_subnets(const struct op_call *call, struct lb_subnet **subnets, size_t *n, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "Subnets"), *mappings = json_object_get(call->in, "SubnetMappings");
    *n = json_array_size(ids) + json_array_size(mappings);
    *subnets = NULL;
    if (json_array_size(ids) > 0 && json_array_size(mappings) > 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "`Subnets` and `SubnetMappings` cannot be given together");
    }
    *subnets = xcalloc(*n + 1, sizeof **subnets);
    for (size_t i = 0; i < *n; i++) {
        const json_t *mapping = json_array_get(mappings, i);
        const char *ip = json_str(mapping, "PrivateIPv4Address");
        (*subnets)[i].subnet_id = ids ? json_string_value(json_array_get(ids, i)) : json_str(mapping, "SubnetId");
        (*subnets)[i].allocation_id = json_str(mapping, "AllocationId");
        if (json_object_get(mapping, "IPv6Address") || json_object_get(mapping, "SourceNatIpv6Prefix")) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab models load balancers of IPv4 only");
        }
        if (ip && !ip_parse(ip, &(*subnets)[i].private_ip)) {
            return err_set(err, ERR_INPUT, "ValidationError", "`%s` is no address", ip);
        }
    }
    return true;
}

static bool
create_load_balancer(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "Type"), *scheme = arg_str(call->in, "Scheme"),
               *family = arg_str(call->in, "IpAddressType");
    type = type ? type : "application";
    if (strcmp(type, "gateway") == 0 || (family && strcmp(family, "ipv4") != 0)) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation",
                       "vpclab models application and network load balancers of IPv4, not `%s`",
                       strcmp(type, "gateway") == 0 ? type : family);
    }
    if (!ec2_refuse(call, "CustomerOwnedIpv4Pool EnablePrefixForIpv6SourceNat IpamPools", err)) {
        return false;
    }
    struct lb_subnet *subnets;
    struct lb_spec spec = { .name = arg_str(call->in, "Name"),
                            .type = type,
                            .scheme = scheme ? scheme : "internet-facing" };
    bool ok = read_subnets(call, &subnets, &spec.n_subnets, err);
    spec.subnets = subnets;
    spec.groups = text_list(call, "SecurityGroups", &spec.n_groups);
    struct load_balancer *lb = ok ? load_balancer_create(ec2_net(call), &spec, err) : NULL;
    free(subnets);
    free((void *)spec.groups);
    if (!lb) {
        return false;
    }
    tag_new(call, &lb->obj);
    answer_one(call, "LoadBalancers", object_describe(network_store(ec2_net(call)), lb));
    return true;
}

static bool
has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item && text && strcmp(item, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool
describe_load_balancers(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *arns = json_object_get(call->in, "LoadBalancerArns"), *names = json_object_get(call->in, "Names");
    const json_t *asked = json_array_size(arns) ? arns : names;
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const struct load_balancer *lb = find_balancer(call, json_string_value(json_array_get(asked, i)), err);
        if (!lb) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(store, lb));
    }
    for (const struct load_balancer *lb = json_array_size(asked) ? NULL : store_first(store, &load_balancer_kind); lb;
         lb = store_next(store, lb)) {
        if (strcmp(lb->obj.region, call->cloud->region) == 0) {
            json_array_append_new(list, object_describe(store, lb));
        }
    }
    return answer_page(call, "LoadBalancers", list, err);
}

/* Succeeds for one that is not there, as AWS's does. */
static bool
delete_load_balancer(struct op_call *call, struct err *err)
{
    struct err absent = { 0 };
    struct load_balancer *lb = require_balancer(call, &absent);
    return !lb || load_balancer_delete(ec2_net(call), lb, err);
}

static bool
set_security_groups(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = require_balancer(call, err);
    if (!lb || !ec2_refuse(call, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", err)) {
        return false;
    }
    size_t n;
    const char *const *ids = text_list(call, "SecurityGroups", &n);
    bool ok = load_balancer_set_groups(ec2_net(call), lb, ids, n, err);
    free((void *)ids);
    if (ok) {
        json_object_set(call->out, "SecurityGroupIds", json_object_get(call->in, "SecurityGroups"));
    }
    return ok;
}

static bool
set_subnets(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = require_balancer(call, err);
    struct lb_subnet *subnets;
    size_t n;
    if (!lb || !ec2_refuse(call, "IpAddressType EnablePrefixForIpv6SourceNat", err)) {
        return false;
    }
    bool ok = read_subnets(call, &subnets, &n, err) && load_balancer_set_subnets(ec2_net(call), lb, subnets, n, err);
    free(subnets);
    if (ok) {
        json_t *described = object_describe(network_store(ec2_net(call)), lb);
        json_object_set(call->out, "AvailabilityZones", json_object_get(described, "AvailabilityZones"));
        json_object_set(call->out, "IpAddressType", json_object_get(described, "IpAddressType"));
        json_decref(described);
    }
    return ok;
}

static bool
answer_attributes(struct op_call *call, const struct load_balancer *lb)
{
    json_t *list = json_array();
    for (size_t i = 0; i < lb->attributes.n; i++) {
        json_array_append_new(list, rows_json(lb_attribute_fields, &lb->attributes.items[i]));
    }
    json_object_set_new(call->out, "Attributes", list);
    return true;
}

static bool
describe_attributes(struct op_call *call, struct err *err)
{
    const struct load_balancer *lb = require_balancer(call, err);
    return lb && answer_attributes(call, lb);
}

static bool
modify_attributes(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = require_balancer(call, err);
    const json_t *list = json_object_get(call->in, "Attributes");
    for (size_t i = 0; lb && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!load_balancer_set_attribute(ec2_net(call), lb, json_str(item, "Key"), json_str(item, "Value"), err)) {
            return false;
        }
    }
    return lb && answer_attributes(call, lb);
}

/* ---- target groups ----------------------------------------------------------------------------------------------- */

static bool
create_target_group(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "TargetType");
    if (type && strcmp(type, "instance") != 0 && strcmp(type, "ip") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model targets of type `%s`", type);
    }
    if (!ec2_refuse(call,
                    "ProtocolVersion HealthCheckEnabled HealthCheckIntervalSeconds HealthCheckTimeoutSeconds "
                    "HealthyThresholdCount UnhealthyThresholdCount Matcher IpAddressType TargetControlPort",
                    err)) {
        return false;
    }
    struct target_group_spec spec = { .name = arg_str(call->in, "Name"),
                                      .protocol = arg_str(call->in, "Protocol"),
                                      .vpc_id = arg_str(call->in, "VpcId"),
                                      .target_type = type,
                                      .port = (int)arg_int(call->in, "Port", 0),
                                      .health_protocol = arg_str(call->in, "HealthCheckProtocol"),
                                      .health_port = arg_str(call->in, "HealthCheckPort"),
                                      .health_path = arg_str(call->in, "HealthCheckPath") };
    struct target_group *group = target_group_create(ec2_net(call), &spec, err);
    if (!group) {
        return false;
    }
    tag_new(call, &group->obj);
    answer_one(call, "TargetGroups", object_describe(network_store(ec2_net(call)), group));
    return true;
}

static bool
describe_target_groups(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *arns = json_object_get(call->in, "TargetGroupArns"), *names = json_object_get(call->in, "Names");
    const json_t *asked = json_array_size(arns) ? arns : names;
    const struct load_balancer *lb = arg_str(call->in, "LoadBalancerArn") ? require_balancer(call, err) : NULL;
    if (err->kind) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const struct target_group *group = find_group(call, json_string_value(json_array_get(asked, i)), err);
        if (!group) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(store, group));
    }
    for (const struct target_group *g = json_array_size(asked) ? NULL : store_first(store, &target_group_kind); g;
         g = store_next(store, g)) {
        json_t *described = object_describe(store, g);
        if (strcmp(g->obj.region, call->cloud->region) == 0 &&
            (!lb || has_text(json_object_get(described, "LoadBalancerArns"), lb->arn))) {
            json_array_append(list, described);
        }
        json_decref(described);
    }
    return answer_page(call, "TargetGroups", list, err);
}

static bool
delete_target_group(struct op_call *call, struct err *err)
{
    struct target_group *group = find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    return group && target_group_delete(ec2_net(call), group, err);
}

static bool
change_targets(struct op_call *call, bool add, struct err *err)
{
    struct target_group *group = find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    const json_t *targets = json_object_get(call->in, "Targets");
    bool ok = group != NULL;
    for (size_t i = 0; ok && i < json_array_size(targets); i++) {
        const json_t *target = json_array_get(targets, i);
        char id[ID_SIZE];
        int port = (int)json_int(target, "Port", 0);
        const char *text = json_str(target, "Id");
        bool instance = strcmp(group->target_type ? group->target_type : "", "instance") == 0;
        ok = !instance || cloud_resolve(call->cloud, "instance", text ? text : "", id, err);
        text = instance ? id : text;
        ok = ok &&
             (add ? target_group_register(ec2_net(call), group, text, port, json_str(target, "AvailabilityZone"), err)
                  : target_group_deregister(ec2_net(call), group, text, port, err));
    }
    return ok;
}

static bool
register_targets(struct op_call *call, struct err *err)
{
    return change_targets(call, true, err);
}

static bool
deregister_targets(struct op_call *call, struct err *err)
{
    return change_targets(call, false, err);
}

/* ---- health: can the balancer reach the target? ------------------------------------------------------------------ */

struct health {
    const char *state, *reason, *description;
};

static bool
health_flow(const struct network *net, const struct target_group *group, const struct lb_target *target,
            const struct eni *from, struct flow_spec *flow)
{
    *flow = (struct flow_spec){ .protocol = 6, .src_port = -1, .icmp_type = -1, .icmp_code = -1 };
    flow->from.kind = FLOW_END_ENI;
    snprintf(flow->from.id, sizeof flow->from.id, "%s", from->obj.id);
    bool own = !group->health_port || strcmp(group->health_port, "traffic-port") == 0;
    flow->dst_port = own ? target->port : atoi(group->health_port);
    if (strcmp(group->target_type ? group->target_type : "", "instance") == 0) {
        flow->to.kind = FLOW_END_INSTANCE;
        snprintf(flow->to.id, sizeof flow->to.id, "%s", target->id);
        return store_get(network_store(net), &instance_kind, target->id) != NULL;
    }
    flow->to.kind = FLOW_END_IP;
    return ip_parse(target->id, &flow->to.ip);
}

/* In a live lab as its health checks found it; else from the model alone: a target that a balancer's interface can reach is taken for healthy. */
static struct health
health_of(const struct cloud *cloud, const struct target_group *group, const struct lb_target *target)
{
    const struct network *net = cloud->net;
    const struct instance *instance = store_get(network_store(net), &instance_kind, target->id);
    const struct load_balancer *lb =
        group->balancer_arns.n ? network_load_balancer(net, group->balancer_arns.items[0]) : NULL;
    struct eni *const *enis;
    if (!lb) {
        return (struct health){ "unused", "Target.NotInUse",
                                "Target group is not configured to receive traffic from the load balancer" };
    }
    if (instance && !instance_is_running(instance)) {
        return (struct health){ "unused", "Target.InvalidState", "Target is in the stopped state" };
    }
    const char *live = cloud->live ? live_target_health(cloud->live, group, target) : NULL;
    if (live && strcmp(live, "healthy") == 0) {
        return (struct health){ live, NULL, NULL };
    }
    if (live && strcmp(live, "initial") == 0) {
        return (struct health){ live, "Elb.InitialHealthChecking", "Initial health checks in progress" };
    }
    if (live) {
        return (struct health){ live, "Target.FailedHealthChecks", "Health checks failed" };
    }
    for (size_t n = load_balancer_enis(net, lb, &enis), i = 0; i < n; i++) {
        struct flow_spec flow;
        struct reach_result result = { 0 };
        struct err ignored = { 0 };
        bool reached = health_flow(net, group, target, enis[i], &flow) &&
                       reach(net, &flow, false, &result, NULL, &ignored) && result.path_found;
        reach_result_done(&result);
        if (reached) {
            return (struct health){ "healthy", NULL, NULL };
        }
    }
    return (struct health){ "unhealthy", "Target.Timeout", "Request timed out" };
}

static json_t *
health_json(const struct cloud *cloud, const struct target_group *group, const struct lb_target *target)
{
    struct health health = health_of(cloud, group, target);
    bool own = !group->health_port || strcmp(group->health_port, "traffic-port") == 0;
    json_t *out = json_pack("{s:{s:s, s:i}, s:{s:s}}", "Target", "Id", target->id, "Port", target->port, "TargetHealth",
                            "State", health.state);
    json_object_set_new(out, "HealthCheckPort",
                        own ? json_sprintf("%d", target->port) : json_string(group->health_port));
    if (target->zone) {
        json_object_set_new(json_object_get(out, "Target"), "AvailabilityZone", json_string(target->zone));
    }
    if (health.reason) {
        json_object_set_new(json_object_get(out, "TargetHealth"), "Reason", json_string(health.reason));
        json_object_set_new(json_object_get(out, "TargetHealth"), "Description", json_string(health.description));
    }
    return out;
}

static bool
describe_target_health(struct op_call *call, struct err *err)
{
    const struct target_group *group = find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    const json_t *asked = json_object_get(call->in, "Targets");
    if (!group || !ec2_refuse(call, "Include", err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < group->targets.n; i++) {
        const struct lb_target *target = &group->targets.items[i];
        bool shown = json_array_size(asked) == 0;
        for (size_t k = 0; k < json_array_size(asked) && !shown; k++) {
            const json_t *item = json_array_get(asked, k);
            shown =
                strcmp(json_str(item, "Id"), target->id) == 0 && json_int(item, "Port", target->port) == target->port;
        }
        if (shown) {
            json_array_append_new(list, health_json(call->cloud, group, target));
        }
    }
    json_object_set_new(call->out, "TargetHealthDescriptions", list);
    return true;
}

/* ---- listeners and rules ----------------------------------------------------------------------------------------- */

/* Actions may name a target group as find_group() understands it; what is kept is the ARN. */
static void
spell_groups(const struct op_call *call, json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    void *next;
    json_array_foreach(value, i, member)
    {
        spell_groups(call, member);
    }
    json_object_foreach_safe(value, next, key, member)
    {
        struct err absent = { 0 };
        const struct target_group *group =
            strcmp(key, "TargetGroupArn") == 0 ? find_group(call, json_string_value(member), &absent) : NULL;
        if (group) {
            json_object_set_new(value, key, json_string(group->arn));
        } else {
            spell_groups(call, member);
        }
    }
}

static bool
create_listener(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = require_balancer(call, err);
    if (!lb || !ec2_refuse(call, "MutualAuthentication", err)) {
        return false;
    }
    json_t *json = json_deep_copy(call->in);
    json_object_del(json, "LoadBalancerArn");
    json_object_del(json, "Tags");
    spell_groups(call, json);
    const struct lb_listener *listener = load_balancer_listen(ec2_net(call), lb, json, err);
    json_decref(json);
    if (!listener) {
        return false;
    }
    answer_one(call, "Listeners", rows_json(lb_listener_fields, listener));
    return true;
}

static bool
describe_listeners(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "ListenerArns");
    json_t *list = json_array();
    if (json_array_size(arns) == 0) {
        const struct load_balancer *lb = require_balancer(call, err);
        for (size_t i = 0; lb && i < lb->listeners.n; i++) {
            json_array_append_new(list, rows_json(lb_listener_fields, &lb->listeners.items[i]));
        }
    }
    for (size_t i = 0; i < json_array_size(arns) && !err->kind; i++) {
        struct load_balancer *lb;
        const char *arn = json_string_value(json_array_get(arns, i));
        const struct lb_listener *listener = network_listener(ec2_net(call), arn, &lb);
        if (listener) {
            json_array_append_new(list, rows_json(lb_listener_fields, listener));
        } else {
            err_set(err, ERR_INPUT, "ListenerNotFound", "the listener `%s` does not exist", arn);
        }
    }
    if (err->kind) {
        json_decref(list);
        return false;
    }
    return answer_page(call, "Listeners", list, err);
}

static bool
delete_listener(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    if (listener) {
        listener_delete(ec2_net(call), lb, listener);
    }
    return listener != NULL;
}

static bool
create_rule(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    if (!listener || !ec2_refuse(call, "Transforms", err)) {
        return false;
    }
    json_t *json = json_object();
    json_object_set_new(json, "Priority", json_sprintf("%lld", arg_int(call->in, "Priority", 0)));
    json_object_set_new(json, "Conditions", json_deep_copy(json_object_get(call->in, "Conditions")));
    json_object_set_new(json, "Actions", json_deep_copy(json_object_get(call->in, "Actions")));
    spell_groups(call, json);
    const struct lb_rule *rule = listener_add_rule(ec2_net(call), lb, listener, json, err);
    json_decref(json);
    if (!rule) {
        return false;
    }
    answer_one(call, "Rules", rows_json(lb_rule_fields, rule));
    return true;
}

/* The rules by priority, and last what the listener does by default, which AWS shows as a rule too. */
static void
list_rules(const struct lb_listener *listener, const json_t *arns, json_t *list)
{
    size_t first = json_array_size(list);
    for (size_t i = 0; i < listener->rules.n; i++) {
        const struct lb_rule *rule = &listener->rules.items[i];
        size_t at = json_array_size(list);
        if (arns && !has_text(arns, rule->arn)) {
            continue;
        }
        while (at > first && atoi(json_str(json_array_get(list, at - 1), "Priority")) > atoi(rule->priority)) {
            at--;
        }
        json_array_insert_new(list, at, rows_json(lb_rule_fields, rule));
    }
    const char *tail = strstr(listener->arn, "listener/");
    if (!arns && tail) {
        json_t *shown = rows_json(lb_listener_fields, listener);
        char *arn = xasprintf("%.*slistener-rule/%s/0000000000000000", (int)(tail - listener->arn), listener->arn,
                              tail + strlen("listener/"));
        json_array_append_new(list, json_pack("{s:s, s:s, s:[], s:O, s:b}", "RuleArn", arn, "Priority", "default",
                                              "Conditions", "Actions", json_object_get(shown, "DefaultActions"),
                                              "IsDefault", 1));
        free(arn);
        json_decref(shown);
    }
}

static bool
describe_rules(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "RuleArns");
    const struct store *store = network_store(ec2_net(call));
    json_t *list = json_array();
    if (json_array_size(arns) > 0) {
        for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
            for (size_t i = 0; i < lb->listeners.n; i++) {
                list_rules(&lb->listeners.items[i], arns, list);
            }
        }
        if (json_array_size(list) < json_array_size(arns)) {
            json_decref(list);
            return err_set(err, ERR_INPUT, "RuleNotFound", "one or more rules do not exist");
        }
        return answer_page(call, "Rules", list, err);
    }
    struct load_balancer *lb;
    const struct lb_listener *listener = require_listener(call, &lb, err);
    if (!listener) {
        json_decref(list);
        return false;
    }
    list_rules(listener, NULL, list);
    return answer_page(call, "Rules", list, err);
}

static bool
delete_rule(struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "RuleArn");
    return rule_delete(ec2_net(call), arn) ||
           err_set(err, ERR_INPUT, "RuleNotFound", "the rule `%s` does not exist", arn ? arn : "");
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "elbv2", .name = name_, .mode = mode_, .run = run_, .help = help_                                   \
    }
const struct op ops_elbv2[] = {
    ROW("CreateLoadBalancer", OP_WRITE, create_load_balancer,
        "Create an application or network load balancer with an interface in each subnet."),
    ROW("DescribeLoadBalancers", OP_READ, describe_load_balancers, "Show load balancers."),
    ROW("DeleteLoadBalancer", OP_WRITE, delete_load_balancer, "Delete a load balancer with its interfaces."),
    ROW("SetSecurityGroups", OP_WRITE, set_security_groups, "Change the security groups of a load balancer."),
    ROW("SetSubnets", OP_WRITE, set_subnets, "Change the subnets of a load balancer."),
    ROW("DescribeLoadBalancerAttributes", OP_READ, describe_attributes, "Show the attributes of a load balancer."),
    ROW("ModifyLoadBalancerAttributes", OP_WRITE, modify_attributes,
        "Change attributes of a load balancer: cross-zone, deletion protection."),
    ROW("CreateTargetGroup", OP_WRITE, create_target_group, "Create a target group of instances or addresses."),
    ROW("DescribeTargetGroups", OP_READ, describe_target_groups, "Show target groups."),
    ROW("DeleteTargetGroup", OP_WRITE, delete_target_group, "Delete a target group that no listener uses."),
    ROW("RegisterTargets", OP_WRITE, register_targets, "Put instances or addresses into a target group."),
    ROW("DeregisterTargets", OP_WRITE, deregister_targets, "Take targets out of a target group."),
    ROW("DescribeTargetHealth", OP_READ, describe_target_health,
        "Show the targets of a group and whether the load balancer can reach each."),
    ROW("CreateListener", OP_WRITE, create_listener, "Let a load balancer listen on a port."),
    ROW("DescribeListeners", OP_READ, describe_listeners, "Show the listeners of a load balancer."),
    ROW("DeleteListener", OP_WRITE, delete_listener, "Delete a listener with its rules."),
    ROW("CreateRule", OP_WRITE, create_rule, "Add a rule to a listener of an application load balancer."),
    ROW("DescribeRules", OP_READ, describe_rules, "Show the rules of a listener."),
    ROW("DeleteRule", OP_WRITE, delete_rule, "Delete a rule of a listener."),
    { 0 },
};
