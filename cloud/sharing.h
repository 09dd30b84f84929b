/* cloud/sharing.h - what an account may see and use of other accounts' networks.
 *
 * Its own things; what is shared with it through AWS RAM (transit gateways, subnets, managed prefix lists) and what a
 * shared subnet shows of its VPC (the VPC, the route table and the network ACL in force); of its own VPCs also what
 * participants put there; attachments and peerings of which one side is its own.
 *
 * Sources: https://docs.aws.amazon.com/ram/latest/userguide/shareable.html,
 * https://docs.aws.amazon.com/vpc/latest/userguide/vpc-share-limitations.html,
 * https://docs.aws.amazon.com/vpc/latest/tgw/working-with-transit-gateways.html
 * Uses: iampolicy/share.h, netsim/model.   Used by: authorize.c, permission.c, ops_simulate.c, ops_ram*.c, ops_ec2_*.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/gather.h"
#include "netsim/model/network.h"

/* A type of resource that can be shared. */
struct shareable {
    const char *arn_type;    /* "transit-gateway": what stands before the id in the ARN */
    const char *type;        /* "ec2:TransitGateway", as RAM names it */
    const struct kind *kind;
    bool inside_only;        /* only with accounts of the organization */
    const char *permission;  /* name of AWS's default permission */
    const char *actions;     /* what it lets the others do, as items of a JSON list */
};
extern const struct shareable shareables[]; /* ends with a NULL arn_type */
const struct shareable *shareable_of(const struct object *object); /* NULL: it cannot be shared */
char *sharing_arn(const struct object *object); /* the ARN it is shared by; the caller frees it */
const struct shareable *shareable_of_arn(const char *arn); /* by its form; NULL: of no such type */
/* The thing of the lab behind such an ARN; NULL if it is no such ARN, or nothing has it any more. */
const struct object *sharing_object(const struct cloud *cloud, const char *arn);

/* May the account use it: is it its own, or shared with it? */
bool sharing_allows(const struct cloud *cloud, const struct object *object, const char *account);
/* Does describe-* show it to the account in force? */
bool sharing_shows(const struct cloud *cloud, const struct object *object);
/* Things that are each side's own (peerings and attachments): is one side the account's? */
bool sharing_is_side(const struct object *object, const char *account);

/* What the request names of other accounts and the caller may not even see does not exist for him: the kind's NotFound.
 * A participant also needs a security group of its own in a shared subnet. */
bool sharing_check(const struct op_call *call, struct err *err);

/* The policy that RAM puts on what is shared, when the request is about such a thing. */
bool sharing_gather(const struct cloud *cloud, struct iam_request *request, struct iam_gathered *gathered,
                    struct err *err);
