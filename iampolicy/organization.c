#include "iampolicy/organization.h"

#include <stdlib.h>
#include <string.h>

static const struct field organization_fields[] = {
    FIELD(struct org_organization, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_organization, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct org_organization, "FeatureSet", FIELD_STRING, feature_set, 0),
    FIELD(struct org_organization, "MasterAccountEmail", FIELD_STRING, email, 0),
    FIELD(struct org_organization, "RamSharing", FIELD_BOOL, ram_sharing, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD_END,
};
static const struct field root_fields[] = {
    FIELD(struct org_entity, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_entity, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct org_entity, "Name", FIELD_STRING, name, 0),
    FIELD(struct org_entity, "EnabledPolicyTypes", FIELD_STRINGS, enabled_types, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field unit_fields[] = {
    FIELD(struct org_entity, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_entity, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct org_entity, "Name", FIELD_STRING, name, 0),
    FIELD(struct org_entity, "ParentId", FIELD_STRING, parent, FIELD_STATE_ONLY),
    FIELD_LIST(struct org_entity, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field account_fields[] = {
    FIELD(struct org_entity, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_entity, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct org_entity, "Email", FIELD_STRING, email, 0),
    FIELD(struct org_entity, "Name", FIELD_STRING, name, 0),
    FIELD(struct org_entity, "JoinedMethod", FIELD_STRING, joined_method, 0),
    FIELD(struct org_entity, "JoinedTimestamp", FIELD_TIME, joined, 0),
    FIELD(struct org_entity, "Suspended", FIELD_BOOL, suspended, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct org_entity, "ParentId", FIELD_STRING, parent, FIELD_STATE_ONLY),
    FIELD_LIST(struct org_entity, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field policy_fields[] = {
    FIELD(struct org_policy, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_policy, "Arn", FIELD_STRING, arn, 0),
    FIELD(struct org_policy, "Name", FIELD_STRING, name, 0),
    FIELD(struct org_policy, "Description", FIELD_STRING, description, FIELD_ALWAYS),
    FIELD(struct org_policy, "Type", FIELD_STRING, type, 0),
    FIELD(struct org_policy, "AwsManaged", FIELD_BOOL, aws_managed, 0),
    FIELD(struct org_policy, "Content", FIELD_STRING, content, FIELD_STATE_ONLY),
    FIELD(struct org_policy, "Targets", FIELD_STRINGS, targets, FIELD_STATE_ONLY),
    FIELD_LIST(struct org_policy, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
static const struct field request_fields[] = {
    FIELD(struct org_request, "Id", FIELD_ID, obj.id, 0),
    FIELD(struct org_request, "AccountName", FIELD_STRING, name, 0),
    FIELD(struct org_request, "State", FIELD_STRING, state, 0),
    FIELD(struct org_request, "RequestedTimestamp", FIELD_TIME, requested, 0),
    FIELD(struct org_request, "CompletedTimestamp", FIELD_TIME, completed, 0),
    FIELD(struct org_request, "AccountId", FIELD_STRING, account_id, 0),
    FIELD(struct org_request, "FailureReason", FIELD_STRING, failure, 0),
    FIELD_END,
};

/* AvailablePolicyTypes still answers as it did before roots had PolicyTypes: SCPs, always. */
static void
describe_organization(const struct store *store, const void *object, json_t *out)
{
    const struct org_organization *o = object;
    (void)store;
    json_object_set_new(out, "MasterAccountId", json_string(o->obj.account));
    char *arn = xasprintf("arn:aws:organizations::%s:account/%s/%s", o->obj.account, o->obj.id, o->obj.account);
    json_object_set_new(out, "MasterAccountArn", json_string(arn));
    free(arn);
    json_object_set_new(out, "AvailablePolicyTypes",
                        strcmp(o->feature_set, "ALL") == 0
                            ? json_pack("[{s:s, s:s}]", "Type", ORG_SCP, "Status", "ENABLED")
                            : json_array());
}

static void
describe_root(const struct store *store, const void *object, json_t *out)
{
    const struct org_entity *root = object;
    json_t *types = json_array();
    (void)store;
    for (size_t i = 0; i < root->enabled_types.n; i++) {
        json_array_append_new(types,
                              json_pack("{s:s, s:s}", "Type", root->enabled_types.items[i], "Status", "ENABLED"));
    }
    json_object_set_new(out, "PolicyTypes", types);
}

static void
describe_account(const struct store *store, const void *object, json_t *out)
{
    const struct org_entity *account = object;
    const char *state = account->suspended ? "SUSPENDED" : "ACTIVE";
    json_object_set_new(out, "Status", json_string(state));
    json_object_set_new(out, "State", json_string(state));
    char *path = org_path_text(&(struct iam_accounts){ .store = (struct store *)store }, account, true);
    json_object_set_new(out, "Paths", json_pack("[s]", path));
    free(path);
}

#define ORG_KIND(name_, list_, not_found_, struct_, fields_, describe_)                                                \
    {                                                                                                                  \
        .name = (name_), .prefix = "", .list = (list_), .id_member = "Id", .not_found = (not_found_),                  \
        .size = sizeof(struct struct_), .fields = (fields_), .describe = (describe_)                                   \
    }
const struct kind organization_kind = ORG_KIND("organization", "Organizations", "AWSOrganizationsNotInUseException",
                                               org_organization, organization_fields, describe_organization);
const struct kind org_root_kind =
    ORG_KIND("organization-root", "Roots", "RootNotFoundException", org_entity, root_fields, describe_root);
const struct kind org_unit_kind = ORG_KIND("organizational-unit", "OrganizationalUnits",
                                           "OrganizationalUnitNotFoundException", org_entity, unit_fields, NULL);
const struct kind org_account_kind =
    ORG_KIND("account", "Accounts", "AccountNotFoundException", org_entity, account_fields, describe_account);
const struct kind org_policy_kind =
    ORG_KIND("organization-policy", "OrganizationPolicies", "PolicyNotFoundException", org_policy, policy_fields, NULL);
const struct kind org_request_kind =
    ORG_KIND("account-request", "CreateAccountStatuses", "CreateAccountStatusNotFoundException", org_request,
             request_fields, NULL);

struct org_organization *
org_of_account(const struct iam_accounts *accounts, const char *account)
{
    const struct org_entity *entity = account ? store_get(accounts->store, &org_account_kind, account) : NULL;
    struct org_organization *o = entity ? store_first(accounts->store, &organization_kind) : NULL;
    while (o && strcmp(o->obj.account, entity->obj.account) != 0) {
        o = store_next(accounts->store, o);
    }
    return o;
}

struct org_entity *
org_root(const struct iam_accounts *accounts, const struct org_organization *organization)
{
    struct org_entity *root = store_first(accounts->store, &org_root_kind);
    while (root && strcmp(root->obj.account, organization->obj.account) != 0) {
        root = store_next(accounts->store, root);
    }
    return root;
}

struct org_entity *
org_entity_find(const struct iam_accounts *accounts, const char *id)
{
    static const struct kind *const kinds[] = { &org_root_kind, &org_unit_kind, &org_account_kind };
    struct org_entity *found = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(kinds) && id && !found; i++) {
        found = store_get(accounts->store, kinds[i], id);
    }
    return found;
}

struct org_entity *
org_account_named(const struct iam_accounts *accounts, const char *name)
{
    struct org_entity *account = store_first(accounts->store, &org_account_kind);
    while (account && strcmp(account->name, name) != 0) {
        account = store_next(accounts->store, account);
    }
    return account;
}

struct org_policy *
org_policy_find(const struct iam_accounts *accounts, const char *id)
{
    return id ? store_get(accounts->store, &org_policy_kind, id) : NULL;
}

bool
org_entity_is(const struct org_entity *entity, const struct kind *kind)
{
    return entity && entity->obj.kind == kind;
}

bool
org_type_enabled(const struct org_entity *root, const char *type)
{
    for (size_t i = 0; root && i < root->enabled_types.n; i++) {
        if (strcmp(root->enabled_types.items[i], type) == 0) {
            return true;
        }
    }
    return false;
}

bool
org_policy_attached(const struct org_policy *policy, const char *target)
{
    for (size_t i = 0; i < policy->targets.n; i++) {
        if (strcmp(policy->targets.items[i], target) == 0) {
            return true;
        }
    }
    return false;
}

void
org_policy_attach(struct org_policy *policy, const char *target)
{
    if (!org_policy_attached(policy, target)) {
        *VEC_ADD(&policy->targets) = xstrdup(target);
    }
}

void
org_policy_detach(struct org_policy *policy, const char *target)
{
    for (size_t i = 0; i < policy->targets.n; i++) {
        if (strcmp(policy->targets.items[i], target) == 0) {
            free(policy->targets.items[i]);
            VEC_REMOVE(&policy->targets, i);
            return;
        }
    }
}

size_t
org_path(const struct iam_accounts *accounts, const struct org_entity *entity, const struct org_entity *path[ORG_DEPTH])
{
    size_t n = 0;
    for (; entity && n < ORG_DEPTH; entity = org_entity_find(accounts, entity->parent)) {
        path[n++] = entity;
    }
    for (size_t i = 0; i < n / 2; i++) {
        const struct org_entity *other = path[i];
        path[i] = path[n - 1 - i];
        path[n - 1 - i] = other;
    }
    return n;
}

char *
org_path_text(const struct iam_accounts *accounts, const struct org_entity *account, bool with_account)
{
    const struct org_entity *path[ORG_DEPTH];
    const struct org_organization *o = org_of_account(accounts, account->obj.id);
    size_t n = org_path(accounts, account, path);
    char *text = xasprintf("%s/", o ? o->obj.id : "");
    for (size_t i = 0; i + (with_account ? 0 : 1) < n; i++) {
        char *longer = xasprintf("%s%s/", text, path[i]->obj.id);
        free(text);
        text = longer;
    }
    return text;
}
