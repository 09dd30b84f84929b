/* An address to ask of an end that is a gateway and was given none: of somebody who stands behind it, as far as the
 * model tells.  AWS's analyzer takes any. */
#include <string.h>

#include "netsim/analysis/question.h"
#include "netsim/analysis/vpce.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

/* A static route of a VPN connection behind the gateway. */
static bool
behind_vpn(const struct network *net, const char *id, int family, struct ip *ip)
{
    const struct store *store = network_store(net);
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        bool behind = strcmp(vpn->obj.id, id) == 0 || strcmp(vpn->vpn_gateway_id, id) == 0 ||
                      strcmp(vpn->customer_gateway_id, id) == 0;
        if (behind && vpn->routes.n > 0 && vpn->routes.items[0].cidr.ip.family == family) {
            struct ip first = cidr_first(&vpn->routes.items[0].cidr);
            *ip = ip_add(&first, 1);
            return true;
        }
    }
    return false;
}

/* The first interface of the VPC that has an address of the family; one of gateways and balancers answers nobody. */
static bool
in_vpc(const struct network *net, const char *vpc_id, int family, struct ip *ip)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        bool plain = !eni->type || strcmp(eni->type, "interface") == 0;
        const struct ip *own = family == IP_V4     ? eni_primary_ip(eni)
                               : eni->addresses6.n ? &eni->addresses6.items[0].ip
                                                   : NULL;
        if (plain && own && strcmp(eni->vpc_id, vpc_id) == 0) {
            *ip = *own;
            return true;
        }
    }
    return false;
}

/* Across a peering connection or a transit gateway: in a VPC other than 'here'. */
static bool
in_other_vpc(const struct network *net, const char *id, const char *here, int family, struct ip *ip)
{
    const struct store *store = network_store(net);
    const struct peering *peering = strncmp(id, "pcx-", 4) == 0 ? store_get(store, &peering_kind, id) : NULL;
    const struct peering_side *far = peering ? peering_other(peering, here) : NULL;
    if (far) {
        return in_vpc(net, far->vpc_id, family, ip);
    }
    for (const struct tgw_attachment *a = strncmp(id, "tgw-", 4) == 0 ? store_first(store, &tgw_attachment_kind) : NULL;
         a; a = store_next(store, a)) {
        bool named = strcmp(a->obj.id, id) == 0 || strcmp(a->tgw_id, id) == 0;
        if (named && *a->vpc_id && strcmp(a->vpc_id, here) != 0 && in_vpc(net, a->vpc_id, family, ip)) {
            return true;
        }
    }
    return false;
}

/* What the sender's route table sends to the gateway, unless that is everything. */
static bool
routed_to(const struct network *net, const char *id, const struct eni *sender, int family, struct ip *ip)
{
    bool to_internet = strncmp(id, "igw-", 4) == 0 || strncmp(id, "eigw-", 5) == 0; /* any address outside does */
    const struct subnet *subnet = to_internet ? NULL : store_get(network_store(net), &subnet_kind, sender->subnet_id);
    const struct route_table *table = subnet ? network_subnet_route_table(net, subnet) : NULL;
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const char *target = NULL;
        const struct route *route = &table->routes.items[i];
        const struct cidr *cidr = family == IP_V4 ? &route->cidr : &route->cidr6;
        route_target(route, &target);
        if (target && strcmp(target, id) == 0 && cidr->ip.family == family && cidr->bits > 0) {
            struct ip first = cidr_first(cidr);
            *ip = ip_add(&first, 1);
            return true;
        }
    }
    return false;
}

bool
gateway_address(const struct network *net, const char *id, const struct eni *other, bool is_destination, int family,
                struct ip *ip)
{
    if (behind_vpn(net, id, family, ip)) {
        return true;
    }
    if (strncmp(id, "vpce-", 5) == 0) {
        return vpce_service_address(net, id, family, ip);
    }
    return other && (in_other_vpc(net, id, other->vpc_id, family, ip) ||
                     (is_destination && routed_to(net, id, other, family, ip)));
}

/* An address on premises: the VPN connection with a static route to it, else the virtual private gateway of the
 * receiver's VPC, for what BGP announces is in no dump. */
const char *
gateway_of_outsider(const struct network *net, const struct ip *ip, const struct eni *receiver)
{
    const struct store *store = network_store(net);
    if (!ip_is_private(ip)) {
        return NULL;
    }
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        for (size_t i = 0; vpn_connection_is_available(vpn) && i < vpn->routes.n; i++) {
            if (cidr_contains_ip(&vpn->routes.items[i].cidr, ip)) {
                return vpn->obj.id;
            }
        }
    }
    for (const struct vpn_gateway *vgw = receiver ? store_first(store, &vpn_gateway_kind) : NULL; vgw;
         vgw = store_next(store, vgw)) {
        const char *vpc_id = vpn_gateway_vpc(vgw);
        if (vpc_id && strcmp(vpc_id, receiver->vpc_id) == 0) {
            return vgw->obj.id;
        }
    }
    return NULL;
}
