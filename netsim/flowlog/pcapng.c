#include "netsim/flowlog/pcapng.h"

#include <stdio.h>
#include <string.h>

#include "base/vec.h"

enum { SECTION = 0x0a0d0d0a, INTERFACE = 1, SIMPLE = 3, PACKET = 2, ENHANCED = 6, BYTE_ORDER = 0x1a2b3c4d };
enum {
    OPTION_END = 0,
    OPTION_COMMENT = 1,
    IF_NAME = 2,
    IF_DESCRIPTION = 3,
    IF_RESOLUTION = 9,
    IF_FILTER = 11,
    PACKET_FLAGS = 2,
    SECTION_PROGRAM = 4
};
#define SNAP_MAX 262144 /* bytes of one packet; what claims more is damaged */

/* ---- writing ------------------------------------------------------------------------------------------------------
 */
static void
put16(struct buf *out, uint16_t value)
{
    buf_add(out, (const char *)&value, sizeof value);
}

static void
put32(struct buf *out, uint32_t value)
{
    buf_add(out, (const char *)&value, sizeof value);
}

static void
put_padded(struct buf *out, const void *bytes, size_t size)
{
    buf_add(out, bytes, size);
    buf_add(out, "\0\0\0", (4 - size % 4) % 4);
}

static void
put_option(struct buf *out, uint16_t code, const void *value, size_t size)
{
    size = size < 65535 ? size : 65535;
    put16(out, code);
    put16(out, (uint16_t)size);
    put_padded(out, value, size);
}

static void
put_text(struct buf *out, uint16_t code, const char *text)
{
    if (text && *text) {
        put_option(out, code, text, strlen(text));
    }
}

/* The body of a block that 'begin' began, with its length before and after it. */
static size_t
begin_block(struct buf *out, uint32_t type)
{
    size_t at = out->size;
    put32(out, type);
    put32(out, 0);
    return at;
}

static void
end_block(struct buf *out, size_t at)
{
    uint32_t size = (uint32_t)(out->size - at + 4);
    memcpy(out->data + at + 4, &size, sizeof size);
    put32(out, size);
}

void
pcapng_begin(struct buf *out, const char *program)
{
    size_t at = begin_block(out, SECTION);
    put32(out, BYTE_ORDER);
    put16(out, 1);
    put16(out, 0);
    put32(out, 0xffffffffu); /* the section's length is not known yet */
    put32(out, 0xffffffffu);
    put_text(out, SECTION_PROGRAM, program);
    put_option(out, OPTION_END, "", 0);
    end_block(out, at);
}

void
pcapng_interface(struct buf *out, int link_type, const char *name, const char *description, const char *filter)
{
    size_t at = begin_block(out, INTERFACE);
    put16(out, (uint16_t)link_type);
    put16(out, 0);
    put32(out, SNAP_MAX);
    put_text(out, IF_NAME, name);
    put_text(out, IF_DESCRIPTION, description);
    if (filter && *filter) {
        char text[1024] = ""; /* 0: the text of a libpcap filter */
        snprintf(text + 1, sizeof text - 1, "%s", filter);
        put_option(out, IF_FILTER, text, 1 + strlen(text + 1));
    }
    put_option(out, OPTION_END, "", 0);
    end_block(out, at);
}

void
pcapng_packet(struct buf *out, const struct pcap_packet *packet)
{
    size_t at = begin_block(out, ENHANCED);
    put32(out, packet->interface);
    put32(out, (uint32_t)((uint64_t)packet->time_us >> 32));
    put32(out, (uint32_t)packet->time_us);
    put32(out, (uint32_t)packet->captured);
    put32(out, (uint32_t)packet->length);
    put_padded(out, packet->bytes, packet->captured);
    put_text(out, OPTION_COMMENT, packet->comment);
    if (packet->direction != PCAP_UNKNOWN) {
        uint32_t flags = packet->direction == PCAP_INBOUND ? 1 : 2;
        put_option(out, PACKET_FLAGS, &flags, sizeof flags);
    }
    if (packet->comment || packet->direction != PCAP_UNKNOWN) {
        put_option(out, OPTION_END, "", 0);
    }
    end_block(out, at);
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */
struct capture_link {
    int link_type;
    int64_t per_second; /* units of its times */
    char name[64];
};
struct reader {
    const uint8_t *bytes;
    size_t size;
    bool swapped; /* of the other byte order */
    VEC(struct capture_link) links;
    pcap_visit *visit;
    void *context;
    struct err *err;
};

static uint32_t
get32(const struct reader *r, size_t at)
{
    uint32_t value;
    memcpy(&value, r->bytes + at, sizeof value);
    return r->swapped ? __builtin_bswap32(value) : value;
}

static uint16_t
get16(const struct reader *r, size_t at)
{
    uint16_t value;
    memcpy(&value, r->bytes + at, sizeof value);
    return r->swapped ? __builtin_bswap16(value) : value;
}

static bool
damaged(struct reader *r, size_t at, const char *what)
{
    return err_set(r->err, ERR_DOCUMENT, "", "the capture is damaged at byte %zu: %s", at, what);
}

/* Option 'code' in the bytes from 'at' to 'end'; its size, 0 if it is not there. */
static size_t
find_option(const struct reader *r, size_t at, size_t end, uint16_t code, size_t *value)
{
    while (at + 4 <= end && get16(r, at) != OPTION_END) {
        size_t size = get16(r, at + 2);
        if (size > end - at - 4) {
            return 0;
        }
        if (get16(r, at) == code) {
            *value = at + 4;
            return size;
        }
        at += 4 + (size + 3) / 4 * 4;
        if (at > end) {
            return 0;
        }
    }
    return 0;
}

static bool
read_interface(struct reader *r, size_t at, size_t end)
{
    if (end - at < 8 || r->links.n >= 65536) {
        return damaged(r, at, "an interface without its type");
    }
    struct capture_link link = { .link_type = get16(r, at), .per_second = 1000000 };
    size_t value, size = find_option(r, at + 8, end, IF_NAME, &value);
    if (size) {
        snprintf(link.name, sizeof link.name, "%.*s", (int)(size < 63 ? size : 63), (const char *)r->bytes + value);
    }
    if (find_option(r, at + 8, end, IF_RESOLUTION, &value)) {
        uint8_t power = r->bytes[value];
        link.per_second = 1;
        for (int i = 0; i < (power & 0x7f) && link.per_second < INT64_C(1000000000000); i++) {
            link.per_second *= power & 0x80 ? 2 : 10;
        }
    }
    *VEC_ADD(&r->links) = link;
    return true;
}

static int64_t
microseconds(uint64_t time, int64_t per_second)
{
    uint64_t unit = (uint64_t)per_second;
    return (int64_t)((time / unit % UINT64_C(1000000000000)) * 1000000 +
                     (uint64_t)((double)(time % unit) * 1e6 / (double)unit));
}

static bool
read_packet(struct reader *r, size_t at, size_t end, uint32_t type)
{
    size_t head = type == SIMPLE ? 4 : 20;
    if (end - at < head) {
        return damaged(r, at, "a packet without its header");
    }
    struct pcap_packet p = { .interface = type == ENHANCED ? get32(r, at) : type == PACKET ? get16(r, at) : 0 };
    if (p.interface >= r->links.n) {
        return damaged(r, at, "a packet of an interface that is not there");
    }
    const struct capture_link *link = &r->links.items[p.interface];
    p.length = get32(r, type == SIMPLE ? at : at + 16);
    p.captured = type == SIMPLE ? p.length : get32(r, at + 12);
    if (type == SIMPLE && p.captured > end - at - head) {
        p.captured = end - at - head;
    }
    if (p.captured > end - at - head || p.captured > SNAP_MAX) {
        return damaged(r, at, "a packet that is longer than its block");
    }
    if (type != SIMPLE) {
        p.time_us = microseconds((uint64_t)get32(r, at + 4) << 32 | get32(r, at + 8), link->per_second);
    }
    p.link_type = link->link_type;
    p.interface_name = link->name;
    p.bytes = r->bytes + at + head;
    char comment[512];
    size_t options = at + head + (p.captured + 3) / 4 * 4, value, size;
    if (type != SIMPLE && options < end) {
        size = find_option(r, options, end, OPTION_COMMENT, &value);
        if (size) {
            snprintf(comment, sizeof comment, "%.*s", (int)(size < 511 ? size : 511), (const char *)r->bytes + value);
            p.comment = comment;
        }
        if (find_option(r, options, end, PACKET_FLAGS, &value) == 4) {
            uint32_t way = get32(r, value) & 3;
            p.direction = way == 1 ? PCAP_INBOUND : way == 2 ? PCAP_OUTBOUND : PCAP_UNKNOWN;
        }
    }
    r->visit(r->context, &p);
    return true;
}

static bool
read_section(struct reader *r, size_t at)
{
    if (r->size - at < 28) {
        return damaged(r, at, "a section without its header");
    }
    r->swapped = false;
    r->swapped = get32(r, at + 8) != BYTE_ORDER;
    if (get32(r, at + 8) != BYTE_ORDER) {
        return damaged(r, at + 8, "no byte order");
    }
    r->links.n = 0;
    return true;
}

static bool
read_pcapng(struct reader *r)
{
    for (size_t at = 0; at < r->size;) {
        if (r->size - at < 12) {
            return damaged(r, at, "the file ends within a block");
        }
        uint32_t type = get32(r, at);
        if (type == SECTION && !read_section(r, at)) { /* it says the byte order of its own length */
            return false;
        }
        size_t size = get32(r, at + 4), begin = at + 8, end = at + size - 4;
        if (size < 12 || size % 4 || size > r->size - at) {
            return damaged(r, at, "the file ends within a block");
        }
        bool is_packet = type == ENHANCED || type == PACKET || type == SIMPLE;
        if ((type == INTERFACE && !read_interface(r, begin, end)) || (is_packet && !read_packet(r, begin, end, type))) {
            return false;
        }
        at += size;
    }
    return true;
}

static bool
read_pcap(struct reader *r, bool nanoseconds)
{
    if (r->size < 24) {
        return damaged(r, 0, "the file ends within its header");
    }
    int link_type = (int)(get32(r, 20) & 0xffff);
    for (size_t at = 24; at < r->size;) {
        if (r->size - at < 16) {
            return damaged(r, at, "the file ends within a packet's header");
        }
        uint32_t fraction = get32(r, at + 4);
        struct pcap_packet p = { .link_type = link_type,
                                 .interface_name = "",
                                 .time_us =
                                     (int64_t)get32(r, at) * 1000000 + (nanoseconds ? fraction / 1000 : fraction),
                                 .captured = get32(r, at + 8),
                                 .length = get32(r, at + 12),
                                 .bytes = r->bytes + at + 16 };
        if (p.captured > r->size - at - 16 || p.captured > SNAP_MAX) {
            return damaged(r, at, "the file ends within a packet");
        }
        r->visit(r->context, &p);
        at += 16 + p.captured;
    }
    return true;
}

/* The first word of a file and what it says. */
static bool
magic(const void *bytes, size_t size, bool *pcapng, bool *swapped, bool *nanoseconds)
{
    uint32_t word;
    if (size < sizeof word) {
        return false;
    }
    memcpy(&word, bytes, sizeof word);
    *pcapng = word == SECTION;
    for (int i = 0; i < 2; i++, word = __builtin_bswap32(word)) {
        *swapped = i == 1;
        *nanoseconds = word == 0xa1b23c4d;
        if (*pcapng || *nanoseconds || word == 0xa1b2c3d4) {
            return true;
        }
    }
    return false;
}

bool
pcap_is_capture(const void *bytes, size_t size)
{
    bool pcapng, swapped, nanoseconds;
    return magic(bytes, size, &pcapng, &swapped, &nanoseconds);
}

bool
pcap_read(const void *bytes, size_t size, pcap_visit *visit, void *context, struct err *err)
{
    struct reader r = { .bytes = bytes, .size = size, .visit = visit, .context = context, .err = err };
    bool pcapng, nanoseconds, ok;
    if (!magic(bytes, size, &pcapng, &r.swapped, &nanoseconds)) {
        return damaged(&r, 0, "this is neither pcapng nor pcap");
    }
    ok = pcapng ? read_pcapng(&r) : read_pcap(&r, nanoseconds);
    VEC_DONE(&r.links);
    return ok;
}
