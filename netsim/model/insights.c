#include "netsim/model/insights.h"

#include "netsim/model/internal.h"

/* ---- Paths ---------------------------------------------------------------------------------------------------------
 */

static const struct field path_fields[] = {
    FIELD(struct insights_path, "NetworkInsightsPathId", FIELD_ID, obj.id, 0),
    FIELD(struct insights_path, "NetworkInsightsPathArn", FIELD_STRING, arn, 0),
    FIELD(struct insights_path, "CreatedDate", FIELD_TIME, created, 0),
    FIELD(struct insights_path, "Source", FIELD_STRING, source, 0),
    FIELD(struct insights_path, "Destination", FIELD_STRING, destination, 0),
    FIELD(struct insights_path, "SourceArn", FIELD_STRING, source_arn, 0),
    FIELD(struct insights_path, "DestinationArn", FIELD_STRING, destination_arn, 0),
    FIELD(struct insights_path, "SourceIp", FIELD_IP, source_ip, 0),
    FIELD(struct insights_path, "DestinationIp", FIELD_IP, destination_ip, 0),
    FIELD(struct insights_path, "Protocol", FIELD_STRING, protocol, 0),
    FIELD(struct insights_path, "DestinationPort", FIELD_INT, destination_port, FIELD_OPTIONAL),
    FIELD_LIST(struct insights_path, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct insights_path, "FilterAtSource", FIELD_DOCUMENT, at_source, 0),
    FIELD(struct insights_path, "FilterAtDestination", FIELD_DOCUMENT, at_destination, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInsightsPaths.html */
static const struct filter_row path_filters[] = {
    { "destination", "Destination" },
    { "filter-at-source.source-address", "FilterAtSource.SourceAddress" },
    { "filter-at-source.source-port-range.from-port", "FilterAtSource.SourcePortRange.FromPort" },
    { "filter-at-source.source-port-range.to-port", "FilterAtSource.SourcePortRange.ToPort" },
    { "filter-at-source.destination-address", "FilterAtSource.DestinationAddress" },
    { "filter-at-source.destination-port-range.from-port", "FilterAtSource.DestinationPortRange.FromPort" },
    { "filter-at-source.destination-port-range.to-port", "FilterAtSource.DestinationPortRange.ToPort" },
    { "filter-at-destination.source-address", "FilterAtDestination.SourceAddress" },
    { "filter-at-destination.source-port-range.from-port", "FilterAtDestination.SourcePortRange.FromPort" },
    { "filter-at-destination.source-port-range.to-port", "FilterAtDestination.SourcePortRange.ToPort" },
    { "filter-at-destination.destination-address", "FilterAtDestination.DestinationAddress" },
    { "filter-at-destination.destination-port-range.from-port", "FilterAtDestination.DestinationPortRange.FromPort" },
    { "filter-at-destination.destination-port-range.to-port", "FilterAtDestination.DestinationPortRange.ToPort" },
    { "protocol", "Protocol" },
    { "source", "Source" },
    { NULL, NULL },
};

const struct kind insights_path_kind = {
    .name = "network-insights-path",
    .prefix = "nip",
    .type = "network-insights-path",
    .list = "NetworkInsightsPaths",
    .id_member = "NetworkInsightsPathId",
    .ids_param = "NetworkInsightsPathIds",
    .not_found = "InvalidNetworkInsightsPathId.NotFound",
    .malformed = "InvalidNetworkInsightsPathId.Malformed",
    .size = sizeof(struct insights_path),
    .fields = path_fields,
    .filters = path_filters,
};

/* ---- Analyses ------------------------------------------------------------------------------------------------------
 */

static const struct field analysis_fields[] = {
    FIELD(struct insights_analysis, "NetworkInsightsAnalysisId", FIELD_ID, obj.id, 0),
    FIELD(struct insights_analysis, "NetworkInsightsAnalysisArn", FIELD_STRING, arn, 0),
    FIELD(struct insights_analysis, "NetworkInsightsPathId", FIELD_ID, path_id, 0),
    FIELD(struct insights_analysis, "AdditionalAccounts", FIELD_DOCUMENT, accounts, 0),
    FIELD(struct insights_analysis, "FilterInArns", FIELD_DOCUMENT, filter_in, 0),
    FIELD(struct insights_analysis, "FilterOutArns", FIELD_DOCUMENT, filter_out, 0),
    FIELD(struct insights_analysis, "StartDate", FIELD_TIME, started, 0),
    FIELD(struct insights_analysis, "Status", FIELD_STRING, status, 0),
    FIELD(struct insights_analysis, "StatusMessage", FIELD_STRING, status_message, 0),
    FIELD(struct insights_analysis, "WarningMessage", FIELD_STRING, warning, 0),
    FIELD(struct insights_analysis, "NetworkPathFound", FIELD_BOOL, path_found, 0),
    FIELD(struct insights_analysis, "ForwardPathComponents", FIELD_DOCUMENT, forward, 0),
    FIELD(struct insights_analysis, "ReturnPathComponents", FIELD_DOCUMENT, back, 0),
    FIELD(struct insights_analysis, "Explanations", FIELD_DOCUMENT, explanations, 0),
    FIELD(struct insights_analysis, "AlternatePathHints", FIELD_DOCUMENT, hints, 0),
    FIELD(struct insights_analysis, "SuggestedAccounts", FIELD_DOCUMENT, suggested_accounts, 0),
    FIELD_LIST(struct insights_analysis, "Tags", obj.tags, tag_fields, 0),
    FIELD_END,
};

/* Source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInsightsAnalyses.html */
static const struct filter_row analysis_filters[] = {
    { "path-found", "NetworkPathFound" },
    { "status", "Status" },
    { NULL, NULL },
};

const struct kind insights_analysis_kind = {
    .name = "network-insights-analysis",
    .prefix = "nia",
    .type = "network-insights-analysis",
    .list = "NetworkInsightsAnalyses",
    .id_member = "NetworkInsightsAnalysisId",
    .ids_param = "NetworkInsightsAnalysisIds",
    .not_found = "InvalidNetworkInsightsAnalysisId.NotFound",
    .malformed = "InvalidNetworkInsightsAnalysisId.Malformed",
    .size = sizeof(struct insights_analysis),
    .fields = analysis_fields,
    .filters = analysis_filters,
};

/* ---- Access scopes -------------------------------------------------------------------------------------------------
 */

static const struct field scope_fields[] = {
    FIELD(struct access_scope, "NetworkInsightsAccessScopeId", FIELD_ID, obj.id, 0),
    FIELD(struct access_scope, "NetworkInsightsAccessScopeArn", FIELD_STRING, arn, 0),
    FIELD(struct access_scope, "CreatedDate", FIELD_TIME, created, 0),
    FIELD(struct access_scope, "UpdatedDate", FIELD_TIME, updated, 0),
    FIELD_LIST(struct access_scope, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct access_scope, "MatchPaths", FIELD_DOCUMENT, match, FIELD_STATE_ONLY),
    FIELD(struct access_scope, "ExcludePaths", FIELD_DOCUMENT, exclude, FIELD_STATE_ONLY),
    FIELD_END,
};

const struct kind access_scope_kind = {
    .name = "network-insights-access-scope",
    .prefix = "nis",
    .type = "network-insights-access-scope",
    .list = "NetworkInsightsAccessScopes",
    .id_member = "NetworkInsightsAccessScopeId",
    .ids_param = "NetworkInsightsAccessScopeIds",
    .not_found = "InvalidNetworkInsightsAccessScopeId.NotFound",
    .malformed = "InvalidNetworkInsightsAccessScopeId.Malformed",
    .size = sizeof(struct access_scope),
    .fields = scope_fields,
};

static const struct field scope_analysis_fields[] = {
    FIELD(struct access_scope_analysis, "NetworkInsightsAccessScopeAnalysisId", FIELD_ID, obj.id, 0),
    FIELD(struct access_scope_analysis, "NetworkInsightsAccessScopeAnalysisArn", FIELD_STRING, arn, 0),
    FIELD(struct access_scope_analysis, "NetworkInsightsAccessScopeId", FIELD_ID, scope_id, 0),
    FIELD(struct access_scope_analysis, "Status", FIELD_STRING, status, 0),
    FIELD(struct access_scope_analysis, "StatusMessage", FIELD_STRING, status_message, 0),
    FIELD(struct access_scope_analysis, "WarningMessage", FIELD_STRING, warning, 0),
    FIELD(struct access_scope_analysis, "StartDate", FIELD_TIME, started, 0),
    FIELD(struct access_scope_analysis, "EndDate", FIELD_TIME, ended, 0),
    FIELD(struct access_scope_analysis, "FindingsFound", FIELD_STRING, findings_found, 0),
    FIELD(struct access_scope_analysis, "AnalyzedEniCount", FIELD_INT, enis, 0),
    FIELD_LIST(struct access_scope_analysis, "Tags", obj.tags, tag_fields, 0),
    FIELD(struct access_scope_analysis, "AnalysisFindings", FIELD_DOCUMENT, findings, FIELD_STATE_ONLY),
    FIELD_END,
};

const struct kind access_scope_analysis_kind = {
    .name = "network-insights-access-scope-analysis",
    .prefix = "nisa",
    .type = "network-insights-access-scope-analysis",
    .list = "NetworkInsightsAccessScopeAnalyses",
    .id_member = "NetworkInsightsAccessScopeAnalysisId",
    .ids_param = "NetworkInsightsAccessScopeAnalysisIds",
    .not_found = "InvalidNetworkInsightsAccessScopeAnalysisId.NotFound",
    .malformed = "InvalidNetworkInsightsAccessScopeAnalysisId.Malformed",
    .size = sizeof(struct access_scope_analysis),
    .fields = scope_analysis_fields,
};

/* ---- Operations ----------------------------------------------------------------------------------------------------
 */

struct insights_path *
insights_path_add(struct network *net)
{
    struct insights_path *path = network_add(net, &insights_path_kind, NULL);
    path->arn = object_arn(&path->obj, "network-insights-path");
    path->created = network_now_ms(net);
    return path;
}

struct insights_analysis *
insights_analysis_add(struct network *net, const struct insights_path *path)
{
    struct insights_analysis *analysis = network_add(net, &insights_analysis_kind, NULL);
    analysis->arn = object_arn(&analysis->obj, "network-insights-analysis");
    id_set(analysis->path_id, path->obj.id);
    analysis->started = network_now_ms(net);
    return analysis;
}

struct access_scope *
access_scope_add(struct network *net)
{
    struct access_scope *scope = network_add(net, &access_scope_kind, NULL);
    scope->arn = object_arn(&scope->obj, "network-insights-access-scope");
    scope->created = scope->updated = network_now_ms(net);
    return scope;
}

struct access_scope_analysis *
access_scope_analysis_add(struct network *net, const struct access_scope *scope)
{
    struct access_scope_analysis *analysis = network_add(net, &access_scope_analysis_kind, NULL);
    analysis->arn = object_arn(&analysis->obj, "network-insights-access-scope-analysis");
    id_set(analysis->scope_id, scope->obj.id);
    analysis->started = analysis->ended = network_now_ms(net);
    return analysis;
}

static bool
fail_analyses(const struct object *object, const char *code, const struct object *analysis, struct err *err)
{
    err_set(err, ERR_INPUT, code, "`%s` has analyses, such as %s", object->id, analysis->id);
    return err_hint(err, "delete them first");
}

bool
insights_path_delete(struct network *net, struct insights_path *path, struct err *err)
{
    for (const struct insights_analysis *a = store_first(net->store, &insights_analysis_kind); a;
         a = store_next(net->store, a)) {
        if (str_is(a->path_id, path->obj.id)) {
            return fail_analyses(&path->obj, "AnalysisExistsForNetworkInsightsPath", &a->obj, err);
        }
    }
    network_remove(net, path);
    return true;
}

bool
access_scope_delete(struct network *net, struct access_scope *scope, struct err *err)
{
    for (const struct access_scope_analysis *a = store_first(net->store, &access_scope_analysis_kind); a;
         a = store_next(net->store, a)) {
        if (str_is(a->scope_id, scope->obj.id)) {
            return fail_analyses(&scope->obj, "AnalysisExistsForNetworkInsightsAccessScope", &a->obj, err);
        }
    }
    network_remove(net, scope);
    return true;
}

void
insights_analysis_delete(struct network *net, struct insights_analysis *analysis)
{
    network_remove(net, analysis);
}

void
access_scope_analysis_delete(struct network *net, struct access_scope_analysis *analysis)
{
    network_remove(net, analysis);
}
