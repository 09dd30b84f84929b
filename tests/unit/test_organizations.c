/* Organizations: the tree, what may be attached where, and how SCPs and RCPs decide. */
#include "tests/test.h"
#include "tests/unit/lab_steps.h"

#define SCP(statement) "{\"Version\":\"2012-10-17\",\"Statement\":[" statement "]}"
#define DENY_DELETE    SCP("{\"Effect\":\"Deny\",\"Action\":\"s3:Delete*\",\"Resource\":\"*\"}")
#define ONLY_S3        SCP("{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"}")
#define ONLY_US                                                                                                        \
    SCP("{\"Effect\":\"Deny\",\"NotAction\":\"iam:*\",\"Resource\":\"*\",\"Condition\":{\"StringNotEquals\":{"         \
        "\"aws:RequestedRegion\":\"us-east-1\"}}}")
#define PERIMETER                                                                                                      \
    SCP("{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":\"*\",\"Condition\":{"              \
        "\"StringNotEqualsIfExists\":{\"aws:PrincipalOrgID\":\"{ORG}\"}}}")
#define BEGIN                                                                                                          \
    { "organizations create-organization", .path = "Organization.Id", .keep = "ORG" },                                 \
        { "organizations list-roots", .path = "Roots.Id", .keep = "ROOT" },                                            \
        { "organizations create-organizational-unit --parent-id {ROOT} --name Prod", .path = "OrganizationalUnit.Id",  \
          .keep = "PROD" },                                                                                            \
    {                                                                                                                  \
        "organizations create-account --email dev@example.com --account-name dev",                                     \
            .path = "CreateAccountStatus.AccountId", .keep = "DEV"                                                     \
    }
#define CREATE(type, name) "organizations create-policy --description d --type " type " --name " name " --content "
#define SCP_TYPE           "SERVICE_CONTROL_POLICY"
#define RCP_TYPE           "RESOURCE_CONTROL_POLICY"
#define PID                .path = "Policy.PolicySummary.Id"

TEST(organization_begins_and_ends)
{
    static const struct lab_step steps[] = {
        { "organizations describe-organization", .code = "AWSOrganizationsNotInUseException" },
        { "organizations list-accounts", .code = "AWSOrganizationsNotInUseException" },
        { "organizations create-organization", .path = "Organization.MasterAccountId", .value = "123456789012" },
        { "organizations create-organization", .code = "AlreadyInOrganizationException" },
        { "organizations describe-organization", .path = "Organization.FeatureSet", .value = "ALL" },
        { "organizations list-roots", .path = "Roots.PolicyTypes.Type", .value = SCP_TYPE },
        { "organizations list-accounts", .path = "Accounts.Id", .value = "123456789012" },
        { "organizations create-account --email dev@example.com --account-name dev",
          .path = "CreateAccountStatus.AccountId", .keep = "DEV" },
        { "organizations delete-organization", .code = "OrganizationNotEmptyException" },
        { "organizations remove-account-from-organization --account-id 123456789012",
          .code = "ConstraintViolationException" },
        { "organizations remove-account-from-organization --account-id {DEV}" },
        { "organizations delete-organization" },
        { "organizations describe-organization", .code = "AWSOrganizationsNotInUseException" },
        { "organizations create-organization --feature-set CONSOLIDATED_BILLING", .path = "Organization.FeatureSet",
          .value = "CONSOLIDATED_BILLING" },
        { CREATE(SCP_TYPE, "x") ONLY_S3, .code = "PolicyTypeNotAvailableForOrganizationException" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(units_and_accounts)
{
    static const struct lab_step steps[] = {
        BEGIN,
        { "organizations create-organizational-unit --parent-id {ROOT} --name Prod",
          .code = "DuplicateOrganizationalUnitException" },
        { "organizations create-organizational-unit --parent-id r-none --name Dev", .code = "ParentNotFoundException" },
        { "organizations create-organizational-unit --parent-id {DEV} --name Dev", .code = "InvalidInputException" },
        { "organizations create-organizational-unit --parent-id {PROD} --name Web", .path = "OrganizationalUnit.Name",
          .value = "Web" },
        { "organizations list-organizational-units-for-parent --parent-id {ROOT}", .path = "OrganizationalUnits.Id",
          .keep = "FIRST" },
        { "organizations update-organizational-unit --organizational-unit-id {FIRST} --name Production",
          .path = "OrganizationalUnit.Name", .value = "Production" },
        { "organizations create-account --email dev@example.com --account-name again",
          .path = "CreateAccountStatus.FailureReason", .value = "EMAIL_ALREADY_EXISTS" },
        { "organizations create-account --email nowhere --account-name again", .code = "InvalidInputException" },
        { "organizations list-parents --child-id {DEV}", .path = "Parents.Type", .value = "ROOT" },
        { "organizations move-account --account-id {DEV} --source-parent-id {PROD} --destination-parent-id {ROOT}",
          .code = "AccountNotFoundException" },
        { "organizations move-account --account-id {DEV} --source-parent-id {ROOT} --destination-parent-id {ROOT}",
          .code = "DuplicateAccountException" },
        { "organizations move-account --account-id {DEV} --source-parent-id {ROOT} --destination-parent-id "
          "ou-none-12345678",
          .code = "DestinationParentNotFoundException" },
        { "organizations move-account --account-id {DEV} --source-parent-id {ROOT} --destination-parent-id {PROD}" },
        { "organizations list-children --parent-id {PROD} --child-type ACCOUNT", .path = "Children.Type",
          .value = "ACCOUNT" },
        { "organizations list-accounts-for-parent --parent-id {PROD}", .path = "Accounts.Name", .value = "dev" },
        { "organizations delete-organizational-unit --organizational-unit-id {PROD}",
          .code = "OrganizationalUnitNotEmptyException" },
        { "organizations tag-resource --resource-id {PROD} --tags Key=team,Value=blue" },
        { "organizations list-tags-for-resource --resource-id {PROD}", .path = "Tags.Value", .value = "blue" },
        { "organizations list-accounts --max-results 1", .path = "NextToken", .value = "1" },
        { "organizations list-accounts --max-results 1 --starting-token 1", .path = "Accounts.Id", .value = NULL },
        { "organizations close-account --account-id {DEV}" },
        { "organizations close-account --account-id {DEV}", .code = "AccountAlreadyClosedException" },
        { "organizations describe-account --account-id {DEV}", .path = "Account.Status", .value = "SUSPENDED" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(policies_are_attached_and_detached)
{
    static const struct lab_step steps[] = {
        BEGIN,
        { CREATE(SCP_TYPE, "NoDelete") DENY_DELETE, PID, .keep = "P" },
        { CREATE(SCP_TYPE, "NoDelete") DENY_DELETE, .code = "DuplicatePolicyException" },
        { CREATE(SCP_TYPE, "FullAWSAccess") DENY_DELETE, .code = "DuplicatePolicyException" },
        { CREATE(SCP_TYPE, "Bad") "{\"Statement\":{}}", .code = "MalformedPolicyDocumentException" },
        { CREATE(RCP_TYPE, "Bad") ONLY_S3, .code = "MalformedPolicyDocumentException" },
        { CREATE("TAG_POLICY", "Bad") ONLY_S3, .code = "PolicyTypeNotAvailableForOrganizationException" },
        { "organizations describe-policy --policy-id {P}", .path = "Policy.Content", .value = DENY_DELETE },
        { "organizations update-policy --policy-id {P} --name NoDeleting", .path = "Policy.PolicySummary.Name",
          .value = "NoDeleting" },
        { "organizations update-policy --policy-id p-FullAWSAccess --name Mine", .code = "AccessDeniedException" },
        { "organizations attach-policy --policy-id {P} --target-id ou-none-12345678",
          .code = "TargetNotFoundException" },
        { "organizations attach-policy --policy-id p-none1234 --target-id {PROD}", .code = "PolicyNotFoundException" },
        { "organizations attach-policy --policy-id {P} --target-id {PROD}" },
        { "organizations attach-policy --policy-id {P} --target-id {PROD}",
          .code = "DuplicatePolicyAttachmentException" },
        { "organizations delete-policy --policy-id {P}", .code = "PolicyInUseException" },
        { "organizations list-targets-for-policy --policy-id {P}", .path = "Targets.Name", .value = "Prod" },
        { "organizations list-policies-for-target --target-id {PROD} --filter " SCP_TYPE, .path = "Policies.1.Name",
          .value = "NoDeleting" },
        { "organizations detach-policy --policy-id p-FullAWSAccess --target-id {PROD}" },
        { "organizations detach-policy --policy-id p-FullAWSAccess --target-id {PROD}",
          .code = "PolicyNotAttachedException" },
        { "organizations detach-policy --policy-id {P} --target-id {PROD}", .code = "ConstraintViolationException" },
        { CREATE(RCP_TYPE, "Perimeter") PERIMETER, PID, .keep = "RCP" },
        { "organizations attach-policy --policy-id {RCP} --target-id {ROOT}", .code = "PolicyTypeNotEnabledException" },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type " RCP_TYPE,
          .path = "Root.PolicyTypes.1.Type", .value = RCP_TYPE },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type " RCP_TYPE,
          .code = "PolicyTypeAlreadyEnabledException" },
        { "organizations attach-policy --policy-id {RCP} --target-id {ROOT}" },
        { "organizations detach-policy --policy-id p-RCPFullAWSAccess --target-id {ROOT}",
          .code = "AccessDeniedException" },
        { "organizations disable-policy-type --root-id {ROOT} --policy-type " SCP_TYPE, .path = "Root.PolicyTypes.Type",
          .value = RCP_TYPE },
        { "organizations list-targets-for-policy --policy-id {P}", .path = "Targets.Name", .value = "" },
        { "organizations delete-policy --policy-id {P}" },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type " SCP_TYPE },
        { "organizations list-policies-for-target --target-id {PROD} --filter " SCP_TYPE, .path = "Policies.Name",
          .value = "FullAWSAccess" },
        { NULL },
    };
    lab_steps(steps);
}

#define ASK(who, action, on) "simulate arn:aws:iam::" who " " action " " on
#define ALLOWED              .path = "Decision", .value = "allowed"
#define DENIED               .path = "Decision", .value = "explicitDeny"
#define SILENT               .path = "Decision", .value = "implicitDeny"
#define ROLE                 "{DEV}:role/OrganizationAccountAccessRole"

TEST(scps_limit_members_level_by_level)
{
    static const struct lab_step steps[] = {
        BEGIN,
        { ASK(ROLE, "s3:DeleteObject", "b/k"), ALLOWED },
        { CREATE(SCP_TYPE, "NoDelete") DENY_DELETE, PID, .keep = "P" },
        { CREATE(SCP_TYPE, "OnlyS3") ONLY_S3, PID, .keep = "S3" },
        { "organizations attach-policy --policy-id {P} --target-id {PROD}" },
        { ASK(ROLE, "s3:DeleteObject", "b/k"), ALLOWED }, /* the account is not in the unit yet */
        { "organizations move-account --account-id {DEV} --source-parent-id {ROOT} --destination-parent-id {PROD}" },
        { ASK(ROLE, "s3:DeleteObject", "b/k"), DENIED },
        { ASK("{DEV}:root", "s3:DeleteObject", "b/k"), DENIED }, /* root too */
        { ASK(ROLE, "s3:GetObject", "b/k"), ALLOWED },
        { "organizations attach-policy --policy-id {S3} --target-id {DEV}" },
        { ASK(ROLE, "ec2:RunInstances", "*"), ALLOWED }, /* FullAWSAccess still stands beside it */
        { "organizations detach-policy --policy-id p-FullAWSAccess --target-id {DEV}" },
        { ASK(ROLE, "ec2:RunInstances", "*"), SILENT },
        { ASK(ROLE, "s3:GetObject", "b/k"), ALLOWED },
        { "organizations attach-policy --policy-id {P} --target-id {ROOT}" },
        { ASK("123456789012:root", "s3:DeleteObject", "b/k"), ALLOWED }, /* never the management account */
        { "organizations disable-policy-type --root-id {ROOT} --policy-type " SCP_TYPE },
        { ASK(ROLE, "s3:DeleteObject", "b/k"), ALLOWED },
        { ASK(ROLE, "ec2:RunInstances", "*"), ALLOWED },
        { NULL },
    };
    lab_steps(steps);
}

TEST(scps_see_the_request)
{
    static const struct lab_step steps[] = {
        BEGIN,
        { CREATE(SCP_TYPE, "OnlyUs") ONLY_US, PID, .keep = "P" },
        { "organizations attach-policy --policy-id {P} --target-id {ROOT}" },
        { ASK(ROLE, "ec2:RunInstances", "*") " --context aws:RequestedRegion=eu-west-1", DENIED },
        { ASK(ROLE, "ec2:RunInstances", "*") " --context aws:RequestedRegion=us-east-1", ALLOWED },
        { ASK(ROLE, "iam:CreateUser", "*") " --context aws:RequestedRegion=eu-west-1", ALLOWED },
        { NULL },
    };
    lab_steps(steps);
}

/* The bucket belongs to the management account, then to a member: only there does the RCP guard it. */
TEST(rcps_guard_resources_against_everybody)
{
    static const struct lab_step steps[] = {
        BEGIN,
        { CREATE(RCP_TYPE, "Perimeter") PERIMETER, PID, .keep = "P" },
        { "organizations enable-policy-type --root-id {ROOT} --policy-type " RCP_TYPE },
        { "organizations attach-policy --policy-id {P} --target-id {ROOT}" },
        { ASK("999988887777:root", "sts:AssumeRole", "arn:aws:iam::" ROLE), SILENT }, /* not in the trust policy */
        { ASK(ROLE, "s3:GetObject", "b/k"), ALLOWED },
        { "s3api create-bucket --bucket central" },
        { "s3api put-public-access-block --bucket central --public-access-block-configuration "
          "BlockPublicPolicy=false" },
        { "s3api put-bucket-policy --bucket central --policy "
          "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\","
          "\"Resource\":\"arn:aws:s3:::central/*\"}}" },
        { ASK("999988887777:root", "s3:GetObject", "central/k"), ALLOWED }, /* of the management account: no RCP */
        { NULL },
    };
    lab_steps(steps);
}

TEST_MAIN
