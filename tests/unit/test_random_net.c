/* Networks drawn by lot: every construct comes up, and none that AWS would refuse. */
#include "base/map.h"
#include "netsim/model/block_public_access.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/eni.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/private_service.h"
#include "netsim/model/random_net.h"
#include "netsim/model/vpn.h"
#include "tests/test.h"

#define SEEDS 60

static void
make(struct random_net *r, uint64_t seed, bool joined)
{
    if (joined) {
        random_net_make_joined(r, seed);
    } else {
        random_net_make(r, seed, true, false);
        lot_zones_of_subnets(r, 2);
        random_net_settle_groups(r);
    }
    random_net_add_places(r);
}

TEST(every_kind_of_place_comes_up)
{
    static const struct {
        const struct kind *kind;
        size_t least; /* in all the networks */
    } cases[] = {
        { &egress_only_gateway_kind, SEEDS / 3 },
        { &classic_balancer_kind, SEEDS / 6 },
        { &bpa_exclusion_kind, 1 },
        { &endpoint_kind, SEEDS },
        { &load_balancer_kind, SEEDS / 2 },
        { &target_group_kind, SEEDS / 2 },
        { &private_service_kind, SEEDS / 4 },
        { &direct_connect_gateway_kind, SEEDS / 6 },
        { &virtual_interface_kind, SEEDS / 6 },
        { NULL, 0 },
    };
    size_t found[ARRAY_SIZE(cases)] = { 0 };
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_net r;
        make(&r, seed, seed % 2);
        for (size_t i = 0; cases[i].kind; i++) {
            found[i] += store_count(network_store(r.net), cases[i].kind);
        }
        random_net_done(&r);
    }
    for (size_t i = 0; cases[i].kind; i++) {
        CHECK(found[i] >= cases[i].least, "%zu of %s", found[i], cases[i].kind->name);
    }
}

static void
add_address(struct map *known, const struct ip *ip, const char *vpc_id, const struct eni *eni, uint64_t seed)
{
    char *key = xasprintf("%s %s", vpc_id, ip_str(ip));
    const struct eni *owner = map_get(known, key);
    CHECK(!owner, "seed %d: %s has %s of %s too", (int)seed, eni->obj.id, key, owner ? owner->obj.id : "");
    map_put(known, key, (void *)eni);
    free(key);
}

/* Application balancers with rules, and weights of which some are none. */
TEST(listeners_have_rules_and_weights)
{
    size_t n_balancers = 0, n_rules = 0, n_weighted = 0, n_none = 0, n_own = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_net r;
        make(&r, seed, seed % 2);
        const struct store *store = network_store(r.net);
        for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
            n_balancers += strcmp(lb->type, "application") == 0;
            for (size_t i = 0; i < lb->listeners.n; i++) {
                const struct lb_listener *l = &lb->listeners.items[i];
                const struct lb_action *action = &l->actions.items[0];
                n_rules += l->rules.n;
                n_weighted += action->groups.n > 1;
                n_none += action->groups.n > 1 && action->groups.items[1].weight == 0;
                n_own += strcmp(action->type, "forward") != 0;
            }
        }
        random_net_done(&r);
    }
    CHECK(n_balancers > 10 && n_rules > 10 && n_weighted > 10 && n_none > 1 && n_own > 1,
          "%zu balancers, %zu rules, %zu weighted, %zu with nothing for one, %zu that answer", n_balancers, n_rules,
          n_weighted, n_none, n_own);
}

TEST(nobody_shares_an_address)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct random_net r;
        struct map known = { 0 };
        make(&r, seed, seed % 2);
        const struct store *store = network_store(r.net);
        for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
            for (size_t i = 0; i < eni->addresses.n; i++) {
                const struct eni_address *a = &eni->addresses.items[i];
                add_address(&known, &a->ip, eni->vpc_id, eni, seed);
                if (a->association.public_ip.family) {
                    add_address(&known, &a->association.public_ip, "public", eni, seed);
                }
            }
            for (size_t i = 0; i < eni->addresses6.n; i++) {
                add_address(&known, &eni->addresses6.items[i].ip, "public", eni, seed);
            }
        }
        map_done(&known);
        random_net_done(&r);
    }
}

/* Names and numbers are by lot; only the time of day is not. */
TEST(a_seed_makes_the_same_network)
{
    struct random_net a, b;
    make(&a, 7, false);
    make(&b, 7, false);
    for (size_t k = 0; network_kinds[k]; k++) {
        const struct object *x = store_first(network_store(a.net), network_kinds[k]),
                            *y = store_first(network_store(b.net), network_kinds[k]);
        for (; x && y; x = store_next(network_store(a.net), x), y = store_next(network_store(b.net), y)) {
            CHECK_STR(x->id, y->id);
        }
        CHECK(!x && !y, "%s", network_kinds[k]->name);
    }
    random_net_done(&a);
    random_net_done(&b);
}

TEST_MAIN
