/* cloud/ops_s3_objects.h - what of S3 objects others need than the handlers of requests.   Used by:
 * ops_s3_objects.c, permission_keys.c, permission_s3.c, flow_s3.c. */
#pragma once
#include "cloud/cloud.h"
#include "cloud/op.h"
#include "iampolicy/bucket.h"
#include "iampolicy/kms_key.h"

/* How a new object is encrypted: as the request says, else as its bucket does. */
struct s3_sealing {
    const char *algorithm;     /* "AES256", "aws:kms", "aws:kms:dsse" */
    const char *name;          /* of the KMS key, as it was given; NULL: none, or AWS's own key for S3 */
    const struct kms_key *key; /* NULL: no KMS key of the lab's, or there is none of that name */
    bool bucket_key;
};
struct s3_sealing s3_sealing_of(const struct op_call *call, const struct iam_bucket *bucket);
/* What CopySource names, NULL if there is nothing of that name. */
const struct s3_object *s3_copied_object(const struct op_call *call);

/* "team=blue&stage=prod", percent-encoded, as [{"Key", "Value"}]; NULL gives an empty list.  The caller owns it. */
json_t *s3_tags_of_query(const char *query);

struct iam_bucket;
/* An object that an AWS service puts into the bucket: a new latest version with S3's own encryption. */
void s3_object_deliver(struct cloud *cloud, const struct iam_bucket *bucket, const char *key, const void *bytes, size_t size);
