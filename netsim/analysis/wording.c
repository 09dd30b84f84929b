#include "netsim/analysis/wording.h"

#include <ctype.h>
#include <string.h>

#include "netsim/analysis/tgw_table.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/vpn.h"

/* ---- Components ----------------------------------------------------------------------------------------------------
 */

const char *
component_name(const struct object *object)
{
    if (!object) {
        return NULL;
    }
    if (object->kind == &security_group_kind) {
        return ((const struct security_group *)(const void *)object)->name;
    }
    return object_name(object);
}

static const char *
partition_of(const char *region)
{
    return strncmp(region, "cn-", 3) == 0 ? "aws-cn" : strncmp(region, "us-gov-", 7) == 0 ? "aws-us-gov" : "aws";
}

json_t *
component_json(const struct object *object, const char *id)
{
    json_t *json = json_object();
    json_object_set_new(json, "Id", json_string(object ? object->id : id ? id : ""));
    if (object) {
        if (object->kind == &load_balancer_kind) {
            const struct load_balancer *lb = (const struct load_balancer *)(const void *)object;
            json_object_set_new(json, "Arn", json_string(lb->arn ? lb->arn : ""));
            return json;
        }
        if (object->kind == &classic_balancer_kind) {
            const char *own = classic_balancer_name((const struct classic_balancer *)(const void *)object);
            json_object_set_new(json, "Arn",
                                json_sprintf("arn:%s:elasticloadbalancing:%s:%s:loadbalancer/%s",
                                             partition_of(object->region), object->region, object->account, own));
            json_object_set_new(json, "Name", json_string(own));
            return json;
        }
        if (object->kind == &direct_connect_gateway_kind || object->kind == &virtual_interface_kind) {
            bool gateway = object->kind == &direct_connect_gateway_kind; /* which is in every region */
            json_object_set_new(json, "Arn",
                                json_sprintf("arn:%s:directconnect:%s:%s:%s/%s", partition_of(object->region),
                                             gateway ? "" : object->region, object->account,
                                             gateway ? "dx-gateway" : "dxvif", object->id));
            return json;
        }
        const char *type = object->kind->type ? object->kind->type : object->kind->name;
        json_object_set_new(json, "Arn",
                            json_sprintf("arn:%s:ec2:%s:%s:%s/%s", partition_of(object->region), object->region,
                                         object->account, type, object->id));
        const char *name = component_name(object);
        if (name) {
            json_object_set_new(json, "Name", json_string(name));
        }
    }
    return json;
}

/* ---- In words ------------------------------------------------------------------------------------------------------
 */

static const char *
protocol_words(int protocol)
{
    return protocol == PROTOCOL_ICMPV6 ? "icmpv6" : protocol_name(protocol);
}

/* Ports as people write them: "443", "1024-65535", nothing for all of them. */
static void
port_words(int from, int to, struct buf *out)
{
    if (from == to) {
        buf_printf(out, " %d", from);
    } else if (from > 0 || to < 65535) {
        buf_printf(out, " %d-%d", from, to);
    } else {
        buf_str_add(out, " any port");
    }
}

static void
icmp_words(int type, int code, struct buf *out)
{
    if (type >= 0) {
        buf_printf(out, code >= 0 ? " type %d code %d" : " type %d", type, code);
    }
}

void
sg_rule_words(const struct network *net, const struct sg_rule *rule, struct buf *out)
{
    buf_str_add(out, protocol_words(rule->protocol));
    if (protocol_has_ports(rule->protocol)) {
        port_words(rule->from, rule->to, out);
    } else if (protocol_is_icmp(rule->protocol)) {
        icmp_words(rule->from, rule->to, out);
    }
    buf_str_add(out, rule->egress ? " to " : " from ");
    if (rule->group_id) {
        const char *name = component_name(store_get(network_store(net), &security_group_kind, rule->group_id));
        buf_printf(out, name ? "%s (%s)" : "%s", rule->group_id, name);
    } else if (rule->prefix_list_id) {
        const struct prefix_list *list = store_get(network_store(net), &prefix_list_kind, rule->prefix_list_id);
        buf_printf(out, list && list->name ? "%s (%s)" : "%s", rule->prefix_list_id, list ? list->name : NULL);
    } else {
        buf_str_add(out, cidr_str(&rule->cidr));
    }
}

static const struct cidr *
nacl_entry_cidr(const struct nacl_entry *entry)
{
    return entry->cidr.ip.family ? &entry->cidr : &entry->cidr6;
}

void
nacl_entry_words(const struct nacl_entry *entry, struct buf *out)
{
    if (entry->number >= 32767) {
        buf_str_add(out, "rule * ");
    } else {
        buf_printf(out, "rule %d ", entry->number);
    }
    buf_printf(out, "%s %s", entry->action == NACL_ALLOW ? "allows" : "denies", protocol_words(entry->protocol));
    if (protocol_has_ports(entry->protocol) && entry->has_ports) {
        port_words(entry->ports.from, entry->ports.to, out);
    } else if (protocol_is_icmp(entry->protocol) && entry->has_icmp) {
        icmp_words(entry->icmp.type, entry->icmp.code, out);
    }
    buf_printf(out, " %s %s", entry->egress ? "to" : "from", cidr_str(nacl_entry_cidr(entry)));
}

void
route_words(const struct route *route, struct buf *out)
{
    const char *id = NULL;
    enum route_target target = route_target(route, &id);
    buf_printf(out, "%s -> %s", route_destination_str(route), target == ROUTE_LOCAL ? "local" : id ? id : "nothing");
    if (route_is_blackhole(route)) {
        buf_str_add(out, " (blackhole)");
    }
}

/* ---- In AWS's shapes -----------------------------------------------------------------------------------------------
 */

static json_t *
ports_json(int from, int to)
{
    return json_pack("{s:i, s:i}", "From", from, "To", to);
}

json_t *
sg_rule_json(const struct sg_rule *rule)
{
    json_t *json = json_object();
    if (rule->group_id) {
        json_object_set_new(json, "SecurityGroupId", json_string(rule->group_id));
    } else if (rule->prefix_list_id) {
        json_object_set_new(json, "PrefixListId", json_string(rule->prefix_list_id));
    } else {
        json_object_set_new(json, "Cidr", json_string(cidr_str(&rule->cidr)));
    }
    json_object_set_new(json, "Direction", json_string(rule->egress ? "egress" : "ingress"));
    if (protocol_has_ports(rule->protocol)) {
        json_object_set_new(json, "PortRange", ports_json(rule->from, rule->to));
    }
    json_object_set_new(json, "Protocol", json_string(protocol_words(rule->protocol)));
    return json;
}

json_t *
nacl_entry_json(const struct nacl_entry *entry)
{
    json_t *json = json_object();
    json_object_set_new(json, "Cidr", json_string(cidr_str(nacl_entry_cidr(entry))));
    json_object_set_new(json, "Egress", json_boolean(entry->egress));
    if (protocol_has_ports(entry->protocol) && entry->has_ports) {
        json_object_set_new(json, "PortRange", ports_json(entry->ports.from, entry->ports.to));
    }
    json_object_set_new(json, "Protocol", json_string(protocol_words(entry->protocol)));
    json_object_set_new(json, "RuleAction", json_string(entry->action == NACL_ALLOW ? "allow" : "deny"));
    json_object_set_new(json, "RuleNumber", json_integer(entry->number));
    return json;
}

/* Which member names the target. */
static const struct {
    size_t offset;
    const char *member;
} route_target_members[] = {
    { offsetof(struct route, gateway_id), "GatewayId" },
    { offsetof(struct route, nat_gateway_id), "NatGatewayId" },
    { offsetof(struct route, transit_gateway_id), "TransitGatewayId" },
    { offsetof(struct route, peering_id), "VpcPeeringConnectionId" },
    { offsetof(struct route, eni_id), "NetworkInterfaceId" },
    { offsetof(struct route, instance_id), "InstanceId" },
    { offsetof(struct route, egress_only_igw_id), "EgressOnlyInternetGatewayId" },
    { offsetof(struct route, carrier_gateway_id), "CarrierGatewayId" },
    { offsetof(struct route, local_gateway_id), "LocalGatewayId" },
    { offsetof(struct route, core_network_arn), "CoreNetworkArn" },
};

json_t *
route_json(const struct route *route)
{
    json_t *json = json_object();
    json_object_set_new(json, route->prefix_list_id ? "DestinationPrefixListId" : "DestinationCidr",
                        json_string(route_destination_str(route)));
    for (size_t i = 0; i < ARRAY_SIZE(route_target_members); i++) {
        const char *id = *(char *const *)(const void *)((const char *)route + route_target_members[i].offset);
        if (id) {
            json_object_set_new(json, route_target_members[i].member, json_string(id));
        }
    }
    if (route->origin) {
        char origin[32];
        size_t n = 0;
        for (; route->origin[n] && n < sizeof origin - 1; n++) {
            origin[n] = (char)tolower((unsigned char)route->origin[n]);
        }
        json_object_set_new(json, "Origin", json_stringn(origin, n));
    }
    if (route->state) {
        json_object_set_new(json, "State", json_string(route->state));
    }
    return json;
}

json_t *
tgw_way_json(const struct network *net, const struct tgw_way *way)
{
    json_t *json = json_object();
    const struct tgw_attachment *to =
        way->attachment_id ? store_get(network_store(net), &tgw_attachment_kind, way->attachment_id) : NULL;
    json_object_set_new(json, "DestinationCidr", json_string(cidr_str(&way->prefix)));
    json_object_set_new(json, "State", json_string(way->blackhole ? "blackhole" : "active"));
    json_object_set_new(json, "RouteOrigin", json_string(way->is_static ? "static" : "propagated"));
    if (way->prefix_list_id) {
        json_object_set_new(json, "PrefixListId", json_string(way->prefix_list_id));
    }
    if (way->attachment_id) {
        json_object_set_new(json, "AttachmentId", json_string(way->attachment_id));
    }
    if (to) {
        json_object_set_new(json, "ResourceId", json_string(to->resource_id));
        json_object_set_new(json, "ResourceType", json_string(to->resource_type ? to->resource_type : "vpc"));
    }
    return json;
}

static json_t *
one_address(const struct ip *ip)
{
    struct cidr host = cidr_host(ip);
    return json_pack("[s]", cidr_str(&host));
}

json_t *
packet_json(const struct packet *packet)
{
    json_t *json = json_object();
    json_object_set_new(json, "DestinationAddresses", one_address(&packet->dst));
    if (protocol_has_ports(packet->protocol)) {
        json_object_set_new(json, "DestinationPortRanges",
                            json_pack("[o]", ports_json(packet->dst_port, packet->dst_port)));
    }
    json_object_set_new(json, "Protocol", json_sprintf("%d", packet->protocol));
    json_object_set_new(json, "SourceAddresses", one_address(&packet->src));
    if (protocol_has_ports(packet->protocol)) {
        json_object_set_new(json, "SourcePortRanges", json_pack("[o]", ports_json(packet->src_port, packet->src_port)));
    }
    return json;
}
