/* cloud/ops_ec2_peering.c - VPC peering connections.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpcPeeringConnection.html and neighbours */
#include <string.h>

#include "cloud/ops_ec2.h"
#include "netsim/model/peering.h"

/* A connection stands in the regions of both its VPCs, so it is found from either. */
static struct peering *
require_peering(const struct op_call *call, struct err *err)
{
    struct peering *peering =
        network_require(ec2_net(call), &peering_kind, arg_str(call->in, "VpcPeeringConnectionId"), err);
    if (!peering) {
        err_at(err, "VpcPeeringConnectionId", 0, 0);
    }
    return peering;
}

static bool
create_vpc_peering_connection(struct op_call *call, struct err *err)
{
    if (!ec2_check_tags(call, (const struct kind *const[]){ &peering_kind, NULL }, err)) {
        return false;
    }
    const struct object *vpc = ec2_require(call, &vpc_kind, "VpcId", err);
    struct peering_spec spec = { .vpc_id = vpc ? vpc->id : NULL,
                                 .peer_vpc_id = arg_str(call->in, "PeerVpcId"),
                                 .peer_owner_id = arg_str(call->in, "PeerOwnerId"),
                                 .peer_region = arg_str(call->in, "PeerRegion") };
    struct peering *peering = vpc ? peering_create(ec2_net(call), &spec, err) : NULL;
    if (!peering) {
        return false;
    }
    ec2_tag_new(call, &peering->obj);
    ec2_answer(call, "VpcPeeringConnection", peering);
    return true;
}

static bool
accept_vpc_peering_connection(struct op_call *call, struct err *err)
{
    struct peering *peering = require_peering(call, err);
    if (!peering || !peering_accept(ec2_net(call), peering, err)) {
        return false;
    }
    ec2_answer(call, "VpcPeeringConnection", peering);
    return true;
}

static bool
reject_vpc_peering_connection(struct op_call *call, struct err *err)
{
    struct peering *peering = require_peering(call, err);
    return peering && peering_reject(ec2_net(call), peering, err) && ec2_return(call);
}

static bool
delete_vpc_peering_connection(struct op_call *call, struct err *err)
{
    struct peering *peering = require_peering(call, err);
    return peering && peering_delete(ec2_net(call), peering, err) && ec2_return(call);
}

/* One side's options are its owner's to change.  ClassicLink is retired. */
static bool
check_side(const struct op_call *call, const char *member, const struct peering_side *side, struct err *err)
{
    const json_t *options = json_object_get(call->in, member);
    if (options && side->owner_id && strcmp(side->owner_id, call->cloud->account) != 0) {
        err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` belongs to account %s, whose options these are",
                side->vpc_id, side->owner_id);
        return err_at(err, member, 0, 0);
    }
    if (options && (arg_flag(options, "AllowEgressFromLocalClassicLinkToRemoteVpc", false) ||
                    arg_flag(options, "AllowEgressFromLocalVpcToRemoteClassicLink", false))) {
        return err_set(err, ERR_INPUT, "UnsupportedOperation", "ClassicLink belongs to EC2-Classic, which is retired");
    }
    return true;
}

/* Only what is given changes. */
static void
modify_side(struct op_call *call, const char *member, struct peering_side *side)
{
    const json_t *options = json_object_get(call->in, member);
    if (!options) {
        return;
    }
    side->dns_resolution = arg_flag(options, "AllowDnsResolutionFromRemoteVpc", side->dns_resolution);
    json_object_set_new(call->out, member,
                        json_pack("{s:b, s:b, s:b}", "AllowDnsResolutionFromRemoteVpc", side->dns_resolution,
                                  "AllowEgressFromLocalClassicLinkToRemoteVpc", side->classic_link_to_vpc,
                                  "AllowEgressFromLocalVpcToRemoteClassicLink", side->vpc_to_classic_link));
}

static bool
modify_vpc_peering_connection_options(struct op_call *call, struct err *err)
{
    struct peering *peering = require_peering(call, err);
    if (!peering) {
        return false;
    }
    if (!peering_is_active(peering)) {
        return err_set(err, ERR_INPUT, "OperationNotPermitted", "`%s` is %s: options are for active connections",
                       peering->obj.id, peering->status);
    }
    static const char *const members[] = { "RequesterPeeringConnectionOptions", "AccepterPeeringConnectionOptions" };
    if (!check_side(call, members[0], &peering->requester, err) ||
        !check_side(call, members[1], &peering->accepter, err)) {
        return false;
    }
    modify_side(call, members[0], &peering->requester);
    modify_side(call, members[1], &peering->accepter);
    return true;
}

#define ROW(name_, mode_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_peering[] = {
    ROW("CreateVpcPeeringConnection", OP_WRITE, create_vpc_peering_connection, "vpc/${VpcId} vpc-peering-connection/*",
        "Ask for a peering connection between two VPCs; the other's owner accepts it."),
    ROW("AcceptVpcPeeringConnection", OP_WRITE, accept_vpc_peering_connection,
        "vpc-peering-connection/${VpcPeeringConnectionId}", "Accept a peering connection that waits for it."),
    ROW("RejectVpcPeeringConnection", OP_WRITE, reject_vpc_peering_connection,
        "vpc-peering-connection/${VpcPeeringConnectionId}", "Reject a peering connection that waits for acceptance."),
    ROW("DeleteVpcPeeringConnection", OP_WRITE, delete_vpc_peering_connection,
        "vpc-peering-connection/${VpcPeeringConnectionId}",
        "Delete a peering connection; routes through it become blackholes."),
    ROW("ModifyVpcPeeringConnectionOptions", OP_WRITE, modify_vpc_peering_connection_options,
        "vpc-peering-connection/${VpcPeeringConnectionId}",
        "Change whether names resolve to private addresses across."),
    ROW("DescribeVpcPeeringConnections", OP_READ, ec2_describe, NULL,
        "Show peering connections: both VPCs, their blocks and the status."),
    { 0 },
};
