/* netsim/flowlog/decide.h - records and captures from elsewhere, held against the model.
 *
 * flow_decide() asks the groups and the ACL at the record's own interface, as they are in the model now: which rule lets the flow pass, or which
 * refuses it.  It knows one flow and no connection: what the groups would refuse is taken for an answer when they permit the way it would answer
 * and its flags, or else its ports, speak for it.
 *
 * Uses: netsim/analysis/rules.h, pcapng.h.   Used by: cloud/flow_import.c */
#pragma once
#include "netsim/flowlog/flowlog.h"

struct flow_verdict {
    uint8_t action;
    char rule[FLOW_RULE_SIZE]; /* as struct flow_record has it; "sg-0a1b:ingress:sgr-0c2d" what permits, "sg-0a1b:egress:sgr-0c2d:reply" an answer to it */
};
/* The interface that the record is of: by its id, else by its address.  NULL: none of the model's. */
const struct eni *flow_record_eni(const struct network *net, const struct flow_record *record);
/* False when the record's interface is none of the model's, or it is not of traffic. */
bool flow_decide(const struct network *net, const struct flow_record *record, struct flow_verdict *verdict);

/* The records that interfaces of the model would have of a captured packet.  A capture of vpclab says whose interface it is, and what was refused by
 * which rule; of another each end that is an interface of the model has one, and the model decides. */
struct packet_flows;
struct packet_flows *packet_flows_new(const struct network *net);
void packet_flows_free(struct packet_flows *flows);
/* The bytes of a capture file.  ERR_DOCUMENT where it is damaged; what was read before is kept. */
bool packet_flows_read(struct packet_flows *flows, const void *bytes, size_t size, struct err *err);
/* One record for each flow, interface, direction and action in each minute, oldest first. */
typedef void packet_flows_visit(void *context, const struct flow_record *record);
void packet_flows_each(const struct packet_flows *flows, packet_flows_visit *visit, void *context);
size_t packet_flows_strangers(const struct packet_flows *flows); /* packets neither end of which is the model's */
/* Packets of links whose headers are not known here, and the type of the last one (tcpdump's LINKTYPE numbers). */
size_t packet_flows_unread(const struct packet_flows *flows, int *link_type);
