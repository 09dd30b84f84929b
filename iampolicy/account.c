#include "iampolicy/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "iampolicy/aws_policies.h"
#include "iampolicy/access_point.h"
#include "iampolicy/bucket.h"
#include "iampolicy/kms_key.h"
#include "iampolicy/organization.h"
#include "iampolicy/provider.h"
#include "iampolicy/share.h"

static const struct field inline_fields[] = {
    FIELD(struct iam_inline_policy, "PolicyName", FIELD_STRING, name, 0),
    FIELD(struct iam_inline_policy, "PolicyDocument", FIELD_STRING, document, 0),
    FIELD_END,
};
static const struct field attached_fields[] = {
    FIELD(struct iam_attached_policy, "PolicyName", FIELD_STRING, name, 0),
    FIELD(struct iam_attached_policy, "PolicyArn", FIELD_STRING, arn, 0),
    FIELD_END,
};
static const struct field version_fields[] = {
    FIELD(struct iam_policy_version, "Document", FIELD_STRING, document, 0),
    FIELD(struct iam_policy_version, "VersionId", FIELD_STRING, version, 0),
    FIELD(struct iam_policy_version, "IsDefaultVersion", FIELD_BOOL, is_default, 0),
    FIELD(struct iam_policy_version, "CreateDate", FIELD_TIME, created, 0),
    FIELD_END,
};
static const struct field user_fields[] = {
    FIELD(struct iam_user, "Path", FIELD_STRING, path, 0),
    FIELD(struct iam_user, "UserName", FIELD_STRING, name, 0),
    FIELD(struct iam_user, "UserId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_user, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_user, "CreateDate", FIELD_TIME, created, 0),
    FIELD_LIST(struct iam_user, "UserPolicyList", inline_policies, inline_fields, FIELD_STATE_ONLY),
    FIELD(struct iam_user, "GroupList", FIELD_STRINGS, groups, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_user, "AttachedManagedPolicies", attached, attached_fields, FIELD_STATE_ONLY),
    FIELD(struct iam_user, "PermissionsBoundary.PermissionsBoundaryArn", FIELD_STRING, boundary, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_user, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};
static const struct field group_fields[] = {
    FIELD(struct iam_group, "Path", FIELD_STRING, path, 0),
    FIELD(struct iam_group, "GroupName", FIELD_STRING, name, 0),
    FIELD(struct iam_group, "GroupId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_group, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_group, "CreateDate", FIELD_TIME, created, 0),
    FIELD_LIST(struct iam_group, "GroupPolicyList", inline_policies, inline_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_group, "AttachedManagedPolicies", attached, attached_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field role_fields[] = {
    FIELD(struct iam_role, "Path", FIELD_STRING, path, 0),
    FIELD(struct iam_role, "RoleName", FIELD_STRING, name, 0),
    FIELD(struct iam_role, "RoleId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_role, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_role, "CreateDate", FIELD_TIME, created, 0),
    FIELD(struct iam_role, "AssumeRolePolicyDocument", FIELD_STRING, trust, FIELD_STATE_ONLY),
    FIELD(struct iam_role, "Description", FIELD_STRING, description, 0),
    FIELD(struct iam_role, "MaxSessionDuration", FIELD_INT, max_session_s, FIELD_OPTIONAL),
    FIELD_LIST(struct iam_role, "RolePolicyList", inline_policies, inline_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_role, "AttachedManagedPolicies", attached, attached_fields, FIELD_STATE_ONLY),
    FIELD(struct iam_role, "PermissionsBoundary.PermissionsBoundaryArn", FIELD_STRING, boundary, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_role, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};
static const struct field managed_policy_fields[] = {
    FIELD(struct iam_managed_policy, "PolicyName", FIELD_STRING, name, 0),
    FIELD(struct iam_managed_policy, "PolicyId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_managed_policy, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_managed_policy, "Path", FIELD_STRING, path, 0),
    FIELD(struct iam_managed_policy, "DefaultVersionId", FIELD_STRING, default_version, 0),
    FIELD(struct iam_managed_policy, "Description", FIELD_STRING, description, 0),
    FIELD(struct iam_managed_policy, "CreateDate", FIELD_TIME, created, 0),
    FIELD(struct iam_managed_policy, "UpdateDate", FIELD_TIME, updated, 0),
    FIELD(struct iam_managed_policy, "NextVersion", FIELD_INT, next_version, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_managed_policy, "PolicyVersionList", versions, version_fields, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_managed_policy, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};
static const struct field instance_profile_fields[] = {
    FIELD(struct iam_instance_profile, "Path", FIELD_STRING, path, 0),
    FIELD(struct iam_instance_profile, "InstanceProfileName", FIELD_STRING, name, 0),
    FIELD(struct iam_instance_profile, "InstanceProfileId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_instance_profile, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_instance_profile, "CreateDate", FIELD_TIME, created, 0),
    FIELD(struct iam_instance_profile, "RoleName", FIELD_STRING, role, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_instance_profile, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};
static const struct field access_key_fields[] = {
    FIELD(struct iam_access_key, "UserName", FIELD_STRING, user, 0),
    FIELD(struct iam_access_key, "AccessKeyId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_access_key, "SecretAccessKey", FIELD_STRING, secret, FIELD_STATE_ONLY),
    FIELD(struct iam_access_key, "Inactive", FIELD_BOOL, inactive, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct iam_access_key, "CreateDate", FIELD_TIME, created, 0),
    FIELD_END,
};
static const struct field session_fields[] = {
    FIELD(struct iam_session, "AccessKeyId", FIELD_ID, obj.id, 0),
    FIELD(struct iam_session, "Type", FIELD_STRING, type, 0),
    FIELD(struct iam_session, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct iam_session, "UserId", FIELD_STRING, user_id, 0),
    FIELD(struct iam_session, "Issuer", FIELD_STRING, issuer, 0),
    FIELD(struct iam_session, "SecretAccessKey", FIELD_STRING, secret, FIELD_STATE_ONLY),
    FIELD(struct iam_session, "SessionToken", FIELD_STRING, token, FIELD_STATE_ONLY),
    FIELD(struct iam_session, "Provider", FIELD_STRING, provider, 0),
    FIELD(struct iam_session, "SourceIdentity", FIELD_STRING, source_identity, 0),
    FIELD(struct iam_session, "Policies", FIELD_STRINGS, policies, FIELD_STATE_ONLY),
    FIELD(struct iam_session, "PolicyArns", FIELD_STRINGS, policy_arns, FIELD_STATE_ONLY),
    FIELD(struct iam_session, "TransitiveTagKeys", FIELD_STRINGS, transitive_keys, FIELD_STATE_ONLY),
    FIELD(struct iam_session, "Mfa", FIELD_BOOL, mfa, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct iam_session, "CreateDate", FIELD_TIME, created, 0),
    FIELD(struct iam_session, "Expiration", FIELD_TIME, expires, 0),
    FIELD_LIST(struct iam_session, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field bucket_fields[] = {
    FIELD(struct iam_bucket, "Name", FIELD_STRING, name, 0),
    FIELD(struct iam_bucket, "BucketId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "CreationDate", FIELD_TIME, created, 0),
    FIELD(struct iam_bucket, "Policy", FIELD_STRING, policy, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "PublicAccessBlock.BlockPublicAcls", FIELD_BOOL, block_acls, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "PublicAccessBlock.IgnorePublicAcls", FIELD_BOOL, ignore_acls, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "PublicAccessBlock.BlockPublicPolicy", FIELD_BOOL, block_policy, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "PublicAccessBlock.RestrictPublicBuckets", FIELD_BOOL, restrict_public, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "HasPublicAccessBlock", FIELD_BOOL, has_access_block, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "Versioning", FIELD_STRING, versioning, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "ObjectOwnership", FIELD_STRING, ownership, FIELD_STATE_ONLY),
    FIELD(struct iam_bucket, "Encryption", FIELD_DOCUMENT, encryption, FIELD_STATE_ONLY),
    FIELD_LIST(struct iam_bucket, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};

#define IAM_KIND(name_, list_, id_, struct_, fields_)                                                                  \
    {                                                                                                                  \
        .name = (name_), .prefix = "", .list = (list_), .id_member = (id_), .not_found = "NoSuchEntity",               \
        .size = sizeof(struct struct_), .fields = (fields_)                                                            \
    }
const struct kind iam_user_kind = IAM_KIND("user", "Users", "UserId", iam_user, user_fields);
const struct kind iam_group_kind = IAM_KIND("group", "Groups", "GroupId", iam_group, group_fields);
const struct kind iam_role_kind = IAM_KIND("role", "Roles", "RoleId", iam_role, role_fields);
const struct kind iam_managed_policy_kind =
    IAM_KIND("policy", "Policies", "PolicyId", iam_managed_policy, managed_policy_fields);
const struct kind iam_instance_profile_kind = IAM_KIND("instance-profile", "InstanceProfiles", "InstanceProfileId",
                                                       iam_instance_profile, instance_profile_fields);
const struct kind iam_access_key_kind =
    IAM_KIND("access-key", "AccessKeys", "AccessKeyId", iam_access_key, access_key_fields);
const struct kind iam_session_kind = IAM_KIND("session", "Sessions", "AccessKeyId", iam_session, session_fields);
const struct kind iam_bucket_kind = {
    .name = "bucket",
    .prefix = "bucket",
    .list = "Buckets",
    .id_member = "BucketId",
    .not_found = "NoSuchBucket",
    .size = sizeof(struct iam_bucket),
    .fields = bucket_fields,
};

const struct kind *const iam_account_kinds[] = {
    &iam_user_kind,
    &iam_group_kind,
    &iam_role_kind,
    &iam_managed_policy_kind,
    &iam_instance_profile_kind,
    &iam_access_key_kind,
    &iam_session_kind,
    &iam_bucket_kind,
    &organization_kind,
    &org_root_kind,
    &org_unit_kind,
    &org_account_kind,
    &org_policy_kind,
    &org_request_kind,
    &kms_key_kind,
    &kms_alias_kind,
    &kms_grant_kind,
    &s3_object_kind,
    &s3_access_point_kind,
    &s3_account_block_kind,
    &iam_oidc_provider_kind,
    &iam_saml_provider_kind,
    &iam_account_alias_kind,
    &iam_task_kind,
    &ram_share_kind,
    &ram_invitation_kind,
    NULL,
};

/* Their ids look like AWS's and are the same in every lab; AWS's dates of creation are of no use to anybody here. */
static struct store *
load_aws_policies(void)
{
    struct store *store = store_new();
    struct id_gen ids;
    id_gen_seed(&ids, 1);
    for (const struct iam_aws_policy *row = iam_aws_policies; row->name; row++) {
        char id[ID_SIZE];
        id_new_iam(&ids, "ANPA", id);
        struct iam_managed_policy *policy = store_add(store, &iam_managed_policy_kind, id);
        strcpy(policy->obj.account, "aws");
        policy->name = xstrdup(row->name);
        policy->path = xstrdup(row->path);
        policy->arn = xasprintf("arn:aws:iam::aws:policy%s%s", row->path, row->name);
        policy->default_version = xstrdup(row->version);
        struct iam_policy_version *version = VEC_ADD(&policy->versions);
        *version = (struct iam_policy_version){ xstrdup(row->version), xstrdup(row->document), true, 0 };
    }
    return store;
}

struct iam_accounts *
iam_accounts_new(struct id_gen *ids, const struct clock *clock)
{
    struct iam_accounts *accounts = xcalloc(1, sizeof *accounts);
    *accounts = (struct iam_accounts){ .ids = ids, .clock = clock, .store = store_new() };
    return accounts;
}

struct store *
iam_accounts_aws(const struct iam_accounts *accounts)
{
    struct iam_accounts *writable = (struct iam_accounts *)accounts;
    if (!writable->aws) {
        writable->aws = load_aws_policies();
    }
    return writable->aws;
}

void
iam_accounts_free(struct iam_accounts *accounts)
{
    if (accounts) {
        store_free(accounts->store);
        store_free(accounts->aws);
        free(accounts);
    }
}

bool
iam_accounts_load(struct iam_accounts *accounts, const json_t *saved, const char *where, struct err *err)
{
    if (!json_is_object(saved)) {
        err_set(err, ERR_DOCUMENT, "", "expected an object with the lists of users, roles and buckets");
        return err_at(err, where, 0, 0);
    }
    for (size_t i = 0; iam_account_kinds[i]; i++) {
        const json_t *list = json_object_get(saved, iam_account_kinds[i]->list);
        char place[160];
        snprintf(place, sizeof place, "%s.%s", where, iam_account_kinds[i]->list);
        if (list && !store_load_kind(accounts->store, iam_account_kinds[i], list, place, NULL, err)) {
            return false;
        }
    }
    return true;
}

/* Every named kind begins alike: the object, then the name. */
struct named {
    struct object obj;
    char *name;
};
_Static_assert(offsetof(struct iam_user, name) == offsetof(struct named, name), "named");
_Static_assert(offsetof(struct iam_group, name) == offsetof(struct named, name), "named");
_Static_assert(offsetof(struct iam_role, name) == offsetof(struct named, name), "named");
_Static_assert(offsetof(struct iam_instance_profile, name) == offsetof(struct named, name), "named");

static void *
find_named(const struct iam_accounts *accounts, const struct kind *kind, const char *account, const char *name)
{
    for (struct named *n = store_first(accounts->store, kind); n && name; n = store_next(accounts->store, n)) {
        if (n->name && strcmp(n->obj.account, account) == 0 && strcasecmp(n->name, name) == 0) {
            return n;
        }
    }
    return NULL;
}

struct iam_user *
iam_find_user(const struct iam_accounts *accounts, const char *account, const char *name)
{
    return find_named(accounts, &iam_user_kind, account, name);
}

struct iam_group *
iam_find_group(const struct iam_accounts *accounts, const char *account, const char *name)
{
    return find_named(accounts, &iam_group_kind, account, name);
}

struct iam_role *
iam_find_role(const struct iam_accounts *accounts, const char *account, const char *name)
{
    return find_named(accounts, &iam_role_kind, account, name);
}

struct iam_instance_profile *
iam_find_instance_profile(const struct iam_accounts *accounts, const char *account, const char *name)
{
    return find_named(accounts, &iam_instance_profile_kind, account, name);
}

struct iam_bucket *
iam_find_bucket(const struct iam_accounts *accounts, const char *name)
{
    struct store *store = accounts->store;
    for (struct iam_bucket *b = store_first(store, &iam_bucket_kind); b && name; b = store_next(store, b)) {
        if (b->name && strcmp(b->name, name) == 0) {
            return b;
        }
    }
    return NULL;
}

struct iam_managed_policy *
iam_find_policy(const struct iam_accounts *accounts, const char *arn)
{
    bool aws = arn && strncmp(arn, "arn:aws:iam::aws:", 17) == 0;
    /* One of AWS's that the lab does not bring may have come with an import. */
    struct store *const stores[] = { aws ? iam_accounts_aws(accounts) : NULL, accounts->store };
    for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
        for (struct iam_managed_policy *p = stores[i] && arn ? store_first(stores[i], &iam_managed_policy_kind) : NULL;
             p; p = store_next(stores[i], p)) {
            if (p->arn && strcmp(p->arn, arn) == 0) {
                return p;
            }
        }
    }
    return NULL;
}

const char *
iam_managed_policy_document(const struct iam_managed_policy *policy)
{
    for (size_t i = 0; i < policy->versions.n; i++) {
        if (policy->versions.items[i].is_default) {
            return policy->versions.items[i].document;
        }
    }
    return NULL;
}

void *
iam_add_object(struct iam_accounts *accounts, const struct kind *kind, const char *account, const char *prefix)
{
    char id[ID_SIZE];
    if (kind == &iam_bucket_kind) {
        id_new(accounts->ids, prefix, id);
    } else {
        id_new_iam(accounts->ids, prefix, id);
        if (kind == &iam_access_key_kind) {
            id[20] = '\0'; /* a key's id is one character shorter than a user's */
        }
    }
    struct object *object = store_add(accounts->store, kind, id);
    snprintf(object->account, sizeof object->account, "%s", account);
    return object;
}
