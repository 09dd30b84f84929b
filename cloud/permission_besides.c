/* cloud/permission_besides.c - what AWS asks for beside an operation's own action: tagging at creation, passing a role,
 * reading what is copied, the KMS key of an object, tags and identity of a session. */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_s3.h"
#include "cloud/permission.h"
#include "iampolicy/account.h"

/* Tags at creation elsewhere: the service's own tagging action on the same resource. */
static void
add_tagging(const struct op_call *call, struct iam_catalog *catalog, permissions *list, const char *action)
{
    const json_t *tags = permission_tags(call, "");
    const char *colon = strchr(action, ':');
    if (!json_array_size(tags) || strncmp(colon + 1, "Create", 6) != 0 || !list->n) {
        return;
    }
    char *own = xasprintf("%.*s:Tag%s", (int)(colon - action), action, colon + 7);
    char *general = xasprintf("%.*s:TagResource", (int)(colon - action), action);
    const char *tagging = iam_catalog_action(catalog, own)       ? own
                          : iam_catalog_action(catalog, general) ? general
                                                                 : NULL;
    if (tagging) {
        char *resource = xstrdup(list->items[0].resource);
        struct permission *p = permission_add(list, catalog, tagging, resource);
        permission_request_tags(p, tags);
        free(resource);
    }
    free(own);
    free(general);
}

/* Roles that a request hands on to a service.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html */
static const struct {
    const char *op, *member, *to;
} passes[] = {
    { "RunInstances", "IamInstanceProfile", "ec2.amazonaws.com" },
    { "AssociateIamInstanceProfile", "IamInstanceProfile", "ec2.amazonaws.com" },
    { "ReplaceIamInstanceProfileAssociation", "IamInstanceProfile", "ec2.amazonaws.com" },
    { "CreateFlowLogs", "DeliverLogsPermissionArn", "vpc-flow-logs.amazonaws.com" },
};

static void
add_passed_role(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    for (size_t i = 0; i < ARRAY_SIZE(passes); i++) {
        const json_t *given = json_object_get(call->in, passes[i].member);
        if (!given || strcmp(passes[i].op, call->op->name) != 0) {
            continue;
        }
        const char *arn = json_string_value(given), *name = json_str(given, "Name"), *by = json_str(given, "Arn");
        name = name ? name : by && strrchr(by, '/') ? strrchr(by, '/') + 1 : NULL;
        const struct iam_accounts *accounts = call->cloud->accounts;
        const struct iam_instance_profile *profile =
            name ? iam_find_instance_profile(accounts, call->cloud->account, name) : NULL;
        const struct iam_role *role =
            profile && profile->role ? iam_find_role(accounts, call->cloud->account, profile->role) : NULL;
        char *wanted = role  ? xstrdup(role->arn)
                       : arn ? xstrdup(arn)
                             : xasprintf("arn:aws:iam::%s:role/%s", call->cloud->account, name ? name : "*");
        struct permission *p = permission_add(list, catalog, "iam:PassRole", wanted);
        p->object = role ? &role->obj : NULL;
        permission_keys(call, p);
        permission_set(p, "iam:PassedToService", passes[i].to);
        free(wanted);
    }
}

/* A role in an instance profile is on its way to EC2. */
static void
add_profile_role(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    if (strcmp(call->op->name, "AddRoleToInstanceProfile") == 0) {
        size_t before = list->n;
        permission_add_action(call, catalog, list, "iam:PassRole");
        for (size_t i = before; i < list->n; i++) {
            permission_set(&list->items[i], "iam:PassedToService", "ec2.amazonaws.com");
        }
    }
}

/* Bucket and key, an access point's alias and key, or the ARN of an object of an access point; maybe a version. */
static void
add_copied(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    const char *source = arg_str(call->in, "CopySource");
    if (!source || strcmp(call->op->name, "CopyObject") != 0) {
        return;
    }
    source += source[0] == '/';
    char *plain = xasprintf("%.*s", (int)strcspn(source, "?"), source), *slash = strchr(plain, '/'), *arn;
    if (strncmp(plain, "arn:", 4) == 0) {
        arn = xstrdup(plain);
    } else {
        char *name = xasprintf("%.*s", (int)(slash ? slash - plain : (long)strlen(plain)), plain);
        const struct s3_access_point *point = s3_point_named(call->cloud, name);
        arn = point ? xasprintf("%s/object%s", point->arn, slash ? slash : "") : xasprintf("arn:aws:s3:::%s", plain);
        free(name);
    }
    permission_keys(call, permission_add(list, catalog, "s3:GetObject", arn));
    free(arn);
    free(plain);
}

static void
add_session_extras(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    const char *role = arg_str(call->in, "RoleArn");
    if (role && json_array_size(json_object_get(call->in, "Tags"))) {
        permission_add_action(call, catalog, list, "sts:TagSession");
    }
    if (role && json_object_get(call->in, "SourceIdentity")) {
        permission_add_action(call, catalog, list, "sts:SetSourceIdentity");
    }
}

void
permissions_besides(const struct op_call *call, struct iam_catalog *catalog, permissions *list, const char *action)
{
    const char *service = call->op->service;
    if (strcmp(service, "ec2") == 0) {
        add_passed_role(call, catalog, list);
    } else if (strcmp(service, "sts") == 0) {
        add_session_extras(call, catalog, list);
    } else {
        add_tagging(call, catalog, list, action);
        add_copied(call, catalog, list);
        add_profile_role(call, catalog, list);
        permission_s3_keys(call, catalog, list);
    }
}
