/* netsim/model/eni.h - an elastic network interface: addresses, groups, and what it is attached to.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html, API_NetworkInterface */
#pragma once
#include "netsim/model/subnet.h"

struct eni_association { /* a public IPv4 address mapped to a private one */
    struct ip public_ip;
    char *public_dns_name, *ip_owner_id, *allocation_id, *association_id; /* ids only for Elastic IPs; owner "amazon" if auto-assigned */
};
struct eni_address {
    struct ip ip;
    bool primary;
    char *dns_name;
    struct eni_association association; /* public_ip.family IP_NONE: none */
};
struct eni_address6 {
    struct ip ip;
    bool is_primary;
};
struct eni_group {
    char id[ID_SIZE];
    char *name; /* only in imported data without a SecurityGroups file; describe looks the name up */
};
struct eni_attachment {
    char id[ID_SIZE], instance_id[ID_SIZE];
    char *instance_owner_id, *status; /* "attached" */
    int32_t device_index, network_card_index;
    bool delete_on_termination;
    int64_t attach_time;
};
struct eni {
    struct object obj;
    char vpc_id[ID_SIZE], subnet_id[ID_SIZE];
    char *zone, *description, *type /* interface | nat_gateway | vpc_endpoint | ... */, *mac, *status, *private_dns_name,
        *requester_id;
    VEC(struct eni_address) addresses;   /* the primary one first */
    VEC(struct eni_address6) addresses6;
    VEC(struct eni_group) groups;
    bool attached;                    /* 'attachment' is there */
    struct eni_attachment attachment;
    bool source_dest_check, requester_managed;
    /* Only while loading AWS's form, for data without PrivateIpAddresses; moved into 'addresses', empty afterwards. */
    struct ip loaded_ip;
    struct eni_association loaded_association;
};
extern const struct kind eni_kind;

struct eni_spec {
    const char *subnet_id, *description, *type /* NULL: interface */;
    struct ip ip;                       /* IP_NONE: pick one */
    const struct ip *secondary;         /* further IPv4 addresses */
    size_t n_secondary, n_pick_secondary; /* or how many to pick */
    const struct ip *ips6;
    size_t n_ips6, n_pick_ips6;
    const char *const *groups; /* NULL and 0: the VPC's default group */
    size_t n_groups;
    bool no_groups; /* NAT gateways have none */
    bool requester_managed;
};
/* InvalidSubnetID.NotFound, InvalidGroup.NotFound, InvalidParameterValue (address outside the subnet or reserved; group of another VPC),
 * InvalidIPAddress.InUse, InsufficientFreeAddressesInSubnet, SecurityGroupsPerInterfaceLimitExceeded (5). */
struct eni *eni_create(struct network *net, const struct eni_spec *spec, struct err *err);
bool eni_delete(struct network *net, struct eni *eni, struct err *err); /* InvalidNetworkInterface.InUse, OperationNotPermitted (managed) */
bool eni_attach(struct network *net, struct eni *eni, const char *instance_id, int device_index, struct err *err);
bool eni_detach(struct network *net, const char *attachment_id, bool force, struct err *err); /* not device 0 */
bool eni_set_groups(struct network *net, struct eni *eni, const char *const *groups, size_t n_groups, struct err *err);
bool eni_assign_ips(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, size_t n_pick, struct err *err);
bool eni_unassign_ips(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, struct err *err);
bool eni_assign_ips6(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, size_t n_pick, struct err *err);
bool eni_unassign_ips6(struct network *net, struct eni *eni, const struct ip *ips, size_t n_ips, struct err *err);

const struct ip *eni_primary_ip(const struct eni *eni); /* NULL for IPv6-only */
bool eni_has_ip(const struct eni *eni, const struct ip *ip);
bool eni_has_group(const struct eni *eni, const char *group_id);
/* The public IPv4 address mapped to a private one of the interface; NULL if none. */
const struct ip *eni_public_ip(const struct eni *eni, const struct ip *private_ip);
const char *eni_label(const struct network *net, const struct eni *eni); /* "web (i-0a..)", for messages; rotating buffer */
