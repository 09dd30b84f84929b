/* netsim/analysis/audit_routes.c - remarks on routes, NAT gateways and peering connections. */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/audit_checks.h"
#include "netsim/analysis/rules.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/gateways.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"

#define EACH(type, variable)                                                                                           \
    const struct type *variable = store_first(network_store(audit->net), &type##_kind);                                \
    variable;                                                                                                          \
    variable = store_next(network_store(audit->net), variable)

static char *
route_text(const struct route *route)
{
    struct buf text = { 0 };
    route_words(route, &text);
    return buf_steal(&text);
}

static char *
delete_route(const struct route_table *table, const struct route *route)
{
    const char *option = route->prefix_list_id              ? "destination-prefix-list-id"
                         : route->cidr.ip.family == IP_NONE ? "destination-ipv6-cidr-block"
                                                            : "destination-cidr-block";
    return xasprintf("ec2 delete-route --route-table-id %s --%s %s", table->obj.id, option,
                     route_destination_str(route));
}

/* Is the target not there?  A dump without any object of the target's kind says nothing. */
static bool
target_is_gone(const struct audit *audit, const struct route *route)
{
    const char *id = NULL;
    enum route_target target = route_target(route, &id);
    const struct kind *kind = target == ROUTE_NONE || target == ROUTE_LOCAL || !id ? NULL : network_kind_of_id(id);
    const struct store *store = network_store(audit->net);
    if (!kind || store_count(store, kind) == 0) {
        return false;
    }
    const void *object = store_get(store, kind, id);
    if (!object) {
        return true;
    }
    return (kind->gone && kind->gone(object)) || (target == ROUTE_PEERING && !peering_is_active(object));
}

void
audit_route_blackhole(struct audit *audit)
{
    for (EACH(route_table, table)) {
        for (size_t i = 0; i < table->routes.n; i++) {
            const struct route *route = &table->routes.items[i];
            if (route_is_blackhole(route) || target_is_gone(audit, route)) {
                audit_report(audit, table, route_text(route), delete_route(table, route),
                             "the target is gone or detached: packets to %s are dropped", route_destination_str(route));
            }
        }
    }
}

void
audit_nat_private_subnet(struct audit *audit)
{
    const struct ip outside = ip_lit("8.8.8.8");
    for (EACH(nat_gateway, nat)) {
        const struct subnet *subnet = store_get(network_store(audit->net), &subnet_kind, nat->subnet_id);
        const struct route_table *table = subnet ? network_subnet_route_table(audit->net, subnet) : NULL;
        bool is_public = !nat->connectivity || strcmp(nat->connectivity, "private") != 0;
        if (!table || !is_public || nat_gateway_kind.gone(nat)) {
            continue;
        }
        const struct route *route = route_lookup(audit->net, table, &outside, NULL);
        const struct internet_gateway *igw = network_vpc_igw(audit->net, subnet->vpc_id);
        const char *id;
        if (!route || route_target(route, &id) != ROUTE_IGW) {
            audit_report(audit, nat, NULL,
                         igw && !route ? xasprintf("ec2 create-route --route-table-id %s --destination-cidr-block "
                                                   "0.0.0.0/0 --gateway-id %s",
                                                   table->obj.id, igw->obj.id)
                                       : NULL,
                         "%s, the route table of its subnet %s, does not lead to an internet gateway: nothing that is "
                         "translated comes out",
                         table->obj.id, subnet->obj.id);
        }
    }
}

/* ---- Peering ---------------------------------------------------------------------------------------------------- */

static bool
has_route_through(const struct audit *audit, const char *vpc_id, const struct peering *peering)
{
    for (EACH(route_table, table)) {
        for (size_t i = 0; strcmp(table->vpc_id, vpc_id) == 0 && i < table->routes.n; i++) {
            const char *via = table->routes.items[i].peering_id;
            if (via && strcmp(via, peering->obj.id) == 0) {
                return true;
            }
        }
    }
    return false;
}

static const struct route_table *
main_table(const struct audit *audit, const char *vpc_id)
{
    for (EACH(route_table, table)) {
        for (size_t i = 0; strcmp(table->vpc_id, vpc_id) == 0 && i < table->associations.n; i++) {
            if (table->associations.items[i].main) {
                return table;
            }
        }
    }
    return NULL;
}

void
audit_peering_one_sided(struct audit *audit)
{
    const struct store *store = network_store(audit->net);
    for (EACH(peering, p)) {
        const struct vpc *vpcs[2] = { store_get(store, &vpc_kind, p->requester.vpc_id),
                                      store_get(store, &vpc_kind, p->accepter.vpc_id) };
        /* Of a VPC whose route tables are in another account's dump nothing is known. */
        if (!peering_is_active(p) || !vpcs[0] || !vpcs[1] || !main_table(audit, vpcs[0]->obj.id) ||
            !main_table(audit, vpcs[1]->obj.id)) {
            continue;
        }
        bool routes[2] = { has_route_through(audit, vpcs[0]->obj.id, p), has_route_through(audit, vpcs[1]->obj.id, p) };
        if (routes[0] != routes[1]) {
            const struct vpc *without = vpcs[routes[0]], *with = vpcs[!routes[0]];
            audit_report(audit, p, NULL,
                         xasprintf("ec2 create-route --route-table-id %s --destination-cidr-block %s "
                                   "--vpc-peering-connection-id %s",
                                   main_table(audit, without->obj.id)->obj.id, cidr_str(&with->cidr), p->obj.id),
                         "%s has routes through it, %s has none: replies do not find back", with->obj.id,
                         without->obj.id);
        }
    }
}

void
audit_peering_overlap(struct audit *audit)
{
    const struct store *store = network_store(audit->net);
    for (EACH(peering, p)) {
        const struct vpc *a = store_get(store, &vpc_kind, p->requester.vpc_id);
        const struct vpc *b = store_get(store, &vpc_kind, p->accepter.vpc_id);
        for (size_t i = 0; peering_is_active(p) && a && b && i < a->cidrs.n; i++) {
            for (size_t j = 0; j < b->cidrs.n; j++) {
                const struct cidr *one = &a->cidrs.items[i].cidr, *other = &b->cidrs.items[j].cidr;
                if (cidr_overlaps(one, other)) {
                    audit_report(audit, p, NULL, NULL,
                                 "%s of %s overlaps %s of %s: the local route keeps what is common", cidr_str(one),
                                 a->obj.id, cidr_str(other), b->obj.id);
                }
            }
        }
    }
}
