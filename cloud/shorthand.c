#include "cloud/shorthand.h"
#include <ctype.h>
#include <string.h>

#define DEPTH_MAX 64

struct reader {
    const char *text, *at;
    int depth;
    struct err *err;
};

static json_t *
expected(struct reader *r, const char *what)
{
    int column = 1;
    for (const char *p = r->text; p < r->at; p++) {
        column += ((unsigned char)*p & 0xc0) != 0x80;
    }
    if (*r->at) {
        err_set(r->err, ERR_USAGE, "", "%s is expected before `%.20s`", what, r->at);
    } else {
        err_set(r->err, ERR_USAGE, "", "%s is expected at the end of `%.60s`", what, r->text);
    }
    err_at(r->err, "", 1, column);
    return NULL;
}

static void
skip_space(struct reader *r)
{
    while (isspace((unsigned char)*r->at)) {
        r->at++;
    }
}

static bool
take(struct reader *r, char c)
{
    skip_space(r);
    if (*r->at != c) {
        return false;
    }
    r->at++;
    skip_space(r);
    return true;
}

static json_t *
text_of(struct reader *r, struct buf *buf)
{
    json_t *value = json_stringn(buf_str(buf), buf->size);
    buf_done(buf);
    if (!value) {
        err_set(r->err, ERR_USAGE, "", "the text is not UTF-8");
    }
    return value;
}

static json_t *
quoted(struct reader *r)
{
    char quote = *r->at++;
    struct buf buf = { 0 };
    while (*r->at && *r->at != quote) {
        if (*r->at == '\\' && (r->at[1] == quote || r->at[1] == '\\')) {
            r->at++;
        }
        buf_char(&buf, *r->at++);
    }
    if (!*r->at) {
        buf_done(&buf);
        return expected(r, quote == '\'' ? "a closing '" : "a closing \"");
    }
    r->at++;
    return text_of(r, &buf);
}

/* An unquoted value ends at a comma (unless it is escaped), at the end, and inside brackets at the bracket that closes
 * them. */
static json_t *
word(struct reader *r, const char *stop)
{
    if (*r->at == '\'' || *r->at == '"') {
        return quoted(r);
    }
    struct buf buf = { 0 };
    while (*r->at && *r->at != ',' && !strchr(stop, *r->at)) {
        if (r->at[0] == '\\' && r->at[1] == ',') {
            r->at++;
        }
        buf_char(&buf, *r->at++);
    }
    while (buf.size && isspace((unsigned char)buf.data[buf.size - 1])) {
        buf.size--;
    }
    return text_of(r, &buf);
}

static json_t *pairs(struct reader *r, char end);

/* Inside brackets lists are explicit: a comma separates items, never the parts of one value. */
static json_t *
explicit_value(struct reader *r)
{
    skip_space(r);
    if (*r->at != '[' && *r->at != '{') {
        return word(r, "]}");
    }
    if (++r->depth > DEPTH_MAX) {
        return expected(r, "less nesting");
    }
    json_t *value;
    if (*r->at == '{') {
        r->at++;
        value = pairs(r, '}');
    } else {
        r->at++;
        value = json_array();
        skip_space(r);
        while (*r->at != ']') {
            json_t *item = explicit_value(r);
            if (!item || json_array_append_new(value, item) != 0) {
                json_decref(value);
                return NULL;
            }
            skip_space(r);
            if (*r->at != ']' && !take(r, ',')) {
                json_decref(value);
                return expected(r, "`,` or `]`");
            }
        }
        r->at++;
    }
    r->depth--;
    return value;
}

/* True if another `key=` begins here: then the comma before it ended the value. */
static bool
at_key(const struct reader *r)
{
    const char *p = r->at;
    while (isalnum((unsigned char)*p) || (*p && strchr("-_.#/:", *p))) {
        p++;
    }
    const char *end = p;
    while (isspace((unsigned char)*p)) {
        p++;
    }
    return end > r->at && *p == '=';
}

/* `b`, or `b,c,d`: at the outermost level several words after one key are a list. */
static json_t *
loose_value(struct reader *r)
{
    skip_space(r);
    if (*r->at == '[' || *r->at == '{') {
        return explicit_value(r);
    }
    json_t *first = word(r, "]}");
    json_t *list = NULL;
    for (;;) {
        const char *comma = r->at;
        if (!first || !take(r, ',')) {
            break;
        }
        if (at_key(r) || !*r->at) {
            r->at = comma;
            break;
        }
        if (!list) {
            list = json_array();
            json_array_append(list, first);
        }
        json_t *next = word(r, "]}");
        if (!next || json_array_append_new(list, next) != 0) {
            json_decref(list);
            json_decref(first);
            return NULL;
        }
        skip_space(r);
    }
    if (!list) {
        return first;
    }
    json_decref(first);
    return list;
}

/* key=value pairs up to 'end' ('\0': the end of the text). */
static json_t *
pairs(struct reader *r, char end)
{
    json_t *out = json_object();
    skip_space(r);
    while (*r->at != end || (end == '\0' && json_object_size(out) == 0)) {
        const char *key = r->at;
        while (isalnum((unsigned char)*r->at) || (*r->at && strchr("-_.#/:", *r->at))) {
            r->at++;
        }
        char *name = strndup(key, (size_t)(r->at - key));
        json_t *value = NULL;
        if (json_object_get(out, name)) {
            err_set(r->err, ERR_USAGE, "", "`%s` is given twice", name);
            err_hint(r->err, "a space, not a comma, begins the next structure");
        } else if (r->at == key) {
            expected(r, "a key");
        } else if (!take(r, '=')) {
            expected(r, "`=`");
        } else {
            value = end ? explicit_value(r) : loose_value(r);
        }
        bool stored = value && json_object_set_new(out, name, value) == 0;
        free(name);
        if (!stored) {
            json_decref(out);
            return NULL;
        }
        skip_space(r);
        if (*r->at == end) {
            break;
        }
        bool comma = take(r, ',');
        if (!comma || (!end && !*r->at)) {
            json_decref(out);
            return expected(r, comma ? "a key" : end ? "`,` or `}`" : "`,`");
        }
    }
    if (end) {
        r->at++;
    }
    return out;
}

json_t *
shorthand_read(const char *text, struct err *err)
{
    struct reader r = { .text = text, .at = text, .err = err };
    return pairs(&r, '\0');
}
