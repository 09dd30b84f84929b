#include "cloud/flow_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/gzip.h"
#include "netsim/flowlog/decide.h"
#include "netsim/flowlog/pcapng.h"

#define FILE_MAX ((size_t)1 << 30)

/* The fields of a captured packet's record. */
#define CAPTURE_FORMAT                                                                                                 \
    "${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} "     \
    "${action} ${tcp-flags} ${flow-direction} ${log-status}"

struct import {
    const struct cloud *cloud;
    flow_visit *visit;
    void *context;
    struct flow_reading *reading;
    bool events; /* the lines are messages of log events */
};

static bool
is_of_transit(const struct flow_format *format)
{
    for (size_t i = 0; i < format->n; i++) {
        if (format->fields[i]->flags & FLOW_NOT_OF_ENI) {
            return true;
        }
    }
    return false;
}

/* Adds what the model says; of a transit gateway's records it says nothing. */
static void
tell(struct import *import, struct flow_record *record, const char *line)
{
    struct flow_entry entry = { .record = record, .line = line, .eni_id = record->eni_id };
    struct flow_verdict verdict;
    if (flow_decide(import->cloud->net, record, &verdict)) {
        entry.model = verdict.action;
        /* The rule of the model explains the model's verdict, and the record's where they agree. */
        if (!*record->rule) {
            memcpy(record->rule, verdict.rule, sizeof record->rule);
        }
    } else {
        entry.stranger = record->status == FLOW_OK && !is_of_transit(&import->reading->format);
    }
    import->visit(import->context, &import->reading->format, &entry);
}

/* ---- captures -----------------------------------------------------------------------------------------------------
 */
static void
take_record(void *context, const struct flow_record *record)
{
    struct import *import = context;
    struct flow_record copy = *record;
    struct buf line = { 0 };
    flow_record_print(record, &import->reading->format, &line);
    /* What is not printed is not there for a query either. */
    tell(import, &copy, buf_str(&line));
    buf_done(&line);
}

static bool
import_capture(struct import *import, const char *path, const struct buf *text, struct buf *note, struct err *err)
{
    struct packet_flows *flows = packet_flows_new(import->cloud->net);
    struct err damage = { 0 };
    flow_format_parse(CAPTURE_FORMAT, &import->reading->format, NULL);
    bool whole = packet_flows_read(flows, text->data, text->size, &damage);
    bool ok = whole || text->size > 24;
    packet_flows_each(flows, take_record, import);
    size_t strangers = packet_flows_strangers(flows);
    if (strangers) {
        buf_printf(note, "%zu packet%s between addresses that the model does not have\n", strangers,
                   strangers == 1 ? " is" : "s are");
    }
    int link_type;
    size_t unread = packet_flows_unread(flows, &link_type);
    if (unread) {
        buf_printf(note, "%zu packet%s of a link whose headers vpclab does not read (link type %d)\n", unread,
                   unread == 1 ? " is" : "s are", link_type);
    }
    if (!whole && ok) {
        buf_printf(note, "%s; what was read before is shown\n", damage.text);
    } else if (!ok && err) {
        *err = damage;
        err_at(err, path, 0, 0);
    }
    packet_flows_free(flows);
    return ok;
}

/* ---- records ------------------------------------------------------------------------------------------------------
 */
/* A header line names fields; a record begins with a number or an id. */
static bool
is_header(const char *line)
{
    struct flow_format format;
    return flow_format_parse_header(line, &format, NULL);
}

static bool
import_records(struct import *import, const char *path, const char *format, struct buf *text, struct err *err)
{
    struct flow_reading *reading = import->reading;
    char *line = text->size ? text->data : NULL;
    int number = 1;
    if (!flow_format_parse(format, &reading->format, err)) {
        return err_at(err, "--log-format", 0, 0);
    }
    for (; line && *line; number++) {
        char *end = strchr(line, '\n'), *next = end ? end + 1 : NULL;
        if (end) {
            *end = '\0';
        }
        size_t size = strlen(line);
        while (size && (line[size - 1] == '\r' || line[size - 1] == ' ')) {
            line[--size] = '\0';
        }
        struct flow_record record;
        if (!size) {
            /* an empty line at the end */
        } else if (number == 1 && is_header(line)) {
            flow_format_parse_header(line, &reading->format, NULL);
        } else if (flow_record_parse(line, &reading->format, &record, err)) {
            tell(import, &record, line);
        } else {
            char *event = xasprintf("%s: event %d", path, number);
            if (err && import->events) {
                err_at(err, event, 0, 0);
            } else if (err) {
                err->line = number;
                err_at(err, path, number, err->column);
            }
            free(event);
            return err_hint(err, "the first line names the fields, or --log-format does as in create-flow-logs; "
                                 "without both the record has AWS's default fields");
        }
        line = next;
    }
    return true;
}

/* ---- answers of CloudWatch Logs -----------------------------------------------------------------------------------
 */
static bool
is_object(const struct buf *text)
{
    size_t at = 0;
    while (at < text->size && strchr(" \t\r\n", text->data[at]) && text->data[at]) {
        at++;
    }
    return at < text->size && text->data[at] == '{';
}

/* The messages of `filter-log-events` or `get-log-events`, a line each, in place of the answer. */
static bool
take_messages(const char *path, struct buf *text, struct err *err)
{
    json_t *answer = json_read(text->data, text->size, path, err);
    const json_t *events = json_object_get(answer, "events"), *event;
    size_t i;
    buf_clear(text);
    json_array_foreach(events, i, event)
    {
        buf_printf(text, "%s\n", json_str(event, "message"));
    }
    bool ok = answer && json_is_array(events);
    json_decref(answer);
    if (!ok && answer) {
        err_set(err, ERR_DOCUMENT, "", "the JSON has no list `events`");
        err_hint(err, "save the whole answer of `logs filter-log-events` or `logs get-log-events`");
        return err_at(err, path, 0, 0);
    }
    return ok;
}

bool
flow_import(const struct cloud *cloud, const char *path, const char *format, flow_visit *visit, void *context,
            struct flow_reading *reading, struct buf *note, struct err *err)
{
    struct import import = { .cloud = cloud, .visit = visit, .context = context, .reading = reading };
    struct buf text = { 0 };
    *reading = (struct flow_reading){ .exists = true };
    bool ok = gzip_read_file(path, FILE_MAX, &text, err);
    if (!ok) {
        err_at(err, "--from", 0, 0);
    } else if (pcap_is_capture(text.data, text.size)) {
        ok = import_capture(&import, path, &text, note, err);
    } else {
        import.events = is_object(&text);
        ok = !import.events || take_messages(path, &text, err);
        buf_char(&text, '\0');
        ok = ok && import_records(&import, path, format, &text, err);
    }
    buf_done(&text);
    return ok;
}
