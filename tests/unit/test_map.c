#include "tests/test.h"

#include "base/id.h"
#include "base/map.h"

TEST(map_holds_what_was_put)
{
    struct map map = { 0 };
    int one, two;
    CHECK(map_get(&map, "a") == NULL);
    CHECK(!map_remove(&map, "a"));
    map_put(&map, "a", &one);
    map_put(&map, "b", &two);
    CHECK(map_get(&map, "a") == &one);
    map_put(&map, "a", &two);
    CHECK(map_get(&map, "a") == &two);
    CHECK_INT(map.n, 2);
    CHECK(map_remove(&map, "a"));
    CHECK(!map_remove(&map, "a"));
    CHECK(map_get(&map, "a") == NULL);
    CHECK(map_get(&map, "b") == &two);
    map_put(&map, "", &one);
    CHECK(map_get(&map, "") == &one);
    map_done(&map);
    CHECK(map_get(&map, "b") == NULL);
}

/* Against an array that cannot be wrong: puts and removals in random order, with many collisions of small tables. */
TEST(map_agrees_with_an_array)
{
    enum { KEYS = 300 };
    struct id_gen gen;
    id_gen_seed(&gen, 11);
    struct map map = { 0 };
    bool present[KEYS] = { 0 };
    char keys[KEYS][ID_SIZE];
    for (int i = 0; i < KEYS; i++) {
        id_new(&gen, "eni", keys[i]);
    }
    size_t n = 0;
    for (int step = 0; step < 20000; step++) {
        size_t i = id_random_below(&gen, step < 200 ? 6 : KEYS);
        if (id_random(&gen) & 1) {
            map_put(&map, keys[i], keys[i]);
            n += !present[i];
            present[i] = true;
        } else {
            CHECK_INT(map_remove(&map, keys[i]), present[i], "step %d", step);
            n -= present[i];
            present[i] = false;
        }
        CHECK_INT(map.n, n);
    }
    for (int i = 0; i < KEYS; i++) {
        CHECK(map_get(&map, keys[i]) == (present[i] ? keys[i] : NULL), "%s", keys[i]);
    }
    size_t cursor = 0, seen = 0;
    const char *key;
    void *value;
    while (map_next(&map, &cursor, &key, &value)) {
        CHECK_STR(key, value);
        seen++;
    }
    CHECK_INT(seen, n);
    map_done(&map);
}

TEST(hash_bytes_spreads_ids)
{
    enum { SLOTS = 1024 };
    int filled[SLOTS] = { 0 }, most = 0;
    struct id_gen gen;
    id_gen_seed(&gen, 5);
    for (int i = 0; i < SLOTS; i++) {
        char id[ID_SIZE];
        id_new(&gen, "sg", id);
        int here = ++filled[hash_bytes(id, strlen(id)) % SLOTS];
        most = here > most ? here : most;
    }
    CHECK(most <= 8, "%d ids in one of %d slots", most, SLOTS);
}

TEST_MAIN
