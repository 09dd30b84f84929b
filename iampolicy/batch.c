#include "iampolicy/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "iampolicy/chain.h"
#include "iampolicy/document.h"
#include "iampolicy/explain.h"
#include "iampolicy/json_out.h"
#include "iampolicy/missing.h"

enum { CACHE_SLOTS = 1024, CACHE_PROBES = 4, GUESSES = 16 };

struct cached {
    uint64_t hash;
    struct iam_policy *policy;
};

struct iam_batch {
    struct iam_document doc;
    struct iam_request *request;
    struct iam_policies policies;
    struct iam_result result;
    iam_keys missing;
    struct cached cache[CACHE_SLOTS];
    /* Policies of the last line: the next line usually brings the same documents, which are then stepped over unread.
     */
    const struct iam_policy *used[GUESSES], *guesses[GUESSES];
    uint32_t n_used, n_guesses, next_guess;
    bool misread;                   /* a document was stepped over that had to be read */
    VEC(struct iam_policy *) loose; /* of this line alone: the cache had no room */
};

static uint32_t
recognize(void *context, struct iam_text key, const char *text, uint32_t left, const void **known)
{
    struct iam_batch *batch = context;
    if (!iam_text_is(key, "document") && !iam_text_is(key, "resource")) {
        return 0;
    }
    for (uint32_t i = 0; i < batch->n_guesses; i++) {
        uint32_t guess = (batch->next_guess + i) % batch->n_guesses;
        const struct iam_policy *policy = batch->guesses[guess];
        if (policy->text_size <= left && memcmp(policy->text, text, policy->text_size) == 0) {
            batch->next_guess = guess + 1;
            *known = policy;
            return policy->text_size;
        }
    }
    return 0;
}

struct iam_batch *
iam_batch_new(void)
{
    struct iam_batch *batch = xcalloc(1, sizeof *batch);
    batch->doc.context = batch;
    batch->request = iam_request_new();
    return batch;
}

static void
drop_loose(struct iam_batch *batch)
{
    for (size_t i = 0; i < batch->loose.n; i++) {
        iam_policy_free(batch->loose.items[i]);
    }
    batch->loose.n = 0;
}

void
iam_batch_free(struct iam_batch *batch)
{
    if (!batch) {
        return;
    }
    drop_loose(batch);
    VEC_DONE(&batch->loose);
    for (size_t i = 0; i < CACHE_SLOTS; i++) {
        iam_policy_free(batch->cache[i].policy);
    }
    VEC_DONE(&batch->missing);
    iam_result_done(&batch->result);
    iam_policies_done(&batch->policies);
    iam_request_free(batch->request);
    iam_document_done(&batch->doc);
    free(batch);
}

/* ---- errors ---- */

static bool
wrong_at(struct iam_batch *batch, const struct iam_node *node, struct err *err)
{
    int line, column;
    iam_text_place(batch->doc.source, batch->doc.size, node->span.start, &line, &column);
    return err_at(err, "", line, column);
}

static bool
wrong(struct iam_batch *batch, const struct iam_node *node, struct err *err, const char *member, const char *expected)
{
    err_set(err, ERR_DOCUMENT, "InvalidInput", "`%s` must be %s", member, expected);
    return wrong_at(batch, node, err);
}

static void
put_id(struct iam_batch *batch, const struct iam_node *id, struct buf *out)
{
    buf_str_add(out, "{\"id\": ");
    if (id) {
        /* As it was written, but on one line: whoever embeds the library may give a line with breaks in it. */
        for (uint32_t i = id->span.start; i < id->span.end; i++) {
            char c = batch->doc.source[i];
            buf_char(out, c == '\n' || c == '\r' ? ' ' : c);
        }
    } else {
        buf_str_add(out, "null");
    }
}

/* The hint goes into the message: the contract has no member for it. */
static void
put_error(struct iam_batch *batch, const struct iam_node *id, const struct err *err, int line, struct buf *out)
{
    struct buf message = { 0 };
    put_id(batch, id, out);
    buf_printf(&message, "%s%s%s%s%s", err->where, err->where[0] ? ": " : "", err->text, err->hint[0] ? "; " : "",
               err->hint);
    buf_str_add(out, ", \"error\": {\"code\": ");
    iam_put_string(out, err->code[0] ? err->code : "InvalidInput", SIZE_MAX);
    buf_str_add(out, ", \"message\": ");
    iam_put_string(out, buf_str(&message), SIZE_MAX);
    buf_printf(out, ", \"line\": %d, \"column\": %d}}\n", err->line > 0 ? line + err->line - 1 : line,
               err->column > 0 ? err->column : 1);
    buf_done(&message);
}

/* ---- members ---- */

static const struct iam_node *
member(struct iam_batch *batch, const struct iam_node *object, const char *name, enum iam_node_type type, bool required,
       const char *expected, struct err *err)
{
    const struct iam_node *node = iam_node_member(&batch->doc, object, name);
    if (node && node->type == IAM_NULL && !required) {
        return NULL;
    }
    if (!node ? required : node->type != type) {
        wrong(batch, node ? node : object, err, name, expected);
        return NULL;
    }
    return node;
}

static bool
is_scalar(const struct iam_node *node)
{
    return node->type == IAM_STRING || node->type == IAM_NUMBER || node->type == IAM_TRUE || node->type == IAM_FALSE;
}

enum { VALUES_MAX = 1024 };

static bool
set_values(struct iam_batch *batch, struct iam_text key, const struct iam_node *node, bool list, struct err *err)
{
    struct iam_text values[VALUES_MAX];
    uint32_t n = 0;
    bool array = node->type == IAM_ARRAY;
    for (const struct iam_node *item = array ? iam_node_first(&batch->doc, node) : node; item;
         item = array ? iam_node_next(&batch->doc, item) : NULL) {
        if (!is_scalar(item) || n == VALUES_MAX) {
            return wrong(batch, item, err, "context", "strings, or lists of at most 1024 strings");
        }
        values[n++] = item->text;
    }
    iam_request_set_context(batch->request, key, values, n, list);
    return true;
}

static bool
read_context(struct iam_batch *batch, const struct iam_node *context, struct err *err)
{
    if (!context || context->type == IAM_NULL) {
        return true;
    }
    if (context->type != IAM_OBJECT) {
        return wrong(batch, context, err, "context", "an object");
    }
    for (const struct iam_node *m = iam_node_first(&batch->doc, context); m; m = iam_node_next(&batch->doc, m)) {
        if (m->type != IAM_NULL && !set_values(batch, m->key, m, m->type == IAM_ARRAY, err)) {
            return false;
        }
    }
    return true;
}

static bool
read_resource_level(struct iam_batch *batch, const struct iam_node *object)
{
    const struct iam_node *level = iam_node_member(&batch->doc, object, "resourceLevel");
    return !level || level->type != IAM_FALSE;
}

static bool
read_request(struct iam_batch *batch, const struct iam_node *root, struct err *err)
{
    const struct iam_node *request = member(batch, root, "request", IAM_OBJECT, true, "an object", err);
    const struct iam_node *principal =
        request ? member(batch, request, "principal", IAM_STRING, true, "a string", err) : NULL;
    const struct iam_node *action =
        principal ? member(batch, request, "action", IAM_STRING, true, "a string", err) : NULL;
    const struct iam_node *resource =
        action ? member(batch, request, "resource", IAM_OBJECT, true, "an object", err) : NULL;
    const struct iam_node *arn = resource ? member(batch, resource, "arn", IAM_STRING, true, "a string", err) : NULL;
    if (!arn) {
        return false;
    }
    const struct iam_node *account = member(batch, resource, "account", IAM_STRING, false, "a string", err);
    if (err->kind) {
        return false;
    }
    if (!iam_request_set_principal(batch->request, principal->text, err)) {
        return wrong_at(batch, principal, err);
    }
    if (!iam_request_set_action(batch->request, action->text, err)) {
        return wrong_at(batch, action, err);
    }
    iam_request_set_resource(batch->request, arn->text, account ? account->text : (struct iam_text){ "", 0 },
                             read_resource_level(batch, request));
    return read_context(batch, iam_node_member(&batch->doc, request, "context"), err);
}

/* ---- policies ---- */

/* FNV-1a by words of eight bytes: documents are long, and only equality matters. */
static uint64_t
hash_document(const char *text, uint32_t size, uint64_t seed)
{
    uint64_t hash = 0xcbf29ce484222325u ^ seed, word = 0;
    for (; size >= 8; text += 8, size -= 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    word = 0;
    memcpy(&word, text, size);
    hash = (hash ^ word ^ (uint64_t)size << 56) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static bool
is_same_document(const struct iam_policy *policy, const char *text, uint32_t size, enum iam_policy_type type,
                 struct iam_text name)
{
    return policy->type == type && policy->text_size == size && memcmp(policy->text, text, size) == 0 &&
           iam_text_is(name, policy->name);
}

static const struct iam_policy *
use_policy(struct iam_batch *batch, const struct iam_policy *policy)
{
    if (batch->n_used < GUESSES) {
        batch->used[batch->n_used++] = policy;
    }
    return policy;
}

static const struct iam_policy *
read_policy(struct iam_batch *batch, const struct iam_node *node, enum iam_policy_type type, struct iam_text name,
            struct err *err)
{
    const char *text = batch->doc.source + node->span.start;
    uint32_t size = node->span.end - node->span.start;
    const struct iam_policy *known = node->known;
    if (known && known->type == type && iam_text_is(name, known->name)) {
        return use_policy(batch, known);
    }
    if (known) { /* the same text under another name or in another set */
        batch->misread = true;
        err_set(err, ERR_FAULT, "", "read again");
        return NULL;
    }
    uint64_t hash = hash_document(text, size, (uint64_t)type << 8 | name.n);
    struct cached *free_slot = NULL;
    for (uint32_t i = 0; i < CACHE_PROBES; i++) {
        struct cached *slot = &batch->cache[(hash + i) % CACHE_SLOTS];
        if (slot->policy && slot->hash == hash && is_same_document(slot->policy, text, size, type, name)) {
            return use_policy(batch, slot->policy);
        }
        free_slot = free_slot || slot->policy ? free_slot : slot;
    }
    char title[160];
    snprintf(title, sizeof title, "%.*s", (int)(name.n < 150 ? name.n : 150), name.s);
    struct iam_policy *policy = iam_policy_from_node(&batch->doc, node, type, title, err);
    if (policy && free_slot) {
        *free_slot = (struct cached){ hash, policy };
        return use_policy(batch, policy);
    } else if (policy) {
        *VEC_ADD(&batch->loose) = policy;
    }
    return policy;
}

/* [{"name", "document"}, ...] into 'list'. */
static bool
read_list(struct iam_batch *batch, const struct iam_node *list, enum iam_policy_type type, iam_policy_list *out,
          struct err *err)
{
    if (list->type != IAM_ARRAY) {
        return wrong(batch, list, err, list->key.s ? "policies" : "policy list", "lists of {name, document}");
    }
    for (const struct iam_node *item = iam_node_first(&batch->doc, list); item;
         item = iam_node_next(&batch->doc, item)) {
        const struct iam_node *document = iam_node_member(&batch->doc, item, "document");
        const struct iam_node *name = iam_node_member(&batch->doc, item, "name");
        if (!document) {
            return wrong(batch, item, err, "document", "a policy");
        }
        struct iam_text title = name && name->type == IAM_STRING ? name->text : (struct iam_text){ "policy", 6 };
        const struct iam_policy *policy = read_policy(batch, document, type, title, err);
        if (!policy) {
            return false;
        }
        *VEC_ADD(out) = policy;
    }
    return true;
}

typedef VEC(struct iam_level) levels;

static bool
read_levels(struct iam_batch *batch, const struct iam_node *list, enum iam_policy_type type, void *levels_out,
            struct err *err)
{
    levels *out = levels_out;
    if (list->type != IAM_ARRAY) {
        return wrong(batch, list, err, "scp", "a list of {entity, policies}");
    }
    for (const struct iam_node *item = iam_node_first(&batch->doc, list); item;
         item = iam_node_next(&batch->doc, item)) {
        const struct iam_node *policies = iam_node_member(&batch->doc, item, "policies");
        if (!policies) {
            return wrong(batch, item, err, "policies", "a list of {name, document}");
        }
        struct iam_level *level = VEC_ADD(out);
        level->entity = "";
        if (!read_list(batch, policies, type, &level->policies, err)) {
            return false;
        }
    }
    return true;
}

static const struct iam_node *
present(struct iam_batch *batch, const struct iam_node *object, const char *name)
{
    const struct iam_node *node = iam_node_member(&batch->doc, object, name);
    return node && node->type != IAM_NULL ? node : NULL;
}

static bool
is_role(const struct iam_request *request)
{
    const char *s = strstr(request->resource.s, ":role/");
    return strncmp(request->resource.s, "arn:", 4) == 0 && strstr(request->resource.s, ":iam:") && s;
}

static bool
read_policies(struct iam_batch *batch, const struct iam_node *root, struct err *err)
{
    struct iam_policies *p = &batch->policies;
    const struct iam_node *policies = member(batch, root, "policies", IAM_OBJECT, true, "an object", err), *node;
    if (!policies) {
        return false;
    }
    if ((node = present(batch, policies, "identity")) &&
        !read_list(batch, node, IAM_POLICY_IDENTITY, &p->identity, err)) {
        return false;
    }
    if ((node = present(batch, policies, "resource"))) {
        enum iam_policy_type type = is_role(batch->request) ? IAM_POLICY_TRUST : IAM_POLICY_RESOURCE;
        const struct iam_policy *policy = read_policy(batch, node, type, (struct iam_text){ "resource", 8 }, err);
        if (!policy) {
            return false;
        }
        *VEC_ADD(&p->resource) = policy;
    }
    if ((node = present(batch, policies, "permissionsBoundary"))) {
        if (!read_list(batch, node, IAM_POLICY_BOUNDARY, &p->boundary, err)) {
            return false;
        }
        p->has_boundary = true;
    }
    if ((node = present(batch, policies, "session"))) {
        if (!read_list(batch, node, IAM_POLICY_SESSION, &p->session, err)) {
            return false;
        }
        p->has_session = true;
    }
    if ((node = present(batch, policies, "vpcEndpoint"))) {
        if (!read_list(batch, node, IAM_POLICY_ENDPOINT, &p->endpoint, err)) {
            return false;
        }
        p->via_endpoint = p->endpoint.n > 0;
    }
    if ((node = present(batch, policies, "scp")) && !read_levels(batch, node, IAM_POLICY_SCP, &p->scp, err)) {
        return false;
    }
    node = present(batch, policies, "rcp");
    return !node || read_levels(batch, node, IAM_POLICY_RCP, &p->rcp, err);
}

/* ---- answers ---- */

static void
clear_levels(void *levels_in)
{
    levels *list = levels_in;
    for (size_t i = 0; i < list->n; i++) {
        VEC_DONE(&list->items[i].policies);
    }
    list->n = 0;
}

static void
clear(struct iam_batch *batch)
{
    struct iam_policies *p = &batch->policies;
    drop_loose(batch);
    p->identity.n = p->boundary.n = p->session.n = p->resource.n = p->endpoint.n = 0;
    p->has_boundary = p->has_session = p->via_endpoint = false;
    clear_levels(&p->scp);
    clear_levels(&p->rcp);
    batch->missing.n = 0;
    batch->misread = false;
    memcpy(batch->guesses, batch->used, sizeof batch->guesses);
    batch->n_guesses = batch->n_used;
    batch->n_used = batch->next_guess = 0;
    batch->doc.recognize = batch->n_guesses ? recognize : NULL;
    iam_request_clear(batch->request);
}

/* Printing by hand: with printf it would cost more than deciding. */
static void
put_number(int number, struct buf *out)
{
    char digits[12], *s = digits + sizeof digits;
    do {
        *--s = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    buf_add(out, s, (size_t)(digits + sizeof digits - s));
}

static void
put_place(const char *before, int line, int column, struct buf *out)
{
    buf_str_add(out, before);
    put_number(line, out);
    buf_str_add(out, ", \"Column\": ");
    put_number(column, out);
}

static void
put_matched(const struct iam_result *result, struct buf *out)
{
    bool first = true;
    for (size_t i = 0; i < result->matched.n; i++) {
        const struct iam_look *look = &result->matched.items[i];
        if (result->decision == IAM_IMPLICIT_DENY || look->statement->deny != (result->decision == IAM_EXPLICIT_DENY)) {
            continue;
        }
        buf_str_add(out, first ? "{\"SourcePolicyId\": " : ", {\"SourcePolicyId\": ");
        iam_put_string(out, look->policy->name, SIZE_MAX);
        buf_str_add(out, ", \"SourcePolicyType\": \"");
        buf_str_add(out, iam_set_name(look->set));
        buf_char(out, '"');
        if (look->statement->sid) {
            buf_str_add(out, ", \"Sid\": ");
            iam_put_string(out, look->statement->sid, SIZE_MAX);
        }
        const struct iam_statement *s = look->statement;
        put_place(", \"StartPosition\": {\"Line\": ", s->line, s->column, out);
        put_place("}, \"EndPosition\": {\"Line\": ", s->end_line, s->end_column, out);
        buf_str_add(out, "}}");
        first = false;
    }
}

static void
put_blocked_by(unsigned blocked_by, struct buf *out)
{
    static const enum iam_set sorted[] = { IAM_SET_IDENTITY, IAM_SET_BOUNDARY, IAM_SET_RCP,     IAM_SET_RESOURCE,
                                           IAM_SET_SCP,      IAM_SET_SESSION,  IAM_SET_ENDPOINT };
    const char *separator = "";
    for (size_t i = 0; i < ARRAY_SIZE(sorted); i++) {
        if (blocked_by & 1u << sorted[i]) {
            buf_str_add(out, separator);
            buf_char(out, '"');
            buf_str_add(out, iam_set_name(sorted[i]));
            buf_char(out, '"');
            separator = ", ";
        }
    }
}

static void
put_decision(struct iam_batch *batch, const struct iam_node *id, struct buf *out)
{
    put_id(batch, id, out);
    buf_str_add(out, ", \"decision\": \"");
    buf_str_add(out, iam_decision_name(batch->result.decision));
    buf_str_add(out, "\", \"blockedBy\": [");
    put_blocked_by(batch->result.blocked_by, out);
    buf_str_add(out, "], \"matchedStatements\": [");
    put_matched(&batch->result, out);
    buf_str_add(out, "], \"missingContextValues\": [");
    for (size_t i = 0; i < batch->missing.n; i++) {
        buf_str_add(out, i ? ", " : "");
        iam_put_string(out, batch->missing.items[i]->name, SIZE_MAX);
    }
    buf_str_add(out, "]}\n");
}

static bool
read_line(struct iam_batch *batch, const char *text, size_t size, int line, const struct iam_node **id, struct buf *out)
{
    struct err err = { 0 };
    clear(batch);
    *id = NULL;
    if (!iam_document_read(&batch->doc, text, size, "", &err)) {
        put_error(batch, NULL, &err, line, out);
        return false;
    }
    if (batch->doc.nodes[0].type != IAM_OBJECT) {
        wrong(batch, batch->doc.nodes, &err, "line", "an object");
        put_error(batch, NULL, &err, line, out);
        return false;
    }
    *id = iam_node_member(&batch->doc, batch->doc.nodes, "id");
    return true;
}

bool
iam_batch_decide(struct iam_batch *batch, const char *text, size_t size, int line, struct buf *out)
{
    const struct iam_node *id;
    struct err err = { 0 };
    if (!read_line(batch, text, size, line, &id, out)) {
        return false;
    }
    bool ok = read_request(batch, batch->doc.nodes, &err) && read_policies(batch, batch->doc.nodes, &err);
    if (batch->misread) { /* then without stepping over anything */
        batch->n_used = 0;
        return iam_batch_decide(batch, text, size, line, out);
    }
    if (!ok) {
        put_error(batch, id, &err, line, out);
        return false;
    }
    iam_decide(&batch->policies, batch->request, &batch->result);
    iam_missing_keys(&batch->policies, batch->request, &batch->missing);
    put_decision(batch, id, out);
    return true;
}

json_t *
iam_batch_explain(struct iam_batch *batch)
{
    struct iam_result result = { .want_looks = true };
    iam_decide(&batch->policies, batch->request, &result);
    json_t *explanation = iam_explain(&batch->policies, batch->request, &result);
    iam_result_done(&result);
    return explanation;
}

/* ---- one condition, one element ---- */

/* {"Version", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {OP: {KEY: VALUES}}}]},
 * compiled by hand. */
static bool
match_condition(struct iam_batch *batch, const struct iam_node *root, bool *result, struct err *err)
{
    const struct iam_node *op_node = member(batch, root, "operator", IAM_STRING, true, "a string", err);
    const struct iam_node *key = op_node ? member(batch, root, "key", IAM_STRING, true, "a string", err) : NULL;
    const struct iam_node *values = key ? iam_node_member(&batch->doc, root, "policyValues") : NULL;
    const struct iam_node *asked = present(batch, root, "contextValues");
    const struct iam_node *multi = iam_node_member(&batch->doc, root, "multivalued");
    const char *near;
    struct iam_condition c = { 0 };
    unsigned remarks = 0;
    if (!key) {
        return false;
    }
    if (!values || (values->type != IAM_ARRAY && !is_scalar(values))) {
        return wrong(batch, values ? values : root, err, "policyValues", "a list of strings");
    }
    if (!iam_condition_operator(op_node->text, &c.op, &c.qualifier, &c.if_exists, &near) ||
        (c.op->kind == IAM_VALUE_NULL && c.if_exists)) {
        err_set(err, ERR_DOCUMENT, "MalformedPolicyDocument", "`%.*s` is not a condition operator",
                (int)(op_node->text.n < 80 ? op_node->text.n : 80), op_node->text.s);
        return wrong_at(batch, op_node, err);
    }
    if (!read_context(batch, iam_node_member(&batch->doc, root, "context"), err) ||
        (asked && !set_values(batch, key->text, asked, multi && multi->type == IAM_TRUE, err))) {
        return false;
    }
    struct arena *arena = batch->request->arena;
    bool list = values->type == IAM_ARRAY;
    c.key = iam_key_make(arena, key->text);
    struct iam_condition_value *compiled = arena_alloc(arena, (values->n + 1) * sizeof *compiled);
    for (const struct iam_node *item = list ? iam_node_first(&batch->doc, values) : values; item;
         item = list ? iam_node_next(&batch->doc, item) : NULL) {
        if (!is_scalar(item)) {
            return wrong(batch, item, err, "policyValues", "a list of strings");
        }
        iam_condition_value_compile(arena, c.op, item->text, true, &compiled[c.n]);
        c.any_valid |= compiled[c.n++].valid;
    }
    c.values = compiled;
    *result = iam_condition_holds(&c, batch->request, &remarks);
    return true;
}

static const struct iam_policy *
element_policy(struct iam_batch *batch, const char *element, const struct iam_node *value, const char *effect,
               bool principal, struct err *err)
{
    struct buf text = { 0 };
    bool action = strstr(element, "Action") != NULL, resource = strstr(element, "Resource") != NULL;
    buf_printf(&text, "{\"Version\": \"2012-10-17\", \"Statement\": {\"Effect\": \"%s\"", effect);
    buf_str_add(&text, action ? "" : ", \"Action\": \"*\"");
    buf_str_add(&text, resource ? "" : ", \"Resource\": \"*\"");
    buf_printf(&text, ", \"%s\": ", element);
    buf_add(&text, batch->doc.source + value->span.start, value->span.end - value->span.start);
    buf_str_add(&text, "}}");
    struct err found = { 0 };
    struct iam_policy *policy = iam_policy_parse(
        buf_str(&text), text.size, principal ? IAM_POLICY_RESOURCE : IAM_POLICY_IDENTITY, element, &found);
    buf_done(&text);
    if (!policy) {
        err_set(err, ERR_DOCUMENT, found.code, "%s", found.text);
        wrong_at(batch, value, err);
        return NULL;
    }
    *VEC_ADD(&batch->loose) = policy;
    return policy;
}

/* A caller named in the very words it was given with is named directly: a role, too, is then not "behind" anybody. */
static const char *
principal_answer(struct iam_batch *batch, const struct iam_statement *statement)
{
    static const char *const names[] = { "none", "account", "role", "direct", "direct" };
    const struct iam_principal *caller = &batch->request->principal;
    enum iam_match_kind strongest = IAM_MATCH_NONE;
    for (uint32_t i = 0; i < statement->n_principals; i++) {
        const struct iam_principal_entry *entry = &statement->principals[i];
        enum iam_match_kind kind = iam_principal_match(entry, caller);
        if (kind != IAM_MATCH_NONE && entry->size == caller->arn_size &&
            memcmp(entry->text, caller->arn, entry->size) == 0) {
            kind = IAM_MATCH_DIRECT;
        }
        strongest = kind > strongest ? kind : strongest;
    }
    if (statement->not_principal) {
        return strongest == IAM_MATCH_NONE ? "direct" : "none";
    }
    return strongest == IAM_MATCH_ISSUER && caller->kind == IAM_FEDERATED_USER ? "user" : names[strongest];
}

static bool
match_element(struct iam_batch *batch, const struct iam_node *root, const struct iam_node *element, const char **answer,
              struct err *err)
{
    static const char *const names[] = {
        "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal"
    };
    const char *name = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        name = element->type == IAM_STRING && iam_text_is(element->text, names[i]) ? names[i] : name;
    }
    if (!name) {
        return wrong(batch, element, err, "element", "Action, Resource, Principal or one of their Not forms");
    }
    bool action = strstr(name, "Action") != NULL, principal = strstr(name, "Principal") != NULL;
    const struct iam_node *value = iam_node_member(&batch->doc, root, principal ? "value" : "patterns");
    const struct iam_node *asked = member(batch, root,
                                          action      ? "action"
                                          : principal ? "principal"
                                                      : "arn",
                                          IAM_STRING, true, "a string", err);
    const struct iam_node *effect = iam_node_member(&batch->doc, root, "effect");
    if (!asked || !value) {
        return asked ? wrong(batch, root, err, principal ? "value" : "patterns", "there") : false;
    }
    bool deny = effect && effect->type == IAM_STRING && iam_text_is(effect->text, "Deny");
    const struct iam_policy *policy = element_policy(batch, name, value, deny ? "Deny" : "Allow", principal, err);
    if (!policy || !read_context(batch, iam_node_member(&batch->doc, root, "context"), err)) {
        return false;
    }
    const struct iam_statement *statement = policy->statements;
    struct iam_look look = { 0 };
    unsigned remarks = 0;
    if (principal) {
        if (!iam_request_set_principal(batch->request, asked->text, err)) {
            return wrong_at(batch, asked, err);
        }
        *answer = principal_answer(batch, statement);
        return true;
    }
    bool result;
    if (action) {
        if (!iam_request_set_action(batch->request, asked->text, err)) {
            return wrong_at(batch, asked, err);
        }
        result = iam_action_matches(statement, batch->request);
    } else {
        iam_request_set_resource(batch->request, asked->text, (struct iam_text){ "", 0 },
                                 read_resource_level(batch, root));
        result = iam_resource_matches(statement, batch->request, &look, &remarks);
    }
    *answer = result ? "true" : "false";
    return true;
}

bool
iam_batch_match(struct iam_batch *batch, const char *text, size_t size, int line, struct buf *out)
{
    const struct iam_node *id;
    const char *answer = NULL;
    struct err err = { 0 };
    bool result = false, ok;
    if (!read_line(batch, text, size, line, &id, out)) {
        return false;
    }
    const struct iam_node *element = iam_node_member(&batch->doc, batch->doc.nodes, "element");
    if (element) {
        ok = match_element(batch, batch->doc.nodes, element, &answer, &err);
    } else {
        ok = match_condition(batch, batch->doc.nodes, &result, &err);
        answer = result ? "true" : "false";
    }
    if (!ok) {
        put_error(batch, id, &err, line, out);
        return false;
    }
    bool word = strcmp(answer, "true") != 0 && strcmp(answer, "false") != 0;
    put_id(batch, id, out);
    buf_printf(out, word ? ", \"result\": \"%s\"}\n" : ", \"result\": %s}\n", answer);
    return true;
}
