/* cloud/ops_organizations.c - the organization: its root, organizational units and accounts.
 *
 * An account is made at once: create-account answers SUCCEEDED (or FAILED) where AWS first says IN_PROGRESS, and
 * describe-create-account-status repeats it.  The account then stands in the lab like any other: --as ACCOUNT-ID works
 * in it as its root user.
 * Source: https://docs.aws.amazon.com/organizations/latest/APIReference/API_Operations.html */
#include "cloud/ops_organizations.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/answer_page.h"
#include "cloud/ops_iam.h"

#define MANAGEMENT_EMAIL "management@example.com" /* a lab's first account has none of its own */
#define UNIT_DEPTH       5                        /* levels of units below the root (quota of Organizations) */

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

/* ---- shared ---- */

struct org_organization *
org_op(const struct op_call *call, bool management, struct err *err)
{
    const char *account = call->cloud->account;
    struct org_organization *o = org_of_account(call->cloud->accounts, account);
    if (!o) {
        err_set(err, ERR_INPUT, "AWSOrganizationsNotInUseException", "account %s is not in an organization", account);
        err_hint(err, "begin one with `organizations create-organization`");
        return NULL;
    }
    if (management && strcmp(o->obj.account, account) != 0) {
        err_set(err, ERR_INPUT, "AccessDeniedException", "only the management account may do this, not %s", account);
        err_hint(err, "the management account of %s is %s", o->obj.id, o->obj.account);
        return NULL;
    }
    return o;
}

struct org_entity *
org_op_entity(const struct op_call *call, const struct org_organization *organization, const char *id)
{
    struct org_entity *entity = org_entity_find(call->cloud->accounts, id);
    return entity && strcmp(entity->obj.account, organization->obj.account) == 0 ? entity : NULL;
}

const char *
org_entity_type(const struct org_entity *entity)
{
    return org_entity_is(entity, &org_root_kind)   ? "ROOT"
           : org_entity_is(entity, &org_unit_kind) ? "ORGANIZATIONAL_UNIT"
                                                   : "ACCOUNT";
}

void
org_new_id(const struct op_call *call, const char *prefix, size_t n, char id[static ID_SIZE])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    size_t size = (size_t)snprintf(id, ID_SIZE, "%s", prefix);
    for (size_t i = 0; i < n && size + 1 < ID_SIZE; i++) {
        id[size++] = letters[id_random_below(&call->cloud->ids, sizeof letters - 1)];
    }
    id[size] = '\0';
}

static void *
add(const struct op_call *call, const struct kind *kind, const char *id, const char *owner)
{
    struct object *object = store_add(store_of(call), kind, id);
    snprintf(object->account, sizeof object->account, "%s", owner);
    return object;
}

/* Fails with 'code' unless the parameter names an entity of the organization (of 'kind', if not NULL). */
static struct org_entity *
entity_arg(const struct op_call *call, const struct org_organization *o, const char *member, const struct kind *kind,
           const char *code, struct err *err)
{
    const char *id = arg_str(call->in, member);
    struct org_entity *entity = org_op_entity(call, o, id);
    if (!entity || (kind && !org_entity_is(entity, kind))) {
        err_set(err, ERR_INPUT, code, "the organization `%s` has no %s `%.80s`", o->obj.id,
                kind ? kind->name : "entity", id);
        err_at(err, member, 0, 0);
        return NULL;
    }
    return entity;
}

/* A parent is the root or a unit. */
static struct org_entity *
parent_arg(const struct op_call *call, const struct org_organization *o, const char *member, const char *code,
           struct err *err)
{
    struct org_entity *parent = entity_arg(call, o, member, NULL, code, err);
    if (parent && org_entity_is(parent, &org_account_kind)) {
        err_set(err, ERR_INPUT, code, "`%s` is an account, which holds nothing", parent->obj.id);
        err_hint(err, "give the id of the root (r-...) or of an organizational unit (ou-...)");
        err_at(err, member, 0, 0);
        return NULL;
    }
    return parent;
}

static json_t *
describe(const struct op_call *call, const void *object)
{
    json_t *out = object_describe(store_of(call), object);
    json_object_del(out, "Tags");
    return out;
}

/* Children of 'parent' (NULL: all) of one kind. */
static json_t *
list_entities(const struct op_call *call, const struct org_organization *o, const struct kind *kind, const char *parent)
{
    json_t *list = json_array();
    for (const struct org_entity *e = store_first(store_of(call), kind); e; e = store_next(store_of(call), e)) {
        if (strcmp(e->obj.account, o->obj.account) == 0 && (!parent || (e->parent && strcmp(e->parent, parent) == 0))) {
            json_array_append_new(list, describe(call, e));
        }
    }
    return list;
}

/* ---- the organization ---- */

static struct org_entity *
add_account(const struct op_call *call, const struct org_organization *o, const char *id, const char *name,
            const char *email, const char *joined, const char *parent)
{
    struct org_entity *account = add(call, &org_account_kind, id, o->obj.account);
    account->name = xstrdup(name);
    account->email = xstrdup(email);
    account->arn = xasprintf("arn:aws:organizations::%s:account/%s/%s", o->obj.account, o->obj.id, id);
    account->joined_method = xstrdup(joined);
    account->joined = clock_now_ms(&call->cloud->clock);
    account->parent = xstrdup(parent);
    return account;
}

static bool
create_organization(struct op_call *call, struct err *err)
{
    const char *owner = call->cloud->account, *set = arg_str(call->in, "FeatureSet");
    char id[ID_SIZE], root_id[ID_SIZE];
    if (org_of_account(call->cloud->accounts, owner)) {
        return err_set(err, ERR_INPUT, "AlreadyInOrganizationException", "account %s is in an organization already",
                       owner);
    }
    org_new_id(call, "o-", 10, id);
    struct org_organization *o = add(call, &organization_kind, id, owner);
    o->feature_set = xstrdup(set ? set : "ALL");
    o->arn = xasprintf("arn:aws:organizations::%s:organization/%s", owner, id);
    o->email = xstrdup(MANAGEMENT_EMAIL);
    org_new_id(call, "r-", 4, root_id);
    struct org_entity *root = add(call, &org_root_kind, root_id, owner);
    root->name = xstrdup("Root");
    root->arn = xasprintf("arn:aws:organizations::%s:root/%s/%s", owner, id, root_id);
    add_account(call, o, owner, "management", MANAGEMENT_EMAIL, "INVITED", root_id);
    if (strcmp(o->feature_set, "ALL") == 0) { /* SCPs are on from the start; RCPs wait for enable-policy-type */
        *VEC_ADD(&root->enabled_types) = xstrdup(ORG_SCP);
        org_attach_defaults(call, o, root_id);
        org_attach_defaults(call, o, owner);
    }
    json_object_set_new(call->out, "Organization", describe(call, o));
    return true;
}

static bool
describe_organization(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, false, err);
    if (o) {
        json_object_set_new(call->out, "Organization", describe(call, o));
    }
    return o != NULL;
}

static void
delete_owned(const struct op_call *call, const struct kind *kind, const char *owner)
{
    for (struct object *object = store_first(store_of(call), kind), *next; object; object = next) {
        next = store_next(store_of(call), object);
        if (strcmp(object->account, owner) == 0) {
            store_delete(store_of(call), object);
        }
    }
}

static bool
delete_organization(struct op_call *call, struct err *err)
{
    struct org_organization *o = org_op(call, true, err);
    if (!o) {
        return false;
    }
    json_t *units = list_entities(call, o, &org_unit_kind, NULL),
           *all = list_entities(call, o, &org_account_kind, NULL);
    bool empty = json_array_size(units) == 0 && json_array_size(all) == 1;
    json_decref(units);
    json_decref(all);
    if (!empty) {
        err_set(err, ERR_INPUT, "OrganizationNotEmptyException", "the organization `%s` still has units or accounts",
                o->obj.id);
        return err_hint(err, "remove its member accounts and delete its organizational units first");
    }
    char owner[16];
    snprintf(owner, sizeof owner, "%s", o->obj.account);
    org_detach_all(call, org_root(call->cloud->accounts, o)->obj.id, NULL);
    org_detach_all(call, owner, NULL);
    delete_owned(call, &org_policy_kind, owner);
    delete_owned(call, &org_request_kind, owner);
    delete_owned(call, &org_account_kind, owner);
    delete_owned(call, &org_root_kind, owner);
    delete_owned(call, &organization_kind, owner);
    return true;
}

static bool
list_roots(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    return o && answer_page(call, "Roots", list_entities(call, o, &org_root_kind, NULL), err);
}

/* ---- organizational units ---- */

static bool
name_is_free(const struct op_call *call, const char *parent, const struct org_entity *self, struct err *err)
{
    const char *name = arg_str(call->in, "Name");
    for (const struct org_entity *u = store_first(store_of(call), &org_unit_kind); u;
         u = store_next(store_of(call), u)) {
        if (u != self && strcmp(u->parent, parent) == 0 && strcmp(u->name, name) == 0) {
            return err_set(err, ERR_INPUT, "DuplicateOrganizationalUnitException",
                           "`%s` has an organizational unit `%.100s` already (%s)", parent, name, u->obj.id);
        }
    }
    return true;
}

static bool
create_unit(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *parent = o ? parent_arg(call, o, "ParentId", "ParentNotFoundException", err) : NULL;
    const struct org_entity *path[ORG_DEPTH];
    char prefix[ID_SIZE], id[ID_SIZE];
    if (!parent || !name_is_free(call, parent->obj.id, NULL, err)) {
        return false;
    }
    if (org_path(call->cloud->accounts, parent, path) > UNIT_DEPTH) {
        return err_set(err, ERR_INPUT, "ConstraintViolationException",
                       "units go %d levels deep below the root (OU_DEPTH_LIMIT_EXCEEDED)", UNIT_DEPTH);
    }
    snprintf(prefix, sizeof prefix, "ou-%s-", org_root(call->cloud->accounts, o)->obj.id + strlen("r-"));
    org_new_id(call, prefix, 8, id);
    struct org_entity *unit = add(call, &org_unit_kind, id, o->obj.account);
    unit->name = xstrdup(arg_str(call->in, "Name"));
    unit->arn = xasprintf("arn:aws:organizations::%s:ou/%s/%s", o->obj.account, o->obj.id, id);
    unit->parent = xstrdup(parent->obj.id);
    iam_set_tags(&unit->obj, json_object_get(call->in, "Tags"));
    org_attach_defaults(call, o, id);
    json_object_set_new(call->out, "OrganizationalUnit", describe(call, unit));
    return true;
}

static struct org_entity *
unit_arg(const struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    return o ? entity_arg(call, o, "OrganizationalUnitId", &org_unit_kind, "OrganizationalUnitNotFoundException", err)
             : NULL;
}

static bool
describe_unit(struct op_call *call, struct err *err)
{
    const struct org_entity *unit = unit_arg(call, err);
    if (unit) {
        json_object_set_new(call->out, "OrganizationalUnit", describe(call, unit));
    }
    return unit != NULL;
}

static bool
update_unit(struct op_call *call, struct err *err)
{
    struct org_entity *unit = unit_arg(call, err);
    const char *name = arg_str(call->in, "Name");
    if (!unit || (name && !name_is_free(call, unit->parent, unit, err))) {
        return false;
    }
    if (name) {
        free(unit->name);
        unit->name = xstrdup(name);
    }
    json_object_set_new(call->out, "OrganizationalUnit", describe(call, unit));
    return true;
}

static bool
has_children(const struct op_call *call, const char *id)
{
    static const struct kind *const kinds[] = { &org_unit_kind, &org_account_kind };
    for (size_t k = 0; k < ARRAY_SIZE(kinds); k++) {
        for (const struct org_entity *e = store_first(store_of(call), kinds[k]); e; e = store_next(store_of(call), e)) {
            if (e->parent && strcmp(e->parent, id) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool
delete_unit(struct op_call *call, struct err *err)
{
    struct org_entity *unit = unit_arg(call, err);
    if (unit && has_children(call, unit->obj.id)) {
        err_set(err, ERR_INPUT, "OrganizationalUnitNotEmptyException", "`%s` (%s) still has units or accounts",
                unit->obj.id, unit->name);
        return err_hint(err, "`organizations list-children` shows them; move-account moves an account elsewhere");
    }
    if (unit) {
        org_detach_all(call, unit->obj.id, NULL);
        store_delete(store_of(call), unit);
    }
    return unit != NULL;
}

static bool
list_units(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *parent = o ? parent_arg(call, o, "ParentId", "ParentNotFoundException", err) : NULL;
    return parent &&
           answer_page(call, "OrganizationalUnits", list_entities(call, o, &org_unit_kind, parent->obj.id), err);
}

/* ---- accounts ---- */

static void
new_account_id(const struct op_call *call, char id[static ID_SIZE])
{
    do {
        snprintf(id, ID_SIZE, "%012llu", 100000000000ULL + id_random_below(&call->cloud->ids, 899999999999ULL));
    } while (store_find(store_of(call), id));
}

/* What Organizations leaves in every account it makes: a role that the management account's administrators assume. */
static void
add_access_role(struct op_call *call, const struct org_organization *o, const char *account)
{
    const char *wanted = arg_str(call->in, "RoleName"), *name = wanted ? wanted : "OrganizationAccountAccessRole";
    struct iam_role *role = iam_add_object(call->cloud->accounts, &iam_role_kind, account, "AROA");
    role->name = xstrdup(name);
    role->path = xstrdup("/");
    role->arn = xasprintf("arn:aws:iam::%s:role/%s", account, name);
    role->created = iam_now(call);
    role->max_session_s = 3600;
    role->trust = xasprintf("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":"
                            "\"arn:aws:iam::%s:root\"},\"Action\":\"sts:AssumeRole\"}]}",
                            o->obj.account);
    struct iam_attached_policy *attached = VEC_ADD(&role->attached);
    attached->name = xstrdup("AdministratorAccess");
    attached->arn = xstrdup("arn:aws:iam::aws:policy/AdministratorAccess");
}

static bool
email_is_taken(const struct op_call *call, const char *email)
{
    for (const struct org_entity *a = store_first(store_of(call), &org_account_kind); a;
         a = store_next(store_of(call), a)) {
        if (strcmp(a->email, email) == 0) {
            return true;
        }
    }
    return false;
}

static bool
create_account(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const char *email = arg_str(call->in, "Email"), *name = arg_str(call->in, "AccountName");
    char id[ID_SIZE], account_id[ID_SIZE];
    if (!o) {
        return false;
    }
    if (!strchr(email, '@')) {
        err_set(err, ERR_INPUT, "InvalidInputException", "`%.80s` is not an email address", email);
        return err_at(err, "Email", 0, 0);
    }
    org_new_id(call, "car-", 32, id);
    struct org_request *request = add(call, &org_request_kind, id, o->obj.account);
    request->name = xstrdup(name);
    request->requested = request->completed = clock_now_ms(&call->cloud->clock);
    if (email_is_taken(call, email)) { /* a failed request, not a failed call */
        request->state = xstrdup("FAILED");
        request->failure = xstrdup("EMAIL_ALREADY_EXISTS");
    } else {
        new_account_id(call, account_id);
        request->state = xstrdup("SUCCEEDED");
        request->account_id = xstrdup(account_id);
        struct org_entity *account =
            add_account(call, o, account_id, name, email, "CREATED", org_root(call->cloud->accounts, o)->obj.id);
        iam_set_tags(&account->obj, json_object_get(call->in, "Tags"));
        org_attach_defaults(call, o, account_id);
        add_access_role(call, o, account_id);
    }
    json_object_set_new(call->out, "CreateAccountStatus", describe(call, request));
    return true;
}

static bool
describe_request(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const char *id = arg_str(call->in, "CreateAccountRequestId");
    const struct org_request *request = o ? store_get(store_of(call), &org_request_kind, id) : NULL;
    if (o && (!request || strcmp(request->obj.account, o->obj.account) != 0)) {
        return err_set(err, ERR_INPUT, "CreateAccountStatusNotFoundException",
                       "there was no request `%.60s` for an account", id);
    }
    if (request) {
        json_object_set_new(call->out, "CreateAccountStatus", describe(call, request));
    }
    return request != NULL;
}

static struct org_entity *
account_arg(const struct op_call *call, bool management, struct err *err)
{
    const struct org_organization *o = org_op(call, management, err);
    return o ? entity_arg(call, o, "AccountId", &org_account_kind, "AccountNotFoundException", err) : NULL;
}

static bool
describe_account(struct op_call *call, struct err *err)
{
    const struct org_entity *account = account_arg(call, true, err);
    if (account) {
        json_object_set_new(call->out, "Account", describe(call, account));
    }
    return account != NULL;
}

static bool
list_accounts(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    return o && answer_page(call, "Accounts", list_entities(call, o, &org_account_kind, NULL), err);
}

static bool
list_accounts_for_parent(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *parent = o ? parent_arg(call, o, "ParentId", "ParentNotFoundException", err) : NULL;
    return parent && answer_page(call, "Accounts", list_entities(call, o, &org_account_kind, parent->obj.id), err);
}

static bool
move_account(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    struct org_entity *account = account_arg(call, true, err);
    const struct org_entity *from =
        account ? parent_arg(call, o, "SourceParentId", "SourceParentNotFoundException", err) : NULL;
    const struct org_entity *to =
        from ? parent_arg(call, o, "DestinationParentId", "DestinationParentNotFoundException", err) : NULL;
    if (!to) {
        return false;
    }
    if (strcmp(account->parent, from->obj.id) != 0) {
        err_set(err, ERR_INPUT, "AccountNotFoundException", "account %s is not in `%s`", account->obj.id, from->obj.id);
        return err_hint(err, "it is in `%s`", account->parent);
    }
    if (from == to) {
        return err_set(err, ERR_INPUT, "DuplicateAccountException", "account %s is in `%s` already", account->obj.id,
                       to->obj.id);
    }
    free(account->parent);
    account->parent = xstrdup(to->obj.id);
    return true;
}

/* The management account neither leaves nor closes while there is an organization. */
static bool
check_member(const struct org_entity *account, struct err *err)
{
    return strcmp(account->obj.id, account->obj.account) != 0 ||
           err_set(err, ERR_INPUT, "ConstraintViolationException",
                   "account %s is the management account of its organization", account->obj.id);
}

static bool
remove_account(struct op_call *call, struct err *err)
{
    struct org_entity *account = account_arg(call, true, err);
    if (!account || !check_member(account, err)) {
        return false;
    }
    org_detach_all(call, account->obj.id, NULL);
    store_delete(store_of(call), account);
    return true;
}

static bool
close_account(struct op_call *call, struct err *err)
{
    struct org_entity *account = account_arg(call, true, err);
    if (!account || !check_member(account, err)) {
        return false;
    }
    if (account->suspended) {
        return err_set(err, ERR_INPUT, "AccountAlreadyClosedException", "account %s is closed already",
                       account->obj.id);
    }
    account->suspended = true;
    return true;
}

/* ---- up and down the tree ---- */

static bool
list_parents(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *child = o ? entity_arg(call, o, "ChildId", NULL, "ChildNotFoundException", err) : NULL;
    if (!child) {
        return false;
    }
    if (!child->parent) {
        return err_set(err, ERR_INPUT, "ChildNotFoundException", "`%s` is the root and has no parent", child->obj.id);
    }
    const struct org_entity *parent = org_entity_find(call->cloud->accounts, child->parent);
    return answer_page(call, "Parents",
                       json_pack("[{s:s, s:s}]", "Id", parent->obj.id, "Type", org_entity_type(parent)), err);
}

static bool
list_children(struct op_call *call, struct err *err)
{
    const struct org_organization *o = org_op(call, true, err);
    const struct org_entity *parent = o ? parent_arg(call, o, "ParentId", "ParentNotFoundException", err) : NULL;
    const char *type = arg_str(call->in, "ChildType");
    if (!parent) {
        return false;
    }
    const struct kind *kind = strcmp(type, "ACCOUNT") == 0 ? &org_account_kind : &org_unit_kind;
    json_t *all = list_entities(call, o, kind, parent->obj.id), *list = json_array();
    for (size_t i = 0; i < json_array_size(all); i++) {
        json_array_append_new(
            list, json_pack("{s:O, s:s}", "Id", json_object_get(json_array_get(all, i), "Id"), "Type", type));
    }
    json_decref(all);
    return answer_page(call, "Children", list, err);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "organizations", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                   \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "organizations", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                  \
    }

const struct op ops_organizations[] = {
    WRITE("CreateOrganization", create_organization, "Begin an organization with this account as its management."),
    READ("DescribeOrganization", describe_organization, "Show the organization this account is in."),
    WRITE("DeleteOrganization", delete_organization, "End the organization once it is empty."),
    READ("ListRoots", list_roots, "Show the root of the organization and its enabled policy types."),
    WRITE("CreateOrganizationalUnit", create_unit, "Create an organizational unit below the root or a unit."),
    READ("DescribeOrganizationalUnit", describe_unit, "Show an organizational unit."),
    WRITE("UpdateOrganizationalUnit", update_unit, "Rename an organizational unit."),
    WRITE("DeleteOrganizationalUnit", delete_unit, "Delete an empty organizational unit."),
    READ("ListOrganizationalUnitsForParent", list_units, "List the units right below the root or a unit."),
    WRITE("CreateAccount", create_account, "Create an account in the organization."),
    READ("DescribeCreateAccountStatus", describe_request, "Show how the creation of an account came out."),
    READ("DescribeAccount", describe_account, "Show an account of the organization."),
    READ("ListAccounts", list_accounts, "List the accounts of the organization."),
    READ("ListAccountsForParent", list_accounts_for_parent, "List the accounts right below the root or a unit."),
    WRITE("MoveAccount", move_account, "Move an account to another unit."),
    WRITE("RemoveAccountFromOrganization", remove_account, "Make an account leave the organization."),
    WRITE("CloseAccount", close_account, "Close an account; it shows as suspended."),
    READ("ListParents", list_parents, "Show what holds a unit or an account."),
    READ("ListChildren", list_children, "List the units or accounts right below the root or a unit."),
    { 0 },
};
