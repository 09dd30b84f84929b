/* iampolicy/access_point.h - S3 access points and the block of public access of a whole account.
 *
 * A request through an access point is about the access point's ARN; its policy and that of the bucket beneath both
 * have a say.  An access point with a VPC answers only requests from that VPC.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
 * Uses: account.h.   Used by: gather_bucket.c, cloud/ops_s3control.c. */
#pragma once
#include "iampolicy/account.h"

struct s3_access_block { /* PublicAccessBlockConfiguration */
    bool acls, ignore_acls, policy, restrict_public;
};
struct s3_access_point {
    struct object obj; /* obj.account owns it, obj.region is where it is */
    char *name, *arn, *bucket;
    char *alias;  /* "NAME-...-s3alias": stands where a bucket's name does */
    char *policy; /* NULL: none */
    char *vpc;    /* its network origin; NULL: the internet */
    struct s3_access_block block;
    int64_t created;
};
struct s3_account_block {
    struct object obj;
    struct s3_access_block block;
};
extern const struct kind s3_access_point_kind, s3_account_block_kind;

struct s3_access_point *s3_access_point_find(const struct iam_accounts *accounts, const char *account,
                                             const char *region, const char *name);
/* The access point that an ARN is about, arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME[/object/KEY]; NULL if there is
 * none.  '*rest' is what follows the name, "" or "/object/KEY". */
struct s3_access_point *s3_access_point_of(const struct iam_accounts *accounts, const char *arn, const char **rest);
/* NULL: the account blocks nothing. */
struct s3_account_block *s3_account_block_find(const struct iam_accounts *accounts, const char *account);
