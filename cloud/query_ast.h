/* cloud/query_ast.h - a JMESPath expression as a tree; between query_parse.c, query.c and query_functions.c. */
#pragma once
#include "base/arena.h"
#include "cloud/query.h"

enum query_type {
    QUERY_CURRENT,  /* @ */
    QUERY_FIELD,    /* 'text' */
    QUERY_INDEX,    /* left[number] */
    QUERY_SLICE,    /* left[slice] */
    QUERY_CHAIN,    /* left.right: right sees what left gave */
    QUERY_PIPE,     /* the same, but ends a projection */
    QUERY_PROJECT,  /* left[*].right: right for each item */
    QUERY_VALUES,   /* left.*.right */
    QUERY_FLATTEN,  /* left[] as a list */
    QUERY_FILTER,   /* left[?condition].right */
    QUERY_LIST,     /* [a, b] */
    QUERY_HASH,     /* {k: a}; 'text' of a child is its key */
    QUERY_OR,
    QUERY_AND,
    QUERY_NOT,
    QUERY_COMPARE,  /* 'compare' */
    QUERY_LITERAL,  /* 'value' */
    QUERY_CALL,     /* 'text' is the function */
    QUERY_REF,      /* &left, the argument of sort_by */
};
enum query_compare { QUERY_EQ, QUERY_NE, QUERY_LT, QUERY_LE, QUERY_GT, QUERY_GE };

struct query_node {
    enum query_type type;
    int column; /* in the expression, from 1 */
    const char *text, *key;
    const struct query_node *left, *right, *condition;
    enum query_compare compare;
    long number;
    struct {
        long start, stop, step;
        bool has_start, has_stop;
    } slice;
    json_t *value;
    const struct query_node **children;
    size_t n_children;
};

/* The tree lives in 'arena', its literals in the array 'literals'. NULL and ERR_USAGE on failure. */
const struct query_node *query_parse(const char *expression, struct arena *arena, json_t *literals, struct err *err);

/* A new reference; NULL on failure. */
json_t *query_eval(const struct query_node *node, json_t *value, struct err *err);
bool query_truthy(const json_t *value);
json_t *query_call(const struct query_node *call, json_t *value, struct err *err);
int query_order(const json_t *a, const json_t *b); /* two numbers, or two strings by code point */
