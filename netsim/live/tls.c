#include "netsim/live/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"

#define OFFERS_MAX 128 /* beyond, all are forgotten and made again when they are asked for */

struct tls_offer {
    char *key;
    VEC(SSL_CTX *) contexts; /* one a certificate; the first is the default */
    enum tls_alpn alpn;
    size_t n_users; /* the book, and connections */
};
struct tls_book {
    struct map offers;
    SSL_CTX *client;
};

static void
offer_drop(struct tls_offer *offer)
{
    if (offer && --offer->n_users == 0) {
        for (size_t i = 0; i < offer->contexts.n; i++) {
            SSL_CTX_free(offer->contexts.items[i]);
        }
        VEC_DONE(&offer->contexts);
        free(offer->key);
        free(offer);
    }
}

static void
forget_offers(struct tls_book *book)
{
    size_t cursor = 0;
    const char *key;
    void *offer;
    while (map_next(&book->offers, &cursor, &key, &offer)) {
        offer_drop(offer);
    }
    map_done(&book->offers);
    book->offers = (struct map){ 0 };
}

struct tls_book *
tls_book_new(void)
{
    return xcalloc(1, sizeof(struct tls_book));
}

void
tls_book_free(struct tls_book *book)
{
    if (book) {
        forget_offers(book);
        SSL_CTX_free(book->client);
        free(book);
    }
}

/* ---- choosing -------------------------------------------------------------------------------------------------------
 */

/* The place of an offer in each connection, which lets go of it at its end. */
static void
drop_with_connection(void *parent, void *offer, CRYPTO_EX_DATA *data, int index, long arg, void *context)
{
    (void)parent, (void)data, (void)index, (void)arg, (void)context;
    offer_drop(offer);
}

static int
offer_place(void)
{
    static int place = -1;
    if (place < 0) {
        place = SSL_get_ex_new_index(0, NULL, NULL, NULL, drop_with_connection);
    }
    return place;
}

static bool
names_host(SSL_CTX *context, const char *host, unsigned flags)
{
    return X509_check_host(SSL_CTX_get0_certificate(context), host, 0, flags, NULL) == 1;
}

/* A certificate that names the host itself comes before one with a wildcard; none: the default one. */
static int
choose_certificate(SSL *tls, int *alert, void *context)
{
    const struct tls_offer *offer = SSL_get_ex_data(tls, offer_place());
    const char *host = SSL_get_servername(tls, TLSEXT_NAMETYPE_host_name);
    static const unsigned tries[] = { X509_CHECK_FLAG_NO_WILDCARDS, 0 };
    (void)alert, (void)context;
    for (size_t k = 0; host && k < ARRAY_SIZE(tries); k++) {
        for (size_t i = 0; i < offer->contexts.n; i++) {
            if (names_host(offer->contexts.items[i], host, tries[k])) {
                SSL_set_SSL_CTX(tls, offer->contexts.items[i]);
                return SSL_TLSEXT_ERR_OK;
            }
        }
    }
    return SSL_TLSEXT_ERR_OK;
}

static int
choose_protocol(SSL *tls, const unsigned char **out, unsigned char *size, const unsigned char *in, unsigned in_size,
                void *context)
{
    static const struct {
        const char *list; /* in the order of preference */
        unsigned size;
    } rows[] = {
        [TLS_ALPN_HTTP1] = { "\x08http/1.1", 9 },
        [TLS_ALPN_NONE] = { "", 0 },
        [TLS_ALPN_H2] = { "\x02h2", 3 },
        [TLS_ALPN_H2_OR_1] = { "\x02h2\x08http/1.1", 12 },
        [TLS_ALPN_1_OR_H2] = { "\x08http/1.1\x02h2", 12 },
    };
    const struct tls_offer *offer = SSL_get_ex_data(tls, offer_place());
    unsigned char *chosen;
    (void)context;
    bool met =
        rows[offer->alpn].size && SSL_select_next_proto(&chosen, size, (const unsigned char *)rows[offer->alpn].list,
                                                        rows[offer->alpn].size, in, in_size) == OPENSSL_NPN_NEGOTIATED;
    *out = met ? chosen : NULL;
    return met ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

/* ---- offers ---------------------------------------------------------------------------------------------------------
 */

static const int versions[] = { TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION };

static void
set_usual(SSL_CTX *context)
{
    /* Versions and ciphers are the policy's affair, not this machine's openssl.cnf's; nothing is remembered of
     * connections. */
    SSL_CTX_set_security_level(context, 0);
    SSL_CTX_set_cipher_list(context, "DEFAULT:!aNULL:!eNULL:!LOW:!EXPORT:@SECLEVEL=0");
    SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_num_tickets(context, 0);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
}

static bool
use_chain(SSL_CTX *context, const char *chain)
{
    BIO *bio = BIO_new_mem_buf(chain, (int)strlen(chain));
    bool ok = true;
    for (X509 *x; ok && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL));) {
        ok = SSL_CTX_add0_chain_cert(context, x) == 1;
    }
    BIO_free(bio);
    return ok;
}

static SSL_CTX *
make_context(const struct tls_certificate *c, const struct tls_terms *terms)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    BIO *certificate = BIO_new_mem_buf(c->certificate, (int)strlen(c->certificate)),
        *secret = BIO_new_mem_buf(c->key, (int)strlen(c->key));
    X509 *x = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(secret, NULL, NULL, NULL);
    bool ok = context && x && key;
    if (ok) {
        set_usual(context);
        ok = SSL_CTX_set_min_proto_version(context, versions[terms->from]) &&
             SSL_CTX_set_max_proto_version(context, versions[terms->to]) && SSL_CTX_use_certificate(context, x) == 1 &&
             SSL_CTX_use_PrivateKey(context, key) == 1 && (!c->chain || use_chain(context, c->chain)) &&
             tls_client_ask(context, &terms->clients);
        SSL_CTX_set_tlsext_servername_callback(context, choose_certificate);
        SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    }
    BIO_free(certificate);
    BIO_free(secret);
    X509_free(x);
    EVP_PKEY_free(key);
    ERR_clear_error();
    if (!ok) {
        SSL_CTX_free(context);
    }
    return ok ? context : NULL;
}

struct tls_offer *
tls_offer_find(const struct tls_book *book, const char *key)
{
    return map_get(&book->offers, key);
}

struct tls_offer *
tls_offer_make(struct tls_book *book, const char *key, const struct tls_terms *terms)
{
    if (book->offers.n >= OFFERS_MAX) {
        forget_offers(book);
    }
    struct tls_offer *offer = xcalloc(1, sizeof *offer);
    offer->key = xstrdup(key);
    offer->alpn = terms->alpn;
    offer->n_users = 1;
    for (size_t i = 0; i < terms->n; i++) {
        SSL_CTX *context = make_context(&terms->certificates[i], terms);
        if (context) {
            *VEC_ADD(&offer->contexts) = context;
        }
    }
    if (offer->contexts.n == 0) {
        offer_drop(offer);
        return NULL;
    }
    map_put(&book->offers, offer->key, offer);
    return offer;
}

/* ---- connections ----------------------------------------------------------------------------------------------------
 */

struct ssl_st *
tls_accept(struct tls_offer *offer)
{
    SSL *tls = SSL_new(offer->contexts.items[0]);
    if (tls) {
        offer->n_users++;
        SSL_set_ex_data(tls, offer_place(), offer);
        SSL_set_accept_state(tls);
    }
    return tls;
}

struct ssl_st *
tls_connect(struct tls_book *book, const char *protocol)
{
    if (!book->client) {
        book->client = SSL_CTX_new(TLS_client_method());
        if (!book->client) {
            ERR_clear_error();
            return NULL;
        }
        set_usual(book->client);
        SSL_CTX_set_min_proto_version(book->client, TLS1_VERSION);
        SSL_CTX_set_verify(book->client, SSL_VERIFY_NONE, NULL);
    }
    SSL *tls = SSL_new(book->client);
    if (tls) {
        unsigned char name[16];
        size_t size = protocol ? strlen(protocol) : 0;
        if (size && size < sizeof name) {
            name[0] = (unsigned char)size;
            memcpy(name + 1, protocol, size);
            SSL_set_alpn_protos(tls, name, (unsigned)size + 1);
        }
        SSL_set_connect_state(tls);
    }
    return tls;
}

void
tls_ask_for(struct ssl_st *tls, const char *host)
{
    SSL_set_tlsext_host_name(tls, host);
}

char *
tls_peer(const struct stream *stream)
{
    X509 *x = SSL_get1_peer_certificate(stream->tls);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text, *out = NULL;
    if (x && bio && PEM_write_bio_X509(bio, x) == 1) {
        long size = BIO_get_mem_data(bio, &text);
        out = xstrndup(text, (size_t)size);
    }
    BIO_free(bio);
    X509_free(x);
    return out;
}

bool
tls_is_issued_by(const struct stream *stream, const char *authority)
{
    X509 *x = SSL_get1_peer_certificate(stream->tls);
    BIO *bio = BIO_new_mem_buf(authority, (int)strlen(authority));
    X509 *issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    bool ok = x && issuer && X509_verify(x, X509_get0_pubkey(issuer)) == 1;
    X509_free(issuer);
    BIO_free(bio);
    X509_free(x);
    ERR_clear_error();
    return ok;
}

void
tls_agreed(const struct stream *stream, char protocol[static 16])
{
    const unsigned char *name = NULL;
    unsigned size = 0;
    if (stream->tls) {
        SSL_get0_alpn_selected(stream->tls, &name, &size);
    }
    size = size < 16 ? size : 0;
    memcpy(protocol, size ? (const char *)name : "", size);
    protocol[size] = '\0';
}

const char *
tls_version(const struct stream *stream)
{
    return SSL_get_version(stream->tls);
}

const char *
tls_cipher(const struct stream *stream)
{
    return SSL_get_cipher_name(stream->tls);
}
