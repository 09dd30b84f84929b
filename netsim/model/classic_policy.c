#include "netsim/model/classic_policy.h"

#include <stdlib.h>
#include <strings.h>

#include "netsim/model/balancer_parts.h"

#define POLICIES_MAX 100

/* The types that a lab has; the first two stand in describe-load-balancers with their attribute, the third by its name.
 */
static const struct policy_type {
    const char *name, *attribute, *member; /* of "Policies" */
    bool required, on_instances;
} types[] = {
    { "LBCookieStickinessPolicyType", "CookieExpirationPeriod", "LBCookieStickinessPolicies", false, false },
    { "AppCookieStickinessPolicyType", "CookieName", "AppCookieStickinessPolicies", true, false },
    { "ProxyProtocolPolicyType", "ProxyProtocol", "OtherPolicies", true, true },
};
enum { LB_COOKIE, APP_COOKIE, PROXY };

static bool
has_name(const json_t *list, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_is(json_string_value(json_array_get(list, i)), name)) {
            return true;
        }
    }
    return false;
}

static json_t *
named(const json_t *list, const char *member, const char *name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (str_is(json_str(json_array_get(list, i), member), name)) {
            return json_array_get(list, i);
        }
    }
    return NULL;
}

/* A policy of the balancer; NULL: it has none of that name.  'type' is NULL where only the name is known. */
static json_t *
find(const struct classic_balancer *lb, const char *name, const struct policy_type **type)
{
    for (size_t i = LB_COOKIE; i <= APP_COOKIE; i++) {
        json_t *policy = named(json_object_get(lb->policies, types[i].member), "PolicyName", name);
        if (policy) {
            *type = &types[i];
            return policy;
        }
    }
    json_t *other = named(lb->more_policies, "PolicyName", name);
    *type = other ? &types[PROXY] : NULL;
    return other;
}

static bool
exists(const struct classic_balancer *lb, const char *name)
{
    const struct policy_type *type;
    return find(lb, name, &type) || has_name(json_object_get(lb->policies, "OtherPolicies"), name);
}

/* ---- making them ----------------------------------------------------------------------------------------------------
 */

static bool
name_check(const struct classic_balancer *lb, const char *name, struct err *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";
    if (str_empty(name) || name[strspn(name, letters)]) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the name of a policy has letters, digits and hyphens only, unlike `%s`", name ? name : "");
    }
    size_t n = json_array_size(json_object_get(lb->policies, "OtherPolicies"));
    for (size_t i = LB_COOKIE; i <= APP_COOKIE; i++) {
        n += json_array_size(json_object_get(lb->policies, types[i].member));
    }
    if (n >= POLICIES_MAX) {
        return err_set(err, ERR_INPUT, "TooManyPolicies", "`%s` has %d policies already", classic_balancer_name(lb),
                       POLICIES_MAX);
    }
    return !exists(lb, name) || err_set(err, ERR_INPUT, "DuplicatePolicyName", "`%s` has a policy `%s` already",
                                        classic_balancer_name(lb), name);
}

/* The one attribute of the type; NULL and no error: it is left out and may be. */
static const char *
attribute_of(const struct policy_type *type, const json_t *attributes, struct err *err)
{
    const char *value = NULL;
    for (size_t i = 0; i < json_array_size(attributes); i++) {
        const json_t *attribute = json_array_get(attributes, i);
        const char *key = json_str(attribute, "AttributeName");
        if (!str_is(key, type->attribute)) {
            err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                    "a policy of type %s has an attribute `%s`, not `%s`", type->name, type->attribute, key ? key : "");
            return NULL;
        }
        value = json_str(attribute, "AttributeValue");
    }
    if (type->required && str_empty(value)) {
        err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "a policy of type %s needs the attribute `%s`",
                type->name, type->attribute);
    }
    return value;
}

static bool
value_check(const struct policy_type *type, const char *value, struct err *err)
{
    char *end = NULL;
    long long period = type == &types[LB_COOKIE] && value ? strtoll(value, &end, 10) : 0;
    if (end && (!*value || *end || period < 0)) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "`CookieExpirationPeriod` is a number of seconds, not `%s`", value);
    }
    if (type == &types[APP_COOKIE] && (value[strcspn(value, "=;, \t")] || str_is(value, "AWSELB"))) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "`%s` cannot be the name of an application's cookie", value);
    }
    if (type == &types[PROXY] && strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "`ProxyProtocol` is `true` or `false`, not `%s`",
                       value);
    }
    return true;
}

static json_t *
list_of(json_t **object, const char *member)
{
    *object = *object ? *object : json_object();
    json_t *list = json_object_get(*object, member);
    if (!list) {
        json_object_set_new(*object, member, list = json_array());
    }
    return list;
}

bool
classic_policy_create(struct network *net, struct classic_balancer *lb, const char *name, const char *type_name,
                      const json_t *attributes, struct err *err)
{
    size_t at = 0;
    while (at < ARRAY_SIZE(types) && !str_is(types[at].name, type_name)) {
        at++;
    }
    if (at == ARRAY_SIZE(types)) {
        err_set(err, ERR_INPUT, "PolicyTypeNotFound", "there is no policy type `%s` in a lab",
                type_name ? type_name : "");
        return err_hint(err, "types are LBCookieStickinessPolicyType, AppCookieStickinessPolicyType, "
                             "ProxyProtocolPolicyType");
    }
    const struct policy_type *type = &types[at];
    const char *value = attribute_of(type, attributes, err);
    if (err->kind || !name_check(lb, name, err) || !value_check(type, value, err)) {
        return false;
    }
    json_t *list = list_of(&lb->policies, type->member);
    if (at == PROXY) {
        json_array_append_new(list, json_string(name));
        lb->more_policies = lb->more_policies ? lb->more_policies : json_array();
        json_array_append_new(lb->more_policies,
                              json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "PolicyName", name, "PolicyTypeName", type->name,
                                        "PolicyAttributeDescriptions", "AttributeName", type->attribute,
                                        "AttributeValue", strcasecmp(value, "true") == 0 ? "true" : "false"));
    } else {
        json_t *policy = json_pack("{s:s}", "PolicyName", name);
        if (value) {
            json_object_set_new(policy, type->attribute,
                                at == LB_COOKIE ? json_integer(atoll(value)) : json_string(value));
        }
        json_array_append_new(list, policy);
    }
    network_touch(net);
    return true;
}

static void
drop_named(json_t *list, const char *name)
{
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *item = json_array_get(list, i);
        if (str_is(json_is_string(item) ? json_string_value(item) : json_str(item, "PolicyName"), name)) {
            json_array_remove(list, i);
        }
    }
}

bool
classic_policy_delete(struct network *net, struct classic_balancer *lb, const char *name, struct err *err)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct classic_listener *listener = &lb->listeners.items[i];
        for (size_t k = 0; k < listener->policies.n; k++) {
            if (str_is(listener->policies.items[k], name)) {
                err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                        "the policy `%s` is in use at the listener on port %d", name, listener->port);
                return err_hint(err, "take it away with `elb set-load-balancer-policies-of-listener` first");
            }
        }
    }
    for (size_t i = 0; i < json_array_size(lb->backends); i++) {
        const json_t *backend = json_array_get(lb->backends, i);
        if (has_name(json_object_get(backend, "PolicyNames"), name)) {
            err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                    "the policy `%s` is in use at the instances' port %lld", name,
                    json_int(backend, "InstancePort", 0));
            return err_hint(err, "take it away with `elb set-load-balancer-policies-for-backend-server` first");
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        drop_named(json_object_get(lb->policies, types[i].member), name);
    }
    drop_named(lb->more_policies, name);
    network_touch(net);
    return true;
}

/* ---- giving them ----------------------------------------------------------------------------------------------------
 */

static bool
names_check(const struct classic_balancer *lb, const json_t *names, bool on_instances, struct err *err)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const struct policy_type *type;
        if (!name || !exists(lb, name)) {
            return err_set(err, ERR_INPUT, "PolicyNotFound", "`%s` has no policy `%s`", classic_balancer_name(lb),
                           name ? name : "");
        }
        find(lb, name, &type);
        if (type && type->on_instances != on_instances) {
            return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                           on_instances ? "the policy `%s` is for a listener, not for the port of instances"
                                        : "the policy `%s` is for the port of instances, not for a listener",
                           name);
        }
    }
    return true;
}

static bool
cookies_check(const struct classic_balancer *lb, const struct classic_listener *listener, const json_t *names,
              struct err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(names); i++) {
        const struct policy_type *type;
        find(lb, json_string_value(json_array_get(names, i)), &type);
        n += type != NULL;
    }
    if (n && !classic_listener_is_web(listener)) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "the listener on port %d speaks %s: cookies are of HTTP and HTTPS", listener->port,
                       listener->protocol);
    }
    return n < 2 || err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                            "a listener has one policy of cookies at most, these are %zu", n);
}

bool
classic_listener_set_policies(struct network *net, struct classic_balancer *lb, int port, const json_t *names,
                              struct err *err)
{
    struct classic_listener *listener = NULL;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        listener = lb->listeners.items[i].port == port ? &lb->listeners.items[i] : listener;
    }
    if (!listener) {
        return err_set(err, ERR_INPUT, "ListenerNotFound", "`%s` has no listener on port %d", classic_balancer_name(lb),
                       port);
    }
    if (!names_check(lb, names, false, err) || !cookies_check(lb, listener, names, err)) {
        return false;
    }
    while (listener->policies.n) {
        free(listener->policies.items[--listener->policies.n]);
    }
    for (size_t i = 0; i < json_array_size(names); i++) {
        *VEC_ADD(&listener->policies) = xstrdup(json_string_value(json_array_get(names, i)));
    }
    network_touch(net);
    return true;
}

static json_t *
backend_at(const struct classic_balancer *lb, int port, size_t *at)
{
    for (*at = 0; *at < json_array_size(lb->backends); (*at)++) {
        json_t *backend = json_array_get(lb->backends, *at);
        if (json_int(backend, "InstancePort", 0) == port) {
            return backend;
        }
    }
    return NULL;
}

bool
classic_backend_set_policies(struct network *net, struct classic_balancer *lb, int instance_port, const json_t *names,
                             struct err *err)
{
    bool used = false;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        used = used || lb->listeners.items[i].instance_port == instance_port;
    }
    if (!used) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "no listener of `%s` sends to port %d",
                       classic_balancer_name(lb), instance_port);
    }
    if (!names_check(lb, names, true, err)) {
        return false;
    }
    size_t at;
    if (backend_at(lb, instance_port, &at)) {
        json_array_remove(lb->backends, at);
    }
    if (json_array_size(names) > 0) {
        lb->backends = lb->backends ? lb->backends : json_array();
        json_array_append_new(
            lb->backends, json_pack("{s:i, s:o}", "InstancePort", instance_port, "PolicyNames", json_deep_copy(names)));
    }
    network_touch(net);
    return true;
}

/* ---- showing them ---------------------------------------------------------------------------------------------------
 */

static json_t *
description(const struct classic_balancer *lb, const char *name)
{
    const struct policy_type *type;
    const json_t *policy = find(lb, name, &type);
    if (!policy || type == &types[PROXY]) {
        return policy ? json_deep_copy(policy) : json_pack("{s:s}", "PolicyName", name);
    }
    json_t *attributes = json_array();
    const json_t *value = json_object_get(policy, type->attribute);
    if (value) {
        json_t *text = json_is_integer(value) ? json_sprintf("%lld", (long long)json_integer_value(value))
                                              : json_copy((json_t *)value);
        json_array_append_new(attributes,
                              json_pack("{s:s, s:o}", "AttributeName", type->attribute, "AttributeValue", text));
    }
    return json_pack("{s:s, s:s, s:o}", "PolicyName", name, "PolicyTypeName", type->name, "PolicyAttributeDescriptions",
                     attributes);
}

json_t *
classic_policies_json(const struct classic_balancer *lb, const json_t *names, struct err *err)
{
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (!name || !exists(lb, name)) {
            json_decref(list);
            err_set(err, ERR_INPUT, "PolicyNotFound", "`%s` has no policy `%s`", classic_balancer_name(lb),
                    name ? name : "");
            return NULL;
        }
        json_array_append_new(list, description(lb, name));
    }
    for (size_t k = 0; json_array_size(names) == 0 && k < ARRAY_SIZE(types); k++) {
        const json_t *of = json_object_get(lb->policies, types[k].member);
        for (size_t i = 0; i < json_array_size(of); i++) {
            const json_t *item = json_array_get(of, i);
            json_array_append_new(
                list, description(lb, json_is_string(item) ? json_string_value(item) : json_str(item, "PolicyName")));
        }
    }
    return list;
}

/* ---- what they ask of a node ----------------------------------------------------------------------------------------
 */

bool
classic_listener_sends_header(const struct classic_balancer *lb, const struct classic_listener *listener)
{
    size_t at;
    const json_t *names = json_object_get(backend_at(lb, listener->instance_port, &at), "PolicyNames");
    for (size_t i = 0; !classic_listener_is_web(listener) && i < json_array_size(names); i++) {
        const json_t *policy = named(lb->more_policies, "PolicyName", json_string_value(json_array_get(names, i)));
        const json_t *said = json_array_get(json_object_get(policy, "PolicyAttributeDescriptions"), 0);
        if (str_is(json_str(said, "AttributeValue"), "true")) {
            return true;
        }
    }
    return false;
}

bool
classic_listener_stickiness(const struct classic_balancer *lb, const struct classic_listener *listener,
                            struct classic_stickiness *out)
{
    for (size_t i = 0; classic_listener_is_web(listener) && i < listener->policies.n; i++) {
        const struct policy_type *type;
        const json_t *policy = find(lb, listener->policies.items[i], &type);
        if (policy && !type->on_instances) {
            *out = (struct classic_stickiness){ json_str(policy, "CookieName"),
                                                json_int(policy, "CookieExpirationPeriod", 0) };
            return true;
        }
    }
    return false;
}

const char *
classic_unknown_policy(const struct classic_balancer *lb, size_t n)
{
    const struct policy_type *type;
    for (size_t i = 0; i < json_array_size(lb->backends); i++) {
        const json_t *names = json_object_get(json_array_get(lb->backends, i), "PolicyNames");
        for (size_t k = 0; k < json_array_size(names); k++) {
            const char *name = json_string_value(json_array_get(names, k));
            if (name && !find(lb, name, &type) && n-- == 0) {
                return name;
            }
        }
    }
    return NULL;
}
