/* Structs from the text that fields_write() wrote, without JSON values in between.  Whatever is not as it writes it is
 * left to fields_load(): a member of another type, null, a name given twice, one that no row names. */
#include <stdlib.h>
#include "base/clock.h"
#include "base/field_internal.h"
#include "base/json_cursor.h"

#define ROWS_MAX 128 /* of a table */

static bool read_level(const struct field *fields, size_t prefix, const struct field *group, void *object,
                       struct json_cursor *at, fields_other_fn *other, void *context);

/* The text of a string in 'room' or, where that is too small or the string has escapes, in memory of its own: release()
 * it. */
static char *
take_text(struct json_cursor *at, char *room, size_t size)
{
    if (!json_take(at, '"')) {
        return NULL;
    }
    const char *end = json_plain_end(at, at->at);
    size_t length = (size_t)(end - at->at);
    if (end == at->end || *end != '"' || length >= size) {
        return json_take_text(at);
    }
    memcpy(room, at->at, length);
    room[length] = '\0';
    at->at = end + 1;
    return room;
}

static void
release(char *text, const char *room)
{
    if (text != room) {
        free(text);
    }
}

static bool
take_string(struct json_cursor *at, char **string)
{
    char room[256], *text = take_text(at, room, sizeof room);
    free(*string);
    *string = text == room ? xstrdup(text) : text;
    return text != NULL;
}

static bool
take_integer(const struct field *field, struct json_cursor *at, int64_t *number)
{
    bool quoted = (field->flags & FIELD_TEXT) && json_take(at, '"');
    json_skip_blanks(at);
    bool minus = at->at < at->end && *at->at == '-';
    const char *digits = at->at += minus;
    int64_t value = 0;
    while (at->at < at->end && *at->at >= '0' && *at->at <= '9' && at->at - digits < 18) {
        value = value * 10 + (*at->at++ - '0');
    }
    bool whole = at->at > digits && (at->at - digits == 1 || *digits != '0');
    *number = minus ? -value : value;
    /* A fraction or more digits: the next step does not find what it expects. */
    return whole && (!quoted || (at->at < at->end && *at->at++ == '"'));
}

static bool
take_parsed(const struct field *field, void *member, const char *text)
{
    switch (field->type) {
    case FIELD_ID:
        return strlen(text) < ID_SIZE && strcpy(member, text);
    case FIELD_TIME:
        return !text[0] || clock_parse(text, member);
    case FIELD_IP:
        return !text[0] || ip_parse(text, member);
    case FIELD_CIDR:
        return !text[0] || cidr_parse_loose(text, member);
    default:
        break;
    }
    for (int i = 0; field->names[i]; i++) {
        if (strcmp(field->names[i], text) == 0) {
            *(int *)member = i;
            return true;
        }
    }
    return false;
}

static bool
take_item(const struct field *field, struct vec_any *list, struct json_cursor *at)
{
    if (field->type == FIELD_STRINGS) {
        return take_string(at, vec_add(list, sizeof(char *)));
    }
    return read_level(field->fields, 0, NULL, vec_add(list, field->item_size), at, NULL, NULL);
}

static bool
take_list(const struct field *field, struct vec_any *list, struct json_cursor *at)
{
    if (!json_take(at, '[')) {
        return false;
    }
    if (json_take(at, ']')) {
        return true;
    }
    bool ok;
    do {
        ok = take_item(field, list, at);
    } while (ok && json_take(at, ','));
    return ok && json_take(at, ']');
}

static bool
take_document(json_t **document, struct json_cursor *at)
{
    json_t *value = json_take_value(at);
    bool there = value && !json_is_null(value);
    json_decref(*document);
    *document = there ? value : NULL;
    if (!there) {
        json_decref(value);
    }
    return there;
}

static bool
take_member(const struct field *field, void *object, struct json_cursor *at)
{
    void *member = member_of(object, field);
    int64_t number;
    switch (field->type) {
    case FIELD_NONE:
        return false;
    case FIELD_STRING:
        return take_string(at, member);
    case FIELD_BOOL:
        json_skip_blanks(at);
        *(bool *)member = json_take_word(at, "true", 4);
        return *(bool *)member || json_take_word(at, "false", 5);
    case FIELD_INT:
        if (!take_integer(field, at, &number) || number < INT32_MIN || number > INT32_MAX) {
            return false;
        }
        *(int32_t *)member = (int32_t)number;
        return true;
    case FIELD_LONG:
        return take_integer(field, at, member);
    case FIELD_STRINGS:
    case FIELD_LIST_OF:
        return take_list(field, member, at);
    case FIELD_OBJECT:
        if (field->present) {
            *(bool *)((char *)object + field->present - 1) = true;
        }
        return read_level(field->fields, 0, NULL, member, at, NULL, NULL);
    case FIELD_DOCUMENT:
        return take_document(member, at);
    case FIELD_ID:
    case FIELD_TIME:
    case FIELD_IP:
    case FIELD_CIDR:
    case FIELD_ENUM:
        break;
    }
    char room[80], *text = take_text(at, room, sizeof room);
    bool ok = text && take_parsed(field, member, text);
    release(text, room);
    return ok;
}

/* Is this the row of the name, or ('*nested') one of those below it? */
static bool
is_named(const struct field *field, size_t prefix, const struct field *group, const char *name, size_t length,
         bool *nested)
{
    const char *own = field->name + prefix;
    if (!in_group(field, group, prefix) || *own != *name || strncmp(own, name, length) != 0 ||
        (own[length] && own[length] != '.')) {
        return false;
    }
    *nested = own[length] == '.';
    return true;
}

/* Members mostly stand in the order of the rows, so the search goes on where the last one ended. */
static const struct field *
find_row(const struct field *fields, const struct field *next, size_t prefix, const struct field *group,
         const char *name, size_t length, bool *nested)
{
    for (const struct field *field = next; field->name; field++) {
        if (is_named(field, prefix, group, name, length, nested)) {
            return field;
        }
    }
    for (const struct field *field = fields; field != next; field++) {
        if (is_named(field, prefix, group, name, length, nested)) {
            return field;
        }
    }
    return NULL;
}

/* What a name given twice is known by: the first row that it could mean. */
static size_t
first_row(const struct field *fields, const struct field *found, size_t prefix, const struct field *group,
          const char *name, size_t length)
{
    bool nested;
    const struct field *field = fields;
    while (field != found && !is_named(field, prefix, group, name, length, &nested)) {
        field++;
    }
    return (size_t)(field - fields);
}

static bool
read_level(const struct field *fields, size_t prefix, const struct field *group, void *object, struct json_cursor *at,
           fields_other_fn *other, void *context)
{
    uint64_t seen[ROWS_MAX / 64] = { 0 };
    const struct field *next = fields;
    if (!json_take(at, '{')) {
        return false;
    }
    if (json_take(at, '}')) {
        return true;
    }
    do {
        if (!json_take(at, '"')) {
            return false;
        }
        const char *name = at->at, *end = json_plain_end(at, name);
        size_t length = (size_t)(end - name);
        bool whole = end < at->end && *end == '"' && length > 0;
        at->at = end + whole;
        if (!whole || !json_take(at, ':')) {
            return false;
        }
        bool nested;
        const struct field *field = find_row(fields, next, prefix, group, name, length, &nested);
        if (!field) {
            if (!other || !other(context, name, length, at)) {
                return false;
            }
            continue;
        }
        size_t row = nested ? first_row(fields, field, prefix, group, name, length) : (size_t)(field - fields);
        if (row >= ROWS_MAX || (seen[row / 64] >> row % 64 & 1) || (!nested && field->flags & FIELD_INPUT_ONLY)) {
            return false;
        }
        seen[row / 64] |= UINT64_C(1) << row % 64;
        next = field + 1;
        if (!(nested ? read_level(fields, prefix + length + 1, field, object, at, NULL, NULL)
                     : take_member(field, object, at))) {
            return false;
        }
    } while (json_take(at, ','));
    return json_take(at, '}');
}

bool
fields_read(const struct field *fields, void *object, struct json_cursor *at, fields_other_fn *other, void *context)
{
    return read_level(fields, 0, NULL, object, at, other, context);
}
