/* The place behind an interface of a load balancer: listener, target group, target.  Every target is walked to; the
 * packet arrives if one gets it, and the way shown is that of the first one that does (or of the one asked for). Health
 * is not looked at, as in AWS's analyzer. Sources:
 * https://docs.aws.amazon.com/elasticloadbalancing/latest/network/load-balancer-target-groups.html (client IP
 * preservation),
 * .../network/network-load-balancers.html (cross-zone), .../application/introduction.html */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/walk_outcome.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"

#define MAX_BALANCERS                                                                                                  \
    4 /* one behind another: a network balancer before an application balancer is AWS's longest chain */

#define GENEVE_PORT 6081

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* ---- Listeners and target groups -----------------------------------------------------------------------------------
 */

static const struct {
    const char *listener;
    int protocols[2]; /* -1: no second one */
} listener_rows[] = {
    { "TCP", { PROTOCOL_TCP, -1 } },  { "TLS", { PROTOCOL_TCP, -1 } },   { "UDP", { PROTOCOL_UDP, -1 } },
    { "HTTP", { PROTOCOL_TCP, -1 } }, { "HTTPS", { PROTOCOL_TCP, -1 } }, { "TCP_UDP", { PROTOCOL_TCP, PROTOCOL_UDP } },
};

static bool
listener_takes(const struct lb_listener *listener, const struct packet *packet)
{
    for (size_t i = 0; i < ARRAY_SIZE(listener_rows); i++) {
        if (same(listener->protocol, listener_rows[i].listener)) {
            return listener->port == packet->dst_port && (listener_rows[i].protocols[0] == packet->protocol ||
                                                          listener_rows[i].protocols[1] == packet->protocol);
        }
    }
    return false;
}

static const struct lb_listener *
listener_for(const struct load_balancer *lb, const struct packet *packet)
{
    for (size_t i = 0; i < lb->listeners.n; i++) {
        if (listener_takes(&lb->listeners.items[i], packet)) {
            return &lb->listeners.items[i];
        }
    }
    return NULL;
}

typedef VEC(const struct target_group *) group_list;

static void
add_group(const struct walk *w, group_list *groups, const char *arn)
{
    const struct target_group *group = arn ? network_target_group(w->net, arn) : NULL;
    for (size_t i = 0; group && i < groups->n; i++) {
        if (groups->items[i] == group) {
            return;
        }
    }
    if (group) {
        *VEC_ADD(groups) = group;
    }
}

/* True when the balancer answers by itself: a redirect or a fixed response. */
static bool
add_action(const struct walk *w, group_list *groups, const struct lb_action *action)
{
    add_group(w, groups, action->group_arn);
    for (size_t i = 0; i < action->groups.n; i++) {
        if (action->groups.items[i].weight > 0 || action->groups.n == 1) {
            add_group(w, groups, action->groups.items[i].group_arn);
        }
    }
    return same(action->type, "redirect") || same(action->type, "fixed-response");
}

static bool
add_actions(const struct walk *w, group_list *groups, const struct lb_action *actions, size_t n)
{
    bool answers = false;
    for (size_t i = 0; i < n; i++) {
        answers = add_action(w, groups, &actions[i]) || answers;
    }
    return answers;
}

/* The rule after 'last' by priority; NULL: there is none. */
static const struct lb_rule *
next_rule(const struct lb_listener *listener, long last)
{
    const struct lb_rule *next = NULL;
    long best = 0;
    for (size_t i = 0; i < listener->rules.n; i++) {
        const struct lb_rule *rule = &listener->rules.items[i];
        long priority = rule->priority ? strtol(rule->priority, NULL, 10) : 0;
        if (!rule->is_default && priority > last && (!next || priority < best)) {
            next = rule;
            best = priority;
        }
    }
    return next;
}

/* Which rule takes a request depends on what is in it, so each of them may, but for those about the client's address:
 * one that does not fit is out, one that fits and asks nothing else takes all that the rules before it leave. */
static bool
listener_groups(const struct walk *w, const struct lb_listener *listener, group_list *groups)
{
    bool answers = false;
    long last = 0;
    for (const struct lb_rule *rule; (rule = next_rule(listener, last)); last = strtol(rule->priority, NULL, 10)) {
        bool always;
        if (rule_may_take(rule, &w->packet.src, &always)) {
            answers = add_actions(w, groups, rule->actions.items, rule->actions.n) || answers;
            if (always) {
                return answers;
            }
        }
    }
    return add_actions(w, groups, listener->actions.items, listener->actions.n) || answers;
}

/* ---- Targets -------------------------------------------------------------------------------------------------------
 */

/* NULL: it has none of the family. */
static const struct ip *
own_address(const struct eni *eni, int family)
{
    return family == IP_V4 ? eni_primary_ip(eni) : eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
}

struct candidate {
    const struct eni *eni; /* NULL: an address outside the VPC */
    struct ip ip;
    int port;
    const char *id;    /* as 'receivers' shows it */
    bool keeps_client; /* the target sees the client's address */
    const char *zone;  /* NULL: not known */
    bool crosses_zones;
};

/* How many interfaces a target may be reached at: an application balancer has a node in each of its zones. */
static size_t
n_places(const struct walk *w, const struct target_group *group, const struct lb_target *target)
{
    const struct load_balancer *behind =
        same(group->target_type, "alb") ? network_load_balancer(w->net, target->id) : NULL;
    struct eni *const *enis;
    return behind ? load_balancer_enis(w->net, behind, &enis) : 1;
}

static bool
candidate_init(const struct walk *w, const struct load_balancer *lb, const struct target_group *group,
               const struct lb_target *target, size_t at, struct candidate *c)
{
    const struct instance *instance = walk_get(w, &instance_kind, target->id);
    const struct load_balancer *behind =
        same(group->target_type, "alb") ? network_load_balancer(w->net, target->id) : NULL;
    *c = (struct candidate){ .port = target->port ? target->port : group->port, .id = target->id };
    if (instance) {
        c->eni = instance_eni(w->net, instance, 0);
    } else if (behind) {
        struct eni *const *enis;
        c->eni = load_balancer_enis(w->net, behind, &enis) > at ? enis[at] : NULL;
        c->id = c->eni && w->ends_at_application ? c->eni->obj.id : behind->obj.id;
    } else if (target->id && ip_parse(target->id, &c->ip)) {
        c->eni = network_eni_by_address(w->net, lb->vpc_id, &c->ip);
    }
    if (c->eni && !c->ip.family) {
        const struct ip *own = own_address(c->eni, same(group->ip_address_type, "ipv6") ? IP_V6 : IP_V4);
        c->ip = own ? *own : c->ip;
    }
    if (c->eni) {
        const struct subnet *subnet = walk_get(w, &subnet_kind, c->eni->subnet_id);
        c->zone = c->eni->zone ? c->eni->zone : subnet ? subnet->zone : NULL;
        c->id = *c->eni->attachment.instance_id ? c->eni->attachment.instance_id : c->id;
    }
    /* Between IPv6 clients and IPv4 targets the address cannot be kept, and udp is not carried. */
    bool same_family = c->ip.family == w->packet.dst.family;
    c->crosses_zones = target_group_crosses_zones(group, lb);
    c->keeps_client = load_balancer_is_network(lb) && same_family && target_group_keeps_client(group);
    return c->ip.family && (same_family || w->packet.protocol == PROTOCOL_TCP) && own_address(w->eni, c->ip.family);
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

/* A target in a zone that the balancer is not enabled in is not in use. */
static bool
zone_fits(const struct walk *w, const struct load_balancer *lb, const struct candidate *c)
{
    const char *node = w->eni->zone ? w->eni->zone : w->subnet ? w->subnet->zone : NULL;
    if (!zone_enabled(lb, c->zone)) {
        return false;
    }
    return c->crosses_zones || !node || !c->zone || strcmp(node, c->zone) == 0;
}

/* ---- The ways behind -----------------------------------------------------------------------------------------------
 */

static struct walk
branch_of(const struct walk *w)
{
    struct walk branch = *w;
    memset(&branch.hops, 0, sizeof branch.hops);
    memset(&branch.receivers, 0, sizeof branch.receivers);
    for (size_t i = 0; i < w->hops.n; i++) {
        *VEC_ADD(&branch.hops) = w->hops.items[i];
    }
    branch.balancers++;
    return branch;
}

/* Does the packet bear an address of the target's own machine? */
static bool
is_own(const struct walk *b, const struct candidate *c)
{
    const struct instance *instance = c->eni ? eni_instance(b->net, c->eni) : NULL;
    struct eni *const *enis;
    size_t n = instance ? instance_enis(b->net, instance, &enis) : 0;
    bool own = c->eni && eni_has_ip(c->eni, &b->packet.src);
    for (size_t i = 0; !own && i < n; i++) {
        own = strcmp(enis[i]->vpc_id, c->eni->vpc_id) == 0 && eni_has_ip(enis[i], &b->packet.src);
    }
    return own;
}

static void
walk_to_target(struct walk *b, const struct candidate *c)
{
    const struct packet at_node = b->packet;
    struct translation t = { .balancer = b->eni,
                             .endpoint = b->endpoint,
                             .before = b->endpoint ? b->at_endpoint : at_node };
    b->packet.dst = c->ip;
    b->packet.dst_port = c->port;
    if (!c->keeps_client || b->endpoint) { /* PrivateLink never shows a client's address */
        b->packet.src = at_node.dst.family == c->ip.family ? at_node.dst : *own_address(b->eni, c->ip.family);
    }
    /* AWS: for clients the rules of targets name addresses or the balancer's group, not the clients' groups.
     * Source: .../network/target-group-register-targets.html#target-security-groups */
    b->origin = (struct origin){ .vpc_id = b->vpc_id, .balancer = b->eni };
    b->endpoint = NULL;
    t.after = b->packet;
    *VEC_ADD(&b->session->translations) = t;
    if (b->hops.n > 0) {
        b->hops.items[b->hops.n - 1].packet = b->packet;
    }
    b->at = AT_EDGE_OUT;
    if (is_own(b, c)) {
        walk_stop(b, STOP_LB_LOOPBACK); /* it would answer itself, past the balancer */
    } else if (walk_pass_groups(b, true)) {
        walk_go_on(b);
    }
}

/* Is an interface asked about that is neither the balancer's nor that of the endpoint before it?  Then only what leads
 * there counts. */
static bool
asked_elsewhere(const struct walk *w)
{
    return w->target.kind == TARGET_ENI && w->target.eni != w->eni && w->target.eni != w->endpoint;
}

/* False: it does not lead to what was asked about.  Behind another balancer may be what is. */
static bool
branch_aims(struct walk *branch, const struct candidate *c)
{
    if (asked_elsewhere(branch)) {
        return c->eni && (c->eni == branch->target.eni || network_load_balancer_of_eni(branch->net, c->eni));
    }
    branch->target =
        c->eni ? (struct target){ .kind = TARGET_ENI, .eni = c->eni } : (struct target){ .kind = TARGET_ADDRESS };
    return true;
}

static void
try_target(struct walk *w, const struct candidate *c, struct outcome *outcome)
{
    struct walk branch = branch_of(w);
    if (branch_aims(&branch, c)) {
        walk_to_target(&branch, c);
        outcome_add(outcome, w, &branch, c->id);
    } else {
        walk_done(&branch);
    }
}

/* Is the node, and not what is behind it, where the question ends? */
static bool
ends_here(const struct walk *w, const struct load_balancer *lb)
{
    return (w->ends_at_balancer && !asked_elsewhere(w)) || (w->ends_at_application && same(lb->type, "application"));
}

static void
spread(struct walk *w, const struct load_balancer *lb, const group_list *groups)
{
    struct outcome outcome = outcome_of(w);
    size_t n_targets = 0;
    for (size_t g = 0; g < groups->n; g++) {
        const struct target_group *group = groups->items[g];
        for (size_t i = 0; i < group->targets.n; i++) {
            const struct lb_target *target = &group->targets.items[i];
            for (size_t at = 0; at < n_places(w, group, target); at++) {
                struct candidate c;
                bool usable = candidate_init(w, lb, group, target, at, &c);
                n_targets += usable;
                if (usable && zone_fits(w, lb, &c)) {
                    try_target(w, &c, &outcome);
                }
            }
        }
    }
    if (outcome.any) {
        outcome_take(&outcome, w, w->target);
    } else {
        walk_stop(w, asked_elsewhere(w) ? STOP_OTHER_DESTINATION
                     : n_targets > 0    ? STOP_LB_NO_TARGET_IN_ZONE
                     : groups->n == 0   ? STOP_LB_NO_GROUP
                                        : STOP_LB_NO_TARGET);
    }
}

/* ---- The answer ----------------------------------------------------------------------------------------------------
 */

static const struct translation *
balancer_memory(const struct walk *w)
{
    for (size_t i = 0; w->is_reply && i < w->session->translations.n; i++) {
        const struct translation *t = &w->session->translations.items[i];
        const struct packet *p = &w->packet;
        if (t->balancer && ip_equal(&t->after.dst, &p->src) && ip_equal(&t->after.src, &p->dst) &&
            t->after.dst_port == p->src_port && t->after.src_port == p->dst_port) {
            return t;
        }
    }
    return NULL;
}

static struct hop *
stand_at(struct walk *w, const struct eni *eni)
{
    w->eni = eni;
    w->subnet = walk_get(w, &subnet_kind, eni->subnet_id);
    w->vpc_id = eni->vpc_id;
    return walk_cross(w, HOP_ENI, &eni->obj);
}

static void
turn_back(struct walk *w, const struct translation *t)
{
    struct hop *hop = stand_at(w, t->balancer);
    hop = t->endpoint ? stand_at(w, t->endpoint) : hop;
    w->packet.src = t->before.dst;
    w->packet.src_port = t->before.dst_port;
    w->packet.dst = t->before.src;
    w->packet.dst_port = t->before.src_port;
    hop->packet = w->packet;
    w->at = AT_EDGE_OUT;
    if (!w->subnet) {
        walk_stop(w, STOP_NO_SUBNET);
    }
}

/* The answer to a client whose address was kept goes back through the balancer all the same. */
bool
balancer_takes_answer(struct walk *w)
{
    const struct translation *t = balancer_memory(w);
    if (!t || !ip_equal(&t->after.src, &t->before.src)) {
        return false;
    }
    if (strcmp(w->subnet->obj.id, t->balancer->subnet_id) != 0) {
        if (!walk_pass_acl(w, true)) {
            return true;
        }
        w->subnet = walk_get(w, &subnet_kind, t->balancer->subnet_id);
        if (w->subnet && !walk_pass_acl(w, false)) {
            return true;
        }
    }
    turn_back(w, t);
    return true;
}

/* ---- The place -----------------------------------------------------------------------------------------------------
 */

/* An answer to nothing that it sent on: it asked by itself (a health check), or drops it. */
static void
node_takes_answer(struct walk *w)
{
    if (w->target.kind == TARGET_ENI && w->target.eni == w->eni) {
        walk_arrive(w);
    } else {
        walk_stop(w, STOP_OTHER_DESTINATION);
    }
}

void
balancer_receives(struct walk *w, const struct load_balancer *lb)
{
    const struct translation *t = balancer_memory(w);
    if (t && t->balancer == w->eni) {
        turn_back(w, t);
        return;
    }
    bool asks_groups = !w->endpoint || load_balancer_filters_endpoints(lb);
    if (asks_groups && !walk_pass_groups(w, false)) {
        return;
    }
    walk_cross(w, HOP_ENI, &w->eni->obj);
    if (w->is_reply) {
        node_takes_answer(w);
        return;
    }
    const struct lb_listener *listener = listener_for(lb, &w->packet);
    walk_cross(w, HOP_LB, &lb->obj)->listener = listener;
    group_list groups = { 0 };
    if (lb->state && strncmp(lb->state, "active", 6) != 0 && walk_stops(w, STOP_LB_STATE)) {
        w->at = AT_END;
    } else if (!eni_has_ip(w->eni, &w->packet.dst)) {
        walk_stop(w, STOP_OTHER_DESTINATION);
    } else if (!listener) {
        walk_stop(w, STOP_LB_NO_LISTENER);
    } else if (w->balancers >= MAX_BALANCERS) {
        walk_stop(w, STOP_TOO_LONG);
    } else if (ends_here(w, lb)) {
        walk_arrive(w);
    } else if (w->target.kind == TARGET_INTERNET || w->target.kind == TARGET_GATEWAY) {
        walk_stop(w, STOP_NO_INTERNET_ROUTE);
    } else if (listener_groups(w, listener, &groups) && !asked_elsewhere(w)) {
        walk_arrive(w);
    } else {
        spread(w, lb, &groups);
    }
    VEC_DONE(&groups);
}

/* ---- Behind an endpoint --------------------------------------------------------------------------------------------
 */

/* The balancer's interface in the zone of the endpoint's. */
static const struct eni *
node_in_zone(const struct walk *w, const struct load_balancer *lb)
{
    struct eni *const *enis;
    const char *zone = w->eni->zone ? w->eni->zone : w->subnet ? w->subnet->zone : NULL;
    size_t n = load_balancer_enis(w->net, lb, &enis);
    for (size_t i = 0; i < n; i++) {
        const struct subnet *subnet = walk_get(w, &subnet_kind, enis[i]->subnet_id);
        const char *own = enis[i]->zone ? enis[i]->zone : subnet ? subnet->zone : NULL;
        if (!zone || !own || strcmp(zone, own) == 0) {
            return enis[i];
        }
    }
    return NULL;
}

/* Handed over inside AWS: no route table and no network ACL lies between the endpoint and the node.  Rules of the
 * node's groups see the client's address, and no group of it. */
static void
enter_node(struct walk *w, const struct load_balancer *lb, const struct eni *node)
{
    w->endpoint = w->eni;
    w->at_endpoint = w->packet;
    w->eni = node;
    w->subnet = walk_get(w, &subnet_kind, node->subnet_id);
    w->vpc_id = node->vpc_id;
    w->origin = (struct origin){ .by = ORIGIN_OUTSIDE };
    const struct ip *ip = own_address(node, w->packet.dst.family);
    if (ip) {
        w->packet.dst = *ip;
    }
    balancer_receives(w, lb);
    walk_go_on(w);
}

bool
service_receives(struct walk *w, const struct private_service *service)
{
    struct outcome outcome = outcome_of(w);
    bool known = false;
    walk_cross(w, HOP_SERVICE, &service->obj);
    for (size_t i = 0; i < service->nlb_arns.n && (!outcome.arrived || w->mended); i++) {
        const struct load_balancer *lb = network_load_balancer(w->net, service->nlb_arns.items[i]);
        const struct eni *node = lb ? node_in_zone(w, lb) : NULL;
        known = known || lb;
        if (!node) {
            continue;
        }
        struct walk branch = branch_of(w);
        branch.balancers--; /* enter_node() counts it */
        enter_node(&branch, lb, node);
        bool fewer = !outcome.arrived || outcome_has_fewer_obstacles(&outcome);
        outcome_keep(&outcome, &branch, !outcome.any || (branch.arrived && fewer));
    }
    if (outcome.any) {
        outcome_take(&outcome, w, w->target);
    } else if (known) {
        walk_stop(w, STOP_VPCE_ZONE);
    }
    return outcome.any || known;
}

/* A Gateway Load Balancer talks to its targets by GENEVE alone.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/gateway-load-balancers.html */
bool
balancer_sends(struct walk *w)
{
    const struct load_balancer *lb = w->is_reply ? NULL : network_load_balancer_of_eni(w->net, w->eni);
    if (!lb || !same(lb->type, "gateway") || w->health_check) {
        return true;
    }
    walk_cross(w, HOP_LB, &lb->obj);
    if (w->packet.protocol != PROTOCOL_UDP) {
        walk_stop(w, STOP_GWLB_PROTOCOL);
    } else if (w->packet.dst_port != GENEVE_PORT) {
        walk_stop(w, STOP_GWLB_PORT);
    }
    return w->stop == STOP_NONE;
}

/* ---- Classic Load Balancers ----------------------------------------------------------------------------------------
 */

static const struct classic_listener *
classic_listener_for(const struct classic_balancer *lb, const struct packet *packet)
{
    for (size_t i = 0; packet->protocol == PROTOCOL_TCP && i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == packet->dst_port) {
            return &lb->listeners.items[i];
        }
    }
    return NULL;
}

static bool
classic_zone_enabled(const struct classic_balancer *lb, const char *zone)
{
    bool found = lb->zones.n == 0 || !zone;
    for (size_t i = 0; !found && i < lb->zones.n; i++) {
        found = same(lb->zones.items[i], zone);
    }
    return found;
}

/* May the node send to the instance?  AWS: in enabled zones, of these its own unless cross-zone balancing is on. */
static enum stop
classic_candidate(const struct walk *w, const struct classic_balancer *lb, const struct classic_listener *listener,
                  const char *instance_id, struct candidate *c)
{
    const struct instance *instance = walk_get(w, &instance_kind, instance_id);
    const struct eni *eni = instance ? instance_eni(w->net, instance, 0) : NULL;
    const struct ip *ip = eni ? eni_primary_ip(eni) : NULL;
    if (!ip) {
        return STOP_CLB_NO_TARGET;
    }
    const struct subnet *subnet = walk_get(w, &subnet_kind, eni->subnet_id);
    const char *zone = eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
    const char *node = w->eni->zone ? w->eni->zone : w->subnet ? w->subnet->zone : NULL;
    *c = (struct candidate){ .eni = eni, .ip = *ip, .port = listener->instance_port, .id = instance_id, .zone = zone };
    return !classic_zone_enabled(lb, zone)                              ? STOP_CLB_ZONE
           : !lb->cross_zone && node && zone && strcmp(node, zone) != 0 ? STOP_CLB_NOT_CROSS_ZONE
                                                                        : STOP_NONE;
}

/* Towards its own subnet too a Classic Load Balancer meets the outbound ACL. */
static void
walk_to_instance(struct walk *b, const struct candidate *c)
{
    struct packet out = b->packet;
    out.src = *eni_primary_ip(b->eni);
    out.dst = c->ip;
    out.dst_port = c->port;
    const struct network_acl *acl = b->subnet ? network_subnet_acl(b->net, b->subnet) : NULL;
    if (acl && strcmp(c->eni->subnet_id, b->eni->subnet_id) == 0) {
        const struct nacl_entry *entry = acl_decide(acl, true, &out);
        if (!entry || entry->action == NACL_DENY) {
            b->packet = out;
            struct hop *hop = walk_cross(b, HOP_ACL, &acl->obj);
            hop->egress = true;
            hop->nacl_entry = entry;
            if (walk_stops(b, STOP_CLB_ACL)) {
                return;
            }
        }
    }
    walk_to_target(b, c);
}

static void
classic_spread(struct walk *w, const struct classic_balancer *lb, const struct classic_listener *listener)
{
    struct outcome outcome = outcome_of(w);
    enum stop why = STOP_CLB_NO_TARGET;
    for (size_t i = 0; i < lb->instances.n; i++) {
        struct candidate c;
        enum stop stop = classic_candidate(w, lb, listener, lb->instances.items[i].id, &c);
        if (stop != STOP_NONE) {
            why = why == STOP_OTHER_DESTINATION ? why : stop;
            continue;
        }
        why = STOP_OTHER_DESTINATION;
        struct walk branch = branch_of(w);
        if (branch_aims(&branch, &c)) {
            walk_to_instance(&branch, &c);
            outcome_add(&outcome, w, &branch, c.id);
        } else {
            walk_done(&branch);
        }
    }
    if (outcome.any) {
        outcome_take(&outcome, w, w->target);
    } else {
        walk_stop(w, why);
    }
}

void
classic_receives(struct walk *w, const struct classic_balancer *lb)
{
    const struct translation *t = balancer_memory(w);
    if (t && t->balancer == w->eni) {
        turn_back(w, t);
        return;
    }
    if (!walk_pass_groups(w, false)) {
        return;
    }
    walk_cross(w, HOP_ENI, &w->eni->obj);
    if (w->is_reply) {
        node_takes_answer(w);
        return;
    }
    walk_cross(w, HOP_LB, &lb->obj);
    const struct classic_listener *listener = classic_listener_for(lb, &w->packet);
    if (!eni_has_ip(w->eni, &w->packet.dst)) {
        walk_stop(w, STOP_OTHER_DESTINATION);
    } else if (!listener) {
        walk_stop(w, STOP_CLB_NO_LISTENER);
    } else if (w->balancers >= MAX_BALANCERS) {
        walk_stop(w, STOP_TOO_LONG);
    } else if (w->ends_at_balancer) {
        walk_arrive(w);
    } else if (w->target.kind == TARGET_INTERNET || w->target.kind == TARGET_GATEWAY) {
        walk_stop(w, STOP_NO_INTERNET_ROUTE);
    } else {
        classic_spread(w, lb, listener);
    }
}
