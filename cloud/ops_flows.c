/* cloud/ops_flows.c - `vpclab flows`: the records of the flow logs, picked by what a person asks for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/flow_capture.h"
#include "cloud/flow_store.h"
#include "cloud/op.h"
#include "netsim/model/instance.h"

/* ---- the question -------------------------------------------------------------------------------------------------
 */

struct question {
    struct flow_query query;
    VEC(const char *) enis;
    const char *log_id; /* NULL: every log */
    bool quiet;         /* NODATA records too */
};

static bool
fail_option(struct err *err, const char *option, const char *text, const char *what)
{
    err_set(err, ERR_USAGE, "", "`%s` is not %s", text, what);
    return err_at(err, option, 0, 0);
}

/* An instance means its interfaces, an interface itself, an address either end of a flow. */
static bool
read_source(const struct op_call *call, struct question *q, struct err *err)
{
    const char *text = arg_str(call->in, "Source");
    const struct store *store = network_store(call->cloud->net);
    char id[ID_SIZE];
    if (!text || cidr_parse_loose(text, &q->query.address)) {
        return true;
    }
    if (!cloud_resolve(call->cloud, NULL, text, id, err)) {
        return err_at(err, "SOURCE", 0, 0);
    }
    const struct eni *only = store_get(store, &eni_kind, id);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (eni == only || strcmp(eni->attachment.instance_id, id) == 0 || strcmp(eni->subnet_id, id) == 0 ||
            strcmp(eni->vpc_id, id) == 0) {
            *VEC_ADD(&q->enis) = eni->obj.id;
        }
    }
    if (q->enis.n == 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no network interface", text);
        err_hint(err,
                 "flows are recorded at interfaces: name an instance, an interface, a subnet, a VPC or an address");
        return err_at(err, "SOURCE", 0, 0);
    }
    q->query.eni_ids = q->enis.items;
    q->query.n_enis = q->enis.n;
    return true;
}

static uint8_t
choice(const char *text, const char *const *words)
{
    for (uint8_t i = 0; text && words[i]; i++) {
        if (strcmp(text, words[i]) == 0) {
            return (uint8_t)(i + 1);
        }
    }
    return 0;
}

static bool
read_question(const struct op_call *call, struct question *q, struct err *err)
{
    static const char *const actions[] = { "ACCEPT", "REJECT", NULL },
                             *const directions[] = { "ingress", "egress", NULL },
                             *const statuses[] = { "OK", "NODATA", "SKIPDATA", NULL };
    const json_t *in = call->in;
    struct flow_query *query = &q->query;
    const char *since = arg_str(in, "Since"), *protocol = arg_str(in, "Protocol"), *address = arg_str(in, "Address");
    int number = PROTOCOL_ALL;
    query->action = choice(arg_str(in, "Action"), actions);
    query->direction = choice(arg_str(in, "Direction"), directions);
    query->status = choice(arg_str(in, "LogStatus"), statuses);
    q->quiet = query->status == FLOW_NODATA;
    q->log_id = arg_str(in, "FlowLogId");
    if (protocol && !protocol_parse(protocol, &number)) {
        return fail_option(err, "--protocol", protocol, "a protocol");
    }
    if (number != PROTOCOL_ALL) {
        query->has_protocol = true;
        query->protocol = (uint8_t)number;
    }
    query->has_src_port = json_object_get(in, "SrcPort") != NULL;
    query->src_port = (uint16_t)arg_int(in, "SrcPort", 0);
    query->has_dst_port = json_object_get(in, "DstPort") != NULL;
    query->dst_port = (uint16_t)arg_int(in, "DstPort", 0);
    if (!read_source(call, q, err)) {
        return false;
    }
    if (address && !cidr_parse_loose(address, &query->address)) {
        return fail_option(err, "--address", address, "an address or a block of them");
    }
    if (since && !flow_since_parse(since, clock_now_ms(&call->cloud->clock), &query->since_s)) {
        return fail_option(err, "--since", since, "a span like 90s, 5m, 2h, 1d or a time like 2026-01-02T03:04:05Z");
    }
    return true;
}

/* ---- the answer ---------------------------------------------------------------------------------------------------
 */

/* A record as an object with AWS's field names, numbers as numbers, and ours at the end: what refused it. */
static json_t *
record_json(const struct flow_format *format, const struct flow_entry *entry)
{
    const char *line = entry->line;
    json_t *object = json_object();
    for (size_t i = 0; i < format->n; i++) {
        const struct flow_field *field = format->fields[i];
        size_t size = strcspn(line, " ");
        bool is_number =
            field->type == FLOW_U8 || field->type == FLOW_U16 || field->type == FLOW_U64 || field->type == FLOW_TIME;
        json_t *value = is_number && *line != '-' ? json_integer(strtoll(line, NULL, 10)) : json_stringn(line, size);
        json_object_set_new(object, field->name, value);
        line += size;
        line += strspn(line, " ");
    }
    char lost[48];
    snprintf(lost, sizeof lost, "%llu packets lost", (unsigned long long)entry->record->lost_packets);
    json_object_set_new(object, "rule",
                        json_string(entry->record->lost_packets ? lost
                                    : *entry->record->rule      ? entry->record->rule
                                                                : "-"));
    return object;
}

struct taking {
    const struct question *question;
    json_t *records;
};

static void
take_entry(void *context, const struct flow_format *format, const struct flow_entry *entry)
{
    struct taking *taking = context;
    if ((entry->record->status != FLOW_NODATA || taking->question->quiet) &&
        flow_query_match(&taking->question->query, entry->record)) {
        json_array_append_new(taking->records, record_json(format, entry));
    }
}

/* One log's records, and names of fields asked for that its format has not. */
static bool
read_log(const struct op_call *call, const char *log_id, const struct question *question, json_t *logs, struct err *err)
{
    const struct flow_log *log = store_get(network_store(call->cloud->net), &flow_log_kind, log_id);
    struct taking taking = { .question = question, .records = json_array() };
    struct flow_reading reading;
    bool ok = flow_store_read(call->cloud, log_id, 0, take_entry, &taking, &reading, err);
    if (ok) {
        json_t *one = json_pack("{s:s}", "FlowLogId", log_id);
        const char *names[FLOW_LACKS_MAX];
        size_t n = reading.exists ? flow_query_lacks(&question->query, &reading.format, names) : 0;
        json_t *lacks = json_array();
        for (size_t i = 0; i < n; i++) {
            json_array_append_new(lacks, json_string(names[i]));
        }
        if (log && log->resource_id) {
            json_object_set_new(one, "ResourceId", json_string(log->resource_id));
        }
        if (reading.damaged) {
            json_object_set_new(one, "DamagedLines", json_integer((json_int_t)reading.damaged));
        }
        if (n) {
            json_object_set(one, "MissingFields", lacks);
        }
        json_object_set(one, "Records", taking.records);
        json_array_append_new(logs, one);
        json_decref(lacks);
    }
    json_decref(taking.records);
    return ok;
}

/* Files of logs that were deleted: what AWS delivered stays as well. */
static bool
read_deleted_logs(const struct op_call *call, const struct question *question, json_t *logs, struct err *err)
{
    char **ids;
    size_t n = flow_store_ids(call->cloud, &ids);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        bool known = store_get(network_store(call->cloud->net), &flow_log_kind, ids[i]) != NULL;
        bool wanted = !question->log_id || strcmp(question->log_id, ids[i]) == 0;
        ok = ok && (known || !wanted || read_log(call, ids[i], question, logs, err));
        free(ids[i]);
    }
    free(ids);
    return ok;
}

static bool
flows_run(struct op_call *call, struct err *err)
{
    struct cloud *cloud = call->cloud;
    struct question question = { 0 };
    json_t *logs = json_array();
    bool ok = read_question(call, &question, err) && (!cloud->flows || flow_capture_tick(cloud, true, err));
    const struct store *store = network_store(cloud->net);
    for (const struct flow_log *log = store_first(store, &flow_log_kind); ok && log; log = store_next(store, log)) {
        if (!question.log_id || strcmp(question.log_id, log->obj.id) == 0) {
            ok = read_log(call, log->obj.id, &question, logs, err);
        }
    }
    ok = ok && read_deleted_logs(call, &question, logs, err);
    json_object_set_new(call->out, "FlowLogs", logs);
    VEC_DONE(&question.enis);
    return ok;
}

/* ---- as text ------------------------------------------------------------------------------------------------------
 */

static const char *
cell(const json_t *value, char number[static 32])
{
    if (json_is_integer(value)) {
        snprintf(number, 32, "%lld", (long long)json_integer_value(value));
        return number;
    }
    return json_string_value(value);
}

/* AWS's columns, wide enough for what is in them. */
static void
print_records(const json_t *records, struct buf *text)
{
    VEC(size_t) widths = { 0 };
    const char *name;
    json_t *record, *value;
    size_t i;
    char number[32];
    json_array_foreach(records, i, record)
    {
        size_t column = 0;
        json_object_foreach(record, name, value)
        {
            size_t *width = column < widths.n ? &widths.items[column] : VEC_ADD(&widths);
            size_t size = strlen(cell(value, number)), title = strlen(name);
            *width = size > *width ? size : *width;
            *width = title > *width ? title : *width;
            column++;
        }
    }
    for (size_t row = 0; row <= json_array_size(records); row++) { /* row 0 is the header */
        size_t column = 0;
        record = json_array_get(records, row ? row - 1 : 0);
        json_object_foreach(record, name, value)
        {
            bool last = column + 1 == json_object_size(record);
            buf_printf(text, "%-*s%s", last ? 0 : (int)widths.items[column], row ? cell(value, number) : name,
                       last ? "\n" : "  ");
            column++;
        }
    }
    VEC_DONE(&widths);
}

static void
flows_text(const json_t *out, struct buf *text)
{
    const json_t *logs = json_object_get(out, "FlowLogs");
    const json_t *log;
    size_t i;
    if (json_array_size(logs) == 0) {
        buf_str_add(text,
                    "no flow log is there; begin one with: ec2 create-flow-logs --resource-type VPC --resource-ids VPC "
                    "--traffic-type ALL --log-destination-type cloud-watch-logs --log-group-name flows\n");
    }
    json_array_foreach(logs, i, log)
    {
        const json_t *records = json_object_get(log, "Records");
        const char *resource = json_str(log, "ResourceId");
        if (json_array_size(logs) > 1) {
            buf_printf(text, "%s%s (%s)\n", i ? "\n" : "", json_str(log, "FlowLogId"), resource ? resource : "deleted");
        }
        const json_t *lacks = json_object_get(log, "MissingFields");
        if (json_array_size(records) == 0) {
            buf_str_add(text, lacks ? "no record matches: the log's format has no" : "no record matches");
            for (size_t j = 0; j < json_array_size(lacks); j++) {
                buf_printf(text, "%s %s", j ? "," : "", json_string_value(json_array_get(lacks, j)));
            }
            buf_char(text, '\n');
        } else {
            print_records(records, text);
        }
        if (json_int(log, "DamagedLines", 0) > 0) {
            buf_printf(text, "%lld lines are damaged and left out\n", json_int(log, "DamagedLines", 0));
        }
    }
}

/* ---- the row ------------------------------------------------------------------------------------------------------
 */

static const struct op_param flows_params[] = {
    { "Source", OP_ENDPOINT, OP_POSITIONAL, "instance, interface, subnet, VPC or address; everything if not given",
      NULL, NULL },
    { "Action", OP_STRING, OP_OPTIONAL, "only what was accepted, or rejected", NULL, "ACCEPT REJECT" },
    { "DstPort", OP_PORT, OP_OPTIONAL, "destination port", NULL, NULL },
    { "SrcPort", OP_PORT, OP_OPTIONAL, "source port", NULL, NULL },
    { "Protocol", OP_PROTOCOL, OP_OPTIONAL, "tcp, udp, icmp or a protocol number", NULL, NULL },
    { "Address", OP_ADDRESS, OP_OPTIONAL, "address or block of either end", NULL, NULL },
    { "Direction", OP_STRING, OP_OPTIONAL, "as the interface sees it; of formats with flow-direction", NULL,
      "ingress egress" },
    { "Since", OP_STRING, OP_OPTIONAL, "span (90s, 5m, 2h, 1d) or time", NULL, NULL },
    { "LogStatus", OP_STRING, OP_OPTIONAL, "quiet interfaces are shown with NODATA only", NULL, "OK NODATA SKIPDATA" },
    { "FlowLogId", OP_STRING, OP_OPTIONAL, "one flow log; also one that was deleted", NULL, NULL },
    { 0 },
};

const struct op ops_flows[] = {
    {
        .name = "flows",
        .mode = OP_READ,
        .run = flows_run,
        .help = "Show flow log records: who sent to whom, how much, and whether it was accepted or rejected.",
        .params = flows_params,
        .text = flows_text,
        .group = "look",
        .examples = "flows                            everything that was recorded\n"
                    "flows db --action REJECT         what was refused at the database\n"
                    "flows --dst-port 22 --since 5m   who tried SSH in the last five minutes\n"
                    "flows 10.0.1.10                  by address\n",
    },
    { 0 },
};
