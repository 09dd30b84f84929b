/* Networks outside AWS: a namespace for each site (onprem.h), in which every address answers that is not AWS's, and the
 * virtual private gateway of a VPC, a namespace between its router and the tunnels.
 *
 * A tunnel is a link; what comes back from a site takes the tunnel that the question came by. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

static const uint8_t gateway_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x06 };
enum { TO_VPC = 2 }; /* a virtual private gateway's link to its router */
enum { METRIC_STEP = 10 };
enum { MTU_TUNNEL = 1500, MSS_TUNNEL = 1360 };

static struct ip
next_hop(int family)
{
    return ip_lit(family == IP_V4 ? "169.254.190.1" : "fe80::1");
}

static bool
same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

/* ---- sites --------------------------------------------------------------------------------------------------------
 */
void
plan_sites(struct builder *b)
{
    onprem_site_vec found = { 0 };
    onprem_sites(b->net, &found);
    struct plan_site **tail = &b->sites;
    for (size_t i = 0; i < found.n; i++) {
        struct plan_site *s = *tail = arena_alloc(b->plan->arena, sizeof *s);
        tail = &s->next;
        s->site = found.items[i];
        struct ip hosts[] = { onprem_host(&s->site, IP_V4), onprem_host(&s->site, IP_V6) };
        s->ns = plan_ns_add(b, s->site.id, PLAN_ONPREM, hosts[1].family != 0);
        for (size_t j = 0; j < ARRAY_SIZE(hosts); j++) {
            if (!hosts[j].family) {
                continue;
            }
            uint8_t family = hosts[j].family;
            *VEC_ADD(&s->ns->addresses) =
                (struct plan_address){ PLAN_LOOPBACK, hosts[j], (uint8_t)ip_width(&hosts[j]) };
            *VEC_ADD(&s->ns->rules) = (struct nlq_rule){ .family = family, .priority = 10, .table = PLAN_TABLE_PUBLIC };
            *VEC_ADD(&s->ns->rules) = (struct nlq_rule){ .family = family, .priority = 20, .table = 255 };
            *VEC_ADD(&s->ns->routes) = (struct nlq_route){ .table = 255,
                                                           .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                                           .type = NLQ_LOCAL,
                                                           .index = PLAN_LOOPBACK };
        }
    }
    VEC_DONE(&found);
}

struct plan_site *
plan_site_find(struct builder *b, const char *id)
{
    for (struct plan_site *s = b->sites; s; s = s->next) {
        if (strcmp(s->site.id, id) == 0) {
            return s;
        }
    }
    return NULL;
}

static struct nlq_end
end_new(const char *prefix, uint32_t number)
{
    struct nlq_end end = { .index = PLAN_LINK_BASE + number, .mtu = MTU_TUNNEL };
    snprintf(end.name, sizeof end.name, "%s%u", prefix, number);
    memcpy(end.mac, plan_router_mac, 6);
    return end;
}

/* The ends of a pair must have different indexes (plan_gateway.c), hence two numbers. */
struct nlq_end
plan_tunnel(struct builder *b, struct plan_site *s, struct plan_ns *gateway, const char *connection_id)
{
    struct nlq_end here = end_new("vpn", plan_number(b->numbers, "tunnel", connection_id)),
                   there = end_new("tun", plan_number(b->numbers, "tunnel-end", connection_id));
    uint32_t mark = there.index - PLAN_LINK_BASE;
    *VEC_ADD(&gateway->links) = (struct plan_link){
        .here = here, .peer = there, .peer_ns = s->ns->id, .eni_id = arena_strdup(b->plan->arena, connection_id)
    };
    for (int family = IP_V4; family <= (s->ns->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = next_hop(family);
        plan_neighbour_add(gateway, here.index, &far, plan_router_mac);
        plan_neighbour_add(s->ns, there.index, &far, plan_router_mac);
        *VEC_ADD(&s->ns->rules) = (struct nlq_rule){
            .family = (uint8_t)family, .priority = 5, .mark = mark, .table = PLAN_TABLE_ANSWERS + mark
        };
        *VEC_ADD(&s->ns->routes) = (struct nlq_route){ .table = PLAN_TABLE_ANSWERS + mark,
                                                       .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                                       .index = there.index,
                                                       .via = far };
    }
    if (!s->n_tunnels++) { /* the next hop must not count as an address of its own, as every other does */
        struct ip far = next_hop(IP_V4);
        *VEC_ADD(&s->ns->routes) = (struct nlq_route){ .table = 255, .to = cidr_host(&far), .index = there.index };
    }
    s->last_index = there.index;
    buf_printf(&s->marks, "iifname \"%s\" ct state new ct mark set 0x%08x\n", there.name, mark);
    return here;
}

void
plan_site_route(struct plan_site *s, const struct cidr *to)
{
    if (!to->ip.family || (to->ip.family == IP_V6 && !s->ns->ip6)) {
        return;
    }
    *VEC_ADD(&s->ns->routes) = (struct nlq_route){ .table = PLAN_TABLE_PUBLIC,
                                                   .to = *to,
                                                   .index = s->last_index,
                                                   .via = next_hop(to->ip.family),
                                                   .source = onprem_host(&s->site, to->ip.family),
                                                   .metric = METRIC_STEP * s->n_tunnels };
}

static void
route_vpc(struct plan_site *s, const struct vpc *vpc)
{
    for (size_t i = 0; i < vpc->cidrs.n; i++) {
        plan_site_route(s, &vpc->cidrs.items[i].cidr);
    }
    for (size_t i = 0; i < vpc->cidrs6.n; i++) {
        plan_site_route(s, &vpc->cidrs6.items[i].cidr);
    }
}

/* What another site has a larger block of stays the site's own. */
static void
keep_own(struct plan_site *s, const struct cidr *own)
{
    for (size_t i = 0; i < s->ns->routes.n; i++) {
        if (s->ns->routes.items[i].type == NLQ_LOCAL && cidr_equal(&s->ns->routes.items[i].to, own)) {
            return;
        }
    }
    if (own->ip.family == IP_V4 || s->ns->ip6) {
        *VEC_ADD(&s->ns->routes) =
            (struct nlq_route){ .table = PLAN_TABLE_PUBLIC, .to = *own, .type = NLQ_LOCAL, .index = PLAN_LOOPBACK };
    }
}

/* Not to what is in one of its own blocks, nor in a VPC's. */
static void
route_to_site(struct builder *b, struct plan_site *s, const struct cidr *to)
{
    bool inside = false;
    for (size_t i = 0; i < s->site.n_prefixes; i++) {
        const struct cidr *own = &s->site.prefixes[i];
        inside |= cidr_overlaps(to, own) && own->bits <= to->bits;
    }
    for (const struct plan_vpc *v = b->vpcs; v; v = v->next) {
        inside |= vpc_contains(v->vpc, to);
    }
    for (size_t i = 0; !inside && i < s->site.n_prefixes; i++) {
        if (cidr_overlaps(to, &s->site.prefixes[i])) {
            keep_own(s, &s->site.prefixes[i]);
        }
    }
    if (!inside) {
        plan_site_route(s, to);
    }
}

/* All that may stand behind a transit gateway: every VPC and the other sites. */
void
plan_site_route_all(struct builder *b, struct plan_site *s)
{
    for (const struct plan_vpc *v = b->vpcs; v; v = v->next) {
        route_vpc(s, v->vpc);
    }
    for (const struct plan_site *other = b->sites; other; other = other->next) {
        for (size_t i = 0; other != s && i < other->site.n_prefixes; i++) {
            route_to_site(b, s, &other->site.prefixes[i]);
        }
    }
}

void
plan_sites_finish(struct builder *b)
{
    for (struct plan_site *s = b->sites; s; s = s->next) {
        /* What is led to a site stays there, though a route to AWS's blocks leads out of it again. */
        plan_chain_add(b, s->ns, "f_stay", "type filter hook forward priority 0; policy drop;", "");
        plan_chain_add(b, s->ns, "p_way", "type filter hook prerouting priority -150; policy accept;",
                       buf_str(&s->marks));
        plan_chain_add(b, s->ns, "o_way", "type route hook output priority -150; policy accept;",
                       "ct mark != 0 meta mark set ct mark\n");
        if (s->limits.size > 0) {
            plan_chain_add(b, s->ns, "o_limit", "type filter hook output priority 0; policy accept;",
                           buf_str(&s->limits));
        }
        buf_done(&s->marks);
        buf_done(&s->limits);
        /* Two ways to one block of one tunnel are one. */
        size_t kept = 0;
        for (size_t i = 0; i < s->ns->routes.n; i++) {
            bool twice = false;
            for (size_t j = 0; j < kept; j++) {
                twice |= plan_route_key_compare(&s->ns->routes.items[j], &s->ns->routes.items[i]) == 0;
            }
            if (!twice) {
                s->ns->routes.items[kept++] = s->ns->routes.items[i];
            }
        }
        s->ns->routes.n = kept;
    }
}

/* ---- virtual private gateways --------------------------------------------------------------------------------------
 */
static void
gateway_link(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway)
{
    struct nlq_end here = { .index = PLAN_LINK_BASE + plan_number(b->numbers, "vgw", gateway->id),
                            .name = "vgw",
                            .mtu = MTU_TUNNEL },
                   there = { .index = TO_VPC, .name = "vpc", .mtu = MTU_TUNNEL };
    memcpy(here.mac, plan_router_mac, 6);
    memcpy(there.mac, gateway_mac, 6);
    v->vgw_index = here.index;
    *VEC_ADD(&v->router->links) =
        (struct plan_link){ .here = here, .peer = there, .peer_ns = gateway->id, .eni_id = "" };
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = next_hop(family);
        plan_neighbour_add(v->router, here.index, &far, gateway_mac);
        plan_neighbour_add(gateway, TO_VPC, &far, plan_router_mac);
    }
}

/* The first tunnel that claims a block has it. */
static void
gateway_route(struct plan_ns *gateway, struct cidr to, uint32_t index)
{
    for (size_t i = 0; i < gateway->routes.n; i++) {
        if (cidr_equal(&gateway->routes.items[i].to, &to)) {
            return;
        }
    }
    if (!to.ip.family || (to.ip.family == IP_V6 && !gateway->ip6)) {
        return;
    }
    struct nlq_route route = { .table = 254, .to = to, .type = NLQ_BLACKHOLE };
    if (index) {
        route = (struct nlq_route){ .table = 254, .to = to, .index = index, .via = next_hop(to.ip.family) };
    }
    *VEC_ADD(&gateway->routes) = route;
}

static void
everything_else(struct plan_ns *gateway, uint32_t index)
{
    gateway_route(gateway, cidr_lit("0.0.0.0/0"), index);
    gateway_route(gateway, cidr_lit("::/0"), index);
}

/* Whether a connection takes whatever has no other way: by BGP any address may be announced. */
static bool
plan_vpns(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway)
{
    bool takes_all = false;
    for (const struct vpn_connection *vpn = store_first(b->store, &vpn_connection_kind); vpn;
         vpn = store_next(b->store, vpn)) {
        const char *id = same(vpn->vpn_gateway_id, gateway->id) ? onprem_site_of_vpn(b->net, vpn) : NULL;
        struct plan_site *s = id ? plan_site_find(b, id) : NULL;
        if (!s) {
            continue;
        }
        struct nlq_end end = plan_tunnel(b, s, gateway, vpn->obj.id);
        route_vpc(s, v->vpc);
        for (size_t i = 0; i < vpn->routes.n; i++) {
            gateway_route(gateway, vpn->routes.items[i].cidr, end.index);
        }
        if (!vpn->static_routes_only) {
            everything_else(gateway, end.index);
            takes_all = true;
        }
    }
    return takes_all;
}

/* A site's host takes every address that it has no route to for its own, also as a sender's: so what is not announced
 * is routed all the same, and refused on the way out. */
void
plan_announce(struct builder *b, struct plan_site *s, const struct direct_connect_association *association)
{
    direct_connect_blocks blocks = { 0 };
    uint32_t mark = s->last_index - PLAN_LINK_BASE;
    bool limited = direct_connect_announced(b->net, association, &blocks);
    for (size_t i = 0; limited && i < blocks.n; i++) {
        uint8_t family = blocks.items[i].ip.family;
        if (!direct_connect_fault(b->net, association->gateway_id, family)) { /* else its session tells nothing */
            buf_printf(&s->limits, "oifname \"tun%u\" %s daddr %s accept\n", mark, family == IP_V4 ? "ip" : "ip6",
                       cidr_str(&blocks.items[i]));
        }
    }
    if (limited) {
        buf_printf(&s->limits, "oifname \"tun%u\" counter drop comment \"not announced\"\n", mark);
    }
    VEC_DONE(&blocks);
}

/* Beside a VPN connection that takes everything, what is known of the site; else all that VPN connections do not route.
 */
static void
plan_direct_connects(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway, bool vpn_takes_all)
{
    for (const struct direct_connect_association *a = store_first(b->store, &direct_connect_association_kind); a;
         a = store_next(b->store, a)) {
        bool ours = same(a->associated_id, gateway->id) || same(a->vgw_id, gateway->id);
        struct plan_site *s =
            ours && direct_connect_association_carries(a) && onprem_direct_connect_is_up(b->net, a->gateway_id)
                ? plan_site_find(b, a->gateway_id)
                : NULL;
        if (!s) {
            continue;
        }
        struct nlq_end end = plan_tunnel(b, s, gateway, a->obj.id);
        route_vpc(s, v->vpc);
        plan_announce(b, s, a);
        const struct cidr all[] = { cidr_lit("0.0.0.0/0"), cidr_lit("::/0") };
        for (size_t i = 0; vpn_takes_all && i < s->site.n_prefixes; i++) {
            gateway_route(gateway, s->site.prefixes[i], end.index);
        }
        for (size_t i = 0; !vpn_takes_all && i < ARRAY_SIZE(all); i++) {
            if (!direct_connect_fault(b->net, a->gateway_id, all[i].ip.family)) {
                gateway_route(gateway, all[i], end.index);
            }
        }
    }
}

/* Virtual interfaces that lead to the gateway itself: they carry what VPN connections do not, and announce the VPC's
 * blocks. */
static void
plan_own_lines(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway, bool vpn_takes_all)
{
    const char *id = onprem_site_of_vgw(b->net, gateway->id);
    struct plan_site *s = id ? plan_site_find(b, id) : NULL;
    if (!s) {
        return;
    }
    struct nlq_end end = plan_tunnel(b, s, gateway, id);
    route_vpc(s, v->vpc);
    for (size_t i = 0; i < s->site.n_prefixes; i++) {
        gateway_route(gateway, s->site.prefixes[i], end.index);
    }
    const struct cidr all[] = { cidr_lit("0.0.0.0/0"), cidr_lit("::/0") };
    for (size_t i = 0; !vpn_takes_all && i < ARRAY_SIZE(all); i++) {
        if (!direct_connect_fault(b->net, gateway->id, all[i].ip.family)) {
            gateway_route(gateway, all[i], end.index);
        }
    }
}

void
plan_vpn_gateways(struct builder *b)
{
    for (const struct vpn_gateway *vgw = store_first(b->store, &vpn_gateway_kind); vgw;
         vgw = store_next(b->store, vgw)) {
        const char *vpc_id = vpn_gateway_vpc(vgw);
        struct plan_vpc *v = vpc_id ? plan_vpc_find(b, vpc_id) : NULL;
        if (!v || v->vgw) {
            continue;
        }
        struct plan_ns *gateway = plan_ns_add(b, vgw->obj.id, PLAN_TRANSIT, v->ip6);
        v->vgw = vgw;
        gateway_link(b, v, gateway);
        for (size_t i = 0; i < v->vpc->cidrs.n; i++) {
            gateway_route(gateway, v->vpc->cidrs.items[i].cidr, TO_VPC);
        }
        for (size_t i = 0; i < v->vpc->cidrs6.n; i++) {
            gateway_route(gateway, v->vpc->cidrs6.items[i].cidr, TO_VPC);
        }
        bool vpn_takes_all = plan_vpns(b, v, gateway);
        plan_direct_connects(b, v, gateway, vpn_takes_all);
        plan_own_lines(b, v, gateway, vpn_takes_all);
        everything_else(gateway, 0);
        char rules[256];
        snprintf(rules, sizeof rules,
                 "iifname \"vpn*\" oifname \"vpn*\" counter drop comment \"from one site to another\"\n"
                 "tcp flags & (syn | rst) == syn tcp option maxseg size set %d\n",
                 MSS_TUNNEL);
        plan_chain_add(b, gateway, "f_vgw", "type filter hook forward priority 0; policy accept;", rules);
        plan_chain_add(b, gateway, "i_local", "type filter hook input priority 0; policy drop;", "");
    }
}

struct nlq_route
plan_vpn_gateway_route(const struct plan_vpc *v, const char *id, int family)
{
    struct nlq_route out = { .type = NLQ_BLACKHOLE };
    if (v->vgw && strcmp(v->vgw->obj.id, id) == 0) {
        out = (struct nlq_route){ .type = NLQ_UNICAST, .index = v->vgw_index, .via = next_hop(family) };
    }
    return out;
}
