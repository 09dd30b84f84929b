#include "netsim/analysis/access_scope_match.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/access_scope.h"
#include "netsim/analysis/insights.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/subnet.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpc.h"
#include "netsim/model/vpn.h"

/* Types as AWS CloudFormation names them.  Firewalls, endpoint services and balancers of the first generation have none
 * of ours behind them where 'kind' is NULL: they fit nothing. */
static const struct {
    const char *type;
    const struct kind *kind;
} types[] = {
    { "AWS::EC2::Instance", &instance_kind },
    { "AWS::EC2::NetworkInterface", &eni_kind },
    { "AWS::EC2::InternetGateway", &internet_gateway_kind },
    { "AWS::EC2::SecurityGroup", &security_group_kind },
    { "AWS::EC2::Subnet", &subnet_kind },
    { "AWS::EC2::VPC", &vpc_kind },
    { "AWS::EC2::VPNGateway", &vpn_gateway_kind },
    { "AWS::EC2::TransitGatewayAttachment", &tgw_attachment_kind },
    { "AWS::EC2::VPCEndpoint", &endpoint_kind },
    { "AWS::EC2::VPCPeeringConnection", &peering_kind },
    { "AWS::EC2::NatGateway", &nat_gateway_kind },
    { "AWS::ElasticLoadBalancingV2::LoadBalancer", &load_balancer_kind },
    { "AWS::ElasticLoadBalancing::LoadBalancer", NULL },
    { "AWS::EC2::VPCEndpointService", NULL },
    { "AWS::NetworkFirewall::NetworkFirewall", NULL },
};

/* ---- Resources -----------------------------------------------------------------------------------------------------
 */

static bool
object_fits(const struct object *object, const char *id, const struct kind *kind, const json_t *statement)
{
    const json_t *named = json_object_get(statement, "Resources"), *kinds = json_object_get(statement, "ResourceTypes");
    const struct load_balancer *lb =
        kind == &load_balancer_kind ? (const struct load_balancer *)(const void *)object : NULL;
    for (size_t i = 0; i < json_array_size(named); i++) {
        const char *text = json_string_value(json_array_get(named, i));
        if (strcmp(id_of_arn(text), id) == 0 || (lb && lb->arn && strcmp(lb->arn, text) == 0)) {
            return true;
        }
    }
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const char *text = json_string_value(json_array_get(kinds, i));
        for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
            if (types[t].kind && types[t].kind == kind && strcmp(types[t].type, text) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* An interface is itself, its instance, subnet, VPC, groups and endpoint. */
static bool
eni_fits(const struct network *net, const struct eni *eni, const json_t *statement)
{
    const struct endpoint *endpoint = network_endpoint_of_eni(net, eni->obj.id);
    const char *instance = eni->attachment.instance_id;
    bool fits = object_fits(&eni->obj, eni->obj.id, &eni_kind, statement) ||
                object_fits(NULL, eni->subnet_id, &subnet_kind, statement) ||
                object_fits(NULL, eni->vpc_id, &vpc_kind, statement) ||
                (*instance && object_fits(NULL, instance, &instance_kind, statement)) ||
                (endpoint && object_fits(&endpoint->obj, endpoint->obj.id, &endpoint_kind, statement));
    for (size_t i = 0; i < eni->groups.n && !fits; i++) {
        fits = object_fits(NULL, eni->groups.items[i].id, &security_group_kind, statement);
    }
    return fits;
}

bool
scope_end_fits(const struct network *net, const struct scope_end *end, const json_t *path, const char *side)
{
    const json_t *statement = json_object_get(json_object_get(path, side), "ResourceStatement");
    if (!statement) {
        return true;
    }
    return end->eni ? eni_fits(net, end->eni, statement)
                    : object_fits(end->gateway, end->gateway->id, end->gateway->kind, statement);
}

static bool
statement_on_way(const struct network *net, const json_t *components, const json_t *statement)
{
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *component = json_object_get(json_array_get(components, i), "Component");
        const char *id = json_str(component, "Id");
        const struct object *object = id ? store_find(network_store(net), id) : NULL;
        if (object && object_fits(object, object->id, object->kind, statement)) {
            return true;
        }
    }
    return false;
}

bool
scope_through_fits(const struct network *net, const json_t *components, const json_t *path)
{
    const json_t *through = json_object_get(path, "ThroughResources");
    for (size_t i = 0; i < json_array_size(through); i++) {
        const json_t *statement = json_object_get(json_array_get(through, i), "ResourceStatement");
        if (statement && !statement_on_way(net, components, statement)) {
            return false;
        }
    }
    return true;
}

/* ---- Headers -------------------------------------------------------------------------------------------------------
 */

bool
scope_port_range(const char *text, int *from, int *to)
{
    char *end = NULL;
    long low = strtol(text, &end, 10), high = low;
    if (end == text) {
        return false;
    }
    if (*end == '-') {
        const char *second = end + 1;
        high = strtol(second, &end, 10);
        if (end == second) {
            return false;
        }
    }
    *from = (int)low;
    *to = (int)high;
    return *end == '\0' && low >= 0 && high <= 65535 && low <= high;
}

static bool
address_fits(const struct network *net, const struct ip *ip, const json_t *cidrs, const json_t *lists)
{
    bool fits = json_array_size(cidrs) == 0 && json_array_size(lists) == 0;
    for (size_t i = 0; i < json_array_size(cidrs) && !fits; i++) {
        struct cidr cidr;
        fits = cidr_parse_loose(json_string_value(json_array_get(cidrs, i)), &cidr) && cidr_contains_ip(&cidr, ip);
    }
    for (size_t i = 0; i < json_array_size(lists) && !fits; i++) {
        const struct prefix_list *list =
            store_get(network_store(net), &prefix_list_kind, id_of_arn(json_string_value(json_array_get(lists, i))));
        fits = list && prefix_list_contains(list, ip, NULL);
    }
    return fits;
}

static bool
port_fits(int port, const json_t *ports)
{
    bool fits = json_array_size(ports) == 0;
    for (size_t i = 0; i < json_array_size(ports) && !fits; i++) {
        int from, to;
        fits = scope_port_range(json_string_value(json_array_get(ports, i)), &from, &to) && port >= from && port <= to;
    }
    return fits;
}

bool
scope_header_fits(const struct network *net, const struct packet *p, const json_t *path, const char *side)
{
    const json_t *header = json_object_get(json_object_get(path, side), "PacketHeaderStatement");
    const json_t *protocols = json_object_get(header, "Protocols");
    bool fits = json_array_size(protocols) == 0;
    for (size_t i = 0; i < json_array_size(protocols) && !fits; i++) {
        fits = strcmp(json_string_value(json_array_get(protocols, i)), protocol_name(p->protocol)) == 0;
    }
    return fits &&
           address_fits(net, &p->src, json_object_get(header, "SourceAddresses"),
                        json_object_get(header, "SourcePrefixLists")) &&
           address_fits(net, &p->dst, json_object_get(header, "DestinationAddresses"),
                        json_object_get(header, "DestinationPrefixLists")) &&
           port_fits(p->src_port, json_object_get(header, "SourcePorts")) &&
           port_fits(p->dst_port, json_object_get(header, "DestinationPorts"));
}

/* ---- Checking ------------------------------------------------------------------------------------------------------
 */

static bool
known_type(const char *text)
{
    bool known = false;
    for (size_t i = 0; i < ARRAY_SIZE(types) && !known; i++) {
        known = strcmp(types[i].type, text) == 0;
    }
    return known;
}

static bool
is_cidr(const char *text)
{
    struct cidr cidr;
    return cidr_parse_loose(text, &cidr) && cidr.ip.family == IP_V4;
}

static bool
is_port(const char *text)
{
    int from, to;
    return scope_port_range(text, &from, &to);
}

static const struct list_check {
    const char *statement, *member, *expected;
    bool (*is)(const char *text);
} list_checks[] = {
    { "ResourceStatement", "ResourceTypes", "a type such as AWS::EC2::InternetGateway", known_type },
    { "PacketHeaderStatement", "SourceAddresses", "an IPv4 address or CIDR block", is_cidr },
    { "PacketHeaderStatement", "DestinationAddresses", "an IPv4 address or CIDR block", is_cidr },
    { "PacketHeaderStatement", "SourcePorts", "a port or a range such as 80-90", is_port },
    { "PacketHeaderStatement", "DestinationPorts", "a port or a range such as 80-90", is_port },
};

static bool
check_statements(const json_t *statements, const char *where, struct err *err)
{
    for (size_t c = 0; c < ARRAY_SIZE(list_checks); c++) {
        const struct list_check *check = &list_checks[c];
        const json_t *list = json_object_get(json_object_get(statements, check->statement), check->member);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const char *text = json_string_value(json_array_get(list, i));
            if (!text || !check->is(text)) {
                err_set(err, ERR_INPUT, "InvalidParameterValue", "`%.80s` in %s is not %s", text ? text : "",
                        check->member, check->expected);
                return err_at(err, where, 0, 0);
            }
        }
    }
    return true;
}

bool
access_scope_check(const json_t *paths, const char *where, struct err *err)
{
    for (size_t i = 0; i < json_array_size(paths); i++) {
        const json_t *path = json_array_get(paths, i), *through = json_object_get(path, "ThroughResources");
        bool ok = check_statements(json_object_get(path, "Source"), where, err) &&
                  check_statements(json_object_get(path, "Destination"), where, err);
        for (size_t k = 0; k < json_array_size(through) && ok; k++) {
            ok = check_statements(json_array_get(through, k), where, err);
        }
        if (!ok) {
            return false;
        }
    }
    return true;
}
