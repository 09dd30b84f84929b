/* A question that is read is answered with its own id and question, in no more bytes than were allowed; nothing is read
 * past its end. */
#include "tests/fuzz/fuzz.h"

#include "netsim/live/dns.h"

/* An answer with every sort of value, made of the input itself. */
static void
fill(struct dns_answer *answer, const char *text)
{
    static const int types[] = {
        DNS_A, DNS_NS, DNS_CNAME, DNS_SOA, DNS_PTR, DNS_MX, DNS_TXT, DNS_AAAA, DNS_SRV, DNS_CAA
    };
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct dns_record *r = VEC_ADD(&answer->records);
        *r = (struct dns_record){ .name = xstrdup("a.example."), .type = types[i], .ttl_s = 60, .text = xstrdup(text) };
        r->ip = ip_lit(types[i] == DNS_AAAA ? "2001:db8::1" : "192.0.2.1");
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dns_question question;
    int code = dns_read_question(data, size, &question);
    if (code < 0) {
        return 0;
    }
    FUZZ_CHECK(size >= 12 && question.id == (data[0] << 8 | data[1]));
    FUZZ_CHECK(question.udp_size >= DNS_UDP_PLAIN && question.udp_size <= DNS_UDP_MAX);
    FUZZ_CHECK(code != DNS_OK || (question.name[0] && question.wire_size > 4));
    char *text = fuzz_text(data + 12, size - 12);
    struct dns_answer answer = { 0 };
    struct buf out = { 0 };
    fill(&answer, text);
    dns_write_answer(&question, code, code ? NULL : &answer, question.udp_size, &out);
    const uint8_t *reply = (const uint8_t *)out.data;
    FUZZ_CHECK(out.size >= 12 && out.size <= question.udp_size);
    FUZZ_CHECK(reply[0] == data[0] && reply[1] == data[1] && (reply[2] & 0x80) && (reply[3] & 15) == code);
    FUZZ_CHECK(memcmp(reply + 12, question.wire, question.wire_size) == 0);
    buf_done(&out);
    dns_answer_done(&answer);
    free(text);
    return 0;
}
