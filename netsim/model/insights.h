/* netsim/model/insights.h - what AWS's Network Manager keeps of questions about the network: paths and their analyses (Reachability
 * Analyzer), access scopes and theirs (Network Access Analyzer).
 *
 * The questions and answers are kept in AWS's shapes, as they were asked and answered; analysis/ answers them.
 * Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInsightsPath.html, API_NetworkInsightsAnalysis,
 * API_NetworkInsightsAccessScope, API_NetworkInsightsAccessScopeContent, API_NetworkInsightsAccessScopeAnalysis
 *
 * Uses: network.h.   Used by: cloud/ops_ec2_insights.c, cloud/ops_ec2_access_scopes.c. */
#pragma once
#include "netsim/model/network.h"

struct insights_path {
    struct object obj; /* id: nip-... */
    char *arn, *source, *destination, *source_arn, *destination_arn, *protocol /* "tcp" */;
    struct ip source_ip, destination_ip;
    int32_t destination_port; /* 0: any */
    json_t *at_source, *at_destination; /* PathFilter; NULL */
    int64_t created;
};
struct insights_analysis {
    struct object obj; /* id: nia-... */
    char *arn, *status /* running | succeeded | failed */, *status_message, *warning;
    char path_id[ID_SIZE];
    bool path_found;
    json_t *accounts, *filter_in, *filter_out; /* as asked: AdditionalAccounts, FilterInArns, FilterOutArns */
    json_t *forward, *back, *explanations, *hints, *suggested_accounts; /* as answered */
    int64_t started;
};
struct access_scope {
    struct object obj; /* id: nis-... */
    char *arn;
    json_t *match, *exclude; /* lists of AccessScopePath */
    int64_t created, updated;
};
struct access_scope_analysis {
    struct object obj; /* id: nisa-... */
    char *arn, *status, *status_message, *warning, *findings_found /* true | false | unknown */;
    char scope_id[ID_SIZE];
    json_t *findings; /* list of AccessScopeAnalysisFinding */
    int32_t enis;     /* looked at */
    int64_t started, ended;
};
extern const struct kind insights_path_kind, insights_analysis_kind, access_scope_kind, access_scope_analysis_kind;

/* New and empty but for id, ARN and time; the caller fills it. */
struct insights_path *insights_path_add(struct network *net);
struct insights_analysis *insights_analysis_add(struct network *net, const struct insights_path *path);
struct access_scope *access_scope_add(struct network *net);
struct access_scope_analysis *access_scope_analysis_add(struct network *net, const struct access_scope *scope);

/* AnalysisExistsForNetworkInsightsPath, AnalysisExistsForNetworkInsightsAccessScope: analyses come first. */
bool insights_path_delete(struct network *net, struct insights_path *path, struct err *err);
bool access_scope_delete(struct network *net, struct access_scope *scope, struct err *err);
void insights_analysis_delete(struct network *net, struct insights_analysis *analysis);
void access_scope_analysis_delete(struct network *net, struct access_scope_analysis *analysis);
