#include "netsim/analysis/network_diff.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/model/network.h"

/* ---- Pairing
 * ---------------------------------------------------------------------------------------------------------
 */

/* What is added to a joint: a member by one of its addresses, or a part outside. */
struct joined {
    const struct eni *eni;
    const struct ip *ip;
    const struct cidr *outside;
};

static void
join(struct network_diff *diff, int before, int after, const struct network *net, const struct conn_class *class,
     const struct joined *what)
{
    char key[80];
    int group[2] = { before < 0 ? -1 : diff->groups[0][before], after < 0 ? -1 : diff->groups[1][after] };
    snprintf(key, sizeof key, "%d %d %d %d", group[0], group[1], what->eni != NULL,
             what->eni && connectivity_opens(net, what->eni));
    uintptr_t index = (uintptr_t)map_get(&diff->known, key);
    if (!index) {
        *VEC_ADD(&diff->joints) = (struct diff_joint){
            .class = { before, after }, .net = net, .gate = class->gate, .secondary = class->secondary
        };
        index = diff->joints.n;
        map_put(&diff->known, key, (void *)index);
    }
    struct diff_joint *joint = &diff->joints.items[index - 1];
    if (what->eni) {
        *VEC_ADD(&joint->members) = what->eni;
        *VEC_ADD(&joint->addresses) = *what->ip;
    } else {
        *VEC_ADD(&joint->outside) = *what->outside;
    }
}

/* Names to interfaces; a name that two have stands for none. */
static const struct eni shared_name;

static void
collect_names(const struct network *net, struct map *names)
{
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        const char *name = eni_name(net, eni);
        map_put(names, name, (void *)(uintptr_t)(map_get(names, name) ? &shared_name : eni));
    }
}

static const struct eni *
named(const struct map *names, const char *name)
{
    const struct eni *found = map_get(names, name);
    return found == &shared_name ? NULL : found;
}

static const struct eni *
counterpart(const struct network_diff *diff, const struct map names[2], int side, const struct eni *eni)
{
    const struct network *other = diff->net[!side];
    const struct eni *same = store_get(network_store(other), &eni_kind, eni->obj.id);
    const char *name = eni_name(diff->net[side], eni);
    if (same || !named(&names[side], name)) {
        return same;
    }
    same = named(&names[!side], name);
    return same && !store_get(network_store(diff->net[side]), &eni_kind, same->obj.id) ? same : NULL;
}

/* A secondary address that fares as the first one there has no class of its own there: the interface's answers for it.
 */
static void
join_members(struct network_diff *diff, const struct map names[2], int side, int here)
{
    const struct conn_class *class = connectivity_class(diff->c[side], (size_t)here);
    for (size_t i = 0; i < class->members.n; i++) {
        const struct joined what = { class->members.items[i], &class->addresses.items[i], NULL };
        const struct eni *other = counterpart(diff, names, side, what.eni);
        int there = !other             ? -1
                    : class->secondary ? connectivity_class_of_address(diff->c[!side], other->obj.id, what.ip)
                                       : connectivity_class_of(diff->c[!side], other->obj.id);
        bool same = there >= 0 && connectivity_class(diff->c[!side], (size_t)there)->secondary == class->secondary;
        if (side == 0 || !same) { /* else both were joined when the first network was gone through */
            join(diff, side ? there : here, side ? here : there, diff->net[side], class, &what);
        }
    }
}

static void
join_interfaces(struct network_diff *diff)
{
    struct map names[2] = { { 0 }, { 0 } };
    collect_names(diff->net[0], &names[0]);
    collect_names(diff->net[1], &names[1]);
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < connectivity_n_classes(diff->c[side]); k++) {
            join_members(diff, names, side, (int)k);
        }
    }
    map_done(&names[0]);
    map_done(&names[1]);
}

/* Both networks were cut into the same parts; one may call a part its own. */
static void
join_outside(struct network_diff *diff)
{
    for (int side = 0; side < 2; side++) {
        for (size_t k = 0; k < connectivity_n_classes(diff->c[side]); k++) {
            const struct conn_class *class = connectivity_class(diff->c[side], k);
            for (size_t i = 0; i < class->outside.n; i++) {
                int other = connectivity_class_of_part(diff->c[!side], class->gate, &class->outside.items[i]);
                if (side == 0 || other < 0) {
                    join(diff, side ? other : (int)k, side ? (int)k : other, diff->net[side], class,
                         &(struct joined){ .outside = &class->outside.items[i] });
                }
            }
        }
    }
}

void
network_diff_free(struct network_diff *diff)
{
    if (!diff) {
        return;
    }
    for (int side = 0; side < 2; side++) {
        connectivity_free(diff->c[side]);
        free(diff->groups[side]);
    }
    for (size_t i = 0; i < diff->joints.n; i++) {
        VEC_DONE(&diff->joints.items[i].members);
        VEC_DONE(&diff->joints.items[i].addresses);
        VEC_DONE(&diff->joints.items[i].outside);
    }
    VEC_DONE(&diff->joints);
    VEC_DONE(&diff->changes);
    VEC_DONE(&diff->translated);
    map_done(&diff->known);
    free(diff);
}

/* ---- Comparing
 * -------------------------------------------------------------------------------------------------------
 */

static int
usable_between(const struct connectivity *c, int from, int to)
{
    if (from < 0 || to < 0) {
        return PACKETS_NONE;
    }
    struct conn_flow flow = connectivity_between(c, (size_t)from, (size_t)to);
    return packets_usable(connectivity_pool(c), flow.passes, flow.answered);
}

/* A set of the second pool in the first. */
static int
translate(struct network_diff *diff, int set)
{
    while (diff->translated.n <= (size_t)set) {
        *VEC_ADD(&diff->translated) = -1;
    }
    int *known = &diff->translated.items[set];
    if (*known < 0) {
        const struct packet_set none = { 0 };
        struct packet_set copy =
            packet_set_combine(set_pool_get(connectivity_pool(diff->c[1]), set), &none, PACKETS_UNION);
        *known = set_pool_take(connectivity_pool(diff->c[0]), &copy);
    }
    return *known;
}

struct network_diff *
network_diff_new(const struct network *before, const struct network *after, int family)
{
    struct network_diff *diff = xcalloc(1, sizeof *diff);
    diff->net[0] = before;
    diff->net[1] = after;
    for (int side = 0; side < 2; side++) {
        diff->c[side] = connectivity_new_beside(diff->net[side], diff->net[!side], family);
        connectivity_groups(diff->c[side], &diff->groups[side]);
    }
    join_interfaces(diff);
    join_outside(diff);
    for (size_t a = 0; a < diff->joints.n; a++) {
        const struct diff_joint *from = &diff->joints.items[a];
        if (from->members.n && !connectivity_opens(from->net, from->members.items[0])) {
            continue;
        }
        for (size_t b = 0; b < diff->joints.n; b++) {
            const struct diff_joint *to = &diff->joints.items[b];
            if (a == b && from->members.n == 1) {
                continue; /* an interface and itself */
            }
            int was = usable_between(diff->c[0], from->class[0], to -> class[0]);
            int is = translate(diff, usable_between(diff->c[1], from->class[1], to -> class[1]));
            if (was != is) {
                *VEC_ADD(&diff->changes) = (struct diff_change){ a, b, was, is };
            }
        }
    }
    return diff;
}
