/* cloud/ops_import.c - `import aws DIR` and `export aws DIR`: the lab's network from describe-* dumps, and back. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/vec.h"
#include "cloud/op.h"
#include "cloud/share_dumps.h"
#include "iampolicy/account.h"
#include "netsim/interop/aws_import.h"
#include "netsim/model/network.h"

/* ---- has anybody touched the default VPC? ------------------------------------------------------------------------ */

/* The network as text with every id replaced by the order of its appearance, so that two networks built the same way
 * are equal. */
static char *
shape_of(const struct network *net)
{
    struct buf text = { 0 }, out = { 0 };
    struct map ids = { 0 };
    size_t n_ids = 0;
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        json_t *array = store_save_kind(network_store(net), *kind);
        json_write_compact(array, &text);
        json_decref(array);
    }
    const char *at = buf_str(&text);
    while (*at) {
        size_t word = 0; /* an id: letters and dashes, a dash, 17 hex digits */
        while (islower((unsigned char)at[word]) || isdigit((unsigned char)at[word]) || at[word] == '-') {
            word++;
        }
        if (word > 18 && at[word - 18] == '-') {
            char *id = xstrndup(at, word);
            size_t number = (size_t)(uintptr_t)map_get(&ids, id);
            if (number == 0) {
                number = ++n_ids;
                map_put(&ids, id, (void *)(uintptr_t)number);
            }
            buf_printf(&out, "#%zu", number);
            free(id);
        } else {
            buf_add(&out, at, word ? word : 1);
        }
        at += word ? word : 1;
    }
    map_done(&ids);
    buf_done(&text);
    return buf_steal(&out);
}

/* As many objects of every kind? */
static bool
same_counts(const struct network *a, const struct network *b)
{
    bool same = true;
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        same = same && store_count(network_store(a), *kind) == store_count(network_store(b), *kind);
    }
    return same;
}

enum fresh { NOT_FRESH, FRESH_DEFAULT_VPC, FRESH_EMPTY };

/* Is the network what a new lab has: nothing, or the default VPC as it was made? */
static enum fresh
freshness(const struct cloud *cloud)
{
    size_t n = 0;
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        n += store_count(network_store(cloud->net), *kind);
    }
    if (n == 0) {
        return FRESH_EMPTY;
    }
    struct id_gen ids;
    id_gen_seed(&ids, 1);
    struct network *model = network_new(&ids, &cloud->clock);
    network_set_owner(model, cloud->account, cloud->home_region);
    enum fresh fresh = NOT_FRESH;
    if (network_create_default_vpc(model, NULL) && same_counts(cloud->net, model)) {
        char *ours = shape_of(cloud->net), *new = shape_of(model);
        fresh = strcmp(ours, new) == 0 ? FRESH_DEFAULT_VPC : NOT_FRESH;
        free(ours);
        free(new);
    }
    network_free(model);
    return fresh;
}

/* ---- import ------------------------------------------------------------------------------------------------------ */

/* What the lab holds goes along into the new network, so that a failure leaves the old one as it is. */
static bool
copy_network(const struct network *from, struct network *to, struct err *err)
{
    bool ok = true;
    for (const struct kind *const *kind = network_kinds; ok && *kind; kind++) {
        json_t *saved = store_save_kind(network_store(from), *kind);
        ok = network_load_kind(to, *kind, saved, (*kind)->list, NULL, err);
        json_decref(saved);
    }
    return ok;
}

static bool
has_iam_entities(const struct cloud *cloud)
{
    const struct kind *const kinds[] = {
        &iam_user_kind,       &iam_group_kind,           &iam_role_kind, &iam_managed_policy_kind, &iam_bucket_kind,
        &iam_access_key_kind, &iam_instance_profile_kind
    };
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (store_count(cloud->accounts->store, kinds[i]) > 0) {
            return true;
        }
    }
    return false;
}

/* Where nothing but the import is in the lab, the person is from now on in the account and region most of it is in. */
static void
move_in(struct cloud *cloud, const json_t *out)
{
    const char *account = json_string_value(json_array_get(json_object_get(out, "Accounts"), 0));
    const char *region = json_string_value(json_array_get(json_object_get(out, "Regions"), 0));
    if (account && strlen(account) == 12 && !has_iam_entities(cloud)) {
        snprintf(cloud->account, sizeof cloud->account, "%s", account);
        snprintf(cloud->home_account, sizeof cloud->home_account, "%s", account);
    }
    if (region && strlen(region) < sizeof cloud->region) {
        snprintf(cloud->region, sizeof cloud->region, "%s", region);
        snprintf(cloud->home_region, sizeof cloud->home_region, "%s", region);
    }
}

static bool
import_aws(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    const char *dir = arg_str(call->in, "Directory");
    bool replace = arg_flag(call->in, "Replace", false);
    if (cloud->live) {
        err_set(err, ERR_INPUT, "IncorrectState", "the lab is live, and an import replaces its network");
        return err_hint(err, "`vpclab down` first, then import, then `vpclab up`");
    }
    enum fresh fresh = freshness(cloud);
    struct network *net = network_new(&cloud->ids, &cloud->clock);
    network_set_owner(net, cloud->account, cloud->region);
    network_set_limits(net, cloud->limits);
    bool begin = replace || fresh != NOT_FRESH;
    if ((!begin && !copy_network(cloud->net, net, err)) || !aws_import(net, dir, call->out, err)) {
        network_free(net);
        return false;
    }
    network_free(cloud->net);
    cloud->net = net;
    if (begin) {
        move_in(cloud, call->out);
    }
    share_dumps_import(cloud, json_object_get(call->out, "Shared"));
    network_set_owner(net, cloud->account, cloud->region);
    json_object_set_new(call->out, "Account", json_string(cloud->account));
    json_object_set_new(call->out, "Region", json_string(cloud->region));
    json_object_set_new(call->out, "Replaced",
                        json_string(fresh == FRESH_EMPTY         ? "nothing"
                                    : fresh == FRESH_DEFAULT_VPC ? "default VPC"
                                    : replace                    ? "network"
                                                                 : "nothing"));
    return true;
}

/* ---- export ------------------------------------------------------------------------------------------------------ */

static bool
export_aws(struct op_call *call, struct err *err)
{
    const char *dir = arg_str(call->in, "Directory");
    return aws_export(call->cloud->net, dir, call->out, err) && share_dumps_export(call->cloud, dir, call->out, err);
}

/* ---- for a person ------------------------------------------------------------------------------------------------ */

static void
counts_text(const json_t *counts, struct buf *text)
{
    for (size_t i = 0; i < json_array_size(counts); i++) {
        const json_t *row = json_array_get(counts, i);
        buf_printf(text, "%6lld  %s\n", json_int(row, "Count", 0), json_str(row, "Type"));
    }
}

/* The first few of a list of strings. */
static void
some_text(const json_t *list, size_t most, struct buf *text)
{
    for (size_t i = 0; i < json_array_size(list) && i < most; i++) {
        buf_printf(text, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    }
    if (json_array_size(list) > most) {
        buf_printf(text, " and %zu more", json_array_size(list) - most);
    }
}

/* Files left out: few by name, many by their number for each reason. */
static void
files_text(const json_t *files, struct buf *text)
{
    size_t n = json_array_size(files);
    json_t *reasons = json_object();
    for (size_t i = 0; i < n; i++) {
        const char *reason = json_str(json_array_get(files, i), "Reason");
        json_object_set_new(reasons, reason, json_integer(json_int(reasons, reason, 0) + 1));
    }
    const char *reason;
    json_t *count;
    json_object_foreach(reasons, reason, count)
    {
        size_t shown = 0;
        buf_printf(text, "left out %lld file%s: ", (long long)json_integer_value(count),
                   plural(json_integer_value(count)));
        for (size_t i = 0; i < n && shown < 3; i++) {
            const json_t *row = json_array_get(files, i);
            if (strcmp(json_str(row, "Reason"), reason) == 0) {
                buf_printf(text, "%s%s", shown++ ? ", " : "", json_str(row, "File"));
            }
        }
        buf_printf(text, "%s (%s)\n", json_integer_value(count) > 3 ? ", ..." : "", reason);
    }
    json_decref(reasons);
}

static void
skipped_text(const json_t *out, struct buf *text)
{
    const json_t *lists = json_object_get(out, "Skipped"), *files = json_object_get(out, "SkippedFiles"),
                 *members = json_object_get(out, "SkippedMembers");
    if (json_array_size(lists) > 0) {
        buf_str_add(text, "left out, of kinds vpclab does not model:\n");
    }
    for (size_t i = 0; i < json_array_size(lists); i++) {
        const json_t *row = json_array_get(lists, i);
        buf_printf(text, "%6lld  %s (", json_int(row, "Count", 0), json_str(row, "List"));
        some_text(json_object_get(row, "Files"), 2, text);
        buf_str_add(text, "): ");
        some_text(json_object_get(row, "Ids"), 4, text);
        buf_char(text, '\n');
    }
    files_text(files, text);
    const char *type = "";
    for (size_t i = 0; i < json_array_size(members); i++) {
        const json_t *row = json_array_get(members, i);
        bool same = strcmp(type, json_str(row, "Type")) == 0;
        type = json_str(row, "Type");
        buf_printf(text, same ? ", %s%s" : "%smembers of %s left out: ",
                   same ? ""
                   : i  ? "\n"
                        : "",
                   same ? json_str(row, "Member") : type);
        if (!same) {
            buf_str_add(text, json_str(row, "Member"));
        }
    }
    if (json_array_size(members) > 0) {
        buf_char(text, '\n');
    }
}

static void
import_text(const json_t *out, struct buf *text)
{
    const char *replaced = json_str(out, "Replaced");
    buf_str_add(text, "imported\n");
    counts_text(json_object_get(out, "Imported"), text);
    long long merged = json_int(out, "Merged", 0);
    if (merged > 0) {
        buf_printf(text, "%lld object%s listed more than once and %s\n", merged, merged == 1 ? " was" : "s were",
                   merged == 1 ? "is one" : "are one each");
    }
    const json_t *shared = json_object_get(out, "Shared");
    for (size_t i = 0; i < json_array_size(shared); i++) {
        const json_t *item = json_array_get(shared, i);
        buf_printf(text, "%s is shared with %s\n", json_str(item, "Id"), json_str(item, "Account"));
    }
    skipped_text(out, text);
    const json_t *warnings = json_object_get(out, "Warnings");
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        buf_printf(text, "warning: %s\n", json_string_value(json_array_get(warnings, i)));
    }
    if (replaced && strcmp(replaced, "nothing") != 0) {
        buf_printf(text, "in place of the lab's %s\n",
                   strcmp(replaced, "network") == 0 ? "old network" : "untouched default VPC");
    }
    buf_printf(text, "the lab is in account %s, region %s\n", json_str(out, "Account"), json_str(out, "Region"));
}

static void
export_text(const json_t *out, struct buf *text)
{
    buf_str_add(text, "exported\n");
    counts_text(json_object_get(out, "Exported"), text);
    const json_t *files = json_object_get(out, "Files");
    for (size_t i = 0; i < json_array_size(files); i++) {
        buf_printf(text, "%s\n", json_string_value(json_array_get(files, i)));
    }
}

static const struct op_param import_params[] = {
    { "Directory", OP_PATH, OP_REQUIRED | OP_POSITIONAL,
      "directory with what `aws ec2 describe-*` printed, at any depth", NULL, NULL },
    { "Replace", OP_BOOL, OP_OPTIONAL, "start from an empty network instead of adding to the lab's", NULL, NULL },
    { 0 },
};
static const struct op_param export_params[] = {
    { "Directory", OP_PATH, OP_REQUIRED | OP_POSITIONAL, "directory to write to; it is made", NULL, NULL },
    { 0 },
};
const struct op ops_import[] = {
    { .name = "import aws",
      .mode = OP_WRITE,
      .run = import_aws,
      .params = import_params,
      .text = import_text,
      .group = "build",
      .help = "Take over a real network from what `aws ec2 describe-*` printed, and say what was left out.",
      .examples =
          "import aws dump/              add what the dump describes; a new lab's default VPC makes room for it\n"
          "import aws dump/ --replace    in place of the lab's network\n" },
    { .name = "export aws",
      .mode = OP_LOCAL,
      .run = export_aws,
      .params = export_params,
      .text = export_text,
      .group = "look",
      .help = "Write the lab's network as the JSON files `import aws` reads.",
      .examples = "export aws dump/    DIR/accounts/ACCOUNT/REGION/Vpcs.json and so on\n" },
    { 0 },
};
