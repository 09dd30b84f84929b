#include "cloud/idempotency.h"

#include <string.h>
#include "cloud/journal.h"
#include "cloud/line_log.h"
#include "cloud/state.h"

static bool
same_text(const json_t *event, const char *path, const char *text)
{
    const char *value = json_string_value(json_at(event, path));
    return value && strcmp(value, text) == 0;
}

/* How services call the token, and the error for a request that differs; ACM takes such a one for new. */
static const struct token_member {
    const char *service, *member, *journalled, *mismatch;
    int64_t ms; /* how long it is known; 0: as long as the journal is */
} token_members[] = {
    { "ram", "clientToken", "requestParameters.clientToken", "IdempotentParameterMismatchException" },
    { "acm", "IdempotencyToken", "requestParameters.idempotencyToken", NULL, 3600 * 1000 },
    { NULL, "ClientToken", "requestParameters.clientToken", "IdempotentParameterMismatch" },
};

static bool
is_earlier_call(const struct op_call *call, const struct token_member *row, const json_t *event, const char *token)
{
    int64_t made;
    const char *when = json_string_value(json_at(event, "eventTime"));
    bool known = !row->ms || (when && clock_parse(when, &made) && clock_now_ms(&call->cloud->clock) - made < row->ms);
    return known && same_text(event, "eventName", call->op->name) && same_text(event, row->journalled, token) &&
           same_text(event, "recipientAccountId", call->cloud->account) &&
           same_text(event, "awsRegion", call->cloud->region) && !json_object_get(event, "errorCode");
}

/* The first event of the journal that is this call; NULL if there is none.  Most lines do not have the token and are
 * not parsed. */
static json_t *
find_earlier(const struct op_call *call, const struct token_member *row, const char *token)
{
    struct buf text = { 0 };
    json_t *found = NULL;
    if (line_log_read(call->cloud->dir->journal_path, &text, NULL, NULL)) {
        const char *line = buf_str(&text), *end = line + text.size, *next;
        for (; line < end && !found; line = next) {
            const char *newline = memchr(line, '\n', (size_t)(end - line));
            next = newline ? newline + 1 : end;
            if (!memmem(line, (size_t)(next - line), token, strlen(token))) {
                continue;
            }
            json_t *event = json_read(line, (size_t)(next - line), "journal.jsonl", NULL);
            if (event && is_earlier_call(call, row, event, token)) {
                found = json_incref(event);
            }
            json_decref(event);
        }
    }
    buf_done(&text);
    return found;
}

bool
idempotency_check(struct op_call *call, bool *answered, struct err *err)
{
    const struct token_member *row = token_members;
    while (row->service && (!call->op->service || strcmp(row->service, call->op->service) != 0)) {
        row++;
    }
    const char *member = row->member, *token = arg_str(call->in, member);
    *answered = false;
    if (!token || !token[0] || !call->op->service || call->op->mode != OP_WRITE || !call->cloud->dir) {
        return true;
    }
    json_t *event = find_earlier(call, row, token);
    if (!event) {
        return true;
    }
    json_t *request = journal_request(call->op, call->in);
    bool same = json_equal(request, json_object_get(event, "requestParameters"));
    json_decref(request);
    if (same) {
        json_t *answer = journal_answer(call->op, json_object_get(event, "responseElements"));
        json_object_update(call->out, answer);
        json_decref(answer);
        *answered = true;
    } else if (row->mismatch) {
        err_set(err, ERR_INPUT, row->mismatch, "the client token `%.80s` was used for another request of %s", token,
                call->op->name);
        err_hint(err, "use a new token for a new request");
        err_at(err, member, 0, 0);
    }
    json_decref(event);
    return same || !row->mismatch;
}
