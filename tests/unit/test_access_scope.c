/* Network Access Analyzer in AWS's words: scopes, analyses, findings; matches and exclusions by resources, headers and
 * what lies between. */
#include "tests/unit/insights_lab.h"

#define CREATE "ec2 create-network-insights-access-scope "
#define IGW    "Source={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]}}"

TEST(scopes_are_kept_analysed_and_deleted)
{
    struct cloud *cloud = insights_lab();
    static const struct step steps[] = {
        { "ec2 describe-network-insights-access-scopes", "", "{\"NetworkInsightsAccessScopes\":[]}" },
        { CREATE, "MissingParameter", "MatchPaths" },
        { CREATE "--match-paths Source={ResourceStatement={ResourceTypes=[AWS::S3::Bucket]}}", "InvalidParameterValue",
          "AWS::S3::Bucket" },
        { CREATE "--match-paths Source={PacketHeaderStatement={SourceAddresses=[nowhere]}}", "InvalidParameterValue",
          "nowhere" },
        { CREATE "--match-paths Source={PacketHeaderStatement={DestinationPorts=[90-80]}}", "InvalidParameterValue",
          "90-80" },
        { CREATE "--match-paths Source={PacketHeaderStatement={Protocols=[icmp]}}", "InvalidParameterValue", "icmp" },
        { CREATE "--match-paths " IGW " --exclude-paths Destination={PacketHeaderStatement={DestinationPorts=[70000]}}",
          "InvalidParameterValue", "70000" },
        { "ec2 describe-network-insights-access-scopes", "", "{\"NetworkInsightsAccessScopes\":[]}" },
        { CREATE "--match-paths " IGW NAMED("network-insights-access-scope", "s"), "",
          "\"MatchPaths\":[{\"Source\":{\"ResourceStatement\":{\"ResourceTypes\":[\"AWS::EC2::InternetGateway\"]}}}]" },
        { "ec2 get-network-insights-access-scope-content --network-insights-access-scope-id s", "",
          "\"AWS::EC2::InternetGateway\"" },
        { "ec2 describe-network-insights-access-scopes --filters Name=tag:Name,Values=s --query "
          "length(NetworkInsightsAccessScopes)",
          "", "1" },
        { "ec2 get-network-insights-access-scope-content --network-insights-access-scope-id nis-00000000000000000",
          "InvalidNetworkInsightsAccessScopeId.NotFound", "nis-" },
        { "ec2 start-network-insights-access-scope-analysis --network-insights-access-scope-id s" NAMED(
              "network-insights-access-scope-analysis", "a"),
          "", "\"Status\":\"running\"" },
        { "ec2 delete-network-insights-access-scope --network-insights-access-scope-id s",
          "AnalysisExistsForNetworkInsightsAccessScope", "nisa-" },
        { "ec2 describe-network-insights-access-scope-analyses --network-insights-access-scope-id s --query "
          "NetworkInsightsAccessScopeAnalyses[].[Status,FindingsFound,AnalyzedEniCount]",
          "", "[[\"succeeded\",\"true\",3]]" },
        { "ec2 describe-network-insights-access-scope-analyses --analysis-start-time-end 2001-01-01", "", "[]" },
        { "ec2 get-network-insights-access-scope-analysis-findings --network-insights-access-scope-analysis-id a "
          "--query AnalysisFindings[].[FindingId,FindingComponents[-1].Component.Name]",
          "", "[[\"AccessScopeFinding-1\",\"web\"]]" },
        { "ec2 get-network-insights-access-scope-analysis-findings --network-insights-access-scope-analysis-id "
          "nisa-00000000000000000",
          "InvalidNetworkInsightsAccessScopeAnalysisId.NotFound", "" },
        { "ec2 delete-network-insights-access-scope-analysis --network-insights-access-scope-analysis-id a", "",
          "nisa-" },
        { "ec2 delete-network-insights-access-scope --network-insights-access-scope-id s", "", "nis-" },
        { "ec2 describe-network-insights-access-scopes", "", "{\"NetworkInsightsAccessScopes\":[]}" },
    };
    TELL(cloud, steps);
    cloud_close(cloud);
}

/* "web:tcp/443 ..." of each finding: where it ends and what arrives there. */
static char *
findings(struct cloud *cloud, const char *scope)
{
    struct err err = { 0 };
    char *line = xasprintf(CREATE "%s", scope);
    json_t *created = lab_run(cloud, line, &err);
    REQUIRE(created, "%s: %s %s", scope, err.where, err.text);
    free(line);
    line = xasprintf("ec2 start-network-insights-access-scope-analysis --network-insights-access-scope-id %s",
                     json_str(json_object_get(created, "NetworkInsightsAccessScope"), "NetworkInsightsAccessScopeId"));
    json_t *started = lab_run(cloud, line, &err);
    REQUIRE(started, "%s: %s", line, err.text);
    free(line);
    line = xasprintf(
        "ec2 get-network-insights-access-scope-analysis-findings --network-insights-access-scope-analysis-id %s",
        json_str(json_object_get(started, "NetworkInsightsAccessScopeAnalysis"),
                 "NetworkInsightsAccessScopeAnalysisId"));
    json_t *out = lab_run(cloud, line, &err);
    REQUIRE(out, "%s: %s", line, err.text);
    free(line);
    struct buf text = { 0 };
    const json_t *list = json_object_get(out, "AnalysisFindings");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *path = json_object_get(json_array_get(list, i), "FindingComponents"),
                     *first = json_array_get(path, 0), *last = json_array_get(path, json_array_size(path) - 1),
                     *header = json_object_get(last, "InboundHeader");
        const char *from = json_str(json_object_get(first, "Component"), "Name"),
                   *to = json_str(json_object_get(last, "Component"), "Name");
        long long port = json_integer_value(
            json_object_get(json_array_get(json_object_get(header, "DestinationPortRanges"), 0), "From"));
        buf_printf(&text, "%s%s>%s:%s/%lld", i ? " " : "", from ? from : "?", to ? to : "?",
                   json_str(header, "Protocol"), port);
    }
    json_decref(created);
    json_decref(started);
    json_decref(out);
    return buf_steal(&text);
}

TEST(findings_fit_a_match_and_no_exclusion)
{
    static const struct {
        const char *scope, *found;
    } cases[] = {
        { "--match-paths " IGW, "igw>web:6/443" },
        { "--match-paths " IGW " --exclude-paths Destination={PacketHeaderStatement={DestinationPorts=[443]}}", "" },
        { "--match-paths " IGW " --exclude-paths Destination={PacketHeaderStatement={DestinationPorts=[80]}}",
          "igw>web:6/443" },
        { "--match-paths " IGW " --exclude-paths Source={PacketHeaderStatement={SourceAddresses=[0.0.0.0/0]}}", "" },
        { "--match-paths " IGW " --exclude-paths Source={PacketHeaderStatement={SourceAddresses=[8.0.0.0/7]}}",
          "igw>web:6/443" }, /* there is more internet than that */
        { "--match-paths Source={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]},"
          "PacketHeaderStatement={SourceAddresses=[9.9.9.9/32]}}",
          "igw>web:6/443" },
        { "--match-paths Source={PacketHeaderStatement={SourceAddresses=[10.9.0.0/16]}}",
          "" }, /* lone reaches nobody */
        /* out by the NAT gateway, by tcp and udp */
        { "--match-paths Destination={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]}},"
          "ThroughResources=[{ResourceStatement={ResourceTypes=[AWS::EC2::NatGateway]}}]",
          "app>igw:6/0 app>igw:17/0" },
        { "--match-paths Destination={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]}} --exclude-paths "
          "ThroughResources=[{ResourceStatement={ResourceTypes=[AWS::EC2::NatGateway]}}]",
          "web>igw:6/0 web>igw:17/0" },
        { "--match-paths Source={ResourceStatement={ResourceTypes=[AWS::EC2::Instance]}},"
          "Destination={ResourceStatement={ResourceTypes=[AWS::EC2::Instance]},"
          "PacketHeaderStatement={Protocols=[tcp],DestinationPorts=[400-500]}}",
          "web>app:6/443 app>web:6/443" },
        { "--match-paths Source={ResourceStatement={ResourceTypes=[AWS::EC2::Instance]}},"
          "Destination={PacketHeaderStatement={Protocols=[udp]},ResourceStatement={ResourceTypes=[AWS::EC2::Subnet]}}",
          "" },
    };
    struct cloud *cloud = insights_lab();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *found = findings(cloud, cases[i].scope);
        CHECK_STR(found, cases[i].found, "%s", cases[i].scope);
        free(found);
    }
    cloud_close(cloud);
}

TEST_MAIN
