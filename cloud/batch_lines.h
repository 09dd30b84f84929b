/* cloud/batch_lines.h - verbs that answer JSON lines: `reach --batch`, `iam decide --batch`.
 *
 * Answers are written to standard output as lines are read, so that a batch of any length needs the memory of one line.  A wrong line is
 * answered with its error and is no failure of the batch. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* Adds the answer to one line (without its newline) and a newline to 'out'. */
typedef void batch_line_fn(void *context, const char *text, size_t size, int line, struct buf *out);

/* Answers every line of the file that is not blank; "-" is standard input.  ERR_MACHINE: it cannot be read, or the answers not written;
 * ERR_DOCUMENT: a line of more than 64 MiB. */
bool batch_lines(const char *path, batch_line_fn *answer, void *context, struct err *err);
