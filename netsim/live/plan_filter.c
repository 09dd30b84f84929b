/* Security groups and network ACLs as nftables chains: one rule each, with a counter and the AWS id as comment, so that
 * the lab can tell which rule decided.  A group's chain accepts (of the sender: goes to `f_admitted`) or returns, and
 * who returns meets the stage's refusal; an ACL's returns where a rule allows, else it goes to the refusal itself,
 * saying which rule denied. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "netsim/live/plan_build.h"

/* What a rule of either kind says of a packet. */
struct match {
    bool source;         /* the address is the packet's source (ingress), else its destination */
    int family;          /* of the address */
    bool alone;          /* there are packets of no other family */
    const char *address; /* "10.0.0.0/8", "@set"; NULL: any address of the family */
    int protocol;        /* -1: every */
    int from, to;        /* ports; < 0: every */
    int type, code;      /* ICMP; < 0: every */
};

/* Ends with a space if there is anything to ask. */
static void
write_match(struct buf *out, const struct match *m)
{
    if (m->address) {
        buf_printf(out, "%s %s %s ", m->family == IP_V6 ? "ip6" : "ip", m->source ? "saddr" : "daddr", m->address);
    } else if (!m->alone || m->family == IP_V6) {
        buf_printf(out, "meta nfproto %s ", m->family == IP_V6 ? "ipv6" : "ipv4");
    }
    bool icmp = m->protocol == PROTOCOL_ICMP, icmp6 = m->protocol == PROTOCOL_ICMPV6;
    const char *ported = m->protocol == PROTOCOL_TCP ? "tcp" : m->protocol == PROTOCOL_UDP ? "udp" : NULL;
    if (m->protocol < 0) {
        return;
    }
    if (ported && m->from >= 0 && !(m->from == 0 && m->to == 65535)) {
        buf_printf(out, m->from == m->to ? "%s dport %d " : "%s dport %d-%d ", ported, m->from, m->to);
    } else if ((icmp || icmp6) && m->type >= 0) {
        buf_printf(out, "%s type %d ", icmp ? "icmp" : "icmpv6", m->type);
        if (m->code >= 0) {
            buf_printf(out, "%s code %d ", icmp ? "icmp" : "icmpv6", m->code);
        }
    } else {
        buf_printf(out, "meta l4proto %d ", m->protocol);
    }
}

static const char *
address_of(const struct cidr *cidr, char text[static CIDR_STR_SIZE])
{
    return cidr->bits ? cidr_format(cidr, text) : NULL;
}

/* ---- sets ---------------------------------------------------------------------------------------------------------
 */
static bool
has_set(struct builder *b, const struct plan_ns *ns, const char *name)
{
    return (b->standing && plan_find_set(b->standing, name)) || plan_set_added(ns, name);
}

bool
plan_counts_members(const struct plan_vpc *v, const char *vpc_id, const char *there)
{
    return there ? strcmp(vpc_id, there) == 0
                 : strcmp(vpc_id, v->vpc->obj.id) == 0 || plan_peering_carries_groups(v, vpc_id);
}

const char *
plan_member_set(struct builder *b, struct plan_vpc *v, const char *group_id, int family, const char *there)
{
    const char *name = plan_name(there             ? (family == IP_V6 ? "sgt6_" : "sgt_")
                                 : family == IP_V6 ? "sgm6_"
                                                   : "sgm_",
                                 group_id, "");
    if (has_set(b, v->router, name)) {
        return name;
    }
    char head[192];
    snprintf(head, sizeof head, "set %s { type %s; }", name, family == IP_V6 ? "ipv6_addr" : "ipv4_addr");
    struct plan_set *set = plan_set_add(b, v->router, name, head);
    struct eni *const *members;
    size_t n = network_group_members(b->net, group_id, &members);
    for (size_t i = 0; i < n; i++) {
        const struct eni *eni = members[i];
        if (!plan_counts_members(v, eni->vpc_id, there)) {
            continue;
        }
        for (size_t j = 0; family == IP_V4 && j < eni->addresses.n; j++) {
            plan_element_add(b, set, NULL, "%s", ip_str(&eni->addresses.items[j].ip));
        }
        for (size_t j = 0; family == IP_V6 && j < eni->addresses6.n; j++) {
            plan_element_add(b, set, NULL, "%s", ip_str(&eni->addresses6.items[j].ip));
        }
    }
    return name;
}

static int
compare_cidrs(const void *a, const void *b)
{
    const struct cidr *x = a, *y = b;
    int c = ip_compare(&x->ip, &y->ip);
    return c ? c : (int)x->bits - (int)y->bits;
}

/* A prefix list's blocks.  The name carries a hash of the content: a changed list is a new set that takes the old one's
 * place, because changing single ranges of a set with merged ranges is where libnftables 1.0.6 fails. */
static const char *
prefix_set(struct builder *b, struct plan_vpc *v, const char *list_id, int family)
{
    const struct prefix_list *list = store_get(b->store, &prefix_list_kind, list_id);
    VEC(struct cidr) blocks = { 0 };
    for (size_t i = 0; list && i < list->entries.n; i++) {
        if (list->entries.items[i].cidr.ip.family == family) {
            *VEC_ADD(&blocks) = list->entries.items[i].cidr;
        }
    }
    if (blocks.n > 1) {
        qsort(blocks.items, blocks.n, sizeof *blocks.items, compare_cidrs);
    }
    /* Drop what a block before it covers: ranges of a set must not overlap. */
    size_t n = 0;
    for (size_t i = 0; i < blocks.n; i++) {
        if (!n || !cidr_contains(&blocks.items[n - 1], &blocks.items[i])) {
            blocks.items[n++] = blocks.items[i];
        }
    }
    uint64_t hash = 0;
    for (size_t i = 0; i < n; i++) {
        hash = hash * 31 + ip_hash(&blocks.items[i].ip) + blocks.items[i].bits;
    }
    char suffix[24];
    snprintf(suffix, sizeof suffix, "_%016" PRIx64, hash);
    const char *name = plan_name(family == IP_V6 ? "pl6_" : "pl_", list_id, suffix);
    if (!has_set(b, v->router, name)) {
        char head[192];
        snprintf(head, sizeof head, "set %s { type %s; flags interval; }", name,
                 family == IP_V6 ? "ipv6_addr" : "ipv4_addr");
        struct plan_set *set = plan_set_add(b, v->router, name, head);
        for (size_t i = 0; i < n; i++) {
            plan_element_add(b, set, NULL, "%s", cidr_str(&blocks.items[i]));
        }
    }
    VEC_DONE(&blocks);
    return name;
}

/* ---- security groups ----------------------------------------------------------------------------------------------
 */
static void
write_sg_rule(struct buf *out, const struct sg_rule *rule, int family, const char *address)
{
    bool ports = rule->protocol == PROTOCOL_TCP || rule->protocol == PROTOCOL_UDP;
    struct match m = { .source = !rule->egress,
                       .family = family,
                       .address = address,
                       .protocol = rule->protocol,
                       .from = ports ? rule->from : -1,
                       .to = rule->to,
                       .type = ports ? -1 : rule->from,
                       .code = ports ? -1 : rule->to };
    write_match(out, &m);
    buf_printf(out, "counter %s comment \"%s\"\n", rule->egress ? PLAN_ADMIT_SENDER : "accept", rule->id);
}

/* The same rule for members in a VPC behind a transit gateway that carries references: only for what comes in by it. */
static void
write_transit_reference(struct builder *b, struct plan_vpc *v, struct buf *out, const struct sg_rule *rule, int family)
{
    const struct security_group *group = store_get(b->store, &security_group_kind, rule->group_id);
    struct buf links = { 0 };
    char set[160];
    if (group && strcmp(group->vpc_id, v->vpc->obj.id) != 0) {
        plan_transit_carriers(b, v, group->vpc_id, &links);
    }
    if (links.size) {
        snprintf(set, sizeof set, "@%s", plan_member_set(b, v, rule->group_id, family, group->vpc_id));
        buf_printf(out, "iifname { %s } ", buf_str(&links));
        write_sg_rule(out, rule, family, set);
    }
    buf_done(&links);
}

/* What a balancer's node sends on counts as the balancer's, whosever address it bears. */
static void
write_node_reference(struct builder *b, const struct plan_vpc *v, struct buf *out, const struct sg_rule *rule,
                     int family)
{
    struct buf links = { 0 };
    for (size_t i = 0; v->nodes && i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        if (port->place == PLAN_PLACE_NODE && eni_has_group(port->eni, rule->group_id)) {
            buf_printf(&links, "%s\"%s\"", links.size ? ", " : "", port->name);
        }
    }
    for (size_t i = 0; v->nodes && i < v->peerings.n; i++) {
        const struct plan_peering *p = &v->peerings.items[i];
        const struct eni *eni = p->node ? store_get(b->store, &eni_kind, p->node) : NULL;
        if (eni && eni_has_group(eni, rule->group_id) && plan_peering_carries_groups(v, eni->vpc_id)) {
            buf_printf(&links, "%s\"%s\"", links.size ? ", " : "", p->name);
        }
    }
    if (links.size) {
        buf_printf(out, "iifname { %s } ", buf_str(&links));
        write_sg_rule(out, rule, family, NULL);
    }
    buf_done(&links);
}

/* A group of a peer is known in what comes by the peering; by a transit gateway only where that carries references,
 * which is a rule of its own. */
static void
except_transits(struct builder *b, const struct plan_vpc *v, const struct sg_rule *rule, struct buf *out)
{
    const struct security_group *group =
        rule->group_id ? store_get(b->store, &security_group_kind, rule->group_id) : NULL;
    if (rule->egress || !v->transits.n || !group || strcmp(group->vpc_id, v->vpc->obj.id) == 0) {
        return;
    }
    buf_str_add(out, "iifname != { ");
    for (size_t i = 0; i < v->transits.n; i++) {
        buf_printf(out, "%s\"%s\"", i ? ", " : "", v->transits.items[i].name);
    }
    buf_str_add(out, " } ");
}

static void
write_sg_rules(struct builder *b, struct plan_vpc *v, struct buf *out, const struct sg_rule *rule)
{
    char text[CIDR_STR_SIZE], set[160];
    if (rule->cidr.ip.family) {
        write_sg_rule(out, rule, rule->cidr.ip.family, address_of(&rule->cidr, text));
        return;
    }
    for (int family = IP_V4; family <= (v->ip6 ? IP_V6 : IP_V4); family += 2) {
        const char *name = rule->group_id         ? plan_member_set(b, v, rule->group_id, family, NULL)
                           : rule->prefix_list_id ? prefix_set(b, v, rule->prefix_list_id, family)
                                                  : NULL;
        bool direct = (v->appliances || v->nodes) && rule->group_id && !rule->egress;
        if (name && direct) { /* behind an appliance or a balancer the sender's groups are not known any more */
            snprintf(set, sizeof set, "@%s", name);
            buf_printf(out, "%s%s", v->appliances ? "iifname != @appliances " : "",
                       v->nodes ? "iifname != @balancer_nodes " : "");
            except_transits(b, v, rule, out);
            write_sg_rule(out, rule, family, set);
            buf_printf(out, "iifname . %s saddr @eni_addresses%s ", family == IP_V4 ? "ip" : "ip6",
                       family == IP_V4 ? "" : "6");
            write_sg_rule(out, rule, family, set);
        } else if (name) {
            snprintf(set, sizeof set, "@%s", name);
            except_transits(b, v, rule, out);
            write_sg_rule(out, rule, family, set);
        }
        if (rule->group_id && !rule->egress) {
            write_node_reference(b, v, out, rule, family);
            write_transit_reference(b, v, out, rule, family);
        }
    }
}

void
plan_group_blocks(struct builder *b, const char *group_id, const char *before, struct buf *out)
{
    const struct security_group *group = store_get(b->store, &security_group_kind, group_id);
    char text[CIDR_STR_SIZE];
    map_put(&b->plan->elsewhere, group_id, (void *)1);
    for (size_t i = 0; group && i < group->rules.n; i++) {
        const struct sg_rule *rule = &group->rules.items[i];
        const struct prefix_list *list =
            rule->prefix_list_id ? store_get(b->store, &prefix_list_kind, rule->prefix_list_id) : NULL;
        if (!rule->egress && rule->cidr.ip.family) {
            buf_str_add(out, before);
            write_sg_rule(out, rule, rule->cidr.ip.family, address_of(&rule->cidr, text));
        }
        for (size_t j = 0; !rule->egress && list && j < list->entries.n; j++) {
            const struct cidr *block = &list->entries.items[j].cidr;
            buf_str_add(out, before);
            write_sg_rule(out, rule, block->ip.family, address_of(block, text));
        }
    }
}

void
plan_group(struct builder *b, struct plan_vpc *v, const char *group_id)
{
    const struct security_group *group = store_get(b->store, &security_group_kind, group_id);
    for (int egress = 0; egress < 2; egress++) {
        struct buf rules = { 0 };
        for (size_t i = 0; group && i < group->rules.n; i++) {
            if (group->rules.items[i].egress == (egress == 1)) {
                write_sg_rules(b, v, &rules, &group->rules.items[i]);
            }
        }
        plan_chain_add(b, v->router, plan_name("sg_", group_id, egress ? "_out" : "_in"), "", buf_str(&rules));
        buf_done(&rules);
    }
}

static bool
stands(struct builder *b, const char *chain)
{
    return b->standing && plan_find_chain(b->standing, chain);
}

/* The chain an interface's packets go through: its only group's, or one that visits each; interfaces with the same
 * groups share it. */
void
plan_groups_chain(struct builder *b, struct plan_vpc *v, const struct eni *eni, struct map *known,
                  char base[static 128])
{
    for (size_t i = 0; i < eni->groups.n; i++) {
        const char *id = eni->groups.items[i].id;
        if (!map_get(known, id)) {
            map_put(known, id, (void *)1);
            if (!stands(b, plan_name("sg_", id, "_in"))) {
                plan_group(b, v, id);
            }
        }
    }
    if (eni->groups.n == 1) {
        snprintf(base, 128, "%s", plan_name("sg_", eni->groups.items[0].id, ""));
        return;
    }
    struct buf ids = { 0 };
    for (size_t i = 0; i < eni->groups.n; i++) {
        buf_printf(&ids, "%s ", eni->groups.items[i].id);
    }
    snprintf(base, 128, "sgs_%016" PRIx64, hash_bytes(ids.data, ids.size));
    buf_done(&ids);
    if (map_get(known, base) || stands(b, plan_name(base, "", "_in"))) {
        return;
    }
    map_put(known, base, (void *)1);
    for (int egress = 0; egress < 2; egress++) {
        struct buf rules = { 0 };
        for (size_t i = 0; i < eni->groups.n; i++) {
            bool ask = egress && i + 1 < eni->groups.n; /* did this one admit it? */
            buf_printf(&rules, "jump %s\n%s", plan_name("sg_", eni->groups.items[i].id, egress ? "_out" : "_in"),
                       ask ? "meta mark " PLAN_ADMITTED " return\n" : "");
        }
        plan_chain_add(b, v->router, plan_name(base, "", egress ? "_out" : "_in"), "", buf_str(&rules));
        buf_done(&rules);
    }
}

/* What a link's packets go through, inwards and outwards. */
struct verdicts {
    VEC(struct plan_element) in, out;
};

/* No groups: everything passes. */
static void
admit_all(struct verdicts *of, const char *key)
{
    *VEC_ADD(&of->in) = (struct plan_element){ key, "accept" };
    *VEC_ADD(&of->out) = (struct plan_element){ key, PLAN_ADMIT_SENDER };
}

static void
plan_verdicts_of_ports(struct builder *b, struct plan_vpc *v, struct verdicts *of)
{
    struct map known = { 0 };
    struct arena *arena = b->plan->arena;
    for (size_t i = 0; i < v->ports.n; i++) {
        const struct plan_port *port = &v->ports.items[i];
        const char *key = arena_join(arena, "\"", port->name, "\"", NULL);
        if (!port->eni || !port->eni->groups.n) {
            admit_all(of, key);
            continue;
        }
        char base[128];
        plan_groups_chain(b, v, port->eni, &known, base);
        *VEC_ADD(&of->in) = (struct plan_element){ key, arena_join(arena, "jump ", base, "_in", NULL) };
        *VEC_ADD(&of->out) = (struct plan_element){ key, arena_join(arena, "jump ", base, "_out", NULL) };
    }
    map_done(&known);
}

static void
plan_groups(struct builder *b, struct plan_vpc *v)
{
    struct verdicts of = { 0 };
    struct arena *arena = b->plan->arena;
    plan_verdicts_of_ports(b, v, &of);
    admit_all(&of, "\"igw\"");
    if (v->egress_only) {
        admit_all(&of, "\"eigw\"");
    }
    if (v->vgw) {
        admit_all(&of, "\"vgw\"");
    }
    for (size_t i = 0; i < v->peerings.n; i++) {
        admit_all(&of, arena_printf(arena, "\"%s\"", v->peerings.items[i].name));
    }
    for (size_t i = 0; i < v->transits.n; i++) {
        admit_all(&of, arena_printf(arena, "\"%s\"", v->transits.items[i].name));
    }
    for (size_t i = 0; i < v->endpoints.n; i++) {
        admit_all(&of, arena_printf(arena, "\"%s\"", v->endpoints.items[i].name));
    }
    struct plan_set *set = plan_set_add(b, v->router, "sg_in", "map sg_in { type ifname : verdict; }");
    memcpy(&set->elements, &of.in, sizeof of.in);
    set = plan_set_add(b, v->router, "sg_out", "map sg_out { type ifname : verdict; }");
    memcpy(&set->elements, &of.out, sizeof of.out);
}

/* ---- network ACLs -------------------------------------------------------------------------------------------------
 */
static void
write_entry(struct buf *out, const struct nacl_entry *e, const struct cidr *cidr, bool alone)
{
    char text[CIDR_STR_SIZE];
    struct match m = { .source = !e->egress,
                       .family = cidr->ip.family,
                       .alone = alone,
                       .address = address_of(cidr, text),
                       .protocol = e->protocol,
                       .from = e->has_ports ? e->ports.from : -1,
                       .to = e->ports.to,
                       .type = e->has_icmp ? e->icmp.type : -1,
                       .code = e->has_icmp ? e->icmp.code : -1 };
    write_match(out, &m);
}

void
plan_acl_blocks(const struct network_acl *acl, bool egress, struct buf *out)
{
    for (size_t i = 0; i < acl->entries.n; i++) {
        const struct nacl_entry *e = &acl->entries.items[i];
        const struct cidr *cidr = e->cidr.ip.family ? &e->cidr : &e->cidr6;
        if (e->egress == egress && cidr->ip.family) {
            write_entry(out, e, cidr, false);
            buf_str_add(out, e->action == NACL_ALLOW ? "return\n" : "counter drop\n");
        }
    }
}

void
plan_acl(struct builder *b, struct plan_vpc *v, const struct network_acl *acl)
{
    for (int egress = 0; egress < 2; egress++) {
        struct buf rules = { 0 };
        for (size_t i = 0; i < acl->entries.n; i++) {
            const struct nacl_entry *e = &acl->entries.items[i];
            const struct cidr *cidr = e->cidr.ip.family ? &e->cidr : &e->cidr6;
            if (e->egress != (egress == 1) || !cidr->ip.family) {
                continue;
            }
            write_entry(&rules, e, cidr, !v->ip6);
            buf_printf(&rules, "counter %s comment \"%s %d\"\n",
                       e->action == NACL_ALLOW ? "return" : plan_deny(b, acl->obj.id, e->egress, e->number),
                       acl->obj.id, e->number);
        }
        buf_str_add(&rules, egress ? "meta mark set 2 meta priority set 0:2 goto fl_deny_out\n"
                                   : "meta mark set 3 meta priority set 0:3 goto fl_deny_in\n");
        plan_chain_add(b, v->router, plan_name("nacl_", acl->obj.id, egress ? "_out" : "_in"), "", buf_str(&rules));
        buf_done(&rules);
    }
}

static void
plan_acls(struct builder *b, struct plan_vpc *v)
{
    struct map known = { 0 };
    struct arena *arena = b->plan->arena;
    VEC(struct plan_element) in = { 0 }, out = { 0 };
    for (const struct subnet *s = store_first(b->store, &subnet_kind); s; s = store_next(b->store, s)) {
        if (strcmp(s->vpc_id, v->vpc->obj.id) != 0) {
            continue;
        }
        const struct network_acl *acl = network_subnet_acl(b->net, s);
        const char *key = arena_printf(arena, "%u", plan_number(b->numbers, "subnet", s->obj.id));
        if (!acl) {
            continue;
        }
        if (!map_get(&known, acl->obj.id)) {
            map_put(&known, acl->obj.id, (void *)1);
            plan_acl(b, v, acl);
        }
        const char *to_in = arena_printf(arena, "jump %s", plan_name("nacl_", acl->obj.id, "_in"));
        const char *to_out = arena_printf(arena, "jump %s", plan_name("nacl_", acl->obj.id, "_out"));
        *VEC_ADD(&in) = (struct plan_element){ key, to_in };
        *VEC_ADD(&out) = (struct plan_element){ key, to_out };
        uint32_t transit = plan_transit_group(b, v, s);
        if (transit) {
            key = arena_printf(arena, "%u", transit);
            *VEC_ADD(&in) = (struct plan_element){ key, to_in };
            *VEC_ADD(&out) = (struct plan_element){ key, to_out };
        }
    }
    map_done(&known);
    struct plan_set *set =
        plan_set_add(b, v->router, "nacl_in", "map nacl_in { type devgroup : verdict; " PLAN_SUBNETS_SIZE " }");
    memcpy(&set->elements, &in, sizeof in);
    set = plan_set_add(b, v->router, "nacl_out", "map nacl_out { type devgroup : verdict; " PLAN_SUBNETS_SIZE " }");
    memcpy(&set->elements, &out, sizeof out);
}

void
plan_filters(struct builder *b, struct plan_vpc *v)
{
    plan_groups(b, v);
    plan_acls(b, v);
}
