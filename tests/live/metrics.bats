#!/usr/bin/env bats
# Metrics of a live lab: what the kernel counted, as CloudWatch shows it.
load ../cli/helper
load flow_lab

value() { # NAMESPACE NAME STAT DIMENSION=VALUE...: of the last hour
    local space=$1 name=$2 stat=$3 dimensions=
    shift 3
    for d in "$@"; do dimensions+="{\"Name\":\"${d%%=*}\",\"Value\":\"${d#*=}\"},"; done
    vpclab cloudwatch get-metric-data --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u -d '+1 hour' +%FT%TZ)" --metric-data-queries \
        "[{\"Id\":\"a\",\"MetricStat\":{\"Metric\":{\"Namespace\":\"$space\",\"MetricName\":\"$name\",\"Dimensions\":[${dimensions%,}]},\"Period\":3600,\"Stat\":\"$stat\"}}]" \
        -o json | jq '[.MetricDataResults[0].Values[]] | add // 0'
}

@test "packets and bytes of instances, rules and refusals" {
    lab_with_flow_log
    rule=$(vpclab ec2 authorize-security-group-ingress --group-id "$group" --protocol icmp --port -1 --cidr 172.31.0.0/16 --query 'SecurityGroupRules[0].SecurityGroupRuleId' -o text)
    up
    web_id=$(of_instance web InstanceId) db_id=$(of_instance db InstanceId)
    before=$(value AWS/EC2 NetworkPacketsIn Sum InstanceId="$db_id")
    vpclab exec web -- ping -c 20 -i 0.01 -s 100 "$db" >/dev/null
    vpclab exec web -- bash -c "echo hello >/dev/udp/$db/5353"
    in=$(value AWS/EC2 NetworkPacketsIn Sum InstanceId="$db_id")
    [ $((in - before)) -ge 20 ] && [ $((in - before)) -le 26 ] # and a neighbour's question or two
    [ "$(value AWS/EC2 NetworkOut Sum InstanceId="$web_id")" -ge $((20 * 128)) ]
    [ "$(value VPCLab RulePackets Sum Rule="$rule")" = 1 ] # the first packet of the connection; the others follow it
    [ "$(value VPCLab RefusedPackets Sum NetworkInterfaceId="$(eni db)" Rule="$group:ingress:none")" = 1 ]
    [ "$(value VPCLab RefusedPackets Sum NetworkInterfaceId="$(eni web)")" = 0 ]
    vpclab cloudwatch list-metrics --namespace AWS/EC2 --metric-name NetworkIn -o json | jq -r '.Metrics[].Dimensions[].Value' | sort >"$DIR/ids"
    printf '%s\n' "$web_id" "$db_id" | sort | cmp - "$DIR/ids"
    says '"Unit": "Bytes"' vpclab cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name NetworkIn --dimensions Name=InstanceId,Value="$db_id" \
        --start-time "$(date -u -d '-1 hour' +%FT%TZ)" --end-time "$(date -u -d '+1 hour' +%FT%TZ)" --period 60 --statistics Sum Average
    run vpclab cloudwatch get-metric-statistics --namespace AWS/EC2 --metric-name NetworkIn --start-time 2026-01-01T00:00:00Z --end-time 2026-01-02T00:00:00Z \
        --period 61 --statistics Sum
    [ "$status" = 4 ] && grep -q "multiple of 60" <<<"$output"
    # they stay when the lab goes down
    vpclab down >/dev/null
    [ "$(value VPCLab RulePackets Sum Rule="$rule")" = 1 ]
}

@test "both sides of a NAT gateway" {
    lab_with_flow_log
    private=$(vpclab ec2 create-subnet --vpc-id "$vpc" --cidr-block 172.31.200.0/24 --query Subnet.SubnetId -o text)
    eip=$(vpclab ec2 allocate-address --query AllocationId -o text)
    nat=$(vpclab ec2 create-nat-gateway --subnet-id "$subnet" --allocation-id "$eip" --query NatGateway.NatGatewayId -o text)
    table=$(vpclab ec2 create-route-table --vpc-id "$vpc" --query RouteTable.RouteTableId -o text)
    vpclab ec2 associate-route-table --route-table-id "$table" --subnet-id "$private" >/dev/null
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 0.0.0.0/0 --nat-gateway-id "$nat" >/dev/null
    subnet=$private run_instance app
    up
    vpclab exec app -- ping -c 4 -i 0.02 -W 1 8.8.8.8 >/dev/null
    [ "$(value AWS/NATGateway PacketsInFromSource Sum NatGatewayId="$nat")" = 4 ]
    [ "$(value AWS/NATGateway BytesOutToSource Sum NatGatewayId="$nat")" = $((4 * 84)) ]
}

@test "top: who sends and what is refused" {
    lab_with_flow_log
    run vpclab top --once
    [ "$status" = 4 ] && grep -q "not live" <<<"$output"
    up
    vpclab exec --detach web -- ping -i 0.02 "$db" # refused at db
    sleep 0.3
    vpclab top --once >"$DIR/top"
    grep -qE "^$(eni web) +web +[0-9]+ +[0-9.]+ [KMG]?B +[1-9][0-9]* " "$DIR/top" || { cat "$DIR/top"; return 1; }
    grep -qE "^$(eni db) +$group:ingress:none +[1-9][0-9]*" "$DIR/top" || { cat "$DIR/top"; return 1; }
}
