/* cloud/ops_ec2_insights.c - Reachability Analyzer: paths that are asked about, and analyses that answer.
 *
 * The question is kept in the lab, netsim/analysis/insights answers it, and the answer is kept too: it says what was so
 * when it was asked.  An analysis takes no time here, so it has succeeded when it is described for the first time.
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInsightsPath.html,
 * API_StartNetworkInsightsAnalysis.html and neighbours */
#include <string.h>
#include "base/arn.h"
#include "base/vec.h"
#include "cloud/ops_ec2.h"
#include "netsim/analysis/insights.h"
#include "netsim/model/insights.h"

/* ---- Paths --------------------------------------------------------------------------------------------------------
 */

static bool
fail_end(const char *name, const char *text, struct err *err)
{
    err_set(err, ERR_INPUT, "InvalidParameterValue",
            "value (`%.80s`) for parameter `%s` is invalid: it names no resource", text, name);
    err_hint(err,
             "an end is an instance, interface, internet gateway, VPC endpoint, peering connection, transit gateway "
             "or attachment of one, or virtual private gateway, by id or ARN");
    return err_at(err, name, 0, 0);
}

/* "igw-0a", or its ARN; a resource of another account only by ARN. */
static bool
read_end(const struct op_call *call, const char *name, char **id, char **arn, struct err *err)
{
    const char *text = arg_str(call->in, name), *own = id_of_arn(text);
    struct flow_end end;
    char named[ID_SIZE];
    if (!text) {
        return true;
    }
    if (!flow_end_of_id(own, &end) && !network_kind_of_id(own) && cloud_resolve(call->cloud, NULL, text, named, NULL)) {
        own = text = named; /* a Name tag */
    }
    if (strlen(own) >= ID_SIZE || (!flow_end_of_id(own, &end) && !network_kind_of_id(own))) {
        return fail_end(name, text, err);
    }
    const struct object *object = store_find(network_store(ec2_net(call)), own);
    if (object && own == text && call->cloud->caller && strcmp(object->account, call->cloud->account) != 0) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%s` is of another account (%s)", text, object->account);
        err_hint(err, "name it by its ARN");
        return err_at(err, name, 0, 0);
    }
    *id = xstrdup(own);
    if (own != text) {
        *arn = xstrdup(text);
    } else if (object) {
        const char *type = object->kind->type ? object->kind->type : object->kind->name;
        *arn = xasprintf("arn:aws:ec2:%s:%s:%s/%s", object->region, object->account, type, object->id);
    }
    return true;
}

static bool
read_ports(const json_t *filter, const char *name, int *from, int *to, struct err *err)
{
    const json_t *range = json_object_get(filter, name);
    *from = range ? (int)arg_int(range, "FromPort", 0) : -1;
    *to = range ? (int)arg_int(range, "ToPort", 65535) : -1;
    if (range && (*from < 0 || *to > 65535 || *from > *to)) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%d` to `%d` is not a range of ports", *from, *to);
        err_hint(err, "ports are 0 to 65535, the lower one first");
        return err_at(err, name, 0, 0);
    }
    return true;
}

static bool
read_filter_ip(const json_t *filter, const char *name, struct ip *ip, struct err *err)
{
    const char *text = json_str(filter, name);
    struct cidr host;
    if (!text) {
        return true;
    }
    bool ok = ip_parse(text, ip) || (cidr_parse(text, &host) && host.bits == 32 && (*ip = host.ip, true));
    if (!ok || ip->family != IP_V4) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%.80s` is not an IPv4 address", text);
        return err_at(err, name, 0, 0);
    }
    return true;
}

static bool
read_filter(const json_t *filter, struct header_filter *out, struct err *err)
{
    *out = (struct header_filter)HEADER_FILTER_ANY;
    return !filter || (read_filter_ip(filter, "SourceAddress", &out->src, err) &&
                       read_filter_ip(filter, "DestinationAddress", &out->dst, err) &&
                       read_ports(filter, "SourcePortRange", &out->src_from, &out->src_to, err) &&
                       read_ports(filter, "DestinationPortRange", &out->dst_from, &out->dst_to, err));
}

/* Members that say the same in two ways. */
static const struct {
    const char *filter, *other;
} exclusive[] = {
    { "FilterAtSource", "SourceIp" },
    { "FilterAtSource", "DestinationPort" },
    { "FilterAtDestination", "DestinationIp" },
};

static bool
check_path(const struct op_call *call, struct err *err)
{
    struct header_filter at_source, at_destination;
    const json_t *in = call->in;
    for (size_t i = 0; i < ARRAY_SIZE(exclusive); i++) {
        if (json_object_get(in, exclusive[i].filter) && json_object_get(in, exclusive[i].other)) {
            err_set(err, ERR_INPUT, "InvalidParameterCombination",
                    "the parameter `%s` cannot be used with the parameter `%s`", exclusive[i].other,
                    exclusive[i].filter);
            err_hint(err, "put it into the filter");
            return err_at(err, exclusive[i].other, 0, 0);
        }
    }
    if (!read_filter(json_object_get(in, "FilterAtSource"), &at_source, err)) {
        return err_at(err, "FilterAtSource", 0, 0);
    }
    if (!read_filter(json_object_get(in, "FilterAtDestination"), &at_destination, err)) {
        return err_at(err, "FilterAtDestination", 0, 0);
    }
    if (!arg_str(in, "Destination") && !arg_str(in, "DestinationIp") && !at_source.dst.family &&
        !at_destination.dst.family) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `Destination`");
        return err_hint(err, "or the address of the destination, in `DestinationIp` or a filter");
    }
    long long port = arg_int(in, "DestinationPort", 0);
    if (port < 0 || port > 65535) {
        err_set(err, ERR_INPUT, "InvalidParameterValue", "`%lld` is not a port", port);
        return err_at(err, "DestinationPort", 0, 0);
    }
    return true;
}

static bool
create_path(struct op_call *call, struct err *err)
{
    struct ip source_ip, destination_ip;
    if (!ec2_check_tags(call, (const struct kind *const[]){ &insights_path_kind, NULL }, err) ||
        !check_path(call, err) || !ec2_ip(call, "SourceIp", IP_V4, &source_ip, err) ||
        !ec2_ip(call, "DestinationIp", IP_V4, &destination_ip, err)) {
        return false;
    }
    struct insights_path *path = insights_path_add(ec2_net(call));
    if (!read_end(call, "Source", &path->source, &path->source_arn, err) ||
        !read_end(call, "Destination", &path->destination, &path->destination_arn, err)) {
        return false; /* op_call() takes the path back */
    }
    path->source_ip = source_ip;
    path->destination_ip = destination_ip;
    path->protocol = xstrdup(arg_str(call->in, "Protocol"));
    path->destination_port = (int32_t)arg_int(call->in, "DestinationPort", 0);
    path->at_source = json_deep_copy(json_object_get(call->in, "FilterAtSource"));
    path->at_destination = json_deep_copy(json_object_get(call->in, "FilterAtDestination"));
    ec2_tag_new(call, &path->obj);
    ec2_answer(call, "NetworkInsightsPath", path);
    return true;
}

static bool
delete_path(struct op_call *call, struct err *err)
{
    struct insights_path *path = ec2_require(call, &insights_path_kind, "NetworkInsightsPathId", err);
    if (!path || !insights_path_delete(ec2_net(call), path, err)) {
        return false;
    }
    json_object_set(call->out, "NetworkInsightsPathId", json_object_get(call->in, "NetworkInsightsPathId"));
    return true;
}

/* ---- Analyses -----------------------------------------------------------------------------------------------------
 */

/* A path is what create-network-insights-path took, or came by import: what it does not say is open. */
static void
question_of(const struct op_call *call, const struct insights_path *path, struct insights_question *q)
{
    static const struct header_filter any = HEADER_FILTER_ANY;
    *q = (struct insights_question){ .at_source = any, .at_destination = any };
    struct flow_spec *flow = &q->flow;
    *flow = (struct flow_spec){ .interfaces_alone = true, .src_port = -1, .icmp_type = -1, .icmp_code = -1 };
    bool udp = path->protocol && strcmp(path->protocol, "udp") == 0;
    flow->protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP;
    flow->dst_port = path->destination_port ? path->destination_port : -1;
    flow->src_ip = path->source_ip;
    flow->dst_ip = path->destination_ip;
    flow->family = IP_V4;
    read_filter(path->at_source, &q->at_source, NULL);
    read_filter(path->at_destination, &q->at_destination, NULL);
    if (path->source) {
        flow_end_of_id(path->source, &flow->from);
    }
    if (!path->destination || !flow_end_of_id(path->destination, &flow->to)) {
        flow->to.kind = FLOW_END_IP;
        flow->to.ip = path->destination_ip.family ? path->destination_ip
                      : q->at_source.dst.family   ? q->at_source.dst
                                                  : q->at_destination.dst;
    }
    q->through = json_object_get(call->in, "FilterInArns");
    q->avoid = json_object_get(call->in, "FilterOutArns");
}

static bool
check_arns(const struct op_call *call, const char *name, struct err *err)
{
    const json_t *list = json_object_get(call->in, name);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct arn arn;
        if (!text || !arn_parse(text, &arn)) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%.120s` is not an ARN", text ? text : "");
            err_hint(err, "arn:aws:ec2:REGION:ACCOUNT:TYPE/ID");
            return err_at(err, name, 0, 0);
        }
    }
    return true;
}

static bool
check_accounts(const struct op_call *call, struct err *err)
{
    const json_t *list = json_object_get(call->in, "AdditionalAccounts");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text || strlen(text) != 12 || strspn(text, "0123456789") != 12) {
            err_set(err, ERR_INPUT, "InvalidParameterValue", "`%.80s` is not an account", text ? text : "");
            err_hint(err, "an account is twelve digits");
            return err_at(err, "AdditionalAccounts", 0, 0);
        }
    }
    return true;
}

static json_t *
unless_empty(json_t *list)
{
    return json_array_size(list) > 0 ? json_incref(list) : NULL;
}

/* AWS answers at once and works afterwards; what it found is for describe-network-insights-analyses. */
static const char *const found_members[] = { "NetworkPathFound", "ForwardPathComponents", "ReturnPathComponents",
                                             "Explanations",     "AlternatePathHints",    "SuggestedAccounts",
                                             "WarningMessage",   "StatusMessage" };

static void
answer_running(struct op_call *call, const char *member, const void *object, const char *const *hidden, size_t n)
{
    ec2_answer(call, member, object);
    json_t *shown = json_object_get(call->out, member);
    for (size_t i = 0; i < n; i++) {
        json_object_del(shown, hidden[i]);
    }
    json_object_set_new(shown, "Status", json_string("running"));
}

static bool
start_analysis(struct op_call *call, struct err *err)
{
    struct insights_path *path = ec2_require(call, &insights_path_kind, "NetworkInsightsPathId", err);
    if (!path || !ec2_check_tags(call, (const struct kind *const[]){ &insights_analysis_kind, NULL }, err) ||
        !check_arns(call, "FilterInArns", err) || !check_arns(call, "FilterOutArns", err) ||
        !check_accounts(call, err)) {
        return false;
    }
    struct insights_question question;
    struct reach_result result = { 0 };
    question_of(call, path, &question);
    insights_analyze(ec2_net(call), &question, &result);
    struct insights_analysis *analysis = insights_analysis_add(ec2_net(call), path);
    analysis->status = xstrdup("succeeded");
    analysis->path_found = result.path_found;
    analysis->accounts = unless_empty(json_object_get(call->in, "AdditionalAccounts"));
    analysis->filter_in = unless_empty(json_object_get(call->in, "FilterInArns"));
    analysis->filter_out = unless_empty(json_object_get(call->in, "FilterOutArns"));
    if (result.path_found) {
        analysis->forward = unless_empty(result.forward);
        analysis->back = unless_empty(result.back);
    } else {
        analysis->explanations = unless_empty(result.explanations);
    }
    reach_result_done(&result);
    ec2_tag_new(call, &analysis->obj);
    answer_running(call, "NetworkInsightsAnalysis", analysis, found_members, ARRAY_SIZE(found_members));
    return true;
}

static bool
delete_analysis(struct op_call *call, struct err *err)
{
    struct insights_analysis *analysis = ec2_require(call, &insights_analysis_kind, "NetworkInsightsAnalysisId", err);
    if (!analysis) {
        return false;
    }
    insights_analysis_delete(ec2_net(call), analysis);
    json_object_set(call->out, "NetworkInsightsAnalysisId", json_object_get(call->in, "NetworkInsightsAnalysisId"));
    return true;
}

static bool
describe_analyses(struct op_call *call, struct err *err)
{
    if (arg_str(call->in, "NetworkInsightsPathId") &&
        !ec2_require(call, &insights_path_kind, "NetworkInsightsPathId", err)) {
        return false;
    }
    return ec2_describe(call, err);
}

#define ROW(mode_, name_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
const struct op ops_ec2_insights[] = {
    ROW(OP_WRITE, "CreateNetworkInsightsPath", create_path, "network-insights-path/*",
        "Keep a question for the Reachability Analyzer: from where to where, by tcp or udp, to which port."),
    ROW(OP_READ, "DescribeNetworkInsightsPaths", ec2_describe, NULL, "Show the paths that analyses are started for."),
    ROW(OP_WRITE, "DeleteNetworkInsightsPath", delete_path, "network-insights-path/${NetworkInsightsPathId}",
        "Forget a path; its analyses must be deleted first."),
    ROW(OP_WRITE, "StartNetworkInsightsAnalysis", start_analysis,
        "network-insights-path/${NetworkInsightsPathId} network-insights-analysis/*",
        "Find out whether a path is open as the network stands now; describe-network-insights-analyses shows the "
        "answer."),
    ROW(OP_READ, "DescribeNetworkInsightsAnalyses", describe_analyses, NULL,
        "Show analyses: is there a path, by which components, or what stands in the way."),
    ROW(OP_WRITE, "DeleteNetworkInsightsAnalysis", delete_analysis,
        "network-insights-analysis/${NetworkInsightsAnalysisId}", "Forget an analysis."),
    { 0 },
};
