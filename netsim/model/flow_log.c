#include "netsim/model/internal.h"

static const struct field log_fields[] = {
    FIELD(struct flow_log, "CreationTime", FIELD_TIME, creation_time, 0),
    FIELD(struct flow_log, "DeliverLogsPermissionArn", FIELD_STRING, role_arn, 0),
    FIELD(struct flow_log, "DeliverLogsStatus", FIELD_STRING, deliver_status, 0),
    FIELD(struct flow_log, "FlowLogId", FIELD_ID, obj.id, 0),
    FIELD(struct flow_log, "FlowLogStatus", FIELD_STRING, status, 0),
    FIELD(struct flow_log, "LogGroupName", FIELD_STRING, group_name, 0),
    FIELD(struct flow_log, "ResourceId", FIELD_STRING, resource_id, 0),
    FIELD(struct flow_log, "TrafficType", FIELD_STRING, traffic_type, 0),
    FIELD(struct flow_log, "LogDestinationType", FIELD_STRING, destination_type, 0),
    FIELD(struct flow_log, "LogDestination", FIELD_STRING, destination, 0),
    FIELD(struct flow_log, "LogFormat", FIELD_STRING, format, 0),
    FIELD_LIST(struct flow_log, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct flow_log, "MaxAggregationInterval", FIELD_INT, max_interval, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFlowLogs.html */
static const struct filter_row log_filters[] = {
    { "deliver-log-status", "DeliverLogsStatus" },
    { "log-destination-type", "LogDestinationType" },
    { "flow-log-id", "FlowLogId" },
    { "log-group-name", "LogGroupName" },
    { "resource-id", "ResourceId" },
    { "traffic-type", "TrafficType" },
    { NULL, NULL },
};

const struct kind flow_log_kind = {
    .name = "vpc-flow-log",
    .prefix = "fl",
    .type = "vpc-flow-log",
    .list = "FlowLogs",
    .id_member = "FlowLogId",
    .ids_param = "FlowLogIds",
    .not_found = "InvalidFlowLogId.NotFound",
    .size = sizeof(struct flow_log),
    .fields = log_fields,
    .filters = log_filters,
};

size_t
flow_logs_of_eni(const struct network *net, const struct eni *eni, const struct flow_log **out, size_t room)
{
    size_t n = 0;
    for (const struct flow_log *log = store_first(net->store, &flow_log_kind); log && n < room;
         log = store_next(net->store, log)) {
        if (str_is(log->resource_id, eni->obj.id) || str_is(log->resource_id, eni->subnet_id) ||
            str_is(log->resource_id, eni->vpc_id)) {
            out[n++] = log;
        }
    }
    return n;
}
