#include "base/json_scan.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct scanner {
    const char *text;
    size_t size, at;
    const struct json_sink *sink;
    struct json_fault *fault;
    size_t depth;
    size_t open[JSON_SCAN_DEPTH]; /* offsets of the brackets open now */
};

static bool __attribute__((format(printf, 3, 4))) fail(struct scanner *s, size_t offset, const char *format, ...)
{
    if (s->fault) {
        va_list args;
        va_start(args, format);
        vsnprintf(s->fault->text, sizeof s->fault->text, format, args);
        va_end(args);
        s->fault->offset = offset;
    }
    return false;
}

static bool __attribute__((format(printf, 2, 3))) hint(struct scanner *s, const char *format, ...)
{
    if (s->fault) {
        va_list args;
        va_start(args, format);
        vsnprintf(s->fault->hint, sizeof s->fault->hint, format, args);
        va_end(args);
    }
    return false;
}

static int
byte_at(const struct scanner *s, size_t offset)
{
    return offset < s->size ? (unsigned char)s->text[offset] : -1;
}

static bool
starts(const struct scanner *s, size_t offset, const char *what)
{
    size_t length = strlen(what);
    return s->size - offset >= length && memcmp(s->text + offset, what, length) == 0;
}

/* The bytes of one well-formed UTF-8 character at 'offset' (RFC 3629), 0 if it is malformed. */
static size_t
utf8_length(const struct scanner *s, size_t offset)
{
    int c = byte_at(s, offset), c1 = byte_at(s, offset + 1);
    size_t length = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;
    if ((c == 0xe0 && c1 < 0xa0) || (c == 0xed && c1 > 0x9f) || (c == 0xf0 && c1 < 0x90) || (c == 0xf4 && c1 > 0x8f)) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        int next = byte_at(s, offset + i);
        if (next < 0x80 || next > 0xbf) {
            return 0;
        }
    }
    return length;
}

static bool
is_word(int c)
{
    return isalnum(c) || c == '_' || c == '-' || c == '.' || c == '+';
}

/* The word or character at 'offset' for a message, cut short, in a buffer of the caller. */
static const char *
shown(const struct scanner *s, size_t offset, char out[static 40])
{
    size_t length = 0;
    int c = byte_at(s, offset);
    if (c == '"') { /* a string, with its quotes */
        length = 1;
        while (offset + length < s->size && length < 30 && s->text[offset + length] != '"' &&
               (unsigned char)s->text[offset + length] >= 0x20) {
            length++;
        }
        length += byte_at(s, offset + length) == '"';
    } else if (isalnum(c) || c == '_' || c == '-') {
        while (length < 30 && is_word(byte_at(s, offset + length))) {
            length++;
        }
    } else {
        length = utf8_length(s, offset);
    }
    while (length > 0 && length < 32 && (byte_at(s, offset + length) & 0xc0) == 0x80) {
        length++; /* never cut inside a character */
    }
    snprintf(out, 40, "%.*s", (int)length, s->text + offset);
    return out;
}

static void
skip_space(struct scanner *s)
{
    while (s->at < s->size &&
           (s->text[s->at] == ' ' || s->text[s->at] == '\n' || s->text[s->at] == '\r' || s->text[s->at] == '\t')) {
        s->at++;
    }
}

static const char *const smart_quotes[] = { "\xe2\x80\x9c", "\xe2\x80\x9d", "\xe2\x80\x98",
                                            "\xe2\x80\x99", "\xc2\xab",     "\xc2\xbb" };
/* What people write that other languages have and JSON has not.  'expected' is what should stand here. */
static bool
unexpected(struct scanner *s, const char *expected)
{
    char word[40];
    size_t at = s->at;
    int c = byte_at(s, at);
    for (size_t i = 0; i < sizeof smart_quotes / sizeof *smart_quotes; i++) {
        if (c >= 0x80 && starts(s, at, smart_quotes[i])) {
            fail(s, at, "typographic quote `%s`", smart_quotes[i]);
            return hint(s, "JSON strings need the straight double quote `\"`; a word processor changed it");
        }
    }
    if (c == '\'') {
        fail(s, at, "single quote `'`");
        return hint(s, "JSON strings need double quotes: `\"`");
    }
    if (c == '/' && (byte_at(s, at + 1) == '/' || byte_at(s, at + 1) == '*')) {
        fail(s, at, "a comment");
        return hint(s, "JSON has no comments: remove it");
    }
    if (c == '#') {
        fail(s, at, "a comment");
        return hint(s, "JSON has no comments: remove it");
    }
    if (c == 0) {
        return fail(s, at, "a NUL byte");
    }
    if (starts(s, at, "\xef\xbb\xbf")) {
        fail(s, at, "a byte-order mark");
        return hint(s, "save the file as UTF-8 without a byte-order mark");
    }
    if (c >= 0x80 && utf8_length(s, at) == 0) {
        fail(s, at, "byte 0x%02x is not UTF-8", c);
        return hint(s, "save the file as UTF-8");
    }
    if (starts(s, at, "\xc2\xa0")) {
        fail(s, at, "a no-break space");
        return hint(s, "replace it with an ordinary space");
    }
    if (c > 0 && c < 0x20) {
        return fail(s, at, "control character 0x%02x, expected %s", c, expected);
    }
    return fail(s, at, "found `%s`, expected %s", shown(s, at, word), expected);
}

static bool
at_end(struct scanner *s, const char *expected)
{
    if (s->depth > 0) {
        size_t open = s->open[s->depth - 1];
        if (s->fault) {
            s->fault->opened = open;
        }
        return fail(s, s->size, "the text ends, but nothing closes `%c`", s->text[open]);
    }
    return fail(s, s->size, "the text ends, expected %s", expected);
}

static bool
scan_escape(struct scanner *s)
{
    int c = byte_at(s, s->at + 1);
    if (c == 'u') {
        for (size_t i = 2; i < 6; i++) {
            if (!isxdigit(byte_at(s, s->at + i))) {
                return fail(s, s->at, "`\\u` needs four hexadecimal digits");
            }
        }
        if (starts(s, s->at, "\\u0000")) {
            fail(s, s->at, "`\\u0000`: a NUL character inside a string");
            return hint(s, "no AWS name or value holds one");
        }
        s->at += 6;
        return true;
    }
    if (c < 0 || c == 0 || !strchr("\"\\/bfnrt", c)) {
        char word[40];
        fail(s, s->at, "`\\%s` is not an escape of JSON", shown(s, s->at + 1, word));
        return hint(s, "write a backslash as `\\\\`");
    }
    s->at += 2;
    return true;
}

/* The number that \uXXXX at 'at' stands for; 0 if that is no such escape before the scanner's place.  (The text has no NUL at its
 * end, so sscanf() will not do.) */
static unsigned
escaped_unit(const struct scanner *s, size_t at)
{
    if (at + 6 > s->at || s->text[at] != '\\' || s->text[at + 1] != 'u') {
        return 0;
    }
    unsigned unit = 0;
    for (size_t i = at + 2; i < at + 6; i++) {
        unsigned char c = (unsigned char)s->text[i];
        if (!isxdigit(c)) {
            return 0;
        }
        unit = unit << 4 | (unsigned)(isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
    }
    return unit;
}

/* \uD83D\uDE00: a high surrogate needs its low half, and a low one never stands alone. */
static bool
scan_surrogates(struct scanner *s, size_t start)
{
    for (size_t i = start; i + 1 < s->at; i++) {
        if (s->text[i] != '\\') {
            continue;
        }
        unsigned first = escaped_unit(s, i);
        if (first >= 0xd800 && first < 0xe000) {
            unsigned second = escaped_unit(s, i + 6);
            bool paired = first < 0xdc00 && second >= 0xdc00 && second < 0xe000;
            if (!paired) {
                return fail(s, i, "`%.6s` is half of a character", s->text + i);
            }
            i += 10;
        }
        i++;
    }
    return true;
}

static bool
scan_string(struct scanner *s)
{
    size_t start = s->at++;
    bool unicode = false;
    for (;;) {
        int c = byte_at(s, s->at);
        if (c == '"') {
            s->at++;
            return !unicode || scan_surrogates(s, start);
        } else if (c < 0) {
            return fail(s, start, "this string is never closed");
        } else if (c == '\\') {
            unicode |= byte_at(s, s->at + 1) == 'u';
            if (!scan_escape(s)) {
                return false;
            }
        } else if (c == '\n' || c == '\r') {
            fail(s, start, "this string is not closed on its line");
            return hint(s, "close it with `\"`; a line break inside a string is written `\\n`");
        } else if (c < 0x20) {
            fail(s, s->at, c ? "control character 0x%02x inside a string" : "a NUL byte inside a string", c);
            return c == '\t' ? hint(s, "write a tab as `\\t`") : false;
        } else {
            size_t length = utf8_length(s, s->at);
            if (length == 0) {
                fail(s, s->at, "byte 0x%02x is not UTF-8", c);
                return hint(s, "save the file as UTF-8");
            }
            s->at += length;
        }
    }
}

static bool
scan_digits(struct scanner *s)
{
    size_t start = s->at;
    while (isdigit(byte_at(s, s->at))) {
        s->at++;
    }
    return s->at > start;
}

static bool
scan_number(struct scanner *s)
{
    char word[40];
    size_t start = s->at;
    s->at += s->text[s->at] == '-';
    if (byte_at(s, s->at) == '0' && isdigit(byte_at(s, s->at + 1))) {
        fail(s, start, "number `%s` begins with 0", shown(s, start, word));
        return hint(s, "leave the 0 out, or put the number in quotes, as an account id is written");
    }
    bool ok = scan_digits(s);
    if (ok && byte_at(s, s->at) == '.') {
        s->at++;
        ok = scan_digits(s);
    }
    if (ok && (byte_at(s, s->at) == 'e' || byte_at(s, s->at) == 'E')) {
        s->at++;
        s->at += byte_at(s, s->at) == '+' || byte_at(s, s->at) == '-';
        ok = scan_digits(s);
    }
    if (!ok || isalnum(byte_at(s, s->at)) || byte_at(s, s->at) == '.') {
        fail(s, start, "`%s` is not a number", shown(s, start, word));
        return hint(s, "text needs double quotes");
    }
    return true;
}

static bool
scan_word(struct scanner *s)
{
    static const char *const words[] = { "true", "false", "null" };
    char word[40];
    size_t length = 0;
    while (isalnum(byte_at(s, s->at + length)) || byte_at(s, s->at + length) == '_') {
        length++;
    }
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (length == strlen(words[i]) && starts(s, s->at, words[i])) {
            s->at += length;
            return true;
        }
    }
    shown(s, s->at, word);
    fail(s, s->at, "found `%s`, expected a value", word);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcasecmp(word, words[i]) == 0) {
            return hint(s, "JSON writes `%s`", words[i]);
        }
    }
    if (strcmp(word, "None") == 0 || strcmp(word, "nil") == 0 || strcmp(word, "undefined") == 0) {
        return hint(s, "JSON writes `null`");
    }
    return hint(s, "text needs double quotes: `\"%s\"`", word);
}

static bool
scan_scalar(struct scanner *s)
{
    int c = byte_at(s, s->at);
    if (c == '"') {
        return scan_string(s);
    }
    if (c == '-' || isdigit(c)) {
        return scan_number(s);
    }
    if (isalpha(c) || c == '_') {
        return scan_word(s);
    }
    return unexpected(s, "a value");
}

static bool
wrong_bracket(struct scanner *s, char c)
{
    size_t open = s->open[s->depth - 1];
    if (s->fault) {
        s->fault->opened = open;
    }
    return fail(s, s->at, "`%c` does not close `%c`", c, s->text[open]);
}

/* After a value inside brackets: a comma and more, or the closing one.  *more says which. */
static bool
scan_separator(struct scanner *s, bool *more)
{
    bool object = s->text[s->open[s->depth - 1]] == '{';
    char close = object ? '}' : ']';
    char word[40];
    skip_space(s);
    int c = byte_at(s, s->at);
    *more = c == ',';
    if (c == close) {
        return true;
    }
    if (c == ',') {
        size_t comma = s->at++;
        skip_space(s);
        if (byte_at(s, s->at) == '}' || byte_at(s, s->at) == ']') {
            fail(s, comma, "a comma before `%c`", s->text[s->at]);
            return hint(s, "remove the comma after the last %s", object ? "member" : "item");
        }
        if (byte_at(s, s->at) == ',') {
            return fail(s, s->at, "two commas in a row");
        }
        return true;
    }
    if (c < 0) {
        return at_end(s, "");
    }
    if (c == '}' || c == ']') {
        return wrong_bracket(s, (char)c);
    }
    if (c == '"' || c == '{' || c == '[' || isalnum(c) || c == '-') {
        fail(s, s->at, "a comma is missing before `%s`", shown(s, s->at, word));
        return hint(s, "put a comma after the %s before it", object ? "member" : "item");
    }
    if (c == ':' && !object) {
        fail(s, s->at, "`:` inside a list");
        return hint(s, "members with names stand in `{` and `}`");
    }
    return unexpected(s, object ? "`,` or `}`" : "`,` or `]`");
}

static bool
scan_key(struct scanner *s, size_t *key, size_t *key_end)
{
    char word[40];
    skip_space(s);
    int c = byte_at(s, s->at);
    *key = s->at;
    if (c < 0) {
        return at_end(s, "");
    }
    if (c == ']') {
        return wrong_bracket(s, ']');
    }
    if (isalnum(c) || c == '_' || c == '-') {
        fail(s, s->at, "member name `%s` without quotes", shown(s, s->at, word));
        return hint(s, "names need double quotes too: `\"%s\"`", word);
    }
    if (c != '"') {
        return unexpected(s, "a member's name in double quotes");
    }
    if (!scan_string(s)) {
        return false;
    }
    *key_end = s->at;
    skip_space(s);
    c = byte_at(s, s->at);
    if (c != ':') {
        if (c < 0) {
            return at_end(s, "");
        }
        fail(s, s->at, "a colon is missing after `%s`", shown(s, *key, word));
        return c == '=' ? hint(s, "JSON writes `:`, not `=`") : hint(s, "a member is written `\"name\": value`");
    }
    s->at++;
    skip_space(s);
    c = byte_at(s, s->at);
    if (c == ',' || c == '}') {
        return fail(s, s->at, "member `%s` has no value", shown(s, *key, word));
    }
    return true;
}

static bool
begin_value(struct scanner *s, size_t key, size_t key_end)
{
    const struct json_sink *sink = s->sink;
    return !sink || !sink->begin || sink->begin(sink->context, s->at, key, key_end);
}

static void
end_value(struct scanner *s)
{
    if (s->sink && s->sink->end) {
        s->sink->end(s->sink->context, s->at);
    }
}

/* One value.  For a bracket it only goes in: *entered is set and the caller goes on with the first thing inside. */
static bool
scan_value(struct scanner *s, size_t key, size_t key_end, bool *entered)
{
    skip_space(s);
    *entered = false;
    int c = byte_at(s, s->at);
    if (c < 0) {
        return at_end(s, "a value");
    }
    if (s->depth > 0 && (c == '}' || c == ']')) {
        return wrong_bracket(s, (char)c);
    }
    if (!begin_value(s, key, key_end)) {
        return false;
    }
    if (c != '{' && c != '[') {
        if (!scan_scalar(s)) {
            return false;
        }
        end_value(s);
        return true;
    }
    if (s->depth == JSON_SCAN_DEPTH) {
        return fail(s, s->at, "more than %d brackets inside each other", JSON_SCAN_DEPTH);
    }
    s->open[s->depth++] = s->at++;
    *entered = true;
    return true;
}

static char
closing(const struct scanner *s)
{
    return s->text[s->open[s->depth - 1]] == '{' ? '}' : ']';
}

/* Closes brackets as long as the text does; then stands before the next member or item, or at depth 0. */
static bool
leave_or_go_on(struct scanner *s, bool entered)
{
    skip_space(s);
    if (entered && byte_at(s, s->at) != closing(s)) {
        return true; /* the first thing inside */
    }
    for (bool more = false; s->depth > 0; entered = false) {
        if (!entered && !scan_separator(s, &more)) {
            return false;
        }
        if (more) {
            return true;
        }
        s->at++;
        s->depth--;
        end_value(s);
    }
    return true;
}

bool
json_scan(const char *text, size_t size, const struct json_sink *sink, struct json_fault *fault)
{
    struct scanner s = { .text = text, .size = size, .sink = sink, .fault = fault };
    if (fault) {
        *fault = (struct json_fault){ .opened = JSON_SCAN_NONE };
    }
    bool entered;
    if (!scan_value(&s, JSON_SCAN_NONE, JSON_SCAN_NONE, &entered)) {
        return false;
    }
    while (s.depth > 0) {
        if (!leave_or_go_on(&s, entered)) {
            return false;
        }
        if (s.depth > 0) {
            size_t key = JSON_SCAN_NONE, key_end = JSON_SCAN_NONE;
            if (text[s.open[s.depth - 1]] == '{' && !scan_key(&s, &key, &key_end)) {
                return false;
            }
            if (!scan_value(&s, key, key_end, &entered)) {
                return false;
            }
        }
    }
    skip_space(&s);
    if (s.at == size) {
        return true;
    }
    int c = byte_at(&s, s.at);
    if (c == '}' || c == ']') {
        return fail(&s, s.at, "`%c` closes nothing", c);
    }
    if (c == '{' || c == '[' || c == '"') {
        fail(&s, s.at, "a second value after the end of the first");
        return hint(&s, "one text holds one value; several are items of a list");
    }
    return unexpected(&s, "the end of the text");
}

void
json_line_column(const char *text, size_t size, size_t offset, int *line, int *column)
{
    *line = *column = 1;
    for (size_t i = 0; i < offset && i < size; i++) {
        if (text[i] == '\n') {
            ++*line;
            *column = 1;
        } else if (((unsigned char)text[i] & 0xc0) != 0x80) {
            ++*column;
        }
    }
}
