/* netsim/model/subnet.h - an address block of one VPC, in one Availability Zone.
 *
 * A subnet has one route table (its own association, else the VPC's main one) and one network ACL.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/configure-subnets.html */
#pragma once
#include "netsim/model/vpc.h"

struct subnet {
    struct object obj;
    char vpc_id[ID_SIZE];
    struct cidr cidr;              /* family IP_NONE for an IPv6-only subnet */
    VEC(struct vpc_cidr) cidrs6;   /* Ipv6CidrBlockAssociationSet, at most one associated */
    char *zone, *zone_id, *state;
    bool default_for_az, map_public_ip, assign_ipv6, ipv6_native, dns64, map_customer_owned;
    char *hostname_type; /* PrivateDnsNameOptionsOnLaunch: ip-name | resource-name */
    bool dns_a_record, dns_aaaa_record;
};
extern const struct kind subnet_kind;

struct subnet_spec {
    const char *vpc_id;
    struct cidr cidr, cidr6; /* family IP_NONE: none */
    const char *zone;        /* NULL: the first zone */
    bool default_for_az;
};
/* InvalidVpcID.NotFound; InvalidSubnet.Range (not inside the VPC, or not /16 to /28; IPv6 not /44../64 in steps of 4);
 * InvalidSubnet.Conflict; InvalidParameterValue (zone).  Leaves 'net' as it was on failure.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSubnet.html */
struct subnet *subnet_create(struct network *net, const struct subnet_spec *spec, struct err *err);
/* The default subnet of a zone (NULL: the first that has none) in the default VPC of the owner in force, in the next free /20.
 * DefaultVpcDoesNotExist, DefaultSubnetAlreadyExistsInAvailabilityZone, InvalidParameterValue, InsufficientFreeAddressesInVpc. */
struct subnet *subnet_create_default(struct network *net, const char *zone, struct err *err);
bool subnet_delete(struct network *net, struct subnet *subnet, struct err *err); /* DependencyViolation: interfaces, NAT gateways */
struct vpc_cidr *subnet_associate_cidr6(struct network *net, struct subnet *subnet, const struct cidr *cidr, struct err *err);
bool subnet_disassociate_cidr6(struct network *net, const char *association_id, struct err *err);

/* Addresses left for interfaces.  AWS keeps five in every block: the first four and the last. */
uint32_t subnet_free_addresses(const struct network *net, const struct subnet *subnet);
bool subnet_reserves(const struct subnet *subnet, const struct ip *ip); /* one of the five (IPv6: first four and last of the /64) */
/* IPv4: the lowest free address (AWS picks any; we are predictable).  IPv6: drawn from the lab's ids, as AWS's look.
 * InsufficientFreeAddressesInSubnet; InvalidParameterValue: no block of that family. */
bool subnet_pick_address(const struct network *net, const struct subnet *subnet, int family, struct ip *ip, struct err *err);
const struct cidr *subnet_cidr6(const struct subnet *subnet); /* the associated IPv6 block; NULL if none */
bool subnet_contains_ip(const struct subnet *subnet, const struct ip *ip);
