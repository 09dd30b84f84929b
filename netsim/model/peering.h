/* netsim/model/peering.h - a VPC peering connection: two VPCs that may route to each other once the accepter agreed.
 *
 * It is not transitive: what enters a VPC through a peering leaves it through no gateway.  Groups of the other VPC may
 * be named in rules while it is active and both VPCs are in one region. Sources:
 * https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html, API_VpcPeeringConnection Used by: analysis/,
 * cloud/ops_ec2_peering.c. */
#pragma once
#include "netsim/model/vpc.h"

struct peering_cidr {
    struct cidr cidr;
};
struct peering_side {
    char vpc_id[ID_SIZE];
    char *owner_id, *region;
    struct cidr cidr; /* the primary block; IP_NONE while the other side has not accepted */
    VEC(struct peering_cidr) cidrs, cidrs6;
    bool dns_resolution, classic_link_to_vpc, vpc_to_classic_link; /* PeeringOptions */
};
struct peering {
    struct object obj; /* id: pcx-... */
    struct peering_side requester, accepter;
    char *status, *message; /* pending-acceptance active rejected deleted expired failed ... */
    int64_t expiration_time;
};
extern const struct kind peering_kind;

bool peering_is_active(const struct peering *peering);
/* Is it listed there?  In the regions, and for the accounts, of both VPCs. */
bool peering_in_region(const struct peering *peering, const char *region);
bool peering_of_account(const struct peering *peering, const char *account);
/* The side of the other VPC as seen from 'vpc_id'; NULL if that VPC takes no part. */
const struct peering_side *peering_other(const struct peering *peering, const char *vpc_id);
/* The active connection between two VPCs; NULL if there is none. */
struct peering *network_peering_between(const struct network *net, const char *vpc_id, const char *other_vpc_id);

struct peering_spec {
    const char *vpc_id;
    const char *peer_vpc_id, *peer_owner_id, *peer_region; /* the last two NULL: the requester's */
};
/* Asks for a connection; the accepter's owner must accept it within 7 days.  InvalidVpcID.NotFound; InvalidParameterValue (a VPC with
 * itself, a second connection of the two); OverlappingCidrs are found when accepting: the connection becomes "failed" at once, as AWS
 * answers create with a connection that fails.  A peer VPC that the lab does not hold fails the same way.
 * Source: https://docs.aws.amazon.com/vpc/latest/peering/vpc-peering-basics.html (lifecycle, limitations) */
struct peering *peering_create(struct network *net, const struct peering_spec *spec, struct err *err);
/* In the accepter's region (OperationNotPermitted); InvalidStateTransition unless pending-acceptance.  Whoever works in the lab is the root
 * user of all its accounts, so it may speak for the accepter. */
bool peering_accept(struct network *net, struct peering *peering, struct err *err);
bool peering_reject(struct network *net, struct peering *peering, struct err *err);
/* Stays listed as "deleted"; routes through it become blackholes. */
bool peering_delete(struct network *net, struct peering *peering, struct err *err);
