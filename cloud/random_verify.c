/* cloud/random_verify.c - a random network, random flows, both judges, and the smallest scenario that shows a
 * difference. */
#include "cloud/random_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/random_certificates.h"
#include "cloud/random_constructs.h"
#include "cloud/random_questions.h"
#include "cloud/random_requests.h"
#include "cloud/shrink.h"
#include "cloud/shrink_request.h"
#include "cloud/state.h"
#include "cloud/verify_difference.h"
#include "cloud/verify_gap.h"
#include "cloud/verify_balancers.h"
#include "cloud/verify_sides.h"
#include "cloud/verify_trace.h"
#include "netsim/model/random_net.h"

#define KINDS_MAX 64
#define ACCOUNT   "123456789012"
#define REGION    "us-east-1"

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

/* A node asks nobody but its targets. */
static bool
scene_sends(const struct scene *scene, const struct asked *q)
{
    bool found = !q->flow.health_check;
    for (size_t i = 0; !found && i < scene->sides.n; i++) {
        const struct verify_side *node = &scene->sides.items[i];
        verify_target_vec targets = { 0 };
        if (node->eni && strcmp(node->eni->obj.id, q->flow.from.id) == 0) {
            verify_node_targets(scene->net, node, &targets);
        }
        for (size_t t = 0; t < targets.n; t++) {
            const struct instance *instance =
                store_get(network_store(scene->net), &instance_kind, targets.items[t].instance_id);
            const struct eni *eni = instance ? instance_eni(scene->net, instance, 0) : NULL;
            found =
                found || (eni && strcmp(eni->obj.id, q->flow.to.id) == 0 && targets.items[t].port == q->flow.dst_port);
        }
        VEC_DONE(&targets);
    }
    return found;
}

/* ---- the two answers ------------------------------------------------------------------------------------------------
 */
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
    if (!q.to || !scene_sends(scene, asked)) {
        return err_set(err, ERR_INPUT, "", "`%s` is gone", asked->flow.to.id);
    }
    verify_spread_targets(scene->net, q.to, q.flow.protocol, q.flow.dst_port, &spread);
    if (spread.targets.n + spread.strangers > 1 && !q.flow.ends_at_balancer) {
        q.spread = &spread;
        verify_ask_receiver(&q); /* the way of the one that got it */
    }
    bool ok = reach(scene->net, &q.flow, false, &q.said, err) &&
              verify_find_gap(scene->net, scene->plan, &q.flow, q.probe.kept_at, &j->gap, err);
    verify_gap_settle(&j->gap, &q.said, &q.probe);
    j->how = ok && !j->gap.lacks && !j->gap.lost_behind ? verify_question_difference(&q) : NULL;
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
    bool alone; /* one question shows it, asked again and again where several targets may get it */
};

/* The first question whose two answers differ as they did; its answers stay in the doubt.  In a smaller network another
 * thing may come between them, such as what nobody would have asked there. */
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
        found = j.how && strcmp(j.how, doubt->how) == 0;
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
    doubt->alone = still_differs(doubt, network);
    if (doubt->alone) {
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
    for (size_t i = 0; i < (doubt->alone ? 1 : doubt->questions.n); i++) {
        char *text = command(lab, doubt->alone ? &doubt->last : &doubt->questions.items[i]);
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

json_int_t
random_count_objects(const json_t *network)
{
    const char *key;
    const json_t *list;
    json_int_t n = 0;
    json_object_foreach((json_t *)network, key, list)
    {
        n += (json_int_t)json_array_size(list);
    }
    return n;
}

json_t *
random_state_json(const struct random_trial *trial, json_t *network)
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
    json_int_t n = random_count_objects(network);
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
                            random_state_json(doubt->trial, network));
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
        if (verify_find_gap(scene->net, scene->plan, &flow, followed->probes[i].kept_at, &gap, &err) && !gap.lacks &&
            !gap.lost_behind) {
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

/* And the first that differs, made small. */
static void
judge_requests(const struct random_trial *trial, const struct network *net, const struct http_questions *requests,
               json_t *out)
{
    size_t first;
    json_object_set_new(out, "Requests", http_questions_judge(net, requests, &first));
    if (first < requests->asked.n) {
        json_object_set_new(out, "RequestDisagreement", shrink_request(trial, net, requests, first));
    }
}

json_t *
random_verify(const struct random_trial *trial, struct err *err)
{
    struct random_live *beside = trial->live;
    const struct asked *of[LIVE_TRACED_MOST];
    bool follows = beside && trial->seed % FOLLOWED_OF == 1;
    struct random_net r;
    struct scene scene;
    asked_vec questions = { 0 };
    make_network(&r, trial->seed);
    if (!random_certificates_issue(r.net, err)) {
        random_net_done(&r);
        return NULL;
    }
    network_set_tap_hosts(r.net, trial->tap_hosts);
    scene_init(&scene, r.net);
    random_questions(&r, &scene.sides, &questions);
    for (size_t i = 0; i < questions.n; i++) {
        aim_probe(&scene, &questions.items[i]);
    }
    if (follows) {
        choose_followed(&questions, &beside->followed, of);
    }
    if (beside && !trial->tap_hosts) { /* no program runs on a TAP host */
        random_requests_draw(&r, scene.plan, &scene.sides, &beside->requests);
    }
    bool ok = put_to_kernel(trial, &scene, &questions, err);
    json_t *told = ok && follows ? judge_followed(&scene, &beside->followed, of) : NULL;
    struct http_questions requests = { .servers = { .n = 0 } };
    if (beside) { /* while it is made small there are none */
        requests = beside->requests;
        json_decref(beside->followed.ways);
        *beside = (struct random_live){ .followed = { .n = 0 } };
    }
    json_t *out = ok ? compare(trial, &scene, &questions, err) : NULL;
    if (out && told) {
        json_object_set(out, "Followed", told);
    }
    if (out && beside) {
        judge_requests(trial, r.net, &requests, out);
    }
    json_decref(told);
    http_questions_done(&requests);
    VEC_DONE(&questions);
    scene_done(&scene);
    random_net_done(&r);
    return out;
}
