/* Zones, NAT gateways and instances that fail: real packets, and what `reach` says of the same.  What is untouched
 * answers before, meanwhile and after. */
#include "netsim/analysis/reach.h"
#include "netsim/model/failure.h"
#include "netsim/model/transit_gateway.h"
#include "tests/live/places.h"

/* The instance of 'p' in another zone of its VPC. */
static struct place
other_zone(struct fixture *f, const struct place *p, const char *block, const char *zone)
{
    struct err err = { 0 };
    struct place q = *p;
    struct subnet_spec spec = { .vpc_id = p->vpc->obj.id, .cidr = cidr_lit(block), .zone = zone };
    q.subnet = subnet_create(f->net, &spec, &err);
    REQUIRE(q.subnet, "%s", err.text);
    q.instance = run(f->net, &q, ip_add(&spec.cidr.ip, 10));
    return q;
}

static struct place
zoned_place(struct fixture *f, const char *vpc, const char *block)
{
    struct err err = { 0 };
    struct place p = { .vpc = model_vpc(f->net, vpc, true) };
    p.subnet = model_subnet(f->net, p.vpc, block);
    struct cidr cidr = cidr_lit(block), six = { .ip = p.vpc->cidrs6.items[0].cidr.ip, .bits = 64 };
    REQUIRE(subnet_associate_cidr6(f->net, p.subnet, &six, &err), "%s", err.text);
    p.table = network_subnet_route_table(f->net, p.subnet);
    p.group = security_group_create(f->net, p.vpc->obj.id, "test", "test", &err);
    REQUIRE(p.group, "%s", err.text);
    allow(f->net, p.group, 80, "0.0.0.0/0");
    allow(f->net, p.group, 80, "::/0");
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0" };
    const char *group = p.group->obj.id;
    spec.eni = (struct eni_spec){
        .subnet_id = p.subnet->obj.id, .ip = ip_add(&cidr.ip, 10), .groups = &group, .n_groups = 1, .n_pick_ips6 = 1
    };
    REQUIRE(instances_run(f->net, &spec, 1, &p.instance, &err), "%s", err.text);
    spec.eni.ip = ip_add(&cidr.ip, 11);
    struct instance *second;
    REQUIRE(instances_run(f->net, &spec, 1, &second, &err), "%s", err.text);
    return p;
}

/* The kernel and analysis must say the same. */
static bool
both(struct fixture *f, const struct instance *from, const struct instance *to, bool six, const char **why)
{
    struct err err = { 0 };
    struct reach_result said = { 0 };
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80 };
    const struct eni *a = instance_eni(f->net, from, 0), *b = instance_eni(f->net, to, 0);
    p.src = six ? a->addresses6.items[0].ip : *eni_primary_ip(a);
    p.dst = six ? b->addresses6.items[0].ip : *eni_primary_ip(b);
    snprintf(p.from, sizeof p.from, "%s", from->obj.id);
    snprintf(p.to, sizeof p.to, "%s", to->obj.id);
    CHECK(live_probe(f->live, &p, 1, 300, &err), "%s", err.text);
    struct flow_spec flow = { .from.kind = FLOW_END_ENI,
                              .to.kind = FLOW_END_ENI,
                              .protocol = PROTOCOL_TCP,
                              .dst_port = 80,
                              .src_port = p.src_port ? p.src_port : 40000,
                              .icmp_type = -1,
                              .icmp_code = -1,
                              .src_ip = p.src,
                              .dst_ip = p.dst };
    snprintf(flow.from.id, sizeof flow.from.id, "%s", a->obj.id);
    snprintf(flow.to.id, sizeof flow.to.id, "%s", b->obj.id);
    REQUIRE(reach(f->net, &flow, false, &said, &err), "%s", err.text);
    CHECK(said.reachable == p.arrived && (said.reply == REPLY_ALLOWED) == p.replied,
          "%s -> %s: analysis %d (%s), kernel %d", from->obj.id, to->obj.id, said.reachable, said.why ? said.why : "",
          p.arrived);
    *why = said.why ? said.why : said.reply_why ? said.reply_why : "";
    reach_result_done(&said);
    return p.replied;
}

static void
set_failed(struct fixture *f, const char *type, const char *target, bool restored)
{
    struct err err = { 0 };
    CHECK(restored ? failure_remove(f->net, type, target, &err) : failure_add(f->net, type, target, &err) != NULL, "%s",
          err.text);
    update(f);
}

TEST(a_failed_zone_is_dead_and_the_others_go_on)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    const char *why;
    struct place a = zoned_place(&f, "10.4.0.0/16", "10.4.1.0/24");
    struct place b = other_zone(&f, &a, "10.4.2.0/24", "us-east-1b"),
                 c = other_zone(&f, &a, "10.4.3.0/24", "us-east-1c");
    const struct instance *neighbour = NULL;
    for (const struct instance *i = store_first(network_store(f.net), &instance_kind); i;
         i = store_next(network_store(f.net), i)) {
        const struct eni *eni = instance_eni(f.net, i, 0);
        neighbour = strcmp(ip_str(eni_primary_ip(eni)), "10.4.1.11") == 0 ? i : neighbour;
    }
    REQUIRE(neighbour);
    update(&f);
    for (int round = 0; round < 2; round++) {
        CHECK(both(&f, a.instance, b.instance, false, &why) && both(&f, b.instance, c.instance, false, &why), "%s",
              why);
        CHECK(both(&f, a.instance, neighbour, true, &why) && both(&f, a.instance, neighbour, false, &why), "%s", why);
        set_failed(&f, "az", "us-east-1a", false);
        CHECK(!both(&f, a.instance, b.instance, false, &why) && strcmp(why, "failed") == 0, "%s", why);
        CHECK(!both(&f, b.instance, a.instance, false, &why) && strcmp(why, "failed") == 0, "%s", why);
        CHECK(!both(&f, a.instance, neighbour, false, &why) && !both(&f, neighbour, a.instance, true, &why), "%s", why);
        CHECK(both(&f, b.instance, c.instance, false, &why) && both(&f, c.instance, b.instance, false, &why), "%s",
              why);
        set_failed(&f, "az", "us-east-1a", true);
    }
    CHECK(both(&f, a.instance, b.instance, false, &why) && both(&f, a.instance, neighbour, true, &why), "%s", why);
    fixture_done(&f);
}

TEST(a_failed_instance_keeps_its_programs_and_loses_its_network)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    const char *why;
    struct place a = zoned_place(&f, "10.4.0.0/16", "10.4.1.0/24"), b = other_zone(&f, &a, "10.4.2.0/24", "us-east-1b");
    update(&f);
    int before = live_namespace(f.live, a.instance->obj.id);
    CHECK(before >= 0 && both(&f, b.instance, a.instance, false, &why), "%s", why);
    set_failed(&f, "instance", a.instance->obj.id, false);
    CHECK(!both(&f, b.instance, a.instance, false, &why) && strcmp(why, "failed") == 0, "%s", why);
    CHECK(live_namespace(f.live, a.instance->obj.id) == before, "the same namespace");
    set_failed(&f, "instance", a.instance->obj.id, true);
    CHECK(both(&f, b.instance, a.instance, false, &why) && both(&f, a.instance, b.instance, false, &why), "%s", why);
    CHECK(live_namespace(f.live, a.instance->obj.id) == before, "the same namespace");
    fixture_done(&f);
}

TEST(a_transit_gateway_goes_by_the_zones_that_are_left)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    const char *why;
    struct place a = zoned_place(&f, "10.4.0.0/16", "10.4.1.0/24"), b = other_zone(&f, &a, "10.4.2.0/24", "us-east-1b");
    struct transit_gateway *tgw = tgw_create(f.net, &(struct tgw_spec){ 0 }, &err);
    const char *near[] = { a.subnet->obj.id, b.subnet->obj.id }, *far[] = { f.b.subnet->obj.id };
    struct tgw_vpc_spec specs[] = {
        { .tgw_id = tgw->obj.id, .vpc_id = a.vpc->obj.id, .subnet_ids = near, .n_subnets = 2 },
        { .tgw_id = tgw->obj.id, .vpc_id = f.b.vpc->obj.id, .subnet_ids = far, .n_subnets = 1 },
    };
    for (size_t i = 0; i < 2; i++) {
        struct route route = { .cidr = cidr_lit("10.0.0.0/8"), .transit_gateway_id = tgw->obj.id };
        REQUIRE(tgw_attach_vpc(f.net, &specs[i], &err), "%s", err.text);
        REQUIRE(route_create(f.net, i ? f.b.table : a.table, &route, &err), "%s", err.text);
    }
    update(&f);
    CHECK(both(&f, a.instance, f.b.instance, false, &why) && both(&f, b.instance, f.b.instance, false, &why), "%s",
          why);
    set_failed(&f, "az", "us-east-1b", false);
    CHECK(both(&f, a.instance, f.b.instance, false, &why), "%s", why);
    CHECK(!both(&f, f.b.instance, b.instance, false, &why), "%s", why);
    set_failed(&f, "az", "us-east-1b", true);
    set_failed(&f, "az", "us-east-1a", false);
    CHECK(!both(&f, b.instance, f.b.instance, false, &why) && strcmp(why, "failed") == 0,
          "the other attachment has subnets in the failed zone alone: %s", why);
    set_failed(&f, "az", "us-east-1a", true);
    CHECK(both(&f, b.instance, f.b.instance, false, &why), "%s", why);
    fixture_done(&f);
}

/* Of two NAT gateways in two zones one fails: whose table leads to it is cut off, the other goes on. */
TEST(a_failed_nat_gateway_cuts_those_routed_to_it)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct fixture f = fixture_new(false);
    struct place inner[2] = { zoned_place(&f, "10.4.0.0/16", "10.4.1.0/24") };
    struct vpc *vpc = inner[0].vpc;
    inner[1] = other_zone(&f, &inner[0], "10.4.2.0/24", "us-east-1b");
    struct internet_gateway *igw = model_igw(f.net, vpc);
    struct nat_gateway *nats[2];
    for (int i = 0; i < 2; i++) {
        struct subnet_spec spec = { .vpc_id = vpc->obj.id,
                                    .cidr = cidr_lit(i ? "10.4.12.0/24" : "10.4.11.0/24"),
                                    .zone = i ? "us-east-1b" : "us-east-1a" };
        struct subnet *edge = subnet_create(f.net, &spec, &err);
        struct elastic_ip *eip = elastic_ip_allocate(f.net, &err);
        struct route_table *out = route_table_create(f.net, vpc->obj.id, false, &err);
        struct route world = { .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = igw->obj.id };
        REQUIRE(edge && eip && out && route_create(f.net, out, &world, &err), "%s", err.text);
        REQUIRE(route_table_associate(f.net, out, edge->obj.id, &err), "%s", err.text);
        nats[i] = nat_gateway_create(f.net, edge->obj.id, eip->obj.id, NULL, &err);
        REQUIRE(nats[i], "%s", err.text);
        struct route_table *own = route_table_create(f.net, vpc->obj.id, false, &err);
        struct route by_nat = { .cidr = cidr_lit("0.0.0.0/0"), .nat_gateway_id = nats[i]->obj.id };
        REQUIRE(own && route_create(f.net, own, &by_nat, &err), "%s", err.text);
        REQUIRE(route_table_associate(f.net, own, inner[i].subnet->obj.id, &err), "%s", err.text);
    }
    update(&f);
    struct live_probe probes[2];
    for (int step = 0; step < 4; step++) {
        for (int i = 0; i < 2; i++) {
            probes[i] = (struct live_probe){ .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = ip_lit("8.8.8.8") };
            snprintf(probes[i].from, ID_SIZE, "%s", inner[i].instance->obj.id);
            snprintf(probes[i].to, ID_SIZE, "internet");
        }
        CHECK(live_probe(f.live, probes, 2, 300, &err), "%s", err.text);
        CHECK(probes[0].replied == (step != 1 && step != 3) && probes[1].replied, "step %d: %d %d", step,
              probes[0].replied, probes[1].replied);
        if (step == 0) {
            set_failed(&f, "nat", nats[0]->obj.id, false);
        } else if (step == 1) {
            set_failed(&f, "nat", nats[0]->obj.id, true);
        } else if (step == 2) {
            set_failed(&f, "az", "us-east-1a", false);
        }
    }
    fixture_done(&f);
}

TEST_MAIN
