/* Probes: packets made by hand leave the sender's namespace through its own routes and are awaited by raw sockets at
 * both ends.
 *
 * Raw sockets and not packet sockets: closing one of the latter waits for every processor (some 10 ms each), which a
 * lab of a hundred instances would notice.  They see what the receiving machine's kernel accepts as its own.  TCP and
 * echo are answered by that kernel (SYN-ACK or RST: either proves the way back); UDP and other protocols we answer
 * ourselves.
 *
 * All forwarding inside the machine happens in one queue of the processor that sends.  So we stay on one processor, and
 * after the probes send packets to ourselves over a loopback link: each comes back only when everything queued before
 * it has made a hop.  When enough have come back nothing can be under way any more, and "did not arrive" is known
 * without waiting for a timeout.
 *
 * TAP hosts have no sockets: what reaches them is shown to us by the thread that serves them, and what they send we
 * write to their device. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/gwlb.h"
#include "netsim/live/live_internal.h"
#include "netsim/live/nat64.h"
#include "netsim/live/nat64_carrier.h"
#include "netsim/live/packet.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/tap_hosts.h"

#define FENCES      32 /* more than the hops of the longest way there and back */
#define DRAIN_EVERY 48 /* probes; a raw socket's buffer holds some hundred packets */

/* An ear in a namespace: one protocol, one family. */
struct ear {
    const struct space *space;
    int family, protocol, fd;
};
/* A mouth: sends packets with their header. */
struct mouth {
    const struct space *space;
    int family, fd;
};
struct end {
    const struct space *space;
    const struct plan_tap *tap; /* the TAP host there; then 'space' is its router's */
    struct tap_name name;       /* of the TAP host */
    uint32_t index;             /* of the link to send through; 0: as routed */
    const struct eni *eni;      /* NULL: the internet */
};
typedef VEC(struct end) end_vec;
struct flight { /* a probe under way */
    struct end from;
    end_vec to; /* whoever may get it: 'to', then 'also'; empty: nobody can send it */
    int64_t sent_us;
};
struct run {
    struct live *live;
    struct live_probe *probes;
    struct flight *flights;
    size_t n, waiting;
    uint32_t nonce, first; /* number of the first probe's packet */
    int epoll;
    VEC(struct ear) ears;
    VEC(struct mouth) mouths;
    int fence;              /* a UDP socket talking to itself; -1: none */
    struct tap_hosts *taps; /* NULL: no TAP host takes part */
    int tap_ear;            /* what reaches them; -1 */
    int *inspected;         /* of each probe: times that it or its answer is in a gateway load balancer's endpoint */
};

/* ---- sockets ------------------------------------------------------------------------------------------------------
 */
static int
raw_socket(const struct run *run, const struct space *space, int family, int protocol)
{
    spaces_enter(&run->live->spaces, space);
    int fd = socket(family == IP_V6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
    spaces_go_home(&run->live->spaces);
    return fd;
}

static bool
need_ear(struct run *run, const struct space *space, int family, int protocol, struct err *err)
{
    for (size_t i = 0; i < run->ears.n; i++) {
        const struct ear *e = &run->ears.items[i];
        if (e->space == space && e->family == family && e->protocol == protocol) {
            return true;
        }
    }
    struct ear ear = { space, family, protocol, raw_socket(run, space, family, protocol) };
    if (ear.fd < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot listen for protocol %d in `%s`: %s", protocol, space->id,
                       strerror(errno));
    }
    struct sock_filter code[PACKET_FILTER_MAX];
    struct sock_fprog filter = { .filter = code,
                                 .len = (unsigned short)packet_filter(family, protocol, run->nonce, code) };
    int on = 1, size = 4 << 20;
    setsockopt(ear.fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
    setsockopt(ear.fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    if (family == IP_V6) {
        setsockopt(ear.fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
    }
    struct epoll_event event = { .events = EPOLLIN, .data.u32 = (uint32_t)run->ears.n };
    epoll_ctl(run->epoll, EPOLL_CTL_ADD, ear.fd, &event);
    *VEC_ADD(&run->ears) = ear;
    return true;
}

static int
mouth_of(struct run *run, const struct space *space, int family)
{
    for (size_t i = 0; i < run->mouths.n; i++) {
        if (run->mouths.items[i].space == space && run->mouths.items[i].family == family) {
            return run->mouths.items[i].fd;
        }
    }
    int fd = raw_socket(run, space, family, IPPROTO_RAW); /* the header is ours */
    *VEC_ADD(&run->mouths) = (struct mouth){ space, family, fd };
    return fd;
}

static int
open_fence(struct run *run)
{
    const struct space *space = spaces_find(&run->live->spaces, PLAN_INTERNET_ID);
    struct sockaddr_in self = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof self;
    spaces_enter(&run->live->spaces, space);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    spaces_go_home(&run->live->spaces);
    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&self, size) < 0 || getsockname(fd, (struct sockaddr *)&self, &size) < 0 ||
         connect(fd, (struct sockaddr *)&self, size) < 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Waits until what is queued now has gone as far as it can. False when the fences did not come back in time. */
static bool
pass_fences(const struct run *run, int64_t deadline_us)
{
    for (int i = 0; run->fence >= 0 && i < FENCES; i++) {
        char byte = 0;
        if (send(run->fence, &byte, 1, 0) != 1) {
            return false;
        }
        while (recv(run->fence, &byte, 1, 0) != 1) {
            int64_t left = deadline_us - monotonic_us();
            struct pollfd p = { .fd = run->fence, .events = POLLIN };
            if (left <= 0 || poll(&p, 1, (int)(left / 1000 + 1)) < 0) {
                return false;
            }
        }
    }
    return run->fence >= 0;
}

/* ---- ends ---------------------------------------------------------------------------------------------------------
 */
/* An instance, interface or NAT gateway as the plan built it.  False when it has no link now (a stopped instance). */
static bool
find_end(const struct live *live, const char *id, struct end *end)
{
    *end = (struct end){ .space = spaces_find(&live->spaces, id) };
    if (end->space) {
        return true;
    }
    for (size_t i = 0; i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            end->tap = plan_link_host(link, id);
            if (end->tap || strcmp(link->eni_id, id) == 0) {
                end->space = spaces_find(&live->spaces, end->tap ? ns->id : link->peer_ns);
                if (end->tap) {
                    end->name.index = link->here.index;
                    memcpy(end->name.mac, end->tap->host.mac, sizeof end->name.mac);
                }
                /* A raw socket's route does not depend on the source in its header: where the machine has other
                 * interfaces the link must be named. */
                const struct plan_ns *there = plan_find(live->plan, link->peer_ns);
                bool alone = !there || there->rules.n == 0;
                end->index = link->peer.index == PLAN_ETH0 && alone ? 0 : link->peer.index;
                return end->space != NULL;
            }
        }
    }
    return false;
}

/* The first address of the end in that family. */
static struct ip
own_address(const struct live *live, const struct end *end, int family)
{
    const struct plan_ns *ns = plan_find(live->plan, end->space->id);
    for (size_t i = 0; end->tap && i < end->tap->host.addresses.n; i++) {
        if (end->tap->host.addresses.items[i].family == family) {
            return end->tap->host.addresses.items[i];
        }
    }
    if (end->tap) {
        return (struct ip){ 0 };
    }
    if (ns->kind == PLAN_INTERNET) {
        return ip_lit(family == IP_V6 ? PLAN_CALLER6 : PLAN_CALLER4);
    }
    uint32_t index = ns->kind == PLAN_ONPREM ? PLAN_LOOPBACK : end->index ? end->index : PLAN_ETH0;
    for (size_t i = 0; i < ns->addresses.n; i++) {
        if (ns->addresses.items[i].index == index && ns->addresses.items[i].ip.family == family) {
            return ns->addresses.items[i].ip;
        }
    }
    return (struct ip){ 0 };
}

/* Is this where the end hears: its namespace, or its TAP host ('tap' NULL: none)? */
static bool
is_at(const struct end *end, const struct space *space, const struct tap_name *tap)
{
    return end->tap ? tap && tap->index == end->name.index && memcmp(tap->mac, end->name.mac, sizeof tap->mac) == 0
                    : end->space && end->space == space;
}

/* ---- packets ------------------------------------------------------------------------------------------------------
 */
/* Where a machine with several interfaces sends what bears that address; 0: as routed. */
static uint32_t
link_of_source(const struct run *run, const struct end *from, const struct ip *src)
{
    const struct plan_ns *ns = from->index ? NULL : plan_find(run->live->plan, from->space->id);
    for (size_t i = 0; ns && ns->kind == PLAN_INSTANCE && ns->rules.n && i < ns->addresses.n; i++) {
        if (ip_equal(&ns->addresses.items[i].ip, src)) {
            return ns->addresses.items[i].index;
        }
    }
    return from->index;
}

static void
send_packet(struct run *run, const struct end *from, const struct packet_spec *spec)
{
    uint8_t packet[PACKET_MAX];
    size_t size = packet_build(spec, packet);
    int family = spec->dst.family;
    if (from->tap) {
        tap_hosts_send(run->taps, &from->name, packet, size);
        return;
    }
    struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_addr.s_addr = htonl((uint32_t)spec->dst.lo) };
    struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
    memcpy(&to6.sin6_addr, packet + 24, 16);
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    } control = { 0 };
    struct iovec iov = { packet, size };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
    msg.msg_name = family == IP_V6 ? (void *)&to6 : (void *)&to4;
    msg.msg_namelen = family == IP_V6 ? sizeof to6 : sizeof to4;
    uint32_t link = link_of_source(run, from, &spec->src);
    if (link) { /* of a machine with several interfaces: through this one */
        msg.msg_control = control.bytes;
        struct cmsghdr *c = (struct cmsghdr *)control.bytes;
        if (family == IP_V6) {
            struct in6_pktinfo info = { .ipi6_ifindex = link };
            *c = (struct cmsghdr){ .cmsg_level = IPPROTO_IPV6,
                                   .cmsg_type = IPV6_PKTINFO,
                                   .cmsg_len = CMSG_LEN(sizeof info) };
            memcpy(CMSG_DATA(c), &info, sizeof info);
            msg.msg_controllen = CMSG_SPACE(sizeof info);
        } else {
            struct in_pktinfo info = { .ipi_ifindex = (int)link };
            *c = (struct cmsghdr){ .cmsg_level = IPPROTO_IP,
                                   .cmsg_type = IP_PKTINFO,
                                   .cmsg_len = CMSG_LEN(sizeof info) };
            memcpy(CMSG_DATA(c), &info, sizeof info);
            msg.msg_controllen = CMSG_SPACE(sizeof info);
        }
    }
    /* A refusal by the sender's own routes (no route, blackhole) is an answer too: it did not arrive. */
    while (sendmsg(mouth_of(run, from->space, family), &msg, 0) < 0 && errno == EINTR) {
    }
}

static void
note_arrival(struct run *run, size_t i, size_t receiver, const struct ip *src, const struct ip *dst,
             const struct packet_seen *seen)
{
    struct live_probe *p = &run->probes[i];
    if (p->arrived) {
        return;
    }
    p->arrived = true;
    p->receiver = receiver;
    p->seen_src = *src;
    p->seen_dst = *dst;
    p->seen_src_port = seen->src_port;
    p->seen_dst_port = seen->dst_port;
    bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    if (!icmp && p->protocol != PROTOCOL_TCP) {
        struct packet_spec answer = { .src = *dst,
                                      .dst = *src,
                                      .protocol = p->protocol,
                                      .src_port = seen->dst_port,
                                      .dst_port = seen->src_port,
                                      .nonce = run->nonce,
                                      .number = run->first + (uint32_t)i,
                                      .answer = true };
        send_packet(run, &run->flights[i].to.items[receiver], &answer);
    }
}

static bool
is_of_run(const struct run *run, const struct packet_seen *seen)
{
    return seen->number >= run->first && seen->number - run->first < run->n;
}

/* A packet without its IP header, seen in a namespace or by a TAP host. */
static void
take(struct run *run, const struct space *space, const struct tap_name *tap, const struct packet_seen *seen,
     enum packet_kind kind, const struct ip *src, const struct ip *dst)
{
    if (kind == PACKET_OTHER || !is_of_run(run, seen)) {
        return;
    }
    const size_t at_probe = seen->number - run->first;
    struct live_probe *p = &run->probes[at_probe];
    const struct flight *f = &run->flights[at_probe];
    bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    size_t at = 0;
    while (at < f->to.n && !is_at(&f->to.items[at], space, tap)) {
        at++;
    }
    /* An echo reply sent as a probe looks like an answer; at the far end it is the probe. */
    if (at < f->to.n && (kind == PACKET_PROBE || (icmp && p->dst_port == seen->dst_port))) {
        note_arrival(run, at_probe, at, src, dst, seen);
    } else if (is_at(&f->from, space, tap) && kind == PACKET_ANSWER && !p->replied && ip_equal(src, &p->dst) &&
               ip_equal(dst, &p->src)) {
        /* An answer from another address (it came back by another gateway) is none to the one who asked. */
        p->replied = true;
        p->refused = seen->refused;
        p->rtt_us = monotonic_us() - f->sent_us;
    }
}

static void
hear(struct run *run, const struct ear *ear)
{
    for (;;) {
        uint8_t data[2048];
        union {
            struct cmsghdr align;
            char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
        } control;
        struct sockaddr_in6 from6;
        struct iovec iov = { data, sizeof data };
        struct msghdr msg = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_name = &from6,
                              .msg_namelen = sizeof from6,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control };
        ssize_t n = recvmsg(ear->fd, &msg, 0);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return;
        }
        struct ip src = { 0 }, dst = { 0 };
        size_t head = 0;
        if (ear->family == IP_V4) {
            head = (size_t)(data[0] & 15) * 4;
            if ((size_t)n < head || head < 20) {
                continue;
            }
            src = ip_of_bytes(data + 12, IP_V4);
            dst = ip_of_bytes(data + 16, IP_V4);
        } else {
            src = ip_of_bytes((const uint8_t *)&from6.sin6_addr, IP_V6);
            struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
            if (c && c->cmsg_type == IPV6_PKTINFO) {
                dst = ip_of_bytes(CMSG_DATA(c), IP_V6);
            }
        }
        struct packet_seen seen;
        enum packet_kind kind =
            packet_read(data + head, (size_t)n - head, ear->family, ear->protocol, run->nonce, &seen);
        take(run, ear->space, NULL, &seen, kind, &src, &dst);
    }
}

/* ---- TAP hosts ----------------------------------------------------------------------------------------------------
 */
static enum packet_kind
read_whole(const uint8_t *packet, size_t size, uint32_t nonce, int *protocol, struct packet_seen *seen)
{
    bool six = packet[0] >> 4 == 6;
    size_t head = six ? 40 : (size_t)(packet[0] & 15) * 4;
    *protocol = packet[six ? 6 : 9];
    return size >= head ? packet_read(packet + head, size - head, six ? IP_V6 : IP_V4, *protocol, nonce, seen)
                        : PACKET_OTHER;
}

/* Called by the thread that serves the hosts.  TCP and echo requests the host answers itself. */
static enum tap_wanted
is_ours(void *context, const uint8_t *packet, size_t size)
{
    const struct run *run = context;
    struct packet_seen seen;
    int protocol;
    enum packet_kind kind = read_whole(packet, size, run->nonce, &protocol, &seen);
    bool answered = protocol == PROTOCOL_TCP ||
                    (protocol == PROTOCOL_ICMP && seen.dst_port == 8 && seen.src_port == 0) ||
                    (protocol == PROTOCOL_ICMPV6 && seen.dst_port == 128 && seen.src_port == 0);
    return kind == PACKET_OTHER ? TAP_NOT_WANTED : kind == PACKET_PROBE && answered ? TAP_COPIED : TAP_TAKEN;
}

static void
hear_taps(struct run *run)
{
    uint8_t data[2048];
    struct tap_name name;
    for (ssize_t n; (n = recv(run->tap_ear, data, sizeof data, 0)) > (ssize_t)sizeof name + 20;) {
        memcpy(&name, data, sizeof name);
        const uint8_t *packet = data + sizeof name;
        struct packet_seen seen;
        int protocol, family = packet[0] >> 4 == 6 ? IP_V6 : IP_V4;
        enum packet_kind kind = read_whole(packet, (size_t)n - sizeof name, run->nonce, &protocol, &seen);
        struct ip src = ip_of_bytes(packet + (family == IP_V6 ? 8 : 12), family),
                  dst = ip_of_bytes(packet + (family == IP_V6 ? 24 : 16), family);
        take(run, NULL, &name, &seen, kind, &src, &dst);
    }
}

/* ---- gateway load balancers ----------------------------------------------------------------------------------------
 */
/* Called by their thread. */
static void
note_inspection(void *context, const char *endpoint_id, const uint8_t *packet, size_t size, bool comes_out)
{
    struct run *run = context;
    struct packet_seen seen;
    int protocol;
    if (read_whole(packet, size, run->nonce, &protocol, &seen) == PACKET_OTHER || !is_of_run(run, &seen)) {
        return;
    }
    run->inspected[seen.number - run->first] += comes_out ? -1 : 1;
    if (!comes_out) {
        snprintf(run->probes[seen.number - run->first].kept_at, ID_SIZE, "%s", endpoint_id);
    }
}

/* What came out of the endpoints again was not kept. */
static void
tell_kept(struct run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        if (run->inspected[i] <= 0) {
            run->probes[i].kept_at[0] = '\0';
        }
    }
}

/* Waits until what other threads hold has gone on: TAP hosts have read and answered what reached them, gateway load
 * balancers have carried everything from hop to hop. */
static bool
settle(struct run *run, int64_t deadline)
{
    bool ok = true;
    for (bool moved = true; ok && moved && monotonic_us() < deadline;) {
        moved = run->live->gwlb && gwlb_settle(run->live->gwlb) > 0;
        moved = (run->live->nat64 && nat64_carrier_settle(run->live->nat64) > 0) || moved;
        if (run->taps) {
            tap_hosts_settle(run->taps);
        }
        ok = (!moved && !run->taps) || pass_fences(run, deadline);
    }
    return ok;
}

/* Reads everything that has come so far. */
static void
drain(struct run *run)
{
    struct epoll_event events[64];
    int n;
    while ((n = epoll_wait(run->epoll, events, ARRAY_SIZE(events), 0)) > 0) {
        for (int i = 0; i < n; i++) {
            hear(run, &run->ears.items[events[i].data.u32]);
        }
    }
    if (run->taps) {
        hear_taps(run);
    }
}

/* ---- a run --------------------------------------------------------------------------------------------------------
 */
/* Whoever may get it.  A machine without a link hears nothing, but keeps its place in the order. */
static bool
find_receivers(const struct run *run, const struct live_probe *p, end_vec *to)
{
    bool any = find_end(run->live, p->to, VEC_ADD(to));
    for (const char *id = p->also; id && *id; id += strcspn(id, " "), id += *id == ' ') {
        char one[ID_SIZE];
        snprintf(one, sizeof one, "%.*s", (int)strcspn(id, " "), id);
        any = find_end(run->live, one, VEC_ADD(to)) || any;
    }
    return any;
}

/* Of another family when it arrives. */
static bool
is_nat64(const struct ip *dst)
{
    struct cidr prefix = cidr_lit(NAT64_PREFIX);
    return cidr_contains_ip(&prefix, dst);
}

static int
protocol_at(const struct live_probe *p, int family)
{
    return p->protocol == PROTOCOL_ICMPV6 && family == IP_V4 ? PROTOCOL_ICMP : p->protocol;
}

static bool
prepare(struct run *run, size_t i, struct err *err)
{
    struct live_probe *p = &run->probes[i];
    struct flight *f = &run->flights[i];
    p->arrived = p->replied = p->refused = false;
    p->receiver = 0;
    p->seen_src = p->seen_dst = (struct ip){ 0 };
    p->rtt_us = 0;
    p->kept_at[0] = '\0';
    if (!find_end(run->live, p->from, &f->from) || !find_receivers(run, p, &f->to)) {
        f->from.space = NULL;
        return true; /* a machine without a link neither sends nor hears */
    }
    int family = p->dst.family ? p->dst.family : p->src.family ? p->src.family : IP_V4;
    if (!p->dst.family && f->to.items[0].space) {
        p->dst = own_address(run->live, &f->to.items[0], family);
    }
    if (!p->src.family) {
        p->src = own_address(run->live, &f->from, family);
    }
    if (!p->src.family || !p->dst.family || p->src.family != p->dst.family) {
        f->from.space = NULL;
        return true;
    }
    bool icmp = p->protocol == PROTOCOL_ICMP || p->protocol == PROTOCOL_ICMPV6;
    if (!p->src_port && !icmp) {
        p->src_port = LIVE_PROBE_PORT + run->live->next_port++ % LIVE_PROBE_PORTS;
    }
    bool tap = f->from.tap != NULL;
    for (size_t j = 0; j < f->to.n; j++) {
        tap = tap || f->to.items[j].tap;
    }
    if (tap && !run->taps) {
        run->tap_ear = tap_hosts_watch(run->live->spaces.taps, is_ours, run);
        if (run->tap_ear < 0) {
            return err_set(err, ERR_MACHINE, "", "cannot watch the TAP hosts: %s", strerror(errno));
        }
        run->taps = run->live->spaces.taps;
    }
    bool ok = f->from.tap || need_ear(run, f->from.space, family, p->protocol, err), six = is_nat64(&p->dst);
    for (size_t j = 0; ok && j < f->to.n; j++) {
        const struct end *to = &f->to.items[j];
        bool hears = !to->tap && to->space;
        ok = !hears || need_ear(run, to->space, family, p->protocol, err);
        ok = ok && (!hears || !six || need_ear(run, to->space, IP_V4, protocol_at(p, IP_V4), err));
    }
    return ok;
}

static void
fly(struct run *run, int timeout_ms)
{
    for (size_t i = 0; i < run->n; i++) {
        const struct live_probe *p = &run->probes[i];
        struct flight *f = &run->flights[i];
        if (!f->from.space) {
            continue;
        }
        struct packet_spec spec = { .src = p->src,
                                    .dst = p->dst,
                                    .protocol = p->protocol,
                                    .src_port = p->src_port,
                                    .dst_port = p->dst_port,
                                    .nonce = run->nonce,
                                    .number = run->first + (uint32_t)i };
        f->sent_us = monotonic_us();
        send_packet(run, &f->from, &spec);
        if (i % DRAIN_EVERY == 0 || run->n < DRAIN_EVERY) {
            if (run->taps) {
                tap_hosts_settle(run->taps); /* what it shows us waits in a queue of some hundred */
            }
            drain(run);
        }
    }
    int64_t deadline = monotonic_us() + (int64_t)timeout_ms * 1000;
    /* There; what we answer ourselves; and back. */
    bool certain = true;
    for (int round = 0; round < 2; round++) {
        certain = pass_fences(run, deadline) && settle(run, deadline) && certain;
        drain(run);
    }
    /* Without fences only time tells. */
    while (!certain && monotonic_us() < deadline) {
        struct pollfd p = { .fd = run->epoll, .events = POLLIN };
        if (poll(&p, 1, (int)((deadline - monotonic_us()) / 1000 + 1)) > 0) {
            drain(run);
        }
    }
}

static void
run_done(struct run *run)
{
    for (size_t i = 0; i < run->ears.n; i++) {
        close(run->ears.items[i].fd);
    }
    for (size_t i = 0; i < run->mouths.n; i++) {
        close(run->mouths.items[i].fd);
    }
    VEC_DONE(&run->ears);
    VEC_DONE(&run->mouths);
    if (run->fence >= 0) {
        close(run->fence);
    }
    if (run->taps) {
        tap_hosts_unwatch(run->taps);
    }
    close(run->epoll);
    for (size_t i = 0; i < run->n; i++) {
        VEC_DONE(&run->flights[i].to);
    }
    free(run->flights);
    free(run->inspected);
}

static void
run_others_on(const struct run *run, const cpu_set_t *processors)
{
    if (run->taps) {
        tap_hosts_run_on(run->taps, processors);
    }
    if (run->live->gwlb) {
        gwlb_run_on(run->live->gwlb, processors);
    }
    if (run->live->nat64) {
        nat64_carrier_run_on(run->live->nat64, processors);
    }
}

uint32_t
live_probe_nonce(void)
{
    uint32_t nonce;
    return getrandom(&nonce, sizeof nonce, 0) == sizeof nonce ? nonce : (uint32_t)monotonic_us() * 2654435761u;
}

bool
live_probe(struct live *live, struct live_probe *probes, size_t n, int timeout_ms, struct err *err)
{
    return live_probe_as(live, probes, n, live_probe_nonce(), 0, timeout_ms, err);
}

bool
live_probe_as(struct live *live, struct live_probe *probes, size_t n, uint32_t nonce, uint32_t first, int timeout_ms,
              struct err *err)
{
    if (n >= 1u << 20) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "%zu probes at once are too many", n);
    }
    struct run run = { .live = live,
                       .probes = probes,
                       .n = n,
                       .nonce = nonce,
                       .first = first,
                       .flights = xcalloc(n, sizeof *run.flights),
                       .inspected = xcalloc(n, sizeof *run.inspected),
                       .epoll = epoll_create1(EPOLL_CLOEXEC),
                       .tap_ear = -1 };
    cpu_set_t before, one;
    CPU_ZERO(&one);
    CPU_SET((size_t)sched_getcpu(), &one);
    bool pinned = sched_getaffinity(0, sizeof before, &before) == 0 && sched_setaffinity(0, sizeof one, &one) == 0;
    run.fence = pinned ? open_fence(&run) : -1;
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        ok = prepare(&run, i, err);
    }
    if (pinned) {
        run_others_on(&run, &one); /* what they send is queued where the fences are */
    }
    if (live->gwlb) {
        gwlb_watch(live->gwlb, note_inspection, &run);
    }
    if (ok) {
        fly(&run, timeout_ms);
    }
    if (live->gwlb) {
        gwlb_unwatch(live->gwlb);
        tell_kept(&run);
    }
    if (pinned) {
        run_others_on(&run, &before);
    }
    if (pinned) {
        sched_setaffinity(0, sizeof before, &before);
    }
    run_done(&run);
    return ok;
}
