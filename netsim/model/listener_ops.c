/* Listeners of load balancers and their rules: creating, finding, deleting. */
#include "netsim/model/balancer_parts.h"

static bool
uses_group(const struct lb_action *actions, size_t n, const char *arn)
{
    for (size_t i = 0; i < n; i++) {
        if (str_is(actions[i].group_arn, arn)) {
            return true;
        }
        for (size_t k = 0; k < actions[i].groups.n; k++) {
            if (str_is(actions[i].groups.items[k].group_arn, arn)) {
                return true;
            }
        }
    }
    return false;
}

static bool
balancer_uses(const struct load_balancer *lb, const char *arn)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct lb_listener *listener = &lb->listeners.items[i];
        bool used = uses_group(listener->actions.items, listener->actions.n, arn);
        for (size_t k = 0; k < listener->rules.n && !used; k++) {
            used = uses_group(listener->rules.items[k].actions.items, listener->rules.items[k].actions.n, arn);
        }
        if (used) {
            return true;
        }
    }
    return false;
}

void
target_groups_follow(struct network *net)
{
    for (struct target_group *g = store_first(net->store, &target_group_kind); g; g = store_next(net->store, g)) {
        while (g->balancer_arns.n) {
            free(g->balancer_arns.items[--g->balancer_arns.n]);
        }
        for (const struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb;
             lb = store_next(net->store, lb)) {
            if (balancer_uses(lb, g->arn)) {
                *VEC_ADD(&g->balancer_arns) = xstrdup(lb->arn);
            }
        }
    }
    store_touch(net->store);
}

static bool
group_check(const struct network *net, const struct load_balancer *lb, const char *arn, struct err *err)
{
    const struct target_group *group = network_target_group(net, arn ? arn : "");
    if (!group) {
        return err_set(err, ERR_INPUT, "TargetGroupNotFound", "the target group `%s` does not exist", arn ? arn : "");
    }
    if (strcmp(group->vpc_id, lb->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "the target group `%s` is of `%s`, `%s` of `%s`",
                       group->name, group->vpc_id, lb->name, lb->vpc_id);
    }
    if (load_balancer_is_network(lb) ? !is_network_protocol(group->protocol) : !is_web_protocol(group->protocol)) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "the target group `%s` speaks %s, which a balancer of type %s does not", group->name,
                       group->protocol, lb->type);
    }
    if (group->balancer_arns.n && !str_is(group->balancer_arns.items[0], lb->arn)) {
        return err_set(err, ERR_INPUT, "TargetGroupAssociationLimit", "the target group `%s` serves `%s` already",
                       group->name, kind_id(&load_balancer_kind, group->balancer_arns.items[0]));
    }
    return true;
}

/* A group in TargetGroupArn stands in ForwardConfig as well, as AWS shows it. */
static bool
actions_check(const struct network *net, const struct load_balancer *lb, struct lb_action *actions, size_t n,
              struct err *err)
{
    if (n == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "an action must be specified");
    }
    for (size_t i = 0; i < n; i++) {
        struct lb_action *action = &actions[i];
        if (!str_is(action->type, "forward")) {
            if (load_balancer_is_network(lb) || str_empty(action->type)) {
                return err_set(err, ERR_INPUT, "InvalidLoadBalancerAction", "a balancer of type %s has no action `%s`",
                               lb->type, action->type ? action->type : "");
            }
            continue;
        }
        if (action->group_arn && action->groups.n == 0) {
            struct lb_action_group *group = VEC_ADD(&action->groups);
            group->group_arn = xstrdup(action->group_arn);
            group->weight = load_balancer_is_network(lb) ? 0 : 1;
        } else if (!action->group_arn && action->groups.n == 1) {
            action->group_arn = xstrdup(action->groups.items[0].group_arn ? action->groups.items[0].group_arn : "");
        }
        if (action->groups.n == 0) {
            return err_set(err, ERR_INPUT, "ValidationError", "a forward action needs a `TargetGroupArn`");
        }
        for (size_t k = 0; k < action->groups.n; k++) {
            if (!group_check(net, lb, action->groups.items[k].group_arn, err)) {
                return false;
            }
        }
    }
    return true;
}

static bool
listener_check(const struct load_balancer *lb, const struct lb_listener *listener, struct err *err)
{
    const char *protocol = listener->protocol;
    if (load_balancer_is_network(lb) ? !is_network_protocol(protocol) : !is_web_protocol(protocol)) {
        return err_set(err, ERR_INPUT, "ValidationError", "listeners of a balancer of type %s are %s, not `%s`",
                       lb->type, load_balancer_is_network(lb) ? "TCP, UDP, TCP_UDP, TLS" : "HTTP, HTTPS",
                       protocol ? protocol : "");
    }
    if (listener->port < 1 || listener->port > 65535) {
        return err_set(err, ERR_INPUT, "ValidationError", "a listener needs a port of 1 to 65535");
    }
    if ((str_is(protocol, "HTTPS") || str_is(protocol, "TLS")) && json_array_size(listener->certificates) == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "a certificate must be specified for %s listeners", protocol);
    }
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == listener->port) {
            return err_set(err, ERR_INPUT, "DuplicateListener", "`%s` has a listener on port %d already", lb->name,
                           listener->port);
        }
    }
    return true;
}

struct lb_listener *
load_balancer_listen(struct network *net, struct load_balancer *lb, const json_t *json, struct err *err)
{
    struct lb_listener listener = { 0 };
    if (!fields_load(lb_listener_fields, &listener, json, "listener", NULL, err) ||
        !listener_check(lb, &listener, err) ||
        !actions_check(net, lb, listener.actions.items, listener.actions.n, err)) {
        fields_done(lb_listener_fields, &listener);
        return NULL;
    }
    char hex[BALANCER_HEX_DIGITS + 1];
    balancer_hex(net, hex);
    free(listener.arn);
    char *id = xasprintf("%s/%s", lb->obj.id, hex);
    listener.arn = balancer_arn(net, id, "listener/");
    free(id);
    str_set(&listener.balancer_arn, lb->arn);
    *VEC_ADD(&lb->listeners) = listener;
    target_groups_follow(net);
    return &lb->listeners.items[lb->listeners.n - 1];
}

struct lb_listener *
network_listener(const struct network *net, const char *arn, struct load_balancer **owner)
{
    for (struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb; lb = store_next(net->store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            if (str_is(lb->listeners.items[i].arn, arn)) {
                *owner = lb;
                return &lb->listeners.items[i];
            }
        }
    }
    return NULL;
}

void
listener_delete(struct network *net, struct load_balancer *lb, struct lb_listener *listener)
{
    size_t at = (size_t)(listener - lb->listeners.items);
    fields_done(lb_listener_fields, listener);
    VEC_REMOVE(&lb->listeners, at);
    target_groups_follow(net);
}

struct lb_rule *
listener_add_rule(struct network *net, struct load_balancer *lb, struct lb_listener *listener, const json_t *json,
                  struct err *err)
{
    struct lb_rule rule = { 0 };
    bool ok = fields_load(lb_rule_fields, &rule, json, "rule", NULL, err);
    long priority = ok && rule.priority ? strtol(rule.priority, NULL, 10) : 0;
    if (ok && load_balancer_is_network(lb)) {
        ok = err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "a balancer of type network has no rules");
    } else if (ok && (priority < 1 || priority > 50000)) {
        ok = err_set(err, ERR_INPUT, "ValidationError", "the priority of a rule is 1 to 50000");
    }
    for (size_t i = 0; ok && i < listener->rules.n; i++) {
        if (str_is(listener->rules.items[i].priority, rule.priority)) {
            ok = err_set(err, ERR_INPUT, "PriorityInUse", "priority %ld is taken", priority);
        }
    }
    if (!ok || !actions_check(net, lb, rule.actions.items, rule.actions.n, err)) {
        fields_done(lb_rule_fields, &rule);
        return NULL;
    }
    char hex[BALANCER_HEX_DIGITS + 1];
    balancer_hex(net, hex);
    const char *tail = strstr(listener->arn, "listener/");
    char *id = xasprintf("%s/%s", tail ? tail + 9 : lb->obj.id, hex);
    free(rule.arn);
    rule.arn = balancer_arn(net, id, "listener-rule/");
    rule.is_default = false;
    free(id);
    *VEC_ADD(&listener->rules) = rule;
    target_groups_follow(net);
    return &listener->rules.items[listener->rules.n - 1];
}

bool
rule_delete(struct network *net, const char *arn)
{
    for (struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb; lb = store_next(net->store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            struct lb_listener *listener = &lb->listeners.items[i];
            for (size_t k = 0; k < listener->rules.n; k++) {
                if (str_is(listener->rules.items[k].arn, arn)) {
                    fields_done(lb_rule_fields, &listener->rules.items[k]);
                    VEC_REMOVE(&listener->rules, k);
                    target_groups_follow(net);
                    return true;
                }
            }
        }
    }
    return false;
}
