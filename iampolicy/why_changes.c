#include "iampolicy/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS_MAX = 64 };

/* Policies in which things may be changed: the lists are copies, the policies borrowed until one is replaced. */
struct mending {
    struct iam_policies policies;
    VEC(struct iam_policy *) parsed; /* owned */
    json_t *changes;
};

static void
copy_list(iam_policy_list *to, const iam_policy_list *from)
{
    for (size_t i = 0; i < from->n; i++) {
        *VEC_ADD(to) = from->items[i];
    }
}

static void
mending_init(struct mending *m, const struct iam_policies *p)
{
    *m = (struct mending){ .changes = json_array() };
    copy_list(&m->policies.identity, &p->identity);
    copy_list(&m->policies.boundary, &p->boundary);
    copy_list(&m->policies.session, &p->session);
    copy_list(&m->policies.resource, &p->resource);
    copy_list(&m->policies.endpoint, &p->endpoint);
    copy_list(&m->policies.beneath, &p->beneath);
    m->policies.has_boundary = p->has_boundary;
    m->policies.has_session = p->has_session;
    m->policies.via_endpoint = p->via_endpoint;
    for (size_t i = 0; i < p->scp.n; i++) {
        struct iam_level *level = VEC_ADD(&m->policies.scp);
        level->entity = p->scp.items[i].entity;
        copy_list(&level->policies, &p->scp.items[i].policies);
    }
    for (size_t i = 0; i < p->rcp.n; i++) {
        struct iam_level *level = VEC_ADD(&m->policies.rcp);
        level->entity = p->rcp.items[i].entity;
        copy_list(&level->policies, &p->rcp.items[i].policies);
    }
}

static void
mending_done(struct mending *m)
{
    for (size_t i = 0; i < m->parsed.n; i++) {
        iam_policy_free(m->parsed.items[i]);
    }
    VEC_DONE(&m->parsed);
    iam_policies_done(&m->policies);
    json_decref(m->changes);
}

static iam_policy_list *
list_of(struct mending *m, enum iam_set set, size_t level)
{
    struct iam_policies *p = &m->policies;
    iam_policy_list *const lists[] = {
        [IAM_SET_RCP] = level < p->rcp.n ? &p->rcp.items[level].policies : NULL,
        [IAM_SET_SCP] = level < p->scp.n ? &p->scp.items[level].policies : NULL,
        [IAM_SET_ENDPOINT] = &p->endpoint,
        [IAM_SET_RESOURCE] = &p->resource,
        [IAM_SET_BOUNDARY] = &p->boundary,
        [IAM_SET_SESSION] = &p->session,
        [IAM_SET_IDENTITY] = &p->identity,
    };
    return lists[set];
}

/* In every list of the set: the same control policy may hang at several levels. */
static void
replace(struct mending *m, enum iam_set set, const struct iam_policy *old, const struct iam_policy *new)
{
    size_t levels = set == IAM_SET_RCP ? m->policies.rcp.n : set == IAM_SET_SCP ? m->policies.scp.n : 1;
    for (size_t level = 0; level < levels; level++) {
        iam_policy_list *list = list_of(m, set, level);
        for (size_t i = 0; i < list->n; i++) {
            list->items[i] = list->items[i] == old ? new : list->items[i];
        }
    }
    iam_policy_list *beneath = &m->policies.beneath; /* speaks for the resource, as the access point's own does */
    for (size_t i = 0; set == IAM_SET_RESOURCE && i < beneath->n; i++) {
        beneath->items[i] = beneath->items[i] == old ? new : beneath->items[i];
    }
}

static void
set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

static json_t *
change(const char *what, const struct iam_look *look, uint32_t offset)
{
    int line, column;
    json_t *out =
        json_pack("{s:s, s:s, s:s}", "Change", what, "Layer", iam_set_name(look->set), "Policy", look->policy->name);
    iam_policy_place(look->policy, offset, &line, &column);
    set(out, "Line", json_integer(line));
    set(out, "Column", json_integer(column));
    if (look->statement->sid) {
        set(out, "Sid", json_string(look->statement->sid));
    }
    return out;
}

/* ---- removing a Deny ---- */

/* The policy's text with the statement blanked out, so that every other place stays where the user has it. */
static char *
without_statement(const struct iam_policy *policy, struct iam_span span)
{
    char *text = xstrndup(policy->text, policy->text_size);
    size_t before = span.start, after = span.end;
    for (size_t i = span.start; i < span.end; i++) {
        text[i] = text[i] == '\n' ? '\n' : ' ';
    }
    while (before > 0 && strchr(" \t\r\n", text[before - 1])) {
        before--;
    }
    while (text[after] && strchr(" \t\r\n", text[after])) {
        after++;
    }
    if (before > 0 && text[before - 1] == ':') { /* the only statement, not in a list */
        memcpy(text + span.start, "[]", 2);
    } else if (text[after] == ',') {
        text[after] = ' ';
    } else if (before > 0 && text[before - 1] == ',') {
        text[before - 1] = ' ';
    }
    return text;
}

static bool
remove_statement(struct mending *m, const struct iam_look *look)
{
    const struct iam_policy *old = look->policy;
    const char *sid = look->statement->sid;
    char *text = without_statement(old, look->statement->span);
    struct iam_policy *rest = iam_policy_parse(text, old->text_size, old->type, old->name, NULL);
    free(text);
    if (!rest) {
        return false;
    }
    *VEC_ADD(&m->parsed) = rest;
    json_t *item = change("RemoveStatement", look, look->statement->span.start);
    char *words =
        xasprintf("remove the Deny %s%s%sfrom %s", sid ? "`" : "", sid ? sid : "", sid ? "` " : "", old->name);
    set(item, "Text", json_string(words));
    free(words);
    json_array_append_new(m->changes, item);
    replace(m, look->set, old, rest);
    return true;
}

/* One Deny that applies; the next round finds the next. */
static bool
remove_deny(struct mending *m, const struct iam_result *result)
{
    for (size_t i = 0; i < result->matched.n; i++) {
        if (result->matched.items[i].statement->deny) {
            return remove_statement(m, &result->matched.items[i]);
        }
    }
    return false;
}

/* ---- adding a value to the statement that came nearest ---- */

/* The policy's text with 'value' added to the value or list at 'span'. */
static char *
with_value(const struct iam_policy *policy, struct iam_span span, const char *value, size_t *size)
{
    struct buf text = { 0 };
    json_t *string = json_string(value);
    char *quoted = json_dumps(string, JSON_ENCODE_ANY);
    bool list = policy->text[span.start] == '[';
    uint32_t end = list ? span.end - 1 : span.end, inside = span.start + 1;
    while (inside < end && strchr(" \t\r\n", policy->text[inside])) {
        inside++;
    }
    buf_add(&text, policy->text, span.start);
    buf_str_add(&text, list ? "" : "[");
    buf_add(&text, policy->text + span.start, end - span.start);
    buf_printf(&text, "%s%s]", inside < end ? ", " : "", quoted);
    buf_add(&text, policy->text + span.end, policy->text_size - span.end);
    free(quoted);
    json_decref(string);
    *size = text.size;
    return buf_steal(&text);
}

/* Where a value must go so that the part that failed matches; false where that is not a matter of one more value. */
static bool
place_of_miss(const struct iam_look *look, const struct iam_request *request, struct iam_span *span, const char **value,
              const char **element)
{
    const struct iam_statement *s = look->statement;
    const struct iam_context_value *has;
    const struct iam_condition *c;
    switch (look->failed) {
    case IAM_PART_RESOURCE:
        *span = s->resource_span;
        *value = request->resource.s;
        *element = "Resource";
        return !s->not_resource && s->has_resource;
    case IAM_PART_ACTION:
        *span = s->action_span;
        *value = request->action.s;
        *element = "Action";
        return !s->not_action;
    case IAM_PART_CONDITION:
        c = &s->conditions[look->entry];
        has = iam_request_value(request, &c->key);
        *span = c->span;
        *value = has && has->n ? has->values[0].s : NULL;
        *element = c->key.name;
        return *value && !c->op->negated && c->op->kind != IAM_VALUE_NULL && !has->multi;
    default:
        return false;
    }
}

static bool
same_stop(const struct iam_result *a, const struct iam_result *b)
{
    return a->step == b->step && a->level == b->level;
}

/* True when the changed policy lets the decision pass the step at which it stopped. */
static bool
try_value(struct mending *m, const struct iam_look *look, const struct iam_request *request,
          const struct iam_result *result)
{
    struct iam_span span;
    const char *value, *element;
    struct iam_result then = { 0 };
    size_t size;
    if (!place_of_miss(look, request, &span, &value, &element)) {
        return false;
    }
    const struct iam_policy *old = look->policy;
    char *text = with_value(old, span, value, &size);
    struct iam_policy *new = iam_policy_parse(text, size, old->type, old->name, NULL);
    bool passed = false;
    if (new) {
        replace(m, look->set, old, new);
        iam_decide(&m->policies, request, &then);
        passed = then.decision == IAM_ALLOW || !same_stop(&then, result);
        if (passed) {
            json_t *item = change("AddValue", look, span.start);
            char *words = xasprintf("add `%s` to %s of %s%s%s%s", value, element, look->statement->sid ? "`" : "",
                                    look->statement->sid ? look->statement->sid : "the statement",
                                    look->statement->sid ? "` in " : " in ", old->name);
            set(item, "Element", json_string(element));
            set(item, "Value", json_string(value));
            set(item, "Text", json_string(words));
            json_array_append_new(m->changes, item);
            *VEC_ADD(&m->parsed) = new;
            free(words);
        } else {
            replace(m, look->set, new, old);
            iam_policy_free(new);
        }
    }
    iam_result_done(&then);
    free(text);
    return passed;
}

/* The statement of the set that matched furthest, if a value is all it lacks.  An action alone would be no smaller than
 * a statement of its own, and would grant it on whatever the statement names. */
static bool
add_value(struct mending *m, enum iam_set blamed, const struct iam_request *request, const struct iam_result *result)
{
    for (int wanted = IAM_PART_CONDITION; wanted >= IAM_PART_RESOURCE; wanted--) {
        for (size_t i = 0; i < result->looks.n; i++) {
            const struct iam_look look = result->looks.items[i];
            bool level = (blamed != IAM_SET_SCP && blamed != IAM_SET_RCP) || look.level == result->level;
            if (look.set == blamed && level && !look.statement->deny && look.failed == wanted &&
                try_value(m, &look, request, result)) {
                return true;
            }
        }
    }
    return false;
}

/* ---- adding a statement ---- */

static json_t *
principal_of(const struct iam_request *request)
{
    const struct iam_principal *p = &request->principal;
    switch (p->kind) {
    case IAM_ANONYMOUS:
        return json_string("*");
    case IAM_SERVICE:
        return json_pack("{s:s}", "Service", p->arn);
    case IAM_WEB_IDENTITY:
    case IAM_SAML:
        return json_pack("{s:s}", "Federated", p->arn);
    case IAM_CANONICAL:
        return json_pack("{s:s}", "CanonicalUser", p->arn);
    case IAM_ROLE_SESSION:
        return json_pack("{s:s}", "AWS", p->issuer ? p->issuer : p->arn);
    default:
        return json_pack("{s:s}", "AWS", p->arn);
    }
}

static enum iam_policy_type
type_of(enum iam_set set_, const struct iam_request *request)
{
    static const enum iam_policy_type types[] = {
        [IAM_SET_RCP] = IAM_POLICY_RCP,           [IAM_SET_SCP] = IAM_POLICY_SCP,
        [IAM_SET_ENDPOINT] = IAM_POLICY_ENDPOINT, [IAM_SET_RESOURCE] = IAM_POLICY_RESOURCE,
        [IAM_SET_BOUNDARY] = IAM_POLICY_BOUNDARY, [IAM_SET_SESSION] = IAM_POLICY_SESSION,
        [IAM_SET_IDENTITY] = IAM_POLICY_IDENTITY,
    };
    return set_ == IAM_SET_RESOURCE && iam_is_assume_role(request) ? IAM_POLICY_TRUST : types[set_];
}

static bool
add_statement(struct mending *m, enum iam_set blamed, const struct iam_request *request,
              const struct iam_result *result)
{
    enum iam_policy_type type = type_of(blamed, request);
    json_t *statement = json_pack("{s:s}", "Effect", "Allow");
    if (blamed == IAM_SET_RESOURCE || blamed == IAM_SET_ENDPOINT || blamed == IAM_SET_RCP) {
        set(statement, "Principal", blamed == IAM_SET_RESOURCE ? principal_of(request) : json_string("*"));
    }
    set(statement, "Action", json_string(request->action.s));
    if (type != IAM_POLICY_TRUST) {
        set(statement, "Resource", json_string(request->resource.s));
    }
    json_t *document = json_pack("{s:s, s:[O]}", "Version", "2012-10-17", "Statement", statement);
    char *text = json_dumps(document, JSON_COMPACT), *shown = json_dumps(statement, 0);
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), type, "added", NULL);
    iam_policy_list *list = list_of(m, blamed, result->level);
    if (policy && list) {
        *VEC_ADD(&m->parsed) = policy;
        *VEC_ADD(list) = policy;
        m->policies.has_session |= blamed == IAM_SET_SESSION;
        const char *entity = blamed == IAM_SET_SCP   ? m->policies.scp.items[result->level].entity
                             : blamed == IAM_SET_RCP ? m->policies.rcp.items[result->level].entity
                                                     : "";
        json_t *item = json_pack("{s:s, s:s, s:O}", "Change", "AddStatement", "Layer", iam_set_name(blamed),
                                 "Statement", statement);
        char *words =
            xasprintf("add to the %s%s%s: %s", iam_policy_type_name(type), entity[0] ? " at " : "", entity, shown);
        set(item, "Text", json_string(words));
        free(words);
        json_array_append_new(m->changes, item);
    }
    json_decref(document);
    json_decref(statement);
    free(text);
    free(shown);
    return policy && list;
}

/* ---- one step after the other ---- */

static enum iam_set
set_of_step(enum iam_step step)
{
    switch (step) {
    case IAM_STEP_RCP:
        return IAM_SET_RCP;
    case IAM_STEP_SCP:
        return IAM_SET_SCP;
    case IAM_STEP_ENDPOINT:
        return IAM_SET_ENDPOINT;
    case IAM_STEP_RESOURCE:
        return IAM_SET_RESOURCE;
    case IAM_STEP_BOUNDARY:
        return IAM_SET_BOUNDARY;
    case IAM_STEP_SESSION:
        return IAM_SET_SESSION;
    case IAM_STEP_IDENTITY:
        return IAM_SET_IDENTITY;
    default:
        return IAM_N_SETS;
    }
}

/* Changes one thing at the step that stopped the request. */
static bool
one_round(struct mending *m, const struct iam_request *request, const struct iam_result *result)
{
    enum iam_set blamed = set_of_step(result->step);
    if (result->step == IAM_STEP_EXPLICIT_DENY) {
        return remove_deny(m, result);
    }
    return blamed < IAM_N_SETS &&
           (add_value(m, blamed, request, result) ||
            (blamed == IAM_SET_IDENTITY && !result->cross_account && add_value(m, IAM_SET_RESOURCE, request, result)) ||
            add_statement(m, blamed, request, result));
}

json_t *
iam_why_changes(const struct iam_policies *policies, const struct iam_request *request)
{
    struct mending m;
    struct iam_result result = { .want_looks = true };
    mending_init(&m, policies);
    enum iam_decision decision = iam_decide(&m.policies, request, &result);
    for (int round = 0; round < ROUNDS_MAX && decision != IAM_ALLOW && one_round(&m, request, &result); round++) {
        decision = iam_decide(&m.policies, request, &result);
    }
    json_t *changes = decision == IAM_ALLOW ? json_incref(m.changes) : json_array();
    iam_result_done(&result);
    mending_done(&m);
    return changes;
}
