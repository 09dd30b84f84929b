#include "netsim/live/mac_table.h"

#include <stdlib.h>

#include "base/vec.h"

#define FIRST_BITS 2 /* a device of one host stays small */

static uint64_t
number_of(const uint8_t mac[6])
{
    uint64_t number = 0;
    for (int i = 0; i < 6; i++) {
        number = number << 8 | mac[i];
    }
    return number;
}

/* Where it would stand if nobody were in its way. */
static size_t
home_of(const struct mac_table *table, uint64_t mac)
{
    return (size_t)(mac * 0x9e3779b97f4a7c15u >> (64 - table->bits));
}

static size_t
after(const struct mac_table *table, size_t place)
{
    return (place + 1) & (((size_t)1 << table->bits) - 1);
}

/* The slot of the address, or the free one where it would be put. */
static struct mac_slot *
slot_of(const struct mac_table *table, uint64_t mac)
{
    size_t i = home_of(table, mac);
    while (table->slots[i].item && table->slots[i].mac != mac) {
        i = after(table, i);
    }
    return &table->slots[i];
}

void *
mac_table_get(const struct mac_table *table, const uint8_t mac[6])
{
    return table->n ? slot_of(table, number_of(mac))->item : NULL;
}

static void
grow(struct mac_table *table)
{
    struct mac_table wide = { .n = table->n, .bits = table->bits ? table->bits + 1 : FIRST_BITS };
    size_t cursor = 0;
    wide.slots = xcalloc((size_t)1 << wide.bits, sizeof *wide.slots);
    while (mac_table_next(table, &cursor)) {
        const struct mac_slot *slot = &table->slots[cursor - 1];
        *slot_of(&wide, slot->mac) = *slot;
    }
    free(table->slots);
    *table = wide;
}

void
mac_table_put(struct mac_table *table, const uint8_t mac[6], void *item)
{
    if (!table->bits || (table->n + 1) * 2 > (size_t)1 << table->bits) {
        grow(table);
    }
    struct mac_slot *slot = slot_of(table, number_of(mac));
    table->n += !slot->item;
    *slot = (struct mac_slot){ number_of(mac), item };
}

void *
mac_table_remove(struct mac_table *table, const uint8_t mac[6])
{
    struct mac_slot *slot = table->n ? slot_of(table, number_of(mac)) : NULL;
    void *item = slot ? slot->item : NULL;
    if (!item) {
        return NULL;
    }
    table->n--;
    slot->item = NULL;
    /* Whom the one that went had pushed on, up to the next gap, moves up: nobody may stand behind a gap from his home.
     */
    for (size_t i = after(table, (size_t)(slot - table->slots)); table->slots[i].item; i = after(table, i)) {
        struct mac_slot moved = table->slots[i];
        table->slots[i].item = NULL;
        *slot_of(table, moved.mac) = moved;
    }
    return item;
}

void *
mac_table_next(const struct mac_table *table, size_t *cursor)
{
    size_t n_slots = table->bits ? (size_t)1 << table->bits : 0;
    while (*cursor < n_slots) {
        void *item = table->slots[(*cursor)++].item;
        if (item) {
            return item;
        }
    }
    return NULL;
}

void
mac_table_done(struct mac_table *table)
{
    free(table->slots);
    *table = (struct mac_table){ 0 };
}
