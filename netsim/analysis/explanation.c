#include "netsim/analysis/explanation.h"

#include <string.h>

#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/direct_connect_way.h"

static void *
get(const struct obstacle *o, const struct kind *kind, const char *id)
{
    return id && *id ? store_get(network_store(o->net), kind, id) : NULL;
}

static json_t *
component(const struct obstacle *o, const struct kind *kind, const char *id)
{
    return component_json(get(o, kind, id), id);
}

static void
put(json_t *json, unsigned wanted, const char *member, json_t *value)
{
    if (wanted && value) {
        json_object_set_new(json, member, value);
    } else {
        json_decref(value);
    }
}

static json_t *
groups_json(const struct obstacle *o)
{
    json_t *list = json_array();
    for (size_t i = 0; i < o->eni->groups.n; i++) {
        json_array_append_new(list, component(o, &security_group_kind, o->eni->groups.items[i].id));
    }
    return list;
}

const char *
explanation_state(const struct obstacle *o)
{
    const struct object *object = o->hop->component;
    if (o->walk->stop == STOP_BLACKHOLE || o->walk->stop == STOP_TGW_BLACKHOLE) {
        return "blackhole";
    }
    if (object && object->kind == &peering_kind) {
        return ((const struct peering *)(const void *)object)->status;
    }
    if (object && object->kind == &nat_gateway_kind) {
        return ((const struct nat_gateway *)(const void *)object)->state;
    }
    if (object && object->kind == &vpn_connection_kind) {
        return ((const struct vpn_connection *)(const void *)object)->state;
    }
    if (object && object->kind == &virtual_interface_kind) {
        return virtual_interface_fault(o->net, (const struct virtual_interface *)(const void *)object,
                                       o->packet->dst.family);
    }
    if (object && object->kind == &direct_connect_gateway_kind) {
        return ((const struct direct_connect_gateway *)(const void *)object)->state;
    }
    if (object && object->kind == &load_balancer_kind) {
        return ((const struct load_balancer *)(const void *)object)->state;
    }
    const struct instance *instance = o->eni ? eni_instance(o->net, o->eni) : NULL;
    return instance ? instance->state_name : NULL;
}

static json_t *
customer_json(const struct obstacle *o)
{
    const struct object *object = o->hop->component;
    const struct vpn_connection *vpn =
        object && object->kind == &vpn_connection_kind ? (const struct vpn_connection *)(const void *)object : NULL;
    return vpn && *vpn->customer_gateway_id ? component(o, &customer_gateway_kind, vpn->customer_gateway_id) : NULL;
}

static void
put_rules(const struct obstacle *o, unsigned m, json_t *json)
{
    put(json, m & M_ACL, "Acl", component_json(o->hop->component, o->hop->id));
    put(json, m & M_ACL, "AclRule", o->hop->nacl_entry ? nacl_entry_json(o->hop->nacl_entry) : NULL);
    put(json, m & M_ROUTE, "RouteTableRoute", o->walk->route ? route_json(o->walk->route) : NULL);
    put(json, m & M_GROUPS, "SecurityGroups", o->eni ? groups_json(o) : NULL);
}

static void
put_gateway(const struct obstacle *o, unsigned m, json_t *json)
{
    static const struct {
        unsigned member;
        const char *name;
    } rows[] = { { M_TGW, "TransitGateway" },
                 { M_VPCE, "VpcEndpoint" },
                 { M_PCX, "VpcPeeringConnection" },
                 { M_VPN, "VpnConnection" },
                 { M_VGW, "VpnGateway" } };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct hop *hop = o->hop;
        bool table = rows[i].member == M_TGW && hop->kind == HOP_TGW_TABLE;
        const char *id = table ? o->walk->tgw_id : hop->id;
        put(json, m & rows[i].member, rows[i].name,
            component_json(table ? get(o, &transit_gateway_kind, id) : hop->component, id));
        put(json, m & rows[i].member && table, "TransitGatewayRouteTable", component_json(hop->component, hop->id));
    }
}

static json_t *
destination_json(const struct obstacle *o)
{
    if (o->walk->target.kind == TARGET_ENI) {
        return component_json(&o->walk->target.eni->obj, NULL);
    }
    return o->walk->target.kind == TARGET_GATEWAY ? component_json(NULL, o->walk->target.gateway_id) : NULL;
}

/* The peering connection's other VPC, and its blocks. */
static void
put_peering(const struct obstacle *o, unsigned m, json_t *json)
{
    const struct peering *peering =
        o->hop->kind == HOP_PEERING ? (const struct peering *)(const void *)o->hop->component : NULL;
    const struct peering_side *far = peering && o->walk->vpc_id ? peering_other(peering, o->walk->vpc_id) : NULL;
    if (far && m & M_VPCS) {
        put(json, 1, "SourceVpc", component(o, &vpc_kind, o->walk->vpc_id));
        put(json, 1, "DestinationVpc", component(o, &vpc_kind, far->vpc_id));
    }
}

static void
put_cidr(json_t *list, const struct cidr *cidr)
{
    if (cidr->ip.family) {
        json_array_append_new(list, json_string(cidr_str(cidr)));
    }
}

/* What the associations of a Direct Connect gateway announce. */
static void
put_announced(const struct obstacle *o, const char *gateway_id, json_t *list)
{
    const struct store *store = network_store(o->net);
    direct_connect_blocks blocks = { 0 };
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        if (strcmp(a->gateway_id, gateway_id) == 0) {
            direct_connect_announced(o->net, a, &blocks);
        }
    }
    for (size_t i = 0; i < blocks.n; i++) {
        put_cidr(list, &blocks.items[i]);
    }
    VEC_DONE(&blocks);
}

static json_t *
cidrs_json(const struct obstacle *o)
{
    json_t *list = json_array();
    const struct object *object = o->hop->component;
    if (o->hop->kind == HOP_DX && o->hop->id) {
        put_announced(o, o->hop->id, list);
        return list;
    }
    const struct vpc *vpc = get(o, &vpc_kind, o->walk->vpc_id);
    if (object && object->kind == &vpn_connection_kind) {
        const struct vpn_connection *vpn = (const struct vpn_connection *)(const void *)object;
        for (size_t i = 0; i < vpn->routes.n; i++) {
            put_cidr(list, &vpn->routes.items[i].cidr);
        }
        return list;
    }
    if (object && object->kind == &peering_kind && o->walk->vpc_id) {
        const struct peering_side *far = peering_other((const struct peering *)(const void *)object, o->walk->vpc_id);
        vpc = far ? get(o, &vpc_kind, far->vpc_id) : NULL;
    }
    for (size_t i = 0; vpc && i < vpc->cidrs.n; i++) {
        put_cidr(list, &vpc->cidrs.items[i].cidr);
    }
    return list;
}

static void
put_tgw(const struct obstacle *o, unsigned m, json_t *json)
{
    const struct tgw_attachment *in = o->walk->attachment;
    put(json, m & M_ATTACHMENT && in, "TransitGatewayAttachment", in ? component_json(&in->obj, NULL) : NULL);
    if (m & M_TGW_ROUTE && o->hop->kind == HOP_TGW_TABLE && o->hop->component) {
        struct cidr host = cidr_host(&o->packet->dst);
        struct tgw_way way =
            tgw_table_lookup(o->net, (const struct tgw_route_table *)(const void *)o->hop->component, &host);
        put(json, way.found, "TransitGatewayRouteTableRoute", tgw_way_json(o->net, &way));
    }
}

/* Of a listener's actions and rules, each group once. */
static json_t *
target_groups_json(const struct obstacle *o, const struct lb_listener *listener)
{
    json_t *list = json_array();
    for (size_t i = 0; listener && i < listener->actions.n; i++) {
        const char *arn = listener->actions.items[i].group_arn;
        const struct target_group *group = arn ? network_target_group(o->net, arn) : NULL;
        if (arn) {
            json_array_append_new(list, json_pack("{s:s, s:s?, s:s}", "Id", group ? group->obj.id : arn, "Name",
                                                  group ? group->name : NULL, "Arn", arn));
        }
    }
    return list;
}

static void
put_balancer(const struct obstacle *o, unsigned m, json_t *json)
{
    const struct object *object = o->hop->component;
    if (!(m & M_LB) || !object || object->kind != &load_balancer_kind) {
        return;
    }
    const struct load_balancer *lb = (const struct load_balancer *)(const void *)object;
    const struct lb_listener *listener = o->hop->listener;
    put(json, lb->arn != NULL, "LoadBalancerArn", json_string(lb->arn ? lb->arn : ""));
    if (listener) {
        put(json, 1, "ElasticLoadBalancerListener", json_pack("{s:s}", "Arn", listener->arn ? listener->arn : ""));
        put(json, 1, "LoadBalancerListenerPort", json_integer(listener->port));
    }
    put(json, m & M_LB_GROUPS, "LoadBalancerTargetGroups", target_groups_json(o, listener));
}

static void
put_missing(const struct obstacle *o, unsigned m, json_t *json)
{
    if (!(m & M_MISSING) || o->hop->component || !o->hop->id) {
        return;
    }
    put(json, 1, "MissingComponent", json_string(o->hop->id));
    const struct object *near = get(o, &vpc_kind, o->walk->vpc_id);
    put(json, near != NULL, "ComponentRegion", near ? json_string(near->region) : NULL);
}

static const char *
zone_str(const struct obstacle *o)
{
    return o->walk->zone            ? o->walk->zone
           : o->eni && o->eni->zone ? o->eni->zone
           : o->hop->subnet         ? o->hop->subnet->zone
                                    : NULL;
}

json_t *
explanation_json(const struct obstacle *obstacle, unsigned members)
{
    const struct obstacle o = *obstacle;
    const struct walk *walk = o.walk;
    unsigned m = members;
    const char *zone = zone_str(&o);
    json_t *json = json_object();
    const char *state = explanation_state(&o);
    put(json, m & M_ADDRESS_DST, "Address", json_string(ip_str(&o.packet->dst)));
    put(json, m & M_ADDRESS_SRC, "Address", json_string(ip_str(&o.packet->src)));
    put_rules(&o, m, json);
    put(json, m & M_COMPONENT, "Component", component_json(o.hop->component, o.hop->id));
    put(json, m & M_DESTINATION, "Destination", destination_json(&o));
    put(json, m & M_DIRECTION, "Direction", json_string(o.hop->egress ? "egress" : "ingress"));
    put(json, 1, "ExplanationCode", json_string(stop_rows[walk->stop].codes[0]));
    put(json, m & M_IGW, "InternetGateway",
        o.hop->kind == HOP_IGW ? component_json(o.hop->component, o.hop->id) : NULL);
    put(json, m & M_NAT, "NatGateway", component_json(o.hop->component, o.hop->id));
    put(json, m & M_ENI, "NetworkInterface", o.eni ? component_json(&o.eni->obj, NULL) : NULL);
    put(json, m & M_PROTOCOL, "Protocols", json_pack("[s]", protocol_name(o.packet->protocol)));
    put(json, m & M_TABLE, "RouteTable", o.table ? component_json(&o.table->obj, NULL) : NULL);
    put(json, m & M_STATE, "State", state ? json_string(state) : NULL);
    put(json, m & M_SUBNET, "Subnet", o.hop->subnet ? component_json(&o.hop->subnet->obj, NULL) : NULL);
    put_gateway(&o, m, json);
    put_peering(&o, m, json);
    put_tgw(&o, m, json);
    put_balancer(&o, m, json);
    put_missing(&o, m, json);
    put(json, m & M_CIDRS, "Cidrs", cidrs_json(&o));
    put(json, m & M_ZONE && zone, "AvailabilityZones", json_pack("[s]", zone ? zone : ""));
    put(json, m & M_PORT && o.packet->dst_port >= 0, "Port", json_integer(o.packet->dst_port));
    put(json, m & M_CUSTOMER, "CustomerGateway", customer_json(&o));
    put(json, 1, "Vpc", walk->vpc_id && *walk->vpc_id ? component(&o, &vpc_kind, walk->vpc_id) : NULL);
    return json;
}
