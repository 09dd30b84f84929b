#!/usr/bin/env bats
# The Reachability Analyzer's and the Network Access Analyzer's operations at the command line: who may ask, what is saved, what is printed.
load helper

with_lab() { vpclab import aws tests/reach/lab >/dev/null; }
path_id() { vpclab "$@" --query NetworkInsightsPath.NetworkInsightsPathId --output text; }

@test "a path, its analysis, and who may do what" {
    with_lab
    [ "$(vpclab ec2 describe-network-insights-analyses --query 'length(NetworkInsightsAnalyses)')" = 0 ]
    open=$(path_id ec2 create-network-insights-path --source web --destination app --protocol tcp --destination-port 8080)
    shut=$(path_id ec2 create-network-insights-path --source web --destination app --protocol tcp --destination-port 80)
    vpclab iam create-user --user-name bob >/dev/null
    vpclab iam put-user-policy --user-name bob --policy-name p --policy-document '{"Version":"2012-10-17","Statement":[
        {"Effect":"Allow","Action":"ec2:Describe*","Resource":"*"},
        {"Effect":"Allow","Action":"ec2:StartNetworkInsightsAnalysis","Resource":["arn:aws:ec2:*:*:network-insights-path/'"$open"'","arn:aws:ec2:*:*:network-insights-analysis/*"]}]}'
    vpclab --as bob ec2 start-network-insights-analysis --network-insights-path-id "$open" >/dev/null
    run vpclab --as bob ec2 start-network-insights-analysis --network-insights-path-id "$shut"
    [ "$status" = 4 ]
    [[ "$output" == *UnauthorizedOperation* ]]
    run vpclab --as bob ec2 delete-network-insights-path --network-insights-path-id "$shut"
    [[ "$output" == *UnauthorizedOperation* ]]
    vpclab ec2 start-network-insights-analysis --network-insights-path-id "$shut" >/dev/null
    vpclab ec2 describe-network-insights-analyses --network-insights-path-id "$open" >"$DIR/open"
    vpclab ec2 describe-network-insights-analyses --network-insights-path-id "$shut" >"$DIR/shut"
    [ "$(jq -c '.NetworkInsightsAnalyses[0] | keys' "$DIR/open")" = \
        '["ForwardPathComponents","NetworkInsightsAnalysisArn","NetworkInsightsAnalysisId","NetworkInsightsPathId","NetworkPathFound","ReturnPathComponents","StartDate","Status"]' ]
    [ "$(jq -c '.NetworkInsightsAnalyses[0] | [.NetworkPathFound, .Explanations[0].ExplanationCode]' "$DIR/shut")" = '[false,"ENI_SG_RULES_MISMATCH"]' ]
    # what was found stays as it was found
    vpclab ec2 authorize-security-group-ingress --group-id sg-app --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
    [ "$(vpclab ec2 describe-network-insights-analyses --filters Name=path-found,Values=false --query 'length(NetworkInsightsAnalyses)')" = 1 ]
    vpclab ec2 start-network-insights-analysis --network-insights-path-id "$shut" >/dev/null
    [ "$(vpclab ec2 describe-network-insights-analyses --filters Name=path-found,Values=true --query 'length(NetworkInsightsAnalyses)')" = 2 ]
}

@test "an access scope finds what a new rule opens, and who may look" {
    with_lab
    vpclab ec2 create-network-insights-access-scope --tag-specifications 'ResourceType=network-insights-access-scope,Tags=[{Key=Name,Value=only-https}]' \
        --match-paths 'Source={ResourceStatement={ResourceTypes=[AWS::EC2::InternetGateway]}}' \
        --exclude-paths 'Destination={PacketHeaderStatement={DestinationPorts=[443]}}' >/dev/null
    look() {
        id=$(vpclab ec2 start-network-insights-access-scope-analysis --network-insights-access-scope-id only-https \
            --query NetworkInsightsAccessScopeAnalysis.NetworkInsightsAccessScopeAnalysisId --output text)
        vpclab ec2 get-network-insights-access-scope-analysis-findings --network-insights-access-scope-analysis-id "$id" >"$DIR/found"
    }
    look
    before=$(jq '.AnalysisFindings | length' "$DIR/found")
    vpclab ec2 authorize-security-group-ingress --group-id sg-web --protocol udp --port 69 --cidr 0.0.0.0/0 >/dev/null
    look
    [ "$(jq '.AnalysisFindings | length' "$DIR/found")" = $((before + 1)) ]
    [ "$(jq -r '.AnalysisFindings[-1].FindingComponents[-1] | .Component.Id + " " + .InboundHeader.Protocol + " " + (.InboundHeader.DestinationPortRanges[0].From | tostring)' "$DIR/found")" = "i-web 17 69" ]
    run vpclab ec2 create-network-insights-access-scope --match-paths 'Source={ResourceStatement={ResourceTypes=[AWS::EC2::Nothing]}}'
    [ "$status" = 4 ]
    [[ "$output" == *InvalidParameterValue* ]]
}
