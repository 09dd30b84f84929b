/* cloud/ops_organizations_policies.c - service and resource control policies: write, attach, detach, enable.
 *
 * Every root, unit and account keeps at least one policy of an enabled type and at most five: AWS's own FullAWSAccess
 * is attached to all of them when service control policies begin, and may be replaced; RCPFullAWSAccess may not.
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_attach.html,
 * https://docs.aws.amazon.com/organizations/latest/APIReference/API_EnablePolicyType.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/answer_page.h"
#include "cloud/ops_iam.h"
#include "cloud/ops_organizations.h"

#define ATTACHED_MOST 5    /* policies of one type on one target */
#define POLICY_SIZE   5120 /* characters */

static const struct policy_type {
    const char *type, *word, *full_name, *full_description, *full_content;
    enum iam_policy_type document;
    bool keeps_full; /* the AWS policy cannot be detached */
} policy_types[] = {
    { ORG_SCP, "service_control_policy", "FullAWSAccess", "Allows access to every operation",
      "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n"
      "      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
      IAM_POLICY_SCP, false },
    { ORG_RCP, "resource_control_policy", "RCPFullAWSAccess", "Allows access to every resource",
      "{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n    {\n      \"Effect\": \"Allow\",\n"
      "      \"Principal\": \"*\",\n      \"Action\": \"*\",\n      \"Resource\": \"*\"\n    }\n  ]\n}",
      IAM_POLICY_RCP, true },
};

/* The other types (tags, backups, ...) decide no request, so the lab has none of them. */
static const struct policy_type *
find_type(const char *type, struct err *err)
{
    for (size_t i = 0; i < ARRAY_SIZE(policy_types); i++) {
        if (strcmp(policy_types[i].type, type) == 0) {
            return &policy_types[i];
        }
    }
    err_set(err, ERR_INPUT, "PolicyTypeNotAvailableForOrganizationException",
            "policies of type `%.60s` are not available in this organization", type);
    err_hint(err, "%s and %s are", ORG_SCP, ORG_RCP);
    return NULL;
}

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

#define EACH_POLICY(call, p)                                                                                           \
    for (struct org_policy *p = store_first(store_of(call), &org_policy_kind); p; p = store_next(store_of(call), p))

/* ---- AWS's own policies ---- */

struct org_policy *
org_full_access(const struct op_call *call, const char *type)
{
    const struct policy_type *row = find_type(type, NULL);
    char *id = xasprintf("p-%s", row->full_name);
    struct org_policy *policy = org_policy_find(call->cloud->accounts, id);
    if (!policy) {
        policy = store_add(store_of(call), &org_policy_kind, id);
        strcpy(policy->obj.account, "aws");
        policy->name = xstrdup(row->full_name);
        policy->arn = xasprintf("arn:aws:organizations::aws:policy/%s/%s", row->word, id);
        policy->description = xstrdup(row->full_description);
        policy->type = xstrdup(row->type);
        policy->content = xstrdup(row->full_content);
        policy->aws_managed = true;
    }
    free(id);
    return policy;
}

void
org_attach_defaults(const struct op_call *call, const struct org_organization *organization, const char *target)
{
    const struct org_entity *root = org_root(call->cloud->accounts, organization);
    for (size_t i = 0; i < root->enabled_types.n; i++) {
        org_policy_attach(org_full_access(call, root->enabled_types.items[i]), target);
    }
}

void
org_detach_all(const struct op_call *call, const char *target, const char *type)
{
    EACH_POLICY(call, policy)
    {
        if (!type || strcmp(policy->type, type) == 0) {
            org_policy_detach(policy, target);
        }
    }
}

/* ---- policies ---- */

static bool
is_ours(const struct org_policy *policy, const struct org_organization *o)
{
    return policy->aws_managed || strcmp(policy->obj.account, o->obj.account) == 0;
}

static struct org_policy *
policy_arg(const struct op_call *call, const struct org_organization *o, struct err *err)
{
    const char *id = arg_str(call->in, "PolicyId");
    struct org_policy *policy = o ? org_policy_find(call->cloud->accounts, id) : NULL;
    if (o && (!policy || !is_ours(policy, o))) {
        err_set(err, ERR_INPUT, "PolicyNotFoundException", "the organization `%s` has no policy `%.80s`", o->obj.id,
                id);
        err_at(err, "PolicyId", 0, 0);
        return NULL;
    }
    return policy;
}

static struct org_policy *
own_policy_arg(const struct op_call *call, const struct org_organization *o, struct err *err)
{
    struct org_policy *policy = policy_arg(call, o, err);
    if (policy && policy->aws_managed) {
        err_set(err, ERR_INPUT, "AccessDeniedException", "`%s` is AWS's own policy and cannot be changed",
                policy->name);
        return NULL;
    }
    return policy;
}

static json_t *
summary(const struct op_call *call, const struct org_policy *policy)
{
    json_t *out = object_describe(store_of(call), policy);
    json_object_del(out, "Tags");
    return out;
}

static bool
answer_policy(struct op_call *call, const struct org_policy *policy)
{
    if (policy) {
        json_object_set_new(
            call->out, "Policy",
            json_pack("{s:o, s:s}", "PolicySummary", summary(call, policy), "Content", policy->content));
    }
    return policy != NULL;
}

/* What Organizations would store. */
static bool
check_content(const struct policy_type *type, const char *content, struct err *err)
{
    struct err found = { 0 };
    if (strlen(content) > POLICY_SIZE) {
        return err_set(err, ERR_INPUT, "ConstraintViolationException",
                       "a policy of this type has at most %d characters, not %zu (POLICY_CONTENT_LIMIT_EXCEEDED)",
                       POLICY_SIZE, strlen(content));
    }
    if (iam_check_document(content, type->document, "Content", &found)) {
        return true;
    }
    strcpy(found.code, "MalformedPolicyDocumentException");
    if (err) {
        *err = found;
    }
    return false;
}

static bool
name_is_free(const struct op_call *call, const struct org_organization *o, const char *name, const char *type,
             const struct org_policy *self, struct err *err)
{
    EACH_POLICY(call, p)
    {
        if (p != self && is_ours(p, o) && strcmp(p->type, type) == 0 && strcmp(p->name, name) == 0) {
            return err_set(err, ERR_INPUT, "DuplicatePolicyException",
                           "there is a policy `%.128s` of this type already (%s)", name, p->obj.id);
        }
    }
    return true;
}

static bool
create_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const char *name = arg_str(call->in, "Name"), *content = arg_str(call->in, "Content");
    const struct policy_type *type = o ? find_type(arg_str(call->in, "Type"), err) : NULL;
    char id[ID_SIZE];
    if (!type) {
        return false;
    }
    if (strcmp(o->feature_set, "ALL") != 0) {
        err_set(err, ERR_INPUT, "PolicyTypeNotAvailableForOrganizationException",
                "the organization `%s` only consolidates bills", o->obj.id);
        return err_hint(err, "control policies need --feature-set ALL");
    }
    org_full_access(call, type->type);
    if (!check_content(type, content, err) || !name_is_free(call, o, name, type->type, NULL, err)) {
        return false;
    }
    org_new_id(call, "p-", 8, id);
    struct org_policy *policy = store_add(store_of(call), &org_policy_kind, id);
    strcpy(policy->obj.account, o->obj.account);
    policy->name = xstrdup(name);
    policy->description = xstrdup(arg_str(call->in, "Description"));
    policy->type = xstrdup(type->type);
    policy->content = xstrdup(content);
    policy->arn = xasprintf("arn:aws:organizations::%s:policy/%s/%s/%s", o->obj.account, o->obj.id, type->word, id);
    iam_set_tags(&policy->obj, json_object_get(call->in, "Tags"));
    return answer_policy(call, policy);
}

static void
replace_text(char **text, const char *new_text)
{
    if (new_text) {
        free(*text);
        *text = xstrdup(new_text);
    }
}

static bool
update_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_policy *policy = o ? own_policy_arg(call, o, err) : NULL;
    const char *name = arg_str(call->in, "Name"), *content = arg_str(call->in, "Content");
    if (!policy || (content && !check_content(find_type(policy->type, err), content, err)) ||
        (name && !name_is_free(call, o, name, policy->type, policy, err))) {
        return false;
    }
    replace_text(&policy->name, name);
    replace_text(&policy->content, content);
    replace_text(&policy->description, arg_str(call->in, "Description"));
    return answer_policy(call, policy);
}

static bool
describe_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    return o && answer_policy(call, policy_arg(call, o, err));
}

static bool
delete_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_policy *policy = o ? own_policy_arg(call, o, err) : NULL;
    if (policy && policy->targets.n) {
        err_set(err, ERR_INPUT, "PolicyInUseException", "`%s` is attached to `%s`%s", policy->name,
                policy->targets.items[0], policy->targets.n > 1 ? " and others" : "");
        return err_hint(err, "`organizations list-targets-for-policy` shows where; detach it there first");
    }
    if (policy) {
        store_delete(store_of(call), policy);
    }
    return policy != NULL;
}

static bool
list_policies(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct policy_type *type = o ? find_type(arg_str(call->in, "Filter"), err) : NULL;
    if (!type) {
        return false;
    }
    json_t *list = json_array();
    EACH_POLICY(call, p)
    {
        if (is_ours(p, o) && strcmp(p->type, type->type) == 0) {
            json_array_append_new(list, summary(call, p));
        }
    }
    return answer_page(call, "Policies", list, err);
}

/* ---- attaching ---- */

static struct org_entity *
target_arg(const struct op_call *call, const struct org_organization *o, struct err *err)
{
    const char *id = arg_str(call->in, "TargetId");
    struct org_entity *target = org_op_entity(call, o, id);
    if (!target) {
        err_set(err, ERR_INPUT, "TargetNotFoundException", "the organization `%s` has no root, unit or account `%.80s`",
                o->obj.id, id);
        err_at(err, "TargetId", 0, 0);
    }
    return target;
}

static size_t
count_attached(const struct op_call *call, const struct org_entity *target, const char *type)
{
    size_t n = 0;
    EACH_POLICY(call, p)
    {
        n += strcmp(p->type, type) == 0 && org_policy_attached(p, target->obj.id);
    }
    return n;
}

static bool
check_enabled(const struct op_call *call, const struct org_organization *o, const char *type, struct err *err)
{
    const struct org_entity *root = org_root(call->cloud->accounts, o);
    if (!org_type_enabled(root, type)) {
        err_set(err, ERR_INPUT, "PolicyTypeNotEnabledException", "policies of type %s are not enabled in `%s`", type,
                root->obj.id);
        return err_hint(err, "organizations enable-policy-type --root-id %s --policy-type %s", root->obj.id, type);
    }
    return true;
}

static bool
attach_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_policy *policy = o ? policy_arg(call, o, err) : NULL;
    const struct org_entity *target = policy ? target_arg(call, o, err) : NULL;
    if (!target || !check_enabled(call, o, policy->type, err)) {
        return false;
    }
    if (org_policy_attached(policy, target->obj.id)) {
        return err_set(err, ERR_INPUT, "DuplicatePolicyAttachmentException", "`%s` is attached to `%s` already",
                       policy->name, target->obj.id);
    }
    if (count_attached(call, target, policy->type) >= ATTACHED_MOST) {
        return err_set(err, ERR_INPUT, "ConstraintViolationException",
                       "`%s` has %d policies of this type, the most there may be "
                       "(MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED)",
                       target->obj.id, ATTACHED_MOST);
    }
    org_policy_attach(policy, target->obj.id);
    return true;
}

static bool
detach_policy(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_policy *policy = o ? policy_arg(call, o, err) : NULL;
    const struct org_entity *target = policy ? target_arg(call, o, err) : NULL;
    if (!target || !check_enabled(call, o, policy->type, err)) {
        return false;
    }
    if (!org_policy_attached(policy, target->obj.id)) {
        return err_set(err, ERR_INPUT, "PolicyNotAttachedException", "`%s` is not attached to `%s`", policy->name,
                       target->obj.id);
    }
    if (policy->aws_managed && find_type(policy->type, NULL)->keeps_full) {
        return err_set(err, ERR_INPUT, "AccessDeniedException", "`%s` is attached everywhere and cannot be detached",
                       policy->name);
    }
    if (count_attached(call, target, policy->type) == 1) {
        err_set(err, ERR_INPUT, "ConstraintViolationException",
                "`%s` is the last policy of its type on `%s` (MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED)", policy->name,
                target->obj.id);
        return err_hint(err, "attach what shall stand in its place first");
    }
    org_policy_detach(policy, target->obj.id);
    return true;
}

static bool
list_targets(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_policy *policy = o ? policy_arg(call, o, err) : NULL;
    if (!policy) {
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < policy->targets.n; i++) {
        const struct org_entity *target = org_op_entity(call, o, policy->targets.items[i]);
        if (target) { /* AWS's policies are also on targets of other organizations of the lab */
            json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s}", "TargetId", target->obj.id, "Arn",
                                                  target->arn, "Name", target->name, "Type", org_entity_type(target)));
        }
    }
    return answer_page(call, "Targets", list, err);
}

static bool
list_for_target(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *target = o ? target_arg(call, o, err) : NULL;
    const struct policy_type *type = target ? find_type(arg_str(call->in, "Filter"), err) : NULL;
    if (!type) {
        return false;
    }
    json_t *list = json_array();
    EACH_POLICY(call, p)
    {
        if (strcmp(p->type, type->type) == 0 && org_policy_attached(p, target->obj.id)) {
            json_array_append_new(list, summary(call, p));
        }
    }
    return answer_page(call, "Policies", list, err);
}

/* ---- policy types ---- */

static struct org_entity *
root_arg(const struct op_call *call, const struct org_organization *o, struct err *err)
{
    struct org_entity *root = org_op_entity(call, o, arg_str(call->in, "RootId"));
    if (!org_entity_is(root, &org_root_kind)) {
        err_set(err, ERR_INPUT, "RootNotFoundException", "the organization `%s` has no root `%.60s`", o->obj.id,
                arg_str(call->in, "RootId"));
        err_hint(err, "`organizations list-roots` shows its id");
        return NULL;
    }
    return root;
}

/* AWS's own policy goes onto the root, every unit and every account. */
static void
attach_everywhere(const struct op_call *call, const struct org_organization *o, const char *type)
{
    static const struct kind *const kinds[] = { &org_root_kind, &org_unit_kind, &org_account_kind };
    struct org_policy *full = org_full_access(call, type);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        for (const struct org_entity *e = store_first(store_of(call), kinds[i]); e; e = store_next(store_of(call), e)) {
            if (strcmp(e->obj.account, o->obj.account) == 0) {
                org_policy_attach(full, e->obj.id);
            }
        }
    }
}

static bool
enable_type(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_entity *root = o ? root_arg(call, o, err) : NULL;
    const struct policy_type *type = root ? find_type(arg_str(call->in, "PolicyType"), err) : NULL;
    if (!type) {
        return false;
    }
    if (org_type_enabled(root, type->type)) {
        return err_set(err, ERR_INPUT, "PolicyTypeAlreadyEnabledException", "policies of type %s are enabled already",
                       type->type);
    }
    if (strcmp(o->feature_set, "ALL") != 0) {
        return err_set(err, ERR_INPUT, "PolicyTypeNotAvailableForOrganizationException",
                       "the organization `%s` only consolidates bills", o->obj.id);
    }
    *VEC_ADD(&root->enabled_types) = xstrdup(type->type);
    attach_everywhere(call, o, type->type);
    json_object_set_new(call->out, "Root", object_describe(store_of(call), root));
    return true;
}

/* All attachments of the type are gone with it: enabled again, it begins with AWS's own policy alone. */
static bool
disable_type(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_entity *root = o ? root_arg(call, o, err) : NULL;
    const struct policy_type *type = root ? find_type(arg_str(call->in, "PolicyType"), err) : NULL;
    if (!type || !check_enabled(call, o, type->type, err)) {
        return false;
    }
    EACH_POLICY(call, p)
    {
        for (size_t i = p->targets.n; strcmp(p->type, type->type) == 0 && i-- > 0;) {
            if (org_op_entity(call, o, p->targets.items[i])) {
                org_policy_detach(p, p->targets.items[i]);
            }
        }
    }
    for (size_t i = 0; i < root->enabled_types.n; i++) {
        if (strcmp(root->enabled_types.items[i], type->type) == 0) {
            free(root->enabled_types.items[i]);
            VEC_REMOVE(&root->enabled_types, i);
            break;
        }
    }
    json_object_set_new(call->out, "Root", object_describe(store_of(call), root));
    return true;
}

/* ---- tags ---- */

/* A unit, account or policy; the root has none. */
static struct object *
tagged_arg(const struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const char *id = arg_str(call->in, "ResourceId");
    struct org_entity *entity = o ? org_op_entity(call, o, id) : NULL;
    struct org_policy *policy = o && !entity ? org_policy_find(call->cloud->accounts, id) : NULL;
    if (entity && !org_entity_is(entity, &org_root_kind)) {
        return &entity->obj;
    }
    if (policy && !policy->aws_managed && is_ours(policy, o)) {
        return &policy->obj;
    }
    if (o) {
        err_set(err, ERR_INPUT, "TargetNotFoundException",
                "the organization `%s` has no unit, account or policy `%.80s`", o->obj.id, id);
    }
    return NULL;
}

static bool
tag_resource(struct op_call *call, struct err *err)
{
    struct object *object = tagged_arg(call, err);
    const json_t *tags = json_object_get(call->in, "Tags");
    if (!object || !iam_check_tags(tags, err)) {
        return false;
    }
    iam_set_tags(object, tags);
    return true;
}

static bool
untag_resource(struct op_call *call, struct err *err)
{
    struct object *object = tagged_arg(call, err);
    const json_t *keys = json_object_get(call->in, "TagKeys");
    for (size_t i = 0; object && i < json_array_size(keys); i++) {
        object_unset_tag(object, json_string_value(json_array_get(keys, i)));
    }
    return object != NULL;
}

static bool
list_tags(struct op_call *call, struct err *err)
{
    const struct object *object = tagged_arg(call, err);
    return object && answer_page(call, "Tags", object_tags_json(object), err);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "organizations", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                   \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "organizations", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                  \
    }

const struct op ops_organizations_policies[] = {
    WRITE("CreatePolicy", create_policy, "Write a service or resource control policy."),
    WRITE("UpdatePolicy", update_policy, "Change a control policy."),
    READ("DescribePolicy", describe_policy, "Show a control policy with its text."),
    WRITE("DeletePolicy", delete_policy, "Delete a control policy that is attached nowhere."),
    READ("ListPolicies", list_policies, "List the control policies of one type."),
    WRITE("AttachPolicy", attach_policy, "Attach a control policy to the root, a unit or an account."),
    WRITE("DetachPolicy", detach_policy, "Detach a control policy."),
    READ("ListTargetsForPolicy", list_targets, "List where a control policy is attached."),
    READ("ListPoliciesForTarget", list_for_target, "List the control policies attached right to one target."),
    WRITE("EnablePolicyType", enable_type, "Begin to use a type of control policies."),
    WRITE("DisablePolicyType", disable_type, "Stop using a type of control policies; all are detached."),
    WRITE("TagResource", tag_resource, "Tag a unit, account or control policy."),
    WRITE("UntagResource", untag_resource, "Remove tags from a unit, account or control policy."),
    READ("ListTagsForResource", list_tags, "List the tags of a unit, account or control policy."),
    { 0 },
};
