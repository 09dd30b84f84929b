/* Routes whose target is gone are blackholes, and routes again when it is back. */
#include "netsim/model/internal.h"

/* The attachment of a VPC to a transit gateway in whatever state, the available one first; NULL if none was ever made.
 */
const struct tgw_attachment *
tgw_any_attachment(const struct network *net, const char *tgw_id, const char *vpc_id)
{
    const struct tgw_attachment *found = tgw_vpc_attachment(net, tgw_id, vpc_id);
    for (const struct tgw_attachment *a = found ? NULL : store_first(net->store, &tgw_attachment_kind); a && !found;
         a = store_next(net->store, a)) {
        found = strcmp(a->tgw_id, tgw_id) == 0 && strcmp(a->vpc_id, vpc_id) == 0 ? a : NULL;
    }
    return found;
}

/* target_state() of targets that join the VPC to something else. */
static bool
link_state(const struct network *net, const char *vpc_id, enum route_target target, const char *id, bool *active)
{
    const struct kind *kind = target == ROUTE_PEERING           ? &peering_kind
                              : target == ROUTE_VPN_GATEWAY     ? &vpn_gateway_kind
                              : target == ROUTE_TRANSIT_GATEWAY ? &transit_gateway_kind
                              : target == ROUTE_ENDPOINT        ? &endpoint_kind
                                                                : NULL;
    const void *object = kind ? store_get(net->store, kind, id) : NULL;
    if (!object) {
        return false;
    }
    const struct tgw_attachment *attachment;
    switch (target) {
    case ROUTE_PEERING:
        *active = peering_is_active(object);
        return true;
    case ROUTE_VPN_GATEWAY:
        *active = str_is(vpn_gateway_vpc(object), vpc_id);
        return true;
    case ROUTE_ENDPOINT:
        *active = endpoint_is_available(object);
        return true;
    default:
        attachment = tgw_any_attachment(net, id, vpc_id);
        *active = attachment && tgw_attachment_is_available(attachment);
        return attachment != NULL;
    }
}

/* Is the target there and in service?  Targets the model does not hold (imports name things that were not dumped) keep
 * their state. */
static bool
target_state(const struct network *net, const struct route_table *table, const struct route *route, bool *active)
{
    const char *id;
    enum route_target target = route_target(route, &id);
    if (target == ROUTE_IGW && store_get(net->store, &internet_gateway_kind, id)) {
        const struct internet_gateway *igw = network_vpc_igw(net, table->vpc_id);
        *active = igw && strcmp(igw->obj.id, id) == 0;
        return true;
    }
    const struct nat_gateway *nat = target == ROUTE_NAT_GATEWAY ? store_get(net->store, &nat_gateway_kind, id) : NULL;
    if (nat) {
        *active = str_is(nat->state, "available") || str_is(nat->state, "pending");
        return true;
    }
    const struct eni *eni = target == ROUTE_ENI ? store_get(net->store, &eni_kind, id) : NULL;
    if (eni) {
        const struct instance *instance =
            eni->attached ? store_get(net->store, &instance_kind, eni->attachment.instance_id) : NULL;
        *active = eni->attached && (!instance || instance_is_running(instance));
        return true;
    }
    return link_state(net, table->vpc_id, target, id, active);
}

/* An interface as target shows the instance it is attached to.  True if it changed. */
static bool
route_instance_refresh(const struct network *net, struct route *route)
{
    const struct eni *eni = route->eni_id ? store_get(net->store, &eni_kind, route->eni_id) : NULL;
    if (!eni) {
        return false;
    }
    bool instance = eni->attached && eni->attachment.instance_id[0];
    if (instance ? str_is(route->instance_id, eni->attachment.instance_id) && route->instance_owner_id
                 : !route->instance_id) {
        return false;
    }
    str_set(&route->instance_id, instance ? eni->attachment.instance_id : NULL);
    str_set(&route->instance_owner_id, instance ? eni->obj.account : NULL);
    return true;
}

bool
route_tables_refresh_but(struct network *net, const struct route_table *own)
{
    bool others = false;
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            struct route *route = &t->routes.items[i];
            bool active, changed = route_instance_refresh(net, route);
            if (target_state(net, t, route, &active) && active == route_is_blackhole(route)) {
                str_set(&route->state, active ? "active" : "blackhole");
                changed = true;
            }
            others |= changed && t != own;
        }
    }
    return others;
}

void
route_tables_refresh(struct network *net)
{
    route_tables_refresh_but(net, NULL);
    network_touch(net);
}

void
routes_target_gone(struct network *net, const char *target_id)
{
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        for (size_t i = 0; i < t->routes.n; i++) {
            const char *id;
            if (route_target(&t->routes.items[i], &id) != ROUTE_NONE && strcmp(id, target_id) == 0) {
                str_set(&t->routes.items[i].state, "blackhole");
            }
        }
    }
    route_tables_refresh(net);
}
