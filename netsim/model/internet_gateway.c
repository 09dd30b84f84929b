#include "netsim/model/internal.h"

static const struct field attachment_fields[] = {
    FIELD(struct igw_attachment, "State", FIELD_STRING, state, 0),
    FIELD(struct igw_attachment, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};
static const struct field igw_fields[] = {
    FIELD_LIST(struct internet_gateway, "Attachments", attachments, attachment_fields, FIELD_ALWAYS),
    FIELD(struct internet_gateway, "InternetGatewayId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct internet_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInternetGateways.html */
static const struct filter_row igw_filters[] = {
    { "attachment.state", "Attachments.State" },
    { "attachment.vpc-id", "Attachments.VpcId" },
    { "internet-gateway-id", "InternetGatewayId" },
    { NULL, NULL },
};

const struct kind internet_gateway_kind = {
    .name = "internet-gateway",
    .prefix = "igw",
    .type = "internet-gateway",
    .list = "InternetGateways",
    .id_member = "InternetGatewayId",
    .ids_param = "InternetGatewayIds",
    .not_found = "InvalidInternetGatewayID.NotFound",
    .malformed = "InvalidInternetGatewayId.Malformed",
    .size = sizeof(struct internet_gateway),
    .fields = igw_fields,
    .shows_owner = true,
    .filters = igw_filters,
};
