/* cloud/ops_s3_list.c - what is in a bucket: list-objects-v2, list-objects, list-object-versions.
 *
 * Keys come in the order of their bytes; with a delimiter, what has the same beginning up to it is one common prefix,
 * which counts as one item of the page.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/ops_s3.h"

typedef VEC(const struct s3_object *) s3_objects;

/* By key; versions of one key newest first. */
static int
compare(const void *a, const void *b)
{
    const struct s3_object *x = *(const struct s3_object *const *)a, *y = *(const struct s3_object *const *)b;
    int order = strcmp(x->key, y->key);
    return order ? order : x->obj.sequence < y->obj.sequence ? 1 : -1;
}

static void
collect(const struct op_call *call, const struct iam_bucket *bucket, bool versions, s3_objects *list)
{
    const struct store *store = call->cloud->accounts->store;
    const char *prefix = arg_str(call->in, "Prefix");
    size_t n = prefix ? strlen(prefix) : 0;
    for (const struct s3_object *o = store_first(store, &s3_object_kind); o; o = store_next(store, o)) {
        if (strcmp(o->bucket, bucket->name) == 0 && (versions || (o->latest && !o->delete_marker)) &&
            (!n || strncmp(o->key, prefix, n) == 0)) {
            *VEC_ADD(list) = o;
        }
    }
    if (list->n) {
        qsort(list->items, list->n, sizeof *list->items, compare);
    }
}

/* Bytes of the key that make a common prefix; 0: the key stands for itself. */
static size_t
common_prefix(const struct op_call *call, const char *key)
{
    const char *prefix = arg_str(call->in, "Prefix"), *delimiter = arg_str(call->in, "Delimiter");
    size_t n = prefix ? strlen(prefix) : 0;
    const char *found = delimiter && delimiter[0] ? strstr(key + n, delimiter) : NULL;
    return found ? (size_t)(found - key) + strlen(delimiter) : 0;
}

struct page {
    json_t *contents, *markers, *prefixes;
    char *last; /* the item that ends a page which is not the last: a key, or a common prefix */
    long long n;
    bool more;
};

static void
add_object(const struct op_call *call, const struct s3_object *o, bool versions, struct page *page)
{
    json_t *item = object_describe(call->cloud->accounts->store, o);
    if (!versions) {
        json_object_del(item, "VersionId");
        json_object_del(item, "IsLatest");
    }
    if (o->delete_marker) {
        json_object_del(item, "Size");
    }
    if (arg_flag(call->in, "FetchOwner", false)) {
        json_object_set_new(item, "Owner", json_pack("{s:s}", "ID", o->obj.account));
    }
    json_array_append_new(o->delete_marker ? page->markers : page->contents, item);
}

/* Items after 'after' (NULL: from the beginning), at most MaxKeys of them. */
static void
fill_page(const struct op_call *call, const s3_objects *list, const char *after, bool versions, struct page *page)
{
    long long most = arg_int(call->in, "MaxKeys", 1000);
    most = most > 1000 ? 1000 : most;
    *page = (struct page){ .contents = json_array(), .markers = json_array(), .prefixes = json_array() };
    for (size_t i = 0; i < list->n; i++) {
        const struct s3_object *o = list->items[i];
        size_t common = common_prefix(call, o->key);
        char *name = common ? xstrndup(o->key, common) : xstrdup(o->key);
        bool repeated = common && page->last && strcmp(page->last, name) == 0;
        bool passed = after && strcmp(name, after) <= 0;
        if (!repeated && !passed && page->n >= most) {
            page->more = most > 0;
            free(name);
            break;
        }
        if (!repeated && !passed) {
            page->n++;
            free(page->last);
            page->last = xstrdup(name);
            if (common) {
                json_array_append_new(page->prefixes, json_pack("{s:s}", "Prefix", name));
            } else {
                add_object(call, o, versions, page);
            }
        }
        free(name);
    }
}

static void
put_list(struct op_call *call, const char *member, json_t *list)
{
    if (json_array_size(list)) {
        json_object_set_new(call->out, member, list);
    } else {
        json_decref(list);
    }
}

static void
answer_common(struct op_call *call, const struct iam_bucket *bucket, const struct page *page)
{
    static const char *const echoed[] = { "Prefix", "Delimiter", "EncodingType",   "StartAfter", "ContinuationToken",
                                          "Marker", "KeyMarker", "VersionIdMarker" };
    for (size_t i = 0; i < ARRAY_SIZE(echoed); i++) {
        json_t *value = json_object_get(call->in, echoed[i]);
        if (value) {
            json_object_set(call->out, echoed[i], value);
        }
    }
    json_object_set_new(call->out, "Name", json_string(bucket->name));
    json_object_set_new(call->out, "MaxKeys", json_integer(arg_int(call->in, "MaxKeys", 1000)));
    json_object_set_new(call->out, "IsTruncated", json_boolean(page->more));
    put_list(call, "CommonPrefixes", page->prefixes);
}

/* "a b" to "a+b" and "%" to "%25", as S3 does: keys may hold what XML cannot. */
static void
encode_member(json_t *holder, const char *member)
{
    const char *text = json_string_value(json_object_get(holder, member));
    struct buf out = { 0 };
    for (const char *p = text; p && *p; p++) {
        if (isalnum((unsigned char)*p) || strchr("-_.*/", *p)) {
            buf_char(&out, *p);
        } else {
            buf_printf(&out, *p == ' ' ? "+" : "%%%02X", (unsigned char)*p);
        }
    }
    if (text) {
        json_object_set_new(holder, member, json_string(buf_str(&out)));
    }
    buf_done(&out);
}

/* --encoding-type url: what holds a key, or a part of one. */
static bool
answer_encoded(struct op_call *call)
{
    static const char *const own[] = { "Prefix",     "Delimiter", "StartAfter",   "Marker",
                                       "NextMarker", "KeyMarker", "NextKeyMarker" };
    static const struct {
        const char *list, *member;
    } lists[] = {
        { "Contents", "Key" }, { "Versions", "Key" }, { "DeleteMarkers", "Key" }, { "CommonPrefixes", "Prefix" }
    };
    const char *encoding = arg_str(call->in, "EncodingType");
    for (size_t i = 0; encoding && i < ARRAY_SIZE(own); i++) {
        encode_member(call->out, own[i]);
    }
    for (size_t i = 0; encoding && i < ARRAY_SIZE(lists); i++) {
        size_t k;
        json_t *item;
        json_array_foreach(json_object_get(call->out, lists[i].list), k, item)
        {
            encode_member(item, lists[i].member);
        }
    }
    return true;
}

/* A continuation token is the last item, in hexadecimal so that it is not taken for a key. */
static char *
token_of(const char *last)
{
    static const char digits[] = "0123456789abcdef";
    char *token = xcalloc(1, 2 * strlen(last) + 1);
    for (size_t i = 0; last[i]; i++) {
        token[2 * i] = digits[(unsigned char)last[i] >> 4];
        token[2 * i + 1] = digits[(unsigned char)last[i] & 15];
    }
    return token;
}

static char *
item_of(const char *token, struct err *err)
{
    size_t n = strlen(token);
    char *item = xcalloc(1, n / 2 + 1);
    if (n % 2 || strspn(token, "0123456789abcdef") != n) {
        free(item);
        err_set(err, ERR_INPUT, "InvalidArgument", "the continuation token `%.80s` is not valid", token);
        return NULL;
    }
    for (size_t i = 0; i < n / 2; i++) {
        char pair[3] = { token[2 * i], token[2 * i + 1], '\0' };
        item[i] = (char)strtoul(pair, NULL, 16);
    }
    return item;
}

static bool
list_objects_v2(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    const char *token = arg_str(call->in, "ContinuationToken"), *start = arg_str(call->in, "StartAfter");
    char *after = !bucket ? NULL : token ? item_of(token, err) : start ? xstrdup(start) : NULL;
    if (!bucket || (token && !after)) {
        return false;
    }
    s3_objects list = { 0 };
    struct page page;
    collect(call, bucket, false, &list);
    fill_page(call, &list, after, false, &page);
    answer_common(call, bucket, &page);
    put_list(call, "Contents", page.contents);
    json_object_set_new(call->out, "KeyCount", json_integer(page.n));
    if (page.more) {
        char *next = token_of(page.last);
        json_object_set_new(call->out, "NextContinuationToken", json_string(next));
        free(next);
    }
    json_decref(page.markers);
    free(page.last);
    free(after);
    VEC_DONE(&list);
    return answer_encoded(call);
}

static bool
list_objects(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (!bucket) {
        return false;
    }
    s3_objects list = { 0 };
    struct page page;
    collect(call, bucket, false, &list);
    fill_page(call, &list, arg_str(call->in, "Marker"), false, &page);
    answer_common(call, bucket, &page);
    put_list(call, "Contents", page.contents);
    if (page.more && arg_str(call->in, "Delimiter")) { /* without a delimiter the last key is the next marker */
        json_object_set_new(call->out, "NextMarker", json_string(page.last));
    }
    json_decref(page.markers);
    free(page.last);
    VEC_DONE(&list);
    return answer_encoded(call);
}

/* The markers name a version: what comes after it in the list is wanted. */
static void
skip_to_marker(const struct op_call *call, s3_objects *list)
{
    const char *key = arg_str(call->in, "KeyMarker"), *version = arg_str(call->in, "VersionIdMarker");
    size_t from = 0;
    for (size_t i = 0; key && i < list->n; i++) {
        int order = strcmp(list->items[i]->key, key);
        if (order < 0 || (order == 0 && (!version || strcmp(list->items[i]->version, version) == 0))) {
            from = i + 1;
        }
    }
    if (from) {
        memmove(list->items, list->items + from, (list->n - from) * sizeof *list->items);
        list->n -= from;
    }
}

static bool
list_versions(struct op_call *call, struct err *err)
{
    const struct iam_bucket *bucket = s3_op_bucket(call, err);
    if (!bucket) {
        return false;
    }
    s3_objects list = { 0 };
    struct page page;
    collect(call, bucket, true, &list);
    skip_to_marker(call, &list);
    fill_page(call, &list, NULL, true, &page);
    answer_common(call, bucket, &page);
    if (page.more) {
        size_t shown = json_array_size(page.contents) + json_array_size(page.markers);
        bool plain = shown && !json_array_size(json_object_get(call->out, "CommonPrefixes"));
        json_object_set_new(call->out, "NextKeyMarker", json_string(page.last));
        if (plain) { /* then items of the list and of the page are the same ones */
            json_object_set_new(call->out, "NextVersionIdMarker", json_string(list.items[shown - 1]->version));
        }
    }
    put_list(call, "Versions", page.contents);
    put_list(call, "DeleteMarkers", page.markers);
    free(page.last);
    VEC_DONE(&list);
    return answer_encoded(call);
}

#define READ(name_, run_, help_)                                                                                       \
    {                                                                                                                  \
        .service = "s3api", .name = (name_), .mode = OP_READ, .run = (run_), .help = (help_)                           \
    }

const struct op ops_s3_list[] = {
    READ("ListObjectsV2", list_objects_v2, "List the objects of a bucket."),
    READ("ListObjects", list_objects, "List the objects of a bucket, as S3 did first."),
    READ("ListObjectVersions", list_versions, "List the versions and delete markers in a bucket."),
    { 0 },
};
