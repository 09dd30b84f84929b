/* cloud/permission.h - which permissions an operation needs: actions, the resources they are about, and the condition
 * keys that the request fills in.
 *
 * What a resource is called and which keys an action knows is read from iampolicy/catalog.  A parameter stands for a
 * resource when its value is an ARN of the right form, when it is an id of the right kind, or when it has the name of
 * the variable in the ARN's form ("SubnetId" in subnet/${SubnetId}); the row's 'resources' come first.  A resource that
 * the request is about to create has a star for its id, as in AWS's own messages.
 *
 * Used by: authorize.c, ops_sts.c, resource_word.c. */
#pragma once
#include "base/vec.h"
#include "cloud/op.h"
#include "iampolicy/catalog/catalog.h"

struct iam_accounts;
struct kind;
struct permission {
    char *action;                           /* "ec2:CreateSubnet" */
    char *resource;                         /* an ARN, or "*" */
    const struct iam_action_info *info;     /* NULL: the catalogue does not know the action */
    const struct iam_action_resource *type; /* NULL: the action takes no resource */
    const struct object *object;            /* the resource, where the lab has it; borrowed */
    json_t *context;                        /* {"aws:RequestTag/team": "red", "aws:TagKeys": ["team"]}, owned */
};
typedef VEC(struct permission) permissions;

/* All that 'call' asks for, in the order AWS names them.  The catalogue is borrowed and must outlive the list. */
void permissions_of(const struct op_call *call, struct iam_catalog *catalog, permissions *list);
void permissions_done(permissions *list);

/* One more by hand, its context still empty; returned to be filled. */
struct permission *permission_add(permissions *list, struct iam_catalog *catalog, const char *action,
                                  const char *resource);
/* The action that stands for an operation in policies: "s3:ListBucket" of ListObjectsV2.  The caller frees it. */
char *permission_action(const struct op *op, struct iam_catalog *catalog);

/* The form of a type with its variables filled in: where it is from 'object' if there is one (else here), the rest is
 * 'rest'.  The caller frees it. */
char *permission_arn(const struct cloud *cloud, const struct iam_resource_type *type, const struct object *object,
                     const char *rest);
/* The user, group, role or instance profile of that name in the account in force, for the type "user"...; its ARN, or
 * NULL if there is none or the type is another's. */
const char *permission_entity_arn(const struct cloud *cloud, const char *type, const char *name,
                                  const struct object **object);
const char *permission_type_of_kind(const struct kind *kind); /* "vpc" of &vpc_kind, as ARNs have it */
/* The permission's context becomes the request's. */
struct iam_request;
void permission_tell_request(const struct permission *permission, struct iam_request *request);

/* ---- between permission.c and permission_keys.c ---- */

/* Fills in the keys that the catalogue lists for the permission and that the request or the resource tells. */
void permission_keys(const struct op_call *call, struct permission *permission);
/* aws:RequestTag/KEY and aws:TagKeys from [{"Key","Value"}]; NULL is fine. */
void permission_request_tags(struct permission *permission, const json_t *tags);
/* The tags that the request gives to what it creates of that type ("subnet"), or to everything it names; NULL: none.
 * Borrowed. */
const json_t *permission_tags(const struct op_call *call, const char *type);
void permission_set(struct permission *permission, const char *key, const char *value); /* NULL: nothing */

/* The subnet that the request names, or that RunInstances takes by itself; NULL: none. */
struct subnet;
const struct subnet *permission_subnet(const struct op_call *call);

/* One action on all the resources that the request names. */
void permission_add_action(const struct op_call *call, struct iam_catalog *catalog, permissions *list,
                           const char *action);
/* permission_besides.c: what AWS asks for beside 'action', tags of EC2 at creation apart. */
void permissions_besides(const struct op_call *call, struct iam_catalog *catalog, permissions *list,
                         const char *action);

/* permission_s3.c.  A request whose Bucket is an access point, by ARN or alias: the same with the bucket's own name
 * (owned), so that resources can be found; NULL: it is not.  Then the resources become the access point's. */
json_t *permission_s3_in(const struct op_call *call);
void permission_s3_point(const struct op_call *call, permissions *list);
/* kms:GenerateDataKey or kms:Decrypt on the KMS key that encrypts an object put, got or copied. */
void permission_s3_keys(const struct op_call *call, struct iam_catalog *catalog, permissions *list);

/* permission_elb.c: all resources of an operation on load balancers; false: it is none, or names nothing. */
bool permission_elb(const struct op_call *call, permissions *list, struct iam_catalog *catalog, const char *action);

/* permission_ram.c: the value of a key of RAM, a text or a list, owned; NULL: the request does not tell it.  The resource
 * share of that ARN; NULL: none. */
json_t *permission_ram_key(const struct op_call *call, const char *key);
const struct object *permission_ram_object(const struct op_call *call, const char *arn);

/* permission_iam.c: the resource of an IAM operation that names it in a way of its own: the ARN of a report's subject,
 * the service of a service-linked role, the address of a provider.  False: the operation does not; true, and maybe
 * nothing added, when the type is not the one it names. */
bool permission_iam_arn(const struct op_call *call, const char *type, permissions *list, struct iam_catalog *catalog,
                        const char *action);
/* The OpenID Connect or SAML provider of that ARN, NULL if there is none. */
const struct object *permission_provider(const struct iam_accounts *accounts, const char *arn);

/* Calls 'each' with every string of the request below 'value' and the member it stands in; list items have their
 * list's name.  'skip': members not looked into, NULL-terminated; may be NULL. */
typedef void permission_string_fn(void *context, const char *member, const char *text);
void permission_walk(const json_t *value, const char *member, const char *const *skip, permission_string_fn *each,
                     void *context);
