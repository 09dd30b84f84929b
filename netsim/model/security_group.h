/* netsim/model/security_group.h - stateful allow rules carried by network interfaces.
 *
 * A group holds one flat list of rules, each with its sgr- id, as describe-security-group-rules shows them; IpPermissions and
 * IpPermissionsEgress are a view (rules grouped by protocol and ports), built on describing and taken apart on loading.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html, API_IpPermission, API_SecurityGroupRule */
#pragma once
#include "netsim/model/vpc.h"

struct sg_rule {
    char id[ID_SIZE];       /* sgr-... */
    bool egress;
    int32_t protocol;       /* -1: every */
    int32_t from, to;       /* tcp, udp: ports (0..65535); icmp, icmpv6: type and code, -1 every; else -1 */
    struct cidr cidr;       /* CidrIpv4 or CidrIpv6 ... */
    char *prefix_list_id;   /* ... or a prefix list ... */
    char *group_id;         /* ... or a group (ReferencedGroupInfo), */
    char *group_owner, *group_vpc_id, *peering_id, *peering_status; /* of the referenced group, where AWS states them */
    char *description;
    VEC(struct tag) tags;
};
struct security_group {
    struct object obj;
    char vpc_id[ID_SIZE];
    char *name, *description;
    VEC(struct sg_rule) rules; /* in order of creation */
    json_t *permissions, *permissions_egress; /* only while loading AWS's form; NULL afterwards */
};
extern const struct kind security_group_kind;

/* InvalidGroup.Duplicate (name in the VPC), InvalidParameterValue (name: up to 255 of AWS's characters, not "sg-"; description).
 * The new group has AWS's egress rule: everything to 0.0.0.0/0 (and ::/0 when the VPC has IPv6). */
struct security_group *security_group_create(struct network *net, const char *vpc_id, const char *name, const char *description,
                                             struct err *err);
/* DependencyViolation: an interface carries it or another group's rule names it; CannotDelete: the default group. */
bool security_group_delete(struct network *net, struct security_group *group, struct err *err);

/* 'rules' are specs without id.  All or nothing.  InvalidPermission.Duplicate, InvalidPermission.Malformed, InvalidGroup.NotFound,
 * InvalidPrefixListID.NotFound, RulesPerSecurityGroupLimitExceeded (60 a direction and family, when limits are on).
 * Returns how many were added: they are the last ones in group->rules. */
bool security_group_authorize(struct network *net, struct security_group *group, const struct sg_rule *rules, size_t n_rules,
                              struct err *err);
/* InvalidPermission.NotFound when a rule is not there; in a default VPC AWS skips those without an error, and so does this.
 * By id: InvalidSecurityGroupRuleId.NotFound.  All or nothing.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupIngress.html */
bool security_group_revoke(struct network *net, struct security_group *group, const struct sg_rule *rules, size_t n_rules,
                           struct err *err);
bool security_group_revoke_ids(struct network *net, struct security_group *group, bool egress, const char *const *ids, size_t n_ids,
                               struct err *err);
/* Changes a rule in place: all but its id, direction and tags come from 'spec', checked as by authorize. */
bool security_group_modify_rule(struct network *net, struct security_group *group, const char *rule_id, const struct sg_rule *spec,
                                struct err *err);
/* The rule with that id; the rule of that direction, protocol, ports and peer.  NULL if there is none; borrowed until the next change. */
struct sg_rule *security_group_rule(struct security_group *group, const char *rule_id);
struct sg_rule *security_group_find_rule(struct security_group *group, const struct sg_rule *like);
/* The group of a VPC with this name; NULL if there is none. */
struct security_group *network_group_by_name(const struct network *net, const char *vpc_id, const char *name);

/* A rule as describe-security-group-rules shows it, and all rules of one direction as IpPermissions.  The caller owns the JSON. */
json_t *sg_rule_describe(const struct network *net, const struct security_group *group, const struct sg_rule *rule);
json_t *sg_permissions(const struct network *net, const struct security_group *group, bool egress);
void sg_rule_done(struct sg_rule *rule);

/* IpPermissions JSON (AWS's shape, also of authorize-security-group-ingress) to flat rules, appended to 'rules'; errors name
 * the member.  Used by the loader and by cloud/. */
typedef VEC(struct sg_rule) sg_rule_vec;
bool sg_rules_from_permissions(const json_t *permissions, bool egress, const char *where, sg_rule_vec *rules, struct err *err);
