/* Route tables of gateways (ingress routing): what AWS refuses in them.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/gateway-route-tables.html, "Rules and considerations" */
#include "netsim/model/endpoint.h"
#include "netsim/model/internal.h"
#include "netsim/model/vpn.h"

static bool
has_gateway(const struct route_table *table)
{
    for (size_t i = 0; i < table->associations.n; i++) {
        if (table->associations.items[i].gateway_id[0]) {
            return true;
        }
    }
    return false;
}

static bool
route_fits(const struct network *net, const struct route_table *table, const struct route *route, struct err *err)
{
    static const char advice[] = "a gateway's table leads to interfaces and Gateway Load Balancer endpoints in its VPC";
    const struct vpc *vpc = store_get(net->store, &vpc_kind, table->vpc_id);
    const struct cidr *block = route->cidr.ip.family ? &route->cidr : &route->cidr6;
    const char *id = NULL;
    enum route_target target = route_target(route, &id);
    if (route->prefix_list_id) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of a gateway, and `%s` is a prefix list",
                table->obj.id, route->prefix_list_id);
        return err_hint(err, "name the block of the VPC or of one of its subnets");
    }
    if (vpc && !vpc_contains(vpc, block)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of a gateway, and `%s` is outside `%s`",
                table->obj.id, cidr_str(block), table->vpc_id);
        return err_hint(err, "name the block of the VPC or of one of its subnets");
    }
    if (target != ROUTE_LOCAL && target != ROUTE_ENI && target != ROUTE_INSTANCE && target != ROUTE_ENDPOINT) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of a gateway, and its route to `%s` leads to `%s`",
                table->obj.id, cidr_str(block), id ? id : "something else");
        return err_hint(err, advice);
    }
    return true;
}

bool
gateway_route_check(const struct network *net, const struct route_table *table, const struct route *spec,
                    struct err *err)
{
    return !has_gateway(table) || route_fits(net, table, spec, err);
}

bool
gateway_table_check(const struct network *net, const struct route_table *table, const char *gateway_id, struct err *err)
{
    const struct vpn_gateway *vgw = store_get(net->store, &vpn_gateway_kind, gateway_id);
    const struct internet_gateway *igw = network_vpc_igw(net, table->vpc_id);
    const char *vpc_id = vgw                                           ? vpn_gateway_vpc(vgw)
                         : igw && strcmp(igw->obj.id, gateway_id) == 0 ? table->vpc_id
                                                                       : NULL;
    if (!vgw && !store_get(net->store, &internet_gateway_kind, gateway_id)) {
        return err_set(err, ERR_INPUT, "InvalidGatewayID.NotFound", "the gateway ID `%s` does not exist", gateway_id);
    }
    if (!vpc_id || strcmp(vpc_id, table->vpc_id) != 0) {
        err_set(err, ERR_INPUT, "Gateway.NotAttached", "`%s` is not attached to `%s`, where route table `%s` is",
                gateway_id, table->vpc_id, table->obj.id);
        return err_hint(err, vgw ? "attach-vpn-gateway attaches it" : "attach-internet-gateway attaches it");
    }
    if (table->propagating.n > 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` takes propagated routes, which a gateway's table cannot",
                table->obj.id);
        return err_hint(err, "disable-vgw-route-propagation, or another table");
    }
    for (size_t i = 0; i < table->routes.n; i++) {
        if (!route_fits(net, table, &table->routes.items[i], err)) {
            return false;
        }
    }
    return true;
}
