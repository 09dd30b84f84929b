#include "netsim/analysis/mended.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/walk_places.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

void
obstacles_done(struct obstacles *obstacles)
{
    for (size_t i = 0; i < obstacles->items.n; i++) {
        walk_done(&obstacles->items.items[i]);
    }
    for (size_t i = 0; i < obstacles->routes.n; i++) {
        free(obstacles->routes.items[i]);
    }
    VEC_DONE(&obstacles->items);
    VEC_DONE(&obstacles->routes);
}

/* The walk as it stands, with hops of its own. */
static void
note(struct walk *w, enum stop stop)
{
    struct walk *seen = VEC_ADD(&w->mended->items);
    *seen = *w;
    memset(&seen->hops, 0, sizeof seen->hops);
    memset(&seen->receivers, 0, sizeof seen->receivers);
    for (size_t i = 0; i < w->hops.n; i++) {
        *VEC_ADD(&seen->hops) = w->hops.items[i];
    }
    seen->mended = NULL;
    seen->stop = stop;
    if (w->hops.n > 0) {
        w->hops.items[w->hops.n - 1].stopped = seen->hops.items[w->hops.n - 1].stopped = true;
    }
}

bool
walk_stops(struct walk *w, enum stop stop)
{
    if (!w->mended) {
        walk_stop(w, stop);
        return true;
    }
    note(w, stop);
    return false;
}

/* ---- Where a route would lead --------------------------------------------------------------------------------------
 */

static bool
side_has(const struct walk *w, const char *vpc_id, const struct ip *ip)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, vpc_id);
    return vpc && vpc_contains_ip(vpc, ip);
}

static const struct peering *
peering_towards(const struct walk *w, const struct ip *ip)
{
    const struct store *store = network_store(w->net);
    for (const struct peering *p = store_first(store, &peering_kind); p; p = store_next(store, p)) {
        const struct peering_side *other = peering_other(p, w->vpc_id);
        if (other && peering_is_active(p) && side_has(w, other->vpc_id, ip)) {
            return p;
        }
    }
    return NULL;
}

static const struct tgw_attachment *
attachment_towards(const struct walk *w, const char *tgw_id, const struct ip *ip)
{
    const struct store *store = network_store(w->net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (strcmp(a->tgw_id, tgw_id) == 0 && tgw_attachment_is_available(a) && side_has(w, a->vpc_id, ip)) {
            return a;
        }
    }
    return NULL;
}

/* To a peer that the destination's VPC is attached to. */
static const struct tgw_attachment *
peering_attachment_towards(const struct walk *w, const char *tgw_id, const struct ip *ip)
{
    const struct store *store = network_store(w->net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        const char *other = strcmp(a->tgw_id, tgw_id) == 0        ? a->peer_tgw_id
                            : strcmp(a->peer_tgw_id, tgw_id) == 0 ? a->tgw_id
                                                                  : "";
        if (*other && tgw_attachment_is_available(a) && attachment_towards(w, other, ip)) {
            return a;
        }
    }
    return NULL;
}

const struct tgw_attachment *
walk_tgw_detour(const struct walk *w)
{
    const struct ip *dst = &w->packet.dst;
    const struct tgw_attachment *to = w->tgw_id ? attachment_towards(w, w->tgw_id, dst) : NULL;
    return to || !w->tgw_id ? to : peering_attachment_towards(w, w->tgw_id, dst);
}

/* A transit gateway that both this VPC and the destination's are attached to, this one itself or by a peer. */
static const char *
tgw_towards(const struct walk *w, const struct ip *ip)
{
    const struct store *store = network_store(w->net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (strcmp(a->vpc_id, w->vpc_id) == 0 && tgw_attachment_is_available(a) &&
            (attachment_towards(w, a->tgw_id, ip) || peering_attachment_towards(w, a->tgw_id, ip))) {
            return a->tgw_id;
        }
    }
    return NULL;
}

static const struct nat_gateway *
nat_of(const struct walk *w)
{
    const struct store *store = network_store(w->net);
    for (const struct nat_gateway *nat = store_first(store, &nat_gateway_kind); nat; nat = store_next(store, nat)) {
        if (strcmp(nat->vpc_id, w->vpc_id) == 0 && (!nat->state || strcmp(nat->state, "available") == 0)) {
            return nat;
        }
    }
    return NULL;
}

static const struct vpn_gateway *
vgw_of(const struct walk *w)
{
    const struct store *store = network_store(w->net);
    for (const struct vpn_gateway *vgw = store_first(store, &vpn_gateway_kind); vgw; vgw = store_next(store, vgw)) {
        const char *vpc_id = vpn_gateway_vpc(vgw);
        if (vpc_id && strcmp(vpc_id, w->vpc_id) == 0) {
            return vgw;
        }
    }
    return NULL;
}

/* Out of the VPC: by a NAT gateway who has no public address, else by the internet gateway. */
static bool
route_outside(const struct walk *w, struct route *route)
{
    const struct internet_gateway *igw = network_vpc_igw(w->net, w->vpc_id);
    const struct eni *sender = network_eni_by_address(w->net, w->vpc_id, &w->packet.src);
    bool is_public = w->packet.src.family == IP_V6 || (sender && eni_public_ip(sender, &w->packet.src));
    const struct nat_gateway *nat = is_public ? NULL : nat_of(w);
    const struct vpn_gateway *vgw = vgw_of(w);
    if (ip_is_private(&w->packet.dst)) {
        route->gateway_id = vgw ? (char *)vgw->obj.id : NULL;
        return vgw != NULL;
    }
    if (nat && w->subnet && strcmp(nat->subnet_id, w->subnet->obj.id) != 0) {
        route->nat_gateway_id = (char *)nat->obj.id;
        return true;
    }
    route->gateway_id = igw ? (char *)igw->obj.id : NULL;
    return igw != NULL;
}

bool
walk_route_to_other_vpc(const struct walk *w, struct route *thought)
{
    const struct ip *dst = &w->packet.dst;
    const struct peering *peering = peering_towards(w, dst);
    const char *tgw_id = peering ? NULL : tgw_towards(w, dst);
    thought->peering_id = peering ? (char *)peering->obj.id : NULL;
    thought->transit_gateway_id = (char *)tgw_id;
    return peering || tgw_id;
}

bool
walk_detour(struct walk *w)
{
    struct route thought = { 0 };
    if (!w->mended || !w->vpc_id) {
        return false;
    }
    if (side_has(w, w->vpc_id, &w->packet.dst)) {
        thought.gateway_id = (char *)"local";
    } else if (!walk_route_to_other_vpc(w, &thought) && (w->target.kind == TARGET_ENI || !route_outside(w, &thought))) {
        return false;
    }
    /* Its texts are borrowed from the model, so it is freed as it is. */
    struct route *route = xcalloc(1, sizeof *route);
    *route = thought;
    *VEC_ADD(&w->mended->routes) = route;
    w->route = route;
    return true;
}
