/* netsim/live/balancer.h - a listener of an application load balancer, or one for HTTP or HTTPS of a Classic one, at one of its nodes: HTTP/1.1 requests are
 * read one after the other, each judged by the listener's rules and sent on to a healthy target by a connection of its own, with X-Forwarded-For, -Proto
 * and -Port.
 *
 * Clients may send the next request before the answer; answers come in order.  Bodies pass as they are, chunks too; `Expect: 100-continue` is answered by
 * the balancer.  A connection that is silent longer than the balancer's idle timeout ends.  Requests that no target takes are answered as AWS does:
 * 503 without a target, 502 when it refuses or speaks nonsense, 504 when it is silent.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-listeners.html, .../x-forwarded-headers.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html (HTTP connections, HTTP headers)
 * Uses: http.h, stream.h, balancer_choice.h, balancer_heads.h, balancer_rules.h, balancer_stand.h.   Used by: services.c */
#pragma once
#include "netsim/live/services.h"

struct balancer;
/* Takes the listening socket; 'place' must stay until balancer_free(). */
struct balancer *balancer_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place);
void balancer_free(struct balancer *balancer);
void balancer_tick(struct balancer *balancer);
