/* Capture files: what is written is read again, formats of others are read, damage is told. */
#include "netsim/flowlog/pcapng.h"
#include "base/vec.h"
#include "tests/test.h"

struct seen {
    char text[1024];
    size_t n;
};

static void
see(void *context, const struct pcap_packet *p)
{
    struct seen *seen = context;
    size_t used = strlen(seen->text);
    snprintf(seen->text + used, sizeof seen->text - used, "%u/%d %s %lld %.*s of %zu %d %s\n", p->interface,
             p->link_type, p->interface_name, (long long)p->time_us, (int)p->captured, (const char *)p->bytes,
             p->length, (int)p->direction, p->comment ? p->comment : "-");
    seen->n++;
}

static struct buf
sample_file(void)
{
    struct buf file = { 0 };
    pcapng_begin(&file, "test");
    pcapng_interface(&file, PCAP_ETHERNET, "eni-1", "eth0 of web", "tcp");
    pcapng_interface(&file, PCAP_RAW, "eni-1 refused", NULL, NULL);
    pcapng_packet(&file, &(struct pcap_packet){ .interface = 0,
                                                .time_us = 1767225600123456,
                                                .bytes = (const uint8_t *)"hello",
                                                .captured = 5,
                                                .length = 9,
                                                .direction = PCAP_OUTBOUND,
                                                .comment = "ACCEPT egress" });
    pcapng_packet(&file,
                  &(struct pcap_packet){
                      .interface = 1, .time_us = 1, .bytes = (const uint8_t *)"four", .captured = 4, .length = 4 });
    return file;
}

TEST(pcapng_reads_what_it_wrote)
{
    struct buf file = sample_file();
    struct seen seen = { 0 };
    struct err err = { 0 };
    CHECK(pcap_is_capture(file.data, file.size));
    CHECK(pcap_read(file.data, file.size, see, &seen, &err), "%s", err.text);
    CHECK_STR(seen.text,
              "0/1 eni-1 1767225600123456 hello of 9 2 ACCEPT egress\n1/101 eni-1 refused 1 four of 4 0 -\n");
    buf_done(&file);
}

TEST(pcapng_tells_damage)
{
    struct buf file = sample_file();
    for (size_t size = 0; size < file.size; size++) {
        struct seen seen = { 0 };
        struct err err = { 0 };
        bool ok = pcap_read(file.data, size, see, &seen, &err);
        /* Cut between two blocks it is a shorter file. */
        CHECK(ok ? err.kind == ERR_NONE : err.kind == ERR_DOCUMENT && strstr(err.text, "byte") != NULL, "%zu bytes: %s",
              size, err.text);
        CHECK(seen.n <= 2, "%zu", size);
    }
    buf_done(&file);
}

TEST(pcapng_refuses_a_packet_of_no_interface)
{
    struct buf file = { 0 };
    struct seen seen = { 0 };
    struct err err = { 0 };
    pcapng_begin(&file, "test");
    pcapng_interface(&file, PCAP_ETHERNET, "eni-1", NULL, NULL);
    pcapng_packet(&file, &(struct pcap_packet){ .interface = 1, .bytes = (const uint8_t *)"four", .captured = 4 });
    CHECK(!pcap_read(file.data, file.size, see, &seen, &err) && seen.n == 0);
    CHECK(strstr(err.text, "of an interface that is not there") != NULL, "%s", err.text);
    buf_done(&file);
}

TEST(pcap_of_others_is_read)
{
    /* Big-endian, with times of microseconds, and little-endian, with nanoseconds. */
    static const unsigned char big[] = "\xa1\xb2\xc3\xd4\0\2\0\4\0\0\0\0\0\0\0\0\0\4\0\0\0\0\0\x65"
                                       "\0\0\0\2\0\0\0\3\0\0\0\2\0\0\0\x10hi";
    static const unsigned char nano[] = "\x4d\x3c\xb2\xa1\2\0\4\0\0\0\0\0\0\0\0\0\0\0\4\0\1\0\0\0"
                                        "\2\0\0\0\x88\x13\0\0\2\0\0\0\2\0\0\0ok";
    struct seen seen = { 0 };
    struct err err = { 0 };
    CHECK(pcap_read(big, sizeof big - 1, see, &seen, &err), "%s", err.text);
    CHECK(pcap_read(nano, sizeof nano - 1, see, &seen, &err), "%s", err.text);
    CHECK_STR(seen.text, "0/101  2000003 hi of 16 0 -\n0/1  2000005 ok of 2 0 -\n");
    CHECK(!pcap_read("no capture", 10, see, &seen, &err) && err.kind == ERR_DOCUMENT);
}

/* ---- files of other programs --------------------------------------------------------------------------------------
 */
struct words {
    struct buf file;
    bool big; /* of the byte order that is not ours */
};

static void
put_word(struct words *w, unsigned size, uint32_t value)
{
    for (unsigned i = 0; i < size; i++) {
        buf_char(&w->file, (char)(value >> 8 * (w->big ? size - 1 - i : i)));
    }
}

/* A block of words of four bytes, the first 'n_halves' of which are two halves each; then 'text', padded. */
static void
put_block(struct words *w, uint32_t type, const uint16_t *halves, size_t n_halves, const uint32_t *words,
          size_t n_words, const char *text, size_t text_size)
{
    uint32_t size = (uint32_t)(12 + 2 * n_halves + 4 * n_words + (text_size + 3) / 4 * 4);
    put_word(w, 4, type);
    put_word(w, 4, size);
    for (size_t i = 0; i < n_halves; i++) {
        put_word(w, 2, halves[i]);
    }
    for (size_t i = 0; i < n_words; i++) {
        put_word(w, 4, words[i]);
    }
    buf_add(&w->file, text, text_size);
    buf_add(&w->file, "\0\0\0", (4 - text_size % 4) % 4);
    put_word(w, 4, size);
}

#define HALVES(...) (const uint16_t[]){ __VA_ARGS__ }, sizeof((const uint16_t[]){ __VA_ARGS__ }) / 2
#define WORDS(...)  (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4

/* Either byte order, times in other units than microseconds, packets in the blocks of older programs, blocks that are
 * not known. */
TEST(pcapng_of_others_is_read)
{
    for (int big = 0; big < 2; big++) {
        struct words w = { .big = big };
        struct seen seen = { 0 };
        struct err err = { 0 };
        put_block(&w, 0x0a0d0d0a, NULL, 0, WORDS(0x1a2b3c4d, big ? 0x00010000 : 1, 0xffffffff, 0xffffffff), "", 0);
        put_block(&w, 1, HALVES(1, 0, 0, 0, 2, 4), NULL, 0, "lan0", 4);   /* a name, and microseconds */
        put_block(&w, 1, HALVES(101, 0, 0, 0, 9, 1), NULL, 0, "\x09", 1); /* nanoseconds */
        put_block(&w, 1, HALVES(101, 0, 0, 0, 9, 1), NULL, 0, "\x8a", 1); /* parts of 1,024 */
        put_block(&w, 1, HALVES(101, 0, 0, 0, 9, 1), NULL, 0, "\x00", 1); /* seconds */
        put_block(&w, 5, NULL, 0, WORDS(1, 2), "of statistics", 13);
        put_block(&w, 6, NULL, 0, WORDS(0, 1, 7, 2, 9), "us", 2);
        put_block(&w, 6, NULL, 0, WORDS(1, 0, 2000005000, 2, 2), "ns", 2);
        put_block(&w, 6, NULL, 0, WORDS(2, 0, 1536, 2, 2), "ki", 2);
        put_block(&w, 6, NULL, 0, WORDS(3, 0, 77, 1, 1), "s", 1);
        put_block(&w, 2, HALVES(1, 0), WORDS(0, 3000, 3, 4), "old", 3);
        put_block(&w, 3, NULL, 0, WORDS(6), "simple", 6);
        put_block(&w, 3, NULL, 0, WORDS(60), "cut here", 8);
        CHECK(pcap_is_capture(w.file.data, w.file.size));
        CHECK(pcap_read(w.file.data, w.file.size, see, &seen, &err), "%s", err.text);
        CHECK(strncmp(seen.text, "0/1 lan0 4294967303 us of 9 0 -\n", 31) == 0, "%s", seen.text);
        CHECK_STR(strchr(seen.text, '\n') + 1, "1/101  2000005 ns of 2 0 -\n2/101  1500000 ki of 2 0 -\n"
                                               "3/101  77000000 s of 1 0 -\n1/101  3 old of 4 0 -\n"
                                               "0/1 lan0 0 simple of 6 0 -\n0/1 lan0 0 cut here of 60 0 -\n");
        buf_done(&w.file);
    }
}

TEST(pcapng_says_which_way_a_packet_went)
{
    for (int way = PCAP_UNKNOWN; way <= PCAP_OUTBOUND; way++) {
        struct buf file = { 0 };
        struct seen seen = { 0 };
        char expected[64];
        pcapng_begin(&file, "test");
        pcapng_interface(&file, PCAP_RAW, "eni-1", NULL, NULL);
        pcapng_packet(&file, &(struct pcap_packet){ .bytes = (const uint8_t *)"x",
                                                    .captured = 1,
                                                    .length = 1,
                                                    .direction = (enum pcap_direction)way });
        snprintf(expected, sizeof expected, "0/101 eni-1 0 x of 1 %d -\n", way);
        CHECK(pcap_read(file.data, file.size, see, &seen, NULL));
        CHECK_STR(seen.text, expected);
        buf_done(&file);
    }
}

TEST_MAIN
