/* netsim/analysis/rules.h - what one packet meets at a filter: security groups, network ACLs, route tables.
 *
 * Rules only: no connection is known here (walk.c adds that), and nothing is remembered.  Groups only allow, so any matching rule of
 * any group decides; an ACL is tried by rising number and the first match ends it; in a route table the longest prefix wins.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html, nacl-basics.html, route-tables-priority.html
 *
 * Uses: netsim/model.   Used by: walk.c, reach.c, explain.c. */
#pragma once
#include "netsim/analysis/reach.h"

/* Why a rule does not fit; in the order the members are compared, so the last one that fits says how near it came. */
enum mismatch { MATCHES, MISMATCH_DIRECTION, MISMATCH_PROTOCOL, MISMATCH_PORT, MISMATCH_ADDRESS };
const char *mismatch_str(enum mismatch mismatch, int protocol); /* "another protocol", static */

/* Where the sender of a packet stands.  Rules that name a group of another VPC match only a packet that came from there by an active
 * peering, or through a transit gateway that carries group references. */
struct origin {
    const char *vpc_id; /* NULL: outside, or not known */
    enum { ORIGIN_HERE, ORIGIN_PEERING, ORIGIN_TGW, ORIGIN_OUTSIDE } by;
    bool references; /* ORIGIN_TGW: gateway and attachments carry group references */
    bool translated; /* its address is no longer the sender's own */
    const struct eni *balancer; /* of the balancer that sent it on: its groups count as the sender's and no others, whatever the address; NULL: none */
};

/* One rule of a group whose interfaces live in 'vpc_id' (it says where group references are looked up). */
enum mismatch sg_rule_test(const struct network *net, const char *vpc_id, const struct sg_rule *rule, bool egress,
                           const struct packet *packet);
/* Its last question alone: does the rule's CIDR, prefix list or group hold 'ip'? */
bool sg_rule_fits_address(const struct network *net, const char *vpc_id, const struct sg_rule *rule, const struct ip *ip);
/* The same for a packet that came by 'origin' (NULL: wherever it came from), which rules inwards that name groups look at. */
bool sg_rule_fits_peer(const struct network *net, const char *vpc_id, const struct sg_rule *rule, const struct ip *ip,
                       const struct origin *origin);
enum mismatch nacl_entry_test(const struct nacl_entry *entry, bool egress, const struct packet *packet);

/* The first rule of the interface's groups ('origin' may be NULL: wherever it came from) that lets the packet through, and its group; NULL when none does.  Groups the model does not
 * hold let nothing through. */
const struct sg_rule *groups_permit(const struct network *net, const struct eni *eni, bool egress, const struct packet *packet,
                                    const struct origin *origin, const struct security_group **group);
/* Would a rule let the packet in if the way it came carried references to its sender's groups? */
bool groups_would_permit_reference(const struct network *net, const struct eni *eni, const struct packet *packet,
                                   const struct origin *origin);
bool groups_have_rules(const struct network *net, const struct eni *eni, bool egress);

/* The entry that decides; NULL when not even the last rule ('*') is there, which denies too. */
const struct nacl_entry *acl_decide(const struct network_acl *acl, bool egress, const struct packet *packet);

/* The route the packet's destination takes; NULL if no prefix covers it.  'prefix', if not NULL, gets the CIDR that matched (of a
 * prefix list: its entry). */
const struct route *route_lookup(const struct network *net, const struct route_table *table, const struct ip *destination,
                                 struct cidr *prefix);

/* Does the protocol number carry ports, as rules see it?  icmp and icmpv6: types and codes instead. */
static inline bool
protocol_has_ports(int protocol)
{
    return protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
}
static inline bool
protocol_is_icmp(int protocol)
{
    return protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
}
