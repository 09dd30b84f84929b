#include "netsim/analysis/conn_alike.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"

static bool
alike(size_t n, const int *table, const int *kinds, size_t a, size_t b)
{
    if (kinds[a] != kinds[b] || memcmp(&table[a * n], &table[b * n], n * sizeof *table) != 0) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (table[i * n + a] != table[i * n + b]) {
            return false;
        }
    }
    return true;
}

void
conn_find_alike(size_t n, const int *table, const int *kinds, int *like)
{
    struct map firsts = { 0 };
    int *next = xcalloc(n + 1, sizeof *next);
    uint64_t *columns = xcalloc(n + 1, sizeof *columns);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            columns[k] += ((uint64_t)table[i * n + k] + 2 * i + 1) * UINT64_C(0x9E3779B97F4A7C15) >> 3;
        }
    }
    for (size_t i = 0; i < n; i++) {
        char key[48];
        snprintf(key, sizeof key, "%d %" PRIx64 " %" PRIx64, kinds[i], hash_bytes(&table[i * n], n * sizeof *table),
                 columns[i]);
        int first = (int)(uintptr_t)map_get(&firsts, key), same = first;
        while (same && !alike(n, table, kinds, (size_t)same - 1, i)) {
            same = next[same - 1];
        }
        like[i] = same ? same - 1 : (int)i;
        if (!same) {
            next[i] = first;
            map_put(&firsts, key, (void *)(uintptr_t)(i + 1));
        }
    }
    map_done(&firsts);
    free(next);
    free(columns);
}
