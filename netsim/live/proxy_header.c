#include "netsim/live/proxy_header.h"

#include <stdint.h>
#include <string.h>

void
proxy_header_v1(struct buf *out, const struct proxy_parties *parties)
{
    buf_printf(out, "PROXY TCP%d %s", parties->client.family == IP_V6 ? 6 : 4, ip_str(&parties->client));
    buf_printf(out, " %s %d %d\r\n", ip_str(&parties->own), parties->client_port, parties->own_port);
}

static void
add_number(struct buf *out, uint64_t number, int size)
{
    while (size-- > 0) {
        buf_char(out, (char)(number >> 8 * size));
    }
}

static void
add_address(struct buf *out, const struct ip *ip)
{
    uint8_t bytes[16];
    buf_add(out, bytes, ip_to_bytes(ip, bytes));
}

void
proxy_header_v2(struct buf *out, const struct proxy_parties *parties)
{
    enum { LOCAL = 0x20, PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21, TYPE_AWS = 0xea, SUBTYPE_ENDPOINT = 1 };
    static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
    buf_add(out, signature, 12);
    if (!parties) {
        add_number(out, LOCAL << 8, 2);
        add_number(out, 0, 2);
        return;
    }
    bool six = parties->client.family == IP_V6;
    size_t id = parties->endpoint_id ? strlen(parties->endpoint_id) : 0;
    buf_char(out, PROXY);
    buf_char(out, six ? TCP6 : TCP4);
    add_number(out, (six ? 36 : 12) + (id ? 4 + id : 0), 2);
    add_address(out, &parties->client);
    add_address(out, &parties->own);
    add_number(out, (uint64_t)parties->client_port, 2);
    add_number(out, (uint64_t)parties->own_port, 2);
    if (id) {
        add_number(out, TYPE_AWS, 1);
        add_number(out, 1 + id, 2);
        add_number(out, SUBTYPE_ENDPOINT, 1);
        buf_str_add(out, parties->endpoint_id);
    }
}
