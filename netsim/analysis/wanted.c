#include "netsim/analysis/wanted.h"

#include <string.h>

#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/network.h"
#include "netsim/model/transit_gateway.h"

/* How a route to the wanted component lost. */
enum loss { LOSS_NONE, LOSS_UNCOVERED, LOSS_SHORTER, LOSS_PRIORITY };
static const char *const vpc_codes[] = { NULL, "CANNOT_ROUTE", "MORE_SPECIFIC_ROUTE", "HIGHER_PRIORITY_ROUTE" };
static const char *const tgw_codes[] = { NULL, "TGW_RTB_CANNOT_ROUTE", "TGW_RTB_MORE_SPECIFIC_ROUTE",
                                         "TGW_RTB_HIGHER_PRIORITY_ROUTE" };

static enum loss
loss_of(bool covers, int bits, int taken_bits)
{
    return !covers ? LOSS_UNCOVERED : bits < taken_bits ? LOSS_SHORTER : LOSS_PRIORITY;
}

/* The longest of the route's prefixes that covers the address. */
static bool
route_covers(const struct network *net, const struct route *route, const struct ip *ip, int *bits)
{
    struct cidr entry;
    const struct prefix_list *list =
        route->prefix_list_id ? store_get(network_store(net), &prefix_list_kind, route->prefix_list_id) : NULL;
    if (list) {
        bool covers = prefix_list_contains(list, ip, &entry);
        *bits = covers ? entry.bits : 0;
        return covers;
    }
    const struct cidr *cidr = route->cidr.ip.family ? &route->cidr : &route->cidr6;
    *bits = cidr->bits;
    return cidr->ip.family && cidr_contains_ip(cidr, ip);
}

static json_t *
object_json(const struct network *net, const char *id)
{
    return component_json(store_find(network_store(net), id), id);
}

static bool
explain_route_table(const struct walk *walk, const struct hop *hop, const char *id, json_t *explanations)
{
    const struct route_table *table = (const struct route_table *)(const void *)hop->component;
    const struct ip *dst = &hop->packet.dst;
    struct cidr taken = { 0 };
    const struct route *found = NULL, *best = table ? route_lookup(walk->net, table, dst, &taken) : NULL;
    enum loss loss = LOSS_NONE;
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const char *target = NULL;
        int bits;
        route_target(&table->routes.items[i], &target);
        if (!target || strcmp(target, id) != 0 || &table->routes.items[i] == best) {
            continue;
        }
        bool covers = route_covers(walk->net, &table->routes.items[i], dst, &bits);
        enum loss how = loss_of(covers, bits, taken.bits);
        if (how > loss) { /* the nearest miss counts */
            loss = how;
            found = &table->routes.items[i];
        }
    }
    if (!found) {
        return false;
    }
    json_t *json = json_pack("{s:s, s:o, s:o, s:o}", "ExplanationCode", vpc_codes[loss], "Address",
                             json_string(ip_str(dst)), "RouteTable", component_json(hop->component, hop->id),
                             "RouteTableRoute", route_json(loss == LOSS_UNCOVERED || !best ? found : best));
    json_object_set_new(json, "Component", object_json(walk->net, id));
    json_object_set_new(json, "Vpc", object_json(walk->net, table->vpc_id));
    json_array_append_new(explanations, json);
    return true;
}

/* The attachments of the transit gateway that stand for 'id': itself, or what is attached by it. */
static bool
explain_tgw_table(const struct walk *walk, const struct hop *hop, const char *id, json_t *explanations)
{
    const struct tgw_route_table *table = (const struct tgw_route_table *)(const void *)hop->component;
    const struct store *store = network_store(walk->net);
    struct cidr host = cidr_host(&hop->packet.dst);
    struct tgw_way taken = tgw_table_lookup(walk->net, table, &host), way;
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        bool wanted = strcmp(a->obj.id, id) == 0 || strcmp(a->resource_id, id) == 0;
        if (!wanted || strcmp(a->tgw_id, table->tgw_id) != 0 ||
            (taken.attachment_id && strcmp(taken.attachment_id, a->obj.id) == 0)) {
            continue;
        }
        bool any = tgw_table_leads_to(walk->net, table, &host, a->obj.id, &way);
        const char *code = any ? tgw_codes[loss_of(way.found, way.prefix.bits, taken.prefix.bits)]
                               : "TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT";
        json_t *json = json_pack(
            "{s:s, s:o, s:o, s:o, s:o}", "ExplanationCode", code, "Address", json_string(ip_str(&hop->packet.dst)),
            "TransitGateway", object_json(walk->net, table->tgw_id), "TransitGatewayAttachment",
            component_json(&a->obj, NULL), "TransitGatewayRouteTable", component_json(&table->obj, NULL));
        if (any && taken.found) {
            json_object_set_new(json, "TransitGatewayRouteTableRoute", tgw_way_json(walk->net, &taken));
        }
        json_array_append_new(explanations, json);
        return true;
    }
    return false;
}

bool
wanted_explanations(const struct walk *walk, const char *id, json_t *explanations)
{
    bool any = false;
    for (size_t i = 0; i < walk->hops.n; i++) {
        const struct hop *hop = &walk->hops.items[i];
        if (!hop->component) {
            continue;
        }
        if (hop->kind == HOP_ROUTE_TABLE) {
            any = explain_route_table(walk, hop, id, explanations) || any;
        } else if (hop->kind == HOP_TGW_TABLE) {
            any = explain_tgw_table(walk, hop, id, explanations) || any;
        }
    }
    return any;
}
