#include "netsim/live/balancer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/balancer_rules.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/live/stickiness.h"

#define SILENCE_MS      60000 /* AWS's idle timeout */
#define CONNECT_MS      10000
#define CONNECTIONS_MAX 4096
#define HELD_MAX        65536 /* bytes of one direction that wait for the other side */

/* A client, the target it was given, and what is under way between them. */
struct side {
    struct watch watch; /* first; fd -1: not there */
    struct exchange *exchange;
    struct buf out; /* waits to be written to it */
    bool ended;     /* it sends no more */
    uint32_t events;
};
struct exchange {
    struct side client, target;
    struct balancer *balancer;
    struct exchange *next, *before;
    struct ip client_ip;
    struct sticky sticky; /* cookies for the answer */
    char group[ID_SIZE];  /* whose target it was given; "" none */
    struct buf in;        /* a head that is not all there: the client's request, then the target's answer */
    bool forwarded;       /* the request's head has been read */
    bool connected;
    bool answered; /* the answer's head has been read */
    long long last_ms;
};
struct balancer {
    struct watch watch; /* first */
    struct reactor *reactor;
    const struct service_place *place;
    uint16_t port;
    struct exchange *first;
    size_t n, turn;
    bool paused; /* too many connections: no more until one has ended */
};

/* A listener that takes no more must not be asked about, or it would be ready for ever. */
static void
pause_listener(struct balancer *balancer, bool paused)
{
    if (balancer->paused != paused) {
        balancer->paused = paused;
        reactor_change(balancer->reactor, &balancer->watch, paused ? 0 : EPOLLIN);
    }
}

static void
exchange_free(struct exchange *x)
{
    pause_listener(x->balancer, false);
    struct side *sides[] = { &x->client, &x->target };
    for (size_t i = 0; i < ARRAY_SIZE(sides); i++) {
        if (sides[i]->watch.fd >= 0) {
            reactor_remove(x->balancer->reactor, &sides[i]->watch);
            close(sides[i]->watch.fd);
        }
        buf_done(&sides[i]->out);
    }
    buf_done(&x->in);
    sticky_done(&x->sticky);
    *(x->before ? &x->before->next : &x->balancer->first) = x->next;
    if (x->next) {
        x->next->before = x->before;
    }
    x->balancer->n--;
    free(x);
}

/* For metrics, under the name that CloudWatch has. */
static void
count(struct exchange *x, const char *name)
{
    const struct service_place *place = x->balancer->place;
    services_count(place->services, name, place->id, *x->group ? x->group : "-");
}

/* ---- what the balancer says itself --------------------------------------------------------------------------------
 */
static void
say(struct exchange *x, int status, const char *field, const char *type, const char *body)
{
    buf_printf(&x->client.out,
               "HTTP/1.1 %d %s\r\nServer: awselb/2.0\r\n%sContent-Type: %s\r\nContent-Length: %zu\r\nConnection: "
               "close\r\n\r\n%s",
               status, http_reason(status), field, type, strlen(body), body);
    x->forwarded = x->answered = true;
    x->target.ended = true;
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
    char *to = balancer_redirect(action->redirect, request, "http", x->balancer->port);
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

/* ---- targets ------------------------------------------------------------------------------------------------------
 */
/* Groups in proportion to their weights, by turns. */
static const struct target_group *
group_of(const struct network *net, const struct lb_action *action, size_t turn, size_t *round)
{
    long long sum = 0;
    for (size_t i = 0; i < action->groups.n; i++) {
        sum += action->groups.items[i].weight;
    }
    sum = sum > 0 ? sum : 1;
    *round = turn / (size_t)sum;
    long long at = (long long)(turn % (size_t)sum);
    for (size_t i = 0; i < action->groups.n; i++) {
        at -= action->groups.items[i].weight;
        if (at < 0 || action->groups.n == 1) {
            return network_target_group(net, action->groups.items[i].group_arn);
        }
    }
    return action->group_arn ? network_target_group(net, action->group_arn) : NULL;
}

static void
forward(struct exchange *x, const struct load_balancer *lb, const struct lb_action *action,
        const struct http_head *request)
{
    struct balancer *balancer = x->balancer;
    struct services *services = balancer->place->services;
    const struct network *net = services_network(services);
    const struct eni *node = store_get(network_store(net), &eni_kind, balancer->place->ns);
    const struct live_hooks *hooks = services_hooks(services);
    int64_t now_ms = hooks->now_ms(hooks->context);
    const struct target_group *kept = stickiness_group(net, action, request, now_ms);
    size_t round; /* how often all groups have had their turns */
    const struct target_group *group = group_of(net, action, balancer->turn++, &round);
    group = kept ? kept : group;
    balancer_target_vec targets = { 0 };
    if (group) {
        balancer_targets(net, lb, node ? node->zone : NULL, group, services_unhealthy(services), &targets);
    }
    int stays = targets.n ? stickiness_target(group, &targets, request, now_ms) : -1;
    const struct balancer_target *t = targets.n ? &targets.items[stays >= 0 ? (size_t)stays : round % targets.n] : NULL;
    if (!t) {
        say_error(x, 503);
    } else {
        sticky_note(&x->sticky, action, group, t, now_ms);
        snprintf(x->group, sizeof x->group, "%s", group->obj.id);
        count(x, "RequestCount");
        x->target.watch.fd = services_connect_proxied(services, balancer->place->ns, &t->ip, t->port, NULL, 0);
        if (x->target.watch.fd < 0) {
            count(x, "TargetConnectionErrorCount");
            say_error(x, 502);
        } else {
            x->target.events = EPOLLOUT;
            reactor_add(balancer->reactor, &x->target.watch, EPOLLOUT);
        }
    }
    VEC_DONE(&targets);
}

/* ---- heads --------------------------------------------------------------------------------------------------------
 */
static bool
is_hop_field(const char *name)
{
    static const char *const names[] = { "Connection", "Keep-Alive", "Proxy-Connection", "X-Forwarded-Proto",
                                         "X-Forwarded-Port" };
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void
write_request(struct exchange *x, const struct http_head *head)
{
    struct buf *out = &x->target.out;
    const char *before = http_field(head, "X-Forwarded-For");
    buf_printf(out, "%s %s HTTP/1.1\r\n", head->method, head->target);
    for (size_t i = 0; i < head->n_fields; i++) {
        if (!is_hop_field(head->fields[i].name) && strcasecmp(head->fields[i].name, "X-Forwarded-For") != 0) {
            buf_printf(out, "%s: %s\r\n", head->fields[i].name, head->fields[i].value);
        }
    }
    buf_printf(
        out, "X-Forwarded-For: %s%s%s\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Port: %u\r\nConnection: close\r\n\r\n",
        before ? before : "", before ? ", " : "", ip_str(&x->client_ip), x->balancer->port);
}

static void
write_answer(struct exchange *x, const struct http_head *head)
{
    struct buf *out = &x->client.out;
    buf_printf(out, "HTTP/1.1 %d %s\r\n", head->status, head->reason);
    for (size_t i = 0; i < head->n_fields; i++) {
        if (strcasecmp(head->fields[i].name, "Connection") != 0 &&
            strcasecmp(head->fields[i].name, "Keep-Alive") != 0) {
            buf_printf(out, "%s: %s\r\n", head->fields[i].name, head->fields[i].value);
        }
    }
    if (head->status >= 200) {
        sticky_write(&x->sticky, head, out);
    }
    buf_str_add(out, head->status < 200 ? "\r\n" : "Connection: close\r\n\r\n");
}

static void
take(struct buf *in, size_t used)
{
    memmove(in->data, in->data + used, in->size - used);
    in->size -= used;
}

static void
begin_forward(struct exchange *x, const struct http_head *head)
{
    const struct network *net = services_network(x->balancer->place->services);
    const struct load_balancer *lb = network_load_balancer(net, x->balancer->place->id);
    const struct lb_listener *listener = NULL;
    for (size_t i = 0; lb && i < lb->listeners.n; i++) {
        listener = lb->listeners.items[i].port == x->balancer->port ? &lb->listeners.items[i] : listener;
    }
    const struct lb_action *action = listener ? balancer_action(listener, head, &x->client_ip) : NULL;
    x->forwarded = true;
    if (!action) {
        say_error(x, 503);
    } else if (strcmp(action->type, "redirect") == 0) {
        say_redirect(x, action, head);
    } else if (strcmp(action->type, "fixed-response") == 0) {
        say_fixed(x, action);
    } else {
        write_request(x, head);
        forward(x, lb, action, head);
    }
}

static void
read_request(struct exchange *x)
{
    struct http_head head;
    size_t used;
    enum http_progress progress = http_read_request(buf_str(&x->in), x->in.size, &head, &used);
    if (progress == HTTP_BAD) {
        say_error(x, 400);
    } else if (progress == HTTP_DONE) {
        take(&x->in, used);
        begin_forward(x, &head);
        http_head_done(&head);
        buf_add(&x->target.out, buf_str(&x->in), x->in.size); /* what of the body came along */
        buf_clear(&x->in);
    }
}

static void
read_answer(struct exchange *x)
{
    while (!x->answered && x->in.size) {
        struct http_head head;
        size_t used;
        enum http_progress progress = http_read_answer(buf_str(&x->in), x->in.size, &head, &used);
        if (progress == HTTP_BAD) {
            say_error(x, 502);
        }
        if (progress != HTTP_DONE) {
            break;
        }
        take(&x->in, used);
        x->answered = head.status >= 200;
        if (x->answered && head.status < 600) {
            char name[40];
            snprintf(name, sizeof name, "HTTPCode_Target_%dXX_Count", head.status / 100);
            count(x, name);
        }
        write_answer(x, &head);
        http_head_done(&head);
    }
    if (x->answered) {
        buf_add(&x->client.out, buf_str(&x->in), x->in.size);
        buf_clear(&x->in);
    }
}

/* ---- bytes --------------------------------------------------------------------------------------------------------
 */
/* False when the side is broken. */
static bool
pull(struct side *from, struct buf *into)
{
    char data[16384];
    ssize_t n = recv(from->watch.fd, data, sizeof data, MSG_DONTWAIT);
    if (n > 0) {
        buf_add(into, data, (size_t)n);
    }
    from->ended = from->ended || n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool
push(struct side *to)
{
    while (to->out.size) {
        ssize_t n = send(to->watch.fd, to->out.data, to->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        take(&to->out, (size_t)n);
    }
    return true;
}

static void
listen_for(struct exchange *x, struct side *side, bool reads, bool writes)
{
    uint32_t events = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0);
    if (side->watch.fd >= 0 && events != side->events) {
        side->events = events;
        reactor_change(x->balancer->reactor, &side->watch, events);
    }
}

/* What each side is to be watched for now; the end when all is said. */
static void
settle(struct exchange *x)
{
    bool to_target = x->target.watch.fd >= 0 && x->connected;
    if ((to_target && !x->target.ended && !push(&x->target)) || !push(&x->client)) {
        exchange_free(x);
        return;
    }
    if (x->target.ended && !x->answered) {
        say_error(x, 502);
        push(&x->client);
    }
    if (x->target.ended && x->client.out.size == 0) {
        exchange_free(x);
        return;
    }
    if (x->client.ended && !x->forwarded) {
        exchange_free(x);
        return;
    }
    bool full = x->target.out.size >= HELD_MAX;
    listen_for(x, &x->client, !x->client.ended && !full && !x->target.ended, x->client.out.size > 0);
    listen_for(x, &x->target, x->connected && !x->target.ended && x->client.out.size < HELD_MAX,
               !x->connected || (x->target.out.size > 0 && !x->target.ended));
}

static void
on_client(struct watch *watch, uint32_t events)
{
    struct exchange *x = ((struct side *)watch)->exchange;
    x->last_ms = services_now_ms();
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (!pull(&x->client, x->forwarded ? &x->target.out : &x->in)) {
            exchange_free(x);
            return;
        }
        if (!x->forwarded) {
            read_request(x);
        }
    }
    settle(x);
}

static void
on_target(struct watch *watch, uint32_t events)
{
    struct exchange *x = ((struct side *)watch)->exchange;
    x->last_ms = services_now_ms();
    if (!x->connected) {
        int why = 0;
        socklen_t size = sizeof why;
        x->connected = getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0;
        if (!x->connected) {
            count(x, "TargetConnectionErrorCount");
            say_error(x, 502);
            x->connected = true;
        }
    } else if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (!pull(&x->target, x->answered ? &x->client.out : &x->in)) {
            x->target.ended = true;
        }
        read_answer(x);
    }
    settle(x);
}

/* ---- the listener -------------------------------------------------------------------------------------------------
 */
static void
on_listener(struct watch *watch, uint32_t events)
{
    struct balancer *balancer = (struct balancer *)watch;
    (void)events;
    for (int i = 0; i < 64 && balancer->n < CONNECTIONS_MAX; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int port,
            fd = nlq_high_fd(accept4(watch->fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd < 0) {
            pause_listener(balancer, errno == EMFILE || errno == ENFILE);
            return;
        }
        struct exchange *x = xcalloc(1, sizeof *x);
        x->client = (struct side){ .watch = { fd, on_client }, .exchange = x, .events = EPOLLIN };
        x->target = (struct side){ .watch = { -1, on_target }, .exchange = x };
        x->balancer = balancer;
        x->client_ip = http_address(&address, &port);
        x->last_ms = services_now_ms();
        x->next = balancer->first;
        if (x->next) {
            x->next->before = x;
        }
        balancer->first = x;
        balancer->n++;
        count(x, "NewConnectionCount");
        if (!reactor_add(balancer->reactor, &x->client.watch, EPOLLIN)) {
            exchange_free(x);
        }
    }
    pause_listener(balancer, balancer->n >= CONNECTIONS_MAX);
}

struct balancer *
balancer_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place)
{
    struct balancer *balancer = xcalloc(1, sizeof *balancer);
    *balancer = (struct balancer){ .watch = { fd, on_listener }, .reactor = reactor, .place = place, .port = port };
    reactor_add(reactor, &balancer->watch, EPOLLIN);
    return balancer;
}

void
balancer_free(struct balancer *balancer)
{
    if (balancer) {
        while (balancer->first) {
            exchange_free(balancer->first);
        }
        reactor_remove(balancer->reactor, &balancer->watch);
        close(balancer->watch.fd);
        free(balancer);
    }
}

void
balancer_tick(struct balancer *balancer)
{
    pause_listener(balancer, balancer->n >= CONNECTIONS_MAX);
    long long now = services_now_ms();
    struct exchange *next;
    for (struct exchange *x = balancer->first; x; x = next) {
        next = x->next;
        bool connecting = x->target.watch.fd >= 0 && !x->connected;
        if (connecting && now - x->last_ms > CONNECT_MS) {
            say_error(x, 504);
            x->connected = true;
            settle(x);
        } else if (now - x->last_ms > SILENCE_MS) {
            exchange_free(x);
        }
    }
}
