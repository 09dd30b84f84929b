/* Whatever the bytes: reading a capture ends, every packet lies inside the text, and a refusal says where. */
#include "tests/fuzz/fuzz.h"

#include "netsim/flowlog/pcapng.h"

struct bounds {
    const uint8_t *begin, *end;
    unsigned sum;
};

static void
visit(void *context, const struct pcap_packet *packet)
{
    struct bounds *b = context;
    FUZZ_CHECK(packet->bytes >= b->begin && packet->bytes + packet->captured <= b->end);
    for (size_t i = 0; i < packet->captured; i++) {
        b->sum += packet->bytes[i];
    }
    FUZZ_CHECK(strlen(packet->interface_name) < 64 && (!packet->comment || strlen(packet->comment) < 512));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bounds b = { data, data + size, 0 };
    struct err err = { 0 };
    bool ok = pcap_read(data, size, visit, &b, &err);
    FUZZ_CHECK(ok || (err.kind == ERR_DOCUMENT && *err.text));
    return 0;
}
