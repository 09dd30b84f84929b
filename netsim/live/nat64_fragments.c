/* Fragments for NAT64: a checksum of ICMPv6 knows the length of the whole, so no fragment can be translated alone.
 * Sources: RFC 791, RFC 8200 (4.5), RFC 5722 (overlaps) */
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "netsim/live/nat64.h"
#include "netsim/live/packet_bytes.h"

enum { IP4 = 20, IP6 = 40, FRAGMENT = 8, PROTOCOL_FRAGMENT = 44 };
enum { WAITING_MAX = 32, HEAD_MAX = 256, WAIT_MS = 30000, UNITS = 65536 / 8 };

struct part { /* a fragment, as its header says */
    struct ip src, dst;
    uint32_t id;
    uint8_t protocol;       /* 0 of IPv6, whose fragments are known by their id alone */
    uint8_t head[HEAD_MAX]; /* what every fragment bears, as the whole packet has it */
    size_t head_size, at, size;
    const uint8_t *data;
    bool last;
};
struct waiting {
    struct part first;     /* of those that came; of its head the one at 0 is taken */
    size_t total;          /* 0: not known yet */
    size_t have, furthest; /* bytes; the end of the last of them */
    int64_t since_ms;
    uint8_t seen[UNITS / 8];
    uint8_t data[HEAD_MAX + 65536];
};
struct nat64_fragments {
    VEC(struct waiting *) list;
    uint8_t *whole;
};

struct nat64_fragments *
nat64_fragments_new(void)
{
    struct nat64_fragments *f = xcalloc(1, sizeof *f);
    f->whole = xmalloc(HEAD_MAX + 65536);
    return f;
}

void
nat64_fragments_free(struct nat64_fragments *f)
{
    if (f) {
        for (size_t i = 0; i < f->list.n; i++) {
            free(f->list.items[i]);
        }
        VEC_DONE(&f->list);
        free(f->whole);
        free(f);
    }
}

/* ---- reading ------------------------------------------------------------------------------------------------------
 */

/* Where the fragment's header begins and where its number stands; 0: there is none. */
static size_t
find_fragment6(const uint8_t *packet, size_t size, size_t *number_at)
{
    size_t at = IP6;
    *number_at = 6;
    for (uint8_t next = packet[6]; size >= at + FRAGMENT; next = packet[*number_at]) {
        if (next == PROTOCOL_FRAGMENT) {
            return at;
        }
        if (next != 0 && next != 43 && next != 60) {
            return 0;
        }
        *number_at = at;
        at += ((size_t)packet[at + 1] + 1) * 8;
    }
    return 0;
}

/* 1: a fragment; 0: none; -1: a broken one. */
static int
read_part6(const uint8_t *packet, size_t size, struct part *p)
{
    size_t number_at, at = find_fragment6(packet, size, &number_at), end = IP6 + get16(packet + 4);
    if (!at) {
        return 0;
    }
    if (end > size || at + FRAGMENT > end || at > HEAD_MAX) {
        return -1;
    }
    unsigned offset = get16(packet + at + 2);
    p->id = get32(packet + at + 4);
    p->head_size = at;
    memcpy(p->head, packet, at);
    p->head[number_at] = packet[at];
    p->at = offset & 0xfff8;
    p->last = !(offset & 1);
    p->data = packet + at + FRAGMENT;
    p->size = end - at - FRAGMENT;
    return 1;
}

static int
read_part4(const uint8_t *packet, size_t size, struct part *p)
{
    size_t head = (size_t)(packet[0] & 15) * 4, end = get16(packet + 2);
    unsigned offset = get16(packet + 6);
    if (!(offset & 0x3fff)) {
        return 0;
    }
    if (head < IP4 || end > size || head > end) {
        return -1;
    }
    p->id = get16(packet + 4);
    p->protocol = packet[9];
    p->head_size = head;
    memcpy(p->head, packet, head);
    p->at = (size_t)(offset & 0x1fff) * 8;
    p->last = !(offset & 0x2000);
    p->data = packet + head;
    p->size = end - head;
    return 1;
}

/* ---- gathering ----------------------------------------------------------------------------------------------------
 */

static void
drop(struct nat64_fragments *f, size_t i)
{
    free(f->list.items[i]);
    VEC_REMOVE(&f->list, i);
}

static size_t
find_waiting(struct nat64_fragments *f, const struct part *p, int64_t now_ms)
{
    for (size_t i = f->list.n; i-- > 0;) {
        if (f->list.items[i]->since_ms + WAIT_MS < now_ms) {
            drop(f, i);
        }
    }
    for (size_t i = 0; i < f->list.n; i++) {
        const struct part *other = &f->list.items[i]->first;
        if (other->id == p->id && other->protocol == p->protocol && ip_equal(&other->src, &p->src) &&
            ip_equal(&other->dst, &p->dst)) {
            return i;
        }
    }
    if (f->list.n >= WAITING_MAX) {
        drop(f, 0);
    }
    struct waiting *w = xcalloc(1, sizeof *w);
    w->first = *p;
    w->since_ms = now_ms;
    *VEC_ADD(&f->list) = w;
    return f->list.n - 1;
}

/* False: it cannot be a part of what came before. */
static bool
take(struct waiting *w, const struct part *p)
{
    size_t end = p->at + p->size;
    bool misfit = end > 65535 || !p->size || (!p->last && p->size % 8) || (w->total && end > w->total) ||
                  (p->last && (w->total || w->furthest > end));
    for (size_t unit = p->at / 8; !misfit && unit < (end + 7) / 8; unit++) {
        misfit = w->seen[unit / 8] & 1u << unit % 8;
        w->seen[unit / 8] |= (uint8_t)(1u << unit % 8);
    }
    if (misfit) {
        return false;
    }
    if (p->at == 0) {
        w->first = *p;
    }
    memcpy(w->data + p->at, p->data, p->size);
    w->have += p->size;
    w->furthest = end > w->furthest ? end : w->furthest;
    w->total = p->last ? end : w->total;
    return !w->total || w->have <= w->total;
}

/* The whole of it; 0: longer than a packet can be. */
static size_t
join(const struct waiting *w, uint8_t *out)
{
    bool six = w->first.src.family == IP_V6;
    size_t head = w->first.head_size, size = head + w->total;
    if (size - (six ? IP6 : 0) > 65535) {
        return 0;
    }
    memcpy(out, w->first.head, head);
    memcpy(out + head, w->data, w->total);
    put16(out + (six ? 4 : 2), (unsigned)(six ? size - IP6 : size));
    if (!six) {
        put16(out + 6, 0);
        put16(out + 10, 0);
        put16(out + 10, fold(sum16(out, head, 0)));
    }
    return size;
}

const uint8_t *
nat64_whole(struct nat64_fragments *f, const uint8_t *packet, size_t *size, int64_t now_ms, bool *came_in_pieces)
{
    struct part part = { 0 };
    *came_in_pieces = false;
    if (!nat64_addresses(packet, *size, &part.src, &part.dst)) {
        return NULL;
    }
    int is = (part.src.family == IP_V6 ? read_part6 : read_part4)(packet, *size, &part);
    if (is <= 0) {
        return is == 0 ? packet : NULL;
    }
    *came_in_pieces = true;
    size_t i = find_waiting(f, &part, now_ms);
    struct waiting *w = f->list.items[i];
    if (!take(w, &part)) {
        drop(f, i);
        return NULL;
    }
    if (!w->total || w->have < w->total) {
        return NULL;
    }
    *size = join(w, f->whole);
    drop(f, i);
    return *size ? f->whole : NULL;
}

size_t
nat64_piece(const uint8_t *packet, size_t size, uint32_t id, size_t *at, uint8_t out[static NAT64_PIECE])
{
    size_t left = size - IP6 - *at, most = (NAT64_PIECE - IP6 - FRAGMENT) / 8 * 8;
    if (!left) {
        return 0;
    }
    bool last = left <= most;
    size_t n = last ? left : most;
    memcpy(out, packet, IP6);
    put16(out + 4, (unsigned)(FRAGMENT + n));
    out[6] = PROTOCOL_FRAGMENT;
    out[IP6] = packet[6];
    out[IP6 + 1] = 0;
    put16(out + IP6 + 2, (unsigned)*at | !last);
    put32(out + IP6 + 4, id);
    memcpy(out + IP6 + FRAGMENT, packet + IP6 + *at, n);
    *at += n;
    return IP6 + FRAGMENT + n;
}
