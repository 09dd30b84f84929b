/* iampolicy/account.h - what IAM keeps for the accounts of a lab: users, groups, roles, managed policies, instance
 * profiles, access keys, and the S3 buckets with their policies.
 *
 * Everything is an object in one store (base/store.h), told apart by object.account.  The rows follow the answer of
 * get-account-authorization-details, so the same rows save a lab and import the real thing.  An entity's object.id is
 * its unique id (AIDA..., AROA..., AGPA..., ANPA..., AIPA...), an access key's its key id, a bucket's "bucket-...".
 * Names are unique within account and kind, without distinguishing case, as IAM has it; bucket names across accounts.
 *
 * Policy documents are kept as the text the user wrote, so that an explanation can name line and column of it.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html
 * Uses: base/store.h, aws_policies.h.   Used by: gather.h, cloud/ops_iam*.c, ops_sts.c, ops_s3.c. */
#pragma once
#include "base/clock.h"
#include "base/err.h"
#include "base/id.h"
#include "base/json.h"
#include "base/store.h"

struct iam_inline_policy {
    char *name, *document;
};
struct iam_attached_policy {
    char *name, *arn;
};
typedef VEC(struct iam_inline_policy) iam_inline_policies;
typedef VEC(struct iam_attached_policy) iam_attached_policies;

struct iam_user {
    struct object obj;
    char *name, *path, *arn;
    int64_t created;
    iam_inline_policies inline_policies;
    iam_attached_policies attached;
    VEC(char *) groups; /* names */
    char *boundary;     /* ARN of a managed policy; NULL: none */
};
struct iam_group {
    struct object obj;
    char *name, *path, *arn;
    int64_t created;
    iam_inline_policies inline_policies;
    iam_attached_policies attached;
};
struct iam_role {
    struct object obj;
    char *name, *path, *arn, *description;
    int64_t created;
    char *trust; /* AssumeRolePolicyDocument */
    int32_t max_session_s;
    iam_inline_policies inline_policies;
    iam_attached_policies attached;
    char *boundary;
};
struct iam_policy_version {
    char *version, *document; /* "v1" */
    bool is_default;
    int64_t created;
};
struct iam_managed_policy {
    struct object obj;
    char *name, *path, *arn, *description;
    int64_t created, updated;
    char *default_version;
    int32_t next_version; /* the number the last version got; never reused */
    VEC(struct iam_policy_version) versions;
};
struct iam_instance_profile {
    struct object obj;
    char *name, *path, *arn;
    int64_t created;
    char *role; /* its one role's name; NULL: none */
};
struct iam_access_key {
    struct object obj;
    char *user; /* NULL: the root user's */
    char *secret;
    bool inactive;
    int64_t created;
};
/* Temporary credentials that STS gave out; object.id is their access key id ("ASIA..."), object.tags the session tags. */
struct iam_session {
    struct object obj;
    char *type;    /* "AssumedRole", "FederatedUser", "SessionToken" */
    char *arn;     /* whom the credentials are: arn:aws:sts::...:assumed-role/NAME/SESSION, of a SessionToken the user's own */
    char *user_id; /* "AROA...:SESSION", "123456789012:NAME", "AIDA..." */
    char *issuer;  /* ARN of the role, or of the user (or root) that asked */
    char *secret, *token;
    char *provider, *source_identity; /* ARN or domain of an identity provider; NULL: none */
    VEC(char *) policies;             /* session policies as text; with none at all the session is not narrowed */
    VEC(char *) policy_arns;
    VEC(char *) transitive_keys; /* tags that go on to the next session of a role chain */
    bool mfa;
    int64_t created, expires;
};
struct iam_bucket {
    struct object obj;
    char *name;
    char *policy; /* NULL: none */
    int64_t created;
    bool block_acls, ignore_acls, block_policy, restrict_public; /* PublicAccessBlockConfiguration */
    bool has_access_block;
    char *versioning;   /* "Enabled" "Suspended"; NULL: never enabled */
    char *ownership;    /* "BucketOwnerEnforced"; NULL: no ownership controls */
    json_t *encryption; /* ServerSideEncryptionConfiguration; NULL: S3's default */
};

extern const struct kind iam_user_kind, iam_group_kind, iam_role_kind, iam_managed_policy_kind,
    iam_instance_profile_kind, iam_access_key_kind, iam_session_kind, iam_bucket_kind;

struct iam_accounts {
    struct id_gen *ids;
    const struct clock *clock;
    struct store *store;
    struct store *aws; /* iam_accounts_aws() */
};

/* 'ids' and 'clock' are borrowed and must live as long. */
struct iam_accounts *iam_accounts_new(struct id_gen *ids, const struct clock *clock);
void iam_accounts_free(struct iam_accounts *accounts);

/* All of it as one object for state.json, {"Users": [...], "Roles": [...], ...}, and back into empty accounts.  A
 * member of the wrong type fails with ERR_DOCUMENT and its place below 'where'. */
/* AWS's own managed policies, account "aws"; not saved, and made when somebody first asks: there are almost two thousand. */
struct store *iam_accounts_aws(const struct iam_accounts *accounts);
extern const struct kind *const iam_account_kinds[]; /* in the order they are saved; ends with NULL */
bool iam_accounts_load(struct iam_accounts *accounts, const json_t *saved, const char *where, struct err *err);

/* By name within an account; NULL if there is none.  Case is not distinguished, but for buckets. */
struct iam_user *iam_find_user(const struct iam_accounts *accounts, const char *account, const char *name);
struct iam_group *iam_find_group(const struct iam_accounts *accounts, const char *account, const char *name);
struct iam_role *iam_find_role(const struct iam_accounts *accounts, const char *account, const char *name);
struct iam_instance_profile *iam_find_instance_profile(const struct iam_accounts *accounts, const char *account,
                                                       const char *name);
struct iam_bucket *iam_find_bucket(const struct iam_accounts *accounts, const char *name);
/* By ARN; an AWS managed policy ("arn:aws:iam::aws:policy/...") is found in every account. */
struct iam_managed_policy *iam_find_policy(const struct iam_accounts *accounts, const char *arn);
/* The text of a managed policy's default version, NULL if there is none. */
const char *iam_managed_policy_document(const struct iam_managed_policy *policy);

/* A new zeroed object of 'kind' in 'account', its unique id drawn with 'prefix' ("AIDA"). */
void *iam_add_object(struct iam_accounts *accounts, const struct kind *kind, const char *account, const char *prefix);
