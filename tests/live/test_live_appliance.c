/* NAT instances, firewalls and routes of a gateway with real packets: the questions of tests/unit/test_appliance.c, and
 * the model is asked beside each. */
#include "netsim/analysis/reach.h"
#include "netsim/model/internal.h"
#include "netsim/model/load_balancer.h"
#include "tests/live/lab.h"
#include "tests/unit/appliance_lab.h"

static const char *
end_of(const struct appliance_lab *l, const char *name)
{
    return strcmp(name, "app") == 0   ? l->app->obj.id
           : strcmp(name, "db") == 0  ? l->db->obj.id
           : strcmp(name, "web") == 0 ? l->web->obj.id
                                      : "internet";
}

static struct live_probe
send_one(struct live *live, const struct appliance_lab *l, const struct appliance_case *c)
{
    struct err err = { 0 };
    struct live_probe p = { .protocol = c->protocol, .dst_port = c->port };
    snprintf(p.from, sizeof p.from, "%s", end_of(l, c->from));
    snprintf(p.to, sizeof p.to, "%s", end_of(l, c->to));
    if (strcmp(c->from, "internet") == 0) {
        const struct eni *eni = instance_eni(l->net, l->web, 0);
        p.dst = *eni_public_ip(eni, eni_primary_ip(eni));
    }
    CHECK(live_probe(live, &p, 1, 300, &err), "%s: %s", c->name, err.text);
    return p;
}

/* The change of a case comes while the lab lives, as a user's would. */
TEST(packets_go_as_the_model_says)
{
    LAB_OR_SKIP();
    for (size_t i = 0; i < ARRAY_SIZE(appliance_cases); i++) {
        const struct appliance_case *c = &appliance_cases[i];
        struct appliance_lab l = appliance_lab();
        struct err err = { 0 };
        struct live *live = live_start(l.net, NULL, &err);
        REQUIRE(live, "%s", err.text);
        if (c->change) {
            c->change(&l);
            store_touch(network_store(l.net));
            REQUIRE(live_update(live, l.net, &err), "%s: %s", c->name, err.text);
        }
        struct live_probe p = send_one(live, &l, c);
        CHECK(p.arrived == c->arrives && p.replied == c->answered, "%s: arrived %d, answered %d", c->name, p.arrived,
              p.replied);
        live_stop(live);
        network_free(l.net);
    }
}

/* ---- behind a balancer ---------------------------------------------------------------------------------------------
 */
/* An appliance may have a packet under its own address to send on, but none for itself: as to any machine that is
 * client and target at once nothing comes where the client's address is kept. */
TEST(a_firewall_gets_nothing_from_itself_by_a_balancer)
{
    LAB_OR_SKIP();
    struct appliance_lab l = appliance_lab();
    struct err err = { 0 };
    struct lb_subnet zone = { .subnet_id = l.public->obj.id };
    struct lb_spec spec = { .name = "lb", .type = "network", .scheme = "internal", .subnets = &zone, .n_subnets = 1 };
    struct target_group_spec group_spec = { .name = "fw", .protocol = "TCP", .vpc_id = l.vpc->obj.id, .port = 80 };
    struct load_balancer *lb = load_balancer_create(l.net, &spec, &err);
    struct target_group *group = target_group_create(l.net, &group_spec, &err);
    REQUIRE(lb && group && target_group_register(l.net, group, l.fw->obj.id, 0, NULL, &err), "%s", err.text);
    load_balancer_set_attribute(l.net, lb, "load_balancing.cross_zone.enabled", "true", &err);
    json_t *json = json_pack("{s:s, s:i, s:[{s:s, s:s}]}", "Protocol", "TCP", "Port", 80, "DefaultActions", "Type",
                             "forward", "TargetGroupArn", group->arn);
    REQUIRE(load_balancer_listen(l.net, lb, json, &err), "%s", err.text);
    json_decref(json);
    struct eni *const *nodes;
    REQUIRE(load_balancer_enis(l.net, lb, &nodes) == 1);
    const char *fw_group = l.fw_group->obj.id;
    struct eni_spec leg_spec = { .subnet_id = l.data->obj.id, .groups = &fw_group, .n_groups = 1 };
    struct eni *leg = eni_create(l.net, &leg_spec, &err);
    REQUIRE(leg && eni_attach(l.net, leg, l.fw->obj.id, 1, &err), "%s", err.text);
    struct live *live = live_start(l.net, NULL, &err);
    REQUIRE(live, "%s", err.text);
    const char *clients[] = { l.app->obj.id, l.fw->obj.id, leg->obj.id };
    for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
        struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 80, .dst = *eni_primary_ip(nodes[0]) };
        snprintf(p.from, sizeof p.from, "%s", clients[i]);
        snprintf(p.to, sizeof p.to, "%s", l.fw->obj.id);
        CHECK(live_probe(live, &p, 1, 300, &err), "%s", err.text);
        CHECK(p.arrived == (i == 0), "%zu: arrived %d", i, p.arrived);
    }
    live_stop(live);
    network_free(l.net);
}

/* ---- IPv6 ---------------------------------------------------------------------------------------------------------
 */
static struct subnet *
subnet_of_both(struct network *net, const struct vpc *vpc, const char *block, unsigned n)
{
    struct err err = { 0 };
    struct subnet *subnet = model_subnet(net, vpc, block);
    struct cidr six = { .ip = vpc->cidrs6.items[0].cidr.ip, .bits = 64 };
    six.ip.hi += n;
    REQUIRE(subnet_associate_cidr6(net, subnet, &six, &err), "%s", err.text);
    return subnet;
}

static struct instance *
run_of_both(struct network *net, const struct subnet *subnet, const char *group, bool ip6)
{
    struct err err = { 0 };
    struct instance *instance;
    struct instance_spec spec = {
        .image_id = "ami-0123456789abcdef0",
        .eni = { .subnet_id = subnet->obj.id, .groups = &group, .n_groups = 1, .n_pick_ips6 = ip6 }
    };
    REQUIRE(instances_run(net, &spec, 1, &instance, &err), "%s", err.text);
    return instance;
}

/* A machine in a subnet with IPv6 hears of its router and sends on what comes, though none of the addresses is its own:
 * by the interface that is in the destination's subnet, else by the first. */
TEST(a_firewall_without_an_ipv6_address_sends_on)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    const struct subnet *apps = subnet_of_both(net, vpc, "10.0.1.0/24", 1),
                        *data = subnet_of_both(net, vpc, "10.0.2.0/24", 2),
                        *public = subnet_of_both(net, vpc, "10.0.0.0/24", 0);
    struct security_group *group = security_group_create(net, vpc->obj.id, "all", "all", &err);
    struct sg_rule all = { .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("::/0") };
    REQUIRE(security_group_authorize(net, group, &all, 1, &err), "%s", err.text);
    const struct instance *app = run_of_both(net, apps, group->obj.id, true),
                          *db = run_of_both(net, data, group->obj.id, true);
    struct instance *fw = run_of_both(net, public, group->obj.id, false);
    struct eni *eni = instance_eni(net, fw, 0), *leg;
    eni->source_dest_check = false;
    struct route_table *table = route_table_create(net, vpc->obj.id, false, &err);
    struct route route = { .cidr6 = *subnet_cidr6(data), .eni_id = eni->obj.id };
    REQUIRE(table && route_table_associate(net, table, apps->obj.id, &err) && route_create(net, table, &route, &err),
            "%s", err.text);
    for (int i = 0; i < 3; i++) {
        if (i == 1) { /* the positive control: who keeps it is the firewall */
            object_set_tag(&fw->obj, APPLIANCE_TAG, "none");
        } else if (i == 2) { /* the second leg, in the subnet of db, has its check on */
            object_unset_tag(&fw->obj, APPLIANCE_TAG);
            leg = eni_create(net, &(struct eni_spec){ .subnet_id = data->obj.id }, &err);
            REQUIRE(leg && eni_attach(net, leg, fw->obj.id, 1, &err), "%s", err.text);
        }
        store_touch(network_store(net));
        struct live *live = live_start(net, NULL, &err);
        REQUIRE(live, "%s", err.text);
        struct live_probe p = { .protocol = PROTOCOL_UDP, .dst_port = 53 };
        snprintf(p.from, sizeof p.from, "%s", app->obj.id);
        snprintf(p.to, sizeof p.to, "%s", db->obj.id);
        p.src = instance_eni(net, app, 0)->addresses6.items[0].ip;
        p.dst = instance_eni(net, db, 0)->addresses6.items[0].ip;
        CHECK(live_probe(live, &p, 1, 300, &err), "%s", err.text);
        CHECK(p.arrived == (i == 0), "%d: arrived %d", i, p.arrived);
        struct flow_spec flow = { .protocol = PROTOCOL_UDP,
                                  .src_port = -1,
                                  .dst_port = 53,
                                  .src_ip = p.src,
                                  .dst_ip = p.dst,
                                  .family = IP_V6,
                                  .icmp_type = -1,
                                  .icmp_code = -1 };
        struct reach_result said = { 0 };
        REQUIRE(flow_end_of_id(app->obj.id, &flow.from) && flow_end_of_id(db->obj.id, &flow.to) &&
                    reach(net, &flow, false, &said, &err),
                "%s", err.text);
        CHECK(said.reachable == p.arrived, "%d: analysis %d", i, said.reachable);
        reach_result_done(&said);
        live_stop(live);
    }
    network_free(net);
}

/* ---- refusals ------------------------------------------------------------------------------------------------------
 */
static struct security_group *
open_group(struct network *net, const struct vpc *vpc, const char *name)
{
    struct err err = { 0 };
    struct security_group *group = security_group_create(net, vpc->obj.id, name, name, &err);
    struct sg_rule rules[] = { { .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("0.0.0.0/0") },
                               { .protocol = -1, .from = -1, .to = -1, .cidr = cidr_lit("::/0") } };
    REQUIRE(security_group_authorize(net, group, rules, ARRAY_SIZE(rules), &err), "%s", err.text);
    return group;
}

/* The kernel forgets a connection with the RST that refuses it: a firewall that has the answer alone sends it on by its
 * own group's rules all the same. */
TEST(a_firewall_sends_on_a_refusal_by_its_own_rules)
{
    LAB_OR_SKIP();
    struct err err = { 0 };
    struct network *net = model_new();
    struct vpc *vpc = model_vpc(net, "10.0.0.0/16", true);
    const struct subnet *apps = subnet_of_both(net, vpc, "10.0.1.0/24", 1),
                        *data = subnet_of_both(net, vpc, "10.0.2.0/24", 2),
                        *public = subnet_of_both(net, vpc, "10.0.0.0/24", 0);
    const struct security_group *group = open_group(net, vpc, "all");
    struct security_group *own = open_group(net, vpc, "own");
    const struct instance *app = run_of_both(net, apps, group->obj.id, true),
                          *db = run_of_both(net, data, group->obj.id, true),
                          *fw = run_of_both(net, public, own->obj.id, true);
    struct eni *eni = instance_eni(net, fw, 0), *from = instance_eni(net, app, 0), *to = instance_eni(net, db, 0);
    eni->source_dest_check = false;
    struct route_table *table = route_table_create(net, vpc->obj.id, false, &err);
    struct route routes[] = { { .cidr = apps->cidr, .eni_id = eni->obj.id },
                              { .cidr6 = *subnet_cidr6(apps), .eni_id = eni->obj.id } };
    REQUIRE(table && route_table_associate(net, table, data->obj.id, &err) &&
                route_create(net, table, &routes[0], &err) && route_create(net, table, &routes[1], &err),
            "%s", err.text);
    struct live *live = live_start(net, NULL, &err);
    REQUIRE(live, "%s", err.text);
    for (int i = 0; i < 4; i++) { /* both families, with the rules that let it out and without them */
        bool open = i < 2, six = i % 2;
        if (i == 2) {
            for (size_t n = own->rules.n; n-- > 0;) {
                if (own->rules.items[n].egress) {
                    sg_rule_done(&own->rules.items[n]);
                    VEC_REMOVE(&own->rules, n);
                }
            }
            store_touch(network_store(net));
            REQUIRE(live_update(live, net, &err), "%s", err.text);
        }
        struct live_probe p = { .protocol = PROTOCOL_TCP, .dst_port = 81 };
        snprintf(p.from, sizeof p.from, "%s", app->obj.id);
        snprintf(p.to, sizeof p.to, "%s", db->obj.id);
        p.src = six ? from->addresses6.items[0].ip : *eni_primary_ip(from);
        p.dst = six ? to->addresses6.items[0].ip : *eni_primary_ip(to);
        CHECK(live_probe(live, &p, 1, 300, &err), "%s", err.text);
        CHECK(p.arrived && p.replied == open, "%d: arrived %d, answered %d", i, p.arrived, p.replied);
    }
    live_stop(live);
    network_free(net);
}

TEST_MAIN
