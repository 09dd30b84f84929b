/* Mutual TLS: whose certificates a listener takes, and what targets are told of them. */
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/authority.h"
#include "netsim/live/tls.h"
#include "tests/test.h"

static struct pem_pair ours, theirs, server, good, stranger, old;

static X509 *
x509_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return x;
}

static EVP_PKEY *
key_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return key;
}

/* The same certificate, out of date since an hour. */
static void
make_old(struct pem_pair *out)
{
    X509 *x = x509_of(good.certificate);
    EVP_PKEY *key = key_of(ours.key);
    BIO *bio = BIO_new(BIO_s_mem());
    char *data;
    X509_gmtime_adj(X509_getm_notAfter(x), -3600);
    X509_sign(x, key, EVP_sha256());
    PEM_write_bio_X509(bio, x);
    long size = BIO_get_mem_data(bio, &data);
    *out = (struct pem_pair){ xstrndup(data, (size_t)size), xstrdup(good.key) };
    BIO_free(bio);
    EVP_PKEY_free(key);
    X509_free(x);
}

static void
make_all(void)
{
    static const char *const host = "www.example", *const who = "client.example", *const them = "them.example";
    struct err err = { 0 };
    signal(SIGPIPE, SIG_IGN);
    REQUIRE(authority_make(&ours, &err) && authority_make(&theirs, &err), "%s", err.text);
    REQUIRE(authority_issue(&ours, &host, 1, "EC_prime256v1", &server, &err), "%s", err.text);
    REQUIRE(authority_issue(&ours, &who, 1, "EC_prime256v1", &good, &err), "%s", err.text);
    REQUIRE(authority_issue(&theirs, &them, 1, "EC_prime256v1", &stranger, &err), "%s", err.text);
    make_old(&old);
}

static SSL *
client_of(SSL_CTX *context, const struct pem_pair *own)
{
    if (own->certificate) {
        X509 *x = x509_of(own->certificate);
        EVP_PKEY *key = key_of(own->key);
        SSL_CTX_use_certificate(context, x);
        SSL_CTX_use_PrivateKey(context, key);
        EVP_PKEY_free(key);
        X509_free(x);
    }
    SSL *tls = SSL_new(context);
    SSL_set_connect_state(tls);
    return tls;
}

/* Shakes hands and says what a target would be told; NULL: it is not let in.  The caller frees it. */
static char *
meet(const struct tls_clients *clients, const struct pem_pair *own, int version)
{
    int fds[2];
    struct buf told = { 0 };
    struct tls_book *book = tls_book_new();
    struct tls_certificate shown = { server.certificate, NULL, server.key };
    struct tls_terms terms = {
        .certificates = &shown, .n = 1, .from = 2, .to = version, .alpn = TLS_ALPN_HTTP1, .clients = *clients
    };
    struct tls_offer *offer = tls_offer_make(book, "x", &terms);
    REQUIRE(offer && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0, "");
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    struct stream client = stream_of(fds[0], client_of(context, own)), listener = stream_of(fds[1], tls_accept(offer));
    bool ok = true;
    for (int i = 0; i < 20 && ok && !(client.shaken && listener.shaken); i++) {
        ok = stream_shake(&client) && stream_shake(&listener);
    }
    ok = ok && listener.shaken;
    if (ok) {
        tls_client_write(&listener, clients->mode, &told);
    }
    stream_close(&client);
    stream_close(&listener);
    SSL_CTX_free(context);
    tls_book_free(book);
    char *text = ok ? buf_steal(&told) : NULL;
    buf_done(&told);
    return text;
}

TEST(whom_a_listener_lets_in)
{
    static const struct pem_pair none = { NULL, NULL };
    make_all();
    const struct {
        const char *what;
        struct tls_clients clients;
        const struct pem_pair *own;
        bool in;
        const char *told; /* begins so */
    } cases[] = {
        { "nobody is asked", { .mode = TLS_CLIENTS_UNASKED }, &good, true, "" },
        { "nothing to show", { .mode = TLS_CLIENTS_SHOWN }, &none, true, "" },
        { "shown, whoever it is",
          { .mode = TLS_CLIENTS_SHOWN },
          &stranger,
          true,
          "X-Amzn-Mtls-Clientcert: -----BEGIN%20CERTIFICATE-----%0AMII" },
        { "shown, and old", { .mode = TLS_CLIENTS_SHOWN }, &old, true, "X-Amzn-Mtls-Clientcert: -----BEGIN" },
        { "verified",
          { TLS_CLIENTS_VERIFIED, ours.certificate, false, true },
          &good,
          true,
          "X-Amzn-Mtls-Clientcert-Serial-Number: " },
        { "verified: none", { TLS_CLIENTS_VERIFIED, ours.certificate, false, false }, &none, false, "" },
        { "verified: of another authority",
          { TLS_CLIENTS_VERIFIED, ours.certificate, false, false },
          &stranger,
          false,
          "" },
        { "verified: old", { TLS_CLIENTS_VERIFIED, ours.certificate, false, false }, &old, false, "" },
        { "verified: old, which is waived", { TLS_CLIENTS_VERIFIED, ours.certificate, true, false }, &old, true, "X-" },
        { "waiving dates waives nothing else",
          { TLS_CLIENTS_VERIFIED, theirs.certificate, true, false },
          &old,
          false,
          "" },
        { "no bundle", { TLS_CLIENTS_VERIFIED, NULL, false, false }, &good, false, "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases) * 2; i++) {
        int version = 2 + (int)(i % 2); /* TLS 1.3 tells a client later that he is refused */
        char *told = meet(&cases[i / 2].clients, cases[i / 2].own, version);
        CHECK((told != NULL) == cases[i / 2].in, "%s, TLS 1.%d", cases[i / 2].what, version);
        CHECK(!told || strncmp(told, cases[i / 2].told, strlen(cases[i / 2].told)) == 0, "%s: %s", cases[i / 2].what,
              told);
        CHECK(!told || *cases[i / 2].told || !*told, "%s: %s", cases[i / 2].what, told);
        free(told);
    }
}

TEST(what_targets_are_told)
{
    struct certificate_facts facts;
    struct err err = { 0 };
    REQUIRE(certificate_read(good.certificate, &facts, &err), "%s", err.text);
    char *told = meet(&(struct tls_clients){ TLS_CLIENTS_VERIFIED, ours.certificate, false, false }, &good, 3);
    REQUIRE(told, "");
    char serial[64] = "", issuer[64] = "", subject[64] = "", from[32] = "", to[32] = "";
    int used = 0;
    int n = sscanf(told,
                   "X-Amzn-Mtls-Clientcert-Serial-Number: %63[0-9A-F]\r\nX-Amzn-Mtls-Clientcert-Issuer: %63[^\r]\r\n"
                   "X-Amzn-Mtls-Clientcert-Subject: %63[^\r]\r\n"
                   "X-Amzn-Mtls-Clientcert-Validity: NotBefore=%31[0-9TZ:-];NotAfter=%31[0-9TZ:-]\r\n"
                   "X-Amzn-Mtls-Clientcert-Leaf: %n",
                   serial, issuer, subject, from, to, &used);
    CHECK(n == 5 && used > 0, "%d of %s", n, told);
    CHECK_INT(strlen(serial), 32, "%s", serial);
    CHECK_STR(issuer, "CN=vpclab's own authority", "");
    CHECK_STR(subject, "CN=client.example", "");
    CHECK(strlen(from) == 20 && strlen(to) == 20 && strcmp(from, to) < 0, "%s %s", from, to);
    /* The PEM comes back when what was escaped is undone; only what HTTP could not bear was. */
    struct buf pem = { 0 };
    const char *end = strstr(told + used, "\r\n");
    for (const char *p = told + used; p < end; p++) {
        unsigned code = 0;
        bool escaped = *p == '%' && sscanf(p + 1, "%2X", &code) == 1;
        buf_char(&pem, escaped ? (char)code : *p);
        p += escaped ? 2 : 0;
    }
    CHECK_STR(buf_str(&pem), good.certificate, "");
    CHECK(!strstr(told + used, "%2B") && !strstr(told + used, "%2F") && !strstr(told + used, "%3D"), "%s", told);
    buf_done(&pem);
    free(told);
    certificate_facts_done(&facts);
}

TEST(what_a_bundle_may_be)
{
    struct err err = { 0 };
    char *two = xasprintf("# ours\n%s# theirs\n%s", ours.certificate, theirs.certificate);
    char *mixed = xasprintf("%s%s", ours.certificate, good.certificate);
    CHECK_INT(certificate_bundle_size(two, &err), 2, "%s", err.text);
    CHECK_INT(certificate_bundle_size(mixed, &err), 0, "a client's own certificate");
    CHECK_STR(err.code, "InvalidCaCertificatesBundle", "");
    CHECK(strstr(err.text, "certificate 2"), "%s", err.text);
    err = (struct err){ 0 };
    CHECK_INT(certificate_bundle_size("", &err), 0, "empty");
    err = (struct err){ 0 };
    CHECK_INT(certificate_bundle_size(ours.key, &err), 0, "a key");
    free(two);
    free(mixed);
    struct pem_pair *const all[] = { &ours, &theirs, &server, &good, &stranger, &old };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        pem_pair_done(all[i]);
    }
}

TEST_MAIN
