/* cloud/ops_iam.c - what IAM handlers share, see ops_iam.h.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html (names, characters, limits) */
#include "cloud/ops_iam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/suggest.h"
#include "iampolicy/service_role.h"

/* ---- finding ---- */

static bool
no_such(const char *word, const char *name, struct err *err)
{
    return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no %s `%.160s`", word, name);
}

static const char *
name_arg(const struct op_call *call, const char *member, struct err *err)
{
    const char *name = arg_str(call->in, member);
    if (!name) {
        err_set(err, ERR_INPUT, "ValidationError", "`%s` is missing", member);
    }
    return name;
}

struct iam_user *
iam_op_user(const struct op_call *call, struct err *err)
{
    const char *name = name_arg(call, "UserName", err);
    struct iam_user *user = name ? iam_find_user(call->cloud->accounts, call->cloud->account, name) : NULL;
    if (name && !user) {
        no_such("user", name, err);
    }
    return user;
}

struct iam_group *
iam_op_group(const struct op_call *call, struct err *err)
{
    const char *name = name_arg(call, "GroupName", err);
    struct iam_group *group = name ? iam_find_group(call->cloud->accounts, call->cloud->account, name) : NULL;
    if (name && !group) {
        no_such("group", name, err);
    }
    return group;
}

/* What anybody may do to a role that a service made for itself. Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html */
static bool
may_change_service_role(const struct op *op)
{
    static const char *const changes[] = { "TagRole", "UntagRole", "UpdateRole", "UpdateRoleDescription",
                                           "DeleteServiceLinkedRole" };
    bool may = op->mode != OP_WRITE;
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        may |= strcmp(op->name, changes[i]) == 0;
    }
    return may;
}

struct iam_role *
iam_op_role(const struct op_call *call, struct err *err)
{
    const char *name = name_arg(call, "RoleName", err);
    struct iam_role *role = name ? iam_find_role(call->cloud->accounts, call->cloud->account, name) : NULL;
    if (name && !role) {
        no_such("role", name, err);
    }
    if (role && iam_is_service_role_path(role->path) && !may_change_service_role(call->op)) {
        err_set(err, ERR_INPUT, "UnmodifiableEntity",
                "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", name);
        err_hint(err, "`iam delete-service-linked-role --role-name %s` deletes it", name);
        return NULL;
    }
    return role;
}

static void
suggest_policy(const struct op_call *call, const char *arn, struct err *err)
{
    const struct store *stores[] = { iam_accounts_aws(call->cloud->accounts), call->cloud->accounts->store };
    struct suggest suggest = suggest_start(arn);
    for (size_t i = 0; i < ARRAY_SIZE(stores); i++) {
        for (const struct iam_managed_policy *p = store_first(stores[i], &iam_managed_policy_kind); p;
             p = store_next(stores[i], p)) {
            suggest_offer(&suggest, p->arn);
        }
    }
    suggest_hint(&suggest, err, "");
}

struct iam_managed_policy *
iam_op_policy(const struct op_call *call, struct err *err)
{
    const char *arn = name_arg(call, "PolicyArn", err);
    struct iam_managed_policy *policy = arn ? iam_find_policy(call->cloud->accounts, arn) : NULL;
    if (arn && strncmp(arn, "arn:", 4) != 0) {
        err_set(err, ERR_INPUT, "InvalidInput", "`%.160s` is not the ARN of a policy", arn);
        err_hint(err, "as in arn:aws:iam::%s:policy/NAME", call->cloud->account);
    } else if (arn && !policy) {
        no_such("policy", arn, err);
        suggest_policy(call, arn, err);
    }
    return policy;
}

bool
iam_op_entity(const struct op_call *call, struct iam_entity *entity, struct err *err)
{
    if (json_object_get(call->in, "UserName")) {
        struct iam_user *u = iam_op_user(call, err);
        *entity =
            u ? (struct iam_entity){ u, "user", u->name, &u->inline_policies, &u->attached, &u->boundary, 2048, 10 }
              : (struct iam_entity){ 0 };
    } else if (json_object_get(call->in, "GroupName")) {
        struct iam_group *g = iam_op_group(call, err);
        *entity = g ? (struct iam_entity){ g, "group", g->name, &g->inline_policies, &g->attached, NULL, 5120, 10 }
                    : (struct iam_entity){ 0 };
    } else {
        struct iam_role *r = iam_op_role(call, err);
        *entity =
            r ? (struct iam_entity){ r, "role", r->name, &r->inline_policies, &r->attached, &r->boundary, 10240, 10 }
              : (struct iam_entity){ 0 };
    }
    return entity->object != NULL;
}

/* ---- checking ---- */

bool
iam_check_name(const char *member, const char *name, size_t limit, struct err *err)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                      (name[i] >= '0' && name[i] <= '9');
        if (!letter && !strchr("_+=,.@-", name[i])) {
            err_set(err, ERR_INPUT, "ValidationError", "`%.100s` is not a name for %s", name, member);
            return err_hint(err, "letters, digits and _+=,.@- are allowed");
        }
    }
    if (n == 0 || n > limit) {
        return err_set(err, ERR_INPUT, "ValidationError", "%s must have 1 to %zu characters, not %zu", member, limit,
                       n);
    }
    return true;
}

bool
iam_check_path(const char *path, struct err *err)
{
    size_t n = strlen(path);
    if (n == 0 || n > 512 || path[0] != '/' || path[n - 1] != '/') {
        err_set(err, ERR_INPUT, "ValidationError", "`%.100s` is not a path", path);
        return err_hint(err, "a path begins and ends with `/`, as in /teams/blue/");
    }
    return true;
}

bool
iam_check_tags(const json_t *tags, struct err *err)
{
    if (json_array_size(tags) > 50) {
        return err_set(err, ERR_INPUT, "LimitExceeded", "%zu tags; an entity has at most 50", json_array_size(tags));
    }
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *key = json_str(json_array_get(tags, i), "Key"), *value = json_str(json_array_get(tags, i), "Value");
        if (!key || !key[0] || strlen(key) > 128 || !value || strlen(value) > 256) {
            return err_set(err, ERR_INPUT, "InvalidInput",
                           "a tag has a Key of 1 to 128 and a Value of at most 256 characters");
        }
        if (strncasecmp(key, "aws:", 4) == 0) {
            return err_set(err, ERR_INPUT, "InvalidInput", "tag key `%.80s`: keys that begin with aws: are AWS's own",
                           key);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcasecmp(key, json_str(json_array_get(tags, k), "Key")) == 0) {
                return err_set(err, ERR_INPUT, "InvalidInput", "the tag key `%.80s` is given twice", key);
            }
        }
    }
    return true;
}

void
iam_set_tags(struct object *object, const json_t *tags)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        object_set_tag(object, json_str(json_array_get(tags, i), "Key"), json_str(json_array_get(tags, i), "Value"));
    }
}

bool
iam_check_document(const char *text, enum iam_policy_type type, const char *name, struct err *err)
{
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), type, name, err);
    bool ok = policy && iam_policy_check_storable(policy, err);
    iam_policy_free(policy);
    return ok;
}

size_t
iam_document_length(const char *text)
{
    size_t n = 0;
    bool in_string = false;
    for (const char *s = text; *s; s++) {
        if (*s == '\\' && in_string && s[1]) {
            n += 2;
            s++;
            continue;
        }
        in_string ^= *s == '"';
        bool space = *s == ' ' || *s == '\t' || *s == '\n' || *s == '\r';
        n += (in_string || !space) && ((unsigned char)*s & 0xC0) != 0x80;
    }
    return n;
}

json_t *
iam_document_json(const char *text)
{
    json_t *value = text ? json_read(text, strlen(text), "", NULL) : NULL;
    return value ? value : json_string(text ? text : "");
}

/* ---- making and showing ---- */

char *
iam_make_arn(const struct op_call *call, const char *type, const char *path, const char *name)
{
    return xasprintf("arn:aws:iam::%s:%s%s%s", call->cloud->account, type, path, name);
}

int64_t
iam_now(const struct op_call *call)
{
    return clock_now_ms(&call->cloud->clock) / 1000 * 1000; /* IAM's dates have no fraction */
}

bool
iam_answer_list(struct op_call *call, const char *member, json_t *list, struct err *err)
{
    size_t n = json_array_size(list), from = 0;
    const char *marker = arg_str(call->in, "Marker");
    size_t limit = (size_t)arg_int(call->in, "MaxItems", (long long)n);
    if (marker) {
        char *end;
        from = strtoul(marker, &end, 10);
        if (end == marker || *end || from > n) {
            json_decref(list);
            return err_set(err, ERR_INPUT, "ValidationError", "`%.80s` is not a marker of this list", marker);
        }
    }
    json_t *page = json_array();
    for (size_t i = from; i < n && i - from < limit; i++) {
        json_array_append(page, json_array_get(list, i));
    }
    json_object_set_new(call->out, member, page);
    if (from + limit < n) {
        char next[24];
        snprintf(next, sizeof next, "%zu", from + limit);
        json_object_set_new(call->out, "IsTruncated", json_true());
        json_object_set_new(call->out, "Marker", json_string(next));
    }
    json_decref(list);
    return true;
}

static void
show_boundary(const char *arn, json_t *out)
{
    if (arn) {
        json_object_set_new(
            out, "PermissionsBoundary",
            json_pack("{s:s, s:s}", "PermissionsBoundaryType", "Policy", "PermissionsBoundaryArn", arn));
    }
}

json_t *
iam_show(const struct op_call *call, const void *object, bool whole)
{
    const struct object *base = object;
    json_t *out = object_describe(call->cloud->accounts->store, object);
    if (!whole) {
        json_object_del(out, "Tags");
    } else if (json_array_size(json_object_get(out, "Tags")) == 0) {
        json_object_del(out, "Tags");
    }
    if (base->kind == &iam_user_kind && whole) {
        show_boundary(((const struct iam_user *)object)->boundary, out);
    }
    if (base->kind == &iam_role_kind) {
        const struct iam_role *role = object;
        json_object_set_new(out, "AssumeRolePolicyDocument", iam_document_json(role->trust));
        if (whole) {
            show_boundary(role->boundary, out);
        }
    }
    return out;
}
