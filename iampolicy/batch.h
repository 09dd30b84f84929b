/* iampolicy/batch.h - decisions and element matches as JSON lines, one question a line, one answer a line.
 *
 * decide: {"id", "request": {"principal", "action", "resource": {"arn", "account"}, "context", "resourceLevel"},
 *          "policies": {"identity", "resource", "permissionsBoundary", "session", "scp", "rcp", "vpcEndpoint"}}
 *      -> {"id", "decision", "blockedBy", "matchedStatements", "missingContextValues"}
 * match: one condition ("operator", "key", "policyValues", "contextValues", "multivalued", "context") or one element
 * ("element", "patterns" or "value", "action", "arn" or "principal") -> {"id", "result"} A line that is wrong gives
 * {"id", "error": {"code", "message", "line", "column"}} with the place in the input.
 *
 * The context is complete as given: nothing is filled in.  Places of matched statements count from the start of their
 * document. Documents seen before are not parsed again, so a batch over few policies runs at the speed of reading its
 * lines.
 *
 * Uses: chain.h, missing.h.   Used by: cloud/ops_iam_batch.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "base/buf.h"
#include "base/json.h"

struct iam_batch;
struct iam_batch *iam_batch_new(void);
void iam_batch_free(struct iam_batch *batch);

/* Answers the line 'text' (number 'line' of the input, from 1), adding one line with its newline to 'out'. False if the
 * line was wrong. */
bool iam_batch_decide(struct iam_batch *batch, const char *text, size_t size, int line, struct buf *out);
bool iam_batch_match(struct iam_batch *batch, const char *text, size_t size, int line, struct buf *out);

/* The last question decided, again and aloud (explain.h); the caller owns the answer.  Only after iam_batch_decide()
 * returned true. */
json_t *iam_batch_explain(struct iam_batch *batch);
