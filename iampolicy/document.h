/* iampolicy/document.h - a JSON text as a tree of nodes that know where they stand.
 *
 * Policies are read from these nodes and not from jansson's values for three reasons: a policy error must name line and
 * column, a number in a condition keeps the digits the user wrote (NumericEquals is exact), and a batch reads a hundred
 * thousand documents a second.  What this reader refuses it hands to base/json.h, which has the words for the mistake.
 *
 * Offsets are bytes from 0, 'end' one past the last byte.  Limits: 4 GiB of text, 64 levels.
 * Source: RFC 8259.   Uses: base/json.h.   Used by: policy.c, cloud/ops_iam_batch.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"

/* A run of bytes, not terminated. */
struct iam_text {
    const char *s;
    uint32_t n;
};

struct iam_span {
    uint32_t start, end;
};

enum iam_node_type { IAM_NULL, IAM_TRUE, IAM_FALSE, IAM_NUMBER, IAM_STRING, IAM_ARRAY, IAM_OBJECT };

struct iam_node {
    enum iam_node_type type;
    struct iam_text text; /* a string decoded; of a number, true, false or null the characters as written */
    struct iam_text key;  /* the member's name, decoded; n = 0 and s = NULL for items and the root */
    struct iam_span span, key_span;
    uint32_t n;        /* items or members */
    uint32_t child;    /* the first of them; 0: none */
    uint32_t next;     /* the next item or member of the same parent; 0: none */
    const void *known; /* of an object stepped over: what recognize() said it is; it has no members here */
};

/* A reader keeps its memory from one text to the next.  A zeroed one is ready. */
struct iam_document {
    const char *source; /* borrowed: must outlive the nodes */
    uint32_t size;
    struct iam_node *nodes; /* nodes[0] is the root */
    uint32_t n, cap;
    struct arena *decoded; /* strings that had escapes */
    /* NULL, or asked about every member that is an object: the number of bytes at 'text' that are an object read
     * before, and what it was; 0 if it must be read. */
    uint32_t (*recognize)(void *context, struct iam_text key, const char *text, uint32_t left, const void **known);
    void *context;
};

/* Reads one JSON text.  Refuses duplicate keys, NUL, invalid UTF-8, lone surrogates, text after the value.  On failure
 * sets ERR_DOCUMENT, line and column, and 'where' as the name of the text. */
bool iam_document_read(struct iam_document *doc, const char *text, size_t size, const char *where, struct err *err);
void iam_document_done(struct iam_document *doc);

/* The member with this name, or NULL. */
const struct iam_node *iam_node_member(const struct iam_document *doc, const struct iam_node *object, const char *name);
static inline const struct iam_node *
iam_node_first(const struct iam_document *doc, const struct iam_node *node)
{
    return node->child ? &doc->nodes[node->child] : NULL;
}
static inline const struct iam_node *
iam_node_next(const struct iam_document *doc, const struct iam_node *node)
{
    return node->next ? &doc->nodes[node->next] : NULL;
}

/* Length of the well-formed sequence of two to four bytes of UTF-8 at 'p', 0 if there is none (RFC 3629). */
size_t iam_utf8_length(const unsigned char *p, const unsigned char *end);
bool iam_text_is(struct iam_text text, const char *word);
const char *iam_node_type_name(enum iam_node_type type); /* "a string", "an array" */

/* Line and column (from 1, columns in characters) of a byte offset. */
void iam_text_place(const char *text, size_t size, uint32_t offset, int *line, int *column);
