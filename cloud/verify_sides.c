#include "cloud/verify_sides.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/verify_balancers.h"

#include "netsim/analysis/vpce.h"
#include "netsim/live/internet_hosts.h"
#include "netsim/live/plan.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/private_service.h"
#include "netsim/model/vpn.h"

const struct ip *
verify_eni_address(const struct eni *eni, int family)
{
    return family == IP_V4 ? eni_primary_ip(eni) : eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
}

const struct ip *
verify_side_address(const struct verify_side *side, int family)
{
    static const struct ip callers[2] = { { .family = IP_V4, .lo = 0x08080808 },
                                          { .family = IP_V6, .hi = 0x2001486048600000, .lo = 0x8888 } };
    const struct ip *ip = side->eni       ? verify_eni_address(side->eni, family)
                          : side->gateway ? &side->hosts[family == IP_V6]
                                          : &callers[family == IP_V6];
    return ip && ip->family ? ip : NULL;
}

static const char *
verify_side_id(const struct verify_side *side)
{
    return side->eni ? side->eni->obj.id : side->gateway ? side->gateway : "internet";
}

struct flow_end
verify_side_end(const struct verify_side *side)
{
    struct flow_end e = { .kind = side->eni ? FLOW_END_ENI : side->gateway ? FLOW_END_GATEWAY : FLOW_END_INTERNET };
    if (e.kind != FLOW_END_INTERNET) {
        snprintf(e.id, sizeof e.id, "%s", verify_side_id(side));
    }
    if (side->only_answers && side->gateway) {
        flow_end_of_id(side->gateway, &e);
    }
    return e;
}

/* One host of the internet is a machine of its own: it alone hears what is for its address. */
const char *
verify_side_probe_end(const struct verify_side *side, const struct ip *ip)
{
    for (const struct internet_host *h = internet_hosts; h->name && !side->eni && !side->gateway; h++) {
        const struct ip own = ip_lit(ip->family == IP_V6 ? h->ip6 : h->ip4);
        if (!h->port && ip_equal(&own, ip)) {
            return PLAN_SCANNER_ID;
        }
    }
    bool by_line = side->site && strncmp(side->gateway, "vgw-", 4) == 0; /* the gateway is a machine of its own */
    return side->receivers.n ? side->receivers.items[0] : by_line ? side->site : verify_side_id(side);
}

struct gathering {
    const struct network *net;
    onprem_site_vec *sites;
    verify_side_vec *sides;
};

static void
add_site(struct gathering *g, const char *site_id, const char *gateway, const char *name)
{
    for (size_t i = 0; site_id && i < g->sites->n; i++) {
        const struct onprem_site *site = &g->sites->items[i];
        if (strcmp(site->id, site_id) == 0) {
            *VEC_ADD(g->sides) =
                (struct verify_side){ .name = name,
                                      .gateway = gateway,
                                      .site = site->id,
                                      .hosts = { onprem_host(site, IP_V4), onprem_host(site, IP_V6) } };
        }
    }
}

/* Networks outside AWS, by each of their connections. */
static void
add_sites(struct gathering *g)
{
    const struct store *store = network_store(g->net);
    onprem_sites(g->net, g->sites);
    for (const struct vpn_connection *vpn = store_first(store, &vpn_connection_kind); vpn;
         vpn = store_next(store, vpn)) {
        const char *name = object_name(&vpn->obj);
        add_site(g, onprem_site_of_vpn(g->net, vpn), vpn->obj.id, name && *name ? name : vpn->obj.id);
    }
    for (size_t i = 0; i < g->sites->n; i++) {
        const char *id = g->sites->items[i].id;
        if (strncmp(id, "cgw-", 4) != 0) { /* a Direct Connect gateway, or a virtual interface */
            add_site(g, id, onprem_site_end(g->net, id), id);
        }
    }
}

/* Endpoints, and balancers with instances behind them. */
static void
add_places(struct gathering *g)
{
    const struct network *net = g->net;
    const struct store *store = network_store(net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        const struct endpoint *endpoint = network_endpoint_of_eni(net, eni->obj.id);
        const struct load_balancer *lb = endpoint ? NULL : network_load_balancer_of_eni(net, eni);
        const struct private_service *service = endpoint ? network_private_service(net, endpoint->service_name) : NULL;
        const struct classic_balancer *classic = endpoint || lb ? NULL : network_classic_balancer_of_eni(net, eni);
        struct verify_side side = {
            .eni = eni, .name = eni->obj.id, .only_answers = true, .balancer = lb, .classic = classic
        };
        if (lb && lb->type && strcmp(lb->type, "gateway") == 0) {
            continue; /* routes lead to its endpoints; nobody asks it by its address */
        }
        bool application = lb && lb->type && strcmp(lb->type, "application") == 0;
        bool balanced = (lb || service || classic) && verify_side_find_receivers(net, service, &side);
        if (balanced || application || (endpoint && !service && endpoint_is_available(endpoint))) {
            *VEC_ADD(g->sides) = side;
        }
    }
    for (const struct endpoint *e = store_first(store, &endpoint_kind); e; e = store_next(store, e)) {
        struct ip ip = { 0 };
        if (endpoint_is_gateway(e) && endpoint_is_available(e) && vpce_service_address(net, e->obj.id, IP_V4, &ip)) {
            *VEC_ADD(g->sides) =
                (struct verify_side){ .name = e->obj.id, .gateway = e->obj.id, .hosts = { ip }, .only_answers = true };
        }
    }
}

void
verify_sides_gather(const struct network *net, onprem_site_vec *sites, verify_side_vec *sides)
{
    struct gathering g = { net, sites, sides };
    const struct store *store = network_store(net);
    for (const struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        if (!instance_is_running(i)) {
            continue;
        }
        const char *name = object_name(&i->obj);
        for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
            if (strcmp(eni->attachment.instance_id, i->obj.id) == 0) {
                bool first = eni->attachment.device_index == 0;
                *VEC_ADD(sides) = (struct verify_side){
                    .eni = eni, .name = !first || !name || !*name ? (first ? i->obj.id : eni->obj.id) : name
                };
            }
        }
    }
    add_sites(&g);
    add_places(&g);
    *VEC_ADD(sides) = (struct verify_side){ .name = "internet" };
}

void
verify_sides_done(verify_side_vec *sides)
{
    for (size_t i = 0; i < sides->n; i++) {
        VEC_DONE(&sides->items[i].receivers);
        free(sides->items[i].also);
    }
    VEC_DONE(sides);
}
