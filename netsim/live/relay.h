/* netsim/live/relay.h - a listener whose connections end at a balancer's node and begin anew from there to one of its targets: bytes are passed on as
 * they are.  For what the kernel cannot translate: from one address family to the other.
 *
 * A client whose target does not answer, or refuses, is cut off.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/network-load-balancers.html (IP address type)
 * Uses: plan_balancer.h.   Used by: services.c */
#pragma once
#include "netsim/live/services.h"

struct relay;
/* Takes the listening socket; 'place' must stay until relay_free(). */
struct relay *relay_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place);
void relay_free(struct relay *relay);
void relay_tick(struct relay *relay);
