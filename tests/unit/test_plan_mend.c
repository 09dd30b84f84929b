/* A plan that is kept up with one change after another says what a new plan of the changed network says. */
#include "netsim/live/plan_mend.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/random_net.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"
#include "tests/test.h"

/* ---- are two plans the same? --------------------------------------------------------------------------------------
 */
static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The first thing in which they differ; NULL: none. */
static const char *
set_difference(const struct plan_set *a, const struct plan_set *b)
{
    if (!same_text(a->name, b->name) || !same_text(a->head, b->head) || a->elements.n != b->elements.n) {
        return a->name;
    }
    for (size_t i = 0; i < a->elements.n; i++) {
        const struct plan_element *x = &a->elements.items[i], *y = &b->elements.items[i];
        if (!same_text(x->key, y->key) || !same_text(x->data, y->data)) {
            return x->key;
        }
    }
    return NULL;
}

#define LIST_DIFFERS(a, b, compare)                                                                                    \
    list_differs(&(a)->items[0], (a)->n, &(b)->items[0], (b)->n, sizeof *(a)->items, compare)
static bool
list_differs(const void *a, size_t n, const void *b, size_t n_b, size_t size,
             int (*compare)(const void *, const void *))
{
    bool differs = n != n_b;
    for (size_t i = 0; !differs && i < n; i++) {
        differs = compare((const char *)a + i * size, (const char *)b + i * size) != 0;
    }
    return differs;
}

static bool
hosts_differ(const struct plan_link *a, const struct plan_link *b)
{
    bool differ = a->hosts.n != b->hosts.n || !same_text(a->eni_id, b->eni_id);
    for (size_t i = 0; !differ && i < a->hosts.n; i++) {
        const struct plan_tap *x = &a->hosts.items[i], *y = &b->hosts.items[i];
        differ = memcmp(x->host.mac, y->host.mac, 6) != 0 || !same_text(x->eni_id, y->eni_id) ||
                 !same_text(x->instance_id, y->instance_id) || x->host.addresses.n != y->host.addresses.n ||
                 x->host.open.n != y->host.open.n;
        for (size_t j = 0; !differ && j < x->host.addresses.n; j++) {
            differ = !ip_equal(&x->host.addresses.items[j], &y->host.addresses.items[j]);
        }
    }
    return differ;
}

static const char *
ns_difference(const struct plan_ns *a, const struct plan_ns *b)
{
    if (!same_text(a->id, b->id) || a->kind != b->kind || a->ip6 != b->ip6 || a->forwards != b->forwards) {
        return a->id;
    }
    const char *list = LIST_DIFFERS(&a->links, &b->links, plan_link_compare)                  ? "links"
                       : LIST_DIFFERS(&a->addresses, &b->addresses, plan_address_compare)     ? "addresses"
                       : LIST_DIFFERS(&a->routes, &b->routes, plan_route_compare)             ? "routes"
                       : LIST_DIFFERS(&a->rules, &b->rules, plan_rule_compare)                ? "routing rules"
                       : LIST_DIFFERS(&a->neighbours, &b->neighbours, plan_neighbour_compare) ? "neighbours"
                                                                                              : NULL;
    for (size_t i = 0; !list && i < a->links.n; i++) {
        list = hosts_differ(&a->links.items[i], &b->links.items[i]) ? "TAP hosts" : NULL;
    }
    for (size_t i = 0; !list && i < a->sets.n && i < b->sets.n; i++) {
        list = set_difference(&a->sets.items[i], &b->sets.items[i]);
    }
    for (size_t i = 0; !list && i < a->chains.n && i < b->chains.n; i++) {
        const struct plan_chain *x = &a->chains.items[i], *y = &b->chains.items[i];
        bool same = same_text(x->name, y->name) && same_text(x->head, y->head) && same_text(x->rules, y->rules);
        list = same ? NULL : strcmp(x->name, y->name) > 0 ? y->name : x->name;
    }
    return list || (a->sets.n == b->sets.n && a->chains.n == b->chains.n) ? list : "sets or chains at the end";
}

static const char *
plan_difference(const struct plan *a, const struct plan *b)
{
    if (a->namespaces.n != b->namespaces.n) {
        return "namespaces";
    }
    const char *found = NULL;
    for (size_t i = 0; !found && i < a->namespaces.n; i++) {
        found = ns_difference(a->namespaces.items[i], b->namespaces.items[i]);
    }
    return found;
}

/* ---- changes by lot -----------------------------------------------------------------------------------------------
 */
static void *
any_of(struct random_net *r, const struct kind *kind)
{
    struct store *store = network_store(r->net);
    size_t n = store_count(store, kind), at = (size_t)lot(r, (int)n);
    void *object = store_first(store, kind);
    for (size_t i = 0; object && i < at; i++) {
        object = store_next(store, object);
    }
    return object;
}

static const char *
id_of(void *object)
{
    return object ? ((struct object *)object)->id : NULL;
}

/* A peer of any kind; often such rules as decide whether flows are tracked. */
static struct sg_rule
any_rule(struct random_net *r)
{
    static const char *const blocks[] = {
        "0.0.0.0/0", "0.0.0.0/0", "::/0", "10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"
    };
    static const int protocols[] = { PROTOCOL_ALL, PROTOCOL_TCP, PROTOCOL_TCP, PROTOCOL_UDP };
    struct sg_rule rule = { .egress = chance(r, 40), .protocol = protocols[lot(r, 4)], .from = -1, .to = -1 };
    if (rule.protocol != PROTOCOL_ALL) {
        rule.from = chance(r, 40) ? 0 : lot(r, 1000);
        rule.to = rule.from ? rule.from + lot(r, 10) : 65535;
    }
    if (chance(r, 35)) {
        rule.group_id = (char *)(uintptr_t)id_of(any_of(r, &security_group_kind));
    } else if (chance(r, 15)) {
        rule.prefix_list_id = (char *)(uintptr_t)id_of(any_of(r, &prefix_list_kind));
    }
    if (!rule.group_id && !rule.prefix_list_id) {
        rule.cidr = cidr_lit(blocks[lot(r, 6)]);
    }
    return rule;
}

static bool
change_rules(struct random_net *r)
{
    struct security_group *group = any_of(r, &security_group_kind);
    struct sg_rule rules[2] = { any_rule(r), any_rule(r) };
    size_t n = group->rules.n;
    const struct sg_rule *old = n ? &group->rules.items[lot(r, (int)n)] : NULL;
    if (n && chance(r, 40)) {
        const char *id = old->id;
        return security_group_revoke_ids(r->net, group, old->egress, &id, 1, NULL);
    }
    if (n && chance(r, 30)) {
        return security_group_modify_rule(r->net, group, old->id, rules, NULL);
    }
    return security_group_authorize(r->net, group, rules, 1 + (size_t)lot(r, 2), NULL);
}

static bool
change_membership(struct random_net *r)
{
    struct eni *eni = any_of(r, &eni_kind);
    const char *groups[3];
    size_t n = 0;
    const struct security_group *group = store_first(network_store(r->net), &security_group_kind);
    for (; group && n < 3; group = store_next(network_store(r->net), group)) {
        if (strcmp(group->vpc_id, eni->vpc_id) == 0 && chance(r, 60)) {
            groups[n++] = group->obj.id;
        }
    }
    return eni_set_groups(r->net, eni, groups, n, NULL);
}

static bool
change_routes(struct random_net *r)
{
    static const char *const blocks[] = { "0.0.0.0/0", "10.0.0.0/8", "192.168.0.0/16", "203.0.113.0/24", "::/0" };
    struct route_table *table = any_of(r, &route_table_kind);
    struct route route = { 0 };
    const struct subnet *subnet = any_of(r, &subnet_kind);
    bool inside = chance(r, 20); /* the VPC: to something that looks into the traffic */
    struct cidr block = inside ? subnet->cidr : cidr_lit(blocks[lot(r, 5)]);
    *(block.ip.family == IP_V6 ? &route.cidr6 : &route.cidr) = block;
    if (chance(r, 30)) {
        return route_delete(r->net, table, &route, NULL);
    }
    switch (inside ? 2 : lot(r, 5)) {
    case 0:
        route.gateway_id = (char *)(uintptr_t)id_of(any_of(r, &internet_gateway_kind));
        break;
    case 1:
        route.nat_gateway_id = (char *)(uintptr_t)id_of(any_of(r, &nat_gateway_kind));
        break;
    case 2:
        route.eni_id = (char *)(uintptr_t)id_of(any_of(r, &eni_kind));
        break;
    case 3:
        route.peering_id = (char *)(uintptr_t)id_of(any_of(r, &peering_kind));
        break;
    default:
        route.transit_gateway_id = (char *)(uintptr_t)id_of(any_of(r, &transit_gateway_kind));
    }
    return (chance(r, 60) ? route_create : route_replace)(r->net, table, &route, NULL);
}

/* Of a table of an internet gateway: blocks of the VPC lead to interfaces. */
static bool
change_gateway_routes(struct random_net *r)
{
    struct internet_gateway *igw = any_of(r, &internet_gateway_kind);
    struct route_table *table = store_first(network_store(r->net), &route_table_kind);
    while (table &&
           (!igw || !table->associations.n || strcmp(table->associations.items[0].gateway_id, id_of(igw)) != 0)) {
        table = store_next(network_store(r->net), table);
    }
    const struct subnet *subnet = any_of(r, &subnet_kind);
    struct route route = { .cidr = subnet->cidr };
    if (table && chance(r, 30)) {
        return route_delete(r->net, table, &route, NULL);
    }
    route.eni_id = (char *)(uintptr_t)id_of(any_of(r, &eni_kind));
    return table && (chance(r, 60) ? route_create : route_replace)(r->net, table, &route, NULL);
}

static void
add_gateway_tables(struct random_net *r)
{
    for (const struct vpc *vpc = store_first(network_store(r->net), &vpc_kind); vpc;
         vpc = store_next(network_store(r->net), vpc)) {
        const struct internet_gateway *igw = network_vpc_igw(r->net, vpc->obj.id);
        struct route_table *table = igw ? route_table_create(r->net, vpc->obj.id, false, NULL) : NULL;
        if (table) {
            route_table_associate(r->net, table, igw->obj.id, NULL);
        }
    }
}

/* Entries of an ACL, and which one a subnet has. */
static bool
change_acls(struct random_net *r)
{
    static const char *const blocks[] = { "0.0.0.0/0", "10.0.0.0/8", "10.1.2.0/24", "203.0.113.0/24" };
    struct network_acl *acl = any_of(r, &network_acl_kind), *other = any_of(r, &network_acl_kind);
    struct nacl_entry entry = { .number = 10 * (1 + lot(r, 12)),
                                .egress = chance(r, 50),
                                .action = chance(r, 50) ? NACL_ALLOW : NACL_DENY,
                                .protocol = PROTOCOL_ALL,
                                .cidr = cidr_lit(blocks[lot(r, 4)]) };
    if (chance(r, 50)) {
        entry.protocol = PROTOCOL_TCP;
        entry.has_ports = true;
        entry.ports = (struct nacl_port_range){ 1 + lot(r, 100), 200 + lot(r, 100) };
    }
    if (chance(r, 30) && other->associations.n) {
        return network_acl_replace_association(r->net, other->associations.items[0].id, acl, NULL);
    }
    if (chance(r, 30)) {
        return network_acl_delete_entry(r->net, acl, entry.number, entry.egress, NULL);
    }
    return (chance(r, 70) ? network_acl_add_entry : network_acl_replace_entry)(r->net, acl, &entry, NULL);
}

/* One that is not noted by itself. */
static bool
change_otherwise(struct random_net *r)
{
    struct eni *eni = any_of(r, &eni_kind);
    eni->source_dest_check = !eni->source_dest_check;
    store_touch(network_store(r->net));
    return true;
}

/* ---- the comparison -----------------------------------------------------------------------------------------------
 */
static int n_mended, n_planned;

/* As live_update() does it. */
static void
follow(struct plan **plan, const struct network *net, struct plan_numbers *numbers)
{
    const struct network_change *changes;
    size_t n;
    struct plan_mend mend;
    if (network_changes(net, &changes, &n) && plan_mend_new(*plan, net, numbers, changes, n, &mend)) {
        plan_mend_take(*plan, &mend);
        plan_mend_done(&mend);
        n_mended++;
    } else {
        plan_free(*plan);
        *plan = plan_new(net, numbers);
        n_planned++;
    }
    network_changes_seen(net);
}

static void
compare_changes(struct random_net *r, int n_changes, const char *what, int seed)
{
    struct plan_numbers numbers = { 0 };
    network_set_limits(r->net, false);
    const struct vpc *vpc = store_first(network_store(r->net), &vpc_kind);
    for (struct security_group *group = store_first(network_store(r->net), &security_group_kind); group;
         group = store_next(network_store(r->net), group)) {
        if (!group->vpc_id[0]) { /* nobody's, and so nobody's interface could have it */
            snprintf(group->vpc_id, sizeof group->vpc_id, "%s", vpc->obj.id);
        }
    }
    struct plan *plan = plan_new(r->net, &numbers);
    network_changes_seen(r->net);
    bool same = true;
    for (int i = 0; same && i < n_changes; i++) {
        int kind = 0;
        for (int together = chance(r, 20) ? 3 : 1; together > 0; together--) {
            kind = lot(r, 28);
            (kind < 8    ? change_rules
             : kind < 13 ? change_membership
             : kind < 18 ? change_routes
             : kind < 22 ? change_gateway_routes
             : kind < 27 ? change_acls
                         : change_otherwise)(r);
        }
        follow(&plan, r->net, &numbers);
        struct plan *whole = plan_new(r->net, &numbers);
        const char *difference = plan_difference(plan, whole);
        same = !difference;
        CHECK(same, "%s, seed %d, change %d of kind %d: `%s` differs", what, seed, i, kind, difference);
        plan_free(whole);
    }
    plan_free(plan);
    plan_numbers_done(&numbers);
}

TEST(a_mended_plan_is_the_plan_of_the_changed_network)
{
    for (int seed = 1; seed <= 16; seed++) {
        struct random_net r;
        random_net_make(&r, (uint64_t)seed, true, false);
        add_gateway_tables(&r);
        network_set_tap_hosts(r.net, seed > 12);
        compare_changes(&r, 120, seed > 12 ? "random network of TAP hosts" : "random network", seed);
        random_net_done(&r);
    }
    for (int seed = 1; seed <= 8; seed++) {
        struct random_net r;
        random_net_make_joined(&r, (uint64_t)seed);
        compare_changes(&r, 120, "joined network", seed);
        random_net_done(&r);
    }
    CHECK(n_mended > n_planned, "%d of %d changes were mended", n_mended, n_mended + n_planned);
}

/* ---- TAP hosts that change their device ----------------------------------------------------------------------------
 */
/* 40 machines in a subnet with IPv6 and one without; all flows are recorded. */
static void
make_taps(struct random_net *r, int seed)
{
    *r = (struct random_net){ .clock = { .fixed = true, .base_ms = 1767312000000 } };
    id_gen_seed(&r->lot, (uint64_t)seed);
    id_gen_seed(&r->ids, (uint64_t)seed + 1);
    r->net = network_new(&r->ids, &r->clock);
    network_set_limits(r->net, false);
    network_set_tap_hosts(r->net, true);
    struct vpc *vpc = vpc_create(
        r->net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16"), .cidr6 = cidr_lit("2001:db8::/56") }, NULL);
    struct flow_log_spec log = { .resource_id = vpc->obj.id,
                                 .traffic_type = "ALL",
                                 .destination_type = "s3",
                                 .destination = "arn:aws:s3:::logs",
                                 .max_interval = 60 };
    REQUIRE(seed % 2 || flow_log_create(r->net, &log, NULL));
    for (int g = 0; g < 4; g++) {
        char name[] = { 'g', (char)('0' + g), '\0' };
        struct security_group *group = security_group_create(r->net, vpc->obj.id, name, "g", NULL);
        struct sg_rule open = { .protocol = PROTOCOL_UDP, .from = 53, .to = 53, .cidr = cidr_lit("0.0.0.0/0") };
        struct sg_rule among = { .protocol = PROTOCOL_TCP, .from = 80, .to = 80, .group_id = group->obj.id };
        security_group_authorize(r->net, group, g % 2 ? &open : &among, 1, NULL);
    }
    for (int s = 0; s < 2; s++) {
        struct subnet_spec spec = { .vpc_id = vpc->obj.id, .cidr = cidr_lit(s ? "10.0.1.0/24" : "10.0.0.0/24") };
        if (!s) {
            spec.cidr6 = cidr_lit("2001:db8::/64");
        }
        struct subnet *subnet = subnet_create(r->net, &spec, NULL);
        struct instance_spec machine = {
            .image_id = "ami-12345678",
            .type = "t3.micro",
            .public_ip = 0,
            .eni = { .subnet_id = subnet->obj.id, .n_pick_ips6 = s ? 0 : 1, .n_pick_secondary = 1 }
        };
        struct instance *made[20];
        REQUIRE(instances_run(r->net, &machine, 20, made, NULL));
    }
}

/* One that the kernel refuses is taken back: the plan says what it said. */
static void
refuse_mend(struct plan *plan, const struct plan *same, struct random_net *r, struct plan_numbers *numbers, int seed)
{
    const struct network_change *changes;
    size_t n;
    struct plan_mend mend;
    if (network_changes(r->net, &changes, &n) && plan_mend_new(plan, r->net, numbers, changes, n, &mend)) {
        plan_mend_done(&mend);
        const char *difference = plan_difference(plan, same);
        CHECK(!difference, "seed %d: `%s` has changed", seed, difference);
    }
}

TEST(a_mended_plan_follows_tap_hosts_from_device_to_device)
{
    for (int seed = 1; seed <= 8; seed++) {
        struct random_net r;
        struct plan_numbers numbers = { 0 };
        make_taps(&r, seed);
        struct plan *plan = plan_new(r.net, &numbers), *before = plan_new(r.net, &numbers);
        network_changes_seen(r.net);
        n_mended = n_planned = 0;
        bool same = true;
        for (int i = 0; same && i < 150; i++) {
            int kind = 0;
            for (int together = chance(&r, 30) ? 1 + lot(&r, 5) : 1; together > 0; together--) {
                kind = lot(&r, 20);
                (kind < 16 ? change_membership : kind < 19 ? change_rules : change_routes)(&r);
            }
            refuse_mend(plan, before, &r, &numbers, seed);
            plan_free(before);
            follow(&plan, r.net, &numbers);
            before = plan_new(r.net, &numbers);
            const char *difference = plan_difference(plan, before);
            same = !difference;
            CHECK(same, "TAP hosts, seed %d, change %d of kind %d: `%s` differs", seed, i, kind, difference);
        }
        CHECK(n_mended > 3 * n_planned, "seed %d: %d mended, %d planned anew", seed, n_mended, n_planned);
        plan_free(plan);
        plan_free(before);
        plan_numbers_done(&numbers);
        network_free(r.net);
    }
}

/* The links of TAP hosts and who is behind each: "1: a b, 2: c". */
static void
tap_devices(const struct network *net, struct buf *out)
{
    struct plan_numbers numbers = { 0 };
    struct plan *plan = plan_new(net, &numbers);
    for (size_t i = 0; i < plan->namespaces.n; i++) {
        const struct plan_ns *ns = plan->namespaces.items[i];
        for (size_t j = 0; j < ns->links.n; j++) {
            const struct plan_link *link = &ns->links.items[j];
            for (size_t k = 0; link->tap && k < link->hosts.n; k++) {
                buf_printf(out, "%s%s",
                           k           ? "+"
                           : out->size ? " "
                                       : "",
                           ip_str(&link->hosts.items[k].host.addresses.items[0]));
            }
        }
    }
    plan_free(plan);
    plan_numbers_done(&numbers);
}

static void
check_devices(const struct network *net, const char *wanted, const char *why)
{
    struct buf devices = { 0 };
    tap_devices(net, &devices);
    CHECK_STR(buf_str(&devices), wanted, "%s", why);
    buf_done(&devices);
}

TEST(tap_hosts_share_a_device_where_the_router_treats_them_alike)
{
    struct id_gen ids;
    struct clock clock = { .fixed = true, .base_ms = 1767312000000 };
    id_gen_seed(&ids, 11);
    struct network *net = network_new(&ids, &clock);
    network_set_tap_hosts(net, true);
    struct vpc *vpc = vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit("10.0.0.0/16") }, NULL);
    REQUIRE(vpc);
    struct instance *hosts[5] = { 0 };
    for (int s = 0; s < 2; s++) {
        struct cidr block = { .ip = ip_v4(0x0a000000u + (uint32_t)s * 256), .bits = 24 };
        struct subnet *subnet = subnet_create(net, &(struct subnet_spec){ .vpc_id = vpc->obj.id, .cidr = block }, NULL);
        struct instance_spec spec = { .image_id = "ami-12345678", .type = "t3.micro", .public_ip = 0 };
        REQUIRE(subnet);
        spec.eni = (struct eni_spec){ .subnet_id = subnet->obj.id };
        REQUIRE(instances_run(net, &spec, s ? 2 : 3, &hosts[3 * s], NULL));
        for (int i = 0; i < (s ? 2 : 3); i++) { /* in the order of their addresses behind a device */
            snprintf(instance_eni(net, hosts[3 * s + i], 0)->mac, 18, "02:00:00:00:%02x:%02x", s & 255, i & 255);
        }
    }
    check_devices(net, "10.0.0.4+10.0.0.5+10.0.0.6 10.0.1.4+10.0.1.5", "a device for each subnet");
    struct security_group *other = security_group_create(net, vpc->obj.id, "other", "other", NULL);
    REQUIRE(other);
    const char *groups[] = { other->obj.id };
    REQUIRE(eni_set_groups(net, instance_eni(net, hosts[1], 0), groups, 1, NULL));
    check_devices(net, "10.0.0.4+10.0.0.6 10.0.0.5 10.0.1.4+10.0.1.5", "other groups");
    struct route_table *table = store_first(network_store(net), &route_table_kind);
    struct route route = { .cidr = cidr_lit("10.7.0.0/16"), .eni_id = instance_eni(net, hosts[0], 0)->obj.id };
    REQUIRE(route_create(net, table, &route, NULL));
    check_devices(net, "10.0.0.4 10.0.0.5 10.0.0.6 10.0.1.4+10.0.1.5", "what a route leads to is alone");
    /* Hardware addresses that imported networks have twice. */
    snprintf(instance_eni(net, hosts[4], 0)->mac, 18, "%s", instance_eni(net, hosts[3], 0)->mac);
    check_devices(net, "10.0.0.4 10.0.0.5 10.0.0.6 10.0.1.4 10.0.1.5", "one hardware address twice");
    object_set_tag(&hosts[3]->obj, INSTANCE_HOST_TAG, "namespace");
    check_devices(net, "10.0.0.4 10.0.0.5 10.0.0.6 10.0.1.5", "a machine with a namespace");
    network_free(net);
}

/* What makes a chain again and what makes or leaves chains are planned by themselves only: together they would leave a
 * chain that nothing leads to, or miss one. */
TEST(changes_that_mean_the_same_chains_ask_for_a_new_plan)
{
    static const struct {
        bool (*changes[2])(struct random_net *r);
        enum network_change_kind kinds[2];
    } cases[] = {
        { { change_rules, change_membership }, { CHANGED_RULES, CHANGED_ENI_GROUPS } },
        { { change_acls, change_acls }, { CHANGED_ENTRIES, CHANGED_SUBNET_ACL } },
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct random_net r;
        struct plan_numbers numbers = { 0 };
        random_net_make_joined(&r, 8);
        network_set_limits(r.net, false);
        struct plan *plan = plan_new(r.net, &numbers);
        unsigned seen = 0; /* bit 0: the first kind alone was mended, 1: the second, 2: both were refused */
        for (int round = 0; round < 400 && seen != 7; round++) {
            const struct network_change *changes;
            size_t n;
            struct plan_mend mend;
            network_changes_seen(r.net);
            cases[i].changes[round % 2](&r);
            if (round % 3 == 0) {
                cases[i].changes[(round + 1) % 2](&r);
            }
            if (!network_changes(r.net, &changes, &n) || n == 0) {
                continue;
            }
            bool has[2] = { false, false }, made = plan_mend_new(plan, r.net, &numbers, changes, n, &mend);
            for (size_t c = 0; c < n; c++) {
                has[0] |= changes[c].kind == cases[i].kinds[0];
                has[1] |= changes[c].kind == cases[i].kinds[1];
            }
            CHECK(!(made && has[0] && has[1]), "case %zu: both were mended at once", i);
            seen |= made ? (has[0] ? 1u : 0) | (has[1] ? 2u : 0) : has[0] && has[1] ? 4u : 0;
            if (made) {
                plan_mend_take(plan, &mend);
                plan_mend_done(&mend);
            } else {
                plan_free(plan);
                plan = plan_new(r.net, &numbers);
            }
        }
        CHECK_INT(seen, 7, "case %zu", i);
        plan_free(plan);
        plan_numbers_done(&numbers);
        random_net_done(&r);
    }
}

/* A table's first and last routes inside the VPC mark its subnets another way; those of a gateway's table are in its
 * own chain. */
TEST(first_and_last_routes_are_mended)
{
    int n_changed = 0;
    for (int seed = 1; seed <= 6; seed++) {
        struct random_net r;
        struct plan_numbers numbers = { 0 };
        random_net_make(&r, (uint64_t)seed, true, false);
        add_gateway_tables(&r);
        network_set_limits(r.net, false);
        struct plan *plan = plan_new(r.net, &numbers);
        network_changes_seen(r.net);
        n_mended = n_planned = 0;
        for (struct route_table *table = store_first(network_store(r.net), &route_table_kind); table;
             table = store_next(network_store(r.net), table)) {
            const struct subnet *subnet = any_of(&r, &subnet_kind);
            struct route route = { .cidr = subnet->cidr, .eni_id = (char *)(uintptr_t)id_of(any_of(&r, &eni_kind)) };
            if (!route_create(r.net, table, &route, NULL)) {
                continue;
            }
            for (int gone = 0; gone < 2; gone++, n_changed++) {
                CHECK(!gone || route_delete(r.net, table, &route, NULL));
                follow(&plan, r.net, &numbers);
                struct plan *whole = plan_new(r.net, &numbers);
                const char *difference = plan_difference(plan, whole);
                CHECK(!difference, "seed %d, `%s`: `%s` differs", seed, id_of(table), difference);
                plan_free(whole);
            }
        }
        /* The first may also bring the states of other tables' routes up to date, which is not noted. */
        CHECK(n_planned <= 1, "seed %d: %d of %d", seed, n_planned, n_planned + n_mended);
        plan_free(plan);
        plan_numbers_done(&numbers);
        random_net_done(&r);
    }
    CHECK(n_changed > 10, "%d", n_changed);
}

TEST(tags_leave_the_plan_as_it_is)
{
    struct random_net r;
    struct plan_numbers numbers = { 0 };
    const struct network_change *changes;
    size_t n;
    struct plan_mend mend;
    random_net_make(&r, 3, true, false);
    struct plan *plan = plan_new(r.net, &numbers);
    network_changes_seen(r.net);
    struct object *vpc = any_of(&r, &vpc_kind);
    object_set_tag(vpc, "Name", "main");
    network_changed(r.net, store_generation(network_store(r.net)), CHANGED_TAGS, vpc->id);
    REQUIRE(network_changes(r.net, &changes, &n) && plan_mend_new(plan, r.net, &numbers, changes, n, &mend));
    for (size_t i = 0; i < mend.from->namespaces.n; i++) {
        const struct plan_ns *from = mend.from->namespaces.items[i], *to = mend.to->namespaces.items[i];
        CHECK_INT(from->chains.n + from->sets.n + from->routes.n + from->links.n, 0, "%s", from->id);
        CHECK_INT(to->chains.n + to->sets.n + to->routes.n + to->links.n, 0, "%s", to->id);
    }
    plan_mend_take(plan, &mend);
    plan_mend_done(&mend);
    struct plan *whole = plan_new(r.net, &numbers);
    const char *difference = plan_difference(plan, whole);
    CHECK(!difference, "`%s` differs", difference);
    plan_free(whole);
    plan_free(plan);
    plan_numbers_done(&numbers);
    random_net_done(&r);
}

TEST(a_change_without_a_note_asks_for_a_new_plan)
{
    struct random_net r;
    const struct network_change *changes;
    size_t n;
    random_net_make(&r, 3, true, false);
    CHECK(!network_changes(r.net, &changes, &n), "nobody has looked yet");
    network_changes_seen(r.net);
    CHECK(network_changes(r.net, &changes, &n) && n == 0);
    struct security_group *group = any_of(&r, &security_group_kind);
    struct sg_rule rule = { .protocol = PROTOCOL_TCP, .from = 7, .to = 7, .cidr = cidr_lit("10.9.8.0/24") };
    REQUIRE(security_group_authorize(r.net, group, &rule, 1, NULL));
    CHECK(network_changes(r.net, &changes, &n) && n == 1 && strcmp(changes[0].id, group->obj.id) == 0);
    store_touch(network_store(r.net));
    CHECK(!network_changes(r.net, &changes, &n), "something else has changed");
    rule.from = rule.to = 8;
    REQUIRE(security_group_authorize(r.net, group, &rule, 1, NULL));
    CHECK(!network_changes(r.net, &changes, &n), "a note after it does not mend that");
    network_changes_seen(r.net);
    CHECK(network_changes(r.net, &changes, &n) && n == 0);
    random_net_done(&r);
}

TEST_MAIN
