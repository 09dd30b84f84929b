/* Places that join VPCs (peering connections, transit gateways), egress-only internet gateways, and gateways as the
 * source of a packet. */
#include <string.h>

#include "netsim/analysis/mended.h"
#include "netsim/analysis/tgw_table.h"
#include "netsim/analysis/walk_places.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/failure.h"
#include "netsim/model/network.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

static bool
same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

bool
walk_is_target(const struct walk *w, const char *gateway_id)
{
    return w->target.kind == TARGET_GATEWAY && same(w->target.gateway_id, gateway_id);
}

/* ---- Into a VPC by one of its gateways -----------------------------------------------------------------------------
 */

static const struct {
    const char *prefix;
    enum hop_kind hop;
    const struct kind *kind;
} entrances[] = {
    { "vgw-", HOP_VGW, &vpn_gateway_kind },
    { "pcx-", HOP_PEERING, &peering_kind },
    { "eigw-", HOP_EIGW, &egress_only_gateway_kind },
    { "vpce-", HOP_VPCE, &endpoint_kind },
};

void
walk_enter_vpc(struct walk *w, const char *gateway_id)
{
    w->subnet = NULL;
    w->eni = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(entrances); i++) {
        if (strncmp(gateway_id, entrances[i].prefix, strlen(entrances[i].prefix)) == 0) {
            walk_cross(w, entrances[i].hop, walk_get(w, entrances[i].kind, gateway_id))->id = gateway_id;
        }
    }
    const struct vpc *vpc = walk_get(w, &vpc_kind, w->vpc_id);
    w->origin = (struct origin){ .by = ORIGIN_OUTSIDE };
    w->at = AT_LOCAL;
    if (vpc && !vpc_contains_ip(vpc, &w->packet.dst)) {
        walk_stop(w, STOP_VGW_NO_ROUTE); /* from there only the VPC's own addresses exist, public ones do not */
    } else {
        walk_ingress_routed(w, gateway_id);
    }
}

/* ---- Peering connections -------------------------------------------------------------------------------------------
 */

static bool
side_contains(const struct walk *w, const struct peering_side *side, const struct ip *ip)
{
    const struct vpc *vpc = walk_get(w, &vpc_kind, side->vpc_id);
    bool found = (vpc && vpc_contains_ip(vpc, ip)) || cidr_contains_ip(&side->cidr, ip);
    for (size_t i = 0; !found && i < side->cidrs.n; i++) {
        found = cidr_contains_ip(&side->cidrs.items[i].cidr, ip);
    }
    for (size_t i = 0; !found && i < side->cidrs6.n; i++) {
        found = cidr_contains_ip(&side->cidrs6.items[i].cidr, ip);
    }
    return found;
}

/* Across to the VPC of 'to'.  Not transitive: both addresses must belong to the two VPCs. */
static void
through_peering(struct walk *w, const struct peering_side *from, const struct peering_side *to)
{
    if (!side_contains(w, from, &w->packet.src) || !side_contains(w, to, &w->packet.dst)) {
        walk_stop(w, STOP_PCX_ADDRESS);
        return;
    }
    w->origin.by = ORIGIN_PEERING;
    w->vpc_id = to->vpc_id;
    w->subnet = NULL;
    w->eni = NULL;
    w->at = AT_LOCAL;
    if (!walk_get(w, &vpc_kind, to->vpc_id)) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
    }
}

void
place_peering(struct walk *w)
{
    const char *id = w->gateway_id = w->route->peering_id;
    const struct peering *peering = walk_get(w, &peering_kind, id);
    const struct peering_side *other = peering ? peering_other(peering, w->vpc_id) : NULL;
    walk_cross(w, HOP_PEERING, peering ? &peering->obj : NULL)->id = id;
    if (!peering) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
    } else if (!other) {
        walk_stop(w, STOP_BLACKHOLE);
    } else if (!peering_is_active(peering) && walk_stops(w, STOP_PCX_INACTIVE)) {
        return;
    } else if (walk_is_target(w, id)) {
        walk_arrive(w);
    } else {
        through_peering(w, peering_other(peering, other->vpc_id), other);
    }
}

/* ---- Transit gateways ----------------------------------------------------------------------------------------------
 */

static bool
tgw_carries_references(const struct walk *w, const struct tgw_attachment *attachment)
{
    const struct transit_gateway *tgw = walk_get(w, &transit_gateway_kind, w->tgw_id);
    return tgw && tgw_references_groups(tgw) && tgw_attachment_references_groups(attachment);
}

void
walk_enter_tgw(struct walk *w, const char *tgw_id, const struct tgw_attachment *attachment)
{
    w->tgw_id = tgw_id;
    w->attachment = attachment;
    w->subnet = NULL;
    w->eni = NULL;
    w->at = AT_TGW_TABLE;
    bool crossed = w->hops.n > 0 && w->hops.items[w->hops.n - 1].component == &attachment->obj;
    if (!crossed) { /* a peering attachment was, on the other side */
        walk_cross(w, HOP_ATTACHMENT, &attachment->obj);
    }
    walk_cross(w, HOP_TGW, walk_get(w, &transit_gateway_kind, tgw_id))->id = tgw_id;
    if (w->origin.by != ORIGIN_TGW) {
        w->origin.by = ORIGIN_TGW;
        w->origin.references = true; /* until something on the way does not carry them */
    }
    w->origin.references = w->origin.references && tgw_carries_references(w, attachment);
}

/* A VPC reaches it from zones only in which its attachment has a subnet.  The packet meets the ACL of that subnet
 * inwards, also when it is the sender's own.  Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-nacls.html */
void
place_tgw(struct walk *w)
{
    const char *id = w->route->transit_gateway_id;
    const struct transit_gateway *tgw = walk_get(w, &transit_gateway_kind, id);
    const struct tgw_attachment *attachment = tgw_vpc_attachment(w->net, id, w->vpc_id);
    if (!attachment) {
        walk_cross(w, HOP_TGW, tgw ? &tgw->obj : NULL)->id = id;
        walk_stop(w, tgw ? STOP_GATEWAY_ATTACHMENT : STOP_UNKNOWN_RESOURCE);
        return;
    }
    w->attachment = attachment;
    w->zone = w->subnet ? w->subnet->zone : NULL;
    if (attachment->subnet_ids.n > 0 && w->zone) {
        const struct subnet *entrance = tgw_attachment_subnet(w->net, attachment, w->zone);
        if (!entrance && walk_stops(w, STOP_TGW_ZONE)) {
            return;
        }
        w->subnet = entrance;
        w->eni = NULL;
        if (entrance && !walk_pass_acl(w, false)) {
            return;
        }
    }
    walk_enter_tgw(w, id, attachment);
    if (walk_is_target(w, id) || walk_is_target(w, attachment->obj.id)) {
        walk_arrive(w);
    }
}

/* Into a VPC: the sender's zone is kept where the attachment has a subnet in it.  From that subnet on the packet goes
 * its way like any other, by the subnet's ACL and route table.  In appliance mode AWS picks a zone by the flow, the
 * same for both directions; we take the first, for every flow. Source:
 * https://docs.aws.amazon.com/vpc/latest/tgw/how-transit-gateways-work.html, "Availability Zones" */
static void
tgw_to_vpc(struct walk *w, const struct tgw_attachment *to)
{
    const struct eni *receiver = network_eni_by_address(w->net, to->vpc_id, &w->packet.dst);
    const struct subnet *home = receiver ? walk_get(w, &subnet_kind, receiver->subnet_id) : NULL;
    bool appliance = tgw_attachment_is_appliance(to);
    const struct subnet *exit = w->zone && !appliance ? tgw_attachment_subnet(w->net, to, w->zone) : NULL;
    exit = exit ? exit : home && home->zone && !appliance ? tgw_attachment_subnet(w->net, to, home->zone) : NULL;
    bool failed = false;
    for (size_t i = 0; !exit && i < to->subnet_ids.n; i++) {
        exit = walk_get(w, &subnet_kind, to->subnet_ids.items[i]);
        failed |= exit && subnet_failure(w->net, exit);
        exit = exit && subnet_failure(w->net, exit) ? NULL : exit;
    }
    if (!exit && failed) {
        walk_stop(w, STOP_FAILED);
        return;
    }
    w->vpc_id = to->vpc_id;
    w->subnet = exit;
    w->at = AT_LOCAL; /* where the attachment's subnets are not known */
    const struct vpc *vpc = walk_get(w, &vpc_kind, to->vpc_id);
    walk_cross(w, HOP_VPC, vpc ? &vpc->obj : NULL)->id = to->vpc_id;
    if (!vpc) {
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
    } else if (exit) {
        walk_cross(w, HOP_SUBNET, &exit->obj);
        w->at = AT_EDGE_OUT;
    }
}

static void
tgw_to_vpn(struct walk *w, const struct tgw_attachment *to)
{
    const struct vpn_connection *vpn = walk_get(w, &vpn_connection_kind, to->resource_id);
    if (vpn) {
        walk_through_vpn(w, vpn, STOP_TGW_VPN);
        return;
    }
    walk_cross(w, HOP_VPN, NULL)->id = to->resource_id;
    if (walk_is_target(w, to->resource_id)) {
        walk_arrive(w);
    } else {
        walk_outside(w);
    }
}

static void
tgw_to_direct_connect(struct walk *w, const struct tgw_attachment *to)
{
    walk_through_direct_connect(w, to->resource_id, direct_connect_association_of(w->net, to->resource_id, to->tgw_id));
}

static void
tgw_to_peer(struct walk *w, const struct tgw_attachment *to)
{
    const char *other = strcmp(to->tgw_id, w->tgw_id) == 0 ? to->peer_tgw_id : to->tgw_id;
    if (!walk_get(w, &transit_gateway_kind, other)) {
        walk_cross(w, HOP_TGW, NULL)->id = other;
        walk_stop(w, STOP_UNKNOWN_RESOURCE);
        return;
    }
    walk_enter_tgw(w, other, to);
    w->origin.references = false; /* groups are not known in another transit gateway */
    w->zone = NULL;               /* nor are zones */
    if (walk_is_target(w, other)) {
        walk_arrive(w);
    }
}

static const struct {
    const char *type;
    void (*go)(struct walk *w, const struct tgw_attachment *to);
} attachment_ways[] = {
    { "vpc", tgw_to_vpc },
    { "vpn", tgw_to_vpn },
    { "direct-connect-gateway", tgw_to_direct_connect },
    { "peering", tgw_to_peer },
};

static void
tgw_leave(struct walk *w, const struct tgw_attachment *to)
{
    walk_cross(w, HOP_ATTACHMENT, &to->obj);
    if (!tgw_attachment_is_available(to) && walk_stops(w, STOP_GATEWAY_ATTACHMENT)) {
        return;
    }
    w->origin.references = w->origin.references && tgw_carries_references(w, to);
    w->attachment = to; /* an answer comes back in by it */
    if (walk_is_target(w, to->obj.id)) {
        walk_arrive(w);
        return;
    }
    for (size_t i = 0; to->resource_type && i < ARRAY_SIZE(attachment_ways); i++) {
        if (strcmp(to->resource_type, attachment_ways[i].type) == 0) {
            attachment_ways[i].go(w, to);
            return;
        }
    }
    w->stop_what = "transit gateway attachment of this type";
    walk_stop(w, STOP_UNMODELLED);
}

/* Asked about a gateway outside whose attachment propagates: what its router announces by BGP is in no describe call,
 * so the address is taken to be announced. */
static const struct tgw_attachment *
announced_by_target(const struct walk *w, const struct tgw_route_table *table)
{
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *to = walk_get(w, &tgw_attachment_kind, table->propagations.items[i].attachment_id);
        const struct vpn_connection *vpn = to ? walk_get(w, &vpn_connection_kind, to->resource_id) : NULL;
        bool dynamic = to && ((vpn && !vpn->static_routes_only) || same(to->resource_type, "direct-connect-gateway"));
        if (dynamic && (walk_is_target(w, to->obj.id) || walk_is_target(w, to->resource_id) ||
                        (vpn && walk_vpn_is_target(w, vpn)))) {
            return to;
        }
    }
    return NULL;
}

/* As if it had one, it leads to the VPC that has the address. */
static void
tgw_no_way(struct walk *w, enum stop stop)
{
    if (walk_stops(w, stop)) {
        return;
    }
    const struct tgw_attachment *to = walk_tgw_detour(w);
    w->at = AT_END;
    if (to) {
        tgw_leave(w, to);
    }
}

void
place_tgw_table(struct walk *w)
{
    const struct tgw_attachment *in = w->attachment;
    const struct tgw_route_table *table = tgw_attachment_table(w->net, in, w->tgw_id);
    if (!table) {
        const char *named = strcmp(in->tgw_id, w->tgw_id) == 0 ? in->table_id : in->peer_table_id;
        tgw_no_way(w, *named ? STOP_TGW_UNKNOWN_ROUTES : STOP_TGW_NO_ASSOCIATION);
        return;
    }
    walk_cross(w, HOP_TGW_TABLE, &table->obj);
    w->crossed_tgw_table = true;
    struct cidr host = cidr_host(&w->packet.dst);
    struct tgw_way way = tgw_table_lookup(w->net, table, &host);
    const struct tgw_attachment *to = way.attachment_id ? walk_get(w, &tgw_attachment_kind, way.attachment_id) : NULL;
    if (!way.found) {
        to = announced_by_target(w, table);
    }
    if (to && !way.blackhole) {
        tgw_leave(w, to);
    } else {
        tgw_no_way(w, way.blackhole ? STOP_TGW_BLACKHOLE : way.found ? STOP_UNKNOWN_RESOURCE : STOP_TGW_NO_ROUTE);
    }
}

/* ---- Egress-only internet gateways, gateway endpoints --------------------------------------------------------------
 */

void
place_eigw_out(struct walk *w)
{
    const char *id;
    route_target(w->route, &id);
    w->gateway_id = id;
    const struct egress_only_gateway *gateway = walk_get(w, &egress_only_gateway_kind, id);
    walk_cross(w, HOP_EIGW, gateway ? &gateway->obj : NULL)->id = id;
    if (!gateway || !same(egress_only_gateway_vpc(gateway), w->vpc_id)) {
        walk_stop(w, gateway ? STOP_GATEWAY_ATTACHMENT : STOP_UNKNOWN_RESOURCE);
    } else if (w->packet.src.family != IP_V6) {
        walk_stop(w, STOP_EIGW_PROTOCOL);
    } else if (w->is_reply) {
        walk_stop(w, STOP_ASYMMETRIC); /* it passes connections that were opened through it */
    } else if (ip_is_private(&w->packet.dst)) {
        walk_stop(w, STOP_IGW_PRIVATE_DESTINATION);
    } else if (!network_eni_by_address(w->net, w->vpc_id, &w->packet.src)) {
        walk_stop(w, STOP_IGW_NO_PUBLIC_IP);
    } else if (walk_public_access_stops(w, network_eni_by_address(w->net, w->vpc_id, &w->packet.src), BPA_OUT_ONLY)) {
        return;
    } else if (walk_is_target(w, id) || w->target.kind == TARGET_INTERNET ||
               (w->target.kind == TARGET_ADDRESS && !network_eni_by_public_ip(w->net, &w->packet.dst, NULL))) {
        walk_arrive(w);
    } else {
        w->session->egress_only_id = id;
        w->session->egress_only_vpc = w->vpc_id;
        w->session->egress_only_source = w->packet.src;
        w->at = AT_INTERNET;
        w->origin = (struct origin){ 0 };
    }
}

bool
eigw_takes_answer(struct walk *w)
{
    const struct session *session = w->session;
    if (!w->is_reply || !session->egress_only_id || !ip_equal(&session->egress_only_source, &w->packet.dst)) {
        return false;
    }
    w->vpc_id = session->egress_only_vpc;
    walk_enter_vpc(w, session->egress_only_id);
    return true;
}

/* ---- A gateway as the source ---------------------------------------------------------------------------------------
 */

const struct tgw_attachment *
walk_attachment_of(const struct walk *w, const char *resource_id, const char *tgw_id)
{
    const struct store *store = network_store(w->net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (same(a->resource_id, resource_id) && (!tgw_id || same(a->tgw_id, tgw_id)) &&
            tgw_attachment_is_available(a)) {
            return a;
        }
    }
    return NULL;
}

/* The attachment of the transit gateway by which a packet of that sender comes in: its VPC's, else any that leads in
 * from outside. */
static const struct tgw_attachment *
attachment_for_sender(const struct walk *w, const char *tgw_id, const struct ip *src)
{
    const struct store *store = network_store(w->net);
    const struct tgw_attachment *best = NULL;
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (!(same(a->tgw_id, tgw_id) || same(a->peer_tgw_id, tgw_id)) || !tgw_attachment_is_available(a)) {
            continue;
        }
        const struct vpc *vpc = walk_get(w, &vpc_kind, a->vpc_id);
        if (vpc && vpc_contains_ip(vpc, src)) {
            return a;
        }
        bool outer = !same(a->resource_type, "vpc");
        best = !best || (outer && same(best->resource_type, "vpc")) ? a : best;
    }
    return best;
}

void
walk_enter_by_vgw(struct walk *w, const char *vgw_id)
{
    const struct vpn_gateway *vgw = walk_get(w, &vpn_gateway_kind, vgw_id);
    w->vpc_id = vgw ? vpn_gateway_vpc(vgw) : NULL;
    if (w->vpc_id) {
        walk_enter_vpc(w, vgw_id);
    } else {
        walk_cross(w, HOP_VGW, vgw ? &vgw->obj : NULL)->id = vgw_id;
        walk_stop(w, vgw ? STOP_GATEWAY_ATTACHMENT : STOP_UNKNOWN_RESOURCE);
    }
}

void
walk_enter_by_attachment(struct walk *w, const struct tgw_attachment *attachment, const char *tgw_id)
{
    if (attachment && same(attachment->resource_type, "vpc")) {
        w->origin.vpc_id = attachment->vpc_id;
    }
    if (attachment) {
        walk_enter_tgw(w, tgw_id ? tgw_id : attachment->tgw_id, attachment);
    } else {
        walk_stop(w, STOP_GATEWAY_ATTACHMENT);
    }
}

static void
from_tgw(struct walk *w, const char *id)
{
    walk_enter_by_attachment(w, attachment_for_sender(w, id, &w->packet.src), id);
}

static void
from_attachment(struct walk *w, const char *id)
{
    walk_enter_by_attachment(w, walk_get(w, &tgw_attachment_kind, id), NULL);
}

static void
from_vpn(struct walk *w, const char *id)
{
    const struct vpn_connection *vpn = walk_get(w, &vpn_connection_kind, id);
    walk_cross(w, HOP_VPN, vpn ? &vpn->obj : NULL)->id = id;
    if (vpn && !vpn_connection_is_available(vpn) && walk_stops(w, *vpn->tgw_id ? STOP_TGW_VPN : STOP_VPN)) {
        return;
    }
    if (vpn && *vpn->vpn_gateway_id) {
        walk_enter_by_vgw(w, vpn->vpn_gateway_id);
    } else {
        walk_enter_by_attachment(w, walk_attachment_of(w, id, NULL), NULL);
    }
}

static void
from_customer_gateway(struct walk *w, const char *id)
{
    const struct store *store = network_store(w->net);
    const struct vpn_connection *found = NULL;
    walk_cross(w, HOP_CUSTOMER, walk_get(w, &customer_gateway_kind, id))->id = id;
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        bool serves = same(vpn->customer_gateway_id, id);
        found = serves && (!found || !vpn_connection_is_available(found)) ? vpn : found;
    }
    if (found) {
        from_vpn(w, found->obj.id);
    } else {
        walk_stop(w, STOP_GATEWAY_ATTACHMENT);
    }
}

static void
from_peering(struct walk *w, const char *id)
{
    const struct peering *peering = walk_get(w, &peering_kind, id);
    walk_cross(w, HOP_PEERING, peering ? &peering->obj : NULL)->id = id;
    if (!peering || !peering_is_active(peering)) {
        walk_stop(w, STOP_PCX_INACTIVE);
        return;
    }
    bool to_accepter = side_contains(w, &peering->accepter, &w->packet.dst);
    w->origin.vpc_id = to_accepter ? peering->requester.vpc_id : peering->accepter.vpc_id;
    through_peering(w, to_accepter ? &peering->requester : &peering->accepter,
                    to_accepter ? &peering->accepter : &peering->requester);
}

/* Only answers come out of it. */
static void
from_egress_only_gateway(struct walk *w, const char *id)
{
    walk_cross(w, HOP_EIGW, walk_get(w, &egress_only_gateway_kind, id))->id = id;
    walk_stop(w, STOP_EIGW_UNSOLICITED);
}

static const struct {
    const char *prefix;
    void (*enter)(struct walk *w, const char *id);
} sources[] = {
    { "vgw-", walk_enter_by_vgw },
    { "tgw-attach-", from_attachment },
    { "tgw-", from_tgw },
    { "vpn-", from_vpn },
    { "cgw-", from_customer_gateway },
    { "pcx-", from_peering },
    { "vpce-", walk_from_endpoint },
    { "eigw-", from_egress_only_gateway },
};

void
walk_from_gateway(struct walk *walk, const char *gateway_id, const struct packet *packet)
{
    void (*enter)(struct walk *, const char *) = walk_from_direct_connect; /* ids of any form */
    for (size_t i = ARRAY_SIZE(sources); i-- > 0;) {
        if (strncmp(gateway_id, sources[i].prefix, strlen(sources[i].prefix)) == 0) {
            enter = sources[i].enter;
        }
    }
    walk->start = walk->packet = *packet;
    walk->origin = (struct origin){ .by = ORIGIN_OUTSIDE };
    enter(walk, gateway_id);
    walk_go_on(walk);
}
