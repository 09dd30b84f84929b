/* iampolicy/remark.h - where AWS's documentation is silent or contradicts itself, and our choice mattered to an answer.
 *
 * A decision carries a set of these bits; iam_remark_at() gives their names and words.  C-n are the choices of
 * docs/EVALUATION.md. */
#pragma once
#include <stddef.h>

enum iam_remark {
    IAM_REMARK_NOT_PRINCIPAL = 1 << 0,     /* strict and lenient reading of NotPrincipal differ (C-6) */
    IAM_REMARK_MISSING_QUALIFIER = 1 << 1, /* a key with several values without ForAllValues or ForAnyValue (C-11) */
    IAM_REMARK_REQUEST_VALUE = 1 << 2,     /* a request value is not of the operator's type (C-12) */
    IAM_REMARK_POLICY_VALUE = 1 << 3,      /* no policy value is of the operator's type */
    IAM_REMARK_NOT_RESOURCE = 1 << 4,      /* an unresolved variable in NotResource (C-5) */
    IAM_REMARK_NO_SESSION_POLICY = 1 << 5, /* a federated user without session policy has no permissions (C-16) */
    IAM_REMARK_ACCOUNT_PRINCIPAL =
        1 << 6,                         /* an account principal of the same account grants nothing by itself (C-18) */
    IAM_REMARK_RESOURCE_OWNER = 1 << 7, /* the resource's owner was not given: taken for the caller's account */
    IAM_REMARK_SERVICE = 1 << 8,        /* the service is not in our table: RCPs were applied */
    IAM_REMARK_GUARD = 1 << 9,          /* the service refuses whatever the policies say */
};
struct iam_remark_words {
    const char *code, *choice, *text; /* "NOTPRINCIPAL_AMBIGUOUS", "C-6" or "", one sentence */
};
/* The words for bit 'index'; NULL beyond the last. */
const struct iam_remark_words *iam_remark_at(size_t index);
