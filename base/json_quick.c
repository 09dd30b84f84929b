#include "base/json_quick.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/json_scan.h"

#define KEY_MAX 128 /* of names that are copied to the stack */

struct quick {
    const char *at, *end;
    size_t depth;
};

static json_t *read_value(struct quick *q);

static void
skip_blanks(struct quick *q)
{
    while (q->at < q->end && (*q->at == ' ' || *q->at == '\n' || *q->at == '\t' || *q->at == '\r')) {
        q->at++;
    }
}

static bool
take(struct quick *q, char c)
{
    skip_blanks(q);
    bool there = q->at < q->end && *q->at == c;
    q->at += there;
    return there;
}

/* Bytes that end or complicate a string: the quote, the backslash, control characters and everything not ASCII. */
static bool
is_plain(char c)
{
    return c != '"' && c != '\\' && (signed char)c >= 0x20;
}

#define ONES(byte_) (UINT64_C(0x0101010101010101) * (byte_))

/* Are all eight bytes plain?  (Where a byte is not, those above it may be taken for such too, which does no harm.) */
static bool
all_plain(const char *eight)
{
    uint64_t word;
    memcpy(&word, eight, sizeof word);
    uint64_t quote = word ^ ONES('"'), slash = word ^ ONES('\\');
    uint64_t odd = word | (word - ONES(0x20)) | (quote - ONES(1)) | (slash - ONES(1));
    return !(odd & ONES(0x80));
}

static const char *
plain_end(const struct quick *q, const char *at)
{
    while (q->end - at >= 8 && all_plain(at)) {
        at += 8;
    }
    while (at < q->end && is_plain(*at)) {
        at++;
    }
    return at;
}

/* What has escapes, other letters than ASCII's, fractions or many digits: jansson reads the one word. */
static json_t *
read_word(const char *begin, const char *end)
{
    return json_loadb(begin, (size_t)(end - begin), JSON_DECODE_ANY, NULL);
}

/* After the opening quote. */
static json_t *
read_string(struct quick *q)
{
    const char *begin = q->at, *end = plain_end(q, begin);
    bool plain = true;
    while (end < q->end && *end != '"') {
        plain = false;
        end += *end == '\\' && q->end - end > 1 ? 2 : 1;
        end = plain_end(q, end);
    }
    if (end >= q->end) {
        return NULL;
    }
    q->at = end + 1;
    return plain ? json_stringn_nocheck(begin, (size_t)(end - begin)) : read_word(begin - 1, end + 1);
}

static json_t *
read_number(struct quick *q)
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
read_array(struct quick *q)
{
    json_t *array = json_array();
    if (take(q, ']')) {
        return array;
    }
    do {
        if (json_array_append_new(array, read_value(q)) < 0) { /* also where there is none */
            json_decref(array);
            return NULL;
        }
    } while (take(q, ','));
    if (!take(q, ']')) {
        json_decref(array);
        return NULL;
    }
    return array;
}

/* A name given twice takes the place of the first, and the object does not grow. */
static bool
set_member(struct quick *q, json_t *object, const char *key)
{
    size_t before = json_object_size(object);
    return take(q, ':') && json_object_set_new_nocheck(object, key, read_value(q)) == 0 &&
           json_object_size(object) > before;
}

static bool
read_member(struct quick *q, json_t *object)
{
    char key[KEY_MAX];
    if (!take(q, '"')) {
        return false;
    }
    const char *begin = q->at, *end = plain_end(q, begin);
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
read_object(struct quick *q)
{
    json_t *object = json_object();
    if (take(q, '}')) {
        return object;
    }
    bool ok;
    do {
        ok = read_member(q, object);
    } while (ok && take(q, ','));
    if (!ok || !take(q, '}')) {
        json_decref(object);
        return NULL;
    }
    return object;
}

static bool
take_word(struct quick *q, const char *word, size_t length)
{
    bool there = (size_t)(q->end - q->at) >= length && memcmp(q->at, word, length) == 0;
    q->at += there ? length : 0;
    return there && (q->at == q->end || !((*q->at | 0x20) >= 'a' && (*q->at | 0x20) <= 'z'));
}

static json_t *
read_value(struct quick *q)
{
    skip_blanks(q);
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
        return take_word(q, "true", 4) ? json_true() : NULL;
    case 'f':
        return take_word(q, "false", 5) ? json_false() : NULL;
    case 'n':
        return take_word(q, "null", 4) ? json_null() : NULL;
    default:
        return read_number(q);
    }
}

json_t *
json_quick(const char *text, size_t size)
{
    struct quick q = { text, text + size, 0 };
    json_t *value = read_value(&q);
    skip_blanks(&q);
    if (value && q.at < q.end) {
        json_decref(value);
        value = NULL;
    }
    return value;
}
