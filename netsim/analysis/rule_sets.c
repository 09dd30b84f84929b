#include "netsim/analysis/rule_sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "netsim/model/network.h"

/* ---- The pool ------------------------------------------------------------------------------------------------------
 */

/* Open addressing; keys are never 0 because each holds an operation's number plus one, or a hash that is made odd. */
struct table_slot {
    uint64_t key;
    int value;
};
struct table {
    struct table_slot *slots;
    size_t n, cap; /* a power of two */
};
struct set_pool {
    int family;
    VEC(struct packet_set) sets;
    struct table by_hash, results;
};

static uint64_t
mix(uint64_t key)
{
    key ^= key >> 31;
    key *= UINT64_C(0x9E3779B97F4A7C15);
    return key ^ key >> 29;
}

static struct table_slot *
table_slot(const struct table *table, uint64_t key)
{
    size_t at = mix(key) & (table->cap - 1);
    while (table->slots[at].key && table->slots[at].key != key) {
        at = (at + 1) & (table->cap - 1);
    }
    return &table->slots[at];
}

static void
table_put(struct table *table, uint64_t key, int value)
{
    if (2 * (table->n + 1) > table->cap) {
        struct table old = *table;
        table->cap = old.cap ? 2 * old.cap : 256;
        table->slots = xcalloc(table->cap, sizeof *table->slots);
        for (size_t i = 0; i < old.cap; i++) {
            if (old.slots[i].key) {
                *table_slot(table, old.slots[i].key) = old.slots[i];
            }
        }
        free(old.slots);
    }
    *table_slot(table, key) = (struct table_slot){ key, value };
    table->n++;
}

static const struct table_slot *
table_find(const struct table *table, uint64_t key)
{
    const struct table_slot *slot = table->cap ? table_slot(table, key) : NULL;
    return slot && slot->key ? slot : NULL;
}

int
set_pool_take(struct set_pool *pool, struct packet_set *set)
{
    uint64_t key = packet_set_hash(set) | 1;
    const struct table_slot *slot;
    for (; (slot = table_find(&pool->by_hash, key)) != NULL; key += 2) {
        if (packet_set_equal(&pool->sets.items[slot->value], set)) {
            packet_set_done(set);
            return slot->value;
        }
    }
    int id = (int)pool->sets.n;
    *VEC_ADD(&pool->sets) = *set;
    *set = (struct packet_set){ 0 };
    table_put(&pool->by_hash, key, id);
    return id;
}

struct set_pool *
set_pool_new(int family)
{
    struct set_pool *pool = xcalloc(1, sizeof *pool);
    struct packet_set none = { 0 }, all = packet_set_all(family), tcp = { 0 };
    packet_set_add(&tcp, PROTOCOL_TCP, 0, 65535, 0, 65535);
    pool->family = family;
    set_pool_take(pool, &none);
    set_pool_take(pool, &all);
    set_pool_take(pool, &tcp);
    return pool;
}

void
set_pool_free(struct set_pool *pool)
{
    if (!pool) {
        return;
    }
    for (size_t i = 0; i < pool->sets.n; i++) {
        packet_set_done(&pool->sets.items[i]);
    }
    VEC_DONE(&pool->sets);
    free(pool->by_hash.slots);
    free(pool->results.slots);
    free(pool);
}

const struct packet_set *
set_pool_get(const struct set_pool *pool, int id)
{
    return &pool->sets.items[id];
}

/* What needs no work; -1: it must be worked out. */
static int
combine_trivially(int a, int b, enum packet_op op)
{
    switch (op) {
    case PACKETS_UNION:
        return a == b || b == PACKETS_NONE || a == PACKETS_ALL ? a : a == PACKETS_NONE || b == PACKETS_ALL ? b : -1;
    case PACKETS_INTERSECT:
        return a == b || b == PACKETS_ALL || a == PACKETS_NONE ? a : a == PACKETS_ALL || b == PACKETS_NONE ? b : -1;
    case PACKETS_SUBTRACT:
        return a == b || b == PACKETS_ALL || a == PACKETS_NONE ? PACKETS_NONE : b == PACKETS_NONE ? a : -1;
    }
    return -1;
}

int
set_pool_combine(struct set_pool *pool, int a, int b, enum packet_op op)
{
    int result = combine_trivially(a, b, op);
    if (result >= 0) {
        return result;
    }
    uint64_t key = (uint64_t)a << 34 | (uint64_t)b << 4 | ((uint64_t)op + 1);
    const struct table_slot *slot = table_find(&pool->results, key);
    if (slot) {
        return slot->value;
    }
    struct packet_set set = packet_set_combine(&pool->sets.items[a], &pool->sets.items[b], op);
    result = set_pool_take(pool, &set);
    table_put(&pool->results, key, result);
    return result;
}

/* ---- Rules ---------------------------------------------------------------------------------------------------------
 */

/* What both kinds of rules say of ICMP: -1 stands for every type, every code; a code without a type is nothing. */
static void
add_icmp(struct packet_set *set, int protocol, int type, int code)
{
    if (type == -1 && code != -1) {
        return;
    }
    packet_set_add(set, protocol, type == -1 ? 0 : type, type == -1 ? 255 : type, code == -1 ? 0 : code,
                   code == -1 ? 255 : code);
}

/* In the family at hand; icmp rules say nothing about IPv6, icmpv6 rules nothing about IPv4. */
static int
take_of_family(struct set_pool *pool, struct packet_set *set)
{
    return set_pool_combine(pool, set_pool_take(pool, set), PACKETS_ALL, PACKETS_INTERSECT);
}

int
sg_rule_packets(struct set_pool *pool, const struct sg_rule *rule)
{
    struct packet_set set = { 0 };
    if (rule->protocol == PROTOCOL_ALL) {
        return PACKETS_ALL;
    }
    if (protocol_is_icmp(rule->protocol)) {
        if ((rule->protocol == PROTOCOL_ICMPV6) != (pool->family == IP_V6)) {
            return PACKETS_NONE;
        }
        add_icmp(&set, rule->protocol, rule->from, rule->to);
    } else {
        /* -1/-1 on tcp or udp is how older tools wrote "all ports"; other protocols have none to name. */
        bool ports = protocol_has_ports(rule->protocol);
        packet_set_add(&set, rule->protocol, 0, 65535, ports ? rule->from : 0,
                       !ports || rule->to == -1 ? 65535 : rule->to);
    }
    return take_of_family(pool, &set);
}

int
nacl_entry_packets(struct set_pool *pool, const struct nacl_entry *entry)
{
    struct packet_set set = { 0 };
    if (entry->protocol == PROTOCOL_ALL) {
        return PACKETS_ALL; /* ports written beside "all protocols" mean nothing */
    }
    if (protocol_is_icmp(entry->protocol)) {
        if ((entry->protocol == PROTOCOL_ICMPV6) != (pool->family == IP_V6)) {
            return PACKETS_NONE;
        }
        bool every = !entry->has_icmp || entry->icmp.type == -1; /* a code counts only beside its type */
        add_icmp(&set, entry->protocol, every ? -1 : entry->icmp.type, every ? -1 : entry->icmp.code);
    } else {
        bool ports = protocol_has_ports(entry->protocol) && entry->has_ports;
        packet_set_add(&set, entry->protocol, 0, 65535, ports ? entry->ports.from : 0,
                       !ports || entry->ports.to == -1 ? 65535 : entry->ports.to);
    }
    return take_of_family(pool, &set);
}

int
acl_packets(struct set_pool *pool, const struct network_acl *acl, bool egress, const struct ip *ip)
{
    int undecided = PACKETS_ALL, passes = PACKETS_NONE;
    for (size_t i = 0; i < acl->entries.n && undecided != PACKETS_NONE; i++) {
        const struct nacl_entry *entry = &acl->entries.items[i];
        if (entry->egress != egress || !cidr_contains_ip(ip->family == IP_V6 ? &entry->cidr6 : &entry->cidr, ip)) {
            continue;
        }
        int decides = set_pool_combine(pool, undecided, nacl_entry_packets(pool, entry), PACKETS_INTERSECT);
        if (entry->action == NACL_ALLOW) {
            passes = set_pool_combine(pool, passes, decides, PACKETS_UNION);
        }
        undecided = set_pool_combine(pool, undecided, decides, PACKETS_SUBTRACT);
    }
    return passes; /* what no entry decided is denied */
}

int
groups_packets(struct set_pool *pool, const struct network *net, const struct eni *eni, bool egress,
               const struct ip *ip, const struct origin *origin)
{
    int passes = eni->groups.n ? PACKETS_NONE : PACKETS_ALL;
    for (size_t i = 0; i < eni->groups.n; i++) {
        const struct security_group *group =
            store_get(network_store(net), &security_group_kind, eni->groups.items[i].id);
        for (size_t r = 0; group && r < group->rules.n && passes != PACKETS_ALL; r++) {
            const struct sg_rule *rule = &group->rules.items[r];
            if (rule->egress == egress && sg_rule_fits_peer(net, eni->vpc_id, rule, ip, origin)) {
                passes = set_pool_combine(pool, passes, sg_rule_packets(pool, rule), PACKETS_UNION);
            }
        }
    }
    return passes;
}

/* ---- Answers -------------------------------------------------------------------------------------------------------
 */

/* Answers come from the destination port to the source port.  Source ports below 1024 become those above 1023 in a NAT
 * gateway. */
static void
add_answered_ports(struct packet_set *set, int protocol, const struct packet_box *answers, bool translated)
{
    int from_lo = answers->lo[AXIS_TO], from_hi = answers->hi[AXIS_TO];
    int to_lo = answers->lo[AXIS_FROM], to_hi = answers->hi[AXIS_FROM];
    if (!translated) {
        packet_set_add(set, protocol, from_lo, from_hi, to_lo, to_hi);
        return;
    }
    int above = from_lo < 1024 ? 1024 : from_lo, moved = from_hi < 2047 ? from_hi : 2047;
    packet_set_add(set, protocol, above, from_hi, to_lo, to_hi);
    packet_set_add(set, protocol, above - 1024, moved - 1024, to_lo, to_hi);
}

static void
add_answered_types(struct packet_set *set, int protocol, const struct packet_set *answers)
{
    for (int type = 0; type <= 255; type++) {
        const struct packet asked = { .protocol = protocol, .icmp_type = type };
        struct packet answer;
        if (packet_answer(&asked, &answer) && packet_set_has(answers, protocol, answer.icmp_type, answer.icmp_code)) {
            packet_set_add(set, protocol, type, type, 0, 255);
        }
    }
}

int
packets_answered_by(struct set_pool *pool, int answers, bool translated)
{
    const uint64_t key = (uint64_t)answers << 34 | (translated ? 15 : 14); /* beyond the operations' numbers */
    const struct table_slot *known = table_find(&pool->results, key);
    if (known) {
        return known->value;
    }
    const struct packet_set *from = set_pool_get(pool, answers);
    struct packet_set set = { 0 };
    for (size_t i = 0; i < from->boxes.n; i++) {
        const struct packet_box *box = &from->boxes.items[i];
        for (int protocol = box->lo[AXIS_PROTOCOL]; protocol <= box->hi[AXIS_PROTOCOL]; protocol++) {
            if (protocol_has_ports(protocol)) {
                add_answered_ports(&set, protocol, box, translated);
            } else if (!protocol_is_icmp(protocol)) {
                int first = protocol;
                while (protocol < box->hi[AXIS_PROTOCOL] && packet_axis_last(protocol + 1) == 0) {
                    protocol++;
                }
                struct packet_set run = { 0 }, sum;
                *VEC_ADD(&run.boxes) = (struct packet_box){ { (uint16_t)first, 0, 0 }, { (uint16_t)protocol, 0, 0 } };
                sum = packet_set_combine(&set, &run, PACKETS_UNION);
                packet_set_done(&run);
                packet_set_done(&set);
                set = sum;
            }
        }
    }
    add_answered_types(&set, pool->family == IP_V6 ? PROTOCOL_ICMPV6 : PROTOCOL_ICMP, from);
    int result = set_pool_take(pool, &set);
    table_put(&pool->results, key, result);
    return result;
}

int
packets_usable(struct set_pool *pool, int passes, int answered)
{
    int rest = set_pool_combine(pool, passes, PACKETS_TCP, PACKETS_SUBTRACT);
    int answered_part = set_pool_combine(pool, passes, answered, PACKETS_INTERSECT);
    int connections = set_pool_combine(pool, answered_part, PACKETS_TCP, PACKETS_INTERSECT);
    return set_pool_combine(pool, rest, connections, PACKETS_UNION);
}

int
packets_from_programs(struct set_pool *pool, int set)
{
    struct packet_set privileged = { 0 };
    packet_set_add(&privileged, PROTOCOL_TCP, 0, 1023, 0, 65535);
    packet_set_add(&privileged, PROTOCOL_UDP, 0, 1023, 0, 65535);
    return set_pool_combine(pool, set, set_pool_take(pool, &privileged), PACKETS_SUBTRACT);
}
