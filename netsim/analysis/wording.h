/* netsim/analysis/wording.h - rules, routes and components in a few words, and in the JSON shapes AWS's analyzer uses for them.
 *
 * Sources: API_AnalysisComponent, API_AnalysisSecurityGroupRule, API_AnalysisAclRule, API_AnalysisRouteTableRoute,
 * API_AnalysisPacketHeader, API_TransitGatewayRouteTableRoute.
 *
 * Uses: rules.h.   Used by: explain.c, obstacle.c. */
#pragma once
#include "base/buf.h"
#include "netsim/analysis/rules.h"

struct tgw_way;

/* A group's own name, else the Name tag; NULL if there is none. */
const char *component_name(const struct object *object);
/* {Id, Arn, Name}; only Id where the model lacks the object. */
json_t *component_json(const struct object *object, const char *id);

void sg_rule_words(const struct network *net, const struct sg_rule *rule, struct buf *out); /* "tcp 443 from sg-0a (web)" */
void nacl_entry_words(const struct nacl_entry *entry, struct buf *out); /* "rule 100 allows tcp 443 from 0.0.0.0/0" */
void route_words(const struct route *route, struct buf *out);           /* "10.0.0.0/16 -> local" */

json_t *sg_rule_json(const struct sg_rule *rule);
json_t *nacl_entry_json(const struct nacl_entry *entry);
json_t *route_json(const struct route *route);
json_t *packet_json(const struct packet *packet);
json_t *tgw_way_json(const struct network *net, const struct tgw_way *way); /* a TransitGatewayRouteTableRoute */
