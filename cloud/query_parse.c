/* cloud/query_parse.c - JMESPath: text to tree, by operator precedence. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/query_ast.h"

#define DEPTH_MAX 100

enum token_type {
    T_END,
    T_NAME,
    T_QUOTED,
    T_LITERAL,
    T_NUMBER,
    T_RBRACKET,
    T_RPAREN,
    T_RBRACE,
    T_COMMA,
    T_COLON,
    T_CURRENT,
    T_REF,
    T_PIPE,
    T_OR,
    T_AND,
    T_COMPARE,
    T_FLATTEN,
    T_STAR,
    T_FILTER,
    T_DOT,
    T_NOT,
    T_LBRACE,
    T_LBRACKET,
    T_LPAREN,
};
/* How strongly a token binds what stands left of it. */
static const int power[] = {
    [T_PIPE] = 1,    [T_OR] = 2,   [T_AND] = 3,  [T_COMPARE] = 5, [T_FLATTEN] = 9,   [T_STAR] = 20,
    [T_FILTER] = 21, [T_DOT] = 40, [T_NOT] = 45, [T_LBRACE] = 50, [T_LBRACKET] = 55, [T_LPAREN] = 60,
};
#define PROJECTION_STOP 10

struct parser {
    const char *text, *at;
    struct arena *arena;
    json_t *literals;
    struct err *err;
    int depth;
    bool failed;
    /* the token in hand */
    enum token_type type;
    const char *begin;
    const char *word; /* T_NAME, T_QUOTED: decoded */
    json_t *value;    /* T_LITERAL; borrowed from literals */
    enum query_compare compare;
    long number;
};

static int
column_of(const struct parser *p, const char *at)
{
    int column = 1;
    for (const char *c = p->text; c < at; c++) {
        column += ((unsigned char)*c & 0xc0) != 0x80;
    }
    return column;
}

static void *
fail(struct parser *p, const char *at, const char *what)
{
    if (!p->failed) {
        if (*at) {
            err_set(p->err, ERR_USAGE, "", "%s at `%.24s`", what, at);
        } else {
            err_set(p->err, ERR_USAGE, "", "%s at the end of `%.80s`", what, p->text);
        }
        err_at(p->err, "--query", 1, column_of(p, at));
    }
    p->failed = true;
    p->type = T_END;
    return NULL;
}

/* ---- Tokens ------------------------------------------------------------------------------------------------------ */

/* The text between quotes, 'quote' escaped by a backslash in it. */
static char *
between(struct parser *p, char quote)
{
    const char *begin = ++p->at;
    while (*p->at && *p->at != quote) {
        p->at += p->at[0] == '\\' && p->at[1] ? 2 : 1;
    }
    if (!*p->at) {
        return fail(p, begin - 1, "unclosed quote");
    }
    char *text = arena_strndup(p->arena, begin, (size_t)(p->at - begin));
    p->at++;
    return text;
}

/* Takes the backslash before 'quote' away. */
static void
unescape(char *text, char quote)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        if (from[0] == '\\' && from[1] == quote) {
            from++;
        }
        *to++ = *from;
    }
    *to = '\0';
}

static void
keep_literal(struct parser *p, json_t *value)
{
    p->type = T_LITERAL;
    p->value = value;
    json_array_append_new(p->literals, value);
}

static void
read_quoted(struct parser *p)
{
    const char *begin = p->at;
    if (!between(p, '"')) {
        return;
    }
    json_t *value = json_read(begin, (size_t)(p->at - begin), "--query", NULL);
    if (!json_is_string(value)) {
        json_decref(value);
        fail(p, begin, "this is no JSON string");
        return;
    }
    p->type = T_QUOTED;
    p->word = arena_strdup(p->arena, json_string_value(value));
    json_decref(value);
}

static void
read_backquoted(struct parser *p)
{
    const char *begin = p->at;
    char *text = between(p, '`');
    if (!text) {
        return;
    }
    unescape(text, '`');
    text += strspn(text, " \t\r\n");
    json_t *value = json_read(text, strlen(text), "--query", NULL);
    if (!value) { /* older expressions leave the quotes of a string out: `Name` */
        struct buf quoted = { 0 };
        buf_printf(&quoted, "\"%s\"", text);
        value = json_read(buf_str(&quoted), quoted.size, "--query", NULL);
        buf_done(&quoted);
    }
    if (!value) {
        fail(p, begin, "this is no JSON");
        return;
    }
    keep_literal(p, value);
}

static void
read_raw(struct parser *p)
{
    char *text = between(p, '\'');
    if (text) {
        unescape(text, '\'');
        json_t *value = json_string(text);
        if (!value) {
            fail(p, p->begin, "this is no UTF-8");
            return;
        }
        keep_literal(p, value);
    }
}

static const struct {
    const char *text;
    enum token_type type;
    enum query_compare compare;
} signs[] = {
    { "[?", T_FILTER, 0 },
    { "[]", T_FLATTEN, 0 },
    { "||", T_OR, 0 },
    { "&&", T_AND, 0 },
    { "==", T_COMPARE, QUERY_EQ },
    { "!=", T_COMPARE, QUERY_NE },
    { "<=", T_COMPARE, QUERY_LE },
    { ">=", T_COMPARE, QUERY_GE },
    { "<", T_COMPARE, QUERY_LT },
    { ">", T_COMPARE, QUERY_GT },
    { "[", T_LBRACKET, 0 },
    { "]", T_RBRACKET, 0 },
    { "(", T_LPAREN, 0 },
    { ")", T_RPAREN, 0 },
    { "{", T_LBRACE, 0 },
    { "}", T_RBRACE, 0 },
    { ",", T_COMMA, 0 },
    { ":", T_COLON, 0 },
    { "@", T_CURRENT, 0 },
    { "&", T_REF, 0 },
    { "|", T_PIPE, 0 },
    { "*", T_STAR, 0 },
    { ".", T_DOT, 0 },
    { "!", T_NOT, 0 },
};

static void
read_sign(struct parser *p)
{
    for (size_t i = 0; i < ARRAY_SIZE(signs); i++) {
        size_t size = strlen(signs[i].text);
        if (strncmp(p->at, signs[i].text, size) == 0) {
            p->at += size;
            p->type = signs[i].type;
            p->compare = signs[i].compare;
            return;
        }
    }
    fail(p, p->at, *p->at == '=' ? "`==` compares; a single `=`" : "unknown sign");
}

static void
advance(struct parser *p)
{
    if (p->failed) {
        return;
    }
    p->at += strspn(p->at, " \t\r\n");
    p->begin = p->at;
    unsigned char c = (unsigned char)*p->at;
    if (!c) {
        p->type = T_END;
    } else if (isalpha(c) || c == '_') {
        while (isalnum((unsigned char)*p->at) || *p->at == '_') {
            p->at++;
        }
        p->type = T_NAME;
        p->word = arena_strndup(p->arena, p->begin, (size_t)(p->at - p->begin));
    } else if (isdigit(c) || (c == '-' && isdigit((unsigned char)p->at[1]))) {
        p->type = T_NUMBER;
        p->number = strtol(p->at, (char **)&p->at, 10);
    } else if (c == '"') {
        read_quoted(p);
    } else if (c == '`') {
        read_backquoted(p);
    } else if (c == '\'') {
        read_raw(p);
    } else {
        read_sign(p);
    }
}

/* ---- Tree -------------------------------------------------------------------------------------------------------- */

static const struct query_node *expression(struct parser *p, int binding);

static struct query_node *
node(struct parser *p, enum query_type type, const struct query_node *left, const struct query_node *right)
{
    struct query_node *n = arena_alloc(p->arena, sizeof *n);
    n->type = type;
    n->left = left;
    n->right = right;
    n->column = column_of(p, p->begin);
    return n;
}

static const struct query_node *
current(struct parser *p)
{
    return node(p, QUERY_CURRENT, NULL, NULL);
}

static bool
take(struct parser *p, enum token_type type, const char *missing)
{
    if (p->type != type) {
        fail(p, p->begin, missing);
        return false;
    }
    advance(p);
    return true;
}

static void
add_child(struct parser *p, struct query_node *parent, const struct query_node *child)
{
    const struct query_node **more = arena_alloc(p->arena, (parent->n_children + 1) * sizeof *more);
    if (parent->n_children) {
        memcpy(more, parent->children, parent->n_children * sizeof *more);
    }
    more[parent->n_children++] = child;
    parent->children = more;
}

static const struct query_node *
multi_list(struct parser *p)
{
    struct query_node *list = node(p, QUERY_LIST, NULL, NULL);
    while (!p->failed) {
        add_child(p, list, expression(p, 0));
        if (p->type != T_COMMA) {
            break;
        }
        advance(p);
    }
    take(p, T_RBRACKET, "`]` or `,` is missing");
    return list;
}

static const struct query_node *
multi_hash(struct parser *p)
{
    struct query_node *hash = node(p, QUERY_HASH, NULL, NULL);
    while (!p->failed) {
        if (p->type != T_NAME && p->type != T_QUOTED) {
            return fail(p, p->begin, "a key is missing");
        }
        const char *key = p->word;
        advance(p);
        if (!take(p, T_COLON, "`:` is missing")) {
            return NULL;
        }
        struct query_node *pair = node(p, QUERY_CHAIN, current(p), expression(p, 0));
        pair->key = key;
        add_child(p, hash, pair);
        if (p->type != T_COMMA) {
            break;
        }
        advance(p);
    }
    take(p, T_RBRACE, "`}` or `,` is missing");
    return hash;
}

/* What may follow a dot. */
static const struct query_node *
after_dot(struct parser *p, int binding)
{
    if (p->type == T_NAME || p->type == T_QUOTED || p->type == T_STAR) {
        return expression(p, binding);
    }
    if (p->type == T_LBRACKET) {
        advance(p);
        return multi_list(p);
    }
    if (p->type == T_LBRACE) {
        advance(p);
        return multi_hash(p);
    }
    return fail(p, p->begin, "a name is missing after `.`");
}

/* The rest of a projection: what is done with each item. */
static const struct query_node *
projected(struct parser *p, int binding)
{
    if (power[p->type] < PROJECTION_STOP) {
        return current(p);
    }
    if (p->type == T_LBRACKET || p->type == T_FILTER) {
        return expression(p, binding);
    }
    if (p->type == T_DOT) {
        advance(p);
        return after_dot(p, binding);
    }
    return fail(p, p->begin, "an operator is missing");
}

static const struct query_node *
filter(struct parser *p, const struct query_node *left)
{
    struct query_node *n = node(p, QUERY_FILTER, left, NULL);
    n->condition = expression(p, 0);
    if (!take(p, T_RBRACKET, "`]` is missing")) {
        return NULL;
    }
    n->right = p->type == T_FLATTEN ? current(p) : projected(p, power[T_FILTER]);
    return n;
}

static const struct query_node *
flatten(struct parser *p, const struct query_node *left)
{
    const struct query_node *list = node(p, QUERY_FLATTEN, left, NULL);
    return node(p, QUERY_PROJECT, list, projected(p, power[T_FLATTEN]));
}

/* A number, or start:stop:step, after `[`. */
static const struct query_node *
index_or_slice(struct parser *p, const struct query_node *left)
{
    struct query_node *n = node(p, QUERY_INDEX, left, NULL);
    long parts[3] = { 0, 0, 1 };
    bool given[3] = { false, false, false };
    size_t part = 0;
    while (p->type == T_NUMBER || p->type == T_COLON) {
        if (p->type == T_COLON) {
            if (++part > 2) {
                return fail(p, p->begin, "a slice has at most three numbers");
            }
            n->type = QUERY_SLICE;
        } else if (given[part]) {
            return fail(p, p->begin, "`:` is missing");
        } else {
            parts[part] = p->number;
            given[part] = true;
        }
        advance(p);
    }
    if (!take(p, T_RBRACKET, "`]` is missing")) {
        return NULL;
    }
    if (n->type == QUERY_INDEX) {
        n->number = parts[0];
        return n;
    }
    if (given[2] && parts[2] == 0) {
        return fail(p, p->begin, "the step of a slice cannot be 0");
    }
    n->slice.start = parts[0];
    n->slice.stop = parts[1];
    n->slice.step = parts[2];
    n->slice.has_start = given[0];
    n->slice.has_stop = given[1];
    return node(p, QUERY_PROJECT, n, projected(p, power[T_STAR]));
}

/* After `[`: an index, a slice, `*]`, or a list of expressions (only where no value stands left of it). */
static const struct query_node *
bracket(struct parser *p, const struct query_node *left)
{
    if (p->type == T_NUMBER || p->type == T_COLON) {
        return index_or_slice(p, left ? left : current(p));
    }
    if (p->type == T_STAR && p->at[strspn(p->at, " \t\r\n")] == ']') {
        advance(p);
        advance(p);
        return node(p, QUERY_PROJECT, left ? left : current(p), projected(p, power[T_STAR]));
    }
    return left ? fail(p, p->begin, "an index, `*` or `?` is expected") : multi_list(p);
}

static const struct query_node *
call(struct parser *p, const char *name, const char *at)
{
    struct query_node *n = node(p, QUERY_CALL, NULL, NULL);
    n->text = name;
    n->column = column_of(p, at);
    while (!p->failed && p->type != T_RPAREN) {
        add_child(p, n, expression(p, 0));
        if (p->type != T_COMMA) {
            break;
        }
        advance(p);
        if (p->type == T_RPAREN) {
            return fail(p, p->begin, "an argument is missing");
        }
    }
    take(p, T_RPAREN, "`)` or `,` is missing");
    return n;
}

static const struct query_node *
begins(struct parser *p)
{
    enum token_type type = p->type;
    const char *at = p->begin;
    struct query_node *n;
    switch (type) {
    case T_NAME:
    case T_QUOTED:
        n = node(p, QUERY_FIELD, NULL, NULL);
        n->text = p->word;
        advance(p);
        if (p->type == T_LPAREN && type == T_NAME) {
            advance(p);
            return call(p, n->text, at);
        }
        return n;
    case T_LITERAL:
        n = node(p, QUERY_LITERAL, NULL, NULL);
        n->value = p->value;
        advance(p);
        return n;
    case T_CURRENT:
        advance(p);
        return current(p);
    case T_STAR:
        advance(p);
        return node(p, QUERY_VALUES, current(p), p->type == T_RBRACKET ? current(p) : projected(p, power[T_STAR]));
    case T_FILTER:
        advance(p);
        return filter(p, current(p));
    case T_FLATTEN:
        advance(p);
        return flatten(p, current(p));
    case T_LBRACKET:
        advance(p);
        return bracket(p, NULL);
    case T_LBRACE:
        advance(p);
        return multi_hash(p);
    case T_NOT:
        advance(p);
        return node(p, QUERY_NOT, expression(p, power[T_NOT]), NULL);
    case T_REF:
        advance(p);
        return node(p, QUERY_REF, expression(p, power[T_REF]), NULL);
    case T_LPAREN: {
        advance(p);
        const struct query_node *inner = expression(p, 0);
        take(p, T_RPAREN, "`)` is missing");
        return inner;
    }
    default:
        return fail(p, at, "an expression is missing");
    }
}

static const struct query_node *
continues(struct parser *p, const struct query_node *left)
{
    enum token_type type = p->type;
    struct query_node *n;
    enum query_compare compare = p->compare;
    advance(p);
    switch (type) {
    case T_DOT:
        if (p->type == T_STAR) {
            advance(p);
            return node(p, QUERY_VALUES, left, projected(p, power[T_STAR]));
        }
        return node(p, QUERY_CHAIN, left, after_dot(p, power[T_DOT]));
    case T_PIPE:
        return node(p, QUERY_PIPE, left, expression(p, power[T_PIPE]));
    case T_OR:
        return node(p, QUERY_OR, left, expression(p, power[T_OR]));
    case T_AND:
        return node(p, QUERY_AND, left, expression(p, power[T_AND]));
    case T_COMPARE:
        n = node(p, QUERY_COMPARE, left, expression(p, power[T_COMPARE]));
        n->compare = compare;
        return n;
    case T_FLATTEN:
        return flatten(p, left);
    case T_FILTER:
        return filter(p, left);
    case T_LBRACKET:
        return bracket(p, left);
    default:
        return fail(p, p->begin, "an operator is missing");
    }
}

static const struct query_node *
expression(struct parser *p, int binding)
{
    if (++p->depth > DEPTH_MAX) {
        return fail(p, p->begin, "this is nested too deeply");
    }
    const struct query_node *left = begins(p);
    while (!p->failed && binding < power[p->type]) {
        left = continues(p, left);
    }
    p->depth--;
    return p->failed ? NULL : left;
}

const struct query_node *
query_parse(const char *text, struct arena *arena, json_t *literals, struct err *err)
{
    struct parser p = { .text = text, .at = text, .arena = arena, .literals = literals, .err = err };
    p.begin = text;
    advance(&p);
    const struct query_node *root = expression(&p, 0);
    if (!p.failed && p.type != T_END) {
        return fail(&p, p.begin, "an operator is missing");
    }
    return p.failed ? NULL : root;
}
