#include "netsim/live/tls_client.h"

#include <ctype.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <string.h>
#include <time.h>

#define DEPTH_MAX 4 /* AWS's longest chain */
#define HEADER    "X-Amzn-Mtls-Clientcert"

/* ---- judging ------------------------------------------------------------------------------------------------------
 */
static int
take_any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static int
verify(int ok, X509_STORE_CTX *store)
{
    bool own = X509_STORE_CTX_get_error_depth(store) == 0;
    if (ok && own && X509_get_version(X509_STORE_CTX_get_current_cert(store)) != X509_VERSION_3) {
        X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_CA);
        return 0;
    }
    return ok;
}

static int
verify_also_old(int ok, X509_STORE_CTX *store)
{
    if (!ok && X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_HAS_EXPIRED &&
        X509_STORE_CTX_get_error_depth(store) == 0) {
        X509_STORE_CTX_set_error(store, X509_V_OK);
        ok = 1;
    }
    return verify(ok, store);
}

static bool
trust(SSL_CTX *context, const struct tls_clients *clients)
{
    const char *pem = clients->authorities ? clients->authorities : "";
    X509_STORE *store = SSL_CTX_get_cert_store(context);
    BIO *bio = BIO_new_mem_buf(pem, (int)strlen(pem));
    bool ok = bio != NULL;
    for (X509 *x; ok && (x = PEM_read_bio_X509(bio, NULL, NULL, NULL));) {
        ok = X509_STORE_add_cert(store, x) == 1 &&
             (!clients->names_authorities || SSL_CTX_add_client_CA(context, x) == 1);
        X509_free(x);
    }
    BIO_free(bio);
    ERR_clear_error(); /* the end of the bundle is told as an error */
    return ok && X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
}

bool
tls_client_ask(struct ssl_ctx_st *context, const struct tls_clients *clients)
{
    switch (clients->mode) {
    case TLS_CLIENTS_SHOWN:
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, take_any);
        return true;
    case TLS_CLIENTS_VERIFIED:
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           clients->ignores_expiry ? verify_also_old : verify);
        SSL_CTX_set_verify_depth(context, DEPTH_MAX);
        return trust(context, clients);
    case TLS_CLIENTS_UNASKED:
        break;
    }
    return true;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */
static void
write_escaped(struct buf *out, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (isalnum(c) || strchr("-_.~+=/", c)) {
            buf_char(out, (char)c);
        } else {
            buf_printf(out, "%%%02X", c);
        }
    }
}

static void
write_pem(struct buf *out, X509 *x)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    if (bio && PEM_write_bio_X509(bio, x)) {
        long size = BIO_get_mem_data(bio, &data);
        write_escaped(out, data, (size_t)size);
    }
    BIO_free(bio);
}

/* What is no printable ASCII stands escaped in RFC 2253, so no name can end the line. */
static void
write_name(struct buf *out, const char *which, const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0) {
        long size = BIO_get_mem_data(bio, &data);
        buf_printf(out, HEADER "-%s: %.*s\r\n", which, (int)size, data);
    }
    BIO_free(bio);
}

static void
write_time(struct buf *out, const ASN1_TIME *time)
{
    struct tm tm;
    char text[32] = "";
    if (ASN1_TIME_to_tm(time, &tm)) {
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    buf_str_add(out, text);
}

static void
write_facts(struct buf *out, X509 *x)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    buf_printf(out, HEADER "-Serial-Number: %s\r\n", hex ? hex : "");
    write_name(out, "Issuer", X509_get_issuer_name(x));
    write_name(out, "Subject", X509_get_subject_name(x));
    buf_str_add(out, HEADER "-Validity: NotBefore=");
    write_time(out, X509_get0_notBefore(x));
    buf_str_add(out, ";NotAfter=");
    write_time(out, X509_get0_notAfter(x));
    buf_str_add(out, "\r\n" HEADER "-Leaf: ");
    write_pem(out, x);
    buf_str_add(out, "\r\n");
    OPENSSL_free(hex);
    BN_free(number);
}

void
tls_client_write(const struct stream *stream, enum tls_clients_mode mode, struct buf *out)
{
    X509 *own = stream->tls ? SSL_get0_peer_certificate(stream->tls) : NULL;
    const STACK_OF(X509) *chain = own ? SSL_get_peer_cert_chain(stream->tls) : NULL; /* without its own */
    if (own && mode == TLS_CLIENTS_VERIFIED) {
        write_facts(out, own);
    } else if (own && mode == TLS_CLIENTS_SHOWN) {
        buf_str_add(out, HEADER ": ");
        write_pem(out, own);
        for (int i = 0; i < sk_X509_num(chain); i++) {
            write_pem(out, sk_X509_value(chain, i));
        }
        buf_str_add(out, "\r\n");
    }
    ERR_clear_error();
}
