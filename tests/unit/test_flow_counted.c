/* Readings of a counting set, some of which are not whole: what is told of a flow adds up to its packets. */
#include "netsim/live/flow_counted.h"
#include "tests/test.h"

static struct counted
counted(char name, uint64_t packets, int64_t until_ms)
{
    return (
        struct counted){ .key = { (uint8_t)name }, .packets = packets, .bytes = 100 * packets, .until_ms = until_ms };
}

/* "a:3 b:1?" ('?': missed) in the order of the vector. */
static const char *
text_of(const counted_vec *reading)
{
    static char text[256];
    size_t size = 0;
    text[0] = '\0';
    for (size_t i = 0; i < reading->n; i++) {
        const struct counted *c = &reading->items[i];
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%c:%d%s", i ? " " : "", c->key[0], (int)c->packets,
                                 c->missed ? "?" : "");
    }
    return text;
}

/* "b1 a3": each a name and its packets. */
static counted_vec
reading(const char *text, int64_t until_ms)
{
    counted_vec out = { 0 };
    for (const char *p = text; *p; p += 2 + (p[2] == ' ')) {
        *VEC_ADD(&out) = counted(p[0], (uint64_t)(p[1] - '0'), until_ms);
    }
    return out;
}

TEST(an_element_shown_twice_counts_once)
{
    static const struct {
        const char *shown, *sorted;
        size_t n_repeated;
    } cases[] = {
        { "", "", 0 },         { "b1 a3 c2", "a:3 b:1 c:2", 0 }, { "b1 a3 b2 b1", "a:3 b:2", 2 }, { "a2 a1", "a:2", 1 },
        { "a1 a1", "a:1", 1 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        counted_vec r = reading(cases[i].shown, 0);
        CHECK_INT(counted_sort(&r), cases[i].n_repeated, "%s", cases[i].shown);
        CHECK_STR(text_of(&r), cases[i].sorted, "%s", cases[i].shown);
        VEC_DONE(&r);
    }
}

TEST(two_readings_have_what_either_has)
{
    static const struct {
        const char *first, *second, *both;
    } cases[] = {
        { "a1 b1", "a1 b2 c1", "a:1 b:2 c:1" },
        { "a3 b1", "a2", "a:3 b:1" }, /* the later one began earlier in this part of the table */
        { "", "a1", "a:1" },
        { "a1", "", "a:1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        counted_vec first = reading(cases[i].first, 0), second = reading(cases[i].second, 0);
        counted_join(&first, &second);
        CHECK_STR(text_of(&first), cases[i].both, "case %zu", i);
        VEC_DONE(&first);
        VEC_DONE(&second);
    }
}

TEST(a_reading_lacks_what_is_known)
{
    static const struct {
        const char *reading, *known;
        bool lacks;
    } cases[] = {
        { "a1 b1", "a1 b1", false }, { "a1 b1 c1", "a1 c1", false }, { "a1 b1", "", false }, { "a1 c1", "a1 b1", true },
        { "", "a1", true },          { "b1", "a1 b1", true },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        counted_vec r = reading(cases[i].reading, 0), known = reading(cases[i].known, 0);
        CHECK_INT(counted_lacks(&r, &known), cases[i].lacks, "case %zu", i);
        VEC_DONE(&r);
        VEC_DONE(&known);
    }
}

/* What is told over all readings, as flow_source.c tells it. */
static int
tell_all(const char *const *readings, const int64_t *at_ms, size_t n, int64_t timeout_ms)
{
    counted_vec known = { 0 };
    int told = 0;
    for (size_t i = 0; i < n; i++) {
        counted_vec now = reading(readings[i], at_ms[i] + timeout_ms);
        counted_sort(&now);
        counted_keep_missed(&known, &now, at_ms[i]);
        for (size_t j = 0; j < now.n; j++) {
            uint64_t before = 0;
            for (size_t k = 0; k < known.n; k++) {
                bool same = counted_compare(&known.items[k], &now.items[j]) == 0;
                before = same && known.items[k].packets <= now.items[j].packets ? known.items[k].packets : before;
            }
            told += (int)(now.items[j].packets - before);
        }
        VEC_DONE(&known);
        known = now;
    }
    VEC_DONE(&known);
    return told;
}

TEST(what_readings_leave_out_is_not_told_again)
{
    static const struct {
        const char *readings[5];
        int64_t at_ms[5];
        int told;
        const char *why;
    } cases[] = {
        { { "a1 b1", "a2 b1", "a3 b1" }, { 0, 1000, 2000 }, 4, "whole readings" },
        { { "a1 b1", "b1", "a3 b2" }, { 0, 1000, 2000 }, 5, "left out once" },
        { { "a1 b1", "b1", "b1", "b1", "a3 b1" }, { 0, 1000, 2000, 3000, 4000 }, 4, "left out while the table grew" },
        { { "a3", "", "", "a1" }, { 0, 1000, 130000, 131000 }, 4, "its time was over: a new flow" },
        { { "a3", "", "", "a3" }, { 0, 119000, 121000, 122000 }, 6, "the same, with as many packets" },
        { { "a3", "a1" }, { 0, 1000 }, 4, "it began anew" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t n = 0;
        while (n < 5 && cases[i].readings[n]) {
            n++;
        }
        CHECK_INT(tell_all(cases[i].readings, cases[i].at_ms, n, 120000), cases[i].told, "%s", cases[i].why);
    }
}

/* Not for ever: what the kernel may have forgotten is kept for one reading more. */
TEST(what_is_gone_is_forgotten)
{
    counted_vec known = reading("a1 b1", 5000);
    static const struct {
        int64_t now_ms;
        const char *shown, *kept;
    } steps[] = {
        { 1000, "b1", "a:1? b:1" }, { 2000, "", "a:1? b:1?" }, { 3000, "a1", "a:1 b:1?" },
        { 4999, "", "a:1? b:1?" },  { 5000, "", "" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        counted_vec now = reading(steps[i].shown, 5000);
        counted_keep_missed(&known, &now, steps[i].now_ms);
        CHECK_STR(text_of(&now), steps[i].kept, "step %zu", i);
        VEC_DONE(&known);
        known = now;
    }
    VEC_DONE(&known);
    known = reading("a1", 5000);
    counted_vec late = { 0 }, later = { 0 };
    counted_keep_missed(&known, &late, 6000);
    CHECK_STR(text_of(&late), "a:1?");
    counted_keep_missed(&late, &later, 7000);
    CHECK_STR(text_of(&later), "");
    VEC_DONE(&known);
    VEC_DONE(&late);
    VEC_DONE(&later);
}

TEST_MAIN
