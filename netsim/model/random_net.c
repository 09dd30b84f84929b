/* netsim/model/random_net.c - one or more VPCs by lot: every part a VPC has on its own. */
#include "netsim/model/random_net.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"

int
lot(struct random_net *r, int n)
{
    return n > 0 ? (int)id_random_below(&r->lot, (uint64_t)n) : 0;
}

bool
chance(struct random_net *r, int percent)
{
    return lot(r, 100) < percent;
}

char *
lot_text(const char *format, int n)
{
    char text[64];
    snprintf(text, sizeof text, format, n);
    return xstrdup(text);
}

void *
lot_add(struct random_net *r, const struct kind *kind, const char *format, int n)
{
    char id[ID_SIZE];
    snprintf(id, sizeof id, format, n);
    return store_add(network_store(r->net), kind, id);
}

/* VPC v is 10.v.0.0/16 and 2001:db8:v::/56; subnet s of it 10.v.s.0/24 and 2001:db8:v:s::/64. */
static struct ip
lot_host(int vpc, int subnet, int host, bool v6)
{
    char text[64];
    if (v6) {
        snprintf(text, sizeof text, "2001:db8:%x:%x::%x", vpc, subnet, host);
    } else {
        snprintf(text, sizeof text, "10.%d.%d.%d", vpc, subnet, host);
    }
    return ip_lit(text);
}

struct ip
lot_ip(struct random_net *r, bool v6)
{
    static const char *const outside4[] = { "8.8.8.8",     "9.9.9.9",      "192.168.3.4", "100.64.1.1",
                                            "203.0.113.5", "198.51.100.1", "172.16.0.9" };
    static const char *const outside6[] = { "2001:4860:4860::8888", "fd00::1", "2600::1" };
    if (r->routers && !v6 && chance(r, 10)) {
        return ip_lit(chance(r, 50) ? "192.168.3.4" : "52.216.1.1"); /* on premises; the service of an endpoint */
    }
    if (chance(r, 25)) {
        return ip_lit(v6 ? outside6[lot(r, 3)] : outside4[lot(r, 7)]);
    }
    if (!v6 && chance(r, 15)) {
        char text[32];
        snprintf(text, sizeof text, "203.0.113.%d", lot(r, 14));
        return ip_lit(text);
    }
    return lot_host(lot(r, r->n_vpcs), lot(r, 3), 4 + lot(r, 8), v6);
}

static struct cidr
lot_cidr(struct random_net *r, bool v6)
{
    static const uint8_t bits4[] = { 0, 0, 8, 15, 16, 24, 25, 28, 32 }, bits6[] = { 0, 0, 32, 48, 56, 64, 127, 128 };
    struct ip ip = lot_ip(r, v6);
    struct cidr c = { .bits = v6 ? bits6[lot(r, 8)] : bits4[lot(r, 9)] };
    c.ip = ip_mask(&ip, c.bits);
    return c;
}

int
lot_port(struct random_net *r)
{
    static const int ports[] = { 0, 22, 80, 443, 1023, 1024, 1104, 5432, 40000, 65535 };
    return ports[lot(r, 10)];
}

int
lot_protocol(struct random_net *r, bool any)
{
    static const int protocols[] = { 6, 6, 6, 17, 1, 58, 47, -1, -1 };
    return protocols[lot(r, any ? 9 : 7)];
}

static void
lot_range(struct random_net *r, int *from, int *to)
{
    int a = lot_port(r), b = lot_port(r);
    *from = a < b ? a : b;
    *to = a < b ? b : a;
    if (chance(r, 30)) {
        *from = 0;
        *to = 65535;
    }
}

int
lot_icmp(struct random_net *r)
{
    static const int types[] = { -1, 8, 0, 128, 129, 3 };
    return types[lot(r, 6)];
}

static void
random_vpc(struct random_net *r, int v)
{
    struct vpc *vpc = lot_add(r, &vpc_kind, "vpc-%d", v);
    char text[64];
    snprintf(text, sizeof text, "10.%d.0.0/16", v);
    vpc->cidr = cidr_lit(text);
    struct vpc_cidr *block = VEC_ADD(&vpc->cidrs);
    block->cidr = vpc->cidr;
    block->state = xstrdup("associated");
    snprintf(text, sizeof text, "2001:db8:%x::/56", v);
    block = VEC_ADD(&vpc->cidrs6);
    block->cidr = cidr_lit(text);
    block->state = xstrdup("associated");
    if (chance(r, 85)) {
        struct internet_gateway *igw = lot_add(r, &internet_gateway_kind, "igw-%d", v);
        if (chance(r, 85)) {
            struct igw_attachment *a = VEC_ADD(&igw->attachments);
            snprintf(a->vpc_id, sizeof a->vpc_id, "vpc-%d", v);
            a->state = xstrdup("available");
        }
    }
}

static void
random_subnet(struct random_net *r, int vpc, int s)
{
    struct subnet *subnet = lot_add(r, &subnet_kind, "subnet-%d", vpc * 10 + s);
    char text[64];
    snprintf(subnet->vpc_id, sizeof subnet->vpc_id, "vpc-%d", vpc);
    snprintf(text, sizeof text, "10.%d.%d.0/24", vpc, s);
    subnet->cidr = cidr_lit(text);
    struct vpc_cidr *block = VEC_ADD(&subnet->cidrs6);
    snprintf(text, sizeof text, "2001:db8:%x:%x::/64", vpc, s);
    block->cidr = cidr_lit(text);
    block->state = xstrdup("associated");
    subnet->zone = xstrdup("us-east-1a");
}

void
lot_rule(struct random_net *r, struct security_group *group, int n)
{
    struct sg_rule *rule = VEC_ADD(&group->rules);
    int from, to;
    snprintf(rule->id, sizeof rule->id, "sgr-%d", n);
    rule->egress = chance(r, 40);
    rule->protocol = lot_protocol(r, true);
    rule->from = rule->to = -1;
    if (rule->protocol == 6 || rule->protocol == 17) {
        lot_range(r, &from, &to);
        rule->from = from;
        rule->to = to;
    } else if (rule->protocol == 1 || rule->protocol == 58) {
        rule->from = lot_icmp(r);
        rule->to = rule->from == -1 ? -1 : chance(r, 70) ? -1 : 0;
    }
    int peer = lot(r, 10);
    if (peer < 4) {
        rule->group_id = lot_text("sg-%d", lot(r, r->n_groups));
    } else if (peer < 5) {
        rule->prefix_list_id = lot_text("pl-%d", lot(r, 3));
    } else {
        rule->cidr = lot_cidr(r, chance(r, 25));
    }
}

static void
random_group(struct random_net *r, int g)
{
    struct security_group *group = lot_add(r, &security_group_kind, "sg-%d", g);
    group->name = lot_text("g%d", g);
    if (r->routers) {
        snprintf(group->vpc_id, sizeof group->vpc_id, "vpc-%d", g % r->n_vpcs);
    }
    for (int i = lot(r, 6); i >= 0; i--) {
        lot_rule(r, group, g * 10 + i);
    }
    for (int out = 0; out < 2; out++) {
        if (chance(r, r->tidy ? 85 : 50)) {
            struct sg_rule *rule = VEC_ADD(&group->rules);
            *rule =
                (struct sg_rule){ .egress = out, .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("0.0.0.0/0") };
        }
    }
}

static void
random_acl(struct random_net *r, int vpc, int n, bool open)
{
    struct network_acl *acl = lot_add(r, &network_acl_kind, "acl-%d", vpc * 10 + n);
    snprintf(acl->vpc_id, sizeof acl->vpc_id, "vpc-%d", vpc);
    for (int egress = 0; egress < 2; egress++) {
        int number = 0, n_entries = lot(r, 5);
        for (int i = 0; i < n_entries; i++) {
            struct nacl_entry *e = VEC_ADD(&acl->entries);
            int from, to;
            *e = (struct nacl_entry){ .number = number += 1 + lot(r, 50),
                                      .egress = egress,
                                      .protocol = lot_protocol(r, true) };
            e->action = chance(r, 65) ? NACL_ALLOW : NACL_DENY;
            struct cidr c = lot_cidr(r, chance(r, 25));
            *(c.ip.family == IP_V6 ? &e->cidr6 : &e->cidr) = c;
            lot_range(r, &from, &to);
            e->has_ports = e->protocol == 6 || e->protocol == 17;
            e->ports = (struct nacl_port_range){ e->has_ports ? from : 0, e->has_ports ? to : 0 };
            e->has_icmp = e->protocol == 1 || e->protocol == 58;
            e->icmp = (struct nacl_icmp){ e->has_icmp ? lot_icmp(r) : 0, 0 };
            e->icmp.code = e->icmp.type == -1 || chance(r, 70) ? -1 : 0;
        }
        for (int v6 = 0; v6 < 2; v6++) {
            struct nacl_entry *e = VEC_ADD(&acl->entries);
            bool allow = open || chance(r, 50);
            *e = (struct nacl_entry){ .number = allow ? 1000 + v6 : 32767 + v6, .egress = egress, .protocol = -1 };
            e->action = allow ? NACL_ALLOW : NACL_DENY;
            *(v6 ? &e->cidr6 : &e->cidr) = cidr_lit(v6 ? "::/0" : "0.0.0.0/0");
        }
    }
    for (int s = 0; s < 3; s++) {
        if (s % 2 == n % 2) {
            struct nacl_association *a = VEC_ADD(&acl->associations);
            snprintf(a->subnet_id, sizeof a->subnet_id, "subnet-%d", vpc * 10 + s);
        }
    }
}

struct route *
lot_add_route(struct route_table *table, struct cidr destination, const char *origin, const char *state)
{
    struct route *route = VEC_ADD(&table->routes);
    *(destination.ip.family == IP_V6 ? &route->cidr6 : &route->cidr) = destination;
    route->origin = xstrdup(origin);
    route->state = xstrdup(state);
    return route;
}

bool
lot_has_route(const struct route_table *table, const struct cidr *destination)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        if (cidr_equal(&route->cidr, destination) || cidr_equal(&route->cidr6, destination)) {
            return true;
        }
    }
    return false;
}

/* Within the blocks VPCs have, or around them but for the default route. */
static bool
touches_vpcs(const struct cidr *cidr)
{
    struct cidr v4 = cidr_lit("10.0.0.0/8"), v6 = cidr_lit("2001:db8::/32");
    return cidr->bits > 0 && (cidr_overlaps(cidr, &v4) || cidr_overlaps(cidr, &v6));
}

void
lot_route(struct random_net *r, struct route_table *table, int vpc, bool is_default)
{
    bool v6 = chance(r, 30);
    struct cidr destination = is_default ? cidr_lit(v6 ? "::/0" : "0.0.0.0/0") : lot_cidr(r, v6);
    if (lot_has_route(table, &destination) || (r->lawful && touches_vpcs(&destination))) {
        return;
    }
    struct route *route =
        lot_add_route(table, destination, r->lawful || chance(r, 85) ? "CreateRoute" : "EnableVgwRoutePropagation",
                      r->lawful || chance(r, 95) ? "active" : "blackhole");
    if (chance(r, 10)) {
        route->cidr = route->cidr6 = (struct cidr){ 0 };
        route->prefix_list_id = lot_text("pl-%d", lot(r, 3));
    }
    int target = lot(r, 20);
    if (target < 10) {
        route->gateway_id = lot_text("igw-%d", chance(r, 90) ? vpc : lot(r, 3));
    } else if (target < 16) {
        route->nat_gateway_id = lot_text("nat-%d", lot(r, r->n_nats + 1));
    } else if (target < 19) {
        route->eni_id = lot_text("eni-%d", lot(r, r->n_enis));
    } else {
        route->peering_id = xstrdup("pcx-1");
    }
}

static void
random_table(struct random_net *r, int vpc, int n)
{
    struct route_table *table = lot_add(r, &route_table_kind, "rtb-%d", vpc * 10 + n);
    char text[64];
    snprintf(table->vpc_id, sizeof table->vpc_id, "vpc-%d", vpc);
    snprintf(text, sizeof text, "10.%d.0.0/16", vpc);
    lot_add_route(table, cidr_lit(text), "CreateRouteTable", "active")->gateway_id = xstrdup("local");
    snprintf(text, sizeof text, "2001:db8:%x::/56", vpc);
    lot_add_route(table, cidr_lit(text), "CreateRouteTable", "active")->gateway_id = xstrdup("local");
    if (r->tidy && chance(r, 80)) {
        struct route *route = lot_add_route(table, cidr_lit("0.0.0.0/0"), "CreateRoute", "active");
        bool private_one = n != 1 && r->n_nats > 0;
        route->gateway_id = private_one ? NULL : lot_text("igw-%d", vpc);
        route->nat_gateway_id = private_one ? lot_text("nat-%d", lot(r, r->n_nats)) : NULL;
    }
    if (r->n_nats > 0 && chance(r, 25)) { /* NAT64 */
        lot_add_route(table, cidr_lit("64:ff9b::/96"), "CreateRoute", "active")->nat_gateway_id =
            lot_text("nat-%d", lot(r, r->n_nats));
    }
    for (int i = 0, n_routes = lot(r, r->tidy ? 2 : 4); i < n_routes; i++) {
        lot_route(r, table, vpc, i == 0 || chance(r, 30));
    }
    struct route_association *a = VEC_ADD(&table->associations);
    if (n == 0) {
        a->main = true;
    } else {
        snprintf(a->subnet_id, sizeof a->subnet_id, "subnet-%d", vpc * 10 + n - 1);
    }
}

/* Hosts 4.. of each subnet; two interfaces never share an address, public or private. */
static struct eni *
random_eni(struct random_net *r, int e, int vpc, int s, int host, bool of_nat)
{
    struct eni *eni = lot_add(r, &eni_kind, of_nat ? "eni-nat%d" : "eni-%d", e);
    snprintf(eni->vpc_id, sizeof eni->vpc_id, "vpc-%d", vpc);
    snprintf(eni->subnet_id, sizeof eni->subnet_id, "subnet-%d", vpc * 10 + s);
    eni->source_dest_check = !of_nat && chance(r, 80);
    eni->status = xstrdup(of_nat || chance(r, 93) ? "in-use" : "available");
    eni->type = xstrdup(of_nat ? "nat_gateway" : "interface");
    for (int i = 0, n = chance(r, 20) ? 2 : 1; i < n; i++) {
        struct eni_address *a = VEC_ADD(&eni->addresses);
        a->ip = lot_host(vpc, s, host + 100 * i, false);
        a->primary = i == 0;
        if (chance(r, of_nat ? 90 : 50) && (i == 0 || r->routers)) {
            char text[32];
            snprintf(text, sizeof text, "203.0.113.%d", (of_nat ? 100 + e : e) + 50 * i);
            a->association.public_ip = ip_lit(text);
        }
    }
    if (!of_nat && chance(r, 70)) {
        VEC_ADD(&eni->addresses6)->ip = lot_host(vpc, s, host, true);
        if (r->routers && chance(r, 20)) {
            VEC_ADD(&eni->addresses6)->ip = lot_host(vpc, s, host + 100, true);
        }
    }
    return eni;
}

static void
random_instance(struct random_net *r, int e, int vpc, int s, int host)
{
    struct eni *eni = random_eni(r, e, vpc, s, host, false);
    for (int i = 0, n = r->lawful || chance(r, 95) ? 1 + lot(r, 2) : 0; i < n; i++) {
        struct eni_group *group = VEC_ADD(&eni->groups);
        int g = lot(r, r->n_groups);
        g = r->routers && g % r->n_vpcs != vpc && chance(r, 60) ? vpc : g; /* a group of its own VPC */
        snprintf(group->id, sizeof group->id, "sg-%d", g < r->n_groups ? g : 0);
    }
    if (strcmp(eni->status, "in-use") == 0) {
        struct instance *instance = lot_add(r, &instance_kind, "i-%d", e);
        instance->state_code = chance(r, 95) ? INSTANCE_RUNNING : INSTANCE_STOPPED;
        snprintf(instance->vpc_id, sizeof instance->vpc_id, "%s", eni->vpc_id);
        snprintf(instance->subnet_id, sizeof instance->subnet_id, "%s", eni->subnet_id);
        instance->state_name = xstrdup(instance->state_code == INSTANCE_RUNNING ? "running" : "stopped");
        eni->attached = true;
        snprintf(eni->attachment.instance_id, sizeof eni->attachment.instance_id, "i-%d", e);
        if (chance(r, 30)) {
            object_set_tag(&instance->obj, "vpclab:appliance", chance(r, 70) ? "nat" : "none");
        }
    }
}

static void
random_nat(struct random_net *r, int n)
{
    int vpc = lot(r, r->n_vpcs), s = r->tidy ? 0 : lot(r, 3);
    struct eni *eni = random_eni(r, n, vpc, s, 120 + n, true);
    struct nat_gateway *nat = lot_add(r, &nat_gateway_kind, "nat-%d", n);
    snprintf(nat->vpc_id, sizeof nat->vpc_id, "vpc-%d", vpc);
    snprintf(nat->subnet_id, sizeof nat->subnet_id, "subnet-%d", vpc * 10 + s);
    nat->state = xstrdup(chance(r, 92) ? "available" : "pending");
    struct nat_address *a = VEC_ADD(&nat->addresses);
    snprintf(a->eni_id, sizeof a->eni_id, "%s", eni->obj.id);
    a->private_ip = eni->addresses.items[0].ip;
    a->public_ip = eni->addresses.items[0].association.public_ip;
}

void
random_net_make(struct random_net *r, uint64_t seed, bool lawful, bool routers)
{
    *r = (struct random_net){ .lawful = lawful, .routers = routers };
    id_gen_seed(&r->lot, seed);
    id_gen_seed(&r->ids, seed);
    r->net = network_new(&r->ids, &r->clock);
    r->tidy = chance(r, 50);
    r->n_vpcs = routers ? 2 + lot(r, 2) : r->tidy ? 1 : 1 + lot(r, 2);
    r->n_groups = 2 + lot(r, 4);
    r->n_enis = 3 + lot(r, 6);
    r->n_nats = lot(r, 3);
    for (int i = 0; i < 3; i++) {
        struct prefix_list *list = lot_add(r, &prefix_list_kind, "pl-%d", i);
        for (int n = lot(r, 4); n > 0; n--) {
            struct cidr cidr = lot_cidr(r, chance(r, 20));
            if (!r->lawful || !touches_vpcs(&cidr)) {
                VEC_ADD(&list->entries)->cidr = cidr;
            }
        }
    }
    for (int v = 0; v < r->n_vpcs; v++) {
        random_vpc(r, v);
        for (int s = 0; s < 3; s++) {
            random_subnet(r, v, s);
        }
        for (int n = 0; n < 2; n++) {
            if (chance(r, 85)) {
                random_acl(r, v, n, chance(r, 60));
            }
        }
        for (int n = r->lawful || chance(r, 97) ? 0 : 1; n < 3; n++) {
            random_table(r, v, n);
        }
    }
    for (int g = 0; g < r->n_groups; g++) {
        random_group(r, g);
    }
    for (int e = 0; e < r->n_enis; e++) {
        random_instance(r, e, lot(r, r->n_vpcs), lot(r, 3), 4 + e);
    }
    for (int n = 0; n < r->n_nats; n++) {
        random_nat(r, n);
    }
}

void
random_net_done(struct random_net *r)
{
    network_free(r->net);
}
