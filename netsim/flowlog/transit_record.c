#include "netsim/flowlog/transit_record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
copy_text(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from ? from : "");
}

void
transit_ways_done(struct transit_ways *ways)
{
    size_t cursor = 0;
    const char *key;
    void *way;
    while (map_next(&ways->known, &cursor, &key, &way)) {
        free(way);
    }
    map_done(&ways->known);
}

static bool
is_vpc(const struct tgw_attachment *a)
{
    return a->resource_type && strcmp(a->resource_type, "vpc") == 0;
}

/* Of attachments that are no VPC's AWS knows none of this. */
static void
describe_end(const struct network *net, const char *attachment_id, const char *subnet_id, struct flow_transit_end *end)
{
    const struct tgw_attachment *a = store_get(network_store(net), &tgw_attachment_kind, attachment_id);
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, subnet_id);
    if (!a || !is_vpc(a)) {
        return;
    }
    const struct vpc *vpc = store_get(network_store(net), &vpc_kind, a->vpc_id);
    const struct eni *eni = tgw_attachment_eni(net, a, subnet_id);
    copy_text(end->account, sizeof end->account, a->vpc_owner_id ? a->vpc_owner_id : vpc ? vpc->obj.account : "");
    copy_text(end->vpc_id, sizeof end->vpc_id, a->vpc_id);
    copy_text(end->subnet_id, sizeof end->subnet_id, subnet_id);
    copy_text(end->eni_id, sizeof end->eni_id, eni ? eni->obj.id : "");
    copy_text(end->zone_id, sizeof end->zone_id, subnet ? subnet->zone_id : "");
}

const struct flow_transit *
transit_way(struct transit_ways *ways, const struct network *net, const struct flow_transit_sample *s,
            uint8_t direction)
{
    char key[6 * ID_SIZE];
    if (!store_get(network_store(net), &transit_gateway_kind, s->tgw_id)) {
        return NULL;
    }
    snprintf(key, sizeof key, "%s %s/%s %s/%s %u", s->tgw_id, s->from_id, s->from_subnet, s->to_id, s->to_subnet,
             direction);
    struct flow_transit *way = map_get(&ways->known, key);
    if (!way) {
        bool in = direction == FLOW_INGRESS;
        way = xcalloc(1, sizeof *way);
        map_put(&ways->known, key, way);
        copy_text(way->resource, sizeof way->resource, "TransitGateway");
        copy_text(way->tgw_id, sizeof way->tgw_id, s->tgw_id);
        copy_text(way->attachment_id, sizeof way->attachment_id, in ? s->from_id : s->to_id);
        copy_text(way->pair_id, sizeof way->pair_id, in ? s->to_id : s->from_id);
        describe_end(net, s->from_id, s->from_subnet, &way->from);
        describe_end(net, s->to_id, s->to_subnet, &way->to);
    }
    return way;
}

/* What every record says, traffic or not. */
static void
describe(const struct network *net, const struct flow_transit *way, struct flow_record *record)
{
    const struct transit_gateway *tgw = store_get(network_store(net), &transit_gateway_kind, way->tgw_id);
    record->transit = way;
    copy_text(record->account, sizeof record->account, tgw ? tgw->obj.account : "");
    copy_text(record->region, sizeof record->region, tgw ? tgw->obj.region : "");
    for (size_t i = 0; flow_fields[i].name; i++) {
        bool has = (flow_fields[i].flags & FLOW_OF_TRANSIT) &&
                   (record->status == FLOW_OK || !(flow_fields[i].flags & FLOW_TRAFFIC_ONLY));
        record->present |= (uint64_t)has << i;
    }
}

struct flow_record
transit_record_begin(const struct network *net, const struct flow_transit *way, const struct flow_transit_sample *s,
                     uint8_t direction)
{
    struct flow_record record = {
        .status = FLOW_OK,
        .type = s->src.family,
        .protocol = s->protocol,
        .direction = direction,
        .src_port = s->src_port,
        .dst_port = s->dst_port,
        .src = s->src,
        .dst = s->dst,
        .start_s = s->first_ms / 1000,
        .end_s = s->last_ms / 1000,
    };
    describe(net, way, &record);
    copy_text(record.pkt_src_service, sizeof record.pkt_src_service, flow_service_of_address(net, &s->src));
    copy_text(record.pkt_dst_service, sizeof record.pkt_dst_service, flow_service_of_address(net, &s->dst));
    return record;
}

struct flow_record
transit_record_empty(struct transit_ways *ways, const struct network *net, const char *tgw_id,
                     const struct tgw_attachment *attachment, uint8_t status)
{
    struct flow_record record = { .status = status };
    struct flow_transit_sample nothing = { 0 };
    copy_text(nothing.tgw_id, sizeof nothing.tgw_id, tgw_id);
    copy_text(nothing.from_id, sizeof nothing.from_id, attachment->obj.id);
    const struct flow_transit *way = transit_way(ways, net, &nothing, FLOW_INGRESS);
    if (way) {
        describe(net, way, &record);
    }
    return record;
}

/* ---- why it was lost ----------------------------------------------------------------------------------------------
 */
static const struct tgw_route *
route_for(const tgw_route_vec *routes, const struct ip *to)
{
    const struct tgw_route *best = NULL; /* static ones come first, and win where two have one prefix */
    for (size_t i = 0; i < routes->n; i++) {
        const struct tgw_route *r = &routes->items[i];
        best = r->cidr.ip.family == to->family && cidr_contains_ip(&r->cidr, to) &&
                       (!best || r->cidr.bits > best->cidr.bits)
                   ? r
                   : best;
    }
    return best;
}

void
transit_name_loss(const struct network *net, const struct flow_transit_sample *s, char rule[static FLOW_RULE_SIZE])
{
    const struct tgw_attachment *from = store_get(network_store(net), &tgw_attachment_kind, s->from_id);
    const struct tgw_route_table *table = from ? tgw_attachment_table(net, from, s->tgw_id) : NULL;
    if (s->lost == FLOW_LOST_TTL || s->lost == FLOW_LOST_MTU) {
        snprintf(rule, FLOW_RULE_SIZE, "%s:%s", s->tgw_id, s->lost == FLOW_LOST_TTL ? "ttl" : "mtu");
    } else if (!table) {
        snprintf(rule, FLOW_RULE_SIZE, "%s:no-table", s->from_id);
    } else if (s->lost == FLOW_LOST_NO_ROUTE) {
        snprintf(rule, FLOW_RULE_SIZE, "%s:none", table->obj.id);
    } else {
        tgw_route_vec routes = { 0 };
        tgw_table_routes(net, table, &routes);
        const struct tgw_route *route = route_for(&routes, &s->dst);
        snprintf(rule, FLOW_RULE_SIZE, "%s:%s:blackhole", table->obj.id, route ? cidr_str(&route->cidr) : "-");
        for (size_t i = 0; i < routes.n; i++) {
            tgw_route_done(&routes.items[i]);
        }
        VEC_DONE(&routes);
    }
}

bool
transit_log_covers(const struct network *net, const struct flow_log *log, const char *tgw_id, const char *attachment_id)
{
    const struct store *store = network_store(net);
    const char *resource = log->resource_id ? log->resource_id : "";
    const struct tgw_attachment *a = store_get(store, &tgw_attachment_kind, attachment_id);
    const struct transit_gateway *tgw = store_get(store, &transit_gateway_kind, tgw_id);
    if (!a || !tgw || (strcmp(a->tgw_id, tgw_id) != 0 && strcmp(a->peer_tgw_id, tgw_id) != 0)) {
        return false;
    }
    return strcmp(resource, tgw_id) == 0 || (strcmp(resource, attachment_id) == 0 &&
                                             (!*a->peer_tgw_id || (strcmp(tgw->obj.account, log->obj.account) == 0 &&
                                                                   strcmp(tgw->obj.region, log->obj.region) == 0)));
}
