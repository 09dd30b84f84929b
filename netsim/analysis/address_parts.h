/* netsim/analysis/address_parts.h - addresses that a list of CIDRs cannot tell apart.
 *
 * CIDRs nest or are disjoint, so which of them hold an address is known from the innermost one.  A part is the set of addresses with the same
 * innermost CIDR: that CIDR without those inside it.  Rules that name only these CIDRs treat every address of a part alike.
 *
 * Uses: base/ip.h.   Used by: connectivity.c. */
#pragma once
#include "base/ip.h"
#include "base/vec.h"

struct address_part {
    struct cidr cidr;
    int parent; /* the part of the next larger CIDR; -1: none */
};
struct address_parts {
    VEC(struct address_part) items; /* sorted by first address, the larger first, once address_parts_sort() ran */
};
void address_parts_add(struct address_parts *parts, const struct cidr *cidr); /* IP_NONE is passed over */
void address_parts_sort(struct address_parts *parts);
void address_parts_done(struct address_parts *parts);

/* The part that holds 'ip'; -1: no CIDR does. */
int address_parts_find(const struct address_parts *parts, const struct ip *ip);
/* The lowest address of the part that is >= 'from' (of the family; IP_NONE: from the beginning).  False: there is none. */
bool address_parts_first(const struct address_parts *parts, int part, const struct ip *from, struct ip *ip);
