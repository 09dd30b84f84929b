#include "cloud/caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arn.h"
#include "iampolicy/organization.h"

void
caller_free(struct caller *caller)
{
    if (caller) {
        free(caller->arn);
        free(caller->user_id);
        free(caller->issuer);
        free(caller->name);
        free(caller);
    }
}

/* ---- kinds of callers -------------------------------------------------------------------------------------------- */

static struct caller *
new_caller(enum caller_kind kind, const char *account, const char *name)
{
    struct caller *caller = xcalloc(1, sizeof *caller);
    caller->kind = kind;
    caller->name = xstrdup(name);
    snprintf(caller->account, sizeof caller->account, "%s", account);
    return caller;
}

static struct caller *
root_caller(const char *account)
{
    struct caller *caller = new_caller(CALLER_ROOT, account, "");
    caller->arn = xasprintf("arn:aws:iam::%s:root", account);
    caller->user_id = xstrdup(account);
    return caller;
}

static struct caller *
user_caller(const struct iam_user *user)
{
    struct caller *caller = new_caller(CALLER_USER, user->obj.account, user->name);
    caller->arn = xstrdup(user->arn);
    caller->user_id = xstrdup(user->obj.id);
    return caller;
}

static struct caller *
role_caller(const struct iam_role *role)
{
    struct caller *caller = new_caller(CALLER_ROLE, role->obj.account, role->name);
    caller->arn = xasprintf("arn:aws:sts::%s:assumed-role/%s/%s", role->obj.account, role->name, CALLER_SESSION);
    caller->user_id = xasprintf("%s:%s", role->obj.id, CALLER_SESSION);
    caller->issuer = xstrdup(role->arn);
    return caller;
}

static const char *
last_word(const char *arn)
{
    const char *slash = arn ? strrchr(arn, '/') : NULL;
    return slash ? slash + 1 : "";
}

static struct caller *
session_caller(const struct cloud *cloud, const struct iam_session *session, struct err *err)
{
    static const struct {
        const char *type;
        enum caller_kind kind;
    } kinds[] = { { "AssumedRole", CALLER_ROLE },
                  { "FederatedUser", CALLER_FEDERATED },
                  { "SessionToken", CALLER_USER } };
    enum caller_kind kind = CALLER_ROOT;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        kind = strcmp(session->type, kinds[i].type) == 0 ? kinds[i].kind : kind;
    }
    if (kind == CALLER_USER && strstr(session->arn, ":root")) {
        kind = CALLER_ROOT; /* get-session-token of a root user */
    }
    if (session->expires <= clock_now_ms(&cloud->clock)) {
        err_set(err, ERR_INPUT, "ExpiredToken", "the security token included in the request is expired");
        err_hint(err, "`%s` ended; ask STS for another session", session->arn);
        return NULL;
    }
    const char *name = kind == CALLER_ROLE ? last_word(session->issuer) : last_word(session->arn);
    bool gone = (kind == CALLER_ROLE && !iam_find_role(cloud->accounts, session->obj.account, name)) ||
                (kind == CALLER_USER && !iam_find_user(cloud->accounts, session->obj.account, name));
    if (gone) {
        err_set(err, ERR_INPUT, "InvalidClientTokenId", "the security token included in the request is invalid");
        err_hint(err, "`%s` is no longer there", kind == CALLER_ROLE ? session->issuer : session->arn);
        return NULL;
    }
    struct caller *caller = new_caller(kind, session->obj.account, kind == CALLER_ROOT ? "" : name);
    caller->arn = xstrdup(session->arn);
    caller->user_id = xstrdup(session->user_id);
    caller->issuer = kind == CALLER_ROLE || kind == CALLER_FEDERATED ? xstrdup(session->issuer) : NULL;
    memcpy(caller->key, session->obj.id, sizeof caller->key);
    memcpy(caller->session, session->obj.id, sizeof caller->session);
    return caller;
}

/* ---- what a person wrote ----------------------------------------------------------------------------------------- */

static bool
is_account(const char *text)
{
    return strlen(text) == 12 && strspn(text, "0123456789") == 12;
}

/* An access key id, of a user or of a session. */
static struct caller *
by_key(const struct cloud *cloud, const char *id, struct err *err)
{
    const struct store *store = cloud->accounts->store;
    const struct iam_session *session = store_get(store, &iam_session_kind, id);
    const struct iam_access_key *key = store_get(store, &iam_access_key_kind, id);
    const struct iam_user *user = key && key->user ? iam_find_user(cloud->accounts, key->obj.account, key->user) : NULL;
    if (session) {
        return session_caller(cloud, session, err);
    }
    if (!key || key->inactive || (key->user && !user)) {
        err_set(err, ERR_INPUT, "InvalidClientTokenId", "the security token included in the request is invalid");
        err_hint(err, key && key->inactive ? "the access key `%s` is inactive" : "the lab has no access key `%s`", id);
        return NULL;
    }
    struct caller *caller = user ? user_caller(user) : root_caller(key->obj.account);
    snprintf(caller->key, sizeof caller->key, "%s", id);
    return caller;
}

/* The youngest session of that name that still lasts, else the youngest. */
static struct caller *
by_session_arn(const struct cloud *cloud, const char *arn, struct err *err)
{
    const struct store *store = cloud->accounts->store;
    const struct iam_session *found = NULL;
    for (const struct iam_session *s = store_first(store, &iam_session_kind); s; s = store_next(store, s)) {
        bool fits = strcmp(s->arn, arn) == 0 && strcmp(s->type, "SessionToken") != 0;
        found = fits && (!found || s->expires >= found->expires) ? s : found;
    }
    if (found) {
        return session_caller(cloud, found, err);
    }
    struct arn parts;
    char account[16], name[80];
    arn_parse(arn, &parts);
    snprintf(account, sizeof account, "%.*s", (int)parts.account.size, parts.account.text);
    const char *slash = memchr(parts.resource.text, '/', parts.resource.size);
    snprintf(name, sizeof name, "%.*s", slash ? (int)strcspn(slash + 1, "/") : 0, slash ? slash + 1 : "");
    const struct iam_role *role = iam_find_role(cloud->accounts, account, name);
    if (role && strcmp(last_word(arn), CALLER_SESSION) == 0 && strncmp(parts.resource.text, "assumed-role/", 13) == 0) {
        return role_caller(role); /* what get-caller-identity says of a role that was named */
    }
    err_set(err, ERR_INPUT, "NoSuchEntity", "there is no session `%.200s`", arn);
    err_hint(err, "`sts assume-role` and `sts get-federation-token` give one");
    return NULL;
}

static struct caller *
by_arn(const struct cloud *cloud, const char *text, struct err *err)
{
    struct arn arn;
    char account[16];
    const struct store *store = cloud->accounts->store;
    if (arn_parse(text, &arn) && arn_part_is(arn.service, "sts")) {
        return by_session_arn(cloud, text, err);
    }
    if (arn_parse(text, &arn) && arn_part_is(arn.service, "iam") && arn_part_is(arn.resource, "root")) {
        snprintf(account, sizeof account, "%.*s", (int)arn.account.size, arn.account.text);
        if (is_account(account)) {
            return root_caller(account);
        }
    }
    for (const struct iam_user *u = store_first(store, &iam_user_kind); u; u = store_next(store, u)) {
        if (strcmp(u->arn, text) == 0) {
            return user_caller(u);
        }
    }
    for (const struct iam_role *r = store_first(store, &iam_role_kind); r; r = store_next(store, r)) {
        if (strcmp(r->arn, text) == 0) {
            return role_caller(r);
        }
    }
    err_set(err, ERR_INPUT, "NoSuchEntity", "there is no principal `%.200s`", text);
    return NULL;
}

/* A bare name: of the lab's own account, else of the only other account that has it. */
static struct caller *
by_name(const struct cloud *cloud, const char *text, struct err *err)
{
    const char *name = text;
    bool users = true, roles = true;
    if (strncmp(text, "user/", 5) == 0 || strncmp(text, "role/", 5) == 0) {
        users = text[0] == 'u';
        roles = !users;
        name = last_word(text);
    }
    const struct store *store = cloud->accounts->store;
    const struct iam_user *user = users ? iam_find_user(cloud->accounts, cloud->home_account, name) : NULL;
    const struct iam_role *role = roles ? iam_find_role(cloud->accounts, cloud->home_account, name) : NULL;
    size_t n = !!user + !!role;
    if (n == 0) {
        for (const struct iam_user *u = store_first(store, &iam_user_kind); users && u; u = store_next(store, u)) {
            bool fits = strcmp(u->name, name) == 0;
            n += fits;
            user = fits ? u : user;
        }
        for (const struct iam_role *r = store_first(store, &iam_role_kind); roles && r; r = store_next(store, r)) {
            bool fits = strcmp(r->name, name) == 0;
            n += fits;
            role = fits ? r : role;
        }
    }
    if (n > 1) {
        err_set(err, ERR_USAGE, "", "`%.100s` is more than one user or role", text);
        user &&role ? err_hint(err, "write user/%s or role/%s, or the ARN", name, name)
                    : err_hint(err, "write the ARN of the one that is meant");
        return NULL;
    }
    const struct org_entity *account = n == 0 && users && roles ? org_account_named(cloud->accounts, name) : NULL;
    if (account) {
        return root_caller(account->obj.id);
    }
    if (n == 0) {
        err_set(err, ERR_INPUT, "NoSuchEntity", "there is no user or role `%.100s`", text);
        err_hint(err, "`iam list-users` and `iam list-roles` show whom the lab knows; `root` is the account itself");
        return NULL;
    }
    return user ? user_caller(user) : role_caller(role);
}

struct caller *
caller_find(const struct cloud *cloud, const char *who, struct err *err)
{
    if (strcmp(who, "root") == 0) {
        return root_caller(cloud->home_account);
    }
    if (is_account(who)) {
        return root_caller(who);
    }
    if (strncmp(who, "arn:", 4) == 0) {
        return by_arn(cloud, who, err);
    }
    bool key = strlen(who) == 20 && (strncmp(who, "AKIA", 4) == 0 || strncmp(who, "ASIA", 4) == 0);
    return key ? by_key(cloud, who, err) : by_name(cloud, who, err);
}

/* ---- in force ---------------------------------------------------------------------------------------------------- */

static void
put(struct cloud *cloud, struct caller *caller)
{
    caller_free(cloud->caller);
    cloud->caller = caller;
    snprintf(cloud->account, sizeof cloud->account, "%s", caller ? caller->account : cloud->home_account);
}

bool
caller_refresh(struct cloud *cloud, struct err *err)
{
    struct caller *caller = cloud->as ? caller_find(cloud, cloud->as, err) : NULL;
    if (cloud->as && !caller) {
        return err_at(err, "--as", 0, 0);
    }
    put(cloud, caller);
    return true;
}

bool
cloud_act_as(struct cloud *cloud, const char *who, struct err *err)
{
    bool root = !who || !who[0] || strcmp(who, "root") == 0 || strcmp(who, cloud->home_account) == 0;
    struct caller *caller = root ? NULL : caller_find(cloud, who, err);
    if (!root && !caller) {
        return err_at(err, "--as", 0, 0);
    }
    /* The key says which session is meant where a name or an ARN might come to mean another. */
    char *as = !caller ? NULL : xstrdup(caller->key[0] ? caller->key : caller->arn);
    free(cloud->as);
    cloud->as = as;
    put(cloud, caller);
    return true;
}

const struct iam_session *
caller_session(const struct cloud *cloud, const struct caller *caller)
{
    return caller && caller->session[0] ? store_get(cloud->accounts->store, &iam_session_kind, caller->session) : NULL;
}

const char *
caller_arn(const struct cloud *cloud, char root[static 64])
{
    snprintf(root, 64, "arn:aws:iam::%s:root", cloud->account);
    return cloud->caller ? cloud->caller->arn : root;
}

void
cloud_each_principal(const struct cloud *cloud, void (*each)(void *context, const char *who, const char *detail),
                     void *context)
{
    const struct store *store = cloud->accounts->store;
    for (const struct iam_user *u = store_first(store, &iam_user_kind); u; u = store_next(store, u)) {
        each(context, strcmp(u->obj.account, cloud->home_account) == 0 ? u->name : u->arn, "user");
    }
    for (const struct iam_role *r = store_first(store, &iam_role_kind); r; r = store_next(store, r)) {
        each(context, strcmp(r->obj.account, cloud->home_account) == 0 ? r->name : r->arn, "role");
    }
    for (const struct iam_session *s = store_first(store, &iam_session_kind); s; s = store_next(store, s)) {
        if (s->expires > clock_now_ms(&cloud->clock)) {
            each(context, strcmp(s->type, "SessionToken") == 0 ? s->obj.id : s->arn, "session");
        }
    }
    for (const struct org_entity *a = store_first(store, &org_account_kind); a; a = store_next(store, a)) {
        each(context, a->obj.id, a->name);
    }
    each(context, "root", "the account itself");
}

char *
cloud_who(const struct cloud *cloud)
{
    char root[64];
    return xstrdup(caller_arn(cloud, root));
}

/* ---- CloudTrail -------------------------------------------------------------------------------------------------- */

static json_t *
session_context(const struct cloud *cloud, const struct caller *caller)
{
    const struct iam_session *session = caller_session(cloud, caller);
    json_t *context = json_object();
    char when[32];
    clock_format_s(session ? session->created : clock_now_ms(&cloud->clock), when);
    if (caller->issuer) {
        char *id = xstrdup(caller->user_id);
        id[strcspn(id, ":")] = '\0';
        bool role = caller->kind == CALLER_ROLE, root = strstr(caller->issuer, ":root") != NULL;
        json_object_set_new(context, "sessionIssuer",
                            json_pack("{s:s, s:s, s:s, s:s, s:s}", "type",
                                      role   ? "Role"
                                      : root ? "Root"
                                             : "IAMUser",
                                      "principalId", id, "arn", caller->issuer, "accountId", caller->account,
                                      "userName", last_word(caller->issuer)));
        free(id);
    }
    json_object_set_new(
        context, "attributes",
        json_pack("{s:s, s:s}", "creationDate", when, "mfaAuthenticated", session && session->mfa ? "true" : "false"));
    if (session && session->source_identity) {
        json_object_set_new(context, "sourceIdentity", json_string(session->source_identity));
    }
    if (session && session->provider) {
        json_object_set_new(context, "webIdFederationData", json_pack("{s:s}", "federatedProvider", session->provider));
    }
    return context;
}

json_t *
caller_identity(const struct cloud *cloud)
{
    if (cloud->unsigned_by) {
        return json_deep_copy(cloud->unsigned_by);
    }
    static const char *const types[] = { "Root", "IAMUser", "AssumedRole", "FederatedUser" };
    const struct caller *caller = cloud->caller;
    char root[64];
    const char *arn = caller_arn(cloud, root);
    json_t *identity =
        json_pack("{s:s, s:s, s:s, s:s}", "type", types[caller ? caller->kind : CALLER_ROOT], "principalId",
                  caller ? caller->user_id : cloud->account, "arn", arn, "accountId", cloud->account);
    if (!caller) {
        return identity;
    }
    if (caller->key[0]) {
        json_object_set_new(identity, "accessKeyId", json_string(caller->key));
    }
    if (caller->kind == CALLER_USER) {
        json_object_set_new(identity, "userName", json_string(caller->name));
    }
    if (caller->session[0] || caller->kind == CALLER_ROLE) {
        json_object_set_new(identity, "sessionContext", session_context(cloud, caller));
    }
    return identity;
}
