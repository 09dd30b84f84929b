/* cloud/gzip.h - gzip, in which AWS delivers flow logs to S3.  Uses: zlib.   Used by: flow_s3.c, flow_import.c */
#pragma once
#include "base/buf.h"
#include "base/err.h"

void gzip_pack(const struct buf *plain, struct buf *packed);
/* The whole file, unpacked when it is gzip's; at most 'limit' bytes.  ERR_MACHINE: it cannot be read; ERR_DOCUMENT: damaged or larger. */
bool gzip_read_file(const char *path, size_t limit, struct buf *text, struct err *err);
