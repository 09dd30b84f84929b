#include "netsim/analysis/tgw_table.h"

#include <string.h>

#include "netsim/model/gateways.h"
#include "netsim/model/network.h"
#include "netsim/model/vpn.h"

/* VPC 3, what came by BGP 2, static routes of VPN connections 1. */
#define RANK_STATIC    9
#define RANK_ANNOUNCED 2

struct lookup {
    const struct network *net;
    const struct cidr *destination;
    struct tgw_way best;
    int best_rank;
    const char *only;           /* attachment: no other is looked at; NULL: all */
    const char *prefix_list_id; /* whose entries are offered */
    bool offered;               /* a route was, whether it covers the destination or not */
};

static void
offer(struct lookup *l, const struct cidr *prefix, int rank, const char *attachment_id, bool blackhole)
{
    if (l->only && (!attachment_id || strcmp(l->only, attachment_id) != 0)) {
        return;
    }
    l->offered = true;
    if (!cidr_contains(prefix, l->destination)) {
        return;
    }
    bool better = !l->best.found || prefix->bits > l->best.prefix.bits ||
                  (prefix->bits == l->best.prefix.bits && rank > l->best_rank);
    if (better) {
        l->best = (struct tgw_way){ true, blackhole, rank >= RANK_STATIC - 1, *prefix, blackhole ? NULL : attachment_id,
                                    NULL };
        l->best.prefix_list_id = l->prefix_list_id;
        l->best_rank = rank;
    }
}

static void
offer_static(struct lookup *l, const struct tgw_route *route)
{
    bool blackhole = tgw_route_is_blackhole(route);
    const char *to = route->attachments.n ? route->attachments.items[0].attachment_id : NULL;
    const struct prefix_list *list =
        route->prefix_list_id ? store_get(network_store(l->net), &prefix_list_kind, route->prefix_list_id) : NULL;
    if (route->cidr.ip.family) { /* an import may tell what was propagated by BGP */
        offer(l, &route->cidr, tgw_route_is_announced(route) ? RANK_ANNOUNCED : RANK_STATIC, to, blackhole);
    }
    for (size_t i = 0; list && i < list->entries.n; i++) {
        l->prefix_list_id = list->obj.id;
        offer(l, &list->entries.items[i].cidr, RANK_STATIC - 1, to, blackhole);
    }
    l->prefix_list_id = NULL;
}

static void
offer_vpc(struct lookup *l, const struct tgw_attachment *attachment)
{
    const struct vpc *vpc = store_get(network_store(l->net), &vpc_kind, attachment->vpc_id);
    for (size_t i = 0; vpc && i < vpc->cidrs.n; i++) {
        offer(l, &vpc->cidrs.items[i].cidr, 3, attachment->obj.id, false);
    }
    bool v6 = attachment->ipv6_support && strcmp(attachment->ipv6_support, "enable") == 0;
    for (size_t i = 0; vpc && v6 && i < vpc->cidrs6.n; i++) {
        offer(l, &vpc->cidrs6.items[i].cidr, 3, attachment->obj.id, false);
    }
    if (vpc && vpc->cidrs.n == 0 && vpc->cidr.ip.family) {
        offer(l, &vpc->cidr, 3, attachment->obj.id, false); /* old dumps name the primary block only */
    }
}

static void
offer_vpn(struct lookup *l, const struct tgw_attachment *attachment)
{
    const struct vpn_connection *vpn = store_get(network_store(l->net), &vpn_connection_kind, attachment->resource_id);
    for (size_t i = 0; vpn && i < vpn->routes.n; i++) {
        offer(l, &vpn->routes.items[i].cidr, 1, attachment->obj.id, false);
    }
}

static void
offer_all(struct lookup *l, const struct tgw_route_table *table)
{
    const struct network *net = l->net;
    for (size_t i = 0; i < table->routes.n; i++) {
        if (tgw_route_holds(net, table, &table->routes.items[i])) {
            offer_static(l, &table->routes.items[i]);
        }
    }
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *attachment =
            store_get(network_store(net), &tgw_attachment_kind, table->propagations.items[i].attachment_id);
        if (!attachment || !tgw_attachment_is_available(attachment) || !attachment->resource_type) {
            continue;
        }
        if (strcmp(attachment->resource_type, "vpc") == 0) {
            offer_vpc(l, attachment);
        } else if (strcmp(attachment->resource_type, "vpn") == 0) {
            offer_vpn(l, attachment);
        }
    }
}

struct tgw_way
tgw_table_lookup(const struct network *net, const struct tgw_route_table *table, const struct cidr *destination)
{
    struct lookup l = { .net = net, .destination = destination };
    offer_all(&l, table);
    return l.best;
}

bool
tgw_table_leads_to(const struct network *net, const struct tgw_route_table *table, const struct cidr *destination,
                   const char *attachment_id, struct tgw_way *way)
{
    struct lookup l = { .net = net, .destination = destination, .only = attachment_id };
    offer_all(&l, table);
    *way = l.best;
    return l.offered;
}
