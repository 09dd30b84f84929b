/* netsim/live/balancer.h - a listener of an application load balancer at one of its nodes: HTTP/1.1 requests read, judged by the listener's
 * rules, and sent on to a healthy target with X-Forwarded-For, -Proto and -Port.
 *
 * One request a connection: both sides are told `Connection: close`.  A listener for HTTPS is served without TLS.  Requests that no target takes are
 * answered as AWS does: 503 without a target, 502 when it refuses or speaks nonsense, 504 when it is silent.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html, .../x-forwarded-headers.html
 * Uses: http.h, plan_balancer.h, balancer_rules.h.   Used by: services.c */
#pragma once
#include "netsim/live/services.h"

struct balancer;
/* Takes the listening socket; 'place' must stay until balancer_free(). */
struct balancer *balancer_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place);
void balancer_free(struct balancer *balancer);
void balancer_tick(struct balancer *balancer);
