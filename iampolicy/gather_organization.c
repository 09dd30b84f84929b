/* The control policies of the organizations that the principal and the resource belong to. */
#include <stdlib.h>
#include <string.h>

#include "iampolicy/gather.h"
#include "iampolicy/organization.h"

static void
set_key(struct iam_request *request, const char *key, const char *value)
{
    struct iam_key made = iam_key_make(request->arena, (struct iam_text){ key, (uint32_t)strlen(key) });
    if (!iam_request_value(request, &made)) { /* what the question says itself stands */
        iam_request_set_string(request, key, value);
    }
}

static void
set_paths(struct iam_request *request, const char *key, const char *path)
{
    struct iam_key made = iam_key_make(request->arena, (struct iam_text){ key, (uint32_t)strlen(key) });
    struct iam_text value = { path, (uint32_t)strlen(path) };
    if (!iam_request_value(request, &made)) {
        iam_request_set_context(request, (struct iam_text){ key, made.size }, &value, 1, true);
    }
}

/* aws:PrincipalOrgID or aws:ResourceOrgID and their paths, which are multi-valued. */
static void
set_organization_keys(const struct iam_accounts *accounts, struct iam_request *request, const char *account,
                      const char *id_key, const char *paths_key)
{
    const struct org_organization *o = org_of_account(accounts, account);
    if (o) {
        char *path = org_path_text(accounts, org_entity_find(accounts, account), false);
        set_key(request, id_key, o->obj.id);
        set_paths(request, paths_key, arena_strdup(request->arena, path));
        free(path);
    }
}

/* The account's levels from the root down, each with the policies of 'type' attached to it; none while the type is not
 * enabled.  An organization of consolidated billing has no control policies. */
static bool
gather_levels(const struct iam_accounts *accounts, const char *account, const char *type,
              enum iam_policy_type document_type, struct iam_gathered *gathered, bool rcp, struct err *err)
{
    const struct org_organization *o = org_of_account(accounts, account);
    const struct org_entity *path[ORG_DEPTH];
    if (!o || !org_type_enabled(org_root(accounts, o), type)) {
        return true;
    }
    size_t n = org_path(accounts, org_entity_find(accounts, account), path);
    for (size_t i = 0; i < n; i++) {
        struct iam_level *level = rcp ? VEC_ADD(&gathered->policies.rcp) : VEC_ADD(&gathered->policies.scp);
        *level = (struct iam_level){ .entity = path[i]->obj.id };
        for (const struct org_policy *p = store_first(accounts->store, &org_policy_kind); p;
             p = store_next(accounts->store, p)) {
            if (strcmp(p->type, type) == 0 && org_policy_attached(p, path[i]->obj.id) &&
                !iam_gather_text(gathered, &level->policies, p->content, document_type, p->arn, "none", p->name, err)) {
                return false;
            }
        }
    }
    return true;
}

bool
iam_gather_scps(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                struct err *err)
{
    const char *account = request->principal.account;
    const struct org_organization *o = org_of_account(accounts, account);
    for (size_t i = 0; i < gathered->policies.scp.n; i++) {
        VEC_DONE(&gathered->policies.scp.items[i].policies);
    }
    gathered->policies.scp.n = 0;
    request->management_account = o && strcmp(o->obj.account, account) == 0;
    set_organization_keys(accounts, request, account, "aws:PrincipalOrgID", "aws:PrincipalOrgPaths");
    return gather_levels(accounts, account, ORG_SCP, IAM_POLICY_SCP, gathered, false, err);
}

bool
iam_gather_rcps(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                struct err *err)
{
    const char *account = request->account[0] ? request->account : request->principal.account;
    const struct org_organization *o = org_of_account(accounts, account);
    for (size_t i = 0; i < gathered->policies.rcp.n; i++) {
        VEC_DONE(&gathered->policies.rcp.items[i].policies);
    }
    gathered->policies.rcp.n = 0;
    request->resource_in_management = o && strcmp(o->obj.account, account) == 0;
    set_organization_keys(accounts, request, account, "aws:ResourceOrgID", "aws:ResourceOrgPaths");
    return gather_levels(accounts, account, ORG_RCP, IAM_POLICY_RCP, gathered, true, err);
}
