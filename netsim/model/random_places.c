/* netsim/model/random_places.c - what AWS stands behind, and odd machines, in a random network: made by the operations
 * themselves, so that nothing comes to be that AWS would refuse. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/model/block_public_access.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/private_service.h"
#include "netsim/model/random_net.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

#define SUBNETS 3 /* of each VPC, as random_net_make() draws them */

static const int places_ports[] = { 22, 80, 443, 5432 };

/* The text with a number in it, for as long as the next few are not made. */
static const char *
numbered(const char *format, int n)
{
    static char texts[16][ID_SIZE];
    static size_t next;
    char *text = texts[next++ % 16];
    snprintf(text, ID_SIZE, format, n);
    return text;
}

/* ---- what there is to choose from ----------------------------------------------------------------------------------
 */
struct choice {
    const char *ids[SUBNETS];
    size_t n;
};

/* At most so many subnets of the VPC, in zones of their own; of 'zones' if these are given. */
static struct choice
choose_in_zones(struct random_net *r, int vpc, size_t wanted, char *const *zones, size_t n_zones)
{
    struct choice c = { .n = 0 };
    for (int s = lot(r, SUBNETS), tries = 0; tries < SUBNETS && c.n < wanted; tries++, s++) {
        const char *id = numbered("subnet-%d", vpc * 10 + s % SUBNETS);
        const struct store *store = network_store(r->net);
        const struct subnet *subnet = store_get(store, &subnet_kind, id);
        bool fits = n_zones == 0;
        for (size_t i = 0; i < n_zones; i++) {
            fits = fits || strcmp(zones[i], subnet->zone) == 0;
        }
        for (size_t i = 0; i < c.n; i++) {
            const struct subnet *other = store_get(store, &subnet_kind, c.ids[i]);
            fits = fits && strcmp(other->zone, subnet->zone) != 0;
        }
        if (fits) {
            c.ids[c.n++] = subnet->obj.id;
        }
    }
    return c;
}

/* One or two. */
static struct choice
choose_subnets(struct random_net *r, int vpc, char *const *zones, size_t n_zones)
{
    size_t wanted = 1 + (size_t)lot(r, 2);
    return choose_in_zones(r, vpc, wanted, zones, n_zones);
}

/* One or two groups of the VPC. */
static struct choice
choose_groups(struct random_net *r, int vpc)
{
    struct choice c = { .n = 0 };
    for (int g = vpc; g < r->n_groups && c.n < 2; g += r->n_vpcs) {
        const struct security_group *group =
            store_get(network_store(r->net), &security_group_kind, numbered("sg-%d", g));
        if (group && chance(r, 70)) {
            c.ids[c.n++] = group->obj.id;
        }
    }
    return c;
}

/* Up to three running instances of the VPC. */
static struct choice
choose_instances(struct random_net *r, const char *vpc_id)
{
    struct choice c = { .n = 0 };
    int first = lot(r, r->n_enis);
    for (int i = 0; i < r->n_enis && c.n < SUBNETS; i++) {
        const struct store *store = network_store(r->net);
        const struct eni *eni = store_get(store, &eni_kind, numbered("eni-%d", (first + i) % r->n_enis));
        const struct instance *instance = store_get(store, &instance_kind, eni->attachment.instance_id);
        if (instance && instance_is_running(instance) && strcmp(eni->vpc_id, vpc_id) == 0 && chance(r, 75)) {
            c.ids[c.n++] = instance->obj.id;
        }
    }
    return c;
}

/* An interface of the VPC without the source/destination check; NULL: it has none. */
static const struct eni *
choose_appliance(struct random_net *r, const char *vpc_id)
{
    int first = lot(r, r->n_enis);
    for (int i = 0; i < r->n_enis; i++) {
        const struct eni *eni =
            store_get(network_store(r->net), &eni_kind, numbered("eni-%d", (first + i) % r->n_enis));
        if (!eni->source_dest_check && eni->attached && strcmp(eni->vpc_id, vpc_id) == 0) {
            return eni;
        }
    }
    return NULL;
}

static struct route_table *
choose_table(struct random_net *r, int vpc)
{
    return store_get(network_store(r->net), &route_table_kind, numbered("rtb-%d", vpc * 10 + lot(r, 3)));
}

/* What AWS refuses is not there. */
static void
route(struct random_net *r, struct route_table *table, const struct route *spec)
{
    struct err refused = { 0 };
    route_create(r->net, table, spec, &refused);
}

/* ---- machines ------------------------------------------------------------------------------------------------------
 */
/* A second interface of an instance, in a subnet of the same zone. */
static void
second_interface(struct random_net *r, int number, const struct eni *first)
{
    struct store *store = network_store(r->net);
    const struct subnet *home = store_get(store, &subnet_kind, first->subnet_id);
    int vpc = atoi(first->vpc_id + strlen("vpc-"));
    const struct subnet *subnet = store_get(store, &subnet_kind, numbered("subnet-%d", vpc * 10 + lot(r, SUBNETS)));
    struct choice groups = choose_groups(r, vpc);
    if (strcmp(subnet->zone, home->zone) != 0 || groups.n == 0) {
        return;
    }
    struct err err = { 0 };
    struct eni_spec spec = { .subnet_id = subnet->obj.id,
                             .n_pick_secondary = (size_t)lot(r, 2),
                             .n_pick_ips6 = (size_t)lot(r, 2),
                             .groups = groups.ids,
                             .n_groups = groups.n };
    struct eni *eni = eni_create(r->net, &spec, &err);
    if (eni && eni_attach(r->net, eni, first->attachment.instance_id, 1, &err)) {
        eni->source_dest_check = chance(r, 85);
        if (chance(r, 40)) {
            eni->addresses.items[0].association.public_ip = ip_lit(numbered("203.0.113.%d", 200 + number));
        }
    }
}

static void
second_interfaces(struct random_net *r)
{
    struct store *store = network_store(r->net);
    for (int e = 0; e < r->n_enis; e++) {
        const struct eni *eni = store_get(store, &eni_kind, numbered("eni-%d", e));
        if (eni->attached && chance(r, 30)) {
            second_interface(r, e, eni);
        }
    }
}

/* ---- endpoints of AWS's services ----------------------------------------------------------------------------------
 */
static void
gateway_endpoint(struct random_net *r, int vpc)
{
    struct err err = { 0 };
    const char *tables[3];
    struct endpoint_spec spec = { .vpc_id = numbered("vpc-%d", vpc),
                                  .service_name =
                                      chance(r, 50) ? "com.amazonaws.us-east-1.s3" : "com.amazonaws.us-east-1.dynamodb",
                                  .type = ENDPOINT_GATEWAY,
                                  .tables = tables };
    for (int n = 0; n < 3; n++) {
        if (chance(r, 75)) {
            tables[spec.n_tables++] = numbered("rtb-%d", vpc * 10 + n);
        }
    }
    endpoint_create(r->net, &spec, &err);
}

static void
interface_endpoint(struct random_net *r, int vpc, const char *service, char *const *zones, size_t n_zones)
{
    struct err err = { 0 };
    struct choice subnets = choose_subnets(r, vpc, zones, n_zones), groups = choose_groups(r, vpc);
    struct endpoint_spec spec = { .vpc_id = numbered("vpc-%d", vpc),
                                  .service_name = service,
                                  .type = ENDPOINT_INTERFACE,
                                  .private_dns = 0,
                                  .ip_address_type = n_zones == 0 && chance(r, 30) ? "dualstack" : NULL,
                                  .subnets = subnets.ids,
                                  .n_subnets = subnets.n,
                                  .groups = groups.ids,
                                  .n_groups = groups.n };
    if (subnets.n && groups.n) {
        endpoint_create(r->net, &spec, &err);
    }
}

/* ---- balancers -----------------------------------------------------------------------------------------------------
 */
static const char *
yes_or_no(struct random_net *r, int percent)
{
    return chance(r, percent) ? "true" : "false";
}

/* A new group for the balancer with some of its VPC's instances in it; NULL: AWS refuses it. */
static const struct target_group *
targets(struct random_net *r, const struct load_balancer *lb, const char *protocol)
{
    struct err err = { 0 };
    struct choice chosen = choose_instances(r, lb->vpc_id);
    bool by_address = chance(r, 35);
    int number = (int)store_count(network_store(r->net), &target_group_kind);
    struct target_group_spec spec = { .name = numbered("tg-%d", number),
                                      .protocol = protocol,
                                      .vpc_id = lb->vpc_id,
                                      .target_type = by_address ? "ip" : "instance",
                                      .port = places_ports[lot(r, 4)] };
    struct target_group *group = target_group_create(r->net, &spec, &err);
    for (size_t i = 0; group && i < chosen.n; i++) {
        const struct instance *instance = store_get(network_store(r->net), &instance_kind, chosen.ids[i]);
        const struct eni *eni = instance_eni(r->net, instance, 0);
        const char *id = by_address ? ip_str(eni_primary_ip(eni)) : chosen.ids[i];
        target_group_register(r->net, group, id, chance(r, 25) ? 8080 : 0, NULL, &err);
    }
    if (group && load_balancer_is_network(lb)) {
        target_group_set_attribute(r->net, group, "preserve_client_ip.enabled", yes_or_no(r, 60), &err);
    } else if (group && chance(r, 40)) {
        random_net_stick(r, group);
    }
    return group;
}

/* To one group, or to two by their weights, of which one may get nothing; an application balancer may answer by itself.
 */
static json_t *
action(struct random_net *r, const struct load_balancer *lb, const char *protocol)
{
    if (!load_balancer_is_network(lb) && chance(r, 30)) {
        return chance(r, 50)
                   ? json_pack("{s:s, s:{s:s}}", "Type", "fixed-response", "FixedResponseConfig", "StatusCode", "404")
                   : json_pack("{s:s, s:{s:s, s:s, s:s}}", "Type", "redirect", "RedirectConfig", "Protocol",
                               chance(r, 70) ? "HTTPS" : "#{protocol}", "Path",
                               chance(r, 50) ? "/#{path}" : "/new/#{host}", "StatusCode", "HTTP_301");
    }
    json_t *groups = json_array();
    for (int i = chance(r, 35) ? 2 : 1; i > 0; i--) {
        const struct target_group *group = targets(r, lb, protocol);
        int weight = i == 2 || chance(r, 80) ? 1 + lot(r, 4) : 0;
        if (group) {
            json_array_append_new(groups, json_pack("{s:s, s:i}", "TargetGroupArn", group->arn, "Weight", weight));
        }
    }
    json_t *stickiness = NULL;
    if (!load_balancer_is_network(lb) && json_array_size(groups) > 1 && chance(r, 40)) {
        stickiness = json_pack("{s:b, s:i}", "Enabled", 1, "DurationSeconds", 3600);
    }
    return json_pack("{s:s, s:{s:o, s:o*}}", "Type", "forward", "ForwardConfig", "TargetGroups", groups,
                     "TargetGroupStickinessConfig", stickiness);
}

/* Who asks, what for, or both: one condition of a kind or of two. */
static json_t *
condition(struct random_net *r, int kind)
{
    static const char *const hosts[] = { "*.example.com", "web-?.example.com", "Shop.example.com" },
                             *const paths[] = { "/api/*", "/img/*.p?g", "/", "*/x" },
                             *const tiers[] = { "gold*", "?in", "*" }, *const versions[] = { "1*", "?", "2\\*" };
    struct ip ip = lot_ip(r, chance(r, 20));
    struct cidr block = { .bits = (uint8_t)(chance(r, 30) ? 0 : ip.family == IP_V6 ? 64 : 24) };
    block.ip = ip_mask(&ip, block.bits);
    switch (kind) {
    case 0:
        return json_pack("{s:s, s:{s:[s]}}", "Field", "source-ip", "SourceIpConfig", "Values", cidr_str(&block));
    case 1:
        return json_pack("{s:s, s:{s:[s, s]}}", "Field", "path-pattern", "PathPatternConfig", "Values",
                         paths[lot(r, 4)], paths[lot(r, 4)]);
    case 2:
        return json_pack("{s:s, s:[s]}", "Field", "host-header", "Values", hosts[lot(r, 3)]);
    case 3:
        return json_pack("{s:s, s:{s:s, s:[s]}}", "Field", "http-header", "HttpHeaderConfig", "HttpHeaderName",
                         "X-Tier", "Values", tiers[lot(r, 3)]);
    case 4:
        return json_pack("{s:s, s:{s:[s]}}", "Field", "http-request-method", "HttpRequestMethodConfig", "Values",
                         chance(r, 50) ? "GET" : "POST");
    default:
        return json_pack("{s:s, s:{s:[{s:s*, s:s}]}}", "Field", "query-string", "QueryStringConfig", "Values", "Key",
                         chance(r, 60) ? "v" : NULL, "Value", versions[lot(r, 3)]);
    }
}

static json_t *
conditions(struct random_net *r)
{
    int first = lot(r, 6), second = lot(r, 6);
    json_t *list = json_array();
    json_array_append_new(list, condition(r, first));
    if (second != first && chance(r, 40)) {
        json_array_append_new(list, condition(r, second));
    }
    return list;
}

static void
listener(struct random_net *r, struct load_balancer *lb)
{
    static const char *const protocols[] = { "TCP", "TCP", "UDP", "TCP_UDP" };
    const char *protocol = load_balancer_is_network(lb) ? protocols[lot(r, 4)] : "HTTP";
    struct err err = { 0 };
    json_t *json = json_pack("{s:s, s:i, s:[o]}", "Protocol", protocol, "Port", places_ports[lot(r, 4)],
                             "DefaultActions", action(r, lb, protocol));
    bool secure = !load_balancer_is_network(lb) && chance(r, 40);
    if (secure) {
        random_net_secure(r, json);
    }
    struct lb_listener *l = load_balancer_listen(r->net, lb, json, &err);
    json_decref(json);
    if (l && secure) {
        random_net_add_certificates(r, l);
    }
    for (int i = l && !load_balancer_is_network(lb) ? lot(r, 3) : 0; i > 0; i--) {
        json = json_pack("{s:s, s:o, s:[o]}", "Priority", numbered("%d", 10 * i), "Conditions", conditions(r),
                         "Actions", action(r, lb, protocol));
        listener_add_rule(r->net, lb, l, json, &err);
        json_decref(json);
    }
}

static const char *
choose_scheme(struct random_net *r, int vpc)
{
    bool open = network_vpc_igw(r->net, numbered("vpc-%d", vpc)) != NULL;
    return open && chance(r, 50) ? "internet-facing" : "internal";
}

/* Without listeners; NULL: AWS refuses it. */
static struct load_balancer *
bare_network_balancer(struct random_net *r, int vpc, const char *name)
{
    struct err err = { 0 };
    struct choice subnets = choose_subnets(r, vpc, NULL, 0), groups = choose_groups(r, vpc);
    struct lb_subnet zones[SUBNETS] = { { .subnet_id = NULL } };
    for (size_t i = 0; i < subnets.n; i++) {
        zones[i].subnet_id = subnets.ids[i];
    }
    struct lb_spec spec = { .name = name,
                            .type = "network",
                            .scheme = choose_scheme(r, vpc),
                            .subnets = zones,
                            .n_subnets = subnets.n,
                            .groups = groups.ids,
                            .n_groups = chance(r, 60) ? groups.n : 0 };
    struct load_balancer *lb = load_balancer_create(r->net, &spec, &err);
    if (lb) {
        load_balancer_set_attribute(r->net, lb, "load_balancing.cross_zone.enabled", yes_or_no(r, 60), &err);
    }
    return lb;
}

static struct load_balancer *
network_balancer(struct random_net *r, int vpc, int number)
{
    struct load_balancer *lb = bare_network_balancer(r, vpc, numbered("nlb-%d", number));
    for (int i = 0, n = lb ? 1 + lot(r, 2) : 0; i < n; i++) {
        listener(r, lb);
    }
    return lb;
}

/* A network balancer before the application balancer, at the port of one of its listeners. */
static void
front(struct random_net *r, int vpc, const struct load_balancer *behind)
{
    struct err err = { 0 };
    struct load_balancer *lb = bare_network_balancer(r, vpc, numbered("front-%d", vpc));
    struct target_group_spec spec = { .name = numbered("tg-front-%d", vpc),
                                      .protocol = "TCP",
                                      .vpc_id = behind->vpc_id,
                                      .target_type = "alb",
                                      .port = behind->listeners.items[lot(r, (int)behind->listeners.n)].port };
    struct target_group *group = lb ? target_group_create(r->net, &spec, &err) : NULL;
    if (group && target_group_register(r->net, group, behind->arn, 0, NULL, &err)) {
        json_t *json = json_pack("{s:s, s:i, s:[{s:s, s:s}]}", "Protocol", "TCP", "Port", places_ports[lot(r, 4)],
                                 "DefaultActions", "Type", "forward", "TargetGroupArn", group->arn);
        load_balancer_listen(r->net, lb, json, &err);
        json_decref(json);
    }
}

/* In as many zones as the VPC's subnets have, of which AWS wants two. */
static void
application_balancer(struct random_net *r, int vpc, int number)
{
    struct err err = { 0 };
    struct choice groups = choose_groups(r, vpc), subnets = choose_in_zones(r, vpc, SUBNETS, NULL, 0);
    struct lb_subnet zones[SUBNETS] = { { .subnet_id = NULL } };
    for (size_t i = 0; i < subnets.n; i++) {
        zones[i].subnet_id = subnets.ids[i];
    }
    struct lb_spec spec = { .name = numbered("alb-%d", number),
                            .type = "application",
                            .scheme = choose_scheme(r, vpc),
                            .ip_address_type = chance(r, 30) ? "dualstack" : NULL,
                            .subnets = zones,
                            .n_subnets = subnets.n,
                            .groups = groups.ids,
                            .n_groups = groups.n };
    struct load_balancer *lb = groups.n ? load_balancer_create(r->net, &spec, &err) : NULL;
    for (int i = lb ? 1 + lot(r, 2) : 0; i > 0; i--) {
        listener(r, lb);
    }
    if (lb && lb->listeners.n && chance(r, 70)) {
        front(r, vpc, lb);
    }
}

static void
classic_balancer(struct random_net *r, int vpc, int number)
{
    struct err err = { 0 };
    struct choice subnets = choose_subnets(r, vpc, NULL, 0), groups = choose_groups(r, vpc);
    json_t *listeners =
        json_pack("[{s:s, s:i, s:s, s:i}]", "Protocol", "TCP", "LoadBalancerPort", places_ports[lot(r, 4)],
                  "InstanceProtocol", "TCP", "InstancePort", places_ports[lot(r, 4)]);
    struct classic_spec spec = { .name = numbered("clb-%d", number),
                                 .scheme = choose_scheme(r, vpc),
                                 .listeners = listeners,
                                 .subnets = subnets.ids,
                                 .groups = groups.ids,
                                 .n_subnets = subnets.n,
                                 .n_groups = groups.n };
    struct classic_balancer *lb = groups.n ? classic_balancer_create(r->net, &spec, &err) : NULL;
    json_decref(listeners);
    if (lb) {
        struct choice targets = choose_instances(r, lb->vpc_id);
        lb->cross_zone = chance(r, 60);
        for (size_t i = 0; i < targets.n; i++) {
            classic_balancer_register(r->net, lb, targets.ids[i], &err);
        }
    }
}

/* The balancer offered to endpoints, of its own VPC and the others. */
static void
private_link(struct random_net *r, struct load_balancer *lb)
{
    struct err err = { 0 };
    const char *arn = lb->arn;
    struct private_service_change change = { .add_nlbs = &arn, .n_add_nlbs = 1, .acceptance_required = 0 };
    struct private_service *service = private_service_create(r->net, &change, &err);
    if (!service || !private_service_permit(r->net, service, "*", &err)) {
        return;
    }
    if (lb->group_ids.n) {
        load_balancer_filter_endpoints(r->net, lb, chance(r, 60));
    }
    for (int v = 0; v < r->n_vpcs; v++) {
        if (chance(r, 75)) {
            interface_endpoint(r, v, service->name, service->zones.items, service->zones.n);
        }
    }
}

/* ---- gateways ------------------------------------------------------------------------------------------------------
 */
static void
egress_only(struct random_net *r, int vpc)
{
    struct err err = { 0 };
    struct egress_only_gateway *gateway = egress_only_gateway_create(r->net, numbered("vpc-%d", vpc), &err);
    for (int i = 0; gateway && i < 2; i++) {
        struct route spec = { .cidr6 = cidr_lit(chance(r, 75) ? "::/0" : "2600::/12"),
                              .egress_only_igw_id = gateway->obj.id };
        route(r, choose_table(r, vpc), &spec);
    }
}

static void
private_nat(struct random_net *r, int vpc)
{
    struct err err = { 0 };
    const char *subnet = numbered("subnet-%d", vpc * 10 + lot(r, SUBNETS));
    struct nat_gateway *nat = nat_gateway_create(r->net, subnet, NULL, NULL, &err);
    for (int i = 0; nat && i < 2; i++) {
        char text[32];
        snprintf(text, sizeof text, "10.%d.0.0/16", (vpc + 1) % (r->n_vpcs + 1));
        struct route spec = { .cidr = cidr_lit(chance(r, 50)   ? text
                                               : chance(r, 50) ? "192.168.0.0/16"
                                                               : "8.0.0.0/8"),
                              .nat_gateway_id = nat->obj.id };
        route(r, choose_table(r, vpc), &spec);
    }
}

/* Packets for one subnet of the VPC are led to the appliance: what comes by the gateway, or what other subnets send. */
static void
lead_to_appliance(struct random_net *r, struct route_table *table, int vpc, const char *eni_id)
{
    char text[64];
    bool v6 = chance(r, 25);
    snprintf(text, sizeof text, v6 ? "2001:db8:%x:%x::/64" : "10.%d.%d.0/24", vpc, lot(r, SUBNETS));
    struct route spec = { .eni_id = (char *)eni_id };
    *(v6 ? &spec.cidr6 : &spec.cidr) = cidr_lit(text);
    route(r, table, &spec);
}

static void
gateway_table(struct random_net *r, int vpc)
{
    struct err err = { 0 };
    const char *vpc_id = numbered("vpc-%d", vpc);
    const struct internet_gateway *igw = network_vpc_igw(r->net, vpc_id);
    const struct eni *appliance = choose_appliance(r, vpc_id);
    struct route_table *table = igw && appliance ? route_table_create(r->net, vpc_id, false, &err) : NULL;
    if (table && route_table_associate(r->net, table, igw->obj.id, &err)) {
        for (int i = 1 + lot(r, 2); i > 0; i--) {
            lead_to_appliance(r, table, vpc, appliance->obj.id);
        }
    }
}

static void
middlebox(struct random_net *r, int vpc)
{
    const struct eni *appliance = choose_appliance(r, numbered("vpc-%d", vpc));
    if (appliance) {
        lead_to_appliance(r, choose_table(r, vpc), vpc, appliance->obj.id);
    }
}

/* Of the account and region that the switch is for. */
static void
own_vpcs(struct random_net *r)
{
    struct store *store = network_store(r->net);
    const struct block_public_access *sample = block_public_access_set(r->net, "off");
    for (struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        memcpy(vpc->obj.account, sample->obj.account, sizeof vpc->obj.account);
        memcpy(vpc->obj.region, sample->obj.region, sizeof vpc->obj.region);
    }
}

static void
public_access(struct random_net *r)
{
    struct err err = { 0 };
    block_public_access_set(r->net, chance(r, 50) ? "block-bidirectional" : "block-ingress");
    for (int i = lot(r, 3); i > 0; i--) {
        int vpc = lot(r, r->n_vpcs);
        const char *id = chance(r, 40) ? numbered("vpc-%d", vpc) : numbered("subnet-%d", vpc * 10 + lot(r, SUBNETS));
        bpa_exclusion_create(r->net, id, chance(r, 50) ? "allow-bidirectional" : "allow-egress", &err);
    }
}

/* Groups and ACLs drawn by lot alone let so little pass that what is behind them would hardly be met. */
static void
open_filters(struct random_net *r)
{
    struct store *store = network_store(r->net);
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (int i = 0; i < 4 && chance(r, 80); i++) {
            *VEC_ADD(&g->rules) = (struct sg_rule){
                .egress = i % 2, .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit(i < 2 ? "0.0.0.0/0" : "::/0")
            };
        }
    }
    for (struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        bool open = chance(r, 75);
        for (size_t i = 0; open && i < acl->entries.n; i++) {
            acl->entries.items[i].action = NACL_ALLOW;
        }
    }
}

/* ---- all of it -----------------------------------------------------------------------------------------------------
 */
static void
add_to_vpc(struct random_net *r, int vpc)
{
    if (chance(r, 60)) {
        gateway_endpoint(r, vpc);
    }
    if (chance(r, 50)) {
        interface_endpoint(r, vpc, "com.amazonaws.us-east-1.sqs", NULL, 0);
    }
    for (int i = lot(r, 3); i > 0; i--) {
        struct load_balancer *lb = network_balancer(r, vpc, vpc * 10 + i);
        if (lb && chance(r, 60)) {
            private_link(r, lb);
        }
    }
    if (chance(r, 40)) {
        classic_balancer(r, vpc, vpc);
    }
    if (chance(r, 40)) {
        application_balancer(r, vpc, vpc);
    }
    if (chance(r, 50)) {
        egress_only(r, vpc);
    }
    if (chance(r, 35)) {
        private_nat(r, vpc);
    }
    if (chance(r, 40)) {
        gateway_table(r, vpc);
    }
    if (chance(r, 30)) {
        middlebox(r, vpc);
    }
}

void
random_net_add_places(struct random_net *r)
{
    own_vpcs(r);
    if (chance(r, 75)) {
        open_filters(r);
    }
    second_interfaces(r);
    for (int v = 0; v < r->n_vpcs; v++) {
        add_to_vpc(r, v);
    }
    if (chance(r, 15)) {
        public_access(r);
    }
    if (chance(r, 50)) {
        random_net_add_inspection(r);
    }
    store_touch(network_store(r->net));
}
