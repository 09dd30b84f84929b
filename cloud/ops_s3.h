/* cloud/ops_s3.h - what the handlers of S3 operations share.   Used by: cloud/ops_s3*.c. */
#pragma once
#include "cloud/ops_iam.h"
#include "iampolicy/access_point.h"
#include "iampolicy/bucket.h"

/* The access point that Bucket names, by ARN or alias; NULL: it names none. */
const struct s3_access_point *s3_op_point(const struct op_call *call);
const struct s3_access_point *s3_point_named(const struct cloud *cloud, const char *name);
/* The bucket that the request names, itself or by an access point where S3 takes one, whoever owns it: authorization
 * has asked its policy.  NoSuchBucket, NoSuchAccessPoint; MethodNotAllowed where no access point will do; AccessDenied
 * when it is not ExpectedBucketOwner's. */
struct iam_bucket *s3_op_bucket(const struct op_call *call, struct err *err);
/* The same, and only this account's: what is set on a bucket is its owner's affair. */
struct iam_bucket *s3_op_own_bucket(const struct op_call *call, struct err *err);
/* Replaces the tags of a bucket or object by [{"Key", "Value"}]. */
void s3_replace_tags(struct object *object, const json_t *tags);
