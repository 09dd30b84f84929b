/* The egress-only internet gateway of a VPC: a namespace between router and internet that passes what was opened from
 * inside and the answers.
 *
 * The world's way to the VPC's IPv6 block is its internet gateway, if it has one.  Answers must come back by the
 * gateway that remembers the connection, so the internet marks connections that came out here and routes their answers
 * by the mark. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/egress_only_gateway.h"

static const uint8_t gateway_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x05 };
enum { TO_VPC = 2, TO_INTERNET = 3 }; /* its links */

static const struct egress_only_gateway *
gateway_of(struct builder *b, const struct plan_vpc *v)
{
    for (const struct egress_only_gateway *g = store_first(b->store, &egress_only_gateway_kind); g;
         g = store_next(b->store, g)) {
        const char *vpc = egress_only_gateway_vpc(g);
        if (v->ip6 && vpc && strcmp(vpc, v->vpc->obj.id) == 0) {
            return g;
        }
    }
    return NULL;
}

static void
add_link(struct plan_ns *from, const char *to, struct nlq_end here, struct nlq_end peer)
{
    here.mtu = peer.mtu = PLAN_MTU_INTERNET;
    *VEC_ADD(&from->links) = (struct plan_link){ .here = here, .peer = peer, .peer_ns = to, .eni_id = "" };
}

static struct nlq_end
end_of(uint32_t index, const char *name, const uint8_t mac[6])
{
    struct nlq_end end = { .index = index };
    snprintf(end.name, sizeof end.name, "%s", name);
    memcpy(end.mac, mac, 6);
    return end;
}

static void
ways(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway, uint32_t number)
{
    uint32_t index = PLAN_LINK_BASE + number;
    struct ip outward = ip_lit("fe80::1"), inward = ip_lit("fe80::2");
    plan_neighbour_add(v->router, index, &outward, gateway_mac);
    plan_neighbour_add(gateway, TO_VPC, &inward, plan_router_mac);
    plan_neighbour_add(gateway, TO_INTERNET, &outward, plan_router_mac);
    plan_neighbour_add(b->internet, index, &inward, gateway_mac);
    *VEC_ADD(&gateway->routes) =
        (struct nlq_route){ .table = 254, .to = cidr_lit("::/0"), .index = TO_INTERNET, .via = outward };
    *VEC_ADD(&b->internet->rules) =
        (struct nlq_rule){ .family = IP_V6, .priority = 5, .mark = number, .table = PLAN_TABLE_ANSWERS + number };
    for (size_t i = 0; i < v->vpc->cidrs6.n; i++) {
        struct cidr block = v->vpc->cidrs6.items[i].cidr;
        *VEC_ADD(&gateway->routes) = (struct nlq_route){ .table = 254, .to = block, .index = TO_VPC, .via = inward };
        *VEC_ADD(&b->internet->routes) =
            (struct nlq_route){ .table = PLAN_TABLE_ANSWERS + number, .to = block, .index = index, .via = inward };
    }
}

void
plan_egress_only(struct builder *b, struct plan_vpc *v, struct buf *marks)
{
    const struct egress_only_gateway *model = gateway_of(b, v);
    if (!model) {
        return;
    }
    uint32_t number = plan_number(b->numbers, "eigw", v->vpc->obj.id);
    struct plan_ns *gateway = plan_ns_add(b, model->obj.id, PLAN_IGW, true);
    char outer[16];
    snprintf(outer, sizeof outer, "r%u", number);
    v->egress_only = model;
    v->egress_only_index = PLAN_LINK_BASE + number;
    add_link(v->router, gateway->id, end_of(PLAN_LINK_BASE + number, "eigw", plan_router_mac),
             end_of(TO_VPC, "vpc", gateway_mac));
    add_link(gateway, PLAN_INTERNET_ID, end_of(TO_INTERNET, "inet", gateway_mac),
             end_of(PLAN_LINK_BASE + number, outer, plan_router_mac));
    ways(b, v, gateway, number);
    buf_printf(marks, "iifname \"%s\" ct mark set 0x%08x\n", outer, number);
    plan_chain_add(b, gateway, "i_local", "type filter hook input priority 0; policy drop;", "");
    plan_chain_add(b, gateway, "f_egress_only", "type filter hook forward priority 0; policy drop;",
                   "ct state invalid counter drop\n"
                   "ip6 daddr fc00::/7 oifname \"inet\" counter drop comment \"private destination\"\n"
                   "iifname \"vpc\" oifname \"inet\" meta nfproto ipv6 counter accept\n"
                   "iifname \"inet\" oifname \"vpc\" ct state established,related counter accept\n");
    plan_public_access(b, v, "eigw", BPA_OUT_ONLY);
    plan_chain_add(b, v->router, "f_egress_only", "type filter hook forward priority 6; policy accept;",
                   "oifname \"eigw\" ct direction reply counter drop comment \"opened by another way\"\n");
}

void
plan_egress_only_marks(struct builder *b, const struct buf *marks)
{
    if (marks->size) {
        /* The answers of the internet's own hosts, and those of interfaces of other VPCs. */
        char *ways = xasprintf("%sct direction reply ct mark != 0 meta mark set ct mark\n", buf_str(marks));
        plan_chain_add(b, b->internet, "p_way", "type filter hook prerouting priority -150; policy accept;", ways);
        free(ways);
        plan_chain_add(b, b->internet, "o_way", "type route hook output priority -150; policy accept;",
                       "ct mark != 0 meta mark set ct mark\n");
    }
}
