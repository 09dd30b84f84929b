#include "base/json.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/json_quick.h"
#include "base/json_scan.h"
#include "tests/test.h"

/* 'size' 0: up to the NUL. */
struct mistake {
    const char *text;
    size_t size;
    int line, column;
    const char *says, *hints;
};
static const struct mistake mistakes[] = {
    { "", 0, 1, 1, "empty", "" },
    { " \n\t", 0, 1, 1, "empty", "" },
    { "{\n  \"a\": 1,\n}", 0, 2, 9, "a comma before `}`", "remove the comma after the last member" },
    { "[1, 2,]", 0, 1, 6, "a comma before `]`", "remove the comma after the last item" },
    { "[1,,2]", 0, 1, 4, "two commas", "" },
    { "{'a': 1}", 0, 1, 2, "single quote", "double quotes" },
    { "{\"a\": 'b'}", 0, 1, 7, "single quote", "double quotes" },
    { "{\n  \"a\": 1\n  \"b\": 2\n}", 0, 3, 3, "a comma is missing before `\"b\"`", "after the member before it" },
    { "[1 2]", 0, 1, 4, "a comma is missing before `2`", "after the item before it" },
    { "[{\"a\": 1} {\"b\": 2}]", 0, 1, 11, "a comma is missing before `{`", "" },
    { "{\"a\" 1}", 0, 1, 6, "a colon is missing after `\"a\"`", "\"name\": value" },
    { "{\"a\" = 1}", 0, 1, 6, "a colon is missing", "not `=`" },
    { "{\"a\"", 0, 1, 5, "the text ends, but nothing closes `{` of 1:1", "opened at 1:1 with `}`" },
    { "{\"a\": }", 0, 1, 7, "`\"a\"` has no value", "" },
    { "{\"a\":", 0, 1, 6, "nothing closes `{`", "" },
    { "{a: 1}", 0, 1, 2, "member name `a` without quotes", "`\"a\"`" },
    { "{1: 2}", 0, 1, 2, "without quotes", "" },
    { "{\n  // a remark\n  \"a\": 1}", 0, 2, 3, "a comment", "no comments" },
    { "[1, /* two */ 2]", 0, 1, 5, "a comment", "no comments" },
    { "# remark\n{}", 0, 1, 1, "a comment", "no comments" },
    { "{\"a\": 1 # remark\n}", 0, 1, 9, "a comment", "no comments" },
    { "{\n \"a\": [1, 2\n}", 0, 3, 1, "`}` does not close `[` of 2:7", "opened at 2:7 with `]`" },
    { "{\n \"a\": {\"b\": [\n", 0, 3, 1, "nothing closes `[` of 2:13", "opened at 2:13 with `]`" },
    { "[1}", 0, 1, 3, "`}` does not close `[`", "" },
    { "{]", 0, 1, 2, "`]` does not close `{`", "" },
    { "{\"a\": [}", 0, 1, 8, "`}` does not close `[`", "" },
    { "{}}", 0, 1, 3, "closes nothing", "" },
    { "{} {}", 0, 1, 4, "a second value", "one value" },
    { "{} x", 0, 1, 4, "found `x`, expected the end", "" },
    { "{\n \"a\": 1,\n \"b\": 2,\n  \"a\": 3}", 0, 4, 3, "member `a` stands twice", "the first one is at 2:2" },
    { "{\"\\u0061\": 1, \"a\": 3}", 0, 1, 15, "member `a` stands twice", "1:2" },
    { "{\"x\": {\"a\": 1}, \"y\": {\"a\": 1, \"b\": 0, \"a\": 2}}", 0, 1, 39, "member `a` stands twice", "1:23" },
    { "\xef\xbb\xbf{}", 0, 1, 1, "a byte-order mark", "without a byte-order mark" },
    { "{\xe2\x80\x9c"
      "a\xe2\x80\x9d: 1}",
      0, 1, 2, "typographic quote", "word processor" },
    { "{\"\xc3\xa9\": \xe2\x80\x98"
      "b\xe2\x80\x99}",
      0, 1, 7, "typographic quote", "word processor" },
    { "{\"a\":\xc2\xa0"
      "1}",
      0, 1, 6, "a no-break space", "ordinary space" },
    { "{\"a\": 1}\0", 9, 1, 9, "NUL", "" },
    { "{\"a\": \"b\0c\"}", 12, 1, 9, "NUL byte inside a string", "" },
    { "{\"a\": \"b\\u0000c\"}", 0, 1, 9, "NUL character", "" },
    { "{\"a\": \"\xff\"}", 0, 1, 8, "byte 0xff is not UTF-8", "save the file as UTF-8" },
    { "{\"a\": \"\xc0\x80\"}", 0, 1, 8, "byte 0xc0 is not UTF-8", "" },
    { "{\"a\": \"\xed\xa0\x80\"}", 0, 1, 8, "byte 0xed is not UTF-8", "" },
    { "{\"a\": \"\xe2\x82\"}", 0, 1, 8, "byte 0xe2 is not UTF-8", "" },
    { "[\xff]", 0, 1, 2, "byte 0xff is not UTF-8", "" },
    { "{\"a\": \"b\n\"}", 0, 1, 7, "not closed on its line", "`\\n`" },
    { "{\"a\": \"b", 0, 1, 7, "this string is never closed", "" },
    { "{\"a\": \"\t\"}", 0, 1, 8, "control character 0x09", "`\\t`" },
    { "{\"a\": \"C:\\dir\"}", 0, 1, 10, "`\\d", "write a backslash as `\\\\`" },
    { "{\"a\": \"\\u12g4\"}", 0, 1, 8, "four hexadecimal digits", "" },
    { "{\"a\": \"\\ud800\"}", 0, 1, 8, "half of a character", "" },
    { "{\"a\": \"\\udc00\"}", 0, 1, 8, "half of a character", "" },
    { "{\"Account\": 012345678901}", 0, 1, 13, "begins with 0", "quotes" },
    { "[1.]", 0, 1, 2, "`1.` is not a number", "" },
    { "[1e]", 0, 1, 2, "`1e` is not a number", "" },
    { "[-]", 0, 1, 2, "`-` is not a number", "" },
    { "[+1]", 0, 1, 2, "found `+`, expected a value", "" },
    { "[.5]", 0, 1, 2, "found `.`, expected a value", "" },
    { "[10.0.0.0/16]", 0, 1, 2, "`10.0.0.0` is not a number", "double quotes" },
    { "[1e999]", 0, 1, 6, "", "" },
    { "{\"a\": True}", 0, 1, 7, "found `True`", "JSON writes `true`" },
    { "{\"a\": None}", 0, 1, 7, "found `None`", "JSON writes `null`" },
    { "{\"a\": Allow}", 0, 1, 7, "found `Allow`", "`\"Allow\"`" },
    { "{\"\xc3\xa9\xc3\xa9\": tru}", 0, 1, 8, "found `tru`", "" },
    { "[\"a\": 1]", 0, 1, 5, "`:` inside a list", "`{` and `}`" },
    { "{,}", 0, 1, 2, "found `,`, expected a member's name", "" },
};

static struct err
read_error(const char *text, size_t size)
{
    struct err err = { 0 };
    json_t *value = json_read(text, size, "policy.json", &err);
    CHECK(value == NULL, "%s was read", text);
    json_decref(value);
    return err;
}

TEST(json_read_says_what_is_wrong_and_where)
{
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        const struct mistake *m = &mistakes[i];
        struct err err = read_error(m->text, m->size ? m->size : strlen(m->text));
        CHECK_INT(err.kind, ERR_DOCUMENT, "%s", m->text);
        CHECK_STR(err.where, "policy.json", "%s", m->text);
        CHECK(strstr(err.text, m->says), "%s: `%s` lacks `%s`", m->text, err.text, m->says);
        CHECK(strstr(err.hint, m->hints), "%s: hint `%s` lacks `%s`", m->text, err.hint, m->hints);
        CHECK_INT(err.line, m->line, "%s: %s", m->text, err.text);
        CHECK_INT(err.column, m->column, "%s: %s", m->text, err.text);
    }
}

/* Whatever jansson refuses must get our own words: the scanner agrees with it on every prefix of a text that has it
 * all. */
TEST(json_scan_agrees_with_the_parser)
{
    static const char text[] =
        "{\"Version\": \"2012\", \"a\\u00e9\\ud83d\\ude00\": [1, -2.5e+3, 0, true, false, null, {}, []],\n"
        "\"\xc3\xa9\": {\"b\": \"c\\\\\\\"\"}}";
    for (size_t cut = 0; cut < sizeof text; cut++) {
        for (int change = 0; change < 5; change++) {
            char changed[sizeof text];
            memcpy(changed, text, sizeof text);
            if (change > 0) {
                changed[cut] = "\0,}x\""[change]; /* one byte is another */
            }
            size_t size = change > 0 ? sizeof text - 1 : cut;
            struct err err = { 0 };
            json_t *value = json_read(changed, size, "x", &err);
            CHECK((value != NULL) == json_scan(changed, size, NULL, NULL), "%.*s", (int)size, changed);
            CHECK((value == NULL) == (err.text[0] != '\0'), "%.*s", (int)size, changed);
            json_decref(value);
        }
    }
}

/* Every text that differs in one byte from one that has it all: what is read quickly is what jansson reads. */
TEST(json_quick_reads_what_jansson_reads)
{
    static const char text[] =
        "{\"Version\": \"2012-10-17\", \"a\\u00e9\\ud83d\\ude00\": [1, -2.5e+3, 0, -0, 10, 1234567890123456789, "
        "true],\n"
        "\t\"\xc3\xa9\": {\"b\": \"c\\\\\\\"\", \"b2\": \"\", \"c\": {}, \"d\": []}, \"e\": false, \"f\": null}";
    size_t size = sizeof text - 1, n_quick = 0;
    for (size_t at = 0; at < size; at++) {
        for (int byte = 0; byte < 256; byte++) {
            char changed[sizeof text];
            memcpy(changed, text, sizeof text);
            changed[at] = (char)byte;
            json_t *quick = json_quick(changed, size);
            json_t *slow = json_loadb(changed, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
            n_quick += quick != NULL;
            CHECK(!quick || (slow && json_equal(quick, slow)), "byte %zu is 0x%02x: %s", at, (unsigned)byte, changed);
            json_decref(quick);
            json_decref(slow);
        }
    }
    CHECK(n_quick > 1000, "%zu were read quickly", n_quick);
    static const char *const plain[] = {
        "{}",
        " [ ] ",
        "7",
        "-7",
        "\"\"",
        "true",
        "{\"a\": {\"b\": [1, 2.5, \"x\\ny\", null]}}\n",
        "[\"\xc3\xa9\", false]",
    };
    for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
        json_t *quick = json_quick(plain[i], strlen(plain[i]));
        json_t *slow = json_loads(plain[i], JSON_DECODE_ANY, NULL);
        CHECK(quick && json_equal(quick, slow), "%s", plain[i]);
        json_decref(quick);
        json_decref(slow);
    }
}

TEST(json_read_stops_at_512_levels)
{
    char text[1200];
    for (int depth = 511; depth <= 513; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        struct err err = { 0 };
        json_t *value = json_read(text, (size_t)depth * 2, "deep", &err);
        CHECK((value != NULL) == (depth <= 512), "%d levels", depth);
        if (depth > 512) {
            CHECK_INT(err.column, 513);
            CHECK(strstr(err.text, "512 brackets"), "%s", err.text);
        }
        json_decref(value);
    }
    /* Far more, as an attacker sends it. */
    size_t many = 1 << 20;
    char *deep = xmalloc(many);
    memset(deep, '[', many);
    struct err err = read_error(deep, many);
    CHECK(strstr(err.text, "512 brackets"), "%s", err.text);
    free(deep);
}

TEST(json_writes_as_the_aws_command_does)
{
    /* Right-hand sides are python's json.dumps(value, indent=4, ensure_ascii=False). */
    static const struct {
        const char *text, *aws, *compact;
    } cases[] = {
        { "{}", "{}\n", "{}" },
        { "[]", "[]\n", "[]" },
        { "{\"Vpcs\": []}", "{\n    \"Vpcs\": []\n}\n", "{\"Vpcs\":[]}" },
        { "{\"A\": {}, \"B\": [1, {\"C\": null}]}",
          "{\n    \"A\": {},\n    \"B\": [\n        1,\n        {\n            \"C\": null\n        }\n    ]\n}\n",
          "{\"A\":{},\"B\":[1,{\"C\":null}]}" },
        { "[true, false, -9223372036854775808]", "[\n    true,\n    false,\n    -9223372036854775808\n]\n",
          "[true,false,-9223372036854775808]" },
        { "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"\n",
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\\\/\\u007f\"", "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"\n",
          "\"\\u0001\\u001f\\b\\f\\n\\r\\t\\\"\\\\/\x7f\"" },
        { "1.0", "1.0\n", "1.0" },
        { "0.1", "0.1\n", "0.1" },
        { "-0.0", "-0.0\n", "-0.0" },
        { "1.5e300", "1.5e+300\n", "1.5e+300" },
        { "1e16", "1e+16\n", "1e+16" },
        { "1e15", "1000000000000000.0\n", "1000000000000000.0" },
        { "0.0001", "0.0001\n", "0.0001" },
        { "0.00001", "1e-05\n", "1e-05" },
        { "1588163041.123", "1588163041.123\n", "1588163041.123" },
        { "5e-324", "5e-324\n", "5e-324" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct buf out = { 0 };
        json_t *value = json_read(cases[i].text, strlen(cases[i].text), "case", &err);
        CHECK_OK(&err, "%s", cases[i].text);
        json_write_aws(value, &out);
        CHECK_STR(buf_str(&out), cases[i].aws, "%s", cases[i].text);
        buf_clear(&out);
        json_write_compact(value, &out);
        CHECK_STR(buf_str(&out), cases[i].compact, "%s", cases[i].text);
        buf_done(&out);
        json_decref(value);
    }
}

TEST(json_members_have_defaults)
{
    struct err err = { 0 };
    const char *text = "{\"s\": \"x\", \"i\": 7, \"f\": true, \"o\": {\"p\": {\"q\": 1}}}";
    json_t *value = json_read(text, strlen(text), "case", &err);
    CHECK_STR(json_str(value, "s"), "x");
    CHECK_STR(json_str(value, "i"), NULL);
    CHECK_STR(json_str(NULL, "i"), NULL);
    CHECK_INT(json_int(value, "i", 1), 7);
    CHECK_INT(json_int(value, "s", 1), 1);
    CHECK(json_flag(value, "f", false));
    CHECK(json_flag(value, "none", true));
    CHECK_INT(json_integer_value(json_at(value, "o.p.q")), 1);
    CHECK(json_at(value, "o.p") == json_object_get(json_object_get(value, "o"), "p"));
    CHECK(!json_at(value, "o.x.q") && !json_at(value, "s.x") && !json_at(NULL, "x"));
    json_decref(value);
}

TEST(file_write_atomic_replaces_or_leaves)
{
    char directory[] = "/tmp/vpclab-test-XXXXXX";
    REQUIRE(mkdtemp(directory));
    char *path = xasprintf("%s/state.json", directory);
    struct err err = { 0 };
    struct buf text = { 0 };
    struct stat st;
    CHECK(file_write_atomic(path, "{}\n", 3, &err), "%s", err.text);
    CHECK(chmod(path, 0600) == 0);
    CHECK(file_write_atomic(path, "[1]\n", 4, &err), "%s", err.text);
    CHECK(buf_read_file(&text, path, 100, &err), "%s", err.text);
    CHECK_STR(buf_str(&text), "[1]\n");
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600, "the permissions stay");
    CHECK(unlink(path) == 0);
    CHECK(rmdir(directory) == 0, "no temporary file is left");

    /* The directory is gone: nothing can be written, and the error says which file. */
    CHECK(!file_write_atomic(path, "{}", 2, &err));
    CHECK_INT(err.kind, ERR_MACHINE);
    CHECK_STR(err.where, path);
    buf_done(&text);
    free(path);
}

TEST(json_read_file_names_the_file)
{
    struct err err = { 0 };
    CHECK(!json_read_file("/nonexistent/bucket.json", &err));
    CHECK_INT(err.kind, ERR_MACHINE);
    CHECK(strstr(err.where, "/nonexistent/bucket.json") || strstr(err.text, "/nonexistent/bucket.json"), "%s %s",
          err.where, err.text);
}

TEST_MAIN
