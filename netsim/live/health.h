/* netsim/live/health.h - health checks of load balancers' targets and of Classic balancers' instances: real connections from a node of the balancer, every second.
 *
 * HTTPS and SSL shake hands first; a certificate is not verified.  A target begins as "initial", one answer makes it healthy; then the group's thresholds count.  AWS's intervals (10 to 30 s) are a second
 * here, so that a lab shows in seconds what takes minutes.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html, .../classic/elb-healthchecks.html
 * Uses: reactor.h, plan_balancer.h.   Used by: services.c */
#pragma once
#include "base/json.h"
#include "base/map.h"
#include "netsim/live/apply.h"
#include "netsim/live/live.h"
#include "netsim/live/reactor.h"

struct health;
struct tls_book;
struct health *health_new(struct reactor *reactor, struct tls_book *tls); /* both borrowed */
void health_free(struct health *health);
/* Which targets there are now; those that went are forgotten. */
void health_sync(struct health *health, const struct network *net);
/* Begins the checks that are due and ends those that take too long. */
void health_tick(struct health *health, const struct spaces *spaces);
/* Something changed since the last call: a new plan is due. */
bool health_has_changed(struct health *health);
/* Who gets nothing, by balancer_target_key(): for the planner. */
const struct map *health_unhealthy(const struct health *health);
/* {group or balancer: {target: state}}; the caller owns it. */
json_t *health_json(const struct health *health);
bool health_state(const struct health *health, const char *key, struct live_health *out); /* false: not checked */
