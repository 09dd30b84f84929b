#include "netsim/live/load_count.h"

#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "netsim/live/load.h"
#include "netsim/live/packet_bytes.h"

/* By number, up to a bound that no test reaches by accident. */
static bool
is_new(struct load_count *count, uint64_t number)
{
    size_t at = (size_t)(number / 8);
    if (number / 8 >= (uint64_t)1 << 28) {
        return true; /* two thousand million: not looked at any more */
    }
    if (at >= count->seen.size) {
        size_t size = count->seen.size ? count->seen.size : 4096;
        while (size <= at) {
            size *= 2;
        }
        count->seen.bits = xrealloc(count->seen.bits, size);
        memset(count->seen.bits + count->seen.size, 0, size - count->seen.size);
        count->seen.size = size;
    }
    bool is = !(count->seen.bits[at] >> (number & 7) & 1);
    count->seen.bits[at] |= (uint8_t)(1u << (number & 7));
    return is;
}

bool
load_count_datagram(struct load_count *count, const uint8_t *data, size_t size)
{
    if (size < LOAD_UDP_MIN || get32(data) != LOAD_DATA || get32(data + 4) != count->run) {
        return false; /* somebody else's */
    }
    uint64_t number = (uint64_t)get32(data + 8) << 32 | get32(data + 12);
    if (!is_new(count, number)) {
        count->duplicates++;
        return true;
    }
    count->out_of_order += number < count->next;
    count->next = number >= count->next ? number + 1 : count->next;
    count->packets++;
    count->bytes += (long long)size;
    return true;
}

void
load_count_done(struct load_count *count)
{
    free(count->seen.bits);
    *count = (struct load_count){ 0 };
}

static void
put64(uint8_t *p, long long value)
{
    put32(p, (uint32_t)((uint64_t)value >> 32));
    put32(p + 4, (uint32_t)value);
}

static long long
get64(const uint8_t *p)
{
    return (long long)((uint64_t)get32(p) << 32 | get32(p + 4));
}

void
load_report_write(const struct load_count *count, uint8_t report[static LOAD_REPORT_SIZE])
{
    put32(report, LOAD_REPORT);
    put32(report + 4, count->run);
    put64(report + 8, count->bytes);
    put64(report + 16, count->packets);
    put64(report + 24, count->duplicates);
    put64(report + 32, count->out_of_order);
}

bool
load_report_read(const uint8_t *bytes, size_t size, struct load_count *count)
{
    if (size != LOAD_REPORT_SIZE || get32(bytes) != LOAD_REPORT || get32(bytes + 4) != count->run) {
        return false;
    }
    count->bytes = get64(bytes + 8);
    count->packets = get64(bytes + 16);
    count->duplicates = get64(bytes + 24);
    count->out_of_order = get64(bytes + 32);
    return true;
}
