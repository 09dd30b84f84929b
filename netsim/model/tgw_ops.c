/* Transit gateways and their route tables: creating, associating, propagating, routing. */
#include "netsim/model/internal.h"

const char *
tgw_choice(const char *given, const char *otherwise)
{
    return str_empty(given) ? otherwise : given;
}

bool
tgw_is_gone(const char *state)
{
    return str_is(state, "deleted") || str_is(state, "deleting");
}

struct transit_gateway *
tgw_require(const struct network *net, const char *id, struct err *err)
{
    struct transit_gateway *tgw = network_require(net, &transit_gateway_kind, id, err);
    if (tgw && tgw_is_gone(tgw->state)) {
        err_set(err, ERR_INPUT, "InvalidTransitGatewayID.NotFound", "the transit gateway `%s` is deleted", id);
        return NULL;
    }
    return tgw;
}

/* ---- gateways ---------------------------------------------------------------------------------------------------- */

static struct tgw_route_table *
table_add(struct network *net, const struct transit_gateway *tgw)
{
    struct tgw_route_table *table = network_add(net, &tgw_route_table_kind, NULL);
    id_set(table->tgw_id, tgw->obj.id);
    table->state = xstrdup("available");
    table->creation_time = network_now_ms(net);
    return table;
}

struct transit_gateway *
tgw_create(struct network *net, const struct tgw_spec *spec, struct err *err)
{
    int64_t asn = spec->amazon_side_asn ? spec->amazon_side_asn : 64512;
    if (!(asn >= 64512 && asn <= 65534) && !(asn >= INT64_C(4200000000) && asn <= INT64_C(4294967294))) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                "`AmazonSideAsn` %lld is no private number: 64512 to 65534 or 4200000000 to 4294967294",
                (long long)asn);
        return NULL;
    }
    size_t n = 0;
    for (const struct transit_gateway *t = store_first(net->store, &transit_gateway_kind); t;
         t = store_next(net->store, t)) {
        n += !tgw_is_gone(t->state) && strcmp(t->obj.account, net->account) == 0;
    }
    if (net->limits && n >= 5) {
        err_set(err, ERR_INPUT, "TransitGatewayLimitExceeded",
                "the maximum number of transit gateways has been reached (5)");
        return NULL;
    }
    struct transit_gateway *tgw = network_add(net, &transit_gateway_kind, NULL);
    tgw->arn = object_arn(&tgw->obj, "transit-gateway");
    tgw->state = xstrdup("available");
    tgw->description = xstrdup(spec->description ? spec->description : "");
    tgw->creation_time = network_now_ms(net);
    tgw->amazon_side_asn = asn;
    tgw->auto_accept = xstrdup(tgw_choice(spec->auto_accept, "disable"));
    tgw->default_association = xstrdup(tgw_choice(spec->default_association, "enable"));
    tgw->default_propagation = xstrdup(tgw_choice(spec->default_propagation, "enable"));
    tgw->vpn_ecmp = xstrdup(tgw_choice(spec->vpn_ecmp, "enable"));
    tgw->dns_support = xstrdup(tgw_choice(spec->dns_support, "enable"));
    tgw->sg_referencing = xstrdup(tgw_choice(spec->sg_referencing, "disable"));
    tgw->multicast = xstrdup("disable");
    bool associates = str_is(tgw->default_association, "enable"),
         propagates = str_is(tgw->default_propagation, "enable");
    if (associates || propagates) { /* one table is both */
        struct tgw_route_table *table = table_add(net, tgw);
        table->default_association = associates;
        table->default_propagation = propagates;
        id_set(tgw->association_table_id, associates ? table->obj.id : "");
        id_set(tgw->propagation_table_id, propagates ? table->obj.id : "");
    }
    return tgw;
}

bool
tgw_delete(struct network *net, struct transit_gateway *tgw, struct err *err)
{
    struct dependents left = { 0 };
    for (const struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a;
         a = store_next(net->store, a)) {
        bool ours = strcmp(a->tgw_id, tgw->obj.id) == 0 || strcmp(a->peer_tgw_id, tgw->obj.id) == 0;
        dependents_add_if(&left, ours && !tgw_attachment_is_over(a), a->obj.id);
    }
    if (left.n) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` has attachments that are not deleted: %s", tgw->obj.id,
                buf_str(&left.text));
        buf_done(&left.text);
        return err_hint(err, "delete-transit-gateway-vpc-attachment, delete-vpn-connection");
    }
    for (struct tgw_route_table *t = store_first(net->store, &tgw_route_table_kind), *next; t; t = next) {
        next = store_next(net->store, t);
        if (strcmp(t->tgw_id, tgw->obj.id) == 0) {
            network_remove(net, t);
        }
    }
    str_set(&tgw->state, "deleted");
    tgw->association_table_id[0] = tgw->propagation_table_id[0] = '\0';
    store_touch(net->store);
    return true;
}

/* ---- tables ------------------------------------------------------------------------------------------------------ */

struct tgw_route_table *
tgw_table_create(struct network *net, const char *tgw_id, struct err *err)
{
    const struct transit_gateway *tgw = tgw_require(net, tgw_id, err);
    return tgw ? table_add(net, tgw) : NULL;
}

bool
tgw_table_delete(struct network *net, struct tgw_route_table *table, struct err *err)
{
    const struct transit_gateway *tgw = store_get(net->store, &transit_gateway_kind, table->tgw_id);
    struct dependents left = { 0 };
    if (tgw && (strcmp(tgw->association_table_id, table->obj.id) == 0 ||
                strcmp(tgw->propagation_table_id, table->obj.id) == 0)) {
        return err_set(err, ERR_INPUT, "IncorrectState", "`%s` is a default route table of `%s`", table->obj.id,
                       tgw->obj.id);
    }
    for (const struct tgw_attachment *a = store_first(net->store, &tgw_attachment_kind); a;
         a = store_next(net->store, a)) {
        dependents_add_if(
            &left, strcmp(a->table_id, table->obj.id) == 0 || strcmp(a->peer_table_id, table->obj.id) == 0, a->obj.id);
    }
    if (left.n) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` has associations: %s", table->obj.id, buf_str(&left.text));
        buf_done(&left.text);
        return err_hint(err, "disassociate-transit-gateway-route-table");
    }
    network_remove(net, table);
    return true;
}

static bool
same_gateway(const struct tgw_route_table *table, const struct tgw_attachment *attachment, struct err *err)
{
    return strcmp(table->tgw_id, attachment->tgw_id) == 0 || strcmp(table->tgw_id, attachment->peer_tgw_id) == 0 ||
           err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of `%s`, `%s` of `%s`", table->obj.id,
                   table->tgw_id, attachment->obj.id, attachment->tgw_id);
}

/* One that waits for an answer, or got a no, is good for nothing. */
static bool
in_service(const struct tgw_attachment *attachment, struct err *err)
{
    if (str_is(attachment->state, "pendingAcceptance") || str_is(attachment->state, "rejected")) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` is %s", attachment->obj.id, attachment->state);
        return err_hint(err, "the owner of the transit gateway accepts it first");
    }
    return true;
}

/* A peering attachment has an association in each of the two gateways. */
static char *
association_slot(struct tgw_attachment *attachment, const struct tgw_route_table *table, char ***state)
{
    bool own = strcmp(table->tgw_id, attachment->tgw_id) == 0;
    *state = own ? &attachment->association_state : &attachment->peer_association_state;
    return own ? attachment->table_id : attachment->peer_table_id;
}

bool
tgw_associate(struct network *net, struct tgw_route_table *table, struct tgw_attachment *attachment, struct err *err)
{
    if (!same_gateway(table, attachment, err) || !in_service(attachment, err)) {
        return false;
    }
    char **state, *slot = association_slot(attachment, table, &state);
    if (slot[0]) {
        err_set(err, ERR_INPUT, "Resource.AlreadyAssociated", "`%s` is already associated with `%s`",
                attachment->obj.id, slot);
        return err_hint(err, "disassociate-transit-gateway-route-table first");
    }
    memcpy(slot, table->obj.id, ID_SIZE);
    str_set(state, "associated");
    store_touch(net->store);
    return true;
}

bool
tgw_disassociate(struct network *net, struct tgw_route_table *table, struct tgw_attachment *attachment, struct err *err)
{
    char **state, *slot = association_slot(attachment, table, &state);
    if (strcmp(slot, table->obj.id) != 0) {
        return err_set(err, ERR_INPUT, "InvalidAssociation.NotFound", "`%s` is not associated with `%s`",
                       attachment->obj.id, table->obj.id);
    }
    slot[0] = '\0';
    str_set(state, NULL);
    store_touch(net->store);
    return true;
}

static size_t
propagation_find(const struct tgw_route_table *table, const char *attachment_id)
{
    size_t i = 0;
    while (i < table->propagations.n && strcmp(table->propagations.items[i].attachment_id, attachment_id) != 0) {
        i++;
    }
    return i;
}

bool
tgw_propagate(struct network *net, struct tgw_route_table *table, const struct tgw_attachment *attachment,
              struct err *err)
{
    if (!same_gateway(table, attachment, err) || !in_service(attachment, err)) {
        return false;
    }
    if (str_is(attachment->resource_type, "peering")) {
        err_set(err, ERR_INPUT, "IncorrectState", "`%s` is a peering attachment, which propagates no routes",
                attachment->obj.id);
        return err_hint(err, "create-transit-gateway-route adds a static one");
    }
    if (propagation_find(table, attachment->obj.id) < table->propagations.n) {
        return err_set(err, ERR_INPUT, "TransitGatewayRouteTablePropagation.Duplicate",
                       "`%s` propagates to `%s` already", attachment->obj.id, table->obj.id);
    }
    struct tgw_propagation *p = VEC_ADD(&table->propagations);
    id_set(p->attachment_id, attachment->obj.id);
    id_set(p->resource_id, attachment->resource_id);
    p->resource_type = xstrdup(attachment->resource_type);
    p->state = xstrdup("enabled");
    store_touch(net->store);
    return true;
}

bool
tgw_unpropagate(struct network *net, struct tgw_route_table *table, const struct tgw_attachment *attachment,
                struct err *err)
{
    size_t i = propagation_find(table, attachment->obj.id);
    if (i == table->propagations.n) {
        return err_set(err, ERR_INPUT, "TransitGatewayRouteTablePropagation.NotFound",
                       "`%s` does not propagate to `%s`", attachment->obj.id, table->obj.id);
    }
    free(table->propagations.items[i].resource_type);
    free(table->propagations.items[i].state);
    VEC_REMOVE(&table->propagations, i);
    store_touch(net->store);
    return true;
}

/* ---- routes ------------------------------------------------------------------------------------------------------ */

void
tgw_route_done(struct tgw_route *route)
{
    fields_done(tgw_route_fields, route);
}

struct tgw_route *
tgw_route_find(struct tgw_route_table *table, const struct cidr *cidr)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        if (cidr_equal(&table->routes.items[i].cidr, cidr)) {
            return &table->routes.items[i];
        }
    }
    return NULL;
}

static void
route_attach(struct tgw_route *route, const struct tgw_attachment *attachment)
{
    struct tgw_route_attachment *to = VEC_ADD(&route->attachments);
    id_set(to->attachment_id, attachment->obj.id);
    id_set(to->resource_id, attachment->resource_id);
    to->resource_type = xstrdup(attachment->resource_type);
}

struct tgw_route *
tgw_route_put(struct network *net, struct tgw_route_table *table, const struct cidr *cidr,
              const struct tgw_attachment *attachment, bool replace, struct err *err)
{
    struct tgw_route *route = tgw_route_find(table, cidr);
    if (attachment && (!same_gateway(table, attachment, err) || !in_service(attachment, err))) {
        return NULL;
    }
    if (route && !replace) {
        err_set(err, ERR_INPUT, "RouteAlreadyExists", "`%s` has a static route for `%s`", table->obj.id,
                cidr_str(cidr));
        err_hint(err, "replace-transit-gateway-route changes where it leads");
        return NULL;
    }
    if (!route && replace) {
        err_set(err, ERR_INPUT, "InvalidRoute.NotFound", "`%s` has no static route for `%s`", table->obj.id,
                cidr_str(cidr));
        return NULL;
    }
    if (route) {
        tgw_route_done(route);
        *route = (struct tgw_route){ 0 };
    } else {
        route = VEC_ADD(&table->routes);
    }
    route->cidr = *cidr;
    route->type = xstrdup("static");
    route->state = xstrdup(attachment ? "active" : "blackhole");
    if (attachment) {
        route_attach(route, attachment);
    }
    store_touch(net->store);
    return route;
}

bool
tgw_route_delete(struct network *net, struct tgw_route_table *table, const struct cidr *cidr, struct err *err)
{
    struct tgw_route *route = tgw_route_find(table, cidr);
    if (!route || tgw_route_is_announced(route)) {
        return err_set(err, ERR_INPUT, "InvalidRoute.NotFound", "`%s` has no static route for `%s`", table->obj.id,
                       cidr_str(cidr));
    }
    tgw_route_done(route);
    VEC_REMOVE(&table->routes, (size_t)(route - table->routes.items));
    store_touch(net->store);
    return true;
}

/* One propagated route, unless a static one of the same prefix hides it; equal ones of several attachments are one. */
static void
propagated_add(const struct tgw_route_table *table, const struct tgw_attachment *attachment, const struct cidr *cidr,
               tgw_route_vec *routes)
{
    struct tgw_route *route = NULL;
    if (tgw_route_find((struct tgw_route_table *)table, cidr)) {
        return;
    }
    for (size_t i = 0; i < routes->n && !route; i++) {
        route = cidr_equal(&routes->items[i].cidr, cidr) ? &routes->items[i] : NULL;
    }
    if (cidr->ip.family == IP_NONE || (route && !str_is(route->type, "propagated"))) {
        return;
    }
    /* Of VPCs with one block the first counts; VPN connections share the load. */
    if (route && str_is(attachment->resource_type, "vpc")) {
        return;
    }
    if (!route) {
        route = VEC_ADD(routes);
        route->cidr = *cidr;
        route->type = xstrdup("propagated");
        route->state = xstrdup("active");
    }
    route_attach(route, attachment);
}

static void
propagated_of(const struct network *net, const struct tgw_route_table *table, const struct tgw_attachment *attachment,
              tgw_route_vec *routes)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, attachment->vpc_id);
    const struct vpn_connection *vpn = store_get(net->store, &vpn_connection_kind, attachment->resource_id);
    for (size_t i = 0; vpc && i < vpc->cidrs.n; i++) {
        propagated_add(table, attachment, &vpc->cidrs.items[i].cidr, routes);
    }
    for (size_t i = 0; vpc && str_is(attachment->ipv6_support, "enable") && i < vpc->cidrs6.n; i++) {
        propagated_add(table, attachment, &vpc->cidrs6.items[i].cidr, routes);
    }
    for (size_t i = 0; vpn && i < vpn->routes.n; i++) {
        if (str_is(vpn->routes.items[i].state, "available")) {
            propagated_add(table, attachment, &vpn->routes.items[i].cidr, routes);
        }
    }
}

void
tgw_table_routes(const struct network *net, const struct tgw_route_table *table, tgw_route_vec *routes)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        fields_copy(tgw_route_fields, VEC_ADD(routes), &table->routes.items[i]);
    }
    for (size_t i = 0; i < table->propagations.n; i++) {
        const struct tgw_attachment *attachment =
            store_get(net->store, &tgw_attachment_kind, table->propagations.items[i].attachment_id);
        if (attachment && tgw_attachment_is_available(attachment)) {
            propagated_of(net, table, attachment, routes);
        }
    }
}
