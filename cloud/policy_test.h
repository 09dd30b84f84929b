/* cloud/policy_test.h - files of requests with expected decisions, read and asked (iampolicy/table.h).
 *
 * A path that ends in .json or .jsonl holds decision cases with their policies.  Any other is plain text, and the
 * policies are the .json files beside it; a directory means the requests.txt in it. Used by: ops_policy_test.c. */
#pragma once
#include "iampolicy/table.h"

bool policy_test_file(struct iam_table *table, const char *path, struct err *err);
