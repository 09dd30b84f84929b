/* tests/invalid/NAME/: malformed policy documents beside the message expected, word for word.
 *
 *   input.json     the document; its type is the first word of `error`
 *   error          TYPE, a blank, LINE:COLUMN, a blank, the sentence; a second line, if any, is the hint
 *
 * Errors come from iam_policy_parse(); where that accepts, from iam_policy_check_storable(), as when the document is
 * put. */
#include "tests/test.h"

#include <glob.h>
#include <stdlib.h>
#include "base/buf.h"
#include "iampolicy/policy.h"

static enum iam_policy_type
type_of(const char *word)
{
    static const char *const names[] = { "identity", "boundary", "session", "resource",
                                         "trust",    "scp",      "rcp",     "endpoint" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(word, names[i]) == 0) {
            return (enum iam_policy_type)i;
        }
    }
    fail_msg("`%s` is no type of policy", word);
    return IAM_POLICY_IDENTITY;
}

static void
check_folder(const char *path)
{
    char name[300], type[20];
    struct err err = { 0 };
    struct buf input = { 0 }, expected = { 0 }, got = { 0 };
    snprintf(name, sizeof name, "%s/input.json", path);
    buf_read_file(&input, name, 1 << 20, &err);
    snprintf(name, sizeof name, "%s/error", path);
    buf_read_file(&expected, name, 1 << 20, &err);
    CHECK_OK(&err);
    snprintf(type, sizeof type, "%.*s", (int)strcspn(buf_str(&expected), " "), buf_str(&expected));
    struct iam_policy *policy = iam_policy_parse(buf_str(&input), input.size, type_of(type), "p", &err);
    if (policy) {
        iam_policy_check_storable(policy, &err);
    }
    buf_printf(&got, "%s %d:%d %s\n", type, err.line, err.column, err.text);
    if (err.hint[0]) {
        buf_printf(&got, "%s\n", err.hint);
    }
    CHECK(err.kind == ERR_DOCUMENT && strcmp(err.code, "MalformedPolicyDocument") == 0, "%s: %d `%s`", path, err.kind,
          err.code);
    CHECK_STR(buf_str(&got), buf_str(&expected), "%s", path);
    iam_policy_free(policy);
    buf_done(&input);
    buf_done(&expected);
    buf_done(&got);
}

TEST(malformed_documents_are_refused_with_their_place)
{
    glob_t folders;
    glob("tests/invalid/*", GLOB_ONLYDIR, NULL, &folders);
    for (size_t i = 0; i < folders.gl_pathc; i++) {
        check_folder(folders.gl_pathv[i]);
    }
    CHECK(folders.gl_pathc >= 60, "%zu folders", folders.gl_pathc);
    globfree(&folders);
}

TEST(huge_and_deep_documents_are_refused_in_bounded_time)
{
    static const struct {
        const char *what, *unit, *text;
        size_t n;
    } cases[] = {
        { "10 MB of statements", "{\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},",
          "policy is longer than", 200000 },
        { "10,000 deep", "[", "nested", 10000 },
        { "10,000 deep objects", "{\"a\":", "nested", 10000 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf text = { 0 };
        struct err err = { 0 };
        for (size_t n = 0; n < cases[i].n; n++) {
            buf_str_add(&text, cases[i].unit);
        }
        CHECK(!iam_policy_parse(buf_str(&text), text.size, IAM_POLICY_IDENTITY, "p", &err), "%s", cases[i].what);
        CHECK(strstr(err.text, cases[i].text), "%s: %s", cases[i].what, err.text);
        buf_done(&text);
    }
}

TEST(bytes_that_are_no_text_are_refused)
{
    static const struct {
        const char *what, *text;
        size_t size;
    } cases[] = {
        { "a NUL byte", "{\"Version\": \"2012-10-17\0\"}", 26 },
        { "an escaped NUL", "{\"Id\": \"a\\u0000b\"}", 18 },
        { "invalid UTF-8", "{\"Id\": \"\xC3(\"}", 12 },
        { "an overlong form", "{\"Id\": \"\xC0\xAF\"}", 12 },
        { "a surrogate in UTF-8", "{\"Id\": \"\xED\xA0\x80\"}", 13 },
        { "half a surrogate pair", "{\"Id\": \"\\ud800\"}", 16 },
        { "nothing", "", 0 },
        { "blanks", "  \n ", 4 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err err = { 0 };
        struct iam_policy *policy = iam_policy_parse(cases[i].text, cases[i].size, IAM_POLICY_RESOURCE, "p", &err);
        CHECK(!policy && err.kind == ERR_DOCUMENT && err.line >= 1, "%s: %s", cases[i].what, err.text);
        iam_policy_free(policy);
    }
}

TEST_MAIN
