/* netsim/model/random_joined.c - joins the VPCs of a random network: transit gateways with several tables, a peering,
 * sites outside AWS by VPN and Direct Connect, zones that fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netsim/model/failure.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/onprem.h"
#include "netsim/model/peering.h"
#include "netsim/model/random_net.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

/* Places that routes may lead to: VPCs' blocks, subnets, single hosts, what is outside. */
static struct cidr
joined_cidr(struct random_net *r, bool v6)
{
    char text[64];
    int vpc = lot(r, r->n_vpcs), s = lot(r, 3);
    switch (lot(r, 6)) {
    case 0:
        return cidr_lit(v6 ? "2001:db8::/32" : "10.0.0.0/8");
    case 1:
        snprintf(text, sizeof text, v6 ? "2001:db8:%x:%x::/64" : "10.%d.%d.0/24", vpc, s);
        return cidr_lit(text);
    case 2:
        return v6 ? cidr_lit("::/0") : cidr_lit("0.0.0.0/0");
    case 3:
        if (!v6) {
            snprintf(text, sizeof text, chance(r, 70) ? "192.168.%d.0/24" : "172.20.%d.0/24", 1 + lot(r, 2));
            return cidr_lit(text);
        } /* fallthrough */
    default:
        snprintf(text, sizeof text, v6 ? "2001:db8:%x::/56" : "10.%d.0.0/16", vpc);
        return cidr_lit(text);
    }
}

/* AWS knows a gateway's own attachments only. */
static bool
joined_to(struct random_net *r, int attachment, int tgw)
{
    char id[ID_SIZE], own[ID_SIZE];
    snprintf(id, sizeof id, "tgw-attach-%d", attachment);
    snprintf(own, sizeof own, "tgw-%d", tgw);
    const struct tgw_attachment *a = store_get(network_store(r->net), &tgw_attachment_kind, id);
    return strcmp(a->tgw_id, own) == 0 || strcmp(a->peer_tgw_id, own) == 0;
}

static void
joined_tgw_table(struct random_net *r, int tgw, int n, int n_attachments)
{
    struct tgw_route_table *t = lot_add(r, &tgw_route_table_kind, "tgw-rtb-%d", tgw * 10 + n);
    snprintf(t->tgw_id, sizeof t->tgw_id, "tgw-%d", tgw);
    t->state = xstrdup("available");
    for (int a = 0; a < n_attachments; a++) {
        if (chance(r, 75) && joined_to(r, a, tgw)) {
            struct tgw_propagation *p = VEC_ADD(&t->propagations);
            snprintf(p->attachment_id, sizeof p->attachment_id, "tgw-attach-%d", a);
            p->state = xstrdup("enabled");
        }
    }
    for (int i = lot(r, 3); i > 0; i--) {
        struct cidr to = joined_cidr(r, chance(r, 25));
        bool known = false;
        for (size_t j = 0; j < t->routes.n; j++) {
            known |= cidr_equal(&t->routes.items[j].cidr, &to);
        }
        if (known) {
            continue;
        }
        struct tgw_route *route = VEC_ADD(&t->routes);
        route->cidr = to;
        route->type = xstrdup("static");
        int to_attachment = lot(r, n_attachments);
        if (chance(r, 80) && joined_to(r, to_attachment, tgw)) {
            snprintf(VEC_ADD(&route->attachments)->attachment_id, ID_SIZE, "tgw-attach-%d", to_attachment);
        }
        route->state = xstrdup(route->attachments.n ? "active" : "blackhole");
    }
}

static struct tgw_attachment *
joined_attachment(struct random_net *r, int a, int tgw, const char *type, const char *resource)
{
    struct tgw_attachment *at = lot_add(r, &tgw_attachment_kind, "tgw-attach-%d", a);
    snprintf(at->tgw_id, sizeof at->tgw_id, "tgw-%d", tgw);
    at->resource_type = xstrdup(type);
    snprintf(at->resource_id, sizeof at->resource_id, "%s", resource);
    at->state = xstrdup(chance(r, 95) ? "available" : "deleted");
    if (chance(r, 95)) {
        snprintf(at->table_id, sizeof at->table_id, "tgw-rtb-%d", tgw * 10 + lot(r, 2));
    }
    return at;
}

/* Attachments: of each VPC to the first gateway, of some to the second; one VPN connection; a peering of the two. */
static void
joined_tgws(struct random_net *r)
{
    int n_tgws = 1 + lot(r, 2), a = 0;
    for (int g = 0; g < n_tgws; g++) {
        struct transit_gateway *tgw = lot_add(r, &transit_gateway_kind, "tgw-%d", g);
        tgw->state = xstrdup("available");
        tgw->sg_referencing = xstrdup(chance(r, 60) ? "enable" : "disable");
        for (int v = 0; v < r->n_vpcs; v++) {
            char vpc[ID_SIZE];
            snprintf(vpc, sizeof vpc, "vpc-%d", v);
            if (g && chance(r, 60)) {
                continue;
            }
            struct tgw_attachment *at = joined_attachment(r, a++, g, "vpc", vpc);
            snprintf(at->vpc_id, sizeof at->vpc_id, "%s", vpc);
            at->ipv6_support = xstrdup(chance(r, 70) ? "enable" : "disable");
            at->appliance_mode = xstrdup(chance(r, 20) ? "enable" : "disable");
            at->sg_referencing = xstrdup(chance(r, 80) ? "enable" : "disable");
            bool used[3] = { false };
            for (int s = 0; s < 3; s++) { /* one a zone */
                char id[ID_SIZE];
                snprintf(id, sizeof id, "subnet-%d", v * 10 + s);
                const struct subnet *subnet = store_get(network_store(r->net), &subnet_kind, id);
                int zone = subnet->zone[9] - 'a';
                if (!used[zone] && chance(r, 70)) {
                    *VEC_ADD(&at->subnet_ids) = xstrdup(id);
                    used[zone] = true;
                }
            }
            if (!at->subnet_ids.n) {
                *VEC_ADD(&at->subnet_ids) = lot_text("subnet-%d", v * 10);
            }
        }
    }
    joined_attachment(r, a++, 0, "vpn", "vpn-1");
    if (n_tgws == 2) {
        struct tgw_attachment *at = joined_attachment(r, a++, 0, "peering", "tgw-1");
        snprintf(at->peer_tgw_id, sizeof at->peer_tgw_id, "tgw-1");
        snprintf(at->peer_table_id, sizeof at->peer_table_id, "tgw-rtb-%d", 10 + lot(r, 2));
    }
    for (int g = 0; g < n_tgws; g++) {
        joined_tgw_table(r, g, 0, a);
        joined_tgw_table(r, g, 1, a);
    }
}

static void
joined_vpns(struct random_net *r)
{
    struct vpn_gateway *vgw = lot_add(r, &vpn_gateway_kind, "vgw-%d", 0);
    vgw->state = xstrdup("available");
    if (chance(r, 90)) {
        struct vpn_gateway_attachment *at = VEC_ADD(&vgw->attachments);
        snprintf(at->vpc_id, sizeof at->vpc_id, "vpc-0");
        at->state = xstrdup("attached");
    }
    for (int i = 0; i < 2; i++) {
        struct customer_gateway *cgw = lot_add(r, &customer_gateway_kind, "cgw-%d", i);
        cgw->state = xstrdup("available");
        struct vpn_connection *vpn = lot_add(r, &vpn_connection_kind, "vpn-%d", i);
        snprintf(vpn->customer_gateway_id, ID_SIZE, "cgw-%d", i);
        snprintf(i ? vpn->tgw_id : vpn->vpn_gateway_id, ID_SIZE, "%s", i ? "tgw-0" : "vgw-0");
        vpn->state = xstrdup(chance(r, 95) ? "available" : "deleted");
        vpn->static_routes_only = chance(r, 60);
        if (vpn->static_routes_only || chance(r, 30)) {
            char text[32];
            struct vpn_static_route *route = VEC_ADD(&vpn->routes);
            snprintf(text, sizeof text, "192.168.%d.0/24", 1 + i);
            route->cidr = cidr_lit(text);
            route->state = xstrdup("available");
        }
    }
}

/* ---- Direct Connect -------------------------------------------------------------------------------------------------
 */

/* A block of a VPC as a whole, a part of it, or what holds several. */
static struct cidr
joined_allowed(struct random_net *r)
{
    static const char *const formats[] = { "10.%d.0.0/16", "10.%d.0.0/16", "10.%d.1.0/24", "2001:db8:%x::/56" };
    char text[64];
    snprintf(text, sizeof text, formats[lot(r, 4)], lot(r, r->n_vpcs));
    return cidr_lit(chance(r, 15) ? "10.0.0.0/8" : text);
}

/* Its lines: none that the lab knows, or one or two, of which some are down. */
static void
joined_lines(struct random_net *r, const struct direct_connect_gateway *gateway, const char *type)
{
    for (int i = lot(r, 3); i > 0; i--) {
        struct err err = { 0 };
        struct direct_connect_connection *connection =
            direct_connect_connection_create(r->net, "line", "EqDC2", "1Gbps");
        struct virtual_interface_spec spec = { .connection_id = connection->obj.id,
                                               .name = "line",
                                               .type = type,
                                               .gateway_id = gateway->obj.id,
                                               .vlan = 100 + i,
                                               .asn = 65000 };
        struct virtual_interface *vif = virtual_interface_create(r->net, &spec, &err);
        if (vif && chance(r, 25)) {
            struct direct_connect_peer *peer = &vif->peers.items[0];
            free(peer->status);
            peer->status = xstrdup("down");
        }
        if (vif && chance(r, 40)) {
            struct direct_connect_peer *peer = VEC_ADD(&vif->peers);
            peer->family = xstrdup("ipv6");
            peer->state = xstrdup("available");
            peer->status = xstrdup(chance(r, 70) ? "up" : "down");
        }
        if (vif && chance(r, 10)) {
            failure_add(r->net, "vif", vif->obj.id, &err);
        }
    }
}

/* A gateway for what is at the customer's, associated with a virtual private gateway or with a transit gateway; NULL:
 * AWS refuses it. */
static const struct direct_connect_gateway *
joined_direct_connect(struct random_net *r, const char *associated, const char *type)
{
    struct err err = { 0 };
    struct cidr allowed[3];
    size_t n = (size_t)lot(r, 3) + (strcmp(type, "transit") == 0); /* there AWS wants one */
    for (size_t i = 0; i < n; i++) {
        allowed[i] = joined_allowed(r);
    }
    struct direct_connect_gateway *gateway = direct_connect_gateway_create(r->net, "office", 65001, &err);
    if (!gateway || !direct_connect_associate(r->net, gateway, associated, allowed, n, &err)) {
        return NULL;
    }
    joined_lines(r, gateway, type);
    return gateway;
}

/* The transit gateway's tables know of it, or not. */
static void
joined_tgw_lines(struct random_net *r, const struct direct_connect_gateway *gateway)
{
    struct store *store = network_store(r->net);
    struct tgw_attachment *at = store_first(store, &tgw_attachment_kind);
    while (at && strcmp(at->resource_id, gateway->obj.id) != 0) {
        at = store_next(store, at);
    }
    if (at && chance(r, 95)) {
        snprintf(at->table_id, sizeof at->table_id, "tgw-rtb-%d", lot(r, 2));
    }
    for (int i = 0; at && i < 2; i++) {
        char id[ID_SIZE];
        snprintf(id, sizeof id, "tgw-rtb-%d", i);
        struct tgw_route_table *table = store_get(store, &tgw_route_table_kind, id);
        if (chance(r, 60)) {
            struct tgw_propagation *p = VEC_ADD(&table->propagations);
            snprintf(p->attachment_id, sizeof p->attachment_id, "%s", at->obj.id);
            p->state = xstrdup("enabled");
        }
        struct cidr to = cidr_lit(chance(r, 70) ? "172.20.0.0/16" : "10.200.0.0/16");
        if (chance(r, 60)) {
            struct tgw_route *route = VEC_ADD(&table->routes);
            route->cidr = to;
            route->type = xstrdup("static");
            route->state = xstrdup("active");
            snprintf(VEC_ADD(&route->attachments)->attachment_id, ID_SIZE, "%s", at->obj.id);
        }
    }
}

static void
joined_direct_connects(struct random_net *r)
{
    /* Beside a VPN connection that speaks BGP too nobody could say which of the two a packet takes. */
    const struct vpn_connection *vpn = store_get(network_store(r->net), &vpn_connection_kind, "vpn-0");
    if (chance(r, vpn->static_routes_only ? 60 : 5)) {
        joined_direct_connect(r, "vgw-0", "private");
    }
    const struct direct_connect_gateway *dx = chance(r, 40) ? joined_direct_connect(r, "tgw-0", "transit") : NULL;
    if (dx) {
        joined_tgw_lines(r, dx);
    }
}

static void
joined_route(struct random_net *r, struct route_table *table, int vpc)
{
    struct cidr to = joined_cidr(r, chance(r, 25));
    char own[64];
    snprintf(own, sizeof own, to.ip.family == IP_V6 ? "2001:db8:%x::/56" : "10.%d.0.0/16", vpc);
    struct cidr block = cidr_lit(own);
    if (lot_has_route(table, &to) || cidr_contains(&block, &to)) {
        return;
    }
    int kind = lot(r, 10);
    if (kind >= 8 && (vpc != 0 || to.ip.family == IP_V6)) {
        kind = 0; /* the virtual private gateway is the first VPC's */
    }
    struct route *route = lot_add_route(table, to, "CreateRoute", "active");
    if (kind < 6) {
        route->transit_gateway_id =
            lot_text("tgw-%d", store_count(network_store(r->net), &transit_gateway_kind) > 1 ? lot(r, 2) : 0);
    } else if (kind < 8) {
        route->peering_id = xstrdup("pcx-0");
    } else {
        route->gateway_id = xstrdup("vgw-0");
    }
}

static void
joined_peering(struct random_net *r)
{
    if (r->n_vpcs < 2) {
        return;
    }
    struct peering *p = lot_add(r, &peering_kind, "pcx-%d", 0);
    struct peering_side *sides[] = { &p->requester, &p->accepter };
    for (int i = 0; i < 2; i++) {
        char text[32];
        snprintf(sides[i]->vpc_id, ID_SIZE, "vpc-%d", i);
        snprintf(text, sizeof text, "10.%d.0.0/16", i);
        sides[i]->cidr = cidr_lit(text);
    }
    p->status = xstrdup(chance(r, 85) ? "active" : "deleted");
}

static const char *const lot_zones[] = { "us-east-1a", "us-east-1b", "us-east-1c" };

void
lot_zones_of_subnets(struct random_net *r, int n_zones)
{
    struct store *store = network_store(r->net);
    for (struct subnet *s = store_first(store, &subnet_kind); s; s = store_next(store, s)) {
        free(s->zone);
        s->zone = xstrdup(lot_zones[lot(r, n_zones)]);
    }
}

void
random_net_settle_groups(struct random_net *r)
{
    struct store *store = network_store(r->net);
    for (struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        snprintf(g->vpc_id, sizeof g->vpc_id, "vpc-%d", atoi(g->obj.id + strlen("sg-")) % r->n_vpcs);
    }
    for (struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        int vpc = atoi(eni->vpc_id + strlen("vpc-"));
        for (size_t i = 0; i < eni->groups.n; i++) {
            int g = atoi(eni->groups.items[i].id + strlen("sg-"));
            snprintf(eni->groups.items[i].id, ID_SIZE, "sg-%d", g % r->n_vpcs == vpc ? g : vpc);
        }
    }
}

void
random_net_make_joined(struct random_net *r, uint64_t seed)
{
    random_net_make(r, seed, true, false);
    struct store *store = network_store(r->net);
    lot_zones_of_subnets(r, 3);
    joined_tgws(r);
    joined_vpns(r);
    joined_direct_connects(r);
    joined_peering(r);
    for (struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (int i = 1 + lot(r, 3); i > 0; i--) {
            joined_route(r, t, atoi(t->vpc_id + strlen("vpc-")));
        }
    }
    random_net_settle_groups(r);
    if (chance(r, 20)) {
        failure_add(r->net, "az", lot_zones[lot(r, 3)], NULL);
    }
    store_touch(store);
}
