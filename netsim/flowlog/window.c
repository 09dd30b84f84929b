/* Capture windows: samples in, records out.
 *
 * A log has one window, or two: of interfaces of Nitro instances an interval is never longer than a minute, whatever
 * the log's is.  Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, "Aggregation interval"
 */
#include "netsim/flowlog/flowlog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/rules.h"
#include "netsim/flowlog/transit_record.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/instance.h"
#include "netsim/model/peering.h"

struct log_window {
    char log_id[ID_SIZE];
    bool nitro; /* of the log's interfaces those at Nitro instances */
    int64_t interval_ms;
    struct flow_format format;
    int64_t start_ms; /* of the window that is open */
    VEC(struct flow_record) flows;
    struct map by_key; /* of a flow -> its index in 'flows' + 1 */
    struct map seen;   /* interface or attachment id -> &had_traffic, since the window began */
    struct map lost;   /* the same -> packets that were lost + 1, since they were last told */
};
static char had_traffic; /* what 'seen' points to */

struct flow_window {
    VEC(struct log_window *) logs;
    struct transit_ways ways;
};

/* Interfaces have few logs; AWS's quota is two for each resource, and an interface has three resources above it. */
#define LOGS_OF_ENI_MAX 32
#define WINDOWS_AT_ONCE 1440 /* that are closed one by one: a day of minutes */

struct flow_window *
flow_window_new(void)
{
    return xcalloc(1, sizeof(struct flow_window));
}

static void
clear_flows(struct log_window *window)
{
    window->flows.n = 0;
    map_done(&window->by_key);
}

static void
log_window_free(struct log_window *window)
{
    VEC_DONE(&window->flows);
    map_done(&window->by_key);
    map_done(&window->seen);
    map_done(&window->lost);
    free(window);
}

void
flow_window_free(struct flow_window *window)
{
    if (!window) {
        return;
    }
    for (size_t i = 0; i < window->logs.n; i++) {
        log_window_free(window->logs.items[i]);
    }
    VEC_DONE(&window->logs);
    transit_ways_done(&window->ways);
    free(window);
}

static struct log_window *
window_of(const struct flow_window *window, const char *log_id, bool nitro)
{
    for (size_t i = 0; i < window->logs.n; i++) {
        if (window->logs.items[i]->nitro == nitro && strcmp(window->logs.items[i]->log_id, log_id) == 0) {
            return window->logs.items[i];
        }
    }
    return NULL;
}

static bool
is_at_nitro(const struct network *net, const struct eni *eni)
{
    const struct instance *instance = *eni->attachment.instance_id
                                          ? store_get(network_store(net), &instance_kind, eni->attachment.instance_id)
                                          : NULL;
    return instance && instance_type_is_nitro(instance->type);
}

/* The window of the log that counts this interface. */
static struct log_window *
window_of_eni(const struct flow_window *window, const struct network *net, const struct flow_log *log,
              const struct eni *eni)
{
    return window_of(window, log->obj.id, log->max_interval > 60 && is_at_nitro(net, eni));
}

static void
begin_log(struct flow_window *window, const struct flow_log *log, bool nitro, int64_t now_ms)
{
    if (window_of(window, log->obj.id, nitro)) {
        return;
    }
    struct log_window *added = xcalloc(1, sizeof *added);
    *VEC_ADD(&window->logs) = added;
    memcpy(added->log_id, log->obj.id, sizeof added->log_id);
    added->nitro = nitro;
    added->interval_ms = nitro ? 60000 : log->max_interval > 0 ? log->max_interval * INT64_C(1000) : 600000;
    added->start_ms = now_ms;
    if (!flow_format_parse(log->format, &added->format, NULL)) {
        flow_format_parse(NULL, &added->format, NULL); /* imported with a field newer than this program */
    }
}

void
flow_window_sync(struct flow_window *window, const struct network *net, int64_t now_ms)
{
    const struct store *store = network_store(net);
    for (size_t i = window->logs.n; i-- > 0;) {
        if (!store_get(store, &flow_log_kind, window->logs.items[i]->log_id)) {
            log_window_free(window->logs.items[i]);
            VEC_REMOVE(&window->logs, i);
        }
    }
    for (const struct flow_log *log = store_first(store, &flow_log_kind); log; log = store_next(store, log)) {
        begin_log(window, log, false, now_ms);
        if (log->max_interval > 60 && !flow_log_is_of_transit(log)) {
            begin_log(window, log, true, now_ms);
        }
    }
}

/* ---- records of samples -------------------------------------------------------------------------------------------
 */

/* traffic-path, as a Nitro instance reports it.  Source: flow-log-records.html.  A NAT gateway, a transit gateway and
 * an endpoint that is no gateway have interfaces in the VPC, so they count as resources of the VPC. */
enum { PATH_VPC = 1, PATH_GATEWAY_OF_OLD = 2, PATH_PEERING_FAR = 5, PATH_ENDPOINT = 7, PATH_INTERNET = 8 };
static const uint8_t path_of_target[] = {
    [ROUTE_LOCAL] = 1,           [ROUTE_IGW] = 8,      [ROUTE_NAT_GATEWAY] = 1,     [ROUTE_ENI] = 1,
    [ROUTE_INSTANCE] = 1,        [ROUTE_PEERING] = 4,  [ROUTE_TRANSIT_GATEWAY] = 1, [ROUTE_VPN_GATEWAY] = 3,
    [ROUTE_EGRESS_ONLY_IGW] = 8, [ROUTE_ENDPOINT] = 7, [ROUTE_LOCAL_GATEWAY] = 6,   [ROUTE_CARRIER_GATEWAY] = 0,
    [ROUTE_CORE_NETWORK] = 1,
};

static uint8_t
traffic_path(const struct network *net, const struct eni *eni, const struct ip *destination)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    const struct route_table *table = subnet ? network_subnet_route_table(net, subnet) : NULL;
    const struct route *route = table ? route_lookup(net, table, destination, NULL) : NULL;
    if (!route || route_is_blackhole(route)) {
        return 0;
    }
    const char *id = NULL;
    enum route_target target = route_target(route, &id);
    uint8_t path = path_of_target[target];
    const struct peering *peering = target == ROUTE_PEERING ? store_get(network_store(net), &peering_kind, id) : NULL;
    const struct endpoint *endpoint =
        target == ROUTE_ENDPOINT ? store_get(network_store(net), &endpoint_kind, id) : NULL;
    if (endpoint && !endpoint_is_gateway(endpoint)) {
        path = PATH_VPC;
    }
    if (peering && peering->requester.region && peering->accepter.region &&
        strcmp(peering->requester.region, peering->accepter.region) != 0) {
        path = PATH_PEERING_FAR;
    }
    /* "Nitro-based instances only": of others both gateways are one number.  Gateways of AWS's own are not said to be
     * either; they count as new. */
    bool old = *eni->attachment.instance_id && !is_at_nitro(net, eni);
    return old && (path == PATH_ENDPOINT || path == PATH_INTERNET) ? PATH_GATEWAY_OF_OLD : path;
}

/* What the interface's end of a packet is called in srcaddr or dstaddr: an IPv4 address there is always the primary
 * one, also when the packet bears a secondary one or, at a NAT gateway or an appliance, somebody else's.  Source:
 * flow-log-records.html, flow-logs-limitations.html */
static struct ip
own_address(const struct eni *eni, const struct ip *in_packet)
{
    if (in_packet->family == IP_V4) {
        const struct ip *primary = eni_primary_ip(eni);
        return primary ? *primary : *in_packet;
    }
    if (eni_has_ip(eni, in_packet) || eni->addresses6.n == 0) {
        return *in_packet;
    }
    return eni->addresses6.items[0].ip;
}

static void
copy_text(char *to, size_t room, const char *from)
{
    snprintf(to, room, "%s", from ? from : "");
}

/* What every record of the interface says, traffic or not. */
static void
describe_eni(const struct network *net, const struct eni *eni, struct flow_record *record)
{
    const struct subnet *subnet = store_get(network_store(net), &subnet_kind, eni->subnet_id);
    for (size_t i = 0; flow_fields[i].name; i++) {
        bool has = (record->status == FLOW_OK || !(flow_fields[i].flags & FLOW_TRAFFIC_ONLY)) &&
                   flow_fields[i].type != FLOW_NEVER && !(flow_fields[i].flags & FLOW_NOT_OF_ENI);
        record->present |= (uint64_t)has << i;
    }
    copy_text(record->account, sizeof record->account, eni->obj.account);
    copy_text(record->eni_id, sizeof record->eni_id, eni->obj.id);
    copy_text(record->vpc_id, sizeof record->vpc_id, eni->vpc_id);
    copy_text(record->subnet_id, sizeof record->subnet_id, eni->subnet_id);
    copy_text(record->instance_id, sizeof record->instance_id, eni->attachment.instance_id);
    copy_text(record->region, sizeof record->region, eni->obj.region);
    copy_text(record->zone_id, sizeof record->zone_id, subnet ? subnet->zone_id : "");
}

/* Addresses of a service are those that a gateway endpoint leads to; the lab's internet answers at them too. */
const char *
flow_service_of_address(const struct network *net, const struct ip *ip)
{
    static const struct {
        const char *service, *name;
    } names[] = { { "s3", "S3" }, { "dynamodb", "DYNAMODB" } };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (endpoint_service_has(net, names[i].service, ip)) {
            return names[i].name;
        }
    }
    return "";
}

struct flow_record
flow_record_begin(const struct network *net, const struct eni *eni, const struct flow_sample *sample)
{
    struct flow_record record = {
        .status = FLOW_OK,
        .type = sample->src.family,
        .protocol = sample->protocol,
        .action = sample->action,
        .direction = sample->direction,
        .src_port = sample->src_port,
        .dst_port = sample->dst_port,
        .src = sample->src,
        .dst = sample->dst,
        .pkt_src = sample->src,
        .pkt_dst = sample->dst,
        .start_s = sample->first_ms / 1000,
        .end_s = sample->last_ms / 1000,
    };
    describe_eni(net, eni, &record);
    copy_text(record.pkt_src_service, sizeof record.pkt_src_service, flow_service_of_address(net, &sample->src));
    copy_text(record.pkt_dst_service, sizeof record.pkt_dst_service, flow_service_of_address(net, &sample->dst));
    if (sample->direction == FLOW_EGRESS) {
        record.src = own_address(eni, &sample->src);
        record.path = traffic_path(net, eni, &sample->dst);
    } else {
        record.dst = own_address(eni, &sample->dst);
    }
    return record;
}

/* A flow of one interface: both addresses, both ports, protocol, and what happened to it which way. */
static void
flow_key(const struct flow_sample *s, char key[static 256])
{
    snprintf(key, 256, "%s %" PRIx64 ":%" PRIx64 " %" PRIx64 ":%" PRIx64 " %x %x %x %x %x", s->eni_id, s->src.hi,
             s->src.lo, s->dst.hi, s->dst.lo, s->src_port, s->dst_port, s->protocol, s->action, s->direction);
}

static bool
log_wants(const struct flow_log *log, uint8_t action)
{
    const char *type = log->traffic_type;
    return !type || strcmp(type, "ALL") == 0 || strcmp(type, action == FLOW_ACCEPT ? "ACCEPT" : "REJECT") == 0;
}

/* The record of this key: 'begin' where it is new. */
static struct flow_record *
flow_of_key(struct log_window *window, const char *key, bool *is_new)
{
    size_t index = (size_t)(uintptr_t)map_get(&window->by_key, key);
    *is_new = index == 0;
    if (*is_new) {
        VEC_ADD(&window->flows);
        index = window->flows.n;
        map_put(&window->by_key, key, (void *)(uintptr_t)index);
    }
    return &window->flows.items[index - 1];
}

static void
add_counts(struct flow_record *flow, uint64_t packets, uint64_t bytes, uint8_t tcp_flags, int64_t first_ms,
           int64_t last_ms)
{
    flow->packets += packets;
    flow->bytes += bytes;
    flow->tcp_flags |= tcp_flags;
    flow->start_s = first_ms / 1000 < flow->start_s ? first_ms / 1000 : flow->start_s;
    flow->end_s = last_ms / 1000 > flow->end_s ? last_ms / 1000 : flow->end_s;
}

static void
count_sample(struct log_window *window, const struct network *net, const struct eni *eni,
             const struct flow_sample *sample)
{
    char key[256];
    bool is_new;
    flow_key(sample, key);
    struct flow_record *flow = flow_of_key(window, key, &is_new);
    if (is_new) {
        *flow = flow_record_begin(net, eni, sample);
    }
    add_counts(flow, sample->packets, sample->bytes, sample->tcp_flags, sample->first_ms, sample->last_ms);
    if (*sample->rule) {
        memcpy(flow->rule, sample->rule, sizeof flow->rule);
        flow->reason = sample->reason;
    }
}

static void
see(struct log_window *window, const char *id)
{
    if (!map_get(&window->seen, id)) {
        map_put(&window->seen, id, &had_traffic);
    }
}

void
flow_window_add(struct flow_window *window, const struct network *net, const struct flow_sample *sample)
{
    const struct eni *eni = store_get(network_store(net), &eni_kind, sample->eni_id);
    if (!eni || sample->packets == 0) {
        return;
    }
    const struct flow_log *logs[LOGS_OF_ENI_MAX];
    size_t n = flow_logs_of_eni(net, eni, logs, LOGS_OF_ENI_MAX);
    for (size_t i = 0; i < n; i++) {
        struct log_window *to = window_of_eni(window, net, logs[i], eni);
        if (!to) {
            continue;
        }
        see(to, sample->eni_id);
        if (log_wants(logs[i], sample->action)) {
            count_sample(to, net, eni, sample);
        }
    }
}

/* One end of what a transit gateway saw. */
static void
count_transit(struct flow_window *window, const struct network *net, const struct flow_log *log,
              const struct flow_transit_sample *sample, uint8_t direction)
{
    struct log_window *to = window_of(window, log->obj.id, false);
    const struct flow_transit *way = transit_way(&window->ways, net, sample, direction);
    char key[256];
    bool is_new;
    if (!to || !way) {
        return;
    }
    see(to, way->attachment_id);
    snprintf(key, sizeof key, "%p %" PRIx64 ":%" PRIx64 " %" PRIx64 ":%" PRIx64 " %x %x %x", (const void *)way,
             sample->src.hi, sample->src.lo, sample->dst.hi, sample->dst.lo, sample->src_port, sample->dst_port,
             sample->protocol);
    struct flow_record *flow = flow_of_key(to, key, &is_new);
    if (is_new) {
        *flow = transit_record_begin(net, way, sample, direction);
    }
    add_counts(flow, sample->packets, sample->bytes, sample->tcp_flags, sample->first_ms, sample->last_ms);
    if (!*sample->to_id) {
        flow->lost[sample->lost] += sample->packets;
        transit_name_loss(net, sample, flow->rule);
    }
}

void
flow_window_add_transit(struct flow_window *window, const struct network *net, const struct flow_transit_sample *sample)
{
    const struct store *store = network_store(net);
    for (const struct flow_log *log = store_first(store, &flow_log_kind); log && sample->packets;
         log = store_next(store, log)) {
        if (transit_log_covers(net, log, sample->tgw_id, sample->from_id)) {
            count_transit(window, net, log, sample, FLOW_INGRESS);
        }
        if (*sample->to_id && transit_log_covers(net, log, sample->tgw_id, sample->to_id)) {
            count_transit(window, net, log, sample, FLOW_EGRESS);
        }
    }
}

static void
lose(struct log_window *window, const char *id, uint64_t packets)
{
    uintptr_t so_far = (uintptr_t)map_get(&window->lost, id);
    map_put(&window->lost, id, (void *)((so_far ? so_far : 1) + packets));
    see(window, id);
}

void
flow_window_skipped(struct flow_window *window, const struct network *net, const char *eni_id, uint64_t packets)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (eni_id && strcmp(eni->obj.id, eni_id) != 0) {
            continue;
        }
        const struct flow_log *logs[LOGS_OF_ENI_MAX];
        size_t n = flow_logs_of_eni(net, eni, logs, LOGS_OF_ENI_MAX);
        for (size_t i = 0; i < n; i++) {
            struct log_window *to = window_of_eni(window, net, logs[i], eni);
            if (to) {
                lose(to, eni->obj.id, packets);
            }
        }
    }
}

void
flow_window_skipped_transit(struct flow_window *window, const struct network *net, const char *tgw_id,
                            const char *attachment_id, uint64_t packets)
{
    const struct store *store = network_store(net);
    for (const struct flow_log *log = store_first(store, &flow_log_kind); log; log = store_next(store, log)) {
        struct log_window *to = window_of(window, log->obj.id, false);
        if (to && transit_log_covers(net, log, tgw_id, attachment_id)) {
            lose(to, attachment_id, packets);
        }
    }
}

/* ---- records out --------------------------------------------------------------------------------------------------
 */

struct emission {
    const struct network *net;
    const struct flow_log *log;
    const struct log_window *window;
    struct transit_ways *ways;
    flow_emit *emit;
    void *context;
    struct buf line;
    size_t n;
};

static void
emit_record(struct emission *e, struct flow_record *record)
{
    record->version = (uint8_t)e->window->format.version;
    if (record->transit && record->tcp_flags == FLOW_TCP_ACK) {
        record->tcp_flags = 0; /* so AWS has it where there was nothing but ACKs */
    }
    buf_clear(&e->line);
    flow_record_print(record, &e->window->format, &e->line);
    e->emit(e->context, e->log, &e->window->format, record, buf_str(&e->line));
    e->n++;
}

static bool
log_covers(const struct network *net, const struct flow_log *log, const struct eni *eni)
{
    const struct flow_log *logs[LOGS_OF_ENI_MAX];
    size_t n = flow_logs_of_eni(net, eni, logs, LOGS_OF_ENI_MAX);
    for (size_t i = 0; i < n; i++) {
        if (logs[i] == log) {
            return true;
        }
    }
    return false;
}

/* SKIPDATA for interfaces with lost flows and, once a whole window is over, NODATA for those in use that saw no packet.
 */
static void
emit_gaps(struct emission *e, int64_t end_ms, bool whole)
{
    const struct store *store = network_store(e->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        uintptr_t lost = (uintptr_t)map_get(&e->window->lost, eni->obj.id);
        bool skipped = lost > 0;
        bool quiet =
            whole && !map_get(&e->window->seen, eni->obj.id) && eni->status && strcmp(eni->status, "in-use") == 0;
        if ((!skipped && !quiet) || !log_covers(e->net, e->log, eni) ||
            e->window->nitro != (e->log->max_interval > 60 && is_at_nitro(e->net, eni))) {
            continue;
        }
        struct flow_record record = {
            .status = skipped ? FLOW_SKIPDATA : FLOW_NODATA,
            .start_s = e->window->start_ms / 1000,
            .end_s = end_ms / 1000,
            .lost_packets = skipped ? lost - 1 : 0,
        };
        describe_eni(e->net, eni, &record);
        emit_record(e, &record);
    }
}

/* The same of the attachments of a transit gateway. */
static void
emit_transit_gaps(struct emission *e, const char *tgw_id, int64_t end_ms, bool whole)
{
    const struct store *store = network_store(e->net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        uintptr_t lost = (uintptr_t)map_get(&e->window->lost, a->obj.id);
        bool quiet = whole && tgw_attachment_is_available(a) && !map_get(&e->window->seen, a->obj.id);
        if ((!lost && !quiet) || !transit_log_covers(e->net, e->log, tgw_id, a->obj.id)) {
            continue;
        }
        struct flow_record record =
            transit_record_empty(e->ways, e->net, tgw_id, a, lost ? FLOW_SKIPDATA : FLOW_NODATA);
        record.start_s = e->window->start_ms / 1000;
        record.end_s = end_ms / 1000;
        record.lost_packets = lost ? lost - 1 : 0;
        emit_record(e, &record);
    }
}

static void
emit_all_gaps(struct emission *e, int64_t end_ms, bool whole)
{
    const struct store *store = network_store(e->net);
    if (!flow_log_is_of_transit(e->log)) {
        emit_gaps(e, end_ms, whole);
        return;
    }
    for (const struct transit_gateway *g = store_first(store, &transit_gateway_kind); g; g = store_next(store, g)) {
        emit_transit_gaps(e, g->obj.id, end_ms, whole);
    }
}

/* One log's window: its records, and the next one begun.  True if the one after that is over as well. */
static bool
close_log(struct log_window *w, const struct network *net, int64_t now_ms, bool flush, struct emission *e)
{
    const struct flow_log *log = store_get(network_store(net), &flow_log_kind, w->log_id);
    int64_t interval_ms = w->interval_ms;
    bool over = now_ms - w->start_ms >= interval_ms;
    if (!log || (!over && !flush)) {
        return false;
    }
    e->log = log;
    e->window = w;
    for (size_t j = 0; j < w->flows.n; j++) {
        emit_record(e, &w->flows.items[j]);
    }
    emit_all_gaps(e, over ? w->start_ms + interval_ms : now_ms, over);
    clear_flows(w);
    map_done(&w->lost);
    if (!over) {
        return false;
    }
    map_done(&w->seen);
    w->start_ms += interval_ms;
    /* A clock that was put a long way on is not worth a NODATA record for each minute of it. */
    if (now_ms - w->start_ms > WINDOWS_AT_ONCE * interval_ms) {
        w->start_ms += (now_ms - w->start_ms) / interval_ms * interval_ms;
    }
    return now_ms - w->start_ms >= interval_ms;
}

size_t
flow_window_close(struct flow_window *window, const struct network *net, int64_t now_ms, bool flush, flow_emit *emit,
                  void *context)
{
    struct emission e = { .net = net, .ways = &window->ways, .emit = emit, .context = context };
    for (size_t i = 0; i < window->logs.n; i++) {
        /* Several may be over when the lab's clock was advanced: quiet ones have their NODATA each. */
        while (close_log(window->logs.items[i], net, now_ms, false, &e)) {
        }
        if (flush) {
            close_log(window->logs.items[i], net, now_ms, true, &e);
        }
    }
    buf_done(&e.line);
    return e.n;
}
