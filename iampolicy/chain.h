/* iampolicy/chain.h - the whole decision: how identity, resource, boundary, session, SCP, RCP and endpoint policies
 * combine.
 *
 * NotPrincipal with Deny is read leniently by default (one entry that names the caller exempts it); a request may ask
 * for the strict reading, and a decision in which the two differ carries a remark (choice C-6).
 *
 * Sources:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html,
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html,
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
 * Uses: evaluate.h.   Used by: simulate.h, cloud/. */
#pragma once
#include "iampolicy/evaluate.h"

/* Policies of one kind, borrowed. */
typedef VEC(const struct iam_policy *) iam_policy_list;
struct iam_level {
    const char *entity; /* "r-root", "ou-...", an account id; borrowed */
    iam_policy_list policies;
};

/* Everything that has a say.  Zeroed: nothing does. */
struct iam_policies {
    iam_policy_list identity, boundary, session, resource, endpoint;
    iam_policy_list beneath; /* of the bucket beneath an S3 access point: asked with request->beneath */
    bool has_boundary, has_session, via_endpoint; /* a set that is there grants nothing when it is empty */
    VEC(struct iam_level) scp, rcp;               /* root, OUs, account; none: no organisation */
};
void iam_policies_done(struct iam_policies *policies); /* the lists, not the policies */

enum iam_step { /* what decided, in the order of AWS's description */
                IAM_STEP_NO_PERMISSION_NEEDED,
                IAM_STEP_GUARD,
                IAM_STEP_EXPLICIT_DENY,
                IAM_STEP_RCP,
                IAM_STEP_SCP,
                IAM_STEP_ENDPOINT,
                IAM_STEP_RESOURCE,
                IAM_STEP_BOUNDARY,
                IAM_STEP_SESSION,
                IAM_STEP_IDENTITY,
                IAM_STEP_ALLOWED,
                IAM_STEP_BUCKET_RESTRICTED,
};

/* A result keeps its memory from one decision to the next.  A zeroed one is ready. */
struct iam_result {
    enum iam_decision decision;
    enum iam_step step;
    uint8_t level; /* IAM_STEP_SCP, IAM_STEP_RCP: the level without an allow */
    bool cross_account;
    bool bypass; /* the resource policy names the caller itself: implicit denies of the other sets do not matter */
    unsigned
        blocked_by; /* bits 1 << enum iam_set: what blocks a request that identity, resource and session would grant */
    unsigned asked; /* bits 1 << enum iam_set: sets that had a say */
    unsigned remarks;                 /* enum iam_remark bits */
    const char *guard;                /* IAM_STEP_GUARD: why */
    struct iam_said said[IAM_N_SETS]; /* of SCP and RCP: allow means every level allows */
    bool want_looks;                  /* set by the caller: fill 'looks' */
    iam_looks matched;                /* statements that apply, in the order of the sets */
    iam_looks looks;                  /* every statement, when wanted */
};
void iam_result_done(struct iam_result *result);

/* Decides.  Cannot fail: what parsed can be evaluated.  'result' may be NULL. */
enum iam_decision iam_decide(const struct iam_policies *policies, const struct iam_request *request,
                             struct iam_result *result);
