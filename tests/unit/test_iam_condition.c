/* Condition operators: the order of absent keys, negation, lists and IfExists, and the typed values they compare. */
#include "tests/test.h"

#include <stdlib.h>
#include "iampolicy/condition.h"
#include "iampolicy/remark.h"
#include "iampolicy/request.h"

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

/* "a|b" in the policy, "x|y" in the request; NULL: absent; "[x|y]": a list. */
static bool
holds(const char *operator_, const char *policy, const char *asked, unsigned *remarks)
{
    struct iam_request *request = iam_request_new();
    struct iam_condition c = { 0 };
    struct iam_condition_value values[8] = { 0 };
    const char *near;
    char text[200];
    *remarks = 0;
    REQUIRE(iam_condition_operator(as_text(operator_), &c.op, &c.qualifier, &c.if_exists, &near), "%s", operator_);
    c.key = iam_key_make(request->arena, as_text("aws:PrincipalTag/team"));
    snprintf(text, sizeof text, "%s", policy);
    for (char *save, *v = strtok_r(text, "|", &save); v; v = strtok_r(NULL, "|", &save)) {
        iam_condition_value_compile(request->arena, c.op, as_text(v), true, &values[c.n]);
        c.any_valid |= values[c.n++].valid;
    }
    c.values = values;
    if (asked) {
        struct iam_text list[8];
        uint32_t n = 0;
        bool multi = asked[0] == '[';
        snprintf(text, sizeof text, "%s", asked + multi);
        if (multi) {
            text[strlen(text) - 1] = '\0';
            for (char *save, *v = strtok_r(text, "|", &save); v; v = strtok_r(NULL, "|", &save)) {
                list[n++] = as_text(v);
            }
        } else {
            list[n++] = as_text(text);
        }
        iam_request_set_context(request, as_text("AWS:principaltag/TEAM"), list, n, multi);
    }
    iam_request_set_string(request, "aws:username", "bob");
    bool result = iam_condition_holds(&c, request, remarks);
    iam_request_free(request);
    return result;
}

struct fact {
    const char *operator_, *policy, *asked;
    bool holds;
};

static void
check_facts(const struct fact *facts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned remarks;
        const struct fact *f = &facts[i];
        CHECK(holds(f->operator_, f->policy, f->asked, &remarks) == f->holds, "%s %s <- %s should be %d", f->operator_,
              f->policy, f->asked ? f->asked : "absent", f->holds);
    }
}

/* The six cases whose order of rules decides (evaluation specification, section 4). */
TEST(absent_keys_negation_and_sets)
{
    static const struct fact facts[] = {
        { "StringNotEquals", "a", NULL, true },
        { "StringNotEqualsIfExists", "a", NULL, true },
        { "ForAllValues:StringEquals", "a", NULL, true },
        { "ForAnyValue:StringNotEquals", "a", NULL, false },
        { "ForAnyValue:StringNotEquals", "a", "[a|b]", true },
        { "ForAllValues:StringNotEquals", "a", "[a|b]", false },
        { "StringEquals", "a", NULL, false },
        { "StringEqualsIfExists", "a", NULL, true },
        { "StringEqualsIfExists", "a", "b", false },
        { "StringNotEqualsIfExists", "a", "a", false },
        { "StringNotEquals", "a|b", "b", false }, /* NOR, not OR of differences */
        { "StringNotEquals", "a|b", "c", true },
        { "ForAnyValue:StringEqualsIfExists", "a", NULL, true },
        { "ForAllValues:StringEquals", "a", "", true }, /* the empty text is a null set */
        { "ForAnyValue:StringEquals", "a", "", false },
        { "ForAllValues:StringEquals", "a|b", "[a]", true },
        { "ForAllValues:StringEquals", "a", "a", true }, /* one value is a set of one */
        { "ForAllValues:StringNotLike", "A*|B*", "[Apple|Cherry]", false },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(null_asks_whether_the_key_is_there)
{
    static const struct fact facts[] = {
        { "Null", "true", NULL, true },
        { "Null", "false", NULL, false },
        { "Null", "true", "a", false },
        { "Null", "false", "a", true },
        { "Null", "true", "", true },
        { "Null", "TRUE", NULL, true },
        { "Null", "true|false", "a", true },
        { "ForAllValues:Null", "true", "a", true },
        { "ForAnyValue:Null", "true", NULL, false },
        { "Null", "maybe", NULL, false },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(lists_need_a_qualifier)
{
    unsigned remarks;
    CHECK(!holds("StringEquals", "a", "[a]", &remarks) && remarks & IAM_REMARK_MISSING_QUALIFIER);
    CHECK(!holds("StringNotEquals", "a", "[b]", &remarks) && remarks & IAM_REMARK_MISSING_QUALIFIER);
    CHECK(holds("ForAnyValue:StringEquals", "a", "[a|b]", &remarks) && !remarks);
}

TEST(wrong_types_match_in_neither_polarity)
{
    static const struct fact facts[] = {
        { "NumericEquals", "1", "one", false },
        { "NumericNotEquals", "1", "one", false },
        { "NumericNotEquals", "one", "1", false },
        { "NumericNotEquals", "one|2", "1", true },
        { "DateNotEquals", "2024-01-01", "x", false },
        { "DateNotEquals", "2024-01-01", "2024-", false },
        { "DateNotEquals", "2024-01-01", "2024-01-", false },
        { "NotIpAddress", "10.0.0.0/8", "x", false },
        { "ArnNotLike", "arn:aws:s3:::b", "b", false },
        { "ArnNotLike", "b", "arn:aws:s3:::b", false },
        { "Bool", "true", "yes", false },
        { "BinaryEquals", "YQ==", "YQ", false },
        { "NumericEqualsIfExists", "one", NULL, true },
    };
    unsigned remarks;
    check_facts(facts, ARRAY_SIZE(facts));
    CHECK(!holds("NumericNotEquals", "1", "one", &remarks) && remarks & IAM_REMARK_REQUEST_VALUE);
    CHECK(!holds("NumericNotEquals", "one", "1", &remarks) && remarks & IAM_REMARK_POLICY_VALUE);
}

TEST(strings)
{
    static const struct fact facts[] = {
        { "StringEquals", "a*", "abc", false },
        { "StringEquals", "a*", "a*", true },
        { "StringLike", "a*", "abc", true },
        { "StringLike", "a?c", "abc", true },
        { "StringLike", "a?c",
          "a\xC3\xA9"
          "c",
          true },
        { "StringLike", "a?c", "ac", false },
        { "StringLike", "*", "", true },
        { "StringLike", "**x*", "aaxa", true },
        { "StringLike", "ABC", "abc", false },
        { "StringNotLike", "a*|b*", "c", true },
        { "StringEqualsIgnoreCase",
          "\xC3\x84"
          "bc",
          "\xC3\xA4"
          "BC",
          true },
        { "StringEqualsIgnoreCase", "\xC3\x97", "\xC3\xB7", false }, /* the multiplication sign is no letter */
        { "StringEquals", "${aws:username}", "bob", true },
        { "StringLike", "${aws:username}*", "bobby", true },
        { "StringNotEquals", "${aws:userid}", "x", true }, /* a variable without value equals nothing */
        { "StringEquals", "${aws:userid, 'x'}", "x", true },
        { "StringLike", "${*}", "abc", false },
        { "StringLike", "${*}", "*", true },
        { "stringequals", "a", "a", true }, /* operators in any case (choice C-10) */
        { "FORANYVALUE:STRINGLIKEIFEXISTS", "a", "[a]", true },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(numbers_are_exact)
{
    static const struct fact facts[] = {
        { "NumericEquals", "10", "10.0", true },
        { "NumericEquals", "10", "1e1", true },
        { "NumericEquals", "0", "-0.00", true },
        { "NumericEquals", "9007199254740993", "9007199254740992", false },
        { "NumericLessThan", "9007199254740993", "9007199254740992", true },
        { "NumericLessThan", "0.1", "0.09999999999999999999999999", true },
        { "NumericGreaterThan", "-1", "-0.5", true },
        { "NumericGreaterThan", "1e-400", "1e-399", true },
        { "NumericLessThanEquals", "16", "16", true },
        { "NumericGreaterThanEquals", "16", "15.999", false },
        { "NumericEquals", "100", "1E2", true },
        { "NumericEquals", "+7", "7", true },
        { "NumericEquals", ".5", "0.5", true },
        { "NumericNotEquals", "1", "1.0", false },
        { "NumericEquals", "1", "1x", false },
        { "NumericEquals", "1", "", false },
        { "NumericEquals", "1", ".", false },
        { "NumericEquals", "0.00120", "120e-5", true },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(dates_are_instants)
{
    static const struct fact facts[] = {
        { "DateEquals", "2024-01-01T00:00:00Z", "2024-01-01", true },
        { "DateEquals", "2024-01-01T00:00:00Z", "2024-01", true },
        { "DateEquals", "2024-01-01T00:00:00Z", "1704067200", true },
        { "DateEquals", "2024-01-01T01:00:00+01:00", "2024-01-01T00:00Z", true },
        { "DateEquals", "2024-01-01T00:00:00", "2023-12-31T19:00:00-05:00", true },
        { "DateLessThan", "2024-01-01T00:00:00.000000002Z", "2024-01-01T00:00:00.000000001Z", true },
        { "DateGreaterThan", "1969-12-31T23:59:59Z", "1970-01-01", true },
        { "DateEquals", "2024-02-29", "2024-02-29T00:00:00Z", true },
        { "DateEquals", "2023-02-29", "2023-02-29T00:00:00Z", false }, /* there is no such day */
        { "DateEquals", "2024", "1970-01-01T00:33:44Z", true },        /* four digits are seconds (choice C-14) */
        { "DateEquals", "2024-01-01T24:00:00Z", "2024-01-02", false },
        { "DateEquals", "2024-01-01", "2024-1-1", false },
        { "DateEquals", "2024-01-01", "2024-01-01T00:00:00Zx", false },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(addresses)
{
    static const struct fact facts[] = {
        { "IpAddress", "10.0.0.0/8", "10.255.255.255", true },
        { "IpAddress", "10.1.2.3/8", "10.9.9.9", true },
        { "IpAddress", "10.0.0.0/8", "11.0.0.0", false },
        { "IpAddress", "10.0.0.1", "10.0.0.1", true },
        { "IpAddress", "2001:db8::/32", "2001:db8:ffff::1", true },
        { "IpAddress", "::/0", "10.0.0.1", false },
        { "IpAddress", "0.0.0.0/0", "2001:db8::1", false },
        { "IpAddress", "10.0.0.0/8", "::ffff:10.1.1.1", true },
        { "IpAddress", "::ffff:10.0.0.0/104", "10.1.1.1", true },
        { "NotIpAddress", "10.0.0.0/8|192.168.0.0/16", "192.168.1.1", false },
        { "NotIpAddress", "10.0.0.0/8", "2001:db8::1", true },
        { "IpAddress", "10.0.0.0/33", "10.0.0.0", false },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(arns_are_compared_part_by_part)
{
    static const struct fact facts[] = {
        { "ArnLike", "arn:aws:s3:::b*", "arn:aws:s3:::bucket/key:x", true },
        { "ArnLike", "arn:*:s3:::b", "arn:aws-cn:s3:::b", true },
        { "ArnLike", "arn:*:b", "arn:aws:s3:::b", false }, /* three parts */
        { "ArnLike", "arn:aws:*:*:*:b", "arn:aws:s3:::b", true },
        { "ArnLike", "arn:aws:s*:b", "arn:aws:s3:::b", false },
        { "ArnEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:eu:1:t", true }, /* the same as ArnLike */
        { "ArnNotEquals", "arn:aws:sns:*:1:t", "arn:aws:sns:eu:1:t", false },
        { "ArnNotLike", "arn:aws:sns:*:1:t", "arn:aws:sns:eu:2:t", true },
        { "ArnLike", "arn:aws:iam::1:user/${aws:username}", "arn:aws:iam::1:user/bob", true },
        { "ArnLike", "arn:aws:iam::1:user/${aws:userid}", "arn:aws:iam::1:user/bob", false },
    };
    check_facts(facts, ARRAY_SIZE(facts));
}

TEST(operator_names_and_suggestions)
{
    static const struct {
        const char *name, *suggestion;
    } cases[] = {
        { "StringEqual", "StringEquals" },
        { "StringLikes", "StringLike" },
        { "IPAdress", "IpAddress" },
        { "ForAnyValues:StringEquals", "ForAnyValue:" },
        { "ForAllValue:StringLike", "ForAllValues:" },
        { "Boolean", "Bool" },
        { "NumericLessThen", "NumericLessThan" },
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct iam_condition_op *op;
        enum iam_qualifier qualifier;
        bool if_exists;
        const char *near = "?";
        CHECK(!iam_condition_operator(as_text(cases[i].name), &op, &qualifier, &if_exists, &near), "%s", cases[i].name);
        CHECK_STR(near, cases[i].suggestion, "%s", cases[i].name);
    }
}

TEST_MAIN
