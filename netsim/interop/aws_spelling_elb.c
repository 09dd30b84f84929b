/* What `aws elbv2 describe-*` prints for one balancer, group or listener at a time, gathered under the thing it is of.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeListeners.html and
 * neighbours */
#include <stdio.h>
#include <string.h>

#include "base/vec.h"
#include "netsim/interop/aws_spelling.h"

struct files {
    json_t *const *json;
    const char *const *names;
    size_t n;
};

/* Calls 'each' with the objects of a list in all files until it says true. */
typedef bool each_fn(json_t *object, const void *wanted);
static json_t *
find_object(const struct files *files, const char *list, each_fn *is_it, const void *wanted)
{
    for (size_t f = 0; f < files->n; f++) {
        const json_t *objects = json_object_get(files->json[f], list);
        for (size_t i = 0; i < json_array_size(objects); i++) {
            json_t *object = json_array_get(objects, i);
            if (is_it(object, wanted)) {
                return object;
            }
        }
    }
    return NULL;
}

/* ---- Listeners and their rules ----------------------------------------------------------------------------------- */

/* Each names its balancer. */
static void
spell_listeners(json_t *file)
{
    json_t *listeners = json_object_get(file, "Listeners"), *listener, *list;
    json_t *by_balancer = json_object();
    const char *arn;
    size_t i;
    json_array_foreach(listeners, i, listener)
    {
        arn = json_str(listener, "LoadBalancerArn");
        if (!arn) { /* not what elbv2 prints */
            json_decref(by_balancer);
            return;
        }
        if (!json_object_get(by_balancer, arn)) {
            json_object_set_new(by_balancer, arn, json_array());
        }
        json_array_append(json_object_get(by_balancer, arn), listener);
    }
    if (json_is_array(listeners) && !json_object_get(file, "LoadBalancerListeners")) {
        json_object_set_new(file, "LoadBalancerListeners", json_array());
    }
    json_object_foreach(by_balancer, arn, list)
    {
        json_array_append_new(json_object_get(file, "LoadBalancerListeners"),
                              json_pack("{s:s, s:O}", "LoadBalancerArn", arn, "Listeners", list));
    }
    json_decref(by_balancer);
    if (json_is_array(listeners)) {
        json_object_del(file, "Listeners");
    }
}

/* ".../listener-rule/app/web/50dc/f2f7/9683" is a rule of ".../listener/app/web/50dc/f2f7". */
static bool
listener_of_rule(const char *rule, char *listener, size_t size)
{
    const char *at = rule ? strstr(rule, ":listener-rule/") : NULL, *end = rule ? strrchr(rule, '/') : NULL;
    int length = at ? snprintf(listener, size, "%.*s:listener/%.*s", (int)(at - rule), rule,
                               (int)(end - (at + strlen(":listener-rule/"))), at + strlen(":listener-rule/"))
                    : -1;
    return length > 0 && (size_t)length < size;
}

struct wanted_listener {
    const char *arn;
    json_t **found;
};

static bool
has_listener(json_t *object, const void *wanted)
{
    const struct wanted_listener *w = wanted;
    json_t *listeners = json_object_get(object, "Listeners"), *listener;
    size_t i;
    json_array_foreach(listeners, i, listener)
    {
        const char *arn = json_str(listener, "ListenerArn");
        if (arn && strcmp(arn, w->arn) == 0) {
            *w->found = listener;
            return true;
        }
    }
    return false;
}

/* What finds no listener stays where it is, so that the report names it. */
static void
spell_rules(json_t *file, const struct files *files)
{
    json_t *rules = json_object_get(file, "Rules");
    for (size_t i = json_array_size(rules); i-- > 0;) {
        json_t *rule = json_array_get(rules, i), *listener = NULL;
        char arn[512];
        if (!listener_of_rule(json_str(rule, "RuleArn"), arn, sizeof arn) ||
            !find_object(files, "LoadBalancerListeners", has_listener, &(struct wanted_listener){ arn, &listener })) {
            continue;
        }
        if (!json_object_get(listener, "Rules")) {
            json_object_set_new(listener, "Rules", json_array());
        }
        if (!json_is_true(json_object_get(rule, "IsDefault"))) { /* that one is the listener's DefaultActions */
            json_array_insert(json_object_get(listener, "Rules"), 0, rule);
        }
        json_array_remove(rules, i);
        if (json_array_size(rules) == 0) {
            json_object_del(file, "Rules");
        }
    }
}

/* ---- Targets, attributes and tags -------------------------------------------------------------------------------- */

/* The file is named after the thing: by its name, or the end of its ARN. */
static bool
file_names(const char *file, const char *name, const char *arn)
{
    const char *slash = strrchr(file, '/'), *id = arn ? strrchr(arn, '/') : NULL;
    const char *own = slash ? slash + 1 : file;
    size_t size = strlen(own) - strlen(".json");
    return (id && strlen(id) > 8 && strstr(own, id + 1)) ||
           (name && strlen(name) == size && memcmp(own, name, size) == 0);
}

/* The one object of the list that the file is named after, or the only one there is; NULL: none. */
static const char *
arn_for_file(const struct files *files, const char *file, const char *list, const char *id, const char *name, bool only)
{
    const char *found = NULL, *any = NULL;
    size_t n = 0;
    for (size_t f = 0; f < files->n; f++) {
        const json_t *objects = json_object_get(files->json[f], list);
        for (size_t i = 0; i < json_array_size(objects); i++) {
            const json_t *object = json_array_get(objects, i);
            any = json_str(object, id);
            n++;
            if (file_names(file, json_str(object, name), any)) {
                found = any;
            }
        }
    }
    return found ? found : only && n == 1 ? any : NULL;
}

/* Calls that answer for one thing, and do not say which. */
static const struct {
    const char *member, *list, *id, *name, *part;
    bool only; /* where there is but one such thing, it is meant */
} nameless[] = {
    { "TargetHealthDescriptions", "TargetGroups", "TargetGroupArn", "TargetGroupName", "LoadBalancerTargetHealth",
      true },
    { "Attributes", "TargetGroups", "TargetGroupArn", "TargetGroupName", "TargetGroupAttributes", false },
    { "Attributes", "LoadBalancers", "LoadBalancerArn", "LoadBalancerName", "LoadBalancerAttributes", false },
};

static void
spell_nameless(json_t *file, const char *name, const struct files *files)
{
    for (size_t i = 0; i < ARRAY_SIZE(nameless); i++) {
        json_t *value = json_object_get(file, nameless[i].member);
        const char *arn = json_is_array(value) ? arn_for_file(files, name, nameless[i].list, nameless[i].id,
                                                              nameless[i].name, nameless[i].only)
                                               : NULL;
        if (arn) {
            json_object_set_new(file, nameless[i].part,
                                json_pack("[{s:s, s:O}]", nameless[i].id, arn, nameless[i].member, value));
            json_object_del(file, nameless[i].member);
        }
    }
}

static bool
has_arn(json_t *object, const void *arn)
{
    const char *own = json_str(object, "LoadBalancerArn");
    own = own ? own : json_str(object, "TargetGroupArn");
    own = own ? own : json_str(object, "LoadBalancerName");
    return own && strcmp(own, arn) == 0;
}

static void
spell_tags(json_t *file, const struct files *files)
{
    static const char *const lists[] = { "LoadBalancers", "TargetGroups", "LoadBalancerDescriptions" };
    json_t *all = json_object_get(file, "TagDescriptions");
    for (size_t i = json_array_size(all); i-- > 0;) {
        json_t *item = json_array_get(all, i), *of = NULL;
        const char *arn = json_str(item, "ResourceArn");
        arn = arn ? arn : json_str(item, "LoadBalancerName");
        for (size_t k = 0; arn && k < ARRAY_SIZE(lists) && !of; k++) {
            of = find_object(files, lists[k], has_arn, arn);
        }
        if (of) {
            json_object_set(of, "Tags", json_object_get(item, "Tags"));
            json_array_remove(all, i);
        }
        if (json_array_size(all) == 0) {
            json_object_del(file, "TagDescriptions");
        }
    }
}

void
aws_spell_balancers(json_t *const *json, const char *const *names, size_t n)
{
    const struct files files = { json, names, n };
    for (size_t i = 0; i < n; i++) {
        spell_listeners(json[i]);
    }
    for (size_t i = 0; i < n; i++) {
        spell_rules(json[i], &files);
        spell_nameless(json[i], names[i], &files);
        spell_tags(json[i], &files);
    }
}
