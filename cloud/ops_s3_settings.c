/* cloud/ops_s3_settings.c - what is set on a bucket besides its policy: versioning, object ownership, encryption, tags
 * taken off.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_s3.h"

static bool
put_versioning(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const json_t *wanted = json_object_get(call->in, "VersioningConfiguration");
    const char *status = json_str(wanted, "Status"), *mfa = json_str(wanted, "MFADelete");
    if (!bucket) {
        return false;
    }
    if (!status) {
        err_set(err, ERR_INPUT, "IllegalVersioningConfigurationException", "`VersioningConfiguration` has no `Status`");
        return err_hint(err, "Status=Enabled or Status=Suspended");
    }
    if (mfa && strcmp(mfa, "Enabled") == 0) {
        return err_set(err, ERR_INPUT, "NotImplemented", "MFA delete is not modelled");
    }
    free(bucket->versioning);
    bucket->versioning = xstrdup(status);
    return true;
}

static bool
get_versioning(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket && bucket->versioning) { /* a bucket that never had versioning answers nothing */
        json_object_set_new(call->out, "Status", json_string(bucket->versioning));
    }
    return bucket != NULL;
}

static bool
put_ownership(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const json_t *rules = json_at(call->in, "OwnershipControls.Rules");
    const char *wanted = json_str(json_array_get(rules, 0), "ObjectOwnership");
    if (!bucket) {
        return false;
    }
    if (json_array_size(rules) != 1 || !wanted) {
        err_set(err, ERR_INPUT, "MalformedXML", "ownership controls have exactly one rule");
        return err_hint(err, "--ownership-controls Rules=[{ObjectOwnership=BucketOwnerEnforced}]");
    }
    free(bucket->ownership);
    bucket->ownership = xstrdup(wanted);
    return true;
}

static bool
get_ownership(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket && !bucket->ownership) {
        return err_set(err, ERR_INPUT, "OwnershipControlsNotFoundError", "the bucket `%s` has no ownership controls",
                       bucket->name);
    }
    if (bucket) {
        json_object_set_new(call->out, "OwnershipControls",
                            json_pack("{s:[{s:s}]}", "Rules", "ObjectOwnership", bucket->ownership));
    }
    return bucket != NULL;
}

static bool
delete_ownership(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket) {
        free(bucket->ownership);
        bucket->ownership = NULL;
    }
    return bucket != NULL;
}

/* Every bucket encrypts: with S3's own keys unless it says otherwise (since January 2023). */
static json_t *
default_encryption(void)
{
    return json_pack("{s:[{s:{s:s}, s:b}]}", "Rules", "ApplyServerSideEncryptionByDefault", "SSEAlgorithm", "AES256",
                     "BucketKeyEnabled", 0);
}

static bool
put_encryption(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    json_t *wanted = json_object_get(call->in, "ServerSideEncryptionConfiguration");
    if (bucket) {
        json_decref(bucket->encryption);
        bucket->encryption = json_deep_copy(wanted);
    }
    return bucket != NULL;
}

static bool
get_encryption(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket) {
        json_object_set_new(call->out, "ServerSideEncryptionConfiguration",
                            bucket->encryption ? json_deep_copy(bucket->encryption) : default_encryption());
    }
    return bucket != NULL;
}

static bool
delete_tagging(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket) {
        s3_replace_tags(&bucket->obj, NULL);
    }
    return bucket != NULL;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                           \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                          \
    }

const struct op ops_s3_settings[] = {
    WRITE("DeleteBucketTagging", delete_tagging, "Remove all tags of a bucket."),
    WRITE("PutBucketVersioning", put_versioning, "Keep versions of objects, or stop to."),
    READ("GetBucketVersioning", get_versioning, "Show whether a bucket keeps versions."),
    WRITE("PutBucketOwnershipControls", put_ownership, "Say who owns objects that others put."),
    READ("GetBucketOwnershipControls", get_ownership, "Show who owns objects that others put."),
    WRITE("DeleteBucketOwnershipControls", delete_ownership, "Remove the ownership controls of a bucket."),
    WRITE("PutBucketEncryption", put_encryption, "Set how a bucket encrypts by default."),
    READ("GetBucketEncryption", get_encryption, "Show how a bucket encrypts by default."),
    { 0 },
};
