/* netsim/live/tap_fragments.h - frames of TAP hosts whose packet is a fragment, and answers that do not fit a frame.
 *
 * An answer goes back in pieces as large as those it came in, for these had room everywhere on the way: no host remembers how long packets may be.
 *
 * Uses: fragments.h.   Used by: tap_hosts.c */
#pragma once
#include "netsim/live/fragments.h"

/* May the frame, which holds 'size' bytes, bear a piece of a packet? */
static inline bool
tap_may_be_piece(const uint8_t *frame, size_t size)
{
    return size > 14 && ((frame[12] == 0x08 && frame[13] == 0) || (frame[12] == 0x86 && frame[13] == 0xdd)) &&
           fragments_may_be_one(frame + 14, size - 14);
}

/* The frame itself if its packet is whole, else the frame of the whole packet once this was its last piece, good until the next call; NULL: it waits.
 * 'mtu' is the device's; '*most' becomes how long a packet may be that answers. */
const uint8_t *tap_whole(struct fragments *fragments, uint32_t index, uint8_t *frame, size_t *size, size_t mtu, size_t *most);

/* The next frame of one whose packet is longer than 'most': as fragments_piece(); 'out' has room for 14 bytes more. */
size_t tap_piece(const uint8_t *frame, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out);
