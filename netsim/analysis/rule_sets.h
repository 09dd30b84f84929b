/* netsim/analysis/rule_sets.h - what rules let through, as sets: the same rule data that rules.c asks packet by packet.
 *
 * A pool keeps each distinct set once and knows it by a number, so that equal sets are equal numbers and an operation on two sets that was
 * done before is looked up.  PACKETS_NONE, PACKETS_ALL and PACKETS_TCP are the same in every pool (ALL: of the pool's family).
 *
 * Uses: packet_set.h, netsim/model.   Used by: connectivity.c, audit_filters.c. */
#pragma once
#include "netsim/analysis/packet_set.h"
#include "netsim/analysis/rules.h"

enum { PACKETS_NONE = 0, PACKETS_ALL = 1, PACKETS_TCP = 2 };
struct set_pool;
struct set_pool *set_pool_new(int family);
void set_pool_free(struct set_pool *pool);
int set_pool_take(struct set_pool *pool, struct packet_set *set); /* takes what 'set' owns */
const struct packet_set *set_pool_get(const struct set_pool *pool, int id); /* borrowed until the next set is taken */
int set_pool_combine(struct set_pool *pool, int a, int b, enum packet_op op);

/* Ports and protocol of one rule of a group, whatever addresses it speaks of. */
int sg_rule_packets(struct set_pool *pool, const struct sg_rule *rule);
int nacl_entry_packets(struct set_pool *pool, const struct nacl_entry *entry); /* likewise, of an ACL */
/* What the ACL lets pass to ('egress') or from 'ip'. */
int acl_packets(struct set_pool *pool, const struct network_acl *acl, bool egress, const struct ip *ip);
/* What the groups of 'eni' let pass to or from 'ip', which came by 'origin' (NULL: wherever it came from); an interface without groups filters
 * nothing. */
int groups_packets(struct set_pool *pool, const struct network *net, const struct eni *eni, bool egress, const struct ip *ip,
                   const struct origin *origin);
/* The packets whose answers are in 'answers'.  'translated': a NAT gateway changes their source ports first. */
int packets_answered_by(struct set_pool *pool, int answers, bool translated);
/* The part of 'set' that belongs to protocols with answers and flows AWS would call a path: of tcp only what is in 'answered', of the rest all. */
int packets_usable(struct set_pool *pool, int passes, int answered);
/* Without the source ports below 1024 of tcp and udp: programs leave from others, and an ACL that lets answers to only those pass is as good
 * as open. */
int packets_from_programs(struct set_pool *pool, int set);
