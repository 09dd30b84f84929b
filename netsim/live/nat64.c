#include "netsim/live/nat64.h"

#include <string.h>

#include "base/vec.h"
#include "netsim/live/packet_bytes.h"

enum { IP4 = 20, IP6 = 40, TCP = 20, UDP = 8, ICMP = 8 };
enum { HOP_BY_HOP = 0, ROUTING = 43, OPTIONS = 60 }; /* headers that may stand between; a fragment's never does here */
enum { DONT_FRAGMENT = 0x4000 };

/* What a header says, whichever the family. */
struct head {
    struct ip src, dst;
    int protocol;
    uint8_t hops, class;
    const uint8_t *data;
    size_t size;  /* of 'data' as far as it is there */
    size_t claim; /* as the header says: more where an ICMP error cut the packet */
    bool whole;   /* IPv4: it must not be cut */
};

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

bool
nat64_addresses(const uint8_t *packet, size_t size, struct ip *src, struct ip *dst)
{
    bool six = size > 0 && packet[0] >> 4 == 6;
    if (size < (six ? IP6 : IP4) || (!six && packet[0] >> 4 != 4)) {
        return false;
    }
    *src = ip_of_bytes(packet + (six ? 8 : 12), six ? IP_V6 : IP_V4);
    *dst = ip_of_bytes(packet + (six ? 24 : 16), six ? IP_V6 : IP_V4);
    return true;
}

/* 'cut': it stands in an ICMP error, which holds its beginning. */
static bool
read6(const uint8_t *packet, size_t size, bool cut, struct head *h)
{
    if (size < IP6 || packet[0] >> 4 != 6 || (!cut && IP6 + get16(packet + 4) > size)) {
        return false;
    }
    size_t claim = get16(packet + 4), there = size - IP6 < claim ? size - IP6 : claim;
    *h = (struct head){ .protocol = packet[6],
                        .hops = packet[7],
                        .class = (uint8_t)(get16(packet) >> 4),
                        .data = packet + IP6,
                        .size = there,
                        .claim = claim };
    while (h->protocol == HOP_BY_HOP || h->protocol == ROUTING || h->protocol == OPTIONS) {
        size_t skip = h->size >= 8 ? ((size_t)h->data[1] + 1) * 8 : SIZE_MAX;
        if (skip > h->size || (h->protocol == ROUTING && h->data[3])) {
            return false; /* a way that is not at its end cannot be gone in IPv4 */
        }
        h->protocol = h->data[0];
        h->data += skip;
        h->size -= skip;
        h->claim -= skip;
    }
    return nat64_addresses(packet, size, &h->src, &h->dst);
}

static bool
read4(const uint8_t *packet, size_t size, bool cut, struct head *h)
{
    size_t head = size >= IP4 ? (size_t)(packet[0] & 15) * 4 : 0, total = size >= IP4 ? get16(packet + 2) : 0;
    if (head < IP4 || packet[0] >> 4 != 4 || total < head || size < head || (!cut && total > size)) {
        return false;
    }
    unsigned fragment = get16(packet + 6);
    *h = (struct head){ .protocol = packet[9],
                        .hops = packet[8],
                        .class = packet[1],
                        .data = packet + head,
                        .size = (size < total ? size : total) - head,
                        .claim = total - head,
                        .whole = fragment & DONT_FRAGMENT };
    return !(fragment & 0x1fff) && (cut || !(fragment & 0x2000)) && nat64_addresses(packet, size, &h->src, &h->dst);
}

/* ---- addresses ----------------------------------------------------------------------------------------------------
 */

static bool
has_prefix(const struct ip *ip)
{
    struct cidr prefix = cidr_lit(NAT64_PREFIX);
    return cidr_contains_ip(&prefix, ip);
}

static struct ip
embedded(const struct ip *six)
{
    return ip_v4((uint32_t)six->lo);
}

static struct ip
with_prefix(const struct ip *four)
{
    struct ip ip = ip_lit("64:ff9b::");
    ip.lo |= four->lo;
    return ip;
}

/* Somebody else's address, of one machine: the gateway's own for its clients are of 240.0.0.0/4, which nobody has. */
static bool
is_someones(const struct ip *four)
{
    unsigned first = (unsigned)(four->lo >> 24);
    return first != 0 && first != 127 && first < 224 && !ip_is_link_local(four);
}

/* ---- checksums ----------------------------------------------------------------------------------------------------
 */

static uint32_t
sum_of_addresses(const struct ip *src, const struct ip *dst)
{
    uint8_t bytes[32];
    size_t n = src->family == IP_V4 ? 4 : 16;
    put_ip(bytes, src);
    put_ip(bytes + n, dst);
    return sum16(bytes, 2 * n, 0);
}

/* RFC 1624: what was summed up is taken out, what is to be comes in. */
static unsigned
mended(unsigned checksum, uint32_t was, uint32_t is)
{
    unsigned without = fold(was); /* its complement */
    uint32_t sum = (~checksum & 0xffff) + without;
    return fold((sum & 0xffff) + (sum >> 16) + (~fold(is) & 0xffff));
}

/* ---- TCP, UDP and echo --------------------------------------------------------------------------------------------
 */

static const struct {
    uint8_t six, four;
} echoes[] = { { 128, 8 }, { 129, 0 } };

/* What follows the header, under its new addresses; 'cut': as much as there is.  0: it is not carried. */
static size_t
put_ports(const struct head *h, const struct ip *src, const struct ip *dst, bool cut, uint8_t *out)
{
    bool tcp = h->protocol == PROTOCOL_TCP;
    size_t at = tcp ? 16 : 6, least = cut ? 8 : tcp ? TCP : UDP;
    if (h->size < least) {
        return 0;
    }
    memcpy(out, h->data, h->size);
    if (h->size < at + 2) {
        return h->size;
    }
    unsigned checksum = get16(out + at);
    if (!tcp && !checksum) { /* IPv4 may leave it away, IPv6 not */
        if (h->src.family == IP_V6 || cut) {
            return h->src.family == IP_V6 ? 0 : h->size;
        }
        checksum = transport_checksum(src, dst, PROTOCOL_UDP, out, h->size);
    } else {
        checksum = mended(checksum, sum_of_addresses(&h->src, &h->dst), sum_of_addresses(src, dst));
    }
    put16(out + at, checksum || tcp ? checksum : 0xffff);
    return h->size;
}

/* ICMP of IPv4 sums up no addresses. */
static size_t
put_echo(const struct head *h, const struct ip *src, const struct ip *dst, uint8_t *out)
{
    bool to4 = h->src.family == IP_V6;
    if (h->size < ICMP) {
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(echoes); i++) {
        if (h->data[0] != (to4 ? echoes[i].six : echoes[i].four) || h->data[1]) {
            continue;
        }
        memcpy(out, h->data, h->size);
        out[0] = to4 ? echoes[i].four : echoes[i].six;
        const struct ip *six[2] = { to4 ? &h->src : src, to4 ? &h->dst : dst };
        uint32_t pseudo = sum_of_addresses(six[0], six[1]), length = (uint32_t)h->claim + PROTOCOL_ICMPV6;
        uint8_t tail[4] = { (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length };
        pseudo = sum16(tail, sizeof tail, pseudo);
        uint32_t was = (uint32_t)h->data[0] << 8, is = (uint32_t)out[0] << 8;
        put16(out + 2, mended(get16(out + 2), to4 ? pseudo + was : was, to4 ? is : pseudo + is));
        return h->size;
    }
    return 0;
}

static size_t
put_transport(const struct head *h, const struct ip *src, const struct ip *dst, bool cut, uint8_t *out)
{
    switch (h->protocol) {
    case PROTOCOL_TCP:
    case PROTOCOL_UDP:
        return put_ports(h, src, dst, cut, out);
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        return (h->protocol == PROTOCOL_ICMPV6) == (h->src.family == IP_V6) ? put_echo(h, src, dst, out) : 0;
    default:
        return 0;
    }
}

/* ---- headers ------------------------------------------------------------------------------------------------------
 */

static void
put4(const struct head *h, const struct ip *src, const struct ip *dst, uint8_t hops, unsigned fragment, unsigned id,
     size_t claim, uint8_t *out)
{
    memset(out, 0, IP4);
    out[0] = 0x45;
    out[1] = h->class;
    put16(out + 2, (unsigned)(IP4 + claim));
    put16(out + 4, id);
    put16(out + 6, fragment);
    out[8] = hops;
    out[9] = h->protocol == PROTOCOL_ICMPV6 ? PROTOCOL_ICMP : (uint8_t)h->protocol;
    put_ip(out + 12, src);
    put_ip(out + 16, dst);
    put16(out + 10, fold(sum16(out, IP4, 0)));
}

static void
put6(const struct head *h, const struct ip *src, const struct ip *dst, uint8_t hops, size_t claim, uint8_t *out)
{
    memset(out, 0, IP6);
    put16(out, 0x6000 | (unsigned)h->class << 4);
    put16(out + 4, (unsigned)claim);
    out[6] = h->protocol == PROTOCOL_ICMP ? PROTOCOL_ICMPV6 : (uint8_t)h->protocol;
    out[7] = hops;
    put_ip(out + 8, src);
    put_ip(out + 24, dst);
}

/* The kernel takes one hop for either family's leg, and the gateway is one hop. */
static uint8_t
one_hop_back(uint8_t hops)
{
    return hops < 255 ? (uint8_t)(hops + 1) : hops;
}

/* ---- errors -------------------------------------------------------------------------------------------------------
 */

/* RFC 7915, 4.2 and 5.2.  A row whose 'code' is ANY stands for all codes that no row before it has. */
enum { ANY = 255 };
static const struct error {
    uint8_t type, code, new_type, new_code;
} to_six[] = {
    { 3, 2, 4, 1 },  { 3, 3, 1, 4 },   { 3, 4, 2, 0 },   { 3, 9, 1, 1 },  { 3, 10, 1, 1 },
    { 3, 13, 1, 1 }, { 3, 15, 1, 1 },  { 3, ANY, 1, 0 }, { 11, 0, 3, 0 }, { 11, 1, 3, 1 },
}, to_four[] = {
    { 1, 1, 3, 10 }, { 1, 4, 3, 3 },   { 1, ANY, 3, 1 }, { 2, 0, 3, 4 },  { 3, 0, 11, 0 },
    { 3, 1, 11, 1 }, { 4, 1, 3, 2 },
};

static const struct error *
error_of(const struct head *h)
{
    bool six = h->src.family == IP_V6;
    const struct error *rows = six ? to_four : to_six;
    size_t n = six ? ARRAY_SIZE(to_four) : ARRAY_SIZE(to_six);
    for (size_t i = 0; i < n && h->size >= ICMP; i++) {
        if (rows[i].type == h->data[0] && (rows[i].code == h->data[1] || rows[i].code == ANY)) {
            return &rows[i];
        }
    }
    return NULL;
}

/* What the packet may be at most, on the other side: its header is 20 bytes longer there, or shorter. */
static void
put_error_head(const struct head *h, const struct error *e, uint8_t *out)
{
    uint32_t mtu = h->src.family == IP_V6 ? get32(h->data + 4) : get16(h->data + 6);
    memset(out, 0, ICMP);
    out[0] = e->new_type;
    out[1] = e->new_code;
    if (e->new_type == 2) { /* too big, of IPv6: never less than each of its ways carries */
        put32(out + 4, mtu + IP4 < NAT64_PIECE ? NAT64_PIECE : mtu + IP4);
    } else if (e->new_type == 3 && e->new_code == 4) {
        put16(out + 6, mtu > 65535 ? 65535 : mtu < NAT64_PIECE ? NAT64_PIECE - IP4 : mtu - IP4);
    } else if (e->new_type == 4) {
        put32(out + 4, 6); /* where the protocol stands in an IPv6 header */
    }
}

/* An IPv6 node's error for the server, about what the server sent to the client. */
static size_t
error_to4(const struct head *h, const struct ip *client4, const struct ip *server, uint8_t *out)
{
    const struct error *e = error_of(h);
    struct head inner;
    if (!e || !read6(h->data + ICMP, h->size - ICMP, true, &inner) || !has_prefix(&inner.src) ||
        inner.src.lo != with_prefix(server).lo) {
        return 0;
    }
    uint8_t *message = out + IP4, *packet = message + ICMP;
    size_t n = put_transport(&inner, server, client4, true, packet + IP4);
    if (!n || inner.claim > 65535 - IP4) {
        return 0;
    }
    put_error_head(h, e, message);
    put4(&inner, server, client4, inner.hops, DONT_FRAGMENT, 0, inner.claim, packet);
    size_t size = ICMP + IP4 + n;
    size = size > 576 - IP4 ? 576 - IP4 : size; /* RFC 1812 */
    put16(message + 2, fold(sum16(message, size, 0)));
    return size;
}

static size_t
error_to6(const struct head *h, const struct ip *client4, const struct ip *client6, const struct ip *src, uint8_t *out)
{
    const struct error *e = error_of(h);
    struct head inner;
    if (!e || !read4(h->data + ICMP, h->size - ICMP, true, &inner) || !ip_equal(&inner.src, client4)) {
        return 0;
    }
    struct ip server = with_prefix(&inner.dst);
    uint8_t *message = out + IP6, *packet = message + ICMP;
    size_t n = put_transport(&inner, client6, &server, true, packet + IP6);
    if (!n) {
        return 0;
    }
    put_error_head(h, e, message);
    put6(&inner, client6, &server, inner.hops, inner.claim, packet);
    size_t size = ICMP + IP6 + n;
    size = size > NAT64_PIECE - IP6 ? NAT64_PIECE - IP6 : size; /* RFC 4443 */
    put16(message + 2, transport_checksum(src, client6, PROTOCOL_ICMPV6, message, size));
    return size;
}

/* ---- packets ------------------------------------------------------------------------------------------------------
 */

size_t
nat64_to4(const uint8_t *packet, size_t size, const struct ip *client4, bool may_cut, unsigned id,
          uint8_t out[static NAT64_PACKET_MAX])
{
    struct head h;
    if (!read6(packet, size, false, &h) || !has_prefix(&h.dst)) {
        return 0;
    }
    struct ip server = embedded(&h.dst);
    if (!is_someones(&server) || h.size > 65535 - IP4) {
        return 0;
    }
    size_t n = h.protocol == PROTOCOL_ICMPV6 && h.size && h.data[0] < 128
                   ? error_to4(&h, client4, &server, out)
                   : put_transport(&h, client4, &server, false, out + IP4);
    if (!n) {
        return 0;
    }
    unsigned fragment = may_cut || IP4 + n <= NAT64_PIECE - IP4 ? 0 : DONT_FRAGMENT;
    put4(&h, client4, &server, one_hop_back(h.hops), fragment, id & 0xffff, n, out);
    return IP4 + n;
}

size_t
nat64_to6(const uint8_t *packet, size_t size, const struct ip *client4, const struct ip *client6,
          uint8_t out[static NAT64_PACKET_MAX])
{
    struct head h;
    if (!read4(packet, size, false, &h) || !ip_equal(&h.dst, client4)) {
        return 0;
    }
    struct ip src = with_prefix(&h.src);
    bool error = h.protocol == PROTOCOL_ICMP && h.size && (h.data[0] == 3 || h.data[0] == 11);
    size_t n = error ? error_to6(&h, client4, client6, &src, out) : put_transport(&h, &src, client6, false, out + IP6);
    if (!n) {
        return 0;
    }
    put6(&h, &src, client6, one_hop_back(h.hops), n, out);
    return IP6 + n;
}
