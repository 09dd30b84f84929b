/* iampolicy/public.h - S3's meaning of public.
 *
 * A bucket policy is public unless every Allow to everybody is held to fixed values, without wildcard or variable, of a
 * key that names the caller or where it comes from. Source:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html Used by:
 * cloud/ops_s3.c, gather_bucket.c. */
#pragma once
#include "iampolicy/policy.h"

/* The first statement that makes the policy public; NULL if it is not. */
const struct iam_statement *iam_policy_public_statement(const struct iam_policy *policy);
