/* cloud/ops_acm.c - AWS Certificate Manager: certificates for listeners of balancers, issued by the lab's own authority
 * or brought along.
 *
 * A request is granted at once: nobody has to prove that a domain is his.
 * Source: https://docs.aws.amazon.com/acm/latest/APIReference/API_Operations.html */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/base64.h"
#include "cloud/answer_page.h"
#include "cloud/certificates.h"
#include "cloud/ops_ec2.h"
#include "cloud/ops_iam.h"
#include "netsim/live/authority.h"
#include "netsim/model/certificate.h"

#define NAMES_MAX       100 /* what ACM's API takes */
#define NAME_MAX_LENGTH 253

/* ---- finding -------------------------------------------------------------------------------------------------------
 */

static bool
is_here(const struct op_call *call, const struct certificate *c)
{
    return strcmp(c->obj.account, call->cloud->account) == 0 && strcmp(c->obj.region, call->cloud->region) == 0;
}

static struct certificate *
require_certificate(const struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "CertificateArn");
    struct certificate *c = network_certificate(ec2_net(call), arn);
    if (c && is_here(call, c)) {
        return c;
    }
    if (!arn || strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":certificate/")) {
        err_set(err, ERR_INPUT, "InvalidArnException", "`%.160s` is no ARN of a certificate", arn ? arn : "");
        err_hint(err, "such as arn:aws:acm:%s:%s:certificate/...: `acm list-certificates`", call->cloud->region,
                 call->cloud->account);
    } else {
        err_set(err, ERR_INPUT, "ResourceNotFoundException", "could not find certificate `%.160s`", arn);
        err_hint(err, "`acm list-certificates` shows those of account %s in %s", call->cloud->account,
                 call->cloud->region);
    }
    err_at(err, "CertificateArn", 0, 0);
    return NULL;
}

static void
set_text(char **slot, const char *text)
{
    free(*slot);
    *slot = text ? xstrdup(text) : NULL;
}

/* ---- tags ----------------------------------------------------------------------------------------------------------
 */

static bool
check_tags(const struct op_call *call, struct err *err)
{
    const json_t *tags = json_object_get(call->in, "Tags");
    struct err found = { 0 };
    if (!tags || iam_check_tags(tags, &found)) {
        return true;
    }
    strcpy(found.code, strcmp(found.code, "LimitExceeded") == 0 ? "TooManyTagsException" : "InvalidTagException");
    *err = found;
    return false;
}

static bool
add_tags(struct op_call *call, struct err *err)
{
    struct certificate *c = require_certificate(call, err);
    if (!c || !check_tags(call, err)) {
        return false;
    }
    iam_set_tags(&c->obj, json_object_get(call->in, "Tags"));
    return true;
}

static bool
remove_tags(struct op_call *call, struct err *err)
{
    struct certificate *c = require_certificate(call, err);
    const json_t *tags = json_object_get(call->in, "Tags");
    for (size_t i = 0; c && i < json_array_size(tags); i++) {
        const char *key = json_str(json_array_get(tags, i), "Key"), *value = json_str(json_array_get(tags, i), "Value");
        const char *now = object_tag(&c->obj, key);
        if (now && (!value || strcmp(value, now) == 0)) { /* with a value, only where it has that one */
            object_unset_tag(&c->obj, key);
        }
    }
    return c != NULL;
}

static bool
list_tags(struct op_call *call, struct err *err)
{
    const struct certificate *c = require_certificate(call, err);
    if (c) {
        json_object_set_new(call->out, "Tags", object_tags_json(&c->obj));
    }
    return c != NULL;
}

/* ---- making --------------------------------------------------------------------------------------------------------
 */

static void
take_facts(struct certificate *c, struct certificate_facts *facts)
{
    set_text(&c->domain, facts->domain);
    set_text(&c->serial, facts->serial);
    set_text(&c->subject, facts->subject);
    set_text(&c->issuer, facts->issuer);
    set_text(&c->key_algorithm, facts->key_algorithm);
    set_text(&c->signature_algorithm, facts->signature_algorithm);
    c->not_before = facts->not_before;
    c->not_after = facts->not_after;
    while (c->names.n) {
        free(c->names.items[--c->names.n]);
    }
    for (size_t i = 0; i < facts->names.n; i++) {
        *VEC_ADD(&c->names) = xstrdup(facts->names.items[i]);
    }
    certificate_facts_done(facts);
}

/* "www.example.com", "*.example.com": labels of letters, digits and inner hyphens, two at least. */
static bool
is_domain(const char *name)
{
    const char *at = strncmp(name, "*.", 2) == 0 ? name + 2 : name;
    size_t labels = 0;
    for (; *at; at += *at == '.') {
        size_t n = 0;
        while (isalnum((unsigned char)at[n]) || at[n] == '-') {
            n++;
        }
        if (n == 0 || n > 63 || at[0] == '-' || at[n - 1] == '-' || (at[n] && (at[n] != '.' || !at[n + 1]))) {
            return false;
        }
        at += n;
        labels++;
    }
    return labels >= 2 && strlen(name) <= NAME_MAX_LENGTH;
}

typedef VEC(const char *) name_vec;
static bool
add_name(name_vec *names, const char *name, const char *member, struct err *err)
{
    if (!is_domain(name)) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "`%.160s` is no domain name", name);
        err_hint(err, "such as www.example.com or *.example.com");
        return err_at(err, member, 0, 0);
    }
    for (size_t i = 0; i < names->n; i++) {
        if (strcmp(names->items[i], name) == 0) {
            return true;
        }
    }
    *VEC_ADD(names) = name;
    return names->n <= NAMES_MAX ||
           err_set(err, ERR_INPUT, "LimitExceededException", "a certificate has at most %d names", NAMES_MAX);
}

static bool
issue(struct op_call *call, const name_vec *names, struct err *err)
{
    const char *algorithm = arg_str(call->in, "KeyAlgorithm"), *validation = arg_str(call->in, "ValidationMethod");
    struct pem_pair authority, made;
    struct certificate_facts facts;
    if (!cloud_authority(call->cloud, &authority, err) ||
        !authority_issue(&authority, names->items, names->n, algorithm ? algorithm : "RSA_2048", &made, err)) {
        return false;
    }
    if (!certificate_read(made.certificate, &facts, err)) {
        pem_pair_done(&made);
        return false;
    }
    struct certificate *c = certificate_add(ec2_net(call));
    take_facts(c, &facts);
    c->created = c->issued = clock_now_ms(&call->cloud->clock);
    set_text(&c->type, "AMAZON_ISSUED");
    set_text(&c->status, "ISSUED");
    set_text(&c->validation, validation ? validation : "EMAIL");
    set_text(&c->chain, authority.certificate);
    c->pem = made.certificate;
    c->key = made.key;
    iam_set_tags(&c->obj, json_object_get(call->in, "Tags"));
    json_object_set_new(call->out, "CertificateArn", json_string(c->arn));
    return true;
}

static bool
request_certificate(struct op_call *call, struct err *err)
{
    const json_t *more = json_object_get(call->in, "SubjectAlternativeNames");
    name_vec names = { 0 };
    bool ok = check_tags(call, err) && add_name(&names, arg_str(call->in, "DomainName"), "DomainName", err);
    for (size_t i = 0; ok && i < json_array_size(more); i++) {
        ok = add_name(&names, json_string_value(json_array_get(more, i)), "SubjectAlternativeNames", err);
    }
    ok = ok && issue(call, &names, err);
    VEC_DONE(&names);
    return ok;
}

/* The text of a blob; NULL if the request has none, or ValidationException. */
static char *
blob_text(const struct op_call *call, const char *member, struct err *err)
{
    const char *coded = arg_str(call->in, member);
    size_t size = 0;
    char *text = coded ? base64_bytes(coded, &size) : NULL;
    if (coded && (!text || strlen(text) != size || size == 0)) {
        free(text);
        err_set(err, ERR_INPUT, "ValidationException", "`%s` is no PEM text", member);
        err_at(err, member, 0, 0);
        return NULL;
    }
    return text;
}

/* The certificate that is imported once more; NULL and no error: a new one. */
static struct certificate *
imported_before(const struct op_call *call, struct err *err)
{
    struct certificate *c = arg_str(call->in, "CertificateArn") ? require_certificate(call, err) : NULL;
    if (c && strcmp(c->type, "IMPORTED") != 0) {
        err_set(err, ERR_INPUT, "ValidationException",
                "`%s` was issued: only an imported certificate can be imported again", c->arn);
        return NULL;
    }
    if (c && json_object_get(call->in, "Tags")) {
        err_set(err, ERR_INPUT, "ValidationException",
                "tags cannot be given with a certificate that is imported again");
        err_hint(err, "`acm add-tags-to-certificate`");
        return NULL;
    }
    return c;
}

static bool
import_certificate(struct op_call *call, struct err *err)
{
    struct certificate *c = imported_before(call, err);
    if (err->kind || !check_tags(call, err)) {
        return false;
    }
    char *pem = blob_text(call, "Certificate", err), *key = blob_text(call, "PrivateKey", err),
         *chain = blob_text(call, "CertificateChain", err);
    struct certificate_facts facts = { 0 };
    bool ok = !err->kind && certificate_read(pem, &facts, err) && certificate_fits(pem, key, chain, err);
    if (ok) {
        c = c ? c : certificate_add(ec2_net(call));
        take_facts(c, &facts);
        c->imported = clock_now_ms(&call->cloud->clock);
        c->created = c->created ? c->created : c->imported;
        set_text(&c->type, "IMPORTED");
        set_text(&c->status, "ISSUED");
        set_text(&c->pem, pem);
        set_text(&c->key, key);
        set_text(&c->chain, chain);
        iam_set_tags(&c->obj, json_object_get(call->in, "Tags"));
        certificate_changed(ec2_net(call));
        json_object_set_new(call->out, "CertificateArn", json_string(c->arn));
    }
    certificate_facts_done(&facts);
    free(pem);
    free(key);
    free(chain);
    return ok;
}

static bool
delete_certificate(struct op_call *call, struct err *err)
{
    struct certificate *c = require_certificate(call, err);
    if (!c) {
        return false;
    }
    json_t *users = certificate_users(ec2_net(call), c);
    const char *first = json_string_value(json_array_get(users, 0));
    if (first) {
        err_set(err, ERR_INPUT, "ResourceInUseException", "certificate `%s` is in use by %s", c->arn, first);
        err_hint(err, "delete the listener or give it another certificate: elbv2 modify-listener --certificates, elb "
                      "set-load-balancer-listener-ssl-certificate");
    } else {
        certificate_delete(ec2_net(call), c);
    }
    json_decref(users);
    return !err->kind;
}

/* ---- showing -------------------------------------------------------------------------------------------------------
 */

static json_t *
validations(const struct certificate *c)
{
    json_t *list = json_array();
    for (size_t i = 0; i < c->names.n; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "DomainName", c->names.items[i],
                                              "ValidationDomain", c->names.items[i], "ValidationStatus", "SUCCESS",
                                              "ValidationMethod", c->validation));
    }
    return list;
}

static bool
describe_certificate(struct op_call *call, struct err *err)
{
    const struct certificate *c = require_certificate(call, err);
    if (!c) {
        return false;
    }
    json_t *users = certificate_users(ec2_net(call), c), *out = object_describe(network_store(ec2_net(call)), c);
    if (c->validation) {
        json_object_set_new(out, "DomainValidationOptions", validations(c));
        json_object_set_new(out, "Options", json_pack("{s:s}", "CertificateTransparencyLoggingPreference", "ENABLED"));
    }
    json_object_set_new(out, "RenewalEligibility",
                        json_string(c->validation && json_array_size(users) ? "ELIGIBLE" : "INELIGIBLE"));
    json_object_set_new(out, "InUseBy", users);
    json_object_set_new(call->out, "Certificate", out);
    return true;
}

static bool
get_certificate(struct op_call *call, struct err *err)
{
    const struct certificate *c = require_certificate(call, err);
    if (c) {
        json_object_set_new(call->out, "Certificate", json_string(c->pem));
        if (c->chain) {
            json_object_set_new(call->out, "CertificateChain", json_string(c->chain));
        }
    }
    return c != NULL;
}

static bool
has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

/* Without a list of key types AWS shows RSA keys of up to 2,048 bits. */
static bool
is_listed(const struct op_call *call, const struct certificate *c)
{
    const json_t *statuses = json_object_get(call->in, "CertificateStatuses"),
                 *types = json_object_get(json_object_get(call->in, "Includes"), "keyTypes");
    char *type = xstrdup(c->key_algorithm);
    for (char *dash = type; (dash = strchr(dash, '-'));) {
        *dash = '_'; /* lists are asked for in the spelling of requests */
    }
    bool usual = strcmp(type, "RSA_2048") == 0 || strcmp(type, "RSA_1024") == 0;
    bool listed = is_here(call, c) && (!json_array_size(statuses) || has_text(statuses, c->status)) &&
                  (json_array_size(types) ? has_text(types, type) : usual);
    free(type);
    return listed;
}

static bool
list_certificates(struct op_call *call, struct err *err)
{
    const struct network *net = ec2_net(call);
    const struct store *store = network_store(net);
    json_t *list = json_array();
    for (const struct certificate *c = store_first(store, &certificate_kind); c; c = store_next(store, c)) {
        if (!is_listed(call, c)) {
            continue;
        }
        static const char *const same[] = { "CertificateArn", "DomainName", "Status",    "Type",     "KeyAlgorithm",
                                            "NotBefore",      "NotAfter",   "CreatedAt", "IssuedAt", "ImportedAt" };
        json_t *whole = object_describe(store, c), *item = json_object(), *users = certificate_users(net, c);
        for (size_t i = 0; i < ARRAY_SIZE(same); i++) {
            if (json_object_get(whole, same[i])) {
                json_object_set(item, same[i], json_object_get(whole, same[i]));
            }
        }
        json_object_set(item, "SubjectAlternativeNameSummaries", json_object_get(whole, "SubjectAlternativeNames"));
        json_object_set_new(item, "HasAdditionalSubjectAlternativeNames", json_false());
        json_object_set_new(item, "InUse", json_boolean(json_array_size(users) > 0));
        json_array_append_new(list, item);
        json_decref(whole);
        json_decref(users);
    }
    return answer_page(call, "CertificateSummaryList", list, err);
}

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "acm", .name = (name_), .mode = (mode_), .run = (run_), .help = (help_)                             \
    }

const struct op ops_acm[] = {
    ROW("RequestCertificate", OP_WRITE, request_certificate,
        "Have the lab's own authority issue a certificate, at once."),
    ROW("ImportCertificate", OP_WRITE, import_certificate,
        "Bring a certificate and its private key, or bring it again."),
    ROW("DescribeCertificate", OP_READ, describe_certificate, "Show a certificate and who uses it."),
    ROW("ListCertificates", OP_READ, list_certificates, "List the certificates of the account in this region."),
    ROW("GetCertificate", OP_READ, get_certificate, "Show a certificate and its chain as PEM text."),
    ROW("DeleteCertificate", OP_WRITE, delete_certificate, "Delete a certificate that no listener uses."),
    ROW("AddTagsToCertificate", OP_WRITE, add_tags, "Tag a certificate."),
    ROW("RemoveTagsFromCertificate", OP_WRITE, remove_tags, "Remove tags from a certificate."),
    ROW("ListTagsForCertificate", OP_READ, list_tags, "List the tags of a certificate."),
    { 0 },
};
