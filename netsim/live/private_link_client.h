/* netsim/live/private_link_client.h - who comes to a balancer's node through an endpoint (AWS PrivateLink).
 *
 * The node sees an address of the link only; the endpoint's own connection tracking knows whose it is.
 * Uses: services.h, libmnl.   Used by: relay.c */
#pragma once
#include "netsim/live/services.h"
#include "netsim/model/load_balancer.h"

bool private_link_is_link(const struct ip *ip); /* an address that only endpoints' links have */
struct private_link_client {
    struct ip ip;
    int port;
    char endpoint_id[ID_SIZE];
};
/* 'link', 'link_port': as the node sees the client; 'port': the listener's.  False: no endpoint of the balancer's
 * service knows such a connection. */
bool private_link_find(const struct services *services, const struct load_balancer *lb, const struct ip *link,
                       int link_port, int port, struct private_link_client *out);
