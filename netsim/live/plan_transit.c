/* Transit gateways: a namespace each, with a link to every subnet of every attachment.
 *
 * At a VPC's router such a link belongs to a link group of its own that has the attachment subnet's ACL and route
 * table: what leaves meets the ACL inwards even from an instance of that very subnet, what enters goes on as if sent by
 * an interface there.  The sender's zone decides which link it takes, hence a route table that leads to a transit
 * gateway has a kernel table for each zone that uses it.
 *
 * Inside, the link by which a packet came decides the table: the one its attachment is associated with, in the zone of
 * the link, because a packet stays in its zone where the receiver's attachment has a subnet there. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/failure.h"
#include "netsim/model/vpn.h"

enum { MTU_TRANSIT = 8500, MSS_TRANSIT = MTU_TRANSIT - 40 };

/* Ranks of routes to one prefix. Source: https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html,
 * "Route evaluation order" */
enum { RANK_ANNOUNCED = 0, RANK_VPN = 1, RANK_BGP = 2, RANK_VPC = 3, RANK_LIST = 8, RANK_STATIC = 9 };

/* A prefix of a transit gateway's route table. */
struct way {
    struct cidr to;
    int rank;
    const struct tgw_attachment *attachment; /* NULL: blackhole */
};
typedef VEC(struct way) way_vec;

static struct ip
next_hop(int family)
{
    return ip_lit(family == IP_V4 ? "169.254.190.1" : "fe80::1");
}

static bool
is_type(const struct tgw_attachment *attachment, const char *type)
{
    return attachment->resource_type && strcmp(attachment->resource_type, type) == 0;
}

static bool
same_zone(const struct subnet *subnet, const char *zone)
{
    return subnet && subnet->zone && zone && strcmp(subnet->zone, zone) == 0;
}

/* ---- links --------------------------------------------------------------------------------------------------------
 */
static struct nlq_end
end_new(const char *prefix, uint32_t number, uint32_t group)
{
    struct nlq_end end = { .index = PLAN_LINK_BASE + number, .group = group, .mtu = MTU_TRANSIT };
    snprintf(end.name, sizeof end.name, "%s%u", prefix, number);
    memcpy(end.mac, plan_router_mac, 6);
    return end;
}

static struct plan_tgw_port *
port_add(struct plan_tgw *t, const struct tgw_attachment *attachment, const struct nlq_end *end, bool ip6)
{
    struct plan_tgw_port *port = VEC_ADD(&t->ports);
    *port = (struct plan_tgw_port){ .attachment = attachment, .index = end->index, .mtu = end->mtu, .ip6 = ip6 };
    snprintf(port->name, sizeof port->name, "%s", end->name);
    for (int family = IP_V4; family <= (ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = next_hop(family);
        plan_neighbour_add(t->ns, end->index, &far, plan_router_mac);
    }
    t->ns->ip6 |= ip6;
    return port;
}

static void
join_vpc(struct builder *b, struct plan_tgw *t, struct plan_vpc *v, const struct tgw_attachment *attachment,
         const struct subnet *subnet)
{
    char key[ID_SIZE * 2];
    snprintf(key, sizeof key, "%s/%s", attachment->obj.id + strlen("tgw-attach"), subnet ? subnet->obj.id : "");
    /* The ends of a pair must have different indexes (plan_gateway.c), hence two numbers. */
    struct nlq_end here =
        end_new("tgw", plan_number(b->numbers, "tgw-vpc", key),
                subnet ? plan_number(b->numbers, "tgw-subnet", subnet->obj.id) : (uint32_t)PLAN_GROUP_NONE);
    struct nlq_end there = end_new("vpc", plan_number(b->numbers, "tgw-end", key), PLAN_GROUP_NONE);
    *VEC_ADD(&v->router->links) = (struct plan_link){ .here = here, .peer = there, .peer_ns = t->ns->id, .eni_id = "" };
    struct plan_transit *transit = VEC_ADD(&v->transits);
    *transit = (struct plan_transit){ .tgw = t->tgw, .attachment = attachment, .subnet = subnet, .index = here.index };
    snprintf(transit->name, sizeof transit->name, "%s", here.name);
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = next_hop(family);
        plan_neighbour_add(v->router, here.index, &far, plan_router_mac);
    }
    port_add(t, attachment, &there, v->ip6)->subnet = subnet;
}

static void
attach_vpc(struct builder *b, struct plan_tgw *t, const struct tgw_attachment *attachment)
{
    struct plan_vpc *v = plan_vpc_find(b, attachment->vpc_id[0] ? attachment->vpc_id : attachment->resource_id);
    for (size_t i = 0; v && i < attachment->subnet_ids.n; i++) {
        const struct subnet *subnet = store_get(b->store, &subnet_kind, attachment->subnet_ids.items[i]);
        if (subnet && strcmp(subnet->vpc_id, v->vpc->obj.id) == 0 && !subnet_failure(b->net, subnet)) {
            join_vpc(b, t, v, attachment, subnet);
        }
    }
    if (v && !attachment->subnet_ids.n) {
        join_vpc(b, t, v, attachment, NULL); /* an import that does not tell the subnets */
    }
}

static struct plan_tgw *
tgw_find(struct builder *b, const char *id)
{
    for (struct plan_tgw *t = b->tgws; t; t = t->next) {
        if (strcmp(t->tgw->obj.id, id) == 0) {
            return t;
        }
    }
    return NULL;
}

/* A peering is one link: zones mean nothing at its far end. */
static void
attach_peer(struct builder *b, struct plan_tgw *t, const struct tgw_attachment *attachment)
{
    struct plan_tgw *other = tgw_find(b, attachment->peer_tgw_id);
    if (!other || other == t) {
        return;
    }
    struct nlq_end here = end_new("peer", plan_number(b->numbers, "tgw-peer", attachment->obj.id), PLAN_GROUP_NONE);
    struct nlq_end there = end_new("peer", plan_number(b->numbers, "tgw-peer2", attachment->obj.id), PLAN_GROUP_NONE);
    *VEC_ADD(&t->ns->links) = (struct plan_link){ .here = here, .peer = there, .peer_ns = other->ns->id, .eni_id = "" };
    port_add(t, attachment, &here, b->internet->ip6);
    port_add(other, attachment, &there, b->internet->ip6);
}

/* A VPN connection or a Direct Connect gateway: a tunnel to its site. */
static void
attach_outside(struct builder *b, struct plan_tgw *t, const struct tgw_attachment *attachment)
{
    bool direct = is_type(attachment, "direct-connect-gateway");
    const struct vpn_connection *vpn = store_get(b->store, &vpn_connection_kind, attachment->resource_id);
    const char *site_id = direct ? attachment->resource_id : vpn ? onprem_site_of_vpn(b->net, vpn) : NULL;
    bool up = !direct || onprem_direct_connect_is_up(b->net, site_id);
    struct plan_site *site = site_id && up ? plan_site_find(b, site_id) : NULL;
    if (!direct && !vpn) {
        plan_unbuilt_add(b, "VPN connection", attachment->resource_id); /* an import without it */
    }
    if (site) {
        const struct direct_connect_association *a =
            direct ? direct_connect_association_of(b->net, site_id, t->tgw->obj.id) : NULL;
        struct nlq_end end = plan_tunnel(b, site, t->ns, direct ? attachment->obj.id : vpn->obj.id);
        struct plan_tgw_port *port = port_add(t, attachment, &end, site->ns->ip6);
        port->vpn = vpn;
        if (direct) {
            port->no_ip4 = direct_connect_fault(b->net, site_id, IP_V4);
            port->ip6 = port->ip6 && !direct_connect_fault(b->net, site_id, IP_V6);
        }
        plan_site_route_all(b, site);
        if (a) {
            plan_announce(b, site, a);
        }
    }
}

static const struct {
    const char *type;
    void (*attach)(struct builder *b, struct plan_tgw *t, const struct tgw_attachment *attachment);
} attachers[] = {
    { "vpc", attach_vpc },
    { "peering", attach_peer },
    { "vpn", attach_outside },
    { "direct-connect-gateway", attach_outside },
};

void
plan_transit_gateways(struct builder *b)
{
    struct plan_tgw **tail = &b->tgws;
    for (const struct transit_gateway *g = store_first(b->store, &transit_gateway_kind); g;
         g = store_next(b->store, g)) {
        if (g->state && strcmp(g->state, "deleted") == 0) {
            continue;
        }
        struct plan_tgw *t = *tail = arena_alloc(b->plan->arena, sizeof *t);
        tail = &t->next;
        t->tgw = g;
        t->mtu = MTU_TRANSIT;
        t->ns = plan_ns_add(b, g->obj.id, PLAN_TRANSIT, false);
    }
    for (const struct tgw_attachment *a = store_first(b->store, &tgw_attachment_kind); a; a = store_next(b->store, a)) {
        struct plan_tgw *t = tgw_find(b, a->tgw_id);
        bool known = !t || !tgw_attachment_is_available(a);
        for (size_t i = 0; !known && i < ARRAY_SIZE(attachers); i++) {
            if (is_type(a, attachers[i].type)) {
                attachers[i].attach(b, t, a);
                known = true;
            }
        }
        if (!known) {
            plan_unbuilt_add(b, "transit gateway attachment", a->obj.id);
        }
    }
}

/* ---- a VPC's side -------------------------------------------------------------------------------------------------
 */
struct nlq_route
plan_transit_route(const struct plan_vpc *v, const char *id, const char *zone, int family)
{
    for (size_t i = 0; i < v->transits.n; i++) {
        const struct plan_transit *t = &v->transits.items[i];
        if (strcmp(t->tgw->obj.id, id) == 0 && (!t->subnet || same_zone(t->subnet, zone))) {
            return (struct nlq_route){ .type = NLQ_UNICAST, .index = t->index, .via = next_hop(family) };
        }
    }
    return (struct nlq_route){ .type = NLQ_BLACKHOLE };
}

uint32_t
plan_transit_group(struct builder *b, const struct plan_vpc *v, const struct subnet *subnet)
{
    for (size_t i = 0; i < v->transits.n; i++) {
        if (v->transits.items[i].subnet == subnet) {
            return plan_number(b->numbers, "tgw-subnet", subnet->obj.id);
        }
    }
    return PLAN_GROUP_NONE;
}

/* Groups of another VPC may be named in inbound rules where gateway and both attachments carry references.
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-vpc-attachments.html, "Security group referencing" */
void
plan_transit_carriers(struct builder *b, const struct plan_vpc *v, const char *vpc_id, struct buf *names)
{
    struct plan_vpc *other = plan_vpc_find(b, vpc_id);
    for (size_t i = 0; other && other != v && i < v->transits.n; i++) {
        const struct plan_transit *here = &v->transits.items[i];
        bool carries = false;
        for (size_t j = 0; j < other->transits.n; j++) {
            carries |= other->transits.items[j].tgw == here->tgw &&
                       tgw_attachment_references_groups(other->transits.items[j].attachment);
        }
        if (carries && tgw_references_groups(here->tgw) && tgw_attachment_references_groups(here->attachment)) {
            buf_printf(names, "%s\"%s\"", names->size ? ", " : "", here->name);
        }
    }
}

/* ---- inside -------------------------------------------------------------------------------------------------------
 */
static void
offer(way_vec *ways, const struct cidr *to, int rank, const struct tgw_attachment *attachment)
{
    if (!to->ip.family) {
        return;
    }
    for (size_t i = 0; i < ways->n; i++) {
        struct way *known = &ways->items[i];
        if (cidr_equal(&known->to, to)) {
            if (rank > known->rank) {
                *known = (struct way){ *to, rank, attachment };
            }
            return;
        }
    }
    *VEC_ADD(ways) = (struct way){ *to, rank, attachment };
}

static void
offer_static(struct builder *b, way_vec *ways, const struct tgw_route *route)
{
    const struct tgw_attachment *to =
        tgw_route_is_blackhole(route)
            ? NULL
            : store_get(b->store, &tgw_attachment_kind, route->attachments.items[0].attachment_id);
    const struct prefix_list *list =
        route->prefix_list_id ? store_get(b->store, &prefix_list_kind, route->prefix_list_id) : NULL;
    offer(ways, &route->cidr, tgw_route_is_announced(route) ? RANK_BGP : RANK_STATIC, to);
    for (size_t i = 0; list && i < list->entries.n; i++) {
        offer(ways, &list->entries.items[i].cidr, RANK_LIST, to);
    }
}

static void
offer_vpc(struct builder *b, way_vec *ways, const struct tgw_attachment *attachment)
{
    const struct vpc *vpc = store_get(b->store, &vpc_kind, attachment->vpc_id);
    for (size_t i = 0; vpc && i < vpc->cidrs.n; i++) {
        offer(ways, &vpc->cidrs.items[i].cidr, RANK_VPC, attachment);
    }
    bool six = attachment->ipv6_support && strcmp(attachment->ipv6_support, "enable") == 0;
    for (size_t i = 0; vpc && six && i < vpc->cidrs6.n; i++) {
        offer(ways, &vpc->cidrs6.items[i].cidr, RANK_VPC, attachment);
    }
    if (vpc && !vpc->cidrs.n) {
        offer(ways, &vpc->cidr, RANK_VPC, attachment);
    }
}

static void
offer_vpn(struct builder *b, way_vec *ways, const struct tgw_attachment *attachment)
{
    const struct vpn_connection *vpn = store_get(b->store, &vpn_connection_kind, attachment->resource_id);
    for (size_t i = 0; vpn && i < vpn->routes.n; i++) {
        offer(ways, &vpn->routes.items[i].cidr, RANK_VPN, attachment);
    }
}

/* The longest prefix that holds the whole block. */
static const struct way *
covering(const way_vec *ways, const struct cidr *block)
{
    const struct way *best = NULL;
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *w = &ways->items[i];
        best = cidr_contains(&w->to, block) && (!best || w->to.bits > best->to.bits) ? w : best;
    }
    return best;
}

/* By BGP a site announces the prefixes it has, of which no call of AWS tells: where no other route is known for them.
 */
static void
offer_announced(struct builder *b, way_vec *ways, const struct tgw_attachment *attachment)
{
    if (!attachment || !tgw_attachment_is_available(attachment)) {
        return;
    }
    const struct vpn_connection *vpn = store_get(b->store, &vpn_connection_kind, attachment->resource_id);
    const char *id = is_type(attachment, "direct-connect-gateway") ? attachment->resource_id
                     : vpn && !vpn->static_routes_only             ? onprem_site_of_vpn(b->net, vpn)
                                                                   : NULL;
    const struct plan_site *site = id ? plan_site_find(b, id) : NULL;
    for (size_t i = 0; site && i < site->site.n_prefixes; i++) {
        if (!covering(ways, &site->site.prefixes[i])) {
            offer(ways, &site->site.prefixes[i], RANK_ANNOUNCED, attachment);
        }
    }
}

static void
gather_ways(struct builder *b, const struct tgw_route_table *table, way_vec *ways)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        if (tgw_route_holds(b->net, table, &table->routes.items[i])) {
            offer_static(b, ways, &table->routes.items[i]);
        }
    }
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *a =
            store_get(b->store, &tgw_attachment_kind, table->propagations.items[i].attachment_id);
        if (a && tgw_attachment_is_available(a) && is_type(a, "vpc")) {
            offer_vpc(b, ways, a);
        } else if (a && tgw_attachment_is_available(a) && is_type(a, "vpn")) {
            offer_vpn(b, ways, a);
        }
    }
    for (size_t i = 0; i < table->propagations.n; i++) {
        offer_announced(b, ways, store_get(b->store, &tgw_attachment_kind, table->propagations.items[i].attachment_id));
    }
}

static const struct plan_tgw_port *
port_in_zone(const struct plan_tgw *t, const struct tgw_attachment *attachment, const char *zone)
{
    for (size_t i = 0; i < t->ports.n; i++) {
        const struct plan_tgw_port *p = &t->ports.items[i];
        if (p->attachment == attachment && same_zone(p->subnet, zone)) {
            return p;
        }
    }
    return NULL;
}

static const struct plan_tgw_port *
first_port(const struct plan_tgw *t, const struct tgw_attachment *attachment)
{
    for (size_t i = 0; i < t->ports.n; i++) {
        if (t->ports.items[i].attachment == attachment) {
            return &t->ports.items[i];
        }
    }
    return NULL;
}

static void
route_to(struct plan_tgw *t, uint32_t table, const struct cidr *to, const struct plan_tgw_port *port)
{
    struct nlq_route route = { .table = table, .to = *to, .type = NLQ_BLACKHOLE };
    if (port && (to->ip.family == IP_V4 ? !port->no_ip4 : port->ip6)) {
        route.type = NLQ_UNICAST;
        route.index = port->index;
        route.via = next_hop(to->ip.family);
    }
    if (to->ip.family == IP_V4 || t->ns->ip6) {
        *VEC_ADD(&t->ns->routes) = route;
    }
}

/* The sender's zone has no subnet of the attachment: the receiver's zone decides, subnet by subnet. */
static const struct plan_tgw_port *
route_by_receiver(struct builder *b, struct plan_tgw *t, uint32_t table, const way_vec *ways, const struct way *w)
{
    const struct plan_tgw_port *port = first_port(t, w->attachment);
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        const struct cidr *block = w->to.ip.family == IP_V4 ? &s->cidr : subnet_cidr6(s);
        const struct plan_tgw_port *home =
            strcmp(s->vpc_id, w->attachment->vpc_id) == 0 ? port_in_zone(t, w->attachment, s->zone) : NULL;
        if (!home || !block || block->ip.family != w->to.ip.family) {
            continue;
        }
        if (cidr_contains(block, &w->to)) {
            port = home;
        } else if (covering(ways, block) == w) {
            route_to(t, table, block, home);
        }
    }
    return port;
}

static void
plan_ways(struct builder *b, struct plan_tgw *t, uint32_t table, const way_vec *ways, const char *zone)
{
    for (size_t i = 0; i < ways->n; i++) {
        const struct way *w = &ways->items[i];
        const struct plan_tgw_port *port = NULL;
        if (w->attachment && tgw_attachment_is_available(w->attachment)) {
            /* In appliance mode both directions of a flow take one zone: here the first, for every flow. */
            bool appliance = tgw_attachment_is_appliance(w->attachment);
            port = appliance || !zone ? NULL : port_in_zone(t, w->attachment, zone);
            port = port                                          ? port
                   : appliance || !is_type(w->attachment, "vpc") ? first_port(t, w->attachment)
                                                                 : route_by_receiver(b, t, table, ways, w);
        }
        route_to(t, table, &w->to, port);
    }
}

/* A kernel table for each pair of a route table and a zone from which packets come to it. */
static void
plan_tables(struct builder *b, struct plan_tgw *t)
{
    struct plan_set *of_link = plan_set_add(b, t->ns, "table_of_link", "map table_of_link { type ifname : mark; }");
    struct map known = { 0 };
    for (size_t i = 0; i < t->ports.n; i++) {
        const struct plan_tgw_port *port = &t->ports.items[i];
        const struct tgw_route_table *table = tgw_attachment_table(b->net, port->attachment, t->tgw->obj.id);
        const char *zone = port->subnet ? port->subnet->zone : NULL;
        char key[ID_SIZE + 32], text[16];
        if (!table) {
            continue;
        }
        snprintf(key, sizeof key, "%s@%.24s", table->obj.id, zone ? zone : "");
        uint32_t mark = plan_number(b->numbers, "tgw-table", key), number = PLAN_TABLE_FIRST + 2 * mark;
        snprintf(text, sizeof text, "0x%08x", mark);
        plan_element_add(b, of_link, text, "\"%s\"", port->name);
        if (map_get(&known, key)) {
            continue;
        }
        map_put(&known, key, t);
        way_vec ways = { 0 };
        gather_ways(b, table, &ways);
        plan_ways(b, t, number, &ways, zone);
        VEC_DONE(&ways);
        for (int family = IP_V4; family <= (t->ns->ip6 ? IP_V6 : IP_V4); family += 2) {
            *VEC_ADD(&t->ns->rules) = (struct nlq_rule){
                .family = (uint8_t)family, .mark = mark, .table = number, .priority = PLAN_PRIORITY_TABLE
            };
        }
    }
    map_done(&known);
}

/* A VPN connection with static routes carries those and nothing else, whatever a table sends to it. */
static void
vpn_rules(const struct plan_tgw *t, struct buf *rules)
{
    for (size_t i = 0; i < t->ports.n; i++) {
        const struct plan_tgw_port *port = &t->ports.items[i];
        if (!port->vpn || !port->vpn->static_routes_only) {
            continue;
        }
        for (size_t j = 0; j < port->vpn->routes.n; j++) {
            const struct cidr *to = &port->vpn->routes.items[j].cidr;
            buf_printf(rules, "oifname \"%s\" %s daddr %s accept\n", port->name, to->ip.family == IP_V6 ? "ip6" : "ip",
                       cidr_str(to));
        }
        buf_printf(rules, "oifname \"%s\" counter drop comment \"no static route of the VPN connection\"\n",
                   port->name);
    }
}

void
plan_transit_tables(struct builder *b)
{
    for (struct plan_tgw *t = b->tgws; t; t = t->next) {
        struct buf rules = { 0 };
        plan_tables(b, t);
        for (int family = IP_V4; family <= (t->ns->ip6 ? IP_V6 : IP_V4); family += 2) {
            *VEC_ADD(&t->ns->routes) = (struct nlq_route){ .table = PLAN_TABLE_SILENCE,
                                                           .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                                           .type = NLQ_BLACKHOLE };
            *VEC_ADD(&t->ns->rules) = (struct nlq_rule){ .family = (uint8_t)family,
                                                         .priority = PLAN_PRIORITY_SILENCE,
                                                         .table = PLAN_TABLE_SILENCE };
        }
        plan_chain_add(b, t->ns, "p_table", "type filter hook prerouting priority -300; policy accept;",
                       "meta mark set iifname map @table_of_link\n");
        /* It carries 8,500 bytes and tells senders by the size that TCP agrees on.
         * Source: https://docs.aws.amazon.com/vpc/latest/tgw/transit-gateway-quotas.html, "MTU" */
        buf_printf(&rules, "tcp flags & (syn | rst) == syn tcp option maxseg size set %d\n", MSS_TRANSIT);
        vpn_rules(t, &rules);
        plan_chain_add(b, t->ns, "f_transit", "type filter hook forward priority 0; policy accept;", buf_str(&rules));
        buf_done(&rules);
        plan_chain_add(b, t->ns, "i_local", "type filter hook input priority 0; policy drop;", "");
        plan_transit_flows(b, t);
        VEC_DONE(&t->ports);
    }
}
