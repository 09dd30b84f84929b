/* cloud/ops_elbv2_targets.c - target groups, what is registered with them, and how it fares.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elbv2.h"
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"

/* ---- target groups ----------------------------------------------------------------------------------------------- */

/* Texts are borrowed from the arguments. */
static struct health_spec
read_health(const struct op_call *call)
{
    const json_t *matcher = json_object_get(call->in, "Matcher");
    return (struct health_spec){ .protocol = arg_str(call->in, "HealthCheckProtocol"),
                                 .port = arg_str(call->in, "HealthCheckPort"),
                                 .path = arg_str(call->in, "HealthCheckPath"),
                                 .http_codes = json_str(matcher, "HttpCode"),
                                 .grpc_codes = json_str(matcher, "GrpcCode"),
                                 .interval_s = (int)arg_int(call->in, "HealthCheckIntervalSeconds", 0),
                                 .timeout_s = (int)arg_int(call->in, "HealthCheckTimeoutSeconds", 0),
                                 .healthy = (int)arg_int(call->in, "HealthyThresholdCount", 0),
                                 .unhealthy = (int)arg_int(call->in, "UnhealthyThresholdCount", 0) };
}

/* Only groups of functions may do without. */
static bool
health_stays_on(const struct op_call *call, struct err *err)
{
    return arg_flag(call->in, "HealthCheckEnabled", true) ||
           err_set(err, ERR_INPUT, "ValidationError", "health checks of instances and addresses cannot be disabled");
}

static bool
create_target_group(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "TargetType");
    if (type && strcmp(type, "lambda") == 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model targets of type `%s`", type);
    }
    if (!health_stays_on(call, err)) {
        return false;
    }
    struct target_group_spec spec = { .name = arg_str(call->in, "Name"),
                                      .protocol = arg_str(call->in, "Protocol"),
                                      .vpc_id = arg_str(call->in, "VpcId"),
                                      .target_type = type,
                                      .version = arg_str(call->in, "ProtocolVersion"),
                                      .ip_address_type = arg_str(call->in, "IpAddressType"),
                                      .port = (int)arg_int(call->in, "Port", 0),
                                      .health = read_health(call) };
    struct target_group *group = target_group_create(ec2_net(call), &spec, err);
    if (!group) {
        return false;
    }
    elbv2_tag_new(call, &group->obj);
    elbv2_answer_one(call, "TargetGroups", object_describe(network_store(ec2_net(call)), group));
    return true;
}

static bool
modify_target_group(struct op_call *call, struct err *err)
{
    struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    const struct health_spec health = read_health(call);
    if (!group || !health_stays_on(call, err) || !target_group_modify(ec2_net(call), group, &health, err)) {
        return false;
    }
    elbv2_answer_one(call, "TargetGroups", object_describe(network_store(ec2_net(call)), group));
    return true;
}

static bool
answer_attributes(struct op_call *call, const struct target_group *group)
{
    json_object_set_new(call->out, "Attributes", elbv2_attributes_json(group->attributes.items, group->attributes.n));
    return true;
}

static bool
describe_attributes(struct op_call *call, struct err *err)
{
    const struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    return group && answer_attributes(call, group);
}

static bool
modify_attributes(struct op_call *call, struct err *err)
{
    struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    const json_t *list = json_object_get(call->in, "Attributes");
    for (size_t i = 0; group && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!target_group_set_attribute(ec2_net(call), group, json_str(item, "Key"), json_str(item, "Value"), err)) {
            return false;
        }
    }
    const char *gone = group ? target_group_attribute(group, "target_failover.on_deregistration") : NULL;
    const char *ill = group ? target_group_attribute(group, "target_failover.on_unhealthy") : NULL;
    if (gone && ill && strcmp(gone, ill) != 0) {
        err_set(err, ERR_INPUT, "ValidationError",
                "`target_failover.on_deregistration` is `%s` and `target_failover.on_unhealthy` is `%s`: they must be "
                "the same",
                gone, ill);
        return err_hint(err, "change both in one request");
    }
    return group && target_group_check_stickiness(group, err) && answer_attributes(call, group);
}

static bool
describe_target_groups(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *arns = json_object_get(call->in, "TargetGroupArns"), *names = json_object_get(call->in, "Names");
    const json_t *asked = json_array_size(arns) ? arns : names;
    const struct load_balancer *lb = arg_str(call->in, "LoadBalancerArn") ? elbv2_require_balancer(call, err) : NULL;
    if (err->kind) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const struct target_group *group = elbv2_find_group(call, json_string_value(json_array_get(asked, i)), err);
        if (!group) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(store, group));
    }
    for (const struct target_group *g = json_array_size(asked) ? NULL : store_first(store, &target_group_kind); g;
         g = store_next(store, g)) {
        json_t *described = object_describe(store, g);
        if (strcmp(g->obj.region, call->cloud->region) == 0 && ec2_shows(call, &g->obj) &&
            (!lb || elbv2_has_text(json_object_get(described, "LoadBalancerArns"), lb->arn))) {
            json_array_append(list, described);
        }
        json_decref(described);
    }
    return elbv2_answer_page(call, "TargetGroups", list, err);
}

static bool
delete_target_group(struct op_call *call, struct err *err)
{
    struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    return group && target_group_delete(ec2_net(call), group, err);
}

static bool
change_targets(struct op_call *call, bool add, struct err *err)
{
    struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
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

/* Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html */
static const struct health unused_group = {
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
};
static const struct health unused_zone = {
    "unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"
};
static const struct health not_registered = { "unused", "Target.NotRegistered",
                                              "Target is not registered to the target group" };
static const struct health stopped = { "unused", "Target.InvalidState", "Target is in the stopped state" };
static const struct health unusable = { "unused", "Target.IpUnusable",
                                        "Target IP address is reserved for use by a load balancer" };
static const struct health timed_out = { "unhealthy", "Target.Timeout", "Request timed out" };
static const struct health failed = { "unhealthy", "Target.FailedHealthChecks", "Health checks failed" };
static const struct health starting = { "initial", "Elb.InitialHealthChecking", "Initial health checks in progress" };
static const struct health healthy = { "healthy", NULL, NULL };

static const struct health mismatch = { "unhealthy", "Target.ResponseCodeMismatch", NULL };

static bool
is_type(const struct target_group *group, const char *type)
{
    return group->target_type && strcmp(group->target_type, type) == 0;
}

static int
check_port(const struct target_group *group, const struct lb_target *target)
{
    bool own = !group->health_port || strcmp(group->health_port, "traffic-port") == 0;
    return own ? target->port ? target->port : group->port : atoi(group->health_port);
}

static bool
health_flow(const struct network *net, const struct target_group *group, const struct lb_target *target,
            const struct eni *from, struct flow_spec *flow)
{
    *flow = (struct flow_spec){ .protocol = 6, .src_port = -1, .icmp_type = -1, .icmp_code = -1, .health_check = true };
    flow->from.kind = FLOW_END_ENI;
    snprintf(flow->from.id, sizeof flow->from.id, "%s", from->obj.id);
    flow->dst_port = check_port(group, target);
    if (is_type(group, "instance")) {
        flow->to.kind = FLOW_END_INSTANCE;
        snprintf(flow->to.id, sizeof flow->to.id, "%s", target->id);
        return store_get(network_store(net), &instance_kind, target->id) != NULL;
    }
    if (is_type(group, "alb")) {
        const struct load_balancer *behind = network_load_balancer(net, target->id);
        struct eni *const *enis;
        flow->to.kind = FLOW_END_ENI;
        bool any = behind && load_balancer_enis(net, behind, &enis) > 0;
        snprintf(flow->to.id, sizeof flow->to.id, "%s", any ? enis[0]->obj.id : "");
        return any;
    }
    flow->to.kind = FLOW_END_IP;
    return ip_parse(target->id, &flow->to.ip);
}

static bool
answers(const struct network *net, const struct target_group *group, const struct lb_target *target,
        const struct eni *node)
{
    struct flow_spec flow;
    struct reach_result result = { 0 };
    struct err ignored = { 0 };
    bool reached = health_flow(net, group, target, node, &flow) && reach(net, &flow, false, &result, &ignored) &&
                   result.path_found;
    reach_result_done(&result);
    return reached;
}

/* Of an instance; an address may be anywhere. */
static bool
zone_is_off(const struct network *net, const struct load_balancer *lb, const struct instance *instance)
{
    const struct eni *eni = instance ? instance_eni(net, instance, 0) : NULL;
    bool on = !eni || !eni->zone || lb->zones.n == 0;
    for (size_t i = 0; !on && i < lb->zones.n; i++) {
        on = lb->zones.items[i].zone && strcmp(lb->zones.items[i].zone, eni->zone) == 0;
    }
    return !on;
}

static bool
is_a_node(const struct network *net, const struct load_balancer *lb, const struct lb_target *target)
{
    struct eni *const *enis;
    struct ip ip;
    bool found = false, address = ip_parse(target->id, &ip);
    for (size_t n = load_balancer_enis(net, lb, &enis), i = 0; address && i < n && !found; i++) {
        found = eni_has_ip(enis[i], &ip);
    }
    return found;
}

/* In a live lab as its health checks found it; else from the model alone: a target that a balancer's node can reach,
 * and that answers it, is taken for healthy.  A gateway or network balancer says the same of whatever does not answer;
 * only the others tell a timeout. */
static struct health
health_of(const struct cloud *cloud, const struct target_group *group, const struct lb_target *target, int *status)
{
    const struct network *net = cloud->net;
    const struct instance *instance = store_get(network_store(net), &instance_kind, target->id);
    const struct load_balancer *lb =
        group->balancer_arns.n ? network_load_balancer(net, group->balancer_arns.items[0]) : NULL;
    struct eni *const *enis;
    if (!lb) {
        return unused_group;
    }
    if (instance && !instance_is_running(instance)) {
        return stopped;
    }
    if (is_type(group, "ip") && is_a_node(net, lb, target)) {
        return unusable;
    }
    if (zone_is_off(net, lb, instance)) {
        return unused_zone;
    }
    struct live_health live;
    if (cloud->live && live_target_health(cloud->live, group, target, &live)) {
        *status = live.status;
        return strcmp(live.state, "healthy") == 0   ? healthy
               : strcmp(live.state, "initial") == 0 ? starting
               : load_balancer_is_network(lb)       ? failed
               : live.why == LIVE_HEALTH_TIMEOUT    ? timed_out
               : live.why == LIVE_HEALTH_STATUS     ? mismatch
                                                    : failed;
    }
    for (size_t n = load_balancer_enis(net, lb, &enis), i = 0; i < n; i++) {
        if (answers(net, group, target, enis[i])) {
            return healthy;
        }
    }
    return load_balancer_is_network(lb) ? failed : timed_out;
}

static json_t *
health_json(const struct target_group *group, const struct lb_target *target, struct health health, int status)
{
    json_t *out = json_pack("{s:{s:s, s:i}, s:{s:s}}", "Target", "Id", target->id, "Port", target->port, "TargetHealth",
                            "State", health.state);
    json_object_set_new(out, "HealthCheckPort", json_sprintf("%d", check_port(group, target)));
    if (target->zone) {
        json_object_set_new(json_object_get(out, "Target"), "AvailabilityZone", json_string(target->zone));
    }
    if (health.reason) {
        json_object_set_new(json_object_get(out, "TargetHealth"), "Reason", json_string(health.reason));
        json_object_set_new(json_object_get(out, "TargetHealth"), "Description",
                            health.reason == mismatch.reason
                                ? json_sprintf("Health checks failed with these codes: [%d]", status)
                                : json_string(health.description));
    }
    return out;
}

static const struct lb_target *
registered(const struct target_group *group, const json_t *asked)
{
    const char *id = json_str(asked, "Id");
    for (size_t i = 0; i < group->targets.n; i++) {
        const struct lb_target *target = &group->targets.items[i];
        if (id && strcmp(id, target->id) == 0 && json_int(asked, "Port", target->port) == target->port) {
            return target;
        }
    }
    return NULL;
}

static bool
describe_target_health(struct op_call *call, struct err *err)
{
    const struct target_group *group = elbv2_find_group(call, arg_str(call->in, "TargetGroupArn"), err);
    const json_t *asked = json_object_get(call->in, "Targets");
    if (!group) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        json_t *item = json_array_get(asked, i);
        const struct lb_target *target = registered(group, item);
        const struct lb_target absent = { .id = (char *)json_str(item, "Id"),
                                          .port = (int32_t)json_int(item, "Port", group->port) };
        int status = 0;
        struct health found = target ? health_of(call->cloud, group, target, &status) : not_registered;
        json_array_append_new(list, health_json(group, target ? target : &absent, found, status));
    }
    for (size_t i = 0; json_array_size(asked) == 0 && i < group->targets.n; i++) {
        const struct lb_target *target = &group->targets.items[i];
        int status = 0;
        struct health found = health_of(call->cloud, group, target, &status);
        json_array_append_new(list, health_json(group, target, found, status));
    }
    json_object_set_new(call->out, "TargetHealthDescriptions", list);
    return true;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

const struct op ops_elbv2_targets[] = {
    ELBV2_ROW("CreateTargetGroup", OP_WRITE, create_target_group, "Create a target group of instances or addresses."),
    ELBV2_ROW("DescribeTargetGroups", OP_READ, describe_target_groups, "Show target groups."),
    ELBV2_ROW("DeleteTargetGroup", OP_WRITE, delete_target_group, "Delete a target group that no listener uses."),
    ELBV2_ROW("RegisterTargets", OP_WRITE, register_targets, "Put instances or addresses into a target group."),
    ELBV2_ROW("DeregisterTargets", OP_WRITE, deregister_targets, "Take targets out of a target group."),
    ELBV2_ROW("DescribeTargetHealth", OP_READ, describe_target_health,
              "Show the targets of a group and whether the load balancer can reach each."),
    ELBV2_ROW("ModifyTargetGroup", OP_WRITE, modify_target_group, "Change the health checks of a target group."),
    ELBV2_ROW("DescribeTargetGroupAttributes", OP_READ, describe_attributes, "Show the attributes of a target group."),
    ELBV2_ROW("ModifyTargetGroupAttributes", OP_WRITE, modify_attributes,
              "Change attributes of a target group: client address kept, cross-zone, stickiness."),
    { 0 },
};
