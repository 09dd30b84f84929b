/* netsim/live/balancer_zones.h - does the balancer's name have its address in a zone?  Only where every target group has healthy targets for the
 * node there: its own zone's, or with cross-zone load balancing those of any zone.  When no zone is so, all are named (resolver.h).
 *
 * How many must be healthy the group's attributes target_group_health.dns_failover.minimum_healthy_targets.count and .percentage say: one.
 *
 * Sources: https://repost.aws/knowledge-center/elb-dns-cross-zone-balance-configuration,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health.html
 * Used by: services.c (the live resolver), cloud/names.c. */
#pragma once
#include "netsim/model/eni.h"
#include "netsim/model/load_balancer.h"

typedef bool balancer_asks_health(void *context, const struct target_group *group, const struct lb_target *target);
bool balancer_node_serves(const struct network *net, const struct load_balancer *lb, const struct eni *node, balancer_asks_health *healthy,
                          void *context);
