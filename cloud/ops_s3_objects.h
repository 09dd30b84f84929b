/* cloud/ops_s3_objects.h - what is read of a request about S3 objects outside of its handler.   Used by:
 * ops_s3_objects.c, permission_keys.c. */
#pragma once
#include "base/json.h"

/* "team=blue&stage=prod", percent-encoded, as [{"Key", "Value"}]; NULL gives an empty list.  The caller owns it. */
json_t *s3_tags_of_query(const char *query);
