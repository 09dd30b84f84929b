/* netsim/analysis/conn_roles.h - what the security groups at both ends let pass, by role; the other half of connectivity.c.
 *
 * A role is a VPC, the groups that an interface carries, and the part of the addresses that the rules tell apart ('part') which holds its address.
 * Work is done for each set of groups, not for each pair of roles: rules with CIDRs by part, rules that name groups by the group named. */
#pragma once
#include "netsim/analysis/conn_ways.h"

struct conn_roles;
struct conn_roles *conn_roles_new(const struct network *net, struct set_pool *pool);
void conn_roles_free(struct conn_roles *roles);
int conn_roles_add(struct conn_roles *roles, const struct eni *eni, const struct ip *ip, int part); /* 'eni' NULL: outside */
/* Works out what passes between all roles ('ways' have been walked: by what packets come into another VPC); 'alike': and which may stand for
 * another. */
void conn_roles_judge(struct conn_roles *roles, const struct conn_ways *ways, bool alike);
int conn_roles_like(const struct conn_roles *roles, int role);
int conn_roles_between(const struct conn_roles *roles, int from, int to);
size_t conn_roles_count(const struct conn_roles *roles);
