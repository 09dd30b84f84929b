/* cloud/ops_lab.c - verbs about labs themselves: which there are, beginning and deleting them, the journal, what is
 * modelled. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/vec.h"
#include "cloud/awsmodel/awsmodel.h"
#include "cloud/line_log.h"
#include "cloud/op.h"
#include "cloud/state.h"
#include "cloud/suggest.h"
#include "netsim/live/keeper.h"
#include "netsim/model/network.h"

/* ---- lab list ---------------------------------------------------------------------------------------------------- */

static int
by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static json_t *
describe_lab(const struct op_call *call, const char *labs, const char *name)
{
    char *path = xasprintf("%s/%s/state.json", labs, name), when[32] = "";
    struct stat st;
    json_t *row = NULL;
    if (stat(path, &st) == 0) {
        clock_format_s((int64_t)st.st_mtim.tv_sec * 1000, when);
        struct lab_dir *dir = lab_dir_open(name, false, NULL);
        bool live = dir && access(dir->socket_path, F_OK) == 0 && keeper_is_alive(dir->socket_path);
        bool current = dir && call->cloud->dir && strcmp(dir->path, call->cloud->dir->path) == 0;
        row = json_pack("{s:s, s:b, s:b, s:s}", "Name", name, "Current", current, "Live", live, "Changed", when);
        lab_dir_close(dir);
    }
    free(path);
    return row;
}

static bool
lab_list(struct op_call *call, struct err *err)
{
    (void)err;
    char *labs = labs_path();
    VEC(char *) names = { 0 };
    DIR *directory = opendir(labs);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (lab_name_valid(entry->d_name)) {
            *VEC_ADD(&names) = xstrdup(entry->d_name);
        }
    }
    if (directory) {
        closedir(directory);
    }
    if (names.n) {
        qsort(names.items, names.n, sizeof *names.items, by_name);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < names.n; i++) {
        json_t *row = describe_lab(call, labs, names.items[i]);
        if (row) {
            json_array_append_new(list, row);
        }
        free(names.items[i]);
    }
    VEC_DONE(&names);
    free(labs);
    json_object_set_new(call->out, "Labs", list);
    return true;
}

/* ---- lab new, lab delete ----------------------------------------------------------------------------------------- */

/* The directory of a named lab, whether it is there or not; NULL and ERR_USAGE for no name. The caller frees it. */
static char *
lab_path(const char *name, bool *exists, struct err *err)
{
    if (!lab_name_valid(name)) {
        err_set(err, ERR_USAGE, "", "`%s` is not a name for a lab", name);
        err_hint(err, "a name has letters, digits, `.`, `_` and `-`");
        return NULL;
    }
    char *labs = labs_path();
    char *path = xasprintf("%s/%s", labs, name), *state = xasprintf("%s/state.json", path);
    *exists = access(state, F_OK) == 0;
    free(labs);
    free(state);
    return path;
}

static bool
lab_new(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "Name");
    struct cloud_options options = { .lab = name, .bare = arg_flag(call->in, "Bare", false) };
    options.no_limits = !arg_flag(call->in, "Limits", true);
    options.seed = (uint64_t)arg_int(call->in, "Seed", 0);
    bool exists;
    char *path = lab_path(name, &exists, err);
    if (!path) {
        return false;
    }
    if (exists) {
        err_set(err, ERR_USAGE, "", "there is a lab `%s` already", name);
        err_hint(err, "use it with --lab %s, or first: lab delete %s", name, name);
        free(path);
        return false;
    }
    struct cloud *made = cloud_open(&options, err);
    if (made) {
        json_object_set_new(call->out, "Name", json_string(name));
        json_object_set_new(call->out, "Directory", json_string(path));
        json_object_set_new(call->out, "Vpcs",
                            json_integer((json_int_t)store_count(network_store(made->net), network_kinds[0])));
    }
    cloud_close(made);
    free(path);
    return made != NULL;
}

static bool
delete_lab(const char *name, struct err *err)
{
    struct lab_dir *dir = lab_dir_open(name, false, err);
    bool done = false;
    if (!dir) {
        return false;
    }
    if (access(dir->socket_path, F_OK) == 0 && keeper_is_alive(dir->socket_path)) {
        err_set(err, ERR_USAGE, "", "lab `%s` is live", name);
        err_hint(err, "first: vpclab --lab %s down", name);
    } else if (lab_dir_lock(dir, err)) {
        done = lab_dir_remove(dir->path, err);
    }
    lab_dir_close(dir);
    return done;
}

static bool
lab_delete(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "Name");
    bool exists;
    char *path = lab_path(name, &exists, err);
    if (!path) {
        return false;
    }
    bool current = call->cloud->dir && strcmp(call->cloud->dir->path, path) == 0;
    free(path);
    if (!exists) {
        err_set(err, ERR_USAGE, "", "there is no lab `%s`", name);
        return err_hint(err, "`vpclab lab list` lists them");
    }
    if (current && call->cloud->dir->lock_fd >= 0) {
        return err_set(err, ERR_USAGE, "", "lab `%s` is the one in use here", name);
    }
    json_object_set_new(call->out, "Deleted", json_string(name));
    return delete_lab(name, err);
}

/* ---- journal ----------------------------------------------------------------------------------------------------- */

static bool
wanted(const json_t *in, const json_t *event)
{
    const char *name = arg_str(in, "Event"), *code = json_str(event, "errorCode");
    return (!name || strcmp(name, json_str(event, "eventName")) == 0) && (!arg_flag(in, "Refused", false) || code) &&
           (!arg_flag(in, "Changes", false) || !json_flag(event, "readOnly", false));
}

static bool
read_journal(struct op_call *call, struct err *err)
{
    struct buf text = { 0 };
    long long limit = arg_int(call->in, "Limit", 0);
    json_t *events = json_array();
    json_object_set_new(call->out, "Events", events);
    size_t older = 0;
    bool good = !call->cloud->dir || line_log_read(call->cloud->dir->journal_path, &text, &older, err);
    int number = 0;
    for (const char *line = buf_str(&text), *newer = line + older; good && *line;) {
        size_t size = strcspn(line, "\n");
        json_t *event = json_read(line, size, line < newer ? "journal.jsonl.1" : "journal.jsonl", err);
        number = line == newer ? 1 : number + 1;
        if (!event && err) {
            err->line = number;
        }
        good = event != NULL;
        if (good && wanted(call->in, event)) {
            json_array_append(events, event);
        }
        json_decref(event);
        line += size + (line[size] == '\n');
    }
    while (limit > 0 && json_array_size(events) > (size_t)limit) {
        json_array_remove(events, 0); /* the last ones are wanted */
    }
    buf_done(&text);
    return good;
}

static void
journal_text(const json_t *out, struct buf *text)
{
    const json_t *events = json_object_get(out, "Events");
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        const char *code = json_str(event, "errorCode"), *source = json_str(event, "eventSource");
        buf_printf(text, "%s  %.*s:%s", json_str(event, "eventTime"), (int)strcspn(source, "."), source,
                   json_str(event, "eventName"));
        if (code) {
            buf_printf(text, "  REFUSED %s  %s", code, json_str(event, "errorMessage"));
        } else {
            buf_str_add(text, "  ");
            json_write_compact(json_object_get(event, "requestParameters"), text);
        }
        buf_char(text, '\n');
    }
}

/* ---- ops --------------------------------------------------------------------------------------------------------- */

static bool
list_ops(struct op_call *call, struct err *err)
{
    const char *only = arg_str(call->in, "Service");
    bool missing = arg_flag(call->in, "Missing", false), known = !only;
    json_t *list = json_array();
    struct suggest suggest = suggest_start(only ? only : "");
    for (size_t i = 0; i < aws_service_count(); i++) {
        const struct aws_service *service = aws_service_at(i);
        const char *name = aws_text(service->name);
        suggest_offer(&suggest, name);
        known = known || strcmp(only, name) == 0;
        for (size_t j = 0; j < service->n_operations && (!only || strcmp(only, name) == 0); j++) {
            const struct aws_operation *operation = aws_operation_at(service, j);
            bool modelled = op_by_name(name, aws_text(operation->name)) != NULL;
            if (modelled != missing) {
                json_array_append_new(
                    list, json_pack("{s:s, s:s}", "Service", name, "Operation", aws_text(operation->words)));
            }
        }
    }
    json_object_set_new(call->out, "Operations", list);
    if (!known) {
        err_set(err, ERR_USAGE, "", "the lab has no service `%s`", only);
        suggest_hint(&suggest, err, "");
        return err_hint(err, "`ops --coverage` lists the services");
    }
    return true;
}

static bool
count_ops(struct op_call *call)
{
    json_t *list = json_array();
    for (size_t i = 0; i < aws_service_count(); i++) {
        const struct aws_service *service = aws_service_at(i);
        json_int_t modelled = 0;
        for (size_t j = 0; j < service->n_operations; j++) {
            modelled += op_by_name(aws_text(service->name), aws_text(aws_operation_at(service, j)->name)) != NULL;
        }
        json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "Service", aws_text(service->name), "Modelled",
                                              modelled, "Known", (json_int_t)service->n_operations));
    }
    json_object_set_new(call->out, "Services", list);
    return true;
}

static bool
ops_run(struct op_call *call, struct err *err)
{
    return arg_flag(call->in, "Coverage", false) ? count_ops(call) : list_ops(call, err);
}

/* ---- lab limits -------------------------------------------------------------------------------------------------- */

static bool
lab_limits(struct op_call *call, struct err *err)
{
    const char *state = arg_str(call->in, "State");
    (void)err;
    if (state) {
        call->cloud->limits = strcmp(state, "on") == 0;
        network_set_limits(call->cloud->net, call->cloud->limits);
    }
    json_object_set_new(call->out, "Limits", json_string(call->cloud->limits ? "on" : "off"));
    return true;
}

/* ---- lab hosts --------------------------------------------------------------------------------------------------- */

static bool
lab_hosts(struct op_call *call, struct err *err)
{
    const char *kind = arg_str(call->in, "Kind");
    (void)err;
    if (kind) {
        network_set_tap_hosts(call->cloud->net, strcmp(kind, "tap") == 0);
    }
    json_object_set_new(call->out, "Hosts", json_string(network_tap_hosts(call->cloud->net) ? "tap" : "namespaces"));
    return true;
}

static const struct op_param hosts_params[] = {
    { "Kind", OP_STRING, OP_OPTIONAL | OP_POSITIONAL, "what they are; shows which if not given", NULL,
      "namespaces tap" },
    { 0 },
};
static const struct op_param limits_params[] = {
    { "State", OP_STRING, OP_OPTIONAL | OP_POSITIONAL, "shows which if not given", NULL, "on off" },
    { 0 },
};
static const struct op_param new_params[] = {
    { "Name", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "name of the new lab" },
    { "Bare", OP_BOOL, OP_OPTIONAL, "without the default VPC" },
    { "Limits", OP_BOOL, OP_OPTIONAL, "AWS's default quotas; --no-limits for none" },
    { "Seed", OP_INT, OP_OPTIONAL, "the same ids and times every time" },
    { 0 },
};
static const struct op_param delete_params[] = {
    { "Name", OP_STRING, OP_REQUIRED | OP_POSITIONAL, "name of the lab", NULL, NULL, "lab" },
    { 0 },
};
static const struct op_param journal_params[] = {
    { "Event", OP_STRING, OP_OPTIONAL, "only this operation: CreateVpc" },
    { "Changes", OP_BOOL, OP_OPTIONAL, "only what changes something" },
    { "Refused", OP_BOOL, OP_OPTIONAL, "only what was refused" },
    { "Limit", OP_INT, OP_OPTIONAL, "the last N events" },
    { 0 },
};
static const struct op_param ops_params[] = {
    { "Service", OP_STRING, OP_OPTIONAL | OP_POSITIONAL, "only this service" },
    { "Missing", OP_BOOL, OP_OPTIONAL, "those that are known but not modelled yet" },
    { "Coverage", OP_BOOL, OP_OPTIONAL, "how many of each service" },
    { 0 },
};

const struct op ops_lab[] = {
    { .name = "lab list",
      .mode = OP_LOCAL,
      .run = lab_list,
      .no_lab = true,
      .group = "lab",
      .help = "List the labs of this user." },
    { .name = "lab new",
      .mode = OP_LOCAL,
      .run = lab_new,
      .no_lab = true,
      .group = "lab",
      .params = new_params,
      .help = "Begin a lab: an account with its default VPC.",
      .examples = "lab new exam                 a lab called exam\n"
                  "lab new empty --bare --seed 7   without the default VPC; ids repeat\n" },
    { .name = "lab limits",
      .mode = OP_WRITE,
      .run = lab_limits,
      .group = "lab",
      .params = limits_params,
      .help = "Hold AWS's default quotas (five VPCs, five Elastic IPs, ...), or let them be.",
      .examples = "lab limits off\n" },
    { .name = "lab hosts",
      .mode = OP_WRITE,
      .run = lab_hosts,
      .group = "lab",
      .params = hosts_params,
      .help = "Make instances of the live lab namespaces, in which programs run, or TAP hosts, thousands of which cost "
              "little "
              "and answer by themselves.",
      .examples = "lab hosts tap          then `up`; the tag vpclab:host=namespace makes exceptions\n" },
    { .name = "lab delete",
      .mode = OP_LOCAL,
      .run = lab_delete,
      .no_lab = true,
      .group = "lab",
      .params = delete_params,
      .help = "Delete a lab and all that is in it.",
      .examples = "lab delete exam\n" },
    { .name = "journal",
      .mode = OP_LOCAL,
      .run = read_journal,
      .group = "look",
      .params = journal_params,
      .text = journal_text,
      .help = "Show what was done in the lab and what was refused, as CloudTrail records it.",
      .examples = "journal --changes --limit 5   the last five changes\n"
                  "journal --refused --output json\n" },
    { .name = "ops",
      .mode = OP_LOCAL,
      .run = ops_run,
      .no_lab = true,
      .group = "look",
      .params = ops_params,
      .help = "List AWS's operations that the lab has, or how many of each service.",
      .examples = "ops ec2\nops --coverage\n" },
    { 0 },
};
