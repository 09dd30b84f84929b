#!/usr/bin/env bats
# Gateway Load Balancers: what a route leads to an endpoint passes an appliance in another VPC, in GENEVE, and comes back to the endpoint.
load ../cli/helper
load services

# A page of `web`, asked from the internet: led to the endpoint by the table of the internet gateway, its answer by the table of the subnet.
setup_inspection() {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    cat >"$DIR/lab.vpc" <<'END'
security = ec2 create-vpc --cidr-block 10.0.0.0/16
rack = ec2 create-subnet --vpc-id $security --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
own = ec2 create-security-group --vpc-id $security --group-name firewall --description x
ec2 authorize-security-group-ingress --group-id $own --protocol udp --port 6081 --cidr 10.0.1.0/24
ec2 authorize-security-group-ingress --group-id $own --protocol tcp --port 80 --cidr 10.0.1.0/24
fw1 = ec2 run-instances --image-id ami-12345678 --subnet-id $rack --security-group-ids $own --private-ip-address 10.0.1.11 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=fw1}]
fw2 = ec2 run-instances --image-id ami-12345678 --subnet-id $rack --security-group-ids $own --private-ip-address 10.0.1.12 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=fw2}]
lb = elbv2 create-load-balancer --name inspect --type gateway --subnets $rack
group = elbv2 create-target-group --name firewalls --protocol GENEVE --port 6081 --vpc-id $security --health-check-port 80 --health-check-protocol TCP
elbv2 register-targets --target-group-arn $group --targets Id=$fw1 Id=$fw2
elbv2 create-listener --load-balancer-arn $lb --default-actions Type=forward,TargetGroupArn=$group
service = ec2 create-vpc-endpoint-service-configuration --gateway-load-balancer-arns $lb --no-acceptance-required
app = ec2 create-vpc --cidr-block 10.0.0.0/16
gate = ec2 create-subnet --vpc-id $app --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
desk = ec2 create-subnet --vpc-id $app --cidr-block 10.0.2.0/24 --availability-zone us-east-1a
igw = ec2 create-internet-gateway
ec2 attach-internet-gateway --vpc-id $app --internet-gateway-id $igw
way = ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --vpc-id $app --subnet-ids $gate --service-name com.amazonaws.vpce.us-east-1.$service
ec2 create-tags --resources $way --tags Key=Name,Value=way
edge = ec2 create-route-table --vpc-id $app --tag-specifications ResourceType=route-table,Tags=[{Key=Name,Value=edge}]
ec2 associate-route-table --route-table-id $edge --gateway-id $igw
ec2 create-route --route-table-id $edge --destination-cidr-block 10.0.2.0/24 --vpc-endpoint-id $way
out = ec2 create-route-table --vpc-id $app
ec2 associate-route-table --route-table-id $out --subnet-id $gate
ec2 create-route --route-table-id $out --destination-cidr-block 0.0.0.0/0 --gateway-id $igw
in = ec2 create-route-table --vpc-id $app
ec2 associate-route-table --route-table-id $in --subnet-id $desk
ec2 create-route --route-table-id $in --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id $way
door = ec2 create-security-group --vpc-id $app --group-name door --description x
ec2 authorize-security-group-ingress --group-id $door --protocol tcp --port 80 --cidr 0.0.0.0/0
ec2 run-instances --image-id ami-12345678 --subnet-id $desk --security-group-ids $door --private-ip-address 10.0.2.20 --associate-public-ip-address --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=web}]
ec2 create-flow-logs --resource-type VPC --resource-ids $app --traffic-type ALL --log-destination-type s3 --log-destination arn:aws:s3:::logs --log-format '${interface-id} ${srcaddr} ${dstaddr} ${pkt-srcaddr} ${pkt-dstaddr} ${flow-direction} ${traffic-path} ${action}'
END
    vpclab -q -f "$DIR/lab.vpc" >/dev/null
    up
    vpclab serve web tcp/80 >/dev/null
    WEB=http://$(vpclab ec2 describe-instances --instance-ids web --query 'Reservations[0].Instances[0].PublicIpAddress' --output text)/
}
rules() { # APPLIANCE RULE...: what it drops of what it forwards, and of what it gets
    local name=$1
    shift
    printf 'flush ruleset\ntable inet own {\n chain pass {\n  type filter hook forward priority 0\n  %s\n }\n chain local {\n  type filter hook input priority 0\n  %s\n }\n}\n' "$1" "${2:-}" |
        vpclab exec "$name" -- nft -f -
}

@test "an endpoint leads to an appliance and back: its own rules decide, GENEVE is on its wire, answers must have asked" {
    setup_inspection
    [ "$(get scanner "$WEB")" = 10.0.2.20 ]
    # The endpoint's interface is in the flow logs like any other: it bears neither address, and passes both ways.
    gate=$(vpclab ec2 describe-vpc-endpoints --vpc-endpoint-ids way --query 'VpcEndpoints[0].NetworkInterfaceIds[0]' --output text)
    own=$(vpclab ec2 describe-network-interfaces --network-interface-ids "$gate" --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    vpclab flows | tr -s ' ' >"$DIR/report"
    grep -q "^$gate 192.88.99.66 $own 192.88.99.66 10.0.2.20 ingress - ACCEPT" "$DIR/report"
    grep -q "^$gate $own 10.0.2.20 192.88.99.66 10.0.2.20 egress 1 ACCEPT" "$DIR/report"
    grep -q "^$gate $own 192.88.99.66 10.0.2.20 192.88.99.66 egress 8 ACCEPT" "$DIR/report"
    grep -q '^eni-[0-9a-f]* 10.0.2.20 192.88.99.66 10.0.2.20 192.88.99.66 egress 1 ACCEPT' "$DIR/report"
    # One flow so far, there and back; its bytes are those that the endpoint's interface passed.
    balancer=$(vpclab elbv2 describe-load-balancers --names inspect --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    balancer=${balancer#*loadbalancer/} space=AWS/GatewayELB
    [ "$(value $space NewFlowCount Sum LoadBalancer="$balancer")" = 1 ]
    [ "$(value $space NewFlowCount Sum LoadBalancer="$balancer" AvailabilityZone=us-east-1a)" = 1 ]
    [ "$(value $space NewFlowCount Sum LoadBalancer="$balancer" AvailabilityZone=us-east-1b)" = 0 ]
    [ "$(value $space ActiveFlowCount Maximum LoadBalancer="$balancer")" = 1 ]
    [ "$(health firewalls)" = "healthy healthy" ]
    group=$(vpclab elbv2 describe-target-groups --names firewalls --query 'TargetGroups[0].TargetGroupArn' --output text)
    [ "$(value $space HealthyHostCount Maximum LoadBalancer="$balancer" TargetGroup="${group##*:}")" = 2 ]
    processed=$(value $space ProcessedBytes Sum LoadBalancer="$balancer")
    endpoint=$(vpclab ec2 describe-vpc-endpoints --vpc-endpoint-ids way --query 'VpcEndpoints[0].VpcEndpointId' --output text)
    service=$(vpclab ec2 describe-vpc-endpoint-service-configurations --query 'ServiceConfigurations[0].ServiceId' --output text)
    through=$(value AWS/PrivateLinkEndpoints BytesProcessed Sum "VPC Endpoint Id=$endpoint" "Endpoint Type=GatewayLoadBalancer")
    [ "$processed" -gt 500 ] && [ "$through" -ge "$processed" ] && [ "$through" -le $((processed + 400)) ] # the router's questions for neighbours
    [ "$(value AWS/PrivateLinkServices BytesProcessed Sum "Service Id=$service")" = "$through" ]
    [ "$(value AWS/PrivateLinkServices EndpointsCount Maximum "Service Id=$service")" = 1 ]
    [ "$(vpclab cloudwatch list-metrics --namespace AWS/ELB --query 'length(Metrics)')" = 0 ]
    run vpclab cloudwatch get-metric-statistics --namespace $space --metric-name ConsumedLCUs --statistics Sum --period 60 \
        --start-time 2026-01-01T00:00:00Z --end-time 2026-01-01T01:00:00Z
    [ "$status" = 4 ] && [[ "$output" == *'does not count `ConsumedLCUs` of AWS/GatewayELB'*NewFlowCount* ]]
    vpclab verify >"$DIR/report"
    grep -q 'disagree on 0$' "$DIR/report"
    vpclab trace internet web tcp/80 >"$DIR/report" # there and back
    [ "$(grep -c '   [0-9]  * appliance  *i-' "$DIR/report")" = 2 ]
    # What an appliance drops does not arrive; the same packet does without the rule.
    rules fw1 'tcp dport 80 drop'
    rules fw2 'tcp dport 80 drop'
    [ "$(code scanner "$WEB")" = 000 ]
    vpclab verify >"$DIR/report"
    grep -q 'not returned: by the appliances behind vpce-' "$DIR/report"
    vpclab trace internet web tcp/80 >"$DIR/report" || true
    grep -q "stopped: the appliance's own rules drop it (chain pass)" "$DIR/report"
    rules fw1 'udp dport 80 drop'
    rules fw2 'udp dport 80 drop'
    [ "$(get scanner "$WEB")" = 10.0.2.20 ]
    if command -v tshark >/dev/null; then
        vpclab ec2 stop-instances --instance-ids fw1 >/dev/null # one appliance is left
        vpclab capture fw2 "$DIR/fw.pcapng" --filter 'udp port 6081' --count 4 --for 20s >/dev/null &
        for _ in $(seq 50); do # until it listens
            get scanner "$WEB" >/dev/null
            kill -0 $! 2>/dev/null || break
        done
        wait $!
        # Three options of AWS's class, in both directions the same cookie.
        tshark -r "$DIR/fw.pcapng" -T fields -e geneve.options 2>/dev/null | tr -d : >"$DIR/options"
        [ "$(grep -cE '^01080102[0-9a-f]{16}01080202[0-9a-f]{16}01080301[0-9a-f]{8}$' "$DIR/options")" = 4 ]
        [ "$(sed -n 1p "$DIR/options")" = "$(sed -n 2p "$DIR/options")" ]
        vpclab ec2 start-instances --instance-ids fw1 >/dev/null
    fi
    # Only the answers pass the endpoint now: the balancer knows no such connection.  What web opens itself comes back past it.
    vpclab ec2 delete-route --route-table-id edge --destination-cidr-block 10.0.2.0/24
    [ "$(code scanner "$WEB")" = 000 ]
    vpclab reach internet web --port 80 | grep -q 'drops the answer of a connection whose first packet did not come through it'
    vpclab verify >/dev/null
    [ "$(code web http://web.example/)" = 200 ]
}

lost() { # FIRST: how many of the ten flows from these source ports do not come back from the appliances
    local port n=0
    for port in $(seq "$1" $(($1 + 9))); do
        ! vpclab verify web internet --protocol udp --port 4444 --source-port "$port" | grep -q 'not returned' || n=$((n + 1))
    done
    echo $n
}

@test "flows stay with an appliance that stopped, unless the group says rebalance" {
    setup_inspection
    [ "$(lost 40000)" = 0 ]
    vpclab ec2 stop-instances --instance-ids fw1 >/dev/null
    n=$(lost 40000)
    [ "$n" -gt 0 ]
    [ "$n" -lt 10 ]
    [ "$(lost 41000)" = 0 ]
    [ "$(lost 40000)" = "$n" ]
    vpclab elbv2 modify-target-group-attributes --target-group-arn firewalls --attributes Key=target_failover.on_unhealthy,Value=rebalance \
        Key=target_failover.on_deregistration,Value=rebalance >/dev/null
    [ "$(lost 40000)" = 0 ]
    # By addresses and protocol alone all of them are one flow: all lost or none.
    vpclab ec2 start-instances --instance-ids fw1 >/dev/null
    vpclab elbv2 modify-target-group-attributes --target-group-arn firewalls --attributes Key=stickiness.enabled,Value=true >/dev/null
    rules fw1 'udp dport 4444 drop'
    n=$(lost 42000)
    [ "$n" = 0 ] || [ "$n" = 10 ]
}

@test "an appliance fails: new flows go to the others, with none left nothing passes" {
    setup_inspection
    [ "$(health firewalls)" = "healthy healthy" ]
    rules fw1 'drop' 'tcp dport 80 drop'
    [ "$(health firewalls 'unhealthy	healthy')" = "unhealthy healthy" ]
    for _ in $(seq 6); do
        [ "$(get scanner "$WEB")" = 10.0.2.20 ]
    done
    vpclab ec2 stop-instances --instance-ids fw2 >/dev/null
    [ "$(code scanner "$WEB")" = 000 ]
    vpclab exec fw1 -- nft flush ruleset
    [ "$(get scanner "$WEB")" = 10.0.2.20 ] # not healthy, but the only one
    # A program of the scenario's own has the port when the instance says so.
    vpclab ec2 create-tags --resources fw1 --tags Key=vpclab:appliance,Value=none
    [ "$(code scanner "$WEB")" = 000 ]
    vpclab ec2 delete-tags --resources fw1 --tags Key=vpclab:appliance
    [ "$(get scanner "$WEB")" = 10.0.2.20 ]
}
