#include "iampolicy/why.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "iampolicy/missing.h"

enum { KEYS_MAX = 12, VALUES_MAX = 24, BASES_MAX = 24 };

/* Values that a missing key might have, taken from the policies: some that their conditions ask for, some they do not.
 */
struct candidate {
    char *text;
    bool multi;
};
struct unknown {
    const struct iam_key *key;
    VEC(struct candidate) values;
};
/* Which candidate each key has; -1: the key stays away. */
typedef int8_t assignment[KEYS_MAX];

struct search {
    const struct iam_policies *policies;
    struct iam_request *request;
    struct unknown keys[KEYS_MAX];
    size_t n_keys;
    assignment bases[BASES_MAX];
    size_t n_bases;
    enum iam_decision decision;
};

static void
offer(struct unknown *unknown, const char *text, size_t size, bool multi)
{
    for (size_t i = 0; i < unknown->values.n; i++) {
        const struct candidate *c = &unknown->values.items[i];
        if (c->multi == multi && strlen(c->text) == size && memcmp(c->text, text, size) == 0) {
            return;
        }
    }
    if (unknown->values.n < VALUES_MAX) {
        *VEC_ADD(&unknown->values) = (struct candidate){ xstrndup(text, size), multi };
    }
}

/* A text that the pattern matches: variables replaced, wildcards filled. */
static void
offer_pattern(struct search *s, struct unknown *unknown, const struct iam_pattern *pattern, bool multi)
{
    struct iam_resolved value;
    struct buf text = { 0 };
    if (iam_pattern_resolve(pattern, s->request, &value)) {
        const unsigned char *bytes = pattern->kind == IAM_PATTERN_VARIABLE ? value.bytes : NULL;
        const char *written = pattern->text;
        for (uint32_t i = 0; bytes ? i < value.size : written[i] != '\0'; i++) {
            int c = bytes ? bytes[i] : (unsigned char)written[i];
            buf_char(&text, c == IAM_STAR || c == IAM_ANY || c == '*' || c == '?' ? 'x' : (char)c);
        }
        offer(unknown, buf_str(&text), text.size, multi);
    }
    iam_resolved_done(&value);
    buf_done(&text);
}

/* What may stand on either side of the policy's value. */
static void
offer_value(struct search *s, struct unknown *unknown, const struct iam_condition *c,
            const struct iam_condition_value *v)
{
    bool multi = c->qualifier != IAM_NO_QUALIFIER;
    char number[64];
    double n;
    switch (c->op->kind) {
    case IAM_VALUE_STRING:
    case IAM_VALUE_LIKE:
    case IAM_VALUE_FOLDED:
    case IAM_VALUE_ARN:
        offer_pattern(s, unknown, &v->pattern, multi);
        offer(unknown, c->op->kind == IAM_VALUE_ARN ? "arn:aws:iam::000000000000:user/other" : "other",
              c->op->kind == IAM_VALUE_ARN ? 36 : 5, multi);
        break;
    case IAM_VALUE_BOOL:
        offer(unknown, "true", 4, multi);
        offer(unknown, "false", 5, multi);
        break;
    case IAM_VALUE_DECIMAL:
        offer(unknown, v->text, v->text_size, multi);
        for (int d = -1; d <= 1; d += 2) {
            n = strtod(v->text, NULL) + d;
            snprintf(number, sizeof number, "%.10g", n);
            offer(unknown, number, strlen(number), multi);
        }
        break;
    case IAM_VALUE_DATE:
        offer(unknown, v->text, v->text_size, multi);
        offer(unknown, "1970-01-02T00:00:00Z", 20, multi);
        offer(unknown, "2999-01-01T00:00:00Z", 20, multi);
        break;
    case IAM_VALUE_IP:
        offer(unknown, v->text, strcspn(v->text, "/"), multi);
        offer(unknown, "192.0.2.1", 9, multi);
        offer(unknown, "2001:db8::1", 11, multi);
        break;
    case IAM_VALUE_BINARY:
        offer(unknown, v->text, v->text_size, multi);
        break;
    case IAM_VALUE_NULL:
        offer(unknown, "any", 3, multi);
        break;
    }
}

static struct unknown *
unknown_of(struct search *s, const struct iam_key *key)
{
    for (size_t i = 0; i < s->n_keys; i++) {
        if (s->keys[i].key->hash == key->hash && strcmp(s->keys[i].key->lower, key->lower) == 0) {
            return &s->keys[i];
        }
    }
    return NULL;
}

/* A variable's value may be any piece of what the pattern is compared with. */
static void
offer_pieces(struct unknown *unknown, const char *text)
{
    offer(unknown, text, strlen(text), false);
    while (*text) {
        size_t n = strcspn(text, "/:@");
        if (n) {
            offer(unknown, text, n, false);
        }
        text += n + (text[n] != '\0');
    }
}

static void
offer_variables(struct search *s, const struct iam_pattern *pattern, const char *compared)
{
    for (uint32_t i = 0; i < pattern->n_parts; i++) {
        struct unknown *unknown = pattern->parts[i].bytes ? NULL : unknown_of(s, pattern->parts[i].key);
        if (unknown) {
            offer_pieces(unknown, compared);
        }
    }
}

static void
offer_statement(struct search *s, const struct iam_statement *st)
{
    for (uint32_t i = 0; i < st->n_resources; i++) {
        offer_variables(s, &st->resources[i], s->request->resource.s);
    }
    for (uint32_t i = 0; i < st->n_conditions; i++) {
        const struct iam_condition *c = &st->conditions[i];
        const struct iam_context_value *has = iam_request_value(s->request, &c->key);
        struct unknown *unknown = unknown_of(s, &c->key);
        for (uint32_t k = 0; k < c->n; k++) {
            bool pattern = c->op->kind <= IAM_VALUE_FOLDED || c->op->kind == IAM_VALUE_ARN;
            if (unknown) {
                offer_value(s, unknown, c, &c->values[k]);
            }
            if (pattern && has && has->n) {
                offer_variables(s, &c->values[k].pattern, has->values[0].s);
            }
        }
    }
}

/* ---- deciding with some of the keys there ---- */

static size_t
put(struct search *s, const int8_t *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n_keys; i++) {
        if (chosen[i] >= 0) {
            const struct candidate *c = &s->keys[i].values.items[chosen[i]];
            const struct iam_key *key = s->keys[i].key;
            struct iam_text value = { c->text, (uint32_t)strlen(c->text) };
            iam_request_set_context(s->request, (struct iam_text){ key->name, (uint32_t)strlen(key->name) }, &value, 1,
                                    c->multi);
            n++;
        }
    }
    return n;
}

static void
take_back(struct search *s, size_t n)
{
    while (n--) {
        iam_request_unset_last(s->request);
    }
}

static enum iam_decision
decide_with(struct search *s, const int8_t *chosen)
{
    size_t n = put(s, chosen);
    enum iam_decision decision = iam_decide(s->policies, s->request, NULL);
    take_back(s, n);
    return decision;
}

/* ---- keys that a statement needs together ---- */

/* Chooses values so that as many conditions of the statement hold as can. */
static void
satisfy(struct search *s, const struct iam_statement *st, int8_t *chosen)
{
    struct iam_asking asking = { .request = s->request };
    memset(chosen, -1, sizeof(assignment));
    for (uint32_t i = 0; i < st->n_conditions; i++) {
        struct unknown *unknown = unknown_of(s, &st->conditions[i].key);
        unsigned remarks = 0;
        for (size_t k = 0; unknown && k < unknown->values.n; k++) {
            int8_t before = chosen[unknown - s->keys];
            chosen[unknown - s->keys] = (int8_t)k;
            size_t n = put(s, chosen);
            bool holds = iam_condition_holds(&st->conditions[i], s->request, &remarks);
            take_back(s, n);
            if (holds) {
                break;
            }
            chosen[unknown - s->keys] = before;
        }
    }
    for (size_t i = 0; i < s->n_keys; i++) { /* keys that only variables use */
        for (size_t k = 0; chosen[i] < 0 && k < s->keys[i].values.n; k++) {
            struct iam_look look = { 0 };
            chosen[i] = (int8_t)k;
            size_t n = put(s, chosen);
            bool applies = iam_statement_applies(&asking, st, &look);
            take_back(s, n);
            chosen[i] = applies ? chosen[i] : -1;
            if (applies) {
                return;
            }
        }
    }
}

typedef void visit(struct search *s, const struct iam_statement *statement);

static void
each_in(struct search *s, const iam_policy_list *list, visit *visit_one)
{
    for (size_t i = 0; i < list->n; i++) {
        for (uint32_t k = 0; k < list->items[i]->n_statements; k++) {
            if (iam_action_matches(&list->items[i]->statements[k], s->request)) {
                visit_one(s, &list->items[i]->statements[k]);
            }
        }
    }
}

static void
each_statement(struct search *s, visit *visit_one)
{
    const struct iam_policies *p = s->policies;
    for (size_t i = 0; i < p->rcp.n; i++) {
        each_in(s, &p->rcp.items[i].policies, visit_one);
    }
    for (size_t i = 0; i < p->scp.n; i++) {
        each_in(s, &p->scp.items[i].policies, visit_one);
    }
    each_in(s, &p->endpoint, visit_one);
    each_in(s, &p->resource, visit_one);
    each_in(s, &p->boundary, visit_one);
    each_in(s, &p->session, visit_one);
    each_in(s, &p->identity, visit_one);
}

static void
note_keys(struct search *s, const struct iam_statement *st)
{
    iam_keys keys = { 0 };
    iam_statement_missing_keys(st, s->request, &keys);
    for (size_t i = 0; i < keys.n && s->n_keys < KEYS_MAX; i++) {
        if (!unknown_of(s, keys.items[i])) {
            s->keys[s->n_keys++].key = keys.items[i];
        }
    }
    VEC_DONE(&keys);
}

static bool
has_base(const struct search *s, const int8_t *chosen)
{
    for (size_t i = 0; i < s->n_bases; i++) {
        if (memcmp(s->bases[i], chosen, sizeof(assignment)) == 0) {
            return true;
        }
    }
    return false;
}

/* What each statement needs alone, and on top of what those before it need. */
static void
note_base(struct search *s, const struct iam_statement *st)
{
    assignment own, both;
    satisfy(s, st, own);
    for (size_t i = 0, n = s->n_bases; i < n && s->n_bases < BASES_MAX; i++) {
        memcpy(both, s->bases[i], sizeof both);
        for (size_t k = 0; k < s->n_keys; k++) {
            both[k] = own[k] >= 0 ? own[k] : both[k];
        }
        if (!has_base(s, both)) {
            memcpy(s->bases[s->n_bases++], both, sizeof both);
        }
    }
}

/* ---- the answer ---- */

static size_t
n_chosen(const int8_t *chosen)
{
    size_t n = 0;
    for (size_t i = 0; i < KEYS_MAX; i++) {
        n += chosen[i] >= 0;
    }
    return n;
}

/* A value of the key that changes the decision, with as few other keys as possible; an allow before a denial. */
static json_t *
key_that_matters(struct search *s, size_t key)
{
    size_t best_others = SIZE_MAX;
    assignment best;
    enum iam_decision best_decision = s->decision;
    for (size_t b = 0; b < s->n_bases; b++) {
        assignment chosen;
        memcpy(chosen, s->bases[b], sizeof chosen);
        chosen[key] = -1;
        enum iam_decision without = decide_with(s, chosen);
        for (size_t k = 0; k < s->keys[key].values.n; k++) {
            chosen[key] = (int8_t)k;
            enum iam_decision with = decide_with(s, chosen);
            size_t others = n_chosen(chosen) - 1;
            bool better =
                others < best_others || (others == best_others && with == IAM_ALLOW && best_decision != IAM_ALLOW);
            if (with != without && better) {
                memcpy(best, chosen, sizeof best);
                best_others = others;
                best_decision = with;
            }
        }
    }
    if (best_others == SIZE_MAX) {
        return NULL;
    }
    const struct candidate *value = &s->keys[key].values.items[best[key]];
    json_t *out = json_pack("{s:s, s:s, s:b, s:s}", "Key", s->keys[key].key->name, "Value", value->text, "Multivalued",
                            (int)value->multi, "Decision", iam_decision_name(best_decision));
    if (best_others) {
        json_t *with = json_object();
        for (size_t i = 0; i < s->n_keys; i++) {
            if (i != key && best[i] >= 0) {
                json_object_set_new(with, s->keys[i].key->name, json_string(s->keys[i].values.items[best[i]].text));
            }
        }
        json_object_set_new(out, "With", with);
    }
    return out;
}

json_t *
iam_why_keys(const struct iam_policies *policies, struct iam_request *request)
{
    struct search s = { .policies = policies, .request = request };
    json_t *list = json_array();
    s.decision = iam_decide(policies, request, NULL);
    each_statement(&s, note_keys);
    each_statement(&s, offer_statement);
    memset(s.bases[0], -1, sizeof s.bases[0]);
    s.n_bases = 1;
    each_statement(&s, note_base);
    for (size_t i = 0; i < s.n_keys; i++) {
        json_t *item = key_that_matters(&s, i);
        if (item) {
            json_array_append_new(list, item);
        }
    }
    for (size_t i = 0; i < s.n_keys; i++) {
        for (size_t k = 0; k < s.keys[i].values.n; k++) {
            free(s.keys[i].values.items[k].text);
        }
        VEC_DONE(&s.keys[i].values);
    }
    return list;
}
