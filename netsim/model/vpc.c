#include "netsim/model/internal.h"

static const struct field cidr4_fields[] = {
    FIELD(struct vpc_cidr, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct vpc_cidr, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc_cidr, "CidrBlockState.State", FIELD_STRING, state, 0),
    FIELD_END,
};
const struct field vpc_cidr6_fields[] = {
    FIELD(struct vpc_cidr, "AssociationId", FIELD_ID, association_id, 0),
    FIELD(struct vpc_cidr, "Ipv6CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc_cidr, "Ipv6CidrBlockState.State", FIELD_STRING, state, 0),
    FIELD(struct vpc_cidr, "NetworkBorderGroup", FIELD_STRING, border_group, 0),
    FIELD(struct vpc_cidr, "Ipv6Pool", FIELD_STRING, pool, 0),
    FIELD_END,
};
static const struct field vpc_fields[] = {
    FIELD(struct vpc, "InstanceTenancy", FIELD_STRING, tenancy, 0),
    FIELD_LIST(struct vpc, "Ipv6CidrBlockAssociationSet", cidrs6, vpc_cidr6_fields, 0),
    FIELD_LIST(struct vpc, "CidrBlockAssociationSet", cidrs, cidr4_fields, 0),
    FIELD(struct vpc, "IsDefault", FIELD_BOOL, is_default, 0),
    FIELD_LIST(struct vpc, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct vpc, "VpcId", FIELD_ID, obj.id, 0),
    FIELD(struct vpc, "State", FIELD_STRING, state, 0),
    FIELD(struct vpc, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD(struct vpc, "DhcpOptionsId", FIELD_STRING, dhcp_options_id, 0),
    FIELD(struct vpc, "EnableDnsSupport", FIELD_BOOL, dns_support, FIELD_STATE_ONLY),
    FIELD(struct vpc, "EnableDnsHostnames", FIELD_BOOL, dns_hostnames, FIELD_STATE_ONLY),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcs.html */
static const struct filter_row vpc_filters[] = {
    { "cidr", "CidrBlock" },
    { "cidr-block-association.cidr-block", "CidrBlockAssociationSet.CidrBlock" },
    { "cidr-block-association.association-id", "CidrBlockAssociationSet.AssociationId" },
    { "cidr-block-association.state", "CidrBlockAssociationSet.CidrBlockState.State" },
    { "dhcp-options-id", "DhcpOptionsId" },
    { "ipv6-cidr-block-association.ipv6-cidr-block", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlock" },
    { "ipv6-cidr-block-association.ipv6-pool", "Ipv6CidrBlockAssociationSet.Ipv6Pool" },
    { "ipv6-cidr-block-association.association-id", "Ipv6CidrBlockAssociationSet.AssociationId" },
    { "ipv6-cidr-block-association.state", "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State" },
    { "is-default", "IsDefault" },
    { "isDefault", "IsDefault" },
    { "state", "State" },
    { "vpc-id", "VpcId" },
    { NULL, NULL },
};

static void
vpc_init(void *object)
{
    struct vpc *vpc = object;
    vpc->dns_support = true; /* describe-vpcs does not tell; AWS's default */
}

/* Old dumps have only CidrBlock, without the association set. */
static void
vpc_loaded(struct store *store, void *object)
{
    struct vpc *vpc = object;
    (void)store;
    if (vpc->cidrs.n == 0 && vpc->cidr.ip.family != IP_NONE) {
        struct vpc_cidr *block = VEC_ADD(&vpc->cidrs);
        block->cidr = vpc->cidr;
        block->state = xstrdup("associated");
    } else if (vpc->cidr.ip.family == IP_NONE && vpc->cidrs.n > 0) {
        vpc->cidr = vpc->cidrs.items[0].cidr;
    }
}

const struct kind vpc_kind = {
    .name = "vpc",
    .prefix = "vpc",
    .type = "vpc",
    .list = "Vpcs",
    .id_member = "VpcId",
    .ids_param = "VpcIds",
    .not_found = "InvalidVpcID.NotFound",
    .malformed = "InvalidVpcID.Malformed",
    .size = sizeof(struct vpc),
    .fields = vpc_fields,
    .shows_owner = true,
    .filters = vpc_filters,
    .init = vpc_init,
    .loaded = vpc_loaded,
};

/* A block that was disassociated stays listed for a while in AWS's answers; it no longer counts. */
static bool
associated(const struct vpc_cidr *block)
{
    return !block->state || strcmp(block->state, "associated") == 0 || strcmp(block->state, "associating") == 0;
}

bool
vpc_contains_ip(const struct vpc *vpc, const struct ip *ip)
{
    struct cidr host = cidr_host(ip);
    return vpc_contains(vpc, &host);
}

bool
vpc_contains(const struct vpc *vpc, const struct cidr *cidr)
{
    const bool v6 = cidr->ip.family == IP_V6;
    const struct vpc_cidr *blocks = v6 ? vpc->cidrs6.items : vpc->cidrs.items;
    size_t n = v6 ? vpc->cidrs6.n : vpc->cidrs.n;
    for (size_t i = 0; i < n; i++) {
        if (associated(&blocks[i]) && cidr_contains(&blocks[i].cidr, cidr)) {
            return true;
        }
    }
    return false;
}
