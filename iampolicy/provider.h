/* iampolicy/provider.h - what an account has beside its users and roles: identity providers it trusts, its alias, and
 * what IAM does in the background for it (deletions of service-linked roles, reports of last use).
 *
 * Sources: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/console-account-alias.html
 * Uses: account.h.   Used by: account.c, cloud/ops_iam_providers.c, ops_iam_service_roles.c, ops_iam_last_accessed.c,
 * ops_sts_federation.c. */
#pragma once
#include "iampolicy/account.h"

struct iam_oidc_provider {
    struct object obj; /* tags */
    char *url;         /* without https:// */
    char *arn;
    int64_t created;
    VEC(char *) client_ids;
    VEC(char *) thumbprints; /* small letters */
};
struct iam_saml_provider {
    struct object obj;
    char *name, *arn, *metadata;
    char *issuer; /* the metadata's entityID */
    int64_t created, valid_until;
};
struct iam_account_alias {
    struct object obj;
    char *name;
};
/* A deletion: its id is the DeletionTaskId.  A report: its id is the JobId. */
struct iam_task {
    struct object obj;
    char *name;    /* of a deletion, "task/aws-service-role/..."; of a report the JobId */
    char *arn;     /* of a report: the user, group, role or policy it is about */
    char *type;    /* of a report: "SERVICE_LEVEL" "ACTION_LEVEL" */
    char *status;  /* of a deletion: "SUCCEEDED" "FAILED" */
    char *reason;  /* why a deletion failed; NULL */
    json_t *usage; /* the RoleUsageList of a failed deletion; NULL */
    int64_t created;
};
extern const struct kind iam_oidc_provider_kind, iam_saml_provider_kind, iam_account_alias_kind, iam_task_kind;

/* By ARN, whatever the account; NULL if there is none. */
struct iam_oidc_provider *iam_find_oidc_provider(const struct iam_accounts *accounts, const char *arn);
struct iam_saml_provider *iam_find_saml_provider(const struct iam_accounts *accounts, const char *arn);
/* The account's alias, NULL if it has none; the account that has an alias, NULL if nobody does. */
struct iam_account_alias *iam_alias_of(const struct iam_accounts *accounts, const char *account);
struct iam_account_alias *iam_find_alias(const struct iam_accounts *accounts, const char *name);
/* By DeletionTaskId or JobId within an account. */
struct iam_task *iam_find_task(const struct iam_accounts *accounts, const char *account, const char *name);
