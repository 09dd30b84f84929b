/* AWS PrivateLink: an interface endpoint to a service of the lab is joined to the nodes of the service's network
 * balancers.
 *
 * The two VPCs may have the same addresses, so neither is known on the link: the endpoint translates what a client
 * sends to the link's own addresses, and the node goes on from there as for any connection.  No route table and no
 * network ACL lies between; the balancer's groups, where they are asked at all, see the client's address and no group
 * of it, hence their rules stand at the endpoint. Sources:
 * https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-share-your-services.html,
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"

/* Pairs of link-local addresses below those that AWS uses (169.254.169.x); of IPv6, of a block that is nobody's. */
static struct ip
link_address(uint32_t number, bool node, int family)
{
    struct cidr block = cidr_lit(PLAN_PRIVATE_LINK_BLOCK6);
    block.ip.lo = 2 * (uint64_t)number + (node ? 1 : 0);
    return family == IP_V6 ? block.ip : ip_v4(0xa9fe0000u + 2 * (number % 0x4000) + (node ? 1 : 0));
}

/* The balancer's interface in the endpoint's zone, as far as it is built. */
static struct plan_ns *
node_of(struct builder *b, const struct load_balancer *lb, const char *zone, const struct eni **node)
{
    struct eni *const *enis;
    size_t n = load_balancer_enis(b->net, lb, &enis);
    for (size_t i = 0; i < n; i++) {
        const struct subnet *subnet = store_get(b->store, &subnet_kind, enis[i]->subnet_id);
        const char *own = enis[i]->zone ? enis[i]->zone : subnet ? subnet->zone : NULL;
        if (!zone || !own || strcmp(zone, own) == 0) {
            *node = enis[i];
            return map_get(&b->plan->by_id, enis[i]->obj.id);
        }
    }
    return NULL;
}

/* Joins the two and returns the endpoint's end. */
static struct nlq_end
join(struct plan_ns *endpoint, struct plan_ns *node, uint32_t number, uint32_t far)
{
    struct nlq_end here = { .index = PLAN_LINK_BASE + number, .mtu = PLAN_MTU };
    struct nlq_end there = { .index = PLAN_LINK_BASE + far, .mtu = PLAN_MTU };
    snprintf(here.name, sizeof here.name, PLAN_PRIVATE_LINK "%u", number);
    snprintf(there.name, sizeof there.name, PLAN_PRIVATE_LINK "%u", far);
    memcpy(here.mac, plan_router_mac, 6);
    memcpy(there.mac, plan_router_mac, 6);
    for (int family = IP_V4; family <= (endpoint->ip6 && node->ip6 ? IP_V6 : IP_V4); family += IP_V6 - IP_V4) {
        struct ip own = link_address(number, false, family), other = link_address(number, true, family);
        uint8_t bits = family == IP_V6 ? 127 : 31;
        *VEC_ADD(&endpoint->addresses) = (struct plan_address){ here.index, own, bits };
        *VEC_ADD(&node->addresses) = (struct plan_address){ there.index, other, bits };
        plan_neighbour_add(endpoint, here.index, &other, plan_router_mac);
        plan_neighbour_add(node, there.index, &own, plan_router_mac);
    }
    *VEC_ADD(&endpoint->links) = (struct plan_link){ .here = here, .peer = there, .peer_ns = node->id, .eni_id = "" };
    return here;
}

struct translation {
    const struct eni *eni; /* the endpoint's */
    bool ip6;              /* both ends of the link speak it */
    struct buf dnat, snat, forward;
};

static void
carry(struct translation *t, const char *protocol, int port, uint32_t number)
{
    for (size_t i = 0; i < t->eni->addresses.n; i++) {
        struct ip far = link_address(number, true, IP_V4);
        buf_printf(&t->dnat, "iifname \"eth0\" ip daddr %s %s dport %d counter dnat ip to %s\n",
                   ip_str(&t->eni->addresses.items[i].ip), protocol, port, ip_str(&far));
    }
    for (size_t i = 0; t->ip6 && i < t->eni->addresses6.n; i++) {
        struct ip far = link_address(number, true, IP_V6);
        buf_printf(&t->dnat, "iifname \"eth0\" ip6 daddr %s %s dport %d counter dnat ip6 to %s\n",
                   ip_str(&t->eni->addresses6.items[i].ip), protocol, port, ip_str(&far));
    }
}

static void
carry_listeners(struct translation *t, const struct load_balancer *lb, uint32_t number)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct lb_listener *l = &lb->listeners.items[i];
        const char *protocol = l->protocol ? l->protocol : "TCP";
        bool both = strcmp(protocol, "TCP_UDP") == 0;
        if (both || strcmp(protocol, "TCP") == 0 || strcmp(protocol, "TLS") == 0) {
            carry(t, "tcp", l->port, number);
        }
        if (both || strcmp(protocol, "UDP") == 0) {
            carry(t, "udp", l->port, number);
        }
    }
}

static void
admit(struct builder *b, struct translation *t, const struct load_balancer *lb, const struct eni *node,
      const char *link)
{
    bool asked = node->groups.n && load_balancer_filters_endpoints(lb);
    if (!asked) {
        buf_printf(&t->forward, "oifname \"%s\" ct status dnat counter accept\n", link);
    }
    for (size_t i = 0; asked && i < node->groups.n; i++) {
        char before[64];
        snprintf(before, sizeof before, "oifname \"%s\" ct status dnat ", link);
        plan_group_blocks(b, node->groups.items[i].id, before, &t->forward);
    }
}

static void
private_link(struct builder *b, const struct eni *eni, const struct private_service *service, struct plan_ns *ns)
{
    struct translation t = { .eni = eni };
    const struct subnet *subnet = store_get(b->store, &subnet_kind, eni->subnet_id);
    const char *zone = eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
    buf_str_add(&t.forward, "ct state invalid counter drop\nct state established,related accept\n");
    for (size_t i = 0; i < service->nlb_arns.n; i++) {
        const struct load_balancer *lb = network_load_balancer(b->net, service->nlb_arns.items[i]);
        const struct eni *node = NULL;
        struct plan_ns *far = lb ? node_of(b, lb, zone, &node) : NULL;
        if (!far) {
            continue; /* none in this zone, or it failed */
        }
        char key[2 * ID_SIZE + 2];
        snprintf(key, sizeof key, "%s %s", eni->obj.id, node->obj.id);
        uint32_t number = plan_number(b->numbers, "privatelink", key);
        struct nlq_end end = join(ns, far, number, plan_number(b->numbers, "privatelink-node", key));
        struct ip own = link_address(number, false, IP_V4), own6 = link_address(number, false, IP_V6);
        t.ip6 = ns->ip6 && far->ip6;
        carry_listeners(&t, lb, number);
        buf_printf(&t.snat, "oifname \"%s\" ct status dnat snat ip to %s\n", end.name, ip_str(&own));
        if (t.ip6) {
            buf_printf(&t.snat, "oifname \"%s\" ct status dnat snat ip6 to %s\n", end.name, ip_str(&own6));
        }
        admit(b, &t, lb, node, end.name);
    }
    ns->forwards = true;
    plan_chain_add(b, ns, "p_dnat", "type nat hook prerouting priority -100; policy accept;", buf_str(&t.dnat));
    plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;", buf_str(&t.snat));
    plan_chain_add(b, ns, "f_service", "type filter hook forward priority 0; policy drop;", buf_str(&t.forward));
    /* What no listener takes gets no answer. */
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;", "");
    buf_done(&t.dnat);
    buf_done(&t.snat);
    buf_done(&t.forward);
}

void
plan_private_links(struct builder *b)
{
    for (const struct endpoint *e = store_first(b->store, &endpoint_kind); e; e = store_next(b->store, e)) {
        const struct private_service *service =
            endpoint_is_interface(e) ? network_private_service(b->net, e->service_name) : NULL;
        for (size_t i = 0; service && i < e->eni_ids.n; i++) {
            const struct eni *eni = store_get(b->store, &eni_kind, e->eni_ids.items[i]);
            struct plan_ns *ns = eni ? map_get(&b->plan->by_id, eni->obj.id) : NULL;
            if (ns && private_service_has_balancer(b->net, service)) {
                private_link(b, eni, service, ns);
            }
        }
    }
}
