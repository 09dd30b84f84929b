#include "netsim/analysis/components.h"

#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/obstacle.h"
#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/vpce.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/private_service.h"

typedef void members_fn(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *component);

static void
set(json_t *json, const char *member, json_t *value)
{
    json_object_set_new(json, member, value);
}

static void
set_object(const struct walk *walk, json_t *json, const char *member, const struct kind *kind, const char *id)
{
    if (id && *id) {
        set(json, member, component_json(store_get(network_store(walk->net), kind, id), id));
    }
}

json_t *
component_detail(json_t *component, const char *code)
{
    json_t *details = json_object_get(component, "AdditionalDetails");
    if (!details) {
        set(component, "AdditionalDetails", details = json_array());
    }
    json_t *detail = json_pack("{s:s}", "AdditionalDetailType", code);
    json_array_append_new(details, detail);
    return detail;
}

/* ---- Members by kind of hop ----------------------------------------------------------------------------------------
 */

static void
set_place(const struct walk *walk, const struct hop *hop, json_t *json)
{
    if (hop->subnet) {
        set(json, "Subnet", component_json(&hop->subnet->obj, NULL));
    }
    set_object(walk, json, "Vpc", &vpc_kind, hop->vpc_id);
}

/* What an interface belongs to: an instance, else a NAT gateway, balancer or endpoint. */
static json_t *
owner_json(const struct walk *walk, const struct eni *eni)
{
    const struct instance *instance = eni_instance(walk->net, eni);
    if (*eni->attachment.instance_id) {
        return component_json(instance ? &instance->obj : NULL, eni->attachment.instance_id);
    }
    const struct nat_gateway *nat = eni_nat_gateway(walk->net, eni);
    const struct load_balancer *lb = nat ? NULL : network_load_balancer_of_eni(walk->net, eni);
    const struct classic_balancer *classic = nat || lb ? NULL : network_classic_balancer_of_eni(walk->net, eni);
    const char *endpoint = nat || lb || classic ? NULL : vpce_of_eni(walk->net, eni->obj.id);
    return nat        ? component_json(&nat->obj, NULL)
           : lb       ? component_json(&lb->obj, NULL)
           : classic  ? component_json(&classic->obj, NULL)
           : endpoint ? component_json(store_find(network_store(walk->net), endpoint), endpoint)
                      : NULL;
}

static void
members_eni(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)before;
    json_t *owner = hop->eni ? owner_json(walk, hop->eni) : NULL;
    if (owner) {
        set(json, "AttachedTo", owner);
    }
    if (hop->eni) {
        set_object(walk, json, "Subnet", &subnet_kind, hop->eni->subnet_id);
        set_object(walk, json, "Vpc", &vpc_kind, hop->eni->vpc_id);
    }
}

static void
members_groups(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)walk, (void)before;
    if (hop->sg_rule) {
        set(json, "SecurityGroupRule", sg_rule_json(hop->sg_rule));
    }
}

static void
members_acl(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)before;
    if (hop->nacl_entry) {
        set(json, "AclRule", nacl_entry_json(hop->nacl_entry));
    }
    set_place(walk, hop, json);
}

static void
members_route_table(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)before;
    if (hop->route) {
        set(json, "RouteTableRoute", route_json(hop->route));
    }
    set_place(walk, hop, json);
}

static void
members_gateway(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)before;
    set_object(walk, json, "Vpc", &vpc_kind, hop->vpc_id);
}

/* A hop of an endpoint or NAT gateway stands in a subnet too. */
static void
members_in_subnet(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    (void)before;
    set_place(walk, hop, json);
}

static void
members_peering(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    const struct peering *peering = (const struct peering *)(const void *)hop->component;
    const struct peering_side *far = peering && hop->vpc_id ? peering_other(peering, hop->vpc_id) : NULL;
    (void)before;
    if (far) {
        set_object(walk, json, "SourceVpc", &vpc_kind, hop->vpc_id);
        set_object(walk, json, "DestinationVpc", &vpc_kind, far->vpc_id);
    }
}

static void
members_attachment(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    const struct tgw_attachment *attachment = (const struct tgw_attachment *)(const void *)hop->component;
    (void)before;
    if (attachment) {
        set_object(walk, json, "TransitGateway", &transit_gateway_kind, attachment->tgw_id);
        set_object(walk, json, "Vpc", &vpc_kind, attachment->vpc_id);
    }
}

/* AWS's analyzer does not look at the way back of what a transit gateway's table routes. */
static void
members_tgw_table(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    const struct tgw_route_table *table = (const struct tgw_route_table *)(const void *)hop->component;
    if (!table) {
        return;
    }
    struct cidr host = cidr_host(&before->dst);
    struct tgw_way way = tgw_table_lookup(walk->net, table, &host);
    set_object(walk, json, "TransitGateway", &transit_gateway_kind, table->tgw_id);
    if (way.found) {
        set(json, "TransitGatewayRouteTableRoute", tgw_way_json(walk->net, &way));
    }
    if (!walk->is_reply && before->protocol == PROTOCOL_TCP) {
        component_detail(json, "UNIDIRECTIONAL_PATH_ANALYSIS_ONLY");
    }
}

static void
members_service(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    const struct private_service *service = (const struct private_service *)(const void *)hop->component;
    (void)walk, (void)before;
    if (service && service->name) {
        set(json, "ServiceName", json_string(service->name));
    }
}

static bool
attributes_known(const struct walk *walk, const struct lb_listener *listener)
{
    bool known = listener && listener->actions.n > 0;
    for (size_t i = 0; known && i < listener->actions.n; i++) {
        const struct lb_action *action = &listener->actions.items[i];
        const struct target_group *group =
            action->group_arn ? network_target_group(walk->net, action->group_arn) : NULL;
        known = group && group->attributes.n > 0;
    }
    return known;
}

/* Dumps have target groups without their attributes; whether the client's address is kept is then what AWS does by
 * default. */
static void
members_balancer(const struct walk *walk, const struct hop *hop, const struct packet *before, json_t *json)
{
    bool classic = hop->component && hop->component->kind == &classic_balancer_kind;
    const struct load_balancer *lb = classic ? NULL : (const struct load_balancer *)(const void *)hop->component;
    set_object(walk, json, "Vpc", &vpc_kind, hop->vpc_id);
    if (hop->listener) {
        json_t *listener = json_object();
        set(listener, "Arn", json_string(hop->listener->arn ? hop->listener->arn : ""));
        set(json, "ElasticLoadBalancerListener", listener);
    }
    if (lb && load_balancer_is_network(lb) && !hop->stopped && !ip_equal(&hop->packet.dst, &before->dst) &&
        !attributes_known(walk, hop->listener)) {
        bool kept = ip_equal(&hop->packet.src, &before->src);
        component_detail(json, "MISSING_TARGET_GROUP_ATTRIBUTES");
        component_detail(json, kept ? "ASSUMPTION_PRESERVE_CLIENT_IP_IS_ENABLED"
                                    : "ASSUMPTION_PRESERVE_CLIENT_IP_IS_DISABLED");
    }
}

/* ---- One row per kind of hop ---------------------------------------------------------------------------------------
 */

static const struct {
    bool shown; /* as a component of its own */
    members_fn *members;
} rows[] = {
    [HOP_INSTANCE] = { true, NULL },
    [HOP_ENI] = { true, members_eni },
    [HOP_GROUPS] = { true, members_groups },
    [HOP_SUBNET] = { false, NULL },
    [HOP_ACL] = { true, members_acl },
    [HOP_ROUTE_TABLE] = { true, members_route_table },
    [HOP_VPC] = { false, NULL },
    [HOP_IGW] = { true, members_gateway },
    [HOP_NAT] = { true, members_in_subnet },
    [HOP_PEERING] = { true, members_peering },
    [HOP_TGW] = { true, NULL },
    [HOP_TGW_TABLE] = { true, members_tgw_table },
    [HOP_ATTACHMENT] = { true, members_attachment },
    [HOP_VGW] = { true, members_gateway },
    [HOP_VPN] = { true, NULL },
    [HOP_CUSTOMER] = { true, NULL },
    [HOP_DX] = { true, NULL },
    [HOP_VIF] = { true, NULL },
    [HOP_EIGW] = { true, members_gateway },
    [HOP_VPCE] = { true, members_gateway },
    [HOP_SERVICE] = { true, members_service },
    [HOP_LB] = { true, members_balancer },
    [HOP_UNMODELLED] = { true, NULL },
};

static const struct packet *
packet_before(const struct walk *walk, size_t i)
{
    return i ? &walk->hops.items[i - 1].packet : &walk->start;
}

static bool
packet_same(const struct packet *a, const struct packet *b)
{
    return ip_equal(&a->src, &b->src) && ip_equal(&a->dst, &b->dst) && a->src_port == b->src_port &&
           a->dst_port == b->dst_port;
}

static const char *
hop_zone(const struct walk *walk, const struct hop *hop)
{
    const struct subnet *subnet =
        hop->eni ? store_get(network_store(walk->net), &subnet_kind, hop->eni->subnet_id) : NULL;
    return subnet ? subnet->zone : hop->eni ? hop->eni->zone : NULL;
}

/* AWS prints members in the order of its shape. */
static json_t *
in_aws_order(json_t *component)
{
    static const char *const order[] = {
        "SequenceNumber",
        "AclRule",
        "AttachedTo",
        "Component",
        "DestinationVpc",
        "OutboundHeader",
        "InboundHeader",
        "RouteTableRoute",
        "SecurityGroupRule",
        "SourceVpc",
        "Subnet",
        "Vpc",
        "AdditionalDetails",
        "TransitGateway",
        "TransitGatewayRouteTableRoute",
        "Explanations",
        "ElasticLoadBalancerListener",
        "FirewallStatelessRule",
        "FirewallStatefulRule",
        "ServiceName",
    };
    json_t *out = json_object();
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        json_t *value = json_object_get(component, order[i]);
        if (value) {
            json_object_set(out, order[i], value);
        }
    }
    json_decref(component);
    return out;
}

static json_t *
component_of(const struct walk *walk, size_t i, size_t n_before, const char **zone)
{
    const struct hop *hop = &walk->hops.items[i];
    const struct packet *before = packet_before(walk, i);
    const char *here = hop->kind == HOP_ENI ? hop_zone(walk, hop) : NULL;
    bool last = i + 1 == walk->hops.n, changed = !packet_same(before, &hop->packet);
    json_t *json = json_object();
    set(json, "SequenceNumber", json_integer((json_int_t)n_before + 1));
    set(json, "Component", component_json(hop->component, hop->id));
    if (rows[hop->kind].members) {
        rows[hop->kind].members(walk, hop, before, json);
    }
    if (changed || (last && n_before > 0)) {
        set(json, "InboundHeader", packet_json(before));
    }
    if (changed || n_before == 0) {
        set(json, "OutboundHeader", packet_json(&hop->packet));
    }
    if (here && *zone && strcmp(here, *zone) != 0) {
        component_detail(json, "AVAILABILITY_ZONE_CROSSED");
    }
    *zone = here ? here : *zone;
    json_t *explanations = json_array();
    for (size_t k = 0; walk->mended && k < walk->mended->items.n; k++) {
        if (walk->mended->items.items[k].hops.n == i + 1) {
            json_array_append_new(explanations, obstacle_explanation(&walk->mended->items.items[k]));
        }
    }
    if (last && walk->stop) {
        json_array_append_new(explanations, obstacle_explanation(walk));
    }
    if (json_array_size(explanations) > 0) {
        json_object_set(json, "Explanations", explanations);
    }
    json_decref(explanations);
    return in_aws_order(json);
}

json_t *
path_components(const struct walk *walk)
{
    json_t *list = json_array();
    const char *zone = NULL; /* of the interface before */
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        if (rows[hop->kind].shown && (hop->id || hop->component)) {
            json_array_append_new(list, component_of(walk, i, json_array_size(list), &zone));
        }
    }
    return list;
}
