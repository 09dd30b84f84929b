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

/* Source: https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html, the default format (version 2) */
#define DEFAULT_FORMAT                                                                                                 \
    "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} "     \
    "${bytes} "                                                                                                        \
    "${start} ${end} ${action} ${log-status}"

/* Source: https://docs.aws.amazon.com/vpc/latest/tgw/tgw-flow-logs.html, the available fields in their order */
const char flow_log_transit_format[] =
    "${version} ${resource-type} ${account-id} ${tgw-id} ${tgw-attachment-id} ${tgw-src-vpc-account-id} "
    "${tgw-dst-vpc-account-id} ${tgw-src-vpc-id} ${tgw-dst-vpc-id} ${tgw-src-subnet-id} ${tgw-dst-subnet-id} "
    "${tgw-src-eni} ${tgw-dst-eni} ${tgw-src-az-id} ${tgw-dst-az-id} ${tgw-pair-attachment-id} ${srcaddr} ${dstaddr} "
    "${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${log-status} ${type} "
    "${packets-lost-no-route} ${packets-lost-blackhole} ${packets-lost-mtu-exceeded} ${packets-lost-ttl-expired} "
    "${tcp-flags} ${region} ${flow-direction} ${pkt-src-aws-service} ${pkt-dst-aws-service}";

static bool
is_transit_kind(const struct kind *kind)
{
    return kind == &transit_gateway_kind || kind == &tgw_attachment_kind;
}

bool
flow_log_is_of_transit(const struct flow_log *log)
{
    return log->resource_id && is_transit_kind(network_kind_of_id(log->resource_id));
}

/* What no log of a transit gateway may have.
 * Source: https://docs.aws.amazon.com/vpc/latest/tgw/flow-logs-api-cli.html */
static bool
transit_check(const struct flow_log_spec *spec, struct err *err)
{
    if (spec->traffic_type) {
        err_set(err, ERR_INPUT, "InvalidParameter", "a flow log of a transit gateway has no `TrafficType`");
        return err_hint(err, "it records everything; leave the parameter out");
    }
    if (spec->max_interval != 60) {
        return err_set(err, ERR_INPUT, "InvalidParameter",
                       "`MaxAggregationInterval` of a transit gateway's flow log is 60 seconds, not `%d`",
                       spec->max_interval);
    }
    return true;
}

static bool
flow_log_check(const struct network *net, const struct flow_log_spec *spec, struct err *err)
{
    const struct kind *kind = network_kind_of_id(spec->resource_id);
    const char *traffic = spec->traffic_type;
    if (kind != &vpc_kind && kind != &subnet_kind && kind != &eni_kind && !is_transit_kind(kind)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` cannot have a flow log", spec->resource_id);
        return err_hint(err, "name a VPC, a subnet, a network interface, a transit gateway or an attachment of one");
    }
    if (!network_require(net, kind, spec->resource_id, err)) {
        return false;
    }
    if (is_transit_kind(kind)) {
        bool there = kind == &transit_gateway_kind ? tgw_require(net, spec->resource_id, err) != NULL
                                                   : tgw_attachment_require(net, spec->resource_id, err) != NULL;
        return there && transit_check(spec, err);
    }
    if (!str_is(traffic, "ALL") && !str_is(traffic, "ACCEPT") && !str_is(traffic, "REJECT")) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%s` for TrafficType", traffic ? traffic : "");
        return err_hint(err, "use ALL, ACCEPT or REJECT");
    }
    if (spec->max_interval != 60 && spec->max_interval != 600) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "invalid value `%d` for MaxAggregationInterval",
                spec->max_interval);
        return err_hint(err, "use 60 or 600 seconds");
    }
    return true;
}

/* Equal, or both absent. */
static bool
same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

struct flow_log *
flow_log_create(struct network *net, const struct flow_log_spec *spec, struct err *err)
{
    const char *type = spec->destination_type ? spec->destination_type : "cloud-watch-logs";
    if (!flow_log_check(net, spec, err)) {
        return NULL;
    }
    for (const struct flow_log *log = store_first(net->store, &flow_log_kind); log; log = store_next(net->store, log)) {
        if (str_is(log->resource_id, spec->resource_id) && same_text(log->traffic_type, spec->traffic_type) &&
            same_text(log->destination_type, type) && same_text(log->group_name, spec->group_name) &&
            same_text(log->destination, spec->destination)) {
            err_set(err, ERR_INPUT, "FlowLogAlreadyExists",
                    "there is an existing flow log with the same configuration: `%s`", log->obj.id);
            return NULL;
        }
    }
    struct flow_log *log = network_add(net, &flow_log_kind, NULL);
    log->resource_id = xstrdup(spec->resource_id);
    str_set(&log->traffic_type, spec->traffic_type);
    log->status = xstrdup("ACTIVE");
    log->deliver_status = xstrdup("SUCCESS");
    log->destination_type = xstrdup(type);
    str_set(&log->destination, spec->destination);
    str_set(&log->group_name, spec->group_name);
    str_set(&log->role_arn, spec->role_arn);
    log->format = xstrdup(spec->format                  ? spec->format
                          : flow_log_is_of_transit(log) ? flow_log_transit_format
                                                        : DEFAULT_FORMAT);
    log->max_interval = spec->max_interval;
    log->creation_time = network_now_ms(net);
    return log;
}

bool
flow_log_delete(struct network *net, struct flow_log *log, struct err *err)
{
    (void)err;
    network_remove(net, log);
    return true;
}
