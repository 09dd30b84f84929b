/* The policy of a bucket, whether it is public and restricted, and what the request learns of the object. */
#include <stdio.h>
#include <string.h>

#include "iampolicy/bucket.h"
#include "iampolicy/gather.h"
#include "iampolicy/public.h"

/* s3:ExistingObjectTag/KEY, of the version that is asked for. */
static void
set_object_tags(const struct iam_accounts *accounts, struct iam_request *request, const char *bucket, const char *key)
{
    static const char version_key[] = "s3:VersionId";
    struct iam_key made = iam_key_make(request->arena, (struct iam_text){ version_key, sizeof version_key - 1 });
    const struct iam_text *version = iam_request_single(request, &made);
    const struct s3_object *object = s3_object_find(accounts, bucket, key, version ? version->s : NULL);
    for (size_t i = 0; object && i < object->obj.tags.n; i++) {
        const char *name = arena_printf(request->arena, "s3:ExistingObjectTag/%s", object->obj.tags.items[i].key);
        struct iam_key tag = iam_key_make(request->arena, (struct iam_text){ name, (uint32_t)strlen(name) });
        if (!iam_request_value(request, &tag)) { /* what the question says itself stands */
            iam_request_set_string(request, name, object->obj.tags.items[i].value);
        }
    }
}

bool
iam_gather_bucket(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                  struct err *err)
{
    char name[80], title[96];
    const char *rest = request->resource.s + strlen("arn:aws:s3:::");
    size_t size = strcspn(rest, "/");
    snprintf(name, sizeof name, "%.*s", (int)size, rest);
    const struct iam_bucket *bucket = iam_find_bucket(accounts, name);
    request->bucket_restricted = false;
    if (!bucket) {
        return true;
    }
    if (request->account_assumed) {
        strcpy(request->account, bucket->obj.account);
        request->account_assumed = false;
    }
    if (rest[size]) {
        set_object_tags(accounts, request, name, rest + size + 1);
    }
    if (!bucket->policy) {
        return true;
    }
    snprintf(title, sizeof title, "bucket/%s", name);
    gathered->has_resource_policy = true;
    if (!iam_gather_text(gathered, &gathered->policies.resource, bucket->policy, IAM_POLICY_RESOURCE, title, "resource",
                         name, err)) {
        return false;
    }
    const iam_policy_list *list = &gathered->policies.resource;
    request->bucket_restricted = bucket->restrict_public && iam_policy_public_statement(list->items[list->n - 1]);
    return true;
}
