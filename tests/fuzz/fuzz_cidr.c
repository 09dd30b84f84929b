/* What parses prints, what is printed parses to the same value, and a block holds its own ends and not their
 * neighbours. inet_pton() must agree on what an address is. */
#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>

#include "base/ip.h"

static void
check_address(const char *text)
{
    struct ip ip = { 0 }, again = { 0 };
    char printed[IP_STR_SIZE];
    unsigned char bytes[16];
    bool ok = ip_parse(text, &ip);
    int family = ip.family == IP_V4 || (!ok && !strchr(text, ':')) ? AF_INET : AF_INET6;
    FUZZ_CHECK(ok == (inet_pton(family, text, bytes) == 1));
    if (!ok) {
        return;
    }
    for (unsigned i = 0, n = ip_width(&ip) / 8; i < n; i++) {
        unsigned shift = 8 * (n - 1 - i);
        FUZZ_CHECK(bytes[i] == (uint8_t)(shift < 64 ? ip.lo >> shift : ip.hi >> (shift - 64)));
    }
    ip_format(&ip, printed);
    FUZZ_CHECK(ip_parse(printed, &again) && ip_equal(&ip, &again));
}

static void
check_block(const char *text)
{
    struct cidr loose = { 0 }, strict = { 0 }, again = { 0 };
    char printed[CIDR_STR_SIZE];
    bool ok = cidr_parse_loose(text, &loose);
    bool exact = cidr_parse(text, &strict);
    FUZZ_CHECK(ok || !exact);
    if (!ok) {
        return;
    }
    FUZZ_CHECK(!exact || cidr_equal(&loose, &strict));
    cidr_format(&loose, printed);
    FUZZ_CHECK(cidr_parse(printed, &again) && cidr_equal(&loose, &again));
    struct ip first = cidr_first(&loose), last = cidr_last(&loose), before = ip_add(&first, UINT64_MAX),
              after = ip_add(&last, 1);
    FUZZ_CHECK(cidr_contains_ip(&loose, &first) && cidr_contains_ip(&loose, &last));
    FUZZ_CHECK(cidr_contains(&loose, &loose) && cidr_overlaps(&loose, &loose));
    FUZZ_CHECK(ip_compare(&first, &last) <= 0);
    if (loose.bits > 0) {
        FUZZ_CHECK(!cidr_contains_ip(&loose, &after));
        FUZZ_CHECK(loose.ip.family == IP_V6 || !cidr_contains_ip(&loose, &before));
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    check_address(text);
    check_block(text);
    int protocol;
    if (protocol_parse(text, &protocol)) {
        int again;
        FUZZ_CHECK(protocol_parse(protocol_name(protocol), &again) && again == protocol);
    }
    free(text);
    return 0;
}
