/* cloud/ops_iam_policies.c - inline policies of users, groups and roles, managed policies with versions, and what is
 * attached to whom. Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_iam.h"

/* ---- inline policies ---- */

static struct iam_inline_policy *
find_inline(const struct iam_entity *e, const char *name)
{
    for (size_t i = 0; i < e->inline_policies->n; i++) {
        if (strcasecmp(e->inline_policies->items[i].name, name) == 0) {
            return &e->inline_policies->items[i];
        }
    }
    return NULL;
}

static bool
no_inline(const struct iam_entity *e, const char *name, struct err *err)
{
    return err_set(err, ERR_INPUT, "NoSuchEntity", "the %s `%s` has no inline policy `%.130s`", e->word, e->name, name);
}

static bool
put_inline(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    const char *name = arg_str(call->in, "PolicyName"), *document = arg_str(call->in, "PolicyDocument");
    if (!iam_op_entity(call, &e, err) || !iam_check_name("PolicyName", name, 128, err) ||
        !iam_check_document(document, IAM_POLICY_IDENTITY, name, err)) {
        return false;
    }
    struct iam_inline_policy *policy = find_inline(&e, name);
    size_t total = iam_document_length(document);
    for (size_t i = 0; i < e.inline_policies->n; i++) {
        const struct iam_inline_policy *other = &e.inline_policies->items[i];
        total += other == policy ? 0 : iam_document_length(other->document);
    }
    if (total > e.inline_limit) {
        err_set(err, ERR_INPUT, "LimitExceeded",
                "the inline policies of the %s `%s` would have %zu characters; %zu are allowed", e.word, e.name, total,
                e.inline_limit);
        return err_hint(err, "a managed policy of its own may have 6144: iam create-policy, iam attach-%s-policy",
                        e.word);
    }
    if (!policy) {
        policy = VEC_ADD(e.inline_policies);
        policy->name = xstrdup(name);
    }
    free(policy->document);
    policy->document = xstrdup(document);
    return true;
}

static bool
get_inline(struct op_call *call, struct err *err)
{
    static const char *const members[] = { "UserName", "GroupName", "RoleName" };
    struct iam_entity e;
    const char *name = arg_str(call->in, "PolicyName");
    if (!iam_op_entity(call, &e, err)) {
        return false;
    }
    const struct iam_inline_policy *policy = find_inline(&e, name);
    if (!policy) {
        return no_inline(&e, name, err);
    }
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        if (json_object_get(call->in, members[i])) {
            json_object_set_new(call->out, members[i], json_string(e.name));
        }
    }
    json_object_set_new(call->out, "PolicyName", json_string(policy->name));
    json_object_set_new(call->out, "PolicyDocument", iam_document_json(policy->document));
    return true;
}

static bool
list_inline(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    if (!iam_op_entity(call, &e, err)) {
        return false;
    }
    json_t *names = json_array();
    for (size_t i = 0; i < e.inline_policies->n; i++) {
        json_array_append_new(names, json_string(e.inline_policies->items[i].name));
    }
    return iam_answer_list(call, "PolicyNames", names, err);
}

static bool
delete_inline(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    const char *name = arg_str(call->in, "PolicyName");
    if (!iam_op_entity(call, &e, err)) {
        return false;
    }
    struct iam_inline_policy *policy = find_inline(&e, name);
    if (!policy) {
        return no_inline(&e, name, err);
    }
    free(policy->name);
    free(policy->document);
    VEC_REMOVE(e.inline_policies, (size_t)(policy - e.inline_policies->items));
    return true;
}

/* ---- attaching ---- */

static size_t
attached_index(const iam_attached_policies *attached, const char *arn)
{
    size_t i = 0;
    while (i < attached->n && strcmp(attached->items[i].arn, arn) != 0) {
        i++;
    }
    return i;
}

static bool
attach(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    const struct iam_managed_policy *policy = iam_op_entity(call, &e, err) ? iam_op_policy(call, err) : NULL;
    if (!policy) {
        return false;
    }
    if (attached_index(e.attached, policy->arn) < e.attached->n) {
        return true;
    }
    if (call->cloud->limits && e.attached->n >= e.attached_limit) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "the %s `%s` has %zu policies attached already", e.word, e.name,
                       e.attached->n);
    }
    struct iam_attached_policy *attached = VEC_ADD(e.attached);
    *attached = (struct iam_attached_policy){ xstrdup(policy->name), xstrdup(policy->arn) };
    return true;
}

static bool
detach(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    const char *arn = arg_str(call->in, "PolicyArn");
    if (!iam_op_entity(call, &e, err)) {
        return false;
    }
    size_t i = attached_index(e.attached, arn);
    if (i == e.attached->n) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "the policy `%.160s` is not attached to the %s `%s`", arn,
                       e.word, e.name);
    }
    free(e.attached->items[i].name);
    free(e.attached->items[i].arn);
    VEC_REMOVE(e.attached, i);
    return true;
}

/* "arn:aws:iam::123456789012:policy/team/web/reader": its path is "/team/web/". */
static bool
is_below(const char *arn, const char *prefix)
{
    const char *path = strchr(arn, '/'), *name = strrchr(arn, '/');
    size_t size = prefix ? strlen(prefix) : 0;
    return !size || (path && size <= (size_t)(name - path) + 1 && strncmp(path, prefix, size) == 0);
}

static bool
list_attached(struct op_call *call, struct err *err)
{
    struct iam_entity e;
    const char *prefix = arg_str(call->in, "PathPrefix");
    if (!iam_op_entity(call, &e, err)) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < e.attached->n; i++) {
        if (!is_below(e.attached->items[i].arn, prefix)) {
            continue;
        }
        json_array_append_new(list, json_pack("{s:s, s:s}", "PolicyName", e.attached->items[i].name, "PolicyArn",
                                              e.attached->items[i].arn));
    }
    return iam_answer_list(call, "AttachedPolicies", list, err);
}

/* Calls 'each' for every user, group and role the policy is attached to, and every one it bounds. */
struct holder {
    const struct object *object;
    const char *name, *path;
    bool boundary;
};
typedef VEC(struct holder) holders;

static void
add_holder(holders *out, const void *object, const char *name, const char *path, const iam_attached_policies *attached,
           const char *boundary, const char *arn)
{
    if (attached_index(attached, arn) < attached->n) {
        *VEC_ADD(out) = (struct holder){ object, name, path, false };
    }
    if (boundary && strcmp(boundary, arn) == 0) {
        *VEC_ADD(out) = (struct holder){ object, name, path, true };
    }
}

static void
find_holders(const struct op_call *call, const char *arn, holders *out)
{
    struct store *s = call->cloud->accounts->store;
    const char *account = call->cloud->account;
    for (struct iam_group *g = store_first(s, &iam_group_kind); g; g = store_next(s, g)) {
        if (strcmp(g->obj.account, account) == 0) {
            add_holder(out, g, g->name, g->path, &g->attached, NULL, arn);
        }
    }
    for (struct iam_user *u = store_first(s, &iam_user_kind); u; u = store_next(s, u)) {
        if (strcmp(u->obj.account, account) == 0) {
            add_holder(out, u, u->name, u->path, &u->attached, u->boundary, arn);
        }
    }
    for (struct iam_role *r = store_first(s, &iam_role_kind); r; r = store_next(s, r)) {
        if (strcmp(r->obj.account, account) == 0) {
            add_holder(out, r, r->name, r->path, &r->attached, r->boundary, arn);
        }
    }
}

/* What ListEntitiesForPolicy answers of each kind. */
static const struct entity_list {
    const struct kind *kind;
    const char *filter, *list, *name, *id;
} entity_lists[] = {
    { &iam_group_kind, "Group", "PolicyGroups", "GroupName", "GroupId" },
    { &iam_user_kind, "User", "PolicyUsers", "UserName", "UserId" },
    { &iam_role_kind, "Role", "PolicyRoles", "RoleName", "RoleId" },
};

/* Of who is bounded by what is attached to him, too, there is one: only the filter tells the two uses apart.
 * Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html */
static bool
holder_is_wanted(const struct op_call *call, const struct entity_list *list, const holders *found, size_t i)
{
    const char *entity = arg_str(call->in, "EntityFilter"), *prefix = arg_str(call->in, "PathPrefix");
    const char *usage = arg_str(call->in, "PolicyUsageFilter");
    const struct holder *h = &found->items[i];
    bool again = !usage && i > 0 && found->items[i - 1].object == h->object;
    return !again && h->object->kind == list->kind && (!entity || strcmp(entity, list->filter) == 0) &&
           (!prefix || strncmp(h->path, prefix, strlen(prefix)) == 0) &&
           (!usage || h->boundary == (strcmp(usage, "PermissionsBoundary") == 0));
}

static bool
list_entities(struct op_call *call, struct err *err)
{
    const struct iam_managed_policy *policy = iam_op_policy(call, err);
    holders found = { 0 };
    if (!policy) {
        return false;
    }
    find_holders(call, policy->arn, &found);
    json_t *all = json_array();
    for (size_t k = 0; k < ARRAY_SIZE(entity_lists); k++) {
        const struct entity_list *list = &entity_lists[k];
        for (size_t i = 0; i < found.n; i++) {
            const struct holder *h = &found.items[i];
            if (holder_is_wanted(call, list, &found, i)) {
                json_array_append_new(all, json_pack("{s:s, s:s}", list->name, h->name, list->id, h->object->id));
            }
        }
    }
    VEC_DONE(&found);
    /* A page may have some of each kind. */
    if (!iam_answer_list(call, "Entities", all, err)) {
        return false;
    }
    const json_t *page = json_object_get(call->out, "Entities");
    for (size_t k = 0; k < ARRAY_SIZE(entity_lists); k++) {
        json_t *list = json_array();
        for (size_t i = 0; i < json_array_size(page); i++) {
            if (json_object_get(json_array_get(page, i), entity_lists[k].name)) {
                json_array_append(list, json_array_get(page, i));
            }
        }
        json_object_set_new(call->out, entity_lists[k].list, list);
    }
    json_object_del(call->out, "Entities");
    return true;
}

/* ---- managed policies ---- */

static bool
check_managed_document(const char *text, const char *name, struct err *err)
{
    if (!iam_check_document(text, IAM_POLICY_IDENTITY, name, err)) {
        return false;
    }
    size_t length = iam_document_length(text);
    return length <= 6144 ||
           err_set(err, ERR_INPUT, "LimitExceeded", "a managed policy has at most 6144 characters, not %zu", length);
}

static json_t *
show_policy(const struct op_call *call, const struct iam_managed_policy *policy, bool whole)
{
    json_t *out = iam_show(call, policy, whole);
    holders found = { 0 };
    size_t attached = 0;
    find_holders(call, policy->arn, &found);
    for (size_t i = 0; i < found.n; i++) {
        attached += !found.items[i].boundary;
    }
    json_object_set_new(out, "AttachmentCount", json_integer((json_int_t)attached));
    json_object_set_new(out, "PermissionsBoundaryUsageCount", json_integer((json_int_t)(found.n - attached)));
    json_object_set_new(out, "IsAttachable", json_true());
    VEC_DONE(&found);
    return out;
}

static struct iam_policy_version *
add_version(struct op_call *call, struct iam_managed_policy *policy, const char *document)
{
    struct iam_policy_version *version = VEC_ADD(&policy->versions);
    version->version = xasprintf("v%d", ++policy->next_version);
    version->document = xstrdup(document);
    version->created = policy->updated = iam_now(call);
    return version;
}

static void
set_default(struct iam_managed_policy *policy, struct iam_policy_version *chosen)
{
    for (size_t i = 0; i < policy->versions.n; i++) {
        policy->versions.items[i].is_default = &policy->versions.items[i] == chosen;
    }
    free(policy->default_version);
    policy->default_version = xstrdup(chosen->version);
}

static bool
create_policy(struct op_call *call, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const char *name = arg_str(call->in, "PolicyName"), *path = arg_str(call->in, "Path");
    const char *document = arg_str(call->in, "PolicyDocument"), *description = arg_str(call->in, "Description");
    if (!iam_check_name("PolicyName", name, 128, err) || (path && !iam_check_path(path, err)) ||
        !iam_check_tags(json_object_get(call->in, "Tags"), err) || !check_managed_document(document, name, err)) {
        return false;
    }
    for (struct iam_managed_policy *p = store_first(accounts->store, &iam_managed_policy_kind); p;
         p = store_next(accounts->store, p)) {
        if (strcmp(p->obj.account, call->cloud->account) == 0 && strcasecmp(p->name, name) == 0) {
            err_set(err, ERR_INPUT, "EntityAlreadyExists", "there is a policy `%.130s` already", name);
            return err_hint(err, "iam create-policy-version changes it");
        }
    }
    struct iam_managed_policy *policy =
        iam_add_object(accounts, &iam_managed_policy_kind, call->cloud->account, "ANPA");
    policy->name = xstrdup(name);
    policy->path = xstrdup(path ? path : "/");
    policy->arn = iam_make_arn(call, "policy", policy->path, name);
    policy->description = description ? xstrdup(description) : NULL;
    policy->created = iam_now(call);
    set_default(policy, add_version(call, policy, document));
    iam_set_tags(&policy->obj, json_object_get(call->in, "Tags"));
    json_object_set_new(call->out, "Policy", show_policy(call, policy, true));
    return true;
}

static bool
get_policy(struct op_call *call, struct err *err)
{
    const struct iam_managed_policy *policy = iam_op_policy(call, err);
    if (policy) {
        json_object_set_new(call->out, "Policy", show_policy(call, policy, true));
    }
    return policy != NULL;
}

static void
add_policies(const struct op_call *call, struct store *store, const char *account, json_t *list)
{
    const char *prefix = arg_str(call->in, "PathPrefix");
    bool only_attached = arg_flag(call->in, "OnlyAttached", false);
    const char *usage = arg_str(call->in, "PolicyUsageFilter");
    bool bounds = usage && strcmp(usage, "PermissionsBoundary") == 0;
    for (struct iam_managed_policy *p = store_first(store, &iam_managed_policy_kind); p; p = store_next(store, p)) {
        if (strcmp(p->obj.account, account) != 0 || (prefix && strncmp(p->path, prefix, strlen(prefix)) != 0)) {
            continue;
        }
        json_t *shown = show_policy(call, p, false);
        bool attached = json_int(shown, "AttachmentCount", 0) > 0;
        if ((!only_attached || attached) &&
            (!usage || (bounds ? json_int(shown, "PermissionsBoundaryUsageCount", 0) > 0 : attached))) {
            json_array_append(list, shown);
        }
        json_decref(shown);
    }
}

static bool
list_policies(struct op_call *call, struct err *err)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    const char *scope = arg_str(call->in, "Scope");
    json_t *list = json_array();
    if (!scope || strcmp(scope, "AWS") != 0) {
        add_policies(call, accounts->store, call->cloud->account, list);
    }
    if (!scope || strcmp(scope, "Local") != 0) {
        add_policies(call, iam_accounts_aws(accounts), "aws", list);
    }
    return iam_answer_list(call, "Policies", list, err);
}

/* AWS's own cannot be changed by anybody. */
static struct iam_managed_policy *
own_policy(const struct op_call *call, struct err *err)
{
    struct iam_managed_policy *policy = iam_op_policy(call, err);
    if (policy && strcmp(policy->obj.account, "aws") == 0) {
        err_set(err, ERR_INPUT, "AccessDenied", "the policy `%s` is AWS's own and cannot be changed", policy->name);
        return NULL;
    }
    return policy;
}

static bool
delete_policy(struct op_call *call, struct err *err)
{
    struct iam_managed_policy *policy = own_policy(call, err);
    holders found = { 0 };
    if (!policy) {
        return false;
    }
    find_holders(call, policy->arn, &found);
    if (found.n) {
        const struct holder *h = &found.items[0];
        err_set(err, ERR_INPUT, "DeleteConflict", "the policy `%s` is still %s the %s `%s`", policy->name,
                h->boundary ? "the permissions boundary of" : "attached to", h->object->kind->name, h->name);
    } else if (policy->versions.n > 1) {
        err_set(err, ERR_INPUT, "DeleteConflict", "the policy `%s` still has %zu versions", policy->name,
                policy->versions.n);
        err_hint(err, "delete all but the default one first: iam delete-policy-version");
    } else {
        store_delete(call->cloud->accounts->store, policy);
        policy = NULL;
    }
    VEC_DONE(&found);
    return policy == NULL;
}

/* ---- versions ---- */

static struct iam_policy_version *
find_version(const struct op_call *call, const struct iam_managed_policy *policy, struct err *err)
{
    const char *id = arg_str(call->in, "VersionId");
    for (size_t i = 0; i < policy->versions.n; i++) {
        if (strcmp(policy->versions.items[i].version, id) == 0) {
            return &policy->versions.items[i];
        }
    }
    err_set(err, ERR_INPUT, "NoSuchEntity", "the policy `%s` has no version `%.40s`", policy->name, id);
    return NULL;
}

static json_t *
show_version(const struct iam_policy_version *version, bool document)
{
    char created[32];
    clock_format_ms(version->created, created);
    json_t *out = json_pack("{s:s, s:b, s:s}", "VersionId", version->version, "IsDefaultVersion",
                            (int)version->is_default, "CreateDate", created);
    if (document) {
        json_object_set_new(out, "Document", iam_document_json(version->document));
    }
    return out;
}

static bool
create_policy_version(struct op_call *call, struct err *err)
{
    struct iam_managed_policy *policy = own_policy(call, err);
    const char *document = arg_str(call->in, "PolicyDocument");
    if (!policy || !check_managed_document(document, policy->name, err)) {
        return false;
    }
    if (policy->versions.n >= 5) {
        err_set(err, ERR_INPUT, "LimitExceeded", "the policy `%s` has 5 versions already", policy->name);
        return err_hint(err, "delete one first: iam delete-policy-version");
    }
    struct iam_policy_version *version = add_version(call, policy, document);
    if (arg_flag(call->in, "SetAsDefault", false)) {
        set_default(policy, version);
    }
    json_object_set_new(call->out, "PolicyVersion", show_version(version, false));
    return true;
}

static bool
get_policy_version(struct op_call *call, struct err *err)
{
    const struct iam_managed_policy *policy = iam_op_policy(call, err);
    const struct iam_policy_version *version = policy ? find_version(call, policy, err) : NULL;
    if (version) {
        json_object_set_new(call->out, "PolicyVersion", show_version(version, true));
    }
    return version != NULL;
}

static bool
list_policy_versions(struct op_call *call, struct err *err)
{
    const struct iam_managed_policy *policy = iam_op_policy(call, err);
    if (!policy) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = policy->versions.n; i-- > 0;) { /* newest first */
        json_array_append_new(list, show_version(&policy->versions.items[i], false));
    }
    return iam_answer_list(call, "Versions", list, err);
}

static bool
delete_policy_version(struct op_call *call, struct err *err)
{
    struct iam_managed_policy *policy = own_policy(call, err);
    struct iam_policy_version *version = policy ? find_version(call, policy, err) : NULL;
    if (!version) {
        return false;
    }
    if (version->is_default) {
        err_set(err, ERR_INPUT, "DeleteConflict", "`%s` is the default version of the policy `%s`", version->version,
                policy->name);
        return err_hint(err, "make another one the default first: iam set-default-policy-version");
    }
    free(version->version);
    free(version->document);
    VEC_REMOVE(&policy->versions, (size_t)(version - policy->versions.items));
    return true;
}

static bool
set_default_version(struct op_call *call, struct err *err)
{
    struct iam_managed_policy *policy = own_policy(call, err);
    struct iam_policy_version *version = policy ? find_version(call, policy, err) : NULL;
    if (version) {
        set_default(policy, version);
    }
    return version != NULL;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "iam", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }

const struct op ops_iam_policies[] = {
    WRITE("PutUserPolicy", put_inline, "Write an inline policy of a user."),
    WRITE("PutGroupPolicy", put_inline, "Write an inline policy of a group."),
    WRITE("PutRolePolicy", put_inline, "Write an inline policy of a role."),
    READ("GetUserPolicy", get_inline, "Show an inline policy of a user."),
    READ("GetGroupPolicy", get_inline, "Show an inline policy of a group."),
    READ("GetRolePolicy", get_inline, "Show an inline policy of a role."),
    READ("ListUserPolicies", list_inline, "List the inline policies of a user."),
    READ("ListGroupPolicies", list_inline, "List the inline policies of a group."),
    READ("ListRolePolicies", list_inline, "List the inline policies of a role."),
    WRITE("DeleteUserPolicy", delete_inline, "Delete an inline policy of a user."),
    WRITE("DeleteGroupPolicy", delete_inline, "Delete an inline policy of a group."),
    WRITE("DeleteRolePolicy", delete_inline, "Delete an inline policy of a role."),
    WRITE("CreatePolicy", create_policy, "Create a managed policy."),
    READ("GetPolicy", get_policy, "Show a managed policy."),
    READ("ListPolicies", list_policies, "List managed policies, yours and AWS's."),
    WRITE("DeletePolicy", delete_policy, "Delete a managed policy that is attached to nobody."),
    WRITE("CreatePolicyVersion", create_policy_version, "Store a new version of a managed policy."),
    READ("GetPolicyVersion", get_policy_version, "Show the document of a version."),
    READ("ListPolicyVersions", list_policy_versions, "List the versions of a managed policy."),
    WRITE("DeletePolicyVersion", delete_policy_version, "Delete a version that is not the default one."),
    WRITE("SetDefaultPolicyVersion", set_default_version, "Choose the version of a managed policy that counts."),
    WRITE("AttachUserPolicy", attach, "Attach a managed policy to a user."),
    WRITE("AttachGroupPolicy", attach, "Attach a managed policy to a group."),
    WRITE("AttachRolePolicy", attach, "Attach a managed policy to a role."),
    WRITE("DetachUserPolicy", detach, "Detach a managed policy from a user."),
    WRITE("DetachGroupPolicy", detach, "Detach a managed policy from a group."),
    WRITE("DetachRolePolicy", detach, "Detach a managed policy from a role."),
    READ("ListAttachedUserPolicies", list_attached, "List the managed policies of a user."),
    READ("ListAttachedGroupPolicies", list_attached, "List the managed policies of a group."),
    READ("ListAttachedRolePolicies", list_attached, "List the managed policies of a role."),
    READ("ListEntitiesForPolicy", list_entities, "List to whom a managed policy is attached."),
    { 0 },
};
