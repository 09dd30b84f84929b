/* netsim/live/gwlb.h - Gateway Load Balancers at work: one thread of the keeper carries packets between endpoints and appliances.
 *
 *     router -> endpoint's interface -> [choice of a target, GENEVE] -> node -> its VPC's router -> appliance, UDP 6081
 *     appliance: [the packet] -> gwi-... -> the instance's kernel forwards it, or does not -> gwi-... -> [GENEVE] -> node
 *     node -> [is it a packet of that flow and target?] -> endpoint's interface -> router
 *
 * What is in brackets is done here; all else the kernel does, by the plan's routes and rules.  A flow stays with its target, in both directions.
 * A TCP packet of no flow that is known is lost unless it opens one.
 *
 * Uses: plan_gwlb.h, gwlb_flows.h.   Used by: live.c, probe.c, meter.c */
#pragma once
#include <sched.h>
#include "netsim/live/apply.h"

struct gwlb;
struct gwlb *gwlb_new(struct err *err); /* NULL: no thread or no epoll */
void gwlb_free(struct gwlb *gwlb);
/* Carries what 'plan' says, which the kernel holds already; flows that are known stay.  False where the kernel refuses a socket: the endpoint
 * then carries nothing. */
bool gwlb_sync(struct gwlb *gwlb, const struct spaces *spaces, const struct plan *plan, struct err *err);

/* Until gwlb_unwatch() 'seen', called by the thread, is told of each packet of a flow that enters an endpoint and of each that comes out of it again. */
typedef void gwlb_seen(void *context, const char *endpoint_id, const uint8_t *packet, size_t size, bool comes_out);
void gwlb_watch(struct gwlb *gwlb, gwlb_seen *seen, void *context);
void gwlb_unwatch(struct gwlb *gwlb);
/* Returns when all that waited at the time of the call is carried on; how many packets that was since the last call. */
size_t gwlb_settle(struct gwlb *gwlb);

/* Of each node of a balancer since it is there: flows and packets to and from targets, and the flows that it knows now. */
struct gwlb_count {
    uint64_t flows, packets, bytes, active;
};
typedef void gwlb_counted(void *context, const char *eni_id, const struct gwlb_count *count);
void gwlb_counts(struct gwlb *gwlb, gwlb_counted *counted, void *context);

void gwlb_run_on(struct gwlb *gwlb, const cpu_set_t *processors); /* where the thread may run */
