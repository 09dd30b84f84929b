#include "netsim/live/services.h"

#include "base/monotonic.h"
#include "netsim/live/balancer.h"
#include "netsim/live/boot.h"
#include "netsim/live/dns_server.h"
#include "netsim/live/health.h"
#include "netsim/live/balancer_zones.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/live/internet_hosts.h"
#include "netsim/live/relay.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/plan_build.h"
#include "netsim/live/tls.h"
#include "netsim/live/tls_offers.h"
#include "netsim/model/endpoint.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/echo_server.h"

struct open_service {
    struct service_place place;
    char ns[ID_SIZE + 16], id[ID_SIZE];
    uint32_t serial; /* of the namespace that the socket is in */
    struct ip ip;
    uint16_t port;
    struct http_server *http; /* one of these */
    struct dns_server *dns;
    struct balancer *balancer;
    struct echo_server *echo;
    struct relay *relay;
    bool wanted;
};
struct services {
    struct live_hooks hooks;
    struct reactor *reactor;
    struct metadata *metadata;
    struct health *health;
    struct boot *boot;
    struct tls_book *tls;
    const struct spaces *spaces; /* NULL until the first services_sync() */
    VEC(struct open_service *) open;
    struct map counts; /* "name balancer group" -> uint64_t */
};

struct services *
services_new(const struct live_hooks *hooks, struct err *err)
{
    struct reactor *reactor = reactor_new();
    if (!reactor) {
        err_set(err, ERR_MACHINE, "", "cannot make an epoll: %s", strerror(errno));
        return NULL;
    }
    struct services *services = xcalloc(1, sizeof *services);
    services->hooks = *hooks;
    services->reactor = reactor;
    services->metadata = metadata_new();
    services->tls = tls_book_new();
    services->health = health_new(reactor, services->tls);
    services->boot = boot_new(reactor, &services->hooks);
    return services;
}

static void
close_service(struct open_service *open)
{
    http_server_free(open->http);
    dns_server_free(open->dns);
    balancer_free(open->balancer);
    echo_server_free(open->echo);
    relay_free(open->relay);
    free(open);
}

void
services_free(struct services *services)
{
    if (!services) {
        return;
    }
    for (size_t i = 0; i < services->open.n; i++) {
        close_service(services->open.items[i]);
    }
    VEC_DONE(&services->open);
    size_t cursor = 0;
    const char *key;
    void *count;
    while (map_next(&services->counts, &cursor, &key, &count)) {
        free(count);
    }
    map_done(&services->counts);
    metadata_free(services->metadata);
    health_free(services->health);
    boot_free(services->boot);
    tls_book_free(services->tls);
    reactor_free(services->reactor);
    free(services);
}

int
services_fd(const struct services *services)
{
    return reactor_fd(services->reactor);
}

void
services_run(struct services *services)
{
    reactor_run(services->reactor);
}

void
services_tick(struct services *services)
{
    long long now = monotonic_ms();
    for (size_t i = 0; i < services->open.n; i++) {
        struct open_service *open = services->open.items[i];
        if (open->http) {
            http_server_tick(open->http, now);
        } else if (open->dns) {
            dns_server_tick(open->dns, now);
        } else if (open->balancer) {
            balancer_tick(open->balancer);
        } else if (open->relay) {
            relay_tick(open->relay);
        }
    }
    metadata_tick(services->metadata);
    if (services->spaces) {
        health_tick(services->health, services->spaces);
    }
}

bool
services_want_plan(struct services *services)
{
    return health_has_changed(services->health);
}

void
services_note(struct services *services)
{
    health_sync(services->health, services_network(services));
}

const struct map *
services_unhealthy(const struct services *services)
{
    return health_unhealthy(services->health);
}

const struct buf *
services_console(const struct services *services, const char *instance_id)
{
    return boot_console(services->boot, instance_id);
}

bool
services_health(const struct services *services, const char *target_key, struct live_health *out)
{
    return health_state(services->health, target_key, out);
}

json_t *
services_health_json(const struct services *services)
{
    return health_json(services->health);
}

static void
count_more(struct services *services, const char *name, const char *balancer, const char *group, uint64_t n)
{
    char key[320];
    snprintf(key, sizeof key, "%s %s %s", name, balancer, group);
    uint64_t *count = map_get(&services->counts, key);
    if (!count) {
        count = xcalloc(1, sizeof *count);
        map_put(&services->counts, key, count);
    }
    *count += n;
}

void
services_count(struct services *services, const char *name, const char *balancer, const char *group)
{
    count_more(services, name, balancer, group, 1);
}

void
services_count_bytes(struct services *services, const char *balancer, uint64_t n)
{
    count_more(services, "bytes-http", balancer, "-", n);
}

void
services_counts(const struct services *services, services_visit *visit, void *context)
{
    size_t cursor = 0;
    const char *key;
    void *count;
    while (map_next(&services->counts, &cursor, &key, &count)) {
        char name[64], balancer[128], group[128];
        if (sscanf(key, "%63s %127s %127s", name, balancer, group) == 3) {
            visit(context, name, balancer, group, *(uint64_t *)count);
        }
    }
}

const struct network *
services_network(const struct services *services)
{
    return services->hooks.network(services->hooks.context);
}

const struct live_hooks *
services_hooks(const struct services *services)
{
    return &services->hooks;
}

/* ---- sockets ------------------------------------------------------------------------------------------------------
 */
/* In the namespace the thread is in.  The address need not be there yet (IP_FREEBIND). */
static int
open_socket(const struct ip *ip, uint16_t port, int type)
{
    struct sockaddr_storage address;
    socklen_t size = socket_address(ip, port, &address);
    int one = 1, fd = nlq_high_fd(socket(address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_IP, IP_FREEBIND, &one, sizeof one);
    if (address.ss_family == AF_INET6) {
        setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof one);
    }
    if (bind(fd, (struct sockaddr *)&address, size) < 0 || (type == SOCK_STREAM && listen(fd, 1024) < 0)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int
socket_in(const struct spaces *spaces, const struct space *space, int domain, int type, int protocol)
{
    spaces_enter(spaces, space);
    int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
    spaces_go_home(spaces);
    return nlq_high_fd(fd);
}

static int
new_socket(const struct spaces *spaces, const struct space *space, int family)
{
    return socket_in(spaces, space, family, SOCK_STREAM | SOCK_NONBLOCK, 0);
}

int
services_socket(const struct services *services, const char *ns, int domain, int type, int protocol)
{
    const struct space *space = services->spaces ? spaces_find(services->spaces, ns) : NULL;
    return space ? socket_in(services->spaces, space, domain, type, protocol) : -1;
}

/* The descriptor, or -1 when the kernel refuses at once. */
static int
begin_connect(int fd, const struct sockaddr_storage *address, socklen_t size)
{
    if (fd >= 0 && connect(fd, (const struct sockaddr *)address, size) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return fd;
}

int
services_connect(const struct spaces *spaces, const struct space *space, const struct ip *ip, int port)
{
    struct sockaddr_storage address;
    socklen_t size = socket_address(ip, port, &address);
    return begin_connect(new_socket(spaces, space, address.ss_family), &address, size);
}

/* An address that is not the node's own. */
static bool
bind_as(int fd, const struct ip *as, int port)
{
    struct sockaddr_storage own;
    socklen_t size = socket_address(as, port, &own);
    int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int level = as->family == IP_V6 ? SOL_IPV6 : SOL_IP,
        option = as->family == IP_V6 ? IPV6_TRANSPARENT : IP_TRANSPARENT;
    return setsockopt(fd, level, option, &one, sizeof one) == 0 && bind(fd, (struct sockaddr *)&own, size) == 0;
}

int
services_connect_proxied(const struct services *services, const char *ns, unsigned mark, const struct ip *ip, int port,
                         const struct ip *as, int as_port)
{
    const struct space *space = spaces_find(services->spaces, ns);
    struct sockaddr_storage address;
    socklen_t size = socket_address(ip, port, &address);
    /* The client's port may be taken there by an earlier connection of its: then any. */
    for (int tries = 0; space && tries < 2; tries++) {
        int fd = new_socket(services->spaces, space, address.ss_family);
        if (fd < 0) {
            return -1;
        }
        setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark);
        if (as && !bind_as(fd, as, tries ? 0 : as_port)) {
            close(fd);
            continue;
        }
        fd = begin_connect(fd, &address, size);
        if (fd >= 0 || !as) {
            return fd;
        }
    }
    return -1;
}

struct tls_book *
services_tls(const struct services *services)
{
    return services->tls;
}

/* ---- what is open -------------------------------------------------------------------------------------------------
 */
/* The one page of the internet. */
static void
answer_web(struct http_exchange *x)
{
    bool head = strcmp(x->request->method, "HEAD") == 0;
    http_field_add(x, "Server", "vpclab");
    http_field_add(x, "Content-Type", "text/plain");
    if (!head && strcmp(x->request->method, "GET") != 0) {
        x->status = 405;
        return;
    }
    buf_printf(&x->answer, "web.example: hello %s\n", ip_str(&x->peer));
    x->no_body = head;
    x->size = (long long)x->answer.size;
}

/* A service of AWS that the lab does not have: it says who was reached. */
static void
answer_plain(const struct service_place *place, struct http_exchange *x)
{
    const struct endpoint *endpoint =
        store_get(network_store(services_network(place->services)), &endpoint_kind, place->id);
    http_field_add(x, "Server", "vpclab");
    http_field_add(x, "Content-Type", "text/plain");
    buf_printf(&x->answer, "%s by %s: hello %s\n",
               endpoint && endpoint->service_name ? endpoint->service_name : "service",
               *place->id ? place->id : "the internet", ip_str(&x->peer));
    x->no_body = strcmp(x->request->method, "HEAD") == 0;
    x->size = (long long)x->answer.size;
}

/* What `serve` opened, on a machine with a namespace: it names itself, as a TAP host does. */
static void
answer_page(const struct open_service *open, struct http_exchange *x)
{
    http_field_add(x, "Content-Type", "text/plain");
    buf_printf(&x->answer, "%s\n", ip_str(&open->ip));
    x->no_body = strcmp(x->request->method, "HEAD") == 0;
    x->size = (long long)x->answer.size;
}

static bool
is_healthy(void *context, const struct target_group *group, const struct lb_target *target)
{
    struct live_health found;
    char key[BALANCER_KEY_SIZE];
    return services_health(context, balancer_target_key(group, target, key), &found) &&
           strcmp(found.state, "healthy") == 0;
}

static bool
node_serves(void *services, const struct network *net, const struct load_balancer *lb, const struct eni *node)
{
    return balancer_node_serves(net, lb, node, is_healthy, services);
}

static bool
ask_names(struct services *services, const char *vpc, const char *name, int type, struct dns_answer *answer)
{
    struct resolver_moment now = { .serves = node_serves, .context = services };
    if (getrandom(&now.draw, sizeof now.draw, GRND_NONBLOCK) != sizeof now.draw) {
        now.draw = 0; /* without chance the most likely is answered */
    }
    if (!resolver_ask_at(services_network(services), vpc, name, type, &now, answer, NULL)) {
        return false;
    }
    internet_hosts_complete(type, answer);
    return true;
}

static bool
answer_dns(void *context, const struct ip *asker, const struct dns_question *question, struct dns_answer *answer)
{
    const struct open_service *open = context;
    const struct network *net = services_network(open->place.services);
    const char *vpc = *open->id ? open->id : NULL;
    if (!ask_names(open->place.services, vpc, question->name, question->type, answer)) {
        return false;
    }
    const struct eni *eni = vpc ? network_eni_by_address(net, vpc, asker) : NULL;
    const struct subnet *subnet = eni ? store_get(network_store(net), &subnet_kind, eni->subnet_id) : NULL;
    struct dns_answer four = { 0 };
    if (resolver_wants_dns64(subnet, question->type, answer) &&
        ask_names(open->place.services, vpc, question->name, DNS_A, &four)) {
        resolver_dns64(subnet, &four, answer);
    }
    return true;
}

static void
answer_http(void *context, struct http_exchange *exchange)
{
    struct open_service *open = context;
    switch (open->place.kind) {
    case PLAN_SERVE_METADATA:
        metadata_answer(open->place.services->metadata, &open->place, exchange);
        break;
    case PLAN_SERVE_WEB:
        answer_web(exchange);
        break;
    case PLAN_SERVE_S3:
        services_hooks(open->place.services)->s3(services_hooks(open->place.services)->context, open->id, exchange);
        break;
    case PLAN_SERVE_PLAIN:
        answer_plain(&open->place, exchange);
        break;
    case PLAN_SERVE_PAGE:
        answer_page(open, exchange);
        break;
    case PLAN_SERVE_BALANCER:
    case PLAN_SERVE_RELAY:
    case PLAN_SERVE_DNS:
    case PLAN_SERVE_ECHO:
        break; /* have servers of their own */
    }
}

/* What port 443 of AWS's services shows. */
static struct tls_offer *
offer_of(void *context)
{
    const struct open_service *open = context;
    return tls_offer_service(open->place.services, open->id, open->place.kind == PLAN_SERVE_S3 ? "s3" : "dynamodb");
}

static struct open_service *
find_open(const struct services *services, const struct space *space, const struct plan_service *s)
{
    for (size_t i = 0; i < services->open.n; i++) {
        struct open_service *open = services->open.items[i];
        if (open->serial == space->serial && open->place.kind == s->kind && open->port == s->port &&
            ip_equal(&open->ip, &s->ip) && strcmp(open->id, s->id) == 0) {
            return open;
        }
    }
    return NULL;
}

static void
open_service(struct services *services, const struct spaces *spaces, const struct space *space,
             const struct plan_service *s)
{
    bool dns = s->kind == PLAN_SERVE_DNS, echo = s->kind == PLAN_SERVE_ECHO;
    spaces_enter(spaces, space);
    int fd = echo ? -1 : open_socket(&s->ip, s->port, SOCK_STREAM),
        udp = dns || echo ? open_socket(&s->ip, s->port, SOCK_DGRAM) : -1;
    spaces_go_home(spaces);
    if ((!echo && fd < 0) || ((dns || echo) && udp < 0)) {
        close(fd);
        close(udp);
        return;
    }
    struct open_service *open = xcalloc(1, sizeof *open);
    snprintf(open->ns, sizeof open->ns, "%s", space->id);
    snprintf(open->id, sizeof open->id, "%s", s->id);
    open->place = (struct service_place){ services, s->kind, open->ns, open->id };
    open->serial = space->serial;
    open->ip = s->ip;
    open->port = s->port;
    open->wanted = true;
    if (dns) {
        open->dns = dns_server_new(services->reactor, udp, fd, answer_dns, open);
    } else if (s->kind == PLAN_SERVE_BALANCER) {
        open->balancer = balancer_new(services->reactor, fd, s->port, &open->place);
    } else if (s->kind == PLAN_SERVE_RELAY) {
        open->relay = relay_new(services->reactor, fd, s->port, &open->place);
    } else if (echo) {
        open->echo = echo_server_new(services->reactor, udp);
    } else {
        open->http = http_server_new(services->reactor, fd, answer_http, open);
        if (s->port == 443 && (s->kind == PLAN_SERVE_S3 || s->kind == PLAN_SERVE_PLAIN)) {
            http_server_secure(open->http, offer_of);
        }
    }
    *VEC_ADD(&services->open) = open;
}

void
services_sync(struct services *services, const struct spaces *spaces, const struct plan *plan)
{
    services->spaces = spaces;
    for (size_t i = 0; i < services->open.n; i++) {
        services->open.items[i]->wanted = false;
    }
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        const struct plan_ns *ns = plan->namespaces.items[i];
        const struct space *space = ns->services.n ? spaces_find(spaces, ns->id) : NULL;
        for (size_t j = 0; space && j < ns->services.n; j++) {
            struct open_service *open = find_open(services, space, &ns->services.items[j]);
            if (open) {
                open->wanted = true;
            } else {
                open_service(services, spaces, space, &ns->services.items[j]);
            }
        }
    }
    for (size_t i = services->open.n; i-- > 0;) {
        if (!services->open.items[i]->wanted) {
            close_service(services->open.items[i]);
            VEC_REMOVE(&services->open, i);
        }
    }
    boot_sync(services->boot, spaces, services_network(services));
}
