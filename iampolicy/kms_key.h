/* iampolicy/kms_key.h - KMS keys with their policies, their aliases, and grants on them.
 *
 * A key's policy must speak before anything else counts (chain.h); a grant that covers a request counts as an Allow of
 * that policy that names the caller.  A key whose waiting period is over is as if it were not there.
 *
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html,
 * https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
 * Uses: account.h, request.h.   Used by: gather_key.c, cloud/ops_kms*.c. */
#pragma once
#include "iampolicy/account.h"
#include "iampolicy/request.h"

struct kms_key {
    struct object obj; /* a UUID, or "mrk-" and 32 hex digits */
    char *arn, *description, *policy;
    char *spec, *usage, *origin; /* "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "AWS_KMS" */
    char *state;                 /* "Enabled" "Disabled" "PendingDeletion" "PendingImport" */
    bool multi_region;
    int64_t created, deletion; /* 'deletion' 0: none is scheduled */
};
struct kms_alias {
    struct object obj;
    char *name; /* "alias/app" */
    char *key_id;
    int64_t created, updated;
};
struct kms_grant {
    struct object obj;
    char *grant_id, *token, *key_arn, *name;
    char *grantee, *retiring, *issuing_account;
    VEC(char *) operations; /* "Decrypt" */
    json_t *constraints;    /* {"EncryptionContextSubset": {..}} or {"EncryptionContextEquals": {..}}; NULL: none */
    int64_t created;
};
extern const struct kind kms_key_kind, kms_alias_kind, kms_grant_kind;

/* By key id, key ARN, alias name or alias ARN as a caller in that account and region writes them; NULL if there is no
 * such key, or it has been deleted by 'now_ms'. */
struct kms_key *kms_key_find(const struct iam_accounts *accounts, const char *account, const char *region,
                             const char *name, int64_t now_ms);
struct kms_alias *kms_alias_find(const struct iam_accounts *accounts, const char *account, const char *region,
                                 const char *name);

/* Does the grant allow the request: is it for this caller and operation, and do its constraints hold?  An account as
 * grantee means its root user; its users and roles need a grant that names them. */
bool kms_grant_covers(const struct kms_grant *grant, const struct iam_request *request);
