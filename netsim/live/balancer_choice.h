/* netsim/live/balancer_choice.h - whom a request goes to: a target of an application balancer's action, an instance of a Classic one.
 * Used by: balancer.c */
#pragma once
#include "netsim/live/services.h"
#include "netsim/live/stickiness.h"
#include "netsim/model/classic_balancer.h"

struct balancer_choice {
    struct ip ip;
    int port;
    bool tls;
    const struct target_group *group; /* NULL: a Classic balancer has none */
};
/* 'turn' counts requests of the listener.  'sticky' gets the cookies that keep the client there.  False: there is nobody. */
bool balancer_choose(const struct service_place *place, const struct load_balancer *lb, const struct lb_action *action,
                     const struct http_head *request, size_t turn, struct sticky *sticky, struct balancer_choice *out);
bool balancer_choose_instance(const struct service_place *place, const struct classic_balancer *lb, const struct classic_listener *listener,
                              const struct http_head *request, size_t turn, struct sticky *sticky, struct balancer_choice *out);
