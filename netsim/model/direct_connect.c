#include "netsim/model/internal.h"
#include "netsim/model/direct_connect_way.h"

static const struct field gateway_fields[] = {
    FIELD(struct direct_connect_gateway, "DirectConnectGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct direct_connect_gateway, "DirectConnectGatewayName", FIELD_STRING, name, 0),
    FIELD(struct direct_connect_gateway, "AmazonSideAsn", FIELD_LONG, amazon_side_asn, 0),
    FIELD(struct direct_connect_gateway, "DirectConnectGatewayState", FIELD_STRING, state, 0),
    FIELD(struct direct_connect_gateway, "StateChangeError", FIELD_STRING, state_error, 0),
    FIELD_LIST(struct direct_connect_gateway, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};

const struct kind direct_connect_gateway_kind = {
    .name = "direct-connect-gateway",
    .prefix = "",
    .list = "DirectConnectGateways",
    .id_member = "DirectConnectGatewayId",
    .not_found = "DirectConnectClientException",
    .size = sizeof(struct direct_connect_gateway),
    .fields = gateway_fields,
};

static const struct field prefix_fields[] = {
    FIELD(struct direct_connect_prefix, "Cidr", FIELD_CIDR, cidr, 0),
    FIELD_END,
};
static const struct field association_fields[] = {
    FIELD(struct direct_connect_association, "AssociationId", FIELD_ID, obj.id, 0),
    FIELD(struct direct_connect_association, "DirectConnectGatewayId", FIELD_ID, gateway_id, 0),
    FIELD(struct direct_connect_association, "AssociationState", FIELD_STRING, state, 0),
    FIELD(struct direct_connect_association, "AssociatedGateway.Id", FIELD_ID, associated_id, 0),
    FIELD(struct direct_connect_association, "AssociatedGateway.Type", FIELD_STRING, associated_type, 0),
    FIELD(struct direct_connect_association, "AssociatedGateway.OwnerAccount", FIELD_STRING, associated_owner, 0),
    FIELD(struct direct_connect_association, "AssociatedGateway.Region", FIELD_STRING, associated_region, 0),
    FIELD_LIST(struct direct_connect_association, "AllowedPrefixesToDirectConnectGateway", allowed, prefix_fields, 0),
    FIELD(struct direct_connect_association, "VirtualGatewayId", FIELD_ID, vgw_id, 0),
    FIELD_END,
};

static void
association_loaded(struct store *store, void *object)
{
    struct direct_connect_association *association = object;
    (void)store;
    if (!association->associated_id[0]) {
        id_set(association->associated_id, association->vgw_id);
    }
}

const struct kind direct_connect_association_kind = {
    .name = "direct-connect-gateway-association",
    .prefix = "",
    .list = "DirectConnectGatewayAssociations",
    .id_member = "AssociationId",
    .not_found = "DirectConnectClientException",
    .size = sizeof(struct direct_connect_association),
    .fields = association_fields,
    .loaded = association_loaded,
};

static const struct field peer_fields[] = {
    FIELD(struct direct_connect_peer, "Asn", FIELD_LONG, asn, 0),
    FIELD(struct direct_connect_peer, "AmazonAddress", FIELD_STRING, amazon_address, 0),
    FIELD(struct direct_connect_peer, "CustomerAddress", FIELD_STRING, customer_address, 0),
    FIELD(struct direct_connect_peer, "AddressFamily", FIELD_STRING, family, 0),
    FIELD(struct direct_connect_peer, "BgpPeerState", FIELD_STRING, state, 0),
    FIELD(struct direct_connect_peer, "BgpStatus", FIELD_STRING, status, 0),
    FIELD_END,
};
static const struct field interface_fields[] = {
    FIELD(struct virtual_interface, "VirtualInterfaceId", FIELD_ID, obj.id, 0),
    FIELD(struct virtual_interface, "VirtualInterfaceName", FIELD_STRING, name, 0),
    FIELD(struct virtual_interface, "VirtualInterfaceType", FIELD_STRING, type, 0),
    FIELD(struct virtual_interface, "ConnectionId", FIELD_STRING, connection_id, 0),
    FIELD(struct virtual_interface, "DirectConnectGatewayId", FIELD_ID, gateway_id, 0),
    FIELD(struct virtual_interface, "VirtualGatewayId", FIELD_ID, vgw_id, 0),
    FIELD(struct virtual_interface, "Vlan", FIELD_INT, vlan, 0),
    FIELD(struct virtual_interface, "Asn", FIELD_LONG, asn, 0),
    FIELD(struct virtual_interface, "AmazonAddress", FIELD_STRING, amazon_address, 0),
    FIELD(struct virtual_interface, "CustomerAddress", FIELD_STRING, customer_address, 0),
    FIELD(struct virtual_interface, "VirtualInterfaceState", FIELD_STRING, state, 0),
    FIELD_LIST(struct virtual_interface, "BgpPeers", peers, peer_fields, 0),
    FIELD_LIST(struct virtual_interface, "RouteFilterPrefixes", prefixes, prefix_fields, 0),
    FIELD_LIST(struct virtual_interface, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};

const struct kind virtual_interface_kind = {
    .name = "virtual-interface",
    .prefix = "dxvif",
    .list = "VirtualInterfaces",
    .id_member = "VirtualInterfaceId",
    .not_found = "DirectConnectClientException",
    .size = sizeof(struct virtual_interface),
    .fields = interface_fields,
};

static const struct field connection_fields[] = {
    FIELD(struct direct_connect_connection, "ConnectionId", FIELD_ID, obj.id, 0),
    FIELD(struct direct_connect_connection, "ConnectionName", FIELD_STRING, name, 0),
    FIELD(struct direct_connect_connection, "ConnectionState", FIELD_STRING, state, 0),
    FIELD(struct direct_connect_connection, "Location", FIELD_STRING, location, 0),
    FIELD(struct direct_connect_connection, "Bandwidth", FIELD_STRING, bandwidth, 0),
    FIELD_LIST(struct direct_connect_connection, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};

const struct kind direct_connect_connection_kind = {
    .name = "direct-connect-connection",
    .prefix = "dxcon",
    .list = "Connections",
    .id_member = "ConnectionId",
    .not_found = "DirectConnectClientException",
    .size = sizeof(struct direct_connect_connection),
    .fields = connection_fields,
};

struct direct_connect_association *
direct_connect_association_of(const struct network *net, const char *gateway_id, const char *associated_id)
{
    for (struct direct_connect_association *a = store_first(net->store, &direct_connect_association_kind); a;
         a = store_next(net->store, a)) {
        if (strcmp(a->gateway_id, gateway_id) == 0 && strcmp(a->associated_id, associated_id) == 0 &&
            direct_connect_association_carries(a)) {
            return a;
        }
    }
    return NULL;
}
