#include "cloud/authorize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/caller.h"
#include "cloud/denial.h"
#include "cloud/op_types.h"
#include "cloud/permission.h"
#include "cloud/sharing.h"
#include "iampolicy/explain.h"
#include "iampolicy/gather.h"
#include "iampolicy/organization.h"
#include "iampolicy/why.h"
#include "netsim/model/network.h"

/* One question, from the request to the decision. */
struct question {
    const struct op_call *call;
    const struct caller *caller; /* NULL: the root user of the lab's account, or 'principal' is somebody else */
    const struct permission *permission;
    struct iam_request *request;
    struct iam_gathered gathered;
    struct iam_result result;
};

static struct iam_text
as_text(const char *s)
{
    return (struct iam_text){ s, (uint32_t)strlen(s) };
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

/* What temporary credentials bring along; long-term ones lack the keys altogether. */
static void
set_session_keys(struct question *q, const struct iam_session *session)
{
    char text[160];
    bool role = q->caller->kind == CALLER_ROLE;
    if (!session && !role) {
        return;
    }
    clock_format_s(session ? session->created : clock_now_ms(&q->call->cloud->clock), text);
    iam_request_set_string(q->request, "aws:TokenIssueTime", text);
    iam_request_set_string(q->request, "aws:MultiFactorAuthPresent", session && session->mfa ? "true" : "false");
    if (!session) {
        return;
    }
    if (session->mfa) {
        long long age = (clock_now_ms(&q->call->cloud->clock) - session->created) / 1000;
        snprintf(text, sizeof text, "%lld", age);
        iam_request_set_string(q->request, "aws:MultiFactorAuthAge", text);
    }
    for (size_t i = 0; i < session->obj.tags.n; i++) {
        snprintf(text, sizeof text, "aws:PrincipalTag/%s", session->obj.tags.items[i].key);
        iam_request_set_string(q->request, text, session->obj.tags.items[i].value);
    }
    if (session->source_identity) {
        iam_request_set_string(q->request, "aws:SourceIdentity", session->source_identity);
    }
    if (session->provider) {
        iam_request_set_string(q->request, "aws:FederatedProvider", session->provider);
    }
}

/* Through an endpoint the address is the sender's own in his VPC, which is another key.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html (network) */
static void
set_origin(struct iam_request *request, const struct call_origin *origin)
{
    if (origin && origin->plain) {
        iam_request_set_string(request, "aws:SecureTransport", "false");
    }
    if (!origin || !origin->endpoint_id) {
        iam_request_set_string(request, "aws:SourceIp",
                               origin ? origin->source_ip : "127.0.0.1"); /* as the journal has it */
        return;
    }
    iam_request_set_string(request, "aws:VpcSourceIp", origin->source_ip);
    iam_request_set_string(request, "aws:SourceVpc", origin->vpc_id);
    iam_request_set_string(request, "aws:SourceVpce", origin->endpoint_id);
}

static bool
set_request(struct question *q, const char *principal, struct err *err)
{
    const struct cloud *cloud = q->call->cloud;
    const struct permission *p = q->permission;
    char root[64];
    const char *arn = principal ? principal : caller_arn(cloud, root);
    if (!iam_request_set_principal(q->request, as_text(arn), err) ||
        !iam_request_set_action(q->request, as_text(p->action), err)) {
        return false;
    }
    bool resource_level = !p->info || p->info->n_resources > 0;
    iam_request_set_resource(q->request, as_text(p->resource), as_text(""), resource_level);
    permission_tell_request(p, q->request);
    set_origin(q->request, cloud->origin);
    iam_request_set_string(q->request, "aws:UserAgent", "vpclab/" VPCLAB_VERSION);
    if (q->caller) {
        set_session_keys(q, caller_session(cloud, q->caller));
    }
    return true;
}

/* ---- the policies ------------------------------------------------------------------------------------------------ */

static bool
gather_session(struct question *q, const struct iam_session *session, struct err *err)
{
    struct iam_policies *policies = &q->gathered.policies;
    char name[200];
    for (size_t i = 0; session && i < session->policies.n; i++) {
        snprintf(name, sizeof name, "session/%s/inline", q->caller->user_id);
        policies->has_session = true;
        if (!iam_gather_text(&q->gathered, &policies->session, session->policies.items[i], IAM_POLICY_SESSION, name,
                             "none", "session", err)) {
            return false;
        }
    }
    for (size_t i = 0; session && i < session->policy_arns.n; i++) {
        const char *arn = session->policy_arns.items[i];
        const struct iam_managed_policy *managed = iam_find_policy(q->call->cloud->accounts, arn);
        const char *text = managed ? iam_managed_policy_document(managed) : NULL;
        policies->has_session = true;
        if (text && !iam_gather_text(&q->gathered, &policies->session, text, IAM_POLICY_SESSION, arn, "user-managed",
                                     managed->name, err)) {
            return false;
        }
    }
    return true;
}

/* A federated user has what the user who asked for it has, within its session policies. */
static bool
gather_issuer(struct question *q, struct err *err)
{
    struct iam_principal own = q->request->principal, issuer;
    const struct iam_accounts *accounts = q->call->cloud->accounts;
    if (!iam_principal_parse(q->request->arena, as_text(q->caller->issuer), &issuer, err)) {
        return false;
    }
    static const char everything[] =
        "{\"Version\":\"2012-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}}";
    q->request->principal = issuer;
    bool done = issuer.kind == IAM_ROOT ? iam_gather_text(&q->gathered, &q->gathered.policies.identity, everything,
                                                          IAM_POLICY_IDENTITY, "root user", "none", "root", err)
                                        : iam_gather_identity(accounts, q->request, &q->gathered, err);
    q->request->principal = own;
    q->request->principal.issuer = arena_strdup(q->request->arena, q->caller->issuer);
    return done;
}

/* What the endpoint lets through that the request came by. */
static bool
gather_endpoint(struct question *q, struct err *err)
{
    const struct call_origin *origin = q->call->cloud->origin;
    struct iam_policies *policies = &q->gathered.policies;
    if (!origin || !origin->endpoint_id || !origin->endpoint_policy) {
        return true;
    }
    policies->via_endpoint = true;
    return iam_gather_text(&q->gathered, &policies->endpoint, origin->endpoint_policy, IAM_POLICY_ENDPOINT,
                           origin->endpoint_id, "endpoint", origin->endpoint_id, err);
}

static bool
gather(struct question *q, struct err *err)
{
    const struct iam_accounts *accounts = q->call->cloud->accounts;
    const struct caller *caller = q->caller;
    bool federated = caller && caller->kind == CALLER_FEDERATED;
    bool done = federated ? gather_issuer(q, err) : iam_gather_identity(accounts, q->request, &q->gathered, err);
    if (done && caller) {
        done = gather_session(q, caller_session(q->call->cloud, caller), err);
    }
    return done && gather_endpoint(q, err) && sharing_gather(q->call->cloud, q->request, &q->gathered, err) &&
           iam_gather_resource(accounts, q->request, &q->gathered, err);
}

/* ---- refusal ----------------------------------------------------------------------------------------------------- */

/* Services whose protocol speaks JSON call it AccessDeniedException. */
static const char *
refusal_code(const struct op *op)
{
    const struct aws_service *service = aws_service_find(op->service);
    const char *protocol = service ? aws_text(service->protocol) : "";
    if (strcmp(protocol, "ec2") == 0) {
        return "UnauthorizedOperation";
    }
    return strstr(protocol, "json") ? "AccessDeniedException" : "AccessDenied";
}

/* AWS's own line.  It leaves the resource out where the action has none, S3 puts it in quotes, and the policy that
 * denies is named only where it has an ARN. */
static char *
message_of(const struct question *q)
{
    const char *resource = q->request->resource.s;
    bool s3 = strncmp(q->permission->action, "s3:", 3) == 0;
    char *line = iam_denied_message(q->request, &q->result), *named = strstr(line, "with an explicit deny in ");
    char *where = strstr(line, " on resource: "), *policy = named ? strstr(named, ": ") : NULL;
    if (policy && strncmp(policy + 2, "arn:", 4) != 0) {
        *policy = '\0';
    }
    char *after = where ? where + strlen(" on resource: ") + strlen(resource) : NULL, *message;
    if (where && strcmp(resource, "*") == 0) {
        message = xasprintf("%.*s%s", (int)(where - line), line, after);
    } else if (where && s3) {
        message = xasprintf("%.*s on resource: \"%s\"%s", (int)(where - line), line, resource, after);
    } else {
        message = xstrdup(line);
    }
    free(line);
    return message;
}

static void
refuse(struct question *q, struct err *err)
{
    const struct op *op = q->call->op;
    char *message = message_of(q);
    const char *code = refusal_code(op), *quote = strchr(q->permission->resource, '*') ? "'" : "";
    char *shown = xasprintf("%s%s%s", quote, q->permission->resource, quote);
    bool encoded = strcmp(code, "UnauthorizedOperation") == 0;
    char blob[DENIAL_SIZE];
    json_t *denial = denial_describe(q->request, &q->result), *why = iam_why(&q->gathered.policies, q->request);
    denial_name(q->call->cloud, op, blob);
    denial_store(q->call->cloud, op, code, encoded ? blob : NULL, denial, why);
    json_decref(denial);
    json_decref(why);
    if (encoded) {
        err_set(err, ERR_INPUT, code,
                "You are not authorized to perform this operation. %s. Encoded authorization failure message: %s",
                message, blob);
        err_hint(
            err,
            "`why` explains; `sts decode-authorization-message` shows what was asked; `simulate %s %s %s` asks again",
            q->request->principal.arn, q->permission->action, shown);
    } else {
        err_set(err, ERR_INPUT, code, "%s", message);
        err_hint(err, "`why` explains; `simulate %s %s %s` asks again", q->request->principal.arn,
                 q->permission->action, shown);
    }
    free(shown);
    free(message);
}

/* ---- asking ------------------------------------------------------------------------------------------------------ */

static bool
ask(struct question *q, const char *principal, struct err *err)
{
    const struct cloud *cloud = q->call->cloud;
    q->request = iam_request_new();
    bool done = set_request(q, principal, err) && gather(q, err);
    if (done) {
        iam_request_derive(q->request, IAM_DERIVE_PRINCIPAL | IAM_DERIVE_RESOURCE | IAM_DERIVE_CALL,
                           clock_now_ms(&cloud->clock), cloud->region);
        done = iam_decide(&q->gathered.policies, q->request, &q->result) == IAM_ALLOW;
        if (!done) {
            refuse(q, err);
        }
    }
    iam_result_done(&q->result);
    iam_gathered_done(&q->gathered);
    iam_request_free(q->request);
    return done;
}

static bool
is_anonymous(const struct op_call *call)
{
    return call->cloud->origin && call->cloud->origin->anonymous;
}

bool
op_authorize_one(const struct op_call *call, const char *principal, const struct permission *permission,
                 struct err *err)
{
    principal = principal ? principal : is_anonymous(call) ? "*anonymous*" : NULL;
    struct question q = { .call = call, .caller = principal ? NULL : call->cloud->caller, .permission = permission };
    return ask(&q, principal, err);
}

/* Calls nobody signs: the identity provider's word is who asks, and the handler asks for it. */
static bool
is_unsigned(const struct op *op)
{
    return strcmp(op->service, "sts") == 0 &&
           (strcmp(op->name, "AssumeRoleWithWebIdentity") == 0 || strcmp(op->name, "AssumeRoleWithSAML") == 0);
}

/* What the credentials themselves cannot be used for, whatever policies say.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html */
static bool
check_credentials(const struct op_call *call, struct err *err)
{
    const struct caller *caller = call->cloud->caller;
    const struct iam_session *session = caller_session(call->cloud, caller);
    const char *service = call->op->service, *name = call->op->name;
    bool own = session && strcmp(session->type, "SessionToken") == 0;
    bool federated = caller && caller->kind == CALLER_FEDERATED;
    bool asks_token = strcmp(name, "GetSessionToken") == 0 || strcmp(name, "GetFederationToken") == 0;
    if (strcmp(service, "iam") == 0 && ((own && !session->mfa) || federated)) {
        err_set(err, ERR_INPUT, "InvalidClientTokenId", "the security token included in the request is invalid");
        return err_hint(err, federated ? "a federated user cannot call IAM"
                                       : "credentials of get-session-token can call IAM only when they were asked for "
                                         "with MFA");
    }
    if (strcmp(service, "sts") != 0) {
        return true;
    }
    if (asks_token && (session || (caller && caller->kind == CALLER_ROLE))) {
        return err_set(err, ERR_INPUT, "AccessDenied", "Cannot call %s with session credentials", name);
    }
    if (strcmp(name, "AssumeRole") == 0 && (!caller || caller->kind == CALLER_ROOT)) {
        err_set(err, ERR_INPUT, "AccessDenied", "Roles may not be assumed by root accounts.");
        return err_hint(err, "ask as a user: --as alice; or act as the role straight away: --as ROLE");
    }
    if (federated && strcmp(name, "GetCallerIdentity") != 0) {
        return err_set(err, ERR_INPUT, "AccessDenied", "Cannot call %s with federated user credentials", name);
    }
    return true;
}

/* Only policies of resources and of organizations restrict a root user. */
static bool
may_be_refused(const struct op_call *call)
{
    static const char *const with_resource_policies[] = { "s3api", "s3control", "kms", "sts" };
    const struct caller *caller = call->cloud->caller;
    if (caller && caller->kind != CALLER_ROOT) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(with_resource_policies); i++) {
        if (strcmp(call->op->service, with_resource_policies[i]) == 0) {
            return true;
        }
    }
    /* What another account owns is not his, whatever his own account allows. */
    return store_count(call->cloud->accounts->store, &organization_kind) > 0 ||
           (caller && strcmp(caller->account, call->cloud->home_account) != 0);
}

bool
op_authorize(const struct op_call *call, struct err *err)
{
    if (!call->op->service || is_unsigned(call->op)) {
        return true;
    }
    if (!check_credentials(call, err)) {
        return false;
    }
    if (!is_anonymous(call) && !may_be_refused(call)) {
        return true;
    }
    if (!sharing_check(call, err)) {
        return false;
    }
    struct iam_catalog *catalog = iam_catalog_new();
    permissions list = { 0 };
    bool allowed = true;
    permissions_of(call, catalog, &list);
    for (size_t i = 0; i < list.n && allowed; i++) {
        allowed = op_authorize_one(call, NULL, &list.items[i], err);
    }
    permissions_done(&list);
    iam_catalog_free(catalog);
    return allowed;
}
