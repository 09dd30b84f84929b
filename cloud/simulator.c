#include "cloud/simulator.h"

#include <string.h>

static const struct {
    enum simulator_deviation bit;
    const char *code, *text;
} deviations[] = {
    { SIMULATOR_NO_RCP, "LIKE_AWS_NO_RCP",
      "AWS's simulator asks no resource control policy: the real decision differs" },
    { SIMULATOR_NO_CONDITIONED_SCP, "LIKE_AWS_SCP_CONDITION",
      "AWS's simulator leaves out service control policies with a Condition: the real decision differs" },
    { SIMULATOR_RESOURCE_FOR_USERS, "LIKE_AWS_RESOURCE_POLICY",
      "AWS's simulator asks resource policies for IAM users only: the real decision differs" },
    { SIMULATOR_NO_TRUST, "LIKE_AWS_ASSUME",
      "AWS's simulator asks no trust policy for sts:Assume*: the real decision differs" },
    { SIMULATOR_ROLE_ONE_ACCOUNT, "LIKE_AWS_CROSS_ACCOUNT",
      "AWS's simulator does not see that a role asks across accounts: the real decision differs" },
    { SIMULATOR_NO_EMPTY_VALUES, "LIKE_AWS_EMPTY_VALUE",
      "AWS's simulator ignores context values left empty: with the empty value the decision differs" },
};

/* ---- the question ---- */

static bool
has_condition(const struct iam_policy *policy)
{
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        if (policy->statements[i].n_conditions) {
            return true;
        }
    }
    return false;
}

/* A level that had nothing but such policies has no say: leaving a policy out must not deny. */
static void
drop_conditioned(struct iam_policies *policies)
{
    size_t levels = 0;
    for (size_t i = 0; i < policies->scp.n; i++) {
        struct iam_level *level = &policies->scp.items[i];
        size_t had = level->policies.n, kept = 0;
        for (size_t k = 0; k < had; k++) {
            if (!has_condition(level->policies.items[k])) {
                level->policies.items[kept++] = level->policies.items[k];
            }
        }
        level->policies.n = kept;
        if (had && !kept) {
            VEC_DONE(&level->policies);
        } else {
            policies->scp.items[levels++] = *level;
        }
    }
    policies->scp.n = levels;
}

static void
drop_rcps(struct iam_policies *policies)
{
    for (size_t i = 0; i < policies->rcp.n; i++) {
        VEC_DONE(&policies->rcp.items[i].policies);
    }
    policies->rcp.n = 0;
}

void
simulator_bend(unsigned bits, struct iam_request *request, struct iam_gathered *gathered)
{
    const struct iam_text action = request->action_lower;
    bool user = request->principal.kind == IAM_USER;
    bool assume = action.n > 10 && memcmp(action.s, "sts:assume", 10) == 0;
    if (bits & SIMULATOR_NO_RCP) {
        drop_rcps(&gathered->policies);
    }
    if (bits & SIMULATOR_NO_CONDITIONED_SCP) {
        drop_conditioned(&gathered->policies);
    }
    request->no_resource_policy =
        (bits & SIMULATOR_RESOURCE_FOR_USERS && !user) || (bits & SIMULATOR_NO_TRUST && assume);
    if (bits & SIMULATOR_ROLE_ONE_ACCOUNT && request->principal.kind == IAM_ROLE_SESSION) {
        memcpy(request->account, request->principal.account, sizeof request->account);
    }
}

/* ---- what mattered ---- */

json_t *
simulator_decisions(const json_t *answer)
{
    const json_t *results = json_object_get(answer, "EvaluationResults");
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(results); i++) {
        const json_t *one = json_array_get(results, i), *each = json_object_get(one, "ResourceSpecificResults");
        json_array_append(list, json_object_get(one, "EvalDecision"));
        for (size_t k = 0; k < json_array_size(each); k++) {
            json_array_append(list, json_object_get(json_array_get(each, k), "EvalResourceDecision"));
        }
    }
    if (!results) {
        json_array_append(list, json_object_get(answer, "Decision"));
    }
    return list;
}

/* Whether the decisions with these deviations are other than 'decisions'. */
static bool
differs(simulator_asker *ask, void *context, unsigned bits, const json_t *decisions, bool *is, struct err *err)
{
    json_t *answer = ask(context, bits, err), *found = answer ? simulator_decisions(answer) : NULL;
    bool ok = found;
    *is = ok && !json_equal(found, decisions);
    json_decref(found);
    json_decref(answer);
    return ok;
}

bool
simulator_remark(simulator_asker *ask, void *context, const json_t *answer, json_t *remarks, struct err *err)
{
    json_t *exact_answer = ask(context, 0, err);
    if (!exact_answer) {
        return false;
    }
    json_t *bent = simulator_decisions(answer), *exact = simulator_decisions(exact_answer);
    bool ok = true, matters = !json_equal(bent, exact);
    for (size_t i = 0; matters && ok && i < ARRAY_SIZE(deviations); i++) {
        bool without = false, alone = false;
        ok = differs(ask, context, SIMULATOR_ALL & ~(unsigned)deviations[i].bit, bent, &without, err) &&
             differs(ask, context, deviations[i].bit, exact, &alone, err);
        if (ok && (without || alone)) {
            json_array_append_new(remarks, json_pack("{s:s, s:s, s:s}", "Code", deviations[i].code, "Choice", "",
                                                     "Text", deviations[i].text));
        }
    }
    json_decref(bent);
    json_decref(exact);
    json_decref(exact_answer);
    return ok;
}
