/* cloud/simulator.h - where AWS's policy simulator answers otherwise than AWS itself, for --like-aws.
 *
 * A question is put with a set of deviations in force; none is the exact decision.  Which of them mattered is found by
 * asking again: the answer with all, with none, with all but one, and with one alone.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html,
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
 * Uses: gather.h.   Used by: simulation.c, ops_iam_simulate.c, ops_simulate.c. */
#pragma once
#include "base/json.h"
#include "iampolicy/gather.h"

enum simulator_deviation { /* bits */
                           SIMULATOR_NO_RCP = 1,
                           SIMULATOR_NO_CONDITIONED_SCP =
                               2, /* an SCP with a Condition anywhere is left out as a whole */
                           SIMULATOR_RESOURCE_FOR_USERS = 4, /* resource policies are asked for IAM users only */
                           SIMULATOR_NO_TRUST = 8,           /* and not for sts:Assume* */
                           SIMULATOR_ROLE_ONE_ACCOUNT = 16,  /* a role's request stays within its account */
                           SIMULATOR_NO_EMPTY_VALUES = 32,   /* context values left empty are as good as not given */
                           SIMULATOR_ALL = 63,
};

/* The question as the simulator with these deviations sees it.  Call it once all policies are gathered, the action and
 * the resource set; again for each resource. */
void simulator_bend(unsigned deviations, struct iam_request *request, struct iam_gathered *gathered);

/* The decisions of an answer, to compare: of the API's operations every result's and resource's, of the verb the one.
 */
json_t *simulator_decisions(const json_t *answer);

/* Puts the question with some deviations; the caller owns the answer.  NULL and 'err' on failure. */
typedef json_t *simulator_asker(void *context, unsigned deviations, struct err *err);
/* Adds a remark {"Code", "Choice", "Text"} to 'remarks' for each deviation that changed 'answer', which has all. */
bool simulator_remark(simulator_asker *ask, void *context, const json_t *answer, json_t *remarks, struct err *err);
