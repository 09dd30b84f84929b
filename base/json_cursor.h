/* base/json_cursor.h - a place in a JSON text, and the steps of who reads it himself: json_quick.c and field_read.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include "base/json.h"

struct json_cursor {
    const char *at, *end;
    size_t depth; /* of levels above it */
};

static inline void
json_skip_blanks(struct json_cursor *q)
{
    while (q->at < q->end && (*q->at == ' ' || *q->at == '\n' || *q->at == '\t' || *q->at == '\r')) {
        q->at++;
    }
}

static inline bool
json_take(struct json_cursor *q, char c)
{
    json_skip_blanks(q);
    bool there = q->at < q->end && *q->at == c;
    q->at += there;
    return there;
}

/* Bytes that end or complicate a string: the quote, the backslash, control characters and everything not ASCII. */
static inline bool
json_is_plain(char c)
{
    return c != '"' && c != '\\' && (signed char)c >= 0x20;
}

#define JSON_ONES(byte_) (UINT64_C(0x0101010101010101) * (byte_))

/* Are all eight bytes plain?  (Where a byte is not, those above it may be taken for such too, which does no harm.) */
static inline bool
json_all_plain(const char *eight)
{
    uint64_t word;
    memcpy(&word, eight, sizeof word);
    uint64_t quote = word ^ JSON_ONES('"'), slash = word ^ JSON_ONES('\\');
    uint64_t odd = word | (word - JSON_ONES(0x20)) | (quote - JSON_ONES(1)) | (slash - JSON_ONES(1));
    return !(odd & JSON_ONES(0x80));
}

static inline const char *
json_plain_end(const struct json_cursor *q, const char *at)
{
    while (q->end - at >= 8 && json_all_plain(at)) {
        at += 8;
    }
    while (at < q->end && json_is_plain(*at)) {
        at++;
    }
    return at;
}

static inline bool
json_take_word(struct json_cursor *q, const char *word, size_t length)
{
    bool there = (size_t)(q->end - q->at) >= length && memcmp(q->at, word, length) == 0;
    q->at += there ? length : 0;
    return there && (q->at == q->end || !((*q->at | 0x20) >= 'a' && (*q->at | 0x20) <= 'z'));
}

/* The value that begins here, as json_quick() reads it; NULL: unusual. */
json_t *json_take_value(struct json_cursor *q);
/* The text of a string, after its opening quote; the caller frees it.  NULL: unusual. */
char *json_take_text(struct json_cursor *q);
