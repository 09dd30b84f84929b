/* iampolicy/missing.h - context keys that policies ask for and a request does not bring.
 *
 * Like the simulator's MissingContextValues: keys of conditions and variables in the statements of identity and
 * resource policies whose action matches, each once, in the order of the text. Source:
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html Uses: chain.h. */
#pragma once
#include "iampolicy/chain.h"

typedef VEC(const struct iam_key *) iam_keys; /* borrowed from the policies */

void iam_missing_keys(const struct iam_policies *policies, const struct iam_request *request, iam_keys *keys);
/* Every key one policy uses, whatever the action (GetContextKeysForCustomPolicy). */
void iam_policy_keys(const struct iam_policy *policy, iam_keys *keys);
/* Those of one statement, whatever its action. */
void iam_statement_missing_keys(const struct iam_statement *statement, const struct iam_request *request,
                                iam_keys *keys);
