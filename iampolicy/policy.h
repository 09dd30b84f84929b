/* iampolicy/policy.h - a policy document, parsed and ready to be asked.
 *
 * A parsed policy lives in one arena and keeps a copy of the user's text: every element knows its place in it. Patterns
 * are compiled, actions are in small letters, condition keys hashed, numbers, dates and addresses read, so that
 * deciding does no parsing of the policy and asks for no memory.
 *
 * Errors are what AWS would not even evaluate (section 2 of the evaluation specification): code
 * MalformedPolicyDocument, the place, and a hint.  What AWS refuses to store but can be evaluated is a finding that
 * refuses; other advice is a finding that warns.
 *
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 * Uses: document.h, condition.h, principal.h.   Used by: evaluate.h, account operations. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "base/arena.h"
#include "base/err.h"
#include "iampolicy/condition.h"
#include "iampolicy/document.h"
#include "iampolicy/pattern.h"
#include "iampolicy/principal.h"

#define IAM_POLICY_LIMIT (1u << 20) /* bytes; AWS's largest limit is 131,072 characters */

enum iam_policy_type {
    IAM_POLICY_IDENTITY,
    IAM_POLICY_BOUNDARY,
    IAM_POLICY_SESSION,
    IAM_POLICY_RESOURCE,
    IAM_POLICY_TRUST,
    IAM_POLICY_SCP,
    IAM_POLICY_RCP,
    IAM_POLICY_ENDPOINT,
};
const char *iam_policy_type_name(enum iam_policy_type type); /* "identity policy", "role trust policy" */

struct iam_statement {
    const char *sid; /* NULL: none */
    uint32_t index;  /* in the document, from 0 */
    bool deny, not_action, not_resource, not_principal;
    bool has_principal, has_resource;
    bool principal_account; /* NotPrincipal: the list names some account */
    uint32_t n_actions, n_resources, n_principals, n_conditions;
    const struct iam_pattern *actions, *resources;
    const struct iam_principal_entry *principals;
    const struct iam_condition *conditions;
    struct iam_span span;                   /* the object, from '{' to after '}' */
    int line, column, end_line, end_column; /* of 'span' */
    struct iam_span sid_span, action_span, resource_span, principal_span;
};

enum iam_finding_level { IAM_FINDING_WARNS, IAM_FINDING_REFUSES };
struct iam_finding {
    enum iam_finding_level level;
    const char *code; /* of Access Analyzer's policy checks, "INVALID_PRINCIPAL_FORMAT" */
    const char *text; /* one lowercase sentence */
    struct iam_span span;
};

/* The statements of a long policy that can be about one service, in their order (policy_index.c). */
struct iam_service_index {
    struct iam_text service; /* in small letters; s NULL: statements about any service */
    uint32_t n;
    const uint32_t *statements;
};

struct iam_policy {
    struct arena *arena;
    const char *name; /* "PolicyInputList.1", "inline user policy `readers`", a path; never NULL */
    enum iam_policy_type type;
    bool variables;   /* Version 2012-10-17 */
    const char *text; /* the user's text */
    uint32_t text_size;
    uint32_t n_statements, n_findings;
    const struct iam_statement *statements;
    const struct iam_finding *findings;
    uint32_t n_indexes; /* 0: a short policy, read from end to end */
    const struct iam_service_index *indexes;
};

/* Parses 'text'.  On failure returns NULL and sets ERR_DOCUMENT, MalformedPolicyDocument, where = name and the
 * element's path, line and column in 'text'. */
struct iam_policy *iam_policy_parse(const char *text, size_t size, enum iam_policy_type type, const char *name,
                                    struct err *err);
/* The same for a document inside a larger JSON text: 'node' of 'doc'.  Places in the error are those of the larger
 * text; the policy's own places count from the start of the node. */
struct iam_policy *iam_policy_from_node(const struct iam_document *doc, const struct iam_node *node,
                                        enum iam_policy_type type, const char *name, struct err *err);
void iam_policy_free(struct iam_policy *policy);

/* The statements that can be about 'service' (small letters), as a list in their order; NULL if the policy has no
 * index: all of them. */
const struct iam_service_index *iam_policy_index_find(const struct iam_policy *policy, struct iam_text service);
/* Used by policy.c once the statements are there. */
void iam_policy_index_build(struct iam_policy *policy);

/* Line and column of a byte offset in the policy's text. */
void iam_policy_place(const struct iam_policy *policy, uint32_t offset, int *line, int *column);

/* Fails with MalformedPolicyDocument when a finding says that AWS would not store the document. */
bool iam_policy_check_storable(const struct iam_policy *policy, struct err *err);
