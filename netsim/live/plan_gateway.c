/* The internet gateway of a VPC: a namespace of its own between the router and the internet, which translates addresses
 * one to one.
 *
 * It is not done in the router, because there a flow's translation would be undone on whichever way its answer takes;
 * an answer that leaves by a NAT gateway instead must stay untranslated and be lost, as in AWS. */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

static const uint8_t gateway_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x03 };
enum { TO_VPC = 2, TO_INTERNET = 3 }; /* its links */

uint32_t
plan_igw_index(struct builder *b, const struct plan_vpc *v)
{
    return PLAN_LINK_BASE + plan_number(b->numbers, "igw", v->vpc->obj.id);
}

static struct ip
internet_link_ip(uint32_t number, bool gateway_end)
{
    /* /31 pairs from 169.254.192.0/19; a lab has far fewer than its 4,096 gateways. */
    return ip_v4(0xa9fec000u + (number % 4096) * 2 + (gateway_end ? 1 : 0));
}

struct pair {
    struct ip inside, outside;
};

/* Public addresses, one to one. */
static void
plan_translation(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway)
{
    VEC(struct pair) pairs = { 0 };
    for (size_t i = 0; i < v->ports.n; i++) {
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
    struct plan_set *in = plan_set_add(b, gateway, "eip_in", "map eip_in { type ipv4_addr : ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, in, ip_str(&pairs.items[i].inside), "%s", ip_str(&pairs.items[i].outside));
    }
    struct plan_set *out = plan_set_add(b, gateway, "eip_out", "map eip_out { type ipv4_addr : ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, out, ip_str(&pairs.items[i].outside), "%s", ip_str(&pairs.items[i].inside));
    }
    struct plan_set *has = plan_set_add(b, gateway, "has_eip", "set has_eip { type ipv4_addr; }");
    for (size_t i = 0; i < pairs.n; i++) {
        plan_element_add(b, has, NULL, "%s", ip_str(&pairs.items[i].inside));
    }
    /* The world's way in: to this VPC's gateway. */
    uint32_t number = plan_igw_index(b, v);
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

/* The two ends of a pair must have different indexes: where they are equal the kernel takes up to a second to notice
 * the carrier (linkwatch_urgent_event) and drops what is sent over the link until then. */
static void
plan_gateway_links(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway)
{
    uint32_t index = plan_igw_index(b, v);
    struct plan_link *inner = VEC_ADD(&v->router->links), *outer = VEC_ADD(&gateway->links);
    inner->eni_id = outer->eni_id = "";
    inner->peer_ns = gateway->id;
    outer->peer_ns = PLAN_INTERNET_ID;
    inner->here = (struct nlq_end){ .index = index, .name = "igw", .mtu = PLAN_MTU_INTERNET };
    inner->peer = (struct nlq_end){ .index = TO_VPC, .name = "vpc", .mtu = PLAN_MTU_INTERNET };
    outer->here = (struct nlq_end){ .index = TO_INTERNET, .name = "inet", .mtu = PLAN_MTU_INTERNET };
    outer->peer = (struct nlq_end){ .index = index, .mtu = PLAN_MTU_INTERNET };
    snprintf(outer->peer.name, sizeof outer->peer.name, "r%u", index - PLAN_LINK_BASE);
    memcpy(inner->here.mac, plan_router_mac, 6);
    memcpy(inner->peer.mac, gateway_mac, 6);
    memcpy(outer->here.mac, gateway_mac, 6);
    memcpy(outer->peer.mac, plan_router_mac, 6);
}

/* Every neighbour is known beforehand: a first packet waits for nobody. */
static void
plan_gateway_routes(struct builder *b, struct plan_vpc *v, struct plan_ns *gateway)
{
    uint32_t index = plan_igw_index(b, v), number = index - PLAN_LINK_BASE;
    struct ip in_router = ip_lit("169.254.191.1"), in_gateway = ip_lit("169.254.191.0"), router6 = ip_lit("fe80::2"),
              outside6 = ip_lit("fe80::1");
    struct ip near = internet_link_ip(number, true), far = internet_link_ip(number, false);
    *VEC_ADD(&v->router->addresses) = (struct plan_address){ index, in_router, 31 };
    *VEC_ADD(&gateway->addresses) = (struct plan_address){ TO_VPC, in_gateway, 31 };
    *VEC_ADD(&gateway->addresses) = (struct plan_address){ TO_INTERNET, near, 31 };
    *VEC_ADD(&b->internet->addresses) = (struct plan_address){ index, far, 31 };
    v->igw_via = in_gateway;
    plan_neighbour_add(v->router, index, &in_gateway, gateway_mac);
    plan_neighbour_add(gateway, TO_VPC, &in_router, plan_router_mac);
    plan_neighbour_add(gateway, TO_INTERNET, &far, plan_router_mac);
    plan_neighbour_add(b->internet, index, &near, gateway_mac);
    *VEC_ADD(&gateway->routes) =
        (struct nlq_route){ .table = 254, .to = cidr_lit("0.0.0.0/0"), .index = TO_INTERNET, .via = far };
    for (size_t i = 0; i < v->vpc->cidrs.n; i++) {
        *VEC_ADD(&gateway->routes) =
            (struct nlq_route){ .table = 254, .to = v->vpc->cidrs.items[i].cidr, .index = TO_VPC, .via = in_router };
    }
    /* A gateway must not count as an address of the internet's own, as every other does in its local table. */
    *VEC_ADD(&b->internet->routes) = (struct nlq_route){ .table = 255, .to = cidr_host(&near), .index = index };
    if (!v->ip6) {
        return;
    }
    v->igw_via6 = outside6;
    plan_neighbour_add(v->router, index, &outside6, gateway_mac);
    plan_neighbour_add(gateway, TO_VPC, &router6, plan_router_mac);
    plan_neighbour_add(gateway, TO_INTERNET, &outside6, plan_router_mac);
    plan_neighbour_add(b->internet, index, &router6, gateway_mac);
    *VEC_ADD(&gateway->routes) =
        (struct nlq_route){ .table = 254, .to = cidr_lit("::/0"), .index = TO_INTERNET, .via = outside6 };
    for (size_t i = 0; i < v->vpc->cidrs6.n; i++) {
        struct cidr block = v->vpc->cidrs6.items[i].cidr;
        *VEC_ADD(&gateway->routes) = (struct nlq_route){ .table = 254, .to = block, .index = TO_VPC, .via = router6 };
        *VEC_ADD(&b->internet->routes) = (struct nlq_route){
            .table = PLAN_TABLE_PUBLIC, .to = block, .index = index, .via = router6, .source = ip_lit(PLAN_CALLER6)
        };
    }
}

/* What has no public address inside or a private one outside is dropped without a word; so is, at once, the tracked
 * flow of an address that was taken away.  IPv6 needs no translation. */
static void
plan_gateway_rules(struct builder *b, struct plan_ns *gateway)
{
    plan_chain_add(b, gateway, "p_dnat", "type nat hook prerouting priority -100; policy accept;",
                   "iifname \"inet\" dnat ip to ip daddr map @eip_in\n");
    plan_chain_add(b, gateway, "p_snat", "type nat hook postrouting priority 100; policy accept;",
                   "oifname \"inet\" snat ip to ip saddr map @eip_out\n");
    plan_chain_add(b, gateway, "i_local", "type filter hook input priority 0; policy drop;", "");
    plan_chain_add(
        b, gateway, "f_igw", "type filter hook forward priority 0; policy drop;",
        "iifname \"vpc\" oifname \"inet\" meta nfproto ipv6 accept\n"
        "iifname \"inet\" oifname \"vpc\" meta nfproto ipv6 accept\n"
        "ct state invalid counter drop comment \"not translatable\"\n"
        "iifname \"inet\" ct state new ct status & dnat == 0 counter drop comment \"nobody's address\"\n"
        "oifname \"inet\" ip daddr { 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 100.64.0.0/10 } counter drop comment "
        "\"private destination\"\n"
        "iifname \"vpc\" oifname \"inet\" ip saddr @has_eip counter accept\n"
        "iifname \"inet\" oifname \"vpc\" ip daddr @has_eip counter accept\n"
        "counter comment \"no public address\"\n");
}

void
plan_internet_gateway(struct builder *b, struct plan_vpc *v)
{
    struct plan_ns *gateway = plan_ns_add(b, v->igw->obj.id, PLAN_IGW, v->ip6);
    plan_gateway_links(b, v, gateway);
    plan_gateway_routes(b, v, gateway);
    plan_translation(b, v, gateway);
    plan_gateway_rules(b, gateway);
    plan_public_access(b, v, "igw", BPA_OUT);
}
