#include "tests/test.h"

#include <string.h>

#include "netsim/live/mac_table.h"

TEST(mac_table_holds_what_was_put)
{
    static const uint8_t a[6] = { 2, 0, 0, 0, 0, 1 }, b[6] = { 2, 0, 0, 0, 1, 0 }, none[6] = { 0 };
    struct mac_table table = { 0 };
    int one, two;
    size_t cursor = 0;
    CHECK(!mac_table_get(&table, a) && !mac_table_remove(&table, a) && !mac_table_next(&table, &cursor));
    mac_table_put(&table, a, &one);
    CHECK(!mac_table_get(&table, none) && !mac_table_get(&table, b));
    mac_table_put(&table, b, &two);
    CHECK(mac_table_get(&table, a) == &one && mac_table_get(&table, b) == &two);
    mac_table_put(&table, a, &two);
    CHECK(mac_table_get(&table, a) == &two);
    CHECK_INT(table.n, 2);
    mac_table_put(&table, none, &one);
    CHECK(mac_table_get(&table, none) == &one);
    CHECK(mac_table_remove(&table, b) == &two && !mac_table_remove(&table, b) && !mac_table_get(&table, b));
    mac_table_done(&table);
    CHECK(!mac_table_get(&table, a));
}

/* Against an array that cannot be wrong, in random order; the table is half full at times, so many push each other on.
 */
TEST(mac_table_agrees_with_an_array)
{
    enum { KEYS = 500, STEPS = 60000 };
    static uint8_t macs[KEYS][6];
    void *there[KEYS] = { 0 };
    struct mac_table table = { 0 };
    uint32_t random = 17;
    size_t n = 0;
    for (size_t i = 0; i < KEYS; i++) { /* some differ in their last byte alone, some in their first */
        memcpy(macs[i], (uint8_t[]){ 2, (uint8_t)(i % 3), 0, 0, (uint8_t)(i >> 8), (uint8_t)i }, 6);
    }
    for (int step = 0; step < STEPS; step++) {
        random = random * 1664525 + 1013904223;
        size_t i = (random >> 8) % KEYS;
        bool few = step / 10000 % 2; /* fills in turn, and empties */
        if ((random >> 28) < (few ? 5 : 11)) {
            n += !there[i];
            there[i] = macs[(i + (size_t)step) % KEYS];
            mac_table_put(&table, macs[i], there[i]);
        } else {
            n -= there[i] != NULL;
            CHECK(mac_table_remove(&table, macs[i]) == there[i]);
            there[i] = NULL;
        }
        size_t other = (random >> 4) % KEYS;
        CHECK(mac_table_get(&table, macs[other]) == there[other]);
        CHECK_INT(table.n, n);
    }
    size_t cursor = 0, met = 0;
    while (mac_table_next(&table, &cursor)) {
        met++;
    }
    CHECK_INT(met, n);
    for (size_t i = 0; i < KEYS; i++) {
        CHECK(mac_table_get(&table, macs[i]) == there[i]);
    }
    mac_table_done(&table);
}

TEST_MAIN
