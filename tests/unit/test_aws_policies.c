/* The policies that AWS manages: each document reads as an identity policy, names actions that exist, is there by its
 * ARN; and those a person asks for first decide for a user they are attached to. */
#include "iampolicy/aws_policies.h"
#include "iampolicy/catalog/catalog.h"
#include "iampolicy/policy.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

/* What one command line answered; NULL, and the test complains, if it failed. */
static json_t *__attribute__((format(printf, 2, 3))) ask(struct cloud *cloud, const char *format, ...)
{
    struct err err = { 0 };
    va_list args;
    char *line = NULL;
    va_start(args, format);
    if (vasprintf(&line, format, args) < 0) {
        abort();
    }
    va_end(args);
    json_t *out = lab_run(cloud, line, &err);
    CHECK(out != NULL, "%s: %s %s", line, err.code, err.text);
    free(line);
    return out;
}

TEST(documents_are_identity_policies)
{
    size_t n = 0;
    for (const struct iam_aws_policy *row = iam_aws_policies; row->name; row++, n++) {
        struct err err = { 0 };
        struct iam_policy *policy =
            iam_policy_parse(row->document, strlen(row->document), IAM_POLICY_IDENTITY, row->name, &err);
        CHECK(policy != NULL, "%s: %s", row->name, err.text);
        for (uint32_t i = 0; policy && i < policy->n_findings; i++) {
            CHECK_STR(policy->findings[i].text, NULL, "%s", row->name);
        }
        iam_policy_free(policy);
        for (const struct iam_aws_policy *other = iam_aws_policies; other != row; other++) {
            CHECK(strcmp(other->name, row->name) != 0, "%s is there twice", row->name);
        }
    }
    CHECK(n >= 200, "%zu policies", n);
}

/* Names in 'actions', and how many of them the catalogue has. */
static void
count_actions(struct iam_catalog *catalog, const json_t *actions, size_t *n_names, size_t *n_known)
{
    size_t n = json_is_array(actions) ? json_array_size(actions) : actions ? 1 : 0;
    for (size_t i = 0; i < n; i++) {
        const char *action = json_string_value(json_is_array(actions) ? json_array_get(actions, i) : actions);
        if (!strchr(action, '*')) {
            *n_names += 1;
            *n_known += iam_catalog_action(catalog, action) != NULL;
        }
    }
}

/* AWS's own lists keep names of services that are gone (iot1click, deepcomposer). */
TEST(documents_name_actions_that_exist)
{
    struct iam_catalog *catalog = iam_catalog_new();
    size_t n_names = 0, n_known = 0;
    for (const struct iam_aws_policy *row = iam_aws_policies; row->name; row++) {
        json_t *document = json_loads(row->document, JSON_REJECT_DUPLICATES, NULL), *statement;
        size_t i;
        CHECK(document != NULL, "%s", row->name);
        json_array_foreach(json_object_get(document, "Statement"), i, statement)
        {
            count_actions(catalog, json_object_get(statement, "Action"), &n_names, &n_known);
            count_actions(catalog, json_object_get(statement, "NotAction"), &n_names, &n_known);
        }
        json_decref(document);
    }
    CHECK(n_names > 3000 && n_known * 100 >= n_names * 99, "%zu of %zu names are in the catalogue", n_known, n_names);
    iam_catalog_free(catalog);
}

TEST(found_by_arn_and_listed)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    json_t *list = ask(cloud, "iam list-policies --scope AWS"), *policies = json_object_get(list, "Policies");
    size_t n = 0;
    for (const struct iam_aws_policy *row = iam_aws_policies; row->name; row++, n++) {
        char arn[160];
        snprintf(arn, sizeof arn, "arn:aws:iam::aws:policy%s%s", row->path, row->name);
        json_t *one = ask(cloud, "iam get-policy --policy-arn %s", arn), *policy = json_object_get(one, "Policy");
        CHECK_STR(json_string_value(json_object_get(policy, "PolicyName")), row->name, "%s", arn);
        CHECK_STR(json_string_value(json_object_get(policy, "DefaultVersionId")), row->version, "%s", arn);
        json_t *text = ask(cloud, "iam get-policy-version --policy-arn %s --version-id %s", arn, row->version);
        json_t *document = json_object_get(json_object_get(text, "PolicyVersion"), "Document");
        json_t *wanted = json_loads(row->document, 0, NULL);
        CHECK(json_equal(document, wanted), "%s", arn);
        size_t i, times = 0;
        json_t *listed;
        json_array_foreach(policies, i, listed)
        {
            times += strcmp(json_string_value(json_object_get(listed, "Arn")), arn) == 0;
        }
        CHECK(times == 1, "%s is listed %zu times", arn, times);
        json_decref(wanted);
        json_decref(text);
        json_decref(one);
    }
    CHECK(json_array_size(policies) == n, "%zu listed", json_array_size(policies));
    json_decref(list);
    cloud_close(cloud);
}

/* path and name -> an action that it allows on a resource, and one that it does not */
static const struct {
    const char *policy, *resource, *allowed, *denied;
} decisions[] = {
    { "AdministratorAccess", "*", "iam:CreateUser", NULL },
    { "PowerUserAccess", "*", "organizations:DescribeEffectivePolicy", "iam:CreateUser" },
    { "AmazonS3FullAccess", "arn:aws:s3:::b/k", "s3:PutObject", "sqs:SendMessage" },
    { "AmazonS3ReadOnlyAccess", "arn:aws:s3:::b/k", "s3:GetObject", "s3:PutObject" },
    { "AmazonEC2FullAccess", "*", "ec2:RunInstances", "iam:CreateServiceLinkedRole" },
    { "AmazonEC2ReadOnlyAccess", "*", "autoscaling:DescribePolicies", "ec2:RunInstances" },
    { "IAMFullAccess", "*", "iam:CreateUser", "organizations:CreateAccount" },
    { "IAMReadOnlyAccess", "*", "iam:GetUser", "iam:CreateUser" },
    { "IAMUserChangePassword", "arn:aws:iam::123456789012:user/alice", "iam:ChangePassword", "iam:DeleteUser" },
    { "AmazonSQSFullAccess", "*", "sqs:SendMessage", "sns:Publish" },
    { "AmazonSQSReadOnlyAccess", "*", "sqs:ListQueues", "sqs:ReceiveMessage" },
    { "AmazonSNSFullAccess", "*", "sns:Publish", "sms-voice:SendTextMessage" },
    { "AmazonSNSReadOnlyAccess", "*", "sns:GetSMSAttributes", "sms-voice:DescribePhoneNumbers" },
    { "service-role/AWSLambdaBasicExecutionRole", "*", "logs:PutLogEvents", "logs:GetLogEvents" },
    { "AmazonSSMManagedInstanceCore", "*", "ssm:GetParameter", "ssm:PutParameter" },
    { "AmazonVPCFullAccess", "*", "ec2:AssociateSecurityGroupVpc", "ec2:RunInstances" },
    { "AmazonVPCReadOnlyAccess", "*", "ec2:DescribeVpcs", "ec2:DescribeInstances" },
    { "CloudWatchReadOnlyAccess", "*", "cloudwatch:GetMetricData", "cloudwatch:PutMetricData" },
    { "CloudWatchLogsFullAccess", "*", "logs:DeleteLogGroup", "cloudwatch:PutMetricData" },
    { "CloudWatchLogsReadOnlyAccess", "*", "logs:FilterLogEvents", "logs:PutLogEvents" },
    { "AmazonDynamoDBReadOnlyAccess", "*", "dynamodb:Query", "cloudwatch:GetInsightRuleReport" },
    { "AmazonRDSReadOnlyAccess", "*", "rds:DescribeDBInstances", "devops-guru:SearchInsights" },
    { "AmazonRoute53ReadOnlyAccess", "*", "route53:GetHostedZone", "route53:ChangeResourceRecordSets" },
    { "AmazonEC2ContainerRegistryReadOnly", "*", "ecr:BatchGetImage", "ecr:PutImage" },
    { "AmazonEC2ContainerRegistryPowerUser", "*", "ecr:PutImage", "ecr:DeleteRepository" },
    { "service-role/AmazonECSTaskExecutionRolePolicy", "*", "ecr:BatchGetImage", "logs:CreateLogGroup" },
    { "service-role/AWSLambdaVPCAccessExecutionRole", "*", "ec2:CreateNetworkInterface", "ec2:DescribeVpcs" },
    { "AWSLambda_ReadOnlyAccess", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/lambda/f", "logs:StartQuery",
      "lambda:InvokeFunction" },
    { "AWSLambda_ReadOnlyAccess", "arn:aws:logs:us-east-1:123456789012:log-group:/aws/ecs/f", "logs:DescribeLogGroups",
      "logs:StartQuery" },
    { "AWSKeyManagementServicePowerUser", "*", "kms:CreateKey", "kms:Decrypt" },
    { "SecretsManagerReadWrite", "arn:aws:lambda:us-east-1:123456789012:function:SecretsManagerRotate",
      "lambda:InvokeFunction", "cloudformation:TagResource" },
    { "SecretsManagerReadWrite", "arn:aws:lambda:us-east-1:123456789012:function:other",
      "secretsmanager:GetSecretValue", "lambda:InvokeFunction" },
    { "AWSCloudTrail_ReadOnlyAccess", "*", "cloudtrail:LookupEvents", "cloudtrail:StopLogging" },
    { "AWSSupportAccess", "*", "support:CreateCase", "ec2:DescribeVpcs" },
    { "IAMAccessAnalyzerReadOnlyAccess", "*", "access-analyzer:ListFindings", "access-analyzer:CreateAnalyzer" },
    { "ReadOnlyAccess", "arn:aws:s3:::b/k", "s3:GetObject", "s3:PutObject" },
    { "ReadOnlyAccess", "*", "ec2:DescribeVpcs", "ec2:CreateVpc" },
    { "SecurityAudit", "arn:aws:s3:::b", "s3:GetBucketPolicy", "s3:ListBucketVersions" },
    { "SecurityAudit", "arn:aws:s3:::b/k", "s3:GetObjectAcl", "s3:GetObject" },
    { "SecurityAudit", "*", "iam:GenerateCredentialReport", "iam:CreateUser" },
    { "job-function/ViewOnlyAccess", "*", "s3:ListAllMyBuckets", "s3:GetObject" },
    { "job-function/Billing", "*", "aws-portal:ViewBilling", "ec2:DescribeInstances" },
    { "job-function/NetworkAdministrator", "*", "ec2:CreateVpc", "ec2:RunInstances" },
    { "job-function/DatabaseAdministrator", "*", "rds:CreateDBInstance", "ec2:CreateVpc" },
    { "job-function/SystemAdministrator", "*", "ec2:RunInstances", "iam:CreateUser" },
    { "job-function/SupportUser", "*", "support:CreateCase", "ec2:RunInstances" },
    { "AmazonDynamoDBFullAccess", "arn:aws:dynamodb:us-east-1:123456789012:table/t", "dynamodb:DeleteTable",
      "s3:GetObject" },
    { "AmazonRDSFullAccess", "*", "rds:CreateDBInstance", "iam:PassRole" },
    { "AWSLambda_FullAccess", "*", "lambda:InvokeFunction", "iam:PassRole" },
    { "AmazonRoute53FullAccess", "*", "route53:ChangeResourceRecordSets", "ec2:CreateVpc" },
    { "AWSOrganizationsReadOnlyAccess", "*", "organizations:ListAccounts", "organizations:CreateAccount" },
    { "aws-service-role/AutoScalingServiceRolePolicy", "*", "ec2:RunInstances", "iam:CreateUser" },
};

static void
check_decision(struct cloud *cloud, const char *policy, const char *action, const char *resource, const char *wanted)
{
    json_t *out = ask(cloud,
                      "iam simulate-principal-policy --policy-source-arn arn:aws:iam::123456789012:user/alice "
                      "--action-names %s --resource-arns %s",
                      action, resource);
    json_t *result = json_array_get(json_object_get(out, "EvaluationResults"), 0);
    CHECK_STR(json_string_value(json_object_get(result, "EvalDecision")), wanted, "%s: %s on %s", policy, action,
              resource);
    json_decref(out);
}

TEST(attached_they_decide)
{
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    json_decref(ask(cloud, "iam create-user --user-name alice"));
    for (size_t i = 0; i < ARRAY_SIZE(decisions); i++) {
        const char *policy = decisions[i].policy;
        json_decref(
            ask(cloud, "iam attach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/%s", policy));
        check_decision(cloud, policy, decisions[i].allowed, decisions[i].resource, "allowed");
        if (decisions[i].denied) {
            check_decision(cloud, policy, decisions[i].denied, decisions[i].resource, "implicitDeny");
        }
        json_decref(
            ask(cloud, "iam detach-user-policy --user-name alice --policy-arn arn:aws:iam::aws:policy/%s", policy));
    }
    cloud_close(cloud);
}

TEST_MAIN
