#include "netsim/live/tap_stack.h"

#include <stdio.h>
#include <string.h>

#include "netsim/live/packet_bytes.h"

enum { ETHER = 14, IP4 = 20, IP6 = 40, ICMP = 8, UDP = 8, TCP = 20 };
enum { TYPE_IP4 = 0x0800, TYPE_ARP = 0x0806, TYPE_IP6 = 0x86dd };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { MSS = 8961 /* of an MTU of 9001 */, WINDOW = 65535, TTL = 64 };

/* An IP packet that came, taken apart. */
struct came {
    const struct tap_host *host;
    const uint8_t *frame, *packet, *data; /* data: after the IP header */
    size_t packet_size, data_size;
    struct ip src, dst;
    int protocol;
    bool multicast; /* to a group of ours (neighbour discovery only) */
};

static bool
is_own(const struct tap_host *host, const struct ip *ip)
{
    for (size_t i = 0; i < host->addresses.n; i++) {
        if (ip_equal(&host->addresses.items[i], ip)) {
            return true;
        }
    }
    return false;
}

static bool
is_open(const struct tap_host *host, int protocol, unsigned port)
{
    for (size_t i = 0; i < host->open.n; i++) {
        const struct tap_port *p = &host->open.items[i];
        if (p->protocol == protocol && p->ports.from <= port && port <= p->ports.to) {
            return true;
        }
    }
    return false;
}

static void
put_ether(const struct tap_host *host, const uint8_t to[6], unsigned type, uint8_t *out)
{
    memcpy(out, to, 6);
    memcpy(out + 6, host->mac, 6);
    put16(out + 12, type);
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */
/* The headers around 'size' bytes that stand already at their place, transport_at(); 'src' is an address of the host.
 */
static size_t
finish(const struct came *c, const struct ip *src, int protocol, int hops, size_t size, uint8_t *out)
{
    bool six = src->family == IP_V6;
    put_ether(c->host, c->frame + 6, six ? TYPE_IP6 : TYPE_IP4, out);
    uint8_t *p = out + ETHER;
    if (six) {
        put32(p, 6u << 28);
        put16(p + 4, (unsigned)size);
        p[6] = (uint8_t)protocol;
        p[7] = (uint8_t)hops;
        put_ip(p + 8, src);
        put_ip(p + 24, &c->src);
        return ETHER + IP6 + size;
    }
    memset(p, 0, IP4);
    p[0] = 0x45;
    put16(p + 2, (unsigned)(IP4 + size));
    if (c->packet[6] & 0x40) {
        p[6] = 0x40; /* not to be fragmented, so the identification may be 0 (RFC 6864) */
    } else {
        memcpy(p + 4, c->packet + 4, 2); /* as unique the one way as the other */
    }
    p[8] = (uint8_t)hops;
    p[9] = (uint8_t)protocol;
    put_ip(p + 12, src);
    put_ip(p + 16, &c->src);
    put16(p + 10, fold(sum16(p, IP4, 0)));
    return ETHER + IP4 + size;
}

static uint8_t *
transport_at(const struct came *c, uint8_t *out)
{
    return out + ETHER + (c->src.family == IP_V6 ? IP6 : IP4);
}

static size_t
finish_icmp(const struct came *c, const struct ip *src, int hops, size_t size, uint8_t *out)
{
    int protocol = src->family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
    uint8_t *p = transport_at(c, out);
    put16(p + 2, 0);
    put16(p + 2, transport_checksum(src, &c->src, protocol, p, size));
    return finish(c, src, protocol, hops, size, out);
}

static size_t
unreachable(const struct came *c, int type4, int code4, int type6, int code6, uint8_t *out)
{
    bool six = c->src.family == IP_V6;
    uint8_t *p = transport_at(c, out);
    memset(p, 0, ICMP);
    p[0] = (uint8_t)(six ? type6 : type4);
    p[1] = (uint8_t)(six ? code6 : code4);
    if (six && type6 == 4) {
        p[7] = 6; /* parameter problem: the next header field */
    }
    size_t room = six ? 1280 - IP6 - ICMP : 576 - IP4 - ICMP; /* as much of what came as fits the smallest MTU */
    size_t size = c->packet_size < room ? c->packet_size : room;
    memcpy(p + ICMP, c->packet, size);
    return finish_icmp(c, &c->dst, TTL, ICMP + size, out);
}

/* What may be answered in turn goes back with the hops that were left: two hosts whom somebody makes talk to each other
 * by a forged sender's address come to an end. */
static int
hops_left(const struct came *c)
{
    int left = c->packet[c->src.family == IP_V6 ? 7 : 8];
    return left < TTL ? left : TTL;
}

/* ---- protocols ----------------------------------------------------------------------------------------------------
 */
static size_t
answer_arp(const struct tap_host *host, const uint8_t *frame, size_t size, uint8_t *out)
{
    static const uint8_t ethernet_ip4_request[] = { 0, 1, 8, 0, 6, 4, 0, 1 };
    const uint8_t *arp = frame + ETHER;
    if (size < ETHER + 28 || memcmp(arp, ethernet_ip4_request, sizeof ethernet_ip4_request) != 0) {
        return 0;
    }
    struct ip wanted = ip_of_bytes(arp + 24, IP_V4);
    if (!is_own(host, &wanted)) {
        return 0;
    }
    put_ether(host, arp + 8, TYPE_ARP, out);
    uint8_t *p = out + ETHER;
    memcpy(p, ethernet_ip4_request, 8);
    p[7] = 2;
    memcpy(p + 8, host->mac, 6);
    memcpy(p + 14, arp + 24, 4);
    memcpy(p + 18, arp + 8, 10);
    return ETHER + 28;
}

/* RFC 4861: an advertisement for an address that is ours. */
static size_t
answer_solicitation(const struct came *c, uint8_t *out)
{
    if (c->data_size < 24 || c->packet[7] != 255 || c->data[1] != 0) {
        return 0;
    }
    struct ip wanted = ip_of_bytes(c->data + 8, IP_V6);
    if (!is_own(c->host, &wanted) || !(c->src.hi | c->src.lo)) {
        return 0; /* nobody asks: duplicate address detection of what is ours cannot be */
    }
    uint8_t *p = transport_at(c, out);
    memset(p, 0, 32);
    p[0] = 136;
    p[4] = 0x60; /* solicited, override */
    put_ip(p + 8, &wanted);
    p[24] = 2;
    p[25] = 1;
    memcpy(p + 26, c->host->mac, 6);
    return finish_icmp(c, &wanted, 255, 32, out);
}

static size_t
answer_icmp(const struct came *c, uint8_t *out)
{
    bool six = c->src.family == IP_V6;
    if (c->data_size < ICMP) {
        return 0;
    }
    if (six && c->data[0] == 135) {
        return answer_solicitation(c, out);
    }
    if (c->multicast || c->data[0] != (six ? 128 : 8) || c->data[1] != 0) {
        return 0;
    }
    uint8_t *p = transport_at(c, out);
    memcpy(p, c->data, c->data_size);
    p[0] = six ? 129 : 0;
    return finish_icmp(c, &c->dst, TTL, c->data_size, out);
}

static size_t
answer_udp(const struct came *c, uint8_t *out)
{
    if (c->data_size < UDP || get16(c->data + 4) < UDP || get16(c->data + 4) > c->data_size) {
        return 0;
    }
    if (!is_open(c->host, PROTOCOL_UDP, get16(c->data + 2))) {
        return unreachable(c, 3, 3, 1, 4, out);
    }
    size_t size = get16(c->data + 4);
    uint8_t *p = transport_at(c, out);
    memcpy(p, c->data + 2, 2);
    memcpy(p + 2, c->data, 2);
    put16(p + 4, (unsigned)size);
    put16(p + 6, 0);
    memcpy(p + UDP, c->data + UDP, size - UDP);
    unsigned sum = transport_checksum(&c->dst, &c->src, PROTOCOL_UDP, p, size);
    put16(p + 6, sum ? sum : 0xffff);
    return finish(c, &c->dst, PROTOCOL_UDP, hops_left(c), size, out);
}

/* Our first sequence number: of this conversation, and no other's. */
static uint32_t
first_sequence(const struct came *c)
{
    uint64_t hash = ip_hash(&c->src) * 0x9e3779b97f4a7c15u ^ ip_hash(&c->dst);
    hash = (hash ^ get32(c->data)) * 0xd6e8feb86659fd93u;
    return (uint32_t)(hash >> 32);
}

/* A request that came in one segment, as all small ones do. */
static bool
is_http(const uint8_t *data, size_t size)
{
    static const char *const methods[] = { "GET ", "HEAD ", "POST ", "PUT ", "OPTIONS " };
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
        size_t n = strlen(methods[i]);
        if (size >= n && memcmp(data, methods[i], n) == 0) {
            return true;
        }
    }
    return false;
}

/* The whole answer; with it the connection ends, so nothing need be remembered. */
static size_t
write_page(const struct came *c, bool head_only, uint8_t *out)
{
    char body[IP_STR_SIZE + 8], text[256], ip[IP_STR_SIZE];
    int n = snprintf(body, sizeof body, "%s\n", ip_format(&c->dst, ip));
    n = snprintf(text, sizeof text,
                 "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", n,
                 head_only ? "" : body);
    memcpy(out, text, (size_t)n);
    return (size_t)n;
}

static size_t
answer_tcp(const struct came *c, uint8_t *out)
{
    size_t head = c->data_size >= TCP ? (size_t)(c->data[12] >> 4) * 4 : 0;
    if (head < TCP || head > c->data_size || (c->data[13] & RST)) {
        return 0;
    }
    int flags = c->data[13];
    uint32_t sequence = get32(c->data + 4), acknowledged = get32(c->data + 8), next = sequence;
    size_t length = c->data_size - head, size = TCP;
    next += (uint32_t)length + ((flags & SYN) ? 1 : 0) + ((flags & FIN) ? 1 : 0);
    /* Nobody here ever called: an answer to a call is as strange as a closed port. */
    bool open = is_open(c->host, PROTOCOL_TCP, get16(c->data + 2)) && (flags & (SYN | ACK)) != (SYN | ACK);
    unsigned words = 5;
    uint8_t *p = transport_at(c, out);
    memset(p, 0, TCP + 4);
    memcpy(p, c->data + 2, 2);
    memcpy(p + 2, c->data, 2);
    if (!open) {
        p[13] = (flags & ACK) ? RST : RST | ACK;
        put32(p + 4, (flags & ACK) ? acknowledged : 0);
        put32(p + 8, (flags & ACK) ? 0 : next);
    } else if ((flags & (SYN | ACK)) == SYN) {
        p[13] = SYN | ACK;
        put32(p + 4, first_sequence(c));
        put32(p + 8, sequence + 1);
        p[TCP] = 2;
        p[TCP + 1] = 4;
        put16(p + TCP + 2, c->src.family == IP_V6 ? MSS - 20 : MSS);
        size = TCP + 4;
        words = 6;
    } else if ((flags & ACK) && next != sequence) {
        bool page = is_http(c->data + head, length);
        p[13] = (uint8_t)(ACK | (page ? PSH | FIN : flags & FIN));
        put32(p + 4, acknowledged);
        put32(p + 8, next);
        size += page ? write_page(c, c->data[head] == 'H', p + TCP) : 0;
    } else {
        return 0; /* an acknowledgement of what we said */
    }
    p[12] = (uint8_t)(words << 4);
    put16(p + 14, WINDOW);
    put16(p + 16, transport_checksum(&c->dst, &c->src, PROTOCOL_TCP, p, size));
    return finish(c, &c->dst, PROTOCOL_TCP, (p[13] & (SYN | RST)) ? TTL : hops_left(c), size, out);
}

/* ---- frames -------------------------------------------------------------------------------------------------------
 */
bool
tap_packet(const uint8_t *frame, size_t size, const uint8_t **packet, size_t *packet_size)
{
    *packet = frame + ETHER;
    *packet_size = 0;
    if (size < ETHER + IP4) {
        return false;
    }
    size_t room = size - ETHER;
    if (get16(frame + 12) == TYPE_IP4 && (frame[ETHER] >> 4) == 4) {
        *packet_size = get16(frame + ETHER + 2);
    } else if (get16(frame + 12) == TYPE_IP6 && (frame[ETHER] >> 4) == 6 && room >= IP6) {
        *packet_size = IP6 + get16(frame + ETHER + 4);
    }
    return *packet_size >= IP4 && *packet_size <= room;
}

static bool
take_apart(struct came *c)
{
    const uint8_t *p = c->packet;
    size_t head = IP6;
    if (p[0] >> 4 == 4) {
        head = (size_t)(p[0] & 15) * 4;
        if (head < IP4 || head > c->packet_size || (get16(p + 6) & 0x3fff)) {
            return false; /* of a fragment nothing can be said alone */
        }
        c->src = ip_of_bytes(p + 12, IP_V4);
        c->dst = ip_of_bytes(p + 16, IP_V4);
        c->protocol = p[9];
    } else {
        c->src = ip_of_bytes(p + 8, IP_V6);
        c->dst = ip_of_bytes(p + 24, IP_V6);
        c->protocol = p[6];
        c->multicast = p[24] == 0xff;
    }
    c->data = p + head;
    c->data_size = c->packet_size - head;
    return is_own(c->host, &c->dst) || (c->multicast && c->protocol == PROTOCOL_ICMPV6);
}

bool
tap_is_martian(const struct tap_host *host, const uint8_t *packet, size_t size)
{
    bool six = packet[0] >> 4 == 6;
    if (six && size < IP6) {
        return false;
    }
    struct ip src = ip_of_bytes(packet + (six ? 8 : 12), six ? IP_V6 : IP_V4);
    return is_own(host, &src);
}

size_t
tap_answer(const struct tap_host *host, const uint8_t *frame, size_t size, uint8_t *out)
{
    if (size >= ETHER && get16(frame + 12) == TYPE_ARP) {
        return answer_arp(host, frame, size, out);
    }
    struct came c = { .host = host, .frame = frame };
    if (!tap_packet(frame, size, &c.packet, &c.packet_size) || !take_apart(&c)) {
        return 0;
    }
    switch (c.protocol) {
    case PROTOCOL_ICMP:
    case PROTOCOL_ICMPV6:
        if ((c.protocol == PROTOCOL_ICMPV6) == (c.src.family == IP_V6)) {
            return answer_icmp(&c, out);
        }
        break;
    case PROTOCOL_TCP:
        return answer_tcp(&c, out);
    case PROTOCOL_UDP:
        return answer_udp(&c, out);
    }
    return unreachable(&c, 3, 2, 4, 1, out);
}

size_t
tap_frame(const struct tap_host *host, const uint8_t router[6], const uint8_t *packet, size_t size, uint8_t *out)
{
    put_ether(host, router, packet[0] >> 4 == 6 ? TYPE_IP6 : TYPE_IP4, out);
    memcpy(out + ETHER, packet, size);
    return ETHER + size;
}
