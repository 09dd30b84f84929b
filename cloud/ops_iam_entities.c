/* cloud/ops_iam_entities.c - IAM users, groups and roles: create, get, list, change, delete, membership, boundaries,
 * tags. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/caller.h"
#include "cloud/ops_iam.h"

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

/* All objects of a kind in this account below PathPrefix, as list-* shows them. */
static bool
answer_kind(struct op_call *call, const struct kind *kind, const char *member, struct err *err)
{
    json_t *list = json_array();
    const char *prefix = arg_str(call->in, "PathPrefix");
    for (struct object *o = store_first(store_of(call), kind); o; o = store_next(store_of(call), o)) {
        if (strcmp(o->account, call->cloud->account) != 0) {
            continue;
        }
        json_t *shown = iam_show(call, o, false);
        const char *path = json_str(shown, "Path");
        if (!prefix || (path && strncmp(path, prefix, strlen(prefix)) == 0)) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
    return iam_answer_list(call, member, list, err);
}

static bool
taken(const char *word, const char *name, struct err *err)
{
    err_set(err, ERR_INPUT, "EntityAlreadyExists", "there is a %s `%.100s` already", word, name);
    return err_hint(err, "names that differ only in case are the same");
}

/* What a new user, group or role must have: a free name, a path, tags within limits, a boundary that exists. */
static bool
check_new(const struct op_call *call, const char *member, size_t limit, const void *existing, const char *word,
          struct err *err)
{
    const char *name = arg_str(call->in, member), *path = arg_str(call->in, "Path");
    const char *boundary = arg_str(call->in, "PermissionsBoundary");
    if (!iam_check_name(member, name, limit, err) || (path && !iam_check_path(path, err)) ||
        !iam_check_tags(json_object_get(call->in, "Tags"), err)) {
        return false;
    }
    if (existing) {
        return taken(word, name, err);
    }
    if (boundary && !iam_find_policy(call->cloud->accounts, boundary)) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no policy `%.160s` for the boundary", boundary);
    }
    return true;
}

static char *
path_arg(const struct op_call *call)
{
    const char *path = arg_str(call->in, "Path");
    return xstrdup(path ? path : "/");
}

static char *
copy_or_null(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

/* An entity with policies or members cannot go. */
static bool
in_use(const char *word, const char *name, const char *what, struct err *err)
{
    err_set(err, ERR_INPUT, "DeleteConflict", "the %s `%.100s` still %s", word, name, what);
    return false;
}

static bool
check_unused(const struct iam_entity *e, struct err *err)
{
    if (e->inline_policies->n) {
        in_use(e->word, e->name, "has inline policies", err);
        return err_hint(err, "delete `%s` first: iam delete-%s-policy", e->inline_policies->items[0].name, e->word);
    }
    if (e->attached->n) {
        in_use(e->word, e->name, "has policies attached", err);
        return err_hint(err, "detach `%s` first: iam detach-%s-policy", e->attached->items[0].arn, e->word);
    }
    return true;
}

/* ---- users ---- */

static bool
create_user(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "UserName");
    if (!check_new(call, "UserName", 64, iam_find_user(accounts, call->cloud->account, name), "user", err)) {
        return false;
    }
    struct iam_user *user = iam_add_object(accounts, &iam_user_kind, call->cloud->account, "AIDA");
    user->name = xstrdup(name);
    user->path = path_arg(call);
    user->arn = iam_make_arn(call, "user", user->path, name);
    user->created = iam_now(call);
    user->boundary = copy_or_null(arg_str(call->in, "PermissionsBoundary"));
    iam_set_tags(&user->obj, json_object_get(call->in, "Tags"));
    json_object_set_new(call->out, "User", iam_show(call, user, true));
    return true;
}

/* Without a name: the caller, who is the account's root user. */
static bool
get_user(struct op_call *call, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    if (!arg_str(call->in, "UserName") && caller && caller->kind != CALLER_ROOT) {
        const struct iam_user *own = caller->kind == CALLER_USER
                                         ? iam_find_user(call->cloud->accounts, call->cloud->account, caller->name)
                                         : NULL;
        if (!own) {
            return err_set(err, ERR_INPUT, "ValidationError",
                           "Must specify userName when calling with non-User credentials");
        }
        json_object_set_new(call->out, "User", iam_show(call, own, true));
        return true;
    }
    if (!arg_str(call->in, "UserName")) {
        char *arn = xasprintf("arn:aws:iam::%s:root", call->cloud->account);
        json_object_set_new(call->out, "User", json_pack("{s:s, s:s}", "UserId", call->cloud->account, "Arn", arn));
        free(arn);
        return true;
    }
    const struct iam_user *user = iam_op_user(call, err);
    if (user) {
        json_object_set_new(call->out, "User", iam_show(call, user, true));
    }
    return user != NULL;
}

static bool
list_users(struct op_call *call, struct err *err)
{
    return answer_kind(call, &iam_user_kind, "Users", err);
}

/* A new name or path changes the ARN; who refers to the old one keeps the old one, as in AWS. */
static bool
update_user(struct op_call *call, struct err *err)
{
    struct iam_user *user = iam_op_user(call, err);
    const char *name = arg_str(call->in, "NewUserName"), *path = arg_str(call->in, "NewPath");
    if (!user || (name && !iam_check_name("NewUserName", name, 64, err)) || (path && !iam_check_path(path, err))) {
        return false;
    }
    struct iam_user *other = name ? iam_find_user(call->cloud->accounts, call->cloud->account, name) : NULL;
    if (other && other != user) {
        return taken("user", name, err);
    }
    if (name) {
        for (struct iam_access_key *k = store_first(store_of(call), &iam_access_key_kind); k;
             k = store_next(store_of(call), k)) {
            if (k->user && strcmp(k->obj.account, user->obj.account) == 0 && strcmp(k->user, user->name) == 0) {
                free(k->user);
                k->user = xstrdup(name);
            }
        }
        free(user->name);
        user->name = xstrdup(name);
    }
    if (path) {
        free(user->path);
        user->path = xstrdup(path);
    }
    free(user->arn);
    user->arn = iam_make_arn(call, "user", user->path, user->name);
    return true;
}

static bool
delete_user(struct op_call *call, struct err *err)
{
    struct iam_entity entity;
    if (!iam_op_entity(call, &entity, err) || !check_unused(&entity, err)) {
        return false;
    }
    struct iam_user *user = entity.object;
    if (user->groups.n) {
        in_use("user", user->name, "is a member of groups", err);
        return err_hint(err, "remove it from `%s` first: iam remove-user-from-group", user->groups.items[0]);
    }
    for (struct iam_access_key *k = store_first(store_of(call), &iam_access_key_kind); k;
         k = store_next(store_of(call), k)) {
        if (k->user && strcmp(k->user, user->name) == 0 && strcmp(k->obj.account, user->obj.account) == 0) {
            in_use("user", user->name, "has access keys", err);
            return err_hint(err, "delete `%s` first: iam delete-access-key", k->obj.id);
        }
    }
    store_delete(store_of(call), user);
    return true;
}

/* ---- groups ---- */

static bool
create_group(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "GroupName");
    if (!check_new(call, "GroupName", 128, iam_find_group(accounts, call->cloud->account, name), "group", err)) {
        return false;
    }
    struct iam_group *group = iam_add_object(accounts, &iam_group_kind, call->cloud->account, "AGPA");
    group->name = xstrdup(name);
    group->path = path_arg(call);
    group->arn = iam_make_arn(call, "group", group->path, name);
    group->created = iam_now(call);
    json_object_set_new(call->out, "Group", iam_show(call, group, true));
    return true;
}

static size_t
member_index(const struct iam_user *user, const char *group)
{
    size_t i = 0;
    while (i < user->groups.n && strcasecmp(user->groups.items[i], group) != 0) {
        i++;
    }
    return i;
}

static bool
get_group(struct op_call *call, struct err *err)
{
    const struct iam_group *group = iam_op_group(call, err);
    json_t *users = json_array();
    if (!group) {
        json_decref(users);
        return false;
    }
    for (struct iam_user *u = store_first(store_of(call), &iam_user_kind); u; u = store_next(store_of(call), u)) {
        if (strcmp(u->obj.account, call->cloud->account) == 0 && member_index(u, group->name) < u->groups.n) {
            json_array_append_new(users, iam_show(call, u, false));
        }
    }
    json_object_set_new(call->out, "Group", iam_show(call, group, true));
    return iam_answer_list(call, "Users", users, err);
}

static bool
list_groups(struct op_call *call, struct err *err)
{
    return answer_kind(call, &iam_group_kind, "Groups", err);
}

static bool
delete_group(struct op_call *call, struct err *err)
{
    struct iam_entity entity;
    if (!iam_op_entity(call, &entity, err) || !check_unused(&entity, err)) {
        return false;
    }
    for (struct iam_user *u = store_first(store_of(call), &iam_user_kind); u; u = store_next(store_of(call), u)) {
        if (strcmp(u->obj.account, call->cloud->account) == 0 && member_index(u, entity.name) < u->groups.n) {
            in_use("group", entity.name, "has members", err);
            return err_hint(err, "remove `%s` first: iam remove-user-from-group", u->name);
        }
    }
    store_delete(store_of(call), entity.object);
    return true;
}

static bool
add_user_to_group(struct op_call *call, struct err *err)
{
    const struct iam_group *group = iam_op_group(call, err);
    struct iam_user *user = group ? iam_op_user(call, err) : NULL;
    if (!user) {
        return false;
    }
    if (member_index(user, group->name) < user->groups.n) {
        return true;
    }
    if (call->cloud->limits && user->groups.n >= 10) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "the user `%s` is a member of 10 groups already", user->name);
    }
    *VEC_ADD(&user->groups) = xstrdup(group->name);
    return true;
}

static bool
remove_user_from_group(struct op_call *call, struct err *err)
{
    const struct iam_group *group = iam_op_group(call, err);
    struct iam_user *user = group ? iam_op_user(call, err) : NULL;
    if (!user) {
        return false;
    }
    size_t i = member_index(user, group->name);
    if (i == user->groups.n) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "the user `%s` is not a member of `%s`", user->name,
                       group->name);
    }
    free(user->groups.items[i]);
    VEC_REMOVE(&user->groups, i);
    return true;
}

static bool
list_groups_for_user(struct op_call *call, struct err *err)
{
    const struct iam_user *user = iam_op_user(call, err);
    json_t *list = json_array();
    if (!user) {
        json_decref(list);
        return false;
    }
    for (size_t i = 0; i < user->groups.n; i++) {
        const struct iam_group *group =
            iam_find_group(call->cloud->accounts, call->cloud->account, user->groups.items[i]);
        if (group) {
            json_array_append_new(list, iam_show(call, group, false));
        }
    }
    return iam_answer_list(call, "Groups", list, err);
}

/* ---- roles ---- */

static bool
check_trust(const char *text, struct err *err)
{
    if (!iam_check_document(text, IAM_POLICY_TRUST, "AssumeRolePolicyDocument", err)) {
        return false;
    }
    if (iam_document_length(text) > 2048) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "a role trust policy has at most 2048 characters, not %zu",
                       iam_document_length(text));
    }
    return true;
}

static bool
create_role(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "RoleName"), *trust = arg_str(call->in, "AssumeRolePolicyDocument");
    if (!check_new(call, "RoleName", 64, iam_find_role(accounts, call->cloud->account, name), "role", err) ||
        !check_trust(trust, err)) {
        return false;
    }
    struct iam_role *role = iam_add_object(accounts, &iam_role_kind, call->cloud->account, "AROA");
    role->name = xstrdup(name);
    role->path = path_arg(call);
    role->arn = iam_make_arn(call, "role", role->path, name);
    role->created = iam_now(call);
    role->trust = xstrdup(trust);
    role->description = copy_or_null(arg_str(call->in, "Description"));
    role->max_session_s = (int32_t)arg_int(call->in, "MaxSessionDuration", 3600);
    role->boundary = copy_or_null(arg_str(call->in, "PermissionsBoundary"));
    iam_set_tags(&role->obj, json_object_get(call->in, "Tags"));
    json_object_set_new(call->out, "Role", iam_show(call, role, true));
    return true;
}

static bool
get_role(struct op_call *call, struct err *err)
{
    const struct iam_role *role = iam_op_role(call, err);
    if (role) {
        json_object_set_new(call->out, "Role", iam_show(call, role, true));
    }
    return role != NULL;
}

static bool
list_roles(struct op_call *call, struct err *err)
{
    return answer_kind(call, &iam_role_kind, "Roles", err);
}

static bool
update_assume_role_policy(struct op_call *call, struct err *err)
{
    struct iam_role *role = iam_op_role(call, err);
    const char *trust = arg_str(call->in, "PolicyDocument");
    if (!role || !check_trust(trust, err)) {
        return false;
    }
    free(role->trust);
    role->trust = xstrdup(trust);
    return true;
}

static bool
update_role(struct op_call *call, struct err *err)
{
    struct iam_role *role = iam_op_role(call, err);
    const char *description = arg_str(call->in, "Description");
    if (!role) {
        return false;
    }
    if (description) {
        free(role->description);
        role->description = xstrdup(description);
    }
    role->max_session_s = (int32_t)arg_int(call->in, "MaxSessionDuration", role->max_session_s);
    return true;
}

static bool
delete_role(struct op_call *call, struct err *err)
{
    struct iam_entity entity;
    struct store *store = store_of(call);
    if (!iam_op_entity(call, &entity, err) || !check_unused(&entity, err)) {
        return false;
    }
    for (struct iam_instance_profile *p = store_first(store, &iam_instance_profile_kind); p; p = store_next(store, p)) {
        if (p->role && strcmp(p->role, entity.name) == 0 && strcmp(p->obj.account, call->cloud->account) == 0) {
            in_use("role", entity.name, "is in an instance profile", err);
            return err_hint(err, "take it out of `%s` first: iam remove-role-from-instance-profile", p->name);
        }
    }
    store_delete(store, entity.object);
    return true;
}

/* ---- boundaries and tags ---- */

static bool
put_boundary(struct op_call *call, struct err *err)
{
    struct iam_entity entity;
    const char *arn = arg_str(call->in, "PermissionsBoundary");
    if (!iam_op_entity(call, &entity, err)) {
        return false;
    }
    if (!iam_find_policy(call->cloud->accounts, arn)) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no policy `%.160s`", arn);
    }
    free(*entity.boundary);
    *entity.boundary = xstrdup(arn);
    return true;
}

static bool
delete_boundary(struct op_call *call, struct err *err)
{
    struct iam_entity entity;
    if (!iam_op_entity(call, &entity, err)) {
        return false;
    }
    if (!*entity.boundary) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "the %s `%s` has no permissions boundary", entity.word,
                       entity.name);
    }
    free(*entity.boundary);
    *entity.boundary = NULL;
    return true;
}

/* The object that tag-*, untag-* and list-*-tags are about. */
static struct object *
tagged_object(const struct op_call *call, struct err *err)
{
    struct iam_entity entity = { 0 };
    if (json_object_get(call->in, "PolicyArn")) {
        return (struct object *)iam_op_policy(call, err);
    }
    if (json_object_get(call->in, "OpenIDConnectProviderArn")) {
        return (struct object *)iam_op_oidc_provider(call, err);
    }
    if (json_object_get(call->in, "SAMLProviderArn")) {
        return (struct object *)iam_op_saml_provider(call, err);
    }
    iam_op_entity(call, &entity, err);
    return entity.object;
}

static bool
tag(struct op_call *call, struct err *err)
{
    struct object *object = tagged_object(call, err);
    const json_t *tags = json_object_get(call->in, "Tags");
    if (!object || !iam_check_tags(tags, err)) {
        return false;
    }
    size_t n = object->tags.n;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        n += object_tag(object, json_str(json_array_get(tags, i), "Key")) == NULL;
    }
    if (n > 50) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "that would be %zu tags; an entity has at most 50", n);
    }
    iam_set_tags(object, tags);
    return true;
}

static bool
untag(struct op_call *call, struct err *err)
{
    struct object *object = tagged_object(call, err);
    const json_t *keys = json_object_get(call->in, "TagKeys");
    for (size_t i = 0; object && i < json_array_size(keys); i++) {
        object_unset_tag(object, json_string_value(json_array_get(keys, i)));
    }
    return object != NULL;
}

static bool
list_tags(struct op_call *call, struct err *err)
{
    const struct object *object = tagged_object(call, err);
    return object && iam_answer_list(call, "Tags", object_tags_json(object), err);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }

const struct op ops_iam_entities[] = {
    WRITE("CreateUser", create_user, "Create a user."),
    READ("GetUser", get_user, "Show a user, or who you are."),
    READ("ListUsers", list_users, "List the account's users."),
    WRITE("UpdateUser", update_user, "Give a user another name or path."),
    WRITE("DeleteUser", delete_user, "Delete a user that has no policies, groups and keys left."),
    WRITE("CreateGroup", create_group, "Create a group."),
    READ("GetGroup", get_group, "Show a group and its members."),
    READ("ListGroups", list_groups, "List the account's groups."),
    WRITE("DeleteGroup", delete_group, "Delete a group without members and policies."),
    WRITE("AddUserToGroup", add_user_to_group, "Make a user a member of a group."),
    WRITE("RemoveUserFromGroup", remove_user_from_group, "End a user's membership in a group."),
    READ("ListGroupsForUser", list_groups_for_user, "List the groups a user belongs to."),
    WRITE("CreateRole", create_role, "Create a role with its trust policy."),
    READ("GetRole", get_role, "Show a role and its trust policy."),
    READ("ListRoles", list_roles, "List the account's roles."),
    WRITE("UpdateAssumeRolePolicy", update_assume_role_policy, "Replace a role's trust policy."),
    WRITE("UpdateRole", update_role, "Change a role's description or longest session."),
    WRITE("DeleteRole", delete_role, "Delete a role without policies that is in no instance profile."),
    WRITE("PutUserPermissionsBoundary", put_boundary, "Set the policy that bounds a user's permissions."),
    WRITE("PutRolePermissionsBoundary", put_boundary, "Set the policy that bounds a role's permissions."),
    WRITE("DeleteUserPermissionsBoundary", delete_boundary, "Take a user's permissions boundary away."),
    WRITE("DeleteRolePermissionsBoundary", delete_boundary, "Take a role's permissions boundary away."),
    WRITE("TagUser", tag, "Add or change tags of a user."),
    WRITE("TagRole", tag, "Add or change tags of a role."),
    WRITE("TagPolicy", tag, "Add or change tags of a managed policy."),
    WRITE("TagOpenIDConnectProvider", tag, "Add or change tags of an OpenID Connect provider."),
    WRITE("TagSAMLProvider", tag, "Add or change tags of a SAML provider."),
    WRITE("UntagUser", untag, "Remove tags of a user."),
    WRITE("UntagRole", untag, "Remove tags of a role."),
    WRITE("UntagPolicy", untag, "Remove tags of a managed policy."),
    WRITE("UntagOpenIDConnectProvider", untag, "Remove tags of an OpenID Connect provider."),
    WRITE("UntagSAMLProvider", untag, "Remove tags of a SAML provider."),
    READ("ListUserTags", list_tags, "List a user's tags."),
    READ("ListRoleTags", list_tags, "List a role's tags."),
    READ("ListPolicyTags", list_tags, "List a managed policy's tags."),
    READ("ListOpenIDConnectProviderTags", list_tags, "List an OpenID Connect provider's tags."),
    READ("ListSAMLProviderTags", list_tags, "List a SAML provider's tags."),
    { 0 },
};
