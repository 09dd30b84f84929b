#include "netsim/analysis/conn_parts.h"

#include <string.h>

#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

/* Addresses tried in a part of the internet before giving up: the lab's own public ones are passed over. */
#define MAX_TRIES 4096

/* ---- Which addresses rules and routes tell apart
 * ---------------------------------------------------------------------
 */

static void
add_of_family(struct address_parts *parts, const struct cidr *cidr, int family)
{
    if (cidr->ip.family == family) {
        address_parts_add(parts, cidr);
    }
}

static void
add_prefix_list(struct conn_parts *c, const struct network *net, struct address_parts *parts, const char *id)
{
    const struct prefix_list *list = id ? store_get(network_store(net), &prefix_list_kind, id) : NULL;
    for (size_t i = 0; list && i < list->entries.n; i++) {
        add_of_family(parts, &list->entries.items[i].cidr, c->family);
    }
}

static void
collect_blocks(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    struct address_parts *parts = &c->by_ways;
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        add_of_family(parts, &vpc->cidr, c->family);
        for (size_t i = 0; i < vpc->cidrs.n; i++) {
            add_of_family(parts, &vpc->cidrs.items[i].cidr, c->family);
        }
        for (size_t i = 0; i < vpc->cidrs6.n; i++) {
            add_of_family(parts, &vpc->cidrs6.items[i].cidr, c->family);
        }
    }
    for (const struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        add_of_family(parts, &s->cidr, c->family);
        for (size_t i = 0; i < s->cidrs6.n; i++) {
            add_of_family(parts, &s->cidrs6.items[i].cidr, c->family);
        }
    }
    /* What an internet gateway refuses to carry. */
    static const char *const refused[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10",
                                           "fc00::/7" };
    for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
        add_of_family(parts, &(struct cidr){ cidr_lit(refused[i]).ip, cidr_lit(refused[i]).bits }, c->family);
    }
    add_of_family(parts, &(struct cidr){ ip_lit(c->family == IP_V6 ? "::" : "0.0.0.0"), 0 }, c->family);
}

static void
collect_routes(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct route *route = &t->routes.items[i];
            add_of_family(&c->by_ways, &route->cidr, c->family);
            add_of_family(&c->by_ways, &route->cidr6, c->family);
            add_prefix_list(c, net, &c->by_ways, route->prefix_list_id);
            const char *id = route_machine(route);
            if (id) {
                map_put(&c->own_route, id, c);
            }
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            add_of_family(&c->by_ways, &acl->entries.items[i].cidr, c->family);
            add_of_family(&c->by_ways, &acl->entries.items[i].cidr6, c->family);
        }
    }
}

static void
collect_rules(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            add_of_family(&c->by_groups, &g->rules.items[i].cidr, c->family);
            add_prefix_list(c, net, &c->by_groups, g->rules.items[i].prefix_list_id);
        }
    }
}

/* Rules of listeners tell clients apart. */
static void
collect_listener_rules(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->listeners.n; i++) {
            const struct lb_listener *listener = &lb->listeners.items[i];
            for (size_t k = 0; k < listener->rules.n; k++) {
                struct cidr block;
                for (size_t n = 0; rule_source_block(&listener->rules.items[k], n, &block); n++) {
                    add_of_family(&c->by_ways, &block, c->family);
                }
            }
        }
    }
}

/* What transit gateways, VPN connections and the announcements of Direct Connect tell apart. */
static void
collect_far_routes(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct tgw_route_table *t = store_first(store, &tgw_route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            add_of_family(&c->by_ways, &t->routes.items[i].cidr, c->family);
            add_prefix_list(c, net, &c->by_ways, t->routes.items[i].prefix_list_id);
        }
    }
    for (const struct vpn_connection *v = store_first(store, &vpn_connection_kind); v; v = store_next(store, v)) {
        for (size_t i = 0; i < v->routes.n; i++) {
            add_of_family(&c->by_ways, &v->routes.items[i].cidr, c->family);
        }
    }
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        for (size_t i = 0; i < a->allowed.n; i++) {
            add_of_family(&c->by_ways, &a->allowed.items[i].cidr, c->family);
        }
    }
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        const struct prefix_list *list =
            endpoint_is_gateway(e) ? network_service_prefix_list(net, e->service_name) : NULL;
        add_prefix_list(c, net, &c->by_ways, list ? list->obj.id : NULL);
    }
}

/* ---- Gates
 * -------------------------------------------------------------------------------------------------------------------
 */

static void
add_block(struct conn_gate *gate, const struct cidr *cidr)
{
    if (cidr->ip.family) {
        *VEC_ADD(&gate->blocks) = (struct cidr){ ip_mask(&cidr->ip, cidr->bits), cidr->bits };
    }
}

/* Routes of VPCs that lead to the gateway, and of transit gateways that lead to its attachment. */
static void
add_routes_to(const struct network *net, struct conn_gate *gate, const char *vgw_id, const char *attached_id)
{
    const struct store *store = network_store(net);
    for (const struct route_table *t = store_first(store, &route_table_kind); t && vgw_id; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct route *route = &t->routes.items[i];
            if (route->gateway_id && strcmp(route->gateway_id, vgw_id) == 0) {
                add_block(gate, &route->cidr);
                add_block(gate, &route->cidr6);
            }
        }
    }
    for (const struct tgw_route_table *t = store_first(store, &tgw_route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct tgw_route *route = &t->routes.items[i];
            const struct tgw_attachment *to =
                route->attachments.n ? store_get(store, &tgw_attachment_kind, route->attachments.items[0].attachment_id)
                                     : NULL;
            if (to && strcmp(to->resource_id, attached_id) == 0) {
                add_block(gate, &route->cidr);
            }
        }
    }
}

static struct conn_gate *
add_gate(struct conn_parts *c, const char *id)
{
    struct conn_gate *gate = VEC_ADD(&c->gates);
    gate->id = id;
    return gate;
}

static void
collect_vpns(struct conn_parts *c, const struct network *net, struct map *served)
{
    const struct store *store = network_store(net);
    for (const struct vpn_connection *v = store_first(store, &vpn_connection_kind); v; v = store_next(store, v)) {
        if (!vpn_connection_is_available(v)) {
            continue;
        }
        struct conn_gate *gate = add_gate(c, v->obj.id);
        for (size_t i = 0; i < v->routes.n; i++) {
            add_block(gate, &v->routes.items[i].cidr);
        }
        if (!v->static_routes_only) {
            gate->any_private = true;
            add_routes_to(net, gate, *v->vpn_gateway_id ? v->vpn_gateway_id : NULL, v->obj.id);
        }
        map_put(served, v->vpn_gateway_id, c);
    }
}

static void
collect_direct_connect(struct conn_parts *c, const struct network *net, struct map *served)
{
    const struct store *store = network_store(net);
    for (const struct direct_connect_gateway *dx = store_first(store, &direct_connect_gateway_kind); dx;
         dx = store_next(store, dx)) {
        struct conn_gate *gate = add_gate(c, dx->obj.id);
        gate->any_private = true;
        add_routes_to(net, gate, NULL, dx->obj.id);
        for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
             a = store_next(store, a)) {
            if (strcmp(a->gateway_id, dx->obj.id) == 0) {
                add_routes_to(net, gate, a->associated_id, dx->obj.id);
                map_put(served, a->associated_id, c);
            }
        }
    }
}

static void
collect_gates(struct conn_parts *c, const struct network *net)
{
    const struct store *store = network_store(net);
    struct map served = { 0 };
    collect_vpns(c, net, &served);
    collect_direct_connect(c, net, &served);
    for (const struct vpn_gateway *vgw = store_first(store, &vpn_gateway_kind); vgw; vgw = store_next(store, vgw)) {
        if (vpn_gateway_vpc(vgw) && !map_get(&served, vgw->obj.id)) {
            struct conn_gate *gate = add_gate(c, vgw->obj.id);
            gate->any_private = true;
            add_routes_to(net, gate, vgw->obj.id, "");
        }
    }
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        const struct prefix_list *list =
            endpoint_is_gateway(e) ? network_service_prefix_list(net, e->service_name) : NULL;
        struct conn_gate *gate = list && endpoint_is_available(e) ? add_gate(c, e->obj.id) : NULL;
        for (size_t i = 0; gate && i < list->entries.n; i++) {
            gate->service = true;
            add_block(gate, &list->entries.items[i].cidr);
        }
    }
    map_done(&served);
}

void
conn_parts_done(struct conn_parts *c)
{
    for (size_t i = 0; i < c->gates.n; i++) {
        VEC_DONE(&c->gates.items[i].blocks);
    }
    VEC_DONE(&c->gates);
    address_parts_done(&c->by_ways);
    address_parts_done(&c->by_groups);
    address_parts_done(&c->by_any);
    map_done(&c->own_route);
}

void
conn_parts_init(struct conn_parts *c, const struct network *net, const struct network *beside, int family)
{
    const struct network *nets[] = { net, beside };
    *c = (struct conn_parts){ .family = family };
    collect_gates(c, net);
    for (size_t i = 0; i < ARRAY_SIZE(nets) && nets[i]; i++) {
        collect_blocks(c, nets[i]);
        collect_routes(c, nets[i]);
        collect_rules(c, nets[i]);
        collect_far_routes(c, nets[i]);
        collect_listener_rules(c, nets[i]);
    }
    address_parts_sort(&c->by_ways);
    address_parts_sort(&c->by_groups);
    const struct address_parts *both[] = { &c->by_ways, &c->by_groups };
    for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
        for (size_t i = 0; i < both[k]->items.n; i++) {
            address_parts_add(&c->by_any, &both[k]->items.items[i].cidr);
        }
    }
    address_parts_sort(&c->by_any);
}

/* ---- Addresses to ask about
 * ----------------------------------------------------------------------------------------------
 */

static bool
is_unrouted(const struct ip *ip)
{
    return ip_is_private(ip) || ip_is_shared(ip);
}

bool
conn_is_outside(const struct network *net, const struct ip *ip, bool internet)
{
    const struct store *store = network_store(net);
    struct ip private_ip;
    if ((internet && is_unrouted(ip)) || network_eni_by_public_ip(net, ip, &private_ip)) {
        return false;
    }
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        if (vpc_contains_ip(vpc, ip)) {
            return false;
        }
    }
    return true;
}

static bool
is_behind(const struct conn_gate *gate, const struct cidr *part)
{
    bool found = gate->any_private && part->bits > 0 && is_unrouted(&part->ip);
    for (size_t i = 0; i < gate->blocks.n && !found; i++) {
        found = cidr_contains(&gate->blocks.items[i], part);
    }
    return found;
}

/* The well-known ones read better than the first of all. */
static bool
known_address(const struct conn_parts *c, const struct network *net, int part, struct ip *ip)
{
    static const char *const known[] = { "8.8.8.8", "9.9.9.9", "1.1.1.1", "2001:4860:4860::8888", "2620:fe::fe" };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        *ip = ip_lit(known[i]);
        if (ip->family == c->family && address_parts_find(&c->by_any, ip) == part && conn_is_outside(net, ip, true)) {
            return true;
        }
    }
    return false;
}

bool
conn_parts_address(const struct conn_parts *c, const struct network *net, int part, const struct conn_gate *gate,
                   struct ip *ip)
{
    struct ip from = { 0 };
    if (gate && !is_behind(gate, &c->by_any.items.items[part].cidr)) {
        return false;
    }
    if (!gate && known_address(c, net, part, ip)) {
        return true;
    }
    for (int i = 0; i < MAX_TRIES && address_parts_first(&c->by_any, part, &from, ip); i++) {
        if (conn_is_outside(net, ip, !gate)) {
            return true;
        }
        from = ip_add(ip, 1);
    }
    return false;
}
