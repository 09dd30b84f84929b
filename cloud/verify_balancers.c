#include "cloud/verify_balancers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/verify_difference.h"
#include "cloud/verify_ports.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/peering.h"
#include "netsim/model/private_service.h"

#define PACKETS_EACH    14 /* with so many for each of n targets, one is left out once in a million times */
#define PACKETS_MOST    140
#define LEFT_OUT_CHANCE 1e-5 /* above, a target that got nothing is no wonder */

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const char *
zone_of(const struct network *net, const struct eni *eni)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    return eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
}

/* ---- who may get it, by the model alone ---------------------------------------------------------------------------
 */
static bool
takes(const struct lb_listener *l, int protocol, int port)
{
    bool both = same(l->protocol, "TCP_UDP"), udp = same(l->protocol, "UDP");
    return l->port == port && (both || udp == (protocol == PROTOCOL_UDP)) &&
           (protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP);
}

static const struct lb_listener *
listener_of(const struct load_balancer *lb, int protocol, int port)
{
    for (size_t i = 0; lb && i < lb->listeners.n; i++) {
        if (takes(&lb->listeners.items[i], protocol, port)) {
            return &lb->listeners.items[i];
        }
    }
    return NULL;
}

static int
family_of(const struct target_group *group)
{
    return same(group->ip_address_type, "ipv6") ? IP_V6 : IP_V4;
}

/* In the balancer's VPC, or across a peering. */
static const struct eni *
holder_of(const struct network *net, const struct load_balancer *lb, const struct ip *ip)
{
    const struct eni *eni = network_eni_by_address(net, lb->vpc_id, ip);
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); !eni && vpc; vpc = store_next(store, vpc)) {
        if (vpc_contains_ip(vpc, ip) && network_peering_between(net, lb->vpc_id, vpc->obj.id)) {
            eni = network_eni_by_address(net, vpc->obj.id, ip);
        }
    }
    return eni;
}

/* The running instance that a target is; NULL: none of the lab. */
static const struct instance *
instance_of(const struct network *net, const struct load_balancer *lb, const struct lb_target *target)
{
    const struct store *store = network_store(net);
    const struct instance *instance = store_get(store, &instance_kind, target->id);
    struct ip ip;
    if (!instance && target->id && ip_parse(target->id, &ip)) {
        const struct eni *eni = holder_of(net, lb, &ip);
        instance = eni ? store_get(store, &instance_kind, eni->attachment.instance_id) : NULL;
    }
    return instance && instance_is_running(instance) ? instance : NULL;
}

static bool
zone_fits(const struct network *net, const struct verify_side *side, const struct eni *eni, bool crosses)
{
    const char *node = zone_of(net, side->node), *zone = eni ? zone_of(net, eni) : NULL;
    return crosses || !node || !zone || strcmp(node, zone) == 0;
}

static void
add_target(const struct network *net, const struct verify_side *side, const struct target_group *group,
           const struct lb_target *target, const struct eni *eni, const char *id, struct verify_spread *out)
{
    if (zone_fits(net, side, eni, target_group_crosses_zones(group, side->balancer))) {
        *VEC_ADD(&out->targets) = (struct verify_target){ .instance_id = id,
                                                          .id = target->id,
                                                          .group = group,
                                                          .family = family_of(group),
                                                          .port = target->port ? target->port : group->port };
    }
}

/* A connection ends at the node that it is sent to. */
static void
add_nodes(const struct network *net, const struct verify_side *side, const struct target_group *group,
          const struct lb_target *target, struct verify_spread *out)
{
    const struct load_balancer *behind = network_load_balancer(net, target->id);
    struct eni *const *nodes;
    for (size_t n = behind ? load_balancer_enis(net, behind, &nodes) : 0, i = 0; i < n; i++) {
        add_target(net, side, group, target, nodes[i], nodes[i]->obj.id, out);
    }
}

void
verify_spread_group(const struct network *net, const struct verify_side *side, const char *arn, double part,
                    struct verify_spread *out)
{
    const struct target_group *group = arn && part > 0 ? network_target_group(net, arn) : NULL;
    size_t first = out->targets.n;
    for (size_t i = 0; group && i < group->targets.n; i++) {
        const struct lb_target *target = &group->targets.items[i];
        const struct instance *instance = instance_of(net, side->balancer, target);
        const struct eni *eni = instance ? instance_eni(net, instance, 0) : NULL;
        if (same(group->target_type, "alb")) {
            add_nodes(net, side, group, target, out);
            continue;
        }
        if (same(group->target_type, "instance") && !instance) {
            continue; /* stopped: it gets nothing */
        }
        out->strangers = out->strangers || !instance;
        if (instance) {
            add_target(net, side, group, target, eni, instance->obj.id, out);
        }
    }
    for (size_t i = first; i < out->targets.n; i++) {
        out->targets.items[i].part = part / (double)(out->targets.n - first);
    }
    if (group && same(target_group_attribute(group, "stickiness.enabled"), "true")) {
        out->sticky = true;
    }
}

static void
add_actions(const struct network *net, const struct verify_side *side, const struct lb_action *actions, size_t n,
            struct verify_spread *out)
{
    for (size_t i = 0; i < n; i++) {
        const struct lb_action *a = &actions[i];
        double sum = 0;
        for (size_t j = 0; j < a->groups.n; j++) {
            sum += a->groups.items[j].weight;
        }
        if (a->groups.n == 0) {
            verify_spread_group(net, side, a->group_arn, 1, out);
        }
        for (size_t j = 0; j < a->groups.n; j++) {
            double weight = a->groups.items[j].weight;
            verify_spread_group(net, side, a->groups.items[j].group_arn,
                                a->groups.n == 1 || sum <= 0 ? 1 : weight / sum, out);
        }
    }
}

/* Those behind a listener, of an application balancer those of all its rules. */
static void
add_listener(const struct network *net, const struct verify_side *side, const struct lb_listener *l,
             struct verify_spread *out)
{
    add_actions(net, side, l->actions.items, l->actions.n, out);
    for (size_t i = 0; i < l->rules.n; i++) {
        add_actions(net, side, l->rules.items[i].actions.items, l->rules.items[i].actions.n, out);
    }
}

static void
add_classic(const struct network *net, const struct verify_side *side, const struct classic_listener *l,
            struct verify_spread *out)
{
    for (size_t i = 0; i < side->classic->instances.n; i++) {
        const char *id = side->classic->instances.items[i].id;
        const struct instance *instance = store_get(network_store(net), &instance_kind, id);
        const struct eni *eni = instance && instance_is_running(instance) ? instance_eni(net, instance, 0) : NULL;
        if (eni && zone_fits(net, side, eni, side->classic->cross_zone)) {
            *VEC_ADD(&out->targets) = (struct verify_target){
                .instance_id = instance->obj.id, .id = id, .family = IP_V4, .port = l->instance_port
            };
        }
    }
    for (size_t i = 0; i < out->targets.n; i++) {
        out->targets.items[i].part = 1.0 / (double)out->targets.n;
    }
}

#define ALL_PORTS (-2) /* -1: of a protocol that has none */

/* Of one port, or of all. */
static void
gather(const struct network *net, const struct verify_side *side, int protocol, int port, struct verify_spread *out)
{
    for (size_t i = 0; side->balancer && i < side->balancer->listeners.n; i++) {
        const struct lb_listener *l = &side->balancer->listeners.items[i];
        if (port == ALL_PORTS || takes(l, protocol, port)) {
            add_listener(net, side, l, out);
        }
    }
    for (size_t i = 0; side->classic && i < side->classic->listeners.n; i++) {
        const struct classic_listener *l = &side->classic->listeners.items[i];
        if (port == ALL_PORTS || (protocol == PROTOCOL_TCP && l->port == port)) {
            add_classic(net, side, l, out);
        }
    }
}

void
verify_spread_targets(const struct network *net, const struct verify_side *side, int protocol, int port,
                      struct verify_spread *out)
{
    gather(net, side, protocol, port, out);
}

static bool
has_receiver(const struct verify_side *side, const char *id)
{
    for (size_t i = 0; i < side->receivers.n; i++) {
        if (strcmp(side->receivers.items[i], id) == 0) {
            return true;
        }
    }
    return false;
}

static const struct eni *
node_in_zone(const struct network *net, const struct load_balancer *lb, const char *zone)
{
    struct eni *const *enis;
    for (size_t n = load_balancer_enis(net, lb, &enis), i = 0; i < n; i++) {
        if (!zone || same(zone_of(net, enis[i]), zone)) {
            return enis[i];
        }
    }
    return NULL;
}

bool
verify_side_find_receivers(const struct network *net, const struct private_service *service, struct verify_side *side)
{
    struct verify_spread all = { 0 };
    struct buf also = { 0 };
    side->node = side->eni;
    if (service) { /* with several balancers behind it, it is the service's affair which it takes */
        side->balancer =
            service->nlb_arns.n == 1 ? network_load_balancer(net, service->nlb_arns.items[0]) : side->balancer;
        side->node = side->balancer ? node_in_zone(net, side->balancer, zone_of(net, side->eni)) : NULL;
    }
    if (!side->node || (!side->balancer && !side->classic)) {
        return false;
    }
    gather(net, side, 0, ALL_PORTS, &all);
    for (size_t i = 0; i < all.targets.n; i++) {
        const char *id = all.targets.items[i].instance_id;
        if (!has_receiver(side, id)) {
            *VEC_ADD(&side->receivers) = id;
            buf_printf(&also, "%s%s", also.size ? " " : "", side->receivers.n > 1 ? id : "");
        }
    }
    side->strangers = all.strangers;
    side->also = side->receivers.n > 1 ? buf_steal(&also) : NULL;
    buf_done(&also);
    VEC_DONE(&all.targets);
    return side->receivers.n > 0;
}

static bool
proxies(const struct classic_balancer *lb, int port)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == port) {
            return classic_listener_is_proxied(lb, &lb->listeners.items[i]);
        }
    }
    return false;
}

bool
verify_ends_at_node(const struct network *net, const struct verify_side *side, int protocol, int port, int family)
{
    const struct lb_listener *listener = listener_of(side->balancer, protocol, port);
    if (side->classic) {
        return protocol == PROTOCOL_TCP && proxies(side->classic, port);
    }
    if (!listener || !load_balancer_is_network(side->balancer)) {
        return side->balancer && same(side->balancer->type, "application");
    }
    if (listener_ends_at_node(net, listener)) {
        return protocol == PROTOCOL_TCP;
    }
    struct verify_spread spread = { 0 };
    bool own = false, other = false;
    gather(net, side, protocol, port, &spread);
    for (size_t i = 0; i < spread.targets.n; i++) {
        *(spread.targets.items[i].family == family ? &own : &other) = true;
    }
    VEC_DONE(&spread.targets);
    return protocol == PROTOCOL_TCP && other && !own;
}

bool
verify_can_ask(const struct network *net, const struct verify_side *from, const struct verify_side *to, int protocol,
               int port, const struct ip *dst)
{
    if (!verify_ends_at_node(net, to, protocol, port, dst->family)) {
        return true;
    }
    const struct eni *there = from->eni ? network_eni_by_address(net, from->eni->vpc_id, dst) : NULL;
    return to->node == to->eni && (!there || there == to->eni);
}

void
verify_listener_ports(const struct verify_side *side, struct verify_ports *ports)
{
    for (size_t i = 0; side->balancer && i < side->balancer->listeners.n; i++) {
        const struct lb_listener *l = &side->balancer->listeners.items[i];
        if (!same(l->protocol, "UDP")) {
            ports_add(ports, PROTOCOL_TCP, l->port);
        }
        if (same(l->protocol, "UDP") || same(l->protocol, "TCP_UDP")) {
            ports_add(ports, PROTOCOL_UDP, l->port);
        }
    }
    for (size_t i = 0; side->classic && i < side->classic->listeners.n; i++) {
        ports_add(ports, PROTOCOL_TCP, side->classic->listeners.items[i].port);
    }
}

void
verify_node_targets(const struct network *net, const struct verify_side *side, verify_target_vec *out)
{
    struct verify_spread all = { 0 };
    if (side->node && side->node == side->eni) {
        gather(net, side, 0, ALL_PORTS, &all);
    }
    for (size_t i = 0; i < all.targets.n; i++) {
        const struct verify_target *t = &all.targets.items[i];
        bool known = false;
        for (size_t j = 0; j < out->n; j++) {
            const struct verify_target *o = &out->items[j];
            known = known || (same(o->instance_id, t->instance_id) && o->port == t->port && o->family == t->family);
        }
        if (!known) {
            *VEC_ADD(out) = *t;
        }
    }
    VEC_DONE(&all.targets);
}

/* ---- many connections ----------------------------------------------------------------------------------------------
 */
size_t
verify_spread_size(const struct network *net, const struct verify_side *side, int protocol, int port)
{
    struct verify_spread spread = { 0 };
    if (side->receivers.n > 1) {
        gather(net, side, protocol, port, &spread);
    }
    size_t n = spread.targets.n > 1 ? PACKETS_EACH * spread.targets.n : 1;
    VEC_DONE(&spread.targets);
    return n < PACKETS_MOST ? n : PACKETS_MOST;
}

void
verify_spread_add(struct verify_inquiry *inquiry, size_t n)
{
    size_t first = inquiry->questions.n - n;
    const struct verify_question *q = &inquiry->questions.items[first];
    struct verify_spread spread = { .first = first, .n = n };
    gather(inquiry->cloud->net, q->to, q->flow.protocol, q->flow.dst_port, &spread);
    if (spread.targets.n + spread.strangers < 2) {
        VEC_DONE(&spread.targets); /* nobody to choose from */
        return;
    }
    struct verify_spread *kept = *VEC_ADD(&inquiry->spreads) = xcalloc(1, sizeof *kept);
    *kept = spread;
    for (size_t i = first; i < inquiry->questions.n; i++) {
        inquiry->questions.items[i].spread = kept;
    }
}

const char *
verify_receiver(const struct verify_question *q)
{
    return q->probe.arrived && q->probe.receiver < q->to->receivers.n ? q->to->receivers.items[q->probe.receiver]
                                                                      : NULL;
}

void
verify_ask_receiver(struct verify_question *q)
{
    q->flow.receiver = verify_receiver(q);
    q->flow.receiver_src = q->flow.receiver ? q->probe.seen_src : (struct ip){ 0 };
    q->flow.receiver_port = q->flow.receiver ? q->probe.seen_dst_port : 0;
}

static bool
is_allowed(const struct verify_question *q, const char *id)
{
    for (size_t i = 0; i < q->said.receivers.n; i++) {
        if (same(q->said.receivers.items[i], id)) {
            return true;
        }
    }
    return false;
}

/* Each way to a target counts: the same instance may be in two groups of which one keeps the client's address. */
bool
verify_lost_elsewhere(const struct verify_question *q)
{
    if (!q->spread || !q->said.reachable || q->probe.arrived) {
        return false;
    }
    for (size_t i = 0; i < q->spread->targets.n; i++) {
        const char *id = q->spread->targets.items[i].instance_id;
        size_t n_ways = 0, n_open = 0;
        for (size_t j = 0; j < q->spread->targets.n; j++) {
            n_ways += same(q->spread->targets.items[j].instance_id, id);
        }
        for (size_t j = 0; j < q->said.receivers.n; j++) {
            n_open += same(q->said.receivers.items[j], id);
        }
        if (n_open < n_ways) {
            return true;
        }
    }
    return q->spread->strangers;
}

const char *
verify_question_difference(const struct verify_question *q)
{
    const char *receiver = verify_receiver(q);
    if (verify_lost_elsewhere(q)) {
        return NULL;
    }
    if (q->spread && receiver && q->said.reachable && !is_allowed(q, receiver)) {
        return "in the kernel it arrived at a target that analysis does not allow";
    }
    return verify_difference(&q->said, &q->probe);
}

/* ---- did each get some? ---------------------------------------------------------------------------------------------
 */
/* NULL: nobody checks it, or the checks changed their mind meanwhile. */
static const char *
health_of(const struct verify_inquiry *inquiry, const struct verify_question *q, const struct verify_target *t)
{
    const char *states[2] = { NULL, NULL };
    for (size_t i = 0; i < ARRAY_SIZE(states); i++) {
        const json_t *of = q->to->classic ? json_object_get(inquiry->health[i], q->to->classic->obj.id)
                                          : json_object_get(inquiry->health[i], t->group->obj.id);
        states[i] = json_string_value(json_object_get(of, t->id));
    }
    return same(states[0], states[1]) ? states[0] : NULL;
}

bool
verify_health_gap(const struct verify_inquiry *inquiry, const struct verify_question *q, struct verify_gap *gap)
{
    struct verify_spread all = { 0 };
    bool in_service[2] = { false, false };
    if (!q->to->classic || q->flow.health_check || q->flow.ends_at_balancer) {
        return false;
    }
    gather(inquiry->cloud->net, q->to, q->flow.protocol, q->flow.dst_port, &all);
    for (size_t i = 0; i < ARRAY_SIZE(in_service); i++) {
        const json_t *states = json_object_get(inquiry->health[i], q->to->classic->obj.id);
        for (size_t j = 0; j < all.targets.n; j++) {
            const char *state = json_string_value(json_object_get(states, all.targets.items[j].id));
            in_service[i] = in_service[i] || !state || same(state, "healthy");
        }
    }
    bool lacks = all.targets.n && !(in_service[0] && in_service[1]);
    VEC_DONE(&all.targets);
    if (lacks) {
        *gap = (struct verify_gap){ .lacks = "not analysed", .what = "health of the instances of" };
        snprintf(gap->id, sizeof gap->id, "%s", q->to->classic->obj.id);
    }
    return lacks;
}

/* A target that is not well gets nothing as long as another of its group is. */
static bool
is_due(const struct verify_inquiry *inquiry, const struct verify_spread *s, const struct verify_target *t)
{
    const struct verify_question *q = &inquiry->questions.items[s->first];
    const char *own = health_of(inquiry, q, t);
    bool all_known = true, any_well = false;
    for (size_t i = 0; i < s->targets.n; i++) {
        const char *state = health_of(inquiry, q, &s->targets.items[i]);
        all_known = all_known && state;
        any_well = any_well || same(state, "healthy");
    }
    bool allowed = all_known;
    for (size_t i = s->first; allowed && i < s->first + s->n; i++) {
        allowed = is_allowed(&inquiry->questions.items[i], t->instance_id) && !inquiry->questions.items[i].gap;
    }
    return allowed && !s->sticky && (!any_well || same(own, "healthy")) &&
           pow(1 - t->part, (double)s->n) < LEFT_OUT_CHANCE;
}

void
verify_spread_judge(const struct verify_inquiry *inquiry, json_t *differences)
{
    for (size_t i = 0; i < inquiry->spreads.n; i++) {
        const struct verify_spread *s = inquiry->spreads.items[i];
        const struct verify_question *q = &inquiry->questions.items[s->first];
        struct packet packet = q->said.sent;
        for (size_t j = 0; j < s->targets.n; j++) {
            const struct verify_target *t = &s->targets.items[j];
            bool met = false;
            for (size_t k = s->first; k < s->first + s->n && !met; k++) {
                met = same(verify_receiver(&inquiry->questions.items[k]), t->instance_id);
            }
            if (!met && is_due(inquiry, s, t)) {
                json_array_append_new(
                    differences,
                    json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s}", "From", q->from->name,
                              "To", q->to->name, "Flow", flow_str(&packet), "SourceIp", ip_str(&q->probe.src),
                              "DestinationIp", ip_str(&q->probe.dst), "Difference",
                              json_sprintf("analysis lets %s have connections, in the kernel it got none of %zu",
                                           t->instance_id, s->n),
                              "AnalysisWhy", "", "AnalysisSource", ip_str(&q->said.arrives.src), "AnalysisDestination",
                              t->instance_id, "Kernel", "others got them", "KernelSource", "", "KernelDestination",
                              ""));
            }
        }
    }
}
