#include "base/json_quick.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json_cursor.h"
#include "base/json_scan.h"
#include "base/vec.h"

#define KEY_MAX 128 /* of names that are copied to the stack */

static json_t *read_value(struct json_cursor *q);

/* What has escapes, other letters than ASCII's, fractions or many digits: jansson reads the one word. */
static json_t *
read_word(const char *begin, const char *end)
{
    return json_loadb(begin, (size_t)(end - begin), JSON_DECODE_ANY, NULL);
}

/* After the opening quote. */
static json_t *
read_string(struct json_cursor *q)
{
    const char *begin = q->at, *end = json_plain_end(q, begin);
    bool plain = true;
    while (end < q->end && *end != '"') {
        plain = false;
        end += *end == '\\' && q->end - end > 1 ? 2 : 1;
        end = json_plain_end(q, end);
    }
    if (end >= q->end) {
        return NULL;
    }
    q->at = end + 1;
    return plain ? json_stringn_nocheck(begin, (size_t)(end - begin)) : read_word(begin - 1, end + 1);
}

static json_t *
read_number(struct json_cursor *q)
{
    const char *begin = q->at, *at = begin;
    bool minus = at < q->end && *at == '-';
    at += minus;
    const char *digits = at;
    json_int_t value = 0;
    while (at < q->end && *at >= '0' && *at <= '9' && at - digits < 18) {
        value = value * 10 + (*at++ - '0');
    }
    bool whole = at > digits && (at - digits == 1 || *digits != '0') &&
                 (at == q->end || *at == ',' || *at == ']' || *at == '}' || *at == ' ' || *at == '\n' || *at == '\r' ||
                  *at == '\t');
    if (whole) {
        q->at = at;
        return json_integer(minus ? -value : value);
    }
    while (at < q->end && *at && strchr("+-.0123456789eE", *at)) {
        at++;
    }
    q->at = at;
    return at > begin ? read_word(begin, at) : NULL;
}

static json_t *
read_array(struct json_cursor *q)
{
    json_t *array = json_array();
    if (json_take(q, ']')) {
        return array;
    }
    do {
        if (json_array_append_new(array, read_value(q)) < 0) { /* also where there is none */
            json_decref(array);
            return NULL;
        }
    } while (json_take(q, ','));
    if (!json_take(q, ']')) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* A name given twice takes the place of the first, and the object does not grow. */
static bool
set_member(struct json_cursor *q, json_t *object, const char *key)
{
    size_t before = json_object_size(object);
    return json_take(q, ':') && json_object_set_new_nocheck(object, key, read_value(q)) == 0 &&
           json_object_size(object) > before;
}

static bool
read_member(struct json_cursor *q, json_t *object)
{
    char key[KEY_MAX];
    if (!json_take(q, '"')) {
        return false;
    }
    const char *begin = q->at, *end = json_plain_end(q, begin);
    size_t length = (size_t)(end - begin);
    if (end < q->end && *end == '"' && length < sizeof key) {
        memcpy(key, begin, length);
        key[length] = '\0';
        q->at = end + 1;
        return set_member(q, object, key);
    }
    json_t *name = read_string(q);
    bool ok = name && set_member(q, object, json_string_value(name));
    json_decref(name);
    return ok;
}

static json_t *
read_object(struct json_cursor *q)
{
    json_t *object = json_object();
    if (json_take(q, '}')) {
        return object;
    }
    bool ok;
    do {
        ok = read_member(q, object);
    } while (ok && json_take(q, ','));
    if (!ok || !json_take(q, '}')) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static json_t *
read_value(struct json_cursor *q)
{
    json_skip_blanks(q);
    json_t *value;
    switch (q->at < q->end ? *q->at : '\0') {
    case '{':
    case '[':
        if (q->depth >= JSON_SCAN_DEPTH) {
            return NULL;
        }
        q->depth++;
        value = *q->at++ == '{' ? read_object(q) : read_array(q);
        q->depth--;
        return value;
    case '"':
        q->at++;
        return read_string(q);
    case 't':
        return json_take_word(q, "true", 4) ? json_true() : NULL;
    case 'f':
        return json_take_word(q, "false", 5) ? json_false() : NULL;
    case 'n':
        return json_take_word(q, "null", 4) ? json_null() : NULL;
    default:
        return read_number(q);
    }
}

json_t *
json_quick(const char *text, size_t size)
{
    struct json_cursor q = { text, text + size, 0 };
    json_t *value = read_value(&q);
    json_skip_blanks(&q);
    if (value && q.at < q.end) {
        json_decref(value);
        value = NULL;
    }
    return value;
}

json_t *
json_take_value(struct json_cursor *q)
{
    return read_value(q);
}

char *
json_take_text(struct json_cursor *q)
{
    json_t *string = read_string(q);
    const char *text = json_string_value(string);
    char *copy = text ? xstrdup(text) : NULL;
    json_decref(string);
    return copy;
}

/* ---- piece by piece ---------------------------------------------------------------------------------------------- */

/* The name of a member and its colon, as a JSON string; NULL: unusual. */
static json_t *
read_name(struct json_cursor *q)
{
    json_t *name = json_take(q, '"') ? read_string(q) : NULL;
    if (name && (!json_is_string(name) || !json_take(q, ':'))) {
        json_decref(name);
        name = NULL;
    }
    return name;
}

/* The elements of one list; each value goes before the next comes, so that all of them are made of the same few pieces.
 */
static bool
read_items(struct json_cursor *q, const char *list, const struct json_parts *parts)
{
    if (!json_take(q, '[')) {
        return false;
    }
    if (json_take(q, ']')) {
        return true;
    }
    bool ok;
    do {
        ok = parts->item(parts->context, list, q);
    } while (ok && json_take(q, ','));
    return ok && json_take(q, ']');
}

static bool
read_lists(struct json_cursor *q, const struct json_parts *parts)
{
    json_t *seen = json_object();
    bool ok = json_take(q, '{');
    if (ok && !json_take(q, '}')) {
        do {
            json_t *name = read_name(q);
            const char *list = json_string_value(name);
            size_t before = json_object_size(seen);
            ok = name && json_object_set_new_nocheck(seen, list, json_null()) == 0 && json_object_size(seen) > before &&
                 read_items(q, list, parts);
            json_decref(name);
        } while (ok && json_take(q, ','));
        ok = ok && json_take(q, '}');
    }
    json_decref(seen);
    return ok;
}

bool
json_quick_parts(const char *text, size_t size, const struct json_parts *parts)
{
    struct json_cursor q = { text, text + size, 3 };
    json_t *rest = json_object();
    bool ok = json_take(&q, '{'), large = false;
    do {
        json_t *name = ok ? read_name(&q) : NULL;
        const char *key = json_string_value(name);
        if (name && strcmp(key, parts->large) == 0) {
            ok = !large && parts->before(parts->context, rest) && read_lists(&q, parts);
            large = true;
        } else {
            size_t before = json_object_size(rest);
            ok = name && json_object_set_new_nocheck(rest, key, read_value(&q)) == 0 && json_object_size(rest) > before;
        }
        json_decref(name);
    } while (ok && json_take(&q, ','));
    ok = ok && json_take(&q, '}');
    json_skip_blanks(&q);
    ok = ok && large && q.at == q.end && parts->after(parts->context, rest);
    json_decref(rest);
    return ok;
}
