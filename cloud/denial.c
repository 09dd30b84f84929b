#include "cloud/denial.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cloud/journal.h"
#include "cloud/line_log.h"
#include "cloud/state.h"

/* ---- what it says ------------------------------------------------------------------------------------------------ */

static json_t *
items(json_t *list)
{
    return json_pack("{s:o}", "items", list);
}

static json_t *
values_of(const struct iam_text *values, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(list, json_pack("{s:s%}", "value", values[i].s, (size_t)values[i].n));
    }
    return items(list);
}

static json_t *
patterns_of(const struct iam_pattern *patterns, uint32_t n)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < n; i++) {
        json_array_append_new(list, json_pack("{s:s}", "value", patterns[i].text));
    }
    return items(list);
}

/* The statements that deny; AWS names no others. */
static json_t *
matched_statements(const struct iam_request *request, const struct iam_result *result)
{
    json_t *list = json_array();
    const char *who = request->principal.unique_id ? request->principal.unique_id : request->principal.arn;
    for (size_t i = 0; i < result->matched.n; i++) {
        const struct iam_statement *s = result->matched.items[i].statement;
        if (!s->deny) {
            continue;
        }
        json_t *principals = json_pack("[{s:s}]", "value", who);
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "statementId", s->sid ? s->sid : "", "effect",
                            "DENY", "principals", items(principals), "principalGroups", items(json_array()), "actions",
                            patterns_of(s->actions, s->n_actions), "resources",
                            patterns_of(s->resources, s->n_resources), "conditions", items(json_array())));
    }
    return items(list);
}

static json_t *
conditions_of(const struct iam_request *request)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < request->n_context; i++) {
        const struct iam_context_value *value = &request->context[i];
        json_array_append_new(
            list, json_pack("{s:s, s:o}", "key", value->key.name, "values", values_of(value->values, value->n)));
    }
    return items(list);
}

json_t *
denial_describe(const struct iam_request *request, const struct iam_result *result)
{
    const struct iam_principal *p = &request->principal;
    char id[200], name[160];
    snprintf(name, sizeof name, "%.*s", (int)p->name.n, p->name.n ? p->name.s : "");
    snprintf(id, sizeof id, p->kind == IAM_ROLE_SESSION ? "%s:%s" : "%s", p->unique_id ? p->unique_id : p->account,
             name);
    json_t *principal = json_pack("{s:s, s:s, s:s}", "id", id, "name", name, "arn", p->arn);
    json_t *context = json_pack("{s:o, s:s, s:s, s:o}", "principal", principal, "action", request->action.s, "resource",
                                request->resource.s, "conditions", conditions_of(request));
    return json_pack("{s:b, s:b, s:o, s:o, s:o}", "allowed", 0, "explicitDeny", result->decision == IAM_EXPLICIT_DENY,
                     "matchedStatements", matched_statements(request, result), "failures", items(json_array()),
                     "context", context);
}

/* ---- where it is kept -------------------------------------------------------------------------------------------- */

static char *
denials_path(const struct cloud *cloud)
{
    return xasprintf("%s/denials.jsonl", cloud->dir->path);
}

void
denial_name(const struct cloud *cloud, const struct op *op, char blob[static DENIAL_SIZE])
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    struct id_gen ids = journal_event_ids(cloud, op);
    for (size_t i = 0; i < DENIAL_SIZE - 1; i++) {
        blob[i] = alphabet[id_random_below(&ids, 64)];
    }
    blob[DENIAL_SIZE - 1] = '\0';
}

void
denial_store(const struct cloud *cloud, const struct op *op, const char *code, const char *blob, const json_t *denial,
             const json_t *why)
{
    char when[32];
    if (!cloud->dir) {
        return;
    }
    struct buf line = { 0 };
    clock_format_s(clock_now_ms(&cloud->clock), when);
    json_t *whole = json_pack("{s:s*, s:s, s:s, s:s, s:O, s:O}", "encoded", blob, "operation", op_words(op),
                              "errorCode", code, "eventTime", when, "message", denial, "why", why);
    json_write_compact(whole, &line);
    buf_char(&line, '\n');
    char *path = denials_path(cloud);
    /* As with the journal, a refusal stands whether or not it could be written down. */
    line_log_append(path, line.data, line.size, DENIALS_LIMIT, NULL, NULL);
    free(path);
    json_decref(whole);
    buf_done(&line);
}

json_t *
denial_last(const struct cloud *cloud)
{
    struct buf text = { 0 };
    json_t *last = NULL, *found = NULL;
    char *path = cloud->dir ? denials_path(cloud) : NULL;
    if (path && line_log_read(path, &text, NULL, NULL)) {
        size_t end = text.size;
        while (end && text.data[end - 1] == '\n') {
            end--;
        }
        const char *newline = end ? memrchr(text.data, '\n', end) : NULL;
        const char *line = newline ? newline + 1 : buf_str(&text);
        last = json_read(line, (size_t)(text.data + end - line), "denials.jsonl", NULL);
    }
    const json_t *why = json_object_get(last, "why");
    if (why) {
        found = json_pack("{s:O, s:O, s:O}", "Operation", json_object_get(last, "operation"), "ErrorCode",
                          json_object_get(last, "errorCode"), "EventTime", json_object_get(last, "eventTime"));
        json_object_update(found, (json_t *)why);
    }
    json_decref(last);
    free(path);
    buf_done(&text);
    return found;
}

static char *
message_of_line(const char *line, size_t size, const char *blob)
{
    json_t *whole = json_read(line, size, "denials.jsonl", NULL);
    const char *encoded = json_str(whole, "encoded");
    struct buf text = { 0 };
    bool found = encoded && strcmp(encoded, blob) == 0;
    if (found) {
        json_write_compact(json_object_get(whole, "message"), &text);
    }
    json_decref(whole);
    return found ? buf_steal(&text) : NULL;
}

char *
denial_find(const struct cloud *cloud, const char *blob, struct err *err)
{
    struct buf text = { 0 };
    char *found = NULL, *path = cloud->dir ? denials_path(cloud) : NULL;
    if (path && line_log_read(path, &text, NULL, NULL)) {
        const char *line = buf_str(&text), *end = line + text.size, *next;
        for (; line < end && !found; line = next) {
            const char *newline = memchr(line, '\n', (size_t)(end - line));
            next = newline ? newline + 1 : end;
            if (memmem(line, (size_t)(next - line), blob, strlen(blob))) {
                found = message_of_line(line, (size_t)(next - line), blob);
            }
        }
    }
    buf_done(&text);
    free(path);
    if (!found) {
        err_set(err, ERR_INPUT, "InvalidAuthorizationMessageException", "the message is not one that this lab encoded");
        err_hint(err, "give the whole text after `Encoded authorization failure message:`");
    }
    return found;
}
