#include "iampolicy/evaluate.h"

#include <string.h>

const char *
iam_decision_name(enum iam_decision decision)
{
    static const char *const names[] = { "implicitDeny", "explicitDeny", "allowed" };
    return names[decision];
}

const char *
iam_set_name(enum iam_set set)
{
    static const char *const names[] = { "rcp",     "scp",     "vpcEndpoint", "resource", "permissionsBoundary",
                                         "session", "identity" };
    return names[set];
}

/* ---- action and resource ---- */

bool
iam_action_matches(const struct iam_statement *statement, const struct iam_request *request)
{
    for (uint32_t i = 0; i < statement->n_actions; i++) {
        if (iam_pattern_match(&statement->actions[i], request->action_lower.s, request->action_lower.n, NULL)) {
            return !statement->not_action;
        }
    }
    return statement->not_action;
}

/* The variables of the pattern have values: only then does "no entry matches" mean anything (choice C-5). */
static bool
is_resolvable(const struct iam_pattern *pattern, const struct iam_request *request)
{
    struct iam_resolved value;
    bool resolvable = pattern->kind != IAM_PATTERN_VARIABLE || iam_pattern_resolve(pattern, request, &value);
    if (pattern->kind == IAM_PATTERN_VARIABLE) {
        iam_resolved_done(&value);
    }
    return resolvable;
}

bool
iam_resource_matches(const struct iam_statement *statement, const struct iam_request *request, struct iam_look *look,
                     unsigned *remarks)
{
    if (!statement->has_resource) {
        return true; /* a trust policy: the resource is the role */
    }
    bool unresolved = false;
    for (uint32_t i = 0; i < statement->n_resources; i++) {
        const struct iam_pattern *p = &statement->resources[i];
        /* A request for "*" is met by the pattern "*" only: one that names an ARN says nothing about an action without
         * a resource. */
        bool hit = request->resource_all ? p->kind == IAM_PATTERN_ALL
                                         : iam_pattern_match(p, request->resource.s, request->resource.n, request);
        if (hit) {
            look->entry = i;
            return !statement->not_resource;
        }
        unresolved |= statement->not_resource && !is_resolvable(p, request);
    }
    if (unresolved) {
        *remarks |= IAM_REMARK_NOT_RESOURCE;
        return statement->deny;
    }
    return statement->not_resource;
}

/* ---- principal ---- */

static bool
has_entity(const struct iam_principal *caller)
{
    return caller->kind == IAM_USER || caller->kind == IAM_ROLE_SESSION || caller->kind == IAM_FEDERATED_USER;
}

/* Deny with NotPrincipal: is the caller on the list?  Lenient: one entry that names it in any way.  Strict: the account
 * and the entity must both be listed, as the IAM documentation advises since services may check one after the other
 * (choice C-6). */
static bool
is_exempt(struct iam_asking *asking, const struct iam_statement *statement)
{
    const struct iam_principal *caller = &asking->request->principal;
    bool any = false, account = false, named = false, entity = false;
    for (uint32_t i = 0; i < statement->n_principals; i++) {
        enum iam_match_kind kind = iam_principal_match(&statement->principals[i], caller);
        bool is_account = statement->principals[i].kind == IAM_ENTRY_ACCOUNT;
        any |= kind == IAM_MATCH_ANY;
        account |= is_account && kind != IAM_MATCH_NONE;
        named |= !is_account && kind != IAM_MATCH_NONE;
        /* Listing only the session's own ARN does not exempt it: its role must be there. */
        entity |=
            kind == IAM_MATCH_ISSUER || (kind == IAM_MATCH_DIRECT && !is_account && caller->kind != IAM_ROLE_SESSION);
    }
    bool lenient = any || account || named;
    bool strict = any || (has_entity(caller) ? account && entity : lenient);
    if (lenient != strict) {
        asking->remarks |= IAM_REMARK_NOT_PRINCIPAL;
    }
    return asking->request->strict_not_principal ? strict : lenient;
}

enum iam_match_kind
iam_statement_principal(struct iam_asking *asking, const struct iam_statement *statement)
{
    const struct iam_principal *caller = &asking->request->principal;
    enum iam_match_kind strongest = IAM_MATCH_NONE;
    if (statement->not_principal && statement->deny) {
        bool bound = asking->has_boundary && (caller->kind == IAM_USER || caller->kind == IAM_ROLE_SESSION);
        return bound || !is_exempt(asking, statement) ? IAM_MATCH_ANY : IAM_MATCH_NONE;
    }
    for (uint32_t i = 0; i < statement->n_principals; i++) {
        enum iam_match_kind kind = iam_principal_match(&statement->principals[i], caller);
        strongest = kind > strongest ? kind : strongest;
    }
    if (statement->not_principal) {
        return strongest == IAM_MATCH_NONE ? IAM_MATCH_ANY : IAM_MATCH_NONE;
    }
    return strongest;
}

/* ---- statement and set ---- */

static bool
applies_to(struct iam_asking *asking, const struct iam_statement *statement, bool action, struct iam_look *look)
{
    const struct iam_request *request = asking->request;
    unsigned before = asking->remarks;
    look->kind = IAM_MATCH_ANY;
    if (statement->has_principal) {
        look->failed = IAM_PART_PRINCIPAL;
        look->kind = (uint8_t)iam_statement_principal(asking, statement);
    }
    if (!action) {
        asking->remarks = before; /* what the statement says of its principal does not matter here */
    }
    if (look->kind == IAM_MATCH_NONE) {
        return false;
    }
    look->failed = IAM_PART_ACTION;
    if (!action) {
        return false;
    }
    look->failed = IAM_PART_RESOURCE;
    if (!iam_resource_matches(statement, request, look, &asking->remarks)) {
        return false;
    }
    look->failed = IAM_PART_CONDITION;
    for (uint32_t i = 0; i < statement->n_conditions; i++) {
        if (!iam_condition_holds(&statement->conditions[i], request, &asking->remarks)) {
            look->entry = i;
            return false;
        }
    }
    look->failed = IAM_PART_ALL;
    return true;
}

bool
iam_statement_applies(struct iam_asking *asking, const struct iam_statement *statement, struct iam_look *look)
{
    return applies_to(asking, statement, iam_action_matches(statement, asking->request), look);
}

void
iam_evaluate_policy(struct iam_asking *asking, const struct iam_policy *policy, enum iam_set set, uint8_t level,
                    struct iam_said *said)
{
    struct iam_text service = { asking->request->action_lower.s, asking->request->service_size };
    const struct iam_service_index *index = asking->looks ? NULL : iam_policy_index_find(policy, service);
    uint32_t n = index ? index->n : policy->n_statements;
    for (uint32_t i = 0; i < n; i++) {
        const struct iam_statement *statement = &policy->statements[index ? index->statements[i] : i];
        /* Most statements are about another action: asked first when nobody wants to hear why. */
        bool action = iam_action_matches(statement, asking->request);
        if (!asking->looks && !action) {
            continue;
        }
        struct iam_look look = { .policy = policy, .statement = statement, .set = (uint8_t)set, .level = level };
        bool applies = applies_to(asking, statement, action, &look);
        if (asking->looks) {
            *VEC_ADD(asking->looks) = look;
        }
        if (!applies) {
            continue;
        }
        if (asking->matched) {
            *VEC_ADD(asking->matched) = look;
        }
        if (statement->deny) {
            said->deny = true;
        } else {
            said->allow = true;
            said->kinds |= (uint8_t)(1u << look.kind);
        }
    }
}
