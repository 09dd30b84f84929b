/* netsim/live/live_internal.h - what a running lab is made of.  Used by: live.c, probe.c, trace.c, flow_source.c, meter.c, route_count.c only. */
#pragma once
#include "netsim/live/apply.h"
#include "netsim/live/live.h"

/* Connections of instances' programs and of balancers' nodes come from these ports (of Linux's 32768-60999), verify's packets from the rest: what a
 * kernel or a router remembers of the one is not taken for the other. */
#define LIVE_PROGRAM_PORTS "32768 52999"
#define LIVE_PROBE_PORT    53000
#define LIVE_PROBE_PORTS   8000

struct services;
struct flow_source;
void flow_source_free(struct flow_source *source);
/* After a new plan was applied: routers that are gone, or record nothing any more, are forgotten, since what a later log counts begins at nothing. */
void flow_source_follow(struct flow_source *source, const struct plan *plan);

struct live {
    struct spaces spaces;
    struct plan_numbers numbers;
    struct plan *plan;
    struct flow_source *flows; /* NULL until first polled */
    struct services *services; /* NULL until live_serve() */
    struct gwlb *gwlb;         /* NULL until the first endpoint of a gateway load balancer */
    struct nat64_carrier *nat64; /* NULL until the first NAT gateway with IPv6 */
    bool counts_routes;        /* route_count.h */
    bool plan_is_due;          /* health changed, and the kernel did not take the plan */
    uint16_t next_port; /* of probes, so that a later one never continues an earlier one's tracked connection */
};

/* live_probe() whose packets bear 'nonce' and numbers from 'first' on (packet.h), so that somebody else can know them too. */
uint32_t live_probe_nonce(void);
bool live_probe_as(struct live *live, struct live_probe *probes, size_t n, uint32_t nonce, uint32_t first, int timeout_ms, struct err *err);

#define ROUTES_TABLE "vpclab_routes" /* of nftables, in the routers, while routes are counted */
