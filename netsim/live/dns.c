#include "netsim/live/dns.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"

enum { HEADER = 12, TYPE_OPT = 41, CLASS_IN = 1 };
enum { FLAG_ANSWER = 0x8000, FLAG_TRUNCATED = 0x0200, FLAG_RECURSE = 0x0100, FLAG_CAN_RECURSE = 0x0080 };

static unsigned
u16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static void
put16(struct buf *out, unsigned n)
{
    buf_char(out, (char)(n >> 8 & 255));
    buf_char(out, (char)(n & 255));
}

static void
put32(struct buf *out, uint32_t n)
{
    put16(out, n >> 16);
    put16(out, n & 65535);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */
/* A name without compression (a question has nothing to point to).  The size on the wire, 0 if it is wrong. */
static size_t
read_name(const uint8_t *data, size_t size, char text[static DNS_NAME_SIZE])
{
    size_t at = 0, n = 0;
    for (;;) {
        if (at >= size || data[at] > 63 || at + 1 + data[at] > size || at + 1 + data[at] > 255) {
            return 0;
        }
        size_t length = data[at++];
        if (!length) {
            break;
        }
        for (size_t i = 0; i < length; i++) {
            uint8_t c = data[at + i];
            bool plain = isalnum(c) || c == '-' || c == '_' || c == '*' || c == '/';
            if (n + 6 >= DNS_NAME_SIZE) {
                return 0;
            }
            n += (size_t)snprintf(text + n, DNS_NAME_SIZE - n, plain ? "%c" : "\\%03o", c);
        }
        text[n++] = '.';
        at += length;
    }
    if (!n) {
        text[n++] = '.'; /* the root */
    }
    text[n] = '\0';
    return at;
}

/* The size of a name that may end in a pointer, 0 if it is wrong. */
static size_t
skip_name(const uint8_t *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        if (data[at] >= 192) {
            return at + 2 <= size ? at + 2 : 0;
        }
        if (data[at] > 63) {
            return 0;
        }
        if (!data[at]) {
            return at + 1;
        }
        at += 1u + data[at];
    }
    return 0;
}

static bool
read_additional(const uint8_t *data, size_t size, unsigned n, struct dns_question *q)
{
    for (unsigned i = 0; i < n; i++) {
        size_t name = skip_name(data, size);
        if (!name || name + 10 > size) {
            return false;
        }
        size_t whole = name + 10 + u16(data + name + 8);
        if (whole > size) {
            return false;
        }
        if (u16(data + name) == TYPE_OPT && !q->edns) {
            size_t asked = u16(data + name + 2);
            q->edns = true;
            q->udp_size = asked < DNS_UDP_PLAIN ? DNS_UDP_PLAIN : asked > DNS_UDP_MAX ? DNS_UDP_MAX : asked;
        }
        data += whole;
        size -= whole;
    }
    return true;
}

int
dns_read_question(const uint8_t *data, size_t size, struct dns_question *q)
{
    *q = (struct dns_question){ .udp_size = DNS_UDP_PLAIN };
    if (size < HEADER || u16(data + 2) & FLAG_ANSWER) {
        return -1;
    }
    unsigned flags = u16(data + 2);
    q->id = (uint16_t)u16(data);
    q->recursion_desired = flags & FLAG_RECURSE;
    if (flags >> 11 & 15) {
        return DNS_NOT_IMPLEMENTED;
    }
    /* One question, nothing answered yet. */
    if (u16(data + 4) != 1 || u16(data + 6) || u16(data + 8)) {
        return DNS_FORMAT_ERROR;
    }
    size_t name = read_name(data + HEADER, size - HEADER, q->name);
    if (!name || HEADER + name + 4 > size) {
        return DNS_FORMAT_ERROR;
    }
    q->wire_size = name + 4;
    memcpy(q->wire, data + HEADER, q->wire_size);
    q->type = (int)u16(data + HEADER + name);
    size_t rest = HEADER + name + 4;
    if (!read_additional(data + rest, size - rest, u16(data + 10), q)) {
        return DNS_FORMAT_ERROR;
    }
    return u16(data + HEADER + name + 2) == CLASS_IN ? DNS_OK : DNS_REFUSED;
}

/* ---- writing ------------------------------------------------------------------------------------------------------
 */
/* One character of a zone file's text, \DDD (octal here as in Route 53) and \X undone. */
static int
next_character(const char **at)
{
    const char *p = *at;
    if (*p == '\\' && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' && p[3] >= '0' && p[3] <= '7') {
        *at += 4;
        return (p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0');
    }
    if (*p == '\\' && p[1]) {
        *at += 2;
        return (unsigned char)p[1];
    }
    *at += 1;
    return (unsigned char)*p;
}

/* False when it is no name: then nothing is written. */
static bool
put_name(struct buf *out, const char *text)
{
    size_t start = out->size;
    while (*text && strcmp(text, ".") != 0) {
        char label[64];
        size_t n = 0;
        while (*text && *text != '.') {
            int c = next_character(&text);
            if (n == 63) {
                out->size = start;
                return false;
            }
            label[n++] = (char)c;
        }
        text += *text == '.';
        if (!n || out->size - start + n + 2 > 255) {
            out->size = start;
            return false;
        }
        buf_char(out, (char)n);
        buf_add(out, label, n);
    }
    buf_char(out, '\0');
    return true;
}

/* The next word of a value; NULL at the end.  'word' has room for a name. */
static const char *
next_word(const char **at, char word[static DNS_NAME_SIZE])
{
    *at += strspn(*at, " \t");
    size_t n = strcspn(*at, " \t");
    if (!n || n >= DNS_NAME_SIZE) {
        return NULL;
    }
    memcpy(word, *at, n);
    word[n] = '\0';
    *at += n;
    return word;
}

/* "one" "two", or a plain word: strings of at most 255 bytes, longer ones in pieces. */
static bool
put_strings(struct buf *out, const char *text)
{
    bool any = false;
    for (text += strspn(text, " \t"); *text; text += strspn(text, " \t")) {
        bool quoted = *text == '"';
        struct buf string = { 0 };
        text += quoted;
        while (*text && (quoted ? *text != '"' : *text != ' ' && *text != '\t')) {
            buf_char(&string, (char)next_character(&text));
        }
        text += quoted && *text == '"';
        for (size_t i = 0; i == 0 || i < string.size; i += 255) {
            size_t n = string.size - i < 255 ? string.size - i : 255;
            buf_char(out, (char)n);
            buf_add(out, buf_str(&string) + i, n);
        }
        buf_done(&string);
        any = true;
    }
    return any;
}

/* Numbers and names as 'form' says: 2 and 4 are numbers of so many bytes, n a name. */
static bool
put_form(struct buf *out, const char *form, const char *text)
{
    char word[DNS_NAME_SIZE];
    for (; *form; form++) {
        const char *next = next_word(&text, word);
        if (!next) {
            return false;
        }
        if (*form == 'n') {
            if (!put_name(out, next)) {
                return false;
            }
        } else if (*form == '2') {
            put16(out, (unsigned)strtoul(next, NULL, 10));
        } else {
            put32(out, (uint32_t)strtoul(next, NULL, 10));
        }
    }
    return true;
}

/* FLAGS TAG "VALUE" */
static bool
put_caa(struct buf *out, const char *text)
{
    char word[DNS_NAME_SIZE];
    const char *flags = next_word(&text, word);
    if (!flags) {
        return false;
    }
    buf_char(out, (char)strtoul(flags, NULL, 10));
    const char *tag = next_word(&text, word);
    if (!tag || strlen(tag) > 255) {
        return false;
    }
    buf_char(out, (char)strlen(tag));
    buf_str_add(out, tag);
    text += strspn(text, " \t");
    bool quoted = *text == '"';
    for (text += quoted; *text && !(quoted && *text == '"');) {
        buf_char(out, (char)next_character(&text));
    }
    return true;
}

static bool
put_data(struct buf *out, const struct dns_record *r)
{
    static const struct {
        int type;
        const char *form;
    } forms[] = { { DNS_NS, "n" },  { DNS_CNAME, "n" },  { DNS_PTR, "n" },
                  { DNS_MX, "2n" }, { DNS_SRV, "222n" }, { DNS_SOA, "nn44444" } };
    if (r->type == DNS_A || r->type == DNS_AAAA) {
        uint8_t bytes[16];
        buf_add(out, bytes, ip_to_bytes(&r->ip, bytes));
        return r->ip.family == (r->type == DNS_A ? IP_V4 : IP_V6);
    }
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (forms[i].type == r->type) {
            return put_form(out, forms[i].form, r->text ? r->text : "");
        }
    }
    return r->type == DNS_TXT   ? put_strings(out, r->text ? r->text : "")
           : r->type == DNS_CAA ? put_caa(out, r->text ? r->text : "")
                                : false;
}

/* False when it does not fit, or is nothing that a message can hold; then nothing is written. */
static bool
put_record(struct buf *out, const struct dns_record *r, size_t limit, bool *too_long)
{
    size_t start = out->size;
    bool ok = put_name(out, r->name);
    put16(out, (unsigned)r->type);
    put16(out, CLASS_IN);
    put32(out, r->ttl_s > 0 ? (uint32_t)r->ttl_s : 0);
    size_t length_at = out->size;
    put16(out, 0);
    ok = ok && put_data(out, r);
    size_t length = out->size - length_at - 2;
    *too_long = ok && out->size > limit;
    if (!ok || *too_long || length > 65535) {
        out->size = start;
        return false;
    }
    out->data[length_at] = (char)(length >> 8);
    out->data[length_at + 1] = (char)(length & 255);
    return true;
}

void
dns_write_answer(const struct dns_question *q, int code, const struct dns_answer *answer, size_t limit, struct buf *out)
{
    unsigned flags = FLAG_ANSWER | (q->recursion_desired ? FLAG_RECURSE : 0) | FLAG_CAN_RECURSE | (unsigned)code, n = 0;
    size_t opt = q->edns ? 11 : 0;
    put16(out, q->id);
    put16(out, 0);
    put16(out, q->wire_size ? 1 : 0);
    put16(out, 0);
    put16(out, 0);
    put16(out, q->edns ? 1 : 0);
    buf_add(out, q->wire, q->wire_size);
    bool too_long = false;
    for (size_t i = 0; answer && i < answer->records.n && !too_long; i++) {
        n += put_record(out, &answer->records.items[i], limit - opt, &too_long);
    }
    if (q->edns) {
        buf_char(out, '\0');
        put16(out, TYPE_OPT);
        put16(out, DNS_UDP_MAX);
        put32(out, 0);
        put16(out, 0);
    }
    flags |= too_long ? FLAG_TRUNCATED : 0;
    out->data[2] = (char)(flags >> 8);
    out->data[3] = (char)(flags & 255);
    out->data[6] = (char)(n >> 8);
    out->data[7] = (char)(n & 255);
}
