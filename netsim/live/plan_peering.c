/* VPC peering connections: one link between two routers.
 *
 * A packet that comes in by it has no mark, so only the main table is asked, in which there are the VPC's own
 * interfaces and nothing else: no gateway, no NAT gateway, no other peering.  That is what "not transitive" means on
 * the way in; on the way out the sender's address must be the VPC's own. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

/* Whatever stands at the far end answers to these; nobody else on the wire. */
struct ip
plan_peering_hop(int family)
{
    return ip_lit(family == IP_V4 ? "169.254.190.1" : "fe80::1");
}

/* The ends of a pair must have different indexes (plan_gateway.c), hence two numbers. */
struct nlq_end
plan_peering_end(struct builder *b, struct plan_vpc *v, struct plan_vpc *other, const struct peering *peering,
                 const char *side, const char *key)
{
    struct plan_peering *p = VEC_ADD(&v->peerings);
    uint32_t number = plan_number(b->numbers, side, key);
    p->peering = peering;
    p->other = other;
    p->index = PLAN_LINK_BASE + number;
    snprintf(p->name, sizeof p->name, "pcx%u", number);
    for (int family = IP_V4; family <= (v->ip6 && other->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = plan_peering_hop(family);
        plan_neighbour_add(v->router, p->index, &far, plan_router_mac);
    }
    struct nlq_end end = { .index = p->index, .group = PLAN_GROUP_NONE, .mtu = PLAN_MTU };
    memcpy(end.name, p->name, sizeof end.name);
    memcpy(end.mac, plan_router_mac, 6);
    return end;
}

void
plan_peerings(struct builder *b)
{
    for (const struct peering *p = store_first(b->store, &peering_kind); p; p = store_next(b->store, p)) {
        struct plan_vpc *requester = plan_vpc_find(b, p->requester.vpc_id),
                        *accepter = plan_vpc_find(b, p->accepter.vpc_id);
        if (!peering_is_active(p) || !requester || !accepter || requester == accepter) {
            continue; /* its routes are blackholes */
        }
        struct plan_link *link = VEC_ADD(&requester->router->links);
        link->eni_id = "";
        link->peer_ns = accepter->router->id;
        link->here = plan_peering_end(b, requester, accepter, p, "pcx-requester", p->obj.id);
        link->peer = plan_peering_end(b, accepter, requester, p, "pcx-accepter", p->obj.id);
    }
}

struct nlq_route
plan_peering_route(const struct plan_vpc *v, const char *id, int family)
{
    for (size_t i = 0; i < v->peerings.n; i++) {
        const struct plan_peering *p = &v->peerings.items[i];
        if (!p->node && strcmp(p->peering->obj.id, id) == 0 && (family == IP_V4 || (v->ip6 && p->other->ip6))) {
            return (struct nlq_route){ .type = NLQ_UNICAST, .index = p->index, .via = plan_peering_hop(family) };
        }
    }
    return (struct nlq_route){ .type = NLQ_BLACKHOLE };
}

/* AWS lets groups of a peer be named while the connection is active, within one region.
 * Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-security-groups.html */
bool
plan_peering_carries_groups(const struct plan_vpc *v, const char *vpc_id)
{
    for (size_t i = 0; i < v->peerings.n; i++) {
        const struct peering *p = v->peerings.items[i].peering;
        const char *here = p->requester.region, *there = p->accepter.region;
        if (strcmp(v->peerings.items[i].other->vpc->obj.id, vpc_id) == 0 &&
            (!here || !there || strcmp(here, there) == 0)) {
            return true;
        }
    }
    return false;
}

static void
own_addresses(struct buf *text, const char *family, const struct vpc *vpc)
{
    bool six = strcmp(family, "ip6") == 0;
    size_t n = six ? vpc->cidrs6.n : vpc->cidrs.n;
    buf_printf(text, "oifname { \"pcx*\", \"vgw\", \"vpce*\" } %s saddr != { ", family);
    for (size_t i = 0; i < n; i++) {
        const struct cidr *cidr = six ? &vpc->cidrs6.items[i].cidr : &vpc->cidrs.items[i].cidr;
        buf_printf(text, "%s%s", i ? ", " : "", cidr_str(cidr));
    }
    buf_str_add(text, " } counter drop comment \"not an address of this VPC\"\n");
}

/* Neither a peering nor a virtual private gateway nor a gateway endpoint carries what others sent; the last takes tcp
 * and echo.  Source: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html */
void
plan_own_rules(struct builder *b, struct plan_vpc *v)
{
    if (!v->peerings.n && !v->vgw && !v->endpoints.n) {
        return;
    }
    struct buf text = { 0 };
    if (v->vpc->cidrs.n) {
        own_addresses(&text, "ip", v->vpc);
    }
    if (v->vpc->cidrs6.n) {
        own_addresses(&text, "ip6", v->vpc);
    }
    if (v->endpoints.n) {
        buf_str_add(&text, "oifname \"vpce*\" meta l4proto tcp accept\n"
                           "oifname \"vpce*\" icmp type { 0, 8 } accept\n"
                           "oifname \"vpce*\" icmpv6 type { 128, 129 } accept\n"
                           "oifname \"vpce*\" counter drop comment \"gateway endpoint: tcp and echo alone\"\n");
    }
    plan_chain_add(b, v->router, "f_own", "type filter hook forward priority 6; policy accept;", buf_str(&text));
    buf_done(&text);
}
