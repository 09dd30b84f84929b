#!/usr/bin/env bats
# AWS PrivateLink: what comes to an endpoint of the lab's own service is carried to the balancer behind it.
load ../cli/helper
load services

@test "endpoint service: two VPCs with the same addresses, carried by a network balancer, asked by its groups" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    cat >"$DIR/lab.vpc" <<'END'
provider = ec2 create-vpc --cidr-block 10.0.0.0/16
rack = ec2 create-subnet --vpc-id $provider --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
own = ec2 create-security-group --vpc-id $provider --group-name api --description x
ec2 authorize-security-group-ingress --group-id $own --protocol tcp --port 8443 --cidr 10.0.1.0/24
front = ec2 create-security-group --vpc-id $provider --group-name front --description x
ec2 authorize-security-group-ingress --group-id $front --protocol tcp --port 443 --cidr 10.0.1.20/32
api = ec2 run-instances --image-id ami-12345678 --subnet-id $rack --security-group-ids $own --private-ip-address 10.0.1.20 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=api}]
lb = elbv2 create-load-balancer --name api --type network --scheme internal --subnets $rack --security-groups $front
group = elbv2 create-target-group --name api --protocol TCP --port 8443 --vpc-id $provider
elbv2 register-targets --target-group-arn $group --targets Id=$api
elbv2 create-listener --load-balancer-arn $lb --protocol TCP --port 443 --default-actions Type=forward,TargetGroupArn=$group
service = ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns $lb
consumer = ec2 create-vpc --cidr-block 10.0.0.0/16
desk = ec2 create-subnet --vpc-id $consumer --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
door = ec2 create-security-group --vpc-id $consumer --group-name door --description x
ec2 authorize-security-group-ingress --group-id $door --protocol tcp --port 443 --cidr 10.0.0.0/16
ec2 run-instances --image-id ami-12345678 --subnet-id $desk --security-group-ids $door --private-ip-address 10.0.1.20 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=client}]
endpoint = ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id $consumer --subnet-ids $desk --security-group-ids $door --service-name com.amazonaws.vpce.us-east-1.$service
ec2 create-tags --resources $service --tags Key=Name,Value=offer
ec2 create-tags --resources $endpoint --tags Key=Name,Value=way
END
    vpclab -q -f "$DIR/lab.vpc" >/dev/null
    up
    vpclab serve api tcp/8443 >/dev/null
    service=$(vpclab ec2 describe-vpc-endpoint-service-configurations --query 'ServiceConfigurations[0].ServiceId' --output text)
    at=$(vpclab ec2 describe-vpc-endpoints --vpc-endpoint-ids way --query 'VpcEndpoints[0].NetworkInterfaceIds[0]' --output text)
    ip=$(vpclab ec2 describe-network-interfaces --network-interface-ids "$at" --query 'NetworkInterfaces[0].PrivateIpAddress' --output text)
    [ "$(code client "http://$ip:443/")" = 000 ] # its owner has not accepted
    vpclab ec2 accept-vpc-endpoint-connections --service-id "$service" --vpc-endpoint-ids way >/dev/null
    # The page says which address was asked: the target's own, past both balancers' addresses.
    [ "$(get client "http://$ip:443/")" = 10.0.1.20 ]
    vpclab verify >"$DIR/report"
    grep -q "^client *$at .* tcp/443 | " "$DIR/report"
    # The balancer's groups see the client's address; told not to, they are not asked.
    vpclab ec2 revoke-security-group-ingress --group-id front --protocol tcp --port 443 --cidr 10.0.1.20/32 >/dev/null
    [ "$(code client "http://$ip:443/")" = 000 ]
    vpclab verify >/dev/null
    vpclab elbv2 set-security-groups --load-balancer-arn api --security-groups front --enforce-security-group-inbound-rules-on-private-link-traffic off >/dev/null
    [ "$(get client "http://$ip:443/")" = 10.0.1.20 ]
    vpclab ec2 reject-vpc-endpoint-connections --service-id "$service" --vpc-endpoint-ids way >/dev/null
    [ "$(code client "http://$ip:443/")" = 000 ]
    # A way to look into AWS's own machine.
    vpclab ec2 accept-vpc-endpoint-connections --service-id "$service" --vpc-endpoint-ids way >/dev/null
    vpclab exec "$at" -- ip -4 -o addr show eth0 | grep -q "$ip/24"
}

@test "an endpoint of a service whose balancer is not in the lab: up names it, its ports answer with the lab's own page" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR" "$DIR/dump"
    cat >"$DIR/dump/all.json" <<'END'
{"Vpcs": [{"VpcId": "vpc-0a1", "CidrBlock": "10.0.0.0/16", "State": "available"}],
 "Subnets": [{"SubnetId": "subnet-0a1", "VpcId": "vpc-0a1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a"}],
 "NetworkInterfaces": [{"NetworkInterfaceId": "eni-0a1", "VpcId": "vpc-0a1", "SubnetId": "subnet-0a1", "PrivateIpAddress": "10.0.1.9", "InterfaceType": "vpc_endpoint", "Groups": [], "Status": "in-use"}],
 "VpcEndpoints": [{"VpcEndpointId": "vpce-0a1b2c3d4e5f60718", "VpcEndpointType": "Interface", "VpcId": "vpc-0a1", "ServiceName": "com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0", "State": "available", "SubnetIds": ["subnet-0a1"], "NetworkInterfaceIds": ["eni-0a1"], "Groups": []}]}
END
    vpclab import aws "$DIR/dump" >/dev/null
    up
    vpclab down >/dev/null
    vpclab up | grep -qF 'not carried: vpce-0a1b2c3d4e5f60718: the balancer of its service is not in the lab'
    vpclab exec eni-0a1 -- curl -sf -m 20 http://10.0.1.9/ | grep -q vpce-svc-0123456789abcdef0
}
