#include "netsim/live/tap_flow.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/fragments.h"
#include "netsim/live/packet_bytes.h"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };
enum { IP4 = 20, IP6 = 40, UDP = 8, TCP = 20, TTL = 64 };
enum {
    ROOM = 4 << 20, /* bytes that wait to be acknowledged */
    AT_ONCE = 64,   /* packets that are looked at before something is sent */
    WINDOW = 65535,
    FIRST_RTO_US = 1000000,
    LEAST_RTO_US = 200000,
    MOST_RTO_US = 4000000,
    TIMEOUTS_MAX = 8, /* one after the other: nobody is there */
};

/* Places in the stream are counted in bytes from its beginning; its end (FIN) has a place of its own. */
struct tap_flow {
    int fd;
    struct tap_flow_end end;
    uint8_t out[FRAGMENTS_WHOLE_MAX], in[FRAGMENTS_WHOLE_MAX], piece[TAP_FLOW_MTU];
    uint32_t id;          /* of the next packet */
    _Atomic uint32_t mtu; /* UDP: of the way, as far as it is known; who receives learns it, who sends heeds it */
    bool full;            /* the descriptor took no more */
    /* TCP: */
    enum { ASKING, OPEN, BROKEN } state;
    int why;                                 /* it is broken: errno */
    uint32_t first, peer_next;               /* our number of the first byte; the far end's next */
    size_t mss;                              /* bytes of a segment */
    unsigned scale;                          /* of the far end's windows */
    uint8_t *ring;                           /* what is not acknowledged, by place */
    int64_t acked, sent, most_sent, written; /* places: up to which it is so */
    int64_t window, congestion, threshold;   /* bytes */
    bool ending, recovering, peer_ended;
    int64_t recovered; /* the place that ends a recovery */
    unsigned n_same;   /* acknowledgements that said nothing new */
    unsigned n_timeouts;
    int64_t due_us; /* when the oldest byte is sent again; 0: nothing waits */
    int64_t rto_us, rtt_us, variation_us;
    int64_t timed, timed_us; /* the place whose acknowledgement is timed, and since when; 0: none */
    struct tap_flow_count count;
};

struct tap_flow *
tap_flow_new(int fd, const struct tap_flow_end *end)
{
    struct tap_flow *f = xcalloc(1, sizeof *f);
    f->fd = fd;
    f->end = *end;
    f->mtu = TAP_FLOW_MTU;
    f->mss = TAP_FLOW_MTU - (end->src.family == IP_V6 ? IP6 : IP4) - TCP;
    f->first = (uint32_t)monotonic_us() * 2654435761u;
    f->rto_us = FIRST_RTO_US;
    f->ring = end->protocol == PROTOCOL_TCP ? xmalloc(ROOM) : NULL;
    return f;
}

void
tap_flow_free(struct tap_flow *flow)
{
    if (flow) {
        free(flow->ring);
        free(flow);
    }
}

/* ---- packets ------------------------------------------------------------------------------------------------------
 */
static size_t
head_size(const struct tap_flow *f)
{
    return f->end.src.family == IP_V6 ? IP6 : IP4;
}

static bool
put_out(struct tap_flow *f, const uint8_t *packet, size_t size)
{
    bool ok = send(f->fd, packet, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
    f->full = !ok && (errno == EAGAIN || errno == ENOBUFS);
    return ok;
}

/* One that does not fit goes in pieces: of a packet that lacks some, the others are of no use, and it is sent anew. */
static bool
put_out_cut(struct tap_flow *f, size_t size)
{
    size_t at = 0, n;
    while ((n = fragments_piece(f->out, size, f->mtu, f->id, &at, f->piece)) > 0) {
        if (!put_out(f, f->piece, n)) {
            return false;
        }
    }
    return true;
}

/* The IP header before 'size' bytes of transport that stand at their place; then it is sent. */
static bool
send_packet(struct tap_flow *f, size_t size)
{
    const struct tap_flow_end *e = &f->end;
    uint8_t *p = f->out;
    bool udp = e->protocol == PROTOCOL_UDP;
    f->id++;
    if (e->src.family == IP_V6) {
        put32(p, 6u << 28);
        put16(p + 4, (unsigned)size);
        p[6] = (uint8_t)e->protocol;
        p[7] = TTL;
        put_ip(p + 8, &e->src);
        put_ip(p + 24, &e->dst);
    } else {
        memset(p, 0, IP4);
        p[0] = 0x45;
        put16(p + 2, (unsigned)(IP4 + size));
        put16(p + 4, f->id & 0xffff);
        p[6] = udp ? 0 : 0x40; /* a datagram may be cut to pieces on the way, as Linux' are not */
        p[8] = TTL;
        p[9] = (uint8_t)e->protocol;
        put_ip(p + 12, &e->src);
        put_ip(p + 16, &e->dst);
        put16(p + 10, fold(sum16(p, IP4, 0)));
    }
    size += head_size(f);
    return size <= f->mtu || !udp ? put_out(f, p, size) : put_out_cut(f, size);
}

static uint8_t *
put_ports(struct tap_flow *f)
{
    uint8_t *p = f->out + head_size(f);
    put16(p, (unsigned)f->end.src_port);
    put16(p + 2, (unsigned)f->end.dst_port);
    return p;
}

/* A packet of the flow that came: what stands behind its IP header.  NULL: none came (errno), or another. */
static const uint8_t *
take_packet(struct tap_flow *f, uint8_t *packet, size_t room, size_t *size, int *protocol)
{
    ssize_t n = recv(f->fd, packet, room, MSG_DONTWAIT);
    if (n <= 0) {
        errno = n == 0 ? ECONNABORTED : errno; /* the host is no more */
        return NULL;
    }
    bool six = packet[0] >> 4 == 6;
    size_t head = six ? IP6 : (size_t)(packet[0] & 15) * 4, least = six ? IP6 : IP4;
    size_t whole = (size_t)n < least ? 0 : six ? IP6 + get16(packet + 4) : get16(packet + 2);
    errno = 0;
    if ((size_t)n < least || head < least || whole > (size_t)n || head > whole) {
        return NULL;
    }
    *protocol = packet[six ? 6 : 9];
    *size = whole - head;
    return packet + head;
}

/* ---- TCP, outwards ------------------------------------------------------------------------------------------------
 */
/* 'length' bytes of the stream, or none: an acknowledgement. */
static bool
send_segment(struct tap_flow *f, int64_t place, size_t length, int flags)
{
    uint8_t *p = put_ports(f);
    size_t size = TCP, at = (size_t)(place % ROOM), before_wrap = ROOM - at < length ? ROOM - at : length;
    put32(p + 4, f->first + (flags & SYN ? 0 : 1) + (uint32_t)place);
    put32(p + 8, flags & ACK ? f->peer_next : 0);
    p[13] = (uint8_t)flags;
    put16(p + 14, WINDOW);
    put32(p + 16, 0);
    if (flags & SYN) { /* the largest segment; windows are scaled, ours by nothing */
        static const uint8_t scale[] = { 1, 3, 3, 0 };
        put32(p + TCP, 2u << 24 | 4u << 16 | (uint32_t)f->mss);
        memcpy(p + TCP + 4, scale, sizeof scale);
        size += 8;
    }
    p[12] = (uint8_t)(size / 4 << 4);
    memcpy(p + size, f->ring + at, before_wrap);
    memcpy(p + size + before_wrap, f->ring, length - before_wrap);
    size += length;
    put16(p + 16, transport_checksum(&f->end.src, &f->end.dst, PROTOCOL_TCP, p, size));
    return send_packet(f, size);
}

/* What stands at a place: a segment, at the end the end.  Returns how far it goes; -1: it was not sent. */
static int64_t
send_at(struct tap_flow *f, int64_t place, int64_t most)
{
    int64_t length = f->written - place;
    length = length > (int64_t)f->mss ? (int64_t)f->mss : length;
    length = length > most ? most : length;
    int64_t next = place + length;
    bool end = f->ending && next == f->written;
    int flags = ACK | (end ? FIN : 0) | (next == f->written ? PSH : 0);
    if (!send_segment(f, place, (size_t)length, flags)) {
        return -1;
    }
    bool again = place < f->most_sent;
    f->count.segments += length > 0;
    f->count.retransmitted += again;
    next += end;
    if (again) {
        f->timed_us = 0; /* whose answer it would be is not known (Karn) */
    } else if (!f->timed_us) {
        f->timed = next;
        f->timed_us = monotonic_us();
    }
    f->most_sent = next > f->most_sent ? next : f->most_sent;
    return next;
}

static void
set_timer(struct tap_flow *f)
{
    f->due_us = f->acked < f->written + f->ending ? monotonic_us() + f->rto_us : 0;
}

/* As much as both windows allow.  A segment that is not full waits while others are under way (Nagle). */
static void
send_due(struct tap_flow *f)
{
    int64_t window = f->window < f->congestion ? f->window : f->congestion;
    bool idle = f->sent == f->acked;
    while (f->state == OPEN && f->sent < f->written + f->ending) {
        int64_t room = f->acked + window - f->sent, rest = f->written - f->sent, least = (int64_t)f->mss;
        bool whole = rest >= least || f->ending;
        if (room < (rest < least ? rest : least) || (!whole && f->sent > f->acked)) {
            break;
        }
        int64_t next = send_at(f, f->sent, room);
        if (next < 0) {
            break;
        }
        f->sent = next;
    }
    if (idle || !f->due_us) {
        set_timer(f);
    }
}

static void
break_up(struct tap_flow *f, int why)
{
    f->state = BROKEN;
    f->why = why;
    f->due_us = 0;
}

/* Nothing was acknowledged for too long: from the oldest byte on again, slowly; a window that was closed is asked for.
 */
static void
time_out(struct tap_flow *f)
{
    int64_t flight = f->sent - f->acked;
    if (++f->n_timeouts > TIMEOUTS_MAX) {
        break_up(f, ETIMEDOUT);
        return;
    }
    f->rto_us = 2 * f->rto_us > MOST_RTO_US ? MOST_RTO_US : 2 * f->rto_us;
    f->recovering = false;
    f->n_same = 0;
    if (f->state == ASKING) {
        send_segment(f, 0, 0, SYN);
    } else if (f->window < (int64_t)f->mss && !flight) {
        send_at(f, f->acked, 1);
    } else {
        f->threshold = flight / 2 > 2 * (int64_t)f->mss ? flight / 2 : 2 * (int64_t)f->mss;
        f->congestion = (int64_t)f->mss;
        f->sent = f->acked;
        int64_t next = send_at(f, f->acked, (int64_t)f->mss);
        f->sent = next > 0 ? next : f->sent;
    }
    f->due_us = monotonic_us() + f->rto_us;
}

/* ---- TCP, inwards -------------------------------------------------------------------------------------------------
 */
static void
take_options(struct tap_flow *f, const uint8_t *p, size_t size)
{
    for (size_t i = TCP; i < size && p[i] != 0;) {
        size_t length = p[i] == 1 || i + 1 >= size ? 1 : p[i + 1];
        if (length < (p[i] == 1 ? 1u : 2u) || i + length > size) {
            return;
        }
        if (p[i] == 2 && length == 4 && get16(p + i + 2) >= 64 && get16(p + i + 2) < f->mss) {
            f->mss = get16(p + i + 2);
        } else if (p[i] == 3 && length == 3) {
            f->scale = p[i + 2] > 14 ? 14 : p[i + 2];
        }
        i += length;
    }
}

/* RFC 6298 */
static void
take_time(struct tap_flow *f)
{
    int64_t took = monotonic_us() - f->timed_us;
    if (!f->rtt_us) {
        f->rtt_us = took > 0 ? took : 1;
        f->variation_us = took / 2;
    } else {
        int64_t off = took > f->rtt_us ? took - f->rtt_us : f->rtt_us - took;
        f->variation_us += (off - f->variation_us) / 4;
        f->rtt_us += (took - f->rtt_us) / 8;
        f->rtt_us = f->rtt_us > 0 ? f->rtt_us : 1;
    }
    f->timed_us = 0;
}

static void
take_progress(struct tap_flow *f, int64_t place)
{
    int64_t fresh = place - f->acked, mss = (int64_t)f->mss;
    f->acked = place;
    f->sent = f->sent < place ? place : f->sent;
    f->n_timeouts = 0;
    f->n_same = 0;
    if (f->timed_us && place >= f->timed) {
        take_time(f);
    }
    int64_t rto = f->rtt_us ? f->rtt_us + 4 * f->variation_us : FIRST_RTO_US;
    f->rto_us = rto < LEAST_RTO_US ? LEAST_RTO_US : rto > MOST_RTO_US ? MOST_RTO_US : rto;
    if (f->recovering && place >= f->recovered) {
        f->recovering = false;
        f->congestion = f->threshold;
    } else if (f->recovering) { /* the next one is lost as well (RFC 6582) */
        send_at(f, f->acked, mss);
        f->congestion = f->congestion > fresh + mss ? f->congestion - fresh + mss : mss;
    } else if (f->congestion < f->threshold) {
        f->congestion += fresh;
    } else {
        f->congestion += mss * fresh / f->congestion > 0 ? mss * fresh / f->congestion : 1;
    }
    set_timer(f);
}

static void
take_acknowledgement(struct tap_flow *f, uint32_t number, int64_t window, bool bare)
{
    int64_t place = f->acked + (int32_t)(number - (f->first + 1 + (uint32_t)f->acked)), mss = (int64_t)f->mss;
    bool same = place == f->acked && bare && window == f->window && f->most_sent > f->acked;
    if (place < f->acked || place > f->most_sent) {
        return;
    }
    f->window = window;
    if (place > f->acked) {
        take_progress(f, place);
    } else if (same && f->recovering) {
        f->congestion += mss;
    } else if (same && ++f->n_same == 3) {
        int64_t flight = f->sent - f->acked;
        f->threshold = flight / 2 > 2 * mss ? flight / 2 : 2 * mss;
        f->congestion = f->threshold + 3 * mss;
        f->recovering = true;
        f->recovered = f->most_sent;
        send_at(f, f->acked, mss);
    }
}

static void
take_answer(struct tap_flow *f, const uint8_t *p, size_t head)
{
    bool is = (p[13] & (SYN | ACK)) == (SYN | ACK) && get32(p + 8) == f->first + 1;
    if (!is) {
        return;
    }
    take_options(f, p, head);
    f->peer_next = get32(p + 4) + 1;
    f->window = get16(p + 14); /* of this one not scaled */
    f->congestion = 10 * (int64_t)f->mss;
    f->threshold = INT64_MAX;
    f->state = OPEN;
    f->n_timeouts = 0;
    f->rto_us = FIRST_RTO_US;
    f->due_us = 0;
    send_segment(f, 0, 0, ACK);
}

static void
take_segment(struct tap_flow *f, const uint8_t *p, size_t size)
{
    size_t head = size >= TCP ? (size_t)(p[12] >> 4) * 4 : 0;
    if (head < TCP || head > size || get16(p) != (unsigned)f->end.dst_port ||
        get16(p + 2) != (unsigned)f->end.src_port) {
        return;
    }
    int flags = p[13];
    uint32_t length = (uint32_t)(size - head) + ((flags & FIN) ? 1 : 0);
    if (flags & RST) {
        bool ours = f->state == ASKING ? (flags & ACK) && get32(p + 8) == f->first + 1 : get32(p + 4) == f->peer_next;
        if (ours) {
            break_up(f, f->state == ASKING ? ECONNREFUSED : ECONNRESET);
        }
    } else if (f->state == ASKING) {
        take_answer(f, p, head);
    } else if (flags & ACK) {
        take_acknowledgement(f, get32(p + 8), (int64_t)get16(p + 14) << f->scale, !length && !(flags & SYN));
        if (length || (flags & SYN)) { /* SYN: our first acknowledgement was lost */
            if (get32(p + 4) == f->peer_next && !(flags & SYN)) {
                f->peer_next += length;
                f->peer_ended |= (flags & FIN) != 0;
            }
            send_segment(f, f->sent, 0, ACK);
        }
    }
}

/* A router says how long a packet may be: RFC 792 and 1191, RFC 4443, 3.2. */
static void
take_error(struct tap_flow *f, const uint8_t *p, size_t size)
{
    bool six = f->end.src.family == IP_V6;
    bool is = size >= 8 && (six ? p[0] == 2 : p[0] == 3 && p[1] == 4);
    size_t mtu = !is ? 0 : six ? get32(p + 4) : get16(p + 6), heads = head_size(f) + TCP;
    if (mtu >= heads + 64 && mtu - heads < f->mss && f->end.protocol == PROTOCOL_TCP) {
        f->mss = mtu - heads;
        if (f->state == OPEN) {
            f->sent = f->acked;
            f->timed_us = 0;
        }
    } else if (f->end.protocol == PROTOCOL_UDP && mtu >= (six ? 1280 : 68) && mtu < f->mtu) {
        f->mtu = (uint32_t)mtu;
    }
}

static void
take_all(struct tap_flow *f)
{
    for (int i = 0; i < AT_ONCE && f->state != BROKEN; i++) {
        size_t size = 0;
        int protocol = 0;
        const uint8_t *p = take_packet(f, f->in, sizeof f->in, &size, &protocol);
        if (!p && errno == ECONNABORTED) {
            break_up(f, ECONNABORTED);
        } else if (!p && errno) {
            return;
        } else if (p && protocol == PROTOCOL_TCP) {
            take_segment(f, p, size);
        } else if (p && (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6)) {
            take_error(f, p, size);
        }
    }
}

static void
advance(struct tap_flow *f)
{
    take_all(f);
    if (f->state != BROKEN && f->due_us && monotonic_us() >= f->due_us) {
        time_out(f);
    }
    send_due(f);
}

/* ---- what the owner calls -----------------------------------------------------------------------------------------
 */
void
tap_flow_wait(struct tap_flow *flow, int ms)
{
    bool tcp = flow->end.protocol == PROTOCOL_TCP;
    int64_t now = monotonic_us();
    if (tcp && flow->due_us && flow->due_us < now + ms * 1000LL) {
        ms = flow->due_us > now ? (int)((flow->due_us - now) / 1000) + 1 : 0;
    }
    struct pollfd p = { .fd = flow->fd, .events = (short)((tcp ? POLLIN : 0) | (flow->full || !tcp ? POLLOUT : 0)) };
    poll(&p, 1, ms);
    if (tcp) {
        advance(flow);
    }
}

bool
tap_flow_connect(struct tap_flow *flow, int timeout_ms)
{
    int64_t until = monotonic_us() + timeout_ms * 1000LL;
    if (flow->end.protocol != PROTOCOL_TCP) {
        return true;
    }
    send_segment(flow, 0, 0, SYN);
    flow->due_us = monotonic_us() + flow->rto_us;
    while (flow->state == ASKING && monotonic_us() < until) {
        tap_flow_wait(flow, 50);
    }
    errno = flow->state == BROKEN ? flow->why : ETIMEDOUT;
    return flow->state == OPEN;
}

static ssize_t
send_datagram(struct tap_flow *f, const void *data, size_t size)
{
    if (size > (size_t)TAP_FLOW_UDP_MAX(f->end.src.family)) {
        errno = EMSGSIZE;
        return -1;
    }
    uint8_t *p = put_ports(f);
    put16(p + 4, (unsigned)(UDP + size));
    put16(p + 6, 0);
    memcpy(p + UDP, data, size);
    unsigned sum = transport_checksum(&f->end.src, &f->end.dst, PROTOCOL_UDP, p, UDP + size);
    put16(p + 6, sum ? sum : 0xffff);
    return send_packet(f, UDP + size) ? (ssize_t)size : -1;
}

ssize_t
tap_flow_send(struct tap_flow *flow, const void *data, size_t size)
{
    if (flow->end.protocol == PROTOCOL_UDP) {
        return send_datagram(flow, data, size);
    }
    advance(flow);
    size_t room = (size_t)(ROOM - (flow->written - flow->acked)), n = size < room ? size : room;
    if (flow->state == BROKEN || !n) {
        errno = flow->state == BROKEN ? flow->why : EAGAIN;
        return -1;
    }
    size_t at = (size_t)(flow->written % ROOM), before_wrap = ROOM - at < n ? ROOM - at : n;
    memcpy(flow->ring + at, data, before_wrap);
    memcpy(flow->ring, (const uint8_t *)data + before_wrap, n - before_wrap);
    flow->written += (int64_t)n;
    send_due(flow);
    return (ssize_t)n;
}

ssize_t
tap_flow_receive(struct tap_flow *flow, void *data, size_t size)
{
    size_t length = 0;
    int protocol = 0;
    const uint8_t *p = take_packet(flow, flow->in, sizeof flow->in, &length, &protocol);
    if (!p) {
        errno = errno ? errno : EAGAIN;
        return -1;
    }
    if (protocol == PROTOCOL_ICMP || protocol == PROTOCOL_ICMPV6) {
        take_error(flow, p, length);
    }
    if (protocol != PROTOCOL_UDP || length < UDP || get16(p) != (unsigned)flow->end.dst_port) {
        return 0; /* as an empty datagram is: nobody's */
    }
    length -= UDP;
    memcpy(data, p + UDP, length < size ? length : size);
    return (ssize_t)(length < size ? length : size);
}

bool
tap_flow_end(struct tap_flow *flow)
{
    flow->ending = true;
    advance(flow);
    return flow->state == BROKEN || (flow->acked == flow->written + 1 && flow->peer_ended);
}

struct tap_flow_count
tap_flow_counted(const struct tap_flow *flow)
{
    struct tap_flow_count count = flow->count;
    count.acknowledged = flow->acked > flow->written ? flow->written : flow->acked;
    count.rtt_ms = (double)flow->rtt_us / 1000;
    return count;
}
