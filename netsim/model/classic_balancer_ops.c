/* Classic Load Balancers: creating, changing, deleting. */
#include <strings.h>

#include "netsim/model/balancer_parts.h"
#include "netsim/model/certificate.h"
#include "netsim/model/classic_balancer.h"

#define HEALTH_RANGE(value, from, to) ((value) >= (from) && (value) <= (to))

/* ---- subnets ----------------------------------------------------------------------------------------------------- */

static size_t
text_find(char *const *texts, size_t n, const char *text)
{
    size_t i = 0;
    while (i < n && !str_is(texts[i], text)) {
        i++;
    }
    return i;
}

static bool
subnet_check(const struct network *net, const struct classic_balancer *lb, const struct subnet *subnet, struct err *err)
{
    if (*lb->vpc_id && strcmp(lb->vpc_id, subnet->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest", "the subnet `%s` is of `%s`, `%s` of `%s`",
                       subnet->obj.id, subnet->vpc_id, classic_balancer_name(lb), lb->vpc_id);
    }
    if (subnet->zone && text_find(lb->zones.items, lb->zones.n, subnet->zone) < lb->zones.n) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "`%s` has a subnet in %s already: one subnet a zone", classic_balancer_name(lb), subnet->zone);
    }
    if (str_is(lb->scheme, "internet-facing") && !network_vpc_igw(net, subnet->vpc_id)) {
        err_set(err, ERR_INPUT, "InvalidSubnet", "the VPC `%s` has no internet gateway", subnet->vpc_id);
        return err_hint(err, "attach one, or --scheme internal");
    }
    return true;
}

/* One interface in a zone; a balancer that faces the internet has a public address there. */
bool
classic_balancer_add_subnet(struct network *net, struct classic_balancer *lb, const char *subnet_id, struct err *err)
{
    const struct subnet *subnet = store_get(net->store, &subnet_kind, subnet_id ? subnet_id : "");
    if (!subnet) {
        return err_set(err, ERR_INPUT, "SubnetNotFound", "the subnet `%s` does not exist", subnet_id ? subnet_id : "");
    }
    if (!subnet_check(net, lb, subnet, err)) {
        return false;
    }
    id_set(lb->vpc_id, subnet->vpc_id);
    char *description = xasprintf("ELB %s", classic_balancer_name(lb));
    struct eni_spec spec = { .subnet_id = subnet_id,
                             .description = description,
                             .groups = (const char *const *)lb->group_ids.items,
                             .n_groups = lb->group_ids.n,
                             .requester_managed = true };
    struct eni *eni = eni_create(net, &spec, err);
    free(description);
    if (!eni) {
        return false;
    }
    str_set(&eni->requester_id, "amazon-elb");
    eni_attach_to(net, eni, "", "amazon-elb", 1, false);
    *VEC_ADD(&lb->subnet_ids) = xstrdup(subnet_id);
    *VEC_ADD(&lb->zones) = xstrdup(subnet->zone ? subnet->zone : "");
    if (str_is(lb->scheme, "internet-facing")) {
        struct ip public_ip, private_ip = *eni_primary_ip(eni);
        if (!network_pick_public(net, NULL, &public_ip, err)) {
            return false;
        }
        eni_set_public_ip(net, eni, &private_ip, &public_ip, NULL);
    }
    return true;
}

bool
classic_balancer_drop_subnet(struct network *net, struct classic_balancer *lb, const char *subnet_id, struct err *err)
{
    size_t at = text_find(lb->subnet_ids.items, lb->subnet_ids.n, subnet_id);
    if (at == lb->subnet_ids.n || lb->subnet_ids.n == 1) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       at == lb->subnet_ids.n ? "`%s` is not attached to `%s`" : "`%s` is the last subnet of `%s`",
                       subnet_id ? subnet_id : "", classic_balancer_name(lb));
    }
    struct eni *const *enis;
    for (size_t n = classic_balancer_enis(net, lb, &enis); n-- > 0;) {
        if (strcmp(enis[n]->subnet_id, subnet_id) == 0) {
            eni_remove(net, enis[n]);
            n = classic_balancer_enis(net, lb, &enis);
        }
    }
    free(lb->subnet_ids.items[at]);
    VEC_REMOVE(&lb->subnet_ids, at);
    if (at < lb->zones.n) {
        free(lb->zones.items[at]);
        VEC_REMOVE(&lb->zones, at);
    }
    network_touch(net);
    return true;
}

/* ---- listeners --------------------------------------------------------------------------------------------------- */

static bool
protocol_check(const char *protocol, struct err *err)
{
    static const char *const known[] = { "HTTP", "HTTPS", "TCP", "SSL" };
    for (size_t i = 0; protocol && i < ARRAY_SIZE(known); i++) {
        if (strcasecmp(protocol, known[i]) == 0) {
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "UnsupportedProtocol",
                   "listeners of a Classic Load Balancer are HTTP, HTTPS, TCP, SSL, not `%s`",
                   protocol ? protocol : "");
}

static bool
is_web(const char *protocol)
{
    return strncasecmp(protocol, "HTTP", 4) == 0;
}

static bool
listener_check(const struct network *net, const struct classic_balancer *lb, const struct classic_listener *listener,
               struct err *err)
{
    const char *protocol = listener->protocol, *behind = listener->instance_protocol;
    if (!protocol_check(protocol, err) || !protocol_check(behind, err)) {
        return false;
    }
    if (is_web(protocol) != is_web(behind)) {
        return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                       "a listener of %s cannot speak %s to its instances", protocol, behind);
    }
    bool secure = classic_listener_has_tls(listener);
    if (secure && str_empty(listener->certificate_id)) {
        return err_set(err, ERR_INPUT, "ValidationError", "a listener of %s needs an `SSLCertificateId`", protocol);
    }
    if (secure && !certificate_check(net, listener->certificate_id, err)) {
        return false;
    }
    if (!HEALTH_RANGE(listener->port, 1, 65535) || !HEALTH_RANGE(listener->instance_port, 1, 65535)) {
        return err_set(err, ERR_INPUT, "ValidationError", "the ports of a listener are 1 to 65535");
    }
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == listener->port) {
            return err_set(err, ERR_INPUT, "DuplicateListener", "`%s` has a listener on port %d already",
                           classic_balancer_name(lb), listener->port);
        }
    }
    return true;
}

bool
classic_balancer_listen(struct network *net, struct classic_balancer *lb, const json_t *listeners, struct err *err)
{
    for (size_t i = 0; i < json_array_size(listeners); i++) {
        const json_t *json = json_array_get(listeners, i);
        const char *protocol = json_str(json, "Protocol"), *behind = json_str(json, "InstanceProtocol"),
                   *certificate = json_str(json, "SSLCertificateId");
        /* Left out, it is the same, without the encryption. */
        behind = behind ? behind : protocol && is_web(protocol) ? "HTTP" : "TCP";
        struct classic_listener listener = { .protocol = (char *)protocol,
                                             .instance_protocol = (char *)behind,
                                             .certificate_id = (char *)certificate,
                                             .port = (int32_t)json_int(json, "LoadBalancerPort", 0),
                                             .instance_port = (int32_t)json_int(json, "InstancePort", 0) };
        if (!listener_check(net, lb, &listener, err)) {
            return false;
        }
        struct classic_listener *added = VEC_ADD(&lb->listeners);
        *added = listener;
        added->protocol = xstrdup(protocol);
        added->instance_protocol = xstrdup(behind);
        added->certificate_id = certificate ? xstrdup(certificate) : NULL;
    }
    network_touch(net);
    return true;
}

bool
classic_balancer_certify(struct network *net, struct classic_balancer *lb, int port, const char *certificate,
                         struct err *err)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        struct classic_listener *listener = &lb->listeners.items[i];
        if (listener->port != port) {
            continue;
        }
        if (!classic_listener_has_tls(listener)) {
            return err_set(err, ERR_INPUT, "InvalidConfigurationRequest",
                           "the listener on port %d speaks %s, which has no certificate", port, listener->protocol);
        }
        if (!certificate_check(net, certificate, err)) {
            return false;
        }
        str_set(&listener->certificate_id, certificate);
        network_touch(net);
        return true;
    }
    return err_set(err, ERR_INPUT, "ListenerNotFound", "`%s` has no listener on port %d", classic_balancer_name(lb),
                   port);
}

bool
classic_balancer_unlisten(struct network *net, struct classic_balancer *lb, int port, struct err *err)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        struct classic_listener *listener = &lb->listeners.items[i];
        if (listener->port == port) {
            free(listener->protocol);
            free(listener->instance_protocol);
            free(listener->certificate_id);
            while (listener->policies.n) {
                free(listener->policies.items[--listener->policies.n]);
            }
            VEC_DONE(&listener->policies);
            VEC_REMOVE(&lb->listeners, i);
            network_touch(net);
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "ListenerNotFound", "`%s` has no listener on port %d", classic_balancer_name(lb),
                   port);
}

/* ---- the balancer ------------------------------------------------------------------------------------------------ */

static bool
spec_check(const struct network *net, const struct classic_spec *spec, struct err *err)
{
    if (!balancer_name_check("load balancer", spec->name, err)) {
        return false;
    }
    if (network_classic_balancer(net, spec->name, net->account, net->region)) {
        return err_set(err, ERR_INPUT, "DuplicateLoadBalancerName",
                       "there is a Classic Load Balancer `%s` already in %s of account %s", spec->name, net->region,
                       net->account);
    }
    if (spec->scheme && strcmp(spec->scheme, "internal") != 0 && strcmp(spec->scheme, "internet-facing") != 0) {
        return err_set(err, ERR_INPUT, "InvalidScheme", "a scheme is `internal` or `internet-facing`, not `%s`",
                       spec->scheme);
    }
    if (json_array_size(spec->listeners) == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "a Classic Load Balancer needs a listener");
    }
    return spec->n_subnets > 0 || err_set(err, ERR_INPUT, "ValidationError",
                                          "a Classic Load Balancer needs `Subnets`: vpclab has no EC2-Classic");
}

static void
name_balancer(struct network *net, struct classic_balancer *lb)
{
    lb->dns_name = xasprintf("%s%s-%09u.%s.elb.amazonaws.com", str_is(lb->scheme, "internal") ? "internal-" : "",
                             classic_balancer_name(lb), (unsigned)id_random_below(net->ids, 1000000000), net->region);
    lb->hosted_zone_name = str_is(lb->scheme, "internal") ? NULL : xstrdup(lb->dns_name);
    lb->hosted_zone_id = xstrdup("Z35SXDOTRQ7X7K");
}

struct classic_balancer *
classic_balancer_create(struct network *net, const struct classic_spec *spec, struct err *err)
{
    if (!spec_check(net, spec, err)) {
        return NULL;
    }
    const struct subnet *first = store_get(net->store, &subnet_kind, spec->subnets[0]);
    if (first && !balancer_groups_check(net, first->vpc_id, spec->groups, spec->n_groups, err)) {
        return NULL;
    }
    char id[ID_SIZE];
    bool taken = store_get(net->store, &classic_balancer_kind, spec->name) != NULL;
    classic_balancer_id(spec->name, net->account, net->region, taken, id);
    struct classic_balancer *lb = network_add(net, &classic_balancer_kind, id);
    lb->scheme = xstrdup(spec->scheme ? spec->scheme : "internet-facing");
    lb->created_time = network_now_ms(net);
    lb->idle_s = 60;
    lb->draining_s = 300;
    name_balancer(net, lb);
    const struct security_group *own = first ? network_group_by_name(net, first->vpc_id, "default") : NULL;
    for (size_t i = 0; i < spec->n_groups; i++) {
        *VEC_ADD(&lb->group_ids) = xstrdup(spec->groups[i]);
    }
    if (spec->n_groups == 0 && own) {
        *VEC_ADD(&lb->group_ids) = xstrdup(own->obj.id);
    }
    const struct security_group *shown =
        lb->group_ids.n ? store_get(net->store, &security_group_kind, lb->group_ids.items[0]) : NULL;
    str_set(&lb->source_group_owner, net->account);
    str_set(&lb->source_group_name, shown ? shown->name : NULL);
    for (size_t i = 0; i < spec->n_subnets; i++) {
        if (!classic_balancer_add_subnet(net, lb, spec->subnets[i], err)) {
            return NULL;
        }
    }
    if (!classic_balancer_listen(net, lb, spec->listeners, err)) {
        return NULL;
    }
    const struct classic_listener *listener = &lb->listeners.items[0];
    lb->health_target = xasprintf("TCP:%d", listener->instance_port);
    lb->health_interval_s = 30;
    lb->health_timeout_s = 5;
    lb->unhealthy_count = 2;
    lb->healthy_count = 10;
    return lb;
}

void
classic_balancer_delete(struct network *net, struct classic_balancer *lb)
{
    struct eni *const *enis;
    while (classic_balancer_enis(net, lb, &enis) > 0) {
        eni_remove(net, enis[0]);
    }
    network_remove(net, lb);
}

bool
classic_balancer_set_groups(struct network *net, struct classic_balancer *lb, const char *const *ids, size_t n,
                            struct err *err)
{
    if (n == 0) {
        return err_set(err, ERR_INPUT, "ValidationError", "`SecurityGroups` must name a group");
    }
    if (!balancer_groups_check(net, lb->vpc_id, ids, n, err)) {
        return false;
    }
    struct eni *const *enis;
    for (size_t i = 0; i < classic_balancer_enis(net, lb, &enis); i++) {
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

static size_t
instance_find(const struct classic_balancer *lb, const char *id)
{
    size_t i = 0;
    while (i < lb->instances.n && strcmp(lb->instances.items[i].id, id) != 0) {
        i++;
    }
    return i;
}

bool
classic_balancer_register(struct network *net, struct classic_balancer *lb, const char *instance_id, struct err *err)
{
    const struct instance *instance = store_get(net->store, &instance_kind, instance_id ? instance_id : "");
    if (!instance || strcmp(instance->vpc_id, lb->vpc_id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidInstance",
                       instance ? "the instance `%s` is not of `%s`" : "the instance `%s` does not exist",
                       instance_id ? instance_id : "", lb->vpc_id);
    }
    if (instance_find(lb, instance_id) == lb->instances.n) {
        id_set(VEC_ADD(&lb->instances)->id, instance_id);
        network_touch(net);
    }
    return true;
}

bool
classic_balancer_deregister(struct network *net, struct classic_balancer *lb, const char *instance_id, struct err *err)
{
    size_t at = instance_find(lb, instance_id ? instance_id : "");
    if (at == lb->instances.n) {
        return err_set(err, ERR_INPUT, "InvalidInstance", "`%s` is not registered with `%s`",
                       instance_id ? instance_id : "", classic_balancer_name(lb));
    }
    VEC_REMOVE(&lb->instances, at);
    network_touch(net);
    return true;
}

bool
classic_balancer_check_health(struct network *net, struct classic_balancer *lb, const json_t *json, struct err *err)
{
    const char *target = json_str(json, "Target"), *colon = target ? strchr(target, ':') : NULL;
    size_t word = colon ? (size_t)(colon - target) : 0;
    char protocol[8] = "";
    if (word < sizeof protocol) {
        snprintf(protocol, sizeof protocol, "%.*s", (int)word, target ? target : "");
    }
    char *end;
    long port = colon ? strtol(colon + 1, &end, 10) : 0;
    struct err ignored = { 0 };
    bool web = is_web(protocol), known = protocol_check(protocol, &ignored);
    if (!known || !HEALTH_RANGE(port, 1, 65535) || (web ? *end != '/' : *end != '\0')) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "a health check's target is like `TCP:80` or `HTTP:80/index.html`, not `%s`",
                       target ? target : "");
    }
    int interval = (int)json_int(json, "Interval", 0), timeout = (int)json_int(json, "Timeout", 0);
    int unhealthy = (int)json_int(json, "UnhealthyThreshold", 0), healthy = (int)json_int(json, "HealthyThreshold", 0);
    if (!HEALTH_RANGE(interval, 5, 300) || !HEALTH_RANGE(timeout, 2, 60) || timeout >= interval ||
        !HEALTH_RANGE(unhealthy, 2, 10) || !HEALTH_RANGE(healthy, 2, 10)) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "`Interval` is 5 to 300, `Timeout` 2 to 60 and less than it, the thresholds 2 to 10");
    }
    str_set(&lb->health_target, target);
    lb->health_interval_s = interval;
    lb->health_timeout_s = timeout;
    lb->unhealthy_count = unhealthy;
    lb->healthy_count = healthy;
    network_touch(net);
    return true;
}
