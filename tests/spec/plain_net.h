/* tests/spec/plain_net.h - the packet rules of a VPC a second time, as plainly as they can be said.
 *
 * No index, no shared verdict code, no explanation: every question walks every object.  It reads the same model structs
 * as netsim/analysis and must give the same verdicts; where they differ, one of them has misread AWS's pages:
 *   VPC_Route_Tables, nacl-basics, vpc-security-groups, VPC_Internet_Gateway, vpc-nat-gateway (nat-gateway-basics).
 * What joins VPCs and leads to other networks is in plain_routers.h; appliances, balancers, PrivateLink and Block
 * Public Access are in plain_services.h and plain_balancers.h. */
#pragma once
#include <string.h>

#include "netsim/model/block_public_access.h"
#include "netsim/model/failure.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/network.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

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
    /* A balancer's node sent it on in its client's name: whatever its address, it is of the node's groups alone. */
    const struct eni *lb;
    /* At a node: handed over from this interface of an endpoint, where it was that. */
    const struct eni *handed;
    struct plain_packet at_handed;
    int balancers; /* it went through */
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
    struct {
        const struct eni *node, *endpoint; /* NULL: it came to the node itself */
        struct plain_packet before, after;
    } lb_memory[8];
    int n_lb_memory;
    struct {
        const struct endpoint *by;
        struct ip src, dst;
    } inspected[32]; /* by endpoints of Gateway Load Balancers, under these addresses */
    int n_inspected;
    /* Where it ended. */
    const char *why;                                 /* NULL: it arrived */
    const struct eni *end_eni;                       /* arrived here; NULL: outside, or at a gateway */
    const char *end_vpc;                             /* the gateway of this VPC; NULL: none, or an internet gateway */
    const char *end_gateway;                         /* which */
    const struct direct_connect_association *end_dx; /* beyond Direct Connect: how an answer comes back */
    /* The egress-only gateway by which it was opened. */
    const char *eigw, *eigw_vpc;
    struct ip eigw_source;
    const char *end_tgw;                         /* in this transit gateway, or beyond ... */
    const struct tgw_attachment *end_attachment; /* ... this attachment of it */
    int depth;
};

#define EACH(type_, var_, kind_)                                                                                       \
    for (const struct type_ *var_ = store_first(network_store(w->net), &kind_); var_;                                  \
         var_ = store_next(network_store(w->net), var_))

enum plain_door { DOOR_IN, DOOR_OUT, DOOR_OUT_ONLY /* a NAT gateway, an egress-only gateway */ };

static bool plain_closed(const struct plain *w, const char *vpc, const struct eni *eni, enum plain_door door);
static bool plain_is_service(struct plain *w, const struct eni *eni);
static bool plain_at_endpoint(struct plain *w, const struct eni *eni);
static bool plain_knows_answer(struct plain *w, const struct eni *eni);
static void plain_send_on(struct plain *w, const struct eni *eni, bool known_answer);
static void plain_to_appliance(struct plain *w, const struct route *r, const struct subnet *from, const char *vpc);
static bool plain_ingress(struct plain *w, const char *gateway, const char *vpc);
static const char *plain_cannot_open(const struct plain *w, const struct eni *eni);
static bool plain_balancer_takes(struct plain *w, const struct subnet *from);
static void plain_leave(struct plain *w, const struct eni *eni, const struct subnet *subnet);
static void plain_enter(struct plain *w, const struct eni *eni);
static void plain_from_outside(struct plain *w, const char *gateway);
static void plain_by_router(struct plain *w, const struct route *r, const struct subnet *from);
static void plain_into_vpc(struct plain *w, const char *vpc, const char *gateway);
static void plain_outside(struct plain *w, const char *id);
static int plain_dx_announces(const struct plain *w, const struct direct_connect_association *a, const struct ip *ip);

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

/* What the lab's user has failed: a zone, an instance, a NAT gateway. */
static bool
plain_failed(const struct plain *w, const char *what)
{
    EACH(failure, f, failure_kind)
    {
        if (strcmp(f->target, what) == 0) {
            return true;
        }
    }
    return false;
}

static bool
plain_is_dead(const struct plain *w, const struct eni *eni)
{
    bool dead = plain_failed(w, plain_subnet(w, eni->subnet_id)->zone);
    EACH(nat_gateway, nat, nat_gateway_kind)
    {
        dead = dead || (nat->addresses.n && strcmp(nat->addresses.items[0].eni_id, eni->obj.id) == 0 &&
                        plain_failed(w, nat->obj.id));
    }
    return dead || (*eni->attachment.instance_id && plain_failed(w, eni->attachment.instance_id));
}

#include "tests/spec/plain_rules.h"

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

static const char *
plain_igw_of(const struct plain *w, const char *vpc)
{
    EACH(internet_gateway, igw, internet_gateway_kind)
    {
        for (size_t i = 0; i < igw->attachments.n; i++) {
            if (strcmp(igw->attachments.items[i].vpc_id, vpc) == 0) {
                return igw->obj.id;
            }
        }
    }
    return NULL;
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
plain_igw_out(struct plain *w, const char *id, const char *vpc)
{
    if (!plain_attached(w, id, vpc)) {
        plain_drop(w, "no-igw");
        return;
    }
    const struct eni *sender = plain_holder(w, vpc, &w->p.src);
    if (plain_closed(w, vpc, sender, sender && plain_nat_of(w, sender) ? DOOR_OUT_ONLY : DOOR_OUT)) {
        plain_drop(w, "vpc-block-public-access");
        return;
    }
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
    w->lb = NULL;
    w->came = CAME_NOWHERE;
    plain_outside(w, id);
}

/* On the internet, to which the gateway 'id' led (NULL: an egress-only one). */
static void
plain_outside(struct plain *w, const char *id)
{
    struct ip inside;
    w->end_tgw = w->end_vpc = NULL; /* wherever it was before */
    w->end_dx = NULL;
    if (id && w->to_gateway && strcmp(w->to_gateway, id) == 0) {
        w->end_eni = NULL;
    } else if (w->to_internet) {
        w->end_eni = NULL;
    } else if (w->back && w->eigw && ip_equal(&w->eigw_source, &w->p.dst)) {
        plain_into_vpc(w, w->eigw_vpc, w->eigw);
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
    } else if (plain_closed(w, eni->vpc_id, eni, DOOR_IN)) {
        plain_drop(w, "vpc-block-public-access");
    } else {
        w->p.dst = inside;
        if (!plain_ingress(w, plain_igw_of(w, eni->vpc_id), eni->vpc_id)) {
            return;
        }
        if (!plain_acl(w, plain_subnet(w, eni->subnet_id), false)) {
            plain_drop(w, "nacl-ingress");
        } else {
            plain_enter(w, eni);
        }
    }
}

/* nat-gateway-basics: TCP, UDP and ICMP; nat-gateway-nat64-dns64: what is for 64:ff9b::/96 goes on in IPv4, of ICMPv6 an
 * echo and its answer (RFC 6146). */
static bool
plain_nat_takes(const struct plain_packet *p)
{
    if (p->protocol == 6 || p->protocol == 17) {
        return p->src.family == IP_V4 || (p->dst.hi == 0x0064ff9b00000000u && p->dst.lo >> 32 == 0);
    }
    return p->src.family == IP_V4 ? p->protocol == 1
                                  : p->dst.hi == 0x0064ff9b00000000u && p->dst.lo >> 32 == 0 && p->protocol == 58 &&
                                        (p->type == 128 || p->type == 129);
}

static void
plain_nat64_out(struct plain_packet *p)
{
    if (p->dst.family == IP_V6) {
        p->dst = (struct ip){ .family = IP_V4, .lo = p->dst.lo };
        p->type = p->protocol != 58 ? p->type : p->type == 128 ? 8 : 0;
        p->protocol = p->protocol == 58 ? 1 : p->protocol;
    }
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
        } else if (plain_failed(w, nat->obj.id) || plain_failed(w, subnet->zone)) {
            plain_drop(w, "failed");
        } else if (w->back) {
            plain_drop(w, "asymmetric-return");
        } else if (!plain_nat_takes(&w->p)) {
            plain_drop(w, "nat-protocol");
        } else if (!plain_vpc_has(w, nat->vpc_id, &w->p.src) && w->came != CAME_BY_TGW) {
            plain_drop(w, "nat-source"); /* central egress: other VPCs may use it by way of a transit gateway alone */
        } else {
            w->home = nat->vpc_id;
            w->lb = NULL;
            w->came = CAME_NOWHERE;
            w->nat_memory[w->n_nat_memory].nat = nat;
            w->nat_memory[w->n_nat_memory].inside = w->p;
            w->p.src = nat->addresses.items[0].private_ip;
            plain_nat64_out(&w->p);
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
            if (inside->src.family == IP_V6) { /* NAT64 turned round */
                w->p.src = inside->dst;
                w->p.protocol = inside->protocol;
                w->p.type = inside->protocol != 58 ? w->p.type : w->p.type == 0 ? 129 : 128;
            }
            w->p.dst = inside->src;
            w->p.dport = inside->sport;
            plain_leave(w, NULL, plain_subnet(w, nat->subnet_id));
            return;
        }
    }
    plain_drop(w, "nat-unsolicited");
}

/* ---- Interfaces ----------------------------------------------------------------------------------------------------
 */

/* The interface of the same instance that has the address: a machine takes what is for any of them. */
static const struct eni *
plain_machine_has(const struct plain *w, const struct eni *eni)
{
    EACH(eni, other, eni_kind)
    {
        if (*eni->attachment.instance_id && strcmp(other->attachment.instance_id, eni->attachment.instance_id) == 0 &&
            plain_holds(other, &w->p.dst)) {
            return other;
        }
    }
    return NULL;
}

static void
plain_deliver(struct plain *w, const struct eni *eni)
{
    w->end_eni = eni;
    if (w->to_eni ? w->to_eni != eni : !w->to_address) {
        plain_drop(w, w->to_eni ? "other-destination" : "no-internet-route");
    }
}

static void
plain_enter(struct plain *w, const struct eni *eni)
{
    const struct nat_gateway *nat = plain_nat_of(w, eni);
    if (plain_is_dead(w, eni)) {
        plain_drop(w, "failed");
    } else if (nat) {
        plain_nat_answer(w, nat);
    } else if (plain_is_service(w, eni)) {
        return;
    } else if (!plain_groups(w, eni, false)) {
        plain_drop(w, "sg-ingress");
    } else if (plain_is_off(w, eni)) {
        plain_drop(w, "instance-state");
    } else if (plain_at_endpoint(w, eni)) {
        return;
    } else if (plain_knows_answer(w, eni)) {
        plain_send_on(w, eni, true);
    } else if (plain_holds(eni, &w->p.dst)) {
        plain_deliver(w, eni);
    } else if (eni->source_dest_check) {
        plain_drop(w, "source-dest-check");
    } else if (!w->back && w->to_eni == eni) {
        w->end_eni = eni; /* asked about with a foreign address; an answer is for the one who asked */
    } else if (plain_machine_has(w, eni)) {
        plain_deliver(w, plain_machine_has(w, eni));
    } else {
        plain_send_on(w, eni, false);
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
    if (w->back && plain_balancer_takes(w, subnet)) {
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
    const struct route *r = plain_route(w, subnet);
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
    } else if (r->eni_id || r->instance_id) {
        plain_to_appliance(w, r, subnet, subnet->vpc_id);
    } else {
        plain_by_router(w, r, subnet);
    }
}

static void
plain_send(struct plain *w, const struct eni *eni)
{
    w->home = eni->vpc_id;
    w->came = CAME_NOWHERE;
    if (plain_is_dead(w, eni)) {
        plain_drop(w, "failed");
    } else if (plain_is_off(w, eni)) {
        plain_drop(w, "instance-state");
    } else if (eni->source_dest_check && !plain_holds(eni, &w->p.src)) {
        plain_drop(w, "source-dest-check");
    } else if (plain_cannot_open(w, eni)) {
        plain_drop(w, plain_cannot_open(w, eni));
    } else if (!plain_groups(w, eni, true)) {
        plain_drop(w, "sg-egress");
    } else {
        plain_leave(w, eni, plain_subnet(w, eni->subnet_id));
    }
}

#include "tests/spec/plain_routers.h"
#include "tests/spec/plain_balancers.h"

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
    w.end_vpc = w.end_gateway = w.end_tgw = w.zone = w.home = NULL;
    w.lb = w.handed = NULL;
    w.balancers = 0;
    w.came = CAME_NOWHERE;
    if (there->end_dx && !there->end_eni && plain_dx_announces(&w, there->end_dx, &w.p.dst) < 0) {
        plain_drop(&w, "dx-no-route");
    } else if (there->end_eni) {
        plain_send(&w, there->end_eni);
    } else if (there->end_vpc) {
        plain_into_vpc(&w, there->end_vpc, there->end_gateway);
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
