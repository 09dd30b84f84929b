#include "netsim/live/balancer_stand.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/live/tls_offers.h"

#define IDLE_S 60 /* where the balancer says nothing else */

struct stand
stand_of(const struct service_place *place, uint16_t port)
{
    struct stand s = { .net = services_network(place->services) };
    s.lb = network_load_balancer(s.net, place->id);
    s.classic = s.lb ? NULL : store_get(network_store(s.net), &classic_balancer_kind, place->id);
    for (size_t i = 0; s.lb && i < s.lb->listeners.n; i++) {
        s.listener = s.lb->listeners.items[i].port == port ? &s.lb->listeners.items[i] : s.listener;
    }
    for (size_t i = 0; s.classic && i < s.classic->listeners.n; i++) {
        s.old = s.classic->listeners.items[i].port == port ? &s.classic->listeners.items[i] : s.old;
    }
    return s;
}

long long
stand_seconds(const struct stand *s, const char *attribute, long long otherwise)
{
    const char *text = s->lb ? load_balancer_attribute(s->lb, attribute) : NULL;
    long long n = text ? atoll(text) : 0;
    return n > 0 ? n : otherwise;
}

long long
stand_idle_ms(const struct stand *s)
{
    return 1000 * (s->classic && s->classic->idle_s > 0 ? s->classic->idle_s
                                                        : stand_seconds(s, "idle_timeout.timeout_seconds", IDLE_S));
}

bool
stand_is_on(const struct stand *s, const char *attribute)
{
    const char *text = s->lb ? load_balancer_attribute(s->lb, attribute) : NULL;
    return text && strcmp(text, "true") == 0;
}

bool
stand_greet(const struct stand *s, const struct services *services, struct ssl_st **tls)
{
    bool secure = s->listener ? listener_has_tls(s->listener) : s->old && classic_listener_has_tls(s->old);
    struct tls_offer *offer = NULL;
    if (secure) {
        offer = s->listener ? tls_offer_listener(services, s->lb, s->listener)
                            : tls_offer_classic(services, s->classic, s->old);
    }
    *tls = offer ? tls_accept(offer) : NULL;
    return !secure || *tls;
}
