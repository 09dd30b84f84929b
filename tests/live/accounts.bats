#!/usr/bin/env bats
# Real packets between two accounts: through a shared transit gateway, and within a shared subnet.
load ../cli/helper
load services

@test "packets cross accounts once the owner has accepted, and a participant's machine answers in a shared subnet" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab organizations create-organization >/dev/null
    vpclab ram enable-sharing-with-aws-organization >/dev/null
    dev=$(vpclab organizations create-account --email dev@example.com --account-name dev --query CreateAccountStatus.AccountId -o text)
    vpclab -q -f - >/dev/null <<END
tgw = ec2 create-transit-gateway --tag-specifications ResourceType=transit-gateway,Tags=[{Key=Name,Value=hub}]
vpc = ec2 create-vpc --cidr-block 10.1.0.0/16
net = ec2 create-subnet --vpc-id \$vpc --cidr-block 10.1.1.0/24 --availability-zone us-east-1a --tag-specifications ResourceType=subnet,Tags=[{Key=Name,Value=common}]
open = ec2 create-security-group --group-name open --description open --vpc-id \$vpc
ec2 authorize-security-group-ingress --group-id \$open --protocol tcp --port 22 --cidr 10.0.0.0/8
ec2 run-instances --image-id ami-12345678 --subnet-id \$net --security-group-ids \$open --private-ip-address 10.1.1.10 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=shared}]
ec2 create-transit-gateway-vpc-attachment --transit-gateway-id \$tgw --vpc-id \$vpc --subnet-ids \$net
routes = ec2 create-route-table --vpc-id \$vpc
ec2 associate-route-table --route-table-id \$routes --subnet-id \$net
ec2 create-route --route-table-id \$routes --destination-cidr-block 10.2.0.0/16 --transit-gateway-id \$tgw
vpc2 = ec2 create-vpc --cidr-block 10.2.0.0/16 --as $dev
net2 = ec2 create-subnet --vpc-id \$vpc2 --cidr-block 10.2.1.0/24 --availability-zone us-east-1a --as $dev
ec2 run-instances --image-id ami-12345678 --subnet-id \$net2 --private-ip-address 10.2.1.10 --as $dev --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=spoke}]
END
    T=$(vpclab ec2 describe-transit-gateways --query 'TransitGateways[0].TransitGatewayId' -o text)
    S=$(vpclab ec2 describe-subnets --filters Name=tag:Name,Values=common --query 'Subnets[0].[SubnetId,VpcId]' -o text)
    read -r S C <<<"$S"
    here=arn:aws:ec2:us-east-1:123456789012
    vpclab ram create-resource-share --name net --resource-arns "$here:transit-gateway/$T" "$here:subnet/$S" --principals "$dev" >/dev/null
    G=$(vpclab --as dev ec2 create-security-group --group-name app --description app --vpc-id "$C" --query GroupId -o text)
    vpclab --as dev ec2 authorize-security-group-ingress --group-id "$G" --protocol tcp --port 80 --cidr 10.1.0.0/16 >/dev/null
    vpclab --as dev ec2 run-instances --image-id ami-12345678 --subnet-id "$S" --security-group-ids "$G" \
        --tag-specifications 'ResourceType=instance,Tags=[{Key=Name,Value=guest}]' >/dev/null
    V=$(vpclab --as dev ec2 describe-vpcs --filters Name=cidr,Values=10.2.0.0/16 --query 'Vpcs[0].VpcId' -o text)
    N=$(vpclab --as dev ec2 describe-subnets --filters "Name=vpc-id,Values=$V" --query 'Subnets[0].SubnetId' -o text)
    R=$(vpclab --as dev ec2 describe-route-tables --filters "Name=vpc-id,Values=$V" --query 'RouteTables[0].RouteTableId' -o text)
    up
    A=$(vpclab --as dev ec2 create-transit-gateway-vpc-attachment --transit-gateway-id "$T" --vpc-id "$V" --subnet-ids "$N" \
        --query TransitGatewayVpcAttachment.TransitGatewayAttachmentId -o text)
    run vpclab trace spoke 10.1.1.10 tcp/22
    [ "$status" = 1 ]
    vpclab ec2 accept-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    vpclab --as dev ec2 create-route --route-table-id "$R" --destination-cidr-block 10.1.0.0/16 --transit-gateway-id "$T" >/dev/null
    vpclab trace spoke 10.1.1.10 tcp/22
    vpclab trace shared guest tcp/80
    run vpclab trace shared guest tcp/22 # the participant's group decides
    [ "$status" = 1 ]
    vpclab verify
    vpclab ec2 delete-transit-gateway-vpc-attachment --transit-gateway-attachment-id "$A" >/dev/null
    run vpclab trace spoke 10.1.1.10 tcp/22
    [ "$status" = 1 ]
}

@test "PrivateLink: an endpoint leads to the balancer of another account, which permits and accepts it" {
    XDG_RUNTIME_DIR=$DIR/run
    export XDG_RUNTIME_DIR
    mkdir -m 700 "$XDG_RUNTIME_DIR"
    vpclab organizations create-organization >/dev/null
    dev=$(vpclab organizations create-account --email dev@example.com --account-name dev --query CreateAccountStatus.AccountId -o text)
    vpclab -q -f - >/dev/null <<END
vpc = ec2 create-vpc --cidr-block 10.0.0.0/16
rack = ec2 create-subnet --vpc-id \$vpc --cidr-block 10.0.1.0/24 --availability-zone us-east-1a
own = ec2 create-security-group --vpc-id \$vpc --group-name api --description x
ec2 authorize-security-group-ingress --group-id \$own --protocol tcp --port 8443 --cidr 10.0.1.0/24
api = ec2 run-instances --image-id ami-12345678 --subnet-id \$rack --security-group-ids \$own --private-ip-address 10.0.1.20 --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=api}]
lb = elbv2 create-load-balancer --name api --type network --scheme internal --subnets \$rack
group = elbv2 create-target-group --name api --protocol TCP --port 8443 --vpc-id \$vpc
elbv2 register-targets --target-group-arn \$group --targets Id=\$api
elbv2 create-listener --load-balancer-arn \$lb --protocol TCP --port 443 --default-actions Type=forward,TargetGroupArn=\$group
offer = ec2 create-vpc-endpoint-service-configuration --network-load-balancer-arns \$lb
ec2 modify-vpc-endpoint-service-permissions --service-id \$offer --add-allowed-principals arn:aws:iam::$dev:root
theirs = ec2 create-vpc --cidr-block 10.0.0.0/16 --as $dev
desk = ec2 create-subnet --vpc-id \$theirs --cidr-block 10.0.1.0/24 --availability-zone us-east-1a --as $dev
door = ec2 create-security-group --vpc-id \$theirs --group-name door --description x --as $dev
ec2 authorize-security-group-ingress --group-id \$door --protocol tcp --port 443 --cidr 10.0.0.0/16 --as $dev
ec2 run-instances --image-id ami-12345678 --subnet-id \$desk --tag-specifications ResourceType=instance,Tags=[{Key=Name,Value=client}] --as $dev
ec2 create-vpc-endpoint --vpc-endpoint-type Interface --vpc-id \$theirs --subnet-ids \$desk --security-group-ids \$door --service-name com.amazonaws.vpce.us-east-1.\$offer --as $dev
END
    offer=$(vpclab ec2 describe-vpc-endpoint-service-configurations --query 'ServiceConfigurations[0].ServiceId' -o text)
    read -r way at < <(vpclab --as dev ec2 describe-vpc-endpoints --query 'VpcEndpoints[0].[VpcEndpointId, NetworkInterfaceIds[0]]' -o text)
    ip=$(vpclab --as dev ec2 describe-network-interfaces --network-interface-ids "$at" --query 'NetworkInterfaces[0].PrivateIpAddress' -o text)
    up
    vpclab serve api tcp/8443 >/dev/null
    [ "$(code client "http://$ip:443/")" = 000 ]
    vpclab ec2 accept-vpc-endpoint-connections --service-id "$offer" --vpc-endpoint-ids "$way" >/dev/null
    [ "$(get client "http://$ip:443/")" = 10.0.1.20 ]
    vpclab verify >"$DIR/report"
    grep -q "^client *$at .* tcp/443 | " "$DIR/report"
    grep -q 'disagree on 0$' "$DIR/report"
    vpclab ec2 reject-vpc-endpoint-connections --service-id "$offer" --vpc-endpoint-ids "$way" >/dev/null
    [ "$(code client "http://$ip:443/")" = 000 ]
}
