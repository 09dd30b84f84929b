/* netsim/model/direct_connect_way.h - what Direct Connect carries: which lines are up, and what is announced to the customer's side.
 *
 * Packets pass by a virtual interface that is available and has a BGP session that is up; while none is, the gateway has no way to the
 * customer.  Towards AWS the customer's router knows what is announced to it and nothing else: of a virtual private gateway the blocks of
 * its VPC that lie in an allowed prefix, of a transit gateway the allowed prefixes as they stand.
 *
 * Sources: https://docs.aws.amazon.com/directconnect/latest/UserGuide/allowed-to-prefixes.html, API_VirtualInterface
 * (virtualInterfaceState), API_BGPPeer, API_DirectConnectGatewayAssociation
 * Uses: vpn.h.   Used by: onprem.h, analysis/walk_routers.c, live/plan_onprem.c. */
#pragma once
#include "netsim/model/vpn.h"

/* Associated with its gateway, also while its prefixes are being changed. */
bool direct_connect_association_carries(const struct direct_connect_association *association);
/* Available, with a BGP session that is up; sessions of the family count where there are such.  What an import does not tell is taken to be up. */
bool virtual_interface_is_up(const struct network *net, const struct virtual_interface *vif, int family);
/* "down", "pending", "BGP down", "failed in this lab" (failure.h): why it is not up. */
const char *virtual_interface_fault(const struct network *net, const struct virtual_interface *vif, int family);

/* What keeps packets from passing between a gateway (a Direct Connect gateway, or a virtual private gateway with interfaces of its own) and
 * the customer: the gateway itself, not available, or the first of its interfaces, none of which is up.  NULL: nothing; also where no
 * interface of it is known, as those may be another account's. */
const struct object *direct_connect_fault(const struct network *net, const char *gateway_id, int family);

/* The first private virtual interface that leads to the virtual private gateway itself, with no Direct Connect gateway between; NULL: none does.
 * All that do are lines to the same customer, to whom the gateway announces the blocks of its VPC. */
const struct virtual_interface *vpn_gateway_line(const struct network *net, const char *vgw_id);

typedef VEC(struct cidr) direct_connect_blocks;
/* Adds what the association announces to the customer's side.  False: anything (an import that has the list of a transit gateway empty). */
bool direct_connect_announced(const struct network *net, const struct direct_connect_association *association,
                              direct_connect_blocks *blocks);
/* The bits of the longest announced block that holds the address; -1: none does. */
int direct_connect_announces(const struct network *net, const struct direct_connect_association *association, const struct ip *ip);
