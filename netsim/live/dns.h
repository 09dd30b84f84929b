/* netsim/live/dns.h - DNS messages: a question read, an answer written.
 *
 * Only what a resolver for stubs needs: one question of class IN, EDNS's size, answers whose names are written out in full.
 * Source: RFC 1035 section 4, RFC 6891   Uses: netsim/model/resolver.h (records).   Used by: dns_server.c, tests/fuzz/fuzz_dns.c */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "netsim/model/resolver.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_PLAIN   512
#define DNS_UDP_MAX     4096 /* more is not sent in one datagram, whatever the asker takes */

enum dns_code { DNS_OK = 0, DNS_FORMAT_ERROR = 1, DNS_SERVER_FAILURE = 2, DNS_NAME_ERROR = 3, DNS_NOT_IMPLEMENTED = 4, DNS_REFUSED = 5 };

struct dns_question {
    uint16_t id;
    bool recursion_desired;
    bool edns;
    size_t udp_size;          /* what the asker takes in one datagram */
    char name[DNS_NAME_SIZE]; /* as text with a dot at the end; other characters than a host name's as \DDD */
    int type;
    uint8_t wire[DNS_NAME_SIZE + 4]; /* the question as it came, to be sent back */
    size_t wire_size;
};
/* DNS_OK: 'question' is filled.  Else what is to be answered, with at least 'id' filled; -1: no answer at all (too short, or itself an answer). */
int dns_read_question(const uint8_t *data, size_t size, struct dns_question *question);

/* Writes the reply.  'records' may be NULL.  More than 'limit' bytes: as many records as fit, and the truncation flag. */
void dns_write_answer(const struct dns_question *question, int code, const struct dns_answer *answer, size_t limit, struct buf *out);
