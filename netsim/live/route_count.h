/* netsim/live/route_count.h - which routes of the VPCs' route tables packets take, counted by the routers' kernels while somebody wants to know.
 *
 * The kernel's routing keeps no counters.  So each router gets a table of its own for a while that looks at a packet once it is routed: its mark
 * says by which route table, its destination to which block, and the link by which it leaves whether the route's target is where it goes.  A
 * packet that would leave by another link counts for no route.  What a blackhole takes is counted before it is routed.
 *
 * Uses: libnftables.   Used by: cloud/live_link.c; meter.c tells the counters. */
#pragma once
#include "netsim/live/live.h"

/* Begins anew, from 0, or ends it.  The routes are those of now.  ERR_MACHINE. */
bool live_count_routes(struct live *live, const struct network *net, bool on, struct err *err);
