/* `reach` against a second reading of AWS's pages (plain_net.h) on random networks: verdict, reason, header at the end,
 * and answer.
 *
 * SPEC_NETWORKS=n tries n networks (default 2,000), SPEC_SEED=s begins at another seed; a difference names its seed. */
#include <stdlib.h>

#include "netsim/analysis/reach.h"
#include "tests/spec/plain_ask.h"
#include "tests/spec/random_routers.h"
#include "tests/test.h"

#define QUESTIONS 24 /* a network */

struct counts {
    size_t asked, reachable, allowed, blocked, whys[64];
    const char *names[64];
};

static void
count_why(struct counts *c, const char *why)
{
    size_t i = 0;
    while (c->names[i] && strcmp(c->names[i], why) != 0) {
        i++;
    }
    c->names[i] = why;
    c->whys[i]++;
}

static void
random_end(struct random_net *r, struct flow_end *end, bool v6)
{
    int what = lot(r, 20);
    if (what < 13) {
        end->kind = FLOW_END_ENI;
        snprintf(end->id, sizeof end->id, "eni-%d", lot(r, r->n_enis));
    } else if (what < 14 && r->n_nats) {
        end->kind = FLOW_END_ENI;
        snprintf(end->id, sizeof end->id, "eni-nat%d", lot(r, r->n_nats));
    } else if (what < 18) {
        end->kind = r->routers && chance(r, 60) ? FLOW_END_GATEWAY : FLOW_END_INTERNET;
        if (end->kind == FLOW_END_GATEWAY) {
            random_gateway(r, end->id, sizeof end->id);
        }
    } else if (what < 19 || (r->routers && chance(r, 50))) {
        end->kind = FLOW_END_GATEWAY;
        random_gateway(r, end->id, sizeof end->id);
    } else {
        end->kind = FLOW_END_IP;
        end->ip = lot_ip(r, v6);
    }
}

static void
random_flow(struct random_net *r, struct flow_spec *flow)
{
    bool v6 = chance(r, 25);
    *flow = (struct flow_spec){ .family = v6 ? IP_V6 : IP_V4, .icmp_type = -1, .icmp_code = -1 };
    random_end(r, &flow->from, v6);
    random_end(r, &flow->to, v6);
    if (flow->from.kind == FLOW_END_IP) {
        flow->from.kind = FLOW_END_INTERNET;
    }
    flow->protocol = lot_protocol(r, false);
    flow->src_port = chance(r, 70) ? 40000 : lot_port(r);
    flow->dst_port = lot_port(r);
    if (chance(r, 30)) {
        flow->icmp_type = lot_icmp(r);
        flow->icmp_code = 0;
    }
    if (chance(r, 10)) {
        flow->src_ip = lot_ip(r, v6);
    }
    if (chance(r, 15)) {
        flow->dst_ip = lot_ip(r, v6);
    }
}

static const char *
reply_str(const struct reach_result *result)
{
    return result->reply == REPLY_UNKNOWN ? "none" : result->reply == REPLY_ALLOWED ? "allowed" : "blocked";
}

static void
compare(struct random_net *r, const struct flow_spec *flow, uint64_t seed, struct counts *counts)
{
    struct reach_result result = { 0 };
    struct err err = { 0 };
    if (!reach(r->net, flow, false, &result, &err)) {
        return; /* no such question: an end without address of the family, both ends outside */
    }
    struct plain w = plain_ask(r->net, flow, &result.sent);
    /* An interface without public address asked for by name from outside has its own reason word. */
    bool unnamed = w.why && strcmp(w.why, "igw-no-such-public-ip") == 0 && result.why &&
                   strcmp(result.why, "no-public-ip") == 0 && flow->to.kind == FLOW_END_ENI && !flow->dst_ip.family;
    const char *why = unnamed ? "no-public-ip" : w.why;
    const char *asked = flow_str(&result.sent);
    char place[200];
    snprintf(place, sizeof place, "seed %" PRIu64 ": %s %s -> %s %s (%s -> %s)", seed, asked, flow->from.id,
             flow->to.id, flow->to.kind == FLOW_END_INTERNET ? "internet" : "", ip_str(&result.sent.src),
             ip_str(&result.sent.dst));
    counts->asked++;
    if (!CHECK_STR(result.why, why, "%s", place)) {
        reach_result_done(&result);
        return;
    }
    if (result.reachable) {
        const char *reply = plain_ask_answer(&w, flow, &result.sent);
        CHECK_STR(reply_str(&result), reply, "%s reply (%s)", place, result.reply_why ? result.reply_why : "");
        CHECK(ip_equal(&result.arrives.src, &w.p.src) && ip_equal(&result.arrives.dst, &w.p.dst) &&
                  result.arrives.src_port == w.p.sport,
              "%s arrives", place);
        counts->reachable++;
        counts->allowed += result.reply == REPLY_ALLOWED;
        counts->blocked += result.reply == REPLY_BLOCKED;
    } else {
        count_why(counts, result.why);
    }
    reach_result_done(&result);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(reach_agrees_with_a_plain_reading)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_NETWORKS", 2000);
    struct counts counts = { 0 };
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        struct random_net r;
        random_net_make(&r, seed, false, seed % 2);
        random_routers(&r);
        for (int i = 0; i < QUESTIONS; i++) {
            struct flow_spec flow;
            random_flow(&r, &flow);
            compare(&r, &flow, seed, &counts);
        }
        random_net_done(&r);
    }
    fprintf(stderr, "%zu questions from seed %" PRIu64 ": %zu reachable (%zu answered, %zu answers blocked)",
            counts.asked, first, counts.reachable, counts.allowed, counts.blocked);
    for (size_t i = 0; counts.names[i]; i++) {
        fprintf(stderr, ", %s %zu", counts.names[i], counts.whys[i]);
    }
    fputc('\n', stderr);
    /* Chance must have met the cases this test is for. */
    CHECK(n < 100 || (counts.reachable > counts.asked / 20 && counts.blocked > 0 && counts.allowed > 0));
}

TEST_MAIN
