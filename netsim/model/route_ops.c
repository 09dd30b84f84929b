/* Route tables and routes: creating, replacing, deleting, associating. */
#include "netsim/model/internal.h"

/* ---- tables
 * ---------------------------------------------------------------------------------------------------------- */

static void
local_add(struct route_table *table, const struct cidr *cidr)
{
    struct route *route = VEC_ADD(&table->routes);
    *(cidr->ip.family == IP_V6 ? &route->cidr6 : &route->cidr) = *cidr;
    route->gateway_id = xstrdup("local");
    route->origin = xstrdup("CreateRouteTable");
    route->state = xstrdup("active");
}

struct route_table *
route_table_add(struct network *net, const struct vpc *vpc, bool main)
{
    struct route_table *table = network_add(net, &route_table_kind, NULL);
    memcpy(table->vpc_id, vpc->obj.id, ID_SIZE);
    for (size_t i = 0; i < vpc->cidrs.n; i++) {
        local_add(table, &vpc->cidrs.items[i].cidr);
    }
    for (size_t i = 0; i < vpc->cidrs6.n; i++) {
        local_add(table, &vpc->cidrs6.items[i].cidr);
    }
    if (main) {
        struct route_association *association = VEC_ADD(&table->associations);
        association->main = true;
        id_new(net->ids, "rtbassoc", association->id);
        memcpy(association->table_id, table->obj.id, ID_SIZE);
        association->state = xstrdup("associated");
    }
    return table;
}

bool
route_table_is_main(const struct route_table *table)
{
    for (size_t i = 0; i < table->associations.n; i++) {
        if (table->associations.items[i].main) {
            return true;
        }
    }
    return false;
}

struct route_table *
route_table_create(struct network *net, const char *vpc_id, bool main, struct err *err)
{
    const struct vpc *vpc = network_require(net, &vpc_kind, vpc_id, err);
    size_t n = 0;
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        n += strcmp(t->vpc_id, vpc_id ? vpc_id : "") == 0;
    }
    if (vpc && net->limits && n >= 200) {
        err_set(err, ERR_INPUT, "RouteTableLimitExceeded",
                "the maximum number of route tables in `%s` has been reached (200)", vpc_id);
        return NULL;
    }
    return vpc ? route_table_add(net, vpc, main) : NULL;
}

bool
route_table_delete(struct network *net, struct route_table *table, struct err *err)
{
    struct dependents left = { 0 };
    for (size_t i = 0; i < table->associations.n; i++) {
        const struct route_association *a = &table->associations.items[i];
        if (a->main) {
            buf_done(&left.text);
            err_set(err, ERR_INPUT, "DependencyViolation", "`%s` is the main route table of `%s` and cannot be deleted",
                    table->obj.id, table->vpc_id);
            return err_hint(err, "make another table the main one first (replace-route-table-association with `%s`)",
                            a->id);
        }
        dependents_add(&left, a->subnet_id[0] ? a->subnet_id : a->gateway_id);
    }
    if (!dependents_none(&left, table->obj.id, err)) {
        return false;
    }
    endpoints_forget_table(net, table->obj.id);
    network_remove(net, table);
    return true;
}

void
route_tables_add_local(struct network *net, const struct vpc *vpc, const struct cidr *cidr)
{
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        if (strcmp(t->vpc_id, vpc->obj.id) == 0) {
            local_add(t, cidr);
        }
    }
}

static void
route_remove(struct route_table *table, size_t i)
{
    route_done(&table->routes.items[i]);
    VEC_REMOVE(&table->routes, i);
}

void
route_tables_drop_local(struct network *net, const struct vpc *vpc, const struct cidr *cidr)
{
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (size_t i = strcmp(t->vpc_id, vpc->obj.id) == 0 ? t->routes.n : 0; i-- > 0;) {
            const struct route *route = &t->routes.items[i];
            if (cidr_equal(cidr->ip.family == IP_V6 ? &route->cidr6 : &route->cidr, cidr) &&
                str_is(route->origin, "CreateRouteTable")) {
                route_remove(t, i);
            }
        }
    }
}

/* ---- what a route may say
 * ----------------------------------------------------------------------------------------------- */

/* One row per target: AWS's parameter, its .NotFound code, and which families may go there. */
static const struct target_row {
    enum route_target target;
    size_t offset;
    const char *prefix, *parameter, *not_found;
    bool v4, v6;
    const struct kind *kind; /* NULL: not modelled, known by its id only */
} target_rows[] = {
    { ROUTE_IGW, offsetof(struct route, gateway_id), "igw-", "GatewayId", "InvalidGatewayID.NotFound", true, true,
      &internet_gateway_kind },
    { ROUTE_VPN_GATEWAY, offsetof(struct route, gateway_id), "vgw-", "GatewayId", "InvalidGatewayID.NotFound", true,
      true, &vpn_gateway_kind },
    { ROUTE_ENDPOINT, offsetof(struct route, gateway_id), "vpce-", "VpcEndpointId", "InvalidVpcEndpointId.NotFound",
      true, true, &endpoint_kind },
    { ROUTE_NAT_GATEWAY, offsetof(struct route, nat_gateway_id), "nat-", "NatGatewayId", "InvalidNatGatewayID.NotFound",
      true, true, &nat_gateway_kind },
    { ROUTE_ENI, offsetof(struct route, eni_id), "eni-", "NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound",
      true, true, &eni_kind },
    { ROUTE_INSTANCE, offsetof(struct route, instance_id), "i-", "InstanceId", "InvalidInstanceID.NotFound", true, true,
      &instance_kind },
    { ROUTE_PEERING, offsetof(struct route, peering_id), "pcx-", "VpcPeeringConnectionId",
      "InvalidVpcPeeringConnectionID.NotFound", true, true, &peering_kind },
    { ROUTE_TRANSIT_GATEWAY, offsetof(struct route, transit_gateway_id), "tgw-", "TransitGatewayId",
      "InvalidTransitGatewayID.NotFound", true, true, &transit_gateway_kind },
    { ROUTE_EGRESS_ONLY_IGW, offsetof(struct route, egress_only_igw_id), "eigw-", "EgressOnlyInternetGatewayId",
      "InvalidEgressOnlyInternetGatewayId.NotFound", false, true, &egress_only_gateway_kind },
    { ROUTE_LOCAL_GATEWAY, offsetof(struct route, local_gateway_id), "lgw-", "LocalGatewayId",
      "InvalidLocalGatewayID.NotFound", true, false, NULL },
    { ROUTE_CARRIER_GATEWAY, offsetof(struct route, carrier_gateway_id), "cagw-", "CarrierGatewayId",
      "InvalidCarrierGatewayID.NotFound", true, false, NULL },
    { ROUTE_CORE_NETWORK, offsetof(struct route, core_network_arn), "arn:", "CoreNetworkArn",
      "InvalidCoreNetworkArn.NotFound", true, true, NULL },
};

static char **
target_slot(const struct route *route, const struct target_row *row)
{
    return (char **)((char *)route + row->offset);
}

/* The one row that the spec fills; NULL with an error if it fills none or several. */
static const struct target_row *
target_of(const struct route *spec, struct err *err)
{
    const struct target_row *found = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(target_rows); i++) {
        const struct target_row *row = &target_rows[i];
        const char *text = *target_slot(spec, row);
        bool shared =
            row->offset == offsetof(struct route, gateway_id); /* several kinds of gateways stand in GatewayId */
        if (str_empty(text) || (shared && strncmp(text, row->prefix, strlen(row->prefix)) != 0)) {
            continue;
        }
        if (found) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "%s and %s cannot be given together: a route has one target", found->parameter, row->parameter);
            return NULL;
        }
        found = row;
    }
    if (!found && !str_empty(spec->gateway_id)) {
        err_set(err, ERR_INPUT, "InvalidGatewayID.NotFound", "the gateway ID `%s` does not exist", spec->gateway_id);
    } else if (!found) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain a target of the route");
        err_hint(err, "give GatewayId, NatGatewayId, NetworkInterfaceId, InstanceId or the like");
    }
    return found;
}

static bool
destination_check(const struct network *net, const struct route *spec, struct err *err)
{
    int n = (spec->cidr.ip.family != IP_NONE) + (spec->cidr6.ip.family != IP_NONE) + !str_empty(spec->prefix_list_id);
    if (n == 0) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain a destination");
        return err_hint(err, "give DestinationCidrBlock, DestinationIpv6CidrBlock or DestinationPrefixListId");
    }
    if (n > 1) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "a route has one destination: a CIDR block, an IPv6 one or a prefix list");
    }
    if (spec->cidr.ip.family == IP_V6 || spec->cidr6.ip.family == IP_V4) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of the other IP version",
                       route_destination_str(spec));
    }
    if (!str_empty(spec->prefix_list_id) && !network_require(net, &prefix_list_kind, spec->prefix_list_id, err)) {
        return false;
    }
    /* Source: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Route_Tables.html (reserved for AWS's services) */
    static const char *const reserved[] = { "169.254.168.0/22", "fd00:ec2::/32" };
    for (size_t i = 0; i < ARRAY_SIZE(reserved); i++) {
        struct cidr range = cidr_lit(reserved[i]);
        if (cidr_contains(&range, &spec->cidr) || cidr_contains(&range, &spec->cidr6)) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is within `%s`, which is reserved",
                           route_destination_str(spec), reserved[i]);
        }
    }
    return true;
}

/* A destination inside the VPC must be the whole of one of its subnets and lead to a thing that looks into the traffic.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/RouteTables_priority.html, "more specific than the local
 * route" */
static bool
inside_check(const struct network *net, const struct route_table *table, const struct route *spec,
             const struct target_row *row, struct err *err)
{
    const struct vpc *vpc = store_get(net->store, &vpc_kind, table->vpc_id);
    const struct cidr *cidr = spec->cidr6.ip.family ? &spec->cidr6 : &spec->cidr;
    if (!vpc || !cidr->ip.family || !vpc_contains(vpc, cidr)) {
        return true;
    }
    bool whole = false;
    for (size_t i = 0; i < (cidr->ip.family == IP_V6 ? vpc->cidrs6.n : vpc->cidrs.n); i++) {
        whole = whole ||
                cidr_equal(cidr->ip.family == IP_V6 ? &vpc->cidrs6.items[i].cidr : &vpc->cidrs.items[i].cidr, cidr);
    }
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s && !whole; s = store_next(net->store, s)) {
        const struct cidr *own = cidr->ip.family == IP_V6 ? subnet_cidr6(s) : &s->cidr;
        whole = strcmp(s->vpc_id, table->vpc_id) == 0 && own && cidr_equal(own, cidr);
    }
    if (!whole) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                "the destination `%s` does not match any subnet CIDR block of `%s`", cidr_str(cidr), table->vpc_id);
        return err_hint(err, "inside the VPC only the whole block of a subnet can be routed elsewhere");
    }
    if (row->target != ROUTE_NAT_GATEWAY && row->target != ROUTE_ENI && row->target != ROUTE_INSTANCE &&
        row->target != ROUTE_ENDPOINT) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "the destination `%s` is equal to or more specific than a CIDR block of `%s`: only an "
                       "interface, instance, NAT gateway or "
                       "Gateway Load Balancer endpoint can be its target",
                       cidr_str(cidr), table->vpc_id);
    }
    return true;
}

static bool
other_network(struct err *err, const struct route_table *table, const char *what, const char *id)
{
    return err_set(err, ERR_INPUT, "InvalidParameterValue", "route table `%s` and %s `%s` belong to different networks",
                   table->obj.id, what, id);
}

/* The interface that an instance as a target means: AWS refuses one with several. */
static struct eni *
only_eni(const struct network *net, const char *instance_id, struct err *err)
{
    struct eni *const *enis;
    size_t n = index_instance_enis(net, instance_id, &enis);
    if (n != 1) {
        err_set(err, ERR_INPUT, "InvalidInstanceID",
                n ? "there are multiple interfaces attached to instance `%s`" : "`%s` has no interface", instance_id);
        err_hint(err, "name the interface (NetworkInterfaceId) instead");
        return NULL;
    }
    return enis[0];
}

/* Targets that join the VPC to something else must be joined to it.  A peering connection that waits for its accepter
 * may be named already: the route is a blackhole until then.
 * Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-routing.html */
static bool
link_check(const struct network *net, const struct route_table *table, const struct target_row *row, const void *object,
           struct err *err)
{
    const char *vpc_id = table->vpc_id, *id = ((const struct object *)object)->id;
    const struct peering *peering = object;
    const struct endpoint *endpoint = object;
    const char *own;
    switch (row->target) {
    case ROUTE_VPN_GATEWAY:
        own = vpn_gateway_vpc(object);
        return (own && strcmp(own, vpc_id) == 0) || other_network(err, table, "network gateway", id);
    case ROUTE_EGRESS_ONLY_IGW:
        own = egress_only_gateway_vpc(object);
        return (own && strcmp(own, vpc_id) == 0) || other_network(err, table, "egress-only internet gateway", id);
    case ROUTE_PEERING:
        if (!peering_is_active(peering) && !str_is(peering->status, "pending-acceptance") &&
            !str_is(peering->status, "provisioning")) {
            return err_set(err, ERR_INPUT, row->not_found, "the VPC peering connection `%s` is %s", id,
                           peering->status);
        }
        return peering_other(peering, vpc_id) || other_network(err, table, "VPC peering connection", id);
    case ROUTE_TRANSIT_GATEWAY:
        if (!tgw_vpc_attachment(net, id, vpc_id)) {
            err_set(err, ERR_INPUT, row->not_found, "the transit gateway `%s` is not attached to `%s`", id, vpc_id);
            return err_hint(err, "create-transit-gateway-vpc-attachment attaches it");
        }
        return true;
    case ROUTE_ENDPOINT:
        if (endpoint_is_gateway(endpoint)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue",
                    "`%s` is a gateway endpoint, which makes its routes itself", id);
            return err_hint(err, "modify-vpc-endpoint --add-route-table-ids `%s`", table->obj.id);
        }
        return strcmp(endpoint->vpc_id, vpc_id) == 0 || other_network(err, table, "VPC endpoint", id);
    default:
        return true;
    }
}

static bool
target_check(const struct network *net, const struct route_table *table, const struct route *spec,
             const struct target_row *row, struct err *err)
{
    const char *id = *target_slot(spec, row);
    const void *object = row->kind ? store_get(net->store, row->kind, id) : store_find(net->store, id);
    if (!object) {
        return err_set(err, ERR_INPUT, row->not_found, "%s `%s` does not exist", row->parameter, id);
    }
    if ((spec->cidr.ip.family && !row->v4) || (spec->cidr6.ip.family && !row->v6)) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` cannot be the target of an IPv%d route", id,
                       row->v4 ? 6 : 4);
    }
    if (row->target == ROUTE_IGW) {
        const struct internet_gateway *attached = network_vpc_igw(net, table->vpc_id);
        if (!attached || strcmp(attached->obj.id, id) != 0) {
            other_network(err, table, "network gateway", id);
            return err_hint(err, "attach the gateway to `%s` first", table->vpc_id);
        }
    } else if (row->target == ROUTE_NAT_GATEWAY) {
        const struct nat_gateway *nat = object;
        struct cidr nat64 = cidr_lit("64:ff9b::/96");
        if (!str_is(nat->state, "available") && !str_is(nat->state, "pending")) {
            return err_set(err, ERR_INPUT, row->not_found, "the NAT gateway `%s` is %s", id, nat->state);
        }
        if (strcmp(nat->vpc_id, table->vpc_id) != 0) {
            return other_network(err, table, "NAT gateway", id);
        }
        if (spec->cidr6.ip.family && !cidr_contains(&nat64, &spec->cidr6)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue",
                    "a NAT gateway takes IPv6 only for 64:ff9b::/96 (NAT64), not `%s`", cidr_str(&spec->cidr6));
            return err_hint(err, "use an egress-only internet gateway for IPv6");
        }
    } else if (row->target == ROUTE_ENI && strcmp(((const struct eni *)object)->vpc_id, table->vpc_id) != 0) {
        return other_network(err, table, "interface", id);
    } else if (row->target == ROUTE_INSTANCE) {
        const struct eni *eni = only_eni(net, id, err);
        return eni && (strcmp(eni->vpc_id, table->vpc_id) == 0 || other_network(err, table, "instance", id));
    }
    return link_check(net, table, row, object, err);
}

/* ---- routes
 * ----------------------------------------------------------------------------------------------------------------- */

static size_t
route_find(const struct route_table *table, const struct route *destination)
{
    for (size_t i = 0; i < table->routes.n; i++) {
        const struct route *route = &table->routes.items[i];
        bool same = destination->prefix_list_id ? str_is(route->prefix_list_id, destination->prefix_list_id)
                    : destination->cidr6.ip.family
                        ? cidr_equal(&route->cidr6, &destination->cidr6)
                        : destination->cidr.ip.family && cidr_equal(&route->cidr, &destination->cidr);
        if (same) {
            return i;
        }
    }
    return table->routes.n;
}

/* 'route' is zeroed; takes over the spec's destination and target. */
static void
route_fill(const struct network *net, struct route *route, const struct route *spec, const struct target_row *row)
{
    route->cidr = spec->cidr;
    route->cidr6 = spec->cidr6;
    route->prefix_list_id = spec->prefix_list_id ? xstrdup(spec->prefix_list_id) : NULL;
    route->origin = xstrdup("CreateRoute");
    route->state = xstrdup("active");
    if (!row) {
        route->gateway_id = xstrdup("local");
        return;
    }
    const char *id = *target_slot(spec, row);
    const struct eni *eni = row->target == ROUTE_INSTANCE ? only_eni(net, id, NULL) : NULL;
    *target_slot(route, row) = xstrdup(id);
    if (eni) {
        route->eni_id = xstrdup(eni->obj.id);
    }
}

/* Whose kernel form is lines of the table and no more. */
static bool
is_plain_target(const struct route *route)
{
    const char *id;
    enum route_target target = route_target(route, &id);
    return target == ROUTE_IGW || target == ROUTE_NAT_GATEWAY || target == ROUTE_ENI || target == ROUTE_INSTANCE ||
           target == ROUTE_PEERING || target == ROUTE_VPN_GATEWAY || target == ROUTE_EGRESS_ONLY_IGW ||
           target == ROUTE_TRANSIT_GATEWAY;
}

static void
routes_changed(struct network *net, const struct route_table *table, bool plain, bool refresh)
{
    uint64_t before = store_generation(net->store);
    bool others = refresh && route_tables_refresh_but(net, table);
    network_touch(net);
    if (plain && !others) {
        network_changed(net, before, CHANGED_ROUTES, table->obj.id);
    }
}

bool
route_create(struct network *net, struct route_table *table, const struct route *spec, struct err *err)
{
    if (!destination_check(net, spec, err)) {
        return false;
    }
    if (str_is(spec->gateway_id, "local")) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "a route to `local` cannot be created");
        return err_hint(err, "every table has one for each block of its VPC");
    }
    const struct target_row *row = target_of(spec, err);
    if (!row) {
        return false;
    }
    if (route_find(table, spec) < table->routes.n) {
        err_set(err, ERR_INPUT, "RouteAlreadyExists", "the route identified by `%s` already exists in `%s`",
                route_destination_str(spec), table->obj.id);
        return err_hint(err, "replace-route changes where it leads");
    }
    if (!target_check(net, table, spec, row, err) || !inside_check(net, table, spec, row, err) ||
        !gateway_route_check(net, table, spec, err)) {
        return false;
    }
    if (net->limits && table->routes.n >= 500) {
        return err_set(err, ERR_INPUT, "RouteLimitExceeded",
                       "the maximum number of routes in `%s` has been reached (500)", table->obj.id);
    }
    struct route *route = VEC_ADD(&table->routes);
    route_fill(net, route, spec, row);
    routes_changed(net, table, is_plain_target(route), true);
    return true;
}

bool
route_replace(struct network *net, struct route_table *table, const struct route *spec, struct err *err)
{
    bool local = str_is(spec->gateway_id, "local");
    if (!destination_check(net, spec, err)) {
        return false;
    }
    const struct target_row *row = local ? NULL : target_of(spec, err);
    if (!local && !row) {
        return false;
    }
    size_t i = route_find(table, spec);
    if (i == table->routes.n) {
        err_set(err, ERR_INPUT, "InvalidRoute.NotFound", "there is no route defined for `%s` in `%s`",
                route_destination_str(spec), table->obj.id);
        return err_hint(err, "create-route makes one");
    }
    const struct route *old = &table->routes.items[i];
    bool of_vpc = str_is(old->origin, "CreateRouteTable");
    if (local && !of_vpc) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not a block of `%s`: it cannot be local",
                       route_destination_str(spec), table->vpc_id);
    }
    if (row && (!target_check(net, table, spec, row, err) || !inside_check(net, table, spec, row, err) ||
                !gateway_route_check(net, table, spec, err))) {
        return false;
    }
    struct route route = { 0 };
    route_fill(net, &route, spec, row);
    if (of_vpc) {
        str_set(&route.origin, "CreateRouteTable");
    }
    bool plain = is_plain_target(old) && is_plain_target(&route);
    route_done(&table->routes.items[i]);
    table->routes.items[i] = route;
    routes_changed(net, table, plain, true);
    return true;
}

bool
route_delete(struct network *net, struct route_table *table, const struct route *destination, struct err *err)
{
    int n = (destination->cidr.ip.family != IP_NONE) + (destination->cidr6.ip.family != IP_NONE) +
            !str_empty(destination->prefix_list_id);
    if (n != 1) {
        return err_set(err, ERR_INPUT, n ? "InvalidParameterCombination" : "MissingParameter",
                       "the request must contain one destination");
    }
    size_t i = route_find(table, destination);
    if (i == table->routes.n) {
        return err_set(err, ERR_INPUT, "InvalidRoute.NotFound", "no route with destination `%s` in route table `%s`",
                       route_destination_str(destination), table->obj.id);
    }
    const struct route *route = &table->routes.items[i];
    if (str_is(route->origin, "CreateRouteTable")) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "cannot remove local route `%s` in route table `%s`",
                       route_destination_str(route), table->obj.id);
    }
    if (str_is(route->origin, "EnableVgwRoutePropagation")) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "cannot remove the propagated route `%s` in route table `%s`",
                route_destination_str(route), table->obj.id);
        return err_hint(err, "disable-vgw-route-propagation takes it away");
    }
    bool plain = is_plain_target(route);
    route_remove(table, i);
    routes_changed(net, table, plain, false);
    return true;
}

/* ---- associations
 * --------------------------------------------------------------------------------------------------------------- */

static struct route_association *
association_add(struct network *net, struct route_table *table, const char *subnet_id, const char *gateway_id,
                bool main)
{
    struct route_association *association = VEC_ADD(&table->associations);
    id_new(net->ids, "rtbassoc", association->id);
    memcpy(association->table_id, table->obj.id, ID_SIZE);
    id_set(association->subnet_id, subnet_id);
    id_set(association->gateway_id, gateway_id);
    association->main = main;
    association->state = xstrdup("associated");
    store_touch(net->store);
    return association;
}

/* The table and place of an association by its own id, or by the subnet or gateway ('by_target'). */
static struct route_table *
association_find(const struct network *net, const char *id, bool by_target, size_t *at)
{
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (*at = 0; *at < t->associations.n; ++*at) {
            const struct route_association *a = &t->associations.items[*at];
            if (by_target ? strcmp(a->subnet_id, id) == 0 || strcmp(a->gateway_id, id) == 0 : strcmp(a->id, id) == 0) {
                return t;
            }
        }
    }
    return NULL;
}

static void
association_remove(struct route_table *table, size_t at)
{
    free(table->associations.items[at].state);
    VEC_REMOVE(&table->associations, at);
}

struct route_association *
route_table_associate(struct network *net, struct route_table *table, const char *target_id, struct err *err)
{
    bool gateway = strncmp(target_id, "igw-", 4) == 0 || strncmp(target_id, "vgw-", 4) == 0;
    const struct subnet *subnet = NULL;
    size_t at;
    if (gateway) {
        if (!gateway_table_check(net, table, target_id, err)) {
            return NULL;
        }
    } else {
        subnet = network_require(net, &subnet_kind, target_id, err);
        if (!subnet) {
            return NULL;
        }
        if (strcmp(subnet->vpc_id, table->vpc_id) != 0) {
            other_network(err, table, "subnet", target_id);
            return NULL;
        }
    }
    const struct route_table *other = association_find(net, target_id, true, &at);
    if (other) {
        err_set(err, ERR_INPUT, "Resource.AlreadyAssociated", "`%s` is already associated with `%s`", target_id,
                other->obj.id);
        err_hint(err, "replace-route-table-association moves it (association `%s`)", other->associations.items[at].id);
        return NULL;
    }
    return association_add(net, table, gateway ? NULL : target_id, gateway ? target_id : NULL, false);
}

static struct route_table *
association_require(const struct network *net, const char *association_id, size_t *at, struct err *err)
{
    struct route_table *table = association_find(net, association_id, false, at);
    if (!table) {
        err_set(err, ERR_INPUT, "InvalidAssociationID.NotFound", "the association ID `%s` does not exist",
                association_id);
    }
    return table;
}

bool
route_table_disassociate(struct network *net, const char *association_id, struct err *err)
{
    size_t at;
    struct route_table *table = association_require(net, association_id, &at, err);
    if (!table) {
        return false;
    }
    if (table->associations.items[at].main) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "cannot disassociate the main route table association `%s`", association_id);
    }
    association_remove(table, at);
    store_touch(net->store);
    return true;
}

struct route_association *
route_table_replace_association(struct network *net, const char *association_id, struct route_table *table,
                                struct err *err)
{
    size_t at;
    struct route_table *old = association_require(net, association_id, &at, err);
    if (!old) {
        return NULL;
    }
    struct route_association was = old->associations.items[at];
    if (strcmp(old->vpc_id, table->vpc_id) != 0) {
        other_network(err, table, was.main ? "network" : "subnet", was.main ? old->vpc_id : was.subnet_id);
        return NULL;
    }
    if (was.gateway_id[0] && !gateway_table_check(net, table, was.gateway_id, err)) {
        return NULL;
    }
    association_remove(old, at);
    return association_add(net, table, was.subnet_id, was.gateway_id, was.main);
}

void
route_tables_forget_subnet(struct network *net, const char *subnet_id)
{
    size_t at;
    struct route_table *table = association_find(net, subnet_id, true, &at);
    if (table) {
        association_remove(table, at);
        store_touch(net->store);
    }
}
