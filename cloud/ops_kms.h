/* cloud/ops_kms.h - what the handlers of KMS operations share.   Used by: cloud/ops_kms.c, ops_kms_grants.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/kms_key.h"

enum kms_key_use {
    KMS_OWN = 0,      /* a key of the caller's account, by id or ARN */
    KMS_ALIAS = 1,    /* an alias will do */
    KMS_CROSS = 2,    /* a key of another account too, if its policy lets this account */
    KMS_PENDING = 4,  /* also while it waits to be deleted */
    KMS_DISABLED = 8, /* also while it is disabled */
};
/* The key that 'KeyId' names.  NotFoundException, KMSInvalidStateException, DisabledException, AccessDeniedException. */
struct kms_key *kms_op_key(const struct op_call *call, unsigned use, struct err *err);
/* May the caller's account do this under the key's policy 'text'?  'key' NULL: the key is not made yet. */
bool kms_policy_allows(const struct op_call *call, const char *text, const char *key_arn, const char *owner,
                       const char *action);
