/* Whatever datagram comes, what is found in it lies in it, and a head that was read is written again as it was. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/geneve.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct geneve head, again;
    const uint8_t *inner;
    size_t inner_size;
    struct flow_tuple tuple;
    if (geneve_read(data, size, &head, &inner, &inner_size)) {
        uint8_t bytes[GENEVE_HEAD + 1];
        FUZZ_CHECK(inner >= data && inner_size > 0 && inner + inner_size == data + size);
        flow_tuple_read(inner, inner_size, &tuple);
        geneve_write(&head, inner[0] >> 4, bytes);
        bytes[GENEVE_HEAD] = inner[0];
        FUZZ_CHECK(geneve_read(bytes, sizeof bytes, &again, &inner, &inner_size));
        FUZZ_CHECK(again.endpoint == head.endpoint && again.attachment == head.attachment &&
                   again.cookie == head.cookie);
    }
    flow_tuple_read(data, size, &tuple);
    return 0;
}
