/* netsim/live/gwlb_flows.h - the flows that a Gateway Load Balancer knows, and those that an appliance answers.
 *
 * Both directions of a flow are one.  What tells flows apart is said by the group's stickiness; flows of two endpoints are never the same, for
 * the networks behind them may have the same addresses.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/edit-target-group-attributes.html (flow stickiness)
 * Uses: geneve.h.   Used by: gwlb.c */
#pragma once
#include "netsim/live/geneve.h"

enum flow_stickiness { FLOW_5_TUPLE, FLOW_3_TUPLE /* addresses and protocol */, FLOW_2_TUPLE /* addresses */ };
enum { FLOW_TCP_IDLE_MS = 350000, FLOW_IDLE_MS = 120000 /* of all but TCP */, FLOWS_MAX = 131072 };

/* Addresses and ports in one order, whichever way the packet goes. */
struct flow_key {
    uint64_t owner;
    struct ip low, high;
    uint16_t low_port, high_port;
    uint8_t protocol;
};
struct flow_key flow_key_of(uint64_t owner, const struct flow_tuple *tuple, enum flow_stickiness stickiness);

struct gwlb_flow {
    struct flow_key key;
    struct ip peer;     /* the balancer's: the target, IP_NONE when there is none; the appliance's: the balancer's node */
    uint16_t port;      /* the source port of its GENEVE packets */
    struct geneve head; /* of the balancer's, its cookie; of the appliance's, the latest that came */
    int64_t used_ms;
    struct gwlb_flow *next;           /* of one bucket */
    struct gwlb_flow *older, *newer;  /* by last use */
};
struct gwlb_flows;
struct gwlb_flows *gwlb_flows_new(size_t most); /* of 'most' flows the one that is longest unused makes room */
void gwlb_flows_free(struct gwlb_flows *flows);
/* NULL: not known, or idle for too long.  What is found is used 'now'. */
struct gwlb_flow *gwlb_flows_find(struct gwlb_flows *flows, const struct flow_key *key, int64_t now_ms);
struct gwlb_flow *gwlb_flows_add(struct gwlb_flows *flows, const struct flow_key *key, int64_t now_ms); /* it is not there yet */
size_t gwlb_flows_count(const struct gwlb_flows *flows);
/* Each that is not idle for too long. */
void gwlb_flows_visit(const struct gwlb_flows *flows, int64_t now_ms, void (*visit)(void *context, const struct gwlb_flow *flow), void *context);
