/* cloud/ops_s3.c - buckets as far as access to them is decided: create, list, delete, policy, block public access,
 * tags. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/answer_page.h"
#include "cloud/ops_s3.h"
#include "iampolicy/access_point.h"
#include "iampolicy/public.h"

/* 3 to 63 of a-z 0-9 . -, beginning and ending with a letter or digit, no "..", not like an address (S3 User Guide:
 * naming rules). */
static bool
check_bucket_name(const char *name, struct err *err)
{
    size_t n = strlen(name);
    struct ip ip;
    bool ok = n >= 3 && n <= 63 && !strstr(name, "..") && !ip_parse(name, &ip) && strncmp(name, "xn--", 4) != 0;
    for (size_t i = 0; i < n && ok; i++) {
        bool letter = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9');
        ok = letter || ((name[i] == '-' || name[i] == '.') && i > 0 && i + 1 < n);
    }
    if (!ok) {
        err_set(err, ERR_INPUT, "InvalidBucketName", "`%.80s` is not a name for a bucket", name);
        return err_hint(err, "3 to 63 small letters, digits, `-` and `.`, beginning and ending with a letter or digit");
    }
    return true;
}

const struct s3_access_point *
s3_point_named(const struct cloud *cloud, const char *name)
{
    const struct store *store = cloud->accounts->store;
    for (const struct s3_access_point *p = store_first(store, &s3_access_point_kind); p; p = store_next(store, p)) {
        if (strcmp(p->arn, name) == 0 || (p->alias && strcmp(p->alias, name) == 0)) {
            return p;
        }
    }
    return NULL;
}

const struct s3_access_point *
s3_op_point(const struct op_call *call)
{
    const char *name = strcmp(call->op->service, "s3api") == 0 ? arg_str(call->in, "Bucket") : NULL;
    return name ? s3_point_named(call->cloud, name) : NULL;
}

/* Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-service-api-support.html */
static bool
takes_point(const struct op *op)
{
    static const char *const ops[] = { "HeadBucket", "GetBucketLocation", "ListObjects", "ListObjectsV2",
                                       "ListObjectVersions" };
    bool takes = strstr(op->name, "Object") && !strstr(op->name, "Bucket");
    for (size_t i = 0; i < ARRAY_SIZE(ops) && !takes; i++) {
        takes = strcmp(op->name, ops[i]) == 0;
    }
    return takes;
}

static bool
is_point_name(const char *name)
{
    size_t n = strlen(name);
    return strncmp(name, "arn:", 4) == 0 || (n > 8 && strcmp(name + n - 8, "-s3alias") == 0);
}

struct iam_bucket *
s3_op_bucket(const struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "Bucket"), *expected = arg_str(call->in, "ExpectedBucketOwner");
    const struct s3_access_point *point = s3_op_point(call);
    struct iam_bucket *bucket = iam_find_bucket(call->cloud->accounts, point ? point->bucket : name);
    if (point && !takes_point(call->op)) {
        err_set(err, ERR_INPUT, "MethodNotAllowed", "`%s` is an access point: the operation wants a bucket", name);
        err_hint(err, "its bucket is `%s`", point->bucket);
        return NULL;
    }
    if (!point && is_point_name(name)) {
        err_set(err, ERR_INPUT, "NoSuchAccessPoint", "there is no access point `%.160s`", name);
        err_hint(err, "`s3control list-access-points --account-id %s` shows ARNs and aliases", call->cloud->account);
        return NULL;
    }
    if (!bucket) {
        err_set(err, ERR_INPUT, "NoSuchBucket", "there is no bucket `%.80s`", name);
        return NULL;
    }
    if (expected && strcmp(expected, bucket->obj.account) != 0) {
        err_set(err, ERR_INPUT, "AccessDenied", "the bucket `%s` belongs to account %s", bucket->name,
                bucket->obj.account);
        return NULL;
    }
    return bucket;
}

struct iam_bucket *
s3_op_own_bucket(const struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (bucket && strcmp(bucket->obj.account, call->cloud->account) != 0) {
        err_set(err, ERR_INPUT, "AccessDenied", "the bucket `%s` belongs to account %s", bucket->name,
                bucket->obj.account);
        return NULL;
    }
    return bucket;
}

void
s3_replace_tags(struct object *object, const json_t *tags)
{
    while (object->tags.n) {
        object_unset_tag(object, object->tags.items[0].key);
    }
    iam_set_tags(object, tags);
}

/* Who may do what with a bucket its policy says: lists of grantees and object locks are not modelled.  `private` is
 * what a bucket is without a list. */
static bool
check_bucket_extras(const struct op_call *call, struct err *err)
{
    static const char *const grants[] = { "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite",
                                          "GrantWriteACP" };
    const char *acl = arg_str(call->in, "ACL"), *ownership = arg_str(call->in, "ObjectOwnership");
    const char *asked = acl && strcmp(acl, "private") != 0 ? "ACL" : NULL;
    for (size_t i = 0; !asked && i < ARRAY_SIZE(grants); i++) {
        asked = arg_str(call->in, grants[i]) ? grants[i] : NULL;
    }
    if (json_is_true(json_object_get(call->in, "ObjectLockEnabledForBucket"))) {
        return err_set(err, ERR_INPUT, "NotImplemented", "`ObjectLockEnabledForBucket` is not modelled");
    }
    if (!asked) {
        return true;
    }
    if (!ownership || strcmp(ownership, "BucketOwnerEnforced") == 0) {
        err_set(err, ERR_INPUT, "InvalidBucketAclWithObjectOwnership",
                "`%s`: a bucket with the ownership BucketOwnerEnforced has no access control list", asked);
    } else {
        err_set(err, ERR_INPUT, "NotImplemented", "access control lists of buckets (`%s`) are not modelled", asked);
    }
    return err_hint(err, "`s3api put-bucket-policy` says who may do what");
}

static bool
create_bucket(struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "Bucket");
    const char *place = json_str(json_object_get(call->in, "CreateBucketConfiguration"), "LocationConstraint");
    if (!check_bucket_name(name, err) || !check_bucket_extras(call, err)) {
        return false;
    }
    const struct iam_bucket *other = iam_find_bucket(cloud->accounts, name);
    if (other) {
        bool own = strcmp(other->obj.account, cloud->account) == 0;
        err_set(err, ERR_INPUT, own ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists",
                "there is a bucket `%s` already", name);
        return err_hint(err, "bucket names are unique across all accounts");
    }
    const char *region = place ? place : "us-east-1";
    if (strcmp(region, cloud->region) != 0 && strcmp(cloud->region, "us-east-1") != 0) {
        err_set(err, ERR_INPUT, "IllegalLocationConstraintException",
                "the location `%s` is not the region `%s` that is asked", region, cloud->region);
        return err_hint(err, "--create-bucket-configuration LocationConstraint=%s", cloud->region);
    }
    struct iam_bucket *bucket = iam_add_object(cloud->accounts, &iam_bucket_kind, cloud->account, "bucket");
    bucket->name = xstrdup(name);
    bucket->created = iam_now(call);
    strncpy(bucket->obj.region, region, sizeof bucket->obj.region - 1);
    /* New buckets block public access (S3 default since April 2023). */
    bucket->has_access_block = bucket->block_acls = bucket->ignore_acls = bucket->block_policy =
        bucket->restrict_public = true;
    const char *ownership = arg_str(call->in, "ObjectOwnership");
    bucket->ownership = xstrdup(ownership ? ownership : "BucketOwnerEnforced");
    char *location =
        strcmp(region, "us-east-1") == 0 ? xasprintf("/%s", name) : xasprintf("http://%s.s3.amazonaws.com/", name);
    json_object_set_new(call->out, "Location", json_string(location));
    free(location);
    return true;
}

static bool
list_buckets(struct op_call *call, struct err *err)
{
    struct store *store = call->cloud->accounts->store;
    const char *region = arg_str(call->in, "BucketRegion"), *prefix = arg_str(call->in, "Prefix");
    json_t *list = json_array();
    for (struct iam_bucket *b = store_first(store, &iam_bucket_kind); b; b = store_next(store, b)) {
        if (strcmp(b->obj.account, call->cloud->account) == 0 &&
            (!region || strcmp(b->obj.region, region) == 0) &&
            (!prefix || strncmp(b->name, prefix, strlen(prefix)) == 0)) {
            json_array_append_new(list, object_describe(store, b));
        }
    }
    json_object_set_new(call->out, "Owner", json_pack("{s:s}", "ID", call->cloud->account));
    if (prefix) {
        json_object_set_new(call->out, "Prefix", json_string(prefix));
    }
    return answer_page(call, "Buckets", list, err);
}

static bool
delete_bucket(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const struct store *store = call->cloud->accounts->store;
    for (const struct s3_object *o = bucket ? store_first(store, &s3_object_kind) : NULL; o; o = store_next(store, o)) {
        if (strcmp(o->bucket, bucket->name) == 0) {
            err_set(err, ERR_INPUT, "BucketNotEmpty", "the bucket `%s` still has `%.200s`%s", bucket->name, o->key,
                    o->latest && !o->delete_marker ? "" : " in an older version or a delete marker");
            return err_hint(err, "`s3api list-object-versions --bucket %s` shows everything in it", bucket->name);
        }
    }
    for (const struct s3_access_point *p = bucket ? store_first(store, &s3_access_point_kind) : NULL; p;
         p = store_next(store, p)) {
        if (strcmp(p->bucket, bucket->name) == 0) {
            err_set(err, ERR_INPUT, "BucketHasAccessPointsAttached", "the bucket `%s` still has the access point `%s`",
                    bucket->name, p->name);
            return err_hint(err, "s3control delete-access-point --account-id %s --name %s", p->obj.account, p->name);
        }
    }
    if (bucket) {
        store_delete(call->cloud->accounts->store, bucket);
    }
    return bucket != NULL;
}

static bool
head_bucket(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (bucket) {
        json_object_set_new(call->out, "BucketRegion", json_string(bucket->obj.region));
    }
    return bucket != NULL;
}

static bool
get_location(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (bucket) { /* us-east-1 has none */
        json_object_set_new(call->out, "LocationConstraint",
                            strcmp(bucket->obj.region, "us-east-1") == 0 ? json_null()
                                                                         : json_string(bucket->obj.region));
    }
    return bucket != NULL;
}

/* ---- policy ---- */

/* Patterns of a bucket policy name the bucket or what is in it. */
static bool
check_pattern(const struct iam_bucket *bucket, const struct iam_policy *policy, const struct iam_pattern *pattern,
              struct err *err)
{
    const char *rest = strncmp(pattern->text, "arn:", 4) == 0 ? strstr(pattern->text, ":s3:::") : NULL;
    size_t n = strlen(bucket->name);
    bool own = rest && strncmp(rest + 6, bucket->name, n) == 0 &&
               (rest[6 + n] == '\0' || rest[6 + n] == '/' || rest[6 + n] == '*');
    bool wild = rest && strpbrk(rest + 6, "*?$") && strcspn(rest + 6, "*?$") <= n &&
                strncmp(rest + 6, bucket->name, strcspn(rest + 6, "*?$")) == 0;
    if (own || wild || pattern->kind == IAM_PATTERN_ALL) {
        return true;
    }
    int line, column;
    iam_policy_place(policy, pattern->span.start, &line, &column);
    err_set(err, ERR_DOCUMENT, "MalformedPolicy", "`%.160s` is not in the bucket `%s`", pattern->text, bucket->name);
    err_at(err, policy->name, line, column);
    return err_hint(err, "use arn:aws:s3:::%s or arn:aws:s3:::%s/*", bucket->name, bucket->name);
}

static bool
check_bucket_policy(const struct iam_accounts *accounts, const struct iam_bucket *bucket,
                    const struct iam_policy *policy, struct err *err)
{
    if (!iam_policy_check_storable(policy, err)) {
        return false;
    }
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        for (uint32_t k = 0; k < policy->statements[i].n_resources; k++) {
            if (!check_pattern(bucket, policy, &policy->statements[i].resources[k], err)) {
                return false;
            }
        }
    }
    const struct s3_account_block *all = s3_account_block_find(accounts, bucket->obj.account);
    bool blocked = bucket->block_policy || (all && all->block.policy);
    const struct iam_statement *open = blocked ? iam_policy_public_statement(policy) : NULL;
    if (open) {
        err_set(err, ERR_INPUT, "AccessDenied", "the policy is public and the bucket `%s` blocks public policies",
                bucket->name);
        err_at(err, policy->name, open->line, open->column);
        return err_hint(err, "a public policy allows everybody without a condition that says who or from where; s3api "
                             "put-public-access-block changes the setting");
    }
    return true;
}

/* S3's code for what IAM calls MalformedPolicyDocument. */
static bool
as_s3(struct err *err)
{
    if (err && strcmp(err->code, "MalformedPolicyDocument") == 0) {
        strcpy(err->code, "MalformedPolicy");
    }
    return false;
}

static bool
put_bucket_policy(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const char *text = arg_str(call->in, "Policy");
    if (!bucket) {
        return false;
    }
    if (strlen(text) > 20 * 1024) {
        return err_set(err, ERR_INPUT, "PolicyTooLarge", "a bucket policy has at most 20480 bytes, not %zu",
                       strlen(text));
    }
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), IAM_POLICY_RESOURCE, "Policy", err);
    bool ok = policy && check_bucket_policy(call->cloud->accounts, bucket, policy, err);
    iam_policy_free(policy);
    if (!ok) {
        return as_s3(err);
    }
    free(bucket->policy);
    bucket->policy = xstrdup(text);
    return true;
}

static bool
get_bucket_policy(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket && !bucket->policy) {
        return err_set(err, ERR_INPUT, "NoSuchBucketPolicy", "the bucket `%s` has no policy", bucket->name);
    }
    if (bucket) {
        json_object_set_new(call->out, "Policy",
                            json_string(bucket->policy)); /* text, not an object: S3 answers with the body */
    }
    return bucket != NULL;
}

static bool
delete_bucket_policy(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket) {
        free(bucket->policy);
        bucket->policy = NULL;
    }
    return bucket != NULL;
}

static bool
get_policy_status(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (!bucket) {
        return false;
    }
    if (!bucket->policy) {
        return err_set(err, ERR_INPUT, "NoSuchBucketPolicy", "the bucket `%s` has no policy", bucket->name);
    }
    struct iam_policy *policy =
        iam_policy_parse(bucket->policy, strlen(bucket->policy), IAM_POLICY_RESOURCE, bucket->name, err);
    if (policy) {
        json_object_set_new(call->out, "PolicyStatus",
                            json_pack("{s:b}", "IsPublic", iam_policy_public_statement(policy) != NULL));
    }
    iam_policy_free(policy);
    return policy != NULL;
}

/* ---- block public access, tags ---- */

static bool
put_access_block(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const json_t *wanted = json_object_get(call->in, "PublicAccessBlockConfiguration");
    if (bucket) { /* what is not mentioned is off */
        bucket->has_access_block = true;
        bucket->block_acls = json_flag(wanted, "BlockPublicAcls", false);
        bucket->ignore_acls = json_flag(wanted, "IgnorePublicAcls", false);
        bucket->block_policy = json_flag(wanted, "BlockPublicPolicy", false);
        bucket->restrict_public = json_flag(wanted, "RestrictPublicBuckets", false);
    }
    return bucket != NULL;
}

static bool
get_access_block(struct op_call *call, struct err *err)
{
    const struct iam_bucket *b = s3_op_own_bucket(call, err);
    if (b && !b->has_access_block) {
        return err_set(err, ERR_INPUT, "NoSuchPublicAccessBlockConfiguration",
                       "the bucket `%s` has no public access block", b->name);
    }
    if (b) {
        json_object_set_new(call->out, "PublicAccessBlockConfiguration",
                            json_pack("{s:b, s:b, s:b, s:b}", "BlockPublicAcls", (int)b->block_acls, "IgnorePublicAcls",
                                      (int)b->ignore_acls, "BlockPublicPolicy", (int)b->block_policy,
                                      "RestrictPublicBuckets", (int)b->restrict_public));
    }
    return b != NULL;
}

static bool
delete_access_block(struct op_call *call, struct err *err)
{
    struct iam_bucket *b = s3_op_own_bucket(call, err);
    if (b) {
        b->has_access_block = b->block_acls = b->ignore_acls = b->block_policy = b->restrict_public = false;
    }
    return b != NULL;
}

static bool
put_tagging(struct op_call *call, struct err *err)
{
    struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    const json_t *tags = json_object_get(json_object_get(call->in, "Tagging"), "TagSet");
    if (!bucket || !iam_check_tags(tags, err)) {
        return false;
    }
    s3_replace_tags(&bucket->obj, tags); /* the set is replaced */
    return true;
}

static bool
get_tagging(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_own_bucket(call, err);
    if (bucket && !bucket->obj.tags.n) {
        return err_set(err, ERR_INPUT, "NoSuchTagSet", "the bucket `%s` has no tags", bucket->name);
    }
    if (bucket) {
        json_object_set_new(call->out, "TagSet", object_tags_json(&bucket->obj));
    }
    return bucket != NULL;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                           \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                          \
    }

const struct op ops_s3[] = {
    WRITE("CreateBucket", create_bucket, "Create a bucket."),
    READ("ListBuckets", list_buckets, "List the account's buckets."),
    READ("HeadBucket", head_bucket, "Ask whether a bucket is there."),
    READ("GetBucketLocation", get_location, "Show a bucket's region."),
    WRITE("DeleteBucket", delete_bucket, "Delete a bucket."),
    WRITE("PutBucketPolicy", put_bucket_policy, "Write a bucket's policy."),
    READ("GetBucketPolicy", get_bucket_policy, "Show a bucket's policy."),
    WRITE("DeleteBucketPolicy", delete_bucket_policy, "Delete a bucket's policy."),
    READ("GetBucketPolicyStatus", get_policy_status, "Ask whether a bucket's policy is public."),
    WRITE("PutPublicAccessBlock", put_access_block, "Block or allow public access to a bucket."),
    READ("GetPublicAccessBlock", get_access_block, "Show what public access a bucket blocks."),
    WRITE("DeletePublicAccessBlock", delete_access_block, "Stop blocking public access to a bucket."),
    WRITE("PutBucketTagging", put_tagging, "Replace a bucket's tags."),
    READ("GetBucketTagging", get_tagging, "Show a bucket's tags."),
    { 0 },
};
