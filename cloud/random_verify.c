/* cloud/random_verify.c - a random network, random flows, both judges, and the smallest scenario that shows a
 * difference. */
#include "cloud/random_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/random_constructs.h"
#include "cloud/shrink.h"
#include "cloud/state.h"
#include "cloud/verify_difference.h"
#include "cloud/verify_gap.h"
#include "cloud/verify_rules.h"
#include "cloud/verify_balancers.h"
#include "cloud/verify_sides.h"
#include "cloud/verify_trace.h"
#include "netsim/model/random_net.h"

#define PROBE_MS  500
#define AIMED     15  /* questions of a network that are about a rule or route */
#define DRAWS     400 /* of two ends, until RANDOM_QUESTIONS have something to say to each other */
#define KINDS_MAX 64
#define ACCOUNT   "123456789012"
#define REGION    "us-east-1"

struct asked {
    struct flow_spec flow;
    struct live_probe probe;
};
typedef VEC(struct asked) asked_vec;

/* ---- what to ask ------------------------------------------------------------------------------------------------- */

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
worth_asking(const struct random_net *r, const struct verify_side *from, const struct verify_side *to, int family)
{
    bool both_outside = !from->eni && !to->eni && (!from->gateway || !to->gateway);
    bool itself = from->eni && to->eni && *from->eni->attachment.instance_id &&
                  strcmp(from->eni->attachment.instance_id, to->eni->attachment.instance_id) == 0;
    itself = itself || (from->eni && to->receivers.n == 1 &&
                        strcmp(from->eni->attachment.instance_id, to->receivers.items[0]) == 0);
    return from != to && !from->only_answers && !both_outside && !itself && verify_side_address(from, family) &&
           verify_side_address(to, family) && !may_get_own(r, from, to);
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
    if (!worth_asking(r, from, to, family)) {
        return;
    }
    int number = (int)questions->n; /* each has a source port of its own */
    struct asked *q = VEC_ADD(questions);
    *q = (struct asked){ .flow = { .from = verify_side_end(from), .to = verify_side_end(to), .family = family } };
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

/* ---- a network as questions see it ---------------------------------------------------------------------------------
 */
struct scene {
    const struct network *net;
    struct plan *plan;
    onprem_site_vec sites;
    verify_side_vec sides;
};

static void
scene_init(struct scene *scene, const struct network *net)
{
    struct plan_numbers numbers = { 0 };
    *scene = (struct scene){ .net = net, .plan = plan_new(net, &numbers) };
    plan_numbers_done(&numbers);
    verify_sides_gather(net, &scene->sites, &scene->sides);
}

static void
scene_done(struct scene *scene)
{
    plan_free(scene->plan);
    verify_sides_done(&scene->sides);
    VEC_DONE(&scene->sites);
}

/* The end that the question is for; NULL: it is gone. */
static const struct verify_side *
scene_receiver(const struct scene *scene, const struct asked *q)
{
    for (size_t i = 0; i < scene->sides.n; i++) {
        struct flow_end end = verify_side_end(&scene->sides.items[i]);
        if (end.kind == q->flow.to.kind && strcmp(end.id, q->flow.to.id) == 0) {
            return &scene->sides.items[i];
        }
    }
    return NULL;
}

/* ---- the two answers ------------------------------------------------------------------------------------------------
 */
bool
random_send_live(void *context, const struct network *net, struct live_probe *probes, size_t n, struct err *err)
{
    struct random_followed *followed = context;
    struct live *live = live_start(net, NULL, err);
    bool ok = live && live_probe(live, probes, n, PROBE_MS, err);
    if (ok && followed && followed->n) {
        followed->ways = json_array();
        ok = live_trace(live, net, followed->probes, followed->n, PROBE_MS, followed->ways, err);
    }
    if (live) {
        live_stop(live);
    }
    return ok;
}

/* Behind a balancer any of its targets may get it. */
static void
aim_probe(const struct scene *scene, struct asked *q)
{
    const struct verify_side *to = scene_receiver(scene, q);
    bool node = to && q->flow.ends_at_balancer;
    const char *id = !to ? "" : node ? to->eni->obj.id : verify_side_probe_end(to, &q->flow.dst_ip);
    snprintf(q->probe.to, sizeof q->probe.to, "%s", id);
    q->probe.also = to && !node ? to->also : NULL;
}

static bool
put_to_kernel(const struct random_trial *trial, const struct scene *scene, asked_vec *questions, struct err *err)
{
    struct live_probe *probes = xcalloc(questions->n ? questions->n : 1, sizeof *probes);
    for (size_t i = 0; i < questions->n; i++) {
        aim_probe(scene, &questions->items[i]);
        probes[i] = questions->items[i].probe;
    }
    bool ok = trial->send(trial->context, scene->net, probes, questions->n, err);
    for (size_t i = 0; ok && i < questions->n; i++) {
        questions->items[i].probe = probes[i];
    }
    free(probes);
    return ok;
}

/* Both answers to one question. 'how' NULL: they agree, or cannot be compared because of 'gap'. */
struct judgement {
    struct reach_result said;
    struct verify_gap gap;
    const char *how;
};

static bool
judge(const struct scene *scene, const struct asked *asked, struct judgement *j, struct err *err)
{
    struct verify_question q = { .to = scene_receiver(scene, asked), .flow = asked->flow, .probe = asked->probe };
    struct verify_spread spread = { 0 };
    *j = (struct judgement){ 0 };
    if (!q.to) {
        return err_set(err, ERR_INPUT, "", "`%s` is gone", asked->flow.to.id);
    }
    verify_spread_targets(scene->net, q.to, q.flow.protocol, q.flow.dst_port, &spread);
    if (spread.targets.n + spread.strangers > 1 && !q.flow.ends_at_balancer) {
        q.spread = &spread;
        q.flow.receiver = verify_receiver(&q); /* the way of the one that got it */
    }
    bool ok = reach(scene->net, &q.flow, false, &q.said, err) &&
              verify_find_gap(scene->net, scene->plan, &q.flow, q.probe.kept_at, &j->gap, err);
    j->how = ok && !j->gap.lacks ? verify_question_difference(&q) : NULL;
    j->said = q.said;
    if (!ok) {
        reach_result_done(&j->said);
    }
    VEC_DONE(&spread.targets);
    return ok;
}

/* ---- what was built and met -----------------------------------------------------------------------------------------
 */
static size_t
kind_index(const struct kind *kind)
{
    size_t i = 0;
    while (network_kinds[i] && network_kinds[i] != kind) {
        i++;
    }
    return i;
}

/* One packet counts once for a kind, however many of it its way meets. */
static void
count_met(const struct network *net, const struct reach_result *said, size_t met[static KINDS_MAX])
{
    bool seen[KINDS_MAX] = { false };
    for (size_t i = 0; i < said->path.n; i++) {
        const struct object *object = store_find(network_store(net), said->path.items[i]);
        size_t k = object ? kind_index(object->kind) : KINDS_MAX;
        if (k < KINDS_MAX && !seen[k]) {
            seen[k] = true;
            met[k]++;
        }
    }
}

static json_t *
constructs_json(const struct network *net, const size_t met[static KINDS_MAX])
{
    json_t *out = json_object();
    for (size_t k = 0; network_kinds[k] && k < KINDS_MAX; k++) {
        size_t n = store_count(network_store(net), network_kinds[k]);
        if (n) {
            json_object_set_new(out, network_kinds[k]->name, json_pack("[I, I]", (json_int_t)n, (json_int_t)met[k]));
        }
    }
    return out;
}

/* ---- a disagreement, made small -------------------------------------------------------------------------------------
 */
struct doubt {
    const struct random_trial *trial;
    asked_vec questions; /* those that are still asked */
    struct asked last;   /* the one that differed, with the kernel's answer */
    struct reach_result said;
    const char *how;
};

/* The first question whose two answers differ; its answers stay in the doubt. */
static bool
differs(struct doubt *doubt, const struct network *net)
{
    struct err err = { 0 };
    bool found = false;
    struct scene scene;
    scene_init(&scene, net);
    bool sent = put_to_kernel(doubt->trial, &scene, &doubt->questions, &err);
    for (size_t i = 0; sent && !found && i < doubt->questions.n; i++) {
        struct asked *q = &doubt->questions.items[i];
        struct judgement j;
        if (!judge(&scene, q, &j, &err)) {
            break; /* an end is gone */
        }
        found = j.how != NULL;
        if (found) {
            reach_result_done(&doubt->said);
            doubt->said = j.said;
            doubt->how = j.how;
            doubt->last = *q;
        } else {
            reach_result_done(&j.said);
        }
    }
    scene_done(&scene);
    return found;
}

static bool
still_differs(void *context, const json_t *json)
{
    struct doubt *doubt = context;
    struct id_gen ids = { 0 };
    struct clock clock = { 0 };
    struct network *net = network_new(&ids, &clock);
    network_set_tap_hosts(net, doubt->trial->tap_hosts);
    bool ok = shrink_load(net, json) && differs(doubt, net);
    network_free(net);
    return ok;
}

#define COPIES 30 /* of a question for a balancer with several targets, so that each of these gets one */

static void
ask_alone(struct doubt *doubt, const struct asked *q)
{
    doubt->questions = (asked_vec){ 0 };
    for (int i = 0; i < (q->probe.also ? COPIES : 1); i++) {
        struct asked *copy = VEC_ADD(&doubt->questions);
        *copy = *q;
        copy->flow.src_port = copy->probe.src_port = q->probe.src_port + 64 * i;
    }
}

/* Asks only the one that differs, or, where it takes others before it, as few as show it. */
static bool
shrink_questions(struct doubt *doubt, const json_t *network, const struct asked *first)
{
    asked_vec all = doubt->questions;
    ask_alone(doubt, first);
    if (still_differs(doubt, network)) {
        VEC_DONE(&all);
        return true;
    }
    VEC_DONE(&doubt->questions);
    doubt->questions = all;
    if (!still_differs(doubt, network)) {
        return false;
    }
    for (size_t i = doubt->questions.n; i-- > 0;) {
        asked_vec fewer = { 0 };
        for (size_t j = 0; j < doubt->questions.n; j++) {
            if (j != i) {
                *VEC_ADD(&fewer) = doubt->questions.items[j];
            }
        }
        all = doubt->questions;
        doubt->questions = fewer;
        bool enough = fewer.n && still_differs(doubt, network);
        VEC_DONE(enough ? &all : &fewer);
        doubt->questions = enough ? fewer : all;
    }
    return true;
}

/* Where the script makes its lab. */
static char *
lab_of(const struct doubt *doubt)
{
    return xasprintf("./shrunk-%" PRIu64, doubt->trial->seed);
}

/* The question as one types it.  Which target of a balancer a connection gets is by lot: without a port of its own
 * `verify` sends so many that each has some. */
static char *
command(const char *lab, const struct asked *q)
{
    const struct live_probe *p = &q->probe;
    const char *name = p->protocol == PROTOCOL_TCP ? "tcp" : "udp";
    const char *to = q->flow.to.kind == FLOW_END_INTERNET ? "internet" : q->flow.to.id;
    bool ports = p->protocol == PROTOCOL_TCP || p->protocol == PROTOCOL_UDP;
    struct buf text = { 0 };
    buf_printf(&text, "vpclab --lab %s verify %s %s", lab, p->from, to);
    if (ports) {
        buf_printf(&text, " --protocol %s --port %d", name, p->dst_port);
    } else {
        buf_printf(&text, " --protocol %d --icmp-type %d", p->protocol, p->dst_port);
    }
    if (ports && !p->also) {
        buf_printf(&text, " --source-port %d", p->src_port);
    }
    buf_printf(&text, " --source-ip %s --destination-ip %s", ip_str(&p->src), ip_str(&p->dst));
    return buf_steal(&text);
}

/* Copies of one question differ in their source ports, which are not said. */
static bool
is_listed(const json_t *list, const char *text)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) {
            return true;
        }
    }
    return false;
}

static json_t *
commands_json(const char *lab, const struct doubt *doubt)
{
    char *up = xasprintf("vpclab --lab %s up", lab), *down = xasprintf("vpclab --lab %s down", lab);
    json_t *out = json_pack("[s]", up);
    for (size_t i = 0; i < doubt->questions.n; i++) {
        char *text = command(lab, &doubt->questions.items[i]);
        if (!is_listed(out, text)) {
            json_array_append_new(out, json_string(text));
        }
        free(text);
    }
    json_array_append_new(out, json_string(down));
    free(up);
    free(down);
    return out;
}

static json_t *
state_json(const struct random_trial *trial, json_t *network)
{
    return json_pack("{s:i, s:[s, s], s:{s:b, s:i}, s:s, s:s, s:b, s:b, s:o}", "version", STATE_VERSION, "ids",
                     "0000000000000001", "0000000000000001", "clock", "fixed", 0, "base_ms", 0, "account", ACCOUNT,
                     "region", REGION, "limits", 0, "tap_hosts", trial->tap_hosts, "network", network);
}

static json_t *
disagreement_json(struct doubt *doubt, json_t *network, bool shrunk)
{
    const struct live_probe *p = &doubt->last.probe;
    const struct reach_result *said = &doubt->said;
    const char *key;
    json_t *list;
    json_int_t n = 0;
    json_object_foreach(network, key, list)
    {
        n += (json_int_t)json_array_size(list);
    }
    char *lab = lab_of(doubt);
    json_t *out = json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:I, s:b, s:s, s:o, s:o}", "Seed",
                            (json_int_t)doubt->trial->seed, "From", p->from, "To",
                            doubt->last.flow.to.kind == FLOW_END_INTERNET ? "internet" : doubt->last.flow.to.id, "Flow",
                            flow_str(&said->sent), "SourceIp", ip_str(&p->src), "DestinationIp", ip_str(&p->dst),
                            "Difference", doubt->how, "AnalysisWhy", said->why ? said->why : said->reply_why, "Kernel",
                            !p->arrived  ? "did not arrive"
                            : p->replied ? "arrived and was answered"
                                         : "arrived",
                            "Objects", n, "Shrunk", shrunk, "Lab", lab, "Commands", commands_json(lab, doubt), "State",
                            state_json(doubt->trial, network));
    free(lab);
    return out;
}

/* 'questions' were asked of 'net' and the one at 'first' differed in the way 'how'. */
static json_t *
shrink(const struct random_trial *trial, const struct network *net, const asked_vec *questions, size_t first,
       struct reach_result *said, const char *how)
{
    struct doubt doubt = { .trial = trial, .last = questions->items[first], .said = *said, .how = how };
    *said = (struct reach_result){ 0 };
    for (size_t i = 0; i < questions->n; i++) {
        *VEC_ADD(&doubt.questions) = questions->items[i];
    }
    json_t *network = shrink_save(net);
    bool shrunk = shrink_questions(&doubt, network, &questions->items[first]);
    if (shrunk) {
        json_t *smaller = shrink_network(network, still_differs, &doubt, trial->shrink_tries, trial->shrink_seconds);
        json_decref(network);
        network = smaller;
    }
    json_t *out = disagreement_json(&doubt, network, shrunk);
    reach_result_done(&doubt.said);
    VEC_DONE(&doubt.questions);
    return out;
}

/* ---- one network -------------------------------------------------------------------------------------------------
 */
static void
count_gap(json_t *gaps, const struct verify_gap *gap)
{
    char name[100];
    snprintf(name, sizeof name, "%s: %s", gap->lacks, gap->what);
    json_object_set_new(gaps, name, json_integer(json_int(gaps, name, 0) + 1));
}

static json_t *
compare(const struct random_trial *trial, const struct scene *scene, const asked_vec *questions, struct err *err)
{
    const struct network *net = scene->net;
    size_t met[KINDS_MAX] = { 0 };
    json_int_t fate[3] = { 0 }, n_differ = 0, n_apart = 0;
    json_t *disagreement = NULL, *gaps = json_object(), *ways = json_object();
    bool ok = true;
    for (size_t i = 0; ok && i < questions->n; i++) {
        const struct live_probe *p = &questions->items[i].probe;
        struct judgement j;
        ok = judge(scene, &questions->items[i], &j, err);
        if (!ok) {
            break;
        }
        fate[!p->arrived ? 0 : p->replied ? 2 : 1]++;
        count_met(net, &j.said, met);
        random_constructs_meet(net, &questions->items[i].flow, ways);
        n_differ += j.how != NULL;
        if (j.gap.lacks) {
            n_apart++;
            count_gap(gaps, &j.gap);
        }
        if (j.how && !disagreement) {
            disagreement = shrink(trial, net, questions, i, &j.said, j.how);
        }
        reach_result_done(&j.said);
    }
    json_t *out = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o}", "Asked", (json_int_t)questions->n,
                            "Stopped", fate[0], "Arrived", fate[1], "Answered", fate[2], "Disagree", n_differ,
                            "NotCompared", n_apart, "Gaps", gaps, "Constructs", constructs_json(net, met), "Met", ways);
    if (disagreement) {
        json_object_set_new(out, "Disagreement", disagreement);
    }
    if (!ok) {
        json_decref(out);
    }
    return ok ? out : NULL;
}

/* Plain ones, joined ones, ones with all that AWS stands behind, and both. */
static void
make_network(struct random_net *r, uint64_t seed)
{
    bool joined = seed % 3 == 0, places = joined ? seed % 2 == 0 : seed % 3 == 1;
    if (joined) {
        random_net_make_joined(r, seed);
    } else {
        random_net_make(r, seed, true, places);
    }
    if (places && !joined) {
        lot_zones_of_subnets(r, 2);
        random_net_settle_groups(r);
    }
    if (places) {
        random_net_add_places(r);
    }
}

#define FOLLOWED    6 /* packets of a network, */
#define FOLLOWED_OF 4 /* every fourth: to be told costs some hundred milliseconds */

/* The first ones with one end: they are in no order. */
static void
choose_followed(const asked_vec *questions, struct random_followed *followed, const struct asked **of)
{
    for (size_t i = 0; i < questions->n && followed->n < FOLLOWED; i++) {
        const struct asked *q = &questions->items[i];
        if (!q->probe.also && !q->flow.ends_at_balancer) {
            struct live_probe *p = &followed->probes[followed->n];
            *p = q->probe;
            /* Of another connection than the packet before it, which the routers remember. */
            p->src_port += q->flow.src_port >= 0 ? RANDOM_QUESTIONS : 0;
            of[followed->n++] = q;
        }
    }
}

static json_t *
judge_followed(const struct scene *scene, const struct random_followed *followed, const struct asked *const *of)
{
    json_t *texts = json_array();
    json_int_t n = 0;
    for (size_t i = 0; i < followed->n; i++) {
        struct flow_spec flow = of[i]->flow;
        struct verify_gap gap;
        struct err err = { 0 };
        flow.src_port = flow.src_port >= 0 ? followed->probes[i].src_port : -1;
        if (verify_find_gap(scene->net, scene->plan, &flow, followed->probes[i].kept_at, &gap, &err) && !gap.lacks) {
            size_t before = json_array_size(texts);
            n += (json_int_t)verify_trace_compare(scene->net, &flow, &followed->probes[i],
                                                  json_array_get(followed->ways, i), texts);
            for (size_t j = before; j < json_array_size(texts); j++) {
                struct packet sent = { .protocol = flow.protocol, .dst_port = flow.dst_port };
                json_array_set_new(texts, j,
                                   json_sprintf("%s -> %s %s (%s -> %s): %s", of[i]->probe.from, of[i]->flow.to.id,
                                                flow_str(&sent), ip_str(&flow.src_ip), ip_str(&flow.dst_ip),
                                                json_string_value(json_array_get(texts, j))));
            }
        }
    }
    return json_pack("{s:I, s:I, s:o}", "Packets", (json_int_t)followed->n, "Decisions", n, "Differences", texts);
}

json_t *
random_verify(const struct random_trial *trial, struct err *err)
{
    struct random_followed *followed = trial->context; /* of random_send_live() */
    const struct asked *of[LIVE_TRACED_MOST];
    bool follows = followed && trial->send == random_send_live && trial->seed % FOLLOWED_OF == 1;
    struct random_net r;
    struct scene scene;
    asked_vec questions = { 0 };
    make_network(&r, trial->seed);
    network_set_tap_hosts(r.net, trial->tap_hosts);
    scene_init(&scene, r.net);
    for (int i = 0; i < DRAWS && questions.n < RANDOM_QUESTIONS - AIMED; i++) {
        ask_anything(&r, &scene.sides, &questions);
    }
    ask_aimed(&r, &scene.sides, RANDOM_QUESTIONS, &questions);
    for (size_t i = 0; i < questions.n; i++) {
        aim_probe(&scene, &questions.items[i]);
    }
    if (follows) {
        choose_followed(&questions, followed, of);
    }
    bool ok = put_to_kernel(trial, &scene, &questions, err);
    json_t *told = ok && follows ? judge_followed(&scene, followed, of) : NULL;
    if (follows) { /* while it is made small no packet is */
        json_decref(followed->ways);
        *followed = (struct random_followed){ .n = 0 };
    }
    json_t *out = ok ? compare(trial, &scene, &questions, err) : NULL;
    if (out && told) {
        json_object_set(out, "Followed", told);
    }
    json_decref(told);
    VEC_DONE(&questions);
    scene_done(&scene);
    random_net_done(&r);
    return out;
}
