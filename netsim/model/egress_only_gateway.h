/* netsim/model/egress_only_gateway.h - lets IPv6 connections out of a VPC and none in; it remembers them for the
 * replies. Sources: https://docs.aws.amazon.com/vpc/latest/userguide/egress-only-internet-gateway.html,
 * API_EgressOnlyInternetGateway Used by: analysis/, cloud/ops_ec2_egress_only.c. */
#pragma once
#include "netsim/model/gateways.h"

struct egress_only_gateway {
    struct object obj;                      /* id: eigw-... */
    VEC(struct igw_attachment) attachments; /* one: it is made for a VPC */
};
extern const struct kind egress_only_gateway_kind;

const char *egress_only_gateway_vpc(const struct egress_only_gateway *gateway); /* NULL in damaged imports */
/* InvalidVpcID.NotFound; EgressOnlyInternetGatewayLimitExceeded (5 a region, when limits are on). */
struct egress_only_gateway *egress_only_gateway_create(struct network *net, const char *vpc_id, struct err *err);
void egress_only_gateway_delete(struct network *net, struct egress_only_gateway *gateway); /* routes to it become blackholes */
