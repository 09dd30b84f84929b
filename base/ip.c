#include "base/ip.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#define N_ROTATING 16

/* ---- text to value ------------------------------------------------------------------------------------------------
 */

/* Reads "a.b.c.d" from *text and moves past it. */
static bool
read_v4(const char **text, uint32_t *address)
{
    const char *p = *text;
    uint32_t value = 0;
    for (int part = 0; part < 4; part++) {
        if (part > 0 && *p++ != '.') {
            return false;
        }
        unsigned n = (unsigned)(*p - '0');
        if (n > 9) {
            return false;
        }
        bool zero = n == 0;
        for (p++; *p >= '0' && *p <= '9'; p++) {
            n = n * 10 + (unsigned)(*p - '0');
            if (zero || n > 255) { /* a leading zero means octal to some readers */
                return false;
            }
        }
        value = value << 8 | n;
    }
    *address = value;
    *text = p;
    return true;
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool
read_group(const char **text, uint16_t *group)
{
    unsigned value = 0;
    int n = 0;
    for (int digit; n < 5 && (digit = hex_digit(**text)) >= 0; n++, ++*text) {
        value = value << 4 | (unsigned)digit;
    }
    *group = (uint16_t)value;
    return n > 0 && n <= 4;
}

/* The groups read so far and the gap ("::") among them, -1 for none, to a number. */
static bool
join_groups(const uint16_t *groups, int n, int gap, struct ip *ip)
{
    uint16_t full[8] = { 0 };
    if (gap < 0 ? n != 8 : n > 7) { /* "::" stands for at least one group */
        return false;
    }
    for (int i = 0; i < n; i++) {
        full[gap >= 0 && i >= gap ? 8 - n + i : i] = groups[i];
    }
    *ip = (struct ip){ .family = IP_V6 };
    for (int i = 0; i < 4; i++) {
        ip->hi = ip->hi << 16 | full[i];
        ip->lo = ip->lo << 16 | full[4 + i];
    }
    return true;
}

static bool
read_v6(const char **text, struct ip *ip)
{
    const char *p = *text;
    uint16_t groups[8];
    int n = 0, gap = -1;
    if (p[0] == ':') {
        if (p[1] != ':') {
            return false;
        }
        gap = 0;
        p += 2;
    }
    while (n < 8 && hex_digit(*p) >= 0) {
        const char *group = p;
        if (!read_group(&p, &groups[n])) {
            return false;
        }
        if (*p == '.') { /* the last 32 bits as IPv4 */
            uint32_t v4;
            p = group;
            if (n > 6 || !read_v4(&p, &v4)) {
                return false;
            }
            groups[n++] = (uint16_t)(v4 >> 16);
            groups[n++] = (uint16_t)v4;
            break;
        }
        n++;
        if (*p != ':') {
            break;
        }
        if (p[1] == ':') {
            if (gap >= 0) {
                return false;
            }
            gap = n;
            p += 2;
        } else if (n == 8 || hex_digit(p[1]) < 0) {
            return false;
        } else {
            p++;
        }
    }
    *text = p;
    return join_groups(groups, n, gap, ip);
}

static bool
read_ip(const char **text, struct ip *ip)
{
    const char *p = *text;
    while (hex_digit(*p) >= 0) {
        p++;
    }
    if (*p == ':') {
        return read_v6(text, ip);
    }
    uint32_t address;
    if (!read_v4(text, &address)) {
        return false;
    }
    *ip = ip_v4(address);
    return true;
}

bool
ip_parse(const char *text, struct ip *ip)
{
    struct ip value;
    if (!read_ip(&text, &value) || *text) {
        return false;
    }
    *ip = value;
    return true;
}

bool
cidr_parse_loose(const char *text, struct cidr *cidr)
{
    struct ip ip;
    if (!read_ip(&text, &ip)) {
        return false;
    }
    unsigned bits = ip_width(&ip);
    if (*text == '/') {
        text++;
        unsigned n = 0;
        const char *digits = text;
        for (; *text >= '0' && *text <= '9'; text++) {
            n = n * 10 + (unsigned)(*text - '0');
            if (n > bits) {
                return false;
            }
        }
        if (text == digits || (digits[0] == '0' && text - digits > 1)) {
            return false;
        }
        bits = n;
    }
    if (*text) {
        return false;
    }
    *cidr = (struct cidr){ ip_mask(&ip, (uint8_t)bits), (uint8_t)bits };
    return true;
}

bool
cidr_parse(const char *text, struct cidr *cidr)
{
    struct cidr value;
    struct ip ip;
    const char *p = text;
    if (!cidr_parse_loose(text, &value) || !read_ip(&p, &ip) || !ip_equal(&ip, &value.ip)) {
        return false;
    }
    *cidr = value;
    return true;
}

/* ---- value to text ------------------------------------------------------------------------------------------------
 */

static char *
put_number(char *p, unsigned n) /* 0..999 */
{
    if (n >= 100) {
        *p++ = (char)('0' + n / 100);
    }
    if (n >= 10) {
        *p++ = (char)('0' + n / 10 % 10);
    }
    *p++ = (char)('0' + n % 10);
    return p;
}

static char *
put_v4(char *p, uint32_t address)
{
    for (int shift = 24; shift >= 0; shift -= 8) {
        p = put_number(p, address >> shift & 0xff);
        *p++ = '.';
    }
    return p - 1;
}

static char *
put_group(char *p, unsigned group)
{
    static const char hex[] = "0123456789abcdef";
    int shift = 12;
    while (shift > 0 && !(group >> shift)) {
        shift -= 4;
    }
    for (; shift >= 0; shift -= 4) {
        *p++ = hex[group >> shift & 0xf];
    }
    return p;
}

static char *
put_v6(char *p, const struct ip *ip)
{
    if (ip->hi == 0 && ip->lo >> 32 == 0xffff) { /* RFC 5952 section 5: a mapped address in mixed notation */
        memcpy(p, "::ffff:", 7);
        return put_v4(p + 7, (uint32_t)ip->lo);
    }
    unsigned groups[8];
    for (int i = 0; i < 4; i++) {
        groups[i] = ip->hi >> (48 - 16 * i) & 0xffff;
        groups[4 + i] = ip->lo >> (48 - 16 * i) & 0xffff;
    }
    /* RFC 5952 section 4.2: "::" for the longest run of two or more zero groups, the first of equals. */
    int gap = 8, gap_size = 1;
    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && groups[i + n] == 0) {
            n++;
        }
        if (n > gap_size) {
            gap = i, gap_size = n;
        }
        i += n;
    }
    for (int i = 0; i < 8; i++) {
        if (i == gap) {
            *p++ = ':';
            *p++ = ':';
            i += gap_size - 1;
            continue;
        }
        if (i > 0 && i != gap + gap_size) {
            *p++ = ':';
        }
        p = put_group(p, groups[i]);
    }
    return p;
}

static char *
put_ip(char *p, const struct ip *ip)
{
    return ip->family == IP_V4 ? put_v4(p, (uint32_t)ip->lo) : ip->family == IP_V6 ? put_v6(p, ip) : p;
}

char *
ip_format(const struct ip *ip, char out[static IP_STR_SIZE])
{
    *put_ip(out, ip) = '\0';
    return out;
}

char *
cidr_format(const struct cidr *cidr, char out[static CIDR_STR_SIZE])
{
    char *p = put_ip(out, &cidr->ip);
    if (cidr->ip.family != IP_NONE) {
        *p++ = '/';
        p = put_number(p, cidr->bits);
    }
    *p = '\0';
    return out;
}

static char *
rotating(void)
{
    static _Thread_local char buffers[N_ROTATING][CIDR_STR_SIZE];
    static _Thread_local unsigned next;
    return buffers[next++ % N_ROTATING];
}

const char *
ip_str(const struct ip *ip)
{
    return ip_format(ip, rotating());
}

const char *
cidr_str(const struct cidr *cidr)
{
    return cidr_format(cidr, rotating());
}

/* ---- addresses ----------------------------------------------------------------------------------------------------
 */

struct ip
ip_v4(uint32_t address)
{
    return (struct ip){ .lo = address, .family = IP_V4 };
}

struct ip
ip_of_bytes(const uint8_t *bytes, int family)
{
    struct ip ip = { .family = (uint8_t)family };
    for (int i = 0; i < (family == IP_V4 ? 4 : 16); i++) {
        ip.hi = ip.hi << 8 | ip.lo >> 56;
        ip.lo = ip.lo << 8 | bytes[i];
    }
    return ip;
}

size_t
ip_to_bytes(const struct ip *ip, uint8_t *out)
{
    if (ip->family == IP_V4) {
        for (int i = 0; i < 4; i++) {
            out[i] = (uint8_t)(ip->lo >> (24 - 8 * i));
        }
        return 4;
    }
    for (int i = 0; i < 8; i++) {
        out[i] = (uint8_t)(ip->hi >> (56 - 8 * i));
        out[8 + i] = (uint8_t)(ip->lo >> (56 - 8 * i));
    }
    return 16;
}

struct ip
ip_lit(const char *text)
{
    struct ip ip = { 0 };
    bool ok = ip_parse(text, &ip);
    assert(ok);
    (void)ok;
    return ip;
}

struct cidr
cidr_lit(const char *text)
{
    struct cidr cidr = { 0 };
    bool ok = cidr_parse(text, &cidr);
    assert(ok);
    (void)ok;
    return cidr;
}

bool
ip_equal(const struct ip *a, const struct ip *b)
{
    return a->lo == b->lo && a->hi == b->hi && a->family == b->family;
}

int
ip_compare(const struct ip *a, const struct ip *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    if (a->hi != b->hi) {
        return a->hi < b->hi ? -1 : 1;
    }
    return a->lo == b->lo ? 0 : a->lo < b->lo ? -1 : 1;
}

struct ip
ip_add(const struct ip *ip, uint64_t n)
{
    struct ip sum = *ip;
    sum.lo += n;
    if (ip->family == IP_V6) {
        sum.hi += sum.lo < n;
    } else {
        sum.lo &= UINT32_MAX;
    }
    return sum;
}

/* The network bits of the first 'bits' as two words; 'bits' counts from the top of the family's width. */
static void
masks(uint8_t family, unsigned bits, uint64_t *hi, uint64_t *lo)
{
    if (family == IP_V4) {
        *hi = 0;
        *lo = bits ? UINT32_MAX << (32 - bits) & UINT32_MAX : 0;
    } else if (bits <= 64) {
        *hi = bits ? UINT64_MAX << (64 - bits) : 0;
        *lo = 0;
    } else {
        *hi = UINT64_MAX;
        *lo = UINT64_MAX << (128 - bits);
    }
}

struct ip
ip_mask(const struct ip *ip, uint8_t bits)
{
    assert(bits <= ip_width(ip));
    struct ip masked = *ip;
    uint64_t hi, lo;
    masks(ip->family, bits, &hi, &lo);
    masked.hi &= hi;
    masked.lo &= lo;
    return masked;
}

struct ip
ip_unmap(const struct ip *ip)
{
    bool mapped = ip->family == IP_V6 && ip->hi == 0 && ip->lo >> 32 == 0xffff;
    return mapped ? ip_v4((uint32_t)ip->lo) : *ip;
}

unsigned
ip_width(const struct ip *ip)
{
    return ip->family == IP_V4 ? 32 : ip->family == IP_V6 ? 128 : 0;
}

uint64_t
ip_hash(const struct ip *ip)
{
    uint64_t hash = (ip->lo ^ ip->family) * 0x9e3779b97f4a7c15u;
    hash = (hash ^ hash >> 32 ^ ip->hi) * 0xd6e8feb86659fd93u;
    return hash ^ hash >> 32;
}

/* ---- prefixes -----------------------------------------------------------------------------------------------------
 */

bool
cidr_equal(const struct cidr *a, const struct cidr *b)
{
    return a->bits == b->bits && ip_equal(&a->ip, &b->ip);
}

bool
cidr_contains_ip(const struct cidr *cidr, const struct ip *ip)
{
    if (cidr->ip.family != ip->family || ip->family == IP_NONE) {
        return false;
    }
    uint64_t hi, lo;
    masks(ip->family, cidr->bits, &hi, &lo);
    return (((cidr->ip.hi ^ ip->hi) & hi) | ((cidr->ip.lo ^ ip->lo) & lo)) == 0;
}

bool
cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
    return outer->bits <= inner->bits && cidr_contains_ip(outer, &inner->ip);
}

bool
cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
    return cidr_contains_ip(a->bits <= b->bits ? a : b, a->bits <= b->bits ? &b->ip : &a->ip);
}

struct ip
cidr_first(const struct cidr *cidr)
{
    return ip_mask(&cidr->ip, cidr->bits);
}

struct ip
cidr_last(const struct cidr *cidr)
{
    struct ip last = cidr->ip;
    uint64_t hi, lo;
    masks(last.family, cidr->bits, &hi, &lo);
    if (last.family == IP_V4) {
        last.lo |= ~lo & UINT32_MAX;
    } else if (last.family == IP_V6) {
        last.hi |= ~hi;
        last.lo |= ~lo;
    }
    return last;
}

struct cidr
cidr_host(const struct ip *ip)
{
    return (struct cidr){ *ip, (uint8_t)ip_width(ip) };
}

/* ---- special addresses --------------------------------------------------------------------------------------------
 */

bool
ip_is_private(const struct ip *ip)
{
    uint64_t a = ip->lo;
    return ip->family == IP_V4 ? a >> 24 == 10 || a >> 20 == 0xac1 || a >> 16 == 0xc0a8
                               : ip->family == IP_V6 && ip->hi >> 57 == 0xfc >> 1;
}

bool
ip_is_shared(const struct ip *ip)
{
    return ip->family == IP_V4 && ip->lo >> 22 == (100u << 24 | 64u << 16) >> 22;
}

bool
ip_is_link_local(const struct ip *ip)
{
    return ip->family == IP_V4 ? ip->lo >> 16 == 0xa9fe : ip->family == IP_V6 && ip->hi >> 54 == 0xfe80 >> 6;
}

/* ---- protocols ----------------------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    int protocol;
} protocols[] = {
    { "tcp", PROTOCOL_TCP },       { "udp", PROTOCOL_UDP }, { "icmp", PROTOCOL_ICMP },
    { "icmpv6", PROTOCOL_ICMPV6 }, { "all", PROTOCOL_ALL }, { "-1", PROTOCOL_ALL },
};

bool
protocol_parse(const char *text, int *protocol)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (strcasecmp(text, protocols[i].name) == 0) {
            *protocol = protocols[i].protocol;
            return true;
        }
    }
    int n = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && n <= 255; p++) {
        n = n * 10 + (*p - '0');
    }
    if (p == text || *p || n > 255) {
        return false;
    }
    *protocol = n;
    return true;
}

const char *
protocol_name(int protocol)
{
    for (size_t i = 0; i < sizeof protocols / sizeof *protocols; i++) {
        if (protocols[i].protocol == protocol) {
            return protocols[i].name;
        }
    }
    assert(protocol >= 0 && protocol <= 255);
    char *text = rotating();
    *put_number(text, (unsigned)protocol % 1000) = '\0';
    return text;
}
