/* cloud/ops_elbv2_trust.c - trust stores: whose client certificates listeners of HTTPS take.
 *
 * A bundle is an object of one of the lab's buckets, read with the rights of whoever makes the store.
 * Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTrustStore.html and neighbours
 */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_elbv2.h"
#include "cloud/s3_contents.h"
#include "iampolicy/bucket.h"
#include "netsim/live/authority.h"
#include "netsim/model/trust_store.h"

/* By ARN or name. */
static struct trust_store *
find_store(const struct op_call *call, const char *text, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    struct trust_store *found = network_trust_store(ec2_net(call), text);
    for (struct trust_store *s = found ? NULL : store_first(store, &trust_store_kind); s && !found;
         s = store_next(store, s)) {
        found = text && s->name && strcmp(s->name, text) == 0 && ec2_shows(call, &s->obj) &&
                        strcmp(s->obj.region, call->cloud->region) == 0
                    ? s
                    : NULL;
    }
    if (!found) {
        err_set(err, ERR_INPUT, "TrustStoreNotFound", "the trust store `%.120s` does not exist", text ? text : "");
    }
    return found;
}

static struct trust_store *
require_store(const struct op_call *call, struct err *err)
{
    return find_store(call, arg_str(call->in, "TrustStoreArn"), err);
}

/* The bundle that the request names; the number of its certificates, 0 on failure. */
static int
read_bundle(const struct op_call *call, struct buf *pem, struct err *err)
{
    const char *bucket = arg_str(call->in, "CaCertificatesBundleS3Bucket"),
               *key = arg_str(call->in, "CaCertificatesBundleS3Key"),
               *version = arg_str(call->in, "CaCertificatesBundleS3ObjectVersion");
    const struct s3_object *object = s3_object_find(call->cloud->accounts, bucket, key, version);
    if (!object || object->delete_marker) {
        err_set(err, ERR_INPUT, "CaCertificatesBundleNotFound", "there is no object `%.120s` in a bucket `%.63s`", key,
                bucket);
        err_hint(err, "`s3api put-object --bucket %.63s --key %.60s --body FILE` puts it there", bucket, key);
        return 0;
    }
    if (!s3_contents_read(call->cloud, object->etag, pem)) {
        err_set(err, ERR_INPUT, "InvalidCaCertificatesBundle", "the contents of `%.120s` are not kept in this lab",
                key);
        return 0;
    }
    return strlen(buf_str(pem)) == pem->size
               ? certificate_bundle_size(buf_str(pem), err)
               : (err_set(err, ERR_INPUT, "InvalidCaCertificatesBundle", "`%.120s` is no text", key), 0);
}

static bool
create_trust_store(struct op_call *call, struct err *err)
{
    struct buf pem = { 0 };
    int n = read_bundle(call, &pem, err);
    struct trust_store *store =
        n ? trust_store_create(ec2_net(call), arg_str(call->in, "Name"), buf_str(&pem), n, err) : NULL;
    buf_done(&pem);
    if (store) {
        elbv2_tag_new(call, &store->obj);
        elbv2_answer_one(call, "TrustStores", object_describe(network_store(ec2_net(call)), store));
    }
    return store != NULL;
}

static bool
modify_trust_store(struct op_call *call, struct err *err)
{
    struct trust_store *store = require_store(call, err);
    struct buf pem = { 0 };
    int n = store ? read_bundle(call, &pem, err) : 0;
    if (n) {
        trust_store_set_bundle(ec2_net(call), store, buf_str(&pem), n);
        elbv2_answer_one(call, "TrustStores", object_describe(network_store(ec2_net(call)), store));
    }
    buf_done(&pem);
    return n > 0;
}

static bool
describe_trust_stores(struct op_call *call, struct err *err)
{
    const struct store *all = network_store(ec2_net(call));
    const json_t *arns = json_object_get(call->in, "TrustStoreArns"), *names = json_object_get(call->in, "Names");
    const json_t *asked = json_array_size(arns) ? arns : names;
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(asked); i++) {
        const struct trust_store *store = find_store(call, json_string_value(json_array_get(asked, i)), err);
        if (!store) {
            json_decref(list);
            return false;
        }
        json_array_append_new(list, object_describe(all, store));
    }
    for (const struct trust_store *s = json_array_size(asked) ? NULL : store_first(all, &trust_store_kind); s;
         s = store_next(all, s)) {
        if (strcmp(s->obj.region, call->cloud->region) == 0 && ec2_shows(call, &s->obj)) {
            json_array_append_new(list, object_describe(all, s));
        }
    }
    return elbv2_answer_page(call, "TrustStores", list, err);
}

static bool
describe_associations(struct op_call *call, struct err *err)
{
    const struct trust_store *store = require_store(call, err);
    if (!store) {
        return false;
    }
    json_t *users = trust_store_users(ec2_net(call), store), *list = json_array();
    for (size_t i = 0; i < json_array_size(users); i++) {
        json_array_append_new(list, json_pack("{s:O}", "ResourceArn", json_array_get(users, i)));
    }
    json_decref(users);
    return elbv2_answer_page(call, "TrustStoreAssociations", list, err);
}

static bool
delete_trust_store(struct op_call *call, struct err *err)
{
    struct trust_store *store = require_store(call, err);
    return store && trust_store_delete(ec2_net(call), store, err);
}

const struct op ops_elbv2_trust[] = {
    ELBV2_ROW("CreateTrustStore", OP_WRITE, create_trust_store,
              "Make a trust store of a bundle of authorities' certificates in an S3 bucket."),
    ELBV2_ROW("DescribeTrustStores", OP_READ, describe_trust_stores, "Show trust stores."),
    ELBV2_ROW("ModifyTrustStore", OP_WRITE, modify_trust_store, "Give a trust store another bundle."),
    ELBV2_ROW("DescribeTrustStoreAssociations", OP_READ, describe_associations,
              "Show which listeners use a trust store."),
    ELBV2_ROW("DeleteTrustStore", OP_WRITE, delete_trust_store, "Delete a trust store that no listener uses."),
    { 0 },
};
