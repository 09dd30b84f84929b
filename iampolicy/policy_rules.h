/* iampolicy/policy_rules.h - what AWS says about a document that can be evaluated: refusals to store it, and warnings.
 *
 * Codes are those of Access Analyzer's policy validation.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
 * Used by: policy.c. */
#pragma once
#include "iampolicy/policy.h"

typedef void iam_report(void *context, enum iam_finding_level level, const char *code, struct iam_span span,
                        const char *text);
void iam_policy_rules(const struct iam_policy *policy, iam_report *report, void *context);
