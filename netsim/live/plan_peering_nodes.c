/* Network balancers whose targets are across a peering and see the client's address: a link of its own for each node.
 *
 * A rule there that names the balancer's group admits what the balancer sends, whosever address it bears, and nothing
 * that a client sends past it.  The other router knows the one from the other by the link alone.  Answers go back by
 * the peering's own link; the balancer's router leads them to the node by the connection's mark. Sources:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-security-groups.html,
 * .../network/edit-target-group-attributes.html (client IP preservation), vpc-peering-security-groups.html */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_build.h"

enum { TABLE_NODES = 3000000, PRIORITY_NODES = 90 /* before routes inside the VPC */ };

/* Where the table sends the address: the connection's id, or NULL. */
static const char *
peering_towards(struct builder *b, const struct route_table *table, const struct ip *ip)
{
    const struct route *best = NULL;
    int best_bits = -1;
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        const struct prefix_list *list =
            route->prefix_list_id ? store_get(b->store, &prefix_list_kind, route->prefix_list_id) : NULL;
        const struct cidr *own = route->cidr.ip.family ? &route->cidr : &route->cidr6;
        for (size_t j = 0; j < (route->prefix_list_id ? list ? list->entries.n : 0 : 1); j++) {
            const struct cidr *to = list ? &list->entries.items[j].cidr : own;
            if (cidr_contains_ip(to, ip) && (int)to->bits > best_bits - (list ? 0 : 1)) { /* a plain route goes first */
                best = route;
                best_bits = to->bits;
            }
        }
    }
    return best && !route_is_blackhole(best) ? best->peering_id : NULL;
}

/* Targets of the node across the connection that see the client's address. */
static void
kept_targets(struct builder *b, const struct plan_port *port, const struct load_balancer *lb,
             const struct plan_peering *p, balancer_ip_vec *out)
{
    const struct route_table *table = network_subnet_route_table(b->net, port->subnet);
    const char *zone = port->eni->zone ? port->eni->zone : port->subnet->zone;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        balancer_target_vec targets = { 0 };
        balancer_listener_targets(b->net, lb, zone, &lb->listeners.items[i], NULL, &targets);
        for (size_t j = 0; j < targets.n; j++) {
            const struct balancer_target *t = &targets.items[j];
            const char *by =
                t->keeps_client && vpc_contains_ip(p->other->vpc, &t->ip) ? peering_towards(b, table, &t->ip) : NULL;
            bool known = !by || strcmp(by, p->peering->obj.id) != 0;
            for (size_t k = 0; k < out->n; k++) {
                known = known || ip_equal(&out->items[k], &t->ip);
            }
            if (!known) {
                *VEC_ADD(out) = t->ip;
            }
        }
        VEC_DONE(&targets);
    }
}

static void
lead(struct plan_vpc *v, const struct plan_port *port, const struct nlq_end *end, const balancer_ip_vec *targets)
{
    uint32_t table = TABLE_NODES + end->index - PLAN_LINK_BASE;
    for (int family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
        bool any = false;
        for (size_t i = 0; i < targets->n; i++) {
            const struct ip *to = &targets->items[i];
            if (to->family == family) {
                *VEC_ADD(&v->router->routes) = (struct nlq_route){
                    .table = table, .to = cidr_host(to), .index = end->index, .via = plan_peering_hop(family)
                };
                any = true;
            }
        }
        if (any) {
            struct nlq_rule rule = { .family = (uint8_t)family, .priority = PRIORITY_NODES, .table = table };
            memcpy(rule.iif, port->name, sizeof rule.iif);
            *VEC_ADD(&v->router->rules) = rule;
        }
    }
}

static void
plan_node(struct builder *b, struct plan_vpc *v, const struct plan_port *port, const struct load_balancer *lb)
{
    for (size_t i = 0, n = v->peerings.n; i < n; i++) {
        const struct plan_peering p = v->peerings.items[i]; /* the list grows */
        balancer_ip_vec targets = { 0 };
        if (!p.node) {
            kept_targets(b, port, lb, &p, &targets);
        }
        if (targets.n) {
            char key[2 * ID_SIZE + 2];
            snprintf(key, sizeof key, "%s %s", port->key, p.peering->obj.id);
            struct plan_link *link = VEC_ADD(&v->router->links);
            link->eni_id = "";
            link->peer_ns = p.other->router->id;
            link->here = plan_peering_end(b, v, p.other, p.peering, "pcx-node", key);
            link->peer = plan_peering_end(b, p.other, v, p.peering, "pcx-node-far", key);
            v->peerings.items[v->peerings.n - 1].node = port->key;
            p.other->peerings.items[p.other->peerings.n - 1].node = port->key;
            p.other->nodes = true;
            lead(v, port, &link->here, &targets);
        }
        VEC_DONE(&targets);
    }
}

void
plan_peering_nodes(struct builder *b)
{
    for (struct plan_vpc *v = b->vpcs; v; v = v->next) {
        for (size_t i = 0; v->peerings.n && i < v->ports.n; i++) {
            const struct plan_port *port = &v->ports.items[i];
            const struct load_balancer *lb =
                port->place == PLAN_PLACE_NODE ? network_load_balancer_of_eni(b->net, port->eni) : NULL;
            if (lb && load_balancer_is_network(lb)) {
                v->leads_nodes = true; /* or may, by the next route */
                plan_node(b, v, port, lb);
            }
        }
    }
}
