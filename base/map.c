/* Open addressing with linear probing, at most 3/4 full; a removed slot is closed by moving its followers back, so
 * there are no tombstones and a lookup that fails stops at the first hole. */
#include "base/map.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

struct map_slot {
    uint64_t hash;
    char *key; /* NULL: empty */
    void *value;
};

#define FNV_BASIS 0xcbf29ce484222325u
#define FNV_PRIME 0x100000001b3u

/* FNV-1a leaves the low bits poorly mixed, and the low bits choose the slot. */
static uint64_t
mix(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

uint64_t
hash_bytes(const void *data, size_t size)
{
    const unsigned char *p = data;
    uint64_t hash = FNV_BASIS;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ p[i]) * FNV_PRIME;
    }
    return mix(hash);
}

/* Eight bytes at a time: keys are ids of some twenty characters, and a lookup is little more than this. */
static uint64_t
hash_key(const char *key)
{
    size_t size = strlen(key);
    uint64_t hash = FNV_BASIS ^ size, word = 0;
    for (; size >= sizeof word; size -= sizeof word, key += sizeof word) {
        memcpy(&word, key, sizeof word);
        hash = mix(hash ^ word);
    }
    word = 0;
    memcpy(&word, key, size);
    return mix(hash ^ word);
}

/* The slot that holds 'key', or the hole where it would go.  There is always a hole. */
static struct map_slot *
find(const struct map *map, const char *key, uint64_t hash)
{
    size_t i = hash & (map->cap - 1);
    while (map->slots[i].key && (map->slots[i].hash != hash || strcmp(map->slots[i].key, key) != 0)) {
        i = (i + 1) & (map->cap - 1);
    }
    return &map->slots[i];
}

static void
grow(struct map *map)
{
    struct map old = *map;
    map->cap = old.cap ? old.cap * 2 : 8;
    map->slots = xcalloc(map->cap, sizeof *map->slots);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].key) {
            *find(map, old.slots[i].key, old.slots[i].hash) = old.slots[i];
        }
    }
    free(old.slots);
}

void
map_put(struct map *map, const char *key, void *value)
{
    uint64_t hash = hash_key(key);
    struct map_slot *slot = map->n ? find(map, key, hash) : NULL;
    if (!slot || !slot->key) {
        if (map->n + 1 > map->cap / 4 * 3) {
            grow(map);
        }
        slot = find(map, key, hash);
        slot->key = xstrdup(key);
        slot->hash = hash;
        map->n++;
    }
    slot->value = value;
}

void *
map_get(const struct map *map, const char *key)
{
    return map->n ? find(map, key, hash_key(key))->value : NULL;
}

bool
map_remove(struct map *map, const char *key)
{
    if (map->n == 0) {
        return false;
    }
    struct map_slot *slot = find(map, key, hash_key(key));
    if (!slot->key) {
        return false;
    }
    free(slot->key);
    size_t mask = map->cap - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
        /* The slot at i may fill the hole unless the place it wants lies cyclically in (hole, i]. */
        size_t home = map->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct map_slot){ 0 };
    map->n--;
    return true;
}

bool
map_next(const struct map *map, size_t *cursor, const char **key, void **value)
{
    for (; *cursor < map->cap; ++*cursor) {
        const struct map_slot *slot = &map->slots[*cursor];
        if (slot->key) {
            ++*cursor;
            if (key) {
                *key = slot->key;
            }
            if (value) {
                *value = slot->value;
            }
            return true;
        }
    }
    return false;
}

void
map_done(struct map *map)
{
    for (size_t i = 0; i < map->cap; i++) {
        free(map->slots[i].key);
    }
    free(map->slots);
    *map = (struct map){ 0 };
}
