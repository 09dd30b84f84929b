/* netsim/live/proxy_header.h - the PROXY protocol: what a balancer says of the client's connection before the bytes it
 * passes on.
 *
 * Version 1 is a line of text (Classic balancers), version 2 is binary (network ones).  The header stands before TLS to
 * a target, too. Source: https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-target-group-attributes.html (the endpoint's id,
 * health checks),
 * .../classic/enable-proxy-protocol.html   Used by: relay.c, health.c */
#pragma once
#include "base/buf.h"
#include "base/ip.h"

struct proxy_parties {
    struct ip client, own; /* of one family; 'own' is the address that the client asked */
    int client_port, own_port;
    const char *endpoint_id; /* by which the client came (PrivateLink); NULL or "": by none */
};
void proxy_header_v1(struct buf *out, const struct proxy_parties *parties);
/* NULL: a connection of the balancer's own, a health check. */
void proxy_header_v2(struct buf *out, const struct proxy_parties *parties);
