/* The network of a new account.  Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
 */
#include "netsim/model/internal.h"

struct vpc *
network_create_default_vpc(struct network *net, struct err *err)
{
    struct vpc *vpc = vpc_create(net, &(struct vpc_spec){ .cidr = cidr_lit("172.31.0.0/16"), .is_default = true }, err);
    if (!vpc) {
        return NULL;
    }
    char zone[24], zone_id[24];
    for (size_t i = 0; network_zone(net, i, zone, zone_id); i++) {
        struct ip first = ip_add(&vpc->cidr.ip, (uint64_t)i << 12);
        struct subnet_spec spec = {
            .vpc_id = vpc->obj.id, .cidr = { first, 20 }, .zone = zone, .default_for_az = true
        };
        if (!subnet_create(net, &spec, err)) {
            return NULL; /* cannot be: the blocks are free and of the right size */
        }
    }
    struct internet_gateway *igw = network_add(net, &internet_gateway_kind, NULL);
    struct route route = { .cidr = cidr_lit("0.0.0.0/0"), .gateway_id = igw->obj.id };
    for (struct route_table *t = store_first(net->store, &route_table_kind); t; t = store_next(net->store, t)) {
        if (strcmp(t->vpc_id, vpc->obj.id) == 0 &&
            (!internet_gateway_attach(net, igw, vpc->obj.id, err) || !route_create(net, t, &route, err))) {
            return NULL;
        }
    }
    return vpc;
}
