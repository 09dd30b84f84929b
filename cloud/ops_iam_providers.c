/* cloud/ops_iam_providers.c - the account's alias, and the identity providers it trusts: OpenID Connect and SAML.
 *
 * No provider is asked for its certificate: a list of thumbprints that is not given stays empty.
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateSAMLProvider.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"
#include "iampolicy/provider.h"
#include "iampolicy/value.h"

#define PROVIDERS_MAX   100
#define CLIENT_IDS_MAX  100
#define THUMBPRINTS_MAX 5
#define METADATA_MIN    1000
#define METADATA_MAX    10000000
#define CENTURY_MS      (100LL * 36525 * 864000) /* what AWS gives metadata that does not say how long it is good */

static size_t
count_own(const struct op_call *call, const struct kind *kind)
{
    const struct store *store = call->cloud->accounts->store;
    size_t n = 0;
    for (const struct object *o = store_first(store, kind); o; o = store_next(store, o)) {
        n += strcmp(o->account, call->cloud->account) == 0;
    }
    return n;
}

static bool
is_own(const struct op_call *call, const struct object *object)
{
    return strcmp(object->account, call->cloud->account) == 0;
}

/* ---- alias ------------------------------------------------------------------------------------------------------- */

static bool
check_alias(const char *alias, struct err *err)
{
    size_t n = strlen(alias);
    bool good = n >= 3 && n <= 63 && alias[0] != '-' && alias[n - 1] != '-' && !strstr(alias, "--");
    for (size_t i = 0; i < n; i++) {
        good = good && (islower((unsigned char)alias[i]) || isdigit((unsigned char)alias[i]) || alias[i] == '-');
    }
    if (!good) {
        err_set(err, ERR_INPUT, "ValidationError", "`%.80s` is not an account alias", alias);
        return err_hint(err, "3 to 63 small letters, digits and single hyphens, none at either end");
    }
    return true;
}

/* A new alias takes the place of the old one: an account has one. */
static bool
create_alias(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "AccountAlias");
    struct iam_account_alias *alias = iam_alias_of(accounts, call->cloud->account);
    const struct iam_account_alias *other = iam_find_alias(accounts, name);
    if (!check_alias(name, err)) {
        return false;
    }
    if (other && other != alias) {
        err_set(err, ERR_INPUT, "EntityAlreadyExists", "The account alias %s already exists.", name);
        return err_hint(err, "account %s has it; aliases are unique among all accounts", other->obj.account);
    }
    if (!alias) {
        alias = iam_add_object(accounts, &iam_account_alias_kind, call->cloud->account, "ALIAS");
    }
    free(alias->name);
    alias->name = xstrdup(name);
    return true;
}

static bool
delete_alias(struct op_call *call, struct err *err)
{
    struct iam_account_alias *alias = iam_alias_of(call->cloud->accounts, call->cloud->account);
    const char *name = arg_str(call->in, "AccountAlias");
    if (!check_alias(name, err)) {
        return false;
    }
    if (!alias || strcmp(alias->name, name) != 0) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "The Account Alias `%s` cannot be found.", name);
        return alias ? err_hint(err, "the account's alias is `%s`", alias->name) : false;
    }
    store_delete(call->cloud->accounts->store, alias);
    return true;
}

static bool
list_aliases(struct op_call *call, struct err *err)
{
    const struct iam_account_alias *alias = iam_alias_of(call->cloud->accounts, call->cloud->account);
    return iam_answer_list(call, "AccountAliases", alias ? json_pack("[s]", alias->name) : json_array(), err);
}

/* ---- OpenID Connect ---------------------------------------------------------------------------------------------- */

/* The issuer's address without its scheme; NULL and an error if it is none. */
static const char *
check_url(const char *url, struct err *err)
{
    static const char scheme[] = "https://";
    const char *rest = url + sizeof scheme - 1;
    bool good = strlen(url) <= 255 && strncmp(url, scheme, sizeof scheme - 1) == 0 && rest[0] && rest[0] != '/' &&
                !strpbrk(rest, "?#: \t\n");
    if (!good) {
        err_set(err, ERR_INPUT, "ValidationError", "`%.200s` is not the address of an OpenID Connect provider", url);
        err_hint(err, "https://HOST[/PATH] without port and query, as the tokens have it in `iss`");
        return NULL;
    }
    return rest;
}

static bool
check_thumbprint(const char *text, struct err *err)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    if (n != 40 || text[n]) {
        err_set(err, ERR_INPUT, "ValidationError", "`%.80s` is not a thumbprint", text);
        return err_hint(err, "the SHA-1 of the certificate, 40 hexadecimal digits");
    }
    return true;
}

static bool
check_thumbprints(const json_t *list, struct err *err)
{
    if (json_array_size(list) > THUMBPRINTS_MAX) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "%zu thumbprints; a provider has at most %d",
                       json_array_size(list), THUMBPRINTS_MAX);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!check_thumbprint(json_string_value(json_array_get(list, i)), err)) {
            return false;
        }
    }
    return true;
}

static bool
check_client_id(const char *id, struct err *err)
{
    return (id[0] && strlen(id) <= 255) ||
           err_set(err, ERR_INPUT, "ValidationError", "a client id has 1 to 255 characters, not %zu", strlen(id));
}

static bool
check_client_ids(const json_t *list, struct err *err)
{
    if (json_array_size(list) > CLIENT_IDS_MAX) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "%zu client ids; a provider has at most %d",
                       json_array_size(list), CLIENT_IDS_MAX);
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!check_client_id(json_string_value(json_array_get(list, i)), err)) {
            return false;
        }
    }
    return true;
}

static void
set_thumbprints(struct iam_oidc_provider *provider, const json_t *list)
{
    for (size_t i = 0; i < provider->thumbprints.n; i++) {
        free(provider->thumbprints.items[i]);
    }
    provider->thumbprints.n = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *text = xstrdup(json_string_value(json_array_get(list, i)));
        for (char *c = text; *c; c++) {
            *c = (char)tolower((unsigned char)*c);
        }
        *VEC_ADD(&provider->thumbprints) = text;
    }
}

/* Where the client id stands; the number of ids if it is not there. */
static size_t
client_at(const struct iam_oidc_provider *provider, const char *id)
{
    size_t i = 0;
    while (i < provider->client_ids.n && strcmp(provider->client_ids.items[i], id) != 0) {
        i++;
    }
    return i;
}

static bool
create_oidc(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const json_t *ids = json_object_get(call->in, "ClientIDList"),
                 *prints = json_object_get(call->in, "ThumbprintList");
    const json_t *tags = json_object_get(call->in, "Tags");
    const char *rest = check_url(arg_str(call->in, "Url"), err);
    if (!rest || !check_client_ids(ids, err) || !check_thumbprints(prints, err) || !iam_check_tags(tags, err)) {
        return false;
    }
    char *arn = iam_make_arn(call, "oidc-provider", "/", rest);
    if (iam_find_oidc_provider(accounts, arn)) {
        free(arn);
        return err_set(err, ERR_INPUT, "EntityAlreadyExists", "Provider with url https://%s already exists.", rest);
    }
    if (count_own(call, &iam_oidc_provider_kind) >= PROVIDERS_MAX) {
        free(arn);
        return err_set(err, ERR_INPUT, "LimitExceeded", "an account has at most %d OpenID Connect providers",
                       PROVIDERS_MAX);
    }
    struct iam_oidc_provider *provider =
        iam_add_object(accounts, &iam_oidc_provider_kind, call->cloud->account, "OIDC");
    provider->arn = arn;
    provider->url = xstrdup(rest);
    provider->created = iam_now(call);
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        if (client_at(provider, id) == provider->client_ids.n) {
            *VEC_ADD(&provider->client_ids) = xstrdup(id);
        }
    }
    set_thumbprints(provider, prints);
    iam_set_tags(&provider->obj, tags);
    json_object_set_new(call->out, "OpenIDConnectProviderArn", json_string(arn));
    if (json_array_size(tags)) {
        json_object_set(call->out, "Tags", (json_t *)tags);
    }
    return true;
}

struct iam_oidc_provider *
iam_op_oidc_provider(const struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "OpenIDConnectProviderArn");
    struct iam_oidc_provider *provider = iam_find_oidc_provider(call->cloud->accounts, arn);
    if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":oidc-provider/")) {
        err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of an OpenID Connect provider", arn);
        err_hint(err, "as in arn:aws:iam::%s:oidc-provider/HOST", call->cloud->account);
        return NULL;
    }
    if (!provider || !is_own(call, &provider->obj)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "OpenIDConnect Provider not found for arn %.160s", arn);
        return NULL;
    }
    return provider;
}

static bool
get_oidc(struct op_call *call, struct err *err)
{
    const struct iam_oidc_provider *provider = iam_op_oidc_provider(call, err);
    if (provider) {
        json_t *shown = object_describe(call->cloud->accounts->store, provider);
        json_object_update(call->out, shown);
        json_decref(shown);
    }
    return provider != NULL;
}

static bool
list_oidc(struct op_call *call, struct err *err)
{
    const struct store *store = call->cloud->accounts->store;
    json_t *list = json_array();
    (void)err;
    for (const struct iam_oidc_provider *p = store_first(store, &iam_oidc_provider_kind); p; p = store_next(store, p)) {
        if (is_own(call, &p->obj)) {
            json_array_append_new(list, json_pack("{s:s}", "Arn", p->arn));
        }
    }
    json_object_set_new(call->out, "OpenIDConnectProviderList", list);
    return true;
}

/* Not an error where there is none, as AWS documents it. */
static bool
delete_oidc(struct op_call *call, struct err *err)
{
    struct iam_oidc_provider *provider = iam_op_oidc_provider(call, err);
    if (!provider && strcmp(err->code, "NoSuchEntity") == 0) {
        *err = (struct err){ 0 };
        return true;
    }
    if (provider) {
        store_delete(call->cloud->accounts->store, provider);
    }
    return provider != NULL;
}

static bool
add_client_id(struct op_call *call, struct err *err)
{
    struct iam_oidc_provider *provider = iam_op_oidc_provider(call, err);
    const char *id = arg_str(call->in, "ClientID");
    if (!provider || !check_client_id(id, err)) {
        return false;
    }
    bool there = client_at(provider, id) < provider->client_ids.n;
    if (!there && provider->client_ids.n >= CLIENT_IDS_MAX) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "a provider has at most %d client ids", CLIENT_IDS_MAX);
    }
    if (!there) {
        *VEC_ADD(&provider->client_ids) = xstrdup(id);
    }
    return true;
}

static bool
remove_client_id(struct op_call *call, struct err *err)
{
    struct iam_oidc_provider *provider = iam_op_oidc_provider(call, err);
    size_t at = provider ? client_at(provider, arg_str(call->in, "ClientID")) : 0;
    if (provider && at < provider->client_ids.n) {
        free(provider->client_ids.items[at]);
        VEC_REMOVE(&provider->client_ids, at);
    }
    return provider != NULL;
}

static bool
update_thumbprints(struct op_call *call, struct err *err)
{
    struct iam_oidc_provider *provider = iam_op_oidc_provider(call, err);
    const json_t *list = json_object_get(call->in, "ThumbprintList");
    if (!provider || !check_thumbprints(list, err)) {
        return false;
    }
    set_thumbprints(provider, list);
    return true;
}

/* ---- SAML -------------------------------------------------------------------------------------------------------- */

/* An attribute in the first tag of that local name, which may have a prefix: <md:EntityDescriptor entityID="...">. The
 * caller frees it; NULL if there is none. */
static char *
xml_attribute(const char *xml, const char *element, const char *name)
{
    const char *tag = strstr(xml, element), *end = tag ? strchr(tag, '>') : NULL;
    size_t n = strlen(name);
    for (const char *at = tag ? strstr(tag, name) : NULL; at && at < end; at = strstr(at + 1, name)) {
        const char *value = at + n + strspn(at + n, " \t\r\n");
        if (!isspace((unsigned char)at[-1]) || *value != '=') {
            continue;
        }
        value += 1 + strspn(value + 1, " \t\r\n");
        const char *close = *value == '"' || *value == '\'' ? strchr(value + 1, *value) : NULL;
        return close ? xasprintf("%.*s", (int)(close - value - 1), value + 1) : NULL;
    }
    return NULL;
}

/* The issuer that metadata is about; the caller frees it.  NULL and an error if it is no metadata of an identity
 * provider. */
static char *
read_metadata(const char *xml, struct err *err)
{
    size_t n = strlen(xml);
    if (n < METADATA_MIN || n > METADATA_MAX) {
        err_set(err, ERR_INPUT, "ValidationError", "the metadata document has %zu characters; %d to %d are allowed", n,
                METADATA_MIN, METADATA_MAX);
        return NULL;
    }
    char *issuer = xml_attribute(xml, "EntityDescriptor", "entityID");
    if (!issuer || !issuer[0] || !strstr(xml, "IDPSSODescriptor")) {
        free(issuer);
        err_set(err, ERR_INPUT, "InvalidInput", "Could not parse metadata");
        err_hint(err,
                 "XML with <EntityDescriptor entityID=\"...\"> and an <IDPSSODescriptor>, as the provider exports it");
        return NULL;
    }
    return issuer;
}

static bool
check_plain_assertions(const struct op_call *call, struct err *err)
{
    static const char *const members[] = { "AssertionEncryptionMode", "AddPrivateKey", "RemovePrivateKey" };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (json_object_get(call->in, members[i])) {
            return err_set(err, ERR_INPUT, "NotImplemented", "encrypted assertions (`%s`) are not modelled",
                           members[i]);
        }
    }
    return true;
}

/* 'xml' and 'issuer' become the provider's; the document says itself how long it is good, or AWS gives it a century. */
static void
set_metadata(struct iam_saml_provider *provider, const char *xml, char *issuer, int64_t now)
{
    char *until = xml_attribute(xml, "EntityDescriptor", "validUntil");
    free(provider->metadata);
    free(provider->issuer);
    provider->metadata = xstrdup(xml);
    provider->issuer = issuer;
    struct iam_instant instant;
    bool told = until && iam_instant_parse((struct iam_text){ until, (uint32_t)strlen(until) }, &instant);
    provider->valid_until = told ? instant.s * 1000 : now + CENTURY_MS;
    free(until);
}

static bool
create_saml(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "Name"), *xml = arg_str(call->in, "SAMLMetadataDocument");
    const json_t *tags = json_object_get(call->in, "Tags");
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    if (!name[0] || name[plain] || strlen(name) > 128) {
        err_set(err, ERR_INPUT, "ValidationError", "`%.130s` is not a name of a provider", name);
        return err_hint(err, "1 to 128 letters, digits and ._-");
    }
    char *issuer = check_plain_assertions(call, err) && iam_check_tags(tags, err) ? read_metadata(xml, err) : NULL;
    if (!issuer) {
        return false;
    }
    char *arn = iam_make_arn(call, "saml-provider", "/", name);
    bool there = iam_find_saml_provider(accounts, arn),
         full = count_own(call, &iam_saml_provider_kind) >= PROVIDERS_MAX;
    if (there || full) {
        free(arn);
        free(issuer);
        return there ? err_set(err, ERR_INPUT, "EntityAlreadyExists", "SAMLProvider with name %s already exists.", name)
                     : err_set(err, ERR_INPUT, "LimitExceeded", "an account has at most %d SAML providers",
                               PROVIDERS_MAX);
    }
    struct iam_saml_provider *provider =
        iam_add_object(accounts, &iam_saml_provider_kind, call->cloud->account, "SAML");
    provider->arn = arn;
    provider->name = xstrdup(name);
    provider->created = iam_now(call);
    set_metadata(provider, xml, issuer, provider->created);
    iam_set_tags(&provider->obj, tags);
    json_object_set_new(call->out, "SAMLProviderArn", json_string(arn));
    if (json_array_size(tags)) {
        json_object_set(call->out, "Tags", (json_t *)tags);
    }
    return true;
}

struct iam_saml_provider *
iam_op_saml_provider(const struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "SAMLProviderArn");
    struct iam_saml_provider *provider = iam_find_saml_provider(call->cloud->accounts, arn);
    if (strncmp(arn, "arn:", 4) != 0 || !strstr(arn, ":saml-provider/")) {
        err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of a SAML provider", arn);
        err_hint(err, "as in arn:aws:iam::%s:saml-provider/NAME", call->cloud->account);
        return NULL;
    }
    if (!provider || !is_own(call, &provider->obj)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "Manifest not found for arn %.160s", arn);
        return NULL;
    }
    return provider;
}

static bool
get_saml(struct op_call *call, struct err *err)
{
    const struct iam_saml_provider *provider = iam_op_saml_provider(call, err);
    if (provider) {
        json_t *shown = object_describe(call->cloud->accounts->store, provider);
        json_object_update(call->out, shown);
        json_decref(shown);
    }
    return provider != NULL;
}

static bool
list_saml(struct op_call *call, struct err *err)
{
    const struct store *store = call->cloud->accounts->store;
    json_t *list = json_array();
    (void)err;
    for (const struct iam_saml_provider *p = store_first(store, &iam_saml_provider_kind); p; p = store_next(store, p)) {
        if (is_own(call, &p->obj)) {
            char until[32], created[32];
            clock_format_s(p->valid_until, until);
            clock_format_s(p->created, created);
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "Arn", p->arn, "ValidUntil", until, "CreateDate", created));
        }
    }
    json_object_set_new(call->out, "SAMLProviderList", list);
    return true;
}

static bool
update_saml(struct op_call *call, struct err *err)
{
    struct iam_saml_provider *provider = check_plain_assertions(call, err) ? iam_op_saml_provider(call, err) : NULL;
    const char *xml = arg_str(call->in, "SAMLMetadataDocument");
    char *issuer = provider && xml ? read_metadata(xml, err) : NULL;
    if (!provider || (xml && !issuer)) {
        return false;
    }
    if (xml) {
        set_metadata(provider, xml, issuer, iam_now(call));
    }
    json_object_set_new(call->out, "SAMLProviderArn", json_string(provider->arn));
    return true;
}

static bool
delete_saml(struct op_call *call, struct err *err)
{
    struct iam_saml_provider *provider = iam_op_saml_provider(call, err);
    if (provider) {
        store_delete(call->cloud->accounts->store, provider);
    }
    return provider != NULL;
}

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "iam", .name = name_, .mode = mode_, .run = run_, .help = help_                                     \
    }
const struct op ops_iam_providers[] = {
    ROW("CreateAccountAlias", OP_WRITE, create_alias, "Give the account a name of its own for signing in."),
    ROW("DeleteAccountAlias", OP_WRITE, delete_alias, "Take the account's alias away."),
    ROW("ListAccountAliases", OP_READ, list_aliases, "Show the account's alias."),
    ROW("CreateOpenIDConnectProvider", OP_WRITE, create_oidc,
        "Trust an OpenID Connect provider, by its issuer's address."),
    ROW("GetOpenIDConnectProvider", OP_READ, get_oidc,
        "Show an OpenID Connect provider: client ids, thumbprints, tags."),
    ROW("ListOpenIDConnectProviders", OP_READ, list_oidc, "List the account's OpenID Connect providers."),
    ROW("DeleteOpenIDConnectProvider", OP_WRITE, delete_oidc, "Trust an OpenID Connect provider no longer."),
    ROW("AddClientIDToOpenIDConnectProvider", OP_WRITE, add_client_id, "Take one more audience from a provider."),
    ROW("RemoveClientIDFromOpenIDConnectProvider", OP_WRITE, remove_client_id, "Take an audience no longer."),
    ROW("UpdateOpenIDConnectProviderThumbprint", OP_WRITE, update_thumbprints, "Replace a provider's thumbprints."),
    ROW("CreateSAMLProvider", OP_WRITE, create_saml, "Trust a SAML identity provider, by its metadata."),
    ROW("GetSAMLProvider", OP_READ, get_saml, "Show a SAML provider's metadata."),
    ROW("ListSAMLProviders", OP_READ, list_saml, "List the account's SAML providers."),
    ROW("UpdateSAMLProvider", OP_WRITE, update_saml, "Replace a SAML provider's metadata."),
    ROW("DeleteSAMLProvider", OP_WRITE, delete_saml, "Trust a SAML provider no longer."),
    { 0 },
};
