/* tests/spec/check_connectivity.h - the packets at the bounds of a set, asked of reach(). */
#pragma once
#include "netsim/analysis/connectivity.h"
#include "netsim/analysis/reach.h"
#include "tests/test.h"

struct pair {
    const struct connectivity *c;
    const struct network *net;
    const struct eni *from, *to; /* NULL: outside, at 'outside' */
    struct ip outside;
    struct conn_flow flow;
    uint64_t seed;
};
struct counts {
    size_t packets, reachable, answered;
};

static void
check_packet(const struct pair *p, int protocol, int from, int to, struct counts *counts)
{
    int last = packet_axis_last(protocol);
    if (from < 0 || to < 0 || from > last || to > last || protocol < 0 || protocol > 255 ||
        protocol == (connectivity_family(p->c) == IP_V6 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
        return;
    }
    struct flow_spec flow = { .protocol = protocol, .src_port = -1, .dst_port = -1, .icmp_type = -1, .icmp_code = -1 };
    flow.family = connectivity_family(p->c);
    *(last == 255 ? &flow.icmp_type : &flow.src_port) = from;
    *(last == 255 ? &flow.icmp_code : &flow.dst_port) = to;
    flow.from.kind = p->from ? FLOW_END_ENI : FLOW_END_INTERNET;
    flow.to.kind = p->to ? FLOW_END_ENI : FLOW_END_INTERNET;
    flow.src_ip = p->from ? (struct ip){ 0 } : p->outside;
    flow.dst_ip = p->to ? (struct ip){ 0 } : p->outside;
    snprintf(flow.from.id, sizeof flow.from.id, "%s", p->from ? p->from->obj.id : "");
    snprintf(flow.to.id, sizeof flow.to.id, "%s", p->to ? p->to->obj.id : "");
    struct reach_result result = { 0 };
    struct err err = { 0 };
    const struct set_pool *pool = connectivity_pool(p->c);
    bool passes = packet_set_has(set_pool_get(pool, p->flow.passes), protocol, from, to);
    bool answered = packet_set_has(set_pool_get(pool, p->flow.answered), protocol, from, to);
    if (!reach(p->net, &flow, false, &result, NULL, &err)) {
        CHECK(!passes, "seed %" PRIu64 ": %s", p->seed, err.text);
        return;
    }
    CHECK(passes == result.reachable, "seed %" PRIu64 ": %s %s -> %s %d/%d/%d: set says %d, reach %d (%s)", p->seed,
          ip_str(&result.sent.src), flow.from.id, flow.to.id, protocol, from, to, passes, result.reachable,
          result.why ? result.why : "");
    CHECK(answered == (result.reply == REPLY_ALLOWED), "seed %" PRIu64 ": %s -> %s %d/%d/%d: answers %d, reach %d (%s)",
          p->seed, flow.from.id, flow.to.id, protocol, from, to, answered, result.reply,
          result.reply_why ? result.reply_why : "");
    counts->packets++;
    counts->reachable += result.reachable;
    counts->answered += result.reply == REPLY_ALLOWED;
    reach_result_done(&result);
}

static void
check_bounds(const struct pair *p, int set, struct counts *counts)
{
    const struct packet_set *packets = set_pool_get(connectivity_pool(p->c), set);
    for (size_t i = 0; i < packets->boxes.n && i < 12; i++) {
        const struct packet_box *box = &packets->boxes.items[i];
        const int edge[2] = { -1, 1 };
        for (int corner = 0; corner < 8; corner++) {
            int at[N_PACKET_AXES];
            for (int axis = 0; axis < N_PACKET_AXES; axis++) {
                at[axis] = corner >> axis & 1 ? box->hi[axis] : box->lo[axis];
            }
            check_packet(p, at[0], at[1], at[2], counts);
            for (int axis = 0; axis < N_PACKET_AXES; axis++) {
                int beside[N_PACKET_AXES] = { at[0], at[1], at[2] };
                beside[axis] += edge[corner >> axis & 1];
                check_packet(p, beside[0], beside[1], beside[2], counts);
            }
        }
    }
}
