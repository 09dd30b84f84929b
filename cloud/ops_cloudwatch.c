/* cloud/ops_cloudwatch.c - CloudWatch metrics of a live lab: traffic of instances, gateways, balancers, VPN
 * connections and endpoints, and our own of what was refused and by which rule. Source:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html,
 * vpc/latest/userguide/metrics-dimensions-nat-gateway.html, vpc/latest/tgw/transit-gateway-cloudwatch-metrics.html,
 * elasticloadbalancing/latest/{application,network,classic}/...-cloudwatch-metrics.html,
 * vpn/latest/s2svpn/monitoring-cloudwatch-vpn.html, vpc/latest/privatelink/privatelink-cloudwatch-metrics.html */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/answer_page.h"
#include "cloud/metrics.h"
#include "cloud/op.h"
#include "cloud/ops_ec2.h"
#include "netsim/model/endpoint.h"
#include "netsim/model/eni.h"
#include "netsim/model/private_service.h"
#include "netsim/model/subnet.h"

#define APPLICATION "AWS/ApplicationELB"
#define NETWORK     "AWS/NetworkELB"
#define GATEWAY     "AWS/GatewayELB"
#define CLASSIC     "AWS/ELB"
#define SERVICES    "AWS/PrivateLinkServices"

static const struct metric {
    const char *space, *name, *kind; /* as struct metric_point has it */
    const char *unit;                /* "Bytes", or what is not: "Count", "None" */
    const char *rule; /* only points of this rule or, where it ends with "-", of those that begin so; NULL: any */
} metrics[] = {
    { "AWS/EC2", "NetworkIn", "in", "Bytes", NULL },
    { "AWS/EC2", "NetworkOut", "out", "Bytes", NULL },
    { "AWS/EC2", "NetworkPacketsIn", "in", "Count", NULL },
    { "AWS/EC2", "NetworkPacketsOut", "out", "Count", NULL },
    { "AWS/NATGateway", "BytesInFromSource", "source", "Bytes", NULL },
    { "AWS/NATGateway", "BytesOutToDestination", "source", "Bytes", NULL },
    { "AWS/NATGateway", "PacketsInFromSource", "source", "Count", NULL },
    { "AWS/NATGateway", "PacketsOutToDestination", "source", "Count", NULL },
    { "AWS/NATGateway", "BytesInFromDestination", "destination", "Bytes", NULL },
    { "AWS/NATGateway", "BytesOutToSource", "destination", "Bytes", NULL },
    { "AWS/NATGateway", "PacketsInFromDestination", "destination", "Count", NULL },
    { "AWS/NATGateway", "PacketsOutToSource", "destination", "Count", NULL },
    { "AWS/TransitGateway", "BytesIn", "tgw-in", "Bytes", NULL },
    { "AWS/TransitGateway", "BytesOut", "tgw-out", "Bytes", NULL },
    { "AWS/TransitGateway", "PacketsIn", "tgw-in", "Count", NULL },
    { "AWS/TransitGateway", "PacketsOut", "tgw-out", "Count", NULL },
    { "AWS/TransitGateway", "PacketDropCountBlackhole", "tgw-lost", "Count", "blackhole" },
    { "AWS/TransitGateway", "BytesDropCountBlackhole", "tgw-lost", "Bytes", "blackhole" },
    { "AWS/TransitGateway", "PacketDropCountNoRoute", "tgw-lost", "Count", "no-route" },
    { "AWS/TransitGateway", "BytesDropCountNoRoute", "tgw-lost", "Bytes", "no-route" },
    { "AWS/VPN", "TunnelDataIn", "vpn-in", "Bytes", NULL },
    { "AWS/VPN", "TunnelDataOut", "vpn-out", "Bytes", NULL },
    { "AWS/VPN", "TunnelState", "vpn-state", "None", "is-up" },
    { "AWS/PrivateLinkEndpoints", "BytesProcessed", "endpoint", "Bytes", NULL },
    { SERVICES, "BytesProcessed", "endpoint", "Bytes", NULL },
    { SERVICES, "EndpointsCount", "service", "Count", "is-endpoints" },
    { APPLICATION, "RequestCount", "balancer", "Count", "RequestCount" },
    { APPLICATION, "NewConnectionCount", "balancer", "Count", "NewConnectionCount" },
    { APPLICATION, "TargetConnectionErrorCount", "balancer", "Count", "TargetConnectionErrorCount" },
    { APPLICATION, "ClientTLSNegotiationErrorCount", "balancer", "Count", "ClientTLSNegotiationErrorCount" },
    { APPLICATION, "TargetTLSNegotiationErrorCount", "balancer", "Count", "TargetTLSNegotiationErrorCount" },
    { APPLICATION, "HTTPCode_Target_2XX_Count", "balancer", "Count", "HTTPCode_Target_2XX_Count" },
    { APPLICATION, "HTTPCode_Target_3XX_Count", "balancer", "Count", "HTTPCode_Target_3XX_Count" },
    { APPLICATION, "HTTPCode_Target_4XX_Count", "balancer", "Count", "HTTPCode_Target_4XX_Count" },
    { APPLICATION, "HTTPCode_Target_5XX_Count", "balancer", "Count", "HTTPCode_Target_5XX_Count" },
    { APPLICATION, "HTTPCode_ELB_3XX_Count", "balancer", "Count", "HTTPCode_ELB_3XX_Count" },
    { APPLICATION, "HTTPCode_ELB_4XX_Count", "balancer", "Count", "HTTPCode_ELB_4XX_Count" },
    { APPLICATION, "HTTPCode_ELB_5XX_Count", "balancer", "Count", "HTTPCode_ELB_5XX_Count" },
    { APPLICATION, "HTTP_Redirect_Count", "balancer", "Count", "HTTP_Redirect_Count" },
    { APPLICATION, "HTTP_Fixed_Response_Count", "balancer", "Count", "HTTP_Fixed_Response_Count" },
    { APPLICATION, "ProcessedBytes", "balancer", "Bytes", "bytes-" },
    { APPLICATION, "HealthyHostCount", "balancer", "Count", "is-healthy" },
    { APPLICATION, "UnHealthyHostCount", "balancer", "Count", "is-unhealthy" },
    { NETWORK, "NewFlowCount", "balancer", "Count", "new-" },
    { NETWORK, "NewFlowCount_TCP", "balancer", "Count", "new-tcp" },
    { NETWORK, "NewFlowCount_UDP", "balancer", "Count", "new-udp" },
    { NETWORK, "NewFlowCount_TLS", "balancer", "Count", "new-tls" },
    { NETWORK, "ClientTLSNegotiationErrorCount", "balancer", "Count", "ClientTLSNegotiationErrorCount" },
    { NETWORK, "TargetTLSNegotiationErrorCount", "balancer", "Count", "TargetTLSNegotiationErrorCount" },
    { NETWORK, "ActiveFlowCount", "balancer", "Count", "is-active" },
    { NETWORK, "ProcessedBytes", "balancer", "Bytes", "bytes-" },
    { NETWORK, "ProcessedBytes_TCP", "balancer", "Bytes", "bytes-tcp" },
    { NETWORK, "ProcessedBytes_UDP", "balancer", "Bytes", "bytes-udp" },
    { NETWORK, "ProcessedBytes_TLS", "balancer", "Bytes", "bytes-tls" },
    { NETWORK, "HealthyHostCount", "balancer", "Count", "is-healthy" },
    { NETWORK, "UnHealthyHostCount", "balancer", "Count", "is-unhealthy" },
    { GATEWAY, "NewFlowCount", "balancer", "Count", "new-" },
    { GATEWAY, "ActiveFlowCount", "balancer", "Count", "is-active" },
    { GATEWAY, "ProcessedBytes", "balancer", "Bytes", "bytes-" },
    { GATEWAY, "HealthyHostCount", "balancer", "Count", "is-healthy" },
    { GATEWAY, "UnHealthyHostCount", "balancer", "Count", "is-unhealthy" },
    { CLASSIC, "RequestCount", "balancer", "Count", "new-" },
    { CLASSIC, "EstimatedProcessedBytes", "balancer", "Bytes", "bytes-" },
    { CLASSIC, "HealthyHostCount", "balancer", "Count", "is-healthy" },
    { CLASSIC, "UnHealthyHostCount", "balancer", "Count", "is-unhealthy" },
    { "VPCLab", "RefusedPackets", "refused", "Count", NULL },
    { "VPCLab", "RefusedBytes", "refused", "Bytes", NULL },
    { "VPCLab", "RulePackets", "rule", "Count", NULL },
    { "VPCLab", "RuleBytes", "rule", "Bytes", NULL },
};

/* ---- dimensions ---------------------------------------------------------------------------------------------------
 */
enum source {
    THE_OWNER,
    THE_ID,
    THE_RULE,
    ENDPOINT_TYPE,
    ENDPOINT_SERVICE,
    ENDPOINT_VPC,
    ENDPOINT_SUBNET,
    SERVICE_ID,
    NODE_ZONE,
    TARGET_GROUP
};
static const struct dimension {
    const char *space, *kind; /* 'kind' NULL: of all metrics there */
    const char *name;
    enum source source;
    bool finer; /* values are kept without it too */
} dimensions[] = {
    { "AWS/EC2", NULL, "InstanceId", THE_OWNER, true },
    { "AWS/NATGateway", NULL, "NatGatewayId", THE_OWNER, false },
    { "AWS/TransitGateway", NULL, "TransitGateway", THE_OWNER, false },
    { "AWS/TransitGateway", NULL, "TransitGatewayAttachment", THE_ID, true },
    { "AWS/VPN", NULL, "VpnId", THE_OWNER, false },
    { "AWS/PrivateLinkEndpoints", NULL, "Endpoint Type", ENDPOINT_TYPE, false },
    { "AWS/PrivateLinkEndpoints", NULL, "Service Name", ENDPOINT_SERVICE, false },
    { "AWS/PrivateLinkEndpoints", NULL, "VPC Endpoint Id", THE_OWNER, false },
    { "AWS/PrivateLinkEndpoints", NULL, "VPC Id", ENDPOINT_VPC, false },
    { "AWS/PrivateLinkEndpoints", NULL, "Subnet Id", ENDPOINT_SUBNET, true },
    { SERVICES, NULL, "Service Id", SERVICE_ID, false },
    { SERVICES, "endpoint", "VPC Endpoint Id", THE_OWNER, true },
    { APPLICATION, NULL, "LoadBalancer", THE_OWNER, false },
    { APPLICATION, NULL, "TargetGroup", TARGET_GROUP, false },
    { NETWORK, NULL, "LoadBalancer", THE_OWNER, false },
    { NETWORK, NULL, "TargetGroup", TARGET_GROUP, false },
    { NETWORK, NULL, "AvailabilityZone", NODE_ZONE, true },
    { GATEWAY, NULL, "LoadBalancer", THE_OWNER, false },
    { GATEWAY, NULL, "TargetGroup", TARGET_GROUP, false },
    { GATEWAY, NULL, "AvailabilityZone", NODE_ZONE, true },
    { CLASSIC, NULL, "LoadBalancerName", THE_OWNER, false },
    { "VPCLab", "refused", "NetworkInterfaceId", THE_ID, false },
    { "VPCLab", NULL, "Rule", THE_RULE, false },
};

static bool
is_of(const struct dimension *d, const struct metric *m)
{
    return strcmp(d->space, m->space) == 0 && (!d->kind || strcmp(d->kind, m->kind) == 0);
}

/* The lab's endpoint service that the point is about; NULL: an endpoint of AWS's own. */
static const char *
service_of(const struct cloud *cloud, const struct metric_point *p)
{
    if (strcmp(p->kind, "service") == 0) {
        return p->owner;
    }
    const struct endpoint *endpoint = store_get(network_store(cloud->net), &endpoint_kind, p->owner);
    const struct private_service *service =
        endpoint && endpoint->service_name ? network_private_service(cloud->net, endpoint->service_name) : NULL;
    return service ? service->obj.id : NULL;
}

/* NULL: the point has none. */
static const char *
value_of_dimension(const struct cloud *cloud, const struct dimension *d, const struct metric_point *p)
{
    static char text[96]; /* until the next call */
    const struct store *store = network_store(cloud->net);
    const struct endpoint *endpoint = store_get(store, &endpoint_kind, p->owner);
    const struct eni *eni = store_get(store, &eni_kind, p->id);
    const struct subnet *subnet;
    switch (d->source) {
    case THE_OWNER:
        return p->owner;
    case THE_ID:
        return p->id;
    case THE_RULE:
        return p->rule;
    case ENDPOINT_TYPE:
        return endpoint && endpoint_is_gateway_lb(endpoint) ? "GatewayLoadBalancer" : "Interface";
    case ENDPOINT_SERVICE:
        return endpoint && endpoint->service_name ? endpoint->service_name : "-";
    case ENDPOINT_VPC:
        return endpoint ? endpoint->vpc_id : "-";
    case ENDPOINT_SUBNET:
        return eni ? eni->subnet_id : "-";
    case SERVICE_ID:
        return service_of(cloud, p);
    case NODE_ZONE:
        subnet = eni ? store_get(store, &subnet_kind, eni->subnet_id) : NULL;
        return subnet ? subnet->zone : NULL;
    case TARGET_GROUP: /* what a node counted has none */
        snprintf(text, sizeof text, "targetgroup/%s", p->id);
        return strchr(p->id, '/') ? text : NULL;
    }
    return "-";
}

/* NULL: the metric has no dimension of this name. */
static const char *
dimension(const struct cloud *cloud, const struct metric *m, const struct metric_point *p, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        if (is_of(&dimensions[i], m) && strcmp(dimensions[i].name, name) == 0) {
            return value_of_dimension(cloud, &dimensions[i], p);
        }
    }
    return NULL;
}

/* "app/NAME/HEX", "net/NAME/HEX", "gwy/NAME/HEX", or a Classic balancer's name. */
static const char *
space_of_balancer(const char *owner)
{
    return strncmp(owner, "app/", 4) == 0   ? APPLICATION
           : strncmp(owner, "net/", 4) == 0 ? NETWORK
           : strncmp(owner, "gwy/", 4) == 0 ? GATEWAY
                                            : CLASSIC;
}

/* Is the point one of the metric's? */
static bool
is_point_of(const struct cloud *cloud, const struct metric *m, const struct metric_point *p)
{
    size_t size = m->rule ? strlen(m->rule) : 0;
    bool begins = size && m->rule[size - 1] == '-' && strncmp(p->rule, m->rule, size) == 0;
    return strcmp(m->kind, p->kind) == 0 && (!m->rule || begins || strcmp(m->rule, p->rule) == 0) &&
           (strcmp(p->kind, "balancer") != 0 || strcmp(m->space, space_of_balancer(p->owner)) == 0) &&
           (strcmp(m->space, SERVICES) != 0 || service_of(cloud, p));
}

/* A point counts in a query that names its dimensions, or fewer of ours: then it is the sum. */
static bool
has_dimensions(const struct cloud *cloud, const struct metric *m, const struct metric_point *p, const json_t *wanted)
{
    size_t i;
    json_t *one;
    json_array_foreach(wanted, i, one)
    {
        const char *value = dimension(cloud, m, p, json_str(one, "Name")), *want = json_str(one, "Value");
        if (!value || (want && *want && strcmp(value, want) != 0)) {
            return false;
        }
    }
    /* AWS keeps no sum over its own resources but over all instances. */
    return json_array_size(wanted) || strcmp(m->space, "AWS/EC2") == 0 || strcmp(m->space, "VPCLab") == 0;
}

static json_t *
dimensions_json(const struct cloud *cloud, const struct metric *m, const struct metric_point *p, bool finer)
{
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        const struct dimension *d = &dimensions[i];
        const char *value = is_of(d, m) && (finer || !d->finer) ? value_of_dimension(cloud, d, p) : NULL;
        if (value) {
            json_array_append_new(list, json_pack("{s:s, s:s}", "Name", d->name, "Value", value));
        }
    }
    return list;
}

/* A transit gateway's values are kept for it and for each attachment; an endpoint's for it and for each subnet. */
static bool
has_finer(const struct metric *m)
{
    for (size_t i = 0; i < ARRAY_SIZE(dimensions); i++) {
        if (is_of(&dimensions[i], m) && dimensions[i].finer && strcmp(m->space, "AWS/EC2") != 0) {
            return true;
        }
    }
    return false;
}

/* What the running minute has so far is counted first. */
static bool
sample(struct op_call *call, struct err *err)
{
    return !call->cloud->live || metrics_tick(call->cloud, true, err);
}

/* ---- list-metrics -------------------------------------------------------------------------------------------------
 */
struct listing {
    const struct op_call *call;
    json_t *list;
};

static void
list_one(struct listing *l, const struct metric *m, const struct metric_point *p, bool finer)
{
    json_t *one = json_pack("{s:s, s:s, s:o}", "Namespace", m->space, "MetricName", m->name, "Dimensions",
                            dimensions_json(l->call->cloud, m, p, finer));
    bool known = false;
    for (size_t j = 0; !known && j < json_array_size(l->list); j++) {
        known = json_equal(json_array_get(l->list, j), one);
    }
    if (!known) {
        json_array_append(l->list, one);
    }
    json_decref(one);
}

static void
list_point(void *context, const struct metric_point *p)
{
    struct listing *l = context;
    const json_t *in = l->call->in, *wanted = json_object_get(in, "Dimensions");
    const char *space = arg_str(in, "Namespace"), *name = arg_str(in, "MetricName");
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        const struct metric *m = &metrics[i];
        if (!is_point_of(l->call->cloud, m, p) || (space && strcmp(space, m->space) != 0) ||
            (name && strcmp(name, m->name) != 0) || (wanted && !has_dimensions(l->call->cloud, m, p, wanted))) {
            continue;
        }
        list_one(l, m, p, true);
        if (has_finer(m)) {
            list_one(l, m, p, false);
        }
    }
}

static bool
list_metrics(struct op_call *call, struct err *err)
{
    struct listing listing = { call, json_array() };
    if (!sample(call, err) || !metrics_read(call->cloud, list_point, &listing, err)) {
        json_decref(listing.list);
        return false;
    }
    return answer_page(call, "Metrics", listing.list, err);
}

/* ---- values -------------------------------------------------------------------------------------------------------
 */
struct bucket {
    int64_t start_s;
    double sum, least, most;
    long long n; /* minutes */
};
struct series {
    const struct cloud *cloud;
    const struct metric *metric;
    const json_t *dimensions;
    int64_t from_s, to_s, period_s;
    VEC(struct bucket) buckets; /* by time */
    VEC(struct gauge {
        char of[160];
        double value;
    })
    gauges;           /* of the minute: their latest */
    int64_t minute_s; /* of 'minute': several interfaces, and readings within a minute, make one value of it */
    double minute;
};

static void
end_minute(struct series *s)
{
    if (s->minute_s == 0) {
        return;
    }
    for (size_t i = 0; i < s->gauges.n; i++) {
        s->minute += s->gauges.items[i].value;
    }
    s->gauges.n = 0;
    int64_t start = s->minute_s - s->minute_s % s->period_s;
    struct bucket *b = s->buckets.n ? &s->buckets.items[s->buckets.n - 1] : NULL;
    if (!b || b->start_s != start) {
        b = VEC_ADD(&s->buckets);
        *b = (struct bucket){ .start_s = start, .least = s->minute, .most = s->minute };
    }
    b->sum += s->minute;
    b->least = s->minute < b->least ? s->minute : b->least;
    b->most = s->minute > b->most ? s->minute : b->most;
    b->n++;
    s->minute = 0;
    s->minute_s = 0;
}

static void
note_gauge(struct series *s, const struct metric_point *p)
{
    char of[160];
    snprintf(of, sizeof of, "%s %s", p->owner, p->id);
    size_t i = 0;
    while (i < s->gauges.n && strcmp(s->gauges.items[i].of, of) != 0) {
        i++;
    }
    if (i == s->gauges.n) {
        snprintf(VEC_ADD(&s->gauges)->of, sizeof of, "%s", of);
    }
    s->gauges.items[i].value = (double)p->packets;
}

static void
take_point(void *context, const struct metric_point *p)
{
    struct series *s = context;
    if (!is_point_of(s->cloud, s->metric, p) || p->minute_s < s->from_s || p->minute_s >= s->to_s ||
        !has_dimensions(s->cloud, s->metric, p, s->dimensions)) {
        return;
    }
    if (p->minute_s != s->minute_s) {
        end_minute(s);
        s->minute_s = p->minute_s;
    }
    if (metrics_is_gauge(p->rule)) {
        note_gauge(s, p);
    } else {
        s->minute += (double)(strcmp(s->metric->unit, "Bytes") == 0 ? p->bytes : p->packets);
    }
}

static const struct metric *
find_metric(const char *space, const char *name)
{
    for (size_t i = 0; space && name && i < ARRAY_SIZE(metrics); i++) {
        if (strcmp(metrics[i].space, space) == 0 && strcmp(metrics[i].name, name) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

static double
value_of(const struct bucket *b, const char *stat)
{
    return strcmp(stat, "Sum") == 0       ? b->sum
           : strcmp(stat, "Minimum") == 0 ? b->least
           : strcmp(stat, "Maximum") == 0 ? b->most
           : strcmp(stat, "Average") == 0 ? b->sum / (double)b->n
                                          : (double)b->n;
}

static bool
is_stat(const char *stat)
{
    static const char *const stats[] = { "Sum", "Minimum", "Maximum", "Average", "SampleCount" };
    for (size_t i = 0; stat && i < ARRAY_SIZE(stats); i++) {
        if (strcmp(stat, stats[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* What AWS counts of balancers and gateways and the lab does not know is no zero. */
static bool
check_known(const char *space, const char *name, struct err *err)
{
    struct buf known = { 0 };
    if (!space || strncmp(space, "AWS/", 4) != 0 || strcmp(space, "AWS/EC2") == 0 || find_metric(space, name)) {
        return true;
    }
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        if (strcmp(metrics[i].space, space) == 0) {
            buf_printf(&known, "%s%s", known.size ? ", " : "", metrics[i].name);
        }
    }
    if (!known.size) {
        return true; /* a service that the lab has not */
    }
    err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not count `%s` of %s", name ? name : "", space);
    err_hint(err, "it knows %s", buf_str(&known));
    buf_done(&known);
    return false;
}

/* Times, period; an unknown metric has no values, as in AWS. */
static bool
read_series(struct op_call *call, struct series *s, const char *space, const char *name, const json_t *wanted,
            long long period, struct err *err)
{
    int64_t from, to;
    const char *start = arg_str(call->in, "StartTime"), *end = arg_str(call->in, "EndTime");
    *s = (struct series){
        .cloud = call->cloud, .metric = find_metric(space, name), .dimensions = wanted, .period_s = period
    };
    if (period < 60 || period % 60 != 0) {
        return err_set(err, ERR_INPUT, "InvalidParameterValue", "the period is a multiple of 60 seconds, not `%lld`",
                       period);
    }
    if (!start || !end || !clock_parse(start, &from) || !clock_parse(end, &to) || from >= to) {
        return err_set(err, ERR_INPUT, "InvalidParameterCombination", "`StartTime` must be before `EndTime`");
    }
    if (!check_known(space, name, err)) {
        return false;
    }
    s->from_s = from / 1000;
    s->to_s = (to + 999) / 1000;
    if (s->metric && !metrics_read(call->cloud, take_point, s, err)) {
        return false;
    }
    end_minute(s);
    VEC_DONE(&s->gauges);
    return true;
}

static bool
answer_query(struct op_call *call, const json_t *query, json_t *results, struct err *err)
{
    const json_t *stat = json_object_get(query, "MetricStat"), *metric = json_object_get(stat, "Metric");
    const char *id = json_str(query, "Id"), *what = json_string_value(json_object_get(stat, "Stat")),
               *label = json_string_value(json_object_get(query, "Label"));
    const char *name = json_string_value(json_object_get(metric, "MetricName")),
               *space = json_string_value(json_object_get(metric, "Namespace"));
    struct series s;
    if (!stat) {
        err_set(err, ERR_INPUT, "ValidationError", "the query `%s` has no `MetricStat`", id);
        return err_hint(err, "the lab has no metric math: ask for each metric by itself");
    }
    if (!is_stat(what)) {
        return err_set(err, ERR_INPUT, "ValidationError", "`%s` is none of Sum, Average, Minimum, Maximum, SampleCount",
                       what ? what : "");
    }
    bool ok =
        read_series(call, &s, space, name, json_object_get(metric, "Dimensions"), json_int(stat, "Period", 0), err);
    bool oldest_first = arg_str(call->in, "ScanBy") && strcmp(arg_str(call->in, "ScanBy"), "TimestampAscending") == 0;
    json_t *times = json_array(), *values = json_array();
    const char *unit = json_string_value(json_object_get(stat, "Unit"));
    /* Values are kept in one unit; asked for in another there are none. */
    for (size_t i = 0; ok && i < s.buckets.n && (!unit || strcmp(unit, s.metric->unit) == 0); i++) {
        const struct bucket *b = &s.buckets.items[oldest_first ? i : s.buckets.n - 1 - i];
        char when[32];
        clock_format_s(b->start_s * 1000, when);
        json_array_append_new(times, json_string(when));
        json_array_append_new(values, json_real(value_of(b, what)));
    }
    json_array_append_new(results, json_pack("{s:s, s:s, s:o, s:o, s:s}", "Id", id, "Label",
                                             label  ? label
                                             : name ? name
                                                    : "",
                                             "Timestamps", times, "Values", values, "StatusCode", "Complete"));
    VEC_DONE(&s.buckets);
    return ok;
}

/* AWS's rule: a lower case letter, then letters, digits and underscores; each query its own. */
static bool
check_id(const json_t *queries, size_t at, struct err *err)
{
    const char *id = json_str(json_array_get(queries, at), "Id");
    if (*id < 'a' || *id > 'z' ||
        strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(id)) {
        err_set(err, ERR_INPUT, "ValidationError", "`%.80s` is no id of a query", id);
        return err_hint(err, "it begins with a lower case letter, and letters, digits and _ follow");
    }
    for (size_t i = 0; i < at; i++) {
        if (strcmp(json_str(json_array_get(queries, i), "Id"), id) == 0) {
            return err_set(err, ERR_INPUT, "ValidationError", "two queries have the id `%.80s`", id);
        }
    }
    return true;
}

static bool
get_metric_data(struct op_call *call, struct err *err)
{
    json_t *results = json_array();
    bool ok = sample(call, err);
    size_t i;
    json_t *query;
    const json_t *queries = json_object_get(call->in, "MetricDataQueries");
    json_array_foreach(queries, i, query)
    {
        ok = ok && check_id(queries, i, err) && answer_query(call, query, results, err);
        if (ok && !json_flag(query, "ReturnData", true)) {
            json_array_remove(results, json_array_size(results) - 1);
        }
    }
    json_object_set_new(call->out, "MetricDataResults", results);
    json_object_set_new(call->out, "Messages", json_array());
    return ok;
}

/* Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html */
#define POINTS_MAX 1440

static bool
check_points(const struct series *s, struct err *err)
{
    int64_t asked = (s->to_s - s->from_s + s->period_s - 1) / s->period_s;
    if (asked <= POINTS_MAX) {
        return true;
    }
    err_set(err, ERR_INPUT, "InvalidParameterCombination",
            "up to %" PRId64 " datapoints are asked for, which exceeds the limit of %d", asked, POINTS_MAX);
    return err_hint(err, "a longer --period, or less time between --start-time and --end-time");
}

static bool
get_metric_statistics(struct op_call *call, struct err *err)
{
    const json_t *wanted = json_object_get(call->in, "Statistics");
    const char *name = arg_str(call->in, "MetricName"), *space = arg_str(call->in, "Namespace");
    struct series s = { 0 };
    json_t *points = json_array();
    const char *unit = arg_str(call->in, "Unit");
    bool ok = (json_array_size(wanted) ||
               err_set(err, ERR_INPUT, "MissingParameter", "the request must contain `Statistics`")) &&
              sample(call, err) &&
              read_series(call, &s, space, name, json_object_get(call->in, "Dimensions"),
                          arg_int(call->in, "Period", 0), err) &&
              check_points(&s, err);
    /* Values are kept in one unit; asked for in another there are none. */
    for (size_t i = 0; ok && i < s.buckets.n && (!unit || strcmp(unit, s.metric->unit) == 0); i++) {
        const struct bucket *b = &s.buckets.items[i];
        char when[32];
        size_t j;
        json_t *stat;
        clock_format_s(b->start_s * 1000, when);
        json_t *point = json_pack("{s:s, s:s}", "Timestamp", when, "Unit", s.metric->unit);
        json_array_foreach(wanted, j, stat)
        {
            json_object_set_new(point, json_string_value(stat), json_real(value_of(b, json_string_value(stat))));
        }
        json_array_append_new(points, point);
    }
    VEC_DONE(&s.buckets);
    json_object_set_new(call->out, "Label", json_string(name));
    json_object_set_new(call->out, "Datapoints", points);
    return ok;
}

const struct op ops_cloudwatch[] = {
    { .service = "cloudwatch",
      .name = "ListMetrics",
      .iam_action = "cloudwatch:ListMetrics",
      .mode = OP_READ,
      .run = list_metrics,
      .help =
          "List metrics that the live lab has values of: instances, gateways, balancers, VPN connections, endpoints, "
          "rules, refusals." },
    { .service = "cloudwatch",
      .name = "GetMetricData",
      .iam_action = "cloudwatch:GetMetricData",
      .mode = OP_READ,
      .run = get_metric_data,
      .help = "Show values of metrics of the live lab, minute by minute or in longer periods." },
    { .service = "cloudwatch",
      .name = "GetMetricStatistics",
      .iam_action = "cloudwatch:GetMetricStatistics",
      .mode = OP_READ,
      .run = get_metric_statistics,
      .help = "Show statistics of one metric of the live lab." },
    { 0 },
};
