/* iampolicy/policy_index.c - which statements of a long policy can be about a service.
 *
 * A statement whose actions all begin with a service's name belongs to those services; one with a wildcard there, or
 * with NotAction, belongs to every one.  The list of a service holds both kinds in the order of the document, so a
 * reader notices nothing but the time saved. */
#include <string.h>
#include "base/vec.h"
#include "iampolicy/policy.h"

enum { INDEX_FROM = 16 }; /* shorter policies are read faster from end to end */

/* The literal service prefix of a compiled action; n = 0 if it has none. */
static struct iam_text
service_of(const struct iam_pattern *action)
{
    const unsigned char *colon = memchr(action->bytes, ':', action->size);
    uint32_t n = colon ? (uint32_t)(colon - action->bytes) : 0;
    bool wild = memchr(action->bytes, IAM_STAR, n) || memchr(action->bytes, IAM_ANY, n);
    return (struct iam_text){ (const char *)action->bytes, wild ? 0 : n };
}

static bool
same(struct iam_text a, struct iam_text b)
{
    return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

static bool
can_be_about(const struct iam_statement *statement, struct iam_text service)
{
    for (uint32_t i = 0; i < statement->n_actions; i++) {
        struct iam_text own = service_of(&statement->actions[i]);
        if (statement->not_action || !own.n || (service.s && same(own, service))) {
            return true;
        }
    }
    return statement->not_action;
}

static struct iam_service_index
list_statements(struct iam_policy *policy, struct iam_text service)
{
    uint32_t *list = arena_alloc(policy->arena, policy->n_statements * sizeof *list), n = 0;
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        if (can_be_about(&policy->statements[i], service)) {
            list[n++] = i;
        }
    }
    return (struct iam_service_index){ service, n, list };
}

void
iam_policy_index_build(struct iam_policy *policy)
{
    VEC(struct iam_text) services = { 0 };
    if (policy->n_statements < INDEX_FROM) {
        return;
    }
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        for (uint32_t k = 0; k < policy->statements[i].n_actions; k++) {
            struct iam_text service = service_of(&policy->statements[i].actions[k]);
            bool known = service.n == 0 || services.n >= 64;
            for (size_t j = 0; j < services.n && !known; j++) {
                known = same(services.items[j], service);
            }
            if (!known) {
                *VEC_ADD(&services) = service;
            }
        }
    }
    if (services.n < 64) { /* with more there is little to gain from lists this long */
        struct iam_service_index *indexes = arena_alloc(policy->arena, (services.n + 1) * sizeof *indexes);
        for (size_t i = 0; i < services.n; i++) {
            indexes[i] = list_statements(policy, services.items[i]);
        }
        indexes[services.n] = list_statements(policy, (struct iam_text){ NULL, 0 });
        policy->indexes = indexes;
        policy->n_indexes = (uint32_t)services.n + 1;
    }
    VEC_DONE(&services);
}

const struct iam_service_index *
iam_policy_index_find(const struct iam_policy *policy, struct iam_text service)
{
    if (!policy->n_indexes) {
        return NULL;
    }
    uint32_t i = 0;
    while (i + 1 < policy->n_indexes && !same(policy->indexes[i].service, service)) {
        i++;
    }
    return &policy->indexes[i]; /* the last one holds what concerns every service */
}
