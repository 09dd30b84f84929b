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

static const struct load_balancer *
balancer_behind(const struct network *net, const struct target_group *group, const struct lb_target *target)
{
    return same(group->target_type, "alb") ? network_load_balancer(net, target->id) : NULL;
}

/* 'at': of an application balancer that is the target, which of its nodes. */
static bool
target_address_at(const struct network *net, const struct load_balancer *lb, const struct target_group *group,
                  const struct lb_target *target, size_t at, struct balancer_target *out)
{
    const struct store *store = network_store(net);
    const struct instance *instance = store_get(store, &instance_kind, target->id);
    const struct eni *eni = instance ? instance_eni(net, instance, 0) : NULL;
    bool six = same(group->ip_address_type, "ipv6");
    const struct load_balancer *behind = balancer_behind(net, group, target);
    struct eni *const *nodes;
    *out = (struct balancer_target){
        .group = group, .target = target, .port = target->port ? target->port : group->port, .slots = 1
    };
    if (behind) {
        eni = load_balancer_enis(net, behind, &nodes) > at ? nodes[at] : NULL;
    }
    const struct ip *own = !eni                ? NULL
                           : !six              ? eni_primary_ip(eni)
                           : eni->addresses6.n ? &eni->addresses6.items[0].ip
                                               : NULL;
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

bool
balancer_target_address(const struct network *net, const struct load_balancer *lb, const struct target_group *group,
                        const struct lb_target *target, struct balancer_target *out)
{
    return target_address_at(net, lb, group, target, 0, out);
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
        const struct lb_target *target = &group->targets.items[i];
        const struct load_balancer *behind = balancer_behind(net, group, target);
        struct eni *const *nodes;
        size_t n_places = behind ? load_balancer_enis(net, behind, &nodes) : 1;
        for (size_t at = 0; at < n_places; at++) {
            struct balancer_target t;
            if (!target_address_at(net, lb, group, target, at, &t) || !zone_enabled(lb, t.zone) ||
                (!target_group_crosses_zones(group, lb) && node_zone && t.zone && strcmp(node_zone, t.zone) != 0)) {
                continue;
            }
            char key[BALANCER_KEY_SIZE];
            t.healthy = !unhealthy || !map_get(unhealthy, balancer_target_key(group, target, key));
            n_healthy += t.healthy;
            *VEC_ADD(out) = t;
        }
    }
    for (size_t i = out->n; n_healthy && i-- > first;) {
        if (!out->items[i].healthy) {
            VEC_REMOVE(out, i);
        }
    }
}

/* ---- a listener's targets -----------------------------------------------------------------------------------------
 */
static long long
common_divisor(long long a, long long b)
{
    return b ? common_divisor(b, a % b) : a;
}

/* Those of one group share its weight; slots are whole numbers, so the sum is what all groups' sizes divide. */
static void
share_out(balancer_target_vec *targets, size_t first)
{
    enum { SLOTS_MAX = 1024, WHOLE_MAX = 1000000 };
    long long whole = 1, divisor = 0, sum = 0;
    for (size_t i = first; i < targets->n; i++) {
        long long n = targets->items[i].n_alike, next = whole / common_divisor(whole, n) * n;
        whole = next <= WHOLE_MAX ? next : whole; /* above, nearly is good enough */
    }
    for (size_t i = first; i < targets->n; i++) {
        struct balancer_target *t = &targets->items[i];
        t->slots = (int)(t->weight * whole / t->n_alike);
        t->slots = t->slots > 0 ? t->slots : 1;
        divisor = common_divisor(t->slots, divisor);
        sum += t->slots;
    }
    for (size_t i = first; i < targets->n; i++) {
        long long slots = targets->items[i].slots / divisor;
        slots = sum / divisor > SLOTS_MAX ? slots * SLOTS_MAX / (sum / divisor) : slots;
        targets->items[i].slots = slots > 0 ? (int)slots : 1;
    }
}

static void
add_group(const struct network *net, const struct load_balancer *lb, const char *zone, const char *arn, int weight,
          const struct map *unhealthy, balancer_target_vec *out)
{
    const struct target_group *group = arn ? network_target_group(net, arn) : NULL;
    size_t first = out->n;
    if (group && weight > 0) {
        balancer_targets(net, lb, zone, group, unhealthy, out);
    }
    for (size_t i = first; i < out->n; i++) {
        out->items[i].weight = weight;
        out->items[i].n_alike = (int)(out->n - first);
    }
}

void
balancer_listener_targets(const struct network *net, const struct load_balancer *lb, const char *zone,
                          const struct lb_listener *listener, const struct map *unhealthy, balancer_target_vec *out)
{
    size_t first = out->n;
    for (size_t i = 0; i < listener->actions.n; i++) {
        const struct lb_action *action = &listener->actions.items[i];
        if (action->groups.n == 0) {
            add_group(net, lb, zone, action->group_arn, 1, unhealthy, out);
        }
        for (size_t j = 0; j < action->groups.n; j++) {
            const struct lb_action_group *g = &action->groups.items[j];
            add_group(net, lb, zone, g->group_arn, action->groups.n == 1 ? 1 : g->weight, unhealthy, out);
        }
    }
    share_out(out, first);
}

bool
balancer_is_sticky(const struct network *net, const struct lb_listener *listener)
{
    for (size_t i = 0; i < listener->actions.n; i++) {
        const struct lb_action *action = &listener->actions.items[i];
        for (size_t j = 0; j <= action->groups.n; j++) {
            const char *arn = j < action->groups.n ? action->groups.items[j].group_arn : action->group_arn;
            const struct target_group *group = arn ? network_target_group(net, arn) : NULL;
            if (group && same(target_group_attribute(group, "stickiness.enabled"), "true") &&
                same(target_group_attribute(group, "stickiness.type"), "source_ip")) {
                return true;
            }
        }
    }
    return false;
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

/* A node, one of its listeners, and what is said of it in each of the node's families. */
struct node {
    struct builder *b;
    struct plan_ns *ns;
    const struct plan_port *port;
    const struct load_balancer *lb;
    struct buf dnat, snat, forward, local;
};

static const struct ip *
node_address(const struct plan_port *port, int family)
{
    const struct ip *ip = family == IP_V4                ? &port->primary
                          : port->eni->addresses6.n != 0 ? &port->eni->addresses6.items[0].ip
                                                         : NULL;
    return ip && ip->family ? ip : NULL;
}

static const char *
family_word(int family)
{
    return family == IP_V6 ? "ip6" : "ip";
}

static const char *
link_block(int family)
{
    return family == IP_V6 ? PLAN_PRIVATE_LINK_BLOCK6 : PLAN_PRIVATE_LINK_BLOCK;
}

/* Connections to targets of the client's own family are translated; each target has its slots of the hash. */
static void
translate(struct node *n, const struct lb_listener *listener, const char *protocol, int family,
          const balancer_target_vec *targets)
{
    const char *word = family_word(family);
    const struct ip *own = node_address(n->port, family);
    bool by_source = balancer_is_sticky(n->b->net, listener);
    int slots = 0, slot = 0;
    for (size_t i = 0; i < targets->n; i++) {
        slots += targets->items[i].ip.family == family ? targets->items[i].slots : 0;
    }
    if (!slots || !own) {
        return;
    }
    buf_printf(&n->dnat,
               "iifname { \"eth0\", \"" PLAN_PRIVATE_LINK "*\" } %s daddr { %s, %s } %s dport %d counter dnat %s to "
               "jhash %s saddr",
               word, ip_str(own), link_block(family), protocol, listener->port, word, word);
    if (!by_source) {
        buf_printf(&n->dnat, " . %s sport", protocol);
    }
    buf_printf(&n->dnat, " mod %d map { ", slots);
    for (size_t i = 0; i < targets->n; i++) {
        const struct balancer_target *t = &targets->items[i];
        for (int j = 0; t->ip.family == family && j < t->slots; j++) {
            buf_printf(&n->dnat, "%s%d : %s . %d", slot ? ", " : "", slot, ip_str(&t->ip), t->port);
            slot++;
        }
        if (t->ip.family != family) {
            continue;
        }
        /* Two groups may name one target and port, and only one of them keep the client: the listener tells. */
        char to[96];
        snprintf(to, sizeof to, "%s daddr %s %s dport %d ct original proto-dst %d", word, ip_str(&t->ip), protocol,
                 t->port, listener->port);
        if (t->keeps_client) { /* a client that was given itself would answer itself */
            buf_printf(&n->forward, "%s saddr %s %s drop\n", word, ip_str(&t->ip), to);
        } else {
            buf_printf(&n->snat, "%s ct status dnat snat %s to %s\n", to, word, ip_str(own));
        }
    }
    buf_printf(&n->dnat, " } comment \"%s %d\"\n", protocol, listener->port);
}

/* What cannot be translated, since the target is of the other family, TLS ends here or the PROXY header is due, begins
 * anew (relay.h). */
static void
relay(struct node *n, const struct lb_listener *listener, int family)
{
    const char *word = family_word(family);
    const struct ip *own = node_address(n->port, family);
    buf_printf(&n->local, "%s daddr %s tcp dport %d counter accept comment \"relay %d\"\n", word, ip_str(own),
               listener->port, listener->port);
    buf_printf(&n->dnat, "iifname \"" PLAN_PRIVATE_LINK "*\" %s daddr %s tcp dport %d dnat %s to %s\n", word,
               link_block(family), listener->port, word, ip_str(own));
    plan_service_add(n->b, n->ns, PLAN_SERVE_RELAY, *own, (uint16_t)listener->port, n->lb->obj.id);
}

static void
listener_rules(struct node *n, const struct lb_listener *listener, const char *protocol)
{
    balancer_target_vec targets = { 0 };
    bool has[2] = { false, false }, tcp = strcmp(protocol, "tcp") == 0,
         ends = tcp && listener_ends_at_node(n->b->net, listener);
    balancer_listener_targets(n->b->net, n->lb, node_zone(n->port), listener, n->b->numbers->unhealthy, &targets);
    for (size_t i = 0; i < targets.n; i++) {
        has[targets.items[i].ip.family == IP_V6] = true;
    }
    for (int family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
        bool six = family == IP_V6;
        if (!node_address(n->port, family) || (six && !n->ns->ip6)) {
            continue;
        }
        if (ends) {
            relay(n, listener, family);
        } else if (has[six]) {
            translate(n, listener, protocol, family, &targets);
        } else if (has[!six] && tcp && (!has[1] || n->ns->ip6)) {
            relay(n, listener, family);
        }
    }
    VEC_DONE(&targets);
}

void
balancer_count(struct builder *b, struct plan_ns *ns)
{
    /* Only the first packet of a connection passes a chain of this type. */
    plan_chain_add(b, ns, "p_new", "type nat hook postrouting priority 90; policy accept;",
                   "ct status dnat meta l4proto tcp counter comment \"new-tcp\"\n"
                   "ct status dnat meta l4proto udp counter comment \"new-udp\"\n");
    plan_chain_add(b, ns, "f_bytes", "type filter hook forward priority 10; policy accept;",
                   "ct status dnat meta l4proto tcp counter comment \"bytes-tcp\"\n"
                   "ct status dnat meta l4proto udp counter comment \"bytes-udp\"\n");
    /* What is relayed, to targets and from them; o_kept may mark it anew. */
    struct buf out = { 0 }, in = { 0 };
    for (int tls = 0; tls < 2; tls++) {
        unsigned mark = tls ? PLAN_MARK_RELAYED_TLS : PLAN_MARK_RELAYED;
        const char *name = tls ? "bytes-tls" : "bytes-tcp";
        buf_printf(&out, "meta mark 0x%x ct mark 0 ct mark set 0x%x\nmeta mark 0x%x counter comment \"%s\"\n", mark,
                   mark, mark, name);
        buf_printf(&in, "ct direction reply ct mark { 0x%x, 0x%x } counter comment \"%s\"\n", mark,
                   tls ? PLAN_MARK_KEPT_TLS : PLAN_MARK_KEPT, name);
    }
    plan_chain_add(b, ns, "o_bytes", "type filter hook output priority -10; policy accept;", buf_str(&out));
    plan_chain_add(b, ns, "i_bytes", "type filter hook input priority -10; policy accept;", buf_str(&in));
    buf_done(&out);
    buf_done(&in);
}

/* A connection that ends here goes on with the client's address where the target is to see it: the answers to that are
 * for this node. */
static void
keep_clients(struct node *n)
{
    struct buf out = { 0 }, in = { 0 };
    for (int family = IP_V4; family <= (n->ns->ip6 ? IP_V6 : IP_V4); family += IP_V6 - IP_V4) {
        const struct ip *own = node_address(n->port, family);
        if (!own) {
            continue;
        }
        for (int tls = 0; tls < 2; tls++) {
            buf_printf(&out, "meta mark 0x%x %s saddr != %s ct mark set 0x%x\n",
                       tls ? PLAN_MARK_RELAYED_TLS : PLAN_MARK_RELAYED, family_word(family), ip_str(own),
                       tls ? PLAN_MARK_KEPT_TLS : PLAN_MARK_KEPT);
        }
        *VEC_ADD(&n->ns->rules) = (struct nlq_rule){
            .family = (uint8_t)family, .priority = PRIORITY_RETURN, .mark = PLAN_MARK_KEPT, .table = PLAN_MARK_KEPT
        };
        *VEC_ADD(&n->ns->routes) = (struct nlq_route){ .table = PLAN_MARK_KEPT,
                                                       .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                                       .type = NLQ_LOCAL,
                                                       .index = PLAN_LOOPBACK };
    }
    buf_printf(&in, "ct direction reply ct mark 0x%x-0x%x meta mark set 0x%x\n", PLAN_MARK_KEPT, PLAN_MARK_KEPT_TLS,
               PLAN_MARK_KEPT);
    plan_chain_add(n->b, n->ns, "o_kept", "type filter hook output priority 0; policy accept;", buf_str(&out));
    plan_chain_add(n->b, n->ns, "p_kept", "type filter hook prerouting priority -150; policy accept;", buf_str(&in));
    buf_done(&out);
    buf_done(&in);
}

static void
network_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct load_balancer *lb)
{
    struct node n = { .b = b, .ns = ns, .port = port, .lb = lb };
    bool ends = false;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct lb_listener *l = &lb->listeners.items[i];
        ends = ends || listener_ends_at_node(b->net, l);
        bool both = same(l->protocol, "TCP_UDP");
        if (both || same(l->protocol, "TCP") || same(l->protocol, "TLS")) {
            listener_rules(&n, l, "tcp");
        }
        if (both || same(l->protocol, "UDP")) {
            listener_rules(&n, l, "udp");
        }
    }
    /* PrivateLink never shows a client's address. */
    for (int family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
        const struct ip *own = node_address(port, family);
        if (own) {
            buf_printf(&n.snat, "%s saddr %s ct status dnat snat %s to %s\n", family_word(family), link_block(family),
                       family_word(family), ip_str(own));
        }
    }
    plan_chain_add(b, ns, "p_dnat", "type nat hook prerouting priority -100; policy accept;", buf_str(&n.dnat));
    plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;", buf_str(&n.snat));
    buf_str_add(&n.forward, "ct state invalid counter drop\nct status dnat counter accept\n");
    plan_chain_add(b, ns, "f_balancer", "type filter hook forward priority 0; policy drop;", buf_str(&n.forward));
    /* What no listener takes gets no answer; health checks are its own. */
    buf_str_add(&n.local, "ct state established,related accept\n");
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;", buf_str(&n.local));
    balancer_count(b, ns);
    if (ends) {
        keep_clients(&n);
    }
    buf_done(&n.dnat);
    buf_done(&n.snat);
    buf_done(&n.forward);
    buf_done(&n.local);
}

static void
application_node(struct builder *b, struct plan_ns *ns, const struct plan_port *port, const struct load_balancer *lb)
{
    struct buf local = { 0 };
    for (size_t i = 0; i < lb->listeners.n; i++) {
        uint16_t number = (uint16_t)lb->listeners.items[i].port;
        buf_printf(&local, "tcp dport %u counter accept comment \"listener %u\"\n", number, number);
        for (size_t j = 0; j < port->eni->addresses.n; j++) {
            plan_service_add(b, ns, PLAN_SERVE_BALANCER, port->eni->addresses.items[j].ip, number, lb->obj.id);
        }
        for (size_t j = 0; ns->ip6 && j < port->eni->addresses6.n; j++) {
            plan_service_add(b, ns, PLAN_SERVE_BALANCER, port->eni->addresses6.items[j].ip, number, lb->obj.id);
        }
    }
    /* As with a network balancer: no answer to what no listener takes. */
    buf_str_add(&local, "ct state established,related accept\n");
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;", buf_str(&local));
    buf_done(&local);
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
        if (port->place != PLAN_PLACE_NODE) {
            continue;
        }
        uint32_t mark = MARK_BASE | (port->index - PLAN_LINK_BASE), table = TABLE_BASE + port->index - PLAN_LINK_BASE;
        buf_printf(&text, "iifname \"%s\" ct direction original ct mark set 0x%08x\n", port->name, mark);
        for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += IP_V6 - IP_V4) {
            const struct ip *node = node_address(port, family);
            if (node) { /* what is for its own address goes as routes lead */
                buf_printf(&text,
                           "iifname != \"%s\" ct direction reply ct mark 0x%08x %s daddr != %s meta mark set 0x%08x\n",
                           port->name, mark, family == IP_V4 ? "ip" : "ip6", ip_str(node), mark);
                *VEC_ADD(&v->router->rules) = (struct nlq_rule){
                    .family = (uint8_t)family, .priority = PRIORITY_RETURN, .mark = mark, .table = table
                };
                *VEC_ADD(&v->router->routes) =
                    (struct nlq_route){ .table = table,
                                        .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                        .index = port->index,
                                        .via = *node };
            }
        }
    }
    if (text.size) {
        plan_chain_add(b, v->router, "p_balancer", "type filter hook prerouting priority -150; policy accept;",
                       buf_str(&text));
    }
    buf_done(&text);
}
