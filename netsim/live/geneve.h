/* netsim/live/geneve.h - what a Gateway Load Balancer and its appliances put before an IP packet (after the outer UDP header), as bytes.
 *
 * GENEVE with VNI 0 and AWS's options, class 0x0108: 1 the endpoint (64 bits), 2 the attachment (64 bits), 3 the flow cookie (32 bits).  An
 * appliance sends all of them back as they came.
 * Sources: RFC 8926;
 * https://aws.amazon.com/blogs/networking-and-content-delivery/integrate-your-custom-logic-or-appliance-with-aws-gateway-load-balancer/
 * Uses: packet_bytes.h.   Used by: gwlb.c, gwlb_flows.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ip.h"

enum {
    GENEVE_PORT = 6081,
    GENEVE_HEAD = 40,       /* header and AWS's options */
    GENEVE_INNER_MAX = 8500 /* a larger packet is not carried, and nobody is told */
};
struct geneve {
    uint64_t endpoint, attachment;
    uint32_t cookie;
};

/* The head of a packet of that family. */
void geneve_write(const struct geneve *head, int family, uint8_t out[static GENEVE_HEAD]);
/* '*inner' is where the IP packet in 'data' begins.  False: not GENEVE of version 0 with an IP packet whole, or one of AWS's options is missing;
 * other options are passed over, but for critical ones. */
bool geneve_read(const uint8_t *data, size_t size, struct geneve *head, const uint8_t **inner, size_t *inner_size);

/* The outer headers (IPv4 and UDP, 28 bytes) before 'size' bytes; the UDP checksum is 0, as RFC 8926 permits. */
#define GENEVE_OUTER 28
void geneve_outer(const struct ip *src, const struct ip *dst, uint16_t src_port, size_t size, uint8_t out[static GENEVE_OUTER]);

/* The five numbers of a flow, as a packet bears them. */
struct flow_tuple {
    struct ip src, dst;
    uint16_t src_port, dst_port; /* 0: neither TCP nor UDP, or a fragment after the first */
    uint8_t protocol;
    bool opens; /* a TCP packet that begins a connection */
};
/* False: no whole header of IPv4 or IPv6, or another length than it says. */
bool flow_tuple_read(const uint8_t *packet, size_t size, struct flow_tuple *tuple);
