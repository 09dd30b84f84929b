/* cloud/random_questions.c - what a random network is asked. */
#include "cloud/random_questions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/random_verify.h"
#include "cloud/verify_balancers.h"
#include "cloud/verify_rules.h"
#include "netsim/model/random_net.h"

#define AIMED 15  /* questions of a network that are about a rule or route */
#define NODES 4   /* that a balancer's node asks its targets */
#define DRAWS 400 /* of two ends, until RANDOM_QUESTIONS have something to say to each other */

/* A TAP host is one interface: it does not know the other addresses of its instance, which a machine would not take. */
static bool
may_get_own(const struct random_net *r, const struct verify_side *from, const struct verify_side *to)
{
    bool among = false;
    for (size_t i = 0; from->eni && i < to->receivers.n; i++) {
        among = among || strcmp(to->receivers.items[i], from->eni->attachment.instance_id) == 0;
    }
    const struct instance *instance =
        among ? store_get(network_store(r->net), &instance_kind, from->eni->attachment.instance_id) : NULL;
    struct eni *const *enis;
    return instance && instance_is_tap(r->net, instance) && instance_enis(r->net, instance, &enis) > 1;
}

static bool
worth_asking(const struct random_net *r, const struct verify_side *from, const struct verify_side *to, int family,
             const struct flow_spec *only)
{
    bool there = (only && only->dst_ip.family) || verify_side_address(to, family); /* NAT64 reaches IPv4 alone too */
    bool both_outside = !from->eni && !to->eni && (!from->gateway || !to->gateway);
    bool itself = from->eni && to->eni && *from->eni->attachment.instance_id &&
                  strcmp(from->eni->attachment.instance_id, to->eni->attachment.instance_id) == 0;
    itself = itself || (from->eni && to->receivers.n == 1 &&
                        strcmp(from->eni->attachment.instance_id, to->receivers.items[0]) == 0);
    return from != to && !from->only_answers && !both_outside && !itself && verify_side_address(from, family) &&
           there && !may_get_own(r, from, to);
}

/* One of the end's addresses, mostly the first. */
static struct ip
lot_address(struct random_net *r, const struct verify_side *side, int family)
{
    const struct eni *eni = side->eni;
    size_t n = !eni ? 0 : family == IP_V6 ? eni->addresses6.n : eni->addresses.n;
    if (n < 2 || chance(r, 60)) {
        return *verify_side_address(side, family);
    }
    size_t i = (size_t)lot(r, (int)n);
    return family == IP_V6 ? eni->addresses6.items[i].ip : eni->addresses.items[i].ip;
}

/* From outside, and sometimes from another VPC, it takes the public address where there is one. */
static struct ip
lot_destination(struct random_net *r, const struct verify_side *from, const struct verify_side *to, int family)
{
    bool elsewhere = to->eni && from->eni && strcmp(from->eni->vpc_id, to->eni->vpc_id) != 0;
    bool public = to->eni && family == IP_V4 && !from->gateway && (!from->eni || chance(r, elsewhere ? 50 : 20));
    struct ip own = lot_address(r, to, family);
    const struct ip *ip = public ? eni_public_ip(to->eni, &own) : NULL;
    return ip ? *ip : own;
}

/* What the end listens on, else any. */
static int
lot_destination_port(struct random_net *r, const struct verify_side *to)
{
    bool known = chance(r, 75);
    if (known && to->balancer && to->balancer->listeners.n) {
        return to->balancer->listeners.items[lot(r, (int)to->balancer->listeners.n)].port;
    }
    if (known && to->classic && to->classic->listeners.n) {
        return to->classic->listeners.items[lot(r, (int)to->classic->listeners.n)].port;
    }
    return known && to->only_answers ? 443 : 1 + lot_port(r) % 65535;
}

/* Of the few that only answer, endpoints and balancers, one more often than of the many machines. */
static const struct verify_side *
lot_receiver(struct random_net *r, const verify_side_vec *sides)
{
    const struct verify_side *to = &sides->items[lot(r, (int)sides->n)];
    for (int tries = 0; tries < 4 && !to->only_answers && chance(r, 50); tries++) {
        to = &sides->items[lot(r, (int)sides->n)];
    }
    return to;
}

/* 'only': what an aimed packet must be; NULL: all of it by lot. */
static void
ask(struct random_net *r, const struct verify_side *from, const struct verify_side *to, int family,
    const struct flow_spec *only, asked_vec *questions)
{
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP };
    if (!worth_asking(r, from, to, family, only)) {
        return;
    }
    int number = (int)questions->n; /* each has a source port of its own */
    struct asked *q = VEC_ADD(questions);
    *q = (struct asked){ .flow = { .from = verify_side_end(from),
                                   .to = verify_side_end(to),
                                   .family = family,
                                   .ends_at_application = true } };
    struct flow_spec *flow = &q->flow;
    flow->protocol = only ? only->protocol : protocols[lot(r, 4)];
    flow->src_ip = only && only->src_ip.family ? only->src_ip : lot_address(r, from, family);
    flow->dst_ip = only && only->dst_ip.family ? only->dst_ip : lot_destination(r, from, to, family);
    flow->icmp_type = flow->icmp_code = -1;
    flow->src_port = (chance(r, 50) ? 20000 : 50000) + number;
    flow->dst_port = only ? only->dst_port : lot_destination_port(r, to);
    q->probe.src_port = flow->src_port;
    q->probe.dst_port = flow->dst_port < 0 ? 0 : flow->dst_port;
    if (flow->protocol == PROTOCOL_ICMP || flow->protocol == PROTOCOL_ICMPV6) {
        flow->protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        flow->icmp_type = q->probe.dst_port = only && only->icmp_type >= 0 ? only->icmp_type
                                              : family == IP_V6            ? 128
                                                                           : 8;
        flow->icmp_code = q->probe.src_port = only && only->icmp_code >= 0 ? only->icmp_code : 0;
        flow->src_port = flow->dst_port = -1;
    } else if (flow->protocol != PROTOCOL_TCP && flow->protocol != PROTOCOL_UDP) {
        flow->src_port = flow->dst_port = -1;
    }
    q->probe.protocol = flow->protocol;
    q->probe.src = flow->src_ip;
    q->probe.dst = flow->dst_ip;
    snprintf(q->probe.from, sizeof q->probe.from, "%s", verify_side_probe_end(from, &flow->src_ip));
    flow->ends_at_balancer = verify_ends_at_node(r->net, to, flow->protocol, flow->dst_port, family);
    if (!verify_can_ask(r->net, from, to, flow->protocol, flow->dst_port, &flow->dst_ip)) {
        questions->n--;
    }
}

static void
ask_anything(struct random_net *r, const verify_side_vec *sides, asked_vec *questions)
{
    const struct verify_side *from = &sides->items[lot(r, (int)sides->n)], *to = lot_receiver(r, sides);
    ask(r, from, to, chance(r, 25) ? IP_V6 : IP_V4, NULL, questions);
}

/* From a node to one of those that it sends to, as it looks whether they are well: of an application balancer the
 * second half of the way, which its listeners' rules lead to. */
static void
ask_target(struct random_net *r, const struct verify_side *node, const verify_side_vec *sides, asked_vec *questions)
{
    verify_target_vec targets = { 0 };
    verify_node_targets(r->net, node, &targets);
    const struct verify_target *t = targets.n ? &targets.items[lot(r, (int)targets.n)] : NULL;
    for (size_t i = 0; t && i < sides->n; i++) {
        const struct verify_side *to = &sides->items[i];
        const struct ip *src = verify_side_address(node, t->family), *dst = verify_side_address(to, t->family);
        if (!to->eni || to->eni->attachment.device_index != 0 ||
            strcmp(to->eni->attachment.instance_id, t->instance_id) != 0 || !src || !dst) {
            continue;
        }
        struct asked *q = VEC_ADD(questions);
        *q = (struct asked){ .flow = { .from = verify_side_end(node),
                                       .to = verify_side_end(to),
                                       .family = t->family,
                                       .protocol = PROTOCOL_TCP,
                                       .src_ip = *src,
                                       .dst_ip = *dst,
                                       .src_port = 50000 + (int)questions->n,
                                       .dst_port = t->port,
                                       .icmp_type = -1,
                                       .icmp_code = -1,
                                       .health_check = true } };
        q->probe = (struct live_probe){
            .protocol = PROTOCOL_TCP, .src = *src, .dst = *dst, .src_port = q->flow.src_port, .dst_port = t->port
        };
        snprintf(q->probe.from, sizeof q->probe.from, "%s", node->eni->obj.id);
    }
    VEC_DONE(&targets);
}

static void
ask_targets(struct random_net *r, const verify_side_vec *sides, size_t n, asked_vec *questions)
{
    for (int i = 0; i < DRAWS && questions->n < n; i++) {
        const struct verify_side *side = &sides->items[lot(r, (int)sides->n)];
        if (side->eni && side->node == side->eni) {
            ask_target(r, side, sides, questions);
        }
    }
}

/* Of other protocols the kernel's tracking looks into what they carry, which probes do not make up, and ICMP that asks
 * nothing it follows by what it is about. */
static bool
is_plain(const struct flow_spec *flow)
{
    bool icmp = flow->protocol == PROTOCOL_ICMP || flow->protocol == PROTOCOL_ICMPV6;
    bool echo = flow->icmp_type < 0 || flow->icmp_type == (flow->protocol == PROTOCOL_ICMP ? 8 : 128);
    return flow->protocol == PROTOCOL_TCP || flow->protocol == PROTOCOL_UDP || (icmp && echo);
}

/* Packets that rules and routes are about, at their bounds and just beside, where judges differ first. */
static void
ask_aimed(struct random_net *r, const verify_side_vec *sides, size_t n, asked_vec *questions)
{
    struct verify_end *ends = xcalloc(sides->n, sizeof *ends);
    verify_aim_vec aims = { 0 };
    for (size_t i = 0; i < sides->n; i++) {
        const struct verify_side *side = &sides->items[i];
        ends[i] = (struct verify_end){ .eni = side->eni,
                                       .internet = !side->eni && !side->gateway,
                                       .answers_only = side->only_answers };
        for (int f = IP_V4; f <= IP_V6; f += IP_V6 - IP_V4) {
            const struct ip *ip = verify_side_address(side, f);
            ends[i].ips[f == IP_V6] = ip ? *ip : (struct ip){ 0 };
        }
    }
    struct verify_rules *rules = verify_rules_new(r->net, ends, sides->n);
    verify_rules_aim(rules, &aims);
    for (int i = 0; i < DRAWS && aims.n && questions->n < n; i++) {
        const struct verify_aim *a = &aims.items[lot(r, (int)aims.n)];
        if (!is_plain(&a->flow)) {
            continue;
        }
        ask(r, &sides->items[a->from], &sides->items[a->to], a->flow.family, &a->flow, questions);
    }
    verify_rules_free(rules);
    VEC_DONE(&aims);
    free(ends);
}

void
random_questions(struct random_net *r, const verify_side_vec *sides, asked_vec *questions)
{
    for (int i = 0; i < DRAWS && questions->n < RANDOM_QUESTIONS - AIMED - NODES; i++) {
        ask_anything(r, sides, questions);
    }
    ask_targets(r, sides, questions->n + NODES, questions);
    ask_aimed(r, sides, RANDOM_QUESTIONS, questions);
}
