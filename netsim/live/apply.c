#include "netsim/live/apply.h"

#include <errno.h>
#include <fcntl.h>
#include <nftables/libnftables.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "netsim/live/apply_rules.h"
#include "netsim/live/apply_switches.h"
#include "netsim/live/doctor.h"
#include "netsim/live/tap_hosts.h"

/* ---- spaces -------------------------------------------------------------------------------------------------------
 */
bool
spaces_init(struct spaces *spaces, struct err *err)
{
    *spaces = (struct spaces){ .home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
                               .transaction_size = apply_rules_transaction(),
                               .has_ip6 = access("/proc/sys/net/ipv6", F_OK) == 0 };
    if (spaces->home < 0) {
        return err_set(err, ERR_MACHINE, "", "cannot open /proc/self/ns/net: %s", strerror(errno));
    }
    spaces->guests = guests_new(err);
    if (!spaces->guests) {
        close(spaces->home);
    }
    return spaces->guests != NULL;
}

const struct guest *
space_guest(const struct spaces *spaces, struct space *space, struct err *err)
{
    struct guest *guest = &space->guest;
    if (guest->init > 0 && kill(guest->init, 0) < 0) {
        guest->init = 0; /* it was killed; its number may be another's */
        guest_leave(guest);
    }
    if (guest->init == 0) {
        if (!guests_settle(spaces->guests, space->fd, guest)) {
            err_set(err, ERR_MACHINE, "", "cannot make the namespaces of programs in `%s`: %s", space->id,
                    strerror(errno));
            return NULL;
        }
        guest->processes = nlq_high_fd(guest->processes);
        guest->files = nlq_high_fd(guest->files);
        spaces_enter(spaces, space);
        bool ok = switch_programs(err);
        spaces_go_home(spaces);
        if (!ok) {
            return NULL;
        }
    }
    return guest;
}

static void
space_free(struct space *space)
{
    if (space->nft) {
        nft_ctx_free(space->nft);
    }
    if (space->batch_fd >= 0) {
        close(space->batch_fd);
    }
    guest_leave(&space->guest);
    nlq_free(space->q);
    close(space->fd);
    free(space->id);
    free(space);
}

void
spaces_done(struct spaces *spaces)
{
    tap_hosts_free(spaces->taps);
    for (size_t i = 0; i < spaces->list.n; i++) {
        space_free(spaces->list.items[i]);
    }
    VEC_DONE(&spaces->list);
    const char *name;
    void *value;
    for (size_t cursor = 0; map_next(&spaces->defaults, &cursor, &name, &value);) {
        free(value);
    }
    map_done(&spaces->defaults);
    map_done(&spaces->by_id);
    guests_free(spaces->guests);
    close(spaces->home);
}

struct space *
spaces_find(const struct spaces *spaces, const char *id)
{
    return map_get(&spaces->by_id, id);
}

static void
join(int fd)
{
    if (setns(fd, CLONE_NEWNET) < 0) {
        /* Going on in the wrong namespace could touch another network: better an abrupt end, which takes the lab with
         * it. */
        fprintf(stderr, "vpclab: cannot change the network namespace: %s\n", strerror(errno));
        abort();
    }
}

void
spaces_enter(const struct spaces *spaces, const struct space *space)
{
    (void)spaces;
    join(space->fd);
}

void
spaces_go_home(const struct spaces *spaces)
{
    join(spaces->home);
}

static void
spaces_remove(struct spaces *spaces, const char *id)
{
    struct space *space = spaces_find(spaces, id);
    for (size_t i = 0; space && i < spaces->list.n; i++) {
        if (spaces->list.items[i] == space) {
            map_remove(&spaces->by_id, id);
            VEC_REMOVE(&spaces->list, i);
            space_free(space);
            return;
        }
    }
}

/* Outside AWS the addresses of the labs are asked for before the local table (plan.c, plan_onprem.c), so its own rule
 * goes. */
static void
drop_local_rule(struct space *space, int family)
{
    if (space->kind == PLAN_INTERNET || space->kind == PLAN_ONPREM) {
        nlq_rule(space->q, false, &(struct nlq_rule){ .family = (uint8_t)family, .table = 255 });
    }
}

/* We are inside it afterwards.  An instance's belongs to the guests: whoever is root there has no say in a router. */
static int
new_namespace(const struct spaces *spaces, enum plan_kind kind)
{
    if (kind == PLAN_INSTANCE) {
        int fd = nlq_high_fd(guests_net(spaces->guests));
        if (fd >= 0) {
            join(fd);
        }
        return fd;
    }
    return unshare(CLONE_NEWNET) == 0 ? nlq_high_fd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) : -1;
}

/* A new namespace with its sockets; we stay inside until the caller goes home. */
static bool
space_create(struct spaces *spaces, const struct plan_ns *ns, struct err *err)
{
    int fd = new_namespace(spaces, ns->kind);
    if (fd < 0) {
        err_set(err, ERR_MACHINE, "", "cannot make a network namespace for `%s`: %s", ns->id, strerror(errno));
        return err_hint(err, errno == ENOSPC   ? "as root: sysctl -w user.max_net_namespaces=100000"
                             : errno == EMFILE ? "raise the limit of open files (ulimit -n)"
                                               : "`vpclab doctor` tells what this machine can do");
    }
    struct space *space = xcalloc(1, sizeof *space);
    space->id = xstrdup(ns->id);
    space->serial = ++spaces->last_serial;
    space->kind = ns->kind;
    space->fd = fd;
    space->batch_fd = -1;
    space->guest = (struct guest){ .processes = -1, .files = -1 };
    *VEC_ADD(&spaces->list) = space;
    map_put(&spaces->by_id, ns->id, space);
    if (!switch_kind(spaces, ns->kind, err) || !switch_ip6(spaces, ns->kind, ns->ip6, true, err) ||
        !switch_forwards(spaces, ns, true, err)) {
        return false;
    }
    space->q = nlq_new(err);
    if (!space->q) {
        return false;
    }
    if (spaces->exact) {
        nlq_exact(space->q);
    }
    nlq_link_up(space->q, PLAN_LOOPBACK);
    drop_local_rule(space, IP_V4);
    if (ns->ip6) {
        drop_local_rule(space, IP_V6);
    }
    return true;
}

/* ---- the difference -----------------------------------------------------------------------------------------------
 */
static const struct plan_ns nothing;

/* One pass over a namespace.  'relinked': links of this namespace that were just made; whatever hangs on them went with
 * the old one. */
struct change {
    struct space *space;
    const struct plan_ns *from, *to; /* never NULL */
    VEC(uint32_t) relinked;
    VEC(uint32_t) awaited; /* of those: ends of veth pairs, which come into service by themselves */
    VEC(uint32_t) down;    /* those that another namespace made: still to be switched on */
    VEC(uint32_t) early;   /* routing tables that are filled already */
};

static bool
is_relinked(const struct change *c, uint32_t index)
{
    for (size_t i = 0; i < c->relinked.n; i++) {
        if (c->relinked.items[i] == index) {
            return true;
        }
    }
    return false;
}

static bool
is_early(const struct change *c, uint32_t table)
{
    for (size_t i = 0; i < c->early.n; i++) {
        if (c->early.items[i] == table) {
            return true;
        }
    }
    return false;
}

/* Most namespaces stay as they are: byte for byte the same needs no closer look.  (Where only padding differs the
 * closer look finds nothing.) */
#define SAME(a, b)                                                                                                     \
    ((a)->n == (b)->n && ((a)->n == 0 || memcmp((a)->items, (b)->items, (a)->n * sizeof *(a)->items) == 0))

static void
put_addresses(struct change *c)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->addresses, &c->to->addresses, plan_address_compare);) {
        const struct plan_address *was = m.was, *is = m.is;
        if (!is) {
            nlq_address(c->space->q, false, was->index, &was->ip, was->bits);
        } else if (!was || is_relinked(c, is->index)) {
            nlq_address(c->space->q, true, is->index, &is->ip, is->bits);
        }
    }
}

static void
put_neighbours(struct change *c)
{
    for (struct plan_merge m = { 0 };
         PLAN_MERGE(&m, &c->from->neighbours, &c->to->neighbours, plan_neighbour_compare);) {
        const struct plan_neighbour *was = m.was, *is = m.is;
        if (!is) {
            nlq_neighbour(c->space->q, false, was->index, &was->ip, was->mac);
        } else if (!was || is_relinked(c, is->index)) {
            nlq_neighbour(c->space->q, true, is->index, &is->ip, is->mac);
        }
    }
}

/* A route that changes its target is replaced in one step, so that no packet meets the gap. */
static void
put_routes(struct change *c)
{
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->routes, &c->to->routes, plan_route_key_compare);) {
        const struct nlq_route *was = m.was, *is = m.is;
        if (!is) {
            nlq_route(c->space->q, false, was);
        } else if (!was || plan_route_compare(was, is) != 0 || is_relinked(c, is->index)) {
            nlq_route(c->space->q, true, is);
        }
    }
}

static bool
has_table(const struct plan_ns *ns, uint32_t table)
{
    for (size_t i = 0; i < ns->rules.n; i++) {
        if (ns->rules.items[i].table == table) {
            return true;
        }
    }
    return false;
}

static bool
asks_local(const struct plan_ns *ns, int family)
{
    for (size_t i = 0; i < ns->rules.n; i++) {
        if (ns->rules.items[i].table == 255 && ns->rules.items[i].family == family) {
            return true;
        }
    }
    return false;
}

/* A plan that says itself when an instance asks what its own addresses are (plan_gwlb.c) says it in place of the
 * kernel's first rule, which goes ('back' false) or comes back. */
static void
put_local_rule(struct change *c, bool back)
{
    for (int family = IP_V4; c->to->kind == PLAN_INSTANCE && family <= IP_V6; family += 2) {
        if (asks_local(c->from, family) == back && asks_local(c->to, family) == !back) {
            nlq_rule(c->space->q, back, &(struct nlq_rule){ .family = (uint8_t)family, .table = 255 });
        }
    }
}

static void
put_rules(struct change *c)
{
    put_local_rule(c, true);
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->rules, &c->to->rules, plan_rule_compare);) {
        const struct nlq_rule *was = m.was, *is = m.is;
        bool done = !was && is && is_early(c, is->table);
        if ((!was || !is) && !done) {
            nlq_rule(c->space->q, is != NULL, is ? is : was);
        }
    }
    put_local_rule(c, false);
}

static bool
has_link(const struct plan_ns *ns, uint32_t index)
{
    for (size_t i = 0; i < ns->links.n; i++) {
        if (ns->links.items[i].here.index == index) {
            return true;
        }
    }
    return false;
}

/* Routing tables that nothing was sent to so far are filled before the rules that send packets there: whoever is sent
 * to another table by this change misses none of the routes that both have.  Routes over new links follow with the
 * links. */
static bool
put_early(struct change *c, struct err *err)
{
    for (size_t i = 0; c->from != &nothing && i < c->to->rules.n; i++) {
        uint32_t table = c->to->rules.items[i].table;
        if (!is_early(c, table) && !has_table(c->from, table)) {
            *VEC_ADD(&c->early) = table;
        }
    }
    for (size_t i = 0; c->early.n && i < c->to->routes.n; i++) {
        const struct nlq_route *r = &c->to->routes.items[i];
        if (is_early(c, r->table) && (r->type == NLQ_BLACKHOLE || has_link(c->from, r->index))) {
            nlq_route(c->space->q, true, r);
        }
    }
    for (size_t i = 0; c->early.n && i < c->to->rules.n; i++) {
        if (is_early(c, c->to->rules.items[i].table)) {
            nlq_rule(c->space->q, true, &c->to->rules.items[i]);
        }
    }
    return !c->early.n || nlq_flush(c->space->q, err);
}

enum { QUEUE_ALONE = 128, QUEUE_SHARED = 1024 }; /* frames that a TAP device keeps until they are read */

static bool
same_host(const struct tap_host *a, const struct tap_host *b)
{
    return SAME(&a->addresses, &b->addresses) && SAME(&a->open, &b->open);
}

/* Who is no longer behind a device goes ('come' false), or who is new or another comes; 'was' NULL: it is new. */
static void
put_hosts(struct spaces *spaces, const struct plan_link *was, const struct plan_link *is, bool come)
{
    static const struct plan_link none = { 0 };
    was = was ? was : &none;
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &was->hosts, &is->hosts, plan_tap_compare);) {
        const struct plan_tap *before = m.was, *now = m.is;
        if (!now && !come) {
            tap_hosts_unset(spaces->taps, is->here.index, before->host.mac);
        } else if (now && come && (!before || !same_host(&before->host, &now->host))) {
            tap_hosts_set(spaces->taps, is->here.index, &now->host);
        }
    }
}

/* The TAP devices of a router: those of 'fresh' are made, the hosts behind all told what they are. */
static bool
put_taps(struct spaces *spaces, struct change *c, const struct plan_link *const *fresh, size_t n, struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        if (!fresh[i]->tap) {
            continue;
        }
        if (!spaces->taps && !(spaces->taps = tap_hosts_new(err))) {
            return false;
        }
        spaces_enter(spaces, c->space);
        ok = tap_hosts_add(spaces->taps, &fresh[i]->here, plan_router_mac, err);
        spaces_go_home(spaces);
        if (ok) {
            nlq_link_set(c->space->q, &fresh[i]->here, *fresh[i]->eni_id ? QUEUE_ALONE : QUEUE_SHARED);
            nlq_no_proxy_delay(c->space->q, fresh[i]->here.index);
            *VEC_ADD(&c->relinked) = fresh[i]->here.index;
        }
    }
    /* A host that has changed its device goes on counting. */
    for (int come = 0; spaces->taps && come < 2; come++) {
        for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->links, &c->to->links, plan_link_compare);) {
            const struct plan_link *is = m.is;
            if (is && is->tap) {
                put_hosts(spaces, m.was, is, come == 1);
            }
        }
    }
    if (spaces->taps) {
        tap_hosts_forget(spaces->taps);
    }
    return ok;
}

/* Links are listed by the router's side.  Old ones go first: their numbers inside the instance may be used again. */
static bool
put_links(struct spaces *spaces, struct change *c, struct map *changes, struct err *err)
{
    VEC(const struct plan_link *) fresh = { 0 };
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->links, &c->to->links, plan_link_compare);) {
        const struct plan_link *was = m.was;
        if (!m.is && was->tap) {
            tap_hosts_remove(spaces->taps, was->here.index);
        }
        if (!m.is) {
            nlq_link_delete(c->space->q, was->here.index);
        } else if (!m.was) {
            *VEC_ADD(&fresh) = m.is;
        }
    }
    /* A TAP device is made past the queue: a veth pair whose number it takes over must be gone by then. */
    bool ok = nlq_flush(c->space->q, err) && put_taps(spaces, c, fresh.items, fresh.n, err);
    for (size_t i = 0; i < fresh.n; i++) {
        const struct plan_link *link = fresh.items[i];
        if (link->tap) {
            continue;
        }
        struct change *peer = map_get(changes, link->peer_ns);
        nlq_veth_add(c->space->q, &link->here, &link->peer, peer->space->fd);
        if (c->to->kind == PLAN_ROUTER) {
            nlq_no_proxy_delay(c->space->q, link->here.index);
        }
        *VEC_ADD(&c->relinked) = *VEC_ADD(&c->awaited) = link->here.index;
        *VEC_ADD(&peer->relinked) = *VEC_ADD(&peer->awaited) = *VEC_ADD(&peer->down) = link->peer.index;
    }
    VEC_DONE(&fresh);
    return nlq_flush(c->space->q, ok ? err : NULL) && ok;
}

static bool
put_inside(struct change *c, bool has_ip6, struct err *err)
{
    nlq_links_may_be_gone(c->space->q, c->to->kind == PLAN_INSTANCE && !c->relinked.n);
    for (size_t i = 0; i < c->down.n; i++) {
        if (c->to->kind == PLAN_INSTANCE && has_ip6) {
            nlq_link_no_auto6(c->space->q, c->down.items[i]);
        }
        nlq_link_up(c->space->q, c->down.items[i]);
    }
    if (c->relinked.n || !SAME(&c->from->addresses, &c->to->addresses)) {
        put_addresses(c);
    }
    if (c->relinked.n || !SAME(&c->from->neighbours, &c->to->neighbours)) {
        put_neighbours(c);
    }
    if (c->relinked.n || !SAME(&c->from->routes, &c->to->routes)) {
        put_routes(c);
    }
    if (!SAME(&c->from->rules, &c->to->rules)) {
        put_rules(c);
    }
    return nlq_flush(c->space->q, err) || err_at(err, c->space->id, 0, 0);
}

static bool
make_space(struct spaces *spaces, struct change *c, struct err *err)
{
    const struct plan_ns *ns = c->to, *was = c->from;
    bool ok = true;
    c->space = spaces_find(spaces, ns->id);
    if (!c->space) {
        ok = space_create(spaces, ns, err);
        c->space = spaces_find(spaces, ns->id);
    } else if (was != &nothing && (was->ip6 != ns->ip6 || was->forwards != ns->forwards)) {
        spaces_enter(spaces, c->space);
        ok = (was->ip6 == ns->ip6 || switch_ip6(spaces, ns->kind, ns->ip6, false, err)) &&
             switch_forwards(spaces, ns, false, err);
        if (ok && ns->ip6 && !was->ip6) {
            drop_local_rule(c->space, IP_V6);
        }
    }
    return ok;
}

/* Those of instances ('guests') or the rest. */
static bool
make_spaces(struct spaces *spaces, struct change *changes, size_t n, bool guests, const struct progress *progress,
            struct err *err)
{
    bool ok = true;
    for (size_t i = 0; ok && i < n; i++) {
        if ((changes[i].to->kind == PLAN_INSTANCE) == guests) {
            ok = make_space(spaces, &changes[i], err);
        }
        if (i % 16 == 15) {
            progress_report(progress, "namespaces", i + 1, n);
        }
    }
    spaces_go_home(spaces);
    return ok;
}

/* The kernel takes its time to make a namespace: a lab's rules are loaded while the guests' are being made. */
static void
order_spaces(struct spaces *spaces, const struct plan *to)
{
    size_t fresh = 0;
    for (size_t i = 0; i < to->namespaces.n; i++) {
        const struct plan_ns *ns = to->namespaces.items[i];
        fresh += ns->kind == PLAN_INSTANCE && !spaces_find(spaces, ns->id);
    }
    guests_order(spaces->guests, fresh);
}

/* The kernel's worker says that a link is up a moment before it switches it on, but holds the lock of link changes from
 * the one to the other: a last change, of nothing, waits for that. */
static void
wait_for_links(const struct change *changes, size_t n)
{
    const struct change *last = NULL;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < changes[i].awaited.n; j++) {
            nlq_link_wait(changes[i].space->q, changes[i].awaited.items[j]);
            last = &changes[i];
        }
    }
    if (last) {
        nlq_link_up(last->space->q, last->awaited.items[0]);
        nlq_flush(last->space->q, NULL);
    }
}

static void
wait_for_addresses(const struct change *c)
{
    if (!c->relinked.n && SAME(&c->from->addresses, &c->to->addresses)) {
        return;
    }
    for (struct plan_merge m = { 0 }; PLAN_MERGE(&m, &c->from->addresses, &c->to->addresses, plan_address_compare);) {
        const struct plan_address *was = m.was, *is = m.is;
        if (is && (!was || is_relinked(c, is->index))) {
            nlq_address_wait(c->space->q, &is->ip);
        }
    }
}

static bool
apply_once(struct spaces *spaces, const struct plan *from, const struct plan *to, const struct progress *progress,
           struct err *err)
{
    size_t n = to->namespaces.n;
    struct change *changes = xcalloc(n, sizeof *changes);
    struct map by_id = { 0 };
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        const struct plan_ns *ns = to->namespaces.items[i], *was = from ? plan_find(from, ns->id) : NULL;
        changes[i].to = ns;
        changes[i].from = was ? was : &nothing;
        map_put(&by_id, ns->id, &changes[i]);
    }
    order_spaces(spaces, to);
    for (int guests = 0; guests < 2; guests++) {
        ok = ok && make_spaces(spaces, changes, n, guests == 1, progress, err);
        for (size_t i = 0; ok && !guests && i < n; i++) {
            ok = changes[i].to->kind == PLAN_INSTANCE || put_early(&changes[i], err);
        }
        for (size_t i = 0; ok && i < n; i++) {
            ok = (changes[i].to->kind == PLAN_INSTANCE) != (guests == 1) ||
                 apply_rules(spaces, changes[i].space, changes[i].from, changes[i].to, err);
        }
    }
    guests_cancel(spaces->guests);
    progress_report(progress, "links", 0, n);
    for (size_t i = 0; ok && i < n; i++) {
        ok = put_links(spaces, &changes[i], &by_id, err);
    }
    for (size_t i = 0; ok && i < n; i++) {
        ok = put_inside(&changes[i], spaces->has_ip6, err);
        if (i % 64 == 63) {
            progress_report(progress, "routes", i + 1, n);
        }
    }
    if (ok) {
        wait_for_links(changes, n);
        for (size_t i = 0; i < n; i++) {
            wait_for_addresses(&changes[i]);
        }
    }
    for (size_t i = 0; i < n; i++) {
        VEC_DONE(&changes[i].relinked);
        VEC_DONE(&changes[i].awaited);
        VEC_DONE(&changes[i].down);
        VEC_DONE(&changes[i].early);
    }
    map_done(&by_id);
    free(changes);
    return ok;
}

static void
remove_spaces(struct spaces *spaces, const struct plan *from, const struct plan *to)
{
    for (size_t i = 0; i < from->namespaces.n; i++) {
        const struct plan_ns *ns = from->namespaces.items[i];
        const char *id = ns->id;
        if (!plan_find(to, id)) {
            for (size_t j = 0; j < ns->links.n; j++) {
                if (ns->links.items[j].tap) {
                    tap_hosts_remove(spaces->taps, ns->links.items[j].here.index);
                }
            }
            spaces_remove(spaces, id);
        }
    }
}

bool
apply(struct spaces *spaces, const struct plan *from, const struct plan *to, const struct progress *progress,
      struct err *err)
{
    if (apply_once(spaces, from, to, progress, err)) {
        if (from) {
            remove_spaces(spaces, from, to);
        }
        return true;
    }
    if (from) {
        /* Back.  A namespace whose transaction had not been reached refuses its reversal as a whole, which is as good.
         */
        apply_once(spaces, to, from, NULL, NULL);
        remove_spaces(spaces, to, from);
    }
    return false;
}
