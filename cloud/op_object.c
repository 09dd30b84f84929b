/* cloud/op_object.c - a Lua table or another face's object to AWS's spelling: cidr_block -> CidrBlock, at every depth.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/vec.h"
#include "cloud/op_types.h"
#include "cloud/suggest.h"

static json_t *respell(const struct op *op, const struct aws_shape *shape, const json_t *value, struct err *err);

/* Offers a member's name as the person spells names, CidrBlock or cidr_block; 'keep' holds the nearest. */
static void
offer_name(struct suggest *suggest, const char *name, char keep[static 80])
{
    char text[80];
    if (islower((unsigned char)suggest->word[0]) && isupper((unsigned char)name[0])) {
        option_spelling(name, '_', text, sizeof text);
    } else {
        snprintf(text, sizeof text, "%s", name);
    }
    suggest_offer(suggest, text);
    if (suggest->best == text) {
        suggest->best = strcpy(keep, text);
    }
}

static bool
unknown_member(const struct op *op, const struct aws_shape *shape, const char *key, struct err *err)
{
    struct suggest suggest = suggest_start(key);
    const struct aws_member *members = aws_members(shape);
    char keep[80];
    for (size_t i = 0; i < shape->n; i++) {
        offer_name(&suggest, aws_text(members[i].name), keep);
    }
    err_set(err, ERR_USAGE, op_fault_code(op, FAULT_UNKNOWN), "`%s` is not a parameter of `%s`", key, op_words(op));
    return suggest_hint(&suggest, err, "");
}

static json_t *
respell_structure(const struct op *op, const struct aws_shape *shape, const json_t *value, struct err *err)
{
    json_t *out = json_object();
    const struct aws_member *members = aws_members(shape);
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        const struct aws_member *member = NULL;
        for (size_t i = 0; i < shape->n && !member; i++) {
            member = same_spelling(aws_text(members[i].name), key) ? &members[i] : NULL;
        }
        json_t *spelled = member ? respell(op, aws_shape(member->shape), item, err) : NULL;
        if (!spelled) {
            if (!member) {
                unknown_member(op, shape, key, err);
            }
            json_decref(out);
            return NULL;
        }
        json_object_set_new(out, aws_text(member->name), spelled);
    }
    return out;
}

static json_t *
respell(const struct op *op, const struct aws_shape *shape, const json_t *value, struct err *err)
{
    if (shape->type == AWS_STRUCTURE && json_is_object(value)) {
        return respell_structure(op, shape, value, err);
    }
    if (shape_is_flag(shape) && json_is_boolean(value)) {
        return json_pack("{s:O}", "Value", value);
    }
    if (shape->type != AWS_LIST) {
        return json_deep_copy(value);
    }
    /* An empty Lua table is both a list and an object. */
    json_t *list = json_array();
    bool empty = json_is_object(value) && json_object_size(value) == 0;
    size_t n = empty ? 0 : json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; i < n; i++) {
        json_t *item = respell(op, aws_shape(shape->of), json_is_array(value) ? json_array_get(value, i) : value, err);
        if (!item || json_array_append_new(list, item) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static json_t *
respell_params(const struct op *op, const json_t *object, struct err *err)
{
    json_t *out = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)object, key, item)
    {
        const struct op_param *param = op->params;
        struct suggest suggest = suggest_start(key);
        char keep[80];
        for (; param && param->name && !same_spelling(param->name, key); param++) {
            offer_name(&suggest, param->name, keep);
        }
        if (!param || !param->name) {
            err_set(err, ERR_USAGE, "", "`%s` is not a parameter of `%s`", key, op_words(op));
            suggest_hint(&suggest, err, "");
            json_decref(out);
            return NULL;
        }
        json_object_set(out, param->name, item);
    }
    return out;
}

json_t *
op_read_object(const struct op *op, const json_t *object, struct err *err)
{
    static const struct aws_shape nothing = { .type = AWS_STRUCTURE };
    if (!json_is_object(object)) {
        err_set(err, ERR_USAGE, "", "`%s` takes an object of parameters", op_words(op));
        return NULL;
    }
    if (!op->service) {
        return respell_params(op, object, err);
    }
    const struct aws_operation *aws = op_aws(op);
    const struct aws_shape *input = aws ? aws_shape(aws->input) : NULL;
    json_t *rest = json_copy((json_t *)object), *own = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)object, key, item)
    {
        for (const struct op_param *param = op->params; param && param->name; param++) {
            if (same_spelling(param->name, key)) {
                json_object_set(own, param->name, item);
                json_object_del(rest, key);
            }
        }
    }
    json_t *out = respell_structure(op, input ? input : &nothing, rest, err);
    if (out) {
        json_object_update(out, own);
    }
    json_decref(rest);
    json_decref(own);
    return out;
}
