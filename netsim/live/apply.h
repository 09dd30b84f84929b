/* netsim/live/apply.h - the kernel brought from one plan to the next.
 *
 * A 'space' is a network namespace and what was opened inside it: a netlink queue and, where it filters, an nftables context.  Both stay bound
 * to the namespace, so that changes later need no switching.  Rules (apply_rules.h) are loaded before links, so no packet passes unfiltered.
 *
 * Uses: plan.h.   Used by: live.c, probe.c, flow_source.c */
#pragma once
#include "base/progress.h"
#include "netsim/live/guests.h"
#include "netsim/live/plan.h"

struct nft_ctx;
struct tap_hosts;
struct space {
    char *id;
    uint32_t serial; /* of no other space, also when an id comes back */
    enum plan_kind kind;
    int fd; /* of the network namespace */
    struct nlq *q;
    struct nft_ctx *nft; /* NULL until it has rules */
    int batch_fd;        /* nft_batch.h; -1 until needed */
    size_t batch_limit;
    struct guest guest;  /* what its programs share; made for the first of them */
};
struct spaces {
    struct map by_id;          /* id -> struct space */
    VEC(struct space *) list;
    uint32_t last_serial;
    int home;                  /* the namespace of the keeper itself */
    struct tap_hosts *taps;    /* who is behind TAP devices; NULL until the first */
    bool exact;                /* links without segmentation offload: every packet counts */
    struct guests *guests;     /* who owns the namespaces of instances */
    bool has_ip6;              /* the kernel has IPv6 */
    struct map defaults;       /* kernel switch -> its value in a new namespace (owned text) */
    size_t transaction_size;   /* bytes of the largest nftables transaction: a user namespace may not enlarge the socket's buffer at will */
};

bool spaces_init(struct spaces *spaces, struct err *err);
void spaces_done(struct spaces *spaces);
struct space *spaces_find(const struct spaces *spaces, const char *id); /* NULL if there is none */

/* Commands of nft in one transaction, beside what the plan says; the space must have rules. */
bool space_nft(struct space *space, const char *text, struct err *err);

/* What an instance's programs share, borrowed; made when first asked for and when its first process is dead.  NULL with 'err'. */
const struct guest *space_guest(const struct spaces *spaces, struct space *space, struct err *err);

/* Runs the calling thread in the namespace; the caller goes back home.  Failure is a fault of ours, hence fatal. */
void spaces_enter(const struct spaces *spaces, const struct space *space);
void spaces_go_home(const struct spaces *spaces);

/* From what 'from' (NULL: nothing) says to what 'to' says.  On failure everything is put back as 'from' says and 'err' tells why. */
bool apply(struct spaces *spaces, const struct plan *from, const struct plan *to, const struct progress *progress, struct err *err);
