/* cloud/ops_iam.h - what the handlers of IAM, STS and S3 operations share.
 *
 * Users, groups and roles are treated alike where AWS does: a struct iam_entity says where their parts lie.  Handlers
 * check before they change; op_call() puts the lab back when a write fails half way. Used by: cloud/ops_iam_*.c,
 * ops_sts.c, ops_s3.c. */
#pragma once
#include "cloud/op.h"
#include "iampolicy/account.h"
#include "iampolicy/policy.h"

struct iam_entity {
    void *object;     /* struct iam_user, iam_group or iam_role */
    const char *word; /* "user" */
    const char *name;
    iam_inline_policies *inline_policies;
    iam_attached_policies *attached;
    char **boundary;     /* NULL: a group, which has none */
    size_t inline_limit; /* characters of all inline policies */
    size_t attached_limit;
};

/* The user, group or role that UserName, GroupName or RoleName names.  NoSuchEntity. */
bool iam_op_entity(const struct op_call *call, struct iam_entity *entity, struct err *err);

struct iam_user *iam_op_user(const struct op_call *call, struct err *err); /* by UserName; NoSuchEntity */
struct iam_group *iam_op_group(const struct op_call *call, struct err *err);
/* By RoleName; NoSuchEntity, and UnmodifiableEntity when a service-linked role would be changed. */
struct iam_role *iam_op_role(const struct op_call *call, struct err *err);
/* By PolicyArn; NoSuchEntity, InvalidInput if it is no ARN. */
struct iam_managed_policy *iam_op_policy(const struct op_call *call, struct err *err);

/* By OpenIDConnectProviderArn, SAMLProviderArn; NoSuchEntity, InvalidInput if it is no such ARN. */
struct iam_oidc_provider *iam_op_oidc_provider(const struct op_call *call, struct err *err);
struct iam_saml_provider *iam_op_saml_provider(const struct op_call *call, struct err *err);

/* Fails with ValidationError unless 'name' has only the characters IAM allows, at most 'limit'; unless 'path' begins
 * and ends with '/'. */
bool iam_check_name(const char *member, const char *name, size_t limit, struct err *err);
bool iam_check_path(const char *path, struct err *err);
bool iam_check_tags(const json_t *tags, struct err *err);
void iam_set_tags(struct object *object, const json_t *tags);

/* Parses a document that is to be stored and checks that AWS would store it. MalformedPolicyDocument with the place in
 * the text. */
bool iam_check_document(const char *text, enum iam_policy_type type, const char *name, struct err *err);
/* Characters of a document as IAM counts them: white space outside of strings does not count. */
size_t iam_document_length(const char *text);
/* A document as the aws command prints it: an object. */
json_t *iam_document_json(const char *text);

/* "arn:aws:iam::ACCOUNT:user/path/name" */
char *iam_make_arn(const struct op_call *call, const char *type, const char *path, const char *name);
int64_t iam_now(const struct op_call *call);

/* Puts 'list' (taken) into the answer as 'member', a page of it when MaxItems or Marker ask for one. */
bool iam_answer_list(struct op_call *call, const char *member, json_t *list, struct err *err);
/* The object as list-* shows it, and as get-* does (with boundary and, for roles, trust policy and tags). */
json_t *iam_show(const struct op_call *call, const void *object, bool whole);
