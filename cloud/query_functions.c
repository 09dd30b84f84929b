/* cloud/query_functions.c - JMESPath's functions, one row each.  Source:
 * https://jmespath.org/specification.html#built-in-functions */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/query_ast.h"
#include "cloud/suggest.h"

#define ARGS_MAX 8

struct call {
    const struct query_node *node;
    json_t *args[ARGS_MAX]; /* NULL where the argument is a &reference */
    size_t n;
    struct err *err;
};

/* What an argument may be, one letter each: (s)tring (n)umber (a)rray (o)bject (b)oolean null(0) any(*) &reference(&),
 * array of (S)trings, array of (N)umbers, array of strings or of numbers (K). */
struct function {
    const char *name;
    const char *args; /* "an,s": the first an array or a number, the second a string; a last "..." repeats */
    json_t *(*run)(struct call *call);
};

static json_t *
mistake(struct call *call, const char *what)
{
    err_set(call->err, ERR_USAGE, "", "%s in %s()", what, call->node->text);
    err_at(call->err, "--query", 1, call->node->column);
    return NULL;
}

static json_t *
number(double value)
{
    return value == floor(value) && fabs(value) < 9e15 ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *
run_abs(struct call *call)
{
    if (json_is_integer(call->args[0])) {
        return json_integer(llabs(json_integer_value(call->args[0])));
    }
    return json_real(fabs(json_real_value(call->args[0])));
}

static double
total(const json_t *list)
{
    double sum = 0;
    for (size_t i = 0; i < json_array_size(list); i++) {
        sum += json_number_value(json_array_get(list, i));
    }
    return sum;
}

static json_t *
run_avg(struct call *call)
{
    size_t n = json_array_size(call->args[0]);
    return n ? json_real(total(call->args[0]) / (double)n) : json_null();
}

static json_t *
run_sum(struct call *call)
{
    for (size_t i = 0; i < json_array_size(call->args[0]); i++) {
        if (json_is_real(json_array_get(call->args[0], i))) {
            return json_real(total(call->args[0]));
        }
    }
    return number(total(call->args[0]));
}

static json_t *
run_ceil(struct call *call)
{
    return number(ceil(json_number_value(call->args[0])));
}

static json_t *
run_floor(struct call *call)
{
    return number(floor(json_number_value(call->args[0])));
}

static json_t *
run_contains(struct call *call)
{
    const json_t *in = call->args[0], *what = call->args[1];
    if (json_is_string(in)) {
        return json_boolean(json_is_string(what) && strstr(json_string_value(in), json_string_value(what)));
    }
    for (size_t i = 0; i < json_array_size(in); i++) {
        const json_t *item = json_array_get(in, i);
        bool numbers = json_is_number(item) && json_is_number(what);
        if (numbers ? json_number_value(item) == json_number_value(what) : json_equal(item, what)) {
            return json_true();
        }
    }
    return json_false();
}

static json_t *
run_ends_with(struct call *call)
{
    size_t size = json_string_length(call->args[0]), end = json_string_length(call->args[1]);
    return json_boolean(end <= size && memcmp(json_string_value(call->args[0]) + size - end,
                                              json_string_value(call->args[1]), end) == 0);
}

static json_t *
run_starts_with(struct call *call)
{
    const char *text = json_string_value(call->args[0]), *begin = json_string_value(call->args[1]);
    return json_boolean(strncmp(text, begin, strlen(begin)) == 0);
}

static json_t *
run_join(struct call *call)
{
    struct buf out = { 0 };
    for (size_t i = 0; i < json_array_size(call->args[1]); i++) {
        buf_str_add(&out, i ? json_string_value(call->args[0]) : "");
        buf_str_add(&out, json_string_value(json_array_get(call->args[1], i)));
    }
    json_t *text = json_string(buf_str(&out));
    buf_done(&out);
    return text;
}

static json_t *
keys_or_values(struct call *call, bool keys)
{
    json_t *out = json_array(), *value;
    const char *key;
    json_object_foreach(call->args[0], key, value)
    {
        json_array_append_new(out, keys ? json_string(key) : json_incref(value));
    }
    return out;
}

static json_t *
run_keys(struct call *call)
{
    return keys_or_values(call, true);
}

static json_t *
run_values(struct call *call)
{
    return keys_or_values(call, false);
}

static json_t *
run_length(struct call *call)
{
    size_t n = json_is_array(call->args[0]) ? json_array_size(call->args[0]) : json_object_size(call->args[0]);
    if (json_is_string(call->args[0])) {
        for (const char *p = json_string_value(call->args[0]); *p; p++) {
            n += ((unsigned char)*p & 0xc0) != 0x80;
        }
    }
    return json_integer((json_int_t)n);
}

static json_t *
run_map(struct call *call)
{
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(call->args[1]); i++) {
        json_t *item = query_eval(call->node->children[0]->left, json_array_get(call->args[1], i), call->err);
        if (!item) {
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out, item);
    }
    return out;
}

static json_t *
run_merge(struct call *call)
{
    json_t *out = json_object();
    for (size_t i = 0; i < call->n; i++) {
        json_object_update(out, call->args[i]);
    }
    return out;
}

static json_t *
run_not_null(struct call *call)
{
    for (size_t i = 0; i < call->n; i++) {
        if (!json_is_null(call->args[i])) {
            return json_incref(call->args[i]);
        }
    }
    return json_null();
}

static json_t *
reversed_text(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t size = json_string_length(value), n = 0;
    char *out = xmalloc(size + 1);
    for (size_t end = size; end > 0;) {
        size_t begin = end - 1;
        while (begin > 0 && ((unsigned char)text[begin] & 0xc0) == 0x80) {
            begin--;
        }
        memcpy(out + n, text + begin, end - begin);
        n += end - begin;
        end = begin;
    }
    json_t *reversed = json_stringn(out, n);
    free(out);
    return reversed;
}

static json_t *
run_reverse(struct call *call)
{
    if (json_is_string(call->args[0])) {
        return reversed_text(call->args[0]);
    }
    json_t *out = json_array();
    for (size_t i = json_array_size(call->args[0]); i > 0; i--) {
        json_array_append(out, json_array_get(call->args[0], i - 1));
    }
    return out;
}

static json_t *
run_to_array(struct call *call)
{
    return json_is_array(call->args[0]) ? json_incref(call->args[0]) : json_pack("[O]", call->args[0]);
}

static json_t *
run_to_number(struct call *call)
{
    if (json_is_number(call->args[0])) {
        return json_incref(call->args[0]);
    }
    const char *text = json_is_string(call->args[0]) ? json_string_value(call->args[0]) : "";
    char *end;
    long long whole = strtoll(text, &end, 10);
    if (*text && !*end) {
        return json_integer(whole);
    }
    double real = strtod(text, &end);
    return *text && !*end && isfinite(real) ? json_real(real) : json_null();
}

static json_t *
run_to_string(struct call *call)
{
    if (json_is_string(call->args[0])) {
        return json_incref(call->args[0]);
    }
    struct buf text = { 0 };
    json_write_compact(call->args[0], &text);
    json_t *out = json_string(buf_str(&text));
    buf_done(&text);
    return out;
}

static const char *
type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "object", [JSON_ARRAY] = "array",  [JSON_STRING] = "string", [JSON_INTEGER] = "number",
        [JSON_REAL] = "number",   [JSON_TRUE] = "boolean", [JSON_FALSE] = "boolean", [JSON_NULL] = "null",
    };
    return names[json_typeof(value)];
}

static json_t *
run_type(struct call *call)
{
    return json_string(type_name(call->args[0]));
}

/* ---- Sorting ----------------------------------------------------------------------------------------------------- */

struct keyed {
    json_t *key, *item; /* key owned, item borrowed */
    size_t index;
};

static int
by_key(const void *a, const void *b)
{
    const struct keyed *x = a, *y = b;
    int order = query_order(x->key, y->key);
    return order ? order : x->index < y->index ? -1 : 1; /* equal ones keep their order */
}

/* The items of a list with their keys: themselves, or what a reference makes of them. All strings or all numbers. */
static struct keyed *
keyed_items(struct call *call, json_t *list, const struct query_node *by)
{
    size_t n = json_array_size(list);
    struct keyed *items = xcalloc(n + 1, sizeof *items);
    for (size_t i = 0; i < n; i++) {
        json_t *item = json_array_get(list, i);
        json_t *key = by ? query_eval(by, item, call->err) : json_incref(item);
        items[i] = (struct keyed){ key, item, i };
        bool good =
            key && (json_is_string(key) || json_is_number(key)) && json_is_string(key) == json_is_string(items[0].key);
        if (!good) {
            mistake(call, key ? "the keys must be all strings or all numbers" : "");
            for (size_t j = 0; j <= i; j++) {
                json_decref(items[j].key);
            }
            free(items);
            return NULL;
        }
    }
    return items;
}

enum wanted { SORTED, LEAST, MOST };

static json_t *
in_order(struct call *call, const struct query_node *by, enum wanted wanted)
{
    json_t *list = call->args[0];
    size_t n = json_array_size(list);
    struct keyed *items = keyed_items(call, list, by);
    if (!items) {
        return NULL;
    }
    json_t *out = wanted == SORTED ? json_array() : json_null();
    size_t best = 0;
    for (size_t i = 1; i < n; i++) { /* of equal ones the first */
        int order = query_order(items[i].key, items[best].key);
        best = (wanted == LEAST && order < 0) || (wanted == MOST && order > 0) ? i : best;
    }
    if (wanted != SORTED && n) {
        out = json_incref(items[best].item);
    } else if (wanted == SORTED && n) {
        qsort(items, n, sizeof *items, by_key);
        for (size_t i = 0; i < n; i++) {
            json_array_append(out, items[i].item);
        }
    }
    for (size_t i = 0; i < n; i++) {
        json_decref(items[i].key);
    }
    free(items);
    return out;
}

static json_t *
run_sort(struct call *call)
{
    return in_order(call, NULL, SORTED);
}

static json_t *
run_sort_by(struct call *call)
{
    return in_order(call, call->node->children[1]->left, SORTED);
}

static json_t *
run_min(struct call *call)
{
    return in_order(call, NULL, LEAST);
}

static json_t *
run_min_by(struct call *call)
{
    return in_order(call, call->node->children[1]->left, LEAST);
}

static json_t *
run_max(struct call *call)
{
    return in_order(call, NULL, MOST);
}

static json_t *
run_max_by(struct call *call)
{
    return in_order(call, call->node->children[1]->left, MOST);
}

/* ---- Calling ----------------------------------------------------------------------------------------------------- */

static const struct function functions[] = {
    { "abs", "n", run_abs },
    { "avg", "N", run_avg },
    { "ceil", "n", run_ceil },
    { "contains", "as,*", run_contains },
    { "ends_with", "s,s", run_ends_with },
    { "floor", "n", run_floor },
    { "join", "s,S", run_join },
    { "keys", "o", run_keys },
    { "length", "sao", run_length },
    { "map", "&,a", run_map },
    { "max", "K", run_max },
    { "max_by", "a,&", run_max_by },
    { "merge", "o,...", run_merge },
    { "min", "K", run_min },
    { "min_by", "a,&", run_min_by },
    { "not_null", "*,...", run_not_null },
    { "reverse", "as", run_reverse },
    { "sort", "K", run_sort },
    { "sort_by", "a,&", run_sort_by },
    { "starts_with", "s,s", run_starts_with },
    { "sum", "N", run_sum },
    { "to_array", "*", run_to_array },
    { "to_number", "*", run_to_number },
    { "to_string", "*", run_to_string },
    { "type", "*", run_type },
    { "values", "o", run_values },
};

static bool
list_of(const json_t *value, bool strings, bool numbers)
{
    for (size_t i = 0; i < json_array_size(value); i++) {
        const json_t *item = json_array_get(value, i);
        if (!((strings && json_is_string(item)) || (numbers && json_is_number(item)))) {
            return false;
        }
    }
    return json_is_array(value);
}

static bool
is_one_of(const json_t *value, const char *kinds, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        bool is = kinds[i] == '*' || (kinds[i] == 's' && json_is_string(value)) ||
                  (kinds[i] == 'n' && json_is_number(value)) || (kinds[i] == 'a' && json_is_array(value)) ||
                  (kinds[i] == 'o' && json_is_object(value)) || (kinds[i] == 'S' && list_of(value, true, false)) ||
                  (kinds[i] == 'N' && list_of(value, false, true)) ||
                  (kinds[i] == 'K' && (list_of(value, true, false) || list_of(value, false, true)));
        if (is) {
            return true;
        }
    }
    return false;
}

static bool
evaluate_args(struct call *call, const struct function *function, json_t *value)
{
    const char *kinds = function->args;
    for (size_t i = 0; i < call->node->n_children; i++) {
        size_t size = strcspn(kinds, ",");
        const struct query_node *child = call->node->children[i];
        if (!size) {
            return mistake(call, "too many arguments");
        }
        if (kinds[0] == '&') {
            if (child->type != QUERY_REF) {
                return mistake(call, "an argument must be a reference, &name,");
            }
        } else {
            call->args[i] = query_eval(child, value, call->err);
            if (!call->args[i]) {
                return false;
            }
            if (!is_one_of(call->args[i], kinds, size)) {
                char what[80];
                snprintf(what, sizeof what, "%s is no fitting argument %zu", type_name(call->args[i]), i + 1);
                return mistake(call, what);
            }
        }
        call->n = i + 1;
        bool repeats = strcmp(kinds + size, ",...") == 0;
        kinds += repeats ? 0 : size + (kinds[size] == ',');
    }
    if (*kinds && (call->n == 0 || !strstr(function->args, "..."))) {
        return mistake(call, "an argument is missing");
    }
    return true;
}

json_t *
query_call(const struct query_node *node, json_t *value, struct err *err)
{
    struct call call = { .node = node, .err = err };
    const struct function *function = NULL;
    struct suggest suggest = suggest_start(node->text);
    for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
        suggest_offer(&suggest, functions[i].name);
        function = strcmp(functions[i].name, node->text) == 0 ? &functions[i] : function;
    }
    if (!function) {
        err_set(err, ERR_USAGE, "", "`%s` is not a function of JMESPath", node->text);
        err_at(err, "--query", 1, node->column);
        suggest_hint(&suggest, err, "");
        return NULL;
    }
    if (node->n_children > ARGS_MAX) {
        return mistake(&call, "too many arguments");
    }
    json_t *out = evaluate_args(&call, function, value) ? function->run(&call) : NULL;
    for (size_t i = 0; i < ARGS_MAX; i++) {
        json_decref(call.args[i]);
    }
    return out;
}
