/* cloud/ops_s3_objects.h - what of S3 objects others need than the handlers of requests.   Used by:
 * ops_s3_objects.c, permission_keys.c, flow_s3.c. */
#pragma once
#include "base/json.h"
#include "cloud/cloud.h"

/* "team=blue&stage=prod", percent-encoded, as [{"Key", "Value"}]; NULL gives an empty list.  The caller owns it. */
json_t *s3_tags_of_query(const char *query);

struct iam_bucket;
/* An object that an AWS service puts into the bucket: a new latest version with S3's own encryption. */
void s3_object_deliver(struct cloud *cloud, const struct iam_bucket *bucket, const char *key, const void *bytes, size_t size);
