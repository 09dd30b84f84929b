#include "netsim/model/peering.h"

#include "netsim/model/internal.h"

static const struct field cidr_fields[] = {
    FIELD(struct peering_cidr, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_END,
};
static const struct field cidr6_fields[] = {
    FIELD(struct peering_cidr, "Ipv6CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_END,
};
static const struct field side_fields[] = {
    FIELD(struct peering_side, "CidrBlock", FIELD_CIDR, cidr, 0),
    FIELD_LIST(struct peering_side, "Ipv6CidrBlockSet", cidrs6, cidr6_fields, 0),
    FIELD_LIST(struct peering_side, "CidrBlockSet", cidrs, cidr_fields, 0),
    FIELD(struct peering_side, "OwnerId", FIELD_STRING, owner_id, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowDnsResolutionFromRemoteVpc", FIELD_BOOL, dns_resolution, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowEgressFromLocalClassicLinkToRemoteVpc", FIELD_BOOL,
          classic_link_to_vpc, 0),
    FIELD(struct peering_side, "PeeringOptions.AllowEgressFromLocalVpcToRemoteClassicLink", FIELD_BOOL,
          vpc_to_classic_link, 0),
    FIELD(struct peering_side, "VpcId", FIELD_ID, vpc_id, 0),
    FIELD(struct peering_side, "Region", FIELD_STRING, region, 0),
    FIELD_END,
};
static const struct field peering_fields[] = {
    FIELD_NEST(struct peering, "AccepterVpcInfo", accepter, side_fields, FIELD_ALWAYS),
    FIELD(struct peering, "ExpirationTime", FIELD_TIME, expiration_time, 0),
    FIELD_NEST(struct peering, "RequesterVpcInfo", requester, side_fields, FIELD_ALWAYS),
    FIELD(struct peering, "Status.Code", FIELD_STRING, status, 0),
    FIELD(struct peering, "Status.Message", FIELD_STRING, message, 0),
    FIELD_LIST(struct peering, "Tags", obj.tags, tag_fields, FIELD_ALWAYS),
    FIELD(struct peering, "VpcPeeringConnectionId", FIELD_ID, obj.id, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVpcPeeringConnections.html */
static const struct filter_row peering_filters[] = {
    { "accepter-vpc-info.cidr-block", "AccepterVpcInfo.CidrBlock" },
    { "accepter-vpc-info.owner-id", "AccepterVpcInfo.OwnerId" },
    { "accepter-vpc-info.vpc-id", "AccepterVpcInfo.VpcId" },
    { "expiration-time", "ExpirationTime" },
    { "requester-vpc-info.cidr-block", "RequesterVpcInfo.CidrBlock" },
    { "requester-vpc-info.owner-id", "RequesterVpcInfo.OwnerId" },
    { "requester-vpc-info.vpc-id", "RequesterVpcInfo.VpcId" },
    { "status-code", "Status.Code" },
    { "status-message", "Status.Message" },
    { "vpc-peering-connection-id", "VpcPeeringConnectionId" },
    { NULL, NULL },
};

const struct kind peering_kind = {
    .name = "vpc-peering-connection",
    .prefix = "pcx",
    .type = "vpc-peering-connection",
    .list = "VpcPeeringConnections",
    .id_member = "VpcPeeringConnectionId",
    .ids_param = "VpcPeeringConnectionIds",
    .not_found = "InvalidVpcPeeringConnectionID.NotFound",
    .malformed = "InvalidVpcPeeringConnectionId.Malformed",
    .size = sizeof(struct peering),
    .fields = peering_fields,
    .filters = peering_filters,
};

bool
peering_is_active(const struct peering *peering)
{
    return str_is(peering->status, "active");
}

const struct peering_side *
peering_other(const struct peering *peering, const char *vpc_id)
{
    return strcmp(peering->requester.vpc_id, vpc_id) == 0  ? &peering->accepter
           : strcmp(peering->accepter.vpc_id, vpc_id) == 0 ? &peering->requester
                                                           : NULL;
}
