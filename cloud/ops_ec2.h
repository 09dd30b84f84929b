/* cloud/ops_ec2.h - what the handlers of EC2 operations share.
 *
 * A handler reads checked arguments, calls netsim/model, and fills call->out in AWS's shape.  op_call() puts the lab
 * back when a write fails half way, so a handler need not undo.  Families end in `const struct op ops_ec2_X[] = { ...,
 * {0} };` and stand in ops.c.
 *
 * Used by: cloud/ops_ec2_*.c. */
#pragma once
#include "cloud/op.h"
#include "netsim/model/network.h"

/* describe-* of any kind: the operation's name is "Describe" and the kind's list.  Handles ids (InvalidX.Malformed,
 * InvalidX.NotFound), Filters, MaxResults and NextToken, and AWS's Reservations around instances. */
/* The kind that a describe operation shows ("DescribeSubnets": subnets); NULL for other operations. */
const struct kind *ec2_described_kind(const struct op *op);
bool ec2_describe(struct op_call *call, struct err *err);

/* Cuts 'list' (owned; taken) to the page that MaxResults and NextToken ask for and puts it and the next NextToken in
 * the answer.  'key' is the member, or two of them separated by a space, that tells an item from the others.
 * InvalidPaginationToken. */
bool ec2_answer_page(struct op_call *call, const char *member, json_t *list, const char *key, struct err *err);

/* Is it listed for who asks?  Are its tags, which are not shared with it? */
bool ec2_shows(const struct op_call *call, const struct object *object);
bool ec2_owns(const struct op_call *call, const struct object *object);

/* The object whose id is the argument 'name'; MissingParameter, InvalidX.Malformed or InvalidX.NotFound. */
void *ec2_require(const struct op_call *call, const struct kind *kind, const char *name, struct err *err);
/* Puts the object, as describe-* shows it, into the answer. */
void ec2_answer(struct op_call *call, const char *member, const void *object);
/* Operations that take a ClientToken answer with it; what it does is idempotency.h's. */
void ec2_answer_token(struct op_call *call);

/* TagSpecifications of an operation that creates 'kinds' (ends with NULL): resource types, keys, values and their
 * number. InvalidParameterValue, TagLimitExceeded.  Call it before anything is created, then ec2_tag_new() for each new
 * object. */
bool ec2_check_tags(const struct op_call *call, const struct kind *const kinds[], struct err *err);
void ec2_tag_new(const struct op_call *call, struct object *object);

/* "10.0.0.0/16" of an argument; host bits are masked off, as AWS does for routes, unless 'strict'.  family IP_NONE if
 * absent. InvalidParameterValue. */
bool ec2_cidr(const struct op_call *call, const char *name, int family, bool strict, struct cidr *cidr,
              struct err *err);
bool ec2_ip(const struct op_call *call, const char *name, int family, struct ip *ip, struct err *err);

static inline struct network *
ec2_net(const struct op_call *call)
{
    return call->cloud->net;
}
static inline bool
ec2_return(struct op_call *call)
{
    json_object_set_new(call->out, "Return", json_true()); /* as operations answer that have nothing to say */
    return true;
}
