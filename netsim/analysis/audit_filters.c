/* netsim/analysis/audit_filters.c - remarks on security groups and network ACLs. */
#include <stdlib.h>
#include <string.h>

#include "netsim/analysis/audit_checks.h"
#include "netsim/analysis/rule_sets.h"
#include "netsim/analysis/wording.h"
#include "netsim/model/gateways.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"

#define EACH(type, variable)                                                                                           \
    const struct type *variable = store_first(network_store(audit->net), &type##_kind);                                \
    variable;                                                                                                          \
    variable = store_next(network_store(audit->net), variable)

/* ---- Groups ----------------------------------------------------------------------------------------------------- */

char *
audit_rule_text(const struct audit *audit, const struct sg_rule *rule)
{
    struct buf text = { 0 };
    buf_printf(&text, "%s%s", rule->id, rule->id[0] ? " " : "");
    sg_rule_words(audit->net, rule, &text);
    return buf_steal(&text);
}

char *
audit_revoke(const struct security_group *group, const struct sg_rule *rule)
{
    return rule->id[0] ? xasprintf("ec2 revoke-security-group-%s --group-id %s --security-group-rule-ids %s",
                                   rule->egress ? "egress" : "ingress", group->obj.id, rule->id)
                       : NULL;
}

static const struct prefix_list *
rule_list(const struct audit *audit, const struct sg_rule *rule)
{
    return rule->prefix_list_id ? store_get(network_store(audit->net), &prefix_list_kind, rule->prefix_list_id) : NULL;
}

typedef VEC(struct cidr) block_list;

static void
add_blocks(const struct audit *audit, const struct sg_rule *rule, block_list *blocks)
{
    const struct prefix_list *list = rule_list(audit, rule);
    if (rule->cidr.ip.family) {
        *VEC_ADD(blocks) = rule->cidr;
    }
    for (size_t i = 0; list && i < list->entries.n; i++) {
        *VEC_ADD(blocks) = list->entries.items[i].cidr;
    }
}

static bool
is_world(const block_list *blocks)
{
    const struct cidr worlds[] = { cidr_lit("0.0.0.0/0"), cidr_lit("::/0") };
    return audit_blocks_cover(blocks->items, blocks->n, &worlds[0]) ||
           audit_blocks_cover(blocks->items, blocks->n, &worlds[1]);
}

static bool
lets_world_in(const struct audit *audit, const struct sg_rule *rule)
{
    block_list blocks = { 0 };
    add_blocks(audit, rule, &blocks);
    bool world = is_world(&blocks);
    VEC_DONE(&blocks);
    return world && !rule->egress;
}

/* Do the rule and others of its group that open as much let the world in, each of them a piece of it?  It is told at
 * the first. */
static bool
lets_pieces_in(const struct audit *audit, const struct security_group *group, const struct sg_rule *rule, int protocol,
               int port)
{
    block_list blocks = { 0 };
    bool first = true;
    for (size_t i = 0; i < group->rules.n; i++) {
        const struct sg_rule *other = &group->rules.items[i];
        bool opens = other->protocol == PROTOCOL_ALL ||
                     (other->protocol == protocol && (other->from == -1 || (other->from <= port && port <= other->to)));
        if (!other->egress && opens) {
            first = first && (blocks.n > 0 || other == rule);
            bool whole = lets_world_in(audit, other);
            add_blocks(audit, other, &blocks);
            if (whole) {
                first = false; /* told by itself */
            }
        }
    }
    bool world = first && blocks.n > 1 && is_world(&blocks);
    VEC_DONE(&blocks);
    return world;
}

static size_t
n_carriers(const struct audit *audit, const struct security_group *group)
{
    struct eni *const *members;
    return network_group_members(audit->net, group->obj.id, &members);
}

void
audit_all_from_world(struct audit *audit)
{
    for (EACH(security_group, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            const struct sg_rule *rule = &g->rules.items[i];
            if (rule->protocol == PROTOCOL_ALL && lets_world_in(audit, rule)) {
                audit_report(audit, g, audit_rule_text(audit, rule), audit_revoke(g, rule),
                             "every protocol and port is open to every address (interfaces with the group: %zu)",
                             n_carriers(audit, g));
            }
        }
    }
}

/* Ports that are for administrators or for programs of one's own, hardly ever for everybody. */
static const struct guarded_port {
    int protocol, port;
    const char *service;
} guarded_ports[] = {
    { PROTOCOL_TCP, 22, "SSH" },          { PROTOCOL_TCP, 23, "Telnet" },       { PROTOCOL_TCP, 135, "RPC" },
    { PROTOCOL_TCP, 445, "SMB" },         { PROTOCOL_TCP, 1433, "SQL Server" }, { PROTOCOL_TCP, 1521, "Oracle" },
    { PROTOCOL_TCP, 2049, "NFS" },        { PROTOCOL_TCP, 2375, "Docker" },     { PROTOCOL_TCP, 3306, "MySQL" },
    { PROTOCOL_TCP, 3389, "RDP" },        { PROTOCOL_UDP, 3389, "RDP" },        { PROTOCOL_TCP, 5432, "PostgreSQL" },
    { PROTOCOL_TCP, 5439, "Redshift" },   { PROTOCOL_TCP, 5900, "VNC" },        { PROTOCOL_TCP, 5985, "WinRM" },
    { PROTOCOL_TCP, 5986, "WinRM" },      { PROTOCOL_TCP, 6379, "Redis" },      { PROTOCOL_TCP, 9042, "Cassandra" },
    { PROTOCOL_TCP, 9200, "Opensearch" }, { PROTOCOL_TCP, 11211, "Memcached" }, { PROTOCOL_UDP, 11211, "Memcached" },
    { PROTOCOL_TCP, 27017, "MongoDB" },
};

void
audit_ports_from_world(struct audit *audit)
{
    for (EACH(security_group, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            const struct sg_rule *rule = &g->rules.items[i];
            struct buf ports = { 0 };
            bool world = lets_world_in(audit, rule);
            for (size_t p = 0; p < ARRAY_SIZE(guarded_ports) && !rule->egress; p++) {
                const struct guarded_port *port = &guarded_ports[p];
                bool every = rule->from == -1; /* how older tools wrote "all ports" */
                if (rule->protocol == port->protocol &&
                    (every || (rule->from <= port->port && port->port <= rule->to)) &&
                    (world || lets_pieces_in(audit, g, rule, port->protocol, port->port))) {
                    buf_printf(&ports, "%s%s (%s/%d)", ports.size ? ", " : "", port->service,
                               protocol_name(port->protocol), port->port);
                }
            }
            if (ports.size) {
                audit_report(audit, g, audit_rule_text(audit, rule), audit_revoke(g, rule),
                             "open to every address%s: %s (interfaces with the group: %zu)",
                             world ? "" : ", together with other rules of the group", buf_str(&ports),
                             n_carriers(audit, g));
            }
            buf_done(&ports);
        }
    }
}

/* Groups of other accounts are seen only if their dumps are there too, so absence says something only of accounts that
 * the lab holds groups of. */
static bool
account_is_known(const struct audit *audit, const char *account)
{
    for (EACH(security_group, g)) {
        if (strcmp(g->obj.account, account) == 0) {
            return true;
        }
    }
    return false;
}

/* A group of another VPC counts only while a way that carries references to groups leads there. */
static bool
reference_is_gone(const struct audit *audit, const struct security_group *group, const struct sg_rule *rule)
{
    if (!rule->group_id || !rule->group_id[0]) {
        return false;
    }
    const struct store *store = network_store(audit->net);
    const struct peering *peering = rule->peering_id ? store_get(store, &peering_kind, rule->peering_id) : NULL;
    bool said = rule->peering_status && strcmp(rule->peering_status, "deleted") == 0;
    if (said || (peering && !peering_is_active(peering))) {
        return true;
    }
    const struct security_group *named = store_get(store, &security_group_kind, rule->group_id);
    if (named) {
        return strcmp(named->vpc_id, group->vpc_id) != 0 && store_count(store, &transit_gateway_kind) == 0 &&
               store_count(store, &peering_kind) > 0 &&
               !network_peering_between(audit->net, named->vpc_id, group->vpc_id);
    }
    const char *owner = rule->group_owner && rule->group_owner[0] ? rule->group_owner : group->obj.account;
    return account_is_known(audit, owner);
}

void
audit_group_gone(struct audit *audit)
{
    for (EACH(security_group, g)) {
        for (size_t i = 0; i < g->rules.n; i++) {
            const struct sg_rule *rule = &g->rules.items[i];
            if (reference_is_gone(audit, g, rule)) {
                audit_report(audit, g, audit_rule_text(audit, rule), audit_revoke(g, rule),
                             "%s was deleted, or the peering connection to it was: the rule matches nothing",
                             rule->group_id);
            }
        }
    }
}

static bool
names(const char *const *ids, size_t n, const char *id)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(ids[i], id) == 0) {
            return true;
        }
    }
    return false;
}

/* Balancers and endpoints count with their own lists: a dump may lack their interfaces. */
static bool
is_carried(const struct audit *audit, const struct security_group *group)
{
    if (n_carriers(audit, group)) {
        return true;
    }
    for (EACH(load_balancer, lb)) {
        if (names((const char *const *)lb->group_ids.items, lb->group_ids.n, group->obj.id)) {
            return true;
        }
    }
    for (EACH(classic_balancer, classic)) {
        if (names((const char *const *)classic->group_ids.items, classic->group_ids.n, group->obj.id)) {
            return true;
        }
    }
    return audit_endpoint_carries(audit, group->obj.id);
}

void
audit_group_unattached(struct audit *audit)
{
    for (EACH(security_group, g)) {
        if (!is_carried(audit, g)) {
            bool is_default = g->name && strcmp(g->name, "default") == 0;
            audit_report(
                audit, g, NULL, is_default ? NULL : xasprintf("ec2 delete-security-group --group-id %s", g->obj.id),
                "no interface carries the group%s", is_default ? " (AWS does not let a default group be deleted)" : "");
        }
    }
}

/* Does every address of 'inner' belong to 'outer' too, whatever members groups have? */
static bool
peer_covers(const struct audit *audit, const struct sg_rule *outer, const struct sg_rule *inner)
{
    if (inner->group_id || outer->group_id) {
        return inner->group_id && outer->group_id && strcmp(inner->group_id, outer->group_id) == 0;
    }
    const struct prefix_list *list = rule_list(audit, inner);
    if (outer->prefix_list_id) {
        return inner->prefix_list_id && strcmp(inner->prefix_list_id, outer->prefix_list_id) == 0;
    }
    if (!inner->prefix_list_id) {
        return cidr_contains(&outer->cidr, &inner->cidr);
    }
    bool covered = list && list->entries.n;
    for (size_t i = 0; covered && i < list->entries.n; i++) {
        covered = cidr_contains(&outer->cidr, &list->entries.items[i].cidr);
    }
    return covered;
}

/* One rule among the others of its group. */
struct implied {
    struct audit *audit;
    const struct security_group *group;
    size_t at;           /* the rule */
    const bool *dropped; /* rules that are implied themselves */
    struct set_pool *pool;
    const struct sg_rule *by; /* the last that had a part in it */
};

/* Do other rules allow all of the rule's packets for these addresses?  Where no one block holds them all, the halves
 * are asked. */
static bool
others_allow(struct implied *q, const struct sg_rule *rule)
{
    int all = PACKETS_NONE, own = sg_rule_packets(q->pool, rule);
    bool inside = false;
    for (size_t j = 0; j < q->group->rules.n; j++) {
        const struct sg_rule *other = &q->group->rules.items[j];
        if (j == q->at || q->dropped[j] || other->egress != rule->egress) {
            continue;
        }
        if (peer_covers(q->audit, other, rule)) {
            all = set_pool_combine(q->pool, all, sg_rule_packets(q->pool, other), PACKETS_UNION);
            q->by = other;
        } else {
            inside = inside || (rule->cidr.ip.family && cidr_contains(&rule->cidr, &other->cidr));
        }
    }
    if (set_pool_combine(q->pool, own, all, PACKETS_SUBTRACT) == PACKETS_NONE) {
        return true;
    }
    struct sg_rule half = *rule;
    for (int high = 0; inside && high < 2; high++) {
        struct ip last = cidr_last(&half.cidr);
        half.cidr.bits = (uint8_t)(rule->cidr.bits + 1);
        half.cidr.ip = high ? ip_add(&last, 1) : rule->cidr.ip;
        inside = others_allow(q, &half);
    }
    return inside;
}

/* From the last rule to the first, so that all findings of a group may be mended at once. */
static void
find_implied(struct audit *audit, const struct security_group *g, struct set_pool *const pools[2])
{
    bool *dropped = xcalloc(g->rules.n + 1, sizeof *dropped);
    for (size_t i = g->rules.n; i-- > 0;) {
        const struct sg_rule *rule = &g->rules.items[i], *by = NULL;
        bool implied = true;
        for (int v6 = 0; v6 < 2; v6++) {
            struct implied q = { audit, g, i, dropped, pools[v6], NULL };
            implied = implied && others_allow(&q, rule);
            by = q.by ? q.by : by;
        }
        if (implied && by) {
            dropped[i] = true;
            char *other = audit_rule_text(audit, by);
            audit_report(audit, g, audit_rule_text(audit, rule), audit_revoke(g, rule),
                         "other rules of the group allow all of it already (%s)", other);
            free(other);
        }
    }
    free(dropped);
}

void
audit_rule_implied(struct audit *audit)
{
    struct set_pool *pools[2] = { set_pool_new(IP_V4), set_pool_new(IP_V6) };
    for (EACH(security_group, g)) {
        find_implied(audit, g, pools);
    }
    set_pool_free(pools[0]);
    set_pool_free(pools[1]);
}

/* ---- ACLs ------------------------------------------------------------------------------------------------------- */

#define LAST_ENTRY 32767 /* '*', which cannot be deleted; IPv6 has 32768 */

static const struct cidr *
entry_cidr(const struct nacl_entry *entry)
{
    return entry->cidr.ip.family != IP_NONE ? &entry->cidr : &entry->cidr6;
}

static char *
entry_text(const struct nacl_entry *entry)
{
    struct buf text = { 0 };
    buf_printf(&text, "%s: ", entry->egress ? "out" : "in");
    nacl_entry_words(entry, &text);
    return buf_steal(&text);
}

/* The packets that 'entry' still has to decide after those with lower numbers; false if 'action' does not tell the ones
 * that took them. */
static bool
entry_never_decides(struct set_pool *pool, const struct network_acl *acl, const struct nacl_entry *entry,
                    bool *contrary)
{
    int left = nacl_entry_packets(pool, entry);
    *contrary = false;
    for (size_t i = 0; i < acl->entries.n; i++) {
        const struct nacl_entry *lower = &acl->entries.items[i];
        if (lower->egress == entry->egress && lower->number < entry->number &&
            cidr_contains(entry_cidr(lower), entry_cidr(entry))) {
            int rest = set_pool_combine(pool, left, nacl_entry_packets(pool, lower), PACKETS_SUBTRACT);
            *contrary |= rest != left && lower->action != entry->action;
            left = rest;
        }
    }
    return left == PACKETS_NONE;
}

static void
find_never_deciding(struct audit *audit, bool contrary_wanted)
{
    struct set_pool *pools[2] = { set_pool_new(IP_V4), set_pool_new(IP_V6) };
    for (EACH(network_acl, acl)) {
        for (size_t i = 0; i < acl->entries.n; i++) {
            const struct nacl_entry *entry = &acl->entries.items[i];
            struct set_pool *pool = pools[entry_cidr(entry)->ip.family == IP_V6];
            bool contrary;
            if (entry->number < LAST_ENTRY && entry_never_decides(pool, acl, entry, &contrary) &&
                contrary == contrary_wanted) {
                audit_report(audit, acl, entry_text(entry),
                             xasprintf("ec2 delete-network-acl-entry --network-acl-id %s --rule-number %d --%s",
                                       acl->obj.id, entry->number, entry->egress ? "egress" : "ingress"),
                             "entries with lower numbers match all of it%s",
                             contrary ? " and decide the contrary" : " and decide the same");
            }
        }
    }
    set_pool_free(pools[0]);
    set_pool_free(pools[1]);
}

void
audit_entry_overruled(struct audit *audit)
{
    find_never_deciding(audit, true);
}

void
audit_entry_redundant(struct audit *audit)
{
    find_never_deciding(audit, false);
}

/* Requests that the entry decides and allows, from the ports programs take, whose replies the ACL drops on the other
 * side. */
static int
unanswered(struct set_pool *pool, const struct network_acl *acl, const struct nacl_entry *entry, const struct ip *ip,
           int *asked)
{
    int in = acl_packets(pool, acl, entry->egress, ip), out = acl_packets(pool, acl, !entry->egress, ip);
    *asked = set_pool_combine(pool, in, nacl_entry_packets(pool, entry), PACKETS_INTERSECT);
    *asked = packets_from_programs(pool, set_pool_combine(pool, *asked, PACKETS_TCP, PACKETS_INTERSECT));
    return set_pool_combine(pool, *asked, packets_answered_by(pool, out, false), PACKETS_SUBTRACT);
}

/* An entry that opens the ports programs ask from is there for replies, or for everything: it says nothing about
 * requests. */
static bool
is_for_replies(const struct nacl_entry *entry)
{
    return entry->protocol == PROTOCOL_ALL || !entry->has_ports ||
           (entry->ports.from <= 32768 && entry->ports.to >= 60999);
}

/* An allowing entry for replies after the others; not where an entry denies, which somebody meant. */
static char *
allow_replies(const struct network_acl *acl, const struct nacl_entry *entry)
{
    int number = 100;
    for (size_t i = 0; i < acl->entries.n; i++) {
        const struct nacl_entry *other = &acl->entries.items[i];
        if (other->egress == !entry->egress && other->number < LAST_ENTRY) {
            if (other->action == NACL_DENY && cidr_overlaps(entry_cidr(other), entry_cidr(entry))) {
                return NULL;
            }
            number = other->number >= number ? other->number + 1 : number;
        }
    }
    bool v6 = entry_cidr(entry)->ip.family == IP_V6;
    return number < LAST_ENTRY
               ? xasprintf("ec2 create-network-acl-entry --network-acl-id %s --rule-number %d --%s --protocol tcp "
                           "--port-range From=1024,To=65535 --%s %s --rule-action allow",
                           acl->obj.id, number, entry->egress ? "ingress" : "egress",
                           v6 ? "ipv6-cidr-block" : "cidr-block", cidr_str(entry_cidr(entry)))
               : NULL;
}

void
audit_acl_blocks_replies(struct audit *audit)
{
    struct set_pool *pools[2] = { set_pool_new(IP_V4), set_pool_new(IP_V6) };
    for (EACH(network_acl, acl)) {
        for (size_t i = 0; i < acl->entries.n && acl->associations.n; i++) {
            const struct nacl_entry *entry = &acl->entries.items[i];
            struct set_pool *pool = pools[entry_cidr(entry)->ip.family == IP_V6];
            struct ip ends[] = { cidr_first(entry_cidr(entry)), cidr_last(entry_cidr(entry)) };
            if (entry->number >= LAST_ENTRY || entry->action != NACL_ALLOW || is_for_replies(entry)) {
                continue;
            }
            bool some = false, every = true;
            for (size_t e = 0; e < ARRAY_SIZE(ends); e++) {
                int asked, lost = unanswered(pool, acl, entry, &ends[e], &asked);
                some |= lost != PACKETS_NONE;
                every &= lost == asked;
            }
            if (some) {
                audit_report(
                    audit, acl, entry_text(entry), allow_replies(acl, entry),
                    "%s replies to what the entry lets %s: ACLs keep no state, and replies go to tcp/1024-65535",
                    every ? "the other direction drops all" : "the other direction drops some",
                    entry->egress ? "out" : "in");
            }
        }
    }
    set_pool_free(pools[0]);
    set_pool_free(pools[1]);
}

void
audit_acl_unattached(struct audit *audit)
{
    for (EACH(network_acl, acl)) {
        if (acl->associations.n == 0) {
            audit_report(audit, acl, NULL,
                         acl->is_default ? NULL : xasprintf("ec2 delete-network-acl --network-acl-id %s", acl->obj.id),
                         "no subnet uses the ACL%s", acl->is_default ? " (a default ACL goes with its VPC)" : "");
        }
    }
}
