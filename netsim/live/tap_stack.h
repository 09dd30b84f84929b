/* netsim/live/tap_stack.h - what a host answers to an Ethernet frame, as bytes: a machine without a kernel of its own.
 *
 * It keeps no state between frames, so that thousands of hosts cost nothing: every answer follows from the frame alone.
 *     ARP, neighbour solicitation   for its own addresses
 *     echo request                  the same back
 *     UDP                           to an open port: the same back (echo, RFC 862); else port unreachable
 *     TCP                           to an open port: handshake; an HTTP request gets a page that names the host, and the end; all else is
 *                                   acknowledged and thrown away (discard, RFC 863), FIN answered by FIN; a closed port: RST (RFC 9293, 3.10.7.1)
 *     other protocols               protocol unreachable (RFC 1122, 3.2.2.1; RFC 4443, 3.4)
 * Fragments (what puts them together stands before it: tap_fragments.h), broadcasts and what is not for its addresses get no answer.  An answer of
 * IPv4 may be cut where what it answers might have been, and has its identification then.  Checksums of what comes are not verified: on the way through one
 * machine they are often not computed.
 *
 * Uses: packet_bytes.h.   Used by: tap_hosts.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/ip.h"
#include "base/vec.h"

#define TAP_FRAME_MAX (65535 + 40 + 14) /* the longest packet of IPv6, which comes in pieces */

struct tap_port {
    uint8_t protocol; /* TCP or UDP */
    struct port_range ports;
};
struct tap_host {
    uint8_t mac[6];
    VEC(struct ip) addresses;
    VEC(struct tap_port) open;
};

/* Writes the answer to 'out', which has room for TAP_FRAME_MAX bytes; returns its size, 0 for silence. */
size_t tap_answer(const struct tap_host *host, const uint8_t *frame, size_t size, uint8_t *out);

/* Puts an Ethernet header to the router before the IP packet of 'size' bytes; returns the size of the frame. */
size_t tap_frame(const struct tap_host *host, const uint8_t router[6], const uint8_t *packet, size_t size, uint8_t *out);

/* Where the IP packet in a frame begins and how long it is by its own header; false if the frame carries none. */
bool tap_packet(const uint8_t *frame, size_t size, const uint8_t **packet, size_t *packet_size);
/* Does it come in with an address of the host itself?  Linux takes no such packet.  'size': of an IP packet, as tap_packet() found it. */
bool tap_is_martian(const struct tap_host *host, const uint8_t *packet, size_t size);
