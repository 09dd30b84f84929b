/* cloud/permission_keys.c - the condition keys of one permission, from the request and the resource. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/op_types.h"
#include "cloud/ops_s3_objects.h"
#include "cloud/permission.h"
#include "iampolicy/account.h"
#include "iampolicy/request.h"
#include "netsim/model/network.h"
#include "netsim/model/private_service.h"
#include "netsim/model/subnet.h"

void
permission_set(struct permission *permission, const char *key, const char *value)
{
    if (value) {
        json_object_set_new(permission->context, key, json_string(value));
    }
}

/* ---- tags -------------------------------------------------------------------------------------------------------- */

const json_t *
permission_tags(const struct op_call *call, const char *type)
{
    const json_t *specs = json_object_get(call->in, "TagSpecifications");
    for (size_t i = 0; i < json_array_size(specs); i++) {
        const char *of = json_str(json_array_get(specs, i), "ResourceType");
        if (of && strcmp(of, type) == 0) {
            return json_object_get(json_array_get(specs, i), "Tags");
        }
    }
    static const char *const places[] = { "Tags", "Tagging.TagSet", "TagList", "CreateBucketConfiguration.Tags",
                                          "tags" };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const json_t *tags = json_at(call->in, places[i]);
        if (json_is_array(tags)) {
            return tags;
        }
    }
    return NULL;
}

void
permission_request_tags(struct permission *permission, const json_t *tags)
{
    json_t *keys = json_array();
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        const char *key = json_str(tag, "Key"), *value = json_str(tag, "Value");
        key = key ? key : json_str(tag, "TagKey"); /* KMS's spelling */
        value = value ? value : json_str(tag, "TagValue");
        key = key ? key : json_str(tag, "key"); /* RAM's */
        value = value ? value : json_str(tag, "value");
        if (!key) {
            continue;
        }
        char name[160];
        snprintf(name, sizeof name, "aws:RequestTag/%s", key);
        permission_set(permission, name, value);
        json_array_append_new(keys, json_string(key));
    }
    if (json_array_size(keys)) {
        json_object_set(permission->context, "aws:TagKeys", keys);
    }
    json_decref(keys);
}

static void
set_resource_tags(struct permission *permission)
{
    const struct object *object = permission->object;
    const char *colon = strchr(permission->action, ':');
    for (size_t i = 0; object && i < object->tags.n; i++) {
        const struct tag *tag = &object->tags.items[i];
        char name[200];
        snprintf(name, sizeof name, "aws:ResourceTag/%s", tag->key);
        permission_set(permission, name, tag->value);
        bool iam = object->kind == &iam_role_kind || object->kind == &iam_user_kind;
        snprintf(name, sizeof name, "%.*s:ResourceTag/%s", iam ? 3 : (int)(colon - permission->action),
                 iam ? "iam" : permission->action, tag->key);
        permission_set(permission, name, tag->value);
    }
}

/* ---- keys by name ------------------------------------------------------------------------------------------------ */

/* Keys whose value stands in a member of another name. */
static const struct {
    const char *key, *path; /* from the request's root; [] takes the first item */
} places[] = {
    { "iam:PolicyARN", "PolicyArn" },
    { "s3:x-amz-acl", "ACL" },
    { "s3:x-amz-copy-source", "CopySource" },
    { "s3:x-amz-server-side-encryption", "ServerSideEncryption" },
    { "s3:x-amz-server-side-encryption-aws-kms-key-id", "SSEKMSKeyId" },
    { "s3:x-amz-storage-class", "StorageClass" },
    { "s3:x-amz-object-ownership", "ObjectOwnership" },
    { "s3:locationconstraint", "CreateBucketConfiguration.LocationConstraint" },
    { "organizations:PolicyType", "Type" },
    { "acm:CertificateTransparencyLogging", "Options.CertificateTransparencyLoggingPreference" },
    { "ec2:MetadataHttpTokens", "MetadataOptions.HttpTokens" },
    { "ec2:MetadataHttpEndpoint", "MetadataOptions.HttpEndpoint" },
    { "ec2:MetadataHttpPutResponseHopLimit", "MetadataOptions.HttpPutResponseHopLimit" },
    { "ec2:Tenancy", "InstanceTenancy" },
    { "ec2:Tenancy", "Placement.Tenancy" },
    { "ec2:AvailabilityZone", "Placement.AvailabilityZone" },
    { "ec2:PlacementGroup", "Placement.GroupName" },
    { "ec2:KeyPairName", "KeyName" },
    { "ec2:VpceServiceName", "ServiceName" },
    { "ec2:AccepterVpc", "PeerVpcId" },
    { "ec2:RequesterVpc", "VpcId" },
};

static json_t *
as_text(const json_t *value)
{
    char number[32];
    if (json_is_string(value)) {
        return json_incref((json_t *)value);
    }
    if (json_is_boolean(value)) {
        return json_string(json_is_true(value) ? "true" : "false");
    }
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        return json_string(number);
    }
    return NULL;
}

static json_t *
as_values(const json_t *value, bool multivalued)
{
    if (!json_is_array(value)) {
        json_t *text = as_text(value);
        return text && multivalued ? json_pack("[o]", text) : text;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *text = as_text(json_array_get(value, i));
        if (text) {
            json_array_append_new(list, text);
        }
    }
    if (!multivalued && json_array_size(list) == 1) {
        json_t *only = json_incref(json_array_get(list, 0));
        json_decref(list);
        return only;
    }
    return list;
}

/* The member whose name is the key's without its service: "s3:max-keys" and MaxKeys. */
static const json_t *
member_like(const json_t *object, const char *name)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (same_spelling(key, name) && !json_is_object(value)) {
            return value;
        }
    }
    return NULL;
}

struct telling { /* what can tell a key's value */
    const struct op_call *call;
    json_t *resource, *place; /* described: the resource, the subnet or VPC that a new one is to be in; NULL */
};

static const char *
id_known(const struct telling *t, const char *member)
{
    const char *id = json_str(t->resource, member);
    id = id ? id : arg_str(t->call->in, member);
    return id ? id : json_str(t->place, member);
}

/* ec2:Vpc and ec2:Subnet are ARNs. */
static json_t *
arn_of(const struct telling *t, const char *member, const char *type)
{
    const char *id = id_known(t, member);
    const struct object *object = id ? store_find(network_store(t->call->cloud->net), id) : NULL;
    char arn[160];
    if (!id) {
        return NULL;
    }
    snprintf(arn, sizeof arn, "arn:aws:ec2:%s:%s:%s/%s", object ? object->region : t->call->cloud->region,
             object ? object->account : t->call->cloud->account, type, id);
    return json_string(arn);
}

static json_t *
instance_profile_arn(const struct telling *t)
{
    const json_t *given = json_object_get(t->call->in, "IamInstanceProfile");
    const char *arn = json_str(given, "Arn"), *name = json_str(given, "Name");
    const struct iam_instance_profile *profile =
        name ? iam_find_instance_profile(t->call->cloud->accounts, t->call->cloud->account, name) : NULL;
    char text[256];
    if (profile || arn) {
        return json_string(profile ? profile->arn : arn);
    }
    snprintf(text, sizeof text, "arn:aws:iam::%s:instance-profile/%s", t->call->cloud->account, name ? name : "");
    return name ? json_string(text) : NULL;
}

/* The boundary that the request sets, else the one that the user or role has. */
static json_t *
boundary_of(const struct telling *t, const struct object *object)
{
    const char *given = arg_str(t->call->in, "PermissionsBoundary");
    const char *has = !object                          ? NULL
                      : object->kind == &iam_user_kind ? ((const struct iam_user *)object)->boundary
                      : object->kind == &iam_role_kind ? ((const struct iam_role *)object)->boundary
                                                       : NULL;
    return given || has ? json_string(given ? given : has) : NULL;
}

/* Of the endpoint service that the request names, or that the endpoint it is about belongs to: "amazon", or the account
 * that offers it.  Source: https://docs.aws.amazon.com/vpc/latest/privatelink/security_iam_service-with-iam.html */
static json_t *
service_owner(const struct telling *t)
{
    const char *given = arg_str(t->call->in, "ServiceName"),
               *name = given ? given : json_str(t->resource, "ServiceName");
    const struct private_service *service = name ? network_private_service(t->call->cloud->net, name) : NULL;
    bool amazons = name && (strncmp(name, "com.amazonaws.", 14) == 0 || strncmp(name, "aws.", 4) == 0) &&
                   strncmp(name, "com.amazonaws.vpce.", 19) != 0;
    return service ? json_string(service->obj.account) : amazons ? json_string("amazon") : NULL;
}

static json_t *
tell(const struct telling *t, const struct permission *permission, const struct iam_condition_key *key)
{
    const char *colon = strchr(key->name, ':'), *name = colon ? colon + 1 : key->name;
    if (strcmp(key->name, "ec2:Region") == 0) {
        return json_string(t->call->cloud->region);
    }
    if (strcmp(key->name, "ec2:Vpc") == 0) {
        return arn_of(t, "VpcId", "vpc");
    }
    if (strcmp(key->name, "ec2:Subnet") == 0) {
        return arn_of(t, "SubnetId", "subnet");
    }
    if (strcmp(key->name, "ec2:InstanceProfile") == 0) {
        return instance_profile_arn(t);
    }
    if (strcmp(key->name, "iam:PermissionsBoundary") == 0) {
        return boundary_of(t, permission->object);
    }
    if (strncmp(key->name, "ram:", 4) == 0) {
        return permission_ram_key(t->call, key->name);
    }
    if (strcmp(key->name, "ec2:VpceServiceOwner") == 0) {
        return service_owner(t);
    }
    if (strcmp(key->name, "kms:CallerAccount") == 0) {
        return json_string(t->call->cloud->account);
    }
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        const json_t *value = strcmp(places[i].key, key->name) == 0 ? json_at(t->call->in, places[i].path) : NULL;
        bool known = t->resource && strcmp(places[i].key, key->name) == 0;
        value = value ? value : known ? json_at(t->resource, places[i].path) : NULL;
        if (value) {
            json_t *text = strcmp(places[i].key + 4, "AccepterVpc") == 0    ? arn_of(t, "PeerVpcId", "vpc")
                           : strcmp(places[i].key + 4, "RequesterVpc") == 0 ? arn_of(t, "VpcId", "vpc")
                                                                            : as_values(value, key->multivalued);
            return text;
        }
    }
    const json_t *value = member_like(t->call->in, name);
    value = value ? value : t->resource ? member_like(t->resource, name) : member_like(t->place, name);
    return value ? as_values(value, key->multivalued) : NULL;
}

static void
tell_keys(const struct telling *t, struct permission *permission, const struct iam_condition_key *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        json_t *value =
            strchr(keys[i]->name, '$') || strncmp(keys[i]->name, "aws:", 4) == 0 ? NULL : tell(t, permission, keys[i]);
        if (value) {
            json_object_set_new(permission->context, keys[i]->name, value);
        }
    }
}

/* Untagging names keys alone: Tags of delete-tags may have values, TagKeys never. */
static void
set_removed_tags(const struct op_call *call, struct permission *permission)
{
    const json_t *given = json_object_get(call->in, "TagKeys"),
                 *keys = given ? given : json_object_get(call->in, "tagKeys");
    if (json_array_size(keys)) {
        json_object_set(permission->context, "aws:TagKeys", (json_t *)keys);
    }
}

/* Tags that a request gives to an S3 object have keys of their own.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html */
static void
set_object_tags(const struct op_call *call, struct permission *permission)
{
    const char *query = arg_str(call->in, "Tagging");
    json_t *tags = query ? s3_tags_of_query(query) : json_incref(json_at(call->in, "Tagging.TagSet"));
    json_t *names = json_array();
    bool object = strncmp(permission->action, "s3:", 3) == 0 && strstr(permission->action, "Object");
    for (size_t i = 0; object && i < json_array_size(tags); i++) {
        const char *name = json_str(json_array_get(tags, i), "Key");
        char key[200];
        snprintf(key, sizeof key, "s3:RequestObjectTag/%s", name);
        permission_set(permission, key, json_str(json_array_get(tags, i), "Value"));
        json_array_append_new(names, json_string(name));
    }
    if (json_array_size(names)) {
        json_object_set(permission->context, "s3:RequestObjectTagKeys", names);
    }
    json_decref(names);
    json_decref(tags);
}

void
permission_keys(const struct op_call *call, struct permission *permission)
{
    const struct store *store = network_store(call->cloud->net);
    const struct subnet *subnet = permission_subnet(call);
    const char *place = subnet ? subnet->obj.id : arg_str(call->in, "VpcId");
    const struct object *host = place ? store_find(store, place) : NULL;
    bool network = permission->object && network_kind_of_id(permission->object->id) == permission->object->kind;
    struct telling t = { .call = call,
                         .resource = network ? object_describe(store, permission->object) : NULL,
                         .place = host ? object_describe(store, host) : NULL };
    if (permission->info) {
        tell_keys(&t, permission, permission->info->keys, permission->info->n_keys);
    }
    if (permission->type) {
        tell_keys(&t, permission, permission->type->keys, permission->type->n_keys);
        /* In EC2 the tags of a new subnet are not asked for on the VPC it is in. */
        bool existing =
            permission->object && strcmp(call->op->service, "ec2") == 0 && !strstr(permission->action, "Tags");
        permission_request_tags(permission, existing ? NULL : permission_tags(call, permission->type->type->name));
    } else {
        permission_request_tags(permission, permission_tags(call, ""));
    }
    set_removed_tags(call, permission);
    set_object_tags(call, permission);
    if (strcmp(call->op->service, "sts") == 0 && json_object_get(call->in, "SerialNumber") &&
        json_object_get(call->in, "TokenCode")) {
        permission_set(permission, "aws:MultiFactorAuthPresent", "true");
        permission_set(permission, "aws:MultiFactorAuthAge", "0");
    }
    set_resource_tags(permission);
    json_decref(t.resource);
    json_decref(t.place);
}

void
permission_tell_request(const struct permission *permission, struct iam_request *request)
{
    const char *key;
    json_t *value;
    json_object_foreach(permission->context, key, value)
    {
        size_t n = json_is_array(value) ? json_array_size(value) : 1;
        struct iam_text *values = xcalloc(n ? n : 1, sizeof *values);
        for (size_t i = 0; i < n; i++) {
            const char *text = json_string_value(json_is_array(value) ? json_array_get(value, i) : value);
            values[i] = (struct iam_text){ text, (uint32_t)strlen(text) };
        }
        iam_request_set_context(request, (struct iam_text){ key, (uint32_t)strlen(key) }, values, (uint32_t)n,
                                json_is_array(value));
        free(values);
    }
}
