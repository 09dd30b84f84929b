/* netsim/model/route_table.h - routes of a VPC and which subnets (or gateways) use them.
 *
 * The longest prefix wins; for one prefix a static route beats a propagated one; a route whose target is gone is a blackhole and drops.
 * Every table holds a local route for each block of its VPC.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html, RouteTables_priority, API_CreateRoute */
#pragma once
#include "netsim/model/vpc.h"

enum route_target {
    ROUTE_NONE, ROUTE_LOCAL, ROUTE_IGW, ROUTE_NAT_GATEWAY, ROUTE_ENI, ROUTE_INSTANCE, ROUTE_PEERING, ROUTE_TRANSIT_GATEWAY,
    ROUTE_VPN_GATEWAY, ROUTE_EGRESS_ONLY_IGW, ROUTE_ENDPOINT, ROUTE_LOCAL_GATEWAY, ROUTE_CARRIER_GATEWAY, ROUTE_CORE_NETWORK,
};
struct route {
    struct cidr cidr, cidr6; /* one of the three destinations is set */
    char *prefix_list_id;
    /* One of the targets is set; the text is an id ("local" in gateway_id for the local route). */
    char *gateway_id, *nat_gateway_id, *instance_id, *instance_owner_id, *eni_id, *peering_id, *transit_gateway_id,
        *egress_only_igw_id, *local_gateway_id, *carrier_gateway_id, *core_network_arn;
    char *origin; /* CreateRouteTable | CreateRoute | EnableVgwRoutePropagation */
    char *state;  /* active | blackhole */
};
struct route_association {
    char id[ID_SIZE], table_id[ID_SIZE], subnet_id[ID_SIZE], gateway_id[ID_SIZE];
    bool main;
    char *state; /* AssociationState.State */
};
struct propagating_vgw {
    char gateway_id[ID_SIZE];
};
struct route_table {
    struct object obj;
    char vpc_id[ID_SIZE];
    VEC(struct route) routes;
    VEC(struct route_association) associations;
    VEC(struct propagating_vgw) propagating;
};
extern const struct kind route_table_kind;

struct route_table *route_table_create(struct network *net, const char *vpc_id, bool main, struct err *err);
bool route_table_delete(struct network *net, struct route_table *table, struct err *err); /* DependencyViolation: main or associated */

/* 'spec' names one destination and one target.  RouteAlreadyExists (create), InvalidRoute.NotFound (replace), the target's own
 * .NotFound, InvalidParameterValue (local prefix, more specific than a subnet, target of another VPC, wrong family),
 * InvalidParameterCombination / MissingParameter. Takes copies. */
bool route_create(struct network *net, struct route_table *table, const struct route *spec, struct err *err);
bool route_replace(struct network *net, struct route_table *table, const struct route *spec, struct err *err);
bool route_delete(struct network *net, struct route_table *table, const struct route *destination, struct err *err);

/* Resource.AlreadyAssociated, InvalidRouteTableID.NotFound, InvalidSubnetID.NotFound, InvalidParameterValue (other VPC; a route or propagation
 * that no gateway may have), Gateway.NotAttached. */
struct route_association *route_table_associate(struct network *net, struct route_table *table, const char *subnet_or_gateway_id,
                                                struct err *err);
bool route_table_disassociate(struct network *net, const char *association_id, struct err *err); /* InvalidAssociationID.NotFound */
struct route_association *route_table_replace_association(struct network *net, const char *association_id, struct route_table *table,
                                                          struct err *err);

enum route_target route_target(const struct route *route, const char **id); /* *id borrowed */
const char *route_machine(const struct route *route); /* the interface or instance it leads to; borrowed, NULL: it leads to none */
bool route_is_blackhole(const struct route *route);
/* The text of its destination: a CIDR or a prefix list id; rotating buffer. */
const char *route_destination_str(const struct route *route);
/* Marks routes whose target no longer exists (or is detached) as blackhole and back; every delete/attach/detach calls it. */
void route_tables_refresh(struct network *net);
