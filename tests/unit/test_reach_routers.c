/* What joins VPCs and leads out of them, asked as `reach --batch` is asked, on tests/reach/routers/network.json: vpc-a
 * peers with vpc-b, reaches vpc-c by tgw-11 from zone a only, vpc-d has asked for nothing; vpc-b has a VPN and
 * balancers. */
#include "netsim/model/transit_gateway.h"
#include "tests/unit/reach_ask.h"

static const struct reach_case cases[] = {
    /* peering */
    { I("i-a"), I("i-b"), PORT(22), "reachable allowed" },
    { I("i-a"), I("i-b"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-a"), I("i-b"), PORT(5432), "reachable allowed" }, /* from the group across it */
    { I("i-b"), IP("10.1.9.9"), PORT(22), "no-such-address NO_POSSIBLE_DESTINATION" },
    { I("i-a"), IP("192.0.2.1"), PORT(22), "pcx-address PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" },
    { I("i-a"), IP("10.4.1.10"), PORT(22), "pcx-inactive BAD_STATE" },
    { I("i-a"), IP("10.4.2.10"), PORT(22), "unknown-resource UNKNOWN_RESOURCE" },
    { I("i-a"), G("pcx-11"), ", \"dstIp\": \"10.2.1.10\"" PORT(22), "reachable allowed" },
    { G("pcx-11"), I("i-b"), ", \"srcIp\": \"10.1.1.10\"" PORT(22), "reachable allowed" },
    { G("pcx-11"), I("i-b"), ", \"srcIp\": \"10.9.1.10\"" PORT(22), "pcx-address PCX_REQUIRES_ADDRESS_IN_VPC_CIDR" },
    /* transit gateway */
    { I("i-a"), I("i-c"), PORT(22), "reachable allowed" },
    { I("i-a"), I("i-c"), PORT(5432), "reachable allowed" }, /* the gateway carries references */
    { I("i-a2"), I("i-c"), PORT(22), "tgw-az TGW_ROUTE_AZ_RESTRICTION" },
    { I("i-c"), I("i-a2"), PORT(22), "reachable blocked" }, /* receiving needs no zone, answering does */
    { I("i-a"), IP("10.3.9.1"), PORT(22), "tgw-blackhole TGW_RTB_BAD_STATE_ROUTE" },
    { I("i-a"), IP("172.16.0.1"), PORT(22), "tgw-no-route TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT" },
    { I("i-d"), I("i-c"), PORT(22), "tgw-no-association TGW_ATTACH_MISSING_TGW_RTB_ASSOCIATION" },
    { I("i-c"), I("i-d"), PORT(22), "reachable blocked" },
    { I("i-a"), G("tgw-11"), ", \"dstIp\": \"10.3.1.10\"" PORT(22), "reachable allowed" },
    { I("i-a"), G("tgw-attach-cc"), ", \"dstIp\": \"10.3.1.10\"" PORT(22), "reachable allowed" },
    { G("tgw-11"), I("i-c"), ", \"srcIp\": \"10.1.1.10\"" PORT(22), "reachable allowed" },
    /* VPN */
    { I("i-a"), G("cgw-11"), ", \"dstIp\": \"192.168.0.9\"" PORT(22), "reachable allowed" },
    { I("i-a"), IP("192.168.7.9"), PORT(22), "tgw-no-route TGW_RTB_NO_ROUTE_TO_TGW_ATTACHMENT" },
    { I("i-b"), G("vgw-11"), ", \"dstIp\": \"192.168.0.9\"" PORT(22), "reachable allowed" },
    { I("i-b"), IP("192.168.0.9"), PORT(22), "reachable allowed" },
    { I("i-b"), IP("192.168.7.9"), PORT(22), "vpn-no-route CANNOT_ROUTE" },
    { I("i-b"), "\"internet\": true", ", \"dstIp\": \"192.168.0.9\"" PORT(22),
      "no-internet-route NO_ROUTE_TO_DESTINATION" },
    { G("vgw-11"), I("i-b"), PORT(22), "reachable allowed" }, /* from a static route of the connection */
    { G("vgw-11"), IP("203.0.113.5"), ", \"srcIp\": \"192.168.0.9\"" PORT(22),
      "vgw-no-route VGW_PRIVATE_IP_ASSOCIATION_FOR_INGRESS" },
    { G("vpn-11"), I("i-b"), PORT(22), "reachable allowed" },
    /* endpoints, egress-only gateway */
    { I("i-a"), V("vpce-11"), PORT(443), "reachable allowed" },
    { I("i-a2"), V("vpce-11"), PORT(443), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-a"), E("eni-vpce1"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-a"), V("vpce-22"), PORT(443), "reachable allowed" },
    { V("vpce-22"), I("i-a"), PORT(22), "vpce-unsolicited VPCE_INTRA_VPC_TRAFFIC" },
    { I("i-a"), "\"internet\": true", ", \"dstIp\": \"2001:db8:ffff::1\"" PORT(443), "reachable allowed" },
    { G("eigw-11"), I("i-a"), ", \"dstIp\": \"2001:db8:1:1::10\"" PORT(22), "eigw-unsolicited NO_PATH" },
    /* balancers */
    { I("i-a"), E("eni-nlb"), PORT(80), "reachable allowed" },
    { I("i-a"), E("eni-nlb"), "", "reachable allowed" }, /* any port: a listener's too */
    { I("i-a"), E("eni-nlb"), PORT(81), "lb-no-listener ELBV2_LISTENERS_MISMATCH" },
    { I("i-a"), E("eni-far"), PORT(80), "lb-no-target ELBV2_NO_TARGETS_IN_AZ" },
    { I("i-a"), E("eni-empty"), PORT(80), "lb-no-target ELBV2_LISTENER_REQUIRES_TG_ACCEPT" },
    { I("i-a"), E("eni-alb"), PORT(80), "reachable allowed" }, /* the target's group names the balancer's */
    { I("i-a"), I("i-app"), PORT(8080), "sg-ingress ENI_SG_RULES_MISMATCH" },
};

TEST(verdicts_and_codes)
{
    ask_cases("tests/reach/routers/network.json", cases, ARRAY_SIZE(cases));
}

/* Without the gateway's consent a rule that names a group across it does not match, and the answer says why. */
TEST(references_need_the_transit_gateways_consent)
{
    struct lab lab;
    lab_init(&lab, "tests/reach/routers/network.json");
    struct transit_gateway *tgw = store_get(network_store(lab.net), &transit_gateway_kind, "tgw-11");
    strcpy(tgw->sg_referencing, "no");
    json_t *a = ask(lab.net, I("i-a"), I("i-c"), PORT(5432));
    CHECK_STR(json_str(a, "why"), "sg-ingress");
    CHECK_STR(json_string_value(json_array_get(json_object_get(a, "codes"), 1)), "SG_REFERENCING_SUPPORT");
    json_decref(a);
    lab_done(&lab);
}

TEST(an_application_balancer_sends_under_its_own_address)
{
    struct lab lab;
    lab_init(&lab, "tests/reach/routers/network.json");
    json_t *a = ask(lab.net, I("i-a"), E("eni-alb"), PORT(80));
    CHECK_STR(json_str(json_object_get(a, "arrives"), "srcIp"), "10.2.1.63");
    CHECK_STR(json_string_value(json_array_get(json_object_get(a, "lbTargets"), 0)), "i-app");
    json_decref(a);
    a = ask(lab.net, I("i-a"), E("eni-nlb"), PORT(80));
    CHECK_STR(json_str(json_object_get(a, "arrives"), "srcIp"), "10.1.1.10");
    CHECK_INT(json_array_size(json_object_get(a, "lbTargets")), 1); /* i-app is in the other zone */
    json_decref(a);
    lab_done(&lab);
}

TEST_MAIN
