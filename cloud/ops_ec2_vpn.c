/* cloud/ops_ec2_vpn.c - customer gateways, virtual private gateways and VPN connections.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpnConnection.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/route_table.h"
#include "netsim/model/vpn.h"

/* The only type AWS has; the older name of the same is answered alike. */
static bool
check_type(const struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "Type");
    if (type && strcmp(type, "ipsec.1") == 0) {
        return true;
    }
    err_set(err, ERR_INPUT, type ? "InvalidParameterValue" : "MissingParameter", "`Type` must be `ipsec.1`%s%.40s%s",
            type ? ", not `" : "", type ? type : "", type ? "`" : "");
    return err_at(err, "Type", 0, 0);
}

static bool
create_customer_gateway(struct op_call *call, struct err *err)
{
    struct ip ip, older;
    if (!check_type(call, err) ||
        !ec2_check_tags(call, (const struct kind *const[]){ &customer_gateway_kind, NULL }, err) ||
        !ec2_ip(call, "IpAddress", IP_V4, &ip, err) || !ec2_ip(call, "PublicIp", IP_V4, &older, err)) {
        return false;
    }
    ip = ip.family ? ip : older;
    if (!ip.family) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `IpAddress`");
    }
    struct customer_gateway *gateway = customer_gateway_create(ec2_net(call), &ip, arg_int(call->in, "BgpAsn", 65000),
                                                               arg_str(call->in, "DeviceName"), err);
    if (!gateway) {
        return false;
    }
    ec2_tag_new(call, &gateway->obj);
    ec2_answer(call, "CustomerGateway", gateway);
    return true;
}

static bool
delete_customer_gateway(struct op_call *call, struct err *err)
{
    struct customer_gateway *gateway = ec2_require(call, &customer_gateway_kind, "CustomerGatewayId", err);
    return gateway && customer_gateway_delete(ec2_net(call), gateway, err);
}

/* ---- virtual private gateways ------------------------------------------------------------------------------------ */

static bool
create_vpn_gateway(struct op_call *call, struct err *err)
{
    if (!check_type(call, err) || !ec2_check_tags(call, (const struct kind *const[]){ &vpn_gateway_kind, NULL }, err)) {
        return false;
    }
    struct vpn_gateway *vgw = vpn_gateway_create(ec2_net(call), arg_int(call->in, "AmazonSideAsn", 64512),
                                                 arg_str(call->in, "AvailabilityZone"), err);
    if (!vgw) {
        return false;
    }
    ec2_tag_new(call, &vgw->obj);
    ec2_answer(call, "VpnGateway", vgw);
    return true;
}

static struct vpn_gateway *
require_vgw(const struct op_call *call, const char *name, struct err *err)
{
    const struct object *object = ec2_require(call, &vpn_gateway_kind, name, err);
    return object ? vpn_gateway_require(ec2_net(call), object->id, err) : NULL;
}

static bool
delete_vpn_gateway(struct op_call *call, struct err *err)
{
    struct vpn_gateway *vgw = require_vgw(call, "VpnGatewayId", err);
    return vgw && vpn_gateway_delete(ec2_net(call), vgw, err);
}

static bool
attach_vpn_gateway(struct op_call *call, struct err *err)
{
    struct vpn_gateway *vgw = require_vgw(call, "VpnGatewayId", err);
    const struct object *vpc = vgw ? ec2_require(call, &vpc_kind, "VpcId", err) : NULL;
    if (!vpc || !vpn_gateway_attach(ec2_net(call), vgw, vpc->id, err)) {
        return false;
    }
    json_object_set_new(call->out, "VpcAttachment", json_pack("{s:s, s:s}", "State", "attached", "VpcId", vpc->id));
    return true;
}

static bool
detach_vpn_gateway(struct op_call *call, struct err *err)
{
    struct vpn_gateway *vgw = require_vgw(call, "VpnGatewayId", err);
    const struct object *vpc = vgw ? ec2_require(call, &vpc_kind, "VpcId", err) : NULL;
    return vpc && vpn_gateway_detach(ec2_net(call), vgw, vpc->id, err);
}

static bool
enable_propagation(struct op_call *call, struct err *err)
{
    struct vpn_gateway *vgw = require_vgw(call, "GatewayId", err);
    struct route_table *table = vgw ? ec2_require(call, &route_table_kind, "RouteTableId", err) : NULL;
    return table && vpn_gateway_propagate(ec2_net(call), vgw, table, err);
}

static bool
disable_propagation(struct op_call *call, struct err *err)
{
    struct route_table *table = ec2_require(call, &route_table_kind, "RouteTableId", err);
    return table && vpn_gateway_unpropagate(ec2_net(call), arg_str(call->in, "GatewayId"), table, err);
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

static bool
create_vpn_connection(struct op_call *call, struct err *err)
{
    const json_t *options = json_object_get(call->in, "Options");
    const char *key;
    json_t *value;
    if (!check_type(call, err) ||
        !ec2_check_tags(call, (const struct kind *const[]){ &vpn_connection_kind, NULL }, err)) {
        return false;
    }
    json_object_foreach((json_t *)options, key, value)
    {
        if (strcmp(key, "StaticRoutesOnly") != 0) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model `%s` of VPN connections",
                           key);
        }
    }
    struct vpn_spec spec = { .customer_gateway_id = arg_str(call->in, "CustomerGatewayId"),
                             .vpn_gateway_id = arg_str(call->in, "VpnGatewayId"),
                             .tgw_id = arg_str(call->in, "TransitGatewayId"),
                             .static_routes_only = arg_flag(options, "StaticRoutesOnly", false) };
    struct vpn_connection *vpn = vpn_connection_create(ec2_net(call), &spec, err);
    if (!vpn) {
        return false;
    }
    ec2_tag_new(call, &vpn->obj);
    ec2_answer(call, "VpnConnection", vpn);
    return true;
}

static bool
delete_vpn_connection(struct op_call *call, struct err *err)
{
    struct vpn_connection *vpn = ec2_require(call, &vpn_connection_kind, "VpnConnectionId", err);
    return vpn && vpn_connection_delete(ec2_net(call), vpn, err);
}

typedef bool change_route(struct network *net, struct vpn_connection *vpn, const struct cidr *cidr, struct err *err);

static bool
route_of_connection(struct op_call *call, change_route *change, struct err *err)
{
    struct vpn_connection *vpn = ec2_require(call, &vpn_connection_kind, "VpnConnectionId", err);
    struct cidr cidr;
    return vpn && ec2_cidr(call, "DestinationCidrBlock", IP_V4, true, &cidr, err) &&
           change(ec2_net(call), vpn, &cidr, err);
}

static bool
create_vpn_connection_route(struct op_call *call, struct err *err)
{
    return route_of_connection(call, vpn_connection_add_route, err);
}

static bool
delete_vpn_connection_route(struct op_call *call, struct err *err)
{
    return route_of_connection(call, vpn_connection_drop_route, err);
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_vpn[] = {
    ROW("CreateCustomerGateway", OP_WRITE, create_customer_gateway, "customer-gateway/*",
        "Tell AWS of the device at the far end of a VPN connection."),
    ROW("DeleteCustomerGateway", OP_WRITE, delete_customer_gateway, "customer-gateway/${CustomerGatewayId}",
        "Delete a customer gateway that no VPN connection uses."),
    ROW("DescribeCustomerGateways", OP_READ, ec2_describe, NULL, "Show customer gateways."),
    ROW("CreateVpnGateway", OP_WRITE, create_vpn_gateway, "vpn-gateway/*",
        "Create a virtual private gateway, attached to nothing yet."),
    ROW("DeleteVpnGateway", OP_WRITE, delete_vpn_gateway, "vpn-gateway/${VpnGatewayId}",
        "Delete a virtual private gateway that is detached and without VPN connections."),
    ROW("DescribeVpnGateways", OP_READ, ec2_describe, NULL, "Show virtual private gateways."),
    ROW("AttachVpnGateway", OP_WRITE, attach_vpn_gateway, "vpn-gateway/${VpnGatewayId} vpc/${VpcId}",
        "Attach a virtual private gateway to a VPC."),
    ROW("DetachVpnGateway", OP_WRITE, detach_vpn_gateway, "vpn-gateway/${VpnGatewayId} vpc/${VpcId}",
        "Detach a virtual private gateway; routes to it become blackholes."),
    ROW("EnableVgwRoutePropagation", OP_WRITE, enable_propagation,
        "route-table/${RouteTableId} vpn-gateway/${GatewayId}",
        "Let a virtual private gateway put its routes into a route table."),
    ROW("DisableVgwRoutePropagation", OP_WRITE, disable_propagation,
        "route-table/${RouteTableId} vpn-gateway/${GatewayId}", "Take a gateway's propagated routes out of a table."),
    ROW("CreateVpnConnection", OP_WRITE, create_vpn_connection,
        "vpn-connection/* customer-gateway/${CustomerGatewayId} vpn-gateway/${VpnGatewayId} "
        "transit-gateway/${TransitGatewayId}",
        "Connect a customer gateway to a virtual private or transit gateway."),
    ROW("DeleteVpnConnection", OP_WRITE, delete_vpn_connection, "vpn-connection/${VpnConnectionId}",
        "Delete a VPN connection; its routes go."),
    ROW("DescribeVpnConnections", OP_READ, ec2_describe, NULL, "Show VPN connections with their static routes."),
    ROW("CreateVpnConnectionRoute", OP_WRITE, create_vpn_connection_route, "vpn-connection/${VpnConnectionId}",
        "Add a static route to what is behind a VPN connection."),
    ROW("DeleteVpnConnectionRoute", OP_WRITE, delete_vpn_connection_route, "vpn-connection/${VpnConnectionId}",
        "Take a static route off a VPN connection."),
    { 0 },
};
