/* iampolicy/explain.h - a decision in words: what decided, where it stands in the user's text, and what came near.
 *
 * One structure for every face:
 *   {"Decision", "Because", "Hint", "Message", "Principal", "Action", "Resource",
 *    "Layers": [{"Layer", "Said"}], "Statements": [{"Layer", "Policy", "Sid", "Effect", "Line", "Column", "Text"}],
 *    "NearMisses": [{... as Statements, "Fails", "Wants", "Has"}], "MissingContextValues": [..], "Remarks": [{"Code",
 * "Choice", "Text"}]} "NearMisses" are Allow statements of every layer that had a say and was silent, that of the layer
 * to blame first.  "Message" is AWS's own line for a refusal.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 * Uses: chain.h, missing.h.   Used by: cloud/simulation.h, authorize.c. */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "iampolicy/chain.h"

/* 'result' must have been filled with want_looks.  The caller owns the answer. */
json_t *iam_explain(const struct iam_policies *policies, const struct iam_request *request,
                    const struct iam_result *result);
/* The same as text for a person: DENIED or ALLOWED first. */
void iam_explain_text(const json_t *explanation, struct buf *text);
/* AWS's line for a refusal. */
char *iam_denied_message(const struct iam_request *request, const struct iam_result *result);
