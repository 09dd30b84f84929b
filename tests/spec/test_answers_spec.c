/* What `exposed`, `who-can-reach`, `can-reach`, `connectivity` and a difference of networks print, against the plain
 * reading (plain_net.h): every packet at a bound of a printed set and those beside it, and packets by lot where nothing
 * is printed.  Random networks with balancers, endpoints, middleboxes, Block Public Access and all that joins VPCs.
 *
 * SPEC_ANSWERS=n tries n networks (default 20), SPEC_SEED=s begins at another seed; a difference names its seed. */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/network_diff.h"
#include "tests/spec/check_connectivity.h"
#include "tests/spec/random_services.h"
#include "tests/test.h"
#include "tests/unit/cloud_lab.h"

/* ---- An answer as printed
 * --------------------------------------------------------------------------------------------
 */

struct answer {
    struct cloud *cloud;
    struct connectivity *c; /* says what is outside, and keeps sets */
    uint64_t seed;
    json_t *out;
};

/* Asks a lab that holds the random network for the moment. */
static json_t *
ask_lab(struct cloud *cloud, struct network *net, const char *line)
{
    struct err err = { 0 };
    struct network *own = cloud->net;
    cloud->net = net;
    json_t *out = lab_run(cloud, line, &err);
    cloud->net = own;
    CHECK(out != NULL, "%s: %s", line, err.text);
    return out;
}

static bool
has_text(const json_t *list, const char *text)
{
    bool found = false;
    for (size_t i = 0; i < json_array_size(list); i++) {
        found = found || strcmp(json_string_value(json_array_get(list, i)), text) == 0;
    }
    return found;
}

/* Is the end one of the group's?  An interface by its first address, or the group says by which. */
static bool
group_has(const json_t *group, const struct connectivity *c, const struct conn_end *end)
{
    if (end->eni) {
        int class = connectivity_class_of_address(c, end->eni->obj.id, &end->ip);
        bool secondary = class >= 0 && connectivity_class(c, (size_t) class)->secondary;
        const json_t *addresses = json_object_get(group, "Addresses");
        return has_text(json_object_get(group, "NetworkInterfaceIds"), end->eni->obj.id) &&
               (secondary ? has_text(addresses, ip_str(&end->ip)) : !addresses);
    }
    const char *gate = json_str(group, "Gateway") ? json_str(group, "Gateway") : json_str(group, "VpcEndpointId");
    int class = connectivity_class_at(c, end->gate, &end->ip);
    bool same_gate = gate && end->gate ? strcmp(gate, end->gate) == 0 : gate == end->gate;
    return class >= 0 && same_gate &&
           has_text(json_object_get(group, "Cidrs"),
                    cidr_str(&connectivity_class(c, (size_t) class)->outside.items[0]));
}

static const json_t *
group_named(const json_t *out, const char *name, const char *family)
{
    const json_t *groups = json_object_get(out, "Groups");
    for (size_t i = 0; i < json_array_size(groups); i++) {
        const json_t *group = json_array_get(groups, i);
        if (strcmp(json_str(group, "Name"), name) == 0 && strcmp(json_str(group, "Family"), family) == 0) {
            return json_array_get(groups, i);
        }
    }
    return NULL;
}

/* The flow that is printed between two ends; NULL: none is. */
static const json_t *
row_for(const struct answer *a, const struct conn_end *from, const struct conn_end *to)
{
    const json_t *flows = json_object_get(a->out, "Flows");
    const char *family = connectivity_family(a->c) == IP_V6 ? "ipv6" : "ipv4";
    for (size_t i = 0; i < json_array_size(flows); i++) {
        const json_t *flow = json_array_get(flows, i);
        if (strcmp(json_str(flow, "Family"), family) == 0 &&
            group_has(group_named(a->out, json_str(flow, "From"), family), a->c, from) &&
            group_has(group_named(a->out, json_str(flow, "To"), family), a->c, to)) {
            return flow;
        }
    }
    return NULL;
}

static int
bound(const json_t *box, const char *one, const char *other, size_t at)
{
    const json_t *range = json_object_get(box, one) ? json_object_get(box, one) : json_object_get(box, other);
    return (int)json_integer_value(json_array_get(range, at));
}

static int
set_of(const struct answer *a, const json_t *flow, const char *name)
{
    const json_t *boxes = json_object_get(flow, name);
    struct packet_set set = { 0 };
    for (size_t i = 0; i < json_array_size(boxes); i++) {
        const json_t *box = json_array_get(boxes, i);
        for (int p = bound(box, "Protocols", "", 0); p <= bound(box, "Protocols", "", 1); p++) {
            packet_set_add(&set, p, bound(box, "SourcePorts", "Types", 0), bound(box, "SourcePorts", "Types", 1),
                           bound(box, "DestinationPorts", "Codes", 0), bound(box, "DestinationPorts", "Codes", 1));
        }
    }
    return set_pool_take(connectivity_pool(a->c), &set);
}

static void
check_row(struct random_lab *l, const struct answer *a, const struct conn_end *from, const struct conn_end *to,
          struct counts *counts)
{
    const json_t *flow = row_for(a, from, to);
    struct set_pool *pool = connectivity_pool(a->c);
    struct pair p = { .c = a->c, .net = l->net.net, .from = *from, .to = *to, .seed = a->seed, .plain = true };
    p.flow.passes = flow ? set_of(a, flow, "Arrives") : PACKETS_NONE;
    p.flow.answered = flow ? set_of(a, flow, "Answered") : PACKETS_NONE;
    if (flow) {
        CHECK(set_of(a, flow, "Usable") == packets_usable(pool, p.flow.passes, p.flow.answered),
              "seed %" PRIu64 ": usable", a->seed);
        check_flow(&p, counts);
    }
    int protocol, port = to->eni ? random_listened(l, to->eni, &protocol) : -1;
    if (port >= 0) {
        check_packet(&p, protocol, 40000, port, counts);
    }
    for (int i = 0; i < 4; i++) {
        check_packet(&p, lot_protocol(&l->net, false), lot_port(&l->net), lot_port(&l->net), counts);
    }
}

/* ---- Ends by lot
 * -----------------------------------------------------------------------------------------------------
 */

/* An interface by one of its addresses; false: it has none of the family. */
static bool
some_eni(struct random_lab *l, int family, struct conn_end *end)
{
    char id[ID_SIZE];
    if (!l->services || chance(&l->net, 40) || !random_service_eni(l, id)) {
        snprintf(id, sizeof id, "eni-%d", lot(&l->net, l->net.n_enis));
    }
    const struct eni *eni = store_get(network_store(l->net.net), &eni_kind, id);
    size_t n = family == IP_V6 ? eni->addresses6.n : eni->addresses.n;
    int i = lot(&l->net, (int)n);
    *end = (struct conn_end){ .eni = n ? eni : NULL };
    if (n) {
        end->ip = family == IP_V6 ? eni->addresses6.items[i].ip : eni->addresses.items[i].ip;
    }
    return n > 0;
}

static bool
somewhere_outside(struct random_lab *l, const struct connectivity *c, bool gates, struct conn_end *end)
{
    *end = (struct conn_end){ .ip = lot_ip(&l->net, connectivity_family(c) == IP_V6) };
    if (gates && chance(&l->net, 50) && connectivity_n_classes(c)) {
        size_t k = (size_t)lot(&l->net, (int)connectivity_n_classes(c));
        *end = end_of_class(c, k);
        return !end->eni;
    }
    return connectivity_class_at(c, NULL, &end->ip) >= 0;
}

/* ---- The verbs
 * -------------------------------------------------------------------------------------------------------
 */

static void
check_exposed(struct random_lab *l, struct answer *a, struct counts *counts)
{
    a->out = ask_lab(a->cloud, l->net.net, "exposed");
    for (int i = 0; i < 16; i++) {
        struct conn_end from, to;
        if (somewhere_outside(l, a->c, false, &from) && some_eni(l, connectivity_family(a->c), &to)) {
            check_row(l, a, &from, &to, counts);
        }
    }
    json_decref(a->out);
}

/* From or to one interface. */
static void
check_one(struct random_lab *l, struct answer *a, bool to_it, struct counts *counts)
{
    struct conn_end it, other;
    char line[120];
    int family = connectivity_family(a->c);
    if (!some_eni(l, family, &it)) {
        return;
    }
    snprintf(line, sizeof line, "%s %s%s", to_it ? "who-can-reach" : "can-reach", it.eni->obj.id,
             family == IP_V6 ? " --ipv6" : "");
    a->out = ask_lab(a->cloud, l->net.net, line);
    for (int i = 0; i < 8; i++) {
        bool inside = chance(&l->net, 60);
        bool there = inside ? some_eni(l, family, &other) : somewhere_outside(l, a->c, true, &other);
        const struct conn_end *from = to_it ? &other : &it, *to = to_it ? &it : &other;
        bool opens = !to_it || !other.eni || connectivity_opens(l->net.net, other.eni);
        if (there && opens && other.eni != it.eni) {
            check_row(l, a, from, to, counts);
        }
    }
    json_decref(a->out);
}

static uint64_t
setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 0) : otherwise;
}

TEST(what_is_printed_is_what_passes)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_ANSWERS", 20);
    static const int families[] = { IP_V4, IP_V6 };
    struct err err = { 0 };
    struct cloud *cloud = lab_open(&err);
    struct counts counts = { 0 };
    REQUIRE(cloud, "%s", err.text);
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        struct random_lab l;
        random_lab_make(&l, seed, false);
        for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
            struct answer a = { .cloud = cloud, .c = connectivity_new(l.net.net, families[i]), .seed = seed };
            check_exposed(&l, &a, &counts);
            check_one(&l, &a, true, &counts);
            check_one(&l, &a, false, &counts);
            connectivity_free(a.c);
        }
        random_lab_done(&l);
    }
    cloud_close(cloud);
    fprintf(stderr, "%zu packets from seed %" PRIu64 ": %zu reachable, %zu answered, %zu by balancers\n",
            counts.packets, first, counts.reachable, counts.answered, counts.balanced);
    CHECK(n < 50 || (counts.reachable > counts.packets / 20 && counts.answered > 0 && counts.balanced > 0));
}

/* ---- Differences
 * -----------------------------------------------------------------------------------------------------
 */

/* As AWS counts paths: it arrives, and of tcp the answer too. */
static bool
plain_usable(const struct network *net, const struct conn_end *from, const struct conn_end *to, int family,
             const int at[3])
{
    struct flow_spec flow;
    struct reach_result result = { 0 };
    struct err err = { 0 };
    if (!conn_question(from, to, family, &flow)) {
        return false;
    }
    flow.protocol = at[0];
    *(packet_axis_last(at[0]) == 255 ? &flow.icmp_type : &flow.src_port) = at[1];
    *(packet_axis_last(at[0]) == 255 ? &flow.icmp_code : &flow.dst_port) = at[2];
    if (!reach(net, &flow, false, &result, &err)) {
        return false;
    }
    struct plain w = plain_ask(net, &flow, &result.sent);
    bool usable = !w.why && (at[0] != 6 || strcmp(plain_ask_answer(&w, &flow, &result.sent), "allowed") == 0);
    reach_result_done(&result);
    return usable;
}

struct change_place {
    const struct network_diff *diff;
    struct conn_end from[2], to[2]; /* in either network */
    uint64_t seed;
    size_t *n;
};

static void
check_change(const struct change_place *p, const int sets[2], const int at[3])
{
    int last = packet_axis_last(at[0]);
    bool wrong_family = at[0] == 58;
    if (at[0] < 0 || at[0] > 255 || at[1] < 0 || at[1] > last || at[2] < 0 || at[2] > last || wrong_family) {
        return;
    }
    const struct set_pool *pool = connectivity_pool(p->diff->c[0]);
    bool is[2];
    for (int side = 0; side < 2; side++) {
        is[side] = plain_usable(p->diff->net[side], &p->from[side], &p->to[side], IP_V4, at);
    }
    for (int side = 0; side < 2 && sets; side++) {
        bool said = packet_set_has(set_pool_get(pool, sets[side]), at[0], at[1], at[2]);
        CHECK(said == is[side], "seed %" PRIu64 ": %s -> %s %d/%d/%d %s: set says %d, plain reading %d", p->seed,
              p->from[0].eni->obj.id, p->to[0].eni->obj.id, at[0], at[1], at[2], side ? "after" : "before", said,
              is[side]);
    }
    CHECK(sets || is[0] == is[1], "seed %" PRIu64 ": %s -> %s %d/%d/%d: no difference is listed, plain reading %d, %d",
          p->seed, p->from[0].eni->obj.id, p->to[0].eni->obj.id, at[0], at[1], at[2], is[0], is[1]);
    ++*p->n;
}

static void
check_bounds_of_change(const struct change_place *p, const int sets[2])
{
    for (int side = 0; side < 2; side++) {
        const struct packet_set *packets = set_pool_get(connectivity_pool(p->diff->c[0]), sets[side]);
        for (size_t i = 0; i < packets->boxes.n && i < 8; i++) {
            const struct packet_box *box = &packets->boxes.items[i];
            for (int axis = 0; axis < N_PACKET_AXES; axis++) {
                int low[3] = { box->lo[0], box->lo[1], box->lo[2] }, high[3] = { box->hi[0], box->hi[1], box->hi[2] };
                check_change(p, sets, low);
                check_change(p, sets, high);
                low[axis]--;
                high[axis]++;
                check_change(p, sets, low);
                check_change(p, sets, high);
            }
        }
    }
}

static int
joint_of(const struct network_diff *diff, const struct eni *eni)
{
    for (size_t i = 0; i < diff->joints.n; i++) {
        for (size_t k = 0; k < diff->joints.items[i].members.n && !diff->joints.items[i].secondary; k++) {
            if (strcmp(diff->joints.items[i].members.items[k]->obj.id, eni->obj.id) == 0) {
                return (int)i;
            }
        }
    }
    return -1;
}

static void
check_pair_of_change(struct random_lab *l, const struct change_place *p, int from, int to)
{
    const struct diff_change *change = NULL;
    for (size_t i = 0; i < p->diff->changes.n; i++) {
        const struct diff_change *c = &p->diff->changes.items[i];
        change = c->from == (size_t)from && c->to == (size_t)to ? c : change;
    }
    if (change) {
        check_bounds_of_change(p, (const int[]){ change->before, change->after });
    }
    for (int i = 0; i < 6; i++) {
        int at[] = { lot_protocol(&l->net, false), lot_port(&l->net), lot_port(&l->net) };
        const int sets[] = { change ? change->before : 0, change ? change->after : 0 };
        check_change(p, change ? sets : NULL, at);
    }
}

/* Something changed by lot: a rule of each group, a target or listener gone, an exclusion, an endpoint rejected. */
static void
change_lab(struct random_lab *l)
{
    struct store *store = network_store(l->net.net);
    int n = 1000;
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        lot_rule(&l->net, g, n++);
    }
    for (struct target_group *g = store_first(store, &target_group_kind); g; g = store_next(store, g)) {
        g->port = chance(&l->net, 30) ? lot_listened_port(&l->net) : g->port;
    }
    for (struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        if (chance(&l->net, 30)) {
            free(e->state);
            e->state = xstrdup(chance(&l->net, 50) ? "available" : "rejected");
        }
    }
    for (struct block_public_access *o = store_first(store, &block_public_access_kind); o; o = store_next(store, o)) {
        free(o->mode);
        o->mode = xstrdup(chance(&l->net, 50) ? "off" : "block-ingress");
    }
    lot_route(&l->net, store_first(store, &route_table_kind), 0, false);
    store_touch(store);
}

TEST(a_difference_is_what_passes_in_one_and_not_in_the_other)
{
    uint64_t first = setting("SPEC_SEED", 1), n = setting("SPEC_ANSWERS", 20);
    size_t packets = 0, changes = 0;
    for (uint64_t seed = first; seed < first + n && test_complaints < 10; seed++) {
        struct random_lab one, other;
        random_lab_make(&one, seed, false);
        random_lab_make(&other, seed, false);
        change_lab(&other);
        struct network_diff *diff = network_diff_new(one.net.net, other.net.net, IP_V4);
        for (int i = 0; i < 16; i++) {
            struct change_place p = { .diff = diff, .seed = seed, .n = &packets };
            bool there = some_eni(&one, IP_V4, &p.from[0]) && some_eni(&one, IP_V4, &p.to[0]);
            p.from[0].ip = *eni_primary_ip(p.from[0].eni);
            p.to[0].ip = *eni_primary_ip(p.to[0].eni);
            p.from[1] = p.from[0];
            p.to[1] = p.to[0];
            p.from[1].eni = store_get(network_store(other.net.net), &eni_kind, p.from[0].eni->obj.id);
            p.to[1].eni = store_get(network_store(other.net.net), &eni_kind, p.to[0].eni->obj.id);
            int from = joint_of(diff, p.from[0].eni), to = joint_of(diff, p.to[0].eni);
            if (there && from >= 0 && to >= 0 && p.from[0].eni != p.to[0].eni &&
                connectivity_opens(one.net.net, p.from[0].eni)) {
                check_pair_of_change(&one, &p, from, to);
            }
        }
        changes += diff->changes.n;
        network_diff_free(diff);
        random_lab_done(&one);
        random_lab_done(&other);
    }
    fprintf(stderr, "%zu packets from seed %" PRIu64 ", %zu changes\n", packets, first, changes);
    CHECK(n < 50 || changes > n);
}

TEST_MAIN
