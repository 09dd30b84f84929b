/* netsim/live/meter.h - what the kernel has counted since the lab is live: traffic of every interface, of every rule, and what was refused by which.
 *
 * Counters only grow, but for those of a rule whose chain was written anew.  Reading them costs the packets nothing.
 * Uses: libmnl, libnftnl.   Used by: cloud/metrics.c, trace.c, private_link_client.c */
#pragma once
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/network.h"

struct live;
struct live_count {
    uint64_t packets, bytes;
};
struct live_meter_listener {
    /* 'id': an interface ("eni-..") or a NAT gateway ("nat-.."), whose source is the VPC's side and its destination the other; or a VPN connection
     * ("vpn-.."), whose 'in' the customer gets. */
    void (*interface)(void *context, const char *id, const struct live_count *in, const struct live_count *out);
    /* 'from_source': what the gateway translated, else the answers. */
    void (*nat)(void *context, const char *nat_id, bool from_source, const struct live_count *count);
    void (*refused)(void *context, const char *eni_id, const char *rule, const struct live_count *count); /* 'rule' as in flowlog.h */
    /* 'what': "in" came from the attachment, "out" was sent to it; "no-route" "blackhole" "mtu" "ttl": came from it and was lost. */
    void (*transit)(void *context, const char *tgw_id, const char *attachment_id, const char *what, const struct live_count *count);
    void (*rule)(void *context, const char *rule, const struct live_count *count); /* "sgr-0a1b", "acl-0a1b:ingress:100" */
    /* Of a node of a network or Classic balancer: "new-tcp" "new-udp" "bytes-tcp" "bytes-udp", and "active" flows (both have 'packets'); of a gateway
     * balancer's "new-flow", "bytes-flow", "active".
     * Of balancers, what the lab's services count: NULL: not wanted. */
    void (*node)(void *context, const char *eni_id, const char *what, const struct live_count *count);
    void (*balancer)(void *context, const char *name, const char *balancer, const char *group, uint64_t n);
    /* While live_count_routes() is on: "rtb-0a1b 10.0.0.0/16", of a blackhole "rtb-0a1b 10.9.0.0/16 nowhere"; once for each zone that has a way of its own.  NULL: not wanted. */
    void (*route)(void *context, const char *route, const struct live_count *count);
    void *context;
};
/* Tells all that there is.  'rules': the counters of rules too, which takes longer the more there are. */
bool live_meter(struct live *live, const struct network *net, bool rules, const struct live_meter_listener *listener, struct err *err);

struct nlattr;
const struct nlattr *live_nested(const struct nlattr *in, uint16_t type); /* the first of that type; NULL: none, or 'in' is NULL */
struct nftnl_rule;
const char *live_rule_comment(const struct nftnl_rule *rule); /* borrowed from the rule; NULL: it has none */
/* What the AWS rule is called for which a rule of the chain stands: "sgr-0a1b", "acl-0a1b:ingress:100"; false: it stands for none. */
bool live_rule_name(const char *chain, const char *comment, char name[static FLOW_RULE_SIZE]);
