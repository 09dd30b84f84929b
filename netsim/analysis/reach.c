#include "netsim/analysis/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/components.h"
#include "netsim/analysis/explain.h"
#include "netsim/analysis/mended.h"
#include "netsim/analysis/obstacle.h"
#include "netsim/analysis/question.h"
#include "netsim/analysis/wanted.h"
#include "netsim/model/network.h"

const char *
flow_str(const struct packet *packet)
{
    static _Thread_local char buffers[8][48];
    static _Thread_local unsigned turn;
    char *text = buffers[turn++ % 8];
    if (protocol_has_ports(packet->protocol) && packet->dst_port >= 0) {
        snprintf(text, sizeof buffers[0], "%s/%d", protocol_name(packet->protocol), packet->dst_port);
    } else if (protocol_is_icmp(packet->protocol)) {
        snprintf(text, sizeof buffers[0], "%s %d/%d", packet->protocol == PROTOCOL_ICMP ? "icmp" : "icmpv6",
                 packet->icmp_type, packet->icmp_code);
    } else {
        snprintf(text, sizeof buffers[0], protocol_has_ports(packet->protocol) ? "%s" : "protocol %s",
                 protocol_name(packet->protocol));
    }
    return text;
}

/* ---- Both ways -----------------------------------------------------------------------------------------------------
 */

/* Types that ask for an answer, and the answer's.  Sources: RFC 792, RFC 4443; IANA's ICMP parameters. */
static const struct {
    int protocol, request, reply;
} icmp_answers[] = {
    { PROTOCOL_ICMP, 8, 0 },   { PROTOCOL_ICMP, 10, 9 },  { PROTOCOL_ICMP, 13, 14 },
    { PROTOCOL_ICMP, 15, 16 }, { PROTOCOL_ICMP, 17, 18 }, { PROTOCOL_ICMPV6, 128, 129 },
};

bool
packet_answer(const struct packet *packet, struct packet *answer)
{
    *answer = *packet;
    answer->src = packet->dst;
    answer->dst = packet->src;
    answer->src_port = packet->dst_port;
    answer->dst_port = packet->src_port;
    if (!protocol_is_icmp(packet->protocol)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(icmp_answers); i++) {
        if (icmp_answers[i].protocol == packet->protocol && icmp_answers[i].request == packet->icmp_type) {
            answer->icmp_type = icmp_answers[i].reply;
            answer->icmp_code = 0;
            return true;
        }
    }
    return false;
}

/* The VPC that a packet from outside to an address of nobody would be offered to: the one with an internet gateway, if
 * only one has. */
static const char *
only_open_vpc(const struct network *net)
{
    const struct store *store = network_store(net);
    const char *vpc_id = NULL;
    for (const struct internet_gateway *igw = store_first(store, &internet_gateway_kind); igw;
         igw = store_next(store, igw)) {
        for (size_t i = 0; i < igw->attachments.n; i++) {
            if (vpc_id && strcmp(vpc_id, igw->attachments.items[i].vpc_id) != 0) {
                return NULL;
            }
            vpc_id = igw->attachments.items[i].vpc_id;
        }
    }
    return vpc_id;
}

void
question_walk(const struct question *q, struct session *session, struct walk *walk)
{
    *walk = (struct walk){ .net = q->net, .target = question_target(q), .session = session, .anyone = q->anyone };
    walk->filters_open = q->filters_open;
    walk->health_check = q->health_check;
    walk->ends_at_balancer = q->ends_at_balancer;
    walk->ends_at_application = q->ends_at_application;
    walk->alone[0] = q->from_alone ? q->from.eni : NULL;
    walk->alone[1] = q->to_alone ? q->to.eni : NULL;
    walk->wanted_receiver = q->wanted_receiver;
    walk->wanted_src = q->wanted_src;
    walk->wanted_port = q->wanted_port;
    walk->mended = q->mended;
    if (q->from.gateway_id && !question_from_public_side(q)) {
        walk_from_gateway(walk, q->from.gateway_id, &q->packet);
    } else if (q->from.eni) {
        walk_from_eni(walk, q->from.eni, &q->packet);
    } else {
        walk->vpc_id = q->to.eni ? q->to.eni->vpc_id : only_open_vpc(q->net);
        walk->entry_id = q->from.gateway_id;
        walk_from_internet(walk, &q->packet);
        if (q->no_public_ip && walk->stop == STOP_IGW_NO_SUCH_PUBLIC_IP) {
            walk->stop = STOP_NO_PUBLIC_IP;
            walk->eni = q->to.eni;
        }
    }
}

/* The answer is a packet from where the first one ended, meant for where it came from; it must come under the address
 * that was asked. */
bool
question_walk_back(const struct question *q, const struct walk *forward, struct session *session, struct walk *walk)
{
    struct packet answer, expected;
    if (!packet_answer(&forward->packet, &answer) || !packet_answer(&forward->start, &expected)) {
        return false;
    }
    *walk = (struct walk){ .net = q->net, .session = session, .is_reply = true, .anyone = q->anyone };
    walk->filters_open = q->filters_open;
    walk->health_check = q->health_check;
    walk->ends_at_balancer = q->ends_at_balancer;
    walk->ends_at_application = q->ends_at_application;
    walk->mended = q->mended;
    walk->alone[0] = q->from_alone ? q->from.eni : NULL;
    walk->alone[1] = q->to_alone ? q->to.eni : NULL;
    walk->target = q->from.eni ? (struct target){ .kind = TARGET_ENI, .eni = q->from.eni }
                               : (struct target){ .kind = TARGET_INTERNET };
    if (q->from.gateway_id && !question_from_public_side(q)) {
        walk->target = (struct target){ .kind = TARGET_GATEWAY, .gateway_id = q->from.gateway_id };
    }
    walk_answer(forward, walk, &answer);
    if (walk->arrived && (!ip_equal(&walk->packet.src, &expected.src) || walk->packet.src_port != expected.src_port)) {
        walk->arrived = false;
        walk->stop = STOP_ASYMMETRIC;
    }
    return true;
}

static void
result_codes(const struct walk *walk, const char **why, const char *codes[static 4])
{
    const struct stop_row *row = &stop_rows[walk->stop];
    *why = row->why;
    memcpy(codes, row->codes, sizeof row->codes);
    if (walk->stop == STOP_SG_EGRESS || walk->stop == STOP_SG_INGRESS) {
        size_t n = 1;
        if (walk->eni && !groups_have_rules(walk->net, walk->eni, walk->stop == STOP_SG_EGRESS)) {
            codes[n++] = "SG_HAS_NO_RULES";
        }
        if (walk->stop == STOP_SG_INGRESS && walk->eni &&
            groups_would_permit_reference(walk->net, walk->eni, &walk->packet, &walk->origin)) {
            codes[n++] = "SG_REFERENCING_SUPPORT";
        }
    }
}

static void
result_words(const struct walk *forward, const struct walk *back, struct reach_result *result)
{
    result->forward = path_components(forward);
    result->back = back ? path_components(back) : json_array();
    result->explanations = json_array();
    result->steps = json_array();
    explain_steps(forward, "forward", result->steps);
    if (back) {
        explain_steps(back, "return", result->steps);
    }
    size_t n = json_array_size(result->forward);
    if (n > 0 && forward->crossed_tgw_table && back && back->stop == STOP_NO_ROUTE) {
        component_detail(json_array_get(result->forward, n - 1), "RESPONSE_RTB_HAS_NO_ROUTE_TO_TRANSIT_GATEWAY");
    }
}

static void
result_reason(const struct walk *no, struct reach_result *result)
{
    json_array_append_new(result->explanations, obstacle_explanation(no));
    result->reason = obstacle_reason(no);
    result->hint = obstacle_hint(no);
    if (no->target.kind == TARGET_GATEWAY && no->target.gateway_id) {
        wanted_explanations(no, no->target.gateway_id, result->explanations);
    }
}

static void
list_obstacles(const struct obstacles *obstacles, const char *direction, struct reach_result *result)
{
    for (size_t i = 0; i < obstacles->items.n; i++) {
        const struct walk *no = &obstacles->items.items[i];
        const struct hop *hop = no->hops.n ? &no->hops.items[no->hops.n - 1] : NULL;
        char *reason = obstacle_reason(no), *hint = obstacle_hint(no);
        json_array_append_new(result->explanations, obstacle_explanation(no));
        json_array_append_new(result->obstacles, json_pack("{s:s, s:s, s:s?, s:s, s:s?}", "Direction", direction,
                                                           "ExplanationCode", stop_rows[no->stop].codes[0], "Component",
                                                           hop ? hop->id : NULL, "Reason", reason, "Hint", hint));
        free(reason);
        free(hint);
    }
}

/* The same way once more, past every obstacle.  What cannot be passed ends it, and is the last one. */
static void
result_all_obstacles(const struct question *question, struct reach_result *result)
{
    struct obstacles there = { 0 }, back_again = { 0 };
    struct question q = *question;
    struct session session = { 0 };
    struct walk forward, back = { 0 };
    q.mended = &there;
    question_walk(&q, &session, &forward);
    q.mended = &back_again;
    bool answered = forward.arrived && question_walk_back(&q, &forward, &session, &back);
    result_words(&forward, answered ? &back : NULL, result);
    result->obstacles = json_array();
    list_obstacles(&there, "forward", result);
    list_obstacles(&back_again, "return", result);
    struct obstacles last = { 0 };
    if (forward.stop || back.stop) {
        *VEC_ADD(&last.items) = forward.stop ? forward : back;
        list_obstacles(&last, forward.stop ? "forward" : "return", result);
        VEC_DONE(&last.items); /* the walk itself is not its own */
    }
    walk_done(&forward);
    walk_done(&back);
    session_done(&session);
    obstacles_done(&there);
    obstacles_done(&back_again);
}

/* Both walks in words; with 'all_obstacles' the walk past them in their place. */
static void
result_explain(const struct question *q, const struct walk *forward, const struct walk *back,
               struct reach_result *result)
{
    const struct walk *no = forward->stop ? forward : back && back->stop ? back : NULL;
    if (!no || !q->all_obstacles) {
        result_words(forward, back, result);
    }
    if (no && q->all_obstacles) {
        result->reason = obstacle_reason(no);
        result->hint = obstacle_hint(no);
        result_all_obstacles(q, result);
    } else if (no) {
        result_reason(no, result);
    }
}

void
question_answer(const struct question *q, bool want_components, struct reach_result *result)
{
    struct session session = { 0 };
    struct walk forward, back = { 0 };
    question_walk(q, &session, &forward);
    result->reachable = forward.arrived;
    result->sent = forward.start;
    result->arrives = forward.packet;
    explain_path(&forward, &result->path);
    bool answered = forward.arrived && question_walk_back(q, &forward, &session, &back);
    if (!forward.arrived) {
        result_codes(&forward, &result->why, result->codes);
    }
    if (answered) {
        result->reply = back.arrived ? REPLY_ALLOWED : REPLY_BLOCKED;
        if (!back.arrived) {
            result_codes(&back, &result->reply_why, result->reply_codes);
        }
    }
    /* AWS looks at tcp both ways, but through a transit gateway table and with the rest one way only. */
    result->path_found = forward.arrived && (forward.start.protocol != PROTOCOL_TCP || forward.crossed_tgw_table ||
                                             result->reply != REPLY_BLOCKED);
    for (size_t i = 0; i < forward.receivers.n; i++) {
        *VEC_ADD(&result->receivers) = xstrdup(forward.receivers.items[i]);
    }
    if (want_components) {
        result_explain(q, &forward, answered ? &back : NULL, result);
    }
    walk_done(&forward);
    walk_done(&back);
    session_done(&session);
}

bool
reach(const struct network *net, const struct flow_spec *flow, bool want_components, struct reach_result *result,
      struct err *err)
{
    struct question q;
    if (!question_init(net, flow, &q, err)) {
        return false;
    }
    if (protocol_has_ports(q.packet.protocol) && q.packet.dst_port < 0) {
        q.packet.dst_port = reach_any_port(net, flow, 0);
    }
    question_answer(&q, want_components, result);
    return true;
}

static bool
walk_ways(const struct network *net, const struct flow_spec *flow, bool open, struct open_ways *ways, struct err *err)
{
    struct question q;
    *ways = (struct open_ways){ 0 };
    if (!question_init(net, flow, &q, err)) {
        return false;
    }
    q.filters_open = open;
    question_walk(&q, &ways->session, &ways->forward);
    ways->answered = ways->forward.arrived && question_walk_back(&q, &ways->forward, &ways->session, &ways->back);
    return true;
}

bool
reach_open_ways(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err)
{
    return walk_ways(net, flow, true, ways, err);
}

bool
reach_ways(const struct network *net, const struct flow_spec *flow, struct open_ways *ways, struct err *err)
{
    return walk_ways(net, flow, false, ways, err);
}

void
open_ways_done(struct open_ways *ways)
{
    walk_done(&ways->forward);
    walk_done(&ways->back);
    session_done(&ways->session);
}

void
reach_result_done(struct reach_result *result)
{
    for (size_t i = 0; i < result->path.n; i++) {
        free(result->path.items[i]);
    }
    VEC_DONE(&result->path);
    for (size_t i = 0; i < result->receivers.n; i++) {
        free(result->receivers.items[i]);
    }
    VEC_DONE(&result->receivers);
    json_decref(result->forward);
    json_decref(result->back);
    json_decref(result->explanations);
    json_decref(result->steps);
    json_decref(result->obstacles);
    free(result->reason);
    free(result->hint);
    *result = (struct reach_result){ 0 };
}
