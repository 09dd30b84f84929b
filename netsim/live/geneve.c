#include "netsim/live/geneve.h"

#include <string.h>

#include "base/vec.h"
#include "netsim/live/packet_bytes.h"

enum { BASE = 8, OPTION = 4, AWS = 0x0108, CRITICAL = 0x80 };
enum { TYPE_IP4 = 0x0800, TYPE_IP6 = 0x86dd };
enum { IP4 = 20, IP6 = 40 };

static const struct {
    uint8_t type;
    size_t size, at; /* of the value; where it begins in a head of ours */
} options[] = { { 1, 8, 12 }, { 2, 8, 24 }, { 3, 4, 36 } };

static void
put64(uint8_t *p, uint64_t value)
{
    put32(p, (uint32_t)(value >> 32));
    put32(p + 4, (uint32_t)value);
}

static uint64_t
get64(const uint8_t *p)
{
    return (uint64_t)get32(p) << 32 | get32(p + 4);
}

void
geneve_write(const struct geneve *head, int family, uint8_t out[static GENEVE_HEAD])
{
    memset(out, 0, GENEVE_HEAD);
    out[0] = (GENEVE_HEAD - BASE) / 4;
    put16(out + 2, family == IP_V6 ? TYPE_IP6 : TYPE_IP4);
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        uint8_t *option = out + options[i].at - OPTION;
        put16(option, AWS);
        option[2] = options[i].type;
        option[3] = (uint8_t)(options[i].size / 4);
    }
    put64(out + options[0].at, head->endpoint);
    put64(out + options[1].at, head->attachment);
    put32(out + options[2].at, head->cookie);
}

/* Which of AWS's options it is; false: a critical one that nobody here knows, or of another length than it must have.
 */
static bool
read_option(const uint8_t *option, size_t size, struct geneve *head, unsigned *found)
{
    if (get16(option) != AWS) {
        return !(option[2] & CRITICAL);
    }
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (option[2] != options[i].type) {
            continue;
        }
        const uint8_t *value = option + OPTION;
        if (size != options[i].size) {
            return false;
        }
        *found |= 1u << i;
        switch (i) {
        case 0:
            head->endpoint = get64(value);
            break;
        case 1:
            head->attachment = get64(value);
            break;
        default:
            head->cookie = get32(value);
        }
        return true;
    }
    return !(option[2] & CRITICAL);
}

bool
geneve_read(const uint8_t *data, size_t size, struct geneve *head, const uint8_t **inner, size_t *inner_size)
{
    unsigned found = 0;
    if (size < BASE || data[0] >> 6 != 0) {
        return false;
    }
    size_t end = BASE + (size_t)(data[0] & 0x3f) * 4;
    unsigned type = get16(data + 2);
    if (size <= end || (type != TYPE_IP4 && type != TYPE_IP6) || data[end] >> 4 != (type == TYPE_IP6 ? 6 : 4)) {
        return false;
    }
    for (size_t at = BASE; at < end;) {
        size_t value = (size_t)(data[at + 3] & 0x1f) * 4;
        if (at + OPTION + value > end || !read_option(data + at, value, head, &found)) {
            return false;
        }
        at += OPTION + value;
    }
    *inner = data + end;
    *inner_size = size - end;
    return found == (1u << ARRAY_SIZE(options)) - 1;
}

void
geneve_outer(const struct ip *src, const struct ip *dst, uint16_t src_port, size_t size,
             uint8_t out[static GENEVE_OUTER])
{
    memset(out, 0, GENEVE_OUTER);
    out[0] = 0x45;
    put16(out + 2, (unsigned)(GENEVE_OUTER + size));
    out[8] = 64;
    out[9] = PROTOCOL_UDP;
    put32(out + 12, (uint32_t)src->lo);
    put32(out + 16, (uint32_t)dst->lo);
    put16(out + 10, fold(sum16(out, IP4, 0)));
    put16(out + IP4, src_port);
    put16(out + IP4 + 2, GENEVE_PORT);
    put16(out + IP4 + 4, (unsigned)(GENEVE_OUTER - IP4 + size));
}

bool
flow_tuple_read(const uint8_t *packet, size_t size, struct flow_tuple *tuple)
{
    bool six = size > 0 && packet[0] >> 4 == 6;
    size_t head = six ? IP6 : size > 0 ? (size_t)(packet[0] & 15) * 4 : IP4;
    if (size < head || head < IP4 || (!six && packet[0] >> 4 != 4) ||
        (six ? IP6 + get16(packet + 4) : get16(packet + 2)) != size) {
        return false;
    }
    *tuple = (struct flow_tuple){ .src = ip_of_bytes(packet + (six ? 8 : 12), six ? IP_V6 : IP_V4),
                                  .dst = ip_of_bytes(packet + (six ? 24 : 16), six ? IP_V6 : IP_V4),
                                  .protocol = packet[six ? 6 : 9] };
    bool fragment = !six && (get16(packet + 6) & 0x3fff); /* the first one too: all must have one key */
    const uint8_t *transport = packet + head;
    if (!fragment && (tuple->protocol == PROTOCOL_TCP || tuple->protocol == PROTOCOL_UDP) && size - head >= 8) {
        tuple->src_port = (uint16_t)get16(transport);
        tuple->dst_port = (uint16_t)get16(transport + 2);
    }
    tuple->opens = tuple->protocol == PROTOCOL_TCP && size - head >= 14 && (transport[13] & 0x12) == 0x02;
    return true;
}
