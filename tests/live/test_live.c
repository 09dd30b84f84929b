/* What a model change does to the next packet.  Every "does not arrive" stands beside the same packet arriving once the
 * one thing that stops it is taken away. */
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include "netsim/live/flow_source.h"
#include "netsim/live/live_internal.h"
#include "tests/live/lab.h"
#include "tests/unit/model.h"

/* A VPC with two public subnets and three instances: a and b in the first, c in the second; one group that lets nothing
 * in. */
struct fixture {
    struct network *net;
    struct live *live;
    struct vpc *vpc;
    struct subnet *one, *two;
    struct internet_gateway *igw;
    struct security_group *group;
    struct instance *a, *b, *c;
};

static void
update(struct fixture *f)
{
    struct err err = { 0 };
    store_touch(network_store(f->net));
    CHECK(live_update(f->live, f->net, &err), "%s: %s (%s)", err.where, err.text, err.hint);
}

static struct route_table *
main_table(const struct fixture *f)
{
    return network_subnet_route_table(f->net, f->one);
}

static void
add_route(struct fixture *f, struct route_table *table, const char *to, struct route spec)
{
    struct err err = { 0 };
    struct cidr cidr = cidr_lit(to);
    *(cidr.ip.family == IP_V6 ? &spec.cidr6 : &spec.cidr) = cidr;
    CHECK(route_create(f->net, table, &spec, &err), "%s: %s", to, err.text);
}

static void
allow(struct fixture *f, struct security_group *group, int protocol, int port, const char *from)
{
    struct err err = { 0 };
    struct sg_rule rule = { .protocol = protocol, .from = port, .to = port, .cidr = cidr_lit(from) };
    CHECK(security_group_authorize(f->net, group, &rule, 1, &err), "%s", err.text);
}

static void
disallow_last(struct fixture *f, struct security_group *group)
{
    struct err err = { 0 };
    const char *id = group->rules.items[group->rules.n - 1].id;
    CHECK(security_group_revoke_ids(f->net, group, false, &id, 1, &err), "%s", err.text);
}

static struct instance *
run(struct fixture *f, const struct subnet *subnet, const char *ip)
{
    struct err err = { 0 };
    const char *group = f->group->obj.id;
    struct instance *instance;
    struct instance_spec spec = { .image_id = "ami-0123456789abcdef0", .public_ip = 1 };
    spec.eni = (struct eni_spec){ .subnet_id = subnet->obj.id, .ip = ip_lit(ip), .groups = &group, .n_groups = 1 };
    spec.eni.n_pick_ips6 = f->vpc->cidrs6.n ? 1 : 0;
    REQUIRE(instances_run(f->net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

static struct fixture
fixture_new(bool ipv6)
{
    struct fixture f = { .net = model_new() };
    struct err err = { 0 };
    f.vpc = model_vpc(f.net, "10.0.0.0/16", ipv6);
    f.one = model_subnet(f.net, f.vpc, "10.0.1.0/24");
    f.two = model_subnet(f.net, f.vpc, "10.0.2.0/24");
    f.igw = model_igw(f.net, f.vpc);
    if (ipv6) {
        for (int i = 0; i < 2; i++) {
            struct cidr block = { .ip = ip_add(&f.vpc->cidrs6.items[0].cidr.ip, 0), .bits = 64 };
            block.ip.hi += (uint64_t)i;
            REQUIRE(subnet_associate_cidr6(f.net, i ? f.two : f.one, &block, &err), "%s", err.text);
        }
    }
    f.group = security_group_create(f.net, f.vpc->obj.id, "test", "test", &err);
    REQUIRE(f.group, "%s", err.text);
    add_route(&f, main_table(&f), "0.0.0.0/0", (struct route){ .gateway_id = f.igw->obj.id });
    f.a = run(&f, f.one, "10.0.1.10");
    f.b = run(&f, f.one, "10.0.1.11");
    f.c = run(&f, f.two, "10.0.2.10");
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

static struct live_probe
probe(struct fixture *f, const char *from, const char *to, int protocol, int port, int src_port)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = protocol, .dst_port = port, .src_port = src_port };
    snprintf(p.from, sizeof p.from, "%s", from);
    snprintf(p.to, sizeof p.to, "%s", to);
    CHECK(live_probe(f->live, &p, 1, 300, &err), "%s", err.text);
    return p;
}

static bool
arrives(struct fixture *f, const struct instance *from, const struct instance *to, int protocol, int port)
{
    return probe(f, from->obj.id, to->obj.id, protocol, port, 0).arrived;
}

static bool
answered(struct fixture *f, const struct instance *from, const struct instance *to, int protocol, int port)
{
    return probe(f, from->obj.id, to->obj.id, protocol, port, 0).replied;
}

/* An ACL of its own for a subnet; allows everything to begin with. */
static struct network_acl *
own_acl(struct fixture *f, const struct subnet *subnet)
{
    struct err err = { 0 };
    struct network_acl *old = network_subnet_acl(f->net, subnet),
                       *acl = network_acl_create(f->net, f->vpc->obj.id, false, &err);
    REQUIRE(acl, "%s", err.text);
    for (size_t i = 0; i < old->associations.n; i++) {
        if (strcmp(old->associations.items[i].subnet_id, subnet->obj.id) == 0) {
            char id[ID_SIZE];
            snprintf(id, sizeof id, "%s", old->associations.items[i].id);
            REQUIRE(network_acl_replace_association(f->net, id, acl, &err), "%s", err.text);
            break;
        }
    }
    for (int egress = 0; egress < 2; egress++) {
        struct nacl_entry entry = {
            .number = 100, .egress = egress, .action = NACL_ALLOW, .protocol = -1, .cidr = cidr_lit("0.0.0.0/0")
        };
        REQUIRE(network_acl_add_entry(f->net, acl, &entry, &err), "%s", err.text);
    }
    return acl;
}

static void
acl_deny(struct fixture *f, struct network_acl *acl, int number, bool egress, int protocol, const char *cidr)
{
    struct err err = { 0 };
    struct nacl_entry entry = { .number = number,
                                .egress = egress,
                                .action = NACL_DENY,
                                .protocol = protocol,
                                .cidr = cidr_lit(cidr),
                                .has_ports = protocol >= 0,
                                .ports = { 0, 65535 } };
    CHECK(network_acl_add_entry(f->net, acl, &entry, &err), "%s", err.text);
}

static void
acl_remove(struct fixture *f, struct network_acl *acl, int number, bool egress)
{
    struct err err = { 0 };
    CHECK(network_acl_delete_entry(f->net, acl, number, egress, &err), "%s", err.text);
}

/* ---- security groups ----------------------------------------------------------------------------------------------
 */
TEST(a_group_rule_acts_on_the_next_packet)
{
    static const struct {
        int protocol, port, other;
    } cases[] = { { PROTOCOL_TCP, 80, 81 }, { PROTOCOL_UDP, 53, 54 } };
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int protocol = cases[i].protocol, port = cases[i].port;
        CHECK(!arrives(&f, f.a, f.c, protocol, port), "protocol %d before", protocol);
        allow(&f, f.group, protocol, port, "10.0.1.0/24");
        update(&f);
        CHECK(answered(&f, f.a, f.c, protocol, port), "protocol %d", protocol);
        CHECK(answered(&f, f.a, f.b, protocol, port), "protocol %d in one subnet", protocol);
        CHECK(!arrives(&f, f.a, f.c, protocol, cases[i].other), "protocol %d another port", protocol);
        CHECK(!arrives(&f, f.c, f.a, protocol, port), "protocol %d from another block", protocol);
        disallow_last(&f, f.group);
        update(&f);
        CHECK(!arrives(&f, f.a, f.c, protocol, port), "protocol %d after", protocol);
    }
    fixture_done(&f);
}

TEST(tracked_flows_outlive_their_rule_but_not_an_acl)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct network_acl *acl = own_acl(&f, f.two);
    allow(&f, f.group, PROTOCOL_UDP, 53, "10.0.0.0/8");
    update(&f);
    CHECK(probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_UDP, 53, 40001).replied, "begins");
    disallow_last(&f, f.group);
    update(&f);
    CHECK(probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_UDP, 53, 40001).arrived, "the tracked flow goes on");
    CHECK(!probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_UDP, 53, 40002).arrived, "a new one does not begin");
    acl_deny(&f, acl, 50, false, PROTOCOL_UDP, "10.0.1.0/24");
    update(&f);
    CHECK(!probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_UDP, 53, 40001).arrived, "an ACL cuts at once");
    acl_remove(&f, acl, 50, false);
    update(&f);
    CHECK(probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_UDP, 53, 40001).arrived, "without it the flow goes on");
    fixture_done(&f);
}

TEST(members_of_a_group_come_and_go)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct security_group *friends = security_group_create(f.net, f.vpc->obj.id, "friends", "friends", &err);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 22, .to = 22, .group_id = friends->obj.id };
    CHECK(security_group_authorize(f.net, f.group, &rule, 1, &err), "%s", err.text);
    update(&f);
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 22), "no member");
    const char *both[] = { f.group->obj.id, friends->obj.id };
    CHECK(eni_set_groups(f.net, instance_eni(f.net, f.a, 0), both, 2, &err), "%s", err.text);
    update(&f);
    CHECK(arrives(&f, f.a, f.c, PROTOCOL_TCP, 22), "a member");
    CHECK(!arrives(&f, f.b, f.c, PROTOCOL_TCP, 22), "another instance");
    CHECK(eni_set_groups(f.net, instance_eni(f.net, f.a, 0), both, 1, &err), "%s", err.text);
    update(&f);
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 22), "no member any more");
    fixture_done(&f);
}

TEST(prefix_lists_count_with_every_block)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct prefix_list_entry entries[] = { { .cidr = cidr_lit("10.0.1.10/32") }, { .cidr = cidr_lit("10.0.1.0/28") } };
    struct prefix_list *list = prefix_list_create(f.net, "web", "IPv4", 10, entries, 1, &err);
    REQUIRE(list, "%s", err.text);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .prefix_list_id = list->obj.id };
    CHECK(security_group_authorize(f.net, f.group, &rule, 1, &err), "%s", err.text);
    update(&f);
    CHECK(arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "10.0.1.10 is in the list");
    CHECK(!arrives(&f, f.b, f.c, PROTOCOL_TCP, 80), "10.0.1.11 is not");
    CHECK(prefix_list_modify(f.net, list, list->version, &entries[1], 1, NULL, 0, &err), "%s", err.text);
    update(&f);
    CHECK(arrives(&f, f.b, f.c, PROTOCOL_TCP, 80), "10.0.1.11 is now");
    CHECK(arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "10.0.1.10 is in both blocks");
    fixture_done(&f);
}

/* ---- network ACLs -------------------------------------------------------------------------------------------------
 */
TEST(an_acl_meets_the_answer_too)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct network_acl *acl = own_acl(&f, f.two);
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    acl_deny(&f, acl, 50, true, PROTOCOL_TCP, "10.0.1.0/24");
    update(&f);
    struct live_probe p = probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_TCP, 80, 0);
    CHECK(p.arrived && !p.replied, "arrived %d, replied %d", p.arrived, p.replied);
    acl_remove(&f, acl, 50, true);
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_TCP, 80), "without the deny");
    fixture_done(&f);
}

TEST(an_acl_never_applies_inside_its_subnet)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct network_acl *acl = own_acl(&f, f.one);
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    for (int egress = 0; egress < 2; egress++) {
        acl_deny(&f, acl, 1, egress, -1, "0.0.0.0/0");
    }
    update(&f);
    CHECK(answered(&f, f.a, f.b, PROTOCOL_TCP, 80), "inside the subnet");
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "out of it");
    CHECK(!arrives(&f, f.c, f.a, PROTOCOL_TCP, 80), "into it");
    for (int egress = 0; egress < 2; egress++) {
        acl_remove(&f, acl, 1, egress);
    }
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_TCP, 80), "without the denies");
    fixture_done(&f);
}

TEST(the_first_acl_rule_that_matches_decides)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct network_acl *acl = own_acl(&f, f.two);
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    acl_deny(&f, acl, 200, false, -1, "0.0.0.0/0");
    update(&f);
    CHECK(arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "100 allows before 200 denies");
    acl_deny(&f, acl, 99, false, PROTOCOL_TCP, "10.0.1.0/24");
    update(&f);
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "99 denies first");
    fixture_done(&f);
}

/* ---- interfaces ---------------------------------------------------------------------------------------------------
 */
TEST(the_source_check_drops_foreign_addresses)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct eni *eni = instance_eni(f.net, f.a, 0);
    allow(&f, f.group, -1, -1, "0.0.0.0/0");
    update(&f);
    for (int check = 1; check >= 0; check--) {
        struct live_probe p = { .protocol = PROTOCOL_UDP, .dst_port = 9, .src = ip_lit("10.0.1.77") };
        struct err err = { 0 };
        eni->source_dest_check = check;
        update(&f);
        snprintf(p.from, sizeof p.from, "%s", f.a->obj.id);
        snprintf(p.to, sizeof p.to, "%s", f.c->obj.id);
        CHECK(live_probe(f.live, &p, 1, 300, &err), "%s", err.text);
        CHECK(p.arrived == !check, "check %d", check);
    }
    fixture_done(&f);
}

TEST(a_stopped_instance_has_no_link)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_TCP, 80), "running");
    CHECK(instance_stop(f.net, f.c, &err), "%s", err.text);
    update(&f);
    CHECK(live_namespace(f.live, f.c->obj.id) < 0, "its namespace is gone");
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 80), "stopped");
    CHECK(instance_start(f.net, f.c, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_TCP, 80), "started");
    fixture_done(&f);
}

TEST(several_interfaces_and_addresses)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    const char *group = f.group->obj.id;
    struct ip second = ip_lit("10.0.2.50");
    struct eni *eni = eni_create(f.net,
                                 &(struct eni_spec){ .subnet_id = f.two->obj.id,
                                                     .ip = ip_lit("10.0.2.20"),
                                                     .secondary = &second,
                                                     .n_secondary = 1,
                                                     .groups = &group,
                                                     .n_groups = 1 },
                                 &err);
    REQUIRE(eni && eni_attach(f.net, eni, f.a->obj.id, 1, &err), "%s", err.text);
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    update(&f);
    /* The far end answers through the interface it was asked at. */
    CHECK(probe(&f, f.b->obj.id, eni->obj.id, PROTOCOL_TCP, 80, 0).replied, "to eth1");
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = second };
    snprintf(p.from, sizeof p.from, "%s", f.b->obj.id);
    snprintf(p.to, sizeof p.to, "%s", eni->obj.id);
    CHECK(live_probe(f.live, &p, 1, 300, &err) && p.replied, "to a secondary address");
    p = probe(&f, eni->obj.id, f.b->obj.id, PROTOCOL_TCP, 80, 0);
    CHECK(p.replied && strcmp(ip_str(&p.seen_src), "10.0.2.20") == 0, "from eth1: seen from %s", ip_str(&p.seen_src));
    CHECK(answered(&f, f.a, f.b, PROTOCOL_TCP, 80), "from eth0 as before");
    CHECK(eni_detach(f.net, eni->attachment.id, false, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.b->obj.id, eni->obj.id, PROTOCOL_TCP, 80, 0).arrived, "detached");
    CHECK(answered(&f, f.a, f.b, PROTOCOL_TCP, 80), "eth0 stays");
    fixture_done(&f);
}

/* ---- routes and gateways ------------------------------------------------------------------------------------------
 */
TEST(the_internet_gateway_translates_one_to_one)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    const struct ip *private = eni_primary_ip(instance_eni(f.net, f.a, 0));
    struct ip public = *eni_public_ip(instance_eni(f.net, f.a, 0), private);
    struct live_probe p = probe(&f, f.a->obj.id, "internet", PROTOCOL_TCP, 443, 0);
    CHECK(p.replied && ip_equal(&p.seen_src, &public), "out: seen from %s", ip_str(&p.seen_src));
    allow(&f, f.group, PROTOCOL_TCP, 443, "0.0.0.0/0");
    update(&f);
    p = (struct live_probe){ .from = "internet", .protocol = PROTOCOL_TCP, .dst_port = 443, .dst = public };
    snprintf(p.to, sizeof p.to, "%s", f.a->obj.id);
    CHECK(live_probe(f.live, &p, 1, 300, &err) && p.replied && ip_equal(&p.seen_dst, private), "in: seen at %s",
          ip_str(&p.seen_dst));
    struct route spec = { .cidr = cidr_lit("0.0.0.0/0") };
    CHECK(route_delete(f.net, main_table(&f), &spec, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.a->obj.id, "internet", PROTOCOL_TCP, 443, 0).arrived, "no route, no way out");
    fixture_done(&f);
}

TEST(a_tracked_flow_ends_with_its_public_address)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct eni *eni = instance_eni(f.net, f.a, 0);
    struct elastic_ip *eip = elastic_ip_allocate(f.net, &err);
    REQUIRE(elastic_ip_associate(f.net, eip, eni, &(struct ip){ 0 }, true, &err), "%s", err.text);
    update(&f);
    struct live_probe p = probe(&f, f.a->obj.id, "internet", PROTOCOL_UDP, 53, 40001);
    CHECK(p.replied && ip_equal(&p.seen_src, &eip->public_ip), "with the address: seen from %s", ip_str(&p.seen_src));
    REQUIRE(elastic_ip_disassociate(f.net, eip->association_id, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.a->obj.id, "internet", PROTOCOL_UDP, 53, 40001).arrived, "the same flow without it");
    REQUIRE(elastic_ip_associate(f.net, eip, eni, &(struct ip){ 0 }, true, &err), "%s", err.text);
    update(&f);
    CHECK(probe(&f, f.a->obj.id, "internet", PROTOCOL_UDP, 53, 40001).replied, "and with it again");
    fixture_done(&f);
}

TEST(hairpin_through_public_addresses)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct eni *a = instance_eni(f.net, f.a, 0), *c = instance_eni(f.net, f.c, 0);
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    update(&f);
    struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = *eni_public_ip(c, eni_primary_ip(c)) };
    snprintf(p.from, sizeof p.from, "%s", f.a->obj.id);
    snprintf(p.to, sizeof p.to, "%s", f.c->obj.id);
    CHECK(live_probe(f.live, &p, 1, 300, &err), "%s", err.text);
    CHECK(p.replied && ip_equal(&p.seen_src, eni_public_ip(a, eni_primary_ip(a))), "seen from %s", ip_str(&p.seen_src));
    fixture_done(&f);
}

/* In the first subnet. */
static struct nat_gateway *
nat_in_one(struct fixture *f, const struct elastic_ip *eip)
{
    struct err err = { 0 };
    struct nat_gateway *nat = nat_gateway_create(f->net, f->one->obj.id, eip->obj.id, NULL, &err);
    REQUIRE(nat, "%s", err.text);
    return nat;
}

TEST(a_nat_gateway_hides_its_subnet_and_answers_nobody)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct elastic_ip *eip = elastic_ip_allocate(f.net, &err);
    struct nat_gateway *nat = nat_in_one(&f, eip);
    struct route_table *private = route_table_create(f.net, f.vpc->obj.id, false, &err);
    REQUIRE(route_table_associate(f.net, private, f.two->obj.id, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.c->obj.id, "internet", PROTOCOL_TCP, 443, 0).arrived, "without a route");
    add_route(&f, private, "0.0.0.0/0", (struct route){ .nat_gateway_id = nat->obj.id });
    update(&f);
    static const int protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP };
    for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
        struct live_probe p =
            probe(&f, f.c->obj.id, "internet", protocols[i], protocols[i] == PROTOCOL_ICMP ? 8 : 443, 0);
        CHECK(p.replied && ip_equal(&p.seen_src, &eip->public_ip), "protocol %d: seen from %s", protocols[i],
              ip_str(&p.seen_src));
    }
    CHECK(!probe(&f, f.c->obj.id, "internet", 107, 0, 0).arrived, "another protocol");
    struct live_probe p = { .from = "internet", .protocol = PROTOCOL_TCP, .dst_port = 443, .dst = eip->public_ip };
    snprintf(p.to, sizeof p.to, "%s", nat->obj.id);
    CHECK(live_probe(f.live, &p, 1, 300, &err) && !p.replied, "from outside");
    CHECK(nat_gateway_delete(f.net, nat, &err), "%s", err.text);
    update(&f);
    CHECK(!probe(&f, f.c->obj.id, "internet", PROTOCOL_TCP, 443, 0).arrived, "deleted: the route is a blackhole");
    fixture_done(&f);
}

/* A target would take a probe from the port of a connection that it remembers for a piece of that. */
TEST(what_nodes_open_by_themselves_has_other_ports_than_probes)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct nat_gateway *nat = nat_in_one(&f, elastic_ip_allocate(f.net, NULL));
    update(&f);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), first = 0, last = 0;
    REQUIRE(home >= 0 && setns(spaces_find(&f.live->spaces, nat->obj.id)->fd, CLONE_NEWNET) == 0);
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
    CHECK(file && fscanf(file, "%d %d", &first, &last) == 2);
    REQUIRE(setns(home, CLONE_NEWNET) == 0 && fclose(file) == 0 && close(home) == 0);
    CHECK(first > 1024 && last > first && last < LIVE_PROBE_PORT, "%d to %d", first, last);
    fixture_done(&f);
}

TEST(a_route_inside_the_vpc_leads_through_an_appliance)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct subnet *three = model_subnet(f.net, f.vpc, "10.0.3.0/24");
    struct instance *appliance = run(&f, three, "10.0.3.10");
    struct eni *eni = instance_eni(f.net, appliance, 0);
    allow(&f, f.group, PROTOCOL_UDP, 80, "0.0.0.0/0");
    struct route_table *table = route_table_create(f.net, f.vpc->obj.id, false, &err);
    REQUIRE(route_table_associate(f.net, table, f.one->obj.id, &err), "%s", err.text);
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_UDP, 80), "local");
    add_route(&f, table, "10.0.2.0/24", (struct route){ .eni_id = eni->obj.id });
    eni->source_dest_check = false;
    object_set_tag(&appliance->obj, "vpclab:appliance", "none");
    update(&f);
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_UDP, 80), "the appliance keeps what is not its own");
    CHECK(answered(&f, f.a, f.b, PROTOCOL_UDP, 80), "the sender's own subnet is not asked");
    object_unset_tag(&appliance->obj, "vpclab:appliance");
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_UDP, 80), "through the appliance");
    eni->source_dest_check = true;
    update(&f);
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_UDP, 80), "its source and destination check is on");
    eni->source_dest_check = false;
    update(&f);
    CHECK(answered(&f, f.a, f.c, PROTOCOL_UDP, 80), "and off again");
    fixture_done(&f);
}

/* ---- IPv6 ---------------------------------------------------------------------------------------------------------
 */
TEST(ipv6_within_the_vpc_and_with_the_internet)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(true);
    struct err err = { 0 };
    struct ip c6 = instance_eni(f.net, f.c, 0)->addresses6.items[0].ip,
              b6 = instance_eni(f.net, f.b, 0)->addresses6.items[0].ip;
    struct ip a6 = instance_eni(f.net, f.a, 0)->addresses6.items[0].ip;
    add_route(&f, main_table(&f), "::/0", (struct route){ .gateway_id = f.igw->obj.id });
    update(&f);
    struct live_probe cases[] = {
        { .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = c6 },
        { .protocol = PROTOCOL_UDP, .dst_port = 80, .dst = b6 },
        { .protocol = PROTOCOL_ICMPV6, .dst_port = 128, .dst = c6 },
        { .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = a6 },
    };
    const struct instance *to[] = { f.c, f.b, f.c, f.a };
    for (int allowed = 0; allowed < 2; allowed++) {
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
            struct live_probe p = cases[i];
            snprintf(p.from, sizeof p.from, "%s", to[i] == f.a ? "internet" : f.a->obj.id);
            snprintf(p.to, sizeof p.to, "%s", to[i]->obj.id);
            CHECK(live_probe(f.live, &p, 1, 300, &err), "%s", err.text);
            CHECK(p.arrived == (allowed == 1) && p.replied == p.arrived, "case %zu, allowed %d: arrived %d, replied %d",
                  i, allowed, p.arrived, p.replied);
        }
        if (!allowed) {
            allow(&f, f.group, -1, -1, "::/0");
            update(&f);
        }
    }
    struct live_probe p = {
        .to = "internet", .protocol = PROTOCOL_TCP, .dst_port = 443, .dst = ip_lit("2001:4860:4860::8888")
    };
    snprintf(p.from, sizeof p.from, "%s", f.a->obj.id);
    CHECK(live_probe(f.live, &p, 1, 300, &err) && p.replied && ip_equal(&p.seen_src, &a6), "out: seen from %s",
          ip_str(&p.seen_src));
    fixture_done(&f);
}

/* ---- failing ------------------------------------------------------------------------------------------------------
 */
TEST(a_change_the_kernel_refuses_leaves_the_lab_as_it_was)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    update(&f);
    struct instance *d = run(&f, f.two, "10.0.2.99");
    disallow_last(&f, f.group);
    allow(&f, f.group, PROTOCOL_TCP, 81, "0.0.0.0/0");
    store_touch(network_store(f.net));
    struct rlimit before, none = { 0 };
    getrlimit(RLIMIT_NOFILE, &before);
    none.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_NOFILE, &none);
    CHECK(!live_update(f.live, f.net, &err), "without descriptors there is no new namespace");
    setrlimit(RLIMIT_NOFILE, &before);
    CHECK(err.kind == ERR_MACHINE && strstr(err.text, d->obj.id), "%s", err.text);
    CHECK(live_namespace(f.live, d->obj.id) < 0, "no half of the new instance");
    CHECK(answered(&f, f.a, f.c, PROTOCOL_TCP, 80), "the old rule holds");
    CHECK(!arrives(&f, f.a, f.c, PROTOCOL_TCP, 81), "the new one does not");
    update(&f);
    CHECK(answered(&f, f.a, d, PROTOCOL_TCP, 81), "and with descriptors it works");
    fixture_done(&f);
}

/* ---- flow logs ----------------------------------------------------------------------------------------------------
 */
static VEC(struct flow_sample) samples;

static void
take_sample(void *context, const struct flow_sample *sample)
{
    (void)context;
    *VEC_ADD(&samples) = *sample;
}

static size_t
count_samples(const struct eni *eni, int action, int direction, int dst_port, int flags)
{
    size_t n = 0;
    for (size_t i = 0; i < samples.n; i++) {
        const struct flow_sample *s = &samples.items[i];
        n += strcmp(s->eni_id, eni->obj.id) == 0 && s->action == action && s->direction == direction &&
             s->dst_port == dst_port && (flags < 0 || s->tcp_flags == flags);
    }
    return n;
}

TEST(flow_logs_record_what_each_interface_saw)
{
    LAB_OR_SKIP();
    struct fixture f = fixture_new(false);
    struct err err = { 0 };
    struct eni *a = instance_eni(f.net, f.a, 0), *c = instance_eni(f.net, f.c, 0);
    const struct live_flow_listener listener = { .sample = take_sample };
    allow(&f, f.group, PROTOCOL_TCP, 80, "0.0.0.0/0");
    update(&f);
    arrives(&f, f.a, f.c, PROTOCOL_TCP, 80);
    CHECK(live_flows_poll(f.live, f.net, 1000, &listener, &err) && samples.n == 0, "nothing without a flow log: %zu",
          samples.n);
    struct flow_log_spec spec = { .resource_id = f.vpc->obj.id,
                                  .traffic_type = "ALL",
                                  .destination_type = "s3",
                                  .destination = "arn:aws:s3:::b",
                                  .max_interval = 60 };
    REQUIRE(flow_log_create(f.net, &spec, &err), "%s", err.text);
    update(&f);
    arrives(&f, f.a, f.c, PROTOCOL_TCP, 80);
    arrives(&f, f.a, f.c, PROTOCOL_TCP, 81);
    REQUIRE(live_flows_poll(f.live, f.net, 2000, &listener, &err), "%s", err.text);
    CHECK(count_samples(a, FLOW_ACCEPT, FLOW_EGRESS, 80, FLOW_TCP_SYN) == 1, "the SYN leaves a");
    CHECK(count_samples(c, FLOW_ACCEPT, FLOW_INGRESS, 80, FLOW_TCP_SYN) == 1, "and reaches c");
    CHECK(count_samples(a, FLOW_ACCEPT, FLOW_EGRESS, 81, FLOW_TCP_SYN) == 1, "the refused one leaves a as well");
    CHECK(count_samples(c, FLOW_REJECT, FLOW_INGRESS, 81, FLOW_TCP_SYN) == 1, "and is rejected at c");
    size_t n = samples.n;
    REQUIRE(live_flows_poll(f.live, f.net, 3000, &listener, &err), "%s", err.text);
    CHECK(samples.n == n, "nothing is told twice");
    struct network_acl *acl = own_acl(&f, f.two);
    acl_deny(&f, acl, 50, true, PROTOCOL_TCP, "0.0.0.0/0");
    update(&f);
    samples.n = 0;
    struct live_probe p = probe(&f, f.a->obj.id, f.c->obj.id, PROTOCOL_TCP, 80, 45000);
    REQUIRE(live_flows_poll(f.live, f.net, 4000, &listener, &err), "%s", err.text);
    CHECK(p.arrived && !p.replied, "the ACL stops the answer");
    CHECK(count_samples(c, FLOW_ACCEPT, FLOW_INGRESS, 80, -1) == 1, "request ACCEPT");
    CHECK(count_samples(c, FLOW_REJECT, FLOW_EGRESS, 45000, -1) == 1, "reply REJECT");
    VEC_DONE(&samples);
    fixture_done(&f);
}

TEST_MAIN
