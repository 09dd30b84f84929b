/* cloud/permission_s3.c - requests through S3 access points, and the KMS keys of objects.
 *
 * S3 asks KMS in the caller's name (a forward access session), so the caller needs both permissions, and the key's
 * policy may ask for kms:ViaService and the encryption context.  HeadObject needs no key: nothing is decrypted.
 *
 * Sources: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html,
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html,
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_s3.h"
#include "cloud/ops_s3_objects.h"
#include "cloud/permission.h"
#include "iampolicy/access_point.h"
#include "iampolicy/kms_key.h"

#define S3_ARN "arn:aws:s3:::"

/* ---- access points ----------------------------------------------------------------------------------------------- */

json_t *
permission_s3_in(const struct op_call *call)
{
    const struct s3_access_point *point = s3_op_point(call);
    json_t *in = point ? json_copy((json_t *)call->in) : NULL;
    if (in) {
        json_object_set_new(in, "Bucket", json_string(point->bucket));
    }
    return in;
}

void
permission_s3_point(const struct op_call *call, permissions *list)
{
    const struct s3_access_point *point = s3_op_point(call);
    char bucket[100];
    if (!point) {
        return;
    }
    snprintf(bucket, sizeof bucket, S3_ARN "%s", point->bucket);
    size_t n = strlen(bucket);
    for (size_t i = 0; i < list->n; i++) {
        char *resource = list->items[i].resource;
        if (strncmp(resource, bucket, n) == 0 && (!resource[n] || resource[n] == '/')) {
            list->items[i].resource = xasprintf("%s%s%s", point->arn, resource[n] ? "/object" : "", resource + n);
            free(resource);
        }
    }
}

/* ---- KMS --------------------------------------------------------------------------------------------------------- */

static void
add_key(const struct op_call *call, struct iam_catalog *catalog, permissions *list, const char *action,
        const struct kms_key *key, const char *bucket, const char *object)
{
    struct permission *p = permission_add(list, catalog, action, key->arn);
    char via[80], context[1200];
    snprintf(via, sizeof via, "s3.%s.amazonaws.com", call->cloud->region);
    snprintf(context, sizeof context, S3_ARN "%s%s%s", bucket, object ? "/" : "", object ? object : "");
    p->object = &key->obj;
    permission_set(p, "kms:ViaService", via);
    permission_set(p, "kms:CallerAccount", call->cloud->account);
    permission_set(p, "kms:EncryptionContext:aws:s3:arn", context);
    json_object_set_new(p->context, "kms:EncryptionContextKeys", json_pack("[s]", "aws:s3:arn"));
    permission_set(p, "aws:ViaAWSService", "true");
}

static void
add_decrypt(const struct op_call *call, struct iam_catalog *catalog, permissions *list, const struct s3_object *object)
{
    const struct cloud *cloud = call->cloud;
    const struct kms_key *key = object && object->kms_key
                                    ? kms_key_find(cloud->accounts, object->obj.account, cloud->region, object->kms_key,
                                                   clock_now_ms(&cloud->clock))
                                    : NULL;
    if (key) {
        add_key(call, catalog, list, "kms:Decrypt", key, object->bucket, object->bucket_key ? NULL : object->key);
    }
}

void
permission_s3_keys(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    const char *name = call->op->name, *key = arg_str(call->in, "Key");
    bool copies = strcmp(name, "CopyObject") == 0, puts = copies || strcmp(name, "PutObject") == 0;
    if (strcmp(call->op->service, "s3api") != 0 || !key) {
        return;
    }
    const struct iam_bucket *bucket = iam_find_bucket(call->cloud->accounts, arg_str(call->in, "Bucket"));
    if (bucket && strcmp(name, "GetObject") == 0) {
        add_decrypt(call, catalog, list,
                    s3_object_find(call->cloud->accounts, bucket->name, key, arg_str(call->in, "VersionId")));
    }
    if (copies) {
        add_decrypt(call, catalog, list, s3_copied_object(call));
    }
    struct s3_sealing sealing = bucket && puts ? s3_sealing_of(call, bucket) : (struct s3_sealing){ 0 };
    if (sealing.key) {
        add_key(call, catalog, list, "kms:GenerateDataKey", sealing.key, bucket->name, sealing.bucket_key ? NULL : key);
    }
}
