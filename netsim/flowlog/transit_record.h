/* netsim/flowlog/transit_record.h - what the records of transit gateways say beyond the packet: attachments, VPCs, zones, and why it was lost.
 *
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html   Used by: window.c only */
#pragma once
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/transit_gateway.h"

/* The ways that records share, each made once; zeroed it is empty. */
struct transit_ways {
    struct map known; /* -> struct flow_transit */
};
void transit_ways_done(struct transit_ways *ways);

/* Of the end of a sample that 'direction' means, FLOW_INGRESS: where it came in.  NULL: the model has no such transit gateway any more. */
const struct flow_transit *transit_way(struct transit_ways *ways, const struct network *net, const struct flow_transit_sample *sample,
                                       uint8_t direction);
/* The record, with nothing counted yet. */
struct flow_record transit_record_begin(const struct network *net, const struct flow_transit *way, const struct flow_transit_sample *sample,
                                        uint8_t direction);
/* Of an attachment without traffic, or some of whose traffic is not known. */
struct flow_record transit_record_empty(struct transit_ways *ways, const struct network *net, const char *tgw_id,
                                        const struct tgw_attachment *attachment, uint8_t status);
/* What lost it, in the words of the last column: "tgw-rtb-0a1b:10.9.0.0/16:blackhole", "tgw-rtb-0a1b:none", "tgw-0a1b:ttl". */
void transit_name_loss(const struct network *net, const struct flow_transit_sample *sample, char rule[static FLOW_RULE_SIZE]);

/* Whether the log records this attachment of the transit gateway.  A peering is an attachment of two: the log's account and region say which is meant. */
bool transit_log_covers(const struct network *net, const struct flow_log *log, const char *tgw_id, const char *attachment_id);
/* flow_record_begin() needs it too: "S3", "DYNAMODB" or "". */
const char *flow_service_of_address(const struct network *net, const struct ip *ip);
