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

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

#define TRUST(condition)                                                                                               \
    "iam create-role --role-name app --tags Key=env,Value=dev --assume-role-policy-document "                          \
    "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"                        \
    "\"arn:aws:iam::123456789012:user/alice\"},\"Action\":\"sts:*\"" condition "}]}'"
#define ROLE_MAY                                                                                                       \
    "iam put-role-policy --role-name app --policy-name p --policy-document "                                           \
    "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ec2:*\",\"Resource\":\"*\"}]}'"
#define ASSUME  "sts assume-role --role-arn arn:aws:iam::123456789012:role/app --role-session-name batch"
#define SESSION "arn:aws:sts::123456789012:assumed-role/app/batch"

TEST(trust_policies_decide_who_takes_a_role)
{
    static const struct {
        const char *condition, *line, *code, *message;
    } cases[] = {
        { "", ASSUME, "", "" },
        { ",\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"x1\"}}", ASSUME, "AccessDenied",
          "User: arn:aws:iam::123456789012:user/alice is not authorized to perform: sts:AssumeRole on resource: "
          "arn:aws:iam::123456789012:role/app because no role trust policy allows the sts:AssumeRole action" },
        { ",\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"x1\"}}", ASSUME " --external-id x2", "AccessDenied",
          "" },
        { ",\"Condition\":{\"StringEquals\":{\"sts:ExternalId\":\"x1\"}}", ASSUME " --external-id x1", "", "" },
        { ",\"Condition\":{\"StringLike\":{\"sts:RoleSessionName\":\"${aws:username}\"}}", ASSUME, "AccessDenied", "" },
        { ",\"Condition\":{\"Bool\":{\"aws:MultiFactorAuthPresent\":\"true\"}}", ASSUME, "AccessDenied", "" },
        { ",\"Condition\":{\"Bool\":{\"aws:MultiFactorAuthPresent\":\"true\"}}",
          ASSUME " --serial-number arn:aws:iam::123456789012:mfa/alice --token-code 123456", "", "" },
        { "", ASSUME " --tags Key=team,Value=red", "", "" },
        { ",\"Condition\":{\"StringEquals\":{\"aws:RequestTag/team\":\"blue\"}}", ASSUME " --tags Key=team,Value=red",
          "AccessDenied", "" },
        { ",\"Condition\":{\"StringEquals\":{\"aws:ResourceTag/env\":\"dev\"}}", ASSUME, "", "" },
        { "", ASSUME " --duration-seconds 7200", "ValidationError", "MaxSessionDuration" },
        { "", ASSUME " --policy {}", "MalformedPolicyDocument", "" },
        { "", ASSUME " --policy-arns arn=arn:aws:iam::aws:policy/None", "NoSuchEntity", "" },
        { "", ASSUME " --tags Key=team,Value=red --transitive-tag-keys env", "InvalidParameterValue", "" },
        { "", "sts assume-role --role-arn arn:aws:iam::123456789012:role/none --role-session-name batch",
          "AccessDenied", "" },
        { "", "sts get-federation-token --name bob", "AccessDenied", "federated-user/bob" },
        { "", "sts get-session-token", "", "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_of_alice(ALLOW("\"s3:*\"", ""));
        char line[1200];
        snprintf(line, sizeof line, TRUST("%s"), cases[i].condition);
        must(cloud, line);
        struct err err;
        const char *code = as_alice(cloud, cases[i].line, &err);
        CHECK_STR(code, cases[i].code, "%s with trust %s: %s", cases[i].line, cases[i].condition, err.text);
        CHECK(strstr(err.text, cases[i].message) != NULL, "%s says: %s", cases[i].line, err.text);
        cloud_close(cloud);
    }
}

static const char *
as(struct cloud *cloud, const char *who, const char *line, struct err *err)
{
    *err = (struct err){ 0 };
    json_t *out = cloud_act_as(cloud, who, err) ? lab_run(cloud, line, err) : NULL;
    json_decref(out);
    struct err ignored = { 0 };
    cloud_act_as(cloud, NULL, &ignored);
    return err->code;
}

TEST(sessions_are_narrowed_and_end)
{
    struct cloud *cloud = lab_of_alice(ALLOW("\"sts:GetFederationToken\"", "") "," ALLOW("\"ec2:Describe*\"", ""));
    struct err err = { 0 };
    must(cloud, TRUST(""));
    must(cloud, ROLE_MAY);
#define NARROW                                                                                                         \
    " --policy '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"ec2:DescribeVpcs\","     \
    "\"Resource\":\"*\"}]}'"
    CHECK_STR(as(cloud, SESSION, "ec2 describe-vpcs", &err), "NoSuchEntity", "%s", err.text);
    CHECK_STR(as(cloud, "alice", ASSUME NARROW, &err), "", "%s", err.text);
    CHECK_STR(as(cloud, SESSION, "ec2 describe-vpcs", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, SESSION, "ec2 describe-subnets", &err), "UnauthorizedOperation", "%s", err.text);
    CHECK(strstr(err.text, "because no session policy allows") != NULL, "%s", err.text);
    /* a role that is named is not narrowed */
    CHECK_STR(as(cloud, "app", "ec2 describe-subnets", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, "app", "sts get-session-token", &err), "AccessDenied", "%s", err.text);
    /* a federated user has what both its policy and the user allow */
    CHECK_STR(as(cloud, "alice", "sts get-federation-token --name bob" NARROW, &err), "", "%s", err.text);
    const char *bob = "arn:aws:sts::123456789012:federated-user/bob";
    CHECK_STR(as(cloud, bob, "ec2 describe-vpcs", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, bob, "ec2 describe-subnets", &err), "UnauthorizedOperation", "%s", err.text);
    CHECK_STR(as(cloud, bob, "iam list-users", &err), "InvalidClientTokenId", "%s", err.text);
    CHECK_STR(as(cloud, bob, "sts get-caller-identity", &err), "", "%s", err.text);
    /* the root user's federated user has what its policy says, and nothing without one */
    CHECK_STR(as(cloud, NULL, "sts get-federation-token --name carol" NARROW, &err), "", "%s", err.text);
    const char *carol = "arn:aws:sts::123456789012:federated-user/carol";
    CHECK_STR(as(cloud, carol, "ec2 describe-vpcs", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, NULL, "sts get-federation-token --name dave", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, "arn:aws:sts::123456789012:federated-user/dave", "ec2 describe-vpcs", &err),
              "UnauthorizedOperation", "%s", err.text);
    CHECK_STR(as(cloud, NULL, ASSUME, &err), "AccessDenied", "%s", err.text);
    clock_advance_ms(&cloud->clock, 3600 * 1000);
    must(cloud, "ec2 describe-vpcs");
    CHECK_STR(as(cloud, SESSION, "ec2 describe-vpcs", &err), "ExpiredToken", "%s", err.text);
    CHECK_STR(as(cloud, "app", "ec2 describe-vpcs", &err), "", "%s", err.text);
    cloud_close(cloud);
}

/* ---- access keys ------------------------------------------------------------------------------------------------- */

TEST(access_keys_come_and_go)
{
    struct cloud *cloud = lab_of_alice(ALLOW("\"ec2:Describe*\"", ""));
    struct err err = { 0 };
    char line[160], key[32];
    json_t *out = lab_run(cloud, "iam create-access-key --user-name alice", &err);
    REQUIRE(out != NULL, "%s", err.text);
    snprintf(key, sizeof key, "%s", json_str(json_object_get(out, "AccessKey"), "AccessKeyId"));
    json_decref(out);
    CHECK(strlen(key) == 20 && strncmp(key, "AKIA", 4) == 0, "%s", key);
    CHECK_STR(as(cloud, key, "ec2 describe-vpcs", &err), "", "%s", err.text);
    CHECK_STR(as(cloud, key, "ec2 create-default-vpc", &err), "UnauthorizedOperation", "%s", err.text);
    snprintf(line, sizeof line, "iam get-access-key-last-used --access-key-id %s", key);
    out = lab_run(cloud, line, &err);
    CHECK_STR(json_str(json_object_get(out, "AccessKeyLastUsed"), "ServiceName"), "ec2", "%s", err.text);
    json_decref(out);
    must(cloud, "iam create-access-key --user-name alice");
    CHECK_STR(as(cloud, NULL, "iam create-access-key --user-name alice", &err), "LimitExceeded", "%s", err.text);
    snprintf(line, sizeof line, "iam update-access-key --user-name alice --access-key-id %s --status Inactive", key);
    must(cloud, line);
    CHECK_STR(as(cloud, key, "ec2 describe-vpcs", &err), "InvalidClientTokenId", "%s", err.text);
    snprintf(line, sizeof line, "iam delete-access-key --user-name alice --access-key-id %s", key);
    must(cloud, line);
    CHECK_STR(as(cloud, NULL, line, &err), "NoSuchEntity", "%s", err.text);
    cloud_close(cloud);
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
