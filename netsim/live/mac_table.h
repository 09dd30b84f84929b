/* netsim/live/mac_table.h - things found by their hardware address, in one look however many they are.
 *
 * Uses: base/vec.h.   Used by: tap_hosts.c */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct mac_slot {
    uint64_t mac;
    void *item; /* NULL: nobody is here */
};
/* Zeroed: empty.  It owns its slots, not what stands in them. */
struct mac_table {
    struct mac_slot *slots;
    size_t n;       /* items */
    unsigned bits;  /* of the number of slots; 0: none yet */
};

void *mac_table_get(const struct mac_table *table, const uint8_t mac[6]); /* NULL: nobody has it */
/* 'item' is not NULL; in place of who has the address. */
void mac_table_put(struct mac_table *table, const uint8_t mac[6], void *item);
void *mac_table_remove(struct mac_table *table, const uint8_t mac[6]); /* what it was; NULL: nobody had it */
/* All in turn, in no order, 'cursor' from 0; NULL at the end.  Between the calls nothing may be put or removed. */
void *mac_table_next(const struct mac_table *table, size_t *cursor);
void mac_table_done(struct mac_table *table); /* empty again */
