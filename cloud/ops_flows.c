/* cloud/ops_flows.c - `vpclab flows`: the records of the flow logs, or of files from elsewhere, picked by what a person
 * asks for. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "cloud/flow_capture.h"
#include "cloud/flow_import.h"
#include "cloud/flow_store.h"
#include "cloud/live_link.h"
#include "cloud/op.h"
#include "netsim/model/classic_balancer.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/gateways.h"
#include "netsim/model/instance.h"
#include "netsim/model/load_balancer.h"
#include "netsim/model/transit_gateway.h"

/* ---- the question -------------------------------------------------------------------------------------------------
 */

struct question {
    struct flow_query query;
    struct flow_where where;
    VEC(const char *) enis;
    char log_id[ID_SIZE]; /* "": every log */
    bool quiet;           /* NODATA records too */
};

static bool
fail_option(struct err *err, const char *option, const char *text, const char *what)
{
    err_set(err, ERR_USAGE, "", "`%s` is not %s", text, what);
    return err_at(err, option, 0, 0);
}

/* What the model does not have, or no longer has: by the field of the records that has its id. */
static bool
read_foreign_source(const char *id, struct question *q)
{
    static const struct {
        const char *prefix, *field;
    } fields[] = { { "eni-", "interface-id" },
                   { "i-", "instance-id" },
                   { "subnet-", "subnet-id" },
                   { "vpc-", "vpc-id" },
                   { "tgw-attach-", "tgw-attachment-id" },
                   { "tgw-", "tgw-id" } };
    size_t i = 0;
    while (i < ARRAY_SIZE(fields) && strncmp(id, fields[i].prefix, strlen(fields[i].prefix)) != 0) {
        i++;
    }
    return i < ARRAY_SIZE(fields) && flow_where_add(&q->where, fields[i].field, id);
}

/* Is it the interface of this NAT gateway, endpoint or balancer, which AWS's services made for it? */
static bool
is_made_for(const struct network *net, const struct eni *eni, const char *id)
{
    const struct nat_gateway *nat = store_get(network_store(net), &nat_gateway_kind, id);
    for (size_t i = 0; nat && i < nat->addresses.n; i++) {
        if (strcmp(nat->addresses.items[i].eni_id, eni->obj.id) == 0) {
            return true;
        }
    }
    const struct endpoint *endpoint = network_endpoint_of_eni(net, eni->obj.id);
    const struct load_balancer *lb = network_load_balancer_of_eni(net, eni);
    const struct classic_balancer *classic = network_classic_balancer_of_eni(net, eni);
    return (endpoint && strcmp(endpoint->obj.id, id) == 0) || (lb && strcmp(lb->obj.id, id) == 0) ||
           (classic && strcmp(classic->obj.id, id) == 0);
}

/* An instance means its interfaces, an interface itself, an address either end of a flow; a transit gateway or an
 * attachment of one what its own log says. */
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
    if (store_get(store, &transit_gateway_kind, id)) {
        return flow_where_add(&q->where, "tgw-id", id);
    }
    if (store_get(store, &tgw_attachment_kind, id)) {
        return flow_where_add(&q->where, "tgw-attachment-id", id);
    }
    const struct eni *only = store_get(store, &eni_kind, id);
    for (const struct eni *eni = store_first(store, &eni_kind); eni; eni = store_next(store, eni)) {
        if (eni == only || strcmp(eni->attachment.instance_id, id) == 0 || strcmp(eni->subnet_id, id) == 0 ||
            strcmp(eni->vpc_id, id) == 0 || is_made_for(call->cloud->net, eni, id)) {
            *VEC_ADD(&q->enis) = eni->obj.id;
        }
    }
    /* In the lab's own logs: an instance that was terminated, an interface that was deleted, but no slip of the pen. */
    bool was_there = arg_str(call->in, "From") || store_find(store, id) || strncmp(id, "eni-", 4) == 0;
    if (q->enis.n == 0 && !(was_there && read_foreign_source(id, q))) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` has no network interface", text);
        err_hint(
            err,
            "flows are recorded at interfaces: name an instance, an interface, a NAT gateway, an endpoint, a balancer, "
            "a subnet, a VPC, a transit gateway or an address");
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

/* The one log of that id, or whose id begins so; also one that was deleted. */
static bool
read_log_id(const struct op_call *call, struct question *q, struct err *err)
{
    const char *text = arg_str(call->in, "FlowLogId");
    const struct store *store = network_store(call->cloud->net);
    if (!text) {
        return true;
    }
    VEC(char *) ids = { 0 };
    for (const struct flow_log *log = store_first(store, &flow_log_kind); log; log = store_next(store, log)) {
        *VEC_ADD(&ids) = xstrdup(log->obj.id);
    }
    char **written;
    size_t n = flow_store_ids(call->cloud, &written);
    for (size_t i = 0; i < n; i++) {
        if (store_get(store, &flow_log_kind, written[i])) {
            free(written[i]);
        } else {
            *VEC_ADD(&ids) = written[i];
        }
    }
    free(written);
    size_t fit = 0;
    for (size_t i = 0; i < ids.n; i++) {
        if (strncmp(ids.items[i], text, strlen(text)) == 0) {
            fit++;
            snprintf(q->log_id, sizeof q->log_id, "%s", ids.items[i]);
        }
        free(ids.items[i]);
    }
    VEC_DONE(&ids);
    if (fit != 1) {
        err_set(err, ERR_INPUT, "InvalidFlowLogId.NotFound", "%s flow log's id begins with `%s`",
                fit ? "more than one" : "no", text);
        err_hint(err, "`ec2 describe-flow-logs` lists them");
        return err_at(err, "--flow-log-id", 0, 0);
    }
    return true;
}

/* Options that say something about a file, or about the lab's own logs, and would mean nothing without it. */
static bool
check_options(const json_t *in, struct err *err)
{
    static const struct {
        const char *member, *option, *text;
        bool of_file;
    } options[] = { { "LogFormat", "--log-format", "a log of the lab has its own format; this goes with --from", true },
                    { "FlowLogId", "--flow-log-id", "a file's records are of no flow log of the lab", false },
                    { "Follow", "--follow", "a file cannot be followed", false } };
    bool from = json_object_get(in, "From") != NULL;
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        const json_t *given = json_object_get(in, options[i].member);
        if (given && !json_is_false(given) && options[i].of_file != from) {
            err_set(err, ERR_USAGE, "", "%s", options[i].text);
            return err_at(err, options[i].option, 0, 0);
        }
    }
    return true;
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
    if (!check_options(in, err) || !read_log_id(call, q, err) || !read_source(call, q, err)) {
        return false;
    }
    const char *where = arg_str(in, "Where");
    if (where && !flow_where_parse(where, &q->where, err)) {
        return err_at(err, "--where", 0, 0);
    }
    if (address && !cidr_parse_loose(address, query->address.ip.family ? &query->peer : &query->address)) {
        return fail_option(err, "--address", address, "an address or a block of them");
    }
    if (since && !flow_since_parse(since, clock_now_ms(&call->cloud->clock), &query->since_s)) {
        return fail_option(err, "--since", since, "a span like 90s, 5m, 2h, 1d or a time like 2026-01-02T03:04:05Z");
    }
    return true;
}

/* ---- the answer ---------------------------------------------------------------------------------------------------
 */

/* A record as an object with AWS's field names, numbers as numbers, and ours at the end: what refused it, and of an
 * imported one what the model would do. */
static json_t *
record_json(const struct flow_format *format, const struct flow_entry *entry, bool imported)
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
    snprintf(lost, sizeof lost, "%llu packet%s lost", (unsigned long long)entry->record->lost_packets,
             plural((long long)entry->record->lost_packets));
    json_object_set_new(object, "rule",
                        json_string(entry->record->lost_packets ? lost
                                    : *entry->record->rule      ? entry->record->rule
                                                                : "-"));
    if (imported) {
        json_object_set_new(object, "model",
                            json_string(entry->model == FLOW_ACCEPT   ? "ACCEPT"
                                        : entry->model == FLOW_REJECT ? "REJECT"
                                                                      : "-"));
    }
    return object;
}

struct taking {
    const struct question *question;
    json_t *records;
    bool imported;
    size_t strangers; /* of these, of interfaces that the model does not have */
};

static void
take_entry(void *context, const struct flow_format *format, const struct flow_entry *entry)
{
    struct taking *taking = context;
    if ((entry->record->status != FLOW_NODATA || taking->question->quiet) &&
        flow_query_match(&taking->question->query, entry->record) &&
        flow_where_match(&taking->question->where, format, entry->line)) {
        json_array_append_new(taking->records, record_json(format, entry, taking->imported));
        taking->strangers += entry->stranger;
    }
}

static bool
format_has_field(const struct flow_format *format, const struct flow_field *field)
{
    for (size_t i = 0; i < format->n; i++) {
        if (format->fields[i] == field) {
            return true;
        }
    }
    return false;
}

/* Names of fields that the question is about and the format does not have: then nothing can match. */
static void
tell_missing(const struct question *question, const struct flow_format *format, json_t *answer)
{
    const char *names[FLOW_LACKS_MAX];
    size_t n = flow_query_lacks(&question->query, format, names);
    json_t *lacks = json_array();
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(lacks, json_string(names[i]));
    }
    for (size_t i = 0; i < question->where.n; i++) {
        if (!format_has_field(format, question->where.items[i].field)) {
            json_array_append_new(lacks, json_string(question->where.items[i].field->name));
        }
    }
    if (json_array_size(lacks)) {
        json_object_set(answer, "MissingFields", lacks);
    }
    json_decref(lacks);
}

/* A transit gateway's log does not say whose a packet was, only from which address. */
static void
tell_left_out(const struct op_call *call, const struct question *question, json_t *answer)
{
    const struct store *store = network_store(call->cloud->net);
    const struct eni *eni = question->enis.n == 1 ? store_get(store, &eni_kind, question->enis.items[0]) : NULL;
    const struct ip *ip = eni ? eni_primary_ip(eni) : NULL;
    json_object_set_new(answer, "LeftOut",
                        json_sprintf("a transit gateway's records name no interface but its own; by address they are "
                                     "found: `flows %s`",
                                     ip ? ip_str(ip) : "ADDRESS"));
    json_object_del(answer, "MissingFields");
}

static bool
read_log(const struct op_call *call, const char *log_id, const struct question *question, json_t *logs, struct err *err)
{
    const struct flow_log *log = store_get(network_store(call->cloud->net), &flow_log_kind, log_id);
    struct taking taking = { .question = question, .records = json_array() };
    struct flow_reading reading;
    bool ok = flow_store_read(call->cloud, log_id, 0, take_entry, &taking, &reading, err);
    if (ok) {
        json_t *one = json_pack("{s:s}", "FlowLogId", log_id);
        if (log && log->resource_id) {
            json_object_set_new(one, "ResourceId", json_string(log->resource_id));
        }
        if (reading.damaged) {
            json_object_set_new(one, "DamagedLines", json_integer((json_int_t)reading.damaged));
        }
        if (reading.exists) {
            tell_missing(question, &reading.format, one);
        }
        if (question->enis.n && log && log->resource_id && strncmp(log->resource_id, "tgw-", 4) == 0) {
            tell_left_out(call, question, one);
        }
        json_object_set(one, "Records", taking.records);
        json_array_append_new(logs, one);
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
        bool wanted = !*question->log_id || strcmp(question->log_id, ids[i]) == 0;
        ok = ok && (known || !wanted || read_log(call, ids[i], question, logs, err));
        free(ids[i]);
    }
    free(ids);
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

typedef VEC(size_t) widths;

/* AWS's columns, wide enough for what is in them and was in those before. */
static void
print_records(const json_t *records, widths *columns, bool header, struct buf *text)
{
    const char *name;
    json_t *record, *value;
    size_t i;
    char number[32];
    json_array_foreach(records, i, record)
    {
        size_t column = 0;
        json_object_foreach(record, name, value)
        {
            size_t *width = column < columns->n ? &columns->items[column] : VEC_ADD(columns);
            size_t size = strlen(cell(value, number)), title = strlen(name);
            *width = size > *width ? size : *width;
            *width = title > *width ? title : *width;
            column++;
        }
    }
    for (size_t row = header ? 0 : 1; row <= json_array_size(records); row++) { /* row 0 is the header */
        size_t column = 0;
        record = json_array_get(records, row ? row - 1 : 0);
        json_object_foreach(record, name, value)
        {
            bool last = column + 1 == json_object_size(record);
            buf_printf(text, "%-*s%s", last ? 0 : (int)columns->items[column], row ? cell(value, number) : name,
                       last ? "\n" : "  ");
            column++;
        }
    }
}

/* What the running intervals hold is written first, so that nobody waits for their end. */
static bool
flush(struct cloud *cloud, struct err *err)
{
    return cloud->flows ? flow_capture_tick(cloud, true, err) : !cloud_is_live(cloud) || live_link_flush(cloud, err);
}

/* ---- without end --------------------------------------------------------------------------------------------------
 */
struct followed { /* a log, and how far its records were shown */
    char id[ID_SIZE];
    long end;
    widths columns;
};
typedef VEC(struct followed) followed_vec;

static volatile sig_atomic_t ended;

static void
on_signal(int number)
{
    (void)number;
    ended = 1;
}

static struct followed *
followed_log(followed_vec *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(list->items[i].id, id) == 0) {
            return &list->items[i];
        }
    }
    struct followed *added = VEC_ADD(list);
    *added = (struct followed){ 0 };
    snprintf(added->id, sizeof added->id, "%s", id);
    return added;
}

/* For programs: a record is an object in a line of its own, with the log that it is of. */
static void
add_lines(const char *log_id, const json_t *records, struct buf *text)
{
    json_t *record;
    size_t i;
    json_array_foreach(records, i, record)
    {
        json_t *line = json_pack("{s:s}", "FlowLogId", log_id);
        json_object_update(line, record);
        json_write_compact(line, text);
        buf_char(text, '\n');
        json_decref(line);
    }
}

/* Shows what has been written since; a title where another log's records begin. */
static bool
show_news(struct op_call *call, const struct question *question, followed_vec *list, char shown[static ID_SIZE],
          struct err *err)
{
    char **ids;
    size_t n = flow_store_ids(call->cloud, &ids);
    bool ok = true;
    for (size_t i = 0; i < n; i++) {
        struct followed *log = followed_log(list, ids[i]);
        struct taking taking = { .question = question, .records = json_array() };
        struct flow_reading reading = { 0 };
        struct buf text = { 0 };
        ok = ok && ((*question->log_id && strcmp(question->log_id, ids[i]) != 0) ||
                    flow_store_read(call->cloud, ids[i], log->end, take_entry, &taking, &reading, err));
        log->end = reading.end > log->end ? reading.end : log->end;
        if (json_array_size(taking.records) && call->progress->lines) {
            add_lines(ids[i], taking.records, &text);
            call->progress->write(call->progress->context, buf_str(&text));
        } else if (json_array_size(taking.records)) {
            bool other = strcmp(shown, ids[i]) != 0;
            if (other && n > 1) {
                buf_printf(&text, "%s\n", ids[i]);
            }
            print_records(taking.records, &log->columns, other, &text);
            snprintf(shown, ID_SIZE, "%s", ids[i]);
            call->progress->write(call->progress->context, buf_str(&text));
        }
        json_decref(taking.records);
        buf_done(&text);
        free(ids[i]);
    }
    free(ids);
    return ok;
}

/* Until ^C.  What was recorded before is shown when --since asks for it. */
static bool
follow(struct op_call *call, const struct question *question, struct err *err)
{
    if (!call->progress || !call->progress->write) {
        return err_set(err, ERR_USAGE, "", "`--follow` works at the command line") || err_at(err, "--follow", 0, 0);
    }
    if (call->progress->formatted && !call->progress->lines) {
        err_set(err, ERR_USAGE, "",
                "`--follow` has no end, so there is no whole answer to query, to lay out or to keep to oneself");
        err_hint(err, "without an option for it records are shown as text, with `--output json` as one object a line");
        return err_at(err, "--follow", 0, 0);
    }
    struct sigaction act = { .sa_handler = on_signal }, old_int, old_term;
    followed_vec list = { 0 };
    char shown[ID_SIZE] = "";
    bool ok = flush(call->cloud, err);
    ended = 0;
    sigaction(SIGINT, &act, &old_int);
    sigaction(SIGTERM, &act, &old_term);
    if (ok && !question->query.since_s) { /* the files' ends */
        char **ids;
        size_t n = flow_store_ids(call->cloud, &ids);
        for (size_t i = 0; i < n; i++) {
            struct taking nothing = { .question = question, .records = json_array() };
            struct flow_reading reading = { 0 };
            ok = ok && flow_store_read(call->cloud, ids[i], 0, take_entry, &nothing, &reading, err);
            followed_log(&list, ids[i])->end = reading.end;
            json_decref(nothing.records);
            free(ids[i]);
        }
        free(ids);
    }
    bool live = cloud_is_live(call->cloud);
    while (ok && !ended) {
        ok = show_news(call, question, &list, shown, err);
        if (ok && !ended) {
            usleep(500000);
            ok = ended || flush(call->cloud, err);
            bool was_live = live;
            live = cloud_is_live(call->cloud);
            if (was_live && !live) { /* `down` has written what was left */
                err_clear(err);
                ended = 1;
                ok = show_news(call, question, &list, shown, err);
            }
        }
    }
    sigaction(SIGINT, &old_int, NULL);
    sigaction(SIGTERM, &old_term, NULL);
    for (size_t i = 0; i < list.n; i++) {
        VEC_DONE(&list.items[i].columns);
    }
    VEC_DONE(&list);
    if (call->progress->lines) {
        json_object_clear(call->out); /* the lines are all */
    } else {
        json_object_set_new(call->out, "Followed", json_true());
    }
    return ok;
}

static bool
read_logs(const struct op_call *call, const struct question *question, json_t *logs, struct err *err)
{
    const struct store *store = network_store(call->cloud->net);
    bool ok = true;
    for (const struct flow_log *log = store_first(store, &flow_log_kind); ok && log; log = store_next(store, log)) {
        if (!*question->log_id || strcmp(question->log_id, log->obj.id) == 0) {
            ok = read_log(call, log->obj.id, question, logs, err);
        }
    }
    return ok && read_deleted_logs(call, question, logs, err);
}

static bool
read_import(struct op_call *call, const struct question *question, const char *path, json_t *logs, struct err *err)
{
    struct taking taking = { .question = question, .records = json_array(), .imported = true };
    struct flow_reading reading;
    struct buf note = { 0 };
    bool ok = flow_import(call->cloud, path, arg_str(call->in, "LogFormat"), take_entry, &taking, &reading, &note, err);
    if (ok && taking.strangers) {
        bool one = taking.strangers == 1;
        buf_printf(&note, "%zu record%s that the model does not have; it cannot say which rule decides %s\n",
                   taking.strangers, one ? " is of an interface" : "s are of interfaces", one ? "it" : "them");
    }
    if (ok) {
        json_t *one = json_pack("{s:s, s:O}", "File", path, "Records", taking.records);
        tell_missing(question, &reading.format, one);
        if (note.size) {
            json_object_set_new(one, "Note", json_string(buf_str(&note)));
        }
        json_array_append_new(logs, one);
    }
    json_decref(taking.records);
    buf_done(&note);
    return ok;
}

static bool
flows_run(struct op_call *call, struct err *err)
{
    struct question question = { 0 };
    const char *from = arg_str(call->in, "From");
    json_t *logs = json_array();
    bool ok = read_question(call, &question, err);
    if (ok && arg_flag(call->in, "Follow", false)) {
        ok = follow(call, &question, err);
    } else if (ok) {
        ok = from ? read_import(call, &question, from, logs, err)
                  : flush(call->cloud, err) && read_logs(call, &question, logs, err);
    }
    if (ok && arg_flag(call->in, "Follow", false)) {
        json_decref(logs);
    } else {
        json_object_set_new(call->out, "FlowLogs", logs);
    }
    VEC_DONE(&question.enis);
    return ok;
}

static void
flows_text(const json_t *out, struct buf *text)
{
    const json_t *logs = json_object_get(out, "FlowLogs");
    const json_t *log;
    size_t i;
    if (json_flag(out, "Followed", false)) {
        return; /* all is shown */
    }
    if (json_array_size(logs) == 0) {
        buf_str_add(text,
                    "no flow log is there; begin one with: ec2 create-flow-logs --resource-type VPC --resource-ids VPC "
                    "--traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::logs\n");
    }
    json_array_foreach(logs, i, log)
    {
        const json_t *records = json_object_get(log, "Records");
        const char *resource = json_str(log, "ResourceId");
        if (json_array_size(logs) > 1) {
            buf_printf(text, "%s%s (%s)\n", i ? "\n" : "", json_str(log, "FlowLogId"), resource ? resource : "deleted");
        }
        const json_t *lacks = json_object_get(log, "MissingFields");
        if (json_str(log, "LeftOut")) {
            buf_printf(text, "left out: %s\n", json_str(log, "LeftOut"));
        } else if (json_array_size(records) == 0) {
            buf_str_add(text, lacks ? "no record matches: the log's format has no" : "no record matches");
            for (size_t j = 0; j < json_array_size(lacks); j++) {
                buf_printf(text, "%s %s", j ? "," : "", json_string_value(json_array_get(lacks, j)));
            }
            buf_char(text, '\n');
        } else {
            widths columns = { 0 };
            print_records(records, &columns, true, text);
            VEC_DONE(&columns);
        }
        if (json_object_get(log, "Note")) {
            buf_str_add(text, json_str(log, "Note"));
        }
        long long damaged = json_int(log, "DamagedLines", 0);
        if (damaged > 0) {
            buf_printf(text, "%lld line%s damaged and left out\n", damaged, damaged == 1 ? " is" : "s are");
        }
    }
}

/* ---- the row ------------------------------------------------------------------------------------------------------
 */

static const struct op_param flows_params[] = {
    { "Source", OP_ENDPOINT, OP_POSITIONAL,
      "instance, interface, NAT gateway, endpoint, balancer, subnet, VPC, transit gateway or address; everything if "
      "not "
      "given",
      NULL, NULL },
    { "Action", OP_STRING, OP_OPTIONAL, "only what was accepted, or rejected", NULL, "ACCEPT REJECT" },
    { "DstPort", OP_PORT, OP_OPTIONAL, "destination port", NULL, NULL },
    { "SrcPort", OP_PORT, OP_OPTIONAL, "source port", NULL, NULL },
    { "Protocol", OP_PROTOCOL, OP_OPTIONAL, "tcp, udp, icmp or a protocol number", NULL, NULL },
    { "Address", OP_ADDRESS, OP_OPTIONAL, "address or block of either end", NULL, NULL },
    { "Direction", OP_STRING, OP_OPTIONAL, "as the interface sees it; of formats with flow-direction", NULL,
      "ingress egress" },
    { "Since", OP_STRING, OP_OPTIONAL, "span (90s, 5m, 2h, 1d) or time", NULL, NULL },
    { "Where", OP_STRING, OP_OPTIONAL, "any other fields and their values: 'ecs-service-name=web tgw-id=tgw-0a*'", NULL,
      NULL, "field" },
    { "LogStatus", OP_STRING, OP_OPTIONAL, "quiet interfaces are shown with NODATA only", NULL, "OK NODATA SKIPDATA" },
    { "From", OP_PATH, OP_OPTIONAL, "a file from elsewhere instead: AWS's records, gzip too, pcapng or pcap", NULL,
      NULL },
    { "LogFormat", OP_STRING, OP_OPTIONAL, "of records without a first line that names the fields", NULL, NULL },
    { "Follow", OP_BOOL, OP_OPTIONAL, "go on showing new ones until ^C; with --output json one object a line", NULL,
      NULL },
    { "FlowLogId", OP_STRING, OP_OPTIONAL, "one flow log; also one that was deleted", NULL, NULL },
    { 0 },
};

const struct op ops_flows[] = {
    {
        .name = "flows",
        .mode = OP_LOCAL,
        .run = flows_run,
        .help = "Show flow log records: who sent to whom, how much, and whether it was accepted or rejected.",
        .params = flows_params,
        .text = flows_text,
        .group = "look",
        .examples = "flows                            everything that was recorded\n"
                    "flows db --action REJECT         what was refused at the database\n"
                    "flows --dst-port 22 --since 5m   who tried SSH in the last five minutes\n"
                    "flows web --action REJECT --follow   what is refused from now on, with the rule\n"
                    "flows --follow -o json | jq -c 'select(.dstport == 22)'   an object a line, for programs\n"
                    "flows --from capture.pcapng --dst-port 443   the same of a capture, or of a flow log from AWS\n"
                    "flows 10.0.1.10                  by address\n"
                    "flows hub --where packets-lost-no-route=1   of a transit gateway's log, by any field\n",
    },
    { 0 },
};
