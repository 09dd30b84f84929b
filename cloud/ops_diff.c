/* cloud/ops_diff.c - `diff A B` and `plan COMMAND`: which flows two networks have and have not in common, as exact
 * sets.
 *
 * A flow is what AWS would call a path: packets that arrive and, of tcp, whose answers come back.  An interface of one
 * network is that of the other with the same id, else the only one with the same name.  `plan` runs the command on a
 * copy of the lab that is thrown away. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/vec.h"
#include "cloud/conn_view.h"
#include "cloud/state.h"
#include "netsim/analysis/network_diff.h"

/* ---- Networks to compare
 * -----------------------------------------------------------------------------------------------
 */

static struct cloud *
copy_of(const struct cloud *cloud, struct err *err)
{
    const struct cloud_options options = { .throw_away = true, .bare = true };
    struct cloud *copy = cloud_open(&options, err);
    if (copy) {
        size_t size;
        char *text = state_text(cloud, &size);
        state_return_to(copy, text, size);
        free(text);
    }
    if (copy && !cloud_act_as(copy, cloud->as, err)) {
        cloud_close(copy);
        return NULL;
    }
    return copy;
}

static bool
exists(const char *directory, const char *file)
{
    struct stat st;
    char *path = xasprintf("%s%s%s", directory, *file ? "/" : "", file);
    bool there = stat(path, &st) == 0;
    free(path);
    return there;
}

static struct cloud *
open_dump(const char *directory, struct err *err)
{
    const struct cloud_options options = { .throw_away = true, .bare = true, .no_limits = true };
    struct cloud *cloud = cloud_open(&options, err);
    json_t *in = json_pack("{s:s}", "Directory", directory);
    struct op_result result = { 0 };
    if (cloud && !op_call(cloud, op_by_name(NULL, "import aws"), in, NULL, &result, err)) {
        cloud_close(cloud);
        cloud = NULL;
    }
    op_result_done(&result);
    json_decref(in);
    return cloud;
}

static struct cloud *
open_lab(const char *lab, struct err *err)
{
    const struct cloud_options options = { .lab = lab };
    return cloud_open(&options, err);
}

/* A lab by name or directory, or a directory with what `aws ec2 describe-*` printed. */
static struct cloud *
open_network(const char *text, struct err *err)
{
    char *labs = labs_path(), *by_name = xasprintf("%s/%s", labs, text), *directory = xasprintf("./%s", text);
    const char *path = strchr(text, '/') ? text : directory;
    struct cloud *cloud = NULL;
    if (!strchr(text, '/') && exists(by_name, "state.json")) {
        cloud = open_lab(text, err);
    } else if (exists(path, "state.json")) {
        cloud = open_lab(path, err);
    } else if (exists(path, "")) {
        cloud = open_dump(path, err);
    } else {
        err_set(err, ERR_USAGE, "", "`%s` is neither a lab nor a directory", text);
        err_hint(err, "name a lab, its directory, or a directory of `aws ec2 describe-*` output");
    }
    free(labs);
    free(by_name);
    free(directory);
    return cloud;
}

/* ---- As JSON
 * ---------------------------------------------------------------------------------------------------------
 */

static void
set_packets(const struct network_diff *diff, json_t *json, const char *name, int set)
{
    char *text = packets_text(diff->c[0], set);
    json_object_set_new(json, name, json_string(text));
    free(text);
}

static json_t *
change_json(const struct network_diff *diff, char *const *names, const struct diff_change *change)
{
    struct set_pool *pool = connectivity_pool(diff->c[0]);
    int before = change->before, after = change->after;
    const char *what = before == PACKETS_NONE ? "gained" : after == PACKETS_NONE ? "lost" : "changed";
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "Change", what, "From", names[change->from], "To",
                             names[change->to], "Family", connectivity_family(diff->c[0]) == IP_V6 ? "ipv6" : "ipv4");
    set_packets(diff, json, "Before", before);
    set_packets(diff, json, "After", after);
    set_packets(diff, json, "Gained", set_pool_combine(pool, after, before, PACKETS_SUBTRACT));
    set_packets(diff, json, "Lost", set_pool_combine(pool, before, after, PACKETS_SUBTRACT));
    return json;
}

static json_t *
joint_json(const struct diff_joint *joint, const char *name, const char *family)
{
    json_t *ids = json_array(), *json = json_pack("{s:s, s:s}", "Name", name, "Family", family);
    for (size_t i = 0; i < joint->members.n; i++) {
        json_array_append_new(ids, json_string(joint->members.items[i]->obj.id));
    }
    for (size_t i = 0; i < joint->outside.n; i++) {
        json_array_append_new(ids, json_string(cidr_str(&joint->outside.items[i])));
    }
    json_object_set_new(json, joint->members.n ? "NetworkInterfaceIds" : "Cidrs", ids);
    if (joint->gate) {
        json_object_set_new(json, "Gateway", json_string(joint->gate));
    }
    return json;
}

/* A name for each joint, different from all others. */
static char **
joint_names(const struct network_diff *diff)
{
    char **names = xcalloc(diff->joints.n + 1, sizeof *names);
    struct map taken = { 0 };
    for (size_t i = 0; i < diff->joints.n; i++) {
        const struct diff_joint *j = &diff->joints.items[i];
        char *name = crowd_name(&(struct crowd){ .net = j->net,
                                                 .members = j->members.items,
                                                 .addresses = j->addresses.items,
                                                 .n = j->members.n,
                                                 .secondary = j->secondary,
                                                 .outside = j->outside.items,
                                                 .n_outside = j->outside.n,
                                                 .gate = j->gate });
        uintptr_t n = (uintptr_t)map_get(&taken, name) + 1;
        map_put(&taken, name, (void *)n);
        names[i] = n > 1 ? xasprintf("%s #%d", name, (int)n) : xstrdup(name);
        free(name);
    }
    map_done(&taken);
    return names;
}

static void
compare_family(const struct network *before, const struct network *after, int family, json_t *out)
{
    struct network_diff *diff = network_diff_new(before, after, family);
    json_t *changes = json_object_get(out, "Changes"), *groups = json_object_get(out, "Groups");
    char **names = joint_names(diff);
    bool *used = xcalloc(diff->joints.n + 1, sizeof *used);
    for (size_t i = 0; i < diff->changes.n; i++) {
        const struct diff_change *change = &diff->changes.items[i];
        json_array_append_new(changes, change_json(diff, names, change));
        used[change->from] = used[change->to] = true;
    }
    for (size_t i = 0; i < diff->joints.n; i++) {
        if (used[i]) {
            json_array_append_new(groups,
                                  joint_json(&diff->joints.items[i], names[i], family == IP_V6 ? "ipv6" : "ipv4"));
        }
        free(names[i]);
    }
    free(names);
    free(used);
    network_diff_free(diff);
}

static void
compare(const struct network *before, const struct network *after, json_t *out)
{
    json_object_set_new(out, "Changes", json_array());
    json_object_set_new(out, "Groups", json_array());
    compare_family(before, after, IP_V4, out);
    compare_family(before, after, IP_V6, out);
}

static bool
diff_run(struct op_call *call, struct err *err)
{
    struct cloud *before = open_network(arg_str(call->in, "Before"), err);
    struct cloud *after = before ? open_network(arg_str(call->in, "After"), err) : NULL;
    if (after) {
        compare(before->net, after->net, call->out);
        call->no = json_array_size(json_object_get(call->out, "Changes")) > 0;
    }
    bool ok = after != NULL;
    cloud_close(before);
    cloud_close(after);
    return ok;
}

/* ---- plan
 * ------------------------------------------------------------------------------------------------------------
 */

typedef VEC(char *) word_vec;

/* A command in one pair of quotes, taken apart at blanks; quotes inside it hold a word together. */
static void
split(const char *text, word_vec *words)
{
    for (const char *at = text + strspn(text, " \t"); *at; at += strspn(at, " \t")) {
        struct buf word = { 0 };
        for (char quote = 0; *at && (quote || (*at != ' ' && *at != '\t')); at++) {
            if (!quote && (*at == '\'' || *at == '"')) {
                quote = *at;
            } else if (*at == quote) {
                quote = 0;
            } else {
                buf_char(&word, *at);
            }
        }
        *VEC_ADD(words) = buf_steal(&word);
    }
}

static bool
run_on_copy(struct cloud *copy, const word_vec *words, struct op_result *result, struct err *err)
{
    size_t used = 0;
    const struct op *op = op_find(words->n, words->items, &used, err);
    if (op && op->mode != OP_WRITE) {
        err_set(err, ERR_USAGE, "", "`%s` changes nothing that `plan` could show", op_words(op));
        return err_hint(err, "plan takes a command that changes the lab: plan ec2 revoke-security-group-ingress ...");
    }
    json_t *in = op ? op_read_argv(op, words->n - used, words->items + used, err) : NULL;
    bool ok = in && op_call(copy, op, in, NULL, result, err);
    json_decref(in);
    return ok;
}

static bool
plan_run(struct op_call *call, struct err *err)
{
    const json_t *command = json_object_get(call->in, "Command");
    word_vec words = { 0 };
    for (size_t i = 0; i < json_array_size(command); i++) {
        const char *word = json_string_value(json_array_get(command, i));
        if (json_array_size(command) == 1) {
            split(word, &words);
        } else {
            *VEC_ADD(&words) = xstrdup(word);
        }
    }
    struct op_result result = { 0 };
    struct cloud *copy = copy_of(call->cloud, err);
    bool ok = copy && run_on_copy(copy, &words, &result, err);
    if (ok) {
        compare(call->cloud->net, copy->net, call->out);
        json_object_set(call->out, "Answer", result.out);
    }
    op_result_done(&result);
    cloud_close(copy);
    for (size_t i = 0; i < words.n; i++) {
        free(words.items[i]);
    }
    VEC_DONE(&words);
    return ok;
}

/* ---- For a person --------------------------------------------------------------------------------------------------
 */

static void
diff_text(const json_t *out, struct buf *text)
{
    const json_t *changes = json_object_get(out, "Changes");
    size_t width = 0;
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        size_t length = strlen(json_str(change, "From")) + strlen(json_str(change, "To")) + 4;
        width = length > width ? length : width;
    }
    for (size_t i = 0; i < json_array_size(changes); i++) {
        const json_t *change = json_array_get(changes, i);
        const char *gained = json_str(change, "Gained"), *lost = json_str(change, "Lost");
        char *ends = xasprintf("%s -> %s", json_str(change, "From"), json_str(change, "To"));
        const char *v6 = strcmp(json_str(change, "Family"), "ipv6") == 0 ? "  (IPv6)" : "";
        if (strcmp(gained, "none") != 0) {
            buf_printf(text, "+ %-*s  %s%s\n", (int)width, ends, gained, v6);
        }
        if (strcmp(lost, "none") != 0) {
            buf_printf(text, "- %-*s  %s%s\n", (int)width, ends, lost, v6);
        }
        free(ends);
    }
    if (json_array_size(changes) == 0) {
        buf_str_add(text, "no flow is gained or lost\n");
    }
}

static const struct op_param diff_params[] = {
    { "Before", OP_PATH, OP_REQUIRED | OP_POSITIONAL, "a lab, its directory, or a directory that `import aws` reads",
      NULL, NULL },
    { "After", OP_PATH, OP_REQUIRED | OP_POSITIONAL, "another", NULL, NULL },
    { 0 },
};
static const struct op_param plan_params[] = {
    { "Command", OP_REST, OP_REQUIRED | OP_POSITIONAL, "a command that changes the lab", NULL, NULL },
    { 0 },
};

const struct op ops_diff[] = {
    { .name = "diff",
      .mode = OP_LOCAL,
      .run = diff_run,
      .text = diff_text,
      .params = diff_params,
      .group = "ask",
      .help = "Show which flows two labs, or two dumps of a real network, do not have in common.",
      .examples = "diff monday/ tuesday/     two directories that `import aws` reads; exit status 1 if they differ\n"
                  "diff default rehearsal    two labs\n" },
    { .name = "plan",
      .mode = OP_LOCAL,
      .run = plan_run,
      .text = diff_text,
      .params = plan_params,
      .group = "ask",
      .help = "Show which flows a command would open or close; nothing is changed.",
      .examples =
          "plan ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 443 --cidr 0.0.0.0/0\n" },
    { 0 },
};
