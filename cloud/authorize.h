/* cloud/authorize.h - may the caller of this operation do it?  Asked before the handler runs.
 *
 * An operation asks for one or more permissions: an action on each resource it is about (RunInstances asks for its
 * image, instance, interface, group, subnet and volume), and further actions that AWS asks for beside it
 * (ec2:CreateTags for tags at creation, iam:PassRole for a role that is handed on, s3:GetObject of a copy's source).
 * Which resources an action takes and which condition keys it fills in is iampolicy/catalog's knowledge; the row's
 * 'resources' say which parameter is which resource where names do not.
 *
 * The root user of an account is asked only where a resource policy or an organization may refuse it.
 * Lab verbs (reach, up, simulate ...) are no calls of AWS and are not authorized, unless their row names an iam_action.
 *
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/
 * Uses: iampolicy/, caller.h, denial.h.   Used by: op_run.c. */
#pragma once
#include "cloud/op.h"

struct permission;

/* Fails with UnauthorizedOperation (EC2), AccessDenied or AccessDeniedException in AWS's words. */
bool op_authorize(const struct op_call *call, struct err *err);

/* One permission, asked for 'principal' (as iampolicy/principal.h writes callers: an identity provider for federated
 * ones); NULL: the caller in force.  Fails as op_authorize(). */
bool op_authorize_one(const struct op_call *call, const char *principal, const struct permission *permission,
                      struct err *err);
