/* netsim/analysis/packet_set: the algebra against a table of every packet of a small world, the words against examples.
 */
#include "base/id.h"
#include "netsim/analysis/packet_set.h"
#include "tests/test.h"

#define PROTOCOLS 9 /* 0 to 8: icmp (types and codes), tcp (ports) and some without either */
#define VALUES    7

struct world {
    bool in[PROTOCOLS][VALUES][VALUES];
};

static int
lot(struct id_gen *ids, int n)
{
    return (int)id_random_below(ids, (uint64_t)n);
}

/* The same random boxes put into a set and into the table. */
static void
random_set(struct id_gen *ids, struct packet_set *set, struct world *world)
{
    *world = (struct world){ 0 };
    for (int i = lot(ids, 5); i > 0; i--) {
        int protocol = lot(ids, PROTOCOLS), last = packet_axis_last(protocol) ? VALUES - 1 : 0;
        int from = lot(ids, VALUES), to = lot(ids, VALUES), from_hi = from + lot(ids, 3), to_hi = to + lot(ids, 3);
        packet_set_add(set, protocol, from, from_hi < VALUES ? from_hi : VALUES - 1, to,
                       to_hi < VALUES ? to_hi : VALUES - 1);
        for (int x = from; x <= from_hi; x++) {
            for (int y = to; y <= to_hi; y++) {
                if (x < VALUES && y < VALUES) {
                    world->in[protocol][last ? x : 0][last ? y : 0] = true;
                }
            }
        }
    }
}

static int
differences(const struct packet_set *set, const struct world *world)
{
    int n = 0;
    for (int p = 0; p < PROTOCOLS; p++) {
        for (int x = 0; x < VALUES; x++) {
            for (int y = 0; y < VALUES; y++) {
                n += packet_set_has(set, p, x, y) != world->in[p][x][y];
            }
        }
    }
    return n;
}

TEST(sets_agree_with_a_table_of_every_packet)
{
    struct id_gen ids;
    id_gen_seed(&ids, 7);
    for (int round = 0; round < 3000; round++) {
        struct packet_set a = { 0 }, b = { 0 };
        struct world wa, wb;
        random_set(&ids, &a, &wa);
        random_set(&ids, &b, &wb);
        for (int op = PACKETS_UNION; op <= PACKETS_SUBTRACT; op++) {
            struct world expected;
            bool any = false;
            for (bool *w = &expected.in[0][0][0], *x = &wa.in[0][0][0], *y = &wb.in[0][0][0];
                 x < &wa.in[0][0][0] + sizeof wa.in; w++, x++, y++) {
                *w = op == PACKETS_UNION ? *x || *y : op == PACKETS_INTERSECT ? *x && *y : *x && !*y;
                any = any || *w;
            }
            struct packet_set c = packet_set_combine(&a, &b, (enum packet_op)op);
            CHECK(differences(&c, &expected) == 0, "round %d, op %d", round, op);
            CHECK(packet_set_is_empty(&c) == !any, "round %d, op %d", round, op);
            packet_set_done(&c);
        }
        packet_set_done(&a);
        packet_set_done(&b);
    }
}

/* However a set came about, one set has one form. */
TEST(the_form_is_canonical)
{
    struct id_gen ids;
    id_gen_seed(&ids, 8);
    for (int round = 0; round < 3000; round++) {
        struct packet_set a = { 0 }, b = { 0 };
        struct world world, other;
        random_set(&ids, &a, &world);
        random_set(&ids, &b, &other);
        struct packet_set without = packet_set_combine(&a, &b, PACKETS_SUBTRACT);
        struct packet_set both = packet_set_combine(&b, &a, PACKETS_INTERSECT);
        struct packet_set again = packet_set_combine(&both, &without, PACKETS_UNION);
        CHECK(packet_set_equal(&a, &again), "round %d", round);
        CHECK(packet_set_hash(&a) == packet_set_hash(&again), "round %d", round);
        CHECK(packet_set_equal(&a, &b) == (memcmp(&world, &other, sizeof world) == 0), "round %d", round);
        packet_set_done(&a);
        packet_set_done(&b);
        packet_set_done(&without);
        packet_set_done(&both);
        packet_set_done(&again);
    }
}

TEST(words_and_back)
{
    static const struct {
        const char *in, *out;
        int family;
    } cases[] = {
        { "all", "all", IP_V4 },
        { "", "none", IP_V4 },
        { "tcp/443,80 tcp/1024-65535", "tcp/80,443,1024-65535", IP_V4 },
        { "tcp/80 tcp/81", "tcp/80-81", IP_V4 },
        { "icmp/8 tcp/22", "tcp/22 icmp/8", IP_V4 },
        { "icmp/3:4,8", "icmp/3:4,8", IP_V4 },
        { "icmp", "icmpv6", IP_V6 },
        { "tcp udp icmp other", "all", IP_V4 },
        { "udp 50", "udp 50", IP_V4 },
        { "2-5 47", "2-5 47", IP_V4 },
        { "0-255", "all", IP_V4 },
        { "udp/53 udp/0-65535", "udp", IP_V4 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct packet_set set = { 0 };
        struct err err = { 0 };
        struct buf text = { 0 };
        CHECK(packet_set_parse(cases[i].in, cases[i].family, &set, &err), "%s: %s", cases[i].in, err.text);
        struct packet_set all = packet_set_all(cases[i].family);
        struct packet_set real = packet_set_combine(&set, &all, PACKETS_INTERSECT);
        packet_set_print(&real, cases[i].family, &text);
        CHECK_STR(buf_str(&text), cases[i].out, "%s", cases[i].in);
        buf_done(&text);
        packet_set_done(&set);
        packet_set_done(&all);
        packet_set_done(&real);
    }
}

TEST(words_that_name_no_packets_are_refused)
{
    static const char *const cases[] = { "tcp/", "tcp/70000", "tcp/80-22", "gre/1", "50/1", "256", "tcp/80,", "web" };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct packet_set set = { 0 };
        struct err err = { 0 };
        CHECK(!packet_set_parse(cases[i], IP_V4, &set, &err), "%s", cases[i]);
        CHECK(strstr(err.text, cases[i]) != NULL, "%s: %s", cases[i], err.text);
        packet_set_done(&set);
    }
}

TEST(source_ports_are_written_when_they_matter)
{
    struct packet_set set = { 0 };
    struct buf text = { 0 };
    packet_set_add(&set, PROTOCOL_TCP, 1024, 65535, 80, 80);
    packet_set_add(&set, PROTOCOL_UDP, 40000, 50000, 53, 53);
    packet_set_print(&set, IP_V4, &text);
    CHECK_STR(buf_str(&text), "tcp/80 udp/53 from 40000-50000", "");
    buf_done(&text);
    packet_set_done(&set);
}

TEST_MAIN
