/* tests/live/places.h - three VPCs with an instance each, live, for tests of what joins them. */
#pragma once
#include "tests/live/lab.h"
#include "tests/unit/model.h"

/* One VPC with one public subnet, a group that lets everything in and out, and an instance. */
struct place {
    struct vpc *vpc;
    struct subnet *subnet;
    struct route_table *table;
    struct security_group *group;
    struct instance *instance;
};
struct fixture {
    struct network *net;
    struct live *live;
    struct place a, b, c;
};

static struct instance *
run(struct network *net, const struct place *p, struct ip ip)
{
    struct err err = { 0 };
    struct instance *instance;
    const char *group = p->group->obj.id;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0" };
    spec.eni = (struct eni_spec){ .subnet_id = p->subnet->obj.id, .ip = ip, .groups = &group, .n_groups = 1 };
    spec.eni.n_pick_ips6 = subnet_cidr6(p->subnet) ? 1 : 0;
    REQUIRE(instances_run(net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

/* 'from' is a block or a group. */
static void
allow(struct network *net, struct security_group *group, int port, const char *from)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = port, .to = port };
    if (strncmp(from, "sg-", 3) == 0) {
        rule.group_id = (char *)from;
    } else {
        rule.cidr = cidr_lit(from);
    }
    REQUIRE(security_group_authorize(net, group, &rule, 1, &err), "%s: %s", from, err.text);
}

static struct place
place_new(struct network *net, const char *block, bool ipv6)
{
    struct err err = { 0 };
    struct place p = { .vpc = model_vpc(net, block, ipv6) };
    struct cidr cidr = cidr_lit(block);
    p.subnet = model_subnet(net, p.vpc, block);
    model_igw(net, p.vpc);
    if (ipv6) {
        struct cidr six = { .ip = p.vpc->cidrs6.items[0].cidr.ip, .bits = 64 };
        REQUIRE(subnet_associate_cidr6(net, p.subnet, &six, &err), "%s", err.text);
    }
    p.table = network_subnet_route_table(net, p.subnet);
    p.group = security_group_create(net, p.vpc->obj.id, "test", "test", &err);
    REQUIRE(p.group, "%s", err.text);
    p.instance = run(net, &p, ip_add(&cidr.ip, 10));
    return p;
}

/* Port 80 is open to everyone; nothing is routed yet. */
static struct fixture
fixture_new(bool ipv6)
{
    struct err err = { 0 };
    struct fixture f = { .net = model_new() };
    f.a = place_new(f.net, "10.1.0.0/16", ipv6);
    f.b = place_new(f.net, "10.2.0.0/16", ipv6);
    f.c = place_new(f.net, "10.3.0.0/16", ipv6);
    struct place *const all[] = { &f.a, &f.b, &f.c };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        allow(f.net, all[i]->group, 80, "0.0.0.0/0");
        if (ipv6) {
            allow(f.net, all[i]->group, 80, "::/0");
        }
    }
    f.live = live_start(f.net, NULL, &err);
    REQUIRE(f.live, "%s: %s (%s)", err.where, err.text, err.hint);
    return f;
}

static void
fixture_done(struct fixture *f)
{
    live_stop(f->live);
    network_free(f->net);
}

static void
update(struct fixture *f)
{
    struct err err = { 0 };
    store_touch(network_store(f->net));
    CHECK(live_update(f->live, f->net, &err), "%s: %s (%s)", err.where, err.text, err.hint);
}

__attribute__((unused)) static struct live_probe
probe(struct fixture *f, const struct instance *from, const struct instance *to, int port, const char *source, bool six)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = port };
    const struct eni *eni = instance_eni(f->net, to, 0);
    snprintf(p.from, sizeof p.from, "%s", from->obj.id);
    snprintf(p.to, sizeof p.to, "%s", to->obj.id);
    p.src = source ? ip_lit(source) : (struct ip){ 0 };
    p.dst = six ? eni->addresses6.items[0].ip : *eni_primary_ip(eni);
    CHECK(live_probe(f->live, &p, 1, 300, &err), "%s", err.text);
    return p;
}

__attribute__((unused)) static bool
answered(struct fixture *f, const struct place *from, const struct place *to)
{
    return probe(f, from->instance, to->instance, 80, NULL, false).replied;
}
