/* cloud/ops_kms_grants.c - grants: a principal may use a key for some operations, without a word in the key policy.
 *
 * A grant works at once; at AWS it may take some seconds unless its token is passed.
 * Source: https://docs.aws.amazon.com/kms/latest/developerguide/grants.html */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/answer_page.h"
#include "cloud/ops_iam.h"
#include "cloud/ops_kms.h"
#include "iampolicy/organization.h"

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

#define EACH_GRANT(call, g)                                                                                            \
    for (struct kms_grant *g = store_first(store_of(call), &kms_grant_kind); g; g = store_next(store_of(call), g))

/* The lab knows the users and roles of its own accounts only. */
static bool
principal_is_there(const struct op_call *call, const struct iam_principal *p)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    char name[80];
    if (strcmp(p->account, call->cloud->account) != 0 && !org_entity_find(accounts, p->account)) {
        return true;
    }
    snprintf(name, sizeof name, "%.*s", (int)(p->kind == IAM_ROLE_SESSION ? p->role.n : p->name.n),
             p->kind == IAM_ROLE_SESSION ? p->role.s : p->name.s);
    return (p->kind != IAM_USER || iam_find_user(accounts, p->account, name)) &&
           (p->kind != IAM_ROLE_SESSION || iam_find_role(accounts, p->account, name));
}

static bool
check_principal(const struct op_call *call, const char *member, struct err *err)
{
    const char *text = arg_str(call->in, member);
    struct iam_principal principal;
    if (!text) {
        return true;
    }
    struct arena *arena = arena_new();
    bool ok = strncmp(text, "arn:", 4) == 0 &&
              iam_principal_parse(arena, (struct iam_text){ text, (uint32_t)strlen(text) }, &principal, NULL) &&
              principal_is_there(call, &principal);
    arena_free(arena);
    if (!ok) {
        err_set(err, ERR_INPUT, "InvalidArnException", "`%.160s` is not the ARN of a principal that is there", text);
        err_hint(err, "a user, role, session or account: arn:aws:iam::%s:role/NAME", call->cloud->account);
        return err_at(err, member, 0, 0);
    }
    return true;
}

static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* The same name and the same grant otherwise: a repeated call, which answers with the grant of the first. */
static struct kms_grant *
find_repeated(const struct op_call *call, const struct kms_key *key)
{
    const char *name = arg_str(call->in, "Name");
    const json_t *operations = json_object_get(call->in, "Operations");
    const json_t *constraints = json_object_get(call->in, "Constraints");
    EACH_GRANT(call, g)
    {
        bool same = name && same_text(g->name, name) && strcmp(g->key_arn, key->arn) == 0 &&
                    same_text(g->grantee, arg_str(call->in, "GranteePrincipal")) &&
                    same_text(g->retiring, arg_str(call->in, "RetiringPrincipal")) &&
                    g->operations.n == json_array_size(operations) &&
                    (g->constraints ? json_equal(g->constraints, constraints) : !constraints);
        for (size_t i = 0; same && i < g->operations.n; i++) {
            same = same_text(g->operations.items[i], json_string_value(json_array_get(operations, i)));
        }
        if (same) {
            return g;
        }
    }
    return NULL;
}

static char *
random_hex(const struct op_call *call)
{
    struct id_gen *ids = &call->cloud->ids;
    return xasprintf("%016" PRIx64 "%016" PRIx64 "%016" PRIx64 "%016" PRIx64, id_random(ids), id_random(ids),
                     id_random(ids), id_random(ids));
}

static char *
copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static struct kms_grant *
add_grant(const struct op_call *call, const struct kms_key *key)
{
    const json_t *operations = json_object_get(call->in, "Operations");
    json_t *constraints = json_object_get(call->in, "Constraints");
    const char *name = arg_str(call->in, "Name");
    char id[ID_SIZE];
    id_new(&call->cloud->ids, "grant", id);
    struct kms_grant *grant = store_add(store_of(call), &kms_grant_kind, id);
    snprintf(grant->obj.account, sizeof grant->obj.account, "%s", key->obj.account);
    snprintf(grant->obj.region, sizeof grant->obj.region, "%s", key->obj.region);
    grant->grant_id = random_hex(call);
    char *token = random_hex(call);
    grant->token = xasprintf("AQpA%s", token);
    free(token);
    grant->key_arn = xstrdup(key->arn);
    grant->name = xstrdup(name ? name : "");
    grant->grantee = copy(arg_str(call->in, "GranteePrincipal"));
    grant->retiring = copy(arg_str(call->in, "RetiringPrincipal"));
    grant->issuing_account = xasprintf("arn:aws:iam::%s:root", call->cloud->account);
    grant->constraints = json_incref(constraints);
    grant->created = clock_now_ms(&call->cloud->clock);
    for (size_t i = 0; i < json_array_size(operations); i++) {
        *VEC_ADD(&grant->operations) = xstrdup(json_string_value(json_array_get(operations, i)));
    }
    return grant;
}

static bool
create_grant(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_CROSS, err);
    const json_t *constraints = json_object_get(call->in, "Constraints");
    if (!key || !check_principal(call, "GranteePrincipal", err) || !check_principal(call, "RetiringPrincipal", err)) {
        return false;
    }
    if (constraints && strcmp(key->spec, "SYMMETRIC_DEFAULT") != 0) {
        return err_set(err, ERR_INPUT, "ValidationException",
                       "only symmetric encryption keys have an encryption context to constrain; this one is %s",
                       key->spec);
    }
    const struct kms_grant *grant = find_repeated(call, key);
    grant = grant ? grant : add_grant(call, key);
    json_object_set_new(call->out, "GrantToken", json_string(grant->token));
    json_object_set_new(call->out, "GrantId", json_string(grant->grant_id));
    return true;
}

static bool
list_grants(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_CROSS | KMS_DISABLED | KMS_PENDING, err);
    const char *id = arg_str(call->in, "GrantId"), *grantee = arg_str(call->in, "GranteePrincipal");
    if (!key) {
        return false;
    }
    json_t *list = json_array();
    EACH_GRANT(call, g)
    {
        if (strcmp(g->key_arn, key->arn) == 0 && (!id || strcmp(g->grant_id, id) == 0) &&
            (!grantee || strcmp(g->grantee, grantee) == 0)) {
            json_array_append_new(list, object_describe(store_of(call), g));
        }
    }
    return answer_page(call, "Grants", list, err);
}

static bool
list_retirable(struct op_call *call, struct err *err)
{
    const char *retiring = arg_str(call->in, "RetiringPrincipal");
    json_t *list = json_array();
    EACH_GRANT(call, g)
    {
        if (same_text(g->retiring, retiring) && strcmp(g->obj.account, call->cloud->account) == 0 &&
            strcmp(g->obj.region, call->cloud->region) == 0) {
            json_array_append_new(list, object_describe(store_of(call), g));
        }
    }
    return answer_page(call, "Grants", list, err);
}

static struct kms_grant *
grant_arg(const struct op_call *call, const struct kms_key *key, struct err *err)
{
    const char *id = arg_str(call->in, "GrantId");
    EACH_GRANT(call, g)
    {
        if (strcmp(g->key_arn, key->arn) == 0 && same_text(g->grant_id, id)) {
            return g;
        }
    }
    err_set(err, ERR_INPUT, "NotFoundException", "`%s` has no grant `%.80s`", key->arn, id ? id : "");
    err_hint(err, "`kms list-grants --key-id %s` shows them", key->obj.id);
    return NULL;
}

static bool
revoke_grant(struct op_call *call, struct err *err)
{
    const struct kms_key *key = kms_op_key(call, KMS_CROSS | KMS_DISABLED | KMS_PENDING, err);
    struct kms_grant *grant = key ? grant_arg(call, key, err) : NULL;
    if (grant) {
        store_delete(store_of(call), grant);
    }
    return grant != NULL;
}

static struct kms_grant *
grant_by_token(const struct op_call *call, const char *token, struct err *err)
{
    EACH_GRANT(call, g)
    {
        if (strcmp(g->token, token) == 0) {
            return g;
        }
    }
    err_set(err, ERR_INPUT, "InvalidGrantTokenException", "`%.40s...` is not the token of a grant", token);
    return NULL;
}

size_t
kms_op_keys(const struct op_call *call, const struct kms_key *keys[static 4])
{
    static const char *const members[] = { "KeyId", "TargetKeyId", "AliasName", "GrantToken" };
    const struct cloud *cloud = call->cloud;
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *name = arg_str(call->in, members[i]);
        if (name && strcmp(members[i], "GrantToken") == 0) {
            const struct kms_grant *grant = grant_by_token(call, name, NULL);
            name = grant ? grant->key_arn : NULL;
        }
        const struct kms_key *key =
            name ? kms_key_find(cloud->accounts, cloud->account, cloud->region, name, clock_now_ms(&cloud->clock))
                 : NULL;
        if (key) {
            keys[n++] = key;
        }
    }
    return n;
}

/* A token names the grant alone; without one it is named by key and grant id. */
static bool
retire_grant(struct op_call *call, struct err *err)
{
    const char *token = arg_str(call->in, "GrantToken"), *key_id = arg_str(call->in, "KeyId");
    if (!token && !(key_id && arg_str(call->in, "GrantId"))) {
        err_set(err, ERR_INPUT, "ValidationException", "a grant to retire is named by its token, or by key and id");
        return err_hint(err, "give --grant-token, or --key-id and --grant-id");
    }
    const struct kms_key *key = token ? NULL : kms_op_key(call, KMS_CROSS | KMS_DISABLED | KMS_PENDING, err);
    struct kms_grant *grant = token ? grant_by_token(call, token, err) : key ? grant_arg(call, key, err) : NULL;
    if (grant) {
        store_delete(store_of(call), grant);
    }
    return grant != NULL;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "kms", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                             \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "kms", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                            \
    }

const struct op ops_kms_grants[] = {
    WRITE("CreateGrant", create_grant, "Let a principal use a KMS key for some operations."),
    READ("ListGrants", list_grants, "List the grants on a KMS key."),
    READ("ListRetirableGrants", list_retirable, "List the grants that a principal may retire."),
    WRITE("RevokeGrant", revoke_grant, "Take a grant back."),
    WRITE("RetireGrant", retire_grant, "Give up a grant that is no longer needed."),
    { 0 },
};
