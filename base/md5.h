/* base/md5.h - the MD5 digest, which S3 uses for the ETag of an object.  It protects nothing.
 * Source: RFC 1321.   Used by: cloud/ops_s3_objects.c. */
#pragma once
#include <stddef.h>

/* 32 small hex digits. */
void md5_hex(const void *data, size_t size, char hex[static 33]);
