/* The router of one VPC: addresses, routes, translation, and the stages every packet passes.
 *
 * Order of the stages, and why: docs/LIVE.md.  A stage that finds no reason to pass says so (enum plan_refusal) to
 * the flow logs (plan_flows.c) and leaves the drop to the chain's policy.  Nothing uses `reject`: AWS is silent. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/vpn.h"

/* ---- routes -------------------------------------------------------------------------------------------------------
 */
static const struct plan_port *
port_of(const struct plan_vpc *v, const char *key)
{
    for (size_t i = 0; i < v->ports.n; i++) {
        if (strcmp(v->ports.items[i].key, key) == 0) {
            return &v->ports.items[i];
        }
    }
    return NULL;
}

static const struct plan_port *
port_of_instance(const struct plan_vpc *v, const char *instance_id)
{
    for (size_t i = 0; i < v->ports.n; i++) {
        if (v->ports.items[i].device == 0 && strcmp(v->ports.items[i].ns, instance_id) == 0) {
            return &v->ports.items[i];
        }
    }
    return NULL;
}

/* The first route to a block stays: an explicit one comes before those of a prefix list. */
static void
add_route(struct plan_ns *ns, const struct nlq_route *route)
{
    for (size_t i = ns->routes.n; i-- > 0;) {
        const struct nlq_route *r = &ns->routes.items[i];
        if (r->table != route->table) {
            break; /* a table's routes are added together */
        }
        if (r->to.bits == route->to.bits && ip_equal(&r->to.ip, &route->to.ip)) {
            return;
        }
    }
    *VEC_ADD(&ns->routes) = *route;
}

/* Targets that lead nowhere in the kernel although AWS has something there. */
static const char *const unbuilt_targets[] = {
    [ROUTE_LOCAL_GATEWAY] = "local gateway",
    [ROUTE_CARRIER_GATEWAY] = "carrier gateway",
    [ROUTE_CORE_NETWORK] = "core network",
};

/* Of a machine without an IPv6 address in a subnet with IPv6, and of a NAT gateway: what its interface is called by on
 * the link. */
static struct ip
stand_in(const struct plan_port *port)
{
    bool has_none = port->instance && port->eni && !port->shared && !port->eni->addresses6.n &&
                    subnet_cidr6(port->subnet); /* no route leads to who shares a device */
    return has_none || port->nat ? ip_lit("fe80::2") : (struct ip){ 0 };
}

/* The next hop on the wire of a route's target for senders in the zone; a blackhole when the target is gone, stopped,
 * or not built here. */
static struct nlq_route
resolve_target(struct builder *b, struct plan_vpc *v, const struct route *route, int family, const char *zone)
{
    struct nlq_route out = { .type = NLQ_BLACKHOLE };
    const char *id = NULL;
    const struct plan_port *port = NULL;
    if (route_is_blackhole(route)) {
        return out;
    }
    enum route_target target = route_target(route, &id);
    switch (target) {
    case ROUTE_IGW:
        if (v->igw && strcmp(v->igw->obj.id, id) == 0) {
            const struct ip *via = family == IP_V4 ? &v->igw_via : &v->igw_via6;
            out = (struct nlq_route){ .type = NLQ_UNICAST, .index = plan_igw_index(b, v), .via = *via };
        }
        return out;
    case ROUTE_NAT_GATEWAY:
        port = port_of(v, id);
        break;
    case ROUTE_ENI:
        port = port_of(v, id);
        break;
    case ROUTE_INSTANCE:
        port = port_of_instance(v, id);
        break;
    case ROUTE_EGRESS_ONLY_IGW:
        if (v->egress_only && family == IP_V6 && strcmp(v->egress_only->obj.id, id) == 0) {
            out = (struct nlq_route){ .type = NLQ_UNICAST, .index = v->egress_only_index, .via = ip_lit("fe80::1") };
        }
        return out;
    case ROUTE_PEERING:
        return plan_peering_route(v, id, family);
    case ROUTE_VPN_GATEWAY:
        return plan_vpn_gateway_route(v, id, family);
    case ROUTE_TRANSIT_GATEWAY:
        return plan_transit_route(v, id, zone, family);
    case ROUTE_ENDPOINT:
        if (plan_endpoint_route(v, id, family, &out)) {
            return out;
        }
        port = plan_gwlb_port(b, v, id);
        break;
    default:
        if (target < ARRAY_SIZE(unbuilt_targets) && unbuilt_targets[target] && id) {
            plan_unbuilt_add(b, unbuilt_targets[target], id);
        }
        break;
    }
    if (port) {
        struct ip via = family == IP_V4                        ? port->primary
                        : port->eni && port->eni->addresses6.n ? port->eni->addresses6.items[0].ip
                                                               : stand_in(port);
        if (via.family) {
            out = (struct nlq_route){ .type = NLQ_UNICAST, .index = port->index, .via = via };
        }
    }
    return out;
}

typedef VEC(const struct route *) route_vec;

/* Two routes of one block are in no table of AWS's own making; `local` stands. */
static bool
is_local_block(const route_vec *locals, const struct cidr *to)
{
    for (size_t i = 0; i < locals->n; i++) {
        if (cidr_equal(&locals->items[i]->cidr, to) || cidr_equal(&locals->items[i]->cidr6, to)) {
            return true;
        }
    }
    return false;
}

/* One kernel table of a route table: what it is for senders in the zone. */
struct version {
    const struct route_table *table;
    const char *zone; /* NULL: every zone's */
    uint32_t number;  /* in the kernel */
    bool override;    /* routes inside the VPC's own blocks, else the others */
};

static void
plan_route_to(struct builder *b, struct plan_vpc *v, const struct version *as, const struct route *route,
              const struct cidr *to)
{
    /* A route inside the VPC's own blocks is longer than `local` and must be asked before main, where the interfaces
     * are. */
    if ((to->ip.family == IP_V6 && !v->ip6) || vpc_contains(v->vpc, to) != as->override) {
        return;
    }
    struct nlq_route out = resolve_target(b, v, route, to->ip.family, as->zone);
    out.table = as->number;
    out.to = *to;
    add_route(v->router, &out);
}

/* Of two routes to one block a static one comes before one of a prefix list, and that before a propagated one.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables_priority */
static int
route_rank(const struct route *route)
{
    bool propagated = route->origin && strcmp(route->origin, "EnableVgwRoutePropagation") == 0;
    return propagated ? 2 : route->prefix_list_id ? 1 : 0;
}

static void
plan_routes(struct builder *b, struct plan_vpc *v, const struct version *as)
{
    route_vec locals = { 0 };
    for (size_t i = 0; i < as->table->routes.n; i++) {
        if (route_target(&as->table->routes.items[i], NULL) == ROUTE_LOCAL) {
            *VEC_ADD(&locals) = &as->table->routes.items[i];
        }
    }
    for (int rank = 0; rank < 3; rank++) {
        for (size_t i = 0; i < as->table->routes.n; i++) {
            const struct route *route = &as->table->routes.items[i];
            if (route_target(route, NULL) == ROUTE_LOCAL || route_rank(route) != rank || (as->override && rank == 2)) {
                continue; /* a propagated route never beats `local`, however long it is */
            }
            const struct prefix_list *pl =
                route->prefix_list_id ? store_get(b->store, &prefix_list_kind, route->prefix_list_id) : NULL;
            const struct cidr *own = route->cidr.ip.family ? &route->cidr : &route->cidr6;
            for (size_t j = 0; pl && j < pl->entries.n; j++) {
                if (!is_local_block(&locals, &pl->entries.items[j].cidr)) {
                    plan_route_to(b, v, as, route, &pl->entries.items[j].cidr);
                }
            }
            if (!route->prefix_list_id && !is_local_block(&locals, own)) {
                plan_route_to(b, v, as, route, own);
            }
        }
    }
    VEC_DONE(&locals);
}

/* Only a transit gateway is reached another way from each zone. */
static bool
depends_on_zone(const struct route_table *table)
{
    const char *id;
    for (size_t i = 0; i < table->routes.n; i++) {
        if (route_target(&table->routes.items[i], &id) == ROUTE_TRANSIT_GATEWAY) {
            return true;
        }
    }
    return false;
}

/* The mark of packets that the table routes from this zone. */
uint32_t
plan_table_mark(struct builder *b, const struct route_table *table, const char *zone)
{
    char key[ID_SIZE + 32];
    bool all = !zone || !depends_on_zone(table);
    snprintf(key, sizeof key, "%s%s%.24s", table->obj.id, all ? "" : "@", all ? "" : zone);
    return plan_number(b->numbers, "table", key);
}

static void
plan_version(struct builder *b, struct plan_vpc *v, const struct route_table *table, const char *zone)
{
    uint32_t mark = plan_table_mark(b, table, zone);
    for (int pass = 0; pass < 2; pass++) {
        bool override = pass == 0;
        struct version as = { table, zone, PLAN_TABLE_FIRST + 2 * mark + (override ? 1 : 0), override };
        size_t before = v->router->routes.n;
        plan_routes(b, v, &as);
        if (override && v->router->routes.n > before) {
            *VEC_ADD(&v->overridden) = table;
        }
        for (int family = IP_V4; v->router->routes.n > before && family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
            *VEC_ADD(&v->router->rules) =
                (struct nlq_rule){ .family = (uint8_t)family,
                                   .mark = mark,
                                   .table = as.number,
                                   .priority = override ? PLAN_PRIORITY_OVERRIDE : PLAN_PRIORITY_TABLE };
        }
    }
}

void
plan_route_table(struct builder *b, struct plan_vpc *v, const struct route_table *table)
{
    if (!depends_on_zone(table)) {
        plan_version(b, v, table, NULL);
        return;
    }
    VEC(const char *) zones = { 0 };
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) != 0 || network_subnet_route_table(b->net, s) != table) {
            continue;
        }
        bool known = false;
        for (size_t i = 0; i < zones.n; i++) {
            known |= strcmp(zones.items[i], s->zone ? s->zone : "") == 0;
        }
        if (!known) {
            *VEC_ADD(&zones) = s->zone ? s->zone : "";
            plan_version(b, v, table, s->zone ? s->zone : "");
        }
    }
    VEC_DONE(&zones);
}

static void
blackhole(struct plan_ns *ns, uint32_t table, struct cidr to)
{
    *VEC_ADD(&ns->routes) = (struct nlq_route){ .table = table, .to = to, .type = NLQ_BLACKHOLE };
}

void
plan_port_ways(struct plan_vpc *v, const struct plan_port *port)
{
    struct plan_ns *ns = v->router;
    size_t n4 = port->eni ? port->eni->addresses.n : 1, n6 = port->eni && v->ip6 ? port->eni->addresses6.n : 0;
    for (size_t j = 0; j < n4 + n6; j++) {
        const struct ip *ip = !port->eni ? &port->primary
                              : j < n4   ? &port->eni->addresses.items[j].ip
                                         : &port->eni->addresses6.items[j - n4].ip;
        if (ip->family) {
            *VEC_ADD(&ns->routes) = (struct nlq_route){ .table = 254, .to = cidr_host(ip), .index = port->index };
            plan_neighbour_add(ns, port->index, ip, port->mac);
        }
    }
    struct ip link = stand_in(port);
    if (link.family && v->ip6) {
        plan_neighbour_add(ns, port->index, &link, port->mac);
    }
}

/* main: every interface, and silence for the rest of the VPC's blocks. */
static void
plan_main_table(struct plan_vpc *v)
{
    struct plan_ns *ns = v->router;
    for (size_t i = 0; i < v->vpc->cidrs.n; i++) {
        blackhole(ns, 254, v->vpc->cidrs.items[i].cidr);
    }
    for (size_t i = 0; i < v->vpc->cidrs6.n; i++) {
        blackhole(ns, 254, v->vpc->cidrs6.items[i].cidr);
    }
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        blackhole(ns, PLAN_TABLE_SILENCE, cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"));
        *VEC_ADD(&ns->rules) = (struct nlq_rule){ .family = (uint8_t)family,
                                                  .priority = PLAN_PRIORITY_SILENCE,
                                                  .table = PLAN_TABLE_SILENCE };
    }
    for (size_t i = 0; i < v->ports.n; i++) {
        plan_port_ways(v, &v->ports.items[i]);
    }
}

/* ---- sets of addresses --------------------------------------------------------------------------------------------
 */
static void
plan_address_of_port(struct builder *b, struct plan_set *set, const struct plan_port *port, const struct ip *ip)
{
    char text[IP_STR_SIZE];
    const char *key = arena_join(b->plan->arena, "\"", port->name, "\" . ", ip_format(ip, text), NULL);
    *VEC_ADD(&set->elements) = (struct plan_element){ .key = key };
}

void
plan_port_addresses(struct builder *b, const struct plan_vpc *v, const struct plan_port *port, struct plan_set *own,
                    struct plan_set *own6)
{
    for (size_t j = 0; port->eni && j < port->eni->addresses.n; j++) {
        plan_address_of_port(b, own, port, &port->eni->addresses.items[j].ip);
    }
    for (size_t j = 0; port->eni && v->ip6 && j < port->eni->addresses6.n; j++) {
        plan_address_of_port(b, own6, port, &port->eni->addresses6.items[j].ip);
    }
}

static void
plan_source_check(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *any = plan_set_add(b, v->router, "eni_any", "set eni_any { type ifname; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        if (!v->ports.items[i].eni || !v->ports.items[i].eni->source_dest_check ||
            v->ports.items[i].place == PLAN_PLACE_NODE || v->ports.items[i].place == PLAN_PLACE_INSPECTION) {
            plan_element_add(b, any, NULL, "\"%s\"", v->ports.items[i].name);
        }
    }
    for (size_t i = 0; i < v->transits.n; i++) {
        plan_element_add(b, any, NULL, "\"%s\"", v->transits.items[i].name);
    }
    plan_set_add(b, v->router, "eni_addresses", "set eni_addresses { type ifname . ipv4_addr; }");
    plan_set_add(b, v->router, "eni_addresses6", "set eni_addresses6 { type ifname . ipv6_addr; }");
    struct plan_set *own = plan_set_added(v->router, "eni_addresses"),
                    *own6 = plan_set_added(v->router, "eni_addresses6");
    for (size_t i = 0; i < v->ports.n; i++) {
        plan_port_addresses(b, v, &v->ports.items[i], own, own6);
    }
}

static void
plan_subnets(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *tables =
        plan_set_add(b, v->router, "rt_of_group", "map rt_of_group { type devgroup : mark; " PLAN_SUBNETS_SIZE " }");
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        const struct route_table *table =
            strcmp(s->vpc_id, v->vpc->obj.id) == 0 ? network_subnet_route_table(b->net, s) : NULL;
        if (table) {
            char mark[16];
            uint32_t transit = plan_transit_group(b, v, s);
            snprintf(mark, sizeof mark, "0x%08x", plan_table_mark(b, table, s->zone ? s->zone : ""));
            plan_element_add(b, tables, mark, "%u", plan_number(b->numbers, "subnet", s->obj.id));
            if (transit) {
                plan_element_add(b, tables, mark, "%u", transit);
            }
        }
    }
    struct plan_set *same = plan_set_add(b, v->router, "same_subnet",
                                         "set same_subnet { type devgroup . devgroup; " PLAN_SUBNETS_SIZE " }");
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) == 0) {
            uint32_t group = plan_number(b->numbers, "subnet", s->obj.id);
            uint32_t transit = plan_transit_group(b, v, s);
            plan_element_add(b, same, NULL, "%u . %u", group, group);
            if (transit) { /* inwards only: what leaves for the gateway meets the ACL */
                plan_element_add(b, same, NULL, "%u . %u", transit, group);
            }
            if (s->cidr.ip.family) {
                struct ip first = cidr_first(&s->cidr), gateway = ip_add(&first, 1);
                /* Answers ARP for the gateway, which the kernel does for local addresses only. */
                *VEC_ADD(&v->router->addresses) = (struct plan_address){ PLAN_LOOPBACK, gateway, 32 };
            }
        }
    }
}

static void
plan_own_subnet(const struct subnet *s, uint32_t group, struct buf *text)
{
    if (s->cidr.ip.family) {
        buf_printf(text, "iifgroup %u ip daddr %s accept\n", group, cidr_str(&s->cidr));
    }
    if (subnet_cidr6(s)) {
        buf_printf(text, "iifgroup %u ip6 daddr %s accept\n", group, cidr_str(subnet_cidr6(s)));
    }
}

/* Tables associated with a gateway: what comes in by it may be led to an appliance first.  Without one such packets
 * have no mark and find the VPC's interfaces. Source:
 * https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html */
static void
plan_ingress(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *set = plan_set_add(b, v->router, "rt_of_gateway", "map rt_of_gateway { type ifname : mark; }");
    for (const struct route_table *t = store_first(b->store, &route_table_kind); t; t = store_next(b->store, t)) {
        for (size_t i = 0; strcmp(t->vpc_id, v->vpc->obj.id) == 0 && i < t->associations.n; i++) {
            const char *id = t->associations.items[i].gateway_id;
            bool of_igw = v->igw && strcmp(v->igw->obj.id, id) == 0, of_vgw = v->vgw && strcmp(v->vgw->obj.id, id) == 0;
            char mark[16];
            snprintf(mark, sizeof mark, "0x%08x", plan_table_mark(b, t, NULL));
            if (of_igw || of_vgw) {
                plan_element_add(b, set, mark, "\"%s\"", of_igw ? "igw" : "vgw");
            }
        }
    }
}

/* Which table a packet is routed by.  Inside its own subnet none applies: without a mark the router's main table
 * decides, which leads to the interface.  (Only where a table has routes inside the VPC would it make a difference.) */
void
plan_marks(struct builder *b, struct plan_vpc *v)
{
    struct buf text = { 0 };
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        const struct route_table *table =
            strcmp(s->vpc_id, v->vpc->obj.id) == 0 ? network_subnet_route_table(b->net, s) : NULL;
        if (strcmp(s->vpc_id, v->vpc->obj.id) != 0) {
            continue;
        }
        bool overridden = false;
        for (size_t i = 0; table && i < v->overridden.n; i++) {
            overridden |= v->overridden.items[i] == table;
        }
        uint32_t groups[] = { plan_number(b->numbers, "subnet", s->obj.id), plan_transit_group(b, v, s) };
        for (size_t i = 0; i < ARRAY_SIZE(groups) && groups[i]; i++) {
            if (overridden || !table) {
                plan_own_subnet(s, groups[i], &text);
            }
            if (!table) { /* a damaged import: nothing leaves the subnet */
                buf_printf(&text, "iifgroup %u counter drop comment \"no route table\"\n", groups[i]);
            }
        }
    }
    buf_str_add(&text, "meta mark set iifgroup map @rt_of_group\n");
    plan_chain_add(b, v->router, "p_mark", "", buf_str(&text));
    buf_done(&text);
}

/* ---- the packet path ----------------------------------------------------------------------------------------------
 */
/* One chain at the hook leads through all stages, as each chain of the hook's own would cost every packet as much as
 * several rules.  So a stage that lets a packet pass returns: the sender's groups by `f_admitted`, which leaves a mark
 * (of several groups the first that admits ends the search), an ACL's rules by `return`; the receiver's groups, the
 * last stage, accept.  What most packets meet comes first. */
static const struct stage {
    const char *name, *head, *rules;
} stages[] = {
    { "p_pre", "type filter hook prerouting priority -300; policy accept;",
      "iifname . ip saddr @eni_addresses goto p_mark\n"
      "iifgroup 0 goto p_gateways\n"
      "iifname @eni_any goto p_mark\n"
      "iifname . ip6 saddr @eni_addresses6 goto p_mark\n"
      "counter drop comment \"source check\"\n" },
    { "f_destination", "",
      "oifname . ip daddr @eni_addresses return\n"
      "oifgroup 0 return\n"
      "oifname @eni_any return\n"
      "oifname . ip6 daddr @eni_addresses6 return\n"
      "counter drop comment \"destination check\"\n" },
    { "f_admitted", "", "meta mark set " PLAN_ADMITTED "\n" },
    { "f_nacl", "",
      "iifgroup vmap @nacl_out\n"
      "oifgroup vmap @nacl_in\n" },
    /* Replies pass both stages of the groups unless the flow is untracked for the interface (plan_untracked.c): of the
     * way there the first stage is the sender's, of the way back the receiver's. */
    { "f_sg_out", "",
      "ct state established ct mark != { 0x2, 0x10, 0x12 } return\n"
      "ct state related return\n"
      "ct state established ct direction original ct mark 0x2 return\n"
      "ct state established ct direction reply ct mark 0x10 return\n"
      "ct state new ct mark 0 oifname != @always_tracked iifname vmap @untracked_out\n"
      "iifname vmap @sg_out\n"
      "meta mark " PLAN_ADMITTED " return\n"
      "meta mark set 1 meta priority set 0:1 goto fl_deny_out\n" },
    { "f_sg_in", "",
      "ct state established ct mark != { 0x2, 0x10, 0x12 } accept\n"
      "ct state related accept\n"
      "ct state established ct direction original ct mark 0x10 accept\n"
      "ct state established ct direction reply ct mark 0x2 accept\n"
      "ct state new ct mark { 0, 0x10 } iifname != @always_tracked oifname vmap @untracked_in\n"
      "oifname vmap @sg_in\n"
      "meta mark set 4 meta priority set 0:4 goto fl_deny_in\n" },
    { "f_tracked", "",
      "iifgroup . oifgroup != @same_subnet jump f_nacl\n"
      "accept\n" },
};

#define REFUSAL_OF_MACHINE "iifname @appliances ct state invalid tcp flags & (rst | ack) == rst | ack "

/* What a stage of the groups asks first where packets pass appliances.  A refusal (RST) as the first answer ends the
 * kernel's memory of the connection when it passes for the first time, on its way to an appliance; when the appliance
 * sends it on it is still an answer.  One whose request came by another way its own rules judge (plan_appliance.c). */
static const char *
before_groups(const struct plan_vpc *v, const char *stage)
{
    bool sender = strcmp(stage, "f_sg_out") == 0;
    if (!v->appliances || (!sender && strcmp(stage, "f_sg_in") != 0)) {
        return "";
    }
    return sender ? REFUSAL_OF_MACHINE
               "ip saddr . ip daddr . tcp sport . tcp dport @a_refusals jump a_out\n" REFUSAL_OF_MACHINE
               "ip6 saddr . ip6 daddr . tcp sport . tcp dport @a_refusals6 jump a_out\n" REFUSAL_OF_MACHINE "return\n"
               "ct direction reply iifname @appliances jump a_out\n"
               "meta mark " PLAN_ADMITTED " return\n"
                  : REFUSAL_OF_MACHINE "accept\n"
                                       "ct direction reply oifname @appliances jump a_in\n";
}

/* Only what a route leads to a machine can bear another's address. */
static bool
leads_to_machines(const struct builder *b, const struct plan_vpc *v)
{
    for (const struct route_table *t = store_first(b->store, &route_table_kind); t; t = store_next(b->store, t)) {
        for (size_t i = 0; strcmp(t->vpc_id, v->vpc->obj.id) == 0 && i < t->routes.n; i++) {
            if (route_machine(&t->routes.items[i])) {
                return true;
            }
        }
    }
    return false;
}

void
plan_stages(struct builder *b, struct plan_vpc *v)
{
    plan_chain_add(b, v->router, "f_stages", "type filter hook forward priority 10; policy drop;",
                   arena_join(b->plan->arena, leads_to_machines(b, v) ? "jump f_destination\n" : "",
                              v->appliances ? "" : "ct state established ct mark 0 goto f_tracked\n",
                              "jump f_sg_out\n"
                              "iifgroup . oifgroup != @same_subnet jump f_nacl\n"
                              "goto f_sg_in\n",
                              NULL));
}

void
plan_router(struct builder *b, struct plan_vpc *v)
{
    plan_main_table(v);
    for (const struct route_table *t = store_first(b->store, &route_table_kind); t; t = store_next(b->store, t)) {
        if (strcmp(t->vpc_id, v->vpc->obj.id) == 0) {
            plan_route_table(b, v, t);
        }
    }
    plan_subnets(b, v);
    plan_marks(b, v);
    plan_ingress(b, v);
    plan_source_check(b, v);
    plan_appliances(b, v);
    plan_untracked(b, v);
    plan_flow_logs(b, v);
    plan_services(b, v);
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        plan_chain_add(b, v->router, stages[i].name, stages[i].head,
                       arena_join(b->plan->arena, before_groups(v, stages[i].name), stages[i].rules, NULL));
    }
    plan_stages(b, v);
}
