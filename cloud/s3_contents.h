/* cloud/s3_contents.h - what is in S3 objects: files of the lab's directory named by the MD5 of what they hold (DIR/objects/MD5).
 * A lab that is never saved keeps none.   Used by: ops_s3_objects.c, live_s3.c. */
#pragma once
#include "cloud/cloud.h"
#include "base/buf.h"

#define S3_CONTENTS_MAX (16u << 20) /* larger objects have no contents here */

void s3_contents_keep(const struct cloud *cloud, const char *md5, const void *bytes, size_t size);
/* By the ETag ("\"md5\""); false when they are not kept. */
bool s3_contents_read(const struct cloud *cloud, const char *etag, struct buf *bytes);
