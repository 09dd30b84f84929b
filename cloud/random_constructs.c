#include "cloud/random_constructs.h"

#include <string.h>

#include "netsim/analysis/walk.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"

static bool
of_kind(const struct hop *hop, const struct kind *kind)
{
    return hop->component && hop->component->kind == kind;
}

static bool
at_gateway_endpoint(const struct network *net, const struct hop *hop)
{
    (void)net;
    return of_kind(hop, &endpoint_kind) && endpoint_is_gateway((const struct endpoint *)hop->component);
}

static const struct endpoint *
endpoint_of(const struct network *net, const struct hop *hop)
{
    return of_kind(hop, &eni_kind) ? network_endpoint_of_eni(net, hop->component->id) : NULL;
}

static bool
at_interface_endpoint(const struct network *net, const struct hop *hop)
{
    const struct endpoint *endpoint = endpoint_of(net, hop);
    return endpoint && !network_private_service(net, endpoint->service_name);
}

static bool
at_private_link(const struct network *net, const struct hop *hop)
{
    const struct endpoint *endpoint = endpoint_of(net, hop);
    return endpoint && network_private_service(net, endpoint->service_name);
}

static bool
at_network_balancer(const struct network *net, const struct hop *hop)
{
    (void)net;
    return of_kind(hop, &load_balancer_kind) && load_balancer_is_network((const struct load_balancer *)hop->component);
}

static bool
is_application(const struct load_balancer *lb)
{
    return lb && lb->type && strcmp(lb->type, "application") == 0;
}

static bool
at_application_balancer(const struct network *net, const struct hop *hop)
{
    (void)net;
    return of_kind(hop, &load_balancer_kind) && is_application((const struct load_balancer *)hop->component);
}

/* The way of a balancer's own packets begins at an interface of it. */
static bool
from_application_balancer(const struct network *net, const struct hop *hop)
{
    return hop->kind == HOP_ENI && hop->eni && is_application(network_load_balancer_of_eni(net, hop->eni));
}

static bool
at_direct_connect(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->kind == HOP_DX;
}

static bool
at_vpn(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->kind == HOP_VPN;
}

static bool
at_classic_balancer(const struct network *net, const struct hop *hop)
{
    (void)net;
    return of_kind(hop, &classic_balancer_kind);
}

static bool
at_private_nat(const struct network *net, const struct hop *hop)
{
    (void)net;
    const struct nat_gateway *nat = (const struct nat_gateway *)hop->component;
    return of_kind(hop, &nat_gateway_kind) && nat->connectivity && strcmp(nat->connectivity, "private") == 0;
}

static bool
at_public_nat(const struct network *net, const struct hop *hop)
{
    return of_kind(hop, &nat_gateway_kind) && !at_private_nat(net, hop);
}

static bool
at_appliance(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->sent_on;
}

static bool
at_gateway_table(const struct network *net, const struct hop *hop)
{
    (void)net;
    const struct route_table *table = (const struct route_table *)hop->component;
    for (size_t i = 0; of_kind(hop, &route_table_kind) && i < table->associations.n; i++) {
        if (table->associations.items[i].gateway_id[0]) {
            return true;
        }
    }
    return false;
}

static bool
by_prefix_list_route(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->route && hop->route->prefix_list_id;
}

static bool
by_nat64_route(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->route && hop->route->nat_gateway_id && hop->route->cidr6.ip.family;
}

static bool
by_prefix_list_rule(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->sg_rule && hop->sg_rule->prefix_list_id;
}

static bool
by_group_rule(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->sg_rule && hop->sg_rule->group_id;
}

static bool
at_second_interface(const struct network *net, const struct hop *hop)
{
    (void)net;
    const struct eni *eni = (const struct eni *)hop->component;
    return of_kind(hop, &eni_kind) && eni->attachment.instance_id[0] && eni->attachment.device_index > 0;
}

static bool
at_secondary_address(const struct network *net, const struct hop *hop)
{
    (void)net;
    const struct eni *eni = (const struct eni *)hop->component;
    for (size_t i = 1; of_kind(hop, &eni_kind) && i < eni->addresses.n; i++) {
        const struct ip *ip = &eni->addresses.items[i].ip;
        if (ip_equal(ip, &hop->packet.src) || ip_equal(ip, &hop->packet.dst)) {
            return true;
        }
    }
    return false;
}

static bool
at_acl_deny(const struct network *net, const struct hop *hop)
{
    (void)net;
    return hop->kind == HOP_ACL && hop->stopped;
}

/* A network balancer hands it on. */
static bool
by_two_balancers(const struct network *net, const struct walk *walk)
{
    size_t n[2] = { 0, 0 };
    for (size_t i = 0; i < walk->hops.n; i++) {
        n[0] += at_network_balancer(net, &walk->hops.items[i]);
        n[1] += at_application_balancer(net, &walk->hops.items[i]);
    }
    return n[0] && n[1];
}

static const struct {
    const char *name;
    bool (*is)(const struct network *net, const struct hop *hop); /* NULL: by where the walk stops, or by all of it */
    enum stop stop;
    bool (*whole)(const struct network *net, const struct walk *walk);
} constructs[] = {
    { "gateway endpoint", at_gateway_endpoint, STOP_NONE, NULL },
    { "interface endpoint", at_interface_endpoint, STOP_NONE, NULL },
    { "endpoint of a service of the lab", at_private_link, STOP_NONE, NULL },
    { "network balancer", at_network_balancer, STOP_NONE, NULL },
    { "application balancer", at_application_balancer, STOP_NONE, NULL },
    { "application balancer behind another", NULL, STOP_NONE, by_two_balancers },
    { "interface of an application balancer", from_application_balancer, STOP_NONE, NULL },
    { "Classic balancer", at_classic_balancer, STOP_NONE, NULL },
    { "Direct Connect gateway", at_direct_connect, STOP_NONE, NULL },
    { "VPN connection", at_vpn, STOP_NONE, NULL },
    { "public NAT gateway", at_public_nat, STOP_NONE, NULL },
    { "private NAT gateway", at_private_nat, STOP_NONE, NULL },
    { "appliance that sends on", at_appliance, STOP_NONE, NULL },
    { "route table of a gateway", at_gateway_table, STOP_NONE, NULL },
    { "route to a prefix list", by_prefix_list_route, STOP_NONE, NULL },
    { "NAT64", by_nat64_route, STOP_NONE, NULL },
    { "rule of a prefix list", by_prefix_list_rule, STOP_NONE, NULL },
    { "rule of a group", by_group_rule, STOP_NONE, NULL },
    { "second interface", at_second_interface, STOP_NONE, NULL },
    { "secondary address", at_secondary_address, STOP_NONE, NULL },
    { "refused by an ACL", at_acl_deny, STOP_NONE, NULL },
    { "refused by a group, outwards", NULL, STOP_SG_EGRESS, NULL },
    { "refused by a group, inwards", NULL, STOP_SG_INGRESS, NULL },
    { "blackhole", NULL, STOP_BLACKHOLE, NULL },
    { "Block Public Access", NULL, STOP_PUBLIC_ACCESS, NULL },
    { "failed zone", NULL, STOP_FAILED, NULL },
};

static bool
meets(const struct network *net, const struct walk *walk, size_t row)
{
    bool met = constructs[row].whole ? constructs[row].whole(net, walk)
                                     : !constructs[row].is && walk->stop == constructs[row].stop;
    for (size_t i = 0; constructs[row].is && !met && i < walk->hops.n; i++) {
        met = constructs[row].is(net, &walk->hops.items[i]);
    }
    return met;
}

void
random_constructs_meet(const struct network *net, const struct flow_spec *flow, json_t *met)
{
    struct open_ways ways;
    struct err err = { 0 };
    if (!reach_ways(net, flow, &ways, &err)) {
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(constructs); i++) {
        if (meets(net, &ways.forward, i) || (ways.answered && meets(net, &ways.back, i))) {
            const char *name = constructs[i].name;
            json_object_set_new(met, name, json_integer(json_int(met, name, 0) + 1));
        }
    }
    open_ways_done(&ways);
}
