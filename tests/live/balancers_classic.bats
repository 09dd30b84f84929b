#!/usr/bin/env bats
# Classic balancers: to the instances that their health checks find in service.
load ../cli/helper
load services

@test "classic balancer: registered instances of its zone, or of all, see its address; verify agrees" {
    setup_lab
    open_group web 8080
    open_group door 80
    one=$(run_instance one a --private-ip-address 10.0.1.11 --security-group-ids web)
    two=$(run_instance two b --private-ip-address 10.0.2.12 --security-group-ids web)
    run_instance client a --private-ip-address 10.0.1.10 >/dev/null
    vpclab elb create-load-balancer --load-balancer-name old --scheme internal --subnets a b --security-groups door \
        --listeners Protocol=TCP,LoadBalancerPort=80,InstancePort=8080 >/dev/null
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$two" >/dev/null
    up
    vpclab serve one tcp/8080 >/dev/null
    vpclab serve two tcp/8080 >/dev/null
    at() { vpclab ec2 describe-network-interfaces --filters Name=requester-id,Values=amazon-elb --query "NetworkInterfaces[?AvailabilityZone=='us-east-1$1'].$2 | [0]" --output text; }
    a=$(at a PrivateIpAddress) b=$(at b PrivateIpAddress)
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=TCP:8080,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    in_service() { # WANTED: the states, once they are so
        for _ in $(seq 100); do
            said=$(vpclab elb describe-instance-health --load-balancer-name old --query 'InstanceStates[].[State,ReasonCode]' --output text | xargs)
            [ "$said" = "$1" ] && return
            sleep 0.2
        done
        echo "said $said"
        return 1
    }
    in_service 'InService N/A'
    [ "$(get client "http://$b/")" = 10.0.2.12 ]
    [ "$(code client "http://$b:81/")" = 000 ]
    [ "$(code client "http://$a/")" = 000 ] # none registered in its zone
    vpclab verify >"$DIR/said"
    grep -q "^client *$(at b NetworkInterfaceId) .* tcp/80 | " "$DIR/said"
    vpclab elb register-instances-with-load-balancer --load-balancer-name old --instances "$one" >/dev/null
    in_service 'InService N/A InService N/A'
    [ "$(get client "http://$a/")" = 10.0.1.11 ]
    vpclab elb modify-load-balancer-attributes --load-balancer-name old --load-balancer-attributes 'CrossZoneLoadBalancing={Enabled=true}' >/dev/null
    [ "$(pages client "http://$a/" 12)" = "10.0.1.11 10.0.2.12" ]
    # One stops answering and gets nothing more; with none in service nobody gets anything, other than with a target group.
    vpclab serve --stop one tcp/8080 >/dev/null
    in_service 'InService N/A OutOfService Instance'
    [ "$(pages client "http://$a/" 8)" = 10.0.2.12 ]
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=TCP:9,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    in_service 'OutOfService Instance OutOfService Instance'
    [ "$(code client "http://$a/")" = 000 ]
    vpclab verify >"$DIR/said"
    grep -q '^not analysed: health of the instances of old ' "$DIR/said"
    vpclab elb configure-health-check --load-balancer-name old --health-check Target=HTTP:8080/,Interval=5,Timeout=2,UnhealthyThreshold=2,HealthyThreshold=2 >/dev/null
    in_service 'InService N/A OutOfService Instance'
    [ "$(get client "http://$a/")" = 10.0.2.12 ]
    vpclab ec2 revoke-security-group-ingress --group-id door --protocol tcp --port 80 --cidr 0.0.0.0/0 >/dev/null
    [ "$(code client "http://$a/")" = 000 ]
    vpclab verify >/dev/null
}
