/* --like-aws: each deviation of AWS's policy simulator, without and with the option. */
#include "tests/test.h"
#include "tests/unit/lab_steps.h"

#define DOC(statement)   "{\"Version\":\"2012-10-17\",\"Statement\":[" statement "]}"
#define ALLOW(action)    DOC("{\"Effect\":\"Allow\",\"Action\":\"" action "\",\"Resource\":\"*\"}")
#define TRUST(statement) "--assume-role-policy-document " DOC(statement)
#define LAMBDA                                                                                                         \
    TRUST("{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"lambda.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}")
#define USER(name, action)                                                                                             \
    { "iam create-user --user-name " name },                                                                           \
    {                                                                                                                  \
        "iam put-user-policy --user-name " name " --policy-name p --policy-document " ALLOW(action)                    \
    }
#define ROLE(name, action)                                                                                             \
    { "iam create-role --role-name " name " " LAMBDA },                                                                \
    {                                                                                                                  \
        "iam put-role-policy --role-name " name " --policy-name p --policy-document " ALLOW(action)                    \
    }
#define CUSTOM(list)      "iam simulate-custom-policy --action-names s3:GetObject --policy-input-list [" list "]"
#define DECIDES(decision) .path = "EvaluationResults.EvalDecision", .value = decision
#define VERB(decision)    .path = "Decision", .value = decision
#define REMARK(code)      .path = "Remarks.Code", .value = code
/* One row of a deviation: the exact answer, the simulator's, and the remark. */
#define BOTH(line, exact, like, code)                                                                                  \
    { line, .path = "EvaluationResults.EvalDecision", .value = exact }, { line, REMARK("") },                          \
        { line " --like-aws", .path = "EvaluationResults.EvalDecision", .value = like },                               \
    {                                                                                                                  \
        line " --like-aws", REMARK(code)                                                                               \
    }
#define BOTH_VERB(line, exact, like, code)                                                                             \
    { line, VERB(exact) }, { line, REMARK("") }, { line " --like-aws", VERB(like) },                                   \
    {                                                                                                                  \
        line " --like-aws", REMARK(code)                                                                               \
    }
#define BUCKET_DENY                                                                                                    \
    DOC("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::shop/*\"}")
#define PRINCIPAL(arn)                                                                                                 \
    "iam simulate-principal-policy --action-names s3:GetObject --resource-arns arn:aws:s3:::shop/k "                   \
    "--policy-source-arn arn:aws:iam::123456789012:" arn
#define EMPTY                                                                                                          \
    "'[\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":{\\\"Effect\\\":\\\"Allow\\\",\\\"Action\\\":"          \
    "\\\"s3:*\\\",\\\"Resource\\\":\\\"*\\\",\\\"Condition\\\":{\\\"StringEquals\\\":{\\\"s3:prefix\\\":\\\"\\\"}}}}"  \
    "\"]'"

TEST(resource_policies_are_for_users)
{
    static const struct lab_step steps[] = {
        USER("alice", "s3:*"),
        ROLE("app", "s3:*"),
        { "s3api create-bucket --bucket shop" },
        { "s3api put-bucket-policy --bucket shop --policy " BUCKET_DENY },
        BOTH_VERB("simulate app s3:GetObject shop/k", "explicitDeny", "allowed", "LIKE_AWS_RESOURCE_POLICY"),
        BOTH_VERB("simulate alice s3:GetObject shop/k", "explicitDeny", "explicitDeny", ""),
        BOTH(PRINCIPAL("role/app") " --resource-policy " BUCKET_DENY, "explicitDeny", "allowed",
             "LIKE_AWS_RESOURCE_POLICY"),
        BOTH(PRINCIPAL("user/alice") " --resource-policy " BUCKET_DENY, "explicitDeny", "explicitDeny", ""),
        { PRINCIPAL("role/app") " --caller-arn arn:aws:iam::123456789012:role/app", DECIDES("allowed") },
        { PRINCIPAL("role/app") " --caller-arn arn:aws:iam::123456789012:role/app --like-aws", .code = "InvalidInput" },
        { PRINCIPAL("role/app") " --caller-arn arn:aws:iam::123456789012:user/alice --like-aws", DECIDES("allowed") },
        { NULL },
    };
    lab_steps(steps);
}

TEST(trust_policies_are_not_asked)
{
    static const struct lab_step steps[] = {
        USER("alice", "sts:*"),
        ROLE("app", "s3:*"),
        BOTH_VERB("simulate alice sts:AssumeRole app", "implicitDeny", "allowed", "LIKE_AWS_ASSUME"),
        { NULL },
    };
    lab_steps(steps);
}

TEST(roles_have_one_account)
{
    static const struct lab_step steps[] = {
        USER("alice", "s3:*"),
        ROLE("app", "s3:*"),
        BOTH(PRINCIPAL("role/app") " --resource-owner 999988887777", "implicitDeny", "allowed",
             "LIKE_AWS_CROSS_ACCOUNT"),
        BOTH(PRINCIPAL("user/alice") " --resource-owner 999988887777", "implicitDeny", "implicitDeny", ""),
        { NULL },
    };
    lab_steps(steps);
}

TEST(empty_values_are_not_given)
{
    static const struct lab_step steps[] = {
        BOTH("iam simulate-custom-policy --action-names s3:ListBucket --policy-input-list " EMPTY
             " --context-entries [{\"ContextKeyName\":\"s3:prefix\",\"ContextKeyValues\":[\"\"],\"ContextKeyType\":"
             "\"string\"}]",
             "allowed", "implicitDeny", "LIKE_AWS_EMPTY_VALUE"),
        { NULL },
    };
    lab_steps(steps);
}

#define ORGANIZATION                                                                                                   \
    { "organizations create-organization" }, { "organizations list-roots", .path = "Roots.Id", .keep = "ROOT" },       \
    {                                                                                                                  \
        "organizations create-account --email dev@example.com --account-name dev",                                     \
            .path = "CreateAccountStatus.AccountId", .keep = "DEV"                                                     \
    }
#define CREATE(type) "organizations create-policy --description d --name p --type " type " --content "
#define CONDITION    ",\"Condition\":{\"StringEquals\":{\"aws:PrincipalAccount\":\"{DEV}\"}}"
#define ASK          "simulate arn:aws:iam::{DEV}:role/OrganizationAccountAccessRole ec2:CreateVpc"

TEST(control_policies_with_conditions_are_left_out)
{
    static const struct lab_step steps[] = {
        ORGANIZATION,
        { CREATE("SERVICE_CONTROL_POLICY")
              DOC("{\"Effect\":\"Deny\",\"Action\":\"ec2:*\",\"Resource\":\"*\"" CONDITION "}"),
          .path = "Policy.PolicySummary.Id", .keep = "P" },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type SERVICE_CONTROL_POLICY",
          .code = "PolicyTypeAlreadyEnabledException" },
        { "organizations attach-policy --policy-id {P} --target-id {DEV}" },
        BOTH_VERB(ASK, "explicitDeny", "allowed", "LIKE_AWS_SCP_CONDITION"),
        { NULL },
    };
    lab_steps(steps);
}

TEST(resource_control_policies_are_not_asked)
{
    static const struct lab_step steps[] = {
        ORGANIZATION,
        { CREATE("RESOURCE_CONTROL_POLICY")
              DOC("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\",\"Resource\":\"*\"}"),
          .path = "Policy.PolicySummary.Id", .keep = "P" },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type RESOURCE_CONTROL_POLICY" },
        { "organizations attach-policy --policy-id {P} --target-id {DEV}" },
        BOTH_VERB("simulate 123456789012 sts:AssumeRole arn:aws:iam::{DEV}:role/OrganizationAccountAccessRole",
                  "explicitDeny", "implicitDeny", "LIKE_AWS_NO_RCP"),
        { NULL },
    };
    lab_steps(steps);
}

TEST_MAIN
