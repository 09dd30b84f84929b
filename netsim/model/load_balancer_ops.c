/* Load balancers: creating, changing, deleting. */
#include <ctype.h>
#include "netsim/model/balancer_parts.h"
#include "netsim/model/private_service.h"

char *
balancer_arn(const struct network *net, const char *id, const char *type)
{
    return xasprintf("arn:aws:elasticloadbalancing:%s:%s:%s%s", net->region, net->account, type, id);
}

void
balancer_hex(struct network *net, char hex[static BALANCER_HEX_DIGITS + 1])
{
    snprintf(hex, BALANCER_HEX_DIGITS + 1, "%016llx", (unsigned long long)id_random(net->ids));
}

bool
balancer_name_check(const char *what, const char *name, struct err *err)
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
    if (!str_is(spec->scheme, "internal") && !str_is(spec->type, "gateway") && !network_vpc_igw(net, vpc_id)) {
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
    bool dualstack = str_is(lb->ip_address_type, "dualstack");
    if (dualstack && !subnet_cidr6(subnet)) {
        return err_set(err, ERR_INPUT, "InvalidSubnet", "the subnet `%s` has no IPv6 block", subnet->obj.id);
    }
    char *description = xasprintf("ELB %s", lb->obj.id);
    struct eni_spec spec = { .subnet_id = subnet->obj.id,
                             .type = load_balancer_is_network(lb)  ? "network_load_balancer"
                                     : str_is(lb->type, "gateway") ? "gateway_load_balancer"
                                                                   : "interface",
                             .n_pick_ips6 = dualstack,
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
    if (str_is(lb->scheme, "internal") || str_is(lb->type, "gateway")) {
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

bool
balancer_groups_check(const struct network *net, const char *vpc_id, const char *const *ids, size_t n, struct err *err)
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
    /* those of network balancers are a gateway balancer's too, but for its logs */
    { "deletion_protection.enabled", "false", "false" },
    { "access_logs.s3.enabled", "false", "false" },
    { "access_logs.s3.bucket", "", "" },
    { "access_logs.s3.prefix", "", "" },
    { "load_balancing.cross_zone.enabled", "false", "true" },
    { "idle_timeout.timeout_seconds", NULL, "60" },
    { "client_keep_alive.seconds", NULL, "3600" },
    { "routing.http2.enabled", NULL, "true" },
    { "routing.http.xff_header_processing.mode", NULL, "append" },
    { "routing.http.xff_client_port.enabled", NULL, "false" },
    { "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", NULL, "false" },
    { "routing.http.drop_invalid_header_fields.enabled", NULL, "false" },
};

static void
name_balancer(struct network *net, struct load_balancer *lb, const char *hex)
{
    bool internal = str_is(lb->scheme, "internal");
    lb->arn = balancer_arn(net, lb->obj.id, "loadbalancer/");
    if (str_is(lb->type, "gateway")) {
        return; /* nobody asks for it by name */
    }
    lb->hosted_zone_id = xstrdup(load_balancer_is_network(lb) ? "Z26RNL4JYFTOTI" : "Z35SXDOTRQ7X7K");
    lb->dns_name = load_balancer_is_network(lb)
                       ? xasprintf("%s-%s.elb.%s.amazonaws.com", lb->name, hex, net->region)
                       : xasprintf("%s%s-%09u.%s.elb.amazonaws.com", internal ? "internal-" : "", lb->name,
                                   (unsigned)id_random_below(net->ids, 1000000000), net->region);
}

struct load_balancer *
load_balancer_create(struct network *net, const struct lb_spec *spec, struct err *err)
{
    if (!balancer_name_check("load balancer", spec->name, err) || !subnets_check(net, spec, err)) {
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
    if (!balancer_groups_check(net, first->vpc_id, spec->groups, spec->n_groups, err)) {
        return NULL;
    }
    bool is_network = str_is(spec->type, "network"), is_gateway = str_is(spec->type, "gateway");
    if (is_gateway && (spec->n_groups > 0 || str_is(spec->scheme, "internal"))) {
        err_set(err, ERR_INPUT, "ValidationError",
                "a balancer of type gateway has neither security groups nor a scheme");
        return NULL;
    }
    char hex[BALANCER_HEX_DIGITS + 1], id[ID_SIZE];
    balancer_hex(net, hex);
    snprintf(id, sizeof id, "%s/%s/%s", is_network ? "net" : is_gateway ? "gwy" : "app", spec->name, hex);
    struct load_balancer *lb = network_add(net, &load_balancer_kind, id);
    lb->name = xstrdup(spec->name);
    lb->type = xstrdup(spec->type);
    lb->scheme = is_gateway ? NULL : xstrdup(spec->scheme);
    lb->state = xstrdup("active");
    lb->ip_address_type = xstrdup(spec->ip_address_type ? spec->ip_address_type : "ipv4");
    lb->endpoint_rules = is_network && spec->n_groups > 0 ? xstrdup("on") : NULL;
    id_set(lb->vpc_id, first->vpc_id);
    lb->created_time = network_now_ms(net);
    name_balancer(net, lb, hex);
    for (size_t i = 0; i < spec->n_groups; i++) {
        *VEC_ADD(&lb->group_ids) = xstrdup(spec->groups[i]);
    }
    const struct security_group *own = network_group_by_name(net, first->vpc_id, "default");
    if (!is_network && !is_gateway && spec->n_groups == 0 && own) {
        *VEC_ADD(&lb->group_ids) = xstrdup(own->obj.id);
    }
    for (size_t i = 0; i < ARRAY_SIZE(default_attributes); i++) {
        const char *value =
            is_network || is_gateway ? default_attributes[i].network : default_attributes[i].application;
        if (value && !(is_gateway && strncmp(default_attributes[i].key, "access_logs.", 12) == 0)) {
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
    const struct private_service *service = network_service_of_balancer(net, lb->arn);
    if (service) {
        err_set(err, ERR_INPUT, "ResourceInUse", "`%s` serves the endpoint service `%s`", lb->name, service->obj.id);
        return err_hint(err, "delete-vpc-endpoint-service-configurations, or modify-vpc-endpoint-service-configuration "
                             "--remove-network-load-balancer-arns");
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
    if (!balancer_groups_check(net, lb->vpc_id, ids, n, err)) {
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

void
load_balancer_filter_endpoints(struct network *net, struct load_balancer *lb, bool filter)
{
    str_set(&lb->endpoint_rules, filter ? "on" : "off");
    network_touch(net);
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

/* One that the balancer has, or would have if it were made now. */
static bool
knows_attribute(const struct load_balancer *lb, const char *key)
{
    bool application = str_is(lb->type, "application"), known = load_balancer_attribute(lb, key) != NULL;
    for (size_t i = 0; application && i < ARRAY_SIZE(default_attributes) && !known; i++) {
        known = default_attributes[i].application && strcmp(default_attributes[i].key, key) == 0;
    }
    return known;
}

static bool
attribute_check(const char *key, const char *value, struct err *err)
{
    static const struct {
        const char *key;
        long from, to;
    } ranges[] = { { "idle_timeout.timeout_seconds", 1, 4000 }, { "client_keep_alive.seconds", 60, 604800 } };
    bool flag = strlen(key) > 8 && strcmp(key + strlen(key) - 8, ".enabled") == 0;
    if (flag && !str_is(value, "true") && !str_is(value, "false")) {
        return err_set(err, ERR_INPUT, "ValidationError", "the value of `%s` is `true` or `false`, not `%s`", key,
                       value ? value : "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(ranges); i++) {
        char *end = NULL;
        long n = value ? strtol(value, &end, 10) : 0;
        if (strcmp(ranges[i].key, key) == 0 && (!end || *end || n < ranges[i].from || n > ranges[i].to)) {
            return err_set(err, ERR_INPUT, "ValidationError", "the value of `%s` is a number of %ld to %ld, not `%s`",
                           key, ranges[i].from, ranges[i].to, value ? value : "");
        }
    }
    if (strcmp(key, "routing.http.xff_header_processing.mode") == 0 && !str_is(value, "append") &&
        !str_is(value, "preserve") && !str_is(value, "remove")) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the value of `%s` is `append`, `preserve` or `remove`, not `%s`", key, value ? value : "");
    }
    return true;
}

bool
load_balancer_set_attribute(struct network *net, struct load_balancer *lb, const char *key, const char *value,
                            struct err *err)
{
    if (!knows_attribute(lb, key ? key : "")) {
        return err_set(err, ERR_INPUT, "ValidationError", "load balancer attribute key `%s` is not recognized",
                       key ? key : "");
    }
    if (!attribute_check(key, value, err)) {
        return false;
    }
    set_attribute(lb, key, value ? value : "");
    network_touch(net);
    return true;
}

bool
load_balancer_set_ip_type(struct network *net, struct load_balancer *lb, const char *type, struct err *err)
{
    if (!str_is(type, "ipv4") && !str_is(type, "dualstack")) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the address type of `%s` can be `ipv4` or `dualstack`, not `%s`", lb->name, type ? type : "");
    }
    struct eni *const *enis;
    for (size_t i = 0; i < load_balancer_enis(net, lb, &enis); i++) {
        const struct subnet *subnet = store_get(net->store, &subnet_kind, enis[i]->subnet_id);
        if (strcmp(type, "dualstack") == 0 && subnet && !subnet_cidr6(subnet)) {
            return err_set(err, ERR_INPUT, "InvalidSubnet", "the subnet `%s` has no IPv6 block", subnet->obj.id);
        }
        if (!eni_set_dualstack(net, enis[i], strcmp(type, "dualstack") == 0, err)) {
            return false;
        }
    }
    str_set(&lb->ip_address_type, type);
    network_touch(net);
    return true;
}
