/* Reachability Analyzer in AWS's words: paths, analyses, and why there is no path. */
#include "tests/unit/insights_lab.h"

#define PATH(name) NAMED("network-insights-path", name)
#define CREATE     "ec2 create-network-insights-path "

TEST(paths_are_kept_described_and_deleted)
{
    struct cloud *cloud = insights_lab();
    static const struct step steps[] = {
        { "ec2 describe-network-insights-paths", "", "{\"NetworkInsightsPaths\":[]}" },
        { CREATE "--source web", "", "--protocol` is missing" },
        { CREATE "--protocol tcp --destination web", "", "--source` is missing" },
        { CREATE "--source web --protocol tcp", "MissingParameter", "Destination" },
        { CREATE "--source web --destination app --protocol icmp", "InvalidParameterValue", "icmp" },
        { CREATE "--source vol-0 --destination app --protocol tcp", "InvalidParameterValue", "vol-0" },
        { CREATE "--source web --destination app --protocol tcp --destination-port 70000", "InvalidParameterValue",
          "70000" },
        { CREATE "--source web --destination app --protocol tcp --source-ip 10.0.1", "InvalidParameterValue",
          "10.0.1" },
        { CREATE "--source web --destination app --protocol tcp --source-ip 10.0.1.4 --filter-at-source "
                 "SourceAddress=10.0.1.4",
          "InvalidParameterCombination", "SourceIp" },
        { CREATE "--source web --destination app --protocol tcp --destination-port 1 --filter-at-source "
                 "SourceAddress=10.0.1.4",
          "InvalidParameterCombination", "DestinationPort" },
        { CREATE "--source web --destination app --protocol tcp --destination-ip 10.0.1.4 --filter-at-destination "
                 "SourceAddress=10.0.1.4",
          "InvalidParameterCombination", "DestinationIp" },
        { CREATE "--source web --destination app --protocol tcp --filter-at-source "
                 "SourcePortRange={FromPort=9,ToPort=8}",
          "InvalidParameterValue", "range" },
        { CREATE "--source web --destination app --protocol tcp --filter-at-source SourceAddress=2001:db8::1",
          "InvalidParameterValue", "2001:db8::1" },
        { "ec2 describe-network-insights-paths", "", "{\"NetworkInsightsPaths\":[]}" }, /* nothing stays of a refusal */
        { CREATE "--source web --destination app --protocol tcp --destination-port 443" PATH("p"), "",
          "\"DestinationPort\":443" },
        { "ec2 describe-network-insights-paths --filters Name=protocol,Values=udp", "", "[]" },
        { "ec2 describe-network-insights-paths --filters Name=protocol,Values=tcp Name=tag:Name,Values=p --query "
          "NetworkInsightsPaths[].DestinationPort",
          "", "[443]" },
        { "ec2 describe-network-insights-paths --filters Name=colour,Values=red", "InvalidParameterValue", "colour" },
        { "ec2 describe-network-insights-paths --network-insights-path-ids nip-0",
          "InvalidNetworkInsightsPathId.Malformed", "nip-0" },
        { "ec2 delete-network-insights-path --network-insights-path-id nip-00000000000000000",
          "InvalidNetworkInsightsPathId.NotFound", "nip-" },
        { "ec2 start-network-insights-analysis --network-insights-path-id p" NAMED("network-insights-analysis", "a"),
          "", "\"Status\":\"running\"" },
        { "ec2 delete-network-insights-path --network-insights-path-id p", "AnalysisExistsForNetworkInsightsPath",
          "nia-" },
        { "ec2 describe-network-insights-analyses --filters Name=path-found,Values=true --query "
          "NetworkInsightsAnalyses[].[Status,NetworkPathFound]",
          "", "[[\"succeeded\",true]]" },
        { "ec2 describe-network-insights-analyses --filters Name=path-found,Values=false", "", "[]" },
        { "ec2 describe-network-insights-analyses --analysis-end-time 2001-01-01", "", "[]" },
        { "ec2 describe-network-insights-analyses --analysis-start-time 2001-01-01 --query "
          "NetworkInsightsAnalyses[].Status",
          "", "[\"succeeded\"]" },
        { "ec2 describe-network-insights-analyses --network-insights-path-id nip-00000000000000000",
          "InvalidNetworkInsightsPathId.NotFound", "" },
        { "ec2 delete-network-insights-analysis --network-insights-analysis-id a", "", "nia-" },
        { "ec2 delete-network-insights-analysis --network-insights-analysis-id nia-00000000000000000",
          "InvalidNetworkInsightsAnalysisId.NotFound", "nia-" },
        { "ec2 delete-network-insights-path --network-insights-path-id p", "", "nip-" },
        { "ec2 describe-network-insights-paths", "", "{\"NetworkInsightsPaths\":[]}" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

/* Starts an analysis of the path "p" with these options, and shows what it found. */
static char *
analysis(struct cloud *cloud, const char *path, const char *options)
{
    struct err err = { 0 };
    char *create = xasprintf(CREATE "%s --tag-specifications "
                                    "ResourceType=network-insights-path,Tags=[{Key=Name,Value=p}]",
                             path);
    json_t *out = lab_run(cloud, create, &err);
    REQUIRE(out, "%s: %s: %s", path, err.where, err.text);
    const char *id = json_str(json_object_get(out, "NetworkInsightsPath"), "NetworkInsightsPathId");
    char *start = xasprintf("ec2 start-network-insights-analysis --network-insights-path-id %s%s", id, options);
    json_t *started = lab_run(cloud, start, &err);
    REQUIRE(started, "%s: %s: %s", start, err.where, err.text);
    char *describe = xasprintf("ec2 describe-network-insights-analyses --network-insights-path-id %s", id);
    json_t *list = lab_run(cloud, describe, &err);
    REQUIRE(list, "%s: %s", describe, err.text);
    const json_t *found = json_array_get(json_object_get(list, "NetworkInsightsAnalyses"), 0);
    struct buf text = { 0 };
    buf_str_add(&text, json_flag(found, "NetworkPathFound", false) ? "path" : "none");
    const json_t *explanations = json_object_get(found, "Explanations");
    for (size_t i = 0; i < json_array_size(explanations); i++) {
        buf_printf(&text, " %s", json_str(json_array_get(explanations, i), "ExplanationCode"));
    }
    free(create);
    free(start);
    free(describe);
    json_decref(out);
    json_decref(started);
    json_decref(list);
    return buf_steal(&text);
}

TEST(analyses_say_whether_and_why)
{
    static const struct {
        const char *path, *options, *found;
    } cases[] = {
        { "--source web --destination app --protocol tcp --destination-port 443", "", "path" },
        { "--source web --destination app --protocol tcp", "", "path" }, /* any port: 443 is one */
        { "--source web --destination app --protocol udp", "", "none ENI_SG_RULES_MISMATCH" },
        { "--source web --destination app --protocol tcp --destination-port 22", "", "none ENI_SG_RULES_MISMATCH" },
        { "--source igw --destination web --protocol tcp --destination-port 443", "", "path" },
        { "--source app --destination igw --protocol tcp --destination-port 443", "", "path" },
        { "--source app --destination-ip 8.8.4.4 --protocol tcp --destination-port 443", "", "path" },
        /* ends */
        { "--source web --destination eni-00000000000000000 --protocol tcp", "", "none NO_SOURCE_OR_DESTINATION" },
        { "--source nat --destination app --protocol tcp", "", "none UNSUPPORTED_COMPONENT" },
        { "--source loose --destination app --protocol tcp", "", "none UNASSOCIATED_COMPONENT" },
        { "--source web --destination lone --protocol tcp --destination-port 443", "",
          "none DISCONNECTED_VPCS IGW_DESTINATION_ADDRESS_NOT_IN_RFC1918_EGRESS" },
        { "--source igw --source-ip 10.0.0.1 --destination web --protocol tcp", "", "none IGW_EXPECTS_PUBLIC_ADDRESS" },
        { "--source web --destination igw --destination-ip 192.168.1.1 --protocol tcp", "",
          "none IGW_EXPECTS_PUBLIC_ADDRESS" },
        /* headers */
        { "--source web --destination app --protocol tcp --filter-at-source "
          "DestinationPortRange={FromPort=400,ToPort=500}",
          "", "path" },
        { "--source web --destination app --protocol tcp --filter-at-source "
          "DestinationPortRange={FromPort=400,ToPort=442}",
          "", "none ENI_SG_RULES_MISMATCH FILTER_AT_SOURCE_DESTINATION_PORT_RANGE" },
        { "--source web --destination app --protocol tcp --filter-at-source SourceAddress=10.0.1.99", "",
          "none ENI_SOURCE_DEST_CHECK_RESTRICTION FILTER_AT_SOURCE_SOURCE_ADDRESS" },
        { "--source web --destination app --protocol tcp --filter-at-source DestinationAddress=10.0.1.99", "",
          "none NO_POSSIBLE_DESTINATION FILTER_AT_SOURCE_DESTINATION_ADDRESS" },
        { "--source web --destination app --protocol tcp --destination-port 443 --filter-at-destination "
          "DestinationPortRange={FromPort=1,ToPort=80}",
          "", "none FILTER_AT_DESTINATION_DESTINATION_PORT_RANGE" },
        { "--source web --destination app --protocol tcp --filter-at-destination "
          "DestinationPortRange={FromPort=443,ToPort=443},SourcePortRange={FromPort=5000,ToPort=5001}",
          "", "path" },
        { "--source app --destination igw --protocol tcp --destination-port 443 --filter-at-destination "
          "SourceAddress=10.0.2.4",
          "", "none FILTER_AT_DESTINATION_SOURCE_ADDRESS" }, /* the NAT gateway's, by then */
        { "--source igw --destination web --protocol tcp --destination-port 443 --filter-at-destination "
          "DestinationAddress=10.0.1.99",
          "", "none FILTER_AT_DESTINATION_DESTINATION_ADDRESS" },
        { "--source app --destination igw --protocol tcp --destination-port 443 --filter-at-destination "
          "SourcePortRange={FromPort=1,ToPort=80}",
          "", "none FILTER_AT_DESTINATION_SOURCE_PORT_RANGE" }, /* NAT gateways send from 1024 on */
        /* components */
        { "--source app --destination igw --protocol tcp --destination-port 443",
          " --filter-in-arns arn:aws:ec2:us-east-1:123456789012:natgateway/NAT", "path" },
        { "--source app --destination igw --protocol tcp --destination-port 443",
          " --filter-out-arns arn:aws:ec2:us-east-1:123456789012:natgateway/NAT",
          "none COMPONENT_FILTER_RESTRICTION_REMOVED_COMPONENT" },
        { "--source web --destination app --protocol tcp --destination-port 443",
          " --filter-in-arns arn:aws:ec2:us-east-1:123456789012:natgateway/NAT", "none COMPONENT_FILTER_RESTRICTION" },
        { "--source app --destination web --protocol tcp --destination-port 443",
          " --filter-in-arns arn:aws:ec2:us-east-1:123456789012:natgateway/NAT",
          "none COMPONENT_FILTER_RESTRICTION MORE_SPECIFIC_ROUTE" },
    };
    struct cloud *cloud = insights_lab();
    struct err err = { 0 };
    json_t *nats = lab_run(cloud, "ec2 describe-nat-gateways --filter Name=tag:Name,Values=nat", &err);
    const char *nat = json_str(json_array_get(json_object_get(nats, "NatGateways"), 0), "NatGatewayId");
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *named = strstr(cases[i].options, "NAT");
        char *options = named ? xasprintf("%.*s%s", (int)(named - cases[i].options), cases[i].options, nat)
                              : xstrdup(cases[i].options);
        char *found = analysis(cloud, cases[i].path, options);
        CHECK_STR(found, cases[i].found, "%s%s", cases[i].path, cases[i].options);
        free(found);
        free(options);
    }
    json_decref(nats);
    static const struct step bad[] = {
        { CREATE "--source web --destination app --protocol tcp" PATH("q"), "", "" },
        { "ec2 start-network-insights-analysis --network-insights-path-id q --filter-in-arns igw-1",
          "InvalidParameterValue", "igw-1" },
        { "ec2 start-network-insights-analysis --network-insights-path-id q --additional-accounts 12",
          "InvalidParameterValue", "12" },
        { "ec2 start-network-insights-analysis --network-insights-path-id q --additional-accounts 210987654321", "",
          "\"AdditionalAccounts\":[\"210987654321\"]" },
        { "ec2 start-network-insights-analysis", "", "--network-insights-path-id` is missing" },
    };
    TELL(cloud, bad);
    cloud_close(cloud);
}

TEST_MAIN
