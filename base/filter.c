/* The Filters of describe-* operations: declared in store.h beside the rows they read. */
#include <stdio.h>
#include <string.h>
#include "base/store.h"

/* AWS's filter values: * is any text, ? one character, a backslash makes the next one plain.  Going back to the last
 * star only, which is enough, keeps this from ever being exponential. */
static bool
value_matches(const char *pattern, const char *text)
{
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            star_text = text;
            continue;
        }
        const char *plain = *pattern == '\\' && pattern[1] ? pattern + 1 : pattern;
        if (*plain && ((*pattern == '?' && plain == pattern) || *plain == *text)) {
            bool any = *pattern == '?';
            pattern = plain + 1;
            text++;
            while (any && ((unsigned char)*text & 0xc0) == 0x80) {
                text++; /* one character, not one byte */
            }
        } else if (star) {
            pattern = star;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

static bool
any_value_matches(const json_t *values, const char *text)
{
    for (size_t i = 0; i < json_array_size(values); i++) {
        if (value_matches(json_string_value(json_array_get(values, i)), text)) {
            return true;
        }
    }
    return false;
}

/* Is any value at 'path' below 'json' one of the filter's?  Lists on the way are walked by themselves. */
static bool
path_matches(const json_t *json, const char *path, const json_t *values)
{
    if (json_is_array(json)) {
        for (size_t i = 0; i < json_array_size(json); i++) {
            if (path_matches(json_array_get(json, i), path, values)) {
                return true;
            }
        }
        return false;
    }
    if (path[0]) {
        size_t length = strcspn(path, ".");
        const json_t *member = json_object_getn(json, path, length);
        return member && path_matches(member, path + length + (path[length] == '.'), values);
    }
    char number[32];
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_STRING:
        return any_value_matches(values, json_string_value(json));
    case JSON_INTEGER:
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(json));
        return any_value_matches(values, number);
    case JSON_TRUE:
        return any_value_matches(values, "true");
    case JSON_FALSE:
        return any_value_matches(values, "false");
    default:
        return false;
    }
}

static bool
tag_matches(const json_t *described, const char *key, const json_t *values)
{
    const json_t *tags = json_object_get(described, "Tags");
    tags = tags ? tags : json_object_get(described, "TagSet"); /* as network interfaces call them */
    tags = tags ? tags : json_object_get(described, "TagSet"); /* network interfaces call them so */
    for (size_t i = 0; i < json_array_size(tags); i++) {
        const json_t *tag = json_array_get(tags, i);
        const char *tag_key = json_str(tag, "Key");
        if (tag_key && strcmp(tag_key, key) == 0 && path_matches(tag, "Value", values)) {
            return true;
        }
    }
    return false;
}

static const struct filter_row common_filters[] = {
    { "tag-key", "Tags.Key" },
    { "tag-value", "Tags.Value" },
    { "owner-id", "OwnerId" },
    { NULL, NULL },
};

static const char *
filter_path(const struct filter_row *rows, const char *name)
{
    for (; rows && rows->name; rows++) {
        if (strcmp(rows->name, name) == 0) {
            return rows->path;
        }
    }
    return NULL;
}

static bool
fail_unknown_filter(const struct kind *kind, const char *name, struct err *err)
{
    err_set(err, ERR_INPUT, "InvalidParameterValue", "the filter `%.100s` is invalid for a %s", name, kind->name);
    struct buf names = { 0 };
    for (const struct filter_row *row = kind->filters; row && row->name; row++) {
        buf_printf(&names, "%s, ", row->name);
    }
    err_hint(err, "filters: %stag:KEY, tag-key%s", buf_str(&names), kind->shows_owner ? ", owner-id" : "");
    buf_done(&names);
    return false;
}

bool
filters_check(const struct kind *kind, const json_t *filters, struct err *err)
{
    for (size_t i = 0; i < json_array_size(filters); i++) {
        const json_t *filter = json_array_get(filters, i), *values = json_object_get(filter, "Values");
        const char *name = json_str(filter, "Name");
        if (!name) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "filter %zu has no `Name`", i + 1);
        }
        if (json_array_size(values) == 0) {
            return err_set(err, ERR_INPUT, "InvalidParameterValue", "the filter `%s` has no `Values`", name);
        }
        for (size_t k = 0; k < json_array_size(values); k++) {
            if (!json_is_string(json_array_get(values, k))) {
                return err_set(err, ERR_INPUT, "InvalidParameterValue", "value %zu of the filter `%s` is not a string",
                               k + 1, name);
            }
        }
        if (strncmp(name, "tag:", 4) != 0 && !filter_path(kind->filters, name) && !filter_path(common_filters, name)) {
            return fail_unknown_filter(kind, name, err);
        }
    }
    return true;
}

bool
filters_match(const struct kind *kind, const json_t *filters, const json_t *described)
{
    for (size_t i = 0; i < json_array_size(filters); i++) {
        const json_t *filter = json_array_get(filters, i), *values = json_object_get(filter, "Values");
        const char *name = json_str(filter, "Name");
        const char *path = filter_path(kind->filters, name);
        path = path ? path : filter_path(common_filters, name);
        if (path ? !path_matches(described, path, values)
                 : strncmp(name, "tag:", 4) != 0 || !tag_matches(described, name + 4, values)) {
            return false;
        }
    }
    return true;
}
