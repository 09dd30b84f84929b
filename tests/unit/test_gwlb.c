/* GENEVE as a Gateway Load Balancer writes it, and the flows it remembers. */
#include "tests/test.h"

#include "netsim/live/gwlb_flows.h"
#include "netsim/live/packet_bytes.h"

/* Version, length of options in words, IPv4; VNI 0; class 0x0108: types 1 and 2 of two words, 3 of one. */
static const uint8_t head_bytes[GENEVE_HEAD] = {
    0x08, 0x00, 0x08, 0x00, 0, 0, 0, 0, 0x01, 0x08, 1, 2, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0,
    0x01, 0x08, 2,    2,    0, 0, 0, 0, 0,    0,    0, 7, 0x01, 0x08, 3,    1,    0xca, 0xfe, 0xba, 0xbe,
};

TEST(geneve_bears_the_endpoint_the_attachment_and_the_cookie)
{
    const struct geneve head = { 0x123456789abcdef0, 7, 0xcafebabe };
    uint8_t bytes[GENEVE_HEAD + 1];
    geneve_write(&head, IP_V4, bytes);
    CHECK(memcmp(bytes, head_bytes, GENEVE_HEAD) == 0);
    struct geneve again;
    const uint8_t *inner;
    size_t size;
    bytes[GENEVE_HEAD] = 0x45;
    REQUIRE(geneve_read(bytes, sizeof bytes, &again, &inner, &size));
    CHECK(again.endpoint == head.endpoint && again.attachment == head.attachment && again.cookie == head.cookie);
    CHECK(inner == bytes + GENEVE_HEAD && size == 1);
    geneve_write(&head, IP_V6, bytes);
    CHECK_INT(get16(bytes + 2), 0x86dd);
    CHECK(!geneve_read(bytes, sizeof bytes, &again, &inner, &size), "an IPv4 packet that calls itself IPv6");
}

TEST(geneve_that_is_not_aws_is_refused)
{
    static const struct {
        const char *what;
        size_t at, size;
        uint8_t byte;
        bool ok;
    } cases[] = {
        { "as it is", 0, GENEVE_HEAD + 1, 0x08, true },
        { "nothing inside", 0, GENEVE_HEAD, 0x08, false },
        { "cut", 0, 7, 0x08, false },
        { "another version", 0, GENEVE_HEAD + 1, 0x48, false },
        { "longer options than bytes", 0, GENEVE_HEAD + 1, 0x09, false },
        { "shorter options: no cookie", 0, GENEVE_HEAD + 1, 0x06, false },
        { "an option longer than the rest", 35, GENEVE_HEAD + 1, 2, false },
        { "a cookie of another class", 32, GENEVE_HEAD + 1, 0x02, false },
        { "an endpoint of one word", 11, GENEVE_HEAD + 1, 1, false },
        { "Ethernet inside", 2, GENEVE_HEAD + 1, 0x65, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t bytes[GENEVE_HEAD + 1];
        struct geneve head;
        const uint8_t *inner;
        size_t size;
        memcpy(bytes, head_bytes, GENEVE_HEAD);
        bytes[GENEVE_HEAD] = 0x45;
        bytes[cases[i].at] = cases[i].byte;
        CHECK(geneve_read(bytes, cases[i].size, &head, &inner, &size) == cases[i].ok, "%s", cases[i].what);
    }
}

static const struct flow_tuple way = { .src = { .family = IP_V4, .lo = 0x0a000001 },
                                       .dst = { .family = IP_V4, .lo = 0x0a000002 },
                                       .src_port = 40000,
                                       .dst_port = 80,
                                       .protocol = PROTOCOL_TCP };

static struct flow_tuple
turned(const struct flow_tuple *t)
{
    struct flow_tuple back = *t;
    back.src = t->dst;
    back.dst = t->src;
    back.src_port = t->dst_port;
    back.dst_port = t->src_port;
    return back;
}

TEST(both_directions_are_one_flow)
{
    struct flow_tuple back = turned(&way), other = way, udp = way;
    other.src_port = 40001;
    udp.protocol = PROTOCOL_UDP;
    static const struct {
        enum flow_stickiness stickiness;
        bool other_port, other_protocol; /* are the same flow */
    } cases[] = { { FLOW_5_TUPLE, false, false }, { FLOW_3_TUPLE, true, false }, { FLOW_2_TUPLE, true, true } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct gwlb_flows *flows = gwlb_flows_new(10);
        struct flow_key key = flow_key_of(1, &way, cases[i].stickiness);
        struct gwlb_flow *flow = gwlb_flows_add(flows, &key, 0);
        key = flow_key_of(1, &back, cases[i].stickiness);
        CHECK(gwlb_flows_find(flows, &key, 1) == flow, "case %zu", i);
        key = flow_key_of(2, &way, cases[i].stickiness);
        CHECK(!gwlb_flows_find(flows, &key, 1), "case %zu: of another endpoint", i);
        key = flow_key_of(1, &other, cases[i].stickiness);
        CHECK((gwlb_flows_find(flows, &key, 1) == flow) == cases[i].other_port, "case %zu", i);
        key = flow_key_of(1, &udp, cases[i].stickiness);
        CHECK((gwlb_flows_find(flows, &key, 1) == flow) == cases[i].other_protocol, "case %zu", i);
        gwlb_flows_free(flows);
    }
}

TEST(flows_that_rest_are_forgotten)
{
    struct gwlb_flows *flows = gwlb_flows_new(2);
    struct flow_tuple udp = way, third = way;
    udp.protocol = PROTOCOL_UDP;
    third.dst_port = 81;
    struct flow_key tcp_key = flow_key_of(1, &way, FLOW_5_TUPLE), udp_key = flow_key_of(1, &udp, FLOW_5_TUPLE),
                    third_key = flow_key_of(1, &third, FLOW_5_TUPLE);
    gwlb_flows_add(flows, &tcp_key, 0);
    gwlb_flows_add(flows, &udp_key, 0);
    CHECK(gwlb_flows_find(flows, &udp_key, FLOW_IDLE_MS));
    CHECK(gwlb_flows_find(flows, &tcp_key, FLOW_TCP_IDLE_MS)); /* used now: good for as long again */
    CHECK(!gwlb_flows_find(flows, &udp_key, 2 * FLOW_IDLE_MS + 1));
    CHECK(gwlb_flows_find(flows, &tcp_key, 2 * FLOW_TCP_IDLE_MS));
    CHECK_INT(gwlb_flows_count(flows), 1);
    /* Where there is room for two the one that rested longest goes. */
    gwlb_flows_add(flows, &udp_key, 2 * FLOW_TCP_IDLE_MS + 1);
    CHECK(gwlb_flows_find(flows, &tcp_key, 2 * FLOW_TCP_IDLE_MS + 2));
    gwlb_flows_add(flows, &third_key, 2 * FLOW_TCP_IDLE_MS + 3);
    CHECK_INT(gwlb_flows_count(flows), 2);
    CHECK(!gwlb_flows_find(flows, &udp_key, 2 * FLOW_TCP_IDLE_MS + 4));
    CHECK(gwlb_flows_find(flows, &tcp_key, 2 * FLOW_TCP_IDLE_MS + 4));
    gwlb_flows_free(flows);
}

TEST(a_packet_tells_its_flow)
{
    uint8_t packet[40] = { 0x45, 0, 0, 40 };
    struct flow_tuple t;
    packet[9] = PROTOCOL_TCP;
    put_ip(packet + 12, &way.src);
    put_ip(packet + 16, &way.dst);
    put16(packet + 20, 40000);
    put16(packet + 22, 80);
    packet[33] = 0x02;
    REQUIRE(flow_tuple_read(packet, 40, &t));
    CHECK(ip_equal(&t.src, &way.src) && ip_equal(&t.dst, &way.dst) && t.src_port == 40000 && t.dst_port == 80 &&
          t.opens);
    packet[33] = 0x12;
    CHECK(flow_tuple_read(packet, 40, &t) && !t.opens, "SYN and ACK answer");
    packet[6] = 0x20; /* more fragments: all of them must look alike */
    CHECK(flow_tuple_read(packet, 40, &t) && !t.src_port && !t.dst_port);
    CHECK(!flow_tuple_read(packet, 39, &t), "another length than it says");
    packet[0] = 0x55;
    CHECK(!flow_tuple_read(packet, 40, &t), "no version of IP");
    CHECK(!flow_tuple_read(packet, 0, &t));
}

TEST_MAIN
