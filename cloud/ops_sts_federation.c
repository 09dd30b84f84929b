/* cloud/ops_sts_federation.c - roles for people whom an identity provider knows: OpenID Connect tokens and SAML
 * assertions.
 *
 * Nobody signs these calls: the provider's word is the caller.  The token is read as it is given and its claims become
 * the condition keys that the role's trust policy asks for.  The role's account must have the provider (iam
 * create-open-id-connect-provider, create-saml-provider) and the token must be for an audience that it takes.  What AWS
 * does besides and a laboratory cannot: no signature is verified, no provider is asked for its keys.
 *
 * Sources: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
 * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithSAML.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arn.h"
#include "cloud/authorize.h"
#include "cloud/ops_iam.h"
#include "cloud/permission.h"
#include "cloud/sts_session.h"
#include "iampolicy/provider.h"
#include "iampolicy/value.h"

/* Asks the trust policy for the provider; AWS says no more than that it was not authorized. */
static bool
ask(struct op_call *call, const char *action, const char *provider, json_t *keys, struct err *err)
{
    struct iam_catalog *catalog = iam_catalog_new();
    permissions list = { 0 };
    struct permission *p = permission_add(&list, catalog, action, arg_str(call->in, "RoleArn"));
    json_object_update(p->context, keys);
    permission_request_tags(p, json_object_get(call->in, "Tags"));
    struct err why = { 0 };
    bool allowed = op_authorize_one(call, provider, p, &why);
    if (!allowed) {
        err_set(err, ERR_INPUT, "AccessDenied", "Not authorized to perform %s", action);
        err_hint(err, "%s", why.text);
    }
    permissions_done(&list);
    iam_catalog_free(catalog);
    return allowed;
}

/* The role, which must be there: to everybody else AWS does not tell. */
static const struct iam_role *
role_of(const struct op_call *call, const char *action, struct err *err)
{
    const struct iam_role *role = sts_role(call);
    if (!role) {
        err_set(err, ERR_INPUT, "AccessDenied", "Not authorized to perform %s", action);
        err_hint(err, "the lab has no role `%.200s`", arg_str(call->in, "RoleArn"));
    }
    return role;
}

/* Base64 of either alphabet, with or without padding; the caller frees it.  NULL if it is none. */
static char *
decode(const char *text, size_t size)
{
    struct buf padded = { 0 };
    for (size_t i = 0; i < size; i++) {
        bool blank = text[i] == '\n' || text[i] == '\r' || text[i] == ' ';
        if (!blank && text[i] != '=') {
            buf_char(&padded, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
        }
    }
    while (padded.size % 4) {
        buf_char(&padded, '=');
    }
    unsigned char *out = xcalloc(padded.size + 1, 1);
    uint32_t n = 0;
    bool good = padded.size && iam_base64_decode((struct iam_text){ padded.data, (uint32_t)padded.size }, out, &n);
    good = good && !memchr(out, '\0', n);
    out[good ? n : 0] = '\0';
    buf_done(&padded);
    if (!good) {
        free(out);
        return NULL;
    }
    return (char *)out;
}

/* ---- OpenID Connect ---------------------------------------------------------------------------------------------- */

/* The claims of a token HEADER.PAYLOAD.SIGNATURE.  InvalidIdentityToken. */
static json_t *
read_claims(const char *token, struct err *err)
{
    const char *dot = strchr(token, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
    char *text = end ? decode(dot + 1, (size_t)(end - dot - 1)) : NULL;
    json_t *claims = text ? json_read(text, strlen(text), "WebIdentityToken", NULL) : NULL;
    free(text);
    if (!json_is_object(claims) || !json_str(claims, "iss") || !json_str(claims, "sub")) {
        json_decref(claims);
        err_set(err, ERR_INPUT, "InvalidIdentityToken", "the token that was passed is not valid");
        err_hint(err,
                 "a token is HEADER.PAYLOAD.SIGNATURE in base64url; its payload is JSON with iss, sub, aud and exp");
        return NULL;
    }
    return claims;
}

static bool
check_times(const struct op_call *call, const json_t *claims, struct err *err)
{
    long long now = clock_now_ms(&call->cloud->clock) / 1000;
    if (json_int(claims, "exp", 0) <= now) {
        char when[32];
        clock_format_s(json_int(claims, "exp", 0) * 1000, when);
        err_set(err, ERR_INPUT, "ExpiredTokenException", "the token is expired: `exp` is %s", when);
        return err_hint(err, "`exp` is in seconds since 1970; the lab's time counts");
    }
    return true;
}

/* Providers that need no ARN: policies name them by domain.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html */
static bool
is_built_in(const char *issuer)
{
    static const char *const built_in[] = { "accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com",
                                            "graph.facebook.com" };
    for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
        if (strcmp(issuer, built_in[i]) == 0) {
            return true;
        }
    }
    return false;
}

static const char *
audience(const json_t *claims)
{
    const json_t *aud = json_object_get(claims, "aud");
    const char *azp = json_str(claims, "azp"); /* who was authorized counts before whom it was issued for */
    return azp ? azp : json_is_array(aud) ? json_string_value(json_array_get(aud, 0)) : json_string_value(aud);
}

/* "token.actions.githubusercontent.com:sub" and so on; claims that are lists are multi-valued. */
static json_t *
claim_keys(const char *issuer, const json_t *claims)
{
    json_t *keys = json_object();
    const char *name;
    json_t *value;
    char key[300];
    json_object_foreach((json_t *)claims, name, value)
    {
        bool texts = json_array_size(value) > 0;
        for (size_t i = 0; i < json_array_size(value); i++) {
            texts &= json_is_string(json_array_get(value, i));
        }
        snprintf(key, sizeof key, "%s:%s", issuer, name);
        if (json_is_string(value) || (texts && strcmp(name, "aud") != 0)) {
            json_object_set(keys, key, value);
        }
    }
    const char *aud = audience(claims);
    snprintf(key, sizeof key, "%s:aud", issuer);
    if (aud) {
        json_object_set_new(keys, key, json_string(aud));
    }
    snprintf(key, sizeof key, "%s:oaud", issuer);
    const char *other = json_str(claims, "aud");
    if (json_str(claims, "azp") && other) {
        json_object_set_new(keys, key, json_string(other));
    }
    json_object_set_new(keys, "aws:FederatedProvider", json_string(issuer));
    return keys;
}

/* The account must trust the issuer, and the token must be for one of its client ids. */
static bool
check_issuer(const struct op_call *call, const char *issuer, const char *provider_arn, const json_t *claims,
             struct err *err)
{
    const struct iam_oidc_provider *provider = iam_find_oidc_provider(call->cloud->accounts, provider_arn);
    const json_t *aud = json_object_get(claims, "aud");
    bool taken = false;
    if (is_built_in(issuer)) {
        return true;
    }
    if (!provider) {
        err_set(err, ERR_INPUT, "InvalidIdentityToken",
                "No OpenIDConnect provider found in your account for https://%s", issuer);
        return err_hint(err, "`iam create-open-id-connect-provider --url https://%s --client-id-list %s` makes one",
                        issuer, audience(claims) ? audience(claims) : "AUDIENCE");
    }
    for (size_t i = 0; i < provider->client_ids.n; i++) {
        const char *id = provider->client_ids.items[i], *azp = json_str(claims, "azp");
        taken |= (json_is_string(aud) && strcmp(json_string_value(aud), id) == 0) || (azp && strcmp(azp, id) == 0);
        for (size_t k = 0; k < json_array_size(aud); k++) {
            const char *one = json_string_value(json_array_get(aud, k));
            taken |= one && strcmp(one, id) == 0;
        }
    }
    if (!taken) {
        err_set(err, ERR_INPUT, "InvalidIdentityToken", "Incorrect token audience");
        err_hint(err, "the provider takes %s; `iam add-client-id-to-open-id-connect-provider` adds one",
                 provider->client_ids.n ? provider->client_ids.items[0] : "no client id yet");
        return false;
    }
    return true;
}

static bool
assume_role_with_web_identity(struct op_call *call, struct err *err)
{
    static const char action[] = "sts:AssumeRoleWithWebIdentity";
    json_t *claims = read_claims(arg_str(call->in, "WebIdentityToken"), err);
    const struct iam_role *role = claims && check_times(call, claims, err) ? role_of(call, action, err) : NULL;
    if (!role) {
        json_decref(claims);
        return false;
    }
    const char *issuer = json_str(claims, "iss");
    issuer += strncmp(issuer, "https://", 8) == 0 ? 8 : 0;
    const char *sub = json_str(claims, "sub"), *aud = audience(claims);
    char *id = xasprintf("%s:%s:%s", issuer, aud ? aud : "", sub);
    call->cloud->unsigned_by = json_pack("{s:s, s:s, s:s, s:s}", "type", "WebIdentityUser", "principalId", id,
                                         "userName", sub, "identityProvider", issuer);
    free(id);
    char *provider = is_built_in(issuer) ? xstrdup(issuer)
                                         : xasprintf("arn:aws:iam::%s:oidc-provider/%s", role->obj.account, issuer);
    json_t *keys = claim_keys(issuer, claims);
    json_object_set_new(keys, "sts:RoleSessionName", json_string(arg_str(call->in, "RoleSessionName")));
    struct iam_session *session =
        check_issuer(call, issuer, provider, claims, err) && ask(call, action, provider, keys, err)
            ? sts_assume(call, role, false, err)
            : NULL;
    if (session) {
        session->provider = xstrdup(provider);
        json_object_set_new(call->out, "SubjectFromWebIdentityToken", json_string(json_str(claims, "sub")));
        json_object_set_new(call->out, "Provider", json_string(provider));
        json_object_set_new(call->out, "Audience", json_string(audience(claims) ? audience(claims) : ""));
    }
    json_decref(keys);
    free(provider);
    json_decref(claims);
    return session != NULL;
}

/* ---- SAML -------------------------------------------------------------------------------------------------------- */

/* The text of the first element of that local name at or after 'from', without the blanks around it; the caller frees
 * it.  *tag becomes the start of its tag.  NULL if there is none.  An assertion is flat enough for that: what is looked
 * for holds text only. */
static char *
element_text(const char *from, const char *name, const char **tag)
{
    size_t n = strlen(name);
    for (const char *open = strchr(from, '<'); open; open = strchr(open + 1, '<')) {
        const char *word = open + 1 + strcspn(open + 1, ": />"), *local = *word == ':' ? word + 1 : open + 1;
        const char *close = strchr(open, '>');
        if (open[1] == '/' || !close || strncmp(local, name, n) != 0 || !strchr(" >\t\r\n", local[n])) {
            continue;
        }
        const char *text = close + 1, *end = strchr(text, '<');
        while (end && text < end && strchr(" \t\r\n", *text)) {
            text++;
        }
        while (end && end > text && strchr(" \t\r\n", end[-1])) {
            end--;
        }
        *tag = open;
        return end ? xasprintf("%.*s", (int)(end - text), text) : NULL;
    }
    return NULL;
}

/* An attribute of a tag: Format="..." of <NameID>; "" if absent; the caller frees it. */
static char *
tag_attribute(const char *tag, const char *name)
{
    char form[40];
    snprintf(form, sizeof form, " %s=", name);
    const char *end = tag ? strchr(tag, '>') : NULL, *found = tag ? strstr(tag, form) : NULL;
    if (!found || found > end) {
        return xstrdup("");
    }
    found += strlen(form);
    const char quote[2] = { *found, '\0' };
    return xasprintf("%.*s", (int)strcspn(found + 1, quote), found + 1);
}

/* The values of <Attribute Name="NAME">, in the order given; the caller owns them. */
static json_t *
attribute_values(const char *xml, const char *name)
{
    json_t *values = json_array();
    char *quoted = xasprintf("\"%s\"", name);
    const char *at = strstr(xml, quoted), *stop = at ? strstr(at, "Attribute>") : NULL, *tag;
    /* "</saml:AttributeStatement>" and values do not end an attribute: its own end tag does. */
    while (stop && stop[-1] != '/' && stop[-1] != ':') {
        stop = strstr(stop + 1, "Attribute>");
    }
    while (at) {
        char *text = element_text(at, "AttributeValue", &tag);
        if (text && (!stop || tag < stop)) {
            json_array_append_new(values, json_string(text));
            at = tag + 1;
        } else {
            at = NULL;
        }
        free(text);
    }
    free(quoted);
    return values;
}

struct assertion {
    char *subject, *subject_type, *issuer, *audience, *session;
    bool names_role; /* the Role attribute has the pair "role ARN,provider ARN", either first */
};

static void
assertion_done(struct assertion *a)
{
    free(a->subject);
    free(a->subject_type);
    free(a->issuer);
    free(a->audience);
    free(a->session);
}

static bool
read_assertion(const struct op_call *call, struct assertion *a, struct err *err)
{
    static const char attributes[] = "https://aws.amazon.com/SAML/Attributes/";
    const char *given = arg_str(call->in, "SAMLAssertion"), *role = arg_str(call->in, "RoleArn"), *tag = NULL, *other;
    const char *provider = arg_str(call->in, "PrincipalArn");
    char *xml = decode(given, strlen(given)), name[100];
    if (xml) {
        a->subject = element_text(xml, "NameID", &tag);
        a->subject_type = tag_attribute(tag, "Format");
        a->issuer = element_text(xml, "Issuer", &other);
        other = strstr(xml, "SubjectConfirmationData");
        a->audience = tag_attribute(other, "Recipient");
        snprintf(name, sizeof name, "%sRoleSessionName", attributes);
        json_t *values = attribute_values(xml, name);
        const char *session = json_string_value(json_array_get(values, 0));
        a->session = session ? xstrdup(session) : NULL;
        json_decref(values);
        snprintf(name, sizeof name, "%sRole", attributes);
        values = attribute_values(xml, name);
        for (size_t i = 0; i < json_array_size(values); i++) {
            const char *pair = json_string_value(json_array_get(values, i));
            a->names_role |= strstr(pair, role) && strstr(pair, provider);
        }
        json_decref(values);
    }
    bool whole = xml && a->subject && a->issuer && a->session;
    free(xml);
    if (!whole) {
        err_set(err, ERR_INPUT, "InvalidIdentityToken", "the SAML assertion is not valid");
        return err_hint(err, "base64 of XML with an Issuer, a NameID and the attribute RoleSessionName");
    }
    return a->names_role || err_set(err, ERR_INPUT, "InvalidIdentityToken",
                                    "the assertion's attribute Role does not name `%s` with `%s`", role, provider);
}

/* The account must have the provider, and its metadata must be of the assertion's issuer. */
static bool
check_saml_provider(const struct op_call *call, const struct assertion *a, struct err *err)
{
    const char *arn = arg_str(call->in, "PrincipalArn");
    const struct iam_saml_provider *provider = iam_find_saml_provider(call->cloud->accounts, arn);
    if (!provider) {
        err_set(err, ERR_INPUT, "InvalidIdentityToken", "Specified provider doesn't exist: `%.160s`", arn);
        return err_hint(err, "`iam create-saml-provider` makes one from the identity provider's metadata");
    }
    if (strcmp(provider->issuer, a->issuer) != 0) {
        err_set(err, ERR_INPUT, "InvalidIdentityToken", "Issuer not present in specified provider");
        return err_hint(err, "the assertion is by `%.100s`, the metadata about `%.100s`", a->issuer, provider->issuer);
    }
    return true;
}

static const char *
short_type(const char *format)
{
    const char *colon = strrchr(format, ':');
    return colon ? colon + 1 : format;
}

static bool
assume_role_with_saml(struct op_call *call, struct err *err)
{
    static const char action[] = "sts:AssumeRoleWithSAML";
    struct assertion a = { 0 };
    struct iam_session *session = NULL;
    const char *provider = arg_str(call->in, "PrincipalArn");
    const struct iam_role *role = read_assertion(call, &a, err) ? role_of(call, action, err) : NULL;
    if (role) {
        char *id = xasprintf("%s:%s", provider, a.subject);
        call->cloud->unsigned_by = json_pack("{s:s, s:s, s:s, s:s}", "type", "SAMLUser", "principalId", id, "userName",
                                             a.subject, "identityProvider", a.issuer);
        free(id);
        json_t *keys = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "saml:aud", a.audience, "saml:iss", a.issuer,
                                 "saml:sub", a.subject, "saml:sub_type", short_type(a.subject_type),
                                 "sts:RoleSessionName", a.session, "aws:FederatedProvider", provider);
        if (check_saml_provider(call, &a, err) && ask(call, action, provider, keys, err)) {
            /* The session's name comes from the assertion, not from the request. */
            json_t *in = json_deep_copy(call->in);
            const json_t *own = call->in;
            json_object_set_new(in, "RoleSessionName", json_string(a.session));
            call->in = in;
            session = sts_assume(call, role, false, err);
            call->in = own;
            json_decref(in);
        }
        json_decref(keys);
    }
    if (session) {
        session->provider = xstrdup(provider);
        json_object_set_new(call->out, "Subject", json_string(a.subject));
        json_object_set_new(call->out, "SubjectType", json_string(short_type(a.subject_type)));
        json_object_set_new(call->out, "Issuer", json_string(a.issuer));
        json_object_set_new(call->out, "Audience", json_string(a.audience));
    }
    assertion_done(&a);
    return session != NULL;
}

const struct op ops_sts_federation[] = {
    { .service = "sts",
      .name = "AssumeRoleWithWebIdentity",
      .mode = OP_WRITE,
      .run = assume_role_with_web_identity,
      .help = "Get a session of a role with an OpenID Connect token." },
    { .service = "sts",
      .name = "AssumeRoleWithSAML",
      .mode = OP_WRITE,
      .run = assume_role_with_saml,
      .help = "Get a session of a role with a SAML assertion." },
    { 0 },
};
