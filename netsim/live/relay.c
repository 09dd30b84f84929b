#include "netsim/live/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/plan_balancer.h"

#define SILENCE_MS      350000 /* AWS's idle timeout of a network balancer */
#define CONNECT_MS      10000
#define CONNECTIONS_MAX 4096
#define HELD_MAX        65536 /* bytes of one direction that wait for the other side */

struct end {
    struct watch watch; /* first; fd -1: not there */
    struct passage *passage;
    struct buf out; /* waits to be written to it */
    bool ended;     /* it sends no more */
    bool told;      /* it was told that the other sends no more */
    uint32_t events;
};
/* A client and the target it was given. */
struct passage {
    struct end client, target;
    struct relay *relay;
    struct passage *next, *before;
    bool connected;
    long long last_ms;
};
struct relay {
    struct watch watch; /* first */
    struct reactor *reactor;
    const struct service_place *place;
    uint16_t port;
    struct passage *first;
    size_t n;
    uint32_t turn;
    bool paused; /* too many connections: no more until one has ended */
};

/* A listener that takes no more must not be asked about, or it would be ready for ever. */
static void
pause_listener(struct relay *relay, bool paused)
{
    if (relay->paused != paused) {
        relay->paused = paused;
        reactor_change(relay->reactor, &relay->watch, paused ? 0 : EPOLLIN);
    }
}

static void
passage_free(struct passage *p)
{
    pause_listener(p->relay, false);
    struct end *ends[] = { &p->client, &p->target };
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends[i]->watch.fd >= 0) {
            reactor_remove(p->relay->reactor, &ends[i]->watch);
            close(ends[i]->watch.fd);
        }
        buf_done(&ends[i]->out);
    }
    *(p->before ? &p->before->next : &p->relay->first) = p->next;
    if (p->next) {
        p->next->before = p->before;
    }
    p->relay->n--;
    free(p);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------
 */
/* False when the end is broken. */
static bool
pull(struct end *from, struct end *to)
{
    char data[16384];
    ssize_t n = recv(from->watch.fd, data, sizeof data, MSG_DONTWAIT);
    if (n > 0) {
        buf_add(&to->out, data, (size_t)n);
    }
    from->ended = from->ended || n == 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool
push(struct end *to, const struct end *from)
{
    while (to->out.size) {
        ssize_t n = send(to->watch.fd, to->out.data, to->out.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        memmove(to->out.data, to->out.data + n, to->out.size - (size_t)n);
        to->out.size -= (size_t)n;
    }
    if (from->ended && !to->told) {
        to->told = true;
        shutdown(to->watch.fd, SHUT_WR);
    }
    return true;
}

static void
listen_for(struct passage *p, struct end *end, bool reads, bool writes)
{
    uint32_t events = (reads ? EPOLLIN : 0) | (writes ? EPOLLOUT : 0);
    if (events != end->events) {
        end->events = events;
        reactor_change(p->relay->reactor, &end->watch, events);
    }
}

static void
settle(struct passage *p)
{
    if ((p->connected && !push(&p->target, &p->client)) || !push(&p->client, &p->target) ||
        (p->client.told && p->target.told)) {
        passage_free(p);
        return;
    }
    listen_for(p, &p->client, !p->client.ended && p->target.out.size<HELD_MAX, p->client.out.size> 0);
    listen_for(p, &p->target, p->connected && !p->target.ended && p->client.out.size < HELD_MAX,
               !p->connected || p->target.out.size > 0);
}

static void
on_client(struct watch *watch, uint32_t events)
{
    struct passage *p = ((struct end *)watch)->passage;
    p->last_ms = services_now_ms();
    if ((events & EPOLLERR) || ((events & (EPOLLIN | EPOLLHUP)) && !pull(&p->client, &p->target))) {
        passage_free(p);
        return;
    }
    settle(p);
}

static void
on_target(struct watch *watch, uint32_t events)
{
    struct passage *p = ((struct end *)watch)->passage;
    p->last_ms = services_now_ms();
    if (!p->connected) {
        int why = 0;
        socklen_t size = sizeof why;
        p->connected = getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0;
    } else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !pull(&p->target, &p->client)) {
        p->connected = false;
    }
    if (!p->connected) {
        passage_free(p);
        return;
    }
    settle(p);
}

/* ---- targets ------------------------------------------------------------------------------------------------------
 */
static uint32_t
hash_ip(const struct ip *ip)
{
    uint64_t h = (ip->hi * 0x9e3779b97f4a7c15u) ^ (ip->lo * 0xc2b2ae3d27d4eb4fu);
    return (uint32_t)(h >> 32);
}

static const struct lb_listener *
listener_at(const struct load_balancer *lb, uint16_t port)
{
    for (size_t i = 0; lb && i < lb->listeners.n; i++) {
        const struct lb_listener *l = &lb->listeners.items[i];
        if (l->port == port && l->protocol && strcmp(l->protocol, "UDP") != 0) {
            return l;
        }
    }
    return NULL;
}

/* By turns, or by the client's address where it is to stay; a group's weight counts as in the kernel. */
static bool
choose_target(struct relay *relay, const struct ip *client, struct ip *ip, int *port)
{
    struct services *services = relay->place->services;
    const struct network *net = services_network(services);
    const struct load_balancer *lb = network_load_balancer(net, relay->place->id);
    const struct lb_listener *listener = listener_at(lb, relay->port);
    const struct eni *node = store_get(network_store(net), &eni_kind, relay->place->ns);
    balancer_target_vec targets = { 0 };
    int slots = 0;
    if (listener) {
        balancer_listener_targets(net, lb, node ? node->zone : NULL, listener, services_unhealthy(services), &targets);
    }
    for (size_t i = 0; i < targets.n; i++) {
        slots += targets.items[i].slots;
    }
    if (slots) {
        uint32_t turn = balancer_is_sticky(net, listener) ? hash_ip(client) : relay->turn++;
        int at = (int)(turn % (uint32_t)slots);
        size_t i = 0;
        while (at >= targets.items[i].slots) {
            at -= targets.items[i++].slots;
        }
        *ip = targets.items[i].ip;
        *port = targets.items[i].port;
    }
    VEC_DONE(&targets);
    return slots > 0;
}

static void
begin(struct relay *relay, int fd, const struct ip *client)
{
    struct ip ip;
    int port, far = choose_target(relay, client, &ip, &port)
                        ? services_connect_from(relay->place->services, relay->place->ns, &ip, port)
                        : -1;
    if (far < 0) {
        close(fd);
        return;
    }
    struct passage *p = xcalloc(1, sizeof *p);
    p->client = (struct end){ .watch = { fd, on_client }, .passage = p, .events = EPOLLIN };
    p->target = (struct end){ .watch = { far, on_target }, .passage = p, .events = EPOLLOUT };
    p->relay = relay;
    p->last_ms = services_now_ms();
    p->next = relay->first;
    if (p->next) {
        p->next->before = p;
    }
    relay->first = p;
    relay->n++;
    services_count(relay->place->services, "new-tcp", relay->place->id, "-");
    reactor_add(relay->reactor, &p->client.watch, EPOLLIN);
    reactor_add(relay->reactor, &p->target.watch, EPOLLOUT);
}

/* ---- the listener -------------------------------------------------------------------------------------------------
 */
static void
on_listener(struct watch *watch, uint32_t events)
{
    struct relay *relay = (struct relay *)watch;
    (void)events;
    for (int i = 0; i < 64 && relay->n < CONNECTIONS_MAX; i++) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int port,
            fd = nlq_high_fd(accept4(watch->fd, (struct sockaddr *)&address, &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (fd < 0) {
            pause_listener(relay, errno == EMFILE || errno == ENFILE);
            return;
        }
        struct ip client = http_address(&address, &port);
        begin(relay, fd, &client);
    }
    pause_listener(relay, relay->n >= CONNECTIONS_MAX);
}

struct relay *
relay_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place)
{
    struct relay *relay = xcalloc(1, sizeof *relay);
    *relay = (struct relay){ .watch = { fd, on_listener }, .reactor = reactor, .place = place, .port = port };
    reactor_add(reactor, &relay->watch, EPOLLIN);
    return relay;
}

void
relay_free(struct relay *relay)
{
    if (relay) {
        while (relay->first) {
            passage_free(relay->first);
        }
        reactor_remove(relay->reactor, &relay->watch);
        close(relay->watch.fd);
        free(relay);
    }
}

void
relay_tick(struct relay *relay)
{
    pause_listener(relay, relay->n >= CONNECTIONS_MAX);
    long long now = services_now_ms();
    struct passage *next;
    for (struct passage *p = relay->first; p; p = next) {
        next = p->next;
        if (now - p->last_ms > (p->connected ? SILENCE_MS : CONNECT_MS)) {
            passage_free(p);
        }
    }
}
