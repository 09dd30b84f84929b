#include "netsim/analysis/conn_roles.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "netsim/analysis/conn_alike.h"
#include "netsim/model/network.h"

/* The groups of some interfaces of one VPC, and what their rules say. */
struct carried {
    const struct eni *eni; /* one that carries them */
    VEC(int) groups;       /* numbers of the groups */
    int *by_part[2];       /* ingress, egress: what CIDR rules let pass, by part + 1; -1: not asked yet */
    int *by_group[2];      /* what rules naming a group let pass, by its number; NULL: no rule names any */
};
struct role {
    int carried; /* -1: outside */
    int part;
    struct ip ip;
};
struct conn_roles {
    const struct network *net;
    struct set_pool *pool;
    struct map group_numbers, known_carried, known_roles;
    size_t n_groups;
    int n_parts;
    VEC(struct carried) carried;
    VEC(struct role) roles;
    int *between, *like;
};

struct conn_roles *
conn_roles_new(const struct network *net, struct set_pool *pool)
{
    struct conn_roles *roles = xcalloc(1, sizeof *roles);
    const struct store *store = network_store(net);
    roles->net = net;
    roles->pool = pool;
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        map_put(&roles->group_numbers, g->obj.id, (void *)(uintptr_t)++roles->n_groups);
    }
    return roles;
}

void
conn_roles_free(struct conn_roles *roles)
{
    for (size_t i = 0; i < roles->carried.n; i++) {
        struct carried *carried = &roles->carried.items[i];
        VEC_DONE(&carried->groups);
        for (int out = 0; out < 2; out++) {
            free(carried->by_part[out]);
            free(carried->by_group[out]);
        }
    }
    VEC_DONE(&roles->carried);
    VEC_DONE(&roles->roles);
    map_done(&roles->group_numbers);
    map_done(&roles->known_carried);
    map_done(&roles->known_roles);
    free(roles->between);
    free(roles->like);
    free(roles);
}

size_t
conn_roles_count(const struct conn_roles *roles)
{
    return roles->roles.n;
}

static int
group_number(const struct conn_roles *roles, const char *id)
{
    return (int)(uintptr_t)map_get(&roles->group_numbers, id) - 1;
}

static int
compare_ints(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int
carried_by(struct conn_roles *roles, const struct eni *eni)
{
    struct carried carried = { .eni = eni };
    struct buf key = { 0 };
    for (size_t i = 0; i < eni->groups.n; i++) {
        *VEC_ADD(&carried.groups) =
            group_number(roles, eni->groups.items[i].id); /* -1: not in the model, lets nothing through */
    }
    if (carried.groups.n > 0) {
        qsort(carried.groups.items, carried.groups.n, sizeof *carried.groups.items, compare_ints);
    }
    buf_str_add(&key, eni->vpc_id);
    for (size_t i = 0; i < carried.groups.n; i++) {
        buf_printf(&key, " %d", carried.groups.items[i]);
    }
    uintptr_t index = (uintptr_t)map_get(&roles->known_carried, buf_str(&key));
    if (index) {
        VEC_DONE(&carried.groups);
    } else {
        *VEC_ADD(&roles->carried) = carried;
        index = roles->carried.n;
        map_put(&roles->known_carried, buf_str(&key), (void *)index);
    }
    buf_done(&key);
    return (int)index - 1;
}

int
conn_roles_add(struct conn_roles *roles, const struct eni *eni, const struct ip *ip, int part)
{
    struct role role = { .carried = eni ? carried_by(roles, eni) : -1, .part = part, .ip = *ip };
    char key[48];
    snprintf(key, sizeof key, "%d %d", role.carried, part);
    uintptr_t index = (uintptr_t)map_get(&roles->known_roles, key);
    if (!index) {
        *VEC_ADD(&roles->roles) = role;
        index = roles->roles.n;
        map_put(&roles->known_roles, key, (void *)index);
        roles->n_parts = part >= roles->n_parts ? part + 1 : roles->n_parts;
    }
    return (int)index - 1;
}

/* ---- Rules ---------------------------------------------------------------------------------------------------------
 */

static void
unite(struct conn_roles *roles, int *sum, int more)
{
    *sum = set_pool_combine(roles->pool, *sum, more, PACKETS_UNION);
}

static void
read_rules(struct conn_roles *roles, struct carried *carried)
{
    for (int out = 0; out < 2; out++) {
        carried->by_part[out] = xmalloc(((size_t)roles->n_parts + 1) * sizeof(int));
        memset(carried->by_part[out], -1, ((size_t)roles->n_parts + 1) * sizeof(int));
    }
    for (size_t i = 0; i < carried->eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(roles->net), &security_group_kind, carried->eni->groups.items[i].id);
        for (size_t r = 0; group && r < group->rules.n; r++) {
            const struct sg_rule *rule = &group->rules.items[r];
            int named = rule->group_id ? group_number(roles, rule->group_id) : -1;
            int **by_group = &carried->by_group[rule->egress];
            if (named >= 0) {
                *by_group = *by_group ? *by_group : xcalloc(roles->n_groups + 1, sizeof **by_group);
                unite(roles, &(*by_group)[named], sg_rule_packets(roles->pool, rule));
            }
        }
    }
}

static int
packets_by_part(struct conn_roles *roles, struct carried *carried, bool egress, const struct role *other)
{
    int *known = &carried->by_part[egress][other->part + 1];
    if (*known >= 0) {
        return *known;
    }
    int passes = PACKETS_NONE;
    for (size_t i = 0; i < carried->eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(roles->net), &security_group_kind, carried->eni->groups.items[i].id);
        for (size_t r = 0; group && r < group->rules.n; r++) {
            const struct sg_rule *rule = &group->rules.items[r];
            if (rule->egress == egress && !rule->group_id &&
                sg_rule_fits_address(roles->net, carried->eni->vpc_id, rule, &other->ip)) {
                unite(roles, &passes, sg_rule_packets(roles->pool, rule));
            }
        }
    }
    return *known = passes;
}

/* What the groups of 'role' let pass to or from 'other'. */
static int
side_packets(struct conn_roles *roles, const struct conn_ways *ways, const struct role *role, bool egress,
             const struct role *other)
{
    struct carried *carried = role->carried >= 0 ? &roles->carried.items[role->carried] : NULL;
    if (!carried || carried->groups.n == 0) {
        return PACKETS_ALL; /* outside, and interfaces without groups, filter nothing */
    }
    const struct carried *peer = other->carried >= 0 ? &roles->carried.items[other->carried] : NULL;
    if (peer && strcmp(peer->eni->vpc_id, carried->eni->vpc_id) != 0) {
        /* Whether a rule may name a group of another VPC is for rules.c to say. */
        const struct origin *origin = conn_ways_origin(ways, peer->eni->vpc_id, carried->eni->vpc_id);
        return groups_packets(roles->pool, roles->net, carried->eni, egress, &other->ip, origin);
    }
    int passes = packets_by_part(roles, carried, egress, other);
    const int *by_group = carried->by_group[egress];
    for (size_t i = 0; by_group && peer && i < peer->groups.n; i++) {
        if (peer->groups.items[i] >= 0) {
            unite(roles, &passes, by_group[peer->groups.items[i]]);
        }
    }
    return passes;
}

void
conn_roles_judge(struct conn_roles *roles, const struct conn_ways *ways, bool alike)
{
    size_t n = roles->roles.n;
    int *kinds = xcalloc(n + 1, sizeof *kinds);
    roles->between = xcalloc(n * n + 1, sizeof *roles->between);
    roles->like = xcalloc(n + 1, sizeof *roles->like);
    for (size_t i = 0; i < roles->carried.n; i++) {
        read_rules(roles, &roles->carried.items[i]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct role *from = &roles->roles.items[i];
        roles->like[i] = (int)i;
        for (size_t k = 0; k < n; k++) {
            const struct role *to = &roles->roles.items[k];
            int out = side_packets(roles, ways, from, true, to);
            int in = out == PACKETS_NONE ? PACKETS_NONE : side_packets(roles, ways, to, false, from);
            roles->between[i * n + k] = set_pool_combine(roles->pool, out, in, PACKETS_INTERSECT);
        }
    }
    if (alike) {
        conn_find_alike(n, roles->between, kinds, roles->like);
    }
    free(kinds);
}

int
conn_roles_like(const struct conn_roles *roles, int role)
{
    return roles->like[role];
}

int
conn_roles_between(const struct conn_roles *roles, int from, int to)
{
    return roles->between[(size_t)from * roles->roles.n + (size_t)to];
}
