#include "iampolicy/request.h"

#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/vec.h"

struct iam_request *
iam_request_new(void)
{
    struct iam_request *request = xcalloc(1, sizeof *request);
    request->arena = arena_new();
    return request;
}

void
iam_request_free(struct iam_request *request)
{
    if (request) {
        arena_free(request->arena);
        free(request->context);
        free(request->slots);
        free(request);
    }
}

void
iam_request_clear(struct iam_request *request)
{
    struct iam_request kept = { .context = request->context,
                                .cap_context = request->cap_context,
                                .slots = request->slots,
                                .n_slots = request->n_slots };
    arena_free(request->arena);
    *request = kept;
    request->arena = arena_new();
    if (request->n_slots) {
        memset(request->slots, 0, request->n_slots * sizeof *request->slots);
    }
}

static struct iam_text
copy_text(struct iam_request *request, struct iam_text text)
{
    return (struct iam_text){ arena_strndup(request->arena, text.s, text.n), text.n };
}

bool
iam_request_set_principal(struct iam_request *request, struct iam_text principal, struct err *err)
{
    return iam_principal_parse(request->arena, principal, &request->principal, err);
}

bool
iam_request_set_action(struct iam_request *request, struct iam_text action, struct err *err)
{
    const char *colon = action.n ? memchr(action.s, ':', action.n) : NULL;
    if (!colon || colon == action.s || colon + 1 == action.s + action.n) {
        err_set(err, ERR_USAGE, "InvalidInput", "`%.*s` is not an action", action.n < 200 ? (int)action.n : 200,
                action.s);
        return err_hint(err, "write service:Action, as in s3:GetObject");
    }
    request->action = copy_text(request, action);
    char *lower = arena_strndup(request->arena, action.s, action.n);
    for (uint32_t i = 0; i < action.n; i++) {
        lower[i] = iam_lower(lower[i]);
    }
    request->action_lower = (struct iam_text){ lower, action.n };
    request->action_hash = hash_bytes(lower, action.n);
    request->service_size = (uint32_t)(colon - action.s);
    request->service = iam_service_find(lower, request->service_size);
    return true;
}

void
iam_request_set_resource(struct iam_request *request, struct iam_text resource, struct iam_text account,
                         bool resource_level)
{
    struct arn arn;
    request->resource = resource_level ? copy_text(request, resource) : (struct iam_text){ "*", 1 };
    request->resource_all = request->resource.n == 1 && request->resource.s[0] == '*';
    if (!account.n && !request->resource_all && arn_parse(request->resource.s, &arn) && arn.account.size == 12) {
        account = (struct iam_text){ arn.account.text, 12 };
    }
    request->account_assumed = !account.n;
    size_t n = account.n < sizeof request->account ? account.n : sizeof request->account - 1;
    memcpy(request->account, account.n ? account.s : request->principal.account,
           account.n ? n : sizeof request->account);
    if (account.n) {
        request->account[n] = '\0';
    }
}

/* ---- context ---- */

static bool
same_key(const struct iam_key *a, const struct iam_key *b)
{
    return a->hash == b->hash && a->size == b->size && memcmp(a->lower, b->lower, a->size) == 0;
}

static void
index_entry(struct iam_request *request, uint32_t entry)
{
    uint32_t mask = request->n_slots - 1, i = (uint32_t)request->context[entry].key.hash & mask;
    while (request->slots[i]) {
        i = (i + 1) & mask;
    }
    request->slots[i] = entry + 1;
}

static struct iam_context_value *
find(const struct iam_request *request, const struct iam_key *key)
{
    if (!request->n_context) {
        return NULL;
    }
    uint32_t mask = request->n_slots - 1;
    for (uint32_t i = (uint32_t)key->hash & mask; request->slots[i]; i = (i + 1) & mask) {
        struct iam_context_value *value = &request->context[request->slots[i] - 1];
        if (same_key(&value->key, key)) {
            return value;
        }
    }
    return NULL;
}

static struct iam_context_value *
add_entry(struct iam_request *request, struct iam_key key)
{
    if (request->n_context == request->cap_context) {
        request->cap_context = request->cap_context ? request->cap_context * 2 : 16;
        request->context = xrealloc(request->context, request->cap_context * sizeof *request->context);
        free(request->slots);
        request->n_slots = request->cap_context * 4;
        request->slots = xcalloc(request->n_slots, sizeof *request->slots);
        for (uint32_t i = 0; i < request->n_context; i++) {
            index_entry(request, i);
        }
    }
    struct iam_context_value *value = &request->context[request->n_context];
    *value = (struct iam_context_value){ .key = key };
    index_entry(request, request->n_context++);
    return value;
}

/* The entry set last ends its chain of slots, so clearing its slot breaks no other. */
void
iam_request_unset_last(struct iam_request *request)
{
    uint32_t mask = request->n_slots - 1, entry = request->n_context,
             i = (uint32_t)request->context[entry - 1].key.hash & mask;
    while (request->slots[i] != entry) {
        i = (i + 1) & mask;
    }
    request->slots[i] = 0;
    request->n_context--;
}

void
iam_request_set_context(struct iam_request *request, struct iam_text key, const struct iam_text *values, uint32_t n,
                        bool multi)
{
    struct iam_key made = iam_key_make(request->arena, key);
    struct iam_context_value *value = find(request, &made);
    if (!value) {
        value = add_entry(request, made);
    }
    struct iam_text *copies = arena_alloc(request->arena, (n ? n : 1) * sizeof *copies);
    for (uint32_t i = 0; i < n; i++) {
        copies[i] = copy_text(request, values[i]);
    }
    value->values = copies;
    value->n = n;
    value->multi = multi || n > 1;
    value->derived = false;
}

void
iam_request_set_string(struct iam_request *request, const char *key, const char *value)
{
    struct iam_text text = { value, (uint32_t)strlen(value) };
    iam_request_set_context(request, (struct iam_text){ key, (uint32_t)strlen(key) }, &text, 1, false);
}

const struct iam_context_value *
iam_request_value(const struct iam_request *request, const struct iam_key *key)
{
    return find(request, key);
}

const struct iam_text *
iam_request_single(const struct iam_request *request, const struct iam_key *key)
{
    const struct iam_context_value *value = find(request, key);
    return value && !value->multi && value->n == 1 ? value->values : NULL;
}
