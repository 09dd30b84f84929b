/* cloud/caller.h - who makes a request: the root user of an account, an IAM user, or a session of a role, a federated
 * user or a user's own temporary credentials.
 *
 * cloud->as keeps the caller as text for as long as a face wants; caller_refresh() looks it up anew for every
 * operation, since a user may have been deleted and a session may have expired in between.
 *
 * A role may be named without asking STS: the person at the keyboard owns the laboratory.  The session is then called
 * "vpclab" and has no session policy; `sts assume-role` asks the trust policy and gives a session that can be named.
 *
 * Source: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
 * Uses: iampolicy/account.h.   Used by: op_run.c, authorize.c, journal.c, ops_sts.c, ops_iam_access_keys.c. */
#pragma once
#include "cloud/cloud.h"
#include "iampolicy/account.h"

enum caller_kind { CALLER_ROOT, CALLER_USER, CALLER_ROLE, CALLER_FEDERATED };

#define CALLER_SESSION "vpclab" /* name of the session when a role is named */

struct caller {
    enum caller_kind kind;
    char account[16];
    char *arn;     /* the user's, the session's, "arn:aws:iam::...:root" */
    char *user_id; /* aws:userid */
    char *issuer;  /* a role's ARN; of a federated user the ARN that called GetFederationToken; else NULL */
    char *name;    /* of the user or role; of the federated user; "" of a root user */
    char key[ID_SIZE];     /* access key id it signs with; "" none is known */
    char session[ID_SIZE]; /* the id of its struct iam_session; "" long-term credentials */
};

/* Looks 'who' up (forms: cloud_act_as() in cloud.h).  Errors as there; for a key or session that is no longer good
 * InvalidClientTokenId or ExpiredToken.  The caller frees it. */
struct caller *caller_find(const struct cloud *cloud, const char *who, struct err *err);
void caller_free(struct caller *caller); /* NULL is fine */

/* Makes cloud->caller what cloud->as says now, and cloud->account the caller's. */
bool caller_refresh(struct cloud *cloud, struct err *err);

/* The session behind the caller; NULL: long-term credentials, or a role that was named.  Borrowed. */
const struct iam_session *caller_session(const struct cloud *cloud, const struct caller *caller);
/* The ARN in force: of cloud->caller or of the root user.  Valid until the next operation. */
const char *caller_arn(const struct cloud *cloud, char root[static 64]);

/* userIdentity of a CloudTrail event. */
json_t *caller_identity(const struct cloud *cloud);
