#include "netsim/live/tls_offers.h"

#include <inttypes.h>
#include <string.h>

#include "base/map.h"

#include "netsim/live/authority.h"
#include "netsim/live/balancer_h2.h"
#include "netsim/model/certificate.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/trust_store.h"

typedef VEC(const char *) arn_vec;

static void
add_arns(arn_vec *arns, const json_t *certificates)
{
    for (size_t i = 0; i < json_array_size(certificates); i++) {
        const char *arn = json_str(json_array_get(certificates, i), "CertificateArn");
        if (arn) {
            *VEC_ADD(arns) = arn;
        }
    }
}

static enum tls_alpn
alpn_of(const struct load_balancer *lb, const struct lb_listener *listener)
{
    static const struct {
        const char *policy;
        enum tls_alpn alpn;
    } rows[] = { { "HTTP1Only", TLS_ALPN_HTTP1 },
                 { "HTTP2Only", TLS_ALPN_H2 },
                 { "HTTP2Preferred", TLS_ALPN_H2_OR_1 },
                 { "HTTP2Optional", TLS_ALPN_1_OR_H2 } };
    const char *policy = json_string_value(json_array_get(listener->alpn, 0));
    for (size_t i = 0; policy && i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].policy, policy) == 0) {
            return rows[i].alpn;
        }
    }
    const char *h2 = load_balancer_attribute(lb, "routing.http2.enabled"); /* not known: on, as it is by default */
    bool speaks_h2 = balancer_h2_is_built() && !(h2 && strcmp(h2, "false") == 0);
    return strcmp(listener->protocol, "HTTPS") != 0 ? TLS_ALPN_NONE : speaks_h2 ? TLS_ALPN_H2_OR_1 : TLS_ALPN_HTTP1;
}

/* What the listener asks of its clients. */
static struct tls_clients
clients_of(const struct network *net, const struct lb_listener *listener)
{
    static const enum tls_clients_mode modes[] = { [MUTUAL_OFF] = TLS_CLIENTS_UNASKED,
                                                   [MUTUAL_PASSTHROUGH] = TLS_CLIENTS_SHOWN,
                                                   [MUTUAL_VERIFY] = TLS_CLIENTS_VERIFIED };
    const char *names = json_str(listener->mutual, "AdvertiseTrustStoreCaNames");
    const struct trust_store *store = network_trust_store(net, json_str(listener->mutual, "TrustStoreArn"));
    return (struct tls_clients){ modes[listener_mutual_mode(listener)], store ? store->pem : NULL,
                                 json_flag(listener->mutual, "IgnoreClientCertificateExpiry", false),
                                 names && strcmp(names, "on") == 0 };
}

static void
add_clients(struct buf *key, const struct tls_clients *clients)
{
    const char *pem = clients->authorities ? clients->authorities : "";
    if (clients->mode != TLS_CLIENTS_UNASKED) {
        buf_printf(key, " clients %d %d %d %016" PRIx64, (int)clients->mode, clients->ignores_expiry,
                   clients->names_authorities, hash_bytes(pem, strlen(pem)));
    }
}

/* A certificate of the lab's authority for these names. */
static struct tls_offer *
offer_names(const struct services *services, const char *const *names, size_t n, const struct tls_clients *clients)
{
    const struct authority *authority = network_authority(services_network(services));
    struct tls_book *book = services_tls(services);
    struct buf key = { 0 };
    buf_str_add(&key, "names");
    for (size_t i = 0; i < n; i++) {
        buf_printf(&key, " %s", names[i]);
    }
    add_clients(&key, clients);
    struct tls_offer *offer = tls_offer_find(book, buf_str(&key));
    struct pem_pair made = { 0 };
    struct err err = { 0 };
    if (!offer && authority && n &&
        authority_issue(&(struct pem_pair){ authority->pem, authority->key }, names, n, "EC_prime256v1", &made, &err)) {
        struct tls_certificate own = { made.certificate, authority->pem, made.key };
        offer = tls_offer_make(
            book, buf_str(&key),
            &(struct tls_terms){ .certificates = &own, .n = 1, .from = 2, .to = 3, .clients = *clients });
    }
    pem_pair_done(&made);
    buf_done(&key);
    return offer;
}

/* What the lab has of the certificates; the stand-in if it lacks the default one. */
static struct tls_offer *
offer_of(const struct services *services, const arn_vec *arns, const char *policy_name, enum tls_alpn alpn,
         const struct tls_clients *clients, const char *dns_name)
{
    const struct network *net = services_network(services);
    const struct ssl_policy *policy = ssl_policy_find(policy_name ? policy_name : SSL_POLICY_DEFAULT);
    VEC(struct tls_certificate) certificates = { 0 };
    struct buf key = { 0 };
    struct tls_terms terms = {
        .from = policy ? policy->from : 2, .to = policy ? policy->to : 3, .alpn = alpn, .clients = *clients
    };
    buf_printf(&key, "listener %d %d %d", terms.from, terms.to, (int)alpn);
    for (size_t i = 0; i < arns->n; i++) {
        const struct certificate *c = network_certificate(net, arns->items[i]);
        if (c && c->pem && c->key) {
            *VEC_ADD(&certificates) = (struct tls_certificate){ c->pem, c->chain, c->key };
            buf_printf(&key, " %s %s", c->arn, c->serial); /* imported again it has another number */
        } else if (i == 0) {
            break;
        }
    }
    add_clients(&key, clients);
    struct tls_offer *offer = NULL;
    terms.certificates = certificates.items;
    terms.n = certificates.n;
    if (certificates.n) {
        offer = tls_offer_find(services_tls(services), buf_str(&key));
        offer = offer ? offer : tls_offer_make(services_tls(services), buf_str(&key), &terms);
    } else if (dns_name) {
        offer = offer_names(services, &dns_name, 1, clients);
    }
    VEC_DONE(&certificates);
    buf_done(&key);
    return offer;
}

struct tls_offer *
tls_offer_listener(const struct services *services, const struct load_balancer *lb, const struct lb_listener *listener)
{
    arn_vec arns = { 0 };
    add_arns(&arns, listener->certificates);
    add_arns(&arns, listener->more_certificates);
    struct tls_clients clients = clients_of(services_network(services), listener);
    struct tls_offer *offer =
        offer_of(services, &arns, listener->ssl_policy, alpn_of(lb, listener), &clients, lb->dns_name);
    VEC_DONE(&arns);
    return offer;
}

struct tls_offer *
tls_offer_classic(const struct services *services, const struct classic_balancer *lb,
                  const struct classic_listener *listener)
{
    arn_vec arns = { 0 };
    if (listener->certificate_id) {
        *VEC_ADD(&arns) = listener->certificate_id;
    }
    enum tls_alpn alpn = classic_listener_is_web(listener) ? TLS_ALPN_HTTP1 : TLS_ALPN_NONE;
    struct tls_clients clients = { .mode = TLS_CLIENTS_UNASKED };
    struct tls_offer *offer = offer_of(services, &arns, NULL, alpn, &clients, lb->dns_name);
    VEC_DONE(&arns);
    return offer;
}

/* ---- services of AWS ------------------------------------------------------------------------------------------------
 */
typedef VEC(char *) text_vec;
static void
add_with_below(text_vec *names, char *name) /* takes it */
{
    *VEC_ADD(names) = name;
    *VEC_ADD(names) = xasprintf("*.%s", name);
}

struct tls_offer *
tls_offer_service(const struct services *services, const char *endpoint_id, const char *service)
{
    const struct network *net = services_network(services);
    const struct endpoint *endpoint = store_get(network_store(net), &endpoint_kind, endpoint_id);
    const char *name = endpoint && endpoint->service_name ? endpoint->service_name : NULL,
               *region = network_region(net);
    char *own_region = NULL;
    text_vec names = { 0 };
    if (name && strncmp(name, "com.amazonaws.", 14) == 0 && strchr(name + 14, '.')) { /* com.amazonaws.REGION.SERVICE */
        own_region = xstrndup(name + 14, strcspn(name + 14, "."));
        region = own_region;
        service = strchr(name + 14, '.') + 1;
    }
    add_with_below(&names, xasprintf("%s.%s.amazonaws.com", service, region));
    if (strcmp(service, "s3") == 0) {
        add_with_below(&names, xstrdup("s3.amazonaws.com"));
    }
    for (size_t i = 0; endpoint && i < endpoint->dns_entries.n; i++) {
        const char *entry = endpoint->dns_entries.items[i].name;
        if (entry && strstr(entry, ".vpce.")) {
            add_with_below(&names, xstrdup(strncmp(entry, "*.", 2) == 0 ? entry + 2 : entry));
        }
    }
    struct tls_clients clients = { .mode = TLS_CLIENTS_UNASKED };
    struct tls_offer *offer = offer_names(services, (const char *const *)names.items, names.n, &clients);
    for (size_t i = 0; i < names.n; i++) {
        free(names.items[i]);
    }
    VEC_DONE(&names);
    free(own_region);
    return offer;
}
