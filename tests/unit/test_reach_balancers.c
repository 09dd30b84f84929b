/* What AWS's pages say of balancers and middleboxes beyond the first look, on tests/reach/balancers/network.json: the
 * network balancers n1 (node in zone a) and n2 (node in zone b), the application balancer alb (both zones); routes to
 * i-far by the appliance i-fw, to i-near by an endpoint of a Gateway Load Balancer. */
#include "netsim/analysis/connectivity.h"
#include "tests/unit/reach_ask.h"

#define NETWORK "tests/reach/balancers/network.json"
#define BY_N1   ", \"dstIp\": \"10.1.1.50\""

static const struct reach_case cases[] = {
    /* The rules of a target may name the balancer's group, not the group of a client whose address it sees. */
    { I("i-client"), E("eni-n1a"), PORT(80), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-client"), I("i-t1"), PORT(22), "reachable allowed" },
    { I("i-client"), E("eni-n1a"), PORT(81), "reachable allowed" },
    { I("i-client"), I("i-t2"), PORT(22), "sg-ingress ENI_SG_RULES_MISMATCH" },
    /* A target in a zone the balancer is not enabled in is not in use, also by address. */
    { I("i-client"), E("eni-n1a"), PORT(82), "lb-no-target ELBV2_NO_TARGETS_IN_AZ" },
    /* An application balancer behind a network balancer: it has a node in each zone, and what is behind it counts. */
    { I("i-client"), E("eni-n1a"), PORT(84), "reachable allowed" },
    { I("i-client"), I("i-t4"), BY_N1 PORT(84), "reachable allowed" },
    { I("i-client"), I("i-t3"), BY_N1 PORT(84), "other-destination NO_POSSIBLE_DESTINATION" },
    { I("i-client"), E("eni-n2b"), PORT(84), "reachable allowed" },
    /* What it answers by itself comes to nobody else. */
    { I("i-client"), E("eni-alb-a"), PORT(81), "reachable allowed" },
    { I("i-client"), I("i-t4"), ", \"dstIp\": \"10.1.1.60\"" PORT(81), "other-destination NO_POSSIBLE_DESTINATION" },
    { I("i-client"), "\"internet\": true", ", \"dstIp\": \"10.1.1.60\"" PORT(81),
      "no-internet-route NO_ROUTE_TO_DESTINATION" },
    /* An instance without IPv6 in a group of IPv6. */
    { I("i-client"), E("eni-n1a"), PORT(85), "lb-no-target ELBV2_LISTENER_REQUIRES_TG_ACCEPT" },
    /* Behind a middlebox nobody's groups are known: neither the balancer's nor the sender's. */
    { I("i-client"), E("eni-n1a"), PORT(86), "sg-ingress ENI_SG_RULES_MISMATCH" },
    { I("i-client"), I("i-near"), PORT(22), "sg-ingress ENI_SG_RULES_MISMATCH" },
    /* An appliance sends IPv6 to a neighbour of its second interface by that interface: the first has no route there.
     */
    { I("i-client"), I("i-near"), ", \"dstIp\": \"2001:db8:1:4::16\"" PORT(22), "sg-ingress ENI_SG_RULES_MISMATCH" },
};

TEST(balancers_and_middleboxes)
{
    ask_cases(NETWORK, cases, ARRAY_SIZE(cases));
}

/* Client IP preservation cannot be disabled for UDP. */
TEST(udp_keeps_the_clients_address)
{
    struct lab lab;
    lab_init(&lab, NETWORK);
    json_t *a = ask(lab.net, I("i-client"), E("eni-n1a"), ", \"protocol\": \"udp\"" PORT(83));
    CHECK_STR(json_str(a, "verdict"), "reachable");
    CHECK_STR(json_str(json_object_get(a, "arrives"), "srcIp"), "10.1.1.10");
    json_decref(a);
    lab_done(&lab);
}

/* A rule about the client's address tells two clients apart that nothing else does; so does being the target. */
TEST(connectivity_tells_clients_apart)
{
    struct lab lab;
    lab_init(&lab, NETWORK);
    struct connectivity *c = connectivity_new(lab.net, IP_V4);
    static const struct {
        const char *from;
        int port;
        bool passes;
        const char *to; /* NULL: eni-alb-a */
    } flows[] = { { "eni-t5", 87, true, "eni-n1a" }, { "eni-t4", 87, false, "eni-n1a" }, { "eni-client", 80, true },
                  { "eni-client2", 80, true },       { "eni-client", 82, false },        { "eni-client2", 82, true } };
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        struct conn_flow flow =
            connectivity_between(c, (size_t)connectivity_class_of(c, flows[i].from),
                                 (size_t)connectivity_class_of(c, flows[i].to ? flows[i].to : "eni-alb-a"));
        const struct packet_set *set = set_pool_get(connectivity_pool(c), flow.passes);
        CHECK(packet_set_has(set, 6, 40000, flows[i].port) == flows[i].passes, "%s port %d", flows[i].from,
              flows[i].port);
    }
    connectivity_free(c);
    lab_done(&lab);
}

TEST_MAIN
