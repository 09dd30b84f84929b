/* Whatever frame comes, an answer is a frame of sound size with its own lengths right; answers are frames too. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/tap_stack.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t answer[TAP_FRAME_MAX], again[TAP_FRAME_MAX];
    struct ip addresses[] = { ip_v4(0x0a00010a), ip_lit("2001:db8::10") };
    struct tap_port ports[] = { { PROTOCOL_TCP, { 80, 80 } }, { PROTOCOL_UDP, { 7, 7 } } };
    struct tap_host host = { .mac = { 2, 0, 0, 0, 0, 9 } };
    host.addresses.items = addresses;
    host.addresses.n = 2;
    host.open.items = ports;
    host.open.n = 2;
    if (size > TAP_FRAME_MAX) {
        return 0;
    }
    size_t n = tap_answer(&host, data, size, answer);
    FUZZ_CHECK(n <= TAP_FRAME_MAX && n <= size + 600);
    const uint8_t *packet;
    size_t packet_size;
    if (n && tap_packet(answer, n, &packet, &packet_size)) {
        FUZZ_CHECK(packet_size == n - 14);
    }
    if (n) {
        tap_answer(&host, answer, n, again);
    }
    return 0;
}
