/* Gateway Load Balancers: the endpoints that routes lead to, the balancers' nodes, and the appliances behind them.
 *
 * An endpoint's interface is a namespace of one link in its subnet, from which gwlb.c takes every packet; a node is one
 * too, in the subnet of the balancer.  The lab's own program in an appliance hands packets to the instance's kernel by
 * a link `gwi-...` and takes back what that forwards, so the instance's own rules decide what passes.  That link's
 * other end is in the endpoint's namespace: packets of two endpoints, whose networks may have the same addresses, never
 * meet. Sources: https://docs.aws.amazon.com/elasticloadbalancing/latest/gateway/gateway-load-balancers.html,
 * .../gateway/edit-target-group-attributes.html,
 * https://docs.aws.amazon.com/vpc/latest/privatelink/gateway-load-balancer-endpoints.html */
#include "netsim/live/plan_gwlb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_build.h"
#include "netsim/model/appliance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"

const uint8_t plan_gwlb_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x0b };
/* In an instance: what came in by the link goes back by it, the instance's own addresses too; rules of its interfaces
 * come after. */
enum { PRIORITY_RETURN = 500, PRIORITY_LOCAL = 600 };

static bool
same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

/* ---- places --------------------------------------------------------------------------------------------------------
 */
bool
plan_gwlb_is_node(struct builder *b, const struct eni *eni)
{
    const struct load_balancer *lb = network_load_balancer_of_eni(b->net, eni);
    return lb && same(lb->type, "gateway");
}

/* What the kernel itself does there: nothing.  (A machine may forward by default.) */
void
plan_gwlb_place(struct builder *b, struct plan_ns *ns, const struct plan_port *port)
{
    plan_chain_add(b, ns, "f_inspection", "type filter hook forward priority 0; policy drop;", "");
    if (port->place == PLAN_PLACE_GATEWAY) {
        plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;",
                       "ct state established,related accept\nudp dport 6081 accept\n");
    } else { /* an appliance has no way to what the endpoint's own address answers in its VPC */
        plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;",
                       "iifname { \"lo\", \"eth0\" } accept\n");
    }
}

const struct plan_port *
plan_gwlb_port(struct builder *b, const struct plan_vpc *v, const char *endpoint_id)
{
    const struct endpoint *endpoint = store_get(b->store, &endpoint_kind, endpoint_id);
    if (!endpoint || (endpoint_is_gateway_lb(endpoint) && !network_private_service(b->net, endpoint->service_name))) {
        plan_unbuilt_add(b, "VPC endpoint", endpoint_id); /* what is behind it is another account's */
        return NULL;
    }
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        for (size_t j = 0; port->place == PLAN_PLACE_INSPECTION && j < endpoint->eni_ids.n; j++) {
            if (same(port->key, endpoint->eni_ids.items[j])) {
                return port;
            }
        }
    }
    return NULL;
}

/* ---- appliances ----------------------------------------------------------------------------------------------------
 */
/* The instance whose target it is, if the lab's own program answers there. */
static struct plan_ns *
instance_of(struct builder *b, const struct load_balancer *lb, const struct balancer_target *t)
{
    const struct instance *instance = store_get(b->store, &instance_kind, t->target->id);
    const struct eni *eni = instance ? NULL : network_eni_by_address(b->net, lb->vpc_id, &t->ip);
    instance = eni ? store_get(b->store, &instance_kind, eni->attachment.instance_id) : instance;
    const char *tag = instance ? object_tag(&instance->obj, APPLIANCE_TAG) : NULL;
    return instance && !same(tag, "none") ? map_get(&b->plan->by_id, instance->obj.id) : NULL;
}

static struct ip
next_hop(int family)
{
    return ip_lit(family == IP_V4 ? "169.254.187.1" : "fe80::1");
}

/* The link by which the program and the instance's kernel pass packets; what comes in by it goes out by it. */
static uint32_t
join(struct builder *b, struct plan_ns *endpoint, struct plan_ns *instance, const char *endpoint_id)
{
    char key[2 * ID_SIZE + 24];
    snprintf(key, sizeof key, "%s %s", endpoint->id, instance->id);
    uint32_t number = plan_number(b->numbers, "gwlb", key), far = plan_number(b->numbers, "gwlb-instance", key);
    struct nlq_end here = { .index = PLAN_LINK_BASE + number, .mtu = GENEVE_INNER_MAX, .single = true };
    struct nlq_end there = { .index = PLAN_LINK_BASE + far, .mtu = GENEVE_INNER_MAX, .single = true };
    size_t length = strlen(endpoint_id);
    for (size_t i = 0; i < endpoint->links.n; i++) {
        if (endpoint->links.items[i].here.index == here.index) {
            return here.index; /* a target of two groups */
        }
    }
    snprintf(here.name, sizeof here.name, "app%u", number);
    snprintf(there.name, sizeof there.name, PLAN_GWLB_LINK "%.8s", endpoint_id + (length > 8 ? length - 8 : 0));
    memcpy(here.mac, plan_router_mac, 6);
    memcpy(there.mac, plan_gwlb_mac, 6);
    *VEC_ADD(&endpoint->links) =
        (struct plan_link){ .here = here, .peer = there, .peer_ns = instance->id, .eni_id = "" };
    for (int family = IP_V4; family <= (instance->ip6 ? IP_V6 : IP_V4); family += 2) {
        struct ip back = next_hop(family);
        struct nlq_rule rule = { .family = (uint8_t)family, .priority = PRIORITY_RETURN, .table = there.index };
        snprintf(rule.iif, sizeof rule.iif, "%s", there.name);
        *VEC_ADD(&instance->rules) = rule;
        *VEC_ADD(&instance->routes) = (struct nlq_route){ .table = there.index,
                                                          .to = cidr_lit(family == IP_V4 ? "0.0.0.0/0" : "::/0"),
                                                          .index = there.index,
                                                          .via = back };
        plan_neighbour_add(instance, there.index, &back, plan_router_mac);
    }
    for (int family = IP_V4; !instance->inspects && family <= (instance->ip6 ? IP_V6 : IP_V4); family += 2) {
        *VEC_ADD(&instance->rules) =
            (struct nlq_rule){ .family = (uint8_t)family, .priority = PRIORITY_LOCAL, .table = 255 };
    }
    instance->forwards = instance->inspects = true;
    return here.index;
}

/* The health check's port answers too. */
static void
serve_health(struct builder *b, struct plan_ns *instance, const struct balancer_target *t)
{
    const char *port = t->group->health_port;
    bool own = !port || same(port, "traffic-port");
    plan_service_add(b, instance, PLAN_SERVE_PAGE, t->ip, (uint16_t)(own ? t->port : atoi(port)), "");
}

static bool
is_chosen(const balancer_target_vec *chosen, const struct lb_target *target)
{
    for (size_t i = 0; i < chosen->n; i++) {
        if (chosen->items[i].target == target) {
            return true;
        }
    }
    return false;
}

static void
add_targets(struct builder *b, struct plan_gwlb_endpoint *e, struct plan_ns *ns, const struct load_balancer *lb,
            const char *zone, const struct target_group *group)
{
    balancer_target_vec chosen = { 0 };
    balancer_targets(b->net, lb, zone, group, b->numbers->unhealthy, &chosen);
    for (size_t i = 0; i < group->targets.n; i++) {
        struct balancer_target t;
        if (!balancer_target_address(b->net, lb, group, &group->targets.items[i], &t) || t.ip.family != IP_V4) {
            continue;
        }
        struct plan_ns *instance = instance_of(b, lb, &t);
        struct plan_gwlb_target *target = arena_alloc(b->plan->arena, sizeof *target);
        *target = (struct plan_gwlb_target){
            .ip = t.ip, .ns = instance ? instance->id : "", .chosen = is_chosen(&chosen, t.target), .next = e->targets
        };
        if (instance) {
            target->link = join(b, ns, instance, e->id);
            serve_health(b, instance, &t);
        }
        e->targets = target;
    }
    VEC_DONE(&chosen);
}

/* ---- endpoints -----------------------------------------------------------------------------------------------------
 */
/* "vpce-0123456789abcdef0": its last 64 bits. */
static uint64_t
number_of_id(const char *id)
{
    const char *dash = id ? strrchr(id, '-') : NULL;
    size_t length = dash ? strlen(dash + 1) : 0;
    if (length < 8 || strspn(dash + 1, "0123456789abcdef") != length) {
        return id ? hash_bytes(id, strlen(id)) : 0;
    }
    return strtoull(dash + 1 + (length > 16 ? length - 16 : 0), NULL, 16);
}

/* The balancer of the service that has an interface in the zone, and that interface, if it is built. */
static const struct load_balancer *
balancer_in_zone(struct builder *b, const struct private_service *service, const char *zone, const struct eni **node)
{
    for (size_t i = 0; i < service->gwlb_arns.n; i++) {
        const struct load_balancer *lb = network_load_balancer(b->net, service->gwlb_arns.items[i]);
        struct eni *const *enis;
        size_t n = lb ? load_balancer_enis(b->net, lb, &enis) : 0;
        for (size_t j = 0; j < n; j++) {
            const struct subnet *subnet = store_get(b->store, &subnet_kind, enis[j]->subnet_id);
            const char *own = enis[j]->zone ? enis[j]->zone : subnet ? subnet->zone : NULL;
            if ((!zone || !own || same(zone, own)) && map_get(&b->plan->by_id, enis[j]->obj.id) &&
                eni_primary_ip(enis[j])) {
                *node = enis[j];
                return lb;
            }
        }
    }
    return NULL;
}

static void
read_attributes(struct plan_gwlb_endpoint *e, const struct target_group *group)
{
    const char *type = target_group_attribute(group, "stickiness.type");
    if (same(target_group_attribute(group, "stickiness.enabled"), "true")) {
        e->stickiness = same(type, "source_ip_dest_ip") ? FLOW_2_TUPLE : FLOW_3_TUPLE;
    }
    e->rebalances = same(target_group_attribute(group, "target_failover.on_unhealthy"), "rebalance");
}

static void
plan_endpoint(struct builder *b, const struct endpoint *endpoint, const struct private_service *service,
              const struct eni *eni, struct plan_ns *ns)
{
    struct plan_gwlb_endpoint *e = arena_alloc(b->plan->arena, sizeof *e);
    const struct subnet *subnet = store_get(b->store, &subnet_kind, eni->subnet_id);
    const char *zone = eni->zone ? eni->zone : subnet ? subnet->zone : NULL;
    const struct eni *node = NULL;
    const struct load_balancer *lb = balancer_in_zone(b, service, zone, &node);
    *e = (struct plan_gwlb_endpoint){ .id = arena_strdup(b->plan->arena, endpoint->obj.id),
                                      .ns = ns->id,
                                      .number = number_of_id(endpoint->obj.id),
                                      .attachment = number_of_id(eni->attachment.id),
                                      .node_ns = "",
                                      .next = b->plan->gwlb };
    b->plan->gwlb = e;
    if (!lb) {
        return;
    }
    e->node_ns = arena_strdup(b->plan->arena, node->obj.id);
    e->node = *eni_primary_ip(node);
    const char *node_zone = node->zone ? node->zone : zone;
    for (size_t i = 0; i < lb->listeners.n; i++) {
        const struct lb_listener *listener = &lb->listeners.items[i];
        for (size_t j = 0; j < listener->actions.n; j++) {
            const struct lb_action *action = &listener->actions.items[j];
            const char *arn = action->group_arn  ? action->group_arn
                              : action->groups.n ? action->groups.items[0].group_arn
                                                 : NULL;
            const struct target_group *group = arn ? network_target_group(b->net, arn) : NULL;
            if (group) {
                read_attributes(e, group);
                add_targets(b, e, ns, lb, node_zone, group);
            }
        }
    }
}

void
plan_gwlb(struct builder *b)
{
    for (const struct endpoint *e = store_first(b->store, &endpoint_kind); e; e = store_next(b->store, e)) {
        const struct private_service *service =
            endpoint_is_gateway_lb(e) ? network_private_service(b->net, e->service_name) : NULL;
        for (size_t i = 0; service && i < e->eni_ids.n; i++) {
            const struct eni *eni = store_get(b->store, &eni_kind, e->eni_ids.items[i]);
            struct plan_ns *ns = eni ? map_get(&b->plan->by_id, eni->obj.id) : NULL;
            if (ns) {
                plan_endpoint(b, e, service, eni, ns);
            }
        }
    }
}

const struct plan_gwlb_endpoint *
plan_gwlb_endpoint_of(const struct plan *plan, const char *ns)
{
    for (const struct plan_gwlb_endpoint *e = plan->gwlb; e; e = e->next) {
        if (strcmp(e->ns, ns) == 0) {
            return e;
        }
    }
    return NULL;
}
