#include "cloud/verify_follow.h"

#include <stdlib.h>

#include "base/map.h"
#include "cloud/verify_trace.h"
#include "netsim/live/trace.h"

#define WAIT_MS 500

/* Who has more than one end is no matter of hops: which target a balancer took would be another with another port. */
static bool
can_follow(const struct verify_question *q)
{
    return !q->gap && !q->spread && !q->flow.ends_at_balancer && q->probe.src.family;
}

static bool
has_ports(const struct verify_question *q)
{
    return q->flow.protocol == PROTOCOL_TCP || q->flow.protocol == PROTOCOL_UDP;
}

/* Packets that meet the same and end the same way have the same. */
static char *
way_of(const struct verify_question *q)
{
    struct buf text = { 0 };
    buf_printf(&text, "%d %d %s %s", q->flow.protocol, q->flow.dst_ip.family, q->said.why ? q->said.why : "",
               q->said.reply_why ? q->said.reply_why : "");
    for (size_t i = 1; i + 1 < q->said.path.n; i++) { /* between the two machines */
        buf_printf(&text, " %s", q->said.path.items[i]);
    }
    return buf_steal(&text);
}

typedef VEC(const struct verify_question *) question_vec;

/* One packet of each way first, then others. */
static void
choose(const struct verify_inquiry *inquiry, size_t n, question_vec *chosen)
{
    struct map known = { 0 };
    for (int fresh = 1; fresh >= 0; fresh--) {
        for (size_t i = 0; chosen->n < n && i < inquiry->questions.n; i++) {
            const struct verify_question *q = &inquiry->questions.items[i];
            char *way = can_follow(q) ? way_of(q) : NULL;
            const struct verify_question *first = way ? map_get(&known, way) : q;
            if (fresh ? !first : first != q) {
                *VEC_ADD(chosen) = q;
                map_put(&known, way, (void *)(first ? first : q));
            }
            free(way);
        }
    }
    map_done(&known);
}

static void
compare(const struct verify_inquiry *inquiry, const struct verify_question *q, const struct live_probe *probe,
        const json_t *hops, json_t *out)
{
    struct flow_spec flow = q->flow;
    struct packet sent = q->said.sent;
    json_t *texts = json_array(), *text;
    size_t i;
    if (has_ports(q)) {
        flow.src_port = sent.src_port = probe->src_port;
    }
    size_t n = verify_trace_compare(inquiry->cloud->net, &flow, probe, hops, texts);
    json_object_set_new(out, "Packets", json_integer(json_int(out, "Packets", 0) + 1));
    json_object_set_new(out, "Decisions", json_integer(json_int(out, "Decisions", 0) + (json_int_t)n));
    json_array_foreach(texts, i, text)
    {
        json_array_append_new(json_object_get(out, "Differences"),
                              json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "From", q->from->name, "To", q->to->name,
                                        "Flow", flow_str(&sent), "SourceIp", ip_str(&probe->src), "DestinationIp",
                                        ip_str(&probe->dst), "Text", text));
    }
    json_decref(texts);
}

/* At most LIVE_TRACED_MOST. */
static bool
follow_some(const struct verify_inquiry *inquiry, const struct verify_question *const *questions, size_t n, json_t *out,
            struct err *err)
{
    struct live_probe probes[LIVE_TRACED_MOST];
    for (size_t i = 0; i < n; i++) {
        probes[i] = questions[i]->probe;
        if (has_ports(questions[i])) {
            probes[i].src_port = 0; /* the routers remember the first packet: this one is of another connection */
        }
    }
    json_t *ways = live_link_trace(inquiry->cloud, probes, n, WAIT_MS, err);
    for (size_t i = 0; ways && i < n; i++) {
        compare(inquiry, questions[i], &probes[i], json_array_get(ways, i), out);
    }
    json_decref(ways);
    return ways != NULL;
}

json_t *
verify_follow(const struct verify_inquiry *inquiry, size_t n, struct err *err)
{
    json_t *out = json_pack("{s:i, s:i, s:[]}", "Packets", 0, "Decisions", 0, "Differences");
    question_vec chosen = { 0 };
    bool ok = true;
    choose(inquiry, n, &chosen);
    for (size_t i = 0; ok && i < chosen.n; i += LIVE_TRACED_MOST) {
        size_t left = chosen.n - i;
        ok = follow_some(inquiry, chosen.items + i, left < LIVE_TRACED_MOST ? left : LIVE_TRACED_MOST, out, err);
    }
    VEC_DONE(&chosen);
    if (!ok) {
        json_decref(out);
    }
    return ok ? out : NULL;
}
