/* cloud/ops_verify_random.h - `verify --random N --seed S`: networks by lot in throw-away live labs.   Used by: ops_verify.c */
#pragma once
#include "cloud/op.h"

/* Is that what the options ask for?  ERR_USAGE when they do not go together. */
bool verify_random_asked(const json_t *in, bool *asked, struct err *err);
bool verify_random_run(struct op_call *call, struct err *err);
void verify_random_text(const json_t *out, struct buf *text);
