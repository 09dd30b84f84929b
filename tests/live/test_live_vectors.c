/* Ground truth through the kernel: networks imported from describe-* dumps, built for real, every flow of expect.json
 * sent as a packet. */
#include "netsim/interop/aws_import.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "tests/live/lab.h"

#define VECTORS "../shared/vectors/net"

static struct id_gen ids;
static struct clock clock_now;

static const struct eni *
eni_of(const struct network *net, const char *id)
{
    const struct instance *instance = store_get(network_store(net), &instance_kind, id);
    return instance ? instance_eni(net, instance, 0) : store_get(network_store(net), &eni_kind, id);
}

/* One end of a flow: where to send or listen, and the private address it has. */
static bool
end_of(const struct network *net, const json_t *json, char id[static ID_SIZE], struct ip *ip)
{
    const char *text;
    *ip = (struct ip){ 0 };
    if (json_flag(json, "internet", false)) {
        snprintf(id, ID_SIZE, "internet");
        return true;
    }
    if ((text = json_str(json, "eni")) || (text = json_str(json, "instance"))) {
        snprintf(id, ID_SIZE, "%s", text);
        const struct eni *eni = store_get(network_store(net), &eni_kind, text);
        const struct instance *instance = store_get(network_store(net), &instance_kind, text);
        eni = eni ? eni : instance ? instance_eni(net, instance, 0) : NULL;
        if (eni && eni_primary_ip(eni)) {
            *ip = *eni_primary_ip(eni);
        }
        return eni != NULL;
    }
    if ((text = json_str(json, "ip")) && ip_parse(text, ip)) {
        /* Whoever has it; the internet otherwise. */
        snprintf(id, ID_SIZE, "internet");
        for (const struct eni *eni = store_first(network_store(net), &eni_kind); eni;
             eni = store_next(network_store(net), eni)) {
            if (eni_has_ip(eni, ip)) {
                snprintf(id, ID_SIZE, "%s", eni->obj.id);
            }
        }
        return true;
    }
    return false;
}

static bool
probe_of(const struct network *net, const json_t *flow, struct live_probe *p)
{
    struct ip from, to;
    const char *text;
    *p = (struct live_probe){ 0 };
    if (!end_of(net, json_object_get(flow, "from"), p->from, &from) ||
        !end_of(net, json_object_get(flow, "to"), p->to, &to)) {
        return false;
    }
    REQUIRE(protocol_parse(json_str(flow, "protocol"), &p->protocol), "protocol");
    if (strcmp(p->from, "internet") == 0) {
        if (strcmp(p->to, "internet") == 0) {
            return false; /* an address nobody in the lab has */
        }
        const struct eni *eni = eni_of(net, p->to);
        const struct ip *public = eni ? eni_public_ip(eni, &to) : NULL;
        to = public ? *public : to;
    }
    p->src = from;
    p->dst = to;
    if ((text = json_str(flow, "srcIp"))) {
        p->src = ip_lit(text);
    }
    if ((text = json_str(flow, "dstIp"))) {
        p->dst = ip_lit(text);
    }
    if (!p->dst.family) {
        p->dst = ip_lit("8.8.8.8");
    }
    p->dst_port = (int)json_int(flow, "dstPort", 0);
    p->src_port = (int)json_int(flow, "srcPort", 0);
    if (p->protocol == PROTOCOL_ICMP) {
        p->dst_port = (int)json_int(flow, "icmpType", 8);
        p->src_port = (int)json_int(flow, "icmpCode", 0);
    }
    return true;
}

static void
check_case(const char *name)
{
    char path[256];
    struct err err = { 0 };
    id_gen_seed(&ids, 1);
    struct network *net = network_new(&ids, &clock_now);
    json_t *report = json_object();
    snprintf(path, sizeof path, VECTORS "/%s/aws", name);
    REQUIRE(aws_import(net, path, report, &err), "%s: %s", name, err.text);
    json_decref(report);
    snprintf(path, sizeof path, VECTORS "/%s/expect.json", name);
    json_t *expect = json_read_file(path, &err), *flows = json_object_get(expect, "flows"), *flow;
    REQUIRE(expect, "%s", err.text);
    struct live *live = live_start(net, NULL, &err);
    REQUIRE(live, "%s: %s: %s", name, err.where, err.text);
    size_t i, n = 0, sent = 0;
    json_array_foreach(flows, i, flow)
    {
        struct live_probe p;
        n++;
        if (json_flag(flow, "quirk", false) || !probe_of(net, flow, &p)) {
            continue;
        }
        sent++;
        CHECK(live_probe(live, &p, 1, 300, &err), "%s", err.text);
        bool expected = strcmp(json_str(flow, "expect"), "reachable") == 0;
        char *text = json_dumps(flow, JSON_COMPACT);
        CHECK(p.arrived == expected, "%s: %s: the packet %s", name, text, p.arrived ? "arrived" : "did not arrive");
        const char *reply = json_str(flow, "reply"), *source = json_str(json_object_get(flow, "arrives"), "srcIp");
        if (p.arrived && reply) {
            CHECK(p.replied == (strcmp(reply, "allowed") == 0), "%s: %s: the reply %s", name, text,
                  p.replied ? "came" : "did not come");
        }
        if (p.arrived && source) {
            CHECK(strcmp(ip_str(&p.seen_src), source) == 0, "%s: %s: seen from %s", name, text, ip_str(&p.seen_src));
        }
        free(text);
    }
    printf("%s: %zu of %zu flows sent\n", name, sent, n);
    CHECK(sent > 0, "%s", name);
    live_stop(live);
    json_decref(expect);
    network_free(net);
}

TEST(vectors_with_real_packets)
{
    static const char *const cases[] = { "nat-gateway",
                                         "nat-gateway-nacl",
                                         "public-subnet",
                                         "public-subnet-nacl",
                                         "same-subnet",
                                         "nacl-tiers",
                                         "basic-two-subnets",
                                         "sg-references",
                                         "prefix-list-egress",
                                         "vpc-peering",
                                         "vpc-peering-deleted",
                                         "vpc-peering-sg-reference",
                                         "transit-gateway",
                                         "transit-gateway-multi-account",
                                         "transit-gateway-nacl",
                                         "transit-gateway-sg-reference",
                                         "transit-gateway-static" };
    LAB_OR_SKIP();
    if (access(VECTORS, R_OK) < 0) {
        TEST_SKIP(VECTORS " is absent");
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        check_case(cases[i]);
    }
}

TEST_MAIN
