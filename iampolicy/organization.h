/* iampolicy/organization.h - AWS Organizations: the tree of accounts, and the control policies attached to it.
 *
 * Root, organizational units and accounts are one struct with three kinds; their object.id is AWS's ("r-4x2q",
 * "ou-4x2q-7h1kq0za", an account's 12 digits), and 'parent' the id above.  Everything of one organization belongs to
 * its management account (object.account), but for AWS's own policies p-FullAWSAccess and p-RCPFullAWSAccess, which all
 * organizations of a lab share (account "aws").  A policy knows the ids it is attached to.
 *
 * Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html,
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html
 * Uses: account.h.   Used by: gather_organization.c, cloud/ops_organizations*.c. */
#pragma once
#include "iampolicy/account.h"

struct org_organization {
    struct object obj; /* "o-..."; obj.account is the management account */
    char *arn, *feature_set, *email;
    bool ram_sharing; /* RAM shares inside it without invitations */
};
struct org_entity { /* the root, an organizational unit or an account */
    struct object obj;
    char *name, *arn;
    char *parent;                /* NULL: the root */
    char *email, *joined_method; /* accounts */
    int64_t joined;
    bool suspended;            /* closed accounts */
    VEC(char *) enabled_types; /* the root: "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY" */
};
struct org_policy {
    struct object obj; /* "p-..." */
    char *name, *arn, *description, *type, *content;
    bool aws_managed;
    VEC(char *) targets; /* ids of roots, units and accounts */
};
struct org_request { /* how a CreateAccount came out */
    struct object obj;
    char *name, *state, *account_id, *failure;
    int64_t requested, completed;
};
extern const struct kind organization_kind, org_root_kind, org_unit_kind, org_account_kind, org_policy_kind,
    org_request_kind;

#define ORG_SCP "SERVICE_CONTROL_POLICY"
#define ORG_RCP "RESOURCE_CONTROL_POLICY"

/* The organization that the account is in, NULL if it is in none. */
struct org_organization *org_of_account(const struct iam_accounts *accounts, const char *account);
struct org_entity *org_root(const struct iam_accounts *accounts, const struct org_organization *organization);
/* A root, unit or account by its id; NULL if the lab has none such. */
struct org_entity *org_entity_find(const struct iam_accounts *accounts, const char *id);
/* An account of any organization by its name; NULL if none has it. */
struct org_entity *org_account_named(const struct iam_accounts *accounts, const char *name);
struct org_policy *org_policy_find(const struct iam_accounts *accounts, const char *id);
bool org_entity_is(const struct org_entity *entity, const struct kind *kind);
bool org_type_enabled(const struct org_entity *root, const char *type);
bool org_policy_attached(const struct org_policy *policy, const char *target);
void org_policy_attach(struct org_policy *policy, const char *target);
void org_policy_detach(struct org_policy *policy, const char *target); /* nothing happens if it is not attached */

/* From the root down to the entity itself; at most ORG_DEPTH of them.  The number of entities. */
#define ORG_DEPTH 8
size_t org_path(const struct iam_accounts *accounts, const struct org_entity *entity,
                const struct org_entity *path[ORG_DEPTH]);
/* "o-1/r-2/ou-3/111122223333/" as aws:PrincipalOrgPaths has it without the account, Account.Paths with it; the caller
 * frees it. */
char *org_path_text(const struct iam_accounts *accounts, const struct org_entity *account, bool with_account);
