#include "cloud/verify_inquiry.h"

#include <stdio.h>
#include <string.h>

#include "cloud/ops_failure.h"
#include "cloud/verify_balancers.h"

static const char *
flow_name(const struct verify_question *q)
{
    struct packet packet = q->said.sent;
    return flow_str(&packet);
}

static json_t *
disagreement_json(const struct verify_question *q, const char *how)
{
    const struct reach_result *said = &q->said;
    const struct live_probe *p = &q->probe;
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s?, s:s, s:s, s:s, s:s, s:s}", "From", q->from->name, "To",
                     q->to->name, "Flow", flow_name(q), "SourceIp", ip_str(&p->src), "DestinationIp", ip_str(&p->dst),
                     "Difference", how, "AnalysisWhy", said->why ? said->why : said->reply_why, "AnalysisSource",
                     ip_str(&said->arrives.src), "AnalysisDestination", ip_str(&said->arrives.dst), "Kernel",
                     !p->arrived  ? "did not arrive"
                     : p->replied ? "arrived and was answered"
                                  : "arrived",
                     "KernelSource", p->arrived ? ip_str(&p->seen_src) : "", "KernelDestination",
                     p->arrived ? ip_str(&p->seen_dst) : "");
}

static json_t *
pair_json(const struct verify_question *q)
{
    return json_pack("{s:s, s:s, s:i, s:i, s:i, s:i, s:[], s:[]}", "From", q->from->name, "To", q->to->name, "Family",
                     (int)q->flow.dst_ip.family, "Asked", 0, "Agree", 0, "NotCompared", 0, "Passes", "Blocked");
}

/* [{Id, Packets}]: endpoints of Gateway Load Balancers at which packets were lost, as analysis says that they must be.
 */
static json_t *
lost_behind_json(const struct verify_inquiry *inquiry)
{
    json_t *list = json_array();
    for (size_t i = 0; i < inquiry->questions.n; i++) {
        const struct verify_question *q = &inquiry->questions.items[i];
        json_t *known = NULL;
        for (size_t k = 0; q->lost_behind && !known && k < json_array_size(list); k++) {
            json_t *item = json_array_get(list, k);
            known = strcmp(json_str(item, "Id"), q->probe.kept_at) == 0 ? item : NULL;
        }
        if (known) {
            json_object_set_new(known, "Packets", json_integer(json_int(known, "Packets", 0) + 1));
        } else if (q->lost_behind) {
            json_array_append_new(list, json_pack("{s:s, s:i}", "Id", q->probe.kept_at, "Packets", 1));
        }
    }
    return list;
}

void
verify_report(struct op_call *call, const struct verify_inquiry *inquiry)
{
    json_t *pairs = json_array(), *differences = json_array(), *gaps = json_array(), *pair = NULL;
    const struct verify_question *last = NULL;
    json_int_t agree = 0, apart = 0;
    for (size_t i = 0; i < inquiry->questions.n; i++) {
        const struct verify_question *q = &inquiry->questions.items[i];
        const char *how = q->gap || q->lost_behind ? NULL : verify_question_difference(q);
        bool agrees = !q->gap && !how;
        agree += agrees;
        apart += q->gap != NULL;
        if (how) {
            json_array_append_new(differences, disagreement_json(q, how));
        }
        if (q->aimed) {
            continue;
        }
        if (!last || last->from != q->from || last->to != q->to || last->flow.dst_ip.family != q->flow.dst_ip.family) {
            pair = pair_json(q);
            json_array_append_new(pairs, pair);
        }
        last = q;
        json_object_set_new(pair, "Asked", json_integer(json_int(pair, "Asked", 0) + 1));
        json_object_set_new(pair, "Agree", json_integer(json_int(pair, "Agree", 0) + agrees));
        json_object_set_new(pair, "NotCompared", json_integer(json_int(pair, "NotCompared", 0) + (q->gap != NULL)));
        json_t *flows = json_object_get(pair, q->probe.arrived ? "Passes" : "Blocked");
        const char *before = json_string_value(json_array_get(flows, json_array_size(flows) - 1));
        if (!q->spread || !before || strcmp(before, flow_name(q)) != 0) { /* of many alike one is enough to tell */
            json_array_append_new(flows, json_string(flow_name(q)));
        }
    }
    verify_spread_judge(inquiry, differences);
    json_object_set_new(call->out, "Asked", json_integer((json_int_t)inquiry->questions.n));
    json_object_set_new(call->out, "Agree", json_integer(agree));
    json_object_set_new(call->out, "Disagree", json_integer((json_int_t)json_array_size(differences)));
    json_object_set_new(call->out, "NotCompared", json_integer(apart));
    for (size_t i = 0; i < inquiry->gaps.n; i++) {
        const struct verify_gap_met *gap = inquiry->gaps.items[i];
        json_array_append_new(gaps, json_pack("{s:s, s:s, s:s, s:I, s:I}", "Reason", gap->met.lacks, "What",
                                              gap->met.what, "Id", gap->met.id, "Pairs", (json_int_t)gap->n_pairs,
                                              "Packets", (json_int_t)gap->n_packets));
    }
    json_object_set_new(call->out, "Gaps", gaps);
    json_object_set_new(call->out, "LostBehind", lost_behind_json(inquiry));
    cloud_add_failures(call->cloud, call->out);
    json_object_set_new(call->out, "Pairs", pairs);
    json_object_set_new(call->out, "Disagreements", differences);
    if (inquiry->rules) {
        json_t *rules = verify_rules_json(inquiry->rules);
        json_object_set_new(rules, "Aimed", json_integer((json_int_t)inquiry->n_aimed));
        json_object_set_new(rules, "Uncounted", json_incref(inquiry->uncounted));
        json_object_set_new(call->out, "Coverage", rules);
    }
    json_object_set(call->out, "Followed", inquiry->followed);
    call->no = json_array_size(differences) + json_array_size(inquiry->uncounted) +
                   json_array_size(json_object_get(inquiry->followed, "Differences")) >
               0;
}
