/* cloud/ops_ec2_block_public_access.c - VPC Block Public Access and its exclusions.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVpcBlockPublicAccessOptions.html and
 * neighbours */
#include "cloud/ops_ec2.h"
#include "netsim/model/block_public_access.h"
#include "netsim/model/subnet.h"

static bool
modify_options(struct op_call *call, struct err *err)
{
    (void)err;
    ec2_answer(call, "VpcBlockPublicAccessOptions",
               block_public_access_set(ec2_net(call), arg_str(call->in, "InternetGatewayBlockMode")));
    return true;
}

static bool
describe_options(struct op_call *call, struct err *err)
{
    const struct block_public_access *options = network_block_public_access(ec2_net(call));
    (void)err;
    if (options) {
        ec2_answer(call, "VpcBlockPublicAccessOptions", options);
        return true;
    }
    json_object_set_new(call->out, "VpcBlockPublicAccessOptions",
                        json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "AwsAccountId", call->cloud->account, "AwsRegion",
                                  call->cloud->region, "State", "default-state", "InternetGatewayBlockMode", "off",
                                  "ManagedBy", "account", "ExclusionsAllowed", "allowed"));
    return true;
}

static bool
create_exclusion(struct op_call *call, struct err *err)
{
    const char *vpc = arg_str(call->in, "VpcId"), *subnet = arg_str(call->in, "SubnetId");
    if (!ec2_check_tags(call, (const struct kind *const[]){ &bpa_exclusion_kind, NULL }, err)) {
        return false;
    }
    if (!vpc == !subnet) {
        return err_set(err, ERR_INPUT, vpc ? "InvalidParameterCombination" : "MissingParameter",
                       "an exclusion is of a VPC or of a subnet: give `VpcId` or `SubnetId`");
    }
    struct bpa_exclusion *exclusion =
        bpa_exclusion_create(ec2_net(call), vpc ? vpc : subnet, arg_str(call->in, "InternetGatewayExclusionMode"), err);
    if (!exclusion) {
        return false;
    }
    ec2_tag_new(call, &exclusion->obj);
    ec2_answer(call, "VpcBlockPublicAccessExclusion", exclusion);
    return true;
}

static bool
modify_exclusion(struct op_call *call, struct err *err)
{
    struct bpa_exclusion *exclusion = ec2_require(call, &bpa_exclusion_kind, "ExclusionId", err);
    if (!exclusion ||
        !bpa_exclusion_modify(ec2_net(call), exclusion, arg_str(call->in, "InternetGatewayExclusionMode"), err)) {
        return false;
    }
    ec2_answer(call, "VpcBlockPublicAccessExclusion", exclusion);
    return true;
}

static bool
delete_exclusion(struct op_call *call, struct err *err)
{
    struct bpa_exclusion *exclusion = ec2_require(call, &bpa_exclusion_kind, "ExclusionId", err);
    if (!exclusion || !bpa_exclusion_delete(ec2_net(call), exclusion, err)) {
        return false;
    }
    ec2_answer(call, "VpcBlockPublicAccessExclusion", exclusion);
    return true;
}

#define EXCLUSION "vpc-block-public-access-exclusion/"
#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_block_public_access[] = {
    ROW("ModifyVpcBlockPublicAccessOptions", OP_WRITE, modify_options, NULL,
        "Close the region's VPCs to the internet, both ways or inwards, or open them again."),
    ROW("DescribeVpcBlockPublicAccessOptions", OP_READ, describe_options, NULL,
        "Show whether the region's VPCs are closed to the internet."),
    ROW("CreateVpcBlockPublicAccessExclusion", OP_WRITE, create_exclusion,
        EXCLUSION "* vpc/${VpcId} subnet/${SubnetId}", "Exclude a VPC or a subnet from Block Public Access."),
    ROW("ModifyVpcBlockPublicAccessExclusion", OP_WRITE, modify_exclusion, EXCLUSION "${ExclusionId}",
        "Change what an exclusion allows: both ways, or connections from inside."),
    ROW("DeleteVpcBlockPublicAccessExclusion", OP_WRITE, delete_exclusion, EXCLUSION "${ExclusionId}",
        "End an exclusion from Block Public Access."),
    ROW("DescribeVpcBlockPublicAccessExclusions", OP_READ, ec2_describe, NULL,
        "Show the VPCs and subnets excluded from Block Public Access."),
    { 0 },
};
