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

struct vpc *
network_default_vpc(const struct network *net)
{
    for (struct vpc *vpc = store_first(net->store, &vpc_kind); vpc; vpc = store_next(net->store, vpc)) {
        if (vpc->is_default && strcmp(vpc->obj.account, net->account) == 0 &&
            strcmp(vpc->obj.region, net->region) == 0) {
            return vpc;
        }
    }
    return NULL;
}

static const struct subnet *
default_subnet_of(const struct network *net, const struct vpc *vpc, const char *zone)
{
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        if (s->default_for_az && strcmp(s->vpc_id, vpc->obj.id) == 0 && str_is(s->zone, zone)) {
            return s;
        }
    }
    return NULL;
}

struct subnet *
subnet_create_default(struct network *net, const char *zone, struct err *err)
{
    const struct vpc *vpc = network_default_vpc(net);
    char name[24], id[24];
    if (!vpc) {
        err_set(err, ERR_INPUT, "DefaultVpcDoesNotExist", "there is no default VPC in %s", net->region);
        err_hint(err, "create-default-vpc makes one");
        return NULL;
    }
    for (size_t i = 0; !zone && network_zone(net, i, name, id); i++) {
        zone = default_subnet_of(net, vpc, name) ? NULL : name;
    }
    const struct subnet *there = zone ? default_subnet_of(net, vpc, zone) : NULL;
    if (!zone || there) {
        err_set(err, ERR_INPUT, "DefaultSubnetAlreadyExistsInAvailabilityZone",
                "a default subnet already exists in %s%s%s", zone ? zone : "every availability zone", there ? ": " : "",
                there ? there->obj.id : "");
        return NULL;
    }
    for (uint64_t i = 0; i < 16; i++) {
        struct subnet_spec spec = { .vpc_id = vpc->obj.id, .zone = zone, .default_for_az = true };
        struct err taken = { 0 };
        spec.cidr = (struct cidr){ ip_add(&vpc->cidr.ip, i << 12), 20 };
        struct subnet *subnet = subnet_create(net, &spec, &taken);
        if (subnet || strcmp(taken.code, "InvalidSubnet.Conflict") != 0) {
            if (!subnet && err) {
                *err = taken;
            }
            return subnet;
        }
    }
    err_set(err, ERR_INPUT, "InsufficientFreeAddressesInVpc", "`%s` has no free /20 block left", vpc->obj.id);
    return NULL;
}
