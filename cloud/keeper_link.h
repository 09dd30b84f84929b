/* cloud/keeper_link.h - an operation on a live lab is done by its keeper: the words between the two processes.
 *
 *     {"op": ["ec2", "CreateVpc"], "in": {...}, "as": {"region": "us-east-1"}}  ->  {"out": {...}, "no": false}  or  {"error": {"kind", "code", "where", ...}}
 *
 * Used by: op_run.c (asks), ops_live.c (serves, in the keeper). */
#pragma once
#include "cloud/op.h"

struct keeper_message;
bool keeper_link_is_live(const struct cloud *cloud);
/* Has the keeper do it. ERR_MACHINE when it does not answer. */
bool keeper_link_call(const struct cloud *cloud, const struct op *op, const json_t *in, struct op_result *result, struct err *err);
/* In the keeper: does what a message with "op" asks and fills the reply. False when the message is of another sort. */
bool keeper_link_serve(struct cloud *cloud, const struct keeper_message *request, struct keeper_message *reply);

json_t *err_to_json(const struct err *err);
void err_from_json(const json_t *json, struct err *err);
