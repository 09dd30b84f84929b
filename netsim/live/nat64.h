/* netsim/live/nat64.h - what a NAT gateway does with NAT64, as bytes: packets to 64:ff9b::/96 become IPv4, and their answers IPv6 again.
 *
 * Each IPv6 client has an IPv4 address of the gateway's own making, so headers are translated without a memory of flows; the gateway's ordinary
 * translation comes after it.  TCP, UDP, echo, and the errors of ICMP with the packet they are about; checksums are mended, not made anew, so
 * that a wrong one stays wrong.
 * Sources: RFC 7915 (headers, ICMP), RFC 6052 (addresses);  https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html
 * Uses: packet_bytes.h.   Used by: nat64_carrier.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ip.h"

#define NAT64_PREFIX "64:ff9b::/96"
enum {
    NAT64_PACKET_MAX = 65535 + 40,
    NAT64_PIECE = 1280 /* what every way of IPv6 carries */
};

/* The addresses in a packet's header; false: no header of that family. */
bool nat64_addresses(const uint8_t *packet, size_t size, struct ip *src, struct ip *dst);

/* A whole packet (no fragment: fragments.h) in the other family; returns its size, 0: it is not carried.  'client4' stands for the IPv6 sender, or receiver.
 * 'may_cut': the sender cut it himself, so routers of IPv4 may do so too (else only what fits every way of IPv6). */
size_t nat64_to4(const uint8_t *packet, size_t size, const struct ip *client4, bool may_cut, unsigned id,
                 uint8_t out[static NAT64_PACKET_MAX]);
size_t nat64_to6(const uint8_t *packet, size_t size, const struct ip *client4, const struct ip *client6, uint8_t out[static NAT64_PACKET_MAX]);
