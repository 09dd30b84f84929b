#!/usr/bin/env bats
# Network balancers and PrivateLink over IPv6, and from one address family to the other.
load ../cli/helper
load services

open_group() { # NAME PORT...: to everybody, over IPv4 and IPv6
    vpclab ec2 create-security-group --group-name "$1" --description x --vpc-id main >/dev/null
    for port in "${@:2}"; do
        vpclab ec2 authorize-security-group-ingress --group-id "$1" \
            --ip-permissions "IpProtocol=tcp,FromPort=$port,ToPort=$port,IpRanges=[{CidrIp=0.0.0.0/0}],Ipv6Ranges=[{CidrIpv6=::/0}]" >/dev/null
    done
}
interface() { # FILTER MEMBER
    vpclab ec2 describe-network-interfaces --filters "$1" --query "NetworkInterfaces[0].$2" --output text
}
six_of() { # INSTANCE
    vpclab ec2 describe-instances --instance-ids "$1" --query 'Reservations[0].Instances[0].NetworkInterfaces[0].Ipv6Addresses[0].Ipv6Address' --output text
}
listen() { # BALANCER PORT GROUP
    vpclab elbv2 create-listener --load-balancer-arn "$1" --protocol TCP --port "$2" --default-actions "Type=forward,TargetGroupArn=$3" >/dev/null
}

@test "network balancer with two families: IPv6 targets see the client, others what their own family can show" {
    setup_lab
    open_group web 80
    one=$(run_instance one b --ipv6-address-count 1 --private-ip-address 10.0.2.11 --security-group-ids web)
    two=$(run_instance two b --ipv6-address-count 1 --private-ip-address 10.0.2.12 --security-group-ids web)
    client=$(run_instance client a --ipv6-address-count 1 --private-ip-address 10.0.1.10)
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --ip-address-type dualstack --subnets b >/dev/null
    vpclab elbv2 create-target-group --name six --protocol TCP --port 80 --vpc-id main --ip-address-type ipv6 >/dev/null
    vpclab elbv2 create-target-group --name four --protocol TCP --port 80 --vpc-id main >/dev/null
    targets six "$one" "$two"
    targets four "$one" "$two"
    listen net 8080 six
    listen net 8081 four
    up
    for name in one two; do
        vpclab exec --detach "$name" -- python3 tests/live/serve.py "$name" 80 ::
    done
    [ "$(health six "healthy	healthy")" = "healthy healthy" ]
    [ "$(health four "healthy	healthy")" = "healthy healthy" ]
    six=$(interface 'Name=description,Values=ELB *' 'Ipv6Addresses[0].Ipv6Address')
    four=$(interface 'Name=description,Values=ELB *' PrivateIpAddress)
    own=$(six_of "$client")
    # So many connections that one of two targets goes without in less than one run of 10^9; who answered and whom they saw, each once.
    sees() { # ANSWERS URL
        vpclab exec client -- curl -s -m 60 -H 'Connection: close' -w '%{http_code} from port %{local_port}\n' "${2}[1-32]" >"$DIR/answers" 2>&1 || true
        [ "$(grep -c '^200 ' "$DIR/answers")" = 32 ] && [ "$(grep -v '^200 ' "$DIR/answers" | cut -d' ' -f1,2 | sort -u | xargs)" = "$1" ] ||
            { echo "expected 32 answers of: $1"; cat "$DIR/answers"; vpclab elbv2 describe-target-health --target-group-arn six; return 1; }
    }
    sees "one $own two $own" "http://[$six]:8080/"
    sees "one ::ffff:10.0.1.10 two ::ffff:10.0.1.10" "http://$four:8081/"
    # Across: the node asks for the client.
    sees "one ::ffff:$four two ::ffff:$four" "http://[$six]:8081/"
    sees "one $six two $six" "http://$four:8080/"
    [ "$(get client "http://[$six]:8081/" -d "$(printf '%0100000d' 7)" | wc -c)" -gt 100000 ]
    [ "$(code client "http://[$six]:8082/")" = 000 ] # no listener
    vpclab verify
    vpclab ec2 revoke-security-group-ingress --group-id web --ip-permissions 'IpProtocol=tcp,FromPort=80,ToPort=80,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    [ "$(code client "http://[$six]:8080/")" = 000 ]
    sees "one ::ffff:$four two ::ffff:$four" "http://[$six]:8081/"
}

@test "endpoints with two families: to AWS's own services, and by PrivateLink to targets of either family" {
    setup_lab
    open_group web 80 443
    api=$(run_instance api a --ipv6-address-count 1 --private-ip-address 10.0.1.11 --security-group-ids web)
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --ip-address-type dualstack --subnets a >/dev/null
    vpclab elbv2 create-target-group --name six --protocol TCP --port 80 --vpc-id main --ip-address-type ipv6 >/dev/null
    vpclab elbv2 create-target-group --name four --protocol TCP --port 80 --vpc-id main >/dev/null
    targets six "$api"
    targets four "$api"
    listen net 443 six
    listen net 444 four
    arn=$(vpclab elbv2 describe-load-balancers --names net --query 'LoadBalancers[0].LoadBalancerArn' --output text)
    service=$(vpclab ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns "$arn" --supported-ip-address-types ipv4 ipv6 \
        --no-acceptance-required --query ServiceConfiguration.ServiceName --output text)
    six=$(vpclab ec2 create-vpc --cidr-block 10.0.0.0/16 --amazon-provided-ipv6-cidr-block --tag-specifications 'ResourceType=vpc,Tags=[{Key=Name,Value=user}]' \
        --query 'Vpc.VpcId' --output text)
    six=$(vpclab ec2 describe-vpcs --vpc-ids "$six" --query 'Vpcs[0].Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock' --output text)
    vpclab ec2 create-subnet --vpc-id user --cidr-block 10.0.1.0/24 --ipv6-cidr-block "${six%::/56}::/64" --availability-zone us-east-1a \
        --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=desk}]' >/dev/null
    door=$(vpclab ec2 create-security-group --vpc-id user --group-name door --description x --query GroupId --output text)
    vpclab ec2 authorize-security-group-ingress --group-id "$door" \
        --ip-permissions 'IpProtocol=tcp,FromPort=1,ToPort=1024,IpRanges=[{CidrIp=10.0.0.0/16}],Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    run_instance client desk --ipv6-address-count 1 --private-ip-address 10.0.1.10 --security-group-ids "$door"
    endpoint() { # SERVICE: its interface
        vpclab ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id user --subnet-ids desk --security-group-ids "$door" \
            --ip-address-type dualstack --no-private-dns-enabled --service-name "$1" --query 'VpcEndpoint.NetworkInterfaceIds[0]' --output text
    }
    own=$(endpoint "$service")
    sqs=$(endpoint com.amazonaws.us-east-1.sqs)
    up
    vpclab exec --detach api -- python3 tests/live/serve.py api 80 ::
    [ "$(health six healthy)" = healthy ]
    [ "$(health four healthy)" = healthy ]
    of() { interface "Name=network-interface-id,Values=$1" "$2"; }
    [[ "$(get client "http://[$(of "$sqs" 'Ipv6Addresses[0].Ipv6Address')]/")" == com.amazonaws.us-east-1.sqs\ by\ *hello* ]]
    [[ "$(get client "http://$(of "$sqs" PrivateIpAddress)/")" == com.amazonaws.us-east-1.sqs\ by\ *hello* ]]
    node6=$(interface 'Name=description,Values=ELB *' 'Ipv6Addresses[0].Ipv6Address')
    node4=$(interface 'Name=description,Values=ELB *' PrivateIpAddress)
    # PrivateLink never shows a client's address: targets see the node's, of their own family.
    for ip in "[$(of "$own" 'Ipv6Addresses[0].Ipv6Address')]" "$(of "$own" PrivateIpAddress)"; do
        [ "$(get client "http://$ip:443/" | cut -d' ' -f1,2)" = "api $node6" ]
        [ "$(get client "http://$ip:444/" | cut -d' ' -f1,2)" = "api ::ffff:$node4" ]
        [ "$(code client "http://$ip:445/")" = 000 ]
    done
    vpclab verify
    vpclab ec2 revoke-security-group-ingress --group-id "$door" --ip-permissions 'IpProtocol=tcp,FromPort=1,ToPort=1024,Ipv6Ranges=[{CidrIpv6=::/0}]' >/dev/null
    [ "$(code client "http://[$(of "$own" 'Ipv6Addresses[0].Ipv6Address')]:443/")" = 000 ]
    [ "$(get client "http://$(of "$own" PrivateIpAddress):443/" | cut -d' ' -f1)" = api ]
}
