/* cloud/ops_verify_random.c - `verify --random N --seed S`: both judges on networks drawn by lot.
 *
 * One keeper without a lab of its own builds each network, sends and takes it down; the lab in use is not touched.
 * Network i of N has the seed S + i, so that a difference is found again by its own seed alone.
 *
 *     {"seed": 7}     -> random_verify()'s answer, or {"error": {...}}
 *     {"stop": true}  -> {} */
#include "cloud/ops_verify_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cloud/keeper_link.h"
#include "cloud/random_verify.h"
#include "cloud/state.h"
#include "netsim/live/keeper.h"

#define NETWORKS_MAX   1000000
#define SEEDS          1000000 /* seeds that are drawn, not given, are below: short to type */
#define TAP_OF         4       /* every fourth has no namespaces for its instances, where the machine lets us */
#define SHRINK_TRIES   2000
#define SHRINK_SECONDS 60
#define SHOWN_MAX      5 /* disagreements after which it ends */

/* ---- in the keeper ------------------------------------------------------------------------------------------------
 */
static bool
keeper_start(void *context, const struct progress *progress, struct err *err)
{
    (void)context;
    (void)progress;
    (void)err;
    return true;
}

static void
keeper_serve(void *context, const struct keeper_message *request, struct keeper_message *reply, bool *stop)
{
    (void)context;
    struct err err = { 0 };
    if (json_flag(request->json, "stop", false)) {
        *stop = true;
        reply->json = json_object();
        return;
    }
    struct random_live beside = { .followed = { .n = 0 } };
    struct random_trial trial = { .seed = (uint64_t)json_int(request->json, "seed", 0),
                                  .send = random_send_live,
                                  .context = &beside,
                                  .live = &beside,
                                  .shrink_tries = SHRINK_TRIES,
                                  .shrink_seconds = SHRINK_SECONDS };
    trial.tap_hosts = trial.seed % TAP_OF == 0 && access("/dev/net/tun", R_OK | W_OK) == 0;
    reply->json = random_verify(&trial, &err);
    if (!reply->json) {
        reply->json = json_pack("{s:o}", "error", err_to_json(&err));
    }
}

static void
keeper_tick(void *context)
{
    (void)context;
}

static void
keeper_stopped(void *context)
{
    (void)context;
}

/* Who asked was killed and can no longer remove the directory. */
static void
keeper_orphaned(void *context)
{
    lab_dir_remove(((const struct lab_dir *)context)->path, NULL);
}

/* ---- outside ------------------------------------------------------------------------------------------------------
 */
bool
verify_random_asked(const json_t *in, bool *asked, struct err *err)
{
    const char *key;
    json_t *value;
    *asked = json_object_get(in, "Random") != NULL;
    if (!*asked && (json_object_get(in, "Seed") || json_object_get(in, "Script"))) {
        err_set(err, ERR_USAGE, "", "%s is for networks drawn by lot",
                json_object_get(in, "Seed") ? "a seed" : "a script");
        err_at(err, json_object_get(in, "Seed") ? "--seed" : "--script", 0, 0);
        return err_hint(err, "add --random N");
    }
    json_object_foreach(*asked ? (json_t *)in : NULL, key, value)
    {
        if (strcmp(key, "Random") != 0 && strcmp(key, "Seed") != 0 && strcmp(key, "Script") != 0) {
            err_set(err, ERR_USAGE, "", "random networks have ends and flows of their own");
            err_at(err, "--random", 0, 0);
            return err_hint(err, "only --seed and --script go with it");
        }
    }
    long long n = arg_int(in, "Random", 1);
    if (n < 1 || n > NETWORKS_MAX) {
        err_set(err, ERR_USAGE, "", "`%lld` networks cannot be tried; from 1 to %d", n, NETWORKS_MAX);
        return err_at(err, "--random", 0, 0);
    }
    if (arg_int(in, "Seed", 0) < 0) {
        err_set(err, ERR_USAGE, "", "`%lld` is no seed; a seed is 0 or more", arg_int(in, "Seed", 0));
        return err_at(err, "--seed", 0, 0);
    }
    return true;
}

/* ---- the scenario ---------------------------------------------------------------------------------------------------
 */

/* One resource a line, as in a lab's own state file. */
static void
print_state(const json_t *state, struct buf *text)
{
    const char *key, *list_name, *before = "{";
    json_t *value, *list;
    json_object_foreach((json_t *)state, key, value)
    {
        buf_printf(text, "%s\"%s\": ", before, key);
        before = ",\n";
        if (strcmp(key, "network") != 0) {
            json_write_compact(value, text);
            continue;
        }
        const char *between = "{";
        json_object_foreach(value, list_name, list)
        {
            buf_printf(text, "%s\n\"%s\": [", between, list_name);
            between = ",";
            for (size_t i = 0; i < json_array_size(list); i++) {
                buf_str_add(text, i ? ",\n" : "\n");
                json_write_compact(json_array_get(list, i), text);
            }
            buf_char(text, ']');
        }
        buf_str_add(text, "}");
    }
    buf_str_add(text, "}\n");
}

/* Shell commands that make a lab of the disagreement and ask again. */
static void
print_script(const json_t *d, struct buf *text)
{
    const json_t *commands = json_object_get(d, "Commands");
    buf_printf(text, "mkdir -m 700 %s && cat >%s/state.json <<'END'\n", json_str(d, "Lab"), json_str(d, "Lab"));
    print_state(json_object_get(d, "State"), text);
    buf_str_add(text, "END\n");
    for (size_t i = 0; i < json_array_size(commands); i++) {
        buf_printf(text, "%s\n", json_string_value(json_array_get(commands, i)));
    }
}

/* Nothing is written when there is nothing to show. */
static bool
write_script(const char *path, const json_t *disagreements, struct err *err)
{
    struct buf text = { 0 };
    if (!path || !json_array_size(disagreements)) {
        return true;
    }
    buf_str_add(&text,
                "#!/bin/sh\n# Labs in which analysis and kernel disagree, as `vpclab verify --random` found them.\n");
    for (size_t i = 0; i < json_array_size(disagreements); i++) {
        const json_t *d = json_array_get(disagreements, i);
        buf_printf(&text, "\n# %s\n", json_str(d, "Difference"));
        print_script(d, &text);
    }
    bool ok = file_write_atomic(path, buf_str(&text), text.size, err);
    buf_done(&text);
    return ok;
}

static void
add_counts(json_t *sums, const json_t *one)
{
    static const char *const members[] = { "Asked", "Stopped", "Arrived", "Answered", "Disagree", "NotCompared" };
    const char *kind, *gap;
    json_t *counts, *n, *all = json_object_get(sums, "Constructs"), *gaps = json_object_get(sums, "Gaps"),
                        *met = json_object_get(sums, "Met");
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_object_set_new(sums, members[i],
                            json_integer(json_int(sums, members[i], 0) + json_int(one, members[i], 0)));
    }
    json_object_foreach(json_object_get(one, "Gaps"), gap, n)
    {
        json_object_set_new(gaps, gap, json_integer(json_int(gaps, gap, 0) + json_integer_value(n)));
    }
    json_object_foreach(json_object_get(one, "Met"), kind, n)
    {
        json_t *sum = json_object_get(met, kind);
        if (!sum) {
            sum = json_pack("{s:i, s:i}", "Networks", 0, "Packets", 0);
            json_object_set_new(met, kind, sum);
        }
        json_object_set_new(sum, "Networks", json_integer(json_int(sum, "Networks", 0) + 1));
        json_object_set_new(sum, "Packets", json_integer(json_int(sum, "Packets", 0) + json_integer_value(n)));
    }
    json_object_foreach(json_object_get(one, "Constructs"), kind, counts)
    {
        json_t *sum = json_object_get(all, kind);
        if (!sum) {
            sum = json_pack("{s:i, s:i, s:i}", "Networks", 0, "Objects", 0, "Packets", 0);
            json_object_set_new(all, kind, sum);
        }
        json_int_t objects = json_integer_value(json_array_get(counts, 0)),
                   packets = json_integer_value(json_array_get(counts, 1));
        json_object_set_new(sum, "Networks", json_integer(json_int(sum, "Networks", 0) + 1));
        json_object_set_new(sum, "Objects", json_integer(json_int(sum, "Objects", 0) + objects));
        json_object_set_new(sum, "Packets", json_integer(json_int(sum, "Packets", 0) + packets));
    }
}

/* What differed on the way is told with the seed that shows it again. */
static void
add_followed(json_t *sum, const json_t *one, long long seed)
{
    size_t i;
    const json_t *text;
    json_object_set_new(sum, "Packets", json_integer(json_int(sum, "Packets", 0) + json_int(one, "Packets", 0)));
    json_object_set_new(sum, "Decisions", json_integer(json_int(sum, "Decisions", 0) + json_int(one, "Decisions", 0)));
    json_array_foreach(json_object_get(one, "Differences"), i, text)
    {
        json_array_append_new(json_object_get(sum, "Differences"),
                              json_sprintf("seed %lld: %s", seed, json_string_value(text)));
    }
}

static void
add_requests(json_t *sum, const json_t *one, long long seed)
{
    const char *name;
    const json_t *value;
    json_object_foreach((json_t *)one, name, value)
    {
        size_t i;
        const json_t *text;
        if (json_is_integer(value)) {
            json_object_set_new(sum, name, json_integer(json_int(sum, name, 0) + json_integer_value(value)));
        }
        json_array_foreach(value, i, text)
        {
            json_array_append_new(json_object_get(sum, name),
                                  json_sprintf("seed %lld: %s", seed, json_string_value(text)));
        }
    }
}

static bool
try_network(const struct lab_dir *dir, long long seed, json_t *out, struct err *err)
{
    struct keeper_message request = { .json = json_pack("{s:I}", "seed", (json_int_t)seed) }, reply = { 0 };
    bool ok = keeper_call(dir->socket_path, &request, &reply, err);
    json_decref(request.json);
    if (!ok) {
        return err_hint(err, "network %lld was being tried: --random 1 --seed %lld", seed, seed);
    }
    const json_t *error = json_object_get(reply.json, "error");
    if (error) {
        err_from_json(error, err);
        err_hint(err, "the network was that of --random 1 --seed %lld", seed);
    } else {
        add_counts(out, reply.json);
        add_followed(json_object_get(out, "Followed"), json_object_get(reply.json, "Followed"), seed);
        add_requests(json_object_get(out, "Requests"), json_object_get(reply.json, "Requests"), seed);
        json_object_set_new(out, "Networks", json_integer(json_int(out, "Networks", 0) + 1));
        static const char *const shrunk[] = { "Disagreement", "RequestDisagreement" };
        for (size_t i = 0; i < ARRAY_SIZE(shrunk); i++) {
            json_t *disagreement = json_object_get(reply.json, shrunk[i]);
            if (disagreement) {
                json_array_append(json_object_get(out, "Disagreements"), disagreement);
            }
        }
    }
    keeper_message_done(&reply);
    return !error;
}

static long long
first_seed(const json_t *in)
{
    struct id_gen lot;
    id_gen_seed_random(&lot);
    return arg_int(in, "Seed", (long long)id_random_below(&lot, SEEDS));
}

bool
verify_random_run(struct op_call *call, struct err *err)
{
    struct lab_dir *dir = lab_dir_open(NULL, true, err);
    const struct keeper_hooks hooks = { .context = dir,
                                        .start = keeper_start,
                                        .serve = keeper_serve,
                                        .tick = keeper_tick,
                                        .tick_ms = 1000,
                                        .stopped = keeper_stopped,
                                        .orphaned = keeper_orphaned };
    if (!dir || !keeper_spawn(dir->socket_path, &hooks, NULL, err)) {
        lab_dir_close(dir);
        return false;
    }
    long long n = arg_int(call->in, "Random", 1), seed = first_seed(call->in);
    json_t *shown = json_array();
    json_object_set_new(call->out, "Seed", json_integer(seed));
    json_object_set_new(call->out, "Networks", json_integer(0));
    json_object_set_new(call->out, "Constructs", json_object());
    json_object_set_new(call->out, "Followed",
                        json_pack("{s:i, s:i, s:[]}", "Packets", 0, "Decisions", 0, "Differences"));
    json_object_set_new(call->out, "Requests", json_pack("{s:[]}", "Differences"));
    json_object_set_new(call->out, "Met", json_object());
    json_object_set_new(call->out, "Gaps", json_object());
    json_object_set_new(call->out, "Disagreements", shown);
    bool ok = true;
    for (long long i = 0; ok && i < n && json_array_size(shown) < SHOWN_MAX; i++) {
        progress_report(call->progress, "random networks", (size_t)i, (size_t)n);
        ok = try_network(dir, seed + i, call->out, err);
    }
    keeper_stop(dir->socket_path, NULL);
    lab_dir_close(dir);
    const json_t *on_the_way = json_object_get(json_object_get(call->out, "Followed"), "Differences"),
                 *requests = json_object_get(json_object_get(call->out, "Requests"), "Differences");
    call->no = json_array_size(shown) + json_array_size(on_the_way) + json_array_size(requests) > 0;
    return ok && write_script(arg_str(call->in, "Script"), shown, err);
}

/* ---- for a person -------------------------------------------------------------------------------------------------
 */
static void
print_packet(const json_t *d, struct buf *text)
{
    const char *why = json_str(d, "AnalysisWhy");
    buf_printf(text, "DISAGREE seed %lld: %s -> %s  %s  (%s -> %s): %s\n", json_int(d, "Seed", 0), json_str(d, "From"),
               json_str(d, "To"), json_str(d, "Flow"), json_str(d, "SourceIp"), json_str(d, "DestinationIp"),
               json_str(d, "Difference"));
    buf_printf(text, "  analysis: %s\n", why ? why : "arrives");
}

static void
print_request(const json_t *d, struct buf *text)
{
    size_t i;
    const json_t *field;
    buf_printf(text, "DISAGREE seed %lld: %s -> %s port %lld  %s", json_int(d, "Seed", 0), json_str(d, "From"),
               json_str(d, "To"), json_int(d, "Port", 0), json_str(d, "Request"));
    json_array_foreach(json_object_get(d, "Fields"), i, field)
    {
        buf_printf(text, "  %s", json_string_value(field));
    }
    buf_printf(text, "  (%s -> %s): %s\n  analysis: %s\n", json_str(d, "SourceIp"), json_str(d, "DestinationIp"),
               json_str(d, "Difference"), json_str(d, "Analysis"));
}

static void
print_disagreement(const json_t *d, struct buf *text)
{
    (json_object_get(d, "Request") ? print_request : print_packet)(d, text);
    buf_printf(text, "  kernel:   %s\n  again:    vpclab verify --random 1 --seed %lld\n", json_str(d, "Kernel"),
               json_int(d, "Seed", 0));
    if (!json_flag(d, "Shrunk", false)) {
        buf_str_add(text, "  It did not happen again when the same network was built once more; here is all of it.\n");
    }
    long long objects = json_int(d, "Objects", 0);
    buf_printf(text, "  %lld object%s it:\n\n", objects, objects == 1 ? " shows" : "s show");
    print_script(d, text);
    buf_char(text, '\n');
}

void
verify_random_text(const json_t *out, struct buf *text)
{
    const char *kind;
    json_t *counts;
    const json_t *shown = json_object_get(out, "Disagreements");
    buf_printf(text, "%-32s %9s %9s %9s\n", "CONSTRUCT", "networks", "objects", "packets");
    json_object_foreach(json_object_get(out, "Constructs"), kind, counts)
    {
        buf_printf(text, "%-32s %9lld %9lld %9lld\n", kind, json_int(counts, "Networks", 0),
                   json_int(counts, "Objects", 0), json_int(counts, "Packets", 0));
    }
    buf_printf(text, "\n%-32s %9s %9s %9s\n", "MET", "networks", "", "packets");
    json_object_foreach(json_object_get(out, "Met"), kind, counts)
    {
        buf_printf(text, "%-32s %9lld %9s %9lld\n", kind, json_int(counts, "Networks", 0), "",
                   json_int(counts, "Packets", 0));
    }
    buf_char(text, '\n');
    json_object_foreach(json_object_get(out, "Gaps"), kind, counts)
    {
        long long packets = json_integer_value(counts);
        buf_printf(text, "%s (%lld packet%s)\n", kind, packets, plural(packets));
    }
    for (size_t i = 0; i < json_array_size(shown); i++) {
        print_disagreement(json_array_get(shown, i), text);
    }
    const json_t *followed = json_object_get(out, "Followed"), *item;
    size_t i;
    json_array_foreach(json_object_get(followed, "Differences"), i, item)
    {
        buf_printf(text, "DISAGREE on the way, %s\n", json_string_value(item));
    }
    const json_t *requests = json_object_get(out, "Requests");
    json_array_foreach(json_object_get(requests, "Differences"), i, item)
    {
        buf_printf(text, "DISAGREE on a request, %s\n", json_string_value(item));
    }
    if (json_int(requests, "Asked", 0)) {
        buf_printf(text,
                   "%lld HTTP request%s, %lld taken by rules: %lld forwarded, %lld redirected, %lld answered by the "
                   "balancer, %lld without a target; %lld in TLS, %lld client%s came back with cookies\n",
                   json_int(requests, "Asked", 0), plural(json_int(requests, "Asked", 0)),
                   json_int(requests, "Rules", 0), json_int(requests, "Forwarded", 0),
                   json_int(requests, "Redirected", 0), json_int(requests, "Fixed", 0),
                   json_int(requests, "Unserved", 0), json_int(requests, "Secure", 0), json_int(requests, "Again", 0),
                   plural(json_int(requests, "Again", 0)));
    }
    long long packets = json_int(followed, "Packets", 0), decisions = json_int(followed, "Decisions", 0);
    buf_printf(text, "followed %lld packet%s hop by hop: %lld decision%s those of analysis\n", packets, plural(packets),
               decisions, decisions == 1 ? " of the kernel is" : "s of the kernel are");
    long long asked = json_int(out, "Asked", 0), no = json_int(out, "Disagree", 0),
              apart = json_int(out, "NotCompared", 0), n = json_int(out, "Networks", 0);
    buf_printf(text,
               "%lld network%s from seed %lld; %lld packet%s stopped, %lld arrived without answer, %lld answered\n", n,
               plural(n), json_int(out, "Seed", 0), json_int(out, "Stopped", 0), plural(json_int(out, "Stopped", 0)),
               json_int(out, "Arrived", 0), json_int(out, "Answered", 0));
    buf_printf(text, "%lld packet%s: analysis and kernel agree on %lld, disagree on %lld", asked, plural(asked),
               asked - no - apart, no);
    if (apart) {
        buf_printf(text, "; %lld cannot be compared", apart);
    }
    buf_char(text, '\n');
}
