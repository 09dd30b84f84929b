/* iampolicy/evaluate.h - does a statement apply, and what does a set of policies say?
 *
 * A statement applies when its principal, action, resource and conditions all match, asked in that order.  A set of
 * policies says DENY when any Deny statement applies, else ALLOW when any Allow does, else nothing.  How the sets
 * combine is chain.h.
 *
 * Explaining is evaluating aloud: with 'looks' in the result every statement asked leaves a record of the first part
 * that did not match; the decision is the same without.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
 * Uses: policy.h, request.h.   Used by: chain.c. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/vec.h"
#include "iampolicy/policy.h"
#include "iampolicy/remark.h"
#include "iampolicy/request.h"

/* 0 is a denial, so memory nobody filled in never grants anything. */
enum iam_decision { IAM_IMPLICIT_DENY, IAM_EXPLICIT_DENY, IAM_ALLOW };
const char *iam_decision_name(enum iam_decision decision); /* "implicitDeny", "explicitDeny", "allowed" */

/* In the order in which AWS's description asks them. */
enum iam_set {
    IAM_SET_RCP,
    IAM_SET_SCP,
    IAM_SET_ENDPOINT,
    IAM_SET_RESOURCE,
    IAM_SET_BOUNDARY,
    IAM_SET_SESSION,
    IAM_SET_IDENTITY,
    IAM_N_SETS
};
const char *iam_set_name(enum iam_set set); /* as in blockedBy: "scp", "permissionsBoundary" */

enum iam_part_name { IAM_PART_PRINCIPAL, IAM_PART_ACTION, IAM_PART_RESOURCE, IAM_PART_CONDITION, IAM_PART_ALL };

/* What became of one statement. */
struct iam_look {
    const struct iam_policy *policy;
    const struct iam_statement *statement;
    uint8_t set, level; /* enum iam_set; index of the SCP or RCP level */
    uint8_t failed;     /* enum iam_part_name: the first part that did not match; IAM_PART_ALL: it applies */
    uint8_t kind;       /* enum iam_match_kind of its principal */
    uint32_t entry;     /* the condition that failed, or the resource entry that matched */
};
typedef VEC(struct iam_look) iam_looks;

/* What one set said. */
struct iam_said {
    bool deny, allow;
    uint8_t kinds; /* of the allowing statements' principals, bits 1 << enum iam_match_kind */
};

struct iam_asking { /* what statements are asked with */
    const struct iam_request *request;
    bool has_boundary;  /* the principal has a permissions boundary: Deny with NotPrincipal always reaches it */
    iam_looks *matched; /* statements that apply are added; NULL: nobody asks */
    iam_looks *looks;   /* every statement is added; NULL: nobody asks */
    unsigned remarks;   /* enum iam_remark bits */
};
void iam_evaluate_policy(struct iam_asking *asking, const struct iam_policy *policy, enum iam_set set, uint8_t level,
                         struct iam_said *said);

/* One statement; 'look' says where it failed. */
bool iam_statement_applies(struct iam_asking *asking, const struct iam_statement *statement, struct iam_look *look);
bool iam_action_matches(const struct iam_statement *statement, const struct iam_request *request);
bool iam_resource_matches(const struct iam_statement *statement, const struct iam_request *request,
                          struct iam_look *look, unsigned *remarks);
enum iam_match_kind iam_statement_principal(struct iam_asking *asking, const struct iam_statement *statement);
