/* iampolicy/share.h - resource shares of AWS Resource Access Manager (RAM): what one account lets others use.
 *
 * A share lists resources of its owner, by ARN, and principals: accounts, organizational units, an organization.  Inside
 * an organization that has sharing enabled a principal has the resources at once; any other account is invited and has
 * them when it accepts.  What was taken out of a share, and a deleted share, stays listed as AWS lists it for a while.
 * Shares, like AWS's, belong to a region.
 *
 * Sources: https://docs.aws.amazon.com/ram/latest/userguide/getting-started-sharing.html,
 * https://docs.aws.amazon.com/ram/latest/userguide/working-with-shared-invitations.html
 * Uses: account.h, organization.h.   Used by: account.c, cloud/sharing.c, cloud/ops_ram*.c. */
#pragma once
#include "iampolicy/organization.h"

struct ram_link {           /* one association of a share */
    char *entity;           /* the resource's ARN; an account's 12 digits, the ARN of a unit or organization */
    char *type;             /* "RESOURCE" "PRINCIPAL" */
    char *status, *message; /* "ASSOCIATING" (invited) "ASSOCIATED" "DISASSOCIATED" */
    bool external;          /* a principal outside of the owner's organization */
    bool by_organization;   /* associated without an invitation: holds while both are in the organization */
    int64_t created, updated;
};
struct ram_share {
    struct object obj; /* id: a UUID */
    char *arn, *name;
    bool allow_external;
    char *status; /* "ACTIVE" "DELETED" */
    int64_t created, updated;
    VEC(struct ram_link) links;
};
struct ram_invitation {
    struct object obj; /* id: a UUID; the sender's account */
    char *arn, *share_arn, *share_name, *receiver;
    char *status; /* "PENDING" "ACCEPTED" "REJECTED" "EXPIRED"; see ram_invitation_status() */
    int64_t sent;
};
extern const struct kind ram_share_kind, ram_invitation_kind;
extern const struct field ram_link_fields[];

#define RAM_RESOURCE  "RESOURCE"
#define RAM_PRINCIPAL "PRINCIPAL"

/* By ARN, deleted ones too; NULL if there is none. */
struct ram_share *ram_share_find(const struct iam_accounts *accounts, const char *arn);
struct ram_invitation *ram_invitation_find(const struct iam_accounts *accounts, const char *arn);
bool ram_share_is_active(const struct ram_share *share);
/* The association of that entity, ended ones too; NULL if there never was one. */
struct ram_link *ram_link_find(const struct ram_share *share, const char *type, const char *entity);
bool ram_link_holds(const struct ram_link *link); /* "ASSOCIATED" */

/* Does the share give the account its resources now?  Never to its own owner. */
bool ram_share_reaches(const struct iam_accounts *accounts, const struct ram_share *share, const char *account);
/* Is the resource shared with the account, by any share of its owner? */
bool ram_is_shared(const struct iam_accounts *accounts, const char *resource_arn, const char *account);

/* An invitation that nobody answers for seven days has expired. */
const char *ram_invitation_status(const struct ram_invitation *invitation, int64_t now_ms);
/* The invitation of that account that waits for an answer; NULL if there is none. */
struct ram_invitation *ram_invitation_pending(const struct iam_accounts *accounts, const struct ram_share *share,
                                              const char *account);

/* Are both in one organization? */
bool ram_same_organization(const struct iam_accounts *accounts, const char *a, const char *b);
/* The organization of the account if it shares without invitations (EnableSharingWithAwsOrganization); else NULL. */
const struct org_organization *ram_organization(const struct iam_accounts *accounts, const char *account);
