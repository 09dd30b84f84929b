/* netsim/model/endpoint.h - VPC endpoints: a service reached from inside a VPC.
 *
 * A gateway endpoint is a route: tables it is associated with send the prefix list of the service to it.  An interface
 * endpoint is an interface with groups in each of its subnets, answering the service's names. Sources:
 * https://docs.aws.amazon.com/vpc/latest/privatelink/concepts.html, API_VpcEndpoint Used by: analysis/,
 * cloud/ops_ec2_endpoints.c. */
#pragma once
#include "netsim/model/eni.h"

struct endpoint_dns_entry {
    char *name, *zone_id;
};
struct endpoint {
    struct object obj; /* id: vpce-... */
    char *type;        /* Gateway | Interface | GatewayLoadBalancer */
    char vpc_id[ID_SIZE];
    char *service_name, *service_region, *state /* available pendingAcceptance ... */, *policy, *ip_address_type,
        *dns_record_ip_type, *connection_id /* vpce-con-..: to a service of the lab */;
    VEC(char *) table_ids;           /* gateway: associated route tables */
    VEC(char *) subnet_ids, eni_ids; /* interface */
    VEC(struct eni_group) groups;
    VEC(struct endpoint_dns_entry) dns_entries;
    bool private_dns, requester_managed;
    int64_t creation_time;
};
extern const struct kind endpoint_kind;

bool endpoint_is_gateway(const struct endpoint *endpoint);
bool endpoint_is_interface(const struct endpoint *endpoint);
bool endpoint_is_gateway_lb(const struct endpoint *endpoint); /* of a Gateway Load Balancer: routes lead to it */
bool endpoint_is_available(const struct endpoint *endpoint); /* also where an import does not say */
const char *endpoint_of_description(const struct eni *eni); /* the id an endpoint's interface names; NULL if none */
/* The endpoint that owns an interface; NULL if none does. */
struct endpoint *network_endpoint_of_eni(const struct network *net, const char *eni_id);
/* The prefix list of the service of a gateway endpoint ("com.amazonaws.us-east-1.s3"); NULL if the lab has none of that
 * name. */
struct prefix_list *network_service_prefix_list(const struct network *net, const char *service_name);

/* ---- Operations: endpoint_ops.c ------------------------------------------------------------------------------------ */

struct endpoint_service {
    const char *name; /* "s3": com.amazonaws.REGION.s3 */
    bool gateway, interface;
    const char *blocks[2]; /* of a gateway service; NULL where there are fewer */
};
extern const struct endpoint_service endpoint_services[]; /* ends with a NULL name */

/* Is this an address of the public side of "s3" or "dynamodb"?  As its prefix list has them, where the lab or an import has one. */
bool endpoint_service_has(const struct network *net, const char *name, const struct ip *ip);

enum endpoint_type { ENDPOINT_GATEWAY, ENDPOINT_INTERFACE, ENDPOINT_GATEWAY_LB };
struct endpoint_spec {
    const char *vpc_id, *service_name, *policy /* NULL: full access */;
    const char *principal; /* ARN of the user or role that asks; NULL: the account's root user */
    enum endpoint_type type;
    int private_dns;             /* -1: on if the service has a name for it */
    const char *ip_address_type; /* ipv4 dualstack ipv6; NULL: ipv4 */
    const char *dns_record_type; /* ipv4 dualstack ipv6 service-defined; NULL: as the addresses */
    const char *const *tables;   /* gateway */
    const char *const *subnets;  /* interface: one a zone; Gateway Load Balancer: one */
    const char *const *groups;   /* interface; none: the VPC's default group */
    size_t n_tables, n_subnets, n_groups;
};
struct endpoint_change { /* what is NULL or 0 stays */
    const char *policy;  /* "": full access */
    const char *ip_address_type, *dns_record_type;
    const char *const *add_tables, *const *remove_tables, *const *add_subnets, *const *remove_subnets, *const *add_groups,
        *const *remove_groups;
    size_t n_add_tables, n_remove_tables, n_add_subnets, n_remove_subnets, n_add_groups, n_remove_groups;
    int private_dns; /* -1: stays */
};
/* A gateway endpoint puts a route to the service's prefix list (made when first needed) into each of its tables, the others an
 * interface into each of their subnets.  A service of the lab that requires acceptance leaves the endpoint "pendingAcceptance".
 * InvalidServiceName (also for a service that does not permit the caller), InvalidParameter (of another VPC; a zone or address type that
 * the service lacks; private DNS without the VPC's DNS attributes or the service's verified name; groups), RouteAlreadyExists (a second gateway endpoint of a service), DuplicateSubnetsInSameZone, errors of eni_create().  After a failure the
 * network is to be put back by the caller (op_call() does). */
struct endpoint *endpoint_create(struct network *net, const struct endpoint_spec *spec, struct err *err);
bool endpoint_modify(struct network *net, struct endpoint *endpoint, const struct endpoint_change *change, struct err *err);
void endpoint_delete(struct network *net, struct endpoint *endpoint); /* with its routes and interfaces */
