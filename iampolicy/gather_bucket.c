/* The policy of a bucket, whether it is public and restricted, and what the request learns of the object. */
#include <stdio.h>
#include <string.h>

#include "iampolicy/access_point.h"
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

/* The block of the whole account adds to the bucket's own. */
static bool
account_restricts(const struct iam_accounts *accounts, const char *account)
{
    const struct s3_account_block *all = s3_account_block_find(accounts, account);
    return all && all->block.restrict_public;
}

static bool
gather_policy(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
              const struct iam_bucket *bucket, iam_policy_list *list, struct err *err)
{
    char title[96];
    if (!bucket->policy) {
        return true;
    }
    snprintf(title, sizeof title, "bucket/%s", bucket->name);
    gathered->has_resource_policy = true;
    if (!iam_gather_text(gathered, list, bucket->policy, IAM_POLICY_RESOURCE, title, "resource", bucket->name, err)) {
        return false;
    }
    request->bucket_restricted = (bucket->restrict_public || account_restricts(accounts, bucket->obj.account)) &&
                                 iam_policy_public_statement(list->items[list->n - 1]);
    return true;
}

bool
iam_gather_bucket(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                  struct err *err)
{
    char name[80];
    const char *rest = request->resource.s + strlen("arn:aws:s3:::");
    size_t size = strcspn(rest, "/");
    snprintf(name, sizeof name, "%.*s", (int)size, rest);
    const struct iam_bucket *bucket = iam_find_bucket(accounts, name);
    request->bucket_restricted = false;
    request->beneath.n = 0;
    request->wrong_network = NULL;
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
    return gather_policy(accounts, request, gathered, bucket, &gathered->policies.resource, err);
}

/* What is asked of the access point itself (s3:GetAccessPointPolicy) is its account's affair. */
static bool
is_about_access_point(const struct iam_request *request)
{
    return strstr(request->action_lower.s, "accesspoint") != NULL;
}

static const struct iam_text *
single(struct iam_request *request, const char *name)
{
    struct iam_key key = iam_key_make(request->arena, (struct iam_text){ name, (uint32_t)strlen(name) });
    return iam_request_single(request, &key);
}

static void
set_access_point(struct iam_request *request, const struct s3_access_point *point, const char *owner, const char *rest)
{
    iam_request_set_string(request, "s3:DataAccessPointArn", point->arn);
    iam_request_set_string(request, "s3:DataAccessPointAccount", point->obj.account);
    iam_request_set_string(request, "s3:AccessPointNetworkOrigin", point->vpc ? "VPC" : "Internet");
    const char *key = strncmp(rest, "/object/", 8) == 0 ? rest + 7 : "";
    const char *arn = arena_printf(request->arena, "arn:aws:s3:::%s%s", point->bucket, key);
    request->beneath = (struct iam_text){ arn, (uint32_t)strlen(arn) };
    snprintf(request->beneath_account, sizeof request->beneath_account, "%s", owner);
    const struct iam_text *vpc = point->vpc ? single(request, "aws:SourceVpc") : NULL;
    if (point->vpc && (!vpc || strcmp(vpc->s, point->vpc) != 0)) {
        request->wrong_network =
            arena_printf(request->arena, "the access point `%s` answers only requests from its VPC %s (aws:SourceVpc)",
                         point->name, point->vpc);
    }
}

bool
iam_gather_access_point(const struct iam_accounts *accounts, struct iam_request *request, struct iam_gathered *gathered,
                        struct err *err)
{
    const char *rest;
    char title[96];
    const struct s3_access_point *point = s3_access_point_of(accounts, request->resource.s, &rest);
    const struct iam_bucket *bucket = point ? iam_find_bucket(accounts, point->bucket) : NULL;
    request->bucket_restricted = false;
    request->beneath.n = 0;
    request->wrong_network = NULL;
    if (!bucket || is_about_access_point(request)) {
        return true;
    }
    set_access_point(request, point, bucket->obj.account, rest);
    if (strncmp(rest, "/object/", 8) == 0) {
        set_object_tags(accounts, request, point->bucket,
                        request->beneath.s + strlen("arn:aws:s3:::") + strlen(point->bucket) + 1);
    }
    if (!gather_policy(accounts, request, gathered, bucket, &gathered->policies.beneath, err)) {
        return false;
    }
    if (!point->policy) {
        return true;
    }
    snprintf(title, sizeof title, "access-point/%s", point->name);
    gathered->has_resource_policy = true;
    iam_policy_list *list = &gathered->policies.resource;
    if (!iam_gather_text(gathered, list, point->policy, IAM_POLICY_RESOURCE, title, "resource", point->name, err)) {
        return false;
    }
    /* One that is bound to a VPC is never public. */
    request->bucket_restricted |= !point->vpc &&
                                  (point->block.restrict_public || account_restricts(accounts, point->obj.account)) &&
                                  iam_policy_public_statement(list->items[list->n - 1]) != NULL;
    return true;
}
