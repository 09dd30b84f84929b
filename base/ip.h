/* base/ip.h - IPv4 and IPv6 addresses, prefixes (CIDR blocks) and port ranges as plain values.
 *
 * Addresses are numbers in host order: an IPv4 address is the low 32 bits of 'lo' with hi = 0.  Bytes of packets and
 * sockets are read by ip_of_bytes() and written by ip_to_bytes().  IPv4-mapped IPv6 (::ffff:a.b.c.d) stays IPv6 here; callers that treat it as IPv4 use ip_unmap().
 * Sources: RFC 4632 (CIDR), RFC 4291 and RFC 5952 (IPv6 text), RFC 1918, RFC 6598. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ip_family { IP_NONE = 0, IP_V4 = 4, IP_V6 = 6 };

struct ip {
    uint64_t hi, lo;
    uint8_t family; /* enum ip_family; IP_NONE (a zeroed ip) means "no address" */
};
struct cidr {
    struct ip ip; /* host bits are zero once parsed by cidr_parse() */
    uint8_t bits; /* 0..32 or 0..128 */
};
struct port_range {
    uint16_t from, to; /* inclusive; 0..65535 is every port */
};

#define IP_STR_SIZE 48
#define CIDR_STR_SIZE 52

/* Text to value: the whole text must be one address.  No leading zeros in IPv4 parts, no zone, no brackets. */
bool ip_parse(const char *text, struct ip *ip);
/* "10.0.0.0/16" or a bare address (/32, /128).  cidr_parse refuses host bits; cidr_parse_loose masks them off. */
bool cidr_parse(const char *text, struct cidr *cidr);
bool cidr_parse_loose(const char *text, struct cidr *cidr);

/* Value to text in the caller's buffer; RFC 5952 for IPv6.  They return 'out'. "" for IP_NONE. */
char *ip_format(const struct ip *ip, char out[static IP_STR_SIZE]);
char *cidr_format(const struct cidr *cidr, char out[static CIDR_STR_SIZE]);
/* The same for messages: one of 16 rotating thread-local buffers, good until the 16th next call. */
const char *ip_str(const struct ip *ip);
const char *cidr_str(const struct cidr *cidr);

struct ip ip_v4(uint32_t address);
/* As a packet or a socket address holds them: 4 bytes, or 16 of every other family.  ip_to_bytes() returns how many it wrote. */
struct ip ip_of_bytes(const uint8_t *bytes, int family);
size_t ip_to_bytes(const struct ip *ip, uint8_t *out);
struct ip ip_lit(const char *text);     /* for constants in code and tests: asserts that it parses */
struct cidr cidr_lit(const char *text); /* likewise */
bool ip_equal(const struct ip *a, const struct ip *b);
int ip_compare(const struct ip *a, const struct ip *b); /* family first, then number */
struct ip ip_add(const struct ip *ip, uint64_t n);      /* wraps */
struct ip ip_mask(const struct ip *ip, uint8_t bits);
struct ip ip_unmap(const struct ip *ip); /* ::ffff:a.b.c.d -> a.b.c.d */
unsigned ip_width(const struct ip *ip);  /* 32, 128, 0 */
uint64_t ip_hash(const struct ip *ip);

bool cidr_equal(const struct cidr *a, const struct cidr *b);
bool cidr_contains_ip(const struct cidr *cidr, const struct ip *ip); /* false across families */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
struct ip cidr_first(const struct cidr *cidr);
struct ip cidr_last(const struct cidr *cidr);
struct cidr cidr_host(const struct ip *ip); /* /32 or /128 */

bool ip_is_private(const struct ip *ip); /* RFC 1918; fc00::/7 */
bool ip_is_shared(const struct ip *ip);  /* RFC 6598, 100.64.0.0/10 */
bool ip_is_link_local(const struct ip *ip);

/* IP protocol names AWS uses: "tcp" 6, "udp" 17, "icmp" 1, "icmpv6" 58, "-1" and "all" -1; else a number 0..255.
 * protocol_name gives "tcp", "all", or the number in a rotating buffer. */
enum { PROTOCOL_ALL = -1, PROTOCOL_ICMP = 1, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, PROTOCOL_ICMPV6 = 58 };
bool protocol_parse(const char *text, int *protocol);
const char *protocol_name(int protocol);
