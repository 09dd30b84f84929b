#include "iampolicy/kms_key.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct field key_fields[] = {
    FIELD(struct kms_key, "KeyId", FIELD_ID, obj.id, 0),
    FIELD(struct kms_key, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct kms_key, "CreationDate", FIELD_TIME, created, 0),
    FIELD(struct kms_key, "Description", FIELD_STRING, description, FIELD_ALWAYS),
    FIELD(struct kms_key, "KeyUsage", FIELD_STRING, usage, 0),
    FIELD(struct kms_key, "KeyState", FIELD_STRING, state, 0),
    FIELD(struct kms_key, "DeletionDate", FIELD_TIME, deletion, 0),
    FIELD(struct kms_key, "Origin", FIELD_STRING, origin, 0),
    FIELD(struct kms_key, "KeySpec", FIELD_STRING, spec, 0),
    FIELD(struct kms_key, "MultiRegion", FIELD_BOOL, multi_region, 0),
    FIELD(struct kms_key, "Policy", FIELD_STRING, policy, FIELD_STATE_ONLY),
    FIELD_LIST(struct kms_key, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field alias_fields[] = {
    FIELD(struct kms_alias, "AliasId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct kms_alias, "AliasName", FIELD_STRING, name, 0),
    FIELD(struct kms_alias, "TargetKeyId", FIELD_STRING, key_id, 0),
    FIELD(struct kms_alias, "CreationDate", FIELD_TIME, created, 0),
    FIELD(struct kms_alias, "LastUpdatedDate", FIELD_TIME, updated, 0),
    FIELD_END,
};
static const struct field grant_fields[] = {
    FIELD(struct kms_grant, "LabGrantId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct kms_grant, "KeyId", FIELD_STRING, key_arn, 0),
    FIELD(struct kms_grant, "GrantId", FIELD_STRING, grant_id, 0),
    FIELD(struct kms_grant, "GrantToken", FIELD_STRING, token, FIELD_STATE_ONLY),
    FIELD(struct kms_grant, "Name", FIELD_STRING, name, FIELD_ALWAYS),
    FIELD(struct kms_grant, "CreationDate", FIELD_TIME, created, 0),
    FIELD(struct kms_grant, "GranteePrincipal", FIELD_STRING, grantee, 0),
    FIELD(struct kms_grant, "RetiringPrincipal", FIELD_STRING, retiring, 0),
    FIELD(struct kms_grant, "IssuingAccount", FIELD_STRING, issuing_account, 0),
    FIELD(struct kms_grant, "Operations", FIELD_STRINGS, operations, 0),
    FIELD(struct kms_grant, "Constraints", FIELD_DOCUMENT, constraints, 0),
    FIELD_END,
};

#define KMS_KIND(name_, list_, id_, struct_, fields_)                                                                  \
    {                                                                                                                  \
        .name = (name_), .prefix = "", .list = (list_), .id_member = (id_), .not_found = "NotFoundException",          \
        .size = sizeof(struct struct_), .fields = (fields_)                                                            \
    }
const struct kind kms_key_kind = KMS_KIND("kms-key", "Keys", "KeyId", kms_key, key_fields);
const struct kind kms_alias_kind = KMS_KIND("kms-alias", "Aliases", "AliasId", kms_alias, alias_fields);
const struct kind kms_grant_kind = KMS_KIND("kms-grant", "Grants", "LabGrantId", kms_grant, grant_fields);

static bool
lies_in(const struct object *object, const char *account, const char *region)
{
    return strcmp(object->account, account) == 0 && strcmp(object->region, region) == 0;
}

struct kms_alias *
kms_alias_find(const struct iam_accounts *accounts, const char *account, const char *region, const char *name)
{
    for (struct kms_alias *a = store_first(accounts->store, &kms_alias_kind); a; a = store_next(accounts->store, a)) {
        if (lies_in(&a->obj, account, region) && strcmp(a->name, name) == 0) {
            return a;
        }
    }
    return NULL;
}

struct kms_key *
kms_key_find(const struct iam_accounts *accounts, const char *account, const char *region, const char *name,
             int64_t now_ms)
{
    char account_text[16], region_text[24];
    const char *id = name;
    struct arn arn;
    if (strncmp(name, "arn:", 4) == 0) {
        if (!arn_parse(name, &arn) || arn.account.size >= sizeof account_text ||
            arn.region.size >= sizeof region_text) {
            return NULL;
        }
        snprintf(account_text, sizeof account_text, "%.*s", (int)arn.account.size, arn.account.text);
        snprintf(region_text, sizeof region_text, "%.*s", (int)arn.region.size, arn.region.text);
        account = account_text;
        region = region_text;
        id = arn.resource.text;
        id = strncmp(id, "key/", 4) == 0 ? id + 4 : id;
    }
    if (strncmp(id, "alias/", 6) == 0) {
        const struct kms_alias *alias = kms_alias_find(accounts, account, region, id);
        id = alias ? alias->key_id : "";
    }
    struct kms_key *key = store_get(accounts->store, &kms_key_kind, id);
    bool gone = key && key->deletion && key->deletion <= now_ms;
    return key && !gone && lies_in(&key->obj, account, region) ? key : NULL;
}

/* ---- grants ---- */

static bool
names_operation(const struct kms_grant *grant, const struct iam_request *request)
{
    const char *action = request->action_lower.s + request->service_size + 1;
    for (size_t i = 0; i < grant->operations.n; i++) {
        if (strcasecmp(grant->operations.items[i], action) == 0) {
            return true;
        }
    }
    return false;
}

static bool
names_caller(const struct kms_grant *grant, const struct iam_request *request)
{
    struct iam_text text = { grant->grantee, (uint32_t)strlen(grant->grantee) };
    struct iam_principal_entry entry = iam_principal_entry_compile(request->arena, "AWS", text);
    enum iam_match_kind kind = iam_principal_match(&entry, &request->principal);
    return kind == IAM_MATCH_DIRECT || kind == IAM_MATCH_ISSUER ||
           (kind == IAM_MATCH_ACCOUNT && request->principal.kind == IAM_ROOT);
}

#define CONTEXT_PREFIX "kms:encryptioncontext:"

/* Every pair of 'wanted' is in the request's encryption context. */
static bool
has_pairs(const json_t *wanted, const struct iam_request *request)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)wanted, name, value)
    {
        const char *key = arena_printf(request->arena, "kms:EncryptionContext:%s", name);
        struct iam_key made = iam_key_make(request->arena, (struct iam_text){ key, (uint32_t)strlen(key) });
        const struct iam_text *found = iam_request_single(request, &made);
        if (!found || strcmp(found->s, json_string_value(value)) != 0) {
            return false;
        }
    }
    return true;
}

static size_t
count_pairs(const struct iam_request *request)
{
    size_t n = 0;
    for (uint32_t i = 0; i < request->n_context; i++) {
        n += strncmp(request->context[i].key.lower, CONTEXT_PREFIX, strlen(CONTEXT_PREFIX)) == 0;
    }
    return n;
}

/* Constraints bind the operations that take an encryption context; DescribeKey, RetireGrant and CreateGrant have
 * none. */
static bool
constraints_hold(const struct kms_grant *grant, const struct iam_request *request)
{
    static const char *const bound[] = { "kms:encrypt",
                                         "kms:decrypt",
                                         "kms:generatedatakey",
                                         "kms:generatedatakeywithoutplaintext",
                                         "kms:generatedatakeypair",
                                         "kms:generatedatakeypairwithoutplaintext",
                                         "kms:reencryptfrom",
                                         "kms:reencryptto" };
    const json_t *subset = json_object_get(grant->constraints, "EncryptionContextSubset");
    const json_t *equals = json_object_get(grant->constraints, "EncryptionContextEquals");
    bool binds = false;
    for (size_t i = 0; i < ARRAY_SIZE(bound); i++) {
        binds |= iam_text_is(request->action_lower, bound[i]);
    }
    return !binds || (has_pairs(subset, request) && has_pairs(equals, request) &&
                      (!equals || json_object_size(equals) == count_pairs(request)));
}

bool
kms_grant_covers(const struct kms_grant *grant, const struct iam_request *request)
{
    return strcmp(grant->key_arn, request->resource.s) == 0 && names_operation(grant, request) &&
           names_caller(grant, request) && constraints_hold(grant, request);
}
