/* netsim/live/packet.h - the bytes of probe packets: made, and recognised again after translation.
 *
 * A probe carries its number where no translation touches it: in the TCP sequence number (the answer acknowledges it), else in the payload.
 * 'nonce' tells this run's packets from any others.   Used by: probe.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/filter.h>
#include "base/ip.h"

#define PACKET_MAX 128

struct packet_spec {
    struct ip src, dst;
    int protocol;
    int src_port, dst_port; /* ICMP: code and type */
    uint32_t nonce, number; /* number: below 2^20 */
    bool answer;            /* of a UDP or other probe, which we answer ourselves */
};
/* Writes a whole packet with its IP header; returns its size. */
size_t packet_build(const struct packet_spec *spec, uint8_t out[static PACKET_MAX]);

enum packet_kind { PACKET_OTHER, PACKET_PROBE, PACKET_ANSWER };
struct packet_seen {
    uint32_t number;
    int src_port, dst_port;
    bool refused; /* an answer that says the TCP port is closed */
};
/* What a packet without its IP header is. */
enum packet_kind packet_read(const uint8_t *data, size_t size, int family, int protocol, uint32_t nonce, struct packet_seen *seen);

/* A socket filter that passes only probes and answers with this nonce, for a raw socket of the family (IPv4 ones see the IP header). */

#define PACKET_FILTER_MAX 16
size_t packet_filter(int family, int protocol, uint32_t nonce, struct sock_filter out[static PACKET_FILTER_MAX]);
