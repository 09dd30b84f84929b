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
