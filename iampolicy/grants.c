#include "iampolicy/grants.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static bool
names(const struct iam_statement *statement, const char *lower, uint32_t size)
{
    bool named = false;
    for (uint32_t i = 0; i < statement->n_actions && !named; i++) {
        named = iam_pattern_match(&statement->actions[i], lower, size, NULL);
    }
    return named != statement->not_action;
}

/* Can any of the statement's actions be of the service?  Asked first: most patterns begin with another's prefix. */
static bool
can_name(const struct iam_statement *statement, const char *prefix)
{
    size_t n = strlen(prefix);
    for (uint32_t i = 0; i < statement->n_actions; i++) {
        const char *text = statement->actions[i].text;
        if (text[strcspn(text, "*?:")] != ':' || (strncasecmp(text, prefix, n) == 0 && text[n] == ':')) {
            return true;
        }
    }
    return statement->not_action;
}

bool
iam_policy_grants_action(const struct iam_policy *policy, const char *action)
{
    char lower[200];
    uint32_t n = 0;
    while (action[n] && n + 1 < sizeof lower) {
        lower[n] = (char)tolower((unsigned char)action[n]);
        n++;
    }
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        if (!policy->statements[i].deny && names(&policy->statements[i], lower, n)) {
            return true;
        }
    }
    return false;
}

bool
iam_policy_grants_service(const struct iam_policy *policy, const struct iam_service_info *service)
{
    bool can = false;
    for (uint32_t i = 0; i < policy->n_statements && !can; i++) {
        can = !policy->statements[i].deny && can_name(&policy->statements[i], service->prefix);
    }
    for (size_t i = 0; can && i < service->n_actions; i++) {
        char action[200];
        snprintf(action, sizeof action, "%s:%s", service->prefix, service->actions[i].name);
        if (iam_policy_grants_action(policy, action)) {
            return true;
        }
    }
    return false;
}
