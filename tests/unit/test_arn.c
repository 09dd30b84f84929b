#include "tests/test.h"

#include "base/arn.h"

TEST(arn_has_six_fields)
{
    static const struct {
        const char *text;
        const char *partition, *service, *region, *account, *resource; /* partition NULL: refused */
    } cases[] = {
        { "arn:aws:s3:::bucket/key", "aws", "s3", "", "", "bucket/key" },
        { "arn:aws:iam::123456789012:role/path/name", "aws", "iam", "", "123456789012", "role/path/name" },
        { "arn:aws-cn:sns:cn-north-1:123456789012:topic:a:b", "aws-cn", "sns", "cn-north-1", "123456789012",
          "topic:a:b" },
        { "arn:*:*:*:*:*", "*", "*", "*", "*", "*" },
        { "arn:::::", "", "", "", "", "" },
        { "arn:aws:s3::", NULL, 0, 0, 0, 0 },
        { "arn:aws:s3", NULL, 0, 0, 0, 0 },
        { "ARN:aws:s3:::b", NULL, 0, 0, 0, 0 },
        { "arn", NULL, 0, 0, 0, 0 },
        { "*", NULL, 0, 0, 0, 0 },
        { "", NULL, 0, 0, 0, 0 },
        { " arn:aws:s3:::b", NULL, 0, 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct arn arn;
        bool ok = arn_parse(cases[i].text, &arn);
        CHECK_INT(ok, cases[i].partition != NULL, "`%s`", cases[i].text);
        if (ok && cases[i].partition) {
            CHECK(arn_part_is(arn.partition, cases[i].partition), "`%s`", cases[i].text);
            CHECK(arn_part_is(arn.service, cases[i].service), "`%s`", cases[i].text);
            CHECK(arn_part_is(arn.region, cases[i].region), "`%s`", cases[i].text);
            CHECK(arn_part_is(arn.account, cases[i].account), "`%s`", cases[i].text);
            CHECK(arn_part_is(arn.resource, cases[i].resource), "`%s`", cases[i].text);
        }
    }
}

TEST(arn_part_is_compares_the_whole_part)
{
    struct arn arn;
    REQUIRE(arn_parse("arn:aws:s3:::bucket", &arn));
    CHECK(!arn_part_is(arn.service, "s"));
    CHECK(!arn_part_is(arn.service, "s3x"));
    CHECK(!arn_part_is(arn.service, ""));
    CHECK(!arn_part_is(arn.region, "s3"));
}

TEST_MAIN
