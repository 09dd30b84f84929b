/* cloud/denial.h - what was asked when a request was refused, and why, kept so that `sts decode-authorization-message`
 * and `why` can tell.
 *
 * A refusal is one line of the lab's denials.jsonl, a line_log.h.  EC2's encoded message is a name: it stands for a line, as long as that is kept.
 *
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 * Used by: authorize.c, ops_sts.c, ops_simulate.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/chain.h"

#define DENIAL_SIZE   129
#define DENIALS_LIMIT ((size_t)2 << 20) /* bytes, after which a new file begins and the one before the last goes */

/* {"allowed", "explicitDeny", "matchedStatements", "failures", "context"}; the caller owns it. */
json_t *denial_describe(const struct iam_request *request, const struct iam_result *result);
/* A new encoded message. */
void denial_name(const struct cloud *cloud, const struct op *op, char blob[static DENIAL_SIZE]);
/* Keeps a refusal: what denial_describe() said, the explanation (iam_why()), the code; 'blob' is NULL but for EC2's.  A
 * lab without a directory keeps nothing. */
void denial_store(const struct cloud *cloud, const struct op *op, const char *code, const char *blob,
                  const json_t *denial, const json_t *why);
/* The last refusal: its explanation with "Operation", "ErrorCode" and "EventTime" before it; the caller owns it.  NULL
 * if nothing was refused in this lab. */
json_t *denial_last(const struct cloud *cloud);
/* The text behind an encoded message; the caller frees it.  InvalidAuthorizationMessageException. */
char *denial_find(const struct cloud *cloud, const char *blob, struct err *err);
