#!/usr/bin/env bats
# Metrics of a live lab: what the kernel counted, as CloudWatch shows it.
load ../cli/helper
load flow_lab

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
    query='{"Id":"a","MetricStat":{"Metric":{"Namespace":"AWS/EC2","MetricName":"NetworkIn"},"Period":60,"Stat":"Sum"}}'
    ask() { vpclab cloudwatch get-metric-data --start-time 2026-01-01T00:00:00Z --end-time 2026-01-02T00:00:00Z --metric-data-queries "$1" "${@:2}"; }
    run ask "[$query,$query]"
    [ "$status" = 4 ] && grep -q 'two queries have the id `a`' <<<"$output"
    run ask "[${query/\"a\"/\"A\"}]"
    [ "$status" = 4 ] && grep -q '`A` is no id of a query' <<<"$output"
    run ask "[${query/Sum/p99}]"
    [ "$status" = 4 ] && grep -q '`p99` is none of' <<<"$output"
    [ "$(ask "[${query/\"Id\"/\"ReturnData\":false,\"Id\"}]" --query 'length(MetricDataResults)')" = 0 ]
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

@test "a VPN connection, and an interface endpoint" {
    lab_with_flow_log
    vgw=$(vpclab ec2 create-vpn-gateway --type ipsec.1 --query VpnGateway.VpnGatewayId -o text)
    vpclab ec2 attach-vpn-gateway --vpn-gateway-id "$vgw" --vpc-id "$vpc" >/dev/null
    cgw=$(vpclab ec2 create-customer-gateway --type ipsec.1 --public-ip 203.0.113.7 --bgp-asn 65000 --query CustomerGateway.CustomerGatewayId -o text)
    vpn=$(vpclab ec2 create-vpn-connection --type ipsec.1 --customer-gateway-id "$cgw" --vpn-gateway-id "$vgw" --options StaticRoutesOnly=true --query VpnConnection.VpnConnectionId -o text)
    vpclab ec2 create-vpn-connection-route --vpn-connection-id "$vpn" --destination-cidr-block 192.168.0.0/16 >/dev/null
    vpclab ec2 enable-vgw-route-propagation --gateway-id "$vgw" \
        --route-table-id "$(vpclab ec2 describe-route-tables --filters "Name=vpc-id,Values=$vpc" --query 'RouteTables[0].RouteTableId' -o text)" >/dev/null
    open=$(of_instance web 'SecurityGroups[0].GroupId')
    vpclab ec2 authorize-security-group-ingress --group-id "$open" --protocol -1 --cidr 0.0.0.0/0 >/dev/null
    endpoint=$(vpclab ec2 create-vpc-endpoint --vpc-id "$vpc" --vpc-endpoint-type Interface --service-name com.amazonaws.us-east-1.sqs --subnet-ids "$subnet" \
        --security-group-ids "$open" --query VpcEndpoint.VpcEndpointId -o text)
    up
    in=$(value AWS/VPN TunnelDataIn Sum VpnId="$vpn") out=$(value AWS/VPN TunnelDataOut Sum VpnId="$vpn")
    vpclab exec web -- ping -c 5 -i 0.02 192.168.0.10 >/dev/null
    [ "$(value AWS/VPN TunnelDataOut Sum VpnId="$vpn")" = $((out + 5 * 84)) ]
    [ "$(value AWS/VPN TunnelDataIn Sum VpnId="$vpn")" = $((in + 5 * 84)) ]
    [ "$(value AWS/VPN TunnelState Maximum VpnId="$vpn")" = 1 ]
    [ "$(value AWS/VPN TunnelState Maximum VpnId=vpn-0000000000000000a)" = 0 ] # no values
    bytes=$(value AWS/PrivateLinkEndpoints BytesProcessed Sum "VPC Endpoint Id=$endpoint")
    address=$(vpclab ec2 describe-network-interfaces --filters Name=interface-type,Values=vpc_endpoint --query 'NetworkInterfaces[0].PrivateIpAddress' -o text)
    vpclab exec web -- ping -c 5 -i 0.02 "$address" >/dev/null
    more=$(($(value AWS/PrivateLinkEndpoints BytesProcessed Sum "VPC Endpoint Id=$endpoint" "VPC Id=$vpc" "Service Name=com.amazonaws.us-east-1.sqs" "Endpoint Type=Interface") - bytes))
    [ "$more" -ge 840 ] && [ "$more" -le 1100 ] # both ways, and a neighbour's question or two
    vpclab cloudwatch list-metrics --namespace AWS/PrivateLinkEndpoints -o json | jq -r '.Metrics[].Dimensions[].Name' | sort -u >"$DIR/list"
    printf 'Endpoint Type\nService Name\nSubnet Id\nVPC Endpoint Id\nVPC Id\n' | cmp - "$DIR/list"
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
