/* base/json_scan.h - walks a JSON text byte by byte: where each value stands, or what is wrong and where.
 *
 * jansson builds values (json.c) but says little when it refuses a text and keeps no positions; this scanner does both
 * jobs and builds nothing.  It accepts RFC 8259, at most JSON_SCAN_DEPTH levels.
 *
 * Used by: json.c (to explain a refusal), json_loc.c (to remember places). */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#define JSON_SCAN_DEPTH 512
#define JSON_SCAN_NONE  ((size_t)-1)

struct json_fault {
    size_t offset;  /* of the byte to point at */
    size_t opened;  /* of the bracket this is about, else JSON_SCAN_NONE */
    char text[256]; /* as err.text */
    char hint[256]; /* as err.hint, or "" */
};

/* What is told about each value, in the order of the text.  All offsets are bytes.  'key' is that of the opening quote
 * of the member's name, JSON_SCAN_NONE for array items and the root.  begin() may return false to stop: json_scan then
 * fails without a fault text. */
struct json_sink {
    void *context;
    bool (*begin)(void *context, size_t start, size_t key, size_t key_end);
    void (*end)(void *context, size_t end);
};

/* 'sink' and 'fault' may be NULL.  False if 'text' is not JSON. */
bool json_scan(const char *text, size_t size, const struct json_sink *sink, struct json_fault *fault);

/* Line and column (from 1, in characters) of a byte offset, by counting from the start. */
void json_line_column(const char *text, size_t size, size_t offset, int *line, int *column);
