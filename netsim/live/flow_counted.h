/* netsim/live/flow_counted.h - elements of a router's counting sets as they were read, and what is known of them from one reading to the next.
 *
 * A reading goes through the kernel's table part by part.  While many flows are new the table is resized, and a reading then shows some elements twice
 * and others not at all; old ones leave it when their time is over.  What is known of an element that a reading leaves out must not be forgotten while
 * the kernel still has it: found again it would be told once more from the beginning.
 *
 * Source: https://docs.kernel.org/core-api/kernel-api.html, rhashtable_walk_start   Used by: flow_source.c */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/vec.h"

struct counted {
    uint8_t key[48]; /* mark, (what refused,) addresses, port(s) or protocol, each on a word boundary */
    uint64_t packets, bytes;
    uint64_t idle_ms; /* since its last packet, when it was read */
    int64_t until_ms; /* before then the kernel does not forget it; on the clock of counted_keep_missed() */
    bool missed;      /* by the latest reading */
};
typedef VEC(struct counted) counted_vec;

int counted_compare(const void *a, const void *b); /* by key */
/* Sorts a reading; of an element that is there twice the larger stays, which was read later.  Returns how many were. */
size_t counted_sort(counted_vec *reading);
/* 'reading' lacks an element of 'known'.  Both are sorted. */
bool counted_lacks(const counted_vec *reading, const counted_vec *known);
/* Another reading right after the first, both sorted: what either has. */
void counted_join(counted_vec *reading, const counted_vec *again);
/* Adds to a sorted reading what it left out of the known ones: all that the kernel must still have at 'now_ms', and the others for one reading more,
 * since until_ms is not exact. */
void counted_keep_missed(const counted_vec *known, counted_vec *reading, int64_t now_ms);
