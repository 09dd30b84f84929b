/* cloud/ops_ec2_routes.c - route tables, routes and what they are associated with.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateRoute.html and its neighbours */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/route_table.h"

static bool
create_route_table(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &route_table_kind, NULL }, err)) {
        return false;
    }
    struct route_table *table = route_table_create(ec2_net(call), arg_str(call->in, "VpcId"), false, err);
    if (!table) {
        return false;
    }
    ec2_tag_new(call, &table->obj);
    ec2_answer(call, "RouteTable", table);
    ec2_answer_token(call);
    return true;
}

static bool
delete_route_table(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    return table && route_table_delete(ec2_net(call), table, err);
}

/* Arguments that name a route's target, and where the model keeps them. */
static const struct target_argument {
    const char *name;
    size_t offset;
} target_arguments[] = {
    { "GatewayId", offsetof(struct route, gateway_id) },
    { "VpcEndpointId", offsetof(struct route, gateway_id) }, /* shown as GatewayId */
    { "NatGatewayId", offsetof(struct route, nat_gateway_id) },
    { "NetworkInterfaceId", offsetof(struct route, eni_id) },
    { "InstanceId", offsetof(struct route, instance_id) },
    { "VpcPeeringConnectionId", offsetof(struct route, peering_id) },
    { "TransitGatewayId", offsetof(struct route, transit_gateway_id) },
    { "EgressOnlyInternetGatewayId", offsetof(struct route, egress_only_igw_id) },
    { "LocalGatewayId", offsetof(struct route, local_gateway_id) },
    { "CarrierGatewayId", offsetof(struct route, carrier_gateway_id) },
    { "CoreNetworkArn", offsetof(struct route, core_network_arn) },
};

static bool
read_destination(const struct op_call *call, struct route *spec, struct err *err)
{
    spec->prefix_list_id = (char *)arg_str(call->in, "DestinationPrefixListId");
    return ec2_cidr(call, "DestinationCidrBlock", IP_V4, false, &spec->cidr, err) &&
           ec2_cidr(call, "DestinationIpv6CidrBlock", IP_V6, false, &spec->cidr6, err);
}

/* The texts stay borrowed from the arguments: the model takes copies. */
static bool
read_route(const struct op_call *call, struct route *spec, struct err *err)
{
    const char *first = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(target_arguments); i++) {
        const struct target_argument *row = &target_arguments[i];
        const char *id = arg_str(call->in, row->name);
        if (!id) {
            continue;
        }
        if (first) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "`%s` and `%s` cannot be given together: a route has one target", first, row->name);
            return err_at(err, row->name, 0, 0);
        }
        first = row->name;
        *(const char **)((char *)spec + row->offset) = id;
    }
    if (arg_flag(call->in, "LocalTarget", false)) {
        if (first) {
            return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                           "`LocalTarget` and `%s` cannot be given together", first);
        }
        spec->gateway_id = "local";
    }
    return read_destination(call, spec, err);
}

static bool
create_route(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    struct route spec = { 0 };
    return table && read_route(call, &spec, err) && route_create(ec2_net(call), table, &spec, err) && ec2_return(call);
}

static bool
replace_route(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    struct route spec = { 0 };
    return table && read_route(call, &spec, err) && route_replace(ec2_net(call), table, &spec, err);
}

static bool
delete_route(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    struct route spec = { 0 };
    return table && read_destination(call, &spec, err) && route_delete(ec2_net(call), table, &spec, err);
}

static void
answer_association(struct op_call *call, const char *member, const struct route_association *association)
{
    json_object_set_new(call->out, member, json_string(association->id));
    json_object_set_new(call->out, "AssociationState",
                        json_pack("{s:s}", "State", association->state ? association->state : "associated"));
}

static bool
associate_route_table(struct op_call *call, struct err *err)
{
    const char *subnet = arg_str(call->in, "SubnetId"), *gateway = arg_str(call->in, "GatewayId");
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    if (!table) {
        return false;
    }
    if (!subnet == !gateway) {
        return err_set(err, ERR_INPUT, subnet ? "InvalidParameterCombination" : "MissingParameter",
                       subnet ? "`SubnetId` and `GatewayId` cannot be given together"
                              : "the request must contain the parameter `SubnetId` or `GatewayId`");
    }
    const struct route_association *association =
        route_table_associate(ec2_net(call), table, subnet ? subnet : gateway, err);
    if (association) {
        answer_association(call, "AssociationId", association);
    }
    return association != NULL;
}

static bool
disassociate_route_table(struct op_call *call, struct err *err)
{
    return route_table_disassociate(ec2_net(call), arg_str(call->in, "AssociationId"), err);
}

static bool
replace_route_table_association(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    const struct route_association *association =
        table ? route_table_replace_association(ec2_net(call), arg_str(call->in, "AssociationId"), table, err) : NULL;
    if (association) {
        answer_association(call, "NewAssociationId", association);
    }
    return association != NULL;
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
const struct op ops_ec2_routes[] = {
    WRITE("CreateRouteTable", create_route_table, "route-table/* vpc/${VpcId}",
          "Create a route table with the VPC's local routes."),
    WRITE("DeleteRouteTable", delete_route_table, "route-table/${RouteTableId}",
          "Delete a route table that nothing uses."),
    WRITE("CreateRoute", create_route, "route-table/${RouteTableId}", "Add a route: a destination and one target."),
    WRITE("ReplaceRoute", replace_route, "route-table/${RouteTableId}",
          "Send the destination of a route to another target."),
    WRITE("DeleteRoute", delete_route, "route-table/${RouteTableId}", "Remove the route with this destination."),
    WRITE("AssociateRouteTable", associate_route_table,
          "route-table/${RouteTableId} subnet/${SubnetId} internet-gateway/${GatewayId}",
          "Make a subnet or a gateway use a route table instead of the VPC's main one."),
    WRITE("DisassociateRouteTable", disassociate_route_table, "route-table/*",
          "End an association: the subnet uses the main route table again."),
    WRITE("ReplaceRouteTableAssociation", replace_route_table_association, "route-table/${RouteTableId}",
          "Give a subnet another route table, or the VPC another main one."),
    { 0 },
};
