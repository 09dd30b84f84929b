#include "iampolicy/provider.h"

#include <string.h>

static const struct field oidc_fields[] = {
    FIELD(struct iam_oidc_provider, "ProviderId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct iam_oidc_provider, "Arn", FIELD_STRING, arn, FIELD_STATE_ONLY),
    FIELD(struct iam_oidc_provider, "Url", FIELD_STRING, url, 0),
    FIELD(struct iam_oidc_provider, "ClientIDList", FIELD_STRINGS, client_ids, FIELD_ALWAYS),
    FIELD(struct iam_oidc_provider, "ThumbprintList", FIELD_STRINGS, thumbprints, FIELD_ALWAYS),
    FIELD(struct iam_oidc_provider, "CreateDate", FIELD_TIME, created, 0),
    FIELD_LIST(struct iam_oidc_provider, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};
static const struct field saml_fields[] = {
    FIELD(struct iam_saml_provider, "ProviderId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct iam_saml_provider, "Name", FIELD_STRING, name, FIELD_STATE_ONLY),
    FIELD(struct iam_saml_provider, "Arn", FIELD_STRING, arn, FIELD_STATE_ONLY),
    FIELD(struct iam_saml_provider, "Issuer", FIELD_STRING, issuer, FIELD_STATE_ONLY),
    FIELD(struct iam_saml_provider, "SAMLMetadataDocument", FIELD_STRING, metadata, 0),
    FIELD(struct iam_saml_provider, "CreateDate", FIELD_TIME, created, 0),
    FIELD(struct iam_saml_provider, "ValidUntil", FIELD_TIME, valid_until, 0),
    FIELD_LIST(struct iam_saml_provider, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};
static const struct field alias_fields[] = {
    FIELD(struct iam_account_alias, "AliasId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_account_alias, "AccountAlias", FIELD_STRING, name, 0),
    FIELD_END,
};
static const struct field task_fields[] = {
    FIELD(struct iam_task, "TaskId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_task, "Name", FIELD_STRING, name, 0),
    FIELD(struct iam_task, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_task, "Type", FIELD_STRING, type, 0),
    FIELD(struct iam_task, "Status", FIELD_STRING, status, 0),
    FIELD(struct iam_task, "Reason", FIELD_STRING, reason, 0),
    FIELD(struct iam_task, "RoleUsageList", FIELD_DOCUMENT, usage, 0),
    FIELD(struct iam_task, "CreateDate", FIELD_TIME, created, 0),
    FIELD_END,
};

#define IAM_KIND(name_, list_, id_, struct_, fields_)                                                                  \
    {                                                                                                                  \
        .name = (name_), .prefix = (name_), .list = (list_), .id_member = (id_), .not_found = "NoSuchEntity",          \
        .size = sizeof(struct struct_), .fields = (fields_)                                                            \
    }
const struct kind iam_oidc_provider_kind =
    IAM_KIND("oidc-provider", "OpenIDConnectProviders", "ProviderId", iam_oidc_provider, oidc_fields);
const struct kind iam_saml_provider_kind =
    IAM_KIND("saml-provider", "SAMLProviders", "ProviderId", iam_saml_provider, saml_fields);
const struct kind iam_account_alias_kind =
    IAM_KIND("account-alias", "AccountAliases", "AliasId", iam_account_alias, alias_fields);
const struct kind iam_task_kind = IAM_KIND("iam-task", "IamTasks", "TaskId", iam_task, task_fields);

struct iam_oidc_provider *
iam_find_oidc_provider(const struct iam_accounts *accounts, const char *arn)
{
    struct iam_oidc_provider *p = store_first(accounts->store, &iam_oidc_provider_kind);
    while (p && strcmp(p->arn, arn) != 0) {
        p = store_next(accounts->store, p);
    }
    return p;
}

struct iam_saml_provider *
iam_find_saml_provider(const struct iam_accounts *accounts, const char *arn)
{
    struct iam_saml_provider *p = store_first(accounts->store, &iam_saml_provider_kind);
    while (p && strcmp(p->arn, arn) != 0) {
        p = store_next(accounts->store, p);
    }
    return p;
}

struct iam_account_alias *
iam_alias_of(const struct iam_accounts *accounts, const char *account)
{
    struct iam_account_alias *a = store_first(accounts->store, &iam_account_alias_kind);
    while (a && strcmp(a->obj.account, account) != 0) {
        a = store_next(accounts->store, a);
    }
    return a;
}

struct iam_account_alias *
iam_find_alias(const struct iam_accounts *accounts, const char *name)
{
    struct iam_account_alias *a = store_first(accounts->store, &iam_account_alias_kind);
    while (a && strcmp(a->name, name) != 0) {
        a = store_next(accounts->store, a);
    }
    return a;
}

struct iam_task *
iam_find_task(const struct iam_accounts *accounts, const char *account, const char *name)
{
    struct iam_task *t = store_first(accounts->store, &iam_task_kind);
    while (t && (strcmp(t->name, name) != 0 || strcmp(t->obj.account, account) != 0)) {
        t = store_next(accounts->store, t);
    }
    return t;
}
