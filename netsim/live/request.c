#include "netsim/live/request.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/authority.h"
#include "netsim/live/http.h"
#include "netsim/live/live_internal.h"
#include "netsim/live/reactor.h"
#include "netsim/live/services.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/tls.h"
#include "netsim/model/certificate.h"

#define AT_ONCE 8 /* requests under way: no queue of a server overflows */
#define BACKLOG 64
#define SERVER  "X-Server" /* says in an answer which of the servers gave it */

struct round;
struct listener {
    struct watch watch; /* first */
    struct round *round;
    size_t number;
};
/* One connection: a client's, or one that a server took. */
struct talk {
    struct watch watch; /* first */
    struct round *round;
    struct live_request *request; /* of a client; NULL */
    size_t number;                /* of the server */
    struct stream stream;
    struct buf in;
};
struct round {
    struct live *live;
    struct reactor *reactor;
    struct tls_book *book;
    const char *authority; /* PEM; NULL: the lab has none */
    VEC(struct listener *) listeners;
    VEC(struct talk *) talks;
    size_t n_servers, under_way;
};

/* ---- sockets ------------------------------------------------------------------------------------------------------
 */
/* Bound to address and port in the namespace of that id; -1 with 'err'. */
static int
bound_socket(const struct live *live, const char *ns, const struct ip *ip, int port, struct err *err)
{
    const struct space *space = spaces_find(&live->spaces, ns);
    struct sockaddr_storage own;
    socklen_t size = socket_address(ip, port, &own);
    int on = 1, fd = -1;
    if (space) {
        spaces_enter(&live->spaces, space);
        fd = socket(own.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        spaces_go_home(&live->spaces);
    }
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (fd < 0 || bind(fd, (struct sockaddr *)&own, size) < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a socket of `%s` port %d in `%s`: %s", ip_str(ip), port, ns,
                space ? strerror(errno) : "it is not in the live lab");
        if (fd >= 0) {
            close(fd);
        }
        return -1;
    }
    return fd;
}

/* ---- connections ---------------------------------------------------------------------------------------------------
 */
static void
talk_end(struct talk *talk)
{
    struct round *round = talk->round;
    for (size_t i = 0; i < round->talks.n; i++) {
        if (round->talks.items[i] == talk) {
            VEC_REMOVE(&round->talks, i);
            break;
        }
    }
    round->under_way -= talk->request != NULL;
    reactor_remove(round->reactor, &talk->watch);
    stream_close(&talk->stream);
    buf_done(&talk->in);
    free(talk);
}

static void
talk_begin(struct round *round, int fd, void (*ready)(struct watch *, uint32_t), uint32_t events,
           struct live_request *request, size_t number)
{
    struct talk *talk = xcalloc(1, sizeof *talk);
    struct ssl_st *tls = request && request->secure ? tls_connect(round->book, NULL) : NULL;
    if (tls && request->host[0]) {
        tls_ask_for(tls, request->host);
    }
    *talk = (struct talk){
        .watch = { fd, ready }, .round = round, .request = request, .number = number, .stream = stream_of(fd, tls)
    };
    *VEC_ADD(&round->talks) = talk;
    round->under_way += request != NULL;
    reactor_add(round->reactor, &talk->watch, events);
}

/* What has come so far; false: the other side ended, or the connection broke. */
static bool
take_bytes(struct talk *talk)
{
    char data[4096];
    ssize_t n;
    while ((n = stream_read(&talk->stream, data, sizeof data)) > 0) { /* TLS keeps what it has read */
        buf_add(&talk->in, data, (size_t)n);
    }
    return n < 0 && errno == EAGAIN;
}

/* Short texts: they fit into an empty socket. */
static bool
send_text(struct talk *talk, const char *text)
{
    return stream_write(&talk->stream, text, strlen(text)) == (ssize_t)strlen(text);
}

/* ---- servers -------------------------------------------------------------------------------------------------------
 */
static void
on_question(struct watch *watch, uint32_t events)
{
    struct talk *talk = (struct talk *)watch;
    struct http_head head;
    size_t used;
    (void)events;
    bool open = take_bytes(talk);
    enum http_progress progress = http_read_request(buf_str(&talk->in), talk->in.size, &head, &used);
    if (progress == HTTP_DONE) {
        const char *client = http_field(&head, "X-Forwarded-For"), *protocol = http_field(&head, "X-Forwarded-Proto");
        char *answer = xasprintf("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n" SERVER
                                 ": %zu %s %s\r\nSet-Cookie: " LIVE_SERVER_COOKIE "=%zu; Path=/\r\n\r\n",
                                 talk->number, client ? client : "-", protocol ? protocol : "-", talk->number);
        send_text(talk, answer);
        free(answer);
        http_head_done(&head);
    }
    if (!open || progress != HTTP_MORE) {
        talk_end(talk);
    }
}

static void
on_client(struct watch *watch, uint32_t events)
{
    struct listener *listener = (struct listener *)watch;
    (void)events;
    int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
        talk_begin(listener->round, fd, on_question, EPOLLIN, NULL, listener->number);
    }
}

static bool
listen_at(struct round *round, const struct live_server *server, size_t number, struct err *err)
{
    int fd = bound_socket(round->live, server->ns, &server->ip, server->port, err);
    if (fd < 0) {
        return false;
    }
    struct listener *listener = *VEC_ADD(&round->listeners) = xcalloc(1, sizeof *listener);
    *listener = (struct listener){ .watch = { fd, on_client }, .round = round, .number = number };
    listen(fd, BACKLOG);
    reactor_add(round->reactor, &listener->watch, EPOLLIN);
    return true;
}

/* ---- clients -------------------------------------------------------------------------------------------------------
 */
/* "a=1; b=2" */
static char *
cookies_of(const struct http_head *head)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < head->n_fields; i++) {
        const char *value = head->fields[i].value;
        if (strcasecmp(head->fields[i].name, "Set-Cookie") == 0) {
            buf_printf(&out, "%s%.*s", out.size ? "; " : "", (int)strcspn(value, ";"), value);
        }
    }
    char *text = out.size ? buf_steal(&out) : NULL;
    buf_done(&out);
    return text;
}

static void
take_answer(const struct round *round, const struct http_head *head, struct live_request *request)
{
    const char *location = http_field(head, "Location"), *said = http_field(head, SERVER);
    char told[64], protocol[8];
    size_t number;
    request->status = head->status;
    request->location = location ? xstrdup(location) : NULL;
    request->cookies = cookies_of(head);
    if (said && sscanf(said, "%zu %63s %7s", &number, told, protocol) == 3 && number < round->n_servers) {
        request->server = number;
        memcpy(request->told_protocol, protocol, sizeof protocol);
        if (!ip_parse(told, &request->told_src)) {
            request->told_src = (struct ip){ 0 };
        }
    }
}

static void
on_answer(struct watch *watch, uint32_t events)
{
    struct talk *talk = (struct talk *)watch;
    struct http_head head;
    size_t used;
    (void)events;
    bool open = take_bytes(talk);
    enum http_progress progress = http_read_answer(buf_str(&talk->in), talk->in.size, &head, &used);
    if (progress == HTTP_DONE) {
        take_answer(talk->round, &head, talk->request);
        http_head_done(&head);
    }
    if (!open || progress != HTTP_MORE) {
        talk_end(talk);
    }
}

static void
note_tls(const struct talk *talk)
{
    struct live_request *request = talk->request;
    struct certificate_facts facts;
    struct err err = { 0 };
    char *pem = tls_peer(&talk->stream);
    snprintf(request->tls, sizeof request->tls, "%s", tls_version(&talk->stream));
    if (pem && certificate_read(pem, &facts, &err)) {
        snprintf(request->serial, sizeof request->serial, "%s", facts.serial);
        certificate_facts_done(&facts);
    }
    request->issued = talk->round->authority && tls_is_issued_by(&talk->stream, talk->round->authority);
    free(pem);
}

static void
on_connected(struct watch *watch, uint32_t events)
{
    struct talk *talk = (struct talk *)watch;
    struct stream *stream = &talk->stream;
    if ((events & (EPOLLERR | EPOLLHUP)) || !stream_shake(stream)) {
        talk_end(talk);
        return;
    }
    if (!stream->shaken) {
        reactor_change(talk->round->reactor, watch, stream_events(stream, true, false));
        return;
    }
    if (stream->tls) {
        note_tls(talk);
    }
    if (!send_text(talk, talk->request->text)) {
        talk_end(talk);
        return;
    }
    watch->ready = on_answer;
    reactor_change(talk->round->reactor, watch, EPOLLIN);
}

static bool
ask(struct round *round, struct live_request *request, struct err *err)
{
    struct sockaddr_storage to;
    socklen_t size = socket_address(&request->dst, request->dst_port, &to);
    int fd = bound_socket(round->live, request->from, &request->src, request->src_port, err);
    if (fd < 0) {
        return false;
    }
    if (connect(fd, (struct sockaddr *)&to, size) < 0 && errno != EINPROGRESS) {
        close(fd); /* no route: no answer */
    } else {
        talk_begin(round, fd, on_connected, EPOLLOUT, request, 0);
    }
    return true;
}

void
live_request_done(struct live_request *request)
{
    free(request->text);
    free(request->location);
    free(request->cookies);
    request->text = request->location = request->cookies = NULL;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------
 */
static void
wait_and_serve(struct round *round, long long until_ms)
{
    struct pollfd fds[] = { { .fd = reactor_fd(round->reactor), .events = POLLIN },
                            { .fd = live_fd(round->live), .events = POLLIN } };
    long long left = until_ms - monotonic_ms();
    if (poll(fds, ARRAY_SIZE(fds), left > 0 ? (int)left : 0) > 0) {
        if (fds[0].revents) {
            reactor_run(round->reactor);
        }
        if (fds[1].revents) {
            live_ready(round->live);
        }
    }
}

static void
round_done(struct round *round)
{
    while (round->talks.n) {
        talk_end(round->talks.items[round->talks.n - 1]);
    }
    for (size_t i = 0; i < round->listeners.n; i++) {
        struct listener *listener = round->listeners.items[i];
        reactor_remove(round->reactor, &listener->watch);
        close(listener->watch.fd);
        free(listener);
    }
    VEC_DONE(&round->talks);
    VEC_DONE(&round->listeners);
    tls_book_free(round->book);
    reactor_free(round->reactor);
}

bool
live_request(struct live *live, const struct live_server *servers, size_t n_servers, struct live_request *requests,
             size_t n, int timeout_ms, struct err *err)
{
    const struct authority *authority = network_authority(services_network(live->services));
    struct round round = { .live = live,
                           .reactor = reactor_new(),
                           .book = tls_book_new(),
                           .authority = authority ? authority->pem : NULL,
                           .n_servers = n_servers };
    long long until_ms = monotonic_ms() + timeout_ms;
    bool ok = round.reactor || err_set(err, ERR_MACHINE, "", "cannot make an epoll: %s", strerror(errno));
    for (size_t i = 0; ok && i < n_servers; i++) {
        ok = listen_at(&round, &servers[i], i, err);
    }
    for (size_t i = 0; i < n; i++) {
        requests[i].status = 0;
        requests[i].location = requests[i].cookies = NULL;
        requests[i].told_protocol[0] = requests[i].serial[0] = requests[i].tls[0] = '\0';
        requests[i].issued = false;
        requests[i].server = n_servers;
        requests[i].told_src = (struct ip){ 0 };
    }
    for (size_t next = 0; ok && (next < n || round.under_way) && monotonic_ms() < until_ms;) {
        while (ok && next < n && round.under_way < AT_ONCE) {
            ok = ask(&round, &requests[next++], err);
        }
        wait_and_serve(&round, until_ms);
    }
    if (round.reactor) {
        round_done(&round);
    }
    return ok;
}
