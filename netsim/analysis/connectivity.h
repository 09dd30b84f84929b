/* netsim/analysis/connectivity.h - what passes between all interfaces of a network, and the world outside, as exact sets.
 *
 * Interfaces that no rule can tell apart share one class, so the work grows with classes and not with pairs:
 *   - a site is where a packet begins or ends: subnet, address as routes and ACLs see it, source/destination check, state.  The way between two
 *     sites is walked once (walk.h, past every filter), and the ACLs met on it are intersected as sets (rule_sets.h);
 *   - a role is what groups see: the groups an interface carries, and its address as their rules see it.  What two roles let pass is worked out
 *     once for each pair of roles;
 *   - sites which behave alike are one, roles likewise; a class is a site with a role.
 * Outside, every part of the internet that some rule or route tells from the rest is a node of its own.
 * The address of an interface is its primary private one (of the family), from outside its public one, as in reach().
 *
 * Uses: rule_sets.h, address_parts.h, walk.h.   Used by: cloud/ops_connectivity.c, cloud/ops_assert.c, network_diff.c. */
#pragma once
#include "netsim/analysis/rule_sets.h"

struct conn_class {
    VEC(const struct eni *) members; /* borrowed from the network, in order of creation; none: outside */
    VEC(struct cidr) outside;        /* parts of the internet; none: interfaces.  0.0.0.0/0 or ::/0: all that no other class names */
    struct ip ip;                    /* of one member: what was asked about */
};
struct conn_flow {
    int passes;   /* packets that arrive: a set of connectivity_pool() */
    int answered; /* those of them whose answers come back */
    const char *why; /* nothing passes for want of a way: reason word of reach() ("no-route"); NULL: the filters decide */
};

struct connectivity;
/* Not the interfaces of NAT gateways and load balancers: what they do with a packet depends on more than its way. */
bool connectivity_takes(const struct network *net, const struct eni *eni);
/* Takes every interface with an address of 'family' (IP_V4, IP_V6) that connectivity_takes().  Borrows 'net', which must not change. */
struct connectivity *connectivity_new(const struct network *net, int family);
/* The same, with the internet cut where the rules of 'beside' would cut it too: two networks to be compared name the same parts. */
struct connectivity *connectivity_new_beside(const struct network *net, const struct network *beside, int family);
void connectivity_free(struct connectivity *c);

int connectivity_family(const struct connectivity *c);
struct set_pool *connectivity_pool(const struct connectivity *c);
size_t connectivity_n_classes(const struct connectivity *c);
const struct conn_class *connectivity_class(const struct connectivity *c, size_t index);
int connectivity_class_of(const struct connectivity *c, const char *eni_id); /* -1: it has none.  Also of a part's CIDR. */
int connectivity_class_at(const struct connectivity *c, const struct ip *ip);      /* of an address outside; -1: it is not outside */
/* From one class to another, or between two members of one. */
struct conn_flow connectivity_between(const struct connectivity *c, size_t from, size_t to);

/* Classes whose flows with every other are the same, as people want to read them: groups[class] is the number of its group; returns how many
 * groups there are.  The caller frees '*groups'. */
size_t connectivity_groups(const struct connectivity *c, int **groups);

/* What a person calls an interface: its instance's Name, its own, the instance's id, its own id; borrowed from the model. */
const char *eni_name(const struct network *net, const struct eni *eni);

struct connectivity_counts {
    size_t interfaces, outside, sites, roles, classes, walks;
};
struct connectivity_counts connectivity_counts(const struct connectivity *c);
