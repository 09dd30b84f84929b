/* iampolicy/service_role.h - service-linked roles: which role a service makes for itself, and what it may do.
 *
 * Only services whose policy the lab has (aws_policies.h) are here: without it such a role could do nothing.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_aws-services-that-work-with-iam.html
 * Used by: cloud/ops_iam.c, ops_iam_service_roles.c. */
#pragma once
#include <stdbool.h>

struct iam_service_role {
    const char *service; /* "autoscaling.amazonaws.com" */
    const char *name;    /* "AWSServiceRoleForAutoScaling" */
    const char *policy;  /* its one managed policy, below aws-service-role/ */
    bool suffix;         /* there may be several, told apart by a suffix */
};
extern const struct iam_service_role iam_service_roles[]; /* ends with a NULL service */

const struct iam_service_role *iam_service_role_find(const char *service); /* NULL if it makes none */
/* Is 'path' that of a service-linked role: "/aws-service-role/SERVICE/"? */
bool iam_is_service_role_path(const char *path);
