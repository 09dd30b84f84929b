/* `aws ec2 describe-tags`: tags of whatever they name, one by one.  What a describe call shows of an object counts
 * more. Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html */
#include <string.h>

#include "base/map.h"
#include "netsim/interop/aws_parts.h"
#include "netsim/interop/aws_spelling.h"
#include "netsim/model/instance.h"
#include "netsim/model/network.h"

struct told {
    json_t *by_id, *used; /* id -> list of {Key, Value}; id -> true */
};

static bool
is_tag(const json_t *item)
{
    return json_str(item, "ResourceId") && json_str(item, "Key") && json_str(item, "Value");
}

static void
gather(json_t *file, struct told *told)
{
    const json_t *list = json_object_get(file, "Tags");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *id = json_str(item, "ResourceId");
        if (!is_tag(item)) {
            continue;
        }
        if (!json_object_get(told->by_id, id)) {
            json_object_set_new(told->by_id, id, json_array());
        }
        json_array_append_new(
            json_object_get(told->by_id, id),
            json_pack("{s:O, s:O}", "Key", json_object_get(item, "Key"), "Value", json_object_get(item, "Value")));
    }
}

/* "Tags", of interfaces "TagSet"; NULL: the kind has none. */
static const char *
tag_member(const struct kind *kind)
{
    for (const struct field *f = kind->fields; f->name; f++) {
        if (f->fields == tag_fields) {
            return f->name;
        }
    }
    return NULL;
}

static bool
has_key(const json_t *tags, const json_t *key)
{
    for (size_t i = 0; i < json_array_size(tags); i++) {
        if (json_equal(json_object_get(json_array_get(tags, i), "Key"), key)) {
            return true;
        }
    }
    return false;
}

static void
apply(const struct kind *kind, json_t *object, struct told *told)
{
    const char *id = kind_id(kind, json_str(object, kind->id_member)), *member = tag_member(kind);
    const json_t *more = id && member ? json_object_get(told->by_id, id) : NULL;
    json_t *tags = more ? json_object_get(object, member) : NULL;
    if (!more) {
        return;
    }
    if (!json_is_array(tags)) {
        json_object_set_new(object, member, json_array());
        tags = json_object_get(object, member);
    }
    for (size_t i = 0; i < json_array_size(more); i++) {
        json_t *tag = json_array_get(more, i);
        if (!has_key(tags, json_object_get(tag, "Key"))) {
            json_array_append(tags, tag);
        }
    }
    json_object_set_new(told->used, id, json_true());
}

static void
apply_list(const struct kind *kind, json_t *list, struct told *told)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *object = json_array_get(list, i), *instances = json_object_get(object, "Instances");
        if (kind == &instance_kind && instances) {
            apply_list(kind, instances, told);
        } else {
            apply(kind, object, told);
        }
    }
}

static void
apply_file(json_t *file, struct told *told)
{
    const char *name;
    json_t *list;
    json_object_foreach(file, name, list)
    {
        const struct aws_part *part = aws_part_of(name);
        for (const struct kind *const *kind = network_kinds; *kind; kind++) {
            bool own = strcmp((*kind)->list, name) == 0 || (part && part->whole && part->kind == *kind) ||
                       (*kind == &instance_kind && strcmp(name, "Reservations") == 0);
            if (own && json_is_array(list)) {
                apply_list(*kind, list, told);
            }
        }
    }
}

/* What nobody took stays, so that the report names it. */
static void
drop_used(json_t *file, const struct told *told)
{
    json_t *list = json_object_get(file, "Tags");
    bool any = json_array_size(list) > 0;
    for (size_t i = json_array_size(list); i-- > 0;) {
        const json_t *item = json_array_get(list, i);
        if (is_tag(item) && json_object_get(told->used, json_str(item, "ResourceId"))) {
            json_array_remove(list, i);
        }
    }
    if (any && json_array_size(list) == 0) {
        json_object_del(file, "Tags");
    }
}

void
aws_spell_tags(json_t *const *files, size_t n)
{
    struct told told = { json_object(), json_object() };
    for (size_t i = 0; i < n; i++) {
        gather(files[i], &told);
    }
    for (size_t i = 0; i < n && json_object_size(told.by_id) > 0; i++) {
        apply_file(files[i], &told);
    }
    for (size_t i = 0; i < n; i++) {
        drop_used(files[i], &told);
    }
    json_decref(told.by_id);
    json_decref(told.used);
}
