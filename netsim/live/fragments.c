/* Sources: RFC 791, RFC 8200 (4.5), RFC 5722 (overlaps), RFC 6946 (atomic fragments) */
#include "netsim/live/fragments.h"

#include <stdlib.h>
#include <string.h>

#include "base/ip.h"
#include "base/vec.h"
#include "netsim/live/packet_bytes.h"

enum { IP4 = 20, IP6 = 40, FRAGMENT = 8, PROTOCOL_FRAGMENT = 44, DONT_FRAGMENT = 0x4000, MORE = 0x2000 };
enum { HEAD_MAX = 256, FIRST_ROOM = 4096, UNITS = 65536 / 8, BEFORE = FRAGMENTS_BEFORE + HEAD_MAX };

struct part { /* a fragment, as its header says */
    struct ip src, dst;
    uint32_t place, id;
    uint8_t protocol; /* 0 of IPv6, whose fragments are known by their id alone */
    size_t head_size, at, size;
    const uint8_t *packet, *data;
    size_t number_at; /* IPv6: where in the head stands what follows it */
    uint8_t number;
    bool last;
};
struct waiting {
    struct ip src, dst;
    uint32_t place, id;
    uint8_t protocol;
    size_t head_size;      /* of the first fragment, which stands before the data; 0: it has not come */
    size_t total;          /* of the data; 0: not known yet */
    size_t have, furthest; /* bytes; the end of the last of them */
    size_t largest;        /* of the packets */
    int64_t until_ms;
    uint8_t seen[UNITS / 8];
    uint8_t *bytes; /* BEFORE, then the data */
    size_t room;    /* for it */
};
struct fragments {
    VEC(struct waiting *) list; /* the oldest first */
    size_t n_bytes;
    struct waiting *done; /* what the caller holds */
};

struct fragments *
fragments_new(void)
{
    return xcalloc(1, sizeof(struct fragments));
}

static void
waiting_free(struct waiting *w)
{
    if (w) {
        free(w->bytes);
        free(w);
    }
}

void
fragments_free(struct fragments *f)
{
    if (f) {
        for (size_t i = 0; i < f->list.n; i++) {
            waiting_free(f->list.items[i]);
        }
        VEC_DONE(&f->list);
        waiting_free(f->done);
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
    size_t at = size < IP6 ? 0 : find_fragment6(packet, size, &p->number_at), end = at ? IP6 + get16(packet + 4) : 0;
    if (!at) {
        return 0;
    }
    if (end > size || at + FRAGMENT > end || at > HEAD_MAX) {
        return -1;
    }
    unsigned offset = get16(packet + at + 2);
    p->id = get32(packet + at + 4);
    p->head_size = at;
    p->number = packet[at];
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
    p->at = (size_t)(offset & 0x1fff) * 8;
    p->last = !(offset & MORE);
    p->data = packet + head;
    p->size = end - head;
    return 1;
}

static int
read_part(const uint8_t *packet, size_t size, struct part *p)
{
    bool six = packet[0] >> 4 == 6;
    int is = (six ? read_part6 : read_part4)(packet, size, p);
    if (is > 0) {
        p->packet = packet;
        p->src = ip_of_bytes(packet + (six ? 8 : 12), six ? IP_V6 : IP_V4);
        p->dst = ip_of_bytes(packet + (six ? 24 : 16), p->src.family);
    }
    return is;
}

/* ---- gathering ----------------------------------------------------------------------------------------------------
 */

/* Out of the list; whose it is now is the caller's business. */
static struct waiting *
take_out(struct fragments *f, size_t i)
{
    struct waiting *w = f->list.items[i];
    f->n_bytes -= sizeof *w + BEFORE + w->room;
    VEC_REMOVE(&f->list, i);
    return w;
}

static void
drop(struct fragments *f, size_t i)
{
    waiting_free(take_out(f, i));
}

static bool
is_of(const struct waiting *w, const struct part *p)
{
    return w->id == p->id && w->place == p->place && w->protocol == p->protocol && ip_equal(&w->src, &p->src) &&
           ip_equal(&w->dst, &p->dst);
}

static struct waiting *
begin(struct fragments *f, const struct part *p, int64_t now_ms)
{
    struct waiting *w = xcalloc(1, sizeof *w);
    w->src = p->src;
    w->dst = p->dst;
    w->place = p->place;
    w->id = p->id;
    w->protocol = p->protocol;
    w->until_ms = now_ms + (p->src.family == IP_V6 ? FRAGMENTS_WAIT_MS6 : FRAGMENTS_WAIT_MS4);
    w->room = FIRST_ROOM;
    w->bytes = xmalloc(BEFORE + w->room);
    f->n_bytes += sizeof *w + BEFORE + w->room;
    *VEC_ADD(&f->list) = w;
    return w;
}

/* What the fragment belongs to, new if there is nothing; what waited for too long goes, and what is too much. */
static size_t
find_waiting(struct fragments *f, const struct part *p, int64_t now_ms)
{
    size_t n_here = 0, oldest_here = 0;
    for (size_t i = f->list.n; i-- > 0;) {
        if (f->list.items[i]->until_ms < now_ms) {
            drop(f, i);
            oldest_here -= n_here > 0;
        } else if (f->list.items[i]->place == p->place) {
            n_here++;
            oldest_here = i;
        }
    }
    for (size_t i = 0; n_here && i < f->list.n; i++) {
        if (is_of(f->list.items[i], p)) {
            return i;
        }
    }
    if (n_here >= FRAGMENTS_OF_ONE) {
        drop(f, oldest_here);
    } else if (f->list.n >= FRAGMENTS_AT_ONCE) {
        drop(f, 0);
    }
    begin(f, p, now_ms);
    return f->list.n - 1;
}

enum verdict { FITS, THERE_ALREADY, MISFIT };

static enum verdict
judge(const struct waiting *w, const struct part *p)
{
    size_t end = p->at + p->size, n_seen = 0, n_units = (end + 7) / 8 - p->at / 8;
    if (end > 65535 || !p->size || (!p->last && p->size % 8) || (w->total && end > w->total) ||
        (p->last && ((w->total && w->total != end) || w->furthest > end))) {
        return MISFIT;
    }
    for (size_t unit = p->at / 8; unit < (end + 7) / 8; unit++) {
        n_seen += w->seen[unit / 8] >> unit % 8 & 1;
    }
    return n_seen == 0 ? FITS : n_seen == n_units ? THERE_ALREADY : MISFIT;
}

static void
make_room(struct fragments *f, struct waiting *w, size_t end)
{
    size_t room = w->room;
    while (room < end) {
        room *= 2;
    }
    if (room > w->room) {
        w->bytes = xrealloc(w->bytes, BEFORE + room);
        f->n_bytes += room - w->room;
        w->room = room;
    }
}

static void
keep(struct fragments *f, struct waiting *w, const struct part *p)
{
    size_t end = p->at + p->size;
    make_room(f, w, end);
    for (size_t unit = p->at / 8; unit < (end + 7) / 8; unit++) {
        w->seen[unit / 8] |= (uint8_t)(1u << unit % 8);
    }
    memcpy(w->bytes + BEFORE + p->at, p->data, p->size);
    if (p->at == 0) {
        uint8_t *head = w->bytes + BEFORE - p->head_size;
        memcpy(head, p->packet, p->head_size);
        head[p->number_at] = p->src.family == IP_V6 ? p->number : head[p->number_at];
        w->head_size = p->head_size;
    }
    size_t packet_size = (size_t)(p->data - p->packet) + p->size;
    w->largest = packet_size > w->largest ? packet_size : w->largest;
    w->have += p->size;
    w->furthest = end > w->furthest ? end : w->furthest;
    w->total = p->last ? end : w->total;
}

/* What has come whole; NULL: longer than a packet can be. */
static uint8_t *
join(const struct waiting *w, size_t *size)
{
    bool six = w->src.family == IP_V6;
    uint8_t *out = w->bytes + BEFORE - w->head_size;
    *size = w->head_size + w->total;
    if (*size - (six ? IP6 : 0) > 65535) {
        return NULL;
    }
    put16(out + (six ? 4 : 2), (unsigned)(six ? *size - IP6 : *size));
    if (!six) {
        put16(out + 6, 0);
        put16(out + 10, 0);
        put16(out + 10, fold(sum16(out, w->head_size, 0)));
    }
    return out;
}

uint8_t *
fragments_whole(struct fragments *f, uint32_t place, uint8_t *packet, size_t *size, int64_t now_ms, size_t *largest)
{
    struct part part = { .place = place };
    *largest = 0;
    int is = fragments_may_be_one(packet, *size) ? read_part(packet, *size, &part) : 0;
    if (is <= 0) {
        return is == 0 ? packet : NULL;
    }
    waiting_free(f->done);
    f->done = NULL;
    bool atomic = part.at == 0 && part.last; /* it has nothing to do with others of its number */
    size_t i = atomic ? f->list.n : find_waiting(f, &part, now_ms);
    struct waiting *w = atomic ? begin(f, &part, now_ms) : f->list.items[i];
    enum verdict verdict = judge(w, &part);
    if (verdict == MISFIT) {
        drop(f, i);
        return NULL;
    }
    if (verdict == FITS) {
        keep(f, w, &part);
    }
    if (w->total && w->have >= w->total) {
        f->done = take_out(f, i);
        *largest = w->largest;
        return join(w, size);
    }
    while (f->n_bytes > FRAGMENTS_BYTES) {
        drop(f, 0); /* one alone never has so many */
    }
    return NULL;
}

struct fragments_waiting
fragments_waiting(const struct fragments *f)
{
    return (struct fragments_waiting){ .packets = f->list.n, .bytes = f->n_bytes };
}

/* ---- cutting ------------------------------------------------------------------------------------------------------
 */

static size_t
piece6(const uint8_t *packet, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out)
{
    size_t left = size - IP6 - *at, room = (most - IP6 - FRAGMENT) / 8 * 8;
    bool last = left <= room;
    size_t n = last ? left : room;
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

/* Options go with the first piece only: those that all would need (RFC 791: their copied bit) nobody here sends. */
static size_t
piece4(const uint8_t *packet, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out)
{
    size_t all = (size_t)(packet[0] & 15) * 4, head = *at ? IP4 : all, left = size - all - *at;
    size_t room = (most - head) / 8 * 8;
    bool last = left <= most - head;
    size_t n = last ? left : room;
    memcpy(out, packet, head);
    out[0] = (uint8_t)(0x40 | head / 4);
    put16(out + 2, (unsigned)(head + n));
    put16(out + 4, get16(packet + 4) ? get16(packet + 4) : id & 0xffff);
    put16(out + 6, (unsigned)(*at / 8) | (last ? 0 : MORE));
    put16(out + 10, 0);
    put16(out + 10, fold(sum16(out, head, 0)));
    memcpy(out + head, packet + all + *at, n);
    *at += n;
    return head + n;
}

size_t
fragments_piece(const uint8_t *packet, size_t size, size_t most, uint32_t id, size_t *at, uint8_t *out)
{
    bool six = packet[0] >> 4 == 6;
    size_t head = six ? IP6 : (size_t)(packet[0] & 15) * 4;
    if (head + *at >= size || (!six && (get16(packet + 6) & DONT_FRAGMENT))) {
        return 0;
    }
    return (six ? piece6 : piece4)(packet, size, most, id, at, out);
}
