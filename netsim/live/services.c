#include "netsim/live/services.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct open_service {
    struct service_place place;
    char ns[ID_SIZE + 16], id[ID_SIZE];
    uint32_t serial; /* of the namespace that the socket is in */
    struct ip ip;
    uint16_t port;
    struct http_server *http;
    bool wanted;
};
struct services {
    struct live_hooks hooks;
    struct reactor *reactor;
    struct metadata *metadata;
    VEC(struct open_service *) open;
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
    return services;
}

static void
close_service(struct open_service *open)
{
    http_server_free(open->http);
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
    metadata_free(services->metadata);
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

long long
services_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
services_tick(struct services *services)
{
    long long now = services_now_ms();
    for (size_t i = 0; i < services->open.n; i++) {
        http_server_tick(services->open.items[i]->http, now);
    }
    metadata_tick(services->metadata);
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
static socklen_t
socket_address(const struct ip *ip, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof *out);
    if (ip->family == IP_V4) {
        struct sockaddr_in *in = (struct sockaddr_in *)out;
        in->sin_family = AF_INET;
        in->sin_port = htons(port);
        in->sin_addr.s_addr = htonl((uint32_t)ip->lo);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons(port);
    for (int i = 0; i < 8; i++) {
        in6->sin6_addr.s6_addr[i] = (uint8_t)(ip->hi >> (56 - 8 * i));
        in6->sin6_addr.s6_addr[8 + i] = (uint8_t)(ip->lo >> (56 - 8 * i));
    }
    return sizeof *in6;
}

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

/* ---- what is open -------------------------------------------------------------------------------------------------
 */
static void
answer_http(void *context, struct http_exchange *exchange)
{
    struct open_service *open = context;
    switch (open->place.kind) {
    case PLAN_SERVE_METADATA:
        metadata_answer(open->place.services->metadata, &open->place, exchange);
        break;
    }
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
    spaces_enter(spaces, space);
    int fd = open_socket(&s->ip, s->port, SOCK_STREAM);
    spaces_go_home(spaces);
    if (fd < 0) {
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
    open->http = http_server_new(services->reactor, fd, answer_http, open);
    *VEC_ADD(&services->open) = open;
}

void
services_sync(struct services *services, const struct spaces *spaces, const struct plan *plan)
{
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
}
