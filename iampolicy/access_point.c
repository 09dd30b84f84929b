#include "iampolicy/access_point.h"

#include <string.h>

#define BLOCK(type, flags)                                                                                             \
    FIELD(type, "PublicAccessBlock.BlockPublicAcls", FIELD_BOOL, block.acls, flags),                                   \
        FIELD(type, "PublicAccessBlock.IgnorePublicAcls", FIELD_BOOL, block.ignore_acls, flags),                       \
        FIELD(type, "PublicAccessBlock.BlockPublicPolicy", FIELD_BOOL, block.policy, flags),                           \
        FIELD(type, "PublicAccessBlock.RestrictPublicBuckets", FIELD_BOOL, block.restrict_public, flags)

static const struct field access_point_fields[] = {
    FIELD(struct s3_access_point, "LabAccessPointId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct s3_access_point, "Name", FIELD_STRING, name, 0),
    FIELD(struct s3_access_point, "Bucket", FIELD_STRING, bucket, 0),
    FIELD(struct s3_access_point, "AccessPointArn", FIELD_STRING, arn, 0),
    FIELD(struct s3_access_point, "Alias", FIELD_STRING, alias, 0),
    FIELD(struct s3_access_point, "CreationDate", FIELD_TIME, created, 0),
    FIELD(struct s3_access_point, "Policy", FIELD_STRING, policy, FIELD_STATE_ONLY),
    FIELD(struct s3_access_point, "VpcId", FIELD_STRING, vpc, FIELD_STATE_ONLY),
    BLOCK(struct s3_access_point, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field account_block_fields[] = {
    FIELD(struct s3_account_block, "LabAccountBlockId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    BLOCK(struct s3_account_block, FIELD_STATE_ONLY),
    FIELD_END,
};
const struct kind s3_access_point_kind = {
    .name = "access-point",
    .prefix = "s3ap",
    .list = "AccessPoints",
    .id_member = "LabAccessPointId",
    .not_found = "NoSuchAccessPoint",
    .size = sizeof(struct s3_access_point),
    .fields = access_point_fields,
};
const struct kind s3_account_block_kind = {
    .name = "account-block",
    .prefix = "s3block",
    .list = "AccountAccessBlocks",
    .id_member = "LabAccountBlockId",
    .not_found = "NoSuchPublicAccessBlockConfiguration",
    .size = sizeof(struct s3_account_block),
    .fields = account_block_fields,
};

struct s3_access_point *
s3_access_point_find(const struct iam_accounts *accounts, const char *account, const char *region, const char *name)
{
    struct store *store = accounts->store;
    for (struct s3_access_point *p = store_first(store, &s3_access_point_kind); p; p = store_next(store, p)) {
        if (strcmp(p->name, name) == 0 && strcmp(p->obj.account, account) == 0 && strcmp(p->obj.region, region) == 0) {
            return p;
        }
    }
    return NULL;
}

struct s3_access_point *
s3_access_point_of(const struct iam_accounts *accounts, const char *arn, const char **rest)
{
    struct store *store = accounts->store;
    for (struct s3_access_point *p = store_first(store, &s3_access_point_kind); p; p = store_next(store, p)) {
        size_t n = strlen(p->arn);
        if (strncmp(arn, p->arn, n) == 0 && (!arn[n] || arn[n] == '/')) {
            *rest = arn + n;
            return p;
        }
    }
    return NULL;
}

struct s3_account_block *
s3_account_block_find(const struct iam_accounts *accounts, const char *account)
{
    struct store *store = accounts->store;
    for (struct s3_account_block *b = store_first(store, &s3_account_block_kind); b; b = store_next(store, b)) {
        if (strcmp(b->obj.account, account) == 0) {
            return b;
        }
    }
    return NULL;
}
