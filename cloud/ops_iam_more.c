/* cloud/ops_iam_more.c - instance profiles, and the whole account at once.
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

static bool
is_own(const struct op_call *call, const struct object *object)
{
    return strcmp(object->account, call->cloud->account) == 0;
}

/* ---- instance profiles ---- */

static struct iam_instance_profile *
find_profile(const struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "InstanceProfileName");
    struct iam_instance_profile *profile = iam_find_instance_profile(call->cloud->accounts, call->cloud->account, name);
    if (!profile) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no instance profile `%.130s`", name);
    }
    return profile;
}

static json_t *
show_profile(const struct op_call *call, const struct iam_instance_profile *profile)
{
    json_t *out = iam_show(call, profile, true), *roles = json_array();
    const struct iam_role *role =
        profile->role ? iam_find_role(call->cloud->accounts, profile->obj.account, profile->role) : NULL;
    if (role) {
        json_array_append_new(roles, iam_show(call, role, false));
    }
    json_object_set_new(out, "Roles", roles);
    return out;
}

static bool
create_profile(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "InstanceProfileName"), *path = arg_str(call->in, "Path");
    if (!iam_check_name("InstanceProfileName", name, 128, err) || (path && !iam_check_path(path, err)) ||
        !iam_check_tags(json_object_get(call->in, "Tags"), err)) {
        return false;
    }
    if (iam_find_instance_profile(accounts, call->cloud->account, name)) {
        return err_set(err, ERR_INPUT, "EntityAlreadyExists", "there is an instance profile `%.130s` already", name);
    }
    struct iam_instance_profile *profile =
        iam_add_object(accounts, &iam_instance_profile_kind, call->cloud->account, "AIPA");
    profile->name = xstrdup(name);
    profile->path = xstrdup(path ? path : "/");
    profile->arn = iam_make_arn(call, "instance-profile", profile->path, name);
    profile->created = iam_now(call);
    iam_set_tags(&profile->obj, json_object_get(call->in, "Tags"));
    json_object_set_new(call->out, "InstanceProfile", show_profile(call, profile));
    return true;
}

static bool
get_profile(struct op_call *call, struct err *err)
{
    const struct iam_instance_profile *profile = find_profile(call, err);
    if (profile) {
        json_object_set_new(call->out, "InstanceProfile", show_profile(call, profile));
    }
    return profile != NULL;
}

static bool
answer_profiles(struct op_call *call, const char *role, struct err *err)
{
    const char *prefix = arg_str(call->in, "PathPrefix");
    json_t *list = json_array();
    for (struct iam_instance_profile *p = store_first(store_of(call), &iam_instance_profile_kind); p;
         p = store_next(store_of(call), p)) {
        bool wanted =
            role ? p->role && strcmp(p->role, role) == 0 : !prefix || strncmp(p->path, prefix, strlen(prefix)) == 0;
        if (is_own(call, &p->obj) && wanted) {
            json_array_append_new(list, show_profile(call, p));
        }
    }
    return iam_answer_list(call, "InstanceProfiles", list, err);
}

static bool
list_profiles(struct op_call *call, struct err *err)
{
    return answer_profiles(call, NULL, err);
}

static bool
list_profiles_for_role(struct op_call *call, struct err *err)
{
    const struct iam_role *role = iam_op_role(call, err);
    return role && answer_profiles(call, role->name, err);
}

static bool
add_role(struct op_call *call, struct err *err)
{
    struct iam_instance_profile *profile = find_profile(call, err);
    const struct iam_role *role = profile ? iam_op_role(call, err) : NULL;
    if (!role) {
        return false;
    }
    if (profile->role) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "the instance profile `%s` has a role already: `%s`",
                       profile->name, profile->role);
    }
    profile->role = xstrdup(role->name);
    return true;
}

static bool
remove_role(struct op_call *call, struct err *err)
{
    struct iam_instance_profile *profile = find_profile(call, err);
    const struct iam_role *role = profile ? iam_op_role(call, err) : NULL;
    if (!role) {
        return false;
    }
    if (!profile->role || strcmp(profile->role, role->name) != 0) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "the role `%s` is not in the instance profile `%s`", role->name,
                       profile->name);
    }
    free(profile->role);
    profile->role = NULL;
    return true;
}

static bool
delete_profile(struct op_call *call, struct err *err)
{
    struct iam_instance_profile *profile = find_profile(call, err);
    if (!profile) {
        return false;
    }
    if (profile->role) {
        err_set(err, ERR_INPUT, "DeleteConflict", "the instance profile `%s` still has the role `%s`", profile->name,
                profile->role);
        return err_hint(err, "take it out first: iam remove-role-from-instance-profile");
    }
    store_delete(store_of(call), profile);
    return true;
}

/* ---- the whole account ---- */

/* Documents as objects, in place of the text we keep. */
static void
open_documents(json_t *list, const char *member)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *item = json_array_get(list, i);
        const char *text = json_str(item, member);
        if (text) {
            json_object_set_new(item, member, iam_document_json(text));
        }
    }
}

static void
show_boundary_type(json_t *out)
{
    json_t *boundary = json_object_get(out, "PermissionsBoundary");
    if (boundary) {
        json_object_set_new(boundary, "PermissionsBoundaryType", json_string("Policy"));
    }
}

/* Members that AWS's answer always has, as empty lists too. */
static void
always(json_t *out, const char *member)
{
    if (!json_object_get(out, member)) {
        json_object_set_new(out, member, json_array());
    }
}

static json_t *
user_detail(const struct op_call *call, const struct object *object)
{
    (void)call;
    json_t *out = json_object();
    fields_print(iam_user_kind.fields, object, true, out);
    open_documents(json_object_get(out, "UserPolicyList"), "PolicyDocument");
    show_boundary_type(out);
    always(out, "GroupList");
    always(out, "AttachedManagedPolicies");
    return out;
}

static json_t *
group_detail(const struct op_call *call, const struct object *object)
{
    (void)call;
    json_t *out = json_object();
    fields_print(iam_group_kind.fields, object, true, out);
    open_documents(json_object_get(out, "GroupPolicyList"), "PolicyDocument");
    always(out, "GroupPolicyList");
    always(out, "AttachedManagedPolicies");
    return out;
}

static json_t *
role_detail(const struct op_call *call, const struct object *object)
{
    const struct iam_role *role = (const struct iam_role *)object;
    json_t *out = json_object(), *profiles = json_array();
    fields_print(iam_role_kind.fields, object, true, out);
    json_object_del(out, "Description");
    json_object_del(out, "MaxSessionDuration");
    json_object_set_new(out, "AssumeRolePolicyDocument", iam_document_json(role->trust));
    open_documents(json_object_get(out, "RolePolicyList"), "PolicyDocument");
    for (struct iam_instance_profile *p = store_first(store_of(call), &iam_instance_profile_kind); p;
         p = store_next(store_of(call), p)) {
        if (is_own(call, &p->obj) && p->role && strcmp(p->role, role->name) == 0) {
            json_array_append_new(profiles, show_profile(call, p));
        }
    }
    json_object_set_new(out, "InstanceProfileList", profiles);
    show_boundary_type(out);
    always(out, "RolePolicyList");
    always(out, "AttachedManagedPolicies");
    return out;
}

static json_t *
policy_detail(const struct op_call *call, const struct object *object)
{
    (void)call;
    json_t *out = json_object();
    fields_print(iam_managed_policy_kind.fields, object, true, out);
    open_documents(json_object_get(out, "PolicyVersionList"), "Document");
    json_object_del(out, "NextVersion");
    json_object_del(out, "Tags");
    json_object_set_new(out, "IsAttachable", json_true());
    return out;
}

static bool
wanted(const struct op_call *call, const char *filter)
{
    const json_t *filters = json_object_get(call->in, "Filter");
    bool hit = json_array_size(filters) == 0;
    for (size_t i = 0; i < json_array_size(filters); i++) {
        hit |= strcmp(json_string_value(json_array_get(filters, i)), filter) == 0;
    }
    return hit;
}

static bool
get_authorization_details(struct op_call *call, struct err *err)
{
    static const struct {
        const struct kind *kind;
        const char *filter, *list;
        json_t *(*show)(const struct op_call *call, const struct object *object);
    } rows[] = {
        { &iam_user_kind, "User", "UserDetailList", user_detail },
        { &iam_group_kind, "Group", "GroupDetailList", group_detail },
        { &iam_role_kind, "Role", "RoleDetailList", role_detail },
        { &iam_managed_policy_kind, "LocalManagedPolicy", "Policies", policy_detail },
    };
    if (json_object_get(call->in, "MaxItems") || json_object_get(call->in, "Marker")) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the account is answered whole: leave `MaxItems` and `Marker` out");
    }
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_t *list = json_array();
        for (struct object *o = store_first(store_of(call), rows[i].kind); o && wanted(call, rows[i].filter);
             o = store_next(store_of(call), o)) {
            if (is_own(call, o)) {
                json_array_append_new(list, rows[i].show(call, o));
            }
        }
        json_object_set_new(call->out, rows[i].list, list);
    }
    struct store *aws = iam_accounts_aws(call->cloud->accounts);
    for (struct object *o = store_first(aws, &iam_managed_policy_kind); o && wanted(call, "AWSManagedPolicy");
         o = store_next(aws, o)) {
        json_array_append_new(json_object_get(call->out, "Policies"), policy_detail(call, o));
    }
    return true;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }

const struct op ops_iam_more[] = {
    WRITE("CreateInstanceProfile", create_profile,
          "Create an instance profile, the case in which an instance gets its role."),
    READ("GetInstanceProfile", get_profile, "Show an instance profile and its role."),
    READ("ListInstanceProfiles", list_profiles, "List the account's instance profiles."),
    READ("ListInstanceProfilesForRole", list_profiles_for_role, "List the instance profiles that hold a role."),
    WRITE("AddRoleToInstanceProfile", add_role, "Put a role into an instance profile."),
    WRITE("RemoveRoleFromInstanceProfile", remove_role, "Take the role out of an instance profile."),
    WRITE("DeleteInstanceProfile", delete_profile, "Delete an instance profile without a role."),
    READ("GetAccountAuthorizationDetails", get_authorization_details,
         "Show all users, groups, roles and policies with their documents."),
    { 0 },
};
