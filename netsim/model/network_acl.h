/* netsim/model/network_acl.h - stateless, numbered rules at the edge of subnets.
 *
 * Lowest number first and the first match ends it; the rule shown as '*' (32767; 32768 for IPv6) denies the rest and cannot be deleted.
 * Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html, API_CreateNetworkAclEntry */
#pragma once
#include "netsim/model/vpc.h"

struct nacl_port_range {
    int32_t from, to;
};
struct nacl_icmp {
    int32_t type, code; /* -1: every */
};
struct nacl_entry {
    int32_t number;
    bool egress;
    enum nacl_action { NACL_DENY, NACL_ALLOW } action; /* 0 denies, so memory nobody filled in never allows */
    int32_t protocol;    /* -1: every; printed as text */
    struct cidr cidr, cidr6; /* one of them */
    bool has_ports, has_icmp; /* whether PortRange and IcmpTypeCode are there */
    struct nacl_port_range ports; /* tcp, udp */
    struct nacl_icmp icmp;
};
struct nacl_association {
    char id[ID_SIZE], acl_id[ID_SIZE], subnet_id[ID_SIZE];
};
struct network_acl {
    struct object obj;
    char vpc_id[ID_SIZE];
    bool is_default;
    VEC(struct nacl_entry) entries; /* sorted: ingress by number, then egress by number */
    VEC(struct nacl_association) associations;
};
extern const struct kind network_acl_kind;

struct network_acl *network_acl_create(struct network *net, const char *vpc_id, bool is_default, struct err *err);
bool network_acl_delete(struct network *net, struct network_acl *acl, struct err *err); /* DependencyViolation; InvalidParameterValue: default */
/* NetworkAclEntryAlreadyExists, InvalidNetworkAclEntry.NotFound (replace, delete), InvalidParameterValue (number 1..32766, ports),
 * NetworkAclEntryLimitExceeded (20 a direction, when limits are on). */
bool network_acl_add_entry(struct network *net, struct network_acl *acl, const struct nacl_entry *entry, struct err *err);
bool network_acl_replace_entry(struct network *net, struct network_acl *acl, const struct nacl_entry *entry, struct err *err);
bool network_acl_delete_entry(struct network *net, struct network_acl *acl, int number, bool egress, struct err *err);
/* InvalidAssociationID.NotFound.  Returns the new association (its id is new). */
struct nacl_association *network_acl_replace_association(struct network *net, const char *association_id, struct network_acl *acl,
                                                         struct err *err);
