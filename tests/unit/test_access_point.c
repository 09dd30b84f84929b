/* S3 access points and the account's block of public access: the operations, and what they decide. */
#include "tests/test.h"
#include "tests/unit/lab_steps.h"

#define ACCOUNT            "--account-id 123456789012"
#define POINT              "arn:aws:s3:us-east-1:123456789012:accesspoint/desk"
#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define STATEMENT(effect, who, resource, rest)                                                                         \
    "{\"Effect\":\"" effect "\",\"Principal\":" who ",\"Action\":\"s3:GetObject\",\"Resource\":\"" resource "\"" rest  \
    "}"
#define BUCKET_PUT "s3api put-bucket-policy --bucket shop --policy "
#define POINT_PUT  "s3control put-access-point-policy " ACCOUNT " --name desk --policy "
#define OTHER      "{\"AWS\":\"999988887777\"}"
#define ALICE      "{\"AWS\":\"arn:aws:iam::123456789012:user/alice\"}"
#define DELEGATE                                                                                                       \
    STATEMENT("Allow", "\"*\"", "arn:aws:s3:::shop/*",                                                                 \
              ",\"Condition\":{\"StringEquals\":{\"s3:DataAccessPointAccount\":\"123456789012\"}}")
#define READ(who) "simulate " who " s3:GetObject " POINT "/object/k"
#define FOREIGN   READ("arn:aws:iam::999988887777:root")
#define ALLOWED   .path = "Decision", .value = "allowed"
#define DENIED    .path = "Decision", .value = "explicitDeny"
#define SILENT    .path = "Decision", .value = "implicitDeny"
#define NEW(rest)                                                                                                      \
    { "s3api create-bucket --bucket shop" }, { "iam create-user --user-name alice" },                                  \
    {                                                                                                                  \
        "s3control create-access-point " ACCOUNT " --name desk --bucket shop" rest, .path = "AccessPointArn",          \
                                                                                    .value = POINT                     \
    }

TEST(operations)
{
    static const struct lab_step steps[] = {
        NEW(""),
        { "s3control create-access-point " ACCOUNT " --name desk --bucket shop",
          .code = "AccessPointAlreadyOwnedByYou" },
        { "s3control create-access-point " ACCOUNT " --name Desk --bucket shop", .code = "InvalidRequest" },
        { "s3control create-access-point " ACCOUNT " --name desk2 --bucket none-such", .code = "NoSuchBucket" },
        { "s3control get-access-point --account-id 999988887777 --name desk", .code = "AccessDenied" },
        { "s3control get-access-point " ACCOUNT " --name desk", .path = "NetworkOrigin", .value = "Internet" },
        { "s3control get-access-point " ACCOUNT " --name desk",
          .path = "PublicAccessBlockConfiguration.RestrictPublicBuckets", .value = "true" },
        { "s3control get-access-point-policy " ACCOUNT " --name desk", .code = "NoSuchAccessPointPolicy" },
        { POINT_PUT POLICY(STATEMENT("Allow", ALICE, "arn:aws:s3:::shop/*", "")), .code = "MalformedPolicy" },
        { POINT_PUT POLICY(STATEMENT("Allow", "\"*\"", POINT "/object/*", "")), .code = "AccessDenied" },
        { POINT_PUT POLICY(STATEMENT("Allow", ALICE, POINT "/object/*", "")) },
        { "s3control get-access-point-policy-status " ACCOUNT " --name desk", .path = "PolicyStatus.IsPublic",
          .value = "false" },
        { "s3control list-access-points " ACCOUNT " --bucket shop", .path = "AccessPointList.Name", .value = "desk" },
        { "s3api delete-bucket --bucket shop", .code = "BucketHasAccessPointsAttached" },
        { "s3control delete-access-point-policy " ACCOUNT " --name desk" },
        { "s3control get-access-point-policy " ACCOUNT " --name desk", .code = "NoSuchAccessPointPolicy" },
        { "s3control delete-access-point " ACCOUNT " --name desk" },
        { "s3control get-access-point " ACCOUNT " --name desk", .code = "NoSuchAccessPoint" },
        { "s3api delete-bucket --bucket shop" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(point_and_bucket_must_both_grant)
{
    static const struct lab_step steps[] = {
        NEW(""),
        { FOREIGN, SILENT },
        { POINT_PUT POLICY(STATEMENT("Allow", OTHER, POINT "/object/*", "")) },
        { FOREIGN, SILENT }, /* the bucket is silent */
        { BUCKET_PUT POLICY(DELEGATE) },
        { FOREIGN, ALLOWED },
        { "simulate arn:aws:iam::999988887777:root s3:GetObject shop/k", SILENT }, /* not through the access point */
        { "s3control delete-access-point-policy " ACCOUNT " --name desk" },
        { FOREIGN, SILENT }, /* the access point is silent */
        { POINT_PUT POLICY(STATEMENT("Allow", ALICE, POINT "/object/*", "")) },
        { READ("alice"), ALLOWED },
        { "s3api delete-bucket-policy --bucket shop" },
        { READ("alice"), SILENT },
        { "iam put-user-policy --user-name alice --policy-name p --policy-document " POLICY(
            "{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"" POINT "/object/*\"}") },
        { READ("alice"), ALLOWED },
        { BUCKET_PUT POLICY(STATEMENT("Deny", "\"*\"", "arn:aws:s3:::shop/*",
                                      ",\"Condition\":{\"StringEquals\":{\"s3:DataAccessPointArn\":\"" POINT "\"}}")) },
        { READ("alice"), DENIED },
        { "why alice s3:GetObject " POINT "/object/k", .path = "Changes.Policy", .value = "bucket/shop" },
        { "s3api delete-bucket-policy --bucket shop" },
        { POINT_PUT POLICY(STATEMENT("Deny", "\"*\"", POINT "/object/*", "")) },
        { READ("alice"), DENIED },
        { NULL },
    };
    lab_steps(steps);
}

TEST(one_vpc_only)
{
    static const struct lab_step steps[] = {
        NEW(" --vpc-configuration VpcId=vpc-1a2b3c4d"),
        { "s3control get-access-point " ACCOUNT " --name desk", .path = "NetworkOrigin", .value = "VPC" },
        { READ("root"), SILENT },
        { READ("root") " --context aws:SourceVpc=vpc-99999999", SILENT },
        { READ("root") " --context aws:SourceVpc=vpc-1a2b3c4d", ALLOWED },
        { BUCKET_PUT POLICY(STATEMENT("Deny", "\"*\"", "arn:aws:s3:::shop/*",
                                      ",\"Condition\":{\"StringEquals\":{\"s3:AccessPointNetworkOrigin\":\"VPC\"}}")) },
        { READ("root") " --context aws:SourceVpc=vpc-1a2b3c4d", DENIED },
        { NULL },
    };
    lab_steps(steps);
}

TEST(public_access_of_the_account)
{
    static const struct lab_step steps[] = {
        NEW(" --public-access-block-configuration BlockPublicPolicy=false"),
        { "s3api delete-public-access-block --bucket shop" },
        { BUCKET_PUT POLICY(STATEMENT("Allow", "\"*\"", "arn:aws:s3:::shop/*", "")) },
        { POINT_PUT POLICY(STATEMENT("Allow", "\"*\"", POINT "/object/*", "")) },
        { READ("*anonymous*"), ALLOWED },
        { "s3control get-public-access-block " ACCOUNT, .code = "NoSuchPublicAccessBlockConfiguration" },
        { "s3control put-public-access-block " ACCOUNT
          " --public-access-block-configuration RestrictPublicBuckets=true,BlockPublicPolicy=true" },
        { READ("*anonymous*"), DENIED },
        { "simulate *anonymous* s3:GetObject shop/k", DENIED },
        { "simulate root s3:GetObject shop/k", ALLOWED },
        { BUCKET_PUT POLICY(STATEMENT("Allow", "\"*\"", "arn:aws:s3:::shop/*", "")), .code = "AccessDenied" },
        { POINT_PUT POLICY(STATEMENT("Allow", "\"*\"", POINT "/object/*", "")), .code = "AccessDenied" },
        { "s3control delete-public-access-block " ACCOUNT },
        { READ("*anonymous*"), ALLOWED },
        { NULL },
    };
    lab_steps(steps);
}

TEST_MAIN
