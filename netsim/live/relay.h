/* netsim/live/relay.h - a listener whose connections end at a balancer's node and begin anew from there to one of its targets: bytes are passed on as
 * they are.  For what the kernel cannot translate: from one address family to the other, where TLS ends or begins (listeners of TLS, and of SSL of a
 * Classic balancer), and where the target is told of the client by the PROXY header (proxy_header.h).
 *
 * A client whose target does not answer, or refuses, is cut off.  The target sees the client's address where its group keeps it, as with TCP.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html (IP address type),
 * .../network/create-tls-listener.html
 * Uses: plan_balancer.h, private_link_client.h, proxy_header.h, stream.h, tls_offers.h.   Used by: services.c */
#pragma once
#include "netsim/live/services.h"

struct relay;
/* Takes the listening socket; 'place' must stay until relay_free(). */
struct relay *relay_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place);
void relay_free(struct relay *relay);
void relay_tick(struct relay *relay);
