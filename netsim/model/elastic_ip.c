#include "netsim/model/internal.h"

static const struct field eip_fields[] = {
    FIELD(struct elastic_ip, "AllocationId", FIELD_ID, obj.id, 0),
    FIELD(struct elastic_ip, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct elastic_ip, "Domain", FIELD_STRING, domain, 0),
    FIELD(struct elastic_ip, "NetworkInterfaceId", FIELD_ID, eni_id, 0),
    FIELD(struct elastic_ip, "NetworkInterfaceOwnerId", FIELD_STRING, eni_owner_id, 0),
    FIELD(struct elastic_ip, "PrivateIpAddress", FIELD_IP, private_ip, 0),
    FIELD_LIST(struct elastic_ip, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct elastic_ip, "PublicIpv4Pool", FIELD_STRING, pool, 0),
    FIELD(struct elastic_ip, "NetworkBorderGroup", FIELD_STRING, border_group, 0),
    FIELD(struct elastic_ip, "InstanceId", FIELD_ID, instance_id, 0),
    FIELD(struct elastic_ip, "PublicIp", FIELD_IP, public_ip, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeAddresses.html */
static const struct filter_row eip_filters[] = {
    { "allocation-id", "AllocationId" },
    { "association-id", "AssociationId" },
    { "domain", "Domain" },
    { "instance-id", "InstanceId" },
    { "network-border-group", "NetworkBorderGroup" },
    { "network-interface-id", "NetworkInterfaceId" },
    { "network-interface-owner-id", "NetworkInterfaceOwnerId" },
    { "private-ip-address", "PrivateIpAddress" },
    { "public-ip", "PublicIp" },
    { NULL, NULL },
};

/* A dump may say only here what live AWS says at the interface too. */
static void
eip_loaded(struct store *store, void *object)
{
    const struct elastic_ip *eip = object;
    struct eni *eni = eip->eni_id[0] ? store_get(store, &eni_kind, eip->eni_id) : NULL;
    for (size_t i = 0; eni && i < eni->addresses.n; i++) {
        struct eni_address *address = &eni->addresses.items[i];
        bool here = eip->private_ip.family ? ip_equal(&address->ip, &eip->private_ip) : address->primary;
        if (here && !address->association.public_ip.family) {
            address->association.public_ip = eip->public_ip;
            str_set(&address->association.allocation_id, eip->obj.id);
            str_set(&address->association.association_id, eip->association_id);
        }
    }
}

const struct kind elastic_ip_kind = {
    .name = "elastic-ip",
    .prefix = "eipalloc",
    .type = "elastic-ip",
    .list = "Addresses",
    .id_member = "AllocationId",
    .ids_param = "AllocationIds",
    .not_found = "InvalidAllocationID.NotFound",
    .size = sizeof(struct elastic_ip),
    .fields = eip_fields,
    .filters = eip_filters,
    .loaded = eip_loaded,
};

/* ---- public addresses
 * ------------------------------------------------------------------------------------------------- */

struct elastic_ip *
elastic_ip_of(const struct network *net, const char *allocation_id)
{
    return allocation_id ? store_get(net->store, &elastic_ip_kind, allocation_id) : NULL;
}

static bool
is_allocated(const struct network *net, const struct ip *ip)
{
    for (const struct elastic_ip *eip = store_first(net->store, &elastic_ip_kind); eip;
         eip = store_next(net->store, eip)) {
        if (ip_equal(&eip->public_ip, ip)) {
            return true;
        }
    }
    return false;
}

bool
network_pick_public(struct network *net, const struct ip * not, struct ip *ip, struct err *err)
{
    /* Documentation and benchmark ranges (RFC 5737, RFC 2544). */
    static const char *const pools[] = { "203.0.113.0/24", "198.51.100.0/24", "192.0.2.0/24", "198.18.0.0/15" };
    for (size_t p = 0; p < ARRAY_SIZE(pools); p++) {
        struct cidr pool = cidr_lit(pools[p]);
        struct ip last = cidr_last(&pool);
        for (struct ip try = ip_add(&pool.ip, 1); ip_compare(&try, &last) < 0; try = ip_add(&try, 1)) {
            bool edge =
                (try.lo & 255) == 0 || (try.lo & 255) == 255; /* confusing to read, and some programs refuse them */
            if (!edge && !(not &&ip_equal(not, &try)) && !index_public_ip_used(net, &try) && !is_allocated(net, &try)) {
                *ip = try;
                return true;
            }
        }
    }
    return err_set(err, ERR_INPUT, "InsufficientAddressCapacity", "there are no free public addresses left");
}

bool
network_pick_public_ip(struct network *net, struct ip *ip, struct err *err)
{
    return network_pick_public(net, NULL, ip, err);
}

/* ---- operations
 * ----------------------------------------------------------------------------------------------------------- */

struct elastic_ip *
elastic_ip_allocate(struct network *net, struct err *err)
{
    struct ip ip;
    if (net->limits && store_count(net->store, &elastic_ip_kind) >= 5) {
        err_set(err, ERR_INPUT, "AddressLimitExceeded", "the maximum number of addresses has been reached (5)");
        return NULL;
    }
    if (!network_pick_public_ip(net, &ip, err)) {
        return NULL;
    }
    struct elastic_ip *eip = network_add(net, &elastic_ip_kind, NULL);
    eip->public_ip = ip;
    eip->domain = xstrdup("vpc");
    eip->pool = xstrdup("amazon");
    eip->border_group = xstrdup(eip->obj.region);
    return eip;
}

bool
elastic_ip_release(struct network *net, struct elastic_ip *eip, struct err *err)
{
    if (eip->association_id[0]) {
        err_set(err, ERR_INPUT, "InvalidIPAddress.InUse", "address `%s` is in use by `%s`", ip_str(&eip->public_ip),
                eip->instance_id[0] ? eip->instance_id : eip->eni_id);
        return err_hint(err, "disassociate it first (association `%s`)", eip->association_id);
    }
    network_remove(net, eip);
    return true;
}

/* Takes the mapping away on both sides. */
static void
unmap(struct network *net, struct elastic_ip *eip)
{
    struct eni *eni = store_get(net->store, &eni_kind, eip->eni_id);
    if (eni) {
        eni_set_public_ip(net, eni, &eip->private_ip, NULL, NULL);
    }
    eip->association_id[0] = eip->instance_id[0] = eip->eni_id[0] = '\0';
    str_set(&eip->eni_owner_id, NULL);
    eip->private_ip = (struct ip){ 0 };
}

void
elastic_ips_forget_eni(struct network *net, const struct eni *eni, const struct ip *private_ip)
{
    for (struct elastic_ip *eip = store_first(net->store, &elastic_ip_kind); eip; eip = store_next(net->store, eip)) {
        if (strcmp(eip->eni_id, eni->obj.id) == 0 && (!private_ip || ip_equal(&eip->private_ip, private_ip))) {
            unmap(net, eip);
        }
    }
}

void
elastic_ips_follow(struct network *net, const struct eni *eni)
{
    for (struct elastic_ip *eip = store_first(net->store, &elastic_ip_kind); eip; eip = store_next(net->store, eip)) {
        if (strcmp(eip->eni_id, eni->obj.id) == 0) {
            id_set(eip->instance_id, eni->attached ? eni->attachment.instance_id : "");
        }
    }
}

bool
elastic_ip_associate(struct network *net, struct elastic_ip *eip, struct eni *eni, const struct ip *private_ip,
                     bool reassociate, struct err *err)
{
    const struct ip *address = private_ip && private_ip->family ? private_ip : eni_primary_ip(eni);
    const struct eni_address *at = NULL;
    for (size_t i = 0; address && i < eni->addresses.n; i++) {
        at = ip_equal(&eni->addresses.items[i].ip, address) ? &eni->addresses.items[i] : at;
    }
    if (!at) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no address `%s`", eni->obj.id,
                       address ? ip_str(address) : "of IPv4");
    }
    if (!network_vpc_igw(net, eni->vpc_id)) {
        err_set(err, ERR_INPUT, "Gateway.NotAttached", "network `%s` is not attached to any internet gateway",
                eni->vpc_id);
        return err_hint(err, "create an internet gateway and attach it to the VPC first");
    }
    const struct elastic_ip *there = elastic_ip_of(net, at->association.allocation_id);
    if (there == eip) {
        return true; /* AWS answers with the association that is there */
    }
    if (!reassociate && (eip->association_id[0] || there)) {
        err_set(err, ERR_INPUT, "Resource.AlreadyAssociated", "%s is already associated with %s",
                eip->association_id[0] ? ip_str(&eip->public_ip) : ip_str(address),
                eip->association_id[0] ? (eip->instance_id[0] ? eip->instance_id : eip->eni_id) : there->obj.id);
        return err_hint(err, "--allow-reassociation moves it");
    }
    struct ip own = *address;
    if (eip->association_id[0]) {
        unmap(net, eip);
    }
    if (there) {
        unmap(net, elastic_ip_of(net, there->obj.id));
    }
    id_new(net->ids, "eipassoc", eip->association_id);
    eip->private_ip = own;
    memcpy(eip->eni_id, eni->obj.id, ID_SIZE);
    elastic_ips_follow(net, eni);
    str_set(&eip->eni_owner_id, eni->obj.account);
    eni_set_public_ip(net, eni, &own, &eip->public_ip, eip);
    return true;
}

bool
elastic_ip_disassociate(struct network *net, const char *association_id, struct err *err)
{
    for (struct elastic_ip *eip = store_first(net->store, &elastic_ip_kind); eip; eip = store_next(net->store, eip)) {
        if (association_id[0] == '\0' || strcmp(eip->association_id, association_id) != 0) {
            continue;
        }
        const struct nat_gateway *nat = nat_gateway_by_eni(net, eip->eni_id);
        if (nat) {
            err_set(err, ERR_INPUT, "AuthFailure",
                    "you do not have permission to access the specified resource: %s serves `%s`",
                    ip_str(&eip->public_ip), nat->obj.id);
            return err_hint(err, "delete the NAT gateway");
        }
        unmap(net, eip);
        return true;
    }
    return err_set(err, ERR_INPUT, "InvalidAssociationID.NotFound", "the association ID `%s` does not exist",
                   association_id);
}
