#include "netsim/model/egress_only_gateway.h"

#include "netsim/model/internal.h"

static const struct field attachment_fields[] = {
    FIELD(struct igw_attachment, "State", FIELD_STRING, state, 0),
    FIELD(struct igw_attachment, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};
static const struct field gateway_fields[] = {
    FIELD_LIST(struct egress_only_gateway, "Attachments", attachments, attachment_fields, FIELD_ALWAYS),
    FIELD(struct egress_only_gateway, "EgressOnlyInternetGatewayId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct egress_only_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeEgressOnlyInternetGateways.html knows
 * tags alone. */
static const struct filter_row gateway_filters[] = {
    { NULL, NULL },
};

const struct kind egress_only_gateway_kind = {
    .name = "egress-only-internet-gateway",
    .prefix = "eigw",
    .type = "egress-only-internet-gateway",
    .list = "EgressOnlyInternetGateways",
    .id_member = "EgressOnlyInternetGatewayId",
    .ids_param = "EgressOnlyInternetGatewayIds",
    .not_found = "InvalidEgressOnlyInternetGatewayId.NotFound",
    .malformed = "InvalidEgressOnlyInternetGatewayId.Malformed",
    .size = sizeof(struct egress_only_gateway),
    .fields = gateway_fields,
    .filters = gateway_filters,
};

const char *
egress_only_gateway_vpc(const struct egress_only_gateway *gateway)
{
    return gateway->attachments.n ? gateway->attachments.items[0].vpc_id : NULL;
}
