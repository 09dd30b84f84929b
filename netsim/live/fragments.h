/* netsim/live/fragments.h - IP packets in pieces, of both families, as bytes: put together, and cut.
 *
 * For the ends of ways that have no kernel of their own.  Pieces that overlap are thrown away with all that belongs to them, one that came before
 * is passed over, as Linux does it (RFC 5722, RFC 8200 4.5); a "fragment" that is the whole packet stands for itself (RFC 6946).  What waits is
 * bounded in time, number and bytes, and looked through when the next piece comes: no timer.  Nobody is told of what was never whole.
 *
 * Uses: packet_bytes.h.   Used by: tap_fragments.c, tap_flow.c, nat64_carrier.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAGMENTS_AT_ONCE = 256,   /* packets that wait for pieces; then the oldest is given up */
    FRAGMENTS_OF_ONE = 64,     /* of them at one place, so that nobody there takes the room of all */
    FRAGMENTS_BYTES = 4 << 20, /* that wait, with what is kept about them */
    FRAGMENTS_WAIT_MS4 = 30000,
    FRAGMENTS_WAIT_MS6 = 60000,
    FRAGMENTS_BEFORE = 16, /* bytes that may be written before a packet that was put together */
    FRAGMENTS_WHOLE_MAX = 65535 + 40,
    FRAGMENTS_PIECE_HEAD = 48 /* at most, of the pieces that fragments_piece() makes of packets without options */
};

struct fragments;
struct fragments *fragments_new(void);
void fragments_free(struct fragments *fragments); /* NULL is fine */

/* Is it, by its header, or has it headers before which that may stand?  Cheap; fragments_whole() looks closely. */
static inline bool
fragments_may_be_one(const uint8_t *packet, size_t size)
{
    if (size < 20) {
        return false;
    }
    return packet[0] >> 4 == 4   ? ((packet[6] & 0x3f) | packet[7]) != 0
           : packet[0] >> 4 == 6 ? packet[6] == 44 || packet[6] == 0 || packet[6] == 43 || packet[6] == 60
                                 : false;
}

/* The packet itself if it is none, and '*largest' 0; else the whole one, good until the next call, once this was its last piece, and '*largest' the
 * bytes of the largest of them.  NULL: not yet, or never.  'place': where it came; what is of other places is another's. */
uint8_t *fragments_whole(struct fragments *fragments, uint32_t place, uint8_t *packet, size_t *size, int64_t now_ms, size_t *largest);

/* The next piece, 'most' bytes at most (68 or more, IPv6 1280): '*at' is 0 at first; returns its size, 0 at the end, or at once if IPv4's header
 * forbids cutting.  'id' tells the pieces of one packet from others'; one of IPv4 that has such a number keeps it. */
size_t fragments_piece(const uint8_t *packet, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out);

/* What waits now. */
struct fragments_waiting {
    size_t packets, bytes;
};
struct fragments_waiting fragments_waiting(const struct fragments *fragments);
