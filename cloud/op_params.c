/* cloud/op_params.c - the parameters of an operation as faces and completion see them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/map.h"
#include "base/vec.h"
#include "cloud/complete_words.h"
#include "cloud/op_argv.h"

struct param_list {
    VEC(struct op_param_info) infos;
};

static const char *const *
enum_choices(const struct aws_shape *shape)
{
    static const char *const flag[] = { "true", "false", NULL };
    if (shape->type == AWS_LIST) {
        shape = aws_shape(shape->of);
    }
    if (shape_is_flag(shape)) {
        return flag;
    }
    if (shape->type != AWS_STRING || shape->n == 0) {
        return NULL;
    }
    const char **choices = xcalloc(shape->n + 1u, sizeof *choices);
    for (size_t i = 0; i < shape->n; i++) {
        choices[i] = aws_enum_value(shape, i);
    }
    return choices;
}

static void
snake(struct op_param_info *info)
{
    snprintf(info->variable, sizeof info->variable, "%s", info->option);
    for (char *p = info->variable; *p; p++) {
        *p = *p == '-' ? '_' : *p;
    }
}

static void
aws_params(const struct op *op, struct param_list *list)
{
    const struct aws_operation *aws = op_aws(op);
    const struct aws_shape *input = aws ? aws_shape(aws->input) : NULL;
    const struct aws_member *members = input ? aws_members(input) : NULL;
    for (size_t i = 0; input && i < input->n; i++) {
        const struct aws_shape *shape = aws_shape(members[i].shape);
        if (argv_hides(op, aws_text(members[i].option))) {
            continue;
        }
        struct op_param_info *info = VEC_ADD(&list->infos);
        info->name = aws_text(members[i].name);
        snprintf(info->option, sizeof info->option, "%s", aws_text(members[i].option));
        snake(info);
        info->type = shape_type_name(shape);
        info->help = "";
        info->required = members[i].flags & AWS_REQUIRED && !(members[i].flags & AWS_IDEMPOTENCY_TOKEN);
        info->list = shape->type == AWS_LIST;
        info->flag = shape->type == AWS_BOOLEAN || shape_is_flag(shape);
        info->kind = op_member_kind(op, info->name);
        info->choices = enum_choices(shape);
        info->words = complete_words_of(op, info->name);
    }
    for (const struct argv_custom *custom = argv_customs; custom->option; custom++) {
        if (argv_custom_applies(custom, op)) {
            struct op_param_info *info = VEC_ADD(&list->infos);
            info->name = "";
            snprintf(info->option, sizeof info->option, "%s", custom->option);
            snake(info);
            info->type = custom->type == CUSTOM_FLAG   ? "boolean"
                         : custom->type == CUSTOM_LIST ? "list of strings"
                                                       : "string";
            info->help = custom->help;
            info->list = custom->type == CUSTOM_LIST;
            info->flag = custom->type == CUSTOM_FLAG;
            info->kind = strcmp(custom->option, "source-group") == 0 ? "sg" : NULL;
        }
    }
}

static const char *const param_types[] = {
    [OP_STRING] = "string",     [OP_INT] = "integer", [OP_BOOL] = "boolean",      [OP_LIST] = "list of strings",
    [OP_JSON] = "JSON",         [OP_PORT] = "port",   [OP_PROTOCOL] = "protocol", [OP_PATH] = "path",
    [OP_ENDPOINT] = "endpoint", [OP_REST] = "words",  [OP_ADDRESS] = "address",
};

static const char *const *
word_choices(const char *words)
{
    VEC(const char *) list = { 0 };
    char *copy = xstrdup(words), *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        *VEC_ADD(&list) = word;
    }
    *VEC_ADD(&list) = NULL;
    return list.items;
}

static void
lab_params(const struct op *op, struct param_list *list)
{
    for (const struct op_param *param = op->params; param && param->name; param++) {
        struct op_param_info *info = VEC_ADD(&list->infos);
        info->name = param->name;
        option_spelling(param->name, '-', info->option, sizeof info->option);
        snake(info);
        info->type = param_types[param->type];
        info->help = param->help ? param->help : "";
        info->kind = param->kind ? param->kind : param->type == OP_ENDPOINT ? "" : NULL;
        info->required = param->flags & OP_REQUIRED;
        info->positional = param->flags & OP_POSITIONAL;
        info->list = param->type == OP_LIST || param->type == OP_REST;
        info->flag = param->type == OP_BOOL;
        info->choices = param->choices ? word_choices(param->choices) : NULL;
        info->words = param->words;
    }
}

size_t
op_params(const struct op *op, const struct op_param_info **params)
{
    /* A row's parameters never change, so they are worked out once and stay until the program ends. */
    static struct map lists;
    char key[24];
    snprintf(key, sizeof key, "%p", (const void *)op);
    struct param_list *list = map_get(&lists, key);
    if (!list) {
        list = xcalloc(1, sizeof *list);
        if (op->service) {
            aws_params(op, list);
        }
        lab_params(op, list);
        map_put(&lists, key, list);
    }
    *params = list->infos.items;
    return list->infos.n;
}

/* PATH of `--option file://PATH` or `--option=file://PATH`; NULL if the option was not given so. */
static const char *
given_file(const char *option, size_t n, char *const *words)
{
    size_t size = strlen(option);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], "--", 2) != 0 || strncmp(words[i] + 2, option, size) != 0) {
            continue;
        }
        const char *rest = words[i] + 2 + size, *value = *rest == '='          ? rest + 1
                                                         : !*rest && i + 1 < n ? words[i + 1]
                                                                               : "";
        if (strncmp(value, "file://", 7) == 0) {
            return value + 7;
        }
    }
    return NULL;
}

/* A parameter that holds a document with lines of its own. */
static bool
is_document(const char *name)
{
    size_t size = strlen(name);
    return strcmp(name, "Policy") == 0 || strcmp(name, "Content") == 0 ||
           (size > 8 && strcmp(name + size - 8, "Document") == 0);
}

static bool
is_given(const char *option, size_t n, char *const *words)
{
    size_t size = strlen(option);
    for (size_t i = 0; i < n; i++) {
        if (strncmp(words[i], "--", 2) == 0 && strncmp(words[i] + 2, option, size) == 0 &&
            (!words[i][2 + size] || words[i][2 + size] == '=')) {
            return true;
        }
    }
    return false;
}

void
op_spell_where(const struct op *op, size_t n_words, char *const *words, struct err *err)
{
    const struct op_param_info *infos;
    size_t n = op_params(op, &infos), size = strcspn(err->where, ".["), i = 0, document = 0;
    while (i < n && (!size || strlen(infos[i].name) != size || memcmp(infos[i].name, err->where, size) != 0)) {
        i++;
    }
    /* A policy calls itself by its name; the person knows the file or the option it came from. */
    while (op->service && document < n &&
           !(is_document(infos[document].name) && is_given(infos[document].option, n_words, words))) {
        document++;
    }
    bool in_document = op->service && i == n && err->line && err->code[0] && document < n;
    i = in_document ? document : i;
    if (i == n) {
        return;
    }
    char rest[sizeof err->where];
    const char *file = err->line ? given_file(infos[i].option, n_words, words) : NULL;
    snprintf(rest, sizeof rest, "%s", in_document ? "" : err->where + size);
    if (file) {
        snprintf(err->where, sizeof err->where, "%s", file);
    } else {
        snprintf(err->where, sizeof err->where, "%s%.60s%.80s", infos[i].positional ? "" : "--", infos[i].option, rest);
    }
}
