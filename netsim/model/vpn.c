#include "netsim/model/vpn.h"

#include "netsim/model/internal.h"

/* ---- customer gateways ---------------------------------------------------------------------------------------------
 */

static const struct field customer_fields[] = {
    FIELD(struct customer_gateway, "BgpAsn", FIELD_STRING, bgp_asn, 0),
    FIELD(struct customer_gateway, "CustomerGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct customer_gateway, "IpAddress", FIELD_IP, ip, 0),
    FIELD(struct customer_gateway, "CertificateArn", FIELD_STRING, certificate_arn, 0),
    FIELD(struct customer_gateway, "State", FIELD_STRING, state, 0),
    FIELD(struct customer_gateway, "Type", FIELD_STRING, type, 0),
    FIELD(struct customer_gateway, "DeviceName", FIELD_STRING, device_name, 0),
    FIELD_LIST(struct customer_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeCustomerGateways.html */
static const struct filter_row customer_filters[] = {
    { "bgp-asn", "BgpAsn" },
    { "customer-gateway-id", "CustomerGatewayId" },
    { "ip-address", "IpAddress" },
    { "state", "State" },
    { "type", "Type" },
    { NULL, NULL },
};

const struct kind customer_gateway_kind = {
    .name = "customer-gateway",
    .prefix = "cgw",
    .type = "customer-gateway",
    .list = "CustomerGateways",
    .id_member = "CustomerGatewayId",
    .ids_param = "CustomerGatewayIds",
    .not_found = "InvalidCustomerGatewayID.NotFound",
    .malformed = "InvalidCustomerGatewayId.Malformed",
    .size = sizeof(struct customer_gateway),
    .fields = customer_fields,
    .filters = customer_filters,
};

/* ---- virtual private gateways --------------------------------------------------------------------------------------
 */

static const struct field vgw_attachment_fields[] = {
    FIELD(struct vpn_gateway_attachment, "State", FIELD_STRING, state, 0),
    FIELD(struct vpn_gateway_attachment, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_END,
};
static const struct field vgw_fields[] = {
    FIELD(struct vpn_gateway, "AvailabilityZone", FIELD_STRING, zone, 0),
    FIELD(struct vpn_gateway, "State", FIELD_STRING, state, 0),
    FIELD(struct vpn_gateway, "Type", FIELD_STRING, type, 0),
    FIELD_LIST(struct vpn_gateway, "VpcAttachments", attachments, vgw_attachment_fields, FIELD_ALWAYS),
    FIELD(struct vpn_gateway, "VpnGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct vpn_gateway, "AmazonSideAsn", FIELD_LONG, amazon_side_asn, FIELD_OPTIONAL),
    FIELD_LIST(struct vpn_gateway, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnGateways.html */
static const struct filter_row vgw_filters[] = {
    { "amazon-side-asn", "AmazonSideAsn" },
    { "attachment.state", "VpcAttachments.State" },
    { "attachment.vpc-id", "VpcAttachments.VpcId" },
    { "availability-zone", "AvailabilityZone" },
    { "state", "State" },
    { "type", "Type" },
    { "vpn-gateway-id", "VpnGatewayId" },
    { NULL, NULL },
};

const struct kind vpn_gateway_kind = {
    .name = "vpn-gateway",
    .prefix = "vgw",
    .type = "vpn-gateway",
    .list = "VpnGateways",
    .id_member = "VpnGatewayId",
    .ids_param = "VpnGatewayIds",
    .not_found = "InvalidVpnGatewayID.NotFound",
    .malformed = "InvalidVpnGatewayId.Malformed",
    .size = sizeof(struct vpn_gateway),
    .fields = vgw_fields,
    .filters = vgw_filters,
};

const char *
vpn_gateway_vpc(const struct vpn_gateway *vgw)
{
    for (size_t i = 0; i < vgw->attachments.n; i++) {
        const struct vpn_gateway_attachment *attachment = &vgw->attachments.items[i];
        if (!attachment->state || str_is(attachment->state, "attached")) {
            return attachment->vpc_id;
        }
    }
    return NULL;
}

/* ---- VPN connections -----------------------------------------------------------------------------------------------
 */

static const struct field static_route_fields[] = {
    FIELD(struct vpn_static_route, "DestinationCidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpn_static_route, "Source", FIELD_STRING, source, 0),
    FIELD(struct vpn_static_route, "State", FIELD_STRING, state, 0),
    FIELD_END,
};
static const struct field telemetry_fields[] = {
    FIELD(struct vpn_telemetry, "AcceptedRouteCount", FIELD_INT, accepted_routes, 0),
    FIELD(struct vpn_telemetry, "LastStatusChange", FIELD_TIME, last_change, 0),
    FIELD(struct vpn_telemetry, "OutsideIpAddress", FIELD_STRING, outside_ip, 0),
    FIELD(struct vpn_telemetry, "Status", FIELD_STRING, status, 0),
    FIELD(struct vpn_telemetry, "StatusMessage", FIELD_STRING, message, 0),
    FIELD_END,
};
static const struct field vpn_fields[] = {
    FIELD(struct vpn_connection, "Category", FIELD_STRING, category, 0),
    FIELD(struct vpn_connection, "CustomerGatewayConfiguration", FIELD_STRING, configuration, 0),
    FIELD(struct vpn_connection, "CustomerGatewayId", FIELD_ID, customer_gateway_id, 0),
    FIELD(struct vpn_connection, "Options.EnableAcceleration", FIELD_BOOL, acceleration, 0),
    FIELD(struct vpn_connection, "Options.StaticRoutesOnly", FIELD_BOOL, static_routes_only, 0),
    FIELD(struct vpn_connection, "Options.LocalIpv4NetworkCidr", FIELD_STRING, local_cidr, 0),
    FIELD(struct vpn_connection, "Options.RemoteIpv4NetworkCidr", FIELD_STRING, remote_cidr, 0),
    FIELD(struct vpn_connection, "Options.OutsideIpAddressType", FIELD_STRING, outside_ip_type, 0),
    FIELD(struct vpn_connection, "Options.TunnelInsideIpVersion", FIELD_STRING, inside_ip_version, 0),
    FIELD(struct vpn_connection, "Options.TunnelOptions", FIELD_DOCUMENT, tunnel_options, 0),
    FIELD_LIST(struct vpn_connection, "Routes", routes, static_route_fields, FIELD_ALWAYS),
    FIELD(struct vpn_connection, "State", FIELD_STRING, state, 0),
    FIELD_LIST(struct vpn_connection, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct vpn_connection, "TransitGatewayId", FIELD_ID, tgw_id, 0),
    FIELD(struct vpn_connection, "Type", FIELD_STRING, type, 0),
    FIELD_LIST(struct vpn_connection, "VgwTelemetry", telemetry, telemetry_fields, 0),
    FIELD(struct vpn_connection, "VpnConnectionId", FIELD_ID, obj.id, 0),
    FIELD(struct vpn_connection, "VpnGatewayId", FIELD_ID, vpn_gateway_id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpnConnections.html */
static const struct filter_row vpn_filters[] = {
    { "customer-gateway-configuration", "CustomerGatewayConfiguration" },
    { "customer-gateway-id", "CustomerGatewayId" },
    { "state", "State" },
    { "option.static-routes-only", "Options.StaticRoutesOnly" },
    { "route.destination-cidr-block", "Routes.DestinationCidrBlock" },
    { "type", "Type" },
    { "vpn-connection-id", "VpnConnectionId" },
    { "vpn-gateway-id", "VpnGatewayId" },
    { "transit-gateway-id", "TransitGatewayId" },
    { NULL, NULL },
};

const struct kind vpn_connection_kind = {
    .name = "vpn-connection",
    .prefix = "vpn",
    .type = "vpn-connection",
    .list = "VpnConnections",
    .id_member = "VpnConnectionId",
    .ids_param = "VpnConnectionIds",
    .not_found = "InvalidVpnConnectionID.NotFound",
    .malformed = "InvalidVpnConnectionID.Malformed",
    .size = sizeof(struct vpn_connection),
    .fields = vpn_fields,
    .filters = vpn_filters,
};

bool
vpn_connection_is_available(const struct vpn_connection *vpn)
{
    return str_is(vpn->state, "available");
}
