#!/usr/bin/env bats
# The lab's clock, flow logs without a live lab, and what reads records from elsewhere.
load helper

@test "the clock: shown, set, advanced, refused" {
    says "Z" vpclab clock
    says "2026-01-02T03:04:05.000Z, standing still" vpclab clock set 2026-01-02T03:04:05Z --still
    says "2026-01-02T03:14:05.000Z, standing still" vpclab clock advance 10m
    says "2026-01-02T03:14:05.000Z" vpclab clock
    wrong 2 "is not a span of time" vpclab clock advance soon
    wrong 2 "is not a span of time" vpclab clock advance ""
    wrong 2 "is not a time" vpclab clock set yesterday
    says "Z" vpclab clock set now
    says "s ahead of the machine's clock" vpclab clock advance 2h
}

# A flow log of the default VPC with two records in its file, as a live lab leaves them; $1: --log-group-name or another destination.
lab_with_records() {
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    log=$(vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL "$@" --query 'FlowLogIds[0]' -o text)
    files=$XDG_DATA_HOME/vpclab/labs/default/flowlogs
    mkdir -p "$files"
    {
        echo "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
        echo "2 123456789012 eni-0000000000000000a 10.0.0.9 10.0.0.10 40000 443 6 10 840 1767225600 1767225610 ACCEPT OK"
        echo "2 123456789012 eni-0000000000000000b 10.0.0.9 10.0.0.11 40001 22 6 1 60 1767225660 1767225660 REJECT OK"
    } >"$files/$log.log"
    {
        echo "# cloud-watch-logs flows all"
        echo "$(head -n 1 "$files/$log.log" | wc -c) eni-0000000000000000a 1767225670000 - 0"
        echo "$(head -n 2 "$files/$log.log" | wc -c) eni-0000000000000000b 1767225670000 acl-0123:ingress:90 0"
    } >"$files/$log.more"
}

@test "records as log events: groups, streams, filters" {
    lab_with_records --log-group-name flows
    says '"logGroupName": "flows"' vpclab logs describe-log-groups
    says '"logGroups": []' vpclab logs describe-log-groups --log-group-name-prefix other
    says '"logStreamName": "eni-0000000000000000a-all"' vpclab logs describe-log-streams --log-group-name flows
    [ "$(vpclab logs describe-log-streams --log-group-name flows --order-by LastEventTime --descending --query 'logStreams[0].logStreamName' -o text)" = eni-0000000000000000b-all ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 2 ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --filter-pattern '[..., action=REJECT, status]' --query 'events[].timestamp' -o text)" = 1767225660000 ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --start-time 1767225660000 --query 'length(events)')" = 1 ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --log-stream-names eni-0000000000000000a-all --query 'events[0].message' -o text)" = \
        "2 123456789012 eni-0000000000000000a 10.0.0.9 10.0.0.10 40000 443 6 10 840 1767225600 1767225610 ACCEPT OK" ]
    token=$(vpclab logs filter-log-events --log-group-name flows --limit 1 --query nextToken -o text)
    [ "$(vpclab logs filter-log-events --log-group-name flows --next-token "$token" --query 'events[0].logStreamName' -o text)" = eni-0000000000000000b-all ]
    says '"nextForwardToken": "f/1"' vpclab logs get-log-events --log-group-name flows --log-stream-name eni-0000000000000000b-all
    says 'acl-0123:ingress:90' vpclab flows --action REJECT
    wrong 4 'log group `other` does not exist' vpclab logs filter-log-events --log-group-name other
    wrong 4 'log stream `eni-1` does not exist' vpclab logs get-log-events --log-group-name flows --log-stream-name eni-1
    wrong 4 'filter pattern is wrong' vpclab logs filter-log-events --log-group-name flows --filter-pattern '[a'
    wrong 4 'exactly one of' vpclab logs filter-log-events
    wrong 4 'not a token' vpclab logs get-log-events --log-group-name flows --log-stream-name eni-0000000000000000b-all --next-token x

    # what was delivered stays when the flow log is deleted
    vpclab ec2 delete-flow-logs --flow-log-ids "$log" >/dev/null
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 2 ]
}

@test "log events are shown to who may see them" {
    lab_with_records --log-group-name flows
    vpclab iam create-user --user-name reader >/dev/null
    wrong 4 "logs:FilterLogEvents" vpclab --as reader logs filter-log-events --log-group-name flows
    vpclab iam put-user-policy --user-name reader --policy-name p --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:FilterLogEvents","Resource":"arn:aws:logs:us-east-1:123456789012:log-group:flows*"}}'
    says REJECT vpclab --as reader logs filter-log-events --log-group-name flows
}
