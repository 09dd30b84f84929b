/* cloud/ops_verify_request.h - `verify FROM BALANCER --request 'GET /path'`: one HTTP request through the live lab, and what analysis says of it.
 *
 * Used by: ops_verify.c, verify_text.c */
#pragma once
#include "cloud/op.h"

/* Is that what the options ask for?  ERR_USAGE when they do not go together. */
bool verify_request_asked(const json_t *in, bool *asked, struct err *err);
bool verify_request_run(struct op_call *call, struct err *err);
void verify_request_text(const json_t *out, struct buf *text);
