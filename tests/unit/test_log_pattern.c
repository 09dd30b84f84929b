/* CloudWatch Logs' filter patterns on flow log records.
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html */
#include "cloud/log_pattern.h"
#include "tests/test.h"

#define RECORD                                                                                                         \
    "2 123456789010 eni-1235b8ca 172.31.9.69 172.31.9.12 49761 3389 6 20 4249 1418530010 1418530070 REJECT OK"

TEST(log_pattern_matches_lines)
{
    static const struct {
        const char *pattern;
        bool matches;
    } cases[] = {
        { NULL, true },
        { "", true },
        { "REJECT", true },
        { "REJECT 3389", true },
        { "REJECT 22", false },
        { "reject", false }, /* case counts */
        { "338", false },    /* a term is a whole word */
        { "\"REJECT OK\"", true },
        { "\"OK REJECT\"", false },
        { "?ACCEPT ?REJECT", true },
        { "?ACCEPT ?NODATA", false },
        { "REJECT -OK", false },
        { "REJECT -NODATA", true },
        { "?ACCEPT ?REJECT -6", false },
        { "[]", false }, /* a name is missing: see below */
        { "[..., action=REJECT, status]", true },
        { "[..., action=\"REJECT\", status]", true },
        { "[..., action=ACCEPT, status]", false },
        { "[version, account, eni, src, dst, srcport, dstport=3389, protocol=\"6\", packets, bytes, start, end, "
          "action, status]",
          true },
        { "[version, account, eni, src, dst, srcport, dstport=22, ...]", false },
        { "[version, account, eni, src, dst, srcport, dstport=22 || dstport=3389, ...]", true },
        { "[version, account, eni, src, dst, srcport, dstport>3000 && dstport<3389, ...]", false },
        { "[version, account, eni, src, dst, srcport, dstport>=3389 && dstport<=3389, ...]", true },
        { "[version, account, eni, src=172.31.9.*, ...]", true },
        { "[version, account, eni, src!=172.31.*, ...]", false },
        { "[version, account, eni]", false }, /* the line has more words */
        { "[..., packets<1000]", false },     /* OK is no number */
        { "{ $.action = REJECT }", false },   /* no JSON */
        { " REJECT ", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct log_pattern *pattern = log_pattern_parse(cases[i].pattern, &err);
        if (cases[i].pattern && strcmp(cases[i].pattern, "[]") == 0) {
            CHECK(!pattern && strcmp(err.code, "InvalidParameterException") == 0, "[]: %s", err.text);
            continue;
        }
        REQUIRE(pattern, "%s: %s", cases[i].pattern, err.text);
        CHECK(log_pattern_match(pattern, RECORD) == cases[i].matches, "`%s`", cases[i].pattern);
        log_pattern_free(pattern);
    }
}

TEST(log_pattern_refuses_what_it_cannot_read)
{
    static const char *const cases[] = { "\"open", "[a, b",      "[a b]", "[a=]",          "[a, , c]",  "[a<b]",
                                         "[a] x",  "[a=1 && 2]", "- x",   "[..., a, ...]", "[a=\"open]" };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct log_pattern *pattern = log_pattern_parse(cases[i], &err);
        CHECK(!pattern, "`%s` was read", cases[i]);
        CHECK_STR(err.code, "InvalidParameterException", "%s", cases[i]);
        CHECK(*err.hint, "%s", cases[i]);
        log_pattern_free(pattern);
    }
}

TEST_MAIN
