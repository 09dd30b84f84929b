#include "netsim/live/http_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "base/vec.h"
#include "netsim/live/netlink.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/stream.h"
#include "netsim/live/tls.h"

#define SILENCE_MS 60000

struct connection {
    struct watch watch; /* first: the reactor gives it back */
    struct stream stream;
    struct http_server *server;
    struct connection *next, *before;
    struct buf in, out;
    size_t sent;
    struct http_head head; /* of the request whose body is awaited; empty otherwise */
    struct http_chunks chunks;
    struct buf body;
    bool closes; /* once all is sent */
    long long last_ms;
};
struct http_server {
    struct watch watch;
    struct reactor *reactor;
    http_handler *handler;
    http_offer *offer; /* NULL: plain */
    void *context;
    struct connection *first, *last; /* the one that was heard of last is first */
    size_t n;
};

/* ---- the list of connections --------------------------------------------------------------------------------------
 */
static void
unlink_connection(struct connection *c)
{
    *(c->before ? &c->before->next : &c->server->first) = c->next;
    *(c->next ? &c->next->before : &c->server->last) = c->before;
    c->server->n--;
}

static void
link_connection(struct connection *c)
{
    struct http_server *server = c->server;
    c->before = NULL;
    c->next = server->first;
    *(server->first ? &server->first->before : &server->last) = c;
    server->first = c;
    server->n++;
}

static void
connection_free(struct connection *c)
{
    unlink_connection(c);
    reactor_remove(c->server->reactor, &c->watch);
    stream_close(&c->stream);
    http_head_done(&c->head);
    buf_done(&c->in);
    buf_done(&c->out);
    buf_done(&c->body);
    free(c);
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */
void
http_field_add(struct http_exchange *exchange, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_printf(&exchange->fields, "%s: ", name);
    buf_vprintf(&exchange->fields, format, args);
    buf_str_add(&exchange->fields, "\r\n");
    va_end(args);
}

static void
write_head(struct connection *c, int status, const struct http_exchange *x)
{
    char date[40];
    time_t now = time(NULL);
    struct tm tm;
    strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &tm));
    buf_printf(&c->out, "HTTP/1.1 %d %s\r\nDate: %s\r\n", status, http_reason(status), date);
    if (x) {
        buf_add(&c->out, buf_str(&x->fields), x->fields.size);
    }
    bool bodiless = status == 204 || status == 304;
    if (!bodiless) {
        long long size = !x ? 0 : x->no_body ? x->size : (long long)x->answer.size;
        buf_printf(&c->out, "Content-Length: %lld\r\n", size);
    }
    buf_printf(&c->out, "Connection: %s\r\n\r\n", c->closes ? "close" : "keep-alive");
    if (x && !x->no_body && !bodiless) {
        buf_add(&c->out, buf_str(&x->answer), x->answer.size);
    }
}

static void
refuse(struct connection *c, int status)
{
    c->closes = true;
    write_head(c, status, NULL);
}

static void
answer(struct connection *c)
{
    struct http_exchange x = {
        .request = &c->head, .body = buf_str(&c->body), .body_size = c->body.size, .status = 200
    };
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof address;
    getpeername(c->watch.fd, (struct sockaddr *)&address, &size);
    x.peer = socket_address_ip(&address, &x.peer_port);
    size = sizeof address;
    getsockname(c->watch.fd, (struct sockaddr *)&address, &size);
    x.local = socket_address_ip(&address, &x.local_port);
    x.secure = c->stream.tls != NULL;
    c->server->handler(c->server->context, &x);
    if (x.ttl) {
        setsockopt(c->watch.fd, IPPROTO_IP, IP_TTL, &x.ttl, sizeof x.ttl);
        setsockopt(c->watch.fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &x.ttl, sizeof x.ttl);
    }
    c->closes = c->closes || !c->head.keeps_alive;
    write_head(c, x.status, &x);
    buf_done(&x.fields);
    buf_done(&x.answer);
    http_head_done(&c->head);
    buf_clear(&c->body);
    c->chunks = (struct http_chunks){ 0 };
}

/* ---- requests -----------------------------------------------------------------------------------------------------
 */
static void
take(struct buf *in, size_t used)
{
    memmove(in->data, in->data + used, in->size - used);
    in->size -= used;
}

static bool
begin_request(struct connection *c)
{
    size_t used;
    enum http_progress progress = http_read_request(buf_str(&c->in), c->in.size, &c->head, &used);
    if (progress == HTTP_BAD) {
        refuse(c, c->in.size >= HTTP_HEAD_MAX ? 431 : 400);
    }
    if (progress != HTTP_DONE) {
        return false;
    }
    take(&c->in, used);
    if (c->head.content_length > (long long)HTTP_BODY_MAX) {
        refuse(c, 413);
        return false;
    }
    const char *expect = http_field(&c->head, "Expect");
    if (expect && strcasecmp(expect, "100-continue") == 0) {
        buf_str_add(&c->out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    return true;
}

/* True when the body is complete. */
static bool
read_body(struct connection *c)
{
    if (c->head.chunked) {
        size_t used;
        enum http_progress progress =
            http_read_chunks(&c->chunks, buf_str(&c->in), c->in.size, &used, &c->body, HTTP_BODY_MAX);
        if (progress == HTTP_BAD) {
            refuse(c, 400);
            return false;
        }
        if (used) {
            take(&c->in, used);
        }
        return progress == HTTP_DONE;
    }
    size_t length = c->head.content_length > 0 ? (size_t)c->head.content_length : 0;
    if (length) {
        size_t n = length - c->body.size < c->in.size ? length - c->body.size : c->in.size;
        buf_add(&c->body, buf_str(&c->in), n);
        take(&c->in, n);
    }
    return c->body.size == length;
}

static void
work(struct connection *c)
{
    /* One at a time: a further request waits until the answer before it is sent, so no peer can make us hold more. */
    while (!c->closes && c->out.size == 0) {
        if (!c->head.text && (c->in.size == 0 || !begin_request(c))) {
            return;
        }
        if (!read_body(c)) {
            return;
        }
        answer(c);
    }
}

/* False when the connection is gone. */
static bool
flush(struct connection *c)
{
    while (c->sent < c->out.size) {
        ssize_t n = stream_write(&c->stream, c->out.data + c->sent, c->out.size - c->sent);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            reactor_change(c->server->reactor, &c->watch, stream_events(&c->stream, false, true));
            return true;
        }
        if (n <= 0) {
            connection_free(c);
            return false;
        }
        c->sent += (size_t)n;
    }
    bool any = c->out.size > 0;
    buf_clear(&c->out);
    c->sent = 0;
    if (c->closes && any) {
        stream_end(&c->stream);
        connection_free(c);
        return false;
    }
    reactor_change(c->server->reactor, &c->watch, EPOLLIN);
    return true;
}

static void
on_connection(struct watch *watch, uint32_t events)
{
    struct connection *c = (struct connection *)watch;
    unlink_connection(c);
    link_connection(c);
    c->last_ms = monotonic_ms();
    if (!c->stream.shaken) {
        if (!stream_shake(&c->stream)) {
            connection_free(c);
            return;
        }
        if (!c->stream.shaken) {
            reactor_change(c->server->reactor, watch, stream_events(&c->stream, true, false));
            return;
        }
        reactor_change(c->server->reactor, watch, EPOLLIN);
    }
    if (events & EPOLLIN) {
        char data[16384];
        ssize_t n = stream_read(&c->stream, data, sizeof data);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            connection_free(c);
            return;
        }
        if (n > 0) {
            buf_add(&c->in, data, (size_t)n);
        }
    } else if (events & (EPOLLERR | EPOLLHUP)) {
        connection_free(c);
        return;
    }
    do {
        work(c);
    } while (c->out.size && flush(c) && !c->out.size && c->in.size);
}

/* ---- the server ---------------------------------------------------------------------------------------------------
 */
static void
on_listener(struct watch *watch, uint32_t events)
{
    struct http_server *server = (struct http_server *)watch;
    (void)events;
    for (int i = 0; i < 64; i++) {
        int fd = nlq_high_fd(accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd < 0) {
            return;
        }
        if (server->n >= HTTP_CONNECTIONS_MAX) {
            connection_free(server->last);
        }
        struct tls_offer *offer = server->offer ? server->offer(server->context) : NULL;
        struct ssl_st *tls = offer ? tls_accept(offer) : NULL;
        if (server->offer && !tls) {
            close(fd);
            continue;
        }
        int one = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct connection *c = xcalloc(1, sizeof *c);
        c->watch = (struct watch){ fd, on_connection };
        c->stream = stream_of(fd, tls);
        c->server = server;
        c->last_ms = monotonic_ms();
        link_connection(c);
        if (!reactor_add(server->reactor, &c->watch, EPOLLIN)) {
            connection_free(c);
        }
    }
}

struct http_server *
http_server_new(struct reactor *reactor, int fd, http_handler *handler, void *context)
{
    struct http_server *server = xcalloc(1, sizeof *server);
    *server = (struct http_server){
        .watch = { fd, on_listener }, .reactor = reactor, .handler = handler, .context = context
    };
    reactor_add(reactor, &server->watch, EPOLLIN);
    return server;
}

void
http_server_secure(struct http_server *server, http_offer *offer)
{
    server->offer = offer;
}

void
http_server_free(struct http_server *server)
{
    if (!server) {
        return;
    }
    while (server->first) {
        connection_free(server->first);
    }
    reactor_remove(server->reactor, &server->watch);
    close(server->watch.fd);
    free(server);
}

void
http_server_tick(struct http_server *server, long long now_ms)
{
    while (server->last && server->last->last_ms + SILENCE_MS < now_ms) {
        connection_free(server->last);
    }
}
