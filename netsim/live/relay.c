#include "netsim/live/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/door.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/private_link_client.h"
#include "netsim/live/proxy_header.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/stream.h"
#include "netsim/live/tls_offers.h"
#include "netsim/model/classic_policy.h"

#define SILENCE_MS      350000 /* AWS's idle timeout of a network balancer */
#define CONNECT_MS      10000
#define CONNECTIONS_MAX 4096
#define HELD_MAX        65536 /* bytes of one direction that wait for the other side */

struct end {
    struct watch watch; /* first; fd -1: not there */
    struct stream stream;
    struct passage *passage;
    struct buf out;  /* waits to be written to it */
    struct buf head; /* the PROXY header, which goes before all else, TLS too */
    bool ended;      /* it sends no more */
    bool told;       /* it was told that the other sends no more */
    uint32_t events;
};
/* A client and the target it was given. */
struct passage {
    struct end client, target;
    struct relay *relay;
    struct passage *next, *before;
    struct ip client_ip;
    int client_port;
    bool chosen; /* it has its target */
    bool connected;
    long long last_ms;
};
struct relay {
    struct door door; /* first */
    struct reactor *reactor;
    const struct service_place *place;
    uint16_t port;
    struct passage *first;
    uint32_t turn;
};

static void
passage_free(struct passage *p)
{
    struct end *ends[] = { &p->client, &p->target };
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
        if (ends[i]->watch.fd >= 0) {
            reactor_remove(p->relay->reactor, &ends[i]->watch);
        }
        stream_close(&ends[i]->stream);
        buf_done(&ends[i]->out);
        buf_done(&ends[i]->head);
    }
    *(p->before ? &p->before->next : &p->relay->first) = p->next;
    if (p->next) {
        p->next->before = p->before;
    }
    door_left(&p->relay->door);
    free(p);
}

/* ---- bytes --------------------------------------------------------------------------------------------------------
 */
/* False when the end is broken. */
static bool
pull(struct end *from, struct end *to)
{
    char data[16384];
    ssize_t n = stream_read(&from->stream, data, sizeof data);
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
        ssize_t n = stream_write(&to->stream, to->out.data, to->out.size);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        memmove(to->out.data, to->out.data + n, to->out.size - (size_t)n);
        to->out.size -= (size_t)n;
    }
    if (from->ended && !to->told && to->stream.shaken) {
        to->told = true;
        stream_end(&to->stream);
    }
    return true;
}

static void
listen_for(struct passage *p, struct end *end, uint32_t events)
{
    if (end->watch.fd >= 0 && events != end->events) {
        end->events = events;
        reactor_change(p->relay->reactor, &end->watch, events);
    }
}

static void
settle(struct passage *p)
{
    struct end *client = &p->client, *target = &p->target;
    if ((p->connected && !push(target, client)) || !push(client, target) || (client->told && target->told)) {
        passage_free(p);
        return;
    }
    listen_for(
        p, client,
        stream_events(&client->stream, p->chosen && !client->ended && target->out.size<HELD_MAX, client->out.size> 0));
    listen_for(p, target,
               !p->connected
                   ? EPOLLOUT
                   : stream_events(&target->stream, !target->ended && client->out.size<HELD_MAX, target->out.size> 0));
}

static bool begin_target(struct passage *p);

static bool
shakes(struct passage *p, struct end *end, const char *otherwise)
{
    const struct service_place *place = p->relay->place;
    bool ok = stream_shake(&end->stream);
    if (!ok) {
        services_count(place->services, otherwise, place->id, "-");
    }
    return ok;
}

static void
on_client(struct watch *watch, uint32_t events)
{
    struct passage *p = ((struct end *)watch)->passage;
    struct end *client = &p->client;
    bool was_shaken = client->stream.shaken, ok = true;
    p->last_ms = monotonic_ms();
    if (!was_shaken) {
        ok = shakes(p, client, "ClientTLSNegotiationErrorCount") && (!client->stream.shaken || begin_target(p));
    } else if (events & (EPOLLIN | EPOLLHUP)) {
        ok = pull(client, &p->target);
    }
    if ((events & EPOLLERR) || !ok) {
        passage_free(p);
        return;
    }
    settle(p);
}

/* A new connection has room for it. */
static bool
send_head(struct end *end)
{
    size_t size = end->head.size;
    bool sent = !size || send(end->watch.fd, end->head.data, size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)size;
    buf_done(&end->head);
    return sent;
}

static void
on_target(struct watch *watch, uint32_t events)
{
    struct passage *p = ((struct end *)watch)->passage;
    p->last_ms = monotonic_ms();
    if (!p->connected) {
        int why = 0;
        socklen_t size = sizeof why;
        p->connected = getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &why, &size) == 0 && why == 0 &&
                       send_head(&p->target) && shakes(p, &p->target, "TargetTLSNegotiationErrorCount");
    } else if (!p->target.stream.shaken) {
        p->connected = shakes(p, &p->target, "TargetTLSNegotiationErrorCount");
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

static const struct classic_listener *
classic_at(const struct classic_balancer *lb, uint16_t port)
{
    for (size_t i = 0; lb && i < lb->listeners.n; i++) {
        if (lb->listeners.items[i].port == port) {
            return &lb->listeners.items[i];
        }
    }
    return NULL;
}

/* Whom a passage goes on to, and how. */
struct choice {
    struct ip ip;
    int port;
    bool tls, keeps_client;
    int header; /* which version of the PROXY header it gets; 0: none */
};

/* By turns, or by the client's address where it is to stay; a group's weight counts as in the kernel. */
static bool
choose_target(struct relay *relay, const struct load_balancer *lb, const struct eni *node, const struct ip *client,
              struct choice *out)
{
    const struct service_place *place = relay->place;
    const struct network *net = services_network(place->services);
    const struct lb_listener *listener = listener_at(lb, relay->port);
    balancer_target_vec targets = { 0 };
    int slots = 0;
    if (listener) {
        balancer_listener_targets(net, lb, node ? node->zone : NULL, listener, services_unhealthy(place->services),
                                  &targets);
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
        const struct balancer_target *t = &targets.items[i];
        *out = (struct choice){ t->ip, t->port, t->group->protocol && strcmp(t->group->protocol, "TLS") == 0,
                                t->keeps_client && t->ip.family == client->family,
                                target_group_sends_header(t->group) ? 2 : 0 };
    }
    VEC_DONE(&targets);
    return slots > 0;
}

static bool
choose_instance(struct relay *relay, const struct classic_balancer *lb, const struct eni *node, struct choice *out)
{
    const struct service_place *place = relay->place;
    const struct classic_listener *listener = classic_at(lb, relay->port);
    balancer_ip_vec instances = { 0 };
    if (listener && node) {
        balancer_classic_instances(services_network(place->services), lb, node, services_unhealthy(place->services),
                                   &instances);
    }
    bool any = instances.n > 0;
    if (any) {
        *out = (struct choice){ instances.items[relay->turn++ % instances.n], listener->instance_port,
                                classic_listener_sends_tls(listener), false,
                                classic_listener_sends_header(lb, listener) ? 1 : 0 };
    }
    VEC_DONE(&instances);
    return any;
}

/* What the PROXY header says; of a client behind an endpoint, its own address there and the endpoint. */
static void
write_head(const struct passage *p, const struct load_balancer *lb, int version, struct buf *out)
{
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    struct proxy_parties parties = { .client = p->client_ip,
                                     .client_port = p->client_port,
                                     .own.family = p->client_ip.family };
    struct private_link_client far;
    if (getsockname(p->client.watch.fd, (struct sockaddr *)&address, &size) == 0) {
        parties.own = socket_address_ip(&address, &parties.own_port);
    }
    if (lb && private_link_is_link(&p->client_ip) &&
        private_link_find(p->relay->place->services, lb, &p->client_ip, p->client_port, p->relay->port, &far)) {
        parties.client = far.ip;
        parties.client_port = far.port;
        parties.endpoint_id = far.endpoint_id;
    }
    (version == 2 ? proxy_header_v2 : proxy_header_v1)(out, &parties);
}

/* False: there is nobody to send to. */
static bool
begin_target(struct passage *p)
{
    struct relay *relay = p->relay;
    const struct service_place *place = relay->place;
    const struct network *net = services_network(place->services);
    const struct load_balancer *lb = network_load_balancer(net, place->id);
    const struct classic_balancer *classic =
        lb ? NULL : store_get(network_store(net), &classic_balancer_kind, place->id);
    const struct eni *node = store_get(network_store(net), &eni_kind, place->ns);
    struct choice to;
    if (lb ? !choose_target(relay, lb, node, &p->client_ip, &to) : !choose_instance(relay, classic, node, &to)) {
        return false;
    }
    bool kept = to.keeps_client && !private_link_is_link(&p->client_ip); /* PrivateLink never shows it */
    unsigned mark = p->client.stream.tls ? PLAN_MARK_RELAYED_TLS : PLAN_MARK_RELAYED;
    int fd = services_connect_proxied(place->services, place->ns, mark, &to.ip, to.port, kept ? &p->client_ip : NULL,
                                      p->client_port);
    if (fd < 0) {
        return false;
    }
    char protocol[16];
    tls_agreed(&p->client.stream, protocol);
    p->target.stream =
        stream_of(fd, to.tls ? tls_connect(services_tls(place->services), *protocol ? protocol : NULL) : NULL);
    p->target.watch.fd = fd;
    p->target.events = EPOLLOUT;
    if (to.header) {
        write_head(p, lb, to.header, &p->target.head);
    }
    p->chosen = true;
    return reactor_add(relay->reactor, &p->target.watch, EPOLLOUT);
}

/* TLS for a new client; false: the listener ends it and cannot. */
static bool
greet(const struct relay *relay, struct ssl_st **tls)
{
    const struct service_place *place = relay->place;
    const struct network *net = services_network(place->services);
    const struct load_balancer *lb = network_load_balancer(net, place->id);
    const struct lb_listener *listener = listener_at(lb, relay->port);
    const struct classic_balancer *classic =
        lb ? NULL : store_get(network_store(net), &classic_balancer_kind, place->id);
    const struct classic_listener *old = classic_at(classic, relay->port);
    struct tls_offer *offer = NULL;
    *tls = NULL;
    if (listener ? !listener_has_tls(listener) : !old || !classic_listener_has_tls(old)) {
        return listener || old;
    }
    offer =
        listener ? tls_offer_listener(place->services, lb, listener) : tls_offer_classic(place->services, classic, old);
    *tls = offer ? tls_accept(offer) : NULL;
    return *tls != NULL;
}

static void
begin(struct door *door, int fd, const struct ip *client, int port)
{
    struct relay *relay = (struct relay *)door;
    struct ssl_st *tls;
    if (!greet(relay, &tls)) {
        close(fd);
        return;
    }
    struct passage *p = xcalloc(1, sizeof *p);
    p->client =
        (struct end){ .watch = { fd, on_client }, .stream = stream_of(fd, tls), .passage = p, .events = EPOLLIN };
    p->target = (struct end){ .watch = { -1, on_target }, .stream = { .fd = -1 }, .passage = p };
    p->relay = relay;
    p->client_ip = *client;
    p->client_port = port;
    p->last_ms = monotonic_ms();
    p->next = relay->first;
    if (p->next) {
        p->next->before = p;
    }
    relay->first = p;
    relay->door.n++;
    services_count(relay->place->services, tls ? "new-tls" : "new-tcp", relay->place->id, "-");
    if (!reactor_add(relay->reactor, &p->client.watch, EPOLLIN) || (!tls && !begin_target(p))) {
        passage_free(p);
    }
}

/* ---- the listener -------------------------------------------------------------------------------------------------
 */
struct relay *
relay_new(struct reactor *reactor, int fd, uint16_t port, const struct service_place *place)
{
    struct relay *relay = xcalloc(1, sizeof *relay);
    *relay = (struct relay){ .reactor = reactor, .place = place, .port = port };
    door_open(&relay->door, reactor, fd, CONNECTIONS_MAX, begin);
    return relay;
}

void
relay_free(struct relay *relay)
{
    if (relay) {
        while (relay->first) {
            passage_free(relay->first);
        }
        door_close(&relay->door);
        free(relay);
    }
}

void
relay_tick(struct relay *relay)
{
    door_tick(&relay->door);
    long long now = monotonic_ms();
    struct passage *next;
    for (struct passage *p = relay->first; p; p = next) {
        next = p->next;
        if (now - p->last_ms > (p->connected ? SILENCE_MS : CONNECT_MS)) {
            passage_free(p);
        }
    }
}
