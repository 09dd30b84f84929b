/* Customer gateways, virtual private gateways and VPN connections: creating, attaching, propagating, deleting. */
#include "netsim/model/internal.h"

static bool
asn_check(int64_t asn, struct err *err)
{
    return (asn >= 64512 && asn <= 65534) || (asn >= INT64_C(4200000000) && asn <= INT64_C(4294967294)) ||
           err_set(err, ERR_INPUT, "InvalidParameterValue",
                   "`AmazonSideAsn` %lld is no private number: 64512 to 65534 or 4200000000 to 4294967294",
                   (long long)asn);
}

static bool
is_gone(const char *state)
{
    return str_is(state, "deleted") || str_is(state, "deleting");
}

/* ---- customer gateways ------------------------------------------------------------------------------------------- */

struct customer_gateway *
customer_gateway_create(struct network *net, const struct ip *ip, int64_t asn, const char *device_name, struct err *err)
{
    if (asn < 1 || asn > INT64_C(4294967295)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`BgpAsn` %lld is not 1 to 4294967295", (long long)asn);
        return NULL;
    }
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)asn);
    for (struct customer_gateway *g = store_first(net->store, &customer_gateway_kind); g;
         g = store_next(net->store, g)) {
        if (ip_equal(&g->ip, ip) && str_is(g->bgp_asn, text) && !is_gone(g->state) &&
            strcmp(g->obj.region, net->region) == 0) {
            return g; /* asked for twice, AWS answers with the first */
        }
    }
    struct customer_gateway *gateway = network_add(net, &customer_gateway_kind, NULL);
    gateway->ip = *ip;
    gateway->bgp_asn = xstrdup(text);
    gateway->type = xstrdup("ipsec.1");
    gateway->state = xstrdup("available");
    gateway->device_name = device_name ? xstrdup(device_name) : NULL;
    return gateway;
}

/* VPN connections in force that one of their gateways is. */
static bool
in_use(const struct network *net, const char *id, struct err *err)
{
    struct dependents left = { 0 };
    for (const struct vpn_connection *v = store_first(net->store, &vpn_connection_kind); v;
         v = store_next(net->store, v)) {
        dependents_add_if(&left,
                          !is_gone(v->state) &&
                              (strcmp(v->customer_gateway_id, id) == 0 || strcmp(v->vpn_gateway_id, id) == 0),
                          v->obj.id);
    }
    bool used = left.n > 0;
    if (used) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` is in use by %s", id, buf_str(&left.text));
        err_hint(err, "delete-vpn-connection first");
    }
    buf_done(&left.text);
    return used;
}

bool
customer_gateway_delete(struct network *net, struct customer_gateway *gateway, struct err *err)
{
    if (in_use(net, gateway->obj.id, err)) {
        return false;
    }
    str_set(&gateway->state, "deleted");
    network_touch(net);
    return true;
}

/* ---- virtual private gateways ------------------------------------------------------------------------------------ */

struct vpn_gateway *
vpn_gateway_create(struct network *net, int64_t asn, const char *zone, struct err *err)
{
    if (!asn_check(asn, err)) {
        return NULL;
    }
    struct vpn_gateway *vgw = network_add(net, &vpn_gateway_kind, NULL);
    vgw->amazon_side_asn = asn;
    vgw->zone = zone ? xstrdup(zone) : NULL;
    vgw->type = xstrdup("ipsec.1");
    vgw->state = xstrdup("available");
    return vgw;
}

struct vpn_gateway *
vpn_gateway_require(const struct network *net, const char *id, struct err *err)
{
    struct vpn_gateway *vgw = network_require(net, &vpn_gateway_kind, id, err);
    if (vgw && is_gone(vgw->state)) {
        err_set(err, ERR_INPUT, vpn_gateway_kind.not_found, "the VPN gateway `%s` is deleted", id);
        return NULL;
    }
    return vgw;
}

bool
vpn_gateway_delete(struct network *net, struct vpn_gateway *vgw, struct err *err)
{
    if (vpn_gateway_vpc(vgw)) {
        err_set(err, ERR_INPUT, "IncorrectState", "the VPN gateway `%s` is attached to `%s`", vgw->obj.id,
                vpn_gateway_vpc(vgw));
        return err_hint(err, "detach-vpn-gateway first");
    }
    if (in_use(net, vgw->obj.id, err)) {
        return false;
    }
    str_set(&vgw->state, "deleted");
    store_touch(net->store);
    routes_target_gone(net, vgw->obj.id);
    return true;
}

bool
vpn_gateway_attach(struct network *net, struct vpn_gateway *vgw, const char *vpc_id, struct err *err)
{
    const struct vpn_gateway *other = network_vpc_vgw(net, vpc_id);
    if (!network_require(net, &vpc_kind, vpc_id, err)) {
        return false;
    }
    if (vpn_gateway_vpc(vgw) || other) {
        return err_set(err, ERR_INPUT, "VpnGatewayAttachmentLimitExceeded", "`%s` is attached to `%s`: one at a time",
                       other ? other->obj.id : vgw->obj.id, other ? vpc_id : vpn_gateway_vpc(vgw));
    }
    for (size_t i = vgw->attachments.n; i-- > 0;) { /* what was detached is listed until something takes its place */
        free(vgw->attachments.items[i].state);
        VEC_REMOVE(&vgw->attachments, i);
    }
    struct vpn_gateway_attachment *attachment = VEC_ADD(&vgw->attachments);
    id_set(attachment->vpc_id, vpc_id);
    attachment->state = xstrdup("attached");
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

/* Takes the gateway's propagated routes out of the table: all, or (cidr) those to one prefix. */
static void
drop_propagated(struct route_table *table, const char *vgw_id, const struct cidr *cidr)
{
    for (size_t i = table->routes.n; i-- > 0;) {
        struct route *route = &table->routes.items[i];
        if (str_is(route->gateway_id, vgw_id) && str_is(route->origin, "EnableVgwRoutePropagation") &&
            (!cidr || cidr_equal(&route->cidr, cidr))) {
            route_done(route);
            VEC_REMOVE(&table->routes, i);
        }
    }
}

static size_t
propagating_at(const struct route_table *table, const char *vgw_id)
{
    size_t i = 0;
    while (i < table->propagating.n && strcmp(table->propagating.items[i].gateway_id, vgw_id) != 0) {
        i++;
    }
    return i;
}

bool
vpn_gateway_detach(struct network *net, struct vpn_gateway *vgw, const char *vpc_id, struct err *err)
{
    if (!str_is(vpn_gateway_vpc(vgw), vpc_id)) {
        return err_set(err, ERR_INPUT, "InvalidVpnGatewayAttachment.NotFound", "`%s` is not attached to `%s`",
                       vgw->obj.id, vpc_id);
    }
    for (size_t i = 0; i < vgw->attachments.n; i++) {
        if (strcmp(vgw->attachments.items[i].vpc_id, vpc_id) == 0) {
            str_set(&vgw->attachments.items[i].state, "detached");
        }
    }
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        size_t at = propagating_at(t, vgw->obj.id);
        if (at < t->propagating.n) {
            VEC_REMOVE(&t->propagating, at);
            drop_propagated(t, vgw->obj.id, NULL);
        }
    }
    store_touch(net->store);
    route_tables_refresh(net);
    return true;
}

/* A static route of the same prefix hides a propagated one, which AWS lists nevertheless. */
static void
add_propagated(struct route_table *table, const char *vgw_id, const struct cidr *cidr)
{
    drop_propagated(table, vgw_id, cidr);
    struct route *route = VEC_ADD(&table->routes);
    route->cidr = *cidr;
    route->gateway_id = xstrdup(vgw_id);
    route->origin = xstrdup("EnableVgwRoutePropagation");
    route->state = xstrdup("active");
}

bool
vpn_gateway_propagate(struct network *net, struct vpn_gateway *vgw, struct route_table *table, struct err *err)
{
    if (!str_is(vpn_gateway_vpc(vgw), table->vpc_id)) {
        err_set(err, ERR_INPUT, "Gateway.NotAttached", "the gateway `%s` is not attached to `%s`", vgw->obj.id,
                table->vpc_id);
        return err_hint(err, "attach-vpn-gateway first");
    }
    if (propagating_at(table, vgw->obj.id) < table->propagating.n) {
        return true;
    }
    id_set(VEC_ADD(&table->propagating)->gateway_id, vgw->obj.id);
    for (const struct vpn_connection *v = store_first(net->store, &vpn_connection_kind); v;
         v = store_next(net->store, v)) {
        bool ours = strcmp(v->vpn_gateway_id, vgw->obj.id) == 0 && vpn_connection_is_available(v);
        for (size_t i = 0; ours && i < v->routes.n; i++) {
            if (str_is(v->routes.items[i].state, "available")) {
                add_propagated(table, vgw->obj.id, &v->routes.items[i].cidr);
            }
        }
    }
    store_touch(net->store);
    return true;
}

bool
vpn_gateway_unpropagate(struct network *net, const char *vgw_id, struct route_table *table, struct err *err)
{
    size_t at = propagating_at(table, vgw_id);
    if (at == table->propagating.n) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` does not propagate to `%s`", vgw_id,
                       table->obj.id);
    }
    VEC_REMOVE(&table->propagating, at);
    drop_propagated(table, vgw_id, NULL);
    store_touch(net->store);
    return true;
}

/* ---- connections ------------------------------------------------------------------------------------------------- */

struct vpn_connection *
vpn_connection_create(struct network *net, const struct vpn_spec *spec, struct err *err)
{
    const struct customer_gateway *customer =
        network_require(net, &customer_gateway_kind, spec->customer_gateway_id, err);
    if (customer && is_gone(customer->state)) {
        err_set(err, ERR_INPUT, customer_gateway_kind.not_found, "the customer gateway `%s` is deleted",
                customer->obj.id);
        return NULL;
    }
    if (!customer) {
        return NULL;
    }
    if (!spec->vpn_gateway_id == !spec->tgw_id) {
        err_set(err, ERR_INPUT, spec->tgw_id ? "InvalidParameterCombination" : "MissingParameter",
                "a VPN connection needs `VpnGatewayId` or `TransitGatewayId`%s", spec->tgw_id ? ", not both" : "");
        return NULL;
    }
    const struct vpn_gateway *vgw = spec->vpn_gateway_id ? vpn_gateway_require(net, spec->vpn_gateway_id, err) : NULL;
    struct transit_gateway *tgw = spec->tgw_id ? tgw_require(net, spec->tgw_id, err) : NULL;
    if (!vgw && !tgw) {
        return NULL;
    }
    struct vpn_connection *vpn = network_add(net, &vpn_connection_kind, NULL);
    id_set(vpn->customer_gateway_id, customer->obj.id);
    id_set(vpn->vpn_gateway_id, vgw ? vgw->obj.id : "");
    id_set(vpn->tgw_id, tgw ? tgw->obj.id : "");
    vpn->category = xstrdup("VPN");
    vpn->type = xstrdup("ipsec.1");
    vpn->state = xstrdup("available");
    vpn->static_routes_only = spec->static_routes_only;
    vpn->local_cidr = xstrdup("0.0.0.0/0");
    vpn->remote_cidr = xstrdup("0.0.0.0/0");
    vpn->inside_ip_version = xstrdup("ipv4");
    if (tgw) {
        tgw_attach(net, tgw, "vpn", &vpn->obj);
    }
    store_touch(net->store);
    return vpn;
}

static bool
available_check(const struct vpn_connection *vpn, struct err *err)
{
    return !is_gone(vpn->state) || err_set(err, ERR_INPUT, vpn_connection_kind.not_found,
                                           "the VPN connection `%s` is %s", vpn->obj.id, vpn->state);
}

/* Does any connection of the gateway still lead to this prefix? */
static bool
is_offered(const struct network *net, const char *vgw_id, const struct cidr *cidr)
{
    for (const struct vpn_connection *v = store_first(net->store, &vpn_connection_kind); v;
         v = store_next(net->store, v)) {
        for (size_t i = 0; strcmp(v->vpn_gateway_id, vgw_id) == 0 && vpn_connection_is_available(v) && i < v->routes.n;
             i++) {
            if (str_is(v->routes.items[i].state, "available") && cidr_equal(&v->routes.items[i].cidr, cidr)) {
                return true;
            }
        }
    }
    return false;
}

/* Brings the tables that the gateway propagates to in line with a prefix that came or went. */
static void
follow(struct network *net, const char *vgw_id, const struct cidr *cidr)
{
    bool offered = is_offered(net, vgw_id, cidr);
    for (struct route_table *t = vgw_id[0] ? store_first(net->store, &route_table_kind) : NULL; t;
         t = store_next(net->store, t)) {
        if (propagating_at(t, vgw_id) == t->propagating.n) {
            continue;
        }
        if (offered) {
            add_propagated(t, vgw_id, cidr);
        } else {
            drop_propagated(t, vgw_id, cidr);
        }
    }
    store_touch(net->store);
}

bool
vpn_connection_delete(struct network *net, struct vpn_connection *vpn, struct err *err)
{
    if (!available_check(vpn, err)) {
        return false;
    }
    str_set(&vpn->state, "deleted");
    for (size_t i = 0; i < vpn->routes.n; i++) {
        str_set(&vpn->routes.items[i].state, "deleted");
        follow(net, vpn->vpn_gateway_id, &vpn->routes.items[i].cidr);
    }
    for (struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a; a = store_next(net->store, a)) {
        if (strcmp(a->resource_id, vpn->obj.id) == 0 && !is_gone(a->state)) {
            tgw_attachment_end(net, a);
        }
    }
    store_touch(net->store);
    return true;
}

bool
vpn_connection_add_route(struct network *net, struct vpn_connection *vpn, const struct cidr *cidr, struct err *err)
{
    if (!available_check(vpn, err)) {
        return false;
    }
    if (!vpn->static_routes_only) {
        err_set(err, ERR_INPUT, "InvalidParameterCombination", "`%s` learns its routes by BGP", vpn->obj.id);
        return err_hint(err, "create it with --options StaticRoutesOnly=true");
    }
    struct vpn_static_route *route = NULL;
    for (size_t i = 0; i < vpn->routes.n && !route; i++) {
        route = cidr_equal(&vpn->routes.items[i].cidr, cidr) ? &vpn->routes.items[i] : NULL;
    }
    route = route ? route : VEC_ADD(&vpn->routes);
    route->cidr = *cidr;
    str_set(&route->state, "available");
    str_set(&route->source, "Static");
    follow(net, vpn->vpn_gateway_id, cidr);
    return true;
}

bool
vpn_connection_drop_route(struct network *net, struct vpn_connection *vpn, const struct cidr *cidr, struct err *err)
{
    for (size_t i = 0; i < vpn->routes.n; i++) {
        struct vpn_static_route *route = &vpn->routes.items[i];
        if (cidr_equal(&route->cidr, cidr) && str_is(route->state, "available")) {
            free(route->state);
            free(route->source);
            VEC_REMOVE(&vpn->routes, i);
            follow(net, vpn->vpn_gateway_id, cidr);
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "InvalidRoute.NotFound", "`%s` has no static route to `%s`", vpn->obj.id,
                   cidr_str(cidr));
}
