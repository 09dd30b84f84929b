/* netsim/analysis/explanation.h - an obstacle as AWS's Explanation: which of its members apply, and what is in them.
 *
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Explanation.html
 * Uses: obstacle_mend.h (struct obstacle).   Used by: obstacle.c, whose rows say which members a reason has. */
#pragma once
#include "netsim/analysis/obstacle_mend.h"

/* Members of the Explanation, beside the code and the VPC. */
enum {
    M_DIRECTION = 1,
    M_ENI = 2,
    M_GROUPS = 4,
    M_ACL = 8,
    M_SUBNET = 16,
    M_TABLE = 32,
    M_ROUTE = 64,
    M_IGW = 128,
    M_NAT = 256,
    M_DESTINATION = 512,
    M_ADDRESS_DST = 1024,
    M_ADDRESS_SRC = 2048,
    M_COMPONENT = 4096,
    M_PROTOCOL = 8192,
    M_STATE = 16384,
    M_PCX = 1 << 15,
    M_TGW = 1 << 16,
    M_VGW = 1 << 17,
    M_VPN = 1 << 18,
    M_VPCE = 1 << 19,
    M_CIDRS = 1 << 20,      /* of the VPC, the peer, the VPN connection: what would have been covered */
    M_ZONE = 1 << 21,       /* the packet's */
    M_ATTACHMENT = 1 << 22,
    M_TGW_ROUTE = 1 << 23,
    M_VPCS = 1 << 24,       /* of a peering connection: source and destination */
    M_CUSTOMER = 1 << 25,
    M_MISSING = 1 << 26,    /* the id that nothing has, and whose it may be */
    M_LB = 1 << 27,
    M_LB_GROUPS = 1 << 28,
    M_PORT = 1 << 29,
};

const char *explanation_state(const struct obstacle *obstacle); /* of the component it ended at, in AWS's words; NULL if it has none */
json_t *explanation_json(const struct obstacle *obstacle, unsigned members);
