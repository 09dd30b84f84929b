/* cloud/permission_ram.c - the condition keys of AWS Resource Access Manager.
 * Source: https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsresourceaccessmanagerram.html */
#include <string.h>
#include "cloud/permission.h"
#include "cloud/sharing.h"
#include "iampolicy/share.h"

/* The share that the request is about, by its own ARN or by an invitation's; NULL: none. */
static const struct ram_share *
share_of(const struct op_call *call)
{
    const struct iam_accounts *accounts = call->cloud->accounts;
    const char *arn = arg_str(call->in, "resourceShareArn"), *by = arg_str(call->in, "resourceShareInvitationArn");
    const struct ram_invitation *invitation = by ? ram_invitation_find(accounts, by) : NULL;
    arn = arn ? arn : invitation ? invitation->share_arn : NULL;
    return arn ? ram_share_find(accounts, arn) : NULL;
}

const struct object *
permission_ram_object(const struct op_call *call, const char *arn)
{
    const struct ram_share *share = ram_share_find(call->cloud->accounts, arn);
    return share ? &share->obj : NULL;
}

/* "ec2:TransitGateway" of each ARN; of a type that is not shared nothing. */
static json_t *
types_of(const json_t *arns)
{
    json_t *types = json_array();
    for (size_t i = 0; i < json_array_size(arns); i++) {
        const struct shareable *row = shareable_of_arn(json_string_value(json_array_get(arns, i)));
        if (row) {
            json_array_append_new(types, json_string(row->type));
        }
    }
    return types;
}

static json_t *
of_request(const json_t *value)
{
    return json_is_boolean(value) ? json_string(json_is_true(value) ? "true" : "false") : json_incref((json_t *)value);
}

json_t *
permission_ram_key(const struct op_call *call, const char *key)
{
    static const struct {
        const char *key, *member;
    } requested[] = { { "ram:RequestedAllowsExternalPrincipals", "allowExternalPrincipals" },
                      { "ram:Principal", "principals" },
                      { "ram:ResourceArn", "resourceArns" } };
    const struct ram_share *share = share_of(call);
    json_t *value = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(requested); i++) {
        const json_t *given = json_object_get(call->in, requested[i].member);
        value = strcmp(requested[i].key, key) == 0 && given ? of_request(given) : value;
    }
    if (strcmp(key, "ram:RequestedResourceType") == 0) {
        value = types_of(json_object_get(call->in, "resourceArns"));
    } else if (share && strcmp(key, "ram:AllowsExternalPrincipals") == 0) {
        value = json_string(share->allow_external ? "true" : "false");
    } else if (share && strcmp(key, "ram:ResourceShareName") == 0) {
        value = json_string(share->name);
    } else if (share && strcmp(key, "ram:ShareOwnerAccountId") == 0) {
        value = json_string(share->obj.account);
    }
    if (json_is_array(value) && json_array_size(value) == 0) {
        json_decref(value);
        return NULL;
    }
    if (json_is_array(value) && json_array_size(value) == 1) {
        json_t *only = json_incref(json_array_get(value, 0));
        json_decref(value);
        return only;
    }
    return value;
}
