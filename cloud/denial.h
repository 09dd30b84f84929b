/* cloud/denial.h - what was asked when EC2 refused, kept so that `sts decode-authorization-message` can tell.
 *
 * The encoded message is a name: the text it stands for lies in the lab's denials.jsonl, one line each.
 *
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
 * Used by: authorize.c, ops_sts.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/chain.h"

#define DENIAL_SIZE 129

/* {"allowed", "explicitDeny", "matchedStatements", "failures", "context"}; the caller owns it. */
json_t *denial_describe(const struct iam_request *request, const struct iam_result *result);
/* Keeps it and gives its encoded message.  A lab without a directory keeps nothing: the message then decodes nowhere.
 */
void denial_store(const struct cloud *cloud, const struct op *op, const json_t *denial, char blob[static DENIAL_SIZE]);
/* The text behind an encoded message; the caller frees it.  InvalidAuthorizationMessageException. */
char *denial_find(const struct cloud *cloud, const char *blob, struct err *err);
