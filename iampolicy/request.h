/* iampolicy/request.h - one question: may this principal do this action on this resource, in this context?
 *
 * A request owns its memory and is filled by setters; deciding it many times asks for no more.  Context keys are looked
 * up without distinguishing case.  A key with a list of values is multi-valued even when the list has one.
 *
 * Source:
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-reqcontext.html
 * Uses: principal.h, service.h.   Used by: evaluate.h, cloud/. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/arn.h"
#include "base/err.h"
#include "iampolicy/key.h"
#include "iampolicy/principal.h"
#include "iampolicy/service.h"

struct iam_context_value {
    struct iam_key key;
    bool multi;
    bool derived; /* filled in by iam_request_derive() */
    uint32_t n;
    const struct iam_text *values; /* each terminated */
};

struct iam_request {
    struct arena *arena;
    struct iam_principal principal;
    struct iam_text action;       /* as given, "s3:GetObject" */
    struct iam_text action_lower; /* in small letters */
    uint64_t action_hash;
    uint32_t service_size; /* of the prefix before the colon; 0 without a colon */
    const struct iam_service *service;
    struct iam_text resource; /* an ARN, or "*" */
    bool resource_all;        /* it is "*", or the action takes no resource */
    char account[16];         /* owner of the resource; "" the caller's own */
    bool account_assumed;     /* the ARN has none and none was given */
    /* What a caller of the library may set directly. */
    bool strict_not_principal;   /* choice C-6: see evaluate.h */
    bool no_service_guards;      /* leave out refusals that no policy expresses */
    bool management_account;     /* the principal's account is its organisation's management account: no SCP */
    bool resource_in_management; /* the resource's account is one: no RCP */
    bool aws_managed_key;        /* the KMS key is AWS managed: no RCP */
    bool no_resource_policy;     /* no resource policy is asked, and none is needed within the account */
    bool granted;                /* a KMS grant covers the request */
    bool bucket_restricted;      /* S3 RestrictPublicBuckets is on and the bucket policy is public */
    struct iam_text beneath;     /* through an S3 access point: the ARN of its bucket or object; empty: not so */
    char beneath_account[16];    /* who owns that bucket */
    const char *wrong_network;   /* why the access point does not answer requests from here; NULL: it does */

    struct iam_context_value *context;
    uint32_t n_context, cap_context;
    uint32_t *slots; /* open addressing over 'context', entry index + 1 */
    uint32_t n_slots;
};

struct iam_request *iam_request_new(void);
void iam_request_free(struct iam_request *request);
void iam_request_clear(struct iam_request *request); /* for the next question; keeps tables */

bool iam_request_set_principal(struct iam_request *request, struct iam_text principal, struct err *err);
/* Fails with "InvalidInput" unless it is "service:Name". */
bool iam_request_set_action(struct iam_request *request, struct iam_text action, struct err *err);
/* 'account' owns the resource; "" takes it from the ARN, else the caller's (set the principal first).  'resource_level'
 * false: the action has no resource types and is decided on "*". */
void iam_request_set_resource(struct iam_request *request, struct iam_text resource, struct iam_text account,
                              bool resource_level);
/* Replaces the key's values. */
void iam_request_set_context(struct iam_request *request, struct iam_text key, const struct iam_text *values,
                             uint32_t n, bool multi);
/* Takes back the key that was set last; it must have been new. */
void iam_request_unset_last(struct iam_request *request);
void iam_request_set_string(struct iam_request *request, const char *key, const char *value);

/* Keys AWS fills in by itself; a key that was set stays.  Section by section, since AWS's simulator fills in less than
 * AWS does. */
enum iam_derive {
    IAM_DERIVE_PRINCIPAL =
        1, /* aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType, aws:userid, aws:username, ... */
    IAM_DERIVE_RESOURCE = 2, /* aws:ResourceAccount */
    IAM_DERIVE_CALL =
        4, /* aws:CurrentTime, aws:EpochTime, aws:SecureTransport, aws:RequestedRegion, aws:ViaAWSService, ... */
};
/* 'region' of the call, NULL takes the ARN's; 'now_ms' since 1970. */
void iam_request_derive(struct iam_request *request, unsigned what, int64_t now_ms, const char *region);

/* The key's values, NULL if the request lacks it; the value of a single-valued key, NULL if absent or multi-valued. */
const struct iam_context_value *iam_request_value(const struct iam_request *request, const struct iam_key *key);
const struct iam_text *iam_request_single(const struct iam_request *request, const struct iam_key *key);
