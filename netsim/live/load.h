/* netsim/live/load.h - as much traffic as a way carries, or as was asked for, between two sockets of a live lab, counted at both ends.
 *
 * The sockets were opened in the namespaces of the two machines (live_socket()); they work wherever their descriptors are, so this runs in the
 * caller's process, the receiving end in a thread of its own.  Bounded in time and, with 'count', in bytes.
 *
 * Uses: nothing of the lab.   Used by: cloud/ops_load.c */
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
};
/* 'receiver': a socket bound to the port, listening if TCP; -1: a machine of which only the answers are counted (TCP: what it acknowledged; UDP: what
 * came back).  Closes neither.  ERR_MACHINE when no connection comes about, in the kernel's words. */
bool load_run(int sender, int receiver, const struct load_options *options, struct load_result *result, struct err *err);
