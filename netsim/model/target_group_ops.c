/* Target groups: creating, deleting, what is registered with them. */
#include "netsim/model/balancer_parts.h"

bool
is_network_protocol(const char *protocol)
{
    return str_is(protocol, "TCP") || str_is(protocol, "UDP") || str_is(protocol, "TCP_UDP") || str_is(protocol, "TLS");
}

bool
is_web_protocol(const char *protocol)
{
    return str_is(protocol, "HTTP") || str_is(protocol, "HTTPS");
}

struct target_group *
target_group_create(struct network *net, const struct target_group_spec *spec, struct err *err)
{
    if (!balancer_name_check("target group", spec->name, err)) {
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
    char hex[BALANCER_HEX_DIGITS + 1], id[ID_SIZE];
    balancer_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s", spec->name, hex);
    struct target_group *group = network_add(net, &target_group_kind, id);
    group->arn = balancer_arn(net, id, "targetgroup/");
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
