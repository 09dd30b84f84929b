/* tests/spec/plain_net.h - the packet rules of a VPC a second time, as plainly as they can be said.
 *
 * No index, no shared verdict code, no explanation: every question walks every object.  It reads the same model structs
 * as netsim/analysis and must give the same verdicts; where they differ, one of them has misread AWS's pages:
 *   VPC_Route_Tables, nacl-basics, vpc-security-groups, VPC_Internet_Gateway, vpc-nat-gateway (nat-gateway-basics).
 * What joins VPCs and leads to other networks is in plain_routers.h. */
#pragma once
#include <string.h>

#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"

struct plain_packet {
    struct ip src, dst;
    int protocol, sport, dport, type, code;
};

struct plain {
    const struct network *net;
    struct plain_packet p;
    /* What it is for: exactly one. */
    const struct eni *to_eni;
    bool to_internet, to_address;
    const char *to_gateway;
    /* The VPC it set out from and by what it came into the one where it is. */
    const char *home;
    enum { CAME_NOWHERE, CAME_BY_PEERING, CAME_BY_TGW, CAME_FROM_OUTSIDE } came;
    bool names_groups; /* CAME_BY_TGW: all that it crossed carries references to groups */
    const char *zone;  /* of the subnet it left for the transit gateway */
    /* What the way there left behind for the way back. */
    bool back;
    const struct eni *admitted[64];
    int n_admitted;
    struct {
        const struct nat_gateway *nat; /* NULL: an instance that translates, at */
        const struct eni *at;
        struct plain_packet inside, outside;
    } nat_memory[32];
    int n_nat_memory;
    /* Where it ended. */
    const char *why;                             /* NULL: it arrived */
    const struct eni *end_eni;                   /* arrived here; NULL: outside, or at a gateway */
    const char *end_vpc;                         /* the gateway of this VPC; NULL: none, or an internet gateway */
    const char *end_tgw;                         /* in this transit gateway, or beyond ... */
    const struct tgw_attachment *end_attachment; /* ... this attachment of it */
    int depth;
};

#define EACH(type_, var_, kind_)                                                                                       \
    for (const struct type_ *var_ = store_first(network_store(w->net), &kind_); var_;                                  \
         var_ = store_next(network_store(w->net), var_))

static void plain_leave(struct plain *w, const struct eni *eni, const struct subnet *subnet);
static void plain_enter(struct plain *w, const struct eni *eni);
static void plain_from_outside(struct plain *w, const char *gateway);
static void plain_by_router(struct plain *w, const struct route *r, const struct subnet *from);

static void
plain_drop(struct plain *w, const char *why)
{
    w->why = why;
}

static bool
plain_in(const struct cidr *c, const struct ip *ip)
{
    if (c->ip.family == 0 || c->ip.family != ip->family) {
        return false;
    }
    int width = ip->family == IP_V4 ? 32 : 128;
    for (int bit = 0; bit < c->bits; bit++) {
        int shift = width - 1 - bit;
        uint64_t a = shift >= 64 ? c->ip.hi >> (shift - 64) : c->ip.lo >> shift;
        uint64_t b = shift >= 64 ? ip->hi >> (shift - 64) : ip->lo >> shift;
        if ((a & 1) != (b & 1)) {
            return false;
        }
    }
    return true;
}

static bool
plain_private(const struct ip *ip)
{
    struct cidr v4[] = { cidr_lit("10.0.0.0/8"), cidr_lit("172.16.0.0/12"), cidr_lit("192.168.0.0/16") },
                v6 = cidr_lit("fc00::/7");
    return plain_in(&v4[0], ip) || plain_in(&v4[1], ip) || plain_in(&v4[2], ip) || plain_in(&v6, ip);
}

static bool
plain_carrier_grade(const struct ip *ip)
{
    struct cidr shared = cidr_lit("100.64.0.0/10");
    return plain_in(&shared, ip);
}

static bool
plain_holds(const struct eni *eni, const struct ip *ip)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (ip_equal(&eni->addresses.items[i].ip, ip)) {
            return true;
        }
    }
    for (size_t i = 0; i < eni->addresses6.n; i++) {
        if (ip_equal(&eni->addresses6.items[i].ip, ip)) {
            return true;
        }
    }
    return false;
}

static const struct eni *
plain_holder(const struct plain *w, const char *vpc, const struct ip *ip)
{
    EACH(eni, eni, eni_kind)
    {
        if (strcmp(eni->vpc_id, vpc) == 0 && plain_holds(eni, ip)) {
            return eni;
        }
    }
    return NULL;
}

static const struct eni *
plain_public_holder(const struct plain *w, const struct ip *ip, struct ip *inside)
{
    EACH(eni, eni, eni_kind)
    {
        for (size_t i = 0; i < eni->addresses.n; i++) {
            if (ip->family == IP_V4 && ip_equal(&eni->addresses.items[i].association.public_ip, ip)) {
                *inside = eni->addresses.items[i].ip;
                return eni;
            }
        }
        if (ip->family == IP_V6 && plain_holds(eni, ip)) {
            *inside = *ip;
            return eni;
        }
    }
    return NULL;
}

static const struct subnet *
plain_subnet(const struct plain *w, const char *id)
{
    EACH(subnet, subnet, subnet_kind)
    {
        if (strcmp(subnet->obj.id, id) == 0) {
            return subnet;
        }
    }
    return NULL;
}

static bool
plain_subnet_has(const struct subnet *subnet, const struct ip *ip)
{
    if (plain_in(&subnet->cidr, ip)) {
        return true;
    }
    for (size_t i = 0; i < subnet->cidrs6.n; i++) {
        if (plain_in(&subnet->cidrs6.items[i].cidr, ip)) {
            return true;
        }
    }
    return false;
}

static bool
plain_vpc_has(const struct plain *w, const char *id, const struct ip *ip)
{
    EACH(vpc, vpc, vpc_kind)
    {
        for (size_t i = 0; strcmp(vpc->obj.id, id) == 0 && i < vpc->cidrs.n; i++) {
            if (plain_in(&vpc->cidrs.items[i].cidr, ip)) {
                return true;
            }
        }
        for (size_t i = 0; strcmp(vpc->obj.id, id) == 0 && i < vpc->cidrs6.n; i++) {
            if (plain_in(&vpc->cidrs6.items[i].cidr, ip)) {
                return true;
            }
        }
    }
    return false;
}

static bool
plain_is_off(const struct plain *w, const struct eni *eni)
{
    EACH(instance, instance, instance_kind)
    {
        if (strcmp(instance->obj.id, eni->attachment.instance_id) == 0) {
            return instance->state_code != 16;
        }
    }
    return false;
}

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

/* A group means the interfaces that carry it, by their private addresses.  Of another VPC: inwards if the packet came
 * from there by peering or by a transit gateway that carries references; outwards only if the two are peers. */
static bool
plain_sg_group(const struct plain *w, const char *vpc, const char *group_id, const struct ip *peer, bool out)
{
    bool from_elsewhere = !out && w->came != CAME_NOWHERE;
    if (!from_elsewhere && plain_holder_has_group(w, vpc, peer, group_id)) {
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
        return carried && plain_holder_has_group(w, named->vpc_id, peer, group_id);
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
plain_route(const struct plain *w, const struct subnet *subnet, bool *has_table)
{
    const struct route_table *table = NULL, *main_table = NULL;
    EACH(route_table, t, route_table_kind)
    {
        for (size_t i = 0; i < t->associations.n; i++) {
            table = strcmp(t->associations.items[i].subnet_id, subnet->obj.id) == 0 ? t : table;
            main_table = t->associations.items[i].main && strcmp(t->vpc_id, subnet->vpc_id) == 0 ? t : main_table;
        }
    }
    table = table ? table : main_table;
    *has_table = table != NULL;
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

/* ---- Gateways ------------------------------------------------------------------------------------------------------
 */

static bool
plain_attached(const struct plain *w, const char *igw_id, const char *vpc)
{
    EACH(internet_gateway, igw, internet_gateway_kind)
    {
        for (size_t i = 0; i < igw->attachments.n; i++) {
            if (strcmp(igw->attachments.items[i].vpc_id, vpc) == 0 && (!igw_id || strcmp(igw_id, igw->obj.id) == 0)) {
                return true;
            }
        }
    }
    return false;
}

static void
plain_igw_out(struct plain *w, const char *id, const char *vpc)
{
    if (!plain_attached(w, id, vpc)) {
        plain_drop(w, "no-igw");
        return;
    }
    const struct eni *sender = plain_holder(w, vpc, &w->p.src);
    const struct ip *public_ip = NULL;
    for (size_t i = 0; sender && i < sender->addresses.n; i++) {
        const struct eni_address *a = &sender->addresses.items[i];
        if (ip_equal(&a->ip, &w->p.src) && a->association.public_ip.family) {
            public_ip = &a->association.public_ip;
        }
    }
    if (sender && w->p.src.family == IP_V6 && !plain_private(&w->p.src)) {
        public_ip = &w->p.src;
    }
    if (!public_ip) {
        plain_drop(w, "igw-no-public-ip");
        return;
    }
    if (plain_private(&w->p.dst) || plain_carrier_grade(&w->p.dst)) {
        plain_drop(w, "igw-private-destination");
        return;
    }
    w->p.src = *public_ip;
    w->home = NULL;
    w->came = CAME_NOWHERE;
    struct ip inside;
    if (w->to_gateway && strcmp(w->to_gateway, id) == 0) {
        w->end_eni = NULL;
    } else if (w->to_internet) {
        w->end_eni = NULL;
    } else if (plain_public_holder(w, &w->p.dst, &inside)) {
        plain_from_outside(w, NULL);
    } else if (w->to_address) {
        w->end_eni = NULL;
    } else {
        plain_drop(w, w->to_gateway ? "no-route" : "other-destination");
    }
}

static void
plain_from_outside(struct plain *w, const char *gateway)
{
    struct ip inside;
    const struct eni *eni = plain_public_holder(w, &w->p.dst, &inside);
    if (!eni || (gateway && plain_attached(w, NULL, eni->vpc_id) && !plain_attached(w, gateway, eni->vpc_id))) {
        plain_drop(w, "igw-no-such-public-ip");
    } else if (!plain_attached(w, NULL, eni->vpc_id)) {
        plain_drop(w, "no-igw");
    } else if (strcmp(eni->status, "available") == 0) {
        plain_drop(w, "no-public-ip");
    } else if (plain_private(&w->p.src) || plain_carrier_grade(&w->p.src)) {
        plain_drop(w, "igw-private-source");
    } else {
        w->p.dst = inside;
        if (!plain_acl(w, plain_subnet(w, eni->subnet_id), false)) {
            plain_drop(w, "nacl-ingress");
        } else {
            plain_enter(w, eni);
        }
    }
}

static const struct nat_gateway *
plain_nat_of(const struct plain *w, const struct eni *eni)
{
    EACH(nat_gateway, nat, nat_gateway_kind)
    {
        if (nat->addresses.n && strcmp(nat->addresses.items[0].eni_id, eni->obj.id) == 0) {
            return nat;
        }
    }
    return NULL;
}

static void
plain_nat(struct plain *w, const char *id, const struct subnet *from)
{
    EACH(nat_gateway, nat, nat_gateway_kind)
    {
        if (strcmp(nat->obj.id, id) != 0) {
            continue;
        }
        const struct subnet *subnet = plain_subnet(w, nat->subnet_id);
        if (strcmp(nat->vpc_id, from->vpc_id) != 0) {
            plain_drop(w, "blackhole-route");
            return;
        }
        for (int i = 0; i < w->n_nat_memory; i++) {
            if (w->nat_memory[i].nat == nat && !w->back) {
                plain_drop(w, "nat-in-private-subnet");
                return;
            }
        }
        if (from != subnet && !plain_acl(w, subnet, false)) {
            plain_drop(w, "nacl-ingress");
        } else if (strcmp(nat->state, "available") != 0) {
            plain_drop(w, "nat-state");
        } else if (w->back) {
            plain_drop(w, "asymmetric-return");
        } else if (w->p.src.family != IP_V4 || (w->p.protocol != 6 && w->p.protocol != 17 && w->p.protocol != 1)) {
            plain_drop(w, "nat-protocol");
        } else if (!plain_vpc_has(w, nat->vpc_id, &w->p.src) && w->came != CAME_BY_TGW) {
            plain_drop(w, "nat-source"); /* central egress: other VPCs may use it by way of a transit gateway alone */
        } else {
            w->home = nat->vpc_id;
            w->came = CAME_NOWHERE;
            w->nat_memory[w->n_nat_memory].nat = nat;
            w->nat_memory[w->n_nat_memory].inside = w->p;
            w->p.src = nat->addresses.items[0].private_ip;
            if (w->p.protocol != 1 && w->p.sport < 1024) {
                w->p.sport += 1024;
            }
            w->nat_memory[w->n_nat_memory++].outside = w->p;
            plain_leave(w, NULL, subnet);
        }
        return;
    }
    plain_drop(w, "nat-state");
}

/* Something addressed to a NAT gateway: an answer it waits for, or nothing. */
static void
plain_nat_answer(struct plain *w, const struct nat_gateway *nat)
{
    for (int i = 0; w->back && i < w->n_nat_memory; i++) {
        const struct plain_packet *sent = &w->nat_memory[i].outside, *inside = &w->nat_memory[i].inside;
        if (w->nat_memory[i].nat == nat && ip_equal(&sent->src, &w->p.dst) && ip_equal(&sent->dst, &w->p.src) &&
            sent->sport == w->p.dport && sent->dport == w->p.sport) {
            w->p.dst = inside->src;
            w->p.dport = inside->sport;
            plain_leave(w, NULL, plain_subnet(w, nat->subnet_id));
            return;
        }
    }
    plain_drop(w, "nat-unsolicited");
}

/* ---- Instances that send on what is not theirs -----------------------------------------------------------------------
 */

/* An answer to what it sent under its own address becomes one to the first sender. */
static bool
plain_knows_answer(struct plain *w, const struct eni *eni)
{
    for (int i = 0; w->back && i < w->n_nat_memory; i++) {
        const struct plain_packet *sent = &w->nat_memory[i].outside, *inside = &w->nat_memory[i].inside;
        if (w->nat_memory[i].at == eni && ip_equal(&sent->src, &w->p.dst) && ip_equal(&sent->dst, &w->p.src) &&
            sent->sport == w->p.dport && sent->dport == w->p.sport) {
            w->p.dst = inside->src;
            w->p.dport = inside->sport;
            return true;
        }
    }
    return false;
}

/* The instance behind an interface sends on what is not its own, by the same interface: it has no other here. */
static void
plain_send_on(struct plain *w, const struct eni *eni)
{
    const char *role = NULL;
    bool instance = false;
    EACH(instance, i, instance_kind)
    {
        if (strcmp(i->obj.id, eni->attachment.instance_id) == 0) {
            instance = true;
            role = object_tag(&i->obj, "vpclab:appliance");
        }
    }
    if (!instance) {
        plain_drop(w, "unsupported-appliance");
        return;
    }
    if (eni->source_dest_check || (role && strcmp(role, "none") == 0)) {
        plain_drop(w, "appliance-keeps");
        return;
    }
    w->home = NULL;
    w->came = w->came == CAME_BY_TGW ? CAME_BY_TGW : CAME_FROM_OUTSIDE;
    if (role && strcmp(role, "nat") == 0 && !w->back && w->p.src.family == IP_V4 && eni->addresses.n &&
        !plain_holds(eni, &w->p.src) && w->n_nat_memory < 31) {
        w->nat_memory[w->n_nat_memory].nat = NULL;
        w->nat_memory[w->n_nat_memory].at = eni;
        w->nat_memory[w->n_nat_memory].inside = w->p;
        w->p.src = eni->addresses.items[0].ip;
        w->nat_memory[w->n_nat_memory++].outside = w->p;
        w->home = eni->vpc_id;
        w->came = CAME_NOWHERE;
    }
    if (plain_groups(w, eni, true)) {
        plain_leave(w, eni, plain_subnet(w, eni->subnet_id));
    } else {
        plain_drop(w, "sg-egress");
    }
}

/* ---- Interfaces ----------------------------------------------------------------------------------------------------
 */

static void
plain_enter(struct plain *w, const struct eni *eni)
{
    const struct nat_gateway *nat = plain_nat_of(w, eni);
    if (nat) {
        plain_nat_answer(w, nat);
    } else if (!plain_groups(w, eni, false)) {
        plain_drop(w, "sg-ingress");
    } else if (plain_is_off(w, eni)) {
        plain_drop(w, "instance-state");
    } else if (plain_knows_answer(w, eni)) {
        plain_send_on(w, eni);
    } else if (plain_holds(eni, &w->p.dst)) {
        w->end_eni = eni;
        if (w->to_eni ? w->to_eni != eni : !w->to_address) {
            plain_drop(w, w->to_eni ? "other-destination" : "no-internet-route");
        }
    } else if (eni->source_dest_check) {
        plain_drop(w, "source-dest-check");
    } else if (w->to_eni == eni) {
        w->end_eni = eni;
    } else {
        plain_send_on(w, eni);
    }
}

/* Inside a VPC: whoever has the address gets it, past the ACL of its subnet. */
static void
plain_local(struct plain *w, const char *vpc)
{
    const struct eni *receiver = plain_holder(w, vpc, &w->p.dst);
    if (!plain_vpc_has(w, vpc, &w->p.dst) || !receiver) {
        plain_drop(w, "no-such-address");
    } else if (!plain_acl(w, plain_subnet(w, receiver->subnet_id), false)) {
        plain_drop(w, "nacl-ingress");
    } else {
        plain_enter(w, receiver);
    }
}

/* Out of an interface (NULL: a NAT gateway's) in 'subnet'. */
static void
plain_leave(struct plain *w, const struct eni *eni, const struct subnet *subnet)
{
    (void)eni;
    if (++w->depth > 20) {
        plain_drop(w, "routing-loop");
        return;
    }
    if (plain_subnet_has(subnet, &w->p.dst)) {
        const struct eni *neighbour = plain_holder(w, subnet->vpc_id, &w->p.dst);
        if (neighbour) {
            plain_enter(w, neighbour);
        } else {
            plain_drop(w, "no-such-address");
        }
        return;
    }
    if (!plain_acl(w, subnet, true)) {
        plain_drop(w, "nacl-egress");
        return;
    }
    bool has_table;
    const struct route *r = plain_route(w, subnet, &has_table);
    if (!r) {
        plain_drop(w, "no-route");
    } else if (r->state && strcmp(r->state, "blackhole") == 0) {
        plain_drop(w, "blackhole-route");
    } else if (r->gateway_id && strcmp(r->gateway_id, "local") == 0) {
        plain_local(w, subnet->vpc_id);
    } else if (r->gateway_id && strncmp(r->gateway_id, "igw-", 4) == 0) {
        plain_igw_out(w, r->gateway_id, subnet->vpc_id);
    } else if (r->nat_gateway_id) {
        plain_nat(w, r->nat_gateway_id, subnet);
    } else if (r->eni_id) {
        const struct eni *next = NULL;
        EACH(eni, e, eni_kind)
        {
            next = strcmp(e->obj.id, r->eni_id) == 0 ? e : next;
        }
        if (!next || strcmp(next->vpc_id, subnet->vpc_id) != 0) {
            plain_drop(w, "blackhole-route");
        } else if (strcmp(next->subnet_id, subnet->obj.id) != 0 &&
                   !plain_acl(w, plain_subnet(w, next->subnet_id), false)) {
            plain_drop(w, "nacl-ingress");
        } else {
            plain_enter(w, next);
        }
    } else {
        plain_by_router(w, r, subnet);
    }
}

static void
plain_send(struct plain *w, const struct eni *eni)
{
    w->home = eni->vpc_id;
    w->came = CAME_NOWHERE;
    if (plain_is_off(w, eni)) {
        plain_drop(w, "instance-state");
    } else if (eni->source_dest_check && !plain_holds(eni, &w->p.src)) {
        plain_drop(w, "source-dest-check");
    } else if (!plain_groups(w, eni, true)) {
        plain_drop(w, "sg-egress");
    } else {
        plain_leave(w, eni, plain_subnet(w, eni->subnet_id));
    }
}

#include "tests/spec/plain_routers.h"

/* Can the answer come back?  'there' is the packet that arrived, 'first' as it set out, from the interface 'from' or
 * from 'gateway' (both NULL: the internet). */
static const char *
plain_answer_to(const struct plain *there, const struct plain_packet *first, const struct eni *from,
                const char *gateway)
{
    struct plain w = *there;
    struct plain_packet p = there->p;
    w.p = (struct plain_packet){ p.dst, p.src, p.protocol, p.dport, p.sport, p.type, p.code };
    if (p.protocol == 1 || p.protocol == 58) {
        /* echo, router solicitation, timestamp, information, address mask: RFC 792, 950, 1256; RFC 4443 */
        static const int asked[] = { 8, 10, 13, 15, 17 }, answered[] = { 0, 9, 14, 16, 18 };
        int answer = p.protocol == 58 && p.type == 128 ? 129 : -1;
        for (int i = 0; i < 5; i++) {
            answer = p.protocol == 1 && p.type == asked[i] ? answered[i] : answer;
        }
        if (answer < 0) {
            return "none";
        }
        w.p.type = answer;
        w.p.code = 0;
    }
    w.back = true;
    w.depth = 0;
    w.why = NULL;
    w.to_eni = from;
    w.to_internet = !from && !gateway;
    w.to_address = false;
    w.to_gateway = gateway;
    w.end_eni = NULL;
    w.end_vpc = w.end_tgw = w.zone = w.home = NULL;
    w.came = CAME_NOWHERE;
    if (there->end_eni) {
        plain_send(&w, there->end_eni);
    } else if (there->end_vpc) {
        plain_into_vpc(&w, there->end_vpc);
    } else if (there->end_tgw) {
        plain_into_tgw(&w, there->end_tgw, there->end_attachment);
    } else {
        plain_from_outside(&w, NULL);
    }
    bool same = ip_equal(&w.p.src, &first->dst) && w.p.sport == first->dport;
    return w.why || !same ? "blocked" : "allowed";
}

static inline const char *
plain_answer(const struct plain *there, const struct plain_packet *first, const struct eni *from)
{
    return plain_answer_to(there, first, from, NULL);
}
