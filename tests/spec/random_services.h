/* tests/spec/random_services.h - what stands between an interface and its neighbours in a random network: load
 * balancers of every kind, endpoint services with their endpoints, middleboxes with several interfaces, route tables of
 * gateways, VPC Block Public Access with exclusions, in accounts of their own.  Only where r->services says so. */
#pragma once
#include "netsim/model/block_public_access.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/failure.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"
#include "tests/spec/random_routers.h"

/* A random network with all its parts, and what the parts of this file are called. */
struct random_lab {
    struct random_net net;
    bool services;
    int n_nodes, n_endpoints, n_extra; /* eni-lb0 .., eni-ep0 .., eni-x0 .. */
    int n_balancers, n_groups;         /* target groups */
};

#define RANDOM_ACCOUNT "123456789012"
#define LB_ARN         "arn:aws:elasticloadbalancing:us-east-1:" RANDOM_ACCOUNT ":"

/* ---- Interfaces
 * ------------------------------------------------------------------------------------------------------
 */

/* In subnet s of the VPC, at host number 'host' of both families ('v6'). */
static struct eni *
service_eni(struct random_lab *l, const char *format, int n, int vpc, int s, int host, bool v6)
{
    struct random_net *r = &l->net;
    struct eni *eni = lot_add(r, &eni_kind, format, n);
    char text[64];
    lot_name(eni->vpc_id, "vpc-%d", vpc);
    lot_name(eni->subnet_id, "subnet-%d", vpc * 10 + s);
    eni->status = xstrdup("in-use");
    eni->type = xstrdup("interface");
    eni->source_dest_check = true;
    eni->zone = chance(r, 60) ? xstrdup(s == 2 ? "us-east-1b" : "us-east-1a") : NULL;
    struct eni_address *a = VEC_ADD(&eni->addresses);
    snprintf(text, sizeof text, "10.%d.%d.%d", vpc, s, host);
    a->ip = ip_lit(text);
    a->primary = true;
    if (v6) {
        snprintf(text, sizeof text, "2001:db8:%x:%x::%x", vpc, s, host);
        VEC_ADD(&eni->addresses6)->ip = ip_lit(text);
    }
    return eni;
}

static void
service_public(struct eni *eni, int n)
{
    char text[32];
    snprintf(text, sizeof text, "203.0.113.%d", 200 + n);
    eni->addresses.items[0].association.public_ip = ip_lit(text);
}

/* One group, mostly of its own VPC. */
static void
service_group(struct random_lab *l, struct eni *eni, int vpc)
{
    int g = lot(&l->net, l->net.n_groups);
    g = l->net.routers && g % l->net.n_vpcs != vpc && chance(&l->net, 80) ? vpc : g;
    lot_name(VEC_ADD(&eni->groups)->id, "sg-%d", g < l->net.n_groups ? g : 0);
}

/* An instance gets a second or third interface, in any subnet of its zone. */
static void
random_device(struct random_lab *l, int n)
{
    struct random_net *r = &l->net;
    char id[ID_SIZE];
    lot_name(id, "i-%d", lot(r, r->n_enis));
    const struct instance *instance = store_get(network_store(r->net), &instance_kind, id);
    lot_name(id, "eni-%d", instance ? atoi(instance->obj.id + 2) : 0);
    struct eni *first = store_get(network_store(r->net), &eni_kind, id);
    if (!instance) {
        return;
    }
    int vpc = atoi(first->vpc_id + 4), device = 1;
    for (struct eni *e = store_first(network_store(r->net), &eni_kind); e; e = store_next(network_store(r->net), e)) {
        device += strncmp(e->obj.id, "eni-x", 5) == 0 && strcmp(e->attachment.instance_id, instance->obj.id) == 0;
    }
    bool b = first->subnet_id[strlen(first->subnet_id) - 1] == '2'; /* in the instance's zone */
    struct eni *eni = service_eni(l, "eni-x%d", l->n_extra++, vpc, b ? 2 : lot(r, 2), 40 + n, chance(r, 60));
    eni->attached = true;
    eni->attachment.device_index = device;
    lot_name(eni->attachment.instance_id, "i-%d", atoi(instance->obj.id + 2));
    eni->source_dest_check = chance(r, 40);
    first->source_dest_check = first->source_dest_check && chance(r, 50);
    service_group(l, eni, vpc);
    if (chance(r, 30)) {
        service_public(eni, n);
    }
}

/* ---- Load balancers
 * --------------------------------------------------------------------------------------------------
 */

static int
lot_listened_port(struct random_net *r)
{
    static const int ports[] = { 22, 80, 443, 443, 1024, 5432 };
    return ports[lot(r, 6)];
}

static void
random_attribute(struct random_net *r, struct lb_attribute *a, const char *key)
{
    a->key = xstrdup(key);
    a->value = xstrdup(chance(r, 50) ? "true" : "false");
}

static void
random_target(struct random_lab *l, struct target_group *group)
{
    struct random_net *r = &l->net;
    struct lb_target *target = VEC_ADD(&group->targets);
    char text[160];
    if (strcmp(group->target_type, "instance") == 0) {
        snprintf(text, sizeof text, "i-%d", lot(r, r->n_enis));
    } else if (strcmp(group->target_type, "alb") == 0) {
        snprintf(text, sizeof text, LB_ARN "loadbalancer/app/lb%d/%016d", 0, 0);
    } else if (chance(r, 75)) { /* somebody's address, mostly of the same VPC */
        char id[ID_SIZE];
        lot_name(id, "eni-%d", lot(r, r->n_enis));
        const struct eni *eni = store_get(network_store(r->net), &eni_kind, id);
        bool v6 = strcmp(group->ip_address_type, "ipv6") == 0 && eni->addresses6.n;
        snprintf(text, sizeof text, "%s", ip_str(v6 ? &eni->addresses6.items[0].ip : &eni->addresses.items[0].ip));
    } else {
        struct ip ip = lot_ip(r, strcmp(group->ip_address_type, "ipv6") == 0);
        snprintf(text, sizeof text, "%s", ip_str(&ip));
    }
    target->id = xstrdup(text);
    target->port = chance(r, 30) ? lot_listened_port(r) : 0;
}

static struct target_group *
random_target_group(struct random_lab *l, int vpc, bool network)
{
    static const char *const protocols[] = { "TCP", "TCP", "TLS", "UDP", "TCP_UDP" };
    struct random_net *r = &l->net;
    int n = l->n_groups++;
    char id[ID_SIZE], arn[160];
    snprintf(id, sizeof id, "tg%d/%016d", n, n);
    struct target_group *group = store_add(network_store(r->net), &target_group_kind, id);
    snprintf(arn, sizeof arn, LB_ARN "targetgroup/%s", id);
    group->arn = xstrdup(arn);
    bool to_balancer = network && l->n_balancers > 0 && chance(r, 20);
    group->target_type = xstrdup(to_balancer ? "alb" : chance(r, 60) ? "instance" : "ip");
    group->protocol = xstrdup(to_balancer ? "TCP" : network ? protocols[lot(r, 5)] : "HTTP");
    group->ip_address_type = xstrdup(!to_balancer && chance(r, 15) ? "ipv6" : "ipv4");
    group->port = lot_listened_port(r);
    lot_name(group->vpc_id, "vpc-%d", vpc);
    if (chance(r, 30)) {
        random_attribute(r, VEC_ADD(&group->attributes), "load_balancing.cross_zone.enabled");
    }
    if (network && chance(r, 40) && !strstr(group->protocol, "UDP")) {
        random_attribute(r, VEC_ADD(&group->attributes), "preserve_client_ip.enabled");
    }
    for (int i = lot(r, 4); i > 0; i--) {
        random_target(l, group);
    }
    return group;
}

static void
random_action(struct random_lab *l, struct lb_action *action, int vpc, bool network)
{
    struct random_net *r = &l->net;
    action->order = 1;
    if (!network && chance(r, 15)) {
        action->type = xstrdup(chance(r, 50) ? "redirect" : "fixed-response");
        return;
    }
    action->type = xstrdup("forward");
    if (network || chance(r, 60)) {
        action->group_arn = xstrdup(random_target_group(l, vpc, network)->arn);
        return;
    }
    for (int i = 1 + lot(r, 2); i > 0; i--) {
        struct lb_action_group *group = VEC_ADD(&action->groups);
        group->group_arn = xstrdup(random_target_group(l, vpc, network)->arn);
        group->weight = chance(r, 80) ? 1 + lot(r, 5) : 0;
    }
}

static void
random_lb_rule(struct random_lab *l, struct lb_rule *rule, int vpc, int priority)
{
    struct random_net *r = &l->net;
    char text[64];
    rule->priority = lot_text("%d", priority);
    rule->conditions = json_array();
    if (chance(r, 70)) {
        struct ip ip = lot_ip(r, chance(r, 20));
        struct cidr block = { .bits = (uint8_t)(chance(r, 40) ? 0 : ip.family == IP_V6 ? 64 : 24) };
        block.ip = ip_mask(&ip, block.bits);
        snprintf(text, sizeof text, "%s", cidr_str(&block));
        json_array_append_new(rule->conditions,
                              json_pack("{s:s, s:{s:[s]}}", "Field", "source-ip", "SourceIpConfig", "Values", text));
    }
    if (chance(r, 50)) {
        json_array_append_new(rule->conditions, json_pack("{s:s, s:[s]}", "Field", "path-pattern", "Values", "/api/*"));
    }
    random_action(l, VEC_ADD(&rule->actions), vpc, false);
}

static void
random_listener(struct random_lab *l, struct load_balancer *lb, int vpc)
{
    static const char *const protocols[] = { "TCP", "TCP", "TLS", "UDP", "TCP_UDP" };
    struct random_net *r = &l->net;
    bool network = strcmp(lb->type, "network") == 0;
    int port = lot_listened_port(r);
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == port) {
            return; /* AWS has one for a port */
        }
    }
    struct lb_listener *listener = VEC_ADD(&lb->listeners);
    listener->balancer_arn = xstrdup(lb->arn);
    listener->port = port;
    listener->protocol = xstrdup(network ? protocols[lot(r, 5)] : chance(r, 50) ? "HTTP" : "HTTPS");
    random_action(l, VEC_ADD(&listener->actions), vpc, network);
    for (int i = network ? 0 : lot(r, 3); i > 0; i--) {
        random_lb_rule(l, VEC_ADD(&listener->rules), vpc, 10 - i);
    }
}

/* Its interfaces: one or two, in different zones. */
static void
random_nodes(struct random_lab *l, const char *description, const char *type, int vpc, int groups_percent, bool v6)
{
    struct random_net *r = &l->net;
    int first = lot(r, 3), n = chance(r, 60) ? 2 : 1;
    bool public = chance(r, 50), grouped = chance(r, groups_percent);
    int group = lot(r, r->n_groups);
    for (int i = 0; i < n; i++) {
        int s = i == 0 ? first : first == 2 ? lot(r, 2) : 2;
        struct eni *eni = service_eni(l, "eni-lb%d", l->n_nodes, vpc, s, 60 + l->n_nodes, v6);
        eni->description = xstrdup(description);
        free(eni->type);
        eni->type = xstrdup(type);
        if (grouped) {
            group = r->routers && group % r->n_vpcs != vpc && chance(r, 90) && vpc < r->n_groups ? vpc : group;
            lot_name(VEC_ADD(&eni->groups)->id, "sg-%d", group);
        }
        if (public) {
            service_public(eni, 20 + l->n_nodes);
        }
        l->n_nodes++;
    }
}

static void
random_balancer(struct random_lab *l, const char *type, int vpc)
{
    struct random_net *r = &l->net;
    bool network = strcmp(type, "network") == 0;
    int n = l->n_balancers;
    char id[ID_SIZE], text[160];
    snprintf(id, sizeof id, "%s/lb%d/%016d", network ? "net" : type[0] == 'g' ? "gwy" : "app", n, n);
    struct load_balancer *lb = store_add(network_store(r->net), &load_balancer_kind, id);
    snprintf(text, sizeof text, LB_ARN "loadbalancer/%s", id);
    lb->arn = xstrdup(text);
    lb->name = lot_text("lb%d", n);
    lb->type = xstrdup(type);
    lb->scheme = xstrdup("internal");
    lb->state = xstrdup(chance(r, 92) ? "active" : chance(r, 50) ? "active_impaired" : "provisioning");
    lb->endpoint_rules = network && chance(r, 30) ? xstrdup(chance(r, 70) ? "off" : "on") : NULL;
    lot_name(lb->vpc_id, "vpc-%d", vpc);
    if (network && chance(r, 60)) {
        random_attribute(r, VEC_ADD(&lb->attributes), "load_balancing.cross_zone.enabled");
    }
    snprintf(text, sizeof text, "ELB %s", id);
    int before = l->n_nodes;
    random_nodes(l, text,
                 network          ? "network_load_balancer"
                 : type[0] == 'g' ? "gateway_load_balancer"
                                  : "interface",
                 vpc,
                 network          ? 60
                 : type[0] == 'g' ? 0
                                  : 100,
                 chance(r, 35));
    for (int i = before; i < l->n_nodes; i++) {
        lot_name(id, "eni-lb%d", i);
        const struct eni *eni = store_get(network_store(r->net), &eni_kind, id);
        struct lb_zone *zone = VEC_ADD(&lb->zones);
        snprintf(zone->subnet_id, sizeof zone->subnet_id, "%s", eni->subnet_id);
        zone->zone = xstrdup(eni->subnet_id[strlen(eni->subnet_id) - 1] == '2' ? "us-east-1b" : "us-east-1a");
    }
    for (int i = type[0] == 'g' ? 0 : 1 + lot(r, 3); i > 0; i--) {
        random_listener(l, lb, vpc);
    }
    l->n_balancers++;
}

static void
random_classic(struct random_lab *l, int vpc)
{
    struct random_net *r = &l->net;
    struct classic_balancer *lb = lot_add(r, &classic_balancer_kind, "clb%d", 0);
    lot_name(lb->vpc_id, "vpc-%d", vpc);
    lb->cross_zone = chance(r, 50);
    int before = l->n_nodes;
    random_nodes(l, "ELB clb0", "interface", vpc, 100, false);
    for (int i = before; i < l->n_nodes; i++) {
        char id[ID_SIZE];
        lot_name(id, "eni-lb%d", i);
        const struct eni *eni = store_get(network_store(r->net), &eni_kind, id);
        bool b = eni->subnet_id[strlen(eni->subnet_id) - 1] == '2';
        *VEC_ADD(&lb->zones) = xstrdup(b ? "us-east-1b" : "us-east-1a");
        *VEC_ADD(&lb->subnet_ids) = xstrdup(eni->subnet_id);
    }
    for (int i = 1 + lot(r, 2); i > 0; i--) {
        struct classic_listener *listener = VEC_ADD(&lb->listeners);
        listener->protocol = xstrdup("TCP");
        listener->instance_protocol = xstrdup("TCP");
        listener->port = lot_listened_port(r);
        listener->instance_port = lot_listened_port(r);
    }
    for (int i = lot(r, 4); i > 0; i--) {
        lot_name(VEC_ADD(&lb->instances)->id, "i-%d", lot(r, r->n_enis));
    }
}

/* An application balancer first: network ones may stand before it. */
static void
random_balancers(struct random_lab *l)
{
    struct random_net *r = &l->net;
    if (chance(r, 60)) {
        random_balancer(l, "application", lot(r, r->n_vpcs));
    }
    for (int i = chance(r, 85) ? 1 + lot(r, 2) : 0; i > 0; i--) {
        random_balancer(l, "network", lot(r, r->n_vpcs));
    }
    if (chance(r, 15)) {
        random_balancer(l, "gateway", lot(r, r->n_vpcs));
    }
    if (chance(r, 35)) {
        random_classic(l, lot(r, r->n_vpcs));
    }
}

/* ---- PrivateLink
 * -----------------------------------------------------------------------------------------------------
 */

static struct endpoint *
service_endpoint(struct random_lab *l, const char *type, const char *service, int n, int vpc)
{
    struct random_net *r = &l->net;
    struct endpoint *e = lot_add(r, &endpoint_kind, "vpce-%d", n);
    e->type = xstrdup(type);
    e->service_name = xstrdup(service);
    e->state = xstrdup(chance(r, 88) ? "available" : chance(r, 50) ? "pendingAcceptance" : "rejected");
    lot_name(e->vpc_id, "vpc-%d", vpc);
    return e;
}

static void
service_endpoint_eni(struct random_lab *l, struct endpoint *e, int vpc, int s, bool grouped, bool v6)
{
    int n = l->n_endpoints++;
    struct eni *eni = service_eni(l, "eni-ep%d", n, vpc, s, 80 + n, v6);
    free(eni->type);
    eni->type = xstrdup(grouped ? "vpc_endpoint" : "gateway_load_balancer_endpoint");
    if (grouped) {
        service_group(l, eni, vpc);
    }
    *VEC_ADD(&e->eni_ids) = xstrdup(eni->obj.id);
    *VEC_ADD(&e->subnet_ids) = xstrdup(eni->subnet_id);
}

/* The service offers IPv6 where all its balancers have it. */
static bool
service_has_ipv6(const struct random_lab *l, const struct private_service *service)
{
    bool all = service != NULL;
    for (size_t i = 0; service && i < service->nlb_arns.n; i++) {
        const struct load_balancer *lb = network_load_balancer(l->net.net, service->nlb_arns.items[i]);
        struct eni *const *enis;
        for (size_t n = load_balancer_enis(l->net.net, lb, &enis); n > 0; n--) {
            all = all && enis[n - 1]->addresses6.n > 0;
        }
    }
    return all;
}

static void
random_interface_endpoint(struct random_lab *l, const struct private_service *service, int n)
{
    struct random_net *r = &l->net;
    int vpc = lot(r, r->n_vpcs), first = lot(r, 3);
    struct endpoint *e =
        service_endpoint(l, "Interface", service ? service->name : "com.amazonaws.us-east-1.ssm", n, vpc);
    bool v6 = service_has_ipv6(l, service) && chance(r, 50);
    service_endpoint_eni(l, e, vpc, first, true, v6);
    if (chance(r, 50)) {
        service_endpoint_eni(l, e, vpc, first == 2 ? lot(r, 2) : 2, true, v6);
    }
}

static void
random_private_links(struct random_lab *l)
{
    struct random_net *r = &l->net;
    struct store *store = network_store(r->net);
    struct private_service *service = chance(r, 75) ? lot_add(r, &private_service_kind, "vpce-svc-%d", 0) : NULL;
    if (service) {
        service->name = xstrdup("com.amazonaws.vpce.us-east-1.vpce-svc-0");
        for (struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
            if (strcmp(lb->type, "network") == 0 && chance(r, 80)) {
                *VEC_ADD(&service->nlb_arns) = xstrdup(lb->arn);
            }
        }
        for (int i = 1 + lot(r, 2); i > 0; i--) {
            random_interface_endpoint(l, service, i);
        }
    }
    if (chance(r, 30)) {
        random_interface_endpoint(l, NULL, 3);
    }
    if (chance(r, 40)) {
        int vpc = lot(r, r->n_vpcs);
        struct endpoint *e =
            service_endpoint(l, "GatewayLoadBalancer", "com.amazonaws.vpce.us-east-1.vpce-svc-9", 5, vpc);
        service_endpoint_eni(l, e, vpc, lot(r, 3), false, chance(r, 50));
    }
}

/* ---- Middleboxes
 * -----------------------------------------------------------------------------------------------------
 */

/* A route inside the VPC, or for everything, by an instance, one of its interfaces or a Gateway Load Balancer's
 * endpoint. */
static void
random_detour(struct random_lab *l, struct route_table *table, int vpc, bool of_gateway)
{
    struct random_net *r = &l->net;
    bool v6 = chance(r, 30);
    char text[64];
    snprintf(text, sizeof text, v6 ? "2001:db8:%x:%x::/64" : "10.%d.%d.0/24", vpc, lot(r, 3));
    struct cidr to = cidr_lit(chance(r, of_gateway ? 85 : 50) ? text : v6 ? "2001:db8::/32" : "10.0.0.0/8");
    if (lot_has_route(table, &to)) {
        return;
    }
    struct route *route = lot_add_route(table, to, "CreateRoute", chance(r, 96) ? "active" : "blackhole");
    int target = lot(r, 10);
    if (target < 3) {
        route->instance_id = lot_text("i-%d", lot(r, r->n_enis));
    } else if (target < 6) {
        route->eni_id = lot_text("eni-%d", lot(r, r->n_enis));
    } else if (target < 7 && l->n_extra) {
        route->eni_id = lot_text("eni-x%d", lot(r, l->n_extra));
    } else if (target < 9) {
        route->gateway_id = xstrdup("vpce-5");
    } else if (of_gateway) {
        route->gateway_id = xstrdup(chance(r, 70) ? "local" : "igw-0");
    } else {
        route->eni_id = l->n_nodes && chance(r, 50) ? lot_text("eni-lb%d", lot(r, l->n_nodes)) : lot_text("eni-%d", 0);
    }
}

static void
random_gateway_table(struct random_lab *l, const char *gateway, int n, int vpc)
{
    struct random_net *r = &l->net;
    struct route_table *table = lot_add(r, &route_table_kind, "rtb-%d", 100 + n);
    char text[64];
    lot_name(table->vpc_id, "vpc-%d", vpc);
    for (int v6 = 0; v6 < 2; v6++) {
        snprintf(text, sizeof text, v6 ? "2001:db8:%x::/56" : "10.%d.0.0/16", vpc);
        struct route *route = lot_add_route(table, cidr_lit(text), "CreateRouteTable", "active");
        route->gateway_id = xstrdup("local");
        if (chance(r, 4)) { /* replaced, as AWS lets one */
            free(route->gateway_id);
            route->gateway_id = NULL;
            route->eni_id = lot_text("eni-%d", lot(r, r->n_enis));
        }
    }
    for (int i = lot(r, 4); i > 0; i--) {
        random_detour(l, table, vpc, true);
    }
    snprintf(VEC_ADD(&table->associations)->gateway_id, ID_SIZE, "%s", gateway);
}

static void
random_middleboxes(struct random_lab *l)
{
    struct random_net *r = &l->net;
    struct store *store = network_store(r->net);
    for (int n = 0; n < 3; n++) {
        if (chance(r, 60)) {
            random_device(l, n);
        }
    }
    for (struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (int i = chance(r, 50) ? 1 + lot(r, 2) : 0; i > 0; i--) {
            random_detour(l, t, atoi(t->vpc_id + 4), false);
        }
    }
    for (int v = 0; v < r->n_vpcs; v++) {
        char id[ID_SIZE];
        lot_name(id, "igw-%d", v);
        if (chance(r, 40) && store_get(store, &internet_gateway_kind, id)) {
            random_gateway_table(l, id, v, v);
        }
    }
    if (r->routers && chance(r, 40)) {
        random_gateway_table(l, "vgw-0", 9, 0);
    }
    for (struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        a->appliance_mode = strcmp(a->resource_type, "vpc") == 0 && chance(r, 25) ? xstrdup("enable") : NULL;
    }
}

/* ---- Block Public Access
 * ---------------------------------------------------------------------------------------------
 */

static void
random_exclusion(struct random_net *r, int n)
{
    struct bpa_exclusion *e = lot_add(r, &bpa_exclusion_kind, "vpcbpa-exclude-%d", n);
    char arn[120];
    int vpc = lot(r, r->n_vpcs);
    if (chance(r, 50)) {
        snprintf(arn, sizeof arn, "arn:aws:ec2:us-east-1:%s:vpc/vpc-%d", RANDOM_ACCOUNT, vpc);
    } else {
        snprintf(arn, sizeof arn, "arn:aws:ec2:us-east-1:%s:subnet/subnet-%d", RANDOM_ACCOUNT, vpc * 10 + lot(r, 3));
    }
    for (const struct bpa_exclusion *o = store_first(network_store(r->net), &bpa_exclusion_kind); o != e;
         o = store_next(network_store(r->net), o)) {
        if (strcmp(o->resource_arn, arn) == 0) {
            snprintf(arn, sizeof arn, "arn:aws:ec2:us-east-1:%s:subnet/subnet-999", RANDOM_ACCOUNT); /* one each */
        }
    }
    e->resource_arn = xstrdup(arn);
    e->mode = xstrdup(chance(r, 50) ? "allow-bidirectional" : "allow-egress");
    e->state = xstrdup(chance(r, 85) ? "create-complete" : "delete-complete");
}

/* Each VPC belongs to one of two accounts, which have switches of their own. */
static void
random_public_access(struct random_lab *l)
{
    static const char *const accounts[] = { RANDOM_ACCOUNT, "210987654321" };
    static const char *const modes[] = { "off", "block-bidirectional", "block-ingress" };
    struct random_net *r = &l->net;
    struct store *store = network_store(r->net);
    for (struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        strcpy(vpc->obj.account, accounts[chance(r, 30)]);
        strcpy(vpc->obj.region, "us-east-1");
    }
    for (int i = 0; i < 2; i++) {
        if (chance(r, 35)) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s/us-east-1", accounts[i]);
            struct block_public_access *o = store_add(store, &block_public_access_kind, id);
            strcpy(o->obj.account, accounts[i]);
            strcpy(o->obj.region, "us-east-1");
            o->mode = xstrdup(modes[lot(r, 3)]);
        }
    }
    for (int i = lot(r, 4); i > 0; i--) {
        random_exclusion(r, i);
    }
}

/* ---- Failures
 * --------------------------------------------------------------------------------------------------------
 */

static void
random_failure(struct random_lab *l, const char *type, const char *target)
{
    char id[ID_SIZE];
    snprintf(id, sizeof id, "failed:%.50s", target);
    struct failure *f = store_add(network_store(l->net.net), &failure_kind, id);
    f->type = xstrdup(type);
    snprintf(f->target, sizeof f->target, "%s", target);
}

static void
random_failures(struct random_lab *l)
{
    struct random_net *r = &l->net;
    char id[ID_SIZE];
    if (chance(r, 8)) {
        random_failure(l, "az", chance(r, 50) ? "us-east-1a" : "us-east-1b");
    }
    if (chance(r, 15)) {
        lot_name(id, "i-%d", lot(r, r->n_enis));
        random_failure(l, "instance", id);
    }
    if (r->n_nats && chance(r, 12)) {
        lot_name(id, "nat-%d", lot(r, r->n_nats));
        random_failure(l, "nat", id);
    }
}

/* ---- Less filters, so that packets get as far as what is new here
 * ----------------------------------------------------
 */

static void
random_openings(struct random_lab *l)
{
    struct random_net *r = &l->net;
    struct store *store = network_store(r->net);
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (int i = 0; i < 4; i++) {
            if (chance(r, 75)) {
                *VEC_ADD(&g->rules) = (struct sg_rule){ .egress = i % 2,
                                                        .protocol = -1,
                                                        .from = -1,
                                                        .to = -1,
                                                        .cidr = cidr_lit(i < 2 ? "0.0.0.0/0" : "::/0") };
            }
        }
    }
    for (struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        acl->associations.n = chance(r, 60) ? 0 : acl->associations.n;
    }
}

/* ---- All of it
 * -------------------------------------------------------------------------------------------------------
 */

/* Plain ones, joined ones, ones with services, ones with both: by the seed. */
static inline void
random_lab_make(struct random_lab *l, uint64_t seed, bool lawful)
{
    *l = (struct random_lab){ .services = seed / 2 % 2 };
    struct random_net *r = &l->net;
    random_net_make(r, seed, lawful, seed % 2);
    random_routers(r);
    if (l->services) {
        struct store *store = network_store(r->net);
        for (struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
            if (s->obj.id[strlen(s->obj.id) - 1] == '2') {
                free(s->zone);
                s->zone = xstrdup("us-east-1b");
            }
        }
        random_balancers(l);
        random_private_links(l);
        random_middleboxes(l);
        random_public_access(l);
        random_failures(l);
        if (chance(r, 60)) {
            random_openings(l);
        }
        store_touch(store);
    }
}

static inline void
random_lab_done(struct random_lab *l)
{
    random_net_done(&l->net);
}

/* An interface of balancers, endpoints, middleboxes; false: there is none of the kind drawn. */
static inline bool
random_service_eni(struct random_lab *l, char *id)
{
    struct random_net *r = &l->net;
    int what = lot(r, 10);
    if (what < 6 && l->n_nodes) {
        lot_name(id, "eni-lb%d", lot(r, l->n_nodes));
    } else if (what < 9 && l->n_endpoints) {
        lot_name(id, "eni-ep%d", lot(r, l->n_endpoints));
    } else if (l->n_extra) {
        lot_name(id, "eni-x%d", lot(r, l->n_extra));
    } else {
        return false;
    }
    return true;
}

/* A port that the balancer at the interface, or one behind the endpoint, listens on; -1: there is none. */
static inline int
random_listened(struct random_lab *l, const struct eni *eni, int *protocol)
{
    struct random_net *r = &l->net;
    const struct load_balancer *lb = network_load_balancer_of_eni(r->net, eni);
    const struct classic_balancer *classic = network_classic_balancer_of_eni(r->net, eni);
    const struct private_service *service = store_first(network_store(r->net), &private_service_kind);
    if (!lb && !classic && service && service->nlb_arns.n) {
        lb = network_load_balancer(r->net, service->nlb_arns.items[lot(r, (int)service->nlb_arns.n)]);
    }
    *protocol = 6;
    if (classic && classic->listeners.n) {
        return classic->listeners.items[lot(r, (int)classic->listeners.n)].port;
    }
    if (!lb || !lb->listeners.n) {
        return -1;
    }
    const struct lb_listener *listener = &lb->listeners.items[lot(r, (int)lb->listeners.n)];
    *protocol = strcmp(listener->protocol, "UDP") == 0 || (strstr(listener->protocol, "UDP") && chance(r, 50)) ? 17 : 6;
    return listener->port;
}
