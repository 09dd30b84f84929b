#include "netsim/model/classic_balancer.h"

#include <strings.h>

#include "netsim/model/classic_policy.h"
#include "netsim/model/internal.h"

static const struct field listener_fields[] = {
    FIELD(struct classic_listener, "Listener.Protocol", FIELD_STRING, protocol, 0),
    FIELD(struct classic_listener, "Listener.LoadBalancerPort", FIELD_INT, port, 0),
    FIELD(struct classic_listener, "Listener.InstanceProtocol", FIELD_STRING, instance_protocol, 0),
    FIELD(struct classic_listener, "Listener.InstancePort", FIELD_INT, instance_port, 0),
    FIELD(struct classic_listener, "Listener.SSLCertificateId", FIELD_STRING, certificate_id, 0),
    FIELD(struct classic_listener, "PolicyNames", FIELD_STRINGS, policies, FIELD_ALWAYS),
    FIELD_END,
};
const struct field classic_instance_fields[] = {
    FIELD(struct classic_instance, "InstanceId", FIELD_ID, id, 0),
    FIELD_END,
};
static const struct field balancer_fields[] = {
    FIELD(struct classic_balancer, "LoadBalancerName", FIELD_ID, obj.id, 0),
    FIELD(struct classic_balancer, "DNSName", FIELD_STRING, dns_name, 0),
    FIELD(struct classic_balancer, "CanonicalHostedZoneName", FIELD_STRING, hosted_zone_name, 0),
    FIELD(struct classic_balancer, "CanonicalHostedZoneNameID", FIELD_STRING, hosted_zone_id, 0),
    FIELD_LIST(struct classic_balancer, "ListenerDescriptions", listeners, listener_fields, FIELD_ALWAYS),
    FIELD(struct classic_balancer, "Policies", FIELD_DOCUMENT, policies, 0),
    FIELD(struct classic_balancer, "BackendServerDescriptions", FIELD_DOCUMENT, backends, 0),
    FIELD(struct classic_balancer, "AvailabilityZones", FIELD_STRINGS, zones, FIELD_ALWAYS),
    FIELD(struct classic_balancer, "Subnets", FIELD_STRINGS, subnet_ids, FIELD_ALWAYS),
    FIELD(struct classic_balancer, "VPCId", FIELD_ID, vpc_id, 0),
    FIELD_LIST(struct classic_balancer, "Instances", instances, classic_instance_fields, FIELD_ALWAYS),
    FIELD(struct classic_balancer, "HealthCheck.Target", FIELD_STRING, health_target, 0),
    FIELD(struct classic_balancer, "HealthCheck.Interval", FIELD_INT, health_interval_s, FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "HealthCheck.Timeout", FIELD_INT, health_timeout_s, FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "HealthCheck.UnhealthyThreshold", FIELD_INT, unhealthy_count, FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "HealthCheck.HealthyThreshold", FIELD_INT, healthy_count, FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "SourceSecurityGroup.OwnerAlias", FIELD_STRING, source_group_owner, 0),
    FIELD(struct classic_balancer, "SourceSecurityGroup.GroupName", FIELD_STRING, source_group_name, 0),
    FIELD(struct classic_balancer, "SecurityGroups", FIELD_STRINGS, group_ids, FIELD_ALWAYS),
    FIELD(struct classic_balancer, "CreatedTime", FIELD_TIME, created_time, 0),
    FIELD(struct classic_balancer, "Scheme", FIELD_STRING, scheme, 0),
    FIELD(struct classic_balancer, "PolicyDescriptions", FIELD_DOCUMENT, more_policies, FIELD_STATE_ONLY),
    FIELD(struct classic_balancer, "CrossZoneLoadBalancing", FIELD_BOOL, cross_zone, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "ConnectionDraining", FIELD_BOOL, draining, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "DrainingTimeout", FIELD_INT, draining_s, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct classic_balancer, "IdleTimeout", FIELD_INT, idle_s, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD_LIST(struct classic_balancer, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

static bool
speaks(const char *protocol, const char *one, const char *other)
{
    return protocol && (strcasecmp(protocol, one) == 0 || strcasecmp(protocol, other) == 0);
}

bool
classic_listener_has_tls(const struct classic_listener *listener)
{
    return speaks(listener->protocol, "HTTPS", "SSL");
}

bool
classic_listener_is_web(const struct classic_listener *listener)
{
    return speaks(listener->protocol, "HTTPS", "HTTP");
}

bool
classic_listener_sends_tls(const struct classic_listener *listener)
{
    return speaks(listener->instance_protocol, "HTTPS", "SSL");
}

bool
classic_listener_is_proxied(const struct classic_balancer *lb, const struct classic_listener *listener)
{
    return classic_listener_has_tls(listener) || classic_listener_is_web(listener) ||
           classic_listener_sends_tls(listener) || classic_listener_sends_header(lb, listener);
}

const char *
classic_balancer_name(const struct classic_balancer *lb)
{
    const char *slash = strrchr(lb->obj.id, '/');
    return slash ? slash + 1 : lb->obj.id;
}

void
classic_balancer_id(const char *name, const char *account, const char *region, bool taken, char id[static ID_SIZE])
{
    snprintf(id, ID_SIZE, "%s%s%s%s%s", taken ? account : "", taken ? "/" : "", taken ? region : "", taken ? "/" : "",
             name);
}

static void
balancer_describe(const struct store *store, const void *object, json_t *out)
{
    (void)store;
    json_object_set_new(out, "LoadBalancerName", json_string(classic_balancer_name(object)));
}

const struct kind classic_balancer_kind = {
    .name = "classic-load-balancer",
    .prefix = "",
    .list = "LoadBalancerDescriptions",
    .id_member = "LoadBalancerName",
    .ids_param = "LoadBalancerNames",
    .not_found = "LoadBalancerNotFound",
    .malformed = "ValidationError",
    .size = sizeof(struct classic_balancer),
    .fields = balancer_fields,
    .describe = balancer_describe,
};

struct classic_balancer *
network_classic_balancer(const struct network *net, const char *name, const char *account, const char *region)
{
    struct classic_balancer *found = NULL;
    char id[ID_SIZE];
    for (int taken = 0; name && taken < 2 && !found; taken++) {
        classic_balancer_id(name, account, region, taken, id);
        found = store_get(net->store, &classic_balancer_kind, id);
        bool there = found && strcmp(found->obj.account, account) == 0 && strcmp(found->obj.region, region) == 0;
        found = there ? found : NULL;
    }
    return found;
}

/* "ELB web": of the balancer of that name in the interface's VPC. */
struct classic_balancer *
network_classic_balancer_of_eni(const struct network *net, const struct eni *eni)
{
    const char *name = load_balancer_of_description(eni);
    struct classic_balancer *lb = name ? store_get(net->store, &classic_balancer_kind, name) : NULL;
    if (lb && *lb->vpc_id && strcmp(lb->vpc_id, eni->vpc_id) != 0) { /* a namesake's */
        const struct vpc *vpc = store_get(net->store, &vpc_kind, eni->vpc_id);
        const struct object *home = vpc ? &vpc->obj : &eni->obj;
        lb = network_classic_balancer(net, name, home->account, home->region);
    }
    return lb && (!*lb->vpc_id || strcmp(lb->vpc_id, eni->vpc_id) == 0) ? lb : NULL;
}

int
classic_balancer_health_port(const struct classic_balancer *lb)
{
    const char *colon = lb->health_target ? strchr(lb->health_target, ':') : NULL;
    return colon ? atoi(colon + 1) : 0;
}
