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

TEST_MAIN
