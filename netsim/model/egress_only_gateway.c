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

struct egress_only_gateway *
egress_only_gateway_create(struct network *net, const char *vpc_id, struct err *err)
{
    if (!network_require(net, &vpc_kind, vpc_id, err)) {
        return NULL;
    }
    if (net->limits && store_count(net->store, &egress_only_gateway_kind) >= 5) {
        err_set(err, ERR_INPUT, "EgressOnlyInternetGatewayLimitExceeded",
                "the maximum number of egress-only internet gateways has been reached (5)");
        return NULL;
    }
    struct egress_only_gateway *gateway = network_add(net, &egress_only_gateway_kind, NULL);
    struct igw_attachment *attachment = VEC_ADD(&gateway->attachments);
    id_set(attachment->vpc_id, vpc_id);
    attachment->state = xstrdup("attached");
    return gateway;
}

void
egress_only_gateway_delete(struct network *net, struct egress_only_gateway *gateway)
{
    char id[ID_SIZE];
    memcpy(id, gateway->obj.id, ID_SIZE);
    network_remove(net, gateway);
    routes_target_gone(net, id);
}
