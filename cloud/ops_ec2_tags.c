/* cloud/ops_ec2_tags.c - tags: at creation, and create-tags, delete-tags, describe-tags.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html (limits and allowed characters) */
#include <stdlib.h>
#include <string.h>
#include "cloud/ops_ec2.h"
#include "netsim/model/changes.h"
#include "netsim/model/security_group.h"

#define TAGS_MAX      50
#define TAG_KEY_MAX   128
#define TAG_VALUE_MAX 256

static size_t
characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static bool
check_tag(const json_t *tag, struct err *err)
{
    const char *key = json_str(tag, "Key"), *value = json_str(tag, "Value");
    if (!key || !key[0]) {
        return err_set(err, ERR_INPUT, key ? "InvalidParameterValue" : "MissingParameter", "a tag needs a `Key`");
    }
    if (characters(key) > TAG_KEY_MAX) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "tag key `%.40s...` exceeds %d characters", key,
                       TAG_KEY_MAX);
    }
    if (value && characters(value) > TAG_VALUE_MAX) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "the value of tag `%.80s` exceeds %d characters", key,
                       TAG_VALUE_MAX);
    }
    if (strncasecmp(key, "aws:", 4) == 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue",
                       "tag key `%.80s`: keys that begin with `aws:` are AWS's own", key);
    }
    return true;
}

static bool
check_tag_list(const json_t *tags, struct err *err)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        if (!check_tag(tag, err)) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(json_str(tag, "Key"), json_str(json_array_get(tags, k), "Key")) == 0) {
                return err_set(err, ERR_INPUT, "InvalidParameterValue", "tag key `%.80s` is given more than once",
                               json_str(tag, "Key"));
            }
        }
    }
    if (json_array_size(tags) > TAGS_MAX) {
        return err_set(err, ERR_INPUT, "TagLimitExceeded", "%zu tags; a resource has at most %d", json_array_size(tags),
                       TAGS_MAX);
    }
    return true;
}

/* ---- at creation ------------------------------------------------------------------------------------------------- */

static const struct kind *
kind_of_type(const struct kind *const kinds[], const char *type)
{
    for (; type && *kinds; kinds++) {
        if ((*kinds)->type && strcmp((*kinds)->type, type) == 0) {
            return *kinds;
        }
    }
    return NULL;
}

bool
ec2_check_tags(const struct op_call *call, const struct kind *const kinds[], struct err *err)
{
    const json_t *specs = json_object_get(call->in, "TagSpecifications");
    for (size_t i = 0; i < json_array_size(specs); i++) {
        const json_t *spec = json_array_get(specs, i);
        const char *type = json_str(spec, "ResourceType");
        if (!kind_of_type(kinds, type)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is not a valid taggable resource type for %s",
                    type ? type : "", call->op->name);
            err_hint(err, "use ResourceType=%s", kinds[0]->type);
            return err_at(err, "TagSpecifications", 0, 0);
        }
        for (size_t k = 0; k < i; k++) {
            if (strcmp(type, json_str(json_array_get(specs, k), "ResourceType")) == 0) {
                err_set(err, ERR_INPUT, "InvalidParameterValue", "the resource type `%s` is specified more than once",
                        type);
                return err_at(err, "TagSpecifications", 0, 0);
            }
        }
        if (!check_tag_list(json_object_get(spec, "Tags"), err)) {
            return err_at(err, "TagSpecifications", 0, 0);
        }
    }
    return true;
}

void
ec2_tag_new(const struct op_call *call, struct object *object)
{
    const json_t *specs = json_object_get(call->in, "TagSpecifications");
    for (size_t i = 0; i < json_array_size(specs); i++) {
        const json_t *spec = json_array_get(specs, i), *tags = json_object_get(spec, "Tags");
        if (kind_of_type((const struct kind *const[]){ object->kind, NULL }, json_str(spec, "ResourceType"))) {
            for (size_t k = 0; k < json_array_size(tags); k++) {
                const json_t *tag = json_array_get(tags, k);
                object_set_tag(object, json_str(tag, "Key"), json_str(tag, "Value"));
            }
        }
    }
}

/* ---- later ------------------------------------------------------------------------------------------------------- */

/* What can be tagged: an object of any kind, or a rule of a security group, which is part of one. */
struct taggable {
    struct object *object;
    struct sg_rule *rule;
};

static size_t
taggable_count(const struct taggable *t)
{
    return t->object ? t->object->tags.n : t->rule->tags.n;
}

/* object_set_tag() works on the tags of an object; a rule lends its own to one for the moment. */
static void
with_tags(const struct taggable *t, void (*change)(struct object *object, const json_t *tags), const json_t *tags)
{
    if (t->object) {
        change(t->object, tags);
        return;
    }
    struct object stand_in = { 0 };
    memcpy(&stand_in.tags, &t->rule->tags, sizeof stand_in.tags);
    change(&stand_in, tags);
    memcpy(&t->rule->tags, &stand_in.tags, sizeof stand_in.tags);
}

static struct sg_rule *
find_rule(const struct store *store, const char *id)
{
    for (struct security_group *group = store_first(store, &security_group_kind); group;
         group = store_next(store, group)) {
        for (size_t i = 0; i < group->rules.n; i++) {
            if (strcmp(group->rules.items[i].id, id) == 0) {
                return &group->rules.items[i];
            }
        }
    }
    return NULL;
}

static bool
find_taggable(const struct op_call *call, const char *id, struct taggable *out, struct err *err)
{
    const struct store *store = network_store(ec2_net(call));
    *out = (struct taggable){ 0 };
    if (strncmp(id, "sgr-", 4) == 0 && (out->rule = find_rule(store, id))) {
        return true;
    }
    out->object = store_find(store, id);
    if (out->object && out->object->kind->type) {
        return true;
    }
    const struct kind *kind = network_kind_of_id(id);
    if (kind && kind->type) {
        network_require(ec2_net(call), kind, id, err); /* says so in the kind's words */
    } else if (strncmp(id, "sgr-", 4) == 0) {
        err_set(err, ERR_INPUT, "InvalidSecurityGroupRuleId.NotFound", "the security group rule ID `%s` does not exist",
                id);
    } else {
        err_set(err, ERR_INPUT, "InvalidID", "the ID `%.80s` is not valid", id);
        err_hint(err, "tags belong to resources such as `vpc-...`, `subnet-...`, `i-...`");
    }
    return err_at(err, "Resources", 0, 0);
}

static void
set_tags(struct object *object, const json_t *tags)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        object_set_tag(object, json_str(tag, "Key"), json_str(tag, "Value"));
    }
}

/* A key alone removes the tag whatever its value; a key with a value only if they agree; no tags at all: every tag. */
static void
unset_tags(struct object *object, const json_t *tags)
{
    for (size_t i = object->tags.n; json_array_size(tags) == 0 && i-- > 0;) {
        object_unset_tag(object, object->tags.items[i].key);
    }
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        const char *key = json_str(tag, "Key"), *value = json_str(tag, "Value"), *old = object_tag(object, key);
        if (old && (!value || strcmp(old, value) == 0)) {
            object_unset_tag(object, key);
        }
    }
}

static size_t
new_keys(const struct taggable *t, const json_t *tags)
{
    struct object view = { 0 };
    memcpy(&view.tags, t->object ? (void *)&t->object->tags : (void *)&t->rule->tags, sizeof view.tags);
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        n += object_tag(&view, json_str(json_array_get(tags, i), "Key")) == NULL;
    }
    return n;
}

/* Would it set or take a tag that says what a live lab builds? */
static bool
is_for_lab(const struct taggable *t, const json_t *tags)
{
    bool is = false;
    for (size_t i = 0; i < json_array_size(tags); i++) {
        is |= strncmp(json_str(json_array_get(tags, i), "Key"), LAB_TAG_PREFIX, strlen(LAB_TAG_PREFIX)) == 0;
    }
    for (size_t i = 0; json_array_size(tags) == 0 && t->object && i < t->object->tags.n; i++) {
        is |= strncmp(t->object->tags.items[i].key, LAB_TAG_PREFIX, strlen(LAB_TAG_PREFIX)) == 0;
    }
    return is;
}

/* Both operations: look everything up before anything changes. */
static bool
change_tags(struct op_call *call, bool create, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "Resources"), *tags = json_object_get(call->in, "Tags");
    if (!check_tag_list(tags, err)) {
        return err_at(err, "Tags", 0, 0);
    }
    if (json_array_size(ids) == 0 || (create && json_array_size(tags) == 0)) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `%s`",
                       json_array_size(ids) ? "Tags" : "Resources");
    }
    uint64_t before = store_generation(network_store(ec2_net(call)));
    bool for_lab = false;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < json_array_size(ids); i++) {
            const char *id = json_string_value(json_array_get(ids, i));
            struct taggable t;
            if (!find_taggable(call, id, &t, err)) {
                return false;
            }
            if (create && taggable_count(&t) + new_keys(&t, tags) > TAGS_MAX) {
                return err_set(err, ERR_INPUT, "TagLimitExceeded", "`%s` would have more than %d tags", id, TAGS_MAX);
            }
            for_lab |= is_for_lab(&t, tags);
            if (pass == 1) {
                with_tags(&t, create ? set_tags : unset_tags, tags);
            }
        }
    }
    if (for_lab) {
        store_touch(network_store(ec2_net(call)));
    } else {
        network_changed(ec2_net(call), before, CHANGED_TAGS, json_string_value(json_array_get(ids, 0)));
    }
    return true;
}

static bool
create_tags(struct op_call *call, struct err *err)
{
    return change_tags(call, true, err);
}

static bool
delete_tags(struct op_call *call, struct err *err)
{
    return change_tags(call, false, err);
}

/* ---- describe-tags ----------------------------------------------------------------------------------------------- */

static const struct filter_row tag_filters[] = {
    { "key", "Key" }, { "resource-id", "ResourceId" }, { "resource-type", "ResourceType" }, { "value", "Value" },
    { NULL, NULL },
};
/* Not a kind of the store: what filters_check() and filters_match() need to know of one. */
static const struct kind tag_kind = { .name = "tag", .list = "Tags", .filters = tag_filters };

static void
list_tags(json_t *list, const json_t *filters, const char *id, const char *type, const struct tag *tags, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *key = tags[i].key ? tags[i].key : "", *value = tags[i].value ? tags[i].value : "";
        json_t *tag =
            json_pack("{s:s, s:s, s:s, s:s}", "Key", key, "ResourceId", id, "ResourceType", type, "Value", value);
        json_t *probe = json_copy(tag); /* `tag:KEY` looks into Tags */
        json_object_set_new(probe, "Tags", json_pack("[{s:s, s:s}]", "Key", key, "Value", value));
        if (filters_match(&tag_kind, filters, probe)) {
            json_array_append(list, tag);
        }
        json_decref(probe);
        json_decref(tag);
    }
}

static bool
describe_tags(struct op_call *call, struct err *err)
{
    const json_t *filters = json_object_get(call->in, "Filters");
    if (!filters_check(&tag_kind, filters, err)) {
        return err_at(err, "Filters", 0, 0);
    }
    const struct store *store = network_store(ec2_net(call));
    json_t *list = json_array();
    for (const struct kind *const *kind = network_kinds; *kind; kind++) {
        for (const struct object *object = store_first(store, *kind); object; object = store_next(store, object)) {
            if (!(*kind)->type || strcmp(object->region, call->cloud->region) != 0 || !ec2_owns(call, object)) {
                continue;
            }
            list_tags(list, filters, object->id, (*kind)->type, object->tags.items, object->tags.n);
            const struct security_group *group =
                *kind == &security_group_kind ? (const struct security_group *)object : NULL;
            for (size_t i = 0; group && i < group->rules.n; i++) {
                const struct sg_rule *rule = &group->rules.items[i];
                list_tags(list, filters, rule->id, "security-group-rule", rule->tags.items, rule->tags.n);
            }
        }
    }
    return ec2_answer_page(call, "Tags", list, "ResourceId Key", err);
}

const struct op ops_ec2_tags[] = {
    { .service = "ec2",
      .name = "CreateTags",
      .mode = OP_WRITE,
      .run = create_tags,
      .help = "Add tags to resources, or change their values; the Name tag is an alias everywhere." },
    { .service = "ec2",
      .name = "DeleteTags",
      .mode = OP_WRITE,
      .run = delete_tags,
      .help = "Remove tags from resources: by key, by key and value, or all of them." },
    { .service = "ec2",
      .name = "DescribeTags",
      .mode = OP_READ,
      .run = describe_tags,
      .help = "Show tags of all resources." },
    { 0 },
};
