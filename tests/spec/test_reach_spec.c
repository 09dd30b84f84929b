/* `reach` against a second reading of AWS's pages (plain_net.h) on random networks: verdict, reason, header at the end,
 * and answer.
 *
 * SPEC_NETWORKS=n tries n networks (default 2,000), SPEC_SEED=s begins at another seed; a difference names its seed,
 * and with SPEC_SHRINK=1 the first one is made small. */
#include <stdlib.h>

#include "netsim/analysis/reach.h"
#include "tests/spec/check_all_obstacles.h"
#include "tests/spec/plain_ask.h"
#include "tests/spec/random_services.h"
#include "tests/spec/shrink_network.h"
#include "tests/test.h"

#define QUESTIONS 24 /* a network */

struct counts {
    size_t asked, reachable, allowed, blocked, balanced, linked, lent, nat64, whys[64];
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
random_end(struct random_lab *l, struct flow_end *end, bool v6)
{
    struct random_net *r = &l->net;
    int what = lot(r, 20);
    if (l->services && what < 13 && chance(r, 35) && random_service_eni(l, end->id)) {
        end->kind = FLOW_END_ENI;
        return;
    }
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

/* A question about a balancer or an endpoint: by a port that is listened on, from somebody near, now and then to a
 * target by the balancer's address. */
static void
random_service_flow(struct random_lab *l, bool v6, struct flow_spec *flow)
{
    struct random_net *r = &l->net;
    const struct store *store = network_store(r->net);
    char id[ID_SIZE];
    const struct eni *eni = random_service_eni(l, id) ? store_get(store, &eni_kind, id) : NULL;
    if (!eni || (v6 && !eni->addresses6.n)) {
        return;
    }
    bool outside = flow->from.kind == FLOW_END_INTERNET || chance(r, 10);
    const struct ip *own = v6 ? &eni->addresses6.items[0].ip : &eni->addresses.items[0].ip;
    const struct ip *public_ip = !v6 && outside ? eni_public_ip(eni, own) : NULL;
    flow->dst_ip = public_ip ? *public_ip : *own;
    if (chance(r, 75)) {
        flow->to.kind = FLOW_END_ENI;
        snprintf(flow->to.id, sizeof flow->to.id, "%s", id);
    }
    for (int tries = 0; flow->from.kind == FLOW_END_ENI && tries < 6; tries++) { /* of the same VPC, mostly */
        const struct eni *from = store_get(store, &eni_kind, flow->from.id);
        if (strcmp(from->vpc_id, eni->vpc_id) == 0 && strncmp(from->obj.id, "eni-nat", 7) != 0) {
            break;
        }
        snprintf(flow->from.id, sizeof flow->from.id, "eni-%d", lot(r, r->n_enis));
    }
    int protocol, port = random_listened(l, eni, &protocol);
    if (port >= 0 && chance(r, 85)) {
        flow->protocol = protocol;
        flow->dst_port = port;
    }
}

/* To somebody's IPv4 address by NAT64, from anywhere. */
static void
random_nat64(struct random_lab *l, struct flow_spec *flow)
{
    const struct store *store = network_store(l->net.net);
    const struct eni *eni = flow->to.kind == FLOW_END_ENI ? store_get(store, &eni_kind, flow->to.id) : NULL;
    struct ip four = eni && eni->addresses.n ? eni->addresses.items[0].ip : lot_ip(&l->net, false);
    if (chance(&l->net, 40)) {
        flow->to.kind = FLOW_END_INTERNET;
        four = ip_lit("8.8.8.8");
    }
    if (chance(&l->net, 50)) {
        flow->protocol = PROTOCOL_ICMPV6;
        flow->icmp_type = 128 + lot(&l->net, 2);
        flow->icmp_code = 0;
    }
    flow->dst_ip = (struct ip){ .family = IP_V6, .hi = 0x0064ff9b00000000u, .lo = four.lo };
}

static void
random_flow(struct random_lab *l, struct flow_spec *flow)
{
    struct random_net *r = &l->net;
    bool v6 = chance(r, 25);
    *flow = (struct flow_spec){ .family = v6 ? IP_V6 : IP_V4, .icmp_type = -1, .icmp_code = -1 };
    random_end(l, &flow->from, v6);
    random_end(l, &flow->to, v6);
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
    if (l->services && chance(r, 40)) {
        random_service_flow(l, v6, flow);
    } else if (v6 && chance(r, 35)) {
        random_nat64(l, flow);
    }
}

static const char *
reply_str(const struct reach_result *result)
{
    return result->reply == REPLY_UNKNOWN ? "none" : result->reply == REPLY_ALLOWED ? "allowed" : "blocked";
}

/* Both answers to one question. */
struct verdicts {
    struct reach_result result;
    struct plain w;
    const char *why, *reply; /* as the plain reading has them */
    bool same_end;
};

/* False: there is no such question (an end without address of the family, both ends outside). */
static bool
ask_both(const struct network *net, const struct flow_spec *flow, struct verdicts *v)
{
    struct err err = { 0 };
    *v = (struct verdicts){ .same_end = true };
    if (!reach(net, flow, false, &v->result, &err)) {
        return false;
    }
    const struct packet *arrives = &v->result.arrives;
    v->w = plain_ask(net, flow, &v->result.sent);
    v->why = v->w.why;
    /* An interface without public address asked for by name from outside has its own reason word. */
    if (v->why && strcmp(v->why, "igw-no-such-public-ip") == 0 && v->result.why &&
        strcmp(v->result.why, "no-public-ip") == 0 && flow->to.kind == FLOW_END_ENI && !flow->dst_ip.family) {
        v->why = "no-public-ip";
    }
    if (v->result.reachable && !v->why) {
        v->reply = plain_ask_answer(&v->w, flow, &v->result.sent);
        v->same_end = ip_equal(&arrives->src, &v->w.p.src) && ip_equal(&arrives->dst, &v->w.p.dst) &&
                      arrives->src_port == v->w.p.sport && arrives->dst_port == v->w.p.dport;
    }
    return true;
}

static bool
differs(const struct network *net, const struct flow_spec *flow)
{
    struct verdicts v;
    if (!ask_both(net, flow, &v)) {
        return false;
    }
    bool same = v.why ? v.result.why && strcmp(v.why, v.result.why) == 0
                      : v.result.reachable && v.same_end && strcmp(v.reply, reply_str(&v.result)) == 0;
    reach_result_done(&v.result);
    return !same;
}

static void
count(struct counts *counts, const struct verdicts *v)
{
    if (!v->result.reachable) {
        count_why(counts, v->result.why);
        return;
    }
    counts->reachable++;
    counts->allowed += v->result.reply == REPLY_ALLOWED;
    counts->blocked += v->result.reply == REPLY_BLOCKED;
    counts->balanced += v->w.n_lb_memory > 0;
    counts->linked += v->w.n_lb_memory > 0 && v->w.lb_memory[0].endpoint;
    counts->lent += v->w.n_nat_memory > 0;
    counts->nat64 += v->w.n_nat_memory > 0 && v->w.nat_memory[0].inside.src.family == IP_V6;
}

static void
compare(const struct network *net, const struct flow_spec *flow, uint64_t seed, struct counts *counts)
{
    struct verdicts v;
    if (!ask_both(net, flow, &v)) {
        return;
    }
    char place[200];
    const struct packet *sent = &v.result.sent;
    snprintf(place, sizeof place, "seed %" PRIu64 ": %s %s -> %s %s (%s:%d -> %s)", seed, flow_str(sent), flow->from.id,
             flow->to.id, flow->to.kind == FLOW_END_INTERNET ? "internet" : "", ip_str(&sent->src), sent->src_port,
             ip_str(&sent->dst));
    counts->asked++;
    bool same = CHECK_STR(v.result.why, v.why, "%s", place);
    if (same && v.result.reachable) {
        same = CHECK_STR(reply_str(&v.result), v.reply, "%s reply (%s)", place,
                         v.result.reply_why ? v.result.reply_why : "") &&
               CHECK(v.same_end, "%s arrives", place);
    }
    if (same) {
        count(counts, &v);
    } else {
        spec_shrink(net, flow, differs);
    }
    reach_result_done(&v.result);
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
        struct random_lab l;
        random_lab_make(&l, seed, false);
        for (int i = 0; i < QUESTIONS; i++) {
            struct flow_spec flow;
            random_flow(&l, &flow);
            compare(l.net.net, &flow, seed, &counts);
        }
        random_lab_done(&l);
    }
    fprintf(stderr,
            "%zu questions from seed %" PRIu64
            ": %zu reachable (%zu answered, %zu answers blocked; %zu by balancers, of "
            "these %zu by PrivateLink, %zu under lent addresses, of these %zu by NAT64)",
            counts.asked, first, counts.reachable, counts.allowed, counts.blocked, counts.balanced, counts.linked,
            counts.lent, counts.nat64);
    for (size_t i = 0; counts.names[i]; i++) {
        fprintf(stderr, ", %s %zu", counts.names[i], counts.whys[i]);
    }
    fputc('\n', stderr);
    /* Chance must have met the cases this test is for. */
    CHECK(n < 100 || (counts.reachable > counts.asked / 20 && counts.blocked > 0 && counts.allowed > 0));
    CHECK(n < 1000 ||
          (counts.balanced > n / 20 && counts.linked > n / 500 && counts.lent > n / 40 && counts.nat64 > 0));
}

static void
list_obstacles(uint64_t seed, struct all_counts *counts)
{
    struct random_lab l;
    random_lab_make(&l, seed, false);
    for (int i = 0; i < QUESTIONS; i++) {
        struct flow_spec flow;
        random_flow(&l, &flow);
        check_all_obstacles(l.net.net, &flow, seed, counts);
    }
    random_lab_done(&l);
}

/* 20163: of a service's two balancers the second has a way without obstacles. */
TEST(obstacles_that_once_were_too_many)
{
    static const uint64_t seeds[] = { 20163 };
    struct all_counts counts = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(seeds); i++) {
        list_obstacles(seeds[i], &counts);
    }
}

/* A quarter as many: each network is copied for each mend. */
TEST(all_obstacles_mended_are_enough_and_none_too_many)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_NETWORKS", 2000);
    struct all_counts counts = { 0 };
    for (uint64_t seed = first; seed < first + (n + 3) / 4 && test_complaints < 10; seed++) {
        list_obstacles(seed, &counts);
    }
    fprintf(stderr, "%zu lists of obstacles, %zu of filters alone, %zu of these past balancers; %zu mends left out\n",
            counts.listed, counts.mended, counts.balanced, counts.needed);
    CHECK(n < 1000 || (counts.mended > n / 10 && counts.balanced > 0 && counts.needed > n / 20));
}

TEST_MAIN
