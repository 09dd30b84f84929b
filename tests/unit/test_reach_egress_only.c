/* Out by an egress-only internet gateway to somebody in another VPC, as to any host of the internet. */
#include "netsim/analysis/reach.h"
#include "tests/unit/egress_lab.h"

static void
check(struct network *net, const struct place *from, const struct place *to, const char *answer, const char *what)
{
    struct err err = { 0 };
    struct reach_result r = { 0 };
    struct flow_spec flow = { .from.kind = FLOW_END_INSTANCE,
                              .to.kind = FLOW_END_INSTANCE,
                              .protocol = PROTOCOL_TCP,
                              .src_port = -1,
                              .dst_port = 80,
                              .family = IP_V6 };
    memcpy(flow.from.id, from->instance->obj.id, ID_SIZE);
    memcpy(flow.to.id, to->instance->obj.id, ID_SIZE);
    REQUIRE(reach(net, &flow, false, &r, &err), "%s: %s", what, err.text);
    CHECK_STR(r.why ? r.why : r.reply == REPLY_ALLOWED ? "answered" : "arrives", answer, "%s", what);
    reach_result_done(&r);
}

TEST(an_egress_only_gateway_leads_to_other_vpcs)
{
    struct err err = { 0 };
    struct network *net = model_new();
    struct place a = place_new(net, "10.1.0.0/16"), b = place_new(net, "10.2.0.0/16");
    struct egress_only_gateway *eigw = egress_only_gateway_create(net, a.vpc->obj.id, &err);
    struct internet_gateway *igw = model_igw(net, b.vpc);
    model_igw(net, a.vpc); /* which did not let the connection out, so its answers do not come by it */
    lead_out(net, &a, NULL, eigw->obj.id);
    check(net, &a, &b, "sg-ingress", "no rule lets it in");
    struct sg_rule in = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .cidr = cidr_lit("::/0") };
    REQUIRE(security_group_authorize(net, b.group, &in, 1, &err), "%s", err.text);
    check(net, &a, &b, "arrives", "no route leads back");
    lead_out(net, &b, igw->obj.id, NULL);
    check(net, &a, &b, "answered", "the answer comes back by the gateway that remembers");
    REQUIRE(security_group_authorize(net, a.group, &in, 1, &err), "%s", err.text);
    check(net, &b, &a, "arrives", "the other way it comes in by the internet gateway; the answer cannot leave");
    network_free(net);
}

TEST_MAIN
