/* cloud/ops_cloudwatch.c - CloudWatch metrics of a live lab: traffic of instances and NAT gateways, and our own of what
 * was refused and by which rule. Source:
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html,
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html,
 * vpc/latest/userguide/metrics-dimensions-nat-gateway.html,
 * elasticloadbalancing/latest/{application,network,classic}/...-cloudwatch-metrics.html */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/vec.h"
#include "cloud/answer_page.h"
#include "cloud/metrics.h"
#include "cloud/op.h"

#define APPLICATION "AWS/ApplicationELB"
#define NETWORK     "AWS/NetworkELB"
#define CLASSIC     "AWS/ELB"

enum of { OF_OWNER, OF_INTERFACE_RULE, OF_RULE, OF_BALANCER };
static const struct metric {
    const char *space, *name, *kind; /* as struct metric_point has it */
    enum of of;
    bool bytes;
    const char *what; /* OF_BALANCER: what is counted there, or how it begins; NULL: the metric's name */
} metrics[] = {
    { "AWS/EC2", "NetworkIn", "in", OF_OWNER, true, NULL },
    { "AWS/EC2", "NetworkOut", "out", OF_OWNER, true, NULL },
    { "AWS/EC2", "NetworkPacketsIn", "in", OF_OWNER, false, NULL },
    { "AWS/EC2", "NetworkPacketsOut", "out", OF_OWNER, false, NULL },
    { "AWS/NATGateway", "BytesInFromSource", "source", OF_OWNER, true, NULL },
    { "AWS/NATGateway", "BytesOutToDestination", "source", OF_OWNER, true, NULL },
    { "AWS/NATGateway", "PacketsInFromSource", "source", OF_OWNER, false, NULL },
    { "AWS/NATGateway", "PacketsOutToDestination", "source", OF_OWNER, false, NULL },
    { "AWS/NATGateway", "BytesInFromDestination", "destination", OF_OWNER, true, NULL },
    { "AWS/NATGateway", "BytesOutToSource", "destination", OF_OWNER, true, NULL },
    { "AWS/NATGateway", "PacketsInFromDestination", "destination", OF_OWNER, false, NULL },
    { "AWS/NATGateway", "PacketsOutToSource", "destination", OF_OWNER, false, NULL },
    { "VPCLab", "RefusedPackets", "refused", OF_INTERFACE_RULE, false, NULL },
    { "VPCLab", "RefusedBytes", "refused", OF_INTERFACE_RULE, true, NULL },
    { "VPCLab", "RulePackets", "rule", OF_RULE, false, NULL },
    { "VPCLab", "RuleBytes", "rule", OF_RULE, true, NULL },
    { APPLICATION, "RequestCount", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "NewConnectionCount", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "TargetConnectionErrorCount", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_Target_2XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_Target_3XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_Target_4XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_Target_5XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_ELB_3XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_ELB_4XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTPCode_ELB_5XX_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTP_Redirect_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HTTP_Fixed_Response_Count", "balancer", OF_BALANCER, false, NULL },
    { APPLICATION, "HealthyHostCount", "balancer", OF_BALANCER, false, "is-healthy" },
    { APPLICATION, "UnHealthyHostCount", "balancer", OF_BALANCER, false, "is-unhealthy" },
    { NETWORK, "NewFlowCount", "balancer", OF_BALANCER, false, "new-" },
    { NETWORK, "NewFlowCount_TCP", "balancer", OF_BALANCER, false, "new-tcp" },
    { NETWORK, "NewFlowCount_UDP", "balancer", OF_BALANCER, false, "new-udp" },
    { NETWORK, "ActiveFlowCount", "balancer", OF_BALANCER, false, "is-active" },
    { NETWORK, "ProcessedBytes", "balancer", OF_BALANCER, true, "bytes-" },
    { NETWORK, "ProcessedBytes_TCP", "balancer", OF_BALANCER, true, "bytes-tcp" },
    { NETWORK, "ProcessedBytes_UDP", "balancer", OF_BALANCER, true, "bytes-udp" },
    { NETWORK, "HealthyHostCount", "balancer", OF_BALANCER, false, "is-healthy" },
    { NETWORK, "UnHealthyHostCount", "balancer", OF_BALANCER, false, "is-unhealthy" },
    { CLASSIC, "RequestCount", "balancer", OF_BALANCER, false, "new-" },
    { CLASSIC, "EstimatedProcessedBytes", "balancer", OF_BALANCER, true, "bytes-" },
    { CLASSIC, "HealthyHostCount", "balancer", OF_BALANCER, false, "is-healthy" },
    { CLASSIC, "UnHealthyHostCount", "balancer", OF_BALANCER, false, "is-unhealthy" },
};

/* ---- dimensions ---------------------------------------------------------------------------------------------------
 */
/* "app/NAME/HEX", "net/NAME/HEX", or a Classic balancer's name. */
static const char *
space_of_balancer(const char *owner)
{
    return strncmp(owner, "app/", 4) == 0 ? APPLICATION : strncmp(owner, "net/", 4) == 0 ? NETWORK : CLASSIC;
}

/* Is the point one of the metric's? */
static bool
is_of(const struct metric *m, const struct metric_point *p)
{
    if (strcmp(m->kind, p->kind) != 0) {
        return false;
    }
    const char *what = m->what ? m->what : m->name;
    size_t length = strlen(what);
    bool begins = what[length - 1] == '-' && strncmp(p->rule, what, length) == 0;
    return m->of != OF_BALANCER ||
           (strcmp(m->space, space_of_balancer(p->owner)) == 0 && (begins || strcmp(p->rule, what) == 0));
}

static const char *
balancer_dimension(const struct metric *m, const struct metric_point *p, const char *name)
{
    static char text[96]; /* until the next call */
    bool classic = strcmp(m->space, CLASSIC) == 0;
    if (strcmp(name, classic ? "LoadBalancerName" : "LoadBalancer") == 0) {
        return p->owner;
    }
    if (classic || strcmp(name, "TargetGroup") != 0 || !strchr(p->id, '/')) {
        return NULL;
    }
    snprintf(text, sizeof text, "targetgroup/%s", p->id);
    return text;
}

static const char *
dimension(const struct metric *m, const struct metric_point *p, const char *name)
{
    if (m->of == OF_BALANCER) {
        return balancer_dimension(m, p, name);
    }
    if (m->of == OF_OWNER) {
        return strcmp(name, strcmp(m->space, "AWS/EC2") == 0 ? "InstanceId" : "NatGatewayId") == 0 ? p->owner : NULL;
    }
    return strcmp(name, "Rule") == 0                                               ? p->rule
           : m->of == OF_INTERFACE_RULE && strcmp(name, "NetworkInterfaceId") == 0 ? p->id
                                                                                   : NULL;
}

/* A point counts in a query that names its dimensions, or fewer of ours: then it is the sum. */
static bool
has_dimensions(const struct metric *m, const struct metric_point *p, const json_t *wanted)
{
    size_t i;
    json_t *one;
    json_array_foreach(wanted, i, one)
    {
        const char *value = dimension(m, p, json_str(one, "Name")), *want = json_str(one, "Value");
        if (!value || (want && *want && strcmp(value, want) != 0)) {
            return false;
        }
    }
    /* AWS keeps no sum over its own resources but over all instances. */
    return json_array_size(wanted) || (m->of != OF_OWNER && m->of != OF_BALANCER) || strcmp(m->space, "AWS/EC2") == 0;
}

static json_t *
dimensions_json(const struct metric *m, const struct metric_point *p)
{
    static const char *const names[] = { "InstanceId",   "NatGatewayId", "NetworkInterfaceId", "Rule",
                                         "LoadBalancer", "TargetGroup",  "LoadBalancerName" };
    json_t *list = json_array();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = dimension(m, p, names[i]);
        if (value) {
            json_array_append_new(list, json_pack("{s:s, s:s}", "Name", names[i], "Value", value));
        }
    }
    return list;
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
    const json_t *in;
    json_t *list;
};

static void
list_point(void *context, const struct metric_point *p)
{
    struct listing *l = context;
    const char *space = arg_str(l->in, "Namespace"), *name = arg_str(l->in, "MetricName");
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        const struct metric *m = &metrics[i];
        if (!is_of(m, p) || (space && strcmp(space, m->space) != 0) || (name && strcmp(name, m->name) != 0) ||
            (json_object_get(l->in, "Dimensions") && !has_dimensions(m, p, json_object_get(l->in, "Dimensions")))) {
            continue;
        }
        json_t *one = json_pack("{s:s, s:s, s:o}", "Namespace", m->space, "MetricName", m->name, "Dimensions",
                                dimensions_json(m, p));
        bool known = false;
        for (size_t j = 0; !known && j < json_array_size(l->list); j++) {
            known = json_equal(json_array_get(l->list, j), one);
        }
        if (!known) {
            json_array_append(l->list, one);
        }
        json_decref(one);
    }
}

static bool
list_metrics(struct op_call *call, struct err *err)
{
    struct listing listing = { call->in, json_array() };
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
    if (!is_of(s->metric, p) || p->minute_s < s->from_s || p->minute_s >= s->to_s ||
        !has_dimensions(s->metric, p, s->dimensions)) {
        return;
    }
    if (p->minute_s != s->minute_s) {
        end_minute(s);
        s->minute_s = p->minute_s;
    }
    if (metrics_is_gauge(p->rule)) {
        note_gauge(s, p);
    } else {
        s->minute += (double)(s->metric->bytes ? p->bytes : p->packets);
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

/* What AWS counts of balancers and the lab does not know is no zero. */
static bool
check_known(const char *space, const char *name, struct err *err)
{
    bool balancers =
        space && (strcmp(space, APPLICATION) == 0 || strcmp(space, NETWORK) == 0 || strcmp(space, CLASSIC) == 0);
    if (!balancers || find_metric(space, name)) {
        return true;
    }
    struct buf known = { 0 };
    for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
        if (strcmp(metrics[i].space, space) == 0) {
            buf_printf(&known, "%s%s", known.size ? ", " : "", metrics[i].name);
        }
    }
    err_set(err, ERR_INPUT, "UnsupportedOperation", "vpclab does not count `%s` of %s", name ? name : "", space);
    err_hint(err, "it knows %s", buf_str(&known));
    buf_done(&known);
    return false;
}

/* Times, period; an unknown metric has no values, as in AWS. */
static bool
read_series(struct op_call *call, struct series *s, const char *space, const char *name, const json_t *dimensions,
            long long period, struct err *err)
{
    int64_t from, to;
    const char *start = arg_str(call->in, "StartTime"), *end = arg_str(call->in, "EndTime");
    *s = (struct series){ .metric = find_metric(space, name), .dimensions = dimensions, .period_s = period };
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
    for (size_t i = 0; ok && i < s.buckets.n; i++) {
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

static bool
get_metric_data(struct op_call *call, struct err *err)
{
    json_t *results = json_array();
    bool ok = sample(call, err);
    size_t i;
    json_t *query;
    json_array_foreach(json_object_get(call->in, "MetricDataQueries"), i, query)
    {
        ok = ok && answer_query(call, query, results, err);
    }
    json_object_set_new(call->out, "MetricDataResults", results);
    json_object_set_new(call->out, "Messages", json_array());
    return ok;
}

static bool
get_metric_statistics(struct op_call *call, struct err *err)
{
    const json_t *wanted = json_object_get(call->in, "Statistics");
    const char *name = arg_str(call->in, "MetricName"), *space = arg_str(call->in, "Namespace");
    struct series s = { 0 };
    json_t *points = json_array();
    bool ok = (json_array_size(wanted) ||
               err_set(err, ERR_INPUT, "MissingParameter", "the request must contain `Statistics`")) &&
              sample(call, err) &&
              read_series(call, &s, space, name, json_object_get(call->in, "Dimensions"),
                          arg_int(call->in, "Period", 0), err);
    for (size_t i = 0; ok && i < s.buckets.n; i++) {
        const struct bucket *b = &s.buckets.items[i];
        char when[32];
        size_t j;
        json_t *stat;
        clock_format_s(b->start_s * 1000, when);
        json_t *point = json_pack("{s:s, s:s}", "Timestamp", when, "Unit", s.metric->bytes ? "Bytes" : "Count");
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
      .help = "List metrics that the live lab has values of: instances, NAT gateways, balancers, rules, refusals." },
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
