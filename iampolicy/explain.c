#include "iampolicy/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iampolicy/missing.h"

enum { NEAR_MISSES = 3, NEAR_MISSES_ELSEWHERE = 2, LIST_MAX = 8 /* entries of a list that are shown */ };

static const char *const layer_words[] = { "resource control policy", "service control policy", "VPC endpoint policy",
                                           "resource-based policy",   "permissions boundary",   "session policy",
                                           "identity-based policy" };
static const char *const part_words[] = { "principal", "action", "resource", "condition" };

static const char *
layer_word(enum iam_set set, const struct iam_request *request)
{
    return set == IAM_SET_RESOURCE && iam_is_assume_role(request) ? "role trust policy" : layer_words[set];
}

/* The set a step is about; IAM_N_SETS for none. */
static enum iam_set
set_of_step(enum iam_step step)
{
    static const enum iam_set sets[] = {
        [IAM_STEP_NO_PERMISSION_NEEDED] = IAM_N_SETS,
        [IAM_STEP_GUARD] = IAM_N_SETS,
        [IAM_STEP_EXPLICIT_DENY] = IAM_N_SETS,
        [IAM_STEP_RCP] = IAM_SET_RCP,
        [IAM_STEP_SCP] = IAM_SET_SCP,
        [IAM_STEP_ENDPOINT] = IAM_SET_ENDPOINT,
        [IAM_STEP_RESOURCE] = IAM_SET_RESOURCE,
        [IAM_STEP_BOUNDARY] = IAM_SET_BOUNDARY,
        [IAM_STEP_SESSION] = IAM_SET_SESSION,
        [IAM_STEP_IDENTITY] = IAM_SET_IDENTITY,
        [IAM_STEP_ALLOWED] = IAM_N_SETS,
        [IAM_STEP_BUCKET_RESTRICTED] = IAM_N_SETS,
    };
    return sets[step];
}

static void
set(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value);
}

/* ---- why ---- */

static const struct iam_look *
first_deny(const struct iam_result *result)
{
    for (size_t i = 0; i < result->matched.n; i++) {
        if (result->matched.items[i].statement->deny) {
            return &result->matched.items[i];
        }
    }
    return NULL;
}

char *
iam_denied_message(const struct iam_request *request, const struct iam_result *result)
{
    const struct iam_look *deny = result->step == IAM_STEP_EXPLICIT_DENY ? first_deny(result) : NULL;
    enum iam_set blamed = deny ? (enum iam_set)deny->set : set_of_step(result->step);
    char *head = xasprintf("User: %s is not authorized to perform: %s on resource: %s", request->principal.arn,
                           request->action.s, request->resource.s),
         *message;
    if (deny) {
        message =
            xasprintf("%s with an explicit deny in a%s %s: %s", head,
                      strchr("aeiou", layer_words[blamed][0]) ? "n" : "", layer_words[blamed], deny->policy->name);
    } else if (blamed < IAM_N_SETS) {
        message =
            xasprintf("%s because no %s allows the %s action", head, layer_word(blamed, request), request->action.s);
    } else {
        message = xstrdup(head);
    }
    free(head);
    return message;
}

static char *
because(const struct iam_policies *policies, const struct iam_request *request, const struct iam_result *result)
{
    const struct iam_look *deny = first_deny(result);
    enum iam_set blamed = set_of_step(result->step);
    const char *level = "";
    switch (result->step) {
    case IAM_STEP_NO_PERMISSION_NEEDED:
        return xasprintf("%s needs no permission", request->action.s);
    case IAM_STEP_GUARD:
        return xasprintf("the policies allow it, but %s", result->guard);
    case IAM_STEP_BUCKET_RESTRICTED:
        return xstrdup("the bucket's policy is public and its block public access setting keeps other accounts out");
    case IAM_STEP_EXPLICIT_DENY:
        return xasprintf("a statement of a%s %s denies it, and a denial always wins",
                         strchr("aeiou", layer_words[deny->set][0]) ? "n" : "", layer_words[deny->set]);
    case IAM_STEP_ALLOWED:
        return xstrdup(request->principal.kind == IAM_ROOT && !result->cross_account
                           ? "the root user may do everything that is not denied"
                       : result->bypass
                           ? "the resource-based policy names the caller, which is enough in the same account"
                           : "an Allow applies and nothing denies it");
    case IAM_STEP_SCP:
        level = policies->scp.items[result->level].entity;
        break;
    case IAM_STEP_RCP:
        level = policies->rcp.items[result->level].entity;
        break;
    default:
        break;
    }
    if (!(result->asked & 1u << blamed)) {
        return xasprintf("there is no %s, and without one it is denied", layer_word(blamed, request));
    }
    return xasprintf("no %s allows it%s%s%s", layer_word(blamed, request), level[0] ? " at " : "", level,
                     result->cross_account ? " (across accounts both sides must allow)" : "");
}

/* What would change a refusal; NULL where nothing short would. */
static const char *
mend(const struct iam_request *request, const struct iam_result *result)
{
    switch (result->step) {
    case IAM_STEP_EXPLICIT_DENY:
        return "no Allow helps against a Deny: change the statement, or the request so that it does not apply";
    case IAM_STEP_IDENTITY:
        return result->cross_account
                   ? "the caller's own account must allow it as well: attach a policy to the user or role"
                   : "attach a policy with an Allow for it, or name the caller in the resource's policy";
    case IAM_STEP_RESOURCE:
        return iam_is_assume_role(request) ? "iam update-assume-role-policy: name the caller in the role's trust policy"
                                           : "the policy of the resource must name the caller";
    case IAM_STEP_BOUNDARY:
        return "a permissions boundary limits what other policies grant: it must allow the action too";
    case IAM_STEP_SESSION:
        return "the policy given when the session began must allow the action too";
    case IAM_STEP_SCP:
    case IAM_STEP_RCP:
        return "the organisation must leave the action open at every level from the root down";
    case IAM_STEP_ENDPOINT:
        return "the policy of the VPC endpoint must allow it as well";
    default:
        return NULL;
    }
}

/* ---- statements ---- */

/* The line of the user's text in which 'offset' stands, without the spaces around it. */
static json_t *
line_text(const struct iam_policy *policy, uint32_t offset)
{
    const char *text = policy->text, *end = text + policy->text_size;
    const char *from = text + (offset < policy->text_size ? offset : 0), *to = from;
    while (from > text && from[-1] != '\n') {
        from--;
    }
    while (to < end && *to != '\n') {
        to++;
    }
    while (from < to && (*from == ' ' || *from == '\t')) {
        from++;
    }
    while (to > from && (to[-1] == ' ' || to[-1] == '\t' || to[-1] == '\r')) {
        to--;
    }
    /* A document on one line would be shown whole: then what is around the place. */
    if (to - from > 160) {
        const char *place = text + offset;
        from = place - from > 20 ? place - 20 : from;
        to = to - from > 140 ? from + 140 : to;
        while (from < to && ((unsigned char)*from & 0xC0) == 0x80) {
            from++;
        }
        while (to > from && to < end && ((unsigned char)*to & 0xC0) == 0x80) {
            to--;
        }
    }
    return json_stringn(from, (size_t)(to - from));
}

static json_t *
show_statement(const struct iam_look *look, uint32_t offset, uint32_t text_at)
{
    const struct iam_statement *s = look->statement;
    int line, column, text_line, text_column;
    json_t *out = json_object();
    iam_policy_place(look->policy, offset, &line, &column);
    iam_policy_place(look->policy, text_at, &text_line, &text_column);
    set(out, "Layer", json_string(iam_set_name(look->set)));
    set(out, "Policy", json_string(look->policy->name));
    if (s->sid) {
        set(out, "Sid", json_string(s->sid));
    }
    set(out, "Statement", json_integer(s->index));
    set(out, "Effect", json_string(s->deny ? "Deny" : "Allow"));
    set(out, "Line", json_integer(line));
    set(out, "Column", json_integer(column));
    set(out, "TextLine", json_integer(text_line));
    set(out, "Text", line_text(look->policy, text_at));
    return out;
}

/* Where to point in a list of actions: at its start, or at the entry when that stands on a line of its own. */
static uint32_t
action_place(const struct iam_look *look, const struct iam_pattern *entry)
{
    uint32_t start = look->statement->action_span.start;
    bool apart = entry && memchr(look->policy->text + start, '\n', entry->span.start - start);
    return apart ? entry->span.start : start;
}

/* The entry that the request's action matches; NULL for NotAction. */
static const struct iam_pattern *
matched_action(const struct iam_statement *s, const struct iam_request *request)
{
    for (uint32_t i = 0; i < s->n_actions && !s->not_action; i++) {
        if (iam_pattern_match(&s->actions[i], request->action_lower.s, request->action_lower.n, NULL)) {
            return &s->actions[i];
        }
    }
    return NULL;
}

static json_t *
deciding_statements(const struct iam_request *request, const struct iam_result *result)
{
    json_t *list = json_array();
    bool deny = result->decision == IAM_EXPLICIT_DENY;
    for (size_t i = 0; i < result->matched.n && result->decision != IAM_IMPLICIT_DENY; i++) {
        const struct iam_look *look = &result->matched.items[i];
        if (look->statement->deny == deny) {
            json_array_append_new(list, show_statement(look, look->statement->span.start,
                                                       action_place(look, matched_action(look->statement, request))));
        }
    }
    return list;
}

/* ---- near misses ---- */

static void
add_pattern(struct buf *out, const struct iam_pattern *pattern, const struct iam_request *request)
{
    struct iam_resolved value;
    buf_str_add(out, out->size ? ", " : "");
    buf_str_add(out, pattern->text);
    if (pattern->kind == IAM_PATTERN_VARIABLE) {
        if (iam_pattern_resolve(pattern, request, &value)) {
            buf_str_add(out, " = ");
            for (uint32_t i = 0; i < value.size; i++) {
                buf_char(out, value.bytes[i] == IAM_STAR  ? '*'
                              : value.bytes[i] == IAM_ANY ? '?'
                                                          : (char)value.bytes[i]);
            }
        } else {
            buf_str_add(out, " (a variable has no value)");
        }
        iam_resolved_done(&value);
    }
}

static void
describe_condition(const struct iam_condition *c, const struct iam_request *request, struct buf *wants, struct buf *has)
{
    const struct iam_context_value *value = iam_request_value(request, &c->key);
    bool patterns = c->op->kind == IAM_VALUE_STRING || c->op->kind == IAM_VALUE_LIKE ||
                    c->op->kind == IAM_VALUE_FOLDED || c->op->kind == IAM_VALUE_ARN || c->op->kind == IAM_VALUE_BOOL;
    struct buf values = { 0 };
    for (uint32_t i = 0; i < c->n; i++) {
        if (patterns) {
            add_pattern(&values, &c->values[i].pattern, request);
        } else {
            buf_printf(&values, "%s%s", i ? ", " : "", c->values[i].text);
        }
    }
    buf_printf(wants, "%s %s %s", c->operator_text, c->key.name, buf_str(&values));
    buf_done(&values);
    if (!value) {
        buf_printf(has, "no %s", c->key.name);
        return;
    }
    buf_printf(has, "%s ", c->key.name);
    for (uint32_t i = 0; i < value->n; i++) {
        buf_printf(has, "%s%s", i ? ", " : "", value->values[i].s);
    }
    if (value->multi && c->qualifier == IAM_NO_QUALIFIER) {
        buf_str_add(has, " (several values need ForAnyValue: or ForAllValues:)");
    }
}

/* Is the entry about the service that is asked? */
static bool
is_of_service(const struct iam_pattern *action, const struct iam_request *request)
{
    return action->size > request->service_size &&
           memcmp(action->bytes, request->action_lower.s, request->service_size + 1) == 0;
}

/* The actions of a statement; of a long list those of the request's service, a few of them.  Returns where they are. */
static uint32_t
describe_actions(const struct iam_look *look, const struct iam_request *request, struct buf *wants)
{
    const struct iam_statement *s = look->statement;
    const struct iam_pattern *first = NULL;
    bool all = s->n_actions <= LIST_MAX;
    uint32_t shown = 0;
    buf_str_add(wants, s->not_action ? "anything but " : "");
    for (uint32_t i = 0; i < s->n_actions; i++) {
        bool near = is_of_service(&s->actions[i], request);
        first = near && !first ? &s->actions[i] : first;
        if (all || (near && shown < LIST_MAX)) {
            buf_printf(wants, "%s%s", shown++ ? ", " : "", s->actions[i].text);
        }
    }
    if (shown < s->n_actions) {
        buf_printf(wants, "%s%u others", shown ? " and " : "", s->n_actions - shown);
    }
    return action_place(look, first);
}

static uint32_t
describe_miss(const struct iam_look *look, const struct iam_request *request, struct buf *wants, struct buf *has)
{
    const struct iam_statement *s = look->statement;
    switch (look->failed) {
    case IAM_PART_PRINCIPAL:
        buf_str_add(wants, s->not_principal ? "anybody but " : "");
        for (uint32_t i = 0; i < s->n_principals; i++) {
            buf_printf(wants, "%s%s", i ? ", " : "", s->principals[i].text);
        }
        buf_str_add(has, request->principal.arn);
        return s->principal_span.start;
    case IAM_PART_ACTION:
        buf_str_add(has, request->action.s);
        return describe_actions(look, request, wants);
    case IAM_PART_RESOURCE:
        for (uint32_t i = 0; i < s->n_resources && i < LIST_MAX; i++) {
            add_pattern(wants, &s->resources[i], request);
        }
        if (s->n_resources > LIST_MAX) {
            buf_printf(wants, " and %u other%s", s->n_resources - LIST_MAX, plural(s->n_resources - LIST_MAX));
        }
        if (s->not_resource) {
            struct buf all = { 0 };
            buf_printf(&all, "anything but %s", buf_str(wants));
            buf_done(wants);
            *wants = all;
        }
        buf_str_add(has, request->resource.s);
        return s->resource_span.start;
    default:
        describe_condition(&s->conditions[look->entry], request, wants, has);
        return s->conditions[look->entry].key_span.start;
    }
}

/* How near an Allow came: parts satisfied; an action of another service is no near miss. */
static int
nearness(const struct iam_look *look, const struct iam_request *request)
{
    if (look->failed != IAM_PART_ACTION && look->failed != IAM_PART_PRINCIPAL) {
        return look->failed;
    }
    if (look->failed == IAM_PART_PRINCIPAL) {
        return iam_action_matches(look->statement, request) ? IAM_PART_ACTION : -1;
    }
    for (uint32_t i = 0; i < look->statement->n_actions; i++) {
        if (is_of_service(&look->statement->actions[i], request)) {
            return IAM_PART_PRINCIPAL;
        }
    }
    return -1;
}

/* Does the level of an SCP or RCP already allow it?  Of other sets the whole set does or does not. */
static bool
is_open(const struct iam_result *result, const struct iam_look *look)
{
    bool open = false;
    for (size_t i = 0; i < result->matched.n && !open; i++) {
        const struct iam_look *m = &result->matched.items[i];
        open = m->set == look->set && m->level == look->level && !m->statement->deny;
    }
    return open;
}

static json_t *
show_miss(const struct iam_look *look, const struct iam_request *request)
{
    struct buf wants = { 0 }, has = { 0 };
    uint32_t offset = describe_miss(look, request, &wants, &has);
    json_t *miss = show_statement(look, offset, offset);
    set(miss, "Fails", json_string(part_words[look->failed]));
    set(miss, "Wants", json_string(buf_str(&wants)));
    set(miss, "Has", json_string(buf_str(&has)));
    buf_done(&wants);
    buf_done(&has);
    return miss;
}

/* The Allow statements of one layer that came nearest, 'most' of them. */
static void
add_misses(const struct iam_request *request, const struct iam_result *result, enum iam_set set, size_t most,
           json_t *list)
{
    size_t n = 0;
    for (int wanted = IAM_PART_CONDITION; wanted >= IAM_PART_PRINCIPAL; wanted--) {
        for (size_t i = 0; i < result->looks.n && n < most; i++) {
            const struct iam_look *look = &result->looks.items[i];
            if (look->set == set && !look->statement->deny && look->failed != IAM_PART_ALL &&
                nearness(look, request) == wanted && !is_open(result, look)) {
                json_array_append_new(list, show_miss(look, request));
                n++;
            }
        }
    }
}

/* Every layer that had a say and is silent, the one to blame first: whoever mends that one meets the next. */
static json_t *
near_misses(const struct iam_request *request, const struct iam_result *result)
{
    json_t *list = json_array();
    enum iam_set blamed = set_of_step(result->step);
    /* Within an account a resource policy need not speak where identity policies do. */
    bool needless = !result->cross_account && blamed != IAM_SET_RESOURCE && result->said[IAM_SET_IDENTITY].allow;
    if (blamed < IAM_N_SETS) {
        add_misses(request, result, blamed, NEAR_MISSES, list);
    }
    for (int s = IAM_N_SETS - 1; s >= 0; s--) { /* identity first: it is what people write */
        const struct iam_said *said = &result->said[s];
        bool silent = (result->asked & 1u << s) && !said->allow && !said->deny;
        if (silent && s != (int)blamed && !(s == IAM_SET_RESOURCE && needless)) {
            add_misses(request, result, (enum iam_set)s, NEAR_MISSES_ELSEWHERE, list);
        }
    }
    return list;
}

/* ---- the whole ---- */

static json_t *
layers(const struct iam_result *result)
{
    json_t *list = json_array();
    for (int s = 0; s < IAM_N_SETS; s++) {
        if (result->asked & 1u << s) {
            const struct iam_said *said = &result->said[s];
            json_array_append_new(list, json_pack("{s:s, s:s}", "Layer", iam_set_name((enum iam_set)s), "Said",
                                                  said->deny    ? "denied"
                                                  : said->allow ? "allowed"
                                                                : "silent"));
        }
    }
    return list;
}

static json_t *
remarks(unsigned bits)
{
    json_t *list = json_array();
    const struct iam_remark_words *words;
    for (size_t i = 0; (words = iam_remark_at(i)); i++) {
        if (bits & 1u << i) {
            json_array_append_new(
                list, json_pack("{s:s, s:s, s:s}", "Code", words->code, "Choice", words->choice, "Text", words->text));
        }
    }
    return list;
}

json_t *
iam_explain(const struct iam_policies *policies, const struct iam_request *request, const struct iam_result *result)
{
    json_t *out = json_object(), *missing = json_array();
    char *why = because(policies, request, result);
    iam_keys keys = { 0 };
    set(out, "Decision", json_string(iam_decision_name(result->decision)));
    set(out, "Because", json_string(why));
    free(why);
    if (result->decision != IAM_ALLOW) {
        char *message = iam_denied_message(request, result);
        set(out, "Message", json_string(message));
        free(message);
    }
    const char *hint = mend(request, result);
    if (hint) {
        set(out, "Hint", json_string(hint));
    }
    set(out, "Principal", json_string(request->principal.arn));
    set(out, "Action", json_string(request->action.s));
    set(out, "Resource", json_string(request->resource.s));
    set(out, "Layers", layers(result));
    set(out, "Statements", deciding_statements(request, result));
    set(out, "NearMisses", result->decision == IAM_ALLOW ? json_array() : near_misses(request, result));
    iam_missing_keys(policies, request, &keys);
    for (size_t i = 0; i < keys.n; i++) {
        json_array_append_new(missing, json_string(keys.items[i]->name));
    }
    VEC_DONE(&keys);
    set(out, "MissingContextValues", missing);
    set(out, "Remarks", remarks(result->remarks));
    return out;
}

static void
print_statement(const json_t *s, struct buf *text)
{
    const char *sid = json_str(s, "Sid"), *fails = json_str(s, "Fails");
    buf_printf(text, "\n  %s:%lld:%lld  %s", json_str(s, "Policy"), json_int(s, "Line", 0), json_int(s, "Column", 0),
               json_str(s, "Effect"));
    if (sid) {
        buf_printf(text, " `%s`", sid);
    }
    buf_printf(text, fails ? ", but its %s does not match\n" : "\n", fails);
    buf_printf(text, "  %5lld | %s\n", json_int(s, "TextLine", 0), json_str(s, "Text"));
    if (fails) {
        buf_printf(text, "          wants  %s\n          has    %s\n", json_str(s, "Wants"), json_str(s, "Has"));
    }
}

void
iam_explain_text(const json_t *explanation, struct buf *text)
{
    bool allowed = strcmp(json_str(explanation, "Decision"), "allowed") == 0;
    const json_t *item;
    size_t i;
    buf_printf(text, "%s  %s  %s  %s\n", allowed ? "ALLOWED" : "DENIED", json_str(explanation, "Principal"),
               json_str(explanation, "Action"), json_str(explanation, "Resource"));
    buf_printf(text, "%s (%s)\n", json_str(explanation, "Because"), json_str(explanation, "Decision"));
    json_array_foreach(json_object_get(explanation, "Statements"), i, item)
    {
        print_statement(item, text);
    }
    const char *layer = "";
    json_array_foreach(json_object_get(explanation, "NearMisses"), i, item)
    {
        bool next = strcmp(layer, json_str(item, "Layer")) != 0;
        layer = json_str(item, "Layer");
        buf_str_add(text, i == 0 ? "\nnearest misses\n" : "");
        if (next && i > 0) {
            buf_printf(text, "\nand in the %s layer\n", layer);
        }
        print_statement(item, text);
    }
    json_array_foreach(json_object_get(explanation, "Layers"), i, item)
    {
        buf_printf(text, "%s%s %s", i == 0 ? "\nlayers: " : ", ", json_str(item, "Layer"), json_str(item, "Said"));
    }
    buf_str_add(text, json_array_size(json_object_get(explanation, "Layers")) ? "\n" : "");
    json_array_foreach(json_object_get(explanation, "MissingContextValues"), i, item)
    {
        buf_printf(text, "%s%s", i == 0 ? "not in the request: " : ", ", json_string_value(item));
    }
    buf_str_add(text, json_array_size(json_object_get(explanation, "MissingContextValues")) ? "\n" : "");
    if (json_str(explanation, "Hint")) {
        buf_printf(text, "hint: %s\n", json_str(explanation, "Hint"));
    }
    json_array_foreach(json_object_get(explanation, "Remarks"), i, item)
    {
        buf_printf(text, "remark: %s\n", json_str(item, "Text"));
    }
}
