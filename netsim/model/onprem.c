#include "netsim/model/onprem.h"

#include <stdio.h>
#include <string.h>

#include "netsim/model/direct_connect_way.h"
#include "netsim/model/route_table.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

static bool
same(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

static void
add_prefix(struct onprem_site *site, const struct cidr *prefix)
{
    bool known = !prefix->ip.family || !prefix->bits || site->n_prefixes == ONPREM_PREFIXES;
    for (size_t i = 0; i < site->n_prefixes; i++) {
        known |= cidr_equal(&site->prefixes[i], prefix);
    }
    if (!known) {
        site->prefixes[site->n_prefixes++] = *prefix;
    }
}

/* What tables of VPCs send to the virtual private gateway. */
static void
add_vpc_routes(const struct network *net, struct onprem_site *site, const char *vgw_id)
{
    const struct store *store = network_store(net);
    for (const struct route_table *t = store_first(store, &route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct route *route = &t->routes.items[i];
            if (same(route->gateway_id, vgw_id)) {
                add_prefix(site, route->cidr.ip.family ? &route->cidr : &route->cidr6);
            }
        }
    }
}

/* What tables of transit gateways send to the attachment. */
static void
add_tgw_routes(const struct network *net, struct onprem_site *site, const char *attachment_id)
{
    const struct store *store = network_store(net);
    for (const struct tgw_route_table *t = store_first(store, &tgw_route_table_kind); t; t = store_next(store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const struct tgw_route *route = &t->routes.items[i];
            if (route->attachments.n && same(route->attachments.items[0].attachment_id, attachment_id)) {
                add_prefix(site, &route->cidr);
            }
        }
    }
}

static const struct tgw_attachment *
attachment_of(const struct network *net, const char *resource_id)
{
    const struct store *store = network_store(net);
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (same(a->resource_id, resource_id) && tgw_attachment_is_available(a)) {
            return a;
        }
    }
    return NULL;
}

static bool
leads_somewhere(const struct network *net, const char *vgw_id, const char *resource_id)
{
    const struct vpn_gateway *vgw = *vgw_id ? store_get(network_store(net), &vpn_gateway_kind, vgw_id) : NULL;
    return (vgw && vpn_gateway_vpc(vgw)) || attachment_of(net, resource_id);
}

const char *
onprem_site_of_vpn(const struct network *net, const struct vpn_connection *vpn)
{
    return vpn_connection_is_available(vpn) && leads_somewhere(net, vpn->vpn_gateway_id, vpn->obj.id)
               ? vpn->customer_gateway_id
               : NULL;
}

static struct onprem_site *
site_of(onprem_site_vec *sites, const char *id)
{
    for (size_t i = 0; i < sites->n; i++) {
        if (strcmp(sites->items[i].id, id) == 0) {
            return &sites->items[i];
        }
    }
    struct onprem_site *site = VEC_ADD(sites);
    *site = (struct onprem_site){ .id = id };
    return site;
}

static const char *
association_vgw(const struct direct_connect_association *a)
{
    return *a->vgw_id ? a->vgw_id : strncmp(a->associated_id, "vgw-", 4) == 0 ? a->associated_id : "";
}

static void
add_vpn_sites(const struct network *net, onprem_site_vec *sites)
{
    const struct store *store = network_store(net);
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        const char *id = onprem_site_of_vpn(net, vpn);
        struct onprem_site *site = id && *id ? site_of(sites, id) : NULL;
        for (size_t i = 0; site && i < vpn->routes.n; i++) {
            add_prefix(site, &vpn->routes.items[i].cidr);
        }
        const struct tgw_attachment *attachment = site ? attachment_of(net, vpn->obj.id) : NULL;
        if (site && !vpn->static_routes_only && *vpn->vpn_gateway_id) {
            add_vpc_routes(net, site, vpn->vpn_gateway_id);
        }
        if (attachment && !vpn->static_routes_only) {
            add_tgw_routes(net, site, attachment->obj.id);
        }
    }
}

bool
onprem_direct_connect_is_up(const struct network *net, const char *gateway_id)
{
    return !direct_connect_fault(net, gateway_id, IP_V4) || !direct_connect_fault(net, gateway_id, IP_V6);
}

static void
add_direct_connect_sites(const struct network *net, onprem_site_vec *sites)
{
    const struct store *store = network_store(net);
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); a;
         a = store_next(store, a)) {
        const char *vgw_id = association_vgw(a);
        if (direct_connect_association_carries(a) && onprem_direct_connect_is_up(net, a->gateway_id) &&
            leads_somewhere(net, vgw_id, a->gateway_id)) {
            struct onprem_site *site = site_of(sites, a->gateway_id);
            if (*vgw_id) {
                add_vpc_routes(net, site, vgw_id);
            }
        }
    }
    for (const struct tgw_attachment *a = store_first(store, &tgw_attachment_kind); a; a = store_next(store, a)) {
        if (tgw_attachment_is_available(a) && same(a->resource_type, "direct-connect-gateway") &&
            onprem_direct_connect_is_up(net, a->resource_id)) {
            add_tgw_routes(net, site_of(sites, a->resource_id), a->obj.id);
        }
    }
}

const char *
onprem_site_of_vgw(const struct network *net, const char *vgw_id)
{
    const struct store *store = network_store(net);
    const struct virtual_interface *line = vpn_gateway_line(net, vgw_id);
    bool up = line && onprem_direct_connect_is_up(net, vgw_id) && leads_somewhere(net, vgw_id, "");
    for (const struct direct_connect_association *a = store_first(store, &direct_connect_association_kind); up && a;
         a = store_next(store, a)) {
        up = !same(association_vgw(a), vgw_id) || !direct_connect_association_carries(a);
    }
    return up ? line->obj.id : NULL;
}

const char *
onprem_site_end(const struct network *net, const char *site_id)
{
    const struct virtual_interface *line = store_get(network_store(net), &virtual_interface_kind, site_id);
    return line ? line->vgw_id : site_id;
}

static void
add_line_sites(const struct network *net, onprem_site_vec *sites)
{
    const struct store *store = network_store(net);
    for (const struct vpn_gateway *vgw = store_first(store, &vpn_gateway_kind); vgw; vgw = store_next(store, vgw)) {
        const char *id = onprem_site_of_vgw(net, vgw->obj.id);
        if (id) {
            add_vpc_routes(net, site_of(sites, id), vgw->obj.id);
        }
    }
}

/* The last address of the VPC's block that holds 'ip'; false: no VPC has it. */
static bool
vpc_end(const struct network *net, const struct ip *ip, struct ip *end)
{
    const struct store *store = network_store(net);
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        size_t n = vpc->cidrs.n, n6 = vpc->cidrs6.n;
        for (size_t i = 0; i < n + n6; i++) {
            const struct cidr *c = i < n ? &vpc->cidrs.items[i].cidr : &vpc->cidrs6.items[i - n].cidr;
            if (cidr_contains_ip(c, ip)) {
                *end = cidr_last(c);
                return true;
            }
        }
    }
    return false;
}

static struct ip
free_host(const struct network *net, const struct cidr *prefix)
{
    int width = ip_width(&prefix->ip) - prefix->bits;
    uint64_t step = width >= 4 ? 10 : width > 0 ? 1 : 0;
    struct ip first = cidr_first(prefix), ip = ip_add(&first, step), end;
    for (int tries = 0; tries < 1000 && cidr_contains_ip(prefix, &ip); tries++) {
        if (!vpc_end(net, &ip, &end)) {
            return ip;
        }
        ip = ip_add(&end, 1 + step);
    }
    return (struct ip){ 0 };
}

static void
choose_hosts(const struct network *net, struct onprem_site *site)
{
    for (size_t i = 0; i < site->n_prefixes; i++) {
        struct ip *host = &site->hosts[site->prefixes[i].ip.family == IP_V6];
        *host = host->family ? *host : free_host(net, &site->prefixes[i]);
    }
    char text[32];
    snprintf(text, sizeof text, "192.168.%u.0/24", (unsigned)(20 + hash_bytes(site->id, strlen(site->id)) % 200));
    const struct cidr choices[] = { cidr_lit(text), cidr_lit("172.16.0.0/12"), cidr_lit("10.0.0.0/8") };
    for (size_t i = 0; i < ARRAY_SIZE(choices) && !site->hosts[0].family; i++) {
        site->hosts[0] = free_host(net, &choices[i]);
        struct cidr block = { ip_mask(&site->hosts[0], 24), 24 };
        if (site->hosts[0].family) {
            add_prefix(site, &block);
        }
    }
}

void
onprem_sites(const struct network *net, onprem_site_vec *sites)
{
    add_vpn_sites(net, sites);
    add_direct_connect_sites(net, sites);
    add_line_sites(net, sites);
    for (size_t i = 0; i < sites->n; i++) {
        choose_hosts(net, &sites->items[i]);
    }
}

struct ip
onprem_host(const struct onprem_site *site, int family)
{
    return site->hosts[family == IP_V6];
}
