/* base/field.h - field tables: one list of rows describes a struct; the rows load it from JSON and print it back.
 *
 *     static const struct field subnet_fields[] = {
 *         FIELD(struct subnet, "SubnetId",            FIELD_ID,   obj.id,        0),
 *         FIELD(struct subnet, "CidrBlock",           FIELD_CIDR, cidr,          0),
 *         FIELD(struct subnet, "MapPublicIpOnLaunch", FIELD_BOOL, map_public_ip, 0),
 *         FIELD_LIST(struct subnet, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
 *         FIELD_END,
 *     };
 *
 * The same rows save and load the state, answer describe-* and read what the real `aws` printed (the importer), so AWS's
 * spelling of a member stands once, here.  Members with no row are skipped on loading and counted.
 *
 * A name with dots is a nested object: "CidrBlockState.State".  Used by: store.h, iampolicy/account, netsim/model. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/id.h"
#include "base/ip.h"
#include "base/json.h"
#include "base/vec.h"

enum field_type {
    FIELD_NONE,
    FIELD_STRING, /* char *, owned by the struct; NULL is absent */
    FIELD_ID,     /* char[ID_SIZE]; "" is absent */
    FIELD_BOOL,   /* bool */
    FIELD_INT,    /* int32_t */
    FIELD_LONG,   /* int64_t */
    FIELD_TIME,   /* int64_t, milliseconds since 1970; 0 is absent; printed as RFC 3339; also reads seconds as a number */
    FIELD_IP,     /* struct ip */
    FIELD_CIDR,   /* struct cidr; family IP_NONE is absent; host bits of imported data are masked off */
    FIELD_ENUM,   /* an enum (int sized); 'names' by value up to NULL; a value named "" or not named is absent */
    FIELD_STRINGS, /* VEC(char *), owned */
    FIELD_OBJECT, /* a struct inside this one; 'fields'; printed when it holds more than false and 0, or as 'present' says */
    FIELD_LIST_OF, /* VEC(struct x); 'fields', 'item_size' */
    FIELD_DOCUMENT, /* json_t *, owned: any JSON kept as it is */
};
enum field_flags {
    FIELD_ALWAYS = 1,     /* print an empty list, false, 0 or "" too (by default empty and absent ones are left out;
                             FIELD_BOOL and FIELD_INT are always printed unless FIELD_OPTIONAL) */
    FIELD_OPTIONAL = 2,   /* leave out false and 0 */
    FIELD_STATE_ONLY = 4, /* saved with the lab, not shown by describe-* */
    FIELD_INPUT_ONLY = 8, /* read when AWS's output has it, never printed (a computed member stands in its place) */
    FIELD_TEXT = 16,      /* an integer or protocol that AWS writes as text: "6", "-1" */
};

struct field {
    const char *name;
    enum field_type type;
    unsigned flags;
    size_t offset;
    const struct field *fields; /* FIELD_OBJECT, FIELD_LIST_OF */
    size_t item_size;           /* FIELD_LIST_OF */
    size_t present;             /* FIELD_OBJECT: 1 + offset of a bool saying whether it is there; 0: printed when any member is */
    const char *const *names;   /* FIELD_ENUM: NULL-terminated, by value */
};
#define FIELD(type_, name_, kind_, member_, flags_) \
    { .name = (name_), .type = (kind_), .flags = (flags_), .offset = offsetof(type_, member_) }
#define FIELD_CHOICE(type_, name_, member_, names_, flags_) \
    { .name = (name_), .type = FIELD_ENUM, .flags = (flags_), .offset = offsetof(type_, member_), .names = (names_) }
#define FIELD_NEST(type_, name_, member_, fields_, flags_) \
    { .name = (name_), .type = FIELD_OBJECT, .flags = (flags_), .offset = offsetof(type_, member_), .fields = (fields_) }
#define FIELD_NEST_IF(type_, name_, member_, present_, fields_, flags_)                                    \
    { .name = (name_), .type = FIELD_OBJECT, .flags = (flags_), .offset = offsetof(type_, member_), \
      .fields = (fields_), .present = 1 + offsetof(type_, present_) }
#define FIELD_LIST(type_, name_, member_, fields_, flags_)                                       \
    { .name = (name_), .type = FIELD_LIST_OF, .flags = (flags_), .offset = offsetof(type_, member_), \
      .fields = (fields_), .item_size = sizeof *((type_ *)0)->member_.items }
#define FIELD_END { .name = NULL }

/* Fills the zeroed struct at 'object' from 'json'.  A member of the wrong type fails with ERR_DOCUMENT, where =
 * "Vpcs[0].CidrBlock" below 'where', and leaves 'object' filled as far as it got: call fields_done() on it.
 * 'skipped', if not NULL, counts members no row names. */
bool fields_load(const struct field *fields, void *object, const json_t *json, const char *where, size_t *skipped,
                 struct err *err);

/* Tells 'each' every member that no row names, at any depth: "Routes[].InstanceOwner".  'value' is borrowed. */
typedef void fields_unknown_fn(void *context, const char *path, const json_t *value);
void fields_unknown(const struct field *fields, const json_t *json, fields_unknown_fn *each, void *context);

/* Adds the members to the JSON object 'out'.  With 'state' also FIELD_STATE_ONLY ones. */
void fields_print(const struct field *fields, const void *object, bool state, json_t *out);

/* The members as they are saved, without the brackets: the text of json_write_compact() after fields_print() with 'state', for a quarter of the work. */
void fields_write(const struct field *fields, const void *object, struct buf *out);
/* The way back, from the opening bracket on: fills the zeroed struct as fields_load() does.  Members that no row names go to 'other' (NULL: there may be
 * none), which moves the cursor behind the value.  False says nothing about the text: fields_load() knows.  Then call fields_done(). */
struct json_cursor;
typedef bool fields_other_fn(void *context, const char *name, size_t length, struct json_cursor *at);
bool fields_read(const struct field *fields, void *object, struct json_cursor *at, fields_other_fn *other, void *context);
bool fields_writes(const struct field *fields, const void *object, const char *name); /* is a member of that name among them? */

/* A number that is another when fields_write() would write something else. */
uint64_t fields_hash(const struct field *fields, const void *object, uint64_t seed);
uint64_t hash_text(const char *text, uint64_t seed); /* of the same sort; NULL is not "" */

/* Frees what the struct owns (strings, lists, documents), not the struct; it is zeroed where it owned something. */
void fields_done(const struct field *fields, void *object);

/* Copies by rows, deep; 'to' is zeroed memory. */
void fields_copy(const struct field *fields, void *to, const void *from);
