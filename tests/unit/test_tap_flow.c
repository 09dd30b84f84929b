/* A TAP host's TCP against a far end that loses packets, refuses, or has a narrow way; UDP against a TAP host that
 * echoes. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/packet_bytes.h"
#include "netsim/live/tap_flow.h"
#include "netsim/live/tap_fragments.h"
#include "netsim/live/tap_stack.h"
#include "tests/test.h"

enum { FIN = 1, SYN = 2, RST = 4, ACK = 16 };

/* ---- the far end: a receiver with a small window, as RFC 9293 has it, without memory of what came early ------------
 */
struct far {
    int fd;
    int lose_every; /* data segments; 0: none is lost */
    size_t mtu;     /* 0: any packet passes */
    bool refuses;
    const char *wanted; /* the stream */
    size_t n_wanted;
    /* What happened: */
    uint32_t next;
    size_t n_taken, longest;
    int n_data;
    bool open, wrong, ended;
};

static size_t
head_of(const uint8_t *packet)
{
    return packet[0] >> 4 == 6 ? 40 : 20;
}

static void
answer(const struct far *far, const uint8_t *came, int flags, uint32_t sequence)
{
    uint8_t out[64] = { 0 };
    bool six = came[0] >> 4 == 6;
    size_t head = head_of(came), n = six ? 16 : 4;
    struct ip src = ip_of_bytes(came + (six ? 24 : 16), six ? IP_V6 : IP_V4),
              dst = ip_of_bytes(came + (six ? 8 : 12), six ? IP_V6 : IP_V4);
    memcpy(out, came, head);
    memcpy(out + (six ? 8 : 12), came + (six ? 24 : 16), n);
    memcpy(out + (six ? 24 : 16), came + (six ? 8 : 12), n);
    put16(out + (six ? 4 : 2), six ? 20 : 40);
    uint8_t *p = out + head;
    memcpy(p, came + head + 2, 2);
    memcpy(p + 2, came + head, 2);
    put32(p + 4, sequence);
    put32(p + 8, far->next);
    p[12] = 5 << 4;
    p[13] = (uint8_t)flags;
    put16(p + 14, 60000);
    put16(p + 16, transport_checksum(&src, &dst, PROTOCOL_TCP, p, 20));
    if (send(far->fd, out, head + 20, MSG_NOSIGNAL) < 0) {
        return; /* the test is over */
    }
}

static void
too_big(const struct far *far, const uint8_t *came)
{
    uint8_t out[128] = { 0 };
    bool six = came[0] >> 4 == 6;
    size_t head = head_of(came), quoted = head + 8;
    memcpy(out, came, head);
    out[six ? 6 : 9] = six ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP;
    put16(out + (six ? 4 : 2), (unsigned)(8 + quoted + (six ? 0 : 20)));
    uint8_t *p = out + head;
    p[0] = six ? 2 : 3;
    p[1] = six ? 0 : 4;
    six ? put32(p + 4, (uint32_t)far->mtu) : put16(p + 6, (unsigned)far->mtu);
    memcpy(p + 8, came, quoted);
    if (send(far->fd, out, head + 8 + quoted, MSG_NOSIGNAL) < 0) {
        return;
    }
}

static void
take(struct far *far, const uint8_t *packet, size_t size)
{
    const uint8_t *p = packet + head_of(packet);
    size_t length = size - head_of(packet) - (size_t)(p[12] >> 4) * 4;
    uint32_t sequence = get32(p + 4);
    struct ip src = ip_of_bytes(packet + (packet[0] >> 4 == 6 ? 8 : 12), packet[0] >> 4 == 6 ? IP_V6 : IP_V4),
              dst = ip_of_bytes(packet + (packet[0] >> 4 == 6 ? 24 : 16), packet[0] >> 4 == 6 ? IP_V6 : IP_V4);
    far->wrong |= transport_checksum(&src, &dst, PROTOCOL_TCP, p, size - head_of(packet)) != 0;
    if (far->refuses || (p[13] & SYN)) {
        far->next = sequence + 1;
        far->open = !far->refuses;
        answer(far, packet, far->refuses ? RST | ACK : SYN | ACK, 7777);
        return;
    }
    if (far->mtu && size > far->mtu) {
        too_big(far, packet);
        return;
    }
    if (!length && !(p[13] & FIN)) {
        return;
    }
    far->n_data += length > 0;
    if (length && far->lose_every && far->n_data % far->lose_every == 0) {
        return;
    }
    far->longest = length > far->longest ? length : far->longest;
    if (sequence == far->next) {
        far->wrong |= far->n_taken + length > far->n_wanted ||
                      memcmp(p + (p[12] >> 4) * 4, far->wanted + far->n_taken, length) != 0;
        far->n_taken += far->wrong ? 0 : length;
        far->next += (uint32_t)length + ((p[13] & FIN) ? 1 : 0);
        far->ended |= (p[13] & FIN) != 0;
    }
    answer(far, packet, far->ended ? FIN | ACK : ACK, 7778);
}

static void *
run_far(void *context)
{
    struct far *far = context;
    uint8_t packet[65536];
    for (ssize_t n; (n = recv(far->fd, packet, sizeof packet, 0)) > 0;) {
        take(far, packet, (size_t)n);
    }
    return NULL;
}

/* ---- one transfer -------------------------------------------------------------------------------------------------
 */
static char stream[200001];

static struct tap_flow_count
transfer(struct far *far, int family)
{
    int ends[2];
    pthread_t thread;
    struct tap_flow_count count = { 0 };
    const struct tap_flow_end end = { .src = ip_lit(family == IP_V6 ? "2001:db8::1" : "10.0.0.1"),
                                      .dst = ip_lit(family == IP_V6 ? "2001:db8::2" : "10.0.0.2"),
                                      .protocol = PROTOCOL_TCP,
                                      .src_port = 40000,
                                      .dst_port = 5201 };
    REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    far->fd = ends[1];
    far->wanted = stream;
    far->n_wanted = sizeof stream;
    REQUIRE(pthread_create(&thread, NULL, run_far, far) == 0);
    struct tap_flow *flow = tap_flow_new(ends[0], &end);
    errno = 0;
    if (tap_flow_connect(flow, 20000)) {
        for (size_t at = 0; at < sizeof stream;) {
            ssize_t n = tap_flow_send(flow, stream + at, sizeof stream - at);
            at += n > 0 ? (size_t)n : 0;
            CHECK(n > 0 || errno == EAGAIN, "%s", strerror(errno));
            if (n < 0) {
                tap_flow_wait(flow, 50);
            }
        }
        for (int i = 0; i < 2000 && !tap_flow_end(flow); i++) {
            tap_flow_wait(flow, 50);
        }
        count = tap_flow_counted(flow);
    } else {
        count.acknowledged = -errno;
    }
    tap_flow_free(flow);
    shutdown(ends[0], SHUT_RDWR);
    pthread_join(thread, NULL);
    close(ends[0]);
    close(ends[1]);
    return count;
}

TEST(a_stream_arrives_whole_whatever_is_lost)
{
    static const struct {
        int lose_every;
        size_t mtu, longest;
    } cases[] = { { 0, 0, 8961 }, { 9, 0, 8961 }, { 0, 1500, 1460 }, { 61, 1500, 1460 } };
    for (size_t i = 0; i < sizeof stream; i++) {
        stream[i] = (char)(i * 2654435761u >> 13);
    }
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
            struct far far = { .lose_every = cases[i].lose_every, .mtu = cases[i].mtu };
            struct tap_flow_count count = transfer(&far, family);
            size_t longest = cases[i].longest - (family == IP_V6 ? 20 : 0);
            CHECK(far.n_taken == sizeof stream && far.ended && !far.wrong, "case %zu: %zu bytes%s", i, far.n_taken,
                  far.wrong ? ", of which some are wrong" : "");
            CHECK_INT(count.acknowledged, sizeof stream, "case %zu", i);
            CHECK_INT(far.longest, longest, "case %zu", i);
            CHECK((count.retransmitted > 0) == (cases[i].lose_every || cases[i].mtu), "case %zu: %lld", i,
                  count.retransmitted);
        }
    }
}

TEST(a_closed_port_is_said_to_be_closed)
{
    struct far far = { .refuses = true };
    CHECK_INT(transfer(&far, IP_V4).acknowledged, -ECONNREFUSED);
}

TEST(datagrams_go_and_come_back)
{
    static const uint8_t router[6] = { 2, 0, 0, 0, 0, 1 };
    for (int family = IP_V4; family <= IP_V6; family += IP_V6 - IP_V4) {
        struct ip far_ip = ip_lit(family == IP_V6 ? "2001:db8::2" : "10.0.0.2");
        const struct tap_flow_end end = { .src = ip_lit(family == IP_V6 ? "2001:db8::1" : "10.0.0.1"),
                                          .dst = far_ip,
                                          .protocol = PROTOCOL_UDP,
                                          .src_port = 40000,
                                          .dst_port = 7 };
        struct tap_host host = { .mac = { 2, 0, 0, 0, 0, 2 } };
        struct tap_port open = { PROTOCOL_UDP, { 7, 7 } };
        static uint8_t frame[TAP_FRAME_MAX], out[TAP_FRAME_MAX], data[65536], back[65536];
        int ends[2], most = TAP_FLOW_UDP_MAX(family);
        host.addresses.items = &far_ip;
        host.open.items = &open;
        host.addresses.n = host.open.n = 1;
        REQUIRE(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
        struct tap_flow *flow = tap_flow_new(ends[0], &end);
        struct fragments *fragments = fragments_new();
        CHECK(tap_flow_connect(flow, 0));
        CHECK(tap_flow_receive(flow, data, sizeof data) == -1 && errno == EAGAIN);
        memset(data, 'x', sizeof data);
        const int sizes[] = { 100, 20000, most };
        for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
            size_t mtu = i && family == IP_V6 ? 1500 : TAP_FLOW_MTU, size, allowed;
            if (i == 1 && family == IP_V6) { /* a router of the way tells */
                struct ip router_ip = ip_lit("2001:db8::99");
                memset(out, 0, 100);
                out[0] = 0x60;
                put16(out + 4, 60);
                out[6] = PROTOCOL_ICMPV6;
                put_ip(out + 8, &router_ip);
                put_ip(out + 24, &end.src);
                out[40] = 2;
                put32(out + 44, 1500);
                CHECK(send(ends[1], out, 100, 0) == 100);
                CHECK_INT(tap_flow_receive(flow, back, sizeof back), 0);
            }
            CHECK_INT(tap_flow_send(flow, data, (size_t)sizes[i]), sizes[i]);
            const uint8_t *whole = NULL;
            for (ssize_t n; (n = recv(ends[1], out, sizeof out, MSG_DONTWAIT)) > 0;) {
                REQUIRE((size_t)n <= mtu && !whole, "%zd", n);
                size = tap_frame(&host, router, out, (size_t)n, frame);
                whole = tap_whole(fragments, 1, frame, &size, mtu, &allowed);
            }
            REQUIRE(whole != NULL, "%d", sizes[i]);
            size = tap_answer(&host, whole, size, out);
            REQUIRE(size > 14);
            CHECK(send(ends[1], out + 14, size - 14, 0) > 0);
            CHECK_INT(tap_flow_receive(flow, back, sizeof back), sizes[i]);
            CHECK(memcmp(back, data, (size_t)sizes[i]) == 0);
        }
        CHECK(tap_flow_send(flow, data, (size_t)most + 1) == -1 && errno == EMSGSIZE);
        fragments_free(fragments);
        tap_flow_free(flow);
        close(ends[0]);
        close(ends[1]);
    }
}

TEST_MAIN
