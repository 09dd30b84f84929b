/* Which bucket policies S3 calls public. */
#include "tests/test.h"

#include "base/buf.h"
#include "iampolicy/public.h"

TEST(a_grant_to_everybody_is_public_unless_a_fixed_value_names_somebody)
{
    static const struct {
        const char *principal, *condition;
        bool is_public;
    } cases[] = {
        { "\"*\"", "{}", true },
        { "{\"AWS\": \"*\"}", "{}", true },
        { "{\"AWS\": \"123456789012\"}", "{}", false },
        { "{\"Service\": \"s3.amazonaws.com\"}", "{}", false },
        { "{\"Federated\": \"graph.facebook.com\"}", "{}", true },
        { "\"*\"", "{\"StringEquals\": {\"aws:SourceVpc\": \"vpc-91237329\"}}", false },
        { "\"*\"", "{\"StringLike\": {\"aws:SourceVpc\": \"vpc-*\"}}", true },
        { "\"*\"", "{\"StringLike\": {\"aws:SourceVpc\": \"vpc-91237329\"}}", false },
        { "\"*\"", "{\"StringNotEquals\": {\"aws:SourceVpc\": \"vpc-91237329\"}}", true },
        { "\"*\"", "{\"StringEqualsIfExists\": {\"aws:SourceVpc\": \"vpc-91237329\"}}", true },
        { "\"*\"", "{\"StringEquals\": {\"aws:SourceVpce\": \"${aws:username}\"}}", true },
        { "\"*\"", "{\"StringEquals\": {\"aws:UserAgent\": \"mine\"}}", true },
        { "\"*\"", "{\"IpAddress\": {\"aws:SourceIp\": \"203.0.113.0/24\"}}", false },
        { "\"*\"", "{\"IpAddress\": {\"aws:SourceIp\": [\"203.0.113.0/24\", \"0.0.0.0/1\"]}}", true },
        { "\"*\"", "{\"IpAddress\": {\"aws:SourceIp\": \"2001:db8::/32\"}}", false },
        { "\"*\"", "{\"IpAddress\": {\"aws:SourceIp\": \"2000::/3\"}}", true },
        { "\"*\"", "{\"StringEquals\": {\"aws:PrincipalOrgID\": \"o-lab\"}}", false },
        { "\"*\"", "{\"ForAllValues:StringEquals\": {\"aws:PrincipalOrgPaths\": [\"o-lab/r/\"]}}", true },
        { "\"*\"", "{\"ForAnyValue:StringEquals\": {\"aws:PrincipalOrgPaths\": [\"o-lab/r/\"]}}", false },
        { "\"*\"", "{\"ArnLike\": {\"s3:DataAccessPointArn\": \"arn:aws:s3:us-east-1:123456789012:accesspoint/*\"}}",
          false },
        { "\"*\"", "{\"ArnLike\": {\"s3:DataAccessPointArn\": \"arn:aws:s3:us-east-1:*:accesspoint/*\"}}", true },
        { "\"*\"", "{\"Bool\": {\"aws:SecureTransport\": \"true\"}}", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf text = { 0 };
        struct err err = { 0 };
        buf_printf(&text,
                   "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Deny\", \"Principal\": \"*\", "
                   "\"Action\": \"s3:*\", "
                   "\"Resource\": \"*\"}, {\"Effect\": \"Allow\", \"Principal\": %s, \"Action\": \"s3:GetObject\", "
                   "\"Resource\": \"arn:aws:s3:::b/*\", \"Condition\": %s}]}",
                   cases[i].principal, cases[i].condition);
        struct iam_policy *policy = iam_policy_parse(buf_str(&text), text.size, IAM_POLICY_RESOURCE, "b", &err);
        REQUIRE(policy, "%s: %s", cases[i].condition, err.text);
        const struct iam_statement *open = iam_policy_public_statement(policy);
        CHECK((open != NULL) == cases[i].is_public && (!open || open->index == 1), "%s %s", cases[i].principal,
              cases[i].condition);
        iam_policy_free(policy);
        buf_done(&text);
    }
}

TEST_MAIN
