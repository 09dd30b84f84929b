#include "iampolicy/policy.h"

#include <stdio.h>
#include <string.h>
#include "base/vec.h"
#include "iampolicy/policy_rules.h"
#include "iampolicy/suggest.h"

#define ERROR_CODE "MalformedPolicyDocument"

struct parser {
    const struct iam_document *doc;
    const struct iam_node *root;
    struct iam_span own; /* the part of the source that is the policy's own text */
    struct iam_policy *policy;
    struct arena *arena;
    struct err *err;
    const char *element; /* "Action": where the reading is, for messages */
    size_t statement;    /* from 0; SIZE_MAX outside of one */
    VEC(struct iam_finding) findings;
};

static const char *const type_names[] = { "identity policy",         "permissions boundary", "session policy",
                                          "resource policy",         "role trust policy",    "service control policy",
                                          "resource control policy", "VPC endpoint policy" };

const char *
iam_policy_type_name(enum iam_policy_type type)
{
    return type_names[type];
}

/* ---- errors ---- */

static bool __attribute__((format(printf, 3, 4))) refuse(struct parser *p, uint32_t offset, const char *format, ...)
{
    char where[160];
    int line, column;
    va_list args;
    va_start(args, format);
    err_vset(p->err, ERR_DOCUMENT, ERROR_CODE, format, args);
    va_end(args);
    if (p->statement != SIZE_MAX) {
        snprintf(where, sizeof where, "%s Statement[%zu]%s%s", p->policy->name, p->statement, p->element ? "." : "",
                 p->element ? p->element : "");
    } else {
        snprintf(where, sizeof where, "%s%s%s", p->policy->name, p->element ? " " : "", p->element ? p->element : "");
    }
    iam_text_place(p->doc->source, p->doc->size, offset, &line, &column);
    return err_at(p->err, where, line, column);
}

static bool
refuse_type(struct parser *p, const struct iam_node *node, const char *expected)
{
    return refuse(p, node->span.start, "expected %s, found %s", expected, iam_node_type_name(node->type));
}

static struct iam_span
own_span(const struct parser *p, struct iam_span span)
{
    return (struct iam_span){ span.start - p->own.start, span.end - p->own.start };
}

static void
remark(void *context, enum iam_finding_level level, const char *code, struct iam_span span, const char *text)
{
    struct parser *p = context;
    *VEC_ADD(&p->findings) = (struct iam_finding){ level, code, arena_strdup(p->arena, text), span };
}

/* ---- elements ---- */

static const char *const statement_elements[] = { "Sid",       "Effect",   "Principal",   "NotPrincipal", "Action",
                                                  "NotAction", "Resource", "NotResource", "Condition" };
enum {
    E_SID,
    E_EFFECT,
    E_PRINCIPAL,
    E_NOT_PRINCIPAL,
    E_ACTION,
    E_NOT_ACTION,
    E_RESOURCE,
    E_NOT_RESOURCE,
    E_CONDITION,
    N_ELEMENTS
};

static bool
refuse_element(struct parser *p, const struct iam_node *node, const char *const *names, size_t n)
{
    const char *near = iam_suggest(node->key, names, n);
    p->element = NULL;
    refuse(p, node->key_span.start, "`%.*s` is not an element of a %s", (int)(node->key.n < 80 ? node->key.n : 80),
           node->key.s, p->statement == SIZE_MAX ? "policy" : "statement");
    return near ? err_hint(p->err, "did you mean `%s`?", near) : false;
}

/* A string or an array of strings, compiled one by one. */
static bool
read_patterns(struct parser *p, const struct iam_node *node, unsigned flags, const struct iam_pattern **patterns,
              uint32_t *n)
{
    bool list = node->type == IAM_ARRAY;
    if (!list && node->type != IAM_STRING) {
        return refuse_type(p, node, "a string or an array of strings");
    }
    uint32_t count = list ? node->n : 1, i = 0;
    struct iam_pattern *out = arena_alloc(p->arena, (count ? count : 1) * sizeof *out);
    for (const struct iam_node *item = list ? iam_node_first(p->doc, node) : node; item;
         item = list ? iam_node_next(p->doc, item) : NULL) {
        if (item->type != IAM_STRING) {
            return refuse_type(p, item, "a string");
        }
        out[i] = iam_pattern_compile(p->arena, item->text, flags);
        out[i++].span = own_span(p, item->span);
    }
    *patterns = out;
    *n = count;
    return true;
}

struct principals {
    VEC(struct iam_principal_entry) entries;
};

static bool
read_principal_list(struct parser *p, const char *type, const struct iam_node *node, struct principals *out)
{
    bool list = node->type == IAM_ARRAY;
    if (!list && node->type != IAM_STRING) {
        return refuse_type(p, node, "a string or an array of strings");
    }
    for (const struct iam_node *item = list ? iam_node_first(p->doc, node) : node; item;
         item = list ? iam_node_next(p->doc, item) : NULL) {
        if (item->type != IAM_STRING) {
            return refuse_type(p, item, "a string");
        }
        struct iam_principal_entry entry = iam_principal_entry_compile(p->arena, type, item->text);
        entry.span = own_span(p, item->span);
        *VEC_ADD(&out->entries) = entry;
    }
    return true;
}

static bool
read_principal_map(struct parser *p, const struct iam_node *node, struct principals *out)
{
    static const char *const types[] = { "AWS", "Service", "Federated", "CanonicalUser" };
    for (const struct iam_node *m = iam_node_first(p->doc, node); m; m = iam_node_next(p->doc, m)) {
        const char *type = NULL;
        for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
            type = iam_text_is(m->key, types[i]) ? types[i] : type;
        }
        if (!type) {
            const char *near = iam_suggest(m->key, types, ARRAY_SIZE(types));
            refuse(p, m->key_span.start, "`%.*s` is not a kind of principal", (int)(m->key.n < 80 ? m->key.n : 80),
                   m->key.s);
            return err_hint(p->err, "%s%s%suse AWS, Service, Federated or CanonicalUser", near ? "did you mean `" : "",
                            near ? near : "", near ? "`?  " : "");
        }
        if (!read_principal_list(p, type, m, out)) {
            return false;
        }
    }
    return true;
}

static bool
read_principal(struct parser *p, const struct iam_node *node, struct iam_statement *s)
{
    struct principals found = { 0 };
    bool ok;
    if (node->type == IAM_STRING) {
        ok = read_principal_list(p, "AWS", node, &found);
        if (!iam_text_is(node->text, "*")) {
            remark(p, IAM_FINDING_REFUSES, "INVALID_PRINCIPAL_FORMAT", own_span(p, node->span),
                   "a principal other than \"*\" is written as an object: {\"AWS\": ...}");
        }
    } else if (node->type == IAM_OBJECT) {
        ok = read_principal_map(p, node, &found);
    } else {
        ok = refuse_type(p, node, "\"*\" or an object");
    }
    if (ok) {
        struct iam_principal_entry *entries = arena_alloc(p->arena, (found.entries.n + 1) * sizeof *entries);
        memcpy(entries, found.entries.items ? found.entries.items : entries, found.entries.n * sizeof *entries);
        s->principals = entries;
        s->n_principals = (uint32_t)found.entries.n;
        s->principal_span = own_span(p, node->span);
        s->has_principal = true;
        for (uint32_t i = 0; i < s->n_principals; i++) {
            s->principal_account |= entries[i].kind == IAM_ENTRY_ACCOUNT;
        }
    }
    VEC_DONE(&found.entries);
    return ok;
}

/* ---- conditions ---- */

static bool
read_condition_value(struct parser *p, const struct iam_condition_op *op, const struct iam_node *node,
                     struct iam_condition_value *value)
{
    if (node->type != IAM_STRING && node->type != IAM_NUMBER && node->type != IAM_TRUE && node->type != IAM_FALSE) {
        return refuse_type(p, node, "a string, a number, true or false");
    }
    iam_condition_value_compile(p->arena, op, node->text, p->policy->variables, value);
    value->span = own_span(p, node->span);
    return true;
}

static bool
read_condition_key(struct parser *p, const struct iam_node *node, struct iam_condition *c)
{
    const char *colon = node->key.n ? memchr(node->key.s, ':', node->key.n) : NULL;
    if (!colon || colon == node->key.s) {
        refuse(p, node->key_span.start, "`%.*s` is not a condition key", (int)(node->key.n < 80 ? node->key.n : 80),
               node->key.s);
        return err_hint(p->err, "a key begins with its service, as in aws:SourceIp or s3:prefix");
    }
    bool list = node->type == IAM_ARRAY;
    uint32_t i = 0;
    c->key = iam_key_make(p->arena, node->key);
    c->n = list ? node->n : 1;
    c->span = own_span(p, node->span);
    c->key_span = own_span(p, node->key_span);
    struct iam_condition_value *values = arena_alloc(p->arena, (c->n ? c->n : 1) * sizeof *values);
    for (const struct iam_node *item = list ? iam_node_first(p->doc, node) : node; item;
         item = list ? iam_node_next(p->doc, item) : NULL) {
        if (!read_condition_value(p, c->op, item, &values[i])) {
            return false;
        }
        c->any_valid |= values[i++].valid;
    }
    c->values = values;
    return true;
}

static bool
refuse_operator(struct parser *p, const struct iam_node *node, const char *near)
{
    refuse(p, node->key_span.start, "`%.*s` is not a condition operator", (int)(node->key.n < 80 ? node->key.n : 80),
           node->key.s);
    if (near && near[strlen(near) - 1] == ':') {
        return err_hint(p->err, "did you mean `%s` before the operator's name?", near);
    }
    return near ? err_hint(p->err, "did you mean `%s`?", near) : false;
}

static bool
read_operator(struct parser *p, const struct iam_node *node, struct iam_condition *out, uint32_t *n)
{
    struct iam_condition c = { 0 };
    const char *near;
    if (!iam_condition_operator(node->key, &c.op, &c.qualifier, &c.if_exists, &near)) {
        return refuse_operator(p, node, near);
    }
    if (c.op->kind == IAM_VALUE_NULL && c.if_exists) {
        refuse(p, node->key_span.start, "`Null` cannot be combined with IfExists");
        return err_hint(p->err, "Null itself asks whether the key exists");
    }
    if (node->type != IAM_OBJECT) {
        return refuse_type(p, node, "an object of condition keys");
    }
    c.operator_text = arena_strndup(p->arena, node->key.s, node->key.n);
    for (const struct iam_node *m = iam_node_first(p->doc, node); m; m = iam_node_next(p->doc, m)) {
        out[*n] = c;
        if (!read_condition_key(p, m, &out[(*n)++])) {
            return false;
        }
    }
    return true;
}

static bool
read_conditions(struct parser *p, const struct iam_node *node, struct iam_statement *s)
{
    uint32_t total = 0;
    if (node->type != IAM_OBJECT) {
        return refuse_type(p, node, "an object of operators");
    }
    for (const struct iam_node *m = iam_node_first(p->doc, node); m; m = iam_node_next(p->doc, m)) {
        total += m->n;
    }
    struct iam_condition *conditions = arena_alloc(p->arena, (total + 1) * sizeof *conditions);
    for (const struct iam_node *m = iam_node_first(p->doc, node); m; m = iam_node_next(p->doc, m)) {
        if (!read_operator(p, m, conditions, &s->n_conditions)) {
            return false;
        }
    }
    s->conditions = conditions;
    return true;
}

/* ---- statements ---- */

static bool
read_effect(struct parser *p, const struct iam_node *node, struct iam_statement *s)
{
    if (node->type != IAM_STRING) {
        return refuse_type(p, node, "\"Allow\" or \"Deny\"");
    }
    s->deny = iam_text_is(node->text, "Deny");
    if (!s->deny && !iam_text_is(node->text, "Allow")) {
        refuse(p, node->span.start, "`%.*s` is not an effect", (int)(node->text.n < 80 ? node->text.n : 80),
               node->text.s);
        return err_hint(p->err, "an effect is \"Allow\" or \"Deny\", with the capital letter");
    }
    return true;
}

static bool
read_element(struct parser *p, int element, const struct iam_node *node, struct iam_statement *s)
{
    unsigned variables = p->policy->variables ? IAM_VARIABLES | IAM_AFTER_5TH_COLON : 0;
    switch (element) {
    case E_SID:
        if (node->type != IAM_STRING) {
            return refuse_type(p, node, "a string");
        }
        s->sid = arena_strndup(p->arena, node->text.s, node->text.n);
        s->sid_span = own_span(p, node->span);
        return true;
    case E_EFFECT:
        return read_effect(p, node, s);
    case E_PRINCIPAL:
    case E_NOT_PRINCIPAL:
        s->not_principal = element == E_NOT_PRINCIPAL;
        return read_principal(p, node, s);
    case E_ACTION:
    case E_NOT_ACTION:
        s->not_action = element == E_NOT_ACTION;
        s->action_span = own_span(p, node->span);
        return read_patterns(p, node, IAM_WILDCARDS | IAM_LOWER, &s->actions, &s->n_actions);
    case E_RESOURCE:
    case E_NOT_RESOURCE:
        s->not_resource = element == E_NOT_RESOURCE;
        s->has_resource = true;
        s->resource_span = own_span(p, node->span);
        return read_patterns(p, node, IAM_WILDCARDS | variables, &s->resources, &s->n_resources);
    default:
        return read_conditions(p, node, s);
    }
}

static bool
check_pairs(struct parser *p, const struct iam_node *const *seen)
{
    static const int pairs[][2] = { { E_ACTION, E_NOT_ACTION },
                                    { E_RESOURCE, E_NOT_RESOURCE },
                                    { E_PRINCIPAL, E_NOT_PRINCIPAL } };
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        const struct iam_node *a = seen[pairs[i][0]], *b = seen[pairs[i][1]];
        if (a && b) {
            p->element = NULL;
            return refuse(p, (a > b ? a : b)->key_span.start, "a statement has `%s` or `%s`, not both",
                          statement_elements[pairs[i][0]], statement_elements[pairs[i][1]]);
        }
    }
    return true;
}

/* What this type of policy must have and must not have (the table of section 2). */
static bool
check_presence(struct parser *p, const struct iam_node *statement, const struct iam_node *const *seen)
{
    enum iam_policy_type type = p->policy->type;
    bool names_principal = type >= IAM_POLICY_RESOURCE && type != IAM_POLICY_SCP;
    const struct iam_node *principal = seen[E_PRINCIPAL] ? seen[E_PRINCIPAL] : seen[E_NOT_PRINCIPAL];
    const struct iam_node *resource = seen[E_RESOURCE] ? seen[E_RESOURCE] : seen[E_NOT_RESOURCE];
    uint32_t start = statement->span.start;
    p->element = NULL;
    if (!seen[E_EFFECT]) {
        refuse(p, start, "the statement has no `Effect`");
        return err_hint(p->err, "add \"Effect\": \"Allow\" or \"Deny\"");
    }
    if (!seen[E_ACTION] && !seen[E_NOT_ACTION]) {
        refuse(p, start, "the statement has no `Action`");
        return err_hint(p->err, "add \"Action\" or \"NotAction\"");
    }
    if (names_principal && !principal) {
        refuse(p, start, "the statement has no `Principal`, which a %s needs", type_names[type]);
        return err_hint(p->err, "say who: \"Principal\": {\"AWS\": \"arn:aws:iam::123456789012:user/alice\"}");
    }
    if (!names_principal && principal) {
        refuse(p, principal->key_span.start, "`%.*s` does not belong in %s %s", (int)principal->key.n, principal->key.s,
               type == IAM_POLICY_IDENTITY ? "an" : "a", type_names[type]);
        return err_hint(p->err, "the principal is whomever the policy is attached to");
    }
    if (type == IAM_POLICY_TRUST && resource) {
        refuse(p, resource->key_span.start, "`%.*s` does not belong in a role trust policy", (int)resource->key.n,
               resource->key.s);
        return err_hint(p->err, "the resource is the role itself");
    }
    if (type != IAM_POLICY_TRUST && !resource) {
        refuse(p, start, "the statement has no `Resource`");
        return err_hint(p->err, "add \"Resource\": \"*\" or the ARNs it is about");
    }
    return true;
}

static bool
read_statement(struct parser *p, const struct iam_node *node, struct iam_statement *s)
{
    const struct iam_node *seen[N_ELEMENTS] = { 0 };
    p->element = NULL;
    if (node->type != IAM_OBJECT) {
        return refuse_type(p, node, "a statement, which is an object");
    }
    s->index = (uint32_t)p->statement;
    s->span = own_span(p, node->span);
    for (const struct iam_node *m = iam_node_first(p->doc, node); m; m = iam_node_next(p->doc, m)) {
        int element = 0;
        while (element < N_ELEMENTS && !iam_text_is(m->key, statement_elements[element])) {
            element++;
        }
        if (element == N_ELEMENTS) {
            return refuse_element(p, m, statement_elements, N_ELEMENTS);
        }
        seen[element] = m;
    }
    /* Presence first: a statement with both of a pair must not be read twice into the same place. */
    if (!check_pairs(p, seen) || !check_presence(p, node, seen)) {
        return false;
    }
    for (int element = 0; element < N_ELEMENTS; element++) {
        p->element = statement_elements[element];
        if (seen[element] && !read_element(p, element, seen[element], s)) {
            return false;
        }
    }
    p->element = NULL;
    return true;
}

/* Lines and columns of the statements in one walk through the text; they stand in the order of the array. */
static void
place_statements(struct iam_policy *policy, struct iam_statement *statements)
{
    const char *s = policy->text;
    uint32_t offset = 0;
    int line = 1, column = 1;
    for (uint32_t i = 0; i < 2 * policy->n_statements; i++) {
        struct iam_statement *statement = &statements[i / 2];
        uint32_t stop = i % 2 ? statement->span.end : statement->span.start;
        for (; offset < stop; offset++) {
            line += s[offset] == '\n';
            column = s[offset] == '\n' ? 1 : column + (((unsigned char)s[offset] & 0xC0) != 0x80);
        }
        *(i % 2 ? &statement->end_line : &statement->line) = line;
        *(i % 2 ? &statement->end_column : &statement->column) = column;
    }
}

static bool
read_statements(struct parser *p, const struct iam_node *node)
{
    bool list = node->type == IAM_ARRAY;
    uint32_t n = list ? node->n : 1, i = 0;
    if (!list && node->type != IAM_OBJECT) {
        return refuse_type(p, node, "a statement or an array of statements");
    }
    struct iam_statement *statements = arena_alloc(p->arena, (n ? n : 1) * sizeof *statements);
    p->policy->statements = statements;
    for (const struct iam_node *item = list ? iam_node_first(p->doc, node) : node; item;
         item = list ? iam_node_next(p->doc, item) : NULL) {
        p->statement = i;
        if (!read_statement(p, item, &statements[i++])) {
            return false;
        }
    }
    p->policy->n_statements = n;
    p->statement = SIZE_MAX;
    place_statements(p->policy, statements);
    return true;
}

/* ---- the document ---- */

static bool
read_version(struct parser *p, const struct iam_node *node)
{
    p->element = "Version";
    if (node->type != IAM_STRING) {
        return refuse_type(p, node, "\"2012-10-17\" or \"2008-10-17\"");
    }
    p->policy->variables = iam_text_is(node->text, "2012-10-17");
    if (!p->policy->variables && !iam_text_is(node->text, "2008-10-17")) {
        refuse(p, node->span.start, "`%.*s` is not a version of the policy language",
               (int)(node->text.n < 80 ? node->text.n : 80), node->text.s);
        return err_hint(p->err, "use \"2012-10-17\"; the date names the language, not the day the policy was written");
    }
    return true;
}

static bool
read_policy(struct parser *p)
{
    static const char *const elements[] = { "Version", "Id", "Statement" };
    const struct iam_node *seen[3] = { 0 };
    if (p->root->type != IAM_OBJECT) {
        return refuse_type(p, p->root, "a policy, which is an object");
    }
    for (const struct iam_node *m = iam_node_first(p->doc, p->root); m; m = iam_node_next(p->doc, m)) {
        int element = 0;
        while (element < 3 && !iam_text_is(m->key, elements[element])) {
            element++;
        }
        if (element == 3) {
            return refuse_element(p, m, elements, 3);
        }
        seen[element] = m;
    }
    if (seen[0] && !read_version(p, seen[0])) {
        return false;
    }
    p->element = "Id";
    if (seen[1] && seen[1]->type != IAM_STRING) {
        return refuse_type(p, seen[1], "a string");
    }
    p->element = NULL;
    if (!seen[2]) {
        refuse(p, p->root->span.start, "the policy has no `Statement`");
        return err_hint(p->err, "a policy is {\"Version\": \"2012-10-17\", \"Statement\": [...]}");
    }
    if (seen[1] && p->policy->type <= IAM_POLICY_SESSION) {
        remark(p, IAM_FINDING_WARNS, "INVALID_POLICY_ELEMENT", own_span(p, seen[1]->key_span),
               "`Id` is meant for resource policies");
    }
    p->element = "Statement";
    return read_statements(p, seen[2]);
}

static struct iam_policy *
build(const struct iam_document *doc, const struct iam_node *node, struct iam_span own, enum iam_policy_type type,
      const char *name, struct err *err)
{
    struct arena *arena = arena_new();
    struct iam_policy *policy = arena_alloc(arena, sizeof *policy);
    struct parser p = {
        .doc = doc, .root = node, .own = own, .policy = policy, .arena = arena, .err = err, .statement = SIZE_MAX
    };
    policy->arena = arena;
    policy->name = arena_strdup(arena, name);
    policy->type = type;
    bool ok = true;
    if (node->span.end - node->span.start > IAM_POLICY_LIMIT) {
        ok = refuse(&p, node->span.start, "the policy is longer than %u bytes", IAM_POLICY_LIMIT);
    } else {
        policy->text_size = own.end - own.start;
        policy->text = arena_strndup(arena, doc->source + own.start, policy->text_size);
    }
    ok = ok && read_policy(&p);
    if (ok) {
        iam_policy_index_build(policy);
        iam_policy_rules(policy, remark, &p);
        struct iam_finding *findings = arena_alloc(arena, (p.findings.n + 1) * sizeof *findings);
        memcpy(findings, p.findings.items ? p.findings.items : findings, p.findings.n * sizeof *findings);
        policy->findings = findings;
        policy->n_findings = (uint32_t)p.findings.n;
    }
    VEC_DONE(&p.findings);
    if (!ok) {
        arena_free(arena);
        return NULL;
    }
    return policy;
}

struct iam_policy *
iam_policy_from_node(const struct iam_document *doc, const struct iam_node *node, enum iam_policy_type type,
                     const char *name, struct err *err)
{
    return build(doc, node, node->span, type, name, err);
}

struct iam_policy *
iam_policy_parse(const char *text, size_t size, enum iam_policy_type type, const char *name, struct err *err)
{
    struct iam_document doc = { 0 };
    struct err found = { 0 };
    struct iam_policy *policy = NULL;
    if (size > 2 * IAM_POLICY_LIMIT) { /* white space around it does not count, but reading ends somewhere */
        err_set(err, ERR_DOCUMENT, ERROR_CODE, "the policy is longer than %u bytes", IAM_POLICY_LIMIT);
        err_at(err, name, 1, 1);
        return NULL;
    }
    if (iam_document_read(&doc, text, size, name, &found)) {
        policy = build(&doc, doc.nodes, (struct iam_span){ 0, (uint32_t)size }, type, name, err);
    } else { /* the reader's words, IAM's code */
        err_set(err, ERR_DOCUMENT, ERROR_CODE, "%s", found.text);
        err_at(err, found.where, found.line, found.column);
        if (found.hint[0]) {
            err_hint(err, "%s", found.hint);
        }
    }
    iam_document_done(&doc);
    return policy;
}

void
iam_policy_free(struct iam_policy *policy)
{
    if (policy) {
        arena_free(policy->arena);
    }
}

void
iam_policy_place(const struct iam_policy *policy, uint32_t offset, int *line, int *column)
{
    iam_text_place(policy->text, policy->text_size, offset, line, column);
}

bool
iam_policy_check_storable(const struct iam_policy *policy, struct err *err)
{
    for (uint32_t i = 0; i < policy->n_findings; i++) {
        const struct iam_finding *f = &policy->findings[i];
        if (f->level == IAM_FINDING_REFUSES) {
            int line, column;
            iam_policy_place(policy, f->span.start, &line, &column);
            err_set(err, ERR_DOCUMENT, ERROR_CODE, "%s", f->text);
            err_at(err, policy->name, line, column);
            return err_hint(err, "policy check %s", f->code);
        }
    }
    return true;
}
