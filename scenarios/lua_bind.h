/* scenarios/lua_bind.h - the rows of cloud/op.h as Lua functions, and errors that a scenario can catch.
 *
 * ec2.create_vpc{...} takes parameters by AWS's or snake_case names; operands of a lab verb may stand first:
 * lab.reach("web", "db", {port=5432}) or lab.reach{"web", "db", port=5432}.  It returns the answer: a table
 * that prints as the command line prints it; lab.yes(answer) tells a yes from a no.
 *
 * A refused operation raises an error table: e.code, e.message, e.hint, e.place ("lab.lua:40"); tostring(e) is all of
 * it.
 *
 * Uses: lua_json.h, cloud/.   Used by: lua_run.c, lua_lab.c */
#pragma once
#include <lua.h>
#include "cloud/op.h"

struct scenario {
    struct cloud *cloud;
    const struct progress *progress;
    bool color;
    size_t n_expected, n_failed; /* lab.expect_... */
};

/* Sets the globals: one table a service, and `lab`. */
void lua_bind_open(lua_State *L, struct scenario *scenario);
struct scenario *lua_bind_scenario(lua_State *L);

/* Runs an operation on parameters in AWS's spelling or snake_case; 'err' on failure. */
bool lua_bind_call(struct scenario *scenario, const struct op *op, const json_t *object, struct op_result *result,
                   struct err *err);

/* Pushes an answer as the table that prints as 'op' prints it.  'out' is kept with it; 'yes': exit status 0 on the
 * command line. */
void lua_bind_push_answer(lua_State *L, const struct op *op, json_t *out, bool yes);
/* The JSON, the row and the yes or no behind an answer table; NULL if it is none. */
json_t *lua_bind_answer(lua_State *L, int index, const struct op **op, bool *yes);

/* Raises 'err' as an error table with the place of the caller at 'level' (1: who called this function). */
int lua_bind_raise(lua_State *L, const struct err *err, int level);
/* If the value at 'index' is such an error table, fills 'err' from it. */
bool lua_bind_error(lua_State *L, int index, struct err *err);
