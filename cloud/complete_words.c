/* cloud/complete_words.c - values for completion: actions and keys from the catalogue, principals and ARNs from the
 * lab. */
#include "cloud/complete_words.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/log_groups.h"
#include "cloud/ops_ec2.h"
#include "cloud/sharing.h"
#include "cloud/state.h"
#include "iampolicy/account.h"
#include "iampolicy/aws_policies.h"
#include "iampolicy/catalog/catalog.h"
#include "iampolicy/kms_key.h"
#include "iampolicy/share.h"
#include "netsim/flowlog/flowlog.h"

struct completer {
    const struct cloud *cloud;
    const struct complete_words *what;
    complete_words_fn *each;
    void *context;
};

static const struct {
    const char *service, *member, *words;
} members[] = {
    { "iam", "ActionNames", "action" },     { "iam", "ContextEntries", "entry" },
    { "iam", "PolicySourceArn", "entity" }, { "iam", "CallerArn", "entity" },
    { "iam", "ResourceArns", "arn" },       { "sts", "RoleArn", "role" },
    { "iam", "PolicyArn", "policy" },       { "iam", "PermissionsBoundary", "policy" },
    { "ec2", "Filters", "filter" },         { "ec2", "Filter", "filter" },
    { "ram", "resourceShareArn", "share" }, { "ram", "resourceShareArns", "share" },
    { "ram", "resourceArns", "shareable" }, { "ram", "resourceArn", "shareable" },
    { "ram", "principals", "account" },     { "ram", "resourceShareInvitationArn", "invitation" },
    { "logs", "logGroupName", "loggroup" }, { "logs", "logGroupNamePrefix", "loggroup" },
};

const char *
complete_words_of(const struct op *op, const char *member)
{
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (strcmp(members[i].member, member) == 0 && strcmp(members[i].service, op->service) == 0) {
            return members[i].words;
        }
    }
    return NULL;
}

/* ---- The catalogue ----------------------------------------------------------------------------------------------- */

static void
each_action(const struct completer *c)
{
    const char *word = c->what->word, *colon = strchr(word, ':');
    struct iam_catalog *catalog = iam_catalog_new();
    char *prefix = xstrndup(word, colon ? (size_t)(colon - word) : strlen(word));
    const struct iam_service_info *service = colon ? iam_catalog_service(catalog, prefix) : NULL;
    for (size_t i = 0; service && i < service->n_actions; i++) {
        char *text = xasprintf("%s:%s", prefix, service->actions[i].name);
        c->each(c->context, text, iam_access_level_name(service->actions[i].level), false);
        free(text);
    }
    for (size_t i = 0; !colon && i < iam_catalog_n_services(); i++) {
        const char *name = iam_catalog_service_prefix(i);
        if (strncmp(name, word, strlen(word)) == 0) {
            char *text = xasprintf("%s:", name);
            c->each(c->context, text, iam_catalog_service(catalog, name)->name, true);
            free(text);
        }
    }
    free(prefix);
    iam_catalog_free(catalog);
}

/* A key's type in our words and as ContextKeyType of AWS's simulator, which has none for ARNs. */
static const struct {
    const char *name, *aws, *aws_list;
} key_types[] = {
    [IAM_KEY_STRING] = { "string", "string", "stringList" },
    [IAM_KEY_ARN] = { "ARN", "string", "stringList" },
    [IAM_KEY_BOOL] = { "boolean", "boolean", "booleanList" },
    [IAM_KEY_NUMERIC] = { "number", "numeric", "numericList" },
    [IAM_KEY_DATE] = { "date", "date", "dateList" },
    [IAM_KEY_IP] = { "IP address", "ip", "ipList" },
};

static void
each_key_of(const struct completer *c, const struct iam_service_info *service)
{
    bool entry = strcmp(c->what->words, "entry") == 0;
    for (size_t i = 0; service && i < service->n_keys; i++) {
        const struct iam_condition_key *key = &service->keys[i];
        const char *hole = strstr(key->name, "${"); /* "aws:RequestTag/${TagKey}": the tag is the person's to write */
        int size = (int)(hole ? (size_t)(hole - key->name) : strlen(key->name));
        const char *type = key->multivalued ? key_types[key->kind].aws_list : key_types[key->kind].aws;
        char *name = xasprintf("%s%.*s", entry ? "ContextKeyName=" : "", size, key->name);
        char *rest = entry ? xasprintf(",ContextKeyType=%s,ContextKeyValues=", type) : xstrdup("=");
        char *text = xasprintf("%s%s", name, hole ? "" : rest);
        char *detail = xasprintf("%s%s", key_types[key->kind].name, key->multivalued ? ", many values" : "");
        c->each(c->context, text, detail, true);
        free(name);
        free(rest);
        free(text);
        free(detail);
    }
}

/* Global keys, and those of the services whose actions stand before. */
static void
each_key(const struct completer *c)
{
    struct iam_catalog *catalog = iam_catalog_new();
    each_key_of(c, iam_catalog_globals(catalog));
    for (size_t i = 0; i < c->what->n_before; i++) {
        const char *action = c->what->before[i], *colon = strchr(action, ':');
        if (colon && iam_catalog_action(catalog, action)) {
            char *prefix = xstrndup(action, (size_t)(colon - action));
            each_key_of(c, iam_catalog_service(catalog, prefix));
            free(prefix);
        }
    }
    iam_catalog_free(catalog);
}

/* ---- Rows of a kind ---------------------------------------------------------------------------------------------- */

static void
each_filter(const struct completer *c)
{
    static const char name[] = "Name=";
    const struct kind *kind = ec2_described_kind(c->what->op);
    if (!kind || !kind->filters) {
        return;
    }
    if (strncmp(c->what->word, name, sizeof name - 1) != 0) {
        c->each(c->context, name, "a filter", true);
        return;
    }
    for (const struct filter_row *row = kind->filters; row->name; row++) {
        char *text = xasprintf("%s%s,Values=", name, row->name);
        c->each(c->context, text, row->path, true);
        free(text);
    }
    if (kind->type) { /* what has tags */
        c->each(c->context, "Name=tag:", "a tag's value", true);
        c->each(c->context, "Name=tag-key,Values=", "a tag's key", true);
    }
}

/* ---- The lab ----------------------------------------------------------------------------------------------------- */

static void
one_principal(void *context, const char *who, const char *detail)
{
    const struct completer *c = context;
    c->each(c->context, who, detail, false);
}

static void
each_principal(const struct completer *c)
{
    cloud_each_principal(c->cloud, one_principal, (void *)c);
}

static void
each_arn_of(const struct completer *c, const struct kind *kind)
{
    const struct store *store = c->cloud->accounts->store;
    for (const struct object *object = store_first(store, kind); object; object = store_next(store, object)) {
        json_t *shown = object_describe(store, object);
        const char *arn = json_str(shown, "Arn");
        if (arn) {
            c->each(c->context, arn, kind->name, false);
        }
        json_decref(shown);
    }
}

static void
each_role(const struct completer *c)
{
    each_arn_of(c, &iam_role_kind);
}

static void
each_entity(const struct completer *c)
{
    each_arn_of(c, &iam_user_kind);
    each_arn_of(c, &iam_group_kind);
    each_arn_of(c, &iam_role_kind);
}

static void
each_policy(const struct completer *c)
{
    each_arn_of(c, &iam_managed_policy_kind);
    for (const struct iam_aws_policy *row = iam_aws_policies; row->name; row++) {
        char *arn = xasprintf("arn:aws:iam::aws:policy%s%s", row->path, row->name);
        c->each(c->context, arn, "AWS's own policy", false);
        free(arn);
    }
}

static void
each_arn(const struct completer *c)
{
    const struct store *store = c->cloud->accounts->store;
    for (const struct object *b = store_first(store, &iam_bucket_kind); b; b = store_next(store, b)) {
        char *arn = xasprintf("arn:aws:s3:::%s", ((const struct iam_bucket *)b)->name);
        c->each(c->context, arn, "bucket", true); /* "/key" may follow */
        free(arn);
    }
    each_entity(c);
    each_arn_of(c, &iam_managed_policy_kind);
    each_arn_of(c, &kms_key_kind);
}

static void
each_share(const struct completer *c)
{
    const struct store *store = c->cloud->accounts->store;
    for (const struct ram_share *s = store_first(store, &ram_share_kind); s; s = store_next(store, s)) {
        if (ram_share_is_active(s)) {
            c->each(c->context, s->arn, s->name, false);
        }
    }
}

static void
each_invitation(const struct completer *c)
{
    const struct store *store = c->cloud->accounts->store;
    for (const struct ram_invitation *i = store_first(store, &ram_invitation_kind); i; i = store_next(store, i)) {
        c->each(c->context, i->arn, i->share_name, false);
    }
}

/* What the account in force may share. */
static void
each_shareable(const struct completer *c)
{
    const struct store *store = network_store(c->cloud->net);
    for (const struct shareable *row = shareables; row->kind; row++) {
        for (const struct object *o = store_first(store, row->kind); o; o = store_next(store, o)) {
            char *arn = strcmp(o->account, c->cloud->account) == 0 ? sharing_arn(o) : NULL;
            if (arn) {
                c->each(c->context, arn, object_name(o) ? object_name(o) : row->kind->name, false);
            }
            free(arn);
        }
    }
}

static void
each_account(const struct completer *c)
{
    const struct store *store = c->cloud->accounts->store;
    for (const struct org_entity *a = store_first(store, &org_account_kind); a; a = store_next(store, a)) {
        c->each(c->context, a->obj.id, a->name, false);
    }
    each_arn_of(c, &organization_kind);
    each_arn_of(c, &org_unit_kind);
}

/* Labs of this user; a directory may be one too, and is offered as a path. */
static void
each_lab(const struct completer *c)
{
    char *labs = labs_path();
    DIR *directory = opendir(labs);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (lab_name_valid(entry->d_name)) {
            c->each(c->context, entry->d_name, "a lab", false);
        }
    }
    if (directory) {
        closedir(directory);
    }
    free(labs);
}

static void
one_resource(void *context, const char *id, const char *name, const char *detail)
{
    const struct completer *c = context;
    bool by_name = name && *name && strncmp(name, c->what->word, strlen(c->what->word)) == 0;
    c->each(c->context, by_name ? name : id, by_name ? id : detail, false);
}

/* What `fail` and `restore` name, by the kind that stands before it. */
static void
each_failing(const struct completer *c)
{
    static const struct {
        const char *type, *kind;
    } kinds[] = { { "nat", "natgateway" }, { "instance", "instance" }, { "vif", "virtual-interface" } };
    const char *type = c->what->n_before ? c->what->before[c->what->n_before - 1] : "";
    char name[24], id[24];
    for (size_t i = 0; strcmp(type, "az") == 0 && network_zone(c->cloud->net, i, name, id); i++) {
        c->each(c->context, name, id, false);
    }
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (strcmp(type, kinds[i].type) == 0) {
            cloud_each_resource(c->cloud, kinds[i].kind, one_resource, (void *)c);
        }
    }
}

static void
each_flow_field(const struct completer *c)
{
    for (const struct flow_field *field = flow_fields; field->name; field++) {
        char *text = xasprintf("%s=", field->name);
        c->each(c->context, text, "a field of flow logs", true);
        free(text);
    }
}

static void
each_log_group(const struct completer *c)
{
    log_groups groups = log_groups_find(c->cloud);
    for (size_t i = 0; i < groups.n; i++) {
        c->each(c->context, groups.items[i].name, "a log group", false);
    }
    log_groups_done(&groups);
}

static const struct {
    const char *words;
    void (*run)(const struct completer *);
    bool lab;
} providers[] = {
    { "action", each_action, false },
    { "context", each_key, false },
    { "entry", each_key, false },
    { "filter", each_filter, false },
    { "entity", each_entity, true },
    { "role", each_role, true },
    { "principal", each_principal, true },
    { "policy", each_policy, true },
    { "arn", each_arn, true },
    { "share", each_share, true },
    { "invitation", each_invitation, true },
    { "shareable", each_shareable, true },
    { "account", each_account, true },
    { "lab", each_lab, false },
    { "failing", each_failing, true },
    { "field", each_flow_field, false },
    { "loggroup", each_log_group, true },
};

bool
complete_words_need_lab(const char *words)
{
    for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
        if (strcmp(providers[i].words, words) == 0) {
            return providers[i].lab;
        }
    }
    return false;
}

void
complete_words(const struct cloud *cloud, const struct complete_words *what, complete_words_fn *each, void *context)
{
    const struct completer c = { cloud, what, each, context };
    for (size_t i = 0; i < ARRAY_SIZE(providers); i++) {
        if (strcmp(providers[i].words, what->words) == 0) {
            providers[i].run(&c);
        }
    }
}
