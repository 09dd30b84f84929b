#include "netsim/model/load_balancer.h"

#include "netsim/model/internal.h"

static const struct field action_group_fields[] = {
    FIELD(struct lb_action_group, "TargetGroupArn", FIELD_STRING, group_arn, 0),
    FIELD(struct lb_action_group, "Weight", FIELD_INT, weight, FIELD_OPTIONAL),
    FIELD_END,
};
static const struct field action_fields[] = {
    FIELD(struct lb_action, "Type", FIELD_STRING, type, 0),
    FIELD(struct lb_action, "TargetGroupArn", FIELD_STRING, group_arn, 0),
    FIELD(struct lb_action, "AuthenticateOidcConfig", FIELD_DOCUMENT, oidc, 0),
    FIELD(struct lb_action, "AuthenticateCognitoConfig", FIELD_DOCUMENT, cognito, 0),
    FIELD(struct lb_action, "Order", FIELD_INT, order, FIELD_OPTIONAL),
    FIELD(struct lb_action, "RedirectConfig", FIELD_DOCUMENT, redirect, 0),
    FIELD(struct lb_action, "FixedResponseConfig", FIELD_DOCUMENT, fixed_response, 0),
    FIELD_LIST(struct lb_action, "ForwardConfig.TargetGroups", groups, action_group_fields, 0),
    FIELD(struct lb_action, "ForwardConfig.TargetGroupStickinessConfig", FIELD_DOCUMENT, stickiness, 0),
    FIELD_END,
};
const struct field lb_rule_fields[] = {
    FIELD(struct lb_rule, "RuleArn", FIELD_STRING, arn, 0),
    FIELD(struct lb_rule, "Priority", FIELD_STRING, priority, 0),
    FIELD(struct lb_rule, "Conditions", FIELD_DOCUMENT, conditions, 0),
    FIELD_LIST(struct lb_rule, "Actions", actions, action_fields, FIELD_ALWAYS),
    FIELD(struct lb_rule, "IsDefault", FIELD_BOOL, is_default, 0),
    FIELD_END,
};
const struct field lb_listener_fields[] = {
    FIELD(struct lb_listener, "ListenerArn", FIELD_STRING, arn, 0),
    FIELD(struct lb_listener, "LoadBalancerArn", FIELD_STRING, balancer_arn, 0),
    FIELD(struct lb_listener, "Port", FIELD_INT, port, 0),
    FIELD(struct lb_listener, "Protocol", FIELD_STRING, protocol, 0),
    FIELD(struct lb_listener, "Certificates", FIELD_DOCUMENT, certificates, 0),
    FIELD(struct lb_listener, "SslPolicy", FIELD_STRING, ssl_policy, 0),
    FIELD_LIST(struct lb_listener, "DefaultActions", actions, action_fields, FIELD_ALWAYS),
    FIELD(struct lb_listener, "AlpnPolicy", FIELD_DOCUMENT, alpn, 0),
    FIELD(struct lb_listener, "MutualAuthentication", FIELD_DOCUMENT, mutual, 0),
    FIELD(struct lb_listener, "AdditionalCertificates", FIELD_DOCUMENT, more_certificates, FIELD_STATE_ONLY),
    FIELD_LIST(struct lb_listener, "Rules", rules, lb_rule_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field address_fields[] = {
    FIELD(struct lb_address, "IpAddress", FIELD_IP, ip, 0),
    FIELD(struct lb_address, "AllocationId", FIELD_STRING, allocation_id, 0),
    FIELD(struct lb_address, "PrivateIPv4Address", FIELD_IP, private_ip, 0),
    FIELD_END,
};
static const struct field zone_fields[] = {
    FIELD(struct lb_zone, "ZoneName", FIELD_STRING, zone, 0),
    FIELD(struct lb_zone, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD_LIST(struct lb_zone, "LoadBalancerAddresses", addresses, address_fields, FIELD_ALWAYS),
    FIELD_END,
};
const struct field lb_attribute_fields[] = {
    FIELD(struct lb_attribute, "Key", FIELD_STRING, key, 0),
    FIELD(struct lb_attribute, "Value", FIELD_STRING, value, FIELD_ALWAYS),
    FIELD_END,
};
static const struct field lb_fields[] = {
    FIELD(struct load_balancer, "LoadBalancerArn", FIELD_STRING, arn, 0),
    FIELD(struct load_balancer, "DNSName", FIELD_STRING, dns_name, 0),
    FIELD(struct load_balancer, "CanonicalHostedZoneId", FIELD_STRING, hosted_zone_id, 0),
    FIELD(struct load_balancer, "CreatedTime", FIELD_TIME, created_time, 0),
    FIELD(struct load_balancer, "LoadBalancerName", FIELD_STRING, name, 0),
    FIELD(struct load_balancer, "Scheme", FIELD_STRING, scheme, 0),
    FIELD(struct load_balancer, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct load_balancer, "State.Code", FIELD_STRING, state, 0),
    FIELD(struct load_balancer, "Type", FIELD_STRING, type, 0),
    FIELD_LIST(struct load_balancer, "AvailabilityZones", zones, zone_fields, FIELD_ALWAYS),
    FIELD(struct load_balancer, "SecurityGroups", FIELD_STRINGS, group_ids, 0),
    FIELD(struct load_balancer, "IpAddressType", FIELD_STRING, ip_address_type, 0),
    FIELD(struct load_balancer, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic", FIELD_STRING, endpoint_rules,
          0),
    FIELD_LIST(struct load_balancer, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct load_balancer, "Listeners", listeners, lb_listener_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct load_balancer, "Attributes", attributes, lb_attribute_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

const struct kind load_balancer_kind = {
    .name = "load-balancer",
    .prefix = "",
    .arn_type = "loadbalancer/",
    .list = "LoadBalancers",
    .id_member = "LoadBalancerArn",
    .ids_param = "LoadBalancerArns",
    .not_found = "LoadBalancerNotFound",
    .malformed = "ValidationError",
    .size = sizeof(struct load_balancer),
    .fields = lb_fields,
};

static const struct field target_fields[] = {
    FIELD(struct lb_target, "Target.Id", FIELD_STRING, id, 0),
    FIELD(struct lb_target, "Target.Port", FIELD_INT, port, FIELD_OPTIONAL),
    FIELD(struct lb_target, "Target.AvailabilityZone", FIELD_STRING, zone, 0),
    FIELD(struct lb_target, "HealthCheckPort", FIELD_STRING, health_port, 0),
    FIELD(struct lb_target, "TargetHealth.State", FIELD_STRING, health, 0),
    FIELD(struct lb_target, "TargetHealth.Reason", FIELD_STRING, health_reason, 0),
    FIELD(struct lb_target, "TargetHealth.Description", FIELD_STRING, health_description, 0),
    FIELD_END,
};
static const struct field group_fields[] = {
    FIELD(struct target_group, "TargetGroupArn", FIELD_STRING, arn, 0),
    FIELD(struct target_group, "TargetGroupName", FIELD_STRING, name, 0),
    FIELD(struct target_group, "Protocol", FIELD_STRING, protocol, 0),
    FIELD(struct target_group, "Port", FIELD_INT, port, FIELD_OPTIONAL),
    FIELD(struct target_group, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct target_group, "HealthCheckProtocol", FIELD_STRING, health_protocol, 0),
    FIELD(struct target_group, "HealthCheckPort", FIELD_STRING, health_port, 0),
    FIELD(struct target_group, "HealthCheckEnabled", FIELD_BOOL, health_enabled, 0),
    FIELD(struct target_group, "HealthCheckIntervalSeconds", FIELD_INT, health_interval_s, FIELD_OPTIONAL),
    FIELD(struct target_group, "HealthCheckTimeoutSeconds", FIELD_INT, health_timeout_s, FIELD_OPTIONAL),
    FIELD(struct target_group, "HealthyThresholdCount", FIELD_INT, healthy_count, FIELD_OPTIONAL),
    FIELD(struct target_group, "UnhealthyThresholdCount", FIELD_INT, unhealthy_count, FIELD_OPTIONAL),
    FIELD(struct target_group, "HealthCheckPath", FIELD_STRING, health_path, 0),
    FIELD(struct target_group, "Matcher.HttpCode", FIELD_STRING, matcher_http, 0),
    FIELD(struct target_group, "Matcher.GrpcCode", FIELD_STRING, matcher_grpc, 0),
    FIELD(struct target_group, "LoadBalancerArns", FIELD_STRINGS, balancer_arns, FIELD_ALWAYS),
    FIELD(struct target_group, "TargetType", FIELD_STRING, target_type, 0),
    FIELD(struct target_group, "ProtocolVersion", FIELD_STRING, protocol_version, 0),
    FIELD(struct target_group, "IpAddressType", FIELD_STRING, ip_address_type, 0),
    FIELD_LIST(struct target_group, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct target_group, "Attributes", attributes, lb_attribute_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct target_group, "TargetHealthDescriptions", targets, target_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

const struct kind target_group_kind = {
    .name = "target-group",
    .prefix = "",
    .arn_type = "targetgroup/",
    .list = "TargetGroups",
    .id_member = "TargetGroupArn",
    .ids_param = "TargetGroupArns",
    .not_found = "TargetGroupNotFound",
    .malformed = "ValidationError",
    .size = sizeof(struct target_group),
    .fields = group_fields,
};

bool
load_balancer_is_network(const struct load_balancer *lb)
{
    return str_is(lb->type, "network");
}

bool
load_balancer_filters_endpoints(const struct load_balancer *lb)
{
    return !str_is(lb->endpoint_rules, "off");
}

struct load_balancer *
network_load_balancer(const struct network *net, const char *arn_or_id)
{
    return store_get(net->store, &load_balancer_kind, kind_id(&load_balancer_kind, arn_or_id));
}

struct target_group *
network_target_group(const struct network *net, const char *arn_or_id)
{
    return store_get(net->store, &target_group_kind, kind_id(&target_group_kind, arn_or_id));
}

const char *
load_balancer_of_description(const struct eni *eni)
{
    return eni->description && strncmp(eni->description, "ELB ", 4) == 0 ? eni->description + 4 : NULL;
}

struct load_balancer *
network_load_balancer_of_eni(const struct network *net, const struct eni *eni)
{
    const char *id = load_balancer_of_description(eni);
    return id ? store_get(net->store, &load_balancer_kind, id) : NULL;
}

const char *
load_balancer_attribute(const struct load_balancer *lb, const char *key)
{
    for (size_t i = 0; i < lb->attributes.n; i++) {
        if (str_is(lb->attributes.items[i].key, key)) {
            return lb->attributes.items[i].value;
        }
    }
    return NULL;
}

bool
load_balancer_crosses_zones(const struct load_balancer *lb)
{
    return str_is(lb->type, "application") ||
           str_is(load_balancer_attribute(lb, "load_balancing.cross_zone.enabled"), "true");
}

const char *
target_group_attribute(const struct target_group *group, const char *key)
{
    for (size_t i = 0; i < group->attributes.n; i++) {
        if (str_is(group->attributes.items[i].key, key)) {
            return group->attributes.items[i].value;
        }
    }
    return NULL;
}

bool
target_group_crosses_zones(const struct target_group *group, const struct load_balancer *lb)
{
    const char *own = target_group_attribute(group, "load_balancing.cross_zone.enabled");
    return str_is(own, "true") || (!str_is(own, "false") && load_balancer_crosses_zones(lb));
}

bool
target_group_keeps_client(const struct target_group *group)
{
    const char *own = target_group_attribute(group, "preserve_client_ip.enabled");
    if (str_is(group->protocol, "UDP") || str_is(group->protocol, "TCP_UDP")) {
        return true; /* "can't be disabled" */
    }
    return own ? str_is(own, "true") : !str_is(group->target_type, "ip");
}

bool
target_group_sends_header(const struct target_group *group)
{
    return str_is(target_group_attribute(group, "proxy_protocol_v2.enabled"), "true");
}

bool
listener_ends_at_node(const struct network *net, const struct lb_listener *listener)
{
    bool ends = listener_has_tls(listener);
    for (size_t i = 0; i < listener->actions.n; i++) {
        const struct lb_action *action = &listener->actions.items[i];
        for (size_t j = 0; j <= action->groups.n && !ends; j++) {
            const char *arn = j < action->groups.n ? action->groups.items[j].group_arn : action->group_arn;
            const struct target_group *group = arn ? network_target_group(net, arn) : NULL;
            ends = group && target_group_sends_header(group);
        }
    }
    return ends;
}
