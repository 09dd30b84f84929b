/* cloud/line_log.h - a file of lines that is written at its end and does not grow without bound.
 *
 * When PATH is full it becomes PATH.1, whose lines are forgotten, and begins anew; so what is kept are the last LIMIT to 2 * LIMIT bytes.  A line is one
 * write(), so that those of several processes never mix, and costs the same whatever the file holds.
 *
 * Used by: journal.c, denial.c and who reads what these wrote. */
#pragma once
#include "base/buf.h"
#include "base/err.h"

/* Appends 'size' bytes, whole lines.  '*forgotten' (may be NULL): bytes of older lines that went for it; 0 nearly always.  ERR_MACHINE. */
bool line_log_append(const char *path, const char *lines, size_t size, size_t limit, size_t *forgotten, struct err *err);
/* All lines that are kept, the oldest first; the first 'older' bytes (may be NULL) are PATH.1's.  A log that was never written is empty.  ERR_MACHINE. */
bool line_log_read(const char *path, struct buf *lines, size_t *older, struct err *err);
/* Bytes written since the lines of PATH.1 began. */
size_t line_log_size(const char *path);
