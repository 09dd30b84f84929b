#include "iampolicy/pattern.h"

#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "iampolicy/request.h"

static size_t
character_size(const char *text, const char *end)
{
    size_t n = 1;
    while (text + n < end && ((unsigned char)text[n] & 0xC0) == 0x80) {
        n++;
    }
    return n;
}

/* The usual matcher with one point of return, the last star: quadratic at worst, whatever the pattern. */
bool
iam_glob(const unsigned char *pattern, size_t pattern_size, const char *text, size_t text_size)
{
    const unsigned char *p = pattern, *p_end = pattern + pattern_size, *after_star = NULL;
    const char *t = text, *end = text + text_size, *mark = NULL;
    while (t < end) {
        if (p < p_end && *p == IAM_STAR) {
            after_star = ++p;
            if (p == p_end) {
                return true;
            }
            mark = t;
            if (*p < IAM_ANY) { /* jump to where the literal after the star can begin */
                mark = memchr(t, *p, (size_t)(end - t));
                if (!mark) {
                    return false;
                }
                t = mark;
            }
        } else if (p < p_end && *p == IAM_ANY) {
            p++;
            t += character_size(t, end);
        } else if (p < p_end && *p == (unsigned char)*t) {
            p++;
            t++;
        } else if (after_star) {
            p = after_star;
            mark += character_size(mark, end);
            if (*p < IAM_ANY) {
                mark = mark < end ? memchr(mark, *p, (size_t)(end - mark)) : NULL;
                if (!mark) {
                    return false;
                }
            }
            t = mark;
        } else {
            return false;
        }
    }
    while (p < p_end && *p == IAM_STAR) {
        p++;
    }
    return p == p_end;
}

/* ---- compiling ---- */

struct compiler {
    struct arena *arena;
    unsigned flags;
    VEC(struct iam_part) parts;
    unsigned char *out; /* the literal being built; room for the whole text */
    uint32_t n, start;
    bool has_variable;
};

static void
close_literal(struct compiler *c)
{
    if (c->n > c->start) {
        *VEC_ADD(&c->parts) = (struct iam_part){ .bytes = c->out + c->start, .size = c->n - c->start };
        c->start = c->n;
    }
}

static void
put(struct compiler *c, char ch)
{
    c->out[c->n++] = (unsigned char)(c->flags & IAM_LOWER ? iam_lower(ch) : ch);
}

/* ", 'default'" up to the brace; false if it is anything else. */
static bool
read_default(const char *s, const char *close, struct iam_text *fallback)
{
    while (s < close && *s == ' ') {
        s++;
    }
    if (s >= close || *s != '\'' || close[-1] != '\'' || close - s < 2) {
        return false;
    }
    *fallback = (struct iam_text){ s + 1, (uint32_t)(close - s - 2) };
    return true;
}

/* A variable at 's' ("${").  Returns the characters taken, 0 if it is plain text. */
static uint32_t
compile_variable(struct compiler *c, const char *s, const char *end)
{
    const char *close = memchr(s, '}', (size_t)(end - s));
    if (!close || close == s + 2) {
        return 0;
    }
    struct iam_text body = { s + 2, (uint32_t)(close - s - 2) }, fallback = { 0 };
    uint32_t taken = (uint32_t)(close - s + 1);
    if (body.n == 1 && (*body.s == '*' || *body.s == '?' || *body.s == '$')) {
        put(c, *body.s);
        return taken;
    }
    const char *comma = memchr(body.s, ',', body.n);
    if (comma) {
        /* A default may hold a brace: it ends at the quote before one. */
        const char *quote = memchr(comma, '\'', (size_t)(end - comma));
        const char *last = quote ? memchr(quote + 1, '\'', (size_t)(end - quote - 1)) : NULL;
        if (!last || last + 1 >= end || last[1] != '}') {
            return 0;
        }
        close = last + 1;
        taken = (uint32_t)(close - s + 1);
        body.n = (uint32_t)(comma - body.s);
        if (!read_default(comma + 1, close, &fallback)) {
            return 0;
        }
    }
    if (memchr(body.s, '$', body.n) || memchr(body.s, '{', body.n) || !body.n) {
        return 0;
    }
    close_literal(c);
    struct iam_part *part = VEC_ADD(&c->parts);
    struct iam_key *key = arena_alloc(c->arena, sizeof *key);
    *key = iam_key_make(c->arena, body);
    part->key = key;
    if (fallback.s) {
        part->fallback = arena_strndup(c->arena, fallback.s, fallback.n);
        part->fallback_size = fallback.n;
    }
    c->has_variable = true;
    return taken;
}

static void
classify(struct iam_pattern *pattern, unsigned flags)
{
    uint32_t stars = 0, any = 0;
    for (uint32_t i = 0; i < pattern->size; i++) {
        stars += pattern->bytes[i] == IAM_STAR;
        any += pattern->bytes[i] == IAM_ANY;
    }
    if (stars && stars == pattern->size) {
        pattern->kind = IAM_PATTERN_ALL;
    } else if (!stars && !any) {
        pattern->kind = IAM_PATTERN_LITERAL;
    } else if (stars == 1 && !any && pattern->bytes[pattern->size - 1] == IAM_STAR && !(flags & IAM_WHOLE)) {
        pattern->kind = IAM_PATTERN_PREFIX;
        pattern->size--;
    } else {
        pattern->kind = IAM_PATTERN_GLOB;
    }
}

/* Is the compiled form the text itself?  Then both are one: most patterns are plain, or plain with a star at the end.
 * '*size' becomes that of the compiled form. */
static bool
is_plain(struct iam_text text, unsigned flags, uint32_t *size)
{
    *size = text.n;
    if (flags & IAM_WILDCARDS && text.n > 1 && text.s[text.n - 1] == '*' && !(flags & IAM_WHOLE)) {
        *size -= 1;
    }
    for (uint32_t i = 0; i < *size; i++) {
        char c = text.s[i];
        if ((flags & IAM_VARIABLES && c == '$') || (flags & IAM_WILDCARDS && (c == '*' || c == '?')) ||
            (flags & IAM_LOWER && c != iam_lower(c)) || (unsigned char)c >= IAM_ANY) {
            return false;
        }
    }
    return true;
}

struct iam_pattern
iam_pattern_compile(struct arena *arena, struct iam_text text, unsigned flags)
{
    return iam_pattern_of(arena, (struct iam_text){ arena_strndup(arena, text.s, text.n), text.n }, flags);
}

struct iam_pattern
iam_pattern_of(struct arena *arena, struct iam_text text, unsigned flags)
{
    struct iam_pattern pattern = { .text = text.s };
    if (is_plain(text, flags, &pattern.size)) {
        pattern.bytes = (const unsigned char *)text.s;
        pattern.kind = pattern.size < text.n ? IAM_PATTERN_PREFIX : IAM_PATTERN_LITERAL;
        return pattern;
    }
    struct compiler c = { .arena = arena, .flags = flags, .out = arena_alloc(arena, text.n + 1) };
    const char *s = text.s, *end = text.s + text.n;
    int colons = 0;
    while (s < end) {
        bool here = flags & IAM_VARIABLES && (!(flags & IAM_AFTER_5TH_COLON) || colons >= 5);
        if (here && end - s >= 2 && s[0] == '$' && s[1] == '{') {
            uint32_t taken = compile_variable(&c, s, end);
            if (taken) {
                s += taken;
                continue;
            }
        }
        colons += *s == ':';
        if (flags & IAM_WILDCARDS && (*s == '*' || *s == '?')) {
            c.out[c.n++] = *s == '*' ? IAM_STAR : IAM_ANY;
        } else {
            put(&c, *s);
        }
        s++;
    }
    pattern.bytes = c.out;
    pattern.size = c.n;
    if (c.has_variable) {
        close_literal(&c);
        struct iam_part *parts = arena_alloc(arena, c.parts.n * sizeof *parts);
        memcpy(parts, c.parts.items, c.parts.n * sizeof *parts);
        pattern.kind = IAM_PATTERN_VARIABLE;
        pattern.parts = parts;
        pattern.n_parts = (uint32_t)c.parts.n & 0xFFFFFF;
    } else {
        classify(&pattern, flags);
    }
    VEC_DONE(&c.parts);
    return pattern;
}

/* ---- matching ---- */

static bool
append(struct iam_resolved *value, const void *bytes, uint32_t size)
{
    uint32_t cap = value->heap ? (uint32_t)-1 : (uint32_t)sizeof value->room;
    if (!value->heap && value->size + size > cap) {
        return false;
    }
    memcpy((value->heap ? value->heap : value->room) + value->size, bytes, size);
    value->size += size;
    return true;
}

/* What a part stands for.  A value holding one of the two wildcard bytes cannot be UTF-8 and counts as no value. */
static bool
part_text(const struct iam_part *part, const struct iam_request *request, const void **bytes, uint32_t *size)
{
    if (part->bytes) {
        *bytes = part->bytes;
        *size = part->size;
        return true;
    }
    const struct iam_text *single = request ? iam_request_single(request, part->key) : NULL;
    if (single && !memchr(single->s, IAM_STAR, single->n) && !memchr(single->s, IAM_ANY, single->n)) {
        *bytes = single->s;
        *size = single->n;
        return true;
    }
    /* The default stands in for a key that the request lacks, not for one with several values. */
    if (!part->fallback || (request && iam_request_value(request, part->key))) {
        return false;
    }
    *bytes = part->fallback;
    *size = part->fallback_size;
    return true;
}

bool
iam_pattern_resolve(const struct iam_pattern *pattern, const struct iam_request *request, struct iam_resolved *value)
{
    value->heap = NULL;
    value->size = 0;
    if (pattern->kind != IAM_PATTERN_VARIABLE) {
        value->bytes = pattern->bytes;
        value->size = pattern->size;
        return pattern->kind != IAM_PATTERN_NEVER;
    }
    size_t total = 0;
    for (uint32_t i = 0; i < pattern->n_parts; i++) {
        const void *bytes;
        uint32_t size;
        if (!part_text(&pattern->parts[i], request, &bytes, &size)) {
            return false;
        }
        if (!value->heap && !append(value, bytes, size)) {
            /* Longer than any sensible ARN: only here is memory asked for. */
            total = value->size;
            for (uint32_t j = i; j < pattern->n_parts; j++) {
                const void *b;
                uint32_t n = 0;
                total += part_text(&pattern->parts[j], request, &b, &n) ? n : 0;
            }
            value->heap = xmalloc(total);
            memcpy(value->heap, value->room, value->size);
            append(value, bytes, size);
        } else if (value->heap) {
            append(value, bytes, size);
        }
    }
    value->bytes = value->heap ? value->heap : value->room;
    return true;
}

void
iam_resolved_done(struct iam_resolved *value)
{
    free(value->heap);
    value->heap = NULL;
}

bool
iam_pattern_match(const struct iam_pattern *pattern, const char *text, uint32_t size, const struct iam_request *request)
{
    switch (pattern->kind) {
    case IAM_PATTERN_NEVER:
        return false;
    case IAM_PATTERN_ALL:
        return true;
    case IAM_PATTERN_LITERAL:
        return size == pattern->size && memcmp(text, pattern->bytes, size) == 0;
    case IAM_PATTERN_PREFIX:
        return size >= pattern->size && memcmp(text, pattern->bytes, pattern->size) == 0;
    case IAM_PATTERN_GLOB:
        /* Most patterns that do not match show it at an end. */
        if (size && pattern->bytes[pattern->size - 1] < IAM_ANY &&
            pattern->bytes[pattern->size - 1] != (unsigned char)text[size - 1]) {
            return false;
        }
        return iam_glob(pattern->bytes, pattern->size, text, size);
    case IAM_PATTERN_VARIABLE:
        break;
    }
    struct iam_resolved value;
    bool matched = iam_pattern_resolve(pattern, request, &value) && iam_glob(value.bytes, value.size, text, size);
    iam_resolved_done(&value);
    return matched;
}
