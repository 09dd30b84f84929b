#include "scenarios/lua_run.h"

#include <ctype.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "scenarios/lua_bind.h"
#include "scenarios/lua_lab.h"

/* What os.exit and Ctrl-C leave: one scenario runs at a time in a state, so they hang on the state. */
struct ending {
    struct scenario *scenario;
    const volatile sig_atomic_t *interrupted;
    bool exiting;
    int status;
};
static char ending_key;

static struct ending *
ending_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &ending_key);
    struct ending *ending = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return ending;
}

/* Called every 1000 instructions, and at each one once the end is near, so that a pcall in the scenario cannot keep it
 * alive. */
static void
on_count(lua_State *L, lua_Debug *debug)
{
    const struct ending *ending = ending_of(L);
    (void)debug;
    if (ending->exiting || (ending->interrupted && *ending->interrupted)) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
        luaL_error(L, ending->exiting ? "exit" : "interrupted");
    }
}

/* os.exit unwinds to scenario_run(), which ends the lab, instead of leaving it behind. */
static int
os_exit(lua_State *L)
{
    struct ending *ending = ending_of(L);
    ending->exiting = true;
    ending->status = lua_isboolean(L, 1) ? !lua_toboolean(L, 1) : (int)luaL_optinteger(L, 1, 0) & 255;
    lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
    return luaL_error(L, "exit");
}

/* `require` finds modules beside the scenario. */
static void
set_package_path(lua_State *L, const char *path)
{
    const char *slash = strrchr(path, '/');
    lua_getglobal(L, "package");
    lua_pushlstring(L, slash ? path : ".", slash ? (size_t)(slash - path) : 1);
    lua_pushfstring(L, "%s/?.lua", lua_tostring(L, -1));
    lua_setfield(L, -3, "path");
    lua_pushliteral(L, ""); /* no C modules: a scenario is a text one can read */
    lua_setfield(L, -3, "cpath");
    lua_pop(L, 2);
}

static void
set_arguments(lua_State *L, const struct scenario_options *options)
{
    lua_newtable(L);
    lua_pushstring(L, options->path);
    lua_rawseti(L, -2, 0);
    for (size_t i = 0; i < options->n_args; i++) {
        lua_pushstring(L, options->args[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setglobal(L, "arg");
}

/* Lua's "lab.lua:40: text" into an error with a place. */
static void
lua_error_to_err(lua_State *L, const char *path, struct err *err)
{
    if (lua_bind_error(L, -1, err)) {
        return;
    }
    bool speaks = luaL_getmetafield(L, -1, "__tostring") != LUA_TNIL;
    if (speaks) {
        lua_pop(L, 1);
    }
    if (!speaks && !lua_isstring(L, -1)) { /* error({}): Lua would print an address */
        err_set(err, ERR_DOCUMENT, "", "the scenario ended with error(), given a %s that has no text",
                luaL_typename(L, -1));
        err_at(err, path, 0, 0);
        return;
    }
    const char *text = luaL_tolstring(L, -1, NULL);
    const char *colon = text;
    while ((colon = strchr(colon, ':')) && !(isdigit((unsigned char)colon[1]) && strstr(colon + 1, ": "))) {
        colon++;
    }
    if (!colon) {
        err_set(err, ERR_DOCUMENT, "", "%s", text);
        err_at(err, path, 0, 0);
        return;
    }
    char where[160];
    char *end;
    snprintf(where, sizeof where, "%.*s", (int)(colon - text), text);
    long line = strtol(colon + 1, &end, 10);
    err_set(err, ERR_DOCUMENT, "", "%s", end + strspn(end, ": "));
    err_at(err, where, (int)line, 0);
}

static int
close_lab(struct scenario *s, bool throw_away)
{
    /* A throw-away lab that is still live goes with its scenario. */
    const struct op *down = op_by_name(NULL, "down");
    struct op_result result = { 0 };
    struct err err = { 0 };
    bool ok = true;
    if (throw_away && down && cloud_is_live(s->cloud)) {
        json_t *nothing = json_object();
        ok = op_call(s->cloud, down, nothing, s->progress, &result, &err);
        json_decref(nothing);
        op_result_done(&result);
    }
    cloud_close(s->cloud);
    return ok;
}

static int
run(lua_State *L, const struct scenario_options *options, struct ending *ending, struct err *err)
{
    bool standard = strcmp(options->path, "-") == 0;
    if (!standard && access(options->path, R_OK) != 0) {
        err_set(err, ERR_MACHINE, "", "cannot read the scenario `%s`", options->path);
        err_hint(err, "give the path of a Lua file, or the name of a shipped scenario such as three-tier");
        return err_exit_status(err);
    }
    int result = luaL_loadfilex(L, standard ? NULL : options->path, "t");
    if (result == LUA_OK) {
        lua_sethook(L, on_count, LUA_MASKCOUNT, 1000);
        result = lua_pcall(L, 0, 0, 0);
        lua_sethook(L, NULL, 0, 0);
    }
    if (ending->exiting) {
        return ending->status;
    }
    if (result != LUA_OK) {
        lua_error_to_err(L, options->path, err);
        return err_exit_status(err);
    }
    return ending->scenario->n_failed ? 1 : 0;
}

int
scenario_run(const struct scenario_options *options, struct err *err)
{
    const struct cloud_options how = { .lab = options->lab,
                                       .region = options->region,
                                       .as = options->as,
                                       .throw_away = !options->lab,
                                       .seed = options->lab ? 0 : options->seed };
    struct scenario scenario = { .progress = options->progress, .color = options->color };
    struct ending ending = { .scenario = &scenario, .interrupted = options->interrupted };
    scenario.cloud = cloud_open(&how, err);
    if (!scenario.cloud) {
        return err_exit_status(err);
    }
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_pushlightuserdata(L, &ending);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &ending_key);
    lua_getglobal(L, "os");
    lua_pushcfunction(L, os_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
    set_package_path(L, options->path);
    set_arguments(L, options);
    lua_bind_open(L, &scenario);
    lua_lab_open(L);
    int status = run(L, options, &ending, err);
    fflush(stdout);
    lua_close(L);
    close_lab(&scenario, how.throw_away);
    return status;
}

char *
scenario_find(const char *name)
{
    if (strcmp(name, "-") == 0 || strchr(name, '/') || access(name, R_OK) == 0) {
        return xstrdup(name);
    }
    static const char *const places[] = { "../scenarios", "../share/vpclab/scenarios", "scenarios" };
    char program[4096];
    ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
    program[size > 0 ? size : 0] = '\0';
    char *slash = strrchr(program, '/');
    if (slash) {
        *slash = '\0';
    }
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; slash && i < ARRAY_SIZE(places); i++) {
        char *path = xasprintf("%s/%s/%s%s", program, places[i], name, dot && strcmp(dot, ".lua") == 0 ? "" : ".lua");
        char *real = access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
        free(path);
        if (real) {
            return real;
        }
    }
    return xstrdup(name);
}
