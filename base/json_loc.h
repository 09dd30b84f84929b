/* base/json_loc.h - where each value of a JSON text stands: JSON path -> line:column of the user's text.
 *
 * jansson keeps no positions, so this walks a text that jansson accepted and records a node for each value.  Lines and columns
 * count from 1, columns in characters (code points); offsets are bytes from 0; 'end' is one past the last byte. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct json_span {
    uint32_t start, end;         /* the value, from its first byte to after its last */
    uint32_t key_start, key_end; /* its key with the quotes; 0,0 for array items and the root */
};
struct json_place {
    int line, column;
};

struct json_loc;                                                /* borrows 'text' */
struct json_loc *json_loc_new(const char *text, size_t size);   /* NULL if the text is not JSON */
void json_loc_free(struct json_loc *loc);

typedef uint32_t json_node; /* 0 is the root; JSON_NO_NODE where there is none */
#define JSON_NO_NODE UINT32_MAX
json_node json_loc_member(const struct json_loc *loc, json_node object, const char *key);
json_node json_loc_item(const struct json_loc *loc, json_node array, size_t index);
/* "Statement[1].Action[0]"; JSON_NO_NODE if the path leads nowhere. "" is the root. */
json_node json_loc_path(const struct json_loc *loc, const char *path);
struct json_span json_loc_span(const struct json_loc *loc, json_node node);
struct json_place json_loc_place(const struct json_loc *loc, uint32_t offset); /* of any byte offset */
