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

/* ---- attributes -------------------------------------------------------------------------------------------------- */

static void
set_attribute(struct target_group *group, const char *key, const char *value)
{
    for (size_t i = 0; i < group->attributes.n; i++) {
        if (str_is(group->attributes.items[i].key, key)) {
            str_set(&group->attributes.items[i].value, value);
            return;
        }
    }
    struct lb_attribute *attribute = VEC_ADD(&group->attributes);
    attribute->key = xstrdup(key);
    attribute->value = xstrdup(value);
}

/* The attributes that labs look at, with AWS's defaults; NULL: balancers of that type have none.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupAttribute.html */
static const struct {
    const char *key, *network, *application, *gateway;
} default_attributes[] = {
    { "deregistration_delay.timeout_seconds", "300", "300", "300" },
    { "stickiness.enabled", "false", "false", "false" },
    { "stickiness.type", "source_ip", "lb_cookie", "source_ip_dest_ip_proto" },
    { "stickiness.lb_cookie.duration_seconds", NULL, "86400", NULL },
    { "stickiness.app_cookie.duration_seconds", NULL, "86400", NULL },
    { "stickiness.app_cookie.cookie_name", NULL, "", NULL },
    { "load_balancing.cross_zone.enabled", "use_load_balancer_configuration", "use_load_balancer_configuration", NULL },
    { "preserve_client_ip.enabled", "true", NULL, NULL },
    { "proxy_protocol_v2.enabled", "false", NULL, NULL },
    { "target_health_state.unhealthy.connection_termination.enabled", "true", NULL, NULL },
    { "target_failover.on_deregistration", NULL, NULL, "no_rebalance" },
    { "target_failover.on_unhealthy", NULL, NULL, "no_rebalance" },
    { "slow_start.duration_seconds", NULL, "0", NULL },
    { "load_balancing.algorithm.type", NULL, "round_robin", NULL },
};

static void
set_default_attributes(struct target_group *group)
{
    bool web = is_web_protocol(group->protocol), geneve = str_is(group->protocol, "GENEVE");
    for (size_t i = 0; i < ARRAY_SIZE(default_attributes); i++) {
        const char *value = geneve ? default_attributes[i].gateway
                            : web  ? default_attributes[i].application
                                   : default_attributes[i].network;
        if (value) {
            bool client = strcmp(default_attributes[i].key, "preserve_client_ip.enabled") == 0;
            set_attribute(group, default_attributes[i].key,
                          client && !target_group_keeps_client(group) ? "false" : value);
        }
    }
}

/* Of stickiness: what each sort of balancer can do, for a week at most, under a name that is not the balancer's own.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html */
static bool
stickiness_check(const struct target_group *group, const char *key, const char *value, struct err *err)
{
    bool web = is_web_protocol(group->protocol), text = !str_empty(value);
    size_t length = strlen(key);
    if (strcmp(key, "stickiness.type") == 0 && !str_is(group->protocol, "GENEVE") &&
        !(web ? str_is(value, "lb_cookie") || str_is(value, "app_cookie") : str_is(value, "source_ip"))) {
        return err_set(err, ERR_INPUT, "ValidationError", "stickiness of a group of protocol %s is %s, not `%s`",
                       group->protocol, web ? "`lb_cookie` or `app_cookie`" : "`source_ip`", value ? value : "");
    }
    if (length > 17 && strncmp(key, "stickiness.", 11) == 0 && strcmp(key + length - 17, ".duration_seconds") == 0) {
        char *end = NULL;
        long seconds = text ? strtol(value, &end, 10) : 0;
        if (!text || *end || seconds < 1 || seconds > 604800) {
            return err_set(err, ERR_INPUT, "ValidationError", "`%s` is 1 to 604800 seconds, not `%s`", key,
                           value ? value : "");
        }
    }
    static const char *const own[] = { "AWSALB", "AWSALBAPP", "AWSALBTG" };
    for (size_t i = 0; i < ARRAY_SIZE(own) && strcmp(key, "stickiness.app_cookie.cookie_name") == 0; i++) {
        if (!text || str_is(value, own[i]) || value[strcspn(value, "=;, \t")]) {
            return err_set(err, ERR_INPUT, "ValidationError", "`%s` cannot be the name of an application's cookie",
                           value ? value : "");
        }
    }
    return true;
}

bool
target_group_check_stickiness(const struct target_group *group, struct err *err)
{
    if (str_is(target_group_attribute(group, "stickiness.enabled"), "true") &&
        str_is(target_group_attribute(group, "stickiness.type"), "app_cookie") &&
        str_empty(target_group_attribute(group, "stickiness.app_cookie.cookie_name"))) {
        err_set(err, ERR_INPUT, "ValidationError",
                "stickiness by `app_cookie` needs the name of the application's cookie");
        return err_hint(err, "give Key=stickiness.app_cookie.cookie_name,Value=NAME in the same request");
    }
    return true;
}

/* Of groups of gateway balancers. */
static const struct {
    const char *key, *values[2];
} gateway_values[] = {
    { "stickiness.type", { "source_ip_dest_ip_proto", "source_ip_dest_ip" } },
    { "target_failover.on_deregistration", { "rebalance", "no_rebalance" } },
    { "target_failover.on_unhealthy", { "rebalance", "no_rebalance" } },
};

bool
target_group_set_attribute(struct network *net, struct target_group *group, const char *key, const char *value,
                           struct err *err)
{
    if (!target_group_attribute(group, key ? key : "")) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "target group attribute key `%s` is not recognized for protocol %s", key ? key : "",
                       group->protocol);
    }
    bool cross = strcmp(key, "load_balancing.cross_zone.enabled") == 0;
    bool flag = strlen(key) > 8 && strcmp(key + strlen(key) - 8, ".enabled") == 0;
    if (flag && !str_is(value, "true") && !str_is(value, "false") &&
        !(cross && str_is(value, "use_load_balancer_configuration"))) {
        return err_set(err, ERR_INPUT, "ValidationError", "the value of `%s` is `true`%s or `false`, not `%s`", key,
                       cross ? ", `use_load_balancer_configuration`" : "", value ? value : "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(gateway_values); i++) {
        if (str_is(group->protocol, "GENEVE") && strcmp(key, gateway_values[i].key) == 0 &&
            !str_is(value, gateway_values[i].values[0]) && !str_is(value, gateway_values[i].values[1])) {
            return err_set(err, ERR_INPUT, "ValidationError", "the value of `%s` is `%s` or `%s`, not `%s`", key,
                           gateway_values[i].values[0], gateway_values[i].values[1], value ? value : "");
        }
    }
    if (!stickiness_check(group, key, value, err)) {
        return false;
    }
    bool udp = str_is(group->protocol, "UDP") || str_is(group->protocol, "TCP_UDP");
    if (udp && strcmp(key, "preserve_client_ip.enabled") == 0 && str_is(value, "false")) {
        return err_set(err, ERR_INPUT, "ValidationError", "the client's address is always kept for %s",
                       group->protocol);
    }
    set_attribute(group, key, value ? value : "");
    network_touch(net);
    return true;
}

/* ---- groups ------------------------------------------------------------------------------------------------------ */

static bool
in_range(const char *what, int value, int from, int to, struct err *err)
{
    return value == 0 || (value >= from && value <= to) ||
           err_set(err, ERR_INPUT, "ValidationError", "`%s` is %d to %d, not %d", what, from, to, value);
}

static bool
health_check(const struct target_group *group, const struct health_spec *h, struct err *err)
{
    static const char *const protocols[] = { "HTTP", "HTTPS", "TCP" };
    bool known = !h->protocol;
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        known = known || str_is(h->protocol, protocols[i]);
    }
    if (!known || (is_web_protocol(group->protocol) && str_is(h->protocol, "TCP"))) {
        return err_set(err, ERR_INPUT, "ValidationError", "health checks of a group of protocol %s cannot be %s",
                       group->protocol, h->protocol);
    }
    const char *protocol = h->protocol ? h->protocol : group->health_protocol;
    if ((h->path || h->http_codes || h->grpc_codes) && protocol && !is_web_protocol(protocol)) {
        return err_set(err, ERR_INPUT, "ValidationError", "health checks by %s have neither path nor codes", protocol);
    }
    char *end;
    long port = h->port ? strtol(h->port, &end, 10) : 1;
    if (h->port && strcmp(h->port, "traffic-port") != 0 && (*end || port < 1 || port > 65535)) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the port of health checks is 1 to 65535 or `traffic-port`, not `%s`", h->port);
    }
    int timeout = h->timeout_s ? h->timeout_s : group->health_timeout_s;
    int interval = h->interval_s ? h->interval_s : group->health_interval_s;
    if (interval && timeout > interval) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the health check timeout (%d) must not exceed the interval (%d)", timeout, interval);
    }
    return in_range("HealthCheckIntervalSeconds", h->interval_s, 5, 300, err) &&
           in_range("HealthCheckTimeoutSeconds", h->timeout_s, 2, 120, err) &&
           in_range("HealthyThresholdCount", h->healthy, 2, 10, err) &&
           in_range("UnhealthyThresholdCount", h->unhealthy, 2, 10, err);
}

static void
set_if(char **slot, const char *text)
{
    if (text) {
        str_set(slot, text);
    }
}

static void
health_set(struct target_group *group, const struct health_spec *h)
{
    set_if(&group->health_protocol, h->protocol);
    set_if(&group->health_port, h->port);
    set_if(&group->health_path, h->path);
    set_if(&group->matcher_http, h->http_codes);
    set_if(&group->matcher_grpc, h->grpc_codes);
    group->health_interval_s = h->interval_s ? h->interval_s : group->health_interval_s;
    group->health_timeout_s = h->timeout_s ? h->timeout_s : group->health_timeout_s;
    group->healthy_count = h->healthy ? h->healthy : group->healthy_count;
    group->unhealthy_count = h->unhealthy ? h->unhealthy : group->unhealthy_count;
}

bool
target_group_modify(struct network *net, struct target_group *group, const struct health_spec *health, struct err *err)
{
    if (!health_check(group, health, err)) {
        return false;
    }
    health_set(group, health);
    network_touch(net);
    return true;
}

static bool
spec_check(struct network *net, const struct target_group_spec *spec, struct err *err)
{
    bool geneve = str_is(spec->protocol, "GENEVE"), alb = str_is(spec->target_type, "alb");
    if (!balancer_name_check("target group", spec->name, err)) {
        return false;
    }
    if (!geneve && !is_network_protocol(spec->protocol) && !is_web_protocol(spec->protocol)) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "a target group needs a protocol of HTTP, HTTPS, TCP, UDP, TCP_UDP, TLS, GENEVE");
    }
    if (spec->port < 1 || spec->port > 65535 || (geneve && spec->port != 6081)) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       geneve ? "GENEVE needs the port 6081" : "a target group needs a port of 1 to 65535");
    }
    if (alb && !str_is(spec->protocol, "TCP")) {
        return err_set(err, ERR_INPUT, "ValidationError", "a target group of type alb has the protocol TCP");
    }
    if (spec->version && !is_web_protocol(spec->protocol)) {
        return err_set(err, ERR_INPUT, "ValidationError", "`ProtocolVersion` is for HTTP and HTTPS, not for %s",
                       spec->protocol);
    }
    if (str_is(spec->ip_address_type, "ipv6") && geneve) {
        return err_set(err, ERR_INPUT, "ValidationError", "a target group of protocol GENEVE has IPv4 targets");
    }
    if (!network_require(net, &vpc_kind, spec->vpc_id, err)) {
        return false;
    }
    for (const struct target_group *g = store_first(net->store, &target_group_kind); g; g = store_next(net->store, g)) {
        if (str_is(g->name, spec->name) && strcmp(g->obj.region, net->region) == 0 &&
            strcmp(g->obj.account, net->account) == 0) {
            return err_set(err, ERR_INPUT, "DuplicateTargetGroupName", "there is a target group `%s` already",
                           spec->name);
        }
    }
    struct target_group blank = { .protocol = (char *)spec->protocol,
                                  .health_protocol = is_web_protocol(spec->protocol) ? "HTTP" : "TCP" };
    return health_check(&blank, &spec->health, err);
}

struct target_group *
target_group_create(struct network *net, const struct target_group_spec *spec, struct err *err)
{
    if (!spec_check(net, spec, err)) {
        return NULL;
    }
    bool web = is_web_protocol(spec->protocol), alb = str_is(spec->target_type, "alb");
    char hex[BALANCER_HEX_DIGITS + 1], id[ID_SIZE];
    balancer_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s", spec->name, hex);
    struct target_group *group = network_add(net, &target_group_kind, id);
    group->arn = balancer_arn(net, id, "targetgroup/");
    group->name = xstrdup(spec->name);
    group->protocol = xstrdup(spec->protocol);
    group->protocol_version = web ? xstrdup(spec->version ? spec->version : "HTTP1") : NULL;
    group->port = spec->port;
    id_set(group->vpc_id, spec->vpc_id);
    group->target_type = xstrdup(spec->target_type ? spec->target_type : "instance");
    group->ip_address_type = xstrdup(spec->ip_address_type ? spec->ip_address_type : "ipv4");
    group->health_enabled = true;
    group->health_protocol = xstrdup(web || alb ? "HTTP" : "TCP");
    group->health_port = xstrdup(str_is(spec->protocol, "GENEVE") ? "80" : "traffic-port");
    group->health_interval_s = 30;
    group->health_timeout_s = web ? 5 : 10;
    group->healthy_count = 5;
    group->unhealthy_count = 2;
    health_set(group, &spec->health);
    if (is_web_protocol(group->health_protocol)) {
        set_if(&group->health_path, group->health_path ? NULL : "/");
        if (!group->matcher_grpc) {
            set_if(&group->matcher_http, group->matcher_http ? NULL : web ? "200" : "200-399");
        }
    }
    set_default_attributes(group);
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
    if (str_is(group->target_type, "alb")) {
        const struct load_balancer *lb = network_load_balancer(net, id);
        bool good = lb && str_is(lb->type, "application") && strcmp(lb->vpc_id, group->vpc_id) == 0;
        return good || err_set(err, ERR_INPUT, "InvalidTarget", "`%s` is no Application Load Balancer of `%s`", id,
                               group->vpc_id);
    }
    if (str_is(group->ip_address_type, "ipv6")) {
        struct ip ip6;
        bool good = ip_parse(id, &ip6) && ip6.family == IP_V6 && vpc && vpc_contains_ip(vpc, &ip6);
        return good || err_set(err, ERR_INPUT, "InvalidTarget", "`%s` is no IPv6 address of `%s`", id, group->vpc_id);
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
