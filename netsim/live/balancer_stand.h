/* netsim/live/balancer_stand.h - what the model says of a listener at the moment: the balancer it is of, its attributes and its TLS.
 * Uses: services.h, tls_offers.h.   Used by: balancer.c */
#pragma once
#include "netsim/live/services.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"

/* One of the first two pairs, or neither when it is gone. */
struct stand {
    const struct network *net;
    const struct load_balancer *lb;
    const struct lb_listener *listener;
    const struct classic_balancer *classic;
    const struct classic_listener *old;
};
struct stand stand_of(const struct service_place *place, uint16_t port);
long long stand_seconds(const struct stand *s, const char *attribute, long long otherwise);
long long stand_idle_ms(const struct stand *s);
bool stand_is_on(const struct stand *s, const char *attribute);
struct ssl_st;
/* TLS for a new connection, NULL where the listener has none; false: it ends TLS and cannot. */
bool stand_greet(const struct stand *s, const struct services *services, struct ssl_st **tls);
