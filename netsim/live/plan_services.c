/* What a router answers itself: instance metadata and names; and the named hosts of the internet.
 *
 * The addresses are the router's own, so no group and no ACL sees what is sent to them, as in AWS.  Who asks is known
 * by his address alone, so it must be one of the interface it comes from, also where the source check is off.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html */
#include <string.h>

#include "netsim/live/internet_hosts.h"
#include "netsim/live/plan_build.h"
#include "netsim/model/resolver.h"

void
plan_service_add(struct builder *b, struct plan_ns *ns, enum plan_service_kind kind, struct ip ip, uint16_t port,
                 const char *id)
{
    *VEC_ADD(&ns->services) =
        (struct plan_service){ .kind = kind, .ip = ip, .port = port, .id = arena_strdup(b->plan->arena, id) };
}

/* An address of the router that its instances may ask at a port. */
static void
serve(struct builder *b, struct plan_vpc *v, enum plan_service_kind kind, struct ip ip, uint16_t port,
      struct buf *local)
{
    bool six = ip.family == IP_V6;
    *VEC_ADD(&v->router->addresses) = (struct plan_address){ PLAN_LOOPBACK, ip, (uint8_t)ip_width(&ip) };
    plan_service_add(b, v->router, kind, ip, port, v->vpc->obj.id);
    buf_printf(local, "iifname . %s saddr @%s %s daddr %s meta l4proto %s th dport %u accept\n", six ? "ip6" : "ip",
               six ? "eni_addresses6" : "eni_addresses", six ? "ip6" : "ip", ip_str(&ip),
               kind == PLAN_SERVE_DNS ? "{ tcp, udp }" : "tcp", port);
}

void
plan_services(struct builder *b, struct plan_vpc *v)
{
    struct buf local = { 0 };
    serve(b, v, PLAN_SERVE_METADATA, ip_lit("169.254.169.254"), 80, &local);
    if (v->ip6) {
        serve(b, v, PLAN_SERVE_METADATA, ip_lit("fd00:ec2::254"), 80, &local);
    }
    if (v->vpc->dns_support) {
        struct ip own = resolver_address(v->vpc);
        if (own.family) {
            serve(b, v, PLAN_SERVE_DNS, own, 53, &local);
        }
        serve(b, v, PLAN_SERVE_DNS, ip_lit("169.254.169.253"), 53, &local);
        if (v->ip6) {
            serve(b, v, PLAN_SERVE_DNS, ip_lit("fd00:ec2::253"), 53, &local);
        }
    }
    plan_chain_add(b, v->router, "i_local", "type filter hook input priority 0; policy drop;", buf_str(&local));
    buf_done(&local);
}

/* What `serve` opened, at every address of the interface. */
void
plan_served_ports(struct builder *b, struct plan_ns *ns, const struct plan_port *port, bool ip6)
{
    size_t n4 = port->eni->addresses.n, n6 = ip6 ? port->eni->addresses6.n : 0;
    for (size_t i = 0; i < port->instance->served.n; i++) {
        const struct served_port *p = &port->instance->served.items[i];
        for (int number = p->from; number <= p->to; number++) {
            for (size_t j = 0; j < n4 + n6; j++) {
                struct ip ip = j < n4 ? port->eni->addresses.items[j].ip : port->eni->addresses6.items[j - n4].ip;
                plan_service_add(b, ns, p->protocol == PROTOCOL_UDP ? PLAN_SERVE_ECHO : PLAN_SERVE_PAGE, ip,
                                 (uint16_t)number, "");
            }
        }
    }
}

/* ---- the internet -------------------------------------------------------------------------------------------------
 */
static const uint8_t scanner_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x07 };

/* A machine of its own behind the internet, so that its address is not one of those that answer everything. */
static void
plan_scanner(struct builder *b, const struct internet_host *host, bool ip6)
{
    const uint32_t index = PLAN_LINK_BASE - 1; /* below those of links that have numbers */
    struct plan_ns *ns = plan_ns_add(b, PLAN_SCANNER_ID, PLAN_INSTANCE, ip6);
    struct plan_link *link = VEC_ADD(&b->internet->links);
    *link = (struct plan_link){ .eni_id = "", .peer_ns = PLAN_SCANNER_ID };
    link->here = (struct nlq_end){ .index = index, .name = "scan", .mtu = PLAN_MTU_INTERNET };
    link->peer = (struct nlq_end){ .index = PLAN_ETH0, .name = "eth0", .mtu = PLAN_MTU_INTERNET };
    memcpy(link->here.mac, plan_router_mac, 6);
    memcpy(link->peer.mac, scanner_mac, 6);
    for (int family = IP_V4; family <= (ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip own = ip_lit(family == IP_V4 ? host->ip4 : host->ip6);
        struct ip gateway = family == IP_V4 ? ip_add(&own, (uint64_t)-1) : ip_lit("fe80::1");
        *VEC_ADD(&ns->addresses) = (struct plan_address){ PLAN_ETH0, own, family == IP_V4 ? 30 : 128 };
        *VEC_ADD(&ns->routes) = (struct nlq_route){
            .table = 254, .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"), .index = PLAN_ETH0, .via = gateway
        };
        plan_neighbour_add(ns, PLAN_ETH0, &gateway, plan_router_mac);
        *VEC_ADD(&b->internet->routes) =
            (struct nlq_route){ .table = PLAN_TABLE_PUBLIC, .to = cidr_host(&own), .index = index };
        plan_neighbour_add(b->internet, index, &own, scanner_mac);
    }
}

void
plan_internet_hosts(struct builder *b, bool ip6)
{
    for (const struct internet_host *host = internet_hosts; host->name; host++) {
        for (int family = IP_V4; host->port && family <= (ip6 ? IP_V6 : IP_V4); family += 2) {
            plan_service_add(b, b->internet, host->port == 53 ? PLAN_SERVE_DNS : PLAN_SERVE_WEB,
                             ip_lit(family == IP_V4 ? host->ip4 : host->ip6), host->port, "");
        }
        if (!host->port) {
            plan_scanner(b, host, ip6);
        }
    }
    /* Who has no endpoint reaches the services by the internet. */
    for (const struct endpoint_service *s = endpoint_services; s->name; s++) {
        if (s->blocks[0]) {
            struct cidr block = cidr_lit(s->blocks[0]);
            /* Not on 443, where programs in the internet listen at all addresses: the kernel would let them no more. */
            plan_service_add(b, b->internet, strcmp(s->name, "s3") == 0 ? PLAN_SERVE_S3 : PLAN_SERVE_PLAIN,
                             cidr_first(&block), 80, "");
        }
    }
}
