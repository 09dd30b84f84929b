/* What Direct Connect carries (tests/reach/office): lines and sessions that are down, prefixes that are not announced.
 *
 *   dx-a - vgw-a - vpc-a: eni-a 10.1.1.10, and eni-a2 in the second block 100.64.0.0/16, wider than what is allowed of
 * it dx-t - tgw-1 - vpc-t: eni-t 10.2.1.10, of whose block 10.2.1.0/28 is announced */
#include "netsim/model/direct_connect_way.h"
#include "netsim/model/failure.h"
#include "tests/unit/reach_ask.h"

#define OFFICE "tests/reach/office/network.json"

static void
set_text(char **text, const char *value)
{
    free(*text);
    *text = value ? xstrdup(value) : NULL;
}

TEST(only_what_is_announced_can_be_reached_from_the_office)
{
    static const struct reach_case cases[] = {
        { G("dx-a"), E("eni-a"), PORT(443) ", \"srcIp\": \"192.168.1.1\"", "reachable allowed" },
        { E("eni-a"), IP("192.168.1.1"), PORT(443), "reachable allowed" },
        { G("dx-a"), E("eni-a2"), PORT(443) ", \"srcIp\": \"192.168.1.1\"", "dx-no-route CANNOT_ROUTE" },
        { E("eni-a2"), IP("192.168.1.1"), PORT(443), "reachable blocked" },
        { G("dx-t"), E("eni-t"), PORT(443) ", \"srcIp\": \"192.168.1.1\"", "reachable allowed" },
        { G("dx-t"), E("eni-t"), PORT(443) ", \"srcIp\": \"192.168.1.1\", \"dstIp\": \"10.2.1.99\"",
          "dx-no-route CANNOT_ROUTE" },
        { E("eni-t"), G("dx-t"), PORT(443) ", \"dstIp\": \"192.168.1.1\"", "reachable allowed" },
        { G("dx-a"), E("eni-t"), PORT(443) ", \"srcIp\": \"192.168.1.1\"", "dx-no-route CANNOT_ROUTE" },
    };
    ask_cases(OFFICE, cases, ARRAY_SIZE(cases));
}

TEST(the_prefixes_of_a_virtual_private_gateway_are_a_filter_for_whole_blocks)
{
    static const struct {
        const char *allowed, *answer;
    } cases[] = {
        { "10.1.0.0/16", "reachable allowed" },        { "10.0.0.0/15", "reachable allowed" },
        { "10.1.1.0/24", "dx-no-route CANNOT_ROUTE" }, /* smaller than the VPC's block: nothing is announced */
        { "22.0.0.0/24", "dx-no-route CANNOT_ROUTE" }, { NULL, "reachable allowed" }, /* none given: the VPC's blocks */
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;
        lab_init(&lab, OFFICE);
        struct direct_connect_association *a =
            store_get(network_store(lab.net), &direct_connect_association_kind, "dxa-a");
        a->allowed.n = 0;
        if (cases[i].allowed) {
            VEC_ADD(&a->allowed)->cidr = cidr_lit(cases[i].allowed);
        }
        check_case(lab.net, &(struct reach_case){ G("dx-a"), E("eni-a"), PORT(22) ", \"srcIp\": \"192.168.1.1\"",
                                                  cases[i].answer });
        lab_done(&lab);
    }
}

TEST(a_line_that_is_down_carries_nothing)
{
    static const struct {
        const char *vif, *peer, *status, *association, *gateway, *answer;
    } cases[] = {
        { "available", "available", "up", "associated", "available", "reachable allowed" },
        { "available", NULL, NULL, "updating", NULL, "reachable allowed" }, /* not told: taken to be up */
        { "down", "available", "up", "associated", "available", "dx-state BAD_STATE" },
        { "pending", "available", "up", "associated", "available", "dx-state BAD_STATE" },
        { "confirming", "verifying", "down", "associated", "available", "dx-state BAD_STATE" },
        { "testing", "available", "down", "associated", "available", "dx-state BAD_STATE" },
        { "available", "available", "down", "associated", "available", "dx-state BAD_STATE" },
        { "available", "deleting", "up", "associated", "available", "dx-state BAD_STATE" },
        { "available", "available", "up", "associated", "deleting", "dx-state BAD_STATE" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lab lab;
        lab_init(&lab, OFFICE);
        const struct store *store = network_store(lab.net);
        struct virtual_interface *vif = store_get(store, &virtual_interface_kind, "dxvif-a");
        struct direct_connect_association *a = store_get(store, &direct_connect_association_kind, "dxa-a");
        struct direct_connect_gateway *dx = store_get(store, &direct_connect_gateway_kind, "dx-a");
        set_text(&vif->state, cases[i].vif);
        set_text(&vif->peers.items[0].state, cases[i].peer);
        set_text(&vif->peers.items[0].status, cases[i].status);
        set_text(&a->state, cases[i].association);
        set_text(&dx->state, cases[i].gateway);
        check_case(lab.net, &(struct reach_case){ E("eni-a"), IP("192.168.1.1"), PORT(443), cases[i].answer });
        check_case(lab.net, &(struct reach_case){ G("dx-a"), E("eni-a"), PORT(443) ", \"srcIp\": \"192.168.1.1\"",
                                                  cases[i].answer });
        lab_done(&lab);
    }
}

TEST(one_line_that_is_up_is_enough_and_the_obstacle_is_the_line)
{
    struct lab lab;
    lab_init(&lab, OFFICE);
    struct virtual_interface *vif = store_get(network_store(lab.net), &virtual_interface_kind, "dxvif-t");
    set_text(&vif->peers.items[0].status, "down");
    json_t *answer = ask(lab.net, E("eni-t"), IP("192.168.1.1"), PORT(443));
    char *text = json_dumps(answer, JSON_COMPACT);
    CHECK(strstr(text, "dxvif-t"), "%s", text);
    free(text);
    json_decref(answer);
    struct virtual_interface *second =
        store_add((struct store *)network_store(lab.net), &virtual_interface_kind, "dxvif-2");
    strcpy(second->gateway_id, "dx-t");
    second->state = xstrdup("available");
    check_case(lab.net, &(struct reach_case){ E("eni-t"), IP("192.168.1.1"), PORT(443), "reachable allowed" });
    set_text(&second->state, "deleted");
    check_case(lab.net, &(struct reach_case){ E("eni-t"), IP("192.168.1.1"), PORT(443), "dx-state BAD_STATE" });
    lab_done(&lab);
}

TEST(sessions_are_of_a_family)
{
    struct lab lab;
    lab_init(&lab, OFFICE);
    struct virtual_interface vif = { .state = "available" };
    struct direct_connect_peer peers[] = {
        { .state = "available", .status = "up", .family = "ipv4" },
        { .state = "available", .status = "down", .amazon_address = "2001:db8::1" }
    };
    CHECK(virtual_interface_is_up(lab.net, &vif, IP_V4) && virtual_interface_is_up(lab.net, &vif, IP_V6),
          "nothing is told");
    vif.peers.items = peers;
    vif.peers.n = 1;
    CHECK(virtual_interface_is_up(lab.net, &vif, IP_V4));
    vif.peers.n = 2;
    CHECK(virtual_interface_is_up(lab.net, &vif, IP_V4));
    CHECK(!virtual_interface_is_up(lab.net, &vif, IP_V6));
    CHECK_STR(virtual_interface_fault(lab.net, &vif, IP_V6), "BGP down");
    vif.state = "down";
    CHECK_STR(virtual_interface_fault(lab.net, &vif, IP_V4), "down");
    lab_done(&lab);
}

TEST(a_line_can_fail_in_the_lab)
{
    struct lab lab;
    struct err err = { 0 };
    lab_init(&lab, OFFICE);
    REQUIRE(failure_add(lab.net, "vif", "dxvif-a", &err), "%s", err.text);
    check_case(lab.net, &(struct reach_case){ E("eni-a"), IP("192.168.1.1"), PORT(443), "dx-state BAD_STATE" });
    REQUIRE(failure_remove(lab.net, "vif", "dxvif-a", &err), "%s", err.text);
    check_case(lab.net, &(struct reach_case){ E("eni-a"), IP("192.168.1.1"), PORT(443), "reachable allowed" });
    CHECK(!failure_add(lab.net, "vif", "dxvif-x", &err));
    lab_done(&lab);
}

TEST_MAIN
