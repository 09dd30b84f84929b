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
    lab_with_records --log-group-name flows --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs
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
    wrong 4 'ends too early: nothing closes its' vpclab logs filter-log-events --log-group-name flows --filter-pattern '[a'
    wrong 4 'exactly one of' vpclab logs filter-log-events
    wrong 4 'not a token' vpclab logs get-log-events --log-group-name flows --log-stream-name eni-0000000000000000b-all --next-token x

    # what was delivered stays when the flow log is deleted
    vpclab ec2 delete-flow-logs --flow-log-ids "$log" >/dev/null
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 2 ]
}

@test "log groups are made and deleted, with their records" {
    vpclab logs create-log-group --log-group-name /vpc/flows
    [ "$(vpclab logs describe-log-groups --query 'logGroups[].logGroupName' -o text)" = /vpc/flows ]
    [ "$(vpclab logs filter-log-events --log-group-name /vpc/flows --query 'events' -o json)" = "[]" ]
    wrong 4 'exists already' vpclab logs create-log-group --log-group-name /vpc/flows
    wrong 4 'does not allow' vpclab logs create-log-group --log-group-name 'a b'
    wrong 2 'between 1 and 512' vpclab logs create-log-group --log-group-name ''
    wrong 2 'log-group-name' vpclab logs create-log-group
    wrong 4 'STANDARD' vpclab logs create-log-group --log-group-name x --log-group-class INFREQUENT_ACCESS
    lab_with_records --log-group-name flows --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs
    wrong 4 'exists already' vpclab logs create-log-group --log-group-name flows
    vpclab ec2 delete-flow-logs --flow-log-ids "$log" >/dev/null
    vpclab logs delete-log-group --log-group-name flows
    [ "$(vpclab logs describe-log-groups --query 'logGroups[].logGroupName' -o text)" = /vpc/flows ]
    vpclab logs delete-log-group --log-group-name /vpc/flows
    [ "$(vpclab logs describe-log-groups --query 'logGroups' -o json)" = "[]" ]
    wrong 4 'does not exist' vpclab logs delete-log-group --log-group-name /vpc/flows
    vpclab iam create-user --user-name reader >/dev/null
    wrong 4 "logs:CreateLogGroup on resource: arn:aws:logs:us-east-1:123456789012:log-group:x:log-stream:" vpclab --as reader logs create-log-group --log-group-name x
    # In a lab from before, and over a save: groups are the lab's state.
    vpclab logs create-log-group --log-group-name again
    grep -q '"again"' "$XDG_DATA_HOME"/vpclab/labs/default/state.json
}

@test "log groups keep their events for so many days, and have tags" {
    local arn=arn:aws:logs:us-east-1:123456789012:log-group
    lab_with_records --log-group-name flows --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs
    vpclab clock set 2026-01-03T00:00:00Z --still >/dev/null # the records are of the first of January
    wrong 4 'no number of days' vpclab logs put-retention-policy --log-group-name flows --retention-in-days 2
    wrong 4 '`0` is no number' vpclab logs put-retention-policy --log-group-name flows --retention-in-days 0
    wrong 4 'does not exist' vpclab logs put-retention-policy --log-group-name other --retention-in-days 3
    wrong 2 'retention-in-days' vpclab logs put-retention-policy --log-group-name flows
    vpclab logs put-retention-policy --log-group-name flows --retention-in-days 3
    [ "$(vpclab logs describe-log-groups --query 'logGroups[0].retentionInDays')" = 3 ]
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 2 ]
    vpclab logs put-retention-policy --log-group-name flows --retention-in-days 1
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 0 ]
    vpclab logs delete-retention-policy --log-group-name flows
    [ "$(vpclab logs filter-log-events --log-group-name flows --query 'length(events)')" = 2 ]
    [ "$(vpclab logs describe-log-groups --query 'logGroups[0].retentionInDays')" = null ]
    [ "$(vpclab logs describe-log-groups --log-group-identifiers "$arn:flows" --query 'logGroups[].logGroupName' -o text)" = flows ]
    [ "$(vpclab logs describe-log-groups --log-group-identifiers "$arn:other" --query 'logGroups' -o json)" = "[]" ]
    [ "$(vpclab logs describe-log-groups --query 'logGroups[0].storedBytes')" = "$(wc -c <"$files/$log.log")" ]

    vpclab logs tag-resource --resource-arn "$arn:flows" --tags team=net,env=prod
    vpclab logs tag-log-group --log-group-name flows --tags env=test
    vpclab logs untag-log-group --log-group-name flows --tags team
    [ "$(vpclab logs list-tags-for-resource --resource-arn "$arn:flows" --query tags -o json | tr -d ' \n')" = '{"env":"test"}' ]
    vpclab logs untag-resource --resource-arn "$arn:flows" --tag-keys env
    [ "$(vpclab logs list-tags-log-group --log-group-name flows --query 'length(keys(tags))')" = 0 ]
    wrong 4 'does not exist' vpclab logs tag-resource --resource-arn "$arn:other" --tags a=b
    wrong 4 "AWS's own" vpclab logs tag-log-group --log-group-name flows --tags aws:a=b
    wrong 2 'tags' vpclab logs tag-log-group --log-group-name flows
    vpclab logs create-log-group --log-group-name tagged --tags a=b
    [ "$(vpclab logs list-tags-log-group --log-group-name tagged --query tags.a -o text)" = b ]
    vpclab iam create-user --user-name reader >/dev/null
    wrong 4 "logs:TagResource on resource: $arn:flows because" vpclab --as reader logs tag-resource --resource-arn "$arn:flows" --tags a=b
    wrong 4 "logs:PutRetentionPolicy on resource: $arn:flows:log-stream: because" vpclab --as reader logs put-retention-policy --log-group-name flows --retention-in-days 3
}

@test "names of log groups and spans of metrics that AWS refuses" {
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    for name in 'a b' '' "$(printf 'a%.0s' {1..513})" 'läb'; do
        wrong 4 'is no name for a log group' vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL \
            --log-group-name "$name" --deliver-logs-permission-arn arn:aws:iam::123456789012:role/r
    done
    [ "$(vpclab logs describe-log-groups --query 'length(logGroups)')" = 0 ]
    ask() { vpclab cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name NetworkIn --statistics Sum --start-time 2026-01-01T00:00:00Z "$@"; }
    says '"Datapoints": []' ask --end-time 2026-01-02T00:00:00Z --period 60
    wrong 4 "up to 1441 datapoints are asked for, which exceeds the limit of 1440" ask --end-time 2026-01-02T00:01:00Z --period 60
}

@test "a delivery stream is no log group" {
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    vpclab ec2 create-flow-logs --resource-type VPC --resource-ids "$vpc" --traffic-type ALL --log-destination-type kinesis-data-firehose \
        --log-destination arn:aws:firehose:us-east-1:123456789012:deliverystream/flows >/dev/null
    [ "$(vpclab logs describe-log-groups --query 'logGroups' -o json)" = "[]" ]
}

@test "log events are shown to who may see them" {
    lab_with_records --log-group-name flows --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs
    vpclab iam create-user --user-name reader >/dev/null
    wrong 4 "logs:FilterLogEvents" vpclab --as reader logs filter-log-events --log-group-name flows
    vpclab iam put-user-policy --user-name reader --policy-name p --policy-document \
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"logs:FilterLogEvents","Resource":"arn:aws:logs:us-east-1:123456789012:log-group:flows*"}}'
    says REJECT vpclab --as reader logs filter-log-events --log-group-name flows
}

# web and db in the default VPC; db's group lets 5432 in from web's block.
lab_with_instances() {
    vpc=$(vpclab ec2 describe-vpcs --query 'Vpcs[0].VpcId' -o text)
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text)
    group=$(vpclab ec2 create-security-group --group-name db --description db --vpc-id "$vpc" --query GroupId -o text)
    rule=$(vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol tcp --port 5432 --cidr 172.31.0.0/16 --query 'SecurityGroupRules[0].SecurityGroupRuleId' -o text)
    for name in web db; do
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id "$subnet" --security-group-ids "$group" \
            --tag-specifications "ResourceType=instance,Tags=[{Key=Name,Value=$name}]" >/dev/null
    done
    db=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=db --query 'Reservations[0].Instances[0].PrivateIpAddress' -o text)
    eni=$(vpclab ec2 describe-instances --filters Name=tag:Name,Values=db --query 'Reservations[0].Instances[0].NetworkInterfaces[0].NetworkInterfaceId' -o text)
}

@test "records from elsewhere, with the rule of the model that decides each" {
    lab_with_instances
    {
        echo "2 123456789012 $eni 172.31.9.9 $db 40000 5432 6 10 840 1767225600 1767225610 ACCEPT OK"
        echo "2 123456789012 $eni $db 172.31.9.9 5432 40000 6 10 840 1767225600 1767225610 ACCEPT OK"
        echo "2 123456789012 $eni 172.31.9.9 $db 40001 22 6 1 60 1767225660 1767225660 ACCEPT OK"
        echo "2 123456789012 eni-00000000000000fff 10.9.9.9 10.9.9.8 40001 22 6 1 60 1767225660 1767225660 REJECT OK"
        echo "2 123456789012 $eni - - - - - - - 1767225660 1767225660 - NODATA"
    } >"$DIR/records"
    vpclab flows --from "$DIR/records" >"$DIR/out"
    grep -qE " 40000 +5432 .* ACCEPT +OK +$group:ingress:$rule +ACCEPT$" "$DIR/out"
    grep -qE " 5432 +40000 .* ACCEPT +OK +$group:egress:sgr-[0-9a-f]+ +ACCEPT$" "$DIR/out" # the group lets everything out
    grep -qE " 22 .* ACCEPT +OK +$group:ingress:none +REJECT$" "$DIR/out" # the model would refuse what was accepted then
    grep -qE " 10.9.9.9 .* REJECT +OK +- +-$" "$DIR/out"
    grep -q "1 record is of an interface that the model does not have; it cannot say which rule decides it" "$DIR/out"
    [ "$(grep -c NODATA "$DIR/out")" = 0 ]
    [ "$(vpclab flows db --from "$DIR/records" --dst-port 22 -o json | jq -c '[.FlowLogs[0].Records[] | .dstport]')" = "[22]" ]
    # gzip, as AWS delivers to S3, with the first line; another format by option
    { echo "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"; cat "$DIR/records"; } | gzip >"$DIR/records.gz"
    says " 40000    5432 " vpclab flows --from "$DIR/records.gz" --dst-port 5432
    echo "$db 172.31.9.9 egress ACCEPT" >"$DIR/short"
    says "egress          ACCEPT" vpclab flows --from "$DIR/short" --log-format '${srcaddr} ${dstaddr} ${flow-direction} ${action}'

    # As `aws logs filter-log-events` printed them.
    jq -R '{message: ., timestamp: 1}' "$DIR/records" | jq -s '{events: ., searchedLogStreams: []}' >"$DIR/events.json"
    vpclab flows --from "$DIR/records" >"$DIR/want"
    vpclab flows --from "$DIR/events.json" | cmp - "$DIR/want"
    echo '{"events": []}' >"$DIR/events.json"
    says "no record matches" vpclab flows --from "$DIR/events.json"
    echo '{"logGroups": []}' >"$DIR/events.json"
    wrong 3 'the JSON has no list `events`' vpclab flows --from "$DIR/events.json"
    echo '{"events": [{"message": "2 x"}]}' >"$DIR/events.json"
    wrong 3 'events.json: event 1:1:4: error: the record ends' vpclab flows --from "$DIR/events.json"
    echo '{"events": [' >"$DIR/events.json"
    wrong 3 'events.json:' vpclab flows --from "$DIR/events.json"
    wrong 5 "cannot open" vpclab flows --from "$DIR/none"
    echo "2 rubbish" >>"$DIR/records"
    wrong 3 "records:6" vpclab flows --from "$DIR/records"
    wrong 4 "is not a field" vpclab flows --from "$DIR/short" --log-format '${nothing}'
    wrong 2 "cannot be followed" vpclab flows --from "$DIR/short" --follow
    : >"$DIR/empty"
    says "no record matches" vpclab flows --from "$DIR/empty"
    : >"$DIR/empty"
    says "no record matches" vpclab flows --from "$DIR/empty"
    wrong 5 "Is a directory" vpclab flows --from "$DIR"
}

@test "what is asked of records from elsewhere is answered or refused, never left out" {
    lab_with_instances
    {
        echo "2 123456789012 eni-00000000000000fff 10.9.9.9 10.9.9.8 40001 22 6 1 60 1767225660 1767225660 REJECT OK"
        echo "2 123456789012 eni-00000000000000ffe 10.9.9.9 $db 40001 22 6 1 60 1767225660 1767225660 ACCEPT OK"
        echo "2 123456789012 $eni 10.9.9.9 $db 40001 22 6 1 60 1767225660 1767225660 ACCEPT OK"
    } >"$DIR/records"
    # A file that was cut says nothing about what it lacks.
    gzip -c "$DIR/records" | head -c 60 >"$DIR/cut.gz"
    wrong 3 "is not whole: its gzip data ends too early" vpclab flows --from "$DIR/cut.gz"
    # Interfaces that only the records know; both ends; and what is said about the model is about what is shown.
    [ "$(vpclab flows eni-00000000000000fff --from "$DIR/records" -o json | jq -c '[.FlowLogs[0].Records[].dstaddr]')" = '["10.9.9.8"]' ]
    [ "$(vpclab flows 10.9.9.9 --address "$db" --from "$DIR/records" -o json | jq '.FlowLogs[0].Records | length')" = 2 ]
    subnet=$(vpclab ec2 describe-subnets --query 'Subnets[0].SubnetId' -o text)
    vpclab -q ec2 create-nat-gateway --connectivity-type private --subnet-id "$subnet" --tag-specifications 'ResourceType=natgateway,Tags=[{Key=Name,Value=way}]'
    sed "s/$eni/$(vpclab ec2 describe-nat-gateways --query 'NatGateways[0].NatGatewayAddresses[0].NetworkInterfaceId' -o text)/" "$DIR/records" >"$DIR/nat"
    [ "$(vpclab flows way --from "$DIR/nat" -o json | jq -c '[.FlowLogs[0].Records[].srcaddr]')" = '["10.9.9.9"]' ]
    says "the log's format has no vpc-id" vpclab flows vpc-00000000000000fff --from "$DIR/records"
    says "1 record is of an interface that the model does not have" vpclab flows --from "$DIR/records" --action ACCEPT
    ! vpclab flows "$eni" --from "$DIR/records" | grep "does not have"
    wrong 2 "a file's records are of no flow log of the lab" vpclab flows --from "$DIR/records" --flow-log-id fl-0a1b
    wrong 2 "this goes with --from" vpclab flows --log-format '${srcaddr}'
    wrong 4 'no flow log'"'"'s id begins with `fl-0a1b`' vpclab flows --flow-log-id fl-0a1b
    python3 -c 'import struct, sys; sys.stdout.buffer.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147) + struct.pack("<IIII", 1, 0, 3, 3) + b"abc")' >"$DIR/odd.pcap"
    says "1 packet is of a link whose headers vpclab does not read (link type 147)" vpclab flows --from "$DIR/odd.pcap"
    # What is no longer there was there when it was recorded.
    vpclab -q ec2 terminate-instances --instance-ids db
    says "the log's format has no instance-id" vpclab flows db --from "$DIR/records"
    [ "$(vpclab flows "$eni" --from "$DIR/records" -o json | jq '.FlowLogs[0].Records | length')" = 1 ]
    wrong 4 "flows are recorded at interfaces" vpclab flows internet --from "$DIR/records"
}

@test "a capture from elsewhere, as the flow logs would have it" {
    lab_with_instances
    # one SYN to 5432 and one to 22, Ethernet, written as a pcap file
    python3 - "$DIR/c.pcap" "$db" <<'PY'
import socket, struct, sys
def frame(port):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton("172.31.9.9"), socket.inet_aton(sys.argv[2]))
    return b"\2" * 12 + b"\x08\0" + ip + struct.pack("!HHIIBBHHH", 40000, port, 0, 0, 0x50, 2, 0, 0, 0)
with open(sys.argv[1], "wb") as f:
    f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
    for i, port in enumerate((5432, 22)):
        f.write(struct.pack("<IIII", 1767225600 + i, 0, 54, 54) + frame(port))
PY
    vpclab flows --from "$DIR/c.pcap" >"$DIR/out"
    grep -qE "^$eni +172.31.9.9 +$db +40000 +5432 +6 +1 +40 +1767225600 +1767225600 +ACCEPT +2 +ingress +OK +$group:ingress:$rule +ACCEPT$" "$DIR/out"
    grep -qE " 22 .* REJECT +2 +ingress +OK +$group:ingress:none +REJECT$" "$DIR/out"
    says " 22 " vpclab flows db --action REJECT --from "$DIR/c.pcap"
    head -c 100 "$DIR/c.pcap" >"$DIR/cut.pcap"
    says "damaged at byte" vpclab flows --from "$DIR/cut.pcap"
}

@test "records of containers, of sublocations and of transit gateways from elsewhere, asked by any field" {
    {
        echo "version interface-id srcaddr dstaddr dstport action sublocation-type sublocation-id ecs-cluster-arn ecs-service-name ecs-task-id reject-reason resource-id encryption-status"
        echo "10 eni-0000000000000000a 10.9.0.1 10.9.0.2 443 ACCEPT wavelength wl1-az1 arn:aws:ecs:us-east-1:123456789012:cluster/a-cluster-with-a-name-that-is-longer-than-any-other-value web 0123456789abcdef0123456789abcdef - nat-0a1b 1"
        echo "10 eni-0000000000000000a 10.9.0.1 10.9.0.3 443 REJECT outpost op-0a1b - db - BPA - 0"
    } >"$DIR/records"
    vpclab flows --from "$DIR/records" --where 'ecs-service-name=web' >"$DIR/out"
    grep -q " wavelength .* arn:aws:ecs:us-east-1:123456789012:cluster/a-cluster-with-a-name-that-is-longer-than-any-other-value  web  *0123456789abcdef0123456789abcdef  - .* nat-0a1b  *1 " "$DIR/out"
    ! grep -q " BPA " "$DIR/out"
    says " BPA " vpclab flows --from "$DIR/records" --where 'sublocation-id=op-* reject-reason=BPA'
    says "no record matches" vpclab flows --from "$DIR/records" --where 'sublocation-id=op-* ecs-service-name=web'
    says "the log's format has no vpc-id" vpclab flows --from "$DIR/records" --where vpc-id=vpc-1
    wrong 2 '`cluster=x` is not a field' vpclab flows --from "$DIR/records" --where cluster=x
    wrong 2 '`ecs-task-id` is not a field' vpclab flows --from "$DIR/records" --where ecs-task-id
    wrong 2 'no field is named' vpclab flows --from "$DIR/records" --where ''
    {
        echo "version resource-type tgw-id tgw-attachment-id srcaddr dstaddr packets packets-lost-no-route log-status tcp-flags"
        echo "6 TransitGateway tgw-0a1b tgw-attach-0a1b 10.9.0.1 10.9.0.2 4 4 OK 27"
        echo "6 TransitGateway tgw-0c2d tgw-attach-0c2d - - - - NODATA -"
    } >"$DIR/transit"
    says "tgw-attach-0a1b    10.9.0.1  10.9.0.2  4        4 " vpclab flows --from "$DIR/transit"
    says " NODATA " vpclab flows --from "$DIR/transit" --log-status NODATA --where tgw-id=tgw-0c2d
}
