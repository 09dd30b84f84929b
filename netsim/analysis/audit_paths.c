/* netsim/analysis/audit_paths.c - remarks that need the sets of all pairs (connectivity.h): ways without a way back,
 * rules that no packet comes to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "netsim/analysis/audit_checks.h"
#include "netsim/analysis/connectivity.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"

#define EACH(type, variable)                                                                                           \
    const struct type *variable = store_first(network_store(audit->net), &type##_kind);                                \
    variable;                                                                                                          \
    variable = store_next(network_store(audit->net), variable)

/* ---- Answers that take another way ---------------------------------------------------------------------------------
 */

/* "subnet-1", "the internet", "192.168.0.0/16 behind vpn-1" */
static void
class_words(const struct conn_class *class, struct buf *text)
{
    if (class->members.n) {
        buf_str_add(text, class->members.items[0]->subnet_id);
        return;
    }
    bool all = !class->gate && class->outside.items[0].bits == 0;
    buf_str_add(text, all ? "the internet" : cidr_str(&class->outside.items[0]));
    buf_printf(text, class->gate ? " behind %s" : "%s", class->gate ? class->gate : "");
}

/* The table that the answers meet first: of the subnet they set out from. */
static const struct object *
table_of_answers(const struct audit *audit, const struct conn_class *from, const struct conn_class *to)
{
    const struct conn_class *end = to->members.n ? to : from;
    const struct store *store = network_store(audit->net);
    const struct subnet *subnet = store_get(store, &subnet_kind, end->members.items[0]->subnet_id);
    const struct route_table *table = subnet ? network_subnet_route_table(audit->net, subnet) : NULL;
    return table ? &table->obj : &end->members.items[0]->obj;
}

/* Ways that lead nowhere by routes; what filters refuse is said elsewhere. */
static bool
is_routing(const char *why)
{
    static const char *const words[] = { "asymmetric-return", "no-route",     "blackhole-route", "no-internet-route",
                                         "igw-no-public-ip",  "tgw-no-route", "tgw-blackhole",   "nat-unsolicited",
                                         "pcx-address",       "tgw-az",       "vpn-no-route",    "vgw-no-route" };
    for (size_t i = 0; why && i < ARRAY_SIZE(words); i++) {
        if (strcmp(why, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Once for two subnets (or parts outside) and a reason, whichever interfaces meet it. */
static void
report_asymmetric(struct audit *audit, struct map *said, const struct conn_class *from, const struct conn_class *to,
                  const char *why)
{
    struct buf ends = { 0 };
    class_words(from, &ends);
    buf_str_add(&ends, " to ");
    class_words(to, &ends);
    char *key = xasprintf("%s %s", buf_str(&ends), why);
    if (!map_get(said, key)) {
        map_put(said, key, audit);
        audit_report(audit, table_of_answers(audit, from, to), NULL, NULL,
                     "packets from %s arrive, and their answers do not find back (%s)", buf_str(&ends), why);
    }
    free(key);
    buf_done(&ends);
}

static bool
opens(const struct audit *audit, const struct conn_class *class)
{
    return class->members.n == 0 || connectivity_opens(audit->net, class->members.items[0]);
}

/* Addresses of a service with a gateway endpoint: a route for answers leads to the endpoint, but nothing comes from
 * there unasked. */
static bool
is_service(const struct audit *audit, const struct connectivity *c, const struct conn_class *class)
{
    for (EACH(endpoint, e)) {
        if (class->outside.n && !class->gate &&
            connectivity_class_of_part(c, e->obj.id, &class->outside.items[0]) >= 0) {
            return true;
        }
    }
    return false;
}

static void
find_asymmetric(struct audit *audit, int family)
{
    struct connectivity *c = connectivity_new(audit->net, family);
    struct set_pool *pool = connectivity_pool(c);
    struct map said = { 0 };
    size_t n = connectivity_n_classes(c);
    for (size_t a = 0; a < n; a++) {
        for (size_t b = 0; b < n; b++) {
            const struct conn_class *from = connectivity_class(c, a), *to = connectivity_class(c, b);
            if (a == b || !opens(audit, from) || (from->members.n == 0 && to->members.n == 0)) {
                continue;
            }
            struct conn_flow flow = connectivity_between(c, a, b);
            int lost = set_pool_combine(pool, flow.passes, PACKETS_TCP, PACKETS_INTERSECT);
            if (lost != PACKETS_NONE && flow.answered == PACKETS_NONE && is_routing(flow.lost) &&
                !is_service(audit, c, from)) {
                report_asymmetric(audit, &said, from, to, flow.lost);
            }
        }
    }
    map_done(&said);
    connectivity_free(c);
}

static bool
has_ipv6(const struct audit *audit)
{
    for (EACH(eni, eni)) {
        if (eni->addresses6.n) {
            return true;
        }
    }
    return false;
}

void
audit_asymmetric(struct audit *audit)
{
    find_asymmetric(audit, IP_V4);
    if (has_ipv6(audit)) {
        find_asymmetric(audit, IP_V6);
    }
}

/* ---- Rules that no packet comes to ---------------------------------------------------------------------------------
 */

/* What is known of one family while rules are looked at. */
struct view {
    struct connectivity *c;
    struct map members; /* group id -> 1 + index of 'lists' */
    VEC(struct class_list {
        VEC(size_t) classes; /* whose members carry the group */
    })
    lists;
};

static void
note_carrier(struct view *view, const char *group_id, size_t class)
{
    uintptr_t at = (uintptr_t)map_get(&view->members, group_id);
    if (!at) {
        VEC_ADD(&view->lists);
        at = view->lists.n;
        map_put(&view->members, group_id, (void *)at);
    }
    struct class_list *list = &view->lists.items[at - 1];
    if (list->classes.n == 0 || list->classes.items[list->classes.n - 1] != class) {
        *VEC_ADD(&list->classes) = class;
    }
}

static void
view_init(struct view *view, const struct network *net, int family)
{
    *view = (struct view){ .c = connectivity_new(net, family) };
    for (size_t k = 0; k < connectivity_n_classes(view->c); k++) {
        const struct conn_class *class = connectivity_class(view->c, k);
        for (size_t m = 0; m < class->members.n; m++) {
            for (size_t i = 0; i < class->members.items[m]->groups.n; i++) {
                note_carrier(view, class->members.items[m]->groups.items[i].id, k);
            }
        }
    }
}

static void
view_done(struct view *view)
{
    for (size_t i = 0; i < view->lists.n; i++) {
        VEC_DONE(&view->lists.items[i].classes);
    }
    VEC_DONE(&view->lists);
    map_done(&view->members);
    connectivity_free(view->c);
}

/* Does the rule speak of anybody in the class?  A class holds parts that rules cannot tell apart, or interfaces that
 * fare alike: one may be meant and another not, so each is looked at. */
static bool
speaks_of(const struct audit *audit, const struct security_group *group, const struct sg_rule *rule,
          const struct conn_class *class)
{
    for (size_t i = 0; i < class->addresses.n; i++) {
        if (sg_rule_fits_address(audit->net, group->vpc_id, rule, &class->addresses.items[i]) ||
            (rule->group_id && eni_has_group(class->members.items[i], rule->group_id))) {
            return true;
        }
    }
    for (size_t i = 0; i < class->outside.n; i++) {
        struct ip first = cidr_first(&class->outside.items[i]);
        if (sg_rule_fits_address(audit->net, group->vpc_id, rule, &first) ||
            (rule->cidr.ip.family && cidr_contains(&class->outside.items[i], &rule->cidr))) {
            return true;
        }
    }
    return false;
}

/* A machine that is off now may be on tomorrow, and what stands behind what we do not model nobody knows. */
static bool
is_undecided(const struct conn_flow *flow)
{
    return flow->why && (strcmp(flow->why, "instance-state") == 0 || strncmp(flow->why, "unsupported", 11) == 0 ||
                         strncmp(flow->why, "unknown", 7) == 0);
}

static bool
is_used_by(const struct audit *audit, const struct view *view, const struct security_group *group,
           const struct sg_rule *rule)
{
    uintptr_t at = (uintptr_t)map_get(&view->members, group->obj.id);
    struct set_pool *pool = connectivity_pool(view->c);
    int own = sg_rule_packets(pool, rule);
    for (size_t k = 0; at && own != PACKETS_NONE && k < connectivity_n_classes(view->c); k++) {
        const struct conn_class *peer = connectivity_class(view->c, k);
        if (!speaks_of(audit, group, rule, peer) || (!rule->egress && !opens(audit, peer))) {
            continue;
        }
        const struct class_list *carriers = &view->lists.items[at - 1];
        for (size_t i = 0; i < carriers->classes.n; i++) {
            size_t mine = carriers->classes.items[i];
            struct conn_flow flow = connectivity_between(view->c, rule->egress ? mine : k, rule->egress ? k : mine);
            if (is_undecided(&flow) || set_pool_combine(pool, flow.passes, own, PACKETS_INTERSECT) != PACKETS_NONE) {
                return true;
            }
        }
    }
    return false;
}

/* Everything outwards is how AWS makes a group: it says nothing of what somebody meant. */
static bool
is_default_rule(const struct sg_rule *rule)
{
    return rule->egress && rule->protocol == PROTOCOL_ALL && rule->cidr.ip.family && rule->cidr.bits == 0;
}

/* Networks that the lab's VPCs are joined to and the model lacks: who has a private address there is not known. */
static bool
knows_all_neighbours(const struct audit *audit)
{
    const struct store *store = network_store(audit->net);
    for (EACH(route_table, table)) {
        for (size_t i = 0; i < table->routes.n; i++) {
            const struct route *route = &table->routes.items[i];
            const struct peering *peering =
                route->peering_id ? store_get(store, &peering_kind, route->peering_id) : NULL;
            const struct peering_side *other = peering ? peering_other(peering, table->vpc_id) : NULL;
            if ((route->transit_gateway_id && !store_get(store, &transit_gateway_kind, route->transit_gateway_id)) ||
                (route->peering_id && !peering) || (other && !store_get(store, &vpc_kind, other->vpc_id))) {
                return false;
            }
        }
    }
    for (EACH(tgw_attachment, a)) {
        bool is_vpc = a->resource_type && strcmp(a->resource_type, "vpc") == 0;
        if (!is_vpc || !store_get(store, &vpc_kind, a->vpc_id)) {
            return false; /* what a peer or a router outside announces is in no dump */
        }
    }
    return true;
}

static bool
is_in_a_vpc(const struct audit *audit, const struct cidr *cidr)
{
    for (EACH(vpc, vpc)) {
        for (size_t i = 0; i < vpc->cidrs.n; i++) {
            if (cidr_contains(&vpc->cidrs.items[i].cidr, cidr)) {
                return true;
            }
        }
    }
    return false;
}

/* Do network balancers hand packets of clients on to interfaces with the group, under the clients' addresses? */
static bool
is_behind_balancer(const struct audit *audit, const struct security_group *group)
{
    struct eni *const *members;
    size_t n = network_group_members(audit->net, group->obj.id, &members);
    for (EACH(target_group, targets)) {
        for (size_t t = 0; t < targets->targets.n; t++) {
            const char *id = targets->targets.items[t].id;
            struct ip ip = { 0 };
            bool by_address = id && ip_parse(id, &ip);
            for (size_t i = 0; id && i < n; i++) {
                if (strcmp(members[i]->attachment.instance_id, id) == 0 ||
                    (by_address && eni_has_ip(members[i], &ip))) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* What the rule names must be in the model, else nothing can be said. */
static bool
can_tell(const struct audit *audit, const struct security_group *group, const struct sg_rule *rule, bool neighbours)
{
    const struct store *store = network_store(audit->net);
    if (rule->group_id) {
        return store_get(store, &security_group_kind, rule->group_id) != NULL;
    }
    if (!rule->egress && is_behind_balancer(audit, group)) {
        return false;
    }
    if (rule->prefix_list_id) {
        const struct prefix_list *list = store_get(store, &prefix_list_kind, rule->prefix_list_id);
        return list && list->entries.n > 0;
    }
    return neighbours || !ip_is_private(&rule->cidr.ip) || is_in_a_vpc(audit, &rule->cidr);
}

static bool
has_carriers(const struct audit *audit, const struct security_group *group)
{
    struct eni *const *members;
    return network_group_members(audit->net, group->obj.id, &members) > 0;
}

void
audit_rule_unused(struct audit *audit)
{
    struct view views[2];
    size_t n_views = has_ipv6(audit) ? 2 : 1;
    bool any = false;
    for (EACH(eni, eni)) {
        any = true; /* a dump without interfaces says nothing of who uses what */
    }
    for (size_t v = 0; any && v < n_views; v++) {
        view_init(&views[v], audit->net, v ? IP_V6 : IP_V4);
    }
    bool neighbours = knows_all_neighbours(audit);
    for (EACH(security_group, g)) {
        for (size_t i = 0; any && has_carriers(audit, g) && i < g->rules.n; i++) {
            const struct sg_rule *rule = &g->rules.items[i];
            bool used = is_default_rule(rule) || !can_tell(audit, g, rule, neighbours);
            for (size_t v = 0; v < n_views && !used; v++) {
                used = is_used_by(audit, &views[v], g, rule);
            }
            if (!used) {
                audit_report(audit, g, audit_rule_text(audit, rule), audit_revoke(g, rule),
                             rule->egress ? "no packet of an interface with the group that it lets out arrives anywhere"
                                          : "no packet that it lets in comes to an interface with the group");
            }
        }
    }
    for (size_t v = 0; any && v < n_views; v++) {
        view_done(&views[v]);
    }
}
