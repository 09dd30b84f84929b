#include "scenarios/lua_lab.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "scenarios/lua_bind.h"
#include "scenarios/lua_json.h"

#define GREEN "\033[32m"
#define RED   "\033[31m"
#define BOLD  "\033[1m"
#define PLAIN "\033[0m"

/* ---- expectations
 * -------------------------------------------------------------------------------------------------------------- */

/* "web -> db tcp/5432" */
static void
describe_flow(const json_t *flow, struct buf *out)
{
    const char *protocol = json_str(flow, "protocol");
    buf_printf(out, "%s -> %s %s", json_str(flow, "source") ? json_str(flow, "source") : "?",
               json_str(flow, "destination") ? json_str(flow, "destination") : "?", protocol ? protocol : "tcp");
    if (json_object_get(flow, "port")) {
        buf_printf(out, "/%lld", json_int(flow, "port", 0));
    }
    if (json_flag(flow, "ipv6", false)) {
        buf_str_add(out, " over IPv6");
    }
}

static void
verdict(const struct scenario *s, bool ok, const char *what, const char *how)
{
    const char *sign = ok ? "ok" : "NO";
    printf("%s%-3s%s %s: %s\n", !s->color ? "" : ok ? GREEN : RED, sign, s->color ? PLAIN : "", what, how);
}

/* Analysis does not look at appliances: the endpoint of a gateway load balancer that the kernel's packet did not come
 * out of; NULL: none. */
static const char *
kept_at(const struct op_result *sent)
{
    const json_t *gap = json_array_get(json_object_get(sent->out, "Gaps"), 0);
    const char *reason = json_str(gap, "Reason");
    const json_t *lost =
        json_array_get(json_object_get(sent->out, "LostBehind"), 0); /* none of them could be reached */
    return reason && strcmp(reason, "not returned") == 0 ? json_str(gap, "Id") : json_str(lost, "Id");
}

/* "blocked, ENI_SG_RULES_MISMATCH; the packet did not get through": what analysis says, with AWS's code, and what the
 * kernel did. */
static void
describe_outcome(const struct op_result *asked, const struct op_result *sent, struct buf *out)
{
    const json_t *analysis = json_array_get(json_object_get(asked->out, "NetworkInsightsAnalyses"), 0);
    const json_t *first = json_array_get(json_object_get(analysis, "Explanations"), 0);
    const char *code = asked->no ? json_str(first, "ExplanationCode") : NULL;
    buf_printf(out, "%s%s%s", asked->no ? "blocked" : "reachable", code ? ", " : "", code ? code : "");
    if (!sent->out) {
        return;
    }
    bool agrees = !sent->no, arrived = asked->no ? !agrees : agrees;
    if (json_int(sent->out, "Asked", 0) == 0) {
        buf_str_add(out, "; no packet could be sent");
    } else if (kept_at(sent)) {
        buf_printf(out, "; but the appliances behind %s did not return the packet", kept_at(sent));
    } else {
        buf_printf(out, "; %s packet %s", agrees ? "the" : "but the", arrived ? "got through" : "did not get through");
    }
}

/* Asks analysis and, while the lab is live, sends a packet; counts and prints.  Returns whether both are as expected.
 */
static int
expect(lua_State *L, bool reachable)
{
    struct scenario *s = lua_bind_scenario(L);
    const struct op *reach = op_by_name(NULL, "reach"), *verify = op_by_name(NULL, "verify");
    struct op_result asked = { 0 }, sent = { 0 };
    struct err err = { 0 };
    struct buf flow = { 0 }, trace = { 0 }, outcome = { 0 };
    luaL_checktype(L, 1, LUA_TTABLE);
    json_t *question = lua_json_read(L, 1, &err);
    bool live = cloud_is_live(s->cloud), ok = question && lua_bind_call(s, reach, question, &asked, &err);
    ok = ok && (!live || lua_bind_call(s, verify, question, &sent, &err));
    if (!ok) {
        json_decref(question);
        op_result_done(&asked);
        return lua_bind_raise(L, &err, 1);
    }
    bool passes = !asked.no && !(live && kept_at(&sent)), as_expected = passes == reachable, agrees = !live || !sent.no;
    describe_flow(question, &flow);
    describe_outcome(&asked, &sent, &outcome);
    verdict(s, as_expected && agrees, buf_str(&flow), buf_str(&outcome));
    s->n_expected++;
    if (!as_expected) {
        s->n_failed++;
        luaL_where(L, 1);
        printf("    %sexpected %s\n", lua_tostring(L, -1), reachable ? "reachable" : "blocked");
        if (render(reach, asked.out, NULL, NULL, &trace, &err)) {
            fputs(buf_str(&trace), stdout);
        }
    } else if (!agrees) {
        s->n_failed++;
        if (render(verify, sent.out, NULL, NULL, &trace, &err)) {
            fputs(buf_str(&trace), stdout);
        }
    }
    buf_done(&flow);
    buf_done(&trace);
    buf_done(&outcome);
    json_decref(question);
    op_result_done(&asked);
    op_result_done(&sent);
    lua_pushboolean(L, as_expected && agrees);
    return 1;
}

static int
expect_reachable(lua_State *L)
{
    return expect(L, true);
}

static int
expect_blocked(lua_State *L)
{
    return expect(L, false);
}

/* lab.expect_error(code, function, argument...): the call must be refused with that code.  Returns the error. */
static int
expect_error(lua_State *L)
{
    struct scenario *s = lua_bind_scenario(L);
    const char *code = luaL_checkstring(L, 1);
    struct err err = { 0 };
    luaL_checktype(L, 2, LUA_TFUNCTION);
    bool done = lua_pcall(L, lua_gettop(L) - 2, 0, 0) == LUA_OK;
    if (!done && !lua_bind_error(L, -1, &err)) {
        return lua_error(L); /* a mistake in the scenario itself */
    }
    bool as_expected = !done && strcmp(err.code, code) == 0;
    struct buf what = { 0 };
    s->n_expected++;
    if (done) {
        buf_printf(&what, "it was not refused");
    } else {
        buf_printf(&what, "%s%s%s%s", err.text, err.code[0] ? " [" : "", err.code, err.code[0] ? "]" : "");
    }
    s->n_failed += !as_expected;
    verdict(s, as_expected, "refused", buf_str(&what));
    if (!as_expected) {
        luaL_where(L, 1);
        printf("    %sexpected %s\n", lua_tostring(L, -1), code);
        lua_pop(L, 1);
    }
    buf_done(&what);
    if (done) {
        lua_pushnil(L);
    }
    return 1;
}

/* ---- printing
 * ------------------------------------------------------------------------------------------------------------------ */

static int
title(lua_State *L)
{
    const struct scenario *s = lua_bind_scenario(L);
    printf("\n%s== %s%s\n", s->color ? BOLD : "", luaL_checkstring(L, 1), s->color ? PLAIN : "");
    return 0;
}

/* lab.show(value [, format]): an answer as "json", "table", "text" or "record"; any other table as JSON. */
static int
show(lua_State *L)
{
    static const char *const formats[] = { "", "json", "table", "text", "record", NULL };
    const struct op *op = NULL;
    bool is_yes;
    const json_t *out = lua_bind_answer(L, 1, &op, &is_yes);
    const char *format = formats[luaL_checkoption(L, 2, "", formats)];
    struct buf text = { 0 };
    struct err err = { 0 };
    bool ok = true;
    if (out) {
        ok = render(op, out, *format ? format : NULL, NULL, &text, &err);
    } else if (lua_istable(L, 1)) {
        json_t *value = lua_json_read(L, 1, &err);
        ok = value != NULL;
        if (ok) {
            json_write_aws(value, &text);
        }
        json_decref(value);
    } else {
        buf_printf(&text, "%s\n", luaL_tolstring(L, 1, NULL));
    }
    fputs(buf_str(&text), stdout);
    buf_done(&text);
    return ok ? 0 : lua_bind_raise(L, &err, 1);
}

/* ---- the lab
 * -------------------------------------------------------------------------------------------------------------------
 */

/* lab.as(who [, function, argument...]): what follows, or only the function's calls, is asked for by 'who' (a user,
 * role or session; nil or "root": the account itself).  Returns what the function does, else who acted before. */
static int
as(lua_State *L)
{
    struct cloud *cloud = lua_bind_scenario(L)->cloud;
    const char *who = luaL_optstring(L, 1, NULL);
    struct err err = { 0 };
    bool scoped = !lua_isnoneornil(L, 2);
    if (scoped) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    lua_pushstring(L, cloud->as); /* nil for root; Lua keeps it until the function has ended */
    if (!cloud_act_as(cloud, who, &err)) {
        return lua_bind_raise(L, &err, 1);
    }
    if (!scoped) {
        return 1;
    }
    lua_insert(L, 1);
    int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 0);
    /* Who acted before may be gone by now; then the next operation says so. */
    cloud_act_as(cloud, lua_tostring(L, 1), &err);
    return status == LUA_OK ? lua_gettop(L) - 2 : lua_error(L);
}

/* lab.yes(answer): reachable, allowed, agreed, done; false where the command's exit status would be 1. */
static int
yes(lua_State *L)
{
    const struct op *op;
    bool answer = false;
    luaL_argcheck(L, lua_bind_answer(L, 1, &op, &answer) != NULL, 1, "the answer of an operation expected");
    lua_pushboolean(L, answer);
    return 1;
}

static int
seed(lua_State *L)
{
    struct scenario *s = lua_bind_scenario(L);
    id_gen_seed(&s->cloud->ids, (uint64_t)luaL_checkinteger(L, 1));
    return 0;
}

static int
live(lua_State *L)
{
    lua_pushboolean(L, cloud_is_live(lua_bind_scenario(L)->cloud));
    return 1;
}

void
lua_lab_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        { "expect_reachable", expect_reachable },
        { "expect_blocked", expect_blocked },
        { "expect_error", expect_error },
        { "title", title },
        { "as", as },
        { "show", show },
        { "yes", yes },
        { "seed", seed },
        { "live", live },
        { NULL, NULL },
    };
    lua_getglobal(L, "lab");
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
