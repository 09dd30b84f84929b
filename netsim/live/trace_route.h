/* netsim/live/trace_route.h - why a router or transit gateway sent a packet nowhere: the route that the kernel took, and what the model knows of it.
 * Used by: trace.c */
#pragma once
#include "base/buf.h"
#include "netsim/live/plan.h"
#include "netsim/model/network.h"

/* One clause, "`tgw-rtb-0a1b` has a blackhole route: 10.9.0.0/16".  'mark' and 'table_id' are the route table's that the packet was looked up in. */
void trace_route_say(const struct network *net, const struct plan_ns *ns, uint32_t mark, const char *table_id, const struct ip *to, struct buf *text);
