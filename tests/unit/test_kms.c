/* KMS: keys, aliases, grants as they are managed, and what key policies and grants decide. */
#include "tests/test.h"
#include "tests/unit/lab_steps.h"

#define POLICY(statements) "{\"Version\":\"2012-10-17\",\"Statement\":[" statements "]}"
#define ALLOW(who, what)                                                                                               \
    "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:" who "\"},\"Action\":\"" what           \
    "\",\"Resource\":\"*\"}"
#define ROOT_ADMIN                                                                                                     \
    "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:root\"},\"Resource\":\"*\","             \
    "\"Action\":[\"kms:Put*\",\"kms:*Alias\",\"kms:*Grant\",\"kms:List*\",\"kms:Get*\"]}"
#define KEY(keep_)       .path = "KeyMetadata.KeyId", .keep = keep_
#define ASK(who, action) "simulate " who " " action " {K}"
#define ALLOWED          .path = "Decision", .value = "allowed"
#define DENIED           .path = "Decision", .value = "explicitDeny"
#define SILENT           .path = "Decision", .value = "implicitDeny"
#define USER(name)                                                                                                     \
    {                                                                                                                  \
        "iam create-user --user-name " name                                                                            \
    }
#define MAY(name, action)                                                                                              \
    {                                                                                                                  \
        "iam put-user-policy --user-name " name " --policy-name p --policy-document "                                  \
        "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"" action                         \
        "\",\"Resource\":\"*\"}}"                                                                                      \
    }

TEST(keys_are_made_and_found)
{
    static const struct lab_step steps[] = {
        { "kms create-key --description one --tags TagKey=team,TagValue=blue", KEY("K") },
        { "kms describe-key --key-id {K}", .path = "KeyMetadata.EncryptionAlgorithms", .value = "SYMMETRIC_DEFAULT" },
        { "kms describe-key --key-id arn:aws:kms:us-east-1:123456789012:key/{K}", .path = "KeyMetadata.KeyId",
          .keep = "SAME" },
        { "kms describe-key --key-id arn:aws:kms:eu-west-1:123456789012:key/{K}", .code = "NotFoundException" },
        { "kms describe-key --key-id none", .code = "NotFoundException" },
        { "kms list-keys", .path = "Truncated", .value = "false" },
        { "kms list-resource-tags --key-id {K}", .path = "Tags.TagValue", .value = "blue" },
        { "kms untag-resource --key-id {K} --tag-keys team" },
        { "kms list-resource-tags --key-id {K}", .path = "Tags.TagValue", .value = "" },
        { "kms tag-resource --key-id {K} --tags TagKey=aws:x,TagValue=y", .code = "TagException" },
        { "kms create-key --key-spec HMAC_256", .code = "ValidationException" },
        { "kms create-key --key-spec HMAC_256 --key-usage GENERATE_VERIFY_MAC", .path = "KeyMetadata.MacAlgorithms",
          .value = "HMAC_SHA_256" },
        { "kms create-key --key-spec ECC_NIST_P384 --key-usage SIGN_VERIFY", .path = "KeyMetadata.SigningAlgorithms",
          .value = "ECDSA_SHA_384" },
        { "kms create-key --origin AWS_CLOUDHSM", .code = "UnsupportedOperationException" },
        { "kms create-key --multi-region", .path = "KeyMetadata.MultiRegionConfiguration.MultiRegionKeyType",
          .value = "PRIMARY" },
        { "kms create-alias --alias-name app --target-key-id {K}", .code = "ValidationException" },
        { "kms create-alias --alias-name alias/aws/s3 --target-key-id {K}", .code = "AccessDeniedException" },
        { "kms create-alias --alias-name alias/app --target-key-id none", .code = "NotFoundException" },
        { "kms create-alias --alias-name alias/app --target-key-id {K}" },
        { "kms create-alias --alias-name alias/app --target-key-id {K}", .code = "AlreadyExistsException" },
        { "kms describe-key --key-id alias/app", .path = "KeyMetadata.Description", .value = "one" },
        { "kms get-key-policy --key-id alias/app", .code = "NotFoundException" },
        { "kms list-aliases --key-id {K}", .path = "Aliases.AliasArn",
          .value = "arn:aws:kms:us-east-1:123456789012:alias/app" },
        { "kms create-key", KEY("SECOND") },
        { "kms update-alias --alias-name alias/app --target-key-id {SECOND}" },
        { "kms list-aliases --key-id {K}", .path = "Aliases.AliasName", .value = "" },
        { "kms delete-alias --alias-name alias/app" },
        { "kms delete-alias --alias-name alias/app", .code = "NotFoundException" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(keys_are_disabled_and_deleted)
{
    static const struct lab_step steps[] = {
        { "kms create-key", KEY("K") },
        { "kms disable-key --key-id {K}" },
        { "kms describe-key --key-id {K}", .path = "KeyMetadata.Enabled", .value = "false" },
        { "kms create-grant --key-id {K} --grantee-principal arn:aws:iam::123456789012:root --operations Decrypt",
          .code = "DisabledException" },
        { "kms enable-key --key-id {K}" },
        { "kms cancel-key-deletion --key-id {K}", .code = "KMSInvalidStateException" },
        { "kms schedule-key-deletion --key-id {K} --pending-window-in-days 7", .path = "KeyState",
          .value = "PendingDeletion" },
        { "kms put-key-policy --key-id {K} --policy {}", .code = "KMSInvalidStateException" },
        { "kms schedule-key-deletion --key-id {K}", .code = "KMSInvalidStateException" },
        { "kms cancel-key-deletion --key-id {K}" },
        { "kms describe-key --key-id {K}", .path = "KeyMetadata.KeyState", .value = "Disabled" },
        /* The waiting period over, the key is gone, and its alias leads nowhere. */
        { "kms create-alias --alias-name alias/app --target-key-id {K}" },
        { "kms schedule-key-deletion --key-id {K} --pending-window-in-days 7" },
        { "clock advance 6d" },
        { "kms describe-key --key-id alias/app", .path = "KeyMetadata.KeyState", .value = "PendingDeletion" },
        { "clock advance 1d" },
        { "kms describe-key --key-id {K}", .code = "NotFoundException" },
        { "kms describe-key --key-id alias/app", .code = "NotFoundException" },
        { "kms cancel-key-deletion --key-id {K}", .code = "NotFoundException" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(key_policies)
{
    static const struct lab_step steps[] = {
        { "kms create-key", KEY("K") },
        { "kms list-key-policies --key-id {K}", .path = "PolicyNames", .value = "default" },
        { "kms get-key-policy --key-id {K}", .path = "Policy",
          .value = "{\n  \"Version\" : \"2012-10-17\",\n  \"Id\" : \"key-default-1\",\n  \"Statement\" : [ {\n"
                   "    \"Sid\" : \"Enable IAM User Permissions\",\n    \"Effect\" : \"Allow\",\n"
                   "    \"Principal\" : {\n      \"AWS\" : \"arn:aws:iam::123456789012:root\"\n    },\n"
                   "    \"Action\" : \"kms:*\",\n    \"Resource\" : \"*\"\n  } ]\n}" },
        { "kms get-key-policy --key-id {K} --policy-name other", .code = "NotFoundException" },
        { "kms put-key-policy --key-id {K} --policy {\"Statement\":1}", .code = "MalformedPolicyDocumentException" },
        { "kms put-key-policy --key-id {K} --policy " POLICY(ALLOW("user/alice", "kms:*")),
          .code = "MalformedPolicyDocumentException" }, /* would lock the account out */
        { "kms put-key-policy --key-id {K} --bypass-policy-lockout-safety-check "
          "--policy " POLICY(ALLOW("user/alice", "kms:*")) },
        { "kms get-key-policy --key-id {K}", .code = "AccessDeniedException" },
        { "kms create-key --policy " POLICY(ALLOW("user/alice", "kms:*")), .code = "MalformedPolicyDocumentException" },
        { NULL },
    };
    lab_steps(steps);
}

TEST(a_key_policy_must_speak)
{
    static const struct lab_step steps[] = {
        USER("alice"),
        USER("bob"),
        MAY("alice", "kms:*"),
        { "kms create-key", KEY("K") },
        { ASK("alice", "kms:Decrypt"), ALLOWED }, /* the root statement lets IAM decide */
        { ASK("bob", "kms:Decrypt"), SILENT },
        { "kms put-key-policy --key-id {K} --policy " POLICY(ROOT_ADMIN) },
        { ASK("alice", "kms:Decrypt"), SILENT }, /* her kms:* is void */
        { ASK("root", "kms:Decrypt"), SILENT },  /* so is root's everything */
        { ASK("root", "kms:PutKeyPolicy"), ALLOWED },
        { "kms put-key-policy --key-id {K} --policy " POLICY(ROOT_ADMIN "," ALLOW("user/bob", "kms:Decrypt")) },
        { ASK("bob", "kms:Decrypt"), ALLOWED }, /* named by the key policy: needs nothing else */
        { ASK("bob", "kms:Encrypt"), SILENT },
        { "kms create-alias --alias-name alias/app --target-key-id {K}" },
        { "simulate bob kms:Decrypt alias/app", ALLOWED },
        { NULL },
    };
    lab_steps(steps);
}

#define GRANT(who, operations)                                                                                         \
    "kms create-grant --key-id {K} --grantee-principal arn:aws:iam::" who " --operations " operations

TEST(grants)
{
    static const struct lab_step steps[] = {
        USER("bob"),
        { "kms create-key --policy " POLICY(ROOT_ADMIN), KEY("K") },
        { ASK("bob", "kms:Decrypt"), SILENT },
        { GRANT("123456789012:user/nobody", "Decrypt"), .code = "InvalidArnException" },
        { GRANT("123456789012:user/bob", "Decrypt --name g"), .path = "GrantId", .keep = "G" },
        { GRANT("123456789012:user/bob", "Decrypt --name g") }, /* the same again: the same grant */
        { "kms list-grants --key-id {K}", .path = "Grants.1.GrantId", .value = "" },
        { "kms list-grants --key-id {K}", .path = "Grants.Operations", .value = "Decrypt" },
        { ASK("bob", "kms:Decrypt"), ALLOWED },
        { ASK("bob", "kms:Encrypt"), SILENT },
        { "kms revoke-grant --key-id {K} --grant-id {G} --dry-run", .code = "DryRunOperationException" },
        { "kms revoke-grant --key-id {K} --grant-id {G}" },
        { ASK("bob", "kms:Decrypt"), SILENT },
        { "kms revoke-grant --key-id {K} --grant-id {G}", .code = "NotFoundException" },
        { GRANT("123456789012:user/bob", "Decrypt DescribeKey --retiring-principal arn:aws:iam::123456789012:root "
                                         "--constraints EncryptionContextSubset={dept=it}"),
          .path = "GrantId", .keep = "G2" },
        { ASK("bob", "kms:Decrypt"), SILENT },
        { ASK("bob", "kms:Decrypt") " --context kms:EncryptionContext:dept=hr", SILENT },
        { ASK("bob", "kms:Decrypt") " --context kms:EncryptionContext:dept=it kms:EncryptionContext:x=y", ALLOWED },
        { ASK("bob", "kms:DescribeKey"), ALLOWED }, /* takes no encryption context */
        { "kms list-retirable-grants --retiring-principal arn:aws:iam::123456789012:root", .path = "Grants.GrantId",
          .keep = "R" },
        { "kms retire-grant --key-id {K}", .code = "ValidationException" },
        { "kms retire-grant --grant-token none", .code = "InvalidGrantTokenException" },
        { "kms retire-grant --key-id {K} --grant-id {R}" },
        { GRANT("123456789012:user/bob", "Decrypt --constraints EncryptionContextEquals={dept=it}") },
        { ASK("bob", "kms:Decrypt") " --context kms:EncryptionContext:dept=it kms:EncryptionContext:x=y", SILENT },
        { ASK("bob", "kms:Decrypt") " --context kms:EncryptionContext:dept=it", ALLOWED },
        { "kms put-key-policy --key-id {K} --policy " POLICY(
            ROOT_ADMIN ",{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"kms:Decrypt\",\"Resource\":\"*\"}") },
        { ASK("bob", "kms:Decrypt") " --context kms:EncryptionContext:dept=it", DENIED }, /* a denial beats a grant */
        { NULL },
    };
    lab_steps(steps);
}

/* The grantee is who is named, not who else belongs there: of an account its root user alone. */
TEST(grants_are_for_the_grantee)
{
    static const struct lab_step steps[] = {
        USER("bob"),
        USER("eve"),
        { "kms create-key --policy " POLICY(ROOT_ADMIN), KEY("K") },
        { GRANT("123456789012:root", "Decrypt"), .path = "GrantId", .keep = "G" },
        { ASK("root", "kms:Decrypt"), ALLOWED },
        { ASK("bob", "kms:Decrypt"), SILENT },
        { "kms revoke-grant --key-id {K} --grant-id {G}" },
        { ASK("root", "kms:Decrypt"), SILENT },
        { GRANT("123456789012:user/bob", "Encrypt Decrypt") },
        { ASK("bob", "kms:Encrypt"), ALLOWED },
        { ASK("bob", "kms:Decrypt"), ALLOWED }, /* not only the first of its operations */
        { ASK("eve", "kms:Decrypt"), SILENT },
        { ASK("root", "kms:Decrypt"), SILENT },
        /* a role's sessions are the role */
        { "iam create-role --role-name r --assume-role-policy-document {\"Version\":\"2012-10-17\",\"Statement\":[{"
          "\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}" },
        { "simulate arn:aws:sts::123456789012:assumed-role/r/s kms:Decrypt {K}", SILENT },
        { GRANT("123456789012:role/r", "Decrypt") },
        { "simulate arn:aws:sts::123456789012:assumed-role/r/s kms:Decrypt {K}", ALLOWED },
        { "kms create-key --policy " POLICY(ROOT_ADMIN), .path = "KeyMetadata.Arn", .keep = "OTHER" },
        { "simulate bob kms:Decrypt {OTHER}", SILENT },
        { NULL },
    };
    lab_steps(steps);
}

/* Both halves must allow: the key policy the account, the account's policies the user. */
TEST(keys_across_accounts)
{
    static const struct lab_step steps[] = {
        { "organizations create-organization" },
        { "organizations create-account --email dev@example.com --account-name dev",
          .path = "CreateAccountStatus.AccountId", .keep = "DEV" },
        { "kms create-key", KEY("K") },
        { "simulate arn:aws:iam::{DEV}:role/OrganizationAccountAccessRole kms:Decrypt {K}", SILENT },
        { "kms put-key-policy --key-id {K} --policy " POLICY(
            ROOT_ADMIN ",{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"{DEV}\"},\"Action\":\"kms:Decrypt\","
                       "\"Resource\":\"*\"}") },
        { "simulate arn:aws:iam::{DEV}:role/OrganizationAccountAccessRole kms:Decrypt {K}", ALLOWED },
        { "simulate arn:aws:iam::{DEV}:role/OrganizationAccountAccessRole kms:Encrypt {K}", SILENT },
        { NULL },
    };
    lab_steps(steps);
}

TEST_MAIN
