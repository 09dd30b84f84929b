/* netsim/live/tls_client.h - certificates that clients show (mutual TLS): asking for them, judging them, telling targets of them.
 *
 * Shown ones are taken as they are; verified ones must lead to an authority of the bundle, be of X.509 version 3 and, unless that is waived, in date.  An
 * intermediate authority in the bundle is trusted by itself.  Revocation is not asked about.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html (headers)
 * Uses: OpenSSL.   Used by: tls.c, balancer.c */
#pragma once
#include "base/buf.h"
#include "netsim/live/stream.h"

enum tls_clients_mode { TLS_CLIENTS_UNASKED, TLS_CLIENTS_SHOWN, TLS_CLIENTS_VERIFIED };
struct tls_clients {
    enum tls_clients_mode mode;
    const char *authorities; /* PEM; NULL: nobody is trusted */
    bool ignores_expiry, names_authorities /* in the question to the client */;
};
struct ssl_ctx_st;
bool tls_client_ask(struct ssl_ctx_st *context, const struct tls_clients *clients);

/* X-Amzn-Mtls-Clientcert.. of the client's certificate, whole lines; nothing where it showed none. */
void tls_client_write(const struct stream *stream, enum tls_clients_mode mode, struct buf *out);
