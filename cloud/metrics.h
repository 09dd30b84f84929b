/* cloud/metrics.h - metrics of a live lab: what its kernel counted, minute by minute, in DIR/metrics.log.
 *
 *     1767225600 in i-0a1b eni-0c2d 12 3400          the minute, what, of whom, packets, bytes; only what was not nothing
 *
 * The keeper writes a line a minute for each, and when somebody asks what the running minute has so far.
 * Uses: netsim/live/meter.h.   Used by: live_link.c (writes), ops_cloudwatch.c, ops_top.c (read) */
#pragma once
#include "cloud/cloud.h"

/* In the keeper: called about each second; reads the counters once a minute, with 'now' at once. */
bool metrics_tick(struct cloud *cloud, bool now, struct err *err);
void metrics_stop(struct cloud *cloud);

struct metric_point {
    int64_t minute_s;
    /* "in" "out" of an instance's interface; "source" "destination" of a NAT gateway; "refused"; "rule"; "tgw-in" "tgw-out" "tgw-lost" of a
     * transit gateway; "vpn-in" (from the customer) "vpn-out" "vpn-state" of a VPN connection; "endpoint" both ways; "balancer"; "service" */
    char kind[16];
    char owner[64]; /* the instance of an interface, the NAT or transit gateway, the VPN connection, the endpoint, the balancer, the service of endpoints, "-" */
    char id[64];    /* the interface; the attachment; of a balancer its node's, or a target group; "-" */
    char rule[160]; /* of refused and rule; why it was lost; what a balancer counts: "new-tcp", "RequestCount", "is-healthy"; of a service "is-endpoints"; "-" */
    uint64_t packets, bytes;
};
typedef void metric_visit(void *context, const struct metric_point *point);
bool metrics_is_gauge(const char *what); /* how it is, not how often it was */
bool metrics_read(const struct cloud *cloud, metric_visit *visit, void *context, struct err *err);
