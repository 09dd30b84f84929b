#include "iampolicy/bucket.h"

#include <string.h>

static const struct field object_fields[] = {
    FIELD(struct s3_object, "LabObjectId", FIELD_ID, obj.id, FIELD_STATE_ONLY),
    FIELD(struct s3_object, "Bucket", FIELD_STRING, bucket, FIELD_STATE_ONLY),
    FIELD(struct s3_object, "Key", FIELD_STRING, key, 0),
    FIELD(struct s3_object, "VersionId", FIELD_STRING, version, 0),
    FIELD(struct s3_object, "ETag", FIELD_STRING, etag, 0),
    FIELD(struct s3_object, "Size", FIELD_LONG, size, 0),
    FIELD(struct s3_object, "StorageClass", FIELD_STRING, storage_class, 0),
    FIELD(struct s3_object, "LastModified", FIELD_TIME, modified, 0),
    FIELD(struct s3_object, "IsLatest", FIELD_BOOL, latest, 0),
    FIELD(struct s3_object, "DeleteMarker", FIELD_BOOL, delete_marker, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct s3_object, "ContentType", FIELD_STRING, content_type, FIELD_STATE_ONLY),
    FIELD(struct s3_object, "ServerSideEncryption", FIELD_STRING, sse, FIELD_STATE_ONLY),
    FIELD(struct s3_object, "SSEKMSKeyId", FIELD_STRING, kms_key, FIELD_STATE_ONLY),
    FIELD(struct s3_object, "BucketKeyEnabled", FIELD_BOOL, bucket_key, FIELD_STATE_ONLY | FIELD_OPTIONAL),
    FIELD(struct s3_object, "Metadata", FIELD_DOCUMENT, metadata, FIELD_STATE_ONLY),
    FIELD_LIST(struct s3_object, "Tags", obj.tags, tag_fields, FIELD_STATE_ONLY),
    FIELD_END,
};
const struct kind s3_object_kind = {
    .name = "object",
    .prefix = "s3object",
    .list = "Objects",
    .id_member = "LabObjectId",
    .not_found = "NoSuchKey",
    .size = sizeof(struct s3_object),
    .fields = object_fields,
};

struct s3_object *
s3_object_find(const struct iam_accounts *accounts, const char *bucket, const char *key, const char *version)
{
    for (struct s3_object *o = store_first(accounts->store, &s3_object_kind); o; o = store_next(accounts->store, o)) {
        bool wanted = version ? strcmp(o->version, version) == 0 : o->latest;
        if (wanted && strcmp(o->key, key) == 0 && strcmp(o->bucket, bucket) == 0) {
            return o;
        }
    }
    return NULL;
}
