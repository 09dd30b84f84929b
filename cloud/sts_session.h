/* cloud/sts_session.h - sessions that STS gives out: session policies, tags, how long they last, credentials.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
 * Used by: ops_sts.c, ops_sts_federation.c. */
#pragma once
#include "cloud/caller.h"
#include "cloud/op.h"

/* Makes a session from the request's Policy, PolicyArns, Tags and TransitiveTagKeys, in 'account', for 'seconds'.  The
 * caller sets arn, user_id and issuer.  NULL with MalformedPolicyDocument, PackedPolicyTooLarge, InvalidParameterValue
 * (a tag key that the caller's session passes on), NoSuchEntity (a policy's ARN). */
struct iam_session *sts_session_new(struct op_call *call, const char *type, const char *account, long long seconds,
                                    struct err *err);
/* Puts Credentials, and PackedPolicySize where there are session policies or tags, into the answer. */
void sts_answer_credentials(struct op_call *call, const struct iam_session *session);

/* The role that RoleArn names; NULL if the lab has none such. */
struct iam_role *sts_role(const struct op_call *call);
/* Makes the session of an assumed role and the answer's Credentials and AssumedRoleUser.  'chained': by a session of
 * another role, which may last an hour at most.  ValidationError for a duration above the role's. */
struct iam_session *sts_assume(struct op_call *call, const struct iam_role *role, bool chained, struct err *err);
