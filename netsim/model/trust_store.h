/* netsim/model/trust_store.h - trust stores of Elastic Load Balancing: whose client certificates a listener of HTTPS takes in mutual TLS.
 *
 * A trust store is a bundle of certificates of authorities (PEM).  An import knows stores but no bundles: then nobody is let in.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TrustStore.html
 * Used by: load_balancer.h, cloud/ops_elbv2_trust.c, live/tls_offers.c */
#pragma once
#include "netsim/model/load_balancer.h"

struct trust_store {
    struct object obj; /* id: "NAME/16 hex digits" */
    char *arn, *name, *status /* ACTIVE */;
    int32_t n_certificates, n_revoked;
    char *pem; /* the bundle; NULL: not known */
};
extern const struct kind trust_store_kind;

struct trust_store *network_trust_store(const struct network *net, const char *arn_or_id); /* NULL if there is none */
/* ValidationError (a name), DuplicateTrustStoreName. */
struct trust_store *trust_store_create(struct network *net, const char *name, const char *pem, int n_certificates, struct err *err);
void trust_store_set_bundle(struct network *net, struct trust_store *store, const char *pem, int n_certificates);
bool trust_store_delete(struct network *net, struct trust_store *store, struct err *err); /* TrustStoreInUse */
/* ARNs of the listeners that name it; the caller owns the list. */
json_t *trust_store_users(const struct network *net, const struct trust_store *store);

/* ---- MutualAuthentication of a listener ------------------------------------------------------------------------------ */
enum mutual_mode { MUTUAL_OFF, MUTUAL_PASSTHROUGH, MUTUAL_VERIFY };
enum mutual_mode listener_mutual_mode(const struct lb_listener *listener);
