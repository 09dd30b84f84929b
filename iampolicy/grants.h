/* iampolicy/grants.h - which services and actions a policy's Allow statements name, whatever the resource and
 * conditions.
 *
 * The question of IAM's "last accessed" reports: a Deny takes nothing away, as AWS documents it.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html
 * Uses: policy.h, catalog/.   Used by: cloud/ops_iam_last_accessed.c. */
#pragma once
#include "iampolicy/catalog/catalog.h"
#include "iampolicy/policy.h"

bool iam_policy_grants_action(const struct iam_policy *policy, const char *action); /* "s3:GetObject", any case */
/* Some action of the service that the catalogue knows. */
bool iam_policy_grants_service(const struct iam_policy *policy, const struct iam_service_info *service);
