#include "cloud/sts_session.h"

#include <stdlib.h>
#include <string.h>
#include "cloud/ops_iam.h"

#define POLICY_CHARACTERS 2048 /* plain text of all session policies */
#define KEEP_MS           (48ll * 3600 * 1000)

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static char *
random_text(struct id_gen *ids, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *text = xcalloc(size + 1, 1);
    for (size_t i = 0; i < size; i++) {
        text[i] = alphabet[id_random_below(ids, 64)];
    }
    return text;
}

/* Sessions that ended long ago are nobody's any more. */
static void
sweep(struct iam_accounts *accounts, int64_t now)
{
    struct iam_session *next;
    for (struct iam_session *s = store_first(accounts->store, &iam_session_kind); s; s = next) {
        next = store_next(accounts->store, s);
        if (s->expires + KEEP_MS < now) {
            store_delete(accounts->store, s);
        }
    }
}

/* ---- policies and tags ------------------------------------------------------------------------------------------- */

static bool
check_policies(const struct op_call *call, const char *account, size_t *size, struct err *err)
{
    const char *inline_policy = arg_str(call->in, "Policy");
    const json_t *arns = json_object_get(call->in, "PolicyArns");
    *size = inline_policy ? iam_document_length(inline_policy) : 0;
    if (inline_policy) {
        struct iam_policy *policy =
            iam_policy_parse(inline_policy, strlen(inline_policy), IAM_POLICY_SESSION, "Policy", err);
        if (!policy) {
            return false;
        }
        iam_policy_free(policy);
    }
    if (json_array_size(arns) > 10) {
        return err_set(err, ERR_INPUT, "ValidationError", "%zu managed session policies; a session has at most 10",
                       json_array_size(arns));
    }
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const char *arn = json_str(json_array_get(arns, i), "arn");
        const struct iam_managed_policy *policy = arn ? iam_find_policy(call->cloud->accounts, arn) : NULL;
        if (!policy || (strcmp(policy->obj.account, "aws") != 0 && strcmp(policy->obj.account, account) != 0)) {
            err_set(err, ERR_INPUT, "NoSuchEntity", "there is no policy `%.160s`", arn ? arn : "");
            return err_at(err, "PolicyArns", 0, 0);
        }
        *size += strlen(arn);
    }
    if (*size > POLICY_CHARACTERS) {
        return err_set(err, ERR_INPUT, "PackedPolicyTooLarge",
                       "the session policies have %zu characters; %d are allowed", *size, POLICY_CHARACTERS);
    }
    return true;
}

static bool
is_listed(char *const *keys, size_t n, const char *key)
{
    for (size_t i = 0; i < n; i++) {
        if (strcasecmp(keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

/* What the caller's own session passes on cannot be given anew. */
static bool
check_tags(const struct op_call *call, struct err *err)
{
    const struct iam_session *own = caller_session(call->cloud, call->cloud->caller);
    const json_t *tags = json_object_get(call->in, "Tags"), *keys = json_object_get(call->in, "TransitiveTagKeys");
    if (!iam_check_tags(tags, err)) {
        return false;
    }
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const char *key = json_str(json_array_get(tags, i), "Key");
        if (own && is_listed(own->transitive_keys.items, own->transitive_keys.n, key)) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "the tag `%.100s` comes from the session that asks and cannot be replaced", key);
        }
    }
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const char *key = json_string_value(json_array_get(keys, i));
        bool given = false;
        for (size_t k = 0; k < json_array_size(tags) && !given; k++) {
            given = strcasecmp(json_str(json_array_get(tags, k), "Key"), key) == 0;
        }
        if (!given) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue",
                           "the transitive tag key `%.100s` is not among the session's tags", key);
        }
    }
    return true;
}

static void
set_tags(const struct op_call *call, struct iam_session *session)
{
    const struct iam_session *own = caller_session(call->cloud, call->cloud->caller);
    const json_t *keys = json_object_get(call->in, "TransitiveTagKeys");
    for (size_t i = 0; own && i < own->obj.tags.n; i++) {
        const struct tag *tag = &own->obj.tags.items[i];
        if (is_listed(own->transitive_keys.items, own->transitive_keys.n, tag->key)) {
            object_set_tag(&session->obj, tag->key, tag->value);
            *VEC_ADD(&session->transitive_keys) = xstrdup(tag->key);
        }
    }
    iam_set_tags(&session->obj, json_object_get(call->in, "Tags"));
    for (size_t i = 0; i < json_array_size(keys); i++) {
        *VEC_ADD(&session->transitive_keys) = xstrdup(json_string_value(json_array_get(keys, i)));
    }
    const char *identity = arg_str(call->in, "SourceIdentity");
    identity = identity ? identity : own ? own->source_identity : NULL;
    session->source_identity = identity ? xstrdup(identity) : NULL;
}

/* ---- sessions ---------------------------------------------------------------------------------------------------- */

struct iam_session *
sts_session_new(struct op_call *call, const char *type, const char *account, long long seconds, struct err *err)
{
    struct iam_accounts *accounts = call->cloud->accounts;
    const json_t *arns = json_object_get(call->in, "PolicyArns");
    const char *policy = arg_str(call->in, "Policy");
    int64_t now = clock_now_ms(&call->cloud->clock);
    size_t size;
    if (!check_policies(call, account, &size, err) || !check_tags(call, err)) {
        return NULL;
    }
    sweep(accounts, now);
    char id[ID_SIZE];
    id_new_iam(accounts->ids, "ASIA", id);
    id[20] = '\0'; /* keys are a letter shorter than other ids */
    struct iam_session *session = store_add(accounts->store, &iam_session_kind, id);
    memcpy(session->obj.account, account, strnlen(account, sizeof session->obj.account - 1));
    session->type = xstrdup(type);
    session->secret = random_text(accounts->ids, 40);
    session->token = random_text(accounts->ids, 320);
    session->created = now / 1000 * 1000;
    session->expires = session->created + seconds * 1000;
    session->mfa = json_object_get(call->in, "SerialNumber") && json_object_get(call->in, "TokenCode");
    if (policy) {
        *VEC_ADD(&session->policies) = xstrdup(policy);
    }
    for (size_t i = 0; i < json_array_size(arns); i++) {
        *VEC_ADD(&session->policy_arns) = xstrdup(json_str(json_array_get(arns, i), "arn"));
    }
    set_tags(call, session);
    return session;
}

/* How much of the space for session policies and tags is used.  AWS packs them in a way it does not tell; ours is the
 * share of the plain text. */
static int
packed_percent(const struct op_call *call, const struct iam_session *session)
{
    size_t used = 0;
    for (size_t i = 0; i < session->policies.n; i++) {
        used += iam_document_length(session->policies.items[i]);
    }
    for (size_t i = 0; i < session->policy_arns.n; i++) {
        used += strlen(session->policy_arns.items[i]);
    }
    const json_t *tags = json_object_get(call->in, "Tags");
    for (size_t i = 0; i < json_array_size(tags); i++) {
        used += strlen(json_str(json_array_get(tags, i), "Key")) + strlen(json_str(json_array_get(tags, i), "Value"));
    }
    return used ? (int)(used * 100 / POLICY_CHARACTERS) + 1 : 0;
}

void
sts_answer_credentials(struct op_call *call, const struct iam_session *session)
{
    char when[32];
    clock_format_s(session->expires, when);
    json_object_set_new(call->out, "Credentials",
                        json_pack("{s:s, s:s, s:s, s:s}", "AccessKeyId", session->obj.id, "SecretAccessKey",
                                  session->secret, "SessionToken", session->token, "Expiration", when));
    int percent = packed_percent(call, session);
    if (percent) {
        json_object_set_new(call->out, "PackedPolicySize", json_integer(percent > 100 ? 100 : percent));
    }
}

struct iam_role *
sts_role(const struct op_call *call)
{
    const struct store *store = call->cloud->accounts->store;
    const char *arn = arg_str(call->in, "RoleArn");
    for (struct iam_role *r = store_first(store, &iam_role_kind); r && arn; r = store_next(store, r)) {
        if (strcmp(r->arn, arn) == 0) {
            return r;
        }
    }
    return NULL;
}

struct iam_session *
sts_assume(struct op_call *call, const struct iam_role *role, bool chained, struct err *err)
{
    long long seconds = arg_int(call->in, "DurationSeconds", 3600),
              most = role->max_session_s ? role->max_session_s : 3600;
    const char *name = arg_str(call->in, "RoleSessionName");
    if (chained && seconds > 3600) {
        err_set(err, ERR_INPUT, "ValidationError",
                "the requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
        return NULL;
    }
    if (seconds > most) {
        err_set(err, ERR_INPUT, "ValidationError",
                "the requested DurationSeconds exceeds the MaxSessionDuration set for this role");
        err_hint(err, "`%s` allows %lld seconds; `iam update-role --max-session-duration` changes it", role->name,
                 most);
        return NULL;
    }
    struct iam_session *session = sts_session_new(call, "AssumedRole", role->obj.account, seconds, err);
    if (!session) {
        return NULL;
    }
    session->arn = xasprintf("arn:aws:sts::%s:assumed-role/%s/%s", role->obj.account, role->name, name);
    session->user_id = xasprintf("%s:%s", role->obj.id, name);
    session->issuer = xstrdup(role->arn);
    sts_answer_credentials(call, session);
    json_object_set_new(call->out, "AssumedRoleUser",
                        json_pack("{s:s, s:s}", "AssumedRoleId", session->user_id, "Arn", session->arn));
    if (session->source_identity) {
        json_object_set_new(call->out, "SourceIdentity", json_string(session->source_identity));
    }
    return session;
}
