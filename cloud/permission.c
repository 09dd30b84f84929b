#include "cloud/permission.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/arn.h"
#include "cloud/caller.h"
#include "cloud/op_types.h"
#include "cloud/ops_kms.h"
#include "cloud/sharing.h"
#include "iampolicy/account.h"
#include "iampolicy/organization.h"
#include "netsim/model/network.h"
#include "netsim/model/security_group.h"
#include "netsim/model/subnet.h"
#include "netsim/model/vpc.h"

void
permissions_done(permissions *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->items[i].action);
        free(list->items[i].resource);
        json_decref(list->items[i].context);
    }
    VEC_DONE(list);
}

struct permission *
permission_add(permissions *list, struct iam_catalog *catalog, const char *action, const char *resource)
{
    struct permission *p = VEC_ADD(list);
    *p = (struct permission){ .action = xstrdup(action),
                              .resource = xstrdup(resource),
                              .info = iam_catalog_action(catalog, action),
                              .context = json_object() };
    for (size_t i = 0; p->info && i < p->info->n_resources && !p->type; i++) {
        p->type = iam_arn_fits(resource, p->info->resources[i].type->arn) ? &p->info->resources[i] : NULL;
    }
    return p;
}

void
permission_walk(const json_t *value, const char *member, const char *const *skip, permission_string_fn *each,
                void *context)
{
    const char *key;
    json_t *item;
    if (json_is_string(value)) {
        each(context, member, json_string_value(value));
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        permission_walk(json_array_get(value, i), member, skip, each, context);
    }
    if (!json_is_object(value)) {
        return;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        bool skipped = false;
        for (const char *const *s = skip; s && *s; s++) {
            skipped |= strcmp(*s, key) == 0;
        }
        if (!skipped) {
            permission_walk(item, key, skip, each, context);
        }
    }
}

/* ---- actions ----------------------------------------------------------------------------------------------------- */

/* Operations that policies know by another name.
 * Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html */
static const struct {
    const char *service, *name, *action;
} renamed[] = {
    { "s3api", "ListBuckets", "s3:ListAllMyBuckets" },
    { "s3api", "HeadBucket", "s3:ListBucket" },
    { "s3api", "ListObjects", "s3:ListBucket" },
    { "s3api", "ListObjectsV2", "s3:ListBucket" },
    { "s3api", "ListObjectVersions", "s3:ListBucketVersions" },
    { "s3api", "HeadObject", "s3:GetObject" },
    { "s3api", "CopyObject", "s3:PutObject" },
    { "s3api", "DeleteObjects", "s3:DeleteObject" },
    { "s3api", "PutPublicAccessBlock", "s3:PutBucketPublicAccessBlock" },
    { "s3api", "GetPublicAccessBlock", "s3:GetBucketPublicAccessBlock" },
    { "s3api", "DeletePublicAccessBlock", "s3:PutBucketPublicAccessBlock" },
    { "s3control", "PutPublicAccessBlock", "s3:PutAccountPublicAccessBlock" },
    { "s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock" },
    { "s3control", "DeletePublicAccessBlock", "s3:PutAccountPublicAccessBlock" },
    { "s3api", "DeleteBucketTagging", "s3:PutBucketTagging" },
    { "s3api", "DeleteBucketOwnershipControls", "s3:PutBucketOwnershipControls" },
    { "s3api", "GetBucketEncryption", "s3:GetEncryptionConfiguration" },
    { "s3api", "PutBucketEncryption", "s3:PutEncryptionConfiguration" },
    { "s3api", "DeleteBucketEncryption", "s3:PutEncryptionConfiguration" },
};

char *
permission_action(const struct op *op, struct iam_catalog *catalog)
{
    if (op->iam_action) {
        return xstrdup(op->iam_action);
    }
    for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
        if (strcmp(renamed[i].service, op->service) == 0 && strcmp(renamed[i].name, op->name) == 0) {
            return xstrdup(renamed[i].action);
        }
    }
    const struct aws_service *service = aws_service_find(op->service);
    char *action = xasprintf("%s:%s", service ? aws_text(service->signing) : op->service, op->name);
    const struct iam_action_info *info = iam_catalog_action(catalog, action);
    if (info) {
        memcpy(strchr(action, ':') + 1, info->name, strlen(info->name)); /* "AssumeRoleWithSAML": AWS's capitals */
    }
    return action;
}

/* With a version id the same request is another action. */
static char *
action_of_call(const struct op_call *call, struct iam_catalog *catalog)
{
    char *action = permission_action(call->op, catalog);
    bool version = json_object_get(call->in, "VersionId") && strcmp(call->op->service, "s3api") == 0;
    if (version) {
        const char *tagging = strstr(action, "ObjectTagging");
        size_t head = tagging ? (size_t)(tagging - action) + 6 : strlen(action);
        char *versioned = xasprintf("%.*sVersion%s", (int)head, action, action + head);
        if (iam_catalog_action(catalog, versioned)) {
            free(action);
            return versioned;
        }
        free(versioned);
    }
    return action;
}

/* ---- resources --------------------------------------------------------------------------------------------------- */

struct finding {
    const struct op_call *call;
    struct iam_catalog *catalog;
    permissions *list;
    const char *action;
    const struct iam_action_resource *type; /* now looked for */
    bool create_tags;                       /* the action is ec2:CreateTags on what another creates */
};

static struct permission *
add(struct finding *f, char *resource, const struct object *object)
{
    for (size_t i = 0; i < f->list->n; i++) {
        struct permission *p = &f->list->items[i];
        if (strcmp(p->action, f->action) == 0 && strcmp(p->resource, resource) == 0) {
            free(resource);
            return p;
        }
    }
    struct permission *p = permission_add(f->list, f->catalog, f->action, resource);
    p->type = f->type;
    p->object = object;
    free(resource);
    return p;
}

char *
permission_arn(const struct cloud *cloud, const struct iam_resource_type *type, const struct object *object,
               const char *rest)
{
    if (object && sharing_is_side(object, cloud->account)) {
        object = NULL; /* it is each side's own */
    }
    struct buf out = { 0 };
    bool given = false; /* 'rest' stands for all variables of the resource part */
    for (const char *s = type->arn; *s;) {
        if (strncmp(s, "${", 2) != 0) {
            if (!given || *s == ':') {
                buf_char(&out, *s);
            }
            s++;
            continue;
        }
        const char *end = strchr(s, '}');
        if (strncmp(s, "${Partition}", 12) == 0) {
            buf_str_add(&out, "aws");
        } else if (strncmp(s, "${Region}", 9) == 0) {
            buf_str_add(&out, object && object->region[0] ? object->region : cloud->region);
        } else if (strncmp(s, "${Account}", 10) == 0) {
            buf_str_add(&out, object && object->account[0] ? object->account : cloud->account);
        } else {
            buf_str_add(&out, given ? "" : rest);
            given = true;
        }
        s = end + 1;
    }
    return buf_steal(&out);
}

const char *
permission_type_of_kind(const struct kind *kind)
{
    return !kind ? "" : kind->type ? kind->type : kind->name;
}

static void
add_id(struct finding *f, const char *id)
{
    const struct object *object = store_find(network_store(f->call->cloud->net), id);
    const struct kind *kind = object ? object->kind : network_kind_of_id(id);
    if (strcmp(permission_type_of_kind(kind), f->type->type->name) == 0) {
        add(f, permission_arn(f->call->cloud, f->type->type, object, id), object);
    }
}

static void
on_id(void *context, const char *member, const char *text)
{
    struct finding *f = context;
    if (op_member_kind(f->call->op, member)) {
        add_id(f, text);
    }
}

/* Ids of other things that the request merely mentions. */
static const char *const mentions[] = {
    "Filters", "TagSpecifications", "IpPermissions", "SecurityGroupRules", "Tags", "CopySource", NULL
};

static void
on_arn(void *context, const char *member, const char *text)
{
    struct finding *f = context;
    (void)member;
    if (strncmp(text, "arn:", 4) == 0 && iam_arn_fits(text, f->type->type->arn)) {
        const struct object *object = NULL;
        const struct store *store = f->call->cloud->accounts->store;
        for (const struct iam_role *r = store_first(store, &iam_role_kind); r; r = store_next(store, r)) {
            object = strcmp(r->arn, text) == 0 ? &r->obj : object;
        }
        const struct iam_managed_policy *policy = iam_find_policy(f->call->cloud->accounts, text);
        object = object ? object : permission_provider(f->call->cloud->accounts, text);
        object = object ? object : permission_ram_object(f->call, text);
        add(f, xstrdup(text), policy ? &policy->obj : object);
    }
}

/* "vpc/${VpcId}" of the row, for the type now looked for. */
static void
add_from_row(struct finding *f)
{
    size_t size = strlen(f->type->type->name);
    const char *next = f->create_tags ? NULL : f->call->op->resources;
    for (; next && *next; next += strspn(next, " ")) {
        const char *word = next, *slash = strchr(word, '/');
        next += strcspn(next, " ");
        if (!slash || (size_t)(slash - word) != size || memcmp(word, f->type->type->name, size) != 0) {
            continue;
        }
        if (slash[1] == '*') {
            add(f, permission_arn(f->call->cloud, f->type->type, NULL, "*"), NULL);
            continue;
        }
        char member[64];
        snprintf(member, sizeof member, "%.*s", (int)strcspn(slash + 3, "} "), slash + 3);
        const json_t *value = json_object_get(f->call->in, member);
        if (json_is_string(value)) {
            add_id(f, json_string_value(value));
        }
        for (size_t i = 0; i < json_array_size(value); i++) {
            add_id(f, json_string_value(json_array_get(value, i)));
        }
    }
}

/* IAM's own: by name, with the path that the entity has or is to have. */
static const struct named_type {
    const char *type, *name, *path;
    const struct kind *kind;
} named_types[] = {
    { "user", "UserName", "Path", &iam_user_kind },
    { "group", "GroupName", "Path", &iam_group_kind },
    { "role", "RoleName", "Path", &iam_role_kind },
    { "instance-profile", "InstanceProfileName", "Path", &iam_instance_profile_kind },
    { "policy", "PolicyName", "Path", &iam_managed_policy_kind },
};

static const char *
named_arn(const struct cloud *cloud, const struct kind *kind, const char *name, const struct object **object)
{
    const struct iam_accounts *accounts = cloud->accounts;
    const struct iam_user *user = kind == &iam_user_kind ? iam_find_user(accounts, cloud->account, name) : NULL;
    const struct iam_group *group = kind == &iam_group_kind ? iam_find_group(accounts, cloud->account, name) : NULL;
    const struct iam_role *role = kind == &iam_role_kind ? iam_find_role(accounts, cloud->account, name) : NULL;
    const struct iam_instance_profile *profile =
        kind == &iam_instance_profile_kind ? iam_find_instance_profile(accounts, cloud->account, name) : NULL;
    *object = user ? &user->obj : group ? &group->obj : role ? &role->obj : profile ? &profile->obj : NULL;
    return user ? user->arn : group ? group->arn : role ? role->arn : profile ? profile->arn : NULL;
}

const char *
permission_entity_arn(const struct cloud *cloud, const char *type, const char *name, const struct object **object)
{
    for (size_t i = 0; i < ARRAY_SIZE(named_types); i++) {
        if (strcmp(named_types[i].type, type) == 0) {
            return named_arn(cloud, named_types[i].kind, name, object);
        }
    }
    return NULL;
}

/* Who asks for nobody in particular asks for himself: get-user, create-access-key. */
static const char *
own_name(const struct finding *f, const struct named_type *row)
{
    const struct caller *caller = f->call->cloud->caller;
    const char *key = arg_str(f->call->in, "AccessKeyId");
    const struct iam_access_key *found =
        key ? store_get(f->call->cloud->accounts->store, &iam_access_key_kind, key) : NULL;
    if (row->kind != &iam_user_kind || !f->type->required) {
        return NULL;
    }
    return found && found->user ? found->user : caller && caller->kind == CALLER_USER ? caller->name : NULL;
}

static bool
add_named(struct finding *f)
{
    for (size_t i = 0; i < ARRAY_SIZE(named_types); i++) {
        const struct named_type *row = &named_types[i];
        if (strcmp(row->type, f->type->type->name) != 0) {
            continue;
        }
        const char *name = arg_str(f->call->in, row->name), *path = arg_str(f->call->in, row->path);
        name = name ? name : own_name(f, row);
        const struct object *object = NULL;
        const char *arn = name ? named_arn(f->call->cloud, row->kind, name, &object) : NULL;
        if (arn) {
            add(f, xstrdup(arn), object);
        } else if (name) {
            char *rest = xasprintf("%s%s", path && path[0] == '/' ? path + 1 : "", name);
            add(f, permission_arn(f->call->cloud, f->type->type, NULL, rest), NULL);
            free(rest);
        }
        return name != NULL;
    }
    return false;
}

/* Variables of ARNs that requests know by another name. */
static const struct {
    const char *variable, *member;
} aliases[] = {
    { "BucketName", "Bucket" },      { "ObjectName", "Key" },        { "KeyPairName", "KeyName" },
    { "FederatedUserName", "Name" }, { "NaclId", "NetworkAclId" },   { "VpcFlowLogId", "FlowLogIds" },
    { "Alias", "AliasName" },        { "KeyId", "TargetKeyId" },     { "AccessPointName", "Name" },
    { "LoadBalancerName", "Name" },  { "TargetGroupName", "Name" },  { "LogGroupName", "logGroupName" },
    { "Id", "HostedZoneId" },        { "SamlProviderName", "Name" },
};

struct variable {
    char name[80];
    VEC(const char *) values; /* borrowed from the request */
};

static void
on_variable(void *context, const char *member, const char *text)
{
    struct variable *v = context;
    char plural[84];
    snprintf(plural, sizeof plural, "%ss", v->name);
    bool fits = same_spelling(member, v->name) || same_spelling(member, plural);
    for (size_t i = 0; i < ARRAY_SIZE(aliases) && !fits; i++) {
        fits = strcmp(aliases[i].variable, v->name) == 0 && strcmp(aliases[i].member, member) == 0;
    }
    if (fits && strncmp(text, "arn:", 4) != 0) {
        *VEC_ADD(&v->values) = text;
    }
}

static bool
is_place(const char *name)
{
    return strcmp(name, "Partition") == 0 || strcmp(name, "Region") == 0 || strcmp(name, "Account") == 0;
}

/* A value may carry the word that the form has before its variable: alias/x, policy/p-x. */
static const char *
without_word(const struct buf *out, const char *value)
{
    for (const char *slash = strchr(value, '/'); slash; slash = strchr(slash + 1, '/')) {
        size_t n = (size_t)(slash + 1 - value);
        if (n <= out->size && memcmp(out->data + out->size - n, value, n) == 0) {
            return value + n;
        }
    }
    for (const char *dash = strchr(value, '-'); dash; dash = NULL) {
        size_t n = (size_t)(dash + 1 - value);
        if (n <= 3 && n <= out->size && memcmp(out->data + out->size - n, value, n) == 0) {
            return value + n; /* "p-", "ou-", "r-" of organizations */
        }
    }
    return value;
}

/* Fills the form from the request's members of the variables' names; one resource for each value.  'all': what nothing
 * tells is "*"; without it such a type is not meant. */
static void
expand(struct finding *f, const char *rest, struct buf *out, bool all)
{
    const char *dollar = strstr(rest, "${");
    if (!dollar) {
        buf_str_add(out, rest);
        add(f, xstrdup(buf_str(out)), NULL);
        return;
    }
    struct variable v = { 0 };
    const struct cloud *cloud = f->call->cloud;
    const char *after = strchr(dollar, '}') + 1;
    size_t name_size = (size_t)(after - dollar) - 3;
    snprintf(v.name, sizeof v.name, "%.*s", (int)name_size, dollar + 2);
    buf_add(out, rest, (size_t)(dollar - rest));
    if (is_place(v.name)) {
        *VEC_ADD(&v.values) = v.name[0] == 'P' ? "aws" : v.name[0] == 'R' ? cloud->region : cloud->account;
    } else if (strcmp(v.name, "OrganizationId") == 0) {
        const struct org_organization *o = org_of_account(cloud->accounts, cloud->account);
        *VEC_ADD(&v.values) = o ? o->obj.id + strlen("o-") : "*";
    } else {
        static const char *const inside[] = { "ChangeBatch", NULL }; /* names zones of what its aliases mean */
        permission_walk(f->call->in, "", inside, on_variable, &v);
    }
    if (!v.values.n && all) {
        *VEC_ADD(&v.values) = "*";
    }
    for (size_t i = 0; i < v.values.n; i++) {
        struct buf one = { 0 };
        buf_add(&one, out->data, out->size);
        buf_str_add(&one, without_word(&one, v.values.items[i]));
        expand(f, after, &one, all);
        buf_done(&one);
    }
    VEC_DONE(&v.values);
}

/* Of organizations: roots, units, accounts and policies have ARNs of their own, requests have their ids. */
static void
on_organization_id(void *context, const char *member, const char *text)
{
    struct finding *f = context;
    const struct iam_accounts *accounts = f->call->cloud->accounts;
    const struct org_entity *entity = org_entity_find(accounts, text);
    const struct org_policy *policy = org_policy_find(accounts, text);
    const char *arn = entity ? entity->arn : policy ? policy->arn : NULL;
    (void)member;
    if (arn && iam_arn_fits(arn, f->type->type->arn)) {
        add(f, xstrdup(arn), entity ? &entity->obj : &policy->obj);
    }
}

/* ---- what only the lab's network tells --------------------------------------------------------------------------- */

struct holder {
    struct finding *finding;
    const char *id; /* "rtbassoc-0a.." */
};

static bool holds(const json_t *value, const char *id);

/* The structure that has the association's id also has those of the things it associates. */
static bool
holds_object(const json_t *value, const char *id)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        if (holds(item, id)) {
            return true;
        }
    }
    return false;
}

static bool
holds(const json_t *value, const char *id)
{
    if (json_is_string(value)) {
        return strcmp(json_string_value(value), id) == 0;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (holds(json_array_get(value, i), id)) {
            return true;
        }
    }
    return json_is_object(value) && holds_object(value, id);
}

static void
on_sibling(void *context, const char *member, const char *text)
{
    (void)member;
    add_id(context, text);
}

/* The innermost structures that hold the id. */
static void
add_siblings(struct finding *f, const json_t *value, const char *id)
{
    const char *key;
    json_t *item;
    for (size_t i = 0; i < json_array_size(value); i++) {
        add_siblings(f, json_array_get(value, i), id);
    }
    if (!json_is_object(value)) {
        return;
    }
    json_object_foreach((json_t *)value, key, item)
    {
        if (json_is_string(item) && strcmp(json_string_value(item), id) == 0) {
            const char *other;
            json_t *sibling;
            json_object_foreach((json_t *)value, other, sibling)
            {
                if (json_is_string(sibling)) {
                    on_sibling(f, other, json_string_value(sibling));
                }
            }
        } else {
            add_siblings(f, item, id);
        }
    }
}

static void
on_association(void *context, const char *member, const char *text)
{
    struct finding *f = context;
    const struct store *store = network_store(f->call->cloud->net);
    if (!strstr(member, "AssociationId") && !strstr(member, "AttachmentId")) {
        return;
    }
    for (size_t k = 0; network_kinds[k]; k++) {
        for (struct object *o = store_first(store, network_kinds[k]); o; o = store_next(store, o)) {
            json_t *described = object_describe(store, o);
            if (holds(described, text)) {
                add_id(f, o->id);
                add_siblings(f, described, text);
            }
            json_decref(described);
        }
    }
}

const struct subnet *
permission_subnet(const struct op_call *call)
{
    const struct store *store = network_store(call->cloud->net);
    const char *id = arg_str(call->in, "SubnetId");
    id = id ? id : json_str(json_array_get(json_object_get(call->in, "NetworkInterfaces"), 0), "SubnetId");
    if (id || strcmp(call->op->name, "RunInstances") != 0) {
        return id ? store_get(store, &subnet_kind, id) : NULL;
    }
    const struct vpc *vpc = network_default_vpc(call->cloud->net);
    for (const struct subnet *s = store_first(store, &subnet_kind); vpc && s; s = store_next(store, s)) {
        if (s->default_for_az && strcmp(s->vpc_id, vpc->obj.id) == 0) {
            return s;
        }
    }
    return NULL;
}

/* What AWS takes when RunInstances leaves it open: the first default subnet, the VPC's default group. */
static bool
add_default(struct finding *f)
{
    const struct store *store = network_store(f->call->cloud->net);
    const struct subnet *subnet = permission_subnet(f->call);
    const char *type = f->type->type->name;
    if (!subnet || strcmp(f->call->op->name, "RunInstances") != 0) {
        return false;
    }
    if (strcmp(type, "subnet") == 0) {
        add_id(f, subnet->obj.id);
        return true;
    }
    for (const struct security_group *g = store_first(store, &security_group_kind); g; g = store_next(store, g)) {
        if (strcmp(type, "security-group") == 0 && strcmp(g->vpc_id, subnet->vpc_id) == 0 &&
            strcmp(g->name, "default") == 0) {
            add_id(f, g->obj.id);
            return true;
        }
    }
    return false;
}

/* KMS keys go by id, ARN and alias; policies know them by ARN alone. */
static void
add_keys(struct finding *f)
{
    const struct kms_key *keys[4];
    size_t n = kms_op_keys(f->call, keys);
    for (size_t i = 0; i < n; i++) {
        add(f, xstrdup(keys[i]->arn), &keys[i]->obj);
    }
}

/* ---- all of one action ------------------------------------------------------------------------------------------- */

static void
add_type(struct finding *f)
{
    size_t before = f->list->n;
    const struct op *op = f->call->op;
    bool ec2 = strcmp(op->service, "ec2") == 0;
    if (strcmp(op->service, "kms") == 0 && strcmp(f->type->type->name, "key") == 0) {
        add_keys(f); /* one that is not there is for the handler to miss */
        return;
    }
    if (strcmp(op->service, "iam") == 0 &&
        permission_iam_arn(f->call, f->type->type->name, f->list, f->catalog, f->action)) {
        return;
    }
    add_from_row(f);
    if (f->list->n > before) {
        return;
    }
    if (ec2) {
        permission_walk(f->call->in, "", mentions, on_id, f);
    }
    permission_walk(f->call->in, "", mentions, on_arn, f);
    if (strcmp(op->service, "organizations") == 0) {
        permission_walk(f->call->in, "", NULL, on_organization_id, f);
    }
    if (f->list->n > before || add_named(f)) {
        return;
    }
    if (ec2) {
        permission_walk(f->call->in, "", mentions, on_association, f);
    }
    struct buf out = { 0 };
    if (f->list->n == before && !(ec2 && add_default(f))) {
        expand(f, f->type->type->arn, &out, false);
    }
    buf_clear(&out);
    if (f->list->n == before && f->type->required) {
        expand(f, f->type->type->arn, &out, true);
    }
    buf_done(&out);
}

void
permission_add_action(const struct op_call *call, struct iam_catalog *catalog, permissions *list, const char *action)
{
    const struct iam_action_info *info = iam_catalog_action(catalog, action);
    struct finding f = { .call = call, .catalog = catalog, .list = list, .action = action };
    size_t before = list->n;
    bool balancers = permission_elb(call, list, catalog, action);
    for (size_t i = 0; !balancers && info && i < info->n_resources; i++) {
        f.type = &info->resources[i];
        add_type(&f);
    }
    if (list->n == before) {
        permission_add(list, catalog, action, "*");
    }
    for (size_t i = before; i < list->n; i++) {
        permission_keys(call, &list->items[i]);
    }
}

/* Tags at creation are ec2:CreateTags on what is created. */
static void
add_create_tags(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    const json_t *specs = json_object_get(call->in, "TagSpecifications");
    const struct iam_action_info *info = iam_catalog_action(catalog, "ec2:CreateTags");
    struct finding f = {
        .call = call, .catalog = catalog, .list = list, .action = "ec2:CreateTags", .create_tags = true
    };
    for (size_t i = 0; i < json_array_size(specs); i++) {
        const json_t *spec = json_array_get(specs, i);
        const char *type = json_str(spec, "ResourceType");
        for (size_t k = 0; type && info && k < info->n_resources; k++) {
            if (strcmp(info->resources[k].type->name, type) == 0) {
                f.type = &info->resources[k];
                struct permission *p = add(&f, permission_arn(f.call->cloud, f.type->type, NULL, "*"), NULL);
                permission_set(p, "ec2:CreateAction", call->op->name);
                permission_set(p, "ec2:Region", call->cloud->region);
                permission_request_tags(p, json_object_get(spec, "Tags"));
            }
        }
    }
}

/* CloudWatch Logs names a group in requests as if it were asked for a stream without a name, which is why policies end
 * in `:*`; so its refusals read. Source:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html (ARN formats).  The
 * operations on tags have the group's own ARN. */
static void
name_log_groups(const struct op_call *call, permissions *list)
{
    bool plain = strcmp(call->op->service, "logs") != 0 || json_object_get(call->in, "resourceArn");
    for (size_t i = 0; i < list->n && !plain; i++) {
        struct permission *p = &list->items[i];
        if (strstr(p->resource, ":log-group:") && !strstr(p->resource, ":log-stream:")) {
            char *whole = xasprintf("%s:log-stream:", p->resource);
            free(p->resource);
            p->resource = whole;
        }
    }
}

void
permissions_of(const struct op_call *call, struct iam_catalog *catalog, permissions *list)
{
    struct op_call through = *call;
    json_t *in = permission_s3_in(call);
    through.in = in ? in : call->in;
    char *action = action_of_call(&through, catalog);
    permission_add_action(&through, catalog, list, action);
    permission_s3_point(call, list);
    name_log_groups(call, list);
    if (strcmp(call->op->service, "ec2") == 0) {
        add_create_tags(call, catalog, list);
    }
    permissions_besides(&through, catalog, list, action);
    json_decref(in);
    free(action);
}
