/* cloud/flow_capture.h - in the keeper of a live lab: from the kernel's counters to the files of the flow logs.
 *
 * The keeper owns one capture, in cloud->flows: flow_capture_start() once the lab is up, flow_capture_tick() about each second,
 * flow_capture_stop() before the network goes.  A record is written when its log's aggregation interval is over, when somebody asks
 * (`vpclab flows`), and at the end.
 *
 * Uses: netsim/flowlog, netsim/live/flow_source.h, flow_store.h.   Used by: ops_live.c, ops_flows.c */
#pragma once
#include "cloud/cloud.h"
#include "netsim/live/flow_source.h"

/* live_flows_poll(), or what a test puts in its place. */
typedef bool flow_poll(struct live *live, const struct network *net, int64_t now_ms, const struct live_flow_listener *listener,
                       struct err *err);

struct flow_capture;
/* Sets cloud->flows. */
void flow_capture_start(struct cloud *cloud, flow_poll *poll);
/* Counts what went by and writes the records of intervals that are over; with 'flush' also of those that still run.  On failure what
 * could not be written is lost, as AWS loses records it cannot deliver; 'err' says why. */
bool flow_capture_tick(struct cloud *cloud, bool flush, struct err *err);
/* Writes what is left, frees cloud->flows and clears it; nothing to do when it is NULL. */
void flow_capture_stop(struct cloud *cloud);
