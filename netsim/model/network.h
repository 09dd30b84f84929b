/* netsim/model/network.h - the network of a lab: every VPC resource of its accounts, in one store.
 *
 * The model holds what AWS's describe-* calls would show and nothing else; verdicts are computed by analysis/, the kernel's form by
 * live/.  Each kind has its own header with the struct, its kind row and its operations; this one holds the store and the
 * questions that need several kinds.  Addresses are in host byte order everywhere in netsim.
 *
 * Uses: base/store.h.   Used by: every kind, analysis/, interop/, flowlog/, live/plan.c, cloud/. */
#pragma once
#include "base/clock.h"
#include "base/store.h"

struct network; /* opaque */

/* 'ids' and 'clock' are borrowed and must outlive the network: they are part of the lab's state. */
struct network *network_new(struct id_gen *ids, const struct clock *clock);
void network_free(struct network *net);

struct store *network_store(const struct network *net);
struct id_gen *network_ids(const struct network *net);
int64_t network_now_ms(const struct network *net);

/* Who creates things now: set by cloud/ for each operation; "123456789012" and "us-east-1" at first. */
void network_set_owner(struct network *net, const char *account, const char *region);
const char *network_account(const struct network *net);
const char *network_region(const struct network *net);

/* AWS's default quotas are enforced (on at first); cloud/ passes the lab's setting. */
void network_set_limits(struct network *net, bool limits);
/* How a live lab makes instances: with a namespace each, or as TAP hosts, which have no programs and answer by themselves (instance_is_tap()). */
void network_set_tap_hosts(struct network *net, bool tap_hosts);
bool network_tap_hosts(const struct network *net);

/* store_load_kind(), and what names no OwnerId or Region belongs to the owner in force.  Instances may come flat or as AWS's Reservations,
 * after the interfaces: what NetworkInterfaces lists counts more than the copy inside an instance.  After a failure the network is
 * partly loaded: free it. */
bool network_load_kind(struct network *net, const struct kind *kind, const json_t *array, const char *where, size_t *skipped,
                       struct err *err);

/* All kinds of netsim in the order state.json and the importer use; NULL-terminated. */
extern const struct kind *const network_kinds[];
const struct kind *network_kind_of_id(const char *id); /* by prefix: "subnet-0a" -> &subnet_kind; NULL if unknown */

/* The one object with this id and kind; NULL and the kind's .Malformed or .NotFound error if there is none. */
void *network_require(const struct network *net, const struct kind *kind, const char *id, struct err *err);

/* Zones of the region in force: "us-east-1a".. (3, or 6 in us-east-1); the id form "use1-az1".  False past the last one. */
bool network_zone(const struct network *net, size_t index, char name[static 24], char id[static 24]);

/* Everything of a new account: default VPC 172.31.0.0/16 with a default subnet (/20) per zone, main route table with a route to
 * its internet gateway, default ACL and group.  Source: https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html */
struct vpc;
struct vpc *network_create_default_vpc(struct network *net, struct err *err);
struct vpc *network_default_vpc(const struct network *net); /* of the owner in force; NULL if there is none */

/* ---- Answers that need an index; rebuilt when the store's generation has changed. -------------------------------- */
struct eni;
struct subnet;
struct route_table;
struct network_acl;

/* The interface of that VPC holding this private (primary, secondary or IPv6) address; NULL if none. */
struct eni *network_eni_by_address(const struct network *net, const char *vpc_id, const struct ip *address);
/* The interface and private address behind a public IPv4 address or (any VPC) an IPv6 address; NULL if none. */
struct eni *network_eni_by_public_ip(const struct network *net, const struct ip *address, struct ip *private_ip);
/* The table in force for a subnet (its association, else the VPC's main one); NULL only in damaged imports. */
struct route_table *network_subnet_route_table(const struct network *net, const struct subnet *subnet);
/* The ACL in force; NULL when the import had none: then unfiltered. */
struct network_acl *network_subnet_acl(const struct network *net, const struct subnet *subnet);
/* Interfaces that carry the group, in order of creation. */
size_t network_group_members(const struct network *net, const char *group_id, struct eni *const **members);
