#include "cloud/log_pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/vec.h"

enum term_kind { TERM_ALL, TERM_ANY, TERM_NONE };
struct term {
    enum term_kind kind;
    char *text;
};

/* One comparison of a word; a column has several, joined by && and || (&& binds closer). */
struct comparison {
    enum { EQUAL, NOT_EQUAL, LESS, GREATER, AT_MOST, AT_LEAST } how;
    bool or_before; /* joined to the one before by ||; else by && */
    char *text;
    double number;
    bool is_number;
};
struct column {
    bool rest; /* `...` */
    VEC(struct comparison) comparisons;
};

struct log_pattern {
    enum { TERMS, COLUMNS, NOTHING } kind;
    VEC(struct term) terms;
    VEC(struct column) columns;
};

#define CODE        "InvalidParameterException"
#define COLUMNS_MAX 100

void
log_pattern_free(struct log_pattern *pattern)
{
    if (!pattern) {
        return;
    }
    for (size_t i = 0; i < pattern->terms.n; i++) {
        free(pattern->terms.items[i].text);
    }
    for (size_t i = 0; i < pattern->columns.n; i++) {
        struct column *column = &pattern->columns.items[i];
        for (size_t j = 0; j < column->comparisons.n; j++) {
            free(column->comparisons.items[j].text);
        }
        VEC_DONE(&column->comparisons);
    }
    VEC_DONE(&pattern->terms);
    VEC_DONE(&pattern->columns);
    free(pattern);
}

/* A "phrase" or what stands before one of 'ends'; the caller owns it.  NULL for a phrase without an end. */
static char *
read_text(const char **p, const char *ends)
{
    struct buf text = { 0 };
    if (**p != '"') {
        size_t size = strcspn(*p, ends);
        buf_add(&text, *p, size);
        *p += size;
        return buf_steal(&text);
    }
    for (++*p; **p && **p != '"'; ++*p) {
        if (**p == '\\' && (*p)[1]) {
            ++*p;
        }
        buf_char(&text, **p);
    }
    if (!**p) {
        buf_done(&text);
        return NULL;
    }
    ++*p;
    return buf_steal(&text);
}

static void
skip_space(const char **p)
{
    while (isspace((unsigned char)**p)) {
        ++*p;
    }
}

static bool
parse_terms(struct log_pattern *pattern, const char *p, struct err *err)
{
    for (skip_space(&p); *p; skip_space(&p)) {
        struct term *term = VEC_ADD(&pattern->terms);
        *term = (struct term){ .kind = *p == '?' ? TERM_ANY : *p == '-' ? TERM_NONE : TERM_ALL };
        p += term->kind != TERM_ALL;
        term->text = read_text(&p, " \t\r\n");
        if (!term->text || !*term->text) {
            err_set(err, ERR_INPUT, CODE, "the filter pattern has %s",
                    term->text ? "an empty term" : "a phrase without its closing quote");
            return err_hint(
                err,
                "write terms with spaces between them, ?TERM for one of several, -TERM for what must not be there");
        }
    }
    return true;
}

/* ---- columns ------------------------------------------------------------------------------------------------------
 */
static bool
fail_columns(const char *at, struct err *err)
{
    if (*at) {
        err_set(err, ERR_INPUT, CODE, "the filter pattern is wrong at `%.40s`", at);
    } else {
        err_set(err, ERR_INPUT, CODE, "the filter pattern ends too early: nothing closes its `[`");
    }
    return err_hint(err, "[version, account, eni, src, dst, srcport, dstport=22, protocol, packets, bytes, start, end, "
                         "action=REJECT, status]");
}

static bool
read_operator(const char **p, struct comparison *c)
{
    static const struct {
        const char *text;
        int how;
    } operators[] = { { "!=", NOT_EQUAL }, { "<=", AT_MOST }, { ">=", AT_LEAST },
                      { "=", EQUAL },      { "<", LESS },     { ">", GREATER } };
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t size = strlen(operators[i].text);
        if (strncmp(*p, operators[i].text, size) == 0) {
            c->how = operators[i].how;
            *p += size;
            return true;
        }
    }
    return false;
}

/* name, name=value, name=a || name=b && ...: the names are only for people. */
static bool
parse_column(struct column *column, const char **p, struct err *err)
{
    const char *begin = *p;
    for (bool more = true, joined = false, or_before = false; more; joined = true) {
        skip_space(p);
        size_t name = strcspn(*p, "=!<>,]&| \t\r\n");
        *p += name;
        skip_space(p);
        struct comparison c = { .or_before = or_before };
        if (read_operator(p, &c)) {
            skip_space(p);
            c.text = read_text(p, ",]&| \t\r\n");
            if (!c.text) {
                return fail_columns(begin, err);
            }
            char *end;
            c.number = strtod(c.text, &end);
            c.is_number = *c.text && !*end;
            *VEC_ADD(&column->comparisons) = c;
            if (!*c.text || (c.how > NOT_EQUAL && !c.is_number)) {
                return fail_columns(begin, err);
            }
        } else if (joined || !name) {
            return fail_columns(begin, err);
        }
        skip_space(p);
        more = strncmp(*p, "&&", 2) == 0 || strncmp(*p, "||", 2) == 0;
        or_before = **p == '|';
        *p += more ? 2 : 0;
    }
    return true;
}

static bool
parse_columns(struct log_pattern *pattern, const char *p, struct err *err)
{
    int rest = 0;
    pattern->kind = COLUMNS;
    for (p++;; p++) {
        skip_space(&p);
        struct column *column = VEC_ADD(&pattern->columns);
        *column = (struct column){ .rest = strncmp(p, "...", 3) == 0 };
        if (column->rest) {
            if (rest++) {
                return fail_columns(p, err); /* only one */
            }
            p += 3;
        } else if (!parse_column(column, &p, err)) {
            return false;
        }
        skip_space(&p);
        if (*p == ']') {
            break;
        }
        if (*p != ',' || pattern->columns.n >= COLUMNS_MAX) {
            return fail_columns(p, err);
        }
    }
    p++;
    skip_space(&p);
    return !*p || fail_columns(p, err);
}

struct log_pattern *
log_pattern_parse(const char *text, struct err *err)
{
    struct log_pattern *pattern = xcalloc(1, sizeof *pattern);
    const char *p = text ? text : "";
    bool ok = true;
    skip_space(&p);
    if (*p == '{') {
        pattern->kind = NOTHING;
    } else {
        ok = *p == '[' ? parse_columns(pattern, p, err) : parse_terms(pattern, p, err);
    }
    if (!ok) {
        err_at(err, "filterPattern", 0, 0);
        log_pattern_free(pattern);
        return NULL;
    }
    return pattern;
}

/* ---- matching -----------------------------------------------------------------------------------------------------
 */
/* Terms are case-sensitive, and whole words: letters and digits beside them would make another word. */
static bool
has_term(const char *line, const char *term)
{
    size_t size = strlen(term);
    for (const char *at = strstr(line, term); at; at = strstr(at + 1, term)) {
        bool begins = at == line || !isalnum((unsigned char)at[-1]) || !isalnum((unsigned char)*term);
        bool ends = !isalnum((unsigned char)at[size]) || !isalnum((unsigned char)term[size - 1]);
        if (begins && ends) {
            return true;
        }
    }
    return false;
}

static bool
match_terms(const struct log_pattern *pattern, const char *line)
{
    bool any = false, wants_any = false;
    for (size_t i = 0; i < pattern->terms.n; i++) {
        const struct term *term = &pattern->terms.items[i];
        bool has = has_term(line, term->text);
        if ((term->kind == TERM_ALL && !has) || (term->kind == TERM_NONE && has)) {
            return false;
        }
        wants_any |= term->kind == TERM_ANY;
        any |= term->kind == TERM_ANY && has;
    }
    return any || !wants_any;
}

/* '*' in the pattern stands for any characters. */
static bool
match_text(const char *pattern, const char *word, size_t size)
{
    const char *star = NULL, *end = word + size, *again = NULL;
    while (word < end) {
        if (*pattern == '*') {
            star = pattern++;
            again = word;
        } else if (*pattern == *word) {
            pattern++;
            word++;
        } else if (star) {
            pattern = star + 1;
            word = ++again;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return !*pattern;
}

static bool
compare(const struct comparison *c, const char *word, size_t size)
{
    if (c->how == EQUAL || c->how == NOT_EQUAL) {
        return match_text(c->text, word, size) == (c->how == EQUAL);
    }
    char number[32], *end;
    if (size == 0 || size >= sizeof number) {
        return false;
    }
    memcpy(number, word, size);
    number[size] = '\0';
    double value = strtod(number, &end);
    if (*end) {
        return false;
    }
    return c->how == LESS      ? value < c->number
           : c->how == GREATER ? value > c->number
           : c->how == AT_MOST ? value <= c->number
                               : value >= c->number;
}

static bool
match_column(const struct column *column, const char *word, size_t size)
{
    bool all = true;
    for (size_t i = 0; i < column->comparisons.n; i++) {
        const struct comparison *c = &column->comparisons.items[i];
        if (c->or_before && all) {
            return true;
        }
        all = c->or_before ? compare(c, word, size) : all && compare(c, word, size);
    }
    return all;
}

static bool
match_columns(const struct column *columns, size_t n, const char *line)
{
    line += strspn(line, " ");
    if (n == 0) {
        return !*line;
    }
    if (columns->rest) {
        for (;; line += strspn(line, " ")) {
            if (match_columns(columns + 1, n - 1, line)) {
                return true;
            }
            if (!*line) {
                return false;
            }
            line += strcspn(line, " ");
        }
    }
    size_t size = strcspn(line, " ");
    return size && match_column(columns, line, size) && match_columns(columns + 1, n - 1, line + size);
}

bool
log_pattern_match(const struct log_pattern *pattern, const char *line)
{
    switch (pattern->kind) {
    case TERMS:
        return match_terms(pattern, line);
    case COLUMNS:
        return match_columns(pattern->columns.items, pattern->columns.n, line);
    default:
        return false;
    }
}
