/* What the real aws command line and jmespath did with the inputs of tests/vectors/cloud/, ours must do too (make.py
 * says how the files were made). */
#include "tests/test.h"

#include <stdlib.h>
#include "base/buf.h"
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/op.h"
#include "cloud/query.h"
#include "cloud/render.h"
#include "cloud/shorthand.h"

typedef void row_check(const json_t *row, void *context);

static size_t
each_row(const char *path, row_check *check, void *context)
{
    struct buf text = { 0 };
    struct err err = { 0 };
    size_t n = 0;
    REQUIRE(buf_read_file(&text, path, JSON_FILE_LIMIT, &err), "%s", err.text);
    for (const char *line = buf_str(&text); *line;) {
        size_t size = strcspn(line, "\n");
        json_t *row = json_read(line, size, path, &err);
        REQUIRE(row != NULL, "line %zu: %s", n + 1, err.text);
        check(row, context);
        json_decref(row);
        n++;
        line += size + (line[size] == '\n');
    }
    buf_done(&text);
    return n;
}

static char *
compact(const json_t *value)
{
    struct buf out = { 0 };
    if (value) {
        json_write_compact(value, &out);
    }
    return buf_steal(&out);
}

/* Equal but for the order of members, and 1 against 1.0. */
static bool
same(const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return json_number_value(a) == json_number_value(b);
    }
    if (json_is_array(a) && json_is_array(b) && json_array_size(a) == json_array_size(b)) {
        for (size_t i = 0; i < json_array_size(a); i++) {
            if (!same(json_array_get(a, i), json_array_get(b, i))) {
                return false;
            }
        }
        return true;
    }
    if (json_is_object(a) && json_is_object(b) && json_object_size(a) == json_object_size(b)) {
        const char *key;
        json_t *value;
        json_object_foreach((json_t *)a, key, value)
        {
            if (!json_object_get(b, key) || !same(value, json_object_get(b, key))) {
                return false;
            }
        }
        return true;
    }
    return json_equal(a, b);
}

static void
compare(const char *what, const json_t *row, const json_t *got, const char *member, const struct err *err)
{
    const json_t *expected = json_object_get(row, member);
    char *got_text = compact(got), *expected_text = compact(expected);
    if (!expected) {
        CHECK(!got, "%s: refused by the original, ours gives %s", what, got_text);
        CHECK(got || err->text[0], "%s: refused without a word", what);
    } else if (CHECK(got != NULL, "%s: %s", what, err->text)) {
        CHECK(same(got, expected), "%s: got %s, expected %s", what, got_text, expected_text);
    }
    free(got_text);
    free(expected_text);
}

static void
check_shorthand(const json_t *row, void *context)
{
    (void)context;
    struct err err = { 0 };
    const char *text = json_str(row, "text");
    json_t *got = shorthand_read(text, &err);
    compare(text, row, got, "value", &err);
    json_decref(got);
}

TEST(shorthand_is_read_as_by_aws)
{
    CHECK(each_row("tests/vectors/cloud/shorthand.jsonl", check_shorthand, NULL) > 40);
}

static void
check_query(const json_t *row, void *context)
{
    json_t *inputs = context;
    if (json_str(row, "name")) {
        json_object_set(inputs, json_str(row, "name"), json_object_get(row, "value"));
        return;
    }
    struct err err = { 0 };
    const char *query = json_str(row, "query");
    json_t *got = query_run(query, json_object_get(inputs, json_str(row, "in")), &err);
    compare(query, row, got, "out", &err);
    json_decref(got);
}

TEST(queries_answer_as_jmespath)
{
    json_t *inputs = json_object();
    CHECK(each_row("tests/vectors/cloud/query.jsonl", check_query, inputs) > 200);
    json_decref(inputs);
}

static void
check_render(const json_t *row, void *context)
{
    (void)context;
    const json_t *value = json_object_get(row, "in");
    struct buf json = { 0 }, text = { 0 };
    char *what = compact(value);
    render_json(value, &json);
    render_text(value, &text);
    CHECK_STR(buf_str(&json), json_str(row, "json"), "json of %s", what);
    CHECK_STR(buf_str(&text), json_str(row, "text"), "text of %s", what);
    free(what);
    buf_done(&json);
    buf_done(&text);
}

TEST(answers_print_as_by_aws)
{
    CHECK(each_row("tests/vectors/cloud/render.jsonl", check_render, NULL) > 30);
}

static bool
never_run(struct op_call *call, struct err *err)
{
    (void)call;
    return err_set(err, ERR_FAULT, "", "not here");
}

static void
check_argv(const json_t *row, void *context)
{
    (void)context;
    const json_t *words = json_object_get(row, "words");
    char *argv[64], *what = compact(words);
    size_t n = json_array_size(words);
    for (size_t i = 0; i < n; i++) {
        argv[i] = (char *)json_string_value(json_array_get(words, i));
    }
    /* A row of its own: the words must be understood whether or not the operation is modelled yet. */
    const struct aws_operation *aws = aws_operation_by_words(argv[0], argv[1]);
    REQUIRE(aws != NULL, "%s", what);
    struct op op = { .service = argv[0], .name = aws_text(aws->name), .run = never_run };
    struct err err = { 0 };
    json_t *got = op_read_argv(&op, n - 2, argv + 2, &err);
    compare(what, row, got, "params", &err);
    CHECK(got || err.kind == ERR_USAGE || err.kind == ERR_DOCUMENT, "%s: kind %d", what, err.kind);
    json_decref(got);
    free(what);
}

TEST(command_lines_become_the_requests_aws_sends)
{
    CHECK(each_row("tests/vectors/cloud/argv.jsonl", check_argv, NULL) > 125);
}

TEST_MAIN
