/* iampolicy/bucket.h - objects of S3 buckets, as far as access to them is decided.
 *
 * What is kept of an object is its key, size, ETag, times, tags, user metadata and versions: not its contents.  Every
 * version is one s3_object; delete markers are versions too.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
 * Uses: account.h.   Used by: gather_bucket.c, cloud/ops_s3*.c. */
#pragma once
#include "iampolicy/account.h"

struct s3_object {
    struct object obj; /* obj.account owns the bucket, hence the object (BucketOwnerEnforced) */
    char *bucket, *key;
    char *version; /* "null" when it was put while the bucket had no versioning */
    char *etag;    /* with its quotes */
    char *content_type, *storage_class, *sse;
    char *kms_key; /* ARN; NULL: S3's own key */
    json_t *metadata; /* {"name": "value"}; NULL: none */
    int64_t size, modified;
    bool latest, delete_marker;
    bool bucket_key; /* its data key comes of one for the bucket: the encryption context is the bucket's ARN */
};
extern const struct kind s3_object_kind;

/* The version of that id, NULL the latest.  A latest delete marker is returned as well: look at it. */
struct s3_object *s3_object_find(const struct iam_accounts *accounts, const char *bucket, const char *key,
                                 const char *version);
