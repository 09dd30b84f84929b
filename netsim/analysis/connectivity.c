#include "netsim/analysis/connectivity.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/conn_parts.h"
#include "netsim/analysis/conn_probes.h"
#include "netsim/analysis/conn_roles.h"
#include "netsim/analysis/conn_ways.h"
#include "netsim/analysis/walk.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/failure.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

struct node { /* an address of an interface, or a part of what is outside, before classes are made */
    struct conn_end end;
    bool secondary; /* not the address an interface goes by */
    struct cidr outside;
    int side;  /* 0: interfaces, 1: the internet, 2 and more: behind a gate */
    int probe; /* of 'probed': a balancer's interface; -1: none */
    int site, role;
    int fares; /* what gets from it through the balancers: number of a row of 'fares' */
};
struct probed {
    int passes, answered;
};
struct connectivity {
    const struct network *net;
    int family;
    struct set_pool *pool;
    struct conn_parts parts;
    VEC(struct node) nodes;
    struct conn_ways *ways;
    struct conn_roles *roles;
    struct conn_probes *probes;
    VEC(size_t) probed;       /* nodes that are interfaces of balancers */
    VEC(struct probed) fares; /* rows of probed.n */
    VEC(struct conn_class) classes;
    VEC(struct node) asked; /* of each class, one member with its site and role */
    struct map class_of;    /* interface id (and secondary address), part behind a gate -> index + 1 */
};

/* ---- Nodes ---------------------------------------------------------------------------------------------------------
 */

static size_t
n_addresses(const struct eni *eni, int family)
{
    return family == IP_V6 ? eni->addresses6.n : eni->addresses.n;
}

/* The one it goes by first. */
static const struct ip *
address_of(const struct eni *eni, int family, size_t index)
{
    if (family == IP_V6) {
        return &eni->addresses6.items[index].ip;
    }
    const struct ip *primary = eni_primary_ip(eni);
    size_t at = 0;
    while (at < eni->addresses.n && &eni->addresses.items[at].ip != primary) {
        at++;
    }
    return &eni->addresses.items[index == 0 ? at : index <= at ? index - 1 : index].ip;
}

/* Everything about an interface that a walk looks at, its groups' rules apart. */
static char *
site_key(const struct connectivity *c, const struct eni *eni, const struct ip *ip)
{
    const struct instance *instance = eni_instance(c->net, eni);
    bool plain = (!eni->type || strcmp(eni->type, "interface") == 0) && !network_endpoint_of_eni(c->net, eni->obj.id);
    bool is_target =
        map_get(&c->parts.own_route, eni->obj.id) || map_get(&c->parts.own_route, eni->attachment.instance_id);
    bool holds = network_eni_by_address(c->net, eni->vpc_id, ip) == eni; /* else somebody else has the address too */
    bool alone = !plain || is_target || !holds || conn_probes_wants(c->net, eni);
    return xasprintf("%s %s %d %d%d%d%d%d%d %s%s", eni->vpc_id, eni->subnet_id,
                     address_parts_find(&c->parts.by_ways, ip), eni->source_dest_check,
                     !instance || instance_is_running(instance), eni_failure(c->net, eni) != NULL,
                     eni->status && strcmp(eni->status, "available") == 0, eni->groups.n > 0,
                     eni_public_ip(eni, ip) != NULL, alone ? eni->obj.id : "", alone ? ip_str(ip) : "");
}

static void
add_node(struct connectivity *c, struct node node, const char *site)
{
    node.site = conn_ways_site(c->ways, site, &node.end, node.side);
    node.role =
        conn_roles_add(c->roles, node.end.eni, &node.end.ip, address_parts_find(&c->parts.by_groups, &node.end.ip));
    node.probe = -1;
    if (node.end.eni && conn_probes_wants(c->net, node.end.eni)) {
        node.probe = (int)c->probed.n;
        *VEC_ADD(&c->probed) = c->nodes.n;
    }
    *VEC_ADD(&c->nodes) = node;
}

/* A secondary address is a node of its own where rules or routes can tell it from the first. */
static void
add_interfaces(struct connectivity *c)
{
    const struct store *store = network_store(c->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        char *first = NULL;
        for (size_t i = 0; i < n_addresses(eni, c->family); i++) {
            struct node node = { .end = { .eni = eni, .ip = *address_of(eni, c->family, i) }, .secondary = i > 0 };
            char *key = site_key(c, eni, &node.end.ip);
            int part = address_parts_find(&c->parts.by_groups, &node.end.ip);
            char *both = xasprintf("%s %d", key, part);
            if (!first || strcmp(first, both) != 0) {
                add_node(c, node, key);
            }
            free(key);
            if (first) {
                free(both);
            } else {
                first = both;
            }
        }
        free(first);
    }
}

static void
add_outside(struct connectivity *c)
{
    for (size_t i = 0; i < c->parts.by_any.items.n; i++) {
        struct node node = { .outside = c->parts.by_any.items.items[i].cidr, .side = 1 };
        for (size_t g = 0; g <= c->parts.gates.n; g++) {
            const struct conn_gate *gate = g ? &c->parts.gates.items[g - 1] : NULL;
            if (!conn_parts_address(&c->parts, c->net, (int)i, gate, &node.end.ip)) {
                continue;
            }
            node.side = 1 + (int)g;
            node.end.gate = gate ? gate->id : NULL;
            char *site = xasprintf("outside %zu %d", g, address_parts_find(&c->parts.by_ways, &node.end.ip));
            add_node(c, node, site);
            free(site);
        }
    }
}

/* ---- Balancers
 * ---------------------------------------------------------------------------------------------------------------
 */

static struct probed
probe(struct connectivity *c, const struct node *from, const struct node *to)
{
    const struct conn_way *way = conn_ways_between(c->ways, from->site, to->site);
    struct probed out = { PACKETS_NONE, PACKETS_NONE };
    int front =
        set_pool_combine(c->pool, way->passes, conn_roles_between(c->roles, from->role, to->role), PACKETS_INTERSECT);
    if (way->by_pair) {
        front = PACKETS_ALL;
    }
    if (front != PACKETS_NONE && from->end.eni != to->end.eni) {
        conn_probes_ask(c->probes, &from->end, &to->end, front, &out.passes, &out.answered);
    }
    return out;
}

/* Instances and addresses that balancers send to: as a client a target cannot be served by itself, its like can. */
static void
collect_targets(const struct network *net, struct map *targets)
{
    const struct store *store = network_store(net);
    for (const struct target_group *g = store_first(store, &target_group_kind); g; g = store_next(store, g)) {
        for (size_t i = 0; i < g->targets.n && target_group_keeps_client(g); i++) {
            struct ip ip;
            const char *id = g->targets.items[i].id;
            const struct eni *eni = id && ip_parse(id, &ip) ? network_eni_by_address(net, g->vpc_id, &ip) : NULL;
            map_put(targets, eni ? eni->obj.id : id ? id : "", (void *)1);
        }
    }
}

static bool
is_target(const struct map *targets, const struct eni *eni)
{
    return eni && (map_get(targets, eni->obj.id) || map_get(targets, eni->attachment.instance_id));
}

/* What gets through from each node, asked once for those with the same site and role, before any count as alike. */
static void
ask_balancers(struct connectivity *c)
{
    struct map known = { 0 }, rows = { 0 }, targets = { 0 };
    collect_targets(c->net, &targets);
    for (size_t i = 0; i < c->nodes.n && c->probed.n; i++) {
        struct node *node = &c->nodes.items[i];
        char key[48 + ID_SIZE];
        snprintf(key, sizeof key, "%d %d %s", node->site, node->role,
                 is_target(&targets, node->end.eni) ? node->end.eni->obj.id : "");
        uintptr_t index = (uintptr_t)map_get(&known, key);
        if (!index) {
            struct buf row = { 0 };
            size_t begin = c->fares.n;
            for (size_t k = 0; k < c->probed.n; k++) {
                *VEC_ADD(&c->fares) = probe(c, node, &c->nodes.items[c->probed.items[k]]);
                const struct probed *last = &c->fares.items[begin + k];
                buf_printf(&row, "%d/%d ", last->passes, last->answered);
            }
            index = (uintptr_t)map_get(&rows, buf_str(&row));
            if (index) {
                c->fares.n = begin;
            } else {
                index = begin / c->probed.n + 1;
                map_put(&rows, buf_str(&row), (void *)index);
            }
            map_put(&known, key, (void *)index);
            buf_done(&row);
        }
        node->fares = (int)index - 1;
    }
    map_done(&known);
    map_done(&rows);
    map_done(&targets);
}

/* ---- Classes -------------------------------------------------------------------------------------------------------
 */

/* How class_of knows a node: "eni-1", "eni-1 10.0.1.20", " 0.0.0.0/0", "vpn-1 192.168.0.0/16". */
static char *
node_key(const struct node *node)
{
    const struct conn_end *end = &node->end;
    return end->eni
               ? node->secondary ? xasprintf("%s %s", end->eni->obj.id, ip_str(&end->ip)) : xstrdup(end->eni->obj.id)
               : xasprintf("%s %s", end->gate ? end->gate : "", cidr_str(&node->outside));
}

static void
make_classes(struct connectivity *c)
{
    struct map known = { 0 };
    for (size_t i = 0; i < c->nodes.n; i++) {
        struct node *node = &c->nodes.items[i];
        char key[80], *name = node_key(node);
        node->site = conn_ways_like(c->ways, node->site);
        node->role = conn_roles_like(c->roles, node->role);
        snprintf(key, sizeof key, "%d %d %d %d %d %d", node->site, node->role, node->side, node->secondary, node->fares,
                 node->probe);
        uintptr_t index = (uintptr_t)map_get(&known, key);
        if (!index) {
            struct conn_class *class = VEC_ADD(&c->classes);
            class->ip = node->end.ip;
            class->gate = node->end.gate;
            class->service = node->side > 1 && c->parts.gates.items[node->side - 2].service;
            class->secondary = node->secondary;
            *VEC_ADD(&c->asked) = *node;
            index = c->classes.n;
            map_put(&known, key, (void *)index);
        }
        struct conn_class *class = &c->classes.items[index - 1];
        if (node->end.eni) {
            *VEC_ADD(&class->members) = node->end.eni;
            *VEC_ADD(&class->addresses) = node->end.ip;
        } else {
            *VEC_ADD(&class->outside) = node->outside;
        }
        map_put(&c->class_of, name, (void *)index);
        free(name);
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
    c->probes = conn_probes_new(net, c->pool, c->family);
    conn_parts_init(&c->parts, net, beside, c->family);
    add_interfaces(c);
    add_outside(c);
    bool alike = conn_ways_walk(c->ways);
    conn_roles_judge(c->roles, c->ways, alike);
    ask_balancers(c);
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
        VEC_DONE(&c->classes.items[i].addresses);
        VEC_DONE(&c->classes.items[i].outside);
    }
    VEC_DONE(&c->classes);
    VEC_DONE(&c->asked);
    VEC_DONE(&c->nodes);
    VEC_DONE(&c->probed);
    VEC_DONE(&c->fares);
    conn_parts_done(&c->parts);
    conn_probes_free(c->probes);
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
connectivity_class_of_address(const struct connectivity *c, const char *eni_id, const struct ip *ip)
{
    char key[ID_SIZE + IP_STR_SIZE + 2], address[IP_STR_SIZE];
    snprintf(key, sizeof key, "%s %s", eni_id, ip_format(ip, address));
    int class = connectivity_class_of(c, key);
    return class >= 0 ? class : connectivity_class_of(c, eni_id);
}

int
connectivity_class_of_part(const struct connectivity *c, const char *gate, const struct cidr *part)
{
    char *key = xasprintf("%s %s", gate ? gate : "", cidr_str(part));
    int class = connectivity_class_of(c, key);
    free(key);
    return class;
}

int
connectivity_class_at(const struct connectivity *c, const char *gate, const struct ip *ip)
{
    int part = address_parts_find(&c->parts.by_any, ip);
    return part < 0 || !conn_is_outside(c->net, ip, !gate)
               ? -1
               : connectivity_class_of_part(c, gate, &c->parts.by_any.items.items[part].cidr);
}

struct conn_flow
connectivity_between(const struct connectivity *c, size_t from, size_t to)
{
    const struct node *a = &c->asked.items[from], *b = &c->asked.items[to];
    const struct conn_way *way = conn_ways_between(c->ways, a->site, b->site);
    struct conn_way own;
    struct conn_flow flow = { .passes = PACKETS_NONE, .answered = PACKETS_NONE, .why = way->why, .lost = way->lost };
    if (b->probe >= 0) {
        const struct probed *probed = &c->fares.items[(size_t)a->fares * c->probed.n + (size_t)b->probe];
        flow.passes = probed->passes;
        flow.answered = probed->answered;
        return flow;
    }
    if (way->by_pair) {
        conn_ways_ask(c->ways, &a->end, &b->end, true, &own);
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
        counts.interfaces += c->nodes.items[i].side == 0 && !c->nodes.items[i].secondary;
        counts.outside += c->nodes.items[i].side > 0;
    }
    return counts;
}

bool
connectivity_opens(const struct network *net, const struct eni *eni)
{
    bool attached = eni->type && strcmp(eni->type, "transit_gateway") == 0;
    return !attached && !eni_nat_gateway(net, eni) && !network_endpoint_of_eni(net, eni->obj.id);
}

/* Whoever works behind an interface: its instance, balancer, NAT gateway or endpoint. */
static const struct object *
eni_owner(const struct network *net, const struct eni *eni)
{
    const struct instance *instance = eni_instance(net, eni);
    const struct nat_gateway *nat = instance ? NULL : eni_nat_gateway(net, eni);
    const struct endpoint *endpoint = instance || nat ? NULL : network_endpoint_of_eni(net, eni->obj.id);
    const struct load_balancer *lb = instance || nat || endpoint ? NULL : network_load_balancer_of_eni(net, eni);
    const struct classic_balancer *classic =
        instance || nat || endpoint || lb ? NULL : network_classic_balancer_of_eni(net, eni);
    return instance   ? &instance->obj
           : nat      ? &nat->obj
           : endpoint ? &endpoint->obj
           : lb       ? &lb->obj
           : classic  ? &classic->obj
                      : NULL;
}

const char *
eni_owner_id(const struct network *net, const struct eni *eni)
{
    const struct object *owner = eni_owner(net, eni);
    return owner ? owner->id : NULL;
}

const char *
eni_name(const struct network *net, const struct eni *eni)
{
    const struct object *owner = eni_owner(net, eni);
    const char *name = owner ? object_name(owner) : NULL;
    if (owner && !name && owner->kind == &load_balancer_kind) {
        name = ((const struct load_balancer *)owner)->name;
    }
    name = name ? name : object_name(&eni->obj);
    return name ? name : owner ? owner->id : eni->obj.id;
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
    const struct node *one = &c->asked.items[a], *other = &c->asked.items[b];
    if (one->side != other->side || one->secondary != other->secondary) {
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
