#include "base/field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/field_internal.h"

/* The way from the document's root to the value being read; it only becomes text when something is wrong. */
struct path {
    const struct path *up;
    const char *name; /* NULL: an index */
    int name_length;
    size_t index;
};
struct loader {
    const char *where;
    size_t *skipped;
    struct err *err;
};

static void
path_text(const struct path *path, struct buf *out)
{
    if (!path) {
        return;
    }
    path_text(path->up, out);
    if (path->name) {
        if (out->size > 0) {
            buf_char(out, '.');
        }
        buf_add(out, path->name, (size_t)path->name_length);
    } else {
        buf_printf(out, "[%zu]", path->index);
    }
}

static bool
fail_at(const struct loader *loader, const struct path *path)
{
    struct buf where = { 0 };
    path_text(path, &where);
    /* "Vpcs.json Vpcs[0].CidrBlock": a file's name is a word of its own; what is already a path goes on with a dot. */
    const char *above = loader->where ? loader->where : "";
    const char *joint = above[0] && where.size > 0 && buf_str(&where)[0] != '[' ? "." : "";
    char text[sizeof loader->err->where];
    snprintf(text, sizeof text, "%s%s%s", above, joint, buf_str(&where));
    buf_done(&where);
    return err_at(loader->err, text, 0, 0);
}

static const char *
type_name(const json_t *value)
{
    static const char *const names[] = { "an object", "a list", "a string", "a whole number",
                                         "a number",  "true",   "false",    "null" };
    return names[json_typeof(value)];
}

static bool
fail_type(const struct loader *loader, const struct path *path, const json_t *value, const char *expected)
{
    err_set(loader->err, ERR_DOCUMENT, "", "expected %s, found %s", expected, type_name(value));
    return fail_at(loader, path);
}

static bool
fail_value(const struct loader *loader, const struct path *path, const char *text, const char *expected)
{
    err_set(loader->err, ERR_DOCUMENT, "", "`%.100s` is not %s", text, expected);
    return fail_at(loader, path);
}

static bool load_level(const struct field *fields, size_t prefix, const struct field *group, void *object,
                       const json_t *json, const struct path *path, const struct loader *loader);

/* ---- one value --------------------------------------------------------------------------------------------------- */

static bool
load_integer(const struct field *field, const json_t *value, long long min, long long max, long long *number,
             const struct path *path, const struct loader *loader)
{
    if (json_is_integer(value)) {
        *number = json_integer_value(value);
    } else if ((field->flags & FIELD_TEXT) && json_is_string(value)) {
        const char *text = json_string_value(value);
        char *end;
        *number = strtoll(text, &end, 10);
        int protocol;
        if (end == text || *end) {
            if (!protocol_parse(text, &protocol)) {
                return fail_value(loader, path, text, "a number or a protocol");
            }
            *number = protocol;
        }
    } else {
        return fail_type(loader, path, value, "a whole number");
    }
    if (*number < min || *number > max) {
        char text[32];
        snprintf(text, sizeof text, "%lld", *number);
        return fail_value(loader, path, text, "in the range of this member");
    }
    return true;
}

/* Whole seconds or a fraction since 1970, as some services print times. */
static bool
load_time(int64_t *time, const json_t *value, const struct path *path, const struct loader *loader)
{
    if (json_is_number(value)) {
        double seconds = json_number_value(value);
        if (!(seconds > -1e12 && seconds < 1e12)) {
            return fail_type(loader, path, value, "a time");
        }
        *time = (int64_t)(seconds * 1000.0 + (seconds < 0 ? -0.5 : 0.5));
        return true;
    }
    if (!json_is_string(value)) {
        return fail_type(loader, path, value, "a time");
    }
    const char *text = json_string_value(value);
    if (text[0] && !clock_parse(text, time)) {
        return fail_value(loader, path, text, "a time such as `2026-01-02T03:04:05Z`");
    }
    return true;
}

static bool
load_enum(const struct field *field, int *choice, const json_t *value, const struct path *path,
          const struct loader *loader)
{
    if (!json_is_string(value)) {
        return fail_type(loader, path, value, "a string");
    }
    const char *text = json_string_value(value);
    for (int i = 0; field->names[i]; i++) {
        if (strcmp(field->names[i], text) == 0) {
            *choice = i;
            return true;
        }
    }
    fail_value(loader, path, text, "one of the values this member has");
    struct buf names = { 0 };
    for (int i = 0; field->names[i]; i++) {
        if (field->names[i][0]) {
            buf_printf(&names, "%s`%s`", names.size ? ", " : "", field->names[i]);
        }
    }
    err_hint(loader->err, "use %s", buf_str(&names));
    buf_done(&names);
    return false;
}

/* Types whose value is one JSON string. */
static bool
load_text(const struct field *field, void *member, const char *text, const struct path *path,
          const struct loader *loader)
{
    switch (field->type) {
    case FIELD_STRING:
        free(*(char **)member);
        *(char **)member = xstrdup(text);
        return true;
    case FIELD_ID:
        if (strlen(text) >= ID_SIZE) {
            return fail_value(loader, path, text, "an id (it is too long)");
        }
        strcpy(member, text);
        return true;
    case FIELD_IP:
        return !text[0] || ip_parse(text, member) || fail_value(loader, path, text, "an IP address");
    case FIELD_CIDR:
        return !text[0] || cidr_parse_loose(text, member) ||
               fail_value(loader, path, text, "a CIDR block such as `10.0.0.0/16`");
    default:
        return false;
    }
}

static bool
load_strings(string_vec *strings, const json_t *value, const struct path *path, const struct loader *loader)
{
    if (!json_is_array(value)) {
        return fail_type(loader, path, value, "a list");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item)) {
            return fail_type(loader, &(struct path){ path, NULL, 0, i }, item, "a string");
        }
        *VEC_ADD(strings) = xstrdup(json_string_value(item));
    }
    return true;
}

static bool
load_list(const struct field *field, struct vec_any *list, const json_t *value, const struct path *path,
          const struct loader *loader)
{
    if (!json_is_array(value)) {
        return fail_type(loader, path, value, "a list");
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        struct path here = { path, NULL, 0, i };
        if (!json_is_object(item)) {
            return fail_type(loader, &here, item, "an object");
        }
        if (!load_level(field->fields, 0, NULL, vec_add(list, field->item_size), item, &here, loader)) {
            return false;
        }
    }
    return true;
}

static bool
load_object(const struct field *field, void *object, const json_t *value, const struct path *path,
            const struct loader *loader)
{
    if (!json_is_object(value)) {
        return fail_type(loader, path, value, "an object");
    }
    if (field->present) {
        *(bool *)((char *)object + field->present - 1) = true;
    }
    return load_level(field->fields, 0, NULL, member_of(object, field), value, path, loader);
}

static bool
load_value(const struct field *field, void *object, const json_t *value, const struct path *path,
           const struct loader *loader)
{
    void *member = member_of(object, field);
    long long number;
    if (json_is_null(value)) {
        return true; /* absent, as the SDKs read it */
    }
    switch (field->type) {
    case FIELD_NONE:
        return true;
    case FIELD_BOOL:
        if (!json_is_boolean(value)) {
            return fail_type(loader, path, value, "true or false");
        }
        *(bool *)member = json_is_true(value);
        return true;
    case FIELD_INT:
        if (!load_integer(field, value, INT32_MIN, INT32_MAX, &number, path, loader)) {
            return false;
        }
        *(int32_t *)member = (int32_t)number;
        return true;
    case FIELD_LONG:
        if (!load_integer(field, value, INT64_MIN, INT64_MAX, &number, path, loader)) {
            return false;
        }
        *(int64_t *)member = number;
        return true;
    case FIELD_TIME:
        return load_time(member, value, path, loader);
    case FIELD_ENUM:
        return load_enum(field, member, value, path, loader);
    case FIELD_STRINGS:
        return load_strings(member, value, path, loader);
    case FIELD_OBJECT:
        return load_object(field, object, value, path, loader);
    case FIELD_LIST_OF:
        return load_list(field, member, value, path, loader);
    case FIELD_DOCUMENT:
        json_decref(*(json_t **)member);
        *(json_t **)member = json_deep_copy(value);
        return true;
    case FIELD_STRING:
    case FIELD_ID:
    case FIELD_IP:
    case FIELD_CIDR:
        break;
    }
    return json_is_string(value) ? load_text(field, member, json_string_value(value), path, loader)
                                 : fail_type(loader, path, value, "a string");
}

/* ---- dotted names ------------------------------------------------------------------------------------------------ */

/* Is 'field' the first row of the group that begins with its first 'length' characters? */
static bool
leads_group(const struct field *fields, const struct field *field, size_t length)
{
    for (const struct field *earlier = fields; earlier != field; earlier++) {
        if (earlier->name[0] == field->name[0] && strncmp(earlier->name, field->name, length) == 0) {
            return false;
        }
    }
    return true;
}

/* Reads the rows of one level of names: each row looks its member up once, so the cost is the table's, whatever the
 * JSON holds. */
static bool
load_level(const struct field *fields, size_t prefix, const struct field *group, void *object, const json_t *json,
           const struct path *path, const struct loader *loader)
{
    size_t known = 0;
    for (const struct field *field = fields; field->name; field++) {
        if (!in_group(field, group, prefix)) {
            continue;
        }
        const char *name = field->name + prefix;
        size_t length = strcspn(name, ".");
        bool nested = name[length] == '.';
        if (nested && !leads_group(fields, field, prefix + length + 1)) {
            continue;
        }
        json_t *value = json_object_getn(json, name, length);
        if (!value) {
            continue;
        }
        known++;
        struct path here = { path, name, (int)length, 0 };
        if (!nested) {
            if (!load_value(field, object, value, &here, loader)) {
                return false;
            }
        } else if (json_is_object(value)) {
            if (!load_level(fields, prefix + length + 1, field, object, value, &here, loader)) {
                return false;
            }
        } else if (!json_is_null(value)) {
            return fail_type(loader, &here, value, "an object");
        }
    }
    if (loader->skipped && json_object_size(json) > known) {
        *loader->skipped += json_object_size(json) - known;
    }
    return true;
}

bool
fields_load(const struct field *fields, void *object, const json_t *json, const char *where, size_t *skipped,
            struct err *err)
{
    struct loader loader = { where, skipped, err };
    if (!json_is_object(json)) {
        return fail_type(&loader, NULL, json, "an object");
    }
    return load_level(fields, 0, NULL, object, json, NULL, &loader);
}

/* ---- members no row names ---------------------------------------------------------------------------------------- */

struct unknown_search {
    fields_unknown_fn *each;
    void *context;
    struct buf path; /* of the value looked at: "Attachment.Items[]" */
};

static void unknown_level(const struct field *fields, size_t prefix, const struct field *group, const json_t *json,
                          struct unknown_search *search);

static void
unknown_below(const struct field *field, const json_t *value, struct unknown_search *search)
{
    if (field->type == FIELD_OBJECT && json_is_object(value)) {
        unknown_level(field->fields, 0, NULL, value, search);
    } else if (field->type == FIELD_LIST_OF) {
        buf_str_add(&search->path, "[]");
        for (size_t i = 0; i < json_array_size(value); i++) {
            unknown_level(field->fields, 0, NULL, json_array_get(value, i), search);
        }
    }
}

/* 'search->path' says where 'json' is. */
static void
unknown_level(const struct field *fields, size_t prefix, const struct field *group, const json_t *json,
              struct unknown_search *search)
{
    const char *key;
    json_t *value;
    size_t above = search->path.size;
    json_object_foreach((json_t *)json, key, value)
    {
        size_t length = strlen(key);
        const struct field *found = NULL;
        bool nested = false;
        for (const struct field *field = fields; field->name && !found; field++) {
            if (in_group(field, group, prefix) && field->name[prefix] == key[0] &&
                strncmp(field->name + prefix, key, length) == 0 &&
                (field->name[prefix + length] == '\0' || field->name[prefix + length] == '.')) {
                found = field;
                nested = field->name[prefix + length] == '.';
            }
        }
        bool below = found && (nested || found->type == FIELD_OBJECT || found->type == FIELD_LIST_OF);
        if (found && !below) {
            continue; /* most members: no path to write out */
        }
        if (above) {
            buf_char(&search->path, '.');
        }
        buf_str_add(&search->path, key);
        if (!found) {
            search->each(search->context, buf_str(&search->path), value);
        } else if (nested) {
            unknown_level(fields, prefix + length + 1, found, value, search);
        } else {
            unknown_below(found, value, search);
        }
        buf_cut(&search->path, above);
    }
}

void
fields_unknown(const struct field *fields, const json_t *json, fields_unknown_fn *each, void *context)
{
    struct unknown_search search = { each, context, { 0 } };
    unknown_level(fields, 0, NULL, json, &search);
    buf_done(&search.path);
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

const char *
field_enum_text(const struct field *field, int choice)
{
    for (int i = 0; field->names[i]; i++) {
        if (i == choice) {
            return field->names[i];
        }
    }
    return "";
}

static bool fields_any(const struct field *fields, const void *object);

/* Does the struct hold something here, other than nothing, false and 0? */
static bool
field_any(const struct field *field, const void *object)
{
    const void *member = member_of(object, field);
    switch (field->type) {
    case FIELD_NONE:
        return false;
    case FIELD_STRING:
        return *(char *const *)member != NULL;
    case FIELD_ID:
        return *(const char *)member != '\0';
    case FIELD_BOOL:
        return *(const bool *)member;
    case FIELD_INT:
        return *(const int32_t *)member != 0;
    case FIELD_LONG:
    case FIELD_TIME:
        return *(const int64_t *)member != 0;
    case FIELD_IP:
        return ((const struct ip *)member)->family != IP_NONE;
    case FIELD_CIDR:
        return ((const struct cidr *)member)->ip.family != IP_NONE;
    case FIELD_ENUM:
        return *(const int *)member != 0;
    case FIELD_OBJECT:
        return field->present ? *(const bool *)((const char *)object + field->present - 1)
                              : fields_any(field->fields, member);
    case FIELD_STRINGS:
    case FIELD_LIST_OF:
        return ((const struct vec_any *)member)->n > 0;
    case FIELD_DOCUMENT:
        return *(json_t *const *)member != NULL;
    }
    return false;
}

static bool
fields_any(const struct field *fields, const void *object)
{
    for (const struct field *field = fields; field->name; field++) {
        if (!(field->flags & FIELD_INPUT_ONLY) && field_any(field, object)) {
            return true;
        }
    }
    return false;
}

static json_t *
print_integer(const struct field *field, int64_t number)
{
    return field->flags & FIELD_TEXT ? json_sprintf("%lld", (long long)number) : json_integer(number);
}

static json_t *
print_list(const struct field *field, const struct vec_any *list, bool state)
{
    json_t *array = json_array();
    for (size_t i = 0; i < list->n; i++) {
        json_t *item = json_object();
        fields_print(field->fields, (const char *)list->items + i * field->item_size, state, item);
        json_array_append_new(array, item);
    }
    return array;
}

static json_t *
print_strings(const string_vec *strings)
{
    json_t *array = json_array();
    for (size_t i = 0; i < strings->n; i++) {
        json_array_append_new(array, json_string(strings->items[i] ? strings->items[i] : ""));
    }
    return array;
}

/* The value of a member that is to be printed; NULL when there is nothing to show for it. */
static json_t *
print_value(const struct field *field, const void *object, bool state)
{
    const void *member = member_of(object, field);
    char text[CIDR_STR_SIZE];
    switch (field->type) {
    case FIELD_NONE:
        return NULL;
    case FIELD_STRING:
        return json_string(*(char *const *)member ? *(char *const *)member : "");
    case FIELD_ID:
        return json_string(member);
    case FIELD_BOOL:
        return json_boolean(*(const bool *)member);
    case FIELD_INT:
        return print_integer(field, *(const int32_t *)member);
    case FIELD_LONG:
        return print_integer(field, *(const int64_t *)member);
    case FIELD_TIME: {
        int64_t time = *(const int64_t *)member;
        if (time != 0) {
            clock_format_ms(time, text);
        }
        return time != 0 ? json_string(text) : NULL;
    }
    case FIELD_IP: {
        const struct ip *ip = member;
        return ip->family != IP_NONE ? json_string(ip_format(ip, text)) : NULL;
    }
    case FIELD_CIDR: {
        const struct cidr *cidr = member;
        return cidr->ip.family != IP_NONE ? json_string(cidr_format(cidr, text)) : NULL;
    }
    case FIELD_ENUM: {
        const char *name = field_enum_text(field, *(const int *)member);
        return name[0] ? json_string(name) : NULL;
    }
    case FIELD_STRINGS:
        return print_strings(member);
    case FIELD_OBJECT: {
        json_t *nested = json_object();
        fields_print(field->fields, member, state, nested);
        return nested;
    }
    case FIELD_LIST_OF:
        return print_list(field, member, state);
    case FIELD_DOCUMENT:
        return *(json_t *const *)member ? json_deep_copy(*(json_t *const *)member) : NULL;
    }
    return NULL;
}

bool
field_is_printed(const struct field *field, const void *object, bool state)
{
    if ((field->flags & FIELD_INPUT_ONLY) || ((field->flags & FIELD_STATE_ONLY) && !state)) {
        return false;
    }
    bool number = field->type == FIELD_BOOL || field->type == FIELD_INT || field->type == FIELD_LONG;
    if ((field->flags & FIELD_ALWAYS) || field->type == FIELD_ENUM || (number && !(field->flags & FIELD_OPTIONAL))) {
        return true;
    }
    return field_any(field, object);
}

void
fields_print(const struct field *fields, const void *object, bool state, json_t *out)
{
    for (const struct field *field = fields; field->name; field++) {
        json_t *value = field_is_printed(field, object, state) ? print_value(field, object, state) : NULL;
        if (!value) {
            continue;
        }
        json_t *parent = out;
        const char *name = field->name;
        for (size_t length; name[length = strcspn(name, ".")]; name += length + 1) {
            json_t *nested = json_object_getn(parent, name, length);
            if (!nested) {
                nested = json_object();
                json_object_setn_new(parent, name, length, nested);
            }
            parent = nested;
        }
        json_object_set_new(parent, name, value);
    }
}

/* ---- freeing and copying ----------------------------------------------------------------------------------------- */

void
fields_done(const struct field *fields, void *object)
{
    for (const struct field *field = fields; field->name; field++) {
        void *member = member_of(object, field);
        if (field->type == FIELD_STRING) {
            free(*(char **)member);
            *(char **)member = NULL;
        } else if (field->type == FIELD_STRINGS) {
            string_vec *strings = member;
            for (size_t i = 0; i < strings->n; i++) {
                free(strings->items[i]);
            }
            VEC_DONE(strings);
        } else if (field->type == FIELD_OBJECT) {
            fields_done(field->fields, member);
        } else if (field->type == FIELD_LIST_OF) {
            struct vec_any *list = member;
            for (size_t i = 0; i < list->n; i++) {
                fields_done(field->fields, (char *)list->items + i * field->item_size);
            }
            vec_done(list);
        } else if (field->type == FIELD_DOCUMENT) {
            json_decref(*(json_t **)member);
            *(json_t **)member = NULL;
        }
    }
}

static size_t
plain_size(enum field_type type)
{
    static const size_t sizes[] = {
        [FIELD_ID] = ID_SIZE,
        [FIELD_BOOL] = sizeof(bool),
        [FIELD_INT] = sizeof(int32_t),
        [FIELD_LONG] = sizeof(int64_t),
        [FIELD_TIME] = sizeof(int64_t),
        [FIELD_IP] = sizeof(struct ip),
        [FIELD_CIDR] = sizeof(struct cidr),
        [FIELD_ENUM] = sizeof(int),
        [FIELD_DOCUMENT] = 0,
    };
    return sizes[type];
}

void
fields_copy(const struct field *fields, void *to, const void *from)
{
    for (const struct field *field = fields; field->name; field++) {
        void *target = member_of(to, field);
        const void *source = member_of(from, field);
        /* Two rows may read one member (AWS has two names for it); what is owned is copied by the first of them. */
        if (field->type == FIELD_STRING) {
            char **copy = target, *text = *(char *const *)source;
            *copy = *copy ? *copy : text ? xstrdup(text) : NULL;
        } else if (field->type == FIELD_STRINGS) {
            string_vec *copies = target;
            const string_vec *strings = source;
            for (size_t i = copies->n; i < strings->n; i++) {
                *VEC_ADD(copies) = xstrdup(strings->items[i]);
            }
        } else if (field->type == FIELD_OBJECT) {
            if (field->present) {
                *((bool *)((char *)to + field->present - 1)) =
                    *((const bool *)((const char *)from + field->present - 1));
            }
            fields_copy(field->fields, target, source);
        } else if (field->type == FIELD_LIST_OF) {
            struct vec_any *copies = target;
            const struct vec_any *list = source;
            for (size_t i = copies->n; i < list->n; i++) {
                void *copy = vec_add(copies, field->item_size);
                fields_copy(field->fields, copy, (const char *)list->items + i * field->item_size);
            }
        } else if (field->type == FIELD_DOCUMENT) {
            json_t **copy = target, *document = *(json_t *const *)source;
            *copy = *copy ? *copy : document ? json_deep_copy(document) : NULL;
        } else {
            memcpy(target, source, plain_size(field->type));
        }
    }
}
