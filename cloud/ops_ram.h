/* cloud/ops_ram.h - what the handlers of AWS Resource Access Manager share.
 *
 * Used by: cloud/ops_ram.c, ops_ram_associate.c, ops_ram_list.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/share.h"

/* The share with that ARN in the region in force, of whatever account.  MalformedArnException, UnknownResourceException. */
struct ram_share *ram_op_share(const struct op_call *call, const char *arn, struct err *err);
/* By resourceShareInvitationArn; MalformedArnException, ResourceShareInvitationArnNotFoundException. */
struct ram_invitation *ram_op_invitation(const struct op_call *call, const char *arn, struct err *err);

/* One association, one invitation as answers show them; the caller owns the JSON. */
json_t *ram_show_link(const struct ram_share *share, const struct ram_link *link);
json_t *ram_show_invitation(const struct op_call *call, const struct ram_invitation *invitation);
/* The share as the account in force sees it: PENDING while it has not answered the invitation. */
json_t *ram_show_share(const struct op_call *call, const struct ram_share *share);

/* Does the account in force see the share: its own (SELF), or one that reaches or invites it (OTHER-ACCOUNTS)? */
bool ram_sees(const struct op_call *call, const struct ram_share *share, bool own);

int64_t ram_now(const struct op_call *call);

/* ---- of writes ---- */

/* The share that resourceShareArn names, in force, of the account in force.  UnknownResourceException,
 * OperationNotPermittedException, InvalidStateTransitionException. */
struct ram_share *ram_own_share(const struct op_call *call, struct err *err);
/* ops_ram_associate.c: may the resourceArns and principals of the request be in a share?  Puts them in; whom RAM asks
 * first is invited.  Then ram_check_inside() says whether they go together: nothing outside the organization that the
 * share or a subnet in it forbids. */
bool ram_check_lists(const struct op_call *call, struct err *err);
void ram_put_lists(const struct op_call *call, struct ram_share *share);
bool ram_check_inside(const struct op_call *call, const struct ram_share *share, struct err *err);
void ram_link_end(const struct op_call *call, const struct ram_share *share, struct ram_link *link);

void ram_set(char **slot, const char *text); /* replaces an owned text; NULL is fine */
void ram_answer_token(struct op_call *call); /* clientToken, if there was one */
