#!/usr/bin/env bats
# Network balancers that really balance: to healthy targets, with the addresses that AWS shows.
load ../cli/helper
load services

@test "network balancer: healthy targets get the connections, the client's address is kept, cross-zone when told" {
    setup_lab
    open_group web 80
    one=$(run_instance one b --private-ip-address 10.0.2.11 --security-group-ids web)
    two=$(run_instance two b --private-ip-address 10.0.2.12 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main >/dev/null
    targets web "$one" "$two"
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 8080 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    up
    serve one one 80
    serve two two 80
    [ "$(health web "healthy	healthy")" = "healthy healthy" ]
    b=$(node net b) a=$(node net a)
    [ "$(pages client "http://$b:8080/" 12)" = "one two" ]
    # So many connections for verify that each target has some; each must have what analysis says of it.
    vpclab verify >"$DIR/report"
    grep -q "^client *$(interface "$b") .* 30/30 .* tcp/8080 | " "$DIR/report"
    grep -q "^$(interface "$b") *one .* 1/1 .* tcp/80 | " "$DIR/report"
    [ "$(get client "http://$b:8080/" | cut -d' ' -f2)" = 10.0.1.10 ]
    [ "$(code client "http://$b:8081/")" = 000 ] # no listener
    [ "$(code client "http://$a:8080/")" = 000 ] # no target in its zone
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn net --attributes Key=load_balancing.cross_zone.enabled,Value=true >/dev/null
    [ "$(pages client "http://$a:8080/" 12)" = "one two" ]
    # A target that fails gets no more; the port of the target is closed by its group as for anybody.
    vpclab exec one -- sh -c 'kill $(pgrep -f "[s]erve.py one")'
    [ "$(health web "unhealthy	healthy")" = "unhealthy healthy" ]
    [ "$(pages client "http://$b:8080/" 8)" = two ]
    vpclab ec2 revoke-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 0.0.0.0/0 >/dev/null
    [ "$(code client "http://$b:8080/")" = 000 ]
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --cidr 10.0.0.0/16 >/dev/null
    [ "$(pages client "http://$b:8080/" 2)" = two ]
    vpclab verify
}

@test "network balancer: targets know its group, not the groups of clients whose address they see" {
    setup_lab
    open_group door 8080
    vpclab ec2 create-security-group --group-name web --description x --vpc-id main >/dev/null
    vpclab ec2 create-security-group --group-name visitor --description x --vpc-id main >/dev/null
    one=$(run_instance one b --private-ip-address 10.0.2.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 --security-group-ids visitor >/dev/null
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets a b --security-groups door >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main >/dev/null
    targets web "$one"
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 8080 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --source-group visitor >/dev/null
    up
    serve one one 80
    b=$(node net b)
    [ "$(get client http://10.0.2.11/ | cut -d' ' -f1)" = one ]
    [ "$(code client "http://$b:8080/")" = 000 ]
    vpclab verify
    vpclab ec2 authorize-security-group-ingress --group-id web --protocol tcp --port 80 --source-group door >/dev/null
    vpclab exec client -- curl -v -m 3 http://$b:8080/ || true
    vpclab reach client one --destination-ip $b --port 8080 || true
    [ "$(get client "http://$b:8080/" | cut -d' ' -f1,2)" = "one 10.0.1.10" ]
    vpclab verify
}

@test "network balancer: targets by address see the node, from the internet too; of many connections none is lost, and each target has its part" {
    setup_lab
    add_gateway
    open_group web 80
    run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web
    run_instance two a --private-ip-address 10.0.1.12 --security-group-ids web
    vpclab elbv2 create-load-balancer --name net --type network --scheme internet-facing --subnets a >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main --target-type ip >/dev/null
    targets web 10.0.1.11 10.0.1.12
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 80 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    up
    serve one one 80
    serve two two 80
    [ "$(health web "healthy	healthy")" = "healthy healthy" ]
    public=$(vpclab ec2 describe-network-interfaces --filters 'Name=description,Values=ELB *' --query 'NetworkInterfaces[0].Association.PublicIp' --output text)
    [ "$(get internet "http://$public/" | cut -d' ' -f2)" = "$(node net a)" ]
    n=${VPCLAB_CONNECTIONS:-1000}
    vpclab exec scanner -- curl -s -w '%{http_code}\n' -H 'Connection: close' "http://$public/[1-$n]" >"$DIR/answers"
    [ "$(grep -cx 200 "$DIR/answers")" = "$n" ]
    ones=$(grep -c '^one ' "$DIR/answers") twos=$(grep -c '^two ' "$DIR/answers")
    [ $((ones + twos)) = "$n" ] && [ "$ones" -gt $((n / 3)) ] && [ "$twos" -gt $((n / 3)) ]
}

@test "verify asks endpoints and network balancers, and the kernel says what analysis does, ACLs and all" {
    setup_lab
    open_group web 80
    one=$(run_instance one b --security-group-ids web)
    run_instance client a
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main >/dev/null
    targets web "$one"
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 8080 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    door=$(vpclab ec2 create-vpc-endpoint --vpc-id main --vpc-endpoint-type Interface --service-name com.amazonaws.us-east-1.sqs --subnet-ids b \
        --no-private-dns-enabled --query 'VpcEndpoint.NetworkInterfaceIds[0]' --output text)
    up
    b=$(vpclab ec2 describe-network-interfaces --filters "Name=private-ip-address,Values=$(node net b)" --query 'NetworkInterfaces[0].NetworkInterfaceId' --output text)
    run vpclab verify
    [ "$status" = 0 ]
    grep -q "^client *$b .* tcp/8080 | " <<<"$output"
    grep -q "^client *$door " <<<"$output"
    # The answer comes back by the node, so the ACLs of both subnets see it.
    acl=$(vpclab ec2 create-network-acl --vpc-id main --query NetworkAcl.NetworkAclId --output text)
    subnet=$(vpclab ec2 describe-subnets --filters Name=tag:Name,Values=a --query 'Subnets[0].SubnetId' --output text)
    association=$(vpclab ec2 describe-network-acls --filters "Name=association.subnet-id,Values=$subnet" \
        --query "NetworkAcls[0].Associations[?SubnetId=='$subnet'].NetworkAclAssociationId | [0]" --output text)
    vpclab ec2 create-network-acl-entry --network-acl-id "$acl" --egress --rule-number 100 --protocol -1 --rule-action allow --cidr-block 0.0.0.0/0
    vpclab ec2 replace-network-acl-association --association-id "$association" --network-acl-id "$acl" >/dev/null
    run vpclab verify
    [ "$status" = 0 ]
    [ "$(code client "http://$(node net b):8080/")" = 000 ]
}

@test "network balancer: a client may be the appliance on the way from the node to its target" {
    setup_lab
    open_group web 80
    target=$(run_instance target b --private-ip-address 10.0.2.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 --security-group-ids web >/dev/null
    vpclab ec2 modify-instance-attribute --instance-id client --no-source-dest-check
    vpclab ec2 create-subnet --vpc-id main --cidr-block 10.0.3.0/24 --availability-zone us-east-1b \
        --tag-specifications 'ResourceType=subnet,Tags=[{Key=Name,Value=nodes}]' >/dev/null
    table=$(vpclab ec2 create-route-table --vpc-id main --query RouteTable.RouteTableId --output text)
    vpclab ec2 associate-route-table --route-table-id "$table" --subnet-id nodes >/dev/null
    vpclab ec2 create-route --route-table-id "$table" --destination-cidr-block 10.0.2.0/24 --network-interface-id "$(interface 10.0.1.10)" >/dev/null
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets nodes >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main >/dev/null
    targets web "$target"
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 8080 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    up
    vpclab verify client net >"$DIR/report" || { cat "$DIR/report"; return 1; }
    grep -q '^client .* tcp/8080 | ' "$DIR/report"
}

# Source: https://repost.aws/knowledge-center/elb-dns-cross-zone-balance-configuration
@test "a balancer's name has the zones with healthy targets, all when none has; dig, resolve and trace say the same" {
    command -v dig >/dev/null || skip "dig is not installed"
    setup_lab
    open_group web 80
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    two=$(run_instance two b --private-ip-address 10.0.2.12 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10
    vpclab elbv2 create-load-balancer --name net --type network --scheme internal --subnets a b >/dev/null
    vpclab elbv2 create-target-group --name web --protocol TCP --port 80 --vpc-id main >/dev/null
    vpclab elbv2 create-listener --load-balancer-arn net --protocol TCP --port 8080 --default-actions Type=forward,TargetGroupArn=web >/dev/null
    vpclab elbv2 register-targets --target-group-arn web --targets "Id=$one" "Id=$two"
    name=$(vpclab elbv2 describe-load-balancers --names net --query 'LoadBalancers[0].DNSName' -o text)
    both=$(printf '%s\n' "$(node net a)" "$(node net b)" | sort)
    named() { # ADDRESSES: until that is what the resolver answers; `resolve` says the same
        for _ in $(seq 150); do
            seen=$(vpclab exec client -- dig +short +tries=3 "$name" | sort)
            [ "$seen" = "$1" ] && break
            sleep 0.1
        done
        [ "$seen" = "$1" ] && [ "$(vpclab resolve "$name" --from client --query 'Records[].Value' -o text | tr '\t' '\n' | sort)" = "$1" ] ||
            { echo "expected: $1"; echo "dig: $seen"; vpclab resolve "$name" --from client; return 1; }
    }
    [ "$(vpclab resolve "$name" --from client --query 'length(Records)')" = 2 ] # without a live lab nobody knows of health
    up
    named "$both" # none is healthy yet
    serve two two 80
    named "$(node net b)"
    vpclab trace client net tcp/8080 | grep -qF "($(node net b))"
    [ "$(get client "http://$name:8080/" | cut -d' ' -f1)" = two ]
    [ "$(vpclab exec client -- dig +short +tries=3 "us-east-1a.$name")" = "$(node net a)" ] # a zone's own name stays
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn net --attributes Key=load_balancing.cross_zone.enabled,Value=true >/dev/null
    named "$both" # each node has a target
    vpclab elbv2 modify-load-balancer-attributes --load-balancer-arn net --attributes Key=load_balancing.cross_zone.enabled,Value=false >/dev/null
    named "$(node net b)"
    serve one one 80
    named "$both"
    vpclab exec two -- sh -c 'kill $(pgrep -f "[s]erve.py two")'
    named "$(node net a)"
}
