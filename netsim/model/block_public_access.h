/* netsim/model/block_public_access.h - VPC Block Public Access: an account's switch, for one region, that closes its internet gateways
 * and egress-only internet gateways, and the VPCs and subnets that are excluded from it.
 *
 *   off                  the gateways carry what routes and rules let through
 *   block-bidirectional  nothing gets in or out
 *   block-ingress        only connections from inside by a NAT gateway or an egress-only internet gateway
 *
 * An exclusion of a VPC or a subnet lets everything through (allow-bidirectional) or only connections from inside (allow-egress, which
 * counts for block-bidirectional alone).  The subnet is that of the interface whose address the gateway sees: behind a NAT gateway the NAT gateway's.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/security-vpc-bpa.html
 * Used by: analysis/walk_internet.c, walk_routers.c; live/plan_gateway.c; cloud/ops_ec2_block_public_access.c. */
#pragma once
#include "netsim/model/eni.h"

struct block_public_access {
    struct object obj; /* id: "ACCOUNT/REGION", one for each */
    char *mode /* off block-bidirectional block-ingress */, *state, *reason, *managed_by, *exclusions_allowed;
    int64_t updated;
};
extern const struct kind block_public_access_kind;

struct bpa_exclusion {
    struct object obj; /* id: vpcbpa-exclude-... */
    char *mode /* allow-bidirectional allow-egress */, *resource_arn, *state /* create-complete ... delete-complete */, *reason;
    int64_t created, updated, deleted;
};
extern const struct kind bpa_exclusion_kind;

/* Of the owner in force; NULL: it was never set, so it is off. */
struct block_public_access *network_block_public_access(const struct network *net);
/* Sets the mode, which was checked.  Never fails. */
struct block_public_access *block_public_access_set(struct network *net, const char *mode);
/* 'id' of a VPC or a subnet of the owner in force.  InvalidVpcID.NotFound, InvalidSubnetID.NotFound; InvalidParameterValue: excluded
 * already; VpcBlockPublicAccessExclusionLimitExceeded (50). */
struct bpa_exclusion *bpa_exclusion_create(struct network *net, const char *id, const char *mode, struct err *err);
bool bpa_exclusion_modify(struct network *net, struct bpa_exclusion *exclusion, const char *mode, struct err *err); /* not a deleted one */
bool bpa_exclusion_delete(struct network *net, struct bpa_exclusion *exclusion, struct err *err); /* stays listed as "delete-complete" */

enum bpa_way { BPA_IN /* a connection from outside */, BPA_OUT /* from inside, by an internet gateway */,
               BPA_OUT_ONLY /* by a NAT gateway or an egress-only internet gateway */ };
/* Is a connection of that way stopped at the edge of the VPC?  'subnet_id' of the interface with the address; NULL: not known. */
bool public_access_blocked(const struct network *net, const struct vpc *vpc, const char *subnet_id, enum bpa_way way);
const char *public_access_mode(const struct network *net, const struct vpc *vpc); /* what holds for the VPC's owner and region: "off" */
