#include "cloud/journal.h"
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include "base/map.h"
#include "cloud/caller.h"
#include "cloud/line_log.h"
#include "cloud/op_types.h"
#include "cloud/state.h"

#define HIDDEN "HIDDEN_DUE_TO_SECURITY_REASONS" /* CloudTrail's words */

static json_t *journalled(const struct aws_shape *shape, const json_t *value);

static json_t *
journalled_structure(const struct aws_shape *shape, const json_t *value)
{
    json_t *out = json_object();
    const char *key;
    json_t *item;
    json_object_foreach((json_t *)value, key, item)
    {
        const struct aws_member *member = shape && shape->type == AWS_STRUCTURE ? aws_member_find(shape, key) : NULL;
        char name[128];
        snprintf(name, sizeof name, "%s", key);
        if (!shape || shape->type == AWS_STRUCTURE) {
            name[0] = (char)tolower((unsigned char)name[0]);
        }
        json_object_set_new(out, name, journalled(member ? aws_shape(member->shape) : NULL, item));
    }
    return out;
}

/* As CloudTrail writes parameters: names begin with a small letter, secrets are hidden. */
static json_t *
journalled(const struct aws_shape *shape, const json_t *value)
{
    if (shape && shape->flags & AWS_SENSITIVE) {
        return json_string(HIDDEN);
    }
    if (json_is_object(value)) {
        return journalled_structure(shape, value);
    }
    if (!json_is_array(value)) {
        return json_deep_copy(value);
    }
    json_t *list = json_array();
    for (size_t i = 0; i < json_array_size(value); i++) {
        const struct aws_shape *of = shape && shape->type == AWS_LIST ? aws_shape(shape->of) : NULL;
        json_array_append_new(list, journalled(of, json_array_get(value, i)));
    }
    return list;
}

json_t *
journal_request(const struct op *op, const json_t *in)
{
    const struct aws_operation *aws = op_aws(op);
    return journalled(aws ? aws_shape(aws->input) : NULL, in);
}

/* The way back: names of members begin with a capital again, where the shape has them so. */
static json_t *
answered(const struct aws_shape *shape, const json_t *value)
{
    json_t *item, *out;
    if (json_is_array(value)) {
        const struct aws_shape *of = shape && shape->type == AWS_LIST ? aws_shape(shape->of) : NULL;
        out = json_array();
        for (size_t i = 0; i < json_array_size(value); i++) {
            json_array_append_new(out, answered(of, json_array_get(value, i)));
        }
        return out;
    }
    if (!json_is_object(value)) {
        return json_deep_copy(value);
    }
    const char *key;
    out = json_object();
    json_object_foreach((json_t *)value, key, item)
    {
        char name[128];
        snprintf(name, sizeof name, "%s", key);
        name[0] = (char)toupper((unsigned char)name[0]);
        const struct aws_member *member = shape && shape->type == AWS_STRUCTURE ? aws_member_find(shape, name) : NULL;
        json_object_set_new(out, member ? name : key, answered(member ? aws_shape(member->shape) : NULL, item));
    }
    return out;
}

json_t *
journal_answer(const struct op *op, const json_t *response)
{
    const struct aws_operation *aws = op_aws(op);
    return json_is_object(response) ? answered(aws ? aws_shape(aws->output) : NULL, response) : json_object();
}

/* Ids of events come from the lab's seed and the place in the journal: the same scenario writes the same journal, and
 * reads, which save nothing, still get ids of their own. */
struct id_gen
journal_event_ids(const struct cloud *cloud, const struct op *op)
{
    struct id_gen ids;
    uint64_t size = cloud->dir ? line_log_size(cloud->dir->journal_path) : 0;
    uint64_t seed[3] = { cloud->ids.state[0], cloud->ids.state[1], size };
    id_gen_seed(&ids, hash_bytes(seed, sizeof seed) ^ hash_bytes(op->name, strlen(op->name)));
    return ids;
}

static void
event_source(const struct op *op, char out[static 80])
{
    const struct aws_service *service = op->service ? aws_service_find(op->service) : NULL;
    if (service) {
        snprintf(out, 80, "%s.amazonaws.com", aws_text(service->signing));
    } else {
        snprintf(out, 80, "vpclab");
    }
}

static bool
is_global(const struct op *op)
{
    return op->service && (strcmp(op->service, "iam") == 0 || strcmp(op->service, "organizations") == 0);
}

static bool
is_data_event(const struct op *op)
{
    return op->service && strcmp(op->service, "s3api") == 0 && strstr(op->name, "Object") &&
           !strstr(op->name, "ObjectLock");
}

json_t *
journal_event(const struct cloud *cloud, const struct op *op, const json_t *in, const json_t *out,
              const struct err *failure)
{
    struct id_gen ids = journal_event_ids(cloud, op);
    const struct aws_operation *aws = op_aws(op);
    char source[80], when[32], request[37], event[37];
    event_source(op, source);
    clock_format_s(clock_now_ms(&cloud->clock), when);
    id_new_uuid(&ids, request);
    id_new_uuid(&ids, event);
    json_t *json = json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s}", "eventVersion", "1.11", "userIdentity",
                             caller_identity(cloud), "eventTime", when, "eventSource", source, "eventName", op->name,
                             "awsRegion", is_global(op) ? "us-east-1" : cloud->region, "sourceIPAddress", cloud->origin ? cloud->origin->source_ip : "127.0.0.1",
                             "userAgent", "vpclab/" VPCLAB_VERSION);
    bool read_only = op->mode != OP_WRITE;
    if (failure) {
        json_object_set_new(json, "errorCode", json_string(failure->code[0] ? failure->code : "ClientError"));
        json_object_set_new(json, "errorMessage", json_string(failure->text));
    }
    bool empty = !in || json_object_size(in) == 0;
    json_object_set_new(json, "requestParameters",
                        empty ? json_null() : journalled(aws ? aws_shape(aws->input) : NULL, in));
    bool answered = out && !read_only && json_object_size(out) > 0;
    json_object_set_new(json, "responseElements",
                        answered ? journalled(aws ? aws_shape(aws->output) : NULL, out) : json_null());
    json_object_set_new(json, "requestID", json_string(request));
    json_object_set_new(json, "eventID", json_string(event));
    json_object_set_new(json, "readOnly", json_boolean(read_only));
    json_object_set_new(json, "eventType", json_string(op->service ? "AwsApiCall" : "VpclabCommand"));
    json_object_set_new(json, "managementEvent", json_boolean(!is_data_event(op)));
    json_object_set_new(json, "recipientAccountId", json_string(cloud->account));
    json_object_set_new(json, "eventCategory", json_string(is_data_event(op) ? "Data" : "Management"));
    return json;
}

/* Where lines were forgotten the journal says so: an event of the lab's own at the place from which on it is whole. */
static void
add_remark(const struct cloud *cloud, size_t forgotten)
{
    struct buf line = { 0 };
    char when[32];
    clock_format_s(clock_now_ms(&cloud->clock), when);
    json_t *event = json_pack(
        "{s:s, s:{s:s, s:s}, s:s, s:s, s:s, s:s, s:{s:I}, s:n, s:b, s:s, s:b, s:s, s:s}", "eventVersion", "1.11",
        "userIdentity", "type", "AWSService", "invokedBy", "vpclab", "eventTime", when, "eventSource", "vpclab",
        "eventName", "forget", "awsRegion", cloud->region, "requestParameters", "bytesOfOlderEvents",
        (json_int_t)forgotten, "responseElements", "readOnly", 1, "eventType", "VpclabCommand", "managementEvent", 1,
        "recipientAccountId", cloud->account, "eventCategory", "Management");
    json_write_compact(event, &line);
    buf_char(&line, '\n');
    json_decref(event);
    line_log_append(cloud->dir->journal_path, line.data, line.size, JOURNAL_LIMIT, NULL, NULL);
    buf_done(&line);
}

bool
journal_append(const struct cloud *cloud, const struct op *op, const json_t *in, const json_t *out,
               const struct err *failure, struct err *err)
{
    if (!cloud->dir || (!op->service && op->mode != OP_WRITE)) {
        return true;
    }
    json_t *event = journal_event(cloud, op, in, out, failure);
    struct buf line = { 0 };
    size_t forgotten;
    json_write_compact(event, &line);
    buf_char(&line, '\n');
    json_decref(event);
    bool done = line_log_append(cloud->dir->journal_path, line.data, line.size, JOURNAL_LIMIT, &forgotten, err);
    if (done && forgotten) {
        add_remark(cloud, forgotten);
    }
    buf_done(&line);
    return done;
}
