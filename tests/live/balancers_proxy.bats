#!/usr/bin/env bats
# The PROXY header of network and Classic balancers, and the cookies of Classic ones.
load ../cli/helper
load services

told() { get "$@" | sed -E 's/ [0-9]+ (80|81)( |$)/ PORT \1\2/'; } # NODE URL: what the target was told; the client's port is any
attribute() { vpclab elbv2 modify-target-group-attributes --target-group-arn told --attributes "Key=$1,Value=$2" >/dev/null; }

@test "network balancer: the PROXY header says who the client is, behind an endpoint too; health checks have one" {
    setup_lab
    open_group web 8080
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    vpclab elbv2 create-load-balancer --name lb --type network --scheme internal --subnets a >/dev/null
    vpclab elbv2 create-target-group --name told --protocol TCP --port 8080 --vpc-id main --health-check-protocol HTTP >/dev/null
    targets told "$one"
    group=$(vpclab elbv2 describe-target-groups --names told --query 'TargetGroups[0].TargetGroupArn' --output text)
    vpclab elbv2 create-listener --load-balancer-arn lb --protocol TCP --port 80 --default-actions "Type=forward,TargetGroupArn=$group" >/dev/null
    # A consumer with the same addresses.
    cat >"$DIR/consumer.vpc" <<'END'
service = ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns lb --no-acceptance-required
there = ec2 create-vpc --cidr-block 10.0.0.0/16
desk = ec2 create-subnet --vpc-id $there --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
door = ec2 create-security-group --vpc-id $there --group-name door --description x
ec2 authorize-security-group-ingress --group-id $door --protocol tcp --port 80 --cidr 10.0.0.0/16
ec2 run-instances --image-id ami-12345678 --subnet-id $desk --private-ip-address 10.0.1.77 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=far}]
ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id $there --subnet-ids $desk --security-group-ids $door --service-name com.amazonaws.vpce.us-east-1.$service
END
    vpclab -q -f "$DIR/consumer.vpc" >/dev/null
    up
    vpclab exec --detach one -- python3 tests/live/proxy_target.py 8080
    [ "$(health told unhealthy)" = unhealthy ] # it hangs up on who sends no header
    [ "$(code client "http://$(node lb a)/")" = 000 ]
    attribute proxy_protocol_v2.enabled true
    [ "$(health told healthy)" = healthy ]
    n=$(node lb a)
    [ "$(told client "http://$n/")" = "PROXY TCP4 10.0.1.10 $n PORT 80 from 10.0.1.10" ]
    endpoint=$(vpclab ec2 describe-vpc-endpoints --query 'VpcEndpoints[0].VpcEndpointId' --output text)
    ip=$(vpclab ec2 describe-network-interfaces --filters "Name=description,Values=*$endpoint*" --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(told far "http://$ip/")" = "PROXY TCP4 10.0.1.77 $n PORT 80 ea:1:$endpoint from $n" ]
    attribute preserve_client_ip.enabled false
    [ "$(told client "http://$n/")" = "PROXY TCP4 10.0.1.10 $n PORT 80 from $n" ]
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
    attribute proxy_protocol_v2.enabled false
    [ "$(code client "http://$n/")" = 000 ]
}

@test "classic balancer: the PROXY header by a policy of the instances' port; cookies by policies of the listener" {
    setup_lab
    open_group web 8080 8081
    open_group door 80 81
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    two=$(run_instance two a --private-ip-address 10.0.1.12 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets a --security-groups door --listeners \
        Protocol=HTTP,LoadBalancerPort=80,InstancePort=8080 Protocol=TCP,LoadBalancerPort=81,InstancePort=8081 >/dev/null
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$one" "$two" >/dev/null
    vpclab elb create-load-balancer-policy --load-balancer-name old --policy-name told --policy-type-name ProxyProtocolPolicyType \
        --policy-attributes AttributeName=ProxyProtocol,AttributeValue=true
    vpclab elb create-lb-cookie-stickiness-policy --load-balancer-name old --policy-name day --cookie-expiration-period 86400
    vpclab elb create-app-cookie-stickiness-policy --load-balancer-name old --policy-name session --cookie-name session
    up
    for i in one two; do
        vpclab exec --detach $i -- python3 tests/live/proxy_target.py 8081
        serve $i $i 8080
    done
    for _ in $(seq 100); do
        said=$(vpclab elb describe-instance-health --load-balancer-name old --query 'InstanceStates[].State' --output text | xargs)
        [ "$said" = "InService InService" ] && break
        sleep 0.2
    done
    n=$(vpclab ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(code client "http://$n:81/")" = 000 ]
    vpclab elb set-load-balancer-policies-for-backend-server --load-balancer-name old --instance-port 8081 --policy-names told
    [ "$(told client "http://$n:81/")" = "PROXY TCP4 10.0.1.10 $n PORT 81 from $n" ]
    vpclab elb set-load-balancer-policies-for-backend-server --load-balancer-name old --instance-port 8081 --policy-names '[]'
    [ "$(code client "http://$n:81/")" = 000 ]
    # Without a policy by turns, with a cookie to whoever was first.
    with_jar() { vpclab exec client -- curl -s -m 20 -b /tmp/jar -c /tmp/jar "http://$n$1" | cut -d' ' -f1; }
    all() { for _ in 1 2 3 4; do with_jar "$1"; done | sort -u | wc -l; }
    [ "$(all /)" = 2 ]
    vpclab elb set-load-balancer-policies-of-listener --load-balancer-name old --load-balancer-port 80 --policy-names day
    [ "$(all /)" = 1 ]
    vpclab exec client -- grep -q AWSELB /tmp/jar
    vpclab exec client -- rm /tmp/jar
    vpclab elb set-load-balancer-policies-of-listener --load-balancer-name old --load-balancer-port 80 --policy-names session
    [ "$(all /)" = 2 ] # the application has not set its cookie
    [ "$(all /login)" = 1 ]
    [ "$(all /)" = 1 ]
    # Bytes: of what is relayed, and of HTTP as the client has them.
    counted() {
        vpclab cloudwatch get-metric-statistics --namespace AWS/ELB --metric-name EstimatedProcessedBytes --start-time 2000-01-01T00:00:00Z --end-time 2100-01-01T00:00:00Z \
            --period 31536000 --statistics Sum --dimensions Name=LoadBalancerName,Value=old --query 'sum(Datapoints[].Sum)' --output text | cut -d. -f1
    }
    before=$(counted)
    sent=$(vpclab exec client -- curl -s -m 20 -o /dev/null -w '%{size_request} %{size_header} %{size_download}' "http://$n/")
    [ $(($(counted) - before)) = $((${sent// /+})) ]
    vpclab elb set-load-balancer-policies-for-backend-server --load-balancer-name old --instance-port 8081 --policy-names told
    before=$(counted)
    told client "http://$n:81/"
    [ $(($(counted) - before)) -gt 300 ] # a handshake, the header, a request and an answer
    vpclab verify >"$DIR/said" || { cat "$DIR/said"; false; }
}
