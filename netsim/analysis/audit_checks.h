/* netsim/analysis/audit_checks.h - the functions behind audit.h's rows, and how they report. */
#pragma once
#include "netsim/analysis/audit.h"
#include "netsim/model/security_group.h"

/* The finding to fill in; 'rule' and 'mend' are taken over and may be NULL. */
void audit_report(struct audit *audit, const void *object, char *rule, char *mend, const char *reason, ...)
    __attribute__((format(printf, 5, 6)));

/* Does a VPC endpoint carry the group? */
bool audit_endpoint_carries(const struct audit *audit, const char *group_id);

/* audit_filters.c */
void audit_all_from_world(struct audit *audit);
void audit_ports_from_world(struct audit *audit);
void audit_group_gone(struct audit *audit);
void audit_group_unattached(struct audit *audit);
void audit_rule_implied(struct audit *audit);
void audit_acl_blocks_replies(struct audit *audit);
void audit_entry_overruled(struct audit *audit);
void audit_entry_redundant(struct audit *audit);
void audit_acl_unattached(struct audit *audit);

/* audit_routes.c */
void audit_route_blackhole(struct audit *audit);
void audit_nat_private_subnet(struct audit *audit);
void audit_peering_one_sided(struct audit *audit);
void audit_peering_overlap(struct audit *audit);

/* audit_blocks.c */
void audit_cidr_split(struct audit *audit);
void audit_tgw_overlap(struct audit *audit);
void audit_tgw_blackhole(struct audit *audit);
/* Do the blocks together hold every address of 'cidr'? */
bool audit_blocks_cover(const struct cidr *blocks, size_t n, const struct cidr *cidr);

/* audit_paths.c */
void audit_asymmetric(struct audit *audit);
void audit_rule_unused(struct audit *audit);

/* audit_filters.c: how a rule is told, and the command that drops it (NULL: it has no id); the caller frees them. */
char *audit_rule_text(const struct audit *audit, const struct sg_rule *rule);
char *audit_revoke(const struct security_group *group, const struct sg_rule *rule);
