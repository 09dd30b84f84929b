/* Load balancers, target groups and listeners: creating, registering, changing, deleting. */
#include <ctype.h>
#include "netsim/model/internal.h"

#define HEX_DIGITS 16

static char *
new_arn(struct network *net, const char *id, const char *type)
{
    return xasprintf("arn:aws:elasticloadbalancing:%s:%s:%s%s", net->region, net->account, type, id);
}

static void
new_hex(struct network *net, char hex[static HEX_DIGITS + 1])
{
    snprintf(hex, HEX_DIGITS + 1, "%016llx", (unsigned long long)id_random(net->ids));
}

/* Letters, digits and hyphens, up to 32, no hyphen at either end. */
static bool
name_check(const char *what, const char *name, struct err *err)
{
    size_t length = name ? strlen(name) : 0;
    bool good =
        length >= 1 && length <= 32 && name[0] != '-' && name[length - 1] != '-' && strncmp(name, "internal-", 9) != 0;
    for (size_t i = 0; good && i < length; i++) {
        good = isalnum((unsigned char)name[i]) || name[i] == '-';
    }
    return good || err_set(err, ERR_INPUT, "ValidationError",
                           "the %s name `%.60s` must be 1 to 32 letters, digits and inner hyphens, not `internal-...`",
                           what, name ? name : "");
}

/* ---- balancers --------------------------------------------------------------------------------------------------- */

static bool
subnets_check(const struct network *net, const struct lb_spec *spec, struct err *err)
{
    const char *vpc_id = NULL;
    size_t wanted = str_is(spec->type, "application") ? 2 : 1;
    for (size_t i = 0; i < spec->n_subnets; i++) {
        const struct subnet *subnet = store_get(net->store, &subnet_kind, spec->subnets[i].subnet_id);
        if (!subnet) {
            return err_set(err, ERR_INPUT, "SubnetNotFound", "the subnet `%s` does not exist",
                           spec->subnets[i].subnet_id ? spec->subnets[i].subnet_id : "");
        }
        if (vpc_id && strcmp(vpc_id, subnet->vpc_id) != 0) {
            return err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "the subnets are of `%s` and `%s`", vpc_id,
                           subnet->vpc_id);
        }
        vpc_id = subnet->vpc_id;
        for (size_t k = 0; k < i; k++) {
            const struct subnet *other = store_get(net->store, &subnet_kind, spec->subnets[k].subnet_id);
            if (str_is(other->zone, subnet->zone)) {
                return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                               "`%s` and `%s` are both in %s: one subnet a zone", other->obj.id, subnet->obj.id,
                               subnet->zone);
            }
        }
    }
    if (spec->n_subnets < wanted) {
        return err_set(err, ERR_INPUT, "ValidationError", "a balancer of type %s needs subnets in %zu zones at least",
                       spec->type, wanted);
    }
    if (!str_is(spec->scheme, "internal") && !network_vpc_igw(net, vpc_id)) {
        err_set(err, ERR_INPUT, "InvalidSubnet", "the VPC `%s` has no internet gateway", vpc_id);
        return err_hint(err, "attach one, or --scheme internal");
    }
    return true;
}

/* One interface in a zone; a balancer that faces the internet has a public address there. */
static bool
zone_add(struct network *net, struct load_balancer *lb, const struct lb_subnet *subnet_spec, struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, subnet_spec->subnet_id, err);
    if (!subnet) {
        return false;
    }
    char *description = xasprintf("ELB %s", lb->obj.id);
    struct eni_spec spec = { .subnet_id = subnet->obj.id,
                             .type = load_balancer_is_network(lb) ? "network_load_balancer" : "interface",
                             .description = description,
                             .ip = subnet_spec->private_ip,
                             .groups = (const char *const *)lb->group_ids.items,
                             .n_groups = lb->group_ids.n,
                             .no_groups = lb->group_ids.n == 0,
                             .requester_managed = true };
    struct eni *eni = eni_create(net, &spec, err);
    free(description);
    if (!eni) {
        return false;
    }
    str_set(&eni->requester_id, "amazon-elb");
    eni_attach_to(net, eni, "", "amazon-elb", 1, false);
    struct lb_zone *zone = VEC_ADD(&lb->zones);
    id_set(zone->subnet_id, subnet->obj.id);
    zone->zone = xstrdup(subnet->zone ? subnet->zone : "");
    struct lb_address address = { .private_ip = subnet_spec->private_ip };
    if (str_is(lb->scheme, "internal")) {
        if (subnet_spec->private_ip.family) {
            *VEC_ADD(&zone->addresses) = address;
        }
        return !subnet_spec->allocation_id ||
               err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "an internal balancer has no Elastic IP address");
    }
    if (subnet_spec->allocation_id) {
        struct elastic_ip *eip = network_require(net, &elastic_ip_kind, subnet_spec->allocation_id, err);
        if (!eip || !elastic_ip_associate(net, eip, eni, NULL, false, err)) {
            return false;
        }
        address.ip = eip->public_ip;
        address.allocation_id = xstrdup(eip->obj.id);
        *VEC_ADD(&zone->addresses) = address;
        return true;
    }
    if (!network_pick_public(net, NULL, &address.ip, err)) {
        return false;
    }
    struct ip private_ip = *eni_primary_ip(eni);
    eni_set_public_ip(net, eni, &private_ip, &address.ip, NULL);
    return true;
}

static void
zone_done(struct lb_zone *zone)
{
    for (size_t i = 0; i < zone->addresses.n; i++) {
        free(zone->addresses.items[i].allocation_id);
    }
    VEC_DONE(&zone->addresses);
    free(zone->zone);
}

static void
zone_drop(struct network *net, struct load_balancer *lb, size_t at)
{
    struct eni *const *enis;
    const char *subnet_id = lb->zones.items[at].subnet_id;
    for (size_t n = load_balancer_enis(net, lb, &enis); n-- > 0;) {
        if (strcmp(enis[n]->subnet_id, subnet_id) == 0) {
            eni_remove(net, enis[n]);
            n = load_balancer_enis(net, lb, &enis);
        }
    }
    zone_done(&lb->zones.items[at]);
    VEC_REMOVE(&lb->zones, at);
}

static bool
groups_check(const struct network *net, const char *vpc_id, const char *const *ids, size_t n, struct err *err)
{
    for (size_t i = 0; i < n; i++) {
        const struct security_group *group = store_get(net->store, &security_group_kind, ids[i]);
        if (!group || strcmp(group->vpc_id, vpc_id) != 0) {
            return err_set(err, ERR_INPUT, "InvalidSecurityGroup",
                           group ? "`%s` is not of `%s`" : "`%s` does not exist", ids[i], vpc_id);
        }
    }
    return true;
}

static void
set_attribute(struct load_balancer *lb, const char *key, const char *value)
{
    for (size_t i = 0; i < lb->attributes.n; i++) {
        if (str_is(lb->attributes.items[i].key, key)) {
            str_set(&lb->attributes.items[i].value, value);
            return;
        }
    }
    struct lb_attribute *attribute = VEC_ADD(&lb->attributes);
    attribute->key = xstrdup(key);
    attribute->value = xstrdup(value);
}

/* The attributes that labs look at, with AWS's defaults.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_LoadBalancerAttribute.html */
static const struct {
    const char *key, *network, *application;
} default_attributes[] = {
    { "deletion_protection.enabled", "false", "false" },
    { "access_logs.s3.enabled", "false", "false" },
    { "access_logs.s3.bucket", "", "" },
    { "access_logs.s3.prefix", "", "" },
    { "load_balancing.cross_zone.enabled", "false", "true" },
    { "idle_timeout.timeout_seconds", NULL, "60" },
};

static void
name_balancer(struct network *net, struct load_balancer *lb, const char *hex)
{
    bool internal = str_is(lb->scheme, "internal");
    lb->arn = new_arn(net, lb->obj.id, "loadbalancer/");
    lb->hosted_zone_id = xstrdup(load_balancer_is_network(lb) ? "Z26RNL4JYFTOTI" : "Z35SXDOTRQ7X7K");
    lb->dns_name = load_balancer_is_network(lb)
                       ? xasprintf("%s-%s.elb.%s.amazonaws.com", lb->name, hex, net->region)
                       : xasprintf("%s%s-%09u.%s.elb.amazonaws.com", internal ? "internal-" : "", lb->name,
                                   (unsigned)id_random_below(net->ids, 1000000000), net->region);
}

struct load_balancer *
load_balancer_create(struct network *net, const struct lb_spec *spec, struct err *err)
{
    if (!name_check("load balancer", spec->name, err) || !subnets_check(net, spec, err)) {
        return NULL;
    }
    for (const struct load_balancer *l = store_first(net->store, &load_balancer_kind); l;
         l = store_next(net->store, l)) {
        if (str_is(l->name, spec->name) && strcmp(l->obj.region, net->region) == 0 &&
            strcmp(l->obj.account, net->account) == 0) {
            err_set(err, ERR_INPUT, "DuplicateLoadBalancerName", "there is a load balancer `%s` already", spec->name);
            return NULL;
        }
    }
    const struct subnet *first = store_get(net->store, &subnet_kind, spec->subnets[0].subnet_id);
    if (!groups_check(net, first->vpc_id, spec->groups, spec->n_groups, err)) {
        return NULL;
    }
    bool is_network = str_is(spec->type, "network");
    char hex[HEX_DIGITS + 1], id[ID_SIZE];
    new_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s/%s", is_network ? "net" : "app", spec->name, hex);
    struct load_balancer *lb = network_add(net, &load_balancer_kind, id);
    lb->name = xstrdup(spec->name);
    lb->type = xstrdup(spec->type);
    lb->scheme = xstrdup(spec->scheme);
    lb->state = xstrdup("active");
    lb->ip_address_type = xstrdup("ipv4");
    id_set(lb->vpc_id, first->vpc_id);
    lb->created_time = network_now_ms(net);
    name_balancer(net, lb, hex);
    for (size_t i = 0; i < spec->n_groups; i++) {
        *VEC_ADD(&lb->group_ids) = xstrdup(spec->groups[i]);
    }
    const struct security_group *own = network_group_by_name(net, first->vpc_id, "default");
    if (!is_network && spec->n_groups == 0 && own) {
        *VEC_ADD(&lb->group_ids) = xstrdup(own->obj.id);
    }
    for (size_t i = 0; i < ARRAY_SIZE(default_attributes); i++) {
        const char *value = is_network ? default_attributes[i].network : default_attributes[i].application;
        if (value) {
            set_attribute(lb, default_attributes[i].key, value);
        }
    }
    for (size_t i = 0; i < spec->n_subnets; i++) {
        if (!zone_add(net, lb, &spec->subnets[i], err)) {
            return NULL;
        }
    }
    return lb;
}

bool
load_balancer_delete(struct network *net, struct load_balancer *lb, struct err *err)
{
    if (str_is(load_balancer_attribute(lb, "deletion_protection.enabled"), "true")) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` has deletion protection", lb->name);
        return err_hint(err, "modify-load-balancer-attributes: deletion_protection.enabled=false");
    }
    while (lb->zones.n) {
        zone_drop(net, lb, lb->zones.n - 1);
    }
    network_remove(net, lb);
    target_groups_follow(net);
    return true;
}

bool
load_balancer_set_groups(struct network *net, struct load_balancer *lb, const char *const *ids, size_t n,
                         struct err *err)
{
    if (load_balancer_is_network(lb) && lb->group_ids.n == 0) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "`%s` was created without security groups and can have none", lb->name);
    }
    if (n == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "`SecurityGroups` must name a group");
    }
    if (!groups_check(net, lb->vpc_id, ids, n, err)) {
        return false;
    }
    struct eni *const *enis;
    for (size_t i = 0; i < load_balancer_enis(net, lb, &enis); i++) {
        struct eni *eni = enis[i];
        eni->requester_managed = false; /* its requester is who asks here */
        bool ok = eni_set_groups(net, eni, ids, n, err);
        eni->requester_managed = true;
        if (!ok) {
            return false;
        }
    }
    while (lb->group_ids.n) {
        free(lb->group_ids.items[--lb->group_ids.n]);
    }
    for (size_t i = 0; i < n; i++) {
        *VEC_ADD(&lb->group_ids) = xstrdup(ids[i]);
    }
    return true;
}

bool
load_balancer_set_subnets(struct network *net, struct load_balancer *lb, const struct lb_subnet *subnets, size_t n,
                          struct err *err)
{
    struct lb_spec spec = { .type = lb->type, .scheme = lb->scheme, .subnets = subnets, .n_subnets = n };
    if (!subnets_check(net, &spec, err)) {
        return false;
    }
    for (size_t i = lb->zones.n; i-- > 0;) {
        bool stays = false;
        for (size_t k = 0; k < n && !stays; k++) {
            stays = strcmp(lb->zones.items[i].subnet_id, subnets[k].subnet_id) == 0;
        }
        if (!stays) {
            zone_drop(net, lb, i);
        }
    }
    for (size_t k = 0; k < n; k++) {
        bool there = false;
        for (size_t i = 0; i < lb->zones.n && !there; i++) {
            there = strcmp(lb->zones.items[i].subnet_id, subnets[k].subnet_id) == 0;
        }
        if (!there && !zone_add(net, lb, &subnets[k], err)) {
            return false;
        }
    }
    return true;
}

bool
load_balancer_set_attribute(struct network *net, struct load_balancer *lb, const char *key, const char *value,
                            struct err *err)
{
    if (!load_balancer_attribute(lb, key ? key : "")) {
        return err_set(err, ERR_INPUT, "ValidationError", "load balancer attribute key `%s` is not recognized",
                       key ? key : "");
    }
    bool flag = strlen(key) > 8 && strcmp(key + strlen(key) - 8, ".enabled") == 0;
    if (flag && !str_is(value, "true") && !str_is(value, "false")) {
        return err_set(err, ERR_INPUT, "ValidationError", "the value of `%s` is `true` or `false`, not `%s`", key,
                       value ? value : "");
    }
    set_attribute(lb, key, value ? value : "");
    network_touch(net);
    return true;
}

/* ---- target groups ----------------------------------------------------------------------------------------------- */

static bool
is_network_protocol(const char *protocol)
{
    return str_is(protocol, "TCP") || str_is(protocol, "UDP") || str_is(protocol, "TCP_UDP") || str_is(protocol, "TLS");
}

static bool
is_web_protocol(const char *protocol)
{
    return str_is(protocol, "HTTP") || str_is(protocol, "HTTPS");
}

struct target_group *
target_group_create(struct network *net, const struct target_group_spec *spec, struct err *err)
{
    if (!name_check("target group", spec->name, err)) {
        return NULL;
    }
    if (!is_network_protocol(spec->protocol) && !is_web_protocol(spec->protocol)) {
        err_set(err, ERR_INPUT, "ValidationError",
                "a target group needs a protocol of HTTP, HTTPS, TCP, UDP, TCP_UDP, TLS");
        return NULL;
    }
    if (spec->port < 1 || spec->port > 65535) {
        err_set(err, ERR_INPUT, "ValidationError", "a target group needs a port of 1 to 65535");
        return NULL;
    }
    if (!network_require(net, &vpc_kind, spec->vpc_id, err)) {
        return NULL;
    }
    for (const struct target_group *g = store_first(net->store, &target_group_kind); g; g = store_next(net->store, g)) {
        if (str_is(g->name, spec->name) && strcmp(g->obj.region, net->region) == 0) {
            err_set(err, ERR_INPUT, "DuplicateTargetGroupName", "there is a target group `%s` already", spec->name);
            return NULL;
        }
    }
    bool web = is_web_protocol(spec->protocol);
    char hex[HEX_DIGITS + 1], id[ID_SIZE];
    new_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s", spec->name, hex);
    struct target_group *group = network_add(net, &target_group_kind, id);
    group->arn = new_arn(net, id, "targetgroup/");
    group->name = xstrdup(spec->name);
    group->protocol = xstrdup(spec->protocol);
    group->protocol_version = web ? xstrdup("HTTP1") : NULL;
    group->port = spec->port;
    id_set(group->vpc_id, spec->vpc_id);
    group->target_type = xstrdup(spec->target_type ? spec->target_type : "instance");
    group->ip_address_type = xstrdup("ipv4");
    group->health_enabled = true;
    group->health_protocol = xstrdup(spec->health_protocol ? spec->health_protocol : web ? "HTTP" : "TCP");
    group->health_port = xstrdup(spec->health_port ? spec->health_port : "traffic-port");
    if (is_web_protocol(group->health_protocol)) {
        group->health_path = xstrdup(spec->health_path ? spec->health_path : "/");
        group->matcher_http = xstrdup(web ? "200" : "200-399");
    }
    group->health_interval_s = 30;
    group->health_timeout_s = web ? 5 : 10;
    group->healthy_count = 5;
    group->unhealthy_count = 2;
    return group;
}

bool
target_group_delete(struct network *net, struct target_group *group, struct err *err)
{
    if (group->balancer_arns.n) {
        err_set(err, ERR_INPUT, "ResourceInUse", "the target group `%s` is used by a listener or rule of `%s`",
                group->name, kind_id(&load_balancer_kind, group->balancer_arns.items[0]));
        return err_hint(err, "delete-listener, delete-rule or delete-load-balancer first");
    }
    network_remove(net, group);
    return true;
}

static bool
target_check(const struct network *net, const struct target_group *group, const char *id, struct err *err)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, group->vpc_id);
    if (str_is(group->target_type, "instance")) {
        const struct instance *instance = store_get(net->store, &instance_kind, id);
        if (!instance || strcmp(instance->vpc_id, group->vpc_id) != 0) {
            return err_set(err, ERR_INPUT, "InvalidTarget",
                           instance ? "the instance `%s` is not of `%s`" : "the instance `%s` does not exist", id,
                           group->vpc_id);
        }
        if (!instance_is_running(instance)) {
            return err_set(err, ERR_INPUT, "InvalidTarget", "the instance `%s` is %s", id, instance->state_name);
        }
        return true;
    }
    /* Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html */
    static const char *const allowed[] = { "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16" };
    struct ip ip;
    bool good = ip_parse(id, &ip), inside = good && vpc && vpc_contains_ip(vpc, &ip);
    for (size_t i = 0; good && !inside && i < ARRAY_SIZE(allowed); i++) {
        struct cidr range = cidr_lit(allowed[i]);
        inside = cidr_contains_ip(&range, &ip);
    }
    return inside ||
           err_set(err, ERR_INPUT, good ? "InvalidTarget" : "ValidationError",
                   good ? "the address `%s` is neither of `%s` nor private" : "`%s` is no address", id, group->vpc_id);
}

static struct lb_target *
target_find(struct target_group *group, const char *id, int port)
{
    for (size_t i = 0; i < group->targets.n; i++) {
        struct lb_target *target = &group->targets.items[i];
        if (str_is(target->id, id) && target->port == port) {
            return target;
        }
    }
    return NULL;
}

bool
target_group_register(struct network *net, struct target_group *group, const char *id, int port, const char *zone,
                      struct err *err)
{
    port = port ? port : group->port;
    if (str_empty(id) || port < 1 || port > 65535) {
        return err_set(err, ERR_INPUT, "ValidationError", "a target needs an `Id`, and its `Port` is 1 to 65535");
    }
    if (!target_check(net, group, id, err)) {
        return false;
    }
    if (!target_find(group, id, port)) {
        struct lb_target *target = VEC_ADD(&group->targets);
        target->id = xstrdup(id);
        target->port = port;
        target->zone = zone ? xstrdup(zone) : NULL;
        store_touch(net->store);
    }
    return true;
}

static void
target_done(struct lb_target *target)
{
    char *owned[] = { target->id,     target->zone,          target->health_port,
                      target->health, target->health_reason, target->health_description };
    for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
        free(owned[i]);
    }
}

bool
target_group_deregister(struct network *net, struct target_group *group, const char *id, int port, struct err *err)
{
    bool found = false;
    for (size_t i = group->targets.n; i-- > 0;) {
        struct lb_target *target = &group->targets.items[i];
        if (str_is(target->id, id) && (port == 0 || target->port == port)) {
            target_done(target);
            VEC_REMOVE(&group->targets, i);
            found = true;
        }
    }
    store_touch(net->store);
    return found ||
           err_set(err, ERR_INPUT, "InvalidTarget", "`%s` is not registered with `%s`", id ? id : "", group->name);
}

/* ---- listeners and rules ----------------------------------------------------------------------------------------- */

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
    char hex[HEX_DIGITS + 1];
    new_hex(net, hex);
    free(listener.arn);
    char *id = xasprintf("%s/%s", lb->obj.id, hex);
    listener.arn = new_arn(net, id, "listener/");
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
    char hex[HEX_DIGITS + 1];
    new_hex(net, hex);
    const char *tail = strstr(listener->arn, "listener/");
    char *id = xasprintf("%s/%s", tail ? tail + 9 : lb->obj.id, hex);
    free(rule.arn);
    rule.arn = new_arn(net, id, "listener-rule/");
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
