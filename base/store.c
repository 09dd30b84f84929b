#include "base/store.h"

#include <assert.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include "base/json_cursor.h"

const struct field tag_fields[] = {
    FIELD(struct tag, "Key", FIELD_STRING, key, FIELD_ALWAYS),
    FIELD(struct tag, "Value", FIELD_STRING, value, FIELD_ALWAYS),
    FIELD_END,
};

/* Objects stand in one list per kind, in order of creation; the links are in front of the object the caller sees. */
struct shelf {
    const struct kind *kind;
    struct map by_id;
    struct link *first, *last;
    size_t n;
};
struct link {
    struct link *before, *after;
    struct shelf *shelf;
    struct {
        size_t stamp, offset, size; /* where it stands in which text (store_write_again()); stamp 0: in none */
        uint64_t hash;              /* of the object then */
    } written;
};
#define LINK_SIZE ((sizeof(struct link) + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t))

struct store {
    VEC(struct shelf *) shelves;
    uint64_t generation, sequence;
    void *context;
};

static struct link *
link_of(const void *object)
{
    return (struct link *)((char *)object - LINK_SIZE);
}

static void *
object_of(struct link *link)
{
    return link ? (char *)link + LINK_SIZE : NULL;
}

struct store *
store_new(void)
{
    return xcalloc(1, sizeof(struct store));
}

static void
free_object(struct object *object)
{
    if (object->kind->done) {
        object->kind->done(object);
    }
    fields_done(object->kind->fields, object);
    for (size_t i = 0; i < object->tags.n; i++) { /* where no row of the kind names the tags */
        free(object->tags.items[i].key);
        free(object->tags.items[i].value);
    }
    VEC_DONE(&object->tags);
    free(link_of(object));
}

void
store_free(struct store *store)
{
    if (!store) {
        return;
    }
    for (size_t i = 0; i < store->shelves.n; i++) {
        struct shelf *shelf = store->shelves.items[i];
        for (struct link *link = shelf->first, *after; link; link = after) {
            after = link->after;
            free_object(object_of(link));
        }
        map_done(&shelf->by_id);
        free(shelf);
    }
    VEC_DONE(&store->shelves);
    free(store);
}

void
store_set_context(struct store *store, void *context)
{
    store->context = context;
}

void *
store_context(const struct store *store)
{
    return store->context;
}

/* There are a few dozen kinds, so walking them is quicker than hashing. */
static struct shelf *
shelf_of(const struct store *store, const struct kind *kind)
{
    for (size_t i = 0; i < store->shelves.n; i++) {
        if (store->shelves.items[i]->kind == kind) {
            return store->shelves.items[i];
        }
    }
    return NULL;
}

/* Of no store yet. */
static struct object *
new_object(const struct kind *kind)
{
    struct link *link = xcalloc(1, LINK_SIZE + kind->size);
    struct object *object = object_of(link);
    object->kind = kind;
    if (kind->init) {
        kind->init(object);
    }
    return object;
}

static void *
place(struct store *store, struct object *object, const char *id)
{
    struct shelf *shelf = shelf_of(store, object->kind);
    if (!shelf) {
        shelf = xcalloc(1, sizeof *shelf);
        shelf->kind = object->kind;
        *VEC_ADD(&store->shelves) = shelf;
    }
    assert(strlen(id) < ID_SIZE && !map_get(&shelf->by_id, id));
    struct link *link = link_of(object);
    *link = (struct link){ .before = shelf->last, .shelf = shelf };
    *(shelf->last ? &shelf->last->after : &shelf->first) = link;
    shelf->last = link;
    shelf->n++;
    object->sequence = ++store->sequence;
    memmove(object->id, id, strlen(id) + 1);
    map_put(&shelf->by_id, id, object);
    store->generation++;
    return object;
}

void *
store_add(struct store *store, const struct kind *kind, const char *id)
{
    return place(store, new_object(kind), id);
}

void *
store_get(const struct store *store, const struct kind *kind, const char *id)
{
    const struct shelf *shelf = shelf_of(store, kind);
    return shelf && id ? map_get(&shelf->by_id, id) : NULL;
}

void *
store_find(const struct store *store, const char *id)
{
    for (size_t i = 0; i < store->shelves.n; i++) {
        void *object = map_get(&store->shelves.items[i]->by_id, id);
        if (object) {
            return object;
        }
    }
    return NULL;
}

void
store_delete(struct store *store, void *object)
{
    struct link *link = link_of(object);
    struct shelf *shelf = link->shelf;
    *(link->before ? &link->before->after : &shelf->first) = link->after;
    *(link->after ? &link->after->before : &shelf->last) = link->before;
    shelf->n--;
    map_remove(&shelf->by_id, ((struct object *)object)->id);
    free_object(object);
    store->generation++;
}

void *
store_first(const struct store *store, const struct kind *kind)
{
    const struct shelf *shelf = shelf_of(store, kind);
    return shelf ? object_of(shelf->first) : NULL;
}

void *
store_next(const struct store *store, const void *object)
{
    (void)store;
    return object_of(link_of(object)->after);
}

size_t
store_count(const struct store *store, const struct kind *kind)
{
    const struct shelf *shelf = shelf_of(store, kind);
    return shelf ? shelf->n : 0;
}

uint64_t
store_generation(const struct store *store)
{
    return store->generation;
}

void
store_touch(struct store *store)
{
    store->generation++;
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

json_t *
object_tags_json(const struct object *object)
{
    json_t *list = json_array();
    for (size_t i = 0; i < object->tags.n; i++) {
        const struct tag *tag = &object->tags.items[i];
        json_array_append_new(list, json_pack("{s:s, s:s}", "Key", tag->key, "Value", tag->value ? tag->value : ""));
    }
    return list;
}

const char *
object_tag(const struct object *object, const char *key)
{
    for (size_t i = 0; i < object->tags.n; i++) {
        const struct tag *tag = &object->tags.items[i];
        if (tag->key && strcmp(tag->key, key) == 0) {
            return tag->value ? tag->value : "";
        }
    }
    return NULL;
}

const char *
object_name(const struct object *object)
{
    const char *name = object_tag(object, "Name");
    return name && name[0] ? name : NULL;
}

void
object_set_tag(struct object *object, const char *key, const char *value)
{
    char *copy = xstrdup(value ? value : ""); /* first: 'value' may be the old one */
    for (size_t i = 0; i < object->tags.n; i++) {
        struct tag *tag = &object->tags.items[i];
        if (tag->key && strcmp(tag->key, key) == 0) {
            free(tag->value);
            tag->value = copy;
            return;
        }
    }
    char *key_copy = xstrdup(key);
    *VEC_ADD(&object->tags) = (struct tag){ key_copy, copy };
}

bool
object_unset_tag(struct object *object, const char *key)
{
    for (size_t i = 0; i < object->tags.n; i++) {
        struct tag *tag = &object->tags.items[i];
        if (tag->key && strcmp(tag->key, key) == 0) {
            free(tag->key);
            free(tag->value);
            VEC_REMOVE(&object->tags, i);
            return true;
        }
    }
    return false;
}

const char *
kind_id(const struct kind *kind, const char *text)
{
    const char *at = kind->arn_type && text ? strstr(text, kind->arn_type) : NULL;
    return at ? at + strlen(kind->arn_type) : text;
}

/* ---- describing, saving, loading --------------------------------------------------------------------------------- */

json_t *
object_describe(const struct store *store, const void *object)
{
    const struct object *base = object;
    const struct kind *kind = base->kind;
    json_t *out = json_object();
    fields_print(kind->fields, object, false, out);
    if (kind->shows_owner && base->account[0]) {
        json_object_set_new(out, "OwnerId", json_string(base->account));
    }
    if (kind->describe) {
        kind->describe(store, object, out);
    }
    return out;
}

json_t *
store_save_object(const void *of)
{
    const struct object *object = of;
    const struct kind *kind = object->kind;
    json_t *out = json_object();
    fields_print(kind->fields, object, true, out);
    if (kind->id_member && !json_object_get(out, kind->id_member)) {
        json_object_set_new(out, kind->id_member, json_string(object->id));
    }
    if (object->account[0]) {
        json_object_set_new(out, "OwnerId", json_string(object->account));
    }
    if (object->region[0]) {
        json_object_set_new(out, "Region", json_string(object->region));
    }
    return out;
}

/* The store's own member, where no row has named it.  A row would have been written first. */
static void
write_own(const char *name, const char *text, size_t begin, struct buf *out)
{
    buf_str_add(out, out->size > begin ? ",\"" : "\"");
    buf_str_add(out, name);
    buf_str_add(out, "\":");
    json_write_string(text, out);
}

void
store_write_object(const void *of, struct buf *out)
{
    const struct object *object = of;
    const struct kind *kind = object->kind;
    buf_char(out, '{');
    size_t begin = out->size;
    fields_write(kind->fields, object, out);
    if (kind->id_member && !fields_writes(kind->fields, object, kind->id_member)) {
        write_own(kind->id_member, object->id, begin, out);
    }
    if (object->account[0]) {
        write_own("OwnerId", object->account, begin, out);
    }
    if (object->region[0]) {
        write_own("Region", object->region, begin, out);
    }
    buf_char(out, '}');
}

void
store_write_again(void *of, const struct store_text *last, struct buf *out)
{
    const struct object *object = of;
    struct link *link = link_of(of);
    uint64_t hash = hash_text(object->region, hash_text(object->account, hash_text(object->id, 1)));
    hash = fields_hash(object->kind->fields, object, hash);
    size_t begin = out->size;
    if (last->text && link->written.stamp == last->stamp && link->written.hash == hash) {
        buf_add(out, last->text + link->written.offset, link->written.size);
    } else {
        store_write_object(object, out);
    }
    if (last->next) {
        link->written.stamp = last->next;
        link->written.offset = begin;
        link->written.size = out->size - begin;
        link->written.hash = hash;
    }
}

json_t *
store_save_kind(const struct store *store, const struct kind *kind)
{
    json_t *array = json_array();
    for (const struct object *object = store_first(store, kind); object; object = store_next(store, object)) {
        json_array_append_new(array, store_save_object(object));
    }
    return array;
}

/* A member the store itself reads.  One too long for its place is left out rather than cut. */
static void
load_own(const json_t *json, const char *member, char *out, size_t size, size_t *skipped)
{
    const char *text = json_str(json, member);
    if (text && strlen(text) < size) {
        strcpy(out, text);
        if (skipped && *skipped > 0) {
            --*skipped; /* no row names it, so fields_load() counted it */
        }
    }
}

void *
store_load_object(struct store *store, const struct kind *kind, const json_t *json, const char *where, size_t *skipped,
                  struct err *err)
{
    const char *id = kind_id(kind, json_str(json, kind->id_member));
    if (!json_is_object(json)) {
        err_set(err, ERR_DOCUMENT, "", "expected an object");
        err_at(err, where, 0, 0);
        return NULL;
    }
    if (!id || !id[0] || strlen(id) >= ID_SIZE) {
        err_set(err, ERR_DOCUMENT, "", id && id[0] ? "`%s` `%.60s` is too long" : "a %s without `%s`",
                id && id[0] ? kind->id_member : kind->name, id && id[0] ? id : kind->id_member);
        err_at(err, where, 0, 0);
        return NULL;
    }
    if (store_get(store, kind, id)) {
        err_set(err, ERR_DOCUMENT, "", "%s `%s` stands here twice", kind->name, id);
        err_at(err, where, 0, 0);
        return NULL;
    }
    struct object *object = store_add(store, kind, id);
    size_t unknown = 0;
    if (!fields_load(kind->fields, object, json, where, &unknown, err)) {
        store_delete(store, object);
        return NULL;
    }
    load_own(json, "OwnerId", object->account, sizeof object->account, &unknown);
    load_own(json, "Region", object->region, sizeof object->region, &unknown);
    if (kind->loaded) {
        kind->loaded(store, object);
    }
    if (skipped) {
        *skipped += unknown;
    }
    return object;
}

/* Members of the store's own: the id where it is no row's, the owner, the region. */
struct own {
    struct object *object;
    char id[ID_SIZE];
};

static bool
take_own(struct json_cursor *at, char *out, size_t size)
{
    char *text = json_take(at, '"') ? json_take_text(at) : NULL;
    bool ok = text && text[0] && strlen(text) < size;
    if (ok) {
        strcpy(out, text);
    }
    free(text);
    return ok;
}

static bool
read_own(void *context, const char *name, size_t length, struct json_cursor *at)
{
    struct own *own = context;
    struct object *object = own->object;
    const struct kind *kind = object->kind;
    const struct {
        const char *name;
        char *out;
        size_t size;
    } members[] = { { "OwnerId", object->account, sizeof object->account },
                    { "Region", object->region, sizeof object->region },
                    { kind->id_member, own->id, sizeof own->id } };
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (strlen(members[i].name) == length && memcmp(members[i].name, name, length) == 0) {
            return !members[i].out[0] && take_own(at, members[i].out, members[i].size);
        }
    }
    return false;
}

/* The id that a row has read; NULL: there is none. */
static const char *
row_id(const struct object *object)
{
    for (const struct field *field = object->kind->fields; field->name; field++) {
        const char *member = (const char *)object + field->offset;
        if (strcmp(field->name, object->kind->id_member) == 0) {
            return field->type == FIELD_ID       ? member
                   : field->type == FIELD_STRING ? *(char *const *)(const void *)member
                                                 : NULL;
        }
    }
    return NULL;
}

void *
store_read_object(struct store *store, const struct kind *kind, struct json_cursor *at)
{
    struct own own = { .object = new_object(kind) };
    bool ok = fields_read(kind->fields, own.object, at, read_own, &own);
    const char *id = kind_id(kind, own.id[0] ? own.id : row_id(own.object));
    if (!ok || !id || !id[0] || strlen(id) >= ID_SIZE || store_get(store, kind, id)) {
        free_object(own.object);
        return NULL;
    }
    place(store, own.object, id);
    if (kind->loaded) {
        kind->loaded(store, own.object);
    }
    return own.object;
}

bool
store_load_kind(struct store *store, const struct kind *kind, const json_t *array, const char *where, size_t *skipped,
                struct err *err)
{
    if (!json_is_array(array)) {
        err_set(err, ERR_DOCUMENT, "", "expected a list");
        return err_at(err, where, 0, 0);
    }
    VEC(void *) loaded = { 0 };
    bool ok = true;
    for (size_t i = 0; i < json_array_size(array) && ok; i++) {
        char *place = xasprintf("%s[%zu]", where ? where : "", i);
        void *object = store_load_object(store, kind, json_array_get(array, i), place, skipped, err);
        free(place);
        if (object) {
            *VEC_ADD(&loaded) = object;
        } else {
            ok = false;
        }
    }
    for (size_t i = loaded.n; !ok && i > 0; i--) {
        store_delete(store, loaded.items[i - 1]);
    }
    VEC_DONE(&loaded);
    return ok;
}
