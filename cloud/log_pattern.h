/* cloud/log_pattern.h - filter patterns of CloudWatch Logs, as far as they match lines of text.
 *
 *     REJECT 22            every term is in the line       "ACCEPT OK"     a phrase
 *     ?SKIPDATA ?NODATA    at least one of them is         -NODATA         it is not
 *     [version, account, eni, src, dst, srcport, dstport=22, protocol="6", ..., action=REJECT || action=SKIP*, status]
 *                          words of the line by place; `...` stands for any number of them; = != < > <= >=, `*` in text, && and ||
 *     { $.x = 1 }          matches JSON only, hence no flow log record
 *
 * Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html   Used by: ops_logs.c */
#pragma once
#include <stdbool.h>
#include "base/err.h"

struct log_pattern;
/* NULL and InvalidParameterException for a pattern that cannot be read; "" or NULL text matches every line. */
struct log_pattern *log_pattern_parse(const char *text, struct err *err);
bool log_pattern_match(const struct log_pattern *pattern, const char *line);
void log_pattern_free(struct log_pattern *pattern);
