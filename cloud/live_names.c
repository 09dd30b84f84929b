#include "cloud/live_names.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/vec.h"
#include "cloud/names.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/onprem.h"
#include "netsim/model/resolver.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

#define CALLER4 "8.8.8.8"
#define CALLER6 "2001:4860:4860::8888"

static void
name_node(struct live_node *node, const struct object *object)
{
    const char *name = object_name(object);
    snprintf(node->name, sizeof node->name, "%.79s", name && *name ? name : object->id);
}

static void
name_host(struct live_node *node, const struct ip *ip)
{
    if (ip && ip->family == IP_V4) {
        unsigned n = (unsigned)ip->lo;
        snprintf(node->hostname, sizeof node->hostname, "ip-%u-%u-%u-%u", n >> 24, n >> 16 & 255, n >> 8 & 255,
                 n & 255);
    }
}

static bool
find_instance(const struct cloud *cloud, const char *id, const struct eni *eni, struct live_node *node, struct err *err)
{
    const struct instance *instance = store_get(network_store(cloud->net), &instance_kind, id);
    if (!instance || !instance_is_running(instance)) {
        err_set(err, ERR_INPUT, "IncorrectInstanceState", "instance `%s` is %s, so it is not in the live lab", id,
                instance && instance->state_name ? instance->state_name : "missing");
        bool over = !instance || !instance->state_name || strcmp(instance->state_name, "terminated") == 0;
        return over ? err_hint(err, "it does not come back: `ec2 run-instances` makes another")
                    : err_hint(err, "`ec2 start-instances --instance-ids %s`", id);
    }
    node->eni = eni ? eni : instance_eni(cloud->net, instance, 0);
    snprintf(node->id, sizeof node->id, "%s", id);
    snprintf(node->end, sizeof node->end, "%s", eni ? eni->obj.id : id);
    name_node(node, &instance->obj);
    name_host(node, node->eni ? eni_primary_ip(node->eni) : NULL);
    return true;
}

/* The host of a site has the address. */
static bool
find_site_by_address(const struct cloud *cloud, const struct ip *ip, struct live_node *node)
{
    onprem_site_vec sites = { 0 };
    onprem_sites(cloud->net, &sites);
    bool found = false;
    for (size_t i = 0; !found && i < sites.n; i++) {
        for (size_t j = 0; !found && j < sites.items[i].n_prefixes; j++) {
            if (cidr_contains_ip(&sites.items[i].prefixes[j], ip)) {
                const char *id = sites.items[i].id;
                snprintf(node->id, sizeof node->id, "%s", id);
                snprintf(node->end, sizeof node->end, "%s", id);
                snprintf(node->site, sizeof node->site, "%s", id);
                snprintf(node->name, sizeof node->name, "%s", ip_str(ip));
                found = true;
            }
        }
    }
    VEC_DONE(&sites);
    return found;
}

static bool
find_by_address(const struct cloud *cloud, const struct ip *ip, struct live_node *node, struct err *err)
{
    node->ip = *ip;
    const struct store *store = network_store(cloud->net);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        bool public = false;
        for (size_t i = 0; i < eni->addresses.n; i++) {
            public |= ip_equal(&eni->addresses.items[i].association.public_ip, ip);
        }
        if ((public || eni_has_ip(eni, ip)) && eni->attachment.instance_id[0]) {
            return find_instance(cloud, eni->attachment.instance_id, eni, node, err);
        }
    }
    if (find_site_by_address(cloud, ip, node)) {
        return true;
    }
    snprintf(node->id, sizeof node->id, "internet");
    snprintf(node->end, sizeof node->end, "internet");
    snprintf(node->name, sizeof node->name, "%s", ip_str(ip));
    return true;
}

/* 'of' is a VPC, a transit gateway or a virtual private gateway. */
static bool
has_router(const struct store *store, const char *id)
{
    return store_get(store, &transit_gateway_kind, id) || store_get(store, &vpn_gateway_kind, id) ||
           store_get(store, &vpc_kind, id);
}

static bool
find_router(const struct cloud *cloud, const char *of, struct live_node *node, struct err *err)
{
    char id[ID_SIZE];
    const struct store *store = network_store(cloud->net);
    if (!cloud_resolve(cloud, NULL, of, id, err)) {
        return false;
    }
    bool gateway = store_get(store, &transit_gateway_kind, id) || store_get(store, &vpn_gateway_kind, id);
    if (!has_router(store, id)) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "`%s` has no router: name a VPC, a transit gateway or a virtual private gateway", of);
    }
    snprintf(node->id, sizeof node->id, "%s%s", gateway ? "" : "router:", id);
    snprintf(node->name, sizeof node->name, "%s", node->id);
    snprintf(node->hostname, sizeof node->hostname, "router");
    return true;
}

/* A network outside AWS; 'name' is its customer or Direct Connect gateway, NULL: the only one there is. */
static bool
find_site(const struct cloud *cloud, const char *name, struct live_node *node, struct err *err)
{
    onprem_site_vec sites = { 0 };
    char id[ID_SIZE] = "";
    const struct onprem_site *found = NULL;
    onprem_sites(cloud->net, &sites);
    bool ok = !name || cloud_resolve(cloud, NULL, name, id, err);
    const char *line = onprem_site_of_vgw(cloud->net, onprem_site_end(cloud->net, id));
    if (line) { /* several virtual interfaces lead to one site */
        snprintf(id, sizeof id, "%s", line);
    }
    for (size_t i = 0; ok && i < sites.n; i++) {
        found = !name || strcmp(sites.items[i].id, id) == 0 ? &sites.items[i] : found;
    }
    if (ok && !found) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterValue", "no network on premises is connected%s%s%s",
                     name ? " by `" : "", name ? name : "", name ? "`" : "");
        err_hint(err, "a customer gateway with a VPN connection (`ec2 create-vpn-connection`) has one, so has a "
                      "virtual interface");
    } else if (ok && !name && sites.n > 1) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterValue", "%zu networks on premises are connected", sites.n);
        err_hint(err, "say which: onprem:%s", sites.items[0].id);
    } else if (ok) {
        snprintf(node->id, sizeof node->id, "%s", found->id);
        snprintf(node->end, sizeof node->end, "%s", found->id);
        snprintf(node->site, sizeof node->site, "%s", found->id);
        snprintf(node->name, sizeof node->name, "%s", name ? name : "onprem");
        snprintf(node->hostname, sizeof node->hostname, "onprem");
    }
    VEC_DONE(&sites);
    return ok;
}

/* It is one end, and has no name but its id. */
static void
call_node(struct live_node *node, const char *id)
{
    snprintf(node->id, sizeof node->id, "%s", id);
    snprintf(node->end, sizeof node->end, "%s", id);
    snprintf(node->name, sizeof node->name, "%s", id);
}

bool
live_node_find(const struct cloud *cloud, const char *text, struct live_node *node, struct err *err)
{
    char id[ID_SIZE];
    struct ip ip;
    const struct store *store = network_store(cloud->net);
    *node = (struct live_node){ .hostname = "vpclab" };
    if (strcmp(text, "internet") == 0) {
        call_node(node, "internet");
        snprintf(node->hostname, sizeof node->hostname, "internet");
        return true;
    }
    if (strcmp(text, "onprem") == 0 || strncmp(text, "onprem:", 7) == 0) {
        return find_site(cloud, text[6] ? text + 7 : NULL, node, err);
    }
    if (strncmp(text, "router:", 7) == 0) {
        return find_router(cloud, text + 7, node, err);
    }
    if (ip_parse(text, &ip)) {
        return find_by_address(cloud, &ip, node, err);
    }
    if (!cloud_resolve(cloud, NULL, text, id, err)) {
        return false;
    }
    if (has_router(store, id)) {
        return find_router(cloud, id, node, err);
    }
    if (strcmp(id, "scanner") == 0) { /* unless the lab calls something so */
        call_node(node, "scanner");
        snprintf(node->hostname, sizeof node->hostname, "scanner");
        return true;
    }
    const struct eni *eni = store_get(store, &eni_kind, id);
    if (eni && eni->attachment.instance_id[0]) {
        return find_instance(cloud, eni->attachment.instance_id, eni, node, err);
    }
    if (eni && (network_endpoint_of_eni(cloud->net, id) || network_load_balancer_of_eni(cloud->net, eni) ||
                network_classic_balancer_of_eni(cloud->net, eni))) {
        node->eni = eni; /* AWS's own machine behind it */
        call_node(node, id);
        return true;
    }
    const struct vpn_connection *vpn = store_get(store, &vpn_connection_kind, id);
    const char *site = vpn ? onprem_site_of_vpn(cloud->net, vpn) : NULL;
    if (site) { /* what is behind it */
        return find_site(cloud, site, node, err);
    }
    if (store_get(store, &customer_gateway_kind, id) || store_get(store, &direct_connect_gateway_kind, id) ||
        store_get(store, &virtual_interface_kind, id)) {
        return find_site(cloud, id, node, err);
    }
    const struct nat_gateway *nat = store_get(store, &nat_gateway_kind, id);
    if (nat) {
        call_node(node, id);
        name_node(node, &nat->obj);
        return true;
    }
    if (store_get(store, &instance_kind, id)) {
        return find_instance(cloud, id, NULL, node, err);
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is no machine of the live lab", text);
    return err_hint(err, "an instance, an attached interface, a NAT gateway, `internet`, `scanner`, `onprem`, a VPC or "
                         "gateway (its router) or an address");
}

bool
live_balancer_find(const struct cloud *cloud, const char *text, struct live_balancer *out)
{
    const struct store *store = network_store(cloud->net);
    char id[ID_SIZE];
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        bool is = (lb->name && strcmp(lb->name, text) == 0) || (lb->arn && strcmp(lb->arn, text) == 0) ||
                  (lb->dns_name && strcmp(lb->dns_name, text) == 0) || strcmp(lb->obj.id, text) == 0;
        const struct object *other = is && cloud_resolve(cloud, NULL, text, id, NULL) ? store_find(store, id) : NULL;
        if (is && lb->dns_name && (!other || other == &lb->obj)) { /* a Name tag comes first */
            *out = (struct live_balancer){ lb->obj.id, lb->dns_name, lb->type && strcmp(lb->type, "application") == 0 };
            return true;
        }
    }
    const struct classic_balancer *classic = store_get(store, &classic_balancer_kind, text);
    *out = (struct live_balancer){ classic ? classic->obj.id : NULL, classic ? classic->dns_name : NULL, false };
    return classic && classic->dns_name;
}

/* Interfaces that no machine has (of endpoints and balancers) are meant by their address. */
static bool
find_by_interface(const struct cloud *cloud, const char *text, int family, struct live_node *to, struct err *err)
{
    const struct store *store = network_store(cloud->net);
    char id[ID_SIZE];
    if (!cloud_resolve(cloud, NULL, text, id, NULL)) {
        return false;
    }
    const struct endpoint *endpoint = store_get(store, &endpoint_kind, id);
    const char *eni_id = endpoint && endpoint->eni_ids.n ? endpoint->eni_ids.items[0] : id;
    const struct eni *eni = store_get(store, &eni_kind, eni_id);
    const struct ip *ip = !eni                                   ? NULL
                          : family == IP_V6 && eni->addresses6.n ? &eni->addresses6.items[0].ip
                                                                 : eni_primary_ip(eni);
    return ip && !eni->attachment.instance_id[0] && live_node_find(cloud, ip_str(ip), to, err);
}

bool
live_destination_find(const struct cloud *cloud, const struct live_node *from, const char *text, int family,
                      struct live_node *to, struct err *err)
{
    struct live_balancer balancer;
    text = live_balancer_find(cloud, text, &balancer) ? balancer.domain : text;
    if (!looks_like_domain(text)) {
        return find_by_interface(cloud, text, family, to, NULL) || live_node_find(cloud, text, to, err);
    }
    struct dns_answer answer = { 0 };
    bool ok = names_ask(cloud, from->eni ? from->eni->vpc_id : NULL,
                        from->eni ? subnet_of_end(cloud->net, from->eni->obj.id) : NULL, text,
                        family == IP_V6 ? DNS_AAAA : 0, &answer, err);
    const struct ip *ip = ok ? names_address(&answer) : NULL;
    if (ok && !ip) {
        ok = err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no address for `%s`", text, from->name);
        err_hint(err, "`resolve %s --from %s` says why", text, from->name);
    }
    ok = ok && live_node_find(cloud, ip_str(ip), to, err);
    dns_answer_done(&answer);
    return ok;
}

static const struct ip *
public_address(const struct eni *eni, int family)
{
    const struct ip *primary = eni_primary_ip(eni);
    if (family == IP_V6) {
        return eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL;
    }
    const struct ip *public = primary ? eni_public_ip(eni, primary) : NULL;
    return public ? public : primary;
}

static bool
site_address(const struct cloud *cloud, const char *id, int family, struct ip *ip)
{
    onprem_site_vec sites = { 0 };
    onprem_sites(cloud->net, &sites);
    *ip = (struct ip){ 0 };
    for (size_t i = 0; i < sites.n; i++) {
        if (strcmp(sites.items[i].id, id) == 0) {
            *ip = onprem_host(&sites.items[i], family);
        }
    }
    VEC_DONE(&sites);
    return ip->family != 0;
}

bool
live_node_address(const struct cloud *cloud, const struct live_node *from, const struct live_node *to, int family,
                  struct ip *ip, struct err *err)
{
    const struct ip *found = NULL;
    struct ip caller = ip_lit(family == IP_V6 ? CALLER6 : CALLER4);
    if (!from->end[0] || !to->end[0]) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is a router: it neither sends nor receives",
                from->end[0] ? to->name : from->name);
        return err_hint(err, "an instance, an interface, `onprem` or `internet` does");
    }
    if (to->ip.family) {
        found = &to->ip;
    } else if (strcmp(to->id, "internet") == 0) {
        found = &caller;
    } else if (to->site[0]) {
        found = site_address(cloud, to->site, family, &caller) ? &caller : NULL;
    } else if (to->eni) {
        bool near = from->site[0] || (from->eni && strcmp(from->eni->vpc_id, to->eni->vpc_id) == 0);
        found = !near                   ? public_address(to->eni, family)
                : family == IP_V4       ? eni_primary_ip(to->eni)
                : to->eni->addresses6.n ? &to->eni->addresses6.items[0].ip
                                        : NULL;
    }
    if (!found) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no IPv%d address to send to", to->name,
                       family);
    }
    *ip = *found;
    return true;
}

/* A Name tag as a host name: what /etc/hosts could not hold is left out. */
static void
add_host_name(struct buf *text, const char *name)
{
    for (const char *p = name; p && *p; p++) {
        if (!isalnum((unsigned char)*p) && !strchr("-_.", *p)) {
            return;
        }
    }
    if (name && *name) {
        buf_printf(text, " %s", name);
    }
}

void
live_hosts_text(const struct cloud *cloud, const struct live_node *node, struct buf *text)
{
    const struct store *store = network_store(cloud->net);
    buf_printf(text, "127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for (const struct instance *i = store_first(store, &instance_kind); i; i = store_next(store, i)) {
        const struct eni *eni = instance_is_running(i) ? instance_eni(cloud->net, i, 0) : NULL;
        bool near = eni && (node->site[0] || (node->eni && strcmp(eni->vpc_id, node->eni->vpc_id) == 0));
        /* From another VPC a name means the public address, if there is one. */
        const struct ip *ip = !eni ? NULL : near ? eni_primary_ip(eni) : public_address(eni, IP_V4);
        const char *name = object_name(&i->obj);
        for (int family = IP_V4; eni && family <= IP_V6; family += 2) {
            ip = family == IP_V6 ? (eni->addresses6.n ? &eni->addresses6.items[0].ip : NULL) : ip;
            if (ip) {
                buf_printf(text, "%s %s", ip_str(ip), i->obj.id);
                if (strcmp(i->obj.id, node->id) == 0) {
                    add_host_name(text, node->hostname);
                }
                add_host_name(text, name);
                buf_char(text, '\n');
            }
        }
    }
}

void
live_resolv_text(const struct cloud *cloud, const struct live_node *node, struct buf *text)
{
    const struct vpc *vpc = node->eni ? store_get(network_store(cloud->net), &vpc_kind, node->eni->vpc_id) : NULL;
    if (vpc) {
        struct resolver_client client = { 0 };
        resolver_client_of(cloud->net, vpc, &client);
        if (*client.domain) {
            buf_printf(text, "search %s\n", dns_name_short(client.domain));
        }
        struct ip own = resolver_address(vpc);
        const char *amazon = eni_primary_ip(node->eni) ? ip_str(&own) : "fd00:ec2::253";
        for (size_t i = 0; i < client.servers.n; i++) {
            buf_printf(text, "nameserver %s\n",
                       strcmp(client.servers.items[i], "AmazonProvidedDNS") == 0 ? amazon : client.servers.items[i]);
        }
        resolver_client_done(&client);
    } else if (strcmp(node->id, "internet") == 0 || strcmp(node->id, "scanner") == 0) {
        buf_printf(text, "nameserver %s\n", CALLER4);
    } else {
        buf_str_add(text, "# no name server here\nnameserver 127.0.0.1\n");
    }
    /* A server that does not answer (DNS support switched off) shall not hold a program up for long. */
    buf_str_add(text, "options timeout:1 attempts:1\n");
}
