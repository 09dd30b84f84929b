/* Who may do what: action x policy -> code and message, as an operation of the lab answers it. */
#include "base/buf.h"
#include "cloud/authorize.h"
#include "cloud/permission.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

static void
must(struct cloud *cloud, const char *line)
{
    struct err err = { 0 };
    json_t *out = lab_run(cloud, line, &err);
    CHECK(out != NULL, "%s: %s %s", line, err.code, err.text);
    json_decref(out);
}

/* A lab with the user alice, who has one policy. */
static struct cloud *
lab_of_alice(const char *statements)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    char *line = NULL;
    must(cloud, "iam create-user --user-name alice --tags Key=team,Value=red");
    if (asprintf(&line,
                 "iam put-user-policy --user-name alice --policy-name p --policy-document "
                 "'{\"Version\":\"2012-10-17\",\"Statement\":[%s]}'",
                 statements) < 0) {
        abort();
    }
    must(cloud, line);
    free(line);
    return cloud;
}

/* What alice gets: the code, "" when it was done. */
static const char *
as_alice(struct cloud *cloud, const char *line, struct err *err)
{
    *err = (struct err){ 0 };
    CHECK(cloud_act_as(cloud, "alice", err), "%s", err->text);
    json_t *out = lab_run(cloud, line, err);
    json_decref(out);
    struct err ignored = { 0 };
    cloud_act_as(cloud, NULL, &ignored);
    return err->code;
}

TEST(policies_decide_operations)
{
#define ALLOW(action, rest) "{\"Effect\":\"Allow\",\"Action\":" action ",\"Resource\":\"*\"" rest "}"
#define VPC_TAGGED                                                                                                     \
    "ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications ResourceType=vpc,Tags=[{Key=env,Value=prod}]"
    static const struct {
        const char *policy, *line, *code, *message;
    } cases[] = {
        { ALLOW("\"ec2:Describe*\"", ""), "ec2 describe-vpcs", "", "" },
        { ALLOW("\"s3:*\"", ""), "ec2 describe-vpcs", "UnauthorizedOperation",
          "You are not authorized to perform this operation. User: arn:aws:iam::123456789012:user/alice is not "
          "authorized to perform: ec2:DescribeVpcs because no identity-based policy allows the ec2:DescribeVpcs "
          "action. Encoded authorization failure message: " },
        { ALLOW("\"s3:*\"", ""), "iam list-users", "AccessDenied",
          "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: iam:ListUsers because no "
          "identity-based policy allows the iam:ListUsers action" },
        { ALLOW("\"*\"", "") ",{\"Effect\":\"Deny\",\"Action\":\"ec2:CreateVpc\",\"Resource\":\"*\"}",
          "ec2 create-vpc --cidr-block 10.0.0.0/16", "UnauthorizedOperation",
          "with an explicit deny in an identity-based policy" },
        /* tags at creation are a permission of their own */
        { ALLOW("\"ec2:CreateVpc\"", ""), VPC_TAGGED, "UnauthorizedOperation",
          "ec2:CreateTags on resource: arn:aws:ec2:us-east-1:123456789012:vpc/*" },
        { ALLOW("\"ec2:CreateVpc\"", "") "," ALLOW(
              "\"ec2:CreateTags\"", ",\"Condition\":{\"StringEquals\":{\"ec2:CreateAction\":\"CreateVpc\"}}"),
          VPC_TAGGED, "", "" },
        { ALLOW("\"ec2:CreateVpc\"", "") "," ALLOW(
              "\"ec2:CreateTags\"", ",\"Condition\":{\"StringEquals\":{\"ec2:CreateAction\":\"RunInstances\"}}"),
          VPC_TAGGED, "UnauthorizedOperation", "ec2:CreateTags" },
        { ALLOW("[\"ec2:CreateVpc\",\"ec2:CreateTags\"]",
                ",\"Condition\":{\"StringEquals\":{\"aws:RequestTag/env\":\"prod\"}}"),
          VPC_TAGGED, "", "" },
        { ALLOW("[\"ec2:CreateVpc\",\"ec2:CreateTags\"]",
                ",\"Condition\":{\"ForAllValues:StringEquals\":{\"aws:TagKeys\":[\"team\"]}}"),
          VPC_TAGGED, "UnauthorizedOperation", "ec2:CreateVpc" },
        { ALLOW("[\"ec2:CreateVpc\",\"ec2:CreateTags\"]",
                ",\"Condition\":{\"StringEquals\":{\"aws:RequestTag/env\":\"dev\"}}"),
          VPC_TAGGED, "UnauthorizedOperation", "ec2:CreateVpc" },
        { ALLOW("\"ec2:*\"", ",\"Condition\":{\"StringEquals\":{\"aws:RequestedRegion\":\"eu-west-1\"}}"),
          "ec2 create-vpc --cidr-block 10.0.0.0/16", "UnauthorizedOperation", "ec2:CreateVpc" },
        { ALLOW("\"ec2:*\"", ",\"Condition\":{\"StringEquals\":{\"ec2:Region\":\"us-east-1\"}}"),
          "ec2 create-vpc --cidr-block 10.0.0.0/16", "", "" },
        { ALLOW("\"ec2:*\"", ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalTag/team\":\"red\"}}"),
          "ec2 create-vpc --cidr-block 10.0.0.0/16", "", "" },
        { ALLOW("\"ec2:*\"", ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalTag/team\":\"blue\"}}"),
          "ec2 create-vpc --cidr-block 10.0.0.0/16", "UnauthorizedOperation", "" },
        /* IAM: the entity itself, its path, the policy that is attached */
        { "{\"Effect\":\"Allow\",\"Action\":\"iam:*\",\"Resource\":\"arn:aws:iam::123456789012:user/${aws:username}\"}",
          "iam get-user --user-name alice", "", "" },
        { "{\"Effect\":\"Allow\",\"Action\":\"iam:*\",\"Resource\":\"arn:aws:iam::123456789012:user/${aws:username}\"}",
          "iam create-user --user-name bob --path /ops/", "AccessDenied",
          "iam:CreateUser on resource: arn:aws:iam::123456789012:user/ops/bob" },
        { ALLOW("\"iam:*\"", ",\"Condition\":{\"ArnEquals\":{\"iam:PolicyARN\":"
                             "\"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"}}"),
          "iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", "",
          "" },
        { ALLOW("\"iam:*\"", ",\"Condition\":{\"ArnEquals\":{\"iam:PolicyARN\":"
                             "\"arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess\"}}"),
          "iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/AdministratorAccess",
          "AccessDenied", "iam:AttachUserPolicy on resource: arn:aws:iam::123456789012:user/alice" },
        { ALLOW("\"iam:CreateUser\"", ",\"Condition\":{\"StringEquals\":{\"iam:PermissionsBoundary\":"
                                      "\"arn:aws:iam::aws:policy/PowerUserAccess\"}}"),
          "iam create-user --user-name bob", "AccessDenied", "iam:CreateUser" },
        { ALLOW("\"iam:CreateUser\"", ",\"Condition\":{\"StringEquals\":{\"iam:PermissionsBoundary\":"
                                      "\"arn:aws:iam::aws:policy/PowerUserAccess\"}}"),
          "iam create-user --user-name bob --permissions-boundary arn:aws:iam::aws:policy/PowerUserAccess", "", "" },
        /* S3: bucket and prefix */
        { ALLOW("\"s3:CreateBucket\"", ""), "s3api list-buckets", "AccessDenied", "s3:ListAllMyBuckets because" },
        { ALLOW("\"s3:GetBucketPublicAccessBlock\"", ""), "s3api get-public-access-block --bucket none", "NoSuchBucket",
          "" },
        { "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::mine\"}",
          "s3api create-bucket --bucket mine", "", "" },
        { "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::mine\"}",
          "s3api create-bucket --bucket yours", "AccessDenied", "arn:aws:s3:::yours" },
        /* nobody needs permission to know who they are */
        { "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\"}", "sts get-caller-identity", "", "" },
        /* a dry run is authorized as the real thing */
        { ALLOW("\"ec2:CreateVpc\"", ""), "ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run", "DryRunOperation", "" },
        { ALLOW("\"s3:*\"", ""), "ec2 create-vpc --cidr-block 10.0.0.0/16 --dry-run", "UnauthorizedOperation", "" },
        /* the laboratory's own verbs are no calls of AWS */
        { ALLOW("\"s3:*\"", ""), "simulate alice ec2:CreateVpc", "", "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_of_alice(cases[i].policy);
        struct err err;
        const char *code = as_alice(cloud, cases[i].line, &err);
        CHECK_STR(code, cases[i].code, "%s under %s: %s", cases[i].line, cases[i].policy, err.text);
        CHECK(strstr(err.text, cases[i].message) != NULL, "%s says: %s", cases[i].line, err.text);
        cloud_close(cloud);
    }
}

/* Every row stands for an action that AWS has. */
TEST(every_operation_has_an_action)
{
    struct iam_catalog *catalog = iam_catalog_new();
    for (const struct op *const *op = ops_all(); *op; op++) {
        char *action = (*op)->service ? permission_action(*op, catalog) : NULL;
        CHECK(!action || iam_catalog_action(catalog, action), "%s: `%s` is no action; its row needs an iam_action",
              op_words(*op), action);
        free(action);
    }
    iam_catalog_free(catalog);
}

TEST_MAIN
