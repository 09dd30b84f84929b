/* NAT64 as bytes: a packet in the other family is one that its receiver takes, and means the same. */
#include "tests/test.h"

#include <stdlib.h>

#include "netsim/live/nat64.h"
#include "netsim/live/packet.h"
#include "netsim/live/packet_bytes.h"

#define CLIENT6 ip_lit("2600:1f18:1:1::10")
#define CLIENT4 ip_lit("240.0.0.1")
#define SERVER6 ip_lit("64:ff9b::198.51.100.7")
#define SERVER4 ip_lit("198.51.100.7")

static uint8_t in[NAT64_PACKET_MAX], out[NAT64_PACKET_MAX];

static size_t
build(struct ip src, struct ip dst, int protocol, int src_port, int dst_port)
{
    const struct packet_spec spec = {
        .src = src, .dst = dst, .protocol = protocol, .src_port = src_port, .dst_port = dst_port, .nonce = 0x01020304
    };
    return packet_build(&spec, in);
}

static size_t
to4(size_t size)
{
    struct ip client4 = CLIENT4;
    return nat64_to4(in, size, &client4, false, 77, out);
}

static size_t
to6(size_t size)
{
    struct ip client4 = CLIENT4, client6 = CLIENT6;
    return nat64_to6(in, size, &client4, &client6, out);
}

/* Zero: it is right. */
static unsigned
checksum_of(const uint8_t *packet, size_t size)
{
    bool six = packet[0] >> 4 == 6;
    size_t head = six ? 40 : 20;
    struct ip src, dst;
    REQUIRE(nat64_addresses(packet, size, &src, &dst));
    return transport_checksum(&src, &dst, packet[six ? 6 : 9], packet + head, size - head);
}

static const struct {
    const char *what;
    int protocol6, protocol4, type6, type4; /* ICMP: where others have the port of the server */
} kinds[] = {
    { "tcp", PROTOCOL_TCP, PROTOCOL_TCP, 443, 443 },
    { "udp", PROTOCOL_UDP, PROTOCOL_UDP, 53, 53 },
    { "echo request", PROTOCOL_ICMPV6, PROTOCOL_ICMP, 128, 8 },
    { "echo reply", PROTOCOL_ICMPV6, PROTOCOL_ICMP, 129, 0 },
};

TEST(what_goes_out_is_ipv4_with_a_right_checksum)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        bool icmp = kinds[i].protocol4 == PROTOCOL_ICMP;
        size_t size = build(CLIENT6, SERVER6, kinds[i].protocol6, icmp ? 0 : 40000, kinds[i].type6);
        in[1] = 0xb0; /* traffic class 0xb? */
        size_t made = to4(size);
        CHECK_INT(made, size - 20, "%s", kinds[i].what);
        struct ip src, dst, client4 = CLIENT4, server4 = SERVER4;
        REQUIRE(nat64_addresses(out, made, &src, &dst));
        CHECK(ip_equal(&src, &client4) && ip_equal(&dst, &server4), "%s", kinds[i].what);
        CHECK_INT(out[9], kinds[i].protocol4);
        CHECK_INT(out[1], 0x0b, "the traffic class");
        CHECK_INT(get16(out + 2), made);
        CHECK_INT(get16(out + 6), 0, "small: routers may cut it");
        CHECK_INT(fold(sum16(out, 20, 0)), 0, "the header's checksum");
        CHECK_INT(checksum_of(out, made), 0, "%s", kinds[i].what);
        CHECK_INT(icmp ? out[20] : get16(out + 22), kinds[i].type4, "%s", kinds[i].what);
    }
}

TEST(what_comes_back_is_ipv6_with_a_right_checksum)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        bool icmp = kinds[i].protocol4 == PROTOCOL_ICMP;
        size_t size = build(SERVER4, CLIENT4, kinds[i].protocol4, icmp ? 0 : 40000, kinds[i].type4);
        size_t made = to6(size);
        CHECK_INT(made, size + 20, "%s", kinds[i].what);
        struct ip src, dst, client6 = CLIENT6, server6 = SERVER6;
        REQUIRE(nat64_addresses(out, made, &src, &dst));
        CHECK(ip_equal(&src, &server6) && ip_equal(&dst, &client6), "%s", kinds[i].what);
        CHECK_INT(out[6], kinds[i].protocol6);
        CHECK_INT(get16(out + 4), made - 40);
        CHECK_INT(checksum_of(out, made), 0, "%s", kinds[i].what);
        CHECK_INT(icmp ? out[40] : get16(out + 42), kinds[i].type6, "%s", kinds[i].what);
    }
}

TEST(a_wrong_checksum_stays_wrong_and_one_that_is_missing_is_made)
{
    size_t size = build(CLIENT6, SERVER6, PROTOCOL_UDP, 40000, 53);
    in[40 + 8] ^= 1;
    size_t made = to4(size);
    CHECK(checksum_of(out, made) != 0);
    size = build(SERVER4, CLIENT4, PROTOCOL_UDP, 53, 40000);
    put16(in + 26, 0); /* IPv4 permits it */
    made = to6(size);
    CHECK(get16(out + 46) != 0);
    CHECK_INT(checksum_of(out, made), 0);
}

TEST(what_nat64_does_not_carry)
{
    static const struct {
        const char *what, *src, *dst;
        int protocol, type;
    } cases[] = {
        { "another protocol", "2600:1f18:1:1::10", "64:ff9b::198.51.100.7", 47, 0 },
        { "neighbour discovery", "2600:1f18:1:1::10", "64:ff9b::198.51.100.7", PROTOCOL_ICMPV6, 135 },
        { "another prefix", "2600:1f18:1:1::10", "2001:db8::198.51.100.7", PROTOCOL_TCP, 80 },
        { "everybody", "2600:1f18:1:1::10", "64:ff9b::224.0.0.1", PROTOCOL_UDP, 53 },
        { "another client", "2600:1f18:1:1::10", "64:ff9b::240.0.0.2", PROTOCOL_TCP, 80 },
        { "this link", "2600:1f18:1:1::10", "64:ff9b::169.254.169.254", PROTOCOL_TCP, 80 },
        { "itself", "2600:1f18:1:1::10", "64:ff9b::127.0.0.1", PROTOCOL_TCP, 80 },
        { "IPv4 to somebody else", "198.51.100.7", "240.0.0.2", PROTOCOL_TCP, 80 },
        { "a timestamp", "198.51.100.7", "240.0.0.1", PROTOCOL_ICMP, 13 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool icmp = cases[i].protocol == PROTOCOL_ICMP || cases[i].protocol == PROTOCOL_ICMPV6;
        struct ip src = ip_lit(cases[i].src);
        size_t size = build(src, ip_lit(cases[i].dst), cases[i].protocol, icmp ? 0 : 40000, cases[i].type);
        CHECK_INT(src.family == IP_V6 ? to4(size) : to6(size), 0, "%s", cases[i].what);
    }
    size_t size = build(CLIENT6, SERVER6, PROTOCOL_UDP, 40000, 53);
    put16(in + 46, 0);
    CHECK_INT(to4(size), 0, "UDP without a checksum is not IPv6");
}

TEST(a_header_between_is_passed_over)
{
    size_t size = build(CLIENT6, SERVER6, PROTOCOL_TCP, 40000, 80);
    memmove(in + 48, in + 40, size - 40);
    memset(in + 40, 0, 8);
    in[40] = in[6];
    in[6] = 60; /* destination options */
    put16(in + 4, get16(in + 4) + 8);
    CHECK_INT(to4(size + 8), 40);
    CHECK_INT(checksum_of(out, 40), 0);
    in[6] = 43; /* a routing header with a way still to go */
    in[43] = 1;
    CHECK_INT(to4(size + 8), 0);
}

/* An error of 'router' about the packet in 'out', of 'size'. */
static size_t
error_about(struct ip router, struct ip to, uint8_t type, uint8_t code, uint32_t mtu, size_t size)
{
    bool six = router.family == IP_V6;
    size_t head = six ? 40 : 20;
    memset(in, 0, 64);
    memcpy(in + head + 8, out, size);
    in[head] = type;
    in[head + 1] = code;
    put32(in + head + 4, mtu);
    size += 8;
    in[0] = six ? 0x60 : 0x45;
    in[six ? 7 : 8] = 64;
    in[six ? 6 : 9] = six ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
    put16(in + (six ? 4 : 2), (unsigned)(six ? size : size + head));
    put_ip(in + (six ? 8 : 12), &router);
    put_ip(in + (six ? 24 : 16), &to);
    put16(in + head + 2, transport_checksum(&router, &to, in[six ? 6 : 9], in + head, size));
    return size + head;
}

TEST(an_error_is_about_the_packet_that_the_sender_knows)
{
    static const struct {
        uint8_t type, code, new_type, new_code;
        uint32_t mtu, new_mtu;
    } cases[] = {
        { 3, 4, 2, 0, 1500, 1520 }, { 3, 4, 2, 0, 576, 1280 }, { 3, 1, 1, 0, 0, 0 },
        { 3, 3, 1, 4, 0, 0 },       { 3, 13, 1, 1, 0, 0 },     { 11, 0, 3, 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t sent[PACKET_MAX];
        size_t size = build(CLIENT6, SERVER6, PROTOCOL_UDP, 40000, 53);
        memcpy(sent, in, size);
        sent[7]++; /* of its hop limit the gateway gives one back */
        size_t made = to4(size);
        made = error_about(ip_lit("203.0.113.9"), CLIENT4, cases[i].type, cases[i].code, cases[i].mtu, made);
        made = to6(made);
        CHECK_INT(made, 40 + 8 + size, "type %d", cases[i].type);
        CHECK_INT(out[40], cases[i].new_type);
        CHECK_INT(out[41], cases[i].new_code);
        CHECK_INT(get32(out + 44), cases[i].new_mtu);
        CHECK_INT(checksum_of(out, made), 0);
        CHECK(memcmp(out + 48, sent, size) == 0, "type %d: the packet in it is not the one that was sent",
              cases[i].type);
        struct ip router = ip_lit("64:ff9b::203.0.113.9"), src, dst;
        REQUIRE(nat64_addresses(out, made, &src, &dst));
        CHECK(ip_equal(&src, &router));
    }
}

TEST(an_error_on_the_way_to_the_client_is_told_to_the_server)
{
    size_t size = build(SERVER4, CLIENT4, PROTOCOL_ICMP, 0, 0);
    uint8_t sent[PACKET_MAX];
    memcpy(sent, in, size);
    size_t made = error_about(ip_lit("2600:1f18::1"), SERVER6, 2, 0, 1400, to6(size));
    made = to4(made);
    CHECK_INT(made, 20 + 8 + size);
    CHECK_INT(out[20], 3);
    CHECK_INT(out[21], 4);
    CHECK_INT(get16(out + 26), 1380);
    CHECK_INT(checksum_of(out, made), 0);
    CHECK(memcmp(out + 28 + 12, sent + 12, size - 12) == 0, "addresses and message are those that the server sent");
    /* Only about what the client was sent. */
    made = error_about(ip_lit("2600:1f18::1"), ip_lit("64:ff9b::198.51.100.8"), 2, 0, 1400,
                       (build(SERVER4, CLIENT4, PROTOCOL_ICMP, 0, 0), to6(size)));
    CHECK_INT(to4(made), 0);
}

TEST_MAIN
