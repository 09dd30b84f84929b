/* netsim/live/tap_flow.h - the sending end of a UDP or TCP flow of a TAP host, which has no kernel that would be it.
 *
 * Its IP packets go and come by a descriptor, one at a time (tap_hosts_lend()).  TCP as RFC 9293 has it with the congestion control of RFC 5681 and
 * 6582 (NewReno), timeouts of RFC 6298, and RFC 7323's windows; no SACK, no time stamps.  What the far end sends is acknowledged and thrown away.
 * An ICMP error that names a smaller MTU makes segments smaller, and pieces of datagrams (RFC 1191, 8201): of UDP it is seen by who receives.  Never blocks but in tap_flow_wait() and tap_flow_connect().
 *
 * Uses: fragments.h, packet_bytes.h.   Used by: load.c */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/ip.h"

#define TAP_FLOW_MTU 9001 /* of a TAP host's interface */
#define TAP_FLOW_UDP_MAX(family) (65535 - ((family) == IP_V6 ? 0 : 20) - 8) /* bytes of a datagram; longer than the MTU it goes in pieces */

struct tap_flow_end {
    struct ip src, dst;
    int protocol; /* TCP or UDP */
    int src_port, dst_port;
};
struct tap_flow;
struct tap_flow *tap_flow_new(int fd, const struct tap_flow_end *end); /* 'fd' stays the caller's */
void tap_flow_free(struct tap_flow *flow);

/* TCP's handshake; false: errno says why (ECONNREFUSED, ETIMEDOUT).  UDP has none. */
bool tap_flow_connect(struct tap_flow *flow, int timeout_ms);
/* As send(): how much was taken, -1 with EAGAIN (wait), EMSGSIZE or the reason why the connection is broken. */
ssize_t tap_flow_send(struct tap_flow *flow, const void *data, size_t size);
/* UDP: the next datagram that came, as recv(); -1 with EAGAIN.  Another thread may do this while one sends. */
ssize_t tap_flow_receive(struct tap_flow *flow, void *data, size_t size);
/* Does what is due and returns when something came or can be sent, or after 'ms'. */
void tap_flow_wait(struct tap_flow *flow, int ms);
/* TCP: no more will be sent; true when all is acknowledged and the far end has ended too, or the connection is broken. */
bool tap_flow_end(struct tap_flow *flow);

struct tap_flow_count {
    long long segments, retransmitted; /* with data */
    long long acknowledged;            /* bytes */
    double rtt_ms;                     /* smoothed; 0: not known */
};
struct tap_flow_count tap_flow_counted(const struct tap_flow *flow);
