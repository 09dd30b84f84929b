/* Random networks whose VPCs are joined, and joined to sites outside AWS, built for real: every packet's fate in the
 * kernel is what `reach` says, header, address and answer.
 *
 * SPEC_NETWORKS=n tries n networks (default 20), SPEC_SEED=s begins at another seed; a difference names its seed. */
#include <inttypes.h>

#include "netsim/analysis/reach.h"
#include "tests/live/lab.h"
#include "netsim/model/onprem.h"
#include "netsim/model/random_net.h"
#include "netsim/model/vpn.h"

#define QUESTIONS 60 /* a network */

struct side {
    const struct eni *eni;
    const char *gateway; /* a VPN connection; NULL for both: the internet */
    struct ip ip[2];
};
struct asked {
    struct flow_spec flow;
    struct live_probe probe;
};

static size_t
gather(struct random_net *r, struct side *sides, size_t room)
{
    size_t n = 0;
    const struct store *store = network_store(r->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni && n < room; eni = store_next(store, eni)) {
        const struct instance *instance = store_get(store, &instance_kind, eni->attachment.instance_id);
        if (instance && instance_is_running(instance) && eni_primary_ip(eni)) {
            sides[n] = (struct side){ .eni = eni, .ip = { *eni_primary_ip(eni) } };
            sides[n++].ip[1] = eni->addresses6.n ? eni->addresses6.items[0].ip : (struct ip){ 0 };
        }
    }
    onprem_site_vec sites = { 0 };
    onprem_sites(r->net, &sites);
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn && n < room;
         vpn = store_next(store, vpn)) {
        const char *site = onprem_site_of_vpn(r->net, vpn);
        for (size_t i = 0; site && i < sites.n; i++) {
            if (strcmp(sites.items[i].id, site) == 0) {
                sides[n++] = (struct side){ .gateway = vpn->obj.id, .ip = { onprem_host(&sites.items[i], IP_V4) } };
            }
        }
    }
    VEC_DONE(&sites);
    sides[n++] = (struct side){ .ip = { ip_lit("8.8.8.8"), ip_lit("2001:4860:4860::8888") } };
    return n;
}

static void
name_end(const struct side *side, struct flow_end *end, char id[static ID_SIZE])
{
    const char *text = side->eni ? side->eni->obj.id : side->gateway ? side->gateway : "internet";
    end->kind = side->eni ? FLOW_END_ENI : side->gateway ? FLOW_END_GATEWAY : FLOW_END_INTERNET;
    snprintf(end->id, sizeof end->id, "%s", end->kind == FLOW_END_INTERNET ? "" : text);
    snprintf(id, ID_SIZE, "%s", text);
}

static bool
random_question(struct random_net *r, const struct side *sides, size_t n, int number, struct asked *q)
{
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP };
    const struct side *from = &sides[lot(r, (int)n)], *to = &sides[lot(r, (int)n)];
    bool v6 = chance(r, 25);
    const struct ip *src = &from->ip[v6], *dst = &to->ip[v6];
    if (from == to || !src->family || !dst->family || (!from->eni && !to->eni && (!from->gateway || !to->gateway))) {
        return false;
    }
    const struct ip *public_ip =
        to->eni && !v6 && !from->gateway && (!from->eni || chance(r, 20)) ? eni_public_ip(to->eni, dst) : NULL;
    *q = (struct asked){ 0 };
    name_end(from, &q->flow.from, q->probe.from);
    name_end(to, &q->flow.to, q->probe.to);
    q->flow.protocol = q->probe.protocol = protocols[lot(r, 4)];
    q->flow.src_ip = q->probe.src = *src;
    q->flow.dst_ip = q->probe.dst = public_ip ? *public_ip : *dst;
    q->flow.icmp_type = q->flow.icmp_code = -1;
    q->flow.src_port = q->probe.src_port = (chance(r, 50) ? 20000 : 50000) + number;
    q->flow.dst_port = q->probe.dst_port = 1 + lot_port(r) % 65535;
    if (q->flow.protocol == PROTOCOL_ICMP) {
        q->flow.protocol = q->probe.protocol = v6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
        q->flow.icmp_type = q->probe.dst_port = v6 ? 128 : 8;
        q->flow.icmp_code = q->probe.src_port = 0;
        q->flow.src_port = q->flow.dst_port = -1;
    }
    return true;
}

static void
compare(const struct random_net *r, uint64_t seed, const struct asked *q, size_t n_seen[static 3])
{
    struct reach_result said = { 0 };
    struct err err = { 0 };
    const struct live_probe *p = &q->probe;
    char what[240];
    REQUIRE(reach(r->net, &q->flow, false, &said, &err), "seed %" PRIu64 ": %s", seed, err.text);
    snprintf(what, sizeof what, "seed %" PRIu64 ": %s -> %s %s from port %d (%s -> %s) %s", seed, p->from, p->to,
             flow_str(&said.sent), said.sent.src_port, ip_str(&p->src), ip_str(&p->dst),
             said.why         ? said.why
             : said.reply_why ? said.reply_why
                              : "");
    CHECK(said.reachable == p->arrived, "%s: in the kernel it %s", what, p->arrived ? "arrived" : "did not arrive");
    for (size_t i = 0; said.reachable != p->arrived && i < said.path.n; i++) {
        fprintf(stderr, "%s%s", i ? " > " : "  ", said.path.items[i]);
    }
    if (said.reachable && p->arrived) {
        CHECK(ip_equal(&said.arrives.src, &p->seen_src) && ip_equal(&said.arrives.dst, &p->seen_dst),
              "%s: seen as %s -> %s", what, ip_str(&p->seen_src), ip_str(&p->seen_dst));
        CHECK((said.reply == REPLY_ALLOWED) == p->replied, "%s: in the kernel the answer %s", what,
              p->replied ? "came" : "was lost");
    }
    n_seen[!p->arrived ? 0 : p->replied ? 2 : 1]++;
    reach_result_done(&said);
}

static void
try_network(uint64_t seed, size_t n_seen[static 3])
{
    struct random_net r;
    struct err err = { 0 };
    struct side sides[32];
    struct asked questions[QUESTIONS];
    struct live_probe probes[QUESTIONS];
    size_t n = 0;
    random_net_make_joined(&r, seed);
    struct live *live = live_start(r.net, NULL, &err);
    REQUIRE(live, "seed %" PRIu64 ": %s: %s", seed, err.where, err.text);
    size_t n_sides = gather(&r, sides, ARRAY_SIZE(sides) - 1);
    for (int i = 0; i < QUESTIONS; i++) {
        if (random_question(&r, sides, n_sides, i, &questions[n])) {
            probes[n] = questions[n].probe;
            n++;
        }
    }
    CHECK(live_probe(live, probes, n, 500, &err), "seed %" PRIu64 ": %s", seed, err.text);
    for (size_t i = 0; i < n; i++) {
        questions[i].probe = probes[i];
        compare(&r, seed, &questions[i], n_seen);
    }
    live_stop(live);
    random_net_done(&r);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(kernel_and_analysis_agree_on_random_joined_networks)
{
    LAB_OR_SKIP();
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_NETWORKS", 20);
    size_t n_seen[3] = { 0 };
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        try_network(seed, n_seen);
    }
    fprintf(stderr, "%zu packets stopped, %zu arrived without answer, %zu answered\n", n_seen[0], n_seen[1], n_seen[2]);
    CHECK(n < 20 || (n_seen[0] > 0 && n_seen[1] > 0 && n_seen[2] > 0));
}

TEST_MAIN
