/* The receiving end of load.h alone: many senders, one after the other or at the same time. */
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/load.h"
#include "netsim/live/load_count.h"
#include "netsim/live/packet_bytes.h"

#define MOST_AT_ONCE 64
#define LOOK_MS      50
#define SILENT_MS    3000 /* a run of datagrams whose end was lost */
#define TURN         64   /* datagrams or reads until the others get theirs */
#define ROOM         (1 << 20)

struct sender {
    int fd; /* a connection; -1: a run of datagrams */
    struct sockaddr_in6 from;
    struct load_count count;
    int64_t begin_us, last_us;
    bool told; /* of datagrams: counted and shown; kept for an END that comes again */
};
struct receiving {
    int tcp, udp;
    VEC(struct sender) senders;
    uint8_t *room;
    load_visit *visit;
    void *context;
};

static struct sender *
add_sender(struct receiving *r, int fd, const struct sockaddr_in6 *from, uint32_t run)
{
    struct sender *s = VEC_ADD(&r->senders);
    *s = (struct sender){ .fd = fd, .from = *from, .count.run = run, .begin_us = monotonic_us() };
    s->last_us = s->begin_us;
    return s;
}

static void
remove_sender(struct receiving *r, size_t i)
{
    if (r->senders.items[i].fd >= 0) {
        close(r->senders.items[i].fd);
    }
    load_count_done(&r->senders.items[i].count);
    r->senders.items[i] = r->senders.items[--r->senders.n];
}

static void
tell(struct receiving *r, struct sender *s)
{
    struct ip came = ip_of_bytes(s->from.sin6_addr.s6_addr, IP_V6), from = ip_unmap(&came);
    struct load_result result = { .received_bytes = s->count.bytes,
                                  .received_packets = s->count.packets,
                                  .duplicates = s->count.duplicates,
                                  .out_of_order = s->count.out_of_order,
                                  .seconds = (double)(s->last_us - s->begin_us) / 1e6,
                                  .complete = true };
    s->told = true;
    r->visit(r->context, &from, ntohs(s->from.sin6_port), s->fd >= 0 ? PROTOCOL_TCP : PROTOCOL_UDP, &result);
}

/* ---- connections --------------------------------------------------------------------------------------------------
 */
static void
take_connection(struct receiving *r)
{
    struct sockaddr_in6 from = { 0 };
    socklen_t size = sizeof from;
    int fd = accept4(r->tcp, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0 && r->senders.n < MOST_AT_ONCE) {
        add_sender(r, fd, &from, 0);
    } else if (fd >= 0) {
        close(fd);
    }
}

/* False: it has ended. */
static bool
read_connection(struct receiving *r, struct sender *s)
{
    for (int i = 0; i < TURN; i++) {
        ssize_t n = recv(s->fd, r->room, ROOM, 0);
        if (n > 0) {
            s->count.bytes += n;
            s->last_us = monotonic_us();
        } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
            return false;
        } else if (errno == EAGAIN) {
            break;
        }
    }
    return true;
}

static void
end_connection(struct receiving *r, size_t i)
{
    struct sender *s = &r->senders.items[i];
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    uint8_t report[LOAD_REPORT_SIZE];
    if (getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
        s->count.packets = info.tcpi_data_segs_in;
    }
    load_report_write(&s->count, report);
    if (send(s->fd, report, sizeof report, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        /* it broke: the sender knows by itself */
    }
    if (s->count.bytes) { /* else somebody looked whether the port is open */
        tell(r, s);
    }
    remove_sender(r, i);
}

/* ---- datagrams ----------------------------------------------------------------------------------------------------
 */
static struct sender *
sender_of(struct receiving *r, const uint8_t *data, ssize_t size, const struct sockaddr_in6 *from)
{
    if (size < LOAD_UDP_MIN || (get32(data) != LOAD_DATA && get32(data) != LOAD_END)) {
        return NULL;
    }
    for (size_t i = 0; i < r->senders.n; i++) {
        struct sender *s = &r->senders.items[i];
        if (s->fd < 0 && s->count.run == get32(data + 4) && memcmp(&s->from, from, sizeof *from) == 0) {
            return s;
        }
    }
    return r->senders.n < MOST_AT_ONCE ? add_sender(r, -1, from, get32(data + 4)) : NULL;
}

static void
take_datagrams(struct receiving *r)
{
    for (int i = 0; i < TURN; i++) {
        struct sockaddr_in6 from = { 0 };
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(r->udp, r->room, ROOM, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (n < 0) {
            return;
        }
        struct sender *s = sender_of(r, r->room, n, &from);
        if (s && get32(r->room) == LOAD_DATA) {
            load_count_datagram(&s->count, r->room, (size_t)n);
            s->last_us = monotonic_us();
        } else if (s) {
            uint8_t report[LOAD_REPORT_SIZE];
            load_report_write(&s->count, report);
            sendto(r->udp, report, sizeof report, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&from, size);
            if (!s->told) {
                tell(r, s);
            }
        }
    }
}

static void
forget_silent(struct receiving *r)
{
    int64_t now = monotonic_us();
    for (size_t i = r->senders.n; i-- > 0;) {
        struct sender *s = &r->senders.items[i];
        if (s->fd < 0 && now - s->last_us > SILENT_MS * 1000) {
            if (!s->told) {
                tell(r, s);
            }
            remove_sender(r, i);
        }
    }
}

static bool
look(struct receiving *r)
{
    struct pollfd fds[2 + MOST_AT_ONCE] = { { .fd = r->tcp, .events = POLLIN }, { .fd = r->udp, .events = POLLIN } };
    size_t n = r->senders.n;
    for (size_t i = 0; i < n; i++) {
        fds[2 + i] = (struct pollfd){ .fd = r->senders.items[i].fd, .events = POLLIN };
    }
    if (poll(fds, (nfds_t)(2 + n), LOOK_MS) < 0) {
        return errno == EINTR;
    }
    for (size_t i = n; i-- > 0;) { /* from the end: who leaves is replaced by the last */
        if (fds[2 + i].revents && !read_connection(r, &r->senders.items[i])) {
            end_connection(r, i);
        }
    }
    if (fds[1].revents) {
        take_datagrams(r);
    }
    if (fds[0].revents) {
        take_connection(r);
    }
    forget_silent(r);
    return true;
}

bool
load_receive(int tcp, int udp, long long max_ms, const volatile sig_atomic_t *stop, load_visit *visit, void *context,
             struct err *err)
{
    struct receiving r = { .tcp = tcp, .udp = udp, .room = xcalloc(1, ROOM), .visit = visit, .context = context };
    int64_t until = monotonic_us() + max_ms * 1000;
    bool ok = true;
    while (ok && !(stop && *stop) && (!max_ms || monotonic_us() < until)) {
        ok = look(&r) || err_set(err, ERR_MACHINE, "", "cannot wait for senders: %s", strerror(errno));
    }
    for (size_t i = r.senders.n; i-- > 0;) {
        if (!r.senders.items[i].told && r.senders.items[i].count.bytes) {
            tell(&r, &r.senders.items[i]);
        }
        remove_sender(&r, i);
    }
    VEC_DONE(&r.senders);
    free(r.room);
    return ok;
}
