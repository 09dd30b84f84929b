/* tests/spec/plain_direct_connect.h - a part of plain_routers.h: Direct Connect gateways.
 *
 * Read from AWS's pages: directconnect direct-connect-gateways-intro, allowed-to-prefixes, API_VirtualInterface,
 * API_BGPPeer. The customer's side knows what is announced to it and nothing else; packets pass while some virtual
 * interface is up. */
#pragma once
#include "netsim/model/vpn.h"

static bool
plain_carries(const struct direct_connect_association *a)
{
    return plain_same(a->state, "associated") || plain_same(a->state, "updating");
}

static bool
plain_session_is_up(const struct virtual_interface *v, int family)
{
    bool own = false, up = v->peers.n == 0, own_up = false;
    for (size_t i = 0; i < v->peers.n; i++) {
        const struct direct_connect_peer *peer = &v->peers.items[i];
        bool of_family = plain_same(peer->family, "ipv6") == (family == IP_V6);
        bool is_up = plain_same(peer->state, "available") && !plain_same(peer->status, "down");
        own = own || of_family;
        own_up = own_up || (of_family && is_up);
        up = up || is_up;
    }
    return own ? own_up : up;
}

/* Some line of the gateway is up, or none is known. */
static bool
plain_line(const struct plain *w, const char *gateway)
{
    bool known = false, up = false;
    EACH(direct_connect_gateway, g, direct_connect_gateway_kind)
    {
        if (strcmp(g->obj.id, gateway) == 0 && !plain_same(g->state, "available")) {
            return false;
        }
    }
    EACH(virtual_interface, v, virtual_interface_kind)
    {
        if (plain_same(v->gateway_id, gateway) || plain_same(v->vgw_id, gateway)) {
            known = true;
            up = up || (plain_same(v->state, "available") && plain_session_is_up(v, w->p.dst.family));
        }
    }
    return !known || up;
}

/* Are there virtual interfaces that lead to the virtual private gateway itself? */
static bool
plain_own_lines(const struct plain *w, const char *vgw)
{
    EACH(virtual_interface, v, virtual_interface_kind)
    {
        if (plain_same(v->vgw_id, vgw) && !plain_same(v->state, "deleted")) {
            return true;
        }
    }
    return false;
}

/* The bits of the longest announced block with the address; -1: none has it. */
static int
plain_dx_announces(const struct plain *w, const struct direct_connect_association *a, const struct ip *ip)
{
    const struct vpn_gateway *vgw = store_get(network_store(w->net), &vpn_gateway_kind, a->associated_id);
    const char *id = vgw ? plain_vgw_vpc(w, a->associated_id) : NULL;
    int best = -1;
    for (size_t i = 0; !vgw && i < a->allowed.n; i++) {
        const struct cidr *c = &a->allowed.items[i].cidr;
        best = plain_in(c, ip) && c->bits > best ? c->bits : best;
    }
    EACH(vpc, vpc, vpc_kind)
    {
        for (size_t i = 0; plain_same(vpc->obj.id, id) && i < vpc->cidrs.n + vpc->cidrs6.n; i++) {
            const struct cidr *block =
                i < vpc->cidrs.n ? &vpc->cidrs.items[i].cidr : &vpc->cidrs6.items[i - vpc->cidrs.n].cidr;
            bool allowed = a->allowed.n == 0; /* AWS takes the VPC's blocks where none are given */
            for (size_t k = 0; k < a->allowed.n; k++) {
                const struct cidr *c = &a->allowed.items[k].cidr;
                allowed = allowed || (plain_in(c, &block->ip) && c->bits <= block->bits);
            }
            best = allowed && plain_in(block, ip) && block->bits > best ? block->bits : best;
        }
    }
    return best;
}

/* Towards the customer; 'way': by which association answers come back. */
static void
plain_by_direct_connect(struct plain *w, const char *id, const struct direct_connect_association *way)
{
    w->end_dx = way;
    if (!plain_line(w, id)) {
        plain_drop(w, "dx-state");
    } else if (plain_meant(w, id)) {
        w->end_eni = NULL;
    } else {
        plain_left(w);
    }
}

static const struct direct_connect_association *
plain_association(const struct plain *w, const char *id, const char *associated)
{
    EACH(direct_connect_association, a, direct_connect_association_kind)
    {
        if (plain_same(a->gateway_id, id) && plain_same(a->associated_id, associated) && plain_carries(a)) {
            return a;
        }
    }
    return NULL;
}

/* By which association the customer sends: the longest announced block; where nothing is, that which would lead there.
 */
static const struct direct_connect_association *
plain_customers_way(const struct plain *w, const char *id, bool *announced)
{
    const struct direct_connect_association *best = NULL;
    int best_rank = -1;
    EACH(direct_connect_association, a, direct_connect_association_kind)
    {
        const char *vpc = plain_vgw_vpc(w, a->associated_id);
        int bits = plain_dx_announces(w, a, &w->p.dst);
        int rank = bits >= 0 ? bits + 2 : !vpc || plain_vpc_has(w, vpc, &w->p.dst);
        if (plain_same(a->gateway_id, id) && plain_carries(a) && rank > best_rank) {
            best = a;
            best_rank = rank;
        }
    }
    *announced = best_rank >= 2;
    return best;
}
