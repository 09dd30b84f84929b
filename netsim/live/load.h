/* netsim/live/load.h - as much traffic as a way carries, or as was asked for, between two sockets of a live lab, counted at both ends.
 *
 * The sockets were opened in the namespaces of the two machines (live_socket()); they work wherever their descriptors are, so this runs in the
 * caller's process, the receiving end in a thread of its own.  Bounded in time and, with 'count', in bytes.  Or the two ends are two programs, each
 * in a machine of the lab: load_receive() counts there and tells the sender.
 *
 * Uses: tap_flow.h.   Used by: cloud/ops_load.c, cloud/load_inside.c */
#pragma once
#include <signal.h>
#include <stddef.h>
#include "base/err.h"
#include "base/ip.h"

#define LOAD_UDP_MIN 16    /* a datagram says which it is */
#define LOAD_UDP_MAX 65507
#define LOAD_TCP_MAX (16 << 20)

struct load_options {
    int protocol;                  /* TCP or UDP */
    struct ip to;
    int port;
    int max_ms;                    /* of sending */
    long long count;               /* writes or datagrams at most; 0: no limit */
    size_t size;                   /* bytes of each */
    long long bits_per_second;     /* 0: as fast as it goes */
    struct ip from;                /* the sender is a TAP host: its address and port (tap_flow.h); family 0: a socket */
    int from_port;
    bool ask;                      /* without 'receiver': load_receive() may be at the other end, so ask what it got */
    const volatile sig_atomic_t *stop; /* ends it early; NULL: nothing does */
};
struct load_result {
    long long sent_bytes, sent_packets;         /* TCP: segments with data */
    long long received_bytes, received_packets; /* -1: nobody counted them */
    long long retransmitted;                    /* TCP */
    long long duplicates, out_of_order;         /* UDP */
    double seconds;  /* from the first packet sent to the last received */
    double rtt_ms;   /* TCP, smoothed; 0: not known */
    bool complete;   /* TCP: all that was sent was received */
    bool told;       /* load_receive() said what it got */
};
/* 'sender': a socket, or what carries the packets of a TAP host.  'receiver': a socket bound to the port, listening if TCP; -1: a machine of which only the answers are counted (TCP: what it acknowledged; UDP: what
 * came back).  Closes neither.  ERR_MACHINE when no connection comes about, in the kernel's words. */
bool load_run(int sender, int receiver, const struct load_options *options, struct load_result *result, struct err *err);

/* The other end alone.  'tcp' is a listening socket, 'udp' a bound one; both stay open.  Each connection and each run of datagrams is counted,
 * reported to its sender, and told to 'visit' (from.. protocol as in load_options) when it has ended.  Goes on for 'max_ms' (0: without end), or until 'stop'. */
typedef void load_visit(void *context, const struct ip *from, int port, int protocol, const struct load_result *result);
bool load_receive(int tcp, int udp, long long max_ms, const volatile sig_atomic_t *stop, load_visit *visit, void *context, struct err *err);
