/* NAT64 of a NAT gateway: what comes in for 64:ff9b::/96 goes to the thread that translates it, returns as IPv4 from an
 * address that stands for the client, and leaves like any other IPv4 packet: under the gateway's address. Source:
 * https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html */
#include "netsim/live/plan_nat64.h"

#include <stdio.h>
#include <string.h>

#include "netsim/live/nat64.h"
#include "netsim/live/plan_build.h"

const uint8_t plan_nat64_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x0d };
/* The thread's is not that of its end of the link, so that the kernel does not take there what is sent to the thread. */
static const uint8_t thread_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x0e },
                     end_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x0f };
#define MTU 65535 /* what was put together from fragments must pass whole */

static void
add_way(struct plan_ns *ns, const char *to, const char *via_text, uint32_t index, const uint8_t mac[6])
{
    struct ip via = ip_lit(via_text);
    *VEC_ADD(&ns->routes) = (struct nlq_route){ .table = 254, .to = cidr_lit(to), .index = index, .via = via };
    plan_neighbour_add(ns, index, &via, mac);
}

void
plan_nat64(struct builder *b, struct plan_ns *ns)
{
    struct plan_link *link = VEC_ADD(&ns->links);
    *link = (struct plan_link){ .peer_ns = ns->id, .eni_id = "" };
    link->here = (struct nlq_end){ .index = PLAN_NAT64_KERNEL, .name = "nat64", .mtu = MTU, .single = true };
    link->peer = (struct nlq_end){ .index = PLAN_NAT64_THREAD, .name = "nat64-thread", .mtu = MTU, .single = true };
    memcpy(link->here.mac, plan_nat64_mac, 6);
    memcpy(link->peer.mac, end_mac, 6);
    *VEC_ADD(&ns->addresses) = (struct plan_address){ PLAN_NAT64_KERNEL, ip_lit("169.254.190.0"), 31 };
    /* Who says that a packet is too big needs an address. */
    *VEC_ADD(&ns->addresses) = (struct plan_address){ PLAN_LOOPBACK, ip_lit("64:ff9b::f000:0"), 128 };
    add_way(ns, NAT64_PREFIX, "fe80::64", PLAN_NAT64_KERNEL, thread_mac);
    add_way(ns, PLAN_NAT64_POOL, "169.254.190.1", PLAN_NAT64_KERNEL, thread_mac);
    add_way(ns, "::/0", "fe80::1", PLAN_ETH0, plan_router_mac);
    plan_chain_add(b, ns, "nat64", "",
                   "ct state invalid counter drop\n"
                   "iifname \"eth0\" oifname \"nat64\" meta l4proto { tcp, udp } accept\n"
                   "iifname \"eth0\" oifname \"nat64\" icmpv6 type { echo-request, echo-reply } accept\n"
                   "iifname \"nat64\" oifname \"eth0\" ct direction reply meta l4proto { tcp, udp, icmpv6 } accept\n"
                   "ct state related accept\n"
                   "counter drop comment \"only tcp, udp and echo, to " NAT64_PREFIX "\"\n");
}

bool
plan_has_nat64(const struct plan_ns *ns)
{
    for (size_t i = 0; i < ns->links.n; i++) {
        if (ns->kind == PLAN_NAT && ns->links.items[i].here.index == PLAN_NAT64_KERNEL) {
            return true;
        }
    }
    return false;
}
