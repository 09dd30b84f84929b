#include "netsim/model/internal.h"

static const struct field subnet_fields[] = {
    FIELD(struct subnet, "AvailabilityZoneId", FIELD_STRING, zone_id, 0),
    FIELD(struct subnet, "MapCustomerOwnedIpOnLaunch", FIELD_BOOL, map_customer_owned, 0),
    FIELD(struct subnet, "AssignIpv6AddressOnCreation", FIELD_BOOL, assign_ipv6, 0),
    FIELD_LIST(struct subnet, "Ipv6CidrBlockAssociationSet", cidrs6, vpc_cidr6_fields, FIELD_ALWAYS),
    FIELD_LIST(struct subnet, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct subnet, "EnableDns64", FIELD_BOOL, dns64, 0),
    FIELD(struct subnet, "Ipv6Native", FIELD_BOOL, ipv6_native, 0),
    FIELD(struct subnet, "PrivateDnsNameOptionsOnLaunch.HostnameType", FIELD_STRING, hostname_type, 0),
    FIELD(struct subnet, "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord", FIELD_BOOL, dns_a_record, 0),
    FIELD(struct subnet, "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord", FIELD_BOOL, dns_aaaa_record,
          0),
    FIELD(struct subnet, "SubnetId", FIELD_ID, obj.id, 0),
    FIELD(struct subnet, "State", FIELD_STRING, state, 0),
    FIELD(struct subnet, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct subnet, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct subnet, "AvailabilityZone", FIELD_STRING, zone, 0),
    FIELD(struct subnet, "DefaultForAz", FIELD_BOOL, default_for_az, 0),
    FIELD(struct subnet, "MapPublicIpOnLaunch", FIELD_BOOL, map_public_ip, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSubnets.html */
static const struct filter_row subnet_filters[] = {
    { "availability-zone", "AvailabilityZone" },
    { "availabilityZone", "AvailabilityZone" },
    { "availability-zone-id", "AvailabilityZoneId" },
    { "availabilityZoneId", "AvailabilityZoneId" },
    { "available-ip-address-count", "AvailableIpAddressCount" },
    { "cidr-block", "CidrBlock" },
    { "cidr", "CidrBlock" },
    { "cidrBlock", "CidrBlock" },
    { "default-for-az", "DefaultForAz" },
    { "defaultForAz", "DefaultForAz" },
    { "enable-dns64", "EnableDns64" },
    { "ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock" },
    { "ipv6-cidr-block-association.association-id", "Ipv6CidrBlockAssociationSet.AssociationId" },
    { "ipv6-cidr-block-association.state", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State" },
    { "ipv6-native", "Ipv6Native" },
    { "map-customer-owned-ip-on-launch", "MapCustomerOwnedIpOnLaunch" },
    { "map-public-ip-on-launch", "MapPublicIpOnLaunch" },
    { "private-dns-name-options-on-launch.hostname-type", "PrivateDnsNameOptionsOnLaunch.HostnameType" },
    { "private-dns-name-options-on-launch.enable-resource-name-dns-a-record",
      "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord" },
    { "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record",
      "PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord" },
    { "state", "State" },
    { "subnet-arn", "SubnetArn" },
    { "subnet-id", "SubnetId" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
subnet_describe(const struct store *store, const void *object, json_t *out)
{
    const struct subnet *subnet = object;
    const struct network *net = network_of(store);
    if (net) {
        json_object_set_new(out, "AvailableIpAddressCount", json_integer(subnet_free_addresses(net, subnet)));
    }
    char *arn = object_arn(&subnet->obj, "subnet");
    json_object_set_new(out, "SubnetArn", json_string(arn));
    free(arn);
}

const struct kind subnet_kind = {
    .name = "subnet",
    .prefix = "subnet",
    .type = "subnet",
    .list = "Subnets",
    .id_member = "SubnetId",
    .ids_param = "SubnetIds",
    .not_found = "InvalidSubnetID.NotFound",
    .malformed = "InvalidSubnetID.Malformed",
    .size = sizeof(struct subnet),
    .fields = subnet_fields,
    .shows_owner = true,
    .filters = subnet_filters,
    .describe = subnet_describe,
};

const struct cidr *
subnet_cidr6(const struct subnet *subnet)
{
    for (size_t i = 0; i < subnet->cidrs6.n; i++) {
        const struct vpc_cidr *block = &subnet->cidrs6.items[i];
        if (!block->state || str_is(block->state, "associated") || str_is(block->state, "associating")) {
            return &block->cidr;
        }
    }
    return NULL;
}

bool
subnet_contains_ip(const struct subnet *subnet, const struct ip *ip)
{
    if (ip->family == IP_V4) {
        return cidr_contains_ip(&subnet->cidr, ip);
    }
    const struct cidr *block = subnet_cidr6(subnet);
    return block && cidr_contains_ip(block, ip);
}

bool
subnet_reserves(const struct subnet *subnet, const struct ip *ip)
{
    const struct cidr *block = ip->family == IP_V6 ? subnet_cidr6(subnet) : &subnet->cidr;
    if (!block || !cidr_contains_ip(block, ip)) {
        return false;
    }
    struct ip last = cidr_last(block), address = cidr_first(block);
    if (ip_equal(ip, &last)) {
        return true;
    }
    for (int i = 0; i < 4; i++, address = ip_add(&address, 1)) {
        if (ip_equal(ip, &address)) {
            return true;
        }
    }
    return false;
}

uint32_t
subnet_free_addresses(const struct network *net, const struct subnet *subnet)
{
    if (subnet->cidr.ip.family != IP_V4) {
        return 0;
    }
    uint64_t size = UINT64_C(1) << (32 - subnet->cidr.bits);
    uint64_t used = index_subnet_used(net, subnet->obj.id) + 5u;
    return used < size ? (uint32_t)(size - used) : 0;
}

/* ---- addresses
 * ----------------------------------------------------------------------------------------------------------- */

bool
subnet_pick(const struct network *net, const struct subnet *subnet, int family, const struct ip * not, size_t n_not,
            struct ip *ip, struct err *err)
{
    const struct cidr *block = family == IP_V6 ? subnet_cidr6(subnet) : &subnet->cidr;
    if (!block || block->ip.family != family) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no IPv%d CIDR block", subnet->obj.id, family);
    }
    /* Every lower address than the hint is taken.  IPv6 addresses are drawn, as AWS's look: 2^64 of them are never
     * full. */
    uint32_t *hint = index_subnet_hint(net, subnet->obj.id);
    struct ip try = cidr_first(block), last = cidr_last(block);
    if (family == IP_V4 && *hint > try.lo) {
        try.lo = *hint;
    }
    uint64_t host = block->bits <= 64 ? UINT64_MAX : block->bits < 128 ? UINT64_MAX >> (block->bits - 64) : 0;
    for (unsigned n = 0; family == IP_V6 ? n < 10000 : ip_compare(&try, &last) < 0; n++) {
        if (family == IP_V6) {
            try.lo = block->ip.lo | (id_random(net->ids) & host);
        } else if (n > 0) {
            try.lo++;
        }
        bool taken = subnet_reserves(subnet, &try) || network_eni_by_address(net, subnet->vpc_id, &try);
        if (!taken && family == IP_V4 && n_not == 0) {
            *hint = (uint32_t)try.lo;
        }
        for (size_t i = 0; i < n_not && !taken; i++) {
            taken = ip_equal(&not [i], &try);
        }
        if (!taken) {
            *ip = try;
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "InsufficientFreeAddressesInSubnet", "insufficient free addresses in `%s` (%s)",
                   subnet->obj.id, cidr_str(block));
}

bool
subnet_pick_address(const struct network *net, const struct subnet *subnet, int family, struct ip *ip, struct err *err)
{
    return subnet_pick(net, subnet, family, NULL, 0, ip, err);
}

/* ---- creating and deleting
 * ------------------------------------------------------------------------------------------------ */

static bool
zone_find(const struct network *net, const char *wanted, char name[static 24], char id[static 24], struct err *err)
{
    struct buf known = { 0 };
    for (size_t i = 0; network_zone(net, i, name, id); i++) {
        if (!wanted || strcmp(wanted, name) == 0 || strcmp(wanted, id) == 0) {
            buf_done(&known);
            return true;
        }
        buf_printf(&known, "%s%s", i ? ", " : "", name);
    }
    err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%s`) for parameter availabilityZone is invalid", wanted);
    err_hint(err, "subnets can be created in %s", buf_str(&known));
    buf_done(&known);
    return false;
}

static bool
subnet_overlap_check(const struct network *net, const struct subnet *self, const char *vpc_id, const struct cidr *cidr,
                     struct err *err)
{
    for (const struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        const struct cidr *own = cidr->ip.family == IP_V6 ? subnet_cidr6(s) : &s->cidr;
        if (s != self && strcmp(s->vpc_id, vpc_id) == 0 && own && own->ip.family && cidr_overlaps(own, cidr)) {
            return err_set(err, ERR_INPUT, "InvalidSubnet.Conflict", "the CIDR `%s` conflicts with `%s` of `%s`",
                           cidr_str(cidr), cidr_str(own), s->obj.id);
        }
    }
    return true;
}

static bool
subnet_cidr_check(const struct network *net, const struct vpc *vpc, const struct subnet *self, const struct cidr *cidr,
                  struct err *err)
{
    bool v6 = cidr->ip.family == IP_V6;
    if (v6 ? cidr->bits < 44 || cidr->bits > 64 || cidr->bits % 4 != 0 : cidr->bits < 16 || cidr->bits > 28) {
        err_set(err, ERR_INPUT, "InvalidSubnet.Range", "the CIDR `%s` is invalid", cidr_str(cidr));
        return err_hint(err, v6 ? "an IPv6 block of a subnet is between /44 and /64 in steps of 4"
                                : "an IPv4 block of a subnet is between /16 and /28");
    }
    if (!vpc_contains(vpc, cidr)) {
        struct buf blocks = { 0 };
        for (size_t i = 0; i < (v6 ? vpc->cidrs6.n : vpc->cidrs.n); i++) {
            buf_printf(&blocks, "%s%s", i ? ", " : "",
                       cidr_str(v6 ? &vpc->cidrs6.items[i].cidr : &vpc->cidrs.items[i].cidr));
        }
        err_set(err, ERR_INPUT, "InvalidSubnet.Range", "the CIDR `%s` is not inside `%s`", cidr_str(cidr), vpc->obj.id);
        err_hint(err, blocks.size ? "the VPC has %s" : "the VPC has no IPv6 block%s", buf_str(&blocks));
        buf_done(&blocks);
        return false;
    }
    return subnet_overlap_check(net, self, vpc->obj.id, cidr, err);
}

static bool
subnet_limit_check(const struct network *net, const char *vpc_id, struct err *err)
{
    size_t n = 0;
    for (const struct subnet *s = store_first(net->store, &subnet_kind); net->limits && s;
         s = store_next(net->store, s)) {
        n += strcmp(s->vpc_id, vpc_id) == 0;
    }
    return n < 200 || err_set(err, ERR_INPUT, "SubnetLimitExceeded",
                              "the maximum number of subnets in `%s` has been reached (200)", vpc_id);
}

static struct vpc_cidr *
cidr6_add(struct network *net, struct subnet *subnet, const struct cidr *cidr)
{
    struct vpc_cidr *block = VEC_ADD(&subnet->cidrs6);
    id_new(net->ids, "subnet-cidr-assoc", block->association_id);
    block->cidr = *cidr;
    block->state = xstrdup("associated");
    return block;
}

struct subnet *
subnet_create(struct network *net, const struct subnet_spec *spec, struct err *err)
{
    char zone[24], zone_id[24];
    struct vpc *vpc = network_require(net, &vpc_kind, spec->vpc_id, err);
    if (!vpc || !zone_find(net, spec->zone, zone, zone_id, err)) {
        return NULL;
    }
    if (!spec->cidr.ip.family && !spec->cidr6.ip.family) {
        err_set(err, ERR_INPUT, "MissingParameter", "either CidrBlock or Ipv6CidrBlock must be provided");
        return NULL;
    }
    if ((spec->cidr.ip.family && !subnet_cidr_check(net, vpc, NULL, &spec->cidr, err)) ||
        (spec->cidr6.ip.family && !subnet_cidr_check(net, vpc, NULL, &spec->cidr6, err)) ||
        !subnet_limit_check(net, vpc->obj.id, err)) {
        return NULL;
    }
    struct subnet *subnet = network_add(net, &subnet_kind, NULL);
    memcpy(subnet->vpc_id, vpc->obj.id, ID_SIZE);
    memcpy(subnet->obj.account, vpc->obj.account, sizeof subnet->obj.account);
    subnet->cidr = spec->cidr;
    if (spec->cidr6.ip.family) {
        cidr6_add(net, subnet, &spec->cidr6);
    }
    subnet->zone = xstrdup(zone);
    subnet->zone_id = xstrdup(zone_id);
    subnet->state = xstrdup("available");
    subnet->hostname_type = xstrdup(spec->cidr.ip.family ? "ip-name" : "resource-name");
    subnet->ipv6_native = subnet->assign_ipv6 = !spec->cidr.ip.family;
    subnet->default_for_az = subnet->map_public_ip = spec->default_for_az;
    network_acl_adopt_subnet(net, subnet);
    return subnet;
}

bool
subnet_delete(struct network *net, struct subnet *subnet, struct err *err)
{
    struct dependents left = { 0 };
    for (struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
        if (strcmp(eni->subnet_id, subnet->obj.id) != 0) {
            continue;
        }
        struct nat_gateway *nat = nat_gateway_by_eni(net, eni->obj.id);
        /* The person knows the instance or gateway, not the interface that it brought along. */
        dependents_add(&left, nat                                               ? nat->obj.id
                              : eni->attached && eni->attachment.instance_id[0] ? eni->attachment.instance_id
                                                                                : eni->obj.id);
    }
    if (!dependents_none(&left, subnet->obj.id, err)) {
        return false;
    }
    route_tables_forget_subnet(net, subnet->obj.id);
    network_acls_forget_subnet(net, subnet->obj.id);
    network_remove(net, subnet);
    return true;
}

struct vpc_cidr *
subnet_associate_cidr6(struct network *net, struct subnet *subnet, const struct cidr *cidr, struct err *err)
{
    struct vpc *vpc = network_require(net, &vpc_kind, subnet->vpc_id, err);
    if (!vpc) {
        return NULL;
    }
    if (cidr->ip.family != IP_V6) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not an IPv6 block", cidr_str(cidr));
        return NULL;
    }
    const struct cidr *there = subnet_cidr6(subnet);
    if (there) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` already has the IPv6 block `%s`", subnet->obj.id,
                cidr_str(there));
        err_hint(err, "a subnet has at most one; disassociate it first");
        return NULL;
    }
    if (!subnet_cidr_check(net, vpc, subnet, cidr, err)) {
        return NULL;
    }
    store_touch(net->store);
    return cidr6_add(net, subnet, cidr);
}

bool
subnet_disassociate_cidr6(struct network *net, const char *association_id, struct err *err)
{
    for (struct subnet *s = store_first(net->store, &subnet_kind); s; s = store_next(net->store, s)) {
        for (size_t i = 0; i < s->cidrs6.n; i++) {
            struct vpc_cidr *block = &s->cidrs6.items[i];
            if (strcmp(block->association_id, association_id) != 0) {
                continue;
            }
            for (struct eni *eni = store_first(net->store, &eni_kind); eni; eni = store_next(net->store, eni)) {
                if (strcmp(eni->subnet_id, s->obj.id) == 0 && eni->addresses6.n) {
                    return err_set(err, ERR_INPUT, "InvalidCidrBlock.InUse", "`%s` is in use: `%s` has %s",
                                   cidr_str(&block->cidr), eni->obj.id, ip_str(&eni->addresses6.items[0].ip));
                }
            }
            fields_done(vpc_cidr6_fields, block);
            VEC_REMOVE(&s->cidrs6, i);
            s->assign_ipv6 = false;
            store_touch(net->store);
            return true;
        }
    }
    return err_set(err, ERR_INPUT, "InvalidSubnetCidrBlockAssociationID.NotFound",
                   "the CIDR association `%s` does not exist", association_id);
}
