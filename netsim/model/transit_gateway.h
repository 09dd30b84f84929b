/* netsim/model/transit_gateway.h - a regional router between VPCs, VPNs, Direct Connect gateways and other transit
 * gateways.
 *
 * A packet that comes in through an attachment is looked up in the route table that this attachment is associated with.
 * A table holds static routes and the routes that attachments propagate into it; for one prefix the static route wins.
 * A VPC reaches the gateway only from zones in which its attachment has a subnet. Sources:
 * https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html, API_TransitGateway,
 * API_TransitGatewayAttachment, API_TransitGatewayVpcAttachment, API_TransitGatewayRouteTable, API_TransitGatewayRoute
 * Used by: analysis/, cloud/ops_ec2_transit_gateway.c, ops_ec2_tgw_attachments.c. */
#pragma once
#include "netsim/model/vpc.h"

struct transit_gateway {
    struct object obj; /* id: tgw-... */
    char *arn, *state /* pending available modifying deleting deleted */, *description;
    int64_t creation_time, amazon_side_asn;
    VEC(char *) cidr_blocks;
    char association_table_id[ID_SIZE], propagation_table_id[ID_SIZE]; /* the default tables; "" if none */
    /* "enable" or "disable"; NULL in old dumps counts as AWS's default of that option. */
    char *auto_accept, *default_association, *default_propagation, *vpn_ecmp, *dns_support, *multicast, *sg_referencing;
};
extern const struct kind transit_gateway_kind;

/* What describe-transit-gateway-attachments, -vpc-attachments and -peering-attachments show of one attachment, in one.
 */
struct tgw_attachment {
    struct object obj; /* id: tgw-attach-... */
    char tgw_id[ID_SIZE];
    char *tgw_owner_id, *resource_owner_id, *resource_type /* vpc vpn direct-connect-gateway peering connect */;
    char resource_id[ID_SIZE]; /* of the VPC, VPN connection, Direct Connect gateway or (peering) the other transit
                                  gateway */
    char *state;               /* available pendingAcceptance deleted ... */
    int64_t creation_time;
    char table_id[ID_SIZE];  /* the table it is associated with; "" if none */
    char *association_state; /* associating associated disassociating */
    /* VPC attachments */
    char vpc_id[ID_SIZE];
    char *vpc_owner_id;
    VEC(char *) subnet_ids;                                             /* one a zone */
    char *dns_support, *sg_referencing, *ipv6_support, *appliance_mode; /* "enable" | "disable"; NULL: AWS's default */
    /* Peering attachments.  'tgw_id' is the requester's; the accepter's own association stands here. */
    char peer_tgw_id[ID_SIZE], peer_table_id[ID_SIZE];
    char *peer_owner_id, *peer_region, *peer_association_state;
};
extern const struct kind tgw_attachment_kind;

struct tgw_route_attachment {
    char attachment_id[ID_SIZE], resource_id[ID_SIZE];
    char *resource_type;
};
struct tgw_route { /* a static one, or of an import one that a router outside announces (type propagated) */
    struct cidr cidr;
    char *prefix_list_id;
    VEC(struct tgw_route_attachment) attachments; /* none: blackhole; several: ECMP */
    char *type;                                   /* static | propagated */
    char *state;                                  /* active | blackhole | ... */
};
struct tgw_propagation {
    char attachment_id[ID_SIZE], resource_id[ID_SIZE];
    char *resource_type, *state; /* enabled */
};
struct tgw_route_table {
    struct object obj; /* id: tgw-rtb-... */
    char tgw_id[ID_SIZE];
    char *state;
    bool default_association, default_propagation;
    int64_t creation_time;
    VEC(struct tgw_propagation) propagations;
    VEC(struct tgw_route) routes; /* static ones only: what is propagated follows from 'propagations' */
};
extern const struct kind tgw_route_table_kind;
extern const struct field tgw_route_fields[]; /* struct tgw_route as search-transit-gateway-routes shows it */

/* ---- Answers for analysis -----------------------------------------------------------------------------------------
 */

bool tgw_route_is_announced(const struct tgw_route *route);
/* Does it count?  An announced one only while its attachment is available and propagates to the table. */
bool tgw_route_holds(const struct network *net, const struct tgw_route_table *table, const struct tgw_route *route);
bool tgw_attachment_is_available(const struct tgw_attachment *attachment); /* carries packets: state "available" */
/* Deleted, or rejected by the owner of the gateway. */
bool tgw_attachment_is_over(const struct tgw_attachment *attachment);
/* Is it listed there?  For the owners of the gateway (of both, of a peering) and of what is attached. */
bool tgw_attachment_of_account(const struct tgw_attachment *attachment, const char *account);
/* The available attachment of a VPC to a transit gateway; NULL if there is none. */
struct tgw_attachment *tgw_vpc_attachment(const struct network *net, const char *tgw_id, const char *vpc_id);
/* The attachment's subnet in this zone; NULL if it has none there, or the zone has failed. */
const struct subnet *tgw_attachment_subnet(const struct network *net, const struct tgw_attachment *attachment,
                                           const char *zone);
/* The interface that a VPC attachment has in a subnet; NULL if it has none there. */
const struct eni *tgw_attachment_eni(const struct network *net, const struct tgw_attachment *attachment, const char *subnet_id);
/* The table for packets that enter 'tgw_id' through the attachment (for a peering each side has its own); NULL if not
 * associated. */
struct tgw_route_table *tgw_attachment_table(const struct network *net, const struct tgw_attachment *attachment,
                                             const char *tgw_id);
/* Does the option hold?  NULL text means AWS's default. */
bool tgw_references_groups(const struct transit_gateway *tgw);                  /* default: disabled */
bool tgw_attachment_references_groups(const struct tgw_attachment *attachment); /* default: enabled */
bool tgw_attachment_is_appliance(const struct tgw_attachment *attachment);      /* appliance mode; default: disabled */
bool tgw_route_is_blackhole(const struct tgw_route *route);

/* ---- Operations: tgw_ops.c, tgw_attachment_ops.c ----------------------------------------------------------------------------------------- */

struct tgw_spec { /* options are "enable" or "disable"; NULL: AWS's default */
    const char *description, *auto_accept, *default_association, *default_propagation, *vpn_ecmp, *dns_support, *sg_referencing;
    int64_t amazon_side_asn; /* 0: 64512 */
};
/* With its default route table unless neither association nor propagation is wanted.  InvalidParameterValue (number of the autonomous
 * system), TransitGatewayLimitExceeded (5 an account, when limits are on). */
struct transit_gateway *tgw_create(struct network *net, const struct tgw_spec *spec, struct err *err);
bool tgw_delete(struct network *net, struct transit_gateway *tgw, struct err *err); /* IncorrectState: attachments; stays listed as "deleted" */
/* Those that are not deleted; .NotFound of each kind. */
struct transit_gateway *tgw_require(const struct network *net, const char *id, struct err *err);
struct tgw_attachment *tgw_attachment_require(const struct network *net, const char *id, struct err *err);

struct tgw_vpc_spec {
    const char *tgw_id, *vpc_id;
    const char *const *subnet_ids; /* one a zone */
    size_t n_subnets;
    const char *dns_support, *sg_referencing, *ipv6_support, *appliance_mode; /* "enable" | "disable"; NULL: AWS's default */
};
/* An interface without groups in each subnet; associated with and propagated to the gateway's default tables.  When the VPC is another
 * account's than the gateway it waits ("pendingAcceptance", without interfaces and tables) unless the gateway's AutoAcceptSharedAttachments
 * is enabled; whether the gateway is shared with that account is the caller's to ask.
 * DuplicateTransitGatewayAttachment, DuplicateSubnetsInSameZone, InvalidParameterValue (subnet of another VPC), errors of eni_create().
 * After a failure to create an interface the network is to be put back by the caller (op_call() does). */
struct tgw_attachment *tgw_attach_vpc(struct network *net, const struct tgw_vpc_spec *spec, struct err *err);
/* The owner of the gateway accepts or rejects one that waits; a rejected one stays listed and carries nothing.  IncorrectState,
 * OperationNotPermitted (another account), errors of eni_create().
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AcceptTransitGatewayVpcAttachment.html */
bool tgw_vpc_answer(struct network *net, struct tgw_attachment *attachment, bool accept, struct err *err);
/* Of another resource ("vpn"); cannot fail. */
struct tgw_attachment *tgw_attach(struct network *net, struct transit_gateway *tgw, const char *type, const struct object *resource);
/* Adds spec->subnet_ids, takes the subnets of 'drop' away, sets the options that are not NULL. */
bool tgw_modify_vpc_attachment(struct network *net, struct tgw_attachment *attachment, const struct tgw_vpc_spec *spec,
                               const char *const *drop, size_t n_drop, struct err *err);
/* A peering of two gateways: waits until the other side, in its region, answers (IncorrectState, OperationNotPermitted); it joins no
 * default table.  InvalidTransitGatewayID.NotFound (of that owner and region), DuplicateTransitGatewayAttachment.
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-peering.html */
struct tgw_attachment *tgw_peer(struct network *net, struct transit_gateway *tgw, const char *peer_id, const char *peer_owner,
                                const char *peer_region, struct err *err);
bool tgw_peer_answer(struct network *net, struct tgw_attachment *attachment, bool accept, struct err *err);
/* Stays listed as "deleted"; its interfaces go, static routes to it and the VPC's routes to the gateway become blackholes. */
void tgw_attachment_end(struct network *net, struct tgw_attachment *attachment);

struct tgw_route_table *tgw_table_create(struct network *net, const char *tgw_id, struct err *err);
bool tgw_table_delete(struct network *net, struct tgw_route_table *table, struct err *err); /* IncorrectState: associations, a default table */
/* Resource.AlreadyAssociated; InvalidAssociation.NotFound; InvalidParameterValue (of another gateway). */
bool tgw_associate(struct network *net, struct tgw_route_table *table, struct tgw_attachment *attachment, struct err *err);
bool tgw_disassociate(struct network *net, struct tgw_route_table *table, struct tgw_attachment *attachment, struct err *err);
/* TransitGatewayRouteTablePropagation.Duplicate and .NotFound; IncorrectState: peerings do not propagate. */
bool tgw_propagate(struct network *net, struct tgw_route_table *table, const struct tgw_attachment *attachment, struct err *err);
bool tgw_unpropagate(struct network *net, struct tgw_route_table *table, const struct tgw_attachment *attachment, struct err *err);

/* A static route; 'attachment' NULL: blackhole.  RouteAlreadyExists, InvalidRoute.NotFound ('replace', delete). */
struct tgw_route *tgw_route_put(struct network *net, struct tgw_route_table *table, const struct cidr *cidr,
                                const struct tgw_attachment *attachment, bool replace, struct err *err);
bool tgw_route_delete(struct network *net, struct tgw_route_table *table, const struct cidr *cidr, struct err *err);
struct tgw_route *tgw_route_find(struct tgw_route_table *table, const struct cidr *cidr); /* static; NULL if none */
void tgw_route_done(struct tgw_route *route);
/* Every route in force, static ones first; the caller frees each by tgw_route_done() and the vector. */
typedef VEC(struct tgw_route) tgw_route_vec;
void tgw_table_routes(const struct network *net, const struct tgw_route_table *table, tgw_route_vec *routes);
