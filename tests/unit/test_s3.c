/* S3: buckets and objects as far as access to them is decided, and the decisions. */
#include "base/md5.h"
#include "tests/test.h"
#include "tests/unit/lab_steps.h"

#define BUCKET                                                                                                         \
    {                                                                                                                  \
        "s3api create-bucket --bucket shop"                                                                            \
    }
#define PUT(key)           "s3api put-object --bucket shop --key " key
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, who, what, rest)                                                                             \
    "{\"Effect\":\"" effect "\",\"Principal\":" who ",\"Action\":\"" what                                              \
    "\",\"Resource\":\"arn:aws:s3:::shop/*\"" rest "}"
#define ANYBODY    "\"*\""
#define POLICY_PUT "s3api put-bucket-policy --bucket shop --policy "
#define OPEN       "s3api put-public-access-block --bucket shop --public-access-block-configuration "
#define ALLOWED    .path = "Decision", .value = "allowed"
#define DENIED     .path = "Decision", .value = "explicitDeny"
#define SILENT     .path = "Decision", .value = "implicitDeny"

TEST(md5_of_rfc_1321)
{
    static const struct {
        const char *text, *hex;
    } cases[] = {
        { "", "d41d8cd98f00b204e9800998ecf8427e" },
        { "abc", "900150983cd24fb0d6963f7d28e17f72" },
        { "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f" },
        { "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
          "57edf4a22be3c955ac49da2e2107b67a" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char hex[33];
        md5_hex(cases[i].text, strlen(cases[i].text), hex);
        CHECK_STR(hex, cases[i].hex, "%s", cases[i].text);
    }
}

TEST(settings)
{
    static const struct lab_step steps[] = {
        { "s3api create-bucket --bucket shop --acl public-read", .code = "InvalidBucketAclWithObjectOwnership" },
        { "s3api create-bucket --bucket shop --grant-read uri=x", .code = "InvalidBucketAclWithObjectOwnership" },
        { "s3api create-bucket --bucket shop --object-ownership ObjectWriter --acl public-read",
          .code = "NotImplemented" },
        { "s3api create-bucket --bucket shop --object-lock-enabled-for-bucket", .code = "NotImplemented" },
        { "s3api create-bucket --bucket other --acl private" },
        BUCKET,
        { "s3api get-bucket-versioning --bucket shop", .path = "Status", .value = "" },
        { "s3api put-bucket-versioning --bucket shop --versioning-configuration MFADelete=Disabled",
          .code = "IllegalVersioningConfigurationException" },
        { "s3api put-bucket-versioning --bucket shop --versioning-configuration Status=Enabled" },
        { "s3api get-bucket-versioning --bucket shop", .path = "Status", .value = "Enabled" },
        { "s3api get-bucket-ownership-controls --bucket shop", .path = "OwnershipControls.Rules.ObjectOwnership",
          .value = "BucketOwnerEnforced" },
        { "s3api delete-bucket-ownership-controls --bucket shop" },
        { "s3api get-bucket-ownership-controls --bucket shop", .code = "OwnershipControlsNotFoundError" },
        { "s3api get-bucket-encryption --bucket shop",
          .path = "ServerSideEncryptionConfiguration.Rules.ApplyServerSideEncryptionByDefault.SSEAlgorithm",
          .value = "AES256" },
        { "s3api put-bucket-tagging --bucket shop --tagging TagSet=[{Key=a,Value=b}]" },
        { "s3api get-bucket-tagging --bucket shop", .path = "TagSet.Value", .value = "b" },
        { "s3api delete-bucket-tagging --bucket shop" },
        { "s3api get-bucket-tagging --bucket shop", .code = "NoSuchTagSet" },
        { "s3api get-bucket-versioning --bucket none-such", .code = "NoSuchBucket" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(objects)
{
    static const struct lab_step steps[] = {
        BUCKET,
        { PUT("a/1"), .path = "ETag", .value = "\"d41d8cd98f00b204e9800998ecf8427e\"" },
        { PUT("a/2") " --tagging team=blue&note=a%20b --metadata who=me" },
        { PUT("b") },
        { PUT("b") " --if-none-match *", .code = "PreconditionFailed" },
        { PUT("b") " --acl public-read", .code = "NotImplemented" },
        { PUT("b") " --tagging aws:x=y", .code = "InvalidTag" },
        { "s3api head-object --bucket shop --key a/2", .path = "Metadata.who", .value = "me" },
        { "s3api head-object --bucket shop --key a/2", .path = "TagCount", .value = "2" },
        { "s3api head-object --bucket shop --key c", .code = "NoSuchKey" },
        { "s3api get-object-tagging --bucket shop --key a/2", .path = "TagSet.1.Value", .value = "a b" },
        { "s3api put-object-tagging --bucket shop --key a/2 --tagging TagSet=[{Key=team,Value=red}]" },
        { "s3api get-object-tagging --bucket shop --key a/2", .path = "TagSet.Value", .value = "red" },
        { "s3api delete-object-tagging --bucket shop --key a/2" },
        { "s3api get-object-tagging --bucket shop --key a/2", .path = "TagSet.Value", .value = "" },
        { "s3api list-objects-v2 --bucket shop --delimiter /", .path = "CommonPrefixes.Prefix", .value = "a/" },
        { "s3api list-objects-v2 --bucket shop --delimiter /", .path = "Contents.Key", .value = "b" },
        { "s3api list-objects-v2 --bucket shop --prefix a/", .path = "KeyCount", .value = "2" },
        { "s3api list-objects-v2 --bucket shop --max-keys 1", .path = "NextContinuationToken", .keep = "NEXT" },
        { "s3api list-objects-v2 --bucket shop --max-keys 1 --continuation-token {NEXT}", .path = "Contents.Key",
          .value = "a/2" },
        { "s3api list-objects-v2 --bucket shop --continuation-token xyz", .code = "InvalidArgument" },
        { "s3api list-objects --bucket shop --marker a/2", .path = "Contents.Key", .value = "b" },
        { "s3api copy-object --bucket shop --key c --copy-source shop/b", .path = "CopyObjectResult.ETag",
          .value = "\"d41d8cd98f00b204e9800998ecf8427e\"" },
        { "s3api copy-object --bucket shop --key b --copy-source shop/b", .code = "InvalidRequest" },
        { "s3api copy-object --bucket shop --key b --copy-source shop/none", .code = "NoSuchKey" },
        { "s3api delete-bucket --bucket shop", .code = "BucketNotEmpty" },
        { "s3api delete-object --bucket shop --key none" }, /* not there: deleted as well */
        { "s3api delete-objects --bucket shop --delete Objects=[{Key=a/1},{Key=a/2},{Key=b},{Key=c}]",
          .path = "Deleted.3.Key", .value = "c" },
        { "s3api delete-bucket --bucket shop" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(versions)
{
    static const struct lab_step steps[] = {
        BUCKET,
        { PUT("k") },
        { "s3api put-bucket-versioning --bucket shop --versioning-configuration Status=Enabled" },
        { PUT("k"), .path = "VersionId", .keep = "V" },
        { "s3api head-object --bucket shop --key k --version-id null", .path = "VersionId", .value = "null" },
        { "s3api delete-object --bucket shop --key k", .path = "VersionId", .keep = "MARKER" },
        { "s3api head-object --bucket shop --key k", .code = "NoSuchKey" },
        { "s3api head-object --bucket shop --key k --version-id {MARKER}", .code = "MethodNotAllowed" },
        { "s3api head-object --bucket shop --key k --version-id none", .code = "NoSuchVersion" },
        { "s3api list-objects-v2 --bucket shop", .path = "KeyCount", .value = "0" },
        { "s3api list-object-versions --bucket shop", .path = "DeleteMarkers.IsLatest", .value = "true" },
        { "s3api list-object-versions --bucket shop", .path = "Versions.1.VersionId", .value = "null" },
        { "s3api delete-object --bucket shop --key k --version-id {MARKER}", .path = "DeleteMarker", .value = "true" },
        { "s3api head-object --bucket shop --key k", .path = "VersionId", .keep = "LATEST" },
        { "s3api head-object --bucket shop --key k --version-id {LATEST}" },
        { "s3api delete-object --bucket shop --key k --version-id {V}" },
        { "s3api head-object --bucket shop --key k", .path = "VersionId", .value = "null" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(public_access_is_blocked)
{
    static const struct lab_step steps[] = {
        BUCKET,
        { POLICY_PUT POLICY(STATEMENT("Allow", ANYBODY, "s3:GetObject", "")), .code = "AccessDenied" },
        { OPEN "BlockPublicPolicy=false,RestrictPublicBuckets=true" },
        { POLICY_PUT POLICY(STATEMENT("Allow", ANYBODY, "s3:GetObject", "")) },
        { "s3api get-bucket-policy-status --bucket shop", .path = "PolicyStatus.IsPublic", .value = "true" },
        { "simulate *anonymous* s3:GetObject shop/k", DENIED },
        { "simulate arn:aws:iam::999988887777:root s3:GetObject shop/k", DENIED },
        { "simulate root s3:GetObject shop/k", ALLOWED },
        { "simulate cloudfront.amazonaws.com s3:GetObject shop/k", ALLOWED },
        { OPEN "RestrictPublicBuckets=false" },
        { "simulate *anonymous* s3:GetObject shop/k", ALLOWED },
        { POLICY_PUT POLICY(STATEMENT("Allow", "{\"AWS\":\"999988887777\"}", "s3:GetObject", "")) },
        { OPEN "RestrictPublicBuckets=true" },
        { "s3api get-bucket-policy-status --bucket shop", .path = "PolicyStatus.IsPublic", .value = "false" },
        { "simulate arn:aws:iam::999988887777:root s3:GetObject shop/k", ALLOWED }, /* not a public policy */
        { NULL },
    };
    lab_steps(steps);
}

TEST(tags_of_objects_decide)
{
    static const struct lab_step steps[] = {
        BUCKET,
        { "iam create-user --user-name alice" },
        { "iam put-user-policy --user-name alice --policy-name p --policy-document " POLICY(
            "{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\",\"Condition\":{"
            "\"StringEquals\":{\"s3:ExistingObjectTag/team\":\"blue\"}}}") },
        { PUT("x") " --tagging team=blue" },
        { PUT("y") " --tagging team=red" },
        { "simulate alice s3:GetObject shop/x", ALLOWED },
        { "simulate alice s3:GetObject shop/y", SILENT },
        { "simulate alice s3:GetObject shop/none", SILENT },
        { POLICY_PUT POLICY(STATEMENT("Deny", ANYBODY, "s3:PutObject",
                                      ",\"Condition\":{\"Null\":{\"s3:RequestObjectTag/team\":\"true\"}}")) },
        { PUT("z"), .code = "AccessDenied" },
        { PUT("z") " --tagging team=red" },
        { NULL },
    };
    lab_steps(steps);
}

TEST_MAIN
