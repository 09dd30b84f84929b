#include "cloud/verify_rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "netsim/analysis/walk.h"
#include "netsim/analysis/wording.h"
#include "netsim/live/plan.h"

enum {
    PEERS_MAX = 4,   /* ends that are tried as the other side of a rule, for each of */
    OWNERS_MAX = 2,  /* those that have it */
    AIMS_MAX = 4096, /* packets in all */
    UNNAMED_PORT = 4444
};

/* A rule of a group or ACL. */
struct goal {
    char name[80]; /* as its counter is called */
    const struct security_group *group;
    const struct sg_rule *rule;
    const struct network_acl *acl;
    const struct nacl_entry *entry;
    bool idle, hit;
};
struct way {
    const struct route_table *table;
    const struct route *route;
    bool idle, walked /* by a packet that arrived */, counted /* by the kernel */, taken;
};
struct verify_rules {
    const struct network *net;
    const struct verify_end *ends;
    size_t n_ends;
    VEC(struct goal) goals;
    VEC(struct way) ways;
};

/* ---- what there is ------------------------------------------------------------------------------------------------
 */
static const struct subnet *
subnet_of(const struct verify_rules *r, const struct verify_end *end)
{
    return end->eni ? store_get(network_store(r->net), &subnet_kind, end->eni->subnet_id) : NULL;
}

static bool
in_group(const struct eni *eni, const char *id)
{
    for (size_t i = 0; eni && i < eni->groups.n; i++) {
        if (strcmp(eni->groups.items[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

/* Do its packets pass this rule's list? */
static bool
owns(const struct verify_rules *r, const struct goal *goal, const struct verify_end *end)
{
    if (goal->group) {
        return in_group(end->eni, goal->group->obj.id);
    }
    const struct subnet *subnet = subnet_of(r, end);
    return subnet && network_subnet_acl(r->net, subnet) == goal->acl;
}

static bool
uses(const struct verify_rules *r, const struct way *way, const struct verify_end *end)
{
    const struct subnet *subnet = end->answers_only ? NULL : subnet_of(r, end);
    return subnet && network_subnet_route_table(r->net, subnet) == way->table;
}

/* Does 'a' decide everything that 'b' could? */
static bool
covers(const struct nacl_entry *a, const struct nacl_entry *b)
{
    const struct cidr *wide = a->cidr.ip.family ? &a->cidr : &a->cidr6,
                      *narrow = b->cidr.ip.family ? &b->cidr : &b->cidr6;
    bool ports = a->protocol < 0 ||
                 (a->protocol == b->protocol && !a->has_icmp &&
                  (!a->has_ports || (b->has_ports && a->ports.from <= b->ports.from && a->ports.to >= b->ports.to)));
    return a->egress == b->egress && a->number < b->number && wide->ip.family == narrow->ip.family && ports &&
           cidr_contains(wide, narrow);
}

/* The last of a list, under one that decides all: nothing can meet it, as in most ACLs there are. */
static bool
is_formality(const struct goal *goal)
{
    for (size_t i = 0; goal->entry && goal->entry->number >= 32767 && i < goal->acl->entries.n; i++) {
        if (covers(&goal->acl->entries.items[i], goal->entry)) {
            return true;
        }
    }
    return false;
}

static void
gather_rules(struct verify_rules *r)
{
    const struct store *store = network_store(r->net);
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            struct goal *goal = VEC_ADD(&r->goals);
            *goal = (struct goal){ .group = g, .rule = &g->rules.items[i] };
            snprintf(goal->name, sizeof goal->name, "%s", goal->rule->id);
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            const struct nacl_entry *e = &acl->entries.items[i];
            struct goal *goal = VEC_ADD(&r->goals);
            *goal = (struct goal){ .acl = acl, .entry = e };
            int size = snprintf(goal->name, sizeof goal->name, "%s:%s:", acl->obj.id, e->egress ? "egress" : "ingress");
            if (e->number >= 32767) {
                snprintf(goal->name + size, sizeof goal->name - (size_t)size, "*");
                r->goals.n -= e->number > 32767; /* IPv6's, counted with the other */
            } else {
                snprintf(goal->name + size, sizeof goal->name - (size_t)size, "%d", e->number);
            }
        }
    }
    for (size_t i = 0; i < r->goals.n; i++) {
        bool owned = false;
        for (size_t e = 0; !owned && e < r->n_ends; e++) {
            owned = owns(r, &r->goals.items[i], &r->ends[e]);
        }
        r->goals.items[i].idle = !owned || is_formality(&r->goals.items[i]);
    }
}

static void
gather_routes(struct verify_rules *r)
{
    const struct store *store = network_store(r->net);
    for (const struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            struct way *way = VEC_ADD(&r->ways);
            *way = (struct way){ .table = t, .route = &t->routes.items[i], .idle = true };
            for (size_t e = 0; way->idle && e < r->n_ends; e++) {
                way->idle = !uses(r, way, &r->ends[e]);
            }
        }
    }
}

struct verify_rules *
verify_rules_new(const struct network *net, const struct verify_end *ends, size_t n_ends)
{
    struct verify_rules *r = xcalloc(1, sizeof *r);
    r->net = net;
    r->ends = ends;
    r->n_ends = n_ends;
    gather_rules(r);
    gather_routes(r);
    return r;
}

void
verify_rules_free(struct verify_rules *r)
{
    if (r) {
        VEC_DONE(&r->goals);
        VEC_DONE(&r->ways);
        free(r);
    }
}

/* ---- what was met -------------------------------------------------------------------------------------------------
 */
static bool
block_counted(const struct way *way, const struct cidr *block, const json_t *before, const json_t *after)
{
    char name[ID_SIZE + CIDR_STR_SIZE + 16];
    snprintf(name, sizeof name, "%s %s%s", way->table->obj.id, cidr_str(block),
             route_is_blackhole(way->route) ? " nowhere" : "");
    return json_int(after, name, 0) > json_int(before, name, 0);
}

static bool
way_counted(const struct verify_rules *r, const struct way *way, const json_t *before, const json_t *after)
{
    const struct route *route = way->route;
    const struct prefix_list *list =
        route->prefix_list_id ? store_get(network_store(r->net), &prefix_list_kind, route->prefix_list_id) : NULL;
    bool counted = !route->prefix_list_id &&
                   block_counted(way, route->cidr.ip.family ? &route->cidr : &route->cidr6, before, after);
    for (size_t i = 0; list && !counted && i < list->entries.n; i++) {
        counted = block_counted(way, &list->entries.items[i].cidr, before, after);
    }
    return counted;
}

static void
settle(struct way *way)
{
    way->taken = way->counted && (way->walked || route_is_blackhole(way->route));
}

void
verify_rules_count(struct verify_rules *r, const json_t *before, const json_t *after)
{
    const json_t *was = json_object_get(before, "rules"), *is = json_object_get(after, "rules");
    for (size_t i = 0; i < r->goals.n; i++) {
        struct goal *goal = &r->goals.items[i];
        goal->hit = goal->hit || json_int(is, goal->name, 0) > json_int(was, goal->name, 0);
    }
    was = json_object_get(before, "routes");
    is = json_object_get(after, "routes");
    for (size_t i = 0; i < r->ways.n; i++) {
        struct way *way = &r->ways.items[i];
        way->counted = way->counted || way_counted(r, way, was, is);
        settle(way);
    }
}

static void
see_walk(struct verify_rules *r, const struct walk *walk)
{
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct route *route = walk->hops.items[i].route;
        for (size_t j = 0; route && j < r->ways.n; j++) {
            r->ways.items[j].walked = r->ways.items[j].walked || r->ways.items[j].route == route;
        }
    }
}

void
verify_rules_see(struct verify_rules *r, const struct flow_spec *flow, bool arrived, bool answered)
{
    struct open_ways ways = { 0 };
    struct err err = { 0 };
    bool open = false;
    for (size_t i = 0; !open && i < r->ways.n; i++) {
        open = !r->ways.items[i].idle && !r->ways.items[i].walked;
    }
    if (open && arrived && reach_open_ways(r->net, flow, &ways, &err)) {
        see_walk(r, &ways.forward);
        if (answered) {
            see_walk(r, &ways.back);
        }
        open_ways_done(&ways);
    }
}

/* ---- aiming -------------------------------------------------------------------------------------------------------
 */
/* An address of the internet within the block; false: it has none that is free to be used. */
static bool
outside_address(const struct verify_rules *r, const struct cidr *block, struct ip *ip)
{
    struct ip caller = ip_lit(block->ip.family == IP_V4 ? PLAN_CALLER4 : PLAN_CALLER6);
    *ip = caller;
    if (cidr_contains_ip(block, &caller)) {
        return true;
    }
    *ip = cidr_first(block);
    if (ip_width(ip) - block->bits > 1) {
        *ip = ip_add(ip, 1); /* not the block's own name */
    }
    bool global = ip->family == IP_V4 ? !ip_is_private(ip) && !ip_is_shared(ip) && !ip_is_link_local(ip) &&
                                            ip->lo >> 24 != 0 && ip->lo >> 24 != 127 && ip->lo >> 24 < 224
                                      : ip->hi >> 61 == 1;
    const struct store *store = network_store(r->net);
    global = global && !network_eni_by_public_ip(r->net, ip, NULL); /* somebody of the lab */
    for (const struct vpc *vpc = store_first(store, &vpc_kind); global && vpc; vpc = store_next(store, vpc)) {
        for (size_t i = 0; i < vpc->cidrs.n; i++) {
            global = global && !cidr_contains_ip(&vpc->cidrs.items[i].cidr, ip);
        }
        for (size_t i = 0; i < vpc->cidrs6.n; i++) {
            global = global && !cidr_contains_ip(&vpc->cidrs6.items[i].cidr, ip);
        }
    }
    return global;
}

typedef VEC(struct cidr) block_vec;
static void
add_list(const struct verify_rules *r, const char *id, block_vec *blocks)
{
    const struct prefix_list *list = id ? store_get(network_store(r->net), &prefix_list_kind, id) : NULL;
    for (size_t i = 0; list && i < list->entries.n; i++) {
        *VEC_ADD(blocks) = list->entries.items[i].cidr;
    }
}

/* The blocks of the far side; a rule that names a group has none. */
static void
blocks_of(const struct verify_rules *r, const struct goal *goal, block_vec *blocks)
{
    if (goal->entry) {
        *VEC_ADD(blocks) = goal->entry->cidr.ip.family ? goal->entry->cidr : goal->entry->cidr6;
    } else if (goal->rule->cidr.ip.family) {
        *VEC_ADD(blocks) = goal->rule->cidr;
    } else {
        add_list(r, goal->rule->prefix_list_id, blocks);
    }
}

/* What a packet must be for the rule: the bounds of its ports, one between them, and for the list's sake those beside.
 */
static size_t
shapes_of(const struct goal *goal, int family, struct flow_spec shapes[static 5])
{
    int protocol = goal->entry ? goal->entry->protocol : goal->rule->protocol;
    bool ports = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
    bool icmp = protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6;
    int from = goal->entry ? (goal->entry->has_ports ? goal->entry->ports.from : 0) : goal->rule->from;
    int to = goal->entry ? (goal->entry->has_ports ? goal->entry->ports.to : 65535) : goal->rule->to;
    size_t n = 0;
    struct flow_spec any = { .src_port = -1, .dst_port = -1, .icmp_type = -1, .icmp_code = -1, .family = family };
    any.protocol = protocol < 0 ? PROTOCOL_TCP : protocol;
    if (icmp) {
        any.icmp_type = goal->entry ? (goal->entry->has_icmp ? goal->entry->icmp.type : -1) : goal->rule->from;
        any.icmp_code = goal->entry ? (goal->entry->has_icmp ? goal->entry->icmp.code : -1) : goal->rule->to;
    }
    if (!ports) {
        any.dst_port = protocol < 0 ? UNNAMED_PORT : -1;
        shapes[n++] = any;
        return n;
    }
    const int wanted[] = { from > 0 ? from : 1, to, from + (to - from) / 2, from - 1, to + 1 };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        bool again = false;
        for (size_t j = 0; j < n; j++) {
            again |= shapes[j].dst_port == wanted[i];
        }
        if (from >= 0 && wanted[i] > 0 && wanted[i] <= 65535 && !again) {
            shapes[n] = any;
            shapes[n++].dst_port = wanted[i];
        }
    }
    return n;
}

static void
aim(const struct verify_rules *r, const struct goal *goal, size_t owner, size_t peer, const struct ip *far, int family,
    verify_aim_vec *aims)
{
    bool egress = goal->entry ? goal->entry->egress : goal->rule->egress;
    struct flow_spec shapes[5];
    size_t n = shapes_of(goal, family, shapes), from = egress ? owner : peer, to = egress ? peer : owner;
    if (r->ends[from].answers_only) {
        return;
    }
    for (size_t i = 0; i < n && aims->n < AIMS_MAX; i++) {
        *(egress ? &shapes[i].dst_ip : &shapes[i].src_ip) = far ? *far : (struct ip){ 0 };
        *VEC_ADD(aims) = (struct verify_aim){ from, to, shapes[i] };
    }
}

static bool
same_machine(const struct verify_end *a, const struct verify_end *b)
{
    return a == b || (a->eni && b->eni && *a->eni->attachment.instance_id &&
                      strcmp(a->eni->attachment.instance_id, b->eni->attachment.instance_id) == 0);
}

static void
aim_from(const struct verify_rules *r, const struct goal *goal, size_t owner, verify_aim_vec *aims)
{
    block_vec blocks = { 0 };
    size_t n_peers = 0;
    blocks_of(r, goal, &blocks);
    for (size_t e = 0; e < r->n_ends && n_peers < PEERS_MAX; e++) {
        const struct verify_end *end = &r->ends[e];
        if (same_machine(end, &r->ends[owner]) ||
            (goal->acl && end->eni && strcmp(end->eni->subnet_id, r->ends[owner].eni->subnet_id) == 0)) {
            continue;
        }
        if (goal->rule && goal->rule->group_id && in_group(end->eni, goal->rule->group_id)) {
            n_peers++;
            aim(r, goal, owner, e, NULL, end->ips[0].family ? IP_V4 : IP_V6, aims);
        }
        for (size_t b = 0; b < blocks.n; b++) {
            const struct cidr *block = &blocks.items[b];
            struct ip far, own = end->ips[block->ip.family == IP_V6];
            if (own.family && !end->internet && cidr_contains_ip(block, &own)) {
                n_peers++;
                aim(r, goal, owner, e, NULL, block->ip.family, aims);
                break;
            }
            if (end->internet && outside_address(r, block, &far)) {
                aim(r, goal, owner, e, &far, block->ip.family, aims);
            }
        }
    }
    VEC_DONE(&blocks);
}

/* The address by which the end is reached in a route's block; for NAT64 made of its IPv4 one. */
static bool
address_in_block(const struct verify_rules *r, const struct verify_end *end, const struct cidr *block, struct ip *far)
{
    struct cidr nat64 = cidr_lit("64:ff9b::/96");
    if (!cidr_contains(&nat64, block)) {
        *far = end->ips[block->ip.family == IP_V6];
        return end->internet ? outside_address(r, block, far) : far->family != 0;
    }
    if (end->ips[0].family && !end->answers_only) {
        *far = ip_add(&nat64.ip, end->ips[0].lo);
        return true;
    }
    return false;
}

static void
aim_route(const struct verify_rules *r, const struct way *way, verify_aim_vec *aims)
{
    block_vec blocks = { 0 };
    const struct route *route = way->route;
    add_list(r, route->prefix_list_id, &blocks);
    if (!route->prefix_list_id) {
        *VEC_ADD(&blocks) = route->cidr.ip.family ? route->cidr : route->cidr6;
    }
    for (size_t o = 0, n_owners = 0; o < r->n_ends && n_owners < OWNERS_MAX; o++) {
        if (!uses(r, way, &r->ends[o])) {
            continue;
        }
        n_owners++;
        for (size_t e = 0; e < r->n_ends && aims->n < AIMS_MAX; e++) {
            const struct verify_end *end = &r->ends[e];
            for (size_t b = 0; b < blocks.n && !same_machine(end, &r->ends[o]); b++) {
                const struct cidr *block = &blocks.items[b];
                struct ip far;
                if (address_in_block(r, end, block, &far) && cidr_contains_ip(block, &far) &&
                    route_lookup(r->net, way->table, &far, NULL) == route) {
                    struct flow_spec ping = { .protocol = far.family == IP_V4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6,
                                              .src_port = -1,
                                              .dst_port = -1,
                                              .icmp_type = -1,
                                              .icmp_code = -1,
                                              .dst_ip = far,
                                              .family = far.family };
                    *VEC_ADD(aims) = (struct verify_aim){ o, e, ping };
                    ping.protocol = PROTOCOL_TCP;
                    ping.dst_port = 443;
                    *VEC_ADD(aims) = (struct verify_aim){ o, e, ping };
                    break;
                }
            }
        }
    }
    VEC_DONE(&blocks);
}

void
verify_rules_aim(const struct verify_rules *r, verify_aim_vec *aims)
{
    for (size_t i = 0; i < r->goals.n && aims->n < AIMS_MAX; i++) {
        const struct goal *goal = &r->goals.items[i];
        for (size_t e = 0, n = 0; !goal->hit && !goal->idle && e < r->n_ends && n < OWNERS_MAX; e++) {
            if (owns(r, goal, &r->ends[e])) {
                n++;
                aim_from(r, goal, e, aims);
            }
        }
    }
    for (size_t i = 0; i < r->ways.n && aims->n < AIMS_MAX; i++) {
        if (!r->ways.items[i].taken && !r->ways.items[i].idle) {
            aim_route(r, &r->ways.items[i], aims);
        }
    }
}

/* 4 or 6 when the rule is about a family of addresses that no interface under it has; 0: one has. */
static int
lacks_family(const struct verify_rules *r, const struct goal *goal)
{
    block_vec blocks = { 0 };
    int lacks = 0;
    if (goal->entry || !goal->rule->group_id) {
        blocks_of(r, goal, &blocks);
    }
    for (size_t b = 0; b < blocks.n && (b == 0 || lacks); b++) {
        bool six = blocks.items[b].ip.family == IP_V6, has = false;
        for (size_t e = 0; e < r->n_ends; e++) {
            has |= owns(r, goal, &r->ends[e]) && r->ends[e].ips[six].family;
        }
        lacks = has ? 0 : six ? 6 : 4;
    }
    VEC_DONE(&blocks);
    return lacks;
}

/* ---- telling ------------------------------------------------------------------------------------------------------
 */
/* Why no packet met it, as far as can be said. */
static void
reason_of(const struct verify_rules *r, const struct goal *goal, struct buf *out)
{
    for (size_t i = 0; goal->entry && i < goal->acl->entries.n; i++) {
        const struct nacl_entry *before = &goal->acl->entries.items[i];
        if (covers(before, goal->entry)) {
            buf_printf(out, "rule %d decides all of it before", before->number);
            return;
        }
    }
    if (goal->rule && goal->rule->group_id) {
        bool member = false;
        for (size_t e = 0; e < r->n_ends; e++) {
            member |= in_group(r->ends[e].eni, goal->rule->group_id);
        }
        if (!member) {
            buf_printf(out, "no running interface is in %s", goal->rule->group_id);
            return;
        }
    }
    int lacks = lacks_family(r, goal);
    if (lacks) {
        buf_printf(out, "no running interface under it has an IPv%d address", lacks);
        return;
    }
    verify_aim_vec aims = { 0 };
    for (size_t e = 0; e < r->n_ends && !aims.n; e++) {
        if (owns(r, goal, &r->ends[e])) {
            aim_from(r, goal, e, &aims);
        }
    }
    buf_str_add(out, aims.n ? "another rule, or a missing route, decides before it"
                            : "nobody in the lab has such an address");
    VEC_DONE(&aims);
}

static json_t *
goal_json(const struct verify_rules *r, const struct goal *goal)
{
    struct buf text = { 0 };
    const struct object *of = goal->group ? &goal->group->obj : &goal->acl->obj;
    if (goal->rule) {
        sg_rule_words(r->net, goal->rule, &text);
    } else {
        nacl_entry_words(goal->entry, &text);
    }
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "Rule", goal->name, "Of", of->id, "Name",
                             component_name(of) ? component_name(of) : "", "Text", buf_str(&text));
    buf_done(&text);
    return json;
}

static json_t *
missed_json(const struct verify_rules *r, const struct goal *goal)
{
    struct buf reason = { 0 };
    json_t *json = goal_json(r, goal);
    reason_of(r, goal, &reason);
    json_object_set_new(json, "Reason", json_string(buf_str(&reason)));
    buf_done(&reason);
    return json;
}

static json_t *
way_json(const struct way *way)
{
    struct buf text = { 0 };
    const char *name = component_name(&way->table->obj);
    route_words(way->route, &text);
    json_t *json = json_pack("{s:s, s:s, s:s}", "RouteTableId", way->table->obj.id, "Name", name ? name : "", "Text",
                             buf_str(&text));
    buf_done(&text);
    return json;
}

static json_t *
untaken_json(const struct verify_rules *r, const struct way *way)
{
    verify_aim_vec aims = { 0 };
    json_t *json = way_json(way);
    aim_route(r, way, &aims);
    json_object_set_new(json, "Reason",
                        json_string(route_is_blackhole(way->route) ? "it leads nowhere"
                                    : aims.n                       ? "no packet arrived by it"
                                                                   : "nobody else in the lab has such an address"));
    VEC_DONE(&aims);
    return json;
}

json_t *
verify_rules_json(const struct verify_rules *r)
{
    json_t *missed = json_array(), *untaken = json_array(), *met = json_array(), *used = json_array();
    json_int_t n = 0, idle = 0, routes = 0;
    for (size_t i = 0; i < r->goals.n; i++) {
        const struct goal *goal = &r->goals.items[i];
        idle += goal->idle && !goal->hit;
        n += !goal->idle || goal->hit;
        if (goal->hit) {
            json_array_append_new(met, goal_json(r, goal));
        } else if (!goal->idle) {
            json_array_append_new(missed, missed_json(r, goal));
        }
    }
    for (size_t i = 0; i < r->ways.n; i++) {
        const struct way *way = &r->ways.items[i];
        routes += !way->idle || way->taken;
        if (way->taken) {
            json_array_append_new(used, way_json(way));
        } else if (!way->idle) {
            json_array_append_new(untaken, untaken_json(r, way));
        }
    }
    return json_pack("{s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:o}", "Rules", n, "Exercised",
                     (json_int_t)json_array_size(met), "Idle", idle, "NotExercised", missed, "ExercisedRules", met,
                     "Routes", routes, "Taken", (json_int_t)json_array_size(used), "NotTaken", untaken, "TakenRoutes",
                     used);
}
