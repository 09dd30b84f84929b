/* cloud/verify_text.h - the answer of `verify` for a person.
 *
 * Used by: ops_verify.c. */
#pragma once
#include "base/buf.h"
#include "base/json.h"

void verify_text(const json_t *out, struct buf *text);
