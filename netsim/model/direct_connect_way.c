#include "netsim/model/direct_connect_way.h"

#include "netsim/model/failure.h"
#include "netsim/model/internal.h"

static bool
unknown(const char *state)
{
    return str_empty(state) || str_is(state, "unknown");
}

bool
direct_connect_association_carries(const struct direct_connect_association *association)
{
    const char *state = association->state;
    return unknown(state) || str_is(state, "associated") || str_is(state, "updating");
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

static bool
peer_is_up(const struct direct_connect_peer *peer)
{
    return (unknown(peer->state) || str_is(peer->state, "available")) && !str_is(peer->status, "down");
}

static int
peer_family(const struct direct_connect_peer *peer)
{
    if (str_is(peer->family, "ipv6") || (peer->amazon_address && strchr(peer->amazon_address, ':'))) {
        return IP_V6;
    }
    return IP_V4;
}

static bool
session_is_up(const struct virtual_interface *vif, int family)
{
    size_t of_family = 0;
    for (size_t i = 0; i < vif->peers.n; i++) {
        of_family += peer_family(&vif->peers.items[i]) == family;
    }
    for (size_t i = 0; i < vif->peers.n; i++) {
        const struct direct_connect_peer *peer = &vif->peers.items[i];
        if ((of_family == 0 || peer_family(peer) == family) && peer_is_up(peer)) {
            return true;
        }
    }
    return vif->peers.n == 0;
}

bool
virtual_interface_is_up(const struct network *net, const struct virtual_interface *vif, int family)
{
    return !vif_failure(net, vif) && (unknown(vif->state) || str_is(vif->state, "available")) &&
           session_is_up(vif, family);
}

const char *
virtual_interface_fault(const struct network *net, const struct virtual_interface *vif, int family)
{
    bool available = unknown(vif->state) || str_is(vif->state, "available");
    return virtual_interface_is_up(net, vif, family) ? "up"
           : vif_failure(net, vif)                   ? "failed in this lab"
           : available                               ? "BGP down"
                                                     : vif->state;
}

/* A deleted one is listed for a while; it is none of the gateway's any more. */
static bool
is_line_of(const struct virtual_interface *vif, const char *gateway_id)
{
    bool ours = strcmp(vif->gateway_id, gateway_id) == 0 || strcmp(vif->vgw_id, gateway_id) == 0;
    return ours && !str_is(vif->state, "deleted");
}

const struct virtual_interface *
vpn_gateway_line(const struct network *net, const char *vgw_id)
{
    for (const struct virtual_interface *v = store_first(net->store, &virtual_interface_kind); v;
         v = store_next(net->store, v)) {
        if (*v->vgw_id && strcmp(v->vgw_id, vgw_id) == 0 && is_line_of(v, vgw_id)) {
            return v;
        }
    }
    return NULL;
}

const struct object *
direct_connect_fault(const struct network *net, const char *gateway_id, int family)
{
    const struct direct_connect_gateway *gateway = store_get(net->store, &direct_connect_gateway_kind, gateway_id);
    if (gateway && !unknown(gateway->state) && !str_is(gateway->state, "available")) {
        return &gateway->obj;
    }
    const struct virtual_interface *down = NULL;
    for (const struct virtual_interface *v = store_first(net->store, &virtual_interface_kind); v;
         v = store_next(net->store, v)) {
        if (!is_line_of(v, gateway_id)) {
            continue;
        }
        if (virtual_interface_is_up(net, v, family)) {
            return NULL;
        }
        down = down ? down : v;
    }
    return down ? &down->obj : NULL;
}

/* ---- what is announced ------------------------------------------------------------------------------------------- */

static bool
is_allowed(const struct direct_connect_association *association, const struct cidr *block)
{
    for (size_t i = 0; i < association->allowed.n; i++) {
        if (cidr_contains(&association->allowed.items[i].cidr, block)) {
            return true;
        }
    }
    return association->allowed.n == 0; /* AWS takes the VPC's blocks where none are given */
}

static void
announce(const struct direct_connect_association *association, const struct cidr *block, direct_connect_blocks *blocks)
{
    if (block->ip.family && is_allowed(association, block)) {
        *VEC_ADD(blocks) = *block;
    }
}

bool
direct_connect_announced(const struct network *net, const struct direct_connect_association *association,
                         direct_connect_blocks *blocks)
{
    const struct vpn_gateway *vgw = store_get(net->store, &vpn_gateway_kind,
                                              *association->vgw_id ? association->vgw_id : association->associated_id);
    const char *vpc_id = vgw ? vpn_gateway_vpc(vgw) : NULL;
    const struct vpc *vpc = vpc_id ? store_get(net->store, &vpc_kind, vpc_id) : NULL;
    for (size_t i = 0; vpc && i < vpc->cidrs.n; i++) {
        announce(association, &vpc->cidrs.items[i].cidr, blocks);
    }
    for (size_t i = 0; vpc && i < vpc->cidrs6.n; i++) {
        announce(association, &vpc->cidrs6.items[i].cidr, blocks);
    }
    for (size_t i = 0; !vgw && i < association->allowed.n; i++) {
        *VEC_ADD(blocks) = association->allowed.items[i].cidr;
    }
    return vgw || association->allowed.n > 0;
}

int
direct_connect_announces(const struct network *net, const struct direct_connect_association *association,
                         const struct ip *ip)
{
    direct_connect_blocks blocks = { 0 };
    int best = direct_connect_announced(net, association, &blocks) ? -1 : 0;
    for (size_t i = 0; i < blocks.n; i++) {
        int bits = blocks.items[i].bits;
        best = cidr_contains_ip(&blocks.items[i], ip) && bits > best ? bits : best;
    }
    VEC_DONE(&blocks);
    return best;
}
