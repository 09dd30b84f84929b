/* cloud/ops_ec2_flow_logs.c - create-flow-logs and delete-flow-logs; the records themselves are `vpclab flows`.
 * Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html */
#include <string.h>
#include "base/vec.h"
#include "cloud/ops_ec2.h"
#include "netsim/flowlog/flowlog.h"
#include "netsim/model/gateways.h"
#include "netsim/model/vpc.h"

static const struct resource_type {
    const char *name;
    const struct kind *kind;
} resource_types[] = {
    { "VPC", &vpc_kind },
    { "Subnet", &subnet_kind },
    { "NetworkInterface", &eni_kind },
};

/* What is asked for alike of every resource. */
struct log_request {
    const struct kind *kind;
    struct flow_log_spec spec;
};

static bool
fail_unsupported_type(const char *type, struct err *err)
{
    err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not model flow logs of a `%s`", type);
    err_hint(err, "VPC, Subnet and NetworkInterface have them; the log of a VPC shows what its interfaces send to a "
                  "transit gateway and get from it");
    return err_at(err, "ResourceType", 0, 0);
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
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "`LogGroupName` and `LogDestination` cannot be given together");
    }
    if (!logs && spec->group_name) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "`LogGroupName` belongs to the destination type cloud-watch-logs, not `%s`",
                       spec->destination_type);
    }
    if (!logs && !spec->destination) {
        return err_set(err, ERR_INPUT, "MissingParameter",
                       "the destination type `%s` needs the parameter `LogDestination`", spec->destination_type);
    }
    if (spec->destination && strncmp(spec->destination, "arn:", 4) != 0) {
        err_set(err, ERR_INPUT, "InvalidParameter", "`%s` is not an ARN", spec->destination);
        return err_at(err, "LogDestination", 0, 0);
    }
    return true;
}

static bool
check_format(const char *format, struct err *err)
{
    struct flow_format parsed;
    return flow_format_parse(format, &parsed, err) || err_at(err, "LogFormat", 0, 0);
}

static bool
read_request(const struct op_call *call, struct log_request *request, struct err *err)
{
    const char *type = arg_str(call->in, "ResourceType");
    for (size_t i = 0; i < ARRAY_SIZE(resource_types); i++) {
        if (strcmp(resource_types[i].name, type) == 0) {
            request->kind = resource_types[i].kind;
        }
    }
    if (!request->kind) {
        return fail_unsupported_type(type, err);
    }
    request->spec.traffic_type = arg_str(call->in, "TrafficType");
    if (!request->spec.traffic_type) {
        return err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `TrafficType`");
    }
    request->spec.format = arg_str(call->in, "LogFormat");
    request->spec.max_interval = (int)arg_int(call->in, "MaxAggregationInterval", 600);
    if (request->spec.max_interval != 60 && request->spec.max_interval != 600) {
        err_set(err, ERR_INPUT, "InvalidParameter", "`MaxAggregationInterval` is 60 or 600 seconds, not `%d`",
                request->spec.max_interval);
        return false;
    }
    return check_format(request->spec.format, err) &&
           ec2_refuse(call, "DeliverCrossAccountRole DestinationOptions", err) && read_destination(call, request, err);
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
    if (json_array_size(ids) == 0 || json_array_size(ids) > 25) {
        return err_set(err, ERR_INPUT, "InvalidParameter", "one request names 1 to 25 resources, not %zu",
                       json_array_size(ids));
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
      .resources = "vpc-flow-log/* vpc/${ResourceIds} subnet/${ResourceIds} network-interface/${ResourceIds}",
      .help = "Record the traffic of VPCs, subnets or network interfaces; `vpclab flows` shows the records." },
    { .service = "ec2",
      .name = "DeleteFlowLogs",
      .mode = OP_WRITE,
      .run = delete_flow_logs,
      .resources = "vpc-flow-log/${FlowLogIds}",
      .help = "Stop recording; records already written stay." },
    { 0 },
};
