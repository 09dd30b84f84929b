#include "cloud/render.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/op_types.h"
#include "cloud/query.h"
#include "cloud/suggest.h"

/* ---- AWS's order ------------------------------------------------------------------------------------------------- */

static json_t *ordered(const struct aws_shape *shape, const json_t *value, struct buf *path, struct err *err);

static json_t *
ordered_list(const struct aws_shape *shape, const json_t *value, struct buf *path, struct err *err)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = ordered(aws_shape(shape->of), json_array_get(value, i), path, err);
        if (!item) {
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out, item);
    }
    return out;
}

static json_t *
ordered_structure(const struct aws_shape *shape, const json_t *value, struct buf *path, struct err *err)
{
    json_t *out = json_object();
    const struct aws_member *members = aws_members(shape);
    for (size_t i = 0; i < shape->n; i++) {
        const char *name = aws_text(members[i].name);
        const json_t *member = json_object_get(value, name);
        size_t size = path->size;
        if (!member || json_is_null(member)) {
            continue; /* what is absent is not printed */
        }
        buf_printf(path, "%s%s", size ? "." : "", name);
        json_t *item = ordered(aws_shape(members[i].shape), member, path, err);
        if (!item) {
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, name, item);
        path->size = size;
        path->data[size] = '\0';
    }
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        if (!aws_member_find(shape, key)) {
            err_set(err, ERR_FAULT, "", "`%s%s%s` is not a member of AWS's answer", buf_str(path),
                    path->size ? "." : "", key);
            json_decref(out);
            return NULL;
        }
    }
    return out;
}

static json_t *
ordered(const struct aws_shape *shape, const json_t *value, struct buf *path, struct err *err)
{
    if (shape->type == AWS_STRUCTURE && json_is_object(value)) {
        return ordered_structure(shape, value, path, err);
    }
    if (shape->type == AWS_LIST && json_is_array(value)) {
        return ordered_list(shape, value, path, err);
    }
    bool complex = shape->type == AWS_STRUCTURE || shape->type == AWS_LIST;
    if (complex) {
        err_set(err, ERR_FAULT, "", "`%s` is not a %s, as AWS's answer has it", buf_str(path), shape_type_name(shape));
        return NULL;
    }
    return json_incref((json_t *)value);
}

json_t *
render_ordered(const struct op *op, const json_t *out, struct err *err)
{
    const struct aws_operation *aws = op_aws(op);
    if (!aws) {
        return json_incref((json_t *)out);
    }
    static const struct aws_shape nothing = { .type = AWS_STRUCTURE };
    const struct aws_shape *shape = aws_shape(aws->output);
    struct buf path = { 0 };
    const char *const ours[] = { op->beside, op->told };
    json_t *rest = json_copy((json_t *)out);
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++) {
        ours[i] ? json_object_del(rest, ours[i]) : 0;
    }
    json_t *value = ordered_structure(shape ? shape : &nothing, rest, &path, err);
    for (size_t i = 0; value && i < ARRAY_SIZE(ours); i++) {
        json_t *own = ours[i] ? json_object_get(out, ours[i]) : NULL;
        own ? json_object_set(value, ours[i], own) : 0;
    }
    json_decref(rest);
    buf_done(&path);
    if (!value) {
        err_at(err, op->name, 0, 0);
    }
    return value;
}

/* ---- json -------------------------------------------------------------------------------------------------------- */

void
render_json(const json_t *value, struct buf *text)
{
    /* aws prints nothing at all for an empty answer. */
    if (!json_is_object(value) || json_object_size(value) > 0) {
        json_write_aws(value, text);
    }
}

/* ---- text -------------------------------------------------------------------------------------------------------- */

void
render_scalar(const json_t *value, struct buf *text)
{
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_STRING:
        buf_add(text, json_string_value(value), json_string_length(value));
        break;
    case JSON_TRUE:
        buf_str_add(text, "True");
        break;
    case JSON_FALSE:
        buf_str_add(text, "False");
        break;
    case JSON_NULL:
        buf_str_add(text, "None");
        break;
    default: { /* numbers as json has them */
        struct buf number = { 0 };
        json_write_compact(value, &number);
        buf_str_add(text, buf_str(&number));
        buf_done(&number);
    }
    }
}

static bool
is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

typedef VEC(const char *) key_list;

static void
add_keys(key_list *keys, const json_t *object, bool scalar)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        if (is_scalar(value) == scalar) {
            *VEC_ADD(keys) = key;
        }
    }
}

static void
sort_keys(key_list *keys)
{
    if (keys->n) {
        qsort(keys->items, keys->n, sizeof *keys->items, compare_keys);
    }
    size_t n = 0;
    for (size_t i = 0; i < keys->n; i++) {
        if (n == 0 || strcmp(keys->items[n - 1], keys->items[i]) != 0) {
            keys->items[n++] = keys->items[i];
        }
    }
    keys->n = n;
}

static void
upper(struct buf *text, const char *word)
{
    for (; *word; word++) {
        buf_char(text, *word >= 'a' && *word <= 'z' ? (char)(*word - 32) : *word);
    }
}

static void text_value(const json_t *value, const char *name, const key_list *columns, struct buf *text);

/* One line of the scalars, in the order of their names or of 'columns', then what is nested. */
static void
text_object(const json_t *object, const char *name, const key_list *columns, struct buf *text)
{
    key_list own = { 0 }, rest = { 0 };
    add_keys(&own, object, true);
    sort_keys(&own);
    add_keys(&rest, object, false);
    sort_keys(&rest);
    const key_list *row = columns ? columns : &own;
    const char *before = "";
    if (row->n && name) {
        upper(text, name);
        before = "\t";
    }
    for (size_t i = 0; i < row->n; i++) {
        const json_t *value = json_object_get(object, row->items[i]);
        buf_str_add(text, before);
        before = "\t";
        if (value && is_scalar(value)) {
            render_scalar(value, text);
        }
    }
    if (row->n) {
        buf_char(text, '\n');
    }
    for (size_t i = 0; i < rest.n; i++) {
        text_value(json_object_get(object, rest.items[i]), rest.items[i], NULL, text);
    }
    VEC_DONE(&own);
    VEC_DONE(&rest);
}

static void
text_scalars(const json_t *list, const char *name, struct buf *text)
{
    bool first = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        if (!is_scalar(item)) {
            continue;
        }
        if (name) {
            upper(text, name);
            buf_char(text, '\t');
        } else if (!first) {
            buf_char(text, '\t');
        }
        first = false;
        render_scalar(item, text);
        if (name) {
            buf_char(text, '\n');
        }
    }
    if (!name && !first) {
        buf_char(text, '\n');
    }
}

static void
text_list(const json_t *list, const char *name, struct buf *text)
{
    bool objects = false, lists = false;
    key_list columns = { 0 };
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        objects |= json_is_object(item);
        lists |= json_is_array(item);
        add_keys(&columns, item, true);
    }
    sort_keys(&columns);
    if (objects) {
        for (size_t i = 0; i < json_array_size(list); i++) {
            text_value(json_array_get(list, i), name, &columns, text);
        }
    } else {
        text_scalars(list, name, text);
        for (size_t i = 0; lists && i < json_array_size(list); i++) {
            if (!is_scalar(json_array_get(list, i))) {
                text_value(json_array_get(list, i), name, NULL, text);
            }
        }
    }
    VEC_DONE(&columns);
}

static void
text_value(const json_t *value, const char *name, const key_list *columns, struct buf *text)
{
    if (json_is_object(value)) {
        text_object(value, name, columns, text);
    } else if (json_is_array(value)) {
        text_list(value, name, text);
    } else {
        render_scalar(value, text);
        buf_char(text, '\n');
    }
}

void
render_text(const json_t *value, struct buf *text)
{
    text_value(value, NULL, NULL, text);
}

/* ---- One of them ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*write)(const json_t *value, struct buf *text);
} formats[] = {
    { "json", render_json },
    { "text", render_text },
    { "table", render_table },
    { "record", render_record },
};

static bool
find_format(const char *name, size_t *found, struct err *err)
{
    struct suggest suggest = suggest_start(name);
    for (*found = 0; *found < ARRAY_SIZE(formats); ++*found) {
        if (strcmp(formats[*found].name, name) == 0) {
            return true;
        }
        suggest_offer(&suggest, formats[*found].name);
    }
    err_set(err, ERR_USAGE, "", "`%s` is not an output format", name);
    err_at(err, "--output", 0, 0);
    return suggest.best ? suggest_hint(&suggest, err, "") : err_hint(err, "one of json, text, table, record");
}

/* What is the lab's own is not for programs that read AWS's answers. */
static json_t *
without_aside(const struct op *op, json_t *value)
{
    json_t *rest = json_copy(value);
    for (const char *word = op->aside; *word; word += strspn(word, " ")) {
        char *member = xstrndup(word, strcspn(word, " "));
        json_object_del(rest, member);
        word += strlen(member);
        free(member);
    }
    json_decref(value);
    return rest;
}

bool
render(const struct op *op, const json_t *out, const char *format, const char *query, struct buf *text, struct err *err)
{
    size_t which = 0;
    if (format && !find_format(format, &which, err)) {
        return false;
    }
    if (op->service && op->text && !query && strcmp(formats[which].name, "table") == 0) {
        op->text(out, text);
        return true;
    }
    json_t *value = render_ordered(op, out, err);
    if (value && op->told) {
        json_object_del(value, op->told);
    }
    if (value && query) {
        json_t *answer = query_run(query, value, err);
        json_decref(value);
        value = answer;
    }
    if (!value) {
        return false;
    }
    if (op->aside && !query && format && strcmp(format, "json") == 0 && json_is_object(value)) {
        value = without_aside(op, value);
    }
    if (format) {
        formats[which].write(value, text);
    } else if (op->service || query) {
        render_json(value, text);
    } else if (op->text) {
        op->text(value, text);
    } else {
        render_table(value, text);
    }
    json_decref(value);
    return true;
}
