/* iampolicy/service.h - what deciding needs to know about a service: whether its resource policy must speak, whether
 * RCPs reach it, and the refusals that no policy expresses.
 *
 * Sources: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html (services under
 * RCPs), https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies-cross-account-resource-access.html
 * Used by: request.c, chain.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "iampolicy/document.h"

struct iam_request;

struct iam_service {
    const char *prefix; /* "s3" */
    bool rcp;           /* resource control policies apply */
};
/* Never NULL: an unknown service gets a row with 'rcp' set and an empty prefix. */
const struct iam_service *iam_service_find(const char *lower_prefix, uint32_t size);

/* The resource's policy must allow: a KMS key, or the trust policy of a role that is to be assumed. */
bool iam_resource_must_speak(const struct iam_request *request);
bool iam_is_assume_role(const struct iam_request *request);

/* Why the service itself refuses whatever the policies say; NULL if it does not.  AWS managed policies and roles below
 * /aws-reserved/ cannot be changed, nor can the aliases of AWS managed keys. */
const char *iam_service_guard(const struct iam_request *request);
