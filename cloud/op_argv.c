/* cloud/op_argv.c - a command line's words to an operation's JSON object.
 *
 * The rules are the aws command's: `--opt value`, `--opt=value`, lists take every word up to the next option, a flag
 * has a --no- form, the last of two equal options counts; values may be JSON, shorthand, file://PATH, fileb://PATH or
 * `-`. */
#include "base/base64.h"
#include "cloud/op_argv.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/shorthand.h"
#include "cloud/suggest.h"

#define VALUE_LIMIT (16u << 20) /* bytes of one file:// */

struct reader {
    const struct op *op;
    const struct aws_shape *input; /* AWS operations */
    size_t n, at;
    char *const *words;
    json_t *in;
    json_t *seen;        /* options given, by name without dashes */
    size_t n_positional; /* lab verbs: how many are filled */
    bool only_operands;  /* after -- */
    long most;           /* --max-items; 0: all */
    struct err *err;
};

/* What an option's name stands for; one of the pointers is set. */
struct option {
    char name[80]; /* "--cidr-block" */
    const struct aws_member *member;
    const struct op_param *param;
    const struct argv_custom *custom;
    bool negated;
    const char *value; /* after =; NULL */
};

/* ---- Finding the option ------------------------------------------------------------------------------------------ */

static bool
is_flag(const struct option *option)
{
    if (option->custom) {
        return option->custom->type == CUSTOM_FLAG;
    }
    if (option->param) {
        return option->param->type == OP_BOOL;
    }
    return aws_shape(option->member->shape)->type == AWS_BOOLEAN;
}

static bool
may_negate(const struct option *option)
{
    return is_flag(option) || (option->member && shape_is_flag(aws_shape(option->member->shape)));
}

static bool
look_up(const struct reader *reader, const char *name, struct option *option)
{
    for (const struct argv_custom *custom = argv_customs; custom->option; custom++) {
        if (strcmp(custom->option, name) == 0 && argv_custom_applies(custom, reader->op)) {
            option->custom = custom;
            return true;
        }
    }
    for (const struct op_param *param = reader->op->params; param && param->name; param++) {
        char spelled[64];
        option_spelling(param->name, '-', spelled, sizeof spelled);
        if (strcmp(spelled, name) == 0) {
            option->param = param;
            return true;
        }
    }
    const struct aws_member *members = reader->input ? aws_members(reader->input) : NULL;
    for (size_t i = 0; members && i < reader->input->n; i++) {
        if (strcmp(aws_text(members[i].option), name) == 0 && !argv_hides(reader->op, name)) {
            option->member = &members[i];
            return true;
        }
    }
    return false;
}

static bool
unknown_option(struct reader *reader, const char *name)
{
    const struct op_param_info *infos, *begins = NULL;
    size_t n = op_params(reader->op, &infos), n_begins = 0;
    struct suggest suggest = suggest_start(name);
    for (size_t i = 0; i < n; i++) {
        suggest_offer(&suggest, infos[i].option);
        if (strncmp(infos[i].option, name, strlen(name)) == 0) {
            begins = &infos[i];
            n_begins++;
        }
    }
    err_set(reader->err, ERR_USAGE, "", "`--%s` is not an option of `%s`", name, op_words(reader->op));
    if (n_begins == 1) {
        return err_hint(reader->err, "write it in full: `--%s`", begins->option);
    }
    return suggest_hint(&suggest, reader->err, "--");
}

static bool
find_option(struct reader *reader, const char *word, struct option *option)
{
    *option = (struct option){ 0 };
    const char *name = word + 2, *equals = strchr(name, '=');
    char plain[72];
    snprintf(plain, sizeof plain, "%.*s", equals ? (int)(equals - name) : (int)strlen(name), name);
    snprintf(option->name, sizeof option->name, "--%s", plain);
    option->value = equals ? equals + 1 : NULL;
    if (look_up(reader, plain, option)) {
        return true;
    }
    if (strncmp(plain, "no-", 3) == 0 && look_up(reader, plain + 3, option)) {
        option->negated = true;
        if (!may_negate(option)) {
            return err_set(reader->err, ERR_USAGE, "", "`%s` makes no sense: `--%s` is not a flag", option->name,
                           plain + 3);
        }
        return true;
    }
    return unknown_option(reader, plain);
}

/* ---- Values ------------------------------------------------------------------------------------------------------ */

/* What a value written as file://, fileb:// or `-` stands for; else itself.  The caller frees it; NULL on failure. */
static bool
read_text(const char *value, struct buf *text, struct err *err)
{
    if (strncmp(value, "file://", 7) == 0) {
        return buf_read_file(text, value + 7, VALUE_LIMIT, err);
    }
    if (strncmp(value, "fileb://", 8) == 0) {
        return buf_read_file(text, value + 8, VALUE_LIMIT, err);
    }
    if (strcmp(value, "-") == 0) {
        return buf_read_file(text, "-", VALUE_LIMIT, err);
    }
    buf_str_add(text, value);
    return true;
}

static const char *
value_source(const char *name, const char *value)
{
    return strncmp(value, "file://", 7) == 0 ? value + 7 : name;
}

/* Shorthand has only strings and does not know lists of one: the shape says where they are meant. Takes 'value'. */
static json_t *
fit(const struct aws_shape *shape, json_t *value)
{
    if (shape->type == AWS_LIST && !json_is_array(value)) {
        json_t *list = json_array();
        json_array_append_new(list, fit(aws_shape(shape->of), value));
        return list;
    }
    if (shape->type == AWS_LIST) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_array_set_new(value, i, fit(aws_shape(shape->of), json_incref(json_array_get(value, i))));
        }
    } else if (shape->type == AWS_STRUCTURE && json_is_object(value)) {
        const struct aws_member *members = aws_members(shape);
        for (size_t i = 0; i < shape->n; i++) {
            json_t *member = json_object_get(value, aws_text(members[i].name));
            if (member) {
                json_object_set_new(value, aws_text(members[i].name),
                                    fit(aws_shape(members[i].shape), json_incref(member)));
            }
        }
    }
    return value;
}

static json_t *
read_short(struct reader *reader, const struct option *option, const struct aws_shape *shape, const char *text)
{
    if (shape->type == AWS_STRUCTURE && shape->n == 1 && !strchr(text, '=')) {
        /* As the aws command: a structure of one text may be given as the text (elb ... --instances i-0a1b). */
        const struct aws_member *only = aws_members(shape);
        if (aws_shape(only->shape)->type == AWS_STRING) {
            return json_pack("{s:s}", aws_text(only->name), text);
        }
    }
    json_t *value = shorthand_read(text, reader->err);
    if (!value) {
        err_at(reader->err, option->name, 0, 0);
        reader->err->line = 0; /* a place within one word of the command line is its column only */
        snprintf(reader->err->where, sizeof reader->err->where, "%s", option->name);
        err_hint(reader->err, "write Key=value,Other=value or JSON");
        return NULL;
    }
    return fit(shape, value);
}

static char
first_letter(const char *text)
{
    return text[strspn(text, " \t\r\n")];
}

static json_t *
read_blob(const struct aws_member *member, const char *value, struct err *err)
{
    /* What is uploaded is named by its path; other blobs are given as they are. */
    struct buf bytes = { 0 };
    bool path = member->flags & AWS_PAYLOAD && strncmp(value, "file", 4) != 0 && strcmp(value, "-") != 0;
    json_t *out = NULL;
    if (path ? buf_read_file(&bytes, value, VALUE_LIMIT, err) : read_text(value, &bytes, err)) {
        char *encoded = base64_text(buf_str(&bytes), bytes.size);
        out = json_string(encoded);
        free(encoded);
    }
    buf_done(&bytes);
    return out;
}

/* One word as a value of 'shape'. */
static json_t *
read_one(struct reader *reader, const struct option *option, const struct aws_shape *shape, const char *value)
{
    if (shape->type == AWS_BLOB) {
        return read_blob(option->member, value, reader->err);
    }
    struct buf text = { 0 };
    if (!read_text(value, &text, reader->err)) {
        buf_done(&text);
        return NULL;
    }
    json_t *out = NULL;
    char first = first_letter(buf_str(&text));
    if (shape->type != AWS_STRUCTURE && shape->type != AWS_MAP && shape->type != AWS_LIST) {
        out = json_stringn(buf_str(&text), text.size);
        if (!out) {
            err_set(reader->err, ERR_USAGE, "", "the value is not UTF-8 text");
            err_at(reader->err, option->name, 0, 0);
        }
    } else if (first == '{' && shape->type == AWS_LIST && aws_shape(shape->of)->type == AWS_STRING) {
        /* A document for a list of strings is its text, with the lines of the file. */
        out = json_pack("[s%]", buf_str(&text), text.size);
        if (!out) {
            err_set(reader->err, ERR_USAGE, "", "the value is not UTF-8 text");
            err_at(reader->err, option->name, 0, 0);
        }
    } else if (first == '{' || first == '[') {
        out = json_read(buf_str(&text), text.size, value_source(option->name, value), reader->err);
    } else {
        out = read_short(reader, option, shape, buf_str(&text));
    }
    buf_done(&text);
    return out;
}

/* All words of a list option. One word may be the whole list as JSON. */
static json_t *
read_list(struct reader *reader, const struct option *option, const struct aws_shape *shape, size_t n,
          char *const *values)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        bool file = strncmp(values[i], "file://", 7) == 0 || strcmp(values[i], "-") == 0;
        bool whole = n == 1 && (file || first_letter(values[i]) == '[');
        json_t *item = read_one(reader, option, whole ? shape : aws_shape(shape->of), values[i]);
        if (whole && item) {
            json_decref(list);
            return fit(shape, item);
        }
        if (!item || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Words that belong to the option: one, or all up to the next option. */
static bool
take_values(struct reader *reader, struct option *option, bool many, bool optional, size_t *n, char *const **values)
{
    static const char *inline_value[1];
    if (option->value) {
        inline_value[0] = option->value;
        *n = 1;
        *values = (char *const *)inline_value;
        return true;
    }
    size_t first = reader->at;
    while (reader->at < reader->n && strncmp(reader->words[reader->at], "--", 2) != 0 &&
           (many || reader->at == first)) {
        reader->at++;
    }
    *n = reader->at - first;
    *values = reader->words + first;
    if (*n == 0 && !optional) {
        err_set(reader->err, ERR_USAGE, "", "`%s` needs a value", option->name);
        return err_at(reader->err, option->name, 0, 0);
    }
    return true;
}

static bool
flag_value(struct reader *reader, const struct option *option, bool *value)
{
    *value = !option->negated;
    if (!option->value) {
        return true;
    }
    if (strcmp(option->value, "true") != 0 && strcmp(option->value, "false") != 0) {
        return err_set(reader->err, ERR_USAGE, "", "`%s` is a flag: it takes no value `%s`", option->name,
                       option->value);
    }
    *value = (option->value[0] == 't') != option->negated;
    return true;
}

static bool
read_member(struct reader *reader, struct option *option)
{
    const struct aws_shape *shape = aws_shape(option->member->shape);
    const char *name = aws_text(option->member->name);
    bool flag = shape_is_flag(shape), on, list = shape->type == AWS_LIST;
    size_t n;
    char *const *values;
    json_t *value;
    if (option->negated || shape->type == AWS_BOOLEAN) {
        if (!flag_value(reader, option, &on)) {
            return false;
        }
        value = flag ? json_pack("{s:b}", "Value", on) : json_boolean(on);
    } else if (!take_values(reader, option, list, flag, &n, &values)) {
        return false;
    } else if (n == 0) {
        value = json_pack("{s:b}", "Value", 1);
    } else {
        value = list ? read_list(reader, option, shape, n, values) : read_one(reader, option, shape, values[0]);
    }
    return value && json_object_set_new(reader->in, name, value) == 0;
}

static json_t *
string_list(size_t n, char *const *values)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(list, json_string(values[i]));
    }
    return list;
}

static bool
read_custom(struct reader *reader, struct option *option)
{
    json_t *value;
    size_t n;
    char *const *values;
    if (option->custom->type == CUSTOM_FLAG) {
        bool on;
        if (!flag_value(reader, option, &on)) {
            return false;
        }
        value = json_boolean(on);
    } else {
        bool many = option->custom->type == CUSTOM_LIST;
        if (!take_values(reader, option, many, false, &n, &values)) {
            return false;
        }
        value = many ? string_list(n, values) : json_string(values[0]);
    }
    /* Where the long form stands beside it, read_words() refuses both; it must not be written over before. */
    bool both = option->custom->against && json_object_get(reader->seen, option->custom->against);
    bool done = both || option->custom->put(reader->in, value, reader->err) || err_at(reader->err, option->name, 0, 0);
    json_decref(value);
    return done;
}

/* ---- Lab verbs --------------------------------------------------------------------------------------------------- */

static json_t *
param_value(struct reader *reader, const struct op_param *param, const char *name, size_t n, char *const *values)
{
    struct buf text = { 0 };
    json_t *out = NULL;
    if (param->type == OP_LIST || param->type == OP_REST) {
        return string_list(n, values);
    }
    if (param->type == OP_JSON) {
        if (read_text(values[0], &text, reader->err)) {
            out = json_read(buf_str(&text), text.size, value_source(name, values[0]), reader->err);
        }
        buf_done(&text);
        return out;
    }
    /* A path of `-` is standard input, which the verb itself reads. */
    if (param->type == OP_PATH || param->type == OP_ENDPOINT) {
        return json_string(values[0]);
    }
    if (read_text(values[0], &text, reader->err)) {
        out = json_stringn(buf_str(&text), text.size);
    }
    buf_done(&text);
    return out;
}

static bool
read_param(struct reader *reader, struct option *option)
{
    json_t *value;
    size_t n;
    char *const *values;
    if (option->param->type == OP_BOOL) {
        bool on;
        if (!flag_value(reader, option, &on)) {
            return false;
        }
        value = json_boolean(on);
    } else if (!take_values(reader, option, option->param->type == OP_LIST, option->param->flags & OP_STDIN, &n,
                            &values)) {
        return false;
    } else if (n == 0) {
        value = json_string("-");
    } else {
        value = param_value(reader, option->param, option->name, n, values);
    }
    return value && json_object_set_new(reader->in, option->param->name, value) == 0;
}

static const struct op_param *
positional(const struct reader *reader, size_t index)
{
    const struct op_param *param = reader->op->service ? NULL : reader->op->params;
    for (; param && param->name; param++) {
        if (param->flags & OP_POSITIONAL && index-- == 0) {
            return param;
        }
    }
    return NULL;
}

static bool
read_operand(struct reader *reader)
{
    const struct op_param *param = positional(reader, reader->n_positional);
    char *word = reader->words[reader->at];
    if (!param) {
        err_set(reader->err, ERR_USAGE, "", "`%s` is one word too many for `%s`", word, op_words(reader->op));
        if (reader->op->service) {
            err_hint(reader->err, "parameters are options, such as --%s",
                     reader->input && reader->input->n ? aws_text(aws_members(reader->input)->option) : "dry-run");
        }
        return false;
    }
    size_t n = 1;
    if (param->type == OP_REST) {
        n = reader->n - reader->at;
    } else if (param->type == OP_LIST) {
        while (reader->at + n < reader->n && strncmp(reader->words[reader->at + n], "--", 2) != 0) {
            n++;
        }
    }
    json_t *value = param_value(reader, param, param->name, n, reader->words + reader->at);
    reader->at += n;
    reader->n_positional++;
    return value && json_object_set_new(reader->in, param->name, value) == 0;
}

/* ---- The whole line ---------------------------------------------------------------------------------------------- */

static bool
read_whole_json(struct reader *reader, struct option *option)
{
    size_t n;
    char *const *values;
    struct buf text = { 0 };
    if (!take_values(reader, option, false, false, &n, &values) || !read_text(values[0], &text, reader->err)) {
        buf_done(&text);
        return false;
    }
    json_t *json = json_read(buf_str(&text), text.size, value_source(option->name, values[0]), reader->err);
    buf_done(&text);
    if (json && !json_is_object(json)) {
        err_set(reader->err, ERR_USAGE, "", "`%s` takes a JSON object", option->name);
    }
    bool good = json_is_object(json);
    if (good) {
        json_object_update_missing(reader->in, json); /* options beside it win */
    }
    json_decref(json);
    return good;
}

/* The aws command pages by itself, with options of its own.  Here one answer has everything unless fewer were asked
 * for, so these say it in the operation's own parameters; --page-size and --no-paginate change the number of requests
 * there and never the answer. */
static const struct {
    const char *option;
    enum { PAGE_NOTHING, PAGE_VALUE, PAGE_LIMIT, PAGE_TOKEN } what;
} paging[] = {
    { "--no-paginate", PAGE_NOTHING },
    { "--page-size", PAGE_VALUE },
    { "--max-items", PAGE_LIMIT },
    { "--starting-token", PAGE_TOKEN },
};

static bool
read_paging(struct reader *reader, const char *word, bool *done)
{
    const struct aws_operation *aws = op_aws(reader->op);
    const struct aws_pager *pager = aws ? aws_pager_of(aws) : NULL;
    struct option option = { 0 };
    size_t size = strcspn(word, "="), n, i = 0;
    char *const *values;
    while (i < ARRAY_SIZE(paging) && (strlen(paging[i].option) != size || memcmp(paging[i].option, word, size) != 0)) {
        i++;
    }
    if (!pager || i == ARRAY_SIZE(paging) || look_up(reader, paging[i].option + 2, &option)) {
        return false;
    }
    snprintf(option.name, sizeof option.name, "%s", paging[i].option);
    option.value = word[size] ? word + size + 1 : NULL;
    *done = true;
    if (paging[i].what == PAGE_NOTHING) {
        return true;
    }
    *done = take_values(reader, &option, false, false, &n, &values);
    const char *member = aws_text(paging[i].what == PAGE_LIMIT ? pager->limit : pager->input_token);
    bool number = *done && paging[i].what != PAGE_TOKEN;
    if (number && (values[0][strspn(values[0], "0123456789")] || strtol(values[0], NULL, 10) < 1)) {
        *done = err_set(reader->err, ERR_USAGE, "", "`%s` is not a number of items", values[0]);
        err_at(reader->err, option.name, 0, 0);
    } else if (*done && paging[i].what != PAGE_VALUE && !member[0]) {
        *done = err_set(reader->err, ERR_USAGE, "", "`%s` cannot be limited", op_words(reader->op));
    } else if (*done && paging[i].what == PAGE_LIMIT) {
        reader->most = strtol(values[0], NULL, 10);
    } else if (*done && paging[i].what == PAGE_TOKEN) {
        json_object_set_new(reader->in, member, json_string(values[0]));
    }
    return true;
}

static bool
read_option(struct reader *reader)
{
    struct option option;
    const char *word = reader->words[reader->at++];
    if (reader->op->service && (strcmp(word, "--cli-input-json") == 0 || strncmp(word, "--cli-input-json=", 17) == 0)) {
        option = (struct option){ .name = "--cli-input-json", .value = word[16] ? word + 17 : NULL };
        return read_whole_json(reader, &option);
    }
    bool done = false;
    if (reader->op->service && read_paging(reader, word, &done)) {
        return done;
    }
    if (!find_option(reader, word, &option)) {
        return false;
    }
    json_object_set_new(reader->seen, option.name + 2, json_true());
    if (option.custom) {
        return read_custom(reader, &option);
    }
    return option.param ? read_param(reader, &option) : read_member(reader, &option);
}

/* `--protocol tcp` beside `--ip-permissions ...`: the aws command refuses it, and so must we. */
static bool
check_conflicts(struct reader *reader)
{
    for (const struct argv_custom *custom = argv_customs; custom->option; custom++) {
        if (custom->against && json_object_get(reader->seen, custom->option) &&
            json_object_get(reader->seen, custom->against) && argv_custom_applies(custom, reader->op)) {
            return err_set(reader->err, ERR_USAGE, "", "`--%s` and `--%s` cannot be given together", custom->option,
                           custom->against);
        }
    }
    return true;
}

static bool
read_words(struct reader *reader)
{
    while (reader->at < reader->n) {
        const char *word = reader->words[reader->at];
        const struct op_param *next = positional(reader, reader->n_positional);
        bool rest = next && next->type == OP_REST && (word[0] != '-' || reader->only_operands);
        if (!reader->only_operands && strcmp(word, "--") == 0) {
            reader->only_operands = true;
            reader->at++;
        } else if (!reader->only_operands && !rest && strncmp(word, "--", 2) == 0) {
            if (!read_option(reader)) {
                return false;
            }
        } else if (!reader->only_operands && !rest && word[0] == '-' && isalpha((unsigned char)word[1])) {
            return err_set(reader->err, ERR_USAGE, "", "`%s` is not an option of `%s`", word, op_words(reader->op));
        } else if (!read_operand(reader)) {
            return false;
        }
    }
    return check_conflicts(reader);
}

json_t *
op_read_argv(const struct op *op, size_t n, char *const *words, struct err *err)
{
    const struct aws_operation *aws = op_aws(op);
    struct reader reader = {
        .op = op, .input = aws ? aws_shape(aws->input) : NULL, .n = n, .words = words, .err = err
    };
    reader.in = json_object();
    reader.seen = json_object();
    json_t *out = NULL;
    if (read_words(&reader) && argv_finish(op, reader.in, err)) {
        out = op_check(op, reader.in, CHECK_ARGV, err);
    }
    if (out && reader.most) { /* see page_items() in op_types.c */
        json_object_set_new(out, aws_text(aws_pager_of(aws)->limit),
                            json_pack("{s:I}", "Items", (json_int_t)reader.most));
    }
    json_decref(reader.in);
    json_decref(reader.seen);
    return out;
}
