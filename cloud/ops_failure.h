/* cloud/ops_failure.h - what has failed in the lab, as answers show it.   Used by: ops_failure.c, ops_verify.c */
#pragma once
#include "cloud/op.h"

void cloud_add_failures(const struct cloud *cloud, json_t *out); /* the member "Failures" */
void failures_text(const json_t *out, struct buf *text);
