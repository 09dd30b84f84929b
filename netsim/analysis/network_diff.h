/* netsim/analysis/network_diff.h - which flows two networks do not have in common, as exact sets.
 *
 * A flow is what AWS would call a path: packets that arrive and, of tcp, whose answers come back.  An interface of one network is that of the
 * other with the same id, else the only one with the same name.  Interfaces that behave alike before and alike after are one joint.
 *
 * Uses: connectivity.h.   Used by: cloud/ops_diff.c. */
#pragma once
#include "base/map.h"
#include "netsim/analysis/connectivity.h"

struct diff_joint {
    int class[2];                    /* before, after; -1: not there */
    VEC(const struct eni *) members; /* of 'net'; none: outside */
    VEC(struct ip) addresses;        /* of each of them */
    VEC(struct cidr) outside;
    const char *gate;                /* behind which 'outside' lies; NULL: the internet */
    bool secondary;                  /* as in struct conn_class */
    const struct network *net;
};
struct diff_change {
    size_t from, to;   /* joints */
    int before, after; /* sets of the first network's pool */
};
struct network_diff {
    const struct network *net[2];
    struct connectivity *c[2];
    VEC(struct diff_joint) joints;
    VEC(struct diff_change) changes;
    /* While it is made: */
    int *groups[2];
    struct map known;
    VEC(int) translated; /* sets of the second pool as sets of the first; -1: not met yet */
};
/* Borrows both networks, which must not change. */
struct network_diff *network_diff_new(const struct network *before, const struct network *after, int family);
void network_diff_free(struct network_diff *diff);
