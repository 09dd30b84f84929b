# Load balancers: attributes, rules, health, groups of network balancers, both families.
load helper

id() { vpclab "$@" -o text; }

# six BLOCK/56 NN: its subnet with that number; a block that ends in zero groups is written without them.
six() {
    local p=${1%::/56}
    until [[ $p == *:*:*:* ]]; do p+=:00; done
    echo "${p%00}$2::/64"
}
# One VPC in two zones, peered with another; 'web' in zone a and 'app' in zone b.
build() {
    V=$(id ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --query Vpc.VpcId)
    SIX=$(id ec2 describe-vpcs --vpc-ids "$V" --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock')
    A=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.1.0/24 --ipv6-cidr-block "$(six "$SIX" 00)" --availability-zone us-east-1a --query Subnet.SubnetId)
    B=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.2.0/24 --ipv6-cidr-block "$(six "$SIX" 01)" --availability-zone us-east-1b --query Subnet.SubnetId)
    LBG=$(id ec2 create-security-group --group-name lb --description d --vpc-id "$V" --query GroupId)
    HOST=$(id ec2 create-security-group --group-name host --description d --vpc-id "$V" --query GroupId)
    vpclab ec2 authorize-security-group-ingress --group-id "$LBG" --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id "$HOST" --protocol tcp --port 8080 --source-group "$LBG" >/dev/null
    run_instance() { id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$1" --security-group-ids "$HOST" --query 'Instances[0].InstanceId'; }
    WEB=$(run_instance "$A")
    APP=$(run_instance "$B")
}
balancer() { # LB of TYPE and TG with PROTOCOL, further options
    LB=$(id elbv2 create-load-balancer --name "$1" --type "$1" --scheme internal --subnets "$A" "$B" --security-groups "$LBG" "${@:3}" --query 'LoadBalancers[0].LoadBalancerArn')
    TG=$(id elbv2 create-target-group --name "$1" --protocol "$2" --port 8080 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    LISTENER=$(id elbv2 create-listener --load-balancer-arn "$LB" --protocol "$2" --port 80 --default-actions "Type=forward,TargetGroupArn=$TG" --query 'Listeners[0].ListenerArn')
}
node() { id ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb "Name=subnet-id,Values=$1" --query 'NetworkInterfaces[0].NetworkInterfaceId'; }
no() { local status=0; vpclab reach "$@" >"$DIR/no" || status=$?; [ "$status" = 1 ] || { cat "$DIR/no"; return 1; }; }

@test "targets that admit the network balancer's own group get its packets, with the client's address and without" {
    build
    balancer network TCP
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$APP" >/dev/null
    says '"on"' vpclab elbv2 describe-load-balancers --query 'LoadBalancers[0].EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic'
    no "$WEB" "$APP" --port 8080
    vpclab reach "$WEB" "$(node "$B")" --port 80
    # the other node has no target in its zone until cross-zone is on, for the balancer or the group
    no "$WEB" "$(node "$A")" --port 80
    vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=load_balancing.cross_zone.enabled,Value=true >/dev/null
    vpclab reach "$WEB" "$(node "$A")" --port 80
    vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=load_balancing.cross_zone.enabled,Value=use_load_balancer_configuration >/dev/null
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn "$LB" --attributes Key=load_balancing.cross_zone.enabled,Value=true >/dev/null
    vpclab reach "$WEB" "$(node "$A")" --port 80
    # a change of groups reaches every node
    NEW=$(id ec2 create-security-group --group-name new --description d --vpc-id "$V" --query GroupId)
    vpclab elbv2 set-security-groups --load-balancer-arn "$LB" --security-groups "$NEW" "$LBG" >/dev/null
    says 2 vpclab ec2 describe-network-interfaces --filters "Name=group-id,Values=$NEW" --query 'length(NetworkInterfaces)'
    # whose address the target sees
    W=$(id ec2 describe-instances --instance-ids "$WEB" --query 'Reservations[0].Instances[0].PrivateIpAddress')
    sees() { printf '{"from":{"instance":"%s"},"to":{"eni":"%s"},"protocol":"tcp","dstPort":80}\n' "$WEB" "$(node "$B")" | vpclab reach --batch | grep -o '"arrives":{"srcIp":"[^"]*'; }
    [[ "$(sees)" == *"\"$W" ]]
    vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=preserve_client_ip.enabled,Value=false >/dev/null
    [[ "$(sees)" != *"\"$W" ]]
    # with its address kept, a client that is the target would answer itself
    vpclab reach "$APP" "$(node "$B")" --port 80
    vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=preserve_client_ip.enabled,Value=true >/dev/null
    no "$APP" "$(node "$B")" --port 80
    grep -q "keeps the client's address" "$DIR/no"
}

@test "attributes, health checks and tags of a target group: what is refused" {
    build
    balancer network TCP
    says '"300"' vpclab elbv2 describe-target-group-attributes --target-group-arn "$TG" --query 'Attributes[0].Value'
    wrong 4 'not recognized' vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=color,Value=blue
    wrong 4 '`true`' vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=preserve_client_ip.enabled,Value=perhaps
    UDP=$(id elbv2 create-target-group --name udp --protocol UDP --port 53 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    wrong 4 'always kept for UDP' vpclab elbv2 modify-target-group-attributes --target-group-arn "$UDP" --attributes Key=preserve_client_ip.enabled,Value=false
    wrong 4 TargetGroupNotFound vpclab elbv2 describe-target-group-attributes --target-group-arn nothing
    says 15 vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-interval-seconds 15 --query 'TargetGroups[0].HealthCheckIntervalSeconds'
    wrong 4 'must not exceed' vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-interval-seconds 5 --health-check-timeout-seconds 10
    wrong 4 'neither path nor codes' vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-path /x
    wrong 4 '1 to 65535' vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-port 99999
    vpclab elbv2 add-tags --resource-arns "$TG" "$LB" --tags Key=team,Value=net
    says net vpclab elbv2 describe-tags --resource-arns "$TG" "$LB" --query 'TagDescriptions[1].Tags[0].Value'
    vpclab elbv2 remove-tags --resource-arns "$TG" --tag-keys team
    says '[]' vpclab elbv2 describe-tags --resource-arns "$TG" --query 'TagDescriptions[0].Tags'
    wrong 4 TargetGroupNotFound vpclab elbv2 add-tags --resource-arns arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/net/x/1 --tags Key=a,Value=b
}

@test "health is what the node can reach, with AWS's reasons" {
    build
    balancer network TCP
    health() { id elbv2 describe-target-health --target-group-arn "$TG" "$@" --query 'TargetHealthDescriptions[0].[TargetHealth.State,TargetHealth.Reason]'; }
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$APP" >/dev/null
    [ "$(health)" = $'healthy\tNone' ]
    [ "$(health --targets "Id=$WEB")" = $'unused\tTarget.NotRegistered' ]
    vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-port 9999 >/dev/null
    [ "$(health)" = $'unhealthy\tTarget.FailedHealthChecks' ]
    vpclab elbv2 modify-target-group --target-group-arn "$TG" --health-check-port traffic-port >/dev/null
    vpclab elbv2 set-subnets --load-balancer-arn "$LB" --subnets "$A" >/dev/null
    [ "$(health)" = $'unused\tTarget.NotInUse' ]
    vpclab elbv2 set-subnets --load-balancer-arn "$LB" --subnets "$A" "$B" >/dev/null
    vpclab ec2 stop-instances --instance-ids "$APP" >/dev/null
    [ "$(health)" = $'unused\tTarget.InvalidState' ]
    vpclab elbv2 delete-listener --listener-arn "$LISTENER"
    [ "$(health)" = $'unused\tTarget.NotInUse' ]
    balancer application HTTP
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$WEB" >/dev/null
    [ "$(health)" = $'healthy\tNone' ]
    vpclab ec2 revoke-security-group-ingress --group-id "$HOST" --protocol tcp --port 8080 --source-group "$LBG" >/dev/null
    [ "$(health)" = $'unhealthy\tTarget.Timeout' ]
}

@test "rules of a listener: order, conditions, and the address of the client" {
    build
    balancer application HTTP
    OTHER=$(id elbv2 create-target-group --name other --protocol HTTP --port 8080 --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$WEB" >/dev/null
    vpclab elbv2 register-targets --target-group-arn "$OTHER" --targets "Id=$APP" >/dev/null
    rule() { id elbv2 create-rule --listener-arn "$LISTENER" --priority "$1" --conditions "$2" --actions "Type=forward,TargetGroupArn=$OTHER" --query 'Rules[0].RuleArn'; }
    receivers() { printf '{"from":{"instance":"%s"},"to":{"eni":"%s"},"protocol":"tcp","dstPort":80}\n' "$WEB" "$(node "$A")" | vpclab reach --batch | grep -o '"lbTargets":[^]]*' || true; }
    R1=$(rule 10 Field=path-pattern,Values=/api/*)
    [[ "$(receivers)" == *"$WEB"* && "$(receivers)" == *"$APP"* ]]
    R2=$(rule 5 Field=source-ip,SourceIpConfig={Values=192.0.2.0/24})
    [[ "$(receivers)" == *"$WEB"* && "$(receivers)" == *"$APP"* ]]
    vpclab elbv2 modify-rule --rule-arn "$R2" --conditions Field=source-ip,SourceIpConfig={Values=10.0.1.0/24} >/dev/null
    [[ "$(receivers)" != *"$WEB"* && "$(receivers)" == *"$APP"* ]]
    vpclab elbv2 delete-rule --rule-arn "$R1"
    R1=$(rule 20 Field=host-header,Values=www.example.com)
    vpclab elbv2 set-rule-priorities --rule-priorities "RuleArn=$R1,Priority=5" "RuleArn=$R2,Priority=20" >/dev/null
    says "$R1" vpclab elbv2 describe-rules --listener-arn "$LISTENER" --query 'Rules[0].RuleArn'
    wrong 4 PriorityInUse vpclab elbv2 set-rule-priorities --rule-priorities "RuleArn=$R1,Priority=20"
    wrong 2 'between 1 and 50000' vpclab elbv2 set-rule-priorities --rule-priorities "RuleArn=$R1,Priority=0"
    wrong 4 RuleNotFound vpclab elbv2 modify-rule --rule-arn nothing --conditions Field=host-header,Values=x
    wrong 4 'must be one of host-header' vpclab elbv2 modify-rule --rule-arn "$R1" --conditions Field=color,Values=x
    wrong 4 'is no CIDR block' vpclab elbv2 modify-rule --rule-arn "$R1" --conditions Field=source-ip,SourceIpConfig={Values=home}
    wrong 4 TooManyValues vpclab elbv2 modify-rule --rule-arn "$R1" --conditions Field=host-header,Values=a,b,c,d,e,f
    says 81 vpclab elbv2 modify-listener --listener-arn "$LISTENER" --port 81 --query 'Listeners[0].Port'
    wrong 4 'HTTP, HTTPS' vpclab elbv2 modify-listener --listener-arn "$LISTENER" --protocol TCP
    wrong 4 TargetGroupNotFound vpclab elbv2 modify-listener --listener-arn "$LISTENER" --default-actions Type=forward,TargetGroupArn=nothing
}

@test "both families: a dualstack balancer takes IPv6 and sends to IPv4 targets" {
    build
    balancer network TCP --ip-address-type dualstack
    vpclab ec2 authorize-security-group-ingress --group-id "$LBG" --ip-permissions 'IpProtocol=tcp,FromPort=80,ToPort=80,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$APP" >/dev/null
    C=$(id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$A" --ipv6-address-count 1 --security-group-ids "$HOST" --query 'Instances[0].InstanceId')
    vpclab reach "$C" "$(node "$B")" --port 80 --ipv6
    says '"ipv4"' vpclab elbv2 set-ip-address-type --load-balancer-arn "$LB" --ip-address-type ipv4
    says 0 vpclab ec2 describe-network-interfaces --network-interface-ids "$(node "$B")" --query 'length(NetworkInterfaces[0].Ipv6Addresses)'
    wrong 4 'ipv4` or `dualstack' vpclab elbv2 set-ip-address-type --load-balancer-arn "$LB" --ip-address-type dualstack-without-public-ipv4
    N=$(id ec2 create-subnet --vpc-id "$V" --cidr-block 10.0.9.0/24 --availability-zone us-east-1c --query Subnet.SubnetId)
    wrong 4 'has no IPv6 block' vpclab elbv2 create-load-balancer --name six --type network --scheme internal --subnets "$N" --ip-address-type dualstack
}

@test "addresses across a peering connection are targets" {
    build
    balancer network TCP
    P=$(id ec2 create-vpc --cidr-block 10.9.0.0/16 --query Vpc.VpcId)
    PS=$(id ec2 create-subnet --vpc-id "$P" --cidr-block 10.9.1.0/24 --query Subnet.SubnetId)
    PG=$(id ec2 create-security-group --group-name far --description d --vpc-id "$P" --query GroupId)
    vpclab ec2 authorize-security-group-ingress --group-id "$PG" --protocol tcp --port 8080 --cidr 10.0.0.0/16 >/dev/null
    id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$PS" --private-ip-address 10.9.1.50 --security-group-ids "$PG" >/dev/null
    IPS=$(id elbv2 create-target-group --name far --protocol TCP --port 8080 --target-type ip --vpc-id "$V" --query 'TargetGroups[0].TargetGroupArn')
    vpclab elbv2 register-targets --target-group-arn "$IPS" --targets Id=10.9.1.50,AvailabilityZone=all >/dev/null
    vpclab elbv2 modify-listener --listener-arn "$LISTENER" --default-actions "Type=forward,TargetGroupArn=$IPS" >/dev/null
    no "$WEB" "$(node "$A")" --port 80
    X=$(id ec2 create-vpc-peering-connection --vpc-id "$V" --peer-vpc-id "$P" --query VpcPeeringConnection.VpcPeeringConnectionId)
    vpclab ec2 accept-vpc-peering-connection --vpc-peering-connection-id "$X" >/dev/null
    for pair in "$V 10.9.0.0/16" "$P 10.0.0.0/16"; do
        T=$(id ec2 describe-route-tables --filters "Name=vpc-id,Values=${pair% *}" --query 'RouteTables[0].RouteTableId')
        vpclab ec2 create-route --route-table-id "$T" --destination-cidr-block "${pair#* }" --vpc-peering-connection-id "$X" >/dev/null
    done
    vpclab reach "$WEB" "$(node "$A")" --port 80
    says healthy vpclab elbv2 describe-target-health --target-group-arn "$IPS"
    wrong 4 InvalidTarget vpclab elbv2 register-targets --target-group-arn "$IPS" --targets Id=8.8.8.8
}

@test "a gateway load balancer, its endpoint service and endpoint" {
    build
    GW=$(id elbv2 create-load-balancer --name inspect --type gateway --subnets "$A" --query 'LoadBalancers[0].LoadBalancerArn')
    TG=$(id elbv2 create-target-group --name inspect --protocol GENEVE --port 6081 --vpc-id "$V" --health-check-port 80 --health-check-protocol TCP --query 'TargetGroups[0].TargetGroupArn')
    wrong 4 'GENEVE needs the port 6081' vpclab elbv2 create-target-group --name bad --protocol GENEVE --port 80 --vpc-id "$V"
    wrong 4 'without protocol and port' vpclab elbv2 create-listener --load-balancer-arn "$GW" --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$TG"
    vpclab elbv2 create-listener --load-balancer-arn "$GW" --default-actions "Type=forward,TargetGroupArn=$TG" >/dev/null
    wrong 4 'they must be the same' vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=target_failover.on_unhealthy,Value=rebalance
    wrong 4 '`rebalance` or `no_rebalance`, not ``' vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=target_failover.on_unhealthy,Value=
    vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=target_failover.on_unhealthy,Value=rebalance Key=target_failover.on_deregistration,Value=rebalance >/dev/null
    says '"rebalance"' vpclab elbv2 describe-target-group-attributes --target-group-arn "$TG"
    wrong 4 'source_ip_dest_ip' vpclab elbv2 modify-target-group-attributes --target-group-arn "$TG" --attributes Key=stickiness.type,Value=source_ip
    wrong 4 'neither security groups nor a scheme' vpclab elbv2 create-load-balancer --name two --type gateway --subnets "$A" --security-groups "$LBG"
    vpclab ec2 authorize-security-group-ingress --group-id "$HOST" --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
    vpclab elbv2 register-targets --target-group-arn "$TG" --targets "Id=$WEB" >/dev/null
    says healthy vpclab elbv2 describe-target-health --target-group-arn "$TG"
    S=$(id ec2 create-vpc-endpoint-service-configuration --gateway-load-balancer-arns "$GW" --no-acceptance-required --query ServiceConfiguration.ServiceName)
    wrong 4 'one subnet' vpclab ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --vpc-id "$V" --service-name "$S"
    E=$(id ec2 create-vpc-endpoint --vpc-endpoint-type GatewayLoadBalancer --vpc-id "$V" --service-name "$S" --subnet-ids "$A" --query VpcEndpoint.VpcEndpointId)
    T=$(id ec2 create-route-table --vpc-id "$V" --query RouteTable.RouteTableId)
    vpclab ec2 associate-route-table --route-table-id "$T" --subnet-id "$B" >/dev/null
    vpclab ec2 create-route --route-table-id "$T" --destination-cidr-block 0.0.0.0/0 --vpc-endpoint-id "$E" >/dev/null
    IGW=$(id ec2 create-internet-gateway --query InternetGateway.InternetGatewayId)
    vpclab ec2 attach-internet-gateway --vpc-id "$V" --internet-gateway-id "$IGW"
    M=$(id ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" Name=association.main,Values=true --query 'RouteTables[0].RouteTableId')
    vpclab ec2 create-route --route-table-id "$M" --destination-cidr-block 0.0.0.0/0 --gateway-id "$IGW" >/dev/null
    PUB=$(id ec2 run-instances --image-id ami-0123456789abcdef0 --subnet-id "$B" --associate-public-ip-address --security-group-ids "$HOST" --query 'Instances[0].InstanceId')
    says "VPC endpoint" vpclab reach "$PUB" internet --port 443
    vpclab fail az us-east-1a >/dev/null # the endpoint's, not the sender's
    no "$PUB" internet --port 443
    vpclab restore az us-east-1a >/dev/null
    vpclab reach "$PUB" internet --port 443
    # What comes back by the endpoint must have gone out by it: here only the answer does.
    vpclab ec2 authorize-security-group-ingress --group-id "$HOST" --protocol tcp --port 81 --cidr 0.0.0.0/0 >/dev/null
    no internet "$PUB" --port 81
    grep -q 'drops the answer of a connection whose first packet did not come through it' "$DIR/no"
}

@test "actions and tags that the lab does not model are refused" {
    build
    balancer application HTTP
    wrong 4 'actions of type `jwt-validation`' vpclab elbv2 create-rule --listener-arn "$LISTENER" --priority 1 \
        --conditions Field=path-pattern,Values=/a --actions Type=jwt-validation "Type=forward,TargetGroupArn=$TG"
    wrong 4 'error: --tags: vpclab does not model' vpclab elbv2 create-rule --listener-arn "$LISTENER" --priority 1 \
        --conditions Field=path-pattern,Values=/a --actions "Type=forward,TargetGroupArn=$TG" --tags Key=a,Value=b
    vpclab elbv2 create-rule --listener-arn "$LISTENER" --priority 1 \
        --conditions Field=path-pattern,Values=/a --actions "Type=forward,TargetGroupArn=$TG" >/dev/null
}
