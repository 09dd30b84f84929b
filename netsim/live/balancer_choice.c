#include "netsim/live/balancer_choice.h"

#include <string.h>

/* Groups in proportion to their weights, by turns. */
static const struct target_group *
group_of(const struct network *net, const struct lb_action *action, size_t turn, size_t *round)
{
    long long sum = 0;
    for (size_t i = 0; i < action->groups.n; i++) {
        sum += action->groups.items[i].weight;
    }
    sum = sum > 0 ? sum : 1;
    *round = turn / (size_t)sum;
    long long at = (long long)(turn % (size_t)sum);
    for (size_t i = 0; i < action->groups.n; i++) {
        at -= action->groups.items[i].weight;
        if (at < 0 || action->groups.n == 1) {
            return network_target_group(net, action->groups.items[i].group_arn);
        }
    }
    return action->group_arn ? network_target_group(net, action->group_arn) : NULL;
}

static const struct eni *
node_of(const struct service_place *place)
{
    return store_get(network_store(services_network(place->services)), &eni_kind, place->ns);
}

bool
balancer_choose(const struct service_place *place, const struct load_balancer *lb, const struct lb_action *action,
                const struct http_head *request, size_t turn, struct sticky *sticky, struct balancer_choice *out)
{
    struct services *services = place->services;
    const struct network *net = services_network(services);
    const struct eni *node = node_of(place);
    const struct live_hooks *hooks = services_hooks(services);
    int64_t now_ms = hooks->now_ms(hooks->context);
    const struct target_group *kept = stickiness_group(net, action, request, now_ms);
    size_t round; /* how often all groups have had their turns */
    const struct target_group *group = group_of(net, action, turn, &round);
    group = kept ? kept : group;
    balancer_target_vec targets = { 0 };
    if (group) {
        balancer_targets(net, lb, node ? node->zone : NULL, group, services_unhealthy(services), &targets);
    }
    bool any = targets.n > 0;
    if (any) {
        int stays = stickiness_target(group, &targets, request, now_ms);
        const struct balancer_target *t = &targets.items[stays >= 0 ? (size_t)stays : round % targets.n];
        sticky_note(sticky, action, group, t, now_ms);
        *out =
            (struct balancer_choice){ t->ip, t->port, group->protocol && strcmp(group->protocol, "HTTPS") == 0, group };
    }
    VEC_DONE(&targets);
    return any;
}

bool
balancer_choose_instance(const struct service_place *place, const struct classic_balancer *lb,
                         const struct classic_listener *listener, const struct http_head *request, size_t turn,
                         struct sticky *sticky, struct balancer_choice *out)
{
    const struct eni *node = node_of(place);
    balancer_ip_vec instances = { 0 };
    if (node) {
        balancer_classic_instances(services_network(place->services), lb, node, services_unhealthy(place->services),
                                   &instances);
    }
    bool any = instances.n > 0;
    if (any) {
        int stays = stickiness_instance(lb, listener, &instances, request);
        struct ip ip = instances.items[stays >= 0 ? (size_t)stays : turn % instances.n];
        sticky_note_instance(sticky, lb, listener, &ip, stays >= 0, request);
        *out = (struct balancer_choice){ ip, listener->instance_port, classic_listener_sends_tls(listener), NULL };
    }
    VEC_DONE(&instances);
    return any;
}
