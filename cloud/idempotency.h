/* cloud/idempotency.h - a request repeated with the same ClientToken is answered again, not done again.
 *
 * The journal is the memory: it holds every request and its answer already, so nothing else is saved.
 * Source: https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 * Uses: journal.h.   Used by: op_run.c. */
#pragma once
#include "cloud/op.h"

/* Looks for an earlier successful call of this operation with the ClientToken of call->in, in the same account and
 * region.  If there is one and the request is the same, *answered is set and call->out holds the earlier answer.
 * IdempotentParameterMismatch if the request differs. True without a token, or when it is new. */
bool idempotency_check(struct op_call *call, bool *answered, struct err *err);
