/* base/json.h - JSON values (jansson's json_t) with the reading errors a person can act on.
 *
 * This is the only place that includes jansson; everybody else includes this header and uses json_t through jansson's
 * API, with reference counts.  Objects keep the order of insertion. */
#pragma once
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/err.h"

#define JSON_FILE_LIMIT (256u << 20) /* bytes; larger files are refused */

/* Reads one JSON text.  'where' names it in errors ("state.json", "--filters").  Duplicate keys, NUL, invalid UTF-8, more
 * than 512 levels and trailing text are refused.  On failure returns NULL and sets ERR_DOCUMENT with line, column (from 1, in
 * characters) and our own words for the usual mistakes: trailing comma, single quotes, a missing comma or colon, a
 * comment, an unbalanced bracket with where it was opened, a duplicate key with both places, a byte-order mark. */
json_t *json_read(const char *text, size_t size, const char *where, struct err *err);
json_t *json_read_file(const char *path, struct err *err);

/* A large document taken apart while it is read, so that it is never in memory as values: an object one of whose members, 'large', is an object of
 * lists.  Each element of these is read by who is told where it begins, in the order of the text; what stands before and after it in the document comes as
 * one object.  Any of the three may say false: then nothing more is told. */
struct json_cursor;
struct json_parts {
    const char *large;
    bool (*before)(void *context, const json_t *rest); /* the members up to 'large' */
    bool (*item)(void *context, const char *list, struct json_cursor *at); /* moves 'at' behind it */
    bool (*after)(void *context, const json_t *rest); /* all members but 'large', once everything was read */
    void *context;
};
/* False says nothing about the text, which may be wrong or merely unusual: json_read() knows, and the caller forgets what he was told. */
bool json_read_parts(const char *text, size_t size, const struct json_parts *parts);

/* Compact, or as `aws --output json` prints it: four spaces, "[]" and "{}" for empty ones, non-ASCII characters as
 * they are (only quote, backslash and control characters are escaped), a newline at the end. */
void json_write_compact(const json_t *value, struct buf *out);
void json_write_aws(const json_t *value, struct buf *out);
void json_write_string(const char *text, struct buf *out); /* as a value, with its quotes */

/* Writes 'text' to 'path' so that a reader sees the old file or the new one, never a part: temporary file beside it, fsync, rename. */
bool file_write_atomic(const char *path, const char *text, size_t size, struct err *err);

/* Members by name; the default (NULL, 0, false) where absent or of another type. */
const char *json_str(const json_t *object, const char *key);
long long json_int(const json_t *object, const char *key, long long otherwise);
bool json_flag(const json_t *object, const char *key, bool otherwise);
/* A value at a dotted path through objects, "CidrBlockState.State"; borrowed; NULL if absent. */
json_t *json_at(const json_t *object, const char *path);
