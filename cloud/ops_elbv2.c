/* cloud/ops_elbv2.c - application, network and gateway load balancers; their target groups and listeners have files of
 * their own. Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elbv2.h"
#include "netsim/model/trust_store.h"

/* ---- finding ----------------------------------------------------------------------------------------------------- */

struct load_balancer *
elbv2_find_balancer(const struct op_call *call, const char *text, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    struct load_balancer *lb = network_load_balancer(ec2_net(call), text ? text : "");
    for (struct load_balancer *l = lb ? NULL : store_first(store, &load_balancer_kind); l && !lb;
         l = store_next(store, l)) {
        lb =
            text && l->name && strcmp(l->name, text) == 0 && strcmp(l->obj.region, call->cloud->region) == 0 ? l : NULL;
    }
    if (!lb) {
        err_set(err, ERR_INPUT, "LoadBalancerNotFound", "the load balancer `%s` does not exist", text ? text : "");
    }
    return lb;
}

struct target_group *
elbv2_find_group(const struct op_call *call, const char *text, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    struct target_group *group = network_target_group(ec2_net(call), text ? text : "");
    for (struct target_group *g = group ? NULL : store_first(store, &target_group_kind); g && !group;
         g = store_next(store, g)) {
        group =
            text && g->name && strcmp(g->name, text) == 0 && strcmp(g->obj.region, call->cloud->region) == 0 ? g : NULL;
    }
    if (!group) {
        err_set(err, ERR_INPUT, "TargetGroupNotFound", "the target group `%s` does not exist", text ? text : "");
    }
    return group;
}

struct load_balancer *
elbv2_require_balancer(const struct op_call *call, struct err *err)
{
    return elbv2_find_balancer(call, arg_str(call->in, "LoadBalancerArn"), err);
}

/* Pages by number, as Marker does. */
bool
elbv2_answer_page(struct op_call *call, const char *member, json_t *list, struct err *err)
{
    const char *marker = arg_str(call->in, "Marker");
    size_t n = json_array_size(list), start = marker && marker[0] ? strtoul(marker, NULL, 10) : 0;
    size_t size = (size_t)arg_int(call->in, "PageSize", (long long)n + 1);
    if (start > n || (marker && strspn(marker, "0123456789") != strlen(marker))) {
        json_decref(list);
        return err_set(err, ERR_INPUT, "ValidationError", "`%.60s` is no `NextMarker` of this list", marker);
    }
    json_t *page = json_array();
    for (size_t i = start; i < n && i - start < size; i++) {
        json_array_append(page, json_array_get(list, i));
    }
    if (start + json_array_size(page) < n) {
        json_object_set_new(call->out, "NextMarker", json_sprintf("%zu", start + json_array_size(page)));
    }
    json_decref(list);
    json_object_set_new(call->out, member, page);
    return true;
}

void
elbv2_answer_one(struct op_call *call, const char *member, json_t *one)
{
    json_t *list = json_array();
    json_array_append_new(list, one);
    json_object_set_new(call->out, member, list);
}

json_t *
elbv2_rows_json(const struct field *fields, const void *object)
{
    json_t *out = json_object();
    fields_print(fields, object, false, out);
    return out;
}

static const char *const *
text_list(const struct op_call *call, const char *name, size_t *n)
{
    const json_t *list = json_object_get(call->in, name);
    *n = json_array_size(list);
    const char **texts = xcalloc(*n + 1, sizeof *texts);
    for (size_t i = 0; i < *n; i++) {
        texts[i] = json_string_value(json_array_get(list, i));
    }
    return texts;
}

void
elbv2_tag_new(const struct op_call *call, struct object *object)
{
    const json_t *tags = json_object_get(call->in, "Tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        object_set_tag(object, json_str(tag, "Key"), json_str(tag, "Value"));
    }
}

bool
elbv2_has_text(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item && text && strcmp(item, text) == 0) {
            return true;
        }
    }
    return false;
}

json_t *
elbv2_attributes_json(const struct lb_attribute *attributes, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, elbv2_rows_json(lb_attribute_fields, &attributes[i]));
    }
    return list;
}

/* ---- balancers --------------------------------------------------------------------------------------------------- */

/* Subnets or SubnetMappings; the array is the caller's. */
static bool
read_subnets(const struct op_call *call, struct lb_subnet **subnets, size_t *n, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "Subnets"), *mappings = json_object_get(call->in, "SubnetMappings");
    *n = json_array_size(ids) + json_array_size(mappings);
    *subnets = NULL;
    if (json_array_size(ids) > 0 && json_array_size(mappings) > 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "`Subnets` and `SubnetMappings` cannot be given together");
    }
    *subnets = xcalloc(*n + 1, sizeof **subnets);
    for (size_t i = 0; i < *n; i++) {
        const json_t *mapping = json_array_get(mappings, i);
        const char *ip = json_str(mapping, "PrivateIPv4Address");
        (*subnets)[i].subnet_id = ids ? json_string_value(json_array_get(ids, i)) : json_str(mapping, "SubnetId");
        (*subnets)[i].allocation_id = json_str(mapping, "AllocationId");
        if (json_object_get(mapping, "IPv6Address") || json_object_get(mapping, "SourceNatIpv6Prefix")) {
            return err_set(err, ERR_INPUT, "UnsupportedOperation",
                           "vpclab picks the IPv6 addresses of a load balancer itself");
        }
        if (ip && !ip_parse(ip, &(*subnets)[i].private_ip)) {
            return err_set(err, ERR_INPUT, "ValidationError", "`%s` is no address", ip);
        }
    }
    return true;
}

static bool
create_load_balancer(struct op_call *call, struct err *err)
{
    const char *type = arg_str(call->in, "Type"), *scheme = arg_str(call->in, "Scheme"),
               *family = arg_str(call->in, "IpAddressType");
    type = type ? type : "application";
    if (family && strcmp(family, "ipv4") != 0 && strcmp(family, "dualstack") != 0) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation",
                       "vpclab models load balancers of address type ipv4 and dualstack, not `%s`", family);
    }
    struct lb_subnet *subnets;
    struct lb_spec spec = { .name = arg_str(call->in, "Name"),
                            .type = type,
                            .ip_address_type = family,
                            .scheme = scheme ? scheme : "internet-facing" };
    bool ok = read_subnets(call, &subnets, &spec.n_subnets, err);
    spec.subnets = subnets;
    spec.groups = text_list(call, "SecurityGroups", &spec.n_groups);
    struct load_balancer *lb = ok ? load_balancer_create(ec2_net(call), &spec, err) : NULL;
    free(subnets);
    free((void *)spec.groups);
    if (!lb) {
        return false;
    }
    elbv2_tag_new(call, &lb->obj);
    elbv2_answer_one(call, "LoadBalancers", object_describe(network_store(ec2_net(call)), lb));
    return true;
}

static bool
describe_load_balancers(struct op_call *call, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    const json_t *arns = json_object_get(call->in, "LoadBalancerArns"), *names = json_object_get(call->in, "Names");
    const json_t *asked = json_array_size(arns) ? arns : names;
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const struct load_balancer *lb = elbv2_find_balancer(call, json_string_value(json_array_get(asked, i)), err);
        if (!lb) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(store, lb));
    }
    for (const struct load_balancer *lb = json_array_size(asked) ? NULL : store_first(store, &load_balancer_kind); lb;
         lb = store_next(store, lb)) {
        if (strcmp(lb->obj.region, call->cloud->region) == 0 && ec2_shows(call, &lb->obj)) {
            json_array_append_new(list, object_describe(store, lb));
        }
    }
    return elbv2_answer_page(call, "LoadBalancers", list, err);
}

/* Succeeds for one that is not there, as AWS's does. */
static bool
delete_load_balancer(struct op_call *call, struct err *err)
{
    struct err absent = { 0 };
    struct load_balancer *lb = elbv2_require_balancer(call, &absent);
    return !lb || load_balancer_delete(ec2_net(call), lb, err);
}

static bool
set_security_groups(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = elbv2_require_balancer(call, err);
    const char *endpoints = arg_str(call->in, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic");
    if (!lb || (endpoints && !load_balancer_is_network(lb))) {
        return lb && err_set(err, ERR_INPUT, "ValidationError",
                             "`EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic` is of Network Load Balancers, "
                             "`%s` is of type %s",
                             lb->name, lb->type);
    }
    size_t n;
    const char *const *ids = text_list(call, "SecurityGroups", &n);
    bool ok = load_balancer_set_groups(ec2_net(call), lb, ids, n, err);
    free((void *)ids);
    if (ok) {
        json_object_set(call->out, "SecurityGroupIds", json_object_get(call->in, "SecurityGroups"));
        if (endpoints) {
            load_balancer_filter_endpoints(ec2_net(call), lb, strcmp(endpoints, "on") == 0);
        }
        if (lb->endpoint_rules) {
            json_object_set_new(call->out, "EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
                                json_string(lb->endpoint_rules));
        }
    }
    return ok;
}

static bool
set_subnets(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = elbv2_require_balancer(call, err);
    struct lb_subnet *subnets;
    size_t n;
    if (!lb) {
        return false;
    }
    bool ok = read_subnets(call, &subnets, &n, err) && load_balancer_set_subnets(ec2_net(call), lb, subnets, n, err);
    free(subnets);
    if (ok) {
        json_t *described = object_describe(network_store(ec2_net(call)), lb);
        json_object_set(call->out, "AvailabilityZones", json_object_get(described, "AvailabilityZones"));
        json_object_set(call->out, "IpAddressType", json_object_get(described, "IpAddressType"));
        json_decref(described);
    }
    return ok;
}

static bool
answer_attributes(struct op_call *call, const struct load_balancer *lb)
{
    json_object_set_new(call->out, "Attributes", elbv2_attributes_json(lb->attributes.items, lb->attributes.n));
    return true;
}

static bool
describe_attributes(struct op_call *call, struct err *err)
{
    const struct load_balancer *lb = elbv2_require_balancer(call, err);
    return lb && answer_attributes(call, lb);
}

static bool
modify_attributes(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = elbv2_require_balancer(call, err);
    const json_t *list = json_object_get(call->in, "Attributes");
    for (size_t i = 0; lb && i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!load_balancer_set_attribute(ec2_net(call), lb, json_str(item, "Key"), json_str(item, "Value"), err)) {
            return false;
        }
    }
    return lb && answer_attributes(call, lb);
}

static bool
set_ip_address_type(struct op_call *call, struct err *err)
{
    struct load_balancer *lb = elbv2_require_balancer(call, err);
    if (!lb || !load_balancer_set_ip_type(ec2_net(call), lb, arg_str(call->in, "IpAddressType"), err)) {
        return false;
    }
    json_object_set_new(call->out, "IpAddressType", json_string(lb->ip_address_type));
    return true;
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

/* Balancers, target groups and trust stores carry tags here; listeners and rules do not. */
static struct object *
tagged(const struct op_call *call, const char *arn, struct err *err)
{
    struct err absent = { 0 };
    struct load_balancer *lb = elbv2_find_balancer(call, arn, &absent);
    struct trust_store *store = arn && strstr(arn, "truststore/") ? network_trust_store(ec2_net(call), arn) : NULL;
    struct target_group *group = lb || store ? NULL : elbv2_find_group(call, arn, err);
    return lb ? &lb->obj : store ? &store->obj : group ? &group->obj : NULL;
}

static bool
change_tags(struct op_call *call, bool add, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "ResourceArns");
    const json_t *items = json_object_get(call->in, add ? "Tags" : "TagKeys");
    for (size_t i = 0; i < json_array_size(arns); i++) {
        struct object *object = tagged(call, json_string_value(json_array_get(arns, i)), err);
        for (size_t k = 0; object && k < json_array_size(items); k++) {
            const json_t *item = json_array_get(items, k);
            const char *value = json_str(item, "Value");
            if (add) {
                object_set_tag(object, json_str(item, "Key"), value ? value : "");
            } else {
                object_unset_tag(object, json_string_value(item));
            }
        }
        if (!object) {
            return false;
        }
    }
    return true;
}

static bool
add_tags(struct op_call *call, struct err *err)
{
    return change_tags(call, true, err);
}

static bool
remove_tags(struct op_call *call, struct err *err)
{
    return change_tags(call, false, err);
}

static bool
describe_tags(struct op_call *call, struct err *err)
{
    const json_t *arns = json_object_get(call->in, "ResourceArns");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const char *arn = json_string_value(json_array_get(arns, i));
        const struct object *object = tagged(call, arn, err);
        json_t *tags = json_array();
        for (size_t k = 0; object && k < object->tags.n; k++) {
            json_array_append_new(tags, elbv2_rows_json(tag_fields, &object->tags.items[k]));
        }
        json_array_append_new(list, json_pack("{s:s, s:o}", "ResourceArn", arn, "Tags", tags));
    }
    json_object_set_new(call->out, "TagDescriptions", list);
    return !err->kind;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

const struct op ops_elbv2[] = {
    ELBV2_ROW("CreateLoadBalancer", OP_WRITE, create_load_balancer,
              "Create an application, network or gateway load balancer with an interface in each subnet."),
    ELBV2_ROW("DescribeLoadBalancers", OP_READ, describe_load_balancers, "Show load balancers."),
    ELBV2_ROW("DeleteLoadBalancer", OP_WRITE, delete_load_balancer, "Delete a load balancer with its interfaces."),
    ELBV2_ROW("SetSecurityGroups", OP_WRITE, set_security_groups, "Change the security groups of a load balancer."),
    ELBV2_ROW("SetSubnets", OP_WRITE, set_subnets, "Change the subnets of a load balancer."),
    ELBV2_ROW("DescribeLoadBalancerAttributes", OP_READ, describe_attributes,
              "Show the attributes of a load balancer."),
    ELBV2_ROW("ModifyLoadBalancerAttributes", OP_WRITE, modify_attributes,
              "Change attributes of a load balancer: cross-zone, deletion protection."),
    ELBV2_ROW("SetIpAddressType", OP_WRITE, set_ip_address_type,
              "Give a load balancer IPv6 addresses, or take them away."),
    ELBV2_ROW("AddTags", OP_WRITE, add_tags, "Set tags of load balancers, target groups and trust stores."),
    ELBV2_ROW("RemoveTags", OP_WRITE, remove_tags, "Take tags off load balancers, target groups and trust stores."),
    ELBV2_ROW("DescribeTags", OP_READ, describe_tags,
              "Show the tags of load balancers, target groups and trust stores."),
    { 0 },
};
