/* netsim/live/tls.h - who ends and begins TLS in a lab: certificates chosen by the name that a client asks for, protocol versions, ALPN.
 *
 * An offer is what a listener shows; offers are kept by a key that says all of it, so that a connection costs no reading of PEM.  Towards targets nothing is
 * verified, as with AWS's balancers.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/https-listener-certificates.html (which certificate),
 * .../network/tls-listener-config.html (ALPN)
 * Uses: OpenSSL, authority.h, tls_client.h.   Used by: tls_offers.c, http_server.c, relay.c, balancer.c, health.c, request.c */
#pragma once
#include "netsim/live/stream.h"
#include "netsim/live/tls_client.h"

enum tls_alpn {
    TLS_ALPN_HTTP1,     /* "http/1.1" if the client names it */
    TLS_ALPN_NONE,      /* HTTP has no say */
    TLS_ALPN_H2,        /* h2 only */
    TLS_ALPN_H2_OR_1,   /* HTTP2Preferred */
    TLS_ALPN_1_OR_H2,   /* HTTP2Optional */
};
struct tls_certificate { /* PEM; borrowed while the offer is made */
    const char *certificate, *chain /* NULL: none */, *key;
};
struct tls_terms {
    const struct tls_certificate *certificates; /* the first is the default one */
    size_t n;
    int from, to; /* TLS 1.from to 1.to */
    enum tls_alpn alpn;
    struct tls_clients clients;
};

struct tls_book; /* of one process */
struct tls_book *tls_book_new(void);
void tls_book_free(struct tls_book *book); /* connections that still run go on */

struct tls_offer;
/* The offer of that key if it was made; borrowed until the next call of these. */
struct tls_offer *tls_offer_find(const struct tls_book *book, const char *key);
/* NULL: none of the certificates can be used. */
struct tls_offer *tls_offer_make(struct tls_book *book, const char *key, const struct tls_terms *terms);

/* TLS for a new connection, for stream_of(); NULL: out of memory. */
struct ssl_st *tls_accept(struct tls_offer *offer);
/* 'protocol': what ALPN asks for ("h2"); NULL: nothing. */
struct ssl_st *tls_connect(struct tls_book *book, const char *protocol);
/* The name that a client asks for; before hands are shaken. */
void tls_ask_for(struct ssl_st *tls, const char *host);
/* The other side's certificate as PEM, which the caller frees; NULL: none.  And does it lead to an authority of this PEM? */
char *tls_peer(const struct stream *stream);
bool tls_is_issued_by(const struct stream *stream, const char *authority);
/* What both sides agreed on once hands are shaken; "" for none.  Static or the connection's. */
void tls_agreed(const struct stream *stream, char protocol[static 16]);
const char *tls_version(const struct stream *stream); /* "TLSv1.3" */
const char *tls_cipher(const struct stream *stream);  /* as OpenSSL names it */
