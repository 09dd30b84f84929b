/* iampolicy/gather.h - which policies have a say when a principal of the lab asks for something.
 *
 * From the accounts: the principal's inline and attached policies and those of its groups, its permissions boundary,
 * and the policy of the bucket or role that is asked for.  The request learns what the accounts know of its principal:
 * unique id, the role's ARN with its path, tags as aws:PrincipalTag/KEY.
 *
 * Uses: account.h, chain.h.   Used by: cloud/simulation.h, authorize.c, ops_sts.c. */
#pragma once
#include "iampolicy/account.h"
#include "iampolicy/chain.h"

/* Where a policy came from, in the words of the simulator's SourcePolicyType. */
struct iam_source {
    const struct iam_policy *policy;
    const char *type; /* "user" "group" "role" "aws-managed" "user-managed" "resource" "none" */
    char *id;         /* the policy's name, or PolicyInputList.N */
};
struct iam_gathered {
    struct iam_policies policies;
    VEC(struct iam_policy *) owned;
    VEC(struct iam_source) sources;
    bool has_resource_policy;
};
void iam_gathered_done(struct iam_gathered *gathered);
const struct iam_source *iam_source_of(const struct iam_gathered *gathered, const struct iam_policy *policy);

/* Parses 'text' and adds it to 'list'; 'name' is shown before line and column.  MalformedPolicyDocument. */
bool iam_gather_text(struct iam_gathered *gathered, iam_policy_list *list, const char *text, enum iam_policy_type type,
                     const char *name, const char *source_type, const char *source_id, struct err *err);

/* Identity policies and boundary of the request's principal.  NoSuchEntity if the lab's accounts lack the user or role.
 */
bool iam_gather_identity(const struct iam_accounts *accounts, struct iam_request *request,
                         struct iam_gathered *gathered, struct err *err);
/* Those of a group alone (SimulatePrincipalPolicy of a group). */
bool iam_gather_group(const struct iam_accounts *accounts, const struct iam_group *group, struct iam_gathered *gathered,
                      struct err *err);
/* The policy of the bucket, or the trust policy of the role, that the request is about; nothing for other resources.
 * Call it after iam_request_set_resource(): a bucket's owner is learned here. */
bool iam_gather_resource(const struct iam_accounts *accounts, struct iam_request *request,
                         struct iam_gathered *gathered, struct err *err);

/* The control policies of the organizations of the principal's account (SCPs) and of the resource's (RCPs), level by
 * level, and the keys aws:PrincipalOrgID, aws:ResourceOrgID and their paths.  They replace those gathered before, so
 * that one question may be put for many resources.  iam_gather_resource() asks for both. */
bool iam_gather_scps(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                     struct err *err);
bool iam_gather_rcps(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                     struct err *err);
/* The policy of the KMS key that the request is about; request->granted says whether a grant covers it.  Part of
 * iam_gather_resource(). */
bool iam_gather_key(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                    struct err *err);
/* The policy of the bucket that the request is about; request->bucket_restricted says whether it is public and
 * RestrictPublicBuckets is on; tags of an object that is there become s3:ExistingObjectTag.  Part of
 * iam_gather_resource(). */
/* The policies of the access point that the request is about and of the bucket beneath it, and the keys
 * s3:DataAccessPointArn, s3:DataAccessPointAccount and s3:AccessPointNetworkOrigin.  Part of iam_gather_resource(). */
bool iam_gather_access_point(const struct iam_accounts *accounts, struct iam_request *request,
                             struct iam_gathered *gathered, struct err *err);
bool iam_gather_bucket(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                       struct err *err);
