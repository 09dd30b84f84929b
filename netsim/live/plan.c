#include "netsim/live/plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/failure.h"
#include "netsim/model/load_balancer.h"

const uint8_t plan_router_mac[6] = { 0x0a, 0x76, 0x70, 0x63, 0x00, 0x01 };

/* ---- numbers ------------------------------------------------------------------------------------------------------
 */
static uint32_t
number_of(struct plan_numbers *numbers, const char *key)
{
    uintptr_t known = (uintptr_t)map_get(&numbers->known, key);
    if (!known) {
        known = ++numbers->last;
        map_put(&numbers->known, key, (void *)known);
    }
    return (uint32_t)known;
}

uint32_t
plan_number(struct plan_numbers *numbers, const char *kind, const char *id)
{
    char key[3 * ID_SIZE], *end = stpcpy(key, kind);
    *end++ = ':';
    snprintf(end, sizeof key - (size_t)(end - key), "%s", id);
    return number_of(numbers, key);
}

uint32_t
plan_number_as(struct plan_numbers *numbers, const char *eni_id, const char *key)
{
    char link[ID_SIZE + 8];
    uint32_t number = number_of(numbers, key);
    snprintf(link, sizeof link, "link:%s", eni_id);
    if ((uintptr_t)map_get(&numbers->known, link) != number) {
        map_put(&numbers->known, link, (void *)(uintptr_t)number);
    }
    return number;
}

void
plan_numbers_done(struct plan_numbers *numbers)
{
    map_done(&numbers->known);
    numbers->last = 0;
}

/* ---- order: the same model gives the same plan ---------------------------------------------------------------------
 */
#define COMPARE(a, b)                                                                                                  \
    do {                                                                                                               \
        if ((a) != (b)) {                                                                                              \
            return (a) < (b) ? -1 : 1;                                                                                 \
        }                                                                                                              \
    } while (0)

static int
cidr_compare(const struct cidr *a, const struct cidr *b)
{
    int c = ip_compare(&a->ip, &b->ip);
    return c ? c : (int)a->bits - (int)b->bits;
}

int
plan_address_compare(const void *pa, const void *pb)
{
    const struct plan_address *a = pa, *b = pb;
    COMPARE(a->index, b->index);
    COMPARE(a->bits, b->bits);
    return ip_compare(&a->ip, &b->ip);
}

int
plan_neighbour_compare(const void *pa, const void *pb)
{
    const struct plan_neighbour *a = pa, *b = pb;
    COMPARE(a->index, b->index);
    int c = ip_compare(&a->ip, &b->ip);
    return c ? c : memcmp(a->mac, b->mac, 6);
}

int
plan_route_key_compare(const void *pa, const void *pb)
{
    const struct nlq_route *a = pa, *b = pb;
    COMPARE(a->table, b->table);
    COMPARE(a->metric, b->metric);
    return cidr_compare(&a->to, &b->to);
}

int
plan_route_compare(const void *pa, const void *pb)
{
    const struct nlq_route *a = pa, *b = pb;
    int c = plan_route_key_compare(a, b);
    if (c) {
        return c;
    }
    COMPARE(a->type, b->type);
    COMPARE(a->index, b->index);
    c = ip_compare(&a->via, &b->via);
    return c ? c : ip_compare(&a->source, &b->source);
}

int
plan_rule_compare(const void *pa, const void *pb)
{
    const struct nlq_rule *a = pa, *b = pb;
    COMPARE(a->priority, b->priority);
    COMPARE(a->mark, b->mark);
    COMPARE(a->table, b->table);
    COMPARE(a->family, b->family);
    int c = cidr_compare(&a->from, &b->from);
    return c ? c : strcmp(a->iif, b->iif);
}

static int
end_compare(const struct nlq_end *a, const struct nlq_end *b)
{
    COMPARE(a->index, b->index);
    COMPARE(a->group, b->group);
    COMPARE(a->mtu, b->mtu);
    int c = strcmp(a->name, b->name);
    return c ? c : memcmp(a->mac, b->mac, 6);
}

int
plan_link_compare(const void *pa, const void *pb)
{
    const struct plan_link *a = pa, *b = pb;
    int c = end_compare(&a->here, &b->here);
    COMPARE(c ? 0 : a->tap, c ? 0 : b->tap);
    c = c ? c : end_compare(&a->peer, &b->peer);
    return c ? c : strcmp(a->peer_ns, b->peer_ns);
}

int
plan_tap_compare(const void *a, const void *b)
{
    return memcmp(((const struct plan_tap *)a)->host.mac, ((const struct plan_tap *)b)->host.mac, 6);
}

int
plan_set_compare(const void *a, const void *b)
{
    return strcmp(((const struct plan_set *)a)->name, ((const struct plan_set *)b)->name);
}

int
plan_chain_compare(const void *a, const void *b)
{
    return strcmp(((const struct plan_chain *)a)->name, ((const struct plan_chain *)b)->name);
}

int
plan_element_compare(const void *a, const void *b)
{
    return strcmp(((const struct plan_element *)a)->key, ((const struct plan_element *)b)->key);
}

static int
unbuilt_compare(const void *a, const void *b)
{
    return strcmp(((const struct plan_unbuilt *)a)->id, ((const struct plan_unbuilt *)b)->id);
}

bool
plan_merge_next(struct plan_merge *m, const struct vec_any *from, const struct vec_any *to, size_t size,
                int (*compare)(const void *, const void *))
{
    m->was = m->o < from->n ? (const char *)from->items + m->o * size : NULL;
    m->is = m->n < to->n ? (const char *)to->items + m->n * size : NULL;
    int order = m->was && m->is ? compare(m->was, m->is) : 0;
    if (order > 0) {
        m->was = NULL;
    } else if (order < 0) {
        m->is = NULL;
    }
    m->o += m->was != NULL;
    m->n += m->is != NULL;
    return m->was || m->is;
}

static void
sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
    if (n > 1) {
        qsort(items, n, size, compare);
    }
}
#define SORT(vec, compare) sort((vec)->items, (vec)->n, sizeof *(vec)->items, compare)

void
plan_ns_sort(struct plan_ns *ns)
{
    for (size_t i = 0; i < ns->links.n; i++) {
        SORT(&ns->links.items[i].hosts, plan_tap_compare);
    }
    SORT(&ns->links, plan_link_compare);
    SORT(&ns->addresses, plan_address_compare);
    SORT(&ns->routes, plan_route_compare);
    SORT(&ns->rules, plan_rule_compare);
    SORT(&ns->neighbours, plan_neighbour_compare);
    SORT(&ns->sets, plan_set_compare);
    SORT(&ns->chains, plan_chain_compare);
    for (size_t i = 0; i < ns->sets.n; i++) {
        struct plan_set *set = &ns->sets.items[i];
        SORT(&set->elements, plan_element_compare);
        size_t kept = 0;
        for (size_t j = 0; j < set->elements.n; j++) {
            if (!kept || plan_element_compare(&set->elements.items[kept - 1], &set->elements.items[j])) {
                set->elements.items[kept++] = set->elements.items[j];
            }
        }
        set->elements.n = kept;
    }
}

/* ---- adding -------------------------------------------------------------------------------------------------------
 */
struct plan_ns *
plan_ns_add(struct builder *b, const char *id, enum plan_kind kind, bool ip6)
{
    struct plan_ns *ns = arena_alloc(b->plan->arena, sizeof *ns);
    ns->id = arena_strdup(b->plan->arena, id);
    ns->kind = kind;
    ns->ip6 = ip6;
    *VEC_ADD(&b->plan->namespaces) = ns;
    map_put(&b->plan->by_id, id, ns);
    return ns;
}

struct plan_set *
plan_set_add(struct builder *b, struct plan_ns *ns, const char *name, const char *head)
{
    struct plan_set *set = VEC_ADD(&ns->sets);
    set->name = arena_strdup(b->plan->arena, name);
    set->head = arena_strdup(b->plan->arena, head);
    return set;
}

struct plan_set *
plan_set_added(const struct plan_ns *ns, const char *name)
{
    for (size_t i = 0; i < ns->sets.n; i++) {
        if (strcmp(ns->sets.items[i].name, name) == 0) {
            return &ns->sets.items[i];
        }
    }
    return NULL;
}

void
plan_element_add(struct builder *b, struct plan_set *set, const char *data, const char *key_format, ...)
{
    char key[160];
    va_list args;
    va_start(args, key_format);
    vsnprintf(key, sizeof key, key_format, args);
    va_end(args);
    *VEC_ADD(&set->elements) =
        (struct plan_element){ arena_strdup(b->plan->arena, key), data ? arena_strdup(b->plan->arena, data) : NULL };
}

void
plan_chain_add(struct builder *b, struct plan_ns *ns, const char *name, const char *head, const char *rules)
{
    *VEC_ADD(&ns->chains) = (struct plan_chain){ arena_strdup(b->plan->arena, name), arena_strdup(b->plan->arena, head),
                                                 arena_strdup(b->plan->arena, rules) };
}

void
plan_neighbour_add(struct plan_ns *ns, uint32_t index, const struct ip *ip, const uint8_t mac[6])
{
    struct plan_neighbour *n = VEC_ADD(&ns->neighbours);
    n->index = index;
    n->ip = *ip;
    memcpy(n->mac, mac, 6);
}

void
plan_unbuilt_add(struct builder *b, const char *what, const char *id)
{
    if (!plan_find_unbuilt(b->plan, id)) {
        *VEC_ADD(&b->plan->unbuilt) =
            (struct plan_unbuilt){ arena_strdup(b->plan->arena, what), arena_strdup(b->plan->arena, id) };
    }
}

const char *
plan_name(const char *prefix, const char *id, const char *suffix)
{
    static _Thread_local char buffers[8][128];
    static _Thread_local unsigned turn;
    char *out = buffers[turn++ % 8];
    snprintf(out, sizeof buffers[0], "%s%s%s", prefix, id, suffix);
    for (char *p = out; *p; p++) {
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' ||
              *p == '_')) {
            *p = '_';
        }
    }
    return out;
}

/* ---- the internet -------------------------------------------------------------------------------------------------
 */
static void
plan_internet(struct builder *b, bool ip6)
{
    struct plan_ns *ns = b->internet = plan_ns_add(b, PLAN_INTERNET_ID, PLAN_INTERNET, ip6);
    /* The public addresses of the labs come before the kernel's local table, in which every other address is our own
     * ("any address answers").  Private blocks are nobody's here, as in the real internet. */
    static const char *const nobody[] = { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10" };
    for (int family = IP_V4; family <= (ip6 ? IP_V6 : IP_V4); family += 2) {
        uint8_t f = (uint8_t)family;
        *VEC_ADD(&ns->rules) = (struct nlq_rule){ .family = f, .priority = 10, .table = PLAN_TABLE_PUBLIC };
        *VEC_ADD(&ns->rules) = (struct nlq_rule){ .family = f, .priority = 20, .table = 255 };
        struct ip caller = ip_lit(f == IP_V4 ? PLAN_CALLER4 : PLAN_CALLER6);
        *VEC_ADD(&ns->addresses) = (struct plan_address){ PLAN_LOOPBACK, caller, (uint8_t)ip_width(&caller) };
        *VEC_ADD(&ns->routes) = (struct nlq_route){
            .table = 255, .to = cidr_lit(f == IP_V4 ? "0.0.0.0/0" : "::/0"), .type = NLQ_LOCAL, .index = PLAN_LOOPBACK
        };
    }
    for (size_t i = 0; i < ARRAY_SIZE(nobody); i++) {
        *VEC_ADD(&ns->routes) =
            (struct nlq_route){ .table = PLAN_TABLE_PUBLIC, .to = cidr_lit(nobody[i]), .type = NLQ_BLACKHOLE };
    }
}

/* ---- interfaces ---------------------------------------------------------------------------------------------------
 */
static bool
parse_mac(const char *text, uint8_t mac[6])
{
    static const char digits[] = "0123456789abcdef";
    if (!text || strlen(text) != 17) {
        return false;
    }
    for (int i = 0; i < 6; i++) {
        const char *high = memchr(digits, text[3 * i] | 0x20, 16), *low = memchr(digits, text[3 * i + 1] | 0x20, 16);
        if (!high || !low || (i < 5 && text[3 * i + 2] != ':')) {
            return false;
        }
        mac[i] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    return !(mac[0] & 1);
}

static void
add_port(struct builder *b, struct plan_vpc *v, const struct plan_port *spec, const char *mac, struct map *macs)
{
    struct plan_port *port = VEC_ADD(&v->ports);
    *port = *spec;
    if (!parse_mac(mac, port->mac)) {
        uint64_t hash = hash_bytes(spec->key, strlen(spec->key));
        memcpy(port->mac, &hash, 6);
        port->mac[0] = 0x02; /* locally administered, unicast */
    }
    b->plan->has_taps |= port->tap;
    port->shared = port->tap && plan_may_share(b, macs, port);
    plan_port_number(b, port);
}

struct plan_vpc *
plan_vpc_find(struct builder *b, const char *id)
{
    for (struct plan_vpc *v = b->vpcs; v; v = v->next) {
        if (strcmp(v->vpc->obj.id, id) == 0) {
            return v;
        }
    }
    return NULL;
}

/* Interfaces of endpoints and balancers have no instance, but something of AWS's own behind them. */
static enum plan_place
place_of(struct builder *b, const struct eni *eni)
{
    if (eni->attachment.instance_id[0]) {
        return PLAN_PLACE_NONE;
    }
    const struct endpoint *endpoint = network_endpoint_of_eni(b->net, eni->obj.id);
    if (endpoint) {
        return !endpoint_is_available(endpoint)   ? PLAN_PLACE_NONE
               : endpoint_is_gateway_lb(endpoint) ? PLAN_PLACE_INSPECTION
                                                  : PLAN_PLACE_ENDPOINT;
    }
    const struct load_balancer *lb = network_load_balancer_of_eni(b->net, eni);
    if (!lb && network_classic_balancer_of_eni(b->net, eni)) {
        return PLAN_PLACE_NODE;
    }
    return !lb                                                ? PLAN_PLACE_NONE
           : load_balancer_is_network(lb)                     ? PLAN_PLACE_NODE
           : lb->type && strcmp(lb->type, "application") == 0 ? PLAN_PLACE_PROXY
           : plan_gwlb_is_node(b, eni)                        ? PLAN_PLACE_GATEWAY
                                                              : PLAN_PLACE_NONE;
}

static void
gather_ports(struct builder *b)
{
    struct map macs = { 0 };
    plan_taps_alone(b, &b->plan->taps_alone);
    for (const struct eni *eni = store_first(b->store, &eni_kind); eni; eni = store_next(b->store, eni)) {
        enum plan_place place = place_of(b, eni);
        if (!eni->attachment.instance_id[0] && !place) {
            continue;
        }
        const struct instance *instance = store_get(b->store, &instance_kind, eni->attachment.instance_id);
        const struct subnet *subnet = store_get(b->store, &subnet_kind, eni->subnet_id);
        struct plan_vpc *v = subnet ? plan_vpc_find(b, subnet->vpc_id) : NULL;
        if (!v || (!place && (!instance || !instance_is_running(instance)))) {
            continue; /* a stopped instance has no link */
        }
        if (eni_failure(b->net, eni)) { /* nor has a failed one; its programs go on */
            if (!place && !instance_is_tap(b->net, instance) && !map_get(&b->plan->by_id, instance->obj.id)) {
                plan_ns_add(b, instance->obj.id, PLAN_INSTANCE, v->ip6);
            }
            continue;
        }
        const struct ip *primary = eni_primary_ip(eni);
        struct plan_port port = { .key = eni->obj.id,
                                  .ns = place ? eni->obj.id : instance->obj.id,
                                  .device = place ? 0 : eni->attachment.device_index,
                                  .place = place,
                                  .subnet = subnet,
                                  .eni = eni,
                                  .instance = place ? NULL : instance,
                                  .tap = !place && instance_is_tap(b->net, instance),
                                  .primary = primary ? *primary : (struct ip){ 0 } };
        add_port(b, v, &port, eni->mac, &macs);
    }
    for (const struct nat_gateway *nat = store_first(b->store, &nat_gateway_kind); nat;
         nat = store_next(b->store, nat)) {
        const struct subnet *subnet = store_get(b->store, &subnet_kind, nat->subnet_id);
        struct plan_vpc *v = subnet ? plan_vpc_find(b, subnet->vpc_id) : NULL;
        if (!v || !nat->state || strcmp(nat->state, "available") != 0 || !nat->addresses.n ||
            nat_failure(b->net, nat)) {
            continue;
        }
        struct plan_port port = { .key = nat->obj.id,
                                  .ns = nat->obj.id,
                                  .subnet = subnet,
                                  .nat = nat,
                                  .primary = nat->addresses.items[0].private_ip };
        add_port(b, v, &port, NULL, &macs);
    }
    map_done(&macs);
}

static struct ip
subnet_gateway(const struct subnet *subnet)
{
    struct ip first = cidr_first(&subnet->cidr);
    return ip_add(&first, 1);
}

/* Addresses and routes of one interface as the machine behind it sees them; 'one_of_several': it has others. */
static void
plan_port_inside(struct plan_ns *ns, const struct plan_port *port, bool ip6, bool one_of_several)
{
    uint32_t index = PLAN_ETH0 + (uint32_t)port->device;
    /* The lowest device has the plain default route; what bears an interface's address leaves by it (rule on the
     * source address), also to a neighbour of another one, and programs that bind to the device find a route too. */
    uint32_t metric = (uint32_t)port->device * 100, table = PLAN_TABLE_ETH + (uint32_t)port->device;
    if (port->subnet->cidr.ip.family && port->primary.family) {
        struct ip gateway = subnet_gateway(port->subnet);
        *VEC_ADD(&ns->addresses) = (struct plan_address){ index, port->primary, port->subnet->cidr.bits };
        plan_neighbour_add(ns, index, &gateway, plan_router_mac);
        struct nlq_route route = {
            .table = 254, .to = { .ip = ip_v4(0) }, .index = index, .via = gateway, .metric = metric
        };
        *VEC_ADD(&ns->routes) = route;
        if (one_of_several) {
            route.table = table;
            route.metric = 0;
            *VEC_ADD(&ns->routes) = route;
        }
    }
    for (size_t i = 0; port->eni && i < port->eni->addresses.n; i++) {
        const struct ip *ip = &port->eni->addresses.items[i].ip;
        if (!ip_equal(ip, &port->primary)) {
            *VEC_ADD(&ns->addresses) = (struct plan_address){ index, *ip, 32 };
        }
        if (one_of_several) {
            *VEC_ADD(&ns->rules) =
                (struct nlq_rule){ .family = IP_V4, .priority = 1000, .table = table, .from = cidr_host(ip) };
        }
    }
    /* A machine without an address of its own hears of the router all the same, and may send on for others. */
    const struct cidr *block6 = subnet_cidr6(port->subnet);
    bool sends_on = ns->forwards && block6;
    if (!ip6 || !port->eni || (!port->eni->addresses6.n && !sends_on)) {
        return;
    }
    struct ip gateway6 = ip_lit("fe80::1");
    plan_neighbour_add(ns, index, &gateway6, plan_router_mac);
    struct nlq_route route = {
        .table = 254, .to = cidr_lit("::/0"), .index = index, .via = gateway6, .metric = metric + 1024
    };
    *VEC_ADD(&ns->routes) = route;
    if (one_of_several) {
        route.table = table;
        *VEC_ADD(&ns->routes) = route;
    }
    if (sends_on && one_of_several) { /* to a neighbour by the leg that is there */
        route.table = 254;
        route.to = *block6;
        *VEC_ADD(&ns->routes) = route;
    }
    for (size_t i = 0; i < port->eni->addresses6.n; i++) {
        const struct ip *ip = &port->eni->addresses6.items[i].ip;
        *VEC_ADD(&ns->addresses) = (struct plan_address){ index, *ip, 128 };
        if (one_of_several) {
            *VEC_ADD(&ns->rules) =
                (struct nlq_rule){ .family = IP_V6, .priority = 1000, .table = table, .from = cidr_host(ip) };
        }
    }
}

#define NAT_CARRIES                                                                                                    \
    "ct state invalid counter drop\n" /* an answer to what went another way: it could only pass untranslated */        \
    "meta l4proto { 6, 17, 1 } ct direction original counter accept comment \"from source\"\n"                         \
    "meta l4proto { 6, 17, 1 } ct direction reply counter accept comment \"from destination\"\n"

/* A NAT gateway carries TCP, UDP and ICMP that came by route; what is addressed to itself gets no answer. */
static void
plan_nat_rules(struct builder *b, struct plan_ns *ns, const struct plan_port *port)
{
    char text[512], ip[IP_STR_SIZE];
    ip_format(&port->primary, ip);
    snprintf(text, sizeof text,
             "oifname \"eth0\" meta l4proto tcp snat ip to %s:1024-65535\n"
             "oifname \"eth0\" meta l4proto udp snat ip to %s:1024-65535\n"
             "oifname \"eth0\" meta l4proto icmp snat ip to %s\n",
             ip, ip, ip);
    plan_chain_add(b, ns, "p_snat", "type nat hook postrouting priority 100; policy accept;", text);
    /* What is counted is the leg in IPv4. */
    plan_chain_add(
        b, ns, "f_protocols", "type filter hook forward priority 0; policy drop;",
        ns->ip6 ? "meta nfproto ipv6 goto nat64\n"
                  "oifname \"nat64\" ct direction original counter drop comment \"nobody's address\"\n" NAT_CARRIES
                : NAT_CARRIES);
    plan_chain_add(b, ns, "i_local", "type filter hook input priority 0; policy drop;",
                   "ct state established,related accept\n");
}

struct plan_link *
plan_router_end(struct builder *b, struct plan_vpc *v, const struct plan_port *port)
{
    struct plan_link *link = VEC_ADD(&v->router->links);
    link->eni_id = arena_strdup(b->plan->arena, port->key);
    link->peer_ns = "";
    link->here = (struct nlq_end){ .index = port->index,
                                   .mtu = PLAN_MTU,
                                   .group = plan_number(b->numbers, "subnet", port->subnet->obj.id) };
    memcpy(link->here.name, port->name, sizeof link->here.name);
    memcpy(link->here.mac, plan_router_mac, 6);
    return link;
}

static void
plan_port_link(struct builder *b, struct plan_vpc *v, const struct plan_port *port)
{
    if (port->tap) {
        plan_tap_link(b, v, port);
        return;
    }
    struct plan_ns *ns = map_get(&b->plan->by_id, port->ns);
    if (!ns) {
        bool forwards = port->nat || port->place == PLAN_PLACE_NODE;
        ns = plan_ns_add(b, port->ns, forwards ? PLAN_NAT : PLAN_INSTANCE,
                         v->ip6 && (!forwards || port->nat || port->eni->addresses6.n));
        if (port->place == PLAN_PLACE_ENDPOINT) {
            plan_endpoint_interface(b, ns, port);
        } else if (port->place == PLAN_PLACE_INSPECTION || port->place == PLAN_PLACE_GATEWAY) {
            plan_gwlb_place(b, ns, port);
        } else if (port->place) {
            plan_balancer_node(b, ns, port);
            v->nodes |= port->place == PLAN_PLACE_NODE;
        }
        if (port->nat) {
            plan_nat_rules(b, ns, port);
            if (ns->ip6) {
                plan_nat64(b, ns);
            }
        } else if (!port->place) {
            plan_appliance(b, v, ns);
        }
    }
    struct plan_link *link = plan_router_end(b, v, port);
    link->peer_ns = ns->id;
    link->peer = (struct nlq_end){ .index = PLAN_ETH0 + (uint32_t)port->device, .mtu = PLAN_MTU };
    snprintf(link->peer.name, sizeof link->peer.name, "eth%d", port->device);
    memcpy(link->peer.mac, port->mac, 6);
    link->here.single = link->peer.single = port->place == PLAN_PLACE_INSPECTION;
    struct eni *const *all;
    bool one_of_several = port->device || (port->instance && instance_enis(b->net, port->instance, &all) > 1);
    plan_port_inside(ns, port, v->ip6, one_of_several);
    if (port->instance) {
        plan_served_ports(b, ns, port, v->ip6);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------------------------
 */
struct plan *
plan_new(const struct network *net, struct plan_numbers *numbers)
{
    struct plan *plan = xcalloc(1, sizeof *plan);
    plan->arena = arena_new();
    struct builder b = { .net = net, .store = network_store(net), .plan = plan, .numbers = numbers };
    struct plan_vpc **tail = &b.vpcs;
    bool any6 = false;
    for (const struct vpc *vpc = store_first(b.store, &vpc_kind); vpc; vpc = store_next(b.store, vpc)) {
        struct plan_vpc *v = *tail = arena_alloc(plan->arena, sizeof *v);
        tail = &v->next;
        v->vpc = vpc;
        v->igw = network_vpc_igw(net, vpc->obj.id);
        v->ip6 = vpc->cidrs6.n > 0;
        any6 |= v->ip6;
    }
    plan_internet(&b, any6);
    plan_internet_hosts(&b, any6);
    gather_ports(&b);
    for (struct plan_vpc *v = b.vpcs; v; v = v->next) {
        char id[ID_SIZE + 8];
        snprintf(id, sizeof id, "router:%s", v->vpc->obj.id);
        v->router = plan_ns_add(&b, id, PLAN_ROUTER, v->ip6);
    }
    plan_peerings(&b);
    plan_peering_nodes(&b);
    plan_sites(&b);
    plan_vpn_gateways(&b);
    plan_transit_gateways(&b);
    plan_sites_finish(&b);
    struct buf marks = { 0 };
    for (struct plan_vpc *v = b.vpcs; v; v = v->next) {
        if (v->igw) {
            plan_internet_gateway(&b, v);
        }
        plan_egress_only(&b, v, &marks);
        for (size_t i = 0; i < v->ports.n; i++) {
            plan_port_link(&b, v, &v->ports.items[i]);
        }
        plan_gateway_endpoints(&b, v);
        plan_router(&b, v);
        plan_balancer_returns(&b, v);
        plan_filters(&b, v);
        plan_own_rules(&b, v);
    }
    plan_private_links(&b);
    plan_gwlb(&b);
    plan_from_itself(&b);
    plan_egress_only_marks(&b, &marks);
    plan_transit_tables(&b);
    buf_done(&marks);
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        plan_ns_sort(plan->namespaces.items[i]);
    }
    SORT(&plan->unbuilt, unbuilt_compare);
    plan->vpcs = b.vpcs;
    plan->new_size = arena_used(plan->arena);
    return plan;
}

void
plan_free(struct plan *plan)
{
    if (!plan) {
        return;
    }
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        struct plan_ns *ns = plan->namespaces.items[i];
        for (size_t j = 0; j < ns->sets.n; j++) {
            VEC_DONE(&ns->sets.items[j].elements);
        }
        for (size_t j = 0; j < ns->links.n; j++) {
            VEC_DONE(&ns->links.items[j].hosts);
        }
        VEC_DONE(&ns->links);
        VEC_DONE(&ns->addresses);
        VEC_DONE(&ns->routes);
        VEC_DONE(&ns->rules);
        VEC_DONE(&ns->neighbours);
        VEC_DONE(&ns->sets);
        VEC_DONE(&ns->chains);
        VEC_DONE(&ns->services);
    }
    for (struct plan_vpc *v = plan->vpcs; v; v = v->next) {
        VEC_DONE(&v->ports);
        VEC_DONE(&v->peerings);
        VEC_DONE(&v->transits);
        VEC_DONE(&v->endpoints);
        VEC_DONE(&v->overridden);
        map_done(&v->shared);
    }
    VEC_DONE(&plan->namespaces);
    VEC_DONE(&plan->unbuilt);
    map_done(&plan->by_id);
    map_done(&plan->elsewhere);
    map_done(&plan->taps_alone);
    arena_free(plan->arena);
    free(plan);
}

const struct plan_ns *
plan_find(const struct plan *plan, const char *id)
{
    return map_get(&plan->by_id, id);
}

const struct plan_unbuilt *
plan_find_unbuilt(const struct plan *plan, const char *id)
{
    for (size_t i = 0; i < plan->unbuilt.n; i++) {
        if (strcmp(plan->unbuilt.items[i].id, id) == 0) {
            return &plan->unbuilt.items[i];
        }
    }
    return NULL;
}

#define FIND(vec, like, compare)                                                                                       \
    ((vec)->n ? bsearch(like, (vec)->items, (vec)->n, sizeof *(vec)->items, compare) : NULL)

const struct plan_set *
plan_find_set(const struct plan_ns *ns, const char *name)
{
    return FIND(&ns->sets, (&(struct plan_set){ .name = name }), plan_set_compare);
}

const struct plan_chain *
plan_find_chain(const struct plan_ns *ns, const char *name)
{
    return FIND(&ns->chains, (&(struct plan_chain){ .name = name }), plan_chain_compare);
}

const struct plan_element *
plan_find_element(const struct plan_set *set, const char *key)
{
    return FIND(&set->elements, (&(struct plan_element){ .key = key }), plan_element_compare);
}
