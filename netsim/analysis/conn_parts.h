/* netsim/analysis/conn_parts.h - the world outside a network as its rules and routes tell it apart: the parts of all addresses, and the gateways
 * behind which some of them lie; for connectivity.c.
 *
 * Outside are the internet, and what lies behind a gate: a VPN connection, a Direct Connect gateway, a VPN gateway that has neither, or a
 * gateway endpoint (the addresses of its service).  Behind a VPN connection with static routes lie these; what a router announces by BGP is
 * in no describe call, so behind the others lie the private addresses of no VPC and what routes of VPCs and transit gateways lead there. */
#pragma once
#include "base/map.h"
#include "netsim/analysis/address_parts.h"

struct network;
struct conn_gate {
    const char *id;            /* borrowed from the network */
    bool service;              /* a gateway endpoint */
    bool any_private;          /* private addresses too, not only 'blocks' */
    VEC(struct cidr) blocks;
};
struct conn_parts {
    int family;
    struct address_parts by_ways, by_groups, by_any; /* cut by routes, ACLs and blocks; by rules of groups; by all of them */
    struct map own_route;                            /* interfaces and instances that a route names as its target */
    VEC(struct conn_gate) gates;
};
/* Parts of 'net', cut where 'beside' (NULL: none) would cut them too. */
void conn_parts_init(struct conn_parts *parts, const struct network *net, const struct network *beside, int family);
void conn_parts_done(struct conn_parts *parts);
/* An address of the part to ask about, on the internet ('gate' NULL) or behind a gate.  False: it has none there. */
bool conn_parts_address(const struct conn_parts *parts, const struct network *net, int part, const struct conn_gate *gate, struct ip *ip);
/* May a packet with this address come from the internet ('gate' NULL), from behind a gate? */
bool conn_is_outside(const struct network *net, const struct ip *ip, bool internet);
