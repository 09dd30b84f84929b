/* Random networks built for real: every packet's fate in the kernel is what `reach` says, header, address and answer.
 *
 * SPEC_NETWORKS=n tries n networks (default 40), SPEC_SEED=s begins at another seed; a difference names its seed. */
#include "netsim/analysis/reach.h"
#include "tests/live/lab.h"
#include "netsim/model/random_net.h"

#define QUESTIONS 40 /* a network */

struct asked {
    struct flow_spec flow;
    struct live_probe probe;
};

/* An interface of a running instance, or NULL: the internet. */
static const struct eni *
random_side(struct random_net *r)
{
    for (int tries = 0; tries < 20 && !chance(r, 20); tries++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "eni-%d", lot(r, r->n_enis));
        const struct eni *eni = store_get(network_store(r->net), &eni_kind, id);
        const struct instance *instance = store_get(network_store(r->net), &instance_kind, eni->attachment.instance_id);
        if (instance && instance_is_running(instance)) {
            return eni;
        }
    }
    return NULL;
}

static const struct ip *
side_address(const struct eni *eni, bool v6)
{
    static struct ip outside[2];
    if (!eni) {
        outside[v6] = ip_lit(v6 ? "2001:4860:4860::8888" : "8.8.8.8");
        return &outside[v6];
    }
    return !v6 ? eni_primary_ip(eni) : eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
}

static void
name_end(const struct eni *eni, struct flow_end *end, char id[static ID_SIZE])
{
    end->kind = eni ? FLOW_END_ENI : FLOW_END_INTERNET;
    snprintf(end->id, sizeof end->id, "%s", eni ? eni->obj.id : "");
    snprintf(id, ID_SIZE, "%s", eni ? eni->obj.id : "internet");
}

static bool
random_question(struct random_net *r, int number, struct asked *q)
{
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP };
    const struct eni *from = random_side(r), *to = random_side(r);
    bool v6 = chance(r, 25);
    const struct ip *src = side_address(from, v6), *dst = side_address(to, v6);
    if (from == to || !src || !dst) {
        return false;
    }
    /* From another VPC or outside it takes the public address, where there is one. */
    bool far = to && (!from || strcmp(from->vpc_id, to->vpc_id) != 0);
    const struct ip *public_ip = far && !v6 ? eni_public_ip(to, dst) : NULL;
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
    char what[200];
    REQUIRE(reach(r->net, &q->flow, false, &said, &err), "seed %" PRIu64 ": %s", seed, err.text);
    snprintf(what, sizeof what, "seed %" PRIu64 ": %s -> %s %s from port %d (%s -> %s) %s", seed, p->from, p->to,
             flow_str(&said.sent), said.sent.src_port, ip_str(&p->src), ip_str(&p->dst),
             said.why         ? said.why
             : said.reply_why ? said.reply_why
                              : "");
    CHECK(said.reachable == p->arrived, "%s: in the kernel it %s", what, p->arrived ? "arrived" : "did not arrive");
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
    struct asked questions[QUESTIONS];
    struct live_probe probes[QUESTIONS];
    size_t n = 0;
    random_net_make(&r, seed, true, false);
    /* Every third has no namespaces for its instances, where the machine lets us. */
    network_set_tap_hosts(r.net, seed % 3 == 0 && access("/dev/net/tun", R_OK | W_OK) == 0);
    struct live *live = live_start(r.net, NULL, &err);
    REQUIRE(live, "seed %" PRIu64 ": %s: %s", seed, err.where, err.text);
    for (int i = 0; i < QUESTIONS; i++) {
        if (random_question(&r, i, &questions[n])) {
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

TEST(kernel_and_analysis_agree_on_random_networks)
{
    LAB_OR_SKIP();
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_NETWORKS", 40);
    size_t n_seen[3] = { 0 };
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        try_network(seed, n_seen);
    }
    fprintf(stderr, "%zu packets stopped, %zu arrived without answer, %zu answered\n", n_seen[0], n_seen[1], n_seen[2]);
    CHECK(n < 20 || (n_seen[0] > 0 && n_seen[1] > 0 && n_seen[2] > 0));
}

TEST_MAIN
