/* cloud/ops_sts.c - who am I, and temporary credentials.
 *
 * Whether a role may be assumed is decided by op_authorize() before a handler runs: the role's trust policy is the
 * resource policy of sts:AssumeRole.  MFA devices are not modelled: a serial number with any code of six digits counts
 * as MFA.
 *
 * Source: https://docs.aws.amazon.com/STS/latest/APIReference/API_Operations.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/denial.h"
#include "cloud/ops_iam.h"
#include "cloud/sts_session.h"

static bool
get_caller_identity(struct op_call *call, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    char root[64];
    (void)err;
    json_object_set_new(call->out, "UserId", json_string(caller ? caller->user_id : call->cloud->account));
    json_object_set_new(call->out, "Account", json_string(call->cloud->account));
    json_object_set_new(call->out, "Arn", json_string(caller_arn(call->cloud, root)));
    return true;
}

static bool
assume_role(struct op_call *call, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    const struct iam_role *role = sts_role(call);
    if (!role) { /* whoever could tell the difference could list another account's roles */
        char root[64];
        return err_set(err, ERR_INPUT, "AccessDenied",
                       "User: %s is not authorized to perform: sts:AssumeRole on resource: %s",
                       caller_arn(call->cloud, root), arg_str(call->in, "RoleArn"));
    }
    return sts_assume(call, role, caller && caller->kind == CALLER_ROLE, err) != NULL;
}

/* Long-term users get up to 36 hours, root users one. */
static bool
duration(const struct op_call *call, long long *seconds, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    bool root = !caller || caller->kind == CALLER_ROOT;
    *seconds = arg_int(call->in, "DurationSeconds", root ? 3600 : 43200);
    if (root && *seconds > 3600) {
        return err_set(err, ERR_INPUT, "ValidationError",
                       "the requested DurationSeconds exceeds the 1 hour session limit of a root user");
    }
    return true;
}

static bool
get_session_token(struct op_call *call, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    char root[64];
    long long seconds;
    if (!json_object_get(call->in, "SerialNumber") != !json_object_get(call->in, "TokenCode")) {
        return err_set(err, ERR_INPUT, "ValidationError", "`SerialNumber` and `TokenCode` belong together");
    }
    struct iam_session *session = duration(call, &seconds, err)
                                      ? sts_session_new(call, "SessionToken", call->cloud->account, seconds, err)
                                      : NULL;
    if (!session) {
        return false;
    }
    session->arn = xstrdup(caller_arn(call->cloud, root));
    session->user_id = xstrdup(caller ? caller->user_id : call->cloud->account);
    session->issuer = xstrdup(session->arn);
    sts_answer_credentials(call, session);
    return true;
}

static bool
get_federation_token(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "Name"), *account = call->cloud->account;
    char root[64];
    long long seconds;
    struct iam_session *session =
        duration(call, &seconds, err) ? sts_session_new(call, "FederatedUser", account, seconds, err) : NULL;
    if (!session) {
        return false;
    }
    session->arn = xasprintf("arn:aws:sts::%s:federated-user/%s", account, name);
    session->user_id = xasprintf("%s:%s", account, name);
    session->issuer = xstrdup(caller_arn(call->cloud, root));
    sts_answer_credentials(call, session);
    json_object_set_new(call->out, "FederatedUser",
                        json_pack("{s:s, s:s}", "FederatedUserId", session->user_id, "Arn", session->arn));
    return true;
}

static bool
decode_authorization_message(struct op_call *call, struct err *err)
{
    char *text = denial_find(call->cloud, arg_str(call->in, "EncodedMessage"), err);
    if (text) {
        json_object_set_new(call->out, "DecodedMessage", json_string(text));
    }
    free(text);
    return text != NULL;
}

/* The account a key belongs to; the lab knows only its own keys. */
static bool
get_access_key_info(struct op_call *call, struct err *err)
{
    const char *id = arg_str(call->in, "AccessKeyId");
    const struct store *store = call->cloud->accounts->store;
    const struct object *key = store_get(store, &iam_access_key_kind, id);
    key = key ? key : store_get(store, &iam_session_kind, id);
    if (!key) {
        return err_set(err, ERR_INPUT, "ValidationError", "the lab has no access key `%.40s`", id);
    }
    json_object_set_new(call->out, "Account", json_string(key->account));
    return true;
}

#define ROW(name_, mode_, run_, help_)                                                                                 \
    {                                                                                                                  \
        .service = "sts", .name = name_, .mode = mode_, .run = run_, .help = help_                                     \
    }
const struct op ops_sts[] = {
    ROW("GetCallerIdentity", OP_READ, get_caller_identity, "Show who you are."),
    ROW("AssumeRole", OP_WRITE, assume_role, "Get a session of a role; its trust policy decides whether you may."),
    ROW("GetSessionToken", OP_WRITE, get_session_token, "Get temporary credentials of your own."),
    ROW("GetFederationToken", OP_WRITE, get_federation_token,
        "Get temporary credentials for somebody else, within the policy given."),
    ROW("DecodeAuthorizationMessage", OP_READ, decode_authorization_message,
        "Show what was asked when EC2 refused a request."),
    ROW("GetAccessKeyInfo", OP_READ, get_access_key_info, "Show which account an access key belongs to."),
    { 0 },
};
