/* tests/spec/check_connectivity.h - the packets at the bounds of a set, asked of reach() and of the plain reading. */
#pragma once
#include "netsim/analysis/conn_ways.h"
#include "netsim/analysis/connectivity.h"
#include "netsim/analysis/reach.h"
#include "tests/spec/plain_ask.h"
#include "tests/test.h"

struct pair {
    const struct connectivity *c;
    const struct network *net;
    struct conn_end from, to;
    struct conn_flow flow;
    uint64_t seed;
    bool plain; /* the network holds what plain_net.h knows, and nothing else */
};
struct counts {
    size_t packets, reachable, answered, balanced;
};

static void
check_plain(const struct pair *p, const struct flow_spec *flow, const struct packet *sent, bool passes, bool answered,
            struct counts *counts)
{
    struct plain w = plain_ask(p->net, flow, sent);
    CHECK(passes == !w.why, "seed %" PRIu64 ": %s -> %s %s: set says %d, plain reading %s", p->seed, flow->from.id,
          flow->to.id, flow_str(sent), passes, w.why ? w.why : "arrives");
    counts->balanced += !w.why && w.n_lb_memory > 0;
    if (!w.why) {
        bool back = strcmp(plain_ask_answer(&w, flow, sent), "allowed") == 0;
        CHECK(answered == back, "seed %" PRIu64 ": %s -> %s %s: answers %d, plain reading %d", p->seed, flow->from.id,
              flow->to.id, flow_str(sent), answered, back);
    }
}

static void
check_packet(const struct pair *p, int protocol, int from, int to, struct counts *counts)
{
    int last = packet_axis_last(protocol);
    if (from < 0 || to < 0 || from > last || to > last || protocol < 0 || protocol > 255 ||
        protocol == (connectivity_family(p->c) == IP_V6 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6)) {
        return;
    }
    struct flow_spec flow;
    struct reach_result result = { 0 };
    struct err err = { 0 };
    const struct set_pool *pool = connectivity_pool(p->c);
    bool passes = packet_set_has(set_pool_get(pool, p->flow.passes), protocol, from, to);
    bool answered = packet_set_has(set_pool_get(pool, p->flow.answered), protocol, from, to);
    bool asked = conn_question(&p->from, &p->to, connectivity_family(p->c), &flow);
    flow.protocol = protocol;
    flow.src_port = flow.dst_port = -1;
    *(last == 255 ? &flow.icmp_type : &flow.src_port) = from;
    *(last == 255 ? &flow.icmp_code : &flow.dst_port) = to;
    if (!asked || !reach(p->net, &flow, false, &result, &err)) {
        CHECK(!passes, "seed %" PRIu64 ": %s", p->seed, err.text);
        return;
    }
    CHECK(passes == result.reachable, "seed %" PRIu64 ": %s %s -> %s %d/%d/%d: set says %d, reach %d (%s)", p->seed,
          ip_str(&result.sent.src), flow.from.id, flow.to.id, protocol, from, to, passes, result.reachable,
          result.why ? result.why : "");
    CHECK(answered == (result.reply == REPLY_ALLOWED), "seed %" PRIu64 ": %s -> %s %d/%d/%d: answers %d, reach %d (%s)",
          p->seed, flow.from.id, flow.to.id, protocol, from, to, answered, result.reply,
          result.reply_why ? result.reply_why : "");
    if (p->plain) {
        check_plain(p, &flow, &result.sent, passes, answered, counts);
    }
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

/* Both sets of a flow. */
static void
check_flow(const struct pair *p, struct counts *counts)
{
    check_bounds(p, p->flow.passes, counts);
    if (p->flow.answered != p->flow.passes) {
        check_bounds(p, p->flow.answered, counts);
    }
}

/* An end of a class: its last member, where it has any. */
static struct conn_end
end_of_class(const struct connectivity *c, size_t class)
{
    const struct conn_class *k = connectivity_class(c, class);
    size_t last = k->members.n ? k->members.n - 1 : 0;
    return k->members.n ? (struct conn_end){ .eni = k->members.items[last], .ip = k->addresses.items[last] }
                        : (struct conn_end){ .gate = k->gate, .ip = k->ip };
}
