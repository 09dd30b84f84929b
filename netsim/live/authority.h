/* netsim/live/authority.h - X.509: the lab's own certificate authority issues, and what somebody brings is read and checked.
 *
 * Everything is PEM text.  The authority is a key of ECDSA P-256 made when a lab first needs it; what it issues is good for 13 months of real time, since
 * programs compare with the machine's clock and not the lab's.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc5280, https://docs.aws.amazon.com/acm/latest/userguide/import-certificate-prerequisites.html
 * Uses: OpenSSL.   Used by: tls.c, services.c, cloud/ops_acm.c, cloud/ops_elbv2_trust.c */
#pragma once
#include <stdint.h>
#include "base/buf.h"
#include "base/err.h"
#include "base/vec.h"

struct pem_pair {
    char *certificate, *key; /* owned */
};
void pem_pair_done(struct pem_pair *pair);

bool authority_make(struct pem_pair *out, struct err *err); /* ERR_MACHINE: no chance, no library */
/* A certificate for these names (at least one; the first is its subject), signed by the authority.  'algorithm' is AWS's word: RSA_2048, EC_prime256v1,
 * EC_secp384r1.  ERR_INPUT with InvalidParameterException for another. */
bool authority_issue(const struct pem_pair *authority, const char *const *names, size_t n, const char *algorithm, struct pem_pair *out,
                     struct err *err);

/* What a certificate says, in AWS's spelling. */
struct certificate_facts {
    char *domain, *serial /* "0a:1b" */, *subject /* "CN=www.example" */, *issuer, *key_algorithm /* "RSA-2048" */, *signature_algorithm;
    VEC(char *) names;             /* of the subject's alternatives, DNS only */
    int64_t not_before, not_after; /* milliseconds since 1970 */
};
void certificate_facts_done(struct certificate_facts *facts);
/* ValidationException: no certificate, more than one. */
bool certificate_read(const char *pem, struct certificate_facts *facts, struct err *err);
/* Can it be imported?  ValidationException: no PEM, a key that is sealed or belongs to another certificate, a chain ('chain' may be NULL) that does not
 * lead on from it, out of date. */
bool certificate_fits(const char *pem, const char *key, const char *chain, struct err *err);
/* How many certificates of authorities a bundle has.  InvalidCaCertificatesBundle: none, something else among them, one that is no authority's. 0 then. */
int certificate_bundle_size(const char *pem, struct err *err);
