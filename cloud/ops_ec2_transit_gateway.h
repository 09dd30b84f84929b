/* cloud/ops_ec2_transit_gateway.h - what the handlers of transit gateways and of their attachments share.
 *
 * Used by: cloud/ops_ec2_transit_gateway.c, ops_ec2_tgw_attachments.c. */
#pragma once
#include "cloud/ops_ec2.h"
#include "netsim/model/transit_gateway.h"

/* By TransitGatewayId and TransitGatewayAttachmentId, those that are not deleted; InvalidTransitGatewayID.NotFound,
 * InvalidTransitGatewayAttachmentID.NotFound. */
struct transit_gateway *tgw_op_gateway(const struct op_call *call, struct err *err);
struct tgw_attachment *tgw_op_attachment(const struct op_call *call, struct err *err);
