/* netsim/model/balancer_parts.h - what the files of load balancers' operations share: load_balancer_ops.c, target_group_ops.c, listener_ops.c,
 * listener_certificates.c, classic_balancer_ops.c, classic_policy.c, trust_store.c.  Nobody else includes it. */
#pragma once
#include "netsim/model/internal.h"

#define BALANCER_HEX_DIGITS 16 /* at the end of every ARN of Elastic Load Balancing */

/* "arn:aws:elasticloadbalancing:REGION:ACCOUNT:" 'type' "loadbalancer/" 'id'; the caller frees it. */
char *balancer_arn(const struct network *net, const char *id, const char *type);
void balancer_hex(struct network *net, char hex[static BALANCER_HEX_DIGITS + 1]);
/* ValidationError: letters, digits and hyphens, up to 32, no hyphen at either end, not "internal-..". */
bool balancer_name_check(const char *what, const char *name, struct err *err);
/* InvalidSecurityGroup: one that is not there, or of another VPC. */
bool balancer_groups_check(const struct network *net, const char *vpc_id, const char *const *ids, size_t n, struct err *err);
/* listener_certificates.c: what a listener says of TLS; 'given': its certificates are new.  Fills in AWS's default policy. */
struct lb_listener;
bool listener_tls_check(const struct network *net, struct lb_listener *listener, bool given, struct err *err);
/* trust_store.c: its MutualAuthentication, with AWS's defaults filled in.  ValidationError, TrustStoreNotFound. */
bool listener_mutual_check(const struct network *net, struct lb_listener *listener, struct err *err);
bool is_network_protocol(const char *protocol); /* TCP UDP TCP_UDP TLS */
bool is_web_protocol(const char *protocol);     /* HTTP HTTPS */
