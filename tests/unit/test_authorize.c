/* Who may do what: action x policy -> code and message, as an operation of the lab answers it. */
#include "base/buf.h"
#include "cloud/authorize.h"
#include "cloud/keeper_link.h"
#include "cloud/op_types.h"
#include "cloud/permission.h"
#include "netsim/live/keeper.h"
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
          "s3api create-bucket --bucket yours", "AccessDenied",
          "s3:CreateBucket on resource: \"arn:aws:s3:::yours\" because no identity-based policy allows" },
        /* CloudWatch Logs: a group as policies name it */
        { "{\"Effect\":\"Allow\",\"Action\":\"logs:*\",\"Resource\":\"arn:aws:logs:*:*:log-group:flows:*\"}",
          "logs filter-log-events --log-group-name flows", "ResourceNotFoundException", "" },
        { "{\"Effect\":\"Allow\",\"Action\":\"logs:*\",\"Resource\":\"arn:aws:logs:*:*:log-group:flows:*\"}",
          "logs filter-log-events --log-group-name others", "AccessDeniedException",
          "on resource: arn:aws:logs:us-east-1:123456789012:log-group:others:log-stream: because" },
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

/* ---- what an operation asks for ---------------------------------------------------------------------------------- */

/* "action resource" of each permission, ids replaced by the names they were given. */
static char *
asked(struct cloud *cloud, struct iam_catalog *catalog, const char *line, const char *key, json_t **value)
{
    char *copy = strdup(line), *words[64], *state = NULL;
    size_t n = 0, n_words;
    for (char *p = strtok_r(copy, " ", &state); p; p = strtok_r(NULL, " ", &state)) {
        words[n++] = p;
    }
    struct err err = { 0 };
    struct buf out = { 0 };
    const struct op *op = op_find(n, words, &n_words, &err);
    json_t *in = op ? op_read_argv(op, n - n_words, words + n_words, &err) : NULL;
    json_t *args = in ? op_check(op, in, CHECK_CALL, &err) : NULL;
    bool ready = args && op_resolve_names(op, cloud, args, &err);
    CHECK(ready, "%s: %s", line, err.text);
    struct op_call call = { .cloud = cloud, .op = op, .in = args };
    permissions list = { 0 };
    if (ready) {
        permissions_of(&call, catalog, &list);
    }
    for (size_t i = 0; i < list.n; i++) {
        static const char *const names[] = { "main", "sn", "rt", "web" };
        char *resource = list.items[i].resource, *last = strrchr(resource, '/');
        const char *shown = last ? last + 1 : "";
        for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
            char id[ID_SIZE];
            struct err ignored = { 0 };
            bool same = cloud_resolve(cloud, k == 3 ? "sg" : "", names[k], id, &ignored) && strcmp(id, shown) == 0;
            shown = same ? names[k] : shown;
        }
        buf_printf(&out, "%s%s %.*s%s", i ? "\n" : "", list.items[i].action,
                   last ? (int)(last + 1 - resource) : (int)strlen(resource), resource, shown);
        *value = *value ? *value : json_incref(json_object_get(list.items[i].context, key));
    }
    permissions_done(&list);
    json_decref(in);
    json_decref(args);
    free(copy);
    return buf_steal(&out);
}

TEST(operations_ask_for_actions_on_resources)
{
#define EC2 "arn:aws:ec2:us-east-1:123456789012:"
#define IAM "arn:aws:iam::123456789012:"
#define RUN "ec2 run-instances --image-id ami-12345678 --instance-type t3.micro "
    static const struct {
        const char *line, *asked, *key, *value; /* a key of one of them, and its value as JSON */
    } cases[] = {
        { "ec2 describe-vpcs --vpc-ids main", "ec2:DescribeVpcs *", "ec2:Region", "us-east-1" },
        { "ec2 create-subnet --vpc-id main --cidr-block 10.0.2.0/24",
          "ec2:CreateSubnet " EC2 "subnet/*\nec2:CreateSubnet " EC2 "vpc/main", "ec2:ResourceTag/Name", "main" },
        { "ec2 delete-subnet --subnet-id sn", "ec2:DeleteSubnet " EC2 "subnet/sn", "aws:ResourceTag/env", "dev" },
        { "ec2 delete-subnet --subnet-id subnet-12345678", "ec2:DeleteSubnet " EC2 "subnet/subnet-12345678", "", NULL },
        { "ec2 create-tags --resources main sn --tags Key=a,Value=b",
          "ec2:CreateTags " EC2 "subnet/sn\nec2:CreateTags " EC2 "vpc/main", "aws:RequestTag/a", "b" },
        { "ec2 associate-route-table --route-table-id rt --subnet-id sn",
          "ec2:AssociateRouteTable " EC2 "route-table/rt\nec2:AssociateRouteTable " EC2 "subnet/sn", "", NULL },
        { "ec2 create-route --route-table-id rt --destination-cidr-block 0.0.0.0/0 --gateway-id igw-12345678",
          "ec2:CreateRoute " EC2 "route-table/rt", "", NULL },
        { "ec2 authorize-security-group-ingress --group-id web --ip-permissions "
          "IpProtocol=tcp,FromPort=1,ToPort=2,UserIdGroupPairs=[{GroupId=sg-12345678}]",
          "ec2:AuthorizeSecurityGroupIngress " EC2 "security-group/web", "", NULL },
        { RUN "--subnet-id sn --security-group-ids web --key-name k --iam-instance-profile Name=app",
          "ec2:RunInstances arn:aws:ec2:us-east-1::image/ami-12345678\nec2:RunInstances " EC2
          "instance/*\nec2:RunInstances " EC2 "key-pair/k\nec2:RunInstances " EC2
          "network-interface/*\nec2:RunInstances " EC2 "security-group/web\nec2:RunInstances " EC2
          "subnet/sn\nec2:RunInstances " EC2 "volume/*\niam:PassRole " IAM "role/x/app",
          "iam:PassedToService", "ec2.amazonaws.com" },
        { RUN "--subnet-id sn --security-group-ids web",
          "ec2:RunInstances arn:aws:ec2:us-east-1::image/ami-12345678\nec2:RunInstances " EC2
          "instance/*\nec2:RunInstances " EC2 "network-interface/*\nec2:RunInstances " EC2
          "security-group/web\nec2:RunInstances " EC2 "subnet/sn\nec2:RunInstances " EC2 "volume/*",
          "ec2:InstanceType", "t3.micro" },
        { RUN "--tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=x}]",
          "ec2:RunInstances arn:aws:ec2:us-east-1::image/ami-12345678\nec2:RunInstances " EC2
          "instance/*\nec2:RunInstances " EC2 "network-interface/*\nec2:RunInstances " EC2 "security-group/sg-",
          "ec2:AvailabilityZone", "us-east-1a" },
        { "iam create-role --role-name app2 --path /y/ --assume-role-policy-document {} --tags Key=a,Value=b",
          "iam:CreateRole " IAM "role/y/app2\niam:TagRole " IAM "role/y/app2", "aws:RequestTag/a", "b" },
        { "iam get-role --role-name app", "iam:GetRole " IAM "role/x/app", "", NULL },
        { "iam add-role-to-instance-profile --instance-profile-name app --role-name app",
          "iam:AddRoleToInstanceProfile " IAM "instance-profile/app\niam:PassRole " IAM "role/x/app",
          "iam:PassedToService", "ec2.amazonaws.com" },
        { "iam get-policy --policy-arn arn:aws:iam::aws:policy/PowerUserAccess",
          "iam:GetPolicy arn:aws:iam::aws:policy/PowerUserAccess", "", NULL },
        { "sts assume-role --role-arn " IAM "role/x/app --role-session-name s1 --tags Key=t,Value=1 --external-id x1",
          "sts:AssumeRole " IAM "role/x/app\nsts:TagSession " IAM "role/x/app", "sts:ExternalId", "x1" },
        { "s3api put-bucket-policy --bucket b --policy {}", "s3:PutBucketPolicy arn:aws:s3:::b", "", NULL },
        { "organizations attach-policy --policy-id p-FullAWSAccess --target-id 123456789012",
          "organizations:AttachPolicy arn:aws:organizations::123456789012:account/", "", NULL },
    };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    struct iam_catalog *catalog = iam_catalog_new();
    must(cloud, "ec2 create-vpc --cidr-block 10.0.0.0/16 --tag-specifications "
                "ResourceType=vpc,Tags=[{Key=Name,Value=main}]");
    must(cloud, "ec2 create-subnet --vpc-id main --cidr-block 10.0.1.0/24 --tag-specifications "
                "ResourceType=subnet,Tags=[{Key=Name,Value=sn},{Key=env,Value=dev}]");
    must(cloud, "ec2 create-route-table --vpc-id main --tag-specifications "
                "ResourceType=route-table,Tags=[{Key=Name,Value=rt}]");
    must(cloud, "ec2 create-security-group --vpc-id main --group-name web --description web");
    must(cloud, "iam create-role --role-name app --path /x/ --assume-role-policy-document "
                "'{\"Version\":\"2012-10-17\",\"Statement\":[]}'");
    must(cloud, "iam create-instance-profile --instance-profile-name app");
    must(cloud, "iam add-role-to-instance-profile --instance-profile-name app --role-name app");
    must(cloud, "organizations create-organization");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_t *value = NULL;
        char *text = asked(cloud, catalog, cases[i].line, cases[i].key, &value);
        CHECK(strncmp(text, cases[i].asked, strlen(cases[i].asked)) == 0, "%s asks for\n%s\nexpected\n%s",
              cases[i].line, text, cases[i].asked);
        if (cases[i].value) {
            CHECK_STR(value ? json_string_value(value) : "", cases[i].value, "%s: %s", cases[i].line, cases[i].key);
        }
        json_decref(value);
        free(text);
    }
    iam_catalog_free(catalog);
    cloud_close(cloud);
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

/* ---- who else has a say ------------------------------------------------------------------------------------------ */

TEST(every_kind_of_policy_has_a_say)
{
    static const struct {
        const char *setup[6], *who, *line, *code, *message;
    } cases[] = {
        { { "iam create-group --group-name g", "iam add-user-to-group --user-name alice --group-name g",
            "iam put-group-policy --group-name g --policy-name g --policy-document "
            "'{\"Version\":\"2012-10-17\",\"Statement\":[" ALLOW("\"ec2:Describe*\"", "") "]}'" },
          "alice",
          "ec2 describe-vpcs",
          "",
          "" },
        { { "iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/AmazonEC2FullAccess",
            "iam put-user-permissions-boundary --user-name alice --permissions-boundary "
            "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" },
          "alice",
          "ec2 describe-vpcs",
          "UnauthorizedOperation",
          "because no permissions boundary allows the ec2:DescribeVpcs action" },
        { { "organizations create-organization",
            "organizations create-account --email a@example.com --account-name other" },
          "arn:aws:iam::123456789012:root",
          "ec2 describe-vpcs",
          "",
          "" },
        { { "s3api create-bucket --bucket shut",
            "s3api put-bucket-policy --bucket shut --policy '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
            "\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::shut\"}]}'" },
          NULL,
          "s3api get-bucket-tagging --bucket shut",
          "AccessDenied",
          "with an explicit deny in a resource-based policy" },
        { { "s3api create-bucket --bucket shut",
            "s3api put-bucket-policy --bucket shut --policy '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
            "\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::shut\"}]}'" },
          NULL,
          "s3api delete-bucket-policy --bucket shut",
          "",
          "" }, /* the owner can always repair it */
        { { "s3api create-bucket --bucket open",
            "s3api put-bucket-policy --bucket open --policy '{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":"
            "\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:user/"
            "alice\"},\"Action\":\"s3:GetBucketPolicy\","
            "\"Resource\":\"arn:aws:s3:::open\"}]}'" },
          "alice",
          "s3api get-bucket-policy --bucket open",
          "",
          "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_of_alice(ALLOW("\"sqs:*\"", ""));
        struct err err;
        for (size_t k = 0; k < ARRAY_SIZE(cases[i].setup) && cases[i].setup[k]; k++) {
            must(cloud, cases[i].setup[k]);
        }
        CHECK_STR(as(cloud, cases[i].who, cases[i].line, &err), cases[i].code, "%s: %s", cases[i].line, err.text);
        CHECK(strstr(err.text, cases[i].message) != NULL, "%s says: %s", cases[i].line, err.text);
        cloud_close(cloud);
    }
}

/* A member account's root user has what the SCPs leave it; the management account's has everything. */
TEST(service_control_policies_bind_member_accounts)
{
    struct cloud *cloud = lab_of_alice(ALLOW("\"sqs:*\"", ""));
    struct err err = { 0 };
    must(cloud, "organizations create-organization");
    must(cloud, "organizations create-account --email a@example.com --account-name other");
    json_t *out = lab_run(cloud, "organizations list-accounts", &err);
    const json_t *accounts = json_object_get(out, "Accounts");
    char other[16] = "", line[400], policy[64] = "", root[64] = "";
    for (size_t i = 0; i < json_array_size(accounts); i++) {
        const char *id = json_str(json_array_get(accounts, i), "Id");
        snprintf(other, sizeof other, "%s", strcmp(id, "123456789012") != 0 ? id : other);
    }
    json_decref(out);
    CHECK_STR(as(cloud, other, "ec2 create-vpc --cidr-block 10.9.0.0/16", &err), "", "%s", err.text);
    out = lab_run(cloud, "organizations list-roots", &err);
    snprintf(root, sizeof root, "%s", json_str(json_array_get(json_object_get(out, "Roots"), 0), "Id"));
    json_decref(out);
    snprintf(line, sizeof line, "organizations enable-policy-type --root-id %s --policy-type SERVICE_CONTROL_POLICY",
             root);
    as(cloud, NULL, line, &err); /* it may be enabled already */
    out = lab_run(cloud,
                  "organizations create-policy --name n --description d --type SERVICE_CONTROL_POLICY --content "
                  "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Action\":\"ec2:CreateVpc\","
                  "\"Resource\":\"*\"}]}'",
                  &(struct err){ 0 });
    const char *id = json_str(json_at(out, "Policy.PolicySummary"), "Id");
    snprintf(policy, sizeof policy, "%s", id ? id : "");
    json_decref(out);
    snprintf(line, sizeof line, "organizations attach-policy --policy-id %s --target-id %s", policy, root);
    must(cloud, line);
    CHECK_STR(as(cloud, other, "ec2 create-vpc --cidr-block 10.8.0.0/16", &err), "UnauthorizedOperation", "%s",
              err.text);
    CHECK(strstr(err.text, "with an explicit deny in a service control policy") != NULL, "%s", err.text);
    CHECK_STR(as(cloud, NULL, "ec2 create-vpc --cidr-block 10.8.0.0/16", &err), "", "%s", err.text);
    cloud_close(cloud);
}

/* Across accounts both sides must allow. */
TEST(other_accounts_need_both_sides)
{
#define BUCKET_POLICY(principal)                                                                                       \
    "s3api put-bucket-policy --bucket shared --policy "                                                                \
    "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\","                                               \
    "\"Principal\":" principal ",\"Action\":\"s3:GetBucketTagging\",\"Resource\":\"arn:aws:s3:::shared\"}]}'"
#define ROLE_FOR(principal)                                                                                            \
    "iam create-role --role-name app --assume-role-policy-document "                                                   \
    "'{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" principal            \
    "\"},\"Action\":\"sts:AssumeRole\"}]}'"
#define TAGGING "s3api get-bucket-tagging --bucket shared"
    static const struct {
        const char *bobs, *setup, *line, *code;
    } cases[] = {
        { ALLOW("\"s3:*\"", ""), NULL, TAGGING, "AccessDenied" },
        { ALLOW("\"ec2:*\"", ""), BUCKET_POLICY("{\"AWS\":\"222233334444\"}"), TAGGING, "AccessDenied" },
        { ALLOW("\"ec2:*\"", ""), BUCKET_POLICY("{\"AWS\":\"arn:aws:iam::222233334444:user/bob\"}"), TAGGING,
          "AccessDenied" },
        { ALLOW("\"sts:*\"", ""), ROLE_FOR("222233334444"), ASSUME, "" },
        { ALLOW("\"s3:*\"", ""), ROLE_FOR("arn:aws:iam::222233334444:user/bob"), ASSUME, "AccessDenied" },
        { ALLOW("\"sts:*\"", ""), ROLE_FOR("333344445555"), ASSUME, "AccessDenied" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cloud *cloud = lab_of_alice(ALLOW("\"sqs:*\"", ""));
        struct err err;
        char line[600];
        must(cloud, "s3api create-bucket --bucket shared");
        must(cloud, "s3api put-bucket-tagging --bucket shared --tagging TagSet=[{Key=a,Value=b}]");
        if (cases[i].setup) {
            must(cloud, cases[i].setup);
        }
        CHECK_STR(as(cloud, "222233334444", "iam create-user --user-name bob", &err), "", "%s", err.text);
        snprintf(line, sizeof line,
                 "iam put-user-policy --user-name bob --policy-name p --policy-document "
                 "'{\"Version\":\"2012-10-17\",\"Statement\":[%s]}'",
                 cases[i].bobs);
        CHECK_STR(as(cloud, "222233334444", line, &err), "", "%s", err.text);
        CHECK_STR(as(cloud, "222233334444", "ec2 create-vpc --cidr-block 10.0.0.0/16", &err), "", "%s", err.text);
        CHECK_STR(as(cloud, "bob", cases[i].line, &err), cases[i].code, "%s under %s and %s: %s", cases[i].line,
                  cases[i].bobs, cases[i].setup, err.text);
        cloud_close(cloud);
    }
}

TEST(an_account_sees_what_is_its_own)
{
    struct cloud *cloud = lab_of_alice(ALLOW("\"ec2:*\"", ""));
    struct err err = { 0 };
    REQUIRE(cloud_act_as(cloud, "222233334444", &err), "%s", err.text);
    must(cloud, "ec2 create-vpc --cidr-block 10.0.0.0/16");
    json_t *out = lab_run(cloud, "ec2 describe-vpcs", &err);
    CHECK_INT(json_array_size(json_object_get(out, "Vpcs")), 1, "%s", err.text);
    json_decref(out);
    cloud_act_as(cloud, NULL, &err);
    out = lab_run(cloud, "ec2 describe-vpcs", &err);
    CHECK_INT(json_array_size(json_object_get(out, "Vpcs")), 2, "the laboratory's owner sees all accounts");
    char line[100];
    const char *first = json_str(json_array_get(json_object_get(out, "Vpcs"), 0), "VpcId");
    snprintf(line, sizeof line, "ec2 delete-vpc --vpc-id %s", first);
    CHECK_STR(as(cloud, "222233334444", line, &err), "InvalidVpcID.NotFound", "%s", err.text);
    json_decref(out);
    cloud_close(cloud);
}

/* A live lab's keeper is told who asks, and forgets it with the next request. */
TEST(a_keeper_asks_the_callers_policies)
{
    static const struct {
        const char *request, *code;
    } cases[] = {
        { "{\"op\":[\"ec2\",\"DescribeVpcs\"],\"in\":{},\"as\":{\"principal\":\"alice\"}}", "" },
        { "{\"op\":[\"ec2\",\"DescribeSubnets\"],\"in\":{},\"as\":{\"principal\":\"alice\"}}",
          "UnauthorizedOperation" },
        { "{\"op\":[\"ec2\",\"DescribeSubnets\"],\"in\":{},\"as\":{}}", "" },
        { "{\"op\":[\"ec2\",\"DescribeVpcs\"],\"in\":{},\"as\":{\"principal\":\"bob\"}}", "NoSuchEntity" },
    };
    struct cloud *cloud = lab_of_alice(ALLOW("\"ec2:DescribeVpcs\"", ""));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct keeper_message request = { 0 }, reply = { 0 };
        struct err err = { 0 };
        request.json = json_read(cases[i].request, strlen(cases[i].request), "request", &err);
        CHECK(request.json && keeper_link_serve(cloud, &request, &reply), "%s", cases[i].request);
        const char *code = json_str(json_object_get(reply.json, "error"), "code");
        CHECK_STR(code ? code : "", cases[i].code, "%s", cases[i].request);
        json_decref(request.json);
        json_decref(reply.json);
    }
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
