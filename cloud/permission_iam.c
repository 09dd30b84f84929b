/* cloud/permission_iam.c - resources of IAM operations whose parameters do not name them outright. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/permission.h"
#include "iampolicy/provider.h"
#include "iampolicy/service_role.h"

const struct object *
permission_provider(const struct iam_accounts *accounts, const char *arn)
{
    const struct iam_oidc_provider *oidc = iam_find_oidc_provider(accounts, arn);
    const struct iam_saml_provider *saml = iam_find_saml_provider(accounts, arn);
    return oidc ? &oidc->obj : saml ? &saml->obj : NULL;
}

/* The subject of a report is one user, group, role or policy, though the action knows all four types. */
static char *
subject_arn(const struct op_call *call, const char *type)
{
    const char *arn = arg_str(call->in, "Arn");
    char form[40];
    snprintf(form, sizeof form, ":%s/", type);
    return arn && strstr(arn, form) ? xstrdup(arn) : NULL;
}

static char *
new_service_role_arn(const struct op_call *call, const char *type)
{
    const char *service = arg_str(call->in, "AWSServiceName"), *suffix = arg_str(call->in, "CustomSuffix");
    const struct iam_service_role *row = iam_service_role_find(service);
    (void)type;
    return xasprintf("arn:aws:iam::%s:role/aws-service-role/%s/%s%s%s", call->cloud->account, service,
                     row ? row->name : "*", suffix ? "_" : "", suffix ? suffix : "");
}

/* task/aws-service-role/SERVICE/ROLE/UUID */
static char *
deleted_role_arn(const struct op_call *call, const char *type)
{
    const char *id = arg_str(call->in, "DeletionTaskId"), *end = strrchr(id, '/');
    (void)type;
    return strncmp(id, "task/", 5) == 0
               ? xasprintf("arn:aws:iam::%s:role/%.*s", call->cloud->account, (int)(end - id - 5), id + 5)
               : NULL;
}

static char *
new_provider_arn(const struct op_call *call, const char *type)
{
    const char *url = arg_str(call->in, "Url"), *scheme = strstr(url, "://");
    (void)type;
    return xasprintf("arn:aws:iam::%s:oidc-provider/%s", call->cloud->account, scheme ? scheme + 3 : url);
}

static const struct {
    const char *op;
    char *(*arn)(const struct op_call *call, const char *type); /* the caller frees it; NULL: not of that type */
} rows[] = {
    { "GenerateServiceLastAccessedDetails", subject_arn }, { "ListPoliciesGrantingServiceAccess", subject_arn },
    { "CreateServiceLinkedRole", new_service_role_arn },   { "GetServiceLinkedRoleDeletionStatus", deleted_role_arn },
    { "CreateOpenIDConnectProvider", new_provider_arn },
};

bool
permission_iam_arn(const struct op_call *call, const char *type, permissions *list, struct iam_catalog *catalog,
                   const char *action)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].op, call->op->name) == 0) {
            char *arn = rows[i].arn(call, type);
            if (arn) {
                permission_add(list, catalog, action, arn);
            }
            free(arn);
            return true;
        }
    }
    return false;
}
