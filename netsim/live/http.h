/* netsim/live/http.h - reading HTTP/1.1 messages: the head of a request or an answer, and bodies sent in chunks.
 *
 * Nothing is trusted: a head is at most HTTP_HEAD_MAX bytes and HTTP_FIELDS_MAX fields, what RFC 9112 forbids (a blank before the colon, a
 * length and chunks together, two different lengths, control characters) is refused.
 * Source: https://www.rfc-editor.org/rfc/rfc9112   Used by: http_server.c, the balancers, tests/fuzz/fuzz_http.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"

#define HTTP_HEAD_MAX   16384
#define HTTP_FIELDS_MAX 64

enum http_progress { HTTP_MORE /* not all there yet */, HTTP_DONE, HTTP_BAD };

struct http_field {
    const char *name, *value; /* value without blanks around it */
};
struct http_head {
    char *text; /* owned; all other texts point into it */
    const char *method, *target, *reason; /* method and target of a request, reason of an answer */
    int status;                           /* of an answer */
    int minor;                            /* HTTP/1.x */
    struct http_field fields[HTTP_FIELDS_MAX];
    size_t n_fields;
    long long content_length; /* -1: none given */
    bool chunked;
    bool keeps_alive; /* the sender would use the connection once more */
};
/* Reads a head that begins at 'data'.  HTTP_DONE: 'head' is filled (http_head_done() when it is no more needed) and '*used' is its size with the
 * empty line; otherwise 'head' is empty. */
enum http_progress http_read_request(const char *data, size_t size, struct http_head *head, size_t *used);
enum http_progress http_read_answer(const char *data, size_t size, struct http_head *head, size_t *used);
void http_head_done(struct http_head *head);
const char *http_field(const struct http_head *head, const char *name); /* the first of that name in any case; NULL if there is none */

/* A body in chunks: what came is appended to 'body' (at most 'limit' bytes in all) as far as it goes.  '*used' is how much of 'data' was taken.
 * A zeroed state begins.  'body' NULL: only measured. */
struct http_chunks {
    int state;
    size_t left;
};
enum http_progress http_read_chunks(struct http_chunks *chunks, const char *data, size_t size, size_t *used, struct buf *body, size_t limit);

/* A body as it stands on the wire, to be passed on as it is: where does it end? */
struct http_body {
    enum { HTTP_BODY_NONE, HTTP_BODY_SIZED, HTTP_BODY_CHUNKED, HTTP_BODY_TO_END /* of the connection */ } kind;
    size_t left;
    struct http_chunks chunks;
    bool done;
};
void http_body_of_request(struct http_body *body, const struct http_head *request);
void http_body_of_answer(struct http_body *body, const struct http_head *answer, bool to_head /* the request was HEAD */);
/* '*used' is how much of 'data' belongs to it.  HTTP_DONE: that was the last of it; HTTP_BAD: wrong chunks. */
enum http_progress http_body_pass(struct http_body *body, const char *data, size_t size, size_t *used);
bool http_field_names(const char *value, const char *word); /* is the word one of a list with commas, in any case? */

const char *http_reason(int status); /* "Not Found"; static */
/* %41 to A in a new text; NULL when a percent sign stands alone or for a NUL. The caller frees it. */
char *http_unescape(const char *text, size_t size);
