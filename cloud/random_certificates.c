#include "cloud/random_certificates.h"

#include <stdlib.h>

#include "netsim/live/authority.h"
#include "netsim/model/certificate.h"

static bool
issue(const struct authority *authority, struct certificate *c, struct err *err)
{
    struct pem_pair made = { 0 };
    struct certificate_facts facts;
    bool ok = authority_issue(&(struct pem_pair){ authority->pem, authority->key }, (const char *const *)c->names.items,
                              c->names.n, "EC_prime256v1", &made, err) &&
              certificate_read(made.certificate, &facts, err);
    if (ok) {
        c->serial = xstrdup(facts.serial);
        c->pem = xstrdup(made.certificate);
        c->chain = xstrdup(authority->pem);
        c->key = xstrdup(made.key);
        c->not_before = facts.not_before;
        c->not_after = facts.not_after;
        certificate_facts_done(&facts);
    }
    pem_pair_done(&made);
    return ok;
}

bool
random_certificates_issue(struct network *net, struct err *err)
{
    const struct store *store = network_store(net);
    struct pem_pair made = { 0 };
    struct certificate *c = store_first(store, &certificate_kind);
    bool ok = !c || authority_make(&made, err);
    const struct authority *authority = c && ok ? network_set_authority(net, made.certificate, made.key) : NULL;
    for (; ok && c; c = store_next(store, c)) {
        ok = issue(authority, c, err);
    }
    pem_pair_done(&made);
    certificate_changed(net);
    return ok;
}
