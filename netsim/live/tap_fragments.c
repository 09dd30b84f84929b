#include "netsim/live/tap_fragments.h"

#include <string.h>

#include "base/monotonic.h"
#include "netsim/live/tap_stack.h"

enum { ETHER = 14, LEAST4 = 576, LEAST6 = 1280 };
_Static_assert((int)ETHER <= (int)FRAGMENTS_BEFORE && ETHER + FRAGMENTS_WHOLE_MAX <= TAP_FRAME_MAX,
               "what was put together must be a frame");

const uint8_t *
tap_whole(struct fragments *fragments, uint32_t index, uint8_t *frame, size_t *size, size_t mtu, size_t *most)
{
    const uint8_t *there;
    size_t packet_size, largest;
    *most = mtu;
    if (!tap_packet(frame, *size, &there, &packet_size)) {
        return frame;
    }
    uint8_t *packet = frame + ETHER;
    uint8_t *whole = fragments_whole(fragments, index, packet, &packet_size, monotonic_ms(), &largest);
    if (!whole || whole == packet) {
        return whole ? frame : NULL;
    }
    size_t least = whole[0] >> 4 == 6 ? LEAST6 : LEAST4;
    largest = largest < least ? least : largest;
    *most = largest < mtu ? largest : mtu;
    *size = ETHER + packet_size;
    return memcpy(whole - ETHER, frame, ETHER);
}

size_t
tap_piece(const uint8_t *frame, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out)
{
    size_t n = fragments_piece(frame + ETHER, size - ETHER, most, id, at, out + ETHER);
    memcpy(out, frame, ETHER);
    return n ? ETHER + n : 0;
}
