/* The PROXY header, byte by byte as its specification and AWS's pages have it. */
#include "netsim/live/proxy_header.h"
#include "tests/test.h"

static void
check(const struct proxy_parties *parties, int version, const char *want, size_t size, const char *what)
{
    struct buf out = { 0 };
    (version == 2 ? proxy_header_v2 : proxy_header_v1)(&out, parties);
    CHECK(out.size == size && memcmp(buf_str(&out), want, size) == 0, "%s: %zu bytes, wanted %zu", what, out.size,
          size);
    buf_done(&out);
}
#define IS(parties, version, want, what) check(parties, version, want, sizeof(want) - 1, what)
#define SIGNATURE                        "\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a"

TEST(the_header_says_who_asked_whom)
{
    struct proxy_parties four = { ip_lit("10.0.1.10"), ip_lit("10.0.2.20"), 0xc001, 443, NULL };
    struct proxy_parties six = { ip_lit("2001:db8::1"), ip_lit("2001:db8:0:1::2"), 5, 80, "" };
    IS(&four, 1, "PROXY TCP4 10.0.1.10 10.0.2.20 49153 443\r\n", "v1, IPv4");
    IS(&six, 1, "PROXY TCP6 2001:db8::1 2001:db8:0:1::2 5 80\r\n", "v1, IPv6");
    IS(&four, 2, SIGNATURE "\x21\x11\x00\x0c\x0a\x00\x01\x0a\x0a\x00\x02\x14\xc0\x01\x01\xbb", "v2, IPv4");
    IS(&six, 2,
       SIGNATURE
       "\x21\x21\x00\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\x01\0\0\0\0\0\0\0\x02"
       "\x00\x05\x00\x50",
       "v2, IPv6");
    four.endpoint_id = "vpce-0a1b";
    IS(&four, 2,
       SIGNATURE "\x21\x11\x00\x19\x0a\x00\x01\x0a\x0a\x00\x02\x14\xc0\x01\x01\xbb\xea\x00\x0a\x01"
                 "vpce-0a1b",
       "v2 through an endpoint");
    IS(NULL, 2, SIGNATURE "\x20\x00\x00\x00", "v2 of a health check");
}

TEST_MAIN
