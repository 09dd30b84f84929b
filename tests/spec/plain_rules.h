/* tests/spec/plain_rules.h - a part of plain_net.h: security groups, network ACLs, route tables.
 *
 * Read from AWS's pages: security-group-rules, nacl-basics, VPC_Route_Tables (priority). */
#pragma once

/* ---- Security groups: does any rule of any group say yes? ----------------------------------------------------------
 */

static bool
plain_holder_has_group(const struct plain *w, const char *vpc, const struct ip *ip, const char *group)
{
    const struct eni *eni = plain_holder(w, vpc, ip);
    for (size_t i = 0; eni && i < eni->groups.n; i++) {
        if (strcmp(eni->groups.items[i].id, group) == 0) {
            return true;
        }
    }
    return false;
}

/* Two VPCs of one region with an active peering connection. */
static bool
plain_peers(const struct plain *w, const char *a, const char *b)
{
    EACH(peering, p, peering_kind)
    {
        bool two = (strcmp(p->requester.vpc_id, a) == 0 && strcmp(p->accepter.vpc_id, b) == 0) ||
                   (strcmp(p->requester.vpc_id, b) == 0 && strcmp(p->accepter.vpc_id, a) == 0);
        if (two && strcmp(p->status, "active") == 0) {
            return strcmp(p->requester.region, p->accepter.region) == 0;
        }
    }
    return false;
}

/* Whose groups count for an address: its holder's, or for what comes in from a balancer the node's. */
static bool
plain_peer_has_group(const struct plain *w, const char *vpc, const struct ip *ip, const char *group, bool out)
{
    for (size_t i = 0; !out && w->lb && i < w->lb->groups.n; i++) {
        if (strcmp(w->lb->groups.items[i].id, group) == 0) {
            return true;
        }
    }
    return (out || !w->lb) && plain_holder_has_group(w, vpc, ip, group);
}

/* A group means the interfaces that carry it, by their private addresses.  Of another VPC: inwards if the packet came
 * from there by peering or by a transit gateway that carries references; outwards only if the two are peers. */
static bool
plain_sg_group(const struct plain *w, const char *vpc, const char *group_id, const struct ip *peer, bool out)
{
    bool from_elsewhere = !out && w->came != CAME_NOWHERE;
    if (!from_elsewhere && plain_peer_has_group(w, vpc, peer, group_id, out)) {
        return true;
    }
    EACH(security_group, named, security_group_kind)
    {
        if (strcmp(named->obj.id, group_id) != 0 || strcmp(named->vpc_id, vpc) == 0 || !named->vpc_id[0]) {
            continue;
        }
        bool from_there = w->home && strcmp(w->home, named->vpc_id) == 0;
        bool carried = out                          ? plain_peers(w, vpc, named->vpc_id)
                       : w->came == CAME_BY_TGW     ? from_there && w->names_groups
                       : w->came == CAME_BY_PEERING ? from_there && plain_peers(w, vpc, named->vpc_id)
                                                    : false;
        return carried && plain_peer_has_group(w, named->vpc_id, peer, group_id, out);
    }
    return false;
}

static bool
plain_sg_peer(const struct plain *w, const char *vpc, const struct sg_rule *rule, const struct ip *peer)
{
    if (rule->group_id) {
        return plain_sg_group(w, vpc, rule->group_id, peer, rule->egress);
    }
    if (rule->prefix_list_id) {
        EACH(prefix_list, list, prefix_list_kind)
        {
            for (size_t i = 0; strcmp(list->obj.id, rule->prefix_list_id) == 0 && i < list->entries.n; i++) {
                if (plain_in(&list->entries.items[i].cidr, peer)) {
                    return true;
                }
            }
        }
        return false;
    }
    return plain_in(&rule->cidr, peer);
}

static bool
plain_sg_says_yes(const struct plain *w, const char *vpc, const struct sg_rule *rule, bool out)
{
    const struct plain_packet *p = &w->p;
    bool protocol = rule->protocol == -1 || rule->protocol == p->protocol, ports = true;
    if (rule->protocol == 6 || rule->protocol == 17) {
        ports = p->dport >= rule->from && p->dport <= rule->to;
    } else if (rule->protocol == 1 || rule->protocol == 58) {
        ports = (rule->from == -1 || rule->from == p->type) && (rule->to == -1 || rule->to == p->code);
    }
    return rule->egress == out && protocol && ports && plain_sg_peer(w, vpc, rule, out ? &p->dst : &p->src);
}

static bool
plain_groups(struct plain *w, const struct eni *eni, bool out)
{
    for (int i = 0; w->back && i < w->n_admitted; i++) {
        if (w->admitted[i] == eni) {
            return true;
        }
    }
    bool yes = false;
    EACH(security_group, group, security_group_kind)
    {
        for (size_t g = 0; g < eni->groups.n; g++) {
            for (size_t i = 0; strcmp(eni->groups.items[g].id, group->obj.id) == 0 && i < group->rules.n; i++) {
                yes = yes || plain_sg_says_yes(w, eni->vpc_id, &group->rules.items[i], out);
            }
        }
    }
    yes = yes || eni->groups.n == 0;
    if (yes && !w->back && w->n_admitted < 64) {
        w->admitted[w->n_admitted++] = eni;
    }
    return yes;
}

/* ---- Network ACLs: of all entries that fit, the lowest number decides. ---------------------------------------------
 */

static bool
plain_acl(const struct plain *w, const struct subnet *subnet, bool out)
{
    const struct plain_packet *p = &w->p;
    const struct ip *peer = out ? &p->dst : &p->src;
    bool has_acl = false, allow = false;
    int lowest = 1 << 20;
    EACH(network_acl, acl, network_acl_kind)
    {
        for (size_t a = 0; a < acl->associations.n; a++) {
            if (strcmp(acl->associations.items[a].subnet_id, subnet->obj.id) != 0) {
                continue;
            }
            has_acl = true;
            for (size_t i = 0; i < acl->entries.n; i++) {
                const struct nacl_entry *e = &acl->entries.items[i];
                bool fits = e->egress == out && (e->protocol == -1 || e->protocol == p->protocol) &&
                            (plain_in(&e->cidr, peer) || plain_in(&e->cidr6, peer));
                if ((e->protocol == 6 || e->protocol == 17) && (p->dport < e->ports.from || p->dport > e->ports.to)) {
                    fits = false;
                }
                if ((e->protocol == 1 || e->protocol == 58) && !((e->icmp.type == -1 || e->icmp.type == p->type) &&
                                                                 (e->icmp.code == -1 || e->icmp.code == p->code))) {
                    fits = false;
                }
                if (fits && e->number < lowest) {
                    lowest = e->number;
                    allow = e->action == NACL_ALLOW;
                }
            }
        }
    }
    return !has_acl || allow;
}

/* ---- Route tables: the longest prefix; for one prefix a static CIDR, then a prefix list, then a propagated route.
 * What is propagated counts only where no local route covers the destination. */

static const struct route *
plain_route_of(const struct plain *w, const struct route_table *table)
{
    const struct route *best = NULL;
    int best_score = -1;
    bool inside = false;
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const struct route *r = &table->routes.items[i];
        inside = inside || (r->gateway_id && strcmp(r->gateway_id, "local") == 0 &&
                            (plain_in(&r->cidr, &w->p.dst) || plain_in(&r->cidr6, &w->p.dst)));
    }
    for (size_t i = 0; table && i < table->routes.n; i++) {
        const struct route *r = &table->routes.items[i];
        int bits = -1, order = r->origin && strstr(r->origin, "Propagation") ? 0 : r->prefix_list_id ? 1 : 2;
        if (plain_in(&r->cidr, &w->p.dst)) {
            bits = r->cidr.bits;
        } else if (plain_in(&r->cidr6, &w->p.dst)) {
            bits = r->cidr6.bits;
        }
        EACH(prefix_list, list, prefix_list_kind)
        {
            for (size_t e = 0; r->prefix_list_id && strcmp(list->obj.id, r->prefix_list_id) == 0 && e < list->entries.n;
                 e++) {
                const struct cidr *c = &list->entries.items[e].cidr;
                bits = plain_in(c, &w->p.dst) && c->bits > bits ? c->bits : bits;
            }
        }
        if (bits >= 0 && bits * 4 + order > best_score && !(order == 0 && inside)) {
            best = r;
            best_score = bits * 4 + order;
        }
    }
    return best;
}

static const struct route *
plain_route(const struct plain *w, const struct subnet *subnet)
{
    const struct route_table *table = NULL, *main_table = NULL;
    EACH(route_table, t, route_table_kind)
    {
        for (size_t i = 0; i < t->associations.n; i++) {
            table = strcmp(t->associations.items[i].subnet_id, subnet->obj.id) == 0 ? t : table;
            main_table = t->associations.items[i].main && strcmp(t->vpc_id, subnet->vpc_id) == 0 ? t : main_table;
        }
    }
    return plain_route_of(w, table ? table : main_table);
}
