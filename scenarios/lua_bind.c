#include "scenarios/lua_bind.h"

#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scenarios/lua_json.h"

#define ERROR_META  "vpclab.error"
#define ANSWER_META "vpclab.answer"

static char scenario_key; /* its address is the registry's key */

struct scenario *
lua_bind_scenario(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &scenario_key);
    struct scenario *scenario = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return scenario;
}

/* ---- errors
 * --------------------------------------------------------------------------------------------------------------------
 */

/* Pushes "lab.lua:40" of the nearest Lua code at 'level' or above: pcall(ec2.delete_vpc, {...}) has a C function in
 * between. */
static void
push_place(lua_State *L, int level)
{
    lua_Debug debug;
    for (; lua_getstack(L, level, &debug); level++) {
        lua_getinfo(L, "Sl", &debug);
        if (debug.currentline > 0) {
            lua_pushfstring(L, "%s:%d", debug.short_src, debug.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

int
lua_bind_raise(lua_State *L, const struct err *err, int level)
{
    lua_newtable(L);
    lua_pushstring(L, err->code);
    lua_setfield(L, -2, "code");
    /* An error inside a document given as a string has a place of its own. */
    if (err->line) {
        lua_pushfstring(L, "%s:%d:%d: %s", err->where, err->line, err->column, err->text);
    } else if (err->where[0] && !strstr(err->text, err->where)) {
        lua_pushfstring(L, "%s: %s", err->where, err->text);
    } else {
        lua_pushstring(L, err->text);
    }
    lua_setfield(L, -2, "message");
    lua_pushstring(L, err->hint);
    lua_setfield(L, -2, "hint");
    push_place(L, level);
    lua_setfield(L, -2, "place");
    lua_pushinteger(L, err->kind);
    lua_setfield(L, -2, "kind");
    luaL_setmetatable(L, ERROR_META);
    return lua_error(L);
}

static void
field_to(lua_State *L, int index, const char *name, char *text, size_t size)
{
    lua_getfield(L, index, name);
    const char *value = lua_tostring(L, -1);
    snprintf(text, size, "%s", value ? value : "");
    lua_pop(L, 1);
}

bool
lua_bind_error(lua_State *L, int index, struct err *err)
{
    index = lua_absindex(L, index);
    if (!lua_getmetatable(L, index)) {
        return false;
    }
    luaL_getmetatable(L, ERROR_META);
    bool ours = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    if (!ours) {
        return false;
    }
    char place[sizeof err->where];
    *err = (struct err){ 0 };
    lua_getfield(L, index, "kind");
    err->kind = (enum err_kind)lua_tointeger(L, -1);
    lua_pop(L, 1);
    field_to(L, index, "code", err->code, sizeof err->code);
    field_to(L, index, "message", err->text, sizeof err->text);
    field_to(L, index, "hint", err->hint, sizeof err->hint);
    field_to(L, index, "place", place, sizeof place);
    char *colon = strrchr(place, ':');
    if (colon) {
        *colon = '\0';
        err->line = atoi(colon + 1);
    }
    memcpy(err->where, place, sizeof place);
    return true;
}

static int
error_text(lua_State *L)
{
    struct err err = { 0 };
    lua_bind_error(L, 1, &err);
    if (err.line) {
        lua_pushfstring(L, "%s:%d: %s", err.where, err.line, err.text);
    } else {
        lua_pushstring(L, err.text);
    }
    if (err.code[0]) {
        lua_pushfstring(L, " [%s]", err.code);
        lua_concat(L, 2);
    }
    if (err.hint[0]) {
        lua_pushfstring(L, "\nhint: %s", err.hint);
        lua_concat(L, 2);
    }
    return 1;
}

/* ---- answers
 * -------------------------------------------------------------------------------------------------------------------
 */

/* An answer table has a metatable of its own: { __tostring, json = userdata, op = light userdata }. */
struct answer {
    json_t *json;
    bool yes;
};

static int
answer_gc(lua_State *L)
{
    struct answer *answer = lua_touserdata(L, 1);
    json_decref(answer->json);
    answer->json = NULL;
    return 0;
}

json_t *
lua_bind_answer(lua_State *L, int index, const struct op **op, bool *yes)
{
    if (!lua_istable(L, index) || !lua_getmetatable(L, index)) {
        return NULL;
    }
    lua_getfield(L, -1, "op");
    lua_getfield(L, -2, "json");
    struct answer *answer = luaL_testudata(L, -1, ANSWER_META);
    *op = lua_touserdata(L, -2);
    *yes = answer && answer->yes;
    lua_pop(L, 3); /* the metatable, held by the table, goes on holding the JSON */
    return answer ? answer->json : NULL;
}

static int
answer_text(lua_State *L)
{
    const struct op *op;
    bool yes;
    json_t *out = lua_bind_answer(L, 1, &op, &yes);
    struct buf text = { 0 };
    struct err err = { 0 };
    if (!out || !render(op, out, NULL, NULL, &text, &err)) {
        buf_done(&text);
        return lua_bind_raise(L, &err, 1);
    }
    while (text.size && text.data[text.size - 1] == '\n') {
        text.size--; /* print() adds one */
    }
    lua_pushlstring(L, text.data ? text.data : "", text.size);
    buf_done(&text);
    return 1;
}

void
lua_bind_push_answer(lua_State *L, const struct op *op, json_t *out, bool yes)
{
    struct answer *answer = lua_newuserdatauv(L, sizeof *answer, 0);
    answer->json = json_incref(out);
    answer->yes = yes;
    luaL_setmetatable(L, ANSWER_META);
    lua_json_push(L, out);
    lua_createtable(L, 0, 4);
    lua_pushcfunction(L, answer_text);
    lua_setfield(L, -2, "__tostring");
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "json");
    lua_pushlightuserdata(L, (void *)op);
    lua_setfield(L, -2, "op");
    lua_setmetatable(L, -2);
    lua_remove(L, -2);
}

/* ---- operations as functions
 * --------------------------------------------------------------------------------------------------- */

/* Puts one operand into the next positional parameter.  The last one, if it takes all further words, gathers them; a
 * line in one string is for a shell: lab.exec("web", "curl -s http://db/"). */
static bool
put_operand(const struct op *op, json_t *object, size_t *n, json_t *value, struct err *err)
{
    const struct op_param_info *params;
    size_t n_params = op_params(op, &params), seen = 0;
    const struct op_param_info *last = NULL;
    for (size_t i = 0; i < n_params; i++) {
        if (params[i].positional && seen++ <= *n) {
            last = &params[i];
        }
    }
    if (!last || (*n >= seen && !last->list)) {
        json_decref(value);
        err_set(err, ERR_USAGE, "", "`%s` takes %zu operand%s", op_words(op), seen, plural((long long)seen));
        return err_hint(err, "give the others by name: {port = 443}");
    }
    ++*n;
    json_t *there = json_object_get(object, last->name);
    if (there && json_is_array(there)) {
        json_array_append_new(there, value);
    } else if (last->list && !json_is_array(value)) {
        json_object_set_new(object, last->name, json_pack("[o]", value));
    } else {
        json_object_set_new(object, last->name, value);
    }
    return true;
}

/* A table's list part are operands, its members are parameters. */
static bool
read_arguments(lua_State *L, int index, const struct op *op, json_t *object, size_t *n, struct err *err)
{
    lua_Integer n_items = (lua_Integer)lua_rawlen(L, index);
    for (lua_Integer i = 1; i <= n_items; i++) {
        lua_rawgeti(L, index, i);
        json_t *value = lua_json_read(L, -1, err);
        lua_pop(L, 1);
        if (!value || !put_operand(op, object, n, value, err)) {
            return false;
        }
    }
    for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            continue;
        }
        const char *name = lua_tostring(L, -2);
        json_t *value = lua_json_read(L, -1, err);
        if (!value) {
            err_at(err, name, 0, 0);
            lua_pop(L, 2);
            return false;
        }
        json_object_set_new(object, name, value);
    }
    return true;
}

/* The words of a command as one string are for the shell in the instance. */
static void
split_command(const struct op *op, json_t *object)
{
    for (const struct op_param *p = op->service ? NULL : op->params; p && p->name; p++) {
        json_t *words = p->type == OP_REST ? json_object_get(object, p->name) : NULL;
        const char *text = json_is_string(words) ? json_string_value(words) : NULL;
        if (json_array_size(words) == 1) {
            text = json_string_value(json_array_get(words, 0));
        }
        if (text && strchr(text, ' ')) {
            json_object_set_new(object, p->name, json_pack("[sss]", "sh", "-c", text));
        }
    }
}

bool
lua_bind_call(struct scenario *scenario, const struct op *op, const json_t *object, struct op_result *result,
              struct err *err)
{
    fflush(stdout); /* an operation may print by itself: a program in an instance */
    json_t *in = op_read_object(op, object, err);
    bool ok = in && op_call(scenario->cloud, op, in, scenario->progress, result, err);
    json_decref(in);
    return ok;
}

static int
call_operation(lua_State *L)
{
    const struct op *op = lua_touserdata(L, lua_upvalueindex(1));
    struct scenario *scenario = lua_bind_scenario(L);
    struct op_result result = { 0 };
    struct err err = { 0 };
    json_t *object = json_object();
    size_t n = 0;
    int n_args = lua_gettop(L);
    bool ok = true;
    for (int i = 1; i <= n_args && ok; i++) {
        if (lua_istable(L, i)) {
            ok = read_arguments(L, i, op, object, &n, &err);
        } else {
            json_t *value = lua_json_read(L, i, &err);
            ok = value && put_operand(op, object, &n, value, &err);
        }
    }
    split_command(op, object);
    ok = ok && lua_bind_call(scenario, op, object, &result, &err);
    json_decref(object);
    if (!ok) {
        op_result_done(&result);
        return lua_bind_raise(L, &err, 1);
    }
    lua_bind_push_answer(L, op, result.out, !result.no && result.status == 0);
    op_result_done(&result);
    return 1;
}

/* ec2.creat_vpc: a missing function says which ones there are. */
static int
unknown_operation(lua_State *L)
{
    const char *table = lua_tostring(L, lua_upvalueindex(1)), *name = lua_tostring(L, 2);
    return luaL_error(L, "%s has no function `%s`: `vpclab help%s%s` lists them", table, name ? name : "?",
                      strcmp(table, "lab") == 0 ? "" : " ", strcmp(table, "lab") == 0 ? "" : table);
}

/* The table of a service, made at its first operation; on the stack afterwards. */
static void
push_table(lua_State *L, const char *name)
{
    if (lua_getglobal(L, name) == LUA_TTABLE) {
        return;
    }
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, name);
    lua_pushcclosure(L, unknown_operation, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_setglobal(L, name);
}

void
lua_bind_open(lua_State *L, struct scenario *scenario)
{
    lua_pushlightuserdata(L, scenario);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &scenario_key);
    luaL_newmetatable(L, ERROR_META);
    lua_pushcfunction(L, error_text);
    lua_setfield(L, -2, "__tostring");
    luaL_newmetatable(L, ANSWER_META);
    lua_pushcfunction(L, answer_gc);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 2);
    for (const struct op *const *op = ops_all(); *op; op++) {
        const char *words = op_words(*op), *space = strchr(words, ' ');
        char name[96];
        snprintf(name, sizeof name, "%s", (*op)->service && space ? space + 1 : words);
        for (char *c = name; *c; c++) {
            *c = *c == '-' || *c == ' ' ? '_' : *c;
        }
        push_table(L, (*op)->service ? (*op)->service : "lab");
        lua_pushlightuserdata(L, (void *)*op);
        lua_pushcclosure(L, call_operation, 1);
        lua_setfield(L, -2, name);
        lua_pop(L, 1);
    }
}
