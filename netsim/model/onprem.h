/* netsim/model/onprem.h - the lab's own networks outside AWS: a site behind each customer gateway with a VPN connection, behind each Direct
 * Connect gateway, and behind the virtual interfaces that lead to a virtual private gateway itself.
 *
 * AWS's calls tell of a site what is routed to it and nothing more.  Its prefixes are the static routes of its VPN connections; where routes
 * come by BGP, what route tables send to it; where that is everything, a block of the lab's choice (192.168.n.0/24, n from 20).  The site's
 * host has the tenth address of the first prefix, or what follows a VPC that lies in the prefix.
 *
 * Uses: vpn.h, transit_gateway.h.   Used by: live/plan_onprem.c, cloud/live_names.c, cloud/ops_verify.c */
#pragma once
#include "netsim/model/network.h"

#define ONPREM_PREFIXES 16 /* of one site that the lab looks at */

struct onprem_site {
    const char *id; /* of the customer gateway, the Direct Connect gateway or the first virtual interface; borrowed from the network */
    struct cidr prefixes[ONPREM_PREFIXES];
    size_t n_prefixes;
    struct ip hosts[2]; /* IPv4, IPv6; IP_NONE: none */
};
typedef VEC(struct onprem_site) onprem_site_vec;

/* Every site with a connection that leads to a VPC or a transit gateway, in the order of connections.  The caller frees the vector. */
void onprem_sites(const struct network *net, onprem_site_vec *sites);
/* The address of its host; IP_NONE if the site has no prefix of the family. */
struct ip onprem_host(const struct onprem_site *site, int family);
/* Does the connection, association or attachment end at a site, and at which?  NULL: it is down, or leads nowhere. */
struct vpn_connection;
const char *onprem_site_of_vpn(const struct network *net, const struct vpn_connection *vpn);
/* Of the virtual interfaces that lead to the virtual private gateway itself; NULL also where a Direct Connect gateway is associated with it, which
 * carries instead. */
const char *onprem_site_of_vgw(const struct network *net, const char *vgw_id);
/* What a flow from or to the site names: itself, or the virtual private gateway that its virtual interface leads to. */
const char *onprem_site_end(const struct network *net, const char *site_id);
/* Has the Direct Connect gateway a line that is up, in one family at least? */
bool onprem_direct_connect_is_up(const struct network *net, const char *gateway_id);
