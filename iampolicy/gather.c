#include "iampolicy/gather.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
iam_gathered_done(struct iam_gathered *gathered)
{
    for (size_t i = 0; i < gathered->owned.n; i++) {
        iam_policy_free(gathered->owned.items[i]);
    }
    for (size_t i = 0; i < gathered->sources.n; i++) {
        free(gathered->sources.items[i].id);
    }
    VEC_DONE(&gathered->owned);
    VEC_DONE(&gathered->sources);
    iam_policies_done(&gathered->policies);
    *gathered = (struct iam_gathered){ 0 };
}

const struct iam_source *
iam_source_of(const struct iam_gathered *gathered, const struct iam_policy *policy)
{
    for (size_t i = 0; i < gathered->sources.n; i++) {
        if (gathered->sources.items[i].policy == policy) {
            return &gathered->sources.items[i];
        }
    }
    return NULL;
}

bool
iam_gather_text(struct iam_gathered *gathered, iam_policy_list *list, const char *text, enum iam_policy_type type,
                const char *name, const char *source_type, const char *source_id, struct err *err)
{
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), type, name, err);
    if (!policy) {
        return false;
    }
    *VEC_ADD(&gathered->owned) = policy;
    *VEC_ADD(&gathered->sources) = (struct iam_source){ policy, source_type, xstrdup(source_id) };
    *VEC_ADD(list) = policy;
    return true;
}

static bool
gather_managed(const struct iam_accounts *accounts, struct iam_gathered *gathered, iam_policy_list *list,
               const char *arn, enum iam_policy_type type, struct err *err)
{
    const struct iam_managed_policy *policy = iam_find_policy(accounts, arn);
    const char *document = policy ? iam_managed_policy_document(policy) : NULL;
    bool aws = strncmp(arn, "arn:aws:iam::aws:", 17) == 0;
    if (!document) {
        return err_set(err, ERR_INPUT, "NoSuchEntity", "the lab does not know the policy `%.160s`", arn);
    }
    return iam_gather_text(gathered, list, document, type, arn, aws ? "aws-managed" : "user-managed", policy->name,
                           err);
}

static bool
gather_own(const struct iam_accounts *accounts, struct iam_gathered *gathered, const char *word, const char *owner,
           const iam_inline_policies *inline_policies, const iam_attached_policies *attached, struct err *err)
{
    iam_policy_list *list = &gathered->policies.identity;
    for (size_t i = 0; i < inline_policies->n; i++) {
        const struct iam_inline_policy *p = &inline_policies->items[i];
        char name[320];
        snprintf(name, sizeof name, "%s/%s/%s", word, owner, p->name);
        if (!iam_gather_text(gathered, list, p->document, IAM_POLICY_IDENTITY, name, word, p->name, err)) {
            return false;
        }
    }
    for (size_t i = 0; i < attached->n; i++) {
        if (!gather_managed(accounts, gathered, list, attached->items[i].arn, IAM_POLICY_IDENTITY, err)) {
            return false;
        }
    }
    return true;
}

static bool
gather_boundary(const struct iam_accounts *accounts, struct iam_gathered *gathered, const char *arn, struct err *err)
{
    gathered->policies.has_boundary = arn != NULL;
    return !arn || gather_managed(accounts, gathered, &gathered->policies.boundary, arn, IAM_POLICY_BOUNDARY, err);
}

static void
set_tags(struct iam_request *request, const struct object *object)
{
    for (size_t i = 0; i < object->tags.n; i++) {
        const char *key = arena_printf(request->arena, "aws:PrincipalTag/%s", object->tags.items[i].key);
        struct iam_key made = iam_key_make(request->arena, (struct iam_text){ key, (uint32_t)strlen(key) });
        if (!iam_request_value(request, &made)) { /* a session tag given with the request wins */
            iam_request_set_string(request, key, object->tags.items[i].value);
        }
    }
}

bool
iam_gather_group(const struct iam_accounts *accounts, const struct iam_group *group, struct iam_gathered *gathered,
                 struct err *err)
{
    return gather_own(accounts, gathered, "group", group->name, &group->inline_policies, &group->attached, err);
}

static bool
gather_user(const struct iam_accounts *accounts, struct iam_request *request, const struct iam_user *user,
            struct iam_gathered *gathered, struct err *err)
{
    request->principal.unique_id = arena_strdup(request->arena, user->obj.id);
    set_tags(request, &user->obj);
    if (!gather_own(accounts, gathered, "user", user->name, &user->inline_policies, &user->attached, err)) {
        return false;
    }
    for (size_t i = 0; i < user->groups.n; i++) {
        const struct iam_group *group = iam_find_group(accounts, user->obj.account, user->groups.items[i]);
        if (group && !iam_gather_group(accounts, group, gathered, err)) {
            return false;
        }
    }
    return gather_boundary(accounts, gathered, user->boundary, err);
}

static bool
gather_role(const struct iam_accounts *accounts, struct iam_request *request, const struct iam_role *role,
            struct iam_gathered *gathered, struct err *err)
{
    request->principal.unique_id = arena_strdup(request->arena, role->obj.id);
    request->principal.issuer = arena_strdup(request->arena, role->arn);
    set_tags(request, &role->obj);
    return gather_own(accounts, gathered, "role", role->name, &role->inline_policies, &role->attached, err) &&
           gather_boundary(accounts, gathered, role->boundary, err);
}

bool
iam_gather_identity(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                    struct err *err)
{
    const struct iam_principal *p = &request->principal;
    char name[80];
    snprintf(name, sizeof name, "%.*s", (int)(p->kind == IAM_ROLE_SESSION ? p->role.n : p->name.n),
             p->kind == IAM_ROLE_SESSION ? p->role.s : p->name.s);
    if (p->kind == IAM_USER) {
        const struct iam_user *user = iam_find_user(accounts, p->account, name);
        if (!user || strcmp(user->arn, p->arn) != 0) {
            return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no user `%s`", p->arn);
        }
        return gather_user(accounts, request, user, gathered, err);
    }
    if (p->kind == IAM_ROLE_SESSION) {
        const struct iam_role *role = iam_find_role(accounts, p->account, name);
        if (!role || (p->given_as_role && strcmp(role->arn, p->arn) != 0)) {
            return err_set(err, ERR_INPUT, "NoSuchEntity", "there is no role `%s`", p->given_as_role ? p->arn : name);
        }
        return gather_role(accounts, request, role, gathered, err);
    }
    return true;
}

static bool
gather_trust(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
             struct err *err)
{
    struct iam_principal role;
    struct iam_text text = request->resource;
    char name[80], title[96];
    if (!iam_principal_parse(request->arena, text, &role, NULL) || role.kind != IAM_ROLE_SESSION) {
        return true;
    }
    snprintf(name, sizeof name, "%.*s", (int)role.role.n, role.role.s);
    const struct iam_role *found = iam_find_role(accounts, role.account, name);
    if (!found || strcmp(found->arn, role.arn) != 0) {
        return true;
    }
    snprintf(title, sizeof title, "role/%s/trust", name);
    gathered->has_resource_policy = true;
    return iam_gather_text(gathered, &gathered->policies.resource, found->trust, IAM_POLICY_TRUST, title, "resource",
                           name, err);
}

bool
iam_gather_resource(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                    struct err *err)
{
    bool ok = true;
    if (strncmp(request->resource.s, "arn:aws:s3:::", 13) == 0) {
        ok = iam_gather_bucket(accounts, request, gathered, err);
    } else if (strncmp(request->resource.s, "arn:aws:s3:", 11) == 0) {
        ok = iam_gather_access_point(accounts, request, gathered, err);
    } else if (strncmp(request->resource.s, "arn:aws:kms:", 12) == 0) {
        ok = iam_gather_key(accounts, request, gathered, err);
    } else if (iam_is_assume_role(request)) {
        ok = gather_trust(accounts, request, gathered, err);
    }
    return ok && iam_gather_scps(accounts, request, gathered, err) && iam_gather_rcps(accounts, request, gathered, err);
}
