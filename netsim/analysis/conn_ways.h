/* netsim/analysis/conn_ways.h - the ways between sites, with the ACLs on them as sets; half of connectivity.c.
 *
 * A site is an interface (or a part of the internet) as a walk sees it but for the rules of its groups; the caller's key says which are the same. */
#pragma once
#include "netsim/analysis/rule_sets.h"

struct conn_way {
    int passes, answered; /* by the ACLs and what gateways carry; the groups at both ends are still to be asked */
    const char *why;      /* no way: reason word; else NULL */
    const char *lost;     /* a way there and none for answers, whatever filters say: reason word; else NULL */
    bool by_pair;         /* other groups stand in the way, or see other addresses: ask for each pair of interfaces */
};
/* Where a packet begins or ends. */
struct conn_end {
    const struct eni *eni; /* NULL: outside */
    const char *gate;      /* outside: the gateway behind which it lies (question.h); NULL: the internet */
    struct ip ip;          /* its own; of an interface a private one */
};
/* The question that reach() is asked about one packet between two ends.  False: there is none, because an interface has no public address to
 * be called by from the internet or both ends are the internet. */
bool conn_question(const struct conn_end *from, const struct conn_end *to, int family, struct flow_spec *flow);

struct conn_ways;
struct conn_ways *conn_ways_new(const struct network *net, struct set_pool *pool, int family);
void conn_ways_free(struct conn_ways *ways);
/* The site with this key, which is new if no other has it.  Sites of different 'side' never count as alike. */
int conn_ways_site(struct conn_ways *ways, const char *key, const struct conn_end *end, int side);
/* Walks between all sites and finds out which are alike.  False: some way is by_pair, and no two sites count as alike. */
bool conn_ways_walk(struct conn_ways *ways);
int conn_ways_like(const struct conn_ways *ways, int site);
const struct conn_way *conn_ways_between(const struct conn_ways *ways, int from, int to);
size_t conn_ways_n_sites(const struct conn_ways *ways);
size_t conn_ways_n_walks(const struct conn_ways *ways);
/* By what packets of one VPC come into another; NULL: no way was found. */
const struct origin *conn_ways_origin(const struct conn_ways *ways, const char *from_vpc, const char *to_vpc);
/* One question, walked now; 'with_groups': every group on the way is asked too. */
void conn_ways_ask(struct conn_ways *ways, const struct conn_end *from, const struct conn_end *to, bool with_groups, struct conn_way *way);
