/* Transit gateways with real packets.  Every "does not arrive" stands beside the same packet arriving once the one
 * thing that stops it is changed. */
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "tests/live/places.h"

static struct transit_gateway *
gateway_new(struct fixture *f, const struct tgw_spec *spec)
{
    struct err err = { 0 };
    struct transit_gateway *tgw = tgw_create(f->net, spec, &err);
    REQUIRE(tgw, "%s", err.text);
    return tgw;
}

static struct tgw_attachment *
attach(struct fixture *f, const struct transit_gateway *tgw, const struct place *at, const struct subnet *subnet,
       const char *ipv6)
{
    struct err err = { 0 };
    struct tgw_vpc_spec spec = { .tgw_id = tgw->obj.id,
                                 .vpc_id = at->vpc->obj.id,
                                 .subnet_ids = (const char *[]){ subnet->obj.id },
                                 .n_subnets = 1,
                                 .ipv6_support = ipv6 };
    struct tgw_attachment *attachment = tgw_attach_vpc(f->net, &spec, &err);
    REQUIRE(attachment, "%s", err.text);
    return attachment;
}

static void
add_route(struct fixture *f, struct route_table *table, const char *to, const struct transit_gateway *tgw)
{
    struct err err = { 0 };
    struct route route = { .transit_gateway_id = (char *)tgw->obj.id };
    struct cidr cidr = cidr_lit(to);
    *(cidr.ip.family == IP_V6 ? &route.cidr6 : &route.cidr) = cidr;
    CHECK(route_create(f->net, table, &route, &err), "%s: %s", to, err.text);
    update(f);
}

/* Everything of 10/8 by the gateway. */
static struct transit_gateway *
hub(struct fixture *f, struct tgw_attachment *attachments[static 3])
{
    struct place *const all[] = { &f->a, &f->b, &f->c };
    struct transit_gateway *tgw = gateway_new(f, &(struct tgw_spec){ 0 });
    for (size_t i = 0; i < 3; i++) {
        attachments[i] = attach(f, tgw, all[i], all[i]->subnet, NULL);
        add_route(f, all[i]->table, "10.0.0.0/8", tgw);
    }
    return tgw;
}

TEST(a_hub_joins_vpcs_and_its_table_decides)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    CHECK(!answered(&f, &f.a, &f.b), "nothing joins them");
    struct tgw_attachment *at[3];
    struct transit_gateway *tgw = hub(&f, at);
    CHECK(answered(&f, &f.a, &f.b) && answered(&f, &f.b, &f.c) && answered(&f, &f.c, &f.a), "all by the hub");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 81, NULL, false).arrived, "a port that no rule names");

    struct tgw_route_table *table = store_get(network_store(f.net), &tgw_route_table_kind, tgw->association_table_id);
    CHECK(tgw_unpropagate(f.net, table, at[1], &err), "%s", err.text);
    update(&f);
    CHECK(!answered(&f, &f.a, &f.b) && answered(&f, &f.a, &f.c), "b is in no table any more");
    struct cidr narrow = cidr_lit("10.2.0.10/32"), wide = cidr_lit("10.2.0.0/16");
    CHECK(tgw_route_put(f.net, table, &wide, at[1], false, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &f.a, &f.b), "a static route");
    CHECK(tgw_route_put(f.net, table, &narrow, NULL, false, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived && answered(&f, &f.a, &f.c),
          "a blackhole for its address");
    CHECK(tgw_route_delete(f.net, table, &narrow, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &f.a, &f.b), "the blackhole is gone");

    /* b may be called but cannot answer: its own attachment has no table. */
    CHECK(tgw_disassociate(f.net, table, at[1], &err), "%s", err.text);
    update(&f);
    struct live_probe p = probe(&f, f.a.instance, f.b.instance, 80, NULL, false);
    CHECK(p.arrived && !p.replied, "no association");
    CHECK(tgw_associate(f.net, table, at[1], &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &f.a, &f.b), "associated again");
    tgw_attachment_end(f.net, at[1]);
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived && answered(&f, &f.a, &f.c), "detached");
    fixture_done(&f);
}

/* An instance and a subnet of its own in the second zone. */
static struct place
second_zone(struct fixture *f, const struct place *beside, const char *block)
{
    struct err err = { 0 };
    struct place p = *beside;
    struct subnet_spec spec = { .vpc_id = p.vpc->obj.id, .cidr = cidr_lit(block), .zone = "us-east-1b" };
    p.subnet = subnet_create(f->net, &spec, &err);
    REQUIRE(p.subnet, "%s", err.text);
    p.instance = run(f->net, &p, ip_add(&spec.cidr.ip, 10));
    return p;
}

static struct place
small_place(struct fixture *f, const char *vpc, const char *block)
{
    struct err err = { 0 };
    struct place p = { .vpc = model_vpc(f->net, vpc, false) };
    struct cidr cidr = cidr_lit(block);
    p.subnet = model_subnet(f->net, p.vpc, block);
    p.table = network_subnet_route_table(f->net, p.subnet);
    p.group = security_group_create(f->net, p.vpc->obj.id, "test", "test", &err);
    REQUIRE(p.group, "%s", err.text);
    allow(f->net, p.group, 80, "0.0.0.0/0");
    p.instance = run(f->net, &p, ip_add(&cidr.ip, 10));
    return p;
}

TEST(only_zones_with_an_attachment_subnet_reach_the_gateway)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct place d = small_place(&f, "10.4.0.0/16", "10.4.1.0/24"), e = second_zone(&f, &d, "10.4.2.0/24");
    struct tgw_attachment *at[3];
    struct transit_gateway *tgw = hub(&f, at);
    struct tgw_attachment *attachment = attach(&f, tgw, &d, d.subnet, NULL);
    add_route(&f, d.table, "10.0.0.0/8", tgw);
    CHECK(answered(&f, &d, &f.a), "from the zone of the attachment's subnet");
    CHECK(!probe(&f, e.instance, f.a.instance, 80, NULL, false).arrived, "from the other zone");
    struct live_probe p = probe(&f, f.a.instance, e.instance, 80, NULL, false);
    CHECK(p.arrived && !p.replied, "into the other zone it goes; the answer finds no way");
    struct tgw_vpc_spec more = { .subnet_ids = (const char *[]){ e.subnet->obj.id }, .n_subnets = 1 };
    CHECK(tgw_modify_vpc_attachment(f.net, attachment, &more, NULL, 0, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &e, &f.a) && answered(&f, &f.a, &e), "with a subnet in each zone");
    CHECK(answered(&f, &d, &f.a), "and the first as before");
    fixture_done(&f);
}

static void
acl_rule(struct fixture *f, struct network_acl *acl, int number, bool egress, const char *block, bool allow_it)
{
    struct err err = { 0 };
    struct nacl_entry entry = { .number = number,
                                .egress = egress,
                                .protocol = -1,
                                .action = allow_it ? NACL_ALLOW : NACL_DENY,
                                .cidr = cidr_lit(block) };
    REQUIRE(network_acl_add_entry(f->net, acl, &entry, &err), "%s", err.text);
}

/* The attachment has a subnet of its own, with an ACL. */
TEST(the_acl_of_the_attachment_subnet_is_met_both_ways)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct place d = small_place(&f, "10.4.0.0/16", "10.4.1.0/24");
    struct subnet *edge = model_subnet(f.net, d.vpc, "10.4.9.0/28");
    struct network_acl *acl = network_acl_create(f.net, d.vpc->obj.id, false, &err);
    struct network_acl *was = network_subnet_acl(f.net, edge);
    for (size_t i = 0; i < was->associations.n; i++) {
        if (strcmp(was->associations.items[i].subnet_id, edge->obj.id) == 0) {
            REQUIRE(network_acl_replace_association(f.net, was->associations.items[i].id, acl, &err), "%s", err.text);
            break;
        }
    }
    struct tgw_attachment *at[3];
    struct transit_gateway *tgw = hub(&f, at);
    attach(&f, tgw, &d, edge, NULL);
    add_route(&f, d.table, "10.0.0.0/8", tgw);
    CHECK(!probe(&f, d.instance, f.a.instance, 80, NULL, false).arrived, "nothing is allowed in");
    acl_rule(&f, acl, 100, false, "10.4.0.0/16", true);
    update(&f);
    struct live_probe p = probe(&f, d.instance, f.a.instance, 80, NULL, false);
    CHECK(p.arrived && !p.replied, "in towards the gateway; the answer is not allowed out of the subnet");
    acl_rule(&f, acl, 100, true, "10.4.0.0/16", true);
    update(&f);
    CHECK(answered(&f, &d, &f.a) && answered(&f, &f.a, &d), "both ways");
    acl_rule(&f, acl, 50, true, "10.4.1.10/32", false);
    update(&f);
    CHECK(!probe(&f, f.a.instance, d.instance, 80, NULL, false).arrived, "denied out of the subnet");
    fixture_done(&f);
}

TEST(two_gateways_meet_by_a_peering_with_static_routes)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct transit_gateway *left = gateway_new(&f, &(struct tgw_spec){ 0 }),
                           *right = gateway_new(&f, &(struct tgw_spec){ 0 });
    attach(&f, left, &f.a, f.a.subnet, NULL);
    attach(&f, right, &f.b, f.b.subnet, NULL);
    add_route(&f, f.a.table, "10.0.0.0/8", left);
    add_route(&f, f.b.table, "10.0.0.0/8", right);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "nothing joins the gateways");
    struct tgw_attachment *peering = tgw_peer(f.net, left, right->obj.id, right->obj.account, right->obj.region, &err);
    REQUIRE(peering, "%s", err.text);
    REQUIRE(tgw_peer_answer(f.net, peering, true, &err), "%s", err.text);
    struct tgw_route_table *tables[] = {
        store_get(network_store(f.net), &tgw_route_table_kind, left->association_table_id),
        store_get(network_store(f.net), &tgw_route_table_kind, right->association_table_id),
    };
    snprintf(peering->table_id, sizeof peering->table_id, "%s", tables[0]->obj.id);
    snprintf(peering->peer_table_id, sizeof peering->peer_table_id, "%s", tables[1]->obj.id);
    struct cidr b = cidr_lit("10.2.0.0/16"), a = cidr_lit("10.1.0.0/16");
    CHECK(tgw_route_put(f.net, tables[0], &b, peering, false, &err), "%s", err.text);
    update(&f);
    struct live_probe p = probe(&f, f.a.instance, f.b.instance, 80, NULL, false);
    CHECK(p.arrived && !p.replied, "a route on one side");
    CHECK(tgw_route_put(f.net, tables[1], &a, peering, false, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, &f.a, &f.b) && answered(&f, &f.b, &f.a), "routes on both sides");
    tgw_attachment_end(f.net, peering);
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "the peering is gone");
    fixture_done(&f);
}

TEST(rules_name_groups_behind_a_gateway_that_carries_references)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct tgw_attachment *at[3];
    struct transit_gateway *tgw = hub(&f, at);
    struct sg_rule rule = {
        .protocol = PROTOCOL_TCP, .from = 5432, .to = 5432, .group_id = xstrdup(f.a.group->obj.id), .id = "sgr-x"
    };
    *VEC_ADD(&f.b.group->rules) = rule;
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 5432, NULL, false).arrived, "the gateway carries none");
    free(tgw->sg_referencing);
    tgw->sg_referencing = xstrdup("enable");
    update(&f);
    CHECK(probe(&f, f.a.instance, f.b.instance, 5432, NULL, false).replied, "a member of the group");
    CHECK(!probe(&f, f.c.instance, f.b.instance, 5432, NULL, false).arrived, "no member");
    free(at[0]->sg_referencing);
    at[0]->sg_referencing = xstrdup("disable");
    update(&f);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 5432, NULL, false).arrived, "an attachment carries none");
    CHECK(answered(&f, &f.a, &f.b), "which changes nothing else");
    fixture_done(&f);
}

TEST(a_group_of_a_peer_is_known_by_the_peering_and_not_by_a_gateway_that_carries_none)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct tgw_attachment *at[3];
    hub(&f, at);
    struct peering_spec spec = { .vpc_id = f.a.vpc->obj.id, .peer_vpc_id = f.b.vpc->obj.id };
    struct peering *pcx = peering_create(f.net, &spec, &err);
    REQUIRE(pcx && peering_accept(f.net, pcx, &err), "%s", err.text);
    allow(f.net, f.b.group, 81, f.a.group->obj.id);
    update(&f);
    CHECK(answered(&f, &f.a, &f.b), "by the gateway");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 81, NULL, false).arrived, "which does not know the group");
    struct route direct = { .cidr = cidr_lit("10.2.0.0/16"), .peering_id = (char *)pcx->obj.id };
    CHECK(route_create(f.net, f.a.table, &direct, &err), "%s", err.text);
    update(&f);
    CHECK(probe(&f, f.a.instance, f.b.instance, 81, NULL, false).arrived, "the peering does");
    fixture_done(&f);
}

TEST(ipv6_goes_by_a_transit_gateway_too)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(true);
    struct transit_gateway *tgw = gateway_new(&f, &(struct tgw_spec){ 0 });
    attach(&f, tgw, &f.a, f.a.subnet, "enable");
    struct tgw_attachment *b = attach(&f, tgw, &f.b, f.b.subnet, "disable");
    add_route(&f, f.a.table, cidr_str(&f.b.vpc->cidrs6.items[0].cidr), tgw);
    add_route(&f, f.b.table, cidr_str(&f.a.vpc->cidrs6.items[0].cidr), tgw);
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, true).arrived, "b's attachment has no IPv6");
    free(b->ipv6_support);
    b->ipv6_support = xstrdup("enable");
    update(&f);
    CHECK(probe(&f, f.a.instance, f.b.instance, 80, NULL, true).replied, "both have");
    CHECK(!probe(&f, f.a.instance, f.b.instance, 80, NULL, false).arrived, "no route for IPv4");
    fixture_done(&f);
}

TEST_MAIN
