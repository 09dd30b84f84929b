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
is_gateway(const struct load_balancer *lb)
{
    return str_is(lb->type, "gateway");
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
    bool fits = is_gateway(lb)                 ? str_is(group->protocol, "GENEVE")
                : load_balancer_is_network(lb) ? is_network_protocol(group->protocol)
                                               : is_web_protocol(group->protocol);
    if (!fits) {
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
            if (load_balancer_is_network(lb) || is_gateway(lb) || str_empty(action->type)) {
                return err_set(err, ERR_INPUT, "InvalidLoadBalancerAction", "a balancer of type %s has no action `%s`",
                               lb->type, action->type ? action->type : "");
            }
            if (str_is(action->type, "jwt-validation")) {
                return err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model actions of type `%s`",
                               action->type);
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

/* 'old': the one that it takes the place of; NULL: none. */
static bool
listener_check(const struct load_balancer *lb, const struct lb_listener *listener, const struct lb_listener *old,
               struct err *err)
{
    const char *protocol = listener->protocol;
    if (is_gateway(lb)) { /* it takes every packet */
        return (!protocol && !listener->port && (old || lb->listeners.n == 0)) ||
               err_set(err, ERR_INPUT, "ValidationError",
                       "a balancer of type gateway has one listener, without protocol and port");
    }
    if (load_balancer_is_network(lb) ? !is_network_protocol(protocol) : !is_web_protocol(protocol)) {
        return err_set(err, ERR_INPUT, "ValidationError", "listeners of a balancer of type %s are %s, not `%s`",
                       lb->type, load_balancer_is_network(lb) ? "TCP, UDP, TCP_UDP, TLS" : "HTTP, HTTPS",
                       protocol ? protocol : "");
    }
    if (listener->port < 1 || listener->port > 65535) {
        return err_set(err, ERR_INPUT, "ValidationError", "a listener needs a port of 1 to 65535");
    }
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (&lb->listeners.items[i] != old && lb->listeners.items[i].port == listener->port) {
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
        !listener_check(lb, &listener, NULL, err) ||
        (!is_gateway(lb) && !listener_tls_check(net, &listener, true, err)) ||
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

/* What 'fields' print of 'object', with the members of 'json' in their place. */
static json_t *
changed_json(const struct field *fields, const void *object, const json_t *json)
{
    json_t *whole = json_object(), *given = json_deep_copy(json);
    fields_print(fields, object, true, whole);
    json_object_update(whole, given);
    json_decref(given);
    return whole;
}

/* What it said of TLS, as far as the request does not say it again. */
static void
forget_tls(struct lb_listener *listener, const json_t *json)
{
    json_t **const lists[] = { &listener->certificates, &listener->more_certificates, &listener->alpn,
                               &listener->mutual };
    static const char *const members[] = { "Certificates", "AdditionalCertificates", "AlpnPolicy",
                                           "MutualAuthentication" };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        if (!json_object_get(json, members[i])) {
            json_decref(*lists[i]);
            *lists[i] = NULL;
        }
    }
    if (!json_object_get(json, "SslPolicy")) {
        str_set(&listener->ssl_policy, NULL);
    }
}

bool
listener_modify(struct network *net, struct load_balancer *lb, struct lb_listener *listener, const json_t *json,
                struct err *err)
{
    struct lb_listener changed = { 0 };
    json_t *whole = changed_json(lb_listener_fields, listener, json);
    bool ok = fields_load(lb_listener_fields, &changed, whole, "listener", NULL, err);
    json_decref(whole);
    if (ok && json_object_get(json, "Protocol") && !listener_has_tls(&changed)) {
        forget_tls(&changed, json);
    }
    if (!ok || !listener_check(lb, &changed, listener, err) ||
        (!is_gateway(lb) && !listener_tls_check(net, &changed, json_object_get(json, "Certificates") != NULL, err)) ||
        !actions_check(net, lb, changed.actions.items, changed.actions.n, err)) {
        fields_done(lb_listener_fields, &changed);
        return false;
    }
    fields_done(lb_listener_fields, listener);
    *listener = changed;
    target_groups_follow(net);
    return true;
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

/* ---- rules ------------------------------------------------------------------------------------------------------- */

/* Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RuleCondition.html */
static const struct {
    const char *field, *config; /* where its values stand, beside "Values" for the first two */
} condition_fields[] = {
    { "host-header", "HostHeaderConfig" },   { "path-pattern", "PathPatternConfig" },
    { "http-header", "HttpHeaderConfig" },   { "http-request-method", "HttpRequestMethodConfig" },
    { "query-string", "QueryStringConfig" }, { "source-ip", "SourceIpConfig" },
};

static const json_t *
condition_values(const json_t *condition, const char *config)
{
    const json_t *values = json_object_get(json_object_get(condition, config), "Values");
    return values ? values : json_object_get(condition, "Values");
}

/* A rule compares at most five values. */
static bool
conditions_check(const json_t *conditions, struct err *err)
{
    size_t n_values = 0;
    if (json_array_size(conditions) == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "a condition must be specified");
    }
    for (size_t i = 0; i < json_array_size(conditions); i++) {
        const json_t *condition = json_array_get(conditions, i);
        const char *field = json_str(condition, "Field");
        size_t row = 0;
        while (row < ARRAY_SIZE(condition_fields) && !str_is(condition_fields[row].field, field)) {
            row++;
        }
        if (row == ARRAY_SIZE(condition_fields)) {
            return err_set(err, ERR_INPUT, "ValidationError",
                           "condition field `%s` must be one of host-header, path-pattern, "
                           "http-header, http-request-method, query-string, source-ip",
                           field ? field : "");
        }
        const json_t *values = condition_values(condition, condition_fields[row].config);
        if (json_array_size(values) == 0) {
            return err_set(err, ERR_INPUT, "ValidationError", "a condition of `%s` needs values", field);
        }
        for (size_t k = 0; strcmp(field, "source-ip") == 0 && k < json_array_size(values); k++) {
            struct cidr cidr;
            const char *text = json_string_value(json_array_get(values, k));
            if (!text || !cidr_parse(text, &cidr)) {
                return err_set(err, ERR_INPUT, "ValidationError", "`%s` is no CIDR block", text ? text : "");
            }
        }
        n_values += json_array_size(values);
    }
    return n_values <= 5 || err_set(err, ERR_INPUT, "TooManyValues",
                                    "the conditions of a rule have %zu values, at most 5 are allowed", n_values);
}

bool
rule_source_block(const struct lb_rule *rule, size_t n, struct cidr *block)
{
    for (size_t i = 0; i < json_array_size(rule->conditions); i++) {
        const json_t *condition = json_array_get(rule->conditions, i);
        const json_t *values = condition_values(condition, "SourceIpConfig");
        for (size_t k = 0; str_is(json_str(condition, "Field"), "source-ip") && k < json_array_size(values); k++) {
            const char *text = json_string_value(json_array_get(values, k));
            if (n-- == 0) {
                bool parsed = text && cidr_parse(text, block);
                *block = parsed ? *block : (struct cidr){ 0 };
                return true;
            }
        }
    }
    return false;
}

bool
rule_may_take(const struct lb_rule *rule, const struct ip *client, bool *always)
{
    *always = json_array_size(rule->conditions) > 0;
    for (size_t i = 0; i < json_array_size(rule->conditions); i++) {
        const json_t *condition = json_array_get(rule->conditions, i);
        if (!str_is(json_str(condition, "Field"), "source-ip")) {
            *always = false;
            continue;
        }
        const json_t *values = condition_values(condition, "SourceIpConfig");
        bool meets = false;
        for (size_t k = 0; k < json_array_size(values) && !meets; k++) {
            struct cidr cidr;
            const char *text = json_string_value(json_array_get(values, k));
            meets = text && cidr_parse(text, &cidr) && cidr_contains_ip(&cidr, client);
        }
        if (!meets) {
            return *always = false;
        }
    }
    return true;
}

static bool
priority_check(const struct lb_listener *listener, const struct lb_rule *rule, const char *text, struct err *err)
{
    long priority = text ? strtol(text, NULL, 10) : 0;
    if (priority < 1 || priority > 50000) {
        return err_set(err, ERR_INPUT, "ValidationError", "the priority of a rule is 1 to 50000");
    }
    for (size_t i = 0; i < listener->rules.n; i++) {
        if (&listener->rules.items[i] != rule && str_is(listener->rules.items[i].priority, text)) {
            return err_set(err, ERR_INPUT, "PriorityInUse", "priority %ld is taken", priority);
        }
    }
    return true;
}

struct lb_rule *
listener_add_rule(struct network *net, struct load_balancer *lb, struct lb_listener *listener, const json_t *json,
                  struct err *err)
{
    struct lb_rule rule = { 0 };
    bool ok = fields_load(lb_rule_fields, &rule, json, "rule", NULL, err);
    if (ok && !str_is(lb->type, "application")) {
        ok = err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "a balancer of type %s has no rules", lb->type);
    }
    if (!ok || !priority_check(listener, NULL, rule.priority, err) || !conditions_check(rule.conditions, err) ||
        !actions_check(net, lb, rule.actions.items, rule.actions.n, err)) {
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

struct lb_rule *
network_rule(const struct network *net, const char *arn, struct load_balancer **owner, struct lb_listener **listener)
{
    for (struct load_balancer *lb = store_first(net->store, &load_balancer_kind); lb; lb = store_next(net->store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            *listener = &lb->listeners.items[i];
            for (size_t k = 0; k < (*listener)->rules.n; k++) {
                if (str_is((*listener)->rules.items[k].arn, arn)) {
                    *owner = lb;
                    return &(*listener)->rules.items[k];
                }
            }
        }
    }
    return NULL;
}

static struct lb_rule *
rule_require(const struct network *net, const char *arn, struct load_balancer **lb, struct lb_listener **listener,
             struct err *err)
{
    struct lb_rule *rule = network_rule(net, arn, lb, listener);
    if (!rule) {
        err_set(err, ERR_INPUT, "RuleNotFound", "the rule `%s` does not exist", arn ? arn : "");
    }
    return rule;
}

struct lb_rule *
rule_modify(struct network *net, const char *arn, const json_t *json, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener;
    struct lb_rule *rule = rule_require(net, arn, &lb, &listener, err), changed = { 0 };
    if (!rule) {
        return NULL;
    }
    json_t *whole = changed_json(lb_rule_fields, rule, json);
    bool ok = fields_load(lb_rule_fields, &changed, whole, "rule", NULL, err);
    json_decref(whole);
    if (!ok || !conditions_check(changed.conditions, err) ||
        !actions_check(net, lb, changed.actions.items, changed.actions.n, err)) {
        fields_done(lb_rule_fields, &changed);
        return NULL;
    }
    fields_done(lb_rule_fields, rule);
    *rule = changed;
    target_groups_follow(net);
    return rule;
}

bool
rules_set_priorities(struct network *net, const json_t *priorities, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = NULL;
    for (size_t i = 0; i < json_array_size(priorities); i++) { /* free them all first: they may change places */
        struct lb_rule *rule =
            rule_require(net, json_str(json_array_get(priorities, i), "RuleArn"), &lb, &listener, err);
        if (!rule) {
            return false;
        }
        str_set(&rule->priority, NULL);
    }
    for (size_t i = 0; i < json_array_size(priorities); i++) {
        const json_t *item = json_array_get(priorities, i);
        struct lb_rule *rule = rule_require(net, json_str(item, "RuleArn"), &lb, &listener, err);
        char text[16];
        snprintf(text, sizeof text, "%d", (int)json_int(item, "Priority", 0));
        if (!priority_check(listener, rule, text, err)) {
            return false;
        }
        str_set(&rule->priority, text);
    }
    network_touch(net);
    return true;
}

bool
rule_delete(struct network *net, const char *arn)
{
    struct load_balancer *lb;
    struct lb_listener *listener;
    struct lb_rule *rule = network_rule(net, arn, &lb, &listener);
    if (!rule) {
        return false;
    }
    size_t at = (size_t)(rule - listener->rules.items);
    fields_done(lb_rule_fields, rule);
    VEC_REMOVE(&listener->rules, at);
    target_groups_follow(net);
    return true;
}
