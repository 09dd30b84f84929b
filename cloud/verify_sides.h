/* cloud/verify_sides.h - who sends and receives in `verify`: interfaces of running instances, connections to sites outside AWS, endpoints,
 * balancers, the internet; with the names by which analysis and kernel know them.
 *
 * Used by: ops_verify.c, verify_report.c. */
#pragma once
#include "base/vec.h"
#include "netsim/analysis/reach.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/onprem.h"

struct verify_side {
    const struct eni *eni; /* NULL: a site, the internet */
    const char *name;
    const char *gateway, *site; /* the connection, as analysis and probes know it, and what is behind it; NULL: no site */
    struct ip hosts[2];         /* of the site: IPv4, IPv6 */
    bool only_answers;          /* an endpoint, a balancer: it asks nobody */
    const struct load_balancer *balancer;
    const struct classic_balancer *classic;
    const struct eni *node;        /* of the balancer: 'eni' itself, or behind an endpoint the one in its zone */
    VEC(const char *) receivers;   /* instances behind it */
    bool strangers;                /* and others, that no machine of the lab is */
    char *also;                    /* the ids of all but the first, with spaces; owned */
};
typedef VEC(struct verify_side) verify_side_vec;

/* All of a network; they borrow from it and from 'sites', which the caller frees. */
void verify_sides_gather(const struct network *net, onprem_site_vec *sites, verify_side_vec *sides);
void verify_sides_done(verify_side_vec *sides);
const struct ip *verify_eni_address(const struct eni *eni, int family); /* the first one; NULL: none */
const struct ip *verify_side_address(const struct verify_side *side, int family); /* NULL: it has none */
struct flow_end verify_side_end(const struct verify_side *side); /* for analysis */
const char *verify_side_probe_end(const struct verify_side *side, const struct ip *ip); /* for the kernel: who hears what is for 'ip' */
