/* netsim/live/nat64_carrier.h - NAT64 at work: one thread of the keeper translates what the NAT gateways' kernels lead to it.
 *
 * An IPv6 client is given an address of the gateway's pool when it sends its first packet, and keeps it.
 * Uses: nat64.h, plan_nat64.h, carrier.h.   Used by: live.c, probe.c */
#pragma once
#include <sched.h>
#include "netsim/live/apply.h"

struct nat64_carrier;
struct nat64_carrier *nat64_carrier_new(struct err *err); /* NULL: no thread or no epoll */
void nat64_carrier_free(struct nat64_carrier *carrier);
/* Serves the gateways of 'plan', which the kernel has already.  False where the kernel refuses a socket. */
bool nat64_carrier_sync(struct nat64_carrier *carrier, const struct spaces *spaces, const struct plan *plan, struct err *err);
size_t nat64_carrier_settle(struct nat64_carrier *carrier); /* as carrier_settle() */
void nat64_carrier_run_on(struct nat64_carrier *carrier, const cpu_set_t *processors);
