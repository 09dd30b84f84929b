/* base/json_quick.h - JSON as programs print it, read three times as fast as jansson reads it; for json.c.
 *
 * Most of a large document is blanks, short names and plain strings.  Those are read here; what needs care is not judged: the caller asks
 * jansson, which says what is wrong, if anything is.  tests/unit/test_json.c and fuzz_json compare the two. */
#pragma once
#include <jansson.h>
#include <stddef.h>
#include "base/json.h"

/* The value, just as json_loadb() with JSON_REJECT_DUPLICATES and JSON_DECODE_ANY reads it.  NULL says nothing about the text: it may be
 * wrong, deeper than JSON_SCAN_DEPTH levels, or merely unusual. */
json_t *json_quick(const char *text, size_t size);

/* json_read_parts() */
bool json_quick_parts(const char *text, size_t size, const struct json_parts *parts);
