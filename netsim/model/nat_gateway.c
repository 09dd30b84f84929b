#include "netsim/model/internal.h"

static const struct field address_fields[] = {
    FIELD(struct nat_address, "AllocationId", FIELD_ID, allocation_id, 0),
    FIELD(struct nat_address, "NetworkInterfaceId", FIELD_ID, eni_id, 0),
    FIELD(struct nat_address, "PrivateIp", FIELD_IP, private_ip, 0),
    FIELD(struct nat_address, "PublicIp", FIELD_IP, public_ip, 0),
    FIELD(struct nat_address, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct nat_address, "IsPrimary", FIELD_BOOL, is_primary, 0),
    FIELD(struct nat_address, "Status", FIELD_STRING, status, 0),
    FIELD_END,
};
static const struct field nat_fields[] = {
    FIELD(struct nat_gateway, "CreateTime", FIELD_TIME, create_time, 0),
    FIELD(struct nat_gateway, "DeleteTime", FIELD_TIME, delete_time, 0),
    FIELD_LIST(struct nat_gateway, "NatGatewayAddresses", addresses, address_fields, FIELD_ALWAYS),
    FIELD(struct nat_gateway, "NatGatewayId", FIELD_ID, obj.id, 0),
    FIELD(struct nat_gateway, "State", FIELD_STRING, state, 0),
    FIELD(struct nat_gateway, "SubnetId", FIELD_ID, subnet_id, 0),
    FIELD(struct nat_gateway, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD_LIST(struct nat_gateway, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct nat_gateway, "ConnectivityType", FIELD_STRING, connectivity, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNatGateways.html */
static const struct filter_row nat_filters[] = {
    { "nat-gateway-id", "NatGatewayId" },
    { "state", "State" },
    { "subnet-id", "SubnetId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

/* Dumps from before private NAT gateways do not say which they are. */
static void
nat_loaded(struct store *store, void *object)
{
    struct nat_gateway *nat = object;
    (void)store;
    if (!nat->connectivity) {
        nat->connectivity = xstrdup("public");
    }
    if (nat->addresses.n == 1) {
        nat->addresses.items[0].is_primary = true;
    }
}

static bool
nat_gone(const void *object)
{
    return str_is(((const struct nat_gateway *)object)->state, "deleted");
}

const struct kind nat_gateway_kind = {
    .name = "natgateway",
    .prefix = "nat",
    .type = "natgateway",
    .list = "NatGateways",
    .id_member = "NatGatewayId",
    .ids_param = "NatGatewayIds",
    .not_found = "NatGatewayNotFound",
    .malformed = "NatGatewayMalformed",
    .size = sizeof(struct nat_gateway),
    .fields = nat_fields,
    .filters = nat_filters,
    .loaded = nat_loaded,
    .gone = nat_gone,
};

struct nat_gateway *
nat_gateway_by_eni(const struct network *net, const char *eni_id)
{
    for (struct nat_gateway *nat = store_first(net->store, &nat_gateway_kind); nat; nat = store_next(net->store, nat)) {
        for (size_t i = 0; i < nat->addresses.n; i++) {
            if (strcmp(nat->addresses.items[i].eni_id, eni_id) == 0 && !str_is(nat->state, "deleted")) {
                return nat;
            }
        }
    }
    return NULL;
}

static bool
nat_check(const struct network *net, const struct subnet *subnet, const struct elastic_ip *eip, bool public,
          struct err *err)
{
    if (eip && eip->association_id[0]) {
        return err_set(err, ERR_INPUT, "Resource.AlreadyAssociated",
                       "Elastic IP address `%s` is already associated with `%s`", eip->obj.id,
                       eip->instance_id[0] ? eip->instance_id : eip->eni_id);
    }
    if (public && !network_vpc_igw(net, subnet->vpc_id)) {
        err_set(err, ERR_INPUT, "Gateway.NotAttached", "network `%s` has no internet gateway attached", subnet->vpc_id);
        return err_hint(err, "attach one first, or make the NAT gateway private (--connectivity-type private)");
    }
    size_t n = 0;
    for (const struct nat_gateway *nat = store_first(net->store, &nat_gateway_kind); nat;
         nat = store_next(net->store, nat)) {
        const struct subnet *other = store_get(net->store, &subnet_kind, nat->subnet_id);
        n += other && other->zone && str_is(subnet->zone, other->zone) && !str_is(nat->state, "deleted");
    }
    return !net->limits || n < 5 ||
           err_set(err, ERR_INPUT, "NatGatewayLimitExceeded",
                   "the maximum number of NAT gateways in %s has been reached (5)", subnet->zone);
}

struct nat_gateway *
nat_gateway_create(struct network *net, const char *subnet_id, const char *allocation_id, const struct ip *private_ip,
                   struct err *err)
{
    const struct subnet *subnet = network_require(net, &subnet_kind, subnet_id, err);
    struct elastic_ip *eip =
        subnet && allocation_id ? network_require(net, &elastic_ip_kind, allocation_id, err) : NULL;
    if (!subnet || (allocation_id && !eip) || !nat_check(net, subnet, eip, allocation_id != NULL, err)) {
        return NULL;
    }
    struct eni_spec spec = {
        .subnet_id = subnet_id, .type = "nat_gateway", .no_groups = true, .requester_managed = true
    };
    if (private_ip) {
        spec.ip = *private_ip;
    }
    struct eni *eni = eni_create(net, &spec, err);
    if (!eni) {
        return NULL;
    }
    struct nat_gateway *nat = network_add(net, &nat_gateway_kind, NULL);
    memcpy(nat->vpc_id, subnet->vpc_id, ID_SIZE);
    memcpy(nat->subnet_id, subnet->obj.id, ID_SIZE);
    nat->state = xstrdup("available");
    nat->connectivity = xstrdup(eip ? "public" : "private");
    nat->create_time = network_now_ms(net);
    free(eni->description);
    eni->description = xasprintf("Interface for NAT Gateway %s", nat->obj.id);
    eni->source_dest_check = false;
    eni_attach_to(net, eni, "", "amazon-aws", 1, false);
    struct nat_address *address = VEC_ADD(&nat->addresses);
    memcpy(address->eni_id, eni->obj.id, ID_SIZE);
    address->private_ip = *eni_primary_ip(eni);
    address->is_primary = true;
    address->status = xstrdup("succeeded");
    if (eip) {
        elastic_ip_associate(net, eip, eni, NULL, false, NULL); /* cannot fail: checked above */
        memcpy(address->allocation_id, eip->obj.id, ID_SIZE);
        memcpy(address->association_id, eip->association_id, ID_SIZE);
        address->public_ip = eip->public_ip;
    }
    return nat;
}

bool
nat_gateway_delete(struct network *net, struct nat_gateway *nat, struct err *err)
{
    if (str_is(nat->state, "deleted")) {
        return err_set(err, ERR_INPUT, "NatGatewayNotFound", "the NAT gateway `%s` is deleted", nat->obj.id);
    }
    str_set(&nat->state, "deleted"); /* stays listed, as AWS keeps it for about an hour */
    nat->delete_time = network_now_ms(net);
    for (size_t i = 0; i < nat->addresses.n; i++) {
        struct eni *eni = store_get(net->store, &eni_kind, nat->addresses.items[i].eni_id);
        if (eni) {
            eni_remove(net, eni);
        }
    }
    route_tables_refresh(net);
    return true;
}
