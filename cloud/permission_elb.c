/* The resources of load balancers' operations: what a request names by ARN, by name, or is about to create.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html (and
 * the Classic list) */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elbv2.h"
#include "cloud/permission.h"
#include "netsim/model/classic_balancer.h"

struct elb_finding {
    const struct op_call *call;
    struct iam_catalog *catalog;
    permissions *list;
    const char *action;
};

static void
add(const struct elb_finding *f, const char *arn, const struct object *object)
{
    for (size_t i = 0; i < f->list->n; i++) {
        if (strcmp(f->list->items[i].action, f->action) == 0 && strcmp(f->list->items[i].resource, arn) == 0) {
            return;
        }
    }
    permission_add(f->list, f->catalog, f->action, arn)->object = object;
}

/* "arn:aws:elasticloadbalancing:REGION:ACCOUNT:" and the rest. */
static void
add_own(const struct elb_finding *f, const char *type, const char *rest, const struct object *object)
{
    const struct cloud *cloud = f->call->cloud;
    char *arn = xasprintf("arn:aws:elasticloadbalancing:%s:%s:%s%s", cloud->region,
                          object && object->account[0] ? object->account : cloud->account, type, rest);
    add(f, arn, object);
    free(arn);
}

/* By ARN, or as the lab understands it: the part after the type, the name. */
static void
add_named(const struct elb_finding *f, const char *member, const char *text)
{
    struct err absent = { 0 };
    bool any = strncmp(member, "ResourceArn", 11) == 0;
    const struct load_balancer *lb =
        any || strncmp(member, "LoadBalancerArn", 15) == 0 ? elbv2_find_balancer(f->call, text, &absent) : NULL;
    const struct target_group *group =
        !lb && (any || strncmp(member, "TargetGroupArn", 14) == 0) ? elbv2_find_group(f->call, text, &absent) : NULL;
    if (lb) {
        add(f, lb->arn, &lb->obj);
    } else if (group) {
        add(f, group->arn, &group->obj);
    } else if (strncmp(text, "arn:", 4) == 0) {
        add(f, text, NULL);
    }
}

static void
on_text(void *context, const char *member, const char *text)
{
    static const char *const named[] = { "LoadBalancerArn", "TargetGroupArn", "ListenerArn", "RuleArn", "TrustStoreArn",
                                         "ResourceArn" };
    for (size_t i = 0; i < ARRAY_SIZE(named); i++) {
        size_t size = strlen(named[i]);
        if (strncmp(member, named[i], size) == 0 && (!member[size] || strcmp(member + size, "s") == 0)) {
            add_named(context, member, text);
        }
    }
}

static void
add_created(const struct elb_finding *f)
{
    static const struct {
        const char *type, *word;
    } words[] = { { "network", "net" }, { "gateway", "gwy" }, { "application", "app" } };
    const char *name = arg_str(f->call->in, "Name"), *type = arg_str(f->call->in, "Type");
    bool balancer = strcmp(f->call->op->name, "CreateLoadBalancer") == 0;
    const char *word = "app";
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        word = type && strcmp(type, words[i].type) == 0 ? words[i].word : word;
    }
    if (name && (balancer || strcmp(f->call->op->name, "CreateTargetGroup") == 0)) {
        char *rest = balancer ? xasprintf("%s/%s/*", word, name) : xasprintf("%s/*", name);
        add_own(f, balancer ? "loadbalancer/" : "targetgroup/", rest, NULL);
        free(rest);
    }
    if (name && strcmp(f->call->op->name, "CreateTrustStore") == 0) {
        char *rest = xasprintf("%s/*", name);
        add_own(f, "truststore/", rest, NULL);
        free(rest);
    }
}

/* A bundle is read as whoever asks for it.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/configuring-mtls-with-elb.html */
static void
add_bundle(const struct elb_finding *f)
{
    const json_t *in = f->call->in;
    const char *bucket = arg_str(in, "CaCertificatesBundleS3Bucket"), *key = arg_str(in, "CaCertificatesBundleS3Key");
    if (bucket && key) {
        bool version = arg_str(in, "CaCertificatesBundleS3ObjectVersion") != NULL;
        char *arn = xasprintf("arn:aws:s3:::%s/%s", bucket, key);
        permission_add(f->list, f->catalog, version ? "s3:GetObjectVersion" : "s3:GetObject", arn);
        free(arn);
    }
}

/* Lists whose members are called in the plural, and the key in the singular. */
static void
tell_lists(const struct elb_finding *f, size_t before)
{
    static const char *const lists[][2] = { { "SecurityGroups", "elasticloadbalancing:SecurityGroup" },
                                            { "Subnets", "elasticloadbalancing:Subnet" } };
    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        json_t *values = json_object_get(f->call->in, lists[i][0]);
        for (size_t k = before; values && k < f->list->n; k++) {
            json_object_set(f->list->items[k].context, lists[i][1], values);
        }
    }
}

/* What is created with tags is tagged, under the name of what created it. */
static void
add_tagging(const struct elb_finding *f, size_t before)
{
    const json_t *tags = json_object_get(f->call->in, "Tags");
    size_t n = f->list->n;
    bool creates = strncmp(f->call->op->name, "Create", 6) == 0 && json_array_size(tags) > 0;
    for (size_t i = before; creates && i < n; i++) {
        char *arn = xstrdup(f->list->items[i].resource);
        struct permission *p = permission_add(f->list, f->catalog, "elasticloadbalancing:AddTags", arn);
        permission_set(p, "elasticloadbalancing:CreateAction", f->call->op->name);
        free(arn);
    }
}

static void
tell_protocols(const struct elb_finding *f, size_t before)
{
    json_t *protocols = json_array();
    const json_t *listeners = json_object_get(f->call->in, "Listeners");
    const char *one = strstr(f->call->op->name, "Listener") ? arg_str(f->call->in, "Protocol") : NULL;
    if (one) {
        json_array_append_new(protocols, json_string(one));
    }
    for (size_t i = 0; i < json_array_size(listeners); i++) {
        json_array_append(protocols, json_object_get(json_array_get(listeners, i), "Protocol"));
    }
    for (size_t i = before; json_array_size(protocols) > 0 && i < f->list->n; i++) {
        json_object_set(f->list->items[i].context, "elasticloadbalancing:ListenerProtocol", protocols);
    }
    json_decref(protocols);
}

bool
permission_elb(const struct op_call *call, permissions *list, struct iam_catalog *catalog, const char *action)
{
    bool classic = strcmp(call->op->service, "elb") == 0;
    struct elb_finding f = { call, catalog, list, action };
    const struct iam_action_info *info = iam_catalog_action(catalog, action);
    size_t before = list->n;
    if ((!classic && strcmp(call->op->service, "elbv2") != 0) || !info || info->n_resources == 0) {
        return false;
    }
    const char *name = classic ? arg_str(call->in, "LoadBalancerName") : NULL;
    if (name) {
        const struct cloud *cloud = call->cloud;
        const struct classic_balancer *lb = network_classic_balancer(cloud->net, name, cloud->account, cloud->region);
        add_own(&f, "loadbalancer/", name, lb ? &lb->obj : NULL);
    } else {
        static const char *const mentions[] = { "Actions", "DefaultActions", "Tags", NULL };
        permission_walk(call->in, "", mentions, on_text, &f);
        add_created(&f);
    }
    add_tagging(&f, before);
    add_bundle(&f);
    tell_protocols(&f, before);
    tell_lists(&f, before);
    return list->n > before;
}
