/* netsim/analysis/vpce.h - which interface or address an endpoint named in a question stands for. */
#pragma once
#include <stdbool.h>

struct network;
struct eni;
struct ip;
/* An address of the service of a gateway endpoint, where its prefix list is known. */
bool vpce_service_address(const struct network *net, const char *id, int family, struct ip *ip);
/* The interface of an interface endpoint that a client in 'subnet_id' (NULL: any) would use: in its subnet, else in its zone, else the
 * first; NULL if it has none. */
const struct eni *vpce_eni(const struct network *net, const char *id, const char *subnet_id);
/* The endpoint by which a client in 'vpc_id' uses the service "vpce-svc-...": one of its own VPC, available if there is one; NULL: none. */
const char *vpce_of_service(const struct network *net, const char *service_id, const char *vpc_id);
/* What the service sends, its balancers send: the first interface of one; NULL: none is known. */
const struct eni *vpce_service_node(const struct network *net, const char *service_id);
const char *vpce_of_eni(const struct network *net, const char *eni_id); /* the endpoint's id; NULL */
