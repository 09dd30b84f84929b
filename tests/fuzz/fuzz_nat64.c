/* Whatever packets come, in pieces or whole, what is made of one is a packet of the other family, as long as its header
 * says. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/fragments.h"
#include "netsim/live/nat64.h"
#include "netsim/live/packet_bytes.h"

static uint8_t out[NAT64_PACKET_MAX], again[NAT64_PACKET_MAX];

static void
try_packet(const uint8_t *packet, size_t size, bool cut)
{
    struct ip src, dst, client4 = ip_lit("240.0.0.1"), client6 = ip_lit("2600:1f18:1:1::10");
    FUZZ_CHECK(nat64_addresses(packet, size, &src, &dst));
    size_t made = src.family == IP_V6 ? nat64_to4(packet, size, &client4, cut, 1, out)
                                      : nat64_to6(packet, size, &client4, &client6, out);
    if (!made) {
        return;
    }
    FUZZ_CHECK(out[0] >> 4 == (src.family == IP_V6 ? 4 : 6));
    FUZZ_CHECK(made == (src.family == IP_V6 ? get16(out + 2) : 40 + get16(out + 4)));
    FUZZ_CHECK(src.family != IP_V6 || fold(sum16(out, 20, 0)) == 0);
    if (src.family == IP_V4) {
        uint8_t piece[NAT64_PIECE];
        size_t at = 0, n, all = 0;
        while ((n = fragments_piece(out, made, NAT64_PIECE, 1, &at, piece)) > 0) {
            FUZZ_CHECK(n > 48 && n <= NAT64_PIECE);
            all += n - 48;
        }
        FUZZ_CHECK(all == made - 40);
        nat64_to4(out, made, &client4, cut, 1, again);
    }
}

/* The input is packets, each after two bytes that say how long it is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fragments *fragments = fragments_new();
    while (size >= 2) {
        size_t n = get16(data);
        data += 2;
        size -= 2;
        n = n < size ? n : size;
        size_t cut, whole_size = n;
        uint8_t *copy = malloc(n ? n : 1); /* a sanitizer sees a read past it */
        memcpy(copy, data, n);
        const uint8_t *whole = fragments_whole(fragments, 0, copy, &whole_size, (int64_t)size, &cut);
        struct ip src, dst;
        if (whole && nat64_addresses(whole, whole_size, &src, &dst)) {
            try_packet(whole, whole_size, cut);
        }
        free(copy);
        data += n;
        size -= n;
    }
    fragments_free(fragments);
    return 0;
}
