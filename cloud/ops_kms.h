/* cloud/ops_kms.h - what the handlers of KMS operations share, and their authorization.
 * Used by: cloud/ops_kms.c, ops_kms_grants.c, permission.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/kms_key.h"

enum kms_key_use {
    KMS_OWN = 0,      /* a key of the caller's account, by id or ARN */
    KMS_ALIAS = 1,    /* an alias will do */
    KMS_CROSS = 2,    /* a key of another account too: its policy has been asked */
    KMS_PENDING = 4,  /* also while it waits to be deleted */
    KMS_DISABLED = 8, /* also while it is disabled */
};
/* The key that 'KeyId' names.  NotFoundException, KMSInvalidStateException, DisabledException, AccessDeniedException. */
struct kms_key *kms_op_key(const struct op_call *call, unsigned use, struct err *err);

/* The keys that the operation is about, as authorization asks for them: what KeyId or TargetKeyId names, what the alias
 * stands for, the key of the grant that a token names.  At most four; the number of them. */
size_t kms_op_keys(const struct op_call *call, const struct kms_key *keys[static 4]);
