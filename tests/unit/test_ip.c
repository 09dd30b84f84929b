#include "tests/test.h"

#include <arpa/inet.h>

#include "base/ip.h"

TEST(ip_reads_and_prints_addresses)
{
    static const struct {
        const char *text, *printed; /* NULL: not an address */
    } cases[] = {
        { "0.0.0.0", "0.0.0.0" },
        { "10.0.1.10", "10.0.1.10" },
        { "255.255.255.255", "255.255.255.255" },
        { "", NULL },
        { "10.0.1", NULL },
        { "10.0.1.", NULL },
        { "10.0.1.2.3", NULL },
        { "10.0.1.256", NULL },
        { "10.0.01.2", NULL }, /* octal, to some readers */
        { "10.0.00.2", NULL },
        { " 10.0.1.2", NULL },
        { "10.0.1.2 ", NULL },
        { "10.0.-1.2", NULL },
        { "10.0.1.99999999999999999999", NULL },
        { "123456789012", NULL },
        { "::", "::" },
        { "::1", "::1" },
        { "1::", "1::" },
        { "2001:DB8::A", "2001:db8::a" },
        { "2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1" },
        /* RFC 5952 section 4.2.2: one group of zeros is not shortened; 4.2.3: the longest run, the first of equals. */
        { "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
        { "2001:0:0:1:0:0:0:1", "2001:0:0:1::1" },
        { "2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
        { "1:0:0:2:3:4:0:0", "1::2:3:4:0:0" },
        { "0:0:1:2:3:4:5:6", "::1:2:3:4:5:6" },
        { "1:2:3:4:5:6:0:0", "1:2:3:4:5:6::" },
        { "1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0" },
        { "::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8" },
        { "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "::ffff:10.0.0.1", "::ffff:10.0.0.1" },
        { "::FFFF:0a00:0001", "::ffff:10.0.0.1" },
        { "::10.0.0.1", "::a00:1" },
        { "64:ff9b::192.0.2.33", "64:ff9b::c000:221" },
        { "1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304" },
        { "1:2:3:4:5:6:7:1.2.3.4", NULL },
        { ":", NULL },
        { ":1", NULL },
        { "1:", NULL },
        { ":::", NULL },
        { "1::2::3", NULL },
        { "1:2:3:4:5:6:7", NULL },
        { "1:2:3:4:5:6:7:8:9", NULL },
        { "1:2:3:4:5:6:7:8::", NULL },
        { "::1:2:3:4:5:6:7:8", NULL },
        { "1:2:3:4::5:6:7:8", NULL }, /* "::" stands for one group at least */
        { "12345::", NULL },
        { "::g", NULL },
        { "::1.2.3", NULL },
        { "::1.2.3.4:5", NULL },
        { "fe80::1%eth0", NULL },
        { "[::1]", NULL },
        { "::1/128", NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ip ip = { 0 };
        char text[IP_STR_SIZE];
        bool ok = ip_parse(cases[i].text, &ip);
        CHECK_INT(ok, cases[i].printed != NULL, "%s", cases[i].text);
        CHECK_STR(ip_format(&ip, text), cases[i].printed ? cases[i].printed : "", "%s", cases[i].text);
    }
}

TEST(cidr_reads_and_prints_blocks)
{
    static const struct {
        const char *text, *strict, *loose; /* NULL: refused */
    } cases[] = {
        { "10.0.0.0/16", "10.0.0.0/16", "10.0.0.0/16" },
        { "10.0.0.1/16", NULL, "10.0.0.0/16" },
        { "10.0.0.1", "10.0.0.1/32", "10.0.0.1/32" },
        { "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0" },
        { "255.255.255.255/0", NULL, "0.0.0.0/0" },
        { "255.255.255.255/32", "255.255.255.255/32", "255.255.255.255/32" },
        { "10.0.0.0/33", NULL, NULL },
        { "10.0.0.0/016", NULL, NULL },
        { "10.0.0.0/", NULL, NULL },
        { "10.0.0.0/-1", NULL, NULL },
        { "10.0.0.0/8x", NULL, NULL },
        { "10.0.0.0/4294967312", NULL, NULL },
        { "10.0/16", NULL, NULL },
        { "/16", NULL, NULL },
        { "", NULL, NULL },
        { "::/0", "::/0", "::/0" },
        { "2001:db8::/32", "2001:db8::/32", "2001:db8::/32" },
        { "2001:db8::1/32", NULL, "2001:db8::/32" },
        { "2001:db8::/64", "2001:db8::/64", "2001:db8::/64" },
        { "2001:db8::8000:0:0:0/65", "2001:db8:0:0:8000::/65", "2001:db8:0:0:8000::/65" },
        { "::1", "::1/128", "::1/128" },
        { "::1/128", "::1/128", "::1/128" },
        { "::1/129", NULL, NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cidr strict = { 0 }, loose = { 0 };
        bool ok = cidr_parse(cases[i].text, &strict);
        CHECK_INT(ok, cases[i].strict != NULL, "%s", cases[i].text);
        ok = cidr_parse_loose(cases[i].text, &loose);
        CHECK_INT(ok, cases[i].loose != NULL, "%s", cases[i].text);
        struct cidr expected = { 0 };
        if (cases[i].loose) {
            CHECK(cidr_parse(cases[i].loose, &expected), "%s", cases[i].loose);
        }
        CHECK(cidr_equal(&loose, &expected), "%s: got %s", cases[i].text, cidr_str(&loose));
    }
    struct cidr half = cidr_lit("2001:db8:0:0:8000::/65"), none = { 0 };
    CHECK_STR(cidr_str(&half), "2001:db8:0:0:8000::/65");
    CHECK_STR(cidr_str(&none), "");
}

TEST(cidr_contains_and_overlaps)
{
    static const struct {
        const char *a, *b;
        bool contains, overlaps; /* a contains b */
    } cases[] = {
        { "10.0.0.0/16", "10.0.1.0/24", true, true },
        { "10.0.1.0/24", "10.0.0.0/16", false, true },
        { "10.0.0.0/16", "10.0.0.0/16", true, true },
        { "10.0.0.0/16", "10.1.0.0/16", false, false },
        { "10.0.0.0/17", "10.0.128.0/17", false, false },
        { "0.0.0.0/0", "255.255.255.255/32", true, true },
        { "0.0.0.0/0", "::/0", false, false },
        { "::/0", "0.0.0.0/0", false, false },
        { "::/0", "ffff::/16", true, true },
        { "2001:db8::/32", "2001:db8:ffff::/48", true, true },
        { "2001:db8::/64", "2001:db8::/63", false, true },
        { "2001:db8::/64", "2001:db8:0:1::/64", false, false },
        { "2001:db8::/65", "2001:db8::7fff:ffff:ffff:ffff/128", true, true },
        { "2001:db8::/65", "2001:db8:0:0:8000::/128", false, false },
        { "::a00:0/112", "10.0.0.0/16", false, false },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cidr a = cidr_lit(cases[i].a), b = cidr_lit(cases[i].b);
        CHECK_INT(cidr_contains(&a, &b), cases[i].contains, "%s %s", cases[i].a, cases[i].b);
        CHECK_INT(cidr_overlaps(&a, &b), cases[i].overlaps, "%s %s", cases[i].a, cases[i].b);
        CHECK_INT(cidr_overlaps(&b, &a), cases[i].overlaps, "%s %s", cases[i].b, cases[i].a);
    }
    struct cidr none = { 0 }, all = cidr_lit("0.0.0.0/0");
    struct ip no_ip = { 0 };
    CHECK(!cidr_contains(&none, &none) && !cidr_overlaps(&none, &none) && !cidr_contains_ip(&none, &no_ip));
    CHECK(!cidr_contains(&all, &none) && !cidr_contains_ip(&all, &no_ip));
}

TEST(cidr_has_a_first_and_a_last_address)
{
    static const struct {
        const char *cidr, *first, *last;
    } cases[] = {
        { "10.0.0.0/16", "10.0.0.0", "10.0.255.255" },
        { "0.0.0.0/0", "0.0.0.0", "255.255.255.255" },
        { "10.0.0.7/32", "10.0.0.7", "10.0.0.7" },
        { "2001:db8::/32", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff" },
        { "2001:db8::/64", "2001:db8::", "2001:db8::ffff:ffff:ffff:ffff" },
        { "2001:db8::/127", "2001:db8::", "2001:db8::1" },
        { "::/0", "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct cidr cidr = cidr_lit(cases[i].cidr);
        struct ip first = cidr_first(&cidr), last = cidr_last(&cidr);
        CHECK_STR(ip_str(&first), cases[i].first, "%s", cases[i].cidr);
        CHECK_STR(ip_str(&last), cases[i].last, "%s", cases[i].cidr);
    }
}

TEST(ip_counts_and_orders)
{
    static const struct {
        const char *from;
        uint64_t n;
        const char *sum;
    } cases[] = {
        { "10.0.0.255", 1, "10.0.1.0" },
        { "255.255.255.255", 1, "0.0.0.0" },
        { "2001:db8::ffff:ffff:ffff:ffff", 1, "2001:db8:0:1::" },
        { "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 2, "::1" },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ip from = ip_lit(cases[i].from), sum = ip_add(&from, cases[i].n);
        CHECK_STR(ip_str(&sum), cases[i].sum, "%s + %" PRIu64, cases[i].from, cases[i].n);
    }
    static const char *const ascending[] = { "0.0.0.0", "9.255.0.0",      "10.0.0.0", "255.0.0.0",
                                             "::",      "::ffff:1.2.3.4", "1::",      "1::1" };
    for (size_t i = 0; i < ARRAY_SIZE(ascending); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(ascending); j++) {
            struct ip a = ip_lit(ascending[i]), b = ip_lit(ascending[j]);
            CHECK_INT(ip_compare(&a, &b), i < j ? -1 : i > j, "%s %s", ascending[i], ascending[j]);
            CHECK_INT(ip_equal(&a, &b), i == j, "%s %s", ascending[i], ascending[j]);
        }
    }
    struct ip mapped = ip_lit("::ffff:10.0.0.1"), v4 = ip_lit("10.0.0.1"), unmapped = ip_unmap(&mapped);
    CHECK(!ip_equal(&mapped, &v4));
    CHECK(ip_equal(&unmapped, &v4));
    unmapped = ip_unmap(&v4);
    CHECK(ip_equal(&unmapped, &v4));
}

TEST(ip_knows_special_ranges)
{
    static const struct {
        const char *ip;
        bool is_private, is_shared, is_link_local;
    } cases[] = {
        { "9.255.255.255", 0, 0, 0 },   { "10.0.0.0", 1, 0, 0 },        { "10.255.255.255", 1, 0, 0 },
        { "11.0.0.0", 0, 0, 0 },        { "172.15.255.255", 0, 0, 0 },  { "172.16.0.0", 1, 0, 0 },
        { "172.31.255.255", 1, 0, 0 },  { "172.32.0.0", 0, 0, 0 },      { "192.168.0.0", 1, 0, 0 },
        { "192.169.0.0", 0, 0, 0 },     { "100.63.255.255", 0, 0, 0 },  { "100.64.0.0", 0, 1, 0 },
        { "100.127.255.255", 0, 1, 0 }, { "100.128.0.0", 0, 0, 0 },     { "169.254.169.254", 0, 0, 1 },
        { "169.255.0.0", 0, 0, 0 },     { "fc00::1", 1, 0, 0 },         { "fdff::1", 1, 0, 0 },
        { "fe00::1", 0, 0, 0 },         { "fe80::1", 0, 0, 1 },         { "febf::1", 0, 0, 1 },
        { "fec0::1", 0, 0, 0 },         { "::ffff:10.0.0.1", 0, 0, 0 }, { "2001:db8::1", 0, 0, 0 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ip ip = ip_lit(cases[i].ip);
        CHECK_INT(ip_is_private(&ip), cases[i].is_private, "%s", cases[i].ip);
        CHECK_INT(ip_is_shared(&ip), cases[i].is_shared, "%s", cases[i].ip);
        CHECK_INT(ip_is_link_local(&ip), cases[i].is_link_local, "%s", cases[i].ip);
    }
}

TEST(ip_of_bytes_reads_what_a_packet_holds)
{
    static const uint8_t bytes[16] = { 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6 };
    struct ip four = ip_of_bytes(bytes, IP_V4), six = ip_of_bytes(bytes, IP_V6);
    CHECK_STR(ip_str(&four), "32.1.13.184", "4 bytes");
    CHECK_STR(ip_str(&six), "2001:db8:1:2:3:4:5:6", "16 bytes");
}

TEST(ip_to_bytes_writes_what_ip_of_bytes_reads)
{
    static const char *const texts[] = { "0.0.0.0",
                                         "1.2.3.4",
                                         "255.254.253.252",
                                         "::",
                                         "::1",
                                         "2001:db8:1:2:3:4:5:6",
                                         "ffee:ddcc:bbaa:9988:7766:5544:3322:1100" };
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        struct ip ip = ip_lit(texts[i]);
        uint8_t bytes[17], expected[16];
        memset(bytes, 0xa5, sizeof bytes);
        size_t size = ip_to_bytes(&ip, bytes);
        CHECK_INT(size, ip.family == IP_V4 ? 4 : 16, "%s", texts[i]);
        inet_pton(ip.family == IP_V4 ? AF_INET : AF_INET6, texts[i], expected);
        CHECK(memcmp(bytes, expected, size) == 0, "%s", texts[i]);
        CHECK_INT(bytes[size], 0xa5, "%s: nothing behind it", texts[i]);
        struct ip again = ip_of_bytes(bytes, ip.family);
        CHECK_STR(ip_str(&again), texts[i], "read again");
    }
}

TEST(ip_str_keeps_sixteen_texts)
{
    const char *texts[16];
    for (uint32_t i = 0; i < 16; i++) {
        struct ip ip = ip_v4(i);
        texts[i] = ip_str(&ip);
    }
    CHECK_STR(texts[0], "0.0.0.0");
    CHECK_STR(texts[15], "0.0.0.15");
}

TEST(protocol_reads_names_and_numbers)
{
    static const struct {
        const char *text;
        int protocol; /* -2: refused */
        const char *name;
    } cases[] = {
        { "tcp", 6, "tcp" },  { "TCP", 6, "tcp" },        { "6", 6, "tcp" },
        { "udp", 17, "udp" }, { "icmp", 1, "icmp" },      { "icmpv6", 58, "icmpv6" },
        { "-1", -1, "all" },  { "all", -1, "all" },       { "0", 0, "0" },
        { "47", 47, "47" },   { "255", 255, "255" },      { "256", -2, NULL },
        { "-2", -2, NULL },   { "", -2, NULL },           { "tcp ", -2, NULL },
        { "6x", -2, NULL },   { "4294967302", -2, NULL },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int protocol = -2;
        bool ok = protocol_parse(cases[i].text, &protocol);
        CHECK_INT(ok, cases[i].name != NULL, "`%s`", cases[i].text);
        CHECK_INT(protocol, cases[i].protocol, "`%s`", cases[i].text);
        if (cases[i].name) {
            CHECK_STR(protocol_name(protocol), cases[i].name, "`%s`", cases[i].text);
        }
    }
}

TEST_MAIN
