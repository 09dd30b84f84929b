/* cloud/ops_elbv2_listeners.c - listeners of load balancers and their rules.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateRule.html and neighbours */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elbv2.h"

static struct lb_listener *
require_listener(const struct op_call *call, struct load_balancer **lb, struct err *err)
{
    const char *arn = arg_str(call->in, "ListenerArn");
    struct lb_listener *listener = network_listener(ec2_net(call), arn, lb);
    if (!listener) {
        err_set(err, ERR_INPUT, "ListenerNotFound", "the listener `%s` does not exist", arn ? arn : "");
    }
    return listener;
}

/* ---- listeners and rules ----------------------------------------------------------------------------------------- */

/* Actions may name a target group as elbv2_find_group() understands it; what is kept is the ARN. */
static void
spell_groups(const struct op_call *call, json_t *value)
{
    const char *key;
    json_t *member;
    size_t i;
    void *next;
    json_array_foreach(value, i, member)
    {
        spell_groups(call, member);
    }
    json_object_foreach_safe(value, next, key, member)
    {
        struct err absent = { 0 };
        const struct target_group *group =
            strcmp(key, "TargetGroupArn") == 0 ? elbv2_find_group(call, json_string_value(member), &absent) : NULL;
        if (group) {
            json_object_set_new(value, key, json_string(group->arn));
        } else {
            spell_groups(call, member);
        }
    }
}

static bool
create_listener(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = elbv2_require_balancer(call, err);
    if (!lb) {
        return false;
    }
    json_t *json = json_deep_copy(call->in);
    json_object_del(json, "LoadBalancerArn");
    json_object_del(json, "Tags");
    spell_groups(call, json);
    const struct lb_listener *listener = load_balancer_listen(ec2_net(call), lb, json, err);
    json_decref(json);
    if (!listener) {
        return false;
    }
    elbv2_answer_one(call, "Listeners", elbv2_rows_json(lb_listener_fields, listener));
    return true;
}

static bool
describe_listeners(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "ListenerArns");
    json_t *list = json_array();
    if (json_array_size(arns) == 0) {
        const struct load_balancer *lb = elbv2_require_balancer(call, err);
        for (size_t i = 0; lb && i < lb->listeners.n; i++) {
            json_array_append_new(list, elbv2_rows_json(lb_listener_fields, &lb->listeners.items[i]));
        }
    }
    for (size_t i = 0; i < json_array_size(arns) && !err->kind; i++) {
        struct load_balancer *lb;
        const char *arn = json_string_value(json_array_get(arns, i));
        const struct lb_listener *listener = network_listener(ec2_net(call), arn, &lb);
        if (listener) {
            json_array_append_new(list, elbv2_rows_json(lb_listener_fields, listener));
        } else {
            err_set(err, ERR_INPUT, "ListenerNotFound", "the listener `%s` does not exist", arn);
        }
    }
    if (err->kind) {
        json_decref(list);
        return false;
    }
    return elbv2_answer_page(call, "Listeners", list, err);
}

static bool
modify_listener(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    if (!listener) {
        return false;
    }
    json_t *json = json_deep_copy(call->in);
    json_object_del(json, "ListenerArn");
    spell_groups(call, json);
    bool ok = listener_modify(ec2_net(call), lb, listener, json, err);
    json_decref(json);
    if (ok) {
        elbv2_answer_one(call, "Listeners", elbv2_rows_json(lb_listener_fields, listener));
    }
    return ok;
}

static bool
add_certificates(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    const json_t *given = json_object_get(call->in, "Certificates");
    if (!listener || !listener_add_certificates(ec2_net(call), listener, given, err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(given); i++) {
        json_array_append_new(list,
                              json_pack("{s:O, s:b}", "CertificateArn",
                                        json_object_get(json_array_get(given, i), "CertificateArn"), "IsDefault", 0));
    }
    json_object_set_new(call->out, "Certificates", list);
    return true;
}

static bool
remove_certificates(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    return listener &&
           listener_drop_certificates(ec2_net(call), listener, json_object_get(call->in, "Certificates"), err);
}

static bool
describe_certificates(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    const struct lb_listener *listener = require_listener(call, &lb, err);
    json_t *list = json_array();
    for (size_t k = 0; listener && k < 2; k++) {
        const json_t *of = k ? listener->more_certificates : listener->certificates;
        for (size_t i = 0; i < json_array_size(of); i++) {
            json_array_append_new(list, json_pack("{s:O, s:b}", "CertificateArn",
                                                  json_object_get(json_array_get(of, i), "CertificateArn"), "IsDefault",
                                                  k == 0));
        }
    }
    if (!listener) {
        json_decref(list);
        return false;
    }
    return elbv2_answer_page(call, "Certificates", list, err);
}

static bool
delete_listener(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    if (listener) {
        listener_delete(ec2_net(call), lb, listener);
    }
    return listener != NULL;
}

static bool
create_rule(struct op_call *call, struct err *err)
{
    struct load_balancer *lb;
    struct lb_listener *listener = require_listener(call, &lb, err);
    if (!listener) {
        return false;
    }
    json_t *json = json_object();
    json_object_set_new(json, "Priority", json_sprintf("%lld", arg_int(call->in, "Priority", 0)));
    json_object_set_new(json, "Conditions", json_deep_copy(json_object_get(call->in, "Conditions")));
    json_object_set_new(json, "Actions", json_deep_copy(json_object_get(call->in, "Actions")));
    spell_groups(call, json);
    const struct lb_rule *rule = listener_add_rule(ec2_net(call), lb, listener, json, err);
    json_decref(json);
    if (!rule) {
        return false;
    }
    elbv2_answer_one(call, "Rules", elbv2_rows_json(lb_rule_fields, rule));
    return true;
}

/* The rules by priority, and last what the listener does by default, which AWS shows as a rule too. */
static void
list_rules(const struct lb_listener *listener, const json_t *arns, json_t *list)
{
    size_t first = json_array_size(list);
    for (size_t i = 0; i < listener->rules.n; i++) {
        const struct lb_rule *rule = &listener->rules.items[i];
        size_t at = json_array_size(list);
        if (arns && !elbv2_has_text(arns, rule->arn)) {
            continue;
        }
        while (at > first && atoi(json_str(json_array_get(list, at - 1), "Priority")) > atoi(rule->priority)) {
            at--;
        }
        json_array_insert_new(list, at, elbv2_rows_json(lb_rule_fields, rule));
    }
    const char *tail = strstr(listener->arn, "listener/");
    if (!arns && tail) {
        json_t *shown = elbv2_rows_json(lb_listener_fields, listener);
        char *arn = xasprintf("%.*slistener-rule/%s/0000000000000000", (int)(tail - listener->arn), listener->arn,
                              tail + strlen("listener/"));
        json_array_append_new(list, json_pack("{s:s, s:s, s:[], s:O, s:b}", "RuleArn", arn, "Priority", "default",
                                              "Conditions", "Actions", json_object_get(shown, "DefaultActions"),
                                              "IsDefault", 1));
        free(arn);
        json_decref(shown);
    }
}

static bool
describe_rules(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "RuleArns");
    const struct store *store = network_store(ec2_net(call));
    json_t *list = json_array();
    if (json_array_size(arns) > 0) {
        for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
            for (size_t i = 0; i < lb->listeners.n; i++) {
                list_rules(&lb->listeners.items[i], arns, list);
            }
        }
        if (json_array_size(list) < json_array_size(arns)) {
            json_decref(list);
            return err_set(err, ERR_INPUT, "RuleNotFound", "one or more rules do not exist");
        }
        return elbv2_answer_page(call, "Rules", list, err);
    }
    struct load_balancer *lb;
    const struct lb_listener *listener = require_listener(call, &lb, err);
    if (!listener) {
        json_decref(list);
        return false;
    }
    list_rules(listener, NULL, list);
    return elbv2_answer_page(call, "Rules", list, err);
}

static bool
modify_rule(struct op_call *call, struct err *err)
{
    json_t *json = json_deep_copy(call->in);
    json_object_del(json, "RuleArn");
    spell_groups(call, json);
    const struct lb_rule *rule = rule_modify(ec2_net(call), arg_str(call->in, "RuleArn"), json, err);
    json_decref(json);
    if (rule) {
        elbv2_answer_one(call, "Rules", elbv2_rows_json(lb_rule_fields, rule));
    }
    return rule != NULL;
}

static bool
set_rule_priorities(struct op_call *call, struct err *err)
{
    const json_t *priorities = json_object_get(call->in, "RulePriorities");
    if (!rules_set_priorities(ec2_net(call), priorities, err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(priorities); i++) {
        struct load_balancer *lb;
        struct lb_listener *listener;
        const char *arn = json_str(json_array_get(priorities, i), "RuleArn");
        json_array_append_new(list, elbv2_rows_json(lb_rule_fields, network_rule(ec2_net(call), arn, &lb, &listener)));
    }
    json_object_set_new(call->out, "Rules", list);
    return true;
}

static bool
delete_rule(struct op_call *call, struct err *err)
{
    const char *arn = arg_str(call->in, "RuleArn");
    return rule_delete(ec2_net(call), arn) ||
           err_set(err, ERR_INPUT, "RuleNotFound", "the rule `%s` does not exist", arn ? arn : "");
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

const struct op ops_elbv2_listeners[] = {
    ELBV2_ROW("CreateListener", OP_WRITE, create_listener, "Let a load balancer listen on a port."),
    ELBV2_ROW("DescribeListeners", OP_READ, describe_listeners, "Show the listeners of a load balancer."),
    ELBV2_ROW("AddListenerCertificates", OP_WRITE, add_certificates,
              "Give a listener certificates for more names than its default one has."),
    ELBV2_ROW("DescribeListenerCertificates", OP_READ, describe_certificates, "Show the certificates of a listener."),
    ELBV2_ROW("RemoveListenerCertificates", OP_WRITE, remove_certificates,
              "Take certificates beside the default one away from a listener."),
    ELBV2_ROW("DeleteListener", OP_WRITE, delete_listener, "Delete a listener with its rules."),
    ELBV2_ROW("CreateRule", OP_WRITE, create_rule, "Add a rule to a listener of an application load balancer."),
    ELBV2_ROW("DescribeRules", OP_READ, describe_rules, "Show the rules of a listener."),
    ELBV2_ROW("DeleteRule", OP_WRITE, delete_rule, "Delete a rule of a listener."),
    ELBV2_ROW("ModifyListener", OP_WRITE, modify_listener,
              "Change the port, protocol, certificates, mutual authentication or actions of a listener."),
    ELBV2_ROW("ModifyRule", OP_WRITE, modify_rule, "Change the conditions or actions of a rule."),
    ELBV2_ROW("SetRulePriorities", OP_WRITE, set_rule_priorities, "Change the order in which rules are tried."),
    { 0 },
};
