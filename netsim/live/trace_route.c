#include "netsim/live/trace_route.h"

#include <string.h>

#include "netsim/live/plan_build.h"
#include "netsim/model/gateways.h"
#include "netsim/model/route_table.h"
#include "netsim/model/transit_gateway.h"

enum { TABLE_MAIN = 254 };

static const struct nlq_route *
longest_match(const struct plan_ns *ns, uint32_t table, const struct ip *to)
{
    const struct nlq_route *best = NULL;
    for (size_t i = 0; i < ns->routes.n; i++) {
        const struct nlq_route *r = &ns->routes.items[i];
        bool fits = r->table == table && r->to.ip.family == to->family && cidr_contains_ip(&r->to, to);
        best = fits && (!best || r->to.bits > best->to.bits) ? r : best;
    }
    return best;
}

/* Of the model's route to that very prefix, also by an entry of a prefix list. */
static bool
is_of(const struct network *net, const struct cidr *own, const char *prefix_list_id, const struct cidr *to)
{
    const struct prefix_list *list =
        prefix_list_id ? store_get(network_store(net), &prefix_list_kind, prefix_list_id) : NULL;
    for (size_t i = 0; list && i < list->entries.n; i++) {
        if (cidr_equal(&list->entries.items[i].cidr, to)) {
            return true;
        }
    }
    return own->ip.family && cidr_equal(own, to);
}

/* What takes the packets of the route is there in the model, but not in the lab. */
static void
say_not_built(const char *table_id, const struct cidr *to, const char *target, struct buf *text)
{
    buf_printf(text, "the route of %s to %s leads to %s, which takes no packets: stopped, failed, or not in the lab",
               table_id, cidr_str(to), target);
}

static bool
say_transit(const struct network *net, const char *table_id, const struct cidr *to, struct buf *text)
{
    const struct tgw_route_table *table = store_get(network_store(net), &tgw_route_table_kind, table_id);
    tgw_route_vec routes = { 0 };
    bool said = false;
    if (table) {
        tgw_table_routes(net, table, &routes);
    }
    for (size_t i = 0; i < routes.n; i++) { /* static ones come first, and win where two have one prefix */
        const struct tgw_route *r = &routes.items[i];
        const char *target = r->attachments.n ? r->attachments.items[0].attachment_id : NULL;
        if (!said && is_of(net, &r->cidr, r->prefix_list_id, to)) {
            said = true;
            if (!tgw_route_is_blackhole(r)) {
                say_not_built(table_id, to, target, text);
            } else {
                buf_printf(text, "%s has a blackhole route: %s", table_id, cidr_str(to));
                buf_printf(text, target ? " (%s is gone)" : "%s", target ? target : "");
            }
        }
        tgw_route_done(&routes.items[i]);
    }
    VEC_DONE(&routes);
    return said;
}

static bool
say_vpc(const struct network *net, const char *table_id, const struct cidr *to, struct buf *text)
{
    const struct route_table *table = store_get(network_store(net), &route_table_kind, table_id);
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const struct route *r = &table->routes.items[i];
        const char *target = NULL;
        if (!is_of(net, r->cidr.ip.family ? &r->cidr : &r->cidr6, r->prefix_list_id, to)) {
            continue;
        }
        route_target(r, &target);
        if (route_is_blackhole(r)) {
            buf_printf(text, "%s has a blackhole route: %s (%s is gone)", table_id, cidr_str(to),
                       target ? target : "its target");
        } else {
            say_not_built(table_id, to, target ? target : "nothing", text);
        }
        return true;
    }
    return false;
}

void
trace_route_say(const struct network *net, const struct plan_ns *ns, uint32_t mark, const char *table_id,
                const struct ip *to, struct buf *text)
{
    /* In the order in which the kernel asks them; the first that has a route decides. */
    const uint32_t tables[] = { PLAN_TABLE_FIRST + 2 * mark + 1, TABLE_MAIN, PLAN_TABLE_FIRST + 2 * mark };
    const struct nlq_route *route = NULL;
    size_t i = 0;
    while (i < ARRAY_SIZE(tables) && !(route = longest_match(ns, tables[i], to))) {
        i++;
    }
    if (!route) {
        buf_printf(text, "no route of %s leads to %s", table_id, ip_str(to));
    } else if (route->type != NLQ_BLACKHOLE) {
        buf_printf(text, "the route of %s to %s leads to what did not take it", table_id, cidr_str(&route->to));
    } else if (tables[i] == TABLE_MAIN) {
        buf_printf(text, "nothing that runs in the VPC has the address %s", ip_str(to));
    } else if (!say_transit(net, table_id, &route->to, text) && !say_vpc(net, table_id, &route->to, text)) {
        buf_printf(text, "the route of %s to %s leads nowhere", table_id, cidr_str(&route->to));
    }
}
