/* base/map.h - a hash map from strings to pointers.  Keys are copied; values are borrowed.  A zeroed map is empty.
 * Iteration (map_next) has no useful order: keep a VEC beside it where order matters. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct map_slot;
struct map {
    struct map_slot *slots;
    size_t n, cap;
};

void map_put(struct map *map, const char *key, void *value); /* replaces, and then a cursor of map_next() stays good */
void *map_get(const struct map *map, const char *key);       /* NULL if absent */
bool map_remove(struct map *map, const char *key);
bool map_next(const struct map *map, size_t *cursor, const char **key, void **value); /* cursor starts at 0 */
void map_done(struct map *map);

/* FNV-1a and a final mix; the same for every run, so that output never depends on it being seeded. */
uint64_t hash_bytes(const void *data, size_t size);
