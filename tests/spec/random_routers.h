/* tests/spec/random_routers.h - what joins the VPCs of a random network, and networks outside AWS to them: peering
 * connections, transit gateways with their tables, virtual private gateways, VPN connections, Direct Connect, gateway
 * endpoints and egress-only internet gateways, each here and there, in every state.  Only where r->routers says so. */
#pragma once
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/peering.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"
#include "netsim/model/random_net.h"

static void
lot_name(char *id, const char *format, int n)
{
    snprintf(id, ID_SIZE, format, n);
}

/* The id of a gateway of the network, or of one that is not there. */
static inline void
random_gateway(struct random_net *r, char *id, size_t size)
{
    static const char *const ids[] = {
        "vgw-0", "vpn-0",        "vpn-1",        "cgw-0",        "cgw-1",        "dx-0",
        "pcx-0", "tgw-attach-0", "tgw-attach-1", "tgw-attach-8", "tgw-attach-9", "vpce-0"
    };
    if (!r->routers || chance(r, 15)) {
        snprintf(id, size, "igw-%d", lot(r, r->n_vpcs));
    } else {
        snprintf(id, size, "%s", ids[lot(r, 12)]);
    }
}

static void
random_peering(struct random_net *r, int n)
{
    struct peering *p = lot_add(r, &peering_kind, "pcx-%d", n);
    struct peering_side *sides[] = { &p->requester, &p->accepter };
    p->status = xstrdup(chance(r, 85) ? "active" : chance(r, 50) ? "deleted" : "pending-acceptance");
    for (int i = 0; i < 2; i++) {
        char text[64];
        lot_name(sides[i]->vpc_id, "vpc-%d", n + i);
        sides[i]->region = xstrdup(i == 0 || chance(r, 85) ? "us-east-1" : "us-west-2");
        snprintf(text, sizeof text, "10.%d.0.0/16", n + i);
        sides[i]->cidr = cidr_lit(text);
        VEC_ADD(&sides[i]->cidrs)->cidr = sides[i]->cidr;
    }
}

static struct cidr
lot_far_cidr(struct random_net *r)
{
    static const char *const cidrs[] = { "10.0.0.0/16", "10.1.0.0/16",    "10.2.0.0/16",    "10.0.0.0/8",
                                         "0.0.0.0/0",   "192.168.0.0/16", "192.168.3.0/24", "2001:db8::/32",
                                         "::/0",        "10.1.1.0/24" };
    return cidr_lit(cidrs[lot(r, 10)]);
}

/* ---- Outside AWS ----------------------------------------------------------------------------------------------------
 */

static void
random_vpn(struct random_net *r, int n)
{
    struct customer_gateway *customer = lot_add(r, &customer_gateway_kind, "cgw-%d", n);
    struct vpn_connection *vpn = lot_add(r, &vpn_connection_kind, "vpn-%d", n);
    customer->ip = ip_lit("198.51.100.9");
    lot_name(vpn->customer_gateway_id, "cgw-%d", chance(r, 90) ? n : 0);
    lot_name(n == 0 ? vpn->vpn_gateway_id : vpn->tgw_id, n == 0 ? "vgw-%d" : "tgw-%d", 0);
    vpn->state = xstrdup(chance(r, 88) ? "available" : "deleted");
    vpn->static_routes_only = chance(r, 60);
    for (int i = vpn->static_routes_only ? 1 + lot(r, 2) : 0; i > 0; i--) {
        struct vpn_static_route *route = VEC_ADD(&vpn->routes);
        route->cidr = cidr_lit(chance(r, 60) ? "192.168.0.0/16" : chance(r, 50) ? "172.16.0.0/16" : "192.168.3.0/24");
        route->state = xstrdup("available");
    }
}

static void
random_outside(struct random_net *r)
{
    struct vpn_gateway *vgw = lot_add(r, &vpn_gateway_kind, "vgw-%d", 0);
    vgw->state = xstrdup("available");
    struct vpn_gateway_attachment *a = VEC_ADD(&vgw->attachments);
    lot_name(a->vpc_id, "vpc-%d", 0);
    a->state = xstrdup(chance(r, 88) ? "attached" : "detached");
    for (int n = 0; n < 2; n++) {
        if (chance(r, 80)) {
            random_vpn(r, n);
        }
    }
    struct direct_connect_gateway *dx = lot_add(r, &direct_connect_gateway_kind, "dx-%d", 0);
    dx->state = xstrdup("available");
    if (chance(r, 30)) {
        struct direct_connect_association *d = lot_add(r, &direct_connect_association_kind, "dx-assoc-%d", 0);
        lot_name(d->gateway_id, "dx-%d", 0);
        lot_name(d->associated_id, "vgw-%d", 0);
        lot_name(d->vgw_id, "vgw-%d", 0);
        d->state = xstrdup("associated");
        if (chance(r, 40)) {
            VEC_ADD(&d->allowed)->cidr = lot_far_cidr(r);
        }
    }
    if (chance(r, 30)) {
        struct direct_connect_association *d = lot_add(r, &direct_connect_association_kind, "dx-assoc-%d", 1);
        lot_name(d->gateway_id, "dx-%d", 0);
        lot_name(d->associated_id, "tgw-%d", 0);
        d->state = xstrdup(chance(r, 90) ? "updating" : "disassociating");
        for (int i = 1 + lot(r, 3); i > 0; i--) {
            VEC_ADD(&d->allowed)->cidr = lot_far_cidr(r);
        }
    }
    if (chance(r, 40)) {
        struct virtual_interface *v = lot_add(r, &virtual_interface_kind, "dxvif-%d", 0);
        lot_name(chance(r, 80) ? v->gateway_id : v->vgw_id, chance(r, 80) ? "dx-%d" : "vgw-%d", 0);
        v->state = xstrdup(chance(r, 80) ? "available" : "down");
        for (int i = lot(r, 3); i > 0; i--) {
            struct direct_connect_peer *peer = VEC_ADD(&v->peers);
            peer->family = xstrdup(chance(r, 60) ? "ipv4" : "ipv6");
            peer->state = xstrdup("available");
            peer->status = xstrdup(chance(r, 75) ? "up" : "down");
        }
    }
    for (int v = 0; v < r->n_vpcs; v++) {
        if (chance(r, 40)) {
            struct egress_only_gateway *gateway = lot_add(r, &egress_only_gateway_kind, "eigw-%d", v);
            lot_name(VEC_ADD(&gateway->attachments)->vpc_id, "vpc-%d", v);
        }
    }
}

static void
random_endpoint(struct random_net *r)
{
    struct prefix_list *list = lot_add(r, &prefix_list_kind, "pl-%d", 9);
    list->name = xstrdup("com.amazonaws.us-east-1.s3");
    VEC_ADD(&list->entries)->cidr = cidr_lit("52.216.0.0/15");
    struct endpoint *endpoint = lot_add(r, &endpoint_kind, "vpce-%d", 0);
    endpoint->type = xstrdup("Gateway");
    endpoint->service_name = xstrdup(list->name);
    endpoint->state = xstrdup(chance(r, 90) ? "available" : "pending");
    lot_name(endpoint->vpc_id, "vpc-%d", lot(r, r->n_vpcs));
}

/* ---- Transit gateways -----------------------------------------------------------------------------------------------
 */

static struct tgw_attachment *
random_attachment(struct random_net *r, int n, const char *type, const char *resource)
{
    static const char *const tables[] = { "tgw-rtb-0", "tgw-rtb-0", "tgw-rtb-1", "tgw-rtb-1", "", "tgw-rtb-7" };
    struct tgw_attachment *a = lot_add(r, &tgw_attachment_kind, "tgw-attach-%d", n);
    lot_name(a->tgw_id, "tgw-%d", 0);
    a->resource_type = xstrdup(type);
    snprintf(a->resource_id, sizeof a->resource_id, "%s", resource);
    a->state = xstrdup(chance(r, 93) ? "available" : "deleted");
    snprintf(a->table_id, sizeof a->table_id, "%s", tables[chance(r, 90) ? lot(r, 4) : lot(r, 6)]);
    a->sg_referencing = chance(r, 50) ? NULL : xstrdup(chance(r, 60) ? "enable" : "disable");
    return a;
}

static void
random_vpc_attachment(struct random_net *r, int v)
{
    char id[ID_SIZE];
    lot_name(id, "vpc-%d", v);
    struct tgw_attachment *a = random_attachment(r, v, "vpc", id);
    snprintf(a->vpc_id, sizeof a->vpc_id, "%s", id);
    a->ipv6_support = chance(r, 60) ? xstrdup("enable") : NULL;
    for (int s = 0; s < 3; s += 2) { /* subnet 2 is in the other zone */
        if (chance(r, 80)) {
            *VEC_ADD(&a->subnet_ids) = lot_text("subnet-%d", v * 10 + s);
        }
    }
    if (v == 2 && chance(r, 50)) { /* at the other gateway */
        lot_name(a->tgw_id, "tgw-%d", 1);
        lot_name(a->table_id, "tgw-rtb-%d", 2);
    }
}

static const char *
lot_attachment(struct random_net *r)
{
    static const char *const ids[] = { "tgw-attach-0", "tgw-attach-1", "tgw-attach-2", "tgw-attach-7",
                                       "tgw-attach-8", "tgw-attach-9", "tgw-attach-5" };
    return ids[lot(r, chance(r, 95) ? 6 : 7)];
}

static void
random_tgw_table(struct random_net *r, int n)
{
    struct tgw_route_table *table = lot_add(r, &tgw_route_table_kind, "tgw-rtb-%d", n);
    lot_name(table->tgw_id, "tgw-%d", n == 2);
    table->state = xstrdup("available");
    for (int i = 0; i < 10; i++) {
        if (chance(r, i < 3 ? 65 : 40)) {
            lot_name(VEC_ADD(&table->propagations)->attachment_id, "tgw-attach-%d", i);
        }
    }
    for (int i = lot(r, 4); i > 0; i--) {
        struct cidr cidr = lot_far_cidr(r);
        bool there = false;
        for (size_t k = 0; k < table->routes.n; k++) {
            there = there || cidr_equal(&table->routes.items[k].cidr, &cidr);
        }
        if (there) {
            continue;
        }
        struct tgw_route *route = VEC_ADD(&table->routes);
        route->cidr = cidr;
        route->type = xstrdup("static");
        bool blackhole = chance(r, 12);
        route->state = xstrdup(blackhole ? "blackhole" : "active");
        if (!blackhole) {
            struct tgw_route_attachment *to = VEC_ADD(&route->attachments);
            snprintf(to->attachment_id, sizeof to->attachment_id, "%s", lot_attachment(r));
        }
    }
}

static void
random_tgws(struct random_net *r)
{
    for (int n = 0; n < 2; n++) {
        struct transit_gateway *tgw = lot_add(r, &transit_gateway_kind, "tgw-%d", n);
        tgw->state = xstrdup("available");
        tgw->sg_referencing = chance(r, 70) ? xstrdup("enable") : NULL;
    }
    for (int n = 0; n < 3; n++) {
        random_tgw_table(r, n);
    }
    for (int v = 0; v < r->n_vpcs; v++) {
        if (chance(r, 85)) {
            random_vpc_attachment(r, v);
        }
    }
    if (chance(r, 60)) {
        struct tgw_attachment *a = random_attachment(r, 7, "peering", "tgw-1");
        lot_name(a->peer_tgw_id, "tgw-%d", 1);
        lot_name(a->peer_table_id, "tgw-rtb-%d", 2);
    }
    if (store_get(network_store(r->net), &vpn_connection_kind, "vpn-1")) {
        random_attachment(r, 8, "vpn", "vpn-1");
    }
    if (chance(r, 50)) {
        random_attachment(r, 9, "direct-connect-gateway", "dx-0");
    }
}

/* ---- The ways there
 * --------------------------------------------------------------------------------------------------
 */

static void
add_far_route(struct random_net *r, struct route_table *table)
{
    struct cidr destination = lot_far_cidr(r);
    int target = lot(r, 12);
    struct cidr service = cidr_lit("52.216.0.0/15"), rest = cidr_lit("::/0");
    destination = target == 10 ? service : target == 11 ? rest : destination;
    if (lot_has_route(table, &destination)) {
        return;
    }
    struct route *route = lot_add_route(table, destination, "CreateRoute", "active");
    if (target < 4) {
        route->peering_id = lot_text("pcx-%d", lot(r, 2));
    } else if (target < 8) {
        route->transit_gateway_id = lot_text("tgw-%d", chance(r, 85) ? 0 : lot(r, 3));
    } else if (target < 10) {
        route->gateway_id = xstrdup("vgw-0");
        if (chance(r, 30)) {
            free(route->origin);
            route->origin = xstrdup("EnableVgwRoutePropagation");
        }
    } else if (target == 10) {
        route->gateway_id = xstrdup("vpce-0");
        route->cidr = (struct cidr){ 0 };
        route->prefix_list_id = xstrdup("pl-9");
    } else {
        route->egress_only_igw_id = lot_text("eigw-%d", lot(r, r->n_vpcs));
    }
}

static void
random_routers(struct random_net *r)
{
    struct store *store = network_store(r->net);
    if (!r->routers) {
        return;
    }
    for (struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        if (s->obj.id[strlen(s->obj.id) - 1] == '2') {
            free(s->zone);
            s->zone = xstrdup("us-east-1b");
        }
    }
    random_peering(r, 0);
    if (r->n_vpcs > 2) {
        random_peering(r, 1);
    }
    random_outside(r);
    random_endpoint(r);
    random_tgws(r);
    for (struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (int i = 1 + lot(r, 4); i > 0; i--) {
            add_far_route(r, t);
        }
    }
}
