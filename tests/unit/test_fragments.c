/* Packets in pieces: put together whatever the order, thrown away where they overlap, bounded whoever sends them; and
 * cut. */
#include "tests/test.h"

#include <stdlib.h>

#include "netsim/live/fragments.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/tap_fragments.h"
#include "netsim/live/tap_stack.h"

enum { N = 60 }; /* bytes of data: 24, 24 and 12 in three pieces */

static uint8_t packet[FRAGMENTS_WHOLE_MAX], pieces[64][2048];
static size_t sizes[64];

/* A packet of 'size' bytes of UDP. */
static size_t
make(bool six, size_t size, unsigned id)
{
    struct ip src = ip_lit(six ? "2001:db8::1" : "10.0.0.1"), dst = ip_lit(six ? "2001:db8::2" : "10.0.0.2");
    size_t head = six ? 40 : 20;
    memset(packet, 0, head);
    packet[0] = six ? 0x60 : 0x45;
    packet[six ? 6 : 9] = PROTOCOL_UDP;
    packet[six ? 7 : 8] = 64;
    put16(packet + (six ? 4 : 2), (unsigned)(six ? size : head + size));
    put_ip(packet + (six ? 8 : 12), &src);
    put_ip(packet + (six ? 24 : 16), &dst);
    if (!six) {
        put16(packet + 4, id);
        put16(packet + 10, fold(sum16(packet, 20, 0)));
    }
    for (size_t i = 0; i < size; i++) {
        packet[head + i] = (uint8_t)(i * 7 + i / 251);
    }
    return head + size;
}

/* One piece by hand: data from 'at' on. */
static size_t
make_piece(bool six, unsigned id, size_t at, size_t size, bool last, uint8_t *out)
{
    size_t head = six ? 40 : 20, start = six ? 48 : 20;
    make(six, N, id);
    memcpy(out, packet, head);
    if (six) {
        put16(out + 4, (unsigned)(8 + size));
        out[6] = 44;
        memset(out + 40, 0, 8);
        out[40] = PROTOCOL_UDP;
        put16(out + 42, (unsigned)at | !last);
        put32(out + 44, id);
    } else {
        put16(out + 2, (unsigned)(20 + size));
        put16(out + 6, (unsigned)(at / 8) | (last ? 0 : 0x2000));
    }
    memcpy(out + start, packet + head + at, size);
    return start + size;
}

static uint8_t *
give(struct fragments *f, const uint8_t *piece, size_t *size, int64_t now_ms)
{
    static uint8_t *copy; /* of its very size: a sanitizer sees a read past it */
    size_t largest;
    free(copy);
    copy = malloc(*size);
    memcpy(copy, piece, *size);
    uint8_t *whole = fragments_whole(f, 7, copy, size, now_ms, &largest);
    return whole == copy ? NULL : whole;
}

TEST(pieces_become_the_packet_or_nothing)
{
    static const struct {
        const char *name;
        struct {
            int at, size, last, at_ms;
        } parts[6];
        bool whole[2]; /* IPv4, IPv6 */
    } cases[] = {
        { "in order", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 0 } }, { true, true } },
        { "backwards", { { 48, 12, 1, 0 }, { 24, 24, 0, 0 }, { 0, 24, 0, 0 } }, { true, true } },
        { "mixed", { { 24, 24, 0, 0 }, { 48, 12, 1, 0 }, { 0, 24, 0, 0 } }, { true, true } },
        { "one twice", { { 0, 24, 0, 0 }, { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 0 } }, { true, true } },
        { "the last twice", { { 48, 12, 1, 0 }, { 48, 12, 1, 0 }, { 24, 24, 0, 0 }, { 0, 24, 0, 0 } }, { true, true } },
        { "a part of what came",
          { { 0, 24, 0, 0 }, { 8, 8, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 0 } },
          { true, true } },
        { "one overlaps, then all comes",
          { { 0, 32, 0, 0 }, { 24, 24, 0, 0 }, { 32, 16, 0, 0 }, { 48, 12, 1, 0 } },
          { false, false } },
        { "one overlaps before", { { 0, 32, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "one overlaps behind", { { 24, 24, 0, 0 }, { 0, 32, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "one spans another", { { 24, 8, 0, 0 }, { 0, 48, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "one is missing", { { 0, 24, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "the first is missing", { { 24, 24, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "no last", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 } }, { false, false } },
        { "two ends", { { 48, 12, 1, 0 }, { 24, 16, 1, 0 }, { 0, 24, 0, 0 } }, { false, false } },
        { "beyond the end", { { 24, 12, 1, 0 }, { 40, 16, 0, 0 }, { 0, 24, 0, 0 } }, { false, false } },
        { "an end before what came",
          { { 24, 24, 0, 0 }, { 8, 16, 1, 0 }, { 0, 8, 0, 0 }, { 48, 12, 1, 0 } },
          { false, false } },
        { "not of eights", { { 0, 20, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 0 } }, { false, false } },
        { "with nothing", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 0, 1, 0 } }, { false, false } },
        { "late", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 29000 } }, { true, true } },
        { "too late", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 31000 } }, { false, true } },
        { "far too late", { { 0, 24, 0, 0 }, { 24, 24, 0, 0 }, { 48, 12, 1, 61000 } }, { false, false } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (int six = 0; six <= 1; six++) {
            struct fragments *f = fragments_new();
            const uint8_t *whole = NULL;
            size_t size = 0;
            for (size_t j = 0; j < ARRAY_SIZE(cases[i].parts) && (cases[i].parts[j].size || cases[i].parts[j].at);
                 j++) {
                CHECK(!whole, "%s: before its end", cases[i].name);
                size = make_piece(six, 99, (size_t)cases[i].parts[j].at, (size_t)cases[i].parts[j].size,
                                  cases[i].parts[j].last, pieces[0]);
                whole = give(f, pieces[0], &size, cases[i].parts[j].at_ms);
            }
            CHECK_INT(whole != NULL, cases[i].whole[six], "%s, IPv%d", cases[i].name, six ? 6 : 4);
            if (whole && size > 70) {
                CHECK_INT(size, make(six, N, 99), "%s", cases[i].name);
                CHECK(memcmp(whole, packet, size) == 0, "%s, IPv%d", cases[i].name, six ? 6 : 4);
                CHECK_INT(fragments_waiting(f).packets, 0, "%s", cases[i].name);
            }
            fragments_free(f);
        }
    }
}

TEST(pieces_of_others_are_others)
{
    struct fragments *f = fragments_new();
    size_t largest;
    static const uint32_t places[] = { 1, 2 };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        size_t size = make_piece(false, 5, 0, 48, false, pieces[0]);
        pieces[0][30] = (uint8_t)places[i];
        CHECK(!fragments_whole(f, places[i], pieces[0], &size, 0, &largest));
    }
    size_t size = make_piece(false, 6, 48, 12, true, pieces[0]);
    CHECK(!fragments_whole(f, 1, pieces[0], &size, 0, &largest), "another number");
    size = make_piece(false, 5, 48, 12, true, pieces[0]);
    pieces[0][9] = PROTOCOL_TCP;
    CHECK(!fragments_whole(f, 1, pieces[0], &size, 0, &largest), "another protocol");
    size = make_piece(false, 5, 48, 12, true, pieces[0]);
    pieces[0][15]++;
    CHECK(!fragments_whole(f, 1, pieces[0], &size, 0, &largest), "another sender");
    size = make_piece(false, 5, 48, 12, true, pieces[0]);
    const uint8_t *whole = fragments_whole(f, 2, pieces[0], &size, 0, &largest);
    REQUIRE(whole != NULL);
    CHECK_INT(whole[30], 2, "the one of the second place");
    CHECK_INT(largest, 68);
    CHECK_INT(fragments_waiting(f).packets, 4);
    fragments_free(f);
}

TEST(what_waits_is_bounded)
{
    static const struct {
        const char *name;
        size_t at;       /* of the piece that everyone sends */
        uint32_t places; /* that they come to, by turns */
        size_t most;
    } cases[] = { { "at one place", 0, 1, FRAGMENTS_OF_ONE },
                  { "at many", 0, 1000, FRAGMENTS_AT_ONCE },
                  { "long ones", 65000, 1000, FRAGMENTS_BYTES / 65536 } };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fragments *f = fragments_new();
        size_t largest;
        for (unsigned id = 1; id <= 5000; id++) {
            size_t size = make_piece(true, id, 0, 48, false, pieces[0]);
            put16(pieces[0] + 42, (unsigned)cases[i].at | 1);
            CHECK(!fragments_whole(f, id % cases[i].places, pieces[0], &size, 0, &largest), "%s", cases[i].name);
            REQUIRE(fragments_waiting(f).packets <= cases[i].most, "%s", cases[i].name);
            REQUIRE(fragments_waiting(f).bytes <= FRAGMENTS_BYTES, "%s", cases[i].name);
        }
        CHECK(fragments_waiting(f).packets + 10 >= cases[i].most, "%s: %zu", cases[i].name,
              fragments_waiting(f).packets);
        /* Who comes last still gets through; then time clears the rest. */
        size_t size = make_piece(false, 9, 0, 48, false, pieces[0]);
        CHECK(!fragments_whole(f, 3, pieces[0], &size, 1, &largest));
        size = make_piece(false, 9, 48, 12, true, pieces[0]);
        CHECK(fragments_whole(f, 3, pieces[0], &size, 1, &largest) != NULL, "%s", cases[i].name);
        size = make_piece(false, 10, 0, 48, false, pieces[0]);
        CHECK(!fragments_whole(f, 3, pieces[0], &size, FRAGMENTS_WAIT_MS6 + 1, &largest));
        CHECK_INT(fragments_waiting(f).packets, 1, "%s", cases[i].name);
        fragments_free(f);
    }
}

TEST(one_longer_than_a_packet_can_be_is_none)
{
    struct fragments *f = fragments_new();
    size_t size = make_piece(false, 1, 0, 48, false, pieces[0]), largest;
    put16(pieces[0] + 6, 0x2000 | 65528 / 8);
    CHECK(!fragments_whole(f, 0, pieces[0], &size, 0, &largest));
    CHECK_INT(fragments_waiting(f).packets, 0, "the end is beyond 65535");
    for (size_t at = 0; at <= 65520; at += 48) { /* with its header it is too long */
        size = make_piece(false, 2, 0, at == 65520 ? 8 : 48, at == 65520, pieces[0]);
        put16(pieces[0] + 6, (unsigned)at / 8 | (at == 65520 ? 0 : 0x2000));
        CHECK(!fragments_whole(f, 0, pieces[0], &size, 0, &largest));
    }
    CHECK_INT(fragments_waiting(f).packets, 0);
    fragments_free(f);
}

TEST(headers_before_the_fragment_stay_before_the_packet)
{
    struct fragments *f = fragments_new();
    const uint8_t *whole = NULL;
    size_t size = 0;
    for (int last = 0; last <= 1; last++) { /* hop by hop options */
        uint8_t with[256];
        size = make_piece(true, 3, last ? 48 : 0, last ? 12 : 48, last, pieces[0]);
        memcpy(with, pieces[0], 40);
        memcpy(with + 40, (uint8_t[]){ 44, 0, 1, 4, 0, 0, 0, 0 }, 8);
        memcpy(with + 48, pieces[0] + 40, size - 40);
        with[6] = 0;
        size += 8;
        put16(with + 4, (unsigned)size - 40);
        whole = give(f, with, &size, 0);
    }
    REQUIRE(whole != NULL);
    CHECK_INT(size, 48 + N);
    CHECK(whole[6] == 0 && whole[40] == PROTOCOL_UDP && get16(whole + 4) == 8 + N);
    CHECK(memcmp(whole + 48, (make(true, N, 3), packet + 40), N) == 0);
    for (size_t cut = 1; cut < 60; cut++) { /* what is cut off is no piece */
        uint8_t *copy = malloc(cut);
        make_piece(true, 4, 0, 48, false, pieces[0]);
        memcpy(copy, pieces[0], cut);
        size_t n = cut, largest;
        uint8_t *got = fragments_whole(f, 0, copy, &n, 0, &largest);
        CHECK(!got || got == copy, "%zu bytes", cut);
        free(copy);
    }
    CHECK_INT(fragments_waiting(f).packets, 0);
    fragments_free(f);
}

TEST(what_is_cut_comes_together_again)
{
    static const size_t lengths[] = { 1, 8, 1240, 3000, 8973, 20000, 65515 }, mosts[] = { 1280, 1500, 2000 };
    struct fragments *f = fragments_new();
    for (size_t c = 0; c < ARRAY_SIZE(lengths) * ARRAY_SIZE(mosts) * 2; c++) {
        size_t length = lengths[c / 6], most = mosts[c / 2 % 3], at = 0, n = 0, got = 0;
        bool six = c % 2;
        size_t size = make(six, length, (unsigned)c + 1);
        while (n < ARRAY_SIZE(pieces) &&
               (sizes[n] = fragments_piece(packet, size, most, (uint32_t)c, &at, pieces[n])) > 0) {
            CHECK(sizes[n] <= most, "%zu of %zu", most, length);
            CHECK(six || fold(sum16(pieces[n], 20, 0)) == 0);
            n++;
        }
        CHECK(n >= (size + most - 1) / most && n <= size / (most - 64) + 1, "%zu of %zu: %zu", most, length, n);
        const uint8_t *whole = NULL;
        if (!six && n == 1) {
            CHECK(memcmp(pieces[0], packet, size) == 0, "nothing to cut");
            continue;
        }
        for (size_t i = n; i-- > 0;) {
            CHECK(!whole);
            got = sizes[i];
            whole = give(f, pieces[i], &got, 0);
        }
        REQUIRE(whole != NULL, "%zu of %zu", most, length);
        CHECK_INT(got, size);
        CHECK(memcmp(whole, packet, size) == 0, "%zu of %zu", most, length);
    }
    size_t at = 0, size = make(false, 3000, 1);
    packet[6] = 0x40;
    CHECK_INT(fragments_piece(packet, size, 1500, 1, &at, pieces[0]), 0, "what may not be cut is not");
    fragments_free(f);
}

/* ---- TAP hosts ----------------------------------------------------------------------------------------------------
 */
TEST(a_tap_host_answers_what_came_in_pieces_in_pieces_as_large)
{
    static uint8_t frame[16384], answer[TAP_FRAME_MAX], out[16384];
    struct ip addresses[] = { ip_lit("10.0.0.2"), ip_lit("2001:db8::2") };
    struct tap_port open = { PROTOCOL_UDP, { 7, 7 } };
    struct tap_host host = { .mac = { 2, 0, 0, 0, 0, 2 } };
    host.addresses.items = addresses;
    host.addresses.n = 2;
    host.open.items = &open;
    host.open.n = 1;
    static const struct {
        size_t most, answers;
    } cases[] = { { 9001, 9001 }, { 8500, 8500 }, { 1500, 1500 }, { 800, 800 }, { 100, 576 }, { 12000, 9001 } };
    for (size_t c = 0; c < ARRAY_SIZE(cases) * 2; c++) {
        struct fragments *f = fragments_new();
        bool six = c % 2;
        size_t most = cases[c / 2].most, answers = cases[c / 2].answers, length = 20000, at = 0, n, piece, allowed = 0;
        answers = six && answers < 1280 ? 1280 : answers;
        size_t size = make(six, length, 77), head = six ? 40 : 20;
        put16(packet + head, 4000);
        put16(packet + head + 2, 7);
        put16(packet + head + 4, (unsigned)length);
        memset(frame, 0, 14);
        put16(frame + 12, six ? 0x86dd : 0x0800);
        const uint8_t *whole = NULL;
        while ((piece = fragments_piece(packet, size, most, 5, &at, frame + 14)) > 0) {
            n = 14 + piece;
            CHECK(tap_may_be_piece(frame, n) && !whole);
            whole = tap_whole(f, 3, frame, &n, 9001, &allowed);
        }
        REQUIRE(whole != NULL, "%zu", most);
        CHECK(allowed <= answers && allowed + 8 > answers, "%zu: %zu", most, allowed); /* pieces are of eights */
        size_t said = tap_answer(&host, whole, n, answer);
        CHECK_INT(said, 14 + size);
        at = 0;
        const uint8_t *back = NULL;
        size_t got = 0;
        while ((piece = tap_piece(answer, said, allowed, 6, &at, out)) > 0) {
            CHECK(piece <= 14 + answers);
            CHECK(six || get16(out + 18) == 77, "it keeps its number");
            got = piece - 14;
            back = give(f, out + 14, &got, 0);
        }
        REQUIRE(back != NULL && got == size, "%zu", most);
        CHECK(memcmp(back + head + 8, packet + head + 8, length - 8) == 0, "%zu", most);
        fragments_free(f);
    }
}

TEST(a_frame_that_is_no_piece_passes)
{
    static uint8_t frame[2048];
    struct fragments *f = fragments_new();
    size_t n = 14 + make(false, 100, 1), most;
    memcpy(frame + 14, packet, n - 14);
    put16(frame + 12, 0x0800);
    CHECK(!tap_may_be_piece(frame, n));
    CHECK(tap_whole(f, 1, frame, &n, 9001, &most) == frame && most == 9001);
    frame[14 + 6] = 0x40;
    CHECK(!tap_may_be_piece(frame, n), "not to be cut");
    frame[14 + 6] = 0x20;
    CHECK(tap_may_be_piece(frame, n));
    CHECK(!tap_may_be_piece(frame, 33), "cut short");
    put16(frame + 12, 0x0806);
    CHECK(!tap_may_be_piece(frame, n), "ARP");
    fragments_free(f);
}

TEST_MAIN
