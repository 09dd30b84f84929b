/* cloud/ops_ec2_flow_logs.c - create-flow-logs and delete-flow-logs; the records themselves are `vpclab flows`.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html */
#include <string.h>
#include "base/vec.h"
#include "cloud/ops_ec2.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/gateways.h"
#include "netsim/model/transit_gateway.h"
#include "netsim/model/vpc.h"

static const struct resource_type {
    const char *name;
    const struct kind *kind;
} resource_types[] = {
    { "VPC", &vpc_kind },
    { "Subnet", &subnet_kind },
    { "NetworkInterface", &eni_kind },
    { "TransitGateway", &transit_gateway_kind },
    { "TransitGatewayAttachment", &tgw_attachment_kind },
};

/* What is asked for alike of every resource. */
struct log_request {
    const struct kind *kind;
    struct flow_log_spec spec;
    size_t most; /* resources in one request */
};

static bool
fail_parameter(struct err *err, const char *member, const char *text, const char *hint)
{
    err_set(err, ERR_INPUT, "InvalidParameter", "%s", text);
    err_hint(err, "%s", hint);
    return err_at(err, member, 0, 0);
}

static bool
is_role_arn(const char *text)
{
    const char *role = strstr(text, ":role/");
    return strncmp(text, "arn:aws:iam::", 13) == 0 && role && role[6];
}

/* Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html */
static bool
is_group_name(const char *text)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/#-";
    size_t size = strlen(text);
    return size && size <= 512 && strspn(text, alphabet) == size;
}

/* CloudWatch Logs: a group, by name or ARN, and the role that may write there. */
static bool
check_logs_destination(const struct flow_log_spec *spec, struct err *err)
{
    if (!spec->group_name && !spec->destination) {
        return fail_parameter(
            err, "LogDestination", "`LogDestination` cannot be empty if `LogGroupName` is not given",
            "--log-group-name NAME, or --log-destination-type s3 --log-destination arn:aws:s3:::BUCKET");
    }
    if (spec->group_name && !is_group_name(spec->group_name)) {
        return fail_parameter(err, "LogGroupName", "`LogGroupName` is no name for a log group",
                              "letters, digits, `.`, `_`, `/`, `#` and `-`, 512 at most");
    }
    if (spec->destination &&
        (strncmp(spec->destination, "arn:aws:logs:", 13) != 0 || !strstr(spec->destination, ":log-group:"))) {
        return fail_parameter(err, "LogDestination", "the destination is not the ARN of a log group",
                              "arn:aws:logs:REGION:ACCOUNT:log-group:NAME");
    }
    if (!spec->role_arn) {
        return fail_parameter(err, "DeliverLogsPermissionArn",
                              "`DeliverLogsPermissionArn` cannot be empty if the destination type is cloud-watch-logs",
                              "name the role that may write to the group: arn:aws:iam::ACCOUNT:role/NAME");
    }
    return true;
}

/* arn:aws:s3:::bucket/folder/ */
static bool
check_s3_destination(const struct flow_log_spec *spec, struct err *err)
{
    const char *bucket = spec->destination ? spec->destination + strlen("arn:aws:s3:::") : NULL;
    const char *folder = bucket ? strchr(bucket, '/') : NULL;
    if (spec->role_arn) {
        return fail_parameter(err, "DeliverLogsPermissionArn",
                              "`DeliverLogsPermissionArn` does not apply to the destination type s3",
                              "the bucket's policy decides; leave the parameter out");
    }
    if (strncmp(spec->destination, "arn:aws:s3:::", 13) != 0 || !*bucket || *bucket == '/') {
        return fail_parameter(err, "LogDestination", "the destination is not the ARN of a bucket",
                              "arn:aws:s3:::BUCKET or arn:aws:s3:::BUCKET/FOLDER/");
    }
    if (folder && (strcmp(folder, "/AWSLogs") == 0 || strncmp(folder, "/AWSLogs/", 9) == 0)) {
        return fail_parameter(err, "LogDestination", "`AWSLogs` cannot be the folder of a destination",
                              "AWS adds it by itself");
    }
    return true;
}

/* Where records go.  A lab keeps them all in its flowlogs/ directory; the destination is what it stands for. */
static bool
read_destination(const struct op_call *call, struct log_request *request, struct err *err)
{
    const char *type = arg_str(call->in, "LogDestinationType");
    struct flow_log_spec *spec = &request->spec;
    spec->destination_type = type ? type : "cloud-watch-logs";
    spec->destination = arg_str(call->in, "LogDestination");
    spec->group_name = arg_str(call->in, "LogGroupName");
    spec->role_arn = arg_str(call->in, "DeliverLogsPermissionArn");
    bool logs = strcmp(spec->destination_type, "cloud-watch-logs") == 0;
    if (spec->group_name && spec->destination) {
        return fail_parameter(err, "LogGroupName", "`LogGroupName` and `LogDestination` cannot be given together",
                              "the name of a group or its ARN, not both");
    }
    if (!logs && spec->group_name) {
        return fail_parameter(err, "LogGroupName",
                              "`LogGroupName` belongs to the destination type cloud-watch-logs and to no other",
                              "--log-destination is the ARN of another destination");
    }
    if (spec->role_arn && !is_role_arn(spec->role_arn)) {
        return fail_parameter(err, "DeliverLogsPermissionArn", "`DeliverLogsPermissionArn` is not the ARN of a role",
                              "arn:aws:iam::ACCOUNT:role/NAME");
    }
    if (logs) {
        return check_logs_destination(spec, err);
    }
    if (!spec->destination) {
        return fail_parameter(err, "LogDestination", "`LogDestination` cannot be empty with this destination type",
                              "the ARN of a bucket or of a delivery stream");
    }
    if (strcmp(spec->destination_type, "s3") == 0) {
        return check_s3_destination(spec, err);
    }
    return strncmp(spec->destination, "arn:aws:firehose:", 17) == 0 ||
           fail_parameter(err, "LogDestination", "the destination is not the ARN of a delivery stream",
                          "arn:aws:firehose:REGION:ACCOUNT:deliverystream/NAME");
}

static bool
check_format(const char *format, bool transit, struct err *err)
{
    struct flow_format parsed;
    bool ok = format && !*format
                  ? err_set(err, ERR_INPUT, "InvalidParameterValue", "the format must name at least one field")
                  : !format || (flow_format_parse(format, &parsed, err) && flow_format_fits(&parsed, transit, err));
    return ok || err_at(err, "LogFormat", 0, 0);
}

/* Transit gateways have no traffic type, no interval but 60 seconds and fields of their own.
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/flow-logs-api-cli.html */
static bool
read_request(const struct op_call *call, struct log_request *request, struct err *err)
{
    const char *type = arg_str(call->in, "ResourceType");
    for (size_t i = 0; i < ARRAY_SIZE(resource_types); i++) {
        if (strcmp(resource_types[i].name, type) == 0) {
            request->kind = resource_types[i].kind;
        }
    }
    if (!request->kind) { /* AWS's newest types */
        err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model flow logs of a `%s`", type);
        err_hint(err, "VPC, Subnet, NetworkInterface, TransitGateway and TransitGatewayAttachment have them");
        return err_at(err, "ResourceType", 0, 0);
    }
    bool transit = request->kind == &transit_gateway_kind || request->kind == &tgw_attachment_kind;
    request->spec.traffic_type = arg_str(call->in, "TrafficType");
    if (transit && request->spec.traffic_type) {
        return fail_parameter(err, "TrafficType", "a flow log of a transit gateway has no `TrafficType`",
                              "it records everything; leave the parameter out");
    }
    if (!transit && !request->spec.traffic_type) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `TrafficType`");
    }
    request->spec.format = arg_str(call->in, "LogFormat");
    request->spec.max_interval = (int)arg_int(call->in, "MaxAggregationInterval", transit ? 60 : 600);
    if (request->spec.max_interval != 60 && (transit || request->spec.max_interval != 600)) {
        err_set(err, ERR_INPUT, "InvalidParameter", "`MaxAggregationInterval` is %s, not `%d`",
                transit ? "60 seconds for a transit gateway" : "60 or 600 seconds", request->spec.max_interval);
        return err_at(err, "MaxAggregationInterval", 0, 0);
    }
    request->most = transit ? 25 : 1000;
    return check_format(request->spec.format, transit, err) && read_destination(call, request, err);
}

static void
unsuccessful(json_t *list, const char *id, const struct err *cause)
{
    json_array_append_new(
        list, json_pack("{s:{s:s, s:s}, s:s}", "Error", "Code", cause->code, "Message", cause->text, "ResourceId", id));
}

/* One resource; what goes wrong with it stands in the answer and the others go on. */
static void
create_one(struct op_call *call, const struct log_request *request, const char *id, json_t *created, json_t *failed)
{
    struct err cause = { 0 };
    struct network *net = ec2_net(call);
    struct flow_log *log = NULL;
    if (network_require(net, request->kind, id, &cause)) {
        struct flow_log_spec spec = request->spec;
        spec.resource_id = id;
        log = flow_log_create(net, &spec, &cause);
    }
    if (!log) {
        unsuccessful(failed, id, &cause);
        return;
    }
    ec2_tag_new(call, &log->obj);
    json_array_append_new(created, json_string(log->obj.id));
}

static bool
create_flow_logs(struct op_call *call, struct err *err)
{
    struct log_request request = { 0 };
    const json_t *ids = json_object_get(call->in, "ResourceIds");
    if (!ec2_check_tags(call, (const struct kind *const[]){ &flow_log_kind, NULL }, err) ||
        !read_request(call, &request, err)) {
        return false;
    }
    if (json_array_size(ids) == 0 || json_array_size(ids) > request.most) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "one request names 1 to %zu resources, not %zu",
                       request.most, json_array_size(ids));
    }
    json_t *created = json_array(), *failed = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        create_one(call, &request, json_string_value(json_array_get(ids, i)), created, failed);
    }
    ec2_answer_token(call);
    json_object_set_new(call->out, "FlowLogIds", created);
    json_object_set_new(call->out, "Unsuccessful", failed);
    return true;
}

static bool
delete_flow_logs(struct op_call *call, struct err *err)
{
    const json_t *ids = json_object_get(call->in, "FlowLogIds");
    json_t *failed = json_array();
    (void)err;
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct err cause = { 0 };
        struct flow_log *log = network_require(ec2_net(call), &flow_log_kind, id, &cause);
        if (!log || !flow_log_delete(ec2_net(call), log, &cause)) {
            unsuccessful(failed, id, &cause);
        }
    }
    json_object_set_new(call->out, "Unsuccessful", failed);
    return true;
}

const struct op ops_ec2_flow_logs[] = {
    { .service = "ec2",
      .name = "CreateFlowLogs",
      .mode = OP_WRITE,
      .run = create_flow_logs,
      .resources = "vpc-flow-log/* vpc/${ResourceIds} subnet/${ResourceIds} network-interface/${ResourceIds} "
                   "transit-gateway/${ResourceIds} transit-gateway-attachment/${ResourceIds}",
      .help = "Record the traffic of VPCs, subnets, network interfaces or transit gateways; `vpclab flows` shows the "
              "records." },
    { .service = "ec2",
      .name = "DeleteFlowLogs",
      .mode = OP_WRITE,
      .run = delete_flow_logs,
      .resources = "vpc-flow-log/${FlowLogIds}",
      .help = "Stop recording; records already written stay." },
    { 0 },
};
