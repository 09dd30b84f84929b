/* netsim/analysis/connectivity.h - what passes between all interfaces of a network, and the world outside, as exact sets.
 *
 * Interfaces that no rule can tell apart share one class, so the work grows with classes and not with pairs:
 *   - a site is where a packet begins or ends: subnet, address as routes and ACLs see it, source/destination check, state.  The way between two
 *     sites is walked once (walk.h, past every filter), and the ACLs met on it are intersected as sets (rule_sets.h);
 *   - a role is what groups see: the groups an interface carries, and its address as their rules see it.  What two roles let pass is worked out
 *     once for each pair of roles;
 *   - sites which behave alike are one, roles likewise; a class is a site with a role.
 * Outside, every part of the internet that some rule or route tells from the rest is a node of its own, and so is every such part of what lies
 * behind a VPN connection, a Direct Connect gateway or a gateway endpoint (conn_parts.h).
 * The address of an interface is its primary private one (of the family), from outside its public one, as in reach(); a secondary one is a
 * member of another class where rules or routes tell it from the first.  What load balancers let through is in conn_probes.h.
 *
 * Uses: rule_sets.h, address_parts.h, walk.h.   Used by: cloud/ops_connectivity.c, cloud/ops_assert.c, network_diff.c. */
#pragma once
#include "netsim/analysis/rule_sets.h"

struct conn_class {
    VEC(const struct eni *) members; /* borrowed from the network, in order of creation; none: outside */
    VEC(struct ip) addresses;        /* of each of them */
    bool secondary;                  /* these are not the ones the interfaces go by */
    VEC(struct cidr) outside;        /* parts outside; none: interfaces.  0.0.0.0/0 or ::/0: all that no other class names */
    const char *gate;                /* the gateway behind which they lie; NULL: the internet */
    bool service;                    /* the gate is a gateway endpoint: they are addresses of its service */
    struct ip ip;                    /* of one member: what was asked about */
};
struct conn_flow {
    int passes;   /* packets that arrive: a set of connectivity_pool() */
    int answered; /* those of them whose answers come back */
    const char *why; /* nothing passes for want of a way: reason word of reach() ("no-route"); NULL: the filters decide */
    const char *lost; /* there is a way there and none for answers: reason word; NULL: the filters decide */
};

struct connectivity;
/* Does it open connections of its own?  Interfaces of NAT gateways, transit gateways and endpoints do not: they are ends that others may reach. */
bool connectivity_opens(const struct network *net, const struct eni *eni);
/* Takes every interface with an address of 'family' (IP_V4, IP_V6).  Borrows 'net', which must not change. */
struct connectivity *connectivity_new(const struct network *net, int family);
/* The same, with the internet cut where the rules of 'beside' would cut it too: two networks to be compared name the same parts. */
struct connectivity *connectivity_new_beside(const struct network *net, const struct network *beside, int family);
void connectivity_free(struct connectivity *c);

int connectivity_family(const struct connectivity *c);
struct set_pool *connectivity_pool(const struct connectivity *c);
size_t connectivity_n_classes(const struct connectivity *c);
const struct conn_class *connectivity_class(const struct connectivity *c, size_t index);
int connectivity_class_of(const struct connectivity *c, const char *eni_id); /* by its first address; -1: it has none */
int connectivity_class_of_address(const struct connectivity *c, const char *eni_id, const struct ip *ip);
/* Of a part, and of an address outside: of the internet, or behind 'gate'; -1: it is not there. */
int connectivity_class_of_part(const struct connectivity *c, const char *gate, const struct cidr *part);
int connectivity_class_at(const struct connectivity *c, const char *gate, const struct ip *ip);
/* From one class to another, or between two members of one. */
struct conn_flow connectivity_between(const struct connectivity *c, size_t from, size_t to);

/* Classes whose flows with every other are the same, as people want to read them: groups[class] is the number of its group; returns how many
 * groups there are.  The caller frees '*groups'. */
size_t connectivity_groups(const struct connectivity *c, int **groups);

const char *eni_owner_id(const struct network *net, const struct eni *eni); /* of its instance, NAT gateway, endpoint, balancer; NULL */
/* What a person calls an interface: the Name of that owner, its own, the owner's id, its own id; borrowed from the model. */
const char *eni_name(const struct network *net, const struct eni *eni);

struct connectivity_counts {
    size_t interfaces, outside, sites, roles, classes, walks;
};
struct connectivity_counts connectivity_counts(const struct connectivity *c);
