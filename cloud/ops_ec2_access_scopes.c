/* cloud/ops_ec2_access_scopes.c - Network Access Analyzer: scopes that say which paths should not be, and analyses that
 * find those that are.
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateNetworkInsightsAccessScope.html and
 * neighbours, https://docs.aws.amazon.com/vpc/latest/network-access-analyzer/ */
#include <string.h>
#include "base/vec.h"
#include "cloud/ops_ec2.h"
#include "netsim/analysis/access_scope.h"
#include "netsim/model/insights.h"

/* ---- Scopes --------------------------------------------------------------------------------------------------------
 */

static json_t *
content_json(const struct access_scope *scope)
{
    json_t *json = json_pack("{s:s}", "NetworkInsightsAccessScopeId", scope->obj.id);
    if (scope->match) {
        json_object_set(json, "MatchPaths", scope->match);
    }
    if (scope->exclude) {
        json_object_set(json, "ExcludePaths", scope->exclude);
    }
    return json;
}

static bool
create_scope(struct op_call *call, struct err *err)
{
    const json_t *match = json_object_get(call->in, "MatchPaths"), *exclude = json_object_get(call->in, "ExcludePaths");
    if (json_array_size(match) == 0) {
        err_set(err, ERR_INPUT, "MissingParameter", "the request must contain the parameter `MatchPaths`");
        return err_hint(err, "--match-paths 'Source={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]}}'");
    }
    if (!ec2_check_tags(call, (const struct kind *const[]){ &access_scope_kind, NULL }, err) ||
        !access_scope_check(match, "MatchPaths", err) || !access_scope_check(exclude, "ExcludePaths", err)) {
        return false;
    }
    struct access_scope *scope = access_scope_add(ec2_net(call));
    scope->match = json_deep_copy(match);
    scope->exclude = json_array_size(exclude) > 0 ? json_deep_copy(exclude) : NULL;
    ec2_tag_new(call, &scope->obj);
    ec2_answer(call, "NetworkInsightsAccessScope", scope);
    json_object_set_new(call->out, "NetworkInsightsAccessScopeContent", content_json(scope));
    return true;
}

static bool
get_content(struct op_call *call, struct err *err)
{
    const struct access_scope *scope = ec2_require(call, &access_scope_kind, "NetworkInsightsAccessScopeId", err);
    if (!scope) {
        return false;
    }
    json_object_set_new(call->out, "NetworkInsightsAccessScopeContent", content_json(scope));
    return true;
}

static bool
delete_scope(struct op_call *call, struct err *err)
{
    struct access_scope *scope = ec2_require(call, &access_scope_kind, "NetworkInsightsAccessScopeId", err);
    if (!scope || !access_scope_delete(ec2_net(call), scope, err)) {
        return false;
    }
    json_object_set(call->out, "NetworkInsightsAccessScopeId",
                    json_object_get(call->in, "NetworkInsightsAccessScopeId"));
    return true;
}

/* ---- Analyses ------------------------------------------------------------------------------------------------------
 */

/* What AWS works out after it has answered. */
static const char *const found_later[] = { "FindingsFound", "AnalyzedEniCount", "EndDate" };

static bool
start_analysis(struct op_call *call, struct err *err)
{
    const struct access_scope *scope = ec2_require(call, &access_scope_kind, "NetworkInsightsAccessScopeId", err);
    if (!scope || !ec2_check_tags(call, (const struct kind *const[]){ &access_scope_analysis_kind, NULL }, err)) {
        return false;
    }
    json_t *paths = json_array();
    int n_enis = access_scope_findings(ec2_net(call), scope->match, scope->exclude, paths);
    struct access_scope_analysis *analysis = access_scope_analysis_add(ec2_net(call), scope);
    analysis->status = xstrdup("succeeded");
    analysis->enis = n_enis;
    analysis->findings_found = xstrdup(json_array_size(paths) > 0 ? "true" : "false");
    analysis->findings = json_array();
    for (size_t i = 0; i < json_array_size(paths); i++) {
        json_t *finding =
            json_pack("{s:s, s:s, s:o, s:O}", "NetworkInsightsAccessScopeAnalysisId", analysis->obj.id,
                      "NetworkInsightsAccessScopeId", scope->obj.id, "FindingId",
                      json_sprintf("AccessScopeFinding-%zu", i + 1), "FindingComponents", json_array_get(paths, i));
        json_array_append_new(analysis->findings, finding);
    }
    json_decref(paths);
    ec2_tag_new(call, &analysis->obj);
    ec2_answer(call, "NetworkInsightsAccessScopeAnalysis", analysis);
    json_t *shown = json_object_get(call->out, "NetworkInsightsAccessScopeAnalysis");
    for (size_t i = 0; i < ARRAY_SIZE(found_later); i++) {
        json_object_del(shown, found_later[i]);
    }
    json_object_set_new(shown, "Status", json_string("running"));
    return true;
}

static bool
get_findings(struct op_call *call, struct err *err)
{
    const struct access_scope_analysis *analysis =
        ec2_require(call, &access_scope_analysis_kind, "NetworkInsightsAccessScopeAnalysisId", err);
    if (!analysis) {
        return false;
    }
    json_object_set_new(call->out, "NetworkInsightsAccessScopeAnalysisId", json_string(analysis->obj.id));
    json_object_set_new(call->out, "AnalysisStatus", json_string(analysis->status ? analysis->status : "succeeded"));
    json_t *list = analysis->findings ? json_incref(analysis->findings) : json_array();
    return ec2_answer_page(call, "AnalysisFindings", list, "FindingId", err);
}

static bool
delete_analysis(struct op_call *call, struct err *err)
{
    struct access_scope_analysis *analysis =
        ec2_require(call, &access_scope_analysis_kind, "NetworkInsightsAccessScopeAnalysisId", err);
    if (!analysis) {
        return false;
    }
    access_scope_analysis_delete(ec2_net(call), analysis);
    json_object_set(call->out, "NetworkInsightsAccessScopeAnalysisId",
                    json_object_get(call->in, "NetworkInsightsAccessScopeAnalysisId"));
    return true;
}

static bool
describe_analyses(struct op_call *call, struct err *err)
{
    if (arg_str(call->in, "NetworkInsightsAccessScopeId") &&
        !ec2_require(call, &access_scope_kind, "NetworkInsightsAccessScopeId", err)) {
        return false;
    }
    return ec2_describe(call, err);
}

#define ROW(mode_, name_, run_, resources_, help_)                                                                     \
    {                                                                                                                  \
        .service = "ec2", .name = name_, .mode = mode_, .run = run_, .resources = resources_, .help = help_            \
    }
#define SCOPE    "network-insights-access-scope/${NetworkInsightsAccessScopeId}"
#define ANALYSIS "network-insights-access-scope-analysis/${NetworkInsightsAccessScopeAnalysisId}"
const struct op ops_ec2_access_scopes[] = {
    ROW(OP_WRITE, "CreateNetworkInsightsAccessScope", create_scope, "network-insights-access-scope/*",
        "Say which paths should not be: those that fit a match and no exclusion."),
    ROW(OP_READ, "DescribeNetworkInsightsAccessScopes", ec2_describe, NULL, "Show access scopes."),
    ROW(OP_READ, "GetNetworkInsightsAccessScopeContent", get_content, SCOPE,
        "Show what an access scope matches and excludes."),
    ROW(OP_WRITE, "DeleteNetworkInsightsAccessScope", delete_scope, SCOPE,
        "Forget an access scope; its analyses must be deleted first."),
    ROW(OP_WRITE, "StartNetworkInsightsAccessScopeAnalysis", start_analysis,
        SCOPE " network-insights-access-scope-analysis/*", "Look for paths that fit an access scope."),
    ROW(OP_READ, "DescribeNetworkInsightsAccessScopeAnalyses", describe_analyses, NULL,
        "Show analyses of access scopes: whether there were findings."),
    ROW(OP_READ, "GetNetworkInsightsAccessScopeAnalysisFindings", get_findings, ANALYSIS,
        "Show the paths that an analysis of an access scope found."),
    ROW(OP_WRITE, "DeleteNetworkInsightsAccessScopeAnalysis", delete_analysis, ANALYSIS,
        "Forget an analysis of an access scope."),
    { 0 },
};
