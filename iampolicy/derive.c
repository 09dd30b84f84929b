/* The context keys that AWS fills in by itself (spec: global condition keys and when each is present). */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "iampolicy/request.h"

static void
derive(struct iam_request *request, const char *name, struct iam_text value)
{
    struct iam_text key = { name, (uint32_t)strlen(name) };
    struct iam_key made = iam_key_make(request->arena, key);
    if (!iam_request_value(request, &made)) {
        iam_request_set_context(request, key, &value, 1, false);
        request->context[request->n_context - 1].derived = true;
    }
}

static void
derive_string(struct iam_request *request, const char *name, const char *value)
{
    derive(request, name, (struct iam_text){ value, (uint32_t)strlen(value) });
}

/* aws:PrincipalArn of a session is the role's ARN, not the session's. */
static void
derive_principal_arn(struct iam_request *request)
{
    const struct iam_principal *p = &request->principal;
    if (p->kind == IAM_ROLE_SESSION && !p->issuer) {
        const char *arn = arena_printf(request->arena, "arn:%.*s:iam::%s:role/%.*s", (int)p->partition.n,
                                       p->partition.s, p->account, (int)p->role.n, p->role.s);
        derive_string(request, "aws:PrincipalArn", arn);
    } else if (p->kind == IAM_ROLE_SESSION) {
        derive_string(request, "aws:PrincipalArn", p->issuer);
    } else {
        derive(request, "aws:PrincipalArn", (struct iam_text){ p->arn, p->arn_size });
    }
}

static void
derive_userid(struct iam_request *request)
{
    const struct iam_principal *p = &request->principal;
    struct arena *arena = request->arena;
    int n = (int)p->name.n;
    if (p->kind == IAM_ROOT) {
        derive_string(request, "aws:userid", p->account);
    } else if (p->kind == IAM_USER && p->unique_id) {
        derive_string(request, "aws:userid", p->unique_id);
    } else if (p->kind == IAM_ROLE_SESSION && p->unique_id) {
        derive_string(request, "aws:userid", arena_printf(arena, "%s:%.*s", p->unique_id, n, p->name.s));
    } else if (p->kind == IAM_FEDERATED_USER) {
        derive_string(request, "aws:userid", arena_printf(arena, "%s:%.*s", p->account, n, p->name.s));
    } else if (p->kind == IAM_ANONYMOUS) {
        derive_string(request, "aws:userid", "anonymous");
    }
}

static void
derive_service_caller(struct iam_request *request)
{
    const struct iam_principal *p = &request->principal;
    struct iam_text name = { p->arn, p->arn_size }, names[2] = { name };
    struct iam_text key = { "aws:PrincipalServiceNamesList", 29 };
    struct iam_key made = iam_key_make(request->arena, key);
    derive(request, "aws:PrincipalServiceName", name);
    if (!iam_request_value(request, &made)) {
        iam_request_set_context(request, key, names, 1, true);
        request->context[request->n_context - 1].derived = true;
    }
}

static void
derive_principal(struct iam_request *request)
{
    static const char *const types[] = {
        [IAM_ANONYMOUS] = "Anonymous",
        [IAM_ROOT] = "Account",
        [IAM_USER] = "User",
        [IAM_ROLE_SESSION] = "AssumedRole",
        [IAM_FEDERATED_USER] = "FederatedUser",
        [IAM_CANONICAL] = NULL,
    };
    const struct iam_principal *p = &request->principal;
    if (p->kind == IAM_ROOT || p->kind == IAM_USER || p->kind == IAM_ROLE_SESSION || p->kind == IAM_FEDERATED_USER) {
        derive_principal_arn(request);
        derive_string(request, "aws:PrincipalAccount", p->account);
    }
    if (p->kind < sizeof types / sizeof *types && types[p->kind]) {
        derive_string(request, "aws:PrincipalType", types[p->kind]);
    }
    derive_userid(request);
    if (p->kind == IAM_USER) {
        derive(request, "aws:username", p->name);
    }
    if (p->kind != IAM_ANONYMOUS) {
        derive_string(request, "aws:PrincipalIsAWSService", p->kind == IAM_SERVICE ? "true" : "false");
    }
    if (p->kind == IAM_SERVICE) {
        derive_service_caller(request);
    }
}

static void
derive_call(struct iam_request *request, int64_t now_ms, const char *region)
{
    char text[32];
    struct arn arn;
    clock_format_s(now_ms, text);
    derive_string(request, "aws:CurrentTime", text);
    snprintf(text, sizeof text, "%lld", (long long)(now_ms / 1000));
    derive_string(request, "aws:EpochTime", text);
    derive_string(request, "aws:SecureTransport", "true");
    derive_string(request, "aws:ViaAWSService", "false");
    if (!request->resource_all && arn_parse(request->resource.s, &arn) && arn.region.size) {
        derive(request, "aws:RequestedRegion", (struct iam_text){ arn.region.text, (uint32_t)arn.region.size });
    } else if (region) {
        derive_string(request, "aws:RequestedRegion", region);
    }
}

void
iam_request_derive(struct iam_request *request, unsigned what, int64_t now_ms, const char *region)
{
    if (what & IAM_DERIVE_PRINCIPAL) {
        derive_principal(request);
    }
    if (what & IAM_DERIVE_RESOURCE && request->account[0]) {
        derive_string(request, "aws:ResourceAccount", request->account);
    }
    if (what & IAM_DERIVE_CALL) {
        derive_call(request, now_ms, region);
    }
}
