#include "netsim/model/internal.h"

static const struct field address_fields[] = {
    FIELD(struct nat_address, "AllocationId", FIELD_ID, allocation_id, 0),
    FIELD(struct nat_address, "NetworkInterfaceId", FIELD_ID, eni_id, 0),
    FIELD(struct nat_address, "PrivateIp", FIELD_IP, private_ip, 0),
    FIELD(struct nat_address, "PublicIp", FIELD_IP, public_ip, 0),
    FIELD(struct nat_address, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct nat_address, "IsPrimary", FIELD_BOOL, is_primary, 0),
    FIELD(struct nat_address, "Status", FIELD_STRING, status, 0),
    FIELD_END,
};
static const struct field nat_fields[] = {
    FIELD(struct nat_gateway, "CreateTime", FIELD_TIME, create_time, 0),
    FIELD(struct nat_gateway, "DeleteTime", FIELD_TIME, delete_time, 0),
    FIELD_LIST(struct nat_gateway, "NatGatewayAddresses", addresses, address_fields, FIELD_ALWAYS),
    FIELD(struct nat_gateway, "NatGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct nat_gateway, "State", FIELD_STRING, state, 0),
    FIELD(struct nat_gateway, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD(struct nat_gateway, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_LIST(struct nat_gateway, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct nat_gateway, "ConnectivityType", FIELD_STRING, connectivity, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html */
static const struct filter_row nat_filters[] = {
    { "nat-gateway-id", "NatGatewayId" },
    { "state", "State" },
    { "subnet-id", "SubnetId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

/* Dumps from before private NAT gateways do not say which they are. */
static void
nat_loaded(struct store *store, void *object)
{
    struct nat_gateway *nat = object;
    (void)store;
    if (!nat->connectivity) {
        nat->connectivity = xstrdup("public");
    }
    if (nat->addresses.n == 1) {
        nat->addresses.items[0].is_primary = true;
    }
}

const struct kind nat_gateway_kind = {
    .name = "natgateway",
    .prefix = "nat",
    .type = "natgateway",
    .list = "NatGateways",
    .id_member = "NatGatewayId",
    .ids_param = "NatGatewayIds",
    .not_found = "NatGatewayNotFound",
    .malformed = "NatGatewayMalformed",
    .size = sizeof(struct nat_gateway),
    .fields = nat_fields,
    .filters = nat_filters,
    .loaded = nat_loaded,
};
