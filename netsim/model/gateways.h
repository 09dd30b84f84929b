/* netsim/model/gateways.h - internet gateways, NAT gateways, Elastic IPs and prefix lists.
 * Sources: https://docs.aws.amazon.com/vpc/latest/userguide/VPC_Internet_Gateway.html, vpc-nat-gateway.html, vpc-eips.html,
 * managed-prefix-lists.html */
#pragma once
#include "netsim/model/eni.h"

struct igw_attachment {
    char vpc_id[ID_SIZE];
    char *state; /* "available" */
};
struct internet_gateway {
    struct object obj;
    VEC(struct igw_attachment) attachments; /* at most one */
};
extern const struct kind internet_gateway_kind;
struct internet_gateway *internet_gateway_create(struct network *net, struct err *err);
bool internet_gateway_delete(struct network *net, struct internet_gateway *igw, struct err *err); /* DependencyViolation: attached */
/* Resource.AlreadyAssociated; InvalidParameterValue: the VPC has one. */
bool internet_gateway_attach(struct network *net, struct internet_gateway *igw, const char *vpc_id, struct err *err);
/* Gateway.NotAttached; DependencyViolation: mapped public addresses in the VPC. */
bool internet_gateway_detach(struct network *net, struct internet_gateway *igw, const char *vpc_id, struct err *err);
struct internet_gateway *network_vpc_igw(const struct network *net, const char *vpc_id); /* NULL if none attached */

struct nat_address {
    char allocation_id[ID_SIZE], eni_id[ID_SIZE], association_id[ID_SIZE];
    struct ip private_ip, public_ip;
    bool is_primary;
    char *status;
};
struct nat_gateway {
    struct object obj;
    char vpc_id[ID_SIZE], subnet_id[ID_SIZE];
    char *state, *connectivity /* public | private */;
    int64_t create_time, delete_time;
    VEC(struct nat_address) addresses;
};
extern const struct kind nat_gateway_kind;
/* 'allocation_id' NULL for a private gateway.  InvalidSubnetID.NotFound, InvalidAllocationID.NotFound, InvalidParameterCombination,
 * Resource.AlreadyAssociated (address in use), and NotFound/Gateway.NotAttached when the VPC has no internet gateway. */
struct nat_gateway *nat_gateway_create(struct network *net, const char *subnet_id, const char *allocation_id, const struct ip *private_ip,
                                       struct err *err);
bool nat_gateway_delete(struct network *net, struct nat_gateway *nat, struct err *err); /* stays listed as "deleted" */

struct elastic_ip {
    struct object obj; /* id: eipalloc-... */
    struct ip public_ip, private_ip;
    char association_id[ID_SIZE], instance_id[ID_SIZE], eni_id[ID_SIZE];
    char *eni_owner_id, *domain, *pool, *border_group;
};
extern const struct kind elastic_ip_kind;
/* AddressLimitExceeded (5, when limits are on).  Public addresses come from 203.0.113.0/24, 198.51.100.0/24 and 192.0.2.0/24 (RFC 5737)
 * first and then 198.18.0.0/15, so that no lab ever names a stranger's address. */
struct elastic_ip *elastic_ip_allocate(struct network *net, struct err *err);
bool elastic_ip_release(struct network *net, struct elastic_ip *eip, struct err *err); /* InvalidIPAddress.InUse */
/* To an interface's address (IP_NONE: primary).  Resource.AlreadyAssociated unless 'reassociate'; Gateway.NotAttached: VPC without igw. */
bool elastic_ip_associate(struct network *net, struct elastic_ip *eip, struct eni *eni, const struct ip *private_ip, bool reassociate,
                          struct err *err);
bool elastic_ip_disassociate(struct network *net, const char *association_id, struct err *err); /* InvalidAssociationID.NotFound */
bool network_pick_public_ip(struct network *net, struct ip *ip, struct err *err); /* an unused one, for auto-assignment too */

struct prefix_list_entry {
    struct cidr cidr;
    char *description;
};
struct prefix_list {
    struct object obj; /* id: pl-... */
    char *name, *state, *address_family;
    int32_t max_entries;
    int64_t version;
    VEC(struct prefix_list_entry) entries;
    VEC(char *) cidrs; /* describe-prefix-lists' form; read on import, merged into entries */
};
extern const struct kind prefix_list_kind;
struct prefix_list *prefix_list_create(struct network *net, const char *name, const char *family, int max_entries,
                                       const struct prefix_list_entry *entries, size_t n_entries, struct err *err);
bool prefix_list_modify(struct network *net, struct prefix_list *list, int64_t current_version, const struct prefix_list_entry *add,
                        size_t n_add, const struct cidr *remove, size_t n_remove, struct err *err);
/* InvalidParameterValue: fewer than it has entries, or not 1 to 1000; a name AWS does not allow. */
bool prefix_list_resize(struct network *net, struct prefix_list *list, int max_entries, struct err *err);
bool prefix_list_rename(struct network *net, struct prefix_list *list, const char *name, struct err *err);
bool prefix_list_delete(struct network *net, struct prefix_list *list, struct err *err); /* in use by a group or table */
bool prefix_list_contains(const struct prefix_list *list, const struct ip *ip, struct cidr *entry /* the longest; may be NULL */);

struct flow_log {
    struct object obj; /* id: fl-... */
    char *resource_id, *traffic_type /* ALL ACCEPT REJECT */, *status, *destination_type, *destination, *group_name, *format, *role_arn,
        *deliver_status;
    int32_t max_interval; /* 60 or 600 s */
    int64_t creation_time;
};
extern const struct kind flow_log_kind;
struct flow_log_spec {
    const char *resource_id;      /* a VPC, subnet, network interface, transit gateway or attachment of one */
    const char *traffic_type;     /* ALL ACCEPT REJECT; of transit gateways NULL: they refuse nothing */
    const char *destination_type; /* NULL: cloud-watch-logs */
    const char *destination, *group_name, *role_arn; /* NULL: none */
    const char *format;           /* NULL: AWS's default */
    int max_interval;             /* 60 or 600 s; of transit gateways 60 */
};
extern const char flow_log_transit_format[]; /* AWS's default of transit gateways: all they have */
bool flow_log_is_of_transit(const struct flow_log *log); /* of a transit gateway or an attachment of one */
/* The resource's .NotFound, InvalidParameterValue, FlowLogAlreadyExists (same resource, traffic and destination). */
struct flow_log *flow_log_create(struct network *net, const struct flow_log_spec *spec, struct err *err);
bool flow_log_delete(struct network *net, struct flow_log *log, struct err *err);
/* The log that covers an interface: its own, its subnet's or its VPC's; several may. Returns how many were written to 'out'. */
size_t flow_logs_of_eni(const struct network *net, const struct eni *eni, const struct flow_log **out, size_t room);
