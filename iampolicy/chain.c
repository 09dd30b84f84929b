#include "iampolicy/chain.h"

#include <stdlib.h>
#include <string.h>

void
iam_policies_done(struct iam_policies *policies)
{
    VEC_DONE(&policies->identity);
    VEC_DONE(&policies->boundary);
    VEC_DONE(&policies->session);
    VEC_DONE(&policies->resource);
    VEC_DONE(&policies->endpoint);
    VEC_DONE(&policies->beneath);
    for (size_t i = 0; i < policies->scp.n; i++) {
        VEC_DONE(&policies->scp.items[i].policies);
    }
    for (size_t i = 0; i < policies->rcp.n; i++) {
        VEC_DONE(&policies->rcp.items[i].policies);
    }
    VEC_DONE(&policies->scp);
    VEC_DONE(&policies->rcp);
    *policies = (struct iam_policies){ 0 };
}

void
iam_result_done(struct iam_result *result)
{
    VEC_DONE(&result->matched);
    VEC_DONE(&result->looks);
    *result = (struct iam_result){ 0 };
}

struct chain {
    const struct iam_policies *policies;
    const struct iam_request *request;
    struct iam_asking asking;
    struct iam_said said[IAM_N_SETS];
    unsigned asked;
    int silent_scp, silent_rcp; /* the first level without an allow, -1: none */
    bool strict;                /* the resource's policy must speak */
    bool bucket_silent;         /* the bucket beneath the access point does not grant */
};

#define KIND(kind) (1u << (kind))
#define SELF_KINDS (KIND(IAM_MATCH_ANY) | KIND(IAM_MATCH_DIRECT)) /* the caller itself is named, or everybody */

/* ---- asking the sets ---- */

static void
ask(struct chain *c, enum iam_set set, const struct iam_policy *const *items, size_t n)
{
    c->asked |= 1u << set;
    for (size_t i = 0; i < n; i++) {
        iam_evaluate_policy(&c->asking, items[i], set, 0, &c->said[set]);
    }
}

static unsigned
strongest(unsigned kinds)
{
    unsigned kind = KIND(IAM_MATCH_ANY);
    while (kind && !(kinds & kind)) {
        kind >>= 1;
    }
    return kind;
}

static bool
bucket_is_own(const struct iam_request *r)
{
    return strcmp(r->principal.account, r->beneath_account) == 0;
}

/* Through an access point: the bucket's policy is asked about the bucket, and both policies must grant, so that
 * together they grant as the weaker of them does. */
static void
ask_beneath(struct chain *c)
{
    struct iam_request about = *c->request;
    struct iam_said *said = &c->said[IAM_SET_RESOURCE], bucket = { 0 };
    about.resource = about.beneath;
    c->asking.request = &about;
    for (size_t i = 0; i < c->policies->beneath.n; i++) {
        iam_evaluate_policy(&c->asking, c->policies->beneath.items[i], IAM_SET_RESOURCE, 0, &bucket);
        c->asked |= 1u << IAM_SET_RESOURCE;
    }
    c->asking.request = c->request;
    c->bucket_silent = !bucket.kinds;
    unsigned point = strongest(said->kinds), beneath = strongest(bucket.kinds);
    bool other_account = strcmp(c->request->account, c->request->beneath_account) != 0;
    if (!(c->bucket_silent && bucket_is_own(c->request) && other_account)) { /* a bucket's owner needs no grant of it */
        said->kinds = (uint8_t)(point < beneath ? point : beneath);
    }
    said->allow = said->kinds != 0;
    said->deny |= bucket.deny;
}

static int
ask_levels(struct chain *c, enum iam_set set, const struct iam_level *levels, size_t n)
{
    int silent = -1;
    c->asked |= 1u << set;
    for (size_t level = 0; level < n; level++) {
        struct iam_said said = { 0 };
        for (size_t i = 0; i < levels[level].policies.n; i++) {
            iam_evaluate_policy(&c->asking, levels[level].policies.items[i], set, (uint8_t)level, &said);
        }
        c->said[set].deny |= said.deny;
        if (!said.allow && silent < 0) {
            silent = (int)level;
        }
    }
    c->said[set].allow = silent < 0;
    return silent;
}

static bool
scp_applies(const struct chain *c)
{
    const struct iam_principal *p = &c->request->principal;
    bool member =
        p->kind == IAM_ROOT || p->kind == IAM_USER || p->kind == IAM_ROLE_SESSION || p->kind == IAM_FEDERATED_USER;
    return c->policies->scp.n && member && !p->service_linked && !c->request->management_account;
}

/* A service that assumes its own service-linked role is as free of RCPs as the role. */
static bool
rcp_applies(struct chain *c)
{
    const struct iam_request *r = c->request;
    if (!c->policies->rcp.n || r->resource_in_management || r->principal.service_linked || r->aws_managed_key ||
        iam_text_is(r->action_lower, "kms:retiregrant")) {
        return false;
    }
    if (r->principal.kind == IAM_SERVICE && iam_is_assume_role(r) && strstr(r->resource.s, ":role/aws-service-role/")) {
        return false;
    }
    c->asking.remarks |= r->service->prefix[0] ? 0 : IAM_REMARK_SERVICE;
    return r->service->rcp;
}

/* The owner's root user can always repair a bucket policy (S3 User Guide: bucket policies). */
static bool
is_bucket_repair(const struct iam_request *r)
{
    static const char *const actions[] = { "s3:getbucketpolicy", "s3:putbucketpolicy", "s3:deletebucketpolicy" };
    if (r->principal.kind != IAM_ROOT || strcmp(r->principal.account, r->account) != 0) {
        return false;
    }
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
        if (iam_text_is(r->action_lower, actions[i])) {
            return true;
        }
    }
    return false;
}

static void
ask_all(struct chain *c)
{
    const struct iam_policies *p = c->policies;
    const struct iam_principal *caller = &c->request->principal;
    bool has_identity = caller->kind == IAM_USER || caller->kind == IAM_ROLE_SESSION ||
                        caller->kind == IAM_FEDERATED_USER || caller->kind == IAM_CANONICAL;
    if (rcp_applies(c)) {
        c->silent_rcp = ask_levels(c, IAM_SET_RCP, p->rcp.items, p->rcp.n);
    }
    if (scp_applies(c)) {
        c->silent_scp = ask_levels(c, IAM_SET_SCP, p->scp.items, p->scp.n);
    }
    if (p->via_endpoint) {
        ask(c, IAM_SET_ENDPOINT, p->endpoint.items, p->endpoint.n);
    }
    if (p->resource.n && !c->request->no_resource_policy && !is_bucket_repair(c->request)) {
        ask(c, IAM_SET_RESOURCE, p->resource.items, p->resource.n);
    }
    if (c->request->beneath.n) {
        ask_beneath(c);
    }
    if (c->request->granted) {
        c->said[IAM_SET_RESOURCE].allow = true;
        c->said[IAM_SET_RESOURCE].kinds |= KIND(IAM_MATCH_DIRECT);
    }
    if (p->has_boundary && has_identity) {
        ask(c, IAM_SET_BOUNDARY, p->boundary.items, p->boundary.n);
    }
    if (p->has_session) {
        ask(c, IAM_SET_SESSION, p->session.items, p->session.n);
    }
    if (has_identity || (caller->kind == IAM_ROOT && p->identity.n)) {
        ask(c, IAM_SET_IDENTITY, p->identity.items, p->identity.n);
    }
    if (caller->kind == IAM_ROOT) {
        c->said[IAM_SET_IDENTITY].allow = true; /* root has what SCPs and RCPs leave it */
    }
}

/* ---- combining ---- */

static bool
boundary_allows(const struct chain *c)
{
    return !(c->asked & 1u << IAM_SET_BOUNDARY) || c->said[IAM_SET_BOUNDARY].allow;
}

static bool
session_allows(struct chain *c)
{
    if (c->asked & 1u << IAM_SET_SESSION) {
        return c->said[IAM_SET_SESSION].allow && !c->said[IAM_SET_SESSION].deny;
    }
    if (c->request->principal.kind == IAM_FEDERATED_USER) {
        c->asking.remarks |= IAM_REMARK_NO_SESSION_POLICY;
        return false;
    }
    return true;
}

/* What identity, boundary and session leave once the base is granted. */
static enum iam_step
limits(struct chain *c, bool with_boundary)
{
    if (with_boundary && !boundary_allows(c)) {
        return IAM_STEP_BOUNDARY;
    }
    return session_allows(c) ? IAM_STEP_ALLOWED : IAM_STEP_SESSION;
}

static enum iam_step
same_account(struct chain *c, bool with_boundary, bool *bypass)
{
    unsigned kinds = c->said[IAM_SET_RESOURCE].kinds;
    if (c->strict && !kinds) {
        return IAM_STEP_RESOURCE; /* a key or role whose policy is silent: the identity policies are void */
    }
    if (kinds & SELF_KINDS) {
        *bypass = true;
        return IAM_STEP_ALLOWED;
    }
    if (kinds & KIND(IAM_MATCH_ACCOUNT) && !c->strict && !c->said[IAM_SET_IDENTITY].allow) {
        c->asking.remarks |= IAM_REMARK_ACCOUNT_PRINCIPAL;
    }
    if (!(c->said[IAM_SET_IDENTITY].allow && (!c->strict || kinds & KIND(IAM_MATCH_ACCOUNT))) &&
        !(kinds & KIND(IAM_MATCH_ISSUER))) {
        return IAM_STEP_IDENTITY;
    }
    return limits(c, with_boundary);
}

/* Both halves must allow; nothing is bypassed across accounts. */
static enum iam_step
cross_account(struct chain *c, bool with_boundary)
{
    if (!c->said[IAM_SET_RESOURCE].kinds) {
        return IAM_STEP_RESOURCE;
    }
    if (!c->said[IAM_SET_IDENTITY].allow) {
        return IAM_STEP_IDENTITY;
    }
    return limits(c, with_boundary);
}

static bool
is_same_account(const struct iam_request *r)
{
    return !r->account[0] || strcmp(r->principal.account, r->account) == 0;
}

/* The part of the decision after explicit denies and the organisation's limits. */
static enum iam_step
combine(struct chain *c, bool with_boundary, bool *bypass)
{
    const struct iam_request *r = c->request;
    unsigned kinds = c->said[IAM_SET_RESOURCE].kinds;
    *bypass = false;
    if (r->beneath.n && c->bucket_silent && !bucket_is_own(r)) {
        return IAM_STEP_RESOURCE; /* whatever the access point's account says */
    }
    switch (r->principal.kind) {
    case IAM_ANONYMOUS:
        return kinds & KIND(IAM_MATCH_ANY) ? IAM_STEP_ALLOWED : IAM_STEP_RESOURCE;
    case IAM_SERVICE:
    case IAM_WEB_IDENTITY:
    case IAM_SAML:
        return kinds ? IAM_STEP_ALLOWED : IAM_STEP_RESOURCE;
    default:
        return is_same_account(r) ? same_account(c, with_boundary, bypass) : cross_account(c, with_boundary);
    }
}

static bool
needs_no_permission(const struct iam_request *r)
{
    return r->principal.kind != IAM_ANONYMOUS && (iam_text_is(r->action_lower, "sts:getcalleridentity") ||
                                                  iam_text_is(r->action_lower, "sts:getsessiontoken"));
}

static enum iam_step
decide_step(struct chain *c, bool *bypass)
{
    const struct iam_request *r = c->request;
    for (int set = 0; set < IAM_N_SETS; set++) {
        if (c->said[set].deny) {
            return IAM_STEP_EXPLICIT_DENY;
        }
    }
    if (r->bucket_restricted && r->principal.kind != IAM_SERVICE && !is_same_account(r)) {
        return IAM_STEP_BUCKET_RESTRICTED;
    }
    if (c->silent_rcp >= 0) {
        return IAM_STEP_RCP;
    }
    if (c->silent_scp >= 0) {
        return IAM_STEP_SCP;
    }
    if (c->policies->via_endpoint && !c->said[IAM_SET_ENDPOINT].allow) {
        return IAM_STEP_ENDPOINT;
    }
    return combine(c, true, bypass);
}

/* What blocks a request that identity, resource and session policies would grant. */
static unsigned
blockers(struct chain *c)
{
    bool bypass;
    unsigned remarks = c->asking.remarks, blocked = 0;
    if (c->said[IAM_SET_SESSION].deny || combine(c, false, &bypass) != IAM_STEP_ALLOWED) {
        c->asking.remarks = remarks;
        return 0;
    }
    for (int set = 0; set < IAM_N_SETS; set++) {
        blocked |= c->said[set].deny ? 1u << set : 0;
    }
    blocked |= c->silent_rcp >= 0 ? 1u << IAM_SET_RCP : 0;
    blocked |= c->silent_scp >= 0 ? 1u << IAM_SET_SCP : 0;
    blocked |= c->policies->via_endpoint && !c->said[IAM_SET_ENDPOINT].allow ? 1u << IAM_SET_ENDPOINT : 0;
    blocked |= !bypass && !boundary_allows(c) ? 1u << IAM_SET_BOUNDARY : 0;
    c->asking.remarks = remarks;
    return blocked;
}

static enum iam_decision
decision_of(enum iam_step step)
{
    switch (step) {
    case IAM_STEP_ALLOWED:
    case IAM_STEP_NO_PERMISSION_NEEDED:
        return IAM_ALLOW;
    case IAM_STEP_EXPLICIT_DENY:
    case IAM_STEP_BUCKET_RESTRICTED:
        return IAM_EXPLICIT_DENY;
    default:
        return IAM_IMPLICIT_DENY;
    }
}

static void
fill_result(struct chain *c, enum iam_step step, bool bypass, struct iam_result *result)
{
    result->step = step;
    result->bypass = bypass;
    result->cross_account = c->request->principal.account[0] && !is_same_account(c->request);
    result->level = (uint8_t)(step == IAM_STEP_RCP ? c->silent_rcp : step == IAM_STEP_SCP ? c->silent_scp : 0);
    result->blocked_by = step == IAM_STEP_ALLOWED ? 0 : blockers(c);
    result->asked = c->asked;
    result->remarks =
        c->asking.remarks | (c->request->account_assumed && !c->request->resource_all ? IAM_REMARK_RESOURCE_OWNER : 0);
    memcpy(result->said, c->said, sizeof result->said);
}

enum iam_decision
iam_decide(const struct iam_policies *policies, const struct iam_request *request, struct iam_result *result)
{
    struct chain c = { .policies = policies, .request = request, .silent_scp = -1, .silent_rcp = -1 };
    const char *guard = NULL;
    enum iam_step step;
    bool bypass = false;
    c.asking.request = request;
    c.asking.has_boundary = policies->has_boundary;
    if (result) {
        result->matched.n = result->looks.n = 0;
        result->guard = NULL;
        c.asking.matched = &result->matched;
        c.asking.looks = result->want_looks ? &result->looks : NULL;
    }
    if (needs_no_permission(request)) {
        step = IAM_STEP_NO_PERMISSION_NEEDED;
    } else {
        c.strict = !request->no_resource_policy && iam_resource_must_speak(request);
        ask_all(&c);
        step = decide_step(&c, &bypass);
        if (step == IAM_STEP_ALLOWED && !request->no_service_guards && (guard = iam_service_guard(request))) {
            step = IAM_STEP_GUARD;
            c.asking.remarks |= IAM_REMARK_GUARD;
        }
        if (step == IAM_STEP_ALLOWED && request->wrong_network) {
            step = IAM_STEP_GUARD;
            guard = request->wrong_network;
        }
    }
    if (result) {
        fill_result(&c, step, bypass, result);
        result->guard = guard;
        result->decision = decision_of(step);
    }
    return decision_of(step);
}
