/* netsim/model/internal.h - what the files of netsim/model share and nobody else includes. */
#pragma once
#include <stdlib.h>
#include <string.h>
#include "netsim/model/block_public_access.h"
#include "netsim/model/changes.h"
#include "netsim/model/dhcp_options.h"
#include "netsim/model/egress_only_gateway.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/hosted_zone.h"
#include "netsim/model/insights.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"
#include "netsim/model/network_acl.h"
#include "netsim/model/peering.h"
#include "netsim/model/route_table.h"
#include "netsim/model/security_group.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpn.h"

struct net_index;
struct network {
    struct store *store;
    struct id_gen *ids;
    const struct clock *clock;
    char account[16], region[24];
    bool limits, tap_hosts;
    struct net_index *index; /* NULL until first asked */
    struct {                 /* changes.h */
        bool followed;
        uint64_t generation; /* that the list leads to */
        VEC(struct network_change) list;
    } changes;
};

/* The network a store belongs to, for kind callbacks; NULL for a bare store. */
struct network *network_of(const struct store *store);

/* A new object of the owner in force; 'id' NULL: a fresh one by the kind's prefix. */
void *network_add(struct network *net, const struct kind *kind, const char *id);
void network_remove(struct network *net, void *object);

/* A change that the index does not see, but other caches do (the live plan): a new generation, the index stays. */
void network_touch(struct network *net);

/* Bracket a change of an interface's addresses, groups or attachment: out before, in after, nothing else between.  The
 * index follows without a rebuild.  A new one: index_prepare(), add, fill, in; one that goes: out, remove,
 * index_stamp(). */
void index_prepare(const struct network *net);
void index_eni_out(struct network *net, struct eni *eni);
void index_eni_in(struct network *net, struct eni *eni);
void index_free(struct net_index *index);
bool index_is_fresh(const struct network *net);
void index_stamp(struct network *net); /* the index has followed the last change by itself */

/* Interfaces of an instance, by device index; borrowed until the next change. */
size_t index_instance_enis(const struct network *net, const char *instance_id, struct eni *const **enis);
/* How many IPv4 addresses of the subnet are taken, and where to look for the lowest free one: every lower one is taken.
 */
uint32_t index_subnet_used(const struct network *net, const char *subnet_id);
uint32_t *index_subnet_hint(const struct network *net, const char *subnet_id);
bool index_public_ip_used(const struct network *net, const struct ip *ip);

/* Replaces an owned string; 'text' may be NULL. */
void str_set(char **slot, const char *text);
static inline bool
str_is(const char *text, const char *other)
{
    return text && other && strcmp(text, other) == 0;
}
static inline bool
str_empty(const char *text)
{
    return !text || !*text;
}
/* Copies an id of any length into char[ID_SIZE], cut where it does not fit. */
void id_set(char id[static ID_SIZE], const char *text);

/* "arn:aws:ec2:REGION:ACCOUNT:subnet/ID"; the caller frees it. */
char *object_arn(const struct object *object, const char *type);

/* A list of names for a DependencyViolation: "eni-1, eni-2 and 3 more". */
struct dependents {
    struct buf text;
    size_t n;
};
void dependents_add(struct dependents *dependents, const char *id);
static inline void
dependents_add_if(struct dependents *dependents, bool depends, const char *id)
{
    if (depends) {
        dependents_add(dependents, id);
    }
}
/* True when there are none; else sets DependencyViolation naming 'id' and what still needs it.  Frees 'dependents'
 * either way. */
bool dependents_none(struct dependents *dependents, const char *id, struct err *err);

/* sg_permissions.c; 'strict' false: what AWS printed, where missing ports mean every port.  On failure 'rules' is as it
 * was. */
bool sg_rules_read(const json_t *permissions, bool egress, bool strict, const char *where, sg_rule_vec *rules,
                   struct err *err);
bool sg_ports_check(int32_t protocol, int32_t from, int32_t to, struct err *err); /* InvalidParameterValue */
void sg_rule_copy(struct sg_rule *to, const struct sg_rule *from);

/* eni.c */
extern const struct field eni_fields[];
void eni_finish_loading(struct store *store, struct eni *eni);
void eni_association_done(struct eni_association *association); /* and zeroes it */
void eni_address_done(struct eni_address *address);
void dns_private_name(const char *region, const struct ip *ip, char *name, size_t size);
void dns_public_name(const char *region, const struct ip *ip, char *name, size_t size);

/* instance.c */
bool instance_load_enis(struct store *store, struct instance *instance, struct err *err);
/* After all instances: an interface whose record has no groups gets its instance's.  Live AWS names them at both. */
void instances_lend_groups(struct store *store);

/* Parts of one kind's operations that another kind's need; none of them fails. */
struct route_table *route_table_add(struct network *net, const struct vpc *vpc, bool main); /* with the local routes */
void route_done(struct route *route);
bool route_table_is_main(const struct route_table *table);
void route_tables_add_local(struct network *net, const struct vpc *vpc, const struct cidr *cidr);
void route_tables_drop_local(struct network *net, const struct vpc *vpc, const struct cidr *cidr);
void route_tables_forget_subnet(struct network *net, const char *subnet_id);
/* route_tables_refresh() without a touch; true if a table other than 'own' changed. */
bool route_tables_refresh_but(struct network *net, const struct route_table *own);
/* The attachment of a VPC to a transit gateway in whatever state, the available one first; NULL if none was ever made.
 */
const struct tgw_attachment *tgw_any_attachment(const struct network *net, const char *tgw_id, const char *vpc_id);
/* tgw_ops.c: what was deleted is listed for a while and good for nothing; an option given, or AWS's default of it. */
bool tgw_is_gone(const char *state);
const char *tgw_choice(const char *given, const char *otherwise);
/* gateway_routes.c: may the gateway have this table; may a table of a gateway have this route?  Gateway.NotAttached, InvalidParameterValue. */
bool gateway_table_check(const struct network *net, const struct route_table *table, const char *gateway_id, struct err *err);
bool gateway_route_check(const struct network *net, const struct route_table *table, const struct route *spec, struct err *err);
void routes_target_gone(struct network *net, const char *target_id); /* its routes become blackholes */
struct network_acl *network_acl_add(struct network *net, const struct vpc *vpc, bool is_default);
void network_acls_add_ipv6(struct network *net, const struct vpc *vpc);
void network_acl_adopt_subnet(struct network *net, const struct subnet *subnet); /* to the VPC's default list */
void network_acls_forget_subnet(struct network *net, const char *subnet_id);
struct security_group *security_group_add(struct network *net, const struct vpc *vpc, const char *name,
                                          const char *description);
void security_groups_add_ipv6(struct network *net, const struct vpc *vpc);
struct nat_gateway *nat_gateway_by_eni(const struct network *net, const char *eni_id);
void elastic_ips_forget_eni(struct network *net, const struct eni *eni, const struct ip *private_ip /* NULL: all */);
void elastic_ips_follow(struct network *net,
                        const struct eni *eni); /* they name the instance that the interface is attached to */
bool network_pick_public(struct network *net, const struct ip * not, struct ip *ip,
                         struct err *err); /* any but 'not', which may be NULL */
struct elastic_ip *elastic_ip_of(const struct network *net, const char *allocation_id);
/* Unchecked steps of interfaces.  eni_set_public_ip: 'public_ip' NULL takes it away; 'eip' NULL: auto-assigned. */
void eni_remove(struct network *net, struct eni *eni);
void eni_attach_to(struct network *net, struct eni *eni, const char *instance_id, const char *owner, int device_index,
                   bool delete_on_termination);
void eni_detach_from(struct network *net, struct eni *eni);
void eni_set_public_ip(struct network *net, struct eni *eni, const struct ip *private_ip, const struct ip *public_ip,
                       const struct elastic_ip *eip);
/* Whoever manages an interface gives it an IPv6 address, or takes those it has away. */
bool eni_set_dualstack(struct network *net, struct eni *eni, bool dualstack, struct err *err);
/* Like subnet_pick_address(), but none of 'not'. */
bool subnet_pick(const struct network *net, const struct subnet *subnet, int family, const struct ip * not,
                 size_t n_not, struct ip *ip, struct err *err);

extern const struct field vpc_cidr6_fields[]; /* struct vpc_cidr as Ipv6CidrBlockAssociationSet, of VPCs and subnets */

/* load_balancer.c */
void target_groups_follow(struct network *net); /* their LoadBalancerArns: whose listeners and rules name them */
const char *load_balancer_of_description(const struct eni *eni); /* the id a balancer's interface names; NULL if none */

void endpoints_forget_table(struct network *net, const char *table_id);
void peerings_forget_vpc(struct network *net, const char *vpc_id); /* its connections become "deleted" */
