/* cloud/ops_logs.c - CloudWatch Logs, as far as flow logs are delivered there: streams and events (groups:
 * ops_log_groups.c).
 *
 * Nothing is stored twice: a group is what flow logs name as their destination, or what was made by name, its streams
 * are the interfaces that have records (eni-0a1b-all), and the events are the lines of the logs' files. Source:
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html,
 * vpc/latest/userguide/flow-logs-cwl.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/answer_page.h"
#include "cloud/flow_capture.h"
#include "cloud/flow_store.h"
#include "cloud/log_groups.h"
#include "cloud/log_pattern.h"
#include "cloud/op.h"

#define EVENTS_MAX 10000 /* of one answer, as AWS has it */

struct event {
    char *stream, *line;
    int64_t time_ms, written_ms;
    size_t order; /* of the files: what is older comes first */
};
struct events {
    VEC(struct event) list;
    const struct flow_home *home;
    int64_t expired_ms; /* what is older is gone */
};

static void
events_done(struct events *events)
{
    for (size_t i = 0; i < events->list.n; i++) {
        free(events->list.items[i].stream);
        free(events->list.items[i].line);
    }
    VEC_DONE(&events->list);
}

static void
take_entry(void *context, const struct flow_format *format, const struct flow_entry *entry)
{
    struct events *events = context;
    const struct flow_record *r = entry->record;
    /* An event happens when its record's window of traffic begins; a format without `start` has the time it was
     * written. */
    int64_t time_ms = r->start_s ? r->start_s * 1000 : entry->written_ms;
    (void)format;
    if (time_ms < events->expired_ms) {
        return;
    }
    struct event *e = VEC_ADD(&events->list);
    *e = (struct event){ .line = xstrdup(entry->line), .order = events->list.n, .written_ms = entry->written_ms };
    /* Interfaces have a stream each, and transit gateways, whose logs have no traffic type. */
    e->stream = *events->home->traffic == '-'
                    ? xstrdup(*entry->eni_id ? entry->eni_id : "unknown")
                    : xasprintf("%s-%s", *entry->eni_id ? entry->eni_id : "unknown", events->home->traffic);
    e->time_ms = time_ms;
}

static int
compare_events(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    if (x->time_ms != y->time_ms) {
        return x->time_ms < y->time_ms ? -1 : 1;
    }
    return x->order < y->order ? -1 : x->order > y->order;
}

/* ---- a group's events ----------------------------------------------------------------------------------------------
 */
/* The events of the group that is asked for by name or ARN, oldest first; 'err' when there is none. */
static bool
read_group(struct op_call *call, struct events *events, struct err *err)
{
    const char *given = arg_str(call->in, "logGroupName"), *arn = arg_str(call->in, "logGroupIdentifier");
    const char *name = given ? given : arn;
    if (!name || (given && arn)) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "exactly one of `logGroupName` and `logGroupIdentifier` must be given");
    }
    if (call->cloud->flows && !flow_capture_tick(call->cloud, true, err)) {
        return false;
    }
    log_groups list = log_groups_find(call->cloud);
    bool found = false, ok = true;
    for (size_t i = 0; i < list.n; i++) {
        struct log_group_found *group = &list.items[i];
        char *full = log_group_arn(call->cloud, group->name, "");
        bool is = strcmp(group->name, name) == 0 || strcmp(full, name) == 0;
        free(full);
        for (size_t j = 0; is && ok && j < group->log_ids.n; j++) {
            struct flow_home home;
            struct flow_reading reading;
            flow_store_home(call->cloud, group->log_ids.items[j], &home);
            events->home = &home;
            events->expired_ms = group->retention_days
                                     ? clock_now_ms(&call->cloud->clock) - group->retention_days * INT64_C(86400000)
                                     : 0;
            ok = flow_store_read(call->cloud, group->log_ids.items[j], 0, take_entry, events, &reading, err);
        }
        found |= is;
    }
    log_groups_done(&list);
    if (ok && !found) {
        ok = err_set(err, ERR_INPUT, "ResourceNotFoundException", "the log group `%s` does not exist", name);
        err_hint(err, "a group begins with the flow log that names it: ec2 create-flow-logs --log-group-name; `logs "
                      "describe-log-groups` lists them");
    }
    if (events->list.n > 1) {
        qsort(events->list.items, events->list.n, sizeof *events->list.items, compare_events);
    }
    return ok;
}

static bool
has_prefix(const char *text, const char *prefix)
{
    return !prefix || strncmp(text, prefix, strlen(prefix)) == 0;
}

/* ---- streams ------------------------------------------------------------------------------------------------------
 */
static json_t *
find_stream(const json_t *streams, const char *name)
{
    size_t i;
    json_t *stream;
    json_array_foreach(streams, i, stream)
    {
        if (strcmp(json_str(stream, "logStreamName"), name) == 0) {
            return stream;
        }
    }
    return NULL;
}

static int
compare_stream_names(const void *a, const void *b)
{
    return strcmp(json_str(*(json_t *const *)a, "logStreamName"), json_str(*(json_t *const *)b, "logStreamName"));
}

static int
compare_stream_times(const void *a, const void *b)
{
    long long x = json_int(*(json_t *const *)a, "lastEventTimestamp", 0),
              y = json_int(*(json_t *const *)b, "lastEventTimestamp", 0);
    return x < y ? -1 : x > y ? 1 : compare_stream_names(a, b);
}

static json_t *
sorted(json_t *list, int (*compare)(const void *, const void *), bool descending)
{
    size_t n = json_array_size(list);
    json_t **items = xcalloc(n + 1, sizeof *items), *out = json_array();
    for (size_t i = 0; i < n; i++) {
        items[i] = json_array_get(list, i);
    }
    if (n > 1) {
        qsort(items, n, sizeof *items, compare);
    }
    for (size_t i = 0; i < n; i++) {
        json_array_append(out, items[descending ? n - 1 - i : i]);
    }
    free(items);
    json_decref(list);
    return out;
}

static bool
describe_log_streams(struct op_call *call, struct err *err)
{
    const char *prefix = arg_str(call->in, "logStreamNamePrefix"), *order = arg_str(call->in, "orderBy");
    struct events events = { 0 };
    bool by_time = order && strcmp(order, "LastEventTime") == 0;
    if (by_time && prefix) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "`logStreamNamePrefix` cannot be given with the order LastEventTime");
    }
    if (!read_group(call, &events, err)) {
        events_done(&events);
        return false;
    }
    const char *group =
        arg_str(call->in, "logGroupName") ? arg_str(call->in, "logGroupName") : arg_str(call->in, "logGroupIdentifier");
    json_t *streams = json_array();
    for (size_t i = 0; i < events.list.n; i++) {
        const struct event *e = &events.list.items[i];
        json_t *stream = find_stream(streams, e->stream);
        if (!stream && has_prefix(e->stream, prefix)) {
            char *rest = xasprintf(":log-stream:%s", e->stream);
            char *arn = strncmp(group, "arn:", 4) == 0 ? xasprintf("%s%s", group, rest)
                                                       : log_group_arn(call->cloud, group, rest);
            stream = json_pack("{s:s, s:I, s:I, s:s, s:i}", "logStreamName", e->stream, "creationTime",
                               (json_int_t)e->written_ms, "firstEventTimestamp", (json_int_t)e->time_ms, "arn", arn,
                               "storedBytes", 0);
            json_array_append_new(streams, stream);
            free(arn);
            free(rest);
        }
        if (stream) {
            json_object_set_new(stream, "lastEventTimestamp", json_integer(e->time_ms));
            json_object_set_new(stream, "lastIngestionTime", json_integer(e->written_ms));
        }
    }
    events_done(&events);
    streams =
        sorted(streams, by_time ? compare_stream_times : compare_stream_names, arg_flag(call->in, "descending", false));
    return answer_page(call, "logStreams", streams, err);
}

/* ---- events -------------------------------------------------------------------------------------------------------
 */
static bool
wants_stream(const struct op_call *call, const char *stream)
{
    const json_t *names = json_object_get(call->in, "logStreamNames"), *name;
    size_t i;
    json_array_foreach(names, i, name)
    {
        if (strcmp(json_string_value(name), stream) == 0) {
            return true;
        }
    }
    return !names && has_prefix(stream, arg_str(call->in, "logStreamNamePrefix"));
}

static bool
in_time(const struct op_call *call, const struct event *e, bool end_counts)
{
    long long start = arg_int(call->in, "startTime", 0), end = arg_int(call->in, "endTime", INT64_MAX);
    return e->time_ms >= start && (e->time_ms < end || (end_counts && e->time_ms == end));
}

static bool
filter_log_events(struct op_call *call, struct err *err)
{
    if (json_object_get(call->in, "logStreamNames") && arg_str(call->in, "logStreamNamePrefix")) {
        return err_set(err, ERR_INPUT, "InvalidParameterException",
                       "`logStreamNames` and `logStreamNamePrefix` cannot be given together");
    }
    struct log_pattern *pattern = log_pattern_parse(arg_str(call->in, "filterPattern"), err);
    struct events events = { 0 };
    if (!pattern || !read_group(call, &events, err)) {
        log_pattern_free(pattern);
        events_done(&events);
        return false;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < events.list.n; i++) {
        const struct event *e = &events.list.items[i];
        if (!wants_stream(call, e->stream) || !in_time(call, e, true) || !log_pattern_match(pattern, e->line)) {
            continue;
        }
        char id[64];
        snprintf(id, sizeof id, "%020lld%036zu", (long long)e->time_ms, e->order);
        json_array_append_new(list, json_pack("{s:s, s:I, s:s, s:I, s:s}", "logStreamName", e->stream, "timestamp",
                                              (json_int_t)e->time_ms, "message", e->line, "ingestionTime",
                                              (json_int_t)e->written_ms, "eventId", id));
    }
    events_done(&events);
    log_pattern_free(pattern);
    json_object_set_new(call->out, "searchedLogStreams", json_array());
    return answer_page(call, "events", list, err);
}

/* A token is a place among the stream's events: "f/12" the twelfth and those after it, "b/12" those before it. */
static bool
read_token(const struct op_call *call, size_t n, bool *forward, size_t *at, struct err *err)
{
    const char *token = arg_str(call->in, "nextToken");
    *forward = arg_flag(call->in, "startFromHead", false);
    *at = *forward ? 0 : n;
    if (!token) {
        return true;
    }
    char *end;
    *forward = token[0] == 'f';
    *at = strlen(token) > 2 ? strtoul(token + 2, &end, 10) : n + 1;
    if ((token[0] != 'f' && token[0] != 'b') || token[1] != '/' || *at > n || *end) {
        err_set(err, ERR_INPUT, "InvalidParameterException", "`%.80s` is not a token of this stream", token);
        return err_at(err, "nextToken", 0, 0);
    }
    return true;
}

static bool
get_log_events(struct op_call *call, struct err *err)
{
    const char *name = arg_str(call->in, "logStreamName");
    size_t limit = (size_t)arg_int(call->in, "limit", EVENTS_MAX), at;
    struct events events = { 0 };
    bool ok = read_group(call, &events, err), known = false, forward;
    json_t *all = json_array(), *page = json_array();
    for (size_t i = 0; ok && i < events.list.n; i++) {
        const struct event *e = &events.list.items[i];
        bool is = strcmp(e->stream, name) == 0;
        known |= is;
        if (is && in_time(call, e, false)) {
            json_array_append_new(all, json_pack("{s:I, s:s, s:I}", "timestamp", (json_int_t)e->time_ms, "message",
                                                 e->line, "ingestionTime", (json_int_t)e->written_ms));
        }
    }
    events_done(&events);
    if (ok && !known) {
        ok = err_set(err, ERR_INPUT, "ResourceNotFoundException", "the log stream `%s` does not exist", name);
        err_hint(err, "`logs describe-log-streams` lists the streams of a group");
    }
    size_t n = json_array_size(all);
    ok = ok && read_token(call, n, &forward, &at, err);
    if (ok) {
        size_t from = forward ? at : at > limit ? at - limit : 0, to = forward ? (n - at > limit ? at + limit : n) : at;
        char text[32];
        for (size_t i = from; i < to; i++) {
            json_array_append(page, json_array_get(all, i));
        }
        json_object_set(call->out, "events", page);
        snprintf(text, sizeof text, "f/%zu", to);
        json_object_set_new(call->out, "nextForwardToken", json_string(text));
        snprintf(text, sizeof text, "b/%zu", from);
        json_object_set_new(call->out, "nextBackwardToken", json_string(text));
    }
    json_decref(all);
    json_decref(page);
    return ok;
}

const struct op ops_logs[] = {
    { .service = "logs",
      .name = "DescribeLogStreams",
      .mode = OP_READ,
      .run = describe_log_streams,
      .help = "List the streams of a log group: one for each interface with flow log records." },
    { .service = "logs",
      .name = "FilterLogEvents",
      .mode = OP_READ,
      .run = filter_log_events,
      .help = "Search the flow log records of a group with a filter pattern." },
    { .service = "logs",
      .name = "GetLogEvents",
      .mode = OP_READ,
      .run = get_log_events,
      .help = "Show the flow log records of one stream." },
    { 0 },
};
