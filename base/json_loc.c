#include "base/json_loc.h"

#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/json_scan.h"
#include "base/map.h"
#include "base/vec.h"

/* A node per value in the order of the text, so the first child of a node follows it and 'next' is where the walk over
 * its own children ends: 16 bytes a value.  The end of a key is found again in the text. */
struct node {
    uint32_t start, end, key, next;
};
#define NO_KEY UINT32_MAX

/* Children of a bracket with many of them, so that walking a list by index, or an object by name, is not quadratic:
 * in a list by index, in an object sorted by hash of the name. */
#define MANY_CHILDREN 16
struct child {
    uint32_t hash, node;
};
struct big {
    uint32_t node, first, n; /* children[first .. first + n) */
};

/* Characters before each block of this many bytes, so that a column in a text without line breaks is found at once. */
#define BLOCK 256

struct json_loc {
    const char *text;
    size_t size;
    VEC(struct node) nodes;
    VEC(uint32_t) open; /* while scanning */
    VEC(struct big) bigs;
    VEC(struct child) children;
    VEC(uint32_t) lines;  /* where each begins */
    VEC(uint32_t) blocks; /* characters before the block */
};

/* ---- building ---------------------------------------------------------------------------------------------------- */

static bool
node_begin(void *context, size_t start, size_t key, size_t key_end)
{
    struct json_loc *loc = context;
    (void)key_end;
    *VEC_ADD(&loc->open) = (uint32_t)loc->nodes.n;
    *VEC_ADD(&loc->nodes) =
        (struct node){ .start = (uint32_t)start, .key = key == JSON_SCAN_NONE ? NO_KEY : (uint32_t)key };
    return true;
}

static void
node_end(void *context, size_t end)
{
    struct json_loc *loc = context;
    struct node *node = &loc->nodes.items[loc->open.items[--loc->open.n]];
    node->end = (uint32_t)end;
    node->next = (uint32_t)loc->nodes.n;
}

static uint32_t
string_end(const struct json_loc *loc, uint32_t start)
{
    uint32_t at = start + 1;
    while (loc->text[at] != '"') {
        at += loc->text[at] == '\\' ? 2 : 1;
    }
    return at + 1;
}

/* The key's characters: in the text itself, or decoded in '*decoded', which the caller frees. */
static const char *
key_of(const struct json_loc *loc, uint32_t node, size_t *size, char **decoded)
{
    uint32_t start = loc->nodes.items[node].key, end = string_end(loc, start);
    const char *raw = loc->text + start + 1;
    *size = end - start - 2;
    *decoded = NULL;
    if (memchr(raw, '\\', *size)) {
        json_t *string = json_loadb(loc->text + start, end - start, JSON_DECODE_ANY, NULL);
        *size = json_string_length(string);
        *decoded = xstrndup(json_string_value(string), *size);
        json_decref(string);
        return *decoded;
    }
    return raw;
}

static uint32_t
key_hash(const struct json_loc *loc, uint32_t node)
{
    size_t size;
    char *decoded;
    const char *key = key_of(loc, node, &size, &decoded);
    uint32_t hash = (uint32_t)hash_bytes(key, size);
    free(decoded);
    return hash;
}

static bool
key_is(const struct json_loc *loc, uint32_t node, const char *wanted, size_t wanted_size)
{
    size_t size;
    char *decoded;
    const char *key = key_of(loc, node, &size, &decoded);
    bool same = size == wanted_size && memcmp(key, wanted, size) == 0;
    free(decoded);
    return same;
}

static int
by_hash(const void *a, const void *b)
{
    const struct child *first = a, *second = b;
    if (first->hash != second->hash) {
        return first->hash < second->hash ? -1 : 1;
    }
    return first->node < second->node ? -1 : first->node > second->node;
}

static void
index_children(struct json_loc *loc)
{
    for (uint32_t node = 0; node < loc->nodes.n; node++) {
        uint32_t end = loc->nodes.items[node].next, n = 0;
        bool object = loc->text[loc->nodes.items[node].start] == '{';
        for (uint32_t child = node + 1; child < end && n <= MANY_CHILDREN; child = loc->nodes.items[child].next) {
            n++;
        }
        if (n <= MANY_CHILDREN) {
            continue;
        }
        struct big big = { node, (uint32_t)loc->children.n, 0 };
        for (uint32_t child = node + 1; child < end; child = loc->nodes.items[child].next) {
            *VEC_ADD(&loc->children) = (struct child){ object ? key_hash(loc, child) : big.n, child };
            big.n++;
        }
        if (object) {
            qsort(loc->children.items + big.first, big.n, sizeof(struct child), by_hash);
        }
        *VEC_ADD(&loc->bigs) = big; /* in the order of the nodes */
    }
}

static void
index_lines(struct json_loc *loc)
{
    uint32_t characters = 0;
    *VEC_ADD(&loc->lines) = 0;
    for (size_t i = 0; i < loc->size; i++) {
        if (i % BLOCK == 0) {
            *VEC_ADD(&loc->blocks) = characters;
        }
        characters += ((unsigned char)loc->text[i] & 0xc0) != 0x80;
        if (loc->text[i] == '\n') {
            *VEC_ADD(&loc->lines) = (uint32_t)i + 1;
        }
    }
}

struct json_loc *
json_loc_new(const char *text, size_t size)
{
    if (size > JSON_FILE_LIMIT) {
        return NULL;
    }
    struct json_loc *loc = xcalloc(1, sizeof *loc);
    loc->text = text;
    loc->size = size;
    if (!json_scan(text, size, &(struct json_sink){ loc, node_begin, node_end }, NULL)) {
        json_loc_free(loc);
        return NULL;
    }
    VEC_DONE(&loc->open);
    index_children(loc);
    index_lines(loc);
    return loc;
}

void
json_loc_free(struct json_loc *loc)
{
    if (loc) {
        VEC_DONE(&loc->nodes);
        VEC_DONE(&loc->open);
        VEC_DONE(&loc->bigs);
        VEC_DONE(&loc->children);
        VEC_DONE(&loc->lines);
        VEC_DONE(&loc->blocks);
        free(loc);
    }
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static const struct big *
big_of(const struct json_loc *loc, json_node node)
{
    size_t low = 0, high = loc->bigs.n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (loc->bigs.items[middle].node < node) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < loc->bigs.n && loc->bigs.items[low].node == node ? &loc->bigs.items[low] : NULL;
}

static bool
is_bracket(const struct json_loc *loc, json_node node, char bracket)
{
    return node < loc->nodes.n && loc->text[loc->nodes.items[node].start] == bracket;
}

static json_node
member_n(const struct json_loc *loc, json_node object, const char *key, size_t size)
{
    if (!is_bracket(loc, object, '{')) {
        return JSON_NO_NODE;
    }
    const struct big *big = big_of(loc, object);
    if (!big) {
        uint32_t end = loc->nodes.items[object].next;
        for (uint32_t child = object + 1; child < end; child = loc->nodes.items[child].next) {
            if (key_is(loc, child, key, size)) {
                return child;
            }
        }
        return JSON_NO_NODE;
    }
    uint32_t hash = (uint32_t)hash_bytes(key, size);
    const struct child *children = loc->children.items + big->first;
    size_t low = 0, high = big->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (children[middle].hash < hash) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < big->n && children[low].hash == hash; low++) {
        if (key_is(loc, children[low].node, key, size)) {
            return children[low].node;
        }
    }
    return JSON_NO_NODE;
}

json_node
json_loc_member(const struct json_loc *loc, json_node object, const char *key)
{
    return member_n(loc, object, key, strlen(key));
}

json_node
json_loc_item(const struct json_loc *loc, json_node array, size_t index)
{
    if (!is_bracket(loc, array, '[')) {
        return JSON_NO_NODE;
    }
    const struct big *big = big_of(loc, array);
    if (big) {
        return index < big->n ? loc->children.items[big->first + index].node : JSON_NO_NODE;
    }
    uint32_t end = loc->nodes.items[array].next;
    for (uint32_t child = array + 1; child < end; child = loc->nodes.items[child].next) {
        if (index-- == 0) {
            return child;
        }
    }
    return JSON_NO_NODE;
}

json_node
json_loc_path(const struct json_loc *loc, const char *path)
{
    json_node node = 0;
    while (*path && node != JSON_NO_NODE) {
        if (*path == '[') {
            char *end;
            unsigned long index = strtoul(path + 1, &end, 10);
            if (end == path + 1 || *end != ']' || path[1] < '0' || path[1] > '9') {
                return JSON_NO_NODE;
            }
            node = json_loc_item(loc, node, index);
            path = end + 1;
        } else {
            size_t length = strcspn(path, ".[");
            if (length == 0) {
                return JSON_NO_NODE;
            }
            node = member_n(loc, node, path, length);
            path += length;
        }
        path += *path == '.';
    }
    return node;
}

struct json_span
json_loc_span(const struct json_loc *loc, json_node node)
{
    if (node >= loc->nodes.n) {
        return (struct json_span){ 0, 0, 0, 0 };
    }
    const struct node *n = &loc->nodes.items[node];
    if (n->key == NO_KEY) {
        return (struct json_span){ n->start, n->end, 0, 0 };
    }
    return (struct json_span){ n->start, n->end, n->key, string_end(loc, n->key) };
}

static uint32_t
characters_before(const struct json_loc *loc, uint32_t offset)
{
    if (loc->blocks.n == 0) {
        return 0;
    }
    uint32_t block = offset / BLOCK;
    block = block < loc->blocks.n ? block : (uint32_t)loc->blocks.n - 1;
    uint32_t characters = loc->blocks.items[block];
    for (uint32_t i = block * BLOCK; i < offset; i++) {
        characters += ((unsigned char)loc->text[i] & 0xc0) != 0x80;
    }
    return characters;
}

struct json_place
json_loc_place(const struct json_loc *loc, uint32_t offset)
{
    offset = offset <= loc->size ? offset : (uint32_t)loc->size;
    size_t low = 0, high = loc->lines.n; /* the last line that begins at or before it */
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (loc->lines.items[middle] <= offset) {
            low = middle;
        } else {
            high = middle;
        }
    }
    uint32_t column = characters_before(loc, offset) - characters_before(loc, loc->lines.items[low]);
    return (struct json_place){ (int)low + 1, (int)column + 1 };
}
