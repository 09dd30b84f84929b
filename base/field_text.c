#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/field_internal.h"

static void write_level(const struct field *fields, size_t prefix, const struct field *group, const void *object,
                        struct buf *out);

/* jansson refuses text that is no UTF-8, and such a member is left out. */
static bool
is_utf8(const char *text)
{
    for (const char *p = text; *p; p++) {
        if (*p & 0x80) {
            json_t *string = json_string(text);
            json_decref(string);
            return string != NULL;
        }
    }
    return true;
}

/* Has the member a value to be written?  As fields_print() decides it. */
static bool
has_value(const struct field *field, const void *object)
{
    const void *member = member_of(object, field);
    if (!field_is_printed(field, object, true)) {
        return false;
    }
    switch (field->type) {
    case FIELD_NONE:
        return false;
    case FIELD_STRING:
        return !*(char *const *)member || is_utf8(*(char *const *)member);
    case FIELD_ID:
        return is_utf8(member);
    case FIELD_TIME:
        return *(const int64_t *)member != 0;
    case FIELD_IP:
        return ((const struct ip *)member)->family != IP_NONE;
    case FIELD_CIDR:
        return ((const struct cidr *)member)->ip.family != IP_NONE;
    case FIELD_ENUM:
        return *field_enum_text(field, *(const int *)member) != '\0';
    case FIELD_DOCUMENT:
        return *(json_t *const *)member != NULL;
    case FIELD_BOOL:
    case FIELD_INT:
    case FIELD_LONG:
    case FIELD_STRINGS:
    case FIELD_OBJECT:
    case FIELD_LIST_OF:
        break;
    }
    return true;
}

/* What holds neither quotes nor anything that is escaped. */
static void
write_plain(const char *text, struct buf *out)
{
    buf_char(out, '"');
    buf_str_add(out, text);
    buf_char(out, '"');
}

static void
write_integer(const struct field *field, int64_t number, struct buf *out)
{
    char digits[24], *p = digits + sizeof digits;
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    bool text = field->flags & FIELD_TEXT;
    *--p = '\0';
    if (text) {
        *--p = '"';
    }
    do {
        *--p = (char)('0' + rest % 10);
    } while (rest /= 10);
    if (number < 0) {
        *--p = '-';
    }
    if (text) {
        *--p = '"';
    }
    buf_str_add(out, p);
}

static void
write_strings(const string_vec *strings, struct buf *out)
{
    const char *before = "";
    buf_char(out, '[');
    for (size_t i = 0; i < strings->n; i++) {
        const char *text = strings->items[i] ? strings->items[i] : "";
        if (is_utf8(text)) {
            buf_str_add(out, before);
            json_write_string(text, out);
            before = ",";
        }
    }
    buf_char(out, ']');
}

static void
write_list(const struct field *field, const struct vec_any *list, struct buf *out)
{
    buf_char(out, '[');
    for (size_t i = 0; i < list->n; i++) {
        buf_str_add(out, i ? "," : "");
        write_level(field->fields, 0, NULL, (const char *)list->items + i * field->item_size, out);
    }
    buf_char(out, ']');
}

static void
write_value(const struct field *field, const void *object, struct buf *out)
{
    const void *member = member_of(object, field);
    char text[CIDR_STR_SIZE];
    switch (field->type) {
    case FIELD_NONE:
        break;
    case FIELD_STRING:
        json_write_string(*(char *const *)member ? *(char *const *)member : "", out);
        break;
    case FIELD_ID:
        json_write_string(member, out);
        break;
    case FIELD_BOOL:
        buf_str_add(out, *(const bool *)member ? "true" : "false");
        break;
    case FIELD_INT:
        write_integer(field, *(const int32_t *)member, out);
        break;
    case FIELD_LONG:
        write_integer(field, *(const int64_t *)member, out);
        break;
    case FIELD_TIME:
        clock_format_ms(*(const int64_t *)member, text);
        write_plain(text, out);
        break;
    case FIELD_IP:
        write_plain(ip_format(member, text), out);
        break;
    case FIELD_CIDR:
        write_plain(cidr_format(member, text), out);
        break;
    case FIELD_ENUM:
        json_write_string(field_enum_text(field, *(const int *)member), out);
        break;
    case FIELD_STRINGS:
        write_strings(member, out);
        break;
    case FIELD_OBJECT:
        write_level(field->fields, 0, NULL, member, out);
        break;
    case FIELD_LIST_OF:
        write_list(field, member, out);
        break;
    case FIELD_DOCUMENT:
        json_write_compact(*(json_t *const *)member, out);
        break;
    }
}

static void
write_name(const char *name, size_t length, bool *first, struct buf *out)
{
    buf_str_add(out, *first ? "\"" : ",\"");
    buf_add(out, name, length);
    buf_str_add(out, "\":");
    *first = false;
}

/* A nested object stands where its first member with a value does; this row comes after that one. */
static bool
is_written(const struct field *fields, const struct field *field, size_t length, const void *object)
{
    for (const struct field *earlier = fields; earlier != field; earlier++) {
        if (earlier->name[0] == field->name[0] && strncmp(earlier->name, field->name, length) == 0 &&
            has_value(earlier, object)) {
            return true;
        }
    }
    return false;
}

/* The members of one level of names, without brackets. */
static void
write_members(const struct field *fields, size_t prefix, const struct field *group, const void *object, bool *first,
              struct buf *out)
{
    for (const struct field *field = fields; field->name; field++) {
        if (!in_group(field, group, prefix) || !has_value(field, object)) {
            continue;
        }
        const char *name = field->name + prefix;
        size_t length = strcspn(name, ".");
        if (!name[length]) {
            write_name(name, length, first, out);
            write_value(field, object, out);
        } else if (!is_written(fields, field, prefix + length + 1, object)) {
            write_name(name, length, first, out);
            write_level(fields, prefix + length + 1, field, object, out);
        }
    }
}

static void
write_level(const struct field *fields, size_t prefix, const struct field *group, const void *object, struct buf *out)
{
    bool first = true;
    buf_char(out, '{');
    write_members(fields, prefix, group, object, &first, out);
    buf_char(out, '}');
}

void
fields_write(const struct field *fields, const void *object, struct buf *out)
{
    bool first = true;
    write_members(fields, 0, NULL, object, &first, out);
}

bool
fields_writes(const struct field *fields, const void *object, const char *name)
{
    size_t length = strlen(name);
    for (const struct field *field = fields; field->name; field++) {
        if (strncmp(field->name, name, length) == 0 && strchr(".", field->name[length]) && has_value(field, object)) {
            return true;
        }
    }
    return false;
}

/* ---- has it changed? --------------------------------------------------------------------------------------------- */

/* Folds a product of 128 bits: every bit of both decides about every bit. */
static uint64_t
mix(uint64_t hash, uint64_t word)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(hash ^ UINT64_C(0x9e3779b97f4a7c15)) * (word ^ UINT64_C(0xd6e8feb86659fd93));
    return (uint64_t)product ^ (uint64_t)(product >> 64) ^ (word + hash * 3);
}

uint64_t
hash_text(const char *text, uint64_t seed)
{
    size_t size = text ? strlen(text) : 0, i = 0;
    uint64_t hash = mix(seed, text ? size + 1 : 0), word = 0;
    for (; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, text + i, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    if (i < size) {
        memcpy(&word, text + i, size - i);
        hash = mix(hash, word);
    }
    return hash;
}

static uint64_t
hash_ip(const struct ip *ip, uint64_t hash)
{
    return mix(mix(mix(hash, ip->family), ip->hi), ip->lo);
}

static uint64_t
hash_document(const json_t *document, uint64_t hash)
{
    struct buf text = { 0 };
    if (document) {
        json_write_compact(document, &text);
    }
    hash = hash_text(document ? buf_str(&text) : NULL, hash);
    buf_done(&text);
    return hash;
}

static uint64_t
hash_lists(const struct field *field, const struct vec_any *list, uint64_t hash)
{
    hash = mix(hash, list->n);
    for (size_t i = 0; i < list->n; i++) {
        const char *item = (const char *)list->items + i * field->item_size;
        hash = field->type == FIELD_STRINGS ? hash_text(((char *const *)list->items)[i], hash)
                                            : fields_hash(field->fields, item, hash);
    }
    return hash;
}

static uint64_t
hash_member(const struct field *field, const void *object, uint64_t hash)
{
    const void *member = member_of(object, field);
    switch (field->type) {
    case FIELD_NONE:
        break;
    case FIELD_STRING:
        return hash_text(*(char *const *)member, hash);
    case FIELD_ID:
        return hash_text(member, hash);
    case FIELD_BOOL:
        return mix(hash, *(const bool *)member);
    case FIELD_INT:
        return mix(hash, (uint64_t) * (const int32_t *)member);
    case FIELD_LONG:
    case FIELD_TIME:
        return mix(hash, (uint64_t) * (const int64_t *)member);
    case FIELD_IP:
        return hash_ip(member, hash);
    case FIELD_CIDR:
        return mix(hash_ip(&((const struct cidr *)member)->ip, hash), ((const struct cidr *)member)->bits);
    case FIELD_ENUM:
        return mix(hash, (uint64_t) * (const int *)member);
    case FIELD_STRINGS:
    case FIELD_LIST_OF:
        return hash_lists(field, member, hash);
    case FIELD_OBJECT:
        hash = field->present ? mix(hash, *(const bool *)((const char *)object + field->present - 1)) : hash;
        return fields_hash(field->fields, member, hash);
    case FIELD_DOCUMENT:
        return hash_document(*(json_t *const *)member, hash);
    }
    return hash;
}

uint64_t
fields_hash(const struct field *fields, const void *object, uint64_t seed)
{
    uint64_t hash = seed;
    for (const struct field *field = fields; field->name; field++) {
        if (!(field->flags & FIELD_INPUT_ONLY)) {
            hash = hash_member(field, object, hash);
        }
    }
    return hash;
}
