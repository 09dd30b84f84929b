/* The answers that need every object: who has this address, which table serves this subnet, who carries this group.
 *
 * Built when first asked and again when the store has changed, but for the common change: an interface that comes, goes
 * or changes its addresses is taken out and put in (index_eni_out, index_eni_in), so that building 10,000 of them stays
 * linear. */
#include "netsim/model/classic_balancer.h"
#include "netsim/model/internal.h"

#include <assert.h>

struct address_slot {
    struct ip ip;    /* IP_NONE: empty */
    struct eni *eni; /* NULL with an ip: deleted */
    struct ip private_ip;
};
struct address_table {
    struct address_slot *slots;
    size_t n, cap; /* n counts deleted ones too */
};
struct eni_list {
    VEC(struct eni *) enis;
};
struct subnet_use {
    uint32_t used; /* IPv4 addresses */
    uint32_t hint; /* every address of the block below this one is taken */
};
struct net_index {
    uint64_t generation;
    bool built;
    struct address_table private, public;
    struct map groups, instances;                                 /* struct eni_list */
    struct map subnets;                                           /* struct subnet_use */
    struct map subnet_tables, main_tables, subnet_acls, vpc_igws; /* borrowed objects */
    struct map vpc_vgws, eni_endpoints;                           /* borrowed objects */
    struct map peerings, tgw_vpcs; /* "vpc-1 vpc-2", "tgw-1 vpc-1" -> the active connection, the available attachment */
    struct map balancers;          /* struct eni_list by the balancer's id, of Classic ones by "vpc-1 NAME" */
};

/* "vpc-1 vpc-2" */
static const char *
pair_key(char key[static 2 * ID_SIZE], const char *a, const char *b)
{
    snprintf(key, 2 * ID_SIZE, "%s %s", a, b);
    return key;
}

/* ---- addresses -----------------------------------------------------------------------------------------------------
 */

static bool
slot_matches(const struct address_slot *slot, const struct ip *ip, const char *vpc_id)
{
    return slot->eni && ip_equal(&slot->ip, ip) && (!vpc_id || strcmp(slot->eni->vpc_id, vpc_id) == 0);
}

static struct address_slot *
address_find(const struct address_table *table, const struct ip *ip, const char *vpc_id)
{
    if (!table->cap || ip->family == IP_NONE) {
        return NULL;
    }
    for (size_t i = ip_hash(ip) & (table->cap - 1); table->slots[i].ip.family != IP_NONE;
         i = (i + 1) & (table->cap - 1)) {
        if (slot_matches(&table->slots[i], ip, vpc_id)) {
            return &table->slots[i];
        }
    }
    return NULL;
}

static void address_add(struct address_table *table, const struct ip *ip, struct eni *eni, const struct ip *private_ip);

static void
address_grow(struct address_table *table)
{
    struct address_table old = *table;
    size_t live = 0;
    for (size_t i = 0; i < old.cap; i++) {
        live += old.slots[i].eni != NULL;
    }
    /* Where most slots hold deleted ones, sweeping them out is enough. */
    table->cap = !old.cap ? 64 : live * 4 >= old.cap ? old.cap * 2 : old.cap;
    table->n = 0;
    table->slots = xcalloc(table->cap, sizeof *table->slots);
    for (size_t i = 0; i < old.cap; i++) {
        if (old.slots[i].eni) {
            address_add(table, &old.slots[i].ip, old.slots[i].eni, &old.slots[i].private_ip);
        }
    }
    free(old.slots);
}

/* The first interface listed with an address keeps it: damaged imports may repeat one. */
static void
address_add(struct address_table *table, const struct ip *ip, struct eni *eni, const struct ip *private_ip)
{
    if (ip->family == IP_NONE) {
        return;
    }
    if (table->n * 2 >= table->cap) {
        address_grow(table);
    }
    size_t i = ip_hash(ip) & (table->cap - 1);
    while (table->slots[i].ip.family != IP_NONE) {
        i = (i + 1) & (table->cap - 1);
    }
    table->slots[i] = (struct address_slot){ .ip = *ip, .eni = eni, .private_ip = *private_ip };
    table->n++;
}

static void
address_drop(struct address_table *table, const struct ip *ip, const struct eni *eni)
{
    if (!table->cap || ip->family == IP_NONE) {
        return;
    }
    for (size_t i = ip_hash(ip) & (table->cap - 1); table->slots[i].ip.family != IP_NONE;
         i = (i + 1) & (table->cap - 1)) {
        if (table->slots[i].eni == eni && ip_equal(&table->slots[i].ip, ip)) {
            table->slots[i].eni = NULL;
            return;
        }
    }
}

/* ---- lists
 * ------------------------------------------------------------------------------------------------------------ */

static struct eni_list *
list_of(struct map *map, const char *key)
{
    struct eni_list *list = map_get(map, key);
    if (!list) {
        list = xcalloc(1, sizeof *list);
        map_put(map, key, list);
    }
    return list;
}

static void
list_drop(struct map *map, const char *key, const struct eni *eni)
{
    struct eni_list *list = map_get(map, key);
    for (size_t i = list ? list->enis.n : 0; i-- > 0;) {
        if (list->enis.items[i] == eni) {
            VEC_REMOVE(&list->enis, i);
            return;
        }
    }
}

static struct subnet_use *
subnet_use(struct net_index *index, const char *subnet_id)
{
    struct subnet_use *use = map_get(&index->subnets, subnet_id);
    if (!use) {
        use = xcalloc(1, sizeof *use);
        map_put(&index->subnets, subnet_id, use);
    }
    return use;
}

/* ---- building ------------------------------------------------------------------------------------------------------
 */

/* In order of creation: what is put back after a change goes to its old place. */
static void
list_add_in_order(struct eni_list *list, struct eni *eni)
{
    size_t at = list->enis.n;
    *VEC_ADD(&list->enis) = eni;
    while (at > 0 && list->enis.items[at - 1]->obj.sequence > eni->obj.sequence) {
        list->enis.items[at] = list->enis.items[at - 1];
        list->enis.items[--at] = eni;
    }
}

static void
eni_add(struct net_index *index, struct eni *eni)
{
    struct subnet_use *use = subnet_use(index, eni->subnet_id);
    for (size_t i = 0; i < eni->addresses.n; i++) {
        const struct eni_address *address = &eni->addresses.items[i];
        address_add(&index->private, &address->ip, eni, &address->ip);
        address_add(&index->public, &address->association.public_ip, eni, &address->ip);
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        const struct ip *ip = &eni->addresses6.items[i].ip;
        address_add(&index->private, ip, eni, ip);
        address_add(&index->public, ip, eni, ip);
    }
    use->used += (uint32_t)eni->addresses.n;
    for (size_t i = 0; i < eni->groups.n; i++) {
        list_add_in_order(list_of(&index->groups, eni->groups.items[i].id), eni);
    }
    const char *balancer = load_balancer_of_description(eni);
    if (balancer) {
        char key[2 * ID_SIZE];
        bool of_name = !strchr(balancer, '/');
        list_add_in_order(list_of(&index->balancers, of_name ? pair_key(key, eni->vpc_id, balancer) : balancer), eni);
    }
    if (eni->attached && eni->attachment.instance_id[0]) {
        struct eni_list *list = list_of(&index->instances, eni->attachment.instance_id);
        size_t at = list->enis.n;
        *VEC_ADD(&list->enis) = eni;
        while (at > 0 && list->enis.items[at - 1]->attachment.device_index > eni->attachment.device_index) {
            list->enis.items[at] = list->enis.items[at - 1];
            list->enis.items[--at] = eni;
        }
    }
}

/* Whatever its description says by now. */
static void
balancer_drop(struct net_index *index, const struct eni *eni)
{
    size_t cursor = 0;
    const char *key;
    void *list;
    while (map_next(&index->balancers, &cursor, &key, &list)) {
        list_drop(&index->balancers, key, eni);
    }
}

static void
eni_drop(struct net_index *index, struct eni *eni)
{
    balancer_drop(index, eni);
    struct subnet_use *use = subnet_use(index, eni->subnet_id);
    for (size_t i = 0; i < eni->addresses.n; i++) {
        const struct eni_address *address = &eni->addresses.items[i];
        address_drop(&index->private, &address->ip, eni);
        address_drop(&index->public, &address->association.public_ip, eni);
        if (address->ip.lo < use->hint) {
            use->hint = (uint32_t)address->ip.lo;
        }
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        address_drop(&index->private, &eni->addresses6.items[i].ip, eni);
        address_drop(&index->public, &eni->addresses6.items[i].ip, eni);
    }
    use->used -= (uint32_t)eni->addresses.n;
    for (size_t i = 0; i < eni->groups.n; i++) {
        list_drop(&index->groups, eni->groups.items[i].id, eni);
    }
    if (eni->attached) {
        list_drop(&index->instances, eni->attachment.instance_id, eni);
    }
}

static void
lists_done(struct map *map)
{
    size_t cursor = 0;
    const char *key;
    void *list;
    while (map_next(map, &cursor, &key, &list)) {
        VEC_DONE(&((struct eni_list *)list)->enis);
        free(list);
    }
    map_done(map);
}

static void
index_done(struct net_index *index)
{
    size_t cursor = 0;
    const char *key;
    void *use;
    free(index->private.slots);
    free(index->public.slots);
    lists_done(&index->groups);
    lists_done(&index->instances);
    while (map_next(&index->subnets, &cursor, &key, &use)) {
        free(use);
    }
    map_done(&index->subnets);
    map_done(&index->subnet_tables);
    map_done(&index->main_tables);
    map_done(&index->subnet_acls);
    map_done(&index->vpc_igws);
    map_done(&index->vpc_vgws);
    map_done(&index->eni_endpoints);
    map_done(&index->peerings);
    map_done(&index->tgw_vpcs);
    lists_done(&index->balancers);
    *index = (struct net_index){ 0 };
}

void
index_free(struct net_index *index)
{
    if (index) {
        index_done(index);
        free(index);
    }
}

/* What joins VPCs to each other and to the world outside; the first that works counts. */
static void
index_links(const struct network *net, struct net_index *index)
{
    char key[2 * ID_SIZE];
    for (struct vpn_gateway *vgw = store_first(net->store, &vpn_gateway_kind); vgw; vgw = store_next(net->store, vgw)) {
        if (vpn_gateway_vpc(vgw) && !str_is(vgw->state, "deleted")) {
            map_put(&index->vpc_vgws, vpn_gateway_vpc(vgw), vgw);
        }
    }
    for (struct endpoint *e = store_first(net->store, &endpoint_kind); e; e = store_next(net->store, e)) {
        for (size_t i = 0; i < e->eni_ids.n; i++) {
            map_put(&index->eni_endpoints, e->eni_ids.items[i], e);
        }
    }
    for (struct peering *p = store_first(net->store, &peering_kind); p; p = store_next(net->store, p)) {
        if (peering_is_active(p)) {
            map_put(&index->peerings, pair_key(key, p->requester.vpc_id, p->accepter.vpc_id), p);
            map_put(&index->peerings, pair_key(key, p->accepter.vpc_id, p->requester.vpc_id), p);
        }
    }
    for (struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a; a = store_next(net->store, a)) {
        if (a->vpc_id[0] && tgw_attachment_is_available(a)) {
            map_put(&index->tgw_vpcs, pair_key(key, a->tgw_id, a->vpc_id), a);
        }
    }
}

static void
index_build(const struct network *net, struct net_index *index)
{
    index_done(index);
    for (struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
        eni_add(index, eni);
    }
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (size_t i = 0; i < t->associations.n; i++) {
            const struct route_association *a = &t->associations.items[i];
            if (a->subnet_id[0]) {
                map_put(&index->subnet_tables, a->subnet_id, t);
            } else if (a->main) {
                map_put(&index->main_tables, t->vpc_id, t);
            }
        }
    }
    for (struct network_acl *acl = store_first(net->store, &network_acl_kind); acl; acl = store_next(net->store, acl)) {
        for (size_t i = 0; i < acl->associations.n; i++) {
            map_put(&index->subnet_acls, acl->associations.items[i].subnet_id, acl);
        }
    }
    for (struct internet_gateway *igw = store_first(net->store, &internet_gateway_kind); igw;
         igw = store_next(net->store, igw)) {
        for (size_t i = 0; i < igw->attachments.n; i++) {
            map_put(&index->vpc_igws, igw->attachments.items[i].vpc_id, igw);
        }
    }
    index_links(net, index);
    index->built = true;
    index->generation = store_generation(net->store);
}

bool
index_is_fresh(const struct network *net)
{
    return net->index && net->index->built && net->index->generation == store_generation(net->store);
}

void
index_stamp(struct network *net)
{
    net->index->generation = store_generation(net->store);
}

static struct net_index *
index_get(const struct network *net)
{
    /* A cache: filling it does not change the network, whose pointer may be const. */
    struct network *writable = (struct network *)net;
    if (!net->index) {
        writable->index = xcalloc(1, sizeof *net->index);
    }
    if (!index_is_fresh(net)) {
        index_build(net, writable->index);
    }
    return net->index;
}

void
index_prepare(const struct network *net)
{
    index_get(net);
}

void
index_eni_out(struct network *net, struct eni *eni)
{
    eni_drop(index_get(net), eni);
}

void
index_eni_in(struct network *net, struct eni *eni)
{
    eni_add(net->index, eni);
    store_touch(net->store); /* other caches of derived things, such as the live plan's */
    index_stamp(net);
}

/* ---- questions ------------------------------------------------------------------------------------------------------
 */

struct eni *
network_eni_by_address(const struct network *net, const char *vpc_id, const struct ip *address)
{
    struct address_slot *slot = address_find(&index_get(net)->private, address, vpc_id);
    return slot ? slot->eni : NULL;
}

struct eni *
network_eni_by_public_ip(const struct network *net, const struct ip *address, struct ip *private_ip)
{
    struct address_slot *slot = address_find(&index_get(net)->public, address, NULL);
    if (slot && private_ip) {
        *private_ip = slot->private_ip;
    }
    return slot ? slot->eni : NULL;
}

bool
index_public_ip_used(const struct network *net, const struct ip *ip)
{
    return network_eni_by_public_ip(net, ip, NULL) != NULL;
}

struct route_table *
network_subnet_route_table(const struct network *net, const struct subnet *subnet)
{
    struct net_index *index = index_get(net);
    struct route_table *table = map_get(&index->subnet_tables, subnet->obj.id);
    return table ? table : map_get(&index->main_tables, subnet->vpc_id);
}

struct network_acl *
network_subnet_acl(const struct network *net, const struct subnet *subnet)
{
    return map_get(&index_get(net)->subnet_acls, subnet->obj.id);
}

struct internet_gateway *
network_vpc_igw(const struct network *net, const char *vpc_id)
{
    return map_get(&index_get(net)->vpc_igws, vpc_id);
}

size_t
network_group_members(const struct network *net, const char *group_id, struct eni *const **members)
{
    const struct eni_list *list = map_get(&index_get(net)->groups, group_id);
    *members = list ? list->enis.items : NULL;
    return list ? list->enis.n : 0;
}

size_t
index_instance_enis(const struct network *net, const char *instance_id, struct eni *const **enis)
{
    const struct eni_list *list = map_get(&index_get(net)->instances, instance_id);
    *enis = list ? list->enis.items : NULL;
    return list ? list->enis.n : 0;
}

uint32_t
index_subnet_used(const struct network *net, const char *subnet_id)
{
    return subnet_use(index_get(net), subnet_id)->used;
}

uint32_t *
index_subnet_hint(const struct network *net, const char *subnet_id)
{
    return &subnet_use(index_get(net), subnet_id)->hint;
}

struct vpn_gateway *
network_vpc_vgw(const struct network *net, const char *vpc_id)
{
    return map_get(&index_get(net)->vpc_vgws, vpc_id);
}

struct endpoint *
network_endpoint_of_eni(const struct network *net, const char *eni_id)
{
    return map_get(&index_get(net)->eni_endpoints, eni_id);
}

struct peering *
network_peering_between(const struct network *net, const char *vpc_id, const char *other_vpc_id)
{
    char key[2 * ID_SIZE];
    return map_get(&index_get(net)->peerings, pair_key(key, vpc_id, other_vpc_id));
}

struct tgw_attachment *
tgw_vpc_attachment(const struct network *net, const char *tgw_id, const char *vpc_id)
{
    char key[2 * ID_SIZE];
    return map_get(&index_get(net)->tgw_vpcs, pair_key(key, tgw_id, vpc_id));
}

size_t
classic_balancer_enis(const struct network *net, const struct classic_balancer *lb, struct eni *const **enis)
{
    char key[2 * ID_SIZE];
    const char *name = classic_balancer_name(lb);
    const struct eni_list *list = map_get(&index_get(net)->balancers, pair_key(key, lb->vpc_id, name));
    *enis = list ? list->enis.items : NULL;
    return list ? list->enis.n : 0;
}

size_t
load_balancer_enis(const struct network *net, const struct load_balancer *lb, struct eni *const **enis)
{
    const struct eni_list *list = map_get(&index_get(net)->balancers, lb->obj.id);
    *enis = list ? list->enis.items : NULL;
    return list ? list->enis.n : 0;
}
