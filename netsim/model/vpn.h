/* netsim/model/vpn.h - the way to networks outside AWS: customer gateways, virtual private gateways, VPN connections,
 * and Direct Connect gateways with their associations and virtual interfaces.
 *
 * A VPN connection joins a customer gateway to a virtual private gateway or to a transit gateway (then it is an
 * attachment).  What stands behind is known by its static routes; with BGP (StaticRoutesOnly false) any address outside
 * AWS may be there. Sources: https://docs.aws.amazon.com/vpn/latest/s2svpn/how_it_works.html, API_VpnConnection,
 * API_VpnGateway, API_CustomerGateway, https://docs.aws.amazon.com/directconnect/latest/APIReference/Welcome.html
 * (members with a capital) Used by: analysis/, cloud/ops_ec2_vpn.c. */
#pragma once
#include "netsim/model/vpc.h"

struct customer_gateway {
    struct object obj; /* id: cgw-... */
    char *bgp_asn, *state, *type /* ipsec.1 */, *certificate_arn, *device_name;
    struct ip ip;
};
extern const struct kind customer_gateway_kind;

struct vpn_gateway_attachment {
    char vpc_id[ID_SIZE];
    char *state; /* attached ... detached */
};
struct vpn_gateway {
    struct object obj; /* id: vgw-... */
    char *zone, *state /* available deleted */, *type /* ipsec.1 */;
    int64_t amazon_side_asn;
    VEC(struct vpn_gateway_attachment) attachments; /* at most one attached */
};
extern const struct kind vpn_gateway_kind;
const char *vpn_gateway_vpc(const struct vpn_gateway *vgw); /* the VPC it is attached to; NULL if none */
struct vpn_gateway *network_vpc_vgw(const struct network *net, const char *vpc_id); /* the one attached; NULL if none */

struct vpn_static_route {
    struct cidr cidr;
    char *source, *state; /* available | deleted ... */
};
struct vpn_telemetry {
    int32_t accepted_routes;
    int64_t last_change;
    char *outside_ip, *status /* UP | DOWN */, *message;
};
struct vpn_connection {
    struct object obj;                                                           /* id: vpn-... */
    char customer_gateway_id[ID_SIZE], vpn_gateway_id[ID_SIZE], tgw_id[ID_SIZE]; /* one of the last two */
    char *category, *configuration, *state /* available deleted pending deleting */, *type;
    bool static_routes_only, acceleration;
    char *local_cidr, *remote_cidr, *inside_ip_version, *outside_ip_type;
    json_t *tunnel_options;
    VEC(struct vpn_static_route) routes;
    VEC(struct vpn_telemetry) telemetry;
};
extern const struct kind vpn_connection_kind;
bool vpn_connection_is_available(const struct vpn_connection *vpn);

struct direct_connect_gateway {
    struct object obj; /* id: a UUID */
    char *name, *state, *state_error;
    int64_t amazon_side_asn;
};
extern const struct kind direct_connect_gateway_kind;

struct direct_connect_prefix {
    struct cidr cidr;
};
struct direct_connect_association {
    struct object obj;           /* id: AssociationId */
    char gateway_id[ID_SIZE];    /* the Direct Connect gateway */
    char associated_id[ID_SIZE]; /* vgw-... or tgw-... */
    char *associated_type /* virtualPrivateGateway transitGateway */, *associated_owner, *associated_region,
        *state /* associated */;
    char vgw_id[ID_SIZE];                      /* VirtualGatewayId, older form */
    VEC(struct direct_connect_prefix) allowed; /* announced to the customer's side */
};
extern const struct kind direct_connect_association_kind;

struct direct_connect_peer {
    int64_t asn;
    char *amazon_address, *customer_address, *state /* available ... */, *status /* up | down | unknown */, *family /* ipv4 | ipv6 */;
};
struct virtual_interface {
    struct object obj; /* id: dxvif-... */
    char *name, *type /* private public transit */, *connection_id, *state, *amazon_address, *customer_address;
    int64_t asn;
    char gateway_id[ID_SIZE] /* Direct Connect gateway */, vgw_id[ID_SIZE];
    int32_t vlan;
    VEC(struct direct_connect_prefix) prefixes; /* RouteFilterPrefixes */
    VEC(struct direct_connect_peer) peers;
};
extern const struct kind virtual_interface_kind;

struct direct_connect_connection {
    struct object obj; /* id: dxcon-... */
    char *name, *state, *location, *bandwidth;
};
extern const struct kind direct_connect_connection_kind;

/* Is the gateway (VPN, transit) associated with this Direct Connect gateway? */
struct direct_connect_association *
direct_connect_association_of(const struct network *net, const char *gateway_id,
                              const char *associated_id); /* associated; NULL if none */

/* ---- Operations: direct_connect_ops.c; every error is DirectConnectClientException -------------------------------------- */

/* 'asn' 0: 64512.  A name of 1 to 100 characters, a private number. */
struct direct_connect_gateway *direct_connect_gateway_create(struct network *net, const char *name, int64_t asn, struct err *err);
bool direct_connect_gateway_delete(struct network *net, struct direct_connect_gateway *gateway, struct err *err); /* in use */
/* 'id' of a virtual private gateway (no prefixes: the blocks of its VPC) or of a transit gateway (1 to 200 prefixes; it becomes an attachment
 * too).  A gateway serves one sort or the other. */
struct direct_connect_association *direct_connect_associate(struct network *net, struct direct_connect_gateway *gateway, const char *id,
                                                            const struct cidr *allowed, size_t n_allowed, struct err *err);
bool direct_connect_allow(struct network *net, struct direct_connect_association *association, const struct cidr *add, size_t n_add,
                          const struct cidr *remove, size_t n_remove, struct err *err);
void direct_connect_disassociate(struct network *net, struct direct_connect_association *association);
struct direct_connect_connection *direct_connect_connection_create(struct network *net, const char *name, const char *location,
                                                                   const char *bandwidth);
struct virtual_interface_spec {
    const char *connection_id, *name, *type /* private transit */, *gateway_id, *vgw_id /* one of the two; private only */;
    const char *amazon_address, *customer_address; /* NULL: AWS picks */
    int vlan;
    int64_t asn;
};
struct virtual_interface *virtual_interface_create(struct network *net, const struct virtual_interface_spec *spec, struct err *err);

/* ---- Operations: vpn_ops.c ------------------------------------------------------------------------------------------ */
struct route_table;

/* The one there is if address and number are an existing one's, as AWS does.  InvalidParameterValue: number not 1 to 4294967295. */
struct customer_gateway *customer_gateway_create(struct network *net, const struct ip *ip, int64_t asn, const char *device_name,
                                                 struct err *err);
bool customer_gateway_delete(struct network *net, struct customer_gateway *gateway, struct err *err); /* IncorrectState: in use */
struct vpn_gateway *vpn_gateway_create(struct network *net, int64_t asn, const char *zone /* may be NULL */, struct err *err);
struct vpn_gateway *vpn_gateway_require(const struct network *net, const char *id, struct err *err); /* not a deleted one */
bool vpn_gateway_delete(struct network *net, struct vpn_gateway *vgw, struct err *err); /* IncorrectState: attached or in use */
/* VpnGatewayAttachmentLimitExceeded: either is attached already.  InvalidVpnGatewayAttachment.NotFound.  Detaching ends propagation. */
bool vpn_gateway_attach(struct network *net, struct vpn_gateway *vgw, const char *vpc_id, struct err *err);
bool vpn_gateway_detach(struct network *net, struct vpn_gateway *vgw, const char *vpc_id, struct err *err);
/* Static routes of its VPN connections become routes of the table, and go when they end.  Gateway.NotAttached; InvalidParameterValue. */
bool vpn_gateway_propagate(struct network *net, struct vpn_gateway *vgw, struct route_table *table, struct err *err);
bool vpn_gateway_unpropagate(struct network *net, const char *vgw_id, struct route_table *table, struct err *err);

struct vpn_spec {
    const char *customer_gateway_id, *vpn_gateway_id, *tgw_id; /* one of the last two, the other NULL */
    bool static_routes_only;
};
/* To a transit gateway it is also an attachment, in the default tables.  Each gateway's .NotFound, MissingParameter,
 * InvalidParameterCombination. */
struct vpn_connection *vpn_connection_create(struct network *net, const struct vpn_spec *spec, struct err *err);
bool vpn_connection_delete(struct network *net, struct vpn_connection *vpn, struct err *err); /* stays listed as "deleted" */
/* InvalidParameterCombination: routes come by BGP; InvalidRoute.NotFound. */
bool vpn_connection_add_route(struct network *net, struct vpn_connection *vpn, const struct cidr *cidr, struct err *err);
bool vpn_connection_drop_route(struct network *net, struct vpn_connection *vpn, const struct cidr *cidr, struct err *err);
