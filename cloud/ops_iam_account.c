/* cloud/ops_iam_account.c - the account as a whole and what is rarely changed: its summary, names of groups,
 * descriptions of roles. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"

static json_int_t
count(const struct op_call *call, const struct kind *kind)
{
    const struct store *store = call->cloud->accounts->store;
    json_int_t n = 0;
    for (struct object *o = store_first(store, kind); o; o = store_next(store, o)) {
        n += strcmp(o->account, call->cloud->account) == 0;
    }
    return n;
}

/* Of users and roles the numbers there are; the quotas are those of a new account. */
static bool
get_account_summary(struct op_call *call, struct err *err)
{
    static const struct {
        const char *name;
        const struct kind *kind;
    } counted[] = {
        { "Users", &iam_user_kind },
        { "Groups", &iam_group_kind },
        { "Roles", &iam_role_kind },
        { "Policies", &iam_managed_policy_kind },
        { "InstanceProfiles", &iam_instance_profile_kind },
    };
    static const struct {
        const char *name;
        json_int_t quota;
    } quotas[] = {
        { "UsersQuota", 5000 },
        { "GroupsQuota", 300 },
        { "RolesQuota", 1000 },
        { "PoliciesQuota", 1500 },
        { "InstanceProfilesQuota", 1000 },
        { "AccessKeysPerUserQuota", 2 },
        { "GroupsPerUserQuota", 10 },
        { "VersionsPerPolicyQuota", 5 },
        { "PolicySizeQuota", 6144 },
        { "UserPolicySizeQuota", 2048 },
        { "GroupPolicySizeQuota", 5120 },
        { "RolePolicySizeQuota", 10240 },
        { "AssumeRolePolicySizeQuota", 2048 },
        { "AttachedPoliciesPerUserQuota", 10 },
        { "AttachedPoliciesPerGroupQuota", 10 },
        { "AttachedPoliciesPerRoleQuota", 10 },
    };
    json_t *map = json_object();
    (void)err;
    for (size_t i = 0; i < ARRAY_SIZE(counted); i++) {
        json_object_set_new(map, counted[i].name, json_integer(count(call, counted[i].kind)));
    }
    for (size_t i = 0; i < ARRAY_SIZE(quotas); i++) {
        json_object_set_new(map, quotas[i].name, json_integer(quotas[i].quota));
    }
    json_object_set_new(call->out, "SummaryMap", map);
    return true;
}

/* Members follow the new name. */
static void
rename_in_users(const struct op_call *call, const char *old, const char *name)
{
    const struct store *store = call->cloud->accounts->store;
    for (struct iam_user *u = store_first(store, &iam_user_kind); u; u = store_next(store, u)) {
        for (size_t i = 0; i < u->groups.n && strcmp(u->obj.account, call->cloud->account) == 0; i++) {
            if (strcasecmp(u->groups.items[i], old) == 0) {
                free(u->groups.items[i]);
                u->groups.items[i] = xstrdup(name);
            }
        }
    }
}

static bool
update_group(struct op_call *call, struct err *err)
{
    struct iam_group *group = iam_op_group(call, err);
    const char *name = arg_str(call->in, "NewGroupName"), *path = arg_str(call->in, "NewPath");
    if (!group || (name && !iam_check_name("NewGroupName", name, 128, err)) || (path && !iam_check_path(path, err))) {
        return false;
    }
    struct iam_group *other = name ? iam_find_group(call->cloud->accounts, call->cloud->account, name) : NULL;
    if (other && other != group) {
        err_set(err, ERR_INPUT, "EntityAlreadyExists", "there is a group `%.100s` already", name);
        return err_hint(err, "names that differ only in case are the same");
    }
    if (name) {
        rename_in_users(call, group->name, name);
        free(group->name);
        group->name = xstrdup(name);
    }
    if (path) {
        free(group->path);
        group->path = xstrdup(path);
    }
    free(group->arn);
    group->arn = iam_make_arn(call, "group", group->path, group->name);
    return true;
}

static bool
update_role_description(struct op_call *call, struct err *err)
{
    struct iam_role *role = iam_op_role(call, err);
    if (!role) {
        return false;
    }
    free(role->description);
    role->description = xstrdup(arg_str(call->in, "Description"));
    json_object_set_new(call->out, "Role", iam_show(call, role, true));
    return true;
}

const struct op ops_iam_account[] = {
    { .service = "iam",
      .name = "GetAccountSummary",
      .mode = OP_READ,
      .run = get_account_summary,
      .help = "Count the account's users, groups, roles and policies, beside the quotas." },
    { .service = "iam",
      .name = "UpdateGroup",
      .mode = OP_WRITE,
      .run = update_group,
      .help = "Give a group another name or path." },
    { .service = "iam",
      .name = "UpdateRoleDescription",
      .mode = OP_WRITE,
      .run = update_role_description,
      .help = "Change a role's description." },
    { 0 },
};
