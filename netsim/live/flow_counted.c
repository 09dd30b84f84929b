#include "netsim/live/flow_counted.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan.h"

int
counted_compare(const void *a, const void *b)
{
    return memcmp(((const struct counted *)a)->key, ((const struct counted *)b)->key,
                  sizeof((const struct counted *)a)->key);
}

static void
sort(counted_vec *reading)
{
    if (reading->n > 1) {
        qsort(reading->items, reading->n, sizeof *reading->items, counted_compare);
    }
}

size_t
counted_sort(counted_vec *reading)
{
    size_t n = 0, before = reading->n;
    sort(reading);
    for (size_t i = 0; i < reading->n; i++) {
        if (n && counted_compare(&reading->items[n - 1], &reading->items[i]) == 0) {
            if (reading->items[n - 1].packets < reading->items[i].packets) {
                reading->items[n - 1] = reading->items[i];
            }
        } else {
            reading->items[n++] = reading->items[i];
        }
    }
    reading->n = n;
    return before - n;
}

bool
counted_lacks(const counted_vec *reading, const counted_vec *known)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, known, reading, counted_compare);) {
        if (m.was && !m.is) {
            return true;
        }
    }
    return false;
}

void
counted_join(counted_vec *reading, const counted_vec *again)
{
    counted_vec both = { 0 };
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, reading, again, counted_compare);) {
        const struct counted *was = m.was, *is = m.is;
        *VEC_ADD(&both) = is && (!was || was->packets <= is->packets) ? *is : *was;
    }
    VEC_DONE(reading);
    memcpy(reading, &both, sizeof both);
}

void
counted_keep_missed(const counted_vec *known, counted_vec *reading, int64_t now_ms)
{
    size_t n_found = reading->n;
    size_t at = 0;
    for (size_t i = 0; i < known->n; i++) {
        const struct counted *was = &known->items[i];
        while (at < n_found && counted_compare(&reading->items[at], was) < 0) {
            at++;
        }
        bool found = at < n_found && counted_compare(&reading->items[at], was) == 0;
        if (!found && (!was->missed || now_ms < was->until_ms)) {
            struct counted kept = *was; /* a new one may move those that are there */
            kept.missed = true;
            *VEC_ADD(reading) = kept;
        }
    }
    if (reading->n > n_found) {
        sort(reading);
    }
}
