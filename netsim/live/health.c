#include "netsim/live/health.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/monotonic.h"
#include "netsim/live/http.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/live/proxy_header.h"
#include "netsim/live/services.h"
#include "netsim/live/stream.h"
#include "netsim/live/tls.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/failure.h"

#define TIMEOUT_MS 2000 /* or the group's, if that is shorter */

struct check {
    struct watch watch; /* first; fd -1: none is under way */
    struct health *health;
    char key[BALANCER_KEY_SIZE], node[ID_SIZE]; /* the balancer's interface that asks */
    struct ip ip;
    int port, timeout_ms, healthy_after, unhealthy_after;
    char *path, *matcher; /* of an HTTP check; NULL: a connection is enough */
    bool tls;             /* which includes hands shaken */
    bool header;          /* the PROXY header goes first, which says that nobody is behind it */
    struct stream stream;
    enum health_state { INITIAL, HEALTHY, UNHEALTHY } state;
    int n_good, n_bad; /* in a row */
    enum live_health_why why;
    int status;
    long long since_ms;
    struct buf in;
    bool connected, asked, wanted;
    bool cut; /* the zone of the node has failed, and with it every other of the balancer's */
};
struct health {
    struct reactor *reactor;
    struct tls_book *tls;
    VEC(struct check *) checks;
    struct map unhealthy;
    bool changed;
};

struct health *
health_new(struct reactor *reactor, struct tls_book *tls)
{
    struct health *health = xcalloc(1, sizeof *health);
    health->reactor = reactor;
    health->tls = tls;
    return health;
}

static void
stop(struct check *c)
{
    if (c->watch.fd >= 0) {
        reactor_remove(c->health->reactor, &c->watch);
        stream_close(&c->stream);
        c->watch.fd = -1;
    }
    buf_done(&c->in);
    c->connected = c->asked = false;
}

static void
check_free(struct check *c)
{
    stop(c);
    map_remove(&c->health->unhealthy, c->key);
    free(c->path);
    free(c->matcher);
    free(c);
}

void
health_free(struct health *health)
{
    for (size_t i = 0; health && i < health->checks.n; i++) {
        check_free(health->checks.items[i]);
    }
    if (health) {
        VEC_DONE(&health->checks);
        map_done(&health->unhealthy);
        free(health);
    }
}

/* ---- which there are ----------------------------------------------------------------------------------------------
 */
static struct check *
find(const struct health *health, const char *key)
{
    for (size_t i = 0; i < health->checks.n; i++) {
        if (strcmp(health->checks.items[i]->key, key) == 0) {
            return health->checks.items[i];
        }
    }
    return NULL;
}

/* "HTTP", "HTTPS", and the beginnings of Classic targets, "SSL:443". */
static bool
asks_page(const char *protocol)
{
    return protocol && strncmp(protocol, "HTTP", 4) == 0;
}

static bool
asks_tls(const char *protocol)
{
    return protocol && (strncmp(protocol, "HTTPS", 5) == 0 || strncmp(protocol, "SSL", 3) == 0);
}

/* The node that asks: one that is alive, of these the one in the target's zone.  NULL: the balancer has none. */
static const struct eni *
node_for(const struct network *net, struct eni *const *enis, size_t n, const char *zone)
{
    const struct eni *best = NULL;
    int best_worth = -1;
    for (size_t i = 0; i < n; i++) {
        bool near = zone && enis[i]->zone && strcmp(enis[i]->zone, zone) == 0;
        int worth = (eni_failure(net, enis[i]) ? 0 : 2) + near;
        if (worth > best_worth) {
            best = enis[i];
            best_worth = worth;
        }
    }
    return best;
}

/* The check of that name, made anew if there is none. */
static struct check *
check_of(struct health *health, const struct network *net, const char *key, const struct ip *ip, const struct eni *node)
{
    struct check *c = find(health, key);
    if (!c) {
        c = *VEC_ADD(&health->checks) = xcalloc(1, sizeof *c);
        c->health = health;
        c->watch.fd = -1;
        snprintf(c->key, sizeof c->key, "%s", key);
        map_put(&health->unhealthy, key, c);
        health->changed = true;
    }
    c->wanted = true;
    c->cut = eni_failure(net, node) != NULL;
    c->ip = *ip;
    snprintf(c->node, sizeof c->node, "%s", node->obj.id);
    return c;
}

static void
set_check(struct check *c, int timeout_s, int healthy_after, int unhealthy_after, const char *protocol,
          const char *path, const char *matcher)
{
    path = asks_page(protocol) ? path ? path : "/" : NULL;
    c->tls = asks_tls(protocol);
    c->header = false;
    c->timeout_ms = timeout_s > 0 && timeout_s * 1000 < TIMEOUT_MS ? timeout_s * 1000 : TIMEOUT_MS;
    c->healthy_after = healthy_after > 0 ? healthy_after : 5;
    c->unhealthy_after = unhealthy_after > 0 ? unhealthy_after : 2;
    free(c->path);
    free(c->matcher);
    c->path = path ? xstrdup(path) : NULL;
    c->matcher = path ? xstrdup(matcher ? matcher : "200") : NULL;
}

static void
want(struct health *health, const struct network *net, const struct load_balancer *lb, const struct target_group *group,
     const struct lb_target *target)
{
    struct balancer_target t;
    char key[BALANCER_KEY_SIZE];
    if (!balancer_target_address(net, lb, group, target, &t)) {
        return;
    }
    struct eni *const *enis;
    size_t n = load_balancer_enis(net, lb, &enis);
    const struct eni *node = node_for(net, enis, n, t.zone);
    if (!node) {
        return;
    }
    struct check *c = check_of(health, net, balancer_target_key(group, target, key), &t.ip, node);
    bool own = !group->health_port || strcmp(group->health_port, "traffic-port") == 0;
    c->port = own ? t.port : atoi(group->health_port);
    set_check(c, group->health_timeout_s, group->healthy_count, group->unhealthy_count, group->health_protocol,
              group->health_path, group->matcher_http);
    c->header = target_group_sends_header(group);
}

/* "TCP:80", "SSL:443", "HTTPS:443/index.html": what begins with HTTP asks for the page, which must answer 200. */
static void
want_instance(struct health *health, const struct network *net, const struct classic_balancer *lb, const char *id)
{
    const struct eni *eni = balancer_classic_instance(net, lb, NULL, id);
    const char *page = lb->health_target ? strchr(lb->health_target, '/') : NULL;
    struct eni *const *enis;
    char key[BALANCER_KEY_SIZE];
    size_t n = classic_balancer_enis(net, lb, &enis);
    const struct eni *node = eni ? node_for(net, enis, n, eni->zone) : NULL;
    if (node && classic_balancer_health_port(lb)) {
        struct check *c = check_of(health, net, balancer_classic_key(lb, id, key), eni_primary_ip(eni), node);
        c->port = classic_balancer_health_port(lb);
        set_check(c, lb->health_timeout_s, lb->healthy_count, lb->unhealthy_count, lb->health_target, page, "200");
    }
}

void
health_sync(struct health *health, const struct network *net)
{
    const struct store *store = network_store(net);
    for (size_t i = 0; i < health->checks.n; i++) {
        health->checks.items[i]->wanted = false;
    }
    for (const struct target_group *g = store_first(store, &target_group_kind); g; g = store_next(store, g)) {
        const struct load_balancer *lb =
            g->balancer_arns.n ? network_load_balancer(net, g->balancer_arns.items[0]) : NULL;
        for (size_t i = 0; lb && i < g->targets.n; i++) {
            want(health, net, lb, g, &g->targets.items[i]);
        }
    }
    for (const struct classic_balancer *lb = store_first(store, &classic_balancer_kind); lb;
         lb = store_next(store, lb)) {
        for (size_t i = 0; i < lb->instances.n; i++) {
            want_instance(health, net, lb, lb->instances.items[i].id);
        }
    }
    for (size_t i = health->checks.n; i-- > 0;) {
        if (!health->checks.items[i]->wanted) {
            check_free(health->checks.items[i]);
            VEC_REMOVE(&health->checks, i);
        }
    }
}

/* ---- one check ----------------------------------------------------------------------------------------------------
 */
static void
note(struct check *c, enum live_health_why why, int status)
{
    enum health_state was = c->state;
    bool good = why == LIVE_HEALTH_WELL;
    stop(c);
    c->why = why;
    c->status = status;
    c->n_good = good ? c->n_good + 1 : 0;
    c->n_bad = good ? 0 : c->n_bad + 1;
    if (good && (c->state == INITIAL || c->n_good >= c->healthy_after)) {
        c->state = HEALTHY;
    } else if (c->n_bad >= c->unhealthy_after) {
        c->state = UNHEALTHY;
    }
    if (c->state != was) {
        c->health->changed = true;
        if (c->state == HEALTHY) {
            map_remove(&c->health->unhealthy, c->key);
        } else {
            map_put(&c->health->unhealthy, c->key, c);
        }
    }
}

/* "200", "200,301", "200-299" */
static bool
matches(const char *matcher, int status)
{
    while (*matcher) {
        char *end;
        long from = strtol(matcher, &end, 10), to = *end == '-' ? strtol(end + 1, &end, 10) : from;
        if (status >= from && status <= to) {
            return true;
        }
        matcher = *end == ',' ? end + 1 : "";
    }
    return false;
}

static void
read_answer(struct check *c)
{
    char data[4096];
    ssize_t n = stream_read(&c->stream, data, sizeof data);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (n > 0) {
        buf_add(&c->in, data, (size_t)n);
    }
    struct http_head head;
    size_t used;
    enum http_progress progress = http_read_answer(buf_str(&c->in), c->in.size, &head, &used);
    if (progress == HTTP_DONE) {
        int status = head.status;
        http_head_done(&head);
        note(c, matches(c->matcher, status) ? LIVE_HEALTH_WELL : LIVE_HEALTH_STATUS, status);
    } else if (progress == HTTP_BAD || n <= 0) {
        note(c, LIVE_HEALTH_CONNECTION, 0);
    }
}

static void
ask(struct check *c)
{
    struct buf request = { 0 };
    buf_printf(&request,
               "GET %s HTTP/1.1\r\nHost: %s:%d\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n\r\n",
               c->path, ip_str(&c->ip), c->port);
    bool sent = stream_write(&c->stream, request.data, request.size) == (ssize_t)request.size;
    buf_done(&request);
    c->asked = true;
    if (sent) {
        reactor_change(c->health->reactor, &c->watch, EPOLLIN);
    } else {
        note(c, LIVE_HEALTH_CONNECTION, 0);
    }
}

static bool
send_header(const struct check *c)
{
    struct buf out = { 0 };
    proxy_header_v2(&out, NULL);
    bool sent = send(c->watch.fd, out.data, out.size, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)out.size;
    buf_done(&out);
    return sent;
}

static void
on_ready(struct watch *watch, uint32_t events)
{
    struct check *c = (struct check *)watch;
    (void)events;
    if (c->asked) {
        read_answer(c);
        return;
    }
    int why = 0;
    socklen_t size = sizeof why;
    if (!c->connected && (getsockopt(watch->fd, SOL_SOCKET, SO_ERROR, &why, &size) < 0 || why)) {
        note(c, why == ETIMEDOUT ? LIVE_HEALTH_TIMEOUT : LIVE_HEALTH_CONNECTION, 0);
        return;
    }
    bool is_new = !c->connected;
    c->connected = true;
    if (is_new && c->header && !send_header(c)) {
        note(c, LIVE_HEALTH_CONNECTION, 0);
    } else if (!stream_shake(&c->stream)) {
        note(c, LIVE_HEALTH_CONNECTION, 0);
    } else if (!c->stream.shaken) {
        reactor_change(c->health->reactor, watch, stream_events(&c->stream, true, false));
    } else if (c->path) {
        ask(c);
    } else {
        note(c, LIVE_HEALTH_WELL, 0);
    }
}

static void
begin(struct check *c, const struct spaces *spaces, long long now)
{
    const struct space *space = spaces_find(spaces, c->node);
    if (!space) {
        if (c->cut) { /* nobody is left who could ask */
            note(c, LIVE_HEALTH_TIMEOUT, 0);
        }
        return;
    }
    c->since_ms = now;
    c->watch = (struct watch){ services_connect(spaces, space, &c->ip, c->port), on_ready };
    c->stream = stream_of(c->watch.fd, c->watch.fd >= 0 && c->tls ? tls_connect(c->health->tls, NULL) : NULL);
    if (c->watch.fd < 0) {
        note(c, LIVE_HEALTH_CONNECTION, 0);
    } else {
        reactor_add(c->health->reactor, &c->watch, EPOLLOUT);
    }
}

/* Is there something of the check that the reactor has not told yet? */
static bool
is_ready(const struct check *c)
{
    struct pollfd p = { .fd = c->watch.fd, .events = c->connected ? POLLIN : POLLOUT };
    return poll(&p, 1, 0) > 0;
}

void
health_tick(struct health *health, const struct spaces *spaces)
{
    long long now = monotonic_ms();
    for (size_t i = 0; i < health->checks.n; i++) {
        struct check *c = health->checks.items[i];
        bool late = c->watch.fd >= 0 && now - c->since_ms >= c->timeout_ms;
        if (late && is_ready(c)) { /* it is we who are late, on a machine that has much to do */
            c->since_ms = now;
        } else if (late) {
            note(c, LIVE_HEALTH_TIMEOUT, 0);
        }
        if (c->watch.fd < 0) {
            begin(c, spaces, now);
        }
    }
}

bool
health_has_changed(struct health *health)
{
    bool changed = health->changed;
    health->changed = false;
    return changed;
}

const struct map *
health_unhealthy(const struct health *health)
{
    return &health->unhealthy;
}

static const char *
state_name(const struct check *c)
{
    static const char *const names[] = { [INITIAL] = "initial", [HEALTHY] = "healthy", [UNHEALTHY] = "unhealthy" };
    return names[c->state];
}

bool
health_state(const struct health *health, const char *key, struct live_health *out)
{
    const struct check *c = find(health, key);
    if (c) {
        *out = (struct live_health){ state_name(c), c->why, c->status };
    }
    return c != NULL;
}

json_t *
health_json(const struct health *health)
{
    json_t *out = json_object();
    for (size_t i = 0; i < health->checks.n; i++) {
        char of[BALANCER_KEY_SIZE], target[BALANCER_KEY_SIZE];
        if (sscanf(health->checks.items[i]->key, "%319s %319s", of, target) == 2) {
            json_t *states = json_object_get(out, of);
            if (!states) {
                json_object_set_new(out, of, states = json_object());
            }
            json_object_set_new(states, target, json_string(state_name(health->checks.items[i])));
        }
    }
    return out;
}
