/* From one VPC out by an egress-only internet gateway and into another by its internet gateway, with real packets. */
#include "tests/live/lab.h"
#include "tests/unit/egress_lab.h"

static struct live_probe
send_one(struct live *live, const struct network *net, const struct place *from, const struct place *to)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80 };
    snprintf(p.from, sizeof p.from, "%s", from->instance->obj.id);
    snprintf(p.to, sizeof p.to, "%s", to->instance->obj.id);
    p.src = instance_eni(net, from->instance, 0)->addresses6.items[0].ip;
    p.dst = instance_eni(net, to->instance, 0)->addresses6.items[0].ip;
    CHECK(live_probe(live, &p, 1, 300, &err), "%s", err.text);
    return p;
}

static void
check(struct live *live, struct network *net, const struct place *from, const struct place *to, bool arrives,
      bool answered, const char *what)
{
    struct err err = { 0 };
    store_touch(network_store(net));
    REQUIRE(live_update(live, net, &err), "%s: %s", what, err.text);
    struct live_probe p = send_one(live, net, from, to);
    CHECK(p.arrived == arrives && p.replied == answered, "%s: arrived %d, answered %d", what, p.arrived, p.replied);
}

TEST(answers_come_back_by_the_egress_only_gateway)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct network *net = model_new();
    struct place a = place_new(net, "10.1.0.0/16"), b = place_new(net, "10.2.0.0/16");
    struct egress_only_gateway *eigw = egress_only_gateway_create(net, a.vpc->obj.id, &err);
    struct internet_gateway *igw = model_igw(net, b.vpc);
    lead_out(net, &a, NULL, eigw->obj.id);
    struct live *live = live_start(net, NULL, &err);
    REQUIRE(live, "%s: %s", err.where, err.text);
    check(live, net, &a, &b, false, false, "no rule lets it in");
    struct sg_rule in = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .cidr = cidr_lit("::/0") };
    REQUIRE(security_group_authorize(net, b.group, &in, 1, &err), "%s", err.text);
    check(live, net, &a, &b, true, false, "no route leads back");
    lead_out(net, &b, igw->obj.id, NULL);
    check(live, net, &a, &b, true, true, "the answer");
    live_stop(live);
    network_free(net);
}

TEST_MAIN
