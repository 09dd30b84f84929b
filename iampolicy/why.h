/* iampolicy/why.h - what would change a decision: the context keys that matter, and the smallest change that allows it.
 *
 * Nothing here is guessed: every key named was set and the request decided again, every change proposed was made to a
 * copy of the policies and the request decided under them.
 *
 *   keys:    [{"Key", "Value", "Multivalued", "Decision"}]: a key the request lacks, a value, and the decision then. A
 *            key that matters only together with others has them in "With": {"key": "value"}.
 *   changes: [{"Change": "RemoveStatement" | "AddStatement" | "AddValue", "Layer", "Policy", "Line", "Column", "Sid",
 *            "Element", "Value", "Statement", "Text"}]: all of them together allow the request; an empty list where no
 *            policy can.
 *
 * Uses: chain.h, missing.h.   Used by: cloud/simulation.h, authorize.c. */
#pragma once
#include "base/buf.h"
#include "base/json.h"
#include "iampolicy/chain.h"

/* 'request' is as it was when the call returns.  The caller owns the answers. */
json_t *iam_why_keys(const struct iam_policies *policies, struct iam_request *request);
json_t *iam_why_changes(const struct iam_policies *policies, const struct iam_request *request);

/* iam_explain() with "KeysThatMatter" and "Changes", every layer with its own nearest statement. */
json_t *iam_why(const struct iam_policies *policies, struct iam_request *request);
void iam_why_text(const json_t *why, struct buf *text);
