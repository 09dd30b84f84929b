#include "netsim/analysis/connectivity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/address_parts.h"
#include "netsim/analysis/conn_roles.h"
#include "netsim/analysis/conn_ways.h"
#include "netsim/analysis/walk.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

/* Addresses tried in a part of the internet before giving up: the lab's own public ones are passed over. */
#define MAX_TRIES 4096

struct node { /* an interface, or a part of the internet, before classes are made */
    const struct eni *eni;
    struct cidr outside;
    struct ip ip;
    int site, role;
};
struct connectivity {
    const struct network *net;
    int family;
    struct set_pool *pool;
    struct address_parts seen_by_ways, seen_by_groups, seen_by_any;
    struct map own_route; /* interfaces and instances that a route names as its target */
    VEC(struct node) nodes;
    struct conn_ways *ways;
    struct conn_roles *roles;
    VEC(struct conn_class) classes;
    VEC(struct node) asked; /* of each class, one member with its site and role */
    struct map class_of;    /* interface id, CIDR of a part of the internet -> index + 1 */
};

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
add_prefix_list(struct connectivity *c, const struct network *net, struct address_parts *parts, const char *id)
{
    const struct prefix_list *list = id ? store_get(network_store(net), &prefix_list_kind, id) : NULL;
    for (size_t i = 0; list && i < list->entries.n; i++) {
        add_of_family(parts, &list->entries.items[i].cidr, c->family);
    }
}

static void
collect_blocks(struct connectivity *c, const struct network *net)
{
    const struct store *store = network_store(net);
    struct address_parts *parts = &c->seen_by_ways;
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
collect_routes(struct connectivity *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct route *route = &t->routes.items[i];
            add_of_family(&c->seen_by_ways, &route->cidr, c->family);
            add_of_family(&c->seen_by_ways, &route->cidr6, c->family);
            add_prefix_list(c, net, &c->seen_by_ways, route->prefix_list_id);
            const char *id;
            enum route_target target = route_target(route, &id);
            if ((target == ROUTE_ENI || target == ROUTE_INSTANCE) && id) {
                map_put(&c->own_route, id, c);
            }
        }
    }
    for (const struct network_acl *acl = store_first(store, &network_acl_kind); acl; acl = store_next(store, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            add_of_family(&c->seen_by_ways, &acl->entries.items[i].cidr, c->family);
            add_of_family(&c->seen_by_ways, &acl->entries.items[i].cidr6, c->family);
        }
    }
}

static void
collect_rules(struct connectivity *c, const struct network *net)
{
    const struct store *store = network_store(net);
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            add_of_family(&c->seen_by_groups, &g->rules.items[i].cidr, c->family);
            add_prefix_list(c, net, &c->seen_by_groups, g->rules.items[i].prefix_list_id);
        }
    }
}

static void
collect_parts(struct connectivity *c, const struct network *beside)
{
    const struct network *nets[] = { c->net, beside };
    for (size_t i = 0; i < ARRAY_SIZE(nets) && nets[i]; i++) {
        collect_blocks(c, nets[i]);
        collect_routes(c, nets[i]);
        collect_rules(c, nets[i]);
    }
    address_parts_sort(&c->seen_by_ways);
    address_parts_sort(&c->seen_by_groups);
    const struct address_parts *both[] = { &c->seen_by_ways, &c->seen_by_groups };
    for (size_t k = 0; k < ARRAY_SIZE(both); k++) {
        for (size_t i = 0; i < both[k]->items.n; i++) {
            address_parts_add(&c->seen_by_any, &both[k]->items.items[i].cidr);
        }
    }
    address_parts_sort(&c->seen_by_any);
}

/* ---- Nodes ---------------------------------------------------------------------------------------------------------
 */

static const struct ip *
address_of(const struct eni *eni, int family)
{
    if (family == IP_V6) {
        return eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
    }
    return eni_primary_ip(eni);
}

/* Everything about an interface that a walk looks at, its groups' rules apart. */
static char *
site_key(const struct connectivity *c, const struct eni *eni, const struct ip *ip)
{
    const struct instance *instance = eni_instance(c->net, eni);
    bool plain = (!eni->type || strcmp(eni->type, "interface") == 0) && !network_endpoint_of_eni(c->net, eni->obj.id);
    bool is_target = map_get(&c->own_route, eni->obj.id) || map_get(&c->own_route, eni->attachment.instance_id);
    bool holds = network_eni_by_address(c->net, eni->vpc_id, ip) == eni; /* else somebody else has the address too */
    return xasprintf("%s %s %d %d%d%d%d%d %s", eni->vpc_id, eni->subnet_id, address_parts_find(&c->seen_by_ways, ip),
                     eni->source_dest_check, !instance || instance_is_running(instance),
                     eni->status && strcmp(eni->status, "available") == 0, eni->groups.n > 0,
                     eni_public_ip(eni, ip) != NULL, plain && !is_target && holds ? "" : eni->obj.id);
}

bool
connectivity_takes(const struct network *net, const struct eni *eni)
{
    return !eni_nat_gateway(net, eni) && !network_load_balancer_of_eni(net, eni);
}

static void
add_interfaces(struct connectivity *c)
{
    const struct store *store = network_store(c->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        const struct ip *ip = address_of(eni, c->family);
        if (!ip || !connectivity_takes(c->net, eni)) {
            continue;
        }
        struct node *node = VEC_ADD(&c->nodes);
        *node = (struct node){ .eni = eni, .ip = *ip };
        char *key = site_key(c, eni, ip);
        node->site = conn_ways_site(c->ways, key, eni, ip);
        node->role = conn_roles_add(c->roles, eni, ip, address_parts_find(&c->seen_by_groups, ip));
        free(key);
    }
}

/* May a packet from this address come in from the internet? */
static bool
is_outside(const struct connectivity *c, const struct ip *ip)
{
    const struct store *store = network_store(c->net);
    struct ip private_ip;
    if (ip_is_private(ip) || ip_is_shared(ip) || network_eni_by_public_ip(c->net, ip, &private_ip)) {
        return false;
    }
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        if (vpc_contains_ip(vpc, ip)) {
            return false;
        }
    }
    return true;
}

/* An address to ask about in the name of the part.  The well-known ones read better than the first of all. */
static bool
outside_address(const struct connectivity *c, int part, struct ip *ip)
{
    static const char *const known[] = { "8.8.8.8", "9.9.9.9", "1.1.1.1", "2001:4860:4860::8888", "2620:fe::fe" };
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        *ip = ip_lit(known[i]);
        if (ip->family == c->family && address_parts_find(&c->seen_by_any, ip) == part && is_outside(c, ip)) {
            return true;
        }
    }
    struct ip from = { 0 };
    for (int i = 0; i < MAX_TRIES && address_parts_first(&c->seen_by_any, part, &from, ip); i++) {
        if (is_outside(c, ip)) {
            return true;
        }
        from = ip_add(ip, 1);
    }
    return false;
}

static void
add_outside(struct connectivity *c)
{
    for (size_t i = 0; i < c->seen_by_any.items.n; i++) {
        struct ip ip;
        const struct cidr *cidr = &c->seen_by_any.items.items[i].cidr;
        if (!outside_address(c, (int)i, &ip)) {
            continue;
        }
        struct node *node = VEC_ADD(&c->nodes);
        *node = (struct node){ .outside = *cidr, .ip = ip };
        node->site = conn_ways_site(c->ways, cidr_str(cidr), NULL, &ip);
        node->role = conn_roles_add(c->roles, NULL, &ip, address_parts_find(&c->seen_by_groups, &ip));
    }
}

/* ---- Classes -------------------------------------------------------------------------------------------------------
 */

static void
make_classes(struct connectivity *c)
{
    struct map known = { 0 };
    for (size_t i = 0; i < c->nodes.n; i++) {
        struct node *node = &c->nodes.items[i];
        char key[48];
        node->site = conn_ways_like(c->ways, node->site);
        node->role = conn_roles_like(c->roles, node->role);
        snprintf(key, sizeof key, "%d %d %d", node->site, node->role, node->eni != NULL);
        uintptr_t index = (uintptr_t)map_get(&known, key);
        if (!index) {
            VEC_ADD(&c->classes)->ip = node->ip;
            *VEC_ADD(&c->asked) = *node;
            index = c->classes.n;
            map_put(&known, key, (void *)index);
        }
        struct conn_class *class = &c->classes.items[index - 1];
        if (node->eni) {
            *VEC_ADD(&class->members) = node->eni;
            map_put(&c->class_of, node->eni->obj.id, (void *)index);
        } else {
            *VEC_ADD(&class->outside) = node->outside;
            map_put(&c->class_of, cidr_str(&node->outside), (void *)index);
        }
    }
    map_done(&known);
}

struct connectivity *
connectivity_new_beside(const struct network *net, const struct network *beside, int family)
{
    struct connectivity *c = xcalloc(1, sizeof *c);
    c->net = net;
    c->family = family == IP_V6 ? IP_V6 : IP_V4;
    c->pool = set_pool_new(c->family);
    c->ways = conn_ways_new(net, c->pool, c->family);
    c->roles = conn_roles_new(net, c->pool);
    collect_parts(c, beside);
    add_interfaces(c);
    add_outside(c);
    bool alike = conn_ways_walk(c->ways);
    conn_roles_judge(c->roles, c->ways, alike);
    make_classes(c);
    return c;
}

struct connectivity *
connectivity_new(const struct network *net, int family)
{
    return connectivity_new_beside(net, NULL, family);
}

void
connectivity_free(struct connectivity *c)
{
    if (!c) {
        return;
    }
    for (size_t i = 0; i < c->classes.n; i++) {
        VEC_DONE(&c->classes.items[i].members);
        VEC_DONE(&c->classes.items[i].outside);
    }
    VEC_DONE(&c->classes);
    VEC_DONE(&c->asked);
    VEC_DONE(&c->nodes);
    address_parts_done(&c->seen_by_ways);
    address_parts_done(&c->seen_by_groups);
    address_parts_done(&c->seen_by_any);
    map_done(&c->own_route);
    map_done(&c->class_of);
    conn_ways_free(c->ways);
    conn_roles_free(c->roles);
    set_pool_free(c->pool);
    free(c);
}

int
connectivity_family(const struct connectivity *c)
{
    return c->family;
}

struct set_pool *
connectivity_pool(const struct connectivity *c)
{
    return c->pool;
}

size_t
connectivity_n_classes(const struct connectivity *c)
{
    return c->classes.n;
}

const struct conn_class *
connectivity_class(const struct connectivity *c, size_t index)
{
    return &c->classes.items[index];
}

int
connectivity_class_of(const struct connectivity *c, const char *eni_id)
{
    return (int)(uintptr_t)map_get(&c->class_of, eni_id) - 1;
}

int
connectivity_class_at(const struct connectivity *c, const struct ip *ip)
{
    int part = address_parts_find(&c->seen_by_any, ip);
    if (part < 0 || !is_outside(c, ip)) {
        return -1;
    }
    return (int)(uintptr_t)map_get(&c->class_of, cidr_str(&c->seen_by_any.items.items[part].cidr)) - 1;
}

struct conn_flow
connectivity_between(const struct connectivity *c, size_t from, size_t to)
{
    const struct node *a = &c->asked.items[from], *b = &c->asked.items[to];
    const struct conn_way *way = conn_ways_between(c->ways, a->site, b->site);
    struct conn_way own;
    struct conn_flow flow = { .passes = PACKETS_NONE, .answered = PACKETS_NONE, .why = way->why };
    if (way->by_pair) {
        conn_ways_ask(c->ways, a->eni, &a->ip, b->eni, &b->ip, true, &own);
        flow.passes = own.passes;
        flow.answered = set_pool_combine(c->pool, own.passes, own.answered, PACKETS_INTERSECT);
        return flow;
    }
    if (way->passes != PACKETS_NONE) {
        int filters = conn_roles_between(c->roles, a->role, b->role);
        flow.passes = set_pool_combine(c->pool, way->passes, filters, PACKETS_INTERSECT);
        flow.answered = set_pool_combine(c->pool, flow.passes, way->answered, PACKETS_INTERSECT);
    }
    return flow;
}

struct connectivity_counts
connectivity_counts(const struct connectivity *c)
{
    struct connectivity_counts counts = { .sites = conn_ways_n_sites(c->ways),
                                          .roles = conn_roles_count(c->roles),
                                          .classes = c->classes.n,
                                          .walks = conn_ways_n_walks(c->ways) };
    for (size_t i = 0; i < c->nodes.n; i++) {
        counts.interfaces += c->nodes.items[i].eni != NULL;
        counts.outside += c->nodes.items[i].eni == NULL;
    }
    return counts;
}

const char *
eni_name(const struct network *net, const struct eni *eni)
{
    const struct instance *instance = eni_instance(net, eni);
    const char *name = instance ? object_name(&instance->obj) : NULL;
    name = name ? name : object_name(&eni->obj);
    return name ? name : instance ? instance->obj.id : eni->obj.id;
}

/* ---- Groups of classes that behave alike
 * -------------------------------------------------------------------------------
 */

static uint64_t
flow_word(const struct connectivity *c, size_t from, size_t to)
{
    struct conn_flow flow = connectivity_between(c, from, to);
    return (uint64_t)(uint32_t)flow.passes << 32 | (uint32_t)flow.answered;
}

static bool
classes_alike(const struct connectivity *c, size_t a, size_t b)
{
    if ((c->classes.items[a].members.n == 0) != (c->classes.items[b].members.n == 0)) {
        return false;
    }
    for (size_t i = 0; i < c->classes.n; i++) {
        if (flow_word(c, a, i) != flow_word(c, b, i) || flow_word(c, i, a) != flow_word(c, i, b)) {
            return false;
        }
    }
    return true;
}

size_t
connectivity_groups(const struct connectivity *c, int **groups)
{
    size_t n = c->classes.n, n_groups = 0;
    uint64_t *prints = xcalloc(n + 1, sizeof *prints);
    struct map firsts = { 0 }; /* fingerprint -> the last class with it, chained by 'next' */
    int *next = xcalloc(n + 1, sizeof *next);
    *groups = xcalloc(n + 1, sizeof **groups);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < n; k++) {
            uint64_t word = flow_word(c, i, k);
            prints[i] += (word + 2 * k + 1) * UINT64_C(0x9E3779B97F4A7C15) ^ (word >> 7) * (k + 3);
            prints[k] += (word + 2 * i + 1) * UINT64_C(0xC2B2AE3D27D4EB4F) ^ (word >> 5) * (i + 5);
        }
    }
    for (size_t i = 0; i < n; i++) {
        char key[24];
        snprintf(key, sizeof key, "%" PRIx64, prints[i]);
        int first = (int)(uintptr_t)map_get(&firsts, key), like = first;
        while (like && !classes_alike(c, (size_t)like - 1, i)) {
            like = next[like - 1];
        }
        (*groups)[i] = like ? (*groups)[like - 1] : (int)n_groups++;
        if (!like) {
            next[i] = first;
            map_put(&firsts, key, (void *)(uintptr_t)(i + 1));
        }
    }
    map_done(&firsts);
    free(prints);
    free(next);
    return n_groups;
}
