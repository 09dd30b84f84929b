/* Places at the edge to the internet: internet gateways with their ingress tables, the world behind them, NAT gateways.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html, .../vpc-nat-gateway.html */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/failure.h"
#include "netsim/model/network.h"

/* ---- Internet gateways ---------------------------------------------------------------------------------------------
 */

bool
igw_attached_to(const struct internet_gateway *igw, const char *vpc_id)
{
    for (size_t i = 0; i < igw->attachments.n; i++) {
        const struct igw_attachment *attachment = &igw->attachments.items[i];
        if (strcmp(attachment->vpc_id, vpc_id) == 0) {
            return !attachment->state || strcmp(attachment->state, "available") == 0 ||
                   strcmp(attachment->state, "attached") == 0;
        }
    }
    return false;
}

/* IPv4 leaves under the public address mapped to the private one; IPv6 as it is.  The gateway does not carry private
 * addresses. */
static enum stop
igw_translate_out(struct walk *w)
{
    const struct eni *sender = network_eni_by_address(w->net, w->vpc_id, &w->packet.src);
    if (w->packet.src.family == IP_V6) {
        if (!sender || ip_is_private(&w->packet.src)) {
            return STOP_IGW_NO_PUBLIC_IP; /* unique local addresses (fc00::/7) stay inside */
        }
        return ip_is_private(&w->packet.dst) ? STOP_IGW_PRIVATE_DESTINATION : STOP_NONE;
    }
    const struct ip *public_ip = sender ? eni_public_ip(sender, &w->packet.src) : NULL;
    if (!public_ip) {
        return STOP_IGW_NO_PUBLIC_IP;
    }
    if (ip_is_private(&w->packet.dst)) {
        return STOP_IGW_PRIVATE_DESTINATION;
    }
    if (ip_is_shared(&w->packet.dst)) {
        return STOP_IGW_SHARED_DESTINATION;
    }
    w->packet.src = *public_ip;
    return STOP_NONE;
}

/* Block Public Access stops connections where they begin; their answers go with them. */
bool
walk_public_access_stops(struct walk *w, const struct eni *eni, enum bpa_way way)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, w->vpc_id);
    if (w->is_reply || !vpc || !public_access_blocked(w->net, vpc, eni ? eni->subnet_id : NULL, way)) {
        return false;
    }
    w->eni = eni ? eni : w->eni;
    w->hops.items[w->hops.n - 1].subnet = eni ? walk_get(w, &subnet_kind, eni->subnet_id) : NULL;
    return walk_stops(w, STOP_PUBLIC_ACCESS);
}

void
place_igw_out(struct walk *w)
{
    const struct internet_gateway *igw = walk_get(w, &internet_gateway_kind, w->route->gateway_id);
    struct hop *hop = walk_cross(w, HOP_IGW, igw ? &igw->obj : NULL);
    hop->id = w->route->gateway_id;
    if ((!igw || !igw_attached_to(igw, w->vpc_id)) && (walk_stops(w, STOP_NO_IGW) || !igw)) {
        w->at = AT_END;
        return;
    }
    const struct eni *sender = network_eni_by_address(w->net, w->vpc_id, &w->packet.src);
    if (walk_public_access_stops(w, sender, sender && eni_nat_gateway(w->net, sender) ? BPA_OUT_ONLY : BPA_OUT)) {
        return;
    }
    enum stop stop = igw_translate_out(w);
    if (stop && walk_stops(w, stop)) {
        return;
    }
    hop->packet = w->packet;
    if (walk_is_target(w, igw->obj.id)) {
        walk_arrive(w);
        return;
    }
    w->at = AT_INTERNET;
    w->origin = (struct origin){ 0 };
}

/* Outside.  A public address of the lab turns the packet round into its gateway: AWS's analyzer calls that
 * IGW_NAT_REFLECTION and asks for two questions; real packets pass, so they are followed. */
void
place_internet(struct walk *w)
{
    struct ip private_ip;
    if (w->target.kind == TARGET_INTERNET) {
        walk_arrive(w);
    } else if (eigw_takes_answer(w)) {
        return;
    } else if (network_eni_by_public_ip(w->net, &w->packet.dst, &private_ip)) {
        w->at = AT_IGW_IN;
    } else if (w->target.kind == TARGET_ADDRESS) {
        walk_arrive(w);
    } else {
        walk_stop(w, w->target.kind == TARGET_GATEWAY ? STOP_NO_ROUTE : STOP_OTHER_DESTINATION);
    }
}

static enum stop
igw_refuses_source(const struct ip *src)
{
    return ip_is_private(src) ? STOP_IGW_PRIVATE_SOURCE : ip_is_shared(src) ? STOP_IGW_SHARED_SOURCE : STOP_NONE;
}

/* A table associated with the gateway itself (ingress routing) may lead a packet to an appliance first. */
static const struct route_table *
gateway_route_table(const struct walk *w, const char *gateway_id)
{
    const struct store *store = network_store(w->net);
    for (const struct route_table *table = store_first(store, &route_table_kind); table;
         table = store_next(store, table)) {
        for (size_t i = 0; i < table->associations.n; i++) {
            if (strcmp(table->associations.items[i].gateway_id, gateway_id) == 0) {
                return table;
            }
        }
    }
    return NULL;
}

static const struct eni *
ingress_interface(const struct walk *w, enum route_target target, const char *id)
{
    const struct instance *instance = target == ROUTE_INSTANCE ? walk_get(w, &instance_kind, id) : NULL;
    return instance ? instance_eni(w->net, instance, 0) : walk_get(w, &eni_kind, id);
}

static bool
has_public_ip(const struct eni *eni)
{
    for (size_t i = 0; i < eni->addresses.n; i++) {
        if (eni->addresses.items[i].association.public_ip.family) {
            return true;
        }
    }
    return false;
}

bool
walk_ingress_routed(struct walk *w, const char *gateway_id)
{
    const struct route_table *table = gateway_route_table(w, gateway_id);
    if (!table) {
        return true;
    }
    struct hop *hop = walk_cross(w, HOP_ROUTE_TABLE, &table->obj);
    hop->route = route_lookup(w->net, table, &w->packet.dst, NULL);
    const char *id;
    if (!hop->route) {
        walk_stop(w, STOP_NO_ROUTE);
    } else if (route_is_blackhole(hop->route)) {
        walk_stop(w, STOP_BLACKHOLE);
    } else {
        enum route_target target = route_target(hop->route, &id);
        if (target == ROUTE_ENI || target == ROUTE_INSTANCE) {
            const struct eni *middlebox = ingress_interface(w, target, id);
            if (middlebox && w->packet.dst.family == IP_V4 && strncmp(gateway_id, "igw-", 4) == 0 &&
                !has_public_ip(middlebox)) {
                w->eni = hop->eni = middlebox;
                walk_stop(w, STOP_INGRESS_NO_PUBLIC_IP);
                return false;
            }
            w->route = hop->route;
            w->subnet = NULL; /* it comes from no subnet, so it meets the ACL of the appliance's */
            w->at = AT_APPLIANCE;
            return false;
        }
        if (target == ROUTE_ENDPOINT) {
            w->route = hop->route;
            w->subnet = NULL;
            w->at = AT_VPCE;
            return false;
        }
        if (target == ROUTE_LOCAL) {
            return true;
        }
        walk_stop(w, STOP_GATEWAY_ROUTE_TABLE);
    }
    return false;
}

void
place_igw_in(struct walk *w)
{
    struct ip private_ip = w->packet.dst;
    const struct eni *eni = network_eni_by_public_ip(w->net, &w->packet.dst, &private_ip);
    bool thought_of = !eni && w->mended && w->target.kind == TARGET_ENI; /* as if it had a public address */
    eni = thought_of ? w->target.eni : eni;
    w->eni = eni;
    w->subnet = eni ? walk_get(w, &subnet_kind, eni->subnet_id) : NULL;
    w->vpc_id = eni ? eni->vpc_id : w->vpc_id;
    const struct internet_gateway *igw = w->vpc_id ? network_vpc_igw(w->net, w->vpc_id) : NULL;
    struct hop *hop = igw ? walk_cross(w, HOP_IGW, &igw->obj) : NULL;
    enum stop refused = igw_refuses_source(&w->packet.src);
    bool entered_elsewhere = igw && w->entry_id && strcmp(w->entry_id, igw->obj.id) != 0;
    /* AWS: the address must be one of an interface in use. */
    bool unused = eni && (thought_of || (eni->status && strcmp(eni->status, "available") == 0));
    w->at = AT_END;
    if (!eni || entered_elsewhere) {
        walk_stop(w, STOP_IGW_NO_SUCH_PUBLIC_IP);
    } else if ((!igw || !igw_attached_to(igw, w->vpc_id)) && (walk_stops(w, STOP_NO_IGW) || !igw)) {
        return;
    } else if (unused && walk_stops(w, STOP_NO_PUBLIC_IP)) {
        return;
    } else if (refused && walk_stops(w, refused)) {
        return;
    } else if (walk_public_access_stops(w, eni, BPA_IN)) {
        return;
    } else {
        w->packet.dst = private_ip;
        hop->packet = w->packet;
        if (walk_ingress_routed(w, igw->obj.id)) {
            w->at = AT_EDGE_IN;
        }
    }
}

/* ---- NAT gateways --------------------------------------------------------------------------------------------------
 */

static bool
same_address(const struct packet *a, const struct packet *b)
{
    return ip_equal(&a->src, &b->src) && ip_equal(&a->dst, &b->dst) && a->src_port == b->src_port &&
           a->dst_port == b->dst_port;
}

/* NAT64: an IPv4 address in the last 32 bits of 64:ff9b::/96, which a NAT gateway sends to as IPv4.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-nat64-dns64.html */
static const struct {
    int protocol, type;
} echo64[][2] = {
    { { PROTOCOL_ICMPV6, 128 }, { PROTOCOL_ICMP, 8 } },
    { { PROTOCOL_ICMPV6, 129 }, { PROTOCOL_ICMP, 0 } },
};

static bool
is_nat64(const struct ip *ip)
{
    struct cidr known = cidr_lit("64:ff9b::/96");
    return cidr_contains_ip(&known, ip);
}

/* Between the families an echo has another protocol and type; 'to' is 1 for IPv4. */
static void
translate_echo(struct packet *packet, int to)
{
    for (size_t i = 0; i < ARRAY_SIZE(echo64); i++) {
        if (packet->protocol == echo64[i][!to].protocol && packet->icmp_type == echo64[i][!to].type) {
            packet->protocol = echo64[i][to].protocol;
            packet->icmp_type = echo64[i][to].type;
            return;
        }
    }
}

/* What the NAT gateway remembers: the reply of a packet it sent out gets its first sender's address back. */
static bool
nat_turn_back(struct walk *w, const struct nat_gateway *nat)
{
    for (size_t i = 0; w->is_reply && i < w->session->translations.n; i++) {
        const struct translation *t = &w->session->translations.items[i];
        const struct packet *after = &t->after;
        const struct packet answer = {
            after->dst, after->src, after->protocol, after->dst_port, after->src_port, 0, 0
        };
        if (t->nat == nat && same_address(&answer, &w->packet)) {
            if (t->before.src.family != after->src.family) {
                w->packet.src = t->before.dst;
                translate_echo(&w->packet, 0);
            }
            w->packet.dst = t->before.src;
            w->packet.dst_port = t->before.src_port;
            return true;
        }
    }
    return false;
}

void
nat_receives(struct walk *w, const struct nat_gateway *nat)
{
    struct hop *hop = walk_cross(w, HOP_NAT, &nat->obj);
    if (!nat_turn_back(w, nat)) {
        walk_stop(w, STOP_NAT_UNSOLICITED);
        return;
    }
    hop->packet = w->packet;
    w->at = AT_EDGE_OUT; /* its interface has no groups */
}
static bool
nat_carries(const struct packet *packet)
{
    bool echo = packet->protocol == PROTOCOL_ICMPV6 && (packet->icmp_type == 128 || packet->icmp_type == 129);
    return (packet->src.family == IP_V4 || is_nat64(&packet->dst)) &&
           (packet->protocol == PROTOCOL_TCP || packet->protocol == PROTOCOL_UDP || packet->protocol == PROTOCOL_ICMP ||
            echo);
}

/* Loops show as a NAT gateway crossed twice: its own subnet's route leads back to it. */
static bool
crossed(const struct walk *w, const struct object *component)
{
    for (size_t i = 0; i < w->hops.n; i++) {
        if (w->hops.items[i].component == component) {
            return true;
        }
    }
    return false;
}

static enum stop
nat_refuses(struct walk *w, const struct nat_gateway *nat)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, nat->vpc_id);
    if (nat->state && strcmp(nat->state, "available") != 0) {
        return STOP_NAT_STATE;
    }
    if (nat_failure(w->net, nat)) {
        return STOP_FAILED;
    }
    if (w->is_reply) {
        return STOP_NAT_REPLY; /* nothing in its memory: it would leave under another address */
    }
    if (!nat_carries(&w->packet)) {
        return STOP_NAT_PROTOCOL;
    }
    /* AWS serves other VPCs behind a transit gateway (central egress), not those behind a peering or a VPN. */
    return vpc && !vpc_contains_ip(vpc, &w->packet.src) && w->origin.by != ORIGIN_TGW ? STOP_NAT_SOURCE : STOP_NONE;
}

static void
nat_sends(struct walk *w, const struct nat_gateway *nat, const struct nat_address *address)
{
    struct translation *t = VEC_ADD(&w->session->translations);
    t->nat = nat;
    t->before = w->packet;
    w->packet.src = address->private_ip;
    if (w->packet.dst.family == IP_V6) {
        w->packet.dst = (struct ip){ 0, w->packet.dst.lo & 0xffffffff, IP_V4 };
        translate_echo(&w->packet, 1);
    }
    if (protocol_has_ports(w->packet.protocol) && w->packet.src_port >= 0 && w->packet.src_port < 1024) {
        w->packet.src_port += 1024; /* source ports become 1024-65535; which one, AWS does not say */
    }
    t->after = w->packet;
    w->origin = (struct origin){ .vpc_id = nat->vpc_id, .translated = true };
}

void
place_nat(struct walk *w)
{
    const struct nat_gateway *nat = walk_get(w, &nat_gateway_kind, w->route->nat_gateway_id);
    const struct subnet *subnet = nat ? walk_get(w, &subnet_kind, nat->subnet_id) : NULL;
    bool again = nat && crossed(w, &nat->obj);
    if (nat && strcmp(nat->vpc_id, w->vpc_id) != 0) {
        walk_stop(w, STOP_BLACKHOLE);
        return;
    }
    if (!nat || !subnet || nat->addresses.n == 0 || again) {
        walk_cross(w, HOP_NAT, nat ? &nat->obj : NULL)->id = w->route->nat_gateway_id;
        walk_stop(w, again ? STOP_NAT_LOOP : STOP_NAT_STATE);
        return;
    }
    const struct nat_address *address = &nat->addresses.items[0];
    bool enters = subnet != w->subnet; /* in one subnet the ACL is not met */
    w->subnet = subnet;
    w->vpc_id = nat->vpc_id;
    w->eni = walk_get(w, &eni_kind, address->eni_id);
    if (enters && !walk_pass_acl(w, false)) {
        return;
    }
    struct hop *hop = walk_cross(w, HOP_NAT, &nat->obj);
    enum stop refused = nat_refuses(w, nat);
    if (refused == STOP_NAT_REPLY || (refused && walk_stops(w, refused))) {
        walk_stop(w, refused);
        return;
    }
    nat_sends(w, nat, address);
    hop->packet = w->packet;
    w->at = AT_EDGE_OUT;
}
