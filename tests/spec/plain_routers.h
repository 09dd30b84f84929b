/* tests/spec/plain_routers.h - the second half of plain_net.h: peering connections, transit gateways, virtual private
 * gateways with VPN and Direct Connect, egress-only internet gateways and gateway endpoints.
 *
 * Read from AWS's pages: vpc-peering-basics, tgw how-transit-gateways-work and tgw-nacls, VPNRoutingTypes,
 * egress-only-internet-gateway, gateway-endpoints.  What a router outside announces by BGP is in no describe call: such
 * a connection takes any address, and a transit gateway is taken to know what was asked of the gateway itself. */
#pragma once
#include "netsim/model/endpoint.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/vpn.h"

static void plain_into_tgw(struct plain *w, const char *tgw_id, const struct tgw_attachment *by);
static bool plain_is_gwlb_endpoint(const struct plain *w, const char *id);
static void plain_through_gwlb_endpoint(struct plain *w, const char *id, const struct subnet *from);
static void plain_from_gwlb_endpoint(struct plain *w, const char *id);

static bool
plain_same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

static bool
plain_meant(const struct plain *w, const char *id)
{
    return plain_same(w->to_gateway, id);
}

/* Beyond AWS: good for a question about an address, not about the internet or somebody else. */
static void
plain_left(struct plain *w)
{
    w->end_eni = NULL;
    if (!w->to_address) {
        plain_drop(w, w->to_internet ? "no-internet-route" : "other-destination");
    }
}

/* ---- Into a VPC from a gateway of it -------------------------------------------------------------------------------
 */

static void
plain_into_vpc(struct plain *w, const char *vpc, const char *gateway)
{
    w->came = CAME_FROM_OUTSIDE;
    w->home = NULL;
    w->lb = NULL;
    if (gateway && plain_is_gwlb_endpoint(w, gateway)) {
        plain_from_gwlb_endpoint(w, gateway);
    } else if (!plain_vpc_has(w, vpc, &w->p.dst)) {
        plain_drop(w, "vgw-no-route");
    } else if (!gateway || plain_ingress(w, gateway, vpc)) {
        plain_local(w, vpc);
    }
}

/* ---- Peering: both addresses must belong to the two VPCs.
 * --------------------------------------------------------------
 */

static void
plain_through_peering(struct plain *w, const char *from, const char *to)
{
    if (!plain_vpc_has(w, from, &w->p.src) || !plain_vpc_has(w, to, &w->p.dst)) {
        plain_drop(w, "pcx-address");
    } else {
        w->came = CAME_BY_PEERING;
        plain_local(w, to);
    }
}

static void
plain_peering(struct plain *w, const char *id, const char *vpc)
{
    EACH(peering, p, peering_kind)
    {
        if (strcmp(p->obj.id, id) != 0) {
            continue;
        }
        bool requester = strcmp(p->requester.vpc_id, vpc) == 0, accepter = strcmp(p->accepter.vpc_id, vpc) == 0;
        if (!requester && !accepter) {
            plain_drop(w, "blackhole-route");
        } else if (strcmp(p->status, "active") != 0) {
            plain_drop(w, "pcx-inactive");
        } else if (plain_meant(w, id)) {
            w->end_vpc = vpc;
            w->end_gateway = id;
        } else {
            plain_through_peering(w, vpc, requester ? p->accepter.vpc_id : p->requester.vpc_id);
        }
        return;
    }
    plain_drop(w, "unknown-resource");
}

/* ---- VPN connections, Direct Connect
 * -----------------------------------------------------------------------------------
 */

static bool
plain_vpn_knows(const struct vpn_connection *vpn, const struct ip *ip)
{
    bool knows = !vpn->static_routes_only;
    for (size_t i = 0; i < vpn->routes.n; i++) {
        knows = knows || plain_in(&vpn->routes.items[i].cidr, ip);
    }
    return knows;
}

static bool
plain_is_up(const struct vpn_connection *vpn)
{
    return strcmp(vpn->state, "available") == 0;
}

static void
plain_by_vpn(struct plain *w, const struct vpn_connection *vpn)
{
    if (!plain_is_up(vpn)) {
        plain_drop(w, "vpn-state");
    } else if (!plain_vpn_knows(vpn, &w->p.dst)) {
        plain_drop(w, "vpn-no-route");
    } else if (!plain_meant(w, vpn->obj.id) && !plain_meant(w, vpn->customer_gateway_id)) {
        plain_left(w);
    }
}

/* Of several connections one that is meant, else one that is up and has a route, else the first. */
static const struct vpn_connection *
plain_vpn_of(const struct plain *w, const char *vgw)
{
    const struct vpn_connection *first = NULL, *good = NULL, *meant = NULL;
    EACH(vpn_connection, vpn, vpn_connection_kind)
    {
        if (plain_same(vpn->vpn_gateway_id, vgw)) {
            first = first ? first : vpn;
            good = plain_is_up(vpn) && plain_vpn_knows(vpn, &w->p.dst) ? vpn : good;
            bool this_one = plain_meant(w, vpn->obj.id) || plain_meant(w, vpn->customer_gateway_id);
            meant = this_one && !meant ? vpn : meant;
        }
    }
    return meant ? meant : good ? good : first;
}

static const char *
plain_vgw_vpc(const struct plain *w, const char *id)
{
    EACH(vpn_gateway, vgw, vpn_gateway_kind)
    {
        for (size_t i = 0; strcmp(vgw->obj.id, id) == 0 && i < vgw->attachments.n; i++) {
            if (strcmp(vgw->attachments.items[i].state, "attached") == 0) {
                return vgw->attachments.items[i].vpc_id;
            }
        }
    }
    return NULL;
}

#include "tests/spec/plain_direct_connect.h"

static void
plain_vgw(struct plain *w, const char *id, const char *vpc)
{
    bool known = false;
    const struct direct_connect_association *dx = NULL;
    EACH(vpn_gateway, vgw, vpn_gateway_kind)
    {
        known = known || strcmp(vgw->obj.id, id) == 0;
    }
    EACH(direct_connect_association, a, direct_connect_association_kind)
    {
        bool carries = plain_same(a->associated_id, id) && plain_carries(a);
        dx = carries && (!dx || plain_meant(w, a->gateway_id)) ? a : dx;
    }
    /* What VPN routes goes by VPN, the rest by Direct Connect; each stands in for the other. */
    const struct vpn_connection *vpn = plain_vpn_of(w, id);
    bool vpn_meant = vpn && (plain_meant(w, vpn->obj.id) || plain_meant(w, vpn->customer_gateway_id));
    bool vpn_takes = vpn_meant || (vpn && plain_is_up(vpn) && plain_vpn_knows(vpn, &w->p.dst));
    w->end_vpc = vpc;
    w->end_gateway = id;
    if (!known) {
        plain_drop(w, "unknown-resource");
    } else if (!plain_same(plain_vgw_vpc(w, id), vpc)) {
        plain_drop(w, "gateway-attachment");
    } else if (!plain_holder(w, vpc, &w->p.src)) {
        plain_drop(w, "vgw-source");
    } else if (plain_meant(w, id)) {
        w->end_eni = NULL;
    } else if (dx && (!vpn || plain_meant(w, dx->gateway_id) || (plain_line(w, dx->gateway_id) && !vpn_takes))) {
        plain_by_direct_connect(w, dx->gateway_id, dx);
    } else if (vpn && (vpn_takes || dx || !plain_own_lines(w, id) || !plain_line(w, id))) {
        plain_by_vpn(w, vpn);
    } else if (!plain_line(w, id)) {
        plain_drop(w, "dx-state");
    } else {
        plain_left(w);
    }
}

/* ---- Transit gateways
 * --------------------------------------------------------------------------------------------------
 */

static bool
plain_available(const struct tgw_attachment *a)
{
    return strcmp(a->state, "available") == 0;
}

/* References cross where the gateway has them switched on and the attachment has not switched them off. */
static bool
plain_keeps_names(const struct plain *w, const char *tgw_id, const struct tgw_attachment *a)
{
    EACH(transit_gateway, tgw, transit_gateway_kind)
    {
        if (strcmp(tgw->obj.id, tgw_id) == 0) {
            return plain_same(tgw->sg_referencing, "enable") && !plain_same(a->sg_referencing, "disable");
        }
    }
    return false;
}

static const struct subnet *
plain_attached_subnet(const struct plain *w, const struct tgw_attachment *a, const char *zone)
{
    for (size_t i = 0; zone && i < a->subnet_ids.n; i++) {
        const struct subnet *subnet = plain_subnet(w, a->subnet_ids.items[i]);
        if (subnet && strcmp(subnet->zone, zone) == 0 && !plain_failed(w, zone)) {
            return subnet;
        }
    }
    return NULL;
}

static void
plain_tgw_to_vpc(struct plain *w, const struct tgw_attachment *a)
{
    /* In appliance mode AWS picks one of the attachment's subnets by the flow; the first is taken for all. */
    bool appliance = plain_same(a->appliance_mode, "enable");
    const struct eni *receiver = plain_holder(w, a->vpc_id, &w->p.dst);
    const struct subnet *out = appliance ? NULL : plain_attached_subnet(w, a, w->zone);
    if (!out && receiver && !appliance) {
        out = plain_attached_subnet(w, a, plain_subnet(w, receiver->subnet_id)->zone);
    }
    bool any_failed = false;
    for (size_t i = 0; !out && i < a->subnet_ids.n; i++) {
        const struct subnet *subnet = plain_subnet(w, a->subnet_ids.items[i]);
        bool failed = subnet && plain_failed(w, subnet->zone);
        any_failed = any_failed || failed;
        out = failed ? NULL : subnet;
    }
    if (!out && any_failed) {
        plain_drop(w, "failed");
    } else if (out) {
        plain_leave(w, NULL, out);
    } else {
        plain_local(w, a->vpc_id);
    }
}

static void
plain_tgw_out(struct plain *w, const char *tgw_id, const struct tgw_attachment *a)
{
    if (!plain_available(a)) {
        plain_drop(w, "gateway-attachment");
        return;
    }
    w->names_groups = w->names_groups && plain_keeps_names(w, tgw_id, a);
    w->end_tgw = tgw_id;
    w->end_attachment = a;
    if (plain_meant(w, a->obj.id)) {
        w->end_eni = NULL;
    } else if (strcmp(a->resource_type, "vpc") == 0) {
        plain_tgw_to_vpc(w, a);
    } else if (strcmp(a->resource_type, "vpn") == 0) {
        EACH(vpn_connection, vpn, vpn_connection_kind)
        {
            if (strcmp(vpn->obj.id, a->resource_id) == 0) {
                plain_by_vpn(w, vpn);
            }
        }
    } else if (strcmp(a->resource_type, "direct-connect-gateway") == 0) {
        plain_by_direct_connect(w, a->resource_id, plain_association(w, a->resource_id, a->tgw_id));
    } else {
        const char *other = strcmp(a->tgw_id, tgw_id) == 0 ? a->peer_tgw_id : a->tgw_id;
        w->zone = NULL; /* zones and groups are not known beyond a peering */
        w->came = CAME_BY_TGW;
        w->names_groups = false;
        plain_into_tgw(w, other, a);
    }
}

struct plain_tgw_choice {
    int score;
    const char *attachment_id; /* NULL: blackhole */
};

/* For one prefix: a static route, then a prefix list, then what a VPC propagates, then a VPN connection. */
static void
plain_offer(const struct plain *w, struct plain_tgw_choice *best, const struct cidr *cidr, int order, const char *to)
{
    int score = cidr->bits * 16 + order;
    if (plain_in(cidr, &w->p.dst) && score > best->score) {
        *best = (struct plain_tgw_choice){ score, to };
    }
}

static const struct tgw_attachment *
plain_attachment(const struct plain *w, const char *id)
{
    EACH(tgw_attachment, a, tgw_attachment_kind)
    {
        if (plain_same(a->obj.id, id)) {
            return a;
        }
    }
    return NULL;
}

static void
plain_offer_propagated(const struct plain *w, struct plain_tgw_choice *best, const struct tgw_attachment *a)
{
    bool v6 = plain_same(a->ipv6_support, "enable");
    EACH(vpc, vpc, vpc_kind)
    {
        bool this_one = strcmp(a->resource_type, "vpc") == 0 && strcmp(vpc->obj.id, a->vpc_id) == 0;
        for (size_t i = 0; this_one && i < vpc->cidrs.n; i++) {
            plain_offer(w, best, &vpc->cidrs.items[i].cidr, 3, a->obj.id);
        }
        for (size_t i = 0; this_one && v6 && i < vpc->cidrs6.n; i++) {
            plain_offer(w, best, &vpc->cidrs6.items[i].cidr, 3, a->obj.id);
        }
    }
    EACH(vpn_connection, vpn, vpn_connection_kind)
    {
        for (size_t i = 0; strcmp(vpn->obj.id, a->resource_id) == 0 && i < vpn->routes.n; i++) {
            plain_offer(w, best, &vpn->routes.items[i].cidr, 1, a->obj.id);
        }
    }
}

static struct plain_tgw_choice
plain_tgw_route(const struct plain *w, const struct tgw_route_table *table)
{
    struct plain_tgw_choice best = { -1, NULL };
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct tgw_route *r = &table->routes.items[i];
        const char *to =
            r->attachments.n && strcmp(r->state, "blackhole") != 0 ? r->attachments.items[0].attachment_id : NULL;
        plain_offer(w, &best, &r->cidr, 9, to);
    }
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *a = plain_attachment(w, table->propagations.items[i].attachment_id);
        if (a && plain_available(a)) {
            plain_offer_propagated(w, &best, a);
        }
    }
    return best;
}

/* Not known to the table, but asked of a gateway whose router may announce it. */
static const struct tgw_attachment *
plain_announced(const struct plain *w, const struct tgw_route_table *table)
{
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *a = plain_attachment(w, table->propagations.items[i].attachment_id);
        bool dynamic = a && plain_same(a->resource_type, "direct-connect-gateway"), meant = false;
        EACH(vpn_connection, vpn, vpn_connection_kind)
        {
            if (a && plain_same(vpn->obj.id, a->resource_id)) {
                dynamic = !vpn->static_routes_only;
                meant = plain_meant(w, vpn->customer_gateway_id);
            }
        }
        if (dynamic && (meant || plain_meant(w, a->obj.id) || plain_meant(w, a->resource_id))) {
            return a;
        }
    }
    return NULL;
}

static void
plain_into_tgw(struct plain *w, const char *tgw_id, const struct tgw_attachment *by)
{
    const char *table_id = strcmp(by->tgw_id, tgw_id) == 0 ? by->table_id : by->peer_table_id;
    w->names_groups = (w->came != CAME_BY_TGW || w->names_groups) && plain_keeps_names(w, tgw_id, by);
    w->came = CAME_BY_TGW;
    if (++w->depth > 20) {
        plain_drop(w, "routing-loop");
        return;
    }
    EACH(tgw_route_table, table, tgw_route_table_kind)
    {
        if (!plain_same(table->obj.id, table_id)) {
            continue;
        }
        struct plain_tgw_choice way = plain_tgw_route(w, table);
        const struct tgw_attachment *to =
            way.score < 0 ? plain_announced(w, table) : plain_attachment(w, way.attachment_id);
        if (way.score >= 0 && !way.attachment_id) {
            plain_drop(w, "tgw-blackhole");
        } else if (to) {
            plain_tgw_out(w, tgw_id, to);
        } else {
            plain_drop(w, way.score < 0 ? "tgw-no-route" : "unknown-resource");
        }
        return;
    }
    plain_drop(w, *table_id ? "tgw-unknown-routes" : "tgw-no-association");
}

/* From a VPC: by the attachment's subnet in the sender's zone, past its ACL. */
static void
plain_tgw(struct plain *w, const char *id, const struct subnet *from)
{
    bool known = false;
    EACH(transit_gateway, tgw, transit_gateway_kind)
    {
        known = known || strcmp(tgw->obj.id, id) == 0;
    }
    EACH(tgw_attachment, a, tgw_attachment_kind)
    {
        if (strcmp(a->tgw_id, id) != 0 || !plain_same(a->vpc_id, from->vpc_id) || !plain_available(a)) {
            continue;
        }
        w->zone = from->zone;
        const struct subnet *in = plain_attached_subnet(w, a, from->zone);
        if (a->subnet_ids.n && !in) {
            plain_drop(w, "tgw-az");
        } else if (in && !plain_acl(w, in, false)) {
            plain_drop(w, "nacl-ingress");
        } else if (plain_meant(w, id) || plain_meant(w, a->obj.id)) {
            w->end_eni = NULL;
            w->end_tgw = id;
            w->end_attachment = a;
        } else {
            plain_into_tgw(w, id, a);
        }
        return;
    }
    plain_drop(w, known ? "gateway-attachment" : "unknown-resource");
}

/* ---- Egress-only internet gateways, gateway endpoints
 * --------------------------------------------------------------------
 */

static void
plain_eigw(struct plain *w, const char *id, const char *vpc)
{
    const struct eni *sender = plain_holder(w, vpc, &w->p.src);
    EACH(egress_only_gateway, gateway, egress_only_gateway_kind)
    {
        if (strcmp(gateway->obj.id, id) != 0) {
            continue;
        }
        w->end_eni = NULL;
        w->end_vpc = vpc;
        w->end_gateway = id;
        if (!gateway->attachments.n || strcmp(gateway->attachments.items[0].vpc_id, vpc) != 0) {
            plain_drop(w, "gateway-attachment");
        } else if (w->p.src.family != IP_V6) {
            plain_drop(w, "eigw-protocol");
        } else if (w->back) {
            plain_drop(w, "asymmetric-return");
        } else if (plain_private(&w->p.dst)) {
            plain_drop(w, "igw-private-destination");
        } else if (!sender) {
            plain_drop(w, "igw-no-public-ip");
        } else if (plain_closed(w, vpc, sender, DOOR_OUT_ONLY)) {
            plain_drop(w, "vpc-block-public-access");
        } else if (!plain_meant(w, id)) {
            w->end_vpc = NULL;
            w->eigw = id;
            w->eigw_vpc = vpc;
            w->eigw_source = w->p.src;
            w->home = NULL;
            w->lb = NULL;
            w->came = CAME_NOWHERE;
            plain_outside(w, NULL);
            w->end_vpc = !w->why && !w->end_eni ? vpc : w->end_vpc;
        }
        return;
    }
    plain_drop(w, "unknown-resource");
}

/* tcp and ping, from interfaces of its own VPC. */
static void
plain_endpoint(struct plain *w, const char *id, const char *vpc)
{
    const struct plain_packet *p = &w->p;
    bool carried = p->protocol == 6 || (p->protocol == 1 && (p->type == 8 || p->type == 0)) ||
                   (p->protocol == 58 && (p->type == 128 || p->type == 129));
    const struct endpoint *e = store_get(network_store(w->net), &endpoint_kind, id);
    w->end_eni = NULL;
    w->end_vpc = vpc;
    w->end_gateway = id;
    if (!e) {
        plain_drop(w, "unknown-resource");
    } else if (strcmp(e->vpc_id, vpc) != 0 || !plain_same(e->type, "Gateway")) {
        plain_drop(w, "blackhole-route");
    } else if (!endpoint_is_available(e)) {
        plain_drop(w, "gateway-state");
    } else if (!carried) {
        plain_drop(w, "vpce-protocol");
    } else if (!plain_holder(w, vpc, &p->src)) {
        plain_drop(w, "vpce-source");
    } else if (!plain_meant(w, id)) {
        plain_left(w);
    }
}

static void
plain_endpoint_by_route(struct plain *w, const char *id, const struct subnet *from, const char *vpc)
{
    const struct endpoint *e = store_get(network_store(w->net), &endpoint_kind, id);
    if (e && strcmp(e->vpc_id, vpc) == 0 && plain_is_gwlb_endpoint(w, id)) {
        plain_through_gwlb_endpoint(w, id, from);
    } else {
        plain_endpoint(w, id, vpc);
    }
}

static void
plain_by_router(struct plain *w, const struct route *r, const struct subnet *from)
{
    if (r->peering_id) {
        plain_peering(w, r->peering_id, from->vpc_id);
    } else if (r->transit_gateway_id) {
        plain_tgw(w, r->transit_gateway_id, from);
    } else if (r->egress_only_igw_id) {
        plain_eigw(w, r->egress_only_igw_id, from->vpc_id);
    } else if (r->gateway_id && strncmp(r->gateway_id, "vgw-", 4) == 0) {
        plain_vgw(w, r->gateway_id, from->vpc_id);
    } else if (r->gateway_id && strncmp(r->gateway_id, "vpce-", 5) == 0) {
        plain_endpoint_by_route(w, r->gateway_id, from, from->vpc_id);
    } else {
        plain_drop(w, "unknown-resource");
    }
}

/* ---- From a gateway
 * ------------------------------------------------------------------------------------------------------
 */

static const struct tgw_attachment *
plain_attachment_of(const struct plain *w, const char *resource_id, const char *tgw_id)
{
    EACH(tgw_attachment, a, tgw_attachment_kind)
    {
        if (plain_same(a->resource_id, resource_id) && (!tgw_id || plain_same(a->tgw_id, tgw_id)) &&
            plain_available(a)) {
            return a;
        }
    }
    return NULL;
}

static void
plain_from_attachment(struct plain *w, const struct tgw_attachment *a)
{
    if (!a) {
        plain_drop(w, "gateway-attachment");
        return;
    }
    w->home = *a->vpc_id ? a->vpc_id : NULL;
    plain_into_tgw(w, a->tgw_id, a);
}

static void
plain_from_vgw(struct plain *w, const char *id)
{
    const char *vpc = plain_vgw_vpc(w, id);
    if (vpc) {
        plain_into_vpc(w, vpc, id);
    } else {
        plain_drop(w, "gateway-attachment");
    }
}

static void
plain_from_vpn(struct plain *w, const struct vpn_connection *vpn)
{
    if (!plain_is_up(vpn)) {
        plain_drop(w, "vpn-state");
    } else if (*vpn->vpn_gateway_id) {
        plain_from_vgw(w, vpn->vpn_gateway_id);
    } else {
        plain_from_attachment(w, plain_attachment_of(w, vpn->obj.id, NULL));
    }
}

static void
plain_from_customer(struct plain *w, const char *id)
{
    const struct vpn_connection *up = NULL, *down = NULL;
    EACH(vpn_connection, vpn, vpn_connection_kind)
    {
        if (strcmp(vpn->customer_gateway_id, id) == 0) {
            up = !up && plain_is_up(vpn) ? vpn : up;
            down = vpn;
        }
    }
    if (up || down) {
        plain_from_vpn(w, up ? up : down);
    } else {
        plain_drop(w, "gateway-attachment");
    }
}

static void
plain_from_direct_connect(struct plain *w, const char *id)
{
    bool announced;
    const struct direct_connect_association *a = plain_customers_way(w, id, &announced);
    if (!plain_line(w, id)) {
        plain_drop(w, "dx-state");
    } else if (a && !announced) {
        plain_drop(w, "dx-no-route");
    } else if (a && plain_vgw_vpc(w, a->associated_id)) {
        plain_into_vpc(w, plain_vgw_vpc(w, a->associated_id), a->associated_id);
    } else {
        plain_from_attachment(w, plain_attachment_of(w, id, a ? a->associated_id : NULL));
    }
}

static void
plain_from_peering(struct plain *w, const char *id)
{
    EACH(peering, p, peering_kind)
    {
        if (strcmp(p->obj.id, id) == 0 && strcmp(p->status, "active") == 0) {
            bool to_accepter = plain_vpc_has(w, p->accepter.vpc_id, &w->p.dst);
            w->home = to_accepter ? p->requester.vpc_id : p->accepter.vpc_id;
            plain_through_peering(w, w->home, to_accepter ? p->accepter.vpc_id : p->requester.vpc_id);
            return;
        }
    }
    plain_drop(w, "pcx-inactive");
}

static inline void /* the bench has no use for it */
plain_from_gateway(struct plain *w, const char *id)
{
    w->came = CAME_FROM_OUTSIDE;
    if (strncmp(id, "igw-", 4) == 0) {
        w->came = CAME_NOWHERE;
        plain_from_outside(w, id);
    } else if (strncmp(id, "vgw-", 4) == 0) {
        plain_from_vgw(w, id);
    } else if (strncmp(id, "cgw-", 4) == 0) {
        plain_from_customer(w, id);
    } else if (strncmp(id, "pcx-", 4) == 0) {
        plain_from_peering(w, id);
    } else if (strncmp(id, "tgw-attach-", 11) == 0) {
        plain_from_attachment(w, plain_attachment(w, id));
    } else if (plain_is_gwlb_endpoint(w, id)) {
        plain_from_gwlb_endpoint(w, id);
    } else if (strncmp(id, "eigw-", 5) == 0 || strncmp(id, "vpce-", 5) == 0) {
        plain_drop(w, *id == 'e' ? "eigw-unsolicited" : "vpce-unsolicited");
    } else if (strncmp(id, "vpn-", 4) == 0) {
        EACH(vpn_connection, vpn, vpn_connection_kind)
        {
            if (strcmp(vpn->obj.id, id) == 0) {
                plain_from_vpn(w, vpn);
            }
        }
    } else {
        plain_from_direct_connect(w, id);
    }
}
