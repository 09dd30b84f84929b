#!/usr/bin/env bats
# Flow logs and metrics of a transit gateway, from real packets.
load ../cli/helper
load flow_lab

named() { echo "--tag-specifications ResourceType=$1,Tags=[{Key=Name,Value=$2}]"; }
first() { vpclab ec2 "$@" -o text; }

# Two VPCs with an instance each on one transit gateway, whose table has a blackhole for 10.9.0.0/16.
lab_with_transit() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab ec2 create-transit-gateway $(named transit-gateway hub) >/dev/null
    for i in 0 1; do
        vpclab ec2 create-vpc --cidr-block 10.$i.0.0/16 $(named vpc v$i) >/dev/null
        vpclab ec2 create-subnet --vpc-id v$i --cidr-block 10.$i.1.0/24 --availability-zone us-east-1a $(named subnet s$i) >/dev/null
        vpclab ec2 create-transit-gateway-vpc-attachment --transit-gateway-id hub --vpc-id v$i --subnet-ids s$i $(named transit-gateway-attachment a$i) >/dev/null
        vpc[i]=$(first describe-vpcs --filters Name=tag:Name,Values=v$i --query 'Vpcs[0].VpcId')
        attachment[i]=$(first describe-transit-gateway-attachments --filters Name=tag:Name,Values=a$i --query 'TransitGatewayAttachments[0].TransitGatewayAttachmentId')
        vpclab ec2 create-route --route-table-id "$(first describe-route-tables --filters "Name=vpc-id,Values=${vpc[i]}" --query 'RouteTables[0].RouteTableId')" \
            --destination-cidr-block 10.0.0.0/8 --transit-gateway-id hub >/dev/null
        vpclab ec2 authorize-security-group-ingress --protocol -1 --cidr 10.0.0.0/8 \
            --group-id "$(first describe-security-groups --filters "Name=vpc-id,Values=${vpc[i]}" --query 'SecurityGroups[0].GroupId')" >/dev/null
        vpclab ec2 run-instances --image-id ami-12345678 --subnet-id s$i --private-ip-address 10.$i.1.10 $(named instance m$i) >/dev/null
    done
    table=$(first describe-transit-gateways --query 'TransitGateways[0].Options.AssociationDefaultRouteTableId')
    vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.9.0.0/16 --blackhole >/dev/null
    vpclab ec2 create-flow-logs --resource-type TransitGateway --resource-ids hub --log-group-name transit \
        --deliver-logs-permission-arn arn:aws:iam::123456789012:role/flow-logs "$@" >/dev/null
}

stopped() { # WHY FROM TO
    run vpclab trace "$2" "$3"
    [ "$status" = 1 ] && [[ "$output" == *"stopped: "*"$1"* ]] || { echo "$output"; return 1; }
}

@test "a transit gateway records what it passes, twice, and what it loses, with the reason" {
    lab_with_transit --log-format '${tgw-attachment-id} ${tgw-pair-attachment-id} ${tgw-src-vpc-id} ${tgw-dst-vpc-id} ${srcaddr} ${dstaddr} ${dstport} ${tcp-flags} ${flow-direction} ${packets-lost-no-route} ${packets-lost-blackhole} ${packets-lost-mtu-exceeded} ${packets-lost-ttl-expired}'
    up
    listen m1 80
    knock m0 10.1.1.10 80
    knock m0 10.9.0.1 80 || true
    knock m0 10.8.0.1 80 || true
    vpclab exec m0 -- ping -c 1 -W 1 -t 2 10.1.1.10 >/dev/null || true # two routers on the way, the gateway is the second
    has "^${attachment[0]} +${attachment[1]} +${vpc[0]} +${vpc[1]} +10.0.1.10 +10.1.1.10 +80 +19 +ingress +0 +0 +0 +0 +-$" # SYN, ACK, FIN
    has "^${attachment[1]} +${attachment[0]} +${vpc[0]} +${vpc[1]} +10.0.1.10 +10.1.1.10 +80 +19 +egress +0 +0 +0 +0 +-$"
    has "^${attachment[1]} +${attachment[0]} +${vpc[1]} +${vpc[0]} +10.1.1.10 +10.0.1.10 +[0-9]+ +19 +ingress +0 +0 +0 +0 +-$"
    has "^${attachment[0]} +- +${vpc[0]} +- +10.0.1.10 +10.9.0.1 +80 +2 +ingress +0 +[12] +0 +0 +$table:10.9.0.0/16:blackhole$"
    has "^${attachment[0]} +- +${vpc[0]} +- +10.0.1.10 +10.8.0.1 +80 +2 +ingress +[12] +0 +0 +0 +$table:none$"
    has "^${attachment[0]} +- +${vpc[0]} +- +10.0.1.10 +10.1.1.10 +0 +0 +ingress +0 +0 +0 +1 +tgw-[0-9a-f]+:ttl$"
    has " 10.9.0.1 " a0 --where 'packets-lost-blackhole=[12]'
    has_not " 10.8.0.1 " hub --where 'packets-lost-blackhole=[12]'
    has_not " 10.9.0.1 " a1
    says "left out: a transit gateway's records name no interface but its own; by address they are found: \`flows 10.0.1.10\`" vpclab flows m0
    says ' 10.9.0.1 ' vpclab flows 10.0.1.10
    [ "$(vpclab flows v0 -o json | jq -r '.FlowLogs[0] | .LeftOut | endswith("`flows ADDRESS`")')" = true ]
    [ "$(vpclab logs describe-log-streams --log-group-name transit --query 'logStreams[].logStreamName' -o text)" = \
        "$(first describe-transit-gateways --query 'TransitGateways[0].TransitGatewayId')" ]

    # `trace` names the route that took it, whether a flow log is on or not
    stopped "$table has a blackhole route: 10.9.0.0/16" m0 10.9.0.1
    stopped "no route of $table leads to 10.8.0.1" m0 10.8.0.1
    stopped "nothing that runs in the VPC has the address 10.1.1.99" m0 10.1.1.99

    # the control: the same packet passes where the route leads somewhere
    vpclab ec2 replace-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.9.0.0/16 \
        --transit-gateway-attachment-id "${attachment[1]}" >/dev/null
    knock m0 10.9.0.2 80 || true # nobody in that VPC has the address, but it gets there
    has " 10.0.1.10 +10.9.0.2 +80 +2 +egress +0 +0 +0 +0 +-$" a1
}

value() { # NAME STAT DIMENSION...: of AWS/TransitGateway
    local name=$1 stat=$2
    shift 2
    vpclab cloudwatch get-metric-statistics --namespace AWS/TransitGateway --metric-name "$name" --dimensions "$@" --start-time "$(date -u -d '-1 hour' +%FT%TZ)" \
        --end-time "$(date -u -d '+1 hour' +%FT%TZ)" --period 3600 --statistics "$stat" -o json | jq "[.Datapoints[].$stat] | add // 0"
}

@test "trace names the route whose target is gone, in a transit gateway's table and in a VPC's" {
    lab_with_transit
    up
    vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.1.1.0/24 \
        --transit-gateway-attachment-id "${attachment[1]}" >/dev/null
    vpclab trace m0 m1 >/dev/null # the control
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "${attachment[1]}" >/dev/null
    stopped "$table has a blackhole route: 10.1.1.0/24 (${attachment[1]} is gone)" m0 10.1.1.10
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "${attachment[0]}" >/dev/null
    stopped "has a blackhole route: 10.0.0.0/8 (tgw-" m0 10.1.1.10
}

@test "metrics of a transit gateway: what came, what went, what was lost" {
    lab_with_transit
    vpclab ec2 delete-flow-logs --flow-log-ids "$(first describe-flow-logs --query 'FlowLogs[0].FlowLogId')" >/dev/null # none is needed
    up
    vpclab exec m0 -- ping -c 4 -i 0.02 10.1.1.10 >/dev/null
    vpclab exec m0 -- ping -c 3 -i 0.02 -W 1 10.9.0.1 >/dev/null || true
    vpclab exec m0 -- ping -c 2 -i 0.02 -W 1 10.8.0.1 >/dev/null || true
    hub=Name=TransitGateway,Value=$(first describe-transit-gateways --query 'TransitGateways[0].TransitGatewayId')
    a0=Name=TransitGatewayAttachment,Value=${attachment[0]} a1=Name=TransitGatewayAttachment,Value=${attachment[1]}
    [ "$(value PacketsIn Sum "$hub" "$a0")" = 9 ]
    [ "$(value PacketsOut Sum "$hub" "$a0")" = 4 ]
    [ "$(value BytesIn Sum "$hub" "$a1")" = $((4 * 84)) ]
    [ "$(value PacketsIn Sum "$hub")" = 13 ]
    [ "$(value PacketDropCountBlackhole Sum "$hub")" = 3 ]
    [ "$(value BytesDropCountBlackhole Sum "$hub" "$a0")" = $((3 * 84)) ]
    [ "$(value PacketDropCountNoRoute Sum "$hub" "$a0")" = 2 ]
    [ "$(value PacketDropCountNoRoute Sum "$hub" "$a1")" = 0 ]
    vpclab cloudwatch list-metrics --namespace AWS/TransitGateway --metric-name PacketsIn -o json | jq -r '.Metrics[].Dimensions | map(.Name) | join("+")' | sort | uniq -c | tr -s ' ' >"$DIR/list"
    printf ' 1 TransitGateway\n 2 TransitGateway+TransitGatewayAttachment\n' | cmp - "$DIR/list"
    # the control: with a route none of them is lost
    vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.8.0.0/16 \
        --transit-gateway-attachment-id "${attachment[1]}" >/dev/null
    vpclab exec m0 -- ping -c 2 -i 0.02 -W 1 10.8.0.1 >/dev/null || true
    [ "$(value PacketDropCountNoRoute Sum "$hub")" = 2 ]
    [ "$(value PacketsIn Sum "$hub" "$a0")" = 11 ]
    vpclab exec --detach m0 -- ping -i 0.02 10.9.0.1
    vpclab top --once >"$DIR/top"
    grep -qE "^${attachment[0]} +- +[1-9][0-9]* " "$DIR/top" || { cat "$DIR/top"; return 1; }
    grep -qE "^${attachment[0]} +lost:blackhole +[1-9][0-9]*" "$DIR/top" || { cat "$DIR/top"; return 1; }
}

@test "a VPN connection at a transit gateway: who has no VPC, and what is too large for its tunnel" {
    lab_with_transit --log-format '${tgw-attachment-id} ${tgw-pair-attachment-id} ${tgw-src-vpc-id} ${tgw-dst-vpc-id} ${dstaddr} ${packets} ${flow-direction} ${packets-lost-mtu-exceeded}'
    cgw=$(first create-customer-gateway --type ipsec.1 --public-ip 203.0.113.7 --bgp-asn 65000 --query CustomerGateway.CustomerGatewayId)
    vpn=$(first create-vpn-connection --type ipsec.1 --customer-gateway-id "$cgw" --transit-gateway-id hub --options StaticRoutesOnly=true --query VpnConnection.VpnConnectionId)
    tunnel=$(first describe-transit-gateway-attachments --filters Name=resource-type,Values=vpn --query 'TransitGatewayAttachments[0].TransitGatewayAttachmentId')
    vpclab ec2 create-vpn-connection-route --vpn-connection-id "$vpn" --destination-cidr-block 10.77.0.0/16 >/dev/null
    vpclab ec2 create-transit-gateway-route --transit-gateway-route-table-id "$table" --destination-cidr-block 10.77.0.0/16 --transit-gateway-attachment-id "$tunnel" >/dev/null
    up
    vpclab exec m0 -- ping -c 2 -i 0.02 -W 2 10.77.0.10 >/dev/null
    vpclab exec m0 -- ping -c 3 -i 0.02 -W 1 -s 2000 -M do 10.77.0.10 >/dev/null || true
    has "^${attachment[0]} +$tunnel +${vpc[0]} +- +10.77.0.10 +2 +ingress +0 +-\$"
    has "^$tunnel +${attachment[0]} +- +${vpc[0]} +10.0.1.10 +2 +ingress +0 +-\$"
    has "^${attachment[0]} +- +${vpc[0]} +- +10.77.0.10 +3 +ingress +3 +tgw-[0-9a-f]+:mtu\$"
    # the control: cut in two they pass
    vpclab exec m0 -- ping -c 3 -i 0.02 -W 2 -s 2000 -M dont 10.77.0.10 >/dev/null
}

# The example of AWS's page: "a client in VPC A connects to a web server in VPC B through a transit gateway".
@test "the log of a VPC: a transit gateway's interface is the other end, the packet's addresses are the client's and the server's" {
    lab_with_transit
    log=$(vpclab ec2 create-flow-logs --resource-type VPC --resource-ids v1 --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::logs \
        --log-format '${interface-id} ${instance-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${tcp-flags} ${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction} ${action}' --query 'FlowLogIds[0]' -o text)
    up
    listen m1 80
    knock m0 10.1.1.10 80
    door=$(first describe-network-interfaces --filters "Name=vpc-id,Values=${vpc[1]}" Name=interface-type,Values=transit_gateway --query 'NetworkInterfaces[0].NetworkInterfaceId')
    ip=$(first describe-network-interfaces --network-interface-ids "$door" --query 'NetworkInterfaces[0].PrivateIpAddress')
    has "^$door +- +$ip +10.1.1.10 +[0-9]+ +80 +3 +10.0.1.10 +10.1.1.10 +egress +ACCEPT" --flow-log-id "$log"
    has "^$door +- +10.1.1.10 +$ip +80 +[0-9]+ +19 +10.1.1.10 +10.0.1.10 +ingress +ACCEPT" --flow-log-id "$log"
    has "^$(eni m1) +i-[0-9a-f]+ +10.0.1.10 +10.1.1.10 +[0-9]+ +80 +3 +10.0.1.10 +10.1.1.10 +ingress +ACCEPT" --flow-log-id "$log"
}

@test "the log of an attachment, by default with all fields; quiet ones" {
    lab_with_transit
    vpclab ec2 delete-flow-logs --flow-log-ids "$(first describe-flow-logs --query 'FlowLogs[0].FlowLogId')" >/dev/null
    vpclab ec2 create-flow-logs --resource-type TransitGatewayAttachment --resource-ids a1 --log-destination-type s3 --log-destination arn:aws:s3:::logs >/dev/null
    up
    vpclab exec m0 -- ping -c 1 -W 2 10.1.1.10 >/dev/null
    has "^6 +TransitGateway +123456789012 +tgw-[0-9a-f]+ +${attachment[1]} +123456789012 +123456789012 +${vpc[0]} +${vpc[1]} +subnet-[0-9a-f]+ +subnet-[0-9a-f]+ +eni-[0-9a-f]+ +eni-[0-9a-f]+ +use1-az1 +use1-az1 +${attachment[0]} +10.0.1.10 +10.1.1.10 +0 +0 +1 +1 +84 +[0-9]+ +[0-9]+ +OK +IPv4 +0 +0 +0 +0 +0 +us-east-1 +egress +- +- +-$"
    has_not " ${attachment[0]} .* ingress" --direction ingress --where "tgw-attachment-id=${attachment[0]}"
    vpclab clock advance 3m >/dev/null
    has "^6 +TransitGateway +123456789012 +tgw-[0-9a-f]+ +${attachment[1]} +- .* NODATA " --log-status NODATA
}
