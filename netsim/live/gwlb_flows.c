#include "netsim/live/gwlb_flows.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/vec.h"

#define BUCKETS 16384

struct gwlb_flows {
    struct gwlb_flow **buckets;
    struct gwlb_flow *oldest, *newest;
    size_t n, most;
};

struct flow_key
flow_key_of(uint64_t owner, const struct flow_tuple *tuple, enum flow_stickiness stickiness)
{
    int order = ip_compare(&tuple->src, &tuple->dst);
    bool forward = order < 0 || (order == 0 && tuple->src_port <= tuple->dst_port);
    struct flow_key key = { .owner = owner,
                            .low = forward ? tuple->src : tuple->dst,
                            .high = forward ? tuple->dst : tuple->src };
    if (stickiness != FLOW_2_TUPLE) {
        key.protocol = tuple->protocol;
    }
    if (stickiness == FLOW_5_TUPLE) {
        key.low_port = forward ? tuple->src_port : tuple->dst_port;
        key.high_port = forward ? tuple->dst_port : tuple->src_port;
    }
    return key;
}

static size_t
bucket_of(const struct flow_key *key)
{
    uint64_t words[] = { key->owner,   key->low.hi,
                         key->low.lo,  key->high.hi,
                         key->high.lo, (uint64_t)key->low_port << 32 | (uint64_t)key->high_port << 16 | key->protocol };
    return hash_bytes(words, sizeof words) % BUCKETS;
}

static bool
same_key(const struct flow_key *a, const struct flow_key *b)
{
    return a->owner == b->owner && a->low_port == b->low_port && a->high_port == b->high_port &&
           a->protocol == b->protocol && ip_equal(&a->low, &b->low) && ip_equal(&a->high, &b->high);
}

struct gwlb_flows *
gwlb_flows_new(size_t most)
{
    struct gwlb_flows *flows = xcalloc(1, sizeof *flows);
    flows->buckets = xcalloc(BUCKETS, sizeof *flows->buckets);
    flows->most = most;
    return flows;
}

/* ---- in order of last use ---------------------------------------------------------------------------------------- */

static void
take_out(struct gwlb_flows *flows, struct gwlb_flow *flow)
{
    *(flow->older ? &flow->older->newer : &flows->oldest) = flow->newer;
    *(flow->newer ? &flow->newer->older : &flows->newest) = flow->older;
}

static void
put_newest(struct gwlb_flows *flows, struct gwlb_flow *flow, int64_t now_ms)
{
    flow->used_ms = now_ms;
    flow->older = flows->newest;
    flow->newer = NULL;
    *(flows->newest ? &flows->newest->newer : &flows->oldest) = flow;
    flows->newest = flow;
}

static void
forget(struct gwlb_flows *flows, struct gwlb_flow *flow)
{
    struct gwlb_flow **at = &flows->buckets[bucket_of(&flow->key)];
    while (*at != flow) {
        at = &(*at)->next;
    }
    *at = flow->next;
    take_out(flows, flow);
    flows->n--;
    free(flow);
}

void
gwlb_flows_free(struct gwlb_flows *flows)
{
    while (flows && flows->oldest) {
        struct gwlb_flow *flow = flows->oldest;
        flows->oldest = flow->newer;
        free(flow);
    }
    if (flows) {
        free(flows->buckets);
        free(flows);
    }
}

/* ---- looking up -------------------------------------------------------------------------------------------------- */

static bool
is_idle(const struct gwlb_flow *flow, int64_t now_ms)
{
    return now_ms - flow->used_ms > (flow->key.protocol == PROTOCOL_TCP ? FLOW_TCP_IDLE_MS : FLOW_IDLE_MS);
}

struct gwlb_flow *
gwlb_flows_find(struct gwlb_flows *flows, const struct flow_key *key, int64_t now_ms)
{
    struct gwlb_flow *flow = flows->buckets[bucket_of(key)];
    while (flow && !same_key(&flow->key, key)) {
        flow = flow->next;
    }
    if (flow && is_idle(flow, now_ms)) {
        forget(flows, flow);
        return NULL;
    }
    if (flow) {
        take_out(flows, flow);
        put_newest(flows, flow, now_ms);
    }
    return flow;
}

struct gwlb_flow *
gwlb_flows_add(struct gwlb_flows *flows, const struct flow_key *key, int64_t now_ms)
{
    if (flows->n >= flows->most) {
        forget(flows, flows->oldest);
    }
    struct gwlb_flow *flow = xcalloc(1, sizeof *flow), **bucket = &flows->buckets[bucket_of(key)];
    flow->key = *key;
    flow->next = *bucket;
    *bucket = flow;
    put_newest(flows, flow, now_ms);
    flows->n++;
    return flow;
}

size_t
gwlb_flows_count(const struct gwlb_flows *flows)
{
    return flows->n;
}

void
gwlb_flows_visit(const struct gwlb_flows *flows, int64_t now_ms,
                 void (*visit)(void *context, const struct gwlb_flow *flow), void *context)
{
    for (const struct gwlb_flow *flow = flows->oldest; flow; flow = flow->newer) {
        if (!is_idle(flow, now_ms)) {
            visit(context, flow);
        }
    }
}
