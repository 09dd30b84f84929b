/* VPC peering and egress-only gateways with real packets.  Every "does not arrive" stands beside the same packet
 * arriving once the one thing that stops it is changed. */
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/peering.h"
#include "tests/live/places.h"

static struct peering *
peer(struct fixture *f, const struct place *from, const struct place *to)
{
    struct err err = { 0 };
    struct peering *p = peering_create(
        f->net, &(struct peering_spec){ .vpc_id = from->vpc->obj.id, .peer_vpc_id = to->vpc->obj.id }, &err);
    REQUIRE(p && peering_accept(f->net, p, &err), "%s", err.text);
    return p;
}

static void
add_route(struct fixture *f, const struct place *at, const char *to, const struct peering *by)
{
    struct err err = { 0 };
    struct route route = { .peering_id = (char *)by->obj.id };
    struct cidr cidr = cidr_lit(to);
    *(cidr.ip.family == IP_V6 ? &route.cidr6 : &route.cidr) = cidr;
    CHECK(route_create(f->net, at->table, &route, &err), "%s: %s", to, err.text);
    update(f);
}

static void
remove_route(struct fixture *f, const struct place *at, const char *to)
{
    struct err err = { 0 };
    struct route route = { .cidr = cidr_lit(to) };
    CHECK(route_delete(f->net, at->table, &route, &err), "%s: %s", to, err.text);
    update(f);
}

TEST(two_vpcs_reach_each_other_while_both_route_and_the_peering_lives)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct peering *pcx = peer(&f, &f.a, &f.b);
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "no route");
    add_route(&f, &f.a, "10.2.0.0/16", pcx);
    struct live_probe p = probe(&f, f.a.instance, f.b.instance, 80, NULL, false);
    CHECK(p.arrived && !p.replied, "a route on one side only: it arrives, nothing comes back");
    CHECK(strcmp(ip_str(&p.seen_src), "10.1.0.10") == 0, "seen from %s", ip_str(&p.seen_src));
    add_route(&f, &f.b, "10.1.0.0/16", pcx);
    CHECK(answered(&f, &f.a, &f.b) && answered(&f, &f.b, &f.a), "routes on both sides");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 81, NULL, false).arrived, "a port that no rule names");
    remove_route(&f, &f.a, "10.2.0.0/16");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "the route is gone");
    add_route(&f, &f.a, "10.2.0.0/16", pcx);
    CHECK(answered(&f, &f.a, &f.b), "the route is back");
    CHECK(peering_delete(f.net, pcx, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived,
          "the peering is gone, the routes are blackholes");
    struct peering *again = peer(&f, &f.b, &f.a);
    remove_route(&f, &f.a, "10.2.0.0/16");
    remove_route(&f, &f.b, "10.1.0.0/16");
    add_route(&f, &f.a, "10.2.0.0/16", again);
    add_route(&f, &f.b, "10.1.0.0/16", again);
    CHECK(answered(&f, &f.a, &f.b) && answered(&f, &f.b, &f.a), "another peering, asked for by the other side");
    fixture_done(&f);
}

TEST(a_peering_leads_no_further_than_its_two_vpcs)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct peering *ab = peer(&f, &f.a, &f.b), *bc = peer(&f, &f.b, &f.c), *ac = peer(&f, &f.a, &f.c);
    add_route(&f, &f.a, "10.3.0.0/16", ab);
    add_route(&f, &f.b, "10.3.0.0/16", bc);
    add_route(&f, &f.b, "10.1.0.0/16", ab);
    add_route(&f, &f.c, "10.1.0.0/16", ac);
    CHECK(answered(&f, &f.c, &f.b) == false, "c has no route to b");
    CHECK(!probe(&f, f.a.instance, f.c.instance, 80, NULL, false).arrived, "not through b");
    remove_route(&f, &f.a, "10.3.0.0/16");
    add_route(&f, &f.a, "10.3.0.0/16", ac);
    CHECK(answered(&f, &f.a, &f.c), "by the peering of the two");
    /* A sender that is nobody of a's, through an instance that may forward: the peering takes a's own addresses only.
     */
    struct eni *eni = instance_eni(f.net, f.a.instance, 0);
    eni->source_dest_check = false;
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.c.instance, 80, "10.9.0.1", false).arrived, "a foreign source");
    CHECK(probe(&f, f.a.instance, f.c.instance, 80, "10.1.0.77", false).arrived, "a source of the VPC's block");
    fixture_done(&f);
}

TEST(rules_name_groups_of_the_other_side)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct peering *pcx = peer(&f, &f.a, &f.b);
    add_route(&f, &f.a, "10.2.0.0/16", pcx);
    add_route(&f, &f.b, "10.1.0.0/16", pcx);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 5432, NULL, false).arrived, "before the rule");
    allow(f.net, f.b.group, 5432, f.a.group->obj.id);
    update(&f);
    CHECK(probe(&f, f.a.instance, f.b.instance, 5432, NULL, false).replied, "a member of the group");
    struct instance *late = run(f.net, &f.a, ip_lit("10.1.0.20"));
    const char *other = security_group_create(f.net, f.a.vpc->obj.id, "other", "other", &err)->obj.id;
    update(&f);
    CHECK(probe(&f, late, f.b.instance, 5432, NULL, false).replied, "one that joined");
    CHECK(eni_set_groups(f.net, instance_eni(f.net, late, 0), &other, 1, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, late, f.b.instance, 5432, NULL, false).arrived, "it has left the group");
    CHECK(probe(&f, late, f.b.instance, 80, NULL, false).replied, "which changes nothing else");
    fixture_done(&f);
}

TEST(ipv6_goes_by_a_peering_too)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(true);
    struct peering *pcx = peer(&f, &f.a, &f.b);
    add_route(&f, &f.a, cidr_str(&f.b.vpc->cidrs6.items[0].cidr), pcx);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, true).replied, "one side only");
    add_route(&f, &f.b, cidr_str(&f.a.vpc->cidrs6.items[0].cidr), pcx);
    CHECK(probe(&f, f.a.instance, f.b.instance, 80, NULL, true).replied, "both sides");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "no route for IPv4");
    fixture_done(&f);
}

TEST(an_egress_only_gateway_lets_connections_out_and_none_in)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(true);
    struct egress_only_gateway *gateway = egress_only_gateway_create(f.net, f.a.vpc->obj.id, &err);
    REQUIRE(gateway, "%s", err.text);
    struct route route = { .cidr6 = cidr_lit("::/0"), .egress_only_igw_id = gateway->obj.id };
    struct live_probe out = { .protocol = PROTOCOL_TCP, .dst_port = 80, .to = "internet" }, in = out;
    out.dst = ip_lit("2001:4860:4860::8888");
    snprintf(out.from, sizeof out.from, "%s", f.a.instance->obj.id);
    snprintf(in.from, sizeof in.from, "internet");
    snprintf(in.to, sizeof in.to, "%s", f.a.instance->obj.id);
    in.dst = instance_eni(f.net, f.a.instance, 0)->addresses6.items[0].ip;
    struct live_probe probes[3];
    for (int step = 0; step < 3; step++) {
        update(&f);
        probes[0] = out, probes[1] = probes[2] = in;
        probes[2].dst_port = 81;
        CHECK(live_probe(f.live, probes, 3, 300, &err), "%s", err.text);
        CHECK(probes[0].arrived == (step > 0) && probes[0].replied == (step > 0), "out, step %d", step);
        /* Calls from outside come by the internet gateway; their answers need it too. */
        CHECK(probes[1].arrived && probes[1].replied == (step == 2), "in, step %d", step);
        CHECK(!probes[2].arrived, "a port that no rule names, step %d", step);
        if (step == 1) {
            CHECK(route_delete(f.net, f.a.table, &route, &err), "%s", err.text);
            route = (struct route){ .cidr6 = cidr_lit("::/0"),
                                    .gateway_id = network_vpc_igw(f.net, f.a.vpc->obj.id)->obj.id };
        }
        CHECK(step == 2 || route_create(f.net, f.a.table, &route, &err), "%s", err.text);
    }
    fixture_done(&f);
}

TEST_MAIN
