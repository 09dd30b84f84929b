/* cloud/ops_ec2_vpc.c - VPCs and subnets: creating, changing, deleting, further address blocks. */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/subnet.h"

static bool
missing(const char *name, struct err *err)
{
    err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `%s`", name);
    return err_at(err, name, 0, 0);
}

/* ---- VPCs -------------------------------------------------------------------------------------------------------- */

static bool
create_vpc(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &vpc_kind, NULL };
    struct vpc_spec spec = { .amazon_ipv6 = arg_flag(call->in, "AmazonProvidedIpv6CidrBlock", false),
                             .tenancy = arg_str(call->in, "InstanceTenancy") };
    if (!ec2_check_tags(call, kinds, err) || !ec2_cidr(call, "CidrBlock", IP_V4, false, &spec.cidr, err)) {
        return false;
    }
    if (!spec.cidr.ip.family) {
        return missing("CidrBlock", err);
    }
    struct vpc *vpc = vpc_create(ec2_net(call), &spec, err);
    if (!vpc) {
        return false;
    }
    ec2_tag_new(call, &vpc->obj);
    ec2_answer(call, "Vpc", vpc);
    return true;
}

static bool
create_default_vpc(struct op_call *call, struct err *err)
{
    struct vpc *vpc = network_create_default_vpc(ec2_net(call), err);
    if (vpc) {
        ec2_answer(call, "Vpc", vpc);
    }
    return vpc != NULL;
}

static bool
delete_vpc(struct op_call *call, struct err *err)
{
    struct vpc *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    return vpc && vpc_delete(ec2_net(call), vpc, err);
}

/* An attribute that is on or off, as the request names it and as describe-*-attribute does. */
struct attribute {
    const char *member, *attribute;
    size_t offset;
};
static const struct attribute vpc_attributes[] = {
    { "EnableDnsSupport", "enableDnsSupport", offsetof(struct vpc, dns_support) },
    { "EnableDnsHostnames", "enableDnsHostnames", offsetof(struct vpc, dns_hostnames) },
    { "EnableNetworkAddressUsageMetrics", "enableNetworkAddressUsageMetrics", offsetof(struct vpc, usage_metrics) },
};
static const struct attribute subnet_attributes[] = {
    { "MapPublicIpOnLaunch", "", offsetof(struct subnet, map_public_ip) },
    { "AssignIpv6AddressOnCreation", "", offsetof(struct subnet, assign_ipv6) },
    { "EnableDns64", "", offsetof(struct subnet, dns64) },
    { "EnableResourceNameDnsARecordOnLaunch", "", offsetof(struct subnet, dns_a_record) },
    { "EnableResourceNameDnsAAAARecordOnLaunch", "", offsetof(struct subnet, dns_aaaa_record) },
};

static bool *
attribute_of(const struct attribute *row, void *object)
{
    return (bool *)((char *)object + row->offset);
}

/* AWS changes one attribute in a request.  NULL and an error if there is none or there are several. */
static const struct attribute *
only_attribute(const struct op_call *call, const struct attribute *rows, size_t n, struct err *err)
{
    const struct attribute *found = NULL;
    for (size_t i = 0; i < n; i++) {
        if (!json_object_get(call->in, rows[i].member)) {
            continue;
        }
        if (found) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "the parameters `%s` and `%s` cannot be used together", found->member, rows[i].member);
            err_hint(err, "modify one attribute at a time");
            return NULL;
        }
        found = &rows[i];
    }
    if (!found) {
        struct buf names = { 0 };
        for (size_t i = 0; i < n; i++) {
            buf_printf(&names, "%s%s", i ? ", " : "", rows[i].member);
        }
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain an attribute to modify");
        err_hint(err, "attributes: %s", buf_str(&names));
        buf_done(&names);
    }
    return found;
}

static bool
modify_vpc_attribute(struct op_call *call, struct err *err)
{
    struct vpc *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    const struct attribute *row = vpc ? only_attribute(call, vpc_attributes, ARRAY_SIZE(vpc_attributes), err) : NULL;
    if (!row) {
        return false;
    }
    bool on = arg_flag(call->in, row->member, false);
    if (on && strcmp(row->member, "EnableDnsHostnames") == 0 && !vpc->dns_support) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "DNS hostnames need DNS support, which is off in `%s`",
                vpc->obj.id);
        return err_hint(err, "turn it on first: `modify-vpc-attribute --vpc-id %s --enable-dns-support`", vpc->obj.id);
    }
    *attribute_of(row, vpc) = on;
    store_touch(network_store(ec2_net(call)));
    return true;
}

static bool
describe_vpc_attribute(struct op_call *call, struct err *err)
{
    struct vpc *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    const char *name = arg_str(call->in, "Attribute");
    for (size_t i = 0; vpc && i < ARRAY_SIZE(vpc_attributes); i++) {
        const struct attribute *row = &vpc_attributes[i];
        if (strcmp(row->attribute, name) == 0) {
            json_object_set_new(call->out, row->member, json_pack("{s:b}", "Value", *attribute_of(row, vpc)));
            json_object_set_new(call->out, "VpcId", json_string(vpc->obj.id));
            return true;
        }
    }
    if (vpc) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "value (`%s`) for parameter `Attribute` is invalid", name);
        err_hint(err, "use enableDnsSupport, enableDnsHostnames or enableNetworkAddressUsageMetrics");
    }
    return false;
}

/* ---- further blocks ------------------------------------------------------------------------------------------------
 */

/* AWS answers before the work is done, hence "associating"; describe-vpcs shows "associated". */
static void
answer_block(struct op_call *call, const struct vpc_cidr *block, const char *state, bool of_vpc)
{
    bool v6 = block->cidr.ip.family == IP_V6;
    json_t *out = json_object(), *shown = json_object();
    json_object_set_new(out, "AssociationId", json_string(block->association_id));
    json_object_set_new(out, v6 ? "Ipv6CidrBlock" : "CidrBlock", json_string(cidr_str(&block->cidr)));
    json_object_set_new(shown, "State", json_string(state));
    json_object_set_new(out, v6 ? "Ipv6CidrBlockState" : "CidrBlockState", shown);
    if (v6 && of_vpc && block->border_group && block->pool) {
        json_object_set_new(out, "NetworkBorderGroup", json_string(block->border_group));
        json_object_set_new(out, "Ipv6Pool", json_string(block->pool));
    }
    json_object_set_new(call->out, v6 ? "Ipv6CidrBlockAssociation" : "CidrBlockAssociation", out);
}

static bool
associate_vpc_cidr_block(struct op_call *call, struct err *err)
{
    struct vpc *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    struct cidr cidr;
    bool amazon = arg_flag(call->in, "AmazonProvidedIpv6CidrBlock", false);
    if (!vpc || !ec2_cidr(call, "CidrBlock", IP_V4, false, &cidr, err)) {
        return false;
    }
    if (amazon == (cidr.ip.family != IP_NONE)) {
        return err_set(err, ERR_INPUT, amazon ? "InvalidParameterCombination" : "MissingParameter",
                       "the request must contain one of the parameters `CidrBlock` and `AmazonProvidedIpv6CidrBlock`");
    }
    const struct vpc_cidr *block = amazon ? vpc_associate_amazon_ipv6(ec2_net(call), vpc, err)
                                          : vpc_associate_cidr(ec2_net(call), vpc, &cidr, err);
    if (!block) {
        return false;
    }
    answer_block(call, block, "associating", true);
    json_object_set_new(call->out, "VpcId", json_string(vpc->obj.id));
    return true;
}

/* The block of that association among 'blocks'; answered before it goes away. */
static bool
answer_leaving(struct op_call *call, const struct vpc_cidr *blocks, size_t n, const char *id, const char *owner,
               bool of_vpc)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(blocks[i].association_id, id) == 0) {
            answer_block(call, &blocks[i], "disassociating", of_vpc);
            json_object_set_new(call->out, of_vpc ? "VpcId" : "SubnetId", json_string(owner));
            return true;
        }
    }
    return false;
}

static bool
disassociate_vpc_cidr_block(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "AssociationId");
    const struct store *store = network_store(ec2_net(call));
    for (const struct vpc *vpc = store_first(store, &vpc_kind); vpc; vpc = store_next(store, vpc)) {
        if (answer_leaving(call, vpc->cidrs.items, vpc->cidrs.n, id, vpc->obj.id, true) ||
            answer_leaving(call, vpc->cidrs6.items, vpc->cidrs6.n, id, vpc->obj.id, true)) {
            break;
        }
    }
    return vpc_disassociate_cidr(ec2_net(call), id, err);
}

/* ---- subnets -------------------------------------------------------------------------------------------------------
 */

static bool
create_subnet(struct op_call *call, struct err *err)
{
    static const struct kind *const kinds[] = { &subnet_kind, NULL };
    const char *zone = arg_str(call->in, "AvailabilityZone"), *zone_id = arg_str(call->in, "AvailabilityZoneId");
    struct subnet_spec spec = { .vpc_id = arg_str(call->in, "VpcId"), .zone = zone ? zone : zone_id };
    if (!ec2_require(call, &vpc_kind, "VpcId", err) || !ec2_check_tags(call, kinds, err) ||
        !ec2_cidr(call, "CidrBlock", IP_V4, false, &spec.cidr, err) ||
        !ec2_cidr(call, "Ipv6CidrBlock", IP_V6, false, &spec.cidr6, err)) {
        return false;
    }
    if (zone && zone_id) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "the parameters `AvailabilityZone` and `AvailabilityZoneId` cannot be used together");
    }
    bool native = arg_flag(call->in, "Ipv6Native", false);
    if (native && spec.cidr.ip.family) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination",
                       "an IPv6-only subnet (`Ipv6Native`) has no `CidrBlock`");
    }
    if (!native && !spec.cidr.ip.family) {
        missing("CidrBlock", err);
        return spec.cidr6.ip.family ? err_hint(err, "an IPv6-only subnet needs --ipv6-native") : false;
    }
    if (native && !spec.cidr6.ip.family) {
        return missing("Ipv6CidrBlock", err);
    }
    struct subnet *subnet = subnet_create(ec2_net(call), &spec, err);
    if (!subnet) {
        return false;
    }
    ec2_tag_new(call, &subnet->obj);
    ec2_answer(call, "Subnet", subnet);
    return true;
}

static bool
create_default_subnet(struct op_call *call, struct err *err)
{
    const char *zone = arg_str(call->in, "AvailabilityZone");
    if (!zone) {
        return missing("AvailabilityZone", err);
    }
    struct subnet *subnet = subnet_create_default(ec2_net(call), zone, err);
    if (subnet) {
        ec2_answer(call, "Subnet", subnet);
    }
    return subnet != NULL;
}

static bool
delete_subnet(struct op_call *call, struct err *err)
{
    struct subnet *subnet = ec2_require(call, &subnet_kind, "SubnetId", err);
    return subnet && subnet_delete(ec2_net(call), subnet, err);
}

static bool
modify_subnet_attribute(struct op_call *call, struct err *err)
{
    struct subnet *subnet = ec2_require(call, &subnet_kind, "SubnetId", err);
    if (!subnet) {
        return false;
    }
    const char *hostnames = arg_str(call->in, "PrivateDnsHostnameTypeOnLaunch");
    if (hostnames) {
        if (subnet->ipv6_native && strcmp(hostnames, "ip-name") == 0) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "`%s` is an IPv6-only subnet: its instances have resource names", subnet->obj.id);
        }
        free(subnet->hostname_type);
        subnet->hostname_type = xstrdup(hostnames);
        store_touch(network_store(ec2_net(call)));
        return true;
    }
    const struct attribute *row = only_attribute(call, subnet_attributes, ARRAY_SIZE(subnet_attributes), err);
    if (!row) {
        return false;
    }
    bool on = arg_flag(call->in, row->member, false), v6 = strcmp(row->member, "AssignIpv6AddressOnCreation") == 0,
         v4 = strcmp(row->member, "MapPublicIpOnLaunch") == 0;
    if (on && v6 && !subnet_cidr6(subnet)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue",
                "invalid value `true` for assignIpv6AddressOnCreation: `%s` has no IPv6 CIDR block", subnet->obj.id);
        return err_hint(err, "associate-subnet-cidr-block gives it one");
    }
    if (on && v4 && subnet->ipv6_native) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "`%s` is an IPv6-only subnet: it has no public IPv4 addresses", subnet->obj.id);
    }
    *attribute_of(row, subnet) = on;
    store_touch(network_store(ec2_net(call)));
    return true;
}

static bool
associate_subnet_cidr_block(struct op_call *call, struct err *err)
{
    struct subnet *subnet = ec2_require(call, &subnet_kind, "SubnetId", err);
    struct cidr cidr;
    if (!subnet || !ec2_cidr(call, "Ipv6CidrBlock", IP_V6, false, &cidr, err)) {
        return false;
    }
    if (!cidr.ip.family) {
        return missing("Ipv6CidrBlock", err);
    }
    const struct vpc_cidr *block = subnet_associate_cidr6(ec2_net(call), subnet, &cidr, err);
    if (!block) {
        return false;
    }
    answer_block(call, block, "associating", false);
    json_object_set_new(call->out, "SubnetId", json_string(subnet->obj.id));
    return true;
}

static bool
disassociate_subnet_cidr_block(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "AssociationId");
    const struct store *store = network_store(ec2_net(call));
    for (const struct subnet *subnet = store_first(store, &subnet_kind); subnet; subnet = store_next(store, subnet)) {
        if (answer_leaving(call, subnet->cidrs6.items, subnet->cidrs6.n, id, subnet->obj.id, false)) {
            break;
        }
    }
    return subnet_disassociate_cidr6(ec2_net(call), id, err);
}

#define WRITE(name_, run_, resources_, help_)                                                                          \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = OP_WRITE, .run = run_, .resources = resources_, .help = help_         \
    }
const struct op ops_ec2_vpc[] = {
    WRITE("CreateVpc", create_vpc, "vpc/*", "Create a VPC with its main route table, default ACL and default group."),
    WRITE("CreateDefaultVpc", create_default_vpc, "vpc/*",
          "Create the default VPC: 172.31.0.0/16, a subnet in each zone, an internet gateway."),
    WRITE("DeleteVpc", delete_vpc, "vpc/${VpcId}", "Delete a VPC in which nothing is left."),
    WRITE("ModifyVpcAttribute", modify_vpc_attribute, "vpc/${VpcId}",
          "Turn DNS support or DNS hostnames of a VPC on or off."),
    { .service = "ec2",
      .name = "DescribeVpcAttribute",
      .mode = OP_READ,
      .run = describe_vpc_attribute,
      .resources = "vpc/${VpcId}",
      .help = "Show one attribute of a VPC: DNS support, DNS hostnames." },
    WRITE("AssociateVpcCidrBlock", associate_vpc_cidr_block, "vpc/${VpcId}",
          "Add a further IPv4 block, or an Amazon-provided IPv6 block, to a VPC."),
    WRITE("DisassociateVpcCidrBlock", disassociate_vpc_cidr_block, NULL,
          "Take an address block that no subnet uses from its VPC."),
    WRITE("CreateSubnet", create_subnet, "subnet/* vpc/${VpcId}",
          "Create a subnet: a part of a VPC's block in one zone."),
    WRITE("CreateDefaultSubnet", create_default_subnet, NULL,
          "Create the default subnet of a zone in the default VPC."),
    WRITE("DeleteSubnet", delete_subnet, "subnet/${SubnetId}", "Delete a subnet in which no interface is left."),
    WRITE("ModifySubnetAttribute", modify_subnet_attribute, "subnet/${SubnetId}",
          "Say whether instances of a subnet get a public or an IPv6 address by themselves, and which names."),
    WRITE("AssociateSubnetCidrBlock", associate_subnet_cidr_block, "subnet/${SubnetId}",
          "Give a subnet an IPv6 block of its VPC."),
    WRITE("DisassociateSubnetCidrBlock", disassociate_subnet_cidr_block, NULL,
          "Take the IPv6 block from a subnet in which no interface uses it."),
    { 0 },
};
