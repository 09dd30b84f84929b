/* cloud/ops_iam_access_keys.c - long-term access keys of users, two each at most.
 *
 * A request made with `--as AKIA...` is signed with that key; the journal has it, and get-access-key-last-used reads it
 * there.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/caller.h"
#include "cloud/line_log.h"
#include "cloud/ops_iam.h"
#include "cloud/state.h"

#define KEYS_MAX 2

/* The user whose keys are meant: UserName, else who asks.  *name is NULL for the root user.  NoSuchEntity. */
static bool
key_owner(const struct op_call *call, const char **name, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    *name = NULL;
    if (arg_str(call->in, "UserName")) {
        const struct iam_user *user = iam_op_user(call, err);
        *name = user ? user->name : NULL;
        return user != NULL;
    }
    if (caller && caller->kind == CALLER_USER) {
        *name = caller->name;
        return true;
    }
    if (caller && caller->kind != CALLER_ROOT) {
        err_set(err, ERR_INPUT, "ValidationError", "Must specify userName when calling with non-User credentials");
        return err_hint(err, "--user-name NAME");
    }
    return true;
}

static bool
is_of(const struct op_call *call, const struct iam_access_key *key, const char *name)
{
    return strcmp(key->obj.account, call->cloud->account) == 0 &&
           (name ? key->user && strcasecmp(key->user, name) == 0 : !key->user);
}

/* The key that AccessKeyId names, if it is that user's. */
static struct iam_access_key *
find_key(const struct op_call *call, const char *name, struct err *err)
{
    const char *id = arg_str(call->in, "AccessKeyId");
    struct iam_access_key *key = store_get(call->cloud->accounts->store, &iam_access_key_kind, id);
    if (!key || !is_of(call, key, name)) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "The Access Key with id %.128s cannot be found.", id);
        return NULL;
    }
    return key;
}

static json_t *
show_key(const struct iam_access_key *key)
{
    char when[32];
    clock_format_s(key->created, when);
    return json_pack("{s:s*, s:s, s:s, s:s}", "UserName", key->user, "AccessKeyId", key->obj.id, "Status",
                     key->inactive ? "Inactive" : "Active", "CreateDate", when);
}

static bool
create_access_key(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name;
    size_t n = 0;
    if (!key_owner(call, &name, err)) {
        return false;
    }
    for (const struct iam_access_key *k = store_first(accounts->store, &iam_access_key_kind); k;
         k = store_next(accounts->store, k)) {
        n += is_of(call, k, name);
    }
    if (n >= KEYS_MAX) {
        err_set(err, ERR_INPUT, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", KEYS_MAX);
        return err_hint(err, "`iam delete-access-key` makes room");
    }
    char id[ID_SIZE], secret[41];
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    id_new_iam(accounts->ids, "AKIA", id);
    id[20] = '\0'; /* keys are a letter shorter than other ids */
    for (size_t i = 0; i < 40; i++) {
        secret[i] = alphabet[id_random_below(accounts->ids, 64)];
    }
    secret[40] = '\0';
    struct iam_access_key *key = store_add(accounts->store, &iam_access_key_kind, id);
    snprintf(key->obj.account, sizeof key->obj.account, "%s", call->cloud->account);
    key->user = name ? xstrdup(name) : NULL;
    key->secret = xstrdup(secret);
    key->created = iam_now(call);
    json_t *shown = show_key(key);
    json_object_set_new(shown, "SecretAccessKey", json_string(secret));
    json_object_set_new(call->out, "AccessKey", shown);
    return true;
}

static bool
list_access_keys(struct op_call *call, struct err *err)
{
    const struct store *store = call->cloud->accounts->store;
    const char *name;
    if (!key_owner(call, &name, err)) {
        return false;
    }
    json_t *list = json_array();
    for (const struct iam_access_key *k = store_first(store, &iam_access_key_kind); k; k = store_next(store, k)) {
        if (is_of(call, k, name)) {
            json_array_append_new(list, show_key(k));
        }
    }
    return iam_answer_list(call, "AccessKeyMetadata", list, err);
}

static bool
update_access_key(struct op_call *call, struct err *err)
{
    const char *name;
    struct iam_access_key *key = key_owner(call, &name, err) ? find_key(call, name, err) : NULL;
    if (key) {
        key->inactive = strcmp(arg_str(call->in, "Status"), "Active") != 0;
    }
    return key != NULL;
}

static bool
delete_access_key(struct op_call *call, struct err *err)
{
    const char *name;
    struct iam_access_key *key = key_owner(call, &name, err) ? find_key(call, name, err) : NULL;
    if (key) {
        store_delete(call->cloud->accounts->store, key);
    }
    return key != NULL;
}

/* The journal's last event with the key; NULL if there is none.  The caller owns it. */
static json_t *
last_event(const struct op_call *call, const char *id)
{
    struct buf text = { 0 };
    json_t *found = NULL;
    if (call->cloud->dir && line_log_read(call->cloud->dir->journal_path, &text, NULL, NULL)) {
        const char *line = buf_str(&text), *end = line + text.size, *next;
        for (; line < end; line = next) {
            const char *newline = memchr(line, '\n', (size_t)(end - line));
            next = newline ? newline + 1 : end;
            json_t *event = memmem(line, (size_t)(next - line), id, strlen(id))
                                ? json_read(line, (size_t)(next - line), "journal.jsonl", NULL)
                                : NULL;
            const char *key = json_str(json_object_get(event, "userIdentity"), "accessKeyId");
            if (key && strcmp(key, id) == 0) {
                json_decref(found);
                found = json_incref(event);
            }
            json_decref(event);
        }
    }
    buf_done(&text);
    return found;
}

static bool
get_access_key_last_used(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "AccessKeyId");
    const struct iam_access_key *key = store_get(call->cloud->accounts->store, &iam_access_key_kind, id);
    if (!key || strcmp(key->obj.account, call->cloud->account) != 0) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "The Access Key with id %.128s cannot be found.", id);
    }
    json_t *event = last_event(call, id), *used;
    if (event) {
        const char *source = json_str(event, "eventSource");
        used = json_pack("{s:s, s:s%, s:s}", "LastUsedDate", json_str(event, "eventTime"), "ServiceName", source,
                         strcspn(source, "."), "Region", json_str(event, "awsRegion"));
    } else {
        used = json_pack("{s:s, s:s}", "ServiceName", "N/A", "Region", "N/A");
    }
    if (key->user) {
        json_object_set_new(call->out, "UserName", json_string(key->user));
    }
    json_object_set_new(call->out, "AccessKeyLastUsed", used);
    json_decref(event);
    return true;
}

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "iam", .name = name_, .mode = mode_, .run = run_, .help = help_                                     \
    }
const struct op ops_iam_access_keys[] = {
    ROW("CreateAccessKey", OP_WRITE, create_access_key, "Create an access key; its secret is shown only now."),
    ROW("ListAccessKeys", OP_READ, list_access_keys, "List a user's access keys."),
    ROW("UpdateAccessKey", OP_WRITE, update_access_key, "Make an access key active or inactive."),
    ROW("DeleteAccessKey", OP_WRITE, delete_access_key, "Delete an access key."),
    ROW("GetAccessKeyLastUsed", OP_READ, get_access_key_last_used, "Show when and for what a key was used last."),
    { 0 },
};
