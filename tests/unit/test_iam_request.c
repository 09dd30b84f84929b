/* Callers, Principal entries, context keys and what is filled in by itself; patterns and the JSON reader under them. */
#include "tests/test.h"

#include <stdlib.h>
#include "base/buf.h"
#include "iampolicy/chain.h"
#include "iampolicy/document.h"
#include "iampolicy/missing.h"
#include "iampolicy/pattern.h"
#include "iampolicy/request.h"

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

TEST(callers_are_told_by_their_form)
{
    static const struct {
        const char *text;
        enum iam_principal_kind kind;
        const char *account, *name;
    } cases[] = {
        { "arn:aws:iam::123456789012:user/a/b/bob", IAM_USER, "123456789012", "bob" },
        { "arn:aws:iam::123456789012:role/a/app", IAM_ROLE_SESSION, "123456789012", "simulated" },
        { "arn:aws:sts::123456789012:assumed-role/app/run1", IAM_ROLE_SESSION, "123456789012", "run1" },
        { "arn:aws:sts::123456789012:federated-user/pat", IAM_FEDERATED_USER, "123456789012", "pat" },
        { "arn:aws-cn:iam::123456789012:root", IAM_ROOT, "123456789012", "" },
        { "123456789012", IAM_ROOT, "123456789012", "" },
        { "lambda.amazonaws.com", IAM_SERVICE, "", "" },
        { "*anonymous*", IAM_ANONYMOUS, "", "" },
        { "arn:aws:iam::123456789012:saml-provider/corp", IAM_SAML, "", "" },
        { "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", IAM_WEB_IDENTITY, "", "" },
        { "accounts.google.com", IAM_WEB_IDENTITY, "", "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_request *r = iam_request_new();
        struct err err = { 0 };
        iam_request_set_principal(r, as_text(cases[i].text), &err);
        CHECK_OK(&err, "%s", cases[i].text);
        CHECK_INT(r->principal.kind, cases[i].kind, "%s", cases[i].text);
        CHECK_STR(r->principal.account, cases[i].account, "%s", cases[i].text);
        CHECK(iam_text_is(r->principal.name, cases[i].name), "%s: %.*s", cases[i].text, (int)r->principal.name.n,
              r->principal.name.s);
        iam_request_free(r);
    }
}

TEST(what_is_no_caller_is_refused)
{
    static const char *const cases[] = { "",
                                         "alice",
                                         "arn:aws:s3:::b",
                                         "arn:aws:iam::1:user/bob",
                                         "arn:aws:iam::123456789012:user/",
                                         "arn:aws:sts::123456789012:assumed-role/app",
                                         "arn:aws:iam::123456789012:group/g" };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_request *r = iam_request_new();
        struct err err = { 0 };
        CHECK(!iam_request_set_principal(r, as_text(cases[i]), &err), "%s", cases[i]);
        CHECK_STR(err.code, "InvalidInput", "%s", cases[i]);
        iam_request_free(r);
    }
}

TEST(principal_entries_name_callers)
{
    static const char user[] = "arn:aws:iam::123456789012:user/bob", role[] = "arn:aws:iam::123456789012:role/p/app",
                      session[] = "arn:aws:sts::123456789012:assumed-role/app/run1",
                      root[] = "arn:aws:iam::123456789012:root";
    static const struct {
        const char *type, *entry, *caller;
        enum iam_match_kind kind;
    } cases[] = {
        { "AWS", "*", user, IAM_MATCH_ANY },
        { "AWS", "*", "*anonymous*", IAM_MATCH_ANY },
        { "AWS", user, user, IAM_MATCH_DIRECT },
        { "AWS", "arn:aws:iam::123456789012:user/Bob", user, IAM_MATCH_NONE },
        { "AWS", "arn:aws:iam::123456789012:user/x/bob", user, IAM_MATCH_NONE },
        { "AWS", "123456789012", user, IAM_MATCH_ACCOUNT },
        { "AWS", root, session, IAM_MATCH_ACCOUNT },
        { "AWS", root, root, IAM_MATCH_DIRECT },
        { "AWS", "210987654321", user, IAM_MATCH_NONE },
        { "AWS", role, session, IAM_MATCH_ISSUER }, /* a session carries no path */
        { "AWS", role, role, IAM_MATCH_ISSUER },
        { "AWS", "arn:aws:iam::123456789012:role/app", role, IAM_MATCH_NONE },
        { "AWS", session, session, IAM_MATCH_DIRECT },
        { "AWS", "arn:aws:sts::123456789012:assumed-role/app/run2", session, IAM_MATCH_NONE },
        { "AWS", "arn:aws:iam::123456789012:user/*", user, IAM_MATCH_NONE },
        { "AWS", user, "arn:aws:sts::123456789012:federated-user/bob", IAM_MATCH_ISSUER }, /* its issuer is not known */
        { "AWS", user, "arn:aws:sts::123456789012:federated-user/pat", IAM_MATCH_NONE },
        { "AWS", user, "arn:aws:sts::210987654321:federated-user/bob", IAM_MATCH_NONE },
        { "Service", "s3.amazonaws.com", "s3.amazonaws.com", IAM_MATCH_DIRECT },
        { "Service", "s3.eu-west-1.amazonaws.com", "s3.amazonaws.com", IAM_MATCH_DIRECT },
        { "Service", "s3.eu-west-1.amazonaws.com", "s3.us-east-1.amazonaws.com", IAM_MATCH_NONE },
        { "Service", "sqs.amazonaws.com", "s3.amazonaws.com", IAM_MATCH_NONE },
        { "Federated", "cognito-identity.amazonaws.com", "cognito-identity.amazonaws.com", IAM_MATCH_DIRECT },
        { "AWS", "123456789012", "s3.amazonaws.com", IAM_MATCH_NONE },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_request *r = iam_request_new();
        iam_request_set_principal(r, as_text(cases[i].caller), NULL);
        struct iam_principal_entry e = iam_principal_entry_compile(r->arena, cases[i].type, as_text(cases[i].entry));
        CHECK_INT(iam_principal_match(&e, &r->principal), cases[i].kind, "%s for %s", cases[i].entry, cases[i].caller);
        iam_request_free(r);
    }
}

static const char *
value_of(const struct iam_request *r, const char *name)
{
    struct iam_key key = iam_key_make(r->arena, as_text(name));
    const struct iam_text *single = iam_request_single(r, &key);
    return single ? single->s : NULL;
}

TEST(context_is_filled_in_and_what_was_given_stays)
{
    struct iam_request *r = iam_request_new();
    iam_request_set_principal(r, as_text("arn:aws:sts::123456789012:assumed-role/app/run1"), NULL);
    iam_request_set_action(r, as_text("sqs:SendMessage"), NULL);
    iam_request_set_resource(r, as_text("arn:aws:sqs:eu-west-1:210987654321:q"), as_text(""), true);
    iam_request_set_string(r, "AWS:securetransport", "false");
    iam_request_derive(r, IAM_DERIVE_PRINCIPAL | IAM_DERIVE_RESOURCE | IAM_DERIVE_CALL, 1704067200000, "us-east-1");
    static const struct {
        const char *key, *value;
    } cases[] = {
        { "aws:PrincipalArn", "arn:aws:iam::123456789012:role/app" }, /* the role, not the session */
        { "aws:PrincipalAccount", "123456789012" },
        { "aws:PrincipalType", "AssumedRole" },
        { "aws:username", NULL },
        { "aws:ResourceAccount", "210987654321" },
        { "aws:RequestedRegion", "eu-west-1" },
        { "aws:SecureTransport", "false" },
        { "aws:EpochTime", "1704067200" },
        { "aws:CurrentTime", "2024-01-01T00:00:00Z" },
        { "aws:PrincipalIsAWSService", "false" },
        { "aws:MultiFactorAuthPresent", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_STR(value_of(r, cases[i].key), cases[i].value, "%s", cases[i].key);
    }
    iam_request_free(r);
}

TEST(many_context_keys_are_found_again)
{
    struct iam_request *r = iam_request_new();
    char key[40], value[40];
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "aws:RequestTag/k%d", i);
        snprintf(value, sizeof value, "v%d", i);
        iam_request_set_string(r, key, value);
    }
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "AWS:requesttag/K%d", i);
        snprintf(value, sizeof value, "v%d", i);
        CHECK_STR(value_of(r, key), value, "%s", key);
    }
    iam_request_clear(r);
    CHECK(value_of(r, "aws:RequestTag/k1") == NULL);
    iam_request_free(r);
}

TEST(patterns_match_whole_texts)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "abc", true },
        { "a*c", "abbc", true },
        { "a*c", "abcb", false },
        { "a**b", "ab", true },
        { "*a*a*a*b", "aaaaaaaaaaaaaaaaaaaa", false },
        { "?", "\xC3\xA9", true },
        { "??", "\xC3\xA9", false },
        { "a*?", "a", false },
        { "a*?", "ab", true },
        { "*.txt", "a.txt.txt", true },
        { "x*y*z", "xyyz", true },
        { "${a:b}", "v", true },
        { "${a:c}", "", false },
        { "p${a:b}s*", "pvs", true },
        { "${a:c, 'd'}", "d", true },
        { "${", "${", true },
        { "${}", "${}", true },
        { "${a:c, 'it}s'}", "it}s", true },
    };
    struct iam_request *r = iam_request_new();
    iam_request_set_string(r, "a:b", "v");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct iam_pattern p = iam_pattern_compile(r->arena, as_text(cases[i].pattern), IAM_WILDCARDS | IAM_VARIABLES);
        CHECK(iam_pattern_match(&p, cases[i].text, (uint32_t)strlen(cases[i].text), r) == cases[i].matches, "%s ~ %s",
              cases[i].pattern, cases[i].text);
    }
    iam_request_free(r);
}

/* Longer than the room on the stack: the join goes to the heap and comes out the same. */
TEST(long_values_are_joined)
{
    struct iam_request *r = iam_request_new();
    char value[2000], text[4100];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    iam_request_set_string(r, "a:b", value);
    struct iam_pattern p = iam_pattern_compile(r->arena, as_text("x${a:b}-${a:b}*"), IAM_WILDCARDS | IAM_VARIABLES);
    snprintf(text, sizeof text, "x%s-%sy", value, value);
    CHECK(iam_pattern_match(&p, text, (uint32_t)strlen(text), r));
    text[5] = 'w';
    CHECK(!iam_pattern_match(&p, text, (uint32_t)strlen(text), r));
    iam_request_free(r);
}

TEST(nodes_know_their_place)
{
    static const char text[] = "{\n  \"a\": [1, \"\\u00e9\\n\"],\n  \"b\": {\"c\": null}\n}";
    struct iam_document doc = { 0 };
    struct err err = { 0 };
    REQUIRE(iam_document_read(&doc, text, sizeof text - 1, "t", &err));
    const struct iam_node *a = iam_node_member(&doc, doc.nodes, "a"),
                          *second = iam_node_next(&doc, iam_node_first(&doc, a));
    int line, column;
    CHECK(iam_text_is(second->text, "\xC3\xA9\n"));
    iam_text_place(text, sizeof text - 1, second->span.start, &line, &column);
    CHECK_INT(line, 2);
    CHECK_INT(column, 12);
    const struct iam_node *c = iam_node_member(&doc, iam_node_member(&doc, doc.nodes, "b"), "c");
    CHECK(c && c->type == IAM_NULL && memcmp(text + c->key_span.start, "\"c\"", 3) == 0);
    CHECK(!iam_node_member(&doc, doc.nodes, "c"));
    iam_document_done(&doc);
}

static const char bucket_policy[] =
    "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":"
    "\"arn:aws:iam::123456789012:user/bob\"},\"Action\":\"s3:*\",\"Resource\":\"*\","
    "\"Condition\":{\"StringLike\":{\"s3:prefix\":\"${aws:username}/*\"}}}]}";

TEST(readings_of_not_principal_differ_and_say_so)
{
    struct iam_policies policies = { 0 };
    struct iam_result result = { 0 };
    struct iam_policy *p = iam_policy_parse(bucket_policy, strlen(bucket_policy), IAM_POLICY_RESOURCE, "b", NULL);
    REQUIRE(p);
    *VEC_ADD(&policies.resource) = p;
    struct iam_request *r = iam_request_new();
    iam_request_set_principal(r, as_text("arn:aws:iam::123456789012:user/bob"), NULL);
    iam_request_set_action(r, as_text("s3:ListBucket"), NULL);
    iam_request_set_resource(r, as_text("arn:aws:s3:::b"), as_text("123456789012"), true);
    iam_keys missing = { 0 };
    iam_missing_keys(&policies, r, &missing);
    CHECK_INT(missing.n, 2);
    VEC_DONE(&missing);
    iam_request_set_string(r, "s3:prefix", "bob/x");
    iam_request_set_string(r, "aws:username", "bob");
    CHECK_INT(iam_decide(&policies, r, &result), IAM_IMPLICIT_DENY);
    CHECK(result.remarks & IAM_REMARK_NOT_PRINCIPAL);
    r->strict_not_principal = true; /* the account is not listed */
    CHECK_INT(iam_decide(&policies, r, &result), IAM_EXPLICIT_DENY);
    iam_request_free(r);
    iam_result_done(&result);
    iam_policies_done(&policies);
    iam_policy_free(p);
}

/* A long policy is read by its index, unless every statement is to be recorded: both must find the same statements. */
TEST(long_policies_answer_like_short_ones)
{
    static const char *const actions[] = { "s3:Get*", "EC2:RunInstances", "*",           "s?:GetObject",
                                           "sqs:*",   "kms:Decrypt",      "s3:GetObject" };
    static const char *const asked[] = { "s3:GetObject",    "S3:getobject", "ec2:RunInstances",
                                         "sqs:SendMessage", "sns:Publish",  "k:D" };
    struct buf text = { 0 };
    struct err err = { 0 };
    buf_str_add(&text, "{\"Version\": \"2012-10-17\", \"Statement\": [");
    for (int i = 0; i < 60; i++) {
        buf_printf(&text, "%s{\"Sid\": \"S%d\", \"Effect\": \"%s\", \"%s\": [\"%s\", \"%s\"], \"Resource\": \"*\"}",
                   i ? "," : "", i, i % 11 == 10 ? "Deny" : "Allow", i % 9 == 8 ? "NotAction" : "Action",
                   actions[i % 7], actions[(i * 3 + 1) % 7]);
    }
    buf_str_add(&text, "]}");
    struct iam_policy *policy = iam_policy_parse(buf_str(&text), text.size, IAM_POLICY_IDENTITY, "p", &err);
    REQUIRE(policy && policy->n_indexes > 1, "%s", err.text);
    struct iam_policies policies = { 0 };
    *VEC_ADD(&policies.identity) = policy;
    struct iam_result indexed = { 0 }, whole = { .want_looks = true };
    for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
        struct iam_request *r = iam_request_new();
        iam_request_set_principal(r, as_text("123456789012"), NULL);
        iam_request_set_action(r, as_text(asked[i]), NULL);
        iam_request_set_resource(r, as_text("*"), as_text(""), true);
        CHECK_INT(iam_decide(&policies, r, &indexed), iam_decide(&policies, r, &whole), "%s", asked[i]);
        CHECK_INT(indexed.matched.n, whole.matched.n, "%s", asked[i]);
        for (size_t k = 0; k < indexed.matched.n && k < whole.matched.n; k++) {
            CHECK_STR(indexed.matched.items[k].statement->sid, whole.matched.items[k].statement->sid, "%s", asked[i]);
        }
        CHECK_INT(whole.looks.n, 60, "%s", asked[i]);
        iam_request_free(r);
    }
    iam_result_done(&indexed);
    iam_result_done(&whole);
    iam_policies_done(&policies);
    iam_policy_free(policy);
    buf_done(&text);
}

TEST_MAIN
