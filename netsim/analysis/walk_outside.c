/* Out of AWS to networks on premises, and from there in: virtual private gateways, VPN connections, Direct Connect. */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/direct_connect_way.h"
#include "netsim/model/network.h"
#include "netsim/model/transit_gateway.h"

static bool
same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

/* The packet has left AWS, or its VPC, for somewhere that is not modelled. */
void
walk_outside(struct walk *w)
{
    if (w->target.kind == TARGET_ADDRESS) {
        walk_arrive(w);
    } else {
        walk_stop(w, w->target.kind == TARGET_INTERNET ? STOP_NO_INTERNET_ROUTE : STOP_OTHER_DESTINATION);
    }
}

/* ---- VPN connections and Direct Connect ----------------------------------------------------------------------------
 */

/* With BGP what stands behind is announced by the customer's router and in no describe call: any address may be. */
static bool
vpn_covers(const struct vpn_connection *vpn, const struct ip *ip)
{
    for (size_t i = 0; i < vpn->routes.n; i++) {
        if (cidr_contains_ip(&vpn->routes.items[i].cidr, ip)) {
            return true;
        }
    }
    return !vpn->static_routes_only;
}

bool
walk_vpn_is_target(const struct walk *w, const struct vpn_connection *vpn)
{
    return walk_is_target(w, vpn->obj.id) || walk_is_target(w, vpn->customer_gateway_id);
}

/* Out by the VPN connection to the customer gateway. */
void
walk_through_vpn(struct walk *w, const struct vpn_connection *vpn, enum stop when_down)
{
    walk_cross(w, HOP_VPN, &vpn->obj);
    if (!vpn_connection_is_available(vpn) && walk_stops(w, when_down)) {
        return;
    }
    if (!vpn_covers(vpn, &w->packet.dst) && walk_stops(w, STOP_VPN_NO_ROUTE)) {
        return;
    }
    if (walk_is_target(w, vpn->obj.id)) {
        walk_arrive(w);
        return;
    }
    walk_cross(w, HOP_CUSTOMER, walk_get(w, &customer_gateway_kind, vpn->customer_gateway_id))->id =
        vpn->customer_gateway_id;
    if (walk_is_target(w, vpn->customer_gateway_id)) {
        walk_arrive(w);
    } else {
        walk_outside(w);
    }
}

/* Whether the packet may go on by the lines of the gateway. */
static bool
line_is_up(struct walk *w, const char *gateway_id)
{
    const struct object *fault = direct_connect_fault(w->net, gateway_id, w->packet.dst.family);
    if (fault && fault->kind == &virtual_interface_kind) {
        walk_cross(w, HOP_VIF, fault);
    }
    return !fault || !walk_stops(w, STOP_DX_STATE);
}

void
walk_through_direct_connect(struct walk *w, const char *gateway_id, const struct direct_connect_association *way)
{
    walk_cross(w, HOP_DX, walk_get(w, &direct_connect_gateway_kind, gateway_id))->id = gateway_id;
    w->dx = way;
    if (!line_is_up(w, gateway_id)) {
        return;
    }
    if (walk_is_target(w, gateway_id)) {
        walk_arrive(w);
    } else {
        walk_outside(w);
    }
}

/* The association that carries; where none does, any. */
static const struct direct_connect_association *
vgw_direct_connect(const struct walk *w, const char *vgw_id)
{
    const struct store *store = network_store(w->net);
    const struct direct_connect_association *found = NULL;
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        bool ours = same(a->associated_id, vgw_id) || same(a->vgw_id, vgw_id);
        if (ours && direct_connect_association_carries(a) && (!found || walk_is_target(w, a->gateway_id))) {
            found = a;
        }
    }
    return found;
}

/* The bits of the longest static route that covers the address; 0: routes come by BGP, any may be there; -1: none does.
 */
static int
vpn_match(const struct vpn_connection *vpn, const struct ip *ip)
{
    int best = vpn->static_routes_only ? -1 : 0;
    for (size_t i = 0; i < vpn->routes.n; i++) {
        const struct cidr *c = &vpn->routes.items[i].cidr;
        best = cidr_contains_ip(c, ip) && c->bits > best ? c->bits : best;
    }
    return best;
}

/* The connection that takes the packet: the one asked about, else the first with the longest route, else any. */
static const struct vpn_connection *
vgw_vpn(const struct walk *w, const char *vgw_id)
{
    const struct store *store = network_store(w->net);
    const struct vpn_connection *best = NULL;
    int best_bits = -2;
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        if (!same(vpn->vpn_gateway_id, vgw_id)) {
            continue;
        }
        if (walk_vpn_is_target(w, vpn)) {
            return vpn;
        }
        int bits = vpn_connection_is_available(vpn) ? vpn_match(vpn, &w->packet.dst) : -2;
        if (!best || bits > best_bits) {
            best = vpn;
            best_bits = bits;
        }
    }
    return best;
}

/* By VPN what it routes, the rest by Direct Connect; by the other one while one is down.  Which of the two AWS prefers
 * for the same prefix does not change where the packet arrives. */
static void
leave_vgw(struct walk *w, const char *id)
{
    const struct vpn_connection *vpn = vgw_vpn(w, id);
    const struct direct_connect_association *dx = vgw_direct_connect(w, id);
    bool vpn_takes = vpn && (walk_vpn_is_target(w, vpn) ||
                             (vpn_connection_is_available(vpn) && vpn_match(vpn, &w->packet.dst) >= 0));
    bool dx_is_up = dx && !direct_connect_fault(w->net, dx->gateway_id, w->packet.dst.family);
    bool own_is_up = vpn_gateway_line(w->net, id) && !direct_connect_fault(w->net, id, w->packet.dst.family);
    if (dx && (!vpn || walk_is_target(w, dx->gateway_id) || (dx_is_up && !vpn_takes))) {
        walk_through_direct_connect(w, dx->gateway_id, dx);
    } else if (vpn && (vpn_takes || !own_is_up || dx)) {
        walk_through_vpn(w, vpn, STOP_VPN);
    } else if (line_is_up(w, id)) { /* private virtual interfaces of its own */
        walk_outside(w);
    }
}

void
place_vgw_out(struct walk *w)
{
    const char *id = w->gateway_id = w->route->gateway_id;
    const struct vpn_gateway *vgw = walk_get(w, &vpn_gateway_kind, id);
    walk_cross(w, HOP_VGW, vgw ? &vgw->obj : NULL)->id = id;
    if (!vgw) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
        return;
    }
    if (!same(vpn_gateway_vpc(vgw), w->vpc_id) && walk_stops(w, STOP_GATEWAY_ATTACHMENT)) {
        return;
    }
    if (!network_eni_by_address(w->net, w->vpc_id, &w->packet.src)) {
        walk_stop(w, STOP_VGW_SOURCE);
        return;
    }
    if (walk_is_target(w, id)) {
        walk_arrive(w);
    } else {
        leave_vgw(w, id);
    }
}

/* ---- From on premises ----------------------------------------------------------------------------------------------
 */

bool
walk_dx_returns(struct walk *w, const struct direct_connect_association *way)
{
    if (!way || direct_connect_announces(w->net, way, &w->packet.dst) >= 0) {
        return true;
    }
    walk_cross(w, HOP_DX, walk_get(w, &direct_connect_gateway_kind, way->gateway_id))->id = way->gateway_id;
    return !walk_stops(w, STOP_DX_NO_ROUTE);
}

static const char *
vgw_of(const struct walk *w, const struct direct_connect_association *a)
{
    const char *id = *a->vgw_id ? a->vgw_id : a->associated_id;
    const struct vpn_gateway *vgw = walk_get(w, &vpn_gateway_kind, id);
    return vgw && vpn_gateway_vpc(vgw) ? id : NULL;
}

/* The association by which the gateway's customer knows the destination: that with the longest prefix.  Where none is
 * announced, the one that would lead there, else any. */
static const struct direct_connect_association *
way_in(const struct walk *w, const char *gateway_id, bool *announced)
{
    const struct store *store = network_store(w->net);
    const struct direct_connect_association *best = NULL;
    int best_rank = -1;
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        if (!same(a->gateway_id, gateway_id) || !direct_connect_association_carries(a)) {
            continue;
        }
        const char *vgw_id = vgw_of(w, a);
        const struct vpc *vpc =
            vgw_id ? walk_get(w, &vpc_kind, vpn_gateway_vpc(walk_get(w, &vpn_gateway_kind, vgw_id))) : NULL;
        int bits = direct_connect_announces(w->net, a, &w->packet.dst);
        int rank = bits >= 0 ? 2 + bits : !vpc || vpc_contains_ip(vpc, &w->packet.dst);
        if (rank > best_rank) {
            best = a;
            best_rank = rank;
        }
    }
    *announced = best_rank >= 2;
    return best;
}

void
walk_from_direct_connect(struct walk *w, const char *id)
{
    bool announced;
    walk_cross(w, HOP_DX, walk_get(w, &direct_connect_gateway_kind, id))->id = id;
    if (!line_is_up(w, id)) {
        return;
    }
    const struct direct_connect_association *a = way_in(w, id, &announced);
    if (a && !announced && walk_stops(w, STOP_DX_NO_ROUTE)) {
        return;
    }
    const char *vgw_id = a ? vgw_of(w, a) : NULL;
    if (vgw_id) {
        walk_enter_by_vgw(w, vgw_id);
    } else {
        walk_enter_by_attachment(w, walk_attachment_of(w, id, a ? a->associated_id : NULL), NULL);
    }
}
