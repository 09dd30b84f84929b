/* base/store.h - the objects of a lab by kind and id, in the order they were created.
 *
 * A resource kind is one row (struct kind): id prefix, size, AWS's names and its field rows.  Nothing about a kind's JSON, filters,
 * saving or loading stands anywhere else.  Every resource struct begins with a struct object.
 *
 * Used by: netsim/model/network.h, iampolicy/account.h; cloud/ walks the kinds to save, load, describe and complete. */
#pragma once
#include "base/field.h"
#include "base/map.h"

struct tag {
    char *key, *value;
};
extern const struct field tag_fields[]; /* Key, Value */

struct kind;
struct object {
    const struct kind *kind;
    char id[ID_SIZE]; /* or the name, where AWS has no id (buckets, IAM entities use their ARN's path and name) */
    char account[16]; /* owner, 12 digits */
    char region[24];  /* "us-east-1"; "" for global kinds */
    uint64_t sequence; /* order of creation within the store */
    /* The store itself reads and saves these: store_load_kind() takes OwnerId (12 digits) and Region where the JSON has them,
     * store_save_kind() writes both; field rows do not name them.  object_describe() shows OwnerId only if kind->shows_owner. */
    VEC(struct tag) tags;
};

/* A describe filter: AWS's filter name -> dotted path in the described JSON; arrays on the way are walked by themselves.
 * "tag:KEY", "tag-key" and "owner-id" need no row. */
struct filter_row {
    const char *name, *path;
};

struct store;
struct kind {
    const char *name;       /* "subnet": our word, in messages and ResourceType of tags ("security-group", "natgateway") */
    const char *prefix;     /* "subnet"; "" where ids are not PREFIX-hex */
    const char *arn_type;   /* "loadbalancer/" where AWS names objects by ARN only: the id is what follows this in it; else NULL */
    const char *type;       /* AWS's word in TagSpecifications: "subnet", "security-group"; NULL if it takes no tags at creation */
    const char *list;       /* "Subnets": member of describe-*, file name of the importer, key in state.json */
    const char *id_member;  /* "SubnetId" */
    const char *ids_param;  /* "SubnetIds", the describe-* parameter with ids; NULL if none */
    const char *not_found;  /* "InvalidSubnetID.NotFound" */
    const char *malformed;  /* "InvalidSubnetID.Malformed"; NULL: same as not_found */
    size_t size;            /* of the struct */
    const struct field *fields;
    bool shows_owner;       /* AWS's shape has OwnerId */
    bool single;            /* AWS shows one object of an account and region, not a list: its id is "ACCOUNT/REGION" */
    const struct filter_row *filters;                                  /* ends with a NULL name; may be NULL */
    void (*init)(void *object);                                        /* store_add: members whose absence does not mean 0; may be NULL */
    void (*loaded)(struct store *store, void *object);                 /* after fields_load: normalise what AWS's form needs; may be NULL */
    void (*describe)(const struct store *store, const void *object, json_t *out); /* add computed members; may be NULL */
    void (*done)(void *object);                                        /* free what no row owns; may be NULL */
    bool (*gone)(const void *object); /* still listed, as AWS lists for a while what was deleted (terminated instances); may be NULL */
};

struct store;
struct store *store_new(void);
void store_free(struct store *store);

/* The id in a member of AWS's: the text itself, or for a kind with arn_type what follows that in the ARN.  Points into 'text'; NULL
 * stays NULL. */
const char *kind_id(const struct kind *kind, const char *text);

/* What the store belongs to (the network, the accounts): kind callbacks get only the store and ask for it here.  NULL at first. */
void store_set_context(struct store *store, void *context);
void *store_context(const struct store *store);

/* A zeroed object of that kind with this id, added at the end.  The id must be new (asserted). */
void *store_add(struct store *store, const struct kind *kind, const char *id);
void *store_get(const struct store *store, const struct kind *kind, const char *id); /* NULL if there is none */
void *store_find(const struct store *store, const char *id);                         /* of any kind */
void store_delete(struct store *store, void *object);

/* In order of creation:  for (struct vpc *v = store_first(s, &vpc_kind); v; v = store_next(s, v)) */
void *store_first(const struct store *store, const struct kind *kind);
void *store_next(const struct store *store, const void *object);
size_t store_count(const struct store *store, const struct kind *kind);

/* Changes whenever an object is added or deleted or store_touch() is called; a cache of derived indexes compares it.
 * Whoever changes a field that an index depends on calls store_touch(). */
uint64_t store_generation(const struct store *store);
void store_touch(struct store *store);

const char *object_tag(const struct object *object, const char *key); /* NULL if absent */
const char *object_name(const struct object *object);                 /* the Name tag, else NULL */
void object_set_tag(struct object *object, const char *key, const char *value);
bool object_unset_tag(struct object *object, const char *key);
json_t *object_tags_json(const struct object *object); /* [{Key, Value}]; the caller owns it */

/* The object as AWS's describe-* shows it. The caller owns the JSON. */
json_t *object_describe(const struct store *store, const void *object);

/* Does the described object pass AWS's Filters ([{"Name","Values"}], values with * and ?; all filters, any value)?
 * An unknown filter name fails with InvalidParameterValue naming the filters this kind has. */
bool filters_check(const struct kind *kind, const json_t *filters, struct err *err);
bool filters_match(const struct kind *kind, const json_t *filters, const json_t *described);

/* One object from AWS's form or the state's, added at the end; NULL and ERR_DOCUMENT if its id is missing, too long or already there,
 * or a member has the wrong type (nothing is added then).  'skipped' (may be NULL) grows by the members no row names. */
void *store_load_object(struct store *store, const struct kind *kind, const json_t *json, const char *where, size_t *skipped,
                        struct err *err);

/* The same from the text that store_write_object() wrote, for a third of the work.  NULL, and nothing is added, says nothing about the text: a lab whose
 * members have other forms, or which is wrong, store_load_object() reads. */
struct json_cursor;
void *store_read_object(struct store *store, const struct kind *kind, struct json_cursor *at);

/* All objects of one kind as a JSON array for state.json, and back.  Loading keeps ids and order; a failure adds nothing. */
json_t *store_save_kind(const struct store *store, const struct kind *kind);
json_t *store_save_object(const void *object); /* one of them */
void store_write_object(const void *object, struct buf *out); /* the same as compact text */

/* A text of many objects that is written again and again, of which little changes. */
struct store_text {
    const char *text; /* as written last; NULL: not yet */
    size_t stamp;     /* of that; marks of another text do not count */
    size_t next;      /* stamp of the one that is being written, 0: it will not be kept */
};
/* store_write_object(), but an object that is as it was is copied from 'last'. */
void store_write_again(void *object, const struct store_text *last, struct buf *out);
bool store_load_kind(struct store *store, const struct kind *kind, const json_t *array, const char *where, size_t *skipped,
                     struct err *err);
