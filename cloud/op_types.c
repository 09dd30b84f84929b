#include "cloud/op_types.h"
#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/clock.h"
#include "base/ip.h"
#include "base/vec.h"
#include "cloud/suggest.h"

bool
shape_is_flag(const struct aws_shape *shape)
{
    if (shape->type != AWS_STRUCTURE || shape->n != 1) {
        return false;
    }
    const struct aws_member *member = aws_members(shape);
    return strcmp(aws_text(member->name), "Value") == 0 && aws_shape(member->shape)->type == AWS_BOOLEAN;
}

static const char *const type_names[] = {
    [AWS_NONE] = "nothing",  [AWS_STRING] = "string", [AWS_INTEGER] = "integer", [AWS_LONG] = "integer",
    [AWS_DOUBLE] = "number", [AWS_FLOAT] = "number",  [AWS_BOOLEAN] = "boolean", [AWS_TIMESTAMP] = "timestamp",
    [AWS_BLOB] = "blob",     [AWS_LIST] = "list",     [AWS_MAP] = "map",         [AWS_STRUCTURE] = "structure",
};

const char *
shape_type_name(const struct aws_shape *shape)
{
    if (shape->type == AWS_LIST) {
        switch (aws_shape(shape->of)->type) {
        case AWS_STRUCTURE:
            return "list of structures";
        case AWS_INTEGER:
        case AWS_LONG:
            return "list of integers";
        default:
            return "list of strings";
        }
    }
    return type_names[shape->type];
}

/* EC2 distinguishes; the others answer one code for every mistake a client library would have caught. */
static const struct {
    const char *service, *codes[3];
} fault_codes[] = {
    { "ec2", { "MissingParameter", "InvalidParameterValue", "UnknownParameter" } },
    { "s3api", { "InvalidRequest", "InvalidArgument", "InvalidArgument" } },
    { "logs", { "InvalidParameterException", "InvalidParameterException", "InvalidParameterException" } },
    { "organizations", { "InvalidInputException", "InvalidInputException", "InvalidInputException" } },
    { "accessanalyzer", { "ValidationException", "ValidationException", "ValidationException" } },
    { NULL, { "ValidationError", "ValidationError", "ValidationError" } },
};

const char *
op_fault_code(const struct op *op, enum parameter_fault fault)
{
    if (!op->service) {
        return "";
    }
    size_t i = 0;
    while (fault_codes[i].service && strcmp(fault_codes[i].service, op->service) != 0) {
        i++;
    }
    return fault_codes[i].codes[fault];
}

/* ---- Checking against AWS's shapes ------------------------------------------------------------------------------- */

struct check {
    const struct op *op;
    enum check_mode mode;
    struct buf path; /* of the value being looked at */
    struct err *err;
};

static void *fault(struct check *check, enum parameter_fault kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void *
fault(struct check *check, enum parameter_fault kind, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    bool usage = check->mode == CHECK_ARGV || !check->op->service;
    err_vset(check->err, usage ? ERR_USAGE : ERR_INPUT, usage ? "" : op_fault_code(check->op, kind), format, args);
    va_end(args);
    err_at(check->err, buf_str(&check->path), 0, 0);
    return NULL;
}

static json_t *check_value(struct check *check, const struct aws_shape *shape, const char *name, const json_t *value);

/* Goes into a member and back; the caller cuts the path to 'size' again. */
static size_t
enter(struct check *check, const struct aws_member *member)
{
    size_t size = check->path.size;
    const char *option = aws_text(member->option);
    if (size == 0 && check->mode == CHECK_ARGV && option[0]) {
        buf_printf(&check->path, "--%s", option);
    } else {
        buf_printf(&check->path, "%s%s", size ? "." : "", aws_text(member->name));
    }
    return size;
}

static void
leave(struct check *check, size_t size)
{
    check->path.size = size;
    if (check->path.data) {
        check->path.data[size] = '\0';
    }
}

static const char *
json_type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "a structure";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
    case JSON_REAL:
        return "a number";
    case JSON_NULL:
        return "null";
    default:
        return "a boolean";
    }
}

static bool
in_limits(struct check *check, const struct aws_shape *shape, int64_t n, const char *of, enum parameter_fault kind)
{
    const struct aws_limit *limit = aws_limits_of(shape);
    bool over = limit && n > limit->max && check->mode != CHECK_ARGV; /* aws leaves the upper limit to the service */
    if (!limit || (n >= limit->min && !over)) {
        return true;
    }
    if (limit->has_min && limit->has_max) {
        fault(check, kind, "%s is %lld, which is not between %lld and %lld", of, (long long)n, (long long)limit->min,
              (long long)limit->max);
    } else if (limit->has_min) {
        fault(check, kind, "%s is %lld, which is less than %lld", of, (long long)n, (long long)limit->min);
    } else {
        fault(check, kind, "%s is %lld, which is more than %lld", of, (long long)n, (long long)limit->max);
    }
    return false;
}

static size_t
count_characters(const char *text)
{
    size_t n = 0;
    for (; *text; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

static bool
check_enum(struct check *check, const struct aws_shape *shape, const char *text)
{
    if (shape->n == 0 || check->mode == CHECK_ARGV) {
        return true;
    }
    struct suggest suggest = suggest_start(text);
    struct buf all = { 0 };
    for (size_t i = 0; i < shape->n; i++) {
        const char *value = aws_enum_value(shape, i);
        if (strcmp(value, text) == 0) {
            buf_done(&all);
            return true;
        }
        suggest_offer(&suggest, value);
        buf_printf(&all, "%s`%s`", i ? ", " : "", value);
    }
    fault(check, FAULT_VALUE, "`%s` is not a value of this parameter", text);
    if (suggest.best) {
        suggest_hint(&suggest, check->err, "");
    } else {
        err_hint(check->err, "one of %s", buf_str(&all));
    }
    buf_done(&all);
    return false;
}

static bool
check_pattern(struct check *check, const struct aws_shape *shape, const char *text)
{
    const char *pattern = aws_text(shape->pattern);
    regex_t regex;
    if (!pattern[0] || check->mode == CHECK_ARGV || regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB) != 0) {
        return true;
    }
    bool match = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    if (!match) {
        fault(check, FAULT_VALUE, "`%.80s` has characters or a form that this parameter does not allow", text);
        err_hint(check->err, "it must match %s", pattern);
    }
    return match;
}

static bool
ends_with(const char *text, size_t size, const char *ending)
{
    size_t n = strlen(ending);
    return n <= size && memcmp(text + size - n, ending, n) == 0;
}

/* Lua and the shell may give a policy as a table or JSON: the request carries its text. */
static bool
holds_document(const char *name)
{
    size_t size = strlen(name);
    return ends_with(name, size, "Document") || ends_with(name, size, "Policy") ||
           ends_with(name, size, "policyDocument") || ends_with(name, size, "PolicyInputList") ||
           strcmp(name, "Content") == 0;
}

static json_t *
check_string(struct check *check, const struct aws_shape *shape, const char *name, const json_t *value)
{
    char number[32];
    struct buf document = { 0 };
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        text = number;
    } else if (json_is_object(value) && holds_document(name)) {
        json_write_compact(value, &document);
        text = buf_str(&document);
    }
    json_t *out = NULL;
    if (!text) {
        fault(check, FAULT_VALUE, "a string is expected, not %s", json_type_name(value));
    } else if (in_limits(check, shape, (int64_t)count_characters(text), "its length", FAULT_VALUE) &&
               check_enum(check, shape, text) && check_pattern(check, shape, text)) {
        out = json_string(text);
    }
    buf_done(&document);
    return out;
}

/* The N of {"Items": N} where the size of a page stands: what `--max-items N` becomes.  The aws command counts the
 * items of the answer by it, so AWS's smallest and largest page do not bind it.  0: it is no such value. */
static json_int_t
page_items(const struct check *check, const json_t *value)
{
    const struct aws_operation *aws = check->mode == CHECK_CALL ? op_aws(check->op) : NULL;
    const struct aws_pager *pager = aws ? aws_pager_of(aws) : NULL;
    bool size = pager && strcmp(buf_str(&check->path), aws_text(pager->limit)) == 0;
    return size ? json_integer_value(json_object_get(value, "Items")) : 0;
}

static json_t *
check_integer(struct check *check, const struct aws_shape *shape, const json_t *value)
{
    long long n = (long long)json_integer_value(value);
    json_int_t items = page_items(check, value);
    if (items > 0) {
        return json_integer(items);
    }
    if (json_is_string(value)) {
        const char *text = json_string_value(value);
        char *end;
        n = strtoll(text, &end, 10);
        if (end == text || *end || isspace((unsigned char)*text)) {
            return fault(check, FAULT_VALUE, "`%s` is not an integer", text);
        }
    } else if (json_is_real(value) && json_real_value(value) == (double)(long long)json_real_value(value)) {
        n = (long long)json_real_value(value);
    } else if (!json_is_integer(value)) {
        return fault(check, FAULT_VALUE, "an integer is expected, not %s", json_type_name(value));
    }
    if (shape->type == AWS_INTEGER && (n < INT32_MIN || n > INT32_MAX)) {
        return fault(check, FAULT_VALUE, "`%lld` does not fit an integer of 32 bits", n);
    }
    return in_limits(check, shape, n, "its value", FAULT_VALUE) ? json_integer(n) : NULL;
}

static json_t *
check_real(struct check *check, const json_t *value)
{
    if (json_is_number(value)) {
        return json_real(json_number_value(value));
    }
    char *end = NULL;
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    double number = strtod(text, &end);
    return *text && !*end ? json_real(number)
                          : fault(check, FAULT_VALUE, "a number is expected, not %s", json_type_name(value));
}

static json_t *
check_boolean(struct check *check, const json_t *value)
{
    if (json_is_boolean(value)) {
        return json_boolean(json_is_true(value));
    }
    const char *text = json_is_string(value) ? json_string_value(value) : "";
    if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) {
        return json_boolean(text[0] == 't');
    }
    return fault(check, FAULT_VALUE, "`true` or `false` is expected, not %s",
                 json_is_string(value) ? text : json_type_name(value));
}

/* Times are kept as RFC 3339 text, whether they came as that or as seconds since 1970. */
static json_t *
check_timestamp(struct check *check, const json_t *value)
{
    int64_t ms;
    char text[32], *end = NULL;
    const char *given = json_is_string(value) ? json_string_value(value) : "";
    double seconds = json_is_number(value) ? json_number_value(value) : strtod(given, &end);
    if (json_is_number(value) || (*given && !*end)) {
        ms = (int64_t)(seconds * 1000.0);
    } else if (!clock_parse(given, &ms)) {
        size_t size = strlen(given);
        char day[48];
        snprintf(day, sizeof day, "%.16sT00:00:00Z", given);
        if (size != 10 || !clock_parse(day, &ms)) {
            fault(check, FAULT_VALUE, "`%s` is not a time", json_is_string(value) ? given : json_type_name(value));
            err_hint(check->err, "write 2026-01-02T03:04:05Z, or seconds since 1970");
            return NULL;
        }
    }
    clock_format_ms(ms, text);
    return json_string(text);
}

static json_t *
check_list(struct check *check, const struct aws_shape *shape, const char *name, const json_t *value)
{
    if (!json_is_array(value)) {
        return fault(check, FAULT_VALUE, "a list is expected, not %s", json_type_name(value));
    }
    if (!in_limits(check, shape, (int64_t)json_array_size(value), "the number of items", FAULT_VALUE)) {
        return NULL;
    }
    json_t *out = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        size_t size = check->path.size;
        buf_printf(&check->path, "[%zu]", i);
        json_t *item = check_value(check, aws_shape(shape->of), name, json_array_get(value, i));
        leave(check, size);
        if (!item) {
            json_decref(out);
            return NULL;
        }
        json_array_append_new(out, item);
    }
    return out;
}

static json_t *
check_map(struct check *check, const struct aws_shape *shape, const json_t *value)
{
    if (!json_is_object(value)) {
        return fault(check, FAULT_VALUE, "a map is expected, not %s", json_type_name(value));
    }
    json_t *out = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        size_t size = check->path.size;
        buf_printf(&check->path, ".%s", key);
        json_t *checked = check_value(check, aws_shape(shape->of), key, item);
        leave(check, size);
        if (!checked) {
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, key, checked);
    }
    return out;
}

static bool
check_unknown(struct check *check, const struct aws_shape *shape, const json_t *value)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        if (aws_member_find(shape, key)) {
            continue;
        }
        struct suggest suggest = suggest_start(key);
        const struct aws_member *members = aws_members(shape);
        for (size_t i = 0; i < shape->n; i++) {
            suggest_offer(&suggest, aws_text(members[i].name));
        }
        if (check->path.size) {
            fault(check, FAULT_UNKNOWN, "`%s` is not a member of this structure", key);
        } else {
            fault(check, FAULT_UNKNOWN, "`%s` is not a parameter of `%s`", key, op_words(check->op));
        }
        return suggest_hint(&suggest, check->err, "");
    }
    return true;
}

static json_t *
check_structure(struct check *check, const struct aws_shape *shape, const json_t *value)
{
    if (!json_is_object(value)) {
        return fault(check, FAULT_VALUE, "a structure is expected, not %s", json_type_name(value));
    }
    if (!check_unknown(check, shape, value)) {
        return NULL;
    }
    json_t *out = json_object();
    const struct aws_member *members = aws_members(shape);
    for (size_t i = 0; i < shape->n; i++) {
        const char *name = aws_text(members[i].name);
        const json_t *given = json_object_get(value, name);
        size_t size = enter(check, &members[i]);
        json_t *checked = NULL;
        bool absent = !given || json_is_null(given);
        if (!absent) {
            checked = check_value(check, aws_shape(members[i].shape), name, given);
        } else if (members[i].flags & AWS_REQUIRED && !(members[i].flags & AWS_IDEMPOTENCY_TOKEN)) {
            fault(check, FAULT_MISSING, "`%s` is missing", buf_str(&check->path));
        } else {
            leave(check, size);
            continue;
        }
        leave(check, size);
        if (!checked) {
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, name, checked);
    }
    return out;
}

static json_t *
check_value(struct check *check, const struct aws_shape *shape, const char *name, const json_t *value)
{
    switch ((enum aws_type)shape->type) {
    case AWS_STRING:
        return check_string(check, shape, name, value);
    case AWS_INTEGER:
    case AWS_LONG:
        return check_integer(check, shape, value);
    case AWS_DOUBLE:
    case AWS_FLOAT:
        return check_real(check, value);
    case AWS_BOOLEAN:
        return check_boolean(check, value);
    case AWS_TIMESTAMP:
        return check_timestamp(check, value);
    case AWS_BLOB: /* base64 text */
        return json_is_string(value) ? json_copy((json_t *)value)
                                     : fault(check, FAULT_VALUE, "base64 text is expected");
    case AWS_LIST:
        return check_list(check, shape, name, value);
    case AWS_MAP:
        return check_map(check, shape, value);
    case AWS_STRUCTURE:
        return check_structure(check, shape, value);
    case AWS_NONE:
        break;
    }
    return fault(check, FAULT_VALUE, "this parameter has no type");
}

/* ---- Checking a lab verb's own parameters ------------------------------------------------------------------------ */

static json_t *
check_choice(struct check *check, const struct op_param *param, const char *text)
{
    struct suggest suggest = suggest_start(text);
    char choices[256], *save = NULL;
    snprintf(choices, sizeof choices, "%s", param->choices);
    for (char *word = strtok_r(choices, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        if (strcmp(word, text) == 0) {
            return json_string(text);
        }
        suggest_offer(&suggest, word);
    }
    fault(check, FAULT_VALUE, "`%s` is not one of: %s", text, param->choices);
    suggest_hint(&suggest, check->err, "");
    return NULL;
}

static json_t *
check_words(struct check *check, const json_t *value)
{
    if (json_is_string(value)) {
        json_t *list = json_array();
        json_array_append(list, (json_t *)value);
        return list;
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        if (!json_is_string(json_array_get(value, i))) {
            return fault(check, FAULT_VALUE, "a list of strings is expected");
        }
    }
    return json_is_array(value) ? json_copy((json_t *)value)
                                : fault(check, FAULT_VALUE, "a list of strings is expected");
}

static json_t *
check_param(struct check *check, const struct op_param *param, const json_t *value)
{
    static const struct aws_shape integer = { .type = AWS_LONG };
    char number[32];
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(value));
        text = number;
    }
    struct cidr cidr;
    int protocol;
    json_t *out;
    switch (param->type) {
    case OP_INT:
        return check_integer(check, &integer, value);
    case OP_PORT:
        out = check_integer(check, &integer, value);
        if (out && (json_integer_value(out) < 0 || json_integer_value(out) > 65535)) {
            json_decref(out);
            return fault(check, FAULT_VALUE, "`%s` is not a port, 0 to 65535", text);
        }
        return out;
    case OP_BOOL:
        return check_boolean(check, value);
    case OP_LIST:
    case OP_REST:
        return check_words(check, value);
    case OP_JSON:
        return json_deep_copy(value);
    case OP_PROTOCOL:
        if (text && !protocol_parse(text, &protocol)) {
            return fault(check, FAULT_VALUE, "`%s` is not a protocol: tcp, udp, icmp, icmpv6, all or a number", text);
        }
        break;
    case OP_ADDRESS:
        if (text && !cidr_parse_loose(text, &cidr)) {
            return fault(check, FAULT_VALUE, "`%s` is not an address", text);
        }
        break;
    case OP_STRING:
        if (text && param->choices) {
            return check_choice(check, param, text);
        }
        break;
    case OP_ENDPOINT:
    case OP_PATH:
        if (text && !*text) {
            fault(check, FAULT_VALUE, "the word is empty");
            err_hint(check->err, "%s", param->help);
            return NULL;
        }
        break;
    }
    return text ? json_string(text) : fault(check, FAULT_VALUE, "a string is expected, not %s", json_type_name(value));
}

static void
param_path(struct check *check, const struct op_param *param)
{
    char option[64];
    option_spelling(param->name, '-', option, sizeof option);
    leave(check, 0);
    if (check->mode == CHECK_CALL) {
        buf_str_add(&check->path, param->name);
    } else if (param->flags & OP_POSITIONAL) {
        for (char *p = option; *p; p++) {
            *p = (char)toupper((unsigned char)*p);
        }
        buf_str_add(&check->path, option);
    } else {
        buf_printf(&check->path, "--%s", option);
    }
}

static json_t *
check_params(struct check *check, const json_t *in)
{
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)in, key, item)
    {
        const struct op_param *param = check->op->params;
        while (param && param->name && strcmp(param->name, key) != 0) {
            param++;
        }
        if (!param || !param->name) {
            return fault(check, FAULT_UNKNOWN, "`%s` is not a parameter of `%s`", key, op_words(check->op));
        }
    }
    json_t *out = json_object();
    for (const struct op_param *param = check->op->params; param && param->name; param++) {
        const json_t *given = json_object_get(in, param->name);
        json_t *checked = NULL;
        param_path(check, param);
        if (given && !json_is_null(given)) {
            checked = check_param(check, param, given);
        } else if (param->flags & OP_REQUIRED) {
            fault(check, FAULT_MISSING, "`%s` is missing", buf_str(&check->path));
            if (param->help) {
                err_hint(check->err, "%s: %s", buf_str(&check->path), param->help);
            }
        } else {
            continue;
        }
        if (!checked) {
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, param->name, checked);
    }
    return out;
}

/* What the lab adds to an AWS operation is checked as a lab verb's, the rest against AWS's shape. */
static json_t *
check_with_own(struct check *check, const struct aws_shape *shape, const json_t *in)
{
    json_t *rest = json_copy((json_t *)in), *own = json_object();
    for (const struct op_param *param = check->op->params; param && param->name; param++) {
        json_t *given = json_object_get(in, param->name);
        if (given) {
            json_object_set(own, param->name, given);
            json_object_del(rest, param->name);
        }
    }
    json_t *out = check_structure(check, shape, rest), *checked = out ? check_params(check, own) : NULL;
    if (checked) {
        json_object_update(out, checked);
    } else {
        json_decref(out);
        out = NULL;
    }
    json_decref(checked);
    json_decref(rest);
    json_decref(own);
    return out;
}

json_t *
op_check(const struct op *op, const json_t *in, enum check_mode mode, struct err *err)
{
    struct check check = { .op = op, .mode = mode, .err = err };
    static const struct aws_shape nothing = { .type = AWS_STRUCTURE };
    json_t *out;
    if (op->service) {
        const struct aws_operation *aws = op_aws(op);
        const struct aws_shape *shape = aws ? aws_shape(aws->input) : NULL;
        out = check_with_own(&check, shape ? shape : &nothing, in);
    } else {
        out = check_params(&check, in);
    }
    buf_done(&check.path);
    return out;
}
