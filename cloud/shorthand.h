/* cloud/shorthand.h - the aws command's short form for structures: Key=v,Other=[a,b],Deep={x=1,y='a b'}.
 *
 *     Name=vpc-id,Values=vpc-1,vpc-2      {"Name": "vpc-id", "Values": ["vpc-1", "vpc-2"]}
 *
 * Purely syntax: every leaf is a string; op_argv.c gives them types.  Grammar as in AWS's user guide:
 * https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-shorthand.html */
#pragma once
#include "base/err.h"
#include "base/json.h"

/* NULL and ERR_USAGE with the column in 'err' when 'text' is not of this form.  At most 64 levels. */
json_t *shorthand_read(const char *text, struct err *err);
