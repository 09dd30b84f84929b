/* cloud/query.c - JMESPath: a tree applied to a value. */
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/query_ast.h"

bool
query_truthy(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
    case JSON_FALSE:
        return false;
    case JSON_STRING:
        return json_string_length(value) > 0;
    case JSON_ARRAY:
        return json_array_size(value) > 0;
    case JSON_OBJECT:
        return json_object_size(value) > 0;
    default:
        return true;
    }
}

int
query_order(const json_t *a, const json_t *b)
{
    if (json_is_string(a)) {
        return strcmp(json_string_value(a), json_string_value(b)); /* UTF-8 sorts as its code points do */
    }
    double x = json_number_value(a), y = json_number_value(b);
    return x < y ? -1 : x > y;
}

static bool
equal(const json_t *a, const json_t *b)
{
    return json_is_number(a) && json_is_number(b) ? json_number_value(a) == json_number_value(b) : json_equal(a, b);
}

static json_t *
compare(enum query_compare how, const json_t *a, const json_t *b)
{
    if (how == QUERY_EQ || how == QUERY_NE) {
        return json_boolean(equal(a, b) == (how == QUERY_EQ));
    }
    bool comparable = (json_is_number(a) && json_is_number(b)) || (json_is_string(a) && json_is_string(b));
    if (!comparable) {
        return json_null();
    }
    int order = query_order(a, b);
    return json_boolean(how == QUERY_LT   ? order < 0
                        : how == QUERY_LE ? order <= 0
                        : how == QUERY_GT ? order > 0
                                          : order >= 0);
}

static json_t *
slice(const struct query_node *node, const json_t *value)
{
    long size = (long)json_array_size(value), step = node->slice.step;
    long start = node->slice.start, stop = node->slice.stop;
    long low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    if (!node->slice.has_start) {
        start = step < 0 ? high : low;
    } else {
        start = start < 0 ? start + size : start;
        start = start < low ? low : start > high ? high : start;
    }
    if (!node->slice.has_stop) {
        stop = step < 0 ? low : high;
    } else {
        stop = stop < 0 ? stop + size : stop;
        stop = stop < low ? low : stop > high ? high : stop;
    }
    json_t *out = json_array();
    for (long i = start; step < 0 ? i > stop : i < stop; i += step) {
        json_array_append(out, json_array_get(value, (size_t)i));
    }
    return out;
}

static json_t *
flatten(const json_t *value)
{
    if (!json_is_array(value)) {
        return json_null();
    }
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        json_t *item = json_array_get(value, i);
        if (json_is_array(item)) {
            json_array_extend(out, item);
        } else {
            json_array_append(out, item);
        }
    }
    return out;
}

/* Adds what 'node' makes of 'item'; nothing for null. */
static bool
project_one(const struct query_node *node, json_t *item, json_t *out, struct err *err)
{
    json_t *result = query_eval(node, item, err);
    if (!result) {
        return false;
    }
    if (!json_is_null(result)) {
        json_array_append(out, result);
    }
    json_decref(result);
    return true;
}

static bool
passes(const struct query_node *condition, json_t *item, bool *pass, struct err *err)
{
    json_t *answer = query_eval(condition, item, err);
    *pass = answer && query_truthy(answer);
    json_decref(answer);
    return answer != NULL;
}

/* [*], *, [?..] and []: the right side for each item of the left. */
static json_t *
project(const struct query_node *node, json_t *left, struct err *err)
{
    bool object = node->type == QUERY_VALUES;
    if (object ? !json_is_object(left) : !json_is_array(left)) {
        return json_null();
    }
    json_t *out = json_array(), *item;
    size_t i;
    const char *key;
    bool good = true, pass = true;
    if (object) {
        json_object_foreach(left, key, item)
        {
            good = good && project_one(node->right, item, out, err);
        }
    } else {
        json_array_foreach(left, i, item)
        {
            good = good && (node->type != QUERY_FILTER || passes(node->condition, item, &pass, err));
            good = good && (!pass || project_one(node->right, item, out, err));
        }
    }
    if (!good) {
        json_decref(out);
        return NULL;
    }
    return out;
}

static json_t *
multi(const struct query_node *node, json_t *value, struct err *err)
{
    if (json_is_null(value)) {
        return json_null();
    }
    json_t *out = node->type == QUERY_HASH ? json_object() : json_array();
    for (size_t i = 0; i < node->n_children; i++) {
        json_t *item = query_eval(node->children[i], value, err);
        if (!item) {
            json_decref(out);
            return NULL;
        }
        if (node->type == QUERY_HASH) {
            json_object_set_new(out, node->children[i]->key, item);
        } else {
            json_array_append_new(out, item);
        }
    }
    return out;
}

static json_t *
with_left(const struct query_node *node, json_t *value, json_t *left, struct err *err)
{
    json_t *right, *out, *item;
    switch (node->type) {
    case QUERY_INDEX: {
        long at = node->number < 0 ? node->number + (long)json_array_size(left) : node->number;
        item = json_is_array(left) && at >= 0 ? json_array_get(left, (size_t)at) : NULL;
        return item ? json_incref(item) : json_null();
    }
    case QUERY_SLICE:
        return json_is_array(left) ? slice(node, left) : json_null();
    case QUERY_CHAIN:
    case QUERY_PIPE:
        return query_eval(node->right, left, err);
    case QUERY_FLATTEN:
        return flatten(left);
    case QUERY_PROJECT:
    case QUERY_VALUES:
    case QUERY_FILTER:
        return project(node, left, err);
    case QUERY_OR:
        return query_truthy(left) ? json_incref(left) : query_eval(node->right, value, err);
    case QUERY_AND:
        return query_truthy(left) ? query_eval(node->right, value, err) : json_incref(left);
    case QUERY_NOT:
        return json_boolean(!query_truthy(left));
    default: /* QUERY_COMPARE */
        right = query_eval(node->right, value, err);
        out = right ? compare(node->compare, left, right) : NULL;
        json_decref(right);
        return out;
    }
}

json_t *
query_eval(const struct query_node *node, json_t *value, struct err *err)
{
    json_t *member;
    switch (node->type) {
    case QUERY_CURRENT:
        return json_incref(value);
    case QUERY_FIELD:
        member = json_object_get(value, node->text);
        return member ? json_incref(member) : json_null();
    case QUERY_LITERAL:
        return json_incref(node->value);
    case QUERY_LIST:
    case QUERY_HASH:
        return multi(node, value, err);
    case QUERY_CALL:
        return query_call(node, value, err);
    case QUERY_REF:
        err_set(err, ERR_USAGE, "", "`&` stands only before an argument of a function such as sort_by");
        err_at(err, "--query", 1, node->column);
        return NULL;
    default:
        break;
    }
    json_t *left = query_eval(node->left, value, err);
    json_t *out = left ? with_left(node, value, left, err) : NULL;
    json_decref(left);
    return out;
}

json_t *
query_run(const char *expression, const json_t *value, struct err *err)
{
    struct arena *arena = arena_new();
    json_t *literals = json_array();
    const struct query_node *root = query_parse(expression, arena, literals, err);
    json_t *out = root ? query_eval(root, (json_t *)value, err) : NULL;
    json_decref(literals);
    arena_free(arena);
    return out;
}
