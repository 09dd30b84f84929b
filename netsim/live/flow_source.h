/* netsim/live/flow_source.h - what the kernel counted of every flow through the lab's routers and transit gateways, as samples for flow logs.
 *
 * Uses: netsim/flowlog/flowlog.h.   Used by: cloud/flow_capture.c */
#pragma once
#include "netsim/flowlog/flowlog.h"

struct live;

/* Who is told: 'sample' once for each flow of an interface that had packets since the last poll, rejects with the rule that refused them; 'lost' for
 * each interface some of whose packets had no room in a router's table, with how many. */
struct live_flow_listener {
    void (*sample)(void *context, const struct flow_sample *sample);
    void (*lost)(void *context, const char *eni_id, uint64_t packets);
    /* The same of transit gateways, where any has a log; NULL: nobody wants them.  What was lost of a flow is told of both its attachments. */
    void (*transit)(void *context, const struct flow_transit_sample *sample);
    void (*transit_lost)(void *context, const char *tgw_id, const char *attachment_id, uint64_t packets);
    /* All that was counted is wanted now: where many flows are new the kernel may show some of them only to a second look, which a poll does without
     * otherwise, since the next one has it. */
    bool whole;
    void *context;
};
/* Reads the counters of every router and tells the differences to the last call.  'now_ms' is the lab's time, which the samples' times
 * are in.  Interfaces no flow log covers are not counted.  Called about once a second; two calls in a row tell nothing twice. */
bool live_flows_poll(struct live *live, const struct network *net, int64_t now_ms, const struct live_flow_listener *listener,
                     struct err *err);

/* What a number of enum plan_refusal is called at an interface: "acl-0a1b:ingress:100". */
void live_refusal_name(const struct live *live, const struct network *net, const char *eni_id, uint32_t refusal,
                       char rule[static FLOW_RULE_SIZE]);
