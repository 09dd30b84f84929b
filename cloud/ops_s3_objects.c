/* cloud/ops_s3_objects.c - objects as keys with versions and tags.
 *
 * Their contents are kept aside (s3_contents.h) for the live lab's S3; get-object answers what head-object answers.  Access control lists are not modelled; a bucket begins with BucketOwnerEnforced,
 * where S3 refuses them as well. Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/md5.h"
#include "cloud/authorize.h"
#include "cloud/ops_s3.h"
#include "cloud/ops_s3_objects.h"
#include "cloud/permission.h"
#include "cloud/s3_contents.h"

#define KEY_SIZE  1024 /* bytes of a key */
#define TAGS_MOST 10

static struct store *
store_of(const struct op_call *call)
{
    return call->cloud->accounts->store;
}

/* ---- arguments ---- */

/* Members that say what the lab does not model are refused rather than ignored. */
static bool
check_members(const struct op_call *call, const char *known, struct err *err)
{
    const char *member;
    json_t *value;
    json_object_foreach((json_t *)call->in, member, value)
    {
        const char *found = strstr(known, member);
        size_t n = strlen(member);
        while (found && !((found == known || found[-1] == ' ') && (found[n] == ' ' || !found[n]))) {
            found = strstr(found + 1, member);
        }
        if (!found) {
            err_set(err, ERR_INPUT, "NotImplemented", "`%s` of objects is not modelled", member);
            err_hint(err, "objects have key, size, ETag, metadata, tags and versions here");
            return err_at(err, member, 0, 0);
        }
    }
    return true;
}

static int
base64_digit(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* Parameters of type blob come as base64. */
static void
read_body(const struct op_call *call, struct buf *bytes)
{
    const char *text = arg_str(call->in, "Body");
    unsigned bits = 0, n = 0;
    for (; text && *text; text++) {
        int digit = base64_digit(*text);
        if (digit < 0) {
            continue;
        }
        bits = bits << 6 | (unsigned)digit;
        n += 6;
        if (n >= 8) {
            n -= 8;
            buf_char(bytes, (char)(bits >> n & 0xff));
        }
    }
}

static int
hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* "%2F" and "+" of a query; the caller frees it. */
static char *
decode(const char *text, size_t size, bool plus)
{
    char *out = xcalloc(1, size + 1);
    for (size_t i = 0, n = 0; i < size; i++) {
        bool escaped = text[i] == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0;
        if (escaped) {
            out[n++] = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            out[n++] = plus && text[i] == '+' ? ' ' : text[i];
        }
    }
    return out;
}

json_t *
s3_tags_of_query(const char *query)
{
    json_t *tags = json_array();
    for (const char *p = query; p && *p; p += *p == '&') {
        size_t n = strcspn(p, "&");
        const char *equal = memchr(p, '=', n);
        size_t key_size = equal ? (size_t)(equal - p) : n;
        char *key = decode(p, key_size, true), *value = equal ? decode(equal + 1, n - key_size - 1, true) : xstrdup("");
        json_array_append_new(tags, json_pack("{s:s, s:s}", "Key", key, "Value", value));
        free(key);
        free(value);
        p += n;
    }
    return tags;
}

static bool
check_tags(const json_t *tags, struct err *err)
{
    struct err found = { 0 };
    if (json_array_size(tags) > TAGS_MOST) {
        return err_set(err, ERR_INPUT, "BadRequest", "an object has at most %d tags, not %zu", TAGS_MOST,
                       json_array_size(tags));
    }
    if (iam_check_tags(tags, &found)) {
        return true;
    }
    strcpy(found.code, "InvalidTag");
    *err = found;
    return false;
}

/* A bucket without versioning has no version ids to show. */
static void
show_version(const struct op_call *call, const struct iam_bucket *bucket, const char *version)
{
    if (bucket->versioning) {
        json_object_set_new(call->out, "VersionId", json_string(version));
    }
}

static void
show_sealing(const struct op_call *call, const struct s3_object *object)
{
    json_object_set_new(call->out, "ServerSideEncryption", json_string(object->sse));
    if (object->kms_key) {
        json_object_set_new(call->out, "SSEKMSKeyId", json_string(object->kms_key));
    }
    if (object->bucket_key) {
        json_object_set_new(call->out, "BucketKeyEnabled", json_true());
    }
}

/* ---- versions ---- */

static void
new_version_id(const struct op_call *call, char out[static 33])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";
    for (size_t i = 0; i < 32; i++) {
        out[i] = letters[id_random_below(&call->cloud->ids, sizeof letters - 1)];
    }
    out[32] = '\0';
}

/* A new latest version.  While versioning is not enabled it takes the place of the version "null". */
static struct s3_object *
add_version(const struct op_call *call, const struct iam_bucket *bucket, const char *key)
{
    char version[33] = "null", id[ID_SIZE];
    if (bucket->versioning && strcmp(bucket->versioning, "Enabled") == 0) {
        new_version_id(call, version);
    } else {
        struct s3_object *old = s3_object_find(call->cloud->accounts, bucket->name, key, version);
        if (old) {
            store_delete(store_of(call), old);
        }
    }
    struct s3_object *latest = s3_object_find(call->cloud->accounts, bucket->name, key, NULL);
    if (latest) {
        latest->latest = false;
    }
    id_new(&call->cloud->ids, "s3object", id);
    struct s3_object *object = store_add(store_of(call), &s3_object_kind, id);
    snprintf(object->obj.account, sizeof object->obj.account, "%s", bucket->obj.account);
    object->bucket = xstrdup(bucket->name);
    object->key = xstrdup(key);
    object->version = xstrdup(version);
    object->latest = true;
    object->modified = iam_now(call);
    return object;
}

/* Takes a version away; the newest that is left becomes the latest. */
static void
remove_version(const struct op_call *call, struct s3_object *gone)
{
    struct s3_object *newest = NULL;
    for (struct s3_object *o = store_first(store_of(call), &s3_object_kind); o; o = store_next(store_of(call), o)) {
        if (o != gone && strcmp(o->key, gone->key) == 0 && strcmp(o->bucket, gone->bucket) == 0) {
            newest = o;
        }
    }
    if (newest && gone->latest) {
        newest->latest = true;
    }
    store_delete(store_of(call), gone);
}

/* Who may not list a bucket is not told what is missing from it either.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html (permissions) */
static bool
may_list(const struct op_call *call, const struct iam_bucket *bucket, struct err *err)
{
    struct iam_catalog *catalog = iam_catalog_new();
    permissions list = { 0 };
    const struct s3_access_point *point = s3_op_point(call);
    char *arn = point ? xstrdup(point->arn) : xasprintf("arn:aws:s3:::%s", bucket->name);
    bool allowed = op_authorize_one(call, NULL, permission_add(&list, catalog, "s3:ListBucket", arn), err);
    free(arn);
    permissions_done(&list);
    iam_catalog_free(catalog);
    return allowed;
}

/* The object that Key and VersionId name.  NoSuchKey, NoSuchVersion; MethodNotAllowed for a delete marker. */
static struct s3_object *
object_arg(const struct op_call *call, const struct iam_bucket *bucket, const char *key, const char *version,
           struct err *err)
{
    struct s3_object *object = s3_object_find(call->cloud->accounts, bucket->name, key, version);
    if (!object && version) {
        err_set(err, ERR_INPUT, "NoSuchVersion", "`%.200s` has no version `%.60s`", key, version);
        return NULL;
    }
    if (!object || (object->delete_marker && !version)) {
        if (!may_list(call, bucket, err)) {
            return NULL;
        }
        err_set(err, ERR_INPUT, "NoSuchKey", "the bucket `%s` has no `%.200s`", bucket->name, key);
        if (object) {
            err_hint(err, "it was deleted; `s3api list-object-versions` shows older versions");
        }
        return NULL;
    }
    if (object->delete_marker) {
        err_set(err, ERR_INPUT, "MethodNotAllowed", "version `%s` of `%.200s` is a delete marker", version, key);
        return NULL;
    }
    return object;
}

/* ---- putting ---- */

static char *
copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

struct s3_sealing
s3_sealing_of(const struct op_call *call, const struct iam_bucket *bucket)
{
    const struct cloud *cloud = call->cloud;
    const json_t *rule = json_array_get(json_object_get(bucket->encryption, "Rules"), 0);
    const json_t *otherwise = json_object_get(rule, "ApplyServerSideEncryptionByDefault");
    const char *algorithm = arg_str(call->in, "ServerSideEncryption"), *name = arg_str(call->in, "SSEKMSKeyId");
    const char *account = cloud->account;
    if (!algorithm && !name) {
        algorithm = json_str(otherwise, "SSEAlgorithm");
        name = json_str(otherwise, "KMSMasterKeyID");
        account = bucket->obj.account;
    }
    struct s3_sealing sealing = { .algorithm = algorithm ? algorithm
                                               : name    ? "aws:kms"
                                                         : "AES256",
                                  .bucket_key = arg_flag(call->in, "BucketKeyEnabled",
                                                         json_flag(rule, "BucketKeyEnabled", false)) };
    bool own = name && (strcmp(name, "alias/aws/s3") == 0 || strstr(name, ":alias/aws/s3"));
    if (strncmp(sealing.algorithm, "aws:kms", 7) == 0 && name && !own) {
        sealing.name = name;
        sealing.key = kms_key_find(cloud->accounts, account, cloud->region, name, clock_now_ms(&cloud->clock));
    }
    return sealing;
}

/* A key must be there and in use, whether it is to encrypt or to decrypt. */
static bool
check_kms_key(const struct kms_key *key, const char *name, struct err *err)
{
    if (!key) {
        err_set(err, ERR_INPUT, "KMS.NotFoundException", "there is no KMS key `%.160s`", name);
        return err_hint(err, "`kms list-keys` and `kms list-aliases` show those there are");
    }
    if (strcmp(key->state, "Enabled") == 0) {
        return true;
    }
    bool disabled = strcmp(key->state, "Disabled") == 0;
    return err_set(err, ERR_INPUT, disabled ? "KMS.DisabledException" : "KMS.KMSInvalidStateException", "%s is %s",
                   key->arn, disabled ? "disabled" : "pending deletion");
}

static bool
check_sealing(const struct op_call *call, const struct iam_bucket *bucket, struct s3_sealing *sealing, struct err *err)
{
    const char *algorithm = arg_str(call->in, "ServerSideEncryption");
    if (arg_str(call->in, "SSEKMSKeyId") && (!algorithm || strncmp(algorithm, "aws:kms", 7) != 0)) {
        err_set(err, ERR_INPUT, "InvalidArgument", "a KMS key encrypts only with --server-side-encryption aws:kms");
        return false;
    }
    *sealing = s3_sealing_of(call, bucket);
    return !sealing->name || check_kms_key(sealing->key, sealing->name, err);
}

static void
seal(struct s3_object *object, const struct s3_sealing *sealing)
{
    bool kms = strncmp(sealing->algorithm, "aws:kms", 7) == 0;
    object->sse = xstrdup(sealing->algorithm);
    object->kms_key = copy_text(sealing->key ? sealing->key->arn : NULL);
    object->bucket_key = kms && sealing->bucket_key;
}

/* S3's own key (aws/s3) serves only the bucket's account.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html */
static bool
check_unsealing(const struct op_call *call, const struct s3_object *object, struct err *err)
{
    const struct cloud *cloud = call->cloud;
    if (strncmp(object->sse, "aws:kms", 7) != 0) {
        return true;
    }
    if (object->kms_key) {
        return check_kms_key(kms_key_find(cloud->accounts, object->obj.account, cloud->region, object->kms_key,
                                          clock_now_ms(&cloud->clock)),
                             object->kms_key, err);
    }
    if (strcmp(object->obj.account, cloud->account) == 0) {
        return true;
    }
    err_set(err, ERR_INPUT, "AccessDenied", "`%.200s` is encrypted with the key aws/s3 of account %s", object->key,
            object->obj.account);
    return err_hint(err, "only a key of one's own can serve another account: --sse-kms-key-id when it is put");
}

static bool
check_key(const char *key, struct err *err)
{
    return (key[0] && strlen(key) <= KEY_SIZE) ||
           err_set(err, ERR_INPUT, "KeyTooLongError", "a key has 1 to %d bytes, not %zu", KEY_SIZE, strlen(key));
}

static bool
put_object(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    const char *key = arg_str(call->in, "Key"), *type = arg_str(call->in, "ContentType"),
               *class = arg_str(call->in, "StorageClass"), *none = arg_str(call->in, "IfNoneMatch");
    if (!bucket || !check_key(key, err) ||
        !check_members(call,
                       "Bucket Key Body ContentType ContentLength Metadata StorageClass ServerSideEncryption "
                       "SSEKMSKeyId BucketKeyEnabled Tagging IfNoneMatch ExpectedBucketOwner",
                       err)) {
        return false;
    }
    const struct s3_object *there = s3_object_find(call->cloud->accounts, bucket->name, key, NULL);
    if (none && there && !there->delete_marker) {
        return err_set(err, ERR_INPUT, "PreconditionFailed", "there is a `%.200s` in `%s` already", key, bucket->name);
    }
    json_t *tags = s3_tags_of_query(arg_str(call->in, "Tagging"));
    struct s3_sealing sealing;
    if (!check_tags(tags, err) || !check_sealing(call, bucket, &sealing, err)) {
        json_decref(tags);
        return false;
    }
    struct buf bytes = { 0 };
    char digest[33];
    read_body(call, &bytes);
    md5_hex(bytes.data, bytes.size, digest);
    s3_contents_keep(call->cloud, digest, bytes.data, bytes.size);
    struct s3_object *object = add_version(call, bucket, key);
    object->etag = xasprintf("\"%s\"", digest);
    object->size = (int64_t)bytes.size;
    object->content_type = xstrdup(type ? type : "binary/octet-stream");
    object->storage_class = xstrdup(class ? class : "STANDARD");
    object->metadata = json_deep_copy(json_object_get(call->in, "Metadata"));
    seal(object, &sealing);
    iam_set_tags(&object->obj, tags);
    buf_done(&bytes);
    json_decref(tags);
    json_object_set_new(call->out, "ETag", json_string(object->etag));
    show_sealing(call, object);
    show_version(call, bucket, object->version);
    return true;
}

void
s3_object_deliver(struct cloud *cloud, const struct iam_bucket *bucket, const char *key, const void *bytes, size_t size)
{
    const struct op_call call = { .cloud = cloud };
    char digest[33];
    md5_hex(bytes, size, digest);
    s3_contents_keep(cloud, digest, bytes, size);
    struct s3_object *object = add_version(&call, bucket, key);
    object->etag = xasprintf("\"%s\"", digest);
    object->size = (int64_t)size;
    object->content_type = xstrdup("application/x-gzip");
    object->storage_class = xstrdup("STANDARD");
    object->sse = xstrdup("AES256");
}

/* "bucket/key?versionId=x", perhaps with a slash before it, or an access point's "arn:...:accesspoint/NAME/object/KEY";
 * names are percent-encoded.  The caller frees name, key and version.  False: it is neither. */
static bool
split_source(const struct op_call *call, char **name, char **key, char **version)
{
    const char *source = arg_str(call->in, "CopySource");
    source += source[0] == '/';
    const char *object = strncmp(source, "arn:", 4) == 0 ? strstr(source, "/object/") : NULL;
    const char *slash = object ? object : strchr(source, '/'), *query = strstr(source, "?versionId=");
    if (!slash || (query && query < slash)) {
        return false;
    }
    const char *rest = slash + (object ? strlen("/object/") : 1);
    *name = decode(source, (size_t)(slash - source), false);
    *key = decode(rest, query ? (size_t)(query - rest) : strlen(rest), false);
    *version = query ? xstrdup(query + strlen("?versionId=")) : NULL;
    return true;
}

static const struct iam_bucket *
named_bucket(const struct op_call *call, const char *name)
{
    const struct s3_access_point *point = s3_point_named(call->cloud, name);
    return iam_find_bucket(call->cloud->accounts, point ? point->bucket : name);
}

const struct s3_object *
s3_copied_object(const struct op_call *call)
{
    char *name, *key, *version;
    if (!split_source(call, &name, &key, &version)) {
        return NULL;
    }
    const struct iam_bucket *bucket = named_bucket(call, name);
    const struct s3_object *object = bucket ? s3_object_find(call->cloud->accounts, bucket->name, key, version) : NULL;
    free(name);
    free(key);
    free(version);
    return object;
}

static const struct s3_object *
copy_source(const struct op_call *call, struct err *err)
{
    char *name, *key, *version;
    if (!split_source(call, &name, &key, &version)) {
        err_set(err, ERR_INPUT, "InvalidArgument", "`%.200s` is not a bucket and a key",
                arg_str(call->in, "CopySource"));
        err_hint(err, "--copy-source BUCKET/KEY, with ?versionId=ID for a version");
        return NULL;
    }
    const struct iam_bucket *bucket = named_bucket(call, name);
    const struct s3_object *object = NULL;
    if (bucket) {
        object = object_arg(call, bucket, key, version, err);
    } else {
        err_set(err, ERR_INPUT, "NoSuchBucket", "there is no bucket `%.80s`", name);
    }
    free(name);
    free(key);
    free(version);
    return object;
}

static bool
replaces(const struct op_call *call, const char *directive)
{
    const char *value = arg_str(call->in, directive);
    return value && strcmp(value, "REPLACE") == 0;
}

static void
copy_contents(const struct op_call *call, const struct s3_object *from, struct s3_object *to, const json_t *tags)
{
    bool metadata = replaces(call, "MetadataDirective");
    const char *type = arg_str(call->in, "ContentType"), *class = arg_str(call->in, "StorageClass");
    to->etag = xstrdup(from->etag);
    to->size = from->size;
    to->content_type = xstrdup(!metadata ? from->content_type : type ? type : "binary/octet-stream");
    to->storage_class = xstrdup(class ? class : "STANDARD");
    to->metadata = json_deep_copy(metadata ? json_object_get(call->in, "Metadata") : from->metadata);
    for (size_t i = 0; !replaces(call, "TaggingDirective") && i < from->obj.tags.n; i++) {
        object_set_tag(&to->obj, from->obj.tags.items[i].key, from->obj.tags.items[i].value);
    }
    iam_set_tags(&to->obj, tags);
}

static bool
copy_object(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    const char *key = arg_str(call->in, "Key");
    if (!bucket || !check_key(key, err) ||
        !check_members(call,
                       "Bucket Key CopySource ContentType Metadata MetadataDirective TaggingDirective Tagging "
                       "StorageClass ServerSideEncryption SSEKMSKeyId BucketKeyEnabled ExpectedBucketOwner",
                       err)) {
        return false;
    }
    const struct s3_object *from = copy_source(call, err);
    struct s3_sealing sealing;
    json_t *tags = s3_tags_of_query(replaces(call, "TaggingDirective") ? arg_str(call->in, "Tagging") : NULL);
    bool ok =
        from && check_tags(tags, err) && check_unsealing(call, from, err) && check_sealing(call, bucket, &sealing, err);
    bool changes = replaces(call, "MetadataDirective") || arg_str(call->in, "StorageClass") ||
                   arg_str(call->in, "ServerSideEncryption");
    if (ok && from->latest && strcmp(from->bucket, bucket->name) == 0 && strcmp(from->key, key) == 0 && !changes) {
        ok = err_set(err, ERR_INPUT, "InvalidRequest",
                     "an object is copied onto itself only with other metadata, storage class or encryption");
    }
    if (!ok) {
        json_decref(tags);
        return false;
    }
    /* The copy may take the place of what it is copied from. */
    struct s3_object held = { 0 };
    fields_copy(s3_object_kind.fields, &held, from);
    struct s3_object *object = add_version(call, bucket, key);
    copy_contents(call, &held, object, tags);
    seal(object, &sealing);
    fields_done(s3_object_kind.fields, &held);
    json_decref(tags);
    json_t *shown = object_describe(store_of(call), object);
    json_object_set_new(
        call->out, "CopyObjectResult",
        json_pack("{s:s, s:O}", "ETag", object->etag, "LastModified", json_object_get(shown, "LastModified")));
    show_sealing(call, object);
    show_version(call, bucket, object->version);
    json_decref(shown);
    return true;
}

/* ---- looking ---- */

static bool
get_object(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (!bucket || !check_members(call, "Bucket Key VersionId ExpectedBucketOwner", err)) {
        return false;
    }
    const struct s3_object *o = object_arg(call, bucket, arg_str(call->in, "Key"), arg_str(call->in, "VersionId"), err);
    if (!o || (strcmp(call->op->name, "GetObject") == 0 && !check_unsealing(call, o, err))) {
        return false;
    }
    json_t *shown = object_describe(store_of(call), o);
    json_object_set_new(call->out, "AcceptRanges", json_string("bytes"));
    json_object_set(call->out, "LastModified", json_object_get(shown, "LastModified"));
    json_object_set_new(call->out, "ContentLength", json_integer(o->size));
    json_object_set_new(call->out, "ETag", json_string(o->etag));
    json_object_set_new(call->out, "ContentType", json_string(o->content_type));
    json_object_set_new(call->out, "Metadata", o->metadata ? json_deep_copy(o->metadata) : json_object());
    show_sealing(call, o);
    if (o->obj.tags.n) {
        json_object_set_new(call->out, "TagCount", json_integer((json_int_t)o->obj.tags.n));
    }
    show_version(call, bucket, o->version);
    json_decref(shown);
    return true;
}

/* ---- deleting ---- */

/* Deletes a version, or without one puts a delete marker where versions are kept.  'out' learns what was done. */
static void
delete_key(const struct op_call *call, const struct iam_bucket *bucket, const char *key, const char *version,
           json_t *out, const char *marker_version)
{
    struct s3_object *object = s3_object_find(call->cloud->accounts, bucket->name, key,
                                              version              ? version
                                              : bucket->versioning ? NULL
                                                                   : "null");
    if (version || !bucket->versioning) {
        if (object && object->delete_marker) {
            json_object_set_new(out, "DeleteMarker", json_true());
        }
        if (object) {
            remove_version(call, object);
        }
        if (version) {
            json_object_set_new(out, "VersionId", json_string(version));
        }
        return; /* what is not there is deleted as well */
    }
    struct s3_object *marker = add_version(call, bucket, key);
    marker->delete_marker = true;
    json_object_set_new(out, "DeleteMarker", json_true());
    json_object_set_new(out, marker_version, json_string(marker->version));
}

static bool
delete_object(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (!bucket || !check_members(call, "Bucket Key VersionId ExpectedBucketOwner", err)) {
        return false;
    }
    delete_key(call, bucket, arg_str(call->in, "Key"), arg_str(call->in, "VersionId"), call->out, "VersionId");
    return true;
}

static bool
delete_objects(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    const json_t *wanted = json_object_get(call->in, "Delete"), *list = json_object_get(wanted, "Objects");
    if (!bucket || !check_members(call, "Bucket Delete ExpectedBucketOwner", err)) {
        return false;
    }
    json_t *deleted = json_array();
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *key = json_str(json_array_get(list, i), "Key");
        json_t *item = json_pack("{s:s}", "Key", key);
        delete_key(call, bucket, key, json_str(json_array_get(list, i), "VersionId"), item, "DeleteMarkerVersionId");
        json_array_append_new(deleted, item);
    }
    if (json_flag(wanted, "Quiet", false)) { /* then only errors are told */
        json_decref(deleted);
    } else {
        json_object_set_new(call->out, "Deleted", deleted);
    }
    return true;
}

/* ---- tags ---- */

static struct s3_object *
tagged_arg(const struct op_call *call, const struct iam_bucket **bucket, struct err *err)
{
    *bucket = s3_op_bucket(call, err);
    return *bucket ? object_arg(call, *bucket, arg_str(call->in, "Key"), arg_str(call->in, "VersionId"), err) : NULL;
}

static bool
put_tagging(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket;
    struct s3_object *object = tagged_arg(call, &bucket, err);
    const json_t *tags = json_at(call->in, "Tagging.TagSet");
    if (!object || !check_tags(tags, err)) {
        return false;
    }
    s3_replace_tags(&object->obj, tags);
    show_version(call, bucket, object->version);
    return true;
}

static bool
get_tagging(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket;
    const struct s3_object *object = tagged_arg(call, &bucket, err);
    if (object) {
        show_version(call, bucket, object->version);
        json_object_set_new(call->out, "TagSet", object_tags_json(&object->obj));
    }
    return object != NULL;
}

static bool
delete_tagging(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket;
    struct s3_object *object = tagged_arg(call, &bucket, err);
    if (object) {
        s3_replace_tags(&object->obj, NULL);
        show_version(call, bucket, object->version);
    }
    return object != NULL;
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                           \
    }
#define WRITE(name_, run_, help_)                                                                                      \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_WRITE, .run = (run_), .help = (help_)                          \
    }

const struct op ops_s3_objects[] = {
    WRITE("PutObject", put_object, "Put an object; its size and ETag are kept, not its contents."),
    WRITE("CopyObject", copy_object, "Copy an object."),
    READ("GetObject", get_object, "Show what get-object would answer besides the contents, which only the live lab's S3 gives."),
    READ("HeadObject", get_object, "Show an object's size, ETag and metadata."),
    WRITE("DeleteObject", delete_object, "Delete an object or one version of it."),
    WRITE("DeleteObjects", delete_objects, "Delete several objects."),
    WRITE("PutObjectTagging", put_tagging, "Replace the tags of an object."),
    READ("GetObjectTagging", get_tagging, "Show the tags of an object."),
    WRITE("DeleteObjectTagging", delete_tagging, "Remove the tags of an object."),
    { 0 },
};
