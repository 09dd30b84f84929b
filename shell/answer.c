#include "shell/answer.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* vpc-0a1b2c3d and the long form, of any prefix. */
static bool
is_id(const json_t *value)
{
    const char *text = json_string_value(value);
    const char *dash = text ? strrchr(text, '-') : NULL;
    if (!dash || dash == text) {
        return false;
    }
    size_t digits = strspn(dash + 1, "0123456789abcdef");
    return !dash[1 + digits] && (digits == 8 || digits == 17);
}

/* "Vpcs" and "SubnetCidrBlockAssociationSet" name one "Vpc", "SubnetCidrBlockAssociation". */
static void
singular(const char *key, char name[static 80])
{
    size_t size = strlen(key);
    snprintf(name, 80, "%s", key);
    if (size > 4 && size < 80 && strcmp(key + size - 3, "ies") == 0) {
        strcpy(name + size - 3, "y");
    } else if (size > 4 && size < 80 && strcmp(key + size - 3, "Set") == 0) {
        name[size - 3] = '\0';
    } else if (size > 1 && size < 80 && key[size - 1] == 's') {
        name[size - 1 - (size > 4 && strcmp(key + size - 4, "sses") == 0)] = '\0';
    }
}

static const char *
member(const json_t *object, const char *name, const char *suffix)
{
    char key[100];
    snprintf(key, sizeof key, "%s%s", name, suffix);
    return json_str(object, key);
}

static const char *
id_of(const json_t *object, const char *name)
{
    char id_key[100];
    snprintf(id_key, sizeof id_key, "%sId", name);
    if (is_id(json_object_get(object, id_key))) {
        return json_str(object, id_key);
    }
    /* Where the member is not called after its resource. */
    static const struct {
        const char *name, *member;
    } odd[] = { { "Policy", "Arn" }, { "Address", "AllocationId" }, { "SecurityGroup", "GroupId" } };
    const char *text = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(odd) && !text; i++) {
        text = strcmp(name, odd[i].name) == 0 ? json_str(object, odd[i].member) : NULL;
    }
    text = text ? text : member(object, name, "Name");
    if (text) {
        return text;
    }
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        size_t size = strlen(key);
        if (size > 2 && strcmp(key + size - 2, "Id") == 0 && is_id(value)) {
            return json_string_value(value);
        }
    }
    text = json_str(object, "Name");
    text = text ? text : member(object, name, "Id");
    text = text ? text : member(object, name, "Arn"); /* listeners and their rules have nothing shorter */
    return text ? text : json_str(object, "Arn");
}

static void
add_items(const json_t *array, const char *key, answer_ids *ids)
{
    char name[80];
    size_t i;
    json_t *item;
    singular(key, name);
    json_array_foreach(array, i, item)
    {
        const char *id = is_id(item) ? json_string_value(item) : NULL;
        if (json_is_object(item)) {
            /* An instance stands inside its reservation, and nobody asks for reservations. */
            const json_t *inner = strcmp(name, "Reservation") == 0 ? json_object_get(item, "Instances") : NULL;
            if (inner) {
                add_items(inner, "Instances", ids);
                continue;
            }
            id = id_of(item, name);
        }
        if (id) {
            *VEC_ADD(ids) = id;
        }
    }
}

void
answer_find_ids(const json_t *out, answer_ids *ids)
{
    const char *key;
    json_t *value;
    size_t before = ids->n;
    json_object_foreach((json_t *)out, key, value)
    {
        if (json_is_object(value) && ids->n == before) {
            const char *id = id_of(value, key);
            if (id) {
                *VEC_ADD(ids) = id;
            }
        } else if (json_is_array(value) && ids->n == before) {
            add_items(value, key, ids);
        }
    }
    if (ids->n == before && json_is_object(out)) {
        const char *id = id_of(out, "");
        if (id) {
            *VEC_ADD(ids) = id;
        }
    }
}
