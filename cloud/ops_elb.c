/* cloud/ops_elb.c - Classic Load Balancers (`elb`): listeners, registered instances, health checks.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elb.h"
#include "netsim/analysis/reach.h"
#include "netsim/live/live.h"

static struct classic_balancer *
find_balancer(const struct op_call *call, const char *name, struct err *err)
{
    const struct network *net = ec2_net(call);
    const struct cloud *cloud = call->cloud;
    struct classic_balancer *lb = network_classic_balancer(net, name, cloud->account, cloud->region);
    if (lb) {
        return lb;
    }
    err_set(err, ERR_INPUT, "LoadBalancerNotFound", "there is no Classic Load Balancer `%s`", name ? name : "");
    lb = store_get(network_store(net), &classic_balancer_kind, name ? name : "");
    if (lb) {
        bool other = strcmp(lb->obj.account, cloud->account) != 0;
        err_hint(err, "there is one in %s%s%s: `%s%s%s--region %s`", lb->obj.region, other ? " of account " : "",
                 other ? lb->obj.account : "", other ? "--as " : "", other ? lb->obj.account : "", other ? " " : "",
                 lb->obj.region);
    }
    return NULL;
}

struct classic_balancer *
elb_require_balancer(const struct op_call *call, struct err *err)
{
    return find_balancer(call, arg_str(call->in, "LoadBalancerName"), err);
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
answer_described(struct op_call *call, const struct classic_balancer *lb, const char *member, const char *as)
{
    json_t *described = object_describe(network_store(ec2_net(call)), lb);
    json_object_set(call->out, as, json_object_get(described, member));
    json_decref(described);
}

/* ---- balancers --------------------------------------------------------------------------------------------------- */

static bool
create_load_balancer(struct op_call *call, struct err *err)
{
    struct classic_spec spec = { .name = arg_str(call->in, "LoadBalancerName"),
                                 .scheme = arg_str(call->in, "Scheme"),
                                 .listeners = json_object_get(call->in, "Listeners") };
    spec.subnets = text_list(call, "Subnets", &spec.n_subnets);
    spec.groups = text_list(call, "SecurityGroups", &spec.n_groups);
    struct classic_balancer *lb = classic_balancer_create(ec2_net(call), &spec, err);
    free((void *)spec.subnets);
    free((void *)spec.groups);
    if (!lb) {
        return false;
    }
    elbv2_tag_new(call, &lb->obj);
    json_object_set_new(call->out, "DNSName", json_string(lb->dns_name));
    return true;
}

static bool
describe_load_balancers(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *names = json_object_get(call->in, "LoadBalancerNames");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const struct classic_balancer *lb = find_balancer(call, json_string_value(json_array_get(names, i)), err);
        if (!lb) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(store, lb));
    }
    for (const struct classic_balancer *lb = json_array_size(names) ? NULL : store_first(store, &classic_balancer_kind);
         lb; lb = store_next(store, lb)) {
        if (strcmp(lb->obj.region, call->cloud->region) == 0 && strcmp(lb->obj.account, call->cloud->account) == 0) {
            json_array_append_new(list, object_describe(store, lb));
        }
    }
    return elbv2_answer_page(call, "LoadBalancerDescriptions", list, err);
}

/* Succeeds for one that is not there, as AWS's does. */
static bool
delete_load_balancer(struct op_call *call, struct err *err)
{
    struct err absent = { 0 };
    struct classic_balancer *lb = elb_require_balancer(call, &absent);
    (void)err;
    if (lb) {
        classic_balancer_delete(ec2_net(call), lb);
    }
    return true;
}

static bool
create_listeners(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_balancer_listen(ec2_net(call), lb, json_object_get(call->in, "Listeners"), err);
}

static bool
set_certificate(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && classic_balancer_certify(ec2_net(call), lb, (int)arg_int(call->in, "LoadBalancerPort", 0),
                                          arg_str(call->in, "SSLCertificateId"), err);
}

static bool
delete_listeners(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    const json_t *ports = json_object_get(call->in, "LoadBalancerPorts");
    for (size_t i = 0; lb && i < json_array_size(ports); i++) {
        int port = (int)json_integer_value(json_array_get(ports, i));
        if (!classic_balancer_unlisten(ec2_net(call), lb, port, err)) {
            return false;
        }
    }
    return lb != NULL;
}

static bool
change_subnets(struct op_call *call,
               bool (*change)(struct network *, struct classic_balancer *, const char *, struct err *), struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    const json_t *ids = json_object_get(call->in, "Subnets");
    for (size_t i = 0; lb && i < json_array_size(ids); i++) {
        if (!change(ec2_net(call), lb, json_string_value(json_array_get(ids, i)), err)) {
            return false;
        }
    }
    if (lb) {
        answer_described(call, lb, "Subnets", "Subnets");
    }
    return lb != NULL;
}

static bool
attach_subnets(struct op_call *call, struct err *err)
{
    return change_subnets(call, classic_balancer_add_subnet, err);
}

static bool
detach_subnets(struct op_call *call, struct err *err)
{
    return change_subnets(call, classic_balancer_drop_subnet, err);
}

static bool
apply_groups(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    size_t n;
    const char *const *ids = text_list(call, "SecurityGroups", &n);
    bool ok = lb && classic_balancer_set_groups(ec2_net(call), lb, ids, n, err);
    free((void *)ids);
    if (ok) {
        answer_described(call, lb, "SecurityGroups", "SecurityGroups");
    }
    return ok;
}

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static bool
answer_attributes(struct op_call *call, const struct classic_balancer *lb)
{
    json_object_set_new(call->out, "LoadBalancerAttributes",
                        json_pack("{s:{s:b}, s:{s:b}, s:{s:b, s:i}, s:{s:i}}", "CrossZoneLoadBalancing", "Enabled",
                                  lb->cross_zone, "AccessLog", "Enabled", 0, "ConnectionDraining", "Enabled",
                                  lb->draining, "Timeout", lb->draining_s, "ConnectionSettings", "IdleTimeout",
                                  lb->idle_s));
    return true;
}

static bool
describe_attributes(struct op_call *call, struct err *err)
{
    const struct classic_balancer *lb = elb_require_balancer(call, err);
    return lb && answer_attributes(call, lb);
}

static bool
modify_attributes(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    const json_t *given = json_object_get(call->in, "LoadBalancerAttributes");
    const json_t *cross = json_object_get(given, "CrossZoneLoadBalancing"),
                 *draining = json_object_get(given, "ConnectionDraining"),
                 *settings = json_object_get(given, "ConnectionSettings");
    if (!lb) {
        return false;
    }
    lb->cross_zone = cross ? json_is_true(json_object_get(cross, "Enabled")) : lb->cross_zone;
    lb->draining = draining ? json_is_true(json_object_get(draining, "Enabled")) : lb->draining;
    lb->draining_s = (int32_t)json_int(draining, "Timeout", lb->draining_s);
    lb->idle_s = (int32_t)json_int(settings, "IdleTimeout", lb->idle_s);
    json_object_set_new(call->out, "LoadBalancerName", json_string(classic_balancer_name(lb)));
    return answer_attributes(call, lb);
}

/* ---- instances --------------------------------------------------------------------------------------------------- */

static bool
change_instances(struct op_call *call,
                 bool (*change)(struct network *, struct classic_balancer *, const char *, struct err *),
                 struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    const json_t *list = json_object_get(call->in, "Instances");
    for (size_t i = 0; lb && i < json_array_size(list); i++) {
        char id[ID_SIZE];
        const char *text = json_str(json_array_get(list, i), "InstanceId");
        if (!cloud_resolve(call->cloud, "instance", text ? text : "", id, err) || !change(ec2_net(call), lb, id, err)) {
            return false;
        }
    }
    if (lb) {
        answer_described(call, lb, "Instances", "Instances");
    }
    return lb != NULL;
}

static bool
register_instances(struct op_call *call, struct err *err)
{
    return change_instances(call, classic_balancer_register, err);
}

static bool
deregister_instances(struct op_call *call, struct err *err)
{
    return change_instances(call, classic_balancer_deregister, err);
}

static bool
configure_health(struct op_call *call, struct err *err)
{
    struct classic_balancer *lb = elb_require_balancer(call, err);
    if (!lb || !classic_balancer_check_health(ec2_net(call), lb, json_object_get(call->in, "HealthCheck"), err)) {
        return false;
    }
    answer_described(call, lb, "HealthCheck", "HealthCheck");
    return true;
}

/* From the model: an instance that a node can reach on the port of the health check, and that answers, is in
 * service. */
static bool
in_service(const struct network *net, const struct classic_balancer *lb, const char *instance_id)
{
    struct eni *const *enis;
    bool found = false;
    for (size_t n = classic_balancer_enis(net, lb, &enis), i = 0; i < n && !found; i++) {
        struct flow_spec flow = {
            .protocol = 6, .src_port = -1, .icmp_type = -1, .icmp_code = -1, .health_check = true
        };
        struct reach_result result = { 0 };
        struct err ignored = { 0 };
        flow.from.kind = FLOW_END_ENI;
        flow.to.kind = FLOW_END_INSTANCE;
        snprintf(flow.from.id, sizeof flow.from.id, "%s", enis[i]->obj.id);
        snprintf(flow.to.id, sizeof flow.to.id, "%s", instance_id);
        flow.dst_port = classic_balancer_health_port(lb);
        found = reach(net, &flow, false, &result, &ignored) && result.path_found;
        reach_result_done(&result);
    }
    return found;
}

/* AWS's words. Source: https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_InstanceState.html
 */
static const struct health_row {
    const char *state, *reason, *text;
} in_service_row = { "InService", "N/A", "N/A" },
  failed_row = { "OutOfService", "Instance",
                 "Instance has failed at least the UnhealthyThreshold number of health checks consecutively." },
  recovering_row = { "OutOfService", "Instance",
                     "Instance has not passed the configured HealthyThreshold number of health checks consecutively." },
  beginning_row = { "OutOfService", "ELB", "Instance registration is still in progress." },
  zone_row = {
      "OutOfService", "ELB",
      "Instance is in the EC2 Availability Zone for which LoadBalancer is not configured to route traffic to."
  };

static bool
zone_is_off(const struct network *net, const struct classic_balancer *lb, const struct instance *instance)
{
    const struct eni *eni = instance_eni(net, instance, 0);
    bool on = !eni || !eni->zone || lb->zones.n == 0;
    for (size_t i = 0; !on && i < lb->zones.n; i++) {
        on = strcmp(lb->zones.items[i], eni->zone) == 0;
    }
    return !on;
}

/* In a live lab as its health checks found it, else from the model. */
static struct health_row
health_of(const struct cloud *cloud, const struct classic_balancer *lb, const char *id)
{
    struct live_health live;
    if (!cloud->live || !live_instance_health(cloud->live, lb, id, &live)) {
        return in_service(cloud->net, lb, id) ? in_service_row : failed_row;
    }
    return strcmp(live.state, "healthy") == 0   ? in_service_row
           : strcmp(live.state, "initial") == 0 ? beginning_row
           : live.why == LIVE_HEALTH_WELL       ? recovering_row
                                                : failed_row;
}

static json_t *
state_json(const struct cloud *cloud, const struct classic_balancer *lb, const char *id)
{
    const struct instance *instance = store_get(network_store(cloud->net), &instance_kind, id);
    bool running = instance && instance_is_running(instance);
    struct health_row row = !running                                ? failed_row
                            : zone_is_off(cloud->net, lb, instance) ? zone_row
                                                                    : health_of(cloud, lb, id);
    json_t *out = json_pack("{s:s, s:s, s:s, s:s}", "InstanceId", id, "State", row.state, "ReasonCode", row.reason,
                            "Description", row.text);
    if (!running) { /* pending, stopping and shutting-down are on their way there */
        const char *state = instance && instance->state_name ? instance->state_name : "terminated";
        json_object_set_new(out, "Description",
                            json_sprintf("Instance is in %s state.", strcmp(state, "pending") == 0    ? "pending"
                                                                     : strncmp(state, "stop", 4) == 0 ? "stopped"
                                                                                                      : "terminated"));
    }
    return out;
}

static bool
is_registered(const struct classic_balancer *lb, const char *id)
{
    for (size_t i = 0; id && i < lb->instances.n; i++) {
        if (strcmp(lb->instances.items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool
describe_health(struct op_call *call, struct err *err)
{
    const struct classic_balancer *lb = elb_require_balancer(call, err);
    const json_t *asked = json_object_get(call->in, "Instances");
    if (!lb) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const char *id = json_str(json_array_get(asked, i), "InstanceId");
        if (!is_registered(lb, id)) {
            json_decref(list);
            return err_set(err, ERR_INPUT, "InvalidInstance", "`%s` is not registered with `%s`", id ? id : "",
                           classic_balancer_name(lb));
        }
        json_array_append_new(list, state_json(call->cloud, lb, id));
    }
    for (size_t i = 0; json_array_size(asked) == 0 && i < lb->instances.n; i++) {
        json_array_append_new(list, state_json(call->cloud, lb, lb->instances.items[i].id));
    }
    json_object_set_new(call->out, "InstanceStates", list);
    return true;
}

const struct op ops_elb[] = {
    ELB_ROW("CreateLoadBalancer", OP_WRITE, create_load_balancer,
            "Create a Classic Load Balancer with an interface in each subnet."),
    ELB_ROW("DescribeLoadBalancers", OP_READ, describe_load_balancers, "Show Classic Load Balancers."),
    ELB_ROW("DeleteLoadBalancer", OP_WRITE, delete_load_balancer,
            "Delete a Classic Load Balancer with its interfaces."),
    ELB_ROW("CreateLoadBalancerListeners", OP_WRITE, create_listeners,
            "Let a Classic Load Balancer listen on further ports."),
    ELB_ROW("SetLoadBalancerListenerSSLCertificate", OP_WRITE, set_certificate,
            "Give a listener of a Classic Load Balancer another certificate."),
    ELB_ROW("DeleteLoadBalancerListeners", OP_WRITE, delete_listeners,
            "Delete listeners of a Classic Load Balancer by their ports."),
    ELB_ROW("AttachLoadBalancerToSubnets", OP_WRITE, attach_subnets,
            "Enable a Classic Load Balancer in further subnets."),
    ELB_ROW("DetachLoadBalancerFromSubnets", OP_WRITE, detach_subnets, "Take a Classic Load Balancer out of subnets."),
    ELB_ROW("ApplySecurityGroupsToLoadBalancer", OP_WRITE, apply_groups,
            "Change the security groups of a Classic Load Balancer."),
    ELB_ROW("DescribeLoadBalancerAttributes", OP_READ, describe_attributes,
            "Show the attributes of a Classic Load Balancer."),
    ELB_ROW("ModifyLoadBalancerAttributes", OP_WRITE, modify_attributes,
            "Change attributes of a Classic Load Balancer: cross-zone, draining, idle timeout."),
    ELB_ROW("RegisterInstancesWithLoadBalancer", OP_WRITE, register_instances,
            "Put instances behind a Classic Load Balancer."),
    ELB_ROW("DeregisterInstancesFromLoadBalancer", OP_WRITE, deregister_instances,
            "Take instances out from behind a Classic Load Balancer."),
    ELB_ROW("ConfigureHealthCheck", OP_WRITE, configure_health,
            "Say how a Classic Load Balancer checks its instances."),
    ELB_ROW("DescribeInstanceHealth", OP_READ, describe_health,
            "Show which instances a Classic Load Balancer can reach."),
    { 0 },
};
