/* netsim/live/capture.h - packets of a live lab into a pcapng file, with the interface that saw them and what became of them.
 *
 * Runs in the caller's process: a child joins the lab's namespaces, opens the links with libpcap, and listens to the router's `log` for what is
 * refused.  While nobody captures, the kernel holds nothing for it but four empty chains that only refused packets pass.
 *
 * A frame that comes in on an interface was accepted; one that leaves it is held back for a moment and compared with what the router refused.  What
 * the router refused on its way to the interface never was on its link: it is in the file as seen at the interface "ENI refused".
 *
 * Uses: libpcap (links and filter expressions), netsim/flowlog/pcapng.h.   Used by: cloud/ops_capture.c */
#pragma once
#include "base/err.h"
#include "base/id.h"
#include "netsim/model/network.h"

struct capture_link {
    int net_fd;             /* of the namespace that has the link */
    char link[16];          /* "eth0" there; "any": all of them, cooked as libpcap does */
    char name[ID_SIZE];     /* in the file: the interface's id */
    char description[160];
    const struct eni *eni;  /* NULL: a gateway's link, of which no verdicts are told */
    bool outside;           /* the router's end: a TAP host has no other, and others may share it; it needs 'eni' */
};
struct capture_options {
    int user_fd;            /* the lab's user namespace */
    int router_fd;          /* of the VPC whose router refuses; -1: no verdicts */
    const char *lab_socket; /* the keeper's: the capture ends when none answers there any more */
    const char *filter;     /* libpcap's expressions; NULL: everything */
    int buffer_bytes;       /* of the kernel's buffer for each link; 0: a share of 64 MiB, 2 to 16 MiB */
    size_t ring_bytes;      /* the file holds so much and keeps the newest packets (capture_ring.h); 0: it grows */
    int spare_fd;           /* for the ring: an empty file that nobody else has, to read and write, as 'out_fd' must be then */
    long long max_packets;  /* 0: no limit */
    int max_ms;             /* 0: no limit */
    bool replaces;          /* what the file held goes when the first packet may come, and stays where nothing can be captured */
    int64_t ahead_us;       /* the lab's clock before the machine's: packets have its times */
    void (*ready)(void *context); /* every link is open; may be NULL */
    void *context;
};
struct capture_result {
    long long packets, refused; /* captured; how many of them the router refused */
    long long overwritten;      /* of those, no longer in the ring */
    long long dropped;          /* the kernel had no room for */
};
/* Until a limit is reached, SIGINT, SIGTERM, the end of the lab or of a link; then the file is whole.  'out_fd' is written, not closed.
 * ERR_USAGE for a filter that libpcap does not understand, in its words; ERR_MACHINE when links cannot be opened. */
bool capture_run(const struct network *net, const struct capture_link *links, size_t n_links, const struct capture_options *options, int out_fd,
                 struct capture_result *result, struct err *err);
