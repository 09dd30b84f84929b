/* cloud/complete_words.h - what may stand as the value of a parameter, as far as the catalogue and the lab know it.
 *
 * A parameter says by a word what its values are (struct op_param_info 'words'):
 *     "action"     s3:, then s3:GetObject                "principal"  users, roles and sessions by name or ARN
 *     "context"    aws:SourceIp=                         "entity"     ARNs of users, groups and roles
 *     "entry"      the same as AWS's ContextEntries      "role"       ARNs of roles
 *     "policy"     ARNs of managed policies, AWS's own too
 *     "filter"     Name=vpc-id,Values=                   "arn"        ARNs of everything with one in the accounts
 *     "lab"        names of labs                         "failing"    zones, NAT gateways ... by the word before
 *     "field"      dstport=, of flow logs                "loggroup"   names of log groups
 *
 * Uses: iampolicy/.   Used by: op_params.c, shell/ (completion). */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include "cloud/op.h"

/* What the values of an AWS operation's parameter are; NULL if nothing is known. */
const char *complete_words_of(const struct op *op, const char *member);
bool complete_words_need_lab(const char *words); /* otherwise complete_words() takes NULL for the lab */

struct complete_words {
    const struct op *op;
    const char *words; /* of the parameter */
    const char *word;  /* what stands there already */
    size_t n_before;   /* the operation's words before it: an action among them chooses the condition keys */
    char *const *before;
};
/* 'more': the word goes on, as after "s3:". */
typedef void complete_words_fn(void *context, const char *text, const char *detail, bool more);
/* Calls 'each' with every value that begins with the word, perhaps with others too. */
void complete_words(const struct cloud *cloud, const struct complete_words *what, complete_words_fn *each,
                    void *context);
