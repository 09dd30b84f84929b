#include "tests/test.h"

#include "base/err.h"

static bool
is_utf8(const char *text)
{
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        int more = *p < 0x80 ? 0 : *p >> 5 == 6 ? 1 : *p >> 4 == 14 ? 2 : *p >> 3 == 30 ? 3 : -1;
        if (more < 0) {
            return false;
        }
        for (p++; more > 0; more--, p++) {
            if (*p >> 6 != 2) {
                return false;
            }
        }
    }
    return true;
}

TEST(err_keeps_the_first_error)
{
    struct err err = { 0 };
    CHECK(!err_set(&err, ERR_INPUT, "InvalidVpcID.NotFound", "no VPC `%s`", "vpc-1"));
    CHECK(!err_set(&err, ERR_FAULT, "Other", "other"));
    CHECK_STR(err.code, "InvalidVpcID.NotFound");
    CHECK_STR(err.text, "no VPC `vpc-1`");
    CHECK_INT(err.kind, ERR_INPUT);
    err_hint(&err, "try %d", 1);
    err_hint(&err, "try %d", 2);
    CHECK_STR(err.hint, "try 1");
    err_at(&err, "a.json", 3, 4);
    err_at(&err, "b.json", 5, 6);
    CHECK_STR(err.where, "a.json");
    CHECK_INT(err.line, 3);
    CHECK_INT(err.column, 4);
    err_clear(&err);
    CHECK_OK(&err);
    CHECK_STR(err.hint, "");
}

TEST(err_needs_an_error_before_a_hint)
{
    struct err err = { 0 };
    err_hint(&err, "hint");
    err_at(&err, "x", 1, 1);
    CHECK_STR(err.hint, "");
    CHECK_STR(err.where, "");
    CHECK(!err_set(NULL, ERR_INPUT, "X", "x") && !err_hint(NULL, "x") && !err_at(NULL, "x", 1, 1));
}

TEST(err_cuts_long_text_between_characters)
{
    for (size_t pad = 0; pad < 5; pad++) {
        char text[2000];
        memset(text, 'x', pad);
        for (size_t i = pad; i + 4 < sizeof text; i += 4) {
            memcpy(text + i, "\xf0\x9f\x8c\x8d", 5);
        }
        struct err err = { 0 };
        err_set(&err, ERR_INPUT, text, "%s", text);
        err_hint(&err, "%s", text);
        err_at(&err, text, 1, 1);
        const char *const cut[] = { err.code, err.text, err.hint, err.where };
        const size_t room[] = { sizeof err.code, sizeof err.text, sizeof err.hint, sizeof err.where };
        for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
            size_t size = strlen(cut[i]);
            CHECK(size < room[i] && size + 8 > room[i], "pad %zu: %zu of %zu", pad, size, room[i]);
            CHECK(is_utf8(cut[i]), "pad %zu: %s", pad, cut[i]);
            CHECK_STR(cut[i] + size - 3, "...", "pad %zu", pad);
        }
    }
}

TEST(err_exit_status_is_the_documented_one)
{
    static const struct {
        enum err_kind kind;
        int status;
    } cases[] = { { ERR_NONE, 0 },     { ERR_INPUT, 4 },   { ERR_USAGE, 2 },
                  { ERR_DOCUMENT, 3 }, { ERR_MACHINE, 5 }, { ERR_FAULT, 70 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CHECK_INT(err_exit_status(&(struct err){ .kind = cases[i].kind }), cases[i].status, "kind %d", cases[i].kind);
    }
}

TEST_MAIN
