#include "cloud/answer_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/op_types.h"

struct paging {
    const char *token, *next, *limit, *more; /* members; "" for none */
};

/* Botocore leaves out some of the operations that page; their members have the usual names. */
static struct paging
paging_of(const struct op *op)
{
    static const char *const tokens[] = { "nextToken", "NextToken" }, *const limits[] = { "maxResults", "MaxResults" };
    const struct aws_operation *aws = op_aws(op);
    const struct aws_pager *pager = aws ? aws_pager_of(aws) : NULL;
    const struct aws_shape *in = aws ? aws_shape(aws->input) : NULL;
    if (pager) {
        return (struct paging){ aws_text(pager->input_token), aws_text(pager->output_token), aws_text(pager->limit),
                                aws_text(pager->more) };
    }
    struct paging paging = { "", "", "", "" };
    for (size_t i = 0; in && i < 2; i++) {
        bool has = aws_member_find(in, tokens[i]) && aws_member_find(in, limits[i]);
        paging = has ? (struct paging){ tokens[i], tokens[i], limits[i], "" } : paging;
    }
    return paging;
}

bool
answer_page(struct op_call *call, const char *member, json_t *list, struct err *err)
{
    struct paging paging = paging_of(call->op);
    const char *token = arg_str(call->in, paging.token);
    size_t n = json_array_size(list), from = 0;
    size_t limit = (size_t)arg_int(call->in, paging.limit, (long long)n);
    if (token && token[0]) {
        char *end;
        from = strtoul(token, &end, 10);
        if (end == token || *end || from > n) {
            bool marker = strcmp(paging.token, "Marker") == 0;
            bool ram = strcmp(call->op->service, "ram") == 0;
            json_decref(list);
            err_set(err, ERR_INPUT,
                    marker ? "InvalidMarkerException"
                    : ram  ? "InvalidNextTokenException"
                           : "InvalidInputException",
                    "`%.80s` is not a token of this list", token);
            return err_at(err, paging.token, 0, 0);
        }
    }
    json_t *page = json_array();
    for (size_t i = from; i < n && i - from < limit; i++) {
        json_array_append(page, json_array_get(list, i));
    }
    json_object_set_new(call->out, member, page);
    bool more = from + json_array_size(page) < n;
    if (more && paging.next[0]) {
        char next[24];
        snprintf(next, sizeof next, "%zu", from + json_array_size(page));
        json_object_set_new(call->out, paging.next, json_string(next));
    }
    if (paging.more[0]) {
        json_object_set_new(call->out, paging.more, json_boolean(more));
    }
    json_decref(list);
    return true;
}
