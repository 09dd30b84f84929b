/* netsim/model/certificate.h - certificates of AWS Certificate Manager, and the lab's own authority that issues them.
 *
 * A certificate is PEM text with its key; the facts beside it (names, dates, serial number) were read from it once by live/authority.h.  Listeners
 * of balancers name certificates by ARN.  A private key is in state.json and in no answer.
 *
 * Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_CertificateDetail.html
 * Used by: load_balancer.h, classic_balancer.h, cloud/ops_acm.c, live/services.h */
#pragma once
#include "netsim/model/network.h"

struct certificate {
    struct object obj; /* id: what follows "certificate/" in its ARN */
    char *arn, *domain;
    VEC(char *) names; /* domain among them */
    char *type /* AMAZON_ISSUED | IMPORTED */, *status /* ISSUED */, *validation /* DNS | EMAIL; NULL: imported */;
    char *serial, *subject, *issuer, *key_algorithm /* "RSA-2048" "EC-prime256v1" */, *signature_algorithm;
    int64_t created, issued, imported /* 0: it is not */, not_before, not_after;
    char *pem, *chain /* NULL: none */, *key;
};
extern const struct kind certificate_kind;

struct certificate *network_certificate(const struct network *net, const char *arn); /* NULL if there is none */
/* A new one of the owner in force, with an ARN and nothing else. */
struct certificate *certificate_add(struct network *net);
void certificate_delete(struct network *net, struct certificate *certificate); /* nobody may use it */
/* ARNs of the balancers with a listener that names it; the caller owns the list. */
json_t *certificate_users(const struct network *net, const struct certificate *certificate);
/* CertificateNotFound: the lab has no such certificate. */
bool certificate_check(const struct network *net, const char *arn, struct err *err);
/* Something of it changed: who serves it must know. */
void certificate_changed(struct network *net);

/* Who issues for the lab: made when the lab first needs it, the same for all accounts. */
struct authority {
    struct object obj;
    char *pem, *key;
};
extern const struct kind authority_kind;
struct authority *network_authority(const struct network *net);                               /* NULL: none yet */
struct authority *network_set_authority(struct network *net, const char *pem, const char *key); /* there was none */

/* ---- Security policies of listeners -------------------------------------------------------------------------------- */
struct ssl_policy {
    const char *name;
    int from, to; /* TLS 1.from to 1.to */
};
#define SSL_POLICY_DEFAULT "ELBSecurityPolicy-2016-08" /* of listeners that name none */
const struct ssl_policy *ssl_policy_find(const char *name); /* NULL: AWS has none of that name */
