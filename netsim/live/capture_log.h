/* netsim/live/capture_log.h - what a VPC's router refuses while a capture runs, by the kernel's packet log.
 *
 * All of these are called in the router's network namespace or use sockets that were opened there.   Used by: capture.c */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/live/plan_flows.h"

struct capture_refusal {
    uint32_t refusal;              /* enum plan_refusal */
    uint32_t in_index, out_index;  /* of the router's links */
    const uint8_t *packet;         /* begins with the IP header; good during the call */
    size_t size;
};
typedef void capture_on_refusal(void *context, const struct capture_refusal *refusal);

struct capture_log;
/* Binds a group that no other capture has and puts a `log` into its chain.  ERR_MACHINE: as many captures run as the router has groups, or the
 * kernel has no packet log. */
struct capture_log *capture_log_open(struct err *err);
void capture_log_close(struct capture_log *log); /* NULL is fine */
int capture_log_fd(const struct capture_log *log); /* -1 for NULL */
void capture_log_read(struct capture_log *log, capture_on_refusal *each, void *context); /* all that waits */

/* Index of a veth's other end, as its own namespace counts; 0 if there is none.  In the namespace of 'link'. */
uint32_t capture_peer_index(const char *link);
