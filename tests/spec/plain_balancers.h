/* tests/spec/plain_balancers.h - the fourth part of plain_net.h: load balancers, and endpoints with a service behind
 * them.
 *
 * Read from AWS's pages: elasticloadbalancing network, application and classic introduction,
 * edit-target-group-attributes (whose address a target sees), target-group-register-targets (groups and ACLs of
 * targets), load-balancer-security-groups, cross-zone balancing, privatelink create-endpoint-service.  Health is not
 * looked at.  Of several targets the first that gets the packet stands for all. */
#pragma once
#include "tests/spec/plain_services.h"

/* ---- Whose address, which target
 * -------------------------------------------------------------------------------------
 */

struct plain_target {
    const struct eni *eni; /* NULL: nobody's in the balancer's VPC */
    struct ip ip;
    int port;
    const char *zone; /* NULL: not known */
    bool keeps;       /* it sees the client's address */
};
struct plain_outcome {
    struct plain w;
    bool any;
};

static const char *
plain_zone(const struct plain *w, const struct eni *eni)
{
    const struct subnet *subnet = plain_subnet(w, eni->subnet_id);
    return eni->zone ? eni->zone : subnet->zone;
}

/* NULL: it has none of the family. */
static const struct ip *
plain_address(const struct eni *eni, int family)
{
    if (family == IP_V6) {
        return eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
    }
    return eni->addresses.n ? &eni->addresses.items[0].ip : NULL;
}

static const char *
plain_attribute(const struct lb_attribute *items, size_t n, const char *key)
{
    const char *found = NULL;
    for (size_t i = 0; i < n; i++) {
        found = strcmp(items[i].key, key) == 0 ? items[i].value : found;
    }
    return found;
}

static bool
plain_crosses_zones(const struct load_balancer *lb, const struct target_group *group)
{
    static const char key[] = "load_balancing.cross_zone.enabled";
    const char *own = plain_attribute(group->attributes.items, group->attributes.n, key);
    const char *all = plain_attribute(lb->attributes.items, lb->attributes.n, key);
    if (plain_same(own, "true") || plain_same(own, "false")) {
        return plain_same(own, "true");
    }
    return plain_same(lb->type, "application") || plain_same(all, "true");
}

/* Of network balancers: always over udp, else as the group says; its default is no for addresses, yes for the rest. */
static bool
plain_keeps_client(const struct load_balancer *lb, const struct target_group *group)
{
    bool udp = plain_same(group->protocol, "UDP") || plain_same(group->protocol, "TCP_UDP");
    const char *own = plain_attribute(group->attributes.items, group->attributes.n, "preserve_client_ip.enabled");
    bool by_default = !plain_same(group->target_type, "ip");
    return plain_same(lb->type, "network") && (udp || (own ? plain_same(own, "true") : by_default));
}

static bool
plain_zone_enabled(const struct load_balancer *lb, const char *zone)
{
    bool found = lb->zones.n == 0;
    for (size_t i = 0; i < lb->zones.n; i++) {
        found = found || strcmp(lb->zones.items[i].zone, zone) == 0;
    }
    return found;
}

/* A machine takes nothing that bears an address of its own, whichever of its interfaces has it. */
static bool
plain_is_own(const struct plain *w, const struct eni *at)
{
    const char *machine = at->attachment.instance_id;
    bool own = plain_holds(at, &w->p.src);
    EACH(eni, e, eni_kind)
    {
        own = own || (*machine && strcmp(e->attachment.instance_id, machine) == 0 &&
                      strcmp(e->vpc_id, at->vpc_id) == 0 && plain_holds(e, &w->p.src));
    }
    return own;
}

/* The way to one target, from the node. */
static void
plain_to_target(struct plain *b, const struct eni *node, const struct plain_target *to)
{
    if (b->n_lb_memory == 8) {
        plain_drop(b, "routing-loop");
        return;
    }
    int m = b->n_lb_memory++;
    b->lb_memory[m].node = node;
    b->lb_memory[m].endpoint = b->handed;
    b->lb_memory[m].before = b->handed ? b->at_handed : b->p;
    b->p.dst = to->ip;
    b->p.dport = to->port;
    b->home = node->vpc_id;
    b->came = CAME_NOWHERE;
    b->lb = node;
    b->names_groups = false;
    if (!to->keeps || b->handed) {
        b->p.src = *plain_address(node, to->ip.family);
        b->lb = NULL;
    }
    b->handed = NULL;
    b->lb_memory[m].after = b->p;
    if (to->eni && plain_is_own(b, to->eni)) {
        plain_drop(b, "lb-loopback");
    } else if (!plain_groups(b, node, true)) {
        plain_drop(b, "sg-egress");
    } else {
        plain_leave(b, NULL, plain_subnet(b, node->subnet_id));
    }
}

/* Is somebody else than the balancer (or the endpoint before it) asked about? */
static bool
plain_asked_elsewhere(const struct plain *w, const struct eni *node)
{
    return w->to_eni && w->to_eni != node && w->to_eni != w->handed;
}

static void
plain_try(const struct plain *w, const struct eni *node, const struct plain_target *to, struct plain_outcome *out)
{
    struct plain b = *w;
    bool further = to->eni && plain_balancer_of(w, to->eni);
    if (plain_asked_elsewhere(w, node) && to->eni != w->to_eni && !further) {
        return;
    }
    b.balancers++;
    if (!plain_asked_elsewhere(w, node)) {
        b.to_eni = to->eni;
        b.to_address = !to->eni;
    }
    plain_to_target(&b, node, to);
    if (!out->any || (out->w.why && !b.why)) {
        out->w = b;
    }
    out->any = true;
}

/* ---- Network and application balancers
 * -------------------------------------------------------------------------------
 */

static bool
plain_listens(const struct lb_listener *l, const struct plain_packet *p)
{
    bool udp = strstr(l->protocol, "UDP") != NULL, tcp = strcmp(l->protocol, "UDP") != 0;
    return l->port == p->dport && ((p->protocol == 6 && tcp) || (p->protocol == 17 && udp));
}

static bool
plain_condition_holds(const json_t *condition, const struct ip *client)
{
    const json_t *config = json_object_get(condition, "SourceIpConfig");
    const json_t *values = json_object_get(config ? config : condition, "Values");
    bool holds = false;
    for (size_t i = 0; i < json_array_size(values); i++) {
        struct cidr block;
        holds = holds || (cidr_parse(json_string_value(json_array_get(values, i)), &block) && plain_in(&block, client));
    }
    return holds;
}

/* Never, for some requests, for all. */
enum plain_fit { FIT_NEVER, FIT_SOME, FIT_ALL };

static enum plain_fit
plain_rule_fits(const struct lb_rule *rule, const struct ip *client)
{
    enum plain_fit fit = json_array_size(rule->conditions) ? FIT_ALL : FIT_SOME;
    for (size_t i = 0; i < json_array_size(rule->conditions); i++) {
        const json_t *condition = json_array_get(rule->conditions, i);
        if (strcmp(json_string_value(json_object_get(condition, "Field")), "source-ip") != 0) {
            fit = fit == FIT_ALL ? FIT_SOME : fit;
        } else if (!plain_condition_holds(condition, client)) {
            return FIT_NEVER;
        }
    }
    return fit;
}

struct plain_choices {
    const struct target_group *groups[16];
    int n;
    bool itself; /* the balancer may answer without a target */
};

static void
plain_choose(const struct plain *w, struct plain_choices *out, const char *arn)
{
    EACH(target_group, group, target_group_kind)
    {
        bool known = false;
        for (int i = 0; i < out->n; i++) {
            known = known || out->groups[i] == group;
        }
        if (plain_same(group->arn, arn) && !known && out->n < 16) {
            out->groups[out->n++] = group;
        }
    }
}

static void
plain_act(const struct plain *w, struct plain_choices *out, const struct lb_action *actions, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct lb_action *a = &actions[i];
        plain_choose(w, out, a->group_arn);
        for (size_t g = 0; g < a->groups.n; g++) {
            if (a->groups.n == 1 || a->groups.items[g].weight > 0) {
                plain_choose(w, out, a->groups.items[g].group_arn);
            }
        }
        out->itself = out->itself || strcmp(a->type, "redirect") == 0 || strcmp(a->type, "fixed-response") == 0;
    }
}

/* Every group that some request of the client goes to, as rules are asked by rising priority. */
static void
plain_act_by_rules(const struct plain *w, const struct lb_listener *l, struct plain_choices *out)
{
    for (int priority = 1; priority < 100; priority++) {
        for (size_t i = 0; i < l->rules.n; i++) {
            const struct lb_rule *rule = &l->rules.items[i];
            enum plain_fit fit = atoi(rule->priority) == priority ? plain_rule_fits(rule, &w->p.src) : FIT_NEVER;
            if (fit != FIT_NEVER) {
                plain_act(w, out, rule->actions.items, rule->actions.n);
            }
            if (fit == FIT_ALL) {
                return;
            }
        }
    }
    plain_act(w, out, l->actions.items, l->actions.n);
}

static bool
plain_can_send(const struct plain *w, const struct eni *node, const struct load_balancer *lb,
               const struct target_group *group, const struct plain_target *to)
{
    bool known = to->zone != NULL;
    bool translated = to->ip.family != w->p.dst.family;
    return to->ip.family && plain_address(node, to->ip.family) && (!translated || w->p.protocol == 6) &&
           (!known || plain_zone_enabled(lb, to->zone)) &&
           (!known || plain_crosses_zones(lb, group) || strcmp(to->zone, plain_zone(w, node)) == 0);
}

static void
plain_try_registered(const struct plain *w, const struct eni *node, const struct load_balancer *lb,
                     const struct target_group *group, const struct lb_target *target, struct plain_outcome *out)
{
    int family = plain_same(group->ip_address_type, "ipv6") ? IP_V6 : IP_V4;
    EACH(eni, eni, eni_kind)
    {
        struct plain_target to = { .eni = eni, .port = target->port ? target->port : group->port };
        const struct load_balancer *behind = plain_balancer_of(w, eni);
        if (plain_same(group->target_type, "instance")) {
            bool first = eni == plain_device(w, target->id, 0);
            to.ip = first && plain_address(eni, family) ? *plain_address(eni, family) : to.ip;
        } else if (plain_same(group->target_type, "alb")) {
            bool node_of_it = behind && strcmp(behind->arn, target->id) == 0;
            to.ip = node_of_it && plain_address(eni, family) ? *plain_address(eni, family) : to.ip;
        } else if (ip_parse(target->id, &to.ip)) {
            const struct eni *holder = plain_holder(w, lb->vpc_id, &to.ip);
            if (holder ? holder != eni : eni != store_first(network_store(w->net), &eni_kind)) {
                continue; /* asked once */
            }
            to.eni = holder;
        }
        if (!to.ip.family) {
            continue;
        }
        to.zone = to.eni ? plain_zone(w, to.eni) : NULL;
        to.keeps = plain_keeps_client(lb, group) && to.ip.family == w->p.dst.family;
        if (plain_can_send(w, node, lb, group, &to)) {
            plain_try(w, node, &to, out);
        }
    }
}

/* Past the node's groups. */
static void
plain_balance(struct plain *w, const struct eni *node, const struct load_balancer *lb)
{
    const struct lb_listener *listener = NULL;
    struct plain_choices choices = { .n = 0 };
    struct plain_outcome out = { .any = false };
    for (size_t i = 0; i < lb->listeners.n; i++) {
        bool takes = !listener && plain_listens(&lb->listeners.items[i], &w->p);
        listener = takes ? &lb->listeners.items[i] : listener;
    }
    if (strncmp(lb->state, "active", 6) != 0) {
        plain_drop(w, "lb-state");
        return;
    }
    if (!plain_holds(node, &w->p.dst) || !listener || w->balancers >= 4) {
        plain_drop(w, !plain_holds(node, &w->p.dst) ? "other-destination"
                      : !listener                   ? "lb-no-listener"
                                                    : "routing-loop");
        return;
    }
    plain_act_by_rules(w, listener, &choices);
    if (w->to_internet || w->to_gateway) {
        plain_drop(w, "no-internet-route");
        return;
    }
    if (choices.itself && !plain_asked_elsewhere(w, node)) {
        w->end_eni = node;
        return;
    }
    for (int g = 0; g < choices.n; g++) {
        for (size_t i = 0; i < choices.groups[g]->targets.n; i++) {
            plain_try_registered(w, node, lb, choices.groups[g], &choices.groups[g]->targets.items[i], &out);
        }
    }
    if (out.any) {
        *w = out.w;
    } else {
        plain_drop(w, plain_asked_elsewhere(w, node) ? "other-destination" : "lb-no-target");
    }
}

/* ---- Classic ones
 * ----------------------------------------------------------------------------------------------------
 */

static const struct classic_balancer *
plain_classic_of(const struct plain *w, const struct eni *eni)
{
    EACH(classic_balancer, lb, classic_balancer_kind)
    {
        if (eni->description && strncmp(eni->description, "ELB ", 4) == 0 &&
            strcmp(eni->description + 4, lb->obj.id) == 0) {
            return lb;
        }
    }
    return NULL;
}

static bool
plain_classic_sends(const struct plain *w, const struct classic_balancer *lb, const struct eni *node,
                    const struct eni *eni)
{
    bool enabled = lb->zones.n == 0;
    for (size_t i = 0; eni && i < lb->zones.n; i++) {
        enabled = enabled || strcmp(lb->zones.items[i], plain_zone(w, eni)) == 0;
    }
    return eni && enabled && (lb->cross_zone || strcmp(plain_zone(w, eni), plain_zone(w, node)) == 0);
}

/* Under its own address, past its subnet's ACL even to a neighbour. */
static void
plain_classic_try(const struct plain *w, const struct eni *node, const struct plain_target *to,
                  struct plain_outcome *out)
{
    struct plain b = *w;
    bool neighbour = strcmp(to->eni->subnet_id, node->subnet_id) == 0;
    b.p.src = node->addresses.items[0].ip;
    b.p.dst = to->ip;
    b.p.dport = to->port;
    if (neighbour && !plain_acl(&b, plain_subnet(w, node->subnet_id), true)) {
        if (plain_asked_elsewhere(w, node) && to->eni != w->to_eni) {
            return;
        }
        plain_drop(&b, "nacl-egress");
        out->w = out->any ? out->w : b;
        out->any = true;
        return;
    }
    plain_try(w, node, to, out);
}

static void
plain_balance_classic(struct plain *w, const struct eni *node, const struct classic_balancer *lb)
{
    const struct classic_listener *listener = NULL;
    struct plain_outcome out = { .any = false };
    bool fits = false;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        bool takes = !listener && w->p.protocol == 6 && lb->listeners.items[i].port == w->p.dport;
        listener = takes ? &lb->listeners.items[i] : listener;
    }
    if (!plain_holds(node, &w->p.dst) || !listener || w->balancers >= 4) {
        plain_drop(w, !plain_holds(node, &w->p.dst) ? "other-destination"
                      : !listener                   ? "lb-no-listener"
                                                    : "routing-loop");
        return;
    }
    if (w->to_internet || w->to_gateway) {
        plain_drop(w, "no-internet-route");
        return;
    }
    for (size_t i = 0; i < lb->instances.n; i++) {
        const struct eni *eni = plain_device(w, lb->instances.items[i].id, 0);
        if (plain_classic_sends(w, lb, node, eni)) {
            struct plain_target to = { .eni = eni, .ip = *plain_address(eni, IP_V4), .port = listener->instance_port };
            plain_classic_try(w, node, &to, &out);
            fits = true;
        }
    }
    if (out.any) {
        *w = out.w;
    } else {
        plain_drop(w, fits ? "other-destination" : "lb-no-target");
    }
}

/* ---- Answers to what a balancer sent on
 * --------------------------------------------------------------------------------
 */

static int
plain_lb_memory_of(const struct plain *w)
{
    for (int i = 0; w->back && i < w->n_lb_memory; i++) {
        const struct plain_packet *sent = &w->lb_memory[i].after;
        if (ip_equal(&sent->src, &w->p.dst) && ip_equal(&sent->dst, &w->p.src) && sent->sport == w->p.dport &&
            sent->dport == w->p.sport) {
            return i;
        }
    }
    return -1;
}

/* Out of the node, or of the endpoint before it, to the client. */
static void
plain_give_back(struct plain *w, int m)
{
    const struct plain_packet asked = w->lb_memory[m].before;
    const struct eni *at = w->lb_memory[m].endpoint ? w->lb_memory[m].endpoint : w->lb_memory[m].node;
    w->p.src = asked.dst;
    w->p.sport = asked.dport;
    w->p.dst = asked.src;
    w->p.dport = asked.sport;
    plain_leave(w, NULL, plain_subnet(w, at->subnet_id));
}

/* What a target sends to a client whose address it saw goes by the node all the same, whatever its routes say. */
static bool
plain_balancer_takes(struct plain *w, const struct subnet *from)
{
    int m = plain_lb_memory_of(w);
    if (m < 0 || !ip_equal(&w->lb_memory[m].after.src, &w->lb_memory[m].before.src)) {
        return false;
    }
    const struct subnet *in = plain_subnet(w, w->lb_memory[m].node->subnet_id);
    if (strcmp(in->obj.id, from->obj.id) != 0 && !plain_acl(w, from, true)) {
        plain_drop(w, "nacl-egress");
    } else if (strcmp(in->obj.id, from->obj.id) != 0 && !plain_acl(w, in, false)) {
        plain_drop(w, "nacl-ingress");
    } else {
        plain_give_back(w, m);
    }
    return true;
}

/* ---- At their interfaces
 * ---------------------------------------------------------------------------------------------
 */

/* Is it of a balancer, or of something that is not looked into?  Then the packet's way was found. */
static bool
plain_is_service(struct plain *w, const struct eni *eni)
{
    static const char *const closed[] = { "network_load_balancer", "load_balancer", "gateway_load_balancer",
                                          "gateway_load_balancer_endpoint", "transit_gateway" };
    const struct load_balancer *lb = plain_balancer_of(w, eni);
    const struct classic_balancer *classic = plain_classic_of(w, eni);
    int m = plain_lb_memory_of(w);
    if (!lb && !classic) {
        for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
            if (plain_same(eni->type, closed[i])) {
                plain_drop(w, "unsupported");
                return true;
            }
        }
        return false;
    }
    if (m >= 0 && w->lb_memory[m].node == eni) {
        plain_give_back(w, m);
    } else if (!plain_groups(w, eni, false)) {
        plain_drop(w, "sg-ingress");
    } else if (w->back && w->to_eni == eni) {
        w->end_eni = eni;
    } else if (w->back) {
        plain_drop(w, "other-destination"); /* an answer that it does not wait for */
    } else if (lb) {
        plain_balance(w, eni, lb);
    } else {
        plain_balance_classic(w, eni, classic);
    }
    return true;
}

/* The service's balancers one after another: each by its node in the endpoint's zone. */
static bool
plain_served(struct plain *w, const struct eni *eni, const struct private_service *service)
{
    struct plain_outcome out = { .any = false };
    bool known = false;
    for (size_t i = 0; i < service->nlb_arns.n; i++) {
        const struct eni *node = NULL;
        const struct load_balancer *lb = NULL;
        EACH(eni, e, eni_kind)
        {
            const struct load_balancer *its = plain_balancer_of(w, e);
            if (its && strcmp(its->arn, service->nlb_arns.items[i]) == 0) {
                lb = its;
                node = !node && strcmp(plain_zone(w, e), plain_zone(w, eni)) == 0 ? e : node;
            }
        }
        known = known || lb;
        if (!node) {
            continue;
        }
        struct plain b = *w;
        b.handed = eni;
        b.at_handed = w->p;
        b.p.dst = *plain_address(node, w->p.dst.family);
        b.came = CAME_FROM_OUTSIDE;
        b.home = NULL;
        b.lb = NULL;
        if (!plain_same(lb->endpoint_rules, "off") && !plain_groups(&b, node, false)) {
            plain_drop(&b, "sg-ingress");
        } else {
            plain_balance(&b, node, lb);
        }
        if (!out.any || (out.w.why && !b.why)) {
            out.w = b;
        }
        out.any = true;
    }
    if (out.any) {
        *w = out.w;
    } else if (known) {
        plain_drop(w, "vpce-zone");
    }
    return known;
}

/* True: the endpoint has sent it on, or refused it. */
static bool
plain_at_endpoint(struct plain *w, const struct eni *eni)
{
    const struct endpoint *e = plain_endpoint_of(w, eni);
    if (e && !plain_same(e->state, "available")) {
        plain_drop(w, "gateway-state");
        return true;
    }
    EACH(private_service, service, private_service_kind)
    {
        if (e && !w->back && plain_same(e->type, "Interface") && plain_holds(eni, &w->p.dst) &&
            plain_same(service->name, e->service_name)) {
            return plain_served(w, eni, service);
        }
    }
    return false;
}
