#include "cloud/resource_word.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/arn.h"
#include "cloud/permission.h"
#include "iampolicy/account.h"
#include "iampolicy/kms_key.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/network.h"

/* "vpc/${VpcId}" of "arn:${Partition}:ec2:${Region}:${Account}:vpc/${VpcId}". */
static const char *
resource_part(const char *form)
{
    int colons = 0;
    for (; *form && colons < 5; form++) {
        colons += *form == ':';
    }
    return form;
}

static bool
has_one_variable(const char *form)
{
    const char *first = strstr(resource_part(form), "${");
    return first && !strstr(first + 2, "${");
}

/* ---- each way to understand a word; an ARN, or NULL ---- */

static char *
of_entity(const struct cloud *cloud, const struct iam_action_info *info, const char *word)
{
    const struct object *object;
    for (size_t i = 0; i < info->n_resources; i++) {
        const char *arn = permission_entity_arn(cloud, info->resources[i].type->name, word, &object);
        if (arn) {
            return xstrdup(arn);
        }
    }
    return NULL;
}

/* By id, or by Name tag among the kinds of resources that the action is about. */
static char *
of_network(const struct cloud *cloud, const struct iam_action_info *info, const char *word)
{
    for (size_t i = 0; i < info->n_resources; i++) {
        const struct iam_resource_type *type = info->resources[i].type;
        for (const struct kind *const *k = network_kinds; *k; k++) {
            char id[ID_SIZE];
            struct err none = { 0 };
            if (strcmp(permission_type_of_kind(*k), type->name) != 0 || !(*k)->prefix[0] ||
                !cloud_resolve(cloud, (*k)->name, word, id, &none) || network_kind_of_id(id) != *k) {
                continue;
            }
            return permission_arn(cloud, type, store_find(network_store(cloud->net), id), id);
        }
    }
    return NULL;
}

static char *
of_balancer(const struct cloud *cloud, const struct iam_action_info *info, const char *word)
{
    const struct store *store = network_store(cloud->net);
    for (size_t i = 0; i < info->n_resources; i++) {
        const char *form = info->resources[i].type->arn;
        for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
            if (strcmp(lb->name, word) == 0 && iam_arn_fits(lb->arn, form)) {
                return xstrdup(lb->arn);
            }
        }
    }
    return NULL;
}

/* `role/app`, `table/orders`: the form without its head. */
static char *
of_part(const struct cloud *cloud, const struct iam_action_info *info, const char *word)
{
    for (size_t i = 0; i < info->n_resources; i++) {
        const struct iam_resource_type *type = info->resources[i].type;
        const char *part = resource_part(type->arn), *variable = strstr(part, "${");
        size_t literal = variable ? (size_t)(variable - part) : strlen(part);
        if (literal == 0 || strncasecmp(part, word, literal) != 0 || !word[literal]) {
            continue;
        }
        char *arn = permission_arn(cloud, type, NULL, word + literal);
        if (strcmp(resource_part(arn) + literal, word + literal) == 0) {
            return arn;
        }
        free(arn);
    }
    return NULL;
}

/* `orders`, when only one type of resource has a name to give. */
static char *
of_name(const struct cloud *cloud, const struct iam_action_info *info, const char *word)
{
    char *found = NULL;
    for (size_t i = 0; i < info->n_resources; i++) {
        const struct iam_resource_type *type = info->resources[i].type;
        if (!has_one_variable(type->arn)) {
            continue;
        }
        char *arn = permission_arn(cloud, type, NULL, word);
        if (found && strcmp(found, arn) != 0) {
            free(found);
            free(arn);
            return NULL;
        }
        free(found);
        found = arn;
    }
    return found;
}

static char *
refuse(const struct iam_action_info *info, const char *action, const char *word, struct err *err)
{
    struct buf types = { 0 };
    bool some_required = false;
    for (size_t i = 0; info && i < info->n_resources; i++) {
        some_required |= info->resources[i].required;
    }
    for (size_t i = 0; info && i < info->n_resources; i++) {
        if (info->resources[i].required || !some_required) {
            buf_printf(&types, "%s%s", types.size ? ", " : "", info->resources[i].type->name);
        }
    }
    err_set(err, ERR_INPUT, "InvalidInput", "`%.100s` does not name a resource of %s", word, action);
    if (types.size) {
        err_hint(err, "it is about %s: write an ARN, or * for any", buf_str(&types));
    } else {
        err_hint(err, "write the resource's ARN, or * for any");
    }
    buf_done(&types);
    return NULL;
}

char *
resource_of_word(const struct cloud *cloud, struct iam_catalog *catalog, const char *action, const char *word,
                 struct err *err)
{
    if (!word || strcmp(word, "*") == 0) {
        return xstrdup("*");
    }
    if (strncmp(word, "arn:", 4) == 0 || strpbrk(word, "*?")) {
        return xstrdup(word);
    }
    if (strncasecmp(action, "s3:", 3) == 0) {
        return xasprintf("arn:aws:s3:::%s", strncmp(word, "s3://", 5) == 0 ? word + 5 : word);
    }
    if (strncasecmp(action, "kms:", 4) == 0) { /* a key id, or the key that an alias stands for */
        const struct kms_key *key =
            kms_key_find(cloud->accounts, cloud->account, cloud->region, word, clock_now_ms(&cloud->clock));
        if (key) {
            return xstrdup(key->arn);
        }
    }
    const struct iam_action_info *info = iam_catalog_action(catalog, action);
    if (info && info->n_resources == 0) {
        return xstrdup(word); /* it is decided on "*", whatever is named */
    }
    static char *(*const ways[])(const struct cloud *, const struct iam_action_info *,
                                 const char *) = { of_entity, of_network, of_balancer, of_part, of_name };
    char *arn = NULL;
    for (size_t i = 0; info && i < ARRAY_SIZE(ways) && !arn; i++) {
        arn = ways[i](cloud, info, word);
    }
    return arn ? arn : refuse(info, action, word, err);
}

/* ---- what the lab knows ---- */

/* Of another owner it is somebody else's thing with the same name. */
static const struct object *
object_of(const struct cloud *cloud, const struct permission *p)
{
    const char *slash = strrchr(p->resource, '/');
    const struct object *object = NULL;
    struct arn arn;
    if (!p->type || !slash || !arn_parse(p->resource, &arn)) {
        return NULL;
    }
    const char *entity = permission_entity_arn(cloud, p->type->type->name, slash + 1, &object);
    if (entity) {
        return strcmp(entity, p->resource) == 0 ? object : NULL;
    }
    const struct store *store = network_store(cloud->net);
    for (const struct load_balancer *lb = store_first(store, &load_balancer_kind); lb; lb = store_next(store, lb)) {
        if (strcmp(lb->arn, p->resource) == 0) {
            return &lb->obj;
        }
    }
    object = store_find(store, slash + 1);
    return object && strcmp(permission_type_of_kind(object->kind), p->type->type->name) == 0 &&
                   (!object->account[0] || arn_part_is(arn.account, object->account))
               ? object
               : NULL;
}

void
resource_tell_request(struct cloud *cloud, struct iam_catalog *catalog, const char *action, const char *arn,
                      struct iam_request *request)
{
    permissions list = { 0 };
    char service[64];
    snprintf(service, sizeof service, "%.*s", (int)strcspn(action, ":"), action);
    const struct op asked = { .service = service, .name = "" };
    struct op_call call = { .cloud = cloud, .op = &asked, .in = json_object() };
    struct permission *p = permission_add(&list, catalog, action, arn);
    p->object = object_of(cloud, p);
    permission_keys(&call, p);
    permission_tell_request(p, request);
    permissions_done(&list);
    json_decref((json_t *)call.in);
}
