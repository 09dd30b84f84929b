#include "base/json_loc.h"

#include <stdlib.h>
#include <time.h>
#include "base/buf.h"
#include "tests/test.h"

static const char policy[] = "{\n"
                             "  \"Version\": \"2012-10-17\",\n"
                             "  \"\xc3\xa9t\xc3\xa9\": { \"a\\u0062\": [ 1, [ ], { } ] }, \"x\": null,\n"
                             "  \"Statement\": [ {\"Action\": [\"s3:GetObject\", \"s3:PutObject\"]},\n"
                             "    {\"Action\": \"*\"} ]\n"
                             "}\n";

TEST(json_loc_finds_values_by_path)
{
    static const struct {
        const char *path, *value, *key;
        int line, column;
    } cases[] = {
        { "Version", "\"2012-10-17\"", "\"Version\"", 2, 14 },
        { "x", "null", "\"x\"", 3, 47 },
        { "\xc3\xa9t\xc3\xa9.ab[0]", "1", "", 3, 25 },
        { "\xc3\xa9t\xc3\xa9.ab[1]", "[ ]", "", 3, 28 },
        { "\xc3\xa9t\xc3\xa9.ab[2]", "{ }", "", 3, 33 },
        { "\xc3\xa9t\xc3\xa9.ab", "[ 1, [ ], { } ]", "\"a\\u0062\"", 3, 23 },
        { "Statement[0].Action[1]", "\"s3:PutObject\"", "", 4, 46 },
        { "Statement[1]", "{\"Action\": \"*\"}", "", 5, 5 },
        { "Statement[1].Action", "\"*\"", "\"Action\"", 5, 16 },
    };
    struct json_loc *loc = json_loc_new(policy, strlen(policy));
    REQUIRE(loc);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        json_node node = json_loc_path(loc, cases[i].path);
        if (!CHECK(node != JSON_NO_NODE, "%s", cases[i].path)) {
            continue;
        }
        struct json_span span = json_loc_span(loc, node);
        struct buf value = { 0 }, key = { 0 };
        buf_add(&value, policy + span.start, span.end - span.start);
        buf_add(&key, policy + span.key_start, span.key_end - span.key_start);
        CHECK_STR(buf_str(&value), cases[i].value, "%s", cases[i].path);
        CHECK_STR(buf_str(&key), cases[i].key, "%s", cases[i].path);
        struct json_place place = json_loc_place(loc, span.start);
        CHECK_INT(place.line, cases[i].line, "%s", cases[i].path);
        CHECK_INT(place.column, cases[i].column, "%s", cases[i].path);
        buf_done(&value);
        buf_done(&key);
    }
    CHECK_INT(json_loc_path(loc, ""), 0);
    json_loc_free(loc);
}

TEST(json_loc_knows_what_is_not_there)
{
    static const char *const paths[] = { "Versio",
                                         "Versions",
                                         "Version.x",
                                         "Version[0]",
                                         "Statement[2]",
                                         "Statement[-1]",
                                         "Statement[x]",
                                         "Statement[",
                                         "Statement.Action",
                                         "[0]",
                                         "Statement[99999999999999999999]",
                                         "Statement[0]..Action" };
    struct json_loc *loc = json_loc_new(policy, strlen(policy));
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        CHECK(json_loc_path(loc, paths[i]) == JSON_NO_NODE, "%s", paths[i]);
    }
    CHECK(json_loc_member(loc, JSON_NO_NODE, "x") == JSON_NO_NODE);
    CHECK(json_loc_item(loc, JSON_NO_NODE, 0) == JSON_NO_NODE);
    CHECK(json_loc_place(loc, UINT32_MAX).line == 7, "an offset past the end is the end");
    json_loc_free(loc);
    CHECK(!json_loc_new("{", 1) && !json_loc_new("", 0) && !json_loc_new("[1}", 3));
    json_loc_free(NULL);
}

/* Places agree with counting from the start, in a text with long lines, short lines and wide characters. */
TEST(json_loc_place_counts_characters)
{
    struct buf text = { 0 };
    buf_str_add(&text, "[");
    for (int i = 0; i < 200; i++) {
        buf_printf(&text, "%s\"\xc3\xa9\xe2\x82\xac%d\"",
                   i == 0        ? ""
                   : i % 30 == 0 ? ",\n"
                   : i % 7 == 0  ? ",\r\n\n"
                                 : ", ",
                   i);
    }
    buf_str_add(&text, "]");
    struct json_loc *loc = json_loc_new(buf_str(&text), text.size);
    REQUIRE(loc);
    int line = 1, column = 1;
    for (size_t i = 0; i <= text.size; i++) {
        struct json_place place = json_loc_place(loc, (uint32_t)i);
        if ((buf_str(&text)[i] & 0xc0) != 0x80) {
            CHECK(place.line == line && place.column == column, "byte %zu: %d:%d, not %d:%d", i, place.line,
                  place.column, line, column);
            column++;
        }
        if (buf_str(&text)[i] == '\n') {
            line++;
            column = 1;
        }
    }
    json_loc_free(loc);
    buf_done(&text);
}

/* Objects and lists with very many children are walked in far less than quadratic time: the old way takes minutes here.
 */
TEST(json_loc_is_quick_on_wide_documents)
{
    enum { N = 200000 };
    struct buf text = { 0 };
    buf_str_add(&text, "{\"list\": [");
    for (int i = 0; i < N; i++) {
        buf_printf(&text, "%s%d", i ? "," : "", i % 10);
    }
    buf_str_add(&text, "], \"map\": {");
    for (int i = 0; i < N; i++) {
        buf_printf(&text, "%s\"k%d\":%d", i ? "," : "", i, i % 10);
    }
    buf_str_add(&text, "}}");
    clock_t begin = clock();
    struct json_loc *loc = json_loc_new(buf_str(&text), text.size);
    json_node list = json_loc_member(loc, 0, "list"), map = json_loc_member(loc, 0, "map");
    size_t wrong = 0;
    for (int i = 0; i < N; i++) {
        char key[20];
        snprintf(key, sizeof key, "k%d", i);
        json_node item = json_loc_item(loc, list, (size_t)i), member = json_loc_member(loc, map, key);
        wrong += buf_str(&text)[json_loc_span(loc, item).start] != '0' + i % 10;
        wrong += buf_str(&text)[json_loc_span(loc, member).start] != '0' + i % 10;
        wrong += json_loc_place(loc, json_loc_span(loc, member).start).line != 1;
    }
    CHECK_INT(wrong, 0);
    CHECK(json_loc_item(loc, list, N) == JSON_NO_NODE && json_loc_member(loc, map, "k") == JSON_NO_NODE);
    double seconds = (double)(clock() - begin) / CLOCKS_PER_SEC;
    CHECK(seconds < 5, "%.1f s", seconds);
    json_loc_free(loc);
    buf_done(&text);
}

TEST_MAIN
