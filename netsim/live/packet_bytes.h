/* netsim/live/packet_bytes.h - numbers, addresses and checksums in the bytes of a packet.  Used by: packet.c, tap_stack.c */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/ip.h"

static inline void
put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline void
put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static inline unsigned
get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static inline uint32_t
get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static inline void
put_ip(uint8_t *p, const struct ip *ip)
{
    ip_to_bytes(ip, p);
}

/* RFC 1071: the sum of 16 bit words, and its complement. */
static inline uint32_t
sum16(const uint8_t *data, size_t size, uint32_t sum)
{
    uint64_t wide = sum; /* a sum of 64 KiB would not fit */
    for (size_t i = 0; i + 1 < size; i += 2) {
        wide += get16(data + i);
    }
    if (size & 1) {
        wide += (unsigned)data[size - 1] << 8;
    }
    while (wide >> 32) {
        wide = (wide & 0xffffffff) + (wide >> 32);
    }
    return (uint32_t)wide;
}

static inline unsigned
fold(uint32_t sum)
{
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return ~sum & 0xffff;
}

/* Of a TCP, UDP or ICMPv6 message, with the pseudo header of RFC 793 and RFC 8200; ICMP for IPv4 has none. */
static inline unsigned
transport_checksum(const struct ip *src, const struct ip *dst, int protocol, const uint8_t *data, size_t size)
{
    uint32_t sum = 0;
    if (protocol != PROTOCOL_ICMP) {
        uint8_t pseudo[32];
        size_t n = src->family == IP_V4 ? 4 : 16;
        put_ip(pseudo, src);
        put_ip(pseudo + n, dst);
        sum = sum16(pseudo, 2 * n, (uint32_t)size + (uint32_t)protocol);
    }
    return fold(sum16(data, size, sum));
}
