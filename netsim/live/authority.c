#include "netsim/live/authority.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define AUTHORITY_NAME "vpclab's own authority"
#define DAY_S          86400L
#define ISSUED_DAYS    395
#define AUTHORITY_DAYS 3650

void
pem_pair_done(struct pem_pair *pair)
{
    free(pair->certificate);
    free(pair->key);
    *pair = (struct pem_pair){ 0 };
}

/* ---- PEM ----------------------------------------------------------------------------------------------------------
 */

static BIO *
text_bio(const char *text)
{
    return BIO_new_mem_buf(text, (int)strlen(text));
}

/* A key that is sealed is refused, not asked about at somebody's terminal. */
static int
no_password(char *buf, int size, int rwflag, void *context)
{
    (void)rwflag;
    if (size > 0) {
        *buf = '\0';
    }
    *(bool *)context = true;
    return -1;
}

static X509 *
read_one(const char *pem)
{
    bool asked = false;
    BIO *bio = text_bio(pem);
    X509 *x = PEM_read_bio_X509(bio, NULL, no_password, &asked);
    BIO_free(bio);
    ERR_clear_error();
    return x;
}

static EVP_PKEY *
read_key(const char *pem, bool *sealed)
{
    BIO *bio = text_bio(pem);
    *sealed = false;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_password, sealed);
    BIO_free(bio);
    ERR_clear_error();
    return key;
}

/* All that are in the text; NULL if anything in it is no certificate. */
static STACK_OF(X509) * read_all(const char *pem)
{
    BIO *bio = text_bio(pem);
    STACK_OF(X509) *list = sk_X509_new_null();
    bool asked = false;
    for (X509 *x; (x = PEM_read_bio_X509(bio, NULL, no_password, &asked));) {
        sk_X509_push(list, x);
    }
    bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    BIO_free(bio);
    ERR_clear_error();
    if (!at_end || sk_X509_num(list) == 0) {
        sk_X509_pop_free(list, X509_free);
        return NULL;
    }
    return list;
}

static char *
bio_text(BIO *bio)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    char *text = xstrndup(data, (size_t)size);
    BIO_free(bio);
    return text;
}

static bool
write_pair(X509 *x, EVP_PKEY *key, struct pem_pair *out)
{
    BIO *certificate = BIO_new(BIO_s_mem()), *secret = BIO_new(BIO_s_mem());
    bool ok = PEM_write_bio_X509(certificate, x) && PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL);
    out->certificate = bio_text(certificate);
    out->key = bio_text(secret);
    return ok;
}

/* ---- issuing -------------------------------------------------------------------------------------------------------
 */

static EVP_PKEY *
make_key(const char *algorithm)
{
    return strcmp(algorithm, "RSA_2048") == 0        ? EVP_RSA_gen(2048)
           : strcmp(algorithm, "EC_prime256v1") == 0 ? EVP_EC_gen("P-256")
           : strcmp(algorithm, "EC_secp384r1") == 0  ? EVP_EC_gen("P-384")
                                                     : NULL;
}

static bool
add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(x, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

static bool
set_serial(X509 *x)
{
    BIGNUM *n = BN_new();
    bool ok = BN_rand(n, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x));
    BN_free(n);
    return ok;
}

static bool
set_name(X509_NAME *name, const char *common)
{
    /* RFC 5280 gives a common name 64 characters; the whole of it is among the alternatives. */
    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common,
                                      (int)strnlen(common, 64), -1, 0) == 1;
}

/* What is common to the authority's own and all others; begins yesterday, as clocks differ. */
static X509 *
begin(EVP_PKEY *key, const char *common, long days)
{
    X509 *x = X509_new();
    bool ok = X509_set_version(x, X509_VERSION_3) && set_serial(x) && X509_set_pubkey(x, key) &&
              X509_gmtime_adj(X509_getm_notBefore(x), -DAY_S) && X509_gmtime_adj(X509_getm_notAfter(x), days * DAY_S) &&
              set_name(X509_get_subject_name(x), common);
    if (!ok) {
        X509_free(x);
        return NULL;
    }
    return x;
}

static bool
fail(struct err *err)
{
    char why[160];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    ERR_clear_error();
    return err_set(err, ERR_MACHINE, "", "cannot make a certificate: %s", why);
}

bool
authority_make(struct pem_pair *out, struct err *err)
{
    *out = (struct pem_pair){ 0 };
    EVP_PKEY *key = make_key("EC_prime256v1");
    X509 *x = key ? begin(key, AUTHORITY_NAME, AUTHORITY_DAYS) : NULL;
    bool ok = x && X509_set_issuer_name(x, X509_get_subject_name(x)) &&
              add_extension(x, x, NID_basic_constraints, "critical,CA:TRUE") &&
              add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
              add_extension(x, x, NID_subject_key_identifier, "hash") && X509_sign(x, key, EVP_sha256()) &&
              write_pair(x, key, out);
    X509_free(x);
    EVP_PKEY_free(key);
    return ok || fail(err);
}

bool
authority_issue(const struct pem_pair *authority, const char *const *names, size_t n, const char *algorithm,
                struct pem_pair *out, struct err *err)
{
    bool sealed;
    *out = (struct pem_pair){ 0 };
    EVP_PKEY *key = make_key(algorithm);
    if (!key) {
        ERR_clear_error();
        err_set(err, ERR_INPUT, "InvalidParameterException", "the lab issues no certificate with a key of `%.40s`",
                algorithm);
        return err_hint(err, "RSA_2048, EC_prime256v1 or EC_secp384r1");
    }
    X509 *ca = read_one(authority->certificate), *x = begin(key, names[0], ISSUED_DAYS);
    EVP_PKEY *ca_key = read_key(authority->key, &sealed);
    struct buf alternatives = { 0 };
    for (size_t i = 0; i < n; i++) {
        buf_printf(&alternatives, "%sDNS:%s", i ? "," : "", names[i]);
    }
    bool ok = ca && ca_key && x && X509_set_issuer_name(x, X509_get_subject_name(ca)) &&
              add_extension(x, ca, NID_basic_constraints, "critical,CA:FALSE") &&
              add_extension(x, ca, NID_key_usage, "critical,digitalSignature,keyEncipherment") &&
              add_extension(x, ca, NID_ext_key_usage, "serverAuth,clientAuth") &&
              add_extension(x, ca, NID_authority_key_identifier, "keyid") &&
              add_extension(x, ca, NID_subject_alt_name, buf_str(&alternatives)) &&
              X509_sign(x, ca_key, EVP_sha256()) && write_pair(x, key, out);
    buf_done(&alternatives);
    X509_free(ca);
    X509_free(x);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
    if (!ok) {
        pem_pair_done(out);
    }
    return ok || fail(err);
}

/* ---- reading -------------------------------------------------------------------------------------------------------
 */

static int64_t
time_ms(const ASN1_TIME *at)
{
    struct tm tm;
    return ASN1_TIME_to_tm(at, &tm) ? (int64_t)timegm(&tm) * 1000 : 0;
}

static char *
name_text(const X509_NAME *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    return bio_text(bio);
}

static char *
serial_text(X509 *x)
{
    const ASN1_INTEGER *serial = X509_get0_serialNumber(x);
    struct buf out = { 0 };
    for (int i = 0; i < serial->length; i++) {
        buf_printf(&out, "%s%02x", i ? ":" : "", serial->data[i]);
    }
    return buf_steal(&out);
}

/* "RSA-2048", "EC-prime256v1". */
static char *
key_text(const EVP_PKEY *key)
{
    char curve[64] = "";
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        return xasprintf("RSA-%d", EVP_PKEY_get_bits(key));
    }
    EVP_PKEY_get_group_name(key, curve, sizeof curve, NULL);
    return xasprintf("EC-%s", *curve ? curve : OBJ_nid2sn(EVP_PKEY_get_base_id(key)));
}

/* "SHA256WITHRSA": the library says "RSA-SHA256" and "ecdsa-with-SHA256". */
static char *
signature_text(const X509 *x)
{
    int digest = NID_undef, key = NID_undef;
    OBJ_find_sigid_algs(X509_get_signature_nid(x), &digest, &key);
    return digest == NID_undef ? xstrdup(OBJ_nid2sn(X509_get_signature_nid(x)))
                               : xasprintf("%sWITH%s", OBJ_nid2sn(digest), key == EVP_PKEY_RSA ? "RSA" : "ECDSA");
}

static void
read_names(X509 *x, struct certificate_facts *facts)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        if (name->type == GEN_DNS) {
            *VEC_ADD(&facts->names) = xstrndup((const char *)ASN1_STRING_get0_data(name->d.dNSName),
                                               (size_t)ASN1_STRING_length(name->d.dNSName));
        }
    }
    GENERAL_NAMES_free(names);
    int at = X509_NAME_get_index_by_NID(X509_get_subject_name(x), NID_commonName, -1);
    const ASN1_STRING *common =
        at >= 0 ? X509_NAME_ENTRY_get_data(X509_NAME_get_entry(X509_get_subject_name(x), at)) : NULL;
    facts->domain = facts->names.n ? xstrdup(facts->names.items[0])
                    : common ? xstrndup((const char *)ASN1_STRING_get0_data(common), (size_t)ASN1_STRING_length(common))
                             : xstrdup("");
}

void
certificate_facts_done(struct certificate_facts *facts)
{
    char **texts[] = { &facts->domain, &facts->serial,        &facts->subject,
                       &facts->issuer, &facts->key_algorithm, &facts->signature_algorithm };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        free(*texts[i]);
    }
    while (facts->names.n) {
        free(facts->names.items[--facts->names.n]);
    }
    VEC_DONE(&facts->names);
    *facts = (struct certificate_facts){ 0 };
}

static bool
refuse(struct err *err, const char *what)
{
    return err_set(err, ERR_INPUT, "ValidationException", "%s", what);
}

bool
certificate_read(const char *pem, struct certificate_facts *facts, struct err *err)
{
    *facts = (struct certificate_facts){ 0 };
    STACK_OF(X509) *list = read_all(pem);
    int n = list ? sk_X509_num(list) : 0;
    if (n != 1) {
        sk_X509_pop_free(list, X509_free);
        refuse(err, n ? "the certificate field contains more than one certificate" : "the certificate is not PEM text");
        return err_hint(err, n ? "those after the first belong to the chain: --certificate-chain fileb://chain.pem"
                               : "--certificate fileb://certificate.pem");
    }
    X509 *x = sk_X509_value(list, 0);
    read_names(x, facts);
    facts->serial = serial_text(x);
    facts->subject = name_text(X509_get_subject_name(x));
    facts->issuer = name_text(X509_get_issuer_name(x));
    facts->key_algorithm = key_text(X509_get0_pubkey(x));
    facts->signature_algorithm = signature_text(x);
    facts->not_before = time_ms(X509_get0_notBefore(x));
    facts->not_after = time_ms(X509_get0_notAfter(x));
    sk_X509_pop_free(list, X509_free);
    return true;
}

/* Each is signed by the next. */
static bool
chain_leads_on(X509 *x, const char *chain)
{
    STACK_OF(X509) *list = read_all(chain);
    bool ok = list != NULL;
    for (int i = 0; ok && i < sk_X509_num(list); i++) {
        X509 *issuer = sk_X509_value(list, i);
        ok = X509_check_issued(issuer, x) == X509_V_OK && X509_verify(x, X509_get0_pubkey(issuer)) == 1;
        x = issuer;
    }
    sk_X509_pop_free(list, X509_free);
    ERR_clear_error();
    return ok;
}

bool
certificate_fits(const char *pem, const char *key, const char *chain, struct err *err)
{
    bool sealed;
    EVP_PKEY *secret = read_key(key, &sealed);
    X509 *x = read_one(pem);
    time_t now = time(NULL);
    bool ok = true;
    if (!x) {
        ok = refuse(err, "the certificate is not PEM text");
    } else if (!secret) {
        ok = refuse(err, sealed ? "the private key is sealed with a password" : "the private key is not PEM text");
        err_hint(err, sealed ? "openssl pkey -in key.pem -out plain.pem" : "--private-key fileb://key.pem");
    } else if (X509_check_private_key(x, secret) != 1) {
        ok = refuse(err, "the private key does not belong to the certificate");
    } else if (X509_cmp_time(X509_get0_notAfter(x), &now) < 0) {
        ok = refuse(err, "the certificate has expired");
    } else if (X509_cmp_time(X509_get0_notBefore(x), &now) > 0) {
        ok = refuse(err, "the certificate is not valid yet");
    } else if (chain && !chain_leads_on(x, chain)) {
        ok = refuse(err, "the certificate chain does not lead on from the certificate");
        err_hint(err, "PEM text, each certificate signed by the one after it");
    }
    X509_free(x);
    EVP_PKEY_free(secret);
    ERR_clear_error();
    return ok;
}

/* X.509 version 3, and allowed to sign others'. */
static bool
is_authority(X509 *x)
{
    return X509_get_version(x) == X509_VERSION_3 && X509_check_ca(x) == 1;
}

int
certificate_bundle_size(const char *pem, struct err *err)
{
    STACK_OF(X509) *list = read_all(pem);
    int n = list ? sk_X509_num(list) : 0;
    if (!n) {
        err_set(err, ERR_INPUT, "InvalidCaCertificatesBundle", "the bundle is no list of certificates in PEM");
    }
    for (int i = 0; i < n && !err->kind; i++) {
        if (!is_authority(sk_X509_value(list, i))) {
            err_set(err, ERR_INPUT, "InvalidCaCertificatesBundle",
                    "certificate %d of the bundle is not of an authority (X.509 version 3 with CA:TRUE)", i + 1);
        }
    }
    sk_X509_pop_free(list, X509_free);
    return err->kind ? 0 : n;
}
