/* cloud/ops_kms.c - KMS keys as far as access to them is decided: create, policy, aliases, tags, state.
 *
 * There is no key material: nothing encrypts or signs here.  A key policy decides kms:Encrypt, kms:Decrypt and the
 * others when they are asked about.
 * Source: https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html,
 * https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html */
#include "cloud/ops_kms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/answer_page.h"
#include "cloud/caller.h"
#include "cloud/ops_iam.h"
#include "iampolicy/gather.h"

#define POLICY_SIZE 32768 /* bytes of a key policy */
#define DAY_MS      (24 * 3600 * 1000LL)
#define POLICY_NAME "default" /* the one policy a key has */

/* What a key made through the API gets when no policy is given: the account's IAM policies decide. */
static const char default_policy[] = "{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n"
                                     "  \"Statement\" : [ {\n    \"Sid\" : \"Enable IAM User Permissions\",\n"
                                     "    \"Effect\" : \"Allow\",\n    \"Principal\" : {\n"
                                     "      \"AWS\" : \"arn:aws:iam::%s:root\"\n    },\n"
                                     "    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}";

/* Which usages a key spec has, the first by itself, and the algorithms DescribeKey names. */
static const struct key_spec {
    const char *spec, *usage, *member, *algorithms;
} key_specs[] = {
    { "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "EncryptionAlgorithms", "SYMMETRIC_DEFAULT" },
#define RSA(bits)                                                                                                      \
    { "RSA_" bits, "ENCRYPT_DECRYPT", "EncryptionAlgorithms", "RSAES_OAEP_SHA_1 RSAES_OAEP_SHA_256" },                 \
    {                                                                                                                  \
        "RSA_" bits, "SIGN_VERIFY", "SigningAlgorithms",                                                               \
            "RSASSA_PKCS1_V1_5_SHA_256 RSASSA_PKCS1_V1_5_SHA_384 RSASSA_PKCS1_V1_5_SHA_512 RSASSA_PSS_SHA_256 "        \
            "RSASSA_PSS_SHA_384 RSASSA_PSS_SHA_512"                                                                    \
    }
    RSA("2048"),
    RSA("3072"),
    RSA("4096"),
#define ECC(curve, hash)                                                                                               \
    { "ECC_NIST_" curve, "SIGN_VERIFY", "SigningAlgorithms", "ECDSA_SHA_" hash },                                      \
    {                                                                                                                  \
        "ECC_NIST_" curve, "KEY_AGREEMENT", "KeyAgreementAlgorithms", "ECDH"                                           \
    }
    ECC("P256", "256"),
    ECC("P384", "384"),
    ECC("P521", "512"),
    { "ECC_SECG_P256K1", "SIGN_VERIFY", "SigningAlgorithms", "ECDSA_SHA_256" },
    { "HMAC_224", "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_224" },
    { "HMAC_256", "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_256" },
    { "HMAC_384", "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_384" },
    { "HMAC_512", "GENERATE_VERIFY_MAC", "MacAlgorithms", "HMAC_SHA_512" },
};

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

static int64_t
now(const struct op_call *call)
{
    return clock_now_ms(&call->cloud->clock);
}

/* ---- finding ---- */

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

/* May the caller write the key policy once it is 'text'?  Asked of the caller's own policies and this one alone. */
static bool
may_put_policy(const struct op_call *call, const char *text, const char *key_arn)
{
    const struct cloud *cloud = call->cloud;
    struct iam_request *request = iam_request_new();
    struct iam_gathered gathered = { 0 };
    char root[64];
    bool ok = iam_request_set_principal(request, as_text(caller_arn(cloud, root)), NULL) &&
              iam_request_set_action(request, as_text("kms:PutKeyPolicy"), NULL) &&
              iam_gather_identity(cloud->accounts, request, &gathered, NULL) &&
              iam_gather_text(&gathered, &gathered.policies.resource, text, IAM_POLICY_RESOURCE, "Policy", "resource",
                              "Policy", NULL);
    if (ok) {
        iam_request_set_resource(request, as_text(key_arn), as_text(cloud->account), true);
        iam_request_derive(request, IAM_DERIVE_PRINCIPAL | IAM_DERIVE_RESOURCE | IAM_DERIVE_CALL, now(call),
                           cloud->region);
        iam_request_set_string(request, "kms:CallerAccount", cloud->account);
        ok = iam_decide(&gathered.policies, request, NULL) == IAM_ALLOW;
    }
    iam_gathered_done(&gathered);
    iam_request_free(request);
    return ok;
}

static bool
check_state(const struct kms_key *key, unsigned use, struct err *err)
{
    if (strcmp(key->state, "PendingDeletion") == 0 && !(use & KMS_PENDING)) {
        err_set(err, ERR_INPUT, "KMSInvalidStateException", "`%s` is pending deletion", key->arn);
        return err_hint(err, "`kms cancel-key-deletion` brings it back, disabled");
    }
    if (strcmp(key->state, "Disabled") == 0 && !(use & KMS_DISABLED)) {
        err_set(err, ERR_INPUT, "DisabledException", "`%s` is disabled", key->arn);
        return err_hint(err, "`kms enable-key` enables it");
    }
    return true;
}

struct kms_key *
kms_op_key(const struct op_call *call, unsigned use, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "KeyId");
    bool alias = name && (strncmp(name, "alias/", 6) == 0 || strstr(name, ":alias/"));
    struct kms_key *key = alias && !(use & KMS_ALIAS)
                              ? NULL
                              : kms_key_find(cloud->accounts, cloud->account, cloud->region, name, now(call));
    if (!key) {
        err_set(err, ERR_INPUT, "NotFoundException", "there is no key `%.160s` in %s", name, cloud->region);
        err_hint(err, alias && !(use & KMS_ALIAS) ? "this operation takes a key id or key ARN, not an alias"
                                                  : "`kms list-keys` and `kms list-aliases` show what there is");
        err_at(err, "KeyId", 0, 0);
        return NULL;
    }
    if (strcmp(key->obj.account, cloud->account) != 0 && !(use & KMS_CROSS)) {
        err_set(err, ERR_INPUT, "AccessDeniedException",
                "the key `%s` belongs to account %s; only that account may do this", key->arn, key->obj.account);
        return NULL;
    }
    return check_state(key, use, err) ? key : NULL;
}

/* ---- describing ---- */

static json_t *
words_of(const char *text)
{
    json_t *list = json_array();
    for (const char *p = text; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        json_array_append_new(list, json_stringn(p, n));
        p += n;
    }
    return list;
}

static json_t *
metadata(const struct op_call *call, const struct kms_key *key)
{
    json_t *out = object_describe(store_of(call), key);
    json_object_set_new(out, "AWSAccountId", json_string(key->obj.account));
    json_object_set_new(out, "Enabled", json_boolean(strcmp(key->state, "Enabled") == 0));
    json_object_set_new(out, "KeyManager", json_string("CUSTOMER"));
    json_object_set_new(out, "CustomerMasterKeySpec", json_string(key->spec));
    for (size_t i = 0; i < ARRAY_SIZE(key_specs); i++) {
        if (strcmp(key_specs[i].spec, key->spec) == 0 && strcmp(key_specs[i].usage, key->usage) == 0) {
            json_object_set_new(out, key_specs[i].member, words_of(key_specs[i].algorithms));
        }
    }
    if (key->multi_region) {
        json_object_set_new(out, "MultiRegionConfiguration",
                            json_pack("{s:s, s:{s:s, s:s}, s:[]}", "MultiRegionKeyType", "PRIMARY", "PrimaryKey", "Arn",
                                      key->arn, "Region", key->obj.region, "ReplicaKeys"));
    }
    return out;
}

/* ---- keys ---- */

static const struct key_spec *
spec_arg(const struct op_call *call, struct err *err)
{
    const char *spec = arg_str(call->in, "KeySpec"), *usage = arg_str(call->in, "KeyUsage");
    bool known = false;
    spec = spec ? spec : arg_str(call->in, "CustomerMasterKeySpec");
    spec = spec ? spec : "SYMMETRIC_DEFAULT";
    usage = usage ? usage : "ENCRYPT_DECRYPT"; /* whatever the spec is: HMAC and ECC keys need --key-usage */
    for (size_t i = 0; i < ARRAY_SIZE(key_specs); i++) {
        known |= strcmp(key_specs[i].spec, spec) == 0;
        if (strcmp(key_specs[i].spec, spec) == 0 && strcmp(key_specs[i].usage, usage) == 0) {
            return &key_specs[i];
        }
    }
    if (known) {
        err_set(err, ERR_INPUT, "ValidationException", "a key of spec %s has no usage %s", spec, usage);
    } else {
        err_set(err, ERR_INPUT, "UnsupportedOperationException", "keys of spec `%.40s` are not made here", spec);
    }
    return NULL;
}

/* A policy that KMS would store and that does not lock its own account out. */
static bool
check_key_policy(const struct op_call *call, const char *text, const char *key_arn, struct err *err)
{
    struct err found = { 0 };
    if (strlen(text) > POLICY_SIZE) {
        return err_set(err, ERR_INPUT, "LimitExceededException", "a key policy has at most %d bytes, not %zu",
                       POLICY_SIZE, strlen(text));
    }
    if (!iam_check_document(text, IAM_POLICY_RESOURCE, "Policy", &found)) {
        strcpy(found.code, "MalformedPolicyDocumentException");
        *err = found;
        return false;
    }
    if (!arg_flag(call->in, "BypassPolicyLockoutSafetyCheck", false) && !may_put_policy(call, text, key_arn)) {
        err_set(err, ERR_INPUT, "MalformedPolicyDocumentException",
                "the new key policy would not let you change the key policy in the future");
        return err_hint(err,
                        "allow kms:PutKeyPolicy to arn:aws:iam::%s:root, or give "
                        "--bypass-policy-lockout-safety-check",
                        call->cloud->account);
    }
    return true;
}

/* KMS writes tags as TagKey and TagValue. */
static json_t *
plain_tags(const struct op_call *call)
{
    const json_t *given = json_object_get(call->in, "Tags");
    json_t *tags = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        const json_t *tag = json_array_get(given, i);
        json_array_append_new(tags, json_pack("{s:O, s:O}", "Key", json_object_get(tag, "TagKey"), "Value",
                                              json_object_get(tag, "TagValue")));
    }
    return tags;
}

static bool
check_tags(const json_t *tags, struct err *err)
{
    struct err found = { 0 };
    if (iam_check_tags(tags, &found)) {
        return true;
    }
    strcpy(found.code, "TagException");
    *err = found;
    return false;
}

static void
new_key_id(const struct op_call *call, bool multi_region, char id[static ID_SIZE])
{
    char uuid[37];
    id_new_uuid(&call->cloud->ids, uuid);
    if (!multi_region) {
        strcpy(id, uuid);
        return;
    }
    size_t n = (size_t)sprintf(id, "mrk-");
    for (const char *c = uuid; *c; c++) {
        if (*c != '-') {
            id[n++] = *c;
        }
    }
    id[n] = '\0';
}

static void
add_key(struct op_call *call, const struct key_spec *spec, const char *id, char *arn, char *policy)
{
    const struct cloud *cloud = call->cloud;
    const char *description = arg_str(call->in, "Description"), *origin = arg_str(call->in, "Origin");
    struct kms_key *key = store_add(store_of(call), &kms_key_kind, id);
    snprintf(key->obj.account, sizeof key->obj.account, "%s", cloud->account);
    snprintf(key->obj.region, sizeof key->obj.region, "%s", cloud->region);
    key->arn = arn;
    key->policy = policy;
    key->description = xstrdup(description ? description : "");
    key->spec = xstrdup(spec->spec);
    key->usage = xstrdup(spec->usage);
    key->origin = xstrdup(origin ? origin : "AWS_KMS");
    key->state = xstrdup(strcmp(key->origin, "EXTERNAL") == 0 ? "PendingImport" : "Enabled");
    key->multi_region = arg_flag(call->in, "MultiRegion", false);
    key->created = now(call);
    json_t *tags = plain_tags(call);
    iam_set_tags(&key->obj, tags);
    json_decref(tags);
    json_object_set_new(call->out, "KeyMetadata", metadata(call, key));
}

static bool
create_key(struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *given = arg_str(call->in, "Policy"), *origin = arg_str(call->in, "Origin");
    const struct key_spec *spec = spec_arg(call, err);
    char id[ID_SIZE];
    if (!spec) {
        return false;
    }
    if (origin && strcmp(origin, "AWS_KMS") != 0 && strcmp(origin, "EXTERNAL") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperationException", "the lab has no custom key stores for `%s`",
                       origin);
    }
    new_key_id(call, arg_flag(call->in, "MultiRegion", false), id);
    char *arn = xasprintf("arn:aws:kms:%s:%s:key/%s", cloud->region, cloud->account, id);
    char *policy = given ? xstrdup(given) : xasprintf(default_policy, cloud->account);
    json_t *tags = plain_tags(call);
    bool ok = check_tags(tags, err) && check_key_policy(call, policy, arn, err);
    json_decref(tags);
    if (!ok) {
        free(arn);
        free(policy);
        return false;
    }
    add_key(call, spec, id, arn, policy);
    return true;
}

static bool
describe_key(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_ALIAS | KMS_CROSS | KMS_PENDING | KMS_DISABLED, err);
    if (key) {
        json_object_set_new(call->out, "KeyMetadata", metadata(call, key));
    }
    return key != NULL;
}

static bool
is_here(const struct op_call *call, const struct object *object)
{
    return strcmp(object->account, call->cloud->account) == 0 && strcmp(object->region, call->cloud->region) == 0;
}

static bool
list_keys(struct op_call *call, struct err *err)
{
    json_t *list = json_array();
    for (const struct kms_key *k = store_first(store_of(call), &kms_key_kind); k; k = store_next(store_of(call), k)) {
        if (is_here(call, &k->obj) && (!k->deletion || k->deletion > now(call))) {
            json_array_append_new(list, json_pack("{s:s, s:s}", "KeyId", k->obj.id, "KeyArn", k->arn));
        }
    }
    return answer_page(call, "Keys", list, err);
}

static bool
update_description(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    if (key) {
        free(key->description);
        key->description = xstrdup(arg_str(call->in, "Description"));
    }
    return key != NULL;
}

/* ---- the policy ---- */

static bool
check_policy_name(const struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "PolicyName");
    if (name && strcmp(name, POLICY_NAME) != 0) {
        err_set(err, ERR_INPUT, "NotFoundException", "a key has no policy `%.80s`", name);
        return err_hint(err, "its one policy is named `%s`", POLICY_NAME);
    }
    return true;
}

static bool
put_policy(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    const char *text = arg_str(call->in, "Policy");
    if (!key || !check_policy_name(call, err) || !check_key_policy(call, text, key->arn, err)) {
        return false;
    }
    free(key->policy);
    key->policy = xstrdup(text);
    return true;
}

static bool
get_policy(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_DISABLED | KMS_PENDING, err);
    if (!key || !check_policy_name(call, err)) {
        return false;
    }
    json_object_set_new(call->out, "Policy", json_string(key->policy));
    json_object_set_new(call->out, "PolicyName", json_string(POLICY_NAME));
    return true;
}

static bool
list_policies(struct op_call *call, struct err *err)
{
    return kms_op_key(call, KMS_DISABLED | KMS_PENDING, err) &&
           answer_page(call, "PolicyNames", json_pack("[s]", POLICY_NAME), err);
}

/* ---- state ---- */

static void
set_state(struct kms_key *key, const char *state)
{
    free(key->state);
    key->state = xstrdup(state);
}

static bool
enable_key(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    if (key) {
        set_state(key, "Enabled");
    }
    return key != NULL;
}

static bool
disable_key(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    if (key) {
        set_state(key, "Disabled");
    }
    return key != NULL;
}

static bool
schedule_deletion(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    long long days = arg_int(call->in, "PendingWindowInDays", 30);
    if (!key) {
        return false;
    }
    if (days < 7 || days > 30) {
        err_set(err, ERR_INPUT, "ValidationException", "a key waits 7 to 30 days to be deleted, not %lld", days);
        return err_at(err, "PendingWindowInDays", 0, 0);
    }
    set_state(key, "PendingDeletion");
    key->deletion = now(call) + days * DAY_MS;
    json_t *shown = object_describe(store_of(call), key);
    json_object_set_new(call->out, "KeyId", json_string(key->arn));
    json_object_set(call->out, "DeletionDate", json_object_get(shown, "DeletionDate"));
    json_object_set_new(call->out, "KeyState", json_string(key->state));
    json_object_set_new(call->out, "PendingWindowInDays", json_integer(days));
    json_decref(shown);
    return true;
}

/* The key comes back disabled. */
static bool
cancel_deletion(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED | KMS_PENDING, err);
    if (!key) {
        return false;
    }
    if (!key->deletion) {
        return err_set(err, ERR_INPUT, "KMSInvalidStateException", "`%s` is not pending deletion", key->arn);
    }
    set_state(key, "Disabled");
    key->deletion = 0;
    json_object_set_new(call->out, "KeyId", json_string(key->arn));
    return true;
}

/* ---- aliases ---- */

/* That alias/aws/ is AWS's own is for the authorization to say: no policy changes it. */
static bool
check_alias_name(const char *name, struct err *err)
{
    if (strncmp(name, "alias/", 6) != 0 || !name[6]) {
        err_set(err, ERR_INPUT, "ValidationException", "`%.100s` is not an alias", name);
        err_hint(err, "an alias begins with alias/, as in alias/app");
        return err_at(err, "AliasName", 0, 0);
    }
    return true;
}

static struct kms_alias *
alias_arg(const struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "AliasName");
    const struct cloud *cloud = call->cloud;
    if (!check_alias_name(name, err)) {
        return NULL;
    }
    struct kms_alias *alias = kms_alias_find(cloud->accounts, cloud->account, cloud->region, name);
    if (!alias) {
        err_set(err, ERR_INPUT, "NotFoundException", "there is no alias `%.160s` in %s", name, cloud->region);
        err_at(err, "AliasName", 0, 0);
    }
    return alias;
}

static struct kms_key *
target_arg(const struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "TargetKeyId");
    struct kms_key *key =
        strstr(name, "alias/") ? NULL : kms_key_find(cloud->accounts, cloud->account, cloud->region, name, now(call));
    if (!key || !is_here(call, &key->obj)) {
        err_set(err, ERR_INPUT, "NotFoundException", "there is no key `%.160s` in %s", name, cloud->region);
        err_at(err, "TargetKeyId", 0, 0);
        return NULL;
    }
    return check_state(key, KMS_DISABLED, err) ? key : NULL;
}

static bool
create_alias(struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "AliasName");
    const struct kms_key *key = check_alias_name(name, err) ? target_arg(call, err) : NULL;
    char id[ID_SIZE];
    if (!key) {
        return false;
    }
    if (kms_alias_find(cloud->accounts, cloud->account, cloud->region, name)) {
        return err_set(err, ERR_INPUT, "AlreadyExistsException", "there is an alias `%s` already", name);
    }
    id_new(&call->cloud->ids, "alias", id);
    struct kms_alias *alias = store_add(store_of(call), &kms_alias_kind, id);
    snprintf(alias->obj.account, sizeof alias->obj.account, "%s", cloud->account);
    snprintf(alias->obj.region, sizeof alias->obj.region, "%s", cloud->region);
    alias->name = xstrdup(name);
    alias->key_id = xstrdup(key->obj.id);
    alias->created = alias->updated = now(call);
    return true;
}

static bool
update_alias(struct op_call *call, struct err *err)
{
    struct kms_alias *alias = alias_arg(call, err);
    const struct kms_key *key = alias ? target_arg(call, err) : NULL;
    if (key) {
        free(alias->key_id);
        alias->key_id = xstrdup(key->obj.id);
        alias->updated = now(call);
    }
    return key != NULL;
}

static bool
delete_alias(struct op_call *call, struct err *err)
{
    struct kms_alias *alias = alias_arg(call, err);
    if (alias) {
        store_delete(store_of(call), alias);
    }
    return alias != NULL;
}

static bool
list_aliases(struct op_call *call, struct err *err)
{
    const struct kms_key *key = NULL;
    if (arg_str(call->in, "KeyId") && !(key = kms_op_key(call, KMS_DISABLED | KMS_PENDING, err))) {
        return false;
    }
    json_t *list = json_array();
    for (const struct kms_alias *a = store_first(store_of(call), &kms_alias_kind); a;
         a = store_next(store_of(call), a)) {
        if (is_here(call, &a->obj) && (!key || strcmp(a->key_id, key->obj.id) == 0)) {
            json_t *item = object_describe(store_of(call), a);
            char *arn = xasprintf("arn:aws:kms:%s:%s:%s", a->obj.region, a->obj.account, a->name);
            json_object_set_new(item, "AliasArn", json_string(arn));
            free(arn);
            json_array_append_new(list, item);
        }
    }
    return answer_page(call, "Aliases", list, err);
}

/* ---- tags ---- */

static bool
tag_resource(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    json_t *tags = plain_tags(call);
    bool ok = key && check_tags(tags, err);
    if (ok) {
        iam_set_tags(&key->obj, tags);
    }
    json_decref(tags);
    return ok;
}

static bool
untag_resource(struct op_call *call, struct err *err)
{
    struct kms_key *key = kms_op_key(call, KMS_DISABLED, err);
    const json_t *keys = json_object_get(call->in, "TagKeys");
    for (size_t i = 0; key && i < json_array_size(keys); i++) {
        object_unset_tag(&key->obj, json_string_value(json_array_get(keys, i)));
    }
    return key != NULL;
}

static bool
list_tags(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_DISABLED | KMS_PENDING, err);
    if (!key) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < key->obj.tags.n; i++) {
        json_array_append_new(list, json_pack("{s:s, s:s}", "TagKey", key->obj.tags.items[i].key, "TagValue",
                                              key->obj.tags.items[i].value));
    }
    return answer_page(call, "Tags", list, err);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "kms", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "kms", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }

const struct op ops_kms[] = {
    WRITE("CreateKey", create_key, "Create a KMS key with its key policy."),
    READ("DescribeKey", describe_key, "Show a KMS key."),
    READ("ListKeys", list_keys, "List the KMS keys of the account in this region."),
    WRITE("UpdateKeyDescription", update_description, "Change the description of a KMS key."),
    WRITE("PutKeyPolicy", put_policy, "Write the key policy of a KMS key."),
    READ("GetKeyPolicy", get_policy, "Show the key policy of a KMS key."),
    READ("ListKeyPolicies", list_policies, "List the names of a KMS key's policies: `default`."),
    WRITE("EnableKey", enable_key, "Enable a KMS key."),
    WRITE("DisableKey", disable_key, "Disable a KMS key."),
    WRITE("ScheduleKeyDeletion", schedule_deletion, "Delete a KMS key after 7 to 30 days."),
    WRITE("CancelKeyDeletion", cancel_deletion, "Keep a KMS key that waits to be deleted."),
    WRITE("CreateAlias", create_alias, "Give a KMS key an alias."),
    WRITE("UpdateAlias", update_alias, "Let an alias name another KMS key."),
    WRITE("DeleteAlias", delete_alias, "Delete an alias; the KMS key stays."),
    READ("ListAliases", list_aliases, "List aliases and the KMS keys they name."),
    WRITE("TagResource", tag_resource, "Tag a KMS key."),
    WRITE("UntagResource", untag_resource, "Remove tags from a KMS key."),
    READ("ListResourceTags", list_tags, "List the tags of a KMS key."),
    { 0 },
};
