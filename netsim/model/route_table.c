#include "netsim/model/internal.h"

static const struct field route_fields[] = {
    FIELD(struct route, "DestinationCidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct route, "DestinationIpv6CidrBlock", FIELD_CIDR, cidr6, 0),
    FIELD(struct route, "DestinationPrefixListId", FIELD_STRING, prefix_list_id, 0),
    FIELD(struct route, "EgressOnlyInternetGatewayId", FIELD_STRING, egress_only_igw_id, 0),
    FIELD(struct route, "GatewayId", FIELD_STRING, gateway_id, 0),
    FIELD(struct route, "InstanceId", FIELD_STRING, instance_id, 0),
    FIELD(struct route, "InstanceOwnerId", FIELD_STRING, instance_owner_id, 0),
    FIELD(struct route, "NatGatewayId", FIELD_STRING, nat_gateway_id, 0),
    FIELD(struct route, "TransitGatewayId", FIELD_STRING, transit_gateway_id, 0),
    FIELD(struct route, "LocalGatewayId", FIELD_STRING, local_gateway_id, 0),
    FIELD(struct route, "CarrierGatewayId", FIELD_STRING, carrier_gateway_id, 0),
    FIELD(struct route, "NetworkInterfaceId", FIELD_STRING, eni_id, 0),
    FIELD(struct route, "Origin", FIELD_STRING, origin, 0),
    FIELD(struct route, "State", FIELD_STRING, state, 0),
    FIELD(struct route, "VpcPeeringConnectionId", FIELD_STRING, peering_id, 0),
    FIELD(struct route, "CoreNetworkArn", FIELD_STRING, core_network_arn, 0),
    FIELD_END,
};
static const struct field association_fields[] = {
    FIELD(struct route_association, "Main", FIELD_BOOL, main, 0),
    FIELD(struct route_association, "RouteTableAssociationId", FIELD_ID, id, 0),
    FIELD(struct route_association, "RouteTableId", FIELD_ID, table_id, 0),
    FIELD(struct route_association, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD(struct route_association, "GatewayId", FIELD_ID, gateway_id, 0),
    FIELD(struct route_association, "AssociationState.State", FIELD_STRING, state, 0),
    FIELD_END,
};
static const struct field propagating_fields[] = {
    FIELD(struct propagating_vgw, "GatewayId", FIELD_ID, gateway_id, 0),
    FIELD_END,
};
static const struct field route_table_fields[] = {
    FIELD_LIST(struct route_table, "Associations", associations, association_fields, FIELD_ALWAYS),
    FIELD_LIST(struct route_table, "PropagatingVgws", propagating, propagating_fields, FIELD_ALWAYS),
    FIELD(struct route_table, "RouteTableId", FIELD_ID, obj.id, 0),
    FIELD_LIST(struct route_table, "Routes", routes, route_fields, FIELD_ALWAYS),
    FIELD_LIST(struct route_table, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct route_table, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRouteTables.html */
static const struct filter_row route_table_filters[] = {
    { "association.gateway-id", "Associations.GatewayId" },
    { "association.route-table-association-id", "Associations.RouteTableAssociationId" },
    { "association.route-table-id", "Associations.RouteTableId" },
    { "association.subnet-id", "Associations.SubnetId" },
    { "association.main", "Associations.Main" },
    { "route-table-id", "RouteTableId" },
    { "route.destination-cidr-block", "Routes.DestinationCidrBlock" },
    { "route.destination-ipv6-cidr-block", "Routes.DestinationIpv6CidrBlock" },
    { "route.destination-prefix-list-id", "Routes.DestinationPrefixListId" },
    { "route.egress-only-internet-gateway-id", "Routes.EgressOnlyInternetGatewayId" },
    { "route.gateway-id", "Routes.GatewayId" },
    { "route.instance-id", "Routes.InstanceId" },
    { "route.nat-gateway-id", "Routes.NatGatewayId" },
    { "route.transit-gateway-id", "Routes.TransitGatewayId" },
    { "route.origin", "Routes.Origin" },
    { "route.state", "Routes.State" },
    { "route.vpc-peering-connection-id", "Routes.VpcPeeringConnectionId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
route_table_loaded(struct store *store, void *object)
{
    struct route_table *table = object;
    (void)store;
    for (size_t i = 0; i < table->associations.n; i++) {
        if (!table->associations.items[i].table_id[0]) {
            memcpy(table->associations.items[i].table_id, table->obj.id, ID_SIZE);
        }
    }
}

const struct kind route_table_kind = {
    .name = "route-table",
    .prefix = "rtb",
    .type = "route-table",
    .list = "RouteTables",
    .id_member = "RouteTableId",
    .ids_param = "RouteTableIds",
    .not_found = "InvalidRouteTableID.NotFound",
    .malformed = "InvalidRouteTableId.Malformed",
    .size = sizeof(struct route_table),
    .fields = route_table_fields,
    .shows_owner = true,
    .filters = route_table_filters,
    .loaded = route_table_loaded,
};

/* Where a route's target stands in the struct, and what kind of thing it is by the prefix of its id.  GatewayId holds
 * several kinds. */
static const struct {
    size_t offset;
    const char *prefix; /* NULL: any */
    enum route_target target;
} target_rows[] = {
    { offsetof(struct route, gateway_id), "local", ROUTE_LOCAL },
    { offsetof(struct route, gateway_id), "igw-", ROUTE_IGW },
    { offsetof(struct route, gateway_id), "vgw-", ROUTE_VPN_GATEWAY },
    { offsetof(struct route, gateway_id), "vpce-", ROUTE_ENDPOINT },
    { offsetof(struct route, gateway_id), "eigw-", ROUTE_EGRESS_ONLY_IGW },
    { offsetof(struct route, gateway_id), "cagw-", ROUTE_CARRIER_GATEWAY },
    { offsetof(struct route, gateway_id), NULL, ROUTE_IGW }, /* imported data names gateways freely */
    { offsetof(struct route, nat_gateway_id), NULL, ROUTE_NAT_GATEWAY },
    { offsetof(struct route, eni_id), NULL,
      ROUTE_ENI }, /* before the instance: AWS shows both, the interface decides */
    { offsetof(struct route, instance_id), NULL, ROUTE_INSTANCE },
    { offsetof(struct route, peering_id), NULL, ROUTE_PEERING },
    { offsetof(struct route, transit_gateway_id), NULL, ROUTE_TRANSIT_GATEWAY },
    { offsetof(struct route, egress_only_igw_id), NULL, ROUTE_EGRESS_ONLY_IGW },
    { offsetof(struct route, local_gateway_id), NULL, ROUTE_LOCAL_GATEWAY },
    { offsetof(struct route, carrier_gateway_id), NULL, ROUTE_CARRIER_GATEWAY },
    { offsetof(struct route, core_network_arn), NULL, ROUTE_CORE_NETWORK },
};

enum route_target
route_target(const struct route *route, const char **id)
{
    for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++) {
        const char *text = *(char *const *)((const char *)route + target_rows[i].offset);
        const char *prefix = target_rows[i].prefix;
        if (!str_empty(text) && (!prefix || strncmp(text, prefix, strlen(prefix)) == 0)) {
            if (id) {
                *id = text;
            }
            return target_rows[i].target;
        }
    }
    if (id) {
        *id = NULL;
    }
    return ROUTE_NONE;
}

const char *
route_machine(const struct route *route)
{
    const char *id;
    enum route_target target = route_target(route, &id);
    return target == ROUTE_ENI || target == ROUTE_INSTANCE ? id : NULL;
}

bool
route_is_blackhole(const struct route *route)
{
    return str_is(route->state, "blackhole");
}

const char *
route_destination_str(const struct route *route)
{
    return route->prefix_list_id ? route->prefix_list_id
                                 : cidr_str(route->cidr6.ip.family ? &route->cidr6 : &route->cidr);
}

void
route_done(struct route *route)
{
    fields_done(route_fields, route);
}
