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
#include "netsim/model/network.h"

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

/* ---- Pairing
 * ---------------------------------------------------------------------------------------------------------
 */

/* Classes of both networks that belong together: interfaces (or parts of the internet) which have the one before and
 * the other after. */
struct joint {
    int class[2]; /* -1: not there */
    VEC(const struct eni *) members;
    VEC(struct cidr) outside;
    const struct network *net; /* of the members */
    char *name;
};
struct comparison {
    const struct network *net[2];
    struct connectivity *c[2];
    int *groups[2]; /* of classes: connectivity_groups() */
    VEC(struct joint) joints;
    struct map known;
    VEC(int) translated; /* sets of the second pool as sets of the first; -1: not met yet */
};

static void
join(struct comparison *cmp, int before, int after, const struct network *net, const struct eni *eni,
     const struct cidr *outside)
{
    char key[48];
    int group[2] = { before < 0 ? -1 : cmp->groups[0][before], after < 0 ? -1 : cmp->groups[1][after] };
    snprintf(key, sizeof key, "%d %d %d", group[0], group[1], eni != NULL);
    uintptr_t index = (uintptr_t)map_get(&cmp->known, key);
    if (!index) {
        *VEC_ADD(&cmp->joints) = (struct joint){ .class = { before, after }, .net = net };
        index = cmp->joints.n;
        map_put(&cmp->known, key, (void *)index);
    }
    struct joint *joint = &cmp->joints.items[index - 1];
    if (eni) {
        *VEC_ADD(&joint->members) = eni;
    } else {
        *VEC_ADD(&joint->outside) = *outside;
    }
}

/* Names to interfaces; a name that two have stands for none. */
static const struct eni shared_name;

static void
collect_names(const struct network *net, struct map *names)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        const char *name = eni_name(net, eni);
        map_put(names, name, (void *)(uintptr_t)(map_get(names, name) ? &shared_name : eni));
    }
}

static const struct eni *
named(const struct map *names, const char *name)
{
    const struct eni *found = map_get(names, name);
    return found == &shared_name ? NULL : found;
}

static const struct eni *
counterpart(const struct comparison *cmp, const struct map names[2], int side, const struct eni *eni)
{
    const struct network *other = cmp->net[!side];
    const struct eni *same = store_get(network_store(other), &eni_kind, eni->obj.id);
    const char *name = eni_name(cmp->net[side], eni);
    if (same || !named(&names[side], name)) {
        return same;
    }
    same = named(&names[!side], name);
    return same && !store_get(network_store(cmp->net[side]), &eni_kind, same->obj.id) ? same : NULL;
}

static void
join_interfaces(struct comparison *cmp)
{
    struct map names[2] = { { 0 }, { 0 } };
    collect_names(cmp->net[0], &names[0]);
    collect_names(cmp->net[1], &names[1]);
    for (int side = 0; side < 2; side++) {
        const struct store *store = network_store(cmp->net[side]);
        for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
            const struct eni *other = counterpart(cmp, names, side, eni);
            int here = connectivity_class_of(cmp->c[side], eni->obj.id);
            int there = other ? connectivity_class_of(cmp->c[!side], other->obj.id) : -1;
            if ((side == 0 && (here >= 0 || there >= 0)) || (side == 1 && !other && here >= 0)) {
                join(cmp, side ? there : here, side ? here : there, cmp->net[side], eni, NULL);
            }
        }
    }
    map_done(&names[0]);
    map_done(&names[1]);
}

/* Both networks were cut into the same parts; one may call a part its own. */
static void
join_outside(struct comparison *cmp)
{
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < connectivity_n_classes(cmp->c[side]); k++) {
            const struct conn_class *class = connectivity_class(cmp->c[side], k);
            for (size_t i = 0; i < class->outside.n; i++) {
                int other = connectivity_class_of(cmp->c[!side], cidr_str(&class->outside.items[i]));
                if (side == 0 || other < 0) {
                    join(cmp, side ? other : (int)k, side ? (int)k : other, cmp->net[side], NULL,
                         &class->outside.items[i]);
                }
            }
        }
    }
}

static void
comparison_init(struct comparison *cmp, const struct network *before, const struct network *after, int family)
{
    *cmp = (struct comparison){ .net = { before, after } };
    for (int side = 0; side < 2; side++) {
        cmp->c[side] = connectivity_new_beside(cmp->net[side], cmp->net[!side], family);
        connectivity_groups(cmp->c[side], &cmp->groups[side]);
    }
    join_interfaces(cmp);
    join_outside(cmp);
    struct map taken = { 0 };
    for (size_t i = 0; i < cmp->joints.n; i++) {
        struct joint *j = &cmp->joints.items[i];
        char *name = members_name(j->net, j->members.items, j->members.n, j->outside.items, j->outside.n);
        uintptr_t n = (uintptr_t)map_get(&taken, name) + 1;
        map_put(&taken, name, (void *)n);
        j->name = n > 1 ? xasprintf("%s #%d", name, (int)n) : xstrdup(name);
        free(name);
    }
    map_done(&taken);
}

static void
comparison_done(struct comparison *cmp)
{
    for (int side = 0; side < 2; side++) {
        connectivity_free(cmp->c[side]);
        free(cmp->groups[side]);
    }
    for (size_t i = 0; i < cmp->joints.n; i++) {
        VEC_DONE(&cmp->joints.items[i].members);
        VEC_DONE(&cmp->joints.items[i].outside);
        free(cmp->joints.items[i].name);
    }
    VEC_DONE(&cmp->joints);
    VEC_DONE(&cmp->translated);
    map_done(&cmp->known);
}

/* ---- Comparing
 * -------------------------------------------------------------------------------------------------------
 */

static int
usable_between(const struct connectivity *c, int from, int to)
{
    if (from < 0 || to < 0) {
        return PACKETS_NONE;
    }
    struct conn_flow flow = connectivity_between(c, (size_t)from, (size_t)to);
    return packets_usable(connectivity_pool(c), flow.passes, flow.answered);
}

/* A set of the second pool in the first. */
static int
translate(struct comparison *cmp, int set)
{
    while (cmp->translated.n <= (size_t)set) {
        *VEC_ADD(&cmp->translated) = -1;
    }
    int *known = &cmp->translated.items[set];
    if (*known < 0) {
        const struct packet_set none = { 0 };
        struct packet_set copy =
            packet_set_combine(set_pool_get(connectivity_pool(cmp->c[1]), set), &none, PACKETS_UNION);
        *known = set_pool_take(connectivity_pool(cmp->c[0]), &copy);
    }
    return *known;
}

static void
set_packets(const struct comparison *cmp, json_t *json, const char *name, int set)
{
    char *text = packets_text(cmp->c[0], set);
    json_object_set_new(json, name, json_string(text));
    free(text);
}

static json_t *
change_json(struct comparison *cmp, const struct joint *from, const struct joint *to, int before, int after)
{
    struct set_pool *pool = connectivity_pool(cmp->c[0]);
    const char *what = before == PACKETS_NONE ? "gained" : after == PACKETS_NONE ? "lost" : "changed";
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "Change", what, "From", from->name, "To", to->name, "Family",
                             connectivity_family(cmp->c[0]) == IP_V6 ? "ipv6" : "ipv4");
    set_packets(cmp, json, "Before", before);
    set_packets(cmp, json, "After", after);
    set_packets(cmp, json, "Gained", set_pool_combine(pool, after, before, PACKETS_SUBTRACT));
    set_packets(cmp, json, "Lost", set_pool_combine(pool, before, after, PACKETS_SUBTRACT));
    return json;
}

static json_t *
joint_json(const struct joint *joint)
{
    json_t *ids = json_array(), *json = json_pack("{s:s}", "Name", joint->name);
    for (size_t i = 0; i < joint->members.n; i++) {
        json_array_append_new(ids, json_string(joint->members.items[i]->obj.id));
    }
    for (size_t i = 0; i < joint->outside.n; i++) {
        json_array_append_new(ids, json_string(cidr_str(&joint->outside.items[i])));
    }
    json_object_set_new(json, joint->members.n ? "NetworkInterfaceIds" : "Cidrs", ids);
    return json;
}

static void
compare_family(const struct network *before, const struct network *after, int family, json_t *out)
{
    struct comparison cmp;
    json_t *changes = json_object_get(out, "Changes"), *groups = json_object_get(out, "Groups");
    comparison_init(&cmp, before, after, family);
    bool *used = xcalloc(cmp.joints.n + 1, sizeof *used);
    for (size_t a = 0; a < cmp.joints.n; a++) {
        const struct joint *from = &cmp.joints.items[a];
        for (size_t b = 0; b < cmp.joints.n; b++) {
            const struct joint *to = &cmp.joints.items[b];
            if (a == b && from->members.n == 1) {
                continue;
            }
            int was = usable_between(cmp.c[0], from->class[0], to -> class[0]);
            int is = translate(&cmp, usable_between(cmp.c[1], from->class[1], to -> class[1]));
            if (was != is) {
                json_array_append_new(changes, change_json(&cmp, from, to, was, is));
                used[a] = used[b] = true;
            }
        }
    }
    for (size_t i = 0; i < cmp.joints.n; i++) {
        if (used[i]) {
            json_array_append_new(groups, joint_json(&cmp.joints.items[i]));
        }
    }
    free(used);
    comparison_done(&cmp);
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
    json_t *in = op ? op_read_argv(op, copy, words->n - used, words->items + used, err) : NULL;
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
