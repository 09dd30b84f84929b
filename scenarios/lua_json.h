/* scenarios/lua_json.h - JSON values as Lua values and back.
 *
 * An object is a table with named members, a list a table from 1.  Lists keep a metatable, so that an empty one read
 * from JSON is a list again when written; `{}` made in Lua is an empty object.  null is nil.  Members are written in
 * the order of their names, because a Lua table has none: what is printed is the same every time.
 *
 * Uses: base/json.h, Lua.   Used by: lua_run.c, lua_bind.c */
#pragma once
#include <lua.h>
#include "base/json.h"

void lua_json_push(lua_State *L, const json_t *value);

/* The value at 'index' as JSON; NULL and ERR_DOCUMENT for a function, a table that mixes list items and members or
 * contains itself, a string that is not UTF-8. */
json_t *lua_json_read(lua_State *L, int index, struct err *err);
