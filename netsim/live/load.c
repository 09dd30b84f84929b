#include "netsim/live/load.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/load_count.h"
#include "netsim/live/packet_bytes.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/tap_flow.h"

#define CONNECT_MS 5000
#define DRAIN_MS   5000 /* for what is under way when the sender ends */
#define QUIET_MS   300  /* after the last datagram nothing more comes */
#define BATCH      32   /* datagrams read at a time */
#define ASK_MS     100  /* between questions for a report */
#define ASKS       10

struct run {
    const struct load_options *options;
    struct load_result *result;
    struct tap_flow *flow; /* of a TAP host that sends; NULL: the sender is a socket */
    int sender, receiver;  /* the latter -1: answers are read from the sender */
    uint32_t nonce;        /* of this run's datagrams */
    /* Between the two threads. */
    _Atomic long long sent;  /* datagrams, once the sender has ended; -1 before */
    _Atomic bool end;        /* the receiver is to give up */
    _Atomic int64_t last_us; /* when something was received */
};

static bool
is_stopped(const struct run *run)
{
    return run->options->stop && *run->options->stop;
}

static bool
wait_for(int fd, short events, int ms)
{
    struct pollfd p = { .fd = fd, .events = events };
    return poll(&p, 1, ms) > 0;
}

/* ---- the receiver -------------------------------------------------------------------------------------------------
 */
static void
receive_tcp(struct run *run)
{
    size_t size = 1 << 20;
    char *data = xcalloc(1, size);
    int fd = -1;
    while (fd < 0 && !run->end) {
        fd =
            wait_for(run->receiver, POLLIN, 50) ? accept4(run->receiver, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1;
    }
    for (bool open = fd >= 0; open && !run->end;) {
        if (!wait_for(fd, POLLIN, 50)) {
            continue;
        }
        ssize_t n = recv(fd, data, size, 0);
        if (n > 0) {
            run->result->received_bytes += n;
            run->last_us = monotonic_us();
        } else {
            open = n < 0 && (errno == EINTR || errno == EAGAIN);
        }
    }
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    if (fd >= 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
        run->result->received_packets = info.tcpi_data_segs_in;
    }
    if (fd >= 0) {
        close(fd); /* the sender waits for this */
    }
    free(data);
}

static void
take_count(struct load_result *result, const struct load_count *count)
{
    result->received_bytes = count->bytes;
    result->received_packets = count->packets;
    result->duplicates = count->duplicates;
    result->out_of_order = count->out_of_order;
}

/* As recvmmsg(), of what comes back to a TAP host. */
static int
receive_one(const struct run *run, struct mmsghdr *message)
{
    const struct iovec *part = message->msg_hdr.msg_iov;
    ssize_t n = tap_flow_receive(run->flow, part->iov_base, part->iov_len);
    message->msg_len = n > 0 ? (unsigned)n : 0;
    return n < 0 ? -1 : 1;
}

static void
receive_udp(struct run *run)
{
    int fd = run->receiver >= 0 ? run->receiver : run->sender;
    struct mmsghdr messages[BATCH] = { 0 };
    struct iovec parts[BATCH];
    uint8_t *data = xcalloc(BATCH, 65536);
    struct load_count count = { .run = run->nonce };
    int64_t quiet_since = 0;
    for (size_t i = 0; i < BATCH; i++) {
        parts[i] = (struct iovec){ data + i * 65536, 65536 };
        messages[i].msg_hdr = (struct msghdr){ .msg_iov = &parts[i], .msg_iovlen = 1 };
    }
    while (!run->end) {
        int n = run->receiver < 0 && run->flow ? receive_one(run, messages)
                                               : recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
        if (run->receiver >= 0 &&
            run->flow) { /* that its packets are too long for the way is told where they came from */
            uint8_t nothing[1];
            tap_flow_receive(run->flow, nothing, sizeof nothing);
        }
        for (int i = 0; i < n; i++) {
            load_count_datagram(&count, parts[i].iov_base, messages[i].msg_len);
        }
        if (n > 0) {
            take_count(run->result, &count);
            run->last_us = monotonic_us();
            quiet_since = 0;
            continue;
        }
        long long sent = run->sent;
        if (sent >= 0) {
            quiet_since = quiet_since ? quiet_since : monotonic_us();
            if (run->result->received_packets >= sent || monotonic_us() - quiet_since > QUIET_MS * 1000) {
                break;
            }
        }
        wait_for(fd, POLLIN, 20);
    }
    load_count_done(&count);
    free(data);
}

static void *
receive(void *context)
{
    struct run *run = context;
    if (run->options->protocol == PROTOCOL_UDP) {
        receive_udp(run);
    } else if (run->receiver >= 0) {
        receive_tcp(run);
    }
    return NULL;
}

/* ---- the sender ---------------------------------------------------------------------------------------------------
 */
static bool
cannot_connect(const struct load_options *o, int why, struct err *err)
{
    return err_set(err, ERR_MACHINE, "", "cannot connect to %s port %d: %s", ip_str(&o->to), o->port, strerror(why));
}

static bool
connect_to(struct run *run, struct err *err)
{
    const struct load_options *o = run->options;
    if (run->flow) {
        return tap_flow_connect(run->flow, CONNECT_MS) || cannot_connect(o, errno, err);
    }
    struct sockaddr_storage to;
    socklen_t to_size = socket_address(&o->to, o->port, &to);
    fcntl(run->sender, F_SETFL, fcntl(run->sender, F_GETFL) | O_NONBLOCK);
    int status = connect(run->sender, (struct sockaddr *)&to, to_size);
    int why = status < 0 ? errno : 0;
    if (why == EINPROGRESS) {
        socklen_t size = sizeof why;
        why = ETIMEDOUT;
        if (wait_for(run->sender, POLLOUT, CONNECT_MS)) {
            getsockopt(run->sender, SOL_SOCKET, SO_ERROR, &why, &size);
        }
    }
    return why == 0 || cannot_connect(o, why, err);
}

/* Waits until the bytes sent so far are allowed by the rate; false when the time is over before. */
static bool
pace(const struct run *run, int64_t begin, int64_t deadline, long long bytes)
{
    if (!run->options->bits_per_second) {
        return true;
    }
    int64_t due = begin + (int64_t)((double)bytes * 8e6 / (double)run->options->bits_per_second), now = monotonic_us();
    while (due - now > 500 && now < deadline && !is_stopped(run)) {
        int64_t rest = (due < deadline ? due : deadline) - now;
        rest = rest > 50000 ? 50000 : rest;
        if (run->flow && run->options->protocol == PROTOCOL_TCP) {
            tap_flow_wait(run->flow, (int)(rest / 1000) + 1); /* which is its kernel */
        } else {
            nanosleep(&(struct timespec){ .tv_nsec = rest * 1000 }, NULL);
        }
        now = monotonic_us();
    }
    return now < deadline;
}

static void
send_all(struct run *run, int64_t begin)
{
    const struct load_options *o = run->options;
    struct load_result *r = run->result;
    bool udp = o->protocol == PROTOCOL_UDP;
    uint8_t *data = xcalloc(1, o->size);
    int64_t deadline = begin + (int64_t)o->max_ms * 1000;
    long long done = 0;
    size_t at = 0; /* of the write that is under way */
    bool told = false;
    put32(data, LOAD_DATA);
    put32(data + 4, run->nonce);
    while ((!o->count || done < o->count) && !is_stopped(run) && pace(run, begin, deadline, r->sent_bytes) &&
           monotonic_us() < deadline) {
        if (udp) {
            put32(data + 8, (uint32_t)((uint64_t)done >> 32));
            put32(data + 12, (uint32_t)done);
        }
        ssize_t n = run->flow ? tap_flow_send(run->flow, data + at, o->size - at)
                              : send(run->sender, data + at, o->size - at, MSG_NOSIGNAL);
        if (n >= 0) {
            told = false;
            r->sent_bytes += n;
            at += (size_t)n;
            done += udp || at == o->size;
            at = udp || at == o->size ? 0 : at;
        } else if (errno == EAGAIN || errno == ENOBUFS) {
            run->flow ? tap_flow_wait(run->flow, 50) : (void)wait_for(run->sender, POLLOUT, 50);
        } else if (errno != EINTR && !udp) {
            break; /* the connection is broken */
        } else if (udp && errno == EMSGSIZE && !told) {
            told = true; /* a router told the kernel that one before was too long for the way: the next ones go in
                            pieces */
            continue;
        } else if (udp && errno != EINTR && errno != ECONNREFUSED) {
            break; /* no route, too large */
        }
    }
    r->sent_packets = done;
    free(data);
}

static void
finish_flow(struct run *run)
{
    struct load_result *r = run->result;
    for (int64_t until = monotonic_us() + DRAIN_MS * 1000;
         !tap_flow_end(run->flow) && monotonic_us() < until && !is_stopped(run);) {
        tap_flow_wait(run->flow, 50);
    }
    struct tap_flow_count count = tap_flow_counted(run->flow);
    r->sent_packets = count.segments;
    r->retransmitted = count.retransmitted;
    r->rtt_ms = count.rtt_ms;
    if (run->receiver < 0) {
        r->received_bytes = count.acknowledged;
        r->received_packets = -1;
    }
}

/* Everything that was sent has been read at the far end, or this is as far as it gets. */
static void
finish_tcp(struct run *run)
{
    struct load_result *r = run->result;
    struct load_count told = { 0 };
    uint8_t answer[2 * LOAD_REPORT_SIZE];
    long long size = 0; /* what is longer than a report is none */
    shutdown(run->sender, SHUT_WR);
    for (int64_t until = monotonic_us() + DRAIN_MS * 1000; monotonic_us() < until && !is_stopped(run);) {
        if (wait_for(run->sender, POLLIN, 50)) {
            ssize_t n = recv(run->sender, answer + (size < LOAD_REPORT_SIZE ? size : 0), LOAD_REPORT_SIZE, 0);
            size += n > 0 ? n : 0;
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                break;
            }
        }
    }
    r->told = run->options->ask && load_report_read(answer, (size_t)size, &told);
    struct tcp_info info = { 0 };
    socklen_t length = sizeof info;
    if (getsockopt(run->sender, IPPROTO_TCP, TCP_INFO, &info, &length) == 0) {
        r->sent_packets = info.tcpi_data_segs_out;
        r->retransmitted = info.tcpi_total_retrans;
        r->rtt_ms = (double)info.tcpi_rtt / 1000;
        if (run->receiver < 0) { /* the acknowledged FIN and SYN are counted, too */
            long long acknowledged = (long long)info.tcpi_bytes_acked;
            r->received_bytes = acknowledged < r->sent_bytes ? acknowledged : r->sent_bytes;
            r->received_packets = -1;
        }
    }
    if (r->told) {
        take_count(r, &told);
    }
}

/* Until load_receive() answers; who only sends datagrams back is not waited for long. */
static void
ask_udp(struct run *run)
{
    uint8_t question[LOAD_UDP_MIN], answer[2048];
    struct load_count told = { .run = run->nonce };
    int asks = run->result->received_packets ? 3 : ASKS;
    put32(question, LOAD_END);
    put32(question + 4, run->nonce);
    put32(question + 8, (uint32_t)((uint64_t)run->sent >> 32));
    put32(question + 12, (uint32_t)run->sent);
    for (int i = 0; i < asks && !is_stopped(run) && !run->result->told; i++) {
        int64_t until = monotonic_us() + ASK_MS * 1000;
        if (send(run->sender, question, sizeof question, MSG_NOSIGNAL) < 0 && errno == ECONNREFUSED) {
            break;
        }
        for (int64_t now = monotonic_us(); now < until && !run->result->told; now = monotonic_us()) {
            if (wait_for(run->sender, POLLIN, (int)((until - now) / 1000) + 1)) {
                ssize_t n = recv(run->sender, answer, sizeof answer, 0);
                run->result->told = n > 0 && load_report_read(answer, (size_t)n, &told);
            }
        }
    }
    if (run->result->told) {
        take_count(run->result, &told);
    }
}

bool
load_run(int sender, int receiver, const struct load_options *options, struct load_result *result, struct err *err)
{
    *result = (struct load_result){ 0 };
    struct run run = { .options = options, .result = result, .sender = sender, .receiver = receiver, .sent = -1 };
    bool udp = options->protocol == PROTOCOL_UDP;
    run.nonce = (uint32_t)monotonic_us() * 2654435761u ^ (uint32_t)getpid();
    pthread_t thread;
    if (receiver >= 0) {
        fcntl(receiver, F_SETFL, fcntl(receiver, F_GETFL) | O_NONBLOCK);
    }
    const struct tap_flow_end end = { .src = options->from,
                                      .dst = options->to,
                                      .protocol = options->protocol,
                                      .src_port = options->from_port,
                                      .dst_port = options->port };
    run.flow = options->from.family ? tap_flow_new(sender, &end) : NULL;
    bool ok = connect_to(&run, err);
    if (ok && pthread_create(&thread, NULL, receive, &run) != 0) {
        ok = err_set(err, ERR_MACHINE, "", "cannot start a thread: %s", strerror(errno));
    }
    if (!ok) {
        tap_flow_free(run.flow);
        return false;
    }
    int64_t begin = monotonic_us();
    send_all(&run, begin);
    int64_t ended = monotonic_us();
    run.sent = result->sent_packets;
    if (udp) {
        pthread_join(thread, NULL);
        if (options->ask) {
            ask_udp(&run);
        }
    } else {
        (run.flow ? finish_flow : finish_tcp)(&run);
        run.end = true;
        pthread_join(thread, NULL);
    }
    int64_t last = run.last_us > ended || (run.last_us && result->received_packets) ? run.last_us : ended;
    result->seconds = (double)(last - begin) / 1e6;
    tap_flow_free(run.flow);
    result->complete = udp || result->received_bytes == result->sent_bytes;
    return true;
}
