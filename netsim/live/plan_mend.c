/* The parts of a plan that a change can touch are planned by the same functions as the whole, but into an empty
 * namespace; what is there already stays.  Then what nothing refers to any more goes. */
#include "netsim/live/plan_mend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/live/plan_mend_part.h"

const char *const mend_group_maps[] = { "sg_in", "sg_out" };
const char *const mend_untracked_maps[] = { "untracked_in", "untracked_out" };
static const char *const acl_maps[] = { "nacl_in", "nacl_out" };
static const char *const directions[] = { "_in", "_out" };
static const char *const no_groups[] = { "accept", PLAN_ADMIT_SENDER };

/* ---- what goes and what comes --------------------------------------------------------------------------------------
 */
static struct plan_chain *
chain_of(const struct plan_ns *ns, const char *name)
{
    for (size_t i = 0; i < ns->chains.n; i++) {
        if (strcmp(ns->chains.items[i].name, name) == 0) {
            return &ns->chains.items[i];
        }
    }
    return NULL;
}

/* The chain as it stands goes (another of the name may come). */
static void
drop_chain(struct mend *m, const char *name)
{
    const struct plan_chain *chain = plan_find_chain(m->standing, name);
    if (chain && !chain_of(m->from, name)) {
        *VEC_ADD(&m->from->chains) = *chain;
    }
}

struct plan_set *
mend_part_of(struct plan_ns *ns, const struct plan_set *standing)
{
    struct plan_set *part = plan_set_added(ns, standing->name);
    if (!part) {
        part = VEC_ADD(&ns->sets);
        part->name = standing->name;
        part->head = standing->head;
    }
    return part;
}

void
mend_put_element(struct mend *m, const char *map, const char *key, const char *data)
{
    const struct plan_set *standing = plan_find_set(m->standing, map);
    const struct plan_element *was = plan_find_element(standing, key);
    if (was ? data && strcmp(was->data, data) == 0 : !data) {
        return;
    }
    struct plan_set *from = mend_part_of(m->from, standing), *to = mend_part_of(m->to, standing);
    if (was) {
        bool again = m->left.n && strcmp(m->left.items[m->left.n - 1], was->data) == 0;
        *VEC_ADD(&from->elements) = *was;
        if (!again) {
            *VEC_ADD(&m->left) = was->data;
        }
    }
    if (data) {
        struct arena *arena = m->b.plan->arena;
        *VEC_ADD(&to->elements) =
            (struct plan_element){ was ? was->key : arena_strdup(arena, key), arena_strdup(arena, data) };
    }
}

/* ---- groups -------------------------------------------------------------------------------------------------------
 */
struct plan_port *
mend_port_of(struct plan_vpc *v, const char *key)
{
    for (size_t i = 0; i < v->ports.n; i++) {
        if (strcmp(v->ports.items[i].key, key) == 0) {
            return &v->ports.items[i];
        }
    }
    return NULL;
}

/* Has the interface a link at this router? */
static bool
has_port(const struct mend *m, const struct eni *eni)
{
    char key[ID_SIZE + 8], name[24];
    snprintf(key, sizeof key, "link:%s", eni->obj.id);
    uint32_t number = (uint32_t)(uintptr_t)map_get(&m->b.numbers->known, key);
    snprintf(name, sizeof name, "\"e%u\"", number);
    return number && plan_find_element(plan_find_set(m->standing, mend_group_maps[0]), name);
}

static void
remake_group(struct mend *m, const char *group_id)
{
    char in[128], out[128];
    snprintf(in, sizeof in, "%s", plan_name("sg_", group_id, "_in"));
    snprintf(out, sizeof out, "%s", plan_name("sg_", group_id, "_out"));
    if (plan_find_chain(m->standing, in) && !map_get(&m->known, group_id)) {
        map_put(&m->known, group_id, (void *)1);
        drop_chain(m, in);
        drop_chain(m, out);
        plan_group(&m->b, m->v, group_id);
    }
}

/* An address stands for a group where the interface that has it is a member; interfaces of several VPCs may have it. */
static bool
is_member(struct mend *m, const char *group_id, const struct ip *ip, const char *there)
{
    for (const struct plan_vpc *v = m->b.vpcs; v; v = v->next) {
        const struct eni *eni = network_eni_by_address(m->b.net, v->vpc->obj.id, ip);
        if (eni && plan_counts_members(m->v, eni->vpc_id, there) && eni_has_group(eni, group_id)) {
            return true;
        }
    }
    return false;
}

static void
put_member(struct mend *m, const struct plan_set *set, const char *group_id, const struct ip *ip, const char *there)
{
    char key[IP_STR_SIZE];
    const struct plan_element *was = plan_find_element(set, ip_format(ip, key));
    bool is = is_member(m, group_id, ip, there);
    if (!was == !is) {
        return;
    }
    struct plan_set *from = mend_part_of(m->from, set), *to = mend_part_of(m->to, set); /* both: the set stays */
    if (was) {
        *VEC_ADD(&from->elements) = *was;
    } else {
        plan_element_add(&m->b, to, NULL, "%s", key);
    }
}

/* Of the sets of a group's members that stand, the addresses of interfaces that have other groups now. */
static void
remake_members(struct mend *m, const char *group_id)
{
    static const struct {
        const char *prefix;
        int family;
        bool there;
    } kinds[] = {
        { "sgm_", IP_V4, false }, { "sgm6_", IP_V6, false }, { "sgt_", IP_V4, true }, { "sgt6_", IP_V6, true }
    };
    const struct security_group *group = store_get(m->b.store, &security_group_kind, group_id);
    for (size_t k = 0; group && k < ARRAY_SIZE(kinds); k++) {
        const struct plan_set *set = plan_find_set(m->standing, plan_name(kinds[k].prefix, group_id, ""));
        const char *there = kinds[k].there ? group->vpc_id : NULL;
        for (size_t i = 0; set && i < m->n_changes; i++) {
            const struct eni *eni =
                m->changes[i].kind == CHANGED_ENI_GROUPS ? store_get(m->b.store, &eni_kind, m->changes[i].id) : NULL;
            if (!eni || !plan_counts_members(m->v, eni->vpc_id, there)) {
                continue;
            }
            for (size_t j = 0; kinds[k].family == IP_V4 && j < eni->addresses.n; j++) {
                put_member(m, set, group_id, &eni->addresses.items[j].ip, there);
            }
            for (size_t j = 0; kinds[k].family == IP_V6 && j < eni->addresses6.n; j++) {
                put_member(m, set, group_id, &eni->addresses6.items[j].ip, there);
            }
        }
    }
}

/* The untracked chain of the interface's groups; once for all that have the same. */
static void
remake_untracked(struct mend *m, const struct eni *eni)
{
    for (int egress = 0; egress < 2; egress++) {
        char name[40];
        struct buf rules = { 0 };
        if (plan_untracked_chain(&m->b, eni, egress == 1, name, NULL) && !map_get(&m->flipped, name)) {
            plan_untracked_chain(&m->b, eni, egress == 1, name, &rules);
            const struct plan_chain *was = plan_find_chain(m->standing, name);
            if (rules.size && (!was || strcmp(was->rules, buf_str(&rules)) != 0)) {
                plan_chain_add(&m->b, m->to, name, "", buf_str(&rules));
            }
            if (was && (!rules.size || strcmp(was->rules, buf_str(&rules)) != 0)) {
                drop_chain(m, name);
            }
            map_put(&m->flipped, name,
                    (void *)(uintptr_t)(!was == !rules.size ? "same"
                                        : rules.size        ? "some"
                                                            : "none"));
        }
        buf_done(&rules);
    }
}

static void
put_untracked(struct mend *m, const struct plan_port *port)
{
    for (int egress = 0; egress < 2; egress++) {
        char name[40], key[24], data[64];
        struct buf rules = { 0 };
        snprintf(key, sizeof key, "\"%s\"", port->name);
        bool in_one = plan_untracked_chain(&m->b, port->eni, egress == 1, name, &rules) && rules.size;
        snprintf(data, sizeof data, "jump %s", name);
        mend_put_element(m, mend_untracked_maps[egress], key, in_one ? data : NULL);
        buf_done(&rules);
    }
}

static bool
any_flipped(struct mend *m)
{
    size_t cursor = 0;
    const char *name;
    void *how;
    while (map_next(&m->flipped, &cursor, &name, &how)) {
        if (strcmp(how, "same") != 0) {
            return true;
        }
    }
    return false;
}

static bool
is_regrouped(const struct mend *m, const struct plan_port *port)
{
    for (size_t i = 0; i < m->regrouped.n; i++) {
        if (m->regrouped.items[i] == port) {
            return true;
        }
    }
    return false;
}

/* Once for all hosts behind a device. */
static bool
is_first(struct mend *m, const char *what, const struct plan_port *port)
{
    char key[40];
    snprintf(key, sizeof key, "%s %s", what, port->name);
    bool first = !port->shared || !map_get(&m->put, key);
    if (first && port->shared) {
        map_put(&m->put, key, (void *)1);
    }
    return first;
}

/* Interfaces with new groups, and where an untracked chain came or went all that have it. */
static void
follow_untracked(struct mend *m)
{
    bool all = any_flipped(m);
    for (size_t i = 0; all && i < m->v->ports.n; i++) {
        const struct plan_port *port = &m->v->ports.items[i];
        char name[2][40];
        if (!is_first(m, "untracked", port)) {
            continue;
        }
        bool made = plan_untracked_chain(&m->b, port->eni, false, name[0], NULL) &&
                    plan_untracked_chain(&m->b, port->eni, true, name[1], NULL) &&
                    (map_get(&m->flipped, name[0]) || map_get(&m->flipped, name[1]));
        if (made || is_regrouped(m, port)) {
            put_untracked(m, port);
        }
    }
    for (size_t i = 0; !all && i < m->regrouped.n; i++) {
        if (is_first(m, "untracked", m->regrouped.items[i])) {
            put_untracked(m, m->regrouped.items[i]);
        }
    }
}

/* False: more than what the interface goes through depends on its groups. */
static bool
regroup(struct mend *m, const char *eni_id)
{
    struct plan_port *port = mend_port_of(m->v, eni_id);
    if (!port || !port->eni || is_regrouped(m, port)) {
        return true;
    }
    if (port->place) {
        return false;
    }
    if (port->tap) {
        mend_move_tap(m, port);
    }
    *VEC_ADD(&m->regrouped) = port;
    char base[128] = "", key[24], data[160];
    snprintf(key, sizeof key, "\"%s\"", port->name);
    if (port->eni->groups.n) {
        plan_groups_chain(&m->b, m->v, port->eni, &m->known, base);
    }
    for (int d = 0; d < 2 && (d == 1 || is_first(m, "groups", port)); d++) {
        snprintf(data, sizeof data, *base ? "jump %s%s" : no_groups[d], base, directions[d]);
        mend_put_element(m, mend_group_maps[d], key, data);
    }
    remake_untracked(m, port->eni);
    return true;
}

/* ---- what nothing refers to any more -------------------------------------------------------------------------------
 */
/* Does 'word' stand in the text, whole? */
static bool
names(const char *text, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length) {
        if (at[length] == '\0' || strchr(" \n", at[length])) {
            return true;
        }
    }
    return false;
}

/* In the rules of a chain that will be there. */
static bool
chains_name(const struct mend *m, const char *word)
{
    for (size_t i = 0; i < m->standing->chains.n; i++) {
        const struct plan_chain *chain = &m->standing->chains.items[i];
        if (names(chain->rules, word) && !chain_of(m->from, chain->name)) {
            return true;
        }
    }
    for (size_t i = 0; i < m->to->chains.n; i++) {
        if (names(m->to->chains.items[i].rules, word)) {
            return true;
        }
    }
    return false;
}

static bool
map_leads_to(const struct mend *m, const char *map, const char *data)
{
    const struct plan_set *standing = plan_find_set(m->standing, map), *from = plan_set_added(m->from, map),
                          *to = plan_set_added(m->to, map);
    size_t n = 0;
    for (size_t i = 0; i < standing->elements.n; i++) {
        n += standing->elements.items[i].data && strcmp(standing->elements.items[i].data, data) == 0;
    }
    for (size_t i = 0; from && i < from->elements.n; i++) {
        n -= strcmp(from->elements.items[i].data, data) == 0;
    }
    for (size_t i = 0; to && i < to->elements.n; i++) {
        n += strcmp(to->elements.items[i].data, data) == 0;
    }
    return n > 0;
}

/* "jump NAME": the chain goes if neither a map nor another chain leads there; then those it led to are asked. */
static void
drop_unused_chain(struct mend *m, const char *jump)
{
    if (strncmp(jump, "jump ", 5) != 0 || chain_of(m->to, jump + 5)) {
        return;
    }
    for (int d = 0; d < 2; d++) {
        if (map_leads_to(m, mend_group_maps[d], jump) || map_leads_to(m, mend_untracked_maps[d], jump) ||
            map_leads_to(m, acl_maps[d], jump)) {
            return;
        }
    }
    const struct plan_chain *chain = plan_find_chain(m->standing, jump + 5);
    if (!chain || chain_of(m->from, chain->name) || chains_name(m, jump)) {
        return;
    }
    drop_chain(m, chain->name);
    if (strncmp(chain->name, "sgs_", 4) == 0) {
        for (const char *line = chain->rules; *line; line = strchr(line, '\n') + 1) {
            char inner[160];
            snprintf(inner, sizeof inner, "%.*s", (int)strcspn(line, "\n"), line);
            drop_unused_chain(m, inner);
        }
    }
}

/* Sets of addresses that a chain which goes named, and that no other does. */
static void
drop_unused_sets(struct mend *m)
{
    for (size_t i = 0; i < m->from->chains.n; i++) {
        for (const char *at = m->from->chains.items[i].rules; (at = strchr(at, '@')); at++) {
            char word[160];
            snprintf(word, sizeof word, "%.*s", (int)strcspn(at, " \n"), at);
            const struct plan_set *set = plan_find_set(m->standing, word + 1);
            bool ours = strncmp(word, "@sg", 3) == 0 || strncmp(word, "@pl", 3) == 0;
            if (!ours || !set || chains_name(m, word)) {
                continue;
            }
            struct plan_set *gone = mend_part_of(m->from, set), *part = plan_set_added(m->to, set->name);
            if (gone->elements.n == set->elements.n && !part) {
                continue; /* done already */
            }
            gone->elements.n = 0;
            for (size_t j = 0; j < set->elements.n; j++) {
                *VEC_ADD(&gone->elements) = set->elements.items[j];
            }
            if (part) {
                VEC_DONE(&part->elements);
                VEC_REMOVE(&m->to->sets, (size_t)(part - m->to->sets.items));
            }
        }
    }
}

/* ---- ACLs ---------------------------------------------------------------------------------------------------------
 */
static void
remake_acl(struct mend *m, const char *acl_id)
{
    char in[128], out[128];
    const struct network_acl *acl = store_get(m->b.store, &network_acl_kind, acl_id);
    snprintf(in, sizeof in, "%s", plan_name("nacl_", acl_id, "_in"));
    snprintf(out, sizeof out, "%s", plan_name("nacl_", acl_id, "_out"));
    if (acl && plan_find_chain(m->standing, in) && !map_get(&m->known, acl_id)) {
        map_put(&m->known, acl_id, (void *)1);
        drop_chain(m, in);
        drop_chain(m, out);
        plan_acl(&m->b, m->v, acl);
    }
}

/* What a subnet's links and those by which transit gateways send into it go through. */
static void
put_subnet(struct mend *m, const struct subnet *subnet, const char *map, const char *data)
{
    char key[16];
    uint32_t groups[] = { plan_number(m->b.numbers, "subnet", subnet->obj.id),
                          plan_transit_group(&m->b, m->v, subnet) };
    for (size_t i = 0; i < ARRAY_SIZE(groups) && groups[i]; i++) {
        snprintf(key, sizeof key, "%u", groups[i]);
        mend_put_element(m, map, key, data);
    }
}

static void
move_subnet(struct mend *m, const char *subnet_id)
{
    const struct subnet *subnet = store_get(m->b.store, &subnet_kind, subnet_id);
    if (!subnet || strcmp(subnet->vpc_id, m->v->vpc->obj.id) != 0) {
        return;
    }
    const struct network_acl *acl = network_subnet_acl(m->b.net, subnet);
    if (acl && !map_get(&m->known, acl->obj.id) &&
        !plan_find_chain(m->standing, plan_name("nacl_", acl->obj.id, "_in"))) {
        map_put(&m->known, acl->obj.id, (void *)1);
        plan_acl(&m->b, m->v, acl);
    }
    for (int d = 0; d < 2; d++) {
        char data[160];
        if (acl) {
            snprintf(data, sizeof data, "jump %s", plan_name("nacl_", acl->obj.id, directions[d]));
        }
        put_subnet(m, subnet, acl_maps[d], acl ? data : NULL);
    }
}

/* ---- routes -------------------------------------------------------------------------------------------------------
 */
/* The marks that a table's packets have, or had, by the zone they come from. */
struct marks {
    uint32_t items[32];
    size_t n;
};

static bool
has_mark(const struct marks *marks, uint32_t mark)
{
    for (size_t i = 0; i < marks->n; i++) {
        if (marks->items[i] == mark) {
            return true;
        }
    }
    return false;
}

/* A mark that never was asked for has no lines. False: there are more than can be. */
static bool
add_mark(struct mend *m, struct marks *marks, const struct route_table *table, const char *zone)
{
    char key[ID_SIZE + 40];
    snprintf(key, sizeof key, "table:%s%s%.24s", table->obj.id, zone ? "@" : "", zone ? zone : "");
    uint32_t mark = (uint32_t)(uintptr_t)map_get(&m->b.numbers->known, key);
    bool fresh = mark && !has_mark(marks, mark);
    if (fresh && marks->n < ARRAY_SIZE(marks->items)) {
        marks->items[marks->n++] = mark;
        fresh = false;
    }
    return !fresh;
}

static bool
is_of_table(uint32_t number, const struct marks *marks)
{
    return number >= PLAN_TABLE_FIRST && has_mark(marks, (number - PLAN_TABLE_FIRST) / 2);
}

/* Whether the table has routes inside the VPC's own blocks. */
static void
set_overridden(struct mend *m, const struct route_table *table, bool is_inside)
{
    bool was_inside = false;
    for (size_t i = m->v->overridden.n; i-- > 0;) {
        if (m->v->overridden.items[i] == table) {
            was_inside = true;
            VEC_REMOVE(&m->v->overridden, i);
        }
    }
    if (is_inside) {
        *VEC_ADD(&m->v->overridden) = table;
    }
    m->remark |= was_inside != is_inside;
}

static bool
is_of_gateway(const struct route_table *table)
{
    for (size_t i = 0; i < table->associations.n; i++) {
        if (table->associations.items[i].gateway_id[0]) {
            return true;
        }
    }
    return false;
}

/* A chain of the router's own, as it is now. */
static void
remake_chain(struct mend *m, const char *name, void (*plan)(struct builder *b, struct plan_vpc *v))
{
    if (!chain_of(m->to, name)) {
        drop_chain(m, name);
        plan(&m->b, m->v);
    }
}

/* Subnets find their kernel table by a mark, which is another for each zone once a route leads to a transit gateway. */
static bool
remark_subnets(struct mend *m, const struct route_table *table, struct marks *marks)
{
    bool ok = add_mark(m, marks, table, NULL);
    for (const struct subnet *s = store_first(m->b.store, &subnet_kind); ok && s; s = store_next(m->b.store, s)) {
        if (strcmp(s->vpc_id, table->vpc_id) != 0) {
            continue;
        }
        const char *zone = s->zone ? s->zone : "";
        ok = add_mark(m, marks, table, zone);
        if (ok && network_subnet_route_table(m->b.net, s) == table) {
            char mark[16];
            snprintf(mark, sizeof mark, "0x%08x", plan_table_mark(&m->b, table, zone));
            put_subnet(m, s, "rt_of_group", mark);
        }
    }
    return ok;
}

/* False: its marks are too many. */
static bool
remake_routes(struct mend *m, const struct route_table *table)
{
    struct marks marks = { .n = 0 };
    if (map_get(&m->known, table->obj.id)) {
        return true; /* this change came with another of the table */
    }
    map_put(&m->known, table->obj.id, (void *)1);
    if (!remark_subnets(m, table, &marks)) {
        return false;
    }
    size_t overridden = m->v->overridden.n;
    plan_route_table(&m->b, m->v, table);
    bool is_inside = m->v->overridden.n > overridden;
    m->v->overridden.n = overridden;
    set_overridden(m, table, is_inside);
    if (is_of_gateway(table)) {
        remake_chain(m, "p_gateways", plan_gateways);
    }
    remake_chain(m, "f_stages", plan_stages);
    for (size_t i = 0; i < m->standing->routes.n; i++) {
        if (is_of_table(m->standing->routes.items[i].table, &marks)) {
            *VEC_ADD(&m->from->routes) = m->standing->routes.items[i];
        }
    }
    for (size_t i = 0; i < m->standing->rules.n; i++) {
        if (is_of_table(m->standing->rules.items[i].table, &marks)) {
            *VEC_ADD(&m->from->rules) = m->standing->rules.items[i];
        }
    }
    return true;
}

/* ---- one router ---------------------------------------------------------------------------------------------------
 */
/* What both hold says nothing. */
#define DROP_COMMON(from, to, compare)                                                                                 \
    do {                                                                                                               \
        size_t kept_from_ = 0, kept_to_ = 0;                                                                           \
        for (struct plan_merge m_ = { 0 }; PLAN_MERGE(&m_, from, to, compare);) {                                      \
            if (m_.was && !m_.is) {                                                                                    \
                (from)->items[kept_from_++] = *(__typeof__((from)->items))m_.was;                                      \
            } else if (m_.is && !m_.was) {                                                                             \
                (to)->items[kept_to_++] = *(__typeof__((to)->items))m_.is;                                             \
            }                                                                                                          \
        }                                                                                                              \
        (from)->n = kept_from_;                                                                                        \
        (to)->n = kept_to_;                                                                                            \
    } while (0)

static bool
mend_router(struct mend *m)
{
    bool ok = true;
    for (size_t i = 0; i < m->n_changes; i++) {
        if (m->changes[i].kind == CHANGED_RULES) {
            remake_group(m, m->changes[i].id);
        } else if (m->changes[i].kind == CHANGED_ENTRIES) {
            remake_acl(m, m->changes[i].id);
        }
    }
    for (size_t i = 0; ok && i < m->n_changes; i++) {
        const char *id = m->changes[i].id;
        struct eni *const *members;
        const struct route_table *table;
        size_t n;
        switch (m->changes[i].kind) {
        case CHANGED_RULES:
            n = network_group_members(m->b.net, id, &members);
            for (size_t j = 0; j < n; j++) {
                if (has_port(m, members[j])) {
                    remake_untracked(m, members[j]);
                }
            }
            break;
        case CHANGED_MEMBERS:
            remake_members(m, id);
            break;
        case CHANGED_ENI_GROUPS:
            ok = regroup(m, id);
            break;
        case CHANGED_ROUTES:
            table = store_get(m->b.store, &route_table_kind, id);
            ok = table && (strcmp(table->vpc_id, m->v->vpc->obj.id) != 0 ||
                           (!m->v->leads_nodes && !mend_parts_taps(m) && remake_routes(m, table)));
            break;
        case CHANGED_SUBNET_ACL:
            move_subnet(m, id);
            break;
        case CHANGED_ENTRIES:
        case CHANGED_TAGS: /* nothing that the kernel holds */
            break;
        }
    }
    if (m->remark) { /* subnets of such tables are marked another way */
        remake_chain(m, "p_mark", plan_marks);
    }
    mend_moved_taps(m);
    follow_untracked(m);
    for (size_t i = 0; i < m->left.n; i++) {
        drop_unused_chain(m, m->left.items[i]);
    }
    drop_unused_sets(m);
    plan_ns_sort(m->from);
    plan_ns_sort(m->to);
    DROP_COMMON(&m->from->neighbours, &m->to->neighbours, plan_neighbour_compare);
    DROP_COMMON(&m->from->routes, &m->to->routes, plan_route_compare);
    DROP_COMMON(&m->from->rules, &m->to->rules, plan_rule_compare);
    return ok;
}

static struct plan_ns *
part_ns(struct plan *part, const struct plan_ns *standing)
{
    struct plan_ns *ns = arena_alloc(part->arena, sizeof *ns);
    ns->id = standing->id;
    ns->kind = standing->kind;
    ns->ip6 = standing->ip6;
    ns->forwards = standing->forwards;
    ns->whole = standing;
    *VEC_ADD(&part->namespaces) = ns;
    map_put(&part->by_id, ns->id, ns);
    return ns;
}

/* Of the texts of a mend some take the place of others, which stay in the arena: some day it is time for a new plan. */
static bool
is_worn(const struct plan *plan)
{
    return arena_used(plan->arena) > 2 * plan->new_size + (256u << 10);
}

/* What makes a chain again, and what makes and leaves chains, could mean the same chain when they come at once. */
static bool
is_small(const struct plan *plan, const struct network_change *changes, size_t n)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < n; i++) {
        enum network_change_kind kind = changes[i].kind;
        if ((kind == CHANGED_RULES || kind == CHANGED_ENTRIES || kind == CHANGED_SUBNET_ACL) &&
            map_get(&plan->elsewhere, changes[i].id)) {
            return false;
        }
        kinds |= 1u << kind;
    }
    const unsigned groups = 1u << CHANGED_RULES | 1u << CHANGED_ENI_GROUPS,
                   acls = 1u << CHANGED_ENTRIES | 1u << CHANGED_SUBNET_ACL;
    return n > 0 && n <= PLAN_MEND_MAX && (kinds & groups) != groups && (kinds & acls) != acls;
}

static struct plan *
new_part(void)
{
    struct plan *part = xcalloc(1, sizeof *part);
    part->arena = arena_new();
    return part;
}

static void
swap_overridden(struct plan_vpc *a, struct plan_vpc *b)
{
    struct vec_any of_a;
    memcpy(&of_a, &a->overridden, sizeof of_a);
    memcpy(&a->overridden, &b->overridden, sizeof of_a);
    memcpy(&b->overridden, &of_a, sizeof of_a);
}

static void
put_ports_back(const struct mend *m, struct plan_vpc *next)
{
    for (size_t i = 0; i < m->moved.n; i++) {
        struct plan_port *port = mend_port_of(m->v, m->moved.items[i].key);
        *VEC_ADD(&next->ports) = *port;
        *port = m->moved.items[i];
    }
}

bool
plan_mend_new(struct plan *plan, const struct network *net, struct plan_numbers *numbers,
              const struct network_change *changes, size_t n_changes, struct plan_mend *mend)
{
    bool ok = is_small(plan, changes, n_changes) && !is_worn(plan);
    *mend = (struct plan_mend){ 0 };
    if (!ok) {
        return false;
    }
    mend->from = new_part();
    mend->to = new_part();
    for (struct plan_vpc *v = plan->vpcs; ok && v; v = v->next) {
        struct plan_ns *standing = v->router;
        struct mend m = { .b = { .net = net,
                                 .store = network_store(net),
                                 .plan = plan,
                                 .numbers = numbers,
                                 .vpcs = plan->vpcs,
                                 .standing = standing },
                          .v = v,
                          .standing = standing,
                          .from = part_ns(mend->from, standing),
                          .to = part_ns(mend->to, standing),
                          .changes = changes,
                          .n_changes = n_changes };
        /* What the router is to know afterwards of its tables and ports waits in the new part. */
        struct plan_vpc *next = arena_alloc(mend->to->arena, sizeof *next);
        for (size_t i = 0; i < v->overridden.n; i++) {
            *VEC_ADD(&next->overridden) = v->overridden.items[i];
        }
        next->vpc = v->vpc;
        next->next = mend->to->vpcs;
        mend->to->vpcs = next;
        v->router = m.to;
        swap_overridden(v, next);
        ok = mend_router(&m);
        swap_overridden(v, next);
        put_ports_back(&m, next);
        v->router = standing;
        map_done(&m.known);
        map_done(&m.flipped);
        map_done(&m.put);
        VEC_DONE(&m.moved);
        VEC_DONE(&m.left);
        VEC_DONE(&m.regrouped);
    }
    if (!ok) {
        plan_mend_done(mend);
    }
    return ok;
}
