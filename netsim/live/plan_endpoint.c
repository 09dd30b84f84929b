/* VPC endpoints.  A gateway endpoint is a namespace behind the router in which all addresses of its service are local;
 * an interface endpoint's interfaces are namespaces of one link in their subnets.  services.h answers behind both.
 *
 * What a gateway endpoint sends has no mark, so it finds the VPC's own interfaces and nothing else.
 * Sources: https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-endpoints.html,
 * .../create-interface-endpoint.html */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/private_service.h"

static const uint8_t endpoint_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x09 };
enum { TO_VPC = 2 };

/* "com.amazonaws.us-east-1.s3": S3 speaks its own language, whatever else is asked gets a plain page. */
static enum plan_service_kind
service_of(const struct endpoint *endpoint)
{
    const char *name = endpoint->service_name ? strrchr(endpoint->service_name, '.') : NULL;
    return name && strcmp(name, ".s3") == 0 ? PLAN_SERVE_S3 : PLAN_SERVE_PLAIN;
}

static void
serve_at(struct builder *b, struct plan_ns *ns, const struct endpoint *endpoint, struct ip ip)
{
    static const uint16_t ports[] = { 80, 443 };
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        plan_service_add(b, ns, service_of(endpoint), ip, ports[i], endpoint->obj.id);
    }
}

void
plan_endpoint_interface(struct builder *b, struct plan_ns *ns, const struct plan_port *port)
{
    const struct endpoint *endpoint = network_endpoint_of_eni(b->net, port->key);
    const struct private_service *service = endpoint ? network_private_service(b->net, endpoint->service_name) : NULL;
    if (service && private_service_has_balancer(b->net, service)) {
        return; /* what answers is the lab's own: plan_private_link.c */
    }
    for (size_t i = 0; endpoint && i < port->eni->addresses.n; i++) {
        serve_at(b, ns, endpoint, port->eni->addresses.items[i].ip);
    }
    for (size_t i = 0; endpoint && ns->ip6 && i < port->eni->addresses6.n; i++) {
        serve_at(b, ns, endpoint, port->eni->addresses6.items[i].ip);
    }
}

static struct ip
next_hop(int family)
{
    return ip_lit(family == IP_V4 ? "169.254.188.1" : "fe80::1");
}

static void
gateway_endpoint(struct builder *b, struct plan_vpc *v, const struct endpoint *endpoint)
{
    uint32_t number = plan_number(b->numbers, "vpce", endpoint->obj.id);
    struct plan_ns *ns = plan_ns_add(b, endpoint->obj.id, PLAN_INSTANCE, v->ip6);
    struct plan_endpoint *e = VEC_ADD(&v->endpoints);
    *e = (struct plan_endpoint){ .endpoint = endpoint, .index = PLAN_LINK_BASE + number };
    snprintf(e->name, sizeof e->name, "vpce%u", number);
    struct plan_link *link = VEC_ADD(&v->router->links);
    *link = (struct plan_link){ .eni_id = "", .peer_ns = ns->id };
    link->here = (struct nlq_end){ .index = e->index, .group = PLAN_GROUP_NONE, .mtu = PLAN_MTU };
    link->peer = (struct nlq_end){ .index = TO_VPC, .name = "eth0", .mtu = PLAN_MTU };
    memcpy(link->here.name, e->name, sizeof link->here.name);
    memcpy(link->here.mac, plan_router_mac, 6);
    memcpy(link->peer.mac, endpoint_mac, 6);
    const struct prefix_list *list = network_service_prefix_list(b->net, endpoint->service_name);
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip far = next_hop(family);
        plan_neighbour_add(v->router, e->index, &far, endpoint_mac);
        plan_neighbour_add(ns, TO_VPC, &far, plan_router_mac);
        *VEC_ADD(&ns->routes) = (struct nlq_route){
            .table = 254, .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"), .index = TO_VPC, .via = far
        };
        for (size_t i = 0; list && i < list->entries.n; i++) {
            const struct cidr *block = &list->entries.items[i].cidr;
            if (block->ip.family == family) {
                *VEC_ADD(&ns->routes) =
                    (struct nlq_route){ .table = 255, .to = *block, .type = NLQ_LOCAL, .index = PLAN_LOOPBACK };
            }
        }
        serve_at(b, ns, endpoint, (struct ip){ .family = (uint8_t)family }); /* any of them */
    }
}

void
plan_gateway_endpoints(struct builder *b, struct plan_vpc *v)
{
    for (const struct endpoint *e = store_first(b->store, &endpoint_kind); e; e = store_next(b->store, e)) {
        if (endpoint_is_gateway(e) && endpoint_is_available(e) && strcmp(e->vpc_id, v->vpc->obj.id) == 0) {
            gateway_endpoint(b, v, e);
        }
    }
}

bool
plan_endpoint_route(const struct plan_vpc *v, const char *id, int family, struct nlq_route *route)
{
    for (size_t i = 0; i < v->endpoints.n; i++) {
        if (strcmp(v->endpoints.items[i].endpoint->obj.id, id) == 0) {
            *route = (struct nlq_route){ .type = NLQ_UNICAST,
                                         .index = v->endpoints.items[i].index,
                                         .via = next_hop(family) };
            return true;
        }
    }
    return false;
}
