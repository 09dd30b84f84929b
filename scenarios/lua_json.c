#include "scenarios/lua_json.h"

#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

#define LIST_META "vpclab.list"
#define DEPTH_MAX 100

static void
push_list(lua_State *L, const json_t *list)
{
    size_t i;
    json_t *item;
    lua_createtable(L, (int)json_array_size(list), 0);
    json_array_foreach(list, i, item)
    {
        lua_json_push(L, item);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    luaL_newmetatable(L, LIST_META);
    lua_setmetatable(L, -2);
}

void
lua_json_push(lua_State *L, const json_t *value)
{
    const char *key;
    json_t *item;
    luaL_checkstack(L, 6, "JSON is nested too deep");
    if (!value || json_is_null(value)) {
        lua_pushnil(L);
    } else if (json_is_object(value)) {
        lua_createtable(L, 0, (int)json_object_size(value));
        json_object_foreach((json_t *)value, key, item)
        {
            lua_json_push(L, item);
            lua_setfield(L, -2, key);
        }
    } else if (json_is_array(value)) {
        push_list(L, value);
    } else if (json_is_string(value)) {
        lua_pushlstring(L, json_string_value(value), json_string_length(value));
    } else if (json_is_integer(value)) {
        lua_pushinteger(L, (lua_Integer)json_integer_value(value));
    } else if (json_is_real(value)) {
        lua_pushnumber(L, json_real_value(value));
    } else {
        lua_pushboolean(L, json_is_true(value));
    }
}

static json_t *read_value(lua_State *L, int index, int depth, struct err *err);

static bool
is_list(lua_State *L, int index)
{
    if (lua_getmetatable(L, index)) {
        luaL_getmetatable(L, LIST_META);
        bool list = lua_rawequal(L, -1, -2);
        lua_pop(L, 2);
        if (list) {
            return true;
        }
    }
    return lua_rawlen(L, index) > 0;
}

static json_t *
read_list(lua_State *L, int index, int depth, struct err *err)
{
    json_t *list = json_array();
    lua_Integer n = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, index, i);
        json_t *item = read_value(L, lua_gettop(L), depth + 1, err);
        lua_pop(L, 1);
        if (!item || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static json_t *
read_members(lua_State *L, int index, const char *const *keys, size_t n, int depth, struct err *err)
{
    json_t *object = json_object();
    for (size_t i = 0; i < n; i++) {
        lua_pushstring(L, keys[i]);
        lua_rawget(L, index);
        json_t *item = read_value(L, lua_gettop(L), depth + 1, err);
        lua_pop(L, 1);
        if (!item || json_object_set_new(object, keys[i], item) != 0) {
            err_set(err, ERR_DOCUMENT, "", "a member's name is not UTF-8 text");
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *
read_table(lua_State *L, int index, int depth, struct err *err)
{
    VEC(const char *) keys = { 0 };
    bool list = is_list(L, index);
    json_t *out = NULL;
    if (depth > DEPTH_MAX) {
        err_set(err, ERR_DOCUMENT, "", "a table is nested more than %d deep, or contains itself", DEPTH_MAX);
        return NULL;
    }
    /* The keys are borrowed from the table, which holds them while it is read. */
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) == LUA_TSTRING) {
            *VEC_ADD(&keys) = lua_tostring(L, -2);
        } else if (!list || !lua_isinteger(L, -2)) {
            err_set(err, ERR_DOCUMENT, "", "a table's key is a %s: only names and the numbers of a list are JSON",
                    luaL_typename(L, -2));
            lua_pop(L, 2);
            goto out;
        }
    }
    if (list && keys.n) {
        err_set(err, ERR_DOCUMENT, "", "a table has list items and the member `%s`: JSON knows lists and objects only",
                keys.items[0]);
    } else if (list) {
        out = read_list(L, index, depth, err);
    } else {
        if (keys.n) {
            qsort(keys.items, keys.n, sizeof *keys.items, by_text);
        }
        out = read_members(L, index, keys.items, keys.n, depth, err);
    }
out:
    VEC_DONE(&keys);
    return out;
}

static json_t *
read_value(lua_State *L, int index, int depth, struct err *err)
{
    size_t size;
    luaL_checkstack(L, 6, "a table is nested too deep");
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        return json_null();
    case LUA_TBOOLEAN:
        return json_boolean(lua_toboolean(L, index));
    case LUA_TNUMBER:
        if (lua_isinteger(L, index)) {
            return json_integer((json_int_t)lua_tointeger(L, index));
        }
        if (isfinite(lua_tonumber(L, index))) {
            double number = lua_tonumber(L, index);
            return number == floor(number) && fabs(number) < 1e15 ? json_integer((json_int_t)number)
                                                                  : json_real(number);
        }
        err_set(err, ERR_DOCUMENT, "", "%s is no number that JSON can write",
                lua_tonumber(L, index) > 0 ? "infinity" : "not-a-number");
        return NULL;
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, index, &size);
        json_t *string = json_stringn(text, size);
        if (!string) {
            err_set(err, ERR_DOCUMENT, "", "a string is not UTF-8 text");
        }
        return string;
    }
    case LUA_TTABLE:
        return read_table(L, index, depth, err);
    default:
        err_set(err, ERR_DOCUMENT, "", "a %s is no value that JSON can write", luaL_typename(L, index));
        return NULL;
    }
}

json_t *
lua_json_read(lua_State *L, int index, struct err *err)
{
    return read_value(L, lua_absindex(L, index), 0, err);
}
