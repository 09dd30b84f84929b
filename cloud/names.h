/* cloud/names.h - domain names where an end of a question may stand: what the name means to who asks.
 *
 * Uses: netsim/model/resolver.h.   Used by: ops_resolve.c, ops_reach.c. */
#pragma once
#include "cloud/cloud.h"
#include "netsim/model/resolver.h"

/* A name with a dot that is no address and no id. */
bool looks_like_domain(const char *text);
/* The VPC in which an instance, interface, subnet, endpoint or the VPC itself is; NULL for everything else ("internet"). */
const char *vpc_of_end(const struct network *net, const char *id);

/* The subnet in which an instance (its first interface) or interface is, or that it is; NULL for everything else. */
const struct subnet *subnet_of_end(const struct network *net, const char *id);

/* Asks as whoever is in 'vpc_id' would (NULL: from the internet), and in 'subnet' (NULL: in none that has DNS64), for one type of record, or with
 * type 0 for addresses: IPv4 ones first, IPv6 ones if there are none; from an IPv6-only subnet the other way round.  While the lab is live, balancers' names lack the nodes without healthy targets, as inside.  'answer' is zeroed memory, to be given to dns_answer_done().  False: no domain name. */
bool names_ask(const struct cloud *cloud, const char *vpc_id, const struct subnet *subnet, const char *name, int type, struct dns_answer *answer, struct err *err);
/* {"Name", "VpcId", "Resolver", "Status", "Records", "Reason", "Hint"}: DNS's words for the outcome; the caller owns it. */
json_t *names_json(const struct network *net, const char *vpc_id, const struct dns_answer *answer);
const struct ip *names_address(const struct dns_answer *answer); /* the first address of the answer; NULL if it has none */
