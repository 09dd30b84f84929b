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
/* The side of the other VPC as seen from 'vpc_id'; NULL if that VPC takes no part. */
const struct peering_side *peering_other(const struct peering *peering, const char *vpc_id);
/* The active connection between two VPCs; NULL if there is none. */
struct peering *network_peering_between(const struct network *net, const char *vpc_id, const char *other_vpc_id);
