#include "netsim/live/balancer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/balancer_choice.h"
#include "netsim/live/balancer_h2.h"
#include "netsim/live/balancer_heads.h"
#include "netsim/live/balancer_rules.h"
#include "netsim/live/balancer_stand.h"
#include "netsim/live/door.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/tls.h"
#include "netsim/model/trust_store.h"

#define KEPT_S          3600 /* as long as a client's connection is used again */
#define CONNECT_MS      10000
#define LINGER_MS       2000 /* what the client still sends is read so long, lest it lose our last word */
#define CONNECTIONS_MAX 4096
#define HELD_MAX        65536 /* bytes of one direction that wait for the other side */

struct side {
    struct watch watch; /* first; fd -1: not there */
    struct stream stream;
    struct exchange *exchange;
    struct buf in, out; /* came and not yet read; waits to be written */
    bool ended;         /* it sends no more */
    uint32_t events;
};
/* A client's connection, and the request that is under way in it. */
struct exchange {
    struct side client, target;
    struct balancer *balancer;
    struct exchange *next, *before;
    struct ip client_ip;
    int client_port;
    bool secure;
    long long began_ms, last_ms;
    bool closes, said;      /* no further request; and the client knows */
    struct balancer_h2 *h2; /* it speaks HTTP/2: what it asks comes as exchanges of their own; NULL: no */
    struct exchange *outer; /* whose request in HTTP/2 this is; NULL: nobody's, or he is gone */

    bool busy;             /* a request's head has been read, and not all is done that it asks for */
    bool to_nobody;        /* its body goes nowhere: the balancer has answered by itself */
    bool connected;        /* to the target */
    bool answered;         /* the answer's head is read */
    bool to_head, plain;   /* the request was HEAD; it was HTTP/1.0 */
    bool decodes, tunnels; /* chunks are undone for a client of HTTP/1.0; after 101 both sides speak as they like */
    struct http_body body, answer;
    struct sticky sticky; /* cookies for the answer */
    char group[ID_SIZE];  /* whose target it was given; "" none */
};
struct balancer {
    struct door door; /* first */
    struct reactor *reactor;
    const struct service_place *place;
    uint16_t port;
    struct exchange *first;
    size_t turn;
};

static void
side_close(struct balancer *balancer, struct side *side)
{
    if (side->watch.fd >= 0) {
        reactor_remove(balancer->reactor, &side->watch);
        side->watch.fd = -1;
    }
    stream_close(&side->stream);
    buf_done(&side->in);
    buf_done(&side->out);
    side->ended = false;
    side->events = 0;
}

static void
exchange_free(struct exchange *x)
{
    for (struct exchange *inner = x->h2 ? x->balancer->first : NULL; inner; inner = inner->next) {
        inner->outer = inner->outer == x ? NULL : inner->outer;
    }
    balancer_h2_free(x->h2);
    side_close(x->balancer, &x->client);
    side_close(x->balancer, &x->target);
    sticky_done(&x->sticky);
    *(x->before ? &x->before->next : &x->balancer->first) = x->next;
    if (x->next) {
        x->next->before = x->before;
    }
    door_left(&x->balancer->door);
    free(x);
}

/* For metrics, under the name that CloudWatch has. */
static void
count(struct exchange *x, const char *name)
{
    const struct service_place *place = x->balancer->place;
    services_count(place->services, name, place->id, *x->group ? x->group : "-");
}

/* ---- what the balancer says itself ----------------------------------------------------------------------------------
 */
static void
say(struct exchange *x, int status, const char *field, const char *type, const char *body)
{
    buf_printf(&x->client.out,
               "HTTP/1.1 %d %s\r\nServer: awselb/2.0\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
               "%s\r\n\r\n%s",
               status, http_reason(status), field, type, strlen(body), x->closes ? "close" : "keep-alive",
               x->to_head ? "" : body);
    side_close(x->balancer, &x->target);
    x->busy = x->answered = x->to_nobody = true;
    x->answer = (struct http_body){ .done = true };
}

static void
say_error(struct exchange *x, int status)
{
    char body[256];
    count(x, status >= 500 ? "HTTPCode_ELB_5XX_Count" : "HTTPCode_ELB_4XX_Count");
    snprintf(body, sizeof body,
             "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d "
             "%s</h1></center>\r\n</body>\r\n</html>\r\n",
             status, http_reason(status), status, http_reason(status));
    say(x, status, "", "text/html", body);
}

/* Where nobody knows any more what belongs to which request, this is the last word. */
static void
say_last(struct exchange *x, int status)
{
    x->closes = true;
    x->body.done = true;
    if (x->answered) {
        x->answer.done = true; /* too late for another one */
        side_close(x->balancer, &x->target);
    } else {
        say_error(x, status);
    }
}

static int
status_of(const char *text, int otherwise)
{
    text = text && strncmp(text, "HTTP_", 5) == 0 ? text + 5 : text;
    int status = text ? atoi(text) : 0;
    return status >= 100 && status <= 599 ? status : otherwise;
}

static void
say_redirect(struct exchange *x, const struct lb_action *action, const struct http_head *request)
{
    char *to = balancer_redirect(action->redirect, request, x->secure ? "https" : "http", x->balancer->port);
    char *field = xasprintf("Location: %s\r\n", to);
    int status = status_of(json_str(action->redirect, "StatusCode"), 302);
    count(x, "HTTPCode_ELB_3XX_Count");
    count(x, "HTTP_Redirect_Count");
    say(x, status, field, "text/html", "");
    free(field);
    free(to);
}

static void
say_fixed(struct exchange *x, const struct lb_action *action)
{
    const char *body = json_str(action->fixed_response, "MessageBody"),
               *type = json_str(action->fixed_response, "ContentType");
    count(x, "HTTP_Fixed_Response_Count");
    say(x, status_of(json_str(action->fixed_response, "StatusCode"), 503), "", type ? type : "text/plain",
        body ? body : "");
}

/* ---- the request ----------------------------------------------------------------------------------------------------
 */
static void
take(struct buf *in, size_t used)
{
    if (used) {
        memmove(in->data, in->data + used, in->size - used);
        in->size -= used;
    }
}

/* Where the client's TLS is, if he has any. */
static const struct stream *
secret_of(const struct exchange *x)
{
    return x->outer ? balancer_h2_stream(x->outer->h2) : &x->client.stream;
}

static void
write_request(struct exchange *x, const struct stand *s, const struct http_head *head)
{
    char client[IP_STR_SIZE], trace[BALANCER_TRACE_SIZE];
    const char *mode = s->lb ? load_balancer_attribute(s->lb, "routing.http.xff_header_processing.mode") : NULL;
    enum mutual_mode mutual = s->listener && x->secure ? listener_mutual_mode(s->listener) : MUTUAL_OFF;
    struct buf certificate = { 0 };
    const struct live_hooks *hooks = services_hooks(x->balancer->place->services);
    const struct stream *secret = secret_of(x);
    bool tells_tls = secret->tls && stand_is_on(s, "routing.http.x_amzn_tls_version_and_cipher_suite.enabled");
    snprintf(client, sizeof client, "%s", ip_str(&x->client_ip));
    balancer_make_trace(hooks->now_ms(hooks->context), x->balancer->turn, trace);
    if (mutual != MUTUAL_OFF) {
        tls_client_write(secret, mutual == MUTUAL_VERIFY ? TLS_CLIENTS_VERIFIED : TLS_CLIENTS_SHOWN, &certificate);
    }
    struct balancer_told told = { .client = client,
                                  .client_port = x->client_port,
                                  .port = x->balancer->port,
                                  .secure = x->secure,
                                  .xff = !mode || strcmp(mode, "append") == 0 ? XFF_APPEND
                                         : strcmp(mode, "preserve") == 0      ? XFF_PRESERVE
                                                                              : XFF_REMOVE,
                                  .shows_port = stand_is_on(s, "routing.http.xff_client_port.enabled"),
                                  .drops_invalid = stand_is_on(s, "routing.http.drop_invalid_header_fields.enabled"),
                                  .tls_version = tells_tls ? tls_version(secret) : NULL,
                                  .tls_cipher = tells_tls ? tls_cipher(secret) : NULL,
                                  .mutual = mutual == MUTUAL_OFF ? NULL : buf_str(&certificate),
                                  .host = s->lb ? s->lb->dns_name : s->classic->dns_name,
                                  .trace = s->lb ? trace : NULL };
    balancer_write_request(&x->target.out, head, &told);
    buf_done(&certificate);
}

static void
forward(struct exchange *x, const struct stand *s, const struct lb_action *action, const struct http_head *head)
{
    struct balancer *balancer = x->balancer;
    const struct service_place *place = balancer->place;
    struct balancer_choice to;
    bool any = s->lb ? balancer_choose(place, s->lb, action, head, balancer->turn++, &x->sticky, &to)
                     : balancer_choose_instance(place, s->classic, s->old, head, balancer->turn++, &x->sticky, &to);
    if (!any) {
        say_error(x, 503);
        return;
    }
    snprintf(x->group, sizeof x->group, "%s", to.group ? to.group->obj.id : "");
    count(x, s->lb ? "RequestCount" : "new-http");
    int fd = services_connect_proxied(place->services, place->ns, PLAN_MARK_PROXIED, &to.ip, to.port, NULL, 0);
    if (fd < 0) {
        count(x, "TargetConnectionErrorCount");
        say_error(x, 502);
        return;
    }
    write_request(x, s, head);
    x->target.stream = stream_of(fd, to.tls ? tls_connect(services_tls(place->services), NULL) : NULL);
    x->target.watch.fd = fd;
    x->target.events = EPOLLOUT;
    reactor_add(balancer->reactor, &x->target.watch, EPOLLOUT);
}

static void
decide(struct exchange *x, const struct http_head *head)
{
    struct stand s = stand_of(x->balancer->place, x->balancer->port);
    const struct lb_action *action = s.listener ? balancer_action(s.listener, head, &x->client_ip) : NULL;
    if (s.old) {
        forward(x, &s, NULL, head);
    } else if (!action) {
        say_error(x, 503);
    } else if (strcmp(action->type, "redirect") == 0) {
        say_redirect(x, action, head);
    } else if (strcmp(action->type, "fixed-response") == 0) {
        say_fixed(x, action);
    } else {
        forward(x, &s, action, head);
    }
}

/* False: its head is not all there. */
static bool
begin_request(struct exchange *x)
{
    struct http_head head;
    size_t used;
    while (x->client.in.size && (x->client.in.data[0] == '\r' || x->client.in.data[0] == '\n')) {
        take(&x->client.in, 1); /* RFC 9112 section 2.2: an empty line before a request is nothing */
    }
    enum http_progress progress = http_read_request(buf_str(&x->client.in), x->client.in.size, &head, &used);
    if (progress == HTTP_BAD) {
        say_last(x, 400);
        return true;
    }
    if (progress != HTTP_DONE) {
        return false;
    }
    struct stand s = stand_of(x->balancer->place, x->balancer->port);
    long long age_ms = monotonic_ms() - x->began_ms;
    take(&x->client.in, used);
    x->busy = true;
    x->plain = head.minor == 0;
    x->to_head = strcmp(head.method, "HEAD") == 0;
    x->closes = !head.keeps_alive || age_ms > 1000 * stand_seconds(&s, "client_keep_alive.seconds", KEPT_S);
    http_body_of_request(&x->body, &head);
    if (http_field_names(http_field(&head, "Expect"), "100-continue") && !x->plain) {
        buf_str_add(&x->client.out, "HTTP/1.1 100 Continue\r\n\r\n");
    }
    decide(x, &head);
    http_head_done(&head);
    return true;
}

static void
pass_request(struct exchange *x)
{
    struct buf *in = &x->client.in;
    if (x->tunnels) {
        buf_add(&x->target.out, buf_str(in), in->size);
        buf_clear(in);
        return;
    }
    if (x->body.done || !in->size || x->target.out.size >= HELD_MAX) {
        return;
    }
    size_t used;
    enum http_progress progress = http_body_pass(&x->body, in->data, in->size, &used);
    if (!x->to_nobody) {
        buf_add(&x->target.out, in->data, used);
    }
    take(in, used);
    if (progress == HTTP_BAD) {
        say_last(x, 400);
    }
}

/* ---- the answer -----------------------------------------------------------------------------------------------------
 */
static void
count_answer(struct exchange *x, int status)
{
    char name[40];
    if (status >= 200 && status < 600) {
        snprintf(name, sizeof name, "HTTPCode_Target_%dXX_Count", status / 100);
        count(x, name);
    }
}

static void
begin_answer(struct exchange *x, const struct http_head *head)
{
    struct buf cookies = { 0 };
    if (head->status == 100) {
        return; /* nobody asked for it: the balancer has answered that */
    }
    x->tunnels = head->status == 101;
    x->answered = head->status >= 200 || x->tunnels;
    if (x->answered) {
        count_answer(x, head->status);
        http_body_of_answer(&x->answer, head, x->to_head);
        x->decodes = x->plain && x->answer.kind == HTTP_BODY_CHUNKED;
        x->closes = x->closes || x->tunnels || x->decodes || x->answer.kind == HTTP_BODY_TO_END || !x->body.done;
        sticky_write(&x->sticky, head, &cookies);
    }
    if (head->status >= 200 || !x->plain) { /* HTTP/1.0 knows no answers before the answer */
        balancer_write_answer(&x->client.out, head, buf_str(&cookies), !x->closes, x->plain && head->chunked);
    }
    x->answer.done = x->answer.done && !x->tunnels;
    buf_done(&cookies);
}

static void
pass_body(struct exchange *x)
{
    struct buf *in = &x->target.in;
    size_t used = 0;
    enum http_progress progress = HTTP_MORE;
    if (x->answer.done || x->client.out.size >= HELD_MAX) {
        return;
    }
    if (x->tunnels) {
        used = in->size;
        buf_add(&x->client.out, buf_str(in), used);
    } else if (x->decodes) {
        progress = http_read_chunks(&x->answer.chunks, buf_str(in), in->size, &used, &x->client.out, SIZE_MAX);
        x->answer.done = progress == HTTP_DONE;
    } else if (in->size) {
        progress = http_body_pass(&x->answer, in->data, in->size, &used);
        buf_add(&x->client.out, in->data, used);
    }
    take(in, used);
    if (progress == HTTP_BAD) {
        say_last(x, 502);
    }
}

static void
pass_answer(struct exchange *x)
{
    while (!x->answered && x->target.in.size) {
        struct http_head head;
        size_t used;
        enum http_progress progress = http_read_answer(x->target.in.data, x->target.in.size, &head, &used);
        if (progress == HTTP_BAD) {
            say_last(x, 502);
            return;
        }
        if (progress != HTTP_DONE) {
            break;
        }
        take(&x->target.in, used);
        begin_answer(x, &head);
        http_head_done(&head);
    }
    if (x->answered) {
        pass_body(x);
    }
    if (x->target.ended && x->target.in.size == 0 && !x->answer.done) {
        if (!x->answered) {
            say_last(x, 502);
        } else { /* the end of a body without a length; or cut, which the client sees by what is missing */
            x->answer.done = x->closes = true;
        }
    } else if (x->target.ended && !x->answered) {
        say_last(x, 502);
    }
}

/* ---- one step after the other ---------------------------------------------------------------------------------------
 */
static void
end_request(struct exchange *x)
{
    side_close(x->balancer, &x->target);
    sticky_done(&x->sticky);
    x->group[0] = '\0';
    x->busy = x->to_nobody = x->connected = x->answered = x->to_head = x->plain = x->decodes = x->tunnels = false;
    x->body = x->answer = (struct http_body){ 0 };
}

/* As far as it goes with what has come. */
static void
work(struct exchange *x)
{
    while (!x->said) {
        if (!x->busy && (x->closes || x->client.out.size >= HELD_MAX || !begin_request(x))) {
            break;
        }
        pass_request(x);
        pass_answer(x);
        if (!x->answered || !x->answer.done || !(x->body.done || x->closes)) {
            break;
        }
        end_request(x);
    }
}

/* For ProcessedBytes: heads and bodies, to the client and from him. */
static void
count_bytes(const struct side *side, size_t n)
{
    const struct service_place *place = side->exchange->balancer->place;
    if (n && side == &side->exchange->client) {
        services_count_bytes(place->services, place->id, n);
    }
}

/* False when the side is broken. */
static bool
pull(struct side *from)
{
    char data[16384];
    ssize_t n = stream_read(&from->stream, data, sizeof data);
    if (n > 0) {
        buf_add(&from->in, data, (size_t)n);
        count_bytes(from, (size_t)n);
    }
    from->ended = from->ended || n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool
push(struct side *to)
{
    while (to->out.size) {
        ssize_t n = stream_write(&to->stream, to->out.data, to->out.size);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        take(&to->out, (size_t)n);
        count_bytes(to, (size_t)n);
    }
    return true;
}

static void
listen_for(struct exchange *x, struct side *side, uint32_t events)
{
    if (side->watch.fd >= 0 && events != side->events) {
        side->events = events;
        reactor_change(x->balancer->reactor, &side->watch, events);
    }
}

/* All is said.  Who may still be sending must not be cut off before it has read that. */
static void
finish(struct exchange *x)
{
    stream_end(&x->client.stream);
    x->said = true;
    x->last_ms = monotonic_ms();
    buf_clear(&x->client.in);
    listen_for(x, &x->client, EPOLLIN);
}

/* What each side is to be watched for now; the end when all is said. */
static void
settle(struct exchange *x)
{
    struct side *client = &x->client, *target = &x->target;
    work(x);
    if (x->connected && target->watch.fd >= 0 && !push(target)) {
        buf_clear(&target->out); /* it listens no more, and may have answered all the same */
        x->body.done = x->closes = true;
    }
    if (!push(client)) {
        exchange_free(x);
        return;
    }
    work(x); /* there is room again */
    if (!x->busy && client->out.size == 0 && (x->closes || client->ended)) {
        if (client->ended || !client->stream.shaken) {
            exchange_free(x);
        } else {
            finish(x);
        }
        return;
    }
    if (client->ended && (!x->body.done || x->tunnels) && x->busy) {
        exchange_free(x); /* the rest of its request will never come */
        return;
    }
    listen_for(x, client,
               stream_events(&client->stream, !client->ended && client->in.size < HELD_MAX &&
                                                  target->out.size<HELD_MAX, client->out.size> 0));
    listen_for(x, target,
               !x->connected
                   ? EPOLLOUT
                   : stream_events(&target->stream, !target->ended && client->out.size<HELD_MAX, target->out.size> 0));
}

static bool begins_h2(struct exchange *x);

static void
on_client(struct watch *watch, uint32_t events)
{
    struct exchange *x = ((struct side *)watch)->exchange;
    if (x->said) {
        char rest[4096];
        ssize_t n = stream_read(&x->client.stream, rest, sizeof rest);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
            exchange_free(x);
        }
        return;
    }
    x->last_ms = monotonic_ms();
    bool was_shaken = x->client.stream.shaken;
    if (!was_shaken && !stream_shake(&x->client.stream)) {
        count(x, "ClientTLSNegotiationErrorCount");
        exchange_free(x);
        return;
    }
    if (!was_shaken && x->client.stream.shaken && begins_h2(x)) {
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !x->client.ended && !pull(&x->client)) {
        exchange_free(x);
        return;
    }
    if ((events & (EPOLLHUP | EPOLLERR)) && x->client.ended) {
        exchange_free(x); /* both ways are gone */
        return;
    }
    settle(x);
}

static void
on_target(struct watch *watch, uint32_t events)
{
    struct exchange *x = ((struct side *)watch)->exchange;
    x->last_ms = monotonic_ms();
    if (!x->connected) {
        int why = 0;
        socklen_t size = sizeof why;
        x->connected = getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0;
        if (!x->connected) {
            count(x, "TargetConnectionErrorCount");
            say_error(x, 502);
            settle(x);
            return;
        }
    }
    if (!stream_shake(&x->target.stream)) {
        count(x, "TargetTLSNegotiationErrorCount");
        say_error(x, 502);
    } else if (x->target.stream.shaken && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !pull(&x->target)) {
        x->target.ended = true;
    }
    settle(x);
}

/* ---- the listener ---------------------------------------------------------------------------------------------------
 */
/* 'outer': whose request it is in HTTP/2; NULL: a connection of its own. */
static void
add_exchange(struct balancer *balancer, int fd, struct ssl_st *tls, const struct ip *client, int port,
             struct exchange *outer)
{
    struct exchange *x = xcalloc(1, sizeof *x);
    x->client =
        (struct side){ .watch = { fd, on_client }, .stream = stream_of(fd, tls), .exchange = x, .events = EPOLLIN };
    x->target = (struct side){ .watch = { -1, on_target }, .stream = { .fd = -1 }, .exchange = x };
    x->balancer = balancer;
    x->client_ip = *client;
    x->client_port = port;
    x->secure = tls || outer;
    x->outer = outer;
    x->began_ms = x->last_ms = monotonic_ms();
    x->next = balancer->first;
    if (x->next) {
        x->next->before = x;
    }
    balancer->first = x;
    balancer->door.n++;
    if (!outer) {
        count(x, "NewConnectionCount");
    }
    if (!reactor_add(balancer->reactor, &x->client.watch, EPOLLIN)) {
        exchange_free(x);
    }
}

static void
begin(struct door *door, int fd, const struct ip *client, int port)
{
    struct balancer *balancer = (struct balancer *)door;
    struct ssl_st *tls;
    int one = 1;
    struct stand s = stand_of(balancer->place, balancer->port);
    if (!stand_greet(&s, balancer->place->services, &tls)) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    add_exchange(balancer, fd, tls, client, port, NULL);
}

/* ---- HTTP/2 ---------------------------------------------------------------------------------------------------------
 */
static int
open_inner(void *context)
{
    struct exchange *x = context;
    int fds[2];
    if (door_is_full(&x->balancer->door) ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0) {
        return -1;
    }
    add_exchange(x->balancer, nlq_high_fd(fds[0]), NULL, &x->client_ip, x->client_port, x);
    return nlq_high_fd(fds[1]);
}

static void
end_outer(void *context)
{
    exchange_free(context);
}

/* The client's connection goes on in HTTP/2, if that is what hands were shaken on. */
static bool
begins_h2(struct exchange *x)
{
    char protocol[16];
    tls_agreed(&x->client.stream, protocol);
    if (strcmp(protocol, "h2") != 0) {
        return false;
    }
    struct balancer_h2_owner owner = { open_inner, end_outer, x };
    reactor_remove(x->balancer->reactor, &x->client.watch);
    x->client.watch.fd = -1;
    x->h2 = balancer_h2_new(x->balancer->reactor, &x->client.stream, &owner);
    x->client.stream = (struct stream){ .fd = -1 };
    if (!x->h2) {
        exchange_free(x);
    }
    return true;
}

struct balancer *
balancer_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place)
{
    struct balancer *balancer = xcalloc(1, sizeof *balancer);
    *balancer = (struct balancer){ .reactor = reactor, .place = place, .port = port };
    door_open(&balancer->door, reactor, fd, CONNECTIONS_MAX, begin);
    return balancer;
}

void
balancer_free(struct balancer *balancer)
{
    if (balancer) {
        while (balancer->first) {
            exchange_free(balancer->first);
        }
        door_close(&balancer->door);
        free(balancer);
    }
}

/* Silent for too long: the target's fault, the client's in the middle of a request, or nobody's. */
static void
time_out(struct exchange *x, long long now, long long idle)
{
    bool waits = x->busy && !x->answered && x->target.watch.fd >= 0;
    if (x->h2) {
        if (balancer_h2_is_idle(x->h2, now - idle)) {
            exchange_free(x);
        }
    } else if (x->said ? now - x->last_ms > LINGER_MS : !x->client.stream.shaken && now - x->began_ms > CONNECT_MS) {
        exchange_free(x);
    } else if (waits && !x->connected && now - x->last_ms > CONNECT_MS) {
        say_error(x, 504);
        settle(x);
    } else if (x->said || now - x->last_ms <= idle) {
        return;
    } else if (waits && x->body.done) {
        say_last(x, 504);
        settle(x);
    } else if (!x->answered && (x->busy || x->client.in.size)) {
        say_last(x, 408);
        settle(x);
    } else {
        exchange_free(x);
    }
}

void
balancer_tick(struct balancer *balancer)
{
    door_tick(&balancer->door);
    struct stand s = stand_of(balancer->place, balancer->port);
    long long now = monotonic_ms(), idle = stand_idle_ms(&s);
    struct exchange *next;
    for (struct exchange *x = balancer->first; x; x = next) {
        next = x->next;
        time_out(x, now, idle);
    }
}
