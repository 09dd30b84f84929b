/* iampolicy/aws_policies.h - commonly used policies that AWS manages, by name and document.
 *
 * The documents say what AWS's default versions say, written anew from the managed policy reference.
 * Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/about-managed-policy-reference.html
 * Used by: account.c. */
#pragma once
#include <stddef.h>

struct iam_aws_policy {
    const char *path, *name, *version; /* "/", "AdministratorAccess", "v1" */
    const char *document;
};
extern const struct iam_aws_policy iam_aws_policies[]; /* ends with a NULL name */
