/* netsim/analysis/vpce.h - what the walk must know of a VPC endpoint. */
#pragma once
#include "base/store.h"

struct network;
struct eni;
struct ip;
struct vpce { /* borrowed from the model */
    const struct object *object;
    const char *vpc_id;
    bool is_gateway, is_interface, available;
};
bool vpce_find(const struct network *net, const char *id, struct vpce *vpce); /* false: there is none */
/* An address of the service of a gateway endpoint, where its prefix list is known. */
bool vpce_service_address(const struct network *net, const char *id, int family, struct ip *ip);
/* The interface of an interface endpoint that a client in 'subnet_id' (NULL: any) would use: in its subnet, else in its zone, else the
 * first; NULL if it has none. */
const struct eni *vpce_eni(const struct network *net, const char *id, const char *subnet_id);
const char *vpce_of_eni(const struct network *net, const char *eni_id); /* the endpoint's id; NULL */
