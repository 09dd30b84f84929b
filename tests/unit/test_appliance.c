/* Packets that an instance sends on: NAT instances, firewalls, routes of a gateway.  test_live_appliance.c sends the
 * same ones. */
#include "netsim/analysis/reach.h"
#include "netsim/model/internal.h"
#include "tests/unit/appliance_lab.h"

static struct flow_end
end_of(const struct appliance_lab *l, const char *name)
{
    struct flow_end end = { .kind = FLOW_END_INTERNET };
    const struct {
        const char *name;
        const struct instance *instance;
    } all[] = {
        { "nat", l->nat }, { "fw", l->fw }, { "app", l->app }, { "db", l->db }, { "web", l->web },
    };
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        if (strcmp(all[i].name, name) == 0) {
            end.kind = FLOW_END_INSTANCE;
            memcpy(end.id, all[i].instance->obj.id, ID_SIZE);
        }
    }
    return end;
}

TEST(an_appliance_sends_on_what_is_not_its_own)
{
    for (size_t i = 0; i < ARRAY_SIZE(appliance_cases); i++) {
        const struct appliance_case *c = &appliance_cases[i];
        struct appliance_lab l = appliance_lab();
        if (c->change) {
            c->change(&l);
            store_touch(network_store(l.net));
        }
        struct flow_spec flow = { .from = end_of(&l, c->from),
                                  .to = end_of(&l, c->to),
                                  .protocol = c->protocol,
                                  .src_port = -1,
                                  .dst_port = c->port,
                                  .icmp_type = -1,
                                  .icmp_code = -1 };
        struct reach_result r = { 0 };
        struct err err = { 0 };
        REQUIRE(reach(l.net, &flow, true, &r, &err), "%s: %s", c->name, err.text);
        CHECK(r.reachable == c->arrives && (r.reply == REPLY_ALLOWED) == c->answered, "%s: %s", c->name,
              r.reason ? r.reason : "reachable");
        CHECK_STR(r.why ? r.why : r.reply_why ? r.reply_why : "", c->why ? c->why : "", "%s", c->name);
        reach_result_done(&r);
        network_free(l.net);
    }
}

TEST(the_steps_say_what_is_taken_for_granted)
{
    struct appliance_lab l = appliance_lab();
    struct err err = { 0 };
    struct reach_result r = { 0 };
    struct flow_spec flow = { .from = end_of(&l, "app"),
                              .to = end_of(&l, "internet"),
                              .protocol = PROTOCOL_TCP,
                              .src_port = -1,
                              .dst_port = 443,
                              .icmp_type = -1,
                              .icmp_code = -1 };
    REQUIRE(reach(l.net, &flow, true, &r, &err), "%s", err.text);
    char *steps = json_dumps(r.steps, 0);
    CHECK(strstr(steps, "sends it on as from 10.0.0.10 (tag vpclab:appliance=nat)") != NULL, "%s", steps);
    CHECK(strstr(steps, "sends it on to 10.0.1.10") != NULL, "%s", steps);
    free(steps);
    CHECK_STR(ip_str(&r.arrives.src), ip_str(eni_public_ip(l.nat_eni, eni_primary_ip(l.nat_eni))));
    reach_result_done(&r);
    network_free(l.net);
}

/* A firewall with a leg in each of two subnets sends to its neighbours by the leg that is there. */
TEST(an_appliance_of_several_interfaces_sends_by_the_nearest)
{
    struct appliance_lab l = appliance_lab();
    struct err err = { 0 };
    struct eni *leg =
        eni_create(l.net, &(struct eni_spec){ .subnet_id = l.data->obj.id, .ip = ip_lit("10.0.2.20") }, &err);
    REQUIRE(leg && eni_attach(l.net, leg, l.fw->obj.id, 1, &err), "%s", err.text);
    struct ip db = ip_lit("10.0.2.10"), far = ip_lit("10.0.1.10"), world = ip_lit("198.51.100.7");
    const struct ip app = ip_lit("10.0.1.10"), own = ip_lit("10.0.2.20"), first = ip_lit("10.0.0.20");
    CHECK(appliance_exit(l.net, l.fw, &app, &db) == leg && appliance_exit(l.net, l.fw, &app, &far) == l.fw_eni &&
              appliance_exit(l.net, l.fw, &app, &world) == l.fw_eni,
          "exits");
    CHECK(appliance_exit(l.net, l.fw, &own, &world) == leg && appliance_exit(l.net, l.fw, &first, &db) == l.fw_eni,
          "what bears an address of its own leaves by that interface");
    struct ip six = ip_lit("2600::1");
    CHECK(!appliance_exit(l.net, l.fw, &six, &six) && !appliance_hears(l.net, leg, IP_V6) &&
              appliance_hears(l.net, leg, IP_V4),
          "none of the subnets has IPv6");
    struct reach_result r = { 0 };
    struct flow_spec flow = { .from = end_of(&l, "app"),
                              .to = end_of(&l, "db"),
                              .protocol = PROTOCOL_UDP,
                              .src_port = -1,
                              .dst_port = 5432,
                              .icmp_type = -1,
                              .icmp_code = -1 };
    REQUIRE(reach(l.net, &flow, true, &r, &err), "%s", err.text);
    CHECK_STR(r.why ? r.why : "", "source-dest-check", "the second leg has its check on");
    reach_result_done(&r);
    leg->source_dest_check = false;
    REQUIRE(reach(l.net, &flow, true, &r, &err) && r.reachable, "%s", r.reason ? r.reason : err.text);
    reach_result_done(&r);
    network_free(l.net);
}

static void
check_reach(const struct network *net, struct flow_spec flow, bool arrives, const char *why, const char *what)
{
    struct reach_result r = { 0 };
    struct err err = { 0 };
    flow.src_port = flow.icmp_type = flow.icmp_code = -1;
    REQUIRE(reach(net, &flow, false, &r, &err), "%s: %s", what, err.text);
    CHECK(r.reachable == arrives, "%s", what);
    CHECK_STR(r.why ? r.why : r.reply_why ? r.reply_why : "", why, "%s", what);
    reach_result_done(&r);
}

/* Linux takes a packet for any of its addresses, by whichever interface it comes. */
TEST(a_machine_takes_what_is_for_another_of_its_interfaces)
{
    struct appliance_lab l = appliance_lab();
    struct err err = { 0 };
    struct eni *leg =
        eni_create(l.net, &(struct eni_spec){ .subnet_id = l.data->obj.id, .ip = ip_lit("10.0.2.20") }, &err);
    REQUIRE(leg && eni_attach(l.net, leg, l.fw->obj.id, 1, &err), "%s", err.text);
    struct flow_spec flow = { .from = end_of(&l, "app"), .protocol = PROTOCOL_UDP, .dst_port = 7 };
    flow.to.kind = FLOW_END_ENI;
    memcpy(flow.to.id, leg->obj.id, ID_SIZE);
    check_reach(l.net, flow, true, "", "by the route to the first interface");
    l.fw_eni->source_dest_check = true;
    store_touch(network_store(l.net));
    check_reach(l.net, flow, false, "source-dest-check", "which takes only its own");
    network_free(l.net);
}

/* web asks by a NAT gateway; the gateway's table leads what comes for the NAT gateway's subnet to web. */
TEST(an_answer_at_the_wrong_address_is_none)
{
    struct appliance_lab l = appliance_lab();
    struct err err = { 0 };
    struct elastic_ip *eip = elastic_ip_allocate(l.net, &err);
    struct nat_gateway *nat = nat_gateway_create(l.net, l.public->obj.id, eip->obj.id, NULL, &err);
    REQUIRE(nat, "%s", err.text);
    struct route by_nat = { .cidr = cidr_lit("0.0.0.0/0"), .nat_gateway_id = nat->obj.id };
    REQUIRE(route_replace(l.net, l.site_table, &by_nat, &err), "%s", err.text);
    struct flow_spec flow = { .from = end_of(&l, "web"), .to.kind = FLOW_END_INTERNET, .protocol = PROTOCOL_TCP };
    flow.dst_port = 443;
    check_reach(l.net, flow, true, "", "by the NAT gateway and back");
    struct eni *web = instance_eni(l.net, l.web, 0);
    web->source_dest_check = false;
    object_set_tag(&l.web->obj, APPLIANCE_TAG, "none");
    const struct internet_gateway *igw = network_vpc_igw(l.net, l.vpc->obj.id);
    for (struct route_table *t = store_first(network_store(l.net), &route_table_kind); t;
         t = store_next(network_store(l.net), t)) {
        if (t->associations.n && strcmp(t->associations.items[0].gateway_id, igw->obj.id) == 0) {
            appliance_route(&l, t, "10.0.0.0/24", web->obj.id, NULL);
        }
    }
    check_reach(l.net, flow, true, "appliance-keeps", "the answer comes to web, but not for web");
    network_free(l.net);
}

TEST_MAIN
