/* JSON to Lua and back: scenarios/lua_json.h. */
#include <lauxlib.h>
#include <lualib.h>

#include "scenarios/lua_json.h"
#include "tests/test.h"

/* What a Lua expression is as JSON, or the error. */
static void
check_expression(const char *expression, const char *expected)
{
    lua_State *L = luaL_newstate();
    struct err err = { 0 };
    struct buf out = { 0 };
    char code[512];
    luaL_openlibs(L);
    snprintf(code, sizeof code, "local t = {}; t.t = t; return %s", expression);
    CHECK(luaL_dostring(L, code) == LUA_OK, "%s", expression);
    json_t *value = lua_json_read(L, -1, &err);
    if (value) {
        json_write_compact(value, &out);
    } else {
        buf_str_add(&out, err.text);
    }
    CHECK_STR(buf_str(&out), expected, "%s", expression);
    json_decref(value);
    buf_done(&out);
    lua_close(L);
}

TEST(lua_values_become_json)
{
    check_expression("{b = 1, a = {true, 'x', 2.5}}", "{\"a\":[true,\"x\",2.5],\"b\":1}");
    check_expression("{}", "{}");
    check_expression("{10.0}", "[10]");
    check_expression("{['$key'] = nil}", "{}");
    check_expression("{1, x = 2}", "a table has list items and the member `x`: JSON knows lists and objects only");
    check_expression("print", "a function is no value that JSON can write");
    check_expression("{[true] = 1}", "a table's key is a boolean: only names and the numbers of a list are JSON");
    check_expression("t", "a table is nested more than 100 deep, or contains itself");
    check_expression("1/0", "infinity is no number that JSON can write");
    check_expression("'\\xff'", "a string is not UTF-8 text");
}

TEST(json_survives_the_way_through_lua)
{
    static const char *const texts[] = {
        "{\"a\":[],\"b\":{},\"c\":[[],{\"d\":false}]}", "[1,2.5,\"x\\u0000y\"]", "[]", "\"text\"", "12345678901234",
    };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        lua_State *L = luaL_newstate();
        struct err err = { 0 };
        struct buf out = { 0 };
        json_t *value = json_loads(texts[i], JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        lua_json_push(L, value);
        json_t *back = lua_json_read(L, -1, &err);
        CHECK_OK(&err, "%s", texts[i]);
        json_write_compact(back, &out);
        CHECK(json_equal(value, back), "%s became %s", texts[i], buf_str(&out));
        json_decref(value);
        json_decref(back);
        buf_done(&out);
        lua_close(L);
    }
}

TEST_MAIN
