/* cloud/journal.h - journal.jsonl: every AWS operation of a lab, refused ones too, as an event in CloudTrail's form, one a line.
 *
 * It is a line_log.h: the last 8 to 16 MB are kept, some ten thousand events.
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html */
#pragma once
#include "cloud/op.h"

#define JOURNAL_LIMIT ((size_t)8 << 20) /* bytes, after which a new file begins and the one before the last goes */

/* The event for one call. 'out' is the answer, NULL when 'failure' says why there is none.  The caller owns it. */
json_t *journal_event(const struct cloud *cloud, const struct op *op, const json_t *in, const json_t *out, const struct err *failure);

/* Appends it with one write, so that events of several processes never mix.  Reads of the lab's own verbs are not journalled. */
bool journal_append(const struct cloud *cloud, const struct op *op, const json_t *in, const json_t *out, const struct err *failure,
                    struct err *err);

/* Random numbers for what one event brings along (ids, encoded messages) that are the same when a scenario runs again. */
struct id_gen journal_event_ids(const struct cloud *cloud, const struct op *op);

/* requestParameters as an event shows them, and an event's responseElements back as the answer; the caller owns both. */
json_t *journal_request(const struct op *op, const json_t *in);
json_t *journal_answer(const struct op *op, const json_t *response);
