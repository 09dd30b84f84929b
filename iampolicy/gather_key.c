/* The policy of a KMS key, the grants on it, and what the request learns of the key. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "iampolicy/gather.h"
#include "iampolicy/kms_key.h"

static bool
has_key(const struct iam_request *request, const char *key)
{
    struct iam_key made = iam_key_make(request->arena, (struct iam_text){ key, (uint32_t)strlen(key) });
    return iam_request_value(request, &made) != NULL;
}

static void
set_key(struct iam_request *request, const char *key, const char *value)
{
    if (value && value[0] && !has_key(request, key)) { /* what the question says itself stands */
        iam_request_set_string(request, key, value);
    }
}

static void
set_aliases(const struct iam_accounts *accounts, struct iam_request *request, const struct kms_key *key)
{
    static const char name[] = "kms:ResourceAliases";
    struct iam_text values[50];
    uint32_t n = 0;
    for (const struct kms_alias *a = store_first(accounts->store, &kms_alias_kind); a && n < ARRAY_SIZE(values);
         a = store_next(accounts->store, a)) {
        if (strcmp(a->key_id, key->obj.id) == 0) {
            values[n++] = (struct iam_text){ a->name, (uint32_t)strlen(a->name) };
        }
    }
    if (n && !has_key(request, name)) {
        iam_request_set_context(request, (struct iam_text){ name, sizeof name - 1 }, values, n, true);
    }
}

/* Condition keys that KMS fills in from the key (KMS Developer Guide: condition keys). */
static void
set_key_context(const struct iam_accounts *accounts, struct iam_request *request, const struct kms_key *key)
{
    set_key(request, "kms:CallerAccount", request->principal.account);
    set_key(request, "kms:KeySpec", key->spec);
    set_key(request, "kms:KeyUsage", key->usage);
    set_key(request, "kms:KeyOrigin", key->origin);
    set_key(request, "kms:MultiRegion", key->multi_region ? "true" : "false");
    set_aliases(accounts, request, key);
    for (size_t i = 0; i < key->obj.tags.n; i++) {
        set_key(request, arena_printf(request->arena, "aws:ResourceTag/%s", key->obj.tags.items[i].key),
                key->obj.tags.items[i].value);
    }
}

bool
iam_gather_key(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
               struct err *err)
{
    const char *id = strstr(request->resource.s, ":key/");
    const struct kms_key *key = id ? store_get(accounts->store, &kms_key_kind, id + strlen(":key/")) : NULL;
    char title[96];
    request->granted = false;
    if (!key || strcmp(key->arn, request->resource.s) != 0) {
        return true;
    }
    set_key_context(accounts, request, key);
    for (const struct kms_grant *g = store_first(accounts->store, &kms_grant_kind); g;
         g = store_next(accounts->store, g)) {
        request->granted |= kms_grant_covers(g, request);
    }
    snprintf(title, sizeof title, "key/%s", key->obj.id);
    gathered->has_resource_policy = true;
    return iam_gather_text(gathered, &gathered->policies.resource, key->policy, IAM_POLICY_RESOURCE, title, "resource",
                           key->obj.id, err);
}
