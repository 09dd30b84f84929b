/* `connectivity` against `reach` on random networks: every packet at a bound of every set, and some beside them.
 *
 * The sets come from rules read as sets, `reach` reads the same rules packet by packet: they must agree on each.
 * SPEC_CONNECTIVITY=n tries n networks (default 60), SPEC_SEED=s begins at another seed; a difference names its seed.
 */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/network_diff.h"
#include "tests/spec/check_connectivity.h"
#include "tests/spec/random_services.h"
#include "tests/test.h"

static void
check_pair(struct random_net *r, struct pair *p, struct counts *counts)
{
    check_flow(p, counts);
    for (int i = 0; i < 4; i++) {
        int protocol = lot_protocol(r, false);
        check_packet(p, protocol, lot_port(r), lot_port(r), counts);
        check_packet(p, connectivity_family(p->c) == IP_V6 ? 58 : 1, lot_icmp(r), lot(r, 2), counts);
    }
}

/* An interface by one of its addresses, a host on the internet, or one behind a gateway: any that the sets speak of. */
static int
random_place(struct random_lab *l, const struct connectivity *c, struct conn_end *end)
{
    struct random_net *r = &l->net;
    int family = connectivity_family(c), what = lot(r, 10);
    char id[ID_SIZE];
    *end = (struct conn_end){ 0 };
    if (what < 6 || (what < 8 && !r->routers)) {
        if (!l->services || chance(r, 50) || !random_service_eni(l, id)) {
            snprintf(id, sizeof id, "eni-%d", lot(r, r->n_enis));
        }
        const struct eni *eni = end->eni = store_get(network_store(r->net), &eni_kind, id);
        size_t n = family == IP_V6 ? eni->addresses6.n : eni->addresses.n;
        if (n == 0) {
            return -1;
        }
        int i = lot(r, (int)n);
        end->ip = family == IP_V6 ? eni->addresses6.items[i].ip : eni->addresses.items[i].ip;
        return connectivity_class_of_address(c, id, &end->ip);
    }
    if (what < 8) { /* any class outside: most are behind gateways */
        size_t k = (size_t)lot(r, (int)connectivity_n_classes(c));
        *end = end_of_class(c, k);
        return connectivity_class(c, k)->members.n ? -1 : (int)k;
    }
    end->ip = lot_ip(r, family == IP_V6);
    return connectivity_class_at(c, NULL, &end->ip);
}

static void
check_network(struct random_lab *l, uint64_t seed, int family, struct counts *counts)
{
    struct random_net *r = &l->net;
    struct connectivity *c = connectivity_new(r->net, family);
    for (int i = 0; i < 24; i++) {
        struct pair p = { .c = c, .net = r->net, .seed = seed, .plain = true };
        int a = random_place(l, c, &p.from), b = random_place(l, c, &p.to);
        bool outside = !p.from.eni && !p.to.eni && (!p.from.gate || (p.to.gate && strcmp(p.from.gate, p.to.gate) == 0));
        if (a < 0 || b < 0 || outside || (p.from.eni && p.from.eni == p.to.eni)) {
            continue;
        }
        p.flow = connectivity_between(c, (size_t)a, (size_t)b);
        check_pair(r, &p, counts);
    }
    connectivity_free(c);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(connectivity_agrees_with_reach_at_every_bound)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_CONNECTIVITY", 60);
    struct counts counts = { 0 };
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        struct random_lab l;
        random_lab_make(&l, seed, seed % 8 == 0);
        check_network(&l, seed, IP_V4, &counts);
        check_network(&l, seed, IP_V6, &counts);
        random_lab_done(&l);
    }
    fprintf(stderr, "%zu packets from seed %" PRIu64 ": %zu reachable, %zu answered, %zu by balancers\n",
            counts.packets, first, counts.reachable, counts.answered, counts.balanced);
    CHECK(n < 50 || (counts.reachable > counts.packets / 20 && counts.answered > 0));
}

/* Interfaces that behave alike share a group, whatever their classes. */
TEST(groups_join_what_behaves_alike)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct random_lab l;
        random_lab_make(&l, seed, seed % 8 == 0);
        struct connectivity *c = connectivity_new(l.net.net, IP_V4);
        int *groups;
        size_t n = connectivity_n_classes(c), n_groups = connectivity_groups(c, &groups);
        CHECK(n_groups <= n && (n == 0 || n_groups > 0));
        for (size_t a = 0; a < n; a++) {
            for (size_t b = 0; b < n; b++) {
                for (size_t k = 0; k < n && groups[a] == groups[b]; k++) {
                    struct conn_flow x = connectivity_between(c, a, k), y = connectivity_between(c, b, k);
                    struct conn_flow u = connectivity_between(c, k, a), v = connectivity_between(c, k, b);
                    CHECK(x.passes == y.passes && x.answered == y.answered && u.passes == v.passes &&
                              u.answered == v.answered,
                          "seed %" PRIu64 " classes %zu %zu %zu", seed, a, b, k);
                }
            }
        }
        free(groups);
        connectivity_free(c);
        random_lab_done(&l);
    }
}

static int
joint_of(const struct network_diff *diff, const struct eni *eni)
{
    for (size_t i = 0; i < diff->joints.n; i++) {
        for (size_t k = 0; k < diff->joints.items[i].members.n; k++) {
            if (strcmp(diff->joints.items[i].members.items[k]->obj.id, eni->obj.id) == 0) {
                return (int)i;
            }
        }
    }
    return -1;
}

static char *
usable_text(const struct connectivity *c, const struct eni *from, const struct eni *to)
{
    struct buf text = { 0 };
    struct conn_flow flow = connectivity_between(c, (size_t)connectivity_class_of(c, from->obj.id),
                                                 (size_t)connectivity_class_of(c, to->obj.id));
    int usable = packets_usable(connectivity_pool(c), flow.passes, flow.answered);
    packet_set_print(set_pool_get(connectivity_pool(c), usable), connectivity_family(c), &text);
    return buf_steal(&text);
}

/* A difference lists a pair of interfaces if and only if what passes between them differs. */
TEST(diff_finds_what_changed_and_nothing_else)
{
    size_t n_changed = 0;
    for (uint64_t seed = 1; seed <= 48 && test_complaints < 5; seed++) {
        struct random_lab one, other;
        random_lab_make(&one, seed, false);
        random_lab_make(&other, seed, false);
        const struct network *net = one.net.net;
        struct random_net *changed = &other.net;
        struct network_diff *same = network_diff_new(net, changed->net, IP_V4);
        CHECK(same->changes.n == 0, "seed %" PRIu64 ": %zu changes", seed, same->changes.n);
        network_diff_free(same);
        struct store *store = network_store(changed->net);
        int n = 1000;
        for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
            lot_rule(changed, g, n++);
        }
        struct route_table *table = store_first(store, &route_table_kind);
        lot_route(changed, table, 0, false);
        store_touch(store);
        struct network_diff *diff = network_diff_new(net, changed->net, IP_V4);
        for (const struct eni *a = store_first(store, &eni_kind); a; a = store_next(store, a)) {
            for (const struct eni *b = store_first(store, &eni_kind); b; b = store_next(store, b)) {
                int from = joint_of(diff, a), to = joint_of(diff, b);
                if (a == b || from < 0 || to < 0 || !connectivity_opens(net, a)) {
                    continue; /* a difference does not speak of connections that nobody opens */
                }
                bool listed = false;
                for (size_t i = 0; i < diff->changes.n; i++) {
                    listed = listed ||
                             (diff->changes.items[i].from == (size_t)from && diff->changes.items[i].to == (size_t)to);
                }
                char *before = usable_text(diff->c[0], a, b), *after = usable_text(diff->c[1], a, b);
                CHECK(listed == (strcmp(before, after) != 0), "seed %" PRIu64 ": %s -> %s %s, %s", seed, a->obj.id,
                      b->obj.id, before, after);
                n_changed += listed;
                free(before);
                free(after);
            }
        }
        network_diff_free(diff);
        random_lab_done(&one);
        random_lab_done(&other);
    }
    CHECK(n_changed > 5, "%zu", n_changed);
}

TEST_MAIN
