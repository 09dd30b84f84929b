/* cloud/query.h - JMESPath, the language of --query: fields, indexes, slices, projections, filters, multi-select, pipes, functions.
 *
 *     query_run("Vpcs[?IsDefault].{Id:VpcId,Name:Tags[?Key=='Name']|[0].Value}", answer, &err)
 *
 * Source: https://jmespath.org/specification.html */
#pragma once
#include "base/err.h"
#include "base/json.h"

/* The answer, JSON null where there is none; the caller owns it.  NULL and ERR_USAGE with the column for a mistake in the expression or in
 * what a function was given. */
json_t *query_run(const char *expression, const json_t *value, struct err *err);
