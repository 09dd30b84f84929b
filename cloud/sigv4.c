#include "cloud/sigv4.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/sha256.h"
#include "base/vec.h"
#include "iampolicy/account.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

/* What the Authorization field says. */
struct claim {
    char *text;                          /* owned; the rest points into it */
    char *key, *date, *region, *service; /* Credential=KEY/DATE/REGION/SERVICE/aws4_request */
    char *fields, *signature;            /* SignedHeaders=a;b, Signature=hex */
};

static bool
read_credential(char *text, struct claim *claim)
{
    char **parts[] = { &claim->key, &claim->date, &claim->region, &claim->service };
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        char *stroke = strchr(text, '/');
        if (!stroke) {
            return false;
        }
        *stroke = '\0';
        *parts[i] = text;
        text = stroke + 1;
    }
    return strcmp(text, "aws4_request") == 0;
}

static bool
read_claim(const char *field, struct claim *claim)
{
    *claim = (struct claim){ .text = xstrdup(field + strlen(ALGORITHM)) };
    char *save = NULL;
    for (char *part = strtok_r(claim->text, ", ", &save); part; part = strtok_r(NULL, ", ", &save)) {
        if (strncmp(part, "Credential=", 11) == 0) {
            if (!read_credential(part + 11, claim)) {
                return false;
            }
        } else if (strncmp(part, "SignedHeaders=", 14) == 0) {
            claim->fields = part + 14;
        } else if (strncmp(part, "Signature=", 10) == 0) {
            claim->signature = part + 10;
        }
    }
    return claim->key && claim->fields && claim->signature;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Parameters in order, each with a sign of equality. */
static void
canonical_query(const char *target, struct buf *out)
{
    const char *query = target + strcspn(target, "?");
    VEC(char *) list = { 0 };
    for (const char *p = *query ? query + 1 : ""; *p; p += *p == '&') {
        size_t size = strcspn(p, "&");
        bool equal = memchr(p, '=', size) != NULL;
        *VEC_ADD(&list) = xasprintf("%.*s%s", (int)size, p, equal ? "" : "=");
        p += size;
    }
    if (list.n > 1) {
        qsort(list.items, list.n, sizeof *list.items, by_text);
    }
    for (size_t i = 0; i < list.n; i++) {
        buf_printf(out, "%s%s", i ? "&" : "", list.items[i]);
        free(list.items[i]);
    }
    VEC_DONE(&list);
}

/* "name:value\n" with runs of blanks as one. */
static void
canonical_field(const struct http_head *head, const char *name, size_t size, struct buf *out)
{
    char *own = xstrndup(name, size);
    const char *value = http_field(head, own);
    buf_printf(out, "%s:", own);
    for (const char *p = value ? value : ""; *p; p++) {
        if (*p != ' ' || p[1] != ' ') {
            buf_char(out, *p);
        }
    }
    buf_char(out, '\n');
    free(own);
}

static void
hex_of(const void *data, size_t size, char hex[static 2 * SHA256_SIZE + 1])
{
    uint8_t digest[SHA256_SIZE];
    sha256(data, size, digest);
    sha256_hex(digest, hex);
}

static void
canonical_request(const struct http_exchange *x, const struct claim *claim, const char *payload, struct buf *out)
{
    const struct http_head *head = x->request;
    buf_printf(out, "%s\n%.*s\n", head->method, (int)strcspn(head->target, "?#"), head->target);
    canonical_query(head->target, out);
    buf_char(out, '\n');
    for (const char *p = claim->fields; *p; p += *p == ';') {
        size_t size = strcspn(p, ";");
        canonical_field(head, p, size, out);
        p += size;
    }
    buf_printf(out, "\n%s\n%s", claim->fields, payload);
}

/* The key is made for one day, region and service. */
static void
signature_of(const char *secret, const struct claim *claim, const char *when, const struct buf *request,
             char hex[static 2 * SHA256_SIZE + 1])
{
    const char *steps[] = { claim->date, claim->region, claim->service, "aws4_request" };
    char *first = xasprintf("AWS4%s", secret), digest[2 * SHA256_SIZE + 1];
    uint8_t key[SHA256_SIZE], next[SHA256_SIZE];
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        hmac_sha256(i ? (const void *)key : first, i ? sizeof key : strlen(first), steps[i], strlen(steps[i]), next);
        memcpy(key, next, sizeof key);
    }
    hex_of(buf_str(request), request->size, digest);
    char *text = xasprintf(ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", when, claim->date, claim->region,
                           claim->service, digest);
    hmac_sha256(key, sizeof key, text, strlen(text), next);
    sha256_hex(next, hex);
    free(first);
    free(text);
}

static const char *
secret_of(const struct cloud *cloud, const char *key, const char *token, struct err *err)
{
    const struct store *store = cloud->accounts->store;
    const struct iam_access_key *own = store_get(store, &iam_access_key_kind, key);
    const struct iam_session *session = own ? NULL : store_get(store, &iam_session_kind, key);
    if (session && (!token || strcmp(token, session->token) != 0)) {
        err_set(err, ERR_INPUT, "InvalidToken", "The provided token is malformed or otherwise invalid.");
        return NULL;
    }
    if (!own && !session) {
        err_set(err, ERR_INPUT, "InvalidAccessKeyId",
                "The AWS Access Key Id you provided does not exist in our records.");
        return NULL;
    }
    return own ? own->secret : session->secret;
}

char *
sigv4_signer(const struct cloud *cloud, const struct http_exchange *x, struct err *err)
{
    const char *field = http_field(x->request, "Authorization"), *when = http_field(x->request, "X-Amz-Date"),
               *claimed = http_field(x->request, "X-Amz-Content-Sha256");
    if (!field) {
        return NULL;
    }
    struct claim claim = { 0 };
    char payload[2 * SHA256_SIZE + 1], hex[2 * SHA256_SIZE + 1], *signer = NULL;
    struct buf request = { 0 };
    hex_of(x->body, x->body_size, payload);
    const char *secret = NULL;
    if (strncmp(field, ALGORITHM, strlen(ALGORITHM)) != 0 || !read_claim(field, &claim) || !when) {
        err_set(err, ERR_INPUT, "AuthorizationHeaderMalformed",
                "The authorization header that you provided is not valid.");
    } else if (claimed && strcmp(claimed, "UNSIGNED-PAYLOAD") != 0 && strcmp(claimed, payload) != 0) {
        err_set(err, ERR_INPUT, "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.");
    } else {
        secret = secret_of(cloud, claim.key, http_field(x->request, "X-Amz-Security-Token"), err);
    }
    if (secret) {
        canonical_request(x, &claim, claimed ? claimed : payload, &request);
        signature_of(secret, &claim, when, &request, hex);
        if (strcmp(hex, claim.signature) == 0) {
            signer = xstrdup(claim.key);
        } else {
            err_set(err, ERR_INPUT, "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you provided. Check your key and "
                    "signing method.");
        }
    }
    buf_done(&request);
    free(claim.text);
    return signer;
}
