/* netsim/model/random_net.h - networks where every field is drawn by lot, so that odd combinations meet.
 *
 * A lawful one holds only what AWS's own checks let one build (an import may hold more): every interface of an instance
 * has a group, a VPC has a main table, routes inside the VPC are `local` alone, a blackhole's target is gone.  The same
 * seed makes the same network.
 *
 * Used by: cloud/random_verify.c (`verify --random`), tests/spec, tests/live. */
#pragma once
#include "netsim/model/network.h"

struct route_table;
struct security_group;
struct random_net {
    struct id_gen lot, ids;
    struct clock clock;
    struct network *net; /* borrows the two above: it ends with this struct */
    int n_vpcs, n_groups, n_enis, n_nats;
    bool lawful;
    bool tidy;    /* as people build them: subnet 0 public with the NAT gateways, the others behind one */
    bool routers; /* the caller will join VPCs to each other and to networks outside AWS */
};

/* VPCs with subnets, tables, ACLs, groups, prefix lists, internet and NAT gateways, instances, some of them appliances.
 * VPC v is 10.v.0.0/16 and 2001:db8:v::/56; subnet s of it 10.v.s.0/24 and 2001:db8:v:s::/64. */
void random_net_make(struct random_net *r, uint64_t seed, bool lawful, bool routers);
/* A lawful one whose VPCs are joined by transit gateways with several tables and by a peering, and to sites outside AWS
 * by VPN; in some a zone has failed. */
void random_net_make_joined(struct random_net *r, uint64_t seed);
/* Adds what AWS or an appliance stands behind, by AWS's own operations: endpoints of its services and of services of the lab, balancers,
 * egress-only and private NAT gateways, route tables of gateways, second interfaces, VPC Block Public Access.  Before it subnets have
 * zones and groups a VPC, as below and in random_net_make_joined(). */
void random_net_add_places(struct random_net *r);
/* random_inspection.c, part of it: a Gateway Load Balancer, endpoints of it in some of the VPCs, and routes that lead through these. */
void random_net_add_inspection(struct random_net *r);
struct lb_listener;
struct target_group;
/* random_sessions.c, parts of it too: a listener (as AWS's JSON) becomes one of HTTPS, one is given certificates for other names, and a target group of HTTP keeps its
 * clients by cookies.  Certificates are names only: they have no keys. */
void random_net_secure(struct random_net *r, json_t *listener);
void random_net_add_certificates(struct random_net *r, struct lb_listener *listener);
void random_net_stick(struct random_net *r, struct target_group *group);
void random_net_done(struct random_net *r);

/* ---- Lots, for who adds to such a network or asks about it. ---------------------------------------------------- */
int lot(struct random_net *r, int n); /* 0 .. n - 1; 0 when n is none */
bool chance(struct random_net *r, int percent);
int lot_port(struct random_net *r);
int lot_protocol(struct random_net *r, bool any); /* with 'any' -1 too: all */
int lot_icmp(struct random_net *r);               /* a type, -1: all */
struct ip lot_ip(struct random_net *r, bool v6);
/* A new object whose id is 'format' with the number in it. */
void *lot_add(struct random_net *r, const struct kind *kind, const char *format, int n);
char *lot_text(const char *format, int n); /* the caller frees it */

/* AWS keeps one route for a destination. */
bool lot_has_route(const struct route_table *table, const struct cidr *destination);
struct route *lot_add_route(struct route_table *table, struct cidr destination, const char *origin, const char *state);
/* One more of those that random_net_make() draws; the rule's id is "sgr-n".  A route whose destination is there is
 * none. */
void lot_rule(struct random_net *r, struct security_group *group, int n);
void lot_route(struct random_net *r, struct route_table *table, int vpc, bool is_default);
/* Subnets come to stand in the first 'n_zones' of the region's zones. */
void lot_zones_of_subnets(struct random_net *r, int n_zones);
/* Every group comes to belong to one VPC, and interfaces carry groups of their own. */
void random_net_settle_groups(struct random_net *r);
