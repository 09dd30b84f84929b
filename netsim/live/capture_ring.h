/* netsim/live/capture_ring.h - a capture file that never grows beyond a size and keeps the newest packets.
 *
 * Two files, each at most half as large, are written by turns: a full one makes the other begin anew.  Either is a whole pcapng file at any
 * moment; at the end both are put together, older one first, which pcapng allows (a file may have several sections).
 * Used by: capture.c */
#pragma once
#include "base/buf.h"

struct capture_ring {
    int fds[2];         /* the file and its spare, both to read and write; borrowed */
    size_t half;        /* bytes that either holds; 0: no ring, the file grows */
    struct buf begin;   /* what each begins with */
    int writing;
    size_t sizes[2];
    long long packets[2], overwritten;
};
enum { CAPTURE_RING_MIN = 1 << 20 }; /* both halves have room for the largest packets */

/* 'bytes' of one packet, after 'begin' has been filled in. false: the disk is full. */
bool capture_ring_add(struct capture_ring *ring, const void *bytes, size_t size);
/* Everything is in fds[0]. */
bool capture_ring_finish(struct capture_ring *ring);
