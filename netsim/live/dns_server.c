#include "netsim/live/dns_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/netlink.h"
#include "netsim/live/socket_address.h"

#define STREAMS_MAX 64
#define SILENCE_MS  10000 /* RFC 7766 leaves it to the server */

struct stream {         /* a TCP connection */
    struct watch watch; /* first: the reactor gives it back */
    struct dns_server *server;
    struct ip asker;
    struct buf in, out;
    size_t sent;
    long long last_ms;
};
struct dns_server {
    struct watch udp; /* first */
    struct listener {
        struct watch watch; /* first */
        struct dns_server *server;
    } tcp;
    struct reactor *reactor;
    dns_handler *handler;
    void *context;
    VEC(struct stream *) streams;
};

/* Nothing to say (nobody would answer): 'out' stays empty. */
static void
answer(struct dns_server *server, const struct ip *asker, const uint8_t *data, size_t size, bool datagram,
       struct buf *out)
{
    static const int codes[] = { [DNS_NO_NAME] = DNS_NAME_ERROR,
                                 [DNS_ANSWERED] = DNS_OK,
                                 [DNS_NO_DATA] = DNS_OK,
                                 [DNS_ELSEWHERE] = DNS_NAME_ERROR,
                                 [DNS_FAILED] = DNS_SERVER_FAILURE };
    struct dns_question question;
    struct dns_answer found = { 0 };
    int code = dns_read_question(data, size, &question);
    if (code < 0) {
        return;
    }
    bool asked = code == DNS_OK;
    if (asked && !server->handler(server->context, asker, &question, &found)) {
        code = DNS_SERVER_FAILURE;
    } else if (asked && found.outcome == DNS_SILENT) {
        dns_answer_done(&found);
        return;
    } else if (asked) {
        code = codes[found.outcome];
    }
    dns_write_answer(&question, code, &found, datagram ? question.udp_size : DNS_MESSAGE_MAX, out);
    dns_answer_done(&found);
}

static void
on_datagram(struct watch *watch, uint32_t events)
{
    struct dns_server *server = (struct dns_server *)watch;
    (void)events;
    for (int i = 0; i < 64; i++) {
        uint8_t data[DNS_UDP_MAX];
        struct sockaddr_storage from;
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(watch->fd, data, sizeof data, MSG_DONTWAIT, (struct sockaddr *)&from, &size);
        if (n < 0) {
            return;
        }
        struct buf out = { 0 };
        struct ip asker = socket_address_ip(&from, NULL);
        answer(server, &asker, data, (size_t)n, true, &out);
        if (out.size) {
            sendto(watch->fd, out.data, out.size, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&from, size);
        }
        buf_done(&out);
    }
}

/* ---- streams ------------------------------------------------------------------------------------------------------
 */
static void
stream_free(struct stream *s)
{
    struct dns_server *server = s->server;
    for (size_t i = 0; i < server->streams.n; i++) {
        if (server->streams.items[i] == s) {
            VEC_REMOVE(&server->streams, i);
            break;
        }
    }
    reactor_remove(server->reactor, &s->watch);
    close(s->watch.fd);
    buf_done(&s->in);
    buf_done(&s->out);
    free(s);
}

/* Each message has two bytes of length before it. */
static void
take_message(struct stream *s)
{
    const uint8_t *in = (const uint8_t *)s->in.data;
    size_t size = s->in.size >= 2 ? (size_t)in[0] << 8 | in[1] : 0;
    if (s->in.size < 2 || s->in.size < size + 2) {
        return;
    }
    struct buf out = { 0 };
    answer(s->server, &s->asker, in + 2, size, false, &out);
    if (out.size) {
        buf_char(&s->out, (char)(out.size >> 8 & 255));
        buf_char(&s->out, (char)(out.size & 255));
        buf_add(&s->out, out.data, out.size);
    }
    buf_done(&out);
    memmove(s->in.data, s->in.data + size + 2, s->in.size - size - 2);
    s->in.size -= size + 2;
}

/* False when the connection is gone. */
static bool
flush(struct stream *s)
{
    while (s->sent < s->out.size) {
        ssize_t n = send(s->watch.fd, s->out.data + s->sent, s->out.size - s->sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            return true;
        }
        if (n <= 0) {
            stream_free(s);
            return false;
        }
        s->sent += (size_t)n;
    }
    buf_clear(&s->out);
    s->sent = 0;
    return true;
}

static void
on_stream(struct watch *watch, uint32_t events)
{
    struct stream *s = (struct stream *)watch;
    s->last_ms = monotonic_ms();
    if (events & EPOLLIN) {
        char data[4096];
        ssize_t n = recv(watch->fd, data, sizeof data, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            stream_free(s);
            return;
        }
        if (n > 0) {
            buf_add(&s->in, data, (size_t)n);
        }
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        stream_free(s);
        return;
    }
    if (!flush(s)) {
        return;
    }
    while (s->out.size == 0) {
        size_t before = s->in.size;
        take_message(s);
        if (s->in.size == before) {
            break;
        }
        if (!flush(s)) {
            return;
        }
    }
    reactor_change(s->server->reactor, watch, s->out.size ? EPOLLOUT : EPOLLIN);
}

static void
on_listener(struct watch *watch, uint32_t events)
{
    struct dns_server *server = ((struct listener *)watch)->server;
    (void)events;
    struct sockaddr_storage from = { 0 };
    socklen_t size = sizeof from;
    int fd = nlq_high_fd(accept4(watch->fd, (struct sockaddr *)&from, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd < 0) {
        return;
    }
    if (server->streams.n >= STREAMS_MAX) {
        stream_free(server->streams.items[0]);
    }
    struct stream *s = xcalloc(1, sizeof *s);
    s->watch = (struct watch){ fd, on_stream };
    s->server = server;
    s->asker = socket_address_ip(&from, NULL);
    s->last_ms = monotonic_ms();
    *VEC_ADD(&server->streams) = s;
    if (!reactor_add(server->reactor, &s->watch, EPOLLIN)) {
        stream_free(s);
    }
}

/* ---- the server ---------------------------------------------------------------------------------------------------
 */
struct dns_server *
dns_server_new(struct reactor *reactor, int udp, int tcp, dns_handler *handler, void *context)
{
    struct dns_server *server = xcalloc(1, sizeof *server);
    *server = (struct dns_server){ .udp = { udp, on_datagram },
                                   .tcp = { { tcp, on_listener }, server },
                                   .reactor = reactor,
                                   .handler = handler,
                                   .context = context };
    reactor_add(reactor, &server->udp, EPOLLIN);
    reactor_add(reactor, &server->tcp.watch, EPOLLIN);
    return server;
}

void
dns_server_free(struct dns_server *server)
{
    if (!server) {
        return;
    }
    while (server->streams.n) {
        stream_free(server->streams.items[0]);
    }
    VEC_DONE(&server->streams);
    reactor_remove(server->reactor, &server->udp);
    reactor_remove(server->reactor, &server->tcp.watch);
    close(server->udp.fd);
    close(server->tcp.watch.fd);
    free(server);
}

void
dns_server_tick(struct dns_server *server, long long now_ms)
{
    for (size_t i = server->streams.n; i-- > 0;) {
        if (server->streams.items[i]->last_ms + SILENCE_MS < now_ms) {
            stream_free(server->streams.items[i]);
        }
    }
}
