/* netsim/live/plan_flows.h - the names that the planner of flow records and their reader share.
 *
 * Used by: plan_flows.c, plan_router.c, plan_filter.c, flow_source.c */
#pragma once
#include "base/buf.h"
#include "netsim/live/plan.h"

/* What refused a packet, as its mark says when it comes to the router's `fl_log_` chains: a stage that had no rule for it, or an entry of an ACL:
 * bits 17 to 31 the ACL, bit 16 its direction, the others the entry's number. */
enum plan_refusal {
    PLAN_REFUSED_GROUP_OUT = 1, /* no rule of the sender's groups */
    PLAN_REFUSED_ACL_OUT,       /* the `*` of the sender's ACL */
    PLAN_REFUSED_ACL_IN,
    PLAN_REFUSED_GROUP_IN,
    PLAN_REFUSED_PUBLIC_OUT, /* VPC Block Public Access */
    PLAN_REFUSED_PUBLIC_IN,
    PLAN_REFUSED_EGRESS = 0x10000,
    PLAN_REFUSED_ACLS_MAX = 0x7ffe,
};
uint32_t plan_refused_number(uint32_t refusal); /* of the ACL's entry; 0: a stage */
bool plan_refused_egress(uint32_t refusal);
bool plan_refused_public(uint32_t refusal);
#define PLAN_PUBLIC_ACCESS "block-public-access" /* what its refusals are called, before ":egress" */

/* The mark of a flow through a transit gateway: bits 0 to 12 the port it came by, 13 to 25 the one it leaves by or why it does not, the others TCP's
 * flags, FIN first.  Ports are known to 'struct plan_numbers' as PLAN_TRANSIT_PORT "TGW ATTACHMENT SUBNET", the last "-" where there is none. */
enum { PLAN_TRANSIT_PORTS_MAX = 8000, PLAN_TRANSIT_PORT_MASK = 0x1fff, PLAN_TRANSIT_TO_SHIFT = 13, PLAN_TRANSIT_FLAGS_SHIFT = 26 };
struct plan_transit_port {
    char tgw_id[ID_SIZE], attachment_id[ID_SIZE], subnet_id[ID_SIZE]; /* 'subnet_id' "": of no VPC's attachment */
};
typedef VEC(struct plan_transit_port) plan_transit_ports; /* by their numbers; [0] and gaps: "" */
void plan_transit_ports_of(const struct plan_numbers *numbers, plan_transit_ports *ports);
#define PLAN_TRANSIT_PORT "tgw-flow:"
#define PLAN_TRANSIT_LOST(reason) (PLAN_TRANSIT_PORT_MASK - (uint32_t)(reason)) /* instead of a port; enum flow_lost */

/* Chains `fl_log_1` and so on, empty until a capture puts a `log` into one. */
#define PLAN_LOG_GROUPS 4

/* A set of counted flows: its key is mark, both addresses, both ports or the protocol. */
struct plan_flow_set {
    const char *name; /* without the generation */
    int family;
    int protocol; /* 0: the key says which, and has no ports */
};
extern const struct plan_flow_set plan_flow_sets[]; /* ends with a NULL name */
/* "fl_tcp_a": of each set there are generations `a` and `b`; `fl_record` leads to the one that is written. */
const char *plan_flow_name(const char *name, char generation, char text[static 16]);

/* The rules of `fl_record`, each after 'before': they lead to the chains of a generation. */
void plan_flow_record(char generation, const char *before, struct buf *text);

/* "acl-0a1b:ingress:100" of a number read back from the kernel; false if it is no entry's. */
bool plan_rule_text(const struct plan_numbers *numbers, uint32_t refusal, char *text, size_t size);
