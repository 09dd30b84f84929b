/* iampolicy/suggest.h - did you mean? */
#pragma once
#include <stddef.h>
#include "iampolicy/document.h"

/* The name nearest to 'text' when it is near enough to be a typing mistake (a third of its letters at most), else NULL.
 */
const char *iam_suggest(struct iam_text text, const char *const *names, size_t n);
