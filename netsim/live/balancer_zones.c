#include "netsim/live/balancer_zones.h"

#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_balancer.h"

#define THRESHOLD "target_group_health.dns_failover.minimum_healthy_targets."

struct asked {
    const struct network *net;
    const struct load_balancer *lb;
    const char *zone; /* of the node; NULL: not known */
    balancer_asks_health *healthy;
    void *context;
};

static long
threshold(const struct target_group *group, const char *key, long otherwise)
{
    const char *text = target_group_attribute(group, key);
    return text ? strtol(text, NULL, 10) : otherwise; /* "off" is 0 */
}

static bool
group_serves(const struct asked *a, const struct target_group *group)
{
    bool everywhere = !a->zone || target_group_crosses_zones(group, a->lb);
    long n = 0, well = 0;
    if (group->target_type && strcmp(group->target_type, "lambda") == 0) {
        return true; /* functions are not checked here */
    }
    for (size_t i = 0; i < group->targets.n; i++) {
        const struct lb_target *target = &group->targets.items[i];
        struct balancer_target at;
        bool is_balancer =
            group->target_type && strcmp(group->target_type, "alb") == 0; /* has nodes in all its zones */
        if (balancer_target_address(a->net, a->lb, group, target, &at) &&
            (everywhere || is_balancer || !at.zone || strcmp(at.zone, a->zone) == 0)) {
            n++;
            well += a->healthy(a->context, group, target);
        }
    }
    return well >= threshold(group, THRESHOLD "count", 1) &&
           well * 100 >= n * threshold(group, THRESHOLD "percentage", 0);
}

static bool
action_serves(const struct asked *a, const struct lb_action *action)
{
    const struct target_group *group = action->group_arn ? network_target_group(a->net, action->group_arn) : NULL;
    bool serves = !group || group_serves(a, group);
    for (size_t i = 0; serves && i < action->groups.n; i++) {
        group = network_target_group(a->net, action->groups.items[i].group_arn);
        serves = !group || group_serves(a, group);
    }
    return serves;
}

bool
balancer_node_serves(const struct network *net, const struct load_balancer *lb, const struct eni *node,
                     balancer_asks_health *healthy, void *context)
{
    struct asked a = { .net = net, .lb = lb, .zone = node->zone, .healthy = healthy, .context = context };
    bool serves = true;
    for (size_t i = 0; serves && i < lb->listeners.n; i++) {
        const struct lb_listener *listener = &lb->listeners.items[i];
        for (size_t j = 0; serves && j < listener->actions.n; j++) {
            serves = action_serves(&a, &listener->actions.items[j]);
        }
        for (size_t j = 0; serves && j < listener->rules.n; j++) {
            for (size_t k = 0; serves && k < listener->rules.items[j].actions.n; k++) {
                serves = action_serves(&a, &listener->rules.items[j].actions.items[k]);
            }
        }
    }
    return serves;
}
