/* cloud/render.h - the forms of an answer; render() in op.h chooses one.
 * json and text are what `aws --output json|text` print, byte for byte; table and record are ours. */
#pragma once
#include "base/buf.h"
#include "cloud/op.h"

struct aws_shape;
/* Members in the order of the operation's answer; ERR_FAULT for a member that AWS's shape does not have. The caller owns the result. */
json_t *render_ordered(const struct op *op, const json_t *out, struct err *err);
void render_json(const json_t *value, struct buf *text);
void render_text(const json_t *value, struct buf *text);
void render_table(const json_t *value, struct buf *text);
void render_record(const json_t *value, struct buf *text);
/* A scalar as text prints it: None, True, 12, 1.5. */
void render_scalar(const json_t *value, struct buf *text);
