/* cloud/ops_verify.c - `vpclab verify`: the two judges side by side.
 *
 * Each question is put to netsim/analysis (the model) and to the kernel (a real packet through the live lab): does it
 * arrive, with which addresses, and does the answer come back?  Where the two differ one of them is wrong, which is a
 * bug in vpclab, and the exit status is 1.
 *
 * A packet whose way leads through something that only one of them has is no agreement and no disagreement: it is
 * listed apart.  Which packets these are is known from the plan and the way, not from the verdicts. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/live_names.h"
#include "cloud/verify_ports.h"
#include "cloud/verify_text.h"
#include "cloud/ops_verify_random.h"
#include "cloud/ops_verify_request.h"
#include "cloud/verify_balancers.h"
#include "cloud/verify_difference.h"
#include "cloud/verify_follow.h"
#include "netsim/live/plan.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"

/* ---- what to ask --------------------------------------------------------------------------------------------------
 */
/* Fills in the probe for a flow whose addresses are known. */
static void
make_probe(struct verify_question *q)
{
    struct live_probe *p = &q->probe;
    snprintf(p->from, sizeof p->from, "%s",
             q->from->only_answers ? q->from->eni->obj.id : verify_side_probe_end(q->from, &q->flow.src_ip));
    snprintf(p->to, sizeof p->to, "%s", verify_side_probe_end(q->to, &q->flow.dst_ip));
    p->protocol = q->flow.protocol;
    p->dst_port = q->flow.dst_port < 0 ? 0 : q->flow.dst_port;
    p->src_port = q->flow.src_port < 0 ? 0 : q->flow.src_port;
    if (p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6) {
        p->dst_port = q->flow.icmp_type >= 0 ? q->flow.icmp_type : p->protocol == PROTOCOL_ICMP ? 8 : 128;
        p->src_port = q->flow.icmp_code >= 0 ? q->flow.icmp_code : 0;
    }
    p->src = q->flow.src_ip;
    p->dst = q->flow.dst_ip;
    p->also = q->to->also;
    if (q->flow.ends_at_balancer) {
        snprintf(p->to, sizeof p->to, "%s", q->to->eni->obj.id);
        p->also = NULL;
    }
}

/* Private addresses within a VPC, public ones to and from elsewhere; false when an end has no address of the family. */
static bool
choose_addresses(const struct verify_side *from, const struct verify_side *to, int family, struct ip *src,
                 struct ip *dst)
{
    const struct ip *s = verify_side_address(from, family), *d = verify_side_address(to, family);
    if (!s || !d) {
        return false;
    }
    bool far = to->eni && !from->gateway && (!from->eni || strcmp(from->eni->vpc_id, to->eni->vpc_id) != 0);
    const struct ip *public = far && family == IP_V4 ? eni_public_ip(to->eni, d) : NULL;
    *src = *s;
    *dst = public ? *public : *d;
    return true;
}

static void
ask(struct verify_inquiry *inquiry, const struct verify_side *from, const struct verify_side *to,
    const struct verify_port *port, struct ip src, struct ip dst, const struct flow_spec *only)
{
    struct verify_question *q = VEC_ADD(&inquiry->questions);
    q->from = from;
    q->to = to;
    q->flow = (struct flow_spec){ .from = verify_side_end(from),
                                  .to = verify_side_end(to),
                                  .protocol = port->protocol,
                                  .src_port = -1,
                                  .dst_port = port->port,
                                  .icmp_type = -1,
                                  .icmp_code = -1,
                                  .src_ip = src,
                                  .dst_ip = dst,
                                  .family = dst.family,
                                  .ends_at_application = true };
    if (only) {
        q->flow.src_port = only->src_port;
        q->flow.icmp_type = only->icmp_type;
        q->flow.icmp_code = only->icmp_code;
        q->flow.src_ip = only->src_ip.family ? only->src_ip : src;
        q->flow.dst_ip = only->dst_ip.family ? only->dst_ip : dst;
    }
    q->flow.ends_at_balancer =
        verify_ends_at_node(inquiry->cloud->net, to, q->flow.protocol, q->flow.dst_port, dst.family);
    make_probe(q);
}

/* Once, or where several may get it, so often that each does. */
static void
ask_port(struct verify_inquiry *inquiry, const struct verify_side *from, const struct verify_side *to,
         const struct verify_port *port, struct ip src, struct ip dst, const struct flow_spec *only)
{
    const struct network *net = inquiry->cloud->net;
    bool ends = verify_ends_at_node(net, to, port->protocol, port->port, dst.family);
    bool once = ends || (only && only->src_port >= 0);
    if (!verify_can_ask(net, from, to, port->protocol, port->port, &dst)) {
        return;
    }
    size_t n = once ? 1 : verify_spread_size(net, to, port->protocol, port->port);
    for (size_t i = 0; i < n; i++) {
        ask(inquiry, from, to, port, src, dst, only);
    }
    if (!ends) {
        verify_spread_add(inquiry, n);
    }
}

static bool
attached(const struct network *net, const char *vpc_id)
{
    const struct store *store = network_store(net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (tgw_attachment_is_available(a) && strcmp(a->vpc_id, vpc_id) == 0) {
            return true;
        }
    }
    return false;
}

/* In two VPCs that a peering or transit gateways join: the private address is a second way to the same interface. */
static bool
joined(const struct network *net, const struct verify_side *from, const struct verify_side *to)
{
    return from->eni && to->eni && strcmp(from->eni->vpc_id, to->eni->vpc_id) != 0 &&
           (network_peering_between(net, from->eni->vpc_id, to->eni->vpc_id) ||
            (attached(net, from->eni->vpc_id) && attached(net, to->eni->vpc_id)));
}

static void
ask_pair(struct verify_inquiry *inquiry, const struct verify_side *from, const struct verify_side *to, int family,
         const struct flow_spec *only)
{
    struct ip src, dst;
    if (!choose_addresses(from, to, family, &src, &dst)) {
        return;
    }
    struct verify_ports ports = { 0 };
    if (only) {
        ports_add(&ports, only->protocol, only->dst_port);
    } else {
        ports_add_of(inquiry->cloud->net, from->eni, true, &ports);
        ports_add_of(inquiry->cloud->net, to->eni, false, &ports);
        verify_listener_ports(to, &ports);
        ports_add_unnamed(&ports);
        ports_add(&ports, family == IP_V4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6, -1);
    }
    for (size_t i = 0; i < ports.list.n; i++) {
        ask_port(inquiry, from, to, &ports.list.items[i], src, dst, only);
        if (!(only && only->dst_ip.family) && joined(inquiry->cloud->net, from, to) &&
            !ip_equal(&dst, verify_eni_address(to->eni, family))) {
            ask_port(inquiry, from, to, &ports.list.items[i], src, *verify_eni_address(to->eni, family), only);
        }
    }
    VEC_DONE(&ports.list);
}

/* Is this side the one a person named?  'node' NULL: any. */
static bool
side_is(const struct verify_side *side, const struct live_node *node)
{
    const char *balancer = side->balancer ? side->balancer->obj.id : side->classic ? side->classic->obj.id : NULL;
    if (node && balancer && side->node == side->eni && strcmp(balancer, node->id) == 0) {
        return true;
    }
    return !node || (side->eni == node->eni && strcmp(side->site ? side->site : "", node->site) == 0);
}

static void
ask_all(struct verify_inquiry *inquiry, const struct live_node *from, const struct live_node *to,
        const struct flow_spec *only, int family)
{
    for (size_t i = 0; i < inquiry->sides.n; i++) {
        for (size_t j = 0; j < inquiry->sides.n; j++) {
            const struct verify_side *a = &inquiry->sides.items[i], *b = &inquiry->sides.items[j];
            bool same =
                a == b || (!a->eni && !b->eni && (!a->site || !b->site || strcmp(a->site, b->site) == 0)) ||
                (a->eni && b->eni && strcmp(a->eni->attachment.instance_id, b->eni->attachment.instance_id) == 0);
            bool itself = b->receivers.n == 1 && a->eni && !b->strangers &&
                          strcmp(a->eni->attachment.instance_id, b->receivers.items[0]) == 0;
            if (same || itself || a->only_answers || !side_is(a, from) || !side_is(b, to)) {
                continue;
            }
            for (int f = IP_V4; f <= IP_V6; f += 2) {
                if (!family || f == family) {
                    ask_pair(inquiry, a, b, f, only);
                }
            }
        }
    }
}

/* From a balancer's nodes to the targets: what is passed on, and whether they are well. */
static void
ask_targets(struct verify_inquiry *inquiry, const struct live_node *from, const struct live_node *to,
            const struct flow_spec *only, int family)
{
    for (size_t i = 0; i < inquiry->sides.n; i++) {
        const struct verify_side *node = &inquiry->sides.items[i];
        verify_target_vec targets = { 0 };
        if (side_is(node, from)) {
            verify_node_targets(inquiry->cloud->net, node, &targets);
        }
        for (size_t j = 0; j < inquiry->sides.n * targets.n; j++) {
            const struct verify_side *side = &inquiry->sides.items[j / targets.n];
            const struct verify_target *t = &targets.items[j % targets.n];
            struct verify_port port = { PROTOCOL_TCP, t->port };
            struct ip src, dst;
            if (only && (only->protocol != PROTOCOL_TCP || only->dst_port != t->port)) {
                continue;
            }
            if (side->eni && side->eni->attachment.device_index == 0 && side_is(side, to) &&
                strcmp(side->eni->attachment.instance_id, t->instance_id) == 0 && (!family || family == t->family) &&
                choose_addresses(node, side, t->family, &src, &dst)) {
                ask(inquiry, node, side, &port, src, dst, only);
                inquiry->questions.items[inquiry->questions.n - 1].flow.health_check = true;
            }
        }
        VEC_DONE(&targets);
    }
}

/* ---- the two answers ----------------------------------------------------------------------------------------------
 */
static bool
put_to_analysis(struct verify_inquiry *inquiry, struct err *err)
{
    for (size_t i = inquiry->n_asked; i < inquiry->questions.n; i++) {
        struct verify_question *q = &inquiry->questions.items[i];
        if (!reach(inquiry->cloud->net, &q->flow, false, &q->said, err)) {
            return false;
        }
        if (q->spread && verify_receiver(q)) { /* the way of the one that got it */
            verify_ask_receiver(q);
            reach_result_done(&q->said);
            q->said = (struct reach_result){ 0 };
            if (!reach(inquiry->cloud->net, &q->flow, false, &q->said, err)) {
                return false;
            }
        }
    }
    return true;
}

/* ---- what one of the two does not have ------------------------------------------------------------------------------
 */
static struct verify_gap_met *
gap_of(struct verify_inquiry *inquiry, const struct verify_gap *met)
{
    for (size_t i = 0; i < inquiry->gaps.n; i++) {
        if (strcmp(inquiry->gaps.items[i]->met.id, met->id) == 0 && inquiry->gaps.items[i]->met.lacks == met->lacks) {
            return inquiry->gaps.items[i];
        }
    }
    struct verify_gap_met *gap = *VEC_ADD(&inquiry->gaps) = xcalloc(1, sizeof *gap);
    gap->met = *met;
    return gap;
}

static bool
find_gaps(struct verify_inquiry *inquiry, struct err *err)
{
    struct plan_numbers numbers = { 0 };
    const struct verify_question *last = NULL;
    if (!inquiry->plan) {
        inquiry->plan = plan_new(inquiry->cloud->net, &numbers);
        plan_numbers_done(&numbers);
    }
    for (size_t i = inquiry->n_asked; i < inquiry->questions.n; i++) {
        struct verify_question *q = &inquiry->questions.items[i];
        struct verify_gap gap;
        if (!verify_find_gap(inquiry->cloud->net, inquiry->plan, &q->flow, q->probe.kept_at, &gap, err)) {
            return false;
        }
        verify_gap_settle(&gap, &q->said, &q->probe);
        if (!gap.lacks) {
            verify_health_gap(inquiry, q, &gap);
        }
        q->lost_behind = gap.lost_behind;
        q->gap = gap.lacks ? gap_of(inquiry, &gap) : NULL;
        if (q->gap) {
            bool same_pair = last && last->from == q->from && last->to == q->to && last->gap == q->gap &&
                             last->flow.dst_ip.family == q->flow.dst_ip.family;
            q->gap->n_packets++;
            q->gap->n_pairs += !same_pair;
        }
        last = q;
    }
    return true;
}

static bool
put_to_kernel(struct verify_inquiry *inquiry, struct err *err)
{
    size_t first = inquiry->n_asked, n = inquiry->questions.n - first;
    struct live_probe *probes = xcalloc(n + 1, sizeof *probes);
    for (size_t i = 0; i < n; i++) {
        probes[i] = inquiry->questions.items[first + i].probe;
    }
    bool ok = live_link_probe(inquiry->cloud, probes, n, 500, err);
    for (size_t i = 0; ok && i < n; i++) {
        struct verify_question *q = &inquiry->questions.items[first + i];
        q->probe = probes[i];
        /* Analysis is asked about the very packet: an ACL may draw its line between ephemeral ports. */
        if (q->flow.protocol == PROTOCOL_TCP || q->flow.protocol == PROTOCOL_UDP) {
            q->flow.src_port = probes[i].src_port;
        }
    }
    free(probes);
    return ok;
}

/* Puts the questions that were added since to both. */
static bool
put_to_both(struct verify_inquiry *inquiry, struct err *err)
{
    json_decref(inquiry->health[1]);
    inquiry->health[1] = NULL;
    if ((!inquiry->health[0] && !(inquiry->health[0] = live_link_health(inquiry->cloud, err))) ||
        !put_to_kernel(inquiry, err) || !(inquiry->health[1] = live_link_health(inquiry->cloud, err)) ||
        !put_to_analysis(inquiry, err) || !find_gaps(inquiry, err)) {
        return false;
    }
    for (size_t i = inquiry->n_asked; inquiry->rules && i < inquiry->questions.n; i++) {
        const struct verify_question *q = &inquiry->questions.items[i];
        if (verify_lost_elsewhere(q)) {
            continue;
        }
        verify_rules_see(inquiry->rules, &q->flow, q->said.reachable && q->probe.arrived,
                         q->said.reply == REPLY_ALLOWED && q->probe.replied);
        if (!q->gap && !q->lost_behind) {
            verify_counters_expect(inquiry->counters, &q->flow, verify_answers(&q->probe));
        }
    }
    inquiry->n_asked = inquiry->questions.n;
    return true;
}

/* ---- every rule and route ------------------------------------------------------------------------------------------
 */
static void
aim(struct verify_inquiry *inquiry, int family)
{
    verify_aim_vec aims = { 0 };
    verify_rules_aim(inquiry->rules, &aims);
    for (size_t i = 0; i < aims.n; i++) {
        const struct verify_aim *a = &aims.items[i];
        const struct verify_side *from = &inquiry->sides.items[a->from], *to = &inquiry->sides.items[a->to];
        struct verify_port port = { a->flow.protocol, a->flow.dst_port };
        struct ip src, dst;
        const struct ip *own = verify_side_address(from, a->flow.family);
        bool there = choose_addresses(from, to, a->flow.family, &src, &dst);
        if (!there && own && a->flow.dst_ip.family) { /* by NAT64 it is reached without an IPv6 address of its own */
            src = *own;
            dst = a->flow.dst_ip;
            there = true;
        }
        if ((!family || family == a->flow.family) && there &&
            verify_can_ask(inquiry->cloud->net, from, to, port.protocol, port.port,
                           a->flow.dst_ip.family ? &a->flow.dst_ip : &dst)) {
            ask(inquiry, from, to, &port, src, dst, &a->flow);
            if (!inquiry->questions.items[inquiry->questions.n - 1].flow.ends_at_balancer) {
                verify_spread_add(inquiry, 1);
            }
            inquiry->questions.items[inquiry->questions.n - 1].aimed = true;
            inquiry->n_aimed++;
        }
    }
    VEC_DONE(&aims);
}

/* Asks all pairs, then aims at the rules and routes that no packet has met. */
static bool
put_all(struct verify_inquiry *inquiry, int family, struct err *err)
{
    for (size_t i = 0; i < inquiry->sides.n; i++) {
        const struct verify_side *side = &inquiry->sides.items[i];
        struct verify_end *end = VEC_ADD(&inquiry->ends);
        *end = (struct verify_end){ .eni = side->eni,
                                    .internet = !side->eni && !side->gateway,
                                    .answers_only = side->only_answers };
        for (int f = IP_V4; f <= IP_V6; f += 2) {
            const struct ip *ip = verify_side_address(side, f);
            end->ips[f == IP_V6] = ip ? *ip : (struct ip){ 0 };
        }
    }
    inquiry->counters = verify_counters_new(inquiry->cloud->net);
    inquiry->rules = verify_rules_new(inquiry->cloud->net, inquiry->ends.items, inquiry->ends.n);
    bool counting = live_link_count_routes(inquiry->cloud, true, err);
    json_t *counts[3] = { counting ? live_link_meter(inquiry->cloud, true, err) : NULL };
    bool ok = counts[0] && put_to_both(inquiry, err);
    for (int i = 1; ok && i < 3; i++) {
        counts[i] = live_link_meter(inquiry->cloud, true, err);
        ok = counts[i] != NULL;
        verify_rules_count(inquiry->rules, counts[i - 1], counts[i]);
        if (ok && i == 1) {
            aim(inquiry, family);
            ok = put_to_both(inquiry, err);
        }
    }
    ok = (!counting || live_link_count_routes(inquiry->cloud, false, ok ? err : NULL)) && ok;
    inquiry->uncounted = ok ? verify_counters_compare(inquiry->counters, counts[0], counts[2]) : NULL;
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        json_decref(counts[i]);
    }
    return ok;
}

/* ---- what the command line restricts ------------------------------------------------------------------------------
 */
static bool
read_end(const struct cloud *cloud, const char *text, struct live_node *node, const struct live_node **out,
         struct err *err)
{
    if (!text) {
        return true;
    }
    struct live_balancer balancer;
    if (live_balancer_find(cloud, text, &balancer)) { /* all its nodes */
        *node = (struct live_node){ .hostname = "" };
        snprintf(node->id, sizeof node->id, "%s", balancer.id);
        *out = node;
        return true;
    }
    if (!live_node_find(cloud, text, node, err)) {
        return false;
    }
    if (!node->eni && !node->site[0] && strcmp(node->id, "internet") != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "packets are verified between instances, interfaces, `onprem` and `internet`, not `%s`", text);
    }
    *out = node;
    return true;
}

/* An address that nobody in the lab has: someone of the internet. */
static bool
is_stranger(const struct live_node *node)
{
    return node && node->ip.family && !node->eni && !node->site[0];
}

/* The one flow that options describe; *only stays NULL when they name none. */
static bool
read_flow(const json_t *in, struct flow_spec *flow, const struct flow_spec **only, int family, struct err *err)
{
    const char *protocol = arg_str(in, "Protocol"), *src = arg_str(in, "SourceIp"), *dst = arg_str(in, "DestinationIp");
    *flow = (struct flow_spec){ .protocol = PROTOCOL_TCP,
                                .dst_port = (int)arg_int(in, "Port", -1),
                                .src_port = (int)arg_int(in, "SourcePort", -1),
                                .icmp_type = (int)arg_int(in, "IcmpType", -1),
                                .icmp_code = (int)arg_int(in, "IcmpCode", -1) };
    if (!protocol && flow->dst_port < 0 && flow->icmp_type < 0) {
        if (src || dst) {
            flow->protocol = family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        } else {
            return true;
        }
    }
    if (protocol && !protocol_parse(protocol, &flow->protocol)) {
        return err_set(err, ERR_USAGE, "", "`%s` is not a protocol", protocol) || err_at(err, "--protocol", 0, 0);
    }
    if (!protocol && flow->icmp_type >= 0) {
        flow->protocol = PROTOCOL_ICMP;
    }
    if ((src && !ip_parse(src, &flow->src_ip)) || (dst && !ip_parse(dst, &flow->dst_ip))) {
        return err_set(err, ERR_USAGE, "", "`%s` is not an address", src && !flow->src_ip.family ? src : dst);
    }
    *only = flow;
    return true;
}

/* Of a packet that was asked for no second one is sent unasked. */
static bool
follow(struct op_call *call, struct verify_inquiry *inquiry, bool one, struct err *err)
{
    long long n = arg_int(call->in, "Trace", one ? 0 : VERIFY_FOLLOWED);
    if (n < 0) {
        return err_set(err, ERR_USAGE, "", "`%lld` packets cannot be followed", n) || err_at(err, "--trace", 0, 0);
    }
    inquiry->followed = verify_follow(inquiry, (size_t)n, err);
    return inquiry->followed != NULL;
}

static bool
verify_run(struct op_call *call, struct err *err)
{
    struct verify_inquiry inquiry = { .cloud = call->cloud };
    struct live_node nodes[2];
    const struct live_node *from = NULL, *to = NULL;
    struct flow_spec flow;
    const struct flow_spec *only = NULL;
    int family = arg_flag(call->in, "Ipv6", false) ? IP_V6 : 0;
    bool random = false, request = false;
    if (!verify_random_asked(call->in, &random, err)) {
        return false;
    }
    if (random) {
        return verify_random_run(call, err);
    }
    if (!verify_request_asked(call->in, &request, err)) {
        return false;
    }
    if (request) {
        return verify_request_run(call, err);
    }
    if (!live_link_require(call->cloud, err) ||
        !read_end(call->cloud, arg_str(call->in, "Source"), &nodes[0], &from, err) ||
        !read_end(call->cloud, arg_str(call->in, "Destination"), &nodes[1], &to, err) ||
        !read_flow(call->in, &flow, &only, family, err)) {
        return false;
    }
    if (is_stranger(from)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "nobody in the lab has the address `%s`", from->name);
        return err_hint(err, "from the internet: verify internet DESTINATION --source-ip %s", from->name);
    }
    if (!only && is_stranger(to)) { /* an address has no ports that rules name */
        flow.protocol = to->ip.family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        only = &flow;
    }
    if (only && !family) {
        family = flow.dst_ip.family                 ? flow.dst_ip.family
                 : flow.protocol == PROTOCOL_ICMPV6 ? IP_V6
                 : to && to->ip.family              ? to->ip.family
                                                    : IP_V4;
    }
    if (only && to && to->ip.family && !flow.dst_ip.family) {
        flow.dst_ip = to->ip;
    }
    verify_sides_gather(inquiry.cloud->net, &inquiry.sites, &inquiry.sides);
    ask_all(&inquiry, from, to, only, family);
    ask_targets(&inquiry, from, to, only, family);
    bool ok = from || to || only ? put_to_both(&inquiry, err) : put_all(&inquiry, family, err);
    ok = ok && follow(call, &inquiry, only != NULL, err);
    if (ok) {
        verify_report(call, &inquiry);
    }
    for (size_t i = 0; i < inquiry.questions.n; i++) {
        reach_result_done(&inquiry.questions.items[i].said);
    }
    for (size_t i = 0; i < inquiry.gaps.n; i++) {
        free(inquiry.gaps.items[i]);
    }
    plan_free(inquiry.plan);
    VEC_DONE(&inquiry.gaps);
    verify_rules_free(inquiry.rules);
    verify_counters_free(inquiry.counters);
    json_decref(inquiry.uncounted);
    VEC_DONE(&inquiry.ends);
    VEC_DONE(&inquiry.questions);
    for (size_t i = 0; i < inquiry.spreads.n; i++) {
        VEC_DONE(&inquiry.spreads.items[i]->targets);
        free(inquiry.spreads.items[i]);
    }
    VEC_DONE(&inquiry.spreads);
    json_decref(inquiry.followed);
    json_decref(inquiry.health[0]);
    json_decref(inquiry.health[1]);
    verify_sides_done(&inquiry.sides);
    VEC_DONE(&inquiry.sites);
    return ok;
}

static const struct op_param verify_params[] = {
    { "Source", OP_ENDPOINT, OP_POSITIONAL, "only packets from this instance, interface or `internet`", NULL, NULL },
    { "Destination", OP_ENDPOINT, OP_POSITIONAL, "only packets to it (an address too)", NULL, NULL },
    { "Port", OP_PORT, OP_OPTIONAL, "only this destination port, instead of those the rules name", NULL, NULL },
    { "Protocol", OP_PROTOCOL, OP_OPTIONAL, "only tcp, udp, icmp or a protocol number", NULL, NULL },
    { "SourcePort", OP_PORT, OP_OPTIONAL, "an ephemeral port if not given", NULL, NULL },
    { "SourceIp", OP_ADDRESS, OP_OPTIONAL, "another source address than the primary one", NULL, NULL },
    { "DestinationIp", OP_ADDRESS, OP_OPTIONAL, "another destination address than the primary one", NULL, NULL },
    { "IcmpType", OP_INT, OP_OPTIONAL, "8 (echo request) if not given", NULL, NULL },
    { "IcmpCode", OP_INT, OP_OPTIONAL, "0 if not given", NULL, NULL },
    { "Ipv6", OP_BOOL, OP_OPTIONAL, "only IPv6", NULL, NULL },
    { "Trace", OP_INT, OP_OPTIONAL, "follow this many packets hop by hop; 12 if neither it nor one flow is given", NULL,
      NULL },
    { "Request", OP_STRING, OP_OPTIONAL,
      "instead of packets an HTTP request to a load balancer, 'GET /path?query': which rule takes it, who answers",
      NULL, NULL },
    { "Headers", OP_LIST, OP_OPTIONAL, "with --request: fields of it, 'Host: www.example.com'", NULL, NULL },
    { "Random", OP_INT, OP_OPTIONAL,
      "instead of the lab, this many networks drawn by lot, each built in a live lab of its own", NULL, NULL },
    { "Seed", OP_INT, OP_OPTIONAL, "of the first of them; the next has the next one (drawn if not given)", NULL, NULL },
    { "Script", OP_PATH, OP_OPTIONAL,
      "with --random: write what shows a disagreement to this file too, as a shell script", NULL, NULL },
    { 0 },
};

const struct op ops_verify[] = {
    { .name = "verify",
      .mode = OP_LOCAL,
      .run = verify_run,
      .text = verify_text,
      .params = verify_params,
      .group = "ask",
      .help = "Send real packets through the live lab and compare with what `reach` says.",
      .examples =
          "verify                          every pair, on the ports that the groups name and one they do not\n"
          "verify web db --port 5432       one packet\n"
          "verify internet --protocol icmp   from the internet to every instance\n"
          "verify web alb --request 'GET /api/x' --headers 'Host: shop.example.com'   an HTTP request\n"
          "verify --random 20 --seed 7     20 random networks; a difference is shrunk to a lab that shows it\n" },
    { 0 },
};
