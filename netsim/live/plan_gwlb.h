/* netsim/live/plan_gwlb.h - what the endpoints of Gateway Load Balancers carry, and by whom: the part of a plan that is no kernel's business.
 *
 * The kernel leads a packet to an endpoint's interface by a route; gwlb.h takes it from there, sends it in GENEVE from the balancer's node to an
 * appliance, and puts what comes back into the endpoint's subnet.  How it is all joined: docs/LIVE.md.
 * Used by: plan_gwlb.c (makes it), gwlb.c, trace.c */
#pragma once
#include "netsim/live/gwlb_flows.h"
#include "netsim/live/plan.h"

struct plan_gwlb_target {
    struct ip ip;
    const char *ns; /* of the instance whose packets the lab's own program returns; "": another program does, or none */
    uint32_t link;  /* in the endpoint's namespace, to that instance's `gwi-...`; 0: none */
    bool chosen;    /* new flows may go to it */
    const struct plan_gwlb_target *next;
};
struct plan_gwlb_endpoint {
    const char *id, *ns;         /* "vpce-0a..", "eni-0a.." */
    uint64_t number, attachment; /* as GENEVE tells them */
    const char *node_ns;         /* the balancer's interface in the zone; "": there is none, and nothing comes back */
    struct ip node;
    enum flow_stickiness stickiness;
    bool rebalances; /* flows leave a target that failed */
    const struct plan_gwlb_target *targets;
    const struct plan_gwlb_endpoint *next;
};

/* The endpoint whose interface's namespace it is; NULL if it is none. */
const struct plan_gwlb_endpoint *plan_gwlb_endpoint_of(const struct plan *plan, const char *ns);
extern const uint8_t plan_gwlb_mac[6]; /* of an instance's end of the link */
#define PLAN_GWLB_LINK "gwi-" /* how that end's name begins; then the end of the endpoint's id */
