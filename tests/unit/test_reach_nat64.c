/* NAT64 (tests/reach/nat64): eni-six, in a subnet that reaches IPv4 by 64:ff9b::/96 through a NAT gateway. */
#include "tests/unit/reach_ask.h"

#define NET   "tests/reach/nat64/network.json"
#define SIX   ", \"srcIp\": \"2600:1f18:1:1::10\""
#define TO(x) ", \"dstIp\": \"" x "\""

TEST(a_nat_gateway_sends_to_ipv4_what_is_addressed_to_its_prefix)
{
    static const struct reach_case cases[] = {
        { E("eni-six"), IP("64:ff9b::808:808"), PORT(443) SIX, "reachable allowed" },
        { E("eni-six"), "\"internet\": true", PORT(443) SIX TO("64:ff9b::808:808"), "reachable allowed" },
        { E("eni-six"), E("eni-four"), PORT(443) SIX TO("64:ff9b::a00:a"), "reachable allowed" },
        { E("eni-six"), IP("64:ff9b::808:808"), ", \"protocol\": \"icmp\", \"icmpType\": 128, \"icmpCode\": 0" SIX,
          "reachable allowed" },
        { E("eni-six"), IP("64:ff9b::808:808"), ", \"protocol\": \"47\"" SIX, "nat-protocol PROTOCOL_RESTRICTION" },
        { E("eni-six"), IP("2001:db8::1"), PORT(443) SIX, "nat-protocol PROTOCOL_RESTRICTION" },
        { E("eni-six"), IP("64:ff9b::a09:909"), PORT(443) SIX,
          "igw-private-destination IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS" },
    };
    ask_cases(NET, cases, ARRAY_SIZE(cases));
}

TEST(the_far_end_sees_the_gateways_ipv4_address)
{
    struct lab lab;
    lab_init(&lab, NET);
    json_t *answer = ask(lab.net, E("eni-six"), "\"internet\": true", PORT(443) SIX TO("64:ff9b::808:808"));
    const json_t *arrives = json_object_get(answer, "arrives");
    CHECK_STR(json_str(arrives, "srcIp"), "203.0.113.5");
    CHECK_STR(json_str(arrives, "dstIp"), "8.8.8.8");
    json_decref(answer);
    lab_done(&lab);
}

TEST_MAIN
