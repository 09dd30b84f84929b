/* Load balancers: each of a balancer's interfaces is a node, a namespace of one link in its subnet.
 *
 * A node of a network balancer translates to one of the targets, chosen by the flow's own numbers.  Where the client's
 * address is kept, the target's answer is addressed to the client, and the router must send it back through the node:
 * it knows the connection, which came from the node, by its mark. Sources:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html,
 * .../network/network-load-balancers.html, .../network/target-group-health-checks.html (no healthy target: all of them)
 */
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_build.h"
#include "netsim/model/classic_balancer.h"

enum { MARK_BASE = 0x40000000, TABLE_BASE = 2000000, PRIORITY_RETURN = 50 };

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

bool
balancer_target_address(const struct network *net, const struct load_balancer *lb, const struct target_group *group,
                        const struct lb_target *target, struct balancer_target *out)
{
    const struct store *store = network_store(net);
    const struct instance *instance = store_get(store, &instance_kind, target->id);
    const struct eni *eni = instance ? instance_eni(net, instance, 0) : NULL;
    const struct ip *own = eni ? eni_primary_ip(eni) : NULL;
    *out =
        (struct balancer_target){ .group = group, .target = target, .port = target->port ? target->port : group->port };
    if (instance && (!own || !instance_is_running(instance))) {
        return false;
    }
    if (own) {
        out->ip = *own;
    } else if (!target->id || !ip_parse(target->id, &out->ip)) {
        return false; /* functions are not in the lab */
    }
    eni = eni ? eni : network_eni_by_address(net, lb->vpc_id, &out->ip);
    const struct subnet *subnet = eni ? store_get(store, &subnet_kind, eni->subnet_id) : NULL;
    out->zone = eni && eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
    out->keeps_client = load_balancer_is_network(lb) && target_group_keeps_client(group);
    return true;
}

static bool
zone_enabled(const struct load_balancer *lb, const char *zone)
{
    bool found = lb->zones.n == 0 || !zone;
    for (size_t i = 0; !found && i < lb->zones.n; i++) {
        found = same(lb->zones.items[i].zone, zone);
    }
    return found;
}

void
balancer_targets(const struct network *net, const struct load_balancer *lb, const char *node_zone,
                 const struct target_group *group, const struct map *unhealthy, balancer_target_vec *out)
{
    size_t first = out->n, n_healthy = 0;
    for (size_t i = 0; i < group->targets.n; i++) {
        struct balancer_target t;
        if (!balancer_target_address(net, lb, group, &group->targets.items[i], &t) ||
            (same(group->target_type, "instance") && !zone_enabled(lb, t.zone)) ||
            (!target_group_crosses_zones(group, lb) && node_zone && t.zone && strcmp(node_zone, t.zone) != 0)) {
            continue;
        }
        char key[BALANCER_KEY_SIZE];
        t.healthy = !unhealthy || !map_get(unhealthy, balancer_target_key(group, t.target, key));
        n_healthy += t.healthy;
        *VEC_ADD(out) = t;
    }
    for (size_t i = out->n; n_healthy && i-- > first;) {
        if (!out->items[i].healthy) {
            VEC_REMOVE(out, i);
        }
    }
}

const char *
balancer_target_key(const struct target_group *group, const struct lb_target *target,
                    char out[static BALANCER_KEY_SIZE])
{
    snprintf(out, BALANCER_KEY_SIZE, "%s %s %d", group->obj.id, target->id, target->port);
    return out;
}

/* ---- network balancers --------------------------------------------------------------------------------------------
 */
static const char *
node_zone(const struct plan_port *port)
{
    return port->eni->zone ? port->eni->zone : port->subnet->zone;
}

static void
add_groups(struct builder *b, const struct load_balancer *lb, const struct plan_port *port,
           const struct lb_listener *listener, balancer_target_vec *targets)
{
    for (size_t i = 0; i < listener->actions.n; i++) {
        const struct lb_action *action = &listener->actions.items[i];
        const struct target_group *group = action->group_arn ? network_target_group(b->net, action->group_arn) : NULL;
        if (group) {
            balancer_targets(b->net, lb, node_zone(port), group, b->numbers->unhealthy, targets);
        }
        for (size_t j = 0; !group && j < action->groups.n; j++) {
            group = network_target_group(b->net, action->groups.items[j].group_arn);
            if (group && (action->groups.items[j].weight > 0 || action->groups.n == 1)) {
                balancer_targets(b->net, lb, node_zone(port), group, b->numbers->unhealthy, targets);
            }
            group = NULL;
        }
    }
}

static void
listener_rules(struct builder *b, const struct load_balancer *lb, const struct plan_port *port,
               const struct lb_listener *listener, const char *protocol, struct buf *dnat, struct buf *snat)
{
    balancer_target_vec targets = { 0 };
    add_groups(b, lb, port, listener, &targets);
    size_t n = 0;
    for (size_t i = 0; i < targets.n; i++) {
        if (targets.items[i].ip.family == IP_V4) {
            targets.items[n++] = targets.items[i];
        }
    }
    if (n && port->primary.family) {
        buf_printf(dnat,
                   "iifname { \"eth0\", \"" PLAN_PRIVATE_LINK "*\" } ip daddr { %s, " PLAN_PRIVATE_LINK_BLOCK
                   " } %s dport %d counter dnat ip to jhash ip saddr . %s sport mod %zu map { ",
                   ip_str(&port->primary), protocol, listener->port, protocol, n);
        for (size_t i = 0; i < n; i++) {
            buf_printf(dnat, "%s%zu : %s . %d", i ? ", " : "", i, ip_str(&targets.items[i].ip), targets.items[i].port);
        }
        buf_printf(dnat, " } comment \"%s %d\"\n", protocol, listener->port);
    }
    for (size_t i = 0; i < n; i++) {
        if (!targets.items[i].keeps_client) {
            buf_printf(snat, "ip daddr %s %s dport %d ct status dnat snat ip to %s\n", ip_str(&targets.items[i].ip),
                       protocol, targets.items[i].port, ip_str(&port->primary));
        }
    }
    VEC_DONE(&targets);
}

static void
network_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct load_balancer *lb)
{
    struct buf dnat = { 0 }, snat = { 0 };
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct lb_listener *l = &lb->listeners.items[i];
        bool both = same(l->protocol, "TCP_UDP");
        if (both || same(l->protocol, "TCP") || same(l->protocol, "TLS")) {
            listener_rules(b, lb, port, l, "tcp", &dnat, &snat);
        }
        if (both || same(l->protocol, "UDP")) {
            listener_rules(b, lb, port, l, "udp", &dnat, &snat);
        }
    }
    /* PrivateLink never shows a client's address. */
    buf_printf(&snat, "ip saddr " PLAN_PRIVATE_LINK_BLOCK " ct status dnat snat ip to %s\n", ip_str(&port->primary));
    plan_chain_add(b, ns, "p_dnat", "type nat hook prerouting priority -100; policy accept;", buf_str(&dnat));
    plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;", buf_str(&snat));
    plan_chain_add(b, ns, "f_balancer", "type filter hook forward priority 0; policy drop;",
                   "ct state invalid counter drop\nct status dnat counter accept\n");
    /* What no listener takes gets no answer; health checks are its own. */
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;",
                   "ct state established,related accept\n");
    buf_done(&dnat);
    buf_done(&snat);
}

static void
application_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct load_balancer *lb)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        uint16_t number = (uint16_t)lb->listeners.items[i].port;
        for (size_t j = 0; j < port->eni->addresses.n; j++) {
            plan_service_add(b, ns, PLAN_SERVE_BALANCER, port->eni->addresses.items[j].ip, number, lb->obj.id);
        }
        for (size_t j = 0; ns->ip6 && j < port->eni->addresses6.n; j++) {
            plan_service_add(b, ns, PLAN_SERVE_BALANCER, port->eni->addresses6.items[j].ip, number, lb->obj.id);
        }
    }
}

bool
plan_balancer_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port)
{
    const struct load_balancer *lb = network_load_balancer_of_eni(b->net, port->eni);
    const struct classic_balancer *classic = lb ? NULL : network_classic_balancer_of_eni(b->net, port->eni);
    if (classic) {
        plan_classic_node(b, ns, port, classic);
        return true;
    }
    if (!lb) {
        return false;
    }
    if (load_balancer_is_network(lb)) {
        network_node(b, ns, port, lb);
    } else {
        application_node(b, ns, port, lb);
    }
    return true;
}

/* Answers to what came from a node of a network balancer go to the node. */
void
plan_balancer_returns(struct builder *b, struct plan_vpc *v)
{
    struct buf text = { 0 };
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        if (port->place != PLAN_PLACE_NODE || !port->primary.family) {
            continue;
        }
        uint32_t mark = MARK_BASE | (port->index - PLAN_LINK_BASE), table = TABLE_BASE + port->index - PLAN_LINK_BASE;
        buf_printf(&text,
                   "iifname \"%s\" ct direction original ct mark set 0x%08x\n"
                   "iifname != \"%s\" ct direction reply ct mark 0x%08x meta mark set 0x%08x\n",
                   port->name, mark, port->name, mark, mark);
        *VEC_ADD(&v->router->rules) =
            (struct nlq_rule){ .family = IP_V4, .priority = PRIORITY_RETURN, .mark = mark, .table = table };
        *VEC_ADD(&v->router->routes) = (struct nlq_route){
            .table = table, .to = cidr_lit("0.0.0.0/0"), .index = port->index, .via = port->primary
        };
    }
    if (text.size) {
        plan_chain_add(b, v->router, "p_balancer", "type filter hook prerouting priority -150; policy accept;",
                       buf_str(&text));
    }
    buf_done(&text);
}
