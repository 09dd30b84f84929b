/* netsim/model/vpc.h - a virtual private cloud: one or more IPv4 blocks, optional IPv6 blocks.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html, API_CreateVpc, API_AssociateVpcCidrBlock */
#pragma once
#include "netsim/model/network.h"

struct vpc_cidr {
    char association_id[ID_SIZE];
    struct cidr cidr;
    char *state;          /* "associated" */
    char *border_group, *pool; /* IPv6 only: NetworkBorderGroup, Ipv6Pool "Amazon" */
};
struct vpc {
    struct object obj;
    struct cidr cidr;                 /* the primary IPv4 block, also first in 'cidrs' */
    VEC(struct vpc_cidr) cidrs, cidrs6; /* CidrBlockAssociationSet, Ipv6CidrBlockAssociationSet */
    char *dhcp_options_id, *state, *tenancy;
    bool is_default;
    bool dns_support, dns_hostnames, usage_metrics; /* describe-vpc-attribute; state only */
};
extern const struct kind vpc_kind;

struct vpc_spec {
    struct cidr cidr;
    bool amazon_ipv6;  /* AmazonProvidedIpv6CidrBlock: gives a /56 */
    struct cidr cidr6; /* a given block instead; family IP_NONE: none */
    const char *tenancy; /* NULL: "default" */
    bool is_default;
};
/* Creates the VPC with its main route table, default network ACL and default security group, as AWS does.
 * InvalidVpc.Range: not /16 to /28.   VpcLimitExceeded: five VPCs in the region (only when limits are on). */
struct vpc *vpc_create(struct network *net, const struct vpc_spec *spec, struct err *err);
/* DependencyViolation, naming what is left, unless only the main table, default ACL and default group are. */
bool vpc_delete(struct network *net, struct vpc *vpc, struct err *err);
/* InvalidVpc.Range; InvalidParameterValue/CidrConflict.. per API page: overlap with an own block, restricted ranges. Returns the association. */
struct vpc_cidr *vpc_associate_cidr(struct network *net, struct vpc *vpc, const struct cidr *cidr, struct err *err);
struct vpc_cidr *vpc_associate_amazon_ipv6(struct network *net, struct vpc *vpc, struct err *err);
bool vpc_disassociate_cidr(struct network *net, const char *association_id, struct err *err);

bool vpc_contains_ip(const struct vpc *vpc, const struct ip *ip); /* any associated block of either family */
bool vpc_contains(const struct vpc *vpc, const struct cidr *cidr);
