/* cloud/ops_s3control.c - access points of S3 and the block of public access of a whole account.
 *
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_AWS_S3_Control.html */
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_s3.h"
#include "iampolicy/access_point.h"
#include "iampolicy/public.h"

/* The account in the header must be the caller's. */
static bool
check_account(const struct op_call *call, struct err *err)
{
    const char *account = arg_str(call->in, "AccountId");
    if (strcmp(account, call->cloud->account) != 0) {
        return err_set(err, ERR_INPUT, "AccessDenied", "`%.20s` is not the caller's account %s", account,
                       call->cloud->account);
    }
    return true;
}

static struct s3_access_point *
own_point(const struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "Name");
    if (!check_account(call, err)) {
        return NULL;
    }
    struct s3_access_point *point = s3_access_point_find(cloud->accounts, cloud->account, cloud->region, name);
    if (!point) {
        err_set(err, ERR_INPUT, "NoSuchAccessPoint", "there is no access point `%.80s` in %s", name, cloud->region);
        err_hint(err, "`s3control list-access-points --account-id %s` shows those there are", cloud->account);
    }
    return point;
}

/* 3 to 50 of a-z 0-9 -, beginning and ending with a letter or digit (S3 User Guide: access points restrictions). */
static bool
check_name(const char *name, struct err *err)
{
    size_t n = strlen(name);
    bool ok = n >= 3 && n <= 50 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-' &&
              name[n - 1] != '-' && !(n >= 8 && strcmp(name + n - 8, "-s3alias") == 0);
    if (!ok) {
        err_set(err, ERR_INPUT, "InvalidRequest", "`%.80s` is not a name for an access point", name);
        return err_hint(err, "3 to 50 small letters, digits and `-`, beginning and ending with a letter or digit");
    }
    return true;
}

static json_t *
describe_block(const struct s3_access_block *b)
{
    return json_pack("{s:b, s:b, s:b, s:b}", "BlockPublicAcls", (int)b->acls, "IgnorePublicAcls", (int)b->ignore_acls,
                     "BlockPublicPolicy", (int)b->policy, "RestrictPublicBuckets", (int)b->restrict_public);
}

/* What the configuration does not mention is 'otherwise'. */
static struct s3_access_block
read_block(const json_t *wanted, bool otherwise)
{
    return (struct s3_access_block){
        .acls = json_flag(wanted, "BlockPublicAcls", otherwise),
        .ignore_acls = json_flag(wanted, "IgnorePublicAcls", otherwise),
        .policy = json_flag(wanted, "BlockPublicPolicy", otherwise),
        .restrict_public = json_flag(wanted, "RestrictPublicBuckets", otherwise),
    };
}

static bool
check_new(const struct op_call *call, const struct iam_bucket *bucket, struct err *err)
{
    const char *owner = arg_str(call->in, "BucketAccountId"), *name = arg_str(call->in, "Name");
    const struct cloud *cloud = call->cloud;
    if (strcmp(owner ? owner : cloud->account, bucket->obj.account) != 0) {
        err_set(err, ERR_INPUT, "AccessDenied", "the bucket `%s` belongs to account %s", bucket->name,
                bucket->obj.account);
        return err_hint(err, "--bucket-account-id names the owner of another account's bucket");
    }
    if (strcmp(bucket->obj.region, cloud->region) != 0) {
        return err_set(err, ERR_INPUT, "InvalidRequest", "the bucket `%s` is in %s, not in %s", bucket->name,
                       bucket->obj.region, cloud->region);
    }
    if (s3_access_point_find(cloud->accounts, cloud->account, cloud->region, name)) {
        return err_set(err, ERR_INPUT, "AccessPointAlreadyOwnedByYou", "there is an access point `%s` already", name);
    }
    return true;
}

/* NAME-34 letters and digits-s3alias, 63 characters at most: a long name is cut. */
static char *
new_alias(struct id_gen *ids, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char middle[35];
    for (size_t i = 0; i < 34; i++) {
        middle[i] = letters[id_random_below(ids, sizeof letters - 1)];
    }
    middle[34] = '\0';
    return xasprintf("%.20s-%s-s3alias", name, middle);
}

static bool
create_access_point(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    const char *name = arg_str(call->in, "Name");
    const char *vpc = json_str(json_object_get(call->in, "VpcConfiguration"), "VpcId");
    if (!check_account(call, err) || !check_name(name, err)) {
        return false;
    }
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (!bucket || !check_new(call, bucket, err)) {
        return false;
    }
    char id[ID_SIZE];
    id_new(&cloud->ids, s3_access_point_kind.prefix, id);
    struct s3_access_point *point = store_add(cloud->accounts->store, &s3_access_point_kind, id);
    strcpy(point->obj.account, cloud->account);
    strcpy(point->obj.region, cloud->region);
    point->name = xstrdup(name);
    point->bucket = xstrdup(bucket->name);
    point->arn = xasprintf("arn:aws:s3:%s:%s:accesspoint/%s", cloud->region, cloud->account, name);
    point->alias = new_alias(&cloud->ids, name);
    point->vpc = vpc ? xstrdup(vpc) : NULL;
    point->created = iam_now(call);
    /* Without a configuration everything is blocked. */
    const json_t *wanted = json_object_get(call->in, "PublicAccessBlockConfiguration");
    point->block = read_block(wanted, wanted == NULL);
    json_object_set_new(call->out, "AccessPointArn", json_string(point->arn));
    json_object_set_new(call->out, "Alias", json_string(point->alias));
    return true;
}

static json_t *
describe(const struct op_call *call, const struct s3_access_point *point)
{
    json_t *out = object_describe(call->cloud->accounts->store, point);
    const struct iam_bucket *bucket = iam_find_bucket(call->cloud->accounts, point->bucket);
    json_object_set_new(out, "NetworkOrigin", json_string(point->vpc ? "VPC" : "Internet"));
    if (point->vpc) {
        json_object_set_new(out, "VpcConfiguration", json_pack("{s:s}", "VpcId", point->vpc));
    }
    if (bucket) {
        json_object_set_new(out, "BucketAccountId", json_string(bucket->obj.account));
    }
    return out;
}

static bool
get_access_point(struct op_call *call, struct err *err)
{
    const struct s3_access_point *point = own_point(call, err);
    json_t *out = point ? describe(call, point) : NULL;
    if (out) {
        json_object_set_new(out, "PublicAccessBlockConfiguration", describe_block(&point->block));
        json_object_update(call->out, out);
    }
    json_decref(out);
    return point != NULL;
}

static bool
list_access_points(struct op_call *call, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    const char *bucket = arg_str(call->in, "Bucket"), *token = arg_str(call->in, "NextToken");
    long long most = arg_int(call->in, "MaxResults", 1000), from = token ? atoll(token) : 0, n = 0;
    if (!check_account(call, err)) {
        return false;
    }
    if (json_object_get(call->in, "DataSourceId") || json_object_get(call->in, "DataSourceType")) {
        return err_set(err, ERR_INPUT, "NotImplemented", "access points of data sources are not modelled");
    }
    json_t *list = json_array();
    struct store *store = cloud->accounts->store;
    for (struct s3_access_point *p = store_first(store, &s3_access_point_kind); p; p = store_next(store, p)) {
        bool wanted = strcmp(p->obj.account, cloud->account) == 0 && strcmp(p->obj.region, cloud->region) == 0 &&
                      (!bucket || strcmp(p->bucket, bucket) == 0);
        if (wanted && n++ >= from && n <= from + most) {
            json_t *item = describe(call, p);
            json_object_del(item, "CreationDate");
            json_array_append_new(list, item);
        }
    }
    if (n > from + most) {
        char *next = xasprintf("%lld", from + most);
        json_object_set_new(call->out, "NextToken", json_string(next));
        free(next);
    }
    json_object_set_new(call->out, "AccessPointList", list);
    return true;
}

static bool
delete_access_point(struct op_call *call, struct err *err)
{
    struct s3_access_point *point = own_point(call, err);
    if (point) {
        store_delete(call->cloud->accounts->store, point);
    }
    return point != NULL;
}

/* ---- policies ---- */

/* Its resources are the access point and, below it, objects. */
static bool
check_policy(const struct op_call *call, const struct s3_access_point *point, const struct iam_policy *policy,
             struct err *err)
{
    size_t n = strlen(point->arn);
    for (uint32_t i = 0; i < policy->n_statements; i++) {
        const struct iam_statement *s = &policy->statements[i];
        for (uint32_t k = 0; k < s->n_resources; k++) {
            const struct iam_pattern *pattern = &s->resources[k];
            bool own = strncmp(pattern->text, point->arn, n) == 0 &&
                       (!pattern->text[n] || strncmp(pattern->text + n, "/object/", 8) == 0);
            if (!own) {
                int line, column;
                iam_policy_place(policy, pattern->span.start, &line, &column);
                err_set(err, ERR_DOCUMENT, "MalformedPolicy", "`%.160s` is not of the access point `%s`", pattern->text,
                        point->name);
                err_at(err, policy->name, line, column);
                return err_hint(err, "use %s or %s/object/*", point->arn, point->arn);
            }
        }
    }
    const struct s3_account_block *all = s3_account_block_find(call->cloud->accounts, point->obj.account);
    bool blocked = !point->vpc && (point->block.policy || (all && all->block.policy));
    const struct iam_statement *open = blocked ? iam_policy_public_statement(policy) : NULL;
    if (open) {
        err_set(err, ERR_INPUT, "AccessDenied", "the policy is public and public policies are blocked for `%s`",
                point->name);
        return err_at(err, policy->name, open->line, open->column);
    }
    return true;
}

static bool
put_policy(struct op_call *call, struct err *err)
{
    struct s3_access_point *point = own_point(call, err);
    const char *text = arg_str(call->in, "Policy");
    if (!point) {
        return false;
    }
    if (strlen(text) > 20 * 1024) {
        return err_set(err, ERR_INPUT, "PolicyTooLarge", "an access point's policy has at most 20480 bytes, not %zu",
                       strlen(text));
    }
    struct iam_policy *policy = iam_policy_parse(text, strlen(text), IAM_POLICY_RESOURCE, "Policy", err);
    bool ok = policy && iam_policy_check_storable(policy, err) && check_policy(call, point, policy, err);
    iam_policy_free(policy);
    if (!ok) {
        if (err && strcmp(err->code, "MalformedPolicyDocument") == 0) {
            strcpy(err->code, "MalformedPolicy");
        }
        return false;
    }
    free(point->policy);
    point->policy = xstrdup(text);
    return true;
}

static const struct s3_access_point *
point_with_policy(const struct op_call *call, struct err *err)
{
    const struct s3_access_point *point = own_point(call, err);
    if (point && !point->policy) {
        err_set(err, ERR_INPUT, "NoSuchAccessPointPolicy", "the access point `%s` has no policy", point->name);
        return NULL;
    }
    return point;
}

static bool
get_policy(struct op_call *call, struct err *err)
{
    const struct s3_access_point *point = point_with_policy(call, err);
    if (point) {
        json_object_set_new(call->out, "Policy", json_string(point->policy));
    }
    return point != NULL;
}

static bool
delete_policy(struct op_call *call, struct err *err)
{
    struct s3_access_point *point = own_point(call, err);
    if (point) {
        free(point->policy);
        point->policy = NULL;
    }
    return point != NULL;
}

static bool
get_policy_status(struct op_call *call, struct err *err)
{
    const struct s3_access_point *point = point_with_policy(call, err);
    struct iam_policy *policy =
        point ? iam_policy_parse(point->policy, strlen(point->policy), IAM_POLICY_RESOURCE, point->name, err) : NULL;
    if (policy) {
        bool is_public = !point->vpc && iam_policy_public_statement(policy) != NULL;
        json_object_set_new(call->out, "PolicyStatus", json_pack("{s:b}", "IsPublic", (int)is_public));
    }
    iam_policy_free(policy);
    return policy != NULL;
}

/* ---- the account's block ---- */

static bool
put_block(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    if (!check_account(call, err)) {
        return false;
    }
    struct s3_account_block *all = s3_account_block_find(cloud->accounts, cloud->account);
    if (!all) {
        char id[ID_SIZE];
        id_new(&cloud->ids, s3_account_block_kind.prefix, id);
        all = store_add(cloud->accounts->store, &s3_account_block_kind, id);
        strcpy(all->obj.account, cloud->account);
    }
    all->block = read_block(json_object_get(call->in, "PublicAccessBlockConfiguration"), false);
    return true;
}

static bool
get_block(struct op_call *call, struct err *err)
{
    if (!check_account(call, err)) {
        return false;
    }
    const struct s3_account_block *all = s3_account_block_find(call->cloud->accounts, call->cloud->account);
    if (!all) {
        return err_set(err, ERR_INPUT, "NoSuchPublicAccessBlockConfiguration",
                       "the account %s has no public access block", call->cloud->account);
    }
    json_object_set_new(call->out, "PublicAccessBlockConfiguration", describe_block(&all->block));
    return true;
}

static bool
delete_block(struct op_call *call, struct err *err)
{
    if (!check_account(call, err)) {
        return false;
    }
    struct s3_account_block *all = s3_account_block_find(call->cloud->accounts, call->cloud->account);
    if (all) {
        store_delete(call->cloud->accounts->store, all);
    }
    return true;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "s3control", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                       \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "s3control", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                      \
    }

const struct op ops_s3control[] = {
    WRITE("CreateAccessPoint", create_access_point, "Create an access point of a bucket."),
    READ("GetAccessPoint", get_access_point, "Show an access point."),
    READ("ListAccessPoints", list_access_points, "List the account's access points."),
    WRITE("DeleteAccessPoint", delete_access_point, "Delete an access point."),
    WRITE("PutAccessPointPolicy", put_policy, "Write an access point's policy."),
    READ("GetAccessPointPolicy", get_policy, "Show an access point's policy."),
    WRITE("DeleteAccessPointPolicy", delete_policy, "Delete an access point's policy."),
    READ("GetAccessPointPolicyStatus", get_policy_status, "Ask whether an access point's policy is public."),
    WRITE("PutPublicAccessBlock", put_block, "Block or allow public access to the whole account."),
    READ("GetPublicAccessBlock", get_block, "Show what public access the account blocks."),
    WRITE("DeletePublicAccessBlock", delete_block, "Stop blocking public access to the account."),
    { 0 },
};
