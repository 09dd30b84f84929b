#include "cloud/answer_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/op_types.h"

bool
answer_page(struct op_call *call, const char *member, json_t *list, struct err *err)
{
    const struct aws_pager *pager = op_aws(call->op) ? aws_pager_of(op_aws(call->op)) : NULL;
    const char *token = pager ? arg_str(call->in, aws_text(pager->input_token)) : NULL;
    size_t n = json_array_size(list), from = 0;
    size_t limit = pager ? (size_t)arg_int(call->in, aws_text(pager->limit), (long long)n) : n;
    if (token && token[0]) {
        char *end;
        from = strtoul(token, &end, 10);
        if (end == token || *end || from > n) {
            bool marker = strcmp(aws_text(pager->input_token), "Marker") == 0;
            bool ram = strcmp(call->op->service, "ram") == 0;
            json_decref(list);
            err_set(err, ERR_INPUT,
                    marker ? "InvalidMarkerException"
                    : ram  ? "InvalidNextTokenException"
                           : "InvalidInputException",
                    "`%.80s` is not a token of this list", token);
            return err_at(err, aws_text(pager->input_token), 0, 0);
        }
    }
    json_t *page = json_array();
    for (size_t i = from; i < n && i - from < limit; i++) {
        json_array_append(page, json_array_get(list, i));
    }
    json_object_set_new(call->out, member, page);
    bool more = from + json_array_size(page) < n;
    if (more) {
        char next[24];
        snprintf(next, sizeof next, "%zu", from + json_array_size(page));
        json_object_set_new(call->out, aws_text(pager->output_token), json_string(next));
    }
    if (pager && aws_text(pager->more)[0]) {
        json_object_set_new(call->out, aws_text(pager->more), json_boolean(more));
    }
    json_decref(list);
    return true;
}
