#include "netsim/live/route_count.h"

#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/live_internal.h"
#include "netsim/live/plan_build.h"

enum { LINES_MAX = 150 /* of one transaction: the netlink buffer holds some more */ };

/* Where packets for a block go that a mark's table routes. */
struct way {
    uint32_t mark;
    struct cidr to;
    uint32_t link; /* 0: to one of the VPC's interfaces, or nowhere */
    bool nowhere;
    const struct plan_vpc *v; /* whose router it is */
    char table_id[ID_SIZE];
};
typedef VEC(struct way) way_vec;

/* Rules for one router, sent in bites. */
struct script {
    struct nft_ctx *nft;
    struct buf text;
    size_t n_lines;
    bool failed;
};

static void
send_lines(struct script *s)
{
    if (s->text.size && !s->failed) {
        s->failed = nft_run_cmd_from_buffer(s->nft, buf_str(&s->text)) != 0;
    }
    buf_clear(&s->text);
    s->n_lines = 0;
}

static void __attribute__((format(printf, 2, 3))) add_line(struct script *s, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(&s->text, format, args);
    va_end(args);
    if (++s->n_lines >= LINES_MAX) {
        send_lines(s);
    }
}

/* ---- what the router's tables say ---------------------------------------------------------------------------------
 */
static void
add_local(const struct route_table *table, uint32_t mark, way_vec *ways)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        const char *id;
        if (route_target(route, &id) == ROUTE_LOCAL) {
            struct way *way = VEC_ADD(ways);
            *way = (struct way){ .mark = mark, .to = route->cidr.ip.family ? route->cidr : route->cidr6 };
            snprintf(way->table_id, sizeof way->table_id, "%s", table->obj.id);
        }
    }
}

static void
add_planned(const struct plan_vpc *v, const struct plan_ns *ns, const char *table_id, uint32_t mark, way_vec *ways)
{
    uint32_t first = PLAN_TABLE_FIRST + 2 * mark;
    for (size_t i = 0; i < ns->routes.n; i++) {
        const struct nlq_route *route = &ns->routes.items[i];
        if (route->table == first || route->table == first + 1) {
            struct way *way = VEC_ADD(ways);
            *way = (struct way){
                .mark = mark, .to = route->to, .link = route->index, .nowhere = route->type == NLQ_BLACKHOLE, .v = v
            };
            snprintf(way->table_id, sizeof way->table_id, "%s", table_id);
        }
    }
}

static int
longest_first(const void *a, const void *b)
{
    const struct way *x = a, *y = b;
    return x->mark != y->mark         ? (x->mark < y->mark ? -1 : 1)
           : x->to.bits != y->to.bits ? (int)y->to.bits - (int)x->to.bits
                                      : ip_compare(&x->to.ip, &y->to.ip);
}

/* Of every table of the VPC, for each zone if it is another one there: "table:rtb-0a1b@us-east-1a". */
static void
gather_ways(const struct live *live, const struct network *net, const struct plan_ns *ns, way_vec *ways)
{
    size_t cursor = 0;
    const char *key;
    void *value;
    const struct plan_vpc *v = live->plan->vpcs;
    while (v && v->router != ns) {
        v = v->next;
    }
    while (map_next(&live->numbers.known, &cursor, &key, &value)) {
        char id[ID_SIZE];
        if (strncmp(key, "table:", 6) != 0) {
            continue;
        }
        snprintf(id, sizeof id, "%.*s", (int)strcspn(key + 6, "@"), key + 6);
        const struct route_table *table = store_get(network_store(net), &route_table_kind, id);
        if (table && strcmp(ns->id + strlen("router:"), table->vpc_id) == 0) {
            add_local(table, (uint32_t)(uintptr_t)value, ways);
            add_planned(v, ns, id, (uint32_t)(uintptr_t)value, ways);
        }
    }
    if (ways->n > 1) {
        qsort(ways->items, ways->n, sizeof *ways->items, longest_first);
    }
}

/* ---- the counters -------------------------------------------------------------------------------------------------
 */
/* Of a peering also the links of balancers' nodes (plan_peering_nodes.c). */
static void
name_links(const struct way *way, struct buf *out)
{
    const struct peering *peering = NULL;
    buf_printf(out, "oif { %u", way->link);
    for (size_t i = 0; way->v && i < way->v->peerings.n; i++) {
        peering = way->v->peerings.items[i].index == way->link ? way->v->peerings.items[i].peering : peering;
    }
    for (size_t i = 0; peering && i < way->v->peerings.n; i++) {
        const struct plan_peering *p = &way->v->peerings.items[i];
        if (p->node && p->peering == peering) {
            buf_printf(out, ", %u", p->index);
        }
    }
    buf_str_add(out, " }");
}

static void
write_way(struct script *s, const struct way *way)
{
    const char *family = way->to.ip.family == IP_V6 ? "ip6" : "ip", *to = cidr_str(&way->to);
    struct buf link = { 0 };
    if (way->link) {
        name_links(way, &link);
    } else {
        buf_str_add(&link, "oifname \"e*\"");
    }
    const char *any = way->to.ip.family == IP_V6 ? "meta nfproto ipv6" : "meta nfproto ipv4";
    char address[CIDR_STR_SIZE + 24];
    if (way->to.bits) {
        snprintf(address, sizeof address, "%s daddr %s", family, to);
    } else {
        snprintf(address, sizeof address, "%s", any);
    }
    if (way->nowhere) {
        add_line(s, "add rule inet " ROUTES_TABLE " b%u %s counter return comment \"%s %s nowhere\"\n", way->mark,
                 address, way->table_id, to);
        buf_done(&link);
        return;
    }
    add_line(s, "add rule inet " ROUTES_TABLE " m%u %s %s counter return comment \"%s %s\"\n", way->mark, address,
             buf_str(&link), way->table_id, to);
    buf_done(&link);
    add_line(s, "add rule inet " ROUTES_TABLE " b%u %s return\n", way->mark, address);
}

static void
write_table(struct script *s, const way_vec *ways)
{
    struct buf routed = { 0 }, before = { 0 };
    add_line(s, "add table inet " ROUTES_TABLE "\n");
    for (size_t i = 0; i < ways->n; i++) {
        if (i == 0 || ways->items[i].mark != ways->items[i - 1].mark) {
            uint32_t mark = ways->items[i].mark;
            add_line(s, "add chain inet " ROUTES_TABLE " m%u\nadd chain inet " ROUTES_TABLE " b%u\n", mark, mark);
            buf_printf(&routed, "%s%u : jump m%u", routed.size ? ", " : "", mark, mark);
            buf_printf(&before, "%s%u : jump b%u", before.size ? ", " : "", mark, mark);
        }
        write_way(s, &ways->items[i]);
    }
    if (ways->n) {
        add_line(s,
                 "add chain inet " ROUTES_TABLE " routed { type filter hook forward priority 1; policy accept; }\n"
                 "add rule inet " ROUTES_TABLE " routed meta mark vmap { %s }\n",
                 buf_str(&routed));
        add_line(s,
                 "add chain inet " ROUTES_TABLE " before { type filter hook prerouting priority 400; policy accept; }\n"
                 "add rule inet " ROUTES_TABLE " before meta mark vmap { %s }\n",
                 buf_str(&before));
    }
    buf_done(&routed);
    buf_done(&before);
}

static bool
count_in(struct live *live, const struct network *net, const struct plan_ns *ns, bool on, struct err *err)
{
    const struct space *space = spaces_find(&live->spaces, ns->id);
    struct script s = { .nft = space ? space->nft : NULL };
    way_vec ways = { 0 };
    if (!s.nft) {
        return true;
    }
    add_line(&s, "add table inet " ROUTES_TABLE "\ndelete table inet " ROUTES_TABLE "\n");
    if (on) {
        gather_ways(live, net, ns, &ways);
        write_table(&s, &ways);
    }
    send_lines(&s);
    VEC_DONE(&ways);
    buf_done(&s.text);
    return !s.failed ||
           err_set(err, ERR_MACHINE, "", "`%s` cannot count routes: %.120s", ns->id, nft_ctx_get_error_buffer(s.nft));
}

bool
live_count_routes(struct live *live, const struct network *net, bool on, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        ok = ns->kind != PLAN_ROUTER || count_in(live, net, ns, on, err);
    }
    live->counts_routes = ok && on;
    return ok;
}
