/* cloud/ops_ec2_egress_dhcp.c - egress-only internet gateways, and DHCP options.
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateEgressOnlyInternetGateway.html,
 * API_CreateDhcpOptions.html and neighbours */
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/dhcp_options.h"
#include "netsim/model/egress_only_gateway.h"

static bool
create_egress_only(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &egress_only_gateway_kind, NULL }, err) ||
        !ec2_require(call, &vpc_kind, "VpcId", err)) {
        return false;
    }
    struct egress_only_gateway *gateway = egress_only_gateway_create(ec2_net(call), arg_str(call->in, "VpcId"), err);
    if (!gateway) {
        return false;
    }
    ec2_tag_new(call, &gateway->obj);
    ec2_answer(call, "EgressOnlyInternetGateway", gateway);
    ec2_answer_token(call);
    return true;
}

static bool
delete_egress_only(struct op_call *call, struct err *err)
{
    struct egress_only_gateway *gateway =
        ec2_require(call, &egress_only_gateway_kind, "EgressOnlyInternetGatewayId", err);
    if (!gateway) {
        return false;
    }
    egress_only_gateway_delete(ec2_net(call), gateway);
    json_object_set_new(call->out, "ReturnCode", json_true());
    return true;
}

/* ---- DHCP options ------------------------------------------------------------------------------------------------ */

static bool
create_dhcp_options(struct op_call *call, struct err *err)
{
    const json_t *list = json_object_get(call->in, "DhcpConfigurations");
    if (!ec2_check_tags(call, (const struct kind *const[]){ &dhcp_options_kind, NULL }, err)) {
        return false;
    }
    struct dhcp_options *options = dhcp_options_create(ec2_net(call));
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i), *values = json_object_get(item, "Values");
        if (!dhcp_options_add(options, json_str(item, "Key"), values, err)) {
            return err_at(err, "DhcpConfigurations", 0, 0);
        }
    }
    ec2_tag_new(call, &options->obj);
    ec2_answer(call, "DhcpOptions", options);
    return true;
}

static bool
associate_dhcp_options(struct op_call *call, struct err *err)
{
    struct vpc *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    const char *id = arg_str(call->in, "DhcpOptionsId");
    if (!vpc ||
        (strcmp(id ? id : "", "default") != 0 && !ec2_require(call, &dhcp_options_kind, "DhcpOptionsId", err))) {
        return false;
    }
    dhcp_options_associate(ec2_net(call), vpc, id);
    return true;
}

static bool
delete_dhcp_options(struct op_call *call, struct err *err)
{
    struct dhcp_options *options = ec2_require(call, &dhcp_options_kind, "DhcpOptionsId", err);
    return options && dhcp_options_delete(ec2_net(call), options, err);
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_egress_dhcp[] = {
    ROW("CreateEgressOnlyInternetGateway", OP_WRITE, create_egress_only, "egress-only-internet-gateway/* vpc/${VpcId}",
        "Create a way out of a VPC for IPv6 that lets nothing in."),
    ROW("DeleteEgressOnlyInternetGateway", OP_WRITE, delete_egress_only,
        "egress-only-internet-gateway/${EgressOnlyInternetGatewayId}",
        "Delete an egress-only internet gateway; routes to it become blackholes."),
    ROW("DescribeEgressOnlyInternetGateways", OP_READ, ec2_describe, NULL, "Show egress-only internet gateways."),
    ROW("CreateDhcpOptions", OP_WRITE, create_dhcp_options, "dhcp-options/*",
        "Create a set of DHCP options: domain name, name servers, time servers."),
    ROW("AssociateDhcpOptions", OP_WRITE, associate_dhcp_options, "dhcp-options/${DhcpOptionsId} vpc/${VpcId}",
        "Give a VPC a set of DHCP options; `default` is none."),
    ROW("DeleteDhcpOptions", OP_WRITE, delete_dhcp_options, "dhcp-options/${DhcpOptionsId}",
        "Delete a set of DHCP options that no VPC uses."),
    ROW("DescribeDhcpOptions", OP_READ, ec2_describe, NULL, "Show sets of DHCP options."),
    { 0 },
};
