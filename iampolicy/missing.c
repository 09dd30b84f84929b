#include "iampolicy/missing.h"

#include <string.h>

static void
add_key(const struct iam_request *request, const struct iam_key *key, iam_keys *keys)
{
    if (request && iam_request_value(request, key)) {
        return;
    }
    for (size_t i = 0; i < keys->n; i++) {
        if (keys->items[i]->hash == key->hash && strcmp(keys->items[i]->lower, key->lower) == 0) {
            return;
        }
    }
    *VEC_ADD(keys) = key;
}

/* A variable with a default does not miss its key. */
static void
add_variables(const struct iam_request *request, const struct iam_pattern *pattern, iam_keys *keys)
{
    for (uint32_t i = 0; i < pattern->n_parts; i++) {
        if (!pattern->parts[i].bytes && !(request && pattern->parts[i].fallback)) {
            add_key(request, pattern->parts[i].key, keys);
        }
    }
}

static bool
has_pattern(const struct iam_condition *condition)
{
    enum iam_value_kind kind = condition->op->kind;
    return kind == IAM_VALUE_STRING || kind == IAM_VALUE_LIKE || kind == IAM_VALUE_FOLDED || kind == IAM_VALUE_ARN ||
           kind == IAM_VALUE_BOOL;
}

static void
add_statement(const struct iam_request *request, const struct iam_statement *statement, iam_keys *keys)
{
    for (uint32_t i = 0; i < statement->n_resources; i++) {
        add_variables(request, &statement->resources[i], keys);
    }
    for (uint32_t i = 0; i < statement->n_conditions; i++) {
        const struct iam_condition *condition = &statement->conditions[i];
        add_key(request, &condition->key, keys);
        for (uint32_t j = 0; j < condition->n && has_pattern(condition); j++) {
            add_variables(request, &condition->values[j].pattern, keys);
        }
    }
}

static void
add_list(const iam_policy_list *list, const struct iam_request *request, iam_keys *keys)
{
    for (size_t i = 0; i < list->n; i++) {
        for (uint32_t j = 0; j < list->items[i]->n_statements; j++) {
            const struct iam_statement *statement = &list->items[i]->statements[j];
            if (iam_action_matches(statement, request)) {
                add_statement(request, statement, keys);
            }
        }
    }
}

void
iam_missing_keys(const struct iam_policies *policies, const struct iam_request *request, iam_keys *keys)
{
    add_list(&policies->identity, request, keys);
    add_list(&policies->boundary, request, keys);
    add_list(&policies->resource, request, keys);
    if (request->beneath.n) { /* the bucket's policy is asked about the bucket */
        struct iam_request about = *request;
        about.resource = about.beneath;
        add_list(&policies->beneath, &about, keys);
    }
}

void
iam_policy_keys(const struct iam_policy *policy, iam_keys *keys)
{
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        add_statement(NULL, &policy->statements[i], keys);
    }
}

void
iam_statement_missing_keys(const struct iam_statement *statement, const struct iam_request *request, iam_keys *keys)
{
    add_statement(request, statement, keys);
}
