/* iampolicy/pattern.h - text with wildcards and policy variables, compiled once and matched often.
 *
 * A pattern is kept as bytes in which two values that UTF-8 never uses stand for the wildcards, so that what a variable
 * is replaced with stays plain text: a '*' in a tag does not become a wildcard (choice C-8).  Patterns with variables
 * are a list of parts, joined at match time in a buffer on the stack.
 *
 * Variables: ${key}, ${key, 'default'}, and ${*} ${?} ${$} for the characters themselves.  Nothing nests; an unfinished
 * "${" is text. Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html Uses:
 * request.h (values of variables).   Used by: action.c, resource.c, condition.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "iampolicy/key.h"

struct iam_request;

enum { IAM_STAR = 0xFF, IAM_ANY = 0xFE }; /* '*' and '?' in compiled patterns */

enum iam_pattern_kind {
    IAM_PATTERN_NEVER,   /* matches nothing: a zeroed pattern */
    IAM_PATTERN_ALL,     /* one or more '*' and nothing else */
    IAM_PATTERN_LITERAL, /* no wildcard */
    IAM_PATTERN_PREFIX,  /* text and one '*' at the end; 'bytes' without the star */
    IAM_PATTERN_GLOB,
    IAM_PATTERN_VARIABLE, /* has variables: 'parts' */
};
enum iam_pattern_flags {
    IAM_WILDCARDS = 1,       /* '*' and '?' are wildcards */
    IAM_VARIABLES = 2,       /* ${...} is replaced */
    IAM_LOWER = 4,           /* compared in small letters: the text matched must be in small letters already */
    IAM_AFTER_5TH_COLON = 8, /* variables only in the resource part of an ARN */
    IAM_WHOLE = 16,          /* a star at the end stays in 'bytes': no IAM_PATTERN_PREFIX */
};

struct iam_part {
    const unsigned char *bytes; /* encoded text; NULL for a variable */
    uint32_t size;
    uint32_t fallback_size;
    const struct iam_key *key; /* of a variable */
    const char *fallback;      /* NULL: no default */
};
struct iam_pattern {
    enum iam_pattern_kind kind : 8;
    uint32_t n_parts : 24; /* a document of IAM_POLICY_LIMIT bytes has no more */
    uint32_t size;
    const unsigned char *bytes; /* may be 'text' itself */
    const struct iam_part *parts;
    struct iam_span span; /* of the string in the policy's text */
    const char *text;     /* as the user wrote it */
};

struct iam_pattern iam_pattern_compile(struct arena *arena, struct iam_text text, unsigned flags);
/* The same of a text that lives as long as the arena and is terminated: it is not copied. */
struct iam_pattern iam_pattern_of(struct arena *arena, struct iam_text text, unsigned flags);

/* The bytes to match with: the pattern's own, or its parts joined with the request's values.  False if a variable has
 * no single value and no default.  Call iam_resolved_done() in both cases. */
struct iam_resolved {
    const unsigned char *bytes;
    uint32_t size;
    unsigned char *heap;
    unsigned char room[512];
};
bool iam_pattern_resolve(const struct iam_pattern *pattern, const struct iam_request *request,
                         struct iam_resolved *value);
void iam_resolved_done(struct iam_resolved *value);

/* Does the whole text match?  '?' takes one character of UTF-8. */
bool iam_pattern_match(const struct iam_pattern *pattern, const char *text, uint32_t size,
                       const struct iam_request *request);
bool iam_glob(const unsigned char *pattern, size_t pattern_size, const char *text, size_t text_size);
