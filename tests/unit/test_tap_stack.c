/* What a TAP host answers, frame by frame. */
#include "tests/test.h"

#include "netsim/live/packet_bytes.h"
#include "netsim/live/tap_stack.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static const uint8_t router[6] = { 0x0a, 0x76, 0x70, 0x63, 0, 1 }, own[6] = { 2, 0, 0, 0, 0, 9 };
static struct ip addresses[3];
static struct tap_port ports[] = { { PROTOCOL_TCP, { 80, 80 } }, { PROTOCOL_UDP, { 5000, 5010 } } };
static struct tap_host host;
static uint8_t frame[2048], answer[TAP_FRAME_MAX];

static void
make_host(void)
{
    addresses[0] = ip_lit("10.0.1.10");
    addresses[1] = ip_lit("10.0.1.11");
    addresses[2] = ip_lit("2001:db8::10");
    memcpy(host.mac, own, 6);
    host.addresses.items = addresses;
    host.addresses.n = 3;
    host.open.items = ports;
    host.open.n = 2;
}

/* A frame from the router with this transport part. */
static size_t
make_frame(const char *src, const char *dst, int protocol, const uint8_t *data, size_t size)
{
    struct ip from = ip_lit(src), to = ip_lit(dst);
    bool six = from.family == IP_V6;
    make_host();
    memcpy(frame, own, 6);
    memcpy(frame + 6, router, 6);
    put16(frame + 12, six ? 0x86dd : 0x0800);
    uint8_t *p = frame + 14;
    memset(p, 0, 40);
    size_t head = six ? 40 : 20;
    if (six) {
        p[0] = 0x60;
        put16(p + 4, (unsigned)size);
        p[6] = (uint8_t)protocol;
        p[7] = 255;
        put_ip(p + 8, &from);
        put_ip(p + 24, &to);
    } else {
        p[0] = 0x45;
        put16(p + 2, (unsigned)(20 + size));
        p[8] = 64;
        p[9] = (uint8_t)protocol;
        put_ip(p + 12, &from);
        put_ip(p + 16, &to);
    }
    memcpy(p + head, data, size);
    return 14 + head + size;
}

static size_t
make_tcp(const char *dst, int port, int flags, uint32_t sequence, uint32_t acknowledged, const char *text)
{
    uint8_t data[512] = { 0 };
    put16(data, 40000);
    put16(data + 2, (unsigned)port);
    put32(data + 4, sequence);
    put32(data + 8, acknowledged);
    data[12] = 5 << 4;
    data[13] = (uint8_t)flags;
    memcpy(data + 20, text, strlen(text));
    return make_frame("10.0.2.20", dst, PROTOCOL_TCP, data, 20 + strlen(text));
}

/* Every answer that is an IP packet must be whole: addresses turned round, lengths and checksums right. */
static void
check_whole(size_t size, const char *name)
{
    const uint8_t *p;
    size_t n;
    CHECK(tap_packet(answer, size, &p, &n), "%s", name);
    CHECK_INT(size, 14 + n, "%s", name);
    CHECK(memcmp(answer, router, 6) == 0 && memcmp(answer + 6, own, 6) == 0, "%s", name);
    bool six = p[0] >> 4 == 6;
    size_t head = six ? 40 : 20;
    struct ip src = ip_of_bytes(p + (six ? 8 : 12), six ? IP_V6 : IP_V4),
              dst = ip_of_bytes(p + (six ? 24 : 16), src.family);
    CHECK(six || fold(sum16(p, 20, 0)) == 0, "%s", name);
    CHECK_INT(transport_checksum(&src, &dst, p[six ? 6 : 9], p + head, n - head), 0, "%s", name);
}

TEST(a_tap_host_answers_arp_for_its_own_addresses)
{
    static const struct {
        const char *wanted;
        int operation;
        bool answered;
    } cases[] = {
        { "10.0.1.10", 1, true }, { "10.0.1.11", 1, true }, { "10.0.1.12", 1, false }, { "10.0.1.10", 2, false }
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ip wanted = ip_lit(cases[i].wanted), asker = ip_lit("10.0.1.1");
        make_host();
        memset(frame, 0xff, 6);
        memcpy(frame + 6, router, 6);
        put16(frame + 12, 0x0806);
        memcpy(frame + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, (uint8_t)cases[i].operation }, 8);
        memcpy(frame + 22, router, 6);
        put_ip(frame + 28, &asker);
        memset(frame + 32, 0, 6);
        put_ip(frame + 38, &wanted);
        size_t size = tap_answer(&host, frame, 42, answer);
        CHECK_INT(size, cases[i].answered ? 42 : 0, "%s", cases[i].wanted);
        if (size) {
            struct ip said = ip_of_bytes(answer + 28, IP_V4), told = ip_of_bytes(answer + 38, IP_V4);
            CHECK(memcmp(answer + 22, own, 6) == 0 && memcmp(answer + 32, router, 6) == 0, "%s", cases[i].wanted);
            CHECK(ip_equal(&said, &wanted) && ip_equal(&told, &asker) && answer[21] == 2, "%s", cases[i].wanted);
        }
        CHECK_INT(tap_answer(&host, frame, 41, answer), 0, "cut short");
    }
}

TEST(a_tap_host_answers_pings_and_no_other_icmp)
{
    static const uint8_t ping[] = { 8, 0, 0, 0, 1, 2, 3, 4, 'a', 'b', 'c' }, reply[] = { 0, 0, 0, 0, 1, 2, 3, 4 },
                         ping6[] = { 128, 0, 0, 0, 1, 2, 3, 4, 'a' };
    size_t size = make_frame("10.0.2.20", "10.0.1.11", PROTOCOL_ICMP, ping, sizeof ping);
    size_t n = tap_answer(&host, frame, size, answer);
    CHECK_INT(n, size, "an echo of the same size");
    check_whole(n, "echo");
    CHECK(answer[34] == 0 && memcmp(answer + 38, ping + 4, 7) == 0, "the same back");
    size = make_frame("2001:db8:1::1", "2001:db8::10", PROTOCOL_ICMPV6, ping6, sizeof ping6);
    n = tap_answer(&host, frame, size, answer);
    CHECK_INT(n, size, "IPv6");
    check_whole(n, "IPv6");
    CHECK_INT(answer[54], 129, "IPv6");
    size = make_frame("10.0.2.20", "10.0.1.11", PROTOCOL_ICMP, reply, sizeof reply);
    CHECK_INT(tap_answer(&host, frame, size, answer), 0, "a reply");
    size = make_frame("10.0.2.20", "10.0.1.99", PROTOCOL_ICMP, ping, sizeof ping);
    CHECK_INT(tap_answer(&host, frame, size, answer), 0, "not its address");
    size = make_frame("10.0.2.20", "10.0.1.11", PROTOCOL_ICMP, ping, sizeof ping);
    frame[14 + 6] = 0x20;
    CHECK_INT(tap_answer(&host, frame, size, answer), 0, "a fragment");
}

TEST(a_tap_host_echoes_udp_on_open_ports_and_says_that_others_are_closed)
{
    uint8_t data[] = { 0x9c, 0x40, 0x13, 0x88, 0, 12, 0, 0, 'p', 'i', 'n', 'g' };
    size_t size = make_frame("10.0.2.20", "10.0.1.10", PROTOCOL_UDP, data, sizeof data);
    size_t n = tap_answer(&host, frame, size, answer);
    check_whole(n, "open");
    CHECK(get16(answer + 34) == 5000 && get16(answer + 36) == 40000 && memcmp(answer + 42, "ping", 4) == 0, "open");
    data[3] = 0x77; /* 4983 */
    size = make_frame("10.0.2.20", "10.0.1.10", PROTOCOL_UDP, data, sizeof data);
    n = tap_answer(&host, frame, size, answer);
    check_whole(n, "closed");
    CHECK(answer[23] == PROTOCOL_ICMP && answer[34] == 3 && answer[35] == 3, "port unreachable");
    CHECK(memcmp(answer + 42, frame + 14, 32) == 0, "with what it is about");
    data[5] = 13;
    size = make_frame("10.0.2.20", "10.0.1.10", PROTOCOL_UDP, data, sizeof data);
    CHECK_INT(tap_answer(&host, frame, size, answer), 0, "longer than the packet");
    size = make_frame("10.0.2.20", "10.0.1.10", 132, data, sizeof data);
    n = tap_answer(&host, frame, size, answer);
    check_whole(n, "SCTP");
    CHECK(answer[34] == 3 && answer[35] == 2, "protocol unreachable");
}

TEST(a_tap_host_takes_nothing_that_bears_its_own_address)
{
    static const struct {
        const char *src, *dst;
        bool martian;
    } cases[] = {
        { "10.0.1.20", "10.0.1.10", false },      { "10.0.1.10", "10.0.1.10", true },
        { "10.0.1.11", "10.0.1.10", true },       { "2001:db8::20", "2001:db8::10", false },
        { "2001:db8::10", "2001:db8::10", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const uint8_t udp[8] = { 0x9c, 0x40, 0x13, 0x88, 0, 8, 0, 0 }, *packet;
        size_t size = make_frame(cases[i].src, cases[i].dst, PROTOCOL_UDP, udp, sizeof udp), packet_size;
        REQUIRE(tap_packet(frame, size, &packet, &packet_size), "%s", cases[i].src);
        CHECK(tap_is_martian(&host, packet, packet_size) == cases[i].martian, "%s", cases[i].src);
    }
}

TEST(a_tap_host_speaks_tcp)
{
    static const struct {
        const char *name;
        int port, flags;
        uint32_t sequence, acknowledged;
        const char *text;
        int said; /* flags of the answer; 0: none */
        uint32_t says, acknowledges;
    } cases[] = {
        { "a closed port refuses", 81, SYN, 1000, 0, "", RST | ACK, 0, 1001 },
        { "and what was not asked for", 81, ACK, 1000, 555, "", RST, 555, 0 },
        { "an answer to no call", 80, SYN | ACK, 1000, 555, "", RST, 555, 0 },
        { "data is acknowledged", 80, ACK | PSH, 1001, 900, "hello", ACK, 900, 1006 },
        { "an acknowledgement is not answered", 80, ACK, 1001, 900, "", 0, 0, 0 },
        { "the end is answered by the end", 80, FIN | ACK, 1001, 900, "", FIN | ACK, 900, 1002 },
        { "also with data", 80, FIN | ACK | PSH, 1001, 900, "bye", FIN | ACK, 900, 1005 },
        { "a reset ends it", 80, RST, 1001, 900, "", 0, 0, 0 },
        { "a page and the end", 80, ACK | PSH, 1001, 900, "GET / HTTP/1.1\r\n\r\n", ACK | PSH | FIN, 900, 1019 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t size = make_tcp("10.0.1.10", cases[i].port, cases[i].flags, cases[i].sequence, cases[i].acknowledged,
                               cases[i].text);
        size_t n = tap_answer(&host, frame, size, answer);
        CHECK_INT(n != 0, cases[i].said != 0, "%s", cases[i].name);
        if (n) {
            check_whole(n, cases[i].name);
            CHECK_INT(answer[47], cases[i].said, "%s", cases[i].name);
            CHECK_INT(get32(answer + 38), cases[i].says, "%s", cases[i].name);
            CHECK_INT(get32(answer + 42), cases[i].acknowledges, "%s", cases[i].name);
        }
    }
    size_t n = tap_answer(&host, frame, make_tcp("10.0.1.10", 80, SYN, 7, 0, ""), answer);
    check_whole(n, "handshake");
    CHECK(answer[47] == (SYN | ACK) && get32(answer + 42) == 8 && answer[46] == 6 << 4, "handshake");
    uint32_t first = get32(answer + 38);
    tap_answer(&host, frame, make_tcp("10.0.1.10", 80, SYN, 7, 0, ""), answer);
    CHECK_INT(get32(answer + 38), first, "a repeated call gets the same answer");
    n = tap_answer(&host, frame, make_tcp("10.0.1.10", 80, ACK | PSH, 1, 2, "GET / HTTP/1.1\r\n\r\n"), answer);
    answer[n] = '\0';
    CHECK(strstr((char *)answer + 54, "\r\n\r\n10.0.1.10\n"), "the page names the host");
    n = tap_answer(&host, frame, make_tcp("10.0.1.10", 80, ACK | PSH, 1, 2, "HEAD / HTTP/1.1\r\n\r\n"), answer);
    answer[n] = '\0';
    CHECK(n && !strstr((char *)answer + 54, "10.0.1.10"), "HEAD has no body");
}

/* As a forged sender's address may begin it: each takes the other's answer, which a router on the way made a hop older.
 */
TEST(two_tap_hosts_do_not_talk_forever)
{
    static const struct {
        const char *name;
        int port, flags;
        const char *text;
    } cases[] = { { "echoes", 5000, 0, "ping" },
                  { "ends", 80, FIN | ACK, "" },
                  { "a page", 80, ACK | PSH, "GET / HTTP/1.1\r\n\r\n" } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint8_t udp[12] = { 0, 0, 0, 0, 0, 12, 0, 0, 'p', 'i', 'n', 'g' };
        put16(udp, (unsigned)cases[i].port);
        put16(udp + 2, (unsigned)cases[i].port);
        size_t size = cases[i].flags ? make_tcp("10.0.1.10", cases[i].port, cases[i].flags, 1, 1, cases[i].text)
                                     : make_frame("10.0.2.20", "10.0.1.10", PROTOCOL_UDP, udp, sizeof udp);
        put16(frame + 34, (unsigned)cases[i].port);
        struct tap_host other = host;
        struct ip there = ip_lit("10.0.2.20");
        other.addresses.items = &there;
        other.addresses.n = 1;
        int n_answers = 0;
        while (n_answers < 1000 && (size = tap_answer(n_answers % 2 ? &other : &host, frame, size, answer)) > 0) {
            n_answers++;
            memcpy(frame, answer, size);
            if (--frame[22] == 0) {
                break;
            }
        }
        CHECK(n_answers > 0 && n_answers <= 64, "%s: %d", cases[i].name, n_answers);
    }
}

TEST(a_tap_host_is_found_by_its_ipv6_neighbours)
{
    struct ip wanted = ip_lit("2001:db8::10");
    uint8_t data[32] = { 135, 0 };
    put_ip(data + 8, &wanted);
    size_t size = make_frame("fe80::1", "ff02::1:ff00:10", PROTOCOL_ICMPV6, data, sizeof data);
    size_t n = tap_answer(&host, frame, size, answer);
    check_whole(n, "advertisement");
    CHECK(answer[54] == 136 && memcmp(answer + 80, own, 6) == 0 && answer[21] == 255, "advertisement");
    data[23] = 0x11;
    size = make_frame("fe80::1", "ff02::1:ff00:11", PROTOCOL_ICMPV6, data, sizeof data);
    CHECK_INT(tap_answer(&host, frame, size, answer), 0, "another's address");
}

TEST_MAIN
