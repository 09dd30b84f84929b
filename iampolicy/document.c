#include "iampolicy/document.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/vec.h"

enum { LEVELS_MAX = 64 };

struct reader {
    struct iam_document *doc;
    const unsigned char *p, *end, *start;
    const char *problem; /* our own words where base/json.h would not refuse */
};

/* Characters that stand for themselves inside a string: ASCII but for controls, '"' and '\\'. */
static const bool plain[256] = { [0x20 ... '"' - 1] = true, ['"' + 1 ... '\\' - 1] = true, ['\\' + 1 ... 0x7F] = true };

static uint32_t
add_node(struct iam_document *doc)
{
    if (doc->n == doc->cap) {
        doc->cap = doc->cap ? doc->cap * 2 : 128;
        doc->nodes = xrealloc(doc->nodes, doc->cap * sizeof *doc->nodes);
    }
    memset(&doc->nodes[doc->n], 0, sizeof *doc->nodes);
    return doc->n++;
}

static void
skip_space(struct reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\t' || *r->p == '\r')) {
        r->p++;
    }
}

size_t
iam_utf8_length(const unsigned char *p, const unsigned char *end)
{
    size_t left = (size_t)(end - p);
    if (p[0] >= 0xC2 && p[0] <= 0xDF && left >= 2 && (p[1] & 0xC0) == 0x80) {
        return 2;
    }
    if ((p[0] & 0xF0) == 0xE0 && left >= 3 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80 &&
        !(p[0] == 0xE0 && p[1] < 0xA0) && !(p[0] == 0xED && p[1] >= 0xA0)) {
        return 3;
    }
    if (p[0] >= 0xF0 && p[0] <= 0xF4 && left >= 4 && (p[1] & 0xC0) == 0x80 && (p[2] & 0xC0) == 0x80 &&
        (p[3] & 0xC0) == 0x80 && !(p[0] == 0xF0 && p[1] < 0x90) && !(p[0] == 0xF4 && p[1] >= 0x90)) {
        return 4;
    }
    return 0;
}

static int
hex4(const unsigned char *p, const unsigned char *end)
{
    int value = 0;
    if (end - p < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int c = p[i], digit = c >= '0' && c <= '9'                 ? c - '0'
                              : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                                   : -1;
        if (digit < 0) {
            return -1;
        }
        value = value * 16 + digit;
    }
    return value;
}

static char *
put_utf8(char *out, unsigned c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 63));
        *out++ = (char)(0x80 | (c >> 6 & 63));
        *out++ = (char)(0x80 | (c & 63));
    }
    return out;
}

/* One escape after the backslash; NULL if it is not one.  \u0000 is refused: no AWS name or value holds a NUL. */
static char *
read_escape(struct reader *r, char *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (r->p >= r->end) {
        return NULL;
    }
    unsigned char c = *r->p++;
    if (c != 'u') {
        const char *hit = c ? strchr(from, c) : NULL;
        if (!hit) {
            return NULL;
        }
        *out = to[hit - from];
        return out + 1;
    }
    int code = hex4(r->p, r->end);
    if (code <= 0) {
        return NULL;
    }
    r->p += 4;
    if (code >= 0xD800 && code <= 0xDFFF) {
        int low = r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u' ? hex4(r->p + 2, r->end) : -1;
        if (code >= 0xDC00 || low < 0xDC00 || low > 0xDFFF) {
            return NULL;
        }
        r->p += 6;
        code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    return put_utf8(out, (unsigned)code);
}

/* The rest of a string that has an escape; 'start' is its first character.  Decoding never makes it longer. */
static bool
decode_string(struct reader *r, const unsigned char *start, struct iam_text *text)
{
    const unsigned char *close = r->p;
    while (close < r->end && *close != '"') {
        close += *close == '\\' ? 2 : 1;
    }
    if (close >= r->end) {
        return false;
    }
    if (!r->doc->decoded) {
        r->doc->decoded = arena_new();
    }
    char *out = arena_alloc(r->doc->decoded, (size_t)(close - start) + 1), *first = out;
    r->p = start;
    while (*r->p != '"') {
        if (*r->p == '\\') {
            r->p++;
            out = read_escape(r, out);
            if (!out) {
                return false;
            }
            continue;
        }
        size_t n = *r->p >= 0x80 ? iam_utf8_length(r->p, r->end) : *r->p >= 0x20;
        if (!n) {
            return false;
        }
        memcpy(out, r->p, n);
        out += n;
        r->p += n;
    }
    r->p++;
    *text = (struct iam_text){ first, (uint32_t)(out - first) };
    return true;
}

static bool
read_string(struct reader *r, struct iam_text *text, struct iam_span *span)
{
    const unsigned char *start = r->p + 1;
    span->start = (uint32_t)(r->p - r->start);
    r->p = start;
    for (;;) {
        const unsigned char *p = r->p, *end = r->end;
        while (p < end && plain[*p]) {
            p++;
        }
        r->p = p;
        if (r->p >= r->end || *r->p < 0x20) {
            return false;
        }
        if (*r->p == '"') {
            *text = (struct iam_text){ (const char *)start, (uint32_t)(r->p - start) };
            r->p++;
            break;
        }
        if (*r->p == '\\') {
            if (!decode_string(r, start, text)) {
                return false;
            }
            break;
        }
        size_t n = iam_utf8_length(r->p, r->end);
        if (!n) {
            return false;
        }
        r->p += n;
    }
    span->end = (uint32_t)(r->p - r->start);
    return true;
}

static bool
digits(struct reader *r)
{
    const unsigned char *first = r->p;
    while (r->p < r->end && *r->p >= '0' && *r->p <= '9') {
        r->p++;
    }
    return r->p > first;
}

static bool
read_number(struct reader *r)
{
    if (*r->p == '-') {
        r->p++;
    }
    const unsigned char *first = r->p;
    if (!digits(r) || (*first == '0' && r->p - first > 1)) {
        return false;
    }
    if (r->p < r->end && *r->p == '.') {
        r->p++;
        if (!digits(r)) {
            return false;
        }
    }
    if (r->p < r->end && (*r->p | 32) == 'e') {
        r->p++;
        if (r->p < r->end && (*r->p == '+' || *r->p == '-')) {
            r->p++;
        }
        return digits(r);
    }
    return true;
}

static int
compare_keys(const void *a, const void *b)
{
    const struct iam_text *x = a, *y = b;
    int order = memcmp(x->s, y->s, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

/* Members are few, so each new key is compared with those before it; a huge object is sorted instead. */
static bool
has_duplicate_key(const struct iam_document *doc, const struct iam_node *object)
{
    if (object->n <= 24) {
        for (uint32_t i = object->child; i; i = doc->nodes[i].next) {
            for (uint32_t j = object->child; j != i; j = doc->nodes[j].next) {
                if (doc->nodes[i].key.n == doc->nodes[j].key.n &&
                    memcmp(doc->nodes[i].key.s, doc->nodes[j].key.s, doc->nodes[i].key.n) == 0) {
                    return true;
                }
            }
        }
        return false;
    }
    struct iam_text *keys = xmalloc(object->n * sizeof *keys);
    size_t n = 0;
    bool found = false;
    for (uint32_t i = object->child; i; i = doc->nodes[i].next) {
        keys[n++] = doc->nodes[i].key;
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 1; i < n && !found; i++) {
        found = compare_keys(&keys[i - 1], &keys[i]) == 0;
    }
    free(keys);
    return found;
}

static bool read_value(struct reader *r, uint32_t self, int level);

static bool
read_members(struct reader *r, uint32_t self, bool object, int level)
{
    unsigned char close = object ? '}' : ']';
    uint32_t last = 0;
    if (level >= LEVELS_MAX) {
        r->problem = "the document is nested more than 64 levels deep";
        return false;
    }
    r->p++;
    skip_space(r);
    if (r->p < r->end && *r->p == close) {
        r->p++;
        return true;
    }
    for (;;) {
        uint32_t item = add_node(r->doc);
        if (last) {
            r->doc->nodes[last].next = item;
        } else {
            r->doc->nodes[self].child = item;
        }
        last = item;
        r->doc->nodes[self].n++;
        skip_space(r);
        if (object) {
            struct iam_node *node = &r->doc->nodes[item];
            if (r->p >= r->end || *r->p != '"' || !read_string(r, &node->key, &node->key_span)) {
                return false;
            }
            skip_space(r);
            if (r->p >= r->end || *r->p++ != ':') {
                return false;
            }
        }
        if (!read_value(r, item, level + 1)) {
            return false;
        }
        skip_space(r);
        if (r->p >= r->end || (*r->p != ',' && *r->p != close)) {
            return false;
        }
        if (*r->p++ == close) {
            return !object || !has_duplicate_key(r->doc, &r->doc->nodes[self]);
        }
    }
}

/* An object whose bytes the caller has read before: one JSON value cannot begin another, so equal bytes are the same
 * object. */
static bool
step_over_known(struct reader *r, uint32_t self)
{
    struct iam_node *node = &r->doc->nodes[self];
    uint32_t start = (uint32_t)(r->p - r->start);
    uint32_t size =
        r->doc->recognize(r->doc->context, node->key, (const char *)r->p, (uint32_t)(r->end - r->p), &node->known);
    if (!size) {
        return false;
    }
    node->type = IAM_OBJECT;
    node->span = (struct iam_span){ start, start + size };
    r->p += size;
    return true;
}

static bool
read_word(struct reader *r, uint32_t self, const char *word, enum iam_node_type type)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0) {
        return false;
    }
    r->doc->nodes[self].type = type;
    r->p += n;
    return true;
}

static bool
read_value(struct reader *r, uint32_t self, int level)
{
    skip_space(r);
    if (r->p >= r->end) {
        return false;
    }
    const unsigned char *first = r->p;
    unsigned char c = *first;
    bool ok = false;
    if (c == '"') {
        struct iam_node *node = &r->doc->nodes[self];
        node->type = IAM_STRING;
        return read_string(r, &node->text, &node->span);
    }
    if (c == '{' && r->doc->recognize && step_over_known(r, self)) {
        return true;
    }
    if (c == '{' || c == '[') {
        r->doc->nodes[self].type = c == '{' ? IAM_OBJECT : IAM_ARRAY;
        ok = read_members(r, self, c == '{', level);
    } else if (c == 't') {
        ok = read_word(r, self, "true", IAM_TRUE);
    } else if (c == 'f') {
        ok = read_word(r, self, "false", IAM_FALSE);
    } else if (c == 'n') {
        ok = read_word(r, self, "null", IAM_NULL);
    } else if (c == '-' || (c >= '0' && c <= '9')) {
        r->doc->nodes[self].type = IAM_NUMBER;
        ok = read_number(r);
    }
    struct iam_node *node = &r->doc->nodes[self];
    node->span = (struct iam_span){ (uint32_t)(first - r->start), (uint32_t)(r->p - r->start) };
    if (node->type <= IAM_NUMBER) {
        node->text = (struct iam_text){ (const char *)first, (uint32_t)(r->p - first) };
    }
    return ok;
}

/* Says what is wrong in the words of base/json.h; ours only where the two readers differ (depth). */
static bool
refuse(struct reader *r, const char *text, size_t size, const char *where, struct err *err)
{
    struct err found = { 0 };
    json_t *accepted = r->problem ? NULL : json_read(text, size, where, &found);
    if (!r->problem && found.kind) {
        err_set(err, found.kind, found.code, "%s", found.text);
        err_at(err, found.where, found.line, found.column);
        return found.hint[0] ? err_hint(err, "%s", found.hint) : false;
    }
    json_decref(accepted);
    int line, column;
    iam_text_place(text, size, (uint32_t)(r->p - r->start), &line, &column);
    err_set(err, ERR_DOCUMENT, "", "%s", r->problem ? r->problem : "this is not JSON");
    return err_at(err, where, line, column);
}

bool
iam_document_read(struct iam_document *doc, const char *text, size_t size, const char *where, struct err *err)
{
    const unsigned char *start = (const unsigned char *)text;
    struct reader r = { .doc = doc, .p = start, .start = start, .end = start + size };
    doc->source = text;
    doc->size = (uint32_t)size;
    doc->n = 0;
    arena_free(doc->decoded);
    doc->decoded = NULL;
    if (size >= UINT32_MAX) {
        r.problem = "the text is longer than 4 GiB";
        return refuse(&r, text, size, where, err);
    }
    bool ok = read_value(&r, add_node(doc), 0);
    if (ok) {
        skip_space(&r);
        ok = r.p == r.end;
    }
    return ok || refuse(&r, text, size, where, err);
}

void
iam_document_done(struct iam_document *doc)
{
    free(doc->nodes);
    arena_free(doc->decoded);
    *doc = (struct iam_document){ 0 };
}

bool
iam_text_is(struct iam_text text, const char *word)
{
    return strlen(word) == text.n && (text.n == 0 || memcmp(text.s, word, text.n) == 0); /* empty: s may be NULL */
}

const struct iam_node *
iam_node_member(const struct iam_document *doc, const struct iam_node *object, const char *name)
{
    if (!object || object->type != IAM_OBJECT) {
        return NULL;
    }
    for (const struct iam_node *m = iam_node_first(doc, object); m; m = iam_node_next(doc, m)) {
        if (iam_text_is(m->key, name)) {
            return m;
        }
    }
    return NULL;
}

const char *
iam_node_type_name(enum iam_node_type type)
{
    static const char *const names[] = { "null", "true", "false", "a number", "a string", "an array", "an object" };
    return names[type];
}

void
iam_text_place(const char *text, size_t size, uint32_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < size; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}
