#include <errno.h>
#include <fts.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "netsim/interop/aws_import.h"
#include "netsim/interop/aws_parts.h"
#include "netsim/model/instance.h"
#include "netsim/model/private_service.h"

static bool
fail_directory(struct err *err, const char *path)
{
    err_set(err, ERR_MACHINE, "", "cannot make the directory: %s", strerror(errno));
    return err_at(err, path, 0, 0);
}

/* mkdir -p */
static bool
make_directories(const char *path, struct err *err)
{
    char *partial = xstrdup(path);
    bool ok = true;
    for (char *slash = partial + 1; ok && (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        ok = mkdir(partial, 0777) == 0 || errno == EEXIST || fail_directory(err, partial);
        *slash = '/';
    }
    free(partial);
    struct stat st;
    if (ok && mkdir(path, 0777) < 0 &&
        (errno != EEXIST || stat(path, &st) < 0 || (!S_ISDIR(st.st_mode) && (errno = ENOTDIR)))) {
        ok = fail_directory(err, path);
    }
    return ok;
}

/* Files of an earlier export, or anybody's, would be read together with ours. */
static bool
holds_no_json(const char *dir, struct err *err)
{
    char *copy = xstrdup(dir);
    FTS *walk = fts_open((char *const[]){ copy, NULL }, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    bool ok = true;
    for (FTSENT *entry; walk && ok && (entry = fts_read(walk));) {
        if (entry->fts_info == FTS_F && entry->fts_namelen > 5 &&
            strcmp(entry->fts_name + entry->fts_namelen - 5, ".json") == 0) {
            ok = err_set(err, ERR_INPUT, "InvalidParameterValue", "the directory holds `%s` already", entry->fts_path);
            err_hint(err, "name a new directory, or remove the JSON files below this one");
            err_at(err, dir, 0, 0);
        }
    }
    if (walk) {
        fts_close(walk);
    }
    free(copy);
    return ok;
}

/* What describe-* shows, and what only the state has. */
static json_t *
export_object(const struct network *net, const struct object *object)
{
    json_t *out = object_describe(network_store(net), object);
    json_t *state = json_object();
    fields_print(object->kind->fields, object, true, state);
    json_object_update_missing(out, state);
    json_decref(state);
    return out;
}

struct exporter {
    const struct network *net;
    const char *dir;
    json_t *files;
    struct err *err;
};

/* Writes 'list' (taken) as accounts/ACCOUNT/REGION/NAME.json. */
static bool
write_file(struct exporter *ex, const char *owner, const char *name, json_t *list)
{
    char *folder = xasprintf("%s/%s", ex->dir, owner), *path = xasprintf("%s/%s.json", folder, name);
    json_t *answer = json_object();
    json_object_set_new(answer, name, list);
    struct buf text = { 0 };
    json_write_aws(answer, &text);
    bool ok = make_directories(folder, ex->err) && file_write_atomic(path, buf_str(&text), text.size, ex->err);
    json_array_append_new(ex->files, json_string(path));
    buf_done(&text);
    json_decref(answer);
    free(path);
    free(folder);
    return ok;
}

/* Takes a part's members out of the object into an item of their own; NULL if it has none. */
static json_t *
split_item(const struct kind *kind, const struct aws_part *part, json_t *object)
{
    /* Members that both lists show, where an item of the part is an object of its own. */
    static const char *const shared[] = { "TransitGatewayId", "State", "CreationTime", "Tags", "OwnerId", "Region" };
    json_t *item = NULL;
    for (const char *at = part->members + 1; *at; at += strcspn(at, " ") + 1) {
        char *name = xstrndup(at, strcspn(at, " "));
        json_t *value = json_object_get(object, name);
        if (value) {
            item = item ? item : json_pack("{s:O}", kind->id_member, json_object_get(object, kind->id_member));
            json_object_set(item, name, value);
            json_object_del(object, name);
        }
        free(name);
    }
    for (size_t i = 0; item && part->whole && i < ARRAY_SIZE(shared); i++) {
        json_t *value = json_object_get(object, shared[i]);
        if (value) {
            json_object_set(item, shared[i], value);
        }
    }
    return item;
}

/* What AWS shows by another call stands in that call's file. */
static bool
write_parts(struct exporter *ex, const struct kind *kind, const char *owner, json_t *objects)
{
    bool ok = true;
    for (const struct aws_part *part = aws_parts; part->list && ok; part++) {
        json_t *list = json_array();
        for (size_t i = 0; part->kind == kind && i < json_array_size(objects); i++) {
            json_t *item = split_item(kind, part, json_array_get(objects, i));
            if (item) {
                json_array_append_new(list, item);
            }
        }
        json_t *scattered = aws_part_scatter(ex->net, part, list);
        ok = json_array_size(scattered) == 0 || write_file(ex, owner, part->list, json_incref(scattered));
        json_decref(scattered);
        json_decref(list);
    }
    return ok;
}

/* What describe-vpc-endpoint-services shows of the services, beside what their owner sees. */
static bool
write_details(struct exporter *ex, const char *owner, const json_t *services)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(services); i++) {
        const struct private_service *service = store_get(network_store(ex->net), &private_service_kind,
                                                          json_str(json_array_get(services, i), "ServiceId"));
        json_array_append_new(list, private_service_details(ex->net, service));
    }
    return write_file(ex, owner, "ServiceDetails", list);
}

static bool
write_list(struct exporter *ex, const struct kind *kind, const char *owner, json_t *objects)
{
    if (kind == &instance_kind) {
        return write_file(ex, owner, "Reservations", instances_to_reservations(ex->net, objects));
    }
    if (kind->single) {
        json_t *one = json_array_get(objects, 0);
        json_object_del(one, kind->id_member);
        return write_file(ex, owner, kind->list, json_incref(one));
    }
    if (kind == &private_service_kind && !write_details(ex, owner, objects)) {
        return false;
    }
    return write_parts(ex, kind, owner, objects) && write_file(ex, owner, kind->list, json_incref(objects));
}

static bool
export_kind(struct exporter *ex, const struct kind *kind, size_t *n)
{
    json_t *owners = json_object(); /* "accounts/111/us-east-1" -> the objects there */
    for (const struct object *object = store_first(network_store(ex->net), kind); object;
         object = store_next(network_store(ex->net), object)) {
        /* What is AWS's own is listed in every account. */
        bool of_aws = strcmp(object->account, AWS_OWNER) == 0;
        char *owner = xasprintf("accounts/%s/%s", of_aws ? network_account(ex->net) : object->account, object->region);
        json_t *objects = json_object_get(owners, owner);
        if (!objects) {
            objects = json_array();
            json_object_set_new(owners, owner, objects);
        }
        json_array_append_new(objects, export_object(ex->net, object));
        free(owner);
        ++*n;
    }
    const char *owner;
    json_t *objects;
    bool ok = true;
    json_object_foreach(owners, owner, objects)
    {
        ok = ok && write_list(ex, kind, owner, objects);
    }
    json_decref(owners);
    return ok;
}

bool
aws_export(const struct network *net, const char *dir, json_t *report, struct err *err)
{
    struct exporter ex = { net, dir, json_array(), err };
    json_t *exported = json_array();
    bool ok = make_directories(dir, err) && holds_no_json(dir, err);
    for (const struct kind *const *kind = network_kinds; ok && *kind; kind++) {
        size_t n = 0;
        ok = export_kind(&ex, *kind, &n);
        if (n > 0) {
            json_array_append_new(exported, json_pack("{s:s, s:I}", "Type", (*kind)->name, "Count", (json_int_t)n));
        }
    }
    if (ok) {
        json_object_set(report, "Exported", exported);
        json_object_set(report, "Files", ex.files);
    }
    json_decref(exported);
    json_decref(ex.files);
    return ok;
}
