/* The router of one VPC: addresses, routes, translation, and the stages every packet passes.
 *
 * Order of the stages, and why: docs/LIVE.md.  A stage that finds no reason to pass falls through to its tail, which
 * writes the flow log's sets and leaves the drop to the chain's policy.  Nothing uses `reject`: AWS is silent. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

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

static uint32_t
igw_index(struct builder *b, const struct plan_vpc *v)
{
    return PLAN_LINK_BASE + plan_number(b->numbers, "igw", v->vpc->obj.id);
}

/* The same link as the internet sees it. */
static uint32_t
igw_peer_index(struct builder *b, const struct plan_vpc *v)
{
    return PLAN_PEER_BASE + plan_number(b->numbers, "igw", v->vpc->obj.id);
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

/* The next hop on the wire of a route's target; a blackhole when the target is gone, stopped, or not built here. */
static struct nlq_route
resolve_target(struct builder *b, struct plan_vpc *v, const struct route *route, int family)
{
    struct nlq_route out = { .type = NLQ_BLACKHOLE };
    const char *id = NULL;
    const struct plan_port *port = NULL;
    switch (route_target(route, &id)) {
    case ROUTE_IGW:
        if (v->igw && strcmp(v->igw->obj.id, id) == 0) {
            const struct plan_link *link = NULL;
            for (size_t i = 0; i < v->router->links.n; i++) {
                if (v->router->links.items[i].here.index == igw_index(b, v)) {
                    link = &v->router->links.items[i];
                }
            }
            out.type = link ? NLQ_UNICAST : NLQ_BLACKHOLE;
            out.index = igw_index(b, v);
            for (size_t i = 0; i < v->router->neighbours.n; i++) {
                const struct plan_neighbour *n = &v->router->neighbours.items[i];
                if (n->index == out.index && n->ip.family == family) {
                    out.via = n->ip;
                }
            }
        }
        return out;
    case ROUTE_NAT_GATEWAY:
        port = family == IP_V4 ? port_of(v, id) : NULL;
        break;
    case ROUTE_ENI:
        port = port_of(v, id);
        break;
    case ROUTE_INSTANCE:
        port = port_of_instance(v, id);
        break;
    default:
        break;
    }
    if (port) {
        struct ip via = family == IP_V4                        ? port->primary
                        : port->eni && port->eni->addresses6.n ? port->eni->addresses6.items[0].ip
                                                               : (struct ip){ 0 };
        if (via.family) {
            out = (struct nlq_route){ .type = NLQ_UNICAST, .index = port->index, .via = via };
        }
    }
    return out;
}

static void
plan_route_to(struct builder *b, struct plan_vpc *v, const struct route *route, const struct cidr *to, uint32_t table,
              bool override)
{
    /* A route inside the VPC's own blocks is longer than `local` and must be asked before main, where the interfaces
     * are. */
    if ((to->ip.family == IP_V6 && !v->ip6) || vpc_contains(v->vpc, to) != override) {
        return;
    }
    struct nlq_route out = resolve_target(b, v, route, to->ip.family);
    out.table = table;
    out.to = *to;
    add_route(v->router, &out);
}

static void
plan_route_table(struct builder *b, struct plan_vpc *v, const struct route_table *table)
{
    uint32_t mark = plan_number(b->numbers, "table", table->obj.id);
    for (int pass = 0; pass < 2; pass++) {
        bool override = pass == 0;
        uint32_t number = PLAN_TABLE_FIRST + 2 * mark + (override ? 1 : 0);
        size_t before = v->router->routes.n;
        for (int lists = 0; lists < 2; lists++) {
            for (size_t i = 0; i < table->routes.n; i++) {
                const struct route *route = &table->routes.items[i];
                const char *id;
                if (route_target(route, &id) == ROUTE_LOCAL || (route->prefix_list_id != NULL) != (lists == 1)) {
                    continue;
                }
                const struct prefix_list *pl =
                    lists ? store_get(b->store, &prefix_list_kind, route->prefix_list_id) : NULL;
                for (size_t j = 0; pl && j < pl->entries.n; j++) {
                    plan_route_to(b, v, route, &pl->entries.items[j].cidr, number, override);
                }
                if (!lists) {
                    plan_route_to(b, v, route, route->cidr.ip.family ? &route->cidr : &route->cidr6, number, override);
                }
            }
        }
        for (int family = IP_V4; v->router->routes.n > before && family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
            *VEC_ADD(&v->router->rules) =
                (struct nlq_rule){ .family = (uint8_t)family,
                                   .mark = mark,
                                   .table = number,
                                   .priority = override ? PLAN_PRIORITY_OVERRIDE : PLAN_PRIORITY_TABLE };
        }
    }
}

static void
blackhole(struct plan_ns *ns, uint32_t table, struct cidr to)
{
    *VEC_ADD(&ns->routes) = (struct nlq_route){ .table = table, .to = to, .type = NLQ_BLACKHOLE };
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
        const struct plan_port *port = &v->ports.items[i];
        size_t n4 = port->eni ? port->eni->addresses.n : 1, n6 = port->eni && v->ip6 ? port->eni->addresses6.n : 0;
        for (size_t j = 0; j < n4 + n6; j++) {
            const struct ip *ip = !port->eni ? &port->primary
                                  : j < n4   ? &port->eni->addresses.items[j].ip
                                             : &port->eni->addresses6.items[j - n4].ip;
            if (!ip->family) {
                continue;
            }
            *VEC_ADD(&ns->routes) = (struct nlq_route){ .table = 254, .to = cidr_host(ip), .index = port->index };
            plan_neighbour_add(ns, port->index, ip, port->mac);
        }
    }
}

/* ---- sets of addresses --------------------------------------------------------------------------------------------
 */
static void
plan_source_check(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *any = plan_set_add(b, v->router, "eni_any", "set eni_any { type ifname; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        if (!v->ports.items[i].eni || !v->ports.items[i].eni->source_dest_check) {
            plan_element_add(b, any, NULL, "\"%s\"", v->ports.items[i].name);
        }
    }
    struct plan_set *own =
        plan_set_add(b, v->router, "eni_addresses", "set eni_addresses { type ifname . ipv4_addr; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        for (size_t j = 0; port->eni && j < port->eni->addresses.n; j++) {
            plan_element_add(b, own, NULL, "\"%s\" . %s", port->name, ip_str(&port->eni->addresses.items[j].ip));
        }
    }
    struct plan_set *own6 =
        plan_set_add(b, v->router, "eni_addresses6", "set eni_addresses6 { type ifname . ipv6_addr; }");
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        for (size_t j = 0; port->eni && v->ip6 && j < port->eni->addresses6.n; j++) {
            plan_element_add(b, own6, NULL, "\"%s\" . %s", port->name, ip_str(&port->eni->addresses6.items[j].ip));
        }
    }
}

struct pair {
    struct ip inside, outside;
};

/* Public addresses, one to one, while an internet gateway is attached. */
static void
plan_translation(struct builder *b, struct plan_vpc *v)
{
    VEC(struct pair) pairs = { 0 };
    for (size_t i = 0; v->igw && i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        for (size_t j = 0; port->eni && j < port->eni->addresses.n; j++) {
            const struct eni_address *a = &port->eni->addresses.items[j];
            if (a->association.public_ip.family == IP_V4) {
                *VEC_ADD(&pairs) = (struct pair){ a->ip, a->association.public_ip };
            }
        }
        for (size_t j = 0; port->nat && j < port->nat->addresses.n; j++) {
            const struct nat_address *a = &port->nat->addresses.items[j];
            if (a->public_ip.family == IP_V4 && a->private_ip.family == IP_V4) {
                *VEC_ADD(&pairs) = (struct pair){ a->private_ip, a->public_ip };
            }
        }
    }
    struct plan_set *in = plan_set_add(b, v->router, "eip_in", "map eip_in { type ipv4_addr : ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, in, ip_str(&pairs.items[i].inside), "%s", ip_str(&pairs.items[i].outside));
    }
    struct plan_set *out = plan_set_add(b, v->router, "eip_out", "map eip_out { type ipv4_addr : ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, out, ip_str(&pairs.items[i].outside), "%s", ip_str(&pairs.items[i].inside));
    }
    struct plan_set *has = plan_set_add(b, v->router, "has_eip", "set has_eip { type ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, has, NULL, "%s", ip_str(&pairs.items[i].inside));
    }
    /* The world's way in: to this VPC's router. */
    uint32_t number = v->igw ? igw_peer_index(b, v) : 0;
    for (size_t i = 0; i < pairs.n; i++) {
        struct ip near = { 0 };
        for (size_t j = 0; j < b->internet->neighbours.n; j++) {
            const struct plan_neighbour *n = &b->internet->neighbours.items[j];
            if (n->index == number && n->ip.family == IP_V4) {
                near = n->ip;
            }
        }
        struct nlq_route way = { .table = PLAN_TABLE_PUBLIC,
                                 .to = cidr_host(&pairs.items[i].outside),
                                 .index = number,
                                 .via = near,
                                 .source = ip_lit(PLAN_CALLER4) };
        bool known = false; /* an import may name one public address twice */
        for (size_t j = 0; j < b->internet->routes.n; j++) {
            const struct nlq_route *r = &b->internet->routes.items[j];
            known |= r->table == way.table && r->to.bits == 32 && ip_equal(&r->to.ip, &way.to.ip);
        }
        if (!known) {
            *VEC_ADD(&b->internet->routes) = way;
        }
    }
    VEC_DONE(&pairs);
}

static void
plan_subnets(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *tables = plan_set_add(b, v->router, "rt_of_group", "map rt_of_group { type devgroup : mark; }");
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        const struct route_table *table =
            strcmp(s->vpc_id, v->vpc->obj.id) == 0 ? network_subnet_route_table(b->net, s) : NULL;
        if (table) {
            char mark[16];
            snprintf(mark, sizeof mark, "0x%08x", plan_number(b->numbers, "table", table->obj.id));
            plan_element_add(b, tables, mark, "%u", plan_number(b->numbers, "subnet", s->obj.id));
        }
    }
    struct plan_set *same = plan_set_add(b, v->router, "same_subnet", "set same_subnet { type devgroup . devgroup; }");
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) == 0) {
            uint32_t group = plan_number(b->numbers, "subnet", s->obj.id);
            plan_element_add(b, same, NULL, "%u . %u", group, group);
            if (s->cidr.ip.family) {
                struct ip first = cidr_first(&s->cidr), gateway = ip_add(&first, 1);
                /* Answers ARP for the gateway, which the kernel does for local addresses only. */
                *VEC_ADD(&v->router->addresses) = (struct plan_address){ PLAN_LOOPBACK, gateway, 32 };
            }
        }
    }
}

/* ---- flow logs ----------------------------------------------------------------------------------------------------
 */
/* Which interfaces are recorded: the mark's low bits name them, bit 31 says ingress (live/flow_source.c reads it back).
 */
static bool
plan_recording(struct builder *b, struct plan_vpc *v)
{
    struct plan_set *out = NULL, *in = NULL;
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < v->ports.n; i++) {
            const struct plan_port *port = &v->ports.items[i];
            const struct eni *eni = port->eni;
            if (port->nat) {
                eni = store_get(b->store, &eni_kind, port->nat->addresses.items[0].eni_id);
            }
            const struct flow_log *log;
            if (!eni || !flow_logs_of_eni(b->net, eni, &log, 1)) {
                continue;
            }
            if (!n++) {
                out = plan_set_add(b, v->router, "fl_egress", "map fl_egress { type ifname : mark; }");
            }
            if (pass == 1 && !in) {
                in = plan_set_add(b, v->router, "fl_ingress", "map fl_ingress { type ifname : mark; }");
            }
            char mark[16];
            snprintf(mark, sizeof mark, "0x%08x", (port->index - PLAN_LINK_BASE) | (pass ? 0x80000000u : 0));
            plan_element_add(b, pass ? in : out, mark, "\"%s\"", port->name);
        }
    }
    if (!n) {
        return false;
    }
    static const char *const kinds[][3] = {
        { "fl_tcp", "inet_service . inet_service", "tcp sport . tcp dport" },
        { "fl_udp", "inet_service . inet_service", "udp sport . udp dport" },
        { "fl_oth", "inet_proto", "meta l4proto" },
    };
    char text[1600];
    size_t used = (size_t)snprintf(text, sizeof text, "meta l4proto 6 jump fl_flags\n");
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            static const char *const match[] = { "meta l4proto 6 ", "meta l4proto 17 ", "meta l4proto != { 6, 17 } " };
            char name[16], head[256];
            snprintf(name, sizeof name, "%s%s", kinds[i][0], family == IP_V6 ? "6" : "");
            snprintf(head, sizeof head,
                     "set %s { type mark . %s . %s . %s; size %d; flags dynamic,timeout; timeout %ds; }", name,
                     family == IP_V6 ? "ipv6_addr" : "ipv4_addr", family == IP_V6 ? "ipv6_addr" : "ipv4_addr",
                     kinds[i][1], PLAN_FLOW_SET_SIZE, PLAN_FLOW_TIMEOUT_MS / 1000);
            plan_set_add(b, v->router, name, head);
            used += (size_t)snprintf(text + used, sizeof text - used,
                                     "%s%supdate @%s { meta mark . %s saddr . %s daddr . %s counter }\n",
                                     family == IP_V6 ? "meta nfproto ipv6 " : "meta nfproto ipv4 ", match[i], name,
                                     family == IP_V6 ? "ip6" : "ip", family == IP_V6 ? "ip6" : "ip", kinds[i][2]);
        }
    }
    plan_chain_add(b, v->router, "fl_record", "", text);
    plan_chain_add(b, v->router, "fl_flags", "",
                   "tcp flags & (syn | ack) == syn | ack meta mark set meta mark | 0x12000000\n"
                   "tcp flags & (syn | ack) == syn meta mark set meta mark | 0x02000000\n"
                   "tcp flags & fin == fin meta mark set meta mark | 0x01000000\n"
                   "tcp flags & rst == rst meta mark set meta mark | 0x04000000\n");
    return true;
}

/* ---- the packet path ----------------------------------------------------------------------------------------------
 */
#define ACCEPT_OUT "meta mark set iifname map @fl_egress jump fl_record\n"
#define ACCEPT_IN  "meta mark set oifname map @fl_ingress jump fl_record\n"
#define REJECT_OUT "meta mark set iifname map @fl_egress meta mark set meta mark | 0x00800000 jump fl_record\n"
#define REJECT_IN  "meta mark set oifname map @fl_ingress meta mark set meta mark | 0x00800000 jump fl_record\n"
#define NOT_PUBLIC "{ 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 }"

static const struct stage {
    const char *name, *head, *rules;
    const char *tail; /* for flow logs: what its refusal means */
} stages[] = {
    { "p_pre", "type filter hook prerouting priority -300; policy accept;",
      "iifgroup 0 accept\n"
      "iifname @eni_any goto p_mark\n"
      "iifname . ip saddr @eni_addresses goto p_mark\n"
      "iifname . ip6 saddr @eni_addresses6 goto p_mark\n"
      "counter drop comment \"source check\"\n",
      NULL },
    { "p_mark", "", "meta mark set iifgroup map @rt_of_group\n", NULL },
    { "p_dnat", "type nat hook prerouting priority -100; policy accept;",
      "iifname \"igw\" dnat ip to ip daddr map @eip_in\n", NULL },
    { "f_destination", "type filter hook forward priority 5; policy accept;",
      "oifgroup 0 accept\n"
      "oifname @eni_any accept\n"
      "oifname . ip daddr @eni_addresses accept\n"
      "oifname . ip6 daddr @eni_addresses6 accept\n"
      "counter drop comment \"destination check\"\n",
      NULL },
    { "f_sg_out", "type filter hook forward priority 10; policy drop;",
      "ct state established,related accept\n"
      "iifname vmap @sg_out\n",
      REJECT_OUT },
    { "f_nacl_out", "type filter hook forward priority 20; policy drop;",
      "iifgroup . oifgroup @same_subnet accept\n"
      "iifgroup vmap @nacl_out\n",
      REJECT_OUT },
    /* A new connection through the gateway needs a public address inside and a public one outside; IPv6 needs no
       translation. */
    { "f_igw", "type filter hook forward priority 25; policy accept;",
      "iifname \"igw\" meta nfproto ipv4 ct state new ct status & dnat == 0 counter drop\n"
      "oifname != \"igw\" accept\n"
      "meta nfproto ipv6 accept\n"
      "ct state invalid counter drop comment \"not translatable\"\n"
      "ip daddr " NOT_PUBLIC " goto f_igw_refused\n"
      "ct direction original ip saddr != @has_eip goto f_igw_refused\n",
      NULL },
    { "f_igw_refused", "", "counter comment \"no public address\"\n%sdrop\n", ACCEPT_OUT },
    { "f_nacl_in", "type filter hook forward priority 30; policy drop;",
      "iifgroup . oifgroup @same_subnet accept\n"
      "oifgroup vmap @nacl_in\n",
      ACCEPT_OUT REJECT_IN },
    { "f_sg_in", "type filter hook forward priority 40; policy drop;",
      "ct state established,related accept\n"
      "oifname vmap @sg_in\n",
      ACCEPT_OUT REJECT_IN },
    { "i_local", "type filter hook input priority 0; policy drop;", "", NULL },
    { "p_snat", "type nat hook postrouting priority 100; policy accept;",
      "oifname \"igw\" snat ip to ip saddr map @eip_out\n", NULL },
};

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
    plan_source_check(b, v);
    plan_translation(b, v);
    bool recording = plan_recording(b, v);
    for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
        const struct stage *s = &stages[i];
        struct buf text = { 0 };
        const char *place = strstr(s->rules, "%s"); /* the tail's place, else the end */
        buf_add(&text, s->rules, place ? (size_t)(place - s->rules) : strlen(s->rules));
        buf_str_add(&text, recording && s->tail ? s->tail : "");
        buf_str_add(&text, place ? place + 2 : "");
        plan_chain_add(b, v->router, s->name, s->head, buf_str(&text));
        buf_done(&text);
    }
    if (recording) {
        plan_chain_add(b, v->router, "f_account", "type filter hook forward priority 45; policy accept;",
                       ACCEPT_OUT ACCEPT_IN);
    }
}
