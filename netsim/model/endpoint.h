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
        *dns_record_ip_type;
    VEC(char *) table_ids;           /* gateway: associated route tables */
    VEC(char *) subnet_ids, eni_ids; /* interface */
    VEC(struct eni_group) groups;
    VEC(struct endpoint_dns_entry) dns_entries;
    bool private_dns, requester_managed;
    int64_t creation_time;
};
extern const struct kind endpoint_kind;

bool endpoint_is_gateway(const struct endpoint *endpoint);
bool endpoint_is_available(const struct endpoint *endpoint);
/* The endpoint that owns an interface; NULL if none does. */
struct endpoint *network_endpoint_of_eni(const struct network *net, const char *eni_id);
/* The prefix list of the service of a gateway endpoint ("com.amazonaws.us-east-1.s3"); NULL if the lab has none of that
 * name. */
struct prefix_list *network_service_prefix_list(const struct network *net, const char *service_name);
