#include "cloud/share_dumps.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "base/buf.h"
#include "cloud/sharing.h"
#include "iampolicy/share.h"

#define NAME "imported"

/* ---- in ---------------------------------------------------------------------------------------------------------- */

static struct ram_share *
share_for(struct cloud *cloud, const struct object *object, const char *account)
{
    struct store *store = cloud->accounts->store;
    for (struct ram_share *s = store_first(store, &ram_share_kind); s; s = store_next(store, s)) {
        if (strcmp(s->name, NAME) == 0 && ram_share_is_active(s) && strcmp(s->obj.account, object->account) == 0 &&
            strcmp(s->obj.region, object->region) == 0 && ram_link_find(s, RAM_PRINCIPAL, account)) {
            return s;
        }
    }
    char id[37];
    id_new_uuid(&cloud->ids, id);
    struct ram_share *share = store_add(store, &ram_share_kind, id);
    memcpy(share->obj.account, object->account, sizeof share->obj.account);
    memcpy(share->obj.region, object->region, sizeof share->obj.region);
    share->arn = xasprintf("arn:aws:ram:%s:%s:resource-share/%s", object->region, object->account, id);
    share->name = xstrdup(NAME);
    share->status = xstrdup("ACTIVE");
    share->allow_external = true;
    share->created = share->updated = clock_now_ms(&cloud->clock);
    return share;
}

static struct ram_link *
link_add(struct ram_share *share, const char *type, const char *entity)
{
    struct ram_link *link = ram_link_find(share, type, entity);
    if (!link) {
        link = VEC_ADD(&share->links);
        *link = (struct ram_link){ .type = xstrdup(type), .entity = xstrdup(entity), .status = xstrdup("ASSOCIATED") };
        link->created = link->updated = share->created;
    }
    return link;
}

void
share_dumps_import(struct cloud *cloud, const json_t *shared)
{
    for (size_t i = 0; i < json_array_size(shared); i++) {
        const json_t *item = json_array_get(shared, i);
        const char *account = json_str(item, "Account");
        const struct object *object = store_find(network_store(cloud->net), json_str(item, "Id"));
        if (!object || sharing_allows(cloud, object, account)) {
            continue;
        }
        struct ram_share *share = share_for(cloud, object, account);
        char *arn = sharing_arn(object);
        link_add(share, RAM_RESOURCE, arn);
        link_add(share, RAM_PRINCIPAL, account)->external =
            !ram_same_organization(cloud->accounts, object->account, account);
        free(arn);
    }
}

/* ---- out --------------------------------------------------------------------------------------------------------- */

static void
add_once(json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return;
        }
    }
    json_array_append_new(list, json_string(text));
}

/* All accounts that anything may be shared with: those named by shares, and those of organizations. */
static json_t *
accounts_of(const struct cloud *cloud)
{
    const struct store *store = cloud->accounts->store;
    json_t *list = json_array();
    for (const struct ram_share *s = store_first(store, &ram_share_kind); s; s = store_next(store, s)) {
        for (size_t i = 0; i < s->links.n; i++) {
            if (strlen(s->links.items[i].entity) == 12) {
                add_once(list, s->links.items[i].entity);
            }
        }
    }
    for (const struct org_entity *a = store_first(store, &org_account_kind); a; a = store_next(store, a)) {
        add_once(list, a->obj.id);
    }
    return list;
}

static bool
write_list(const char *path, const char *name, const json_t *list, struct err *err)
{
    json_t *whole = json_pack("{s:O}", name, list);
    struct buf text = { 0 };
    json_write_aws(whole, &text);
    bool ok = file_write_atomic(path, buf_str(&text), text.size, err);
    buf_done(&text);
    json_decref(whole);
    return ok;
}

/* What one account is shown of others, of one kind, in each region. */
static bool
write_kind(const struct cloud *cloud, const char *dir, const char *account, const struct shareable *row, json_t *files,
           struct err *err)
{
    const struct store *store = network_store(cloud->net);
    json_t *regions = json_object(), *list;
    const char *region;
    for (const struct object *o = store_first(store, row->kind); o; o = store_next(store, o)) {
        if (strcmp(o->account, account) != 0 && strlen(o->account) == 12 && sharing_allows(cloud, o, account)) {
            list = json_object_get(regions, o->region);
            if (!list) {
                json_object_set_new(regions, o->region, list = json_array());
            }
            json_array_append_new(list, object_describe(store, o));
        }
    }
    bool ok = true;
    json_object_foreach(regions, region, list)
    {
        char *folder = xasprintf("%s/accounts/%s", dir, account), *deeper = xasprintf("%s/%s", folder, region);
        char *path = xasprintf("%s/%s-shared.json", deeper, row->kind->list);
        if (ok && ((mkdir(folder, 0777) < 0 && errno != EEXIST) || (mkdir(deeper, 0777) < 0 && errno != EEXIST))) {
            err_set(err, ERR_MACHINE, "", "cannot make the directory: %s", strerror(errno));
            ok = err_at(err, deeper, 0, 0);
        }
        ok = ok && write_list(path, row->kind->list, list, err);
        json_array_append_new(files, json_string(path));
        free(path);
        free(deeper);
        free(folder);
    }
    json_decref(regions);
    return ok;
}

bool
share_dumps_export(const struct cloud *cloud, const char *dir, json_t *report, struct err *err)
{
    json_t *accounts = store_count(cloud->accounts->store, &ram_share_kind) ? accounts_of(cloud) : json_array();
    json_t *files = json_object_get(report, "Files");
    bool ok = true;
    for (size_t i = 0; i < json_array_size(accounts) && ok; i++) {
        for (const struct shareable *row = shareables; row->kind && ok; row++) {
            ok = write_kind(cloud, dir, json_string_value(json_array_get(accounts, i)), row, files, err);
        }
    }
    json_decref(accounts);
    return ok;
}
