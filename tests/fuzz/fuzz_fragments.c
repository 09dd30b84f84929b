/* Whatever pieces come, what is put together is a packet as long as its header says, what waits is bounded, and what is
 * cut comes together again. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/fragments.h"
#include "netsim/live/packet_bytes.h"

static void
try_whole(const uint8_t *packet, size_t size, size_t most)
{
    static uint8_t out[65536 + 64];
    bool six = packet[0] >> 4 == 6;
    size_t at = 0, n, got = 0, largest, head = six ? 40 : (size_t)(packet[0] & 15) * 4;
    FUZZ_CHECK(size == (six ? 40 + get16(packet + 4) : get16(packet + 2)));
    FUZZ_CHECK(size >= head && size <= FRAGMENTS_WHOLE_MAX);
    FUZZ_CHECK(six || (fold(sum16(packet, head, 0)) == 0 && !(get16(packet + 6) & 0x3fff)));
    struct fragments *f = fragments_new();
    const uint8_t *whole = NULL;
    while ((n = fragments_piece(packet, size, most, 1, &at, out)) > 0) {
        FUZZ_CHECK(n <= most && !whole);
        got = n;
        whole = fragments_whole(f, 0, out, &got, 0, &largest);
        FUZZ_CHECK(!whole || largest <= most);
    }
    FUZZ_CHECK(size == head || (whole && got == size && memcmp(whole + head, packet + head, size - head) == 0));
    fragments_free(f);
}

/* The input is packets, each after two bytes that say how long it is, which also pass the time and choose the place. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fragments *fragments = fragments_new();
    int64_t now = 0;
    while (size >= 2) {
        size_t n = get16(data) & 0xfff, largest;
        uint32_t place = data[0] >> 6;
        now += data[0] & 0x30 ? 20000 : 1;
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        size_t whole_size = n;
        uint8_t *copy = malloc(n ? n : 1); /* a sanitizer sees a read past it */
        memcpy(copy, data, n);
        uint8_t *whole = fragments_whole(fragments, place, copy, &whole_size, now, &largest);
        FUZZ_CHECK(whole != copy || (whole_size == n && largest == 0));
        if (whole && whole != copy) {
            memset(whole - FRAGMENTS_BEFORE, 0, FRAGMENTS_BEFORE);
            try_whole(whole, whole_size, place & 1 ? 1280 : 9001);
        }
        struct fragments_waiting waiting = fragments_waiting(fragments);
        FUZZ_CHECK(waiting.packets <= FRAGMENTS_AT_ONCE && waiting.bytes <= FRAGMENTS_BYTES);
        free(copy);
        data += n;
        size -= n;
    }
    fragments_free(fragments);
    return 0;
}
