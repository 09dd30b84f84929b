/* iampolicy/json_out.h - text as a JSON string, for answers written straight into a buffer. */
#pragma once
#include <stddef.h>
#include "base/buf.h"

/* In quotes, escaped.  'size' SIZE_MAX: up to the NUL. */
void iam_put_string(struct buf *out, const char *text, size_t size);
