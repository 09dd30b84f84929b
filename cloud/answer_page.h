/* cloud/answer_page.h - a list in an answer, cut to the page that was asked for.
 *
 * Which members carry the limit, the token and "there is more" is the operation's own row in cloud/awsmodel; without one, the usual names.  A token is
 * the place in the list, so it stays good while nothing is deleted.  Used by: cloud/ops_organizations*.c, ops_kms*.c. */
#pragma once
#include "cloud/op.h"

/* Puts 'list' (taken) into the answer as 'member'.  InvalidMarkerException or InvalidInputException for a token that no
 * page gave. */
bool answer_page(struct op_call *call, const char *member, json_t *list, struct err *err);
