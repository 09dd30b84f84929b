/* S3 inside the live lab: GET, HEAD, PUT and DELETE of objects and the list of a bucket, over HTTP and HTTPS.
 *
 * A request becomes the lab's own operation (s3api get-object ...), so the lab's IAM decides: by the signature's key,
 * else for nobody; with the policy of the endpoint it came by, and aws:SourceVpce and its kin. Sources:
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html, .../API/ErrorResponses.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/base64.h"
#include "base/vec.h"
#include "cloud/live_services.h"
#include "cloud/op_types.h"
#include "cloud/s3_contents.h"
#include "cloud/sigv4.h"
#include "netsim/live/http_server.h"
#include "netsim/model/endpoint.h"

/* ---- what is asked for --------------------------------------------------------------------------------------------
 */
struct address {
    char *bucket, *key; /* owned; "" where there is none */
};

/* "photos.s3.us-east-1.amazonaws.com" has its bucket before ".s3"; NULL: the path has it. */
static char *
bucket_of_host(const char *host)
{
    const char *mark = host ? strstr(host, ".s3.") : NULL;
    mark = mark ? mark : host ? strstr(host, ".s3-") : NULL;
    return mark && mark > host ? xstrndup(host, (size_t)(mark - host)) : NULL;
}

static bool
read_address(const struct http_head *request, struct address *a)
{
    char *path = http_unescape(request->target, strcspn(request->target, "?#"));
    if (!path || path[0] != '/') {
        free(path);
        return false;
    }
    a->bucket = bucket_of_host(http_field(request, "Host"));
    const char *rest = path + 1;
    if (!a->bucket) {
        size_t size = strcspn(rest, "/");
        a->bucket = xstrndup(rest, size);
        rest += size + (rest[size] == '/');
    }
    a->key = xstrdup(rest);
    free(path);
    return true;
}

/* ---- answers ------------------------------------------------------------------------------------------------------
 */
static void
add_xml(struct buf *out, const char *text)
{
    for (; *text; text++) {
        const char *entity = *text == '&' ? "&amp;" : *text == '<' ? "&lt;" : *text == '>' ? "&gt;" : NULL;
        if (entity) {
            buf_str_add(out, entity);
        } else {
            buf_char(out, *text);
        }
    }
}

static int
status_of(const struct err *err)
{
    static const struct {
        const char *code;
        int status;
    } rows[] = {
        { "NoSuchBucket", 404 },          { "NoSuchKey", 404 },          { "NoSuchVersion", 404 },
        { "MethodNotAllowed", 405 },      { "AccessDenied", 403 },       { "InvalidAccessKeyId", 403 },
        { "SignatureDoesNotMatch", 403 }, { "PreconditionFailed", 412 }, { "NotImplemented", 501 },
        { "InternalError", 500 },
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(rows[i].code, err->code) == 0) {
            return rows[i].status;
        }
    }
    return err->kind == ERR_INPUT ? 400 : 500;
}

static void
refuse(struct http_exchange *x, const struct address *a, const struct err *err)
{
    x->status = status_of(err);
    http_field_add(x, "Content-Type", "application/xml");
    buf_printf(&x->answer, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>%s</Code><Message>",
               *err->code ? err->code : "InternalError");
    add_xml(&x->answer, err->text);
    buf_str_add(&x->answer, "</Message>");
    if (a->bucket && *a->bucket) {
        buf_str_add(&x->answer, "<BucketName>");
        add_xml(&x->answer, a->bucket);
        buf_str_add(&x->answer, "</BucketName>");
    }
    buf_str_add(&x->answer, "</Error>");
}

/* ---- operations ---------------------------------------------------------------------------------------------------
 */
struct asked {
    struct cloud *cloud;
    struct http_exchange *x;
    const struct address *a;
};

/* What clients add of their own accord, and what is about the bytes on their way. */
static bool
is_of_transport(const char *name)
{
    static const char *const names[] = { "content-length", "content-md5", "list-type", "x-id" }, *const families[] = {
        "x-amz-checksum-", "x-amz-sdk-", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token",
        "x-amz-user-agent", "x-amz-meta-",
        /* of a signature in the query */
        "x-amz-algorithm", "x-amz-credential", "x-amz-signedheaders", "x-amz-expires", "x-amz-signature"
    };
    bool is = false;
    for (size_t i = 0; i < ARRAY_SIZE(names) && !is; i++) {
        is = strcasecmp(name, names[i]) == 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(families) && !is; i++) {
        is = strncasecmp(name, families[i], strlen(families[i])) == 0;
    }
    return is;
}

/* The member of the operation that a parameter of the query or a field of the head carries; NULL: there is none. */
static const struct aws_member *
carried_member(const struct op *op, const char *name, unsigned where)
{
    const struct aws_shape *shape = aws_shape(op_aws(op)->input);
    const struct aws_member *members = aws_members(shape);
    for (size_t i = 0; i < shape->n; i++) {
        if (members[i].flags & where && strcasecmp(aws_text(members[i].wire_in), name) == 0) {
            return &members[i];
        }
    }
    return NULL;
}

static void
carry(json_t *in, const struct aws_member *member, const char *value)
{
    if (!json_object_get(in, aws_text(member->name))) {
        json_object_set_new(in, aws_text(member->name), json_string(value));
    }
}

/* What the query asks for goes to the operation, which refuses what it does not know.  `?acl` would be another
 * operation. */
static bool
carry_query(const struct asked *q, const struct op *op, json_t *in, struct err *err)
{
    const char *p = q->x->request->target + strcspn(q->x->request->target, "?#");
    for (p += *p == '?'; *p && *p != '#'; p += *p == '&') {
        size_t size = strcspn(p, "&#"), n = strcspn(p, "=&#");
        char *name = http_unescape(p, n), *value = n < size ? http_unescape(p + n + 1, size - n - 1) : xstrdup("");
        const struct aws_member *member = name && value ? carried_member(op, name, AWS_IN_QUERY) : NULL;
        if (!name || !value) {
            err_set(err, ERR_INPUT, "InvalidURI", "the query cannot be read");
        } else if (member) {
            carry(in, member, value);
        } else if (size && !is_of_transport(name)) {
            err_set(err, ERR_INPUT, "NotImplemented", "the lab's S3 does not know `%.80s` in a query of %s", name,
                    op->name);
        }
        free(name);
        free(value);
        p += size;
    }
    return !err->kind;
}

static bool
carry_fields(const struct asked *q, const struct op *op, json_t *in, struct err *err)
{
    for (size_t i = 0; i < q->x->request->n_fields; i++) {
        const struct http_field *f = &q->x->request->fields[i];
        const struct aws_member *member = is_of_transport(f->name) ? NULL : carried_member(op, f->name, AWS_IN_HEADER);
        if (member) {
            carry(in, member, f->value);
        } else if (strncasecmp(f->name, "x-amz-", 6) == 0 && !is_of_transport(f->name)) {
            err_set(err, ERR_INPUT, "NotImplemented", "the lab's S3 does not know `%.80s` of %s", f->name, op->name);
        }
    }
    return !err->kind;
}

/* The lab's operation; false with the refusal in 'err'. */
static bool
call(const struct asked *q, const char *name, json_t *in, struct op_result *result, struct err *err)
{
    const struct op *op = op_by_name("s3api", name);
    bool done =
        carry_query(q, op, in, err) && carry_fields(q, op, in, err) && op_call(q->cloud, op, in, NULL, result, err);
    json_decref(in);
    return done;
}

static void
show_head(struct http_exchange *x, const json_t *out)
{
    const char *type = json_str(out, "ContentType"), *version = json_str(out, "VersionId");
    http_field_add(x, "ETag", "%s", json_str(out, "ETag") ? json_str(out, "ETag") : "");
    http_field_add(x, "Content-Type", "%s", type ? type : "binary/octet-stream");
    if (version) {
        http_field_add(x, "x-amz-version-id", "%s", version);
    }
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(out, "Metadata"), name, value)
    {
        char *field = xasprintf("x-amz-meta-%s", name);
        http_field_add(x, field, "%s", json_string_value(value));
        free(field);
    }
}

static json_t *
name_of(const struct asked *q)
{
    return json_pack("{s:s, s:s}", "Bucket", q->a->bucket, "Key", q->a->key);
}

static bool
get(const struct asked *q, struct err *err)
{
    bool head = strcmp(q->x->request->method, "HEAD") == 0;
    struct op_result result = { 0 };
    if (!call(q, head ? "HeadObject" : "GetObject", name_of(q), &result, err)) {
        return false;
    }
    show_head(q->x, result.out);
    bool ok = head || s3_contents_read(q->cloud, json_str(result.out, "ETag"), &q->x->answer) ||
              err_set(err, ERR_INPUT, "InternalError", "the lab knows this object but not what is in it");
    q->x->size = json_int(result.out, "ContentLength", 0);
    q->x->no_body = head;
    if (!ok) {
        buf_clear(&q->x->fields);
    }
    op_result_done(&result);
    return ok;
}

static bool
put(const struct asked *q, struct err *err)
{
    json_t *in = name_of(q), *metadata = json_object();
    const char *type = http_field(q->x->request, "Content-Type");
    char *body = base64_text(q->x->body, q->x->body_size);
    json_object_set_new(in, "Body", json_string(body));
    free(body);
    if (type) {
        json_object_set_new(in, "ContentType", json_string(type));
    }
    for (size_t i = 0; i < q->x->request->n_fields; i++) {
        const struct http_field *f = &q->x->request->fields[i];
        if (strncasecmp(f->name, "x-amz-meta-", 11) == 0) {
            json_object_set_new(metadata, f->name + 11, json_string(f->value));
        }
    }
    if (json_object_size(metadata)) {
        json_object_set(in, "Metadata", metadata);
    }
    json_decref(metadata);
    struct op_result result = { 0 };
    if (!call(q, "PutObject", in, &result, err)) {
        return false;
    }
    http_field_add(q->x, "ETag", "%s", json_str(result.out, "ETag"));
    op_result_done(&result);
    return true;
}

static bool
delete_object(const struct asked *q, struct err *err)
{
    struct op_result result = { 0 };
    if (!call(q, "DeleteObject", name_of(q), &result, err)) {
        return false;
    }
    q->x->status = 204;
    op_result_done(&result);
    return true;
}

static void
add_element(struct buf *out, const char *name, const json_t *value)
{
    if (json_is_string(value)) {
        buf_printf(out, "<%s>", name);
        add_xml(out, json_string_value(value));
        buf_printf(out, "</%s>", name);
    } else if (json_is_integer(value)) {
        buf_printf(out, "<%s>%lld</%s>", name, (long long)json_integer_value(value), name);
    } else if (json_is_boolean(value)) {
        buf_printf(out, "<%s>%s</%s>", name, json_is_true(value) ? "true" : "false", name);
    }
}

static bool
list(const struct asked *q, struct err *err)
{
    static const char *const told[] = { "KeyCount",
                                        "Prefix",
                                        "Delimiter",
                                        "MaxKeys",
                                        "EncodingType",
                                        "StartAfter",
                                        "IsTruncated",
                                        "ContinuationToken",
                                        "NextContinuationToken" };
    json_t *in = json_pack("{s:s}", "Bucket", q->a->bucket);
    struct op_result result = { 0 };
    if (!call(q, "ListObjectsV2", in, &result, err)) {
        return false;
    }
    struct buf *out = &q->x->answer;
    size_t i;
    const json_t *item;
    http_field_add(q->x, "Content-Type", "application/xml");
    buf_str_add(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult "
                     "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>");
    add_xml(out, q->a->bucket);
    buf_str_add(out, "</Name>");
    for (i = 0; i < ARRAY_SIZE(told); i++) {
        add_element(out, told[i], json_object_get(result.out, told[i]));
    }
    json_array_foreach(json_object_get(result.out, "Contents"), i, item)
    {
        buf_str_add(out, "<Contents><Key>");
        add_xml(out, json_str(item, "Key"));
        buf_printf(out, "</Key><Size>%lld</Size>", json_int(item, "Size", 0));
        add_element(out, "LastModified", json_object_get(item, "LastModified"));
        add_element(out, "ETag", json_object_get(item, "ETag"));
        add_element(out, "StorageClass", json_object_get(item, "StorageClass"));
        const char *owner = json_str(json_object_get(item, "Owner"), "ID");
        buf_printf(out, "%s%s%s</Contents>", owner ? "<Owner><ID>" : "", owner ? owner : "",
                   owner ? "</ID></Owner>" : "");
    }
    json_array_foreach(json_object_get(result.out, "CommonPrefixes"), i, item)
    {
        buf_str_add(out, "<CommonPrefixes>");
        add_element(out, "Prefix", json_object_get(item, "Prefix"));
        buf_str_add(out, "</CommonPrefixes>");
    }
    buf_str_add(out, "</ListBucketResult>");
    op_result_done(&result);
    return true;
}

static bool
answer(const struct asked *q, struct err *err)
{
    const char *method = q->x->request->method;
    bool object = *q->a->key != '\0';
    if (!*q->a->bucket) {
        return err_set(err, ERR_INPUT, "NotImplemented", "the lab's S3 lists no buckets here");
    }
    if (strcmp(method, "GET") == 0 || (object && strcmp(method, "HEAD") == 0)) {
        return object ? get(q, err) : list(q, err);
    }
    if (object && strcmp(method, "PUT") == 0) {
        return put(q, err);
    }
    if (object && strcmp(method, "DELETE") == 0) {
        return delete_object(q, err);
    }
    return err_set(err, ERR_INPUT, "NotImplemented", "the lab's S3 does not know this request");
}

void
live_hook_s3(void *context, const char *endpoint_id, struct http_exchange *x)
{
    struct cloud *cloud = context;
    struct address a = { 0 };
    struct err err = { 0 };
    char peer[IP_STR_SIZE];
    const struct endpoint *endpoint =
        *endpoint_id ? store_get(network_store(cloud->net), &endpoint_kind, endpoint_id) : NULL;
    char *signer = sigv4_signer(cloud, x, &err),
         *policy = endpoint && endpoint->policy ? xstrdup(endpoint->policy) : NULL,
         *vpc = xstrdup(endpoint ? endpoint->vpc_id : "");
    const struct call_origin origin = { .source_ip = ip_format(&x->peer, peer),
                                        .vpc_id = endpoint ? vpc : NULL,
                                        .endpoint_id = endpoint ? endpoint_id : NULL,
                                        .endpoint_policy = policy,
                                        .anonymous = !signer,
                                        .plain = !x->secure };
    http_field_add(x, "Server", "AmazonS3");
    bool ok = err.kind == ERR_NONE &&
              (read_address(x->request, &a) || err_set(&err, ERR_INPUT, "InvalidURI", "the path cannot be read"));
    if (ok && cloud_act_as(cloud, signer, &err)) {
        snprintf(cloud->region, sizeof cloud->region, "%s", cloud->home_region);
        cloud->origin = &origin;
        ok = answer(&(struct asked){ cloud, x, &a }, &err);
        cloud->origin = NULL;
    }
    cloud_act_as(cloud, NULL, NULL);
    if (err.kind) {
        buf_clear(&x->answer);
        refuse(x, &a, &err);
        if (strcmp(x->request->method, "HEAD") == 0) {
            x->no_body = true;
        }
    }
    free(a.bucket);
    free(a.key);
    free(signer);
    free(policy);
    free(vpc);
}
