#include "cloud/state.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/vec.h"
#include "iampolicy/account.h"
#include "netsim/model/network.h"

/* ---- To text ----------------------------------------------------------------------------------------------------- */

/* {"Vpcs": [..], ..} with one resource a line, so that a person can read, search and compare it. */
static void
write_kinds(struct buf *out, const struct store *store, const struct kind *const *kinds, const struct store_text *last)
{
    const char *before = "";
    buf_char(out, '{');
    for (size_t i = 0; kinds[i]; i++) {
        void *first = store_first(store, kinds[i]);
        if (!first) {
            continue;
        }
        buf_printf(out, "%s\n\"%s\": ", before, kinds[i]->list);
        before = ",";
        for (void *object = first; object; object = store_next(store, object)) {
            buf_str_add(out, object == first ? "[\n" : ",\n");
            store_write_again(object, last, out);
        }
        buf_char(out, ']');
    }
    buf_char(out, '}');
}

static char *
write_state(const struct cloud *cloud, const struct store_text *last, size_t *size)
{
    struct buf out = { 0 };
    buf_printf(&out, "{\"version\": %d,\n\"ids\": [\"%016" PRIx64 "\", \"%016" PRIx64 "\"],\n", STATE_VERSION,
               cloud->ids.state[0], cloud->ids.state[1]);
    buf_printf(&out, "\"clock\": {\"fixed\": %s, \"base_ms\": %" PRId64 "},\n", cloud->clock.fixed ? "true" : "false",
               cloud->clock.base_ms);
    buf_printf(&out, "\"account\": \"%s\", \"region\": \"%s\", \"limits\": %s, \"tap_hosts\": %s,\n\"network\": ",
               cloud->home_account, cloud->home_region, cloud->limits ? "true" : "false",
               network_tap_hosts(cloud->net) ? "true" : "false");
    write_kinds(&out, network_store(cloud->net), network_kinds, last);
    buf_str_add(&out, ",\n\"accounts\": ");
    write_kinds(&out, cloud->accounts->store, iam_account_kinds, last);
    buf_str_add(&out, "}\n");
    *size = out.size;
    return buf_steal(&out);
}

char *
state_text(const struct cloud *cloud, size_t *size)
{
    return write_state(cloud, &(struct store_text){ 0 }, size);
}

/* ---- From text --------------------------------------------------------------------------------------------------- */

static void
empty(struct cloud *cloud)
{
    network_free(cloud->net);
    iam_accounts_free(cloud->accounts);
    cloud->net = network_new(&cloud->ids, &cloud->clock);
    cloud->accounts = iam_accounts_new(&cloud->ids, &cloud->clock);
}

static bool
damaged(const char *where, const char *what, struct err *err)
{
    err_set(err, ERR_DOCUMENT, "", "%s", what);
    return err_at(err, where, 0, 0);
}

static bool
parse_ids(struct cloud *cloud, const json_t *ids, const char *where, struct err *err)
{
    for (size_t i = 0; i < 2; i++) {
        const char *text = json_string_value(json_array_get(ids, i));
        char *end = NULL;
        if (!text || strlen(text) != 16 || (cloud->ids.state[i] = strtoull(text, &end, 16), *end)) {
            return damaged(where, "`ids` must be two texts of 16 hex digits", err);
        }
    }
    return true;
}

static bool
parse_version(const json_t *json, const char *where, struct err *err)
{
    const json_t *version = json_object_get(json, "version");
    if (!json_is_integer(version) || json_integer_value(version) < 1) {
        return damaged(where, "this is not the state of a lab: it has no `version`", err);
    }
    if (json_integer_value(version) > STATE_VERSION) {
        err_set(err, ERR_DOCUMENT, "", "a newer vpclab wrote this lab (version %lld; this program reads up to %d)",
                (long long)json_integer_value(version), STATE_VERSION);
        err_at(err, where, 0, 0);
        return err_hint(err, "use that vpclab, or another lab: --lab NAME");
    }
    return true;
}

static bool
parse_network(struct cloud *cloud, const json_t *network, const char *where, struct err *err)
{
    for (size_t i = 0; network_kinds[i]; i++) {
        const json_t *array = json_object_get(network, network_kinds[i]->list);
        if (array && !json_is_array(array)) {
            return damaged(where, "a list of resources is not a list", err);
        }
        if (array &&
            !store_load_kind(network_store(cloud->net), network_kinds[i], array, network_kinds[i]->list, NULL, err)) {
            return false;
        }
    }
    return true;
}

/* Everything but the network and the accounts. */
static bool
parse_header(struct cloud *cloud, const json_t *json, const char *where, struct err *err)
{
    const json_t *clock = json_object_get(json, "clock");
    const char *account = json_str(json, "account"), *region = json_str(json, "region");
    if (!parse_version(json, where, err) || !parse_ids(cloud, json_object_get(json, "ids"), where, err)) {
        return false;
    }
    if (!account || strlen(account) != 12 || !region || strlen(region) >= sizeof cloud->region) {
        return damaged(where, "`account` or `region` is missing or no such thing", err);
    }
    cloud->clock.fixed = json_flag(clock, "fixed", false);
    cloud->clock.base_ms = json_int(clock, "base_ms", 0);
    bool elsewhere = strcmp(cloud->account, cloud->home_account) != 0; /* somebody of another account acts */
    snprintf(cloud->home_account, sizeof cloud->home_account, "%s", account);
    if (!elsewhere) {
        snprintf(cloud->account, sizeof cloud->account, "%s", account);
    }
    bool away = strcmp(cloud->region, cloud->home_region) != 0; /* --region: for this process only */
    snprintf(cloud->home_region, sizeof cloud->home_region, "%s", region);
    if (!away) {
        snprintf(cloud->region, sizeof cloud->region, "%s", region);
    }
    cloud->limits = json_flag(json, "limits", true);
    network_set_limits(cloud->net, cloud->limits);
    network_set_tap_hosts(cloud->net, json_flag(json, "tap_hosts", false));
    network_set_owner(cloud->net, cloud->account, cloud->region);
    return true;
}

static bool
parse_accounts(struct cloud *cloud, const json_t *json, struct err *err)
{
    const json_t *accounts = json_object_get(json, "accounts");
    return !accounts || iam_accounts_load(cloud->accounts, accounts, "accounts", err);
}

/* A text that is read object by object. */
struct reading {
    struct cloud *cloud;
    size_t kind;     /* of network_kinds: lists must come in their order, in which one object may need another */
    size_t n_before; /* members that stood before the network */
};

static bool
read_header(void *context, const json_t *rest)
{
    struct reading *reading = context;
    reading->n_before = json_object_size(rest);
    return parse_header(reading->cloud, rest, "", NULL);
}

static bool
read_object(void *context, const char *list, struct json_cursor *at)
{
    struct reading *reading = context;
    while (network_kinds[reading->kind] && strcmp(network_kinds[reading->kind]->list, list) != 0) {
        reading->kind++;
    }
    const struct kind *kind = network_kinds[reading->kind];
    return kind && store_read_object(network_store(reading->cloud->net), kind, at);
}

static bool
read_accounts(void *context, const json_t *rest)
{
    struct reading *reading = context;
    bool nothing_else = json_object_size(rest) == reading->n_before + 1 && json_object_get(rest, "accounts");
    return nothing_else && parse_accounts(reading->cloud, rest, NULL);
}

bool
state_parse(struct cloud *cloud, const char *text, size_t size, const char *where, struct err *err)
{
    /* As this program writes it, a lab is read object by object; any other way, and wherever something is wrong, whole.
     */
    struct reading reading = { .cloud = cloud };
    const struct json_parts parts = { "network", read_header, read_object, read_accounts, &reading };
    if (json_read_parts(text, size, &parts)) {
        return true;
    }
    empty(cloud);
    json_t *json = json_read(text, size, where, err);
    bool done = json && parse_header(cloud, json, where, err) &&
                parse_network(cloud, json_object_get(json, "network"), where, err) && parse_accounts(cloud, json, err);
    json_decref(json);
    if (!done) {
        err_hint(err, "nothing was changed; mend the file, or begin another lab with --lab NAME");
    }
    return done;
}

/* ---- The file ---------------------------------------------------------------------------------------------------- */

static bool
look(const struct lab_dir *dir, struct stat *st)
{
    return stat(dir->state_path, st) == 0;
}

/* 'stamp': what the objects know their places in the text by. */
static void
remember(struct lab_dir *dir, char *text, size_t size, size_t stamp, const struct stat *st)
{
    if (dir->saved != text) {
        free(dir->saved);
    }
    dir->saved = text;
    dir->saved_size = size;
    dir->saved_stamp = stamp;
    dir->saved_time = st->st_mtim;
    dir->saved_inode = st->st_ino;
}

/* A throw-away lab need not survive the machine, only its process (a keeper, a second reader): no fsync, which costs
 * more than the rest. */
static bool
write_throw_away(const struct lab_dir *dir, const char *text, size_t size, struct err *err)
{
    char *new_path = xasprintf("%s.new", dir->state_path);
    int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = fd >= 0 && write(fd, text, size) == (ssize_t)size;
    done = (fd < 0 || close(fd) == 0) && done && rename(new_path, dir->state_path) == 0;
    if (!done) {
        err_set(err, ERR_MACHINE, "", "`%s` cannot be written: %s", dir->state_path, strerror(errno));
    }
    free(new_path);
    return done;
}

bool
state_save(struct cloud *cloud, struct err *err)
{
    struct lab_dir *dir = cloud->dir;
    size_t size;
    struct stat st = { 0 };
    if (!dir) {
        return true;
    }
    struct store_text last = { dir->saved, dir->saved_stamp, ++dir->last_stamp };
    char *text = write_state(cloud, &last, &size);
    if (dir->saved && dir->saved_size == size && memcmp(dir->saved, text, size) == 0) {
        dir->saved_stamp = last.next;
        free(text);
        return true;
    }
    bool written =
        dir->throw_away ? write_throw_away(dir, text, size, err) : file_write_atomic(dir->state_path, text, size, err);
    if (!written) {
        free(text);
        return false;
    }
    look(dir, &st);
    remember(dir, text, size, last.next, &st);
    return true;
}

/* Replaces memory by the text, or leaves it as it was. */
static bool
replace(struct cloud *cloud, const char *text, size_t size, const char *where, struct err *err)
{
    struct cloud before = *cloud;
    cloud->net = NULL;
    cloud->accounts = NULL;
    empty(cloud);
    if (state_parse(cloud, text, size, where, err)) {
        network_free(before.net);
        iam_accounts_free(before.accounts);
        return true;
    }
    network_free(cloud->net);
    iam_accounts_free(cloud->accounts);
    *cloud = before;
    return false;
}

bool
state_refresh(struct cloud *cloud, struct err *err)
{
    struct lab_dir *dir = cloud->dir;
    struct stat st;
    if (!dir || !look(dir, &st)) {
        return true;
    }
    if (dir->saved && st.st_ino == dir->saved_inode && st.st_mtim.tv_sec == dir->saved_time.tv_sec &&
        st.st_mtim.tv_nsec == dir->saved_time.tv_nsec) {
        return true;
    }
    struct buf text = { 0 };
    if (!buf_read_file(&text, dir->state_path, JSON_FILE_LIMIT, err) ||
        !replace(cloud, buf_str(&text), text.size, dir->state_path, err)) {
        buf_done(&text);
        return false;
    }
    size_t size = text.size;
    remember(dir, buf_steal(&text), size, ++dir->last_stamp, &st);
    return true;
}

void
state_return_to(struct cloud *cloud, const char *text, size_t size)
{
    /* Handlers leave things as they were when they fail; comparing is cheap and makes sure. */
    const struct lab_dir *dir = cloud->dir;
    struct store_text last = { dir ? dir->saved : NULL, dir ? dir->saved_stamp : 0, 0 };
    size_t now_size;
    char *now = write_state(cloud, &last, &now_size);
    bool same = size == now_size && memcmp(text, now, size) == 0;
    free(now);
    if (!same) {
        replace(cloud, text, size, "state.json", NULL);
    }
}

void
state_restore(struct cloud *cloud)
{
    if (cloud->dir && cloud->dir->saved) {
        state_return_to(cloud, cloud->dir->saved, cloud->dir->saved_size);
    }
}
