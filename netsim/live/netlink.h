/* netsim/live/netlink.h - batches of rtnetlink changes in one network namespace.
 *
 * A netlink socket stays bound to the namespace it was opened in, so a queue opened while inside keeps working after the process has
 * moved on.  Changes are collected and sent many to a system call, with an acknowledgement for the last only (errors come anyway).
 * Indexes of links are chosen by us (the plan), so that nothing must be looked up between creating a link and routing over it.
 *
 * Uses: libnl (building messages).   Used by: apply.c, doctor.c, bench/bench_live.c */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/err.h"
#include "base/ip.h"

struct nlq; /* a queue */

/* Moves a descriptor above 1023 and returns the new number: libnftables waits with select(), so the low numbers are kept for it. */
int nlq_high_fd(int fd);

struct nlq *nlq_new(struct err *err); /* in the namespace the calling thread is in; NULL and ERR_MACHINE on failure */
void nlq_free(struct nlq *q);

struct nlq_end { /* one end of a veth pair */
    uint32_t index;
    char name[16];
    uint32_t group;
    uint8_t mac[6];
    uint32_t mtu;
    bool single; /* what is sent into it is cut to packets of one segment first, as if nlq_exact() had been said */
};
enum nlq_route_type { NLQ_UNICAST, NLQ_BLACKHOLE, NLQ_LOCAL };
struct nlq_route {
    uint32_t table;
    struct cidr to;
    enum nlq_route_type type;
    uint32_t index;  /* of the link; 0 for blackholes */
    struct ip via;   /* IP_NONE: directly on the link */
    struct ip source; /* preferred source; IP_NONE: the kernel's choice */
    uint32_t metric; /* 0: the kernel's default */
};
struct nlq_rule {
    uint8_t family; /* enum ip_family */
    uint32_t priority, mark /* 0: any */, table;
    struct cidr from; /* family IP_NONE: any */
    char iif[16];     /* by which link it came in; "": any */
};

/* Links that are added from here on carry every packet by itself (no segmentation offload): slower, and counted as on a wire. */
void nlq_exact(struct nlq *q);

/* Who is root in the namespace may have taken its links away: from now on, what is put on one that is gone is no error. */
void nlq_links_may_be_gone(struct nlq *q, bool may_be);

/* Each adds one change to the queue.  Deletions of what is gone already are no error. */
/* 'here' is up at once, its peer when its own namespace says so. */
void nlq_veth_add(struct nlq *q, const struct nlq_end *here, const struct nlq_end *peer, int peer_ns_fd);
/* Address, MTU, group and room for frames (a TAP device takes 8 bytes each) of a link that is there; then it is up. */
void nlq_link_set(struct nlq *q, const struct nlq_end *end, uint32_t queue);
void nlq_link_delete(struct nlq *q, uint32_t index);
void nlq_link_up(struct nlq *q, uint32_t index);
void nlq_link_no_auto6(struct nlq *q, uint32_t index); /* no link-local address of the kernel's making */
void nlq_address(struct nlq *q, bool add, uint32_t index, const struct ip *ip, uint8_t bits);
void nlq_route(struct nlq *q, bool add, const struct nlq_route *route); /* adding replaces one to the same block in the table */
void nlq_rule(struct nlq *q, bool add, const struct nlq_rule *rule);
void nlq_neighbour(struct nlq *q, bool add, uint32_t index, const struct ip *ip, const uint8_t mac[6]); /* permanent */
void nlq_no_proxy_delay(struct nlq *q, uint32_t index);

/* Waits (at most about a second) until the link carries packets: the end that was up before its peer is switched on by the kernel's own
 * worker a little later, and drops packets until then. */
void nlq_link_wait(struct nlq *q, uint32_t index);
/* The same for an IPv6 address of this namespace: the route that makes it one's own is another worker's, duplicate detection or not. */
void nlq_address_wait(struct nlq *q, const struct ip *ip);

/* Sends what waits.  All messages are tried; the first that failed is told in 'err'. */
bool nlq_flush(struct nlq *q, struct err *err);
