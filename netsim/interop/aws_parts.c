#include "netsim/interop/aws_parts.h"

#include <string.h>
#include "netsim/model/load_balancer.h"
#include "netsim/model/transit_gateway.h"

const struct aws_part aws_parts[] = {
    { "TransitGatewayVpcAttachments", &tgw_attachment_kind, true, " VpcId VpcOwnerId SubnetIds Options " },
    { "TransitGatewayPeeringAttachments", &tgw_attachment_kind, true,
      " AccepterTgwInfo RequesterTgwInfo PeerAssociation " },
    { "TransitGatewayPropagations", &tgw_route_table_kind, false, " TransitGatewayRouteTablePropagations " },
    { "TransitGatewayStaticRoutes", &tgw_route_table_kind, false, " Routes " },
    { "LoadBalancerListeners", &load_balancer_kind, false, " Listeners " },
    { "LoadBalancerAttributes", &load_balancer_kind, false, " Attributes " },
    { "LoadBalancerTargetHealth", &target_group_kind, false, " TargetHealthDescriptions " },
    { NULL, NULL, false, NULL },
};

const struct aws_part *
aws_part_of(const char *list)
{
    for (const struct aws_part *part = aws_parts; part->list; part++) {
        if (strcmp(part->list, list) == 0) {
            return part;
        }
    }
    return NULL;
}
