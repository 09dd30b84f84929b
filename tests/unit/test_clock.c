#include "tests/test.h"

#include <time.h>

#include "base/clock.h"

TEST(clock_reads_times)
{
    static const struct {
        const char *text;
        const char *utc; /* NULL: refused */
    } cases[] = {
        { "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z" },
        { "2026-01-02t03:04:05z", "2026-01-02T03:04:05.000Z" },
        { "2026-01-02T03:04:05.6Z", "2026-01-02T03:04:05.600Z" },
        { "2026-01-02T03:04:05.6789Z", "2026-01-02T03:04:05.678Z" },
        { "2020-03-03 01:21:01+00:00", "2020-03-03T01:21:01.000Z" },
        { "2020-03-03T01:21:01+02:30", "2020-03-02T22:51:01.000Z" },
        { "2020-03-03T01:21:01-0800", "2020-03-03T09:21:01.000Z" },
        { "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z" },
        { "1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z" },
        { "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z" },
        { "2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000Z" },
        { "2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z" },
        { "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z" },
        { "0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z" },
        { "1900-02-29T00:00:00Z", NULL },
        { "2023-02-29T00:00:00Z", NULL },
        { "2026-13-01T00:00:00Z", NULL },
        { "2026-00-01T00:00:00Z", NULL },
        { "2026-01-00T00:00:00Z", NULL },
        { "2026-04-31T00:00:00Z", NULL },
        { "2026-01-01T24:00:00Z", NULL },
        { "2026-01-01T00:60:00Z", NULL },
        { "2026-01-01T00:00:00", NULL },
        { "2026-01-01T00:00:00.Z", NULL },
        { "2026-01-01T00:00:00Zx", NULL },
        { "2026-01-01T00:00:00+1:00", NULL },
        { "2026-01-01T00:00:00+24:00", NULL },
        { "2026-1-1T00:00:00Z", NULL },
        { "2026-01-01", NULL },
        { "now", NULL },
        { "", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms = 0;
        char text[32];
        bool ok = clock_parse(cases[i].text, &ms);
        CHECK_INT(ok, cases[i].utc != NULL, "`%s`", cases[i].text);
        if (ok && cases[i].utc) {
            clock_format_ms(ms, text);
            CHECK_STR(text, cases[i].utc, "`%s`", cases[i].text);
        }
    }
}

TEST(clock_prints_what_gmtime_says)
{
    for (int64_t s = -5000000000; s < 20000000000; s += 86399 * 97) {
        time_t t = (time_t)s;
        struct tm tm;
        char expected[64], text[32];
        gmtime_r(&t, &tm);
        strftime(expected, sizeof expected, "%Y-%m-%dT%H:%M:%SZ", &tm);
        clock_format_s(s * 1000 + 999, text);
        CHECK_STR(text, expected, "%" PRId64, s);
        int64_t back;
        CHECK(clock_parse(text, &back) && back == s * 1000, "%s", text);
    }
}

TEST(clock_stands_still_when_set)
{
    struct clock clock = { 0 };
    int64_t before = (int64_t)time(NULL) * 1000;
    CHECK(clock_now_ms(&clock) >= before && clock_now_ms(&clock) < before + 60000);
    clock_advance_ms(&clock, 3600000);
    CHECK(clock_now_ms(&clock) >= before + 3600000);
    clock_set_ms(&clock, 1000);
    CHECK_INT(clock_now_ms(&clock), 1000);
    clock_advance_ms(&clock, 500);
    CHECK_INT(clock_now_ms(&clock), 1500);
}

TEST_MAIN
