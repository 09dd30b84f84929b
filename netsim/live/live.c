#include "netsim/live/live.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/gwlb.h"
#include "netsim/live/live_internal.h"
#include "netsim/live/nat64_carrier.h"
#include "netsim/live/plan_balancer.h"
#include "netsim/live/plan_mend.h"
#include "netsim/live/plan_nat64.h"
#include "netsim/live/services.h"
#include "netsim/live/socket_address.h"
#include "netsim/live/tap_hosts.h"

static bool
any_nat64(const struct plan *plan)
{
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        if (plan_has_nat64(plan->namespaces.items[i])) {
            return true;
        }
    }
    return false;
}

/* What endpoints of gateway load balancers carry, and NAT gateways translate, follows the plan. */
static bool
carry(struct live *live, const struct plan *plan, struct err *err)
{
    bool nat64 = any_nat64(plan);
    if (nat64 && !live->nat64) {
        live->nat64 = nat64_carrier_new(err);
    }
    if (live->nat64 ? !nat64_carrier_sync(live->nat64, &live->spaces, plan, err) : nat64) {
        return false;
    }
    if (plan->gwlb && !live->gwlb) {
        live->gwlb = gwlb_new(err);
    }
    return live->gwlb ? gwlb_sync(live->gwlb, &live->spaces, plan, err) : !plan->gwlb;
}

static struct live *
start(const struct network *net, bool exact, const struct progress *progress, struct err *err)
{
    struct live *live = xcalloc(1, sizeof *live);
    if (!spaces_init(&live->spaces, err)) {
        free(live);
        return NULL;
    }
    live->spaces.exact = exact;
    live->plan = plan_new(net, &live->numbers);
    network_changes_seen(net);
    if (!apply(&live->spaces, NULL, live->plan, progress, err) || !carry(live, live->plan, err)) {
        live_stop(live);
        return NULL;
    }
    return live;
}

struct live *
live_start(const struct network *net, const struct progress *progress, struct err *err)
{
    return start(net, false, progress, err);
}

struct live *
live_start_exact(const struct network *net, const struct progress *progress, struct err *err)
{
    return start(net, true, progress, err);
}

/* The common small changes.  '*done' false: they are not such. */
static bool
update_part(struct live *live, const struct network *net, bool *done, struct err *err)
{
    const struct network_change *changes;
    size_t n;
    struct plan_mend mend;
    *done = network_changes(net, &changes, &n) && plan_mend_new(live->plan, net, &live->numbers, changes, n, &mend);
    if (!*done) {
        return true;
    }
    bool ok = apply(&live->spaces, mend.from, mend.to, NULL, err);
    if (ok) {
        plan_mend_take(live->plan, &mend);
        network_changes_seen(net);
    }
    plan_mend_done(&mend);
    return ok;
}

bool
live_update(struct live *live, const struct network *net, struct err *err)
{
    bool done, ok = update_part(live, net, &done, err);
    if (done) {
        return ok;
    }
    if (live->services) {
        services_note(live->services);
    }
    struct plan *next = plan_new(net, &live->numbers);
    if (!apply(&live->spaces, live->plan, next, NULL, err)) {
        plan_free(next);
        return false;
    }
    if (!carry(live, next, err)) {
        apply(&live->spaces, next, live->plan, NULL, NULL);
        carry(live, live->plan, NULL);
        plan_free(next);
        return false;
    }
    if (live->services) {
        services_sync(live->services, &live->spaces, next);
    }
    flow_source_follow(live->flows, next);
    plan_free(live->plan);
    live->plan = next;
    network_changes_seen(net);
    return true;
}

void
live_stop(struct live *live)
{
    if (live) {
        flow_source_free(live->flows);
        gwlb_free(live->gwlb);
        nat64_carrier_free(live->nat64);
        services_free(live->services);
        spaces_done(&live->spaces);
        plan_free(live->plan);
        plan_numbers_done(&live->numbers);
        free(live);
    }
}

bool
live_serve(struct live *live, const struct live_hooks *hooks, struct err *err)
{
    live->services = services_new(hooks, err);
    if (live->services) {
        services_note(live->services);
        live->numbers.unhealthy = services_unhealthy(live->services);
        services_sync(live->services, &live->spaces, live->plan);
    }
    return live->services != NULL;
}

int
live_fd(const struct live *live)
{
    return live->services ? services_fd(live->services) : -1;
}

/* What the kernel did not take (it was out of memory for a moment) is due again at the next tick. */
static void
follow_health(struct live *live, bool again)
{
    if (services_want_plan(live->services) || (again && live->plan_is_due)) {
        live->plan_is_due = !live_update(live, services_network(live->services), NULL);
    }
}

void
live_ready(struct live *live)
{
    if (live->services) {
        services_run(live->services);
        follow_health(live, false);
    }
}

void
live_tick(struct live *live)
{
    if (live->services) {
        services_tick(live->services);
        follow_health(live, true);
    }
}

const struct buf *
live_console(const struct live *live, const char *instance_id)
{
    return live->services ? services_console(live->services, instance_id) : NULL;
}

bool
live_target_health(const struct live *live, const struct target_group *group, const struct lb_target *target,
                   struct live_health *out)
{
    char key[BALANCER_KEY_SIZE];
    return live->services && services_health(live->services, balancer_target_key(group, target, key), out);
}

bool
live_instance_health(const struct live *live, const struct classic_balancer *lb, const char *instance_id,
                     struct live_health *out)
{
    char key[BALANCER_KEY_SIZE];
    return live->services && services_health(live->services, balancer_classic_key(lb, instance_id, key), out);
}

json_t *
live_health(const struct live *live)
{
    return live->services ? services_health_json(live->services) : json_object();
}

const char *
live_router_end(const struct live *live, const char *eni_id)
{
    for (size_t i = 0; i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        for (size_t j = 0; ns->kind == PLAN_ROUTER && j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            bool is = strcmp(link->eni_id, eni_id) == 0;
            for (size_t k = 0; k < link->hosts.n && !is; k++) {
                is = strcmp(link->hosts.items[k].eni_id, eni_id) == 0;
            }
            if (is) {
                return link->here.name;
            }
        }
    }
    return NULL;
}

int
live_namespace(const struct live *live, const char *id)
{
    const struct space *space = spaces_find(&live->spaces, id);
    return space ? space->fd : -1;
}

static int
bind_socket(int fd, int family, int protocol, const struct ip *ip, int port)
{
    struct ip any = { .family = (uint8_t)family };
    struct sockaddr_storage own;
    socklen_t own_size = socket_address(ip ? ip : &any, port, &own);
    int on = 1, size = 8 << 20;
    if (protocol == PROTOCOL_TCP) { /* of UDP it would take the datagrams of who has the port */
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    }
    if (family == IP_V6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (protocol == PROTOCOL_UDP) { /* TCP finds its own size */
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    }
    return bind(fd, (struct sockaddr *)&own, own_size) < 0 ? -1 : protocol == PROTOCOL_TCP && port ? listen(fd, 16) : 0;
}

int
live_socket(const struct live *live, const char *id, int family, int protocol, const struct ip *ip, int port,
            struct err *err)
{
    const struct space *space = spaces_find(&live->spaces, id);
    if (!space) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not in the live lab", id);
        return -1;
    }
    spaces_enter(&live->spaces, space);
    int fd = socket(family == IP_V6 ? AF_INET6 : AF_INET,
                    (protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    int status = fd < 0 ? -1 : bind_socket(fd, family, protocol, ip, port), why = errno;
    spaces_go_home(&live->spaces);
    if (status < 0 && why == EADDRINUSE) {
        err_set(err, ERR_INPUT, "IncorrectState", "%s port %d of `%s` is taken", protocol_name(protocol), port, id);
        err_hint(err, "a program in it, or `serve`, has it: choose another port");
    } else if (status < 0) {
        err_set(err, ERR_MACHINE, "", "cannot open a socket in `%s`: %s", id, strerror(why));
    }
    if (status < 0 && fd >= 0) {
        close(fd);
    }
    return status < 0 ? -1 : fd;
}

static const struct plan_tap *
find_host(const struct live *live, const char *id, uint32_t *index)
{
    for (size_t i = 0; i < live->plan->namespaces.n; i++) {
        const struct plan_ns *ns = live->plan->namespaces.items[i];
        for (size_t j = 0; ns->kind == PLAN_ROUTER && j < ns->links.n; j++) {
            const struct plan_tap *host = plan_link_host(&ns->links.items[j], id);
            if (host) {
                *index = ns->links.items[j].here.index;
                return host;
            }
        }
    }
    return NULL;
}

int
live_host_socket(const struct live *live, const char *id, int family, int protocol, struct ip *ip, int *port,
                 struct err *err)
{
    struct tap_name name = { .index = 0 };
    const struct plan_tap *host = find_host(live, id, &name.index);
    uint16_t number = 0;
    *ip = (struct ip){ 0 };
    for (size_t i = host ? host->host.addresses.n : 0; i-- > 0;) { /* the first is the primary one */
        if (host->host.addresses.items[i].family == family) {
            *ip = host->host.addresses.items[i];
        }
    }
    if (!ip->family) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                host ? "`%s` has no such address" : "`%s` is no TAP host of the live lab", id);
        return -1;
    }
    memcpy(name.mac, host->host.mac, sizeof name.mac);
    int fd = tap_hosts_lend(live->spaces.taps, &name, protocol, &number);
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot send from `%s`: %s", id, strerror(errno));
    }
    *port = number;
    return fd;
}

bool
live_guest(const struct live *live, const char *id, const struct guest **guest, int *user_fd, struct err *err)
{
    struct space *space = spaces_find(&live->spaces, id);
    *guest = NULL;
    *user_fd = -1;
    if (!space) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not in the live lab", id);
    }
    if (space->kind != PLAN_INSTANCE) {
        return true;
    }
    *guest = space_guest(&live->spaces, space, err);
    *user_fd = guests_user(live->spaces.guests);
    return *guest != NULL;
}
