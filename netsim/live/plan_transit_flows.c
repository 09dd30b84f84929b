/* What a transit gateway's namespace counts: by attachment for metrics, by flow where a flow log is on.
 *
 * What comes in is asked of the route tables once before the kernel asks them (`fib`), because a packet that a
 * blackhole swallows, that has no route or too short a life is seen nowhere afterwards.  It is counted and then goes
 * its way: the kernel does with it what it would have done.
 *
 * A flow's mark has what flow_source.c needs: the port it came by, the port it leaves by or why it does not, and all of
 * TCP's flags. */
#include <stdio.h>
#include <string.h>

#include "netsim/flowlog/flowlog.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/plan_flows.h"

static bool
is_recorded(struct builder *b, const struct plan_tgw *t)
{
    for (const struct flow_log *log = store_first(b->store, &flow_log_kind); log; log = store_next(b->store, log)) {
        bool of_port = log->resource_id && strcmp(log->resource_id, t->tgw->obj.id) == 0;
        for (size_t i = 0; i < t->ports.n && !of_port && log->resource_id; i++) {
            of_port = strcmp(log->resource_id, t->ports.items[i].attachment->obj.id) == 0;
        }
        if (of_port) {
            return true;
        }
    }
    return false;
}

/* Ports have small numbers of their own, so that two fit into a mark; 0: there are too many to tell this one apart. */
static uint32_t
port_number(struct builder *b, const struct plan_tgw *t, const struct plan_tgw_port *port)
{
    char key[4 * ID_SIZE];
    snprintf(key, sizeof key, PLAN_TRANSIT_PORT "%s %s %s", t->tgw->obj.id, port->attachment->obj.id,
             port->subnet ? port->subnet->obj.id : "-");
    uintptr_t known = (uintptr_t)map_get(&b->numbers->known, key);
    if (!known && b->numbers->last_transit < PLAN_TRANSIT_PORTS_MAX) {
        known = ++b->numbers->last_transit;
        map_put(&b->numbers->known, key, (void *)known);
    }
    return (uint32_t)known;
}

/* The ports' numbers, of which live/meter.c learns too whose each is. */
static void
plan_ports(struct builder *b, struct plan_tgw *t)
{
    struct plan_set *from = plan_set_add(b, t->ns, "fl_from", "map fl_from { type ifname : mark; }");
    for (size_t i = 0; i < t->ports.n; i++) {
        char text[16];
        snprintf(text, sizeof text, "0x%08x", port_number(b, t, &t->ports.items[i]));
        plan_element_add(b, from, text, "\"%s\"", t->ports.items[i].name);
    }
}

static void
plan_ways_out(struct builder *b, struct plan_tgw *t)
{
    struct plan_set *to = plan_set_add(b, t->ns, "fl_to", "map fl_to { type ifname : verdict; }");
    for (size_t i = 0; i < t->ports.n; i++) {
        const struct plan_tgw_port *port = &t->ports.items[i];
        uint32_t number = port_number(b, t, port);
        char text[64], chain[24];
        if (!number) {
            continue; /* more than a mark can tell apart: their flows are not recorded */
        }
        snprintf(chain, sizeof chain, "fl_to_%u", number);
        snprintf(text, sizeof text, "meta mark set meta mark | 0x%08x\n", number << PLAN_TRANSIT_TO_SHIFT);
        plan_chain_add(b, t->ns, chain, "", text);
        snprintf(text, sizeof text, "jump %s", chain);
        plan_element_add(b, to, text, "\"%s\"", port->name);
    }
}

/* One way of being lost: counted for metrics, for flow logs if there are any, and sent on to be lost. */
static void
plan_loss(struct builder *b, struct plan_tgw *t, bool recorded, const char *chain, enum flow_lost lost)
{
    struct buf text = { 0 };
    buf_printf(&text, "meta mark set 0x%x update @tgw_lost { meta iif . meta mark counter }\n", lost + 1u);
    if (recorded) {
        buf_printf(&text, "meta mark set iifname map @fl_from meta mark set meta mark | 0x%08x jump fl_record\n",
                   PLAN_TRANSIT_LOST(lost) << PLAN_TRANSIT_TO_SHIFT);
    }
    buf_str_add(&text, "meta mark set 0x0\nmeta mark set iifname map @table_of_link\n");
    plan_chain_add(b, t->ns, chain, "", buf_str(&text));
    buf_done(&text);
}

static bool
is_blackhole_of(const struct nlq_route *route, uint32_t table, int family)
{
    return route->type == NLQ_BLACKHOLE && route->table == table && route->to.ip.family == family;
}

/* The prefixes that a table sends nowhere, largest ones only: what has a longer way out was not lost. */
static void
plan_holes(const struct plan_tgw *t, uint32_t mark, int family, struct buf *text)
{
    uint32_t table = PLAN_TABLE_FIRST + 2 * mark;
    struct buf list = { 0 };
    for (size_t i = 0; i < t->ns->routes.n; i++) {
        const struct nlq_route *route = &t->ns->routes.items[i];
        bool inner = false;
        if (!is_blackhole_of(route, table, family)) {
            continue;
        }
        for (size_t j = 0; j < t->ns->routes.n && !inner; j++) {
            const struct nlq_route *other = &t->ns->routes.items[j];
            inner = j != i && is_blackhole_of(other, table, family) && cidr_contains(&other->to, &route->to) &&
                    (other->to.bits < route->to.bits || j < i);
        }
        if (!inner) {
            buf_printf(&list, "%s%s", list.size ? ", " : "", cidr_str(&route->to));
        }
    }
    if (list.size) {
        buf_printf(text, "meta mark 0x%08x %s daddr { %s } goto fl_blackhole\n", mark, family == IP_V4 ? "ip" : "ip6",
                   buf_str(&list));
    }
    buf_done(&list);
}

static void
plan_losses(struct builder *b, struct plan_tgw *t, bool recorded)
{
    struct buf why = { 0 };
    for (size_t i = 0; i < t->ns->rules.n; i++) {
        const struct nlq_rule *rule = &t->ns->rules.items[i];
        if (rule->priority == PLAN_PRIORITY_TABLE) {
            plan_holes(t, rule->mark, rule->family, &why);
        }
    }
    buf_str_add(&why, "goto fl_no_route\n");
    plan_set_add(b, t->ns, "tgw_lost", "set tgw_lost { type iface_index . mark; size 65536; flags dynamic; }");
    plan_loss(b, t, recorded, "fl_no_route", FLOW_LOST_NO_ROUTE);
    plan_loss(b, t, recorded, "fl_blackhole", FLOW_LOST_BLACKHOLE);
    plan_loss(b, t, recorded, "fl_mtu", FLOW_LOST_MTU);
    plan_loss(b, t, recorded, "fl_ttl", FLOW_LOST_TTL);
    plan_chain_add(b, t->ns, "fl_lost_way", "", buf_str(&why));
    buf_done(&why);
}

/* Tunnels carry less than the other ports, all of them alike: a packet that must not be cut in two and is larger is
 * lost there.  TCP is told in time; several of its segments travel as one, so their size says nothing. */
static void
plan_narrow(const struct plan_tgw *t, struct buf *text)
{
    struct buf names = { 0 };
    uint32_t mtu = 0;
    for (size_t i = 0; i < t->ports.n; i++) {
        const struct plan_tgw_port *port = &t->ports.items[i];
        if (port->mtu < t->mtu) {
            buf_printf(&names, "%s\"%s\"", names.size ? ", " : "", port->name);
            mtu = port->mtu;
        }
    }
    /* The names stand in the rule: `fib` finds no name in a set of them. */
    if (names.size) {
        buf_printf(text,
                   "meta length > %u meta l4proto != tcp ip frag-off & 0x4000 != 0 fib daddr . mark oifname { %s } "
                   "goto fl_mtu\n",
                   mtu, buf_str(&names));
    }
    if (names.size && t->ns->ip6) {
        buf_printf(text,
                   "meta length > %u meta l4proto != tcp meta nfproto ipv6 fib daddr . mark oifname { %s } "
                   "goto fl_mtu\n",
                   mtu, buf_str(&names));
    }
    buf_done(&names);
}

void
plan_transit_flows(struct builder *b, struct plan_tgw *t)
{
    bool recorded = is_recorded(b, t);
    struct buf in = { 0 };
    plan_ports(b, t);
    if (recorded) {
        plan_ways_out(b, t);
        plan_flow_counting(b, t->ns, t->ns->ip6);
        plan_chain_add(b, t->ns, "fl_flags", "",
                       "tcp flags & fin == fin meta mark set meta mark | 0x04000000\n"
                       "tcp flags & syn == syn meta mark set meta mark | 0x08000000\n"
                       "tcp flags & rst == rst meta mark set meta mark | 0x10000000\n"
                       "tcp flags & psh == psh meta mark set meta mark | 0x20000000\n"
                       "tcp flags & ack == ack meta mark set meta mark | 0x40000000\n"
                       "tcp flags & urg == urg meta mark set meta mark | 0x80000000\n");
        plan_chain_add(b, t->ns, "f_flows", "type filter hook forward priority -10; policy accept;",
                       "meta mark set iifname map @fl_from oifname vmap @fl_to\njump fl_record\n");
    }
    plan_losses(b, t, recorded);
    plan_set_add(b, t->ns, "tgw_in", "set tgw_in { type iface_index; size 65536; flags dynamic; }");
    plan_set_add(b, t->ns, "tgw_out", "set tgw_out { type iface_index; size 65536; flags dynamic; }");
    /* What the links themselves say to each other is nobody's traffic; multicast is not carried. */
    buf_str_add(&in, "ip daddr 224.0.0.0/3 return\n"
                     "ip6 daddr { fe80::/10, ff00::/8 } return\n"
                     "update @tgw_in { meta iif counter }\n"
                     "ip ttl <= 1 goto fl_ttl\n"
                     "ip6 hoplimit <= 1 goto fl_ttl\n"
                     "fib daddr . mark oif missing goto fl_lost_way\n");
    plan_narrow(t, &in);
    plan_chain_add(b, t->ns, "p_count", "type filter hook prerouting priority -290; policy accept;", buf_str(&in));
    plan_chain_add(b, t->ns, "f_count", "type filter hook forward priority 10; policy accept;",
                   "update @tgw_out { meta oif counter }\n");
    buf_done(&in);
}

void
plan_transit_ports_of(const struct plan_numbers *numbers, plan_transit_ports *ports)
{
    size_t cursor = 0;
    const char *key;
    void *value;
    while (map_next(&numbers->known, &cursor, &key, &value)) {
        struct plan_transit_port port;
        if (strncmp(key, PLAN_TRANSIT_PORT, strlen(PLAN_TRANSIT_PORT)) != 0 ||
            sscanf(key + strlen(PLAN_TRANSIT_PORT), "%63s %63s %63s", port.tgw_id, port.attachment_id,
                   port.subnet_id) != 3) {
            continue;
        }
        if (strcmp(port.subnet_id, "-") == 0) {
            *port.subnet_id = '\0';
        }
        while (ports->n <= (uintptr_t)value) {
            *VEC_ADD(ports) = (struct plan_transit_port){ .tgw_id = "" };
        }
        ports->items[(uintptr_t)value] = port;
    }
}
